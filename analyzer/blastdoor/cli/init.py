"""``blastdoor init``: the files with which a repository begins to be watched.

The configuration stands where one asks for it, the workflow and the hook at the root of the
repository, since forges and pre-commit look there. A file that is there already stays as it is unless
the caller says otherwise; a file of somebody else is never rewritten, only shown what to add, but for
the list of hooks, whose new text is read back before it takes the place of the old one.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from blastdoor import __version__
from blastdoor.cli.places import from_here
from blastdoor.cli.streams import CallerError, replacing, show
from blastdoor.report.escape import sanitise
from blastdoor.source import MAX_SIZE, read_regular, repository_root

if TYPE_CHECKING:
    from collections.abc import Iterator

FORGES: Final = ("github", "gitlab", "none")
"""Where a workflow can be written for."""
CONFIGURATION: Final = "blastdoor.toml"
BASELINE: Final = "blastdoor-baseline.json"
WORKFLOW: Final = ".github/workflows/blastdoor.yml"
PIPELINE: Final = ".gitlab-ci.yml"
HOOKS: Final = ".pre-commit-config.yaml"
DONE, CANNOT = 0, 2

_NO_FORGE: Final = (
    "no workflow: nothing here shows a forge; --forge github or --forge gitlab writes one\n"
)
_PROJECT: Final = "https://github.com/blastdoor/blastdoor"
_RAW: Final = "https://raw.githubusercontent.com/blastdoor/blastdoor"
_REMOTE: Final = re.compile(
    r"^\s*url\s*=\s*(?:[a-z+]+://)?(?:[^@/\s]*@)?(?P<host>[^:/\s]+)", re.MULTILINE
)
_PLAIN: Final = re.compile(r"[A-Za-z0-9._/-]+")
"""Paths that YAML and TOML take without quotes or escapes."""


class Request(NamedTuple):
    """What the command line says."""

    path: str = "."
    forge: str | None = None
    """One of FORGES; ``None``: the one that the repository shows."""
    baseline: bool = False
    force: bool = False
    dry_run: bool = False


class Draft(NamedTuple):
    """A file to write, or text that somebody has to put into one."""

    path: Path
    text: str
    replaces: bool = False
    """Whether it takes the place of a file whose content it keeps."""
    by_hand: str = ""
    """Why it is only shown."""


def init(request: Request) -> int:
    """The exit code. Effect: writes the files, says which. Raises CallerError."""
    folder = Path(request.path)
    if not folder.is_dir():
        raise CallerError(f"{sanitise(request.path)} is no directory")
    root = Path(repository_root(folder) or folder)
    below = Path(os.path.relpath(folder.resolve(), root.resolve())).as_posix()
    if not _PLAIN.fullmatch(below):
        raise CallerError(
            f"{sanitise(below)}: init writes workflows only for paths of letters, digits and . _ - /"
        )
    drafts = list(_drafts(request, folder, root, below))
    lines = [_settle(draft, request) for draft in drafts]
    if request.forge is None and forge_of(root) == "none":
        lines.append(_NO_FORGE)
    show("".join(lines))
    if not request.baseline:
        return DONE
    return _accept(folder, request)


def _drafts(request: Request, folder: Path, root: Path, below: str) -> Iterator[Draft]:
    """Everything that the repository lacks."""
    yield Draft(folder / CONFIGURATION, configuration(baseline=request.baseline))
    forge = request.forge or forge_of(root)
    if forge == "github":
        yield Draft(root / WORKFLOW, workflow(below))
    elif forge == "gitlab":
        yield _pipeline(root / PIPELINE, below)
    hooks = root / HOOKS
    if os.path.lexists(hooks):
        yield from _hooked(hooks, below)


def forge_of(root: Path) -> str:
    """The forge that a repository shows: by its files, else by the host of a remote."""
    if (root / PIPELINE).is_file():
        return "gitlab"
    if (root / ".github").is_dir():
        return "github"
    text = _text(root / ".git" / "config") or ""
    for match in _REMOTE.finditer(text):
        for forge in ("github", "gitlab"):
            if forge in match["host"].split("."):
                return forge
    return "none"


# What is written


def configuration(*, baseline: bool) -> str:
    """The first ``blastdoor.toml``."""
    accepted = f'baseline = "{BASELINE}"\n' if baseline else f'# baseline = "{BASELINE}"\n'
    return f"""\
# The level from which a finding makes the exit code 1: error, warning or note.
fail-on = "warning"

# Findings that were there when this began; `blastdoor check --write-baseline` writes the file.
{accepted}
# Files that are read but not reported.
# exclude = ["sandbox/**"]

# What a folder is; what is known to be no production environment counts one level less.
# [environments]
# "live/**" = "production"
"""


def workflow(below: str) -> str:
    """The workflow for GitHub that watches ``below``, a folder of the repository."""
    return f"""\
name: blastdoor
on:
  push:
    branches: [main, master]
  pull_request:
permissions:
  contents: read
  security-events: write
jobs:
  reach:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0
      - uses: blastdoor/blastdoor@v{__version__}
        with:
          path: {_yaml(below)}
