"""What holds for every change: nothing from nothing, mirrored directions, nothing hidden, names kept."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from blastdoor import catalog
from blastdoor.change import compare_files
from blastdoor.delta.compare import Event

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from blastdoor.catalog import Rule
    from blastdoor.change import Comparison

RULES: Final = catalog.load()
ACTIONS: Final = ["s3:GetObject", "s3:Get*", "s3:*", "s3:PutObject", "sqs:SendMessage"]
ARNS: Final = ["arn:aws:s3:::orders/*", "arn:aws:s3:::orders/a/*", "arn:aws:s3:::refunds/*", "*"]
REGIONS: Final = ["eu-west-1", "us-east-1", "cn-north-1"]
NETWORKS: Final = ["10.0.0.0/8", "10.0.0.0/16", "192.168.0.0/16", "0.0.0.0/0"]
LAWS: Final = settings(max_examples=40, deadline=None)


@dataclass(frozen=True)
class Thing:
    """One thing of each kind under one name."""

    name: str
    regions: tuple[str, ...]
    actions: tuple[str, ...]
    arns: tuple[str, ...]
    limited: bool
    networks: tuple[str, ...]
    guarded: bool
    unknown: bool = False
    """Whether its networks come from a variable without a value."""

    def blocks(self) -> list[str]:
        """Its blocks, one by one."""
        name = self.name
        limit = (
            {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1111111111"}}}
            if self.limited
            else {}
        )
        statement = {
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": list(self.arns),
            **limit,
        }
        policy = json.dumps({"Statement": [statement]}).replace('"', '\\"')
        networks = f"var.{name}_networks" if self.unknown else json.dumps(self.networks)
        found = [
            (
                f'resource "aws_sqs_queue" "{name}" {{\n'
                f"  for_each = toset({json.dumps(self.regions)})\n  region = each.key\n}}\n"
            ),
            f'resource "aws_iam_policy" "{name}" {{\n  policy = "{policy}"\n}}\n',
            (
                f'resource "aws_security_group" "{name}" {{\n  ingress {{\n    protocol = "tcp"\n'
                f"    from_port = 443\n    to_port = 443\n    cidr_blocks = {networks}\n  }}\n}}\n"
            ),
            (
                f'resource "aws_db_instance" "{name}" {{\n  deletion_protection = '
                f"{'true' if self.guarded else 'false'}\n}}\n"
            ),
            f'resource "aws_iam_role" "{name}" {{}}\n',
            self._inline("first", {"Effect": "Deny", "Action": "s3:*", "Resource": self.arns[0]}),
            self._inline("second", statement | {"Effect": "Deny"}, statement),
        ]
        if self.unknown:
            found.append(f'variable "{name}_networks" {{}}\n')
        return found

    def _inline(self, which: str, *statements: Mapping[str, object]) -> str:
        """An inline policy of its role."""
        policy = json.dumps({"Statement": statements}).replace('"', '\\"')
        return (
            f'resource "aws_iam_role_policy" "{self.name}_{which}" {{\n'
            f'  role = aws_iam_role.{self.name}.id\n  policy = "{policy}"\n}}\n'
        )


def some(values: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    """A few of some values, in any order."""
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True).map(tuple)


def things(name: str) -> st.SearchStrategy[Thing]:
    """Any thing of a name."""
    return st.builds(
        Thing,
        st.just(name),
        some(REGIONS),
        some(ACTIONS),
        some(ARNS),
        st.booleans(),
        some(NETWORKS),
        st.booleans(),
    )


PROVIDER: Final = 'provider "aws" {\n  region = "eu-west-1"\n}\n'


def files(*given_things: Thing, more: str = "") -> dict[str, str]:
    """A root with some things."""
    blocks = [block for thing in given_things for block in thing.blocks()]
    return {"live/main.tf": PROVIDER + "".join(blocks) + more}


def change(base: dict[str, str], head: dict[str, str], rules: Iterable[Rule] = ()) -> Comparison:
    """What one set of files reaches that another did not."""
    return compare_files(base, head, rules)


Fact = tuple[str, str, str]


def facts(found: Comparison, *events: Event) -> set[Fact]:
    """(address, aspect, axis) of deltas."""
    return {(d.address, d.aspect, d.axis) for d in found.deltas if d.event in events}


WIDER: Final = (Event.WIDENED, Event.MOVED)
"""Both kinds by which a thing that was there reaches somewhere new."""


@LAWS
@given(things("a"), things("b"))
def test_nothing_has_changed_from_itself_to_itself(a: Thing, b: Thing) -> None:
    found = change(files(a, b), files(a, b), RULES)

    assert (found.deltas, found.widenings, found.introduced) == ([], [], [])


@LAWS
@given(things("a"), things("a"))
def test_what_one_direction_widens_the_other_narrows(a: Thing, b: Thing) -> None:
    there, back = change(files(a), files(b)), change(files(b), files(a))
    extents = ("placement", "network")

    for one, other in ((there, back), (back, there)):
        widened = {f for f in facts(one, Event.WIDENED) if f[1] in extents}
        moved = {f for f in facts(one, Event.MOVED) if f[1] in extents}
        assert widened == {f for f in facts(other, Event.NARROWED) if f[1] in extents}
        assert moved == {f for f in facts(other, Event.MOVED) if f[1] in extents}
        # A policy is wider on some part exactly if the other way something is taken from it.
        grew = {f[0] for f in facts(one, Event.WIDENED) if f[1] == "allow"}
        assert grew == {f[0] for f in facts(other, Event.NARROWED) if f[1] == "allow"}
        lost = {f[0] for f in facts(one, Event.LOST)}
        assert lost == {f[0] for f in facts(other, Event.NARROWED) if f[1] == "guard"}


@LAWS
@given(things("a"), things("a"), things("b"), things("b"), st.booleans(), st.booleans())
def test_nothing_hides_a_widening(
    before: Thing,
    after: Thing,
    other: Thing,
    changed: Thing,
    rename: bool,  # noqa: FBT001  drawn
    unknown: bool,  # noqa: FBT001
) -> None:
    alone = change(files(before, other), files(after, other))
    said = {f for f in facts(alone, *WIDER, Event.LOST) if f[0].endswith(".a")}
    assume(said)

    more = ""
    if rename:
        changed = replace(changed, name="c")
        more = "".join(
            f"moved {{\n  from = {kind}.b\n  to = {kind}.c\n}}\n"
            for kind in ("aws_sqs_queue", "aws_iam_policy", "aws_security_group", "aws_db_instance")
        )
    changed = replace(changed, unknown=unknown)
    beside = change(files(before, other), files(after, changed, more=more))
    found = {
        (address, d.aspect, d.axis)
        for d in beside.deltas
        if d.event in (*WIDER, Event.LOST)
        for address in (d.address, *d.also)
    }
    assert said <= found


@LAWS
@given(things("a"), things("a"))
def test_a_new_name_hides_no_widening(before: Thing, after: Thing) -> None:
    said = {
        (f[0].rpartition(".")[0], f[2])
        for f in facts(change(files(before), files(after)), *WIDER)
        if f[1] != "deny"
    }
    assume(said)

    found = change(files(before), files(replace(after, name="z")))
    wider = facts(found, *WIDER)
    assert said <= {(f[0].rpartition(".")[0], f[2]) for f in wider}


@LAWS
@given(things("a"), things("a"))
def test_what_nobody_can_tell_any_more_is_said(before: Thing, after: Thing) -> None:
    found = change(files(before), files(replace(after, unknown=True)))
    unknown = facts(found, Event.UNKNOWN)
    said = {f for f in unknown if f[1] == "network"}

    assert said == {("aws_security_group.a", "network", "network")}


@LAWS
@given(things("a"), things("a"), st.randoms(use_true_random=False))
def test_fingerprints_survive_another_order_and_other_files(
    before: Thing, after: Thing, random: object
) -> None:
    base = files(before)
    plain = change(base, files(after), RULES)
    blocks = after.blocks()
    random.shuffle(blocks)  # type: ignore[attr-defined]
    spread = {"live/provider.tf": PROVIDER}
    spread |= {f"live/part{n}.tf": f"# part {n}\n\n{block}" for n, block in enumerate(blocks)}

    def prints(found: Comparison) -> list[str]:
        return sorted(f.fingerprint for f in found.widenings)

    assert prints(change(base, spread, RULES)) == prints(plain)
    moved = {f"elsewhere/{path}": text for path, text in files(after).items()}
    was = {f"elsewhere/{path}": text for path, text in base.items()}
    assert prints(change(was, moved, RULES)) == prints(plain)
