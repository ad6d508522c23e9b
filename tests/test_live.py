"""An analysis that is kept up to date says what a fresh one says, whatever was edited before."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.plans import ADMIN, plan, resource

from blastdoor import catalog, engine
from blastdoor.facts.reading import words_of
from blastdoor.live import WAITING, LetGoError, Live
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

Choices = dict[str, list[str]]
CHOICES: Choices = {
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

UNIT = """include "root" {
  path = find_in_parent_folders("root.hcl")
}
terraform {
  source = "%s"
}
inputs = {
  cidr   = %s
  policy = file("policy.json")
}
"""
ROOT = """locals {
  region = read_terragrunt_config("region.hcl").locals.region
}
generate "provider" {
  path      = "provider.tf"
  if_exists = "%s"
  contents  = "provider \\"aws\\" {\\n  region = \\"${local.region}\\"\\n}\\n"
}
"""
REGION = 'locals {\n  region = "%s"\n}\n'
WITH_POLICY = """variable "policy" {
  sensitive = %s
}
resource "aws_iam_policy" "given" {
  name   = "given"
  policy = var.policy
}
"""
TERRAGRUNT: Choices = {
    "live/root.hcl": [ROOT % "overwrite", "# more\n" + ROOT % "skip", ROOT + "locals {\n", ""],
    "live/net/terragrunt.hcl": [
        UNIT % ("../../modules/net", '"0.0.0.0/0"'),
        UNIT % ("../../modules/net", '"10.0.0.0/8"'),
        UNIT % ("git::https://example.com/net.git", '"0.0.0.0/0"'),
        IGNORED % "NET001" + UNIT % ("../../modules/net", '["0.0.0.0/0"'),
    ],
    "live/net/region.hcl": [REGION % "eu-west-1", REGION % "cn-north-1"],
    "live/net/policy.json": [STATEMENT % "*", STATEMENT % "s3:Get*"],
    "live/two/terragrunt.hcl": [UNIT % ("../../modules/net", "null"), UNIT % (".", "null")],
    "live/two/region.hcl": [REGION % "us-east-1", REGION % "us-east-2"],
    "live/two/main.tf": [PROVIDER + OPEN, ""],
    "live/two/two.tfvars": ['cidr = "0.0.0.0/0"\n', 'cidr = "\n'],
    "modules/net/main.tf": [MODULE + WITH_POLICY % "false", MODULE + WITH_POLICY % "true", OPEN],
    "other/main.tf": [PROVIDER + OPEN, CALL % "0.0.0.0/0"],
}
ONLY_OPEN = resource(
    "aws_security_group_rule.all",
    {
        "type": "ingress",
        "from_port": 0,
        "to_port": 65535,
        "protocol": "tcp",
        "cidr_blocks": ["0.0.0.0/0"],
    },
)
GRANT = resource("aws_iam_policy.all", {"policy": ADMIN})
CHINA = 'locals {\n  topic = "arn:aws-cn:sns:cn-north-1:123456789012:t"\n}\n'
PLANS: Choices = {
    "live/main.tf": [
        PROVIDER + OPEN,
        "# moved down\n" + PROVIDER + OPEN,
        IGNORED % "NET001" + OPEN,
        PROVIDER + "resource {{{\n",
    ],
    "live/iam.tf": [
        'resource "aws_iam_policy" "all" {\n  policy = var.given\n}\nvariable "given" {}\n',
        'resource "aws_iam_policy" "all" {\n  policy = jsonencode(' + STATEMENT % "*" + ")\n}\n",
    ],
    "live/plan.tfplan.json": [
        plan(ONLY_OPEN, GRANT, providers={"aws": {"name": "aws"}}),
        plan(GRANT, indent=None),
        plan(ONLY_OPEN)[:400],
    ],
    "live/china.tf": [CHINA, ""],
    "other/main.tf": [PROVIDER.replace("eu-west-1", "us-east-2"), PROVIDER],
}
WORLDS = {"roots": CHOICES, "Terragrunt": TERRAGRUNT, "a plan": PLANS}

Edit = tuple[str, int, bool]
"""A path, the text that it gets (``-1``: it goes), and whether somebody asks what is to be noted."""


def written(report: Report) -> str:
    """Everything that reports say of it."""
    stream = io.StringIO()
    write_sarif(stream, report, RULES, version="0", include_suppressed=True)
    write_json(stream, report, RULES, version="0", include_suppressed=True)
    write_text(stream, report, RULES, include_suppressed=True)
    return stream.getvalue()


def edits(choices: Choices) -> st.SearchStrategy[list[Edit]]:
    places = [(path, number) for path, texts in choices.items() for number in range(-1, len(texts))]
    one = st.tuples(st.sampled_from(places), st.booleans())
    return st.lists(one.map(lambda edit: (*edit[0], edit[1])), max_size=12)


def edited(files: Mapping[str, str], choices: Choices, path: str, number: int) -> dict[str, str]:
    rest = {name: text for name, text in files.items() if name != path}
    return rest if number < 0 else {**rest, path: choices[path][number]}


def heard(facts: Facts) -> list[str]:
    return [
        f"{facts.unit.address}: {found.address} {name} = {words_of(found.get(name))}"
        for found in facts.unit.resources
        for name in found.names()
    ]


def anew(files: Mapping[str, str]) -> tuple[Report, list[str]]:
    notes: list[str] = []
    report = engine.check(
        Memory(files), RULES, OPTIONS, observe=lambda facts: notes.extend(heard(facts))
    )
    return report, notes


@pytest.mark.parametrize("world", WORLDS)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(data=st.data())
def test_after_any_edits_the_report_is_that_of_a_fresh_analysis(
    world: str, data: st.DataObject
) -> None:
    choices = WORLDS[world]
    live: Live[str] = Live(RULES, OPTIONS, heard)
    files = {path: texts[0] for path, texts in choices.items()}
    for path, number, ask in [("", 0, True), *data.draw(edits(choices))]:
        if path:
            files = edited(files, choices, path, number)
        expected, fresh = anew(files)
        outcome = live.check(Memory(files))
        if ask:
            assert outcome.notes == fresh
        assert written(outcome.report) == written(expected)


@pytest.mark.parametrize(("world", "rules"), [("roots", 6), ("Terragrunt", 4), ("a plan", 3)])
def test_the_files_of_this_test_speak_to_many_rules(world: str, rules: int) -> None:
    choices = WORLDS[world]
    files = {path: texts[0] for path, texts in choices.items()}
    spoken: set[str] = set()
    for path, texts in choices.items():
        for number in range(len(texts)):
            report, _notes = anew(edited(files, choices, path, number))
            spoken.update(finding.rule for finding in report.findings)
    assert len(spoken) >= rules, spoken


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


def test_an_analysis_is_broken_off_within_a_unit() -> None:
    live: Live[str] = Live(RULES, OPTIONS, heard)
    source = Memory({path: texts[0] for path, texts in CHOICES.items()})

    class EnoughError(Exception):
        pass

    beats = [0]

    def pulse() -> None:
        beats[0] += 1
        if beats[0] == 100:
            raise EnoughError

    with pytest.raises(EnoughError):
        live.check(source, pulse=pulse)
    done = len(live.records)
    outcome = live.check(source)
    assert 0 < done < len(live.records)
    assert outcome.evaluated == len(live.records) - done
    assert written(outcome.report) == written(engine.check(source, RULES, OPTIONS))


def test_of_terragrunt_and_plans_only_what_read_the_changed_text_is_evaluated_again() -> None:
    live: Live[str] = Live(RULES, OPTIONS, heard)
    files = {path: texts[0] for path, texts in TERRAGRUNT.items()}
    files["live/net/plan.tfplan.json"] = plan(GRANT)
    assert live.check(Memory(files)).evaluated >= 4  # two units, a root, a plan
    assert live.check(Memory(files)).evaluated == 0
    files["live/net/policy.json"] = STATEMENT % "ec2:*"
    assert live.check(Memory(files)).evaluated == 1
    files["live/two/region.hcl"] = REGION % "us-west-2"
    assert live.check(Memory(files)).evaluated == 1
    files["live/root.hcl"] += "# more\n"
    assert live.check(Memory(files)).evaluated == 2
    files["live/net/plan.tfplan.json"] = plan(GRANT, ONLY_OPEN)
    assert live.check(Memory(files)).evaluated == 1


def test_values_wait_until_somebody_asks_what_is_to_be_noted() -> None:
    told: list[str] = []

    def note(facts: Facts) -> list[str]:
        told.append(facts.unit.address)
        return heard(facts)

    live: Live[str] = Live(RULES, OPTIONS, note)
    files = {f"r{number}/main.tf": PROVIDER + OPEN for number in range(WAITING + 3)}
    first = live.check(Memory(files))
    assert len(told) == 3  # the others wait
    assert first.notes == anew(files)[1]
    assert first.notes is first.notes
    assert len(told) == len(files)
    files["r0/main.tf"] += "# more\n"
    second = live.check(Memory(files))
    assert len(told) == len(files)
    third = live.check(Memory(files))
    assert third.notes == anew(files)[1]
    assert len(told) == len(files) + 1
    assert second.notes == third.notes
    files["r0/main.tf"] = OPEN
    fourth = live.check(Memory(files))
    files["r0/main.tf"] = PROVIDER
    live.check(Memory(files))
    with pytest.raises(LetGoError):
        _ = fourth.notes


def test_what_was_noted_is_not_told_in_part_after_another_analysis() -> None:
    live: Live[str] = Live(RULES, OPTIONS, heard)
    files = {f"r{number}/main.tf": PROVIDER + OPEN for number in range(WAITING + 3)}
    first = live.check(Memory(files))
    files[f"r{WAITING + 2}/main.tf"] = PROVIDER  # of which everything was noted at once
    second = live.check(Memory(files))
    with pytest.raises(LetGoError):
        _ = first.notes
    assert second.notes == anew(files)[1]


def test_what_ends_a_noting_can_be_asked_again() -> None:
    class EnoughError(Exception):
        pass

    enough = [True]

    def note(facts: Facts) -> list[str]:
        if enough:
            enough.pop()
            raise EnoughError
        return heard(facts)

    live: Live[str] = Live(RULES, OPTIONS, note)
    files = {"main.tf": PROVIDER + OPEN}
    outcome = live.check(Memory(files))
    with pytest.raises(EnoughError):
        _ = outcome.notes
    assert outcome.notes == anew(files)[1] != []
