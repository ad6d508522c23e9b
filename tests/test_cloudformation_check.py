"""Templates through the front door: findings at their places, suppressions, failures, odd texts."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

import pytest

from blastdoor import catalog
from blastdoor.engine import Options, check
from blastdoor.finding import FailureKind, Level
from blastdoor.source import Memory

if TYPE_CHECKING:
    from blastdoor.finding import Report

RULES = tuple(catalog.load())
WIDE = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
POLICY = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": WIDE}}
YAML = """
Resources:
  Wide:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          - Effect: Allow
            Action: '*'{comment}
            Resource: '*'
{metadata}"""


def report(files: dict[str, str], rule: str = "admin-grant") -> Report:
    return check(Memory(files), RULES, Options(select=frozenset({rule})))


def found(files: dict[str, str]) -> list[tuple[str, int, str]]:
    result = report(files)
    return [(f.span.path, f.span.begin.line, f.span.text) for f in result.findings]


def test_a_finding_stands_on_the_value() -> None:
    text = YAML.format(comment="", metadata="")
    assert found({"t.yaml": text}) == [("t.yaml", 9, "'*'")]
    assert found({"t.json": json.dumps({"Resources": {"Wide": POLICY}}, indent=1)}) == [
        ("t.json", 10, '"*"')
    ]


@pytest.mark.parametrize(
    ("comment", "metadata"),
    [
        (' # blastdoor: ignore[admin-grant] reason="x"', ""),
        ("", "    Metadata: {blastdoor: 'ignore[admin-grant] reason=\"x\"'}\n"),
        ("", "    Metadata: {blastdoor: {ignore: GRT001, reason: x, until: 2999-01-01}}\n"),
        ("", "Metadata: {blastdoor: {ignore: [admin-grant], reason: x}}\n"),
    ],
)
def test_suppressions(comment: str, metadata: str) -> None:
    result = report({"t.yaml": YAML.format(comment=comment, metadata=metadata)})
    assert (result.findings, result.failures) == ([], [])
    assert [f.suppression.reason for f in result.suppressed if f.suppression] == ["x"]


def test_suppressions_in_json() -> None:
    said = {"blastdoor": {"ignore": ["admin-grant"], "reason": "x"}}
    own = {"Resources": {"Wide": {**POLICY, "Metadata": said}, "Other": POLICY}}
    result = report({"t.json": json.dumps(own)})
    assert [f.unit for f in result.findings] == ["Other"]
    whole = {"Metadata": said, "Resources": {"Wide": POLICY, "Other": POLICY}}
    result = report({"t.template": json.dumps(whole)})
    assert (result.findings, len(result.suppressed)) == ([], 2)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"ignore": "admin-grant"}, "without a reason"),
        ({"ignore": "nothing-at-all", "reason": "x"}, "does not exist"),
        ({"reason": "x"}, "does not name the rules"),
        ({"ignore": ["admin-grant"], "reason": "x", "until": "2001-01-01"}, "expired"),
        ({"ignore": ["admin-grant"], "reason": "x", "who": "y"}, "not known"),
        (7, "does not name the rules"),
    ],
)
def test_wrong_suppressions_are_failures(said: object, words: str) -> None:
    template = {"Resources": {"Wide": {**POLICY, "Metadata": {"blastdoor": said}}}}
    options = Options(select=frozenset({"admin-grant"}), today=dt.date(2026, 1, 1))
    result = check(Memory({"t.json": json.dumps(template)}), RULES, options)
    assert len(result.findings) == 1
    (failure,) = result.failures
    assert failure.kind is FailureKind.SUPPRESSION
    assert words in failure.message


def test_an_unused_suppression_is_a_failure() -> None:
    said = {"ignore": ["admin-grant"], "reason": "x"}
    template = {"Resources": {"A": {"Type": "AWS::S3::Bucket", "Metadata": {"blastdoor": said}}}}
    (failure,) = report({"t.json": json.dumps(template)}).failures
    assert "suppresses nothing" in failure.message


def test_one_broken_template_does_not_stop_the_others() -> None:
    files = {
        "a.yaml": "Resources:\n  A: {Type: AWS::A::B\n",
        "b.yaml": YAML.format(comment="", metadata=""),
    }
    result = report(files)
    assert [f.span.path for f in result.findings] == ["b.yaml"]
    assert [(f.kind, f.path) for f in result.failures] == [(FailureKind.SYNTAX, "a.yaml")]


TWICE = json.dumps({"Resources": {"Wide": POLICY}}).replace(
    '"Action": "*"', '"Action": "s3:Get*", "Action": "*"'
)
WIDE_LAST = """
Resources:
  Wide:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          - {Effect: Allow, Action: 's3:GetObject', Action: '*', Resource: '*'}
"""


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("t.yaml", WIDE_LAST),
        ("t.json", TWICE),
    ],
)
def test_a_key_that_stands_twice_is_a_remark(path: str, text: str) -> None:
    """CloudFormation takes the last without a word: so do we, and say it, and the run passes."""
    result = report({path: text})
    assert [f.span.text.strip("'\"") for f in result.findings] == ["*"]
    (failure,) = result.failures
    assert (failure.kind, failure.fatal) == (FailureKind.DUPLICATE, False)
    assert failure.message == "the key 'Action' stands twice here; the last one counts"


def test_a_resource_with_an_open_condition_counts_one_level_less() -> None:
    conditional = YAML.format(comment="", metadata="    Condition: Open\n")
    open_ = "Parameters: {P: {Type: String}}\nConditions: {Open: !Equals [!Ref P, '']}\n"
    decided = "Conditions: {Open: !Equals ['', '']}\n"
    result = report({"t.yaml": open_ + conditional})
    (finding,) = result.findings
    assert (finding.level, finding.evidence) == (Level.WARNING, ("only under condition Open",))
    (finding,) = report({"t.yaml": decided + conditional}).findings
    assert finding.level is Level.ERROR


def test_the_way_out_is_said_in_the_notation_of_the_template() -> None:
    text = """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties: {ManagedPolicyArns: ['arn:aws:iam::aws:policy/ReadOnlyAccess']}
