"""The store of audits: one SQLite file with the ledger of each audit and the results that it led to.

There is one writer, the process that runs an audit; a lock beside the file says so, and goes with the
process. Each outcome is one transaction, result and ledger together, so that whatever is ended at
whatever moment leaves a repository either done, once, or still to do. Readers may come at any time.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from blastdoor import __version__
from blastdoor.audit.schema import TABLES, VERSION
from blastdoor.audit.setup import Setup, Target
from blastdoor.audit.work import DONE, SAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_BUSY: Final = 60.0
"""Seconds that a statement waits for another process."""
_KNOWN: Final = 5
"""Results of one repository that a job is told of: the newest."""
_LOCK: Final = ".lock"


class StoreError(Exception):
    """A store that cannot be used; the message says why."""


class Open(NamedTuple):
    """One repository that is still to do."""

    repository: int
    target: Target
    attempts: int


class Tally(NamedTuple):
    """How far an audit has come."""

    total: int
    done: int
    reused: int
    failed: int


class Store:
    """One store. Raises StoreError for a file that is none."""

    def __init__(self, path: str, *, write: bool = False) -> None:
        self.path = Path(path)
        self._lock = self._locked() if write else None
        fresh = not self.path.exists() or self.path.stat().st_size == 0
        if fresh and not write:
            why = "it is empty" if self.path.exists() else "there is no such file"
            message = f"{path} is no store of audits: {why}"
            raise StoreError(message)
        try:
            self.connection = self._connected(write=write)
            version = self.connection.execute("PRAGMA user_version").fetchone()[0]
            tables = self.connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if write and version == 0 and tables == 0:
                self._create()
            elif version != VERSION:
                message = f"{path} is no store of audits of this version ({VERSION})"
                raise StoreError(message)
        except sqlite3.Error as error:
            message = f"{path}: {error}"
            raise StoreError(message) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Effect: closes the file and lets the lock go."""
        self.connection.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _locked(self) -> int:
        """The handle whose lock says that this process writes. Raises StoreError."""
        place = self.path.with_name(self.path.name + _LOCK)
        try:
            handle = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            message = f"{self.path}: {error.strerror}"
            raise StoreError(message) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            message = f"another audit writes to {self.path}"
            raise StoreError(message) from error
        return handle

    def _connected(self, *, write: bool) -> sqlite3.Connection:
        uri = f"{self.path.resolve().as_uri()}?mode={'rwc' if write else 'ro'}"
        connection = sqlite3.connect(uri, uri=True, timeout=_BUSY, isolation_level=None)
        connection.row_factory = sqlite3.Row
        if write:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cache_size = -65536")
        connection.execute("PRAGMA temp_store = MEMORY")
        return connection

    def _create(self) -> None:
        with self.transaction() as connection:
            for statement in _statements(TABLES):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The connection within one transaction. Effect: all or nothing is written."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    # Ledger

    def begin(
        self,
        targets: Sequence[Target],
        setup: Setup,
        *,
        started: str,
        day: str,
        left_out: Mapping[str, int],
    ) -> int:
        """The id of a new audit of these targets. Effect: enters them."""
        with self.transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO audit (started, day, version, engine, setup, left_out)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    *(started, day, __version__, setup.engine),
                    *(_json(setup.to_json()), _json(dict(left_out))),
                ),
            )
            audit = int(cursor.lastrowid or 0)
            connection.executemany(
                "INSERT OR IGNORE INTO repository (name) VALUES (?)", [(t.name,) for t in targets]
            )
            connection.executemany(
                "INSERT INTO ledger (audit, repository, state, target, owner)"
                " SELECT ?, id, 'pending', ?, ? FROM repository WHERE name = ?",
                [(audit, _json(t.to_json()), t.owner, t.name) for t in targets],
            )
        return audit

    def unfinished(self) -> tuple[int, Setup, str] | None:
        """The newest audit when it was broken off: its id, setup and day."""
        row = self.connection.execute(
            "SELECT id, setup, day, finished FROM audit ORDER BY id DESC LIMIT 1"
        ).fetchone()
        if row is None or row["finished"] is not None:
            return None
        return row["id"], Setup.from_json(json.loads(row["setup"])), row["day"]

    def reopen(self, audit: int) -> None:
        """Effect: what was running when an audit was broken off is to do again."""
        with self.transaction() as connection:
            connection.execute(
                "UPDATE ledger SET state = 'pending' WHERE audit = ? AND state = 'running'",
                (audit,),
            )

    def pending(self, audit: int) -> list[Open]:
        """What is still to do, by name."""
        rows = self.connection.execute(
            "SELECT l.repository, l.target, l.attempts FROM ledger l"
            " JOIN repository r ON r.id = l.repository"
            " WHERE l.audit = ? AND l.state = 'pending' ORDER BY r.name",
            (audit,),
        )
        return [
            Open(row["repository"], Target.from_json(json.loads(row["target"])), row["attempts"])
            for row in rows
        ]

    def take(self, audit: int, repository: int) -> None:
        """Effect: a repository is being worked on."""
        with self.transaction() as connection:
            connection.execute(
                "UPDATE ledger SET state = 'running', attempts = attempts + 1"
                " WHERE audit = ? AND repository = ?",
                (audit, repository),
            )

    def known(self, repository: int, *, sarif: bool) -> list[tuple[str, str, str]]:
        """(key, day, objects) of the newest results of a repository; ``sarif``: with a log only."""
        rows = self.connection.execute(
            "SELECT DISTINCT s.key, s.day, s.objects FROM ledger l JOIN result s ON s.id = l.result"
            " WHERE l.repository = ? AND (? = 0 OR s.sarif IS NOT NULL)"
            " ORDER BY l.audit DESC LIMIT ?",
            (repository, sarif, _KNOWN),
        )
        return [(row["key"], row["day"], row["objects"]) for row in rows]

    def finish(self, audit: int, when: str) -> None:
        """Effect: an audit has come to its end."""
        with self.transaction() as connection:
            connection.execute("UPDATE audit SET finished = ? WHERE id = ?", (when, audit))

    def tally(self, audit: int) -> Tally:
        """How far an audit has come."""
        row = self.connection.execute(
            "SELECT count(*), sum(state = 'done'), sum(reused), sum(state = 'failed')"
            " FROM ledger WHERE audit = ?",
            (audit,),
        ).fetchone()
        return Tally(*(value or 0 for value in row))

    # Results

    def enter(self, audit: int, repository: int, outcome: Mapping[str, Any]) -> None:
        """Effect: writes an outcome, once: a repository that is done stays as it is."""
        cost = outcome["cost"]
        figures = (cost["cpu"], cost["wall"], cost["memory"])
        with self.transaction() as connection:
            state = connection.execute(
                "SELECT state FROM ledger WHERE audit = ? AND repository = ?", (audit, repository)
            ).fetchone()
            if state is None or state["state"] == "done":
                return
            if outcome["state"] not in (DONE, SAME):
                reason = outcome["reason"]
                connection.execute(
                    "UPDATE ledger SET state = 'failed', kind = ?, reason = ?, cpu = ?, wall = ?,"
                    " memory = ? WHERE audit = ? AND repository = ?",
                    (reason["kind"], reason["message"], *figures, audit, repository),
                )
                return
            result = self._result(outcome)
            connection.execute(
                "UPDATE ledger SET state = 'done', \"commit\" = ?, result = ?, reused = ?, kind = '',"
                " reason = '', cpu = ?, wall = ?, memory = ? WHERE audit = ? AND repository = ?",
                (
                    *(outcome["commit"], result, outcome["state"] == SAME),
                    *(*figures, audit, repository),
                ),
            )

    def _result(self, outcome: Mapping[str, Any]) -> int:
        """The id of the result of an outcome. Effect: writes one that is new."""
        row = self.connection.execute(
            "SELECT id, day, objects, sarif IS NOT NULL AS logged FROM result WHERE key = ?",
            (outcome["key"],),
        ).fetchone()
        told = outcome["result"]
        if row is None:
            if told is None:
                message = "a worker says that nothing has changed since a result that is not there"
                raise StoreError(message)
            return write_result(self.connection, outcome["key"], told)
        if told is None:
            return int(row["id"])
        fresh = row["day"] == told["day"] and row["objects"] == told["objects"]
        if fresh and (row["logged"] or told["sarif"] is None):
            return int(row["id"])
        # The same content seen on another day, with objects that have come, or with a log: the old
        # one stays with the audits that had it.
        self.connection.execute(
            "UPDATE result SET key = key || ':' || id WHERE id = ?", (row["id"],)
        )
        return write_result(self.connection, outcome["key"], told)

    def log_of(self, key: str) -> str | None:
        """The SARIF log of the result with a key."""
        row = self.connection.execute("SELECT sarif FROM result WHERE key = ?", (key,)).fetchone()
        if row is None or row["sarif"] is None:
            return None
        return zlib.decompress(row["sarif"]).decode("utf-8")


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one: `executescript` would commit what came before."""
    buffer = ""
    for line in script.splitlines(keepends=True):
        buffer += line
        if sqlite3.complete_statement(buffer):
            yield buffer
            buffer = ""


def _json(data: Any) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"))


def write_result(connection: sqlite3.Connection, key: str, told: Mapping[str, Any]) -> int:
    """The id of a new result. Effect: writes it with all that it says, within a transaction."""
    summary = told["summary"]
    levels = summary["findings"]
    log = told["sarif"]
    cursor = connection.execute(
        "INSERT INTO result (key, day, objects, provenance, units, files, resources, errors,"
        " warnings, notes, suppressed, sarif) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(key, told["day"], told["objects"], told["provenance"]),
            *(summary["units"], summary["files"], summary["resources"]),
            *(levels.get("error", 0), levels.get("warning", 0), levels.get("note", 0)),
            summary["suppressed"],
            None if log is None else zlib.compress(log.encode("utf-8"), 6),
        ),
    )
    result = int(cursor.lastrowid or 0)
    _write_findings(connection, result, told["findings"])
    _write_units(connection, result, told["units"])
    connection.executemany(
        "INSERT INTO failure (result, kind, path, line, rule, fatal, message)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                *(result, one["kind"], one["path"], one["start"] and one["start"]["line"]),
                *(one["rule"], one["fatal"], one["message"]),
            )
            for one in told["failures"]
        ],
    )
    coverage = told["coverage"]
    connection.executemany(
        "INSERT INTO coverage VALUES (?, ?, ?, ?, ?)",
        [
            (result, kind, one["resolved"], one["unresolved"], one["undecidable"])
            for kind, one in coverage["kinds"].items()
        ],
    )
    gaps = [("skipped", reason, number) for reason, number in summary["skipped"].items()]
    gaps += [("unresolved", reason, number) for reason, number in coverage["reasons"].items()]
    connection.executemany("INSERT INTO gap VALUES (?, ?, ?, ?)", [(result, *gap) for gap in gaps])
    connection.executemany(
        "INSERT OR IGNORE INTO owner VALUES (?, ?, ?)",
        [(result, path, name) for path, names in told["owners"].items() for name in names],
    )
    return result


def _write_findings(
    connection: sqlite3.Connection, result: int, findings: Sequence[Mapping[str, Any]]
) -> None:
    first = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM finding").fetchone()[0]
    marks = []
    rows = []
    for rank, one in enumerate(findings):
        suppression = one["suppression"]
        rows.append(
            (
                *(first + rank, result, rank, one["fingerprint"], one["rule"], one["code"]),
                *(one["family"], one["level"], one["confidence"], one["path"]),
                *(one["start"]["line"], one["start"]["column"]),
                *(one["end"]["line"], one["end"]["column"]),
                *(one["unit"], one["environment"], one["axis"], one["attribute"], one["value"]),
                *(one["title"], one["message"], one["contain"], _json(one["evidence"])),
                *(_json(one["related"]), None if one["reach"] is None else _json(one["reach"])),
                *(None if one["quote"] is None else _json(one["quote"]), _json(one["quotes"])),
                suppression["reason"] if suppression else "" if one["suppressed"] else None,
            )
        )
        marks += [
            (first + rank, mark["agent"], f"{mark['where']} {mark['text']}")
            for mark in (one["provenance"] or {"marks": ()})["marks"]
        ]
    holes = ", ".join("?" * 28)
    connection.executemany(f"INSERT INTO finding VALUES ({holes})", rows)  # noqa: S608  only "?"
    connection.executemany("INSERT OR IGNORE INTO agent VALUES (?, ?, ?)", marks)


def _write_units(
    connection: sqlite3.Connection, result: int, units: Sequence[Mapping[str, Any]]
) -> None:
    first = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM unit").fetchone()[0]
    connection.executemany(
        "INSERT INTO unit VALUES (?, ?, ?, ?, ?)",
        [
            (first + rank, result, unit["address"], unit["environment"], unit["resources"])
            for rank, unit in enumerate(units)
        ],
    )
    connection.executemany(
        "INSERT INTO reach (unit, about, axis, reach, known, broad, pinned, breadth, resources,"
        " addresses, path, line, via) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                *(first + rank, one["about"], one["axis"], one["reach"], one["known"]),
                *(one["broad"], one["pinned"], one["breadth"], one["resources"]),
                *(_json(one["addresses"]), one["path"], one["line"], one["via"]),
            )
            for rank, unit in enumerate(units)
            for one in unit["reach"]
        ],
    )
