"""What constructs and resources of a program are called: titles, and where they stand in their tree."""

from __future__ import annotations

from typing import Final

from blastdoor.evaluate.python.things import Bound, Call, Instance, Thing
from blastdoor.value import Value, known_text

_HOPS: Final = 12
"""Constructs within one another that are followed."""


def scope_of(call: Call) -> Call | Instance | None:
    """The construct around one that is made, or that of which a method is called.

    A class with a property named ``scope`` calls the construct around it ``scope_``.
    """
    function = call.function
    if isinstance(function, Bound):
        return function.base if isinstance(function.base, (Call, Instance)) else None
    for thing in (call.argument(0), call.argument(-1, "scope_"), call.argument(-1, "scope")):
        if isinstance(thing, (Call, Instance)):
            return thing
    return None


def id_of(call: Call) -> str:
    """The id of a construct, or what stands for it where it is not known."""
    for position in (1, 0):
        thing = call.argument(position, "id", "construct_id", "resource_name")
        text = known_text(thing) if isinstance(thing, Value) else None
        if text:
            return text
    return call.assigned or call.name.rpartition(".")[2] or "construct"


def address_of(call: Call) -> str:
    """Where a construct stands in its tree, as far as names tell."""
    parts = [id_of(call)]
    if isinstance(call.function, Bound):
        parts = [call.function.name]
    scope: Thing | None = scope_of(call)
    for _hop in range(_HOPS):
        outer = scope.call if isinstance(scope, Instance) else scope
        if not isinstance(outer, Call):
            if isinstance(scope, Instance) and scope.kind.name:
                parts.append(scope.kind.name)  # a class that nothing here makes an object of
            break
        if len(outer.arguments) > 1 or isinstance(scope, Instance):
            parts.append(id_of(outer))
        scope = scope_of(outer)
    if len(parts) == 1 and call.owner:
        parts.append(call.owner.partition(".")[0])
    return "/".join(reversed(parts))


def title_of(call: Call) -> str:
    """The name that a resource of Pulumi's is given."""
    first = call.arguments[0] if call.arguments else call.keywords.get("resource_name")
    text = known_text(first) if isinstance(first, Value) else None
    return text or call.assigned or "resource"
