"""Terraform expressions to values.

The semantics are those of the HCL Native Syntax Specification ("Expressions") and of Terraform's
language documentation. What an expression refers to is answered by a `Scope`; this module knows
operators, templates, collections, conditionals, `for`, splats and traversals.

Unknown stays unknown with its reason; a conditional whose condition is unknown is one of its two
sides. Evaluation is bounded by a `Budget` of steps and depth; beyond it values are `Unknown(BUDGET)`.
"""

from __future__ import annotations

from itertools import product
from math import isclose
from typing import TYPE_CHECKING, Final, Protocol, cast

from blastdoor.evaluate.functions.base import (
    Call,
    Inexact,
    Mismatch,
    Stop,
    convert_to,
    element_type,
    failure_in,
    known_number,
    number_text,
    parse_number,
    same,
    unknown_like,
)
from blastdoor.evaluate.functions.numbers import combine
from blastdoor.evaluate.kinds import common, is_open
from blastdoor.parse import tree
from blastdoor.span import Document, Span
from blastdoor.value import (
    ANY_SECRET,
    FAILS,
    MAX_ALTERNATIVES,
    MAX_TEXT,
    OPEN_TYPE,
    Alternative,
    Encoded,
    Evidence,
    Inherited,
    Known,
    Many,
    Mapping,
    Meaning,
    OneOf,
    Piece,
    Reason,
    Step,
    Text,
    Unknown,
    Value,
    one_of,
    type_of,
    walk,
    within_budget,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from blastdoor.evaluate.functions import Files
    from blastdoor.value import Type

MAX_STEPS: Final = 3_000_000
"""Most expression nodes that one unit may evaluate."""
MAX_NESTING: Final = 900
"""Deepest chain of expressions within expressions, references followed."""
_WIDE: Final = 2000
"""Nodes of two collections beyond which a choice between them is not followed."""
MAX_LOOP: Final = 20_000
"""Most elements that one ``for`` expression goes through."""


_FRACTION_STEPS: Final = 20
"""What the arithmetic of a number that is not whole costs."""
MAX_SECRETS: Final = 20_000
"""Most texts of one unit that are kept to be masked wherever they appear."""
MAX_SECRET: Final = 10_000
"""Longest of them; no message is as long."""


class Budget:
    """How much evaluation is left for a unit. Mutable, shared by everything in the unit."""

    __slots__ = ("depth", "exceeded", "secrets", "speculative", "steps")

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self.steps = steps
        self.depth = 0
        self.exceeded = False
        """Whether something was left unknown because of a limit."""
        self.speculative = 0
        self.secrets: set[str] = set()
        """Texts of values that must not be printed."""
        """How many enclosing constructs evaluate what may never happen (``try``, an open condition)."""

    def hide(self, value: Value) -> Value:
        """The value with the mark that forbids printing it. Effect: keeps its texts and places."""
        for inner in walk(value):
            text = inner.data if isinstance(inner, Known) else None
            if not isinstance(text, str) or not isinstance(inner, Known) or not text:
                continue
            if len(text) <= MAX_SECRET and len(self.secrets) < MAX_SECRETS:
                self.secrets.add(text)
            for piece in inner.pieces:
                piece.document.secrets.add((piece.start, piece.end))
            span = inner.span
            if span is not None and not inner.pieces and text in span.text:
                span.document.secrets.add((span.start, span.end))
        return value.hidden()


class Scope(Protocol):
    """Answers what names mean where an expression stands."""

    @property
    def files(self) -> Files:
        """The files that functions may read."""

    @property
    def budget(self) -> Budget:
        """How much evaluation is left."""

    def resolve(
        self, name: str, operations: Sequence[tree.Operation], frame: Frame, span: Span
    ) -> tuple[Value, int]:
        """The value of a root name with the first operations, and how many of them it used."""

    def apply(self, name: str, arguments: Sequence[Value], frame: Frame, span: Span) -> Value:
        """What a function gives for evaluated arguments."""

    def missed(self, base: Span, mapping: Mapping, key: Value, frame: Frame, span: Span) -> None:
        """Effect: records that a known key is not in a completely known mapping."""


Bindings = dict[str, Value]


class Frame:
    """Where an expression stands: its document, its scope and the names bound around it."""

    __slots__ = ("bindings", "document", "owner", "scope")

    def __init__(
        self, scope: Scope, document: Document, bindings: Bindings, owner: str = ""
    ) -> None:
        self.scope = scope
        self.document = document
        self.bindings = bindings
        self.owner = owner

    def bind(self, names: Bindings) -> Frame:
        """A frame within this one that knows further names."""
        return Frame(self.scope, self.document, {**self.bindings, **names}, self.owner)

    def span(self, node: tree.Node) -> Span:
        """The span of a node of this frame's document."""
        return Span(self.document, node.start, node.end)


def evaluate(expression: tree.Expression, frame: Frame) -> Value:
    """What ``expression`` is known to be. Never raises."""
    budget = frame.scope.budget
    budget.steps -= 1
    if budget.steps < 0 or budget.depth >= MAX_NESTING:
        budget.exceeded = True
        return Unknown(Reason.BUDGET, "evaluation budget", frame.span(expression))
    budget.depth += 1
    try:
        return _HANDLERS[expression.__class__](expression, frame)
    finally:
        budget.depth -= 1


def _literal(node: tree.Literal, frame: Frame) -> Value:
    return Known(node.value, frame.span(node))


def _broken(node: tree.Broken, frame: Frame) -> Value:
    return Unknown(Reason.SYNTAX, "", frame.span(node))


def _parenthesized(node: tree.Parenthesized, frame: Frame) -> Value:
    return evaluate(node.inner, frame)


# Templates


def _template(node: tree.Template, frame: Frame) -> Value:
    parts = node.parts
    document = frame.document
    if not parts:
        return Known("", Span(document, node.start, node.end))
    if len(parts) == 1:
        only = parts[0]
        if isinstance(only, tree.TextPart):
            return Known(
                only.text,
                Span(document, node.start, node.end),
                (),
                (Piece(only.text, document, only.start, only.end),),
            )
        if isinstance(only, tree.Interpolation) and not node.heredoc:
            return evaluate(only.expression, frame)
    return render(parts, frame, Span(document, node.start, node.end))


def render(parts: Sequence[tree.TemplatePart], frame: Frame, span: Span) -> Value:
    """A template of several parts as a string value."""
    pieces: list[Piece | Value] = []
    render_into(parts, frame, pieces)
    result = joined(pieces, span)
    for piece in pieces:
        if piece.__class__ is not Piece and cast("Value", piece).marks & ANY_SECRET:
            return result.hidden()
    return result


def joined(pieces: list[Piece | Value], span: Span | None) -> Value:
    """A string of pieces and values: `Known` when everything is, `OneOf` or `Text` otherwise."""
    flat: list[Piece | Value] = []
    choice: OneOf | None = None
    choices = 0
    for piece in pieces:
        if isinstance(piece, Piece):
            flat.append(piece)
            continue
        value = piece
        if isinstance(value, Known):
            text = to_text(value)
            if text is None:
                return Unknown(Reason.INVALID, "null in a template", value.span or span)
            flat.extend(_as_pieces(value, text, span))
        elif isinstance(value, Text):
            flat.extend(value.parts)
        elif isinstance(value, OneOf):
            choices += 1
            choice = value
            flat.append(value)
        elif isinstance(value, (Many, Mapping)):
            return Unknown(Reason.INVALID, "collection in a template", value.span or span)
        else:
            flat.append(value)
    if choice is not None and choices == 1 and len(choice.alternatives) <= MAX_ALTERNATIVES:
        return one_of(
            [
                Alternative(
                    joined([a.value if p is choice else p for p in flat], span), a.condition
                )
                for a in choice.alternatives
            ],
            span,
            choice.via,
        )
    if all(isinstance(piece, Piece) for piece in flat):
        whole = cast("list[Piece]", flat)
        text = "".join([piece.text for piece in whole])
        if len(text) > MAX_TEXT:
            return Unknown(Reason.BUDGET, "string too long", span)
        return Known(text, span, (), tuple(whole))
    if len(flat) > MAX_TEXT:
        return Unknown(Reason.BUDGET, "string too long", span)
    return within_budget(Text(tuple(flat), span))


def _as_pieces(value: Known, text: str, span: Span | None) -> Sequence[Piece]:
    if value.pieces:
        return value.pieces
    where = value.span or span
    if where is None:
        return (Piece(text, Document("", text), 0, len(text)),)
    return (Piece(text, where.document, where.start, where.end),)


def render_into(
    parts: Sequence[tree.TemplatePart], frame: Frame, pieces: list[Piece | Value]
) -> None:
    """Effect: adds the literal stretches and the values of template parts to ``pieces``."""
    for part in parts:
        if isinstance(part, tree.TextPart):
            if part.text:
                pieces.append(Piece(part.text, frame.document, part.start, part.end))
        elif isinstance(part, tree.Interpolation):
            value = evaluate(part.expression, frame)
            if value.span is None:
                value = value.at(frame.span(part))
            pieces.append(value)
        elif isinstance(part, tree.IfDirective):
            condition = evaluate(part.condition, frame)
            known = to_bool(condition)
            if (isinstance(condition, Known) and known is None) or condition.marks & FAILS:
                pieces.append(Unknown(Reason.INVALID, "condition", frame.span(part)))
            elif known is None:
                sides = []
                for side, words in ((part.yes, ""), (part.no, "not ")):
                    inner: list[Piece | Value] = []
                    render_into(side, frame, inner)
                    text = frame.span(part.condition).text
                    sides.append(Alternative(joined(inner, frame.span(part)), words + text))
                pieces.append(one_of(sides, frame.span(part)))
            else:
                render_into(part.yes if known else part.no, frame, pieces)
        else:
            _render_loop(part, frame, pieces)


def _render_loop(part: tree.ForDirective, frame: Frame, pieces: list[Piece | Value]) -> None:
    collection = evaluate(part.collection, frame)
    elements = iterate(collection)
    if elements is None or len(elements) > MAX_LOOP:
        reason = collection.reason if isinstance(collection, Unknown) else Reason.RANGE
        pieces.append(Unknown(reason, "for directive", frame.span(part)))
        return
    for key, value in elements:
        names = {part.value: value} if part.key is None else {part.key: key, part.value: value}
        render_into(part.body, frame.bind(names), pieces)


# Conversions


def to_text(value: Value) -> str | None:
    """The string that Terraform converts a known primitive to; ``None`` for null and the rest."""
    if not isinstance(value, Known):
        return None
    data = value.data
    if isinstance(data, str):
        return data
    if data is None:
        return None
    if isinstance(data, bool):
        return "true" if data else "false"
    return number_text(data)


def to_bool(value: Value) -> bool | None:
    """The boolean of a known value, strings converted; ``None`` when it has none."""
    if isinstance(value, Known):
        if isinstance(value.data, bool):
            return value.data
        if value.data in _TRUE:
            return True
        if value.data in _FALSE:
            return False
    return None


_TRUE: Final = ("true", "1")
_FALSE: Final = ("false", "0")
"""Strings that convert to a boolean; numbers do not."""


def to_number(value: Value) -> float | None:
    """The number of a known value, strings converted; ``None`` when it has none."""
    if isinstance(value, Known):
        data = value.data
        if isinstance(data, bool):
            return None
        if isinstance(data, (int, float)):
            return data
        if isinstance(data, str):
            return parse_number(data)
    return None


def iterate(collection: Value) -> list[tuple[Value, Value]] | None:
    """The (key, value) pairs of a completely known collection in Terraform's order, else ``None``."""
    via = collection.via
    if isinstance(collection, Many) and collection.complete:
        items = collection.items
        if via:
            items = tuple([item.through(*via) for item in items])
        if collection.is_set:
            return [(item, item) for item in items]
        return [(Known(number), item) for number, item in enumerate(items)]
    if isinstance(collection, Mapping) and collection.complete:
        spans = collection.key_spans
        return [
            (Known(name, spans.get(name)), item.through(*via) if via else item)
            for name, item in sorted(collection.entries.items())
        ]
    return None


# Operators


def _unary(node: tree.Unary, frame: Frame) -> Value:
    operand = evaluate(node.operand, frame)
    span = frame.span(node)
    result = _distribute(
        (operand,), lambda known: _apply_unary(node.operator, known[0], span), span
    )
    return frame.scope.budget.hide(result) if operand.marks & ANY_SECRET else result


def _apply_unary(operator: str, operand: Value, span: Span) -> Value:
    if operator == "!":
        truth = to_bool(operand)
        if truth is not None:
            return Known(not truth, span)
    else:
        number = to_number(operand)
        if number is not None:
            if isinstance(number, Inexact):
                return known_number(number.negated(), span)
            # Terraform writes the negative of zero as -0.
            return Known(-number if number else -0.0, span)
    return Unknown(Reason.INVALID, operator, span)


def _binary(node: tree.Binary, frame: Frame) -> Value:
    chain: list[tree.Binary] = []
    current: tree.Expression = node
    while isinstance(current, tree.Binary):
        chain.append(current)
        current = current.left
    left = evaluate(current, frame)
    for step in reversed(chain):
        left = _binary_step(step, left, frame)
    return left


def _binary_step(node: tree.Binary, left: Value, frame: Frame) -> Value:
    result, right = _operated(node, left, frame)
    marks = left.marks if right is None else left.marks | right.marks
    return frame.scope.budget.hide(result) if marks & ANY_SECRET else result


def _operated(node: tree.Binary, left: Value, frame: Frame) -> tuple[Value, Value | None]:
    """What an operator makes of its operands, and the right one where it was evaluated."""
    operator = node.operator
    span = frame.span(node)
    if operator in ("&&", "||"):
        decisive = operator == "||"
        if to_bool(left) is decisive:
            return Known(decisive, span), None
        right = evaluate(node.right, frame)
        return _logical(operator, left, right, span), right
    right = evaluate(node.right, frame)
    one, other = _written(left, frame, span), _written(right, frame, span)
    if operator not in ("==", "!="):
        result = _distribute(
            (one, other), lambda known: _arithmetic(operator, known[0], known[1], span), span
        )
        if isinstance(result, Known) and isinstance(result.data, float):
            frame.scope.budget.steps -= _FRACTION_STEPS
        return result, right
    for side in (one, other):
        if side.marks & FAILS:
            return _missing(failure_in(side), span), right
    found = equal(one, other)
    if found is not None:
        return Known(found is (operator == "=="), span), right
    return _missing(other if one.resolved else one, span), right


def _logical(operator: str, left: Value, right: Value, span: Span) -> Value:
    """``&&`` or ``||`` where the left operand does not decide alone."""
    decisive = operator == "||"
    truth, other = to_bool(left), to_bool(right)
    for side in (left, right):
        if side.marks & FAILS:
            return _missing(failure_in(side), span)
        if isinstance(side, (Many, Mapping)) or (isinstance(side, Known) and to_bool(side) is None):
            return Unknown(Reason.INVALID, operator, span)
    if other is decisive:
        return Known(decisive, span)
    if truth is not None and other is not None:
        return Known(not decisive, span)
    return _missing(left if truth is None else right, span)


def _written(value: Value, frame: Frame, span: Span) -> Value:
    """A JSON text that is wholly known as the string that it is; any other value as it stands."""
    if not isinstance(value, Encoded) or not value.resolved:
        return value
    try:
        return Known(Call("jsonencode", span, frame.scope.files).json(value), span)
    except Stop as stop:
        return stop.value


def _missing(value: Value, span: Span) -> Value:
    """An unknown for the same reason as ``value``."""
    if isinstance(value, OneOf):
        return Unknown(Reason.NO_VALUE, "condition", span)
    if value.resolved:
        return Unknown(Reason.INVALID, "", span)
    cause = unknown_like(value, span)
    return Unknown(cause.reason, cause.subject, span)


def equal(left: Value, right: Value) -> bool | None:
    """Whether two values are equal; ``None`` when that cannot be known."""
    for one, other in ((left, right), (right, left)):
        # A JSON text is never empty, and never null.
        if isinstance(one, Encoded) and isinstance(other, Known) and other.data in (None, ""):
            return False
    return same(left, right)


def _arithmetic(operator: str, left: Value, right: Value, span: Span) -> Value:
    one, other = to_number(left), to_number(right)
    if one is None or other is None:
        return Unknown(Reason.INVALID, operator, span)
    if operator in _COMPARISONS:
        inexact = isinstance(one, Inexact) or isinstance(other, Inexact)
        if inexact and isclose(one, other):
            return Unknown(Reason.BUDGET, "digits of a quotient", span)
        return Known(_COMPARISONS[operator](one, other), span)
    if operator in ("/", "%") and other == 0:
        return Unknown(Reason.INVALID, "division by zero", span)
    if (
        isinstance(one, int)
        and isinstance(other, int)
        and max(one.bit_length(), other.bit_length()) > 4096  # noqa: PLR2004  a number nobody writes
    ):
        return Unknown(Reason.BUDGET, "number too large", span)
    try:
        result = combine(operator, one, other)
    except (OverflowError, ValueError, ZeroDivisionError):
        return Unknown(Reason.BUDGET, "number too large", span)
    if result - result != 0:
        return Unknown(Reason.BUDGET, "number too large", span)
    return known_number(result, span)


_COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": lambda one, other: one < other,
    ">": lambda one, other: one > other,
    "<=": lambda one, other: one <= other,
    ">=": lambda one, other: one >= other,
}


