"""Plans: every family of rules on them, what is set, where findings stand, what is never printed."""

from __future__ import annotations

import io
import json
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from tests.plans import ADMIN, plan, policy, provider, refers, resource

from blastdoor import catalog
from blastdoor.engine import Options, check
from blastdoor.finding import FailureKind
from blastdoor.report.json import write_json
from blastdoor.report.sarif import write_sarif
from blastdoor.report.text import write_text
from blastdoor.source import Memory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from blastdoor.catalog import Rule
    from blastdoor.finding import Finding, Report

SIX = ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2", "sa-east-1"]


@cache
def rules() -> tuple[Rule, ...]:
    return tuple(catalog.load())


def run(text: str, files: Mapping[str, str] | None = None, **options: Any) -> Report:
    return check(Memory({"plan.json": text, **(files or {})}), rules(), Options(**options))


def said(report: Report) -> list[tuple[str, str, str]]:
    """Rule, level and the text at the place of every finding."""
    assert [f.message for f in report.failures] == []
    return [(f.rule, f.level.word, f.span.text) for f in report.findings]


def only(report: Report) -> Finding:
    [finding] = report.findings
    return finding


# One test for each family


def test_a_grant_is_judged_within_the_planned_policy() -> None:
    finding = only(run(plan(resource("aws_iam_policy.all", {"policy": ADMIN}))))

    assert (finding.rule, finding.level.word, finding.unit) == (
        "admin-grant",
        "error",
        "aws_iam_policy.all",
    )
    assert finding.attribute == "policy[Everything]"
    # The place is the star within the JSON within the JSON: \"Action\":\"*\"
    line = finding.span.document.line(finding.span.begin.line)
    assert line[finding.span.begin.column - 1 :].startswith('"*\\",\\"Resource')
    assert finding.span.path == "plan.json"


def test_a_guard_that_the_configuration_switches_off() -> None:
    text = plan(
        resource("aws_s3_bucket.b", {"bucket": "b", "force_destroy": True}),
        resource("aws_db_instance.d", {"deletion_protection": False}),
    )

    assert said(run(text)) == [
        ("data-kept-by-force-lost", "warning", "true"),
        ("deletion-protection-off", "warning", "false"),
    ]


def test_a_rollout_to_everything_at_once() -> None:
    text = plan(
        resource(
            "aws_codedeploy_deployment_group.g",
            {"deployment_config_name": "CodeDeployDefault.AllAtOnce"},
        )
    )

    assert said(run(text)) == [("all-at-once", "warning", '"CodeDeployDefault.AllAtOnce"')]


def test_an_account_rule_on_the_root_of_the_organization() -> None:
    text = plan(
        resource(
            "aws_organizations_policy_attachment.a", {"policy_id": "p-1", "target_id": "r-ab12"}
        )
    )

    assert said(run(text)) == [("organization-root-target", "error", '"r-ab12"')]


def test_regions_of_providers_and_targets() -> None:
    text = plan(
        resource(
            "aws_cloudformation_stack_instances.s", {"stack_set_name": "s", "regions": [*SIX]}
        ),
        providers={
            "aws": provider("aws", region="eu-west-1"),
            "aws.us_west_2": provider("aws", "us_west_2", region="eu-central-1"),
            "aws.typo": provider("aws", "typo", region="eu-wset-1"),
        },
    )
    found = [(f.rule, f.span.text.strip()[:14]) for f in run(text).findings]

    assert sorted(found) == [
        ("every-region-target", found[0][1]),
        ("name-region-mismatch", '"eu-central-1"'),
        ("unknown-region", '"eu-wset-1"'),
    ]


