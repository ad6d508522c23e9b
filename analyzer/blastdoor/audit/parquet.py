"""Tables of an audit as Parquet files, for tools that read columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

_BATCH: Final = 50_000
"""Rows that are held in memory at a time."""
TABLES: Final = {
    "findings": "SELECT * FROM findings ORDER BY audit, id",
    "reach": "SELECT * FROM reaches ORDER BY audit, id",
    "failures": "SELECT * FROM failures ORDER BY audit, repository, part, path, line, message",
    "repositories": (
        'SELECT l.audit, r.name AS repository, l.state, l.owner, l."commit", l.reused, l.kind,'
        " l.reason, l.attempts, l.cpu, l.wall, l.memory, s.units, s.files, s.resources, s.errors,"
        " s.warnings, s.notes, s.suppressed, s.provenance FROM ledger l"
        " JOIN repository r ON r.id = l.repository LEFT JOIN result s ON s.id = l.result"
        " ORDER BY l.audit, r.name"
    ),
    "agents": (
        "SELECT f.audit, f.repository, f.id AS finding, f.fingerprint, a.agent, a.mark"
        " FROM agent a JOIN findings f ON f.id = a.finding ORDER BY f.audit, f.id, a.agent, a.mark"
    ),
    "owners": (
        "SELECT l.audit, r.name AS repository, o.path, o.owner FROM ledger l"
        " JOIN repository r ON r.id = l.repository JOIN owner o ON o.result = l.result"
        " ORDER BY l.audit, r.name, o.path, o.owner"
    ),
    "coverage": (
        "SELECT l.audit, r.name AS repository, c.kind, c.resolved, c.unresolved, c.undecidable"
        " FROM ledger l JOIN repository r ON r.id = l.repository"
        " JOIN coverage c ON c.result = l.result ORDER BY l.audit, r.name, c.kind"
    ),
}
"""Name of the file → what is in it."""
_NUMBERS: Final = frozenset(
    {
        *("audit", "id", "result", "rank", "line", "column", "end_line", "end_column", "fatal"),
        *("known", "broad", "pinned", "breadth", "resources", "unit_resources", "reused"),
        *("attempts", "memory", "units", "files", "errors", "warnings", "notes", "suppressed"),
        *("finding", "resolved", "unresolved", "undecidable"),
    }
)
_FRACTIONS: Final = frozenset({"cpu", "wall"})


def export(connection: sqlite3.Connection, folder: Path) -> list[tuple[str, int]]:
    """(file, rows) of what was written. Effect: writes the files. Raises ImportError without pyarrow."""
    import pyarrow as pa
    from pyarrow import parquet

    written = []
    folder.mkdir(parents=True, exist_ok=True)
    for name, sql in TABLES.items():
        cursor = connection.execute(sql)
        columns = [column[0] for column in cursor.description]
        schema = pa.schema([(column, _type(pa, name, column)) for column in columns])
        draft, file = folder / f".{name}.parquet.tmp", folder / f"{name}.parquet"
        count = 0
        with parquet.ParquetWriter(draft, schema, compression="zstd") as writer:
            while rows := cursor.fetchmany(_BATCH):
                count += len(rows)
                arrays = [
                    pa.array([row[at] for row in rows], type=schema.field(at).type)
                    for at in range(len(columns))
                ]
                writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
        draft.replace(file)
        written.append((file.name, count))
    return written


def _type(pa: Any, table: str, column: str) -> Any:
    if column in _FRACTIONS:
        return pa.float64()
    if column == "suppressed" and table == "findings":
        return pa.string()
    return pa.int64() if column in _NUMBERS else pa.string()