def _distribute(
    values: tuple[Value, ...], apply: Callable[[tuple[Value, ...]], Value], span: Span
) -> Value:
    """``apply`` over every combination of alternatives; the first unknown operand decides."""
    simple = True
    for value in values:
        if isinstance(value, (Unknown, Text)):
            return _missing(value, span)
        if isinstance(value, OneOf):
            simple = False
    if simple:
        return apply(values)
    options = [
        value.alternatives if isinstance(value, OneOf) else (Alternative(value, ""),)
        for value in values
    ]
    results: list[Alternative] = []
    for combination in product(*options):
        if len(results) > MAX_ALTERNATIVES * 4:
            return Unknown(Reason.BUDGET, "alternatives", span)
        condition = " and ".join(a.condition for a in combination if a.condition)
        inner = _distribute(tuple(a.value for a in combination), apply, span)
        results.append(Alternative(inner, condition))
    return one_of(results, span)


def _conditional(node: tree.Conditional, frame: Frame) -> Value:
    condition = evaluate(node.condition, frame)
    truth = to_bool(condition)
    span = frame.span(node)
    if truth is not None:
        result = _unified(
            evaluate(node.yes if truth else node.no, frame),
            node.no if truth else node.yes,
            frame,
            span,
        )
        return frame.scope.budget.hide(result) if condition.secret else result
    if isinstance(condition, (Known, Many, Mapping)):
        return Unknown(Reason.INVALID, "condition", span)
    if condition.marks & FAILS:
        return _missing(failure_in(condition), span)
    budget = frame.scope.budget
    budget.speculative += 1
    try:
        yes = evaluate(node.yes, frame)
        no = evaluate(node.no, frame)
    finally:
        budget.speculative -= 1
    if yes is no or yes.key() == no.key():
        return yes
    text = frame.span(node.condition).text
    if (
        isinstance(yes, (Many, Mapping))
        and isinstance(no, (Many, Mapping))
        and yes.size + no.size > _WIDE
    ):
        return _missing(condition, span)
    return one_of((Alternative(yes, text), Alternative(no, f"not ({text})")), span)


