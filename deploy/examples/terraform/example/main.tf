# A private bucket behind a distribution of one's own, with the sign-in of the module.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

provider "aws" {
  region = "us-east-1"
}

variable "host" {
  description = "Host name of the site"
  type        = string
}

variable "certificate_arn" {
  description = "Certificate for that name, in us-east-1"
  type        = string
}

variable "template_url" {
  description = "Address in S3 of the packaged template"
  type        = string
}

module "sign_in" {
  source       = "../"
  name         = "sign-in"
  template_url = var.template_url
  hosts        = [var.host]
  parameters = {
    EnableSPAMode     = "false"
    UserPoolGroupName = "readers"
  }
}

resource "aws_s3_bucket" "content" {
  bucket_prefix = "content-"
}

resource "aws_s3_bucket_public_access_block" "content" {
  bucket                  = aws_s3_bucket.content.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_policy" "content" {
  bucket = aws_s3_bucket.content.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "cloudfront.amazonaws.com" }
      Action    = "s3:GetObject"
      Resource  = "${aws_s3_bucket.content.arn}/*"
      Condition = { StringEquals = { "aws:SourceArn" = aws_cloudfront_distribution.site.arn } }
    }]
  })
}

resource "aws_cloudfront_origin_access_control" "content" {
  name                              = aws_s3_bucket.content.id
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

data "aws_cloudfront_cache_policy" "optimized" {
  name = "Managed-CachingOptimized"
}

data "aws_cloudfront_cache_policy" "disabled" {
  name = "Managed-CachingDisabled"
}

resource "aws_cloudfront_distribution" "site" {
  enabled             = true
  http_version        = "http2and3"
  default_root_object = "index.html"
  aliases             = [var.host]

  origin {
    origin_id                = "content"
    domain_name              = aws_s3_bucket.content.bucket_regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.content.id
  }

  default_cache_behavior {
    target_origin_id       = "content"
    viewer_protocol_policy = "redirect-to-https"
    allowed_methods        = ["GET", "HEAD"]
    cached_methods         = ["GET", "HEAD"]
    compress               = true
    cache_policy_id        = data.aws_cloudfront_cache_policy.optimized.id

    dynamic "lambda_function_association" {
      for_each = module.sign_in.content
      content {
        event_type = lambda_function_association.key
        lambda_arn = lambda_function_association.value
      }
    }
  }

  # The functions answer the paths of the flow: nothing is asked of the origin.
  dynamic "ordered_cache_behavior" {
    for_each = module.sign_in.flow
    content {
      path_pattern           = ordered_cache_behavior.key
      target_origin_id       = "content"
      viewer_protocol_policy = "redirect-to-https"
      allowed_methods        = ["GET", "HEAD"]
      cached_methods         = ["GET", "HEAD"]
      cache_policy_id        = data.aws_cloudfront_cache_policy.disabled.id

      lambda_function_association {
        event_type = "viewer-request"
        lambda_arn = ordered_cache_behavior.value
      }
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    acm_certificate_arn      = var.certificate_arn
    minimum_protocol_version = "TLSv1.2_2021"
    ssl_support_method       = "sni-only"
  }
}

output "website_url" {
  description = "Address of the site"
  value       = "https://${var.host}"
}
