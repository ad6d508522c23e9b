"""Judgements over rollouts: how much of a fleet one step of a deployment touches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.detect.command import all_there_is
from blastdoor.detect.hit import Hit
from blastdoor.facts.reading import chain, origin, place, set_to, words_of
from blastdoor.reach import Fleet, Reach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.fact import Facts, Rollout
    from blastdoor.finding import Remedy

_WHOLE: Final = 100.0
_OPERATIONS: Final = {
    "regions": (
        "every region is changed at the same time",
        "regions",
        "use SEQUENTIAL, and put the region that can be missed first in the order",
    ),
    "failures": (
        "the operation goes on although half of the accounts fail or more",
        "accounts",
        "tolerate no failure, or one",
    ),
    "accounts": (
        "every account is changed at the same time, whatever fails",
        "accounts",
        "use STRICT_FAILURE_TOLERANCE, or a tenth of the accounts at a time",
    ),
}


_SAFER: Final[dict[str, str | int]] = {
    "regions": "SEQUENTIAL",
    "failures": 0,
    "accounts": "STRICT_FAILURE_TOLERANCE",
}
"""What mends each of them.

Source: AWS CloudFormation API Reference, StackSetOperationPreferences."""


def all_at_once(facts: Facts) -> Iterator[Hit]:
    """A deployment setting sends the change to the whole fleet in one step."""
    for rollout in facts.rollouts:
        if rollout.kind != "step" or rollout.percent < _WHOLE:
            continue
        at = place(rollout.value, rollout.resource.span) or rollout.resource.span
        where = origin(rollout.value)
        yield Hit(
            at,
            f"fleet: all of it in one step ({rollout.attribute.rsplit('.', 1)[-1]} = "
            f"{rollout.words}{', ' + where if where else ''}), by {rollout.resource.address}",
            rollout.resource.address,
            rollout.attribute,
            "fleet",
            rollout.words,
            contain=rollout.contain,
            related=chain(rollout.value, at),
            remedies=_safer(rollout),
            reach=Reach(fleet=Fleet(rollout.percent)),
        )


def zero_healthy_floor(facts: Facts) -> Iterator[Hit]:
    """A rolling update may take every member down."""
    for rollout in facts.rollouts:
        if rollout.kind == "floor":
            yield _hit(
                rollout,
                f"fleet: every member of {rollout.resource.address} may be down at once "
                f"while it is updated ({_said(rollout)})",
                condition="" if rollout.serves else "no-callers",
            )


def no_alarm_or_bake(facts: Facts) -> Iterator[Hit]:
    """A progressive deployment has no alarm that stops it, or no time in which it could."""
    at_once = {
        rollout.resource.address
        for rollout in facts.rollouts
        if rollout.kind == "step" and rollout.percent >= _WHOLE
    }
    for rollout in facts.rollouts:
        if rollout.kind == "watch" and rollout.resource.address not in at_once:
            yield _hit(
                rollout,
                f"fleet: nothing stops the next step of {rollout.resource.address} when a step "
                f"goes wrong ({_said(rollout)})",
            )


def _said(rollout: Rollout) -> str:
    where = origin(rollout.value)
    name = rollout.attribute.rsplit(".", 1)[-1]
    return f"{name} = {rollout.words}{', ' + where if where else ''}"


def _safer(rollout: Rollout) -> tuple[Remedy, ...]:
    if rollout.safer is None:
        return ()
    return set_to(rollout.value, rollout.attribute, rollout.safer)


def _hit(rollout: Rollout, message: str, condition: str = "") -> Hit:
    at = place(rollout.value, rollout.resource.span) or rollout.resource.span
    return Hit(
        at,
        message,
        rollout.resource.address,
        rollout.attribute,
        "fleet",
        rollout.words,
        condition=condition,
        contain=rollout.contain,
        related=chain(rollout.value, at),
        remedies=_safer(rollout),
        reach=Reach(fleet=Fleet(rollout.percent)),
    )


def parallel_or_unbounded_stackset(facts: Facts) -> Iterator[Hit]:
    """An operation on many accounts runs everywhere at once or goes on whatever fails."""
    for operation in facts.operations:
        value = operation.value
        at = place(value, operation.resource.span) or operation.resource.span
        where = origin(value)
        name = operation.attribute.rsplit(".", 1)[-1]
        what, axis, contain = _OPERATIONS[operation.risk]
        yield Hit(
            at,
            f"{axis}: {what} ({name} = {words_of(value)}{', ' + where if where else ''}), "
            f"by {operation.resource.address}",
            operation.resource.address,
            operation.attribute,
            axis,
            words_of(value),
            condition="baseline" if operation.baseline else "",
            contain=contain,
            related=chain(value, at),
            remedies=set_to(value, name, _SAFER[operation.risk]),
            reach=Reach(fleet=Fleet(_WHOLE)),
        )


def fleet_wide_command(facts: Facts) -> Iterator[Hit]:
    """A command is sent to every managed node, or to all that it targets at once."""
    for command in facts.fleet_commands:
        address = command.resource.address
        document = command.document or "a command"
        if command.everyone is not None:
            value, attribute, condition = command.everyone.value, "targets.values", ""
            message = f"fleet: {document} runs on every managed node of the account"
            contain = "target a tag, and a tenth of the machines at a time"
        elif command.concurrency is not None:
            value, attribute = command.concurrency, "max_concurrency"
            condition = "all-at-once" if command.document else "unknown-document"
            message = f"fleet: {document} runs on all of its machines at once"
            contain = "lower max_concurrency to a tenth, and max_errors to one"
        elif command.errors is not None:
            value, attribute, condition = command.errors, "max_errors", "errors-tolerated"
            message = f"fleet: {document} goes on through its machines however many fail"
            contain = "lower max_errors to one"
        else:
            continue
        at = place(value, command.resource.span) or command.resource.span
        where = origin(value)
        yield Hit(
            at,
            f"{message} ({attribute} = {words_of(value)}{', ' + where if where else ''}), "
            f"by {address}",
            address,
            attribute,
            "fleet",
            words_of(value),
            condition="harmless-document" if command.harmless else condition,
            contain=contain,
            related=chain(value, at),
            reach=Reach(fleet=Fleet(_WHOLE)),
        )
    yield from _machines(facts)


def _machines(facts: Facts) -> Iterator[Hit]:
    """Calls that stop every machine there is, one after the other."""
    for call in facts.unit.calls:
        listed = all_there_is(call) if call.name in tables.fleet_commands().machines else ""
        if listed and not call.dry:
            yield Hit(
                call.name_span,
                f"fleet: {call.operation} runs for each machine that {listed} gives, with none left "
                "out",
                call.owner or call.client.service,
                call.operation,
                "fleet",
                call.name,
                condition="all-at-once",
                contain="ask for the machines by a tag, and take a tenth of them at a time",
                reach=Reach(fleet=Fleet(_WHOLE)),
            )
