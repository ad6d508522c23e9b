"""A folder as the server holds it, without the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from blastdoor.cli.lsp import open_folder
from blastdoor.server import project
from blastdoor.server.project import Project, ScopeError, Settings, SupersededError

if TYPE_CHECKING:
    from pathlib import Path

OPEN = """resource "aws_security_group_rule" "ssh" {
  type        = "ingress"
  from_port   = 22
  to_port     = 22
  protocol    = "tcp"
  cidr_blocks = ["0.0.0.0/0"]
}
"""


def opened(root: Path, *folders: str) -> Project:
    for folder in folders:
        (root / folder).mkdir()
        (root / folder / "main.tf").write_text(OPEN, encoding="utf-8")
    return Project(open_folder(root, Settings()))


def test_in_a_large_folder_what_is_open_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project, "MANY", 2)
    held = opened(tmp_path, "a", "b", "c")
    buffers = {"b/main.tf": "\n" + OPEN}
    early = held.first(buffers, lambda: False)
    assert early is not None
    assert {finding.span.path for finding in early.report.findings} == {"b/main.tf"}
    whole = held.analyse(buffers, lambda: False)
    assert len(whole.report.findings) == 3
    assert whole.evaluated == 2  # b is known already
    assert held.first(buffers, lambda: False) is None


def test_nobody_waits_for_an_analysis_that_another_edit_has_overtaken(tmp_path: Path) -> None:
    held = opened(tmp_path, "a", "b")
    with pytest.raises(SupersededError):
        held.analyse({}, lambda: True)
    assert len(held.analyse({}, lambda: False).report.findings) == 2


def test_detectors_that_a_folder_names_are_refused(tmp_path: Path) -> None:
    (tmp_path / "blastdoor.toml").write_text('detectors = ["evil"]\n', encoding="utf-8")
    with pytest.raises(ScopeError, match="detectors"):
        open_folder(tmp_path, Settings())


def test_what_stands_in_the_files_is_looked_at_when_it_is_asked_for(tmp_path: Path) -> None:
    held = opened(tmp_path, "a", "b")
    result = held.analyse({}, lambda: False)
    assert result.things is None
    with pytest.raises(SupersededError):
        held.things(result, lambda: True)
    assert result.things is None
    assert {
        path: [thing.name for thing in found] for path, found in held.things(result).items()
    } == {
        "a/main.tf": ["aws_security_group_rule.ssh"],
        "b/main.tf": ["aws_security_group_rule.ssh"],
    }
    assert result.things is held.things(result)


def test_what_stands_in_the_files_is_that_of_its_own_analysis(tmp_path: Path) -> None:
    held = opened(tmp_path, "a")
    before = held.analyse({}, lambda: False)
    after = held.analyse({"a/main.tf": OPEN.replace("ssh", "other")}, lambda: False)
    for result, name in ((before, "ssh"), (after, "other"), (before, "ssh")):
        (thing,) = held.things(result)["a/main.tf"]
        assert thing.name == f"aws_security_group_rule.{name}"