def test_a_partition_of_another_country() -> None:
    text = plan(
        resource(
            "aws_iam_role_policy_attachment.a",
            {"role": "r", "policy_arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
        ),
        providers={"aws": provider("aws", region="cn-north-1")},
    )

    assert [f.rule for f in run(text).findings] == ["partition-mismatch"]


def test_an_override_among_the_variables_and_the_inputs() -> None:
    text = plan(
        variables={"overrides": {"us-east-1": {"off": False}, "*": {"off": True}}},
        calls={
            "app": {
                "source": "./app",
                "expressions": {"apply_to_all_regions": {"constant_value": True}},
                "module": {"variables": {"apply_to_all_regions": {}}},
            }
        },
    )

    assert [f.rule for f in run(text).findings] == ["wildcard-override-key", "global-flag-enabled"]


# What is set


def test_a_default_of_the_provider_is_not_set() -> None:
    text = plan(
        resource(
            "aws_lb.l",
            {"name": "l", "enable_deletion_protection": False},
            expressions={"name": {"constant_value": "l"}},
        )
    )

    assert said(run(text)) == []


def test_what_is_known_after_apply_is_no_finding_and_is_counted() -> None:
    text = plan(
        resource(
            "aws_iam_policy.p",
            {"name": "p"},
            expressions={"name": {"constant_value": "p"}, "policy": refers("aws_s3_bucket.b.arn")},
            unknown={"id": True, "policy": True},
        )
    )
    report = run(text)

    assert said(report) == []
    assert report.coverage.undecidable["policy"] == 1
    assert report.coverage.reasons["policy: known only after apply, says the plan"] == 1


def test_a_list_with_an_element_that_is_not_known() -> None:
    text = plan(
        resource(
            "aws_cloudformation_stack_instances.s",
            {"regions": [*SIX, None]},
            expressions={"regions": refers("local.regions")},
            unknown={"regions": [False] * 6 + [True]},
        )
    )

    assert [f.rule for f in run(text).findings] == ["every-region-target"]


def test_nested_blocks_are_told_apart_by_their_constants() -> None:
    rows = [{"name": "a", "policy": ADMIN}, {"name": "b", "policy": policy()}]
    # A set: the plan has another order than the configuration.
    text = plan(
        resource(
            "aws_iam_role.r",
            {"name": "r", "inline_policy": rows},
            expressions={
                "name": {"constant_value": "r"},
                "inline_policy": [
                    {"name": {"constant_value": "b"}, "policy": refers("local.b")},
                    {"name": {"constant_value": "a"}, "policy": refers("local.a")},
                ],
            },
        )
    )

    assert [f.attribute for f in run(text).findings] == ["inline_policy.policy[Everything]"]


@pytest.mark.parametrize(
    ("actions", "before", "expected"),
    [
        (("create",), None, ["admin-grant"]),
        # The provider lists the policies that stand elsewhere in the configuration.
        (("update",), {"name": "r"}, []),
    ],
)
def test_a_block_that_the_configuration_does_not_show(
    actions: tuple[str, ...], before: dict[str, Any] | None, expected: list[str]
) -> None:
    text = plan(
        resource(
            "aws_iam_role.r",
            {"name": "r", "inline_policy": [{"name": "a", "policy": ADMIN}]},
            expressions={"name": {"constant_value": "r"}},
            actions=actions,
            before=before,
        )
    )

    assert [f.rule for f in run(text).findings] == expected


def test_without_the_configuration_what_looks_like_a_default_is_not_set() -> None:
    data = json.loads(
        plan(
            resource("aws_lb.l", {"enable_deletion_protection": False}),
            resource("aws_s3_bucket.b", {"force_destroy": True}),
        )
    )
    del data["configuration"]

    assert [f.rule for f in run(json.dumps(data)).findings] == ["data-kept-by-force-lost"]


def test_changes_alone_are_enough() -> None:
    data = json.loads(plan(resource("aws_iam_policy.all", {"policy": ADMIN})))
    del data["planned_values"]

    assert [f.rule for f in run(json.dumps(data)).findings] == ["admin-grant"]


# Regions


def test_the_region_comes_from_a_variable_of_the_plan() -> None:
    text = plan(
        resource("aws_acm_certificate.c", {"domain_name": "example.com"}),
        resource(
            "aws_cloudfront_distribution.d",
            {"enabled": True},
            expressions={
                "viewer_certificate": [
                    {
                        "acm_certificate_arn": refers(
                            "aws_acm_certificate.c.arn", "aws_acm_certificate.c"
                        )
                    }
                ]
            },
            unknown={"viewer_certificate": [{"acm_certificate_arn": True}]},
        )
        | {"values": {"enabled": True, "viewer_certificate": [{}]}},
        providers={"aws": provider("aws", region=refers("var.region"))},
        variables={"region": "eu-west-1"},
    )
    finding = only(run(text))

    assert finding.rule == "global-part-in-wrong-region"
    assert "eu-west-1, var.region of the plan at plan.json:" in finding.message


def test_a_variable_that_is_no_region_is_not_taken_for_one() -> None:
    text = plan(
        resource("aws_acm_certificate.us_west_2", {"domain_name": "example.com"}),
        providers={"aws": provider("aws", region=refers("var.stage"))},
        variables={"stage": "west"},
    )
    report = run(text)

    assert said(report) == []
    assert report.coverage.unresolved["provider"] == 1


def test_a_data_source_tells_the_region_of_its_provider() -> None:
    text = plan(
        resource("aws_sqs_queue.us_west_2", {"name": "q"}),
        providers={"aws": provider("aws", region=refers("local.region"))},
        prior=(resource("data.aws_region.current", {"name": "eu-west-1"}, expressions={}),),
    )

    assert [f.rule for f in run(text).findings] == ["name-region-mismatch"]


def test_the_provider_writes_the_region_of_each_resource() -> None:
    """Version 6 of the AWS provider; the environment decides here, and the plan says what."""
    text = plan(
        resource(
            "aws_sqs_queue.us_west_2",
            {"name": "q", "region": "eu-west-1"},
            expressions={"name": {"constant_value": "q"}},
        ),
        providers={"aws": provider("aws")},
    )

    assert [f.rule for f in run(text).findings] == ["name-region-mismatch"]


def test_what_exists_already_tells_its_region() -> None:
    text = plan(
        resource(
            "aws_sqs_queue.us_west_2",
            {"name": "q", "arn": "arn:aws:sqs:eu-west-1:111122223333:q"},
            expressions={"name": {"constant_value": "q"}},
            actions=("no-op",),
            before={"name": "q"},
        ),
        providers={"aws": provider("aws")},
    )

    assert [f.rule for f in run(text).findings] == ["name-region-mismatch"]


def test_a_provider_within_a_module_takes_its_region_from_the_call() -> None:
    text = plan(
        variables={"home": "eu-westt-1"},
        providers={
            "module.app:aws": {
                **provider("aws", region=refers("var.region")),
                "module_address": "module.app",
            }
        },
        calls={
            "app": {
                "source": "./app",
                "expressions": {"region": refers("var.home")},
                "module": {"variables": {"region": {}}},
            }
        },
    )
    finding = only(run(text))

    assert (finding.rule, finding.unit) == ("unknown-region", "module.app.provider.aws")
    assert "var.home of the plan" in finding.message


def test_a_provider_without_a_region() -> None:
    one = provider("aws", profile="ops")

    assert [
        f.rule for f in run(plan(resource("aws_sqs_queue.q", {}), providers={"aws": one})).findings
    ] == ["provider-region-unset"]
    # The plan has the same entry for a provider that is only required.
    assert (
        said(run(plan(resource("aws_sqs_queue.q", {}), providers={"aws": provider("aws")}))) == []
    )


def test_only_aliased_providers_and_one_that_nothing_configures() -> None:
    text = plan(
        resource("aws_sqs_queue.q", {"name": "q"}),
        providers={"aws.west": provider("aws", "west", region="us-west-2")},
    )

    assert [f.rule for f in run(text).findings] == ["no-default-provider-selected"]


def test_one_set_of_credentials_in_two_partitions() -> None:
    role = [{"role_arn": refers("var.role")}]
    text = plan(
        variables={"role": "arn:aws:iam::111122223333:role/deploy"},
        providers={
            "aws": provider("aws", region="eu-west-1", assume_role=role),
            "aws.cn": provider("aws", "cn", region="cn-north-1", assume_role=role),
        },
    )

    assert [f.rule for f in run(text).findings] == ["mixed-partitions"]


def test_a_provider_key_of_terraform_1_0() -> None:
    """It names the module, whatever that was given: one configuration is it, of two none is."""
    old = resource("aws_sqs_queue.us_west_2", {"name": "q"}, provider="app:aws")
    one = {"aws": {"name": "aws", "expressions": {"region": {"constant_value": "eu-west-1"}}}}
    two = {**one, "aws.west": {**one["aws"], "alias": "west"}}

    assert [f.rule for f in run(plan(old, providers=one)).findings] == ["name-region-mismatch"]
    assert said(run(plan(old, providers=two))) == []


def test_the_keys_of_instances_are_the_regions_it_goes_to() -> None:
    text = plan(
        *(
            resource(f'aws_sqs_queue.q["{region}"]', {"name": region}, index=region)
            for region in SIX
        )
    )
    finding = only(run(text, select=frozenset({"every-region-target"})))

    assert "aws_sqs_queue goes to each of them, by aws_sqs_queue.q" in finding.message


def test_what_a_plan_has_computed_is_not_written_by_hand() -> None:
    """Rules on literals speak of the sources: planned values hold the region of the run."""
    sources = {
        "cn/main.tf": 'provider "aws" {\n  region = "cn-north-1"\n}\n',
        "us/main.tf": 'provider "aws" {\n  region = "us-east-1"\n}\n',
    }
    values = {
        "source_arn": "arn:aws:s3:::b",
        "endpoint": "https://sqs.eu-west-1.amazonaws.com/111122223333/q",
    }
    text = plan(
        resource(
            "aws_sns_topic_subscription.s",
            values,
            expressions={name: refers("local.x") for name in values},
        ),
        providers={"aws": provider("aws", region=refers("local.region"))},
    )

    assert [f for f in run(text, sources).findings if f.span.path == "plan.json"] == []
    assert said(run(text, sources, select=frozenset({"hardcoded-endpoint-region"}))) == []


# Documents


def test_a_policy_document_is_judged_where_it_is_carried() -> None:
    spaced = json.dumps(json.loads(ADMIN), indent=2)
    document = resource(
        "data.aws_iam_policy_document.d",
        {"json": spaced, "statement": [{"actions": ["*"], "resources": ["*"], "effect": "Allow"}]},
        expressions={
            "statement": [
                {"actions": {"constant_value": ["*"]}, "resources": {"constant_value": ["*"]}}
            ]
        },
    )
    carrier = resource(
        "aws_iam_policy.p",
        {"policy": ADMIN},
        expressions={"policy": refers("data.aws_iam_policy_document.d.json")},
    )

    assert [f.unit for f in run(plan(carrier, prior=(document,))).findings] == ["aws_iam_policy.p"]
    assert [f.unit for f in run(plan(prior=(document,))).findings] == [
        "data.aws_iam_policy_document.d"
    ]


# Places in the sources

MAIN = """\
provider "aws" {
  region = local.region
}

resource "aws_iam_policy" "all" {
  policy = local.policy
}

module "app" {
  source = "./app"
  open   = true
}
"""
APP = """\
variable "open" {}

resource "aws_s3_bucket" "b" {
  bucket        = "b"
  force_destroy = var.open
}
"""


def with_sources(**more: Any) -> str:
    data = json.loads(
        plan(
            resource(
                "aws_iam_policy.all",
                {"policy": ADMIN},
                expressions={"policy": refers("local.policy")},
            ),
            **more,
        )
    )
    bucket = {
        "address": 'module.app["x"].aws_s3_bucket.b[0]',
        "mode": "managed",
        "type": "aws_s3_bucket",
        "name": "b",
        "index": 0,
        "values": {"bucket": "b", "force_destroy": True},
    }
    data["planned_values"]["root_module"]["child_modules"] = [
        {"address": 'module.app["x"]', "resources": [bucket]},
        {
            "address": 'module.app["y"]',
            "resources": [{**bucket, "address": 'module.app["y"].aws_s3_bucket.b[0]'}],
        },
    ]
    data["configuration"]["root_module"]["module_calls"] = {
        "app": {
            "source": "./app",
            "expressions": {"open": {"constant_value": True}},
            "module": {
                "resources": [
                    {
                        "address": "aws_s3_bucket.b",
                        "mode": "managed",
                        "type": "aws_s3_bucket",
                        "name": "b",
                        "provider_config_key": "aws",
                        "expressions": {
                            "bucket": {"constant_value": "b"},
                            "force_destroy": refers("var.open"),
                        },
                    }
                ],
                "variables": {"open": {}},
            },
        }
    }
    return json.dumps(data, indent=1)


SOURCES = {"main.tf": MAIN, "app/main.tf": APP}


def test_findings_stand_in_the_sources_with_the_plan_as_evidence() -> None:
    files = {**SOURCES, "plans/plan.json": with_sources()}
    report = check(Memory(files), rules(), Options(), selection=lambda p: p.startswith("plans/"))
    places = [(f.rule, f.span.path, f.span.text) for f in report.findings]

    assert places == [
        ("data-kept-by-force-lost", "app/main.tf", "var.open"),
        ("admin-grant", "main.tf", "local.policy"),
    ]
    related = [(r.span.path, r.message) for r in report.findings[0].related]
    assert related == [
        ("plans/plan.json", 'planned so for module.app["x"].aws_s3_bucket.b[0]'),
        ("plans/plan.json", 'planned so for module.app["y"].aws_s3_bucket.b[0]'),
    ]


def test_places_of_providers_variables_and_inputs() -> None:
    sources = {
        "live/main.tf": 'provider "aws" {\n  alias  = "typo"\n  region = "eu-wset-1"\n}\n'
        'variable "overrides" {\n  default = { us-east-1 = {}, "*" = { off = true } }\n}\n'
        'module "app" {\n  source = "./app"\n  apply_to_all_regions = true\n}\n',
        "live/app/main.tf": 'variable "apply_to_all_regions" {}\n',
    }
    overrides = {"us-east-1": {}, "*": {"off": True}}
    text = plan(
        variables={"overrides": overrides},
        declared={"overrides": {"default": overrides}},
        providers={"aws.typo": provider("aws", "typo", region="eu-wset-1")},
        calls={
            "app": {
                "source": "./app",
                "expressions": {"apply_to_all_regions": {"constant_value": True}},
                "module": {"variables": {"apply_to_all_regions": {}}},
            }
        },
    )
    # The plan lies elsewhere: the one directory that has its blocks is found.
    files = {**sources, "out/plan.json": text}
    report = check(Memory(files), rules(), Options(), selection=lambda p: p == "out/plan.json")

    assert [(f.rule, f.span.path, f.span.text) for f in report.findings] == [
        ("unknown-region", "live/main.tf", '"eu-wset-1"'),
        ("wildcard-override-key", "live/main.tf", '{ us-east-1 = {}, "*" = { off = true } }'),
        ("global-flag-enabled", "live/main.tf", "true"),
    ]


def test_sources_in_the_json_syntax() -> None:
    main = {"resource": {"aws_iam_policy": {"other": {}, "all": {"policy": "${local.policy}"}}}}
    report = run(
        plan(resource("aws_iam_policy.all", {"policy": ADMIN})), {"main.tf.json": json.dumps(main)}
    )

    assert [(f.span.path, f.span.text) for f in report.findings] == [
        ("main.tf.json", '"${local.policy}"')
    ]


def test_a_dynamic_block_of_the_sources_is_set_and_its_place_is_its_content() -> None:
    source = (
        'resource "aws_iam_role" "r" {\n  dynamic "inline_policy" {\n    for_each = local.all\n'
        "    content {\n      policy = inline_policy.value\n    }\n  }\n}\n"
    )
    text = plan(
        resource(
            "aws_iam_role.r",
            {"name": "r", "inline_policy": [{"name": "a", "policy": ADMIN}]},
            expressions={"name": {"constant_value": "r"}},
            actions=("update",),
            before={"name": "r"},
        )
    )
    report = run(text, {"main.tf": source})

    assert [(f.rule, f.span.text) for f in report.findings] == [
        ("admin-grant", "inline_policy.value")
    ]


def test_a_block_that_terraform_1_0_leaves_out_of_the_configuration() -> None:
    source = (
        'resource "aws_security_group" "s" {\n  ingress {\n    from_port   = 22\n    to_port     = 22\n'
        '    protocol    = "tcp"\n    cidr_blocks = ["0.0.0.0/0"]\n  }\n}\n'
    )
    row = {"from_port": 22, "to_port": 22, "protocol": "tcp", "cidr_blocks": ["0.0.0.0/0"]}
    text = plan(
        resource(
            "aws_security_group.s",
            {"name": "s", "ingress": [row]},
            expressions={"name": {"constant_value": "s"}},
        )
    )

    report = run(text, {"main.tf": source})
    finding = only(report)
    assert (finding.rule, finding.span.text) == ("open-ingress-admin-port", '"0.0.0.0/0"')
    assert [r.span.path for r in finding.related][-1] == "plan.json"


def test_blocks_of_the_sources_are_told_apart_by_their_literals() -> None:
    source = (
        'resource "aws_security_group" "s" {\n'
        "  ingress {\n    from_port   = 443\n    cidr_blocks = var.web\n  }\n"
        "  ingress {\n    from_port   = 22\n    cidr_blocks = var.ssh\n  }\n}\n"
    )
    rows = [
        {"from_port": port, "to_port": port, "protocol": "tcp", "cidr_blocks": ["0.0.0.0/0"]}
        for port in (22, 443)
    ]
    report = run(plan(resource("aws_security_group.s", {"ingress": rows})), {"main.tf": source})

    assert ("open-ingress-admin-port", "var.ssh") in [
        (f.rule, f.span.text) for f in report.findings
    ]


def test_a_plan_and_its_sources_say_the_same_once() -> None:
    sources = {
        "main.tf": 'resource "aws_iam_policy" "all" {\n  policy = jsonencode({ Statement = [{ Sid = '
        '"Everything", Effect = "Allow", Action = "*", Resource = "*" }] })\n}\n'
    }
    report = run(plan(resource("aws_iam_policy.all", {"policy": ADMIN})), sources)
    finding = only(report)

    assert (finding.span.path, finding.span.text) == ("main.tf", '"*"')
    assert [r.message for r in finding.related][-1] == "planned so for aws_iam_policy.all"


def test_an_ignore_comment_of_the_sources_holds_for_the_plan() -> None:
    comment = '# blastdoor: ignore[admin-grant] reason="break glass"\n  policy'
    other = '# blastdoor: ignore[all-at-once] reason="speaks of nothing"\n'
    files = {
        "main.tf": other + MAIN.replace("policy", comment, 2).replace(comment, "policy", 1),
        "app/main.tf": APP,
        "plan.json": with_sources(),
    }
    report = check(Memory(files), rules(), Options(), selection=lambda p: p == "plan.json")

    assert [f.rule for f in report.findings] == ["data-kept-by-force-lost"]
    assert [f.rule for f in report.suppressed] == ["admin-grant"]
    # What the comment on another rule does is the business of a run over the sources.
    assert report.failures == []


def test_instances_of_one_block_are_one_finding() -> None:
    text = plan(*(resource(f"aws_iam_policy.p[{n}]", {"policy": ADMIN}, index=n) for n in range(3)))
    finding = only(run(text))

    assert [r.message for r in finding.related if r.message.startswith("planned")] == [
        "planned so for aws_iam_policy.p[1]",
        "planned so for aws_iam_policy.p[2]",
    ]


def test_two_plans_of_two_roots_are_two_findings() -> None:
    text = plan(resource("aws_iam_policy.all", {"policy": ADMIN}))
    report = run(text, {"b/plan.json": text})

    assert [f.span.path for f in report.findings] == ["b/plan.json", "plan.json"]


# Secrets

WORD = "hunter2-hunter2"


def everything(report: Report) -> str:
    """Every report on everything, joined."""
    joined = []
    for write in (write_text, write_json, write_sarif):
        stream = io.StringIO()
        more: dict[str, Any] = {} if write is write_text else {"version": "1"}
        write(stream, report, rules(), include_suppressed=True, **more)
        joined.append(stream.getvalue())
    return "\n".join(joined)


@pytest.mark.parametrize("indent", [None, 1])
def test_a_sensitive_value_is_judged_and_never_printed(indent: int | None) -> None:
    secret = policy({"Effect": "Allow", "Action": "*", "Resource": "*", "Sid": "Xyzzy" + "hunter2"})
    text = plan(
        resource(
            "aws_iam_policy.p",
            {"name": WORD, "policy": secret},
            sensitive={"policy": True, "name": True},
        ),
        resource(
            "aws_s3_bucket.b", {"bucket": WORD, "force_destroy": True}, sensitive={"bucket": True}
        ),
        indent=indent,
    )
    report = run(text)

    assert [(f.rule, f.value) for f in report.findings] == [
        ("admin-grant", "sensitive"),
        ("data-kept-by-force-lost", "true"),
    ]
    printed = everything(report)
    assert "hunter2" not in printed
    assert "Xyzzy" not in printed
    assert "by a value that is sensitive" in report.findings[0].message


def test_a_line_of_the_sources_that_holds_something_sensitive_is_not_quoted() -> None:
    source = (
        f'resource "aws_s3_bucket" "b" {{\n  bucket = "{WORD}"\n'
        f"  force_destroy = true # {WORD}\n}}\n"
    )
    text = plan(
        resource(
            "aws_s3_bucket.b", {"bucket": WORD, "force_destroy": True}, sensitive={"bucket": True}
        )
    )
    files = {"plan.json": text, "main.tf": source}
    report = check(Memory(files), rules(), Options(), selection=lambda p: p == "plan.json")

    assert [(f.rule, f.span.path) for f in report.findings] == [
        ("data-kept-by-force-lost", "plan.json")
    ]
    assert WORD not in everything(report)


def test_nothing_of_a_sensitive_policy_is_said() -> None:
    secret = policy({"Effect": "Allow", "Action": "sqs:DeleteQueue", "Resource": "*"})
    report = run(plan(resource("aws_iam_policy.p", {"policy": secret}, sensitive={"policy": True})))

    assert [f.rule for f in report.findings] == ["write-on-all-resources"]
    assert "DeleteQueue" not in everything(report)


def test_a_sensitive_variable_and_what_a_provider_is_given() -> None:
    text = plan(
        resource("aws_sqs_queue.q", {"name": "q"}),
        variables={"region": "eu-wset-1", "word": WORD},
        declared={"region": {"sensitive": True}, "word": {"sensitive": True, "default": WORD}},
        providers={"aws": provider("aws", region=refers("var.region"), secret_key=WORD)},
        indent=None,
    )
    report = run(text)

    assert WORD not in everything(report)
    assert "eu-wset-1" not in everything(report)


def test_outputs_drift_and_the_prior_state_are_hidden_too() -> None:
    data = json.loads(plan(resource("aws_s3_bucket.b", {"bucket": "b", "force_destroy": True})))
    data["output_changes"] = {"o": {"actions": ["create"], "after": WORD, "after_sensitive": True}}
    data["planned_values"]["outputs"] = {"o": {"sensitive": True, "value": WORD}}
    data["resource_drift"] = [
        {"address": "a.b", "change": {"before": {"x": [WORD]}, "before_sensitive": {"x": [True]}}}
    ]
    report = run(json.dumps(data))
    shown = report.findings[0].span.document.text

    assert WORD not in shown
    assert len(shown) == len(json.dumps(data))


# Changes and failures


def test_what_is_destroyed_is_counted_and_no_finding_yet() -> None:
    text = plan(
        resource(
            "aws_db_instance.gone",
            {},
            actions=("delete",),
            before={"a": 1},
            action_reason="delete_because_no_resource_config",
        ),
        resource(
            "aws_db_instance.new",
            {"engine": "x"},
            actions=("delete", "create"),
            before={"a": 1},
            replace_paths=[["engine"]],
            action_reason="replace_because_cannot_update",
        ),
        resource("aws_sqs_queue.q", {"name": "q"}, actions=("no-op",)),
    )
    report = run(text)

    assert said(report) == []
    assert dict(report.planned) == {
        "destroy": 1,
        "destroy of what holds data or has a guard": 1,
        "replace": 1,
        "replace of what holds data or has a guard": 1,
    }
    assert '"planned": {"destroy": 1' in everything(report)


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ('{"format_version": "2.0", "planned_values": {}}', "unreadable", "format version 2.0"),
        (
            '{"format_version": "1.0", "terraform_version": "1.5.0", "values": {"root_module": {}}}',
            "unreadable",
            "is a state, not a plan",
        ),
        ('{"format_version": "1.2", "planned_values": {"root_module"', "syntax", "cut off"),
        ('{"format_version": "1.2", "planned_values": {]}', "syntax", "column 46: expected"),
        ('{"format_version": "1.2", "planned_values": {x}}', "syntax", "expected a name"),
        (
            'terraform-bin show -json\n{"format_version": "1.2", "planned_values": {}}',
            "syntax",
            'has other output in front of the JSON text: expected a JSON object, found "t"',
        ),
        (
            '{"format_version": "1.2", "planned_values": ' + "[" * 5000 + "]" * 5000 + "}",
            "limit",
            "nested more than 200 levels deep",
        ),
    ],
)
def test_failures_say_what_is_wrong(text: str, kind: str, words: str) -> None:
    report = run(text)

    assert report.findings == []
    [failure] = report.failures
    assert (failure.kind.value, failure.fatal) == (kind, True)
    assert words in failure.message


