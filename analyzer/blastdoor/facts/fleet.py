"""Commands that Systems Manager sends to many machines.

Source: AWS Systems Manager API Reference, CreateAssociation: the key InstanceIds with the value ``*``
means every managed node of the account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.fact import FleetCommand
from blastdoor.facts.reading import at_path, bodies_of, items_of, term
from blastdoor.value import Known, Mapping, Value, known_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.fact import Evaluated, Resource, Term

_NODES: Final = "InstanceIds"
_ALL: Final = "100%"


def fleet_commands(unit: Evaluated) -> Iterator[FleetCommand]:
    """The commands of the unit that go to many machines."""
    table = tables.fleet_commands().types
    for resource in unit.resources:
        row = None if resource.is_data else table.get(resource.type)
        if row is None:
            continue
        everyone = _everyone(resource, row)
        if everyone is None and _pinned(resource, row):
            continue
        document = known_text(resource.get(row.document)) or ""
        yield FleetCommand(
            resource,
            document,
            everyone,
            _whole(resource.get(row.names["concurrency"])),
            _whole(resource.get(row.names["errors"])),
            _harmless(resource, row, document),
        )


def _everyone(resource: Resource, row: tables.CommandRow) -> Term | None:
    for body in bodies_of(resource.get(row.names["targets"])):
        if known_text(body.get(row.names["key"])) != _NODES:
            continue
        for item in items_of(body.get(row.names["values"]))[0]:
            found = term(item, body.span or resource.span)
            if found is not None and found.text == "*":
                return found
    return None


def _pinned(resource: Resource, row: tables.CommandRow) -> bool:
    """Whether a command goes to machines that are named one by one."""
    if resource.get(row.names["instance"]) is not None:
        return True
    bodies = list(bodies_of(resource.get(row.names["targets"])))
    return not bodies or all(known_text(b.get(row.names["key"])) == _NODES for b in bodies)


def _whole(value: Value | None) -> Value | None:
    return value if value is not None and known_text(value) == _ALL else None


def _harmless(resource: Resource, row: tables.CommandRow, document: str) -> bool:
    """Whether the document changes nothing of note."""
    wanted = tables.fleet_commands().harmless.get(document.rsplit("/", 1)[-1])
    if wanted is None:
        return False
    name, value = wanted
    return not name or value in _parameter(resource, row, name)


def _parameter(resource: Resource, row: tables.CommandRow, name: str) -> Iterator[str]:
    for given in at_path(resource.get, row.parameter):
        if isinstance(given, Mapping):
            inner = given.get(name)
            found = [] if inner is None else items_of(inner)[0]
        else:
            found = [
                item
                for body in bodies_of(given)
                if known_text(body.get("name")) == name
                for item in items_of(body.get("values"))[0]
            ]
        for item in found:
            if isinstance(item, Known):
                yield str(item.data)
