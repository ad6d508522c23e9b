"""Terragrunt units: what they include, generate and give to their modules, and where it is written."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from blastdoor import catalog, tables
from blastdoor.engine import Options, check
from blastdoor.evaluate import terragrunt
from blastdoor.source import Memory, Tree
from blastdoor.span import written
from blastdoor.units import Repository

if TYPE_CHECKING:
    from collections.abc import Mapping

    from blastdoor.catalog import Rule
    from blastdoor.fact import Evaluated
    from blastdoor.finding import Report

    from .conftest import Unit

MODULE = """
variable "name" { default = "default" }
variable "region" { default = "default" }
resource "aws_sqs_queue" "q" {
  name = var.name
  tags = { region = var.region }
}
"""
ROOT = """
locals {
  region = read_terragrunt_config(find_in_parent_folders("region.hcl"))
}
generate "provider" {
  path      = "provider.tf"
  if_exists = "overwrite_terragrunt"
  contents  = <<EOF
provider "aws" {
  region              = "${local.region.locals.aws_region}"
  allowed_account_ids = ["111111111111"]
}
EOF
}
"""
CHILD = """
include "root" {
  path = find_in_parent_folders("root.hcl")
}
terraform {
  source = "../../modules/queue"
}
"""
UNIT = "live/queue/terragrunt.hcl"
SOURCE = 'terraform {\n  source = "../../modules/queue"\n}\n'
SAO_PAULO = 'provider "aws" {\n  region = "sa-east-1"\n}\n'
LIVE = {
    "modules/queue/main.tf": MODULE,
    "live/root.hcl": ROOT,
    "live/region.hcl": 'locals {\n  aws_region = "eu-west-1"\n}\n',
    "live/queue/terragrunt.hcl": CHILD,
}


class Live:
    """A repository in memory with its units."""

    def __init__(self, plain: Any, files: Mapping[str, str]) -> None:
        self.plain = plain
        self.source = Memory(files)
        self.repository = Repository(self.source, list(self.source.files()))
        self.estate = terragrunt.survey(self.repository)
        self.repository.adopt(self.estate.callers(), external=self.estate.external)
        self.units = {unit.directory: unit for unit in self.estate.units}

    def evaluated(self, directory: str = "live/queue") -> Evaluated:
        return terragrunt.evaluate_unit(
            self.repository,
            self.units[directory],
            no_region=tables.locations().aws_without_region,
        )

    def providers(self, directory: str = "live/queue") -> dict[str, Any]:
        found = self.evaluated(directory).providers
        return {provider.address: self.plain(provider.region) for provider in found}

    def argument(self, name: str, directory: str = "live/queue") -> Any:
        (found,) = [r for r in self.evaluated(directory).resources if r.type == "aws_sqs_queue"]
        return self.plain(found.get(name))

    def inputs(self, directory: str = "live/queue") -> dict[str, Any]:
        found = self.evaluated(directory).settings
        return {s.name: self.plain(s.value) for s in found if s.kind == "tfvars"}

    def failures(self, directory: str = "live/queue") -> list[tuple[str, str]]:
        return [(f.path, f.message) for f in self.evaluated(directory).failures]


@pytest.fixture
def live(unit: type[Unit]) -> Any:
    """Builds a repository: the plain one with some files in place of its own or beside them."""

    def make(files: Mapping[str, str] | None = None, **named: str) -> Live:
        names = {"root": "live/root.hcl", "child": "live/queue/terragrunt.hcl"}
        return Live(
            unit.plain, {**LIVE, **(files or {}), **{names[n]: t for n, t in named.items()}}
        )

    return make


@cache
def rules() -> tuple[Rule, ...]:
    return tuple(catalog.load())


def run(files: Mapping[str, str], *select: str) -> Report:
    return check(Memory(files), rules(), Options(select=frozenset(select)))


def said(report: Report) -> list[tuple[str, str, int]]:
    return [(f.rule, f.span.path, f.span.begin.line) for f in report.findings]


def inputs(body: str) -> str:
    """A unit that gives what is told to its module."""
    return f"{CHILD}inputs = {{\n{body}\n}}\n"


# The unit as a whole


def test_the_generated_provider_decides(live: Any) -> None:
    unit = live().evaluated()
    (provider,) = unit.providers
    (queue,) = unit.resources

    assert [
        live().plain(value) for value in (provider.region, provider.account, provider.partition)
    ] == ["eu-west-1", "111111111111", "aws"]
    assert queue.provider is provider
    assert (unit.address, unit.external_region, unit.failures) == ("live/queue", False, [])


def test_a_value_knows_where_it_is_written(live: Any) -> None:
    """The chain leads from the region's file over the local to the generated block."""
    (provider,) = live().evaluated().providers
    value = provider.region

    assert str(value.span) == "live/region.hcl:2"
    assert [(e.step.value, e.span.path) for e in value.via if e.step.value != "attribute"] == [
        ("local", "live/region.hcl"),
        ("local", "live/root.hcl"),
        ("module input", "live/region.hcl"),
    ]
    assert provider.span.path == "live/queue/provider.tf"
    assert (
        written(provider.span).path,
        written(provider.span).text,
    ) == ("live/root.hcl", 'provider "aws"')
    assert written(provider.region_span).text == '"${local.region.locals.aws_region}"'


