"""Small readings of values that several extractors and detectors share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from blastdoor.fact import Term
from blastdoor.finding import Act, Related, Remedy
from blastdoor.span import Span
from blastdoor.value import (
    HIDDEN,
    SECRET,
    Known,
    Many,
    Mapping,
    OneOf,
    Piece,
    Step,
    Text,
    Unknown,
    Value,
    known_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from blastdoor.fact import Resource
    from blastdoor.value import Scalar

HOLE: Final = "\ufffc"
"""Stands for a stretch of a text that is not known (OBJECT REPLACEMENT CHARACTER)."""


def items_of(value: Value | None) -> tuple[list[Value], bool]:
    """The elements of a list or the single value, and whether these are all.

    The evidence of the list goes to its elements.
    """
    if value is None or (isinstance(value, Known) and value.data is None):
        return [], True
    if isinstance(value, Many):
        via = value.via
        items = [item.through(*via) if via else item for item in value.items]
        return items, value.complete
    if isinstance(value, (OneOf, Unknown)):
        return [], False
    return [value], True


def bodies_of(value: Value | None) -> Iterator[Mapping]:
    """The mappings of a nested block, however it is written."""
    if isinstance(value, Mapping):
        yield value
    elif isinstance(value, Many):
        for item in value.items:
            if isinstance(item, Mapping):
                yield item


def blocks_at(get: Callable[[str], Value | None], path: str) -> list[Mapping]:
    """Every nested block at a dotted path."""
    first, *rest = path.split(".")
    level = list(bodies_of(get(first)))
    for name in rest:
        level = [inner for body in level for inner in bodies_of(body.get(name))]
    return level


def at_path(get: Callable[[str], Value | None], path: str) -> Iterator[Value]:
    """Every value at a dotted path below a block; lists of blocks are gone through."""
    first, *rest = path.split(".")
    value = get(first)
    level = [value] if value is not None else []
    for name in rest:
        below: list[Value] = []
        for current in level:
            for body in bodies_of(current):
                found = body.get(name)
                if found is not None:
                    below.append(found)
        level = below
    yield from level


def text_of(value: Value) -> str | None:
    """The text of a string value with `HOLE` for what is not known; ``None`` for no string."""
    if isinstance(value, Known):
        data = value.data
        return data if isinstance(data, str) else None
    if isinstance(value, Text):
        return value.pattern(HOLE)
    return None


def term(value: Value, fallback: Span) -> Term | None:
    """A string element of a policy; ``None`` when it is not known to be a string."""
    text = text_of(value)
    if text is None:
        return None
    return Term(text, value.span or fallback, value)


def place(value: Value, fallback: Span | None = None) -> Span | None:
    """Where a finding about a value belongs.

    The caller's argument when the value came through a module's input, else the use of the value when
    it came from elsewhere (a file of values, a default, a local), else the value itself.
    """
    for evidence in value.via:
        if evidence.step is Step.INPUT:
            return _inner(value.span, evidence.span)
    for evidence in reversed(value.via):
        if evidence.step is Step.ATTRIBUTE:
            return _inner(value.span, evidence.span)
    return value.span or fallback


def _inner(span: Span | None, outer: Span) -> Span:
    """``span`` when it lies within ``outer``, else ``outer``."""
    if (
        span is not None
        and span.document is outer.document
        and outer.start <= span.start
        and span.end <= outer.end
    ):
        return span
    return outer


def stretch(value: Value, start: int, end: int) -> Span | None:
    """Where a part of a text stands; ``None`` when its characters are not written one by one."""
    if not isinstance(value, Known):
        return None
    at = 0
    first: Piece | None = None
    begin = 0
    for piece in value.pieces:
        stop = at + len(piece.text)
        if first is None and at <= start < stop and piece.exact:
            first, begin = piece, piece.start + start - at
        if first is not None and start < end <= stop and piece.exact:
            last = piece.start + end - at
            if piece.document is first.document and begin < last:
                return Span(piece.document, begin, last)
            return None
        at = stop
    return None


def written_at_use(value: Value) -> Span | None:
    """Where a literal stands that is written where it is used, and that nothing else uses."""
    if not isinstance(value, Known) or value.marks & SECRET:
        return None
    if any(e.step not in (Step.ATTRIBUTE, Step.OVERRIDE) for e in value.via):
        return None
    return value.span


def set_to(value: Value, name: str, data: Scalar) -> tuple[Remedy, ...]:
    """The remedy that writes another literal, where the value is written for this use alone."""
    span = written_at_use(value)
    if span is None:
        return ()
    if isinstance(data, bool) and isinstance(value, Known) and isinstance(value.data, str):
        data = "true" if data else "false"  # a list of pairs has texts for its values
    words = f"set {name.rsplit('.', 1)[-1]} to {json.dumps(data)}"
    return (Remedy(Act.SET, span, words, data),)


def chain(value: Value, at: Span | None = None) -> tuple[Related, ...]:
    """The evidence of a value as related places, from the cause to the use."""
    related: list[Related] = []
    seen: set[tuple[str, int, int]] = set()
    if at is not None:
        seen.add((at.path, at.start, at.end))
    for evidence in value.via:
        span = evidence.span
        if evidence.step in (Step.DEFAULT, Step.VARIABLES_FILE, Step.LOCAL, Step.OVERRIDE):
            span = _narrowest(value.span, span)
        key = (span.path, span.start, span.end)
        if key in seen or evidence.step is Step.ATTRIBUTE:
            continue
        seen.add(key)
        related.append(Related(span, evidence.text, decides=evidence.step is Step.CONDITION))
    return tuple(related)


def _narrowest(span: Span | None, outer: Span) -> Span:
    return _inner(span, outer)


def origin(value: Value) -> str:
    """Where a value comes from, in words: ``the default of var.regions at variables.tf:8``."""
    for evidence in value.via:
        if evidence.step in (Step.DEFAULT, Step.VARIABLES_FILE, Step.LOCAL, Step.OUTPUT):
            return f"{evidence.text} at {_inner(value.span, evidence.span)}"
    for evidence in value.via:
        if evidence.step is Step.INPUT:
            return f"{evidence.text} at {evidence.span}"
    return ""


def decided_by(resource: Resource, what: str) -> str:
    """What a resource's own notation has for the ``partition`` or ``region`` that it is created in."""
    if resource.request:
        return "the region of the client" if what == "partition" else "the client"
    if "::" in resource.type:
        return f"AWS::{what.capitalize()}"
    return f"data.aws_{what}"


def rests_on_default(value: Value | None) -> bool:
    """Whether a value is what it is only because nobody gave a variable another one."""
    return value is not None and any(e.step is Step.DEFAULT for e in value.via)


def truth(value: Value | None) -> bool | None:
    """The boolean of a known value, strings converted."""
    if isinstance(value, Known):
        if isinstance(value.data, bool):
            return value.data
        if value.data in ("true", "false"):
            return value.data == "true"
    return None


def words_of(value: Value | None) -> str:
    """A short form of a value for messages."""
    if value is not None and value.marks & SECRET:
        return HIDDEN
    if isinstance(value, Known):
        if isinstance(value.data, bool):
            return "true" if value.data else "false"
        return str(value.data) if value.data is not None else "null"
    if isinstance(value, Text):
        return value.pattern("…")
    if isinstance(value, Many):
        inner = ", ".join(words_of(item) for item in value.items[:5])
        return f"[{inner}{', …' if len(value.items) > 5 or not value.complete else ''}]"  # noqa: PLR2004
    if isinstance(value, OneOf):
        return " or ".join(words_of(a.value) for a in value.alternatives[:4])
    if isinstance(value, Unknown):
        return value.subject or "a value that is not known"
    return known_text(value) or "a value"
