"""docs/custom-rules.md does what it says: its commands run in its order, on its files."""

from __future__ import annotations

import re
import shlex
import sys
import tomllib
from pathlib import Path

import pytest

from blastdoor import catalog
from blastdoor.cli import main

PAGE = (Path(__file__).parent.parent / "docs" / "custom-rules.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^(`{3,4})(\w+)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
BLOCKS = [(found[2], found[3]) for found in FENCE.finditer(PAGE)]
CODES = {"blastdoor check --select database-without-backups --no-snippets --quiet": 1}
"""The exit codes that are not 0."""
AFTER = BLOCKS.index(next(block for block in BLOCKS if block[0] == "python"))


def blocks(kind: str) -> list[str]:
    return [text for found, text in BLOCKS if found == kind]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "repo"
    (root / ".git").mkdir(parents=True)
    (root / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (root / "main.tf").write_text(blocks("hcl")[0])
    monkeypatch.chdir(root)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return root


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The distribution of the page, as an installer leaves it."""
    project = tomllib.loads(blocks("toml")[1])["project"]
    packages = tmp_path / "packages"
    info = packages / "acme_rules-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1.0\n"
    )
    [(group, names)] = project["entry-points"].items()
    lines = [f"{name} = {value}" for name, value in names.items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines]) + "\n")
    (packages / "acme_rules.py").write_text(blocks("python")[0])
    monkeypatch.setattr("blastdoor.cli.detectors.folders", lambda: [str(packages)])
    monkeypatch.setattr(sys, "path", [str(packages), *sys.path])
    monkeypatch.delitem(sys.modules, "acme_rules", raising=False)


def run(command: str, capsys: pytest.CaptureFixture[str]) -> tuple[object, str, str]:
    program, *arguments = shlex.split(command)
    assert program == "blastdoor"
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    return stopped.value.code, *capsys.readouterr()


@pytest.mark.usefixtures("distribution")
def test_every_command_in_order(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran = 0
    for number, (kind, text) in enumerate(BLOCKS):
        if kind == "markdown":
            (repository / "our-rules" / "database-without-backups.md").write_text(text)
        elif kind == "toml" and number < AFTER:
            (repository / "blastdoor.toml").write_text(text)
        elif kind == "sh":
            [command] = text.splitlines()
            code, out, err = run(command, capsys)
            last = command == "blastdoor check --detectors acme-rules"

            assert (code, err) == (1 if last else CODES.get(command, 0), ""), command
            expected = [text for kind, text in BLOCKS[number + 1 : number + 2] if kind == "text"]
            assert [out] == expected or not expected
            ran += 1

    assert ran == len(blocks("sh")) == 9


@pytest.mark.usefixtures("distribution")
def test_the_detector_finds_what_it_says(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(blocks("sh")[6], capsys)
    (repository / "blastdoor.toml").write_text(blocks("toml")[0])
    (repository / "queue.tf").write_text('resource "aws_sqs_queue" "a" {\n  name = "orders"\n}\n')

    done = run(f"{blocks('sh')[8]} --select queue-without-team --no-snippets -q", capsys)

    said = "queue.tf:1:1: warning[queue-without-team]: the queue orders does not say its team\n"
    assert done == (1, said, "")


@pytest.mark.parametrize("text", blocks("yaml"))
def test_every_match_is_one(text: str) -> None:
    page = blocks("markdown")[0]
    match = re.search(r"^match:\n(?:  .*\n)+", page, re.MULTILINE)
    assert match is not None

    rule = catalog.parse(page.replace(match[0], text), "our-rules/database-without-backups.md")

    assert rule.match is not None
    assert rule.match.conditions


def test_every_condition_and_key_has_a_row() -> None:
    from blastdoor.match import CONDITIONS

    rows = re.findall(r"^\| `([a-z-]+)", PAGE, re.MULTILINE)

    assert set(CONDITIONS) <= set(rows)
    keys = set(re.findall(r"^([a-z]+):", blocks("markdown")[0], re.MULTILINE))
    assert keys <= set(re.findall(r"`([a-z]+)`", PAGE))
