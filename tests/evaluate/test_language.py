"""Blocks and marks of the Terraform language: what is read, kept, hidden, allowed and refused."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from blastdoor import catalog, engine
from blastdoor.finding import FailureKind, Report
from blastdoor.report.json import write_json
from blastdoor.report.sarif import write_sarif
from blastdoor.report.text import write_text
from blastdoor.value import HIDDEN, SECRET, Known, OneOf, Unknown

if TYPE_CHECKING:
    from tests.evaluate.conftest import Unit


# moved, removed, import, check


def test_moves_removals_and_imports_are_kept(unit: type[Unit]) -> None:
    here = unit(
        {
            "main.tf": """
module "net" {
  source = "./net"
}
moved {
  from = aws_s3_bucket.old
  to   = module.net.aws_s3_bucket.new["a"]
}
removed {
  from = aws_db_instance.gone
  lifecycle {
    destroy = false
  }
}
removed {
  from = module.legacy
}
import {
  for_each = { a = "id-a" }
  to       = aws_sqs_queue.q[each.key]
  id       = each.value
}
import {
  to = aws_sns_topic.t
  id = "arn:aws:sns:eu-west-1:111122223333:t"
}
""",
            "net/main.tf": "moved {\n  from = aws_vpc.a\n  to = aws_vpc.b\n}\n",
            "net/more.tf.json": '{"moved": [{"from": "aws_eip.a", "to": "aws_eip.b"}]}',
        }
    ).evaluated
    assert [(m.from_, m.to) for m in here.moves] == [
        ("aws_s3_bucket.old", 'module.net.aws_s3_bucket.new["a"]'),
        ("module.net.aws_vpc.a", "module.net.aws_vpc.b"),
        ("module.net.aws_eip.a", "module.net.aws_eip.b"),
    ]
    assert [(r.from_, r.destroys) for r in here.removals] == [
        ("aws_db_instance.gone", False),
        ("module.legacy", True),
    ]
    assert [i.to for i in here.imports] == ["aws_sqs_queue.q[each.key]", "aws_sns_topic.t"]
    assert isinstance(here.imports[0].id, Unknown)
    assert isinstance(here.imports[1].id, Known)
    assert str(here.moves[0].span) == "main.tf:5"
    assert here.failures == []


def test_a_check_is_read_and_its_data_source_is_data(unit: type[Unit]) -> None:
    here = unit("""
check "health" {
  data "aws_region" "here" {
    provider = aws.west
  }
  assert {
    condition     = data.aws_region.here.name == "eu-west-1"
    error_message = "elsewhere"
  }
}
provider "aws" {
  alias  = "west"
  region = "us-west-2"
}
locals {
  region = data.aws_region.here.name
}
""")
    assert [r.address for r in here.evaluated.resources] == ["data.aws_region.here"]
    assert here.local("region") == "us-west-2"
    assert here.evaluated.failures == []


# Ephemeral and sensitive


def test_what_is_ephemeral_is_opaque(unit: type[Unit]) -> None:
    here = unit("""
ephemeral "aws_secretsmanager_secret_version" "db" {
  secret_id = "db"
}
variable "token" {
  default   = "not-so-secret"
  ephemeral = true
}
locals {
  secret = ephemeral.aws_secretsmanager_secret_version.db.secret_string
  token  = var.token
}
resource "aws_db_instance" "main" {
  password_wo         = "literal-password"
  password_wo_version = 3
}
""")
    for name in ("secret", "token"):
        value = here.value(name)
        assert isinstance(value, Unknown)
        assert value.reason.name == "EPHEMERAL"
        assert value.marks & SECRET
    assert here.argument("aws_db_instance.main", "password_wo").startswith("<EPHEMERAL")
    assert here.argument("aws_db_instance.main", "password_wo_version") == 3
    assert here.evaluated.failures == []


@pytest.mark.parametrize(
    "expression",
    [
        "var.secret", '"x-${var.secret}-y"', "upper(var.secret)", "[var.secret][0]",
        "{ a = var.secret }.a", 'sensitive("hunter2")', "[for v in [var.secret] : v][0]",
        "merge({ a = 1 }, { b = var.secret }).b", 'var.secret == "x" ? 1 : 2', "length(var.secret)",
        "!(var.secret == null)", "jsondecode(jsonencode({ a = var.secret })).a", "local.rows[*].k",
        "tostring(var.number)", "var.number + 1", "lookup(local.map, var.secret, 1)", "module.m.out",
        "coalesce(null, var.secret)", 'try(var.secret, "b")', "var.object.password",
    ],
)  # fmt: skip
def test_the_mark_stays_with_what_comes_of_a_sensitive_value(
    unit: type[Unit], expression: str
) -> None:
    here = unit(
        {
            "main.tf": f"""
