"""The YAML reader (YAML 1.1): the C library's events built into a tree with positions.

Only events are taken from PyYAML: its own composer recurses, and the C loader ends the process on
60 kB of brackets. This builder has no recursion, stops at ``MAX_DEPTH``, and keeps an alias as one
more reference to the node that its anchor names, so that a text of aliases stays as small as it is.
Plain scalars mean what YAML 1.1 says (``yes`` is true, ``0755`` is octal), except that timestamps and
binary data stay text. Keys are always the text that is written. A node with a tag of its own
(``!Ref x``) is a mapping with one entry, whose key is what the tag stands for; a scalar behind such a
tag is text.
"""

from __future__ import annotations

import re
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final

import yaml
from yaml import events

from blastdoor.parse.data import Mapping, Node, Scalar, Sequence
from blastdoor.parse.tree import Comment, SyntaxFault
from blastdoor.record import dataclass
from blastdoor.span import BYTE_ORDER_MARK, Document, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Mapping as AbstractMapping

MAX_DEPTH: Final = 200
"""How deep sequences and mappings nest in one another."""
MAX_MERGED: Final = 200_000
"""Entries of one text that merge keys (``<<``) may copy."""
MARKER: Final = "blastdoor:"
"""What a comment must contain to be given back."""
_KEPT_LEVELS: Final = 2
"""Open collections that are kept as they are when a text breaks off: the document and its sections."""
_MAX_DIGITS: Final = 4000
_STANDARD: Final = "tag:yaml.org,2002:"
_MERGE: Final = "<<"

