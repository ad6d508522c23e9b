"""One run of ``diff``: two revisions or directories to what head reaches that base did not."""

from __future__ import annotations

import os
import posixpath
import shutil
import sys
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from blastdoor import __version__
from blastdoor.change import compare, compare_plan
from blastdoor.cli import check as checking
from blastdoor.cli import names, sides
from blastdoor.cli.sides import is_revision
from blastdoor.cli.streams import CallerError, drop_stdout, progress_for
from blastdoor.finding import Level, Report
from blastdoor.report.escape import sanitise
from blastdoor.report.paths import Relocation
from blastdoor.source import (
    MAX_PLAN,
    Tree,
    configuration_root,
    plans,
    read_regular,
    repository_root,
)
from blastdoor.source.revision import Git, GitError

if TYPE_CHECKING:
    from typing import TextIO

    from blastdoor.catalog import RuleSet
    from blastdoor.change import Comparison
    from blastdoor.cli.sides import Sides
    from blastdoor.config import Config
    from blastdoor.engine import Options
    from blastdoor.report.text import Choice

FORMATS: Final = ("text", "json", "sarif", "markdown")
"""What a change can be written as."""


@dataclass(frozen=True)
class Request:
    """What the command line says."""

    base: str | None = None
    head: str | None = None
    staged: bool = False
    form: str | None = None
    outputs: tuple[str, ...] = ()
    fail_on: str | None = None
    exit_zero: bool = False
    allow_failures: bool = False
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    config_file: str | None = None
    isolated: bool = False
    category: str | None = None
    no_snippets: bool = False
    colour: Choice = "auto"
    quiet: bool = False
    no_progress: bool = False
    only_agent_changes: bool = False

    def as_check(self) -> checking.Request:
        """The same for what ``check`` shares."""
        return checking.Request(
            form=None if self.form == "markdown" else self.form,
            fail_on=self.fail_on,
            exit_zero=self.exit_zero,
            allow_failures=self.allow_failures,
            select=self.select,
            ignore=self.ignore,
            config_file=self.config_file,
            isolated=self.isolated,
            category=self.category,
            no_snippets=self.no_snippets,
            colour=self.colour,
            quiet=self.quiet,
            no_progress=self.no_progress,
        )


def diff(request: Request) -> int:
    """The exit code. Effect: analyses both sides, writes the reports. Raises CallerError."""
    outputs = checking.outputs_of(request.outputs, request.form, FORMATS)
    shown = next((form for form, file in outputs if file == checking.STDOUT), request.form)
    with ExitStack() as stack:
        try:
            place = _place(request)
            config = names.configuration(place.root, request.config_file, isolated=request.isolated)
            rules = names.rule_set(config, trusted=request.config_file is not None)
            options = checking.options_of(request.as_check(), config, rules, None, change=True)
            if request.only_agent_changes and place.top is None:
                from blastdoor.cli.written import NO_BASE

                raise CallerError(NO_BASE)
            if place.plan is not None:
                found, called = _planned(place.plan, rules, options)
            else:
                git = None if place.top is None else stack.enter_context(Git(place.top))
                both = _sides(request, place, config, git)
                called = both.names
                found = _compare(request, both, rules, options)
                if git is not None and both.commits is not None:
                    found = _written(request, found, git, both.commits, config, place.prefix)
        except GitError as error:
            raise CallerError(sanitise(str(error))) from error
        found = without_ignored(found, config, rules)
        if place.prefix:
            found = _renamed(found, place.prefix)
        for form, file in outputs:
            if file != checking.STDOUT:
                checking.to_file(file, partial(_write, request, form, found, rules, called))
        try:
            _write(request, shown or "text", found, rules, called, sys.stdout)
            sys.stdout.flush()
        except BrokenPipeError:
            drop_stdout()
    return _code(request, config, found)


def _compare(request: Request, both: Sides, rules: RuleSet, options: Options) -> Comparison:
    quiet = request.quiet or request.no_progress
    progress = None if quiet else progress_for(sys.stderr, os.environ)
    try:
        return compare(
            both.base,
            both.head,
            both.changed,
            rules,
            options,
            history=both.history,
            progress=progress,
        )
    finally:
        if progress is not None:
            progress.clear()


def _written(
    request: Request,
    found: Comparison,
    git: Git,
    commits: tuple[str, str],
    config: Config,
    prefix: str,
) -> Comparison:
    """The comparison with the marks of agents. Raises CallerError."""
    from blastdoor.cli.written import written

    only = request.only_agent_changes
    return written(
        found, git, commits, config, prefix=prefix, only_agents=only, quiet=request.quiet
    )


# What is compared


@dataclass(frozen=True)
class _Place:
    """What the arguments mean."""

    root: Path
    """Where the configuration is looked for."""
    top: Path | None = None
    """The repository, for revisions."""
    prefix: str = ""
    """The root within the repository."""
    plan: Path | None = None


