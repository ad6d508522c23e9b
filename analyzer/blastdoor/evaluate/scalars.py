"""Where the text of a scalar of YAML or JSON stands, and data files as values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor.parse.data import Mapping as MappingNode
from blastdoor.parse.data import Scalar
from blastdoor.span import Document, Span
from blastdoor.value import Known, Many, Mapping, Piece, Reason, Unknown, Value

if TYPE_CHECKING:
    from blastdoor.parse.data import Node

MAX_DEPTH: Final = 60
"""Collections within one another beyond which a value is not followed."""


def placed(document: Document, start: int, end: int, data: str) -> tuple[Piece, ...]:
    """Where the text of a scalar stands in the document that was read."""
    size = len(data)
    if end - start == size + 2:
        first = document.text[start]
        if first in "\"'" and document.text.startswith(data, start + 1):
            return (Piece(data, document, start + 1, end - 1),)
    elif end - start == size and document.text.startswith(data, start):
        return (Piece(data, document, start, end),)
    if document.text.startswith("|", start):
        return _lines(document, start, end, data)
    return (Piece(data, document, start, end),)


def _lines(document: Document, start: int, end: int, data: str) -> tuple[Piece, ...]:
    """The lines of a literal block scalar, each where it stands."""
    text = document.text
    pieces: list[Piece] = []
    at = text.find("\n", start, end) + 1
    lines = data.split("\n")
    for number, line in enumerate(lines):
        last = number == len(lines) - 1
        content = line if last else line + "\n"
        if not content:
            continue
        if at <= 0 or at >= end:
            pieces.append(Piece(content, document, min(max(at, start), end), end))
            continue
        stop = text.find("\n", at, end)
        stop = end if stop < 0 else stop
        source = text[at:stop].rstrip("\r")
        if source.endswith(line):
            begin = at + len(source) - len(line)
            length = len(content) if text.startswith(content, begin) else len(line)
            if length == len(content):
                pieces.append(Piece(content, document, begin, begin + length))
            else:
                pieces.append(Piece(line, document, begin, begin + len(line)))
                pieces.append(Piece(content[len(line) :], document, begin, begin))
        else:
            pieces.append(Piece(content, document, at, stop))
        at = stop + 1
    return tuple(pieces)


def value_of(document: Document, node: Node, depth: int = 0) -> Value:
    """A node of a data file as a value; of keys that stand twice the last, foreign tags unknown."""
    span = Span(document, node.start, node.end)
    if depth > MAX_DEPTH:
        return Unknown(Reason.BUDGET, "nesting", span)
    if isinstance(node, Scalar):
        if isinstance(node.value, str):
            return Known(node.value, span, (), placed(document, node.start, node.end, node.value))
        return Known(node.value, span)
    if not isinstance(node, MappingNode):
        return Many(tuple([value_of(document, item, depth + 1) for item in node.items]), span)
    if len(node.entries) == 1 and str(node.entries[0][0].value).startswith("!"):
        return Unknown(Reason.UNSUPPORTED, str(node.entries[0][0].value), span)
    entries = {}
    places = {}
    for key, inner in node.entries:
        name = str(key.value)
        entries[name] = value_of(document, inner, depth + 1)
        places[name] = Span(document, key.start, key.end)
    return Mapping(entries, span, key_spans=places)
