"""Two revisions: what a change widens, what it does not, and what it is said to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from blastdoor.change import compare_files
from blastdoor.delta.compare import Delta, Event

if TYPE_CHECKING:
    from collections.abc import Mapping

CHINA = 'provider "aws" {\n  region = "cn-north-1"\n}\n'
BACKEND = 'terraform {\n  backend "s3" {}\n}\n'


def deltas(base: Mapping[str, str] | str, head: Mapping[str, str] | str) -> list[Delta]:
    """All that a change does, narrowings left out."""
    old = {"main.tf": base} if isinstance(base, str) else base
    new = {"main.tf": head} if isinstance(head, str) else head
    found = compare_files(old, new, ())
    assert [f.message for f in found.report.failures] == []
    return [delta for delta in found.deltas if delta.event is not Event.NARROWED]


def said(base: Mapping[str, str] | str, head: Mapping[str, str] | str) -> list[str]:
    """The same in words."""
    return [
        f"{d.event.value} {d.axis}: {d.after}, was {d.before} ({d.address})"
        for d in deltas(base, head)
    ]


QUEUES = 'resource "aws_sqs_queue" "a" {}\nresource "aws_sqs_queue" "b" {}\n'


def test_a_provider_that_moves_takes_everything_with_it_and_is_said_once() -> None:
    moved = CHINA.replace("cn-north-1", "us-east-1")
    partition, region = deltas(CHINA + QUEUES, moved + QUEUES)

    assert (partition.axis, partition.before, partition.after) == ("partitions", "aws-cn", "aws")
    assert (region.event, region.before, region.after) == (Event.MOVED, "cn-north-1", "us-east-1")
    assert (region.address, region.also) == ("aws_sqs_queue.a", ("aws_sqs_queue.b",))
    assert region.span.text == '"us-east-1"'
    assert region.cause == "provider.aws"


EACH = (
    'variable "regions" {\n  default = ["cn-north-1"]\n}\ndata "aws_regions" "all" {}\n'
    'resource "aws_sqs_queue" "a" {\n  for_each = toset(var.regions)\n  region = each.value\n}\n'
)


def test_more_regions_with_the_chain_that_brings_them() -> None:
    head = EACH.replace('["cn-north-1"]', '["cn-north-1", "cn-northwest-1"]')
    (delta,) = deltas(CHINA + EACH, CHINA + head)

    assert delta.event is Event.WIDENED
    assert delta.after == "cn-north-1 and cn-northwest-1"
    assert delta.before == "cn-north-1"
    assert delta.words == "for_each = toset(var.regions)"
    assert any("default" in related.message for related in delta.related)


def test_every_region() -> None:
    head = EACH.replace("toset(var.regions)", "toset(data.aws_regions.all.names)")
    widened = [d for d in deltas(CHINA + EACH, CHINA + head) if d.axis == "regions"]

    assert [(d.after, d.before) for d in widened] == [("every region of aws-cn", "cn-north-1")]


def test_a_region_that_is_no_longer_pinned() -> None:
    assert said(CHINA + QUEUES, 'provider "aws" {}\n' + QUEUES)[-1].startswith("unpinned regions")


def test_a_region_that_nobody_can_tell() -> None:
    head = 'variable "r" {}\nprovider "aws" {\n  region = var.r\n}\n' + QUEUES
    assert {d.event for d in deltas(CHINA + QUEUES, head)} == {Event.UNKNOWN}
    assert deltas(head, head + "# edited\n") == []


DATABASE = (
    'resource "aws_db_instance" "orders" {\n  deletion_protection = true\n'
    "  lifecycle {\n    prevent_destroy = true\n  }\n}\n"
)


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        ("prevent_destroy = true", "prevent_destroy = false", "prevent_destroy"),
        ("    prevent_destroy = true\n", "", "prevent_destroy"),
        ("deletion_protection = true", "deletion_protection = false", "deletion_protection = true"),
        ("  deletion_protection = true\n", "", "deletion_protection = true"),
    ],
)
def test_a_guard_that_goes(base: str, head: str, expected: str) -> None:
    changed = CHINA + DATABASE.replace(base, head)
    assert said(CHINA + DATABASE, changed) == [
        f"lost guards: none, was {expected} (aws_db_instance.orders)"
    ]
    assert deltas(changed, CHINA + DATABASE) == []


def test_data_that_goes_with_its_resource() -> None:
    (delta,) = deltas(CHINA + QUEUES + DATABASE, CHINA + QUEUES)
    assert (delta.event, delta.address) == (Event.DESTROYED, "aws_db_instance.orders")


KEPT = "removed {\n  from = aws_db_instance.orders\n  lifecycle {\n    destroy = false\n  }\n}\n"
MOVED = "moved {\n  from = aws_db_instance.orders\n  to   = aws_db_instance.sales\n}\n"


@pytest.mark.parametrize(
    "head",
    [
        QUEUES + KEPT,
        QUEUES + DATABASE.replace('"orders"', '"sales"') + MOVED,
        QUEUES + DATABASE + "# a comment\n",
        DATABASE + QUEUES,
    ],
)
def test_data_that_is_kept(head: str) -> None:
    assert deltas(CHINA + QUEUES + DATABASE, CHINA + head) == []


POLICY = (
    'resource "aws_iam_policy" "p" {\n  policy = jsonencode({ Statement = [{ Effect = "Allow", '
    'Action = "s3:GetObject", Resource = "arn:aws-cn:s3:::orders/*" }] })\n}\n'
)
DOCUMENT = (
    'data "aws_iam_policy_document" "d" {\n  statement {\n    actions   = ["s3:GetObject"]\n'
    '    resources = ["arn:aws-cn:s3:::orders/*"]\n  }\n}\n'
    'resource "aws_iam_policy" "p" {\n  policy = data.aws_iam_policy_document.d.json\n}\n'
)


def test_a_grant_that_grows() -> None:
    assert said(CHINA + POLICY, CHINA + POLICY.replace("s3:GetObject", "s3:*")) == [
        "widened actions: `s3:*`, was `s3:GetObject` (aws_iam_policy.p)"
    ]


def test_a_deny_that_shrinks() -> None:
    deny = POLICY.replace("Allow", "Deny")
    assert [d.axis for d in deltas(CHINA + deny, CHINA + deny.replace("orders", "refunds"))] == [
        "conditions"
    ]
    assert deltas(CHINA + POLICY, CHINA + POLICY + deny.replace('"p"', '"q"')) == []


MODULE = (
    'module "m" {\n  source = "./m"\n}\nmoved {\n  from = aws_sqs_queue.a\n'
    "  to   = module.m.aws_sqs_queue.a\n}\n"
)
REFACTORS: dict[str, tuple[dict[str, str] | str, dict[str, str] | str]] = {
    "another notation": ({"main.tf": CHINA + POLICY}, {"main.tf": CHINA + DOCUMENT}),
    "order of blocks": ({"main.tf": CHINA + POLICY + QUEUES}, {"main.tf": QUEUES + POLICY + CHINA}),
    "another file": (
        {"main.tf": CHINA + QUEUES + DATABASE},
        {"main.tf": CHINA + QUEUES, "database.tf": DATABASE},
    ),
    "another directory": (
        {"live/main.tf": BACKEND + CHINA + DATABASE, "live/queues.tf": QUEUES},
        {"prod/main.tf": BACKEND + CHINA + DATABASE, "prod/queues.tf": QUEUES},
    ),
    "a literal becomes a variable": (
        {"main.tf": CHINA + QUEUES},
        {
            "main.tf": CHINA.replace('"cn-north-1"', "var.region") + QUEUES,
            "variables.tf": 'variable "region" {\n  default = "cn-north-1"\n}\n',
        },
    ),
    "count becomes for_each": (
        CHINA + 'resource "aws_sqs_queue" "a" {\n  count = 2\n}\n',
        CHINA + 'resource "aws_sqs_queue" "a" {\n  for_each = toset(["x", "y"])\n}\n',
    ),
    "a module is extracted": (
        {"main.tf": CHINA + QUEUES, "m/main.tf": "locals {}\n"},
        {
            "main.tf": CHINA + 'resource "aws_sqs_queue" "b" {}\n' + MODULE,
            "m/main.tf": 'resource "aws_sqs_queue" "a" {}\n',
        },
    ),
    "a grant moves to another resource": (
        {"main.tf": CHINA + POLICY},
        {"main.tf": CHINA + POLICY.replace('"aws_iam_policy" "p"', '"aws_iam_role_policy" "q"')},
    ),
}


@pytest.mark.parametrize("name", REFACTORS)
def test_what_keeps_its_reach_says_nothing(name: str) -> None:
    base, head = REFACTORS[name]
    assert said(base, head) == []


def test_a_rename_hides_no_widening() -> None:
    head = POLICY.replace('"p"', '"q"').replace("s3:GetObject", "s3:DeleteObject")
    assert said(CHINA + POLICY, CHINA + head) == [
        "widened actions: `s3:DeleteObject`, was `s3:GetObject` (aws_iam_policy.q)"
    ]


def test_a_narrowing_does_not_hide_a_widening() -> None:
    wide = POLICY.replace("s3:GetObject", "s3:*")
    narrow = wide.replace('"p"', '"q"')
    base = CHINA + POLICY + narrow
    head = CHINA + wide + narrow.replace("s3:*", "s3:GetObject")
    assert [d.address for d in deltas(base, head)] == ["aws_iam_policy.p"]


def test_only_what_the_change_speaks_to_is_looked_at() -> None:
    base = {
        "a/main.tf": BACKEND + CHINA + 'module "m" {\n  source = "../m"\n}\n',
        "b/main.tf": BACKEND + CHINA + QUEUES,
        "m/main.tf": 'resource "aws_sqs_queue" "q" {}\n',
        "c/main.tf": BACKEND + 'resource "aws_iam_policy" "p" {\n  policy = file("p.json")\n}\n',
        "c/p.json": "{}",
    }
    assert compare_files(base, {**base, "m/main.tf": "\n" + base["m/main.tf"]}, ()).units == ("a",)
    assert compare_files(base, {**base, "b/main.tf": "\n" + base["b/main.tf"]}, ()).units == ("b",)
    assert compare_files(base, {**base, "c/p.json": "{} "}, ()).units == ("c",)


def _bucket(resource: str) -> dict[str, str]:
    text = (
        'variable "p" {}\nvariable "q" {}\nresource "aws_iam_role_policy" "r" {\n  role   = "x"\n'
        '  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "s3:GetObject",'
        f' Resource = "{resource}" }}] }})\n}}\n'
    )
    return {"main.tf": text}


@pytest.mark.parametrize(
    ("base", "head", "widened"),
    [
        ("arn:${var.p}:s3:::logs/*", "arn:${var.p}:s3:::*", True),
        ("arn:${var.p}:s3:::*", "arn:${var.p}:s3:::logs/*", False),
        ("arn:${var.p}:s3:::logs-${var.q}/*", "arn:${var.p}:s3:::logs-*", True),
        ("arn:${var.p}:s3:::logs-*", "arn:${var.p}:s3:::logs-${var.q}/*", False),
        ("arn:${var.p}:s3:::${var.q}", "arn:${var.p}:s3:::b", False),
        ("arn:${var.p}:s3:::a", "arn:${var.q}:s3:::a", False),
    ],
)
def test_names_that_both_sides_have_are_the_same(base: str, head: str, widened: bool) -> None:  # noqa: FBT001  a case
    found = compare_files(_bucket(base), _bucket(head), ())
    assert [d.axis for d in found.deltas if d.event is Event.WIDENED] == (
        ["resources"] if widened else []
    )


def test_a_file_added_to_a_module_that_terragrunt_runs() -> None:
    unit = 'terraform {\n  source = "../modules/queue"\n}\ninputs = {}\n'
    base = {"live/terragrunt.hcl": unit, "modules/queue/main.tf": POLICY}
    more = POLICY.replace('"p" {', '"q" {')
    found = compare_files(base, {**base, "modules/queue/more.tf": more}, ())

    assert found.units == ("live",)
    assert found.deltas == []


GROUP = 'resource "aws_security_group" "g" {\n%s}\n'
INGRESS = (
    '  ingress {\n    protocol = "tcp"\n    from_port = 443\n    to_port = 443\n'
    '    cidr_blocks = ["10.0.0.0/8"]\n  }\n'
)


def test_a_thing_that_was_there_and_let_nothing_in() -> None:
    assert said(CHINA + GROUP % "", CHINA + GROUP % INGRESS) == [
        "widened network: tcp 443 with 10.0.0.0/8, was nothing (aws_security_group.g)"
    ]
    assert said(CHINA, CHINA + GROUP % INGRESS) == [
        "new network: tcp 443 with 10.0.0.0/8, was nothing (aws_security_group.g)"
    ]
    assert said(CHINA + GROUP % INGRESS, CHINA + GROUP % "") == []


MEMBERS = (
    'resource "google_storage_bucket_iam_binding" "b" {\n  bucket = "orders"\n'
    '  role = "roles/storage.objectViewer"\n  members = %s\n}\n'
)


def test_members_of_a_binding() -> None:
    one, two = '["user:a@example.com"]', '["user:b@example.com", "user:a@example.com"]'
    (delta,) = deltas(MEMBERS % one, MEMBERS % two)
    assert (delta.event, delta.axis) == (Event.WIDENED, "principals")
    assert deltas(MEMBERS % two, MEMBERS % one) == []
    (public,) = deltas(MEMBERS % two, MEMBERS % '["allUsers"]')
    assert public.event is Event.WIDENED


CLUSTER = (
    'resource "aws_eks_cluster" "c" {\n  name = "c"\n  vpc_config {\n'
    "    endpoint_public_access = %s\n    public_access_cidrs = %s\n  }\n}\n"
)


def test_an_endpoint_that_opens() -> None:
    closed, office = CLUSTER % ("false", "[]"), CLUSTER % ("true", '["192.0.2.0/24"]')
    anyone = CLUSTER % ("true", '["0.0.0.0/0"]')
    for base, head in ((closed, office), (office, anyone)):
        assert [d.axis for d in deltas(base, head)] == ["network"]
        assert deltas(head, base) == []


EACH_TABLE = 'resource "aws_dynamodb_table" "t" {\n  %s\n  hash_key = "id"\n}\n'
MOVE_TABLE = "moved {\n  from = aws_dynamodb_table.t%s\n  to   = aws_dynamodb_table.t%s\n}\n"


@pytest.mark.parametrize(
    ("base", "head", "lost"),
    [
        ("count = 2", 'for_each = toset(["a"])', 'aws_dynamodb_table.t["0"]'),
        ("count = 2", 'for_each = toset(["a", "b"])', ""),
        ('for_each = toset(["a"])', 'for_each = toset(["b"])', 'aws_dynamodb_table.t["a"]'),
        ('for_each = toset(["a", "b"])', 'for_each = toset(["a"])', 'aws_dynamodb_table.t["b"]'),
        ("count = 3", "count = 1", 'aws_dynamodb_table.t["1"], aws_dynamodb_table.t["2"]'),
        ("", 'for_each = toset(["a"])', ""),
        ("", "count = 1", ""),
        ("count = 1", "", ""),
        ("count = 1", "count = 4", ""),
        ("count = var.n", "count = 1", ""),
    ],
)
def test_instances_that_end(base: str, head: str, lost: str) -> None:
    more = 'variable "n" {}\n'
    found = deltas(EACH_TABLE % base + more, EACH_TABLE % head + more)
    assert [d.event for d in found] == [Event.DESTROYED] * bool(lost)
    assert all(d.before.startswith(lost) for d in found)


def test_instances_that_move() -> None:
    moves = MOVE_TABLE % ('["a"]', '["c"]') + MOVE_TABLE % ('["b"]', '["d"]')
    before = EACH_TABLE % 'for_each = toset(["a", "b"])'
    after = EACH_TABLE % 'for_each = toset(["c", "d"])'
    assert deltas(before, after + moves) == []
    assert [d.before for d in deltas(before, after)] == [
        'aws_dynamodb_table.t["a"], aws_dynamodb_table.t["b"]'
    ]


def denied(condition: str) -> str:
    """A policy that denies unless a condition holds."""
    return (
        'resource "aws_iam_role" "r" {}\nresource "aws_iam_role" "s" {}\n'
        'resource "aws_s3_bucket_policy" "p" {\n  policy = jsonencode({ Statement = [{ '
        'Effect = "Deny", Principal = "*", Action = "s3:PutObject", Resource = "*", '
        f"Condition = {{ {condition} }} }}] }})\n}}\n"
    )


ROLE_ARN = '"aws:PrincipalArn" = [aws_iam_role.r.arn]'


@pytest.mark.parametrize(
    ("base", "head", "wider"),
    [
        (f"StringNotEquals = {{ {ROLE_ARN} }}", f"StringNotLike = {{ {ROLE_ARN} }}", False),
        (f"StringNotLike = {{ {ROLE_ARN} }}", f"StringNotEquals = {{ {ROLE_ARN} }}", False),
        (f"ArnNotEquals = {{ {ROLE_ARN} }}", f"ArnNotLike = {{ {ROLE_ARN} }}", False),
        (
            'StringNotEquals = { "aws:PrincipalArn" = ["arn:aws:iam::111122223333:role/a"] }',
            'StringNotLike = { "aws:PrincipalArn" = ["arn:aws:iam::111122223333:role/*"] }',
            True,
        ),
        (
            'StringNotLike = { "aws:PrincipalArn" = ["arn:aws:iam::111122223333:role/*"] }',
            'StringNotEquals = { "aws:PrincipalArn" = ["arn:aws:iam::111122223333:role/a"] }',
            False,
        ),
    ],
)
def test_operators_that_hold_within_others(base: str, head: str, wider: bool) -> None:  # noqa: FBT001
    assert [d.axis for d in deltas(denied(base), denied(head))] == ["conditions"] * wider


def test_another_unknown_value_of_a_condition_is_not_the_same() -> None:
    allow = denied(f"StringEquals = {{ {ROLE_ARN} }}").replace("Deny", "Allow")
    assert deltas(allow, allow) == []
    other = allow.replace("role.r.arn", "role.s.arn")
    assert all(d.event is Event.UNKNOWN for d in deltas(allow, other))


def test_a_statement_that_moves_to_another_role_is_new_there() -> None:
    roles = 'resource "aws_iam_role" "a" {}\nresource "aws_iam_role" "b" {}\n'
    read = '{ Effect = "Allow", Action = "s3:GetObject", Resource = "*" }'
    write = '{ Effect = "Allow", Action = "s3:PutObject", Resource = "*" }'
    one = (
        'resource "aws_iam_role_policy" "%s" {\n  role = aws_iam_role.%s.id\n'
        "  policy = jsonencode({ Statement = [%s] })\n}\n"
    )
    base = roles + one % ("a", "a", f"{read}, {write}") + one % ("b", "b", read)
    head = roles + one % ("a", "a", read) + one % ("b", "b", f"{read}, {write}")
    assert [d.address for d in deltas(base, head)] == ["aws_iam_role_policy.b"]


def test_what_goes_by_the_value_of_a_variable() -> None:
    table = EACH_TABLE % "for_each = toset(var.names)"
    base = 'variable "names" {\n  default = ["a"]\n}\n' + table
    (delta,) = deltas(base, base.replace('["a"]', "[]"))
    assert (delta.event, delta.attribute) == (Event.DESTROYED, "variable")
    none = EACH_TABLE % "count = 0"
    assert [d.attribute for d in deltas(EACH_TABLE % "", none)] == [""]


def test_a_move_to_what_a_variable_leaves_out_is_no_loss_without_a_word() -> None:
    table = EACH_TABLE % ""
    renamed = table.replace('"t"', '"u"')
    moved = "moved {\n  from = aws_dynamodb_table.t\n  to   = aws_dynamodb_table.u\n}\n"
    head = (
        'variable "on" {\n  default = false\n}\n'
        + moved
        + renamed.replace("{\n", "{\n  count = var.on ? 1 : 0\n", 1)
    )
    (delta,) = deltas(table, head)

    assert (delta.event, delta.attribute) == (Event.DESTROYED, "variable")


def test_a_name_around_what_could_not_be_evaluated_is_not_another_one() -> None:
    group = (
        'variable "o" {\n  type = object({ prefix = string })\n  default = null\n}\n'
        'resource "aws_cloudwatch_log_group" "a" {\n  name = "%s/slow"\n}\n'
    )
    base = group % '${var.o.prefix != null ? var.o.prefix : "/aws/"}green'
    head = group % '${var.o.prefix != null ? var.o.prefix : "/aws/green"}'

    assert deltas(base, head) == []
    assert len(deltas(base.replace("${", "$${", 1), base.replace("green", "blue"))) <= 1


def test_a_condition_that_grows_beside_a_statement_on_other_actions() -> None:
    one = (
        'data "aws_iam_policy_document" "d" {\n'
        '  statement {\n    actions   = ["rds:StartExportTask"]\n    resources = ["*"]\n  }\n'
        '  statement {\n    actions   = ["iam:PassRole"]\n'
        '    resources = ["arn:aws:iam::111122223333:role/r"]\n'
        '    condition {\n      test     = "StringEquals"\n'
        '      variable = "iam:PassedToService"\n      values   = [%s]\n    }\n  }\n}\n'
    )
    (delta,) = deltas(
        CHINA + one % '"a.example.com"', CHINA + one % '"a.example.com", "b.example.com"'
    )

    assert delta.axis == "conditions"
    assert "b.example.com" in delta.after
    assert "b.example.com" not in delta.before


VARIED = 'variable "size" {}\nresource "aws_sqs_queue" "a" {\n  delay_seconds = var.size\n}\n'


@pytest.mark.parametrize(
    ("edited", "spans"),
    [
        ({"prod.tfvars": "size = 2\n"}, []),
        ({"prod.tfvars": "size = 2\n", "dev.tfvars": "size = 3\n"}, [""]),
        (
            {"main.tf": BACKEND + VARIED.replace("  delay", "  fifo_queue = true\n  delay")},
            ["shared"],
        ),
    ],
)
def test_environments_at_once(edited: dict[str, str], spans: list[str]) -> None:
    base = {
        "live/main.tf": BACKEND + VARIED,
        "live/prod.tfvars": "size = 1\n",
        "live/dev.tfvars": "size = 1\n",
    }
    head = {**base, **{f"live/{name}": text for name, text in edited.items()}}

    found = [d for d in deltas(base, head) if d.event is Event.SPANS]

    assert [d.attribute for d in found] == spans


ROLE = 'resource "aws_iam_role" "worker" {\n  name = "worker"\n}\n'
BUCKET = 'resource "aws_s3_bucket" "orders" {\n  bucket = "orders"\n}\n'


def refusing(type_: str, name: str, more: str, action: str = "s3:*") -> str:
    """A policy that denies something."""
    argument = "content" if "organizations" in type_ else "policy"
    who = ' Principal = "*",' if "bucket" in type_ else ""
    return (
        f'resource "{type_}" "{name}" {{\n  {more}\n  {argument} = jsonencode({{ Statement = '
        f'[{{ Effect = "Deny",{who} Action = "{action}", Resource = "*" }}] }})\n}}\n'
    )


BUCKET_POLICY = refusing("aws_s3_bucket_policy", "p", "bucket = aws_s3_bucket.orders.id")
ROLE_POLICY = refusing("aws_iam_role_policy", "p", "role = aws_iam_role.worker.id")
UNKNOWN_POLICY = (
    'variable "document" {}\nresource "aws_s3_bucket_policy" "q" {\n'
    "  bucket = aws_s3_bucket.orders.id\n  policy = var.document\n}\n"
)


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        (BUCKET + BUCKET_POLICY, BUCKET, ["aws_s3_bucket_policy.p"]),
        (BUCKET + BUCKET_POLICY, "", ["aws_s3_bucket.orders"]),
        (BUCKET + BUCKET_POLICY, BUCKET + BUCKET_POLICY.replace('"p"', '"q"'), []),
        (BUCKET + BUCKET_POLICY, BUCKET + UNKNOWN_POLICY, []),
        (ROLE + ROLE_POLICY, ROLE, ["aws_iam_role_policy.p"]),
        (ROLE + ROLE_POLICY, "", []),
        (ROLE_POLICY.replace("aws_iam_role.worker.id", '"worker"'), "", ["aws_iam_role_policy.p"]),
        (ROLE + refusing("aws_iam_policy", "p", ""), ROLE, []),
        (
            refusing("aws_organizations_policy", "fence", 'name = "fence"', "ec2:*"),
            "",
            ["aws_organizations_policy.fence"],
        ),
        (
            ROLE + ROLE_POLICY,
            ROLE + "removed {\n  from = aws_iam_role_policy.p\n  lifecycle {\n    destroy = false\n"
            "  }\n}\n",
            [],
        ),
        (
            'variable "on" {\n  default = false\n}\n' + ROLE + ROLE_POLICY,
            'variable "on" {\n  default = false\n}\n'
            + ROLE
            + ROLE_POLICY.replace("{\n", "{\n  count = var.on ? 1 : 0\n", 1),
            [],
        ),
    ],
)
def test_a_refusal_that_goes_with_its_policy(base: str, head: str, expected: list[str]) -> None:
    queue = 'provider "aws" {}\nresource "aws_sqs_queue" "q" {}\n'
    found = deltas(queue + base, queue + head)

    assert [d.address for d in found if d.event in (Event.WIDENED, Event.DESTROYED)] == expected


def granting(name: str, on: str, action: str = "s3:PutObject") -> str:
    """An inline policy that allows something."""
    return (
        f'resource "aws_iam_role_policy" "{name}" {{\n  role = {on}\n  policy = jsonencode({{ Statement'
        f' = [{{ Effect = "Allow", Action = "{action}", Resource = "*" }}] }})\n}}\n'
    )


def rule(name: str, port: int, on: str = "aws_security_group.web.id") -> str:
    """A rule of its own that lets everybody in."""
    return (
        f'resource "aws_security_group_rule" "{name}" {{\n  type = "ingress"\n  protocol = "tcp"\n'
        f'  from_port = {port}\n  to_port = {port}\n  cidr_blocks = ["0.0.0.0/0"]\n'
        f"  security_group_id = {on}\n}}\n"
    )


WEB_GROUP = 'resource "aws_security_group" "web" {\n  name = "web"\n}\n'
OWN = granting("own", "aws_iam_role.worker.id", "s3:GetObject")


@pytest.mark.parametrize(
    ("base", "head", "event"),
    [
        (ROLE + OWN, ROLE + OWN + granting("more", "aws_iam_role.worker.id"), Event.WIDENED),
        (ROLE + OWN, ROLE + OWN + granting("more", "aws_iam_role.worker.name"), Event.WIDENED),
        (ROLE + OWN, ROLE + OWN + granting("more", '"worker"'), Event.WIDENED),
        (ROLE + OWN, ROLE + OWN + granting("more", '"elsewhere"'), Event.NEW),
        (OWN, OWN + ROLE + granting("more", "aws_iam_role.worker.id"), Event.NEW),
        (
            ROLE + OWN,
            ROLE
            + OWN
            + ROLE.replace('"worker" {', '"other" {')
            + granting("more", "aws_iam_role.other.name"),
            Event.NEW,
        ),
        (
            ROLE + OWN,
            ROLE.replace("worker", "other")
            + "moved {\n  from = aws_iam_role.worker\n  to   = aws_iam_role.other\n}\n"
            + OWN.replace("worker", "other")
            + granting("more", "aws_iam_role.other.id"),
            Event.WIDENED,
        ),
        (
            WEB_GROUP + rule("own", 443),
            WEB_GROUP + rule("own", 443) + rule("more", 22),
            Event.WIDENED,
        ),
        (
            WEB_GROUP + rule("own", 443),
            WEB_GROUP
            + rule("own", 443)
            + WEB_GROUP.replace("web", "new")
            + rule("more", 22, "aws_security_group.new.id"),
            Event.NEW,
        ),
    ],
)
def test_a_policy_or_rule_of_its_own_on_what_was_there(base: str, head: str, event: Event) -> None:
    provider = 'provider "aws" {\n  region = "eu-west-1"\n}\n'
    found = deltas(provider + base, provider + head)

    assert {d.event for d in found if d.address.endswith(".more")} == {event}


def attached(name: str, policy: str, role: str = "aws_iam_role.worker.name") -> str:
    """A managed policy of AWS at a role."""
    return (
        f'resource "aws_iam_role_policy_attachment" "{name}" {{\n  role = {role}\n'
        f'  policy_arn = "arn:aws:iam::aws:policy/{policy}"\n}}\n'
    )


INLINE = ROLE.replace(
    "}\n", '  managed_policy_arns = ["arn:aws:iam::aws:policy/AdministratorAccess"]\n}\n'
)
OTHER = ROLE.replace("worker", "other")


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        (ROLE + OWN, ROLE + OWN + attached("a", "AdministratorAccess"), [("widened", "*")]),
        (ROLE + OWN, ROLE + OWN + attached("a", "IAMFullAccess"), [("widened", "iam:*")]),
        (ROLE + OWN, ROLE + OWN + attached("a", "ReadOnlyAccess"), []),
        (ROLE, INLINE, [("widened", "*")]),
        (INLINE, ROLE + attached("a", "AdministratorAccess"), []),
        (
            ROLE + attached("a", "AdministratorAccess"),
            ROLE + attached("b", "AdministratorAccess"),
            [],
        ),
        (
            ROLE + attached("a", "ReadOnlyAccess"),
            ROLE + attached("a", "AdministratorAccess"),
            [("widened", "*")],
        ),
        (
            ROLE + OTHER + attached("a", "AdministratorAccess", "aws_iam_role.other.name"),
            ROLE
            + OTHER
            + attached("a", "AdministratorAccess", "aws_iam_role.other.name")
            + attached("b", "AdministratorAccess"),
            [("widened", "*")],
        ),
        (OWN, OWN + ROLE + attached("a", "AdministratorAccess"), [("new", "*")]),
        (
            INLINE + OTHER,
            INLINE + OTHER + granting("more", "aws_iam_role.other.id"),
            [("widened", "s3:PutObject")],
        ),
    ],
)
def test_an_administrator_s_policy_that_is_attached(
    base: str, head: str, expected: list[tuple[str, str]]
) -> None:
    found = deltas('provider "aws" {}\n' + base, 'provider "aws" {}\n' + head)

    assert [(d.event.value, d.after.strip("`")) for d in found if d.axis == "actions"] == expected


def test_a_module_that_nobody_calls_is_no_loss() -> None:
    module = {
        "modules/b/main.tf": 'variable "name" {}\n' + BUCKET + 'output "n" {\n value = 1\n}\n'
    }
    root = {"live/b/main.tf": BACKEND + BUCKET}
    rest = {"live/a/main.tf": BACKEND + CHINA}

    assert deltas({**rest, **module}, rest) == []
    (lost,) = deltas({**rest, **root}, rest)
    assert (lost.event, lost.address) == (Event.DESTROYED, "aws_s3_bucket.orders")


def test_a_policy_in_a_module_is_on_the_role_that_it_is_handed() -> None:
    module = {
        "m/main.tf": 'variable "role" {}\nresource "aws_iam_role" "worker" {}\n'
        + granting("handed", "var.role")
        + granting("own", "aws_iam_role.worker.id")
    }
    call = 'module "m" {\n  source = "./m"\n  role = aws_iam_role.worker.id\n}\n'
    base = ROLE + OWN
    found = deltas({"main.tf": base, **module}, {"main.tf": base + call, **module})

    events = {d.address: d.event for d in found if d.aspect == "allow" and d.axis == "actions"}
    assert events == {
        "module.m.aws_iam_role_policy.handed": Event.WIDENED,
        "module.m.aws_iam_role_policy.own": Event.NEW,
    }


def test_what_was_there_before_is_the_statement_that_grew() -> None:
    text = (
        'variable "region" {}\n'
        'data "aws_iam_policy_document" "d" {\n'
        '  statement {\n    actions   = ["eks:DescribeCluster"]\n'
        '    resources = ["arn:aws:eks:${var.region}:111122223333:cluster/x"]\n  }\n'
        '  statement {\n    actions   = ["lambda:GetFunction"]\n'
        '    resources = ["arn:aws:lambda:${var.region}:111122223333:function:*"]\n  }\n}\n'
        'resource "aws_iam_policy" "p" {\n'
        "  policy = data.aws_iam_policy_document.d.json\n}\n"
    )
    (delta,) = deltas(text, text.replace("GetFunction", 'GetFunction", "lambda:UpdateAlias'))

    assert delta.before == "`lambda:GetFunction`"
    assert delta.after == "`lambda:UpdateAlias`"
