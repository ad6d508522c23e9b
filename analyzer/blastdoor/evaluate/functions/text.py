"""Terraform's string functions.

Source: Terraform language documentation, "Functions", section "String Functions"; "Strings and
Templates" for characters, which are grapheme clusters. Regular expressions are those of Go (RE2).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from blastdoor.evaluate.functions.base import (
    Call,
    Inexact,
    Number,
    Table,
    concatenate,
    number_text,
    pushed,
    valid_text,
)
from blastdoor.evaluate.functions.numbers import held
from blastdoor.value import (
    MAX_SIZE,
    MAX_TEXT,
    Encoded,
    Known,
    Many,
    Mapping,
    Piece,
    Text,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from decimal import Decimal

    from blastdoor.value import Type

_SPACE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
MAX_WIDTH: Final = 10_000
"""Widest field that ``format`` fills."""


# Characters


def graphemes(text: str) -> Sequence[str]:
    """The characters of a string as a reader sees them (grapheme clusters, in the main)."""
    if text.isascii():
        return text if "\r\n" not in text else re.findall(r"\r\n|[\s\S]", text)
    if max(text) < "\u0300" and "\r\n" not in text:
        return text
    from unicodedata import category

    clusters: list[str] = []
    start = 0
    previous = text[:1]
    regional = _is_regional(previous)
    pictograph = _is_pictograph(previous)
    for at in range(1, len(text)):
        current = text[at]
        joined = _joins(previous, current, category, regional=regional, pictograph=pictograph)
        if not joined:
            clusters.append(text[start:at])
            start = at
            regional = _is_regional(current)
            pictograph = _is_pictograph(current)
        elif _is_regional(current):
            regional = False
        previous = current
    if text:
        clusters.append(text[start:])
    return clusters


def _is_regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _is_pictograph(character: str) -> bool:
    return (
        "\U0001f000" <= character <= "\U0001faff"
        or "\u2190" <= character <= "\u2bff"
        or character in "\xa9\xae\u203c\u2049\u2122\u2139\u3030\u303d\u3297\u3299"
    )


def _joins(
    previous: str,
    current: str,
    category: Callable[[str], str],
    *,
    regional: bool,
    pictograph: bool,
) -> bool:
    """Whether no boundary stands between two code points (Unicode Standard Annex #29)."""
    if previous == "\r" and current == "\n":
        return True
    if category(previous) in ("Cc", "Zl", "Zp") or category(current) in ("Cc", "Zl", "Zp"):
        return False
    if (
        category(current) in ("Mn", "Me", "Mc")
        or current in "\u200c\u200d\uff9e\uff9f"
        or "\U0001f3fb" <= current <= "\U0001f3ff"
    ):
        return True
    if previous == "\u200d" and pictograph and _is_pictograph(current):
        return True
    if _is_regional(previous) and _is_regional(current):
        return regional
    return _joins_hangul(previous, current)


def _joins_hangul(previous: str, current: str) -> bool:
    before, after = _hangul(previous), _hangul(current)
    return (
        (before == "L" and after in ("L", "V", "LV", "LVT"))
        or (before in ("LV", "V") and after in ("V", "T"))
        or (before in ("LVT", "T") and after == "T")
    )


def _hangul(character: str) -> str:
    if "\u1100" <= character <= "\u115f":
        return "L"
    if "\u1160" <= character <= "\u11a7":
        return "V"
    if "\u11a8" <= character <= "\u11ff":
        return "T"
    if "\uac00" <= character <= "\ud7a3":
        return "LV" if (ord(character) - 0xAC00) % 28 == 0 else "LVT"
    return ""


# Case


def _mapped(call: Call, value: Value, convert: Callable[[str], str]) -> Value:
    """A string whose characters are converted one by one."""
    if isinstance(value, Unknown) and value.meaning is not None:
        return value
    if isinstance(value, Text):
        return Text(
            tuple(
                [
                    Piece(convert(part.text), part.document, part.start, part.end)
                    if isinstance(part, Piece)
                    else _hole(call, part)
                    for part in value.parts
                ]
            ),
            value.span,
            value.via,
        )
    text = call.text(value)
    result = convert(text)
    if isinstance(value, Known):
        if result == value.data:
            return value
        if len(result) == len(text) and value.pieces:
            pieces = tuple(
                [Piece(convert(p.text), p.document, p.start, p.end) for p in value.pieces]
            )
            return Known(result, value.span, value.via, pieces)
        return Known(result, value.span or call.span, value.via)
    return call.known(result)


def _hole(call: Call, part: Value) -> Value:
    if isinstance(part, Unknown) and part.meaning is not None:
        return part
    return call.missing(part).value


def _lower_character(character: str) -> str:
    lowered = character.lower()
    return lowered if len(lowered) == 1 else lowered[0]


def _upper_character(character: str) -> str:
    raised = character.upper()
    return raised if len(raised) == 1 else character


def _lower_text(text: str) -> str:
    return text.lower() if text.isascii() else "".join([_lower_character(c) for c in text])


def _upper_text(text: str) -> str:
    return text.upper() if text.isascii() else "".join([_upper_character(c) for c in text])


def _title_text(text: str) -> str:
    result = []
    separated = True
    for character in text:
        raised = character.title()
        result.append(raised if separated and len(raised) == 1 else character)
        if character.isascii():
            separated = not (character.isalnum() or character == "_")
        else:
            separated = not (character.isalpha() or character.isdigit()) and (character in _SPACE)
    return "".join(result)


def _lower(call: Call, arguments: Sequence[Value]) -> Value:
    return _mapped(call, arguments[0], _lower_text)


def _upper(call: Call, arguments: Sequence[Value]) -> Value:
    return _mapped(call, arguments[0], _upper_text)


def _title(call: Call, arguments: Sequence[Value]) -> Value:
    if isinstance(arguments[0], Text):
        raise call.missing(arguments[0])
    return call.known(_title_text(call.text(arguments[0])))


# Ends


def _cut(call: Call, value: Value, start: int, end: int) -> Value:
    """The stretch ``[start, end)`` of a known string, with the places of its pieces."""
    text = call.text(value)
    if start == 0 and end >= len(text) and isinstance(value, Known) and value.data == text:
        return value
    result = text[start:end]
    if not isinstance(value, Known) or not value.pieces:
        return call.known(result)
    pieces = []
    at = 0
    for piece in value.pieces:
        low, high = max(start - at, 0), min(end - at, len(piece.text))
        if low < high:
            pieces.append(
                Piece(
                    piece.text[low:high],
                    piece.document,
                    piece.start + low if piece.exact else piece.start,
                    piece.start + high if piece.exact else piece.end,
                )
            )
        at += len(piece.text)
    return Known(result, value.span, value.via, tuple(pieces))


def _trimmed(call: Call, value: Value, left: str, right: str) -> Value:
    """A string without the characters ``left`` at its start and ``right`` at its end."""
    if isinstance(value, Unknown) and value.meaning is not None:
        return value
    if isinstance(value, Text):
        return _trimmed_text(call, value, left, right)
    text = call.text(value)
    start = len(text) - len(text.lstrip(left)) if left else 0
    end = len(text.rstrip(right)) if right else len(text)
    return _cut(call, value, min(start, end), end)


def _trimmed_text(call: Call, value: Text, left: str, right: str) -> Value:
    parts = list(value.parts)
    if not parts:
        return value
    first, last = parts[0], parts[-1]
    if left:
        if not isinstance(first, Piece) or not first.text.lstrip(left):
            raise call.missing(value)
        parts[0] = _shortened(first, len(first.text) - len(first.text.lstrip(left)), None)
    if right:
        last = parts[-1]
        if not isinstance(last, Piece) or not last.text.rstrip(right):
            raise call.missing(value)
        parts[-1] = _shortened(last, 0, len(last.text.rstrip(right)))
    return Text(tuple(parts), value.span, value.via)


def _shortened(piece: Piece, start: int, end: int | None) -> Piece:
    text = piece.text[start:end]
    if not piece.exact:
        return Piece(text, piece.document, piece.start, piece.end)
    begin = piece.start + start
    return Piece(text, piece.document, begin, begin + len(text))


def _chomp(call: Call, arguments: Sequence[Value]) -> Value:
    return _trimmed(call, arguments[0], "", "\r\n")


def _trimspace(call: Call, arguments: Sequence[Value]) -> Value:
    return _trimmed(call, arguments[0], _SPACE, _SPACE)


def _trim(call: Call, arguments: Sequence[Value]) -> Value:
    cutset = call.text(arguments[1])
    return _trimmed(call, arguments[0], cutset, cutset)


def _trimprefix(call: Call, arguments: Sequence[Value]) -> Value:
    value, prefix = arguments[0], call.text(arguments[1])
    if isinstance(value, Text):
        answer = _starts(value, prefix)
        if answer is None:
            raise call.missing(value)
        if not answer or not prefix:
            return value
        first, *rest = value.parts
        assert isinstance(first, Piece)
        cut = _shortened(first, len(prefix), None)
        return Text((cut, *rest) if cut.text else tuple(rest), value.span, value.via)
    text = call.text(value)
    return _cut(call, value, len(prefix) if text.startswith(prefix) else 0, len(text))


def _trimsuffix(call: Call, arguments: Sequence[Value]) -> Value:
    value, suffix = arguments[0], call.text(arguments[1])
    if isinstance(value, Text):
        answer = _ends(value, suffix)
        if answer is None:
            raise call.missing(value)
        if not answer or not suffix:
            return value
        *rest, last = value.parts
        assert isinstance(last, Piece)
        cut = _shortened(last, 0, len(last.text) - len(suffix))
        return Text((*rest, cut) if cut.text else tuple(rest), value.span, value.via)
    text = call.text(value)
    shorter = suffix and text.endswith(suffix)
    return _cut(call, value, 0, len(text) - len(suffix) if shorter else len(text))


def _starts(value: Text, prefix: str) -> bool | None:
    first = value.parts[0] if value.parts else None
    if not prefix:
        return True
    if not isinstance(first, Piece):
        return None
    if len(first.text) >= len(prefix):
        return first.text.startswith(prefix)
    return None if prefix.startswith(first.text) else False


def _ends(value: Text, suffix: str) -> bool | None:
    last = value.parts[-1] if value.parts else None
    if not suffix:
        return True
    if not isinstance(last, Piece):
        return None
    if len(last.text) >= len(suffix):
        return last.text.endswith(suffix)
    return None if suffix.endswith(last.text) else False


def _startswith(call: Call, arguments: Sequence[Value]) -> Value:
    value, prefix = arguments[0], call.text(arguments[1])
    answer = (
        _starts(value, prefix) if isinstance(value, Text) else (call.text(value).startswith(prefix))
    )
    if answer is None:
        raise call.missing(value)
    return call.known(answer)


def _endswith(call: Call, arguments: Sequence[Value]) -> Value:
    value, suffix = arguments[0], call.text(arguments[1])
    answer = (
        _ends(value, suffix) if isinstance(value, Text) else (call.text(value).endswith(suffix))
    )
    if answer is None:
        raise call.missing(value)
    return call.known(answer)


def _strcontains(call: Call, arguments: Sequence[Value]) -> Value:
    value, part = arguments[0], call.text(arguments[1])
    if isinstance(value, Text):
        if any(part in p.text for p in value.parts if isinstance(p, Piece)):
            return call.known(data=True)
        raise call.missing(value)
    return call.known(part in call.text(value))


# Parts


def _indent(call: Call, arguments: Sequence[Value]) -> Value:
    spaces = call.whole(arguments[0])
    text = call.text(arguments[1])
    if spaces < 0:
        message = "negative number of spaces"
        raise call.invalid(message)
    if spaces * text.count("\n") > MAX_TEXT or spaces > MAX_TEXT:
        message = "string too long"
        raise call.budget(message)
    return call.known(text.replace("\n", "\n" + " " * spaces))


def _join(call: Call, arguments: Sequence[Value]) -> Value:
    separator = call.text(arguments[0])
    parts: list[str | Value] = []
    for argument in arguments[1:]:
        many = call.items(argument)
        if not many.complete or (many.is_set and len(many.items) > 1 and not many.resolved):
            raise call.missing(many)
        for item in pushed(many):
            if isinstance(item, Known) and item.data is None:
                message = "null element"
                raise call.invalid(message)
            if parts:
                parts.append(separator)
            parts.append(item)
            if len(parts) > MAX_SIZE:
                message = "string too long"
                raise call.budget(message)
    return concatenate(call, parts)


def _split(call: Call, arguments: Sequence[Value]) -> Value:
    separator = call.text(arguments[0])
    value = arguments[1]
    text = call.text(value)
    if not separator:
        return call.many([call.known(c) for c in text[: MAX_SIZE + 1]], element="string")
    if text.count(separator) >= MAX_SIZE:
        message = "list too long"
        raise call.budget(message)
    if not isinstance(value, Known) or not value.pieces:
        return call.many([call.known(part) for part in text.split(separator)], element="string")
    items = []
    at = 0
    # The pieces of a long string are not searched again for each part.
    few = text.count(separator) * len(value.pieces) < MAX_SIZE
    for part in text.split(separator):
        items.append(_cut(call, value, at, at + len(part)) if few else call.known(part))
        at += len(part) + len(separator)
    return call.many(items, element="string")


def _strrev(call: Call, arguments: Sequence[Value]) -> Value:
    return call.known("".join(reversed(graphemes(call.text(arguments[0])))))


def _substr(call: Call, arguments: Sequence[Value]) -> Value:
    value = arguments[0]
    offset, length = call.whole(arguments[1]), call.whole(arguments[2])
    if isinstance(value, Text):
        return _substr_text(call, value, offset, length)
    text = call.text(value)
    characters = graphemes(text)
    if offset < 0:
        offset += len(characters)
        # Terraform's reading of no length behind an offset from the end.
        length = length or -1
    elif length == 0:
        return call.known("")
    offset = max(offset, 0)
    end = len(characters) if length < 0 else offset + length
    if characters is text:
        return _cut(call, value, offset, end)
    return call.known("".join(characters[offset:end]))


def _substr_text(call: Call, value: Text, offset: int, length: int) -> Value:
    """A stretch of the literal start of a string that is not wholly known."""
    first = value.parts[0] if value.parts else None
    if (
        offset < 0
        or length < 0
        or not isinstance(first, Piece)
        or not first.text.isascii()
        or offset + length >= len(first.text)
    ):
        raise call.missing(value)
    piece = _shortened(first, offset, offset + length)
    return Known(piece.text, value.span, value.via, (piece,))


# Regular expressions


def _pattern(call: Call, pattern: str) -> Any:
    try:
        import re2
    except ImportError:
        message = "no RE2 library"
        raise call.unsupported(message) from None
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error:
        message = "invalid regular expression"
        raise call.invalid(message) from None


def _capture(call: Call, compiled: Any, match: Any) -> Value:
    """What a match gives: the whole of it, its groups, or its groups by name."""
    if not compiled.groups:
        return call.known(match.group(0))
    names: dict[str, int] = dict(compiled.groupindex)
    if not names:
        groups = match.groups()
        return Many(tuple([call.known(group) for group in groups]), call.span)
    if len(names) != compiled.groups:
        message = "named and unnamed groups"
        raise call.invalid(message)
    return Mapping(
        {name: call.known(match.group(number)) for name, number in sorted(names.items())},
        call.span,
    )


def _capture_type(compiled: Any) -> Type:
    """The type of what a match gives."""
    if not compiled.groups:
        return "string"
    if compiled.groupindex:
        return ("object", tuple([(name, "string") for name in sorted(compiled.groupindex)]))
    return ("tuple", ("string",) * compiled.groups)


def _regex(call: Call, arguments: Sequence[Value]) -> Value:
    pattern, text = map(valid_text, call.texts(arguments))
    compiled = _pattern(call, pattern)
    match = compiled.search(text)
    if match is None:
        message = "pattern did not match"
        raise call.invalid(message)
    return _capture(call, compiled, match)


def _regexall(call: Call, arguments: Sequence[Value]) -> Value:
    pattern, text = map(valid_text, call.texts(arguments))
    compiled = _pattern(call, pattern)
    items: list[Value] = []
    size = 0
    for match in _matches(compiled, text):
        item = _capture(call, compiled, match)
        items.append(item)
        size += item.size
        if size > MAX_SIZE:
            message = "too many matches"
            raise call.budget(message)
    return call.many(items, element=_capture_type(compiled))


def _matches(compiled: Any, text: str) -> Iterator[Any]:
    """The matches as Go finds them: an empty one right behind another does not count."""
    end = -1
    for match in compiled.finditer(text):
        start, finish = match.span()
        if start == finish and start == end:
            continue
        end = finish
        yield match


def _replace(call: Call, arguments: Sequence[Value]) -> Value:
    value = arguments[0]
    part, replacement = call.text(arguments[1]), call.text(arguments[2])
    text = call.text(value)
    if len(part) > 1 and part.startswith("/") and part.endswith("/"):
        pattern = valid_text(part[1:-1])
        return call.known(_replace_pattern(call, valid_text(text), pattern, replacement))
    count = text.count(part)
    if not count:
        return value if isinstance(value, Known) and value.data == text else call.known(text)
    if len(text) + count * (len(replacement) - len(part)) > MAX_TEXT:
        message = "string too long"
        raise call.budget(message)
    return call.known(text.replace(part, replacement))


_REFERENCE: Final = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})")


