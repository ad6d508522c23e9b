"""The laws of the order of reach, on generated extents."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from blastdoor import reach
from blastdoor.reach import (
    ANY_ACCOUNT,
    ANYONE,
    AUTHENTICATED,
    AXES,
    EVERY,
    EVERYWHERE,
    INHERITED,
    Account,
    Accounts,
    Actions,
    AllIn,
    Conditions,
    Effect,
    Environments,
    Extent,
    Federated,
    Fleet,
    Global,
    Grant,
    Grants,
    Guards,
    Identity,
    Mutation,
    Network,
    Opening,
    Order,
    Organization,
    OrganizationalUnit,
    Partitions,
    Pattern,
    Principals,
    Reach,
    Regions,
    Resources,
    Service,
    Unresolved,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

narrower, equal, wider = Order.NARROWER, Order.EQUAL, Order.WIDER
incomparable, unknown = Order.INCOMPARABLE, Order.UNKNOWN
WITHIN = frozenset({narrower, equal})

laws = settings(deadline=None, max_examples=100, database=None, derandomize=True)


# ------------------------------------------------------------------------------------- strategies


def some(of: Iterable[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(list(of)), max_size=4)


REGIONS = (
    "cn-north-1",
    "cn-northwest-1",
    "us-east-1",
    "eu-west-1",
    AllIn("aws"),
    AllIn("aws-cn"),
    EVERYWHERE,
    INHERITED,
    Global("iam"),
    Global("route53"),
)
UNITS = (OrganizationalUnit("ou-a-1"), OrganizationalUnit("ou-a-2"))
ORGANIZATIONS = (Organization(), Organization("r-a"), Organization("r-b"), Organization("o-a"))
ACCOUNTS = ("1" * 12, "2" * 12, INHERITED, ANY_ACCOUNT)
PRINCIPALS = (
    Identity("arn:aws:iam::111111111111:role/a"),
    Identity("arn:aws:iam::111111111111:role/*"),
    Identity("arn:aws:iam::222222222222:user/b"),
    Identity("arn:aws:iam::*:role/a"),
    Service("lambda.amazonaws.com"),
    Federated("idp"),
    Account("1" * 12),
    Account("2" * 12),
    AUTHENTICATED,
    ANYONE,
)
OPENINGS = tuple(
    Opening(cidr, protocol, *ports)
    for cidr, protocol, ports in product(
        ("10.0.0.0/24", "10.0.0.9/8", "0.0.0.0/0", "::/0", "fd00::/8", "sg-1"),
        ("-1", "tcp", "udp", "icmp"),
        ((22, 22), (0, 1024), (8, 0), (None, None)),
    )
    if protocol == "icmp" or ports != (8, 0)
)

globs = st.text("ab*?", max_size=4)
action_globs = st.one_of(globs, st.sampled_from(["*:*", "s3:*", "S3:get*", "s3:Get", "iam:*"]))
arn_globs = st.builds(
    "arn:aws:{}:{}:{}:{}".format,
    st.sampled_from(["s3", "*", "?3"]),
    globs,
    st.just(""),
    st.text("ab*?:/", max_size=4),
)
resource_globs = st.one_of(
    globs,
    arn_globs,
    st.sampled_from(["*", "arn:*", "arn:aws:*", "arn:aws:s3*", "${v}", "${v}*", "${w}a", "a${*}"]),
)


def languages(of: Any, patterns: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    names = st.lists(patterns, max_size=3)
    inverse = names.map(lambda excluded: of.all_but(*excluded))
    either = st.one_of(names.map(lambda included: of(*included)), inverse)
    return st.one_of(either, st.tuples(either, either).map(lambda two: two[0].union(two[1])))


actions = languages(Actions, action_globs)
resources = languages(Resources, resource_globs)
few_actions = st.one_of(
    some(["a", "b", "a*", "*"]).map(lambda names: Actions(*names)),
    some(["a", "b*"]).map(lambda names: Actions.all_but(*names)),
)
few_resources = some(["r", "s", "r*", "*"]).map(lambda names: Resources(*names))
few_principals = st.one_of(
    st.none(), some(PRINCIPALS[:4] + PRINCIPALS[6:]).map(lambda names: Principals(*names))
)
statements = st.builds(
    Grant,
    few_principals,
    few_actions,
    few_resources,
    some("mi").map(lambda names: Conditions(*names)),
)
grants = st.lists(statements, max_size=3).map(lambda found: Grants(*found))

EXTENTS: dict[str, st.SearchStrategy[Any]] = {
    "regions": some(REGIONS).map(lambda names: Regions(*names)),
    "partitions": some(["aws", "aws-cn", EVERY]).map(lambda names: Partitions(*names)),
    "accounts": some([*ACCOUNTS, *UNITS, *ORGANIZATIONS]).map(lambda names: Accounts(*names)),
    "principals": some([*PRINCIPALS, *ORGANIZATIONS]).map(lambda names: Principals(*names)),
    "actions": actions,
    "resources": resources,
    "environment": some(["prod", "dev", EVERY]).map(lambda names: Environments(*names)),
    "fleet": st.floats(0, 100, exclude_min=True).map(Fleet),
    "network": some(OPENINGS).map(lambda openings: Network(*openings)),
    "mutation": st.sampled_from(Effect).map(Mutation),
    "conditions": some("abc").map(lambda names: Conditions(*names)),
    "guards": some("abc").map(lambda names: Guards(*names)),
    "grants": grants,
}

axes = pytest.mark.parametrize("axis", AXES)


def test_every_axis_is_generated() -> None:
    assert tuple(EXTENTS) == AXES


# ------------------------------------------------------------------------------------- order laws


@axes
@laws
@given(data=st.data())
def test_reflexive(axis: str, data: st.DataObject) -> None:
    extent = data.draw(EXTENTS[axis])

    assert equal == extent.compare(extent)


@axes
@laws
@given(data=st.data())
def test_transitive(axis: str, data: st.DataObject) -> None:
    extents = EXTENTS[axis]
    narrow, middle, wide = data.draw(extents), data.draw(extents), data.draw(extents)
    if data.draw(st.booleans()):
        middle = narrow.join(middle)
    if data.draw(st.booleans()):
        wide = middle.join(wide)
    assume(narrow.compare(middle) in WITHIN)
    assume(middle.compare(wide) in WITHIN)

    assert narrow.compare(wide) in WITHIN


@axes
@laws
@given(data=st.data())
def test_antisymmetric(axis: str, data: st.DataObject) -> None:
    one, other = data.draw(EXTENTS[axis]), data.draw(EXTENTS[axis])
    order = one.compare(other)

    assert (one == other) == (order is equal)
    if one == other:
        assert hash(one) == hash(other)
        assert one.to_json() == other.to_json()
    else:
        assert one.to_json() != other.to_json()


@axes
@laws
@given(data=st.data())
def test_both_directions_agree(axis: str, data: st.DataObject) -> None:
    one, other = data.draw(EXTENTS[axis]), data.draw(EXTENTS[axis])

    expected = {
        wider: {narrower},
        narrower: {wider, unknown},
        equal: {equal},
        incomparable: {incomparable, unknown},
        unknown: {narrower, incomparable, unknown},
    }

    assert other.compare(one) in expected[one.compare(other)]


@pytest.mark.parametrize("axis", [axis for axis in AXES if axis not in {"accounts", "principals"}])
@laws
@given(data=st.data())
def test_what_is_resolved_is_decided(axis: str, data: st.DataObject) -> None:
    assert unknown != data.draw(EXTENTS[axis]).compare(data.draw(EXTENTS[axis]))


@laws
@given(one=some(ACCOUNTS), other=some(ACCOUNTS))
def test_accounts_are_decided_without_units(one: list[Any], other: list[Any]) -> None:
    assert unknown != Accounts(*one).compare(Accounts(*other))


@laws
@given(one=some(PRINCIPALS), other=some(PRINCIPALS))
def test_principals_are_decided_without_organizations(one: list[Any], other: list[Any]) -> None:
    assert unknown != Principals(*one).compare(Principals(*other))


# ------------------------------------------------------------------------------------------- join


@axes
@laws
@given(data=st.data())
def test_join_is_above_both(axis: str, data: st.DataObject) -> None:
    one, other = data.draw(EXTENTS[axis]), data.draw(EXTENTS[axis])
    joined = one.join(other)

    assert one.compare(joined) in WITHIN
    assert other.compare(joined) in WITHIN


@axes
@laws
@given(data=st.data())
def test_join_is_idempotent_commutative_and_associative(axis: str, data: st.DataObject) -> None:
    one, two, three = (data.draw(EXTENTS[axis]) for _ in range(3))

    assert one == one.join(one)
    assert one.join(two) == two.join(one)
    assert one.join(two).describe() == two.join(one).describe()
    assert one.join(two).join(three) == one.join(two.join(three))


@axes
@laws
@given(data=st.data())
def test_join_with_something_narrower_adds_nothing(axis: str, data: st.DataObject) -> None:
    narrow, wide = data.draw(EXTENTS[axis]), data.draw(EXTENTS[axis])
    assume(narrow.compare(wide) in WITHIN)
    if axis == "regions":
        assume(INHERITED not in narrow.elements)

    assert wide == wide.join(narrow)


# ------------------------------------------------------------------------------------- unresolved


@axes
@laws
@given(data=st.data(), reason=st.sampled_from("xyz"))
def test_unresolved_stands_outside_the_order(axis: str, data: st.DataObject, reason: str) -> None:
    unresolved = Unresolved(reason)
    extent = data.draw(st.one_of(EXTENTS[axis], st.sampled_from("xyz").map(Unresolved)))

    assert unknown == unresolved.compare(extent)
    assert unknown == extent.compare(unresolved)
    assert isinstance(extent.join(unresolved), Unresolved)
    assert extent.join(unresolved) == unresolved.join(extent)


@laws
@given(data=st.data())
def test_only_known_widenings_count(data: st.DataObject) -> None:
    def draw() -> Reach:
        return Reach(
            **{
                axis: data.draw(st.one_of(st.none(), st.just(Unresolved("x")), extents))
                for axis, extents in EXTENTS.items()
            }
        )

    head, base = draw(), draw()
    orders = head.compare(base)

    assert [axis for axis in AXES if orders.get(axis) in {wider, incomparable}] == head.widened(
        base
    )
    for axis in AXES:
        pair = (getattr(head, axis), getattr(base, axis))
        assert (None in pair) == (axis not in orders)
        if Unresolved("x") in pair and None not in pair:
            assert unknown == orders[axis]
    joined = head.join(base)
    assert not head.widened(joined)
    assert joined == base.join(head)


# ------------------------------------------------------------------------------------------ globs

LETTERS = "abz"
"""Patterns are written with ``a`` and ``b``: ``z`` stands for what no pattern names."""
STRINGS = ["".join(letters) for size in range(6) for letters in product(LETTERS, repeat=size)]


def matcher(pattern: str, anything: str = ".") -> Callable[[str], object]:
    translated = "".join(
        {"*": f"{anything}*", "?": anything}.get(symbol) or re.escape(symbol) for symbol in pattern
    )
    return re.compile(translated, re.DOTALL).fullmatch


def action(pattern: str) -> Pattern:
    (found,) = Actions(pattern).elements
    assert isinstance(found, Pattern)
    return found


def resource(pattern: str) -> Pattern:
    (found,) = Resources(pattern).elements
    assert isinstance(found, Pattern)
    return found


@settings(laws, max_examples=500)
@given(wide=globs, narrow=globs)
def test_coverage_is_what_matching_says(wide: str, narrow: str) -> None:
    in_wide, in_narrow = matcher(wide), matcher(narrow)
    contained = all(in_wide(text) for text in STRINGS if in_narrow(text))
    covered = action(wide).covers(action(narrow))

    assert not covered or contained
    if "?" not in wide + narrow:
        assert contained == covered  # without "?", what is not covered is not contained


@settings(laws, max_examples=500)
@given(one=globs, other=globs)
def test_meeting_is_what_matching_says(one: str, other: str) -> None:
    in_one, in_other = matcher(one), matcher(other)
    shared = any(in_one(text) and in_other(text) for text in STRINGS)

    assert not shared or action(one).meets(action(other))
    if len(one + other) - (one + other).count("*") < len(STRINGS[-1]):
        assert shared == action(one).meets(action(other))


@settings(laws, max_examples=500)
@given(pattern=globs)
def test_the_normal_form_matches_the_same(pattern: str) -> None:
    raw, normal = matcher(pattern), matcher(action(pattern).text)

    assert [text for text in STRINGS if raw(text)] == [text for text in STRINGS if normal(text)]


FIELD = st.text("ab", max_size=3)
arns = st.builds(
    "arn:aws:{}:{}::{}".format, st.sampled_from(["s3", "x3"]), FIELD, st.text("ab:/", max_size=4)
)


def arn_matcher(pattern: str) -> Callable[[str], object]:
    """Match field by field if the pattern is a whole ARN, else as a whole."""
    parts = pattern.split(":", 5)
    if parts[0] != "arn" or len(parts) < 6:
        return matcher(pattern)
    fields = [matcher(part, "[^:]") for part in parts[:5]]
    rest = matcher(parts[5])

    def match(text: str) -> bool:
        found = text.split(":", 5)
        return all(one(part) for one, part in zip([*fields, rest], found, strict=True))

    return match


@settings(laws, max_examples=500)
@given(wide=resource_globs, narrow=arn_globs, data=st.data())
def test_coverage_of_arns_is_sound(wide: str, narrow: str, data: st.DataObject) -> None:
    assume("$" not in wide)
    filled = "".join(
        data.draw(st.text("abz", max_size=3))
        if symbol == "*"
        else data.draw(st.sampled_from("abz"))
        if symbol == "?"
        else symbol
        for symbol in narrow
    )
    in_wide = arn_matcher(wide)

    assert arn_matcher(narrow)(filled)
    if resource(wide).covers(resource(narrow)):
        assert in_wide(filled)
    if in_wide(filled):
        assert resource(wide).meets(resource(narrow))


@settings(laws, max_examples=500)
@given(head=actions, base=actions)
def test_languages_within_are_contained(head: Actions, base: Actions) -> None:
    def holds(language: Actions, text: str) -> bool:
        return any(matcher(pattern)(text) for pattern in language.patterns) or any(
            not any(matcher(pattern.text)(text) for pattern in complement.excluded)
            for complement in language.complements
        )

    if head.compare(base) in WITHIN:
        assert not [text for text in STRINGS if holds(head, text) and not holds(base, text)]


# ----------------------------------------------------------------------------------------- grants

Tuple = tuple[Principals | None, Actions, Resources, Conditions]


def decomposed(found: Iterable[Grant]) -> list[Tuple]:
    def parts(extent: Any) -> list[Any]:
        return [None] if extent is None else [type(extent)(part) for part in extent.elements]

    return [
        (who, what, where, grant.conditions)
        for grant in found
        for who in parts(grant.principals)
        for what in parts(grant.actions)
        for where in parts(grant.resources)
    ]


def covered(narrow: Tuple, wide: Tuple) -> bool:
    def part(one: Extent | None, other: Extent | None) -> bool:
        if one is None or other is None:
            return one is other
        return one.compare(other) in WITHIN

    return all(map(part, narrow, wide))


@settings(laws, max_examples=500)
@given(head=st.lists(statements, max_size=3), base=st.lists(statements, max_size=3))
def test_grants_are_their_tuples(head: list[Grant], base: list[Grant]) -> None:
    wides = decomposed(base)
    expected = all(any(covered(narrow, wide) for wide in wides) for narrow in decomposed(head))

    assert expected == (Grants(*head).compare(Grants(*base)) in WITHIN)


@settings(laws, max_examples=300)
@given(found=st.lists(statements, max_size=3))
def test_grants_keep_their_maximal_tuples(found: list[Grant]) -> None:
    before = set(decomposed(found))
    maximal = {one for one in before if not any(one != two and covered(one, two) for two in before)}

    assert maximal == set(decomposed(Grants(*found).elements))


@settings(laws, max_examples=300)
@given(found=st.lists(statements, max_size=3), data=st.data())
def test_grants_do_not_depend_on_how_statements_are_cut(
    found: list[Grant], data: st.DataObject
) -> None:
    whole = Grants(*found)
    pieces = [Grant(*one) for one in decomposed(found)]

    assert whole == Grants(*data.draw(st.permutations(pieces)))
    assert whole.to_json() == Grants(*pieces).to_json()


@laws
@given(one=grants, other=grants)
def test_grants_that_stay_within_widen_no_axis(one: Grants, other: Grants) -> None:
    assume(one.compare(other) in WITHIN)

    parts: list[tuple[Any, Any]] = [
        (one.actions(), other.actions()),
        (one.resources(), other.resources()),
        (one.principals(), other.principals()),
    ]

    for head, base in parts:
        assert head is None or head.compare(base) in WITHIN


def test_generated_grants_are_within_the_budget() -> None:
    assert reach.MAX_TUPLES > 3 * 4**3
