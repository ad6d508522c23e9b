r"""Text from scanned files made safe to show, and its width in terminal columns.

A scanned file may hold terminal control sequences, bidirectional overrides that reorder what a
reader sees, and characters that take no space at all. Whatever a report shows goes through
`sanitise` first: such characters become visible escapes (``\x1b``, ``\u{202e}``). The set is the
Unicode general categories Cc, Zl and Zp, the bidirectional controls and zero-width characters of
Unicode Standard Annex #9 and Technical Report #36, the tag and variation-selector blocks of plane
14, and lone surrogates, which cannot be encoded in UTF-8.
"""

from __future__ import annotations

import re
from typing import Final

TAB_STOP: Final = 4
"""Columns between tab stops in what is shown."""

_UNSAFE: Final = re.compile(
    "["
    "\x00-\x08\x0a-\x1f\x7f"  # C0 without tab, DEL
    "\x80-\x9f"  # C1
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # invisible letters, Arabic mark
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, line ends, bidirectional controls
    "\u3164\ufeff\uffa0\ufff9-\ufffc"  # fillers, byte order mark, interlinear marks
    "\ud800-\udfff"  # lone surrogates
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # musical format controls, tags
    "]"
)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_LATIN_1: Final = 0xFF
_NAMED: Final = {"\n": "\\n", "\r": "\\r"}


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    named = _NAMED.get(character)
    if named is not None:
        return named
    return f"\\x{code:02x}" if code <= _LATIN_1 else f"\\u{{{code:x}}}"


def sanitise(text: str) -> str:
    """The text on one line with every character that does not show itself as a visible escape.

    Tabs stay: `expand` makes columns of them.
    """
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_escape, text)


def sanitise_lines(text: str) -> str:
    """Like `sanitise`, line ends kept and written as LF."""
    return "\n".join(sanitise(line) for line in re.split("\r\n|\r|\n", text))


def encodable(text: str) -> str:
    """The text with lone surrogates as visible escapes: it can be written as UTF-8."""
    return text if text.isascii() else _SURROGATE.sub(_escape, text)


def fitting(text: str, encoding: str | None) -> str:
    """The text with what a stream's encoding cannot hold as backslash escapes."""
    encoding = (encoding or "utf-8").lower()
    if encoding.startswith("utf"):
        return text
    return text.encode(encoding, "backslashreplace").decode(encoding)


def width(text: str) -> int:
    """Terminal columns of a sanitised text without tabs: wide characters take two, marks none."""
    if text.isascii():
        return len(text)
    from wcwidth import wcswidth, wcwidth  # 33 ms that ASCII output never pays

    columns: int = wcswidth(text)
    if columns >= 0:
        return columns
    return sum(max(0, wcwidth(character)) for character in text)


def expand(text: str, column: int = 0) -> str:
    """A sanitised text with its tabs as blanks up to the next stop, the first at ``column``."""
    if "\t" not in text:
        return text
    parts = text.split("\t")
    pieces = []
    for part in parts[:-1]:
        column += width(part)
        blanks = TAB_STOP - column % TAB_STOP
        pieces.append(part + " " * blanks)
        column += blanks
    pieces.append(parts[-1])
    return "".join(pieces)
