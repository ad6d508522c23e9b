"""Templates that go to several regions: what is known of each, and what follows from it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from blastdoor import catalog
from blastdoor.change import analyze_files
from blastdoor.engine import Options, check
from blastdoor.source import Memory

RULES = tuple(catalog.load())
TRUST = {"Version": "2012-10-17", "Statement": []}
ROLE: dict[str, Any] = {
    "Type": "AWS::IAM::Role",
    "Properties": {"RoleName": "orders", "AssumeRolePolicyDocument": TRUST},
}
KIND = {"Category": "Deploy", "Owner": "AWS", "Provider": "CloudFormation", "Version": "1"}


def messages(rule: str, **files: Any) -> list[str]:
    texts = {f"{name}.json": json.dumps(body) for name, body in files.items()}
    report = check(Memory(texts), RULES, Options(select=frozenset({rule})))
    assert report.failures == []
    return [finding.message for finding in report.findings]


def unique(**files: Any) -> list[str]:
    return messages("literal-name-in-multi-region-unit", **files)


def stack_set(*groups: dict[str, Any], **more: Any) -> dict[str, Any]:
    properties = {"StackSetName": "orders", "TemplateURL": "orders.json", **more}
    properties["StackInstancesGroup"] = list(groups)
    return {
        "Resources": {"Set": {"Type": "AWS::CloudFormation::StackSet", "Properties": properties}}
    }


def group(*regions: str, **more: Any) -> dict[str, Any]:
    return {"Regions": list(regions), "DeploymentTargets": {"Accounts": ["111122223333"]}, **more}


def pipeline(*actions: dict[str, Any]) -> dict[str, Any]:
    made = [
        {
            "Name": str(number),
            "ActionTypeId": KIND,
            "Configuration": {"StackName": "orders", "TemplatePath": "Source::orders.json"},
            **action,
        }
        for number, action in enumerate(actions)
    ]
    stages = [{"Name": "Deploy", "Actions": made}]
    body = {"Type": "AWS::CodePipeline::Pipeline", "Properties": {"Stages": stages}}
    return {"Resources": {"Pipeline": body}}


def role_of(account: str) -> str:
    return f"arn:aws:iam::{account}:role/deploy"


@pytest.mark.parametrize(
    ("groups", "taken"),
    [
        ([group("us-east-1", "eu-west-1")], True),
        ([group("us-east-1")], False),
        ([group("us-east-1"), group("eu-west-1")], False),
        ([group("us-east-1"), group("eu-west-1", "eu-west-2")], True),
    ],
)
def test_each_account_of_a_group_has_all_its_regions(
    groups: list[dict[str, Any]], *, taken: bool
) -> None:
    found = unique(sets=stack_set(*groups), orders={"Resources": {"Role": ROLE}})

    assert bool(found) is taken


@pytest.mark.parametrize(
    ("actions", "taken"),
    [
        ([{"RoleArn": role_of("111122223333")}, {"RoleArn": role_of("111122223333")}], True),
        ([{"RoleArn": role_of("111122223333")}, {"RoleArn": role_of("444455556666")}], False),
        ([{}, {}], False),
    ],
)
def test_the_role_of_an_action_says_its_account(
    actions: list[dict[str, Any]], *, taken: bool
) -> None:
    regions = ("us-east-1", "eu-west-1")
    placed = [{**action, "Region": r} for action, r in zip(actions, regions, strict=True)]

    found = unique(pipeline=pipeline(*placed), orders={"Resources": {"Role": ROLE}})

    assert bool(found) is taken


def test_regions_of_one_action() -> None:
    action = pipeline({})
    made = action["Resources"]["Pipeline"]["Properties"]["Stages"][0]["Actions"][0]
    made["ActionTypeId"] = {**KIND, "Provider": "CloudFormationStackSet"}
    made["Configuration"]["Regions"] = "us-east-1,eu-west-1"

    (said,) = unique(pipeline=action, orders={"Resources": {"Role": ROLE}})

    assert "eu-west-1 and us-east-1 by action 0 of Pipeline in pipeline.json" in said


def test_partitions_are_apart() -> None:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "example-logs"}}
    orders = {"Resources": {"Logs": bucket}}

    assert unique(sets=stack_set(group("us-east-1", "cn-north-1")), orders=orders) == []
    assert len(unique(sets=stack_set(group("us-east-1", "us-west-2")), orders=orders)) == 1


def test_what_may_be_in_some_of_the_regions_only() -> None:
    conditions = {"Home": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}}
    nested = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": "inner.json"},
    }
    sets = stack_set(group("us-east-1", "eu-west-1"))
    inner = {"Resources": {"Role": ROLE}}

    assert len(unique(sets=sets, inner=inner, orders={"Resources": {"Inner": nested}})) == 1
    orders = {"Conditions": conditions, "Resources": {"Inner": {**nested, "Condition": "Home"}}}
    assert unique(sets=sets, inner=inner, orders=orders) == []
    orders = {"Conditions": conditions, "Resources": {"Role": {**ROLE, "Condition": "Home"}}}
    assert unique(sets=sets, orders=orders) == []


def test_a_group_of_instances_may_have_its_own_parameters() -> None:
    parameters = {"Parameters": {"Name": {"Type": "String"}}}
    named = {**ROLE, "Properties": {**ROLE["Properties"], "RoleName": {"Ref": "Name"}}}
    orders = {**parameters, "Resources": {"Role": named}}
    given = [{"ParameterKey": "Name", "ParameterValue": "orders"}]
    own = [{"ParameterKey": "Name", "ParameterValue": "orders-too"}]
    regions = ("us-east-1", "eu-west-1")

    usual = stack_set(group(*regions), Parameters=given)
    assert len(unique(sets=usual, orders=orders)) == 1
    other = stack_set(group(*regions), group(*regions, ParameterOverrides=own), Parameters=given)
    assert unique(sets=other, orders=orders) == []


def test_a_table_by_region_that_nothing_asks_for_is_no_evidence() -> None:
    table = {"us-east-1": {"Id": "a"}, "eu-west-1": {"Id": "b"}}
    asked = {"Fn::FindInMap": ["Images", {"Ref": "AWS::Region"}, "Id"]}
    named = {"Fn::FindInMap": ["Images", "us-east-1", "Id"]}
    rule = "hardcoded-region-in-multi-region-unit"

    def template(image: Any, **more: Any) -> dict[str, Any]:
        properties = {"AvailabilityZone": "us-east-1a", "ImageId": image}
        server = {"Type": "AWS::EC2::Instance", "Properties": properties}
        return {"Mappings": {"Images": table}, "Resources": {"Server": server}, **more}

    assert len(messages(rule, template=template(asked))) == 1
    assert messages(rule, template=template(named)) == []
    assert messages(rule, template=template(asked, Mappings={"Images": {}})) == []


def widened(name: str, before: str, after: str) -> list[str]:
    rules = [rule for rule in RULES if rule.id == name]
    report = analyze_files({"t.json": after}, rules, base={"t.json": before})
    assert report.failures == []
    return [finding.message for finding in report.findings]


def stack_set_of_accounts(accounts: list[str], how: str | None) -> str:
    targets: dict[str, Any] = {
        "Accounts": accounts,
        "OrganizationalUnitIds": ["ou-ab12-11111111"],
    }
    if how is not None:
        targets["AccountFilterType"] = how
    return json.dumps(stack_set({"Regions": ["eu-west-1"], "DeploymentTargets": targets}))


@pytest.mark.parametrize(
    ("how", "said"),
    [(None, True), ("UNION", True), ("INTERSECTION", True), ("DIFFERENCE", False)],
)
def test_accounts_that_a_filter_leaves_out_are_no_target(how: str | None, *, said: bool) -> None:
    one, two = ["111122223333"], ["111122223333", "444455556666"]
    before, after = (stack_set_of_accounts(accounts, how) for accounts in (one, two))

    assert bool(widened("accounts-widened", before, after)) is said


def test_an_alias_whose_weights_are_not_known_says_nothing() -> None:
    def alias(routing: Any, version: str) -> str:
        properties = {"FunctionVersion": version, "Name": "live", "RoutingConfig": routing}
        body = {"Type": "AWS::Lambda::Alias", "Properties": properties}
        parameters = {"Step": {"Type": "String"}}
        conditions = {"Canary": {"Fn::Equals": [{"Ref": "Step"}, "canary"]}}
        return json.dumps(
            {"Parameters": parameters, "Conditions": conditions, "Resources": {"Live": body}}
        )

    def weights(share: float) -> dict[str, Any]:
        return {"AdditionalVersionWeights": [{"FunctionVersion": "8", "FunctionWeight": share}]}

    open_ = {"Fn::If": ["Canary", weights(0.05), {"Ref": "AWS::NoValue"}]}
    before = alias(weights(0.05), "7")

    assert widened("flag-widened", before, alias(open_, "8")) == []
    assert len(widened("flag-widened", before, alias(weights(0.9), "7"))) == 1
