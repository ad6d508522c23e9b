"""Arguments that switch a safety off, as the table of guards lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blastdoor import tables
from blastdoor.fact import Guard
from blastdoor.facts.reading import at_path, blocks_at
from blastdoor.value import Known, known_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.fact import Evaluated, Resource
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
            for value in _values(resource, row):
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


def _values(resource: Resource, row: tables.GuardRow) -> Iterator[Value]:
    """The values of a row's argument, in the blocks that say what the row asks for."""
    if not row.where:
        yield from at_path(resource.get, row.attribute)
        return
    block, _dot, name = row.attribute.rpartition(".")
    for body in blocks_at(resource.get, block):
        value = body.get(name)
        if value is not None and all(known_text(body.get(k)) == v for k, v in row.where.items()):
            yield value


def _absent(value: Value | None) -> bool:
    return value is None or (isinstance(value, Known) and value.data in (None, ""))
