"""Judgements over overrides: values that are laid over others and reach further than they say.

How settings are told apart is in `blastdoor.facts.setting`.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.detect.hit import Hit
from blastdoor.facts.reading import chain, place, words_of
from blastdoor.facts.setting import (
    TABLE_WORDS,
    TAG_WORDS,
    Node,
    address_of,
    axis_of,
    axis_of_words,
    catch_all,
    decoded,
    everywhere_in,
    nodes,
    place_beside,
    settings_of,
    strong_words,
    switch,
    word_set,
    words_in,
)
from blastdoor.finding import Act, Related, Remedy
from blastdoor.reach import EVERY, Accounts, Environments, Everywhere, Organization, Reach, Regions
from blastdoor.value import (
    Known,
    Many,
    Mapping,
    Meaning,
    Unknown,
    Value,
    known_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from blastdoor.fact import Facts, FanOut, Layer, Layering, OverrideChange, Setting

_SEVERAL: Final = 2
_PLACES_SAY: Final = frozenset({"merge()", "{**…}", "|", "ChainMap()"})
"""Mechanisms in which nothing but the place of a layer says which one wins."""
_BETWEEN: Final = re.compile(r"[\s,|*]*")
"""What may stand between two layers that are to change places."""
_GLOBAL_SERVICES: Final = frozenset(
    {"address", "addresses", "cdn", "cloudfront", "css", "dns", "dynamodb", "ip", "ips", "lb",
     "locale", "route53", "waf", "wafv2", "webacl"}
)  # fmt: skip
"""Words of things for which ``global`` is a kind, not a reach."""
_BASELINE_WORDS: Final = frozenset(
    {"aggregator", "cloudtrail", "detective", "guardduty", "inspector", "kms", "macie", "recorder",
     "securityhub", "trail"}
)  # fmt: skip
"""Words of services that AWS recommends to have in every region."""
_SWITCHES: Final = frozenset({"drain", "killswitch", "maintenance", "throttle"})
"""Words of keys whose value is no plain configuration, whatever the mapping is called."""
_SETTINGS: Final = frozenset(
    {"config", "configs", "configuration", "limits", "options", "parameters", "params"}
    | {"setting", "settings", "thresholds", "throttles"}
)
"""Words of mappings whose entries are what somebody has set for each place."""
_ENVIRONMENT_VARIABLES: Final = frozenset({"var", "vars", "variable", "variables"})
"""Words beside which ``environment`` is that of a process."""
_SECRET: Final = re.compile(
    r"passw|passphrase|secret|token|credential|private_?key|api_?key", re.IGNORECASE
)
_SHIMS: Final = frozenset(
    f"cloud_override{end}" for end in (".tf", ".tf.json", ".tofu", ".tofu.json")
)
"""Files that the tools around Terraform Cloud put there."""
_PROVIDER_REACH: Final = frozenset({"assume_role", "profile", "region"})
_EXTENTS: Final = {
    "accounts": Reach(accounts=Accounts(Organization())),
    "environment": Reach(environment=Environments(EVERY)),
    "regions": Reach(regions=Regions(Everywhere())),
}
_EVERY: Final = {
    "accounts": "every account",
    "environment": "every environment",
    "regions": "every region",
}


class _Best:
    """One hit for each place: the one that says most, and then the one that is written there."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int, int], tuple[tuple[bool, bool], Hit]] = {}

    def add(self, hit: Hit, setting: Setting) -> None:
        at, own = hit.span, setting.span
        within = own.path == at.path and own.start <= at.start and at.end <= own.end
        rank = (hit.condition != "", not within)
        place_of = (at.path, at.start, at.end)
        before = self._found.get(place_of)
        if before is None or rank < before[0]:
            self._found[place_of] = (rank, hit)

    def hits(self) -> Iterator[Hit]:
        return (hit for _rank, hit in self._found.values())


# Catch-all keys


def wildcard_override_key(facts: Facts) -> Iterator[Hit]:
    """A mapping by region, environment or account has a key that stands for all of them."""
    keys = tables.scopes().wildcard_keys
    best = _Best()
    for setting in settings_of(facts):
        for node in nodes(setting.value):
            for key in sorted(keys.intersection(node.mapping.entries)):
                hit = _wildcard(setting, node, key)
                if hit is not None:
                    best.add(hit, setting)
    yield from best.hits()


