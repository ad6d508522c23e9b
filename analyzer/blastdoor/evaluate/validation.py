"""What a variable's ``validation`` blocks allow.

Terraform refuses every value for which the condition of a validation is false (Terraform language
documentation, "Custom Conditions"). Only one form is evidence: ``contains([...], var.name)``, alone
or as a member of a conjunction, with a list that is wholly known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blastdoor.evaluate.expression import evaluate
from blastdoor.parse import tree
from blastdoor.span import Span
from blastdoor.value import (
    MAX_ALTERNATIVES,
    Alternative,
    Evidence,
    Known,
    Many,
    Step,
    Value,
    one_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from blastdoor.evaluate.expression import Frame
    from blastdoor.span import Document
    from blastdoor.units import Section
    from blastdoor.value import Unknown


def allowed(
    section: Section, name: str, value: Unknown, frame: Callable[[Document], Frame]
) -> Value | None:
    """One of the values that a validation names; ``None`` when none names them."""
    for block in section.sections("validation"):
        condition = block.argument("condition")
        if condition is None:
            continue
        document, attribute = condition
        for member in _members(attribute.expression):
            listed = _listed(member, name)
            if listed is None:
                continue
            held = evaluate(listed, frame(document))
            where = Span(document, member.start, member.end)
            if (
                isinstance(held, Many)
                and held.resolved
                and 0 < len(held.items) <= MAX_ALTERNATIVES
                and all(isinstance(item, Known) and item.data is not None for item in held.items)
            ):
                evidence = Evidence(Step.CONDITION, f"the validation of var.{name}", where)
                return one_of(
                    [
                        Alternative(
                            item.through(evidence),
                            f"var.{name} is {Span(where.document, item.span.start, item.span.end).text}"
                            if item.span is not None and item.span.document is where.document
                            else f"var.{name} is one of what its validation allows",
                        )
                        for item in held.items
                    ],
                    value.span,
                )
    return None


def _members(expression: tree.Expression) -> Iterator[tree.Expression]:
    """The members of a conjunction, or the expression itself; iterative."""
    stack = [expression]
    while stack:
        current = stack.pop()
        if isinstance(current, tree.Parenthesized):
            stack.append(current.inner)
        elif isinstance(current, tree.Binary) and current.operator == "&&":
            stack += (current.right, current.left)
        else:
            yield current


def _listed(expression: tree.Expression, name: str) -> tree.Expression | None:
    """The list of ``contains(list, var.name)``."""
    if (
        not isinstance(expression, tree.Call)
        or expression.name.removeprefix("core::") != "contains"
        or len(expression.arguments) != 2  # noqa: PLR2004
        or expression.expand
    ):
        return None
    listed, needle = expression.arguments
    if (
        isinstance(needle, tree.Traversal)
        and isinstance(needle.base, tree.Variable)
        and needle.base.name == "var"
        and len(needle.operations) == 1
        and isinstance(needle.operations[0], tree.Attr)
        and needle.operations[0].name == name
    ):
        return listed
    return None
