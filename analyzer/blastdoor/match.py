"""The ``match`` of a page: attribute rules without Python.

A match names resource types, an attribute path and one condition of five: ``is``, ``in``,
``matches``, ``missing`` and ``any-of`` (a list of the others). It reads resources through the
common model, so it knows no language. A value that is not resolved never matches: an expression
with alternatives matches only when each of them does.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from blastdoor.finding import Related
from blastdoor.value import Known, Many, Mapping, OneOf, Value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping as MappingType

    from blastdoor.detect.hit import Hit
    from blastdoor.fact import Facts, Resource

MAX_TEXT: Final = 4096
"""Longest string that a ``matches`` pattern is tried on, in code points."""
CONDITIONS: Final = ("is", "in", "matches", "missing", "any-of")
"""The words that a match may use as its condition."""

Scalar = str | bool | int | float


class MatchError(ValueError):
    """A ``match`` that the page's reader must refuse."""


class Condition(NamedTuple):
    """One condition on one attribute."""

    attribute: tuple[str, ...]
    """Path of the attribute: blocks and keys from the outside in."""
    values: tuple[Scalar, ...] = ()
    """What ``is`` and ``in`` compare with."""
    pattern: re.Pattern[str] | None = None
    """What ``matches`` compares with, over the whole text."""
    missing: bool = False
    """Whether the attribute must be absent."""

    @property
    def path(self) -> str:
        """The attribute's path in one word."""
        return ".".join(self.attribute)

    def accepts(self, value: Value) -> bool:
        """Whether a value that is set is known to satisfy the condition."""
        if self.missing:
            return False
        if isinstance(value, OneOf):
            return all(self.accepts(alternative.value) for alternative in value.alternatives)
        if not isinstance(value, Known) or value.data is None:
            return False
        if self.pattern is not None:
            text = _text(value.data)
            return len(text) <= MAX_TEXT and self.pattern.fullmatch(text) is not None
        return any(_text(value.data) == _text(wanted) for wanted in self.values)


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
        if not all(isinstance(name, str) and name for name in resources):
            message = "match has a 'resource' that is no type"
            raise MatchError(message)
        rest = {key: value for key, value in table.items() if key != "resource"}
        return cls(tuple(resources), tuple(_conditions(rest, None)))

    def hits(self, facts: Facts, title: str) -> Iterator[Hit]:
        """One hit for each resource and place at which the match holds."""
        for resource in facts.unit.resources:
            if resource.type in self.resources and not resource.is_data:
                yield from self._on(resource, title)

    def _on(self, resource: Resource, title: str) -> Iterator[Hit]:
        from blastdoor.detect.hit import Hit  # pages are read without detectors

        for condition in self.conditions:
            found = False
            for value in _reach(resource, condition.attribute, missing=condition.missing):
                if value is None:
                    found = True
                    yield Hit(
                        resource.span,
                        f"{title}: {condition.path} is not set",
                        resource.address,
                        attribute=condition.path,
                    )
                elif condition.accepts(value):
                    found = True
                    shown = _shown(value)
                    yield Hit(
                        value.span or resource.span,
                        f"{title}: {condition.path} is {shown}",
                        resource.address,
                        attribute=condition.path,
                        value=shown,
                        related=tuple(Related(step.span, step.text) for step in value.via),
                    )
            if found:
                return


def _conditions(table: MappingType[str, object], inherited: str | None) -> Iterator[Condition]:
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
            yield from _conditions(element, attribute if isinstance(attribute, str) else "")
        return
    if not isinstance(attribute, str) or not attribute:
        message = "match needs 'attribute': a path such as settings.deletion_protection"
        raise MatchError(message)
    yield _condition(tuple(attribute.split(".")), word, argument)


def _condition(attribute: tuple[str, ...], word: str, argument: object) -> Condition:
    if word == "missing":
        if argument is not True:
            message = "'missing' takes true"
            raise MatchError(message)
        return Condition(attribute, missing=True)
    if word == "matches":
        if not isinstance(argument, str):
            message = "'matches' takes a regular expression in quotes"
            raise MatchError(message)
        try:
            return Condition(attribute, pattern=re.compile(argument))
        except re.error as error:
            message = f"'matches' is not a regular expression: {error}"
            raise MatchError(message) from error
    values = argument if word == "in" else [argument]
    if (
        not isinstance(values, list)
        or not values
        or not all(isinstance(value, (str, bool, int, float)) for value in values)
    ):
        message = "'in' takes a list of scalars" if word == "in" else "'is' takes a scalar"
        raise MatchError(message)
    return Condition(attribute, values=tuple(values))


def _reach(resource: Resource, path: tuple[str, ...], *, missing: bool) -> Iterator[Value | None]:
    """The values at ``path``; ``None`` where it is known to be absent and that is asked for."""
    value = resource.get(path[0])
    if value is None:
        if missing:
            yield None
        return
    yield from _descend(value, path[1:], missing=missing)


def _descend(value: Value, path: tuple[str, ...], *, missing: bool) -> Iterator[Value | None]:
    if isinstance(value, Many):
        if missing and path and value.complete and not value.items:
            yield None
        for item in value.items:
            yield from _descend(item, path, missing=missing)
    elif not path:
        yield value
    elif isinstance(value, Mapping):
        inner = value.get(path[0])
        if inner is not None:
            yield from _descend(inner, path[1:], missing=missing)
        elif missing and value.complete:
            yield None


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
