"""Nodes of a template to values: parameters, mappings, conditions and intrinsic functions.

Source: AWS CloudFormation Template Reference, "Intrinsic function reference"; AWS CloudFormation User
Guide, "Template anatomy".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from blastdoor import tables
from blastdoor.evaluate.cloudformation import values
from blastdoor.evaluate.cloudformation.assertions import assertions
from blastdoor.evaluate.cloudformation.template import INCLUDE, Template, fields, plain, text_of
from blastdoor.evaluate.expression import Budget, joined, to_text
from blastdoor.evaluate.scalars import placed
from blastdoor.parse.data import Mapping as MappingNode
from blastdoor.parse.data import Node, Scalar
from blastdoor.parse.data import Sequence as SequenceNode
from blastdoor.record import dataclass
from blastdoor.span import Rendered, Span
from blastdoor.value import (
    MAX_ALTERNATIVES,
    Alternative,
    Encoded,
    Evidence,
    Inherited,
    Known,
    Many,
    Mapping,
    Meaning,
    Null,
    OneOf,
    Piece,
    Reason,
    Step,
    Text,
    Unknown,
    Value,
    alternatives,
    one_of,
    within_budget,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from collections.abc import Mapping as AbstractMapping

    from blastdoor.evaluate.cloudformation.assertions import Assertion
    from blastdoor.span import Document

MAX_STEPS: Final = 250_000
"""Nodes that the evaluation of one unit may visit."""
MAX_DEPTH: Final = 400
"""How deep nodes nest in one another, aliases followed."""
MAX_LOOP: Final = 1_000
"""Turns of one ``Fn::ForEach``."""
_MAX_ITEMS: Final = 10_000

_placeholder = re.compile(r"\$\{(!?)([^{}]*+)\}")
_dynamic = re.compile(
    r"\{\{resolve:(ssm|ssm-secure|secretsmanager):((?:\$\{[^{}]*+\}|[^{}])*+)\}\}"
)
_loop_name = re.compile(r"[$&]\{([A-Za-z0-9]++)\}")
_LOOP: Final = "Fn::ForEach"
_LIST_TYPES: Final = ("List<", "CommaDelimitedList", "AWS::SSM::Parameter::Value<List<")
_STORED: Final = "AWS::SSM::Parameter::Value<"


@dataclass(frozen=True, slots=True)
class Given:
    """What one deployment of a template says of its parameters."""

    name: str
    """Words for the deployment: ``samconfig.toml [prod]``; ``""`` where it is the only one."""
    parameters: AbstractMapping[str, Value]
    """The values it gives, with their evidence; a parameter it leaves out has its default."""


class Entry(NamedTuple):
    """An entry of a section, with the names of the loops around it."""

    key: Scalar
    node: Node
    scope: Scope


class Scope:
    """What holds where a node stands: conditions that are decided, and names of loops."""

    __slots__ = ("assumed", "key", "names", "owner")

    def __init__(
        self,
        owner: str = "",
        assumed: AbstractMapping[str, bool] | None = None,
        names: AbstractMapping[str, Value] | None = None,
    ) -> None:
        self.owner = owner
        self.assumed = assumed or {}
        self.names = names or {}
        self.key = (
            tuple(sorted(self.assumed.items())),
            tuple([(name, value.key()) for name, value in sorted(self.names.items())]),
        )

    def assume(self, decided: AbstractMapping[str, bool]) -> Scope:
        """The scope with further conditions decided."""
        return Scope(self.owner, {**self.assumed, **decided}, self.names)

    def bind(self, names: AbstractMapping[str, Value]) -> Scope:
        """The scope with further names."""
        return Scope(self.owner, self.assumed, {**self.names, **names})


class Evaluator:
    """The values of one template with one set of inputs."""

    def __init__(
        self,
        template: Template,
        *,
        place: values.Place = values.ANYWHERE,
        given: Sequence[Given] = (),
        budget: Budget | None = None,
        outputs: Callable[[str, str, Span], Value | None] | None = None,
        generated: Callable[[str], bool] | None = None,
    ) -> None:
        self.template = template
        self.document = template.document
        self.place = place
        self.given = given
        self.budget = budget or Budget(MAX_STEPS)
        self.outputs = outputs
        self.generated = generated or (lambda _name: False)
        self.exports: Callable[[str], Value | None] = lambda _name: None
        """What the only template of the repository that exports a name gives for it."""
        self.snippets: Callable[[str], tuple[Document, Node] | None] = lambda _place: None
        """The file of the repository that ``AWS::Include`` takes from a place."""
        self.opaque: dict[tuple[str, int, int], Unknown] = {}
        """What stands for a macro or module whose work is not known, by its place."""
        self.missed: list[tuple[str, tuple[str, ...], Value, Span, str, Span]] = []
        """Lookups of a mapping that lacks the key: name, its keys, key, place, owner, mapping."""
        self.fallbacks: list[tuple[str, bool, Value, Span, str]] = []
        """What ``FindInMap`` takes for a missing key: tried, known, value, place, owner."""
        self.by_region: dict[str, tuple[tuple[str, ...], Span]] = {}
        """Mapping that is asked for the region of the stack, which nobody knows → its regions."""
        self.optional = False
        """Whether something is there only under a condition that is open."""
        self._parameters: dict[str, Value] = {}
        self._conditions: dict[tuple[str, object], bool | None] = {}
        self._asserted: dict[str, list[Assertion]] | None = None
        self._included: dict[str, tuple[Evaluator, Node] | None] = {}
        self._open: set[str] = set()
        self._depth = 0
        self._kept: dict[tuple[int, object], Value] = {}
        self._expanded: dict[str, dict[str, Entry]] = {}
        self._endless: set[str] = set()
        """Sections with a loop over what is not known: they may hold any name."""

    def forget(self) -> None:
        """Effect: lets go of every value and of what it asks."""
        self.outputs = None
        self.generated = lambda _name: False
        self.exports = lambda _name: None
        self.snippets = lambda _place: None
        self._included.clear()
        self._kept.clear()
        self._parameters.clear()
        self._conditions.clear()

    def depth_from(self, outer: Evaluator) -> None:
        """Effect: counts what nests in one another from where another evaluation is."""
        self._depth = outer._depth

    # Nodes

    def place_of(self, node: Node) -> Span:
        """Where a node of a section of the template stands."""
        return self.span(node)

    def span(self, node: Node) -> Span:
        """Where a node stands."""
        return self._at(node.start, node.end)

    def _at(self, start: int, end: int) -> Span:
        """A range of the template: in the text that it is written in, where another holds it."""
        document = self.document
        if isinstance(document, Rendered):
            return document.origin(start, end)
        return Span(document, start, end)

    def evaluate(self, node: Node, scope: Scope) -> Value:
        """The value of a node."""
        if node.__class__ is Scalar:
            return self._scalar(node, scope)
        token = (id(node), scope.key)
        kept = self._kept.get(token)
        if kept is not None:
            return kept
        budget = self.budget
        budget.steps -= 1
        if budget.steps <= 0 or self._depth >= MAX_DEPTH:
            budget.exceeded = True
            return Unknown(Reason.BUDGET, scope.owner, self.span(node))
        self._depth += 1
        try:
            if isinstance(node, SequenceNode):
                value = self._sequence(node, scope)
            else:
                assert isinstance(node, MappingNode)
                value = self._mapping(node, scope)
        finally:
            self._depth -= 1
        self._kept[token] = value
        return value

    def _scalar(self, node: Scalar, scope: Scope) -> Value:
        data = node.value
        span = self._at(node.start, node.end)
        if data.__class__ is not str:
            return Null("any", span) if data is None else Known(data, span)
        assert isinstance(data, str)
        pieces = self.pieces(node, data)
        if scope.names and ("${" in data or "&{" in data):
            return self._looped(data, pieces, scope, span)
        if "{{resolve:" in data:
            return _with_stored(pieces, span)
        return Known(data, span, (), pieces)

    def pieces(self, node: Scalar, data: str) -> tuple[Piece, ...]:
        """Where the text of a scalar stands: one piece, or one for each line of a block scalar."""
        document, start, end = self.document, node.start, node.end
        if isinstance(document, Rendered):
            return _origins(placed(document, start, end, data), document)
        return placed(document, start, end, data)

    def _sequence(self, node: SequenceNode, scope: Scope) -> Value:
        items: list[Value] = []
        complete = True
        for item in node.items:
            value = self.evaluate(item, scope)
            if isinstance(value, Known) and value.data is None:
                continue
            if isinstance(value, Unknown) and value.reason is Reason.MACRO:
                complete = False
            items.append(value)
        return within_budget(Many(tuple(items), self.span(node), complete=complete))

    def _mapping(self, node: MappingNode, scope: Scope) -> Value:
        entries = node.entries
        if len(entries) == 1:
            key, inner = entries[0]
            name = key.value
            assert isinstance(name, str)
            handler = _HANDLERS.get(name)
            if handler is not None:
                return self._used(handler(self, inner, scope, self.span(node)), node, scope)
            if name.startswith(("!", "Rain::")):
                return self._foreign(name, self.span(node))
            if name.startswith("Fn::") and not name.startswith(_LOOP):
                return Unknown(Reason.FUNCTION, name, self.span(node))
        return self._object(node, scope)

    def _object(self, node: MappingNode, scope: Scope) -> Value:
        found: dict[str, Value] = {}
        spans: dict[str, Span] = {}
        complete = True
        for key, inner, inside in self.entries(node, scope):
            name = str(key.value)
            if inner is None:
                complete = False
                continue
            if name == "Fn::Transform":
                made = self._transform(inner, inside, self.span(node))
                if isinstance(made, Mapping):
                    # What stands beside it counts, whichever comes first.
                    found = {**made.entries, **found}
                    spans = {**made.key_spans, **spans}
                complete = complete and isinstance(made, Mapping) and made.complete
                continue
            if inside.names and ("${" in name or "&{" in name):
                name = self._name(name, inside) or name
            value = self.evaluate(inner, inside)
            if isinstance(value, Known) and value.data is None:
                found.pop(name, None)
                continue
            found[name] = value
            spans[name] = self._at(key.start, key.end)
        return within_budget(Mapping(found, self.span(node), complete=complete, key_spans=spans))

    def entries(self, node: Node, scope: Scope) -> Iterator[tuple[Scalar, Node | None, Scope]]:
        """The entries of a mapping with its loops written out; no node for a loop that is not known.

        Source: AWS CloudFormation Template Reference, "Fn::ForEach".
        """
        if not isinstance(node, MappingNode):
            return
        for key, inner in node.entries:
            name = key.value
            if isinstance(name, str) and name.startswith(_LOOP):
                yield from self._loop(key, inner, scope)
            else:
                yield key, inner, scope

    def _loop(
        self, key: Scalar, node: Node, scope: Scope
    ) -> Iterator[tuple[Scalar, Node | None, Scope]]:
        parts = node.items if isinstance(node, SequenceNode) else []
        name = text_of(parts[0]) if len(parts) == 3 else None  # noqa: PLR2004  name, values, body
        if name is None or self._depth >= MAX_DEPTH:
            self.note(Unknown(Reason.INVALID, str(key.value), self.span(key)))
            yield key, None, scope
            return
        collection = self.evaluate(parts[1], scope)
        items = collection.items if isinstance(collection, Many) and collection.complete else None
        if items is None or any(to_text(item) is None for item in items):
            self.note(Unknown(Reason.RANGE, str(key.value), self.span(key)))
            yield key, None, scope
            return
        if len(items) > MAX_LOOP:
            self.budget.exceeded = True
            yield key, None, scope
            return
        self._depth += 1
        try:
            for item in items:
                self.budget.steps -= 1
                if self.budget.steps <= 0:
                    self.budget.exceeded = True
                    yield key, None, scope
                    return
                yield from self.entries(parts[2], scope.bind({name: item}))
        finally:
            self._depth -= 1

    def _name(self, text: str, scope: Scope) -> str | None:
        """A key with the names of loops in it replaced."""

        def replaced(match: re.Match[str]) -> str:
            value = scope.names.get(match[1])
            found = None if value is None else to_text(value)
            if found is None:
                return match[0]
            return re.sub(r"[^A-Za-z0-9]", "", found) if match[0][0] == "&" else found

        return _loop_name.sub(replaced, text)

    name = _name

    def _looped(self, data: str, pieces: tuple[Piece, ...], scope: Scope, span: Span) -> Value:
        """A text in a loop: the loop's own names are replaced in any text."""
        text = self._name(data, scope)
        return Known(data, span, (), pieces) if text == data or text is None else Known(text, span)

    def _used(self, value: Value, node: Node, scope: Scope) -> Value:
        """A value that an intrinsic function brought here, with the place of its use."""
        where = self.span(node)
        span = value.span
        if span is None:
            return value.at(where)
        if span.document is where.document and where.start <= span.start and span.end <= where.end:
            return value
        if isinstance(value, Known) and value.data is None:
            return value
        return value.through(Evidence(Step.ATTRIBUTE, scope.owner, where))

    def note(self, unknown: Unknown) -> Unknown:
        """Effect: counts something that is opaque here, once for its place."""
        span = unknown.span
        if span is not None:
            self.opaque.setdefault((span.path, span.start, span.end), unknown)
        return unknown

    def evaluate_opaque(self, node: Node, key: Scalar) -> None:
        """Effect: counts a resource that is made by something opaque."""
        said = fields(node).get("Type") or fields(node).get("Name")
        words = "" if said is None else " ".join(self.span(said[1]).text.split())[:80]
        self.note(Unknown(Reason.MACRO, words or str(key.value), self.span(key)))

    def _foreign(self, name: str, span: Span) -> Value:
        return self.note(Unknown(Reason.MACRO, name, span))

    def section(self, name: str) -> AbstractMapping[str, Entry]:
        """The entries of a section with its loops written out, the last one of a name."""
        found = self._expanded.get(name)
        if found is not None:
            return found
        found = self._expanded[name] = {}
        written = self.template.section(name)
        looped = any(key.startswith(_LOOP) for key in written)
        node = fields(self.template.root)[name][1] if looped else None
        if node is None:
            scope = Scope(name)
            found.update({key: Entry(*entry, scope) for key, entry in written.items()})
            return found
        for key, inner, scope in self.entries(node, Scope(name)):
            if inner is None:
                self._endless.add(name)
            else:
                said = str(key.value)
                found[self._name(said, scope) or said] = Entry(key, inner, scope)
        return found

    # References

    def ref(self, name: str, span: Span, scope: Scope) -> Value:
        """What ``Ref`` gives for a name."""
        bound = scope.names.get(name)
        if bound is not None:
            return bound
        if name.startswith("AWS::"):
            if name not in values.PSEUDO:
                return values.undeclared(name, span)
            return values.pseudo(name, self.place, span)
        if name in self.template.section("Parameters"):
            value = self.narrowed(name, self.parameter(name), scope)
            return value.at(span) if isinstance(value, Unknown) and value.span is None else value
        if self._declared(name):
            return values.reference(name, span)
        return self.unknown_name(name, span)

    def _declared(self, name: str) -> bool:
        return name in self.section("Resources") or self.generated(name)

    def unknown_name(self, name: str, span: Span) -> Unknown:
        """A name that nothing declares, unless something opaque may."""
        endless = "Resources" in self._endless
        if endless or self.template.foreign or name.startswith(self.template.opaque):
            return Unknown(Reason.MACRO, name, span)
        return values.undeclared(name, span)

    def get_att(self, name: str, attribute: str, span: Span) -> Value:
        """What ``Fn::GetAtt`` gives."""
        if self.outputs is not None and attribute.startswith("Outputs."):
            found = self.outputs(name, attribute.removeprefix("Outputs."), span)
            if found is not None:
                return found
        head = name.split(".", 1)[0]
        if self._declared(name) or self._declared(head):
            return values.attribute(name, attribute, span)
        return self.unknown_name(f"{name}.{attribute}", span)

    def narrowed(self, name: str, value: Value, scope: Scope) -> Value:
        """A parameter where conditions that compare it with a text are decided."""
        if not scope.assumed or isinstance(value, Known):
            return value
        for condition, holding in scope.assumed.items():
            compared = self._compared(condition)
            if compared is None or compared[0] != name:
                continue
            node = compared[1]
            text = str(node.value)
            if holding:
                if isinstance(value, OneOf) or (
                    isinstance(value, Unknown) and value.reason is Reason.NO_VALUE
                ):
                    where = self.section("Conditions")[condition].key
                    evidence = Evidence(Step.CONDITION, f"condition {condition}", self.span(where))
                    found = Known(text, self.span(node), (evidence,), self.pieces(node, text))
                    return self.guarded(name, found)
            elif isinstance(value, OneOf):
                left = [a for a in value.alternatives if to_text(a.value) != text]
                if left:
                    value = one_of(left, value.span, value.via)
        return value

    def _compared(self, condition: str) -> tuple[str, Scalar] | None:
        """(parameter, text) of a condition that only compares the two."""
        found = self.section("Conditions").get(condition)
        sides = fields(found.node).get("Fn::Equals") if found is not None else None
        items = sides[1].items if sides is not None and isinstance(sides[1], SequenceNode) else []
        if len(items) != 2:  # noqa: PLR2004  two sides
            return None
        for one, other in (items, items[::-1]):
            reference = fields(one).get("Ref")
            name = text_of(reference[1]) if reference is not None else None
            if name is not None and isinstance(other, Scalar) and isinstance(other.value, str):
                return name, other
        return None

    def parameter(self, name: str) -> Value:
        """The value of a parameter, over all deployments that the repository knows of."""
        found = self._parameters.get(name)
        if found is None:
            found = self._parameters[name] = self._parameter(name)
        return found

    def _parameter(self, name: str) -> Value:
        body = fields(self.template.section("Parameters")[name][1])
        type_ = text_of(body["Type"][1]) if "Type" in body else None
        type_ = type_ or "String"
        found: list[Alternative] = []
        for given in self.given:
            value = given.parameters.get(name)
            if value is None:
                value = self.default(name)
            if value is None:
                value = values.parameter(name)
            found.append(Alternative(self._typed(value, type_, name), given.name))
        if found:
            return self.guarded(name, one_of(found))
        value = self._allowed(name, body, type_) or values.parameter(name)
        if not type_.startswith((*_LIST_TYPES, _STORED)):
            value = self._as_asserted(name, value)
        return self.guarded(name, value)

    def rules(self) -> AbstractMapping[str, Sequence[Assertion]]:
        """What the rules of the template assert of parameters. Effect: counts what is not read."""
        if self._asserted is None:
            self._asserted, unread = assertions(self.template)
            for unknown in unread:
                self.note(unknown)
        return self._asserted

    def _as_asserted(self, name: str, value: Value) -> Value:
        """A parameter that no deployment gives, as the template's rules allow it."""
        for assertion in self.rules().get(name, ()):
            where = self.span(assertion.node)
            texts = {str(plain(text.value)) for text in assertion.texts if text.value is not None}
            evidence = Evidence(Step.LOCAL, f"rule {assertion.rule}", where)
            if isinstance(value, (Known, OneOf)):
                every = alternatives(value)
                kept = [a for a in every if (to_text(a.value) in texts) == assertion.among]
                if kept and len(kept) < len(every):
                    value = one_of(kept, value.span, (*value.via, evidence))
            elif assertion.among and len(texts) <= MAX_ALTERNATIVES:
                found = [
                    Alternative(self._said(text), f"{name} = {plain(text.value)}")
                    for text in assertion.texts
                    if text.value is not None
                ]
                value = one_of(found, where, (evidence,))
        return value

    def _said(self, node: Scalar) -> Value:
        """A text of a rule, as a parameter has it."""
        assert node.value is not None
        text = str(plain(node.value))
        return Known(text, self.span(node), (), self.pieces(node, text))

    def guarded(self, name: str, value: Value) -> Value:
        """A value of a parameter, never to be printed where the parameter says so (``NoEcho``)."""
        if _is_true(fields(self.template.section("Parameters")[name][1]).get("NoEcho")):
            return self.budget.hide(value)
        return value

    def default(self, name: str) -> Value | None:
        """The default of a parameter, as it is written."""
        body = fields(self.template.section("Parameters")[name][1])
        if "Default" not in body:
            return None
        node = body["Default"][1]
        where = self.span(node)
        value = self.evaluate(node, Scope(f"Parameters.{name}"))
        value = self.guarded(name, value)
        return value.through(Evidence(Step.DEFAULT, f"the default of parameter {name}", where))

    def _typed(self, value: Value, type_: str, name: str) -> Value:
        """A given value as the parameter's type has it."""
        if type_.startswith(_STORED):
            return Unknown(Reason.STORED, f"Parameters.{name}", value.span, value.via)
        if not type_.startswith(_LIST_TYPES):
            return value
        if isinstance(value, Many):
            return value
        text = to_text(value)
        if text is None:
            return value
        return _split(value, ",", text, strip=True)

    def _allowed(
        self, name: str, body: AbstractMapping[str, tuple[Scalar, Node]], type_: str
    ) -> Value | None:
        """One of the values that are allowed, where nothing says which."""
        if "AllowedValues" not in body or type_.startswith((*_LIST_TYPES, _STORED)):
            return None
        node = body["AllowedValues"][1]
        if not isinstance(node, SequenceNode) or not 0 < len(node.items) <= MAX_ALTERNATIVES:
            return None
        found = []
        for item in node.items:
            value = self.evaluate(item, Scope(f"Parameters.{name}"))
            if not isinstance(value, Known):
                return None
            found.append(Alternative(value, f"{name} = {to_text(value)}"))
        where = self.span(node)
        evidence = Evidence(Step.LOCAL, f"the allowed values of parameter {name}", where)
        return one_of(found, where, (evidence,))

    # Conditions

    def holds(self, name: str, scope: Scope) -> bool | None:
        """Whether a condition of the template holds; ``None`` where that is open."""
        if name in scope.assumed:
            return scope.assumed[name]
        token = (name, scope.key)
        if token in self._conditions:
            return self._conditions[token]
        found = self.section("Conditions").get(name)
        if found is None or name in self._open or self._depth >= MAX_DEPTH:
            return None
        self._open.add(name)
        self._depth += 1
        try:
            inside = Scope(f"Conditions.{name}", scope.assumed, found.scope.names)
            value = self._truth(found.node, inside)
        finally:
            self._open.discard(name)
            self._depth -= 1
        self._conditions[token] = value
        return value

    def _truth(self, node: Node, scope: Scope) -> bool | None:
        """Whether an expression of conditions holds."""
        self.budget.steps -= 1
        if self.budget.steps <= 0 or self._depth >= MAX_DEPTH:
            self.budget.exceeded = True
            return None
        if isinstance(node, Scalar):
            if isinstance(node.value, bool):
                return node.value
            return {"true": True, "false": False}.get(str(node.value))
        if not isinstance(node, MappingNode) or len(node.entries) != 1:
            return None
        key, inner = node.entries[0]
        name = key.value
        items = inner.items if isinstance(inner, SequenceNode) else []
        self._depth += 1
        try:
            if name == "Condition":
                said = text_of(inner)
                if said is None:
                    return None
                return self.holds(self._name(said, scope) or said, scope)
            if name == "Fn::Not" and len(items) == 1:
                inside = self._truth(items[0], scope)
                return None if inside is None else not inside
            if name in ("Fn::And", "Fn::Or"):
                sides = {self._truth(item, scope) for item in items}
                settling = name == "Fn::Or"
                if settling in sides:
                    return settling
                return None if None in sides or not sides else not settling
            if name == "Fn::Equals" and len(items) == 2:  # noqa: PLR2004  two sides
                return _equal(self.evaluate(items[0], scope), self.evaluate(items[1], scope))
        finally:
            self._depth -= 1
        return None

    def implied(self, name: str, holding: bool) -> dict[str, bool]:  # noqa: FBT001  a fact
        """What else is decided when a condition is: parts of an ``And`` that holds, and so on."""
        decided: dict[str, bool] = {}
        pending = [(name, holding)]
        while pending:
            current, truth = pending.pop()
            self.budget.steps -= 1
            if current in decided or self.budget.steps <= 0:
                continue
            decided[current] = truth
            found = self.section("Conditions").get(current)
            if found is not None:
                pending.extend(self._parts(found.node, holding=truth, scope=found.scope))
        return decided

    def _parts(self, node: Node, *, holding: bool, scope: Scope) -> Iterator[tuple[str, bool]]:
        pending: list[tuple[Node, bool]] = [(node, holding)]
        while pending:
            current, truth = pending.pop()
            if not isinstance(current, MappingNode) or len(current.entries) != 1:
                continue
            key, inner = current.entries[0]
            items = inner.items if isinstance(inner, SequenceNode) else []
            if key.value == "Condition":
                said = text_of(inner)
                if said is not None:
                    yield self._name(said, scope) or said, truth
            elif key.value == "Fn::Not" and len(items) == 1:
                pending.append((items[0], not truth))
            elif (key.value == "Fn::And" and truth) or (key.value == "Fn::Or" and not truth):
                self.budget.steps -= len(items)
                if self.budget.steps > 0:
                    pending.extend([(item, truth) for item in items])

    def assuming(self, name: str, holding: bool, scope: Scope) -> Scope:  # noqa: FBT001  a fact
        """The scope of what is there only when a condition holds, or does not."""
        return scope.assume(self.implied(name, holding))

    # Text

    def sub(
        self,
        value: Value,
        scope: Scope,
        span: Span,
        own: AbstractMapping[str, Value] | None = None,
    ) -> Value:
        """A text with ``${}`` in it, as ``Fn::Sub`` fills it in."""
        if not isinstance(value, (Known, Text)):
            return _missing(value, span, "Fn::Sub")
        parts: list[Piece | Value] = []
        for part in _parts_of(value, span):
            if isinstance(part, Value):
                parts.append(part)
            else:
                self._fill(part, scope, own or {}, parts)
        found = as_text(parts, span)
        return found if found.span is not None else found.at(span)

    def _fill(
        self,
        piece: Piece,
        scope: Scope,
        own: AbstractMapping[str, Value],
        parts: list[Piece | Value],
    ) -> None:
        text, at = piece.text, 0
        for match in _placeholder.finditer(text):
            start, end = match.span()
            if start > at:
                parts.append(_part(piece, at, start))
            at = end
            if match[1]:
                whole = _part(piece, start, end)
                parts.append(Piece(f"${{{match[2]}}}", whole.document, whole.start, whole.end))
                continue
            stretch = _part(piece, start, end)
            where = Span(stretch.document, stretch.start, stretch.end)
            parts.append(self._named(match[2].strip(), scope, where, own))
        if at < len(text):
            parts.append(_part(piece, at, len(text)))

    def _named(
        self, name: str, scope: Scope, span: Span, own: AbstractMapping[str, Value]
    ) -> Value:
        found = own.get(name)
        if found is None and "." in name and not name.startswith("AWS::"):
            head, _dot, attribute = name.partition(".")
            return self.get_att(head, attribute, span)
        if found is None:
            found = self.ref(name, span, scope)
        if isinstance(found, Many):
            # A list of a parameter is joined with commas again.
            found = _join(",", found, span)
        return found.at(span) if isinstance(found, Unknown) else found

    # Functions

    def _ref(self, node: Node, scope: Scope, span: Span) -> Value:
        name = to_text(self.evaluate(node, scope))
        return Unknown(Reason.INVALID, "Ref", span) if name is None else self.ref(name, span, scope)

    def _get_att(self, node: Node, scope: Scope, span: Span) -> Value:
        if isinstance(node, SequenceNode):
            parts = [self.evaluate(item, scope) for item in node.items]
            texts = [to_text(part) for part in parts]
        else:
            texts = [to_text(self.evaluate(node, scope))]
        if not texts or texts[0] is None:
            return Unknown(Reason.INVALID, "Fn::GetAtt", span)
        if len(texts) == 1:
            name, _dot, attribute = texts[0].partition(".")
        else:
            name = texts[0]
            if any(text is None for text in texts[1:]):
                return values.attribute(name, "?", span)
            attribute = ".".join(text for text in texts[1:] if text is not None)
        return self.get_att(name, attribute, span)

    def _sub(self, node: Node, scope: Scope, span: Span) -> Value:
        own: dict[str, Value] = {}
        template = node
        if isinstance(node, SequenceNode):
            if not 1 <= len(node.items) <= 2:  # noqa: PLR2004  a text and its names
                return Unknown(Reason.INVALID, "Fn::Sub", span)
            template = node.items[0]
            if len(node.items) > 1:
                named = self.evaluate(node.items[1], scope)
                if not isinstance(named, Mapping):
                    return _missing(named, span, "Fn::Sub")
                own = named.entries
        text = self.evaluate(template, scope)
        return values.distribute(text, lambda value: self.sub(value, scope, span, own))

    def _join(self, node: Node, scope: Scope, span: Span) -> Value:
        items = node.items if isinstance(node, SequenceNode) else []
        if len(items) != 2:  # noqa: PLR2004  what is between, and the list
            return Unknown(Reason.INVALID, "Fn::Join", span)
        between = to_text(self.evaluate(items[0], scope))
        if between is None:
            return Unknown(Reason.INVALID, "Fn::Join", span)
        collection = self.evaluate(items[1], scope)
        return values.distribute(collection, lambda value: _join(between, value, span))

    def _split(self, node: Node, scope: Scope, span: Span) -> Value:
        items = node.items if isinstance(node, SequenceNode) else []
        if len(items) != 2:  # noqa: PLR2004  what is between, and the text
            return Unknown(Reason.INVALID, "Fn::Split", span)
        between = to_text(self.evaluate(items[0], scope))
        if not between:
            return Unknown(Reason.INVALID, "Fn::Split", span)

        def split(value: Value) -> Value:
            text = to_text(value)
            if text is None:
                return _missing(value, span, "Fn::Split")
            return _split(value, between, text)

        return values.distribute(self.evaluate(items[1], scope), split)

    def _select(self, node: Node, scope: Scope, span: Span) -> Value:
        items = node.items if isinstance(node, SequenceNode) else []
        if len(items) != 2:  # noqa: PLR2004  a number and the list
            return Unknown(Reason.INVALID, "Fn::Select", span)
        index = to_text(self.evaluate(items[0], scope))
        collection = self.evaluate(items[1], scope)

        def select(value: Value) -> Value:
            if not isinstance(value, Many):
                return _missing(value, span, "Fn::Select")
            if index is None:
                return Unknown(Reason.RANGE, "Fn::Select", span)
            number = int(index) if index.isascii() and index.isdigit() and len(index) < 9 else -1  # noqa: PLR2004
            if 0 <= number < len(value.items):
                found = value.items[number]
                return found.through(*value.via) if value.via else found
            if not value.complete:
                return Unknown(Reason.RANGE, "Fn::Select", span)
            return Unknown(Reason.INVALID, "Fn::Select", span)

        return values.distribute(collection, select)

    def _find_in_map(self, node: Node, scope: Scope, span: Span) -> Value:
        items = node.items if isinstance(node, SequenceNode) else []
        if not 3 <= len(items) <= 4:  # noqa: PLR2004  a mapping, two keys, and what else
            return Unknown(Reason.INVALID, "Fn::FindInMap", span)
        default: Value | None = None
        if len(items) > 3:  # noqa: PLR2004  as above
            extra = fields(items[3]).get("DefaultValue")
            if extra is not None:
                default = self.evaluate(extra[1], scope)
                self._fell_back(node, items[3], default, scope)
        name, top, second = (self.evaluate(item, scope) for item in items[:3])

        def look(mapping: Value) -> Value:
            return self.look(mapping, top, second, default, scope, span)

        return values.distribute(name, look)

    def _fell_back(self, node: Node, where: Node, default: Value, scope: Scope) -> None:
        tried = " ".join(self.span(node).text.split())[:200]
        place = default.span or self.span(where)
        self.fallbacks.append((tried, False, default, place, scope.owner))

    def look(
        self,
        mapping: Value,
        top: Value,
        second: Value,
        default: Value | None,
        scope: Scope,
        span: Span,
    ) -> Value:
        """What a mapping has for two keys."""
        name = to_text(mapping)
        found = None if name is None else self.template.section("Mappings").get(name)
        if name is None or found is None:
            if name is not None and (
                self.template.foreign or "Fn::Transform" in self.template.section("Mappings")
            ):
                return Unknown(Reason.MACRO, name, span)
            return _missing(mapping, span, "Fn::FindInMap")
        rows = {row: inner for row, (_key, inner) in fields(found[1]).items()}
        if "Fn::Transform" in rows:
            return self.note(Unknown(Reason.MACRO, f"Mappings.{name}", span))
        if _is_open_region(top) and _keyed_by_region(rows):
            self.by_region[f"Mappings.{name}"] = (tuple(sorted(rows)), self.span(found[0]))
        about = (scope, span, found[1])
        chosen = self._rows(f"Mappings.{name}", top, rows, default is None, about)
        if chosen is None:
            return _missing(top, span, "Fn::FindInMap")
        sides: list[Alternative] = []
        for row, condition in chosen:
            if row is None:
                sides.append(Alternative(self._lacking(default, top, span), condition))
                continue
            cells = {cell: inner for cell, (_key, inner) in fields(rows[row]).items()}
            # A row that is one of many says nothing of what the others lack.
            certain = default is None and (not condition or isinstance(top, OneOf))
            inner = self._rows(
                f"Mappings.{name}.{row}", second, cells, certain, (scope, span, rows[row])
            )
            if inner is None:
                return _missing(second, span, "Fn::FindInMap")
            for cell, also in inner:
                words = " and ".join(word for word in (condition, also) if word)
                if cell is None:
                    sides.append(Alternative(self._lacking(default, second, span), words))
                    continue
                node = cells[cell]
                value = self.evaluate(node, Scope(f"Mappings.{name}"))
                evidence = Evidence(Step.LOCAL, f"Mappings.{name}.{row}.{cell}", self.span(node))
                sides.append(Alternative(value.through(evidence), words))
        if not sides:
            return Unknown(Reason.INVALID, f"Mappings.{name}", span)
        if len({side.value.key() for side in sides}) > MAX_ALTERNATIVES:
            return _missing(top if isinstance(top, Unknown) else second, span, "Fn::FindInMap")
        return one_of(sides)

    @staticmethod
    def _lacking(default: Value | None, key: Value, span: Span) -> Value:
        if default is not None:
            return default
        return Unknown(Reason.INVALID, f"Fn::FindInMap with {to_text(key) or 'a key'}", span)

    def _rows(
        self,
        name: str,
        key: Value,
        rows: AbstractMapping[str, Node],
        certain: bool,  # noqa: FBT001  a fact
        about: tuple[Scope, Span, Node],
    ) -> list[tuple[str | None, str]] | None:
        """The rows that a key may select, with the condition; ``None`` in place of one that lacks.

        ``certain`` says that there is a row for the key, or the template is wrong. Effect: notes then
        what a known key lacks.
        """
        scope, span, node = about
        if isinstance(key, OneOf):
            every = [
                (a.condition, self._rows(name, a.value, rows, certain, about))
                for a in key.alternatives
            ]
            chosen: list[tuple[str | None, str]] = []
            for condition, found in every:
                if found is None:
                    return None
                chosen += [
                    (row, " and ".join(w for w in (condition, also) if w)) for row, also in found
                ]
            return chosen
        text = to_text(key)
        if text is not None:
            if text in rows:
                return [(text, "")]
            if certain:
                place = key.span or span
                self.missed.append(
                    (name, tuple(rows), key.at(place), span, scope.owner, self.span(node))
                )
            return [(None, "")]
        if not isinstance(key, (Unknown, Text)) or len(rows) > MAX_ALTERNATIVES or not rows:
            return None
        if isinstance(key, Unknown) and key.reason in (Reason.BUDGET, Reason.INVALID, Reason.CYCLE):
            return None
        subject = key.subject if isinstance(key, Unknown) else "the key"
        # The order of the rows says nothing: it is the same in every notation.
        chosen = [(row, f"{subject} = {row}") for row in sorted(rows)]
        if not certain:
            chosen.append((None, f"{subject} is none of the mapping's keys"))
        return chosen

    def _if(self, node: Node, scope: Scope, span: Span) -> Value:
        items = node.items if isinstance(node, SequenceNode) else []
        if len(items) != 3:  # noqa: PLR2004  condition, two sides
            return Unknown(Reason.INVALID, "Fn::If", span)
        name = text_of(items[0])
        if name is None:
            return self._if_written(items, scope, span)
        name = self._name(name, scope) or name
        held = self.holds(name, scope)
        where = self.section("Conditions").get(name)
        evidence = (
            ()
            if where is None
            else (Evidence(Step.CONDITION, f"condition {name}", self.place_of(where.node)),)
        )
        if held is not None:
            value = self.evaluate(items[1 if held else 2], scope)
            if where is None or name in scope.assumed or _datum(value) is None:
                return value
            words = f"condition {name}, which {'holds' if held else 'does not hold'}"
            return value.through(Evidence(Step.DECIDED, words, self.place_of(where.node)))
        yes = self.evaluate(items[1], self.assuming(name, True, scope))  # noqa: FBT003  a fact
        no = self.evaluate(items[2], self.assuming(name, False, scope))  # noqa: FBT003  a fact
        self.optional = self.optional or None in (_datum(yes), _datum(no))
        found = values.choice(name, yes, no, span)
        return found.through(*evidence) if isinstance(found, OneOf) else found

    def _if_written(self, items: list[Node], scope: Scope, span: Span) -> Value:
        """``Fn::If`` with an expression where the name of a condition stands."""
        held = self._truth(items[0], scope)
        if held is not None:
            return self.evaluate(items[1 if held else 2], scope)
        yes, no = self.evaluate(items[1], scope), self.evaluate(items[2], scope)
        return values.choice(" ".join(self.span(items[0]).text.split())[:80], yes, no, span)

    def _import_value(self, node: Node, scope: Scope, span: Span) -> Value:
        name = self.evaluate(node, scope)
        text = to_text(name)
        found = None if text is None else self.exports(text)
        if found is not None:
            return found
        words = text or (name.pattern("*") if isinstance(name, Text) else "")
        return values.imported(words, span)

    def _base64(self, node: Node, scope: Scope, span: Span) -> Value:
        def encode(value: Value) -> Value:
            text = to_text(value)
            if text is None:
                return _missing(value, span, "Fn::Base64")
            from base64 import b64encode

            data = b64encode(text.encode("utf-8", "surrogatepass")).decode()
            return Known(data, span, value.via)

        value = self.evaluate(node, scope)
        found = values.distribute(value, encode)
        return found.hidden() if value.secret else found

    def _get_azs(self, _node: Node, _scope: Scope, span: Span) -> Value:
        return Unknown(Reason.ENVIRONMENT, "Fn::GetAZs", span)

    def _cidr(self, node: Node, scope: Scope, span: Span) -> Value:
        items = node.items if isinstance(node, SequenceNode) else []
        if not 2 <= len(items) <= 3:  # noqa: PLR2004  a network, how many, how large
            return Unknown(Reason.INVALID, "Fn::Cidr", span)
        given = [self.evaluate(item, scope) for item in items]
        texts = [to_text(value) for value in given]
        for value, text in zip(given, texts, strict=True):
            if text is None:
                return _missing(value, span, "Fn::Cidr")
        from blastdoor.evaluate.cloudformation.functions import cidr

        found = cidr([text for text in texts if text is not None])
        if found is None:
            return Unknown(Reason.INVALID, "Fn::Cidr", span)
        return Many(tuple([Known(text, span) for text in found]), span)

    def _to_json(self, node: Node, scope: Scope, span: Span) -> Value:
        value = self.evaluate(node, scope)
        if isinstance(value, Unknown):
            return value
        return within_budget(Encoded(value, span))

    def _length(self, node: Node, scope: Scope, span: Span) -> Value:
        def length(value: Value) -> Value:
            if isinstance(value, Many) and value.complete:
                return Known(len(value.items), span, value.via)
            return _missing(value, span, "Fn::Length")

        return values.distribute(self.evaluate(node, scope), length)

    def _transform(self, node: Node, scope: Scope, span: Span) -> Value:
        parts = fields(node)
        name = text_of(parts["Name"][1]) if "Name" in parts else None
        if name == INCLUDE and "Parameters" in parts:
            location = fields(parts["Parameters"][1]).get("Location")
            where = None if location is None else to_text(self.evaluate(location[1], scope))
            found = None if where is None else self._snippet(where)
            if found is not None:
                evaluator, root = found
                evaluator.depth_from(self)
                value = evaluator.evaluate(root, scope)
                self.optional = self.optional or evaluator.optional
                return value
        return self.note(Unknown(Reason.MACRO, name or "Fn::Transform", span))

    def _snippet(self, where: str) -> tuple[Evaluator, Node] | None:
        if where not in self._included:
            read = self.snippets(where)
            self._included[where] = None
            if read is not None:
                from blastdoor.evaluate.cloudformation.snippet import Snippet

                document, root = read
                self._included[where] = Snippet(self, document), root
        return self._included[where]


