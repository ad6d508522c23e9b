"""The formats of CI systems, read back by a reader that is not ours where there is one."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from junitparser import Error, JUnitXml
from junitparser import Failure as JUnitFailure

from blastdoor.finding import Act, Failure, FailureKind, Level, Remedy, Report
from blastdoor.report.github import write_github
from blastdoor.report.gitlab import write_gitlab
from blastdoor.report.junit import write_junit
from blastdoor.report.rdjsonl import write_rdjsonl
from blastdoor.span import Document, Span

if TYPE_CHECKING:
    from .conftest import Build

HOSTILE = 'a % b:\r\n::error::x, "<y>" & \x1b[31m\x00 é 😀'


def gitlab(report: Report) -> list[dict[str, Any]]:
    out = io.StringIO()
    write_gitlab(out, report)
    found: list[dict[str, Any]] = json.loads(out.getvalue())
    return found


def test_gitlab_says_what_its_documentation_asks_for(build: Build) -> None:
    report = build.report(build.chained(), build.finding(level=Level.NOTE))

    first, second = gitlab(report)

    assert first == {
        "description": "too far",
        "check_name": "every-region-target",
        "fingerprint": report.findings[0].fingerprint,
        "severity": "info",
        "location": {"path": "live/main.tf", "lines": {"begin": 2, "end": 2}},
    }
    assert second["description"] == "actions: every action. To contain it: name the actions"
    assert second["severity"] == "critical"


def test_gitlab_counts_a_failure_as_a_blocker(build: Build) -> None:
    failure = Failure(FailureKind.SYNTAX, "live/main.tf", "expected }", build.at(build.main, "b"))
    remark = Failure(FailureKind.SUPPRESSION, "live/main.tf", "no reason")
    found = gitlab(Report(failures=[failure, remark]))

    assert [(one["severity"], one["check_name"]) for one in found] == [
        ("blocker", "blastdoor-failure-syntax"),
        ("minor", "blastdoor-remark-suppression"),
    ]
    assert found[0]["fingerprint"] != found[1]["fingerprint"]


def test_gitlab_of_nothing_is_an_empty_array() -> None:
    assert gitlab(Report()) == []


def test_github_commands_stay_on_their_line(build: Build) -> None:
    out = io.StringIO()
    place = build.within("x = 1\n", "1", path="a,b:c.tf")
    write_github(out, build.report(build.finding(place, message=HOSTILE)))

    text = out.getvalue()
    assert text.count("\n") == 1
    assert text.startswith(
        "::error file=a%2Cb%3Ac.tf,line=1,endLine=1,col=5,endColumn=6,"
        "title=every-region-target::a %25 b:"
    )
    assert "\x1b" not in text


def test_github_leaves_columns_out_of_a_range_of_lines(build: Build) -> None:
    out = io.StringIO()
    place = build.within("x = [\n1\n]\n", "[\n1\n]")
    write_github(out, build.report(build.finding(place, level=Level.NOTE)))

    assert out.getvalue() == (
        "::notice file=a.tf,line=1,endLine=3,title=every-region-target::too far\n"
    )


def test_github_annotates_failures_first(build: Build) -> None:
    out = io.StringIO()
    failure = Failure(FailureKind.LIMIT, "big.tf", "is too large")
    write_github(out, replace(build.report(build.finding()), failures=[failure]))

    assert out.getvalue().splitlines()[0] == (
        "::error file=big.tf,title=blastdoor failure%3A limit::is too large"
    )


def diagnostics(report: Report, build: Build, fix: str = "none") -> list[dict[str, Any]]:
    out = io.StringIO()
    write_rdjsonl(out, report, [build.rule(fix=fix)])
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_rdjsonl_counts_columns_in_bytes(build: Build) -> None:
    place = build.within('x = "é😀" + y\n', "y")

    (found,) = diagnostics(build.report(build.finding(place)), build)

    # x = "é😀" + y: four, a quote, two and four bytes, a quote and three more before y
    assert found["location"] == {
        "path": "a.tf",
        "range": {"start": {"line": 1, "column": 16}, "end": {"line": 1, "column": 17}},
    }
    assert found["severity"] == "ERROR"
    assert found["code"] == {"value": "every-region-target"}


def test_rdjsonl_has_fixes_as_suggestions(build: Build) -> None:
    place = build.within("x = false\n", "false")
    remedy = Remedy(Act.SET, place, "set x to true", data=True)
    finding = replace(build.finding(place), remedies=(remedy,))

    (found,) = diagnostics(build.report(finding), build, "safe")

    (suggestion,) = found["suggestions"]
    assert suggestion["text"] == "true"
    assert suggestion["range"]["start"] == {"line": 1, "column": 5}


def test_rdjsonl_names_the_chain_and_what_failed(build: Build) -> None:
    failure = Failure(FailureKind.SYNTAX, "live/main.tf", "expected }", build.at(build.main, "b"))
    report = replace(build.report(build.chained()), failures=[failure])

    first, second = diagnostics(report, build)

    assert first["message"] == "not analysed: expected }"
    assert [one["location"]["path"] for one in second["related_locations"]] == [
        "live/variables.tf",
        "live/main.tf",
    ]


def junit(report: Report) -> JUnitXml:
    out = io.StringIO()
    write_junit(out, report)
    assert out.getvalue().isascii()
    return JUnitXml.fromstring(out.getvalue().encode())


def test_junit_is_read_by_a_reader_of_junit(build: Build) -> None:
    failure = Failure(FailureKind.SYNTAX, "live/other.tf", HOSTILE)
    report = replace(
        build.report(build.chained(), build.finding(message=HOSTILE)), failures=[failure]
    )

    document = junit(report)

    document.update_statistics()  # type: ignore[no-untyped-call]
    assert (document.tests, document.failures, document.errors) == (3, 2, 1)
    suites = {suite.name: [*suite] for suite in document}
    assert sorted(suites) == ["live/main.tf", "live/other.tf"]
    (result,) = suites["live/other.tf"][0].result
    assert isinstance(result, Error)
    (result,) = suites["live/main.tf"][0].result
    assert isinstance(result, JUnitFailure)
    assert "é 😀" in result.message


def test_junit_of_nothing_has_one_case_that_passed() -> None:
    document = junit(Report())

    document.update_statistics()  # type: ignore[no-untyped-call]
    assert (document.tests, document.failures, document.errors) == (1, 0, 0)


def test_what_xml_cannot_hold_is_replaced() -> None:
    span = Span(Document("a\ufffe.tf", "x"), 0, 1)
    failure = Failure(FailureKind.SYNTAX, span.path, "\ufffe", span)

    assert [suite.name for suite in junit(Report(failures=[failure]))] == ["a\ufffd.tf"]