_properties = re.compile(r"[!&][^\s,\[\]{}]*+(?:[ \t\r\n]++|#[^\r\n]*+)*+").match
_word = re.compile(r"[!&][^\s,\[\]{}]*+").match
_TRUE: Final = frozenset({"yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})
_FALSE: Final = frozenset({"no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})
_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_NUMERIC: Final = frozenset("0123456789+-.")
_integer = re.compile(
    r"([-+]?+)(?:0b([01_]++)|0x([0-9a-fA-F_]++)|0([0-7_]++)"
    r"|(0|[1-9][0-9_]*+)|([1-9][0-9_]*+(?::[0-5]?[0-9])+))"
).fullmatch
_float = re.compile(
    r"([-+]?+)(?:((?:[0-9][0-9_]*+\.[0-9_]*+|\.[0-9][0-9_]*+)(?:[eE][-+][0-9]++)?+)"
    r"|([0-9][0-9_]*+(?::[0-5]?[0-9])+\.[0-9_]*+))"
).fullmatch


@dataclass(slots=True)
class Parsed:
    """What the reader gives back: the documents of a text, and every place that is wrong."""

    document: Document
    roots: list[Node] = field(default_factory=list)
    """One node for each document; what is open at a fault is left out."""
    comments: list[Comment] = field(default_factory=list)
    """The comments that speak to blastdoor."""
    faults: list[SyntaxFault] = field(default_factory=list)


class _Open:
    """A collection whose end has not come yet."""

    __slots__ = ("anchor", "key", "merges", "node", "start", "tag")

    def __init__(
        self, node: Sequence | Mapping, start: int, anchor: str | None, tag: str | None
    ) -> None:
        self.node = node
        self.start = start
        self.anchor = anchor
        self.tag = tag
        self.key: Scalar | None = None
        self.merges: list[tuple[Scalar, Node]] = []


class _FaultError(Exception):
    """What ends the reading of a text."""

    def __init__(self, start: int, end: int, message: str) -> None:
        super().__init__(message)
        self.start = start
        self.end = end
        self.message = message


def parse_yaml(document: Document, tags: AbstractMapping[str, str] | None = None) -> Parsed:
    """The documents of a YAML text. Never raises: what is wrong is a fault.

    ``tags`` says what key a tag stands for (``!GetAtt`` → ``Fn::GetAtt``); any other tag stands for
    itself.
    """
    return _Builder(document, tags or {}).build()


def plain_value(text: str) -> str | float | bool | None:
    """What a plain scalar means in YAML 1.1; timestamps, infinities and no-numbers stay text."""
    if text[:1] in _NUMERIC:
        return _number(text)
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    return None if text in _NULL else text


def _number(text: str) -> str | float:
    if len(text) > _MAX_DIGITS:
        return text
    match = _integer(text)
    if match is not None:
        sign, binary, hexadecimal, octal, decimal, sixty = match.groups()
        for digits, base in ((binary, 2), (hexadecimal, 16), (octal, 8), (decimal, 10)):
            if digits is not None:
                digits = digits.replace("_", "")  # noqa: PLW2901  without the grouping
                return (-1 if sign == "-" else 1) * int(digits, base) if digits else text
        value = 0
        for part in sixty.replace("_", "").split(":"):
            value = value * 60 + int(part)
        return -value if sign == "-" else value
    match = _float(text)
    if match is None:
        return text
    sign, digits, sixty = match.groups()
    number = 0.0
    if digits is not None:
        number = float(digits.replace("_", ""))
    else:
        for part in sixty.replace("_", "").split(":"):
            number = number * 60 + float(part)
    if number - number != 0:  # beyond a float
        return text
    return -number if sign == "-" else number


class _Builder:
    """The nodes of one text, put together from its events."""

    def __init__(self, document: Document, tags: AbstractMapping[str, str]) -> None:
        self.parsed = Parsed(document)
        self.tags = tags
        text = document.text
        self.shift = 1 if text.startswith(BYTE_ORDER_MARK) else 0
        self.source = text
        self.anchors: dict[str, Node] = {}
        self.stack: list[_Open] = []
        self.merged = 0
        self.root: Node | None = None
        self.spans: list[tuple[int, int]] | None = [] if MARKER in text else None

    def build(self) -> Parsed:
        """The whole reading."""
        try:
            self._read()
        except _FaultError as fault:
            self._fault(fault.start, fault.end, fault.message)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            at = self.shift + mark.index if mark is not None else 0
            words = " ".join(w for w in (error.context, error.problem) if w)
            self._fault(at, at + 1, words or "no YAML")
        except yaml.reader.ReaderError as error:
            at = self._byte(error.position)
            self._fault(at, at + 1, "a character that YAML does not allow")
        except (yaml.YAMLError, UnicodeEncodeError) as error:
            at = error.start if isinstance(error, UnicodeEncodeError) else 0
            self._fault(at, at + 1, "a text that is no YAML")
        if self.parsed.faults:
            self._salvage()
        self.parsed.comments.extend(self._comments())
        return self.parsed

    def _byte(self, offset: int) -> int:
        """The code point at a byte offset of the text."""
        data = self.source[self.shift :].encode("utf-8", "surrogatepass")[: max(offset, 0)]
        return self.shift + len(data.decode("utf-8", "ignore"))

    def _fault(self, start: int, end: int, message: str) -> None:
        size = len(self.source)
        start = min(start, size)
        span = Span(self.parsed.document, start, min(max(end, start), size))
        self.parsed.faults.append(SyntaxFault(span, message))

    def _read(self) -> None:
        next_event = _events(self.source[self.shift :] if self.shift else self.source)
        shift = self.shift
        stack = self.stack
        while True:
            event = next_event()
            kind = event.__class__
            if kind is events.ScalarEvent:
                self._scalar(event)
            elif kind is events.MappingStartEvent or kind is events.SequenceStartEvent:
                start = event.start_mark.index + shift
                if len(stack) >= MAX_DEPTH:
                    message = f"nested more than {MAX_DEPTH} levels deep"
                    raise _FaultError(start, start + 1, message)
                tag = event.tag
                if tag is not None and not (event.implicit or self._own(tag)):
                    tag = None
                plain = tag is None and event.anchor is None
                inner = start if plain else self._behind(start)
                opened: Sequence | Mapping = (
                    Mapping(inner, inner, [])
                    if kind is events.MappingStartEvent
                    else Sequence(inner, inner, [])
                )
                stack.append(_Open(opened, start, event.anchor, tag))
                if event.flow_style:
                    opened.end = -1
            elif kind is events.MappingEndEvent or kind is events.SequenceEndEvent:
                self._close(event.end_mark.index + shift)
            elif kind is events.AliasEvent:
                start, end = event.start_mark.index + shift, event.end_mark.index + shift
                found = self.anchors.get(event.anchor)
                if found is None:
                    message = f"the alias *{event.anchor} names nothing that ends before it"
                    raise _FaultError(start, end, message)
                self._add(found, start, end)
            elif kind is events.DocumentEndEvent:
                if self.root is not None:
                    self.parsed.roots.append(self.root)
                self.root = None
                self.anchors.clear()
            elif kind is events.StreamEndEvent:
                return

    def _scalar(self, event: Any) -> None:
        start = event.start_mark.index + self.shift
        end = event.end_mark.index + self.shift
        value: str | float | bool | None = event.value
        tag, style = event.tag, event.style
        text = event.value
        inner = start
        if tag is not None or event.anchor is not None:
            inner = min(self._behind(start), end)
        if style in ("|", ">"):
            end = inner + len(self.source[inner:end].rstrip())
        own = tag is not None and self._own(tag)
        if tag is None:
            if not style:
                value = plain_value(text)
        elif tag.startswith(_STANDARD) and tag[len(_STANDARD) :] in (
            "int",
            "float",
            "bool",
            "null",
        ):
            value = plain_value(text)
        node = Scalar(inner, end, value)
        if self.spans is not None:
            self.spans.append((inner, end))
        top = self.stack[-1] if self.stack else None
        if top is not None and top.key is None and isinstance(top.node, Mapping):
            node.value = text
            if event.anchor is not None:
                self.anchors[event.anchor] = node
            top.key = node
            if text == _MERGE and not style:
                top.merges.append((node, node))
            return
        whole: Node = self._tagged(tag, node, start) if own else node
        if event.anchor is not None:
            self.anchors[event.anchor] = whole
        self._add(whole, start, end)

    def _own(self, tag: str) -> bool:
        """Whether a tag is one of the text's own, not one of YAML's."""
        return tag != "!" and not tag.startswith(_STANDARD)

    def _behind(self, start: int) -> int:
        """Where the node begins whose tag and anchor begin at ``start``."""
        for _ in range(2):
            match = _properties(self.source, start)
            if match is None:
                break
            start = match.end()
        return start

    def _tagged(self, tag: str, node: Node, start: int) -> Mapping:
        at = start
        match = _word(self.source, at)
        if match is not None and match[0].startswith("&"):
            at = self._behind_one(at)
            match = _word(self.source, at)
        end = match.end() if match is not None else at
        key = Scalar(at, end, self.tags.get(tag, tag))
        return Mapping(at, max(node.end, end), [(key, node)])

    def _behind_one(self, start: int) -> int:
        match = _properties(self.source, start)
        return start if match is None else match.end()

    def _close(self, end: int) -> None:
        opened = self.stack.pop()
        node = opened.node
        if node.end < 0:
            node.end = end
        if isinstance(node, Mapping) and opened.merges:
            self._merge(node, opened)
        whole: Node = node
        if opened.tag is not None and self._own(opened.tag):
            whole = self._tagged(opened.tag, node, opened.start)
        if opened.anchor is not None:
            self.anchors[opened.anchor] = whole
        self._add(whole, opened.start, whole.end)

    def _add(self, node: Node, start: int, end: int) -> None:
        """Effect: puts a finished node where it belongs; ``[start, end)`` is where it is written."""
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        container = top.node
        if container.end >= 0:
            container.end = max(container.end, end)
        if isinstance(container, Sequence):
            container.items.append(node)
            return
        if top.key is None:
            if not isinstance(node, Scalar):
                message = "a key that is neither a text nor a number"
                raise _FaultError(start, max(end, start + 1), message)
            value = node.value
            text = value if isinstance(value, str) else self.source[node.start : node.end]
            top.key = Scalar(start, end, text)
            return
        key, top.key = top.key, None
        if top.merges and top.merges[-1][0] is key:
            top.merges[-1] = (key, node)
            return
        container.entries.append((key, node))

    def _merge(self, node: Mapping, opened: _Open) -> None:
        """Effect: adds what merge keys bring, below the mapping's own keys ("Merge Key", YAML 1.1)."""
        have = {key.value for key, _value in node.entries}
        for key, source in opened.merges:
            many = source.items if isinstance(source, Sequence) else [source]
            for given in many:
                if not isinstance(given, Mapping):
                    self._fault(key.start, key.end, "a merge key takes a mapping or a list of them")
                    continue
                self.merged += len(given.entries)
                if self.merged > MAX_MERGED:
                    message = f"merge keys that copy more than {MAX_MERGED} entries"
                    raise _FaultError(key.start, key.end, message)
                fresh = [entry for entry in given.entries if entry[0].value not in have]
                have.update(entry[0].value for entry in fresh)
                node.entries.extend(fresh)

    def _salvage(self) -> None:
        """Effect: keeps of an unfinished document what was finished within its sections."""
        while self.stack:
            if len(self.stack) > _KEPT_LEVELS:
                self.stack.pop()
                self.stack[-1].key = None
                continue
            opened = self.stack.pop()
            node = opened.node
            if node.end < 0:
                node.end = len(self.source)
            if not self.stack:
                self.root = node
            elif self.stack[-1].key is not None or isinstance(self.stack[-1].node, Sequence):
                self._add(node, node.start, node.end)
        if self.root is not None:
            self.parsed.roots.append(self.root)

    def _comments(self) -> Iterator[Comment]:
        """The comments that contain the marker: what stands behind ``#`` and is no scalar."""
        if self.spans is None:
            return
        text = self.source
        spans = sorted(self.spans)
        number = 0
        at = text.find(MARKER)
        while at >= 0:
            line = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
            ends = [end for end in (text.find("\n", at), text.find("\r", at)) if end >= 0]
            stop = min(ends) if ends else len(text)
            last = text.rfind(MARKER, at, stop)
            mark = text.find("#", line, last)
            while mark >= 0:
                while number < len(spans) and spans[number][1] <= mark:
                    number += 1
                within = number < len(spans) and spans[number][0] <= mark
                if not within and (mark == line or text[mark - 1] in " \t\ufeff"):
                    content = text[mark:stop]
                    kept = content.rstrip()
                    yield Comment(mark, mark + len(kept), kept.lstrip("#").strip())
                    break
                mark = text.find("#", mark + 1, last)
            at = text.find(MARKER, stop)


def _events(text: str) -> Callable[[], Any]:
    """The events of a text, one with each call; by the C library where PyYAML was built with it."""
    if yaml.__with_libyaml__:
        from yaml import cyaml

        parser: Any = cyaml
        return parser.CParser(text).get_event  # type: ignore[no-any-return]

    class Plain(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):
        """PyYAML's own reader without the composer and constructor."""

        def __init__(self, stream: str) -> None:
            yaml.reader.Reader.__init__(self, stream)
            yaml.scanner.Scanner.__init__(self)
            yaml.parser.Parser.__init__(self)

    return Plain(text).get_event
