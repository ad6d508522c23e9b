"""What a change reaches, for people and for scripts: the reach table, JSON, Markdown.

The JSON document::

    {
      "schema": "blastdoor/change/v1",
      "version": "1.2.3",
      "base": "main", "head": "HEAD",           as the caller named them
      "units": ["live/orders"],                 what the change speaks to
      "widenings": [{
        "axis", "before", "after",              in words
        "rule", "unit", "also", "file", "line",   also: what else it happens to
        "evidence": [{"path", "line", "message"}],
        "provenance": as in `blastdoor.report.provenance`
        "finding": as in a report (`blastdoor.report.json`)
      }],
      "narrowings": [{"axis", "before", "after", "unit", "file", "line"}],
      "introduced": [findings],                 of head on these units, that base did not have
      "unchanged": n,                           findings that both have
      "failures": […], "summary": {…}
    }
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from blastdoor.delta.compare import Event
from blastdoor.finding import Level
from blastdoor.report.escape import encodable, sanitise, width
from blastdoor.report.json import failure_json, finding_json, summary_json, write_list
from blastdoor.report.provenance import provenance_json
from blastdoor.report.redact import masked
from blastdoor.report.text import (
    PLAIN,
    Style,
    counted,
    render_failure,
    render_failure_line,
    render_finding,
    render_line,
)
from blastdoor.report.views import by_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TextIO

    from blastdoor.change import Comparison
    from blastdoor.report.views import RuleView

SCHEMA: Final = "blastdoor/change/v1"
_COLUMNS: Final = 160
"""Columns of the table where nobody says how many there are."""
_LEAST: Final = 16
"""Columns that a cell always has."""
_MOST: Final = 25
"""Rows of one kind that the table shows."""
_ESCAPED: Final = re.compile(r"([\\`*_\[\]<>|#@!~&])")
"""What Markdown or HTML would read, and ``@`` and ``#``, which forges link."""


class Row(NamedTuple):
    """One line of the reach table."""

    axis: str
    before: str
    after: str
    what: str
    level: Level | None
    """``None`` for what became narrower."""


def rows(found: Comparison) -> list[Row]:
    """The reach table: what widened, heaviest first, then what became narrower."""
    wide = [
        Row(f.axis, f.before, f.after, _also(f.unit, len(f.also)), f.level) for f in found.widenings
    ]
    narrow = [
        Row(d.axis, d.before, d.after, _also(d.address, len(d.also)), None)
        for d in found.deltas
        if d.event is Event.NARROWED
    ]
    return [*wide, *narrow]


def _also(address: str, more: int) -> str:
    return f"{address} and {more} more" if more else address


# Text


def _clipped(text: str, limit: int) -> str:
    text = sanitise(masked(text))
    if width(text) <= limit:
        return text
    while width(text) > limit - 1:
        text = text[:-1]
    return text + "…"


