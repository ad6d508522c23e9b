"""Findings as a Code Quality report for GitLab.

Source: GitLab documentation, "Code Quality", section "Implement a custom tool": an array of objects
with ``description``, ``check_name``, ``fingerprint``, ``severity`` and ``location``.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from blastdoor.finding import Level
from blastdoor.report.escape import encodable
from blastdoor.report.redact import legible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from blastdoor.finding import Failure, Finding, Report

SEVERITIES: Final = {Level.ERROR: "critical", Level.WARNING: "major", Level.NOTE: "info"}
"""GitLab knows ``info``, ``minor``, ``major``, ``critical`` and ``blocker``."""


def entries(report: Report) -> Iterator[dict[str, Any]]:
    """The entries of the report: what could not be analysed first, then the findings."""
    for failure in report.failures:
        yield _failure(failure)
    for finding in report.findings:
        yield _finding(finding)


def _finding(finding: Finding) -> dict[str, Any]:
    words = legible(finding.message)
    if finding.contain:
        words = f"{words}. To contain it: {legible(finding.contain)}"
    return {
        "description": words,
        "check_name": finding.rule,
        "fingerprint": finding.fingerprint,
        "severity": SEVERITIES[finding.level],
        "location": {
            "path": encodable(finding.span.path),
            "lines": {"begin": finding.span.begin.line, "end": finding.span.finish.line},
        },
    }


def _failure(failure: Failure) -> dict[str, Any]:
    line = 1 if failure.span is None else failure.span.begin.line
    identity = f"{failure.kind}\0{failure.path}\0{failure.message}\0{line}"
    digest = sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()
    return {
        "description": f"not analysed: {legible(failure.message)}",
        "check_name": f"blastdoor-{failure.word}-{failure.kind.value}",
        "fingerprint": digest,
        "severity": "blocker" if failure.fatal else "minor",
        "location": {"path": encodable(failure.path), "lines": {"begin": line}},
    }


def write_gitlab(stream: TextIO, report: Report) -> None:
    """Effect: writes the array to a text stream, an entry to a line."""
    separator = "\n"
    stream.write("[")
    for entry in entries(report):
        stream.write(separator + json.dumps(entry))
        separator = ",\n"
    stream.write("\n]\n" if separator != "\n" else "]\n")
