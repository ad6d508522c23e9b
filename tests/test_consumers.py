"""Other people's programs on what is written for them: schemas, pre-commit, Checkov.

Each is looked for by an environment variable or on the path; without it its tests are skipped, unless
``BLASTDOOR_REQUIRE_CONSUMERS`` is set, as the ``full`` task does.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from blastdoor.cli import init as beginning
from blastdoor.cli import run

ROOT = Path(__file__).resolve().parent.parent
OPEN = """\
resource "aws_db_instance" "orders" {
  deletion_protection = false
}
"""

pytestmark = pytest.mark.full


def program(variable: str, name: str) -> str:
    """The path of a program. Effect: skips the test where it is not there."""
    found = shutil.which(os.environ.get(variable) or name)
    if found is None:
        if os.environ.get("BLASTDOOR_REQUIRE_CONSUMERS"):
            pytest.fail(f"{name} is not there")
        pytest.skip(f"{name} is not there; {variable} may name it")
    return found


def fits(schema: str, file: Path, *more: str) -> None:
    """Effect: fails unless a file keeps the schema that SchemaStore publishes."""
    tool = program("BLASTDOOR_CHECK_JSONSCHEMA", "check-jsonschema")
    done = subprocess.run(
        [tool, "--builtin-schema", f"vendor.{schema}", *more, str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_action_keeps_the_schema_of_actions() -> None:
    fits("github-actions", ROOT / "action.yml")


@pytest.mark.parametrize("below", [".", "live/eu-central-1"])
def test_the_workflow_keeps_the_schema_of_workflows(tmp_path: Path, below: str) -> None:
    file = tmp_path / "blastdoor.yml"
    file.write_text(beginning.workflow(below))

    fits("github-workflows", file)


def test_the_component_keeps_the_schema_of_pipelines(tmp_path: Path) -> None:
    text = (ROOT / "templates/blastdoor.yml").read_text("utf-8")
    head, body = text.split("\n---\n")
    for name, entry in yaml.safe_load(head)["spec"]["inputs"].items():
        body = body.replace(f"$[[ inputs.{name} ]]", entry["default"])
    component = tmp_path / "component.yml"
    component.write_text(body)
    pipeline = tmp_path / ".gitlab-ci.yml"
    pipeline.write_text(beginning.pipeline("live"))

    fits("gitlab-ci", component, "--data-transform", "gitlab-ci")
    fits("gitlab-ci", pipeline, "--data-transform", "gitlab-ci")


@pytest.mark.parametrize("page", ["README.md", "docs/ci.md", "docs/gate.md"])
def test_the_workflows_of_the_pages_keep_their_schemas(tmp_path: Path, page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    blocks = [part.split("```")[0] for part in text.split("```yaml\n")[1:]]
    checked = 0
    for number, block in enumerate(blocks):
        data: Any = yaml.safe_load(block)
        file = tmp_path / f"{number}.yml"
        file.write_text(block)
        if isinstance(data, dict) and "jobs" in data:
            fits("github-workflows", file)
            checked += 1
        elif isinstance(data, dict) and "repos" not in data:
            fits("gitlab-ci", file, "--data-transform", "gitlab-ci")
            checked += 1

    assert checked > 0


class Hooked:
    """A repository with pre-commit, whose hooks come from a copy of this checkout."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.tool = program("BLASTDOOR_PRE_COMMIT", "pre-commit")
        self.folder = folder
        self.environment = {**os.environ, "PRE_COMMIT_HOME": str(home)}

    def git(self, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        who = ("-c", "user.name=author", "-c", "user.email=author@example.com")
        return subprocess.run(
            ["git", *who, "-c", "commit.gpgsign=false", *words],
            cwd=cwd or self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.tool, *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A repository that holds this checkout, and its revision; pre-commit installs from it."""
    copy = tmp_path_factory.mktemp("ours") / "blastdoor"
    unwanted = shutil.ignore_patterns(
        *(
            ".git",
            ".venv",
            "node_modules",
            "__pycache__",
            ".*_cache",
            ".hypothesis",
            "dist",
            "build",
        )
    )
    shutil.copytree(ROOT, copy, ignore=unwanted)
    for words in (
        ("init", "-q"),
        ("add", "-A"),
        ("-c", "user.name=author", "-c", "user.email=author@example.com", "commit", "-qm", "all"),
    ):
        subprocess.run(["git", *words], cwd=copy, check=True)
    done = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=copy, check=True, capture_output=True, text=True
    )
    return copy, done.stdout.strip()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pre-commit")


@pytest.mark.parametrize("hook", ["blastdoor", "blastdoor-files"])
def test_a_commit_that_opens_something_is_stopped(
    ours: tuple[Path, str], home: Path, tmp_path: Path, hook: str
) -> None:
    made = Hooked(tmp_path, home)
    made.git("init", "-q")
    configuration = {
        "repos": [{"repo": str(ours[0]), "rev": ours[1], "hooks": [{"id": hook}]}],
    }
    (tmp_path / ".pre-commit-config.yaml").write_text(yaml.safe_dump(configuration))
    (tmp_path / "package.json").write_text('{"name": "web"}\n')
    made.git("add", "-A")
    assert made.run("install").returncode == 0
    first = made.git("commit", "-qm", "begin")
    assert first.returncode == 0, first.stdout + first.stderr

    (tmp_path / "main.tf").write_text(OPEN)
    made.git("add", "-A")
    second = made.git("commit", "-qm", "open")

    assert second.returncode != 0
    assert "deletion-protection-off" in second.stdout + second.stderr
    (tmp_path / "main.tf").write_text(OPEN.replace("false", "true"))
    made.git("add", "-A")
    third = made.git("commit", "-qm", "closed")
    assert third.returncode == 0, third.stdout + third.stderr


def test_what_init_adds_is_a_configuration_of_pre_commit(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Hooked(tmp_path, home)
    made.git("init", "-q")
    file = tmp_path / ".pre-commit-config.yaml"
    file.write_text("repos:\n- repo: local\n  hooks: []\n")
    (tmp_path / "live").mkdir()
    monkeypatch.chdir(tmp_path)

    assert run(["init", "live"]) == 0

    done = made.run("validate-config", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert made.run("validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")).returncode == 0


def test_checkov_beside_us_for_real(tmp_path: Path) -> None:
    tool = program("BLASTDOOR_CHECKOV", "checkov")
    folder = tmp_path / "live"
    folder.mkdir()
    (folder / "main.tf").write_text(OPEN)
    out = tmp_path / "out.sarif"

    code = run(
        ["check", str(folder), "--with", f"checkov={tool}", "--output", f"sarif={out}", "-q"]
    )

    assert code == 1
    mine, theirs = json.loads(out.read_text())["runs"]
    assert "deletion-protection-off" in {result["ruleId"] for result in mine["results"]}
    found = {result["ruleId"] for result in theirs["results"]}
    # CKV_AWS_293 is deletion protection, which ours says; CKV_AWS_16 is encryption, which it does not.
    assert "CKV_AWS_293" not in found
    assert "CKV_AWS_16" in found
    assert theirs["properties"]["sameAsOurs"] > 0
    for result in theirs["results"]:
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "main.tf"
        assert {"startLine", "startColumn", "endLine", "endColumn"} <= place["region"].keys()
