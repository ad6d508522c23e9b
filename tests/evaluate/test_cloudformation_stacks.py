"""What stands around templates: deployments, nested stacks, CDK apps, suppressions, SAM."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from blastdoor.fact import Evaluated
from blastdoor.value import Known, OneOf, Step, walk

if TYPE_CHECKING:
    from tests.evaluate.conftest import Stack

    from blastdoor.value import Value

TEMPLATE = """
Parameters:
  Env: {Type: String, Default: dev}
  Size: {Type: String, Default: small}
  Secret: {Type: String, NoEcho: true}
  Names: {Type: CommaDelimitedList, Default: 'a, b'}
Conditions: {Prod: !Equals [!Ref Env, prod]}
Mappings: {Regions: {us-east-1: {Ami: ami-1}}}
Resources:
  A:
    Type: AWS::A::B
    Properties:
      Env: !Ref Env
      Size: !Ref Size
      Names: !Ref Names
      Region: !Ref AWS::Region
      Partition: !Ref AWS::Partition
      Suffix: !Ref AWS::URLSuffix
      Account: !Ref AWS::AccountId
      Stack: !Ref AWS::StackName
      Secret: !Ref Secret
      If: !If [Prod, big, little]
      Ami: !FindInMap [Regions, !Ref AWS::Region, Ami]
"""
NAMES = ("Env", "Size", "Names", "Region", "Partition", "Suffix", "Stack", "If")


def values(stack: Stack, path: str = "template.yaml") -> list[object]:
    return [stack.get("A", name, path) for name in NAMES]


def evidence(value: Value | None) -> list[tuple[Step, str]]:
    assert value is not None
    return [(e.step, e.text) for e in value.via]


# SAM's configuration file


def test_nothing_around_a_template_says_nothing(stack: type[Stack]) -> None:
    assert values(stack({"template.yaml": TEMPLATE})) == [
        "<NO_VALUE Parameters.Env>",
        "<NO_VALUE Parameters.Size>",
        "<NO_VALUE Parameters.Names>",
        "<ENVIRONMENT AWS::Region>",
        "<ENVIRONMENT AWS::Partition>",
        "<ENVIRONMENT AWS::URLSuffix>",
        "<ENVIRONMENT AWS::StackName>",
        ("big", "little"),
    ]


CONFIGURATION = """
version = 0.1
[default.global.parameters]
stack_name = "app"
[default.deploy.parameters]
region = "cn-north-1"  # where it runs
parameter_overrides = "Env=\\"prod\\" Secret=hunter2 ParameterKey=Size,ParameterValue=large"
"""


def test_samconfig_says_region_stack_and_parameters(stack: type[Stack]) -> None:
    found = stack({"template.yaml": TEMPLATE, "samconfig.toml": CONFIGURATION})
    assert values(found) == [
        "prod", "large", ["a", "b"], "cn-north-1", "aws-cn", "amazonaws.com.cn", "app", "big",
    ]  # fmt: skip
    env = found.resource("A").get("Env")
    assert evidence(env) == [
        (Step.VARIABLES_FILE, "Env in samconfig.toml [default]"),
        (Step.ATTRIBUTE, "A"),
    ]
    assert env is not None
    assert env.span is not None
    assert (env.span.path, env.span.text, env.span.begin.line) == ("samconfig.toml", "prod", 7)
    region = found.resource("A").region
    assert evidence(region) == [(Step.VARIABLES_FILE, "region in samconfig.toml [default]")]
    assert found.unit("template.yaml").inputs == {"template.yaml", "samconfig.toml"}
    assert "samconfig.toml" in found.subjects["template.yaml"].reads


def test_a_default_counts_where_a_deployment_leaves_it(stack: type[Stack]) -> None:
    text = '[default.deploy.parameters]\nparameter_overrides = ["Env=prod"]\n'
    found = stack({"template.yaml": TEMPLATE, "samconfig.toml": text})
    assert values(found)[:3] == ["prod", "small", ["a", "b"]]
    assert evidence(found.resource("A").get("Size")) == [
        (Step.DEFAULT, "the default of parameter Size"),
        (Step.ATTRIBUTE, "A"),
    ]


def test_a_region_that_the_mapping_lacks_is_a_lookup(stack: type[Stack]) -> None:
    found = stack({"template.yaml": TEMPLATE, "samconfig.toml": CONFIGURATION})
    (lookup,) = found.unit("template.yaml").lookups
    assert (lookup.mapping_text, lookup.keys) == ("Mappings.Regions", ("us-east-1",))
    assert (stack.plain(lookup.key), lookup.owner) == ("cn-north-1", "A")
    assert lookup.span.text == "!FindInMap [Regions, !Ref AWS::Region, Ami]"


def test_environments_of_samconfig_are_alternatives(stack: type[Stack]) -> None:
    text = """
