"""Every line of a ``sh`` block in README and docs is run, in the order of its page.

A page has a repository of its own, which holds what its lines speak of. What cannot run here stands in
LEFT_OUT with the reason; a line that is neither is a failure.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES: Final = tuple(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
)
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)

LEFT_OUT: Final = {
    r"python3 -m venv .*": "installs from a package index; .ci/run and the action's test do",
    r"pip install .*": "installs from a package index",
    r"cd editors/vscode && npm run package .*": "needs npm and an editor; .ci/run packages it",
    r"blastdoor lsp": "serves until its client leaves; tests/server talks to it",
    r"terraform .*": "needs terraform and a cloud; tests/test_plan_sources.py has plans",
    r"blastdoor check plan\.json": "needs the plan that terraform has written",
    r"blastdoor diff plan\.json.*": "needs the plan that terraform has written",
    r"reviewdog .*": "another program, which need not be here",
    r"checkov .*": "another program; tests/test_export.py runs it",
    r"blastdoor check --with checkov .*": "needs Checkov; tests/test_consumers.py runs it",
    r"blastdoor audit github:.*": "asks a forge; tests/audit/test_sources.py has a local one",
    r"blastdoor audit .*--engine dask.*": "needs the extra `dask`; tests/audit/test_cluster.py runs it",
    r"blastdoor audit --resume": "needs a broken audit; tests/audit/test_audit.py has some",
    r"sqlite3 .*": "another program, which need not be here",
    r"blastdoor ack .*": "asks on a terminal; tests/gate answers",
    r"git (add|commit) .*acks.*|git commit -m .*": "follows ack",
}
"""Line, as a pattern → why it does not run here."""
ELSEWHERE: Final = {"docs/custom-rules.md": "tests/test_custom_rules_page.py"}
"""Pages whose lines another test runs with all that they say."""

BEFORE: Final = """\
resource "aws_db_instance" "orders" {
  deletion_protection = true
}
"""
AFTER: Final = BEFORE.replace("true", "false")


def lines(page: str) -> list[str]:
    """The command lines of a page: a loop is one, and so is what a backslash continues."""
    found: list[str] = []
    for text in BLOCK.findall((ROOT / page).read_text("utf-8")):
        loop: list[str] = []
        for line in text.replace("\\\n", " ").splitlines():
            if line.startswith("for ") or loop:
                loop.append(line)
                if line == "done":
                    found.append("\n".join(loop))
                    loop = []
            elif line.strip():
                found.append(re.sub(r"\s+# .*$", "", line))
    return found


def reason(line: str) -> str | None:
    """Why a line does not run here."""
    return next((why for form, why in LEFT_OUT.items() if re.fullmatch(form, line)), None)


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=author", "-c", "user.email=author@example.com")
    subprocess.run(["git", *who, "-c", "commit.gpgsign=false", *words], cwd=folder, check=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A branch that opens a database, and the folders that pages name."""
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    shutil.copytree(ROOT / "fixtures/incident", root / "fixtures/incident")
    (root / "main.tf").write_text(BEFORE)
    for name in ("before", "after", "live", "repositories/one", "clones/one", "clones/two"):
        (root / name).mkdir(parents=True)
        (root / name / "main.tf").write_text(BEFORE)
    (root / "repositories.csv").write_text("source\nclones/one\nclones/two\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "begin")
    git(root, "update-ref", "refs/remotes/origin/main", "HEAD")
    git(root, "checkout", "-q", "-b", "change")
    (root / "main.tf").write_text(AFTER)
    git(root, "commit", "-qam", "open it")
    return root


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    program = tmp_path / "programs/blastdoor"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH="{ROOT / "analyzer"}" exec "{sys.executable}" -m blastdoor "$@"\n'
    )
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}


@pytest.mark.skipif(os.name == "nt", reason="the shell is that of Unix")
@pytest.mark.parametrize("page", [p for p in PAGES if p not in ELSEWHERE and lines(p)])
def test_the_lines_of_a_page_run(page: str, repository: Path, environment: dict[str, str]) -> None:
    for line in lines(page):
        if reason(line) is not None:
            continue
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=repository,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        # 1 says that something was found, or that the gate is closed; 3 that no rule can be exported.
        usual = {0, 3} if line.startswith("blastdoor export") else {0, 1}
        assert done.returncode in usual, f"{page}: {line}\n{done.stdout}{done.stderr}"
        assert "internal error" not in done.stderr


def test_every_reason_is_needed() -> None:
    every = [line for page in PAGES for line in lines(page)]

    unused = [form for form in LEFT_OUT if not any(re.fullmatch(form, line) for line in every)]
    assert unused == []
    assert all((ROOT / test).exists() for test in ELSEWHERE.values())
