"""For which places the settings of programs and documents are.

In Terraform and in templates a setting shows in the resources that it decides. Of a program nobody
sees what it does with its settings; what they say of themselves is compared: the regions, accounts
and environments that are the keys of a mapping, and the items of ``regions``, ``targets`` and the
like.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.facts.reading import items_of, place, truth
from blastdoor.facts.setting import (
    PLACE_WORDS,
    TABLE_WORDS,
    address_of,
    axis_of,
    axis_of_words,
    catch_all,
    everywhere_in,
    nodes,
    replaces,
    settings_of,
    strong_words,
    switch,
    word_set,
    words_in,
)
from blastdoor.reach import (
    EVERY,
    EVERYWHERE,
    Accounts,
    Environments,
    Organization,
    Reach,
    Regions,
    Unresolved,
    account,
    partition_of,
    region_of,
)
from blastdoor.value import known_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from blastdoor.fact import Facts, Setting
    from blastdoor.facts.setting import Node
    from blastdoor.span import Span
    from blastdoor.value import Value

_PROGRAMS: Final = frozenset({"document", "python"})
_EVERY: Final = {
    "accounts": Reach(accounts=Accounts(Organization())),
    "environment": Reach(environment=Environments(EVERY)),
    "regions": Reach(regions=Regions(EVERYWHERE)),
}
_NONE: Final = {
    "accounts": Reach(accounts=Accounts()),
    "environment": Reach(environment=Environments()),
    "regions": Reach(regions=Regions()),
}


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """The places that one mapping or one entry names."""

    address: str
    attribute: str
    """``keys`` of a mapping, or the name of the entry."""
    reach: Reach
    span: Span
    """What decides it: the key or item that reaches furthest."""
    home: Span
    value: Value | None = None


def scopes(facts: Facts) -> Iterator[Scope]:
    """The scopes of the settings of a unit, and of the documents that it writes for programs."""
    for setting in settings_of(facts):
        if setting.kind != "attribute" and facts.unit.language not in _PROGRAMS:
            continue
        yield from _entry(setting, (), setting.value)
        for node in nodes(setting.value):
            yield from _keys(setting, node)
            for key, value in node.mapping.entries.items():
                yield from _entry(setting, (*node.path, key), value)


def _place(axis: str, name: str) -> Reach:
    if axis == "regions":
        return Reach(regions=Regions(region_of(partition_of(name), name)))
    if axis == "accounts":
        return Reach(accounts=Accounts(account(name)))
    return Reach(environment=Environments(name.lower()))


def _union(parts: Iterable[Reach]) -> Reach:
    return reduce(Reach.join, parts)


def _keys(setting: Setting, node: Node) -> Iterator[Scope]:
    """The places that the keys of an override name.

    Names and sizes by region in a table of no such name are no scope: one more of them reaches nowhere.
    """
    named = word_set((setting.name, *node.path))
    strong = not named.isdisjoint(strong_words())
    if not named.isdisjoint(TABLE_WORDS) or (not strong and named.isdisjoint(PLACE_WORDS)):
        return
    wild = tables.scopes().wildcard_keys
    found: list[Reach] = []
    last, widest = "", ""
    for key, value in node.mapping.entries.items():
        if key in wild:
            entry = catch_all(setting, node, key)
            if entry is not None:
                widest = key
                found.extend([_EVERY[entry.axis]] if entry.axis else _EVERY.values())
            continue
        axis = axis_of(key, sure=not strong)
        if axis is not None and replaces(value, strong=strong):
            last = key
            found.append(_place(axis, key))
    if not found:
        return
    at = node.mapping.key_spans.get(widest or last) or setting.span
    yield Scope(
        address_of(setting, node.path), "keys", _union(found), at, setting.name_span, setting.value
    )


def _entry(setting: Setting, path: tuple[str, ...], value: Value) -> Iterator[Scope]:
    """The places that ``regions``, ``targets`` or a switch such as ``all_regions`` says."""
    name = path[-1] if path else setting.name
    plain = switch(name)
    if not plain:
        return
    axis = axis_of_words(words_in(plain))
    if plain in tables.scopes().everywhere_scopes:
        reach = _items(plain, axis, value)
    else:
        on = truth(value)
        if on is None:
            return
        reach = (_EVERY if on else _NONE)[axis or "regions"]
    if reach is not None:
        at = place(value, setting.span) or setting.span
        yield Scope(address_of(setting, path), name, reach, at, setting.name_span, value)


def _items(name: str, axis: str, value: Value) -> Reach | None:
    if everywhere_in(name, value) is not None:
        return _EVERY[axis] if axis else _union(_EVERY.values())
    items, complete = items_of(value)
    found: list[Reach] = []
    for item in items:
        text = known_text(item)
        own = None if text is None else axis_of(text)
        if text is not None and own is not None and axis in ("", own):
            found.append(_place(own, text))
        elif text is None:
            complete = False
    if complete:
        return _union(found) if found else None
    untold = Unresolved("a list that is not complete")
    if axis == "regions":
        return Reach(regions=untold)
    if axis == "accounts":
        return Reach(accounts=untold)
    return Reach(environment=untold) if axis else None
