"""CloudFormation templates to values: parameters, mappings, conditions and intrinsic functions."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blastdoor.evaluate.cloudformation.functions import cidr
from blastdoor.source.content import kind_of_content
from blastdoor.source.kinds import Kind
from blastdoor.value import Inherited, Known, Many, OneOf, Piece, Step, Text, walk

if TYPE_CHECKING:
    from tests.evaluate.conftest import Stack

PARAMETERS = """
Parameters:
  Name: {Type: String}
  Given: {Type: String, Default: a}
  Env: {Type: String, AllowedValues: [dev, prod], Default: dev}
  One: {Type: String, AllowedValues: [only]}
  Names: {Type: CommaDelimitedList}
  Image: {Type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>', Default: /aws/image}
Mappings:
  Regions:
    us-east-1: {Ami: ami-1, Zones: [a, b]}
    eu-west-1: {Ami: ami-2, Zones: [a]}
Conditions:
  Prod: !Equals [!Ref Env, prod]
  Named: !Not [!Equals [!Ref Name, '']]
  Both: !And [!Condition Prod, !Condition Named]
  Either: !Or [{Condition: Prod}, {Condition: Named}]
  Always: !Equals [a, a]
  Never: !Not [!Condition Always]
"""


# What is a template


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ("a.yaml", "AWSTemplateFormatVersion: 2010-09-09\n", Kind.TEMPLATE),
        ("a.template", '{"Resources": {"A": {"Type": "AWS::A::B"}}}', Kind.TEMPLATE),
        ("a.json", '{"Resources": {"A": {"Type": "Custom::B"}}}', Kind.TEMPLATE),
        ("a.yml", "Transform: AWS::Serverless-2016-10-31\n", Kind.TEMPLATE),
        ("a.yaml", "kind: Deployment\nspec: {Resources: 1}\n", None),
        ("a.cfn", "{Resources: {A: {Type: My::Own::Thing}}}", Kind.TEMPLATE),
        ("a.json", '{"Resources": {"A": {"Type": "x"}}, "B": "AWS::S3::Bucket"}', None),
        ("a.json", '{"ResourceTypes": {"AWS::S3::Bucket": {"Type": "a"}}, "Resources": 1}', None),
        ("a.json", "{}", None),
        ("a.txt", "AWSTemplateFormatVersion: 2010-09-09\n", None),
    ],
)
def test_the_content_tells_a_template(path: str, text: str, kind: Kind | None) -> None:
    assert kind_of_content(path, text.encode()) is kind


def test_what_only_speaks_of_resources_is_no_unit(stack: type[Stack]) -> None:
    files = {
        "policy.json": '{"Resources": ["arn:aws:s3:::a"], "note": "AWS::S3::Bucket"}',
        "list.yaml": "- Resources: {A: {Type: AWS::S3::Bucket}}\n",
        "words.yaml": "Resources: AWS::S3::Bucket is one\n",
    }
    found = stack(files)
    assert (dict(found.subjects), found.failures) == ({}, [])


def test_yaml_and_json_say_the_same(stack: type[Stack]) -> None:
    template = {
        "Resources": {
            "B": {
                "Type": "AWS::S3::Bucket",
                "DeletionPolicy": "Retain",
                "Properties": {
                    "BucketName": {"Fn::Sub": "logs-${AWS::AccountId}"},
                    "Tags": [{"Key": "a", "Value": {"Ref": "AWS::Region"}}],
                },
            }
        }
    }
    text = """
Resources:
  B:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
    Properties:
      BucketName: !Sub logs-${AWS::AccountId}
      Tags:
        - {Key: a, Value: !Ref AWS::Region}
"""
    found = stack({"t.json": json.dumps(template), "t.yaml": text})
    names = ("BucketName", "Tags", "DeletionPolicy")
    one, other = found.resource("B", "t.json"), found.resource("B", "t.yaml")
    for name in names:
        first, second = one.get(name), other.get(name)
        assert first is not None
        assert second is not None
        assert first.key() == second.key()


def test_json_that_is_not_strict_is_read_as_yaml(stack: type[Stack]) -> None:
    text = '{"Resources": {"A": {"Type": "AWS::A::B", "Properties": {"P": 1,},}},} # why\n'
    assert stack({"t.template": text}).get("A", "P") == 1


def test_a_resource_has_its_attributes_beside_its_properties(stack: type[Stack]) -> None:
    found = stack("""
Conditions: {Prod: !Equals [!Ref AWS::Region, x]}
Resources:
  A:
    Type: AWS::Events::EventBusPolicy
    Condition: Prod
    DependsOn: [B]
    DeletionPolicy: Retain
    UpdateReplacePolicy: Snapshot
    UpdatePolicy: {AutoScalingRollingUpdate: {MaxBatchSize: 1}}
    CreationPolicy: {ResourceSignal: {Count: 1}}
    Metadata: {Owner: a}
    Properties: {Condition: {Key: k}, StatementId: s}
""")
    resource = found.resource("A")
    assert {name: stack.plain(resource.get(name)) for name in resource.names()} == {
        "Condition": {"Key": "k"},
        "StatementId": "s",
        "CreationPolicy": {"ResourceSignal": {"Count": 1}},
        "DeletionPolicy": "Retain",
        "DependsOn": ["B"],
        "UpdatePolicy": {"AutoScalingRollingUpdate": {"MaxBatchSize": 1}},
        "UpdateReplacePolicy": "Snapshot",
    }
    assert stack.plain(resource.get("Resource.Condition")) == "Prod"
    assert stack.plain(resource.get("Resource.Metadata")) == {"Owner": "a"}
    assert resource.get("Properties") is None
    assert (resource.name, resource.module, resource.span.text) == ("A", "t.yaml", "A")
    assert isinstance(resource.region, Inherited)


# References


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!Ref Name", "<NO_VALUE Parameters.Name>"),
        ("!Ref Given", "<NO_VALUE Parameters.Given>"),
        ("!Ref Env", ("dev", "prod")),
        ("!Ref One", "only"),
        ("!Ref Names", "<NO_VALUE Parameters.Names>"),
        ("!Ref Image", "<NO_VALUE Parameters.Image>"),
        ("!Ref R", "<COMPUTED R>"),
        ("!GetAtt R.Arn", "<COMPUTED R.Arn>"),
        ("!GetAtt [R, Endpoint.Port]", "<COMPUTED R.Endpoint.Port>"),
        ("{'Fn::GetAtt': [R, !Ref Name]}", "<COMPUTED R.?>"),
        ("!Ref Nothing", "<UNDECLARED Nothing>"),
        ("!GetAtt Nothing.Arn", "<UNDECLARED Nothing.Arn>"),
        ("!Ref AWS::Region", "<ENVIRONMENT AWS::Region>"),
        ("!Ref AWS::AccountId", "<ENVIRONMENT AWS::AccountId>"),
        ("!Ref AWS::Partition", "<ENVIRONMENT AWS::Partition>"),
        ("!Ref AWS::URLSuffix", "<ENVIRONMENT AWS::URLSuffix>"),
        ("!Ref AWS::StackName", "<ENVIRONMENT AWS::StackName>"),
        ("!Ref AWS::StackId", "<ENVIRONMENT AWS::StackId>"),
        ("!Ref AWS::NotificationARNs", "<ENVIRONMENT AWS::NotificationARNs>"),
        ("!Ref AWS::NoValue", ...),
        ("!Ref AWS::Nothing", "<UNDECLARED AWS::Nothing>"),
        ("[a, !Ref AWS::NoValue]", ["a"]),
        ("{a: 1, b: !Ref AWS::NoValue}", {"a": 1}),
        ("{a: null}", {}),
    ],
)
def test_references(stack: type[Stack], text: str, value: object) -> None:
    assert stack.value(text, PARAMETERS) == value


# Texts


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!Sub 'a-${Name}-b'", "a-{<NO_VALUE Parameters.Name>}-b"),
        ("!Sub '${One}'", "only"),
        ("!Sub '${ One }'", "only"),
        ("!Sub 'a${!One}b'", "a${One}b"),
        ("!Sub '$One {One} ${'", "$One {One} ${"),
        ("!Sub '${Env}-x'", ("dev-x", "prod-x")),
        ("!Sub '${R.Arn}/*'", "{<COMPUTED R.Arn>}/*"),
        ("!Sub 'arn:${AWS::Partition}:s3:::b'", "arn:{<ENVIRONMENT AWS::Partition>}:s3:::b"),
        ("!Sub ['${a}${a}${One}', {a: !Ref One}]", "onlyonlyonly"),
        ("!Sub ['${R.Arn}', {R.Arn: x}]", "x"),
        ("!Sub '${Nothing}'", "{<UNDECLARED Nothing>}"),
        ("!Sub []", "<INVALID Fn::Sub>"),
        ("!Sub {a: b}", "<INVALID Fn::Sub>"),
        ("!Join ['-', [a, !Ref One, 1, true]]", "a-only-1-true"),
        ("!Join ['', [a, !Ref Name]]", "a{<NO_VALUE Parameters.Name>}"),
        ("!Join [',', !Ref Names]", "<NO_VALUE Parameters.Names>"),
        ("!Join ['', []]", ""),
        ("!Join ['-', [a, !Ref AWS::NoValue, b]]", "a-b"),
        ("!Join [a]", "<INVALID Fn::Join>"),
        ("!Split [',', 'a,b']", ["a", "b"]),
        ("!Split [',', !Ref Name]", "<NO_VALUE Parameters.Name>"),
        ("!Split ['', a]", "<INVALID Fn::Split>"),
        ("!Select [1, [a, b]]", "b"),
        ("!Select ['0', !Split ['|', 'x|y']]", "x"),
        ("!Select [7, [a]]", "<INVALID Fn::Select>"),
        ("!Select [-1, [a]]", "<INVALID Fn::Select>"),
        ("!Select [!Ref Name, [a]]", "<RANGE Fn::Select>"),
        ("!Select [0, !GetAZs '']", "<ENVIRONMENT Fn::GetAZs>"),
        ("!Base64 abc", "YWJj"),
        ("!Base64 {'Fn::Sub': '${Name}'}", "<NO_VALUE Parameters.Name>"),
        ("!Cidr [10.0.0.0/16, 2, 8]", ["10.0.0.0/24", "10.0.1.0/24"]),
        ("!Select [1, !Cidr [10.0.0.0/16, 2, 8]]", "10.0.1.0/24"),
        ("!Cidr [!GetAtt R.CidrBlock, 2, 8]", "<COMPUTED R.CidrBlock>"),
        ("!Cidr [nonsense, 2, 8]", "<INVALID Fn::Cidr>"),
        ("!ImportValue net-VpcId", "<EXPORT net-VpcId>"),
        ("!ImportValue {'Fn::Sub': '${Name}-VpcId'}", "<EXPORT *-VpcId>"),
        ("{'Fn::ToJsonString': {a: [1, !Ref One]}}", {"json": {"a": [1, "only"]}}),
        ("{'Fn::Length': [a, b]}", 2),
        ("{'Fn::Length': !Ref Names}", "<NO_VALUE Parameters.Names>"),
        ("{'Fn::ValueOf': [a, b]}", "<FUNCTION Fn::ValueOf>"),
        ("{'Fn::Nothing': x}", "<FUNCTION Fn::Nothing>"),
        ("{'Fn::Transform': {Name: Mine, Parameters: {a: b}}}", "<MACRO Mine>"),
        ("!Unheard of", "<MACRO !Unheard>"),
        ("{'Rain::Embed': file.sh}", "<MACRO Rain::Embed>"),
        ("'{{resolve:ssm:/a}}'", "<STORED {{resolve:ssm:/a}}>"),
        ("'a{{resolve:secretsmanager:b:SecretString:c}}d'",
         "a{<STORED {{resolve:secretsmanager:b:SecretString:c}}>}d"),
        ("!Sub '{{resolve:secretsmanager:${Name}}}'", "<STORED {{resolve:secretsmanager:${Name}}}>"),
        ("'{{resolve:other:x}}'", "{{resolve:other:x}}"),
    ],
)  # fmt: skip
def test_functions(stack: type[Stack], text: str, value: object) -> None:
    assert stack.value(text, PARAMETERS) == value


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["192.168.0.0/24", "6", "5"], [f"192.168.0.{32 * n}/27" for n in range(6)]),
        (["2001:db8::/56", "2", "64"], ["2001:db8::/64", "2001:db8:0:1::/64"]),
        (["10.0.0.0/24", "9", "5"], None),
        (["10.0.0.0/24", "0", "5"], None),
        (["10.0.0.0/24", "1", "33"], None),
        (["10.0.0.0/24", "x", "5"], None),
        (["10.0.0.0/8", "257", "8"], None),
    ],
)
def test_networks_within_a_network(arguments: list[str], found: list[str] | None) -> None:
    assert cidr(arguments) == found


def test_a_text_stands_where_it_is_written(stack: type[Stack]) -> None:
    value = stack.raw("!Sub 'arn:${AWS::Partition}:s3:::logs'", PARAMETERS)
    assert isinstance(value, Text)
    assert value.span is not None
    assert value.span.text == "!Sub 'arn:${AWS::Partition}:s3:::logs'"
    places = []
    for part in value.parts:
        where = part if isinstance(part, Piece) else part.span
        assert where is not None
        places.append(where.document.text[where.start : where.end])
    assert places == ["arn:", "${AWS::Partition}", ":s3:::logs"]


def test_lines_of_a_block_stand_where_they_are_written(stack: type[Stack]) -> None:
    value = stack.raw('|\n        {"a":\n          "b"}\n\n        c', "")
    assert isinstance(value, Known)
    assert value.data == '{"a":\n  "b"}\n\nc\n'
    source = [p.document.text[p.start : p.end] for p in value.pieces]
    assert [p.text for p in value.pieces if p.exact] == [
        s for s, p in zip(source, value.pieces, strict=True) if p.exact
    ]
    assert "".join(p.text for p in value.pieces) == value.data
    assert source[:2] == ['{"a":\n', '  "b"}\n']


def test_a_text_too_long_is_not_known(stack: type[Stack]) -> None:
    text = "x" * 40
    for _ in range(20):
        text = f"!Sub ['${{A}}${{A}}', {{A: {text}}}]"
    value = stack.value(text)
    assert len(value) < 2_000_000
    assert "<BUDGET string too long>" in value


# Mappings


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!FindInMap [Regions, us-east-1, Ami]", "ami-1"),
        ("!FindInMap [Regions, us-east-1, Zones]", ["a", "b"]),
        ("!FindInMap [Regions, !Ref AWS::Region, Ami]", ("ami-2", "ami-1")),
        ("!FindInMap [Regions, !Ref Name, Ami]", ("ami-2", "ami-1")),
        ("!FindInMap [Regions, !Sub '${Name}', Ami]", ("ami-2", "ami-1")),
        ("!FindInMap [Regions, cn-north-1, Ami]", "<INVALID Fn::FindInMap with cn-north-1>"),
        ("!FindInMap [Regions, cn-north-1, Ami, {DefaultValue: ami-0}]", "ami-0"),
        ("!FindInMap [Regions, !Ref AWS::Region, Ami, {DefaultValue: ami-0}]",
         ("ami-2", "ami-1", "ami-0")),
        ("!FindInMap [Nothing, a, b]", "<INVALID Fn::FindInMap>"),
        ("!FindInMap [!Ref Name, a, b]", "<NO_VALUE Parameters.Name>"),
        ("!FindInMap [Regions, us-east-1]", "<INVALID Fn::FindInMap>"),
    ],
)  # fmt: skip
def test_lookups(stack: type[Stack], text: str, value: object) -> None:
    assert stack.value(text, PARAMETERS) == value


def test_a_lookup_says_where_the_value_stands(stack: type[Stack]) -> None:
    value = stack.raw("!FindInMap [Regions, us-east-1, Ami]", PARAMETERS)
    assert value is not None
    assert value.span is not None
    assert (value.span.text, value.span.begin.line) == ("ami-1", 11)
    assert [(e.step, e.text) for e in value.via] == [
        (Step.LOCAL, "Mappings.Regions.us-east-1.Ami"),
        (Step.ATTRIBUTE, "R"),
    ]


def test_the_alternatives_of_a_lookup_say_their_keys(stack: type[Stack]) -> None:
    value = stack.raw("!FindInMap [Regions, !Ref AWS::Region, Ami]", PARAMETERS)
    assert isinstance(value, OneOf)
    assert [a.condition for a in value.alternatives] == [
        "AWS::Region = eu-west-1",
        "AWS::Region = us-east-1",
    ]


def test_a_lookup_in_too_many_rows_is_not_known(stack: type[Stack]) -> None:
    rows = "".join(f"    r{n}: {{v: {n}}}\n" for n in range(17))
    value = stack.value("!FindInMap [M, !Ref AWS::Region, v]", f"Mappings:\n  M:\n{rows}")
    assert value == "<ENVIRONMENT AWS::Region>"


def test_a_default_of_a_lookup_is_a_fallback(stack: type[Stack]) -> None:
    text = PARAMETERS + (
        "Resources:\n  R:\n    Type: AWS::A::B\n    Properties:\n"
        "      P: !FindInMap [Regions, !Ref AWS::Region, Ami, {DefaultValue: us-east-1}]\n"
    )
    (found,) = stack(text).unit().fallbacks
    assert (stack.plain(found.value), found.span.text) == ("us-east-1", "us-east-1")
    assert (found.owner, found.how) == ("R", "DefaultValue of FindInMap")


# Conditions


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!If [Named, a, b]", ("a", "b")),
        ("!If [Always, a, b]", "a"),
        ("!If [Never, a, b]", "b"),
        ("!If [Nothing, a, b]", ("a", "b")),
        ("!If [Named, a, !Ref AWS::NoValue]", ("a", None)),
        ("!If [Named, !If [Named, a, x], !If [Named, x, b]]", ("a", "b")),
        ("!If [Both, !If [Named, a, x], b]", ("a", "b")),
        ("!If [Either, a, !If [Prod, x, b]]", ("a", "b")),
        ("!If [Prod, !Ref Env, !Ref Env]", ("prod", "dev")),
        ("!If [Prod, !Sub 'x-${Env}', !FindInMap [Regions, us-east-1, Ami]]", ("x-prod", "ami-1")),
        ("!If [!Equals [!Ref Name, x], a, b]", ("a", "b")),
        ("!If [!Equals [x, x], a, b]", "a"),
        ("!If [Named, a]", "<INVALID Fn::If>"),
        ("!Sub ['${x}', {x: !If [Named, a, b]}]", ("a", "b")),
        ("!Join ['', [!If [Named, a, b], c]]", ("ac", "bc")),
        ("!Select [0, !If [Named, [a], [b]]]", ("a", "b")),
    ],
)
def test_both_branches(stack: type[Stack], text: str, value: object) -> None:
    assert stack.value(text, PARAMETERS) == value


def test_the_condition_is_evidence(stack: type[Stack]) -> None:
    value = stack.raw("!If [Named, a, b]", PARAMETERS)
    assert isinstance(value, OneOf)
    assert [a.condition for a in value.alternatives] == ["Named", "not Named"]
    (evidence,) = value.via
    assert (evidence.step, evidence.text) == (Step.CONDITION, "condition Named")
    assert evidence.span.text == "!Not [!Equals [!Ref Name, '']]"


def test_a_resource_with_a_condition(stack: type[Stack]) -> None:
    found = stack(
        PARAMETERS
        + """
Resources:
  A: {Type: AWS::A::B, Condition: Prod, Properties: {P: !Ref Env, Q: !If [Prod, a, b]}}
  B: {Type: AWS::A::B, Condition: Never}
  C: {Type: AWS::A::B, Condition: Always}
"""
    )
    assert found.resources() == {"A": "AWS::A::B", "C": "AWS::A::B"}
    assert (found.get("A", "P"), found.get("A", "Q")) == ("prod", "a")
    assert found.get("A", "Resource.Condition") == "Prod"


def test_an_item_under_a_condition_counts_as_there(stack: type[Stack]) -> None:
    text = "{a: [x, !If [Named, {b: 1}, !Ref AWS::NoValue]], c: !If [Named, d, !Ref AWS::NoValue]}"
    assert stack.value(text, PARAMETERS) == {"a": ["x", {"b": 1}], "c": ("d", None)}
    value = stack.raw("[!If [Named, x, !Ref AWS::NoValue], !If [Named, y, z]]", PARAMETERS)
    assert isinstance(value, Many)
    assert stack.plain(value) == ["x", ("y", "z")]
    assert [(e.step, e.text) for e in value.items[0].via] == [(Step.CONDITION, "condition Named")]
    joined = "!Join ['-', [a, !If [Named, b, !Ref AWS::NoValue]]]"
    assert stack.value(joined, PARAMETERS) == ("a-b", "a")
    inner = stack.raw("[!If [Named, {b: {c: d}}, !Ref AWS::NoValue]]", PARAMETERS)
    assert inner is not None
    (deep,) = [v for v in walk(inner) if isinstance(v, Known)]
    assert [e.text for e in deep.via] == ["condition Named"]


def test_conditions_that_refer_to_themselves_are_open(stack: type[Stack]) -> None:
    around = "Conditions: {A: !Not [!Condition B], B: !Not [!Condition A]}"
    assert stack.value("!If [A, a, b]", around) == ("a", "b")


# Loops


LOOPS = """
Transform: AWS::LanguageExtensions
Parameters: {Names: {Type: CommaDelimitedList}}
Conditions:
  Fn::ForEach::C: [N, [A, B], {'Is${N}': !Equals [!Ref AWS::Region, !Ref N]}]
Resources:
  Fn::ForEach::Buckets:
    - Name
    - [A, B]
    - Bucket${Name}:
        Type: AWS::S3::Bucket
        Condition: Is${Name}
        Properties:
          BucketName: !Sub x-${Name}
          Fn::ForEach::Props: [P, [X, Y], {'${P}': !Ref P}]
  Fn::ForEach::Outer:
    - O
    - [1, 2]
    - Fn::ForEach::Inner:
        - I
        - [a.b, c]
        - 'T${O}&{I}': {Type: 'AWS::SNS::Topic', Properties: {N: '${I}'}}
  Queue: {Type: AWS::SQS::Queue, Properties: {A: !Ref BucketA, Z: !GetAtt BucketZ.Arn}}
"""


def test_loops_are_written_out(stack: type[Stack]) -> None:
    found = stack(LOOPS)
    assert list(found.resources()) == ["BucketA", "BucketB", "T1ab", "T1c", "T2ab", "T2c", "Queue"]
    assert found.get("BucketB", "BucketName") == "x-B"
    assert (found.get("BucketB", "X"), found.get("BucketB", "Y")) == ("X", "Y")
    assert found.get("BucketB", "Resource.Condition") == "IsB"
    assert found.get("T2ab", "N") == "a.b"
    assert found.get("Queue", "A") == "<COMPUTED BucketA>"
    assert found.get("Queue", "Z") == "<UNDECLARED BucketZ.Arn>"


def test_a_loop_over_what_is_not_known_may_declare_anything(stack: type[Stack]) -> None:
    found = stack(LOOPS + "  Fn::ForEach::U: [N, !Ref Names, {'U${N}': {Type: AWS::A::B}}]\n")
    assert found.get("Queue", "Z") == "<MACRO BucketZ.Arn>"
    assert [stack.plain(u) for u in found.unit().opaque] == ["<RANGE Fn::ForEach::U>"]


def test_a_loop_that_is_none_is_counted(stack: type[Stack]) -> None:
    found = stack("Resources:\n  Fn::ForEach::X: [a]\n  B: {Type: AWS::A::B}\n")
    assert [stack.plain(u) for u in found.unit().opaque] == ["<INVALID Fn::ForEach::X>"]


# What is opaque


def test_what_runs_elsewhere_is_counted(stack: type[Stack]) -> None:
    found = stack("""
Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31, Mine, {Name: AWS::Include}]
Resources:
  Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://a/b}}
  Net: {Type: !Rain::Module ./vpc.yml}
  Map: {Type: {Rain::Module: ./vpc.yml}}
  Mod: {Type: My::Own::Thing::MODULE}
  None: {Properties: {}}
  B:
    Type: AWS::S3::Bucket
    Properties:
      Fn::Transform: {Name: Tags}
      BucketName: !Ref NetBucket
