"""Where something stands in a source text: documents, spans and positions.

Offsets and columns count Unicode code points (SARIF ``columnKind: unicodeCodePoints``), lines and
columns are one-based. The conversion to UTF-16 happens only in the editor server.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final, NamedTuple

from blastdoor.record import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

BYTE_ORDER_MARK: Final = "\ufeff"


class Position(NamedTuple):
    """A one-based line and a one-based column in Unicode code points."""

    line: int
    column: int


class Document:
    """One source text with the path that names it in reports.

    ``path`` is relative to the analysed root, with ``/`` as separator on every platform. ``text`` is
    the decoded content with its line ends, and its byte order mark, as they stand in the file: offsets
    count the mark, columns do not.
    """

    __slots__ = ("_starts", "decoded", "path", "secrets", "text")

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self._starts: list[int] | None = None
        self.decoded: dict[object, object] = {}
        """What texts that begin here say as JSON, kept by whoever decoded them."""
        self.secrets: set[tuple[int, int]] = set()
        """Ranges that must not be quoted: what the configuration itself says is sensitive."""

    def __repr__(self) -> str:
        return f"Document({self.path!r})"

    @property
    def line_starts(self) -> list[int]:
        """The offset of the first code point of each line; a line ends at LF, CR LF or CR.

        The first line begins behind the byte order mark.
        """
        if self._starts is None:
            text = self.text
            starts = [1 if text.startswith(BYTE_ORDER_MARK) else 0]
            find = text.find
            if "\r" not in text:
                at = find("\n")
                while at >= 0:
                    starts.append(at + 1)
                    at = find("\n", at + 1)
            else:
                for number, character in enumerate(text):
                    if character == "\n" or (
                        character == "\r" and text[number + 1 : number + 2] != "\n"
                    ):
                        starts.append(number + 1)
            self._starts = starts
        return self._starts

    def position(self, offset: int) -> Position:
        """The line and column of the code point at ``offset``."""
        starts = self.line_starts
        line = bisect_right(starts, offset) or 1
        return Position(line, max(offset - starts[line - 1], 0) + 1)

    def line(self, number: int) -> str:
        """The text of line ``number`` (one-based) without its line end; ``""`` beyond the end."""
        if not 1 <= number <= len(self.line_starts):
            return ""
        start, end = self.line_range(number)
        return self.text[start:end]

    def line_range(self, number: int) -> tuple[int, int]:
        """The offsets of a line that is there (one-based), its line end left out."""
        starts, text = self.line_starts, self.text
        start = starts[number - 1]
        end = starts[number] if number < len(starts) else len(text)
        while end > start and text[end - 1] in "\r\n":
            end -= 1
        return start, end


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of code points ``[start, end)`` in a document."""

    document: Document
    start: int
    end: int

    @property
    def path(self) -> str:
        """The path of the document."""
        return self.document.path

    @property
    def begin(self) -> Position:
        """The position of the first code point."""
        return self.document.position(self.start)

    @property
    def finish(self) -> Position:
        """The position just behind the last code point, as SARIF's ``endLine``/``endColumn``."""
        return self.document.position(self.end)

    @property
    def text(self) -> str:
        """The source text of the range."""
        return self.document.text[self.start : self.end]

    def __str__(self) -> str:
        here = written(self)
        return f"{here.path}:{here.begin.line}"


class Rendered(Document):
    """A text that a tool puts together from others: the path is where it writes the file.

    ``stretches`` are (offset, place) pairs in order: from the offset up to the next one the text is
    that of the place, code point by code point when they are of the same length.
    """

    __slots__ = ("stretches",)

    def __init__(self, path: str, text: str, stretches: Sequence[tuple[int, Span]]) -> None:
        super().__init__(path, text)
        self.stretches = stretches

    def origin(self, start: int, end: int) -> Span:
        """Where a range is written: in the text that holds its first code point."""
        first, at = self._at(start)
        last, behind = self._at(max(end - 1, start))
        begin = at.start + (start - first if self._exact(first, at) else 0)
        if last != first and behind.document is not at.document:
            return Span(at.document, begin, max(at.end, begin))
        stop = behind.start + (end - last) if self._exact(last, behind) else behind.end
        return Span(at.document, begin, max(stop, begin))

    def _at(self, offset: int) -> tuple[int, Span]:
        number = bisect_right(self.stretches, offset, key=lambda stretch: stretch[0]) - 1
        return self.stretches[max(number, 0)]

    def _exact(self, offset: int, place: Span) -> bool:
        number = bisect_right(self.stretches, offset, key=lambda stretch: stretch[0])
        behind = self.stretches[number][0] if number < len(self.stretches) else len(self.text)
        return place.end - place.start == behind - offset


def written(span: Span) -> Span:
    """Where a range is written by hand: the range itself, unless a tool rendered its text."""
    document = span.document
    return document.origin(span.start, span.end) if isinstance(document, Rendered) else span