def _replace_pattern(call: Call, text: str, pattern: str, replacement: str) -> str:
    compiled = _pattern(call, pattern)
    names: dict[str, int] = dict(compiled.groupindex)
    parts: list[str] = []
    total = at = 0
    for match in _matches(compiled, text):

        def expand(reference: re.Match[str], match: Any = match) -> str:
            if reference[1]:
                return "$"
            name = reference[2] or reference[3]
            if name.isdecimal() and name.isascii():
                number = int(name) if len(name) < 5 else -1  # noqa: PLR2004
                known = 0 <= number <= compiled.groups
                return (match.group(number) or "") if known else ""
            return (match.group(names[name]) or "") if name in names else ""

        start, end = match.span()
        parts.append(text[at:start])
        expanded = _REFERENCE.sub(expand, replacement) if "$" in replacement else replacement
        parts.append(expanded)
        at = end
        total += len(parts[-1]) + len(parts[-2])
        if total > MAX_TEXT:
            message = "string too long"
            raise call.budget(message)
    parts.append(text[at:])
    return "".join(parts)


# Formats

_VERB: Final = re.compile(
    r"%(?P<flags>[-+#0 ]*)(?P<width>[0-9]+)?(?:\.(?P<precision>[0-9]*))?"
    r"(?:\[(?P<index>[0-9]+)\])?(?P<verb>[a-zA-Z])"
)