_ARITHMETIC: Final = frozenset("+-*/%")
_LITERALS: Final = {str: "string", bool: "bool", int: "number", float: "number"}


def _written_type(node: tree.Expression, frame: Frame) -> Type:
    """The type of an expression, without evaluating it where its form says it."""
    while isinstance(node, tree.Parenthesized):
        node = node.inner
    if isinstance(node, tree.Literal):
        return "any" if node.value is None else _LITERALS[node.value.__class__]
    if isinstance(node, tree.Template) and (
        node.heredoc or len(node.parts) != 1 or isinstance(node.parts[0], tree.TextPart)
    ):
        return "string"
    if isinstance(node, tree.Binary):
        return "number" if node.operator in _ARITHMETIC else "bool"
    if isinstance(node, tree.Unary):
        return "bool" if node.operator == "!" else "number"
    if isinstance(node, tree.Conditional):
        sides = (_written_type(node.yes, frame), _written_type(node.no, frame))
        return common(sides) or OPEN_TYPE
    if isinstance(node, tree.TupleExpression) and not node.items:
        return ("tuple", ())
    if isinstance(node, tree.ObjectExpression) and not node.items:
        return ("object", ())
    budget = frame.scope.budget
    budget.speculative += 1
    try:
        return type_of(evaluate(node, frame))
    finally:
        budget.speculative -= 1