[dev.deploy.parameters]
region = "eu-west-1"
[prod.deploy.parameters]
region = "us-east-1"
parameter_overrides = {Env = "prod", Names = ["x", "y"]}
[default.build.parameters]
cached = true
"""
    found = stack({"template.yaml": TEMPLATE, "samconfig.toml": text})
    assert values(found) == [
        ("dev", "prod"), "small", (["a", "b"], ["x", "y"]), ("eu-west-1", "us-east-1"), "aws",
        "amazonaws.com", "<ENVIRONMENT AWS::StackName>", ("big", "little"),
    ]  # fmt: skip
    region = found.resource("A", "template.yaml").region
    assert isinstance(region, OneOf)
    assert [a.condition for a in region.alternatives] == [
        "samconfig.toml [dev]",
        "samconfig.toml [prod]",
    ]


def test_samconfig_speaks_of_the_template_that_it_names(stack: type[Stack]) -> None:
    text = '[default.deploy.parameters]\ntemplate_file = "other.yaml"\nregion = "eu-west-1"\n'
    files = {"template.yaml": TEMPLATE, "other.yaml": TEMPLATE, "samconfig.toml": text}
    found = stack(files)
    assert found.get("A", "Region", "other.yaml") == "eu-west-1"
    assert found.get("A", "Region", "template.yaml") == "<ENVIRONMENT AWS::Region>"


def test_a_built_template_stands_for_the_one_it_is_built_from(stack: type[Stack]) -> None:
    text = (
        "[default.deploy.parameters]\n"
        'template_file = ".aws-sam/build/template.yaml"\nregion = "eu-west-1"\n'
    )
    found = stack({"template.yaml": TEMPLATE, "samconfig.toml": text})
    assert found.get("A", "Region") == "eu-west-1"


@pytest.mark.parametrize(
    "text",
    [
        "[" + " " * 200_000 + "a",
        "a = '" + " " * 200_000,
        "x = " + "[" * 20_000,
        "[a" + ".a" * 20_000 + "]\n",
    ],
    ids=["header", "value", "nested", "dotted"],
)
def test_odd_configurations_take_no_time(stack: type[Stack], text: str) -> None:
    began = time.process_time()
    found = stack({"template.yaml": TEMPLATE, "samconfig.toml": text})
    assert found.get("A", "Region") == "<ENVIRONMENT AWS::Region>"
    assert time.process_time() - began < 5


def test_many_templates_and_files_around_them_take_no_time(stack: type[Stack]) -> None:
    files = {f"t{n}.yaml": TEMPLATE for n in range(300)}
    files |= {f"parameters{n}.json": LIST for n in range(300)}
    files["samconfig.toml"] = "".join(
        f"[e{n}.deploy.parameters]\ntemplate_file = 't{n}.yaml'\nregion = 'eu-west-1'\n"
        for n in range(300)
    )
    began = time.process_time()
    found = stack(files)
    assert [found.get("A", "Region", path) for path in found.subjects] == ["eu-west-1"] * 300
    assert time.process_time() - began < 20


def test_samconfig_may_be_yaml(stack: type[Stack]) -> None:
    text = """
version: 0.1
default:
  global: {parameters: {stack_name: app}}
  deploy:
    parameters:
      region: cn-north-1
      parameter_overrides: [Env=prod, 'Size="large"']
other: text
"""
    found = stack({"template.yaml": TEMPLATE, "samconfig.yaml": text})
    assert values(found)[:4] == ["prod", "large", ["a", "b"], "cn-north-1"]
    assert found.get("A", "Stack") == "app"
    broken = stack({"template.yaml": TEMPLATE, "samconfig.yml": "default: [\n"})
    assert broken.get("A", "Region") == "<ENVIRONMENT AWS::Region>"
    assert broken.failures[0].startswith("SAM's configuration: ")


def test_a_broken_samconfig_is_a_failure(stack: type[Stack]) -> None:
    found = stack({"template.yaml": TEMPLATE, "samconfig.toml": "[default\n"})
    assert values(found)[3] == "<ENVIRONMENT AWS::Region>"
    assert len(found.failures) == 1
    assert found.failures[0].startswith("SAM's configuration: ")


def test_a_given_value_without_echo_is_never_printed(stack: type[Stack]) -> None:
    found = stack({"template.yaml": TEMPLATE, "samconfig.toml": CONFIGURATION})
    unit = found.unit("template.yaml")
    value = found.resource("A").get("Secret")
    assert value is not None
    assert value.secret
    assert "hunter2" in unit.secrets
    (given,) = [s for s in unit.settings if s.kind == "tfvars" and s.name == "Secret"]
    assert given.value.secret
    document = given.span.document
    assert "hunter2" in {document.text[start:end] for start, end in document.secrets}


# Files of parameters

LIST = '[{"ParameterKey": "Env", "ParameterValue": "prod"}]'


@pytest.mark.parametrize(
    ("path", "text", "taken"),
    [
        ("template.parameters.json", LIST, True),
        ("template-params.yaml", "Parameters: {Env: prod}\n", True),
        ("parameters.json", '{"Parameters": {"Env": "prod"}, "Tags": {}}', True),
        ("parameters/prod.json", LIST, True),
        ("params/prod.yml", "- {ParameterKey: Env, ParameterValue: prod}\n", True),
        ("config/prod.json", '{"Parameters": {"Env": "prod"}}', True),
        ("parameters.json", '{"Parameters": {"Other": "prod"}}', False),
        ("parameters.json", '{"Parameters": {"Env": {"Ref": "x"}}}', False),
        ("parameters.json", '{"Parameters": {"Env": "prod"', False),
        ("parameters.json", '[{"Key": "Env", "ParameterKey": 1}]', False),
        ("notes.json", LIST, False),
        ("elsewhere/parameters.json", LIST, False),
    ],
)
def test_files_of_parameters(stack: type[Stack], path: str, text: str, taken: bool) -> None:  # noqa: FBT001  a case
    found = stack({"template.yaml": TEMPLATE, path: text})
    assert found.get("A", "Env", "template.yaml") == (
        "prod" if taken else "<NO_VALUE Parameters.Env>"
    )
    assert (path in found.unit("template.yaml").inputs) is (taken or "Other" in text)


def test_a_file_of_parameters_that_fits_two_templates_is_nobodys(stack: type[Stack]) -> None:
    files = {"a.yaml": TEMPLATE, "b.yaml": TEMPLATE, "parameters.json": LIST}
    found = stack(files)
    assert found.get("A", "Env", "a.yaml") == "<NO_VALUE Parameters.Env>"
    own = stack({**files, "a-parameters.json": LIST})
    assert own.get("A", "Env", "a.yaml") == "prod"
    assert own.get("A", "Env", "b.yaml") == "<NO_VALUE Parameters.Env>"


def test_several_files_of_parameters_are_alternatives(stack: type[Stack]) -> None:
    found = stack(
        {
            "template.yaml": TEMPLATE,
            "parameters/dev.json": '{"Parameters": {"Size": "tiny"}}',
            "parameters/prod.json": '{"Parameters": {"Size": "huge"}}',
        }
    )
    assert found.get("A", "Size") == ("tiny", "huge")
    value = found.resource("A").get("Size")
    assert isinstance(value, OneOf)
    assert [a.condition for a in value.alternatives] == [
        "parameters/dev.json",
        "parameters/prod.json",
    ]


def test_deployments_beyond_the_limit_are_counted(stack: type[Stack]) -> None:
    files = {f"parameters/p{n:02}.json": f'{{"Parameters": {{"Size": "s{n}"}}}}' for n in range(20)}
    found = stack({"template.yaml": TEMPLATE, **files})
    assert len(found.get("A", "Size")) == 16
    assert [stack.plain(u) for u in found.unit("template.yaml").opaque] == [
        "<BUDGET deployments beyond 16 of one template>"
    ]


def test_a_stored_parameter_is_read_when_deployed(stack: type[Stack]) -> None:
    text = """
