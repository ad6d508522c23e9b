"""JSON inside string values: a policy in a heredoc, a template or a file keeps its own positions.

A string value is made of pieces that stand somewhere in a source text, and of holes that are not
known. The JSON parser reads the joined text; a hole is represented by a private-use character, and
positions are translated back through the pieces.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from blastdoor.parse.data import Mapping as MappingNode
from blastdoor.parse.data import Scalar, Sequence
from blastdoor.parse.json import parse_json
from blastdoor.span import Document, Span
from blastdoor.value import (
    Encoded,
    Evidence,
    Known,
    Many,
    Mapping,
    Piece,
    Step,
    Text,
    Value,
    within_budget,
)

if TYPE_CHECKING:
    from blastdoor.parse.data import Node

_OPEN: Final = "\ue000"
_CLOSE: Final = "\ue001"
_KEPT_LENGTH: Final = 500
"""Code points from which a decoded text is kept."""
_KEPT: Final = 16
"""Decoded texts that are kept with one document."""


class _Layout:
    """The joined text of a string value and where each stretch of it stands."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.starts: list[int] = []
        self.origins: list[tuple[Piece | None, int]] = []
        self.holes: list[Value] = []
        self.length = 0
        self.via: tuple[Evidence, ...] = ()
        """The evidence of the whole text that holds for each of its parts too."""

    def add(self, text: str, origin: Piece | None, offset: int = 0) -> None:
        self.parts.append(text)
        self.starts.append(self.length)
        self.origins.append((origin, offset))
        self.length += len(text)

    def locate(self, start: int, end: int, fallback: Span | None) -> Span | None:
        """The source range that the range ``[start, end)`` of the joined text stands for."""
        if not self.starts:
            return fallback
        low = self._point(start)
        high = self._point(max(end - 1, start))
        if low is None or high is None or low[0] is not high[0] or high[2] < low[1]:
            return fallback
        return Span(low[0], low[1], max(high[2], low[1]))

    def _point(self, offset: int) -> tuple[Document, int, int] | None:
        index = bisect_right(self.starts, offset) - 1
        piece, shift = self.origins[index]
        if piece is None:
            return None
        within = offset - self.starts[index] + shift
        if piece.exact:
            return piece.document, piece.start + within, piece.start + within + 1
        return piece.document, piece.start, piece.end


def _lay_out(value: Known | Text) -> _Layout:
    layout = _Layout()
    if isinstance(value, Known):
        if value.pieces:
            for piece in value.pieces:
                layout.add(piece.text, piece)
        else:
            layout.add(str(value.data), None)
        return layout
    quoted = False
    for part in value.parts:
        if isinstance(part, Piece):
            layout.add(part.text, part)
            quoted = _in_string(part.text, quoted)
            continue
        mark = f"{_OPEN}{len(layout.holes)}{_CLOSE}"
        layout.holes.append(part)
        span = part.span
        origin = Piece("", span.document, span.start, span.end) if span is not None else None
        layout.add(mark if quoted else f'"{mark}"', origin)
    return layout


def _in_string(text: str, quoted: bool) -> bool:  # noqa: FBT001  a state, not a switch
    """Whether a JSON string is open behind ``text`` when it was ``quoted`` before it."""
    at = text.find('"')
    while at >= 0:
        backslashes = 0
        while at - backslashes - 1 >= 0 and text[at - backslashes - 1] == "\\":
            backslashes += 1
        if backslashes % 2 == 0:
            quoted = not quoted
        at = text.find('"', at + 1)
    return quoted


def decode(value: Value) -> Value | None:
    """The value that a JSON text stands for; ``None`` when it is not JSON.

    `Encoded` gives its inner value. Strings within keep their holes as `Text`. Long texts are kept
    with the document that they begin in: units read the same file and template again and again.
    """
    if isinstance(value, Encoded):
        return value.inner
    if isinstance(value, Known):
        if not isinstance(value.data, str):
            return None
        first: Piece | Value | None = value.pieces[0] if value.pieces else None
        head = value.data
    elif isinstance(value, Text):
        first = value.parts[0]
        head = first.text if isinstance(first, Piece) else "{"
    else:
        return None
    stripped = head.lstrip()
    if stripped and stripped[0] not in "{[":
        return None
    via = tuple([e for e in value.via if e.step is not Step.ATTRIBUTE])
    if not isinstance(first, Piece) or len(first.document.text) < _KEPT_LENGTH:
        return _decode(value, via)
    kept = first.document.decoded
    key = (value.key(), first.start)
    if key not in kept:
        if len(kept) >= _KEPT:
            kept.clear()
        kept[key] = _decode(value, ())
    found = kept[key]
    return found.through(*via) if isinstance(found, Value) else None


def _decode(value: Known | Text, via: tuple[Evidence, ...]) -> Value | None:
    layout = _lay_out(value)
    layout.via = via
    node, faults = parse_json(Document("", "".join(layout.parts)))
    if node is None or faults:
        return None
    return within_budget(_convert(node, layout, value))


def _convert(node: Node, layout: _Layout, owner: Value) -> Value:
    """Values of a JSON tree; recursive, the parser's depth cap bounds it."""
    span = layout.locate(node.start, node.end, owner.span)
    if isinstance(node, MappingNode):
        entries: dict[str, Value] = {}
        key_spans: dict[str, Span] = {}
        complete = True
        for key, child in node.entries:
            name = str(key.value)
            if _OPEN in name:
                complete = False
                continue
            entries[name] = _convert(child, layout, owner)
            key_span = layout.locate(key.start, key.end, owner.span)
            if key_span is not None:
                key_spans[name] = key_span
        return Mapping(entries, span, layout.via, complete=complete, key_spans=key_spans)
    if isinstance(node, Sequence):
        items = tuple([_convert(child, layout, owner) for child in node.items])
        return Many(items, span, layout.via)
    assert isinstance(node, Scalar)
    data = node.value
    if isinstance(data, str) and _OPEN in data:
        return _with_holes(data, layout, span)
    pieces: tuple[Piece, ...] = ()
    if isinstance(data, str) and span is not None and len(span.text) == len(data) + 2:
        pieces = (Piece(data, span.document, span.start + 1, span.end - 1),)
    return Known(data, span, layout.via, pieces)


def _with_holes(data: str, layout: _Layout, span: Span | None) -> Value:
    """A JSON string that holds marks of unknown stretches."""
    parts: list[Piece | Value] = []
    at = 0
    document = span.document if span is not None else Document("", data)
    begin, finish = (span.start, span.end) if span is not None else (0, len(data))
    while True:
        opened = data.find(_OPEN, at)
        if opened < 0:
            break
        closed = data.find(_CLOSE, opened)
        number = data[opened + 1 : closed]
        if closed < 0 or not number.isdigit() or int(number) >= len(layout.holes):
            break
        if opened > at:
            parts.append(Piece(data[at:opened], document, begin, finish))
        parts.append(layout.holes[int(number)])
        at = closed + 1
    if at < len(data):
        parts.append(Piece(data[at:], document, begin, finish))
    if len(parts) == 1 and isinstance(parts[0], Value):
        only = parts[0]
        inner = only.inner if isinstance(only, Encoded) else only
        return inner.at(span) if span is not None else inner
    return Text(tuple(parts), span, layout.via)
