"""``yamldecode``: YAML texts as Terraform reads them.

Source: Terraform language documentation, "yamldecode Function": a subset of YAML 1.2 that also
reads the booleans of YAML 1.1 and merge keys. Aliases share values, so that a text cannot ask for
more memory than the size budget allows.
"""

from __future__ import annotations

import re
from typing import Any, Final

from blastdoor.evaluate.functions.base import Call, parse_number
from blastdoor.value import MAX_SIZE, Known, Many, Mapping, Value

MAX_NESTING: Final = 100
"""Deepest nesting that is decoded."""

_TRUE: Final = frozenset(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"])
_FALSE: Final = frozenset(
    ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"]
)
_NULL: Final = frozenset(["", "~", "null", "Null", "NULL"])
_INFINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|\s+)[0-9]{1,2}:.*")
_CORE: Final = "tag:yaml.org,2002:"


def decode(call: Call, text: str) -> Value:
    """The value of a YAML text of bounded length."""
    try:
        import yaml
    except ImportError:
        message = "no YAML library"
        raise call.unsupported(message) from None
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _measure(call, yaml.parse(text, Loader=loader))
        node = yaml.compose(text, Loader=loader)
    except (yaml.YAMLError, UnicodeError, ValueError):
        message = "not valid YAML"
        raise call.invalid(message) from None
    return call.known(None) if node is None else _Reader(call).read(node)


def _measure(call: Call, events: Any) -> None:
    """Refuses texts that are too deep or too large, before anything is built."""
    depth = 0
    for count, event in enumerate(events):
        kind = event.__class__.__name__
        if kind in ("MappingStartEvent", "SequenceStartEvent"):
            depth += 1
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            depth -= 1
        if depth > MAX_NESTING or count > MAX_SIZE:
            message = "YAML text too large"
            raise call.budget(message)


class _Reader:
    """Values of the nodes of one text; nodes that aliases share are read once."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.done: dict[int, Value | None] = {}

    def read(self, node: Any) -> Value:
        """The value of a node."""
        if id(node) in self.done:
            value = self.done[id(node)]
            if value is None:
                message = "an alias within what it stands for"
                raise self.call.invalid(message)
            return value
        self.done[id(node)] = None
        value = self._make(node)
        if value.size > MAX_SIZE:
            message = "YAML value too large"
            raise self.call.budget(message)
        self.done[id(node)] = value
        return value

    def _make(self, node: Any) -> Value:
        call = self.call
        kind = node.__class__.__name__
        if kind == "ScalarNode":
            return _scalar(call, node)
        if kind == "SequenceNode":
            self._check_tag(node, "seq")
            return Many(tuple([self.read(item) for item in node.value]), call.span)
        self._check_tag(node, "map")
        merged: dict[str, Value] = {}
        entries: dict[str, Value] = {}
        for key, item in node.value:
            if key.__class__.__name__ == "ScalarNode" and key.value == "<<" and not key.style:
                self._merge(item, merged)
                continue
            entries[call.text(self.read(key))] = self.read(item)
        return Mapping({**merged, **entries}, call.span)

    def _merge(self, node: Any, merged: dict[str, Value]) -> None:
        value = self.read(node)
        for source in value.items if isinstance(value, Many) else (value,):
            if not isinstance(source, Mapping):
                message = "map merge requires maps"
                raise self.call.invalid(message)
            for name, item in source.entries.items():
                merged.setdefault(name, item)

    def _check_tag(self, node: Any, plain: str) -> None:
        if node.tag != _CORE + plain:
            message = f"unsupported tag {node.tag[:40]!r}"
            raise self.call.invalid(message)


def _scalar(call: Call, node: Any) -> Value:
    text: str = node.value
    tag: str = node.tag
    plain = node.style is None
    if not plain and tag == _CORE + "str":
        return call.known(text)
    # What the library makes of a plain scalar follows YAML 1.1; the text is read again.
    if plain and not _tagged(node):
        return _plain(call, text)
    if tag == _CORE + "str":
        return call.known(text)
    message = f"unsupported tag {tag[:40]!r}"
    if tag in (_CORE + "int", _CORE + "float", _CORE + "bool", _CORE + "null"):
        value = _plain(call, text)
        if isinstance(value, Known) and not isinstance(value.data, str):
            return value
        raise call.invalid(message)
    if tag == _CORE + "binary":
        return call.known("".join(text.split()))
    raise call.invalid(message)


def _tagged(node: Any) -> bool:
    """Whether a plain scalar has a tag of its own in the text."""
    mark, end = node.start_mark, node.end_mark
    return bool(end.index - mark.index > len(node.value)) and (
        not node.tag.startswith(_CORE) or _implicit(node) != node.tag
    )


def _implicit(node: Any) -> str:
    import yaml

    resolvers = yaml.SafeLoader.yaml_implicit_resolvers
    for tag, pattern in resolvers.get(node.value[:1], []):
        if pattern.match(node.value):
            return str(tag)
    return _CORE + "str"


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
        date = _DATE.fullmatch(text)
        if date:
            return call.known(f"{date[1]}-{date[2]:0>2}-{date[3]:0>2}T00:00:00Z")
        if _TIME.fullmatch(text):
            message = "timestamp"
            raise call.unsupported(message)
    return call.known(text)