class _Verb:
    """One verb of a format: its flags, its width and precision, and which argument it formats."""

    __slots__ = ("argument", "flags", "precision", "verb", "width")

    def __init__(self, match: re.Match[str], argument: int) -> None:
        self.flags = match["flags"]
        self.width = int(match["width"] or 0) if len(match["width"] or "") < 9 else MAX_TEXT  # noqa: PLR2004
        precision = match["precision"]
        self.precision = (
            None if precision is None else (int(precision or 0) if len(precision) < 9 else MAX_TEXT)  # noqa: PLR2004
        )
        self.verb = match["verb"]
        self.argument = argument

    @property
    def plain(self) -> bool:
        """Whether the text of a string argument stands as it is."""
        return self.verb in "sv" and not self.flags and not self.width and self.precision is None


def _parse_format(call: Call, text: str, count: int) -> list[str | _Verb]:
    """The literal stretches and the verbs of a format for ``count`` arguments."""
    parts: list[str | _Verb] = []
    following = highest = at = 0
    while True:
        found = text.find("%", at)
        if found < 0:
            break
        if found > at:
            parts.append(text[at:found])
        if text[found + 1 : found + 2] == "%":
            parts.append("%")
            at = found + 2
            continue
        match = _VERB.match(text, found)
        if match is None:
            message = "invalid format"
            raise call.invalid(message)
        index = match["index"]
        if index is not None:
            following = int(index) - 1 if len(index) < 9 else count  # noqa: PLR2004
        if not 0 <= following < count:
            message = "not enough arguments"
            raise call.invalid(message)
        parts.append(_Verb(match, following))
        following += 1
        highest = max(highest, following)
        at = match.end()
        if len(parts) > MAX_SIZE:
            message = "format too long"
            raise call.budget(message)
    if at < len(text):
        parts.append(text[at:])
    if highest < count:
        message = "too many arguments"
        raise call.invalid(message)
    return parts