""")
    assert found.resources() == {"B": "AWS::S3::Bucket"}
    assert sorted(stack.plain(u) for u in found.unit().opaque) == [
        "<MACRO !Rain::Module ./vpc.yml>",
        "<MACRO AWS::Include of the whole template>",
        "<MACRO AWS::Include>",
        "<MACRO Mine>",
        "<MACRO My::Own::Thing::MODULE>",
        "<MACRO None>",
        "<MACRO Tags>",
        "<MACRO {Rain::Module: ./vpc.yml}>",
    ]
    assert found.get("B", "BucketName") == "<MACRO NetBucket>"
    assert found.failures == []


# Secrets


def test_a_parameter_without_echo_is_never_printed(stack: type[Stack]) -> None:
    found = stack("""
Parameters:
  Password: {Type: String, NoEcho: true, Default: hunter2}
  Choice: {Type: String, NoEcho: 'true', AllowedValues: [hunter3, hunter4]}
Resources:
  A:
    Type: AWS::A::B
    Properties:
      P: !Ref Password
      Q: !Sub 'x-${Choice}'
      R: !Join ['', [!Ref Choice]]
      S: !Base64 {Ref: Choice}
""")
    unit = found.unit()
    assert {"hunter2", "hunter3", "hunter4"} <= unit.secrets
    (default,) = [s for s in unit.settings if s.kind == "default"]
    assert default.value.secret
    for name in ("Q", "R", "S"):
        value = found.resource("A").get(name)
        assert value is not None
        assert value.secret
    document = default.span.document
    quoted = {document.text[start:end] for start, end in document.secrets}
    assert {"hunter2", "hunter3", "hunter4"} <= quoted


# Settings


def test_defaults_and_mappings_are_settings(stack: type[Stack]) -> None:
    found = stack(PARAMETERS + "Resources: {R: {Type: AWS::A::B}}\n")
    settings_ = {
        s.owner: (s.kind, stack.plain(s.value), s.span.text) for s in found.unit().settings
    }
    assert settings_["Parameters.Given"] == ("default", "a", "a")
    assert settings_["Mappings.Regions"][0] == "local"
    assert settings_["Mappings.Regions"][1]["us-east-1"] == {"Ami": "ami-1", "Zones": ["a", "b"]}


# Failures


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Resources: {A: {Type: AWS::A::B, Type: AWS::C::D}}", "the key 'Type' stands twice here"),
        ("Resources: {A: {Type: AWS::A::B}}\n---\nResources: {}", "a template is one document"),
        ("Resources: {A: {Type: AWS::A::B}, B: text}", "the resource B is no mapping"),
        ("AWSTemplateFormatVersion: x\nResources: [AWS::A::B]", "the section Resources is no mapping"),
        ("Resources: {A: {Type: AWS::A::B}}\nParameters: [a]", "the section Parameters is no mapping"),
        ("Resources: {A: {Type: AWS::A::B}}\nX: 'y", "unexpected end of stream"),
        ("Resources: {A: {Type: AWS::A::B, Metadata: &a [*a]}}", "names nothing that ends before it"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_a_failure(stack: type[Stack], text: str, words: str) -> None:
    assert words in stack(text).failures[0]


def test_the_last_of_two_keys_counts(stack: type[Stack]) -> None:
    text = "Resources: {A: {Type: AWS::A::B, Properties: {P: 1, P: 2}}}"
    assert stack(text).get("A", "P") == 2


def test_aliases_and_merges_are_followed(stack: type[Stack]) -> None:
    found = stack("""
