"""SARIF: what GitHub and others need, whatever the input holds."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from blastdoor.finding import (
    Failure,
    FailureKind,
    Finding,
    Level,
    Related,
    Report,
    Suppression,
)
from blastdoor.reach import Reach, Regions
from blastdoor.report.sarif import (
    MAX_RESULTS,
    Revision,
    language_of,
    pascal,
    plain_text,
    semantic_version,
    uri_of,
    write_sarif,
)
from blastdoor.span import Document, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.report.conftest import Build, FakeRule


def log_text(report: Report, rules: Sequence[FakeRule] = (), **options: Any) -> str:
    stream = io.StringIO()
    write_sarif(stream, report, rules, **{"version": "1.2.3", **options})
    return stream.getvalue()


def run_of(report: Report, rules: Sequence[FakeRule] = (), **options: Any) -> Any:
    log = json.loads(log_text(report, rules, **options))
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    assert log["version"] == "2.1.0"
    [run] = log["runs"]
    return run


def regions(value: object) -> Iterator[dict[str, Any]]:
    """Every region anywhere in a log."""
    if isinstance(value, dict):
        if "artifactLocation" in value:
            yield from (value[name] for name in ("region", "contextRegion") if name in value)
        for item in value.values():
            yield from regions(item)
    elif isinstance(value, list):
        for item in value:
            yield from regions(item)


def everything(build: Build) -> tuple[Report, list[FakeRule]]:
    """A report that uses every part of the log."""
    broken = Document("live/broken.tf", "a = {\n")
    odd = Document("live/a b/50% [é].tf", 'x = "北京 😀" # \u202e\x1b[31m\n')
    finding = build.finding
    report = build.report(
        build.chained(),
        finding(level=Level.WARNING, message="see `live/variables.tf:2` for {0} [x](1) \\ ${a}"),
        finding(build.at(build.main, build.main.text), Level.NOTE),
        replace(finding(build.at(odd, "北京")), rule="star-grant", axis="actions"),
        replace(finding(Span(odd, 0, 0)), rule="unknown"),
    )
    report.failures = [
        Failure(FailureKind.SYNTAX, broken.path, "expected '}'", Span(broken, 6, 6)),
        Failure(FailureKind.UNREADABLE, "live/x.tf", "permission denied"),
        Failure(FailureKind.INTERNAL, "live/main.tf", "KeyError: 'x'", rule="star-grant"),
        Failure(FailureKind.INTERNAL, "", "KeyError: 'x'", rule="unused"),
        Failure(FailureKind.SUPPRESSION, "live/main.tf", "no [reason]"),
    ]
    report.suppressed = [
        replace(finding(), suppression=Suppression("we move", build.at(build.main, "actions"))),
        replace(finding(), suppression=Suppression("known")),
    ]
    report.coverage.resolved["region"] = 3
    rules = [
        build.rule(),
        build.rule("star-grant", family="grant", axes=("actions",), path="rules/grant/s-g.md"),
        build.rule("unused"),
    ]
    return report, rules


def test_what_no_consumer_shows_is_in_the_property_bag(build: Build) -> None:
    reach = Reach(regions=Regions("us-east-1"))
    finding = replace(
        build.finding(),
        axis="regions",
        attribute="for_each",
        evidence=("a note: below tests/",),
        reach=reach,
    )
    [result] = run_of(build.report(finding))["results"]

    assert result["properties"] == {
        "axis": "regions",
        "attribute": "for_each",
        "evidence": ["a note: below tests/"],
        "reach": json.loads(json.dumps(reach.to_json())),
    }


def test_a_clean_run_has_results_and_rules(build: Build) -> None:
    run = run_of(Report(), [build.rule()])

    assert run["results"] == []
    assert run["tool"]["driver"]["rules"] == []
    assert run["invocations"] == [{"executionSuccessful": True}]
    assert "automationDetails" not in run
    assert "versionControlProvenance" not in run


def test_the_run_says_how_to_read_it() -> None:
    run = run_of(Report())

    assert run["columnKind"] == "unicodeCodePoints"
    assert run["originalUriBaseIds"] == {
        "%SRCROOT%": {"description": {"text": "The root of the repository."}}
    }
    driver = run["tool"]["driver"]
    assert driver["name"] == "blastdoor"
    assert driver["version"] == driver["semanticVersion"] == "1.2.3"
    assert driver["informationUri"].startswith("https://")


def test_what_is_given_is_written(tmp_path: Path) -> None:
    revision = Revision("https://example.com/repo", commit="abc", branch="main")
    run = run_of(Report(), root=str(tmp_path), category="live/", revision=revision)

    assert run["originalUriBaseIds"]["%SRCROOT%"]["uri"] == tmp_path.as_uri() + "/"
    assert run["automationDetails"] == {"id": "live/"}
    assert run["versionControlProvenance"] == [
        {
            "repositoryUri": "https://example.com/repo",
            "branch": "main",
            "mappedTo": {"uriBaseId": "%SRCROOT%"},
            "revisionId": "abc",
        }
    ]


def test_a_result(build: Build) -> None:
    report = build.report(build.finding())
    [result] = run_of(report, [build.rule()])["results"]

    assert result == {
        "ruleId": "every-region-target",
        "ruleIndex": 0,
        "kind": "fail",
        "level": "error",
        "message": {"text": "too far."},
        "rank": 90.0,
        "locations": [
            {
                "logicalLocations": [{"fullyQualifiedName": "aws_s3_bucket.b", "kind": "resource"}],
                "physicalLocation": {
                    "artifactLocation": {"uri": "live/main.tf", "uriBaseId": "%SRCROOT%"},
                    "region": {
                        "startLine": 2,
                        "startColumn": 20,
                        "endLine": 2,
                        "endColumn": 46,
                        "snippet": {"text": "data.aws_regions.all.names"},
                    },
                    "contextRegion": {
                        "startLine": 2,
                        "startColumn": 1,
                        "endLine": 2,
                        "endColumn": 47,
                        "snippet": {"text": "  for_each = toset(data.aws_regions.all.names)"},
                    },
                },
            }
        ],
        "partialFingerprints": {
            "primaryLocationLineHash": "dd36642cd131e32:1",
            "blastdoor/v1": report.findings[0].fingerprint,
        },
    }


@pytest.mark.parametrize("level", list(Level))
def test_level_and_kind_are_always_written(build: Build, level: Level) -> None:
    run = run_of(build.report(build.finding(level=level)), [build.rule()])
    [result] = run["results"]

    assert (result["level"], result["kind"]) == (level.word, "fail")
    rule = build.rule(level=level)
    [described] = run_of(build.report(build.finding()), [rule])["tool"]["driver"]["rules"]
    assert described["defaultConfiguration"] == {"level": level.word}


def test_every_region_has_four_columns(build: Build) -> None:
    report, rules = everything(build)
    found = list(regions(run_of(report, rules, include_suppressed=True)))

    assert len(found) > 10
    for region in found:
        assert {"startLine", "startColumn", "endLine", "endColumn"} <= region.keys()
        assert min(v for v in region.values() if isinstance(v, int)) >= 1
        start = (region["startLine"], region["startColumn"])
        assert start <= (region["endLine"], region["endColumn"])


def test_only_used_rules_are_listed_in_order(build: Build) -> None:
    report, rules = everything(build)
    run = run_of(report, rules)
    ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]

    assert ids == ["every-region-target", "star-grant", "unknown"]
    assert all(ids[result["ruleIndex"]] == result["ruleId"] for result in run["results"])


def test_a_rule_that_is_not_about_access(build: Build) -> None:
    [rule] = run_of(build.report(build.finding()), [build.rule()])["tool"]["driver"]["rules"]

    assert rule == {
        "id": "every-region-target",
        "name": "EveryRegionTarget",
        "shortDescription": {"text": "A deployment targets every region."},
        "fullDescription": {"text": "One mistake takes every region down."},
        "help": {
            "text": "One mistake takes every region down.\n\nThe rest of the page.\n\n"
            "Name the regions:\n\nfor_each = {}",
            "markdown": build.rule().help("terraform"),
        },
        "helpUri": "https://github.com/blastdoor/blastdoor/blob/v1.2.3/"
        "rules/region/every-region-target.md",
        "defaultConfiguration": {"level": "error"},
        "properties": {
            "tags": ["region", "regions", "external/cwe/cwe-1188"],
            "precision": "high",
            "code": "RGN010",
            "problem.severity": "error",
        },
    }


@pytest.mark.parametrize("family", ["grant", "network"])
@pytest.mark.parametrize(
    ("level", "severity"),
    [(Level.ERROR, "8.0"), (Level.WARNING, "5.5"), (Level.NOTE, "2.0")],
)
def test_a_rule_about_access_is_a_security_rule(
    build: Build, family: str, level: Level, severity: str
) -> None:
    rule = build.rule(family=family, level=level)
    [described] = run_of(build.report(build.finding()), [rule])["tool"]["driver"]["rules"]
    properties = described["properties"]

    assert properties["security-severity"] == severity
    assert "problem.severity" not in properties
    assert properties["tags"][0] == "security"


def test_rules_stay_within_the_limits(build: Build) -> None:
    rule = build.rule(
        title="t" * 2000,
        why="word " * 1000,
        tags=(*(f"t{n}" for n in range(30)), "security"),
        path="/elsewhere/our-rules/page.md",
    )
    [described] = run_of(build.report(build.finding()), [rule])["tool"]["driver"]["rules"]

    assert len(described["shortDescription"]["text"]) <= 1024
    assert len(described["fullDescription"]["text"]) <= 1024
    assert len(described["properties"]["tags"]) == 10
    assert "security" not in described["properties"]["tags"]
    assert "helpUri" not in described


def test_evidence_is_linked_and_is_a_code_flow(build: Build) -> None:
    [result] = run_of(build.report(build.chained()), [build.rule()])["results"]

    assert result["message"]["text"] == (
        "actions: every action. To contain it: name the actions. "
        "See [live/variables.tf:2](1), [live/main.tf:1](2)."
    )
    assert [place["id"] for place in result["relatedLocations"]] == [1, 2]
    assert result["relatedLocations"][0]["message"]["text"] == "The default of var.actions"
    [flow] = result["codeFlows"]
    [thread] = flow["threadFlows"]
    steps = [step["location"] for step in thread["locations"]]
    assert [step["message"]["text"] for step in steps] == [
        "The default of var.actions",
        "Used by this bucket",
        "actions: every action.",
    ]
    assert not any("id" in step for step in steps)


def test_one_related_place_is_no_code_flow(build: Build) -> None:
    finding = replace(build.chained(), related=build.chained().related[:1])
    [result] = run_of(build.report(finding), [build.rule()])["results"]

    assert "codeFlows" not in result
    assert len(result["relatedLocations"]) == 1


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("`*`, the default at variables.tf:2", "`*`, the default at [variables.tf:2](1)."),
        ("at live/variables.tf:2!", "at [live/variables.tf:2](1)!"),
        ("at variables.tf:21", "at variables.tf:21. See [live/variables.tf:2](1)."),
        (
            "a [link](9) and \\",
            "a \\[link\\](9) and \\\\. See [live/variables.tf:2](1).",
        ),
        ("x\x1b[0m\u202e", "x\\\\x1b\\[0m\\\\u{202e}. See [live/variables.tf:2](1)."),
    ],
)
def test_messages_link_only_to_related_places(build: Build, message: str, text: str) -> None:
    chained = build.chained()
    finding = replace(chained, message=message, contain="", related=chained.related[:1])
    [result] = run_of(build.report(finding), [build.rule()])["results"]

    assert result["message"]["text"] == text


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("a.tf", ("a.tf", True)),
        ("a b/50%/[é]#?.tf", ("a%20b/50%25/%5B%C3%A9%5D%23%3F.tf", True)),
        ("c:d.tf", ("c%3Ad.tf", True)),
        ("../x.tf", ("../x.tf", True)),
        ("bad\udcff.tf", ("bad%FF.tf", True)),
        ("odd\ud800.tf", ("odd%ED%A0%80.tf", True)),
        ("/etc/x y.tf", ("file:///etc/x%20y.tf", False)),
        ("C:/x.tf", ("file:///C:/x.tf", False)),
    ],
)
def test_paths_become_uris(path: str, uri: tuple[str, bool]) -> None:
    assert uri_of(path) == uri


def test_snippets_hold_no_secret_and_no_control_character(build: Build) -> None:
    source = 'password = "hunter2" # \x1b[31m\u202e\n'
    report = build.report(build.finding(build.within(source, '"hunter2"')))

    text = log_text(report)
    assert "hunter2" not in text
    assert "u001b" not in text
    assert "u202e" not in text
    without = log_text(report, snippets=False)
    assert "snippet" not in without
    assert "contextRegion" not in without


def test_long_lines_are_not_quoted(build: Build) -> None:
    report = build.report(build.finding(build.within("x" * 10_000 + "Y", "Y")))
    [result] = run_of(report)["results"]

    assert result["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 1,
        "startColumn": 10_001,
        "endLine": 1,
        "endColumn": 10_002,
    }


def test_columns_count_code_points(build: Build) -> None:
    report = build.report(build.finding(build.within('"😀北" = x', "x")))
    [result] = run_of(report)["results"]

    assert result["locations"][0]["physicalLocation"]["region"]["startColumn"] == 8


def test_failures_are_notifications(build: Build) -> None:
    report, rules = everything(build)
    run = run_of(report, rules)
    [invocation] = run["invocations"]
    notes = invocation["toolExecutionNotifications"]
    kinds = [kind["id"] for kind in run["tool"]["driver"]["notifications"]]

    assert invocation["executionSuccessful"] is False
    assert kinds == ["internal", "suppression", "syntax", "unreadable"]
    assert [note["descriptor"]["id"] for note in notes] == [
        "syntax",
        "unreadable",
        "internal",
        "internal",
        "suppression",
    ]
    assert all(kinds[n["descriptor"]["index"]] == n["descriptor"]["id"] for n in notes)
    assert [note["level"] for note in notes] == ["error"] * 4 + ["warning"]
    assert notes[0]["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "live/broken.tf", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 1}
        | {"snippet": {"text": ""}},
    }
    assert "region" not in notes[1]["locations"][0]["physicalLocation"]
    assert notes[2]["associatedRule"] == {"id": "star-grant", "index": 1}
    assert notes[3]["associatedRule"] == {"id": "unused"}
    assert "locations" not in notes[3]
    assert notes[4]["message"] == {"text": "no \\[reason\\]."}


def test_allowed_failures_are_notes(build: Build) -> None:
    report, rules = everything(build)
    [invocation] = run_of(report, rules, allow_failures=True)["invocations"]

    assert invocation["executionSuccessful"] is True
    assert {note["level"] for note in invocation["toolExecutionNotifications"]} == {"note"}


def test_a_bad_suppression_alone_is_no_failed_run() -> None:
    report = Report(failures=[Failure(FailureKind.SUPPRESSION, "a.tf", "unused")])

    assert run_of(report)["invocations"][0]["executionSuccessful"] is True


def test_suppressed_results_only_when_asked_for(build: Build) -> None:
    report, rules = everything(build)

    assert "suppressions" not in log_text(report, rules)
    results = run_of(report, rules, include_suppressed=True)["results"]
    found = [result["suppressions"] for result in results if "suppressions" in result]
    assert [(s["kind"], s["status"], s["justification"]) for [s] in found] == [
        ("inSource", "accepted", "we move"),
        ("external", "accepted", "known"),
    ]
    assert ["location" in s for [s] in found] == [True, False]


def many(build: Build, number: int) -> list[Finding]:
    """Findings of all levels, the notes first, as if fingerprinted."""
    document = Document("big.tf", "x = 1\n" * number)
    return [
        replace(
            build.finding(Span(document, 6 * n, 6 * n + 1), Level(1 + 3 * n // number)),
            related=(Related(Span(document, 0, 1), "from here"),),
            fingerprint=f"{n:064x}",
        )
        for n in range(number)
    ]


def test_beyond_the_limit_the_most_severe_stay(build: Build) -> None:
    report = Report(findings=many(build, MAX_RESULTS + 600))
    report.suppressed = [replace(f, suppression=Suppression("x")) for f in many(build, 10)]
    run = run_of(report, [build.rule()], snippets=False, include_suppressed=True)

    assert len(run["results"]) == MAX_RESULTS
    levels = [result["level"] for result in run["results"]]
    assert levels.count("error") + levels.count("warning") == sum(
        finding.level > Level.NOTE for finding in report.findings
    )
    assert not any("suppressions" in result for result in run["results"])
    lines = [r["locations"][0]["physicalLocation"]["region"]["startLine"] for r in run["results"]]
    assert lines == sorted(lines)
    [note] = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("610 results")
    assert note["level"] == "warning"


class _Sink(io.TextIOBase):
    """A stream that counts and forgets."""

    def __init__(self) -> None:
        self.characters = 0

    def write(self, text: str) -> int:
        self.characters += len(text)
        return len(text)


def test_results_are_streamed(build: Build) -> None:
    report = Report(findings=many(build, 3000))
    sink: Any = _Sink()
    write_sarif(sink, Report(findings=many(build, 2)), [], version="1")
    tracemalloc.start()
    try:
        write_sarif(sink, report, [build.rule()], version="1")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert sink.characters > 2_500_000
    assert peak < 1_500_000


def test_the_same_report_gives_the_same_bytes(build: Build) -> None:
    report, rules = everything(build)

    assert log_text(report, rules) == log_text(report, rules[::-1])
    assert re.search(r"/work|/home|/tmp", log_text(report, rules)) is None


@pytest.mark.parametrize(
    ("version", "semantic"),
    [
        ("1.2.3", "1.2.3"),
        ("0.1", "0.1.0"),
        ("1.0.0rc1", "1.0.0-rc.1"),
        ("1.0a2.dev3", "1.0.0-alpha.2.dev.3"),
        ("0.1.0.dev0+g12", "0.1.0-dev.0+g12"),
        ("1!2.0", None),
        ("unknown", None),
    ],
)
def test_python_versions_as_semantic_versions(version: str, semantic: str | None) -> None:
    assert semantic_version(version) == semantic


@pytest.mark.parametrize(
    ("slug", "name"),
    [("every-region-target", "EveryRegionTarget"), ("secret", "SecretRule"), ("a1-b", "A1B")],
)
def test_rule_names(slug: str, name: str) -> None:
    assert pascal(slug) == name


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a.tf", "terraform"),
        ("a.tfvars", "terraform"),
        ("a.tf.json", "terraform"),
        ("a.template.json", "cloudformation"),
        ("a.YAML", "cloudformation"),
        ("app/stack.py", "python"),
    ],
)
def test_the_example_is_in_the_language_of_the_first_finding(path: str, language: str) -> None:
    assert language_of(path) == language


def test_markdown_as_plain_text() -> None:
    markdown = "## Why\n\nSee **all** of [it](https://example.com).\n\n```hcl\na = 1\n```\n"

    assert plain_text(markdown) == "Why\n\nSee all of it.\n\na = 1"


MULTITOOL = os.environ.get("BLASTDOOR_MULTITOOL")
"""Path of ``Sarif.Multitool`` (npm: @microsoft/sarif-multitool)."""


@pytest.mark.full
@pytest.mark.skipif(MULTITOOL is None, reason="BLASTDOOR_MULTITOOL is not set")
@pytest.mark.parametrize("which", ["everything", "clean"])
def test_multitool_finds_no_error_and_no_warning(build: Build, tmp_path: Path, which: str) -> None:
    report, rules = everything(build) if which == "everything" else (Report(), [])
    log, out = tmp_path / "log.sarif", tmp_path / "out.sarif"
    log.write_text(log_text(report, rules, include_suppressed=True), encoding="utf-8")
    command = [str(MULTITOOL), "validate", str(log), "--rule-kind", "Sarif;Ghas"]
    subprocess.run(
        [*command, "--level", "Error;Warning;Note", "--output", str(out)],
        check=True,
        capture_output=True,
    )

    [run] = json.loads(out.read_text(encoding="utf-8-sig"))["runs"]
    bad = [r for r in run["results"] if r.get("level", "warning") in {"error", "warning"}]
    assert bad == []
    assert run["results"], "the tool always has a note on provenance: it did read the log"


@pytest.mark.full
@pytest.mark.skipif(MULTITOOL is None, reason="BLASTDOOR_MULTITOOL is not set")
def test_the_log_fits_the_schema_of_the_standard(build: Build) -> None:
    jsonschema_rs = pytest.importorskip("jsonschema_rs")
    schema = Path(str(MULTITOOL)).with_name("sarif-2.1.0.json")
    validator = jsonschema_rs.validator_for(json.loads(schema.read_text(encoding="utf-8-sig")))
    report, rules = everything(build)

    for case in (report, Report(), Report(findings=many(build, 100))):
        log = json.loads(log_text(case, rules, include_suppressed=True, category="x/"))
        assert [error.message for error in validator.iter_errors(log)] == []


@pytest.mark.full
def test_sarif_tools_reads_the_log(build: Build, tmp_path: Path) -> None:
    pytest.importorskip("sarif")
    report, rules = everything(build)
    log = tmp_path / "log.sarif"
    log.write_text(log_text(report, rules), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "sarif", "summary", str(log)],
        check=True,
        capture_output=True,
        text=True,
    )

    assert "error: 3" in done.stdout
    assert "warning: 1" in done.stdout
    assert "note: 1" in done.stdout