def _format(call: Call, arguments: Sequence[Value]) -> Value:
    pattern = arguments[0]
    text = call.text(pattern)
    parts = _parse_format(call, text, len(arguments) - 1)
    if len(parts) == 1 and isinstance(pattern, Known) and parts[0] == pattern.data:
        return pattern
    return _fill(call, parts, arguments[1:])


def _fill(call: Call, parts: Sequence[str | _Verb], arguments: Sequence[Value]) -> Value:
    return concatenate(
        call,
        [
            part if isinstance(part, str) else _format_one(call, part, arguments[part.argument])
            for part in parts
        ],
    )


def _format_one(call: Call, verb: _Verb, value: Value) -> str | Value:
    """The text of one argument, or the hole that it leaves."""
    if verb.verb not in "vsqtbdoxXeEfgG":
        message = f"unsupported verb %{verb.verb}"
        raise call.invalid(message)
    if verb.width > MAX_WIDTH or (verb.precision or 0) > MAX_WIDTH:
        message = "field too wide"
        raise call.budget(message)
    if isinstance(value, Known):
        if value.data is None:
            if verb.verb == "v":
                return _padded(verb, "null")
            message = "null cannot be formatted"
            raise call.invalid(message)
        if verb.plain and isinstance(value.data, str):
            return value
        return _format_known(call, verb, value)
    if isinstance(value, (Many, Mapping)):
        if verb.verb != "v":
            message = "string required"
            raise call.invalid(message)
        if verb.plain and not value.resolved:
            return Encoded(value, call.span)
        return _padded(verb, call.json(Encoded(value)))
    if isinstance(value, Encoded) and value.resolved:
        return _format_known(call, verb, Known(call.json(value)))
    if (verb.plain or verb.verb == "d") and not (verb.flags or verb.width):
        return value
    return call.missing(value).value


