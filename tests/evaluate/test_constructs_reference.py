"""Programs of ours, and the templates that the libraries themselves make of them.

What we read in a program without running it must be what its library writes when it is run: the same
findings, and the same literal properties of the same types. CDK spells acronyms in small letters
(``db_instance_class``); names that no rule knows keep its letters, so names are compared without case.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from blastdoor import catalog, tables
from blastdoor.engine import Options, check, survey
from blastdoor.source import Memory
from blastdoor.units import Repository
from blastdoor.value import Known, Many, Mapping, Value

if TYPE_CHECKING:
    from pathlib import Path

    from blastdoor.fact import Resource

pytestmark = pytest.mark.full
_RULES = tuple(catalog.load())

TROPOSPHERE = """
from awacs.aws import Allow, PolicyDocument, Statement
from awacs.aws import Action
from troposphere import GetAtt, Ref, Template, autoscaling, dynamodb, ec2, iam, rds, s3, sqs

template = Template()
group = template.add_resource(
    ec2.SecurityGroup(
        "Bastion",
        GroupDescription="bastion",
        SecurityGroupIngress=[
            ec2.SecurityGroupRule(IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"),
            ec2.SecurityGroupRule(IpProtocol="tcp", FromPort=443, ToPort=443, CidrIp="10.0.0.0/8"),
        ],
    )
)
orders = rds.DBInstance("Orders")
orders.DBInstanceClass = "db.t4g.small"
orders.Engine = "postgres"
orders.AllocatedStorage = "20"
orders.DeletionProtection = False
orders.BackupRetentionPeriod = 0
orders.PubliclyAccessible = True
orders.MasterUsername = "shop"
orders.ManageMasterUserPassword = True
template.add_resource(orders)
carts = dynamodb.Table(
    "Carts",
    DeletionPolicy="Delete",
    UpdateReplacePolicy="Delete",
    TableName="carts",
    BillingMode="PAY_PER_REQUEST",
    AttributeDefinitions=[dynamodb.AttributeDefinition(AttributeName="id", AttributeType="S")],
    KeySchema=[dynamodb.KeySchema(AttributeName="id", KeyType="HASH")],
)
template.add_resource(carts)
role = iam.Role(
    "Deploy",
    AssumeRolePolicyDocument={
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        ],
    },
    Policies=[
        iam.Policy(
            PolicyName="all",
            PolicyDocument={
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
            },
        )
    ],
)
template.add_resource(role)
queue = template.add_resource(sqs.Queue("Jobs", QueueName="jobs"))
template.add_resource(
    iam.PolicyType(
        "Purge",
        PolicyName="purge",
        Roles=[Ref(role)],
        PolicyDocument=PolicyDocument(
            Version="2012-10-17",
            Statement=[
                Statement(Effect=Allow, Action=[Action("s3", "DeleteObject")], Resource=["*"])
            ],
        ),
    )
)
template.add_resource(
    autoscaling.AutoScalingGroup(
        "Fleet", MinSize="1", MaxSize="9", AvailabilityZones=["eu-west-1a"], LaunchConfigurationName="x"
    )
)
"""

LEVEL1 = """
import aws_cdk as cdk
from aws_cdk import CfnDeletionPolicy, aws_dynamodb as dynamodb, aws_ec2 as ec2, aws_iam as iam
from aws_cdk import aws_rds as rds, aws_s3 as s3

app = cdk.App(outdir=OUT)


class Shop(cdk.Stack):
    def __init__(self, scope, id, **kwargs):
        super().__init__(scope, id, **kwargs)
        ec2.CfnSecurityGroup(
            self,
            "Bastion",
            group_description="bastion",
            security_group_ingress=[
                ec2.CfnSecurityGroup.IngressProperty(
                    ip_protocol="tcp", from_port=3389, to_port=3389, cidr_ip="0.0.0.0/0"
                ),
                {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIp": "10.0.0.0/8"},
            ],
        )
        orders = rds.CfnDBInstance(
            self,
            "Orders",
            db_instance_class="db.t4g.small",
            engine="postgres",
            allocated_storage="20",
            deletion_protection=False,
            backup_retention_period=0,
            publicly_accessible=True,
        )
        orders.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        carts = dynamodb.CfnTable(
            self,
            "Carts",
            table_name="carts",
            billing_mode="PAY_PER_REQUEST",
            attribute_definitions=[
                dynamodb.CfnTable.AttributeDefinitionProperty(
                    attribute_name="id", attribute_type="S"
                )
            ],
            key_schema=[
                dynamodb.CfnTable.KeySchemaProperty(attribute_name="id", key_type="HASH")
            ],
            deletion_protection_enabled=True,
        )
        carts.cfn_options.deletion_policy = CfnDeletionPolicy.DELETE
        carts.add_property_override("DeletionProtectionEnabled", False)
        iam.CfnRole(
            self,
            "Deploy",
            assume_role_policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
                ],
            },
            policies=[
                iam.CfnRole.PolicyProperty(
                    policy_name="all",
                    policy_document={
                        "Version": "2012-10-17",
                        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
                    },
                )
            ],
        )
        s3.CfnBucket(self, "Logs", bucket_name="logs-of-shop")