def _unified(chosen: Value, other: tree.Expression, frame: Frame, span: Span) -> Value:
    """The chosen side of a conditional as one of the type that both sides have in common."""
    if isinstance(chosen, (Unknown, OneOf)):
        return chosen
    type_ = type_of(chosen)
    against = _written_type(other, frame)
    if against in (type_, "any", OPEN_TYPE) or (is_open(against) and type_ == "any"):
        return chosen
    found = against if type_ == "any" else common((type_, against))
    if found is None:
        return Unknown(Reason.INVALID, "sides of a conditional without a common type", span)
    call = Call("conditional", span, frame.scope.files)
    try:
        return convert_to(call, chosen, found)
    except Mismatch:
        return Unknown(Reason.INVALID, "sides of a conditional without a common type", span)


# Collections


def _tuple(node: tree.TupleExpression, frame: Frame) -> Value:
    items = tuple([evaluate(item, frame) for item in node.items])
    return within_budget(Many(items, frame.span(node)))


def _object(node: tree.ObjectExpression, frame: Frame) -> Value:
    entries: dict[str, Value] = {}
    key_spans: dict[str, Span] = {}
    complete = True
    for item in node.items:
        key: Value | None = None
        name = _plain(item.key)
        if name is None:
            key = evaluate(item.key, frame)
            name = to_text(key)
        value = evaluate(item.value, frame)
        if name is None:
            if isinstance(key, Known):
                return Unknown(Reason.INVALID, "null as a key", frame.span(item.key))
            complete = False
            continue
        entries[name] = value
        key_spans[name] = frame.span(item.key)
    return within_budget(Mapping(entries, frame.span(node), complete=complete, key_spans=key_spans))


