"""Findings as a JUnit report: a suite per file, a case per finding.

Source: the schema that Jenkins' xunit plugin publishes (``junit-10.xsd``). A finding is a ``failure``,
what could not be analysed an ``error``; a run without either has one case that passed, because some
readers take a report without cases for a broken one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

from blastdoor.report.redact import legible

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from blastdoor.finding import Failure, Finding, Report

_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold at all (section 2.2)."""


def _text(words: str) -> str:
    return _FORBIDDEN.sub("\ufffd", legible(words))


def _case(suite: str, name: str, inner: str) -> str:
    return (
        f"    <testcase classname={quoteattr(suite)} name={quoteattr(name)}>\n"
        f"{inner}    </testcase>\n"
    )


def _finding(suite: str, finding: Finding) -> str:
    place = _text(str(finding.span))
    body = f"{place}: {_text(finding.message)}"
    if finding.contain:
        body += f"\nTo contain it: {_text(finding.contain)}"
    for related in finding.related:
        body += f"\n{_text(str(related.span))}: {_text(related.message)}"
    name = f"{finding.rule} in line {finding.span.begin.line}: {_text(finding.unit)}"
    return _case(
        suite,
        name,
        f"      <failure type={quoteattr(finding.level.word)} "
        f"message={quoteattr(_text(finding.message))}>{escape(body)}</failure>\n",
    )


def _failure(suite: str, failure: Failure) -> str:
    place = _text(failure.path if failure.span is None else str(failure.span))
    body = f"{place}: {_text(failure.message)}"
    return _case(
        suite,
        f"{failure.word}: {failure.kind.value}",
        f"      <error type={quoteattr(failure.kind.value)} "
        f"message={quoteattr(_text(failure.message))}>{escape(body)}</error>\n",
    )


def write_junit(stream: TextIO, report: Report) -> None:
    """Effect: writes the document to a text stream, suite by suite."""
    found: dict[str, list[Finding]] = {}
    failed: dict[str, list[Failure]] = {}
    for failure in report.failures:
        if failure.fatal:
            failed.setdefault(failure.path, []).append(failure)
    for finding in report.findings:
        found.setdefault(finding.span.path, []).append(finding)
    findings = len(report.findings)
    errors = sum(map(len, failed.values()))
    total = max(findings + errors, 1)

    def write(text: str) -> None:
        # References say any character in any encoding that a stream may have.
        stream.write(text.encode("ascii", "xmlcharrefreplace").decode("ascii"))

    write('<?xml version="1.0" encoding="UTF-8"?>\n')
    write(
        f'<testsuites name="blastdoor" tests="{total}" failures="{findings}" errors="{errors}">\n'
    )
    for path in sorted({*found, *failed}):
        write(_suite(path, found.get(path, []), failed.get(path, [])))
    if not findings and not errors:
        write('  <testsuite name="blastdoor" tests="1" failures="0" errors="0">\n')
        write(_case("blastdoor", "nothing found", ""))
        write("  </testsuite>\n")
    write("</testsuites>\n")


def _suite(path: str, findings: Sequence[Finding], failures: Sequence[Failure]) -> str:
    suite = _text(path)
    head = (
        f'  <testsuite name={quoteattr(suite)} tests="{len(findings) + len(failures)}" '
        f'failures="{len(findings)}" errors="{len(failures)}">\n'
    )
    cases = [_failure(suite, failure) for failure in failures]
    cases += [_finding(suite, finding) for finding in findings]
    return "".join([head, *cases, "  </testsuite>\n"])