def test_a_plan_that_ended_with_an_error_is_analysed_and_said_to_be_incomplete() -> None:
    report = run(plan(resource("aws_iam_policy.all", {"policy": ADMIN}), errored=True))

    assert [f.rule for f in report.findings] == ["admin-grant"]
    [failure] = report.failures
    assert (failure.kind, failure.fatal) == (FailureKind.INCOMPLETE, False)


def test_a_value_that_is_no_json_is_a_failure() -> None:
    text = plan(resource("aws_iam_policy.all", {"policy": ADMIN})).replace(
        '"policy": "{', '"policy": "\\q{', 1
    )
    report = run(text)

    assert [f.kind for f in report.failures] == [FailureKind.SYNTAX]


def test_the_same_plan_gives_the_same_report() -> None:
    text = with_sources()

    assert everything(run(text, SOURCES)) == everything(run(text, SOURCES))


def _places(data: Any) -> list[list[Any]]:
    """The path of every value within a document."""
    found: list[list[Any]] = []
    pending: list[tuple[Any, list[Any]]] = [(data, [])]
    while pending:
        current, path = pending.pop()
        if isinstance(current, dict):
            pending.extend((value, [*path, key]) for key, value in current.items())
        elif isinstance(current, list):
            pending.extend((value, [*path, number]) for number, value in enumerate(current))
        if path:
            found.append(path)
    return found


STRANGE: tuple[Any, ...] = (
    None,
    True,
    0,
    "",
    "x",
    [],
    {},
    [[]],
    {"a": 1},
    [None],
    "[",
    {"references": "x"},
)


@pytest.mark.parametrize("strange", STRANGE, ids=repr)
def test_any_part_of_another_type_is_a_report_and_never_a_crash(strange: Any) -> None:
    text = with_sources(
        variables={"a": "eu-west-1"},
        prior=(resource("data.aws_region.current", {"name": "eu-west-1"}, expressions={}),),
    )
    for path in _places(json.loads(text)):
        data = json.loads(text)
        holder = data
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = strange
        report = run(json.dumps(data), SOURCES)

        assert [f.message for f in report.failures if f.kind is FailureKind.INTERNAL] == [], path