def test_units_and_what_is_none(live: Any) -> None:
    found = live(
        {
            "live/terragrunt.hcl": "",
            "own/terragrunt.hcl": "",
            "own/main.tf": MODULE,
            "alone/terragrunt.hcl": "",
            "json/terragrunt.hcl.json": "{}",
            "t/.boilerplate/terragrunt.hcl": "{{ .Source }}",
            "s/terragrunt.stack.hcl": "",
        },
        child=CHILD.replace('"root"', "").replace('"root.hcl"', ""),
    )

    assert {directory: unit.module for directory, unit in found.units.items()} == {
        "live/queue": "modules/queue",
        "own": "own",
    }
    assert dict(found.estate.skipped) == {
        "Terragrunt configuration in JSON": 1,
        "Terragrunt configuration without a module": 1,
        "Terragrunt stack (its units are not generated)": 1,
        "Terragrunt template": 1,
    }


def test_units_of_a_catalog_wait_for_a_stack(live: Any) -> None:
    unit = 'include "root" {\n  path = find_in_parent_folders("none.hcl")\n}\n'
    found = live({"units/a/terragrunt.hcl": f"{unit}inputs = {{ name = values.name }}\n"})
    assert list(found.units) == ["live/queue"]
    assert found.repository.external
    values = {"units/a/terragrunt.values.hcl": 'name = "x"\n', "units/a/main.tf": MODULE}
    unit = 'inputs = { name = values.name }\nprovider = "values.yaml"\n'
    found = live({"units/a/terragrunt.hcl": unit, **values})
    assert found.argument("name", "units/a") == "x"
    assert not found.repository.external


def test_a_stack_says_what_it_gives() -> None:
    stack = """
unit "queue" {
  source = "git::https://git.example.com/catalog.git//units/queue"
  path   = "queue"
  values = {
    region_overrides = {
      "cn-north-1" = { drain = false }
      "*"          = { drain = true }
    }
  }
}
"""
    report = run({"live/terragrunt.stack.hcl": stack}, "wildcard-override-key")
    assert said(report) == [("wildcard-override-key", "live/terragrunt.stack.hcl", 8)]
    assert report.skipped["Terragrunt stack (its units are not generated)"] == 1


@pytest.mark.parametrize(
    ("source", "module"),
    [
        ('"../../modules/queue"', "modules/queue"),
        ('"../../modules//queue"', "modules/queue"),
        ('"../..//modules/queue?ref=v1"', "modules/queue"),
        ('"${get_repo_root()}//modules/queue"', "modules/queue"),
        ('"${get_path_to_repo_root()}//modules/queue"', "modules/queue"),
        ('"${get_terragrunt_dir()}/../../modules/queue"', "modules/queue"),
        (
            '"${dirname(find_in_parent_folders("root.hcl"))}/../modules/${basename(get_terragrunt_dir())}"',
            "modules/queue",
        ),
        ('"${get_parent_terragrunt_dir()}/../modules/queue"', "modules/queue"),
        (
            '"${path_relative_from_include()}/../modules//${path_relative_to_include()}"',
            "modules/queue",
        ),
        ('"../../modules/queue?ref=${get_env("REF")}"', "modules/queue"),
        (
            'get_env("X") == "" ? "../../modules/queue" : "git::https://git.example.com/m.git"',
            "modules/queue",
        ),
        ('"git::https://git.example.com/m.git//modules/queue?ref=v1"', None),
        ('"git@git.example.com:m.git//modules/queue"', None),
        ('"github.com/example/m//modules/queue"', None),
        ('"tfr:///terraform-aws-modules/vpc/aws?version=3.3.0"', None),
        ('"../../../modules/queue"', None),
        ('"/modules/queue"', None),
        ('"../../modules/${get_env("NAME")}"', None),
        ('"../../modules/none"', None),
    ],
)
def test_sources(live: Any, source: str, module: str | None) -> None:
    child = CHILD.replace('"../../modules/queue"', source)
    found = live(child=child)

    assert [module] == [unit.module for unit in found.estate.units]
    assert (0 if module else 1) == sum(found.estate.skipped.values())
    assert found.providers() == {"provider.aws": "eu-west-1"}


def test_files_beside_the_configuration_go_into_the_module(live: Any) -> None:
    found = live({"live/queue/extra.tf": 'resource "aws_sns_topic" "t" {}\n'})

    assert {"aws_sqs_queue.q", "aws_sns_topic.t"} == {
        r.address for r in found.evaluated().resources
    }
    assert found.repository.roots() == []


