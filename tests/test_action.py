"""The GitHub action: the shell of its steps, run with the surroundings of a runner."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
ACTION: Final[dict[str, Any]] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS: Final = {step["name"]: step for step in ACTION["runs"]["steps"]}
BASH = shutil.which("bash") or ""
CLOSED = """\
resource "aws_db_instance" "orders" {
  deletion_protection = true
  lifecycle {
    prevent_destroy = true
  }
}
"""
OPEN = CLOSED.replace("true", "false")
NOW: Final = {
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
}

pytestmark = pytest.mark.skipif(os.name == "nt" or not BASH, reason="the shell is bash")


class Ran(NamedTuple):
    """What a step has left behind."""

    code: int
    log: str
    """What the runner reads."""
    summary: str
    outputs: dict[str, str]

    @property
    def text(self) -> str:
        """The log without the parts in which the runner obeys."""
        return "\n".join(
            re.findall(
                r"^::stop-commands::(\w+)$(.*?)^::\1::$", self.log, re.MULTILINE | re.DOTALL
            )[0]
        )

    @property
    def commands(self) -> list[str]:
        """What the runner obeys."""
        left = re.sub(
            r"^::stop-commands::(\w+)$.*?^::\1::$", "", self.log, flags=re.MULTILINE | re.DOTALL
        )
        return [line for line in left.splitlines() if line]

    @property
    def found(self) -> list[str]:
        """The rules in the SARIF file."""
        log = json.loads(Path(self.outputs["sarif-file"]).read_text("utf-8"))
        return [result["ruleId"] for result in log["runs"][0]["results"]]


class Runner:
    """A checkout on a runner."""

    def __init__(self, folder: Path) -> None:
        self.temp = folder / "temp"
        self.origin = folder / "origin"
        self.work = folder / "work"
        self.temp.mkdir(parents=True)
        self.origin.mkdir()
        self.git("init", "-q", "-b", "main", cwd=self.origin)

    def git(self, *words: str, cwd: Path | None = None) -> str:
        settings = ("user.name=author", "user.email=author@example.com", "commit.gpgsign=false")
        flags = [word for setting in settings for word in ("-c", setting)]
        return subprocess.run(
            ["git", *flags, *words],
            cwd=cwd or self.work,
            env={**os.environ, **NOW},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def commit(self, files: dict[str, str], message: str = "change") -> str:
        for name, text in files.items():
            file = self.origin / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        self.git("add", "-A", cwd=self.origin)
        self.git("commit", "-qm", message, cwd=self.origin)
        return self.git("rev-parse", "HEAD", cwd=self.origin)

    def merge_ref(self, base: str, head: str) -> str:
        """The commit with which GitHub tries the merge of a pull request."""
        tree = self.git("rev-parse", f"{head}^{{tree}}", cwd=self.origin)
        merged = self.git(
            *("commit-tree", tree, "-p", base, "-p", head, "-m", "Merge\n\nparent of nothing"),
            cwd=self.origin,
        )
        self.git("update-ref", "refs/pull/1/merge", merged, cwd=self.origin)
        return merged

    def checkout(self, ref: str, *, depth: int | None = None) -> None:
        """What actions/checkout does with ``fetch-depth``."""
        self.work.mkdir()
        self.git("init", "-q")
        self.git("remote", "add", "origin", self.origin.as_uri())
        self.git("config", "uploadpack.allowAnySHA1InWant", "true", cwd=self.origin)
        if depth is None:
            self.git(
                "fetch", "-q", "origin", "+refs/heads/*:refs/remotes/origin/*", f"+{ref}:refs/x"
            )
        else:
            self.git("fetch", "-q", f"--depth={depth}", "origin", f"+{ref}:refs/x")
        self.git("checkout", "-q", "--detach", "refs/x")

    def environment(
        self, event: dict[str, str], inputs: dict[str, str], head: str
    ) -> dict[str, str]:
        """The environment of a runner; the variables of a step come on top."""
        given = {name: entry["default"] for name, entry in ACTION["inputs"].items()} | inputs
        known = {f"inputs.{name}": value for name, value in given.items()} | {
            "github.action_path": str(ROOT),
            "github.event.pull_request.head.sha": head,
        }

        def value(text: str) -> str:
            return re.sub(r"\$\{\{ (\S+) \}\}", lambda match: known[match[1]], text)

        step = {name: value(text) for name, text in STEPS["Check"]["env"].items()}
        kept = {"PATH": os.environ["PATH"], "HOME": str(self.temp), "LC_ALL": "C.UTF-8"}
        return {
            **kept,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(self.temp / "output"),
            "GITHUB_STEP_SUMMARY": str(self.temp / "summary"),
            "RUNNER_TEMP": str(self.temp),
            **event,
            **step,
        }

    def install(self) -> None:
        """Effect: puts the checkout's own blastdoor to where the step looks for the installed one."""
        program = self.temp / "blastdoor-env/bin/blastdoor"
        program.parent.mkdir(parents=True)
        program.write_text(
            f'#!/bin/sh\nPYTHONPATH="{ROOT / "analyzer"}" exec "{sys.executable}" -m blastdoor "$@"\n'
        )
        program.chmod(0o755)

    def check(
        self, event: dict[str, str], inputs: dict[str, str] | None = None, head: str = ""
    ) -> Ran:
        for name in ("output", "summary"):
            (self.temp / name).write_text("")
        done = subprocess.run(
            [BASH, "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS["Check"]["run"]],
            cwd=self.work,
            env=self.environment(event, inputs or {}, head),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        lines = (self.temp / "output").read_text().splitlines()
        summary = (self.temp / "summary").read_text().replace("\\_", "_")
        outputs = dict(line.split("=", 1) for line in lines)
        return Ran(done.returncode, done.stdout, summary, outputs)


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    made = Runner(tmp_path)
    made.install()
    return made


PUSH: Final = {"GITHUB_EVENT_NAME": "push"}


def pull(sha: str, base: str = "main") -> dict[str, str]:
    return {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_SHA": sha, "GITHUB_BASE_REF": base}


@pytest.fixture
def opened(runner: Runner) -> Callable[..., tuple[str, str]]:
    """A pull request that opens one of two databases: its merge commit and its head."""

    def make(*, depth: int | None = None) -> tuple[str, str]:
        stock = OPEN.replace("orders", "stock")
        base = runner.commit({"main.tf": CLOSED, "stock.tf": stock})
        runner.git("checkout", "-q", "-b", "change", cwd=runner.origin)
        head = runner.commit({"main.tf": OPEN})
        merged = runner.merge_ref(base, head)
        runner.checkout("refs/pull/1/merge", depth=depth)
        return merged, head

    return make


def test_a_push_counts_everything(runner: Runner) -> None:
    runner.commit({"main.tf": OPEN})
    runner.checkout("refs/heads/main", depth=1)

    ran = runner.check(PUSH)

    assert ran.code == 1
    assert "deletion-protection-off" in ran.found
    assert "deletion-protection-off" in ran.text
    assert (ran.summary, ran.commands) == ("", [])


def test_a_level_that_is_not_reached(runner: Runner) -> None:
    runner.commit({"main.tf": OPEN})
    runner.checkout("refs/heads/main", depth=1)

    assert runner.check(PUSH, {"fail-on": "never"}).code == 0


@pytest.mark.parametrize("depth", [None, 1, 2])
def test_a_pull_request_fails_by_what_it_brings(
    runner: Runner, opened: Callable[..., tuple[str, str]], depth: int | None
) -> None:
    merged, _head = opened(depth=depth)

    ran = runner.check(pull(merged))

    assert ran.code == 1, ran.log
    assert ran.summary.startswith("### 2 widenings\n")
    assert "aws_db_instance.orders" in ran.summary
    assert "aws_db_instance.stock" not in ran.summary
    assert {re.sub(r".* file=([^,]*).*", r"\1", line) for line in ran.commands} == {"main.tf"}
    assert all(line.startswith(("::error ", "::warning ")) for line in ran.commands)
    assert ran.found.count("deletion-protection-off") == 2


def test_a_pull_request_that_brings_nothing_passes(runner: Runner) -> None:
    base = runner.commit({"main.tf": OPEN})
    runner.git("checkout", "-q", "-b", "change", cwd=runner.origin)
    head = runner.commit({"other.tf": 'variable "x" {}\n'})
    merged = runner.merge_ref(base, head)
    runner.checkout("refs/pull/1/merge", depth=1)

    ran = runner.check(pull(merged))

    assert (ran.code, ran.commands) == (0, [])
    assert ran.found


def test_a_head_that_was_checked_out_itself(
    runner: Runner, opened: Callable[..., tuple[str, str]]
) -> None:
    merged, head = opened()
    runner.git("checkout", "-q", "--detach", head)

    ran = runner.check(pull(merged), {"annotations": "false"})

    assert (ran.code, ran.commands) == (1, [])
    assert "aws_db_instance.orders" in ran.summary


def test_a_history_that_is_too_short_is_said(runner: Runner) -> None:
    runner.commit({"main.tf": CLOSED})
    runner.git("checkout", "-q", "-b", "change", cwd=runner.origin)
    runner.commit({"a.tf": ""})
    runner.commit({"main.tf": OPEN})
    runner.git("checkout", "-q", "main", cwd=runner.origin)
    runner.commit({"b.tf": ""})
    runner.checkout("refs/heads/change", depth=1)

    ran = runner.check(pull("0" * 40))

    assert ran.code == 2
    assert "fetch-depth: 0" in ran.commands[-1]


def test_the_gate_is_closed_until_somebody_has_said_yes(
    runner: Runner, opened: Callable[..., tuple[str, str]]
) -> None:
    merged, head = opened()

    ran = runner.check(pull(merged), {"pull-requests": "gate"}, head)

    assert ran.code == 1
    assert "closed" in ran.summary


def test_one_folder_of_a_repository(runner: Runner) -> None:
    runner.commit({"a b/main.tf": OPEN, "other/main.tf": OPEN})
    runner.checkout("refs/heads/main", depth=1)

    ran = runner.check(PUSH, {"path": "a b", "args": "--select deletion-protection-off"})

    assert (ran.code, ran.found) == (1, ["deletion-protection-off"])


def test_an_input_is_data(runner: Runner, tmp_path: Path) -> None:
    runner.commit({"main.tf": CLOSED})
    runner.checkout("refs/heads/main", depth=1)
    evil = f'"; touch {tmp_path}/evil; $(touch {tmp_path}/evil) `touch {tmp_path}/evil`'

    for name in ("path", "args", "fail-on", "pull-requests"):
        assert runner.check(PUSH, {name: evil}).code == 2

    assert not (tmp_path / "evil").exists()


def test_analysed_files_give_the_runner_no_commands(runner: Runner) -> None:
    text = OPEN.replace("false", "false # ##[error]x ::error::y", 1)
    runner.commit({"main.tf": text})
    runner.checkout("refs/heads/main", depth=1)

    ran = runner.check(PUSH)

    assert "##[error]x" in ran.text
    assert ran.commands == []


def test_what_cannot_be_analysed_fails_a_pull_request(runner: Runner) -> None:
    base = runner.commit({"main.tf": CLOSED})
    runner.git("checkout", "-q", "-b", "change", cwd=runner.origin)
    head = runner.commit({"broken.tf": 'resource "a" {\n'})
    merged = runner.merge_ref(base, head)
    runner.checkout("refs/pull/1/merge")

    ran = runner.check(pull(merged))

    assert ran.code == 2
    assert "broken.tf" in ran.log


@pytest.mark.full
def test_the_action_installs_itself(runner: Runner) -> None:
    runner.commit({"main.tf": OPEN})
    runner.checkout("refs/heads/main", depth=1)
    shutil.rmtree(runner.temp / "blastdoor-env")
    subprocess.run(
        [BASH, "-eo", "pipefail", "-c", STEPS["Install"]["run"]],
        env={**os.environ, "RUNNER_TEMP": str(runner.temp), "VERSION": "", "SOURCE": str(ROOT)},
        check=True,
    )

    assert runner.check(PUSH).code == 1
