"""Expressions of a module that are worth a look as such: merges, fan-outs, lookups by a name, fallbacks.

Found once for each directory by a walk of its trees; a cheap look at the source text of each argument
decides whether its tree is walked at all.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

from blastdoor.parse import tree
from blastdoor.record import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.span import Document
    from blastdoor.units import Module


_REGION: Final = re.compile(r'"[a-z]{2,5}-[a-z-]{4,14}-\d"')
"""What a literal region looks like in the source."""
_FALLBACKS: Final = frozenset({"coalesce", "try", "lookup"})
"""Functions whose last argument is taken when nothing before it is there."""
_WORTH_A_LOOK: Final = ("for ", "region", "merge(", *(f"{name}(" for name in sorted(_FALLBACKS)))
"""One of these, or a region, stands in every text with a shape in it."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One expression and the argument that holds it."""

    kind: Literal["merge", "for", "lookup", "fallback", "environment"]
    node: tree.Expression
    whole: tree.Expression
    document: Document
    owner: str
    """Address of the block or local that holds it, relative to the module."""


def of(module: Module) -> list[Shape]:
    """The shapes of a module."""
    found = module.shapes
    if found is None:
        found = list(_find(module))
        module.shapes = found
    return found


def _find(module: Module) -> Iterator[Shape]:
    for name, (document, attribute) in module.locals.items():
        yield from within(attribute, document, f"local.{name}")
    groups = (
        ((f"{t}.{n}", s) for (t, n), s in module.managed.items()),
        ((f"data.{t}.{n}", s) for (t, n), s in module.data.items()),
        ((f"module.{n}", s) for n, s in module.calls.items()),
        ((f"output.{n}", s) for n, s in module.outputs.items()),
    )
    for group in groups:
        for owner, section in group:
            if not _speaks(section.document.text, section.block.start, section.block.end):
                continue
            bodies = [section.block.body]
            while bodies:
                body = bodies.pop()
                for attribute in body.attributes.values():
                    yield from within(attribute, section.document, owner)
                bodies.extend(block.body for block in body.blocks)

    for section in module.providers:
        # How a provider's tags are merged says nothing about reach; which region it falls back to does.
        for attribute in section.block.body.attributes.values():
            for shape in within(attribute, section.document, f"provider.{section.labels[0]}"):
                if shape.kind == "fallback":
                    yield shape


def _speaks(text: str, start: int, end: int) -> bool:
    """Whether there may be a shape in a stretch of source."""
    return (
        any(text.find(words, start, end) >= 0 for words in _WORTH_A_LOOK)
        or _REGION.search(text, start, end) is not None
    )


def within(attribute: tree.Attribute, document: Document, owner: str) -> Iterator[Shape]:
    """The shapes of one argument."""
    text = document.text
    start, end = attribute.expression.start, attribute.expression.end
    merges = text.find("merge(", start, end) >= 0
    loops = text.find("for ", start, end) >= 0
    index = text.find("[", start, end) >= 0 and text.find("region", start, end) >= 0
    falls = _REGION.search(text, start, end) is not None
    defaults = any(text.find(f"{name}(", start, end) >= 0 for name in _FALLBACKS)
    if not (merges or loops or index or falls or defaults):
        return
    whole = attribute.expression
    looked_up = False
    for node in walk(whole):
        if isinstance(node, tree.Call):
            if node.name == "merge" and len(node.arguments) > 1:
                yield Shape("merge", node, whole, document, owner)
            elif node.name in _FALLBACKS and len(node.arguments) > 1:
                yield Shape("environment", node, whole, document, owner)
                if falls:
                    yield Shape("fallback", node, whole, document, owner)
        elif falls and isinstance(node, tree.Conditional):
            yield Shape("fallback", node, whole, document, owner)
        elif isinstance(node, tree.ForExpression):
            if node.result_key is not None:
                yield Shape("for", node, whole, document, owner)
        elif index and not looked_up and isinstance(node, tree.Traversal):
            for operation in node.operations:
                if isinstance(operation, tree.Index) and not isinstance(
                    operation.key, (tree.Literal, tree.Template)
                ):
                    looked_up = True
                    yield Shape("lookup", node, whole, document, owner)
                    break


def walk(expression: tree.Expression) -> Iterator[tree.Expression]:
    """Every expression within an expression, itself first; iterative."""
    stack: list[tree.Node] = [expression]
    while stack:
        node = stack.pop()
        if isinstance(node, tree.Expression):
            yield node
        stack.extend(reversed(_children(node)))


def _children(node: tree.Node) -> list[tree.Node]:
    kind = node.__class__
    if kind in _LEAVES:
        return []
    if isinstance(node, tree.Template):
        return list(node.parts)
    if isinstance(node, tree.Interpolation):
        return [node.expression]
    if isinstance(node, tree.Traversal):
        return [node.base, *node.operations]
    if isinstance(node, tree.Index):
        return [node.key]
    if isinstance(node, tree.Splat):
        return list(node.operations)
    if isinstance(node, tree.Call):
        return list(node.arguments)
    if isinstance(node, tree.ObjectExpression):
        return [part for item in node.items for part in (item.key, item.value)]
    if isinstance(node, tree.TupleExpression):
        return list(node.items)
    if isinstance(node, tree.Conditional):
        return [node.condition, node.yes, node.no]
    if isinstance(node, tree.Binary):
        return [node.left, node.right]
    if isinstance(node, tree.Unary):
        return [node.operand]
    if isinstance(node, tree.Parenthesized):
        return [node.inner]
    if isinstance(node, tree.ForExpression):
        parts = (node.collection, node.result_key, node.result_value, node.condition)
        return [part for part in parts if part is not None]
    if isinstance(node, tree.IfDirective):
        return [node.condition, *node.yes, *node.no]
    if isinstance(node, tree.ForDirective):
        return [node.collection, *node.body]
    return []


_LEAVES = frozenset({tree.Literal, tree.Variable, tree.TextPart, tree.Attr, tree.Broken})
