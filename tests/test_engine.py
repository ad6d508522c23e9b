"""The door to the analysis: levels, places, failures, selection, suppression, the same output twice."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from blastdoor import catalog, engine
from blastdoor.detect import DETECTORS
from blastdoor.engine import Options, active, analyze_files, check
from blastdoor.evaluate.terraform import evaluate_root
from blastdoor.finding import FailureKind, Level
from blastdoor.report.json import write_json
from blastdoor.report.sarif import write_sarif
from blastdoor.source import Memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from blastdoor.catalog import Rule
    from blastdoor.detect.hit import Hit
    from blastdoor.fact import Facts
    from blastdoor.finding import Report

FORCE = 'resource "aws_s3_bucket" "b" {\n  force_destroy = true\n}\n'
VAULT = 'resource "aws_backup_vault" "v" {\n  force_destroy = true\n}\n'
PROVIDER = 'provider "aws" {\n  region = "eu-west-1"\n}\n'


@cache
def rules() -> tuple[Rule, ...]:
    return tuple(catalog.load())


def run(files: Mapping[str, str], **options: Any) -> Report:
    return check(Memory(files), rules(), Options(**options))


def said(report: Report) -> list[tuple[str, str, str]]:
    """Rule, level and path of every finding."""
    return [(f.rule, f.level.word, f.span.path) for f in report.findings]


# Levels


def test_the_level_of_the_page() -> None:
    assert said(run({"main.tf": FORCE})) == [("data-kept-by-force-lost", "warning", "main.tf")]
    assert said(run({"main.tf": VAULT})) == [("data-kept-by-force-lost", "error", "main.tf")]


@pytest.mark.parametrize("folder", ["examples/a", "test", "modules/x/fixtures", "Demo"])
def test_a_demo_folder_makes_a_note(folder: str) -> None:
    report = run({f"{folder}/main.tf": VAULT})
    assert [("data-kept-by-force-lost", "note", f"{folder}/main.tf")] == said(report)
    assert report.findings[0].evidence == ("in a folder of tests or examples",)


@pytest.mark.parametrize(
    ("folder", "vault", "bucket"),
    [
        ("live/prod", "error", "warning"),
        ("envs/dev", "warning", "note"),
        ("envs/eu/staging", "warning", "note"),
        ("envs/sandbox", "warning", "note"),
        ("live/network-prod", "error", "warning"),
        ("live/developers", "error", "warning"),
        ("ci-runners", "error", "warning"),
        ("live", "error", "warning"),
    ],
)
def test_what_is_not_production_is_one_level_less(folder: str, vault: str, bucket: str) -> None:
    report = run({f"{folder}/a.tf": VAULT, f"{folder}/b.tf": FORCE})
    assert [vault, bucket] == [f.level.word for f in report.findings]
    lowered = ("not a production environment",) if vault == "warning" else ()
    assert lowered == report.findings[0].evidence


def test_a_local_may_name_the_environment() -> None:
    files = {"main.tf": VAULT + 'locals {\n  environment = "dev"\n}\n'}
    assert [f.level.word for f in run(files).findings] == ["warning"]


def test_a_file_of_values_may_name_the_environment() -> None:
    files = {"main.tf": VAULT, "dev.tfvars": ""}
    assert [f.level.word for f in run(files).findings] == ["warning"]
    # The strongest of the variants counts: the same bucket is in production, too.
    assert [f.level.word for f in run({**files, "prod.tfvars": ""}).findings] == ["error"]


def test_the_default_of_a_variable_names_no_environment() -> None:
    files = {"main.tf": VAULT + 'variable "environment" {\n  default = "dev"\n}\n'}
    assert [f.level.word for f in run(files).findings] == ["error"]


def test_the_configuration_names_environments() -> None:
    files = {"live/blue/main.tf": VAULT}
    assert [f.level.word for f in run(files, environments={"live/blue": "dev"}).findings] == [
        "warning"
    ]


def test_the_configuration_sets_levels() -> None:
    report = run({"main.tf": VAULT}, levels={"data-kept-by-force-lost": Level.NOTE})
    assert [f.level.word for f in report.findings] == ["note"]


LACKING = (
    'variable "region" {{\n  {default}\n}}\nprovider "aws" {{\n  region = var.region\n}}\n'
    "locals {{\n  sizes = {{ us-east-1 = 1, us-west-2 = 2 }}\n  size  = local.sizes[var.region]\n}}\n"
)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"main.tf": LACKING.format(default='default = "eu-west-1"')}, ["warning"]),
        (
            {"main.tf": LACKING.format(default=""), "terraform.tfvars": 'region = "eu-west-1"\n'},
            ["error"],
        ),
        ({"main.tf": LACKING.format(default='default = "us-east-1"')}, []),
        ({"main.tf": LACKING.format(default="")}, []),
    ],
)
def test_a_contradiction_by_a_default_alone_is_a_warning(
    files: dict[str, str], expected: list[str]
) -> None:
    report = run(files, select=frozenset({"mapping-lacks-target-region"}))
    assert expected == [f.level.word for f in report.findings]


# Places

CALLED = 'variable "force" {}\nresource "aws_s3_bucket" "b" {\n  force_destroy = var.force\n}\n'


def test_one_finding_at_one_place_however_many_callers() -> None:
    calls = "".join(
        f'module "{name}" {{\n  source = "./m"\n  n = "{name}"\n}}\n' for name in ("a", "b", "c")
    )
    module = 'variable "n" {}\n' + FORCE.replace("{\n", "{\n  bucket = var.n\n", 1)
    report = run({"main.tf": PROVIDER + calls, "m/main.tf": module})
    assert said(report) == [("data-kept-by-force-lost", "warning", "m/main.tf")]


def test_a_value_that_the_caller_gives_is_the_callers() -> None:
    calls = "".join(
        f'module "{name}" {{\n  source = "./m"\n  force = {force}\n}}\n'
        for name, force in (("a", "true"), ("b", "false"))
    )
    report = run({"main.tf": PROVIDER + calls, "m/main.tf": CALLED})
    assert said(report) == [("data-kept-by-force-lost", "warning", "main.tf")]
    (finding,) = report.findings
    assert finding.span.text == "true"
    assert finding.unit == "module.a.aws_s3_bucket.b"


def test_two_roots_that_call_one_module_give_one_finding_in_it() -> None:
    files = {
        f"live/{name}/main.tf": PROVIDER
        + f'module "m" {{\n  source = "../../m"\n  n = "{name}"\n}}\n'
        for name in ("one", "two")
    }
    module = 'variable "n" {}\n' + FORCE.replace("{\n", "{\n  bucket = var.n\n", 1)
    report = run({**files, "m/main.tf": module})
    assert said(report) == [("data-kept-by-force-lost", "warning", "m/main.tf")]
    assert report.units == 2


def test_variants_are_looked_at_one_by_one() -> None:
    files = {
        "main.tf": PROVIDER + CALLED,
        "a.tfvars": "force = true\n",
        "b.tfvars": "force = false\n",
    }
    assert len(run(files).findings) == 1
    assert run(files, var_files=("b.tfvars",)).findings == []


def test_one_finding_has_the_causes_of_every_variant_as_related() -> None:
    files = {
        "main.tf": PROVIDER + CALLED,
        "a.tfvars": "force = true\n",
        "b.tfvars": "force = true\n",
    }
    (finding,) = run(files).findings
    assert sorted(related.span.path for related in finding.related) == ["a.tfvars", "b.tfvars"]


def test_many_variants_are_counted_as_skipped() -> None:
    files = {
        "main.tf": PROVIDER + CALLED,
        **{f"v{n:02}.tfvars": "force = false\n" for n in range(20)},
    }
    report = run(files)
    assert dict(report.skipped) == {"variables file beyond 16 of one root": 4}


def test_what_another_rule_says_better_is_not_said_twice() -> None:
    one, other = rules()[:2]

    def hits(facts: Facts) -> Iterator[Hit]:
        from blastdoor.detect.hit import Hit

        for resource in facts.unit.resources:
            yield Hit(resource.span, "x", resource.address)

    chosen = (
        replace(one, detector="test", match=None, supersedes=(other.id,)),
        replace(other, detector="test", match=None, supersedes=()),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "DETECTORS", {**DETECTORS, "test": hits})
        report = analyze_files({"main.tf": FORCE}, chosen)
    assert [one.id] == [finding.rule for finding in report.findings]


# What is not known

UNKNOWN = [
    'variable "v" {}\nresource "aws_s3_bucket" "b" {\n  force_destroy = var.v\n}\n',
    (
        'variable "v" {}\nprovider "aws" {\n  region = var.v\n}\nresource "aws_sqs_queue" "q" {\n'
        '  name = "orders-us-east-1"\n}\n'
    ),
    'variable "v" {}\nresource "aws_iam_policy" "p" {\n  policy = var.v\n}\n',
    (
        'variable "v" {}\nresource "aws_iam_policy" "p" {\n'
        "  policy = jsonencode({ Statement = var.v })\n}\n"
    ),
    (
        'variable "v" {}\nresource "aws_iam_policy" "p" {\n  policy = jsonencode({ Statement = [{\n'
        '    Effect = "Allow", Action = var.v, Resource = var.v }] })\n}\n'
    ),
    (
        'variable "v" {}\nresource "aws_s3_bucket_policy" "p" {\n'
        "  policy = jsonencode({ Statement = [{\n"
        '    Effect = "Allow", Action = "s3:GetObject", Resource = "*", Principal = var.v }] })\n}\n'
    ),
    (
        'variable "v" {}\nresource "aws_db_instance" "d" {\n  deletion_protection = var.v\n'
        "  skip_final_snapshot = var.v\n}\n"
    ),
    'variable "v" {}\nlocals {\n  m = { us-east-1 = 1 }\n  x = local.m[var.v]\n}\n',
    'variable "v" {}\nresource "aws_sqs_queue" "q" {\n  for_each = var.v\n  name = each.key\n}\n',
    'resource "aws_s3_bucket" "b" {\n  force_destroy = local.missing\n}\n',
    'resource "aws_s3_bucket" "b" {\n  force_destroy = timestamp()\n}\n',
    (
        "locals {\n  a = local.b\n  b = local.a\n}\n"
        'resource "aws_s3_bucket" "b" {\n  force_destroy = local.a\n}\n'
    ),
]


@pytest.mark.parametrize("text", UNKNOWN)
def test_a_value_that_is_not_known_yields_no_finding(text: str) -> None:
    backend = 'terraform {\n  backend "s3" {}\n}\n'
    report = run({"main.tf": backend + text}, pedantic=True)
    unpinned = {"provider-region-unset", "no-default-provider-selected"}
    assert [found for found in said(report) if found[0] not in unpinned] == []
    assert report.failures == []


def test_the_default_of_a_module_that_nothing_calls_yields_no_finding() -> None:
    files = {"modules/m/main.tf": CALLED.replace("{}", "{\n  default = true\n}", 1)}
    assert said(run(files)) == []
    assert said(
        run({**files, "main.tf": PROVIDER + 'module "m" { source = "./modules/m" }\n'})
    ) == [("data-kept-by-force-lost", "warning", "modules/m/main.tf")]


# Failures


def test_a_bug_in_one_detector_is_a_failure_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(_facts: Facts) -> Iterator[Hit]:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(engine, "DETECTORS", {**DETECTORS, "rollout.all-at-once": broken})
    report = run({"main.tf": FORCE})
    assert [f.rule for f in report.findings] == ["data-kept-by-force-lost"]
    (failure,) = report.failures
    assert (
        failure.kind,
        failure.rule,
        failure.fatal,
    ) == (FailureKind.INTERNAL, "all-at-once", True)
    assert "ZeroDivisionError: oops" in failure.message


def test_a_bug_halfway_through_a_detector_gives_none_of_its_findings_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original = DETECTORS["guard.data-kept-by-force-lost"]

    def broken(facts: Facts) -> Iterator[Hit]:
        yield from original(facts)
        raise KeyError("late")

    monkeypatch.setattr(engine, "DETECTORS", {**DETECTORS, "guard.data-kept-by-force-lost": broken})
    report = run({"main.tf": FORCE})
    assert [failure.kind for failure in report.failures] == [FailureKind.INTERNAL]


def test_a_bug_in_the_evaluation_of_one_unit_leaves_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original = evaluate_root

    def broken(repository: Any, root: Any, *rest: Any, **named: Any) -> Any:
        if root.directory == "a":
            raise RecursionError("deep")
        return original(repository, root, *rest, **named)

    monkeypatch.setattr(engine, "evaluate_root", broken)
    report = run({"a/main.tf": FORCE, "b/main.tf": FORCE})
    assert [f.span.path for f in report.findings] == ["b/main.tf"]
    assert {(FailureKind.INTERNAL, "a")} == {(f.kind, f.path) for f in report.failures}


def test_what_does_not_parse_is_a_failure_once_and_the_rest_is_judged() -> None:
    report = run({"a.tf": FORCE, "b.tf": "locals {\n  x = @\n}\n", "p.tfvars": "", "q.tfvars": ""})
    assert len(report.findings) == 1
    assert [(f.kind, f.path) for f in report.failures] == [(FailureKind.SYNTAX, "b.tf")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\ufeff",
        "resource",
        'resource "a" {}\nresource {}\ndata "x" "y" "z" {}\n',
        "locals {\n" + "".join(f"  n{i} = local.n{i + 1}\n" for i in range(5000)) + "}\n",
        'module "m" {\n  source = "."\n}\n',
        'module "m" {\n  source = "./"\n  for_each = module.m\n}\n',
        'provider "aws" {\n  region = data.aws_region.r.name\n}\ndata "aws_region" "r" {}\n',
        'provider "aws" {\n  region = aws_x.y.region\n}\nresource "aws_x" "y" {}\n',
        'provider "aws" {\n  alias = var.a\n  region = local.none[0].x\n}\n',
        (
            'data "aws_iam_policy_document" "d" {\n'
            "  source_policy_documents = [data.aws_iam_policy_document.d.json]\n}\n"
        ),
        'resource "x_y" "z" {\n  for_each = x_y.z\n  a = x_y.z[each.key].a\n}\n',
        'resource "x_y" "z" {\n  count = x_y.z.count\n}\n',
        'variable "v" {\n  type = object({ a = optional(list(any), [1]) })\n  default = {}\n}\n',
        (
            'variable "v" {\n  type = list()\n  default = [1]\n}\n'
            'variable "w" {\n  type = map(1)\n  default = {}\n}\n'
        ),
        'locals {\n  x = "' + "${" * 300 + "1" + "}" * 300 + '"\n}\n',
        "locals {\n  x = " + "-" * 5000 + "1\n}\n",
        "locals {\n  x = " + "(" * 5000 + "1" + ")" * 5000 + "\n}\n",
        "locals {\n  x = a" + "[0]" * 5000 + "\n}\n",
        "locals {\n  x = a" + "[*]" * 5000 + "\n}\n",
        'resource "x_y" "z" {\n' + "b {\n" * 500 + "}\n" * 500 + "}\n",
    ],
)
def test_no_text_makes_an_internal_failure(text: str) -> None:
    report = run({"main.tf": text}, pedantic=True)
    assert [f for f in report.failures if f.kind is FailureKind.INTERNAL] == []


# Selection


def test_only_what_is_selected_is_reported() -> None:
    files = {"a/main.tf": FORCE, "b/main.tf": FORCE, "c.tf": "locals {\n  x = @\n}\n"}
    report = check(Memory(files), rules(), Options(), selection=lambda path: path.startswith("a/"))
    assert [f.span.path for f in report.findings] == ["a/main.tf"]
    assert report.failures == []
    assert report.units == 1


def test_comments_of_files_that_are_not_selected_are_not_judged() -> None:
    used = FORCE.replace("{\n", '{\n  # blastdoor: ignore[GRD002] reason="a sandbox"\n', 1)
    files = {"a.tf": used, "b.tf": "locals {}\n"}
    assert check(Memory(files), rules(), Options()).failures == []
    report = check(Memory(files), rules(), Options(), selection=lambda path: path == "b.tf")
    assert report.failures == []


def test_a_selected_module_is_judged_through_its_callers() -> None:
    files = {
        "live/main.tf": PROVIDER + FORCE + 'module "m" {\n  source = "../m"\n}\n',
        "m/main.tf": CALLED.replace("{}", "{\n  default = true\n}", 1),
    }
    report = check(Memory(files), rules(), Options(), selection=lambda path: path == "m/main.tf")
    assert [f.span.path for f in report.findings] == ["m/main.tf"]


def test_files_that_are_inputs_only_are_not_reported() -> None:
    source = Memory({"main.tf": FORCE, "other.tf": VAULT})
    entries = [replace(entry, reported=entry.path == "main.tf") for entry in source.files()]
    report = check(source, rules(), Options(), entries=entries)
    assert [f.span.path for f in report.findings] == ["main.tf"]


def test_rules_are_chosen() -> None:
    every = {rule.id for rule in active(rules(), Options())}
    assert "data-kept-by-force-lost" in every
    assert {"all-at-once"} == {
        rule.id for rule in active(rules(), Options(select=frozenset({"all-at-once"})))
    }
    assert every - {"all-at-once"} == {
        rule.id for rule in active(rules(), Options(ignore=frozenset({"all-at-once"})))
    }
    assert every <= {rule.id for rule in active(rules(), Options(pedantic=True))}
    assert run({"main.tf": FORCE}, ignore=frozenset({"data-kept-by-force-lost"})).findings == []


# Suppression


def allowed(comment: str) -> str:
    return f'resource "aws_s3_bucket" "b" {{\n  {comment}\n  force_destroy = true\n}}\n'


def test_a_suppression_with_a_reason_silences() -> None:
    report = run(
        {
            "main.tf": allowed(
                '# blastdoor: ignore[data-kept-by-force-lost] reason="a scratch bucket"'
            )
        }
    )
    assert report.findings == []
    assert [f.suppression.reason for f in report.suppressed if f.suppression is not None] == [
        "a scratch bucket"
    ]
    assert report.failures == []


def test_inline_suppressions_can_be_turned_off() -> None:
    files = {
        "main.tf": allowed('# blastdoor: ignore[data-kept-by-force-lost] reason="a scratch bucket"')
    }
    report = run(files, inline_suppressions=False)
    assert (len(report.findings), len(report.suppressed)) == (1, 0)


def test_an_expired_suppression_silences_nothing() -> None:
    files = {
        "main.tf": allowed(
            '# blastdoor: ignore[data-kept-by-force-lost] until=2025-01-01 reason="a scratch bucket"'
        )
    }
    assert run(files, today=dt.date(2024, 12, 31)).findings == []
    assert len(run(files, today=dt.date(2025, 1, 2)).findings) == 1


# The same output twice

REPOSITORY = {
    "live/prod/main.tf": PROVIDER + FORCE + VAULT + 'module "m" {\n  source = "../../m"\n}\n',
    "live/dev/main.tf": FORCE + 'module "m" {\n  source = "../../m"\n  force = true\n}\n',
    "live/dev/dev.tfvars": "x = 1\n",
    "m/main.tf": CALLED.replace("{}", "{\n  default = true\n}", 1)
    + 'data "aws_regions" "all" {}\nresource "aws_sqs_queue" "q" {\n'
    "  for_each = toset(data.aws_regions.all.names)\n  region = each.key\n  name = each.key\n}\n"
    'resource "aws_iam_policy" "p" {\n  policy = jsonencode({ Statement = [{ Effect = "Allow", '
    'Action = "*", Resource = "*" }] })\n}\n',
    "m/override.tf": 'resource "aws_sqs_queue" "q" {\n  name = "x"\n}\n',
    "bad.tf": "locals {\n  x = @\n}\n",
}


def output(files: Mapping[str, str]) -> tuple[str, str]:
    report = run(files)
    assert len(report.findings) >= 5
    text, log = io.StringIO(), io.StringIO()
    write_json(text, report, rules(), version="1.0.0")
    write_sarif(log, report, rules(), version="1.0.0")
    return text.getvalue(), log.getvalue()


def test_two_runs_give_the_same_bytes() -> None:
    assert output(REPOSITORY) == output(REPOSITORY)


def test_the_order_of_the_files_says_nothing() -> None:
    assert output(REPOSITORY) == output(dict(reversed(REPOSITORY.items())))


def test_other_hashes_give_the_same_bytes(tmp_path: Any) -> None:
    """Sets and dictionaries of strings are ordered by a seed that differs from run to run."""
    import os
    import subprocess
    import sys

    for path, text in REPOSITORY.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    outputs = {
        subprocess.run(
            [sys.executable, "-m", "blastdoor", "check", "--format", "json", str(tmp_path)],
            capture_output=True,
            check=False,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(outputs) == 1
    assert b'"findings"' in outputs.pop()


def test_the_recursion_limit_and_the_collector_are_put_back() -> None:
    import gc
    import sys

    before = sys.getrecursionlimit(), gc.isenabled()
    run({"main.tf": FORCE})
    assert before == (sys.getrecursionlimit(), gc.isenabled())


def test_progress_is_told() -> None:
    seen: list[tuple[int, int]] = []
    files = {"a/main.tf": FORCE, "b/main.tf": FORCE}
    check(Memory(files), rules(), progress=lambda number, total: seen.append((number, total)))
    assert seen == [(0, 2), (1, 2), (2, 2)]
