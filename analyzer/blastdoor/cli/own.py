"""Rules of one's own: a page to begin with, and the examples of pages run as tests."""

from __future__ import annotations

import os
import re
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from blastdoor import catalog, tables
from blastdoor.catalog import PageError
from blastdoor.cli import names
from blastdoor.cli.places import from_here
from blastdoor.cli.streams import CallerError, show
from blastdoor.detect import KNOWN
from blastdoor.report.escape import sanitise
from blastdoor.report.text import Choice, counted, style_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from blastdoor.catalog import Rule
    from blastdoor.config import Config
    from blastdoor.pagetest import Analyze

FOLDER: Final = "our-rules"
"""Where a new page goes when no configuration names a folder."""
PASSED, FAILED, CANNOT = 0, 1, 2

_AXES: Final = {"account": "accounts", "guard": "guards", "network": "network"} | {
    "grant": "actions",
    "override": "regions",
    "region": "regions",
    "rollout": "fleet",
}
"""Family → the axis that a new page of it begins with."""
_RESOURCE: Final = re.compile(r"(?P<data>data\.)?(?P<type>[a-z][a-z0-9_]*)\.(?P<path>[^\s{}\[\]]+)")
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_MAPS: Final = frozenset({"annotations", "labels", "tags", "tags_all"})
"""Arguments that are maps; another one with something below it is taken for a block."""


# A new page


class Draft(NamedTuple):
    """What the caller says of a new page."""

    slug: str
    family: str = "guard"
    level: str = "warning"
    folder: str | None = None
    match: str | None = None
    """``TYPE.PATH`` of an argument that has to be set."""
    detector: str | None = None
    """The detector to name instead of a match."""


def new(draft: Draft, config_file: str | None) -> int:
    """The exit code. Effect: writes a page. Raises CallerError."""
    settings = names.configuration(Path.cwd(), config_file, isolated=False)
    named = names.rule_folders(settings, trusted=config_file is not None, missing=True)
    usual = named[0] if named else Path(FOLDER)
    folder = usual if draft.folder is None else Path(draft.folder)
    page = folder / f"{draft.slug}.md"
    text = skeleton(draft, _free_code(folder))
    try:
        rule = catalog.parse(text, f"{folder.name}/{page.name}")
        rule.check_own()
        rule.check()
    except PageError as error:
        raise CallerError(sanitise(error.message)) from error
    taken = catalog.load().get(draft.slug)
    if taken is not None:
        raise CallerError(f"{draft.slug} is the name of {taken.path}; take another")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with page.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        raise CallerError(f"{sanitise(from_here(page))}: {error.strerror}") from error
    shown = sanitise(from_here(page))
    lines = [f"{shown} is written: {rule.code}, with an example to replace"]
    lines.append(f"run its examples:  blastdoor rules test {shown}")
    if folder.resolve() not in named:
        lines.append(f'let `blastdoor check` know it:  rules = ["{sanitise(from_here(folder))}"]')
        lines[-1] += " in blastdoor.toml"
    show("\n".join(lines) + "\n")
    return PASSED


def _free_code(folder: Path) -> str:
    """The code behind the last one of a folder, with the prefix that is used there."""
    codes = sorted(rule.code for _page, rule in _readable(folder))
    if not codes:
        return "ORG001"
    prefix = max({code[:3] for code in codes}, key=[code[:3] for code in codes].count)
    used = {code for code in codes if code.startswith(prefix)}
    for number in range(int(max(used)[3:]) + 1, 1000):
        return f"{prefix}{number:03}"
    raise CallerError(f"no code is left behind {max(used)}: begin another folder")


def _readable(folder: Path) -> Iterator[tuple[Path, Rule]]:
    """The pages of a folder that can be read."""
    try:
        found = catalog.pages(folder)
    except PageError:
        return
    for page in found:
        try:
            yield page, catalog.read(page, folder)
        except PageError:
            continue


def skeleton(draft: Draft, code: str) -> str:
    """The text of a page that says something small which works. Raises CallerError."""
    judgement, bad, good = _example(draft)
    title = draft.slug.replace("-", " ").capitalize()
    return f"""\
---
id: {draft.slug}
code: {code}
family: {draft.family}
title: {title}
level: {draft.level}
confidence: high
axes: [{_AXES[draft.family]}]
modes: [state]
languages: [terraform]
default: on
{judgement}
fix: none
sources: ["where your organisation has decided this"]
---

Say in one sentence what is wrong, and then why it hurts.

## Bad

```hcl
{bad}
```

## Good

```hcl
{good}
```

## How to fix

Say what to write instead.
"""


