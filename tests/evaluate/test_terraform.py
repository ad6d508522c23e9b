"""Terraform units: variables, locals, modules, repetition, references, data sources, providers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from blastdoor.evaluate import terraform
from blastdoor.evaluate.expression import Budget
from blastdoor.finding import FailureKind
from blastdoor.value import MAX_SIZE, Inherited, Meaning, Reason, Step, Unknown, walk

if TYPE_CHECKING:
    from tests.evaluate.conftest import Unit

# Variables


def test_a_default_holds_where_no_file_says_otherwise(unit: type[Unit]) -> None:
    here = unit('variable "a" { default = "x" }\n')
    assert here.variable("a") == "x"
    assert [e.step for e in here.instance.variable("a").via] == [Step.DEFAULT]


def test_a_variable_without_a_value_is_unknown(unit: type[Unit]) -> None:
    assert unit('variable "a" {}\n').variable("a") == "<NO_VALUE var.a>"


def test_an_undeclared_variable_is_unknown(unit: type[Unit]) -> None:
    assert (
        unit({"main.tf": "locals {}\n", "terraform.tfvars": "a = 1\n"}).variable("a")
        == "<UNDECLARED var.a>"
    )


VARIABLES = 'variable "a" { default = "default" }\n'


@pytest.mark.parametrize(
    ("files", "var_files", "expected"),
    [
        ({"terraform.tfvars": 'a = "t"'}, (), "t"),
        ({"terraform.tfvars.json": '{"a": "t"}'}, (), "t"),
        ({"a.auto.tfvars": 'a = "auto"', "terraform.tfvars": 'a = "t"'}, (), "auto"),
        ({"zz.auto.tfvars": 'a = "t"', "terraform.tfvars": 'a = "u"'}, (), "t"),
        ({"a.auto.tfvars": 'a = "a"', "b.auto.tfvars.json": '{"a": "b"}'}, (), "b"),
        ({"terraform.tfvars": 'a = "t"', "terraform.tfvars.json": '{"a": "j"}'}, (), "j"),
        ({"prod.tfvars": 'a = "p"'}, (), "default"),
        ({"prod.tfvars": 'a = "p"', "x.auto.tfvars": 'a = "x"'}, ("prod.tfvars",), "p"),
        ({"e/prod.tfvars": 'a = "p"'}, ("e/prod.tfvars",), "p"),
        ({"1.tfvars": 'a = "1"', "2.tfvars": 'a = "2"'}, ("2.tfvars", "1.tfvars"), "1"),
    ],
)
def test_a_later_file_of_values_wins(
    unit: type[Unit], files: dict[str, str], var_files: tuple[str, ...], expected: str
) -> None:
    texts = {name: text + "\n" for name, text in files.items()}
    assert expected == unit({"main.tf": VARIABLES, **texts}, var_files=var_files).variable("a")


def test_the_value_of_a_file_names_the_file(unit: type[Unit]) -> None:
    here = unit({"main.tf": VARIABLES, "terraform.tfvars": 'a = "t"\n'})
    (evidence,) = here.instance.variable("a").via
    assert (evidence.step, evidence.text) == (Step.VARIABLES_FILE, "var.a in terraform.tfvars")
    assert evidence.span.text == '"t"'


@pytest.mark.parametrize(
    ("kind", "default", "expected"),
    [
        ("string", "1.50", "1.5"),
        ("number", '"2"', 2),
        ("bool", '"true"', True),
        ("list(string)", "[1, true]", ["1", "true"]),
        ("set(string)", '["b", "a", "b"]', ["a", "b"]),
        ("map(number)", '{ a = "1" }', {"a": 1}),
        ("tuple([string, number])", '[1, "2"]', ["1", 2]),
        ("list(any)", '[1, "a"]', ["1", "a"]),
        ("object({ a = string })", "{ a = 1, b = 2 }", {"a": "1"}),
        ("object({ a = optional(string) })", "{}", {"a": None}),
        ('object({ a = optional(string, "d") })', "{}", {"a": "d"}),
        ('object({ a = optional(string, "d") })', "{ a = null }", {"a": "d"}),
        ("map(object({ a = optional(bool, true) }))", "{ x = {} }", {"x": {"a": True}}),
        ("string", "null", None),
        ("any", "[1]", [1]),
    ],
)
def test_the_type_converts_the_value(
    unit: type[Unit], kind: str, default: str, expected: object
) -> None:
    text = f'variable "a" {{\n  type    = {kind}\n  default = {default}\n}}\n'
    assert expected == unit(text).variable("a")


def test_a_module_that_nothing_calls_never_takes_its_defaults(unit: type[Unit]) -> None:
    files = {"m/main.tf": 'variable "a" { default = "x" }\nvariable "b" {}\n'}
    here = unit(files, directory="m", is_root=False)
    assert [here.variable("a"), here.variable("b")] == ["<CALLER var.a>", "<CALLER var.b>"]


# Locals


def test_locals_refer_to_one_another_in_any_order(unit: type[Unit]) -> None:
    here = unit("locals {\n  a = local.b + 1\n}\nlocals {\n  b = local.c\n  c = 1\n}\n")
    assert here.local("a") == 2


def test_a_value_carries_its_chain(unit: type[Unit]) -> None:
    here = unit('variable "v" { default = "x" }\nlocals {\n  a = var.v\n  b = local.a\n}\n')
    assert [e.step for e in here.value("b").via if e.step is not Step.ATTRIBUTE] == [
        Step.DEFAULT,
        Step.LOCAL,
        Step.LOCAL,
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a = local.a",
        "a = local.b\nb = local.a",
        "a = [for x in [1] : local.b]\nb = { c = local.a }",
        'a = "x${local.b}"\nb = upper(local.a)',
    ],
)
def test_a_cycle_is_unknown(unit: type[Unit], text: str) -> None:
    value = unit(f"locals {{\n{text}\n}}\n").value("a")
    assert Reason.CYCLE in {inner.reason for inner in walk(value) if isinstance(inner, Unknown)}


def test_a_cycle_of_resources_is_unknown_and_the_rest_is_known(unit: type[Unit]) -> None:
    here = unit(
        'resource "x_a" "a" {\n  p = x_b.b.p\n  q = 1\n}\n'
        'resource "x_b" "b" {\n  p = x_a.a.p\n  q = x_a.a.q\n}\n'
    )
    assert here.argument("x_a.a", "p").replace("x_b.b", "x_a.a") == "<CYCLE x_a.a.p>"
    assert here.argument("x_b.b", "q") == 1


def test_a_cycle_through_modules_is_unknown(unit: type[Unit]) -> None:
    here = unit(
        {
            "main.tf": 'module "m" {\n  source = "./m"\n  i = module.m.o\n}\n'
            "locals {\n  a = module.m.o\n}\n",
            "m/main.tf": 'variable "i" {}\noutput "o" { value = var.i }\n',
        }
    )
    assert here.local("a") == "<CYCLE module.m.o>"


# Modules


def nested(depth: int) -> dict[str, str]:
    """A chain of modules that hand one value down and up again."""
    files = {
        "main.tf": 'module "m" {\n  source = "./m1"\n  i = "x"\n}\nlocals {\n  o = module.m.o\n}\n'
    }
    for number in range(1, depth + 1):
        last = number == depth
        inner = (
            ""
            if last
            else f'module "m" {{\n  source = "../m{number + 1}"\n  i = "${{var.i}}{number}"\n}}\n'
        )
        out = "upper(var.i)" if last else "module.m.o"
        files[f"m{number}/main.tf"] = (
            f'variable "i" {{}}\n{inner}output "o" {{ value = {out} }}\n'
            'resource "aws_s3_bucket" "b" {\n  bucket = var.i\n}\n'
        )
    return files


def test_inputs_go_down_and_outputs_come_up(unit: type[Unit]) -> None:
    here = unit(nested(4))
    assert here.local("o") == "X123"
    assert here.argument("module.m.module.m.module.m.aws_s3_bucket.b", "bucket") == "x12"


def test_an_input_carries_the_call(unit: type[Unit]) -> None:
    value = unit(nested(1)).resource("module.m.aws_s3_bucket.b").get("bucket")
    assert value is not None
    assert [(e.step, e.span.text) for e in value.via if e.step is Step.INPUT] == [
        (Step.INPUT, '"x"')
    ]


def test_a_module_takes_its_default_where_the_call_gives_nothing(unit: type[Unit]) -> None:
    here = unit(
        {
            "main.tf": 'module "m" { source = "./m" }\nmodule "n" {\n  source = "./m"\n  a = null\n'
            "  b = null\n}\nlocals {\n  m = module.m.o\n  n = module.n.o\n}\n",
            "m/main.tf": 'variable "a" { default = "d" }\nvariable "b" {\n  default  = "d"\n'
            '  nullable = false\n}\noutput "o" { value = [var.a, var.b] }\n',
            # Values of files are for the root alone.
            "terraform.tfvars": 'a = "root"\n',
            "m/terraform.tfvars": 'a = "never read"\n',
        }
    )
    assert [here.local("m"), here.local("n")] == [["d", "d"], [None, "d"]]


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("module.far.o", "<EXTERNAL_MODULE module.far.o>"),
        ("module.near.none", "<UNRESOLVED module.near.none>"),
        ("module.none.o", "<UNDECLARED module.none>"),
        ("module.near.o", 1),
        ("module.many[0].o", 1),
        ('module.each["a"].o', 1),
        ('module.each["a"].key', "a"),
        ("module.many[*].o", [1, ...]),
        ("[for m in module.many : m.o]", "<UNSUPPORTED module.many>"),
        ("values(module.each)[*].o", "<UNSUPPORTED module.each.o>"),
    ],
)
def test_outputs(unit: type[Unit], reference: str, expected: object) -> None:
    here = unit(
        {
            "main.tf": 'module "far" { source = "hashicorp/consul/aws" }\n'
            'module "near" { source = "./m" }\n'
            'module "many" {\n  source = "./m"\n  count  = 2\n}\n'
            'module "each" {\n  source = "./m"\n  for_each = toset(["a", "b"])\n  k = each.key\n}\n'
            f"locals {{\n  it = {reference}\n}}\n",
            "m/main.tf": 'variable "k" { default = "" }\n'
            'output "o" { value = 1 }\noutput "key" { value = var.k }\n',
        }
    )
    assert expected == here.local("it")


def test_a_module_called_twice_with_the_same_inputs_is_collected_once(unit: type[Unit]) -> None:
    module = 'variable "a" {}\nresource "x_y" "z" {\n  a = var.a\n}\n'
    calls = "".join(
        f'module "{name}" {{\n  source = "./m"\n  a = {value}\n}}\n'
        for name, value in (("one", 1), ("two", 1), ("three", 2))
    )
    here = unit({"main.tf": calls, "m/main.tf": module})
    assert [found.address for found in here.evaluated.resources] == [
        "module.one.x_y.z",
        "module.three.x_y.z",
    ]
    assert [call.name for call in here.evaluated.modules] == ["one", "two", "three"]


def test_a_module_that_calls_itself_ends(unit: type[Unit]) -> None:
    here = unit(
        {
            "main.tf": 'module "m" { source = "./m" }\nlocals {\n  o = module.m.o\n}\n',
            "m/main.tf": 'module "m" { source = "../m" }\noutput "o" { value = module.m.o }\n'
            'resource "x_y" "z" {}\n',
        }
    )
    assert here.local("o") == "<EXTERNAL_MODULE module.m.o>"
    assert [found.address for found in here.evaluated.resources] == ["module.m.x_y.z"]


# Repetition


@pytest.mark.parametrize(
    ("repeat", "expected"),
    [
        ("count = 0", []),
        ("count = false ? 1 : 0", []),
        ("count = 1", [0]),
        ("count = 3", [0, 1, 2]),
        ('count = "2"', [0, 1]),
        ("count = length([1, 2])", [0, 1]),
        ("count = var.open", ["<RANGE count.index>"]),
        ("count = var.open ? 1 : 0", ["<RANGE count.index>"]),
        ("count = var.open ? 0 : 0", []),
        ("count = 1000", ["<RANGE count.index>"]),
    ],
)
def test_count(unit: type[Unit], repeat: str, expected: list[object]) -> None:
    here = unit(f'variable "open" {{}}\nresource "x_y" "z" {{\n  {repeat}\n  a = count.index\n}}\n')
    assert expected == here.arguments("x_y.z", "a")


@pytest.mark.parametrize(
    ("collection", "expected"),
    [
        ("{}", []),
        ("[]", []),
        ('toset(["b", "a"])', [["a", "a"], ["b", "b"]]),
        ("{ k = 1, j = 2 }", [["j", 2], ["k", 1]]),
        ('{ for x in ["p", "q"] : x => upper(x) }', [["p", "P"], ["q", "Q"]]),
        ("var.open", [["<RANGE each.key>", "<RANGE each of var.open>"]]),
        ("var.open ? { a = 1 } : {}", [["<RANGE each.key>", 1]]),
        ("var.open ? toset([]) : toset([])", []),
    ],
)
def test_for_each(unit: type[Unit], collection: str, expected: list[object]) -> None:
    here = unit(
        f'variable "open" {{}}\nresource "x_y" "z" {{\n  for_each = {collection}\n'
        "  a = [each.key, each.value]\n}\n"
    )
    assert expected == here.arguments("x_y.z", "a")


def test_a_repeated_block_that_does_not_use_its_key_is_one(unit: type[Unit]) -> None:
    here = unit('resource "x_y" "z" {\n  for_each = { a = 1, b = 2 }\n  c = "same"\n}\n')
    assert here.arguments("x_y.z", "c") == ["same"]
    assert here.plain(here.resource("x_y.z").collection) == {"a": 1, "b": 2}


def test_for_each_over_every_region(unit: type[Unit]) -> None:
    here = unit(
        'data "aws_regions" "all" {}\nresource "aws_s3_bucket" "b" {\n'
        "  for_each = toset(data.aws_regions.all.names)\n  bucket = each.value\n  region = each.key\n}\n"
    )
    bucket = here.resource("aws_s3_bucket.b").get("bucket")
    assert isinstance(bucket, Unknown)
    assert Meaning.EACH_REGION is bucket.meaning
    region = here.resource("aws_s3_bucket.b").region
    assert isinstance(region, Unknown)
    assert Meaning.EACH_REGION is region.meaning


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("rule {\n n = 1\n}\n rule {\n n = 2\n}\n", [{"n": 1}, {"n": 2}]),
        (
            'dynamic "rule" {\n for_each = [1, 2]\n content {\n n = rule.value\n}\n}',
            [{"n": 1}, {"n": 2}],
        ),
        ('dynamic "rule" {\n for_each = { a = 1 }\n content {\n n = rule.key\n}\n}', [{"n": "a"}]),
        (
            'dynamic "rule" {\n for_each = [7]\n iterator = it\n content {\n n = it.value\n}\n}',
            [{"n": 7}],
        ),
        ('dynamic "rule" {\n for_each = []\n content {\n n = 1\n}\n}', ...),
        ('dynamic "rule" {\n for_each = var.open\n content {\n n = 1\n}\n}', [{"n": 1}, ...]),
        (
            'dynamic "rule" {\n for_each = var.open ? [1] : []\n content {\n n = 1\n}\n}',
            [{"n": 1}, ...],
        ),
        (
            (
                'dynamic "rule" {\n for_each = [1]\n content {\n dynamic "in" {\n for_each = [2]\n'
                " content {\n n = rule.value + in.value\n}\n}\n}\n}"
            ),
            [{"in": [{"n": 3}]}],
        ),
        (
            'rule {\n n = 0\n}\n dynamic "rule" {\n for_each = [1]\n content {\n n = 1\n}\n}',
            [{"n": 0}, {"n": 1}],
        ),
        ("rule {\n n = null\n}\n", [{}]),
    ],
)
def test_blocks(unit: type[Unit], block: str, expected: object) -> None:
    here = unit(f'variable "open" {{}}\nresource "x_y" "z" {{\n{block}\n}}\n')
    assert expected == here.argument("x_y.z", "rule")


# References


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("aws_s3_bucket.a.bucket", "name"),
        ("aws_s3_bucket.a.id", "<COMPUTED aws_s3_bucket.a.id>"),
        ("aws_s3_bucket.a.arn", "<COMPUTED aws_s3_bucket.a.arn>"),
        ("aws_s3_bucket.a.tags.t", 1),
        ("aws_s3_bucket.a", "<COMPUTED aws_s3_bucket.a>"),
        ("aws_s3_bucket.a.unset", "<COMPUTED aws_s3_bucket.a.unset>"),
        ("aws_s3_bucket.n[1].bucket", "n1"),
        ("aws_s3_bucket.n[*].bucket", ["n0", "n1"]),
        ("aws_s3_bucket.n.*.bucket", ["n0", "n1"]),
        ("aws_s3_bucket.n[*].tags[*].t", [[0], [1]]),
        ('aws_s3_bucket.e["x"].bucket', "xX"),
        ("aws_s3_bucket.e[var.open].bucket", "<RANGE each of>"),
        ("data.aws_ami.a.id", "<DATA_SOURCE data.aws_ami.a.id>"),
        ("data.aws_ami.a.owner", "self"),
        (
            "data.terraform_remote_state.s.outputs.x",
            "<REMOTE_STATE data.terraform_remote_state.s.outputs.x>",
        ),
        ("terraform_data.t.output", {"a": 1}),
        ("path.module", "."),
        ("path.root", "."),
    ],
)
def test_references(unit: type[Unit], reference: str, expected: object) -> None:
    here = unit(
        'variable "open" {}\n'
        'resource "aws_s3_bucket" "a" {\n  bucket = "name"\n  tags = { t = 1 }\n}\n'
        'resource "aws_s3_bucket" "n" {\n  count = 2\n  bucket = "n${count.index}"\n'
        "  tags = [{ t = count.index }]\n}\n"
        'resource "aws_s3_bucket" "e" {\n  for_each = { x = "X" }\n'
        '  bucket = "${each.key}${each.value}"\n}\n'
        'data "aws_ami" "a" {\n  owner = "self"\n}\n'
        'data "terraform_remote_state" "s" {\n  backend = "s3"\n}\n'
        'resource "terraform_data" "t" {\n  input = { a = 1 }\n}\n'
        f"locals {{\n  it = {reference}\n}}\n"
    )
    found = here.local("it")
    if reference.endswith("[var.open].bucket"):
        assert "aws_s3_bucket" not in str(found)
    else:
        assert expected == found


def test_a_text_with_what_is_computed_keeps_its_shape(unit: type[Unit]) -> None:
    here = unit('resource "aws_s3_bucket" "a" {}\nlocals {\n  it = "${aws_s3_bucket.a.arn}/*"\n}\n')
    assert here.local("it") == "{<COMPUTED aws_s3_bucket.a.arn>}/*"


def test_the_workspace_is_decided_outside(unit: type[Unit]) -> None:
    text = "locals {\n  it = terraform.workspace\n}\n"
    assert unit(text).local("it") == "<ENVIRONMENT terraform.workspace>"
    assert unit(text, workspaces=("a", "b")).local("it") == ("a", "b")


# Data sources

AWS = 'provider "aws" {\n  region = "eu-west-1"\n}\n'
CHINA = 'provider "aws" {\n  alias  = "cn"\n  region = "cn-north-1"\n}\n'
SOURCES = """\
data "aws_region" "here" {}
data "aws_region" "china" {
  provider = aws.cn
}
data "aws_region" "named" {
  name = "us-east-1"
}
data "aws_region" "v6" {
  region = "us-west-2"
}
data "aws_regions" "all" {}
data "aws_regions" "some" {
  filter {
    name   = "region-name"
    values = ["eu-west-1"]
  }
}
data "aws_partition" "here" {}
data "aws_partition" "china" {
  provider = aws.cn
}
data "aws_caller_identity" "me" {}
"""


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("data.aws_region.here.name", "eu-west-1"),
        ("data.aws_region.here.id", "eu-west-1"),
        ("data.aws_region.here.region", "eu-west-1"),
        ("data.aws_region.china.name", "cn-north-1"),
        ("data.aws_region.named.name", "us-east-1"),
        ("data.aws_region.v6.region", "us-west-2"),
        ("data.aws_region.here.description", "<DATA_SOURCE data.aws_region.here.description>"),
        ("data.aws_partition.here.partition", "aws"),
        ("data.aws_partition.china.partition", "aws-cn"),
        ("data.aws_partition.here.dns_suffix", "amazonaws.com"),
        ("data.aws_partition.china.dns_suffix", "amazonaws.com.cn"),
        ("data.aws_partition.china.reverse_dns_prefix", "cn.com.amazonaws"),
        ('"arn:${data.aws_partition.china.partition}:s3:::x"', "arn:aws-cn:s3:::x"),
        (
            "data.aws_caller_identity.me.account_id",
            "<ENVIRONMENT data.aws_caller_identity.me.account_id>",
        ),
        ("data.aws_caller_identity.me.arn", "<DATA_SOURCE data.aws_caller_identity.me.arn>"),
        ("data.aws_regions.all.names", "<DATA_SOURCE data.aws_regions.all.names>"),
    ],
)
def test_data_sources(unit: type[Unit], reference: str, expected: str) -> None:
    here = unit(AWS + CHINA + SOURCES + f"locals {{\n  it = {reference}\n}}\n")
    assert expected == here.local("it")


@pytest.mark.parametrize(
    ("reference", "meaning"),
    [
        ("data.aws_regions.all.names", Meaning.EVERY_REGION),
        ("toset(data.aws_regions.all.names)", Meaning.EVERY_REGION),
        ("[for r in data.aws_regions.all.names : r]", Meaning.EVERY_REGION),
        ("data.aws_regions.some.names", Meaning.RESOURCE),
        ("data.aws_caller_identity.me.account_id", Meaning.CURRENT_ACCOUNT),
    ],
)
def test_what_unknown_values_mean(unit: type[Unit], reference: str, meaning: Meaning) -> None:
    value = unit(AWS + CHINA + SOURCES + f"locals {{\n  it = {reference}\n}}\n").value("it")
    assert isinstance(value, Unknown)
    assert meaning is value.meaning


def test_without_a_provider_the_environment_decides(unit: type[Unit]) -> None:
    here = unit(
        'data "aws_region" "r" {}\ndata "aws_partition" "p" {}\nlocals {\n'
        "  r = data.aws_region.r.name\n  p = data.aws_partition.p.partition\n}\n"
    )
    region, partition = here.value("r"), here.value("p")
    assert isinstance(region, Inherited)
    assert isinstance(partition, Unknown)
    assert [
        region.meaning,
        partition.meaning,
    ] == [Meaning.CURRENT_REGION, Meaning.CURRENT_PARTITION]


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        ('allowed_account_ids = ["123456789012"]', "123456789012"),
        ('assume_role {\n role_arn = "arn:aws:iam::210987654321:role/x"\n}', "210987654321"),
        ('assume_role {\n role_arn = "arn:aws:iam::210987654321:role/${var.r}"\n}', "210987654321"),
        (
            'assume_role {\n role_arn = "arn:aws:iam::${var.r}:role/x"\n}',
            "<ENVIRONMENT data.aws_caller_identity.me.account_id>",
        ),
        (
            'allowed_account_ids = ["1", "2"]',
            "<ENVIRONMENT data.aws_caller_identity.me.account_id>",
        ),
    ],
)
def test_the_account_of_a_provider(unit: type[Unit], provider: str, expected: str) -> None:
    here = unit(
        f'variable "r" {{}}\nprovider "aws" {{\n{provider}\n}}\ndata "aws_caller_identity" "me" {{}}\n'
        "locals {\n  it = data.aws_caller_identity.me.account_id\n}\n"
    )
    assert expected == here.local("it")


def document(body: str) -> str:
    return (
        'variable "open" {}\ndata "aws_iam_policy_document" "base" {\n  statement {\n    sid = "One"\n'
        '    actions = ["s3:Get*"]\n    resources = ["*"]\n  }\n  statement {\n    sid = "Two"\n'
        '    effect = "Deny"\n    actions = ["s3:*"]\n    resources = ["*"]\n  }\n}\n'
        f'data "aws_iam_policy_document" "it" {{\n{body}\n}}\n'
        "locals {\n  it = data.aws_iam_policy_document.it.json\n}\n"
    )


def statements(unit: type[Unit], body: str) -> Any:
    found = unit(document(body)).local("it")
    assert found["json"]["Version"] == "2012-10-17"
    return found["json"]["Statement"]


ONE = {"Sid": "One", "Effect": "Allow", "Action": ["s3:Get*"], "Resource": ["*"]}
TWO = {"Sid": "Two", "Effect": "Deny", "Action": ["s3:*"], "Resource": ["*"]}


def test_a_policy_document(unit: type[Unit]) -> None:
    body = """\
  statement {
    actions       = ["s3:PutObject", "s3:${var.open}"]
    not_resources = ["arn:aws:s3:::x/&{aws:username}"]
    principals {
      type        = "AWS"
      identifiers = ["a"]
    }
    principals {
      type        = "Service"
      identifiers = ["s"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = ["1"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = ["2"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = ["3", "4"]
    }
  }
"""
    assert statements(unit, body) == [
        {
            "Effect": "Allow",
            "Action": ["s3:PutObject", "s3:{<NO_VALUE var.open>}"],
            "NotResource": ["arn:aws:s3:::x/${aws:username}"],
            "Principal": {"AWS": ["a"], "Service": ["s"]},
            "Condition": {
                "StringEquals": {"aws:SourceAccount": ["1", "3", "4"], "aws:SourceArn": ["2"]}
            },
        }
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("source_policy_documents = [data.aws_iam_policy_document.base.json]", [ONE, TWO]),
        ("source_json = data.aws_iam_policy_document.base.json", [ONE, TWO]),
        (
            (
                "source_policy_documents = [data.aws_iam_policy_document.base.json]\n statement {\n"
                'sid = "Two"\n actions = ["x:Y"]\n}'
            ),
            [ONE, {"Sid": "Two", "Effect": "Allow", "Action": ["x:Y"]}],
        ),
        (
            (
                "override_policy_documents = [data.aws_iam_policy_document.base.json]\n statement {\n"
                'sid = "Two"\n actions = ["x:Y"]\n}\n statement {\n actions = ["z:Z"]\n}'
            ),
            [TWO, {"Effect": "Allow", "Action": ["z:Z"]}, ONE],
        ),
        ('source_policy_documents = [jsonencode({ Statement = [{ Sid = "J" }] })]', [{"Sid": "J"}]),
        ('source_policy_documents = [jsonencode({ Statement = { Sid = "J" } })]', [{"Sid": "J"}]),
        ('source_policy_documents = [<<X\n{"Statement": [{"Sid": "H"}]}\nX\n]', [{"Sid": "H"}]),
        ("source_policy_documents = [var.open]", [...]),
        ("source_policy_documents = var.open", [...]),
        (
            'override_json = var.open\n statement {\n actions = ["z:Z"]\n}',
            [{"Effect": "Allow", "Action": ["z:Z"]}, ...],
        ),
        ("", []),
        (
            (
                'dynamic "statement" {\n for_each = ["a", "b"]\n'
                " content {\n actions = [statement.value]\n}\n}"
            ),
            [{"Effect": "Allow", "Action": ["a"]}, {"Effect": "Allow", "Action": ["b"]}],
        ),
        (
            'dynamic "statement" {\n for_each = var.open\n content {\n actions = ["a"]\n}\n}',
            [{"Effect": "Allow", "Action": ["a"]}, ...],
        ),
        (
            'statement {\n principals {\n type = "*"\n identifiers = ["*"]\n}\n}',
            [{"Effect": "Allow", "Principal": "*"}],
        ),
    ],
)
def test_documents_are_put_together(unit: type[Unit], body: str, expected: object) -> None:
    assert expected == statements(unit, body)


# Providers


def test_a_resource_goes_where_its_provider_points(unit: type[Unit]) -> None:
    here = unit(
        AWS + CHINA + 'resource "aws_sqs_queue" "a" {}\nresource "aws_sqs_queue" "b" {\n'
        '  provider = aws.cn\n}\nresource "aws_sqs_queue" "c" {\n  region = "us-east-1"\n}\n'
        'resource "aws_sqs_queue" "d" {\n  provider = aws.none\n}\n'
        'resource "aws_iam_role" "e" {\n  region = "us-east-1"\n}\n'
    )
    assert [
        here.region(f"aws_{name}")
        for name in ("sqs_queue.a", "sqs_queue.b", "sqs_queue.c", "sqs_queue.d", "iam_role.e")
    ] == ["eu-west-1", "cn-north-1", "us-east-1", "<UNDECLARED aws.none>", "eu-west-1"]
    assert [here.resource(f"aws_sqs_queue.{name}").selects_provider for name in "ab"] == [
        False,
        True,
    ]
    assert [here.plain(here.resource(f"aws_sqs_queue.{name}").partition) for name in "abc"] == [
        "aws",
        "aws-cn",
        "aws",
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('region = "us-east-1"', "eu-west-1"),
        ('region = "us-east-1"\n  stack_set_instance_region = "us-west-2"', "us-east-1"),
        ('stack_set_instance_region = "us-west-2"', "eu-west-1"),
    ],
)
def test_the_target_of_a_stack_instance_is_not_its_own_region(
    unit: type[Unit], arguments: str, expected: str
) -> None:
    """Until version 6 of the provider the target was called ``region``."""
    block = f'resource "aws_cloudformation_stack_set_instance" "a" {{\n  {arguments}\n}}\n'
    assert unit(AWS + block).region("aws_cloudformation_stack_set_instance.a") == expected


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ('"eu-west-1"', "eu-west-1"),
        ("var.open", "<NO_VALUE var.open>"),
        ("var.given", "us-west-2"),
        ('var.open ? "eu-west-1" : "us-east-1"', ("eu-west-1", "us-east-1")),
        ('"${var.open}-1"', "{<NO_VALUE var.open>}-1"),
    ],
)
def test_the_region_of_a_provider(unit: type[Unit], region: str, expected: object) -> None:
    here = unit(
        'variable "open" {}\nvariable "given" { default = "us-west-2" }\n'
        f'provider "aws" {{\n  region = {region}\n}}\nresource "aws_sqs_queue" "a" {{}}\n'
    )
    assert expected == here.region("aws_sqs_queue.a")


@pytest.mark.parametrize(
    "provider", ["", 'provider "aws" {}\n', 'provider "aws" {\n  region = null\n}\n']
)
def test_a_provider_without_a_region_inherits_it(unit: type[Unit], provider: str) -> None:
    here = unit(provider + 'resource "aws_sqs_queue" "a" {}\n')
    region = here.resource("aws_sqs_queue.a").region
    assert isinstance(region, Inherited)
    assert Meaning.CURRENT_REGION is region.meaning
    assert [bool(provider)] == [bool(here.evaluated.providers)]


CHILD = 'variable "x" { default = "" }\nresource "aws_sqs_queue" "q" {}\n'


@pytest.mark.parametrize(
    ("call", "child", "expected"),
    [
        ("", CHILD, "eu-west-1"),
        ("providers = { aws = aws.cn }", CHILD, "cn-north-1"),
        ('providers = { "aws" = "aws.cn" }', CHILD, "cn-north-1"),
        (
            "providers = { aws.other = aws.cn }",
            'resource "aws_sqs_queue" "q" {\n  provider = aws.other\n}\n',
            "cn-north-1",
        ),
        (
            "providers = {\n aws = aws\n aws.other = aws.cn\n}",
            'resource "aws_sqs_queue" "q" {\n  provider = aws.other\n}\n',
            "cn-north-1",
        ),
        ("providers = {\n aws = aws\n aws.other = aws.cn\n}", CHILD, "eu-west-1"),
        (
            'x = "us-east-2"',
            (
                'variable "x" {}\nprovider "aws" {\n  region = var.x\n}\n'
                'resource "aws_sqs_queue" "q" {}\n'
            ),
            "us-east-2",
        ),
        ("", 'resource "aws_sqs_queue" "q" {\n  region = "ap-south-1"\n}\n', "ap-south-1"),
        # An alias is never inherited: Terraform asks for it in the call.
        ("", 'resource "aws_sqs_queue" "q" {\n  provider = aws.cn\n}\n', "<UNDECLARED aws.cn>"),
    ],
)
def test_a_child_module_gets_its_providers(
    unit: type[Unit], call: str, child: str, expected: str
) -> None:
    here = unit(
        {
            "main.tf": AWS + CHINA + f'module "m" {{\n  source = "./m"\n  {call}\n}}\n',
            "m/main.tf": child,
        }
    )
    assert expected == here.region("module.m.aws_sqs_queue.q")


def test_a_provider_is_inherited_through_every_level(unit: type[Unit]) -> None:
    files = {
        "main.tf": AWS
        + CHINA
        + 'module "m" {\n  source = "./m"\n  providers = { aws = aws.cn }\n}\n',
        "m/main.tf": 'module "n" { source = "../n" }\n',
        "n/main.tf": CHILD,
    }
    here = unit(files)
    assert here.region("module.m.module.n.aws_sqs_queue.q") == "cn-north-1"
    assert here.module("module.m").passes_providers
    assert not here.module("module.m.module.n").passes_providers


def test_a_default_provider_is_inherited_beside_a_map(unit: type[Unit]) -> None:
    """What a providers map does not name comes from around, as Terraform's graph has it."""
    files = {
        "main.tf": AWS
        + CHINA
        + 'module "m" {\n  source = "./m"\n  providers = { aws.x = aws.cn }\n}\n',
        "m/main.tf": CHILD,
    }
    assert unit(files).region("module.m.aws_sqs_queue.q") == "eu-west-1"


def test_a_module_that_nothing_calls_takes_its_provider_from_the_caller(unit: type[Unit]) -> None:
    files = {
        "m/main.tf": 'resource "aws_sqs_queue" "a" {}\nresource "aws_sqs_queue" "b" {\n'
        "  provider = aws.other\n}\n"
    }
    here = unit(files, directory="m", is_root=False)
    regions = [here.resource(f"aws_sqs_queue.{name}").region for name in "ab"]
    assert [region.reason for region in regions if isinstance(region, Unknown)] == [
        Reason.CALLER,
        Reason.CALLER,
    ]


def test_a_default_provider_elsewhere_in_a_file_counts(unit: type[Unit]) -> None:
    here = unit({"a.tf": 'resource "aws_sqs_queue" "a" {}\n', "z.tf": AWS})
    assert here.region("aws_sqs_queue.a") == "eu-west-1"


# What is around resources


def test_a_backend(unit: type[Unit]) -> None:
    here = unit('terraform {\n  backend "s3" {\n    region = "eu-west-1"\n  }\n}\n')
    (backend,) = here.evaluated.backends
    assert (backend.kind, here.plain(backend.region)) == ("s3", "eu-west-1")


def test_settings_name_where_values_are_written(unit: type[Unit]) -> None:
    here = unit(
        {
            "main.tf": 'variable "d" { default = 1 }\nlocals {\n  l = 2\n}\n'
            'module "m" {\n  source = "./m"\n  i = 3\n}\n',
            "m/main.tf": 'variable "i" {}\n',
            "terraform.tfvars": "d = 4\n",
        }
    )
    assert {("local", "l", 2), ("default", "d", 1), ("input", "i", 3), ("tfvars", "d", 4)} == {
        (s.kind, s.name, here.plain(s.value)) for s in here.evaluated.settings
    }


def test_a_missed_lookup_is_recorded(unit: type[Unit]) -> None:
    here = unit(
        'locals {\n  m = { eu-west-1 = 1 }\n  region = "us-east-1"\n  x = local.m[local.region]\n'
        "  y = try(local.m[local.region], 0)\n  z = lookup(local.m, local.region, 0)\n}\n"
    )
    assert [
        (found.mapping_text, found.keys, here.plain(found.key)) for found in here.evaluated.lookups
    ] == [("local.m", ("eu-west-1",), "us-east-1")]


def test_merges_and_fan_outs_are_recorded(unit: type[Unit]) -> None:
    here = unit(
        'variable "a" {}\nlocals {\n  m = merge(var.a, local.b[var.a])\n  b = {}\n'
        "  f = { for k in var.a : k => local.b }\n  g = { for k in var.a : k => k }\n}\n"
    )
    (merge,) = here.evaluated.layerings
    assert [layer.words for layer in merge.operands] == [("var", "a"), ("local", "b")]
    assert [found.owner for found in here.evaluated.fan_outs] == ["local.f"]


# Budgets


def test_locals_that_double_end_in_time(unit: type[Unit]) -> None:
    """1.2 kB of text that would be 2 ** 60 elements."""
    lines = ['n0 = ["x", "y"]'] + [f"n{i} = [local.n{i - 1}, local.n{i - 1}]" for i in range(1, 40)]
    texts = ['t0 = "xxxxxxxx"'] + [
        f't{i} = "${{local.t{i - 1}}}${{local.t{i - 1}}}"' for i in range(1, 40)
    ]
    started = time.process_time()
    here = unit("locals {\n" + "\n".join(lines + texts) + "\n}\n")
    for value in (here.value("n39"), here.value("t39")):
        assert {Reason.BUDGET} == {v.reason for v in walk(value) if isinstance(v, Unknown)}
        assert value.size < MAX_SIZE
    assert here.evaluated is not None
    assert time.process_time() - started < 5


def test_locals_that_double_by_functions_end_in_time(unit: type[Unit]) -> None:
    kinds = {
        "c": ('["x"]', "concat(local.{0}, local.{0})"),
        "j": ('"xxxxxxxx"', "join(local.{0}, [local.{0}, local.{0}])"),
        "f": ('[["x"]]', "[for a in local.{0} : local.{0}]"),
        "e": ('"x"', "jsonencode([local.{0}, local.{0}])"),
        "o": ("var.o", "var.o == local.{0} ? local.{0} : [local.{0}]"),
        "r": ('"xxxxxxxx"', 'replace(local.{0}, "x", local.{0})'),
        "s": ("[1, 2]", "setproduct(local.{0}, local.{0})"),
        "p": ("10", "pow(local.{0}, 10)"),
        "h": ("var.o", '"${{local.{0}}}${{local.{0}}}"'),
    }
    lines = []
    for name, (first, again) in kinds.items():
        lines.append(f"{name}0 = {first}")
        lines += [f"{name}{i} = {again.format(f'{name}{i - 1}')}" for i in range(1, 40)]
    started = time.process_time()
    here = unit('variable "o" {}\nlocals {\n' + "\n".join(lines) + "\n}\n")
    values = {setting.name: setting.value for setting in here.evaluated.settings}
    assert all(values[f"{name}39"].size <= MAX_SIZE for name in kinds)
    assert time.process_time() - started < 20


NAMES = 'flatten([for a in range(100) : [for b in range(100) : "${a}-${b}"]])'
LARGE = f"{{ for i in {NAMES} : i => {{ name = i }} }}"


def test_lists_that_double_again_and_again_spend_the_budget(unit: type[Unit]) -> None:
    lines = []
    for name in range(60):
        lines.append(f'c{name}_0 = ["x"]')
        lines += [
            f"c{name}_{i} = concat(local.c{name}_{i - 1}, local.c{name}_{i - 1})"
            for i in range(1, 18)
        ]
    started = time.process_time()
    here = unit("locals {\n" + "\n".join(lines) + "\n}\n")
    assert [failure.kind for failure in here.evaluated.failures] == [FailureKind.LIMIT]
    assert time.process_time() - started < 30


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        ("each.key", "<RANGE each of 10000 elements>"),
        ("each.value.name", "<RANGE each of 10000 elements>"),
        ('"same"', "same"),
    ],
)
def test_a_large_for_each_costs_no_analysis_of_each_element(
    unit: type[Unit], use: str, expected: str
) -> None:
    here = unit(
        f"locals {{\n  all = {LARGE}\n}}\n"
        f'resource "x_y" "z" {{\n  for_each = local.all\n  a = {use}\n}}\n'
    )
    assert len(here.local("all")) == 10_000
    assert expected == here.argument("x_y.z", "a")
    assert len(here.resources("x_y.z")) == 1


def test_a_large_repetition_of_a_module_is_one_instance(unit: type[Unit]) -> None:
    here = unit(
        {
            "main.tf": f'module "m" {{\n  source   = "./m"\n  for_each = {LARGE}\n'
            "  a = each.value\n}\n",
            "m/main.tf": 'variable "a" {}\nresource "x_y" "z" {\n  a = var.a\n}\n',
        }
    )
    assert len(here.resources("module.m.x_y.z")) == 1


def test_a_large_dynamic_block_is_one_body(unit: type[Unit]) -> None:
    here = unit(
        'resource "x_y" "z" {\n  dynamic "rule" {\n    for_each = range(1000)\n'
        '    content {\n      n = rule.value\n      t = "tcp"\n    }\n  }\n}\n'
    )
    assert here.argument("x_y.z", "rule") == [
        {"n": "<RANGE each of 1000 elements>", "t": "tcp"},
        ...,
    ]


def test_a_long_chain_of_locals_never_raises(unit: type[Unit]) -> None:
    lines = ["n0 = 0"] + [f"n{i} = local.n{i - 1}" for i in range(1, 5001)]
    here = unit("locals {\n" + "\n".join(lines) + "\n}\n")
    started = time.process_time()
    assert here.evaluated is not None
    assert time.process_time() - started < 20
    last = unit("locals {\n" + "\n".join(lines) + "\n}\n").value("n5000")
    assert not isinstance(last, Unknown) or Reason.BUDGET is last.reason


def test_deep_modules_end_with_a_failure(unit: type[Unit]) -> None:
    here = unit(nested(40))
    assert "<EXTERNAL_MODULE" in here.local("o")
    failures = [failure.kind for failure in here.evaluated.failures]
    assert FailureKind.LIMIT in failures


def test_many_module_instances_end_with_a_failure(unit: type[Unit]) -> None:
    """Each level calls the next ten times with different inputs: 10 ** 6 instances."""
    files = {"main.tf": 'module "m" {\n  source = "./m1"\n  i = 0\n}\n'}
    for level in range(1, 7):
        inner = "".join(
            f'module "c{n}" {{\n  source = "../m{level + 1}"\n  i = "${{var.i}}{n}"\n}}\n'
            for n in range(10)
        )
        files[f"m{level}/main.tf"] = 'variable "i" {}\n' + inner
    files["m7/main.tf"] = 'variable "i" {}\nresource "x_y" "z" {\n  a = var.i\n}\n'
    started = time.process_time()
    here = unit(files)
    assert FailureKind.LIMIT in [failure.kind for failure in here.evaluated.failures]
    assert time.process_time() - started < 20


def test_a_spent_budget_is_a_failure(unit: type[Unit], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terraform, "Budget", lambda: Budget(20_000))
    loops = "[for a in range(100) : [for b in range(100) : [for c in range(100) : 1]]]"
    here = unit(f'locals {{\n  it = {loops}\n}}\nresource "x_y" "z" {{\n  a = local.it\n}}\n')
    assert [failure.kind for failure in here.evaluated.failures] == [FailureKind.LIMIT]