def _format_known(call: Call, verb: _Verb, value: Known) -> str:
    kind = verb.verb
    data = value.data
    signs = "+ "
    if kind == "v":
        signs = ""
        if "#" in verb.flags:
            return _padded(verb, call.json(Encoded(value)))
        if isinstance(data, str):
            kind = "s"
        elif isinstance(data, bool):
            return _padded(verb, "true" if data else "false")
        else:
            kind = "g"
    if kind in "sq":
        text = call.text(value)
        if verb.precision is not None:
            text = "".join(graphemes(text)[: verb.precision])
        return _padded(verb, call.json(Encoded(Known(text))) if kind == "q" else text)
    if kind == "t":
        return "true" if call.boolean(value) else "false"
    return _format_number(call, verb, kind, call.number(value), signs)


def _format_number(call: Call, verb: _Verb, kind: str, number: Number, signs: str) -> str:
    negative = number < 0
    size: Number = abs(number)
    if isinstance(number, Inexact):
        size = number.negated() if negative else number
        if size.held is None:
            message = "digits of a quotient"
            raise call.budget(message)
    if kind in "bdoxX":
        if isinstance(size, float) and not size.is_integer():
            message = "whole number required"
            raise call.invalid(message)
        text = format(int(size), kind)
        if "#" in verb.flags:
            text = {"b": "0b", "o": "0", "x": "0x", "X": "0X"}.get(kind, "") + text
        if verb.precision is not None:
            text = text.rjust(verb.precision, "0")
    elif kind in "gG" and (verb.precision is None or not signs):
        text = _shortest(number_text(size) or "0", kind, 6)
    else:
        precision = 6 if verb.precision is None else verb.precision
        text = _decimal(size, kind, precision)
    sign = "-" if negative else next((s for s in signs if s in verb.flags), "")
    if "0" in verb.flags and "-" not in verb.flags:
        return sign + text.rjust(verb.width - len(sign), "0")
    return _padded(verb, sign + text)


