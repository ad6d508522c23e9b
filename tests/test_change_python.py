"""Two revisions of Python programs: notation says nothing, what reaches further does."""

from __future__ import annotations

import pytest

from blastdoor import catalog
from blastdoor.change import compare_files

STACK = """
import aws_cdk as cdk
from aws_cdk import aws_iam as iam, aws_s3 as s3


class Shop(cdk.Stack):
    def __init__(self, scope, id, **kwargs):
        super().__init__(scope, id, **kwargs)
        s3.Bucket(self, "Logs")
        role = iam.Role(self, "Deploy", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
        role.add_to_policy(
            iam.PolicyStatement(actions=["s3:GetObject"], resources=["arn:aws:s3:::logs/*"])
        )


app = cdk.App()
Shop(app, "shop", env=cdk.Environment(account="111122223333", region="cn-north-1"))
"""
LOOP = """
import boto3

for region in ["cn-north-1"]:
    ecs = boto3.client("ecs", region_name=region)
    ecs.update_service(cluster="shop", service="web", desiredCount=0)
"""
CALL = """
import boto3

queues = boto3.client("sqs", region_name="cn-north-1")
queues.purge_queue(QueueUrl="orders")
"""
SETTINGS = """
DEFAULTS = {"timeout": 30}
OVERRIDES = {"cn-north-1": {"timeout": 60}}


def settings(region):
    return {**DEFAULTS, **OVERRIDES.get(region, {})}
"""
FLAGS = """
FLAGS = {"drain": {"regions": ["cn-north-1"], "enabled": True}}
"""
SWITCH = """
OVERRIDE = {"apply_to_all_regions": False, "timeout": 60}
"""
PULUMI = """
import pulumi_aws as aws

aws.s3.BucketPolicy("logs", bucket="logs", policy={
    "Version": "2012-10-17",
    "Statement": [{
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::logs/*",
    }],
})
"""


def said(base: str, head: str, name: str = "app.py") -> list[str]:
    found = compare_files({name: base}, {name: head}, ())
    assert not found.report.failures
    return [
        f"{d.event.value} {d.axis}: {d.after}, was {d.before} ({d.address})" for d in found.deltas
    ]


@pytest.mark.parametrize(
    ("base", "old", "new", "expected"),
    [
        pytest.param(
            STACK,
            'region="cn-north-1"',
            'region="cn-northwest-1"',
            "moved regions: cn-northwest-1, was cn-north-1 (shop/Logs)",
            id="stack",
        ),
        pytest.param(
            STACK,
            '"s3:GetObject"',
            '"s3:*"',
            "widened actions: `s3:*`, was `s3:GetObject` (shop/Deploy/add_to_policy)",
            id="statement",
        ),
        pytest.param(
            LOOP,
            '["cn-north-1"]',
            '["cn-north-1", "cn-northwest-1"]',
            "widened regions: cn-north-1 and cn-northwest-1, was cn-north-1 "
            "(app.py: ecs.update_service)",
            id="loop",
        ),
        pytest.param(
            LOOP,
            '["cn-north-1"]',
            'boto3.session.Session().get_available_regions("ecs")',
            "widened regions: every region, was cn-north-1 (app.py: ecs.update_service)",
            id="loop over every region",
        ),
        pytest.param(
            CALL,
            "cn-north-1",
            "us-east-1",
            "moved partitions: aws, was aws-cn (app.py: sqs.purge_queue)",
            id="client",
        ),
        pytest.param(
            SETTINGS,
            '"cn-north-1": {',
            '"*": {',
            "widened regions: every region, was cn-north-1 (OVERRIDES)",
            id="merge",
        ),
        pytest.param(
            SETTINGS,
            "60}}",
            '60}, "cn-northwest-1": {"timeout": 60}}',
            "widened regions: cn-north-1 and cn-northwest-1, was cn-north-1 (OVERRIDES)",
            id="another key",
        ),
        pytest.param(
            FLAGS,
            "cn-north-1",
            "*",
            "widened regions: every region, was cn-north-1 (FLAGS.drain.regions)",
            id="scope",
        ),
        pytest.param(
            SWITCH,
            "False",
            "True",
            "widened regions: every region, was no region (OVERRIDE.apply_to_all_regions)",
            id="switch",
        ),
        pytest.param(
            PULUMI,
            '"arn:aws:iam::111122223333:root"',
            '"*"',
            "widened principals: `*`, was `arn:aws:iam::111122223333:root` "
            "(aws_s3_bucket_policy.logs)",
            id="policy",
        ),
    ],
)
def test_what_reaches_further(base: str, old: str, new: str, expected: str) -> None:
    head = base.replace(old, new, 1)
    assert head != base
    assert expected in said(base, head)