def test_modules_of_units_are_no_roots(live: Any) -> None:
    other = {"modules/other/main.tf": 'variable "a" {}\noutput "b" { value = 1 }\n'}
    assert live(other).repository.roots() == ["modules/other"]
    # A unit whose module is elsewhere may run any directory here at another revision.
    root = {"stack/main.tf": 'provider "aws" {}\n'}
    assert live(root).repository.root("stack").is_root
    remote = CHILD.replace('"../../modules/queue"', '"git::https://git.example.com/m.git"')
    assert not live(root, child=remote).repository.root("stack").is_root


# Includes


def test_later_includes_win_and_the_unit_wins_over_all(live: Any) -> None:
    child = """
include "one" {
  path = "../one.hcl"
}
include "two" {
  path = "../two.hcl"
}
include "three" {
  path           = "../three.hcl"
  merge_strategy = "no_merge"
}
terraform {
  source = "../../modules/queue"
}
inputs = { own = "child" }
"""
    bodies = {
        f"live/{name}.hcl": f'inputs = {{\n  own = "{name}"\n  both = "{name}"\n  {name} = 1\n}}\n'
        for name in ("one", "two", "three")
    }
    assert live(bodies, child=child).inputs() == {"own": "child", "both": "two", "one": 1, "two": 1}


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("shallow", {"list": ["c"], "map": {"b": 2}, "text": "child"}),
        ("deep", {"list": ["p", "c"], "map": {"a": 1, "b": 2}, "text": "child"}),
    ],
)
def test_merge_strategies(live: Any, strategy: str, expected: dict[str, Any]) -> None:
    child = f"""
include "root" {{
  path           = "../parent.hcl"
  merge_strategy = "{strategy}"
}}
terraform {{
  source = "../../modules/queue"
}}
inputs = {{
  list = ["c"]
  map  = {{ b = 2 }}
  text = "child"
}}
"""
    parent = 'inputs = {\n  list = ["p"]\n  map = { a = 1 }\n  text = "parent"\n}\n'
    assert expected == live({"live/parent.hcl": parent}, child=child).inputs()


@pytest.mark.parametrize(
    ("include", "expression", "expected"),
    [
        ('include "r" {\n path = "../p.hcl"\n expose = true\n}', "include.r.locals.a", "local"),
        ('include "r" {\n path = "../p.hcl"\n expose = true\n}', "include.r.inputs.b", "input"),
        ('include {\n path = "../p.hcl"\n expose = true\n}', "include.locals.a", "local"),
        (
            'include "r" {\n path = "../p.hcl"\n}',
            "include.r.locals.a",
            "<UNRESOLVED include.locals.a>",
        ),
        ('include "r" {\n path = "../p.hcl"\n}', "local.a", "<UNRESOLVED local.a>"),
    ],
)
def test_exposed_includes(live: Any, include: str, expression: str, expected: str) -> None:
    parent = 'locals {\n  a = "local"\n}\ninputs = {\n  b = "input"\n}\n'
    child = f"{include}\n{SOURCE}inputs = {{ name = {expression} }}\n"
    assert expected == live({"live/p.hcl": parent}, child=child).argument("name")


def test_an_exposed_include_without_a_label_beside_others(live: Any) -> None:
    child = f"""
include {{
  path   = "../p.hcl"
  expose = true
}}
include "q" {{
  path   = "../q.hcl"
  expose = true
}}
{SOURCE}
inputs = {{
  name = "${{include[""].locals.a}}-${{include["q"].locals.a}}"
}}
"""
    files = {f"live/{n}.hcl": f'locals {{\n  a = "{n}"\n}}\n' for n in ("p", "q")}
    assert live(files, child=child).argument("name") == "p-q"


def test_an_included_file_is_read_in_the_context_of_the_unit(live: Any) -> None:
    parent = """
inputs = {
  here = get_terragrunt_dir() == "${get_repo_root()}/live/queue"
  key  = path_relative_to_include()
  up   = path_relative_from_include()
  text = file("words.txt")
}
"""
    found = live(
        {"live/common/p.hcl": parent, "live/common/words.txt": "w", "live/queue/words.txt": "no"},
        child=CHILD + 'include "p" {\n  path = "../common/p.hcl"\n}\n',
    ).inputs()
    assert found == {"here": True, "key": "../queue", "up": "../common", "text": "w"}


