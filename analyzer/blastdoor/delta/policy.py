"""What the statements of a policy allow or deny, and what one policy reaches that another did not.

Statements are compared as tuples of principal, action, resource and conditions: each tuple of head
must be covered, on every part, by one statement of base. What the code does not know (the ARN of a
bucket that is made here) stands as a name of its own: it is equal to itself, and nobody can tell
whether it is anything else.

Sources: AWS IAM User Guide, "IAM JSON policy element reference" and "Policy evaluation logic";
AWS Service Authorization Reference for what an action pattern expands to (`blastdoor.tables`).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from blastdoor import tables
from blastdoor.fact import Statement as Fact
from blastdoor.reach import (
    ANYONE,
    Actions,
    Conditions,
    Extent,
    Grant,
    Grants,
    Principals,
    Resources,
    Unresolved,
    principal,
)
from blastdoor.value import Piece, Text, Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from blastdoor.reach import PrincipalElement
    from blastdoor.span import Span

__all__ = ["Excess", "Fact", "Part", "Policy", "outside", "read"]

Part = Literal["principals", "actions", "resources", "conditions"]
_PARTS: Final[tuple[Part, ...]] = ("principals", "actions", "resources", "conditions")

NO_CONDITION: Final = "no condition"
OPEN, CLOSE = "\u27e6", "\u27e7"
"""Stand around the name of something that is not known."""
_NAME: Final = re.compile(f"{OPEN}[^{CLOSE}]*{CLOSE}")
_MAX_TUPLES: Final = 20_000
"""Most tuples of one statement that are compared one by one."""
_MAX_STARS: Final = 6

Condition = tuple[str, str, frozenset[str]]
"""Operator, key in lower case, values."""


class _Element(NamedTuple):
    """One principal, action or resource of a statement."""

    text: str
    span: Span
    extent: Extent | None
    """``None`` for a name of something that is not known."""

    @property
    def named(self) -> bool:
        """Whether part of it is not known."""
        return OPEN in self.text


@dataclass(frozen=True, slots=True, eq=False)
class _Statement:
    principals: tuple[_Element, ...] | None
    """``None`` in a policy that is attached to its principal."""
    actions: tuple[_Element, ...]
    resources: tuple[_Element, ...]
    conditions: tuple[Condition, ...]
    sid: str
    span: Span
    sure: bool
    """False when part of it is not known at all, such as its conditions."""
    _wide: list[Actions] = field(default_factory=list)

    @property
    def every_action(self) -> Actions:
        """All of its known actions as one extent, made once: that is dear for many."""
        if not self._wide:
            known = [e.extent for e in self.actions if isinstance(e.extent, Actions)]
            self._wide.append(Actions(*(one for extent in known for one in extent.elements)))
        return self._wide[0]

    def part(self, name: Part) -> tuple[_Element, ...]:
        if name == "principals":
            return self.principals or ()
        return self.actions if name == "actions" else self.resources


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """The statements of one effect of one policy."""

    statements: tuple[_Statement, ...]

    @property
    def complete(self) -> bool:
        """Whether all of it is known."""
        return all(s.sure for s in self.statements) and not any(
            element.named
            for s in self.statements
            for name in _PARTS[:3]
            for element in s.part(name)
        )

    def joined(self, other: Policy | None) -> Policy:
        """Both policies in one."""
        return self if other is None else Policy((*self.statements, *other.statements))

    def grants(self) -> Grants:
        """The statements as an extent; what is not known as a name."""
        return Grants(*(_grant(statement) for statement in self.statements))

    def limits(self) -> tuple[str, ...]:
        """The keys of the conditions of its statements."""
        keys = {key for statement in self.statements for _o, key, _v in statement.conditions}
        return tuple(sorted(keys))

    def spans(self) -> list[Span]:
        """Where the statements stand."""
        return [statement.span for statement in self.statements]


@dataclass(frozen=True, slots=True, eq=False)
class Excess:
    """What one statement of head reaches that base did not."""

    part: Part
    """On which of its parts."""
    after: tuple[str, ...]
    """The elements of the part that are new, as written."""
    before: tuple[str, ...]
    """What base has in their place."""
    span: Span
    sid: str
    limits: tuple[str, ...] = ()
    """For conditions: the keys that limited it and no longer do."""
    actions: tuple[str, ...] = ()
    """Those of the whole statement."""
    conditions: tuple[str, ...] = ()
    """Those of the whole statement."""


def read(facts: Iterable[Fact]) -> Policy:
    """The statements of one effect."""
    return Policy(tuple(_statement(fact) for fact in facts))


def whole(action: str, span: Span) -> Policy:
    """A policy of an identity that allows an action pattern on every resource."""
    what = _Element(action, span, Actions(action))
    where = _Element("*", span, Resources("*"))
    return Policy((_Statement(None, (what,), (where,), (), "", span, sure=True),))


# Reading


def _statement(fact: Fact) -> _Statement:
    attached = fact.kind in ("identity", "boundary", "scp", "rcp")
    unresolved: dict[str, list[Value]] = {}
    for name, value in fact.unresolved:
        unresolved.setdefault(name.removeprefix("Not"), []).append(value)
    sure = fact.conditions_known
    principals: tuple[_Element, ...] | None = None
    if not attached:
        if fact.not_principals:
            sure = False
        principals = (
            *(
                _Element(
                    text := _text(term.value, term.text),
                    term.span,
                    None if OPEN in text else Principals(_principal(kind, text)),
                )
                for kind, term in fact.principals
            ),
            *(_unknown(value, fact) for value in unresolved.get("Principal", ())),
        )
    resources = _globs(fact, "Resource", unresolved)
    if principals is not None and not resources:
        # The policy of a role or repository names none: it speaks of what it is attached to.
        resources = (_Element("*", fact.span, Resources("*")),)
    return _Statement(
        principals,
        _globs(fact, "Action", unresolved),
        resources,
        tuple(
            (
                operator,
                key,
                frozenset(
                    [*(_text(t.value, t.text) for t in values), *(_name(one) for one in untold)]
                ),
            )
            for (operator, key, values), untold in zip(
                fact.conditions, fact.untold or [()] * len(fact.conditions), strict=True
            )
        ),
        fact.sid,
        fact.span,
        sure,
    )


def _principal(kind: str, text: str) -> PrincipalElement:
    return ANYONE if kind == "*" and text == "*" else principal(text, kind)


def _globs(fact: Fact, name: str, unresolved: dict[str, list[Value]]) -> tuple[_Element, ...]:
    terms = fact.actions if name == "Action" else fact.resources
    negated = fact.not_actions if name == "Action" else fact.not_resources
    kind = Actions if name == "Action" else Resources
    unknown = [_unknown(value, fact) for value in unresolved.get(name, ())]
    texts = [_text(term.value, term.text) for term in terms]
    if negated:
        named = [*texts, *(element.text for element in unknown)]
        whole = f"every {name.lower()} but {', '.join(named)}"
        span = terms[0].span if terms else fact.span
        known = not unknown and not any(OPEN in text for text in texts)
        if not known:
            whole = f"{OPEN}{whole.replace(OPEN, '').replace(CLOSE, '')}{CLOSE}"
        return (_Element(whole, span, kind.all_but(*texts) if known else None),)
    return (
        *(
            _Element(text, term.span, None if OPEN in text else kind(text))
            for text, term in zip(texts, terms, strict=True)
        ),
        *unknown,
    )


def _unknown(value: Value, fact: Fact) -> _Element:
    return _Element(_name(value), value.span or fact.span, None)


def _name(value: Value) -> str:
    subject = value.subject if isinstance(value, Unknown) else ""
    return f"{OPEN}{subject or value.key().digest.hex()[:12]}{CLOSE}"


def _text(value: Value, plain: str) -> str:
    """The text of a string with names in place of what is not known."""
    if not isinstance(value, Text):
        return plain
    return "".join(part.text if isinstance(part, Piece) else _name(part) for part in value.parts)


def _grant(statement: _Statement) -> Grant:
    def joined(
        elements: Sequence[_Element], kind: type[Principals | Actions | Resources]
    ) -> Extent:
        parts: list[Any] = []
        for element in elements:
            if element.extent is None:
                return Unresolved(min(e.text for e in elements if e.extent is None))
            parts.extend(getattr(element.extent, "elements", ()))
        return kind(*parts)

    principals = None
    if statement.principals is not None:
        principals = joined(statement.principals, Principals)
    actions = joined(statement.actions, Actions)
    resources = joined(statement.resources, Resources)
    limits = (f"{o} {k} {', '.join(sorted(v))}" for o, k, v in statement.conditions)
    return Grant(principals, actions, resources, Conditions(*limits))  # type: ignore[arg-type]


# Comparing


def outside(head: Policy, base: Policy) -> tuple[list[Excess], bool]:
    """What head reaches that base did not, and whether there may be more that nobody can tell."""
    found: list[Excess] = []
    unclear = False
    for statement in head.statements:
        excess, open_ = _outside(statement, base)
        found.extend(excess)
        unclear = unclear or open_
    return found, unclear


def beyond(policy: Policy) -> bool:
    """Whether a policy has a statement of more tuples than are compared."""
    return any(_size(statement) > _MAX_TUPLES for statement in policy.statements)


def same(one: Policy, other: Policy) -> bool:
    """Whether two policies are written in the same words, whatever their order."""
    return _words(one) == _words(other)


def _words(policy: Policy) -> list[str]:
    return sorted(
        repr(
            [
                *(sorted(element.text for element in s.part(name)) for name in _PARTS[:3]),
                sorted(_condition(condition) for condition in s.conditions),
            ]
        )
        for s in policy.statements
    )


def _size(statement: _Statement) -> int:
    who = statement.principals or (1,)
    return len(statement.actions) * len(statement.resources) * len(who)


def _outside(head: _Statement, base: Policy) -> tuple[list[Excess], bool]:
    if not head.sure or _size(head) > _MAX_TUPLES:
        return [], True
    verdicts = [
        _Against(head, other)
        for other in base.statements
        # What is attached to somebody is held by no policy that names whom it lets in.
        if head.principals is not None or other.principals is None
    ]
    missing: dict[tuple[Part, ...], list[tuple[_Element | None, _Element, _Element]]] = {}
    nearest: dict[tuple[Part, ...], _Statement | None] = {}
    unclear = False
    for who in head.principals if head.principals is not None else (None,):
        for what in head.actions:
            for where in head.resources:
                fewest: tuple[Part, ...] | None = None
                near: _Against | None = None
                perhaps = False
                for against in verdicts:
                    denied, sure = against.of(who, what, where)
                    if not denied:
                        if sure:
                            break
                        perhaps = True
                    elif fewest is None or near is None or _distance(denied) < _distance(fewest):
                        fewest, near = denied, against
                    elif denied == fewest and against.shared() > near.shared():
                        near = against
                else:
                    if perhaps:
                        unclear = True
                        continue
                    parts = fewest or _PARTS[1:2]
                    missing.setdefault(parts, []).append((who, what, where))
                    nearest.setdefault(parts, None if near is None else near.base)
    found: list[Excess] = []
    said: set[Part] = set()
    for parts in sorted(missing, key=lambda names: (len(names), [*map(_PARTS.index, names)])):
        if said.isdisjoint(parts):
            found += [_excess(head, part, missing[parts], nearest[parts]) for part in parts]
            said.update(parts)
    return found, unclear


def _distance(denied: Sequence[Part]) -> tuple[int, bool, bool]:
    """How far a statement is from holding a tuple.

    One that differs in conditions alone is nearest, then one that holds the action.
    """
    return len(denied), "conditions" not in denied, "actions" in denied


def _excess(
    head: _Statement,
    first: Part,
    tuples: list[tuple[_Element | None, _Element, _Element]],
    near: _Statement | None,
) -> Excess:
    if first == "conditions":
        kept = {(operator, key) for operator, key, _values in head.conditions}
        before = [] if near is None else [c for c in near.conditions if c[:2] not in kept]
        changed = [] if near is None else [c for c in near.conditions if c[:2] in kept]
        lost = before or changed
        same = () if near is None else near.conditions
        after = [c for c in head.conditions if c not in same]
        return Excess(
            first,
            tuple(_condition(c) for c in after) or (NO_CONDITION,),
            tuple(_condition(c) for c in lost) or ("a condition",),
            head.span,
            head.sid,
            tuple(key for _operator, key, _values in lost),
            *_whole(head),
        )
    at = {"principals": 0, "actions": 1, "resources": 2}[first]
    elements = [element for row in tuples if (element := row[at]) is not None]
    after_texts = tuple(dict.fromkeys(_shown(element.text) for element in elements))
    before_texts = () if near is None else tuple(_shown(e.text) for e in near.part(first))
    at_ = elements[0].span
    return Excess(first, after_texts, before_texts, at_, head.sid, (), *_whole(head))


def _whole(statement: _Statement) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The actions and conditions of a statement, in words."""
    actions = dict.fromkeys(_shown(element.text) for element in statement.actions)
    return tuple(actions), tuple(_condition(c) for c in statement.conditions)


