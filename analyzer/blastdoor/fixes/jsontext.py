"""Edits of JSON: literals, and the properties they belong to."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from blastdoor.finding import Act
from blastdoor.fixes import Edit, templates
from blastdoor.parse.data import Mapping, Sequence
from blastdoor.parse.json import parse_json
from blastdoor.span import Span

if TYPE_CHECKING:
    from blastdoor.finding import Remedy
    from blastdoor.parse.data import Node

_LITERAL: Final = re.compile(r'true|false|null|-?[0-9]+(?:\.[0-9]+)?|"[^"\\\n]*"')


def edit(remedy: Remedy) -> Edit | None:
    """The edit that a remedy is here; ``None`` where the text is not as plain as it must be."""
    if remedy.act is Act.SET:
        if _LITERAL.fullmatch(remedy.span.text) is None:
            return None
        data = remedy.data
        if isinstance(data, bool) and remedy.span.text.startswith('"'):
            data = json.dumps(data)  # What was a string stays one.
        return Edit(remedy.span, json.dumps(data, ensure_ascii=False))
    if remedy.act is Act.REMOVE:
        return _removed(remedy.span)
    if remedy.act is Act.DERIVE:
        return templates.edit(remedy, parse_json(remedy.span.document)[0], short=False)
    return None


def _removed(value: Span) -> Edit | None:
    """The property whose value stands there, with the comma that goes with it."""
    document = value.document
    top, _faults = parse_json(document)
    stack: list[Node] = [] if top is None else [top]
    while stack:
        node = stack.pop()
        if isinstance(node, Sequence):
            stack.extend(node.items)
        if not isinstance(node, Mapping):
            continue
        for number, (key, inner) in enumerate(node.entries):
            if (inner.start, inner.end) != (value.start, value.end):
                continue
            if number + 1 < len(node.entries):
                return Edit(Span(document, key.start, node.entries[number + 1][0].start), "")
            if number:
                return Edit(Span(document, node.entries[number - 1][1].end, inner.end), "")
            return Edit(Span(document, node.start + 1, node.end - 1), "")
        stack.extend(inner for _key, inner in node.entries)
    return None