_HANDLERS: Final[dict[str, Callable[[Evaluator, Node, Scope, Span], Value]]] = {
    "Ref": Evaluator._ref,  # noqa: SLF001  its own table
    "Fn::GetAtt": Evaluator._get_att,  # noqa: SLF001
    "Fn::Sub": Evaluator._sub,  # noqa: SLF001
    "Fn::Join": Evaluator._join,  # noqa: SLF001
    "Fn::Split": Evaluator._split,  # noqa: SLF001
    "Fn::Select": Evaluator._select,  # noqa: SLF001
    "Fn::FindInMap": Evaluator._find_in_map,  # noqa: SLF001
    "Fn::If": Evaluator._if,  # noqa: SLF001
    "Fn::ImportValue": Evaluator._import_value,  # noqa: SLF001
    "Fn::Base64": Evaluator._base64,  # noqa: SLF001
    "Fn::GetAZs": Evaluator._get_azs,  # noqa: SLF001
    "Fn::Cidr": Evaluator._cidr,  # noqa: SLF001
    "Fn::ToJsonString": Evaluator._to_json,  # noqa: SLF001
    "Fn::Length": Evaluator._length,  # noqa: SLF001
    "Fn::Transform": Evaluator._transform,  # noqa: SLF001
}


def _is_true(entry: tuple[Scalar, Node] | None) -> bool:
    node = None if entry is None else entry[1]
    return isinstance(node, Scalar) and str(node.value).lower() == "true"


