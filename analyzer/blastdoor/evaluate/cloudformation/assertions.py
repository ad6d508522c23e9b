"""The ``Rules`` of a template: what CloudFormation asks of parameters before it deploys anything.

A stack whose parameters break an assertion is refused, so an assertion that holds for every deployment
says which values a parameter can have. Read are those of rules without a ``RuleCondition`` that compare
one parameter with written texts; what else there is, is counted.

Source: AWS CloudFormation User Guide, "Rules section"; Template Reference, "Rule-specific intrinsic
functions".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from blastdoor.evaluate.cloudformation.template import fields, text_of
from blastdoor.parse.data import Mapping, Scalar, Sequence
from blastdoor.span import Span
from blastdoor.value import Reason, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.evaluate.cloudformation.template import Template
    from blastdoor.parse.data import Node

_PAIR: Final = 2
_MAX_PARTS: Final = 1_000
"""Parts of one assertion that are looked at."""


class Assertion(NamedTuple):
    """Texts of which a parameter has to be one, or has to be none."""

    rule: str
    parameter: str
    texts: tuple[Scalar, ...]
    among: bool
    """Whether it has to be one of them."""
    node: Node
    """What says so."""


def assertions(template: Template) -> tuple[dict[str, list[Assertion]], list[Unknown]]:
    """Parameter → what is asserted of it, and what stands for the rules that are not read."""
    found: dict[str, list[Assertion]] = {}
    unread: list[Unknown] = []
    for name, (key, body) in template.section("Rules").items():
        parts = fields(body)
        span = Span(template.document, key.start, key.end)
        if "RuleCondition" in parts:
            # It holds for some deployments, and nothing says for which.
            unread.append(Unknown(Reason.NO_VALUE, f"Rules.{name}", span))
            continue
        entry = parts.get("Assertions")
        items = entry[1].items if entry is not None and isinstance(entry[1], Sequence) else []
        complete = bool(items)
        for item in items:
            said = fields(item).get("Assert")
            read = None if said is None else _read(name, said[1])
            if read is None:
                complete = False
                continue
            for assertion in read:
                found.setdefault(assertion.parameter, []).append(assertion)
        if not complete:
            unread.append(Unknown(Reason.FUNCTION, f"Rules.{name}", span))
    return found, unread


def _read(rule: str, node: Node) -> list[Assertion] | None:
    """What an expression asserts, all of it; ``None`` where a part of it is not read."""
    found: list[Assertion] = []
    pending: list[tuple[Node, bool]] = [(node, True)]
    for _ in range(_MAX_PARTS):
        if not pending:
            return found
        current, holding = pending.pop()
        if not isinstance(current, Mapping) or len(current.entries) != 1:
            return None
        key, inner = current.entries[0]
        items = inner.items if isinstance(inner, Sequence) else []
        if key.value == "Fn::Not" and len(items) == 1:
            pending.append((items[0], not holding))
        elif (key.value == "Fn::And" and holding) or (key.value == "Fn::Or" and not holding):
            pending.extend([(item, holding) for item in items])
        else:
            compared = list(_compared(key.value, items))
            if not compared:
                return None
            parameter, texts = compared[0]
            found.append(Assertion(rule, parameter, texts, holding, current))
    return None


def _compared(function: object, items: list[Node]) -> Iterator[tuple[str, tuple[Scalar, ...]]]:
    """(parameter, texts) of ``Fn::Equals`` and ``Fn::Contains`` that compare the two."""
    if len(items) != _PAIR:
        return
    if function == "Fn::Equals":
        for one, other in (items, items[::-1]):
            name = _parameter(one)
            if name is not None and _is_text(other):
                assert isinstance(other, Scalar)
                yield name, (other,)
    elif function == "Fn::Contains":
        name = _parameter(items[1])
        given = items[0].items if isinstance(items[0], Sequence) else []
        texts = tuple([item for item in given if isinstance(item, Scalar) and _is_text(item)])
        if name is not None and texts and len(texts) == len(given):
            yield name, texts


def _parameter(node: Node) -> str | None:
    reference = fields(node).get("Ref")
    return None if reference is None else text_of(reference[1])


def _is_text(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is not None
