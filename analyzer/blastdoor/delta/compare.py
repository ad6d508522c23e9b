"""What head reaches that base did not: the footprints of two revisions, paired and compared.

Things are paired by address; what moved is paired by what Terraform is told (``moved`` blocks), by
the name of a directory that was renamed, and last by type. A thing with no counterpart reaches from
nothing: what the union of base does not cover is a widening, so that a rename hides nothing. What
many resources have from one provider configuration or one value is said once.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Final

from blastdoor.delta import policy
from blastdoor.finding import Related
from blastdoor.reach import (
    Extent,
    Guards,
    Inherited,
    Order,
    Reach,
    Regions,
    Unresolved,
    globalised,
    unpinned,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from blastdoor.delta.footprint import Aspect, Footprint
    from blastdoor.span import Span


class Event(Enum):
    """What happened to one axis of one thing."""

    WIDENED = "widened"
    MOVED = "moved"
    """It reaches somewhere new, and no longer where it did."""
    UNPINNED = "unpinned"
    """The code named the regions, and now leaves one to the environment."""
    GLOBALISED = "globalised"
    """It acts through a global service where it acted in regions."""
    UNKNOWN = "unknown"
    """It was known, and nobody can tell any more."""
    NEW = "new"
    """It was not there, and what was there does not reach as far."""
    LOST = "lost"
    """A guard that was there is gone."""
    DESTROYED = "destroyed"
    """A thing that holds data is no longer in the code, and nothing says that it is kept."""
    NARROWED = "narrowed"


@dataclass(frozen=True, slots=True, eq=False)
class Delta:
    """One axis of one thing, or of all things that one cause decides, compared."""

    event: Event
    axis: str
    aspect: Aspect
    unit: str
    """Directory of the root in head; in base for what is gone."""
    address: str
    type: str
    attribute: str
    before: str
    """What base reaches on the axis, in words."""
    after: str
    normal: str
    """Before and after in normal form, for the fingerprint."""
    span: Span
    words: str = ""
    related: tuple[Related, ...] = ()
    cause: str = ""
    reach: Reach | None = None
    base: Reach | None = None
    limits: tuple[str, ...] = ()
    """For conditions: the keys that no longer limit."""
    also: tuple[str, ...] = ()
    """Addresses of the other things to which the same happened for the same cause."""
    narrowed: tuple[str, ...] = ()
    """What the same thing no longer reaches, on any axis: said, never netted."""
    stateful: bool = False


@dataclass(slots=True)
class Side:
    """One revision: the footprints of its units, and what it says of moves."""

    footprints: dict[str, list[Footprint]] = field(default_factory=dict)
    """Unit → its footprints."""
    moves: dict[str, dict[str, str]] = field(default_factory=dict)
    """Unit → address that something has → address that it had (``moved`` blocks)."""
    kept: dict[str, set[str]] = field(default_factory=dict)
    """Unit → addresses that are forgotten and not destroyed (``removed`` with destroy = false)."""
    environments: dict[str, set[str]] = field(default_factory=dict)
    """Unit → the environments of its variants, as far as they are known."""


Key = tuple[str, str, str]
_MOVED_ASPECTS: Final = frozenset({"allow", "deny", "placement", "target", "replica", "rollout"})


def deltas(base: Side, head: Side, renamed: Mapping[str, str]) -> list[Delta]:
    """Every delta between two revisions; ``renamed`` is unit in head → unit in base."""
    found: list[Delta] = []
    union = _Union(base)
    for unit, items in head.footprints.items():
        old_unit = renamed.get(unit, unit)
        old = {item.key: item for item in base.footprints.get(old_unit, ())}
        aliases = head.moves.get(unit, {})
        here = {item.key for item in items}
        gone = [item for key, item in old.items() if not _still(key, here, aliases)]
        for item in items:
            before = old.get(item.key)
            if before is None:
                before = old.get((_earlier(item.address, aliases), item.aspect, item.attribute))
            if before is not None:
                found.extend(_compared(before, item))
            elif item.aspect in ("guard", "lifecycle", "existence"):
                continue
            else:
                found.extend(_from_nothing(item, old_unit, gone, union))
        found.extend(_gone(gone, unit, items, head.kept.get(unit, set())))
    return _together(found)


def _still(key: Key, here: set[Key], aliases: Mapping[str, str]) -> bool:
    if key in here:
        return True
    address, aspect, attribute = key
    return any(
        (new + address[len(old) :], aspect, attribute) in here
        for new, old in aliases.items()
        if address == old or address.startswith((f"{old}.", f"{old}["))
    )


def _earlier(address: str, aliases: Mapping[str, str]) -> str:
    """The address that something had, by the longest move that names it or a module around it."""
    best = ""
    for new in aliases:
        if (address == new or address.startswith(f"{new}.")) and len(new) > len(best):
            best = new
    return aliases[best] + address[len(best) :] if best else address


# One thing, before and after


def _compared(base: Footprint, head: Footprint) -> list[Delta]:
    if head.aspect in ("allow", "deny"):
        return _policies(base, head)
    found: list[Delta] = []
    narrowed: list[str] = []
    before = base.reach.extents()
    for axis, extent in head.reach.extents().items():
        earlier = before.get(axis)
        if earlier is None:
            continue
        event = _event(axis, extent, earlier)
        if event is Event.NARROWED:
            narrowed.append(f"{axis}: {extent.describe()}, was {earlier.describe()}")
            found.append(_delta(event, axis, base, head, earlier, extent))
        elif event is not None:
            found.append(_delta(event, axis, base, head, earlier, extent))
    if narrowed:
        found = [
            item if item.event is Event.NARROWED else replace(item, narrowed=tuple(narrowed))
            for item in found
        ]
    return found


def _event(axis: str, head: Extent, base: Extent) -> Event | None:
    if isinstance(head, Unresolved):
        return None if isinstance(base, Unresolved) or _loose(base) else Event.UNKNOWN
    if isinstance(base, Unresolved):
        return None
    if isinstance(head, Regions) and isinstance(base, Regions):
        if unpinned(head, base):
            return Event.UNPINNED
        if globalised(head, base):
            return Event.GLOBALISED
    order = head.compare(base)
    if axis == "guards":
        return Event.LOST if order.widens else _narrower(order)
    if order is Order.WIDER:
        return Event.WIDENED
    if order is Order.INCOMPARABLE:
        return _where(head, base)
    return _narrower(order)


def _narrower(order: Order) -> Event | None:
    return Event.NARROWED if order is Order.NARROWER else None


def _where(head: Extent, base: Extent) -> Event | None:
    """Inherited to pinned says more, not something else."""
    if isinstance(base, Regions) and isinstance(head, Regions):
        inherited = all(isinstance(element, Inherited) for element in base.elements)
        if inherited and head.pinned and not head.several:
            return Event.NARROWED
    return Event.MOVED


def _loose(extent: Extent) -> bool:
    """Whether base says no more than that something outside decides."""
    return isinstance(extent, Regions) and any(isinstance(e, Inherited) for e in extent.elements)


def _delta(
    event: Event, axis: str, base: Footprint, head: Footprint, before: Extent, after: Extent
) -> Delta:
    return Delta(
        event,
        axis,
        head.aspect,
        head.unit,
        head.address,
        head.type,
        head.attribute,
        before.describe(),
        after.describe(),
        f"{before.to_json()}\u2192{after.to_json()}",
        head.span,
        head.words,
        head.related,
        head.cause,
        head.reach,
        base.reach,
        stateful=head.stateful,
    )


def _policies(base: Footprint, head: Footprint) -> list[Delta]:
    """Allow statements may not allow more, deny statements may not deny less."""
    if base.policy is None or head.policy is None:
        return []
    allow = head.aspect == "allow"
    wide, narrow = (head, base) if allow else (base, head)
    assert wide.policy is not None
    assert narrow.policy is not None
    excess, unclear = policy.outside(wide.policy, narrow.policy)
    found = [_exceeding(item, base, head, allow=allow) for item in excess]
    if not found:
        back, _ = policy.outside(narrow.policy, wide.policy)
        if back:
            found.append(
                replace(
                    _exceeding(back[0], head, base, allow=allow),
                    event=Event.NARROWED,
                    span=head.span,
                )
            )
        elif unclear and base.exact and not head.exact:
            found.append(
                _words_delta(
                    Event.UNKNOWN,
                    "resources",
                    head,
                    base.policy.grants().describe(),
                    "what nobody can tell from the code",
                )
            )
    return found


def _exceeding(excess: policy.Excess, base: Footprint, head: Footprint, *, allow: bool) -> Delta:
    after = _listed(excess.after)
    before = _listed(excess.before) or "nothing"
    if not allow:
        before, after = f"{after} denied", "no longer denied"
    found = _words_delta(Event.WIDENED, excess.part if allow else "conditions", head, before, after)
    return replace(
        found,
        span=excess.span if allow else head.span,
        base=base.reach,
        attribute=f"{head.attribute}[{excess.sid}]" if excess.sid else head.attribute,
        limits=excess.limits,
    )


def _words_delta(event: Event, axis: str, item: Footprint, before: str, after: str) -> Delta:
    return Delta(
        event,
        axis,
        item.aspect,
        item.unit,
        item.address,
        item.type,
        item.attribute,
        before,
        after,
        f"{before}\u2192{after}",
        item.span,
        item.words,
        item.related,
        item.cause,
        item.reach,
        stateful=item.stateful,
    )


_MOST: Final = 6


def _listed(texts: Sequence[str]) -> str:
    shown = [f"`{text}`" for text in texts[:_MOST]]
    more = len(texts) - _MOST
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


# What has no counterpart


class _Union:
    """What base reaches altogether: by unit, aspect and axis; and its policies."""

    def __init__(self, base: Side) -> None:
        self._base = base
        self._extents: dict[tuple[str, Aspect, str], Extent] | None = None
        self._policies: dict[tuple[str, Aspect], policy.Policy] = {}

    def extent(self, unit: str, aspect: Aspect, axis: str) -> Extent | None:
        """The union of one axis over a unit."""
        if self._extents is None:
            self._extents = {}
            for unit_, items in self._base.footprints.items():
                for item in items:
                    for axis_, extent in item.reach.extents().items():
                        if isinstance(extent, Unresolved) or axis_ == "grants":
                            continue
                        key = (unit_, item.aspect, axis_)
                        known = self._extents.get(key)
                        self._extents[key] = extent if known is None else known.join(extent)
        return self._extents.get((unit, aspect, axis))

    def policy(self, unit: str, aspect: Aspect) -> policy.Policy:
        """All statements of one effect of a unit."""
        key = (unit, aspect)
        if key not in self._policies:
            statements = policy.Policy(())
            for item in self._base.footprints.get(unit, ()):
                if item.aspect == aspect and item.policy is not None:
                    statements = statements.joined(item.policy)
            self._policies[key] = statements
        return self._policies[key]


def _from_nothing(
    item: Footprint, old_unit: str, gone: Sequence[Footprint], union: _Union
) -> list[Delta]:
    """What a thing without a counterpart reaches beyond all that base reaches.

    Where something of its type and aspect is gone, it may be that thing under another name, and is
    held against it as if it were.
    """
    if item.aspect == "deny":
        return []
    alike = [g for g in gone if g.type == item.type and g.aspect == item.aspect]
    event = Event.WIDENED if alike else Event.NEW
    if item.aspect == "allow":
        if item.policy is None:
            return []
        base = union.policy(old_unit, "allow")
        excess, _unclear = policy.outside(item.policy, base)
        return [
            replace(
                _words_delta(
                    event, one.part, item, _listed(one.before) or "nothing", _listed(one.after)
                ),
                span=one.span,
                attribute=f"{item.attribute}[{one.sid}]" if one.sid else item.attribute,
                limits=one.limits,
            )
            for one in excess
        ]
    found = []
    for axis, extent in item.reach.extents().items():
        if isinstance(extent, Unresolved) or axis in ("grants", "guards", "fleet"):
            continue
        before = union.extent(old_unit, item.aspect, axis)
        if before is None:
            # Nothing of base says anything on this axis: there is nothing to compare with.
            if item.aspect in ("target", "replica") and extent:
                found.append(_words_delta(Event.NEW, axis, item, "nothing", extent.describe()))
            continue
        if extent.compare(before).widens and not _only_inherited(extent):
            found.append(_words_delta(event, axis, item, before.describe(), extent.describe()))
    return found


def _only_inherited(extent: Extent) -> bool:
    return isinstance(extent, Regions) and all(isinstance(e, Inherited) for e in extent.elements)


def _gone(
    gone: Iterable[Footprint], unit: str, items: Sequence[Footprint], kept: set[str]
) -> list[Delta]:
    """Guards and statements that are gone while the thing is there, and things that hold data."""
    found = []
    present = {item.address: item for item in items if item.aspect == "existence"}
    for item in gone:
        here = present.get(item.address)
        related = (Related(item.span, "before this change"),)
        if here is None:
            if item.aspect == "existence" and item.stateful and not _is_kept(item.address, kept):
                near = _near(item, items)
                moved = replace(item, unit=unit, span=near, related=related)
                found.append(
                    _words_delta(Event.DESTROYED, "guards", moved, item.address, "nothing")
                )
            continue
        moved = replace(item, unit=unit, span=here.span, related=related)
        if item.aspect in ("guard", "lifecycle") and item.reach.guards:
            before = item.reach.guards.describe()
            found.append(
                replace(
                    _words_delta(Event.LOST, "guards", moved, before, "none"),
                    reach=Reach(guards=Guards()),
                    base=item.reach,
                )
            )
        elif item.aspect == "deny" and item.policy is not None:
            denied = item.policy.grants().describe()
            found.append(
                replace(
                    _words_delta(
                        Event.WIDENED, "conditions", moved, f"{denied} denied", "no longer denied"
                    ),
                    limits=item.policy.limits(),
                )
            )
    return found


def _near(item: Footprint, items: Sequence[Footprint]) -> Span:
    """A place in head for what is no longer there: in its file if that has anything left."""
    there = [other for other in items if other.aspect == "existence"]
    same = [other for other in there if other.span.path == item.span.path]
    before = [other for other in same if other.span.begin.line <= item.span.begin.line]
    if before:
        return max(before, key=lambda other: other.span.start).span
    return same[0].span if same else there[0].span if there else item.span


def _is_kept(address: str, kept: set[str]) -> bool:
    return any(address == name or address.startswith(f"{name}.") for name in kept)


# One cause, said once


def _together(found: Iterable[Delta]) -> list[Delta]:
    """The deltas of many things that one provider configuration or one value decides, as one."""
    groups: dict[tuple[object, ...], list[Delta]] = defaultdict(list)
    for item in found:
        at = (item.span.path, item.span.start, item.span.end)
        if item.aspect == "placement":
            key: tuple[object, ...] = (
                item.event,
                item.axis,
                item.unit,
                at,
                item.before,
                item.after,
            )
        else:
            key = (item.event, item.axis, item.unit, at, item.address, item.attribute, item.after)
        groups[key].append(item)
    result = []
    for items in groups.values():
        first = items[0]
        others = tuple(dict.fromkeys(i.address for i in items if i.address != first.address))
        result.append(replace(first, also=others))
    return sorted(
        result, key=lambda d: (d.span.path, d.span.start, d.axis, d.event.value, d.address)
    )