def _wildcard(setting: Setting, node: Node, key: str) -> Hit | None:
    found = catch_all(setting, node, key)
    if found is None:
        return None
    value, sibling, axis, named = found.value, found.sibling, found.axis, found.named
    at = node.mapping.key_spans.get(key) or value.span or setting.span
    where = address_of(setting, node.path)
    every = _EVERY.get(axis, "every region, environment or account")
    beside = f", beside {sibling} which it can overrule" if sibling is not None else ""
    related = list(chain(setting.value, at))
    beside_span = node.mapping.key_spans.get(sibling) if sibling is not None else None
    if beside_span is not None:
        related.append(Related(beside_span, f"{sibling} has a value of its own"))
    return Hit(
        at,
        f"{axis or 'regions'}: {every} (`{key}` in {where}){beside}",
        setting.owner,
        ".".join((*node.path, key)),
        axis,
        ".".join((setting.name, *node.path, key)),
        "" if named else "unnamed",
        contain=f"name the keys that need the value instead of `{key}`, or merge it below them",
        related=tuple(related),
        reach=_EXTENTS.get(axis),
    )


# Switches that mean everywhere


def global_flag_enabled(facts: Facts) -> Iterator[Hit]:
    """A switch or a scope that means everywhere is on."""
    best = _Best()
    around = _around(facts)
    for setting in settings_of(facts):
        beside = around.get(_group(setting), frozenset())
        hit = _flag(setting, (), setting.value, beside)
        if hit is not None:
            best.add(hit, setting)
        for node in nodes(setting.value):
            entries = node.mapping.entries
            for key, value in entries.items():
                if not switch(key):
                    continue
                if key == "global" and place_beside(entries, key, sure=False)[0] is not None:
                    continue  # a catch-all key beside regions: wildcard_override_key judges it
                hit = _flag(setting, (*node.path, key), value, entries)
                if hit is not None:
                    best.add(hit, setting)
    yield from best.hits()


def _group(setting: Setting) -> tuple[str, str]:
    """What the siblings of a setting have in common: the call, or the file of values."""
    if setting.kind == "tfvars":
        return setting.kind, setting.span.path
    return setting.kind, setting.owner


def _around(facts: Facts) -> dict[tuple[str, str], frozenset[str]]:
    names: dict[tuple[str, str], set[str]] = defaultdict(set)
    for setting in facts.unit.settings:
        names[_group(setting)].add(setting.name)
    return {group: frozenset(found) for group, found in names.items()}


def _flag(
    setting: Setting, path: tuple[str, ...], value: Value, beside: Iterable[str]
) -> Hit | None:
    """The hit for the setting itself (``path`` is empty) or for an entry within it."""
    name = path[-1] if path else setting.name
    plain = switch(name)
    found = everywhere_in(plain, value) if plain else None
    if found is None:
        return None
    context = word_set((setting.owner, setting.name, *path[:-1]))
    if not context.isdisjoint(_GLOBAL_SERVICES | TAG_WORDS):
        return None
    if plain.endswith("all_regions") and not context.isdisjoint(_BASELINE_WORDS):
        return None
    near = not (context | word_set((name, *beside))).isdisjoint(strong_words())
    at = place(found, setting.span) or setting.span
    axis = axis_of_words(words_in(plain))
    every = _EVERY.get(axis, "every region, account and environment")
    return Hit(
        at,
        f"{axis or 'regions'}: {every} ({name} = {words_of(value)}), in {address_of(setting, path)}",
        setting.owner,
        ".".join(path) or setting.name,
        axis,
        f"{name}={words_of(found)}",
        "" if near else "no-override-nearby",
        contain="list the regions, accounts or environments it is meant for",
        related=chain(found, at),
        reach=_EXTENTS.get(axis),
    )


# The order of layers


