"""The component for GitLab: its script, run with the variables of a pipeline."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from blastdoor import __version__

ROOT = Path(__file__).resolve().parent.parent
CLOSED = """\
resource "aws_db_instance" "orders" {
  deletion_protection = true
}
"""
OPEN = CLOSED.replace("true", "false")
STOCK = OPEN.replace("orders", "stock")
SHELL = shutil.which("sh") or ""

pytestmark = pytest.mark.skipif(os.name == "nt" or not SHELL, reason="the shell is that of Unix")


def template() -> tuple[dict[str, Any], dict[str, Any]]:
    """The inputs of the component and its job."""
    if not (ROOT / "templates").exists():
        pytest.skip("the component stands in the repository only")
    head, body = yaml.safe_load_all((ROOT / "templates/blastdoor.yml").read_text("utf-8"))
    return head["spec"]["inputs"], body["blastdoor"]


class Pipeline:
    """A project with the job of the component."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.folder.mkdir()
        self.programs = folder / "programs"
        self.programs.mkdir()
        program = self.programs / "blastdoor"
        program.write_text(
            f'#!/bin/sh\nPYTHONPATH="{ROOT / "analyzer"}" exec "{sys.executable}" -m blastdoor "$@"\n'
        )
        program.chmod(0o755)
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str) -> str:
        who = ("-c", "user.name=author", "-c", "user.email=author@example.com")
        return subprocess.run(
            ["git", *who, "-c", "commit.gpgsign=false", *words],
            cwd=self.folder,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def commit(self, files: dict[str, str]) -> str:
        for name, text in files.items():
            (self.folder / name).write_text(text)
        self.git("add", "-A")
        self.git("commit", "-qm", "change")
        return self.git("rev-parse", "HEAD")

    def run(self, variables: dict[str, str], **inputs: str) -> tuple[int, str]:
        """The exit code and the log of the job."""
        known, job = template()
        given = {name: entry["default"] for name, entry in known.items()}
        given |= {name.replace("_", "-"): value for name, value in inputs.items()}

        def value(text: str) -> str:
            for name, replacement in given.items():
                text = text.replace(f"$[[ inputs.{name} ]]", replacement)
            return text

        (script,) = job["script"]
        done = subprocess.run(
            [SHELL, "-c", script],
            cwd=self.folder,
            env={
                "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}",
                "HOME": str(self.programs),
                "CI": "true",
                "CI_PROJECT_DIR": str(self.folder),
                **{name: value(text) for name, text in job["variables"].items()},
                **variables,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    def report(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text())


PUSH: Final = {"CI_PIPELINE_SOURCE": "push"}


def request(base: str, head: str) -> dict[str, str]:
    return {
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_COMMIT_SHA": head,
    }


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    return Pipeline(tmp_path)


def test_inputs_reach_the_shell_through_variables_only() -> None:
    inputs, job = template()

    assert "$[[" not in job["script"][0] + "".join(job["before_script"])
    assert all(entry["description"] for entry in inputs.values())
    assert inputs["package"]["default"] == f"blastdoor=={__version__}"


def test_the_default_branch_counts_everything(pipeline: Pipeline) -> None:
    pipeline.commit({"main.tf": OPEN})

    code, log = pipeline.run(PUSH)

    assert code == 1
    assert "deletion-protection-off" in log
    quality = pipeline.report("gl-code-quality-report.json")
    assert {one["location"]["path"] for one in quality} == {"main.tf"}
    assert pipeline.report("blastdoor.sarif")["version"] == "2.1.0"


def test_a_merge_request_fails_by_what_it_brings(pipeline: Pipeline) -> None:
    base = pipeline.commit({"main.tf": CLOSED, "stock.tf": STOCK})
    head = pipeline.commit({"main.tf": OPEN})

    code, log = pipeline.run(request(base, head))

    assert code == 1
    assert "aws_db_instance.orders" in log
    assert "aws_db_instance.stock" not in log
    assert "deletion" in (pipeline.folder / "blastdoor.md").read_text()
    places = [one["location"]["path"] for one in pipeline.report("gl-code-quality-report.json")]
    assert {"main.tf", "stock.tf"} == set(places)


def test_a_merge_request_that_brings_nothing_passes(pipeline: Pipeline) -> None:
    base = pipeline.commit({"main.tf": OPEN})
    head = pipeline.commit({"other.tf": 'variable "x" {}\n'})

    assert pipeline.run(request(base, head))[0] == 0
    assert pipeline.run(request(base, head), merge_requests="check")[0] == 1


def test_the_gate_of_a_merge_request(pipeline: Pipeline) -> None:
    base = pipeline.commit({"main.tf": CLOSED})
    pipeline.git("update-ref", "refs/remotes/origin/main", base)
    pipeline.git("checkout", "-q", "-b", "change")
    head = pipeline.commit({"main.tf": OPEN})

    code, log = pipeline.run(request(base, head), merge_requests="gate")

    assert code == 1, log
    assert "closed" in (pipeline.folder / "blastdoor.md").read_text()


def test_what_cannot_be_analysed_fails(pipeline: Pipeline) -> None:
    base = pipeline.commit({"main.tf": CLOSED})
    head = pipeline.commit({"broken.tf": 'resource "a" {\n'})

    code, log = pipeline.run(request(base, head))

    assert code == 2
    assert "broken.tf" in log


def test_an_input_is_data(pipeline: Pipeline, tmp_path: Path) -> None:
    pipeline.commit({"main.tf": CLOSED})
    evil = f"'; touch {tmp_path}/evil; $(touch {tmp_path}/evil) *"

    for name in ("path", "args", "fail_on"):
        assert pipeline.run(PUSH, **{name: evil})[0] == 2

    assert not (tmp_path / "evil").exists()