def _shown(text: str) -> str:
    return text.replace(OPEN, "").replace(CLOSE, "")


def _condition(condition: Condition) -> str:
    operator, key, values = condition
    return f"{key} {operator} {', '.join(sorted(map(_shown, values)))}"


class _Against:
    """The tuples of one statement of head, held against one statement of base."""

    def __init__(self, head: _Statement, base: _Statement) -> None:
        self.base = base
        self._head = head
        self._shared: int | None = None
        self._conditions = _limits_hold(head.conditions, base.conditions)
        self._attached = (head.principals is None) == (base.principals is None)
        self._known: dict[tuple[Part, str], bool | None] = {}
        self._texts: dict[Part, set[str]] = {}

    def shared(self) -> int:
        """How many texts the two have in common: the statement that grew has the most."""
        if self._shared is None:
            texts = [
                {element.text for element in self._head.part(name)}
                & {element.text for element in self.base.part(name)}
                for name in _PARTS[:3]
            ]
            self._shared = sum(map(len, texts))
        return self._shared

    def of(
        self, who: _Element | None, what: _Element, where: _Element
    ) -> tuple[tuple[Part, ...], bool]:
        """The parts on which base surely does not hold a tuple, and whether it holds the rest."""
        answers: list[tuple[Part, bool | None]] = [
            ("principals", self._attached if who is None else self._part("principals", who)),
            ("actions", self._part("actions", what)),
            ("resources", self._part("resources", where)),
            ("conditions", self._conditions),
        ]
        denied = tuple(name for name, answer in answers if answer is False)
        return denied, self.base.sure and all(answer for _name, answer in answers)

    def _part(self, name: Part, element: _Element) -> bool | None:
        key = (name, element.text)
        if key not in self._known:
            if name not in self._texts:
                self._texts[name] = {other.text for other in self.base.part(name)}
            same = element.text in self._texts[name]
            self._known[key] = same or _covered(name, element, self.base)
        return self._known[key]