def broad_layer_merged_last(facts: Facts) -> Iterator[Hit]:
    """A general layer is merged after a specific one, so that it wins everywhere."""
    seen: set[tuple[str, int, int]] = set()
    for layering in facts.unit.layerings:
        operands = layering.operands if layering.last_wins else layering.operands[::-1]
        if len(operands) < _SEVERAL:
            continue
        last = operands[-1]
        named = {word for layer in operands for word in _layer_words(layer)}
        named.update(words_in(layering.owner))
        if not named.isdisjoint(TAG_WORDS) or named & {"policies", "policy", "statements"}:
            continue
        if not _is_general(last) or _given_by_caller(last, layering, facts):
            continue
        for layer in operands[:-1]:
            axis = _specific_axis(layer)
            if axis is None:
                continue
            at = (last.span.path, last.span.start, last.span.end)
            if at not in seen:
                seen.add(at)
                yield _layered(layering, layer, last, axis)
            break


def _swapped(layering: Layering, specific: Layer, general: Layer) -> tuple[Remedy, ...]:
    """The remedy that gives two layers each other's place, in an expression that has just the two."""
    if len(layering.operands) != _SEVERAL or layering.mechanism not in _PLACES_SAY:
        return ()
    first, second = sorted((specific.span, general.span), key=lambda span: span.start)
    if first.document is not second.document:
        return ()
    if _BETWEEN.fullmatch(first.document.text, first.end, second.start) is None:
        return ()
    return tuple(
        Remedy(Act.TEXT, here.span, "swap the layers", there.span.text)
        for here, there in ((specific, general), (general, specific))
    )


def _layered(layering: Layering, specific: Layer, general: Layer, axis: str) -> Hit:
    order = "after" if layering.last_wins else "before"
    return Hit(
        general.span,
        f"{axis}: {_EVERY[axis]} gets {_short(general.text)}, which {layering.mechanism} puts "
        f"{order} {_short(specific.text)} so that it wins, in {layering.owner}",
        layering.owner,
        "",
        axis,
        f"{' '.join(specific.text.split())} < {' '.join(general.text.split())}",
        contain=f"put {_short(general.text)} {'before' if layering.last_wins else 'after'} "
        f"{_short(specific.text)}",
        related=(Related(specific.span, "the specific layer, which loses"),),
        reach=_EXTENTS[axis],
        remedies=_swapped(layering, specific, general),
    )


def _layer_words(layer: Layer) -> list[str]:
    """The words of an operand without its root (``var``, ``local``), and of literal keys."""
    names = layer.words[1:] if layer.words else ()
    if layer.words[:1] == ("data",):  # data.TYPE.NAME
        names = layer.words[2:]
    return [
        word
        for name in (*names, *(key for key in layer.selected_by if _is_literal(key)))
        for word in words_in(name)
    ]


def _is_literal(key: str) -> bool:
    return key[:1] in ("'", '"') and "${" not in key


def _names_place(word: str) -> bool:
    return axis_of(word, sure=True) is not None


def _is_general(layer: Layer) -> bool:
    scopes = tables.scopes()
    words = set(_layer_words(layer))
    return (
        not words.isdisjoint(scopes.general_words)
        and words.isdisjoint(scopes.specific_words - {"local", "var"})
        and words.isdisjoint(scopes.caller_words)
        and not any(_names_place(word) for word in words)
        and _selected_axis(layer) is None
    )


def _given_by_caller(layer: Layer, layering: Layering, facts: Facts) -> bool:
    """An input of a module named for overriding: it is right that the caller's word is the last."""
    if layer.words[:1] != ("var",):
        return False
    within = not facts.unit.is_root or layering.owner.startswith("module.")
    found = set(_layer_words(layer)) & tables.scopes().general_words
    return within and found <= {"override", "overrides"}


def _selected_axis(layer: Layer) -> str | None:
    """The axis of the name that selects an operand: ``regions`` for ``m[var.region]``."""
    for key in layer.selected_by:
        if _is_literal(key):
            axis = axis_of(key.strip("'\""))
            if axis is not None:
                return axis
            continue
        found = set(words_in(key)) & _specific_words()
        if found:
            return axis_of_words(found) or "regions"
        if re.search(r"\beach\.(?:key|value)\b", key):
            return "regions"
    return None


def _specific_words() -> frozenset[str]:
    return tables.scopes().specific_words - {"each", "local", "var"}


