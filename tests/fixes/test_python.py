"""Fixes of Python: what the child rewrites, what it leaves, and that the analysis agrees."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest
from tests.fixes.made import run

from blastdoor import engine
from blastdoor.catalog import load
from blastdoor.finding import Act, Finding, Level, Remedy
from blastdoor.fixes import applied, fix_of, python
from blastdoor.fixes.mend import mend
from blastdoor.span import Document, Span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from blastdoor.finding import Report


def mended(
    text: str,
    old: str,
    act: Act,
    data: str | float | bool | None = None,  # noqa: FBT001  a value
    name: str = "",
) -> str | None:
    document = Document("tool.py", text)
    start = text.index(old)
    remedy = Remedy(act, Span(document, start, start + len(old)), "mend it", data, name)
    finding = Finding("r", Level.ERROR, "m", remedy.span, "u", remedies=(remedy,))
    fix = fix_of(finding, "safe")
    return None if fix is None else applied(text, fix.edits)


@pytest.mark.parametrize(
    ("text", "old", "data", "expected"),
    [
        ("f(a = False)  # why\n", "False", True, "f(a = True)  # why\n"),
        ("f(a='PARALLEL')\n", "'PARALLEL'", "SEQUENTIAL", "f(a='SEQUENTIAL')\n"),
        ('f(a="PARALLEL")\n', '"PARALLEL"', "SEQUENTIAL", 'f(a="SEQUENTIAL")\n'),
        ("é = {'ä': 0}\n", "0", 7, "é = {'ä': 7}\n"),
        (
            "a(p=RemovalPolicy.DESTROY)\n",
            "RemovalPolicy.DESTROY",
            "Retain",
            "a(p=RemovalPolicy.RETAIN)\n",
        ),
        (
            "a(p=c.RemovalPolicy.DESTROY)\n",
            "c.RemovalPolicy.DESTROY",
            "Retain",
            "a(p=c.RemovalPolicy.RETAIN)\n",
        ),
        ("a(p=Other.DESTROY)\n", "Other.DESTROY", "Retain", None),
        (
            "a(p=RemovalPolicy.DESTROY, auto_delete_objects=True)\n",
            "RemovalPolicy.DESTROY",
            "Retain",
            None,
        ),
        ("f(a=b)\n", "b", True, None),
        ("f(a=r'x')\n", "r'x'", "y", None),
        ("f(a='x' 'y')\n", "'x' 'y'", "y", None),
        ("f(a=f'{x}')\n", "f'{x}'", "y", None),
    ],
)
def test_a_literal_is_set(
    text: str,
    old: str,
    data: str | float | bool,  # noqa: FBT001  a value
    expected: str | None,
) -> None:
    assert mended(text, old, Act.SET, data) == expected


@pytest.mark.parametrize(
    ("text", "old", "expected"),
    [
        ("f(a, b=1, c=2)\n", "1", "f(a, c=2)\n"),
        ("f(a, b=1)\n", "1", "f(a)\n"),
        ("f(b=1)\n", "1", "f()\n"),
        ("f(\n    a,  # one\n    b=1,\n)\n", "1", "f(\n    a,  # one\n)\n"),
        ("r = os.environ.get('R', 'x')  # r\n", "'x'", "r = os.environ['R']  # r\n"),
        ("r = os.getenv('R', 'x')\n", "'x'", "r = os.environ['R']\n"),
        ("r = environ.get('R', 'x')\n", "'x'", "r = environ['R']\n"),
        ("r = os.environ.get('Q', os.getenv('R', 'x'))\n", "'x'", None),
        ("r = f(os.getenv('R', 'x'))\n", "'x'", "r = f(os.environ['R'])\n"),
        ("r = getenv('R', 'x')\n", "'x'", None),
        ("r = d.get('R', 'x')\n", "'x'", None),
        ("r = {'a': 'x'}\n", "'x'", None),
    ],
)
def test_an_argument_is_removed(text: str, old: str, expected: str | None) -> None:
    assert mended(text, old, Act.REMOVE) == expected


def test_what_libcst_cannot_read_has_no_fix_and_the_next_has() -> None:
    assert mended("f(a=False\n", "False", Act.SET, data=True) is None
    assert mended("(" * 3_000 + "False" + ")" * 3_000, "False", Act.SET, data=True) is None
    assert mended("f(a=False)\n", "False", Act.SET, data=True) == "f(a=True)\n"


def test_a_large_file_is_left() -> None:
    text = "f(a=False)\n" + "#" * python.MAX_TEXT
    assert mended(text, "False", Act.SET, data=True) is None


PROGRAM = '''\
"""What a deployment does to the orders."""

import os

import boto3

region = os.environ.get("AWS_REGION", "us-east-1")  # where it is
rds = boto3.client("rds", region_name=region)
rds.modify_db_instance(
    DBInstanceIdentifier="orders",
    DeletionProtection=False,  # for the move
    BackupRetentionPeriod=0,
)
stacks = boto3.client("cloudformation", region_name=region)
stacks.create_stack_instances(
    StackSetName="orders",
    Regions=["eu-west-1", "eu-west-2"],
    Accounts=["111122223333"],
    OperationPreferences={"RegionConcurrencyType": "PARALLEL"},
)
'''
APP = """\
from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as ddb


