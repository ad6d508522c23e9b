"""Findings as Reviewdog diagnostics, one to a line, with fixes as suggestions.

Source: reviewdog, ``proto/rdf/reviewdog.proto``: lines begin at 1; columns begin at 1 and count bytes
of UTF-8.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from blastdoor.finding import Level
from blastdoor.fixes import fix_of
from blastdoor.report.escape import encodable
from blastdoor.report.redact import legible
from blastdoor.report.views import by_id

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from blastdoor.finding import Failure, Finding, Report
    from blastdoor.report.views import RuleView
    from blastdoor.span import Position, Span

SEVERITIES: Final = {Level.ERROR: "ERROR", Level.WARNING: "WARNING", Level.NOTE: "INFO"}
SOURCE: Final = {"name": "blastdoor"}


def _position(span: Span, at: Position) -> dict[str, int]:
    before = span.document.line(at.line)[: at.column - 1]
    return {"line": at.line, "column": len(before.encode("utf-8", "surrogatepass")) + 1}


def _range(span: Span) -> dict[str, Any]:
    return {"start": _position(span, span.begin), "end": _position(span, span.finish)}


def _place(span: Span) -> dict[str, Any]:
    return {"path": encodable(span.path), "range": _range(span)}


def diagnostic(finding: Finding, rule: RuleView | None) -> dict[str, Any]:
    """One finding as JSON data."""
    words = legible(finding.message)
    if finding.contain:
        words = f"{words}. To contain it: {legible(finding.contain)}"
    result: dict[str, Any] = {
        "message": words,
        "location": _place(finding.span),
        "severity": SEVERITIES[finding.level],
        "source": SOURCE,
        "code": {"value": finding.rule},
    }
    fix = None if rule is None else fix_of(finding, rule.fix)
    if fix is not None and all(edit.span.path == finding.span.path for edit in fix.edits):
        result["suggestions"] = [
            {"range": _range(edit.span), "text": edit.text} for edit in fix.edits
        ]
    if finding.related:
        result["related_locations"] = [
            {"message": legible(one.message), "location": _place(one.span)}
            for one in finding.related
        ]
    return result


def failure_diagnostic(failure: Failure) -> dict[str, Any]:
    """What could not be analysed as JSON data."""
    place: dict[str, Any] = {"path": encodable(failure.path)}
    return {
        "message": f"not analysed: {legible(failure.message)}",
        "location": place if failure.span is None else _place(failure.span),
        "severity": "ERROR" if failure.fatal else "WARNING",
        "source": SOURCE,
        "code": {"value": f"{failure.word}-{failure.kind.value}"},
    }


def write_rdjsonl(stream: TextIO, report: Report, rules: Iterable[RuleView]) -> None:
    """Effect: writes a line for each failure and finding to a text stream."""
    known = by_id(rules)
    data = [failure_diagnostic(failure) for failure in report.failures]
    data += [diagnostic(finding, known.get(finding.rule)) for finding in report.findings]
    stream.writelines(f"{json.dumps(one)}\n" for one in data)