def _plain(key: tree.Expression) -> str | None:
    """A key that is written as a name or a plain string, as most are."""
    if key.__class__ is tree.Template:
        parts = key.parts
        if len(parts) == 1 and parts[0].__class__ is tree.TextPart:
            return parts[0].text
    return None


def _for(node: tree.ForExpression, frame: Frame) -> Value:
    collection = evaluate(node.collection, frame)
    span = frame.span(node)
    if isinstance(collection, OneOf):
        return one_of(
            [
                Alternative(_for_over(node, a.value, frame, span), a.condition)
                for a in collection.alternatives
            ],
            span,
        )
    return _for_over(node, collection, frame, span)


def _for_over(node: tree.ForExpression, collection: Value, frame: Frame, span: Span) -> Value:
    elements = iterate(collection)
    complete = elements is not None
    if elements is None:
        if isinstance(collection, Many):
            elements = [(Unknown(Reason.RANGE), item) for item in collection.items]
        elif isinstance(collection, Mapping):
            elements = [(Known(name), item) for name, item in collection.entries.items()]
        elif isinstance(collection, Unknown):
            return _for_unknown(node, collection, frame, span)
        else:
            return _missing(collection, span)
    if len(elements) > MAX_LOOP:
        return Unknown(Reason.BUDGET, f"for over {len(elements)} elements", span)
    items: list[Value] = []
    entries: dict[str, Value] = {}
    key_spans: dict[str, Span] = {}
    groups: dict[str, list[Value]] = {}
    size = 0
    for key, element in elements:
        inner = frame.bind(_loop_names(node, key, element))
        keep: bool | None = True
        if node.condition is not None:
            keep = to_bool(evaluate(node.condition, inner))
            if keep is False:
                continue
            if keep is None:
                complete = False
                continue
        value = evaluate(node.result_value, inner)
        size += value.size
        if size > 400_000:  # noqa: PLR2004  twice the budget of one value
            return Unknown(Reason.BUDGET, "for result too large", span)
        if node.result_key is None:
            items.append(value)
            continue
        result_key = evaluate(node.result_key, inner)
        name = to_text(result_key)
        if name is None:
            if isinstance(result_key, Known):
                return Unknown(Reason.INVALID, "null as a key", span)
            complete = False
        elif node.grouping:
            groups.setdefault(name, []).append(value)
        elif name in entries:
            return Unknown(Reason.INVALID, f"key {name!r} twice", span)
        else:
            entries[name] = value
            if result_key.span is not None:
                key_spans[name] = result_key.span
    if node.result_key is None:
        return within_budget(Many(tuple(items), span, complete=complete))
    if node.grouping:
        entries = {name: Many(tuple(group), span) for name, group in groups.items()}
    return within_budget(Mapping(entries, span, complete=complete, key_spans=key_spans))


