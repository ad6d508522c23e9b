"""A real editor as client: headless Neovim, where it is installed (`.ci/run full` installs it)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
REQUIRED = os.environ.get("BLASTDOOR_REQUIRE_NEOVIM") == "1"
DATABASE = 'resource "aws_db_instance" "main" {\n  deletion_protection = false\n}\n'


@pytest.mark.full
@pytest.mark.skipif(
    not REQUIRED and shutil.which("nvim") is None, reason="Neovim (nvim) is not installed"
)
def test_neovim_shows_a_finding_and_takes_its_fix(tmp_path: Path) -> None:
    file = tmp_path / "main.tf"
    file.write_text(DATABASE, encoding="utf-8")
    run = subprocess.run(
        ["nvim", "--headless", "-u", "NONE", "-n", "-c", f"luafile {HERE / 'neovim/drive.lua'}"],
        env={
            **os.environ,
            "BLASTDOOR_PYTHON": sys.executable,
            "BLASTDOOR_FILE": str(file),
            "PYTHONPATH": str(ROOT / "analyzer"),
            "XDG_STATE_HOME": str(tmp_path / "state"),
        },
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    lines = [line for line in run.stdout.splitlines() if line.startswith("{")]
    assert lines, run.stdout + run.stderr
    said = json.loads(lines[-1])
    assert said.get("error") is None, said
    assert (said["code"], said["line"]) == ("deletion-protection-off", 1)
    assert "How to fix" in said["hover"]
    assert "Suppress deletion-protection-off with a reason" in said["titles"]
    assert "deletion_protection = true" in said["text"]
