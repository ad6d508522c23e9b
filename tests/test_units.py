"""Which files make one unit: roots, callers, variants, installed modules, what is read at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from blastdoor.context import is_demo
from blastdoor.finding import FailureKind
from blastdoor.source import Memory
from blastdoor.units import Repository, is_automatic, is_configuration, is_variables

if TYPE_CHECKING:
    from collections.abc import Mapping

MODULE = 'variable "a" {}\nresource "x_y" "z" {}\noutput "o" { value = 1 }\n'
BACKEND = 'terraform {\n  backend "s3" {}\n}\n'
PROVIDER = 'provider "aws" {}\n'


def repository(files: Mapping[str, str]) -> Repository:
    source = Memory(files)
    return Repository(source, list(source.files()))


def call(source: str) -> str:
    return f'module "m" {{\n  source = "{source}"\n}}\n'


@pytest.mark.parametrize(
    ("name", "configuration", "variables", "automatic"),
    [
        ("main.tf", True, False, False),
        ("main.tf.json", True, False, False),
        ("main.tofu", True, False, False),
        ("main.tofu.json", True, False, False),
        ("terraform.tfvars", False, True, True),
        ("terraform.tfvars.json", False, True, True),
        ("x.auto.tfvars", False, True, True),
        ("x.auto.tfvars.json", False, True, True),
        ("prod.tfvars", False, True, False),
        ("prod.tfvars.json", False, True, False),
        ("main.tf.bak", False, False, False),
        ("terragrunt.hcl", False, False, False),
    ],
)
def test_names(
    name: str,
    configuration: bool,  # noqa: FBT001
    variables: bool,  # noqa: FBT001
    automatic: bool,  # noqa: FBT001
) -> None:
    assert (configuration, variables, automatic) == (
        is_configuration(name),
        is_variables(name),
        is_automatic(name),
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("examples/a", True),
        ("a/Test", True),
        ("modules/x/fixtures", True),
        ("demo", True),
        ("testing", False),
        ("a/contest", False),
        ("latest", False),
        (".", False),
        ("", False),
    ],
)
def test_demo_folders(path: str, expected: bool) -> None:  # noqa: FBT001
    assert expected is is_demo(path)


# Roots


def roots(files: Mapping[str, str]) -> dict[str, bool]:
    """Every root and whether its variables have values."""
    found = repository(files)
    return {directory: found.root(directory).is_root for directory in found.roots()}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"main.tf": ""}, {".": True}),
        ({"main.tf": BACKEND + MODULE}, {".": True}),
        ({"main.tf": PROVIDER + MODULE}, {".": True}),
        ({"main.tf": MODULE}, {".": False}),
        ({"main.tf": MODULE, ".terraform.lock.hcl": ""}, {".": True}),
        ({"main.tf": MODULE, "terraform.tfvars": "a = 1\n"}, {".": True}),
        ({"main.tf": MODULE, "prod.tfvars": "a = 1\n"}, {".": False}),
        ({"main.tf": "terraform {\n  cloud {}\n}\n" + MODULE}, {".": True}),
        ({"main.tf": 'resource "x_y" "z" {}\n'}, {".": True}),
        ({"modules/net/main.tf": 'resource "x_y" "z" {}\n'}, {"modules/net": False}),
        ({"main.tf": "terraform {\n  required_providers {\n    aws = {\n"
          "      configuration_aliases = [aws.x]\n    }\n  }\n}\n"}, {".": False}),
        # What a real directory calls is no root of its own.
        ({"main.tf": call("./m"), "m/main.tf": MODULE}, {".": True}),
        ({"live/main.tf": call("../m"), "m/main.tf": call("../n"), "n/main.tf": MODULE}, {"live": True}),
        # An example does not make a module less of a root.
        ({"main.tf": MODULE, "examples/x/main.tf": call("../..")}, {".": False, "examples/x": True}),
        ({"main.tf": PROVIDER, "examples/x/main.tf": call("../../")}, {".": False, "examples/x": True}),
        # A call that leads nowhere calls no one.
        ({"main.tf": call("./none"), "m/main.tf": 'resource "x_y" "z" {}\n'}, {".": True, "m": True}),
        ({"main.tf": call("../outside")}, {".": True}),
        ({"a.tfvars": "x = 1\n"}, {}),
        ({"main.tf.json": '{"module": {"m": {"source": "./m"}}}', "m/main.tf": MODULE}, {".": True}),
        ({"m/main.tf": MODULE, "terragrunt.hcl": ""}, {"m": False}),
        ({"m/main.tf": PROVIDER, "terragrunt.hcl": ""}, {"m": False}),
        ({"m/main.tf": BACKEND, "terragrunt.hcl": ""}, {"m": True}),
    ],
)  # fmt: skip
def test_roots(files: dict[str, str], expected: dict[str, bool]) -> None:
    assert expected == roots(files)


def test_modules_that_call_one_another_have_no_root() -> None:
    files = {"a/main.tf": call("../b"), "b/main.tf": call("../a")}
    assert roots(files) == {}
    assert repository(files).directories() == ["a", "b"]


def test_a_source_in_a_comment_hides_no_root() -> None:
    """Callers are read from the texts: what is written in a comment is not a call."""
    files = {
        "main.tf": '# module "m" {\n#   source = "./m"\n# }\nresource "x_y" "z" {}\n',
        "m/main.tf": 'resource "x_y" "z" {}\n',
    }
    assert {".", "m"} == set(roots(files))


# Calls


def test_local_calls() -> None:
    found = repository(
        {
            "live/main.tf": 'module "a" { source = "../m" }\nmodule "b" { source = "./sub" }\n'
            'module "c" { source = "x/y/z" }\nmodule "d" { source = "../none" }\n'
            'module "e" { source = "../../outside" }\nmodule "f" { source = var.x }\n',
            "m/main.tf": MODULE,
            "live/sub/main.tf": MODULE,
        }
    )
    assert found.local_calls("live") == [("a", "m"), ("b", "live/sub")]


def installed(rows: object) -> dict[str, str]:
    return {
        "live/main.tf": 'module "net" {\n  source = "terraform-aws-modules/vpc/aws"\n}\n',
        "live/.terraform/modules/modules.json": json.dumps(rows),
        "live/.terraform/modules/net/main.tf": MODULE,
    }


def test_an_installed_module_is_read() -> None:
    rows = {"Modules": [{"Key": "", "Dir": "."}, {"Key": "net", "Dir": ".terraform/modules/net"}]}
    source = Memory(installed(rows))
    # Discovery on disk lists nothing below .terraform.
    found = Repository(source, [e for e in source.files() if ".terraform/" not in e.path])
    assert found.local_calls("live") == [("net", "live/.terraform/modules/net")]
    module = found.module("live/.terraform/modules/net")
    assert module is not None
    assert list(module.variables) == ["a"]
    assert found.roots() == ["live"]


@pytest.mark.parametrize(
    "rows",
    [
        {"Modules": [{"Key": "net", "Dir": "../../outside"}]},
        {"Modules": [{"Key": "net", "Dir": "/etc"}]},
        {"Modules": [{"Key": "other", "Dir": ".terraform/modules/net"}]},
        {"Modules": []},
    ],
)
def test_a_manifest_that_leads_nowhere(rows: object) -> None:
    assert repository(installed(rows)).local_calls("live") == []


@pytest.mark.parametrize("rows", [[], {"Modules": 1}, {"Modules": [{"Key": "net"}]}, "x", None])
def test_a_manifest_that_cannot_be_read_is_a_failure(rows: object) -> None:
    found = repository(installed(rows))
    assert found.local_calls("live") == []
    assert [failure.kind for failure in found.failures.values()] == [FailureKind.UNREADABLE]


# Variants


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"live/prod.tfvars": "", "live/dev.tfvars": ""}, ["live/dev.tfvars", "live/prod.tfvars"]),
        ({"live/terraform.tfvars": "", "live/x.auto.tfvars": ""}, []),
        ({"live/env/prod.tfvars": ""}, ["live/env/prod.tfvars"]),
        # Terraform reads no automatic file of another folder: there it is a file to choose.
        ({"live/env/terraform.tfvars": ""}, ["live/env/terraform.tfvars"]),
        ({"live/sub/main.tf": "", "live/sub/prod.tfvars": ""}, []),
        ({"live/sub/main.tf": "", "live/sub/env/prod.tfvars": ""}, []),
        ({"prod.tfvars": "", "other/prod.tfvars": ""}, []),
        ({"live/prod.tfvars.json": "{}"}, ["live/prod.tfvars.json"]),
    ],
)
def test_variants(files: dict[str, str], expected: list[str]) -> None:
    assert expected == repository({"live/main.tf": "", **files}).variants("live")


def test_variants_of_the_root_itself() -> None:
    found = repository({"main.tf": "", "env/a.tfvars": "", "sub/main.tf": "", "sub/b.tfvars": ""})
    assert found.variants(".") == ["env/a.tfvars"]


# Reading


def test_tofu_files_take_the_place_of_terraform_files() -> None:
    found = repository(
        {
            "main.tf": "locals {\n  a = 1\n}\n",
            "main.tofu": "locals {\n  b = 1\n}\n",
            "other.tf": "locals {\n  c = 1\n}\n",
        }
    ).module(".")
    assert found is not None
    assert {"b", "c"} == set(found.locals)


def test_a_file_that_does_not_parse_is_a_failure_and_the_rest_is_read() -> None:
    found = repository({"bad.tf": "locals {\n  a = @\n", "good.tf": "locals {\n  b = 1\n}\n"})
    module = found.module(".")
    assert module is not None
    assert "b" in module.locals
    assert {(FailureKind.SYNTAX, "bad.tf")} == {(f.kind, f.path) for f in module.failures}
    assert {"bad.tf"} == {failure.path for failure in found.failures.values()}


def test_a_directory_without_configuration_is_no_module() -> None:
    found = repository({"a/x.tfvars": "x = 1\n"})
    assert (found.module("a"), found.module("none")) == (None, None)


def test_a_module_is_read_once() -> None:
    found = repository({"main.tf": MODULE})
    assert found.module(".") is found.module(".")


def test_json_and_native_syntax_give_the_same_module() -> None:
    native = repository({"main.tf": 'resource "x_y" "z" {\n  a = "${var.b}"\n}\nvariable "b" {}\n'})
    other = repository(
        {"main.tf.json": '{"resource": {"x_y": {"z": {"a": "${var.b}"}}}, "variable": {"b": {}}}'}
    )
    for found in (native.module("."), other.module(".")):
        assert found is not None
        assert (list(found.managed), list(found.variables)) == ([("x_y", "z")], ["b"])


def test_only_what_discovery_found_is_reported() -> None:
    source = Memory({"main.tf": "", "a.tfvars": "", "README.md": ""})
    found = Repository(source, list(source.files()))
    assert {"main.tf", "a.tfvars"} == found.reported
