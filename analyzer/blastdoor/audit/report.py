"""What the HTML report shows, read from the store: numbers, heat map, regions, trend, findings.

The worst come first, and what a page has no room for is counted, not dropped in silence. The data is as
compact as 60,000 findings ask for: words that repeat stand once, in ``strings``, and rows name them by
their index; the rows are arrays in the order that ``report.js`` reads them.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from blastdoor import __version__, tables
from blastdoor.audit.query import QueryError, ask, newest, owners
from blastdoor.report.html.page import Card, page
from blastdoor.report.sarif import REPOSITORY

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

Json = dict[str, Any]

MAX_FINDINGS: Final = 60_000
"""Findings that a page holds, the worst."""
MAX_REPOSITORIES: Final = 5_000
"""Repositories of the heat map, the worst."""
MAX_ROWS: Final = 10_000
"""Units of the grid of regions, those with the most resources."""
MAX_FAILURES: Final = 5_000
MAX_HISTORY: Final = 24
"""Audits of the trend, the newest."""
MAX_RULES: Final = 12
"""Rules of the trend that have changed the most."""
_COLUMNS: Final = 12
"""Regions that have a column of their own."""
_ENDLESS: Final = 500
"""Breadth from which a reach has no count: `blastdoor.audit.telling.PART`."""
_REGION: Final = re.compile(r"[a-z0-9/-]+")
_FORGES: Final = {"github.com": "blob", "gitlab.com": "-/blob"}
"""Public forges whose addresses of lines are known: host → what stands before the commit."""
_LEVELS: Final = ("error", "warning", "note")
_BROKEN: Final = 40
"""Least digits of a commit."""

EVERY: Final = "every region"
ELSEWHERE: Final = "other regions"
INHERITED: Final = "environment decides"
GLOBAL: Final = "global"
UNKNOWN: Final = "not known"

_FINDINGS: Final = f"""
SELECT f.id, f.repository, f.level, f.rule, f.code, f.title, f.family, f.axis, f.path, f.line, f.unit,
  f.environment, f.message, f.contain, f.evidence, f.related, f.quote, f.quotes, f.fingerprint,
  f.confidence, f.result, {owners("f")} AS owner,
  (SELECT group_concat(DISTINCT agent) FROM agent a WHERE a.finding = f.id) AS agent
FROM findings f WHERE f.audit = ? AND f.suppressed IS NULL
ORDER BY CASE f.level WHEN 'error' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, f.repository, f.rank
LIMIT ?
"""
_HEAT: Final = """
SELECT repository, axis, sum(level = 'error') AS errors, sum(level = 'warning') AS warnings,
  sum(level = 'note') AS notes
FROM findings WHERE audit = ? AND suppressed IS NULL GROUP BY repository, axis
"""
_REGIONS: Final = f"""
SELECT repository, unit, environment, max({owners("reaches")}) AS owner, reach, known, pinned,
  breadth, sum(resources) AS resources
FROM reaches WHERE audit = ? AND axis = 'regions' AND about IN ('regions', 'targets')
GROUP BY repository, unit, environment, reach, known, pinned, breadth
"""
_HISTORY: Final = """
SELECT a.id, a.started, count(*) AS repositories, sum(l.state = 'failed') AS failed,
  coalesce(sum(s.errors), 0) AS errors, coalesce(sum(s.warnings), 0) AS warnings,
  coalesce(sum(s.notes), 0) AS notes
FROM audit a JOIN ledger l ON l.audit = a.id LEFT JOIN result s ON s.id = l.result
WHERE a.id = :audit OR (a.finished IS NOT NULL AND a.id < :audit)
GROUP BY a.id ORDER BY a.id DESC LIMIT :limit
"""


class Strings:
    """Words that stand once."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._index: dict[str, int] = {}

    def __call__(self, text: str | None) -> int:
        """The index of a text. Effect: adds one that is new."""
        text = text or ""
        found = self._index.get(text)
        if found is None:
            found = self._index[text] = len(self.all)
            self.all.append(text)
        return found


