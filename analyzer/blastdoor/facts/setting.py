"""Settings as programs and documents hold them: mappings by place, catch-all keys, scopes.

The words by which settings, layers and keys are told apart are those of `blastdoor.tables`; what is
added here says which of them are strong enough to stand alone.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.evaluate.jsontext import decode
from blastdoor.fact import Setting
from blastdoor.facts.reading import items_of, place, truth
from blastdoor.record import dataclass
from blastdoor.value import Encoded, Known, Many, Mapping, OneOf, Piece, Text, Value, known_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from blastdoor.fact import Facts

_DEPTH: Final = 4
"""Levels of nested mappings that are looked into."""
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[0-9]+")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

PLACE_WORDS: Final = frozenset({"region", "regions", "tenant", "tenants", "scope", "scopes"})
"""Override words that say what the keys of a mapping are, not that it overrides something."""
_UNSURE_ENVIRONMENTS: Final = frozenset(
    {"ci", "demo", "example", "live", "local", "preview", "test"}
)
"""Environment words that are as often the name of something else."""
_POLICY_KEYS: Final = frozenset(
    {"Action", "Effect", "NotAction", "NotPrincipal", "NotResource", "Principal", "Statement",
     "Version"}
)  # fmt: skip
TAG_WORDS: Final = frozenset({"annotations", "label", "labels", "tag", "tags"})
TABLE_WORDS: Final = TAG_WORDS | {
    "cors", "header", "headers", "locale", "locales", "log", "logger", "loggers", "logging",
    "logs", "messages", "methods", "origins", "path", "paths", "policies", "policy", "route",
    "routes", "routing", "translations",
}  # fmt: skip
"""Words of tables in which a catch-all entry is the normal way of writing."""
_NARROW_VALUES: Final = frozenset({"*", "all"})
_OPEN_SCOPES: Final = frozenset({"scope", "target", "targets"})
"""Names for which ``global`` means everywhere; for the others it is a region of its own kind."""


def words_in(name: str) -> list[str]:
    """The words of a name in any case, in small letters."""
    return [word.lower() for word in _WORD.findall(name)]


def word_set(names: Iterable[str]) -> frozenset[str]:
    """The words of several names."""
    return frozenset(word for name in names for word in words_in(name))


def strong_words() -> frozenset[str]:
    """Words that say that something is laid over something else."""
    return tables.scopes().override_words - PLACE_WORDS


def axis_of(key: str, *, sure: bool = False) -> str | None:
    """The axis on which a key names one place, or ``None``."""
    scopes = tables.scopes()
    if scopes.account_id.match(key):
        return "accounts"
    if tables.partitions().of(key) is not None:
        return "regions"
    lowered = key.lower()
    if lowered in scopes.production or lowered in scopes.non_production:
        return None if sure and lowered in _UNSURE_ENVIRONMENTS else "environment"
    return None


def decoded(value: Value) -> Value:
    """The value that a text of JSON or YAML holds, or the value itself."""
    return value.inner if isinstance(value, Encoded) else value


def address_of(setting: Setting, path: tuple[str, ...]) -> str:
    """The address of a nested entry: ``local.flags.search``, ``module.app.overrides``."""
    own = (setting.owner,) if setting.owner else ()
    if not own or setting.kind in ("input", "attribute"):
        own = (*own, setting.name)
    return ".".join((*own, *path))


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A mapping within a setting, and the keys that lead to it."""

    mapping: Mapping
    path: tuple[str, ...]


def nodes(value: Value) -> Iterator[Node]:
    """The mappings of a setting, four levels deep; policy documents are left out."""
    stack: list[tuple[Value, tuple[str, ...], int]] = [(value, (), _DEPTH)]
    while stack:
        current, path, left = stack.pop()
        current = decoded(current)
        if isinstance(current, Mapping):
            if left == 0 or not _POLICY_KEYS.isdisjoint(current.entries):
                continue
            yield Node(current, path)
            stack.extend(
                (item, (*path, key), left - 1)
                for key, item in reversed(current.entries.items())
                if isinstance(item, (Mapping, Many, Encoded))
            )
        elif isinstance(current, Many):
            stack.extend((item, path, left) for item in reversed(current.items))


def settings_of(facts: Facts) -> Iterator[Setting]:
    """The settings of a unit, and the documents that it writes where programs read settings."""
    yield from facts.unit.settings
    for resource in facts.unit.resources:
        row = None if resource.is_data else tables.things("document-store").get(resource.type)
        if row is None:
            continue
        name = row.names["content"]
        value = resource.get(name)
        if isinstance(value, Known):
            document = decode(value)
            if isinstance(document, Mapping):
                value = Encoded(document, value.span, value.via)
        if isinstance(value, Encoded):
            span = place(value, resource.span) or resource.span
            yield Setting(name, value, span, span, "attribute", resource.address)