variable "secret" {{
  default   = "hunter2"
  sensitive = true
}}
variable "number" {{
  default   = 41
  sensitive = true
}}
variable "object" {{
  type      = object({{ password = optional(string, "hunter2") }})
  default   = {{}}
  sensitive = true
}}
module "m" {{
  source = "./m"
}}
locals {{
  rows = [{{ k = var.secret }}]
  map  = {{ hunter2 = 5 }}
  it   = {expression}
}}
""",
            "m/main.tf": 'output "out" {\n  value     = "hunter2"\n  sensitive = true\n}\n',
        }
    )
    value = here.value("it")
    assert value.secret
    assert not isinstance(value, Unknown)
    assert "hunter2" not in repr(value).lower()


def test_what_is_beside_a_sensitive_value_is_none(unit: type[Unit]) -> None:
    here = unit("""
variable "secret" {
  default   = "hunter2"
  sensitive = true
}
locals {
  both  = { a = var.secret, b = "plain" }
  plain = local.both.b
  shown = nonsensitive(var.secret)
}
""")
    assert not here.value("plain").secret
    assert not here.value("shown").secret
    assert here.local("shown") == "hunter2"


SECRET_POLICY = """\
variable "region" {
  default   = "eu-north-1"
  sensitive = true
}
variable "account" {
  default   = "arn:aws:iam::999988887777:root"
  sensitive = true
}
provider "aws" {
  region = "us-east-1"
}
resource "aws_sqs_queue_policy" "q" {
  queue_url = "q"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = "*"
      Action    = "*"
      Resource  = "arn:aws:sqs:${var.region}:111122223333:*"
    }]
  })
}
resource "aws_iam_role" "r" {
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = [var.account, "*"] }
      Action    = "sts:AssumeRole"
    }]
  })
}
variable "root" {
  default   = "r-abcd1234"
  sensitive = true
}
resource "aws_cloudformation_stack_set_instance" "s" {
  stack_set_name = "s"
  deployment_targets {
    organizational_unit_ids = [var.root]
  }
}
"""


def test_no_report_prints_what_is_sensitive() -> None:
    rules = catalog.load()
    report: Report = engine.analyze_files({"main.tf": SECRET_POLICY}, list(rules))
    assert report.findings
    streams = [io.StringIO(), io.StringIO(), io.StringIO()]
    write_json(streams[0], report, rules, version="0")
    write_sarif(streams[1], report, rules, version="0", snippets=True)
    write_text(streams[2], report, rules)
    shown = [stream.getvalue() for stream in streams]
    for text in shown:
        assert "eu-north-1" not in text
        assert "999988887777" not in text
        assert "r-abcd1234" not in text
    assert any(HIDDEN in finding["message"] for finding in json.loads(shown[0])["findings"])


# What a validation allows


def test_a_validation_that_lists_the_values_is_evidence(unit: type[Unit]) -> None:
    here = unit("""
variable "env" {
  type = string
  validation {
    condition     = length(var.env) < 9 && contains(["dev", "prod"], var.env)
    error_message = "no"
  }
}
variable "decided" {
  default = "other"
  validation {
    condition     = contains(["dev", "prod"], var.decided)
    error_message = "no"
  }
}
variable "either" {
  validation {
    condition     = contains(["a", "b"], var.either) || var.either == "c"
    error_message = "no"
  }
}
variable "within" {
  validation {
    condition     = contains(["a", "b"], var.within.name)
    error_message = "no"
  }
}
variable "open" {
  validation {
    condition     = contains(["a", var.env], var.open)
    error_message = "no"
  }
}
variable "lowered" {
  validation {
    condition     = contains(["a"], lower(var.lowered))
    error_message = "no"
  }
}
locals {
  env = var.env
}
""")
    assert here.local("env") == ("dev", "prod")
    value = here.value("env")
    assert isinstance(value, OneOf)
    assert [a.condition for a in value.alternatives] == ['var.env is "dev"', 'var.env is "prod"']
    assert "the validation of var.env" in [e.text for e in value.alternatives[0].value.via]
    assert here.variable("decided") == "other"
    for name in ("either", "within", "open", "lowered"):
        assert here.variable(name) == f"<NO_VALUE var.{name}>"


def test_nullable_false_gives_the_default_for_null(unit: type[Unit]) -> None:
    here = unit(
        {
            "main.tf": """
