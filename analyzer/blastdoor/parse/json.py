"""The JSON scanner (RFC 8259): a tree with positions, duplicate keys kept, nothing tolerated.

The standard library's parser gives no positions and loses duplicate keys. This one has no
recursion: what is open stands in a list, and nesting beyond ``MAX_DEPTH`` is a fault.
"""

from __future__ import annotations

import re
from typing import Final

from blastdoor.parse.data import Mapping, Node, Scalar, Sequence
from blastdoor.parse.tree import SyntaxFault
from blastdoor.span import Document, Span

MAX_DEPTH: Final = 200
"""How deep arrays and objects nest in one another."""

_BLANK: Final = r"[ \t\r\n]*+"
_PLAIN: Final = r'"([^"\\\x00-\x1f]*+)"'
_INTEGER: Final = r"-?+(?:0|[1-9][0-9]*+)"
_WORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}
_VALUE: Final = (
    rf"(?:{_PLAIN}"  # 1 a string without escapes
    rf"|({_INTEGER})(?![0-9.eE])"  # 2
    rf"|({_INTEGER}(?:\.[0-9]++)?+(?:[eE][+-]?+[0-9]++)?+)(?![0-9.eE])"  # 3
    r"|(true|false|null)(?![0-9A-Za-z_])"  # 4
    r"|(\{)"  # 5
    r"|(\[)"  # 6
    r'|("))'  # 7 any other string
)
_STRING, _WHOLE, _FRACTION, _WORD, _MAPPING, _SEQUENCE, _QUOTE = 1, 2, 3, 4, 5, 6, 7

_value = re.compile(_BLANK + _VALUE).match
_key = re.compile(rf'{_BLANK}(?:{_PLAIN}{_BLANK}:|"())').match
_colon = re.compile(rf"{_BLANK}:").match
_blank = re.compile(_BLANK).match
_string_part = re.compile(
    r'([^"\\\x00-\x1f]++)'  # 1
    r'|(")'  # 2
    r'|\\(?:(["\\/bfnrt])'  # 3
    r"|u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"  # 4, 5 a surrogate pair
    r"|u([0-9a-fA-F]{4}))"  # 6
).match
_AS_IS, _END, _SHORT, _LOW, _CODE = 1, 2, 3, 5, 6
_ESCAPES: Final = {
    '"': '"',
    "\\": "\\",
    "/": "/",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
}
_HIGH_SURROGATES: Final = range(0xD800, 0xDC00)
_SURROGATES: Final = range(0xD800, 0xE000)
_MAX_DIGITS: Final = 4000


class _FaultError(Exception):
    """The first thing that is not as JSON has it."""

    def __init__(self, at: int, message: str) -> None:
        super().__init__(message)
        self.at = at
        self.message = message


def parse_json(
    document: Document, start: int = 0, end: int | None = None
) -> tuple[Node | None, list[SyntaxFault]]:
    """The JSON value that stands in ``document`` at ``[start, end)``, and nothing else there.

    On a fault there is no value: part of a policy says something else than the policy. Strings
    with an escaped half of a surrogate pair have U+FFFD in its place, as in Go.
    """
    text = document.text
    if end is not None and end < len(text):
        text = text[:end]
    if start == 0 and text.startswith("\ufeff"):
        start = 1
    try:
        return _parse(text, start), []
    except _FaultError as fault:
        at = min(fault.at, len(text))
        span = Span(document, at, min(at + 1, len(text)))
        return None, [SyntaxFault(span, fault.message)]


def decode_string(text: str, start: int) -> tuple[str, list[int]]:
    """The content of the string literal at ``start`` and where each of its code points stands.

    The offsets have one entry more, for the closing quote. The literal must be a valid one.
    """
    content: list[str] = []
    offsets: list[int] = []
    pos = start + 1
    while True:
        match = _string_part(text, pos)
        kind = match.lastindex if match is not None else None
        if match is None or kind is None:
            raise _bad_string(text, pos)
        if kind == _AS_IS:
            content.append(match[_AS_IS])
            offsets.extend(range(pos, match.end()))
        elif kind == _END:
            offsets.append(pos)
            return "".join(content), offsets
        else:
            content.append(_unescaped(match, kind))
            offsets.append(pos)
        pos = match.end()


def _unescaped(match: re.Match[str], kind: int) -> str:
    if kind == _SHORT:
        return _ESCAPES[match[_SHORT]]
    if kind == _LOW:
        high, low = int(match[_LOW - 1], 16), int(match[_LOW], 16)
        return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    code = int(match[_CODE], 16)
    return "\ufffd" if code in _SURROGATES else chr(code)


def _string(text: str, start: int) -> tuple[str, int]:
    """The content of the string literal at ``start`` and the offset behind it."""
    content: list[str] = []
    pos = start + 1
    while True:
        match = _string_part(text, pos)
        kind = match.lastindex if match is not None else None
        if match is None or kind is None:
            raise _bad_string(text, pos)
        if kind == _AS_IS:
            content.append(match[_AS_IS])
        elif kind == _END:
            return "".join(content), match.end()
        else:
            content.append(_unescaped(match, kind))
        pos = match.end()


