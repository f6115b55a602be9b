# The sign-in of Portcullis as a Terraform module, for distributions of one's own. The template and its programs
# are deployed as they are, by a CloudFormation stack.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

resource "aws_cloudformation_stack" "this" {
  name         = var.name
  template_url = var.template_url
  capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]

  # What is left out has the template's default.
  parameters = merge(var.parameters, {
    CreateCloudFrontDistribution = "false"
    RedirectPathSignIn           = var.redirect_path_sign_in
    RedirectPathSignOut          = var.redirect_path_sign_out
    RedirectPathAuthRefresh      = var.redirect_path_auth_refresh
    SignOutUrl                   = var.sign_out_url
    # The names that viewers know; Terraform cannot add a distribution's own name without a circle.
    AlternateDomainNames = join(",", var.hosts)
  })
}
