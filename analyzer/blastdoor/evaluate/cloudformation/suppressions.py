"""Suppressions that a template's metadata writes, where JSON has no comments.

``Metadata.blastdoor`` of a resource speaks of the resource, that of the template of the whole template.
It is the text of a comment (``ignore[rule] reason="…"``), a list of such texts, or a mapping with
``ignore`` (a rule or a list of them), ``reason`` and ``until``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor.evaluate.cloudformation.template import fields, text_of
from blastdoor.parse.data import Mapping, Scalar, Sequence
from blastdoor.parse.tree import Comment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.evaluate.cloudformation.template import Template
    from blastdoor.parse.data import Node

_KEY: Final = "blastdoor"
_MARKER: Final = "blastdoor:"


def comments_of(template: Template) -> Iterator[Comment]:
    """What the metadata of a template and of its resources says to blastdoor."""
    if _KEY not in template.document.text:
        return
    root = template.root
    yield from _within(fields(root).get("Metadata", (None, None))[1], (root.start, root.end))
    for key, body in template.section("Resources").values():
        block = (key.start, max(key.end, body.end))
        yield from _within(fields(body).get("Metadata", (None, None))[1], block)


def _within(metadata: Node | None, block: tuple[int, int]) -> Iterator[Comment]:
    entry = fields(metadata).get(_KEY)
    if entry is None:
        return
    _key, node = entry
    for item in node.items if isinstance(node, Sequence) else [node]:
        text = _directive(item)
        if text is not None:
            yield Comment(item.start, item.end, text, block)


def _directive(node: Node) -> str | None:
    """What an entry says, as a comment would."""
    if isinstance(node, Mapping):
        parts = fields(node)
        rules = parts.get("ignore", (None, None))[1]
        names = rules.items if isinstance(rules, Sequence) else [rules]
        text = f"ignore[{', '.join([text_of(name) or '' for name in names])}]"
        for name in sorted(parts.keys() - {"ignore"}):
            value = parts[name][1]
            said = str(value.value) if isinstance(value, Scalar) else ""
            quoted = said.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
            text += f' {name}="{quoted}"'
        return f"{_MARKER} {text}"
    written = text_of(node)
    if written is None:
        return f"{_MARKER} ignore"
    written = written.strip()
    return written if written.startswith(_MARKER) else f"{_MARKER} {written}"
