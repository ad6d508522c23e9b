"""The questions that people ask a store of audits, each one statement of SQL.

`columns` of the answer have names that stay; the rows come in an order that depends on the store alone.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from blastdoor.record import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class QueryError(Exception):
    """A question that cannot be answered; the message says why."""


class Query(NamedTuple):
    """A question that is ready."""

    about: str
    """What it answers, in one line."""
    sql: str
    """With the parameters ``:audit``, ``:base``, ``:agent`` and ``:repository``."""
    compares: bool = False
    """Whether it needs an earlier audit beside."""


@dataclass(frozen=True)
class Answer:
    """Rows under the names of their columns."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


def owners(table: str) -> str:
    """The expression for the owners of a file: what CODEOWNERS says, else whose the repository is."""
    return f"""coalesce(
    (SELECT group_concat(owner, ' ') FROM (
      SELECT owner FROM owner o WHERE o.result = {table}.result AND o.path = {table}.path
      ORDER BY owner)),
    {table}.repository_owner)"""


_WIDEST: Final = f"""
SELECT repository, unit, environment, axis, reach, breadth, resources, path, line,
  {owners("reaches")} AS owner
FROM reaches
WHERE audit = :audit AND known = 1 AND breadth > 0 AND axis IN ('regions', 'accounts', 'fleet')
  AND (:repository IS NULL OR repository = :repository)
ORDER BY broad DESC, breadth DESC, resources DESC, repository, unit, axis, reach
"""

_UNPINNED: Final = f"""
SELECT repository, owner,
  sum(CASE WHEN pinned = 0 THEN resources ELSE 0 END) AS inherited,
  sum(CASE WHEN known = 0 THEN resources ELSE 0 END) AS unknown,
  sum(CASE WHEN pinned = 1 THEN resources ELSE 0 END) AS pinned,
  count(DISTINCT CASE WHEN pinned = 0 OR known = 0 THEN unit END) AS units,
  round(100.0 * sum(CASE WHEN pinned = 0 OR known = 0 THEN resources ELSE 0 END)
    / sum(resources), 1) AS percent
FROM (
  SELECT repository, {owners("reaches")} AS owner, unit, pinned, known, resources
  FROM reaches
  WHERE audit = :audit AND about = 'regions' AND axis = 'regions'
    AND (pinned IS NOT NULL OR known = 0) AND reach <> 'global'
    AND (:repository IS NULL OR repository = :repository))
GROUP BY repository, owner
HAVING inherited + unknown > 0
ORDER BY inherited + unknown DESC, repository, owner
"""

_AT_ONCE: Final = f"""
SELECT repository, unit, rule, level, message, path, line,
  CASE WHEN environment = '' THEN 'not said' ELSE environment END AS environment,
  {owners("findings")} AS owner
FROM findings
WHERE audit = :audit AND family = 'rollout' AND suppressed IS NULL
  AND (environment = '' OR environment = 'production' OR environment LIKE 'production and %'
    OR environment LIKE '% and production')
  AND (:repository IS NULL OR repository = :repository)
ORDER BY environment = '', CASE level WHEN 'error' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END,
  repository, path, line, rule, rank
"""

_AGENT: Final = f"""
SELECT a.agent, f.repository, f.rule, f.level, f.unit, f.axis, f.message, f.path, f.line, a.mark,
  {owners("f")} AS owner
FROM agent a JOIN findings f ON f.id = a.finding
WHERE f.audit = :audit AND f.suppressed IS NULL
  AND (:agent IS NULL OR a.agent LIKE :agent) AND (:repository IS NULL OR f.repository = :repository)
ORDER BY a.agent, CASE f.level WHEN 'error' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, f.repository,
  f.path, f.line, f.rule, f.rank
"""

_BOTH: Final = """
both AS (
  SELECT h.repository, r.name, b.result AS base, h.result AS head
  FROM ledger h JOIN ledger b ON b.repository = h.repository AND b.audit = :base
    JOIN repository r ON r.id = h.repository
  WHERE h.audit = :audit AND h.state = 'done' AND b.state = 'done')
"""
"""The repositories that both audits could analyse: only they can be compared."""

_TREND: Final = f"""
WITH {_BOTH},
changed AS (SELECT * FROM both WHERE base <> head),
old AS (SELECT c.name, f.fingerprint, f.rule, f.level FROM changed c
  JOIN finding f ON f.result = c.base AND f.suppressed IS NULL),
new AS (SELECT c.name, f.fingerprint, f.rule, f.level FROM changed c
  JOIN finding f ON f.result = c.head AND f.suppressed IS NULL),
judged AS (
  SELECT 'new' AS state, name, rule, level FROM new n WHERE NOT EXISTS (
    SELECT 1 FROM old o WHERE o.name = n.name AND o.fingerprint = n.fingerprint)
  UNION ALL
  SELECT 'gone', name, rule, level FROM old o WHERE NOT EXISTS (
    SELECT 1 FROM new n WHERE n.name = o.name AND n.fingerprint = o.fingerprint)
  UNION ALL
  SELECT 'unchanged', name, rule, level FROM new n WHERE EXISTS (
    SELECT 1 FROM old o WHERE o.name = n.name AND o.fingerprint = n.fingerprint)
  UNION ALL
  SELECT 'unchanged', b.name, f.rule, f.level FROM both b
    JOIN finding f ON f.result = b.head AND f.suppressed IS NULL WHERE b.base = b.head)
SELECT name AS repository, rule, sum(state = 'new') AS new, sum(state = 'gone') AS gone,
  sum(state = 'unchanged') AS unchanged
FROM judged WHERE :repository IS NULL OR name = :repository
GROUP BY name, rule
ORDER BY new DESC, gone DESC, unchanged DESC, name, rule
"""

