"""The HTML report on one repository: the report of an audit of one, whose store is in memory."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from typing import TYPE_CHECKING

from blastdoor import __version__
from blastdoor.audit.report import document
from blastdoor.audit.schema import TABLES
from blastdoor.audit.store import write_result
from blastdoor.audit.telling import told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from blastdoor.delta.atlas import UnitMap
    from blastdoor.finding import Report
    from blastdoor.report.views import RuleView
    from blastdoor.source import Files


def html(
    name: str,
    report: Report,
    rules: Iterable[RuleView],
    units: Sequence[UnitMap],
    files: Files,
    environment_of: Callable[[str], str],
) -> str:
    """The document."""
    now = dt.datetime.now(tz=dt.UTC)
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        connection.executescript(TABLES)
        data = told(report, rules, units, files, environment_of)
        result = write_result(
            connection,
            "",
            {**data, "day": "", "objects": "", "provenance": "", "sarif": None},
        )
        stamp = now.isoformat(timespec="seconds")
        connection.execute(
            "INSERT INTO audit VALUES (1, ?, ?, ?, ?, '', '{}', '{}')",
            (stamp, stamp, now.date().isoformat(), __version__),
        )
        connection.execute("INSERT INTO repository VALUES (1, ?)", (name,))
        connection.execute(
            "INSERT INTO ledger (audit, repository, state, target, owner, result)"
            " VALUES (1, 1, 'done', ?, '', ?)",
            (json.dumps({}), result),
        )
        return document(connection, single=name)
    finally:
        connection.close()
