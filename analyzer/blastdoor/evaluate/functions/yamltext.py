"""``yamldecode``: YAML texts as Terraform reads them.

Source: Terraform language documentation, "yamldecode Function": a subset of YAML 1.2 that also
reads the booleans of YAML 1.1 and merge keys. Aliases share values, so that a text cannot ask for
more memory than the size budget allows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from blastdoor.evaluate.functions.base import Call, parse_number
from blastdoor.value import MAX_SIZE, Known, Many, Mapping, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_NESTING: Final = 100
"""Deepest nesting that is decoded."""

_TRUE: Final = frozenset(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"])
_FALSE: Final = frozenset(
    ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"]
)
_NULL: Final = frozenset(["", "~", "null", "Null", "NULL"])
_INFINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_TIME: Final = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[Tt]| +)([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})"
    r"(?:\.[0-9]*)?(Z|[-+][0-9]{2}:[0-9]{2})?"
)
_TOO_DEEP: Final = "maximum nesting depth"
"""What the library says of it (libyaml as of PyYAML 6.0.4)."""
_CORE: Final = "tag:yaml.org,2002:"
_AROUND: Final = frozenset({"StreamStartEvent", "DocumentStartEvent", "DocumentEndEvent"})


def decode(call: Call, text: str) -> Value:
    """The value of a YAML text of bounded length."""
    try:
        import yaml
    except ImportError:
        message = "no YAML library"
        raise call.unsupported(message) from None
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Reader(call, yaml.parse(text, Loader=loader)).document()
    except (yaml.YAMLError, UnicodeError, ValueError) as error:
        # The library has a limit of its own, which it may meet before the first event.
        if _TOO_DEEP in str(getattr(error, "problem", "")):
            message = "YAML text too deep"
            raise call.budget(message) from None
        message = "not valid YAML"
        raise call.invalid(message) from None


class _Reader:
    """The value of the events of one text; aliases share what they stand for."""

    def __init__(self, call: Call, events: Iterator[Any]) -> None:
        self.call = call
        self.events = events
        self.count = 0
        self.depth = 0
        self.anchors: dict[str, Value | None] = {}

    def document(self) -> Value:
        """The value of the only document."""
        value: Value | None = None
        while True:
            kind, event = self._next()
            if kind == "StreamEndEvent":
                break
            if kind in _AROUND:
                continue
            if value is not None:
                message = "more than one document"
                raise self.call.invalid(message)
            value = self._node(kind, event)
        if value is None:
            message = "no document"
            raise self.call.invalid(message)
        return value

    def _next(self) -> tuple[str, Any]:
        event = next(self.events)
        self.count += 1
        if self.count > MAX_SIZE:
            message = "YAML text too large"
            raise self.call.budget(message)
        return event.__class__.__name__, event

    def _node(self, kind: str, event: Any) -> Value:
        if kind == "AliasEvent":
            shared = self.anchors.get(event.anchor)
            if shared is None:
                message = "an alias for nothing, or within what it stands for"
                raise self.call.invalid(message)
            return shared
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        if kind == "ScalarEvent":
            value = _scalar(self.call, event)
        else:
            self.depth += 1
            if self.depth > MAX_NESTING:
                message = "YAML text too deep"
                raise self.call.budget(message)
            plain = "seq" if kind == "SequenceStartEvent" else "map"
            if event.tag not in (None, _CORE + plain):
                message = f"unsupported tag {event.tag[:40]!r}"
                raise self.call.invalid(message)
            value = self._sequence() if plain == "seq" else self._mapping()
            self.depth -= 1
        if value.size > MAX_SIZE:
            message = "YAML value too large"
            raise self.call.budget(message)
        if event.anchor is not None:
            self.anchors[event.anchor] = value
        return value

    def _sequence(self) -> Value:
        items: list[Value] = []
        while True:
            kind, event = self._next()
            if kind == "SequenceEndEvent":
                return Many(tuple(items), self.call.span)
            items.append(self._node(kind, event))

    def _mapping(self) -> Value:
        merged: dict[str, Value] = {}
        entries: dict[str, Value] = {}
        while True:
            kind, event = self._next()
            if kind == "MappingEndEvent":
                return Mapping({**merged, **entries}, self.call.span)
            merges = kind == "ScalarEvent" and event.value == "<<"
            name = self.call.text(self._node(kind, event))
            value = self._node(*self._next())
            if not merges:
                entries[name] = value
            elif isinstance(value, Mapping):
                merged.update(value.entries)
            else:
                message = "map merge requires a map"
                raise self.call.invalid(message)


def _scalar(call: Call, event: Any) -> Value:
    text: str = event.value
    tag: str | None = event.tag
    if tag is None or tag in (_CORE + "int", _CORE + "float", _CORE + "bool", _CORE + "timestamp"):
        # A tag does not make a number of what is quoted.
        return _plain(call, text) if event.style in (None, "") else call.known(text)
    if tag in (_CORE + "str", _CORE + "null", _CORE + "binary"):
        return call.known(text)
    message = f"unsupported tag {tag[:40]!r}"
    raise call.invalid(message)


def _plain(call: Call, text: str) -> Known:
    """A plain scalar: null, a boolean, a number, a date or a string."""
    if text in _NULL:
        return call.known(None)
    if text in _TRUE:
        return call.known(data=True)
    if text in _FALSE:
        return call.known(data=False)
    if text[0] in "+-.0123456789":
        for prefix, base, digits in (("0x", 16, "0123456789abcdefABCDEF"), ("0o", 8, "01234567")):
            body = text[2:]
            if text.startswith(prefix) and body and not body.strip(digits):
                return call.known(int(body, base))
        if _INFINITE.fullmatch(text):
            message = "a number that is not finite"
            raise call.invalid(message)
        number = parse_number(text)
        if number is not None:
            return call.known(number)
        return call.known(_timestamp(text) or text)
    return call.known(text)


def _timestamp(text: str) -> str | None:
    """A date, or a date with a time, as RFC 3339 writes it."""
    match = _DATE.fullmatch(text) or _TIME.fullmatch(text)
    if match is None:
        return None
    from datetime import datetime

    numbers = [int(part) for part in match.groups()[:6]]
    try:
        moment = datetime(*numbers)  # type: ignore[arg-type]  # noqa: DTZ001  the zone is text
    except ValueError:
        return None
    zone = match[7] if len(numbers) > 3 else None  # noqa: PLR2004  a time behind the date
    return f"{moment.isoformat()}{zone or 'Z'}"