def document(
    connection: sqlite3.Connection,
    audit: int | None = None,
    *,
    logs: str | None = None,
    single: str | None = None,
) -> str:
    """The HTML of an audit, by default the newest. Raises QueryError where there is none.

    ``logs`` is the folder of SARIF logs as the page should link it. ``single`` is the name of the only
    repository of a page that is about no audit.
    """
    number = newest(connection) if audit is None else audit
    data = told(connection, number, logs=logs)
    data["single"] = single is not None
    started = str(data["audit"]["started"]).replace("T", " ")[:16]
    if single is not None:
        title, about = single, f"blastdoor {__version__} · {started} UTC"
    else:
        count = data["totals"]["repositories"]
        title = f"Audit of {count:,} {'repository' if count == 1 else 'repositories'}"
        about = (
            f"Where can one change take everything down? Number {number}, {started} UTC, "
            f"blastdoor {data['audit']['version']}"
        )
    return page(data, title, about, _cards(data, single=single is not None))


def told(connection: sqlite3.Connection, audit: int, *, logs: str | None = None) -> Json:
    """The data of the page."""
    strings = Strings()
    row = connection.execute(
        "SELECT id, started, finished, version, left_out FROM audit WHERE id = ?", (audit,)
    ).fetchone()
    repositories = _repositories(connection, audit, logs)
    index = {one[0]: at for at, one in enumerate(repositories)}
    trend, fresh = _trend(connection, audit)
    rules: dict[str, Json] = {}
    findings = list(_findings(connection, audit, strings, index, rules, fresh))
    heat = [
        [index[one["repository"]], one["axis"], one["errors"], one["warnings"], one["notes"]]
        for one in connection.execute(_HEAT, (audit,))
        if one["repository"] in index
    ]
    totals = _totals(connection, audit)
    failures = [
        [one["repository"], one["part"], one["kind"], one["path"], one["line"], one["message"]]
        for one in connection.execute(
            "SELECT * FROM failures WHERE audit = ? AND fatal = 1"
            " ORDER BY part DESC, repository, path, line, message LIMIT ?",
            (audit, MAX_FAILURES),
        )
    ]
    return {
        "audit": {
            "id": row["id"],
            "started": row["started"],
            "finished": row["finished"],
            "version": row["version"],
            "left_out": json.loads(row["left_out"]),
        },
        "totals": totals,
        "history": [dict(one) for one in _history(connection, audit)],
        "trend": trend,
        "repositories": repositories,
        "heat": heat,
        "regions": _regions(connection, audit, totals),
        "rules": rules,
        "findings": findings,
        "failures": failures,
        "strings": strings.all,
    }


def _totals(connection: sqlite3.Connection, audit: int) -> Json:
    row = connection.execute(
        "SELECT count(*) AS repositories, sum(l.state = 'done') AS done,"
        " sum(l.state = 'failed') AS failed, sum(l.reused) AS unchanged,"
        " coalesce(sum(s.resources), 0) AS resources, coalesce(sum(s.units), 0) AS units,"
        " coalesce(sum(s.errors), 0) AS errors, coalesce(sum(s.warnings), 0) AS warnings,"
        " coalesce(sum(s.notes), 0) AS notes, coalesce(sum(s.suppressed), 0) AS suppressed"
        " FROM ledger l LEFT JOIN result s ON s.id = l.result WHERE l.audit = ?",
        (audit,),
    ).fetchone()
    totals: Json = {key: row[key] or 0 for key in row.keys()}  # noqa: SIM118  a row yields values
    totals["files_failed"] = connection.execute(
        "SELECT count(*) FROM failures WHERE audit = ? AND fatal = 1 AND part = 'file'", (audit,)
    ).fetchone()[0]
    totals["by_agents"] = connection.execute(
        "SELECT count(DISTINCT a.finding) FROM agent a JOIN finding f ON f.id = a.finding"
        " JOIN ledger l ON l.result = f.result WHERE l.audit = ? AND f.suppressed IS NULL",
        (audit,),
    ).fetchone()[0]
    return totals


def _repositories(connection: sqlite3.Connection, audit: int, logs: str | None) -> list[list[Any]]:
    """Name, state, owner, commit, levels, resources, units, log and address of each, the worst first."""
    from blastdoor.audit.run import log_name

    rows = connection.execute(
        'SELECT r.name, l.state, l.owner, l."commit", l.target, s.errors, s.warnings, s.notes,'
        " s.resources, s.units FROM ledger l JOIN repository r ON r.id = l.repository"
        " LEFT JOIN result s ON s.id = l.result WHERE l.audit = ?"
        " ORDER BY s.errors DESC, s.warnings DESC, s.notes DESC, r.name LIMIT ?",
        (audit, MAX_REPOSITORIES),
    )
    return [
        [
            *(row["name"], row["state"], row["owner"], row["commit"]),
            *(row["errors"] or 0, row["warnings"] or 0, row["notes"] or 0),
            *(row["resources"] or 0, row["units"] or 0),
            f"{logs}/{quote(log_name(row['name']))}" if logs and row["state"] == "done" else "",
            _address(json.loads(row["target"]).get("place", ""), row["commit"]),
        ]
        for row in rows
    ]


