"""Expressions of a module that are worth a look as such: merges, fan-outs, lookups by a name.

Found once for each directory by a walk of its trees; a cheap look at the source text of each argument
decides whether its tree is walked at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from blastdoor.parse import tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.span import Document
    from blastdoor.units import Module


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One expression and the argument that holds it."""

    kind: Literal["merge", "for", "lookup"]
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
            bodies = [section.block.body]
            while bodies:
                body = bodies.pop()
                for attribute in body.attributes.values():
                    yield from within(attribute, section.document, owner)
                bodies.extend(block.body for block in body.blocks)


def within(attribute: tree.Attribute, document: Document, owner: str) -> Iterator[Shape]:
    """The shapes of one argument."""
    text = document.text
    start, end = attribute.expression.start, attribute.expression.end
    merges = text.find("merge(", start, end) >= 0
    loops = text.find("for ", start, end) >= 0
    index = text.find("[", start, end) >= 0 and text.find("region", start, end) >= 0
    if not (merges or loops or index):
        return
    whole = attribute.expression
    looked_up = False
    for node in walk(whole):
        if isinstance(node, tree.Call):
            if node.name == "merge" and len(node.arguments) > 1:
                yield Shape("merge", node, whole, document, owner)
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
