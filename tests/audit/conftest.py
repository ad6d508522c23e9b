"""Repositories to audit, made on the spot."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

import blastdoor
from blastdoor.cli import run

Files = Mapping[str, str]
Make = Callable[[str, Files], Path]

ENVIRONMENT = {
    **{name: text for name, text in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "author",
    "GIT_AUTHOR_EMAIL": "author@example.com",
    "GIT_COMMITTER_NAME": "author",
    "GIT_COMMITTER_EMAIL": "author@example.com",
    "PYTHONPATH": str(Path(blastdoor.__file__).parent.parent),
}
EVERY = """\
data "aws_regions" "all" {}

resource "aws_cloudformation_stack_instances" "orders" {
  stack_set_name = "orders"
  accounts       = ["111122223333"]
  regions        = data.aws_regions.all.names
}
"""
ROLLOUT = """\
resource "aws_codedeploy_deployment_group" "orders" {
  app_name               = "orders"
  deployment_group_name  = "orders"
  service_role_arn       = "arn:aws:iam::111122223333:role/codedeploy"
  deployment_config_name = "CodeDeployDefault.AllAtOnce"
}
"""
QUEUE = 'provider "aws" {\n  region = "eu-west-1"\n}\n\nresource "aws_sqs_queue" "a" {}\n'
TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {}
      Policies:
        - PolicyName: all
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: "*", Resource: "*"}
"""
BROKEN = 'resource "aws_s3_bucket" "b" {\n  bucket = = "b"\n}\n'


def git(where: Path, *arguments: str, **more: str) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=where,
        env={**ENVIRONMENT, **more},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def write(where: Path, files: Files) -> None:
    for name, text in files.items():
        path = where / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def commit(where: Path, files: Files, message: str = "a change", **more: str) -> str:
    """The id of a commit with these files."""
    write(where, files)
    git(where, "add", "-A")
    git(where, "commit", "-q", "-m", message, **more)
    return git(where, "rev-parse", "HEAD")


@pytest.fixture(autouse=True)
def same_recursion_limit() -> Iterator[None]:
    """The program raises the limit for itself."""
    limit = sys.getrecursionlimit()
    yield
    sys.setrecursionlimit(limit)


@pytest.fixture
def clones(tmp_path: Path) -> Path:
    where = tmp_path / "clones"
    where.mkdir()
    return where


@pytest.fixture
def make(clones: Path) -> Make:
    """Makes a repository below ``clones``."""
    if shutil.which("git") is None:
        pytest.skip("git is not on the path")

    def made(name: str, files: Files) -> Path:
        where = clones / name
        where.mkdir(parents=True)
        git(where, "init", "-q", "-b", "main")
        commit(where, files)
        return where

    return made


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "CI", "BLASTDOOR_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


class Audits:
    """Runs audits into one store and reads it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.store = folder / "audit.sqlite"
        self._capsys = capsys
        self.err = ""
        self.out = ""

    def __call__(self, *arguments: object) -> int:
        code = run(["audit", *map(str, arguments), "--store", str(self.store), "--jobs", "2"])
        self.out, self.err = self._capsys.readouterr()
        return code

    def ask(self, name: str, *arguments: object) -> list[dict[str, object]]:
        words = ["audit", "query", name, "--store", str(self.store), "--format", "json"]
        code = run([*words, *map(str, arguments)])
        out, err = self._capsys.readouterr()
        assert code == 0, err
        rows: list[dict[str, object]] = json.loads(out)
        return rows

    def rows(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        connection = sqlite3.connect(self.store)
        try:
            return list(connection.execute(sql, values))
        finally:
            connection.close()


@pytest.fixture
def audits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Audits:
    return Audits(tmp_path, capsys)


def program(*arguments: object) -> list[str]:
    """The command that runs blastdoor in a process of its own."""
    return [sys.executable, "-m", "blastdoor", *map(str, arguments)]


TABLES = ("finding", "unit", "reach", "failure", "coverage", "gap", "owner", "agent")
_DUMP = {
    "finding": (
        "SELECT r.name, f.* FROM ledger l JOIN repository r ON r.id = l.repository"
        " JOIN finding f ON f.result = l.result WHERE l.audit = (SELECT max(id) FROM audit)"
    ),
    "reach": (
        "SELECT r.name, u.address, u.environment, u.resources, e.* FROM ledger l"
        " JOIN repository r ON r.id = l.repository JOIN unit u ON u.result = l.result"
        " JOIN reach e ON e.unit = u.id WHERE l.audit = (SELECT max(id) FROM audit)"
    ),
    "failure": (
        "SELECT r.name, f.* FROM ledger l JOIN repository r ON r.id = l.repository"
        " JOIN failure f ON f.result = l.result WHERE l.audit = (SELECT max(id) FROM audit)"
    ),
    "owner": (
        "SELECT r.name, o.* FROM ledger l JOIN repository r ON r.id = l.repository"
        " JOIN owner o ON o.result = l.result WHERE l.audit = (SELECT max(id) FROM audit)"
    ),
    "ledger": (
        'SELECT r.name, l.state, l."commit", l.kind, l.reason, s.key FROM ledger l'
        " JOIN repository r ON r.id = l.repository LEFT JOIN result s ON s.id = l.result"
        " WHERE l.audit = (SELECT max(id) FROM audit)"
    ),
}
_IDS = frozenset({"id", "result", "unit_id"})


def dump(store: Path) -> dict[str, list[str]]:
    """What the newest audit of a store says, without the numbers of its rows."""
    connection = sqlite3.connect(store)
    connection.row_factory = sqlite3.Row
    try:
        found = {}
        for name, sql in _DUMP.items():
            rows = []
            for row in connection.execute(sql):
                own = _IDS | ({"unit"} if name == "reach" else set())
                rows.append(repr([(key, row[key]) for key in row.keys() if key not in own]))  # noqa: SIM118  a row yields values
            found[name] = sorted(rows)
        return found
    finally:
        connection.close()