def _table(lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(width(line[column]) for line in lines) for column in range(len(lines[0]))]
    return [
        "  ".join(
            cell + " " * (size - width(cell)) for cell, size in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    ]


def render_table(found: Comparison, style: Style = PLAIN, columns: int = _COLUMNS) -> str:
    """The reach table, ending in a line end; ``""`` when nothing changed its reach."""
    wide = [row for row in rows(found) if row.level is not None]
    narrow = [row for row in rows(found) if row.level is None]
    if not wide and not narrow:
        return ""
    shown = [*wide[:_MOST], *narrow[:_MOST]]
    cell = max(_LEAST, (columns - _AXIS - 2 * _GAPS) * 2 // 7)
    cells = [("axis", "before", "after", "what"), *(_cells(row, cell) for row in shown)]
    head, *lines = _table(cells)
    painted = [style.strong(head)]
    for row, line in zip(shown, lines, strict=True):
        painted.append(line if row.level is None else style.level(row.level, line))
    parts = painted[: 1 + len(wide[:_MOST])] if wide else []
    if len(wide) > _MOST:
        parts.append(f"and {len(wide) - _MOST} more that reach further")
    if narrow:
        above = [""] if wide else []
        below = [] if wide else painted[:1]
        heading = style.strong("narrower than before")
        parts += [*above, heading, *below, *painted[1 + len(wide[:_MOST]) :]]
    if len(narrow) > _MOST:
        parts.append(f"and {len(narrow) - _MOST} more")
    return "\n".join(parts) + "\n"


_AXIS: Final = 11
"""Columns of the longest axis."""
_GAPS: Final = 3


def _cells(row: Row, cell: int) -> tuple[str, str, str, str]:
    what = _clipped(row.what, cell * 3 // 2)
    return row.axis, _clipped(row.before, cell), _clipped(row.after, cell), what


def write_change_text(  # noqa: PLR0913  everything after the rules by name
    stream: TextIO,
    found: Comparison,
    rules: Iterable[RuleView],
    *,
    names: tuple[str, str],
    style: Style = PLAIN,
    columns: int = _COLUMNS,
    summary: bool = True,
    snippets: bool = True,
) -> None:
    """Effect: writes failures, what widened, what else is new, the table and the sums."""
    encoding = (getattr(stream, "encoding", None) or "utf-8").lower()

    def write(text: str) -> None:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))

    known = by_id(rules)
    report = found.whole()
    for failure in report.failures:
        text = render_failure(failure, style) if snippets else render_failure_line(failure)
        write(text + "\n")
    for finding in report.findings:
        rule = known.get(finding.rule)
        write((render_finding(finding, rule, style) if snippets else render_line(finding)) + "\n")
    table = render_table(found, style, columns)
    if table:
        base, head = map(sanitise, names)
        if not snippets:
            write("\n")
        write(f"reach of {head}, was {base}\n\n{table}\n")
    if summary:
        write(_sums(found, style) + "\n")


def _sums(found: Comparison, style: Style) -> str:
    wide = counted(len(found.widenings), "widening")
    errors = sum(finding.level is Level.ERROR for finding in found.widenings)
    if errors:
        wide = style.level(Level.ERROR, f"{wide} ({counted(errors, 'error')})")
    elif not found.widenings:
        wide = style.strong("nothing reaches further than before")
    narrow = sum(delta.event is Event.NARROWED for delta in found.deltas)
    parts = [wide]
    if narrow:
        parts.append(f"{narrow} narrower")
    if found.introduced:
        parts.append(counted(len(found.introduced), "new finding"))
    if found.unchanged:
        parts.append(f"{counted(len(found.unchanged), 'finding')} as before")
    if found.report.failures or found.base_failures:
        number = len(found.whole().failures)
        parts.append(style.failure(counted(number, "failure")))
    return f"{', '.join(parts)} in {counted(len(found.units), 'changed unit')}"


# JSON


def _words(text: str) -> str:
    return encodable(masked(text))


def write_change_json(
    stream: TextIO,
    found: Comparison,
    rules: Iterable[RuleView],
    *,
    version: str,
    names: tuple[str, str],
) -> None:
    """Effect: writes the document."""
    known = by_id(rules)
    report = found.whole()
    base, head = names
    stream.write(f'{{\n  "schema": {json.dumps(SCHEMA)},\n  "version": {json.dumps(version)},\n')
    stream.write(f'  "base": {json.dumps(_words(base))},\n  "head": {json.dumps(_words(head))},\n')
    stream.write(f'  "units": {json.dumps([_words(unit) for unit in found.units])},\n')
    write_list(
        stream,
        "widenings",
        (
            {
                "axis": f.axis,
                "before": _words(f.before),
                "after": _words(f.after),
                "rule": f.rule,
                "unit": _words(f.unit),
                "also": [_words(address) for address in f.also],
                "file": _words(f.span.path),
                "line": f.span.begin.line,
                "evidence": [
                    {
                        "path": _words(r.span.path),
                        "line": r.span.begin.line,
                        "message": _words(r.message),
                    }
                    for r in f.related
                ],
                "provenance": provenance_json(f, _words),
                "finding": finding_json(f, known.get(f.rule)),
            }
            for f in found.widenings
        ),
    )
    write_list(
        stream,
        "narrowings",
        (
            {
                "axis": d.axis,
                "before": _words(d.before),
                "after": _words(d.after),
                "unit": _words(d.address),
                "file": _words(d.span.path),
                "line": d.span.begin.line,
            }
            for d in found.deltas
            if d.event is Event.NARROWED
        ),
    )
    new = (finding_json(f, known.get(f.rule)) for f in found.introduced)
    write_list(stream, "introduced", new)
    stream.write(f'  "unchanged": {len(found.unchanged)},\n')
    write_list(stream, "failures", map(failure_json, report.failures))
    stream.write(f'  "summary": {json.dumps(summary_json(report))}\n}}\n')


# Markdown


def _cell(text: str) -> str:
    text = _ESCAPED.sub(r"\\\1", sanitise(masked(text)))
    return text if len(text) <= 200 else text[:199] + "…"  # noqa: PLR2004  characters of a cell


def _agents(found: Comparison) -> list[str]:
    """Lines that say which widenings stand on what an AI agent wrote, with the evidence."""
    said: dict[str, int] = {}
    for finding in found.widenings:
        for mark in finding.marks:
            said[mark.words] = said.get(mark.words, 0) + 1
    if not said:
        return []
    number = sum(bool(finding.provenance) for finding in found.widenings)
    lines = ["", f"{counted(number, 'widening')} in what an AI agent wrote:", ""]
    shown = list(said.items())[:_MOST]
    lines += [f"- {_cell(words)} ({counted(times, 'widening')})" for words, times in shown]
    return [*lines, f"- and {len(said) - _MOST} more"] if len(said) > _MOST else lines


def write_change_markdown(
    stream: TextIO,
    found: Comparison,
    rules: Iterable[RuleView],
    *,
    names: tuple[str, str],
) -> None:
    """Effect: writes the change as a comment on a pull request (GitHub Flavored Markdown)."""
    known = by_id(rules)
    base, head = map(_cell, names)
    wide = [row for row in rows(found) if row.level is not None]
    narrow = [row for row in rows(found) if row.level is None]
    title = counted(len(wide), "widening") if wide else "Nothing reaches further than before"
    lines = [
        f"### {title}",
        "",
        f"{head}, was {base}; {counted(len(found.units), 'changed unit')}.",
    ]
    if wide:
        lines += ["", "| | axis | before | after | what |", "| --- | --- | --- | --- | --- |"]
        lines += [
            f"| {row.level.word if row.level else ''} | {row.axis} | {_cell(row.before)} "
            f"| {_cell(row.after)} | {_cell(row.what)} |"
            for row in wide[: 2 * _MOST]
        ]
        if len(wide) > 2 * _MOST:
            lines.append(f"\nand {len(wide) - 2 * _MOST} more.")
    if narrow:
        lines += ["", f"<details><summary>{len(narrow)} narrower</summary>", ""]
        lines += ["| axis | before | after | what |", "| --- | --- | --- | --- |"]
        lines += [
            f"| {row.axis} | {_cell(row.before)} | {_cell(row.after)} | {_cell(row.what)} |"
            for row in narrow[:_MOST]
        ]
        lines += ["", "</details>"]
    if found.introduced:
        lines += ["", f"**{counted(len(found.introduced), 'new finding')}**", ""]
        for finding in found.introduced[:_MOST]:
            rule = known.get(finding.rule)
            code = f" ({rule.code})" if rule is not None else ""
            where = f"{finding.span.path}:{finding.span.begin.line}"
            by = f"; written by {_cell(finding.marks[0].agent)}" if finding.marks else ""
            lines.append(
                f"- {finding.level.word}: {_cell(finding.message)}, {_cell(where)}{code}{by}"
            )
    lines += _agents(found)
    failures = found.whole().failures
    if failures:
        lines += ["", f"**{counted(len(failures), 'place')} could not be analysed**", ""]
        lines += [f"- {_cell(f.path)}: {_cell(f.message)}" for f in failures[:_MOST]]
    stream.write(encodable("\n".join(lines)) + "\n")