@dataclass(frozen=True, slots=True, eq=False)
class CatchAll:
    """A key of a mapping that stands for every region, account or environment."""

    key: str
    value: Value
    axis: str
    """``regions``, ``accounts``, ``environment``; ``""`` where nothing says which."""
    sibling: str | None
    """The first key beside it that names one place."""
    named: bool
    """Whether the names around it say that the mapping is an override or one by place."""


def catch_all(setting: Setting, node: Node, key: str) -> CatchAll | None:
    """What a key such as ``*`` stands for, or ``None`` where it is no more than an entry."""
    entries = node.mapping.entries
    found = word_set((setting.name, *node.path))
    if not TABLE_WORDS.isdisjoint(found) or any(other.startswith("/") for other in entries):
        return None
    strong = not found.isdisjoint(strong_words())
    # `global` is also the name of a pseudo-region, so names such as `regions` say nothing about it.
    named = strong or (key != "global" and not found.isdisjoint(PLACE_WORDS))
    if setting.kind == "attribute":
        # A document is called what the resource is called that holds it.
        named = named or not word_set((setting.owner.rpartition(".")[2],)).isdisjoint(
            strong_words()
        )
    value = entries[key]
    if not replaces(value, strong=strong):
        return None
    if key == "global" and not strong and isinstance(value, Mapping):
        return None
    beside, axis = place_beside(entries, key, sure=not strong)
    if beside is None:
        if not strong or not (key == "*" or _alike(entries, key)):
            return None
        axis = axis_of_words(found)
    return CatchAll(key, value, axis, beside, named)


def replaces(value: Value, *, strong: bool) -> bool:
    """Whether a value replaces something; plain texts and numbers count under a strong name only.

    Tables of names and sizes by region (``{us-east-1 = "use1", all = "any"}``) override nothing.
    """
    if isinstance(value, OneOf):
        return all(replaces(a.value, strong=strong) for a in value.alternatives)
    if isinstance(value, Mapping):
        return bool(value.entries)
    if truth(value) is not None:
        return truth(value) is True
    if not strong:
        return False
    if isinstance(value, Known):
        return bool(value.data)
    return isinstance(value, Text) and any(isinstance(p, Piece) and p.text for p in value.parts)


def place_beside(entries: dict[str, Value], key: str, *, sure: bool) -> tuple[str | None, str]:
    """The first other key that names one place, and its axis."""
    for other in entries:
        axis = axis_of(other, sure=sure) if other != key else None
        if axis is not None:
            return other, axis
    return None, ""


def _alike(entries: dict[str, Value], key: str) -> bool:
    """Whether an entry is a mapping that shares a key with each of several others."""
    own = entries[key]
    others = [item for name, item in entries.items() if name != key]
    return (
        bool(others)
        and isinstance(own, Mapping)
        and all(
            isinstance(item, Mapping) and not own.entries.keys().isdisjoint(item.entries)
            for item in others
        )
    )


def axis_of_words(words: Iterable[str]) -> str:
    """The axis of which words speak: ``regions`` for ``region``; ``""`` for none."""
    found = set(words)
    if found & {"region", "regions", "regional"}:
        return "regions"
    if found & {"account", "accounts"}:
        return "accounts"
    if found & {"env", "envs", "environment", "environments", "stage", "stages", "workspace"}:
        return "environment"
    return ""


@lru_cache(maxsize=4096)
def switch(name: str) -> str:
    """The name in snake case when it is one of a switch or scope that may mean everywhere."""
    scopes = tables.scopes()
    plain = _CAMEL.sub("_", name).replace("-", "_").lower()
    if plain in scopes.everywhere_scopes:
        return plain
    return plain if scopes.everywhere_flags.match(plain) and not _recommended(plain) else ""


def everywhere_in(name: str, value: Value) -> Value | None:
    """The value, or the one element of a list, that means everywhere under this name."""
    scopes = tables.scopes()
    if name not in scopes.everywhere_scopes:
        return value if truth(value) is True else None
    wide = scopes.everywhere_values
    if name not in _OPEN_SCOPES:
        wide &= _NARROW_VALUES
    items, complete = items_of(value)
    if not complete or len(items) != 1:
        return None
    text = known_text(items[0])
    return items[0] if text is not None and text.lower() in wide else None


def _recommended(name: str) -> bool:
    """Whether AWS recommends to have a switch on, under this name or one that ends in it."""
    recommended = tables.scopes().recommended_flags
    return name in recommended or any(
        row.count("_") > 1 and name.endswith(f"_{row}") for row in recommended
    )
