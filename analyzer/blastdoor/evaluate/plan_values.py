"""Planned values: JSON of a plan to values with their positions.

Three parts of a plan speak of one argument: its value, which of it is known only after apply, and the
expression that the configuration has for it (HashiCorp, "JSON Output Format": values, change and
expression representations). A plan also holds every default and everything that a provider computes;
what the configuration does not write counts as not set, as it does in the configuration itself.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from blastdoor.parse import data
from blastdoor.parse.json import parse_json
from blastdoor.span import Document, Span
from blastdoor.value import (
    Evidence,
    Known,
    Many,
    Mapping,
    Meaning,
    Piece,
    Reason,
    Unknown,
    Value,
    within_budget,
)

if TYPE_CHECKING:
    from blastdoor.parse.outline import Outline, Part

MAX_PIECES: Final = 200_000
"""Longest string with escapes whose every stretch keeps its place."""

_ESCAPE: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\."
)
_MAX_PAIRS: Final = 40_000
"""Most pairs of a planned block and one of the configuration that are held against each other."""
_QUOTED: Final = re.compile(r'\\"([^"\\]*+)\\"')
_LINE_END: Final = re.compile(r"\\[nrt]")
_EXPRESSION: Final = frozenset({"constant_value", "references"})


class Shown(Enum):
    """What stands for an expression that the configuration of the plan does not show."""

    SET = "set"
    """It is set, and no more is known of it."""
    LENIENT = "lenient"
    """It may be one of a ``dynamic`` block, which the configuration does not show: what looks like a
    default (``false``, ``0``, ``""``) counts as not set."""


SET: Final = Shown.SET
LENIENT: Final = Shown.LENIENT


def is_expression(expression: Any) -> bool:
    """Whether an object of the configuration is one expression, not the body of a block."""
    return isinstance(expression, dict) and (
        not expression or not _EXPRESSION.isdisjoint(expression)
    )


def _is_written(expression: Any) -> bool:
    """Whether a value stands in the configuration as it is planned."""
    return isinstance(expression, dict) and "constant_value" in expression


def first_reference(expression: Any) -> str:
    """The longest reference of an expression that has only one; ``""`` for any other."""
    references = expression.get("references") if isinstance(expression, dict) else None
    if not isinstance(references, list) or not references:
        return ""
    first = references[0]
    if not isinstance(first, str):
        return ""
    # Terraform lists a reference with each of its prefixes behind it.
    alone = all(isinstance(other, str) and first.startswith(other) for other in references)
    return first if alone else ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the values of one resource instance stand."""

    document: Document
    """The plan as it may be shown."""
    outline: Outline
    """The plan as it is."""
    address: str
    span: Span
    """Where the instance is named, for what is not written at all."""


class Reader:
    """Turns one value of the plan into a `Value`."""

    def __init__(self, origin: Origin, part: Part) -> None:
        self.origin = origin
        self.base = part.start
        self.text = origin.outline.text[part.start : part.end]

    def read(self, unknown: Any, expression: Any, subject: str) -> Value | None:
        """The value; ``None`` when it is not set. Raises ValueError for what is no JSON."""
        node, faults = parse_json(Document("", self.text))
        if node is None:
            raise ValueError(faults[0].message if faults else "is no JSON value")
        found = self._convert(node, unknown, expression, subject)
        return None if found is None else within_budget(found)

    def _convert(
        self, node: data.Node, unknown: Any, expression: Any, subject: str
    ) -> Value | None:
        """Recursive; the depth that a plan may have bounds it."""
        if unknown is True:
            return after_apply(self.origin.span, expression, subject)
        if isinstance(node, data.Scalar):
            return self._scalar(node, expression)
        if isinstance(node, data.Sequence):
            return self._list(node, unknown, expression, subject)
        return self._mapping(node, unknown, expression, subject)

    def _span(self, node: data.Node) -> Span:
        return Span(self.origin.document, self.base + node.start, self.base + node.end)

    def _scalar(self, node: data.Scalar, expression: Any) -> Value | None:
        content = node.value
        if content is None and not is_expression(expression):
            return None
        if expression is LENIENT and content in (False, 0, ""):
            return None
        span = self._span(node)
        if not isinstance(content, str):
            return Known(content, span)
        if content.lstrip()[:1] not in ("{", "[") and not _is_written(expression):
            # What was computed is no literal: the piece covers the quotes, so it is not exact.
            return Known(content, span, (), (Piece(content, span.document, span.start, span.end),))
        return Known(content, span, (), self._pieces(node, content, span))

    def _pieces(self, node: data.Scalar, content: str, span: Span) -> tuple[Piece, ...]:
        """Where the stretches of a string stand: those of a policy are judged one by one."""
        document = span.document
        whole = (Piece(content, document, span.start + 1, span.end - 1),)
        if span.end - span.start == len(content) + 2:
            return whole
        if len(content) > MAX_PIECES or content.lstrip()[:1] not in ("{", "["):
            return whole
        padded = _padded(self.text[node.start + 1 : node.end - 1])
        if padded is not None:
            return (Piece(padded, document, span.start + 1, span.end - 1),)
        pieces: list[Piece] = []
        at, end = node.start + 1, node.end - 1
        for found in _ESCAPE.finditer(self.text, at, end):
            left, right = found.span()
            if left > at:
                pieces.append(Piece(self.text[at:left], document, self.base + at, self.base + left))
            escaped = found.group()
            character = escaped[1] if escaped[1] in '"\\/' else str(json.loads(f'"{escaped}"'))
            pieces.append(Piece(character, document, self.base + left, self.base + right))
            at = right
        if at < end:
            pieces.append(Piece(self.text[at:end], document, self.base + at, self.base + end))
        joined = "".join([piece.text for piece in pieces])
        return tuple(pieces) if joined == content else whole

    def _list(
        self, node: data.Sequence, unknown: Any, expression: Any, subject: str
    ) -> Value | None:
        marks = unknown if isinstance(unknown, list) else []
        inner: list[Any] = [expression] * len(node.items)
        if isinstance(expression, list):
            inner = _paired(node.items, expression)
        elif not is_expression(expression) and isinstance(expression, dict):
            inner = [expression] * len(node.items)
        elif expression is LENIENT and not node.items:
            return None
        items = []
        for number, item in enumerate(node.items):
            mark = marks[number] if number < len(marks) else None
            value = self._convert(item, mark, inner[number], f"{subject}[{number}]")
            if value is None and not isinstance(item, data.Mapping):
                value = Known(None, self._span(item))
            if value is not None:
                items.append(value)
        return Many(tuple(items), self._span(node))

    def _mapping(
        self, node: data.Mapping, unknown: Any, expression: Any, subject: str
    ) -> Value | None:
        marks = unknown if isinstance(unknown, dict) else {}
        body = isinstance(expression, dict) and not is_expression(expression)
        entries: dict[str, Value] = {}
        spans: dict[str, Span] = {}
        for key, child in node.entries:
            name = str(key.value)
            inner = expression
            if body:
                inner = expression.get(name, None)
                if inner is None:
                    # The configuration shows no `dynamic` blocks; what else it lacks is not set.
                    if not _is_blocks(child):
                        continue
                    inner = LENIENT
            value = self._convert(child, marks.get(name), inner, f"{subject}.{name}")
            if value is not None:
                entries[name] = value
                spans[name] = self._span(key)
        for name, mark in marks.items():
            if mark is True and name not in entries and (not body or name in expression):
                inner = expression.get(name) if body else expression
                entries[name] = after_apply(self.origin.span, inner, f"{subject}.{name}")
        return Mapping(entries, self._span(node), key_spans=spans)