"""
    (finding,) = report({"t.yaml": text}, "hardcoded-partition").findings
    assert finding.contain == "take the partition from AWS::Partition"


def test_what_was_read_before_a_fault_is_judged() -> None:
    result = report({"t.yaml": YAML.format(comment="", metadata="  Broken: {Type: 'x\n")})
    assert len(result.findings) == 1
    assert [f.kind for f in result.failures] == [FailureKind.SYNTAX]


def test_tabs_and_escapes_in_json() -> None:
    text = json.dumps(
        {"Resources": {"Wide": POLICY, "Q\\u00e9": {"Type": "AWS::SQS::Queue"}}}, indent="\t"
    )
    assert len(found({"t.json": text})) == 1
    raw = text.replace(
        '"AWS::SQS::Queue"', '"AWS::SQS::Queue", "Metadata": {"a": "b\tc", "d": "\\ud83d\\ude00"}'
    )
    assert len(found({"t.json": raw.replace("b\tc", "bc")})) == 1
    assert len(found({"t.json": text.replace('"Queue"', '"\\ud800"')})) == 1
    # A raw tab is no JSON, but YAML, which does not take the surrogates.
    assert [f.kind for f in report({"t.json": raw}).failures] == [FailureKind.SYNTAX]


def test_a_template_is_read_twice_the_same_way() -> None:
    files = {"t.yaml": YAML.format(comment="", metadata="")}
    one, other = report(files), report(files)
    assert [f.fingerprint for f in one.findings] == [f.fingerprint for f in other.findings]


def test_what_is_opaque_is_counted() -> None:
    result = report({"t.yaml": "Transform: Mine\nResources: {A: {Type: AWS::S3::Bucket}}\n"})
    assert result.coverage.undecidable["template"] == 1
    assert result.coverage.reasons["template: made by a macro or module that runs elsewhere"] == 1


def test_a_value_without_echo_is_not_printed() -> None:
    text = """
Parameters: {Password: {Type: String, NoEcho: true}}
Resources:
  Wide:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: {Statement: [{Effect: Allow, Action: !Ref Password, Resource: '*'}]}
"""
    given = '{"Parameters": {"Password": "dynamodb:*"}}'
    result = report({"t.yaml": text, "t.parameters.json": given}, "service-wide-grant")
    assert len(result.findings) == 1
    said = repr([(f.message, f.value, [r.message for r in f.related]) for f in result.findings])
    assert "dynamodb:*" not in said
    shown = report(
        {"t.yaml": text.replace(", NoEcho: true", ""), "t.parameters.json": given},
        "service-wide-grant",
    )
    assert "dynamodb:*" in shown.findings[0].message


def test_what_is_no_template_is_counted_as_skipped() -> None:
    text = "service: a\nresources:\n  Resources: {A: {Type: AWS::S3::Bucket}}\n"
    result = report({"serverless.yml": text})
    assert (result.units, result.files, result.failures) == (0, 0, [])
    assert dict(result.skipped) == {"file with resources of AWS that is no template": 1}


def test_what_is_there_under_a_condition_weighs_less() -> None:
    text = """
Parameters: {Open: {Type: String}}
Conditions: {IsOpen: !Equals [!Ref Open, 'true']}
Resources:
  Wide:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          - !If [IsOpen, {Effect: Allow, Action: '*', Resource: '*'}, !Ref AWS::NoValue]
"""
    (finding,) = report({"t.yaml": text}).findings
    assert (finding.level, finding.evidence) == (Level.WARNING, ("only under condition IsOpen",))
    assert [r.span.text for r in finding.related if r.decides] == ["!Equals [!Ref Open, 'true']"]
    (finding,) = report({"t.yaml": text.replace("!Ref Open, 'true'", "a, a")}).findings
    assert finding.level is Level.ERROR
    scalar = text.replace("Action: '*'", "Action: !If [IsOpen, '*', 's3:*']")
    (finding,) = report({"t.yaml": scalar.replace("!Ref Open, 'true'", "a, a")}).findings
    assert finding.level is Level.ERROR
    assert "condition IsOpen, which holds" in [r.message for r in finding.related]


def test_a_document_is_called_what_its_resource_is_called() -> None:
    text = """
Resources:
  RetryOverrides:
    Type: AWS::SSM::Parameter
    Properties:
      Type: String
      Value: '{"cn-north-1": {"attempts": 2}, "*": {"attempts": 2}}'
"""
    (finding,) = report({"t.yaml": text}, "wildcard-override-key").findings
    assert (finding.level, finding.message) == (
        Level.ERROR,
        "regions: every region (`*` in RetryOverrides.Value), beside cn-north-1 which it can overrule",
    )
    (finding,) = report({"t.yaml": text.replace("RetryOverrides", "Sizes")}, finding.rule).findings
    assert finding.level is Level.WARNING