def _address(place: str, commit: str) -> str:
    """What stands before a path in the address of a file on a public forge; ``""``: not known."""
    parts = urlsplit(place) if place.startswith("https://") else None
    if parts is None or parts.netloc not in _FORGES or len(commit) < _BROKEN:
        return ""
    path = quote(parts.path.removesuffix("/").removesuffix(".git"))
    return f"https://{parts.netloc}{path}/{_FORGES[parts.netloc]}/{quote(commit, safe='')}/"


def _findings(
    connection: sqlite3.Connection,
    audit: int,
    strings: Strings,
    index: dict[str, int],
    rules: dict[str, Json],
    fresh: frozenset[tuple[str, str]],
) -> Iterator[list[Any]]:
    """Rows for the script. Effect: adds strings and rules."""
    home = tables.home()
    for row in connection.execute(_FINDINGS, (audit, MAX_FINDINGS)):
        if row["repository"] not in index:
            continue
        if row["rule"] not in rules:
            ours = (home / row["family"] / f"{row['rule']}.md").is_file()
            place = f"rules/{quote(row['family'])}/{quote(row['rule'])}.md"
            rules[row["rule"]] = {
                "code": row["code"],
                "title": row["title"],
                "family": row["family"],
                "url": f"{REPOSITORY}/blob/v{quote(__version__)}/{place}" if ours else "",
            }
        chain = []
        quotes = json.loads(row["quotes"])
        for at, one in enumerate(json.loads(row["related"])):
            quoted = quotes[at] if at < len(quotes) else None
            chain.append(
                [
                    *(strings(one["path"]), one["start"]["line"], strings(one["message"])),
                    _quoted(quoted, strings),
                ]
            )
        yield [
            index[row["repository"]],
            _LEVELS.index(row["level"]),
            strings(row["rule"]),
            strings(row["axis"]),
            strings(row["path"]),
            row["line"],
            strings(row["unit"]),
            strings(row["environment"]),
            strings(row["message"]),
            strings(row["contain"]),
            [strings(word) for word in json.loads(row["evidence"])],
            chain,
            _quoted(json.loads(row["quote"]) if row["quote"] else None, strings),
            strings(row["owner"]),
            strings(row["agent"]),
            int((row["repository"], row["fingerprint"]) in fresh),
        ]


def _quoted(parts: list[str] | None, strings: Strings) -> list[int] | None:
    return None if parts is None else [strings(part) for part in parts]


# Trend


def _history(connection: sqlite3.Connection, audit: int) -> list[sqlite3.Row]:
    rows = connection.execute(_HISTORY, {"audit": audit, "limit": MAX_HISTORY}).fetchall()
    return rows[::-1]


def _trend(
    connection: sqlite3.Connection, audit: int
) -> tuple[Json | None, frozenset[tuple[str, str]]]:
    """Counts since the audit before, and (repository, fingerprint) of what is new."""
    try:
        answer = ask(connection, "trend", audit=audit)
    except QueryError:
        return None, frozenset()
    by_rule: dict[str, list[int]] = {}
    for _repository, rule, *counts in answer.rows:
        sums = by_rule.setdefault(rule, [0, 0, 0])
        for at, count in enumerate(counts):
            sums[at] += count
    changed = [(rule, sums) for rule, sums in by_rule.items() if sums[0] or sums[1]]
    changed.sort(key=lambda one: (-(one[1][0] + one[1][1]), one[0]))
    fresh = {
        (row[1], row[9]) for row in ask(connection, "changes", audit=audit).rows if row[0] == "new"
    }
    new, gone, unchanged = (sum(sums[at] for sums in by_rule.values()) for at in range(3))
    trend = {
        "new": new,
        "gone": gone,
        "unchanged": unchanged,
        "rules": [[rule, *sums] for rule, sums in changed[:MAX_RULES]],
        "more": max(0, len(changed) - MAX_RULES),
    }
    return trend, frozenset(fresh)


# Regions