# Functions


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('basename(find_in_parent_folders("region.hcl"))', "region.hcl"),
        ('find_in_parent_folders("none.hcl", "fallback")', "fallback"),
        ('try(find_in_parent_folders("none.hcl"), "absent")', "absent"),
        (
            'find_in_parent_folders("none.hcl")',
            "<OUTSIDE_FILE find_in_parent_folders: no none.hcl in the folders above>",
        ),
        ('basename(find_in_parent_folders("modules"))', "modules"),
        ("path_relative_to_include()", "queue"),
        ("path_relative_from_include()", ".."),
        ("get_path_from_repo_root()", "live/queue"),
        ("get_path_to_repo_root()", "../.."),
        ("basename(get_parent_terragrunt_dir())", "live"),
        ('replace(get_terragrunt_dir(), get_repo_root(), "")', "/live/queue"),
        ('split("/", path_relative_to_include())[0]', "queue"),
        ('split("/", get_terragrunt_dir())[2]', "<RANGE 2>"),
        ('regex("live/([a-z]+)$", get_terragrunt_dir())[0]', "queue"),
        (
            'regex("^/[^/]+/([^/]+)", get_terragrunt_dir())[0]',
            "<ENVIRONMENT regex() of an absolute path[0]>",
        ),
        ("length(get_repo_root())", "<ENVIRONMENT length() of an absolute path>"),
        ('get_env("NAME", "default")', "<ENVIRONMENT get_env(NAME)>"),
        ('run_cmd("id")', "<ENVIRONMENT run_cmd()>"),
        ("get_aws_account_id()", "<ENVIRONMENT get_aws_account_id()>"),
        ('yamldecode(sops_decrypt_file("secret.yaml")).a', "<ENVIRONMENT sops_decrypt_file().a>"),
        ("feature.flag.value", "<ENVIRONMENT feature.flag.value>"),
        ("dependency.vpc.outputs.name", "<REMOTE_STATE dependency.vpc.outputs.name>"),
        ('yamldecode(file(find_in_parent_folders("env.yaml"))).name', "from yaml"),
        ('jsondecode(read_tfvars_file("../common.tfvars")).name', "from tfvars"),
        ('read_terragrunt_config("../region.hcl").locals.aws_region', "eu-west-1"),
        ('read_terragrunt_config("../common.hcl").inputs.name', "from inputs"),
        (
            'read_terragrunt_config("../none.hcl", { inputs = { name = "given" } }).inputs.name',
            "given",
        ),
        ('try(read_terragrunt_config("../none.hcl").locals.name, "absent")', "absent"),
        ('read_terragrunt_config("../area/deep.hcl").locals.found', "area"),
        ('read_terragrunt_config("../other").inputs.name', "merged"),
        ('deep_merge({ a = { b = "1" } }, { a = { c = "2" } }).a.b', "1"),
        ("values.name", "from values"),
    ],
)
def test_functions(live: Any, expression: str, expected: str) -> None:
    files = {
        "live/env.yaml": "name: from yaml\n",
        "live/common.tfvars": 'name = "from tfvars"\n',
        "live/common.hcl": 'inputs = {\n  name = "from inputs"\n}\n',
        # What a file reads is looked up from where that file stands.
        "live/area/deep.hcl": """
locals {
  found = read_terragrunt_config(find_in_parent_folders("x.hcl", "here.hcl")).locals.name
}
""",
        "live/area/here.hcl": "locals {\n  name = basename(get_terragrunt_dir())\n}\n",
        "live/other/terragrunt.hcl": 'include {\n  path = "../parent.hcl"\n}\ninputs = {}\n',
        "live/parent.hcl": 'inputs = {\n  name = "merged"\n}\n',
        "live/queue/secret.yaml": "a: hidden\n",
        "live/queue/terragrunt.values.hcl": 'name = "from values"\n',
    }
    child = f"""{CHILD}
dependency "vpc" {{
  config_path  = "../vpc"
  mock_outputs = {{ name = "mock" }}
}}
feature "flag" {{
  default = "off"
}}
inputs = {{
  name = {expression}
}}
"""
    assert expected == live(files, child=child).argument("name")


def test_encrypted_files_are_not_read(live: Any) -> None:
    found = live(
        {"live/queue/s.yaml": "a: b\n"}, child=inputs('name = sops_decrypt_file("s.yaml")')
    )
    read: list[str] = []
    original = found.source.read

    def spy(path: str) -> str | None:
        read.append(path)
        return cast("str | None", original(path))

    found.source.read = spy
    unit = found.evaluated()

    assert "live/queue/s.yaml" not in {*read, *unit.inputs}


# Inputs