def _specific_axis(layer: Layer) -> str | None:
    axis = _selected_axis(layer)
    if axis is not None:
        return axis
    words = _layer_words(layer)
    found = _specific_words().intersection(words)
    if not _ENVIRONMENT_VARIABLES.isdisjoint(words):
        found -= {"env", "environment"}
    if found:
        return axis_of_words(found) or "regions"
    return "environment" if any(_names_place(word) for word in words) else None


# One value for all


def override_fanned_out(facts: Facts) -> Iterator[Hit]:
    """One override value is written to every region, account or environment of a collection."""
    seen: set[tuple[str, int, int]] = set()
    for fan in facts.unit.fan_outs:
        reached = _collection(fan.collection)
        if reached is None or not _is_override(fan):
            continue
        axis, words = reached
        at = fan.written_span
        if (at.path, at.start, at.end) in seen:
            continue
        seen.add((at.path, at.start, at.end))
        written = fan.written
        plain = isinstance(written, Known) and not isinstance(written.data, str)
        said = words_of(written) if plain else "one value"
        source = chain(fan.collection, at) or (
            Related(fan.collection.span or fan.span, f"{axis}: {words}"),
        )
        yield Hit(
            at,
            f"{axis}: {words} ({_short(fan.collection_text)}) given {said}, in {fan.owner}",
            fan.owner,
            "",
            axis,
            f"{' '.join(fan.collection_text.split())} {' '.join(at.text.split())}",
            contain="write the value for the named keys only and leave the others as they are",
            related=(*source, *chain(written, at)),
            reach=_EXTENTS[axis] if isinstance(fan.collection, Unknown) else None,
        )


def _collection(value: Value) -> tuple[str, str] | None:
    """The axis of a collection and how many it holds, in words."""
    if isinstance(value, Unknown):
        if value.meaning is Meaning.EVERY_REGION:
            return "regions", "every region"
        if value.meaning is Meaning.EVERY_ACCOUNT:
            return "accounts", "every account"
        return None
    names: list[str | None] = []
    if isinstance(value, Many):
        names = [known_text(item) for item in value.items]
    elif isinstance(value, Mapping):
        names = list(value.entries)
        if not all(name is not None and axis_of(name) for name in names):
            names = [known_text(item) for item in value.entries.values()]
    axes = {axis_of(name) if name is not None else None for name in names}
    if len(set(names)) < _SEVERAL or len(axes) != 1:
        return None
    axis = axes.pop()
    if axis is None:
        return None
    nouns = {"regions": "regions", "accounts": "accounts", "environment": "environments"}
    return axis, f"{len(set(names))} {nouns[axis]}"


def _is_override(fan: FanOut) -> bool:
    written = decoded(fan.written)
    if not written.resolved or (isinstance(written, Known) and written.data is None):
        return False
    if isinstance(written, Mapping) and not written.entries:
        return False
    if isinstance(written, Many) and not written.items:
        return False
    owner = frozenset(words_in(fan.owner))
    if not owner.isdisjoint(TABLE_WORDS):
        return False
    if not owner.isdisjoint(strong_words()):
        return True
    if fan.within and (fan.replaces or not owner.isdisjoint(_SETTINGS)):
        return True
    return isinstance(written, Mapping) and not word_set(written.entries).isdisjoint(
        strong_words() | _SWITCHES
    )


# Override files


def terraform_override_file(facts: Facts) -> Iterator[Hit]:
    """An override file changes a block from a place where nobody looks for it."""
    blocks: dict[tuple[str, str], list[OverrideChange]] = {}
    for change in facts.unit.overrides:
        if " ".join(change.before.split()) != " ".join(change.after.split()):
            blocks.setdefault((change.span.path, change.target), []).append(change)
    for (path, target), changes in blocks.items():
        far = [change for change in changes if _reaches(change)]
        changes.sort(key=lambda change: change.span.start)
        first = min(far or changes, key=lambda change: change.span.start)
        condition = ""
        if far:
            condition = "reach"
        elif path.rpartition("/")[2] in _SHIMS or all(_is_backend(c) for c in changes):
            condition = "tooling"
        more = len(changes) - 1
        yield Hit(
            first.span,
            f"overrides: {_changed(first)}"
            + (f", and {more} more of its arguments" if more else ""),
            target,
            first.attribute,
            _axis_of_change(first),
            "" if _SECRET.search(first.attribute) else " ".join(first.after.split()),
            condition,
            contain=f"move the change into the block of {target} and delete the file",
            related=tuple(_places(changes, first)),
            # What a tool writes there it would write again.
            remedies=() if condition == "tooling" else tuple(_moved(facts, target, changes)),
        )