class Orders(Stack):
    def __init__(self, scope, name):
        super().__init__(scope, name)
        key = ddb.Attribute(name="id", type=ddb.AttributeType.STRING)
        ddb.Table(
            self,
            "Orders",
            partition_key=key,
            removal_policy=RemovalPolicy.DESTROY,  # as everywhere
            deletion_protection=False,
        )
"""


def test_programs_are_mended_and_nothing_else_changes() -> None:
    done = run({"tool.py": PROGRAM, "app.py": APP}, unsafe=True)

    assert done.texts["tool.py"] == PROGRAM.replace(
        'os.environ.get("AWS_REGION", "us-east-1")', 'os.environ["AWS_REGION"]'
    ).replace("DeletionProtection=False", "DeletionProtection=True").replace(
        "BackupRetentionPeriod=0", "BackupRetentionPeriod=7"
    ).replace("PARALLEL", "SEQUENTIAL")
    assert done.texts["app.py"] == APP.replace(".DESTROY", ".RETAIN").replace(
        "deletion_protection=False", "deletion_protection=True"
    )
    for text in done.texts.values():
        ast.parse(text)
    assert not {f.rule for f, _fix in done.done} & {f.rule for f in done.report.findings}
    assert run({"tool.py": PROGRAM, "app.py": APP, **done.texts}, unsafe=True).texts == {}


@pytest.mark.parametrize(  # texts of several lines
    ("path", "text", "rule", "old", "new"),
    [
        (
            "main.tf",
            'provider "aws" {\n  region = "eu-wst-1" # home\n}\n',
            "unknown-region",
            "eu-wst-1",
            "eu-west-1",
        ),
        (
            "main.tf",
            (
                'variable "region" {\n  type    = string\n  default = "us-east-1"\n}\n'
                'provider "aws" {\n  region = var.region\n}\n'
            ),
            "region-fallback",
            '  default = "us-east-1"\n',
            "",
        ),
        (
            "main.tf",
            (
                'provider "aws" {\n  region = "eu-west-1"\n}\n'
                'resource "aws_route53_record" "a" {\n  zone_id = "Z1"\n  name = "a"\n'
                '  type = "A"\n  ttl = 60\n  records = ["192.0.2.1"]\n  allow_overwrite = true\n}\n'
            ),
            "foreign-object-takeover",
            "true",
            "false",
        ),
        (
            "main.tf",
            (
                'provider "aws" {\n  region = "cn-north-1"\n}\n'
                'resource "aws_iam_role_policy_attachment" "a" {\n  role = "a"\n'
                '  policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"\n}\n'
            ),
            "partition-mismatch",
            "arn:aws:",
            "arn:aws-cn:",
        ),
        (
            "t.yaml",
            (
                "Resources:\n  S:\n    Type: AWS::CloudFormation::StackSet\n    Properties:\n"
                "      StackSetName: a\n      PermissionModel: SELF_MANAGED\n"
                "      OperationPreferences:\n        RegionConcurrencyType: PARALLEL # quick\n"
            ),
            "parallel-or-unbounded-stackset",
            "PARALLEL",
            "SEQUENTIAL",
        ),
        (
            "main.tf",
            (
                'resource "azurerm_resource_group" "a" {\n  name = "a"\n  location = "westeurope"\n}\n'
                'resource "azurerm_storage_account" "a" {\n  name = "a"\n'
                "  resource_group_name = azurerm_resource_group.a.name\n"
                '  location = "eastus" # near\n}\n'
            ),
            "azure-location-diverges",
            '"eastus"',
            "azurerm_resource_group.a.location",
        ),
        (
            "main.tf",
            (
                'resource "aws_codedeploy_deployment_group" "a" {\n  app_name = "a"\n'
                '  deployment_group_name = "a"\n  service_role_arn = var.role\n'
                '  deployment_config_name = "CodeDeployDefault.LambdaAllAtOnce"\n}\n'
            ),
            "all-at-once",
            "LambdaAllAtOnce",
            "LambdaCanary10Percent5Minutes",
        ),
        (
            "t.yaml",
            (
                "Resources:\n  S:\n    Type: AWS::ECS::Service\n    Properties:\n      DesiredCount: 4\n"
                "      LoadBalancers: [{ContainerName: a, ContainerPort: 80, TargetGroupArn: !Ref T}]\n"
                "      DeploymentConfiguration:\n        MaximumPercent: 100\n"
                "        MinimumHealthyPercent: 0\n"
            ),
            "zero-healthy-floor",
            "HealthyPercent: 0",
            "HealthyPercent: 50",
        ),
        (
            "tool.py",
            (
                'import boto3\n\nsts = boto3.client(\n    "sts",\n    region_name="eu-west-1",\n'
                '    endpoint_url="https://sts.amazonaws.com",\n)\nsts.assume_role(RoleArn="a")\n'
            ),
            "legacy-global-endpoint",
            '    endpoint_url="https://sts.amazonaws.com",\n',
            "",
        ),
    ],
)
def test_other_notations_are_mended_too(
    path: str, text: str, rule: str, old: str, new: str
) -> None:
    rules = [one for one in load() if one.id == rule]

    def analyse(texts: Mapping[str, str]) -> Report:
        options = engine.Options(select=frozenset({rule}))
        from blastdoor.source import Memory

        return engine.check(Memory({path: text, **texts}), tuple(rules), options)

    before = analyse({})
    assert [f.rule for f in before.findings] == [rule]
    done = mend(before, analyse, {one.id: one.fix for one in rules}, unsafe=True)
    assert done.texts == {path: text.replace(old, new)}


LAYERS = """\
locals {
  settings = merge(
    var.region_overrides,COMMENT
    local.global_overrides
  )
}
"""
SWAPPED = "    local.global_overrides,\n    var.region_overrides\n"


def test_two_layers_change_places() -> None:
    done = run({"main.tf": LAYERS.replace("COMMENT", "")}, unsafe=True)
    assert SWAPPED in done.texts["main.tf"]
    assert run({"main.tf": LAYERS.replace("COMMENT", " # its own")}, unsafe=True).texts == {}
    third = LAYERS.replace("COMMENT", "\n    local.zone,")
    assert run({"main.tf": third}, unsafe=True).texts == {}


@pytest.mark.parametrize(
    ("text", "new"),
    [
        (
            "settings = {**region_overrides, **global_overrides}\n",
            "{**global_overrides, **region_overrides}",
        ),
        ("settings = region_overrides | global_overrides\n", "global_overrides | region_overrides"),
    ],
)
def test_layers_of_python_change_places(text: str, new: str) -> None:
    text = f"import boto3\n\nfrom app import region_overrides, global_overrides\n\n{text}"
    done = run({"settings.py": text}, unsafe=True)
    assert new in done.texts["settings.py"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.client('ec2')  # why\n", "a.client('ec2', region=\"x\")  # why\n"),
        ("a.client()\n", 'a.client(region="x")\n'),
        ("a.client('ec2',)\n", "a.client('ec2', region=\"x\",)\n"),
        ("a.client(\n    'ec2'\n)\n", "a.client(\n    'ec2',\n    region=\"x\"\n)\n"),
        ("a.client(\n    'ec2',\n)\n", "a.client(\n    'ec2',\n    region=\"x\",\n)\n"),
        ("a.client('ec2', region=r)\n", None),
        ("a.client('ec2', **more)\n", None),
        ("a.client(\n    'ec2',  # why\n)\n", None),
        ("f(a.client)\n", None),
        ("b = a.client\n", None),
    ],
)
def test_an_argument_is_added_to_a_call(text: str, expected: str | None) -> None:
    assert mended(text, "a.client", Act.ADD, "x", "region") == expected


BEGIN = "import boto3\nboto3.setup_default_session(region_name='x')  # why\n"
MADE = "import boto3\nsession = boto3.Session(region_name='x')  # why\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (BEGIN + "a = boto3.client('ä')\n", MADE + "a = session.client('ä')\n"),
        (
            BEGIN + "def f():\n    return boto3.resource('s3')  # why\n",
            MADE + "def f():\n    return session.resource('s3')  # why\n",
        ),
        (
            "f = lambda: boto3.client('s3')\n" + BEGIN,
            "f = lambda: session.client('s3')\n" + MADE,
        ),
        (
            "a = boto3.client('s3')\n" + BEGIN + "b = boto3.client('s3')\n",
            "a = boto3.client('s3')\n" + MADE + "b = session.client('s3')\n",
        ),
        (BEGIN, None),
        (BEGIN + "session = boto3.client('s3')\n", None),
        (BEGIN + "make = boto3.client\n", None),
        ("def f():\n    boto3.setup_default_session(region_name='x')\nboto3.client('s3')\n", None),
        ("x = [boto3.setup_default_session(region_name='x')]\nboto3.client('s3')\n", None),
    ],
)
def test_a_session_is_made_of_the_default_one(text: str, expected: str | None) -> None:
    assert mended(text, "'x'", Act.OWN, "session") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "import aws_cdk as cdk\na = 'x:aws:y'  # why\n",
            "import aws_cdk as cdk\na = f'x:{cdk.Aws.PARTITION}:y'  # why\n",
        ),
        (
            "from aws_cdk import Aws\na = f'é:aws:{b}'\n",
            "from aws_cdk import Aws\na = f'é:{Aws.PARTITION}:{b}'\n",
        ),
        (
            "from aws_cdk import core\na = 'x:aws:y'\n",
            "from aws_cdk import core\na = f'x:{core.Aws.PARTITION}:y'\n",
        ),
        (
            "from aws_cdk import (\n    aws_iam as iam,\n    Stack,\n)\na = 'x:aws:y'\n",
            (
                "from aws_cdk import (\n    aws_iam as iam, Aws,\n    Stack,\n)\n"
                "a = f'x:{Aws.PARTITION}:y'\n"
            ),
        ),
        ("import boto3\na = 'x:aws:y'\n", None),
        ("import aws_cdk\na = r'x:aws:y'\n", None),
        ("import aws_cdk\na = 'x:aws:{y}'\n", None),
        ("import aws_cdk\na = f'{aws:>3}'\n", None),
        ("from aws_cdk import Stack\nclass Aws: ...\na = 'x:aws:y'\n", None),
    ],
)
def test_a_stretch_of_a_string_is_filled_in_by_cdk(text: str, expected: str | None) -> None:
    document = Document("tool.py", text)
    start = text.rindex("aws:")
    span = Span(document, start, start + 3)
    remedy = Remedy(Act.DERIVE, span, "mend it", "partition")
    fix = fix_of(Finding("r", Level.ERROR, "m", span, "u", remedies=(remedy,)), "unsafe")

    assert (None if fix is None else applied(text, fix.edits)) == expected
