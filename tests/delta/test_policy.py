"""What one policy reaches that another did not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from blastdoor import engine
from blastdoor.delta import policy
from blastdoor.source import Memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from blastdoor.fact import Facts

BUCKET = "aws_s3_bucket.orders.arn"


def document(*statements: dict[str, Any]) -> str:
    """A policy document as Terraform source, with ``<name>`` for a reference."""
    full = [{"Effect": "Allow", **statement} for statement in statements]
    text = json.dumps({"Version": "2012-10-17", "Statement": full}, indent=2)
    return text.replace("<", "${").replace(">", "}")


def read(*statements: dict[str, Any], type_: str = "aws_iam_policy") -> policy.Policy:
    """The allow statements of a policy that a resource carries."""
    found: list[Facts] = []
    source = (
        'resource "aws_s3_bucket" "orders" {}\nresource "aws_s3_bucket" "other" {}\n'
        f'resource "{type_}" "p" {{\n  policy = <<-EOT\n{document(*statements)}\nEOT\n}}\n'
    )
    kept: list[policy.Policy] = []

    def keep(facts: Facts) -> None:
        found.append(facts)
        kept.append(policy.read(s for s in facts.statements if s.effect == "Allow"))

    engine.check(Memory({"main.tf": source}), (), observe=keep)
    assert len(kept) == 1
    return kept[0]


def widened(
    base: Sequence[dict[str, Any]], head: Sequence[dict[str, Any]], type_: str = "aws_iam_policy"
) -> tuple[list[str], bool]:
    """The axes on which head reaches further, and whether more may be hidden."""
    excess, unclear = policy.outside(read(*head, type_=type_), read(*base, type_=type_))
    return [item.part for item in excess], unclear


READ = {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::orders/*"}


@pytest.mark.parametrize(
    ("base", "head", "axes"),
    [
        (READ, READ, []),
        (READ, {**READ, "Action": ["S3:getobject"]}, []),
        (READ, {**READ, "Action": "s3:PutObject"}, ["actions"]),
        (READ, {**READ, "Action": "s3:*"}, ["actions"]),
        (READ, {"Action": "s3:*", "Resource": "*"}, ["actions", "resources"]),
        (
            READ,
            {"Action": ["s3:GetObject", "s3:PutObject"], "Resource": [READ["Resource"], "*"]},
            ["actions", "resources"],
        ),
        ({**READ, "Action": "s3:*"}, READ, []),
        (READ, {**READ, "Resource": "*"}, ["resources"]),
        ({**READ, "Resource": "*"}, READ, []),
        (READ, {**READ, "Resource": "arn:aws:s3:::orders/2024/*"}, []),
        (READ, {**READ, "Resource": "arn:aws:s3:::refunds/*"}, ["resources"]),
        (READ, {"NotAction": "s3:DeleteObject", "Resource": READ["Resource"]}, ["actions"]),
        ({"NotAction": "s3:DeleteObject", "Resource": READ["Resource"]}, READ, []),
    ],
)
def test_actions_and_resources(base: dict[str, Any], head: dict[str, Any], axes: list[str]) -> None:
    assert widened([base], [head]) == (axes, False)


def test_swapped_pairs_are_wider() -> None:
    one = {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"}
    two = {"Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::b/*"}
    swapped = [{**one, "Resource": two["Resource"]}, {**two, "Resource": one["Resource"]}]

    assert len(widened([one, two], swapped)[0]) == 2
    assert widened([one, two], [two, one]) == ([], False)


def test_an_action_pattern_that_expands_to_what_was_listed_is_no_widening() -> None:
    names = ["sqs:SendMessage", "sqs:SendMessageBatch"]
    queue = "arn:aws:sqs:eu-west-1:111122223333:orders"

    assert widened(
        [{"Action": [*names, "sqs:ListQueues"], "Resource": queue}],
        [{"Action": "sqs:SendMessage*", "Resource": queue}],
    ) == ([], False)


REFERENCE = {"Action": "s3:GetObject", "Resource": f"<{BUCKET}>/*"}


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        (REFERENCE, REFERENCE, ([], False)),
        (REFERENCE, {**REFERENCE, "Resource": "*"}, (["resources"], False)),
        (REFERENCE, {**REFERENCE, "Resource": "arn:aws:s3:::*"}, (["resources"], False)),
        (REFERENCE, {**REFERENCE, "Action": "s3:PutObject"}, (["actions"], False)),
        (REFERENCE, READ, ([], True)),
        (READ, REFERENCE, ([], True)),
        ({**READ, "Resource": "*"}, REFERENCE, ([], False)),
        (REFERENCE, {**REFERENCE, "Resource": "<aws_s3_bucket.other.arn>/*"}, ([], True)),
        (
            {**REFERENCE, "Resource": f"<{BUCKET}>"},
            {**REFERENCE, "Resource": "*"},
            (["resources"], False),
        ),
    ],
)
def test_what_is_not_known_is_equal_to_itself_only(
    base: dict[str, Any], head: dict[str, Any], expected: tuple[list[str], bool]
) -> None:
    assert widened([base], [head]) == expected


def limited(operator: str, key: str, *values: str) -> dict[str, Any]:
    return {**READ, "Condition": {operator: {key: list(values)}}}


REGION = "aws:RequestedRegion"


@pytest.mark.parametrize(
    ("base", "head", "axes"),
    [
        (limited("StringEquals", REGION, "cn-north-1"), READ, ["conditions"]),
        (READ, limited("StringEquals", REGION, "cn-north-1"), []),
        (
            limited("StringEquals", REGION, "cn-north-1"),
            limited("StringEquals", REGION, "cn-north-1", "cn-northwest-1"),
            ["conditions"],
        ),
        (
            limited("StringEquals", REGION, "cn-north-1", "cn-northwest-1"),
            limited("StringEquals", REGION, "cn-north-1"),
            [],
        ),
        (
            limited("StringNotEquals", REGION, "us-east-1"),
            limited("StringNotEquals", REGION, "us-east-1", "us-west-2"),
            [],
        ),
        (
            limited("StringNotEquals", REGION, "us-east-1", "us-west-2"),
            limited("StringNotEquals", REGION, "us-east-1"),
            ["conditions"],
        ),
        (
            limited("StringLike", "aws:PrincipalArn", "arn:aws:iam::111122223333:role/*"),
            limited("StringEquals", "aws:PrincipalArn", "arn:aws:iam::111122223333:role/app"),
            [],
        ),
        (
            limited("IpAddress", "aws:SourceIp", "10.0.0.0/8"),
            limited("IpAddress", "aws:SourceIp", "10.1.0.0/16"),
            [],
        ),
        (
            limited("IpAddress", "aws:SourceIp", "10.1.0.0/16"),
            limited("IpAddress", "aws:SourceIp", "10.0.0.0/8"),
            ["conditions"],
        ),
        (
            limited("Bool", "aws:SecureTransport", "true"),
            limited("Bool", "aws:MultiFactorAuthPresent", "true"),
            ["conditions"],
        ),
    ],
)
def test_conditions(base: dict[str, Any], head: dict[str, Any], axes: list[str]) -> None:
    assert widened([base], [head]) == (axes, False)


@pytest.mark.parametrize(
    ("base", "head", "axes"),
    [
        ({"AWS": "111122223333"}, {"AWS": "arn:aws:iam::111122223333:root"}, []),
        ({"AWS": "111122223333"}, {"AWS": "arn:aws:iam::111122223333:role/app"}, []),
        ({"AWS": "arn:aws:iam::111122223333:role/app"}, {"AWS": "111122223333"}, ["principals"]),
        ({"AWS": "111122223333"}, "*", ["principals"]),
        ("*", {"AWS": "111122223333"}, []),
        ({"AWS": "111122223333"}, {"Service": "sns.amazonaws.com"}, ["principals"]),
    ],
)
def test_principals(base: object, head: object, axes: list[str]) -> None:
    def on(who: object) -> dict[str, Any]:
        return {**READ, "Principal": who}

    found = widened([on(base)], [on(head)], type_="aws_s3_bucket_policy")
    assert found == (axes, False)