def test_files_of_values_are_above_inputs(live: Any) -> None:
    """Terragrunt documentation, "Variable Precedence"."""
    child = f"""{
        CHILD.replace(
            "terraform {",
            '''terraform {
  extra_arguments "vars" {
    commands           = get_terraform_commands_that_need_vars()
    optional_var_files = ["none.tfvars", "${get_parent_terragrunt_dir()}/last.tfvars"]
    arguments          = ["-lock=false", "-var-file=../arguments.tfvars"]
  }
  extra_arguments "other" {
    commands           = ["output"]
    required_var_files = ["../unused.tfvars"]
  }''',
        )
    }
inputs = {{
  name   = "input"
  region = "input"
}}
"""
    files = {"modules/queue/terraform.tfvars": 'name = "module"\n'}
    assert live(files, child=inputs('name = "input"')).argument("name") == "module"
    files["live/last.tfvars"] = 'name = "last"\n'
    files["live/arguments.tfvars"] = 'region = "argument"\n'
    files["live/unused.tfvars"] = 'region = "unused"\n'
    found = live(files, child=child)
    assert [found.argument("name"), found.argument("tags")] == ["last", {"region": "argument"}]


def test_a_file_of_values_that_is_not_here_leaves_no_default(live: Any) -> None:
    line = 'terraform {{\n  extra_arguments "v" {{\n    {}_var_files = ["none.tfvars"]\n  }}'
    required = live(child=CHILD.replace("terraform {", line.format("required")))
    optional = live(child=CHILD.replace("terraform {", line.format("optional")))
    assert required.argument("name") == "<OUTSIDE_FILE none.tfvars>"
    assert optional.argument("name") == "default"


def test_files_of_values_that_the_environment_chooses_are_variants() -> None:
    argument = 'arguments = ["-var-file=${get_env("STAGE")}.tfvars"]'
    child = CHILD.replace(
        "terraform {", f'terraform {{\n  extra_arguments "v" {{\n    {argument}\n  }}'
    )
    bucket = 'variable "force" {}\nresource "aws_s3_bucket" "b" {\n  force_destroy = var.force\n}\n'
    files = {
        **LIVE,
        "modules/queue/bucket.tf": bucket,
        "live/queue/a.tfvars": "force = false\n",
        "live/queue/b.tfvars": "force = true\n",
    }
    assert said(run(files, "data-kept-by-force-lost")) == []
    report = run({**files, UNIT: child}, "data-kept-by-force-lost")
    assert said(report) == [("data-kept-by-force-lost", "modules/queue/bucket.tf", 3)]
    assert "live/queue/b.tfvars:1" in report.findings[0].message
    assert report.units == 1


def test_environment_variables_for_terraform(live: Any) -> None:
    child = CHILD.replace(
        "terraform {",
        """terraform {
  extra_arguments "env" {
    commands = ["plan", "apply"]
    env_vars = { AWS_REGION = "ap-south-1", TF_VAR_name = "set" }
  }""",
    )
    found = live({"modules/queue/provider.tf": 'provider "aws" {}\n'}, child=child, root="")

    assert found.providers() == {"provider.aws": "ap-south-1"}
    assert found.argument("name") == "set"


def test_inputs_that_are_not_all_known_leave_no_default(live: Any) -> None:
    child = f'{CHILD}inputs = merge(read_tfvars_file("none.tfvars"), {{ region = "known" }})\n'
    found = live(child=child)

    assert found.argument("tags") == {"region": "known"}
    assert "<OUTSIDE_FILE" in found.argument("name")
    assert live().argument("name") == "default"


# Generated files


def generated(contents: str, more: str = "") -> str:
    return f"""{CHILD}
locals {{
  region  = "us-west-2"
  unknown = get_env("X")
}}
generate "p" {{
  path      = "p.tf"
  if_exists = "overwrite"
  {more}
  contents = {contents}
}}
"""


def heredoc(*lines: str) -> str:
    return "\n".join(("<<EOF", *lines, "EOF"))


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        (r'"provider \"aws\" {\n  region = \"us-west-2\"\n}\n"', "us-west-2"),
        (heredoc('provider "aws" {', '  region = "${local.region}"', "}"), "us-west-2"),
        (
            heredoc(
                'provider "aws" {',
                '  region  = "${local.region}"',
                '  profile = "${local.unknown}"',
                "}",
            ).replace("<<", "<<-"),
            "us-west-2",
        ),
        (heredoc('provider "aws" {', '  region = "$${var.region}"', "}"), "given"),
        (
            heredoc(
                "# it's \"${local.unknown}",
                'provider "aws" {',
                "  allowed_account_ids = [${local.unknown}]",
                '  region = "${local.region}"',
                "}",
            ),
            "us-west-2",
        ),
        (
            heredoc('provider "aws" {', '  region = "${local.unknown}"', "}"),
            "<ENVIRONMENT get_env(X)>",
        ),
        (
            heredoc(
                'provider "aws" {',
                '%{ if local.region == "us-west-2" }',
                '  region = "us-west-1"',
                "%{ endif }",
                "}",
            ),
            "us-west-1",
        ),
        ('templatefile("p.tftpl", { region = local.region })', "us-west-2"),
        ('file("p.tf.txt")', "eu-north-1"),
        (
            r'join("", ["provider \"aws\" {\n", "  region = \"${local.region}\"\n}\n"])',
            "us-west-2",
        ),
    ],
)
def test_generated_contents(live: Any, contents: str, expected: str) -> None:
    files = {
        "live/queue/p.tftpl": 'provider "aws" {\n  region = "${region}"\n}\n',
        "live/queue/p.tf.txt": 'provider "aws" {\n  region = "eu-north-1"\n}\n',
    }
    found = live(files, root="", child=f'{generated(contents)}inputs = {{ region = "given" }}\n')

    assert {"provider.aws": expected} == found.providers()
    assert found.failures() == []


