"""Command lines that resources, pipelines, scripts and programs run.

Source: Terraform, "Provisioners": ``command`` of local-exec, ``inline`` of remote-exec;
``when = destroy`` runs it when the resource is destroyed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor.fact import Command, Script
from blastdoor.facts.reading import bodies_of, items_of, place, stretch, term
from blastdoor.parse.shell import simple_commands
from blastdoor.value import Unknown, known_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.fact import Evaluated
    from blastdoor.value import Value

_ARGUMENTS: Final = ("command", "inline")
MAX_COMMANDS: Final = 5_000
"""Simple commands of one script that are looked at."""


def commands(unit: Evaluated) -> Iterator[Command]:
    """The simple commands of the unit, as far as they are known."""
    for script in (*_provisioners(unit), *unit.scripts):
        value, fallback = script.text.value, script.text.span
        for number, words in enumerate(simple_commands(script.text.text)):
            if number >= MAX_COMMANDS:
                break
            span = stretch(value, words[0].start, words[-1].end) or place(value, fallback)
            yield Command(
                script, tuple([word.text for word in words]), span or fallback, script.text.value
            )
    yield from unit.commands


def _provisioners(unit: Evaluated) -> Iterator[Script]:
    for resource in unit.resources:
        if resource.is_data:
            continue
        for body in bodies_of(resource.get("provisioner")):
            at_destroy = _names_destroy(body.get("when"))
            when = f"when {resource.address} is {'destroyed' if at_destroy else 'made'}"
            for name in _ARGUMENTS:
                for item in items_of(body.get(name))[0]:
                    text = term(item, body.span or resource.span)
                    if text is not None:
                        yield Script(
                            resource.address,
                            f"provisioner.{name}",
                            text,
                            when,
                            at_destroy=at_destroy,
                        )


def _names_destroy(value: Value | None) -> bool:
    """Whether ``when`` is the word ``destroy``, which is no reference to anything."""
    if isinstance(value, Unknown):
        return value.subject == "destroy"
    return known_text(value) == "destroy"
