"""Templates that troposphere writes: JSON and YAML say the same, and what the program says.

Troposphere writes its YAML with the short forms of intrinsic functions, by another library than ours.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.evaluate.conftest import Stack

pytestmark = [
    pytest.mark.full,
    # It warns of its own use of what Python has deprecated.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
PATHS = ("t.json", "t.yaml", "clean.yaml", "long.yaml")


def network() -> Any:
    """A network with a loop of subnets, a mapping by region and open and closed groups."""
    from troposphere import (
        Cidr,
        FindInMap,
        GetAtt,
        GetAZs,
        Output,
        Parameter,
        Ref,
        Select,
        Sub,
        Tags,
        Template,
        ec2,
    )

    template = Template(Description="a network")
    template.set_version()
    template.add_parameter(Parameter("Range", Type="String", Default="10.0.0.0/16"))
    template.add_mapping("Images", {"us-east-1": {"Id": "ami-1"}, "eu-west-1": {"Id": "ami-2"}})
    vpc = template.add_resource(
        ec2.VPC("Net", CidrBlock=Ref("Range"), Tags=Tags(Name=Sub("${AWS::StackName}-net")))
    )
    for number in range(3):
        template.add_resource(
            ec2.Subnet(
                f"Subnet{number}",
                VpcId=Ref(vpc),
                CidrBlock=Select(number, Cidr("10.0.0.0/16", 3, 8)),
                AvailabilityZone=Select(number, GetAZs("")),
                MapPublicIpOnLaunch=number == 0,
            )
        )
    template.add_resource(
        ec2.SecurityGroup(
            "Web",
            GroupDescription="web: 'quoted', # and more",
            VpcId=Ref(vpc),
            SecurityGroupIngress=[
                ec2.SecurityGroupRule(
                    IpProtocol="tcp", FromPort=443, ToPort=443, CidrIp="0.0.0.0/0"
                ),
                ec2.SecurityGroupRule(IpProtocol="-1", CidrIp="10.0.0.0/8"),
            ],
        )
    )
    template.add_resource(
        ec2.Instance(
            "Host", ImageId=FindInMap("Images", Ref("AWS::Region"), "Id"), InstanceType="t3.micro"
        )
    )
    template.add_output(Output("Id", Value=GetAtt("Net", "DefaultSecurityGroup")))
    return template


def data() -> Any:
    """Stateful resources with their policies, conditions and secrets."""
    from troposphere import (
        Equals,
        If,
        Join,
        Not,
        NoValue,
        Parameter,
        Ref,
        Template,
        dynamodb,
        rds,
        s3,
    )

    template = Template()
    template.add_parameter(
        Parameter("Env", Type="String", AllowedValues=["dev", "prod"], Default="dev")
    )
    template.add_parameter(Parameter("Password", Type="String", NoEcho=True))
    template.add_condition("Prod", Equals(Ref("Env"), "prod"))
    template.add_condition("Small", Not({"Condition": "Prod"}))
    template.add_resource(
        rds.DBInstance(
            "Orders",
            DeletionPolicy="Snapshot",
            UpdateReplacePolicy="Retain",
            DBInstanceClass=If("Prod", "db.r6g.large", "db.t4g.small"),
            AllocatedStorage="100",
            Engine="postgres",
            DeletionProtection=True,
            BackupRetentionPeriod=If("Prod", 14, NoValue),
            MasterUsername="yes",
            MasterUserPassword=Ref("Password"),
        )
    )
    template.add_resource(
        dynamodb.Table(
            "Carts",
            Condition="Prod",
            AttributeDefinitions=[
                dynamodb.AttributeDefinition(AttributeName="no", AttributeType="S")
            ],
            KeySchema=[dynamodb.KeySchema(AttributeName="no", KeyType="HASH")],
            BillingMode="PAY_PER_REQUEST",
            TableName=Join("-", ["carts", Ref("Env"), "012"]),
        )
    )
    template.add_resource(
        s3.Bucket(
            "Logs",
            BucketName="0123",
            DependsOn=["Orders"],
            Metadata={"Owner": "a: b"},
            VersioningConfiguration=s3.VersioningConfiguration(Status="Enabled"),
        )
    )
    return template


def access() -> Any:
    """Roles and policies, one of them as text, and a function with code of several lines."""
    from troposphere import (
        AccountId,
        GetAtt,
        ImportValue,
        Partition,
        Ref,
        Split,
        Sub,
        Template,
        awslambda,
        iam,
    )

    template = Template()
    role = template.add_resource(
        iam.Role(
            "Role",
            AssumeRolePolicyDocument={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "lambda.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            },
            ManagedPolicyArns=Split(",", ImportValue("base-policies")),
            Policies=[
                iam.Policy(
                    PolicyName="wide",
                    PolicyDocument={
                        "Version": "2012-10-17",
                        "Statement": [
                            {"Effect": "Allow", "Action": ["*"], "Resource": "*"},
                            {
                                "Effect": "Deny",
                                "NotAction": "iam:*",
                                "Resource": Sub(
                                    "arn:${AWS::Partition}:s3:::b-${Id}/*", Id=AccountId
                                ),
                                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                            },
                        ],
                    },
                )
            ],
            Tags=[{"Key": "p", "Value": Partition}],
        )
    )
    template.add_resource(
        awslambda.Function(
            "Fn",
            Code=awslambda.Code(
                ZipFile="def handler(event, context):\n    return '${x}'\n\n# end\n"
            ),
            Handler="index.handler",
            Role=GetAtt(role, "Arn"),
            Runtime="python3.12",
            Environment=awslambda.Environment(
                Variables={"AAA": "1", "BBB": Ref("Role"), "CCC": " spaced ", "DDD": ""}
            ),
        )
    )
    return template


PROGRAMS = (network, data, access)


def forms(template: Any) -> dict[str, str]:
    """What troposphere writes for one program."""
    text = template.to_json()
    return {
        "t.json": text,
        "t.yaml": template.to_yaml(),
        "clean.yaml": template.to_yaml(clean_up=True),
        "long.yaml": template.to_yaml(long_form=True),
    }


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_form_says_the_same(stack: type[Stack], program: Callable[[], Any]) -> None:
    found = stack(forms(program()))
    assert found.failures == []
    first = found.resources("t.json")
    assert len(first) >= 2
    for path in PATHS[1:]:
        assert found.resources(path) == first
        for address in first:
            one, other = found.resource(address, "t.json"), found.resource(address, path)
            assert sorted(one.names()) == sorted(other.names())
            for name in (*one.names(), "Resource.Condition", "Resource.Metadata"):
                mine, theirs = one.get(name), other.get(name)
                if path == "clean.yaml":
                    # Joins become texts with names: the same words, put together another way.
                    assert stack.plain(mine) == stack.plain(theirs), (path, address, name)
                    continue
                assert (mine and mine.key()) == (theirs and theirs.key()), (path, address, name)


def _literal(value: Any) -> bool:
    if isinstance(value, dict):
        return all(
            not key.startswith("Fn::") and key not in ("Ref", "Condition") and _literal(inner)
            for key, inner in value.items()
        )
    return all(map(_literal, value)) if isinstance(value, list) else True


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_the_program_says_literally_is_what_is_read(
    stack: type[Stack], program: Callable[[], Any]
) -> None:
    template = program()
    said = json.loads(template.to_json())["Resources"]
    found = stack(forms(template))
    compared = 0
    for path in PATHS:
        for address, body in said.items():
            for name, value in {
                **body["Properties"],
                **{k: v for k, v in body.items() if k.endswith("Policy")},
            }.items():
                if _literal(value):
                    assert found.get(address, name, path) == value, (path, address, name)
                    compared += 1
    assert compared > 10


def test_what_the_programs_compute_is_what_is_read(stack: type[Stack]) -> None:
    found = stack(forms(network()))
    for path in PATHS:
        assert found.get("Subnet2", "CidrBlock", path) == "10.0.2.0/24"
        assert found.get("Host", "ImageId", path) == ("ami-2", "ami-1")
        assert found.get("Net", "Tags", path) == [
            {"Key": "Name", "Value": "{<ENVIRONMENT AWS::StackName>}-net"}
        ]
    found = stack(forms(data()))
    for path in PATHS:
        assert found.get("Orders", "DBInstanceClass", path) == ("db.r6g.large", "db.t4g.small")
        assert found.get("Orders", "BackupRetentionPeriod", path) == (14, None)
        assert found.get("Orders", "MasterUserPassword", path) == "<NO_VALUE Parameters.Password>"
        assert found.get("Carts", "TableName", path) == "carts-prod-012"
    found = stack(forms(access()))
    for path in PATHS:
        wide = found.get("Role", "Policies", path)[0]["PolicyDocument"]["Statement"]
        assert wide[0] == {"Effect": "Allow", "Action": ["*"], "Resource": "*"}
        assert wide[1]["Resource"] == (
            "arn:{<ENVIRONMENT AWS::Partition>}:s3:::b-{<ENVIRONMENT AWS::AccountId>}/*"
        )
        assert found.get("Role", "ManagedPolicyArns", path) == "<EXPORT base-policies>"
        assert found.get("Fn", "Code", path)["ZipFile"].splitlines()[-1] == "# end"