Shop(app, "shop", env=cdk.Environment(account="111122223333", region="cn-north-1"))
app.synth()
"""

LEVEL2 = """
import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb, aws_ec2 as ec2, aws_iam as iam, aws_rds as rds
from aws_cdk import aws_s3 as s3, aws_sqs as sqs

app = cdk.App(outdir=OUT)
stack = cdk.Stack(app, "shop", env=cdk.Environment(account="111122223333", region="eu-west-1"))
vpc = ec2.Vpc(stack, "Net", max_azs=2)
group = ec2.SecurityGroup(stack, "Bastion", vpc=vpc)
group.add_ingress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(22))
group.add_ingress_rule(ec2.Peer.ipv4("10.0.0.0/8"), ec2.Port.tcp(443))
rds.DatabaseInstance(
    stack,
    "Orders",
    engine=rds.DatabaseInstanceEngine.POSTGRES,
    vpc=vpc,
    deletion_protection=False,
    backup_retention=cdk.Duration.days(0),
    removal_policy=cdk.RemovalPolicy.DESTROY,
)
dynamodb.Table(
    stack,
    "Carts",
    partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
    removal_policy=cdk.RemovalPolicy.DESTROY,
)
dynamodb.Table(
    stack, "Kept", partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
)
s3.Bucket(stack, "Logs", removal_policy=cdk.RemovalPolicy.DESTROY)
queue = sqs.Queue(stack, "Jobs", queue_name="jobs")
queue.add_to_resource_policy(
    iam.PolicyStatement(
        actions=["sqs:SendMessage"], principals=[iam.AnyPrincipal()], resources=[queue.queue_arn]
    )
)
role = iam.Role(stack, "Deploy", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
role.add_to_policy(iam.PolicyStatement(actions=["*"], resources=["*"]))
role.add_to_policy(iam.PolicyStatement(actions=["s3:DeleteObject"], resources=["*"]))
app.synth()
"""


def _found(files: dict[str, str]) -> set[tuple[str, str]]:
    """The rules that speak, and how loudly."""
    source = Memory(files)
    report = check(source, _RULES, Options())
    assert not report.failures, report.failures
    return {(f.rule, f.level.name) for f in report.findings}


def _resources(files: dict[str, str]) -> list[Resource]:
    source = Memory(files)
    repository = Repository(source, list(source.files()))
    survey(repository)
    return [r for subject in repository.subjects for r in subject.evaluate().resources]


def _data(value: Value | None) -> Any:
    """Literal data; ``...`` where anything is not known."""
    if isinstance(value, Known):
        return value.data
    if isinstance(value, Many) and value.complete:
        return [_data(item) for item in value.items]
    if isinstance(value, Mapping) and value.complete:
        return {name: _data(item) for name, item in value.entries.items()}
    return ...


def _same(mine: Any, theirs: Any) -> bool:
    """Whether what is known is the same; numbers and their texts are one to CloudFormation."""
    if mine is ...:
        return True
    if isinstance(mine, list) and len(mine) == 1 and not isinstance(theirs, list):
        return _same(mine[0], theirs)  # one action is written without its list
    if isinstance(mine, list) and isinstance(theirs, list):
        return len(mine) == len(theirs) and all(map(_same, mine, theirs))
    if isinstance(mine, dict) and isinstance(theirs, dict):
        mine, theirs = _lowered(mine), _lowered(theirs)
        return mine.keys() == theirs.keys() and all(_same(mine[k], theirs[k]) for k in mine)
    return str(mine) == str(theirs) or (isinstance(mine, bool) and str(mine).lower() == theirs)


def _within(mine: Any, theirs: Any) -> bool:
    """Whether the statements of a policy are among another's: CDK joins those of a role into one."""
    return all(any(_same(s, t) for t in theirs["Statement"]) for s in mine["Statement"])


def _lowered(entries: dict[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in entries.items()}


def _compare(program: str, template: dict[str, Any], *, exact: bool) -> int:
    """The properties that were compared. Raises AssertionError when one differs."""
    theirs: dict[str, list[dict[str, Any]]] = {}
    for body in template["Resources"].values():
        theirs.setdefault(body["Type"], []).append(_lowered({**body.get("Properties", {}), **body}))
    compared = 0
    mine = [
        resource
        for resource in _resources({"app.py": program})
        if resource.type.startswith("AWS::")
        and resource.type != "AWS::CloudFormation::Stack"  # what the template makes, not in it
    ]
    for resource in mine:
        if resource.type == "AWS::EC2::SecurityGroupIngress" and not exact:
            continue  # CDK writes the rules of open addresses into the group
        bodies = theirs.get(resource.type, [])
        assert bodies, f"{resource.type} is in no template"
        said = {name.lower(): _data(resource.get(name)) for name in resource.names()}
        fitting = [
            body
            for body in bodies
            if all(
                _same(value, body.get(name))
                or (not exact and name == "policydocument" and _within(value, body[name]))
                for name, value in said.items()
                if value is not ... and value is not None
            )
        ]
        assert fitting, (resource.address, said, bodies)
        compared += sum(value is not ... for value in said.values())
        if exact:
            wanted = {n.lower() for body in fitting for n in body.get("properties", {})}
            assert wanted <= set(said), (resource.address, wanted - set(said))
    if exact:
        assert len(mine) == len(template["Resources"])
    return compared


def test_troposphere() -> None:
    names: dict[str, Any] = {}
    exec(TROPOSPHERE, names)
    template = json.loads(names["template"].to_json())
    assert _compare(TROPOSPHERE, template, exact=True) > 20
    mine = _found({"app.py": TROPOSPHERE})
    theirs = _found({"t.json": json.dumps(template)})
    assert mine == theirs
    assert {"open-ingress-admin-port", "admin-grant", "deletion-protection-off"} <= {
        rule for rule, _level in mine
    }


def _synthesised(program: str, folder: Path) -> dict[str, Any]:
    """What CDK makes of a program. Skips where it is not installed and not required."""
    if not os.environ.get("BLASTDOOR_REQUIRE_CDK"):
        pytest.importorskip("aws_cdk")
    text = f"OUT = {str(folder / 'out')!r}\n{program}"
    (folder / "app.py").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "app.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    template = json.loads((folder / "out" / "shop.template.json").read_text(encoding="utf-8"))
    assert isinstance(template, dict)
    return template


def test_cdk_level_1(tmp_path: Path) -> None:
    template = _synthesised(LEVEL1, tmp_path)
    assert _compare(LEVEL1, template, exact=True) > 15
    mine = _found({"app.py": LEVEL1})
    theirs = _found({"t.json": json.dumps(template)})
    assert mine == theirs


def test_cdk_level_2(tmp_path: Path) -> None:
    template = _synthesised(LEVEL2, tmp_path)
    assert _compare(LEVEL2, template, exact=False) > 8
    mine = _found({"app.py": LEVEL2})
    theirs = _found({"t.json": json.dumps(template)})
    # What CDK itself decides for a queue stands in no program.
    assert theirs - mine == {("stateful-resource-disposable", "NOTE")}
    assert mine <= theirs


GRANTS = """
import json

import aws_cdk as cdk
from aws_cdk import aws_ecr, aws_iam, aws_kms, aws_s3, aws_sns, aws_sqs

app = cdk.App(outdir=OUT)
stack = cdk.Stack(app, "shop")
for number, (name, method) in enumerate(ROWS):
    library, kind = name.split(".")
    made = getattr({"aws_ecr": aws_ecr, "aws_kms": aws_kms, "aws_s3": aws_s3, "aws_sns": aws_sns,
                    "aws_sqs": aws_sqs}[library], kind)(stack, f"Thing{number}")
    role = aws_iam.Role(stack, f"Role{number}", assumed_by=aws_iam.AccountPrincipal("111122223333"))
    getattr(made, method)(role)
app.synth()
"""


def test_grants_of_cdk(tmp_path: Path) -> None:
    """What a method grants is what our table says that it does."""
    rows = tables.constructs().grants
    keys = [key for key in rows if not key[0].startswith("aws_lambda")]
    assert len(keys) > 10
    names = [[name, method] for name, method in keys]
    template = _synthesised(f"ROWS = {names!r}\n{GRANTS}", tmp_path)
    policies = {
        body["Properties"]["Roles"][0]["Ref"][:-8]: body["Properties"]["PolicyDocument"]
        for body in template["Resources"].values()
        if body["Type"] == "AWS::IAM::Policy"
    }
    for number, key in enumerate(keys):
        granted: set[str] = set()
        for statement in policies[f"Role{number}"]["Statement"]:
            actions = statement["Action"]
            granted.update([actions] if isinstance(actions, str) else actions)
        assert set(rows[key]) <= granted, key