_CHANGES: Final = f"""
WITH {_BOTH},
changed AS (SELECT * FROM both WHERE base <> head),
old AS (SELECT c.name, f.* FROM changed c
  JOIN finding f ON f.result = c.base AND f.suppressed IS NULL),
new AS (SELECT c.name, f.* FROM changed c
  JOIN finding f ON f.result = c.head AND f.suppressed IS NULL)
SELECT * FROM (
  SELECT 'new' AS state, name AS repository, rule, level, unit, axis, message, path, line, fingerprint
  FROM new n WHERE NOT EXISTS (
    SELECT 1 FROM old o WHERE o.name = n.name AND o.fingerprint = n.fingerprint)
  UNION ALL
  SELECT 'gone', name, rule, level, unit, axis, message, path, line, fingerprint
  FROM old o WHERE NOT EXISTS (
    SELECT 1 FROM new n WHERE n.name = o.name AND n.fingerprint = o.fingerprint))
WHERE :repository IS NULL OR repository = :repository
ORDER BY state DESC, CASE level WHEN 'error' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, repository, path,
  line, rule, fingerprint
"""

_FAILURES: Final = """
SELECT repository, part, kind, fatal, path, line, message FROM failures
WHERE audit = :audit AND (:repository IS NULL OR repository = :repository)
ORDER BY part DESC, fatal DESC, repository, path, line, message
"""

_RULES: Final = """
SELECT rule, code, family, count(*) AS findings, count(DISTINCT repository) AS repositories,
  sum(level = 'error') AS errors, sum(level = 'warning') AS warnings, sum(level = 'note') AS notes
FROM findings WHERE audit = :audit AND suppressed IS NULL
  AND (:repository IS NULL OR repository = :repository)
GROUP BY rule, code, family ORDER BY errors DESC, warnings DESC, findings DESC, rule
"""

_REPOSITORIES: Final = """
SELECT r.name AS repository, l.state, l.owner, l."commit", l.reused, s.units, s.resources, s.errors,
  s.warnings, s.notes, s.suppressed, l.kind, l.reason, l.attempts, l.cpu, l.wall, l.memory
FROM ledger l JOIN repository r ON r.id = l.repository LEFT JOIN result s ON s.id = l.result
WHERE l.audit = :audit AND (:repository IS NULL OR r.name = :repository)
ORDER BY s.errors DESC, s.warnings DESC, s.notes DESC, r.name
"""

_AUDITS: Final = """
SELECT a.id AS audit, a.started, a.finished, a.version, count(*) AS repositories,
  sum(l.state = 'done') AS done, sum(l.reused) AS unchanged, sum(l.state = 'failed') AS failed,
  round(sum(l.cpu), 1) AS cpu, max(l.memory) AS memory
FROM audit a JOIN ledger l ON l.audit = a.id GROUP BY a.id ORDER BY a.id
"""

QUERIES: Final[Mapping[str, Query]] = {
    "widest-reach": Query("units by how far they reach: regions, accounts, fleets", _WIDEST),
    "unpinned-regions": Query(
        "resources whose region the code does not pin, by repository and owner", _UNPINNED
    ),
    "all-at-once": Query("rollouts without steps that may be production", _AT_ONCE),
    "changed-by-agent": Query("findings on lines that an AI agent wrote", _AGENT),
    "trend": Query(
        "new, gone and unchanged findings since an earlier audit", _TREND, compares=True
    ),
    "changes": Query("the findings that are new or gone, one by one", _CHANGES, compares=True),
    "failures": Query("what could not be analysed, repositories first", _FAILURES),
    "rules": Query("findings by rule", _RULES),
    "repositories": Query("each repository with what became of it", _REPOSITORIES),
    "audits": Query("the audits of the store", _AUDITS),
}


def ask(
    connection: sqlite3.Connection,
    name: str,
    *,
    audit: int | None = None,
    base: int | None = None,
    agent: str | None = None,
    repository: str | None = None,
) -> Answer:
    """The answer to a question about one audit, by default the newest that was finished.

    ``base`` is the audit to compare with, by default the one before. ``agent`` is a name, with ``%`` for
    any letters. Raises QueryError.
    """
    query = QUERIES[name]
    if name != "audits":
        audit = _audit(connection, audit)
        if query.compares:
            base = _base(connection, audit, base)
    try:
        cursor = connection.execute(
            query.sql, {"audit": audit, "base": base, "agent": agent, "repository": repository}
        )
    except sqlite3.Error as error:
        raise QueryError(str(error)) from error
    columns = tuple(column[0] for column in cursor.description)
    return Answer(columns, (tuple(row) for row in cursor))


def _audit(connection: sqlite3.Connection, audit: int | None) -> int:
    if audit is not None:
        row = connection.execute("SELECT id FROM audit WHERE id = ?", (audit,)).fetchone()
        if row is None:
            message = f"the store has no audit {audit}"
            raise QueryError(message)
        return audit
    return newest(connection)


def newest(connection: sqlite3.Connection) -> int:
    """The newest audit that was finished. Raises QueryError when there is none."""
    row = connection.execute(
        "SELECT max(id) AS id FROM audit WHERE finished IS NOT NULL"
    ).fetchone()
    if row["id"] is None:
        raise QueryError("the store has no audit that was finished: --audit names another")
    return int(row["id"])


def _base(connection: sqlite3.Connection, audit: int, base: int | None) -> int:
    if base is not None:
        return _audit(connection, base)
    row = connection.execute(
        "SELECT max(id) AS id FROM audit WHERE finished IS NOT NULL AND id < ?", (audit,)
    ).fetchone()
    if row["id"] is None:
        message = f"no audit before {audit} was finished: there is nothing to compare with"
        raise QueryError(message)
    return int(row["id"])
