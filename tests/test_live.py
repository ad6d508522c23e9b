"""An analysis that is kept up to date says what a fresh one says, whatever was edited before."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blastdoor import catalog, engine
from blastdoor.live import Live
from blastdoor.report.json import write_json
from blastdoor.report.sarif import write_sarif
from blastdoor.report.text import write_text
from blastdoor.source import Memory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from blastdoor.fact import Facts
    from blastdoor.finding import Report

RULES = catalog.load()
OPTIONS = engine.Options(
    pedantic=True, also=frozenset(rule.id for rule in RULES if rule.default == "opt-in")
)

PROVIDER = 'provider "aws" {\n  region = "eu-west-1"\n}\n'
OPEN = """resource "aws_security_group_rule" "all" {
  type              = "ingress"
  from_port         = 0
  to_port           = 65535
  protocol          = "tcp"
  cidr_blocks       = ["0.0.0.0/0"]
  security_group_id = "sg-1"
}
"""
POLICY = """resource "aws_iam_policy" "wide" {
  name   = "wide"
  policy = file("${path.module}/policy.json")
}
"""
DATABASE = """variable "protect" {
  default   = %s
  sensitive = %s
}
resource "aws_db_instance" "main" {
  deletion_protection = var.protect
  skip_final_snapshot = true
}
"""
CALL = 'module "net" {\n  source = "../../modules/net"\n  cidr   = "%s"\n}\n'
MODULE = """variable "cidr" {}
resource "aws_security_group" "this" {
  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = [var.cidr]
  }
}
"""
TEMPLATE = """AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          - {Effect: Allow, Principal: %s, Action: "sts:AssumeRole"}
"""
NESTING = """AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Inner:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: %s
"""
STATEMENT = '{"Statement": [{"Effect": "Allow", "Action": "%s", "Resource": "*"}]}'
IGNORED = '# blastdoor: ignore[%s] reason="known"\n'

CHOICES: dict[str, list[str]] = {
    "live/prod/provider.tf": [PROVIDER, 'provider "aws" {}\n', PROVIDER.replace("eu-", "cn-")],
    "live/prod/main.tf": [
        OPEN,
        "\n# moved down\n" + OPEN,
        OPEN + POLICY,
        OPEN + "resource {{{\n",
        DATABASE % ("false", "true"),
    ],
    "live/prod/net.tf": [CALL % "0.0.0.0/0", CALL % "10.0.0.0/8", ""],
    "live/prod/policy.json": [STATEMENT % "*", STATEMENT % "s3:Get*", "{"],
    "live/prod/prod.tfvars": ["protect = true\n", "protect = false\n", "protect = \n"],
    "live/test/main.tf": [
        PROVIDER + CALL % "0.0.0.0/0",
        'provider "aws" {\n  region = "us-east-2"\n}\n' + OPEN,
        IGNORED % "NET001" + OPEN,
        DATABASE % ("false", "false"),
    ],
    "modules/net/main.tf": [MODULE, "# one more line\n" + MODULE, OPEN],
    "modules/net/more_override.tf": ["", 'variable "cidr" {\n  default = "0.0.0.0/0"\n}\n'],
    "stacks/role.yaml": [TEMPLATE % '"*"', TEMPLATE % '{AWS: "123456789012"}', "Resources: ["],
    "stacks/outer.yaml": [NESTING % "role.yaml", NESTING % "https://example.com/role.yaml"],
    "live/ARNs.tf": ['locals {\n  here = "arn:aws-cn:s3:::b"\n  at = "us-west-2"\n}\n', ""],
}

Edit = tuple[str, int]
EDITS = st.lists(
    st.sampled_from(
        [(path, number) for path, texts in CHOICES.items() for number in range(-1, len(texts))]
    ),
    max_size=12,
)


def written(report: Report) -> str:
    """Everything that reports say of it."""
    stream = io.StringIO()
    write_sarif(stream, report, RULES, version="0", include_suppressed=True)
    write_json(stream, report, RULES, version="0", include_suppressed=True)
    write_text(stream, report, RULES, include_suppressed=True)
    return stream.getvalue()


def edited(files: Mapping[str, str], edit: Edit) -> dict[str, str]:
    path, number = edit
    rest = {name: text for name, text in files.items() if name != path}
    return rest if number < 0 else {**rest, path: CHOICES[path][number]}


def heard(facts: Facts) -> list[str]:
    return [f"{facts.unit.address}: {len(facts.unit.resources)}"]


def anew(files: Mapping[str, str]) -> tuple[Report, list[str]]:
    notes: list[str] = []
    report = engine.check(
        Memory(files), RULES, OPTIONS, observe=lambda facts: notes.extend(heard(facts))
    )
    return report, notes


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(EDITS)
def test_after_any_edits_the_report_is_that_of_a_fresh_analysis(edits: list[Edit]) -> None:
    live: Live[str] = Live(RULES, OPTIONS, heard)
    files = {path: texts[0] for path, texts in CHOICES.items()}
    for edit in [None, *edits]:
        files = files if edit is None else edited(files, edit)
        expected, fresh = anew(files)
        outcome = live.check(Memory(files))
        assert written(outcome.report) == written(expected)
        assert outcome.notes == fresh


def test_the_files_of_this_test_speak_to_many_rules() -> None:
    files = {path: texts[0] for path, texts in CHOICES.items()}
    spoken: set[str] = set()
    for path, texts in CHOICES.items():
        for number in range(len(texts)):
            report, _notes = anew(edited(files, (path, number)))
            spoken.update(finding.rule for finding in report.findings)
    assert len(spoken) >= 6, spoken


def test_only_what_read_the_changed_text_is_evaluated_again() -> None:
    live: Live[str] = Live(RULES, OPTIONS, heard)
    files = {path: texts[0] for path, texts in CHOICES.items()}
    first = live.check(Memory(files))
    assert first.evaluated >= 4
    assert live.check(Memory(files)).evaluated == 0
    files["live/prod/policy.json"] = STATEMENT % "ec2:*"
    assert live.check(Memory(files)).evaluated == 0  # nothing reads it yet
    files["live/prod/main.tf"] = OPEN + POLICY
    assert live.check(Memory(files)).evaluated == 1
    files["live/prod/policy.json"] = STATEMENT % "iam:*"
    assert live.check(Memory(files)).evaluated == 1
    files["modules/net/main.tf"] = OPEN
    assert live.check(Memory(files)).evaluated == 2  # both roots that call it


def test_an_analysis_that_is_broken_off_keeps_what_is_done() -> None:
    live: Live[str] = Live(RULES, OPTIONS, heard)
    source = Memory({path: texts[0] for path, texts in CHOICES.items()})

    class EnoughError(Exception):
        pass

    def progress(done: int, _total: int) -> None:
        if done == 2:
            raise EnoughError

    with pytest.raises(EnoughError):
        live.check(source, progress=progress)
    outcome = live.check(source)
    assert 0 < outcome.evaluated < len(live.records)
    assert written(outcome.report) == written(engine.check(source, RULES, OPTIONS))


def test_terragrunt_is_evaluated_each_time() -> None:
    files = {
        "live/terragrunt.hcl": 'terraform {\n  source = "../modules/net"\n}\n'
        'inputs = {\n  cidr = "0.0.0.0/0"\n}\n',
        "modules/net/main.tf": MODULE,
        "other/main.tf": PROVIDER + OPEN,
    }
    live: Live[str] = Live(RULES, OPTIONS, heard)
    for cidr in ("0.0.0.0/0", "10.0.0.0/8", "0.0.0.0/0"):
        files["live/terragrunt.hcl"] = files["live/terragrunt.hcl"].replace("0.0.0.0/0", cidr)
        expected = engine.check(Memory(files), RULES, OPTIONS)
        assert written(live.check(Memory(files)).report) == written(expected)
