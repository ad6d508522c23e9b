"""Command lines that resources run.

Source: Terraform, "Provisioners": ``command`` of local-exec, ``inline`` of remote-exec;
``when = destroy`` runs it when the resource is destroyed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor.fact import Command
from blastdoor.facts.reading import bodies_of, items_of, term
from blastdoor.value import Unknown, known_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.fact import Evaluated
    from blastdoor.value import Value

_ARGUMENTS: Final = ("command", "inline")


def commands(unit: Evaluated) -> Iterator[Command]:
    """The command lines of the unit, as far as they are known."""
    for resource in unit.resources:
        if resource.is_data:
            continue
        for body in bodies_of(resource.get("provisioner")):
            at_destroy = _names_destroy(body.get("when"))
            for name in _ARGUMENTS:
                for item in items_of(body.get(name))[0]:
                    text = term(item, body.span or resource.span)
                    if text is not None:
                        yield Command(resource, f"provisioner.{name}", text, at_destroy)


def _names_destroy(value: Value | None) -> bool:
    """Whether ``when`` is the word ``destroy``, which is no reference to anything."""
    if isinstance(value, Unknown):
        return value.subject == "destroy"
    return known_text(value) == "destroy"
