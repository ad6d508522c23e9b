"""One mistake in a policy is one finding, whichever rules could speak of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from blastdoor import catalog
from blastdoor.engine import Options, analyze_files

if TYPE_CHECKING:
    from blastdoor.finding import Report

RULES = tuple(catalog.load())


def report(files: dict[str, str]) -> Report:
    """Everything that the rules which are on have to say."""
    return analyze_files(files, RULES, Options())


def said(*statements: object) -> list[tuple[str, str]]:
    """(rule, the text it stands on) for an inline policy with these statements."""
    document = json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)
    text = (
        'resource "aws_iam_role_policy" "app" {\n  role = "app"\n'
        f"  policy = jsonencode({document})\n}}\n"
    )
    return [(f.rule, f.span.text.strip('"')) for f in report({"main.tf": text}).findings]


def allow(actions: object, resources: object = "*", **more: object) -> dict[str, object]:
    """One Allow statement."""
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (allow("*"), [("admin-grant", "*")]),
        (allow(["*", "s3:*", "iam:PassRole"]), [("admin-grant", "*")]),
        (allow("dynamodb:*"), [("service-wide-grant", "dynamodb:*")]),
        (allow(["s3:*", "sqs:*"]), [("service-wide-grant", "s3:*")]),
        (allow("iam:*"), [("service-wide-grant", "iam:*")]),
        (allow("iam:PassRole"), [("passrole-any", "*")]),
        (allow(["iam:PassRole", "ec2:RunInstances"]), [("passrole-any", "*")]),
        (allow("iam:*", "arn:aws:iam::111122223333:*"), [("passrole-any", "iam:*")]),
        (allow("s3:PutObject"), [("write-on-all-resources", "*")]),
        (
            {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
            [("inverse-allow", "iam:*")],
        ),
    ],
)
def test_one_mistake_is_one_finding(
    statement: dict[str, object], expected: list[tuple[str, str]]
) -> None:
    assert said(statement) == expected


def test_two_mistakes_of_one_statement_are_two_findings() -> None:
    assert said(allow(["logs:*", "dynamodb:DeleteTable"])) == [
        ("service-wide-grant", "logs:*"),
        ("write-on-all-resources", "*"),
    ]
    assert said(allow(["s3:*", "iam:PassRole"])) == [
        ("service-wide-grant", "s3:*"),
        ("passrole-any", "*"),
    ]


def test_what_one_statement_says_does_not_hide_another_at_the_same_place() -> None:
    document = {
        "Version": "2012-10-17",
        "Statement": [allow("s3:*"), allow("iam:PassRole"), allow("sqs:DeleteQueue")],
    }
    files = {
        "main.tf": (
            'resource "aws_iam_role_policy" "app" {\n  role = "app"\n'
            '  policy = file("${path.module}/policy.json")\n}\n'
        ),
        "policy.json": json.dumps(document),
    }

    assert sorted(f.rule for f in report(files).findings) == [
        "passrole-any",
        "service-wide-grant",
        "write-on-all-resources",
    ]


def test_an_ignored_rule_leaves_the_mistake_to_the_next() -> None:
    text = (
        'resource "aws_iam_role_policy" "app" {\n  role = "app"\n  policy = jsonencode('
        f"{json.dumps({'Version': '2012-10-17', 'Statement': allow('dynamodb:*')})})\n}}\n"
    )
    options = Options(ignore=frozenset({"service-wide-grant"}))
    findings = analyze_files({"main.tf": text}, RULES, options).findings

    assert [f.rule for f in findings] == ["write-on-all-resources"]


def test_a_document_within_another_is_told_once() -> None:
    text = """
data "aws_iam_policy_document" "inner" {
  statement {
    actions   = ["dynamodb:*"]
    resources = ["*"]
  }
}

data "aws_iam_policy_document" "outer" {
  source_policy_documents = [data.aws_iam_policy_document.inner.json]
}

resource "aws_iam_policy" "app" {
  name   = "app"
  policy = data.aws_iam_policy_document.outer.json
}
"""

    assert [f.unit for f in report({"main.tf": text}).findings] == ["aws_iam_policy.app"]


def test_a_boundary_that_is_also_attached_grants() -> None:
    text = """
