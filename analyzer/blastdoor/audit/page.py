"""The page of a report: of one analysis, or of an audit in the store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from blastdoor.audit.query import QueryError, ask
from blastdoor.audit.telling import told
from blastdoor.report.page.model import FindingRow, Page, ReachRow, RepositoryRow, RuleRow
from blastdoor.report.sarif import REPOSITORY

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from blastdoor.delta.atlas import UnitMap
    from blastdoor.finding import Report
    from blastdoor.report.views import RuleView
    from blastdoor.source import Files

_LEVELS: Final = {"error": 0, "warning": 1, "note": 2}
_MOST_WORDS: Final = 8
_BROAD_FIRST: Final = "broad DESC, breadth DESC, resources DESC, repository, unit, axis, reach"


def of_report(  # noqa: PLR0913  what a report is made of
    report: Report,
    rules: Sequence[RuleView],
    units: Sequence[UnitMap],
    files: Files,
    *,
    name: str,
    version: str,
) -> Page:
    """The page of one analysis; ``name`` is what was analysed."""
    data = told(report, rules, units, files, lambda _path: "")
    summary = data["summary"]
    repository = RepositoryRow(name, "", summary["units"], summary["resources"])
    findings = [
        _finding(0, row, "; ".join(row["provenance"]))
        for row in data["findings"]
        if not row["suppressed"]
    ]
    reaches = [
        _reach(0, {**entry, "unit": unit["address"], "environment": unit["environment"]})
        for unit in data["units"]
        for entry in unit["reach"]
        if entry["axis"] in ("regions", "accounts", "fleet")
    ]
    reaches.sort(key=lambda row: (not row.broad, -row.resources, row.unit, row.axis, row.reach))
    return Page(
        name,
        f"{summary['files']:,} files, blastdoor {version}",
        [repository],
        _worst_first(findings),
        _rules(rules, {finding.rule for finding in findings}, version),
        reaches,
        [(name, f["path"], f["message"]) for f in data["failures"] if f["fatal"]],
    )


def of_store(
    connection: sqlite3.Connection,
    rules: Sequence[RuleView],
    *,
    audit: int,
    logs: str | None,
) -> Page:
    """The page of an audit; ``logs`` is where its SARIF logs are, relative to the page."""
    said = connection.execute("SELECT * FROM audit WHERE id = ?", (audit,)).fetchone()
    repositories, places = _repositories(connection, audit, logs)
    new, trend = _trend(connection, audit)
    agents: dict[int, str] = {}
    for row in connection.execute(
        "SELECT a.finding, a.agent, a.mark FROM agent a JOIN findings f ON f.id = a.finding"
        " WHERE f.audit = ? ORDER BY a.agent, a.mark",
        (audit,),
    ):
        agents.setdefault(row["finding"], f"{row['agent']} ({row['mark']})")
    findings = []
    for row in connection.execute(
        "SELECT * FROM findings WHERE audit = ? AND suppressed IS NULL", (audit,)
    ):
        found = _finding(places[row["repository"]], _stored(row), agents.get(row["id"], ""))
        found.new = (row["repository"], row["fingerprint"]) in new
        findings.append(found)
    reaches = [
        _reach(places[row["repository"]], row)
        for row in connection.execute(
            "SELECT * FROM reaches WHERE audit = ? AND axis IN ('regions', 'accounts', 'fleet')"
            f" ORDER BY {_BROAD_FIRST}",  # noqa: S608  a constant
            (audit,),
        )
    ]
    failures = [
        (row["repository"], row["path"], row["message"])
        for row in connection.execute(
            "SELECT repository, path, message FROM failures WHERE audit = ? AND fatal = 1"
            " ORDER BY part DESC, repository, path, message",
            (audit,),
        )
    ]
    return Page(
        "Where can one change take everything down?",
        f"Audit {audit} of {said['started'][:10]}, blastdoor {said['version']}",
        repositories,
        _worst_first(findings),
        _rules(rules, {finding.rule for finding in findings}, said["version"]),
        reaches,
        failures,
        trend,
    )


def _repositories(
    connection: sqlite3.Connection, audit: int, logs: str | None
) -> tuple[list[RepositoryRow], dict[str, int]]:
    rows = [
        RepositoryRow(
            row["name"],
            row["owner"],
            row["units"] or 0,
            row["resources"] or 0,
            row["reason"] or "failed" if row["state"] == "failed" else "",
            _log(logs, row["name"]) if logs is not None and row["state"] == "done" else "",
        )
        for row in connection.execute(
            "SELECT r.name, l.owner, l.state, l.reason, s.units, s.resources FROM ledger l"
            " JOIN repository r ON r.id = l.repository LEFT JOIN result s ON s.id = l.result"
            " WHERE l.audit = ? ORDER BY r.name",
            (audit,),
        )
    ]
    return rows, {row.name: index for index, row in enumerate(rows)}


def _log(logs: str, name: str) -> str:
    from blastdoor.audit.run import log_name

    return quote(f"{logs}/{log_name(name)}" if logs else log_name(name))


def _trend(
    connection: sqlite3.Connection, audit: int
) -> tuple[set[tuple[str, str]], tuple[int, int, int, str] | None]:
    """(repository, fingerprint) of what is new, and the counts; none without an earlier audit."""
    earlier = connection.execute(
        "SELECT id, started FROM audit WHERE finished IS NOT NULL AND id < ? ORDER BY id DESC",
        (audit,),
    ).fetchone()
    if earlier is None:
        return set(), None
    try:
        changes = ask(connection, "changes", audit=audit, base=earlier["id"])
        state, name, print_ = (
            changes.columns.index(column) for column in ("state", "repository", "fingerprint")
        )
        new = {(row[name], row[print_]) for row in changes.rows if row[state] == "new"}
        trend = ask(connection, "trend", audit=audit, base=earlier["id"])
    except QueryError:
        return set(), None
    at = [trend.columns.index(column) for column in ("new", "gone", "unchanged")]
    sums = [0, 0, 0]
    for row in trend.rows:
        for index, column in enumerate(at):
            sums[index] += row[column]
    return new, (sums[0], sums[1], sums[2], f"audit {earlier['id']} of {earlier['started'][:10]}")


def _stored(row: sqlite3.Row) -> dict[str, Any]:
    """A row of the store as the JSON report has it."""
    data = {name: row[name] for name in row.keys()}  # noqa: SIM118  a Row is no mapping
    for name in ("evidence", "related", "reach", "quote", "quotes"):
        data[name] = json.loads(data[name]) if data[name] else None
    data["start"] = {"line": data["line"]}
    return data


def _finding(repository: int, row: Mapping[str, Any], agent: str) -> FindingRow:
    quotes = [*(row["quotes"] or ())]
    related = row["related"] or ()
    quotes += [None] * (len(related) - len(quotes))
    return FindingRow(
        repository,
        row["rule"],
        row["level"],
        row["path"],
        row["start"]["line"],
        row["unit"],
        row["axis"],
        row["message"],
        row["contain"],
        agent=agent,
        quote=_quoted(row["quote"]),
        related=[
            (item["path"], item["start"]["line"], item["message"], _quoted(line))
            for item, line in zip(related, quotes, strict=True)
        ],
        evidence=list(row["evidence"] or ()),
        reach=[(axis, _extent(extent)) for axis, extent in (row["reach"] or {}).items()],
    )


def _quoted(parts: Sequence[str] | None) -> tuple[str, str, str] | None:
    return None if parts is None else (parts[0], parts[1], parts[2])


def _extent(extent: object) -> str:
    """An extent's JSON form in words."""
    if isinstance(extent, list):
        words = [item if isinstance(item, str) else json.dumps(item) for item in extent]
        more = len(words) - _MOST_WORDS
        return ", ".join(words[:_MOST_WORDS]) + (f" and {more} more" if more > 0 else "") or "none"
    return extent if isinstance(extent, str) else json.dumps(extent)


def _reach(repository: int, row: Mapping[str, Any] | sqlite3.Row) -> ReachRow:
    return ReachRow(
        repository,
        row["unit"],
        row["environment"],
        row["axis"],
        row["reach"],
        bool(row["known"]),
        bool(row["broad"]),
        row["resources"],
        row["path"],
        row["line"],
        row["via"],
    )


def _worst_first(findings: list[FindingRow]) -> list[FindingRow]:
    return sorted(
        findings, key=lambda f: (_LEVELS[f.level], f.repository, f.path, f.line, f.rule, f.message)
    )


def _rules(rules: Iterable[RuleView], used: set[str], version: str) -> dict[str, RuleRow]:
    found = {
        rule.id: RuleRow(
            rule.code,
            rule.title,
            f"{REPOSITORY}/blob/v{quote(version)}/{quote(rule.path)}"
            if rule.path.startswith("rules/")
            else "",
        )
        for rule in rules
        if rule.id in used
    }
    return {slug: found.get(slug, RuleRow("", slug)) for slug in sorted(used)}