def _bad_string(text: str, pos: int) -> _FaultError:
    if pos >= len(text):
        return _FaultError(pos, "expected '\"' at the end of the string, found the end of the file")
    if text[pos] == "\\":
        shown = text[pos + 1 : pos + 2]
        return _FaultError(pos, f'"\\{shown}" is no escape sequence')
    if text[pos] in "\r\n":
        return _FaultError(pos, "expected '\"' at the end of the string, found the end of the line")
    return _FaultError(pos, f"a string must not contain U+{ord(text[pos]):04X}")


def _expected(what: str, text: str, pos: int) -> _FaultError:
    match = _blank(text, pos)
    at = match.end() if match else pos
    if at >= len(text):
        found = "the end of the file"
    else:
        found = f'"{text[at]}"' if text[at].isprintable() else f"U+{ord(text[at]):04X}"
    return _FaultError(at, f"expected {what}, found {found}")


def _parse(text: str, pos: int) -> Node:
    # What is open around the current container: the containers and the key each stands at.
    stack: list[tuple[Mapping | Sequence | None, Scalar | None]] = []
    container: Mapping | Sequence | None = None
    entries: list[tuple[Scalar, Node]] | None = None
    items: list[Node] = []
    key: Scalar | None = None
    size = len(text)
    node: Node
    while True:
        # A key, when an object is open.
        if entries is not None:
            match = _key(text, pos)
            if match is None:
                raise _expected("a string as key", text, pos)
            if match.lastindex == 1:
                left, right = match.span(1)
                key = Scalar(left - 1, right + 1, match[1])
                pos = match.end()
            else:
                left = match.end() - 1
                content, pos = _string(text, left)
                key = Scalar(left, pos, content)
                match = _colon(text, pos)
                if match is None:
                    raise _expected('":" after the key', text, pos)
                pos = match.end()
        # A value.
        match = _value(text, pos)
        if match is None:
            raise _expected("a value", text, pos)
        kind = match.lastindex
        if kind == _STRING:
            left, right = match.span(_STRING)
            pos = right + 1
            node = Scalar(left - 1, pos, match[_STRING])
        elif kind in (_MAPPING, _SEQUENCE):
            if len(stack) >= MAX_DEPTH:
                raise _FaultError(match.end() - 1, f"nested more than {MAX_DEPTH} levels deep")
            stack.append((container, key))
            pos = match.end()
            blank = _blank(text, pos)
            at = blank.end() if blank else pos
            if kind == _MAPPING:
                entries = []
                container = Mapping(pos - 1, pos, entries)
                closing = "}"
            else:
                entries = None
                items = []
                container = Sequence(pos - 1, pos, items)
                closing = "]"
            if at >= size or text[at] != closing:
                continue
            node = container
            pos = at + 1
            node.end = pos
            container, key = stack.pop()
            entries, items = _content(container)
        elif kind == _WHOLE:
            left, pos = match.span(_WHOLE)
            digits = match[_WHOLE]
            if len(digits) >= _MAX_DIGITS:
                raise _FaultError(left, f"a number of more than {_MAX_DIGITS} digits")
            node = Scalar(left, pos, int(digits))
        elif kind == _FRACTION:
            left, pos = match.span(_FRACTION)
            node = Scalar(left, pos, _fraction(match[_FRACTION], left))
        elif kind == _WORD:
            left, pos = match.span(_WORD)
            node = Scalar(left, pos, _WORDS[match[_WORD]])
        else:
            left = match.end() - 1
            content, pos = _string(text, left)
            node = Scalar(left, pos, content)
        # What the value stands in, and what that stands in when it ends here.
        while True:
            if container is None:
                match = _blank(text, pos)
                if match is not None and match.end() < size:
                    raise _expected("nothing more", text, pos)
                return node
            if entries is not None:
                if key is not None:
                    entries.append((key, node))
                closing = "}"
            else:
                items.append(node)
                closing = "]"
            if pos < size and text[pos] == ",":
                pos += 1
                break
            match = _blank(text, pos)
            at = match.end() if match else pos
            character = text[at] if at < size else ""
            if character == ",":
                pos = at + 1
                break
            if character != closing:
                raise _expected(f'"," or "{closing}"', text, pos)
            node = container
            pos = at + 1
            node.end = pos
            container, key = stack.pop()
            entries, items = _content(container)


def _fraction(digits: str, at: int) -> float:
    """A number with a point or an exponent; one beyond a float is exact. Raises `_FaultError`."""
    number = float(digits)
    if number - number == 0:
        return number
    from decimal import Decimal

    exact = Decimal(digits)
    if exact.adjusted() >= _MAX_DIGITS:
        raise _FaultError(at, f"a number of more than {_MAX_DIGITS} digits")
    return int(exact)


def _content(
    container: Mapping | Sequence | None,
) -> tuple[list[tuple[Scalar, Node]] | None, list[Node]]:
    """The entries of an object or the items of an array, for more to be appended to."""
    if isinstance(container, Mapping):
        return container.entries, []
    return None, container.items if container is not None else []