resource "aws_iam_policy" "limit" {
  name   = "limit"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "dynamodb:*", Resource = "*" }]
  })
}

resource "aws_iam_role" "app" {
  name                 = "app"
  permissions_boundary = aws_iam_policy.limit.arn
  assume_role_policy   = jsonencode({ Version = "2012-10-17", Statement = [] })
}
"""
    attached = """
resource "aws_iam_role_policy_attachment" "app" {
  role       = aws_iam_role.app.name
  policy_arn = aws_iam_policy.limit.arn
}
"""

    assert report({"main.tf": text}).findings == []
    assert [f.rule for f in report({"main.tf": text + attached}).findings] == ["service-wide-grant"]


def test_a_role_of_any_account_is_no_condition() -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": "sqs:SendMessage",
        "Resource": "*",
        "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/shop"}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    text = (
        'resource "aws_sqs_queue_policy" "q" {\n'
        '  queue_url = "https://sqs.eu-west-1.amazonaws.com/111122223333/orders"\n'
        f"  policy = jsonencode({document})\n}}\n"
    )

    assert [f.rule for f in report({"main.tf": text}).findings] == ["public-principal"]


def test_a_policy_in_a_file_of_its_own_is_told_where_it_is_used() -> None:
    document = {"Version": "2012-10-17", "Statement": allow("dynamodb:*")}
    files = {
        "main.tf": (
            'resource "aws_iam_role_policy" "app" {\n  role = "app"\n'
            '  policy = file("${path.module}/policy.json")\n}\n'
        ),
        "policy.json": json.dumps(document),
    }
    (finding,) = report(files).findings

    assert finding.span.path == "main.tf"
    assert finding.related[0].span.path == "policy.json"
    assert finding.related[0].span.text == '"dynamodb:*"'


@pytest.mark.parametrize(
    ("subject", "level"),
    [
        ("*", "error"),
        ("repo:*", "error"),
        ("re*", "error"),
        ("repo:acme*", "error"),
        ("repo:*/infra:*", "error"),
        ("*:environment:prod", "error"),
        ("repo:acme/*", "warning"),
        ("repo:acme/**:ref:refs/heads/main", "warning"),
        ("repo:acme/infra*", None),
        ("repo:acme/infra:*", None),
        ("repo:acme@12/infra@34:*", None),
        ("repository_owner:acme:*", None),
        ("repo:acme/infra:ref:refs/heads/main", None),
    ],
)
def test_subjects_of_github(subject: str, level: str | None) -> None:
    host = "token.actions.githubusercontent.com"
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{host}"},
        "Condition": {"StringLike": {f"{host}:sub": subject}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    text = (
        'resource "aws_iam_role" "deploy" {\n  name = "deploy"\n'
        f"  assume_role_policy = jsonencode({document})\n}}\n"
    )
    found = [f.level.word for f in report({"main.tf": text}).findings]

    assert found == ([] if level is None else [level])


def test_each_role_that_trusts_a_provider_is_found_where_it_does() -> None:
    text = """
data "aws_iam_openid_connect_provider" "ci" {
  url = "https://app.terraform.io/"
}

resource "aws_iam_role" "one" {
  name               = "one"
  assume_role_policy = jsonencode({ Statement = [{
    Effect    = "Allow"
    Action    = "sts:AssumeRoleWithWebIdentity"
    Principal = { Federated = data.aws_iam_openid_connect_provider.ci.arn }
  }] })
}

module "two" {
  source = "./two"
  arn    = data.aws_iam_openid_connect_provider.ci.arn
}
"""
    module = """
variable "arn" { type = string }

resource "aws_iam_role" "two" {
  name               = "two"
  assume_role_policy = jsonencode({ Statement = [{
    Effect    = "Allow"
    Action    = "sts:AssumeRoleWithWebIdentity"
    Principal = { Federated = var.arn }
  }] })
}
"""
    found = report({"main.tf": text, "two/main.tf": module}).findings

    assert [(f.rule, f.unit, f.span.begin.line) for f in found] == [
        ("broad-trust", "aws_iam_role.one", 11),
        ("broad-trust", "module.two.aws_iam_role.two", 17),
    ]
