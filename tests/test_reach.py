"""The order on each axis of reach, by example."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from blastdoor import reach
from blastdoor.reach import (
    ANY_ACCOUNT,
    ANYONE,
    AUTHENTICATED,
    AXES,
    DESTROY,
    EVERY,
    EVERYWHERE,
    INHERITED,
    READ,
    WRITE,
    Account,
    Accounts,
    Actions,
    AllBut,
    AllIn,
    Conditions,
    Environments,
    Extent,
    Federated,
    Fleet,
    Global,
    Grant,
    Grants,
    Guards,
    Identity,
    Network,
    Opening,
    Order,
    Organization,
    OrganizationalUnit,
    Partitions,
    Principals,
    Reach,
    Regions,
    Resources,
    Service,
    Unresolved,
    account,
    globalised,
    partition_of,
    principal,
    unpinned,
)

narrower, equal, wider = Order.NARROWER, Order.EQUAL, Order.WIDER
incomparable, unknown = Order.INCOMPARABLE, Order.UNKNOWN
MIRROR = {
    narrower: wider,
    wider: narrower,
    equal: equal,
    incomparable: incomparable,
    unknown: unknown,
}

OU = OrganizationalUnit("ou-ab12-cdefghij")
OTHER_OU = OrganizationalUnit("ou-ab12-zzzzzzzz")
ONE = "111111111111"
TWO = "222222222222"
ROLE = f"arn:aws:iam::{ONE}:role/deploy"


# ---------------------------------------------------------------------------------------- regions


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("us-east-1", "aws"),
        ("eu-central-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("us-isof-south-1", "aws-iso-f"),
        ("eusc-de-east-1", "aws-eusc"),
        ("gcp/europe-west1", "gcp"),
    ],
)
def test_partition_of_a_region(region: str, partition: str) -> None:
    assert partition == partition_of(region)


@pytest.mark.parametrize(
    ("base", "head", "order"),
    [
        (Regions("cn-north-1"), Regions("cn-north-1"), equal),
        (Regions("CN-North-1 "), Regions("cn-north-1"), equal),
        (Regions("cn-north-1"), Regions("cn-north-1", "cn-northwest-1"), wider),
        (Regions("cn-north-1"), Regions(AllIn("aws-cn")), wider),
        (Regions("cn-north-1", "cn-northwest-1"), Regions(AllIn("aws-cn")), wider),
        (Regions(AllIn("aws-cn")), Regions(EVERYWHERE), wider),
        # moved: reaches somewhere new
        (Regions("cn-north-1"), Regions("us-east-1"), incomparable),
        (Regions("us-east-1"), Regions(AllIn("aws-cn")), incomparable),
        (Regions("us-east-1", "us-west-2"), Regions("us-east-1", "eu-west-1"), incomparable),
        # inherited is exactly one region: below all, and below several
        (Regions(INHERITED), Regions(EVERYWHERE), wider),
        (Regions(INHERITED), Regions(AllIn("aws")), wider),
        (Regions(INHERITED), Regions("us-east-1", "us-west-2"), wider),
        (Regions(INHERITED), Regions("us-east-1"), incomparable),
        (Regions("us-east-1"), Regions(INHERITED), incomparable),
        (Regions("us-east-1"), Regions("us-east-1", INHERITED), wider),
        (Regions("us-east-1", "us-west-2"), Regions("us-east-1", INHERITED), incomparable),
        (Regions("us-east-1", "us-west-2"), Regions("us-east-1", "us-west-2", INHERITED), wider),
        # one region and a global service are not several regions
        (Regions(INHERITED), Regions("us-east-1", Global("iam")), incomparable),
        # a global service is only itself
        (Regions(Global("iam")), Regions(Global("iam")), equal),
        (Regions("us-east-1"), Regions(Global("iam")), incomparable),
        (Regions(Global("iam")), Regions(EVERYWHERE), incomparable),
        (Regions(Global("iam")), Regions(EVERYWHERE, Global("iam")), wider),
        (Regions(), Regions("us-east-1"), wider),
    ],
)
def test_order_of_regions(base: Regions, head: Regions, order: Order) -> None:
    assert order == head.compare(base)
    assert MIRROR[order] == base.compare(head)


def test_regions_drop_what_is_covered() -> None:
    assert Regions(AllIn("aws-cn"), "us-east-1") == Regions(
        "cn-north-1", AllIn("aws-cn"), "us-east-1"
    )
    assert Regions(EVERYWHERE, Global("iam")) == Regions(
        "cn-north-1", INHERITED, AllIn("aws"), EVERYWHERE, Global("iam")
    )


def test_partitions_of_regions() -> None:
    assert Partitions("aws", "aws-cn") == Regions("eu-west-1", AllIn("aws-cn")).partitions()
    assert Partitions(EVERY) == Regions(EVERYWHERE).partitions()
    assert Partitions() == Regions(INHERITED, Global("iam")).partitions()


@pytest.mark.parametrize(
    ("base", "head", "event"),
    [
        (Regions("cn-north-1"), Regions(INHERITED), True),
        (Regions("cn-north-1", "cn-northwest-1"), Regions(INHERITED), True),
        (Regions("cn-north-1"), Regions("cn-north-1", INHERITED), True),
        (Regions("cn-north-1"), Regions("us-east-1"), False),
        (Regions(INHERITED), Regions(INHERITED), False),
        (Regions(AllIn("aws-cn")), Regions(INHERITED), False),
        (Regions(), Regions(INHERITED), False),
        (None, Regions(INHERITED), False),
        (Regions("cn-north-1"), Unresolved("var.region"), False),
    ],
)
def test_unpinned(
    base: Regions | Unresolved | None, head: Regions | Unresolved | None, *, event: bool
) -> None:
    assert event == unpinned(head, base)


@pytest.mark.parametrize(
    ("base", "head", "event"),
    [
        (Regions("us-east-1"), Regions(Global("iam")), True),
        (Regions(INHERITED), Regions("us-east-1", Global("iam")), True),
        (Regions(Global("iam")), Regions(Global("iam")), False),
        (Regions("us-east-1"), Regions(EVERYWHERE), False),
        (None, Regions(Global("iam")), False),
    ],
)
def test_globalised(base: Regions | None, head: Regions, *, event: bool) -> None:
    assert event == globalised(head, base)


# -------------------------------------------------------------------- partitions and environments


@pytest.mark.parametrize("axis", [Partitions, Environments])
def test_order_of_names(axis: Any) -> None:
    assert equal == axis("a", "B").compare(axis("b", "A", "a"))
    assert wider == axis("a", "b").compare(axis("a"))
    assert incomparable == axis("b").compare(axis("a"))
    assert wider == axis(EVERY).compare(axis("a", "b"))
    assert axis(EVERY) == axis("a", EVERY)


# --------------------------------------------------------------------------------------- accounts


@pytest.mark.parametrize(
    ("base", "head", "order", "mirrored"),
    [
        (Accounts(ONE), Accounts(ONE), equal, equal),
        (Accounts(ONE), Accounts(f"arn:aws-cn:iam::{ONE}:root"), equal, equal),
        (Accounts(ONE), Accounts(ONE, TWO), wider, narrower),
        (Accounts(ONE), Accounts(TWO), incomparable, incomparable),
        (Accounts(ONE, TWO), Accounts(Organization()), wider, narrower),
        (Accounts(OU), Accounts(Organization("r-ab12")), wider, narrower),
        (Accounts(Organization()), Accounts(ANY_ACCOUNT), wider, narrower),
        (Accounts(INHERITED), Accounts(Organization()), wider, narrower),
        (Accounts(INHERITED), Accounts(ONE), incomparable, incomparable),
        (Accounts(Organization("o-a")), Accounts(Organization("o-b")), incomparable, incomparable),
        # which account lies in which unit the code does not say
        (Accounts(ONE), Accounts(OU), unknown, unknown),
        (Accounts(OU), Accounts(OTHER_OU), unknown, unknown),
        (Accounts(INHERITED), Accounts(OU), unknown, unknown),
        (Accounts(Organization()), Accounts(Organization("r-ab12")), unknown, unknown),
        (Accounts(Organization("o-a")), Accounts(Organization("r-ab12")), unknown, unknown),
        # equal sets, and parts that are surely outside, decide nevertheless
        (Accounts(OU, ONE), Accounts(ONE, OU), equal, equal),
        (Accounts(OU), Accounts(OU, ONE), unknown, narrower),
        (Accounts(ONE), Accounts(TWO, OU), incomparable, unknown),
        (Accounts(OU), Accounts(OTHER_OU, ANY_ACCOUNT), wider, narrower),
    ],
)
def test_order_of_accounts(base: Accounts, head: Accounts, order: Order, mirrored: Order) -> None:
    assert order == head.compare(base)
    assert mirrored == base.compare(head)


def test_the_unit_at_the_root_is_the_organization() -> None:
    assert Accounts(Organization("r-ab12")) == Accounts(OrganizationalUnit("r-ab12"), OU, ONE)


@pytest.mark.parametrize(
    ("text", "element"),
    [
        ("*", ANY_ACCOUNT),
        ("ou-ab12-cdefghij", OU),
        ("r-ab12", Organization("r-ab12")),
        ("o-abcdef", Organization("o-abcdef")),
        (ONE, ONE),
        (f"arn:aws:iam::{ONE}:root", ONE),
    ],
)
def test_account_by_the_form_of_its_id(text: str, element: reach.AccountElement) -> None:
    assert element == account(text)


# ------------------------------------------------------------------------------------- principals


@pytest.mark.parametrize(
    ("base", "head", "order"),
    [
        (Principals(ROLE), Principals(Account(ONE)), wider),
        (Principals(f"arn:aws:sts::{ONE}:assumed-role/deploy/me"), Principals(ONE), wider),
        (Principals(ROLE), Principals(TWO), incomparable),
        (Principals(ROLE), Principals(f"arn:aws:iam::{ONE}:role/*"), wider),
        (Principals(f"arn:aws:iam::*:role/{'x'}"), Principals(ONE), incomparable),
        (Principals(ONE), Principals(f"arn:aws:iam::{ONE}:root"), equal),
        (Principals(ONE), Principals(AUTHENTICATED), wider),
        (Principals(ONE), Principals(ANYONE), wider),
        (Principals(AUTHENTICATED), Principals("*"), wider),
        (Principals(Organization("o-a")), Principals(AUTHENTICATED), wider),
        (Principals(Organization("o-a")), Principals(Organization("o-b")), incomparable),
        (Principals(Service("lambda.amazonaws.com")), Principals(ANYONE), wider),
        (Principals(Service("lambda.amazonaws.com")), Principals(AUTHENTICATED), incomparable),
        (Principals(Federated("accounts.google.com")), Principals(ANYONE), wider),
        (Principals(Federated("accounts.google.com")), Principals(AUTHENTICATED), incomparable),
    ],
)
def test_order_of_principals(base: Principals, head: Principals, order: Order) -> None:
    assert order == head.compare(base)
    assert MIRROR[order] == base.compare(head)


@pytest.mark.parametrize("inside", [ONE, ROLE])
def test_an_account_may_belong_to_an_organization(inside: str) -> None:
    organization = Principals(Organization("o-a"))

    assert unknown == Principals(inside).compare(organization)
    assert incomparable == organization.compare(Principals(inside))


@pytest.mark.parametrize(
    ("text", "kind", "element"),
    [
        ("*", "AWS", ANYONE),
        ("*", "Federated", ANYONE),
        (ONE, "AWS", Account(ONE)),
        (f"arn:aws-cn:iam::{ONE}:root", "AWS", Account(ONE)),
        (ROLE, "AWS", Identity(ROLE)),
        ("arn:aws:iam::*:root", "AWS", Identity("arn:aws:iam::*:root")),
        ("Lambda.amazonaws.com", "Service", Service("lambda.amazonaws.com")),
        ("ec2.amazonaws.com.cn", "AWS", Service("ec2.amazonaws.com.cn")),
        ("accounts.google.com", "Federated", Federated("accounts.google.com")),
        (
            "cognito-identity.amazonaws.com",
            "Federated",
            Federated("cognito-identity.amazonaws.com"),
        ),
        (
            f"arn:aws:iam::{ONE}:oidc-provider/x",
            "AWS",
            Federated(f"arn:aws:iam::{ONE}:oidc-provider/x"),
        ),
        ("o-abc", "AWS", Organization("o-abc")),
        ("allUsers", "AWS", ANYONE),
        ("allAuthenticatedUsers", "AWS", AUTHENTICATED),
        ("user:a@example.com", "AWS", Identity("user:a@example.com")),
    ],
)
def test_principal_as_policies_write_it(
    text: str, kind: str, element: reach.PrincipalElement
) -> None:
    assert element == principal(text, kind)


def test_principals_in_normal_form() -> None:
    assert Principals(Account(ONE)) == Principals(Account(f"arn:aws:iam::{ONE}:root"), ROLE)
    assert Principals(ANYONE) == Principals(Identity("*"), ONE, "lambda.amazonaws.com")
    assert Principals(ANYONE) == Principals(Identity("arn:*"))
    assert Principals(ONE) == Principals(Identity(f"arn:aws:iam::{ONE}:root"))
    assert Principals(f"arn:aws:iam::{ONE}:role/*") == Principals(f"arn:aws:iam::{ONE}:role/**")


# -------------------------------------------------------------------------- actions and resources


@pytest.mark.parametrize(
    ("base", "head", "order"),
    [
        (Actions("s3:*"), Actions("S3:*"), equal),
        (Actions("*"), Actions("*:*"), equal),
        (Actions("s3:Get**"), Actions("s3:get*"), equal),
        (Actions("s3:*?"), Actions("s3:?*"), equal),
        (Actions("s3:*", "s3:GetObject"), Actions("s3:*"), equal),
        (Actions("s3:GetObject"), Actions("s3:Get*"), wider),
        (Actions("s3:Get*"), Actions("s3:*"), wider),
        (Actions("s3:*"), Actions("*"), wider),
        (Actions("s3:GetObject"), Actions("s3:GetObjec?"), wider),
        (Actions("s3:Get?"), Actions("s3:Get*"), wider),
        (Actions("s3:Get*"), Actions("s3:Put*"), incomparable),
        (Actions("s3:Get*"), Actions("s3:*Object"), incomparable),
        (Actions("s3:Get*"), Actions("s3:G?t*"), wider),
        # NotAction: everything but
        (Actions.all_but("iam:*"), Actions("*"), wider),
        (Actions.all_but("iam:*", "organizations:*"), Actions.all_but("iam:*"), wider),
        (Actions.all_but("iam:*"), Actions.all_but("iam:PassRole"), wider),
        (Actions.all_but("iam:*"), Actions.all_but("s3:*"), incomparable),
        (Actions("s3:GetObject"), Actions.all_but("iam:*"), wider),
        (Actions("iam:GetRole"), Actions.all_but("iam:*"), incomparable),
        (Actions("iam:*"), Actions.all_but("iam:PassRole"), incomparable),
        (Actions("*:Get*"), Actions.all_but("iam:PassRole"), wider),
        (Actions.all_but(), Actions("*"), equal),
        (Actions.all_but("*"), Actions(), equal),
        (Actions.all_but("iam:*"), Actions(AllBut(frozenset()), "s3:*"), wider),
        (Actions.all_but("IAM:*", "iam:PassRole"), Actions.all_but("iam:*"), equal),
    ],
)
def test_order_of_actions(base: Actions, head: Actions, order: Order) -> None:
    assert order == head.compare(base)
    assert MIRROR[order] == base.compare(head)


@pytest.mark.parametrize(
    ("base", "head", "order"),
    [
        (Resources("arn:aws:s3:::orders/*"), Resources("*"), wider),
        (Resources("arn:aws:s3:::orders/a"), Resources("arn:aws:s3:::orders/*"), wider),
        (Resources("arn:aws:s3:::orders"), Resources("arn:aws:s3:::Orders"), incomparable),
        # field by field: a star of the region does not reach into the account
        (
            Resources("arn:aws:sns:us-east-1:111111111111:t"),
            Resources("arn:aws:sns:*:111111111111:t"),
            wider,
        ),
        (
            Resources("arn:aws:sns:us-east-1:111111111111:t"),
            Resources("arn:aws:sns:*:222222222222:t"),
            incomparable,
        ),
        (Resources("arn:aws:sns:a:b:c:d"), Resources("arn:aws:sns:a:*:d"), incomparable),
        (Resources("arn:aws:sns:*:13:t"), Resources("arn:aws:sns:*:12*:t"), incomparable),
        # the last field holds the rest
        (Resources("arn:aws:logs:r:1:log-group:/a/b:*"), Resources("arn:aws:logs:r:1:*"), wider),
        (Resources("arn:aws:s3:::b"), Resources("arn:*:s3:::b"), wider),
        # fewer fields: as a whole
        (Resources("arn:aws:s3:::b"), Resources("arn:aws:s3:*"), wider),
        (Resources("arn:aws:s3:*"), Resources("arn:aws:s3:*:*:*"), narrower),
        (Resources("arn:*"), Resources("*"), equal),
        (Resources("arn:*:*:*:*:*"), Resources("*"), equal),
        (Resources("projects/a/topics/t"), Resources("projects/a/*"), wider),
        # NotResource
        (Resources("arn:aws:s3:::a/*"), Resources.all_but("arn:aws:s3:::b/*"), wider),
        (Resources("arn:aws:s3:::*"), Resources.all_but("arn:aws:s3:::b/*"), incomparable),
        (Resources("arn:aws:sns:*:1:t"), Resources.all_but("arn:aws:sqs:*:*:*"), wider),
        (Resources("arn:aws:s3:::a"), Resources.all_but("arn:aws:s3*"), incomparable),
        # names that something fills in later are equal to themselves only
        (Resources("${bucket}/a"), Resources("${bucket}/*"), wider),
        (Resources("arn:aws:s3:::h/${aws:username}"), Resources("arn:aws:s3:::h/*"), wider),
        (
            Resources("arn:aws:s3:::h/${aws:username}"),
            Resources("arn:aws:s3:::h/alice"),
            incomparable,
        ),
        (Resources("${b}"), Resources("????"), incomparable),
        (Resources("${b}"), Resources("?"), incomparable),
        (Resources("a${*}b"), Resources("a*b"), wider),
        (Resources("axb"), Resources("a${*}b"), incomparable),
        (Resources("${b}${c}"), Resources("${b}*"), wider),
        (Resources("${b"), Resources("${*"), wider),
        (Resources("arn:${p}:s3:::${b}/*"), Resources("arn:*:s3:::*"), wider),
        (Resources("arn:aws:sqs:${AWS::Region}:1:q"), Resources("arn:aws:sqs:*:1:q"), wider),
    ],
)
def test_order_of_resources(base: Resources, head: Resources, order: Order) -> None:
    assert order == head.compare(base)
    assert MIRROR[order] == base.compare(head)


def test_a_name_that_is_filled_in_later_may_be_an_excluded_one() -> None:
    head = Resources("arn:aws:s3:::h/${aws:username}")

    assert incomparable == head.compare(Resources.all_but("arn:aws:s3:::h/alice"))
    assert narrower == head.compare(Resources.all_but("arn:aws:s3:::g/alice"))


def test_an_action_keeps_its_spelling_for_humans_only() -> None:
    actions = Actions("s3:GetObject", "S3:getobject", "iam:PassRole")

    normal = ["iam:passrole", "s3:getobject"]
    shown = "iam:PassRole and S3:getobject"

    assert normal == list(actions.patterns)
    assert normal == actions.to_json()
    assert shown == actions.describe()


def test_parts_of_a_language() -> None:
    actions = Actions("s3:*", AllBut(Actions.all_but("iam:*", "s3:*").complements[0].excluded))

    assert Actions("s3:*").patterns == actions.patterns
    assert Actions.all_but("iam:*", "s3:*").complements == actions.complements
    assert not actions.is_everything
    assert Actions.everything().is_everything


@pytest.mark.parametrize("wide", ["a*" * 500 + "b", "*a" * 500, "?" * 1000 + "*"])
def test_coverage_of_hostile_patterns_is_fast(wide: str) -> None:
    narrow = Actions("a" * 5000)

    assert narrow.compare(Actions(wide)) in {incomparable, narrower}
    assert narrow.compare(Actions.all_but(wide)) in {incomparable, narrower}


# ----------------------------------------------------- fleet, mutation, conditions, guards, network


def test_order_of_fleet_shares() -> None:
    assert wider == Fleet(25).compare(Fleet(10))
    assert equal == Fleet(25.0).compare(Fleet(25))
    assert Fleet(25) == Fleet(10).join(Fleet(25))


@pytest.mark.parametrize("percent", [0, -1, 100.5, float("nan"), float("inf")])
def test_a_share_is_a_percentage(percent: float) -> None:
    with pytest.raises(ValueError, match="share of a fleet"):
        Fleet(percent)


def test_order_of_mutations() -> None:
    assert wider == WRITE.compare(READ)
    assert wider == DESTROY.compare(WRITE)
    assert narrower == READ.compare(DESTROY)
    assert equal == WRITE.compare(WRITE)
    assert READ.join(DESTROY) == DESTROY


@pytest.mark.parametrize("axis", [Conditions, Guards])
def test_more_limits_are_narrower(axis: Any) -> None:
    assert wider == axis("a").compare(axis("a", "b"))
    assert wider == axis().compare(axis("a"))
    assert narrower == axis("a", "b").compare(axis("b"))
    assert incomparable == axis("a").compare(axis("b"))
    assert axis("a") == axis("a", "b").join(axis("c", "a"))


@pytest.mark.parametrize(
    ("base", "head", "order"),
    [
        (Opening("10.0.0.7/24", "tcp", 22, 22), Opening("10.0.0.0/24", "6", 22, 22), equal),
        (Opening("10.0.0.0/8", "tcp", 22, 22), Opening("0.0.0.0/0", "tcp", 22, 22), wider),
        (Opening("10.0.0.0/8", "tcp", 22, 22), Opening("10.0.0.0/8", "tcp", 0, 1024), wider),
        (Opening("10.0.0.0/8", "tcp", 22, 22), Opening("10.0.0.0/8", "-1"), wider),
        (Opening("10.0.0.0/8", "tcp"), Opening("10.0.0.0/8", "-1", 0, 0), wider),
        (Opening("10.0.0.0/8", "tcp", -1, -1), Opening("10.0.0.0/8", "tcp", 0, 65535), equal),
        (Opening("10.0.0.0/8", "tcp", 22, 22), Opening("10.0.0.0/8", "udp", 22, 22), incomparable),
        (Opening("10.0.0.0/8", "tcp", 22, 22), Opening("0.0.0.0/0", "tcp", 443, 443), incomparable),
        (Opening("0.0.0.0/0"), Opening("::/0"), incomparable),
        (Opening("::ffff/128"), Opening("::/0"), wider),
        (Opening("10.0.0.1"), Opening("10.0.0.1/32"), equal),
        (Opening("sg-1", "tcp", 22, 22), Opening("sg-2", "tcp", 22, 22), incomparable),
        (Opening("sg-1", "tcp", 22, 22), Opening("0.0.0.0/0", "tcp", 22, 22), wider),
        (Opening("10.0.0.0/8", "icmp", 8, 0), Opening("10.0.0.0/8", "icmp", 8, -1), wider),
        (Opening("10.0.0.0/8", "icmp", 8, 0), Opening("10.0.0.0/8", "1", -1, -1), wider),
        (Opening("10.0.0.0/8", "icmp", 8, 0), Opening("10.0.0.0/8", "icmp", 0, 0), incomparable),
    ],
)
def test_order_of_networks(base: Opening, head: Opening, order: Order) -> None:
    assert order == Network(head).compare(Network(base))
    assert MIRROR[order] == Network(base).compare(Network(head))


def test_networks_drop_what_is_covered() -> None:
    assert Network(Opening("10.0.0.0/8", "all")) == Network(
        Opening("10.0.0.0/8"), Opening("10.1.0.0/16", "tcp", 22, 22)
    )


@pytest.mark.parametrize(
    ("cidr", "ports"), [("10.0.0.0/33", (1, 2)), ("1.2.3", (1, 2)), ("10.0.0.0/8", (2, 1))]
)
def test_no_opening(cidr: str, ports: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"IPv4|range of ports"):
        Opening(cidr, "tcp", *ports)


# ----------------------------------------------------------------------------------------- grants


def allow(
    actions: str | Actions | Unresolved,
    resources: str | Resources | Unresolved,
    who: str | Principals | Unresolved | None = None,
    *conditions: str,
) -> Grant:
    return Grant(
        Principals(who) if isinstance(who, str) else who,
        Actions(*actions.split()) if isinstance(actions, str) else actions,
        Resources(*resources.split()) if isinstance(resources, str) else resources,
        Conditions(*conditions),
    )


@pytest.mark.parametrize(
    ("base", "head", "order"),
    [
        ([allow("s3:Get*", "b")], [allow("s3:*", "b")], wider),
        ([allow("s3:Get*", "b")], [allow("s3:Get*", "*")], wider),
        ([allow("s3:Get*", "b", ONE)], [allow("s3:Get*", "b", "*")], wider),
        ([allow("s3:Get*", "b", ONE)], [allow("s3:Get*", "b", TWO)], incomparable),
        ([allow("s3:Get*", "b")], [allow("s3:Get*", "b", "*")], incomparable),
        ([allow("s3:Get*", "b", None, "mfa")], [allow("s3:Get*", "b")], wider),
        ([allow("s3:Get*", "b", None, "mfa", "ip")], [allow("s3:Get*", "b", None, "ip")], wider),
        ([allow("s3:Get*", "b", None, "mfa")], [allow("s3:Get*", "b", None, "ip")], incomparable),
        # how statements are cut does not count
        ([allow("a b", "r")], [allow("a", "r"), allow("b", "r")], equal),
        ([allow("a b", "r s")], [allow("a", "r s"), allow("b", "r"), allow("b", "s")], equal),
        ([allow("a", "r")], [allow("a", "r"), allow("a", "r", None, "mfa")], equal),
        # one statement that reaches what two did not together
        ([allow("a", "r"), allow("b", "s")], [allow("a b", "r s")], wider),
        # swapped pairs
        ([allow("a", "r"), allow("b", "s")], [allow("a", "s"), allow("b", "r")], incomparable),
        # everything but, whole
        ([allow("a", "r")], [allow(Actions.all_but("b"), "r")], wider),
        ([allow(Actions.all_but("b"), "r")], [allow("*", "r")], wider),
        ([], [allow("a", "r")], wider),
        ([], [allow("", "r"), allow("a", ""), allow("a", "r", Principals())], equal),
    ],
)
def test_order_of_grants(base: list[Grant], head: list[Grant], order: Order) -> None:
    assert order == Grants(*head).compare(Grants(*base))
    assert MIRROR[order] == Grants(*base).compare(Grants(*head))


def test_swapped_pairs_widen_no_axis_and_yet_the_grants() -> None:
    def of(*grants: Grant) -> Reach:
        together = Grants(*grants)
        return Reach(
            principals=together.principals(),
            actions=together.actions(),
            resources=together.resources(),
            grants=together,
        )

    base = of(allow("s3:Get*", "arn:aws:s3:::a", ONE), allow("s3:Put*", "arn:aws:s3:::b", ONE))
    head = of(allow("s3:Get*", "arn:aws:s3:::b", ONE), allow("s3:Put*", "arn:aws:s3:::a", ONE))

    expected = {"principals": equal, "actions": equal, "resources": equal, "grants": incomparable}

    assert expected == head.compare(base)
    assert head.widened(base) == ["grants"]


@pytest.mark.parametrize(
    ("base", "head", "order"),
    [
        (("a", Unresolved("x")), ("a", Unresolved("x")), unknown),
        (("a", Unresolved("x")), ("a", "r"), unknown),
        # a part that is surely outside decides nevertheless
        (("a", Unresolved("x")), ("b", Unresolved("x")), incomparable),
        (("a", "r"), (Unresolved("x"), "*"), incomparable),
    ],
)
def test_a_part_of_a_statement_may_be_unresolved(
    base: tuple[str, str | Unresolved], head: tuple[str, str | Unresolved], order: Order
) -> None:
    assert order == Grants(allow(*head)).compare(Grants(allow(*base)))


def test_what_is_resolved_covers_beside_what_is_not() -> None:
    base = Grants(allow("a b", "r"), allow("c", Unresolved("x")))

    assert narrower == Grants(allow("a", "r")).compare(base)
    assert unknown == Grants(allow("c", "r")).compare(base)
    assert incomparable == Grants(allow("c", "r"), allow("d", "r")).compare(base)
    assert Actions("a", "b", "c") == base.actions()
    assert Unresolved("x") == base.resources()
    assert base.principals() is None
    assert base.holds(allow("a", "r")) is True
    assert base.holds(allow("d", "r")) is False


def test_an_unsettled_principal_leaves_the_grant_unknown() -> None:
    base = Grants(allow("a", "r", Principals(Organization("o-a"))))

    assert unknown == Grants(allow("a", "r", ONE)).compare(base)
    assert incomparable == Grants(allow("b", "r", ONE)).compare(base)


def test_grants_beyond_the_budget_compare_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "MAX_TUPLES", 0)
    cut = Grants(allow("a", "r"), allow("b", "r"), allow("b", "r", None, "mfa"))

    assert len(cut.elements) == 3
    assert equal == cut.compare(Grants(allow("a b", "r")))


def test_grants_are_grouped_anew() -> None:
    grants = Grants(
        allow("s3:get*", "b", ONE), allow("s3:Put*", "b", ONE), allow("s3:GetObject", "b", ROLE)
    )

    assert frozenset({allow("s3:Get* s3:Put*", "b", ONE)}) == grants.elements
    assert f"account {ONE}: s3:get* and s3:Put* on b" == grants.describe()
    assert [
        {"principals": [f"account:{ONE}"], "actions": ["s3:get*", "s3:put*"], "resources": ["b"]}
    ] == grants.to_json()


# -------------------------------------------------------------------------------- unresolved, reach


EXTENTS: dict[str, Extent] = {
    "regions": Regions("cn-north-1", "cn-northwest-1"),
    "partitions": Partitions("aws-cn"),
    "accounts": Accounts(ONE),
    "principals": Principals(ANYONE),
    "actions": Actions("s3:*"),
    "resources": Resources("*"),
    "environment": Environments("prod"),
    "fleet": Fleet(25),
    "network": Network(Opening("0.0.0.0/0", "tcp", 22, 22)),
    "mutation": DESTROY,
    "conditions": Conditions(),
    "guards": Guards("deletion_protection"),
    "grants": Grants(allow("s3:*", "*", "*", "mfa")),
}


def full() -> Reach:
    return Reach(**EXTENTS)  # type: ignore[arg-type]


def test_axes() -> None:
    assert tuple(EXTENTS) == AXES


@pytest.mark.parametrize("extent", [*EXTENTS.values(), Unresolved("var.x")])
def test_unresolved_stands_outside_the_order(extent: Any) -> None:
    unresolved = Unresolved("var.a")

    assert unknown == unresolved.compare(extent)
    assert unknown == extent.compare(unresolved)
    assert unresolved == extent.join(unresolved)
    assert unresolved == unresolved.join(extent)


def test_different_axes_are_not_compared() -> None:
    with pytest.raises(TypeError, match="Partitions and Environments are different axes"):
        Extent.compare(Partitions("aws"), Environments("aws"))
    with pytest.raises(TypeError, match="Partitions and Environments are different axes"):
        Extent.join(Partitions("aws"), Environments("aws"))
    assert Extent.__eq__(Partitions("aws"), Environments("aws")) is NotImplemented
    assert AllIn("aws") != Global("aws")


def test_describe_a_reach() -> None:
    assert [
        "regions: cn-north-1 and cn-northwest-1",
        "partitions: aws-cn",
        f"accounts: account {ONE}",
        "principals: anyone",
        "actions: s3:*",
        "resources: every resource",
        "environment: prod",
        "fleet: 25 % of the fleet",
        "network: tcp 22 with 0.0.0.0/0",
        "mutation: destroy",
        "conditions: none",
        "guards: deletion_protection",
        "grants: anyone: s3:* on every resource if mfa",
    ] == full().describe()


def test_reach_as_json() -> None:
    expected = {
        "regions": ["cn-north-1", "cn-northwest-1"],
        "partitions": ["aws-cn"],
        "accounts": [ONE],
        "principals": ["anyone"],
        "actions": ["s3:*"],
        "resources": ["*"],
        "environment": ["prod"],
        "fleet": 25,
        "network": [{"cidr": "0.0.0.0/0", "protocol": "tcp", "from_port": 22, "to_port": 22}],
        "mutation": "destroy",
        "conditions": [],
        "guards": ["deletion_protection"],
        "grants": [
            {
                "principals": ["anyone"],
                "actions": ["s3:*"],
                "resources": ["*"],
                "conditions": ["mfa"],
            }
        ],
    }

    assert expected == full().to_json()
    assert expected == json.loads(json.dumps(full().to_json()))


@pytest.mark.parametrize(
    ("extent", "words", "form"),
    [
        (Regions(), "no region", []),
        (Regions(AllIn("aws")), "every region of aws", ["all-in:aws"]),
        (Regions(EVERYWHERE), "every region", ["everywhere"]),
        (Regions(INHERITED), "one region, decided by the environment", ["inherited"]),
        (Regions(Global("iam")), "iam, a global service", ["global:iam"]),
        (
            Regions(*(f"r-{number}" for number in range(1, 11))),
            "r-1, r-10, r-2, r-3, r-4, r-5, r-6 and 3 more",
            None,
        ),
        (Partitions(), "no partition", []),
        (Partitions(EVERY), "every partition", ["*"]),
        (Environments(), "no environment", []),
        (Environments(EVERY), "every environment", ["*"]),
        (Accounts(), "no account", []),
        (Accounts(OU), "organizational unit ou-ab12-cdefghij", ["ou:ou-ab12-cdefghij"]),
        (Accounts(Organization()), "the whole organization", ["organization:"]),
        (Accounts(Organization("r-ab12")), "organization r-ab12", ["organization:r-ab12"]),
        (Accounts(ANY_ACCOUNT), "any account", ["any"]),
        (Accounts(INHERITED), "the caller's own account", ["inherited"]),
        (Principals(), "no one", []),
        (Principals(ROLE), ROLE, [ROLE]),
        (Principals(AUTHENTICATED), "anyone authenticated", ["authenticated"]),
        (Principals(Organization("o-a")), "organization o-a", ["organization:o-a"]),
        (Principals(Organization()), "the whole organization", ["organization:"]),
        (
            Principals("ec2.amazonaws.com"),
            "service ec2.amazonaws.com",
            ["service:ec2.amazonaws.com"],
        ),
        (Principals(Federated("idp")), "users of idp", ["federated:idp"]),
        (Actions(), "no action", []),
        (Actions("*"), "every action", ["*"]),
        (
            Actions.all_but("iam:*", "Organizations:*"),
            "every action but Organizations:* and iam:*",
            [{"all-but": ["iam:*", "organizations:*"]}],
        ),
        (Resources(), "no resource", []),
        (Resources.all_but("b"), "every resource but b", [{"all-but": ["b"]}]),
        (Fleet(100), "the whole fleet", 100),
        (Fleet(0.5), "0.5 % of the fleet", 0.5),
        (Network(), "no traffic", []),
        (Network(Opening("::/0")), "all traffic with ::/0", None),
        (Network(Opening("::/0", "tcp")), "every tcp port with ::/0", None),
        (Network(Opening("::/0", "udp", 1, 9)), "udp 1-9 with ::/0", None),
        (Network(Opening("::/0", "58", 8, 0)), "icmpv6 type 8 code 0 with ::/0", None),
        (Network(Opening("::/0", "58")), "icmpv6 with ::/0", None),
        (Guards("b", "a"), "a and b", ["a", "b"]),
        (Grants(), "nothing", []),
        (
            Grants(*(allow(f"a:{number}", f"r{number}") for number in range(9))),
            "; ".join([*(f"a:{number} on r{number}" for number in range(7)), "2 more"]),
            None,
        ),
        (Unresolved("var.region has no default"), "unknown: var.region has no default", None),
    ],
)
def test_words_and_json(extent: Extent, words: str, form: reach.Json) -> None:
    assert words == extent.describe()
    if form is not None:
        assert form == extent.to_json()


def test_an_axis_that_does_not_apply_to_both_is_left_out() -> None:
    head = Reach(regions=Regions(EVERYWHERE), mutation=DESTROY, actions=Actions("*"))
    base = Reach(regions=Regions("us-east-1"), mutation=DESTROY, fleet=Fleet(10))

    expected = {"regions": wider, "mutation": equal}

    assert expected == head.compare(base)
    assert head.widened(base) == ["regions"]


def test_unknown_never_widens() -> None:
    known = full()
    unresolved = Reach(**dict.fromkeys(AXES, Unresolved("x")))

    assert not known.widened(unresolved)
    assert not unresolved.widened(known)
    assert dict.fromkeys(AXES, unknown) == unresolved.compare(known)


def test_a_move_widens_and_a_narrowing_does_not_net_it() -> None:
    base = Reach(regions=Regions("cn-north-1"), actions=Actions("*"))
    head = Reach(regions=Regions("us-east-1"), actions=Actions("s3:*"))

    expected = {"regions": incomparable, "actions": narrower}

    assert expected == head.compare(base)
    assert head.widened(base) == ["regions"]


def test_join_of_reaches() -> None:
    joined = Reach(regions=Regions("us-east-1"), fleet=Fleet(10)).join(
        Reach(regions=Regions("cn-north-1"), mutation=WRITE, guards=Unresolved("x"))
    )

    assert (
        Reach(
            regions=Regions("us-east-1", "cn-north-1"),
            fleet=Fleet(10),
            mutation=WRITE,
            guards=Unresolved("x"),
        )
        == joined
    )


def test_extents_are_values() -> None:
    value = full()

    assert value == pickle.loads(pickle.dumps(value))
    assert value == copy.deepcopy(value)
    assert hash(value) == hash(full())
    for thing in (*EXTENTS.values(), AllIn("aws"), EVERYWHERE, Unresolved("x")):
        assert thing == pickle.loads(pickle.dumps(thing))
        for name in ("elements", "name", "other"):
            with pytest.raises((AttributeError, TypeError)):
                setattr(thing, name, None)


@pytest.mark.parametrize(
    "extent",
    [
        Regions("a", AllIn("aws"), INHERITED),
        Accounts(OU),
        Principals(ONE),
        Guards("b", "a"),
        Fleet(25),
        Unresolved("x"),
    ],
)
def test_a_representation_is_readable_python(extent: Extent) -> None:
    assert extent == eval(repr(extent), dict(vars(reach)))


def test_importing_reads_no_network_library_and_no_table() -> None:
    program = (
        "import sys, blastdoor.reach; "
        "print([m for m in ('ipaddress', 'json', 'yaml', 're2') if m in sys.modules])"
    )
    source = str(Path(reach.__file__).parents[1])

    found = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {source!r}); {program}"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert found.stdout.strip() == "[]"
