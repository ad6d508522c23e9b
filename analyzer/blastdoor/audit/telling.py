"""A report in the form that the store takes: JSON data of findings, units, failures and coverage.

Words are as every report writes them: secrets masked, nothing that a terminal obeys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from blastdoor.owners import CODEOWNERS, Owners
from blastdoor.reach import (
    Accounts,
    AllIn,
    AnyAccount,
    Everywhere,
    Fleet,
    Inherited,
    Organization,
    OrganizationalUnit,
    Regions,
)
from blastdoor.report.escape import encodable, sanitise
from blastdoor.report.json import coverage_json, failure_json, finding_json, summary_json
from blastdoor.report.redact import masked, quoted_parts
from blastdoor.report.views import by_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from blastdoor.delta.atlas import Entry, UnitMap
    from blastdoor.finding import Report
    from blastdoor.reach import Extent
    from blastdoor.report.views import RuleView
    from blastdoor.source import Files
    from blastdoor.span import Span

Json = dict[str, Any]

WHOLE: Final = 1000
"""The breadth of a reach without an end: every region, the organization, any account."""
PART: Final = 500
"""That of one that ends at a partition or an organizational unit, whatever it holds."""
MAX_QUOTED: Final = 20
"""Places of a chain that are quoted."""
MAX_SNIPPET: Final = 400
"""Code points of a line that is quoted."""
MAX_ADDRESSES: Final = 50
"""Addresses that one reach of a unit names."""


def told(
    report: Report,
    rules: Iterable[RuleView],
    units: Sequence[UnitMap],
    files: Files,
    environment_of: Callable[[str], str],
) -> Json:
    """Everything a report and the map of reach say."""
    known = by_id(rules)
    findings: list[Json] = []
    for one, suppressed in (
        *((finding, False) for finding in report.findings),
        *((finding, True) for finding in report.suppressed),
    ):
        rule = known.get(one.rule)
        findings.append(
            {
                **finding_json(one, rule, mend=False),
                "family": "" if rule is None else rule.family,
                "environment": environment_of(one.span.path),
                "suppressed": suppressed,
                "quote": _quote(one.span),
                "quotes": [_quote(related.span) for related in one.related[:MAX_QUOTED]],
            }
        )
    maps = [_unit(unit) for unit in units]
    paths = {finding["path"] for finding in findings}
    paths.update(entry["path"] for unit in maps for entry in unit["reach"] if entry["path"])
    return {
        "findings": findings,
        "units": maps,
        "failures": [failure_json(failure) for failure in report.failures],
        "coverage": coverage_json(report),
        "summary": summary_json(report),
        "owners": _owners(files, paths),
    }


def _quote(span: Span) -> list[str] | None:
    """What stands before, in and behind a place on its line, secrets masked; ``None``: too long."""
    begin, finish = span.begin, span.finish
    low, high = span.document.line_range(begin.line)
    if high - low > MAX_SNIPPET:
        return None
    end = span.end if finish.line == begin.line else high
    return [sanitise(part) for part in quoted_parts(span.document, low, high, span.start, end)]


def _unit(unit: UnitMap) -> Json:
    return {
        "address": _words(unit.address),
        "environment": unit.environment or "",
        "resources": unit.resources,
        "reach": [
            _entry(entry, about)
            for about, entries in (
                ("regions", unit.regions),
                ("accounts", unit.accounts),
                ("targets", unit.targets),
                ("fleet", unit.fleet),
            )
            for entry in entries
        ],
    }


def _entry(entry: Entry, about: str) -> Json:
    addresses = sorted(entry.addresses)
    return {
        "about": about,
        "axis": entry.axis,
        "reach": _words(entry.reach),
        "known": entry.known,
        "broad": entry.broad,
        "pinned": pinned(entry.extent) if entry.axis == "regions" else None,
        "breadth": breadth(entry.extent),
        "resources": len(addresses),
        "addresses": [_words(address) for address in addresses[:MAX_ADDRESSES]],
        "path": "" if entry.span is None else _words(entry.span.path),
        "line": None if entry.span is None else entry.span.begin.line,
        "via": _words(entry.via),
    }


def breadth(extent: Extent | None) -> int:
    """How far an extent reaches, as one number for sorting; 0 where it is not known.

    A count of what is named; `WHOLE` and `PART` for what has no count; a share of a fleet in percent.
    """
    if isinstance(extent, Fleet):
        return int(extent.percent)
    if not isinstance(extent, Regions | Accounts):
        return 0
    total = 0
    for element in extent.elements:
        if isinstance(element, Everywhere | AnyAccount | Organization):
            return WHOLE
        total += PART if isinstance(element, AllIn | OrganizationalUnit) else 1
    return min(total, WHOLE - 1)


def pinned(extent: Extent | None) -> bool | None:
    """Whether the code names every region; ``None`` where that is no question, or not known."""
    if not isinstance(extent, Regions):
        return None
    if any(isinstance(element, Inherited) for element in extent.elements):
        return False
    return True if extent.pinned else None


def _owners(files: Files, paths: Iterable[str]) -> dict[str, list[str]]:
    """File → its owners, of the files that something is said of."""
    for place in CODEOWNERS:
        text = files.read(place)
        if text is not None:
            owners = Owners(text)
            found = {path: sorted(owners.of(path)) for path in sorted(paths)}
            return {path: names for path, names in found.items() if names}
    return {}


def _words(text: str) -> str:
    return encodable(masked(text)).replace("\x7f", "\\x7f")