def _datum(value: Value) -> object:
    """What a known value is; anything but ``None`` for the others."""
    return value.data if isinstance(value, Known) else value


def _is_open_region(value: Value) -> bool:
    """Whether a value is the region of the stack, and whoever deploys it decides."""
    return isinstance(value, Inherited) and value.meaning is Meaning.CURRENT_REGION


def _keyed_by_region(rows: AbstractMapping[str, Node]) -> bool:
    """Whether a mapping has several keys, and each is a region."""
    return len(rows) > 1 and all(row in tables.partitions().regions for row in rows)


def _missing(value: Value, span: Span, function: str) -> Unknown:
    """What a function gives for an argument that it cannot use."""
    if isinstance(value, Unknown):
        copy = Unknown(value.reason, value.subject, span, value.via)
    elif isinstance(value, Text):
        hole = next((p for p in value.parts if isinstance(p, Unknown)), None)
        copy = (
            Unknown(Reason.NO_VALUE, function, span)
            if hole is None
            else Unknown(hole.reason, hole.subject, span)
        )
    elif isinstance(value, OneOf):
        copy = Unknown(Reason.NO_VALUE, function, span, value.via)
    else:
        copy = Unknown(Reason.INVALID, function, span)
    return copy


def _equal(left: Value, right: Value) -> bool | None:
    """Whether two values of ``Fn::Equals`` are the same text; ``None`` where that is open."""
    lefts = [a.value for a in left.alternatives] if isinstance(left, OneOf) else [left]
    rights = [a.value for a in right.alternatives] if isinstance(right, OneOf) else [right]
    if len(lefts) * len(rights) > MAX_ALTERNATIVES * MAX_ALTERNATIVES:
        return None
    found: set[bool | None] = set()
    for one in lefts:
        for other in rights:
            first, second = to_text(one), to_text(other)
            found.add(None if first is None or second is None else first == second)
    return found.pop() if len(found) == 1 else None


