"""Two revisions of templates: notation says nothing, what reaches further does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from blastdoor import catalog
from blastdoor.change import compare_files

if TYPE_CHECKING:
    from collections.abc import Mapping

YAML = """
AWSTemplateFormatVersion: '2010-09-09'
Parameters:
  Env: {Type: String, AllowedValues: [dev, prod], Default: dev}
  Key: {Type: String}
Conditions:
  Prod: !Equals [!Ref Env, prod]
Mappings:
  Ami: {us-east-1: {Id: ami-1}, eu-west-1: {Id: ami-2}}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}
      Policies:
        - PolicyName: read
          PolicyDocument:
            Statement:
              - Effect: Allow
                Action: [s3:GetObject, s3:ListBucket]
                Resource: !Sub 'arn:${AWS::Partition}:s3:::logs-${AWS::AccountId}/*'
              - Effect: Allow
                Action: sqs:ReceiveMessage
                Resource: !GetAtt Queue.Arn
  Queue:
    Type: AWS::SQS::Queue
    DeletionPolicy: Retain
    Properties: {QueueName: !If [Prod, !Sub 'orders-${Env}', !FindInMap [Ami, !Ref AWS::Region, Id]]}
  Orders:
    Type: AWS::RDS::DBInstance
    DeletionPolicy: Snapshot
    UpdateReplacePolicy: Snapshot
    Properties:
      DeletionProtection: true
      BackupRetentionPeriod: 7
      DBInstanceClass: db.t3.small
      AllocatedStorage: '20'
      Engine: postgres
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: web
      SecurityGroupIngress:
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.0.0.0/8}
"""


class _Loader(yaml.SafeLoader):
    """Writes the long forms out, as a person does who rewrites a template."""


def _long(loader: _Loader, suffix: str, node: yaml.Node) -> Any:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        text = loader.construct_scalar(node)
        return {name: text.split(".", 1) if suffix == "GetAtt" else text}
    assert isinstance(node, yaml.SequenceNode)
    return {name: loader.construct_sequence(node, deep=True)}


_Loader.add_multi_constructor("!", _long)
_Loader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
PLAIN = yaml.load(YAML, Loader=_Loader)
JSON = json.dumps(PLAIN, indent=2)
LONG = yaml.safe_dump(PLAIN, sort_keys=False)


def said(base: Mapping[str, str] | str, head: Mapping[str, str] | str) -> list[str]:
    """All that a change does, in words."""
    old = {"t.template": base} if isinstance(base, str) else base
    new = {"t.template": head} if isinstance(head, str) else head
    found = compare_files(old, new, ())
    assert [f.message for f in found.report.failures] == []
    return [
        f"{d.event.value} {d.axis}: {d.after}, was {d.before} ({d.address})" for d in found.deltas
    ]


@pytest.mark.parametrize("head", [JSON, LONG, json.dumps(PLAIN)], ids=["json", "long", "one-line"])
def test_another_notation_says_nothing(head: str) -> None:
    assert said(YAML, head) == []
    assert said(head, YAML) == []


@pytest.mark.parametrize("path", ["t.json", "stack.template"])
def test_another_file_name_says_nothing(path: str) -> None:
    assert said({"t.yaml": YAML}, {path: JSON}) == []


def test_a_default_is_not_the_value() -> None:
    assert said(YAML, YAML.replace("Default: dev", "Default: prod")) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Action: [s3:GetObject, s3:ListBucket]", "Action: ['s3:*']", "widened actions"),
        ("CidrIp: 10.0.0.0/8", "CidrIp: 0.0.0.0/0", "widened network"),
        ("DeletionProtection: true", "DeletionProtection: false", "lost guards"),
        ("DeletionPolicy: Snapshot", "DeletionPolicy: Delete", "lost guards"),
        ("logs-${AWS::AccountId}/*", "*", "widened resources"),
        ("sqs:ReceiveMessage", "'sqs:*'", "actions"),
    ],
)
def test_what_reaches_further_is_said_in_both_notations(old: str, new: str, words: str) -> None:
    assert old in YAML
    head = YAML.replace(old, new)
    (one,) = {line for line in said(YAML, head) if words in line}
    other = json.dumps(yaml.load(head, Loader=_Loader))
    assert one in said(JSON, other)
    assert one in said(YAML, other)


def assembly(asset: str, region: str = "eu-west-1", action: str = "s3:GetObject") -> dict[str, str]:
    template = {
        "Resources": {
            "RoleAB12": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": {"Statement": []},
                    "Policies": [
                        {
                            "PolicyName": "p",
                            "PolicyDocument": {
                                "Statement": [
                                    {
                                        "Effect": "Allow",
                                        "Action": action,
                                        "Resource": f"arn:aws:s3:::b/{asset[:0]}*",
                                    }
                                ]
                            },
                        }
                    ],
                },
                "Metadata": {
                    "aws:cdk:path": "App/Role/Resource",
                    "aws:asset:path": f"asset.{asset}",
                },
            },
            "Fn": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Code": {"S3Bucket": "assets", "S3Key": f"{asset}.zip"},
                    "Role": "r",
                },
                "Metadata": {"aws:cdk:path": "App/Fn/Resource"},
            },
            "CDKMetadata": {"Type": "AWS::CDK::Metadata", "Properties": {"Analytics": asset}},
        }
    }
    manifest = {
        "artifacts": {
            "App": {
                "type": "aws:cloudformation:stack",
                "environment": f"aws://111122223333/{region}",
                "properties": {"templateFile": "App.template.json"},
            }
        }
    }
    return {
        "cdk.out/App.template.json": json.dumps(template),
        "cdk.out/manifest.json": json.dumps(manifest),
    }


def test_another_asset_says_nothing() -> None:
    assert said(assembly("a" * 64), assembly("b" * 64)) == []


def test_another_environment_of_a_cdk_app_moves_its_resources() -> None:
    (line,) = said(assembly("a"), assembly("a", "us-east-1"))
    assert line == "moved regions: us-east-1, was eu-west-1 (App/Fn/Resource)"


def test_the_region_of_a_deployment_is_a_reach() -> None:
    def files(region: str) -> dict[str, str]:
        text = f"[default.deploy.parameters]\n{region}stack_name = 'a'\n"
        return {"template.yaml": YAML, "samconfig.toml": text}

    east, china = files("region = 'us-east-1'\n"), files("region = 'cn-north-1'\n")
    moved = said(east, china)
    assert moved == [
        "moved partitions: aws-cn, was aws (Group)",
        "moved regions: cn-north-1, was us-east-1 (Group)",
    ]
    assert said(east, files(""))[-1].startswith("unpinned regions")
    assert said(east, east) == []


def test_more_actions_of_a_construct() -> None:
    (line,) = said(assembly("a"), assembly("a", action="s3:*"))
    assert line == "widened actions: `s3:*`, was `s3:GetObject` (App/Role/Resource)"


THERE = """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          - {Effect: Allow, Principal: {Service: ec2.amazonaws.com}, Action: sts:AssumeRole}
  Bucket: {Type: AWS::S3::Bucket}
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties: {GroupDescription: web}
"""
POLICY = """
  Policy:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: all
      Roles: [!Ref Role]
      PolicyDocument:
        Statement: {Effect: Allow, Action: '*', Resource: '*'}
