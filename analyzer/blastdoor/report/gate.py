"""Decisions of the gate, for people, programs and comments on a pull request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from blastdoor.report.escape import fitting, sanitise
from blastdoor.report.json import failure_json
from blastdoor.report.redact import legible
from blastdoor.report.text import PLAIN, Style, render_failure, render_finding
from blastdoor.report.views import by_id

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from blastdoor.finding import Finding
    from blastdoor.report.views import DecisionView, GatedView, RuleView


def headline(decision: DecisionView) -> str:
    """The decision in one sentence."""
    total = len(decision.gated)
    missing = sum(not one.accepted for one in decision.gated)
    if decision.failures:
        return "closed: not everything could be judged"
    if missing:
        what = "change needs" if missing == 1 else "changes need"
        return f"closed: {missing} of {total} gated {what} the word of a second person"
    if total:
        return f"open: {total} gated change{'s' * (total != 1)} acknowledged"
    return "open: nothing needs the word of a second person"


def write_text(
    stream: TextIO,
    decision: DecisionView,
    rules: Iterable[RuleView],
    *,
    style: Style = PLAIN,
    summary: bool = True,
) -> None:
    """Effect: writes failures, what is missing, what is acknowledged, and the decision."""
    encoding = getattr(stream, "encoding", None)
    known = by_id(rules)

    def write(text: str) -> None:
        stream.write(fitting(text, encoding))

    for failure in decision.failures:
        write(render_failure(failure, style) + "\n")
    for one in decision.gated:
        if one.accepted:
            continue
        write(render_finding(one.finding, known.get(one.finding.rule), style).rstrip("\n"))
        write(f"\n  = gated: {sanitise(one.why)}; fingerprint {one.finding.fingerprint[:12]}\n")
        for problem in one.problems:
            write(f"  = {problem.rule}: {legible(problem.words)}\n")
            write(f"    open it: {legible(problem.contain)}\n")
        write("\n")
    for finding in decision.remarks:
        write(render_finding(finding, known.get(finding.rule), style) + "\n")
    if not summary:
        return
    for one in decision.gated:
        if one.accepted:
            until = f" until {one.until}" if one.until else ""
            write(f"acknowledged by {sanitise(one.by)}{until}: {legible(one.finding.message)}\n")
    write(f"gate {style.strong(headline(decision))}\n")


def _entry(one: GatedView) -> dict[str, Any]:
    finding = one.finding
    return {
        "rule": finding.rule,
        "level": finding.level.word,
        "message": legible(finding.message),
        "fingerprint": finding.fingerprint,
        "axis": finding.axis,
        "before": legible(finding.before),
        "after": legible(finding.after),
        "unit": legible(finding.unit),
        "file": legible(finding.span.path),
        "line": finding.span.begin.line,
        "why": legible(one.why),
        "provenance": [legible(str(mark)) for mark in finding.marks],
        "accepted": one.accepted,
        "by": legible(one.by),
        "until": one.until,
        "problems": [
            {"rule": p.rule, "message": legible(p.words), "contain": legible(p.contain)}
            for p in one.problems
        ],
    }


def write_json(stream: TextIO, decision: DecisionView, *, version: str) -> None:
    """Effect: writes the decision as one JSON document."""
    data = {
        "version": version,
        "open": decision.open,
        "decision": headline(decision),
        "gated": [_entry(one) for one in decision.gated],
        "remarks": [
            {"rule": f.rule, "message": legible(f.message), "file": legible(f.span.path)}
            for f in decision.remarks
        ],
        "failures": [failure_json(failure) for failure in decision.failures],
    }
    stream.write(json.dumps(data, indent=2) + "\n")


def _cell(text: str) -> str:
    """Words within a table of Markdown, none of them markup."""
    plain = legible(text)
    for character in "\\`*_[]<>|#@&":
        plain = plain.replace(character, f"&#{ord(character)};")
    return plain


def write_markdown(stream: TextIO, decision: DecisionView) -> None:
    """Effect: writes the decision as a comment on a pull request."""
    stream.write(f"**blastdoor gate {headline(decision)}**\n")
    if decision.gated:
        stream.write("\n| | axis | before | after | what | word |\n|---|---|---|---|---|---|\n")
    for one in decision.gated:
        finding = one.finding
        word = _cell(f"{one.by} until {one.until}" if one.until else one.by)
        if not one.accepted:
            word = "<br>".join(f"{p.rule}: {_cell(p.words)}" for p in one.problems)
        stream.write(
            f"| {'yes' if one.accepted else '**no**'} | {_cell(finding.axis)} "
            f"| {_cell(finding.before) or '-'} | {_cell(finding.after) or '-'} "
            f"| {_cell(_place(finding))} | {word} |\n"
        )
    stream.writelines(
        f"\n- not judged: {_cell(failure.path)}: {_cell(failure.message)}\n"
        for failure in decision.failures
    )


def _place(finding: Finding) -> str:
    return f"{finding.rule}: {finding.unit} ({finding.span})"
