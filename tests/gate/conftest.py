"""A repository with people in it: authors, agents, reviewers, each with their own commits."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from blastdoor.cli import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

if shutil.which("git") is None:
    pytest.skip("git is not on the path", allow_module_level=True)

AUTHOR = ("An Author", "author@example.com")
REVIEWER = ("A Reviewer", "reviewer@example.com")
OTHER = ("Another Person", "other@example.com")
AGENT = ("Cursor Agent", "cursoragent@cursor.com")
BOT = ("dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com")

POLICY = '[gate]\nreviewers = ["reviewer@example.com"]\n'
BASE = """\
provider "aws" {
  region = "cn-north-1"
}

variable "regions" {
  default = ["cn-north-1"]
}

resource "aws_sqs_queue" "orders" {
  for_each = toset(var.regions)
  region   = each.value
  name     = "orders"
}

resource "aws_db_instance" "orders" {
  identifier          = "orders"
  deletion_protection = true
}
"""
WIDER = BASE.replace('default = ["cn-north-1"]', 'default = ["cn-north-1", "cn-northwest-1"]')
WIDEST = BASE.replace(
    'default = ["cn-north-1"]', 'default = ["cn-north-1", "cn-northwest-1", "us-east-1"]'
)
UNPROTECTED = BASE.replace("deletion_protection = true", "deletion_protection = false")

Who = tuple[str, str]


class Outcome(NamedTuple):
    """What the gate said."""

    code: int
    data: dict[str, Any]
    err: str

    @property
    def problems(self) -> list[str]:
        """The review rules that close it, in order."""
        return [p["rule"] for one in self.data["gated"] for p in one["problems"]]

    @property
    def needed(self) -> list[str]:
        """The rules of what needs a word."""
        return [one["rule"] for one in self.data["gated"] if not one["accepted"]]


class Story:
    """One repository and the people who commit to it."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._capsys = capsys
        root.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, who: Who = AUTHOR, committer: Who | None = None) -> str:
        """What a git command prints. Nothing of the machine's own configuration plays a part."""
        plain = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        by = committer or who
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env={
                **plain,
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_AUTHOR_NAME": who[0],
                "GIT_AUTHOR_EMAIL": who[1],
                "GIT_COMMITTER_NAME": by[0],
                "GIT_COMMITTER_EMAIL": by[1],
            },
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def commit(
        self,
        files: Mapping[str, str | None],
        *,
        who: Who = AUTHOR,
        message: str = "a change",
        committer: Who | None = None,
    ) -> str:
        """The id of a commit that writes some files, or takes them away."""
        for name, text in files.items():
            path = self.root / name
            if text is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self.git("add", "-A", who=who)
        self.git("commit", "-q", "--allow-empty", "-m", message, who=who, committer=committer)
        return self.git("rev-parse", "HEAD")

    def branch(self, name: str = "change") -> None:
        """Effect: begins a branch."""
        self.git("checkout", "-q", "-b", name)

    def gate(self, *arguments: str, base: str = "main", head: str = "HEAD") -> Outcome:
        """What the gate says of a change."""
        self._capsys.readouterr()
        code = run(["gate", base, head, "--format", "json", *arguments])
        out, err = self._capsys.readouterr()
        return Outcome(code, json.loads(out) if out else {}, err)

    def ack(self, *arguments: str, who: Who = REVIEWER, base: str = "main") -> Outcome:
        """What `ack` says; the record is written, not committed."""
        self._capsys.readouterr()
        code = run(
            [
                *("ack", base, "HEAD", "--reviewer", f"{who[0]} <{who[1]}>"),
                *("--reason", "needed: the second region", "--rollback", "revert, apply"),
                *arguments,
            ]
        )
        out, err = self._capsys.readouterr()
        return Outcome(code, {"out": out}, err)

    def records(self) -> dict[str, str]:
        """Path → text of the records in the work tree."""
        folder = self.root / ".blastdoor" / "acks"
        return {
            path.relative_to(self.root).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(folder.glob("*"))
        }

    def acknowledged(
        self, *arguments: str, who: Who = REVIEWER, message: str = "acknowledge"
    ) -> None:
        """Effect: somebody acknowledges everything and commits it."""
        said = self.ack(*arguments, who=who)
        assert said.code == 0, said
        self.commit({}, who=who, message=message)


@pytest.fixture(autouse=True)
def same_recursion_limit() -> Iterator[None]:
    """The program raises the limit for itself."""
    limit = sys.getrecursionlimit()
    yield
    sys.setrecursionlimit(limit)


@pytest.fixture
def story(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Story]:
    """A repository whose main branch holds some files, with the change's branch begun."""

    def begin(files: Mapping[str, str] | None = None) -> Story:
        one = Story(tmp_path / "repository", capsys)
        base = {"live/main.tf": BASE, "blastdoor.toml": POLICY}
        one.commit({**base, **(files or {})}, who=OTHER)
        one.branch()
        monkeypatch.chdir(one.root)
        return one

    return begin
