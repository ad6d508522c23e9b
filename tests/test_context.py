"""What a repository speaks of: found without parsing, the same for one file and for all."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from blastdoor import catalog
from blastdoor.context import Gatherer
from blastdoor.engine import Options, check
from blastdoor.source import Memory, Tree
from blastdoor.units import Repository

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from blastdoor.fact import Context

PINNED = 'provider "aws" {\n  region = "%s"\n}\n'


def context(files: Mapping[str, str]) -> Context:
    source = Memory(files)
    repository = Repository(source, list(source.files()))
    repository.roots()
    return repository.context


def test_each_entry_has_the_place_that_says_it() -> None:
    found = context(
        {
            "a/main.tf": PINNED % "eu-west-1",
            "b/main.tf": PINNED % "cn-north-1" + PINNED % "eu-west-1",
            "b/policy.tf": 'locals {\n  a = "arn:aws-us-gov:s3:::example"\n}\n',
            "prod.tfvars": 'zones = ["us-east-2a"]\n',
            "dev/terragrunt.hcl": 'inputs = {\n  region = "ap-south-1"\n}\n',
            "c/main.tf": 'provider "google" {\n  project = "p"\n}\n',
        }
    )

    assert {name: str(span) for name, span in found.regions.items()} == {
        "ap-south-1": "dev/terragrunt.hcl:2",
        "cn-north-1": "b/main.tf:2",
        "eu-west-1": "a/main.tf:2",
        "us-east-2": "prod.tfvars:1",
    }
    assert all(span.text == name for name, span in found.regions.items())
    assert list(found.pinned) == ["cn-north-1", "eu-west-1"]
    assert {name: str(span) for name, span in found.partitions.items()} == {
        "aws": "a/main.tf:2",
        "aws-cn": "b/main.tf:2",
        "aws-us-gov": "b/policy.tf:2",
    }
    assert found.foreign == ("aws-cn", "aws-us-gov")
    assert dict(found.environments) == {
        "non-production": "dev/terragrunt.hcl",
        "production": "prod.tfvars",
    }
    assert list(found.providers) == ["aws", "google"]
    assert (found.regions_said, found.regions_unsaid) == (3, 0)


@pytest.mark.parametrize(
    "text",
    [
        '# region = "cn-north-1"',
        '// "cn-north-1"',
        'variable "r" {\n  description = "such as cn-north-1"\n}',
        'a = "us-moon-1"',
        'a = "example-cn-north-1"',
        "\n".join(f'"{area}-{part}-1",' for area in ("eu", "us", "ap") for part in ("east", "west"))
        + '"eu-north-1", "eu-central-1", "ap-south-1", "ca-central-1", "sa-east-1", "cn-north-1"',
    ],
)
def test_what_is_no_evidence(text: str) -> None:
    found = context({"main.tf": text + "\n"})

    assert "cn-north-1" not in found.regions
    assert found.foreign == ()


@pytest.mark.parametrize("folder", ["examples/cn", "tests", "modules/a/fixtures"])
def test_folders_of_examples_are_no_evidence(folder: str) -> None:
    found = context({f"{folder}/main.tf": PINNED % "cn-north-1"})

    assert (dict(found.regions), dict(found.pinned), dict(found.providers)) == ({}, {}, {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('provider "aws" { region = "eu-west-1" }', ["eu-west-1"]),
        (
            'provider "aws" {\n  default_tags {\n    tags = {}\n  }\n  region = "eu-west-1"\n}',
            ["eu-west-1"],
        ),
        ('provider "aws" {\n  alias  = "use1"\n  region = "us-east-1"\n}', []),
        ('provider "aws" {\n  region = "us-east-1"\n}', ["us-east-1"]),
        ('provider "aws" {\n  region = var.region\n}', []),
        ('provider "aws" {}\nresource "a" "b" {\n  region = "eu-west-1"\n}', []),
        ('provider "google" {\n  region = "eu-west-1"\n}', []),
    ],
)
def test_what_pins_a_region(text: str, expected: list[str]) -> None:
    found = context({"main.tf": text + "\n"})

    assert expected == list(found.pinned)


def test_how_many_configurations_say_their_region() -> None:
    files = {f"live/{n}/main.tf": 'provider "aws" {\n  region = var.region\n}\n' for n in range(10)}
    found = context({**files, "live/x/main.tf": 'provider "aws" {\n  profile = "x"\n}\n'})

    assert (found.regions_said, found.regions_unsaid) == (10, 1)
    assert found.says_regions
    assert not context(files).says_regions


def test_one_file_has_the_context_of_all(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    for name, text in {
        "cn/main.tf": PINNED % "cn-north-1",
        "modules/role/main.tf": 'variable "role" {}\nresource "aws_iam_role_policy_attachment" "a" '
        '{\n  role       = var.role\n  policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"\n}\n',
        "notes.tfvars": 'home = "eu-west-1"\n',
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    rules = tuple(catalog.load())

    whole = check(Tree(tmp_path), rules, Options())
    one = check(
        Tree(tmp_path),
        rules,
        Options(),
        selection=lambda path: path == "modules/role/main.tf",
    )

    said = [f for f in whole.findings if f.span.path == "modules/role/main.tf"]
    assert [f.rule for f in said] == ["hardcoded-partition"]
    assert [f.fingerprint for f in said] == [f.fingerprint for f in one.findings]
    assert [f.message for f in said] == [f.message for f in one.findings]


@pytest.mark.parametrize(
    "unit",
    [
        'provider "aws" {\n',
        'provider "aws" {\n  region = "eu-west-1"\n',
        '# "cn-north-1" ',
        '"cn-north-1" # ',
        "-east-1",
        ":aws-cn:",
        'a "aws-c',
        "cn-north-1 \t",
    ],
)
def test_the_time_grows_with_the_text(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        best = 9.0
        for _attempt in range(3):
            start = time.perf_counter()
            Gatherer().text("main.tf", text)
            best = min(best, time.perf_counter() - start)
        return best

    assert seconds(400_000) < 20 * seconds(50_000) + 0.05