def _parts_of(value: Known | Text, span: Span) -> Sequence[Piece | Value]:
    if isinstance(value, Text):
        return value.parts
    if value.pieces:
        return value.pieces
    text = to_text(value) or ""
    where = value.span or span
    return (Piece(text, where.document, where.start, where.end),)


def _part(piece: Piece, start: int, end: int) -> Piece:
    """A stretch of a piece."""
    text = piece.text[start:end]
    if piece.exact:
        return Piece(text, piece.document, piece.start + start, piece.start + end)
    return Piece(text, piece.document, piece.start, piece.end)


def as_text(parts: list[Piece | Value], span: Span) -> Value:
    """A text of pieces and values; never to be printed when one of them must not be."""
    found = joined(parts, span)
    secret = any(isinstance(part, Value) and part.secret for part in parts)
    return found.hidden() if secret else found


def _join_either(between: str, value: Many, choice: OneOf, span: Span) -> Value:
    """A joined list one item of which may be missing."""
    sides = []
    for alternative in choice.alternatives:
        items = [alternative.value if item is choice else item for item in value.items]
        kept = tuple([item for item in items if _datum(item) is not None])
        joined_ = _join(between, Many(kept, value.span, value.via, complete=value.complete), span)
        sides.append(Alternative(joined_, alternative.condition))
    return one_of(sides, span, choice.via)