"""
ON_WHAT_WAS_THERE = [
    pytest.param(POLICY, "actions-widened", id="role"),
    pytest.param(
        """
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Statement:
          - {Effect: Allow, Principal: '*', Action: s3:GetObject, Resource: !Sub '${Bucket.Arn}/*'}
""",
        "principals-widened",
        id="bucket",
    ),
    pytest.param(
        """
  Rule:
    Type: AWS::EC2::SecurityGroupIngress
    Properties:
      {GroupId: !GetAtt Group.GroupId, IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0}
""",
        "network-widened",
        id="group",
    ),
]


def _changed(base: str, head: str) -> list[tuple[str, str]]:
    """(rule, level) of all that a change widens."""
    found = compare_files({"t.yaml": base}, {"t.yaml": head}, tuple(catalog.load()))
    return [(f.rule, f.level.name) for f in found.widenings]


@pytest.mark.parametrize(("added", "rule"), ON_WHAT_WAS_THERE)
def test_a_policy_on_what_was_there_is_no_new_thing(added: str, rule: str) -> None:
    """Whoever has the role or bucket already reaches further: it is no note, and the gate sees it."""
    found = _changed(THERE, THERE + added)
    assert (rule, "ERROR") in found


def test_a_policy_on_what_is_new_is_a_note() -> None:
    """What comes with its policy reaches nothing that it reached before."""
    role = THERE.partition("  Bucket")[0].removeprefix("\nResources:\n")
    bucket = "\nResources:\n  Bucket: {Type: AWS::S3::Bucket}\n"
    found = _changed(bucket, bucket + role + POLICY)
    assert {level for rule, level in found if rule == "actions-widened"} == {"NOTE"}


def test_policies_beside_trust_policies_are_compared() -> None:
    """A policy that is attached is held by none that names whom it lets in, and nothing breaks off."""
    found = _changed(THERE, THERE + POLICY.replace("!Ref Role", "other"))
    assert {rule for rule, _level in found} == {"actions-widened"}


STATEMENTS: list[dict[str, Any]] = [
    {"Effect": effect, "Action": action, **principal, **resource, **condition}
    for effect in ("Allow", "Deny")
    for action in ("*", "s3:GetObject")
    for principal in ({}, {"Principal": "*"}, {"Principal": {"Service": "ec2.amazonaws.com"}})
    for resource in ({}, {"Resource": "*"}, {"Resource": "arn:aws:s3:::orders/*"})
    for condition in ({}, {"Condition": {"Bool": {"aws:SecureTransport": "true"}}})
]
POLICIES: list[tuple[str, str, dict[str, Any]]] = [
    ("AWS::IAM::Role", "AssumeRolePolicyDocument", {}),
    ("AWS::IAM::Policy", "PolicyDocument", {"PolicyName": "p", "Roles": [{"Ref": "A0"}]}),
    ("AWS::S3::BucketPolicy", "PolicyDocument", {"Bucket": "orders"}),
]


@st.composite
def templates(draw: st.DrawFn) -> str:
    """Templates of some policies with some statements each."""
    resources: dict[str, Any] = {}
    for number in range(draw(st.integers(1, 3))):
        type_, document, others = draw(st.sampled_from(POLICIES))
        said = draw(st.lists(st.sampled_from(STATEMENTS), min_size=0, max_size=2))
        body = {"Type": type_, "Properties": {**others, document: {"Statement": said}}}
        resources[f"A{number}"] = body
    return json.dumps({"Resources": resources})


@given(templates(), templates())
@settings(max_examples=150, deadline=None)
def test_any_two_policies_are_compared(base: str, head: str) -> None:
    """Whatever they say and are on; and what is the same on both sides is no change."""
    _changed(base, head)
    assert _changed(head, head) == []
