"""Refactors of the kinds that teams make: the reach stays what it was, so nothing is reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from blastdoor import catalog
from blastdoor.change import compare_files

if TYPE_CHECKING:
    from collections.abc import Mapping

Files = dict[str, str]


class Refactor(NamedTuple):
    """One change that keeps what everything reaches."""

    name: str
    before: Files
    after: Files


def one(name: str, before: str, after: str) -> Refactor:
    """A refactor of one file."""
    return Refactor(name, {"live/main.tf": PROVIDER + before}, {"live/main.tf": PROVIDER + after})


def many(name: str, before: Mapping[str, str], after: Mapping[str, str]) -> Refactor:
    """A refactor of several files."""
    return Refactor(name, dict(before), dict(after))


PROVIDER: Final = 'provider "aws" {\n  region = "eu-west-1"\n}\n'
QUEUE: Final = 'resource "aws_sqs_queue" "orders" {\n  name = "orders"\n}\n'
TABLE: Final = (
    'resource "aws_dynamodb_table" "orders" {\n  name     = "orders"\n  hash_key = "id"\n'
    "  deletion_protection_enabled = true\n"
    '  attribute {\n    name = "id"\n    type = "S"\n  }\n}\n'
)
DATABASE: Final = (
    'resource "aws_db_instance" "orders" {\n  identifier          = "orders"\n'
    '  engine              = "postgres"\n  username            = "orders"\n'
    "  storage_encrypted   = true\n  deletion_protection = true\n"
    "  lifecycle {\n    prevent_destroy = true\n  }\n}\n"
)


def moved(old: str, new: str) -> str:
    """A moved block."""
    return f"moved {{\n  from = {old}\n  to   = {new}\n}}\n"


def policy(*statements: str) -> str:
    """A managed policy of some statements in ``jsonencode``."""
    body = ",\n".join(statements)
    return (
        'resource "aws_iam_policy" "p" {\n  name = "p"\n'
        f'  policy = jsonencode({{ Version = "2012-10-17", Statement = [{body}] }})\n}}\n'
    )


READ: Final = (
    '{ Effect = "Allow", Action = ["s3:GetObject"], Resource = ["arn:aws:s3:::orders/*"] }'
)
WRITE: Final = (
    '{ Effect = "Allow", Action = ["s3:PutObject"], Resource = ["arn:aws:s3:::orders/*"] }'
)
DENY: Final = (
    '{ Effect = "Deny", Action = ["s3:DeleteObject"], Resource = ["arn:aws:s3:::orders/*"] }'
)
KEEP: Final = (
    '{ Effect = "Deny", Action = ["sqs:*"], Resource = ["arn:aws:sqs:eu-west-1:111122223333:a"] }'
)
GROUP: Final = (
    'resource "aws_security_group" "orders" {\n  name = "orders"\n'
    '  ingress {\n    protocol    = "tcp"\n    from_port   = 443\n    to_port     = 443\n'
    '    cidr_blocks = ["10.0.0.0/16"]\n  }\n}\n'
)
DOCUMENT: Final = (
    'data "aws_iam_policy_document" "p" {\n  statement {\n    actions   = ["s3:GetObject"]\n'
    '    resources = ["arn:aws:s3:::orders/*"]\n  }\n}\n'
)
FROM_DOCUMENT: Final = (
    'resource "aws_iam_policy" "p" {\n  name   = "p"\n'
    "  policy = data.aws_iam_policy_document.p.json\n}\n"
)
ROLE: Final = (
    'resource "aws_iam_role" "orders" {\n  name = "orders"\n'
    '  assume_role_policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "sts:AssumeRole",'
    ' Principal = { Service = "lambda.amazonaws.com" } }] })\n}\n'
)


def inline(name: str, *statements: str) -> str:
    """An inline policy of the role."""
    return (
        f'resource "aws_iam_role_policy" "{name}" {{\n  role = aws_iam_role.orders.id\n'
        f"  policy = jsonencode({{ Statement = [{', '.join(statements)}] }})\n}}\n"
    )


MODULE: Final = 'variable "name" {}\nresource "aws_sqs_queue" "this" {\n  name = var.name\n}\n'
CALL: Final = 'module "orders" {\n  source = "../modules/queue"\n  name   = "orders"\n}\n'
STACKS: Final = (
    'resource "aws_cloudformation_stack_set_instance" "base" {\n  stack_set_name = "base"\n'
    "  deployment_targets {\n    organizational_unit_ids = UNITS\n  }\n"
    '  stack_set_instance_region = "eu-west-1"\n}\n'
)

REFACTORS: Final = [
    # Names, moves and places in files
    one(
        "resource renamed with moved",
        QUEUE,
        QUEUE.replace('"orders" {', '"incoming" {')
        + moved("aws_sqs_queue.orders", "aws_sqs_queue.incoming"),
    ),
    one(
        "stateless resource renamed without moved",
        'resource "aws_sns_topic" "orders" {\n  name = "orders"\n}\n',
        'resource "aws_sns_topic" "incoming" {\n  name = "orders"\n}\n',
    ),
    one(
        "database renamed with moved",
        DATABASE,
        DATABASE.replace('"orders" {', '"sales" {')
        + moved("aws_db_instance.orders", "aws_db_instance.sales"),
    ),
    one(
        "two moves in a row",
        DATABASE,
        DATABASE.replace('"orders" {', '"c" {')
        + moved("aws_db_instance.orders", "aws_db_instance.b")
        + moved("aws_db_instance.b", "aws_db_instance.c"),
    ),
    one(
        "old moved blocks removed",
        DATABASE + moved("aws_db_instance.old", "aws_db_instance.orders"),
        DATABASE,
    ),
    one("resources reordered", QUEUE + TABLE + GROUP, GROUP + TABLE + QUEUE),
    one(
        "arguments reordered",
        DATABASE,
        DATABASE.replace(
            '  identifier          = "orders"\n  engine              = "postgres"\n',
            '  engine              = "postgres"\n  identifier          = "orders"\n',
        ),
    ),
    one(
        "comments and format",
        GROUP + DATABASE,
        "# Who may call us.\n"
        + GROUP.replace('    protocol    = "tcp"\n', '    protocol = "tcp" # TLS\n')
        + DATABASE,
    ),
    many(
        "one file becomes three",
        {"live/main.tf": PROVIDER + QUEUE + TABLE + GROUP},
        {"live/providers.tf": PROVIDER, "live/data.tf": TABLE, "live/net.tf": QUEUE + GROUP},
    ),
    many(
        "three files become one",
        {"live/providers.tf": PROVIDER, "live/data.tf": DATABASE, "live/net.tf": GROUP},
        {"live/main.tf": PROVIDER + GROUP + DATABASE},
    ),
    many(
        "file renamed",
        {"live/main.tf": PROVIDER + DATABASE},
        {"live/database.tf": PROVIDER + DATABASE},
    ),
    many(
        "native syntax becomes JSON",
        {"live/main.tf": PROVIDER + QUEUE},
        {
            "live/main.tf": PROVIDER,
            "live/queue.tf.json": '{"resource": {"aws_sqs_queue": {"orders": {"name": "orders"}}}}',
        },
    ),
    # Modules
    many(
        "extracted to a module with moved",
        {"live/main.tf": PROVIDER + QUEUE.replace('"orders" {', '"this" {')},
        {
            "live/main.tf": PROVIDER
            + CALL
            + moved("aws_sqs_queue.this", "module.orders.aws_sqs_queue.this"),
            "modules/queue/main.tf": MODULE,
        },
    ),
    many(
        "database extracted to a module with moved",
        {"live/main.tf": PROVIDER + DATABASE},
        {
            "live/main.tf": PROVIDER
            + 'module "db" {\n  source = "../modules/db"\n}\n'
            + moved("aws_db_instance.orders", "module.db.aws_db_instance.orders"),
            "modules/db/main.tf": DATABASE,
        },
    ),
    many(
        "module inlined with moved",
        {
            "live/main.tf": PROVIDER + 'module "db" {\n  source = "../modules/db"\n}\n',
            "modules/db/main.tf": DATABASE,
        },
        {
            "live/main.tf": PROVIDER
            + DATABASE
            + moved("module.db.aws_db_instance.orders", "aws_db_instance.orders")
        },
    ),
    many(
        "module call renamed with moved",
        {
            "live/main.tf": PROVIDER + 'module "db" {\n  source = "../modules/db"\n}\n',
            "modules/db/main.tf": DATABASE,
        },
        {
            "live/main.tf": PROVIDER
            + 'module "database" {\n  source = "../modules/db"\n}\n'
            + moved("module.db", "module.database"),
            "modules/db/main.tf": DATABASE,
        },
    ),
    many(
        "module directory renamed",
        {"live/main.tf": PROVIDER + CALL, "modules/queue/main.tf": MODULE},
        {
            "live/main.tf": PROVIDER + CALL.replace("modules/queue", "modules/sqs"),
            "modules/sqs/main.tf": MODULE,
        },
    ),
    many(
        "root directory renamed",
        {"live/main.tf": PROVIDER + DATABASE + GROUP},
        {"deploy/main.tf": PROVIDER + DATABASE + GROUP},
    ),
    many(
        "root directory renamed and reformatted",
        {"live/main.tf": PROVIDER + DATABASE + GROUP + policy(READ)},
        {"deploy/all/main.tf": PROVIDER + "# moved here\n" + DATABASE + GROUP + policy(READ)},
    ),
    many(
        "module variable renamed",
        {"live/main.tf": PROVIDER + CALL, "modules/queue/main.tf": MODULE},
        {
            "live/main.tf": PROVIDER + CALL.replace("  name   =", "  title  ="),
            "modules/queue/main.tf": MODULE.replace('"name"', '"title"').replace(
                "var.name", "var.title"
            ),
        },
    ),
    many(
        "module input gets a default and the call drops it",
        {"live/main.tf": PROVIDER + CALL, "modules/queue/main.tf": MODULE},
        {
            "live/main.tf": PROVIDER + CALL.replace('  name   = "orders"\n', ""),
            "modules/queue/main.tf": MODULE.replace(
                'variable "name" {}', 'variable "name" {\n  default = "orders"\n}'
            ),
        },
    ),
    many(
        "module wrapped in a module with moved",
        {"live/main.tf": PROVIDER + CALL, "modules/queue/main.tf": MODULE},
        {
            "live/main.tf": PROVIDER
            + 'module "app" {\n  source = "../modules/app"\n}\n'
            + moved("module.orders", "module.app.module.orders"),
            "modules/app/main.tf": CALL.replace("../modules/queue", "../queue"),
            "modules/queue/main.tf": MODULE,
        },
    ),
    many(
        "providers passed to a module explicitly",
        {"live/main.tf": PROVIDER + CALL, "modules/queue/main.tf": MODULE},
        {
            "live/main.tf": PROVIDER
            + CALL.replace('"orders"\n}', '"orders"\n  providers = { aws = aws }\n}'),
            "modules/queue/main.tf": MODULE,
        },
    ),
    many(
        "two calls become one with for_each and moved",
        {
            "live/main.tf": PROVIDER
            + CALL
            + CALL.replace('"orders" {', '"refunds" {').replace('= "orders"', '= "refunds"'),
            "modules/queue/main.tf": MODULE,
        },
        {
            "live/main.tf": PROVIDER
            + 'module "queue" {\n  for_each = toset(["orders", "refunds"])\n'
            '  source = "../modules/queue"\n  name   = each.key\n}\n'
            + moved("module.orders", 'module.queue["orders"]')
            + moved("module.refunds", 'module.queue["refunds"]'),
            "modules/queue/main.tf": MODULE,
        },
    ),
    # count and for_each
    one("single to count", QUEUE, QUEUE.replace("  name", "  count = 1\n  name")),
    one(
        "count to for_each",
        'resource "aws_sqs_queue" "q" {\n  count = 2\n  name  = "q${count.index}"\n}\n',
        'resource "aws_sqs_queue" "q" {\n  for_each = toset(["q0", "q1"])\n  name     = each.key\n}\n'
        + moved("aws_sqs_queue.q[0]", 'aws_sqs_queue.q["q0"]')
        + moved("aws_sqs_queue.q[1]", 'aws_sqs_queue.q["q1"]'),
    ),
    one(
        "database to for_each with moved",
        DATABASE,
        DATABASE.replace(
            '  identifier          = "orders"\n',
            '  for_each   = toset(["orders"])\n  identifier = each.key\n',
        )
        + moved("aws_db_instance.orders", 'aws_db_instance.orders["orders"]'),
    ),
    one(
        "list of keys to map",
        'resource "aws_sqs_queue" "q" {\n  for_each = toset(["a", "b"])\n  name     = each.key\n}\n',
        'resource "aws_sqs_queue" "q" {\n  for_each = { a = "a", b = "b" }\n'
        "  name     = each.value\n}\n",
    ),
    one(
        "for_each over regions reordered",
        'resource "aws_sqs_queue" "q" {\n  for_each = toset(["eu-west-1", "us-east-1"])\n'
        "  region   = each.key\n}\n",
        'resource "aws_sqs_queue" "q" {\n  for_each = toset(["us-east-1", "eu-west-1"])\n'
        "  region   = each.key\n}\n",
    ),
    # Values that come another way
    one(
        "literal to variable with default",
        STACKS.replace("UNITS", '["ou-ab12-11111111"]'),
        'variable "units" {\n  default = ["ou-ab12-11111111"]\n}\n'
        + STACKS.replace("UNITS", "var.units"),
    ),
    many(
        "region to variables file",
        {"live/main.tf": PROVIDER + DATABASE},
        {
            "live/main.tf": 'variable "region" {}\n'
            + PROVIDER.replace('"eu-west-1"', "var.region")
            + DATABASE,
            "live/terraform.tfvars": 'region = "eu-west-1"\n',
        },
    ),
    one(
        "literal to local",
        policy(READ),
        'locals {\n  actions = ["s3:GetObject"]\n}\n'
        + policy(READ.replace('["s3:GetObject"]', "local.actions")),
    ),
    one(
        "text to interpolation",
        policy(READ),
        'locals {\n  bucket = "orders"\n}\n'
        + policy(READ.replace('"arn:aws:s3:::orders/*"', '"arn:aws:s3:::${local.bucket}/*"')),
    ),
    one(
        "literal to function",
        GROUP,
        GROUP.replace('["10.0.0.0/16"]', '[cidrsubnet("10.0.0.0/8", 8, 0)]'),
    ),
    one(
        "variable renamed",
        'variable "regions" {\n  default = ["eu-west-1"]\n}\n'
        'resource "aws_sqs_queue" "q" {\n  for_each = toset(var.regions)\n  region = each.key\n}\n',
        'variable "places" {\n  default = ["eu-west-1"]\n}\n'
        'resource "aws_sqs_queue" "q" {\n  for_each = toset(var.places)\n  region = each.key\n}\n',
    ),
    one(
        "unknown variable renamed",
        'variable "zone" {}\nresource "aws_ebs_volume" "v" {\n'
        "  availability_zone = var.zone\n  size = 1\n}\n",
        'variable "place" {}\nresource "aws_ebs_volume" "v" {\n'
        "  availability_zone = var.place\n  size = 1\n}\n",
    ),
    many(
        "defaults moved to an automatic variables file",
        {
            "live/main.tf": PROVIDER
            + 'variable "cidr" {\n  default = "10.0.0.0/16"\n}\n'
            + GROUP.replace('"10.0.0.0/16"', "var.cidr")
        },
        {
            "live/main.tf": PROVIDER
            + 'variable "cidr" {}\n'
            + GROUP.replace('"10.0.0.0/16"', "var.cidr"),
            "live/net.auto.tfvars": 'cidr = "10.0.0.0/16"\n',
        },
    ),
    many(
        "override file folded in",
        {
            "live/main.tf": PROVIDER
            + DATABASE.replace("deletion_protection = true", "deletion_protection = false"),
            "live/override.tf": 'resource "aws_db_instance" "orders" {\n'
            "  deletion_protection = true\n}\n",
        },
        {"live/main.tf": PROVIDER + DATABASE},
    ),
    # Policies in another notation
    one("jsonencode to document", policy(READ), DOCUMENT + FROM_DOCUMENT),
    one(
        "document to heredoc",
        DOCUMENT + FROM_DOCUMENT,
        'resource "aws_iam_policy" "p" {\n  name   = "p"\n  policy = <<-JSON\n'
        '    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",\n'
        '     "Action": "s3:GetObject", "Resource": "arn:aws:s3:::orders/*"}]}\n  JSON\n}\n',
    ),
    many(
        "policy to a file",
        {"live/main.tf": PROVIDER + policy(READ)},
        {
            "live/main.tf": PROVIDER + 'resource "aws_iam_policy" "p" {\n  name   = "p"\n'
            '  policy = file("${path.module}/p.json")\n}\n',
            "live/p.json": '{"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", '
            '"Resource": "arn:aws:s3:::orders/*"}]}\n',
        },
    ),
    one("string to list", policy(READ.replace('["s3:GetObject"]', '"s3:GetObject"')), policy(READ)),
    one(
        "another case of an action",
        policy(READ),
        policy(READ.replace("s3:GetObject", "S3:getobject")),
    ),
    one(
        "statements merged",
        policy(READ, WRITE),
        policy(READ.replace('["s3:GetObject"]', '["s3:PutObject", "s3:GetObject"]')),
    ),
    one(
        "statements split",
        policy(READ.replace('["s3:GetObject"]', '["s3:GetObject", "s3:PutObject"]')),
        policy(WRITE, READ),
    ),
    one("statements reordered", policy(READ, WRITE, DENY), policy(DENY, WRITE, READ)),
    one("sid added", policy(READ), policy(READ.replace("{ Effect", '{ Sid = "Read", Effect'))),
    one(
        "wildcard to what it stands for",
        policy(
            READ.replace('["s3:GetObject"]', '["sqs:SendMessage*"]').replace(
                "arn:aws:s3:::orders/*", "arn:aws:sqs:eu-west-1:111122223333:orders"
            )
        ),
        policy(
            READ.replace('["s3:GetObject"]', '["sqs:SendMessage"]').replace(
                "arn:aws:s3:::orders/*", "arn:aws:sqs:eu-west-1:111122223333:orders"
            )
        ),
    ),
    one(
        "inline policy to a policy of its own",
        ROLE.replace(
            '  name = "orders"\n',
            '  name = "orders"\n  inline_policy {\n    name = "p"\n'
            f"    policy = jsonencode({{ Statement = [{READ}, {DENY}] }})\n  }}\n",
        ),
        ROLE + 'resource "aws_iam_role_policy" "p" {\n  role = aws_iam_role.orders.name\n'
        f"  policy = jsonencode({{ Statement = [{READ}, {DENY}] }})\n}}\n",
    ),
    many(
        "a module is handed an alias beside the default provider",
        {"live/main.tf": PROVIDER + CALL, "modules/queue/main.tf": MODULE},
        {
            "live/main.tf": PROVIDER
            + 'provider "aws" {\n  alias  = "dns"\n  region = "eu-west-1"\n}\n'
            + CALL.replace("}\n", "  providers = { aws.dns = aws.dns }\n}\n"),
            "modules/queue/main.tf": MODULE + "terraform {\n  required_providers {\n    aws = {\n"
            '      source = "hashicorp/aws"\n      configuration_aliases = [aws.dns]\n    }\n  }\n}\n',
        },
    ),
    one(
        "two inline policies of one role become one",
        ROLE + inline("p", READ) + inline("q", WRITE),
        ROLE + inline("p", READ, WRITE),
    ),
    one(
        "a statement moves between inline policies of one role",
        ROLE + inline("p", READ, WRITE) + inline("q", DENY),
        ROLE + inline("p", READ) + inline("q", DENY, WRITE),
    ),
    one(
        "a refusal moves between inline policies of one role",
        ROLE + inline("p", DENY, KEEP) + inline("q", READ),
        ROLE + inline("p", DENY) + inline("q", READ, KEEP),
    ),
    one(
        "a queue gets a tag beside inline policies that refuse",
        ROLE + inline("p", DENY) + inline("q", KEEP) + QUEUE,
        ROLE + inline("p", DENY) + inline("q", KEEP) + QUEUE.replace("{\n", "{\n  tags = {}\n", 1),
    ),
    one(
        "one policy becomes two",
        policy(READ, WRITE),
        policy(READ) + policy(WRITE).replace('"p"', '"q"'),
    ),
    one("attached policy renamed", policy(READ), policy(READ).replace('"p" {', '"reader" {')),
    one(
        "trust policy to document",
        ROLE,
        'data "aws_iam_policy_document" "trust" {\n  statement {\n    actions = ["sts:AssumeRole"]\n'
        '    principals {\n      type = "Service"\n      identifiers = ["lambda.amazonaws.com"]\n'
        "    }\n  }\n}\n"
        'resource "aws_iam_role" "orders" {\n  name = "orders"\n'
        "  assume_role_policy = data.aws_iam_policy_document.trust.json\n}\n",
    ),
    one(
        "account of a principal in its long form",
        policy(READ)
        .replace("aws_iam_policy", "aws_s3_bucket_policy")
        .replace('Effect = "Allow",', 'Effect = "Allow", Principal = { AWS = "111122223333" },'),
        policy(READ)
        .replace("aws_iam_policy", "aws_s3_bucket_policy")
        .replace(
            'Effect = "Allow",',
            'Effect = "Allow", Principal = { AWS = "arn:aws:iam::111122223333:root" },',
        ),
    ),
    one(
        "condition values reordered",
        policy(
            READ.replace(
                " }", ', Condition = { StringEquals = { "aws:PrincipalOrgID" = ["o-b", "o-a"] } } }'
            )
        ),
        policy(
            READ.replace(
                " }", ', Condition = { StringEquals = { "aws:PrincipalOrgID" = ["o-a", "o-b"] } } }'
            )
        ),
    ),
    # Networks
    one(
        "inline rule to a rule of its own",
        GROUP,
        'resource "aws_security_group" "orders" {\n  name = "orders"\n}\n'
        'resource "aws_vpc_security_group_ingress_rule" "tls" {\n'
        "  security_group_id = aws_security_group.orders.id\n"
        '  ip_protocol = "tcp"\n  from_port = 443\n  to_port = 443\n  cidr_ipv4 = "10.0.0.0/16"\n}\n',
    ),
    one(
        "rules made by dynamic",
        GROUP,
        'resource "aws_security_group" "orders" {\n  name = "orders"\n'
        '  dynamic "ingress" {\n    for_each = toset(["10.0.0.0/16"])\n    content {\n'
        '      protocol    = "tcp"\n      from_port   = 443\n      to_port     = 443\n'
        "      cidr_blocks = [ingress.value]\n    }\n  }\n}\n",
    ),
    one(
        "a network split in halves",
        GROUP,
        GROUP.replace('["10.0.0.0/16"]', '["10.0.0.0/17", "10.0.128.0/17"]'),
    ),
    # Providers and places
    one(
        "alias added and not used",
        QUEUE,
        'provider "aws" {\n  alias  = "us"\n  region = "us-east-1"\n}\n' + QUEUE,
    ),
    one(
        "alias renamed",
        'provider "aws" {\n  alias  = "us"\n  region = "us-east-1"\n}\n'
        + QUEUE.replace("  name", "  provider = aws.us\n  name"),
        'provider "aws" {\n  alias  = "use1"\n  region = "us-east-1"\n}\n'
        + QUEUE.replace("  name", "  provider = aws.use1\n  name"),
    ),
    many(
        "provider moved to a file of its own",
        {"live/main.tf": PROVIDER + QUEUE},
        {"live/main.tf": QUEUE, "live/provider.tf": PROVIDER},
    ),
    many(
        "default provider named as the resource's region",
        {"live/main.tf": PROVIDER + QUEUE},
        {"live/main.tf": PROVIDER + QUEUE.replace("  name", '  region = "eu-west-1"\n  name')},
    ),
    one(
        "targets to a local list",
        STACKS.replace("UNITS", '["ou-ab12-22222222", "ou-ab12-11111111"]'),
        'locals {\n  units = ["ou-ab12-11111111", "ou-ab12-22222222"]\n}\n'
        + STACKS.replace("UNITS", "local.units"),
    ),
    # Guards that are said elsewhere
    one(
        "versioning to a resource of its own",
        'resource "aws_s3_bucket" "b" {\n  bucket = "b"\n  versioning {\n    enabled = true\n  }\n}\n',
        'resource "aws_s3_bucket" "b" {\n  bucket = "b"\n}\n'
        'resource "aws_s3_bucket_versioning" "b" {\n  bucket = aws_s3_bucket.b.id\n'
        '  versioning_configuration {\n    status = "Enabled"\n  }\n}\n',
    ),
    one(
        "guard from a variable",
        DATABASE,
        'variable "protect" {\n  default = true\n}\n'
        + DATABASE.replace("deletion_protection = true", "deletion_protection = var.protect"),
    ),
    one(
        "let go with removed",
        QUEUE + DATABASE,
        QUEUE
        + "removed {\n  from = aws_db_instance.orders\n  lifecycle {\n    destroy = false\n  }\n}\n",
    ),
    many(
        "a lock file and a readme change",
        {
            "live/main.tf": PROVIDER + DATABASE,
            "live/.terraform.lock.hcl": "# 1\n",
            "README.md": "a\n",
        },
        {
            "live/main.tf": PROVIDER + DATABASE,
            "live/.terraform.lock.hcl": "# 2\n",
            "README.md": "b\n",
        },
    ),
    many(
        "variant files renamed",
        {
            "live/main.tf": PROVIDER + 'variable "environment" {}\n' + QUEUE,
            "live/prod.tfvars": 'environment = "prod"\n',
        },
        {
            "live/main.tf": PROVIDER + 'variable "environment" {}\n' + QUEUE,
            "live/env/prod.tfvars": 'environment = "prod"\n',
        },
    ),
]


def test_there_are_fifty_and_each_is_another() -> None:
    assert len(REFACTORS) >= 50
    assert len({refactor.name for refactor in REFACTORS}) == len(REFACTORS)
    assert all(refactor.before != refactor.after for refactor in REFACTORS)


@pytest.mark.parametrize("refactor", REFACTORS, ids=[refactor.name for refactor in REFACTORS])
def test_a_refactor_reports_nothing(refactor: Refactor) -> None:
    found = compare_files(refactor.before, refactor.after, catalog.load())

    assert [failure.message for failure in found.report.failures] == []
    assert [finding.message for finding in found.widenings] == []
    assert [finding.message for finding in found.introduced] == []