def _moved(facts: Facts, target: str, changes: list[OverrideChange]) -> Sequence[Remedy]:
    """The steps that move the changes of an override file into the block that they change.

    None where an earlier override file is changed, or arguments of nested blocks, which replace those
    of the block.
    """
    overriding = {change.span.path for change in facts.unit.overrides}
    folder = posixpath.dirname(changes[0].span.path)
    words = f"move the change into the block of {target}"
    places = [(one.address, one.span) for one in facts.unit.resources]
    places += [(one.address, one.span) for one in facts.unit.providers]
    headers = [
        span
        for address, span in places
        if address == target and posixpath.dirname(span.path) == folder
    ]
    steps: list[Remedy] = []
    for change in changes:
        outer = change.attribute.rpartition(".")[0]
        before = change.before_span
        if (
            not change.attribute
            or outer not in ("", "lifecycle")
            or _SECRET.search(change.attribute)
        ):
            return ()
        if before is not None and before.path not in overriding:
            steps.append(Remedy(Act.TEXT, before, words, change.after))
        elif before is None and not outer and headers and headers[0].path not in overriding:
            point = Remedy(Act.POINT, headers[0], words, change.after, change.attribute)
            steps.append(point)
        else:
            return ()
    return (*steps, Remedy(Act.DISSOLVE, changes[0].span, words))


def _places(changes: list[OverrideChange], first: OverrideChange) -> Iterator[Related]:
    if first.before_span is not None:
        yield Related(first.before_span, "what it replaces")
    for change in changes:
        if change is not first:
            yield Related(change.span, _changed(change))


def _changed(change: OverrideChange) -> str:
    """What a change puts in place of what: ``a.b.c is false here, was true``."""
    name = f"{change.target}.{change.attribute}" if change.attribute else change.target
    if _SECRET.search(name):
        said, was = "replaced", "set"
    else:
        said, was = _short(change.after), _short(change.before)
    if change.before_span is None:
        return f"{name} is {said} here, was not set"
    return f"{name} is {said} here, was {was}"


def _short(text: str) -> str:
    shown = " ".join(text.split())
    return shown if len(shown) <= 60 else f"{shown[:57]}…"  # noqa: PLR2004  a line's worth


def _is_backend(change: OverrideChange) -> bool:
    return change.target.partition(".")[0] == "terraform" and change.attribute.partition(".")[
        0
    ] in ("", "backend", "cloud")


def _reaches(change: OverrideChange) -> bool:
    """Whether a change moves where something acts, takes a guard away or changes a policy."""
    attribute = change.attribute
    head = attribute.partition(".")[0]
    kind = change.target.partition(".")[0]
    if kind == "provider":
        return head in _PROVIDER_REACH
    if kind in ("local", "module", "output", "terraform", "variable"):
        return kind == "module" and head == "providers"
    if attribute == "lifecycle.prevent_destroy":
        return change.after.strip() != "true"
    if attribute in ("lifecycle.ignore_changes", "provider"):
        return True
    return _touches_guard(change) or _touches_policy(change)


def _touches_guard(change: OverrideChange) -> bool:
    return any(
        _holds(change.attribute, row.attribute) and change.after.strip() != row.safe_text
        for row in tables.guards().get(change.target_type, ())
        if not change.target.startswith("data.")
    )


def _touches_policy(change: OverrideChange) -> bool:
    type_ = change.target_type
    if type_ == "aws_iam_policy_document":
        return True
    if change.target.startswith("data."):
        return False
    return tables.policy_attachments().get(type_) == change.attribute or any(
        _holds(change.attribute, row.attribute) for row in tables.policy_attributes().get(type_, ())
    )


def _holds(changed: str, attribute: str) -> bool:
    return changed == attribute or attribute.startswith(f"{changed}.")


def _axis_of_change(change: OverrideChange) -> str:
    if change.target.startswith("provider."):
        return "accounts" if change.attribute != "region" else "regions"
    if change.attribute in ("provider", "providers"):
        return "regions"
    return "actions" if _touches_policy(change) else ""
