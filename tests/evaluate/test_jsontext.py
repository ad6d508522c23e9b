"""JSON within strings: every element of a policy keeps the place where it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from blastdoor.evaluate.jsontext import decode
from blastdoor.value import Known, Many, Mapping, Text, Value

if TYPE_CHECKING:
    from tests.evaluate.conftest import Unit

POLICY = """\
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": ["s3:Get*", "s3:\\u0050ut*"],
      "Resource": "arn:aws:s3:::HOLE/*"
    }
  ]
}
"""


def at(value: Value | None, *path: str | int) -> Value:
    """The value at a path of keys and indices."""
    for step in path:
        if isinstance(step, int):
            assert isinstance(value, Many)
            value = value.items[step]
        else:
            assert isinstance(value, Mapping)
            value = value.get(step)
    assert value is not None
    return value


def place(value: Value) -> tuple[str, int, str]:
    """Path, line and source text of a value."""
    assert value.span is not None
    return value.span.path, value.span.begin.line, value.span.text


ACTION = ("Statement", 0, "Action", 0)
RESOURCE = ("Statement", 0, "Resource")


def test_a_heredoc(unit: type[Unit]) -> None:
    here = unit("locals {\n  it = <<POLICY\n" + POLICY + "POLICY\n}\n")
    found = decode(here.value("it"))
    assert place(at(found, *ACTION)) == ("main.tf", 8, '"s3:Get*"')
    assert place(at(found, *RESOURCE)) == ("main.tf", 9, '"arn:aws:s3:::HOLE/*"')
    assert here.plain(at(found, "Statement", 0, "Action", 1)) == "s3:Put*"


def test_an_indented_heredoc(unit: type[Unit]) -> None:
    text = "".join(f"    {line}\n" for line in POLICY.splitlines())
    here = unit("locals {\n  it = <<-POLICY\n" + text + "  POLICY\n}\n")
    found = decode(here.value("it"))
    action = at(found, *ACTION)
    assert place(action) == ("main.tf", 8, '"s3:Get*"')
    assert action.span is not None
    assert action.span.begin.column == 18 + 4


def test_the_places_of_keys(unit: type[Unit]) -> None:
    here = unit("locals {\n  it = <<POLICY\n" + POLICY + "POLICY\n}\n")
    statement = at(decode(here.value("it")), "Statement", 0)
    assert isinstance(statement, Mapping)
    assert {name: span.begin.line for name, span in statement.key_spans.items()} == {
        "Effect": 7,
        "Action": 8,
        "Resource": 9,
    }
    assert statement.key_spans["Effect"].text == '"Effect"'


def test_a_known_hole_joins_the_text(unit: type[Unit]) -> None:
    text = POLICY.replace("HOLE", "${local.name}")
    here = unit('locals {\n  name = "b"\n  it = <<POLICY\n' + text + "POLICY\n}\n")
    found = decode(here.value("it"))
    assert here.plain(at(found, *RESOURCE)) == "arn:aws:s3:::b/*"
    assert place(at(found, *RESOURCE))[0] == "main.tf"
    assert place(at(found, *RESOURCE))[1] == 9 + 1
    assert place(at(found, *ACTION)) == ("main.tf", 9, '"s3:Get*"')


def test_a_hole_within_a_string(unit: type[Unit]) -> None:
    text = POLICY.replace("HOLE", "${var.name}")
    here = unit('variable "name" {}\nlocals {\n  it = <<POLICY\n' + text + "POLICY\n}\n")
    found = decode(here.value("it"))
    resource = at(found, *RESOURCE)
    assert isinstance(resource, Text)
    assert here.plain(resource) == "arn:aws:s3:::{<NO_VALUE var.name>}/*"
    assert place(resource) == ("main.tf", 10, '"arn:aws:s3:::${var.name}/*"')


@pytest.mark.parametrize(
    ("hole", "expected"),
    [
        ("${var.name}", "<NO_VALUE var.name>"),
        ("${jsonencode(var.name)}", "<NO_VALUE var.name>"),
        ('${jsonencode(["a", var.name])}', ["a", "<NO_VALUE var.name>"]),
        ('${jsonencode(["a", "b"])}', ["a", "b"]),
        ('"${var.name}"', "<NO_VALUE var.name>"),
        ('"${join(",", ["a", "b"])}"', "a,b"),
        ('["x", ${var.name}]', ["x", "<NO_VALUE var.name>"]),
        ('"a\\"${var.name}"', 'a"{<NO_VALUE var.name>}'),
        ('"${var.name}${var.name}"', "{<NO_VALUE var.name>}{<NO_VALUE var.name>}"),
        ('{"${var.name}": 1, "b": 2}', {"b": 2, ...: ...}),
        ('"$${aws:username}"', "${aws:username}"),
    ],
)
def test_holes(unit: type[Unit], hole: str, expected: object) -> None:
    here = unit('variable "name" {}\nlocals {\n  it = <<X\n{"a": 1, "hole": ' + hole + "}\nX\n}\n")
    assert {"a": 1, "hole": expected} == here.plain(decode(here.value("it")))


@pytest.mark.parametrize(
    "text",
    ['"no json"', '"{"', '"[1,"', '"{\\"a\\": }"', "1", "null", "var.name", '"x${var.name}"', '""'],
)
def test_what_is_no_json_is_none(unit: type[Unit], text: str) -> None:
    here = unit(f'variable "name" {{}}\nlocals {{\n  it = {text}\n}}\n')
    assert None is decode(here.value("it"))


def test_jsonencode_needs_no_parser(unit: type[Unit]) -> None:
    here = unit('locals {\n  it = jsonencode({\n    Action = ["s3:Get*"]\n  })\n}\n')
    found = decode(here.value("it"))
    assert place(at(found, "Action", 0)) == ("main.tf", 3, '"s3:Get*"')
    assert isinstance(found, Mapping)
    assert found.key_spans["Action"].text == "Action"


def test_a_file(unit: type[Unit]) -> None:
    files = {
        "main.tf": 'locals {\n  it = file("${path.module}/policies/p.json")\n}\n',
        "policies/p.json": POLICY,
    }
    here = unit(files)
    found = decode(here.value("it"))
    assert place(at(found, *ACTION)) == ("policies/p.json", 6, '"s3:Get*"')
    assert "policies/p.json" in here.program.inputs


def test_a_file_of_a_module_is_read_from_the_root(unit: type[Unit]) -> None:
    files = {
        "live/main.tf": 'module "m" { source = "../m" }\nlocals {\n  it = module.m.it\n'
        "  other = module.m.other\n}\n",
        "m/main.tf": 'output "it" { value = file("${path.module}/p.json") }\n'
        'output "other" { value = file("p.json") }\n',
        "m/p.json": POLICY,
    }
    here = unit(files, directory="live")
    found = decode(here.value("it"))
    assert place(at(found, *ACTION))[0] == "m/p.json"
    assert here.local("other") == "<OUTSIDE_FILE p.json>"


@pytest.mark.parametrize("path", ["../p.json", "/etc/passwd", "none.json", "a/../../p.json"])
def test_a_file_outside_is_not_read(unit: type[Unit], path: str) -> None:
    here = unit({"main.tf": f'locals {{\n  it = file("{path}")\n}}\n', "p.json": POLICY})
    assert f"<OUTSIDE_FILE {path}>" == here.local("it")


def test_a_template_file(unit: type[Unit]) -> None:
    files = {
        "main.tf": 'variable "open" {}\nlocals {\n'
        '  it = templatefile("p.tftpl", { name = var.open, actions = ["a", "b"] })\n}\n',
        "p.tftpl": POLICY.replace("HOLE", "${name}").replace(
            '["s3:Get*", "s3:\\u0050ut*"]', "${jsonencode(actions)}"
        ),
    }
    here = unit(files)
    found = decode(here.value("it"))
    resource = at(found, *RESOURCE)
    assert here.plain(resource) == "arn:aws:s3:::{<NO_VALUE var.open>}/*"
    assert place(resource) == ("p.tftpl", 7, '"arn:aws:s3:::${name}/*"')
    assert here.plain(at(found, "Statement", 0, "Action")) == ["a", "b"]
    assert place(at(found, *ACTION)) == ("main.tf", 3, '"a"')


def test_a_template_file_knows_only_its_variables(unit: type[Unit]) -> None:
    files = {
        "main.tf": 'locals {\n  secret = "x"\n  it = templatefile("p.tftpl", {})\n}\n',
        "p.tftpl": "${local.secret}-${path.module}\n",
    }
    assert "x" not in str(unit(files).local("it"))


def test_a_template_with_a_loop(unit: type[Unit]) -> None:
    files = {
        "main.tf": 'locals {\n  it = templatefile("p.tftpl", { names = ["a", "b"] })\n}\n',
        "p.tftpl": '["x"%{ for n in names },\n  "arn:${n}"%{ endfor }]\n',
    }
    here = unit(files)
    found = decode(here.value("it"))
    assert here.plain(found) == ["x", "arn:a", "arn:b"]
    assert place(at(found, 0))[:2] == ("p.tftpl", 1)


def test_the_chain_of_the_text_goes_to_its_parts(unit: type[Unit]) -> None:
    here = unit("locals {\n  p = <<POLICY\n" + POLICY + "POLICY\n  it = local.p\n}\n")
    action = at(decode(here.value("it")), *ACTION)
    assert "local.p" in [evidence.text for evidence in action.via]
    assert isinstance(action, Known)


def test_a_long_text_is_decoded_again_with_its_own_chain(unit: type[Unit]) -> None:
    long = POLICY.replace("s3:Get*", "s3:Get" + "x" * 600)
    here = unit(
        "locals {\n  p = <<POLICY\n" + long + "POLICY\n  one = local.p\n  two = local.p\n}\n"
    )
    one, two = decode(here.value("one")), decode(here.value("two"))
    assert one is not None
    assert two is not None
    assert here.plain(one) == here.plain(two)
    assert "local.two" in [evidence.text for evidence in two.via]
    assert "local.two" not in [evidence.text for evidence in one.via]


def test_deep_json_is_none_or_unknown(unit: type[Unit]) -> None:
    deep = "[" * 5000 + "]" * 5000
    here = unit({"main.tf": 'locals {\n  it = file("p.json")\n}\n', "p.json": deep})
    found = decode(here.value("it"))
    assert found is None or not found.resolved
