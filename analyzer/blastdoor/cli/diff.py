"""One run of ``diff``: two revisions or directories to what head reaches that base did not."""

from __future__ import annotations

import os
import posixpath
import sys
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from blastdoor import __version__
from blastdoor.change import Changed, compare, differing
from blastdoor.cli import check as checking
from blastdoor.cli import names
from blastdoor.cli.streams import CallerError, drop_stdout, progress_for
from blastdoor.finding import Level
from blastdoor.report.escape import sanitise
from blastdoor.report.paths import Relocation
from blastdoor.source import (
    MAX_SIZE,
    Tree,
    configuration_root,
    read_regular,
    repository_root,
)
from blastdoor.source.revision import Git, GitError, Revision, blob_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from blastdoor.catalog import RuleSet
    from blastdoor.change import Comparison
    from blastdoor.config import Config
    from blastdoor.engine import Options
    from blastdoor.report.text import Choice
    from blastdoor.source import Source

FORMATS: Final = ("text", "json", "sarif", "markdown")
"""What a change can be written as."""
_RANGE: Final = "..."


@dataclass(frozen=True)
class Request:
    """What the command line says."""

    base: str
    head: str | None = None
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


@dataclass(frozen=True)
class _Sides:
    """The two sources, what differs between them, and how head is called in reports."""

    base: Source
    head: Source
    changed: Sequence[Changed]
    prefix: str
    names: tuple[str, str]


def diff(request: Request) -> int:
    """The exit code. Effect: analyses both sides, writes the reports. Raises CallerError."""
    outputs = checking.outputs_of(request.outputs, request.form, FORMATS)
    shown = next((form for form, file in outputs if file == checking.STDOUT), request.form)
    with ExitStack() as stack:
        try:
            root, sides = _sides(request, stack)
            config = names.configuration(root, request.config_file, isolated=request.isolated)
            rules = names.rule_set(config, trusted=request.config_file is not None)
            options = checking.options_of(request.as_check(), config, rules, None)
            found = _compare(request, sides, rules, options)
        except GitError as error:
            raise CallerError(sanitise(str(error))) from error
        if sides.prefix:
            found = _renamed(found, sides.prefix)
        for form, file in outputs:
            if file != checking.STDOUT:
                checking.to_file(file, partial(_write, request, form, found, rules, sides))
        try:
            _write(request, shown or "text", found, rules, sides, sys.stdout)
            sys.stdout.flush()
        except BrokenPipeError:
            drop_stdout()
    return _code(request, config, found)


def _compare(request: Request, sides: _Sides, rules: RuleSet, options: Options) -> Comparison:
    quiet = request.quiet or request.no_progress
    progress = None if quiet else progress_for(sys.stderr, os.environ)
    try:
        return compare(sides.base, sides.head, sides.changed, rules, options, progress=progress)
    finally:
        if progress is not None:
            progress.clear()


# Sides


def _sides(request: Request, stack: ExitStack) -> tuple[Path, _Sides]:
    """The root whose configuration holds, and the two sides. Raises CallerError, GitError."""
    base, head = request.base, request.head
    if Path(base).is_dir() and (head is None or Path(head).is_dir()) and not _is_revision(base):
        if head is None:
            raise CallerError(f"{sanitise(base)} is a directory: name the one to compare it with")
        return Path(head), _directories(Path(base), Path(head))
    here = Path(os.path.realpath(os.curdir))
    top = repository_root(here)
    if top is None:
        raise CallerError("no git repository here: name two directories instead of revisions")
    root = configuration_root(here) if not request.isolated else top
    prefix = root.relative_to(top).as_posix() if root != top else ""
    git = stack.enter_context(Git(top))
    return root, _revisions(git, base, head, root, prefix)


def _is_revision(name: str) -> bool:
    """Whether a name that is a directory too is a revision of the repository here."""
    top = repository_root(Path.cwd())
    if top is None:
        return False
    try:
        with Git(top) as git:
            git.commit(name)
    except GitError:
        return False
    return True


def _directories(base: Path, head: Path) -> _Sides:
    old, new = Tree(base), Tree(head)
    paths = [entry.path for side in (old, new) for entry in side.files()]
    others = {
        path.relative_to(side).as_posix()
        for side in (base, head)
        for path in side.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
    changed = differing(old, new, [*paths, *others])
    return _Sides(Tree(base), Tree(head), changed, "", (str(base), str(head)))


def _revisions(git: Git, base: str, head: str | None, root: Path, prefix: str) -> _Sides:
    if _RANGE in base and head is None:
        base, _dots, head = base.partition(_RANGE)
        head = head or "HEAD"
        commit = git.commit(head)
        start = git.merge_base(git.commit(base or "HEAD"), commit)
    else:
        start = git.commit(base)
        commit = "" if head is None else git.commit(head)
    old = Revision(git, start, prefix)
    if not head:
        changed = _changed_on_disk(old, git, root)
        return _Sides(old, Tree(root), changed, prefix, (base, "the working tree"))
    within = f"{prefix}/" if prefix else ""

    def inside(path: str | None) -> str | None:
        return path[len(within) :] if path is not None and path.startswith(within) else None

    moved = [Changed(inside(c.base), inside(c.head)) for c in git.changes(start, commit)]
    changed = [c for c in moved if c.base is not None or c.head is not None]
    return _Sides(old, Revision(git, commit, prefix), changed, prefix, (base, head))


def _changed_on_disk(base: Revision, git: Git, root: Path) -> list[Changed]:
    """What the working tree has otherwise than a revision; git itself is not asked to look."""
    del git
    found: list[Changed] = []
    known = base.oids()
    for path, oid in known.items():
        data = read_regular(root / path, MAX_SIZE)
        if data is None:
            if not os.path.lexists(root / path):
                found.append(Changed(path, None))
        elif blob_id(data, len(oid)) != oid:
            found.append(Changed(path, path))
    found += [Changed(None, entry.path) for entry in Tree(root).files() if entry.path not in known]
    return found


# Outcome


def _renamed(found: Comparison, prefix: str) -> Comparison:
    """The comparison with paths relative to the repository."""

    def rename(path: str) -> str:
        return posixpath.normpath(posixpath.join(prefix, path))

    report = Relocation(rename, set()).report(found.whole())
    count = len(found.widenings)
    return replace(
        found,
        widenings=report.findings[:count],
        introduced=report.findings[count:],
        report=replace(found.report, failures=report.failures, findings=[]),
        base_failures=[],
    )


def _write(
    request: Request, form: str, found: Comparison, rules: RuleSet, sides: _Sides, stream: TextIO
) -> None:
    """Effect: writes the change in one format."""
    if form == "json":
        from blastdoor.report.change import write_change_json

        write_change_json(stream, found, rules, version=__version__, names=sides.names)
    elif form == "markdown":
        from blastdoor.report.change import write_change_markdown

        write_change_markdown(stream, found, rules, names=sides.names)
    elif form == "text" and not request.no_snippets:
        from blastdoor.report.change import write_change_text
        from blastdoor.report.text import style_for

        style = style_for(stream, request.colour, os.environ)
        write_change_text(
            stream, found, rules, names=sides.names, style=style, summary=not request.quiet
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
