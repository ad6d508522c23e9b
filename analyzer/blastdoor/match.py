"""The ``match`` of a page: attribute rules without Python.

A match names resource types (``data.`` before those of data sources), an attribute path and one
condition: ``is``, ``in``, ``matches``, the opposites ``not-in`` and ``not-matches``, ``missing``, or
``any-of`` (a list of the others). It reads resources through the common model, so it knows no language.
A value that is not resolved never matches: an expression with alternatives matches only when each of
them does. An argument that is set to null is missing, as for Terraform.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from blastdoor.value import Known, Many, Mapping, OneOf, Value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping as MappingType

    from blastdoor.detect.hit import Hit
    from blastdoor.fact import Evaluated, Facts, Resource

MAX_TEXT: Final = 4096
"""Longest string that a ``matches`` pattern is tried on, and longest pattern, in code points."""
CONDITIONS: Final = ("is", "in", "not-in", "matches", "not-matches", "missing", "any-of")
"""The words that a match may use as its condition."""

_TYPE: Final = r"(?:data\.)?[a-z][a-z0-9_-]*|[A-Za-z0-9]+(?:::[A-Za-z0-9]+)+"
PROVIDER_DEFAULTS: Final[MappingType[tuple[str, str], tuple[str, ...]]] = {
    ("aws", "tags"): ("default_tags", "tags"),
    ("google", "labels"): ("default_labels",),
    ("google-beta", "labels"): ("default_labels",),
}
"""(provider, argument of resources) → the provider's argument that adds keys to it.

Sources: HashiCorp, "Default Tags in the Terraform AWS Provider"; Google, Magic Modules documentation,
"Labels and annotations".
"""

Scalar = str | bool | int | float


class MatchError(ValueError):
    """A ``match`` that the page's reader must refuse."""


class Condition(NamedTuple):
    """One condition on one attribute."""

    attribute: tuple[str, ...]
    """Path of the attribute: blocks and keys from the outside in."""
    values: tuple[Scalar, ...] = ()
    """What ``is`` and ``in`` compare with."""
    pattern: Any = None
    """What ``matches`` compares with, over the whole text: a compiled pattern of RE2."""
    missing: bool = False
    """Whether the attribute must be absent."""
    negated: bool = False
    """Whether the value must be another than those that ``values`` or ``pattern`` say."""

    @property
    def path(self) -> str:
        """The attribute's path in one word: ``tags.Owner``, ``tags["a.b"]``."""
        first, *rest = self.attribute
        return first + "".join([f'["{key}"]' if "." in key else f".{key}" for key in rest])

    def accepts(self, value: Value) -> bool:
        """Whether a value that is set is known to satisfy the condition."""
        if self.missing:
            return False
        if isinstance(value, OneOf):
            return all(self.accepts(alternative.value) for alternative in value.alternatives)
        if not isinstance(value, Known) or value.data is None:
            return False
        text = _text(value.data)
        if self.pattern is None:
            return any(text == _text(wanted) for wanted in self.values) is not self.negated
        if len(text) > MAX_TEXT:
            return False
        try:
            return (self.pattern.fullmatch(text) is not None) is not self.negated
        except UnicodeEncodeError:  # half of a surrogate pair
            return False


class _Place(NamedTuple):
    """Where a condition holds."""

    value: Value | None
    """What it holds for, or what lacks the attribute; ``None``: the resource lacks it."""
    absent: bool = False


class Match(NamedTuple):
    """An attribute rule: on which resources, and the conditions of which one must hold."""

    resources: tuple[str, ...]
    conditions: tuple[Condition, ...]

    @classmethod
    def read(cls, table: MappingType[str, object]) -> Match:
        """The match that a page's front matter writes. Raises MatchError with what is wrong."""
        names = table.get("resource")
        resources = [names] if isinstance(names, str) else names
        if not isinstance(resources, list) or not resources:
            message = "match needs 'resource': a type or a list of types"
            raise MatchError(message)
        for name in resources:
            if not isinstance(name, str) or re.fullmatch(_TYPE, name) is None:
                message = (
                    f"match names the resource {name!r}, which is no type: "
                    "aws_s3_bucket is one, data.aws_ami is that of a data source"
                )
                raise MatchError(message)
        rest = {key: value for key, value in table.items() if key != "resource"}
        return cls(tuple(resources), tuple(_conditions(rest, None)))

    def hits(self, facts: Facts, title: str) -> Iterator[Hit]:
        """One hit for each resource and place at which the match holds."""
        if facts.types.isdisjoint(self.resources):
            return
        for resource in facts.unit.resources:
            name = f"data.{resource.type}" if resource.is_data else resource.type
            if name in self.resources or resource.written_type in self.resources:
                yield from self._on(resource, facts.unit, title)

    def _on(self, resource: Resource, unit: Evaluated, title: str) -> Iterator[Hit]:
        for condition in self.conditions:
            path = condition.attribute
            if condition.missing and _set_by_provider(resource, path, unit):
                continue
            value = resource.get(path[0])
            if value is None:
                found = [_Place(None, absent=True)] if condition.missing else []
            else:
                found = _places(value, path[1:], condition, None)
            for place in found:
                yield _hit(resource, condition, place, title)
            if found:
                return


def _hit(resource: Resource, condition: Condition, found: _Place, title: str) -> Hit:
    # Pages are read without what only their judgement needs.
    from blastdoor.detect.hit import Hit
    from blastdoor.facts.reading import chain, origin, place

    value = found.value
    at = resource.span if value is None else place(value, resource.span) or resource.span
    related = () if value is None else chain(value, at)
    if found.absent or value is None:
        message = f"{title}: {condition.path} is not set"
        return Hit(at, message, resource.address, condition.path, related=related)
    shown = _shown(value)
    where = origin(value)
    message = f"{title}: {condition.path} is {shown}{', ' if where else ''}{where}"
    return Hit(at, message, resource.address, condition.path, value=shown, related=related)