def _regions(connection: sqlite3.Connection, audit: int, totals: Json) -> Json:
    """Columns and rows of the grid. Effect: adds what it counts to the totals."""
    cells: dict[tuple[str, str, str], dict[str, int]] = {}
    owner: dict[tuple[str, str, str], str] = {}
    named: dict[str, int] = {}
    every: set[tuple[str, str]] = set()
    loose = pinned = 0
    for row in connection.execute(_REGIONS, (audit,)):
        key = (row["repository"], row["unit"], row["environment"])
        owner[key] = max(owner.get(key, ""), row["owner"] or "")
        columns = _names(row)
        if columns == [EVERY]:
            every.add(key[:2])
        if columns == [INHERITED]:
            loose += row["resources"]
        elif row["pinned"] == 1:
            pinned += row["resources"]
        cell = cells.setdefault(key, {})
        for name in columns:
            cell[name] = cell.get(name, 0) + row["resources"]
            named[name] = named.get(name, 0) + row["resources"]
    special = (EVERY, INHERITED, GLOBAL, UNKNOWN)
    ranked = sorted((name for name in named if name not in special), key=lambda n: (-named[n], n))
    chosen = ranked[:_COLUMNS]
    columns = [
        *(name for name in special[:2] if name in named),
        *chosen,
        *([ELSEWHERE] if len(ranked) > _COLUMNS else []),
        *(name for name in special[2:] if name in named),
    ]
    place = {name: at for at, name in enumerate(columns)}
    rows: list[tuple[str, str, str, str, list[tuple[int, int]]]] = []
    for key, cell in cells.items():
        found: dict[int, int] = {}
        for name, count in cell.items():
            at = place.get(name, place.get(ELSEWHERE, 0))
            found[at] = found.get(at, 0) + count
        repository, unit, environment = key
        rows.append((repository, unit, environment, owner[key], sorted(found.items())))
    rows.sort(key=lambda one: (-sum(count for _at, count in one[4]), one[:4]))
    totals.update(every_region=len(every), region_loose=loose, region_pinned=pinned)
    return {"columns": columns, "rows": rows[:MAX_ROWS], "more": max(0, len(rows) - MAX_ROWS)}


def _names(row: sqlite3.Row) -> list[str]:
    """The columns that a reach counts for."""
    reach = str(row["reach"])
    if reach in ("global", "gcp/global"):
        return [GLOBAL]
    if not row["known"]:
        return [UNKNOWN]
    if row["breadth"] >= _ENDLESS:
        return [EVERY]
    if row["pinned"] == 0:
        return [INHERITED]
    words = [word for part in reach.split(", ") for word in part.split(" and ")]
    return [word if _REGION.fullmatch(word) else ELSEWHERE for word in words]


# Headline


def _cards(data: Json, *, single: bool) -> list[Card]:
    totals = data["totals"]
    cards = []
    if not single:
        about = [f"{totals['unchanged']:,} unchanged"] if totals["unchanged"] else []
        about += [f"{totals['failed']:,} failed"] if totals["failed"] else []
        words = "repository" if totals["repositories"] == 1 else "repositories"
        about += [f"{totals['files_failed']:,} files not read"] if totals["files_failed"] else []
        cards.append(Card(f"{totals['repositories']:,}", words, ", ".join(about) or "all analysed"))
    cards.append(Card(f"{totals['resources']:,}", "resources", _counted(totals["units"])))
    for level in _LEVELS:
        count = totals[f"{level}s"]
        words = f"{level}s" if count != 1 else level
        cards.append(Card(f"{count:,}", words, _LEVEL_WORDS[level], level if count else ""))
    every = totals["every_region"]
    words = "unit reaches every region" if every == 1 else "units reach every region"
    cards.append(Card(f"{every:,}", words, "at once, named or not", "reach" if every else ""))
    whole = totals["region_loose"] + totals["region_pinned"]
    if whole:
        share = round(100 * totals["region_loose"] / whole)
        cards.append(Card(f"{share} %", "of regions not pinned", "the environment decides"))
    if totals["by_agents"]:
        cards.append(Card(f"{totals['by_agents']:,}", "findings on lines of AI agents"))
    return cards


def _counted(units: int) -> str:
    return "in 1 unit" if units == 1 else f"in {units:,} units"


_LEVEL_WORDS: Final = {
    "error": "cannot work, or reach everything",
    "warning": "risky by the code alone",
    "note": "context for a reviewer",
}


def logs_from(folder: str | None, file: str) -> str | None:
    """The folder of SARIF logs as a page links it: relative, percent-encoded, never another scheme."""
    if folder is None:
        return None
    start = Path(os.path.realpath(file)).parent
    relative = os.path.relpath(Path(folder).resolve(), start)
    return quote(f"./{Path(relative).as_posix()}")