def _decimal(number: Number, kind: str, precision: int) -> str:
    """A number with so many digits, rounded from the 512 bits that Terraform holds of it."""
    from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext

    with localcontext(Context(prec=MAX_WIDTH * 2, rounding=ROUND_HALF_EVEN)):
        if not number:
            text = format(Decimal(0), f".{precision}f")
            return text + f"{kind}+00" if kind in "eE" else "0" if kind in "gG" else text
        if kind in "gG":
            digits = max(precision, 1)
            rounded = Context(prec=digits, rounding=ROUND_HALF_EVEN).plus(_held(number))
            return _shortest(format(rounded, "f"), kind, digits)
        text = format(_held(number), f".{precision}{kind}")
    return re.sub(r"([eE][+-])(\d)$", r"\g<1>0\2", text)


def _held(number: Number) -> Decimal:
    """The binary fraction that stands for a positive number."""
    from decimal import Decimal

    exact = held(number)
    if exact is None:
        return Decimal(repr(float(number)))
    return Decimal(exact.numerator) / Decimal(exact.denominator)


def _shortest(text: str, kind: str, limit: int) -> str:
    """A number in as few digits as say it, with an exponent when it is very small or large."""
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    digits = text.replace(".", "").lstrip("0")
    whole, _, fraction = text.partition(".")
    exponent = (
        len(whole) - 1
        if whole.strip("0")
        else -(len(fraction) - len(fraction.lstrip("0")) + 1)
        if fraction
        else 0
    )
    if -4 <= exponent < limit or not digits:  # noqa: PLR2004  Go's bound
        return text
    digits = digits.rstrip("0")
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    sign = "-" if exponent < 0 else "+"
    return f"{mantissa}{'E' if kind == 'G' else 'e'}{sign}{abs(exponent):02d}"