variable "kept" {
  default = "d"
}
variable "strict" {
  default  = "d"
  nullable = false
}
module "m" {
  source = "./m"
  kept   = null
  strict = null
}
""",
            "terraform.tfvars": "kept = null\nstrict = null\n",
            "m/main.tf": """
variable "kept" {
  default = "d"
}
variable "strict" {
  default  = "d"
  nullable = false
}
output "kept" {
  value = var.kept
}
output "strict" {
  value = var.strict
}
""",
            "out.tf": "locals {\n  kept = module.m.kept\n  strict = module.m.strict\n}\n",
        }
    )
    assert here.variable("kept") is None
    assert here.variable("strict") == "d"
    assert (here.local("kept"), here.local("strict")) == (None, "d")


# Workspaces


@pytest.mark.parametrize(
    ("terraform", "expected"),
    [
        ('cloud {\n    workspaces {\n      name = "prod"\n    }\n  }', "prod"),
        ('cloud {\n    workspaces {\n      tags = ["prod"]\n    }\n  }', None),
        ('cloud {\n    workspaces {\n      project = "prod"\n    }\n  }', None),
        ('backend "remote" {\n    workspaces {\n      name = "prod"\n    }\n  }', None),
        ('backend "s3" {\n    key = "prod"\n  }', None),
    ],
)
def test_the_workspace_is_known_where_the_root_names_it(
    unit: type[Unit], terraform: str, expected: str | None
) -> None:
    here = unit(f"""
terraform {{
  {terraform}
}}
locals {{
  sizes = {{ prod = 3, dev = 1 }}
  it    = terraform.workspace
  size  = local.sizes[terraform.workspace]
}}
""")
    if expected is None:
        # The keys of a map prove nothing, but one of its values it is.
        assert here.local("it") == "<ENVIRONMENT terraform.workspace>"
        assert here.local("size") == (3, 1)
    else:
        assert (here.local("it"), here.local("size")) == ("prod", 3)


# Modules


CIRCLES = {
    "itself": ({"a/main.tf": 'module "x" {\n  source = "./"\n}\n'}, "a -> a"),
    "two": (
        {
            "a/main.tf": 'module "b" {\n  source = "../b"\n}\n',
            "b/main.tf": 'module "a" {\n  source = "../a"\n}\n',
        },
        "a -> b -> a",
    ),
    "three, called by a root": (
        {
            "main.tf": 'module "c" {\n  source = "./c"\n}\n',
            "a/main.tf": 'module "b" {\n  source = "../b"\n}\n',
            "b/main.tf": 'module "c" {\n  source = "../c"\n}\n',
            "c/main.tf": 'module "a" {\n  source = "../a"\n}\n',
        },
        "a -> b -> c -> a",
    ),
}


@pytest.mark.parametrize("what", CIRCLES)
def test_modules_that_call_themselves_are_one_failure(what: str) -> None:
    files, names = CIRCLES[what]
    report = engine.analyze_files(files, ())
    (failure,) = report.failures
    assert failure.kind is FailureKind.SYNTAX
    assert failure.message.endswith(f": {names}")
    assert failure.path == "a/main.tf"


def test_what_is_not_here_is_counted_by_its_name() -> None:
    report = engine.analyze_files(
        {
            "main.tf": """
module "vpc" {
  source = "terraform-aws-modules/vpc/aws"
}
data "terraform_remote_state" "net" {
  backend = "s3"
}
provider "aws" {
  region = module.vpc.region
}
provider "aws" {
  alias  = "b"
  region = data.terraform_remote_state.net.outputs.region
}
provider "aws" {
  alias  = "c"
  region = provider::acme::region("x")
}
"""
        },
        (),
    )
    assert dict(report.coverage.reasons) == {
        "provider: output of a module that is not in the repository: module.vpc": 1,
        "provider: read from another state: data.terraform_remote_state.net": 1,
        "provider: function of a provider: provider::acme::region": 1,
    }


def test_the_word_for_a_hidden_value() -> None:
    assert HIDDEN == "(sensitive)"
    assert "x" not in repr(Known("x").hidden())
