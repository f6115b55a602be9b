variable "name" {
  description = "Name of the stack"
  type        = string
}

variable "template_url" {
  description = "Address in S3 of what `sam package --output-template-file packaged.yaml` wrote"
  type        = string
}

variable "hosts" {
  description = "Host names of the site: their callback and sign-out URLs are added to the app client"
  type        = list(string)
}

variable "parameters" {
  description = "Further parameters of the template, by their names, as text"
  type        = map(string)
  default     = {}
}

variable "redirect_path_sign_in" {
  description = "Path that Cognito sends viewers back to after they have signed in"
  type        = string
  default     = "/parseauth"
}

variable "redirect_path_sign_out" {
  description = "Path that Cognito sends viewers back to after they have signed out"
  type        = string
  default     = "/"
}

variable "redirect_path_auth_refresh" {
  description = "Path that renews expired tokens"
  type        = string
  default     = "/refreshauth"
}

variable "sign_out_url" {
  description = "Path that signs viewers out"
  type        = string
  default     = "/signout"
}
