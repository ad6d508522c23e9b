"""The tree that the Terraform parsers build: bodies, blocks, attributes and expressions.

Every node carries ``start`` and ``end``: offsets in code points into the text of its document
(half-open). The native syntax and the JSON syntax give the same tree, so that evaluation knows
neither. The grammar is that of the HCL Native Syntax Specification (hashicorp/hcl,
hclsyntax/spec.md).
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from blastdoor.record import dataclass

if TYPE_CHECKING:
    from blastdoor.span import Document, Span


class Node:
    """A range of the source text."""

    __slots__ = ("end", "start")

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end


class Expression(Node):
    """Anything that has a value."""

    __slots__ = ()


class Literal(Expression):
    """A number, ``true``, ``false`` or ``null``; whole numbers are ``int``, others ``float``."""

    __slots__ = ("value",)

    def __init__(self, start: int, end: int, value: bool | float | None) -> None:  # noqa: FBT001  a value, not a switch
        self.start = start
        self.end = end
        self.value = value


class TextPart(Node):
    """A literal stretch of a template with escapes resolved (and heredoc indentation removed).

    When ``len(text) == end - start`` the code point at ``text[i]`` stands at ``start + i`` in the
    document; a parser splits a stretch at every escape so that this holds for the stretches
    between. A stretch for which it does not hold (one escape) has all its text at ``start``.
    """

    __slots__ = ("text",)

    def __init__(self, start: int, end: int, text: str) -> None:
        self.start = start
        self.end = end
        self.text = text


class Interpolation(Node):
    """``${ expression }`` within a template; strip markers are applied by the parser."""

    __slots__ = ("expression",)

    def __init__(self, start: int, end: int, expression: Expression) -> None:
        self.start = start
        self.end = end
        self.expression = expression


class IfDirective(Node):
    """``%{ if c } … %{ else } … %{ endif }`` within a template."""

    __slots__ = ("condition", "no", "yes")

    def __init__(
        self,
        start: int,
        end: int,
        condition: Expression,
        yes: tuple[TemplatePart, ...],
        no: tuple[TemplatePart, ...],
    ) -> None:
        self.start = start
        self.end = end
        self.condition = condition
        self.yes = yes
        self.no = no


class ForDirective(Node):
    """``%{ for key, value in collection } … %{ endfor }`` within a template."""

    __slots__ = ("body", "collection", "key", "value")

    def __init__(
        self,
        start: int,
        end: int,
        key: str | None,
        value: str,
        collection: Expression,
        body: tuple[TemplatePart, ...],
    ) -> None:
        self.start = start
        self.end = end
        self.key = key
        self.value = value
        self.collection = collection
        self.body = body


TemplatePart = TextPart | Interpolation | IfDirective | ForDirective


class Template(Expression):
    """A quoted string or heredoc. No parts: the empty string.

    A template that is exactly one interpolation has the interpolated value, not a string
    (spec.md, "Template Interpolation Unwrapping"); evaluation does that.
    """

    __slots__ = ("heredoc", "parts")

    def __init__(
        self, start: int, end: int, parts: tuple[TemplatePart, ...], *, heredoc: bool = False
    ) -> None:
        self.start = start
        self.end = end
        self.parts = parts
        self.heredoc = heredoc


class Variable(Expression):
    """The root name of a traversal: ``var``, ``local``, ``each``, ``aws_s3_bucket``, a for-name."""

    __slots__ = ("name",)

    def __init__(self, start: int, end: int, name: str) -> None:
        self.start = start
        self.end = end
        self.name = name


class Attr(Node):
    """``.name``, an operation on the expression before it."""

    __slots__ = ("name",)

    def __init__(self, start: int, end: int, name: str) -> None:
        self.start = start
        self.end = end
        self.name = name


class Index(Node):
    """``[key]`` (and the legacy ``.0``), an operation on the expression before it."""

    __slots__ = ("key",)

    def __init__(self, start: int, end: int, key: Expression) -> None:
        self.start = start
        self.end = end
        self.key = key


class Splat(Node):
    """``.*`` (attribute-only) or ``[*]`` (full) with the operations it maps over the elements.

    A splat behind a full splat is mapped too and so stands within its operations:
    ``a[*].b[*].c`` gives a list of lists.
    """

    __slots__ = ("full", "operations")

    def __init__(
        self, start: int, end: int, operations: tuple[Operation, ...], *, full: bool
    ) -> None:
        self.start = start
        self.end = end
        self.operations = operations
        self.full = full


Operation = Attr | Index | Splat


class Traversal(Expression):
    """A base expression with at least one attribute, index or splat operation behind it."""

    __slots__ = ("base", "operations")

    def __init__(
        self, start: int, end: int, base: Expression, operations: tuple[Operation, ...]
    ) -> None:
        self.start = start
        self.end = end
        self.base = base
        self.operations = operations


class Call(Expression):
    """``name(arguments…)``; ``provider::x::f`` is one name; ``expand`` is a final ``...``."""

    __slots__ = ("arguments", "expand", "name")

    def __init__(
        self, start: int, end: int, name: str, arguments: tuple[Expression, ...], *, expand: bool
    ) -> None:
        self.start = start
        self.end = end
        self.name = name
        self.arguments = arguments
        self.expand = expand


class Unary(Expression):
    """``-x`` or ``!x``."""

    __slots__ = ("operand", "operator")

    def __init__(self, start: int, end: int, operator: str, operand: Expression) -> None:
        self.start = start
        self.end = end
        self.operator = operator
        self.operand = operand


class Binary(Expression):
    """``left operator right``; a long chain is left-deep and must be walked without recursion."""

    __slots__ = ("left", "operator", "right")

    def __init__(
        self, start: int, end: int, operator: str, left: Expression, right: Expression
    ) -> None:
        self.start = start
        self.end = end
        self.operator = operator
        self.left = left
        self.right = right


class Conditional(Expression):
    """``condition ? yes : no``."""

    __slots__ = ("condition", "no", "yes")

    def __init__(
        self, start: int, end: int, condition: Expression, yes: Expression, no: Expression
    ) -> None:
        self.start = start
        self.end = end
        self.condition = condition
        self.yes = yes
        self.no = no


class TupleExpression(Expression):
    """``[a, b, …]``."""

    __slots__ = ("items",)

    def __init__(self, start: int, end: int, items: tuple[Expression, ...]) -> None:
        self.start = start
        self.end = end
        self.items = items


class ObjectItem(Node):
    """One ``key = value``. A bare identifier key is a ``Template`` with one ``TextPart``."""

    __slots__ = ("key", "value")

    def __init__(self, start: int, end: int, key: Expression, value: Expression) -> None:
        self.start = start
        self.end = end
        self.key = key
        self.value = value


class ObjectExpression(Expression):
    """``{ key = value, … }`` with duplicate keys kept (the last one wins in evaluation)."""

    __slots__ = ("items",)

    def __init__(self, start: int, end: int, items: tuple[ObjectItem, ...]) -> None:
        self.start = start
        self.end = end
        self.items = items


class ForExpression(Expression):
    """``[for k, v in c : value if cond]`` or ``{for k, v in c : key => value... if cond}``.

    ``result_key`` is ``None`` for the list form; ``grouping`` is the ``...`` of the object form.
    """

    __slots__ = (
        "collection",
        "condition",
        "grouping",
        "key_name",
        "result_key",
        "result_value",
        "value_name",
    )

    def __init__(  # noqa: PLR0913  the grammar's own number of parts
        self,
        start: int,
        end: int,
        *,
        key_name: str | None,
        value_name: str,
        collection: Expression,
        result_key: Expression | None,
        result_value: Expression,
        condition: Expression | None,
        grouping: bool,
    ) -> None:
        self.start = start
        self.end = end
        self.key_name = key_name
        self.value_name = value_name
        self.collection = collection
        self.result_key = result_key
        self.result_value = result_value
        self.condition = condition
        self.grouping = grouping


class Parenthesized(Expression):
    """``( expression )``: kept, because ``(key) = value`` in an object is a computed key."""

    __slots__ = ("inner",)

    def __init__(self, start: int, end: int, inner: Expression) -> None:
        self.start = start
        self.end = end
        self.inner = inner


class Broken(Expression):
    """A place that did not parse; its value is unknown."""

    __slots__ = ()


class Attribute(Node):
    """``name = expression`` in a body; ``[name_start, name_end)`` is the name alone."""

    __slots__ = ("expression", "name", "name_end", "name_start")

    def __init__(self, name: str, name_start: int, name_end: int, expression: Expression) -> None:
        self.start = name_start
        self.end = expression.end
        self.name = name
        self.name_start = name_start
        self.name_end = name_end
        self.expression = expression


class Label(Node):
    """A label of a block header, quoted or bare; the range includes the quotes."""

    __slots__ = ("text",)

    def __init__(self, start: int, end: int, text: str) -> None:
        self.start = start
        self.end = end
        self.text = text


class Block(Node):
    """``type "label" … { body }``; ``[start, header_end)`` is the header without the brace."""

    __slots__ = ("body", "header_end", "labels", "type")

    def __init__(
        self,
        start: int,
        end: int,
        *,
        type: str,  # noqa: A002  the field's own word
        labels: tuple[Label, ...],
        header_end: int,
        body: Body,
    ) -> None:
        self.start = start
        self.end = end
        self.type = type
        self.labels = labels
        self.header_end = header_end
        self.body = body


class Body(Node):
    """Attributes by name (the first of duplicates) and blocks in source order.

    ``document`` is the text that all offsets below refer to.
    """

    __slots__ = ("attributes", "blocks", "document")

    def __init__(self, document: Document, start: int, end: int) -> None:
        self.document = document
        self.start = start
        self.end = end
        self.attributes: dict[str, Attribute] = {}
        self.blocks: list[Block] = []


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment that speaks to blastdoor; ``text`` is without its markers, ``start`` its offset."""

    start: int
    end: int
    text: str
    block: tuple[int, int] | None = None
    """What it speaks of, where its place does not tell: offsets."""


@dataclass(frozen=True, slots=True)
class SyntaxFault:
    """A place that could not be parsed and what was expected there."""

    span: Span
    message: str


@dataclass(slots=True)
class Parsed:
    """What a parser gives back: everything that parsed, and every place that did not."""

    document: Document
    body: Body
    comments: list[Comment] = field(default_factory=list)
    faults: list[SyntaxFault] = field(default_factory=list)
