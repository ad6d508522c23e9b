"""What head reaches that base did not: the footprints of two revisions, paired and compared.

Things are paired by address; what moved is paired by what Terraform is told (``moved`` blocks), by
the name of a directory that was renamed, and last by type. A thing with no counterpart reaches from
nothing: what the union of base does not cover is a widening, so that a rename hides nothing. What
many resources have from one provider configuration or one value is said once.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import reduce
from typing import TYPE_CHECKING, Any, Final

from blastdoor import tables
from blastdoor.delta import policy
from blastdoor.delta.footprint import ACCOUNT_GUARDS, joined, kind_held
from blastdoor.delta.settled import changes
from blastdoor.facts.reading import chain, origin, place
from blastdoor.finding import Related
from blastdoor.reach import (
    Accounts,
    Extent,
    Fleet,
    Guards,
    Inherited,
    Network,
    Order,
    Partitions,
    Reach,
    Regions,
    Unresolved,
    globalised,
    unpinned,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

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
    REPLACED = "replaced"
    """A thing that holds data has an argument changed that cannot change in place."""
    CHANGED = "changed"
    """A setting that holds for many things is another one."""
    SPANS = "spans"
    """One change touches what lies far apart."""
    REVEALED = "revealed"
    """Base did not say, and head does: whether it widens is for the history to tell."""
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
    home: Span | None = None
    """The header of the thing, where ``span`` is the place of what decides."""
    units: tuple[str, ...] = ()
    """The units it happened in."""
    environment: str | None = None
    """What these units are for, when that is known and the same for all; production wins."""
    key: tuple[str, str, str] | None = None
    """What it is about within its unit, as `Footprint.key`."""


@dataclass(slots=True)
class Side:
    """One revision: the footprints of its units, and what it says of moves."""

    footprints: dict[str, list[Footprint]] = field(default_factory=dict)
    """Unit → its footprints."""
    moves: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """Unit → address that something has → addresses that its instances had (``moved`` blocks)."""
    sources: dict[str, set[str]] = field(default_factory=dict)
    """Unit → addresses with keys from which something is moved."""
    kept: dict[str, set[str]] = field(default_factory=dict)
    """Unit → addresses that are forgotten and not destroyed (``removed`` with destroy = false)."""
    idle: dict[str, set[str]] = field(default_factory=dict)
    """Unit → addresses that have no instance because of what a variable is."""
    environments: dict[str, set[str]] = field(default_factory=dict)
    """Unit → the environments of its variants, as far as they are known."""
    contents: dict[str, dict[tuple[str, str | None], str]] = field(default_factory=dict)
    """Unit → address and environment of the variant → what it says in a digest."""
    files: dict[str, set[str]] = field(default_factory=dict)
    """Environment → paths of the files that its variants were read from."""
    regions: Regions | None = None
    """The regions that the whole repository speaks of; ``None`` when it speaks of none."""
    inputs: dict[str, set[str]] = field(default_factory=dict)
    """Unit → paths of the files that it was read from."""
    modules: set[str] = field(default_factory=set)
    """Units that are modules which nothing here calls: nobody can tell what was made of them."""


Key = tuple[str, str, str]
Wholes = tuple["policy.Policy | None", "policy.Policy | None"]
"""All that the holder of an inline policy has of its effect, in base and in head."""
_REACHING: Final = frozenset({"member", "network", "replica", "target"})
"""Aspects that a thing can be without, and then reaches nothing by them."""
_NOTHING_NEW: Final = frozenset(
    {"audience", "existence", "fixed", "flag", "guard", "lifecycle", "provider"}
)
"""Aspects of which a new thing says nothing that was not so before."""


def deltas(
    base: Side, head: Side, renamed: Mapping[str, str], edited: Collection[str] = ()
) -> list[Delta]:
    """Every delta between two revisions; ``renamed`` is unit in head → unit in base.

    ``edited`` are the paths of the files that differ, on either side.
    """
    counterpart = {unit: renamed.get(unit, unit) for unit in head.footprints}
    paired: dict[str, list[tuple[Footprint | None, Footprint]]] = {}
    gone: dict[str, list[Footprint]] = {}
    existing: dict[str, set[str]] = {}
    """Unit → addresses in head of what was there in base."""
    for unit, items in head.footprints.items():
        old = {item.key: item for item in base.footprints.get(counterpart[unit], ())}
        aliases = head.moves.get(unit, {})
        taken: set[Key] = set()
        pairs = paired[unit] = []
        for item in items:
            former = _before(item, old, aliases)
            taken.update(one.key for one in former)
            pairs.append((reduce(joined, former) if former else None, item))
        gone[unit] = [item for key, item in old.items() if key not in taken]
        existing[unit] = {
            item.address
            for former, item in pairs
            if former is not None and item.aspect == "existence"
        }
    taken_units = set(counterpart.values())
    lost = {unit: items for unit, items in base.footprints.items() if unit not in taken_units}
    called = {
        unit: {name for item in items if item.aspect == "existence" for name in item.of}
        for unit, items in base.footprints.items()
    }
    union = _Union(base, [*gone.values(), *lost.values()])
    head_union = _Union(head, ())
    found: list[Delta] = []
    for unit, pairs in paired.items():
        now = {item.address for _before, item in pairs if item.aspect == "existence"}
        new = {
            name
            for _before, item in pairs
            if item.aspect == "existence" and item.address not in existing[unit]
            for name in item.of
        }
        # Two things of one name may be in two accounts: nobody can tell which is meant.
        was = (existing[unit] | called.get(counterpart[unit], set())) - new
        for before, item in pairs:
            if before is not None:
                wholes = (union.held(before), head_union.held(item))
                found.extend(_compared(before, item, wholes))
                if item.aspect == "existence" and item.stateful and not before.kept:
                    found.extend(_fewer(before, item, head.sources.get(unit, set())))
            elif item.aspect not in _NOTHING_NEW:
                there = item.address in existing[unit] or _on(item, now) in was
                found.extend(_from_nothing(item, counterpart[unit], union, there=there))
        kept = head.kept.get(unit, set())
        for delta in _gone(gone[unit], unit, head.footprints[unit], kept, head_union):
            default = any(
                _is_kept(address, head.idle.get(unit, set()))
                for address in later(delta.address, head.moves.get(unit, {}))
            )
            if default and delta.event is Event.DESTROYED:
                found.append(replace(delta, attribute="variable"))
            elif not default or delta.event is not Event.WIDENED:
                found.append(delta)
    applied = {unit: items for unit, items in lost.items() if unit not in base.modules}
    found.extend(_lost(applied, head))
    found.extend(_spans(base, head, counterpart, edited))
    environments = {unit: _environment(names) for unit, names in head.environments.items()}
    return _together(
        replace(
            d,
            units=d.units or (d.unit,),
            environment=None if d.event is Event.SPANS else environments.get(d.unit),
        )
        for d in found
    )


def _on(item: Footprint, now: set[str]) -> str:
    """What a policy of its own is on, by its address here or its name."""
    return next((name for name in item.of if name in now or "=" in name), "")


def _environment(names: set[str]) -> str | None:
    """What a unit is for, whatever variant it is run with."""
    if "production" in names:
        return "production"
    return next(iter(names)) if len(names) == 1 else None


_MAX_MOVES: Final = 50
"""Longest chain of moves that is followed."""


def _before(
    item: Footprint, old: Mapping[Key, Footprint], aliases: Mapping[str, Sequence[str]]
) -> list[Footprint]:
    """The same aspect of the same thing in base, under this address or those that it had."""
    return [
        old[address, item.aspect, item.attribute]
        for address in _addresses(
            item.address, aliases, lambda one: (one, item.aspect, item.attribute) in old
        )
    ]


def _addresses(
    address: str, aliases: Mapping[str, Sequence[str]], there: Callable[[str], bool]
) -> list[str]:
    """The addresses at which something was: its own, or the last ones before its moves."""
    found: list[str] = []
    pending = [address]
    for _hop in range(_MAX_MOVES):
        found += [one for one in pending if there(one)]
        if found:
            break
        pending = [former for one in pending for former in earlier(one, aliases)]
    return list(dict.fromkeys(found))


def earlier(address: str, aliases: Mapping[str, Sequence[str]]) -> list[str]:
    """The addresses that something had, by the longest move that names it or a module around it."""
    best = ""
    for new in aliases:
        if (address == new or address.startswith(f"{new}.")) and len(new) > len(best):
            best = new
    return [old + address[len(best) :] for old in aliases[best]] if best else []


def later(address: str, aliases: Mapping[str, Sequence[str]]) -> list[str]:
    """An address and those that moves lead from it to."""
    found = [address]
    for current in found:
        for new, old in aliases.items():
            for former in old:
                if current == former or current.startswith(f"{former}."):
                    name = new + current[len(former) :]
                    if name not in found and len(found) < _MAX_MOVES:
                        found.append(name)
    return found


# One thing, before and after


def _compared(base: Footprint, head: Footprint, wholes: Wholes = (None, None)) -> list[Delta]:
    if head.aspect in ("allow", "deny"):
        return _policies(base, head, wholes)
    if head.aspect in ("fixed", "provider"):
        return _changed(base, head)
    if head.aspect == "flag":
        return _let_through(base, head)
    if head.aspect == "network" and head.open > base.open:
        before_, after_ = base.reach.network, head.reach.network
        if isinstance(before_, Network) and isinstance(after_, Network):
            gone = before_.compare(after_) is not Order.EQUAL and before_.within(after_) is False
            if gone:
                return [
                    _words_delta(Event.UNKNOWN, "network", head, before_.describe(), head.unknown),
                    *_by_axis(base, head),
                ]
    return _by_axis(base, head)


def _by_axis(base: Footprint, head: Footprint) -> list[Delta]:
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
        return Event.REVEALED
    if isinstance(head, Regions) and isinstance(base, Regions):
        if unpinned(head, base):
            return Event.UNPINNED
        if globalised(head, base):
            return Event.GLOBALISED
    order = head.compare(base)
    if axis == "guards":
        return Event.LOST if order.widens else _narrower(order)
    if order is Order.WIDER or (order is Order.UNKNOWN and _more(head, base)):
        return Event.WIDENED
    if order is Order.INCOMPARABLE:
        return _where(head, base)
    return _narrower(order)


def _more(head: Extent, base: Extent) -> bool:
    """Whether accounts are named beside all that were named.

    Without a map of the organization nobody knows what lies within what; but nobody names a unit that
    lies within one that is named already.
    """
    if not isinstance(head, Accounts) or not isinstance(base, Accounts):
        return False
    return set(base.elements) < set(head.elements)


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
    untold = f" and {base.unknown}, which nobody can tell" if base.open and base.unknown else ""
    return _words_delta(
        event,
        axis,
        head,
        f"{before.describe()}{untold}",
        after.describe(),
        normal=f"{before.to_json()}\u2192{after.to_json()}",
        base=base.reach,
    )


def _changed(base: Footprint, head: Footprint) -> list[Delta]:
    """Settings without an order: another value, surely."""
    if base.value is None or head.value is None:
        return []
    parts = changes(base.value, head.value)
    if not parts:
        return []
    if head.aspect == "fixed":
        event, axis = Event.REPLACED, "guards"
    else:
        event, axis = Event.CHANGED, "accounts"
    names = [".".join(filter(None, (head.attribute, part.path))) for part in parts]
    found = _words_delta(
        event,
        axis,
        head,
        ", ".join(part.before for part in parts[:_MOST]),
        ", ".join(part.after for part in parts[:_MOST]),
        normal=f"{base.value.key()}\u2192{head.value.key()}",
    )
    places = tuple(
        Related(span, f"{address} is under it") for address, span in head.under[:_BESIDE]
    )
    at = parts[0].span if head.aspect == "provider" else None
    return [
        replace(
            found,
            span=at or head.span,
            attribute=", ".join(names[:_MOST]),
            also=tuple(address for address, _span in head.under),
            related=(*found.related, Related(base.span, "before this change"), *places),
        )
    ]


_JUMP: Final = 50
"""Points by which a share may grow in one change."""
_WHOLE: Final = 100


def _let_through(base: Footprint, head: Footprint) -> list[Delta]:
    """A share that goes to everyone, or grows by half of all, in one step."""
    before = base.reach.fleet.percent if isinstance(base.reach.fleet, Fleet) else 0.0
    after = head.reach.fleet.percent if isinstance(head.reach.fleet, Fleet) else 0.0
    event = Event.WIDENED
    if after <= before:
        if after == before:
            return []
        event = Event.NARROWED
    elif after - before < _JUMP and after < _WHOLE:
        return []
    return [_words_delta(event, "fleet", head, f"{before:g} %", f"{after:g} %")]


def _policies(base: Footprint, head: Footprint, wholes: Wholes) -> list[Delta]:
    """Allow statements may not allow more, deny statements may not deny less.

    What one inline policy says is held against all that its holder has on the other side: a statement
    may move from one to the next.
    """
    if base.policy is None or head.policy is None:
        if base.policy is not None:
            return [_untold(base, head)]
        return (
            [] if head.policy is None else [_words_delta(Event.REVEALED, "resources", head, "", "")]
        )
    allow = head.aspect == "allow"
    wide, narrow = (head, base) if allow else (base, head)
    assert wide.policy is not None
    assert narrow.policy is not None
    before, after = wholes if base.holder == head.holder else (None, None)
    all_wide, all_narrow = (after, before) if allow else (before, after)
    excess, unclear = policy.outside(wide.policy, all_narrow or narrow.policy)
    back, _ = policy.outside(narrow.policy, all_wide or wide.policy)
    found = [_exceeding(item, base, head, allow=allow) for item in excess]
    if back:
        less, more = _listed(back[0].before) or "nothing", _listed(back[0].after)
        lost = (
            _words_delta(Event.NARROWED, back[0].part, head, more, less)
            if allow
            else _words_delta(
                Event.NARROWED, "conditions", head, f"{less} denied", f"{more} denied"
            )
        )
        words = f"{lost.axis}: {lost.after}, was {lost.before}"
        found = [*(replace(item, narrowed=(words,)) for item in found), lost]
    if excess:
        return found
    large = policy.beyond(wide.policy) and not policy.same(wide.policy, narrow.policy)
    if large or (unclear and base.exact and not head.exact):
        now = "more statements than are compared" if large else "what the code does not say"
        was = base.policy.grants().describe() if not policy.beyond(base.policy) else "fewer"
        found.append(_words_delta(Event.UNKNOWN, "resources", head, was, now))
    elif unclear and head.exact and not base.exact:
        found.append(_words_delta(Event.REVEALED, "resources", head, "", ""))
    return found


def _untold(base: Footprint, head: Footprint) -> Delta:
    """A policy that the code spelt out, and does no longer."""
    assert base.policy is not None
    before = "fewer" if policy.beyond(base.policy) else base.policy.grants().describe()
    return _words_delta(Event.UNKNOWN, "resources", head, before, head.words or "not in the code")


def _exceeding(excess: policy.Excess, base: Footprint, head: Footprint, *, allow: bool) -> Delta:
    after = _listed(excess.after)
    before = _listed(excess.before)
    if not allow:
        # What was denied and is no longer: the statement of base is the wider one.
        if excess.part == "conditions":
            limits = () if excess.after == (policy.NO_CONDITION,) else excess.after
            before, after = _denied(excess.actions, limits), f"denied only where {before}"
        else:
            before, after = f"{after} denied", _less_denied(before)
    normal = json.dumps([allow, sorted(excess.before), sorted(excess.after)])
    axis = excess.part if allow else "conditions"
    return replace(
        _words_delta(Event.WIDENED, axis, head, before or "nothing", after, normal=normal),
        span=excess.span if allow else head.span,
        base=base.reach,
        attribute=f"{head.attribute}[{excess.sid}]" if excess.sid else head.attribute,
        limits=excess.limits,
    )


def _words_delta(
    event: Event,
    axis: str,
    item: Footprint,
    before: str,
    after: str,
    **more: Any,
) -> Delta:
    span, words, related = _decided(item, axis)
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
        more.pop("normal", f"{before}\u2192{after}"),
        span,
        words,
        related,
        item.cause,
        item.reach,
        stateful=item.stateful,
        home=item.home or item.span,
        key=item.key,
        **more,
    )


def _decided(item: Footprint, axis: str) -> tuple[Span, str, tuple[Related, ...]]:
    """What decides an axis: the place, where its value comes from, and the chain that leads there."""
    if axis != "accounts" or item.aspect != "placement":
        return item.span, item.words, item.related
    if item.account is None:
        return item.span, "", ()
    at = place(item.account) or item.span
    return at, origin(item.account), chain(item.account, at)


def _denied(actions: Sequence[str], conditions: Sequence[str]) -> str:
    """What a statement denies, in words."""
    where = f" where {_listed(conditions)}" if conditions else ""
    return f"{_listed(actions)} denied{where}"


def _less_denied(left: str) -> str:
    return f"no longer denied, only {left}" if left else "no longer denied"


_MOST: Final = 6


def _listed(texts: Sequence[str]) -> str:
    shown = [f"`{text}`" for text in texts[:_MOST]]
    more = len(texts) - _MOST
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _fewer(base: Footprint, head: Footprint, moved: set[str]) -> list[Delta]:
    """Instances that held data and have no counterpart.

    Terraform moves a single instance to the first of ``count`` and back by itself (Terraform Language,
    "Refactoring").
    """
    if base.instances is None or head.instances is None:
        return []
    counted = [all(key.isdecimal() or not key for key in i.instances or ()) for i in (base, head)]
    if counted == [True, False] and len(head.instances) >= len(base.instances):
        # From count to names for as many: a refactor, whose moves may be done by command.
        return []
    by_itself = {"": "0", "0": ""}
    lost = sorted(
        key
        for key in base.instances - head.instances
        if by_itself.get(key) not in head.instances
        and not moved & {f"{base.address}{form}" for form in _forms(key)}
    )
    if not lost:
        return []
    names = [f'{base.address}["{key}"]' if key else base.address for key in lost]
    shown = ", ".join(names[:_MOST]) + (f" and {len(names) - _MOST} more" if names[_MOST:] else "")
    normal = f"instances:{json.dumps(lost)}"
    found = _words_delta(Event.DESTROYED, "guards", head, shown, "nothing", normal=normal)
    return [replace(found, attribute="instances")]


def _forms(key: str) -> tuple[str, ...]:
    return (f'["{key}"]', f"[{key}]") if key else ("",)


def last_known(delta: Delta, head: Side, before: Side, unit: str) -> list[Delta] | None:
    """What an earlier revision says of something that base did not say; ``None``: nothing either.

    A list of one delta where head reaches further than that, an empty one where it does not.
    """
    items = {item.key: item for item in before.footprints.get(unit, ())}
    item = next((i for i in head.footprints.get(delta.unit, ()) if i.key == delta.key), None)
    if item is None:
        return []
    before_ = _before(item, items, head.moves.get(delta.unit, {}))
    if not before_:
        return None
    old = reduce(joined, before_)
    if item.aspect in ("allow", "deny"):
        if not old.exact:
            return None
    elif isinstance(old.reach.extents().get(delta.axis), Unresolved):
        return None
    since = "nobody could tell for a while"
    return [
        replace(
            one,
            units=(one.unit,),
            environment=_environment(head.environments.get(one.unit, set())),
            related=(*one.related, Related(old.span, f"what the code said last; {since}")),
        )
        for one in _compared(old, item)
        if one.axis == delta.axis and one.event not in (Event.NARROWED, Event.REVEALED)
    ]


# What has no counterpart


class _Union:
    """What one side reaches altogether: by unit, aspect and axis; and its policies."""

    def __init__(self, side: Side, gone: Iterable[Iterable[Footprint]]) -> None:
        self.side = side
        self._extents: dict[tuple[str, str, str], Extent] | None = None
        self._policies: dict[tuple[str, Aspect], policy.Policy] = {}
        self._gone: dict[tuple[str, Aspect], list[Footprint]] = defaultdict(list)
        for items in gone:
            for item in items:
                self._gone[_kind(item), item.aspect].append(item)

    def alike(self, item: Footprint, unit: str) -> list[Footprint]:
        """What is gone and may be the thing under another address: of its type, near or alike."""
        name = item.address.rpartition(".")[2]
        return [
            other
            for other in self._gone.get((_kind(item), item.aspect), ())
            if other.unit == unit or other.address.rpartition(".")[2] == name
        ]

    def held(self, item: Footprint) -> policy.Policy | None:
        """An inline policy with the others of the same holder; otherwise the policy itself."""
        if not item.holder or item.policy is None:
            return item.policy
        whole = item.policy
        for other in self.side.footprints.get(item.unit, ()):
            if other.key != item.key and (other.holder, other.aspect) == (item.holder, item.aspect):
                whole = whole.joined(other.policy)
        return whole

    def extent(self, unit: str, item: Footprint, axis: str) -> Extent | None:
        """The union of one axis over what is like a thing in a unit.

        For its place that is its type, if the unit has more of it: what is open or allowed can be said
        by another type as well.
        """
        if self._extents is None:
            self._extents = {}
            for unit_, items in self.side.footprints.items():
                for one in items:
                    for axis_, extent in one.reach.extents().items():
                        if isinstance(extent, Unresolved):
                            continue
                        for kind in (one.aspect, f"{one.aspect}:{one.type}"):
                            key = (unit_, kind, axis_)
                            known = self._extents.get(key)
                            self._extents[key] = extent if known is None else known.join(extent)
        found = self._extents.get((unit, f"{item.aspect}:{item.type}", axis))
        if item.aspect == "placement" and found is not None:
            return found
        return self._extents.get((unit, item.aspect, axis))

    def policy(self, unit: str, aspect: Aspect) -> policy.Policy:
        """All statements of one effect of a unit, but for what is only attached.

        An administrator's policy at one role would cover whatever another one gets.
        """
        key = (unit, aspect)
        if key not in self._policies:
            statements = policy.Policy(())
            for item in self.side.footprints.get(unit, ()):
                if item.aspect == aspect and item.policy is not None and not _attached(item):
                    statements = statements.joined(item.policy)
            self._policies[key] = statements
        return self._policies[key]


def _attached(item: Footprint) -> bool:
    """Whether it is what a managed policy allows where it is attached."""
    return tables.policy_attachments().get(item.type) == item.attribute


def _kind(item: Footprint) -> str:
    """The type of a thing; one for all that attach a policy, in whatever way."""
    return "an attachment" if _attached(item) else item.type


def _from_nothing(item: Footprint, old_unit: str, union: _Union, *, there: bool) -> list[Delta]:
    """What a thing without a counterpart reaches beyond all that base reaches.

    Where something of its type is gone, it may be that thing under another name or in another unit,
    and is held against it as if it were. A thing that was ``there`` reached nothing in this way.
    """
    if item.aspect == "deny":
        return []
    alike = union.alike(item, old_unit)
    event = Event.WIDENED if alike or there else Event.NEW
    # What it is held against are other things, if what it is on had nothing of the kind.
    at = " elsewhere" if there and not alike else ""
    if item.aspect == "allow":
        if item.policy is None:
            return []
        base = union.policy(old_unit, "allow")
        for other in alike:
            if other.unit != old_unit or _attached(other):
                base = base.joined(other.policy)
        excess, _unclear = policy.outside(item.policy, base)
        return [
            replace(
                _words_delta(
                    event,
                    one.part,
                    item,
                    f"{_listed(one.before)}{at}" if one.before else "nothing",
                    _listed(one.after),
                    normal=json.dumps([sorted(one.before), sorted(one.after)]),
                ),
                span=one.span,
                attribute=f"{item.attribute}[{one.sid}]" if one.sid else item.attribute,
                limits=one.limits,
            )
            for one in excess
        ]
    found = []
    for axis, extent in item.reach.extents().items():
        if isinstance(extent, Unresolved) or axis in ("guards", "fleet", "environment"):
            continue
        before = union.extent(old_unit, item, axis)
        for other in alike:
            further = other.reach.extents().get(axis)
            if other.unit != old_unit and further is not None:
                before = further if before is None else before.join(further)
        if before is None and axis == "regions" and item.aspect == "placement":
            before = union.side.regions
        if before is None:
            # Nothing of base says anything on this axis: there is nothing to compare with.
            if item.aspect in _REACHING and extent:
                found.append(_reaching(event, axis, item, None, extent, at))
            continue
        if extent.compare(before).widens and not _only_inherited(extent):
            found.append(_reaching(event, axis, item, before, extent, at))
    return found


def _reaching(
    event: Event, axis: str, item: Footprint, before: Extent | None, after: Extent, at: str
) -> Delta:
    normal = f"{None if before is None else before.to_json()}\u2192{after.to_json()}"
    words = f"{before.describe()}{at}" if before else "nothing"
    return _words_delta(event, axis, item, words, after.describe(), normal=normal)


def _only_inherited(extent: Extent) -> bool:
    return isinstance(extent, Regions) and all(isinstance(e, Inherited) for e in extent.elements)


def _gone(
    gone: Sequence[Footprint],
    unit: str,
    items: Sequence[Footprint],
    kept: set[str],
    union: _Union,
) -> Iterator[Delta]:
    """Guards and statements that are gone while the thing is there, and things that hold data."""
    present = {
        item.address: item
        for item in items
        if item.aspect == "existence" or (item.aspect == "provider" and not item.attribute)
    }
    held = {
        (item.attribute.partition(":")[0], item.type)
        for item in items
        if item.aspect == "guard" and item.reach.guards
    }
    untold = {
        (item.address, item.attribute): item.type
        for item in items
        if item.aspect == "allow" and item.policy is None
    }
    for item in gone:
        here = present.get(item.address)
        related = (Related(item.span, "before this change"),)
        if here is None:
            near = _near(item, items)
            moved = replace(item, unit=unit, span=near, related=related, home=near)
            lost = item.aspect == "existence" and item.stateful and not item.kept
            if lost and not _is_kept(item.address, kept):
                yield _words_delta(Event.DESTROYED, "guards", moved, item.address, "nothing")
            dropped = item.aspect == "deny" and item.type not in untold.values()
            if dropped and _applied(item, gone) and not _is_kept(item.address, kept):
                yield from _allowed_again(moved, union.policy(unit, "deny"))
            continue
        moved = replace(item, unit=unit, span=here.span, related=related, home=here.span)
        if item.aspect in ("guard", "lifecycle") and item.reach.guards:
            kind = item.attribute.partition(":")[0]
            if any(k == kind and type_.startswith(f"{item.type}_") for k, type_ in held):
                continue  # a resource of its own says it now
            before = item.reach.guards.describe()
            yield _words_delta(
                Event.LOST,
                "guards",
                replace(moved, reach=Reach(guards=Guards())),
                before,
                "none",
                base=item.reach,
            )
        elif item.aspect == "provider" and item.attribute in ACCOUNT_GUARDS:
            yield _words_delta(
                Event.LOST,
                "guards",
                replace(moved, reach=Reach(guards=Guards()), under=item.under),
                item.attribute,
                "none",
            )
        elif item.aspect == "deny" and item.policy is not None:
            if (item.address, item.attribute) in untold:
                continue  # the whole policy is, and that is said
            yield from _allowed_again(moved, union.policy(unit, "deny"))


def _allowed_again(item: Footprint, left: policy.Policy) -> Iterator[Delta]:
    """What a policy that is gone denied, and nothing that is left denies."""
    if item.policy is None:
        return
    excess, _unclear = policy.outside(item.policy, left)
    for one in excess:
        yield replace(
            _words_delta(
                Event.WIDENED,
                "conditions",
                item,
                _denied(one.actions, one.conditions),
                "no longer denied",
                normal=json.dumps([sorted(one.before), sorted(one.after)]),
            ),
            limits=item.policy.limits(),
        )


def _applied(item: Footprint, gone: Iterable[Footprint]) -> bool:
    """Whether what a gone policy was on is still there, as far as its type says."""
    kind = kind_held(item.type)
    return bool(kind) and not any(
        other.aspect == "existence" and other.type == kind for other in gone
    )


def _lost(lost: Mapping[str, Sequence[Footprint]], head: Side) -> Iterator[Delta]:
    """What held data in units that are gone as a whole, and is in no other unit."""
    there = {
        (item.type, item.address.rpartition(".")[2])
        for items in head.footprints.values()
        for item in items
        if item.aspect == "existence"
    }
    for unit, items in lost.items():
        data = [
            item
            for item in items
            if item.aspect == "existence"
            and item.stateful
            and not item.kept
            and (item.type, item.address.rpartition(".")[2]) not in there
        ]
        if data:
            first = min(data, key=lambda item: (item.span.path, item.span.start))
            found = _words_delta(Event.DESTROYED, "guards", first, first.address, "nothing")
            others = tuple(i.address for i in data if i.address != first.address)
            yield replace(found, attribute="unit", unit=unit, also=others)


def _near(item: Footprint, items: Sequence[Footprint]) -> Span:
    """A place in head for what is no longer there: as near to where it was as anything is left."""
    there = [other for other in items if other.aspect == "existence"]
    same = [other for other in there if other.span.path == item.span.path]
    before = [other for other in same if other.span.begin.line <= item.span.begin.line]
    if before:
        return max(before, key=lambda other: other.span.start).span
    if same:
        return same[0].span
    for folder in (posixpath.dirname(item.span.path), item.unit):
        beside = [o for o in there if (posixpath.dirname(o.span.path) or ".") == (folder or ".")]
        if beside:
            return min(beside, key=lambda other: (other.span.path, other.span.start)).span
    return there[0].span if there else item.span


def _is_kept(address: str, kept: set[str]) -> bool:
    return any(address == name or address.startswith(f"{name}.") for name in kept)


# One cause, said once


_BESIDE: Final = 50
"""Places of other things that are named beside the first."""


def _together(found: Iterable[Delta]) -> list[Delta]:
    """The deltas of many things that one cause decides, as one.

    The cause is a place in head, a provider's argument or a line of a module that is called many
    times, with the same before and after; for environments it is the unit.
    """
    groups: dict[tuple[object, ...], list[Delta]] = defaultdict(list)
    for item in found:
        key: tuple[object, ...] = (
            item.event,
            item.axis,
            item.aspect,
            item.before,
            item.after,
            item.attribute if item.aspect != "placement" else "",
            *(
                (item.unit,)
                if item.axis == "environment"
                else (item.span.path, item.span.start, item.span.end)
            ),
        )
        groups[key].append(item)
    return sorted(
        (_as_one(items) for items in groups.values()),
        key=lambda d: (d.span.path, d.span.start, d.axis, d.event.value, d.address),
    )


def _as_one(items: list[Delta]) -> Delta:
    first = min(items, key=lambda d: (d.address, d.unit))
    if len(items) == 1:
        return _marked(first, first.also)
    others = [d for d in sorted(items, key=lambda d: (d.address, d.unit)) if d is not first]
    places: list[Related] = []
    seen = {(r.span.path, r.span.start) for r in first.related}
    seen.add((first.span.path, first.span.start))
    for other in others:
        at = other.home or other.span
        if (at.path, at.start) not in seen and len(places) < _BESIDE:
            seen.add((at.path, at.start))
            places.append(Related(at, f"{other.address} too"))
    units = tuple(sorted({d.unit for d in items}))
    environments = {d.environment for d in items}
    whole = replace(
        first,
        related=(*first.related, *places),
        units=units,
        environment=next(iter(environments))
        if len(environments) == 1
        else "production"
        if "production" in environments
        else None,
    )
    names = [a for d in items for a in (d.address, *d.also)]
    names.remove(first.address)
    return _marked(whole, tuple(sorted(names)))


def _marked(item: Delta, also: tuple[str, ...]) -> Delta:
    """A delta whose normal form knows what else it stands for: one thing more is another delta."""
    if not also:
        return replace(item, also=())
    digest = hashlib.sha256("\0".join(sorted(also)).encode("utf-8", "surrogatepass")).hexdigest()
    return replace(item, also=also, normal=f"{item.normal}+{digest[:16]}")


# One change in many places

_MANY: Final = 3
"""Regions or accounts that one change may touch without a word."""


SHARED: Final = "shared"
"""Attribute of a delta that spans environments only by what they share."""


def _spans(
    base: Side, head: Side, counterpart: Mapping[str, str], edited: Collection[str]
) -> Iterator[Delta]:
    """What lies far apart and is changed at once: environments, partitions, many regions."""
    touched: dict[str, dict[str, set[str]]] = {
        axis: defaultdict(set) for axis in ("environment", "partitions", "regions", "accounts")
    }
    first: Footprint | None = None
    for unit, contents in head.contents.items():
        old = base.contents.get(counterpart.get(unit, unit), {})
        digests = {(name, digest) for (_address, name), digest in old.items()}
        variants = {name for _address, name in old}
        changed = set()
        for (address, name), digest in contents.items():
            # A variant that is new is held against all that there was.
            known = (name,) if name in variants else variants
            if all((one, digest) not in digests for one in known):
                changed.add(address)
                if name is not None:
                    touched["environment"][name].add(unit)
        if not changed:
            continue
        for item in head.footprints.get(unit, ()):
            if item.address not in changed or item.aspect not in ("placement", "existence"):
                continue
            if first is None or (item.address, unit) < (first.address, first.unit):
                first = item
            for axis in ("partitions", "regions", "accounts"):
                extent = item.reach.extents().get(axis)
                if isinstance(extent, (Partitions, Regions, Accounts)):
                    for element in extent.elements:
                        if isinstance(element, str):
                            touched[axis][element].add(unit)
    if first is None:
        return
    apart = {
        axis: names
        for axis, names in touched.items()
        if (axis in ("environment", "partitions") and len(names) > 1) or len(names) > _MANY
    }
    if not apart:
        return
    axis = next(iter(apart))
    said_ = "; ".join(
        f"{'' if name == axis else f'{name}: '}{', '.join(sorted(names))}"
        for name, names in apart.items()
    )
    units = sorted({unit for names in apart.values() for where in names.values() for unit in where})
    found = _words_delta(Event.SPANS, axis, first, "", said_)
    staged = _edited_apart(head, apart.get("environment", ()), edited)
    yield replace(
        found,
        span=first.home or first.span,
        units=tuple(units),
        attribute="" if staged or "environment" not in apart else SHARED,
        words="",
        related=(),
        cause="",
        limits=tuple(apart),
        reach=None,
    )


def _edited_apart(head: Side, environments: Collection[str], edited: Collection[str]) -> bool:
    """Whether files of their own are edited for two environments at once.

    The one could have gone first then. What all of them read changes for all, and it is for whatever
    applies it to go in steps.
    """
    readers = Counter(path for files in head.files.values() for path in files)
    own = [
        name
        for name in environments
        if any(readers[path] == 1 and path in edited for path in head.files.get(name, ()))
    ]
    return len(own) > 1
