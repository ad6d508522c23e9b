"""Edits of HCL: arguments of bodies, their literals, and the lines that hold them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from blastdoor.finding import Act
from blastdoor.fixes import Edit
from blastdoor.parse.hcl import parse_hcl
from blastdoor.span import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.finding import Remedy
    from blastdoor.parse import tree
    from blastdoor.span import Document

_LITERAL: Final = re.compile(r'true|false|null|-?[0-9]+(?:\.[0-9]+)?|"[^"\\$%\n]*"')
"""What is plainly written: no template, no escape, no expression."""
_ADDRESS: Final = re.compile(r"[a-z0-9_]+(?:\.[A-Za-z0-9_-]+)+")
"""An attribute of a resource of the same module, without keys."""
_COMMENT: Final = ("#", "//")


def literal(data: str | float | bool | None) -> str:  # noqa: FBT001  a value, not a switch
    """A value as HCL writes it."""
    if isinstance(data, str):
        return json.dumps(data, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
    return json.dumps(data)


def edit(remedy: Remedy) -> Edit | None:
    """The edit that a remedy is here; ``None`` where the text is not as plain as it must be."""
    if remedy.act is Act.SET:
        if _LITERAL.fullmatch(remedy.span.text) is None:
            return None
        return Edit(remedy.span, literal(remedy.data))
    if remedy.act is Act.REFER:
        plain = _LITERAL.fullmatch(remedy.span.text) and _ADDRESS.fullmatch(str(remedy.data))
        return Edit(remedy.span, str(remedy.data)) if plain else None
    if remedy.act is Act.REMOVE:
        return _removed(remedy.span)
    if remedy.act is Act.ADD:
        return _added(remedy)
    return None


def _bodies(document: Document) -> Iterator[tuple[tree.Block | None, tree.Body]]:
    """Every body of a file with the block that it belongs to."""
    top = parse_hcl(document).body
    stack: list[tuple[tree.Block | None, tree.Body]] = [(None, top)]
    while stack:
        block, body = stack.pop()
        yield block, body
        stack.extend((inner, inner.body) for inner in body.blocks)


def _removed(value: Span) -> Edit | None:
    """The whole argument with its line, when the line holds nothing else but a comment."""
    document = value.document
    for block, body in _bodies(document):
        for attribute in body.attributes.values():
            found = attribute.expression
            if (found.start, found.end) != (value.start, value.end):
                continue
            text = document.text
            start = text.rfind("\n", 0, attribute.name_start) + 1
            behind = text.find("\n", attribute.end)
            end = len(text) if behind < 0 else behind + 1
            rest = text[attribute.end : end].strip()
            if text[start : attribute.name_start].strip() or (
                rest and not rest.startswith(_COMMENT)
            ):
                return None
            if block is not None and not (block.header_end < start and end <= block.end):
                return None
            return Edit(Span(document, start, end), "")
    return None


def _added(remedy: Remedy) -> Edit | None:
    """The argument as the first line of the block whose header is given."""
    document = remedy.span.document
    text = document.text
    for block, body in _bodies(document):
        if block is None or (block.start, block.header_end) != (
            remedy.span.start,
            remedy.span.end,
        ):
            continue
        if remedy.name in body.attributes:
            return None
        brace = text.find("{", block.header_end, block.end)
        if brace < 0:
            return None
        line = text.rfind("\n", 0, block.start) + 1
        indent = text[line : block.start]
        if indent.strip():
            return None
        newline = "\r\n" if "\r\n" in text else "\n"
        argument = f"{newline}{indent}  {remedy.name} = {literal(remedy.data)}"
        inner = text[brace + 1 : block.end - 1]
        if not inner.strip():
            return Edit(Span(document, brace + 1, block.end - 1), f"{argument}{newline}{indent}")
        if "\n" not in inner:
            return None
        return Edit(Span(document, brace + 1, brace + 1), argument)
    return None
