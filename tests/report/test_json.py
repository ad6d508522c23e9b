"""The JSON document: what scripts may rely on."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from blastdoor.finding import Failure, FailureKind, Report, Suppression
from blastdoor.reach import Reach, Regions
from blastdoor.report.json import SCHEMA, write_json
from blastdoor.span import Document, Span

if TYPE_CHECKING:
    from tests.report.conftest import Build, FakeRule


def written(report: Report, *rules: FakeRule, include_suppressed: bool = False) -> Any:
    stream = io.StringIO()
    write_json(stream, report, rules, version="1.2.3", include_suppressed=include_suppressed)
    return json.loads(stream.getvalue())


def test_a_finding_in_full(build: Build) -> None:
    report = build.report(build.chained())

    assert written(report, build.rule())["findings"] == [
        {
            "rule": "every-region-target",
            "code": "RGN010",
            "title": "A deployment targets every region",
            "level": "error",
            "confidence": "high",
            "message": "actions: every action",
            "contain": "name the actions",
            "path": "live/main.tf",
            "start": {"line": 3, "column": 14},
            "end": {"line": 3, "column": 25},
            "unit": "aws_s3_bucket.b",
            "axis": "",
            "attribute": "",
            "value": "",
            "related": [
                {
                    "path": "live/variables.tf",
                    "start": {"line": 2, "column": 13},
                    "end": {"line": 2, "column": 16},
                    "message": "the default of var.actions",
                },
                {
                    "path": "live/main.tf",
                    "start": {"line": 1, "column": 11},
                    "end": {"line": 1, "column": 24},
                    "message": "used by this bucket",
                },
            ],
            "reach": None,
            "evidence": [],
            "fix": None,
            "provenance": None,
            "fingerprint": report.findings[0].fingerprint,
            "suppression": None,
        }
    ]


def test_reach_is_in_its_normal_form(build: Build) -> None:
    reach = Reach(regions=Regions("us-east-1", "cn-north-1"))
    [finding] = written(Report(findings=[replace(build.finding(), reach=reach)]))["findings"]

    assert finding["reach"] == json.loads(json.dumps(reach.to_json()))
    assert list(finding["reach"]) == ["regions"]


def test_an_empty_report_has_every_key() -> None:
    assert written(Report()) == {
        "schema": SCHEMA,
        "version": "1.2.3",
        "findings": [],
        "failures": [],
        "summary": {
            "units": 0,
            "files": 0,
            "resources": 0,
            "findings": {"error": 0, "warning": 0, "note": 0},
            "suppressed": 0,
            "baselined": 0,
            "failures": {},
            "remarks": {},
            "skipped": {},
            "planned": {},
        },
        "coverage": {"kinds": {}, "reasons": {}},
    }


def test_failures_with_and_without_a_place(build: Build) -> None:
    report = Report(
        failures=[
            Failure(FailureKind.SYNTAX, "a.tf", "expected '}'", build.within("a = ]", "]")),
            Failure(FailureKind.SUPPRESSION, "b.tf", "no reason", rule="star-grant"),
        ]
    )
    first, second = written(report)["failures"]

    assert first == {
        "kind": "syntax",
        "path": "a.tf",
        "message": "expected '}'",
        "start": {"line": 1, "column": 5},
        "end": {"line": 1, "column": 6},
        "rule": None,
        "fatal": True,
    }
    assert (second["start"], second["rule"], second["fatal"]) == (None, "star-grant", False)


def test_coverage_counts_what_is_decidable() -> None:
    report = Report()
    report.coverage.resolved["region"] = 2
    report.coverage.unresolved["region"] = 1
    report.coverage.undecidable["policy"] = 4
    report.coverage.reasons["no value"] = 4

    assert written(report)["coverage"] == {
        "kinds": {
            "policy": {"resolved": 0, "unresolved": 0, "undecidable": 4, "share": None},
            "region": {"resolved": 2, "unresolved": 1, "undecidable": 0, "share": 0.6667},
        },
        "reasons": {"no value": 4},
    }


def test_suppressed_findings_only_when_asked_for(build: Build) -> None:
    hidden = replace(build.finding(), suppression=Suppression("we move", until="2030-01-01"))
    report = Report(suppressed=[hidden])

    assert "suppressed" not in written(report)
    [entry] = written(report, include_suppressed=True)["suppressed"]
    assert entry["suppression"] == {"reason": "we move", "until": "2030-01-01"}


def test_secrets_and_hostile_text(build: Build) -> None:
    place = Span(Document("\ud800\x1b.tf", "x"), 0, 1)
    finding = replace(
        build.finding(place, message="\x1b[31m \u202e \ud800 \x7f"),
        attribute="db.password",
        value="hunter2",
    )
    stream = io.StringIO()
    write_json(stream, Report(findings=[finding]), [], version="1")
    text = stream.getvalue()

    assert "hunter2" not in text
    assert all(" " <= character <= "~" or character == "\n" for character in text)
    [entry] = json.loads(text)["findings"]
    assert entry["value"] == "***"
    assert entry["message"] == "\x1b[31m \u202e \\u{d800} \\x7f"


def test_the_same_report_gives_the_same_bytes(build: Build) -> None:
    report = build.report(build.chained(), build.finding())
    first, second = io.StringIO(), io.StringIO()
    write_json(first, report, [build.rule()], version="1")
    write_json(second, report, [build.rule()], version="1")

    assert first.getvalue() == second.getvalue()