def _place(request: Request) -> _Place:
    """What the arguments mean. Raises CallerError."""
    base, head = request.base, request.head
    if base is None:
        if not request.staged:
            raise CallerError("name what to compare with: a revision, a directory or a plan")
        base = "HEAD"
    if request.staged and head is not None:
        raise CallerError("--staged takes the place of HEAD: name one revision at most")
    if head is None and not request.staged and Path(base).is_file() and not is_revision(base):
        return _Place(configuration_root(base), plan=Path(base))
    if (
        Path(base).is_dir()
        and not request.staged
        and (head is None or Path(head).is_dir())
        and not is_revision(base)
    ):
        if head is None:
            raise CallerError(f"{sanitise(base)} is a directory: name the one to compare it with")
        return _Place(Path(head))
    here = Path(os.path.realpath(os.curdir))
    top = repository_root(here)
    if top is None:
        raise CallerError("no git repository here: name two directories instead of revisions")
    root = configuration_root(here) if not request.isolated else top
    return _Place(root, top, root.relative_to(top).as_posix() if root != top else "")


def _sides(request: Request, place: _Place, config: Config, git: Git | None) -> Sides:
    """The two sides. Raises CallerError, GitError."""
    base = request.base or "HEAD"
    if git is None:
        return sides.directories(Path(base), Path(request.head or ""), config)
    if request.staged:
        return sides.staged(git, base, place.prefix, config)
    return sides.revisions(git, base, request.head, place.root, place.prefix, config)


def _planned(path: Path, rules: RuleSet, options: Options) -> tuple[Comparison, tuple[str, str]]:
    """What a plan changes of the state it was made from. Raises CallerError."""
    data = read_regular(path, MAX_PLAN)
    name = sanitise(str(path))
    if data is None:
        raise CallerError(f"{name} cannot be read as a plan of at most {MAX_PLAN:,} bytes")
    look = plans.look(data[: plans.HEAD])
    if look is plans.Look.BINARY:
        raise CallerError(f"{name} {plans.BINARY_PLAN}")
    try:
        text = data.decode("utf-16" if plans.is_utf16(data) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise CallerError(f"{name} is not UTF-8") from error
    if look is None and plans.look_whole(text) is None:
        raise CallerError(f"{name} is no Terraform plan: `terraform show -json PLAN` writes one")
    folder = Path(os.path.realpath(path)).parent
    found = compare_plan(Tree(folder), path.name, text, rules, options)
    return found, ("the state", path.name)


# Outcome


def without_ignored(found: Comparison, config: Config, rules: RuleSet) -> Comparison:
    """The comparison without what the configuration ignores by path; widenings stay."""
    kept = checking.without_ignored(Report(findings=found.introduced), config, rules)
    report = replace(found.report, suppressed=[*found.report.suppressed, *kept.suppressed])
    return replace(found, introduced=kept.findings, report=report)


def _renamed(found: Comparison, prefix: str) -> Comparison:
    """The comparison with paths relative to the repository."""

    def rename(path: str) -> str:
        return posixpath.normpath(posixpath.join(prefix, path))

    whole = found.whole()
    files = {
        place.path
        for finding in whole.findings
        for place in (finding.span, *(related.span for related in finding.related))
    }
    relocation = Relocation(rename, files)
    report = relocation.report(whole)
    count = len(found.widenings)
    return replace(
        found,
        deltas=[replace(d, span=relocation.span(d.span)) for d in found.deltas],
        widenings=report.findings[:count],
        introduced=report.findings[count:],
        report=replace(found.report, failures=report.failures, findings=[]),
        base_failures=[],
    )


def _write(
    request: Request,
    form: str,
    found: Comparison,
    rules: RuleSet,
    called: tuple[str, str],
    stream: TextIO,
) -> None:
    """Effect: writes the change in one format."""
    if form == "json":
        from blastdoor.report.change import write_change_json

        write_change_json(stream, found, rules, version=__version__, names=called)
    elif form == "markdown":
        from blastdoor.report.change import write_change_markdown

        write_change_markdown(stream, found, rules, names=called)
    elif form == "text":
        from blastdoor.report.change import write_change_text
        from blastdoor.report.text import style_for

        more = {"columns": shutil.get_terminal_size().columns} if stream.isatty() else {}
        write_change_text(
            stream,
            found,
            rules,
            names=called,
            style=style_for(stream, request.colour, os.environ),
            summary=not request.quiet,
            snippets=not request.no_snippets,
            **more,
        )
    else:
        checking.write(request.as_check(), form, found.whole(), rules, stream)


def _code(request: Request, config: Config, found: Comparison) -> int:
    report = found.whole()
    if not request.allow_failures and any(failure.fatal for failure in report.failures):
        return checking.FAILED
    if request.exit_zero or request.fail_on == "never":
        return checking.CLEAN
    least = config.fail_on if request.fail_on is None else Level.named(request.fail_on)
    over = any(finding.level >= least for finding in report.findings)
    return checking.FOUND if over else checking.CLEAN