def _for_unknown(node: tree.ForExpression, collection: Unknown, frame: Frame, span: Span) -> Value:
    """A ``for`` over a collection that is not known: keeps what the elements stand for."""
    element = element_of(collection)
    inner = frame.bind(_loop_names(node, Unknown(Reason.RANGE, collection.subject), element))
    budget = frame.scope.budget
    budget.speculative += 1
    try:
        result = evaluate(node.result_value, inner)
        key = evaluate(node.result_key, inner) if node.result_key is not None else None
    finally:
        budget.speculative -= 1
    for candidate in (key, result):
        if (
            isinstance(candidate, Unknown)
            and candidate.meaning is Meaning.EACH_REGION
            and node.condition is None
        ):
            return Unknown(
                collection.reason,
                collection.subject,
                span,
                collection.via,
                meaning=Meaning.EVERY_REGION,
                partition=collection.partition,
            )
    return Unknown(collection.reason, collection.subject, span, collection.via)


def element_of(collection: Value) -> Value:
    """What stands for any one element of a collection that is not known."""
    if isinstance(collection, Unknown):
        meaning = Meaning.EACH_REGION if collection.meaning is Meaning.EVERY_REGION else None
        return Unknown(
            Reason.RANGE if meaning is None else collection.reason,
            f"each of {collection.subject}" if collection.subject else "each",
            collection.span,
            collection.via,
            meaning=meaning,
            partition=collection.partition,
        )
    return Unknown(Reason.RANGE, "each", collection.span, collection.via)


def _loop_names(node: tree.ForExpression, key: Value, value: Value) -> Bindings:
    if node.key_name is None:
        return {node.value_name: value}
    return {node.key_name: key, node.value_name: value}


# Traversals


def _variable(node: tree.Variable, frame: Frame) -> Value:
    bound = frame.bindings.get(node.name)
    if bound is not None:
        return bound
    value, _used = frame.scope.resolve(node.name, (), frame, frame.span(node))
    return value


def _traversal(node: tree.Traversal, frame: Frame) -> Value:
    base = node.base
    operations = node.operations
    used = 0
    if isinstance(base, tree.Variable):
        bound = frame.bindings.get(base.name)
        if bound is not None:
            value = bound
        else:
            here = frame.span(node)
            value, used = frame.scope.resolve(base.name, operations, frame, here)
            if value.via and (not isinstance(value, Unknown) or value.meaning is not None):
                value = value.through(Evidence(Step.ATTRIBUTE, "used here", here))
    else:
        value = evaluate(base, frame)
    while used < len(operations):
        operation = operations[used]
        used += 1
        if isinstance(operation, tree.Splat):
            value = _splat(value, operation, frame, frame.span(node))
        else:
            value = _step(value, operation, frame, node)
    return value


def _step(
    value: Value, operation: tree.Attr | tree.Index, frame: Frame, node: tree.Traversal
) -> Value:
    span = Span(frame.document, node.start, operation.end)
    if isinstance(operation, tree.Attr):
        return select(value, Known(operation.name), span)
    key = evaluate(operation.key, frame)
    base = Span(frame.document, node.start, operation.start)
    if isinstance(key, OneOf):
        return one_of(
            [
                Alternative(_select_checked(value, a.value, span, frame, base), a.condition)
                for a in key.alternatives
            ],
            span,
        )
    return _select_checked(value, key, span, frame, base)


