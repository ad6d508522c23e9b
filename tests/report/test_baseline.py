"""A baseline silences what it names, and says what is wrong with a bad file."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from blastdoor.finding import Failure, FailureKind
from blastdoor.report.baseline import (
    BaselineError,
    apply_baseline,
    read_baseline,
    write_baseline,
)

if TYPE_CHECKING:
    from tests.report.conftest import Build


def test_a_written_baseline_silences_its_findings(build: Build) -> None:
    old, new = build.finding(), build.chained()
    report = build.report(old, new)
    stream = io.StringIO()
    write_baseline(stream, [f for f in report.findings if f.message == old.message])

    left = apply_baseline(report, read_baseline(stream.getvalue(), "baseline.json"))

    assert [f.message for f in left.findings] == [new.message]
    assert left.baselined == 1
    assert len(report.findings) == 2


def test_the_file_is_sorted_and_for_people(build: Build) -> None:
    findings = build.report(build.chained(), build.finding()).findings
    stream, backwards = io.StringIO(), io.StringIO()
    write_baseline(stream, findings)
    write_baseline(backwards, findings[::-1])

    assert stream.getvalue() == backwards.getvalue()
    data = json.loads(stream.getvalue())
    assert data["version"] == 1
    assert [set(entry) for entry in data["findings"]] == [
        {"path", "rule", "unit", "fingerprint"}
    ] * 2


def test_an_empty_baseline_can_be_read() -> None:
    stream = io.StringIO()
    write_baseline(stream, [])

    assert read_baseline(stream.getvalue(), "b").fingerprints == frozenset()


def test_failures_are_never_in_a_baseline(build: Build) -> None:
    report = build.report(build.finding())
    report.failures.append(Failure(FailureKind.SYNTAX, "a.tf", "broken"))
    stream = io.StringIO()
    write_baseline(stream, report.findings)

    left = apply_baseline(report, read_baseline(stream.getvalue(), "b"))

    assert (left.findings, len(left.failures)) == ([], 1)


def test_entries_that_match_nothing_are_counted(build: Build) -> None:
    findings = build.report(build.chained(), build.finding()).findings
    stream = io.StringIO()
    write_baseline(stream, findings)

    assert read_baseline(stream.getvalue(), "b").stale(findings[:1]) == 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "b.json: not a baseline: Expecting value at line 1, column 1"),
        ("[1,", "b.json: not a baseline: Expecting value at line 1, column 4"),
        ("[]", "b.json: not a baseline: an object is expected"),
        ("{}", "b.json: not a baseline: it has no version"),
        ('{"version": 2}', "b.json: baseline version 2 is not 1: write it again"),
        ('{"version": 1}', "b.json: 'findings' is not a list"),
        ('{"version": 1, "findings": [{}]}', "b.json: finding 1 has no fingerprint"),
        ('{"version": 1, "findings": ["x"]}', "b.json: finding 1 has no fingerprint"),
        ("[" * 100_000, "b.json: not a baseline: nested too deeply"),
    ],
)
def test_a_bad_file_is_named_with_what_is_wrong(text: str, problem: str) -> None:
    with pytest.raises(BaselineError) as error:
        read_baseline(text, "b.json")

    assert str(error.value) == problem
