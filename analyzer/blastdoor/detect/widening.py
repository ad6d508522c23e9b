"""Judgements over deltas: what a change reaches that was not reached before.

Each of them looks at one kind of delta; together they say everything `blastdoor.delta.compare`
finds, and none says what another says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.delta.compare import Event
from blastdoor.detect.hit import Hit
from blastdoor.reach import MOST_WORDS, Regions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from blastdoor.delta.compare import Delta

_REACHES: Final = frozenset(
    {Event.WIDENED, Event.MOVED, Event.UNPINNED, Event.GLOBALISED, Event.NEW}
)
_CONDITIONS: Final = {
    Event.NEW: "new",
    Event.UNPINNED: "unpinned",
    Event.GLOBALISED: "global-service",
}
_CONTAIN: Final = {
    "regions": "name the regions that are meant, and roll the others out one by one",
    "partitions": "keep one partition to a root, with providers of its own",
    "accounts": "target one organizational unit or account first",
    "principals": "name who needs it",
    "actions": "list the actions that are needed",
    "resources": "name the ARNs that are needed",
    "network": "open it to the networks that need it",
    "conditions": "keep the condition, or say in the review why it can go",
    "environment": "change one environment first",
    "fleet": "keep the smaller step",
}


def _widened(axis: str) -> Callable[[Sequence[Delta]], Iterator[Hit]]:
    """The detector of one axis."""

    def detect(deltas: Sequence[Delta]) -> Iterator[Hit]:
        for delta in deltas:
            if delta.axis != axis or delta.event not in _REACHES or delta.aspect == "replica":
                continue
            if axis == "conditions" and _limited_regions(delta):
                continue
            if axis == "fleet":
                continue
            yield hit(delta, f"{axis}: {_said(delta)}", _CONDITIONS.get(delta.event, ""))

    return detect


regions_widened = _widened("regions")
partition_crossed = _widened("partitions")
accounts_widened = _widened("accounts")
principals_widened = _widened("principals")
actions_widened = _widened("actions")
resources_widened = _widened("resources")
network_widened = _widened("network")
condition_dropped = _widened("conditions")


def unknown_reach(deltas: Sequence[Delta]) -> Iterator[Hit]:
    """What was known and is no longer: nobody can tell whether it widens."""
    regions = {(d.span.path, d.span.start, d.address) for d in deltas if d.axis == "regions"}
    for delta in deltas:
        if delta.event is Event.UNKNOWN:
            if delta.axis == "partitions" and (
                (delta.span.path, delta.span.start, delta.address) in regions
            ):
                continue  # the region says it
            yield hit(
                delta,
                f"{delta.axis}: nobody can tell from the code ({delta.after}), was {delta.before}"
                f"{_for(delta)}",
            )


def region_condition_removed(deltas: Sequence[Delta]) -> Iterator[Hit]:
    """A condition on the region limited access, and no longer does."""
    for delta in deltas:
        if delta.axis == "conditions" and delta.event in _REACHES and _limited_regions(delta):
            yield hit(
                delta,
                f"regions: {delta.after}, was {delta.before}{_for(delta)}",
                _CONDITIONS.get(delta.event, ""),
            )


def new_replica_region(deltas: Sequence[Delta]) -> Iterator[Hit]:
    """Data is copied to a region that it was not copied to before."""
    for delta in deltas:
        if delta.aspect == "replica" and delta.event in _REACHES and not _counts_nothing(delta):
            yield hit(delta, f"regions: data is copied to {_said(delta)}")


def _counts_nothing(delta: Delta) -> bool:
    regions = delta.reach.regions if delta.reach is not None else None
    return isinstance(regions, Regions) and not regions


def lifecycle_guard_removed(deltas: Sequence[Delta]) -> Iterator[Hit]:
    """What kept a resource from being destroyed is gone."""
    for delta in deltas:
        if delta.aspect == "lifecycle" and delta.event is Event.LOST:
            yield hit(
                delta,
                f"guards: nothing keeps {delta.address} from being destroyed any more "
                f"({delta.before} is gone)",
                contain=f"restore {delta.before}",
            )


def stateful_replacement(deltas: Sequence[Delta]) -> Iterator[Hit]:
    """A resource that holds data goes with this change."""
    table = tables.stateful()
    for delta in deltas:
        if delta.event is Event.DESTROYED:
            row = table.get(delta.type)
            loses = row.loses if row is not None else "what it holds"
            yield hit(
                delta,
                f"guards: {delta.address} is destroyed, with {loses}: it is no longer in the code, "
                "and no moved or removed block says that it is kept",
                "destroyed",
                contain="add a moved block, or removed { lifecycle { destroy = false } }",
            )


def _guard_lost(kind: str) -> Callable[[Sequence[Delta]], Iterator[Hit]]:
    def detect(deltas: Sequence[Delta]) -> Iterator[Hit]:
        for delta in deltas:
            if delta.aspect != "guard" or delta.event is not Event.LOST:
                continue
            named, _colon, attribute = delta.attribute.partition(":")
            if named == kind:
                yield hit(
                    delta,
                    f"guards: {delta.address} loses a guard that it had ({delta.before})",
                    "was-on",
                    contain=f"keep {delta.before}",
                    attribute=attribute,
                )

    return detect


deletion_protection_off = _guard_lost("deletion")
data_kept_by_force_lost = _guard_lost("data-loss")


def step_enlarged(deltas: Sequence[Delta]) -> Iterator[Hit]:
    """A rollout takes a larger step than before."""
    for delta in deltas:
        if delta.axis == "fleet" and delta.event in _REACHES:
            yield hit(delta, f"fleet: {_said(delta)}")


def _limited_regions(delta: Delta) -> bool:
    scopes = tables.scopes()
    return any(scopes.narrows_region(key) for key in delta.limits)


def _said(delta: Delta) -> str:
    via = f", via {delta.words}" if delta.words else ""
    if delta.event is Event.NEW:
        return f"{delta.after}, where base reaches {delta.before}{via}{_for(delta)}"
    if delta.event is Event.UNPINNED:
        return f"one region, decided by the environment, was pinned to {delta.before}{_for(delta)}"
    return f"{delta.after}, was {delta.before}{via}{_for(delta)}"


def _for(delta: Delta) -> str:
    what = "by" if delta.aspect in ("target", "allow", "deny") else "for"
    if not delta.also:
        return f", {what} {delta.address}"
    more = f"{delta.address} and {len(delta.also)} more"
    return f", {what} {more}" + (f" ({delta.cause})" if delta.cause else "")


def hit(
    delta: Delta,
    message: str,
    condition: str = "",
    *,
    contain: str = "",
    attribute: str = "",
) -> Hit:
    """A hit about a delta."""
    if delta.narrowed:
        message = f"{message}; at the same time narrower on {'; '.join(delta.narrowed)}"
    related = delta.related
    return Hit(
        delta.span,
        message,
        delta.address,
        attribute or delta.attribute,
        delta.axis,
        delta.normal,
        condition,
        contain=contain or _CONTAIN.get(delta.axis, ""),
        related=related,
        reach=delta.reach if delta.aspect not in ("allow", "deny") else None,
        before=delta.before,
        after=delta.after,
    )


def names(addresses: Iterable[str]) -> str:
    """Some addresses in words."""
    every = list(addresses)
    shown = ", ".join(every[:MOST_WORDS])
    return shown if len(every) <= MOST_WORDS else f"{shown} and {len(every) - MOST_WORDS} more"