def _select_checked(value: Value, key: Value, span: Span, frame: Frame, base: Span) -> Value:
    if (
        isinstance(value, Mapping)
        and value.complete
        and isinstance(key, Known)
        and isinstance(key.data, str)
        and key.data not in value.entries
    ):
        if not frame.scope.budget.speculative:
            frame.scope.missed(base, value, key, frame, span)
        return Unknown(Reason.INVALID, f"no key {key.data!r}", span)
    return select(value, key, span)


def select(value: Value, key: Value, span: Span) -> Value:
    """``value[key]`` or ``value.key``."""
    if isinstance(value, OneOf):
        return one_of(
            [Alternative(select(a.value, key, span), a.condition) for a in value.alternatives],
            span,
            value.via,
        )
    if isinstance(key, OneOf):
        return one_of(
            [Alternative(select(value, a.value, span), a.condition) for a in key.alternatives],
            span,
        )
    if isinstance(value, Unknown):
        return _select_unknown(value, key, span)
    if not isinstance(key, Known):
        return _any_element(value, key, span)
    if isinstance(value, Mapping):
        name = to_text(key)
        found = value.entries.get(name) if name is not None else None
        if found is not None:
            return found.through(*value.via) if value.via else found
        if value.complete:
            return Unknown(Reason.INVALID, f"no key {name!r}", span)
        return Unknown(Reason.RANGE, str(name), span, value.via)
    if isinstance(value, Many):
        number = to_number(key)
        if isinstance(number, int) and not value.is_set:
            if value.complete and 0 <= number < len(value.items):
                item = value.items[number]
                return item.through(*value.via) if value.via else item
            if value.complete:
                return Unknown(Reason.INVALID, f"no element {number}", span)
            return Unknown(Reason.RANGE, str(number), span)
        if isinstance(key.data, str) and number is None:
            # The legacy attribute access on a list of blocks: a.b means a[0].b in JSON plans only.
            return Unknown(Reason.INVALID, f"no attribute {key.data!r}", span)
    return Unknown(Reason.INVALID, "not a collection", span)


def _select_unknown(value: Unknown, key: Value, span: Span) -> Value:
    name = to_text(key)
    if name is None:
        suffix = "[…]"
    elif isinstance(key, Known) and isinstance(key.data, str):
        suffix = f".{name}"
    else:
        suffix = f"[{name}]"
    meaning = None
    if value.meaning is Meaning.EACH_REGION:
        meaning = Meaning.EACH_REGION
    return Unknown(
        value.reason,
        (value.subject + suffix)[:200] if value.subject else "",
        span,
        value.via,
        meaning=meaning,
        partition=value.partition if meaning else None,
    )


def _any_element(value: Value, key: Value, span: Span) -> Value:
    """``value[key]`` where only the key is unknown: one of the elements, when they are few."""
    if isinstance(key, (Many, Mapping)):
        return Unknown(Reason.INVALID, "a collection as a key", span)
    if isinstance(key, Unknown) and key.reason is Reason.INVALID:
        return _missing(key, span)
    items: Sequence[Value] = ()
    if isinstance(value, Mapping) and value.complete:
        items = list(value.entries.values())
    elif isinstance(value, Many) and value.complete:
        items = value.items
    if items and len(items) <= MAX_ALTERNATIVES:
        return one_of([Alternative(item, "") for item in items], span, value.via)
    return _missing(key, span)


def _splat(value: Value, operation: tree.Splat, frame: Frame, span: Span) -> Value:
    if isinstance(value, OneOf):
        return one_of(
            [
                Alternative(_splat(a.value, operation, frame, span), a.condition)
                for a in value.alternatives
            ],
            span,
        )
    if isinstance(value, Known) and value.data is None:
        return Many((), span)
    if isinstance(value, Inherited):
        return Unknown(value.reason, value.subject, span)
    if isinstance(value, Unknown):
        result: Value = value
        for step in operation.operations:
            if isinstance(result, Unknown) and not isinstance(step, tree.Splat):
                result = _select_unknown(result, _splat_key(step, frame), span)
        return result
    elements = value.items if isinstance(value, Many) else (value,)
    complete = value.complete if isinstance(value, Many) else True
    items = [follow(element, operation.operations, frame, span) for element in elements]
    element: Type | None = None
    if isinstance(value, Many) and (value.is_set or value.element is not None):
        element = element_type(items) if items and operation.operations else value.element
        if not items and operation.operations:
            element = OPEN_TYPE
    return within_budget(Many(tuple(items), span, value.via, complete=complete, element=element))