def _covered(name: Part, element: _Element, base: _Statement) -> bool | None:
    """Whether another element of base covers one of head; ``None`` if nobody can tell."""
    perhaps = False
    for other in base.part(name):
        if other.extent is not None and element.extent is not None:
            if element.extent.within(other.extent):
                return True
            perhaps = perhaps or element.extent.within(other.extent) is None
        elif other.extent is not None:
            # What head names is one thing, whatever it is: everything holds it.
            if _everything(other.extent):
                return True
            perhaps = True
        elif element.extent is None:
            # A name stands for the same thing on both sides: as patterns, one may hold the other.
            mine, theirs = _as_pattern(element.text), _as_pattern(other.text)
            if tables.glob_matches(theirs, mine):
                return True
            perhaps = perhaps or not tables.glob_matches(mine, theirs)
        elif _may_be(other.text, element.text):
            perhaps = True
    if name == "actions" and element.extent is not None and _expands_within(element, base):
        return True
    return None if perhaps else False


@lru_cache(maxsize=4096)
def _as_pattern(text: str) -> str:
    """A text whose names are literal: no wildcard of a pattern stands in one."""
    return _NAME.sub(lambda match: match[0].replace("*", "").replace("?", ""), text)


def _everything(extent: Extent) -> bool:
    if isinstance(extent, Principals):
        return ANYONE in extent.elements
    return isinstance(extent, Actions | Resources) and extent.is_everything