def test_an_alias_stays_literal(live: Any) -> None:
    lines = (
        'provider "aws" {',
        '  alias  = "${local.region}"',
        '  region = "${local.region}"',
        "}",
    )
    contents = heredoc(*lines)
    assert live(root="", child=generated(contents)).providers() == {
        "provider.aws.us-west-2": "us-west-2"
    }


def test_a_file_of_unknown_text_keeps_providers_open(live: Any) -> None:
    """What an unknown text configures is not the environment's region, and no finding."""
    found = live(root="", child=generated('"${local.unknown}\\n"'))
    unit = found.evaluated()

    assert [found.plain(r.region) for r in unit.resources] == ["<ENVIRONMENT get_env(X)>"]
    assert (unit.external_region, unit.failures) == (True, [])


def test_a_file_that_the_environment_chooses_keeps_providers_open(live: Any) -> None:
    other = r'local.unknown == "x" ? "provider \"aws\" {}\n" : "provider \"null\" {}\n"'
    found = live(root="", child=generated(other))
    (queue,) = found.evaluated().resources

    assert found.plain(queue.region) == '<ENVIRONMENT local.unknown == "x">'
    assert found.failures() == []


def test_a_missing_include_is_a_failure_whoever_asks_first(live: Any) -> None:
    child = including('find_in_parent_folders("none.hcl")') + SOURCE
    child += 'inputs = { name = try(include.a.locals.x, "y") }\n'
    unit = live(child=child).evaluated()

    assert unit.open_providers.reason.name == "OUTSIDE_FILE"
    assert len(unit.failures) == 1


@pytest.mark.parametrize(
    ("if_exists", "existing", "expected"),
    [
        ("overwrite", SAO_PAULO, "us-west-2"),
        ("skip", SAO_PAULO, "sa-east-1"),
        ("error", SAO_PAULO, "sa-east-1"),
        ("overwrite_terragrunt", SAO_PAULO, "sa-east-1"),
        (
            "overwrite_terragrunt",
            "# Generated by Terragrunt. Sig: nIlQXj57tbuaRZEa\n" + SAO_PAULO,
            "us-west-2",
        ),
        ("skip", None, "us-west-2"),
    ],
)
def test_if_exists(live: Any, if_exists: str, existing: str | None, expected: str) -> None:
    contents = heredoc('provider "aws" {', '  region = "${local.region}"', "}")
    child = generated(contents).replace('"overwrite"', f'"{if_exists}"')
    files = {} if existing is None else {"modules/queue/p.tf": existing}

    assert {"provider.aws": expected} == live(files, root="", child=child).providers()


def test_a_disabled_block_writes_nothing(live: Any) -> None:
    assert (
        live(root="", child=generated('"provider \\"aws\\" {}"', "disable = true")).providers()
        == {}
    )


def test_a_block_of_the_unit_replaces_one_of_the_same_name(live: Any) -> None:
    child = generated('"provider \\"aws\\" {\\n  region = \\"us-west-2\\"\\n}\\n"').replace(
        '"p"', '"provider"'
    )
    assert live(child=child).providers() == {"provider.aws": "us-west-2"}


def test_generate_and_remote_state_as_attributes(live: Any) -> None:
    child = f"""{CHILD}
locals {{
  common = read_terragrunt_config("../common.hcl")
}}
generate     = local.common.generate
remote_state = local.common.remote_state
"""
    common = """
generate "provider" {
  path      = "provider.tf"
  if_exists = "overwrite"
  contents  = "provider \\"aws\\" {\\n  region = \\"eu-south-1\\"\\n}\\n"
}
remote_state {
  backend = "s3"
  config = {
    region = "eu-south-2"
  }
}
"""
    found = live({"live/common.hcl": common}, root="", child=child)
    unit = found.evaluated()

    assert found.providers() == {"provider.aws": "eu-south-1"}
    assert [(b.kind, found.plain(b.region)) for b in unit.backends] == [("s3", "eu-south-2")]


def test_the_role_that_terragrunt_assumes_says_the_account(live: Any) -> None:
    contents = '"provider \\"aws\\" {\\n  region = \\"us-west-2\\"\\n}\\n"'
    child = f'{generated(contents)}iam_role = "arn:aws:iam::333333333333:role/deploy"\n'
    (provider,) = live(root="", child=child).evaluated().providers

    assert live().plain(provider.account) == "333333333333"