def follow(value: Value, operations: Sequence[tree.Operation], frame: Frame, span: Span) -> Value:
    """A value after further attribute, index and splat operations."""
    for step in operations:
        if isinstance(step, tree.Splat):
            value = _splat(value, step, frame, span)
        else:
            value = select(value, _splat_key(step, frame), span)
    return value


def _splat_key(step: tree.Attr | tree.Index, frame: Frame) -> Value:
    return Known(step.name) if isinstance(step, tree.Attr) else evaluate(step.key, frame)


# Calls

_SHOWING: Final = frozenset({"issensitive", "nonsensitive"})
"""Functions that may show something of what must not be printed."""
_GUARDED: Final = frozenset({"try", "can", "lookup", "contains"})


def _call(node: tree.Call, frame: Frame) -> Value:
    name = node.name.removeprefix("core::")
    span = frame.span(node)
    budget = frame.scope.budget
    guarded = name in _GUARDED
    budget.speculative += guarded
    try:
        arguments = [evaluate(argument, frame) for argument in node.arguments]
    finally:
        budget.speculative -= guarded
    if node.expand and arguments:
        last = arguments.pop()
        if isinstance(last, Many) and last.complete:
            arguments.extend(last.items)
        elif isinstance(last, OneOf) and len(last.alternatives) <= MAX_ALTERNATIVES:
            return one_of(
                [
                    Alternative(_call_expanded(name, arguments, a.value, span, frame), a.condition)
                    for a in last.alternatives
                ],
                span,
            )
        else:
            return _missing(last, span)
    if name == "templatestring" and len(arguments) == 2:  # noqa: PLR2004
        return _templatestring(arguments[0], arguments[1], span, frame)
    result = frame.scope.apply(name, arguments, frame, span)
    marks = 0
    for argument in arguments:
        marks |= argument.marks
    passed_on = name in _SHOWING or result.marks & ANY_SECRET
    if name == "sensitive" or (marks & ANY_SECRET and not passed_on):
        result = budget.hide(result)
    if result.size > _WIDE:
        # What a function copies is work, too: a few calls may double a list again and again.
        budget.steps -= result.size
    return result


def _templatestring(template: Value, variables: Value, span: Span, frame: Frame) -> Value:
    """A template that is itself a value, rendered with ``variables``."""
    if isinstance(template, OneOf):
        return one_of(
            [
                Alternative(_templatestring(a.value, variables, span, frame), a.condition)
                for a in template.alternatives
            ],
            span,
        )
    text = to_text(template)
    if text is None:
        return _missing(template, span)
    if not isinstance(variables, Mapping) or not variables.complete:
        return _missing(variables, span)
    from blastdoor.parse.hcl import parse_template

    document = Document(span.path, text)
    expression, faults = parse_template(document)
    if faults:
        return Unknown(Reason.INVALID, "templatestring()", span)
    inner = Frame(_Bare(frame.scope), document, dict(variables.entries))
    value = evaluate(expression, inner)
    # Positions within the inner document say nothing to a reader.
    return Known(value.data, span) if isinstance(value, Known) else _missing(value, span)


class _Bare:
    """What names mean in a template: only its variables."""

    def __init__(self, scope: Scope) -> None:
        self.outer = scope
        self.files = scope.files
        self.budget = scope.budget

    def resolve(  # the protocol's arguments
        self,
        name: str,
        operations: Sequence[tree.Operation],  # noqa: ARG002
        frame: Frame,  # noqa: ARG002
        span: Span,
    ) -> tuple[Value, int]:
        """No name is known beyond the variables."""
        return Unknown(Reason.INVALID, name, span), 0

    def missed(self, base: Span, mapping: Mapping, key: Value, frame: Frame, span: Span) -> None:
        """A template's lookups are not recorded."""

    def apply(self, name: str, arguments: Sequence[Value], frame: Frame, span: Span) -> Value:
        """What a function gives where the template is called."""
        return self.outer.apply(name, arguments, frame, span)


def _call_expanded(
    name: str, arguments: list[Value], last: Value, span: Span, frame: Frame
) -> Value:
    if isinstance(last, Many) and last.complete:
        return frame.scope.apply(name, [*arguments, *last.items], frame, span)
    return _missing(last, span)


_HANDLERS: Final = cast(
    "dict[type[tree.Expression], Callable[[tree.Expression, Frame], Value]]",
    {
        tree.Literal: _literal,
        tree.Template: _template,
        tree.Variable: _variable,
        tree.Traversal: _traversal,
        tree.Call: _call,
        tree.Unary: _unary,
        tree.Binary: _binary,
        tree.Conditional: _conditional,
        tree.TupleExpression: _tuple,
        tree.ObjectExpression: _object,
        tree.ForExpression: _for,
        tree.Parenthesized: _parenthesized,
        tree.Broken: _broken,
    },
)