def _padded(verb: _Verb, text: str) -> str:
    missing = verb.width - len(graphemes(text)) if verb.width else 0
    if missing <= 0:
        return text
    if "-" in verb.flags:
        return text + " " * missing
    return ("0" if "0" in verb.flags else " ") * missing + text


def _formatlist(call: Call, arguments: Sequence[Value]) -> Value:
    pattern = call.text(arguments[0])
    lists = [a for a in arguments[1:] if isinstance(a, Many)]
    for argument in arguments[1:]:
        # An unknown argument may be a list of any length.
        if isinstance(argument, Unknown) and (not lists or argument.meaning is not None):
            raise call.missing(argument)
    lengths = {len(one.items) for one in lists if one.complete}
    if len(lengths) > 1:
        message = "lists of different lengths"
        raise call.invalid(message)
    open_lists = [one for one in lists if not one.complete or (one.is_set and not one.resolved)]
    if open_lists and (len(lists) > 1 or len(arguments) > 2):  # noqa: PLR2004
        raise call.missing(open_lists[0])
    count = lengths.pop() if lengths else (len(open_lists[0].items) if open_lists else 1)
    parts = _parse_format(call, pattern, len(arguments) - 1)
    columns = [
        pushed(argument) if isinstance(argument, Many) else [argument] * count
        for argument in arguments[1:]
    ]
    items = []
    total = 0
    for row in zip(*columns, strict=True) if columns else ([],):
        if open_lists and isinstance(row[0], Unknown):
            item: Value = row[0]
        else:
            item = _fill(call, parts, row)
        items.append(item)
        total += item.size + (
            len(item.data) if isinstance(item, Known) and isinstance(item.data, str) else 0
        )
        if total > MAX_TEXT * 4:
            message = "list too long"
            raise call.budget(message)
    complete = not any(not one.complete for one in lists)
    return call.many(items, complete=complete, element="string")


def _templatestring(call: Call, arguments: Sequence[Value]) -> Value:
    text = call.text(arguments[0])
    if "${" not in text and "%{" not in text:
        return arguments[0] if isinstance(arguments[0], Known) else call.known(text)
    raise call.unsupported()


FUNCTIONS: Final[Table] = {
    "chomp": (_chomp, 1, 1),
    "endswith": (_endswith, 2, 2),
    "format": (_format, 1, None),
    "formatlist": (_formatlist, 1, None),
    "indent": (_indent, 2, 2),
    "join": (_join, 2, None),
    "lower": (_lower, 1, 1),
    "regex": (_regex, 2, 2),
    "regexall": (_regexall, 2, 2),
    "replace": (_replace, 3, 3),
    "split": (_split, 2, 2),
    "startswith": (_startswith, 2, 2),
    "strcontains": (_strcontains, 2, 2),
    "strrev": (_strrev, 1, 1),
    "substr": (_substr, 3, 3),
    "templatestring": (_templatestring, 2, 2),
    "title": (_title, 1, 1),
    "trim": (_trim, 2, 2),
    "trimprefix": (_trimprefix, 2, 2),
    "trimspace": (_trimspace, 1, 1),
    "trimsuffix": (_trimsuffix, 2, 2),
    "upper": (_upper, 1, 1),
}
