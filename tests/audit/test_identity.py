"""What stands for the content of a folder, and what tells that somebody writes to it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from blastdoor import engine
from blastdoor.audit.identity import engine_digest, folder_digest, folder_state
from blastdoor.audit.setup import TREE, Setup, Target
from blastdoor.audit.work import FAILED, Desk, Job, work

if TYPE_CHECKING:
    from pathlib import Path

    from blastdoor.finding import Report


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one file and a folder."""
    (tmp_path / "main.tf").write_text('provider "aws" {\n  region = "eu-west-1"\n}\n')
    (tmp_path / "below").mkdir()
    return tmp_path


def test_nothing_written(folder: Path) -> None:
    """Both stay as they are when nothing is written."""
    assert folder_state(str(folder)) == folder_state(str(folder))
    assert folder_digest(str(folder)) == folder_digest(str(folder))


def test_same_size_and_time(folder: Path) -> None:
    """A file of the same size whose time of change is put back is another one all the same."""
    file = folder / "main.tf"
    before, digest = file.stat(), folder_digest(str(folder))
    state = folder_state(str(folder))
    file.write_text(file.read_text().replace("west-1", "west-2"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert folder_state(str(folder)) != state
    assert folder_digest(str(folder)) != digest


@pytest.mark.parametrize("name", ["new.tf", "below/new.tf"])
def test_new_file(folder: Path, name: str) -> None:
    """A new file is noticed, also one further down."""
    state = folder_state(str(folder))
    (folder / name).write_text("")
    assert folder_state(str(folder)) != state


def test_written_while_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that changes while it is analysed gives no result, for none would be right."""
    check = engine.check

    def slow(*arguments: object, **options: object) -> Report:
        report = check(*arguments, **options)  # type: ignore[arg-type]  # handed on as they came
        (folder / "main.tf").write_text("# now this\n")
        return report

    monkeypatch.setattr(engine, "check", slow)
    setup = Setup(engine=engine_digest(()))
    outcome = work(Job(Target("one", TREE, str(folder)), setup, today="2026-11-28"), Desk())
    assert outcome["state"] == FAILED
    assert "changed while it was read" in outcome["reason"]["message"]
