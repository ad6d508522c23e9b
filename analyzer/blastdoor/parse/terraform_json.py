"""Terraform's JSON configuration syntax: ``.tf.json`` and ``.tfvars.json`` to the native tree.

The mapping is that of Terraform's documentation ("JSON Configuration Syntax") and of HCL's JSON
specification (hashicorp/hcl, json/spec.md). JSON alone does not tell a nested block from an
argument that is an object: Terraform asks the provider's schema. Only the blocks of the Terraform
language itself become ``Block`` here; every other property of a resource is an ``Attribute``.

A block starts at the key of its last label (at its type, when it has none) and ends with its value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor.parse.data import Mapping, Node, Scalar, Sequence
from blastdoor.parse.hcl import (
    MARKER,
    MAX_DEPTH,
    parse_expression,
    parse_template,
    placed_text,
)
from blastdoor.parse.json import decode_string, parse_json
from blastdoor.parse.tree import (
    Attribute,
    Block,
    Body,
    Broken,
    Comment,
    Expression,
    Label,
    Literal,
    ObjectExpression,
    ObjectItem,
    Parsed,
    SyntaxFault,
    Template,
    TextPart,
    TupleExpression,
)
from blastdoor.span import Span

if TYPE_CHECKING:
    from blastdoor.span import Document

# The block types of the Terraform language by what they stand in ("" is the file), each with the
# number of its labels.
_PROVISIONED: Final = {"lifecycle": 0, "provisioner": 1, "connection": 0, "dynamic": 1}
_BLOCKS: Final[dict[str, dict[str, int]]] = {
    "": {
        "terraform": 0,
        "provider": 1,
        "variable": 1,
        "locals": 0,
        "resource": 2,
        "data": 2,
        "ephemeral": 2,
        "module": 1,
        "output": 1,
        "moved": 0,
        "import": 0,
        "check": 1,
        "removed": 0,
    },
    "terraform": {"required_providers": 0, "backend": 1, "cloud": 0, "provider_meta": 1},
    "cloud": {"workspaces": 0},
    "provider": {"dynamic": 1},
    "variable": {"validation": 0},
    "resource": _PROVISIONED,
    "data": _PROVISIONED,
    "ephemeral": _PROVISIONED,
    "module": {"lifecycle": 0},
    "output": {"precondition": 0},
    "check": {"assert": 0, "data": 2},
    "removed": {"lifecycle": 0, "provisioner": 1, "connection": 0},
    "lifecycle": {"precondition": 0, "postcondition": 0},
    "provisioner": {"connection": 0},
    "dynamic": {"content": 0},
    "content": {"dynamic": 1},
}

# The arguments whose strings hold an expression or a reference, by the block they stand in.
_MANAGED: Final = frozenset({"depends_on", "provider"})
_REFERENCES: Final[dict[str, frozenset[str]]] = {
    "resource": _MANAGED,
    "data": _MANAGED,
    "ephemeral": _MANAGED,
    "module": frozenset({"depends_on", "providers"}),
    "output": frozenset({"depends_on"}),
    "variable": frozenset({"type"}),
    "lifecycle": frozenset({"ignore_changes", "replace_triggered_by"}),
    "provisioner": frozenset({"when", "on_failure"}),
    "dynamic": frozenset({"iterator"}),
    "moved": frozenset({"from", "to"}),
    "import": frozenset({"to", "provider"}),
    "removed": frozenset({"from"}),
}
_ALIASES: Final = "configuration_aliases"
_COMMENT: Final = "//"

# How the strings of a value are read.
_AS_TEMPLATE, _AS_TEXT, _AS_REFERENCE, _AS_REQUIREMENT = range(4)


def parse_terraform_json(document: Document) -> Parsed:
    """The tree of a ``.tf.json`` file; never raises. A file that is not JSON has an empty body."""
    return _Reader(document).configuration()


def parse_tfvars_json(document: Document) -> Parsed:
    """The tree of a ``.tfvars.json`` file: every key an attribute, every string as it stands."""
    return _Reader(document).variables()


class _Reader:
    """One JSON file on its way to a tree."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.faults: list[SyntaxFault] = []
        self.comments: list[Comment] = []

    def configuration(self) -> Parsed:
        """The file as configuration."""
        root, body = self.root()
        for mapping in self.mappings(root, "the configuration"):
            known = _BLOCKS[""]
            for key, value in mapping.entries:
                kind = str(key.value)
                if kind == _COMMENT:
                    self.comment(value)
                elif kind in known:
                    self.blocks(body, kind, known[kind], key, value, 0)
                else:
                    self.fault(key, f'"{kind[:40]}" is no block type of the Terraform language')
        return Parsed(self.document, body, self.comments, self.faults)

    def variables(self) -> Parsed:
        """The file as values of variables."""
        root, body = self.root()
        if isinstance(root, Mapping):
            for key, value in root.entries:
                self.attribute(body, key, value, _AS_TEXT)
        elif root is not None:
            self.fault(root, "expected an object with the values of the variables")
        return Parsed(self.document, body, self.comments, self.faults)

    def root(self) -> tuple[Node | None, Body]:
        """The value of the whole file, and a body for what it holds."""
        root, faults = parse_json(self.document)
        self.faults.extend(faults)
        return root, Body(self.document, 0, len(self.document.text))

    def fault(self, node: Node, message: str) -> None:
        """Keep a fault."""
        self.faults.append(SyntaxFault(Span(self.document, node.start, node.end), message))

    def comment(self, node: Node) -> None:
        """Keep a ``//`` property when it speaks to us."""
        if isinstance(node, Scalar) and isinstance(node.value, str) and MARKER in node.value:
            self.comments.append(Comment(node.start, node.end, node.value.strip()))

    def mappings(self, node: Node | None, what: str) -> list[Mapping]:
        """The objects that ``node`` stands for: itself, or those of an array; ``null`` is none."""
        if node is None or (isinstance(node, Scalar) and node.value is None):
            return []
        found: list[Mapping] = []
        for item in node.items if isinstance(node, Sequence) else [node]:
            if isinstance(item, Mapping):
                found.append(item)
            elif not (isinstance(item, Scalar) and item.value is None):
                self.fault(item, f"expected an object for {what}")
        return found

    def blocks(
        self, body: Body, kind: str, count: int, key: Scalar, node: Node, depth: int
    ) -> None:
        """The blocks of type ``kind`` that ``node`` describes, with ``count`` levels of labels."""
        levels: list[tuple[tuple[Scalar, ...], Node]] = [((), node)]
        for _ in range(count):
            below: list[tuple[tuple[Scalar, ...], Node]] = []
            for labels, value in levels:
                for mapping in self.mappings(value, f'the labels of "{kind}"'):
                    for label, inner in mapping.entries:
                        if label.value == _COMMENT:
                            self.comment(inner)
                        else:
                            below.append(((*labels, label), inner))
            levels = below
        for labels, value in levels:
            header = labels[-1] if labels else key
            for mapping in self.mappings(value, f'"{kind}"'):
                content = Body(self.document, mapping.start, mapping.end)
                self.content(content, kind, mapping, depth + 1)
                body.blocks.append(
                    Block(
                        header.start,
                        mapping.end,
                        type=kind,
                        labels=tuple(
                            Label(label.start, label.end, str(label.value)) for label in labels
                        ),
                        header_end=header.end,
                        body=content,
                    )
                )

    def content(self, body: Body, kind: str, mapping: Mapping, depth: int) -> None:
        """The properties of one block."""
        known = _BLOCKS.get(kind, {})
        references = _REFERENCES.get(kind, frozenset())
        if depth > MAX_DEPTH:
            self.fault(mapping, f"nested more than {MAX_DEPTH} levels deep")
            return
        for key, value in mapping.entries:
            name = str(key.value)
            if name == _COMMENT:
                self.comment(value)
            elif name in known:
                self.blocks(body, name, known[name], key, value, depth)
            elif name in references:
                self.attribute(body, key, value, _AS_REFERENCE)
            elif kind == "variable":
                # Defaults and descriptions are read without anything to refer to.
                self.attribute(body, key, value, _AS_TEXT)
            elif kind == "required_providers":
                self.attribute(body, key, value, _AS_REQUIREMENT)
            else:
                self.attribute(body, key, value, _AS_TEMPLATE)

    def attribute(self, body: Body, key: Scalar, value: Node, mode: int) -> None:
        """One property as an attribute; the first of duplicates is kept."""
        name = str(key.value)
        expression = self.expression(value, mode, 1)
        if name in body.attributes:
            line = self.document.position(body.attributes[name].start).line
            self.fault(key, f'the attribute "{name[:40]}" stands already on line {line}')
        else:
            body.attributes[name] = Attribute(name, key.start + 1, key.end - 1, expression)

    def expression(self, node: Node, mode: int, depth: int) -> Expression:
        """The expression that a JSON value stands for."""
        if depth > MAX_DEPTH:
            self.fault(node, f"nested more than {MAX_DEPTH} levels deep")
            return Broken(node.start, node.end)
        if isinstance(node, Scalar):
            if not isinstance(node.value, str):
                return Literal(node.start, node.end, node.value)
            if mode == _AS_REFERENCE and "${" not in node.value:
                return self.reference(node)
            return self.text(node, literal=mode == _AS_TEXT)
        if isinstance(node, Sequence):
            items = tuple([self.expression(item, mode, depth + 1) for item in node.items])
            return TupleExpression(node.start, node.end, items)
        entries: list[ObjectItem] = []
        for key, value in node.entries:
            inner = mode
            if mode == _AS_REQUIREMENT and key.value == _ALIASES:
                inner = _AS_REFERENCE
            entries.append(
                ObjectItem(
                    key.start,
                    value.end,
                    self.text(key, literal=mode == _AS_TEXT),
                    self.expression(value, inner, depth + 1),
                )
            )
        return ObjectExpression(node.start, node.end, tuple(entries))

    def text(self, node: Scalar, *, literal: bool) -> Expression:
        """A string as a template, or as it stands when ``literal``."""
        start, end = node.start + 1, node.end - 1
        content = str(node.value)
        plain = literal or ("${" not in content and "%{" not in content)
        # A string without escapes is as long as its content.
        if "\\" not in self.document.text[start:end]:
            if plain:
                parts = (TextPart(start, end, content),) if content else ()
                return Template(node.start, node.end, parts)
            expression, faults = parse_template(self.document, start, end)
        else:
            content, offsets = decode_string(self.document.text, node.start)
            if plain:
                whole = TextPart(0, len(content), content)
                return Template(node.start, node.end, tuple(placed_text(whole, offsets)))
            expression, faults = parse_template(
                self.document, start, end, text=content, offsets=offsets
            )
        self.faults.extend(faults)
        expression.start, expression.end = node.start, node.end
        return expression

    def reference(self, node: Scalar) -> Expression:
        """A string that holds an expression: ``"aws.cn"``, ``"list(string)"``."""
        content, offsets = decode_string(self.document.text, node.start)
        expression, faults = parse_expression(
            self.document, node.start + 1, node.end - 1, text=content, offsets=offsets
        )
        self.faults.extend(faults)
        return expression
