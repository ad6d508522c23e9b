"""Override files, by Terraform's own rules (language documentation, "Override Files")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from blastdoor.units import is_override

if TYPE_CHECKING:
    from tests.evaluate.conftest import Unit

MAIN = """\
resource "aws_instance" "web" {
  ami           = "ami-main"
  instance_type = "t2.micro"
  lifecycle {
    prevent_destroy = true
    ignore_changes  = [tags]
  }
  root_block_device {
    size = 1
  }
  ebs_block_device {
    size = 2
  }
  ebs_block_device {
    size = 3
  }
}
"""


def overridden(unit: type[Unit], text: str, **more: str) -> Unit:
    others = {name.replace("__", "."): body for name, body in more.items()}
    return unit({"main.tf": MAIN, "override.tf": text, **others})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("override.tf", True),
        ("override.tf.json", True),
        ("x_override.tf", True),
        ("x_override.tf.json", True),
        ("override.tofu", True),
        ("_override.tf", True),
        ("myoverride.tf", False),
        ("override_x.tf", False),
        ("override.tfvars", False),
        ("overrides.tf", False),
        ("x-override.tf", False),
        ("override.tf.txt", False),
    ],
)
def test_names(name: str, expected: bool) -> None:  # noqa: FBT001
    assert expected is is_override(name)


def test_an_argument_takes_the_place_of_the_same_argument(unit: type[Unit]) -> None:
    here = overridden(unit, 'resource "aws_instance" "web" {\n  ami = "ami-over"\n}\n')
    assert [here.argument("aws_instance.web", name) for name in ("ami", "instance_type")] == [
        "ami-over",
        "t2.micro",
    ]


def test_an_argument_can_be_added(unit: type[Unit]) -> None:
    here = overridden(unit, 'resource "aws_instance" "web" {\n  tags = { a = 1 }\n}\n')
    assert here.argument("aws_instance.web", "tags") == {"a": 1}
    assert "tags" in here.resource("aws_instance.web").names()


def test_nested_blocks_replace_all_of_their_type(unit: type[Unit]) -> None:
    here = overridden(
        unit, 'resource "aws_instance" "web" {\n  ebs_block_device {\n    size = 9\n  }\n}\n'
    )
    assert [
        here.argument("aws_instance.web", name)
        for name in ("ebs_block_device", "root_block_device")
    ] == [[{"size": 9}], [{"size": 1}]]


def test_lifecycle_is_merged_argument_by_argument(unit: type[Unit]) -> None:
    here = overridden(
        unit,
        'resource "aws_instance" "web" {\n  lifecycle {\n    prevent_destroy = false\n  }\n}\n',
    )
    assert here.argument("aws_instance.web", "lifecycle") == [
        {"prevent_destroy": False, "ignore_changes": ["tags"]}
    ]


def test_a_dynamic_block_replaces_the_blocks_it_makes(unit: type[Unit]) -> None:
    """Terraform: a block of a type replaces all blocks of it, written out or dynamic."""
    here = overridden(
        unit,
        'resource "aws_instance" "web" {\n  dynamic "ebs_block_device" {\n    for_each = [7]\n'
        "    content {\n      size = ebs_block_device.value\n    }\n  }\n}\n",
    )
    assert here.argument("aws_instance.web", "ebs_block_device") == [{"size": 7}]


def test_a_block_replaces_the_dynamic_block_that_makes_its_type(unit: type[Unit]) -> None:
    here = unit(
        {
            "main.tf": 'resource "x_y" "z" {\n  dynamic "rule" {\n    for_each = [1]\n'
            "    content {\n      n = 1\n    }\n  }\n"
            '  dynamic "other" {\n    for_each = [1]\n    content {\n      n = 2\n    }\n  }\n}\n',
            "override.tf": 'resource "x_y" "z" {\n  rule {\n    n = 9\n  }\n}\n',
        }
    )
    assert [here.argument("x_y.z", name) for name in ("rule", "other")] == [[{"n": 9}], [{"n": 2}]]


def test_a_dynamic_block_of_one_type_leaves_those_of_another(unit: type[Unit]) -> None:
    here = unit(
        {
            "main.tf": 'resource "x_y" "z" {\n  dynamic "rule" {\n    for_each = [1]\n'
            "    content {\n      n = 1\n    }\n  }\n}\n",
            "override.tf": 'resource "x_y" "z" {\n  dynamic "other" {\n    for_each = [1]\n'
            "    content {\n      n = 2\n    }\n  }\n}\n",
        }
    )
    assert [here.argument("x_y.z", name) for name in ("rule", "other")] == [[{"n": 1}], [{"n": 2}]]


def test_files_are_laid_on_top_in_the_order_of_their_names(unit: type[Unit]) -> None:
    files = {"main.tf": "locals {\n  a = 0\n}\n"}
    for name in ("b_override.tf", "a_override.tf", "override.tf"):
        files[name] = f'locals {{\n  a = "{name}"\n}}\n'
    assert unit(files).local("a") == "override.tf"


def test_locals_are_overridden_one_by_one_wherever_they_stand(unit: type[Unit]) -> None:
    here = unit(
        {
            "a.tf": "locals {\n  a = 1\n  b = local.a\n}\n",
            "b.tf": "locals {\n  c = 3\n}\n",
            "override.tf": "locals {\n  a = 10\n  c = 30\n}\n",
        }
    )
    assert [here.local(name) for name in "abc"] == [10, 10, 30]


@pytest.mark.parametrize(
    ("main", "override", "expected"),
    [
        ('variable "v" {\n  default = 1\n}\n', 'variable "v" {\n  default = 2\n}\n', 2),
        ('variable "v" {\n  type = string\n  default = "x"\n}\n',
         'variable "v" {\n  default = 2\n}\n', "2"),
        ('variable "v" {}\n', 'variable "v" {\n  default = "d"\n}\n', "d"),
        ('variable "v" {\n  default = "1"\n}\n', 'variable "v" {\n  type = number\n}\n', 1),
    ],
)  # fmt: skip
def test_variables(unit: type[Unit], main: str, override: str, expected: object) -> None:
    assert expected == unit({"main.tf": main, "override.tf": override}).variable("v")


def test_a_module_call_keeps_what_is_not_overridden(unit: type[Unit]) -> None:
    here = unit(
        {
            "main.tf": 'module "m" {\n  source = "./m"\n  a = 1\n  b = 2\n}\n',
            "override.tf": 'module "m" {\n  source = "./n"\n  b = 3\n}\n',
            "m/main.tf": 'variable "a" {}\nvariable "b" {}\nresource "x_y" "m" {}\n',
            "n/main.tf": 'variable "a" {}\nvariable "b" {}\nresource "x_y" "n" {\n'
            "  it = [var.a, var.b]\n}\n",
        }
    )
    assert here.argument("module.m.x_y.n", "it") == [1, 3]


def test_an_output(unit: type[Unit]) -> None:
    here = unit(
        {
            "main.tf": 'module "m" { source = "./m" }\nlocals {\n  o = module.m.o\n}\n',
            "m/main.tf": 'output "o" { value = 1 }\n',
            "m/override.tf": 'output "o" { value = 2 }\n',
        }
    )
    assert here.local("o") == 2


def test_the_provider_of_the_same_alias(unit: type[Unit]) -> None:
    here = unit(
        {
            "main.tf": 'provider "aws" {\n  region = "eu-west-1"\n}\n'
            'provider "aws" {\n  alias = "b"\n  region = "eu-west-2"\n}\n',
            "override.tf": 'provider "aws" {\n  alias = "b"\n  region = "us-east-1"\n}\n',
        }
    )
    assert [
        here.plain(here.provider(address).region) for address in ("provider.aws", "provider.aws.b")
    ] == ["eu-west-1", "us-east-1"]


def test_a_data_source(unit: type[Unit]) -> None:
    here = unit(
        {
            "main.tf": 'data "x_y" "z" {\n  a = 1\n  b = 2\n}\n',
            "override.tf.json": '{"data": {"x_y": {"z": {"a": 3}}}}\n',
        }
    )
    assert [here.argument("data.x_y.z", name) for name in "ab"] == [3, 2]


def test_terraform_settings(unit: type[Unit]) -> None:
    """A backend in an override file takes the place of the one before."""
    here = unit(
        {
            "main.tf": 'terraform {\n  backend "s3" {\n    region = "eu-west-1"\n  }\n}\n',
            "override.tf": 'terraform {\n  backend "gcs" {\n    region = "eu"\n  }\n}\n',
        }
    )
    assert [(b.kind, here.plain(b.region)) for b in here.evaluated.backends] == [("gcs", "eu")]


def test_count_and_provider_can_be_overridden(unit: type[Unit]) -> None:
    here = unit(
        {
            "main.tf": 'provider "aws" {\n  alias = "b"\n  region = "eu-west-2"\n}\n'
            'resource "aws_sqs_queue" "q" {\n  count = 2\n  name = "n"\n}\n',
            "override.tf": 'resource "aws_sqs_queue" "q" {\n  count = 1\n  provider = aws.b\n'
            '  name = "n${count.index}"\n}\n',
        }
    )
    assert [
        (here.plain(one.get("name")), here.plain(one.region))
        for one in here.resources("aws_sqs_queue.q")
    ] == [("n0", "eu-west-2")]


def test_instances_count_when_only_the_override_mentions_them(unit: type[Unit]) -> None:
    """Whether a block uses its key is seen in what the override file writes, too."""
    here = unit(
        {
            "main.tf": 'resource "x_y" "z" {\n  for_each = { n = 1, m = 2 }\n  name = "n"\n}\n',
            "override.tf": 'resource "x_y" "z" {\n  name = each.key\n}\n',
        }
    )
    assert here.arguments("x_y.z", "name") == ["m", "n"]


def changes(here: Unit) -> list[tuple[Any, ...]]:
    return [
        (c.target, c.attribute, c.before, c.after, c.target_type) for c in here.evaluated.overrides
    ]


def test_every_change_is_told(unit: type[Unit]) -> None:
    here = overridden(
        unit,
        'resource "aws_instance" "web" {\n  ami = "ami-over"\n  tags = {}\n'
        "  lifecycle {\n    prevent_destroy = false\n  }\n"
        "  root_block_device {\n    size = 5\n  }\n}\n"
        "locals {\n  new = 1\n}\n"
        'provider "aws" {\n  region = "us-east-1"\n}\n',
        b_override__tf='resource "aws_instance" "web" {\n  ami = "ami-last"\n}\n',
    )
    assert [c for c in changes(here) if c[1] in ("ami", "")] == [
        ("aws_instance.web", "ami", '"ami-main"', '"ami-last"', "aws_instance"),
        ("aws_instance.web", "ami", '"ami-last"', '"ami-over"', "aws_instance"),
        ("local.new", "", "", "1", ""),
    ]
    assert {
        ("aws_instance.web", "tags", "", "{}", "aws_instance"),
        ("aws_instance.web", "lifecycle.prevent_destroy", "true", "false", "aws_instance"),
        ("aws_instance.web", "root_block_device.size", "1", "5", "aws_instance"),
    } <= set(changes(here))


def test_the_override_of_a_child_module_is_told_once(unit: type[Unit]) -> None:
    here = unit(
        {
            "main.tf": 'module "a" {\n  source = "./m"\n  i = 1\n}\n'
            'module "b" {\n  source = "./m"\n  i = 2\n}\n',
            "m/main.tf": 'variable "i" {}\nresource "x_y" "z" {\n  a = var.i\n  b = 1\n}\n',
            "m/override.tf": 'resource "x_y" "z" {\n  b = 2\n}\n',
        }
    )
    assert changes(here) == [("x_y.z", "b", "1", "2", "x_y")]
    assert [here.argument(f"module.{name}.x_y.z", "b") for name in "ab"] == [2, 2]