@lru_cache(maxsize=4096)
def _shape(text: str) -> re.Pattern[str] | None:
    """What a text with names may be, as a pattern on texts; ``None`` for too many wildcards."""
    if text.count("*") > _MAX_STARS:
        return None
    parts = []
    for piece in re.split(f"({OPEN}[^{CLOSE}]*{CLOSE}|[*?])", text):
        if piece == "*":
            parts.append(".*")
        elif piece == "?":
            parts.append(".")
        elif piece.startswith(OPEN):
            parts.append("[^*?]+")
        else:
            parts.append(re.escape(piece))
    return re.compile("".join(parts), re.DOTALL)


def _may_be(named: str, text: str) -> bool:
    """Whether a text with names may hold ``text``: a name is one thing, never a pattern."""
    shape = _shape(named)
    return shape is None or shape.fullmatch(_NAME.sub("x", text)) is not None


def _expands_within(element: _Element, base: _Statement) -> bool:
    """Whether all that an action pattern expands to today is covered."""
    if "*" not in element.text and "?" not in element.text:
        return False
    actions = tables.expand(element.text)
    wide = base.every_action
    return bool(actions) and all(Actions(action.text).within(wide) for action in actions)


# Conditions


def _limits_hold(head: Sequence[Condition], base: Sequence[Condition]) -> bool | None:
    """Whether every condition of base still limits head; ``None`` if nobody can tell."""
    perhaps = False
    for condition in base:
        answers = [_narrower(other, condition) for other in head]
        if True in answers:
            continue
        if None in answers:
            perhaps = True
            continue
        return False
    return None if perhaps else True


