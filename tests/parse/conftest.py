"""Trees as text and constant trees as values, for short expectations."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from blastdoor.parse import tree


def _part(part: tree.TemplatePart) -> str:
    if isinstance(part, tree.TextPart):
        return json.dumps(part.text, ensure_ascii=False)[1:-1]
    if isinstance(part, tree.Interpolation):
        return "${" + expression_text(part.expression) + "}"
    if isinstance(part, tree.IfDirective):
        yes, no = ("".join(map(_part, branch)) for branch in (part.yes, part.no))
        return f"%{{if {expression_text(part.condition)}}}{yes}%{{else}}{no}%{{endif}}"
    names = f"{part.key}, {part.value}" if part.key else part.value
    body = "".join(map(_part, part.body))
    return f"%{{for {names} in {expression_text(part.collection)}}}{body}%{{endfor}}"


def _operation(operation: tree.Operation) -> str:
    if isinstance(operation, tree.Attr):
        return f".{operation.name}"
    if isinstance(operation, tree.Index):
        return f"[{expression_text(operation.key)}]"
    inner = "".join(map(_operation, operation.operations))
    return ("[*]" if operation.full else ".*") + f"<{inner}>"


def _for(node: tree.ForExpression) -> str:
    names = f"{node.key_name}, {node.value_name}" if node.key_name else node.value_name
    text = f"for {names} in {expression_text(node.collection)} : "
    if node.result_key is not None:
        text += f"{expression_text(node.result_key)} => "
    text += expression_text(node.result_value) + ("..." if node.grouping else "")
    if node.condition is not None:
        text += f" if {expression_text(node.condition)}"
    return f"[{text}]" if node.result_key is None else f"{{{text}}}"


def expression_text(node: tree.Expression) -> str:
    """An expression with every binary operation in parentheses, to see what binds what."""
    show = expression_text
    match node:
        case tree.Literal():
            return json.dumps(node.value)
        case tree.Template():
            quote = "<<" if node.heredoc else '"'
            return quote + "".join(map(_part, node.parts)) + quote[::-1].replace("<", ">")
        case tree.Variable():
            return node.name
        case tree.Traversal():
            return show(node.base) + "".join(map(_operation, node.operations))
        case tree.Call():
            arguments = ", ".join(map(show, node.arguments))
            return f"{node.name}({arguments}{'...' if node.expand else ''})"
        case tree.Unary():
            return f"({node.operator}{show(node.operand)})"
        case tree.Binary():
            return f"({show(node.left)} {node.operator} {show(node.right)})"
        case tree.Conditional():
            return f"({show(node.condition)} ? {show(node.yes)} : {show(node.no)})"
        case tree.TupleExpression():
            return "[" + ", ".join(map(show, node.items)) + "]"
        case tree.ObjectExpression():
            return (
                "{"
                + ", ".join(f"{show(item.key)} = {show(item.value)}" for item in node.items)
                + "}"
            )
        case tree.ForExpression():
            return _for(node)
        case tree.Parenthesized():
            return f"paren({show(node.inner)})"
        case tree.Broken():
            return "BROKEN"
    raise AssertionError(type(node))


def body_lines(body: tree.Body, indent: str = "") -> list[str]:
    """A body as lines: its attributes, then its blocks, indented by their depth."""
    lines = [
        f"{indent}{name} = {expression_text(attribute.expression)}"
        for name, attribute in body.attributes.items()
    ]
    for block in body.blocks:
        lines.append(indent + " ".join([block.type, *(repr(label.text) for label in block.labels)]))
        lines.extend(body_lines(block.body, indent + "  "))
    return lines


class NotConstantError(Exception):
    """An expression that refers to something."""


def _rendered(parts: tuple[tree.TemplatePart, ...], names: dict[str, Any]) -> str:
    text = ""
    for part in parts:
        if isinstance(part, tree.TextPart):
            text += part.text
        elif isinstance(part, tree.Interpolation):
            value = constant(part.expression, names)
            text += value if isinstance(value, str) else json.dumps(value)
        elif isinstance(part, tree.IfDirective):
            text += _rendered(part.yes if constant(part.condition, names) else part.no, names)
        else:
            for number, value in enumerate(constant(part.collection, names)):
                inner = {**names, part.value: value}
                if part.key is not None:
                    inner[part.key] = number
                text += _rendered(part.body, inner)
    return text


def constant(node: tree.Expression, names: dict[str, Any] | None = None) -> Any:
    """The value of an expression that refers to nothing but ``names``."""
    names = names or {}
    match node:
        case tree.Literal():
            return node.value
        case tree.Template(parts=(tree.Interpolation() as only,), heredoc=False):
            return constant(only.expression, names)
        case tree.Template():
            return _rendered(node.parts, names)
        case tree.TupleExpression():
            return [constant(item, names) for item in node.items]
        case tree.ObjectExpression():
            return {constant(i.key, names): constant(i.value, names) for i in node.items}
        case tree.Parenthesized():
            return constant(node.inner, names)
        case tree.Unary(operator="-"):
            return -constant(node.operand, names)
        case tree.Variable() if node.name in names:
            return names[node.name]
    raise NotConstantError(type(node).__name__)


@pytest.fixture
def show() -> Callable[[tree.Expression], str]:
    return expression_text


@pytest.fixture
def lines() -> Callable[[tree.Body], list[str]]:
    return body_lines


@pytest.fixture
def value() -> Callable[[tree.Expression], Any]:
    """The value of a constant expression; ``...`` for one that is not."""

    def evaluated(node: tree.Expression) -> Any:
        try:
            return constant(node)
        except NotConstantError:
            return ...

    return evaluated