def _padded(raw: str) -> str | None:
    """The JSON text that a string literal holds, with blanks in place of its escapes.

    It says the same as the content of the literal and every code point stands where it is written,
    which one piece can say; the usual policy needs several hundred otherwise. ``None`` when there are
    escapes for which that does not go.
    """
    padded = _QUOTED.sub(r' "\1" ', raw)
    if "\\" in padded:
        padded = _LINE_END.sub("  ", padded)
    return None if "\\" in padded else padded


def after_apply(span: Span, expression: Any, subject: str, via: tuple[Evidence, ...] = ()) -> Value:
    """A value that only the apply will tell."""
    return Unknown(
        Reason.AFTER_APPLY,
        first_reference(expression) or subject,
        span,
        via,
        meaning=Meaning.RESOURCE,
    )


def _is_blocks(node: data.Node) -> bool:
    return (
        isinstance(node, data.Sequence)
        and bool(node.items)
        and all(isinstance(item, data.Mapping) for item in node.items)
    )


def _paired(items: list[data.Node], bodies: list[Any]) -> list[Any]:
    """The body of the configuration's block for each planned block.

    Sets lose the order of the configuration, so blocks are told apart by their constants. Where that
    does not help, an argument counts as set when any of the blocks that may be meant sets it.
    """
    written = [body for body in bodies if isinstance(body, dict)]
    if len(items) == 1 and len(written) == 1:
        return [written[0] or SET]
    if len(items) * len(written) > _MAX_PAIRS:
        return [_together(written)] * len(items)
    paired: list[Any] = []
    for number, item in enumerate(items):
        fitting = [body for body in written if _fits(item, body)]
        if len(fitting) == 1:
            paired.append(fitting[0])
        elif not fitting:
            paired.append(LENIENT)
        elif len(written) == len(items) and any(body is written[number] for body in fitting):
            paired.append(written[number])
        else:
            paired.append(_together(fitting))
    return paired


def _together(bodies: list[dict[str, Any]]) -> Any:
    """What any of several blocks sets, as one body."""
    merged: dict[str, Any] = {}
    for body in reversed(bodies):
        merged.update(body)
    return merged or SET


def _fits(item: data.Node, body: dict[str, Any]) -> bool:
    """Whether a planned block does not contradict the constants of a block."""
    if not isinstance(item, data.Mapping):
        return False
    values = {key.value: child for key, child in item.entries}
    for name, expression in body.items():
        if not isinstance(expression, dict) or "constant_value" not in expression:
            continue
        planned = values.get(name)
        constant = expression["constant_value"]
        if constant is None or isinstance(constant, (dict, list)):
            continue
        if not isinstance(planned, data.Scalar) or _word(planned.value) != _word(constant):
            return False
    return True


def _word(content: object) -> str:
    """The spelling under which Terraform converts scalars into one another."""
    return str(content).lower() if isinstance(content, bool) else str(content)