# Modules that are elsewhere


def test_a_unit_of_another_repository_still_says_what_it_decides(live: Any) -> None:
    root = ROOT.replace('"${local.region.locals.aws_region}"', '"$${var.region}"') + (
        'remote_state {\n  backend = "s3"\n  config = { region = "eu-west-3" }\n}\n'
    )
    remote = CHILD.replace('"../../modules/queue"', '"git::https://git.example.com/m.git"')
    found = live(root=root, child=f'{remote}inputs = {{ region = "eu-west-2", other = 1 }}\n')
    unit = found.evaluated()

    assert found.providers() == {"provider.aws": "eu-west-2"}
    assert [found.plain(b.region) for b in unit.backends] == ["eu-west-3"]
    assert found.inputs() == {"region": "eu-west-2", "other": 1}
    assert unit.resources == []
    remote = live(root=root, child=remote)
    assert remote.providers() == {"provider.aws": "<EXTERNAL_MODULE var.region>"}


# What goes wrong


READS_A = 'locals {\n  a = read_terragrunt_config("../a.hcl")\n}\ninputs = local.a.inputs\n'


def including(path: str) -> str:
    return f'include "a" {{\n  path = {path}\n}}\n'


def reading(path: str) -> str:
    return f'locals {{\n  x = read_terragrunt_config("{path}")\n}}\n'


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({UNIT: including('"../none.hcl"')}, 'include "a" is not there: live/none.hcl'),
        (
            {UNIT: including('find_in_parent_folders("none.hcl")')},
            'include "a" leads nowhere: find_in_parent_folders: no none.hcl in the folders above',
        ),
        ({UNIT: including('"../../../root.hcl"')}, 'include "a" leads out of the analysed root'),
        ({UNIT: including('"/etc/root.hcl"')}, 'include "a" leads out of the analysed root'),
        ({UNIT: including('"terragrunt.hcl"')}, 'include "a" is the file itself'),
        (
            {UNIT: including('"../a.hcl"'), "live/a.hcl": including('"b.hcl"')},
            "an included file includes another, which Terragrunt refuses",
        ),
        (
            {UNIT: READS_A, "live/a.hcl": reading("b.hcl"), "live/b.hcl": reading("a.hcl")},
            "live/a.hcl is read while it is being read",
        ),
        (
            {UNIT: 'inputs = read_terragrunt_config("../../../a.hcl")\n'},
            "read_terragrunt_config leads out of the analysed root",
        ),
        ({UNIT: generated('"provider \\"aws\\" {"')}, 'generate "p": expected'),
    ],
)
def test_failures_have_a_place(live: Any, files: dict[str, str], message: str) -> None:
    """What Terragrunt could not go on with is no pass; the rest of the unit is evaluated."""
    files = dict(files)
    if "terraform {" not in files[UNIT]:
        files[UNIT] += 'terraform {\n  source = "../../modules/queue"\n}\n'
    found = live(files)
    unit = found.evaluated()
    (failure,) = unit.failures

    assert message in failure.message
    assert failure.path in files
    assert failure.span is not None
    assert [r.address for r in unit.resources] == ["aws_sqs_queue.q"]


def test_a_file_that_does_not_parse_is_a_failure() -> None:
    report = run({**LIVE, "live/region.hcl": "locals {\n  aws_region =\n}\n"})
    assert [failure.path for failure in report.failures] == ["live/region.hcl"]


def test_files_without_end_are_a_limit(live: Any) -> None:
    reads = "\n".join(f'  a{n} = read_terragrunt_config("../r/{n}.hcl")' for n in range(300))
    files = {f"live/r/{n}.hcl": "locals {}\n" for n in range(300)}
    found = live(files, child=f"{CHILD}locals {{\n{reads}\n}}\n")
    ((path, message),) = found.failures()

    assert path == UNIT
    assert message == "more than 200 files of configuration; the rest is not read"


def test_other_hcl_files_are_nobodys_business() -> None:
    files = {**LIVE, "packer/image.pkr.hcl": "}{", "jobs/web.hcl": "}{", ".tflint.hcl": "}{"}
    assert run(files).failures == []


# Through the engine


def test_a_module_run_by_several_units_is_one_finding() -> None:
    files = {
        **LIVE,
        "modules/queue/bucket.tf": 'resource "aws_s3_bucket" "b" {\n  force_destroy = true\n}\n',
        "live/other/terragrunt.hcl": CHILD,
    }
    report = run(files, "data-kept-by-force-lost")
    (finding,) = report.findings

    assert finding.span.path == "modules/queue/bucket.tf"
    assert [
        related.message.removeprefix("the Terragrunt unit ") for related in finding.related
    ] == ["live/other", "live/queue"]
    assert (report.units, report.resources) == (2, 4)