x: &tags [{Key: a, Value: b}]
y: &more {Tags: *tags, P: 1}
Resources:
  A: {Type: AWS::A::B, Properties: {<<: *more, P: 2}}
""")
    resource = found.resource("A")
    assert {n: stack.plain(resource.get(n)) for n in resource.names()} == {
        "P": 2,
        "Tags": [{"Key": "a", "Value": "b"}],
    }


# Hostile texts


def _numbers(count: int) -> str:
    return ",".join(map(str, range(count)))


def _bomb(levels: int, wide: int) -> str:
    lines = [f"a0: &a0 [{', '.join('x' * wide)}]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * wide)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        _bomb(100, 9) + "\nResources: {A: {Type: AWS::A::B, Properties: {P: *a99}}}\n",
        "\n".join(f"a{n}: &a{n} {'[' * 150}{f'*a{n - 1}' if n else ''}{']' * 150}" for n in range(40))
        + "\nResources: {A: {Type: AWS::A::B, Properties: {P: *a39}}}\n",
        "Resources:\n" + "".join(
            f"  Fn::ForEach::L{n}: [A, [{_numbers(1000)}], {{'R${{A}}{n}': {{Type: AWS::A::B}}}}]\n"
            for n in range(20)
        ),
        "Resources:\n  Fn::ForEach::L0: [A0, [" + ",".join(map(str, range(100))) + "], {"
        + "".join(f"'Fn::ForEach::L{n}': [A{n}, [{_numbers(100)}], {{" for n in range(1, 8))
        + "'R${A0}': {Type: AWS::A::B}" + "}]" * 7 + "}]\n",
        "Conditions:\n  C0: !Equals [!Ref AWS::Region, a]\n"
        + "".join(f"  C{n}: !Not [!Condition C{n - 1}]\n" for n in range(1, 3000))
        + "Resources:\n"
        + "".join(f"  R{n}: {{Type: AWS::A::B, Condition: C{n}}}\n" for n in range(3000)),
        "Conditions:\n  C0: !Equals [!Ref AWS::Region, a]\n"
        + "".join(f"  C{n}: !And [!Condition C{n - 1}, !Condition C{n - 1}]\n" for n in range(1, 300))
        + "Resources: {A: {Type: AWS::A::B, Condition: C299}}\n",
        "Resources: {A: {Type: AWS::A::B, Properties: {P: "
        + "".join(f"!If [C{n}, a, " for n in range(90)) + "b" + "]" * 90 + "}}}\n",
        "a0: &a0 {P: 1}\n"
        + "".join(f"a{n}: &a{n} !If [C{n}, *a{n - 1}, {{Q: *a{n - 1}}}]\n" for n in range(1, 60))
        + "Resources: {A: {Type: AWS::A::B, Properties: {P: *a59}}}\n",
        "Resources: {A: {Type: AWS::A::B, Properties: {P: !Sub '" + "${" * 50_000 + "'}}}\n",
        "Resources: {A: {Type: AWS::A::B, Properties: {P: '" + "{{resolve:ssm:" * 20_000 + "'}}}\n",
        "Resources: {A: {Type: AWS::A::B, Properties: {P: '" + "{{resolve:ssm:${" * 20_000 + "'}}}\n",
        "Resources: {A: {Type: AWS::A::B, Properties: {P: !Split [',', '" + "," * 200_000 + "']}}}\n",
    ],
)  # fmt: skip
def test_no_template_takes_long(stack: type[Stack], text: str) -> None:
    began = time.process_time()
    unit = stack(text).unit()
    for resource in unit.resources:
        for name in resource.names():
            resource.get(name)
    assert time.process_time() - began < 20


def test_a_spent_budget_is_a_failure(stack: type[Stack]) -> None:
    text = "a0: &a0 {P: 1}\n" + "".join(
        f"a{n}: &a{n} !If [C{n}, *a{n - 1}, {{Q: *a{n - 1}}}]\n" for n in range(1, 60)
    )
    unit = stack(text + "Resources: {A: {Type: AWS::A::B, Properties: {P: *a59}}}\n").unit()
    assert [failure.message for failure in unit.failures] == [
        "the evaluation budget of this template is spent; values beyond it are unknown"
    ]


names = st.sampled_from(
    ["Ref", "Fn::Sub", "Fn::Join", "Fn::If", "Fn::GetAtt", "Fn::Select", "Fn::Split", "Fn::FindInMap",
     "Fn::Cidr", "Fn::Base64", "Fn::ToJsonString", "Fn::Length", "Fn::ImportValue", "Fn::Transform",
     "Fn::GetAZs", "Fn::ForEach::X", "Condition", "Fn::Equals", "a", "b"]
)  # fmt: skip
leaves = st.sampled_from(
    ["A", "P", "Q", "C", "M", "k", "AWS::Region", "AWS::NoValue", "${A}-${P}", "${A.Arn}", "", ",",
     0, 1, None, True, "a,b", "10.0.0.0/8", "{{resolve:ssm:x}}", "${", "é"]
)  # fmt: skip
nodes = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=2),
    max_leaves=12,
)


@given(nodes, nodes, nodes, st.dictionaries(names, nodes, max_size=2))
@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_template_is_read(
    stack: type[Stack], value: Any, condition: Any, mapping: Any, more: Any
) -> None:
    template = {
        "Parameters": {
            "P": {"Type": "String"},
            "Q": {"Type": "CommaDelimitedList", "Default": value},
        },
        "Conditions": {"C": condition},
        "Mappings": {"M": {"k": mapping}},
        "Resources": {
            "A": {"Type": "AWS::A::B", "Condition": "C", "DependsOn": value, "Properties": value},
            "B": {"Type": "AWS::A::B", "Properties": {"P": value, **more}, "Metadata": more},
            **more,
        },
        "Outputs": {"O": {"Value": value}},
    }
    found = stack({"t.json": json.dumps(template)})
    unit = found.unit()
    for resource in unit.resources:
        for name in (*resource.names(), "Resource.Metadata"):
            inner = resource.get(name)
            for part in walk(inner) if inner is not None else ():
                assert not isinstance(part, Many) or part.size < 200_001
