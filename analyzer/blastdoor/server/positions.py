"""Places as editors count them: zero-based, in the units that client and server agreed on.

The only module that knows of UTF-16. Language Server Protocol 3.17, "Position": columns count UTF-16
code units unless ``positionEncoding`` says UTF-8 bytes or UTF-32 code points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types as lsp

if TYPE_CHECKING:
    from blastdoor.span import Document, Span

_BEYOND_BMP = 0xFFFF


def units(text: str, encoding: str) -> int:
    """The length of a text in the units of an encoding: ``utf-8``, ``utf-16`` or ``utf-32``."""
    if encoding == lsp.PositionEncodingKind.Utf32 or text.isascii():
        return len(text)
    if encoding == lsp.PositionEncodingKind.Utf8:
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text) + sum(ord(character) > _BEYOND_BMP for character in text)


def position(document: Document, offset: int, encoding: str) -> lsp.Position:
    """Where an offset stands."""
    line, column = document.position(offset)
    start = document.line_starts[line - 1]
    return lsp.Position(line - 1, units(document.text[start : start + column - 1], encoding))


def range_of(span: Span, encoding: str) -> lsp.Range:
    """Where a span stands."""
    return lsp.Range(
        position(span.document, span.start, encoding), position(span.document, span.end, encoding)
    )


def offset(document: Document, place: lsp.Position, encoding: str) -> int:
    """The offset of a position; what lies beyond a line is its end, beyond the text the text's."""
    starts = document.line_starts
    if place.line >= len(starts):
        return len(document.text)
    low, high = document.line_range(place.line + 1)
    if encoding == lsp.PositionEncodingKind.Utf32 or document.text[low:high].isascii():
        return min(low + place.character, high)
    left = place.character
    for at in range(low, high):
        if left <= 0:
            return at
        left -= units(document.text[at], encoding)
    return high