_LIKE: Final = ("like", "arnequals", "arnlike")


_SAME: Final = {"arnequals": "arnlike", "arnnotequals": "arnnotlike"}
"""Operators that behave identically (IAM User Guide, "Amazon Resource Name condition operators")."""
_LOOSER: Final = frozenset(
    {
        ("stringequals", "stringlike"),
        ("stringequals", "stringequalsignorecase"),
        ("stringnotlike", "stringnotequals"),
        ("stringnotequalsignorecase", "stringnotequals"),
    }
)
"""(operator, one that holds wherever it does) for the same values."""


def _operator(text: str) -> tuple[str, str, bool]:
    """(quantifier, operator, whether it holds as well where the key is missing)."""
    quantifier, _colon, name = text.lower().rpartition(":")
    missing = name.endswith("ifexists")
    name = name.removesuffix("ifexists")
    name = _SAME.get(name, name)
    # What is negated holds where the key is missing, with or without IfExists.
    return quantifier, name, missing or "not" in name


def _narrower(head: Condition, base: Condition) -> bool | None:
    """Whether a condition of head holds only where one of base does."""
    if head == base:
        return True
    if head[1] != base[1]:
        return False
    quantifier, own, missing = _operator(head[0])
    their_quantifier, theirs, allowed = _operator(base[0])
    if quantifier != their_quantifier or (missing and not allowed):
        return False
    if own.replace("like", "equals") == theirs.replace("like", "equals") and not any(
        sign in text for text in head[2] | base[2] for sign in "*?"
    ):
        # Without a wildcard there is nothing between like and equals.
        own = theirs
    if own != theirs and (own, theirs) not in _LOOSER:
        return False
    unknown = any(OPEN in text for text in head[2] | base[2])
    if "not" in own:
        # It has to leave out everything that base leaves out.
        if all(any(_holds(own, wide, text) for wide in head[2]) for text in base[2]):
            return True
    elif all(any(_holds(theirs, wide, text) for wide in base[2]) for text in head[2]):
        return True
    return None if unknown else False


def _holds(operator: str, wide: str, text: str) -> bool:
    if wide == text:
        return True
    if "ipaddress" in operator:
        try:
            inner, outer = ipaddress.ip_network(text), ipaddress.ip_network(wide)
        except ValueError:
            return False
        return (
            inner.version == outer.version
            and int(outer.network_address) <= int(inner.network_address)
            and int(inner.broadcast_address) <= int(outer.broadcast_address)
        )
    if any(word in operator for word in _LIKE):
        return bool(Resources(text).within(Resources(wide)))
    return "ignorecase" in operator and wide.lower() == text.lower()