def test_a_wrong_input_is_found_where_it_is_written() -> None:
    module = """
variable "protected" {
  type    = bool
  default = true
}
resource "aws_db_instance" "d" {
  deletion_protection = var.protected
}
"""
    files = {**LIVE, "modules/queue/main.tf": module}
    assert run(files, "deletion-protection-off").findings == []
    files["live/root.hcl"] = f"{ROOT}inputs = {{\n  protected = false\n}}\n"
    (finding,) = run(files, "deletion-protection-off").findings
    assert (finding.span.path, finding.span.text) == ("live/root.hcl", "false")
    assert "Terragrunt input protected at live/root.hcl:16" in finding.message


def test_the_region_of_the_folder_and_of_the_provider() -> None:
    files = {
        "live/root.hcl": ROOT,
        "live/eu-west-1/region.hcl": 'locals {\n  aws_region = "us-west-2"\n}\n',
        "live/eu-west-1/a/terragrunt.hcl": CHILD,
        "live/us-west-2/region.hcl": 'locals {\n  aws_region = "us-west-2"\n}\n',
        # A peer's region below one's own is no contradiction.
        "live/us-west-2/peers/eu-west-1/terragrunt.hcl": CHILD,
    }
    report = run(files, "name-region-mismatch")

    assert said(report) == [("name-region-mismatch", "live/eu-west-1/region.hcl", 2)]


def test_a_generated_provider_without_a_region() -> None:
    root = """
generate "provider" {
  path      = "p.tf"
  if_exists = "overwrite"
  contents  = <<EOF
provider "aws" {
}
EOF
}
"""
    report = run({**LIVE, "live/root.hcl": root}, "provider-region-unset")

    assert said(report) == [("provider-region-unset", "live/root.hcl", 6)]
    assert "live/queue/p.tf" not in str(report)


def test_only_the_units_that_a_file_belongs_to_are_reported() -> None:
    files = {
        **LIVE,
        "live/root.hcl": f"{ROOT}inputs = {{\n  override_all_regions = true\n}}\n",
        "live/other/terragrunt.hcl": CHILD + 'include "none" {\n  path = "none.hcl"\n}\n',
    }
    source = Memory(files)
    report = check(
        source, rules(), Options(), selection=lambda path: path.startswith("live/queue/")
    )

    assert (report.findings, report.failures, report.units) == ([], [], 1)


def test_coverage_counts_what_terragrunt_gives() -> None:
    report = run(LIVE)
    assert dict(report.coverage.resolved) == {"provider": 1, "region": 1}
    unknown = {**LIVE, "live/region.hcl": 'locals {\n  aws_region = get_env("R")\n}\n'}
    report = run(unknown)
    assert dict(report.coverage.undecidable) == {"provider": 1, "region": 1}
    assert (run(LIVE).coverage.share("region") or 0) == 1.0
    # What an include that is not here would configure is not known either.
    report = run({**LIVE, "live/root.hcl": ""} | {UNIT: CHILD.replace("root.hcl", "none.hcl")})
    assert report.coverage.undecidable["provider"] == 1


FIXTURE = Path(__file__).parents[2] / "fixtures" / "terragrunt"


def test_the_fixture() -> None:
    """One override for cn-north-1, written where every region includes it."""
    report = check(Tree(FIXTURE), rules(), Options())
    places = [(f.rule, f.level.word, f.span.path, f.span.text) for f in report.findings]
    units = [
        [r.message.rpartition(" ")[2] for r in f.related if r.message.startswith("the Terragrunt")]
        for f in report.findings
    ]
    everywhere = [
        "live/china/cn-north-1/orders",
        "live/global/eu-west-1/orders",
        "live/global/us-east-1/orders",
    ]

    assert places == [
        ("deletion-protection-off", "warning", "live/_envcommon/orders.hcl", "false"),
        ("wildcard-override-key", "error", "live/_envcommon/orders.hcl", '"*"'),
        (
            "partition-mismatch",
            "error",
            "modules/orders/main.tf",
            '"arn:aws:sqs:${var.aws_region}:111111111111:orders"',
        ),
    ]
    assert units == [everywhere, everywhere, everywhere[:1]]
    assert report.failures == []
    assert (report.units, report.resources) == (4, 9)
    assert dict(report.skipped)["module of a Terragrunt unit that is not in the repository"] == 1
    assert dict(report.coverage.resolved) == {"policy": 3, "provider": 4, "region": 9}
    assert (report.coverage.unresolved.total(), report.coverage.undecidable.total()) == (0, 0)


def test_the_fixture_says_the_same_twice() -> None:
    first, second = (check(Tree(FIXTURE), rules(), Options()) for _ in range(2))

    assert [f.fingerprint for f in first.findings] == [f.fingerprint for f in second.findings]
