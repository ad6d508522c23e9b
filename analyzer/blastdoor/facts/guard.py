"""Arguments that switch a safety off, as the table of guards lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blastdoor import tables
from blastdoor.fact import Guard
from blastdoor.facts.reading import at_path
from blastdoor.value import Known

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.fact import Evaluated
    from blastdoor.value import Value


def guards(unit: Evaluated) -> Iterator[Guard]:
    """The guards that resources set explicitly."""
    table = tables.guards()
    for resource in unit.resources:
        if resource.is_data:
            continue
        for row in table.get(resource.type, ()):
            if row.unless and not _absent(resource.get(row.unless)):
                continue
            for value in at_path(resource.get, row.attribute):
                if isinstance(value, Known) and value.data is not None:
                    yield Guard(
                        resource,
                        row.kind,
                        row.attribute,
                        value,
                        row.is_unsafe(value.data),
                        row.note,
                        row.level.word,
                        row.safe_text,
                        row.safe,
                    )


def _absent(value: Value | None) -> bool:
    return value is None or (isinstance(value, Known) and value.data in (None, ""))