def _example(draft: Draft) -> tuple[str, str, str]:
    """The judgement of a new page, what it finds, and what it leaves alone."""
    if draft.match is None:
        judgement = f"detector: {draft.detector}" if draft.detector is not None else _JUDGEMENT
        return judgement, _BAD, _GOOD
    found = _RESOURCE.fullmatch(draft.match)
    if found is None or not all(found["path"].split(".")):
        raise CallerError(
            f"--match {sanitise(draft.match)}: expected TYPE.ATTRIBUTE, such as "
            "aws_db_instance.backup_retention_period, aws_s3_bucket.tags.Owner or "
            "data.aws_ami.owners"
        )
    kind = "data" if found["data"] else "resource"
    type_ = found["type"]
    judgement = (
        f"match:\n  resource: {found['data'] or ''}{type_}\n"
        f'  attribute: "{found["path"]}"\n  missing: true'
    )
    bad = f'{kind} "{type_}" "bad" {{ # finding: {found["path"]} is not set\n}}'
    good = f'{kind} "{type_}" "good" {{\n{_setting(found["path"].split("."))}\n}}'
    return judgement, bad, good


def _setting(path: list[str]) -> str:
    """The lines that set an argument."""
    lines, ends = [], []
    within_map = False
    for depth, name in enumerate(path, 1):
        indent = "  " * depth
        word = name if _IDENTIFIER.fullmatch(name) else f'"{name}"'
        if depth == len(path):
            lines.append(f'{indent}{word} = "a value"')
            break
        equals = "= " if within_map or name in _MAPS else ""
        within_map = bool(equals)
        lines.append(f"{indent}{word} {equals}{{")
        ends.append(f"{indent}}}")
    return "\n".join([*lines, *reversed(ends)])


_JUDGEMENT: Final = """\
match:
  resource: aws_db_instance
  attribute: backup_retention_period
  any-of: [{missing: true}, {is: 0}]"""
_BAD: Final = """\
resource "aws_db_instance" "orders" {
  identifier              = "orders"
  backup_retention_period = 0 # finding: backup_retention_period is 0
}

resource "aws_db_instance" "reports" { # finding: backup_retention_period is not set
  identifier = "reports"
}"""
_GOOD: Final = """\
variable "days" {}

resource "aws_db_instance" "orders" {
  identifier              = "orders"
  backup_retention_period = 14
}

# What is not known is no finding.
resource "aws_db_instance" "reports" {
  identifier              = "reports"
  backup_retention_period = var.days
}"""


# Examples as tests


class Trial(NamedTuple):
    """What the caller says of a run of examples."""

    targets: tuple[str, ...] = ()
    config_file: str | None = None
    isolated: bool = False
    detectors: tuple[str, ...] = ()
    colour: Choice = "auto"
    quiet: bool = False


class _Page(NamedTuple):
    """A page under test."""

    path: Path
    folder: Path
    """The folder of rules that it belongs to."""

    @property
    def shipped(self) -> bool:
        return self.folder.resolve() == tables.home()


class _Outcome(NamedTuple):
    """What the test of one page says: its examples, and (line, words) of what is wrong."""

    examples: int = 0
    failed: int = 0
    problems: Sequence[tuple[int, str]] = ()
    unreadable: bool = False


def test(trial: Trial) -> int:
    """The exit code. Effect: runs the examples of pages, says what differs. Raises CallerError."""
    settings = names.configuration(Path.cwd(), trial.config_file, isolated=trial.isolated)
    under_test = _under_test(trial, settings)
    installed = names.entry_points(settings, trial.detectors, isolated=trial.isolated)
    named = _taken(under_test)
    outcomes: list[tuple[_Page, _Outcome]] = []
    readable: list[tuple[_Page, Rule]] = []
    for page in under_test:
        try:
            readable.append((page, _read(page, {*KNOWN, *installed}, named)))
        except PageError as error:
            problem = (error.line, error.message)
            outcomes.append((page, _Outcome(problems=[problem], unreadable=True)))
    analyze = _analyzer([rule for _page, rule in readable], installed)
    for page, rule in readable:
        try:
            rule.check_superseded(named)
        except PageError as error:
            problem = (error.line, error.message)
            outcomes.append((page, _Outcome(problems=[problem], unreadable=True)))
        else:
            outcomes.append((page, _run(rule, analyze)))
    return _tell(sorted(outcomes), trial)


