"""Judgements over rollouts: how much of a fleet one step of a deployment touches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor.detect.hit import Hit
from blastdoor.facts.reading import chain, origin, place
from blastdoor.reach import Fleet, Reach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.fact import Facts

_WHOLE: Final = 100.0


def all_at_once(facts: Facts) -> Iterator[Hit]:
    """A deployment setting sends the change to the whole fleet in one step."""
    for rollout in facts.rollouts:
        if rollout.percent < _WHOLE:
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
            reach=Reach(fleet=Fleet(rollout.percent)),
        )
