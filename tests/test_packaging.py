"""Facts of the layout; what only a built wheel shows stands in ``.ci/run``."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import blastdoor

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "analyzer/blastdoor"
TEXT_FILES = (
    ".ci/run",
    ".github/CONTRIBUTING.md",
    ".pre-commit-hooks.yaml",
    "CHANGELOG.md",
    "LICENSE",
    "action.yml",
    "pyproject.toml",
)
"""Files that people read before they read code."""


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_the_package_comes_from_the_checkout() -> None:
    assert Path(blastdoor.__file__).parent == PACKAGE
    assert re.fullmatch(r"\d+\.\d+\.\d+", blastdoor.__version__)


def test_the_changelog_names_the_version() -> None:
    assert blastdoor.__version__ in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_extras_are_the_dependency_groups(project: dict[str, Any]) -> None:
    groups, extras = project["dependency-groups"], project["project"]["optional-dependencies"]

    assert extras["test"] == groups["test"]
    assert extras["dev"] == [
        "blastdoor[test]" if entry == {"include-group": "test"} else entry
        for entry in groups["dev"]
    ]


def test_checkov_s_package_is_never_overwritten(project: dict[str, Any]) -> None:
    assert not [name for name in project["project"]["dependencies"] if "hcl2" in name]


def test_every_ignore_of_ruff_has_a_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    section = text[text.index("[tool.ruff.lint]") : text.index("[tool.mypy]")]
    rows = re.findall(r'^  "[A-Z]+\d*",.*$', section, re.MULTILINE)

    assert len(rows) > 10
    assert [row for row in rows if not re.search(r"# \S+", row)] == []


def test_every_module_stands_in_the_contract(project: dict[str, Any]) -> None:
    (contract,) = project["tool"]["importlinter"]["contracts"]
    layers = " ".join(contract["layers"])
    named = set(re.findall(r"\w+", layers)) | set(contract["exhaustive_ignores"])
    found = {
        path.stem
        for path in PACKAGE.iterdir()
        if (path.suffix == ".py" and path.stem != "__init__")
        or (path.is_dir() and (path / "__init__.py").exists())
    }

    assert found - named == set()
    assert contract["exhaustive"] is True


def test_every_package_has_an_init() -> None:
    folders = {path.parent for path in PACKAGE.rglob("*.py")}

    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_ci_runs_the_command_that_contributors_are_told() -> None:
    (command,) = re.findall(r'^readme_test="(.*)"$', (ROOT / ".ci/run").read_text(), re.MULTILINE)

    assert command in (ROOT / ".github/CONTRIBUTING.md").read_text("utf-8")
    assert command in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX")
def test_ci_can_be_run() -> None:
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert subprocess.run(["bash", "-n", str(ROOT / ".ci/run")], check=False).returncode == 0


@pytest.mark.parametrize("name", TEXT_FILES)
def test_text_files_are_plain(name: str) -> None:
    text = (ROOT / name).read_bytes().decode("utf-8")

    assert "\r" not in text
    assert "\t" not in text
    assert text.endswith("\n")
    assert not re.search(r"[ \t]+$", text.replace("\f", ""), re.MULTILINE)


def test_the_action_passes_inputs_through_the_environment_only() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    steps = action["runs"]["steps"]

    inputs = {"path", "fail-on", "version", "category", "args", "pull-requests", "annotations"}
    assert set(action["inputs"]) == {*inputs, "upload"}
    assert [step["name"] for step in steps if "${{" in step.get("run", "")] == []
    upload = steps[-1]
    assert re.fullmatch(r"github/codeql-action/upload-sarif@(v\d+|[0-9a-f]{40})", upload["uses"])
    assert "always()" in upload["if"]


def test_the_hooks_are_two() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))

    assert [hook["id"] for hook in hooks] == ["blastdoor", "blastdoor-files"]
    assert all(hook["entry"].split()[:2] == ["blastdoor", "check"] for hook in hooks)
    pattern = re.compile(hooks[0]["files"])
    names = ("a/main.tf", "x.tf.json", "x.tofu", "p.auto.tfvars", "stack.yml", "app.py", "go.sh")
    assert all(pattern.search(name) for name in names)
    assert not any(pattern.search(name) for name in ("main.tf~", "tf", "x.tfstate", "a.md"))


def test_importing_starts_nothing_heavy() -> None:
    heavy = {"click", "rich", "yaml", "sarif_om", "hcl2", "asyncio", "subprocess", "tomllib"}
    modules = "blastdoor.source, blastdoor.config, blastdoor.suppress"
    code = f"import sys; old = {{*sys.modules}}; import {modules}; print(*{{*sys.modules}} - old)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=ROOT / "analyzer",
        capture_output=True,
        check=True,
        text=True,
    )

    assert heavy & set(done.stdout.split()) == set()


def test_only_the_source_room_walks_the_disk() -> None:
    walkers = {"walk", "fwalk", "scandir", "listdir"}
    found = [
        str(path.relative_to(PACKAGE))
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in walkers
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    ]

    assert set(found) <= {"source/disk.py"}
