"""Edits of HCL: arguments of bodies, their literals, and the lines that hold them."""

from __future__ import annotations

import json
import posixpath
import re
from typing import TYPE_CHECKING, Final

from blastdoor.evaluate.shapes import walk
from blastdoor.finding import Act
from blastdoor.fixes import Edit
from blastdoor.parse import tree
from blastdoor.parse.hcl import parse_hcl
from blastdoor.span import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.finding import Remedy
    from blastdoor.span import Document

_LITERAL: Final = re.compile(r'true|false|null|-?[0-9]+(?:\.[0-9]+)?|"[^"\\$%\n]*"')
"""What is plainly written: no template, no escape, no expression."""
_ADDRESS: Final = re.compile(r"[a-z0-9_]+(?:\.[A-Za-z0-9_-]+)+")
"""An attribute of a resource of the same module, without keys."""
_EXPRESSIVE: Final = frozenset({"data", "locals", "module", "output", "resource"})
"""Blocks whose arguments may refer to data sources."""
_EMPTY: Final = re.compile(r"[ \t]*(?:\r?\n(?:[ \t]*\r?\n)?|\Z)")
"""The end of a line, and an empty line behind it."""
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
        return _added(remedy, literal(remedy.data))
    if remedy.act is Act.POINT:
        return _added(remedy, str(remedy.data))
    if remedy.act is Act.DERIVE:
        inner = _in_text(remedy.span)
        return Edit(remedy.span, f"${{{remedy.name}}}") if inner else None
    if remedy.act is Act.DECLARE:
        return _declared(remedy)
    if remedy.act is Act.DISSOLVE:
        return _dissolved(remedy.span)
    return None


def _in_text(span: Span) -> bool:
    """Whether a stretch is written within a string or heredoc, where an interpolation may stand."""
    if not span.path.endswith((".tf", ".tofu")) or not any(
        block.type in _EXPRESSIVE and block.start <= span.start < block.end
        for block in parse_hcl(span.document).body.blocks
    ):
        return False
    for _block, body in _bodies(span.document):
        for attribute in body.attributes.values():
            if not attribute.expression.start <= span.start < attribute.expression.end:
                continue
            return any(
                isinstance(part, tree.TextPart)
                and part.start <= span.start
                and span.end <= part.end
                for node in walk(attribute.expression)
                if isinstance(node, tree.Template)
                for part in node.parts
            )
    return False


def _dissolved(span: Span) -> Edit | None:
    """The top block that holds a place, with its lines and the empty one behind it.

    None where it has a comment, which nobody would see again, or blocks but for its life cycle.
    """
    document = span.document
    text = document.text
    for block in parse_hcl(document).body.blocks:
        if not block.start <= span.start < block.end:
            continue
        written = text[block.start : block.end]
        if any(mark in written for mark in (*_COMMENT, "/*")):
            return None
        if any(inner.type != "lifecycle" for inner in block.body.blocks):
            return None
        start = text.rfind("\n", 0, block.start) + 1
        behind = _EMPTY.match(text, block.end)
        if text[start : block.start].strip() or behind is None:
            return None
        return Edit(Span(document, start, behind.end()), "")
    return None


def _declared(remedy: Remedy) -> Edit | None:
    """A data source, or a variable without a default, as the last block of the file."""
    document = remedy.span.document
    is_variable = remedy.data == "variable"
    kind = "variable" if is_variable else "data"
    labels = (remedy.name,) if is_variable else (str(remedy.data), remedy.name)
    for block in parse_hcl(document).body.blocks:
        if block.type == kind and tuple(label.text for label in block.labels) == labels:
            return None
    text = document.text
    newline = "\r\n" if "\r\n" in text else "\n"
    header = " ".join([kind, *(f'"{label}"' for label in labels)])
    body = f"{{{newline}  type = string{newline}}}" if is_variable else "{}"
    before = newline if text.endswith("\n") else newline * 2
    directory = posixpath.dirname(document.path)
    end = Span(document, len(text), len(text))
    return Edit(end, f"{before}{header} {body}{newline}", f"{directory}:{header}")


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


def _added(remedy: Remedy, value: str) -> Edit | None:
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
        argument = f"{newline}{indent}  {remedy.name} = {value}"
        inner = text[brace + 1 : block.end - 1]
        if not inner.strip():
            return Edit(Span(document, brace + 1, block.end - 1), f"{argument}{newline}{indent}")
        behind, found, _rest = inner.partition("\n")
        if not found or (behind.strip() and not behind.strip().startswith(_COMMENT)):
            return None
        at = brace + 1 + len(behind.rstrip("\r"))
        return Edit(Span(document, at, at), argument)
    return None
