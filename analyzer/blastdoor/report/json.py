"""The report as one JSON document for scripts: stable keys, stable order, nothing machine-specific.

::

    {
      "schema": "blastdoor/report/v1",
      "version": "1.2.3",                       version of blastdoor
      "findings": [{
        "rule": "every-region-target",          slug; "code": "RGN010", "title": …
        "level": "error",                       note, warning or error
        "confidence": "high",
        "message": …, "contain": …,             "" when there is nothing to say
        "path": "live/main.tf",                 relative to the analysed root, / as separator
        "start": {"line": 12, "column": 20},    one-based, in Unicode code points
        "end": {"line": 12, "column": 46},      just behind the last code point
        "unit": "module.net.aws_s3_bucket.b",
        "axis": …, "attribute": …, "value": …,
        "related": [{"path", "start", "end", "message"}],
        "reach": {axis: …} or null,
        "evidence": [words],                    why the level differs from the rule's own
        "fingerprint": "blastdoor/v1, hexadecimal",
        "suppression": {"reason", "until"} or null
      }],
      "suppressed": [as findings],              only when asked for
      "failures": [{"kind", "path", "message", "start", "end", "rule", "fatal"}],
      "summary": {"units", "files", "resources", "findings": {level: n}, "suppressed",
                  "baselined", "failures": {kind: n}, "remarks": {kind: n},
                  "skipped": {reason: n},     remarks: failures that are not fatal
                  "planned": {word: n}},      what plans destroy, replace, …; empty without
      "coverage": {"kinds": {kind: {"resolved", "unresolved", "undecidable", "share"}},
                   "reasons": {reason: n}}      share: resolved of the decidable, or null
    }

Findings come in report order, one to a line. Values of secret-looking attributes are ``***``.
Everything beyond ASCII is escaped, so a terminal that shows the document is safe; a lone surrogate
becomes a visible escape, since JSON in UTF-8 cannot hold it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from blastdoor.fixes import fix_of
from blastdoor.report.escape import encodable
from blastdoor.report.provenance import provenance_json
from blastdoor.report.redact import MASK, is_secret_name, masked
from blastdoor.report.summary import summarise
from blastdoor.report.views import by_id

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from blastdoor.finding import Failure, Finding, Report
    from blastdoor.report.views import RuleView
    from blastdoor.span import Span

SCHEMA: Final = "blastdoor/report/v1"

Json = dict[str, object]


def _place(span: Span) -> Json:
    begin, finish = span.begin, span.finish
    return {
        "start": {"line": begin.line, "column": begin.column},
        "end": {"line": finish.line, "column": finish.column},
    }


def _words(text: str) -> str:
    return encodable(masked(text)).replace("\x7f", "\\x7f")


def _fix(finding: Finding, rule: RuleView | None) -> Json | None:
    """What would mend a finding: edits by place, each with the text that is to stand there."""
    found = None if rule is None else fix_of(finding, rule.fix)
    if found is None:
        return None
    return {
        "title": _words(found.title),
        "safe": found.safe,
        "edits": [
            {"path": _words(edit.span.path), **_place(edit.span), "text": edit.text}
            for edit in found.edits
        ],
    }


def finding_json(finding: Finding, rule: RuleView | None, *, mend: bool = True) -> Json:
    """One finding as JSON data; ``mend``: with what would mend it, which takes time in Python."""
    secret = is_secret_name(finding.attribute)
    suppression = finding.suppression
    return {
        "rule": _words(finding.rule),
        "code": rule.code if rule is not None else "",
        "title": rule.title if rule is not None else "",
        "level": finding.level.word,
        "confidence": rule.confidence if rule is not None else "",
        "message": _words(finding.message),
        "contain": _words(finding.contain),
        "path": _words(finding.span.path),
        **_place(finding.span),
        "unit": _words(finding.unit),
        "axis": finding.axis,
        "attribute": _words(finding.attribute),
        "value": MASK if secret and finding.value else _words(finding.value),
        "related": [
            {
                "path": _words(related.span.path),
                **_place(related.span),
                "message": _words(related.message),
            }
            for related in finding.related
        ],
        "reach": finding.reach.to_json() if finding.reach is not None else None,
        "evidence": [_words(words) for words in finding.evidence],
        "fix": _fix(finding, rule) if mend else None,
        "provenance": provenance_json(finding, _words),
        "fingerprint": finding.fingerprint,
        "suppression": None
        if suppression is None
        else {"reason": _words(suppression.reason), "until": suppression.until},
    }


def failure_json(failure: Failure) -> Json:
    """One failure as JSON data."""
    place: Json = {"start": None, "end": None}
    return {
        "kind": failure.kind.value,
        "path": _words(failure.path),
        "message": _words(failure.message),
        **(place if failure.span is None else _place(failure.span)),
        "rule": failure.rule,
        "fatal": failure.fatal,
    }


def summary_json(report: Report) -> Json:
    """The counts of a report as JSON data."""
    summary = summarise(report)
    return {
        "units": summary.units,
        "files": summary.files,
        "resources": summary.resources,
        "findings": {level.word: number for level, number in summary.levels.items()},
        "suppressed": summary.suppressed,
        "baselined": summary.baselined,
        "failures": summary.failures,
        "remarks": summary.remarks,
        "skipped": summary.skipped,
        "planned": summary.planned,
    }


def coverage_json(report: Report) -> Json:
    """How much could be known, as JSON data."""
    summary = summarise(report)
    return {
        "kinds": {
            kind.kind: {
                "resolved": kind.resolved,
                "unresolved": kind.unresolved,
                "undecidable": kind.undecidable,
                "share": None if kind.share is None else round(kind.share, 4),
            }
            for kind in summary.coverage
        },
        "reasons": summary.reasons,
    }


def write_list(stream: TextIO, name: str, items: Iterable[Json]) -> None:
    """Effect: writes one list of the document, an item to a line."""
    stream.write(f'  "{name}": [')
    separator = "\n    "
    for item in items:
        stream.write(separator + json.dumps(item))
        separator = ",\n    "
    stream.write("\n  ],\n" if separator.startswith(",") else "],\n")


def write_json(
    stream: TextIO,
    report: Report,
    rules: Iterable[RuleView],
    *,
    version: str,
    include_suppressed: bool = False,
) -> None:
    """Effect: writes the document to a text stream, one finding at a time."""
    known = by_id(rules)
    stream.write(f'{{\n  "schema": {json.dumps(SCHEMA)},\n  "version": {json.dumps(version)},\n')
    write_list(stream, "findings", (finding_json(f, known.get(f.rule)) for f in report.findings))
    if include_suppressed:
        write_list(
            stream, "suppressed", (finding_json(f, known.get(f.rule)) for f in report.suppressed)
        )
    write_list(stream, "failures", map(failure_json, report.failures))
    stream.write(f'  "summary": {json.dumps(summary_json(report))},\n')
    stream.write(f'  "coverage": {json.dumps(coverage_json(report))}\n}}\n')