def _under_test(trial: Trial, settings: Config) -> list[_Page]:
    """The pages that are to be tested, each once."""
    folders = (
        [] if trial.targets else names.rule_folders(settings, trusted=trial.config_file is not None)
    )
    if not trial.targets and not folders:
        raise CallerError(
            "no rules to test: name a folder or a page, or a folder under rules in blastdoor.toml"
        )
    found: dict[str, _Page] = {}
    for target in [*map(Path, trial.targets), *folders]:
        shown = sanitise(from_here(target))
        if target.is_dir():
            try:
                inside = [_Page(page, target) for page in catalog.pages(target)]
            except PageError as error:
                raise CallerError(f"{shown}: {error.message}") from error
            if not inside:
                raise CallerError(f"{shown} holds no page: blastdoor rules new writes one")
        elif target.suffix == ".md" and os.path.lexists(target):
            parent = target.parent.resolve()
            in_family = parent.resolve().name in catalog.FAMILIES
            inside = [_Page(parent / target.name, parent.parent if in_family else parent)]
        else:
            raise CallerError(f"{shown} is neither a folder nor a page (.md)")
        for page in inside:
            found.setdefault(os.path.realpath(page.path), page)
    return list(found.values())


def _taken(under_test: list[_Page]) -> dict[str, Rule]:
    """The names of all rules but those under test: the shipped ones, and the pages beside them."""
    mine = {os.path.realpath(page.path) for page in under_test}
    named: dict[str, Rule] = {}
    folders = {page.folder.resolve() for page in under_test}
    for folder in (tables.home(), *sorted(folders - {tables.home()})):
        for page, rule in _readable(folder):
            if os.path.realpath(page) not in mine:
                named.setdefault(rule.id, rule)
                named.setdefault(rule.code.lower(), rule)
    return named


def _read(page: _Page, detectors: set[str], named: dict[str, Rule]) -> Rule:
    """The rule of a page, wholly checked. Effect: takes its names. Raises PageError."""
    rule = catalog.read(page.path, page.folder)
    if not page.shipped:
        rule.check_own()
    if rule.detector is not None and rule.detector not in detectors:
        raise rule.error("detector", catalog.unknown_detector(rule))
    catalog.claim(rule, named)
    rule.check()
    return rule


def _analyzer(rules: list[Rule], installed: names.EntryPoints) -> Analyze:
    """What runs an example. Effect: imports the detectors that the rules name."""
    from blastdoor import change, engine

    options = engine.Options(select=frozenset(rule.id for rule in rules))
    if installed:
        from blastdoor.cli import detectors

        found = detectors.load(rules, installed)
        options = engine.Options(select=options.select, detectors=found)
    return partial(change.analyze_files, options=options)


def _run(rule: Rule, analyze: Analyze) -> _Outcome:
    """What the examples of one page give."""
    from blastdoor import pagetest

    results = [pagetest.run(case, analyze) for case in pagetest.cases([rule])]
    problems = [(one.line, one.words) for result in results for one in result]
    return _Outcome(len(results), sum(map(bool, results)), problems)


def _tell(outcomes: list[tuple[_Page, _Outcome]], trial: Trial) -> int:
    """The exit code. Effect: writes the outcomes to standard output."""
    from blastdoor.finding import Level
    from blastdoor.report.redact import legible

    style = style_for(sys.stdout, trial.colour, os.environ)
    lines = []
    for page, outcome in outcomes:
        shown = sanitise(from_here(page.path))
        for line, words in outcome.problems:
            kind = "cannot be used: " if outcome.unreadable else ""
            lines.append(f"{style.strong(f'{shown}:{line}:')} {kind}{legible(words)}")
        if not outcome.problems and not trial.quiet:
            lines.append(f"{shown}: {counted(outcome.examples, 'example')} as the page says")
    examples = sum(outcome.examples for _page, outcome in outcomes)
    failed = sum(outcome.failed for _page, outcome in outcomes)
    unreadable = sum(outcome.unreadable for _page, outcome in outcomes)
    summary = f"{counted(len(outcomes), 'page')}, {counted(examples, 'example')}"
    if failed:
        summary += f", {style.level(Level.ERROR, f'{failed} not as the page says')}"
    if unreadable:
        words = f"{counted(unreadable, 'page')} that cannot be used"
        summary += f", {style.failure(words)}"
    lines.append(summary if failed or unreadable else f"{summary}: all as the pages say")
    show("\n".join(lines) + "\n")
    return CANNOT if unreadable else FAILED if failed else PASSED
