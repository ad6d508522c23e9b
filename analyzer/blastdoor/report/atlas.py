"""The map of what a repository touches, for people and for scripts.

The JSON document::

    {
      "schema": "blastdoor/reach/v1",
      "version": "1.2.3",
      "units": [{
        "unit", "environment", "resources",
        "regions": [{"axis", "reach", "known", "resources": [addresses], "file", "line", "via"}],
        "accounts", "targets", "fleet": as regions
      }],
      "failures": […]
    }
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from blastdoor.delta.atlas import GLOBAL, UNSAID
from blastdoor.finding import Level
from blastdoor.report.escape import encodable, sanitise, width
from blastdoor.report.json import failure_json, write_list
from blastdoor.report.redact import masked
from blastdoor.report.text import PLAIN, Style, counted, render_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import TextIO

    from blastdoor.delta.atlas import Entry, UnitMap
    from blastdoor.finding import Failure

SCHEMA: Final = "blastdoor/reach/v1"
LEAST_COLUMNS: Final = 60
_NAMED: Final = 3
"""Types or addresses that one line names."""
_INDENT: Final = "  "


def write_atlas_json(
    stream: TextIO, units: Sequence[UnitMap], failures: Iterable[Failure], *, version: str
) -> None:
    """Effect: writes the document."""
    stream.write(f'{{\n  "schema": {json.dumps(SCHEMA)},\n  "version": {json.dumps(version)},\n')
    write_list(stream, "units", map(_unit_json, units))
    write_list(stream, "failures", map(failure_json, failures))
    stream.write(f'  "summary": {json.dumps({"units": len(units)})}\n}}\n')


def _unit_json(unit: UnitMap) -> dict[str, Any]:
    return {
        "unit": _words(unit.address),
        "environment": unit.environment,
        "resources": unit.resources,
        "regions": [_entry_json(entry) for entry in unit.regions],
        "accounts": [_entry_json(entry) for entry in unit.accounts],
        "targets": [_entry_json(entry) for entry in unit.targets],
        "fleet": [_entry_json(entry) for entry in unit.fleet],
    }


def _entry_json(entry: Entry) -> dict[str, Any]:
    return {
        "axis": entry.axis,
        "reach": _words(entry.reach),
        "known": entry.known,
        "resources": [_words(address) for address in sorted(entry.addresses)],
        "file": None if entry.span is None else _words(entry.span.path),
        "line": None if entry.span is None else entry.span.begin.line,
        "via": _words(entry.via),
    }


def _words(text: str) -> str:
    return encodable(masked(text))


# Text


def write_atlas_text(
    stream: TextIO,
    units: Sequence[UnitMap],
    failures: Iterable[Failure],
    *,
    style: Style = PLAIN,
    columns: int = 120,
    summary: bool = True,
) -> None:
    """Effect: writes each unit with what it touches, then all of it together."""
    encoding = (getattr(stream, "encoding", None) or "utf-8").lower()

    def write(text: str) -> None:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")

    columns = max(columns, LEAST_COLUMNS)
    for failure in failures:
        write(render_failure(failure, style))
    for number, unit in enumerate(units):
        if number:
            write("")
        name = sanitise(masked(unit.address))
        head = style.strong(name)
        if unit.environment is not None:
            head += f"  {unit.environment}"
        write(f"{head}  {counted(unit.resources, 'resource')}")
        before = ""
        for label, entry in _entries(unit):
            _line(write, entry, "" if label == before else label, style, columns)
            before = label
    if summary:
        if units:
            write("")
        for line in _sums(units, style, columns):
            write(line)


def _entries(unit: UnitMap) -> Iterator[tuple[str, Entry]]:
    accounts = [entry for entry in unit.accounts if entry.reach != UNSAID]
    for label, entries in (
        ("regions", unit.regions),
        ("accounts", accounts),
        ("targets", unit.targets),
        ("fleet", unit.fleet),
    ):
        for entry in entries:
            yield label, entry


_AXIS: Final = 10
_REACH: Final = 40


def _line(
    write: Callable[[str], None], entry: Entry, label: str, style: Style, columns: int
) -> None:
    reach_columns = min(_REACH, (columns - _AXIS) // 2)
    reach = _clipped(_reach(entry), reach_columns)
    what = _clipped(_what(entry), columns - _AXIS - reach_columns - 6)
    padded = reach + " " * (reach_columns - width(reach))
    line = f"{_INDENT}{label:<{_AXIS}}  {padded}  {what}".rstrip()
    write(style.level(Level.WARNING, line) if entry.broad else line)


def _reach(entry: Entry) -> str:
    via = f", via {entry.via}" if entry.via and entry.broad else ""
    return f"{_plain(entry.reach)}{via}"


def _plain(reach: str) -> str:
    """The words without what the label beside them says."""
    return reach.removeprefix("account ").removeprefix("unknown: ")


def _what(entry: Entry) -> str:
    number = len(entry.addresses)
    if number == 1:
        return entry.addresses[0]
    kinds = Counter(entry.types)
    names = [name for name, _count in sorted(kinds.items(), key=lambda kv: (-kv[1], kv[0]))]
    shown = ", ".join(names[:_NAMED])
    more = f" and {len(names) - _NAMED} more types" if len(names) > _NAMED else ""
    return f"{number}: {shown}{more}"


def _clipped(text: str, limit: int) -> str:
    text = sanitise(masked(text))
    if width(text) <= limit:
        return text
    while text and width(text) > limit - 1:
        text = text[:-1]
    return text + "…"


def _sums(units: Sequence[UnitMap], style: Style, columns: int) -> list[str]:
    """The axes over all units, the most frequent first."""
    total = sum(unit.resources for unit in units)
    lines = [style.strong(f"{counted(len(units), 'unit')}, {counted(total, 'resource')}")]
    for axis, entries in (
        ("regions", [(u, e) for u in units for e in u.regions if e.reach != GLOBAL]),
        ("accounts", [(u, e) for u in units for e in u.accounts if e.reach != UNSAID]),
        ("targets", [(u, e) for u in units for e in u.targets]),
        ("fleet", [(u, e) for u in units for e in u.fleet]),
    ):
        resources: Counter[str] = Counter()
        places: dict[str, set[str]] = {}
        broad: set[str] = set()
        for unit, entry in entries:
            name = entry.reach if entry.known else "what the code does not say"
            resources[name] += len(entry.addresses)
            places.setdefault(name, set()).add(unit.address)
            if entry.broad:
                broad.add(name)
        ranked = sorted(resources, key=lambda name: (name not in broad, -resources[name], name))
        for number, name in enumerate(ranked[:_ROWS]):
            label = axis if number == 0 else ""
            reach_columns = min(_REACH, (columns - _AXIS) // 2)
            reach = _clipped(_plain(name), reach_columns)
            units_ = counted(len(places[name]), "unit")
            what = f"{counted(resources[name], 'resource')} in {units_}"
            line = (
                f"{_INDENT}{label:<{_AXIS}}  {reach}{' ' * (reach_columns - width(reach))}  {what}"
            )
            lines.append(style.level(Level.WARNING, line) if name in broad else line)
        if len(ranked) > _ROWS:
            lines.append(f"{_INDENT}{'':<{_AXIS}}  and {len(ranked) - _ROWS} more")
    return lines


_ROWS: Final = 12
"""Reaches of one axis that the sums name."""
