"""The editor and the command line say the same of every fixture and of the examples of every page."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from blastdoor import catalog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lsprotocol import types as lsp

ROOT = Path(__file__).resolve().parent.parent.parent
FIXTURES = sorted(path for path in (ROOT / "fixtures").iterdir() if path.is_dir())
WORDS = {1: "error", 2: "warning", 3: "note"}

Said = tuple[str, str, int, int, int, int, str]


def command_line(root: Path) -> list[Said]:
    """What `check` finds in a folder, by path, place and level."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "analyzer")}
    run = subprocess.run(
        [sys.executable, "-m", "blastdoor", "check", str(root), "--format", "sarif"],
        cwd=root,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert run.returncode in (0, 1, 2), run.stderr
    found = []
    for result in json.loads(run.stdout)["runs"][0]["results"]:
        place = result["locations"][0]["physicalLocation"]
        region = place["region"]
        found.append(
            (
                place["artifactLocation"]["uri"],
                result["ruleId"],
                region["startLine"],
                region["startColumn"],
                region["endLine"],
                region["endColumn"],
                result["level"],
            )
        )
    return sorted(found)


def in_editor(
    root: Path, diagnostics: Mapping[str, list[lsp.Diagnostic]], rules: Any
) -> list[Said]:
    """What was pushed, in the same form."""
    found = []
    for uri, said in diagnostics.items():
        path = uri.removeprefix(f"{root.as_uri()}/")
        for one in said:
            if one.code not in rules:
                continue  # something that could not be analysed
            start, end = one.range.start, one.range.end
            assert one.severity is not None
            level = WORDS[int(one.severity)]
            place = (start.line + 1, start.character + 1, end.line + 1, end.character + 1)
            found.append((path, str(one.code), *place, level))
    return sorted(found)


def pushed(editor: Callable[..., Any], files: Mapping[str, str]) -> dict[str, list[lsp.Diagnostic]]:
    async def scenario() -> dict[str, list[lsp.Diagnostic]]:
        async with editor(files) as client:
            client.open("zz_last.tf", "")
            await client.hover("zz_last.tf", 0, 0)
            found: dict[str, list[lsp.Diagnostic]] = client.diagnostics
            return found

    return asyncio.run(scenario())


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.name)
def test_every_fixture(editor: Callable[..., Any], tmp_path: Path, fixture: Path) -> None:
    root = (tmp_path / "work").resolve()
    shutil.copytree(fixture, root)
    expected = command_line(root)
    assert expected
    assert in_editor(root, pushed(editor, {}), catalog.load()) == expected


def test_the_examples_of_every_page_at_once(editor: Callable[..., Any], tmp_path: Path) -> None:
    rules = catalog.load()
    files = {}
    for rule in rules:
        for number, block in enumerate(rule.blocks):
            for path, text in block.files.items():
                files[f"pages/{rule.id}/{number}/{path}"] = text
    found = pushed(editor, files)
    root = (tmp_path / "work").resolve()
    expected = command_line(root)
    assert len(expected) > len(rules) / 2
    assert in_editor(root, found, rules) == [(path, *place) for path, *place in expected]