def _join(between: str, value: Value, span: Span) -> Value:
    if not isinstance(value, Many):
        return _missing(value, span, "Fn::Join")
    optional = [
        item
        for item in value.items
        if isinstance(item, OneOf) and any(_datum(a.value) is None for a in item.alternatives)
    ]
    if len(optional) == 1:
        return _join_either(between, value, optional[0], span)
    parts: list[Piece | Value] = []
    for number, item in enumerate(value.items[:_MAX_ITEMS]):
        if number and between:
            parts.append(Piece(between, span.document, span.start, span.end))
        parts.append(item)
    if not value.complete or len(value.items) > _MAX_ITEMS:
        parts.append(Unknown(Reason.RANGE, "Fn::Join", span))
    found = as_text(parts, span) if parts else Known("", span)
    return found.through(*value.via) if value.via else found


def _split(value: Value, between: str, text: str, *, strip: bool = False) -> Value:
    """The parts of a text, each with its own place where that is known."""
    if text.count(between) > _MAX_ITEMS:
        return Unknown(Reason.BUDGET, "a list of texts", value.span, value.via)
    pieces = value.pieces if isinstance(value, Known) else ()
    exact = pieces[0] if len(pieces) == 1 and pieces[0].exact else None
    items: list[Value] = []
    at = 0
    for part in text.split(between):
        start, end = at, at + len(part)
        at = end + len(between)
        if strip:
            start += len(part) - len(part.lstrip())
            end -= len(part) - len(part.rstrip())
            end = max(start, end)
        if exact is None:
            items.append(Known(text[start:end], value.span, value.via))
            continue
        piece = _part(exact, start, end)
        where = Span(piece.document, piece.start, piece.end)
        items.append(Known(piece.text, where, value.via, (piece,)))
    found = Many(tuple(items), value.span, value.via)
    return found.hidden() if value.secret else found


def _origins(pieces: tuple[Piece, ...], document: Rendered) -> tuple[Piece, ...]:
    """The same pieces in the text that they are written in."""
    found = []
    for piece in pieces:
        span = document.origin(piece.start, piece.end)
        found.append(Piece(piece.text, span.document, span.start, span.end))
    return tuple(found)


def _with_stored(pieces: tuple[Piece, ...], span: Span) -> Value:
    """A text with dynamic references: what they stand for is read when the stack is deployed.

    Source: AWS CloudFormation User Guide, "Using dynamic references".
    """
    parts: list[Piece | Value] = []
    for piece in pieces:
        at = 0
        for match in _dynamic.finditer(piece.text):
            start, end = match.span()
            if start > at:
                parts.append(_part(piece, at, start))
            stretch = _part(piece, start, end)
            where = Span(stretch.document, stretch.start, stretch.end)
            parts.append(Unknown(Reason.STORED, match[0], where))
            at = end
        if at < len(piece.text):
            parts.append(_part(piece, at, len(piece.text)))
    if len(parts) == 1 and isinstance(parts[0], Unknown):
        return parts[0].at(span)
    return joined(parts, span)