"""


def pipeline(below: str) -> str:
    """What a pipeline of GitLab includes to watch ``below``."""
    return f"""\
include:
  - remote: {_RAW}/v{__version__}/templates/blastdoor.yml
    inputs:
      path: {_yaml(below)}
"""


def hook(below: str) -> str:
    """The entry of pre-commit's list of repositories."""
    arguments = "" if below == "." else f"\n      args: [{_yaml(below)}]"
    return f"- repo: {_PROJECT}\n  rev: v{__version__}\n  hooks:\n    - id: blastdoor{arguments}\n"


def _yaml(text: str) -> str:
    """A plain path as a YAML string: in quotes, since 1.10 and no are none without."""
    return text if text == "." else f'"{text}"'


def _pipeline(file: Path, below: str) -> Draft:
    """The pipeline; one that is there is never replaced, what it has to include is shown."""
    text = pipeline(below)
    if not os.path.lexists(file):
        return Draft(file, text)
    present = _text(file) or ""
    if "templates/blastdoor.yml" in present:
        return Draft(file, "", by_hand="includes blastdoor already")
    return Draft(file, text, by_hand="is there already; add to it")


def _hooked(file: Path, below: str) -> Iterator[Draft]:
    """The list of hooks with ours at its end, if it can be put there without changing the rest."""
    present = _text(file)
    if present is not None and _PROJECT in present:
        yield Draft(file, "", by_hand="has the hook already")
        return
    longer = None if present is None else with_hook(present, hook(below))
    if longer is None:
        yield Draft(file, hook(below), by_hand="cannot be added to safely; put below repos")
    else:
        yield Draft(file, longer, replaces=True)


def with_hook(text: str, entry: str) -> str | None:
    """A configuration of pre-commit with one entry more; ``None`` where that changes the rest."""
    lines = re.sub(r"(?m)^repos:[ \t]*\[[ \t]*\]", "repos:", text).splitlines(keepends=True)
    start = next((n for n, line in enumerate(lines) if re.match(r"repos:\s*(#.*)?$", line)), None)
    if start is None:
        return None
    indent: str | None = None
    end = len(lines)
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if indent is None and (item := re.match(r"( *)- ", line)):
            indent = item[1]
        elif re.match(r"[^\s#-]", line):
            end = number
            break
    while end > start + 1 and not lines[end - 1].strip():
        end -= 1
    shift = indent or ""
    added = [f"{shift}{line}" for line in entry.splitlines(keepends=True)]
    before = "".join(lines[:end])
    longer = "".join([before, "" if before.endswith("\n") else "\n", *added, *lines[end:]])
    old, new, wanted = _data(text), _data(longer), _data(entry)
    if not isinstance(old, dict) or not isinstance(wanted, list):
        return None
    return longer if new == {**old, "repos": [*(old.get("repos") or []), *wanted]} else None


def _data(text: str) -> Any:
    """The data of a YAML text, or ``None``."""
    import yaml

    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _text(file: Path) -> str | None:
    """The text of a regular file of a usual size, or ``None``."""
    found = read_regular(file, MAX_SIZE)
    try:
        return None if found is None else found.decode("utf-8")
    except UnicodeDecodeError:
        return None


# Writing


def _settle(draft: Draft, request: Request) -> str:
    """What has become of a draft, in a line or a few. Effect: writes it, if it may."""
    shown = sanitise(from_here(draft.path))
    if draft.by_hand:
        quoted = f":\n\n{draft.text}\n" if draft.text else "\n"
        return f"{shown} {draft.by_hand}{quoted}"
    there = os.path.lexists(draft.path)
    if there and not draft.replaces and not request.force:
        if request.baseline and draft.path.name == CONFIGURATION:
            return f'{shown} is there already and stays as it is; add: baseline = "{BASELINE}"\n'
        return f"{shown} is there already and stays as it is; --force replaces it\n"
    if request.dry_run:
        return f"{shown} would be written:\n\n{draft.text}\n"
    if draft.path.is_symlink():
        raise CallerError(f"{shown} is a link: init writes no file that lies elsewhere")
    try:
        draft.path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(str(draft.path)) as stream:
            stream.write(draft.text)
    except OSError as error:
        raise CallerError(f"{shown}: {error.strerror}") from error
    return f"{shown} is written\n"


def _accept(folder: Path, request: Request) -> int:
    """The exit code. Effect: analyses, and writes what it finds as the baseline."""
    file = folder / BASELINE
    shown = sanitise(from_here(file))
    if os.path.lexists(file) and not request.force:
        show(f"{shown} is there already and stays as it is; --force replaces it\n")
        return DONE
    command = shlex.join(["blastdoor", "check", from_here(folder), "--write-baseline", shown])
    if request.dry_run:
        show(f"{shown} would be written by: {command}\n")
        return DONE
    from blastdoor.cli import check

    code = check.check(
        check.Request(
            paths=(str(folder),), write_baseline=str(file), exit_zero=True, no_progress=True
        )
    )
    if file.exists():
        show(f"what is found today is accepted, in {shown}\n")
    return CANNOT if code == CANNOT else DONE
