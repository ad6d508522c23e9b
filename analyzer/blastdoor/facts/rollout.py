"""Deployment settings: which share of a fleet one step of a deployment touches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blastdoor import tables
from blastdoor.evaluate.expression import to_number
from blastdoor.fact import Rollout
from blastdoor.facts.reading import at_path, bodies_of
from blastdoor.value import Known, Mapping, Value, known_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping as Table

    from blastdoor.fact import Evaluated, Resource


def rollouts(unit: Evaluated) -> Iterator[Rollout]:
    """The rollout settings that resources make explicitly; one of a kind for each resource."""
    table = tables.rollouts()
    for resource in unit.resources:
        if resource.is_data:
            continue
        spoken: set[str] = set()
        for row in table.get(resource.type, ()):
            if row.kind in spoken or _void(resource, row):
                continue
            found = _first(resource, row)
            if found is not None:
                yield found
                spoken.add(row.kind)


def _void(resource: Resource, row: tables.RolloutRow) -> bool:
    """Whether something else about the resource makes a row say nothing."""
    if any(known_text(resource.get(name)) == text for name, text in row.void.items()):
        return True
    if row.void_set and any(not _absent(v) for v in at_path(resource.get, row.void_set)):
        return True
    if not row.members:
        return False
    numbers = [to_number(value) for value in at_path(resource.get, row.members)]
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers) or not numbers:
        return row.members_needed
    return max(known) <= 1


def _absent(value: Value) -> bool:
    return isinstance(value, Known) and value.data is None


def _first(resource: Resource, row: tables.RolloutRow) -> Rollout | None:
    *blocks, last = row.attribute.split(".")
    level: list[Mapping] = []
    if not blocks:
        value = resource.get(last)
        return None if value is None else _rollout(resource, row, value)
    top = resource.get(blocks[0])
    level = list(bodies_of(top))
    for name in blocks[1:]:
        level = [inner for body in level for inner in bodies_of(body.get(name))]
    if row.unless and any(_has(body, row.unless) for body in level):
        return None
    for body in level:
        if row.where and not _has(body, row.where):
            continue
        value = body.get(last)
        if value is not None:
            found = _rollout(resource, row, value)
            if found is not None:
                return found
    return None


def _has(body: Mapping, wanted: Table[str, str]) -> bool:
    return all(known_text(body.get(name)) == text for name, text in wanted.items())


def _rollout(resource: Resource, row: tables.RolloutRow, value: Value) -> Rollout | None:
    if not isinstance(value, Known):
        return None
    percent = row.percent(value.data)
    if percent is None:
        return None
    return Rollout(
        resource,
        row.attribute,
        value,
        percent,
        str(value.data),
        row.contain,
        row.kind,
        not row.serves or any(resource.get(name) is not None for name in row.serves),
        row.safer.get(str(value.data), row.safer.get("")),
    )