def _conditions(table: MappingType[str, object], inherited: object) -> Iterator[Condition]:
    attribute = table.get("attribute", inherited)
    words = [word for word in CONDITIONS if word in table]
    unknown = sorted(table.keys() - {"attribute", *CONDITIONS})
    if unknown:
        message = f"match does not know {unknown[0]!r}; it knows {', '.join(CONDITIONS)}"
        raise MatchError(message)
    if len(words) != 1:
        message = f"match needs exactly one of {', '.join(CONDITIONS)}"
        raise MatchError(message)
    word = words[0]
    argument = table[word]
    if word == "any-of":
        if inherited is not None or not isinstance(argument, list) or not argument:
            message = "'any-of' needs a list of conditions and stands outermost"
            raise MatchError(message)
        for element in argument:
            if not isinstance(element, dict):
                message = "each element of 'any-of' is a condition in braces"
                raise MatchError(message)
            yield from _conditions(element, "" if attribute is None else attribute)
        return
    yield _condition(_path(attribute), word, argument)


def _path(attribute: object) -> tuple[str, ...]:
    """The path that ``attribute`` writes: with dots, or as a list when a key holds one."""
    parts = attribute.split(".") if isinstance(attribute, str) else attribute
    if not isinstance(parts, list) or not parts:
        message = "match needs 'attribute': a path such as settings.deletion_protection"
        raise MatchError(message)
    for part in parts:
        if not isinstance(part, str) or not part:
            message = f"match has the attribute {attribute!r}, a path with an empty part"
            raise MatchError(message)
    return tuple(parts)


def _condition(attribute: tuple[str, ...], word: str, argument: object) -> Condition:
    if word == "missing":
        if argument is not True:
            message = "'missing' takes true"
            raise MatchError(message)
        return Condition(attribute, missing=True)
    negated = word.startswith("not-")
    if word in ("matches", "not-matches"):
        if not isinstance(argument, str):
            message = f"{word!r} takes a regular expression in quotes"
            raise MatchError(message)
        return Condition(attribute, pattern=_pattern(word, argument), negated=negated)
    values = [argument] if word == "is" else argument
    if (
        not isinstance(values, list)
        or not values
        or not all(isinstance(value, (str, bool, int, float)) for value in values)
    ):
        what = "a scalar" if word == "is" else "a list of scalars"
        message = f"{word!r} takes {what}"
        raise MatchError(message)
    return Condition(attribute, values=tuple(values), negated=negated)


def _pattern(word: str, text: str) -> Any:
    """A compiled pattern. RE2 runs in linear time, whatever a page or a value says."""
    try:
        import re2
    except ImportError as error:
        message = f"{word!r} needs the package google-re2, which cannot be imported"
        raise MatchError(message) from error
    options = re2.Options()
    options.log_errors = False
    try:
        if len(text) <= MAX_TEXT:
            return re2.compile(text, options)
    except (re2.error, UnicodeEncodeError) as error:
        why = error.args[0] if error.args else "?"
        why = why.decode("utf-8", "replace") if isinstance(why, bytes) else why
        message = f"{word!r} is no regular expression of RE2: {why}"
        raise MatchError(message) from error
    message = f"{word!r} has more than {MAX_TEXT} characters"
    raise MatchError(message)


def _places(
    value: Value, path: tuple[str, ...], condition: Condition, outer: Value | None
) -> list[_Place]:
    """Where a condition holds below a value; ``outer`` is what holds the value."""
    if isinstance(value, Many):
        if condition.missing and path and value.complete and not value.items:
            return [_Place(outer, absent=True)]
        items = value.items
        return [one for item in items for one in _places(item, path, condition, outer)]
    if isinstance(value, Known) and value.data is None:
        return [_Place(outer, absent=True)] if condition.missing else []
    if isinstance(value, OneOf) and (path or condition.missing):
        options = [_places(a.value, path, condition, outer) for a in value.alternatives]
        return options[0] if all(options) else []
    if not path:
        return [_Place(value)] if condition.accepts(value) else []
    if not isinstance(value, Mapping):
        return []
    inner = value.get(path[0])
    if inner is None:
        lacks = condition.missing and value.complete
        return [_Place(value, absent=True)] if lacks else []
    return _places(inner, path[1:], condition, value)


def _set_by_provider(resource: Resource, path: tuple[str, ...], unit: Evaluated) -> bool:
    """Whether the provider's configuration sets what the resource lacks, or may do so."""
    provider = resource.provider
    if provider is None:
        return False
    where = PROVIDER_DEFAULTS.get((provider.name, path[0]))
    if where is None:
        return False
    if not provider.declared:
        # A module's caller configures the provider, or what Terragrunt generates does.
        return unit.external_region or not unit.is_root
    value = provider.get(where[0])
    if value is None:
        return False
    lacks = Condition(path, missing=True)
    return not _places(value, (*where[1:], *path[1:]), lacks, None)


def _text(data: object) -> str:
    """The spelling under which Terraform and CloudFormation hold two scalars to be the same."""
    if isinstance(data, bool):
        return "true" if data else "false"
    if isinstance(data, float) and data.is_integer():
        return str(int(data))
    return str(data)


def _shown(value: Value) -> str:
    if isinstance(value, OneOf):
        return " or ".join(dict.fromkeys(_shown(one.value) for one in value.alternatives))
    return _text(value.data) if isinstance(value, Known) else ""
