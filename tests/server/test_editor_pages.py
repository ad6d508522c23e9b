"""The set-up pages: every block is of its language and names what there is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from blastdoor.cli.commands import cli

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = sorted((ROOT / "docs/editors").glob("*.md"))
PACKAGE = json.loads((ROOT / "editors/vscode/package.json").read_text(encoding="utf-8"))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return [block for name, block in FENCE.findall(text) if name == language]


def page(name: str) -> Path:
    return ROOT / "docs/editors" / f"{name}.md"


def test_there_is_a_page_for_each_editor() -> None:
    assert [one.stem for one in PAGES] == ["helix", "jetbrains", "neovim", "vscode", "zed"]
    assert "lsp" in cli.commands


def test_helix_starts_the_server_and_keeps_its_own() -> None:
    first, second = (tomllib.loads(block) for block in blocks(page("helix"), "toml"))
    assert first["language-server"]["blastdoor"] == {"command": "blastdoor", "args": ["lsp"]}
    for language in first["language"]:
        assert set(language["language-servers"]) == {"terraform-ls", "blastdoor"}
    assert second["language-server"]["blastdoor"]["config"]["pedantic"] is True


def test_zed_and_jetbrains_take_the_settings_of_the_server() -> None:
    (zed,) = (json.loads(block) for block in blocks(page("zed"), "json"))
    server = zed["lsp"]["terraform-ls"]
    assert server["binary"]["arguments"] == ["lsp"]
    (jetbrains,) = (json.loads(block) for block in blocks(page("jetbrains"), "json"))
    for given in (server["initialization_options"], jetbrains):
        assert given.keys() <= {"configFile", "select", "ignore", "pedantic"}


def test_the_settings_of_vs_code_are_those_of_the_extension() -> None:
    known = PACKAGE["contributes"]["configuration"]["properties"]
    (shown,) = (json.loads(block) for block in blocks(page("vscode"), "json"))
    assert shown.keys() <= known.keys()
    assert "package" in PACKAGE["scripts"]
    limits = PACKAGE["capabilities"]["untrustedWorkspaces"]
    assert limits["supported"] == "limited"
    assert {"blastdoor.path", "blastdoor.interpreter"} <= set(limits["restrictedConfigurations"])
    assert set(limits["restrictedConfigurations"]) <= known.keys()


@pytest.mark.skipif(shutil.which("nvim") is None, reason="Neovim (nvim) is not installed")
def test_the_lua_of_the_page_is_lua(tmp_path: Path) -> None:
    for number, block in enumerate(blocks(page("neovim"), "lua")):
        file = tmp_path / f"{number}.lua"
        file.write_text(block, encoding="utf-8")
        look = f"lua assert(loadfile({json.dumps(str(file))}))"
        run = subprocess.run(
            ["nvim", "--headless", "-u", "NONE", "-c", look, "-c", "qall!"],
            capture_output=True,
            encoding="utf-8",
            timeout=30,
            check=False,
        )
        assert not run.stderr.strip(), run.stderr
