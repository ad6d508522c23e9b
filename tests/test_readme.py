"""What the README shows is what the tool does: commands, output, settings and the picture."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
import yaml

from blastdoor import catalog, config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [(match[1], match[2]) for match in FENCE.finditer(README)]
PICTURE = ("check", "fixtures/incident", "--select", "global-flag-enabled,every-region-target")
"""The run that docs/check.svg shows."""


class Shown(NamedTuple):
    """One ``blastdoor …`` of the README."""

    command: tuple[str, ...]
    """The words that name a command."""
    options: frozenset[str]


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


def command_lines() -> Iterator[str]:
    """Every command line of the README that runs blastdoor, from its first argument on."""
    for text in blocks("sh"):
        for line in text.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|\|\||[;|]", line):
                match = re.match(r"\s*(?:\S*/)?blastdoor\s+(?P<rest>.*)", part)
                if match is not None:
                    yield match["rest"]
    for match in re.finditer(r"`blastdoor ([^`]+)`", FENCE.sub("", README)):
        yield match[1]


def shown(line: str) -> Shown:
    words = shlex.split(line)
    command = words[:2] if words[0] == "rules" and len(words) > 1 else words[:1]
    options = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    return Shown(tuple(word for word in command if word[0] != "-"), frozenset(options))


def blastdoor(*arguments: str, colour: bool = False) -> subprocess.CompletedProcess[str]:
    """One run in the checkout, as a caller sees it."""
    environment = {
        **{name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "CI")},
        "FORCE_COLOR": "1" if colour else "0",
        "PYTHONPATH": str(ROOT / "analyzer"),
        "PYTHONUTF8": "1",
    }
    return subprocess.run(
        [sys.executable, "-m", "blastdoor", *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def picture_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("picture", ROOT / "docs" / "picture.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def in_checkout(path: str) -> Path:
    """A file that a source distribution does not carry."""
    if not (ROOT / ".ci").exists():
        pytest.skip(f"{path} stands in the repository only")
    return ROOT / path


def test_the_test_command_is_what_ci_runs() -> None:
    ci = in_checkout(".ci/run").read_text(encoding="utf-8")
    match = re.search(r'^readme_test="(.+)"$', ci, re.MULTILINE)
    assert match is not None

    assert [match[1]] == [
        line for text in blocks("sh") for line in text.splitlines() if line.endswith("pytest")
    ]


@pytest.mark.parametrize("line", sorted(set(command_lines())))
def test_every_command_line_stands_in_the_help(line: str) -> None:
    wanted = shown(line)
    done = blastdoor(*wanted.command, "--help")
    known = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", done.stdout))

    assert (done.returncode, sorted(wanted.options - known)) == (0, [])


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_link_leads_somewhere(path: str) -> None:
    assert in_checkout(path).exists()


def test_the_first_run_says_the_sentence() -> None:
    done = blastdoor("check", "fixtures/incident")
    (quoted,) = blocks("text")[:1]

    assert (done.returncode, quoted in done.stdout) == (1, True)


def test_the_picture_is_a_picture_of_this_version() -> None:
    script = in_checkout("docs/picture.py")
    done = blastdoor(*PICTURE, colour=True)
    svg = picture_script().terminal(f"blastdoor {' '.join(PICTURE)}", done.stdout, done.returncode)

    assert svg == (ROOT / "docs" / "check.svg").read_text(encoding="utf-8"), (
        f"stale: python {script.relative_to(ROOT)} docs/check.svg blastdoor {' '.join(PICTURE)}"
    )


def test_the_configuration_is_one() -> None:
    (text,) = blocks("toml")
    settings = config.parse(tomllib.loads(text), "README.md", trusted=False)
    rules = catalog.load()
    settings.check_rules([name for rule in rules for name in (rule.id, rule.code)])


def test_the_blocks_to_paste_fit_what_they_call() -> None:
    action = yaml.safe_load(in_checkout("action.yml").read_text(encoding="utf-8"))
    hooks = yaml.safe_load(in_checkout(".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    workflow, pre_commit = (yaml.safe_load(text) for text in blocks("yaml"))
    (step,) = (s for s in workflow["jobs"]["reach"]["steps"] if "blastdoor" in s["uses"])

    assert set() == set(step["with"]) - set(action["inputs"])
    assert set() == {hook["id"] for repo in pre_commit["repos"] for hook in repo["hooks"]} - {
        hook["id"] for hook in hooks
    }


def test_no_machine_and_no_registry_is_named() -> None:
    texts = [README, *(p.read_text(encoding="utf-8") for p in ROOT.glob("benchmarks/*.md"))]
    unwanted = re.compile(r"/(?:home|root|work|tmp|Users)/|pypi\.|npmjs|shields\.io")
    found = {word for text in texts for word in unwanted.findall(text)}

    assert set() == found


def test_the_incident_is_caught_in_every_language() -> None:
    done = blastdoor("check", "fixtures/incident", "--format", "json")
    found = json.loads(done.stdout)["findings"]
    everywhere = {
        finding["path"].split("/")[2]
        for finding in found
        if finding["level"] == "error" and re.search("every (enabled )?region", finding["message"])
    }
    assert everywhere == {"live", "service", "templates", "tools"}
