"""Edits of templates, in YAML and JSON: a pseudo parameter in place of a stretch of a string.

Source: AWS CloudFormation User Guide, "Fn::Sub" and "Pseudo parameters reference".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor.fixes import Edit
from blastdoor.parse.data import Mapping, Scalar, Sequence
from blastdoor.span import Span

if TYPE_CHECKING:
    from blastdoor.finding import Remedy
    from blastdoor.parse.data import Node

_PSEUDO: Final = {"partition": "${AWS::Partition}", "region": "${AWS::Region}"}
_SUB: Final = "Fn::Sub"
_AROUND: Final = frozenset({"Fn::If", "Fn::Join"})
"""Functions that take another one among their arguments."""
_FIRST: Final = "[0]"
_PROPERTIES: Final = 3
"""Keys down to what a resource is made of: ``Resources``, its name, ``Properties``."""

Path = list[str]


def edit(remedy: Remedy, root: Node | None, *, short: bool) -> Edit | None:
    """The edit that puts a pseudo parameter into a string; ``short``: with the short form ``!Sub``.

    ``None`` outside of the properties of a resource, and within a function that takes no other.
    """
    found = None if root is None else _holder(root, remedy.span)
    if found is None:
        return None
    path, scalar = found
    document, pseudo = remedy.span.document, _PSEUDO[str(remedy.data)]
    if len(path) <= _PROPERTIES or (path[0], path[2]) != ("Resources", "Properties"):
        return None
    functions = [key for key in path[_PROPERTIES:] if key.startswith("Fn::") or key == "Ref"]
    if path[-1] == _SUB or path[-2:] == [_SUB, _FIRST]:
        return Edit(remedy.span, pseudo) if _AROUND.issuperset(functions[:-1]) else None
    if not _AROUND.issuperset(functions):
        return None
    text = document.text
    before, after = text[scalar.start : remedy.span.start], text[remedy.span.end : scalar.end]
    if "${" in before + after or "\n" in before + after:
        return None
    written = f"{before}{pseudo}{after}"
    if not written.startswith(('"', "'")):
        if '"' in written or "\\" in written:
            return None
        written = f'"{written}"'
    whole = Span(document, scalar.start, scalar.end)
    return Edit(whole, f"!Sub {written}" if short else f'{{"Fn::Sub": {written}}}')


def _holder(root: Node, span: Span) -> tuple[Path, Scalar] | None:
    """The string that holds a stretch, with the keys and indices that lead to it."""
    stack: list[tuple[Path, Node]] = [([], root)]
    while stack:
        path, node = stack.pop()
        if not node.start <= span.start <= span.end <= node.end:
            continue
        if isinstance(node, Scalar):
            return (path, node) if isinstance(node.value, str) else None
        if isinstance(node, Sequence):
            stack.extend(([*path, f"[{n}]"], item) for n, item in enumerate(node.items))
        if isinstance(node, Mapping):
            stack.extend(([*path, str(key.value)], inner) for key, inner in node.entries)
    return None
