terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0"
    }
  }
}

provider "aws" {
  region = "cn-north-1"
}

variable "bucket" {
  type    = string
  default = "example-cost-reports"
}

resource "aws_s3_bucket" "reports" {
  bucket = var.bucket
}

data "aws_iam_policy_document" "reader" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.reports.arn}/*"]
  }
}

resource "aws_iam_policy" "reader" { policy = data.aws_iam_policy_document.reader.json }