@pytest.mark.parametrize(
    ("base", "head"),
    [
        pytest.param(
            STACK,
            STACK.replace(
                'app = cdk.App()\nShop(app, "shop", env=cdk.Environment(account="111122223333", '
                'region="cn-north-1"))',
                'CHINA = cdk.Environment(region="cn-north-1", account="111122223333")\n\n'
                "app = cdk.App()\n"
                'Shop(app, "shop", env=CHINA)',
            ),
            id="an environment with a name",
        ),
        pytest.param(
            STACK,
            STACK.replace("import aws_cdk as cdk", "import aws_cdk").replace("cdk.", "aws_cdk."),
            id="another alias",
        ),
        pytest.param(
            LOOP,
            LOOP.replace('["cn-north-1"]', "REGIONS").replace(
                "import boto3", 'import boto3\n\nREGIONS = ("cn-north-1",)'
            ),
            id="a constant",
        ),
        pytest.param(
            CALL,
            CALL.replace(
                'boto3.client("sqs", region_name="cn-north-1")',
                'boto3.session.Session(region_name="cn-north-1").client("sqs")',
            ),
            id="a session",
        ),
        pytest.param(
            SETTINGS, SETTINGS.replace('{"timeout": 60}', "dict(timeout=60)"), id="notation"
        ),
        pytest.param(SETTINGS, SETTINGS.replace("60", "90"), id="another value"),
        pytest.param(
            SETTINGS, SETTINGS.replace("OVERRIDES", "REGIONAL_OVERRIDES"), id="another name"
        ),
        pytest.param(
            FLAGS,
            'REGIONS = ["cn-north-1"]\nFLAGS = {"drain": {"enabled": True, "regions": REGIONS}}\n',
            id="a list with a name",
        ),
        pytest.param(
            'AMIS = {"us-east-1": "ami-1"}\n',
            'AMIS = {"us-east-1": "ami-1", "eu-west-1": "ami-2"}\n',
            id="a table of names",
        ),
        pytest.param(
            PULUMI,
            PULUMI.replace("policy={", "policy=json.dumps({")
            .replace("    }],\n})", "    }],\n}))")
            .replace("import", "import json\nimport", 1),
            id="a document as text",
        ),
    ],
)
def test_a_refactor_says_nothing(base: str, head: str) -> None:
    assert head != base
    assert said(base, head) == []
    assert said(head, base) == []


def test_a_document_of_overrides() -> None:
    base = "overrides:\n  cn-north-1: {timeout: 60}\n"
    head = 'overrides:\n  "*": {timeout: 60}\n'
    assert said(base, head, "overrides.yaml") == [
        "widened regions: every region, was cn-north-1 (overrides.overrides)"
    ]
    assert [
        d.event.value
        for d in compare_files({"overrides.yaml": head}, {"overrides.yaml": base}, ()).deltas
    ] == ["narrowed"]


def test_a_list_that_nobody_can_tell() -> None:
    head = FLAGS.replace('["cn-north-1"]', 'os.environ["REGIONS"].split(",")').replace(
        "FLAGS", "import os\n\nFLAGS", 1
    )
    assert [text.split(":")[0] for text in said(FLAGS, head)] == ["unknown regions"]


ROLE = """
from aws_cdk import App, Stack
from aws_cdk import aws_iam as iam

stack = Stack(App(), "Orders")
role = iam.Role(stack, "Deploy", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
"""
ALL = 'role.add_to_policy(iam.PolicyStatement(actions=["*"], resources=["*"]))\n'


@pytest.mark.parametrize(
    ("base", "level"),
    [
        pytest.param(ROLE, "ERROR", id="on a role that was there"),
        pytest.param(ROLE.replace("Deploy", "Read"), "NOTE", id="on a new role"),
    ],
)
def test_what_is_added_to_a_construct(base: str, level: str) -> None:
    """A statement that a method adds to what was there is no new thing."""
    found = compare_files({"app.py": base}, {"app.py": ROLE + ALL}, tuple(catalog.load()))
    assert ("actions-widened", level) in {(f.rule, f.level.name) for f in found.widenings}
