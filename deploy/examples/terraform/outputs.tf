locals {
  outputs = aws_cloudformation_stack.this.outputs
}

output "content" {
  description = "Versions to associate with the content, by event type"
  value = {
    viewer-request  = local.outputs["CheckAuthHandler"]
    origin-response = local.outputs["HttpHeadersHandler"]
  }
}

output "flow" {
  description = "Versions to associate with viewer requests, by path"
  value = {
    (var.redirect_path_sign_in)      = local.outputs["ParseAuthHandler"]
    (var.redirect_path_auth_refresh) = local.outputs["RefreshAuthHandler"]
    (var.sign_out_url)               = local.outputs["SignOutHandler"]
  }
}

output "all" {
  description = "Every output of the template, by its name"
  value       = local.outputs
}