Parameters: {Image: {Type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>'}}
Resources: {A: {Type: AWS::A::B, Properties: {P: !Ref Image}}}
"""
    found = stack({"t.yaml": text, "t.parameters.json": '{"Parameters": {"Image": "/a"}}'})
    assert found.get("A", "P") == "<STORED Parameters.Image>"


# Pipelines and stack sets


def test_actions_of_a_pipeline_are_deployments(stack: type[Stack]) -> None:
    pipeline = """
Resources:
  Pipe:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Stages:
        - Name: Deploy
          Actions:
            - Name: One
              Region: eu-central-1
              ActionTypeId: {Category: Deploy, Owner: AWS, Provider: CloudFormation, Version: 1}
              Configuration:
                StackName: app
                TemplatePath: Source::infra/template.yaml
                TemplateConfiguration: Source::infra/prod.json
                ParameterOverrides: '{"Size": "large"}'
            - Name: Other
              ActionTypeId: {Category: Build, Owner: AWS, Provider: CodeBuild, Version: 1}
              Configuration: {TemplatePath: 'Source::infra/template.yaml'}
"""
    files = {
        "pipeline.yaml": pipeline,
        "infra/template.yaml": TEMPLATE,
        "infra/prod.json": '{"Parameters": {"Env": "prod"}}',
    }
    found = stack(files)
    assert values(found, "infra/template.yaml") == [
        "prod", "large", ["a", "b"], "eu-central-1", "aws", "amazonaws.com", "app", "big",
    ]  # fmt: skip
    assert "pipeline.yaml" in found.subjects["infra/template.yaml"].reads


def test_a_stack_set_action_goes_to_each_of_its_regions(stack: type[Stack]) -> None:
    pipeline = """
Resources:
  Pipe:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Stages:
        - Actions:
            - ActionTypeId: {Provider: CloudFormationStackSet}
              Configuration: {TemplatePath: 'S::t.yaml', Regions: 'us-east-1, eu-west-1'}
"""
    found = stack({"pipeline.yaml": pipeline, "t.yaml": TEMPLATE})
    assert found.get("A", "Region", "t.yaml") == ("us-east-1", "eu-west-1")


def test_the_instances_of_a_stack_set_say_regions(stack: type[Stack]) -> None:
    text = """
Resources:
  Set:
    Type: AWS::CloudFormation::StackSet
    Properties:
      TemplateURL: ./nested/t.yaml
      Parameters: [{ParameterKey: Env, ParameterValue: prod}]
      StackInstancesGroup:
        - Regions: [us-east-1, cn-north-1]
          DeploymentTargets: {Accounts: ['111122223333']}
"""
    found = stack({"set.yaml": text, "nested/t.yaml": TEMPLATE})
    assert found.get("A", "Region", "nested/t.yaml") == ("us-east-1", "cn-north-1")
    assert found.get("A", "Partition", "nested/t.yaml") == ("aws", "aws-cn")
    assert found.get("A", "Env", "nested/t.yaml") == "prod"


SET = """
Resources:
  Set:
    Type: AWS::CloudFormation::StackSet
    Properties:
      StackInstancesGroup:
        - {Regions: [eu-west-1, cn-north-1], DeploymentTargets: {OrganizationalUnitIds: [r-abcd]}}
      Parameters: [{ParameterKey: Name, ParameterValue: auditor}]
      TemplateBody: %s
"""
BODY = """|
        Parameters:
          Name: {Type: String}
          Key: {Type: String, NoEcho: true, Default: hunter2}
        Resources:
          Role:
            Type: AWS::IAM::Role
            Properties:
              RoleName: !Ref Name
              Path: !Sub '/${AWS::Region}/'
              Description: "wide role"
"""


def test_a_template_within_a_stack_set_is_part_of_it(stack: type[Stack]) -> None:
    found = stack(SET % BODY)
    assert found.resources() == {
        "Set": "AWS::CloudFormation::StackSet",
        "Set.Role": "AWS::IAM::Role",
    }
    assert found.get("Set.Role", "RoleName") == "auditor"
    assert found.get("Set.Role", "Path") == ("/eu-west-1/", "/cn-north-1/")
    role = found.resource("Set.Role")
    assert stack.plain(role.region) == ("eu-west-1", "cn-north-1")
    words = role.get("Description")
    assert words is not None
    assert words.span is not None
    text = SET % BODY
    assert (words.span.path, words.span.text) == ("t.yaml", '"wide role"')
    assert words.span.start == text.index('"wide role"')
    assert (role.span.text, role.span.begin.line) == ("Role", 14)
    (default,) = [s for s in found.unit().settings if s.kind == "default"]
    assert default.value.secret
    assert "hunter2" in {text[start:end] for start, end in default.span.document.secrets}


def test_a_template_within_a_text_of_json(stack: type[Stack]) -> None:
    body = json.dumps("Resources:\n  Role:\n    Type: AWS::IAM::Role\n")
    found = stack(SET % body)
    assert list(found.resources()) == ["Set", "Set.Role"]
    assert found.resource("Set.Role").span.path == "t.yaml"


def test_a_broken_template_within_a_stack_set_is_a_failure(stack: type[Stack]) -> None:
    unit = stack(SET % "|\n        Resources:\n          A: {Type: AWS::A::B\n").unit()
    assert [r.address for r in unit.resources] == ["Set"]
    (failure,) = unit.failures
    assert failure.span is not None
    assert (failure.path, failure.span.document.path) == ("t.yaml", "t.yaml")


def test_a_template_with_holes_is_not_read(stack: type[Stack]) -> None:
    found = stack(SET % "!Sub 'Resources: {A: {Type: AWS::${AWS::StackName}::B}}'")
    assert list(found.resources()) == ["Set"]


# CDK


def test_a_manifest_says_the_environment_and_the_path_of_constructs(stack: type[Stack]) -> None:
    template = {
        "Resources": {
            "BucketA1": {
                "Type": "AWS::S3::Bucket",
                "Properties": {
                    "BucketName": {"Ref": "AWS::Region"},
                    "A": {"Ref": "AWS::AccountId"},
                },
                "Metadata": {"aws:cdk:path": "App/Bucket/Resource"},
            }
        }
    }
    manifest = {
        "artifacts": {
            "App": {
                "type": "aws:cloudformation:stack",
                "environment": "aws://111122223333/eu-west-1",
                "properties": {"templateFile": "App.template.json", "stackName": "app"},
            },
            "Tree": {"type": "cdk:tree"},
        }
    }
    files = {
        "cdk.out/App.template.json": json.dumps(template),
        "cdk.out/manifest.json": json.dumps(manifest),
        "cdk.json": '{"app": "python app.py"}',
    }
    found = stack(files)
    resource = found.resource("App/Bucket/Resource")
    assert (resource.name, resource.path[-3:]) == ("BucketA1", ("App", "Bucket", "Resource"))
    assert stack.plain(resource.get("BucketName")) == "eu-west-1"
    assert stack.plain(resource.get("A")) == "111122223333"
    assert stack.plain(resource.account) == "111122223333"
    assert evidence(resource.region) == [
        (Step.VARIABLES_FILE, "the environment of the stack in cdk.out/manifest.json")
    ]
    assert resource.region is not None
    assert resource.region.span is not None
    assert resource.region.span.text == "eu-west-1"


def test_an_agnostic_stack_of_a_manifest_says_nothing(stack: type[Stack]) -> None:
    manifest = {
        "artifacts": {
            "App": {
                "type": "aws:cloudformation:stack",
                "environment": "aws://unknown-account/unknown-region",
                "properties": {"templateFile": "App.template.json"},
            }
        }
    }
    files = {
        "cdk.out/App.template.json": '{"Resources": {"A": {"Type": "AWS::A::B", '
        '"Properties": {"P": {"Ref": "AWS::Region"}}}}}',
        "cdk.out/manifest.json": json.dumps(manifest),
    }
    assert stack(files).get("A", "P") == "<ENVIRONMENT AWS::Region>"


@pytest.mark.parametrize(
    "text", ['{"artifacts": ', '{"artifacts": [1]}', '["artifacts"]', '{"artifacts": {"a": 1}}']
)
def test_an_odd_manifest_is_no_crash(stack: type[Stack], text: str) -> None:
    files = {
        "App.template.json": '{"Resources": {"A": {"Type": "AWS::A::B"}}}',
        "manifest.json": text,
    }
    found = stack(files)
    assert found.resources() == {"A": "AWS::A::B"}
    assert len(found.failures) == (1 if text.endswith(" ") else 0)


# Nested stacks

PARENT = """
Parameters: {Vpc: {Type: String}}
Resources:
  Net:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: ./net/net.yaml
      Parameters: {Cidr: 10.0.0.0/8, Vpc: !Ref Vpc}
  App:
    Type: AWS::Serverless::Application
    Properties:
      Location: app.yaml
      Parameters: {Id: !GetAtt Net.Outputs.Id, Range: !GetAtt Net.Outputs.Range}
  Far:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: 'https://s3.amazonaws.com/b/net/net.yaml'}
  Q:
    Type: AWS::A::B
    Properties:
      P: !GetAtt Net.Outputs.Range
      R: !GetAtt Far.Outputs.X
      S: !GetAtt Net.Outputs.None
"""
NET = """
Parameters: {Cidr: {Type: String}, Vpc: {Type: String}, Open: {Type: String, Default: no-one}}
Resources:
  Sub: {Type: AWS::EC2::Subnet, Properties: {CidrBlock: !Ref Cidr, VpcId: !Ref Vpc, O: !Ref Open}}
Outputs: {Id: {Value: !Ref Sub}, Range: {Value: !Ref Cidr}}
"""
APP = """
Parameters: {Id: {Type: String}, Range: {Type: String}}
Resources: {A: {Type: AWS::A::B, Properties: {P: !Ref Id, Q: !Ref Range}}}
"""


def test_nested_stacks_are_evaluated_with_their_inputs(stack: type[Stack]) -> None:
    found = stack({"t.yaml": PARENT, "net/net.yaml": NET, "app.yaml": APP})
    assert list(found.subjects) == ["t.yaml"]
    assert list(found.resources()) == ["Net", "App", "Far", "Q", "Net.Sub", "App.A"]
    assert found.get("Net.Sub", "CidrBlock") == "10.0.0.0/8"
    assert found.get("Net.Sub", "VpcId") == "<NO_VALUE Parameters.Vpc>"
    assert found.get("Net.Sub", "O") == "no-one"
    assert found.get("App.A", "P") == "<COMPUTED Sub>"
    assert found.get("App.A", "Q") == "10.0.0.0/8"
    assert found.get("Q", "P") == "10.0.0.0/8"
    assert found.get("Q", "R") == "<COMPUTED Far.Outputs.X>"
    assert found.get("Q", "S") == "<UNDECLARED Net.Outputs.None>"
    assert evidence(found.resource("Q").get("P")) == [
        (Step.INPUT, "input Cidr of Net"),
        (Step.ATTRIBUTE, "Outputs"),
        (Step.OUTPUT, "output Range of Net"),
        (Step.ATTRIBUTE, "Q"),
    ]
    assert found.unit().inputs == {"t.yaml", "net/net.yaml", "app.yaml"}
    assert set(found.subjects["t.yaml"].reads) == {"t.yaml", "net/net.yaml", "app.yaml"}
    assert [(c.address, c.source) for c in found.unit().modules] == [
        ("Net", "./net/net.yaml"),
        ("App", "app.yaml"),
    ]
    assert found.resource("Net.Sub").module == "net/net.yaml"


def test_templates_that_nest_one_another_end(stack: type[Stack]) -> None:
    one = "Resources: {B: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: b.yaml}}}\n"
    found = stack({"a.yaml": one, "b.yaml": one.replace("b.yaml", "a.yaml")})
    assert list(found.subjects) == ["a.yaml", "b.yaml"]
    unit = found.unit("a.yaml")
    assert [r.address for r in unit.resources] == ["B", "B.B"]
    assert [f.message for f in unit.failures] == ["B nests a template that is around it"]


def test_a_tree_of_stacks_has_a_limit(stack: type[Stack]) -> None:
    files = {}
    for level in range(12):
        body = "".join(
            f"  S{n}:\n    Type: AWS::CloudFormation::Stack\n"
            f"    Properties: {{TemplateURL: t{level + 1}.yaml}}\n"
            for n in range(3)
        )
        files[f"t{level}.yaml"] = "Resources:\n" + body
    files["t12.yaml"] = "Resources: {A: {Type: AWS::A::B}}\n"
    unit = stack(files).unit()
    assert len(unit.modules) == 599
    assert any("is not followed" in failure.message for failure in unit.failures)


def test_an_asset_is_the_template_that_its_metadata_names(stack: type[Stack]) -> None:
    parent = {
        "Resources": {
            "N": {
                "Type": "AWS::CloudFormation::Stack",
                "Properties": {"TemplateURL": {"Fn::Sub": "https://${AWS::Region}/x"}},
                "Metadata": {"aws:asset:path": "N.nested.template.json"},
            }
        }
    }
    files = {
        "cdk.out/App.template.json": json.dumps(parent),
        "cdk.out/N.nested.template.json": '{"Resources": {"A": {"Type": "AWS::A::B"}}}',
    }
    assert list(stack(files).resources()) == ["N", "N.A"]


def test_what_leaves_the_repository_is_not_followed(stack: type[Stack]) -> None:
    text = "Resources: {N: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: %s}}}\n"
    for said in ("../../etc/t.yaml", "/t.yaml", "none.yaml", "t.yaml"):
        found = stack({"t.yaml": text % said})
        assert list(found.resources()) == ["N"]


# Suppressions


def _comments(stack: Stack, path: str = "t.yaml") -> list[tuple[str, str]]:
    document = stack.repository.commented[path]
    return [
        (c.text, "" if c.block is None else document.text[c.block[0] : c.block[1]][:20])
        for c in stack.repository.comments[path]
    ]


def test_metadata_speaks_to_blastdoor(stack: type[Stack]) -> None:
    found = stack("""
Metadata: {blastdoor: 'ignore[a] reason="x"'}
Resources:
  A: # blastdoor: ignore[b] reason="y"
    Type: AWS::A::B
    Metadata:
      blastdoor:
        - ignore[c] reason="z"
        - {ignore: [d, e], reason: 'say "no"', until: 2027-01-01}
        - {ignore: f}
        - 12
""")
    assert _comments(found) == [
        ('blastdoor: ignore[b] reason="y"', ""),
        ('blastdoor: ignore[a] reason="x"', "Metadata: {blastdoor"),
        ('blastdoor: ignore[c] reason="z"', "A: # blastdoor: igno"),
        (
            'blastdoor: ignore[d, e] reason="say \\"no\\"" until="2027-01-01"',
            "A: # blastdoor: igno",
        ),
        ("blastdoor: ignore[f]", "A: # blastdoor: igno"),
        ("blastdoor: ignore", "A: # blastdoor: igno"),
    ]


# SAM

SAM = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Timeout: 3
    Runtime: python3.12
    Layers: [one]
    Environment: {Variables: {A: 1, B: 1}}
  Api: {TracingEnabled: true}
Resources:
"""


def sam(stack: type[Stack], text: str) -> Stack:
    lines = "\n".join(f"  {line}" for line in text.strip("\n").splitlines())
    return stack(f"{SAM}{lines}\n")


def test_globals_lie_below_each_resource_of_their_type(stack: type[Stack]) -> None:
    found = sam(stack, """
F:
  Type: AWS::Serverless::Function
  Properties:
    Role: arn:aws:iam::111122223333:role/r
    Timeout: 9
    Layers: [two]
    Environment: {Variables: {B: 2}}
G:
  Type: AWS::Serverless::Function
  IgnoreGlobals: [Timeout, Layers]
  Properties: {Role: r}
H: {Type: AWS::Serverless::Function, IgnoreGlobals: '*', Properties: {Role: r}}
Q: {Type: AWS::SQS::Queue}
""")  # fmt: skip
    assert found.resources() == {
        "F": "AWS::Lambda::Function",
        "G": "AWS::Lambda::Function",
        "H": "AWS::Lambda::Function",
        "Q": "AWS::SQS::Queue",
    }
    assert found.resource("F").written_type == "AWS::Serverless::Function"
    assert [found.get("F", name) for name in ("Timeout", "Runtime", "Layers", "Environment")] == [
        9, "python3.12", ["one", "two"], {"Variables": {"A": 1, "B": 2}},
    ]  # fmt: skip
    assert [found.get("G", name) for name in ("Timeout", "Runtime", "Layers")] == [
        ...,
        "python3.12",
        ...,
    ]
    assert found.resource("H").names() == ("Role",)
    assert found.resource("Q").names() == ()
    assert evidence(found.resource("F").get("Runtime")) == [
        (Step.LOCAL, "Globals.Function.Runtime")
    ]
    layers = [
        (la.mechanism, la.owner, [o.text for o in la.operands]) for la in found.unit().layerings
    ]
    assert layers == [
        ("SAM Globals", owner, ["Globals.Function", owner]) for owner in ("F", "G", "H")
    ]


def test_policies_of_a_function_are_those_of_a_role(stack: type[Stack]) -> None:
    found = sam(stack, """
F:
  Type: AWS::Serverless::Function
  Properties:
    PermissionsBoundary: arn:aws:iam::aws:policy/Boundary
    VpcConfig: {SubnetIds: [a]}
    Policies:
      - AdministratorAccess
      - arn:aws:iam::111122223333:policy/mine
      - !Ref Policy
      - SQSPollerPolicy: {QueueName: !GetAtt Q.QueueName}
      - DynamoDBReadPolicy: {TableName: t}
      - Statement: [{Effect: Allow, Action: '*', Resource: '*'}]
Q: {Type: AWS::SQS::Queue}
Policy: {Type: AWS::IAM::ManagedPolicy}
""")  # fmt: skip
    partition = "{<ENVIRONMENT AWS::Partition>}"
    assert found.get("FRole", "ManagedPolicyArns") == [
        f"arn:{partition}:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole",
        f"arn:{partition}:iam::aws:policy/AdministratorAccess",
        "arn:aws:iam::111122223333:policy/mine",
        "<COMPUTED Policy>",
    ]
    assert found.get("FRole", "PermissionsBoundary") == "arn:aws:iam::aws:policy/Boundary"
    poller, reader, inline = found.get("FRole", "Policies")
    place = "{<ENVIRONMENT AWS::Region>}:{<ENVIRONMENT AWS::AccountId>}"
    (statement,) = poller["PolicyDocument"]["Statement"]
    assert statement["Resource"] == [f"arn:{partition}:sqs:{place}:{{<COMPUTED Q.QueueName>}}"]
    assert "sqs:ReceiveMessage" in statement["Action"]
    assert reader["PolicyDocument"]["Statement"][0]["Resource"][0] == (
        f"arn:{partition}:dynamodb:{place}:table/t"
    )
    assert inline["PolicyDocument"] == {
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    }
    trust = found.get("FRole", "AssumeRolePolicyDocument")
    assert trust["Statement"][0]["Principal"] == {"Service": "lambda.amazonaws.com"}
    wide = found.resource("FRole").get("Policies")
    assert wide is not None
    stars = [v for v in walk(wide) if isinstance(v, Known) and v.data == "*"]
    assert [v.span.text for v in stars if v.span is not None] == ["'*'", "'*'"]


def test_policies_that_are_not_known_leave_the_role_open(stack: type[Stack]) -> None:
    found = sam(stack, """
F:
  Type: AWS::Serverless::Function
  Properties: {Policies: [UnheardPolicy: {A: b}, !If [C, AdministratorAccess, !Ref 'AWS::NoValue']]}
M:
  Type: AWS::Serverless::StateMachine
  Properties: {Name: m, Policies: [LambdaInvokePolicy: {FunctionName: f}]}
""")  # fmt: skip
    assert found.get("FRole", "Policies") == [...]
    arns = found.get("FRole", "ManagedPolicyArns")
    assert arns[-1] is ...
    assert arns[1] == "arn:{<ENVIRONMENT AWS::Partition>}:iam::aws:policy/AdministratorAccess"
    assert [stack.plain(u) for u in found.unit().opaque] == ["<MACRO UnheardPolicy>"]
    assert found.resources()["MRole"] == "AWS::IAM::Role"
    assert found.get("M", "StateMachineName") == "m"


def test_a_gradual_deployment_is_a_deployment_group(stack: type[Stack]) -> None:
    found = sam(stack, """
F:
  Type: AWS::Serverless::Function
  Properties:
    Role: r
    AutoPublishAlias: live
    DeploymentPreference: {Type: AllAtOnce, Alarms: [a]}
G:
  Type: AWS::Serverless::Function
  Properties: {Role: r, AutoPublishAlias: live, DeploymentPreference: {Type: Mine, Enabled: true}}
H:
  Type: AWS::Serverless::Function
  Properties: {Role: r, AutoPublishAlias: live, DeploymentPreference: {Type: AllAtOnce, Enabled: false}}
I:
  Type: AWS::Serverless::Function
  Properties: {Role: r, DeploymentPreference: {Type: AllAtOnce}}
""")  # fmt: skip
    groups = [a for a, t in found.resources().items() if t == "AWS::CodeDeploy::DeploymentGroup"]
    assert groups == ["FDeploymentGroup", "GDeploymentGroup"]
    name = found.resource("FDeploymentGroup").get("DeploymentConfigName")
    assert stack.plain(name) == "CodeDeployDefault.LambdaAllAtOnce"
    assert name is not None
    assert name.span is not None
    assert name.span.text == "AllAtOnce"
    assert found.get("FDeploymentGroup", "AlarmConfiguration") == {"Enabled": True, "Alarms": ["a"]}
    assert found.get("GDeploymentGroup", "DeploymentConfigName") == "Mine"


def test_an_address_and_events_of_a_function(stack: type[Stack]) -> None:
    found = sam(stack, """
F:
  Type: AWS::Serverless::Function
  Properties:
    Role: r
    FunctionUrlConfig: {AuthType: NONE}
    Events:
      Tick: {Type: Schedule, Properties: {Schedule: rate(1 day)}}
      Topic: {Type: SNS, Properties: {Topic: !Ref T}}
      Queue: {Type: SQS, Properties: {Queue: !Ref Q, BatchSize: 10}}
      Skill: {Type: AlexaSkill}
      Odd: {Properties: {}}
G:
  Type: AWS::Serverless::Function
  Properties: {Role: r, FunctionUrlConfig: {AuthType: AWS_IAM}}
T: {Type: AWS::SNS::Topic}
Q: {Type: AWS::SQS::Queue}
""")  # fmt: skip
    assert found.resources() == {
        "F": "AWS::Lambda::Function",
        "FUrl": "AWS::Lambda::Url",
        "FUrlPublicPermissions": "AWS::Lambda::Permission",
        "FTick": "AWS::Events::Rule",
        "FTickPermission": "AWS::Lambda::Permission",
        "FTopic": "AWS::SNS::Subscription",
        "FTopicPermission": "AWS::Lambda::Permission",
        "FQueue": "AWS::Lambda::EventSourceMapping",
        "FSkillPermission": "AWS::Lambda::Permission",
        "G": "AWS::Lambda::Function",
        "GUrl": "AWS::Lambda::Url",
        "T": "AWS::SNS::Topic",
        "Q": "AWS::SQS::Queue",
    }
    assert found.get("FUrlPublicPermissions", "Principal") == "*"
    assert found.get("FUrlPublicPermissions", "FunctionUrlAuthType") == "NONE"
    assert found.get("FTick", "ScheduleExpression") == "rate(1 day)"
    assert found.get("FTickPermission", "SourceArn") == "<COMPUTED FTick.Arn>"
    assert found.get("FTopic", "TopicArn") == "<COMPUTED T>"
    assert found.get("FQueue", "BatchSize") == 10
    assert found.get("FSkillPermission", "SourceArn") is ...


def test_connectors_are_counted_as_opaque(stack: type[Stack]) -> None:
    found = sam(stack, """
C:
  Type: AWS::Serverless::Connector
  Properties: {Source: {Id: F}, Destination: {Id: T}, Permissions: [Read]}
F:
  Type: AWS::Serverless::Function
  Connectors: {Table: {Properties: {Destination: {Id: T}, Permissions: [Write]}}}
  Properties: {Role: r}
T: {Type: AWS::Serverless::SimpleTable}
""")  # fmt: skip
    assert [stack.plain(u) for u in found.unit().opaque] == [
        "<MACRO AWS::Serverless::Connector>",
        "<MACRO AWS::Serverless::Connector Table>",
    ]
    assert found.resources()["T"] == "AWS::DynamoDB::Table"


def test_what_sam_adds_may_be_referred_to(stack: type[Stack]) -> None:
    found = sam(stack, """
F: {Type: AWS::Serverless::Function, Properties: {Role: r}}
A:
  Type: AWS::A::B
  Properties: {P: !Ref F.Alias, Q: !GetAtt FRole.Arn, R: !Ref ServerlessRestApi, S: !Ref None}
""")  # fmt: skip
    assert [found.get("A", name) for name in "PQRS"] == [
        "<COMPUTED F.Alias>", "<COMPUTED FRole.Arn>", "<COMPUTED ServerlessRestApi>",
        "<UNDECLARED None>",
    ]  # fmt: skip


def test_without_the_transform_nothing_is_made(stack: type[Stack]) -> None:
    found = stack(
        "Resources: {F: {Type: AWS::Serverless::Function, Properties: {Policies: [A]}}}\n"
    )
    assert found.resources() == {"F": "AWS::Serverless::Function"}


def test_units_end_without_circles(stack: type[Stack]) -> None:
    unit = stack({"t.yaml": PARENT, "net/net.yaml": NET, "app.yaml": APP}).unit()
    assert isinstance(unit, Evaluated)
    unit.close()


# Rules, snippets, exports, hooks

RULED = """
Parameters:
  Place: {{Type: String{allowed}}}
Rules:
  Here:
{condition}    Assertions: [{{Assert: {asserted}}}]
Resources:
  A: {{Type: AWS::A::B, Properties: {{Place: !Ref Place}}}}
"""
CONTAINS = "{'Fn::Contains': [[eu-west-1, eu-west-2], !Ref Place]}"
SEVERAL = ", AllowedValues: [eu-west-1, eu-west-2, cn-north-1]"


@pytest.mark.parametrize(
    ("asserted", "allowed", "expected"),
    [
        (CONTAINS, "", ("eu-west-1", "eu-west-2")),
        (CONTAINS, SEVERAL, ("eu-west-1", "eu-west-2")),
        (
            "{'Fn::Not': [{'Fn::Equals': [!Ref Place, cn-north-1]}]}",
            SEVERAL,
            ("eu-west-1", "eu-west-2"),
        ),
        ("{'Fn::Equals': [eu-west-1, !Ref Place]}", SEVERAL, "eu-west-1"),
        (
            "{'Fn::And': ["
            + CONTAINS
            + ", {'Fn::Not': [{'Fn::Equals': [!Ref Place, eu-west-2]}]}]}",
            SEVERAL,
            "eu-west-1",
        ),
        ("{'Fn::Not': [{'Fn::Equals': [!Ref Place, a]}]}", "", "<NO_VALUE Parameters.Place>"),
    ],
)
def test_a_rule_says_what_a_parameter_can_be(
    stack: type[Stack], asserted: str, allowed: str, expected: object
) -> None:
    found = stack({"t.yaml": RULED.format(allowed=allowed, condition="", asserted=asserted)})
    assert found.get("A", "Place", "t.yaml") == expected
    assert found.unit("t.yaml").opaque == []


@pytest.mark.parametrize(
    ("condition", "asserted"),
    [
        ("    RuleCondition: {'Fn::Equals': [!Ref Place, x]}\n", CONTAINS),
        ("", "{'Fn::EachMemberIn': [{'Fn::ValueOfAll': [a, b]}, {'Fn::RefAll': c}]}"),
        ("", "{'Fn::Or': [" + CONTAINS + ", {'Fn::Equals': [!Ref Place, x]}]}"),
    ],
)
def test_a_rule_that_is_not_read_is_counted(
    stack: type[Stack], condition: str, asserted: str
) -> None:
    found = stack({"t.yaml": RULED.format(allowed="", condition=condition, asserted=asserted)})
    assert found.get("A", "Place", "t.yaml") == "<NO_VALUE Parameters.Place>"
    assert [u.subject for u in found.unit("t.yaml").opaque] == ["Rules.Here"]


INCLUDING = """
Parameters: {Name: {Type: String, AllowedValues: [a, b]}}
Resources:
  A:
    Type: AWS::A::B
    Properties:
      Fn::Transform: {Name: AWS::Include, Parameters: {Location: PLACE}}
"""


def test_a_snippet_beside_the_template_is_evaluated_in_its_place(stack: type[Stack]) -> None:
    files = {
        "in/t.yaml": INCLUDING.replace("PLACE", "../parts/p.yaml"),
        "parts/p.yaml": "Who: !Ref Name\n",
    }
    found = stack(files)
    assert found.get("A", "Who", "in/t.yaml") == ("a", "b")
    unit = found.unit("in/t.yaml")
    assert (unit.opaque, "parts/p.yaml" in unit.inputs) == ([], True)


@pytest.mark.parametrize("place", ["s3://bucket/p.yaml", "/p.yaml", "../../p.yaml", "gone.yaml"])
def test_a_snippet_from_elsewhere_is_opaque(stack: type[Stack], place: str) -> None:
    found = stack({"t.yaml": INCLUDING.replace("PLACE", place), "p.yaml": "Who: !Ref Name\n"})
    assert [u.subject for u in found.unit("t.yaml").opaque] == ["AWS::Include"]


def test_a_snippet_that_includes_itself_ends(stack: type[Stack]) -> None:
    again = "Fn::Transform: {Name: AWS::Include, Parameters: {Location: p.yaml}}\n"
    found = stack({"t.yaml": INCLUDING.replace("PLACE", "p.yaml"), "p.yaml": again})
    assert [u.subject for u in found.unit("t.yaml").opaque] == ["AWS::Include"]


def test_a_broken_snippet_is_a_failure(stack: type[Stack]) -> None:
    found = stack({"t.yaml": INCLUDING.replace("PLACE", "p.yaml"), "p.yaml": "Who: [1\n"})
    assert [f.path for f in found.unit("t.yaml").failures] == ["p.yaml"]


EXPORTING = """
Resources: {X: {Type: AWS::A::B}}
Outputs: {Range: {Value: 10.0.0.0/8, Export: {Name: net-range}}}
"""
IMPORTING = """
Resources: {A: {Type: AWS::A::B, Properties: {Range: !ImportValue net-range}}}
"""


def test_an_import_is_what_the_only_template_exports(stack: type[Stack]) -> None:
    found = stack({"net.yaml": EXPORTING, "t.yaml": IMPORTING})
    assert found.get("A", "Range", "t.yaml") == "10.0.0.0/8"
    assert "net.yaml" in found.unit("t.yaml").inputs


@pytest.mark.parametrize("value", ["10.0.0.0/16", "10.0.0.0/8"])
def test_a_name_that_two_templates_export_is_unknown(stack: type[Stack], value: str) -> None:
    other = EXPORTING.replace("10.0.0.0/8", value)
    found = stack({"net.yaml": EXPORTING, "other.yaml": other, "t.yaml": IMPORTING})
    assert found.get("A", "Range", "t.yaml") == "<EXPORT net-range>"


def test_an_export_of_a_resource_stays_unknown(stack: type[Stack]) -> None:
    found = stack({"net.yaml": EXPORTING.replace("10.0.0.0/8", "!Ref X"), "t.yaml": IMPORTING})
    assert found.get("A", "Range", "t.yaml") == "<EXPORT net-range>"


def test_templates_that_import_from_one_another_end(stack: type[Stack]) -> None:
    one = EXPORTING.replace("10.0.0.0/8", "!ImportValue b")
    two = EXPORTING.replace("10.0.0.0/8", "!ImportValue net-range").replace(
        "Name: net-range", "Name: b"
    )
    found = stack({"one.yaml": one, "two.yaml": two, "t.yaml": IMPORTING})
    assert found.get("A", "Range", "t.yaml") == "<EXPORT net-range>"
