"""Rules that wait for a condition, and rules that say one thing for each file."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from blastdoor import catalog
from blastdoor.cli import names
from blastdoor.engine import Options, active, asked, check
from blastdoor.finding import FailureKind
from blastdoor.source import Memory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from blastdoor.catalog import RuleSet
    from blastdoor.finding import Report

ROLE = """variable "role" {}
resource "aws_iam_role_policy_attachment" "a" {
  role       = var.role
  policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}
resource "aws_iam_role_policy_attachment" "b" {
  role       = var.role
  policy_arn = "arn:aws:iam::aws:policy/SecurityAudit"
}
"""
CHINA = 'provider "aws" {\n  region = "cn-north-1"\n}\n'
OPEN = """provider "aws" {
}
provider "aws" {
  alias = "dns"
}
resource "aws_sqs_queue" "q" {
}
resource "aws_sqs_queue" "r" {
  provider = aws.dns
}
"""


@cache
def rules() -> RuleSet:
    return catalog.load()


def run(files: Mapping[str, str], **options: Any) -> Report:
    return check(Memory(files), tuple(rules()), Options(**options))


def said(report: Report, rule: str) -> list[tuple[str, int]]:
    return [(f.span.path, f.span.begin.line) for f in report.findings if f.rule == rule]


def test_an_opt_in_rule_is_silent_without_its_condition() -> None:
    assert said(run({"m/main.tf": ROLE}), "hardcoded-partition") == []


def test_it_speaks_unasked_under_its_condition() -> None:
    report = run({"m/main.tf": ROLE, "cn/main.tf": CHINA})

    assert said(report, "hardcoded-partition") == [("m/main.tf", 4)]
    (finding,) = report.findings
    assert "aws-cn" in finding.message
    assert [(r.span.path, r.span.begin.line) for r in finding.related] == [
        ("cn/main.tf", 2),
        ("m/main.tf", 8),
    ]


def test_it_speaks_when_it_is_named() -> None:
    report = run({"m/main.tf": ROLE}, select=frozenset({"hardcoded-partition"}))

    assert said(report, "hardcoded-partition") == [("m/main.tf", 4)]


def test_its_family_names_it_under_its_condition_only() -> None:
    select = names.resolve(["region"], rules(), pedantic=False)
    usual = names.usual(["region"], rules())

    assert "hardcoded-partition" in select & usual
    assert said(run({"m/main.tf": ROLE}, select=select, usual=usual), "hardcoded-partition") == []
    report = run({"m/main.tf": ROLE, "cn/main.tf": CHINA}, select=select, usual=usual)
    assert said(report, "hardcoded-partition") == [("m/main.tf", 4)]
    assert "hardcoded-partition" not in names.usual(["region", "RGN006"], rules())


def test_which_rules_wait() -> None:
    rule = rules().named("hardcoded-partition")

    assert rule in active(rules(), Options())
    assert not asked(rule, Options())
    assert asked(rule, Options(select=frozenset({rule.id})))
    assert not asked(rule, Options(select=frozenset({rule.id}), usual=frozenset({rule.id})))


def test_a_rule_that_waits_finds_no_suppression_unused() -> None:
    comment = '  # blastdoor: ignore[hardcoded-partition] reason="commercial only"\n'
    text = ROLE.replace("  policy_arn", f"{comment}  policy_arn")

    assert [f.kind for f in run({"m/main.tf": text}).failures] == []
    alone = run({"m/main.tf": text.replace("arn:aws:", "arn:other:")})
    assert [f.kind for f in alone.failures] == []
    report = run({"m/main.tf": text, "cn/main.tf": CHINA})
    assert said(report, "hardcoded-partition") == []
    assert len(report.suppressed) == 2


def test_one_finding_per_file_and_each_when_pedantic() -> None:
    files = {"a/main.tf": OPEN, "b/main.tf": OPEN}

    usual, pedantic = run(files), run(files, pedantic=True)
    rule = "provider-region-unset"
    assert said(usual, rule) == [("a/main.tf", 1), ("b/main.tf", 1)]
    assert said(pedantic, rule) == [(f"{n}/main.tf", line) for n in "ab" for line in (1, 3)]
    first = next(f for f in usual.findings if f.rule == rule)
    assert [(r.span.begin.line, r.message) for r in first.related] == [(3, "provider.aws.dns too")]
    assert {f.fingerprint for f in usual.findings} <= {f.fingerprint for f in pedantic.findings}


def test_the_strongest_stands_for_the_file() -> None:
    rule = rules().named("legacy-global-endpoint")
    assert rule.per == "place"
    text = (
        OPEN
        + 'provider "google" {\n}\nprovider "aws" {\n  alias = "x"\n  region = "eu-west-1"\n}\n'
    )
    text = 'provider "google" {\n}\nresource "google_redis_instance" "c" {\n}\n' + text

    (finding,) = (f for f in run({"main.tf": text}).findings if f.rule == "provider-region-unset")
    assert (finding.level.word, finding.span.begin.line) == ("warning", 5)


def test_a_comment_at_one_place_silences_only_that() -> None:
    text = OPEN.replace(
        'provider "aws" {\n}',
        '# blastdoor: ignore[provider-region-unset] reason="x"\nprovider "aws" {\n}',
    )

    report = run({"main.tf": text})
    assert said(report, "provider-region-unset") == [("main.tf", 4)]
    assert len(report.suppressed) == 1
    assert not [f for f in report.failures if f.kind is FailureKind.INTERNAL]


PAGE = """---
id: every-thing
code: RGN999
family: region
title: Everything
level: note
confidence: high
axes: [regions]
modes: [state]
languages: [terraform]
default: opt-in
detector: region.every-thing
fix: none
sources: [A book]
peers: {}
---

It hurts.
"""


def parse(text: str) -> catalog.Rule:
    return catalog.parse(text, "rules/region/every-thing.md", family="region")


def test_the_keys_of_a_page() -> None:
    plain = parse(PAGE)
    rule = parse(PAGE.replace("fix: none", "fix: none\non-when: [a-list, b]\nper: file"))

    assert (plain.on_when, plain.per) == (frozenset(), "place")
    assert (rule.on_when, rule.per) == (frozenset({"a-list", "b"}), "file")


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("default: opt-in", "default: on\non-when: [a]", 12, "goes with 'default: opt-in'"),
        ("fix: none", "fix: none\non-when: [A]", 14, "is no slug"),
        ("fix: none", "fix: none\non-when: a", 14, "is not a list of words"),
        ("fix: none", "fix: none\nper: line", 14, "per is line, not one of file, place"),
        (
            "detector: region.every-thing",
            "on-when: [a]\nmatch: {resource: a, attribute: b, missing: true}",
            12,
            "on-when needs a detector",
        ),
    ],
)
def test_keys_that_are_wrong(old: str, new: str, line: int, words: str) -> None:
    with pytest.raises(catalog.PageError) as error:
        parse(PAGE.replace(old, new))

    assert error.value.line == line
    assert words in error.value.message
