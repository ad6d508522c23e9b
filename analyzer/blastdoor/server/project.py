"""One folder that is open in an editor: its files with the buffers over them, and what is known of it.

Nothing here knows the protocol. Everything that it takes to judge a folder is given (`Scope`), so that
the command line and the editor judge alike; the analysis runs in one thread at a time.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from blastdoor.fixes import Fix, applied, fix_of
from blastdoor.fixes.mend import holds
from blastdoor.live import LetGoError, Live
from blastdoor.record import dataclass
from blastdoor.server.reaching import Thing, things
from blastdoor.source import Memory, Overlay
from blastdoor.span import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from blastdoor.catalog import RuleSet
    from blastdoor.change import Comparison
    from blastdoor.engine import Options, Selection
    from blastdoor.fact import Facts
    from blastdoor.finding import Failure, Finding, Report
    from blastdoor.live import Outcome
    from blastdoor.source import Entry, Source, Tree
    from blastdoor.units import Repository

MANY: Final = 500
"""Files from which on the units of what is open come first."""
_LEFT: Final = "reason"


class ScopeError(Exception):
    """A folder that cannot be judged: its configuration is wrong. The message says why."""


@dataclass(frozen=True)
class Scope:
    """What it takes to judge a folder: the same for the command line and the editor."""

    root: Path
    """The directory that is read."""
    rules: RuleSet
    options: Options
    tree: Callable[[], Tree]
    """The files on disk, listed anew."""
    selection: Selection | None
    """The paths that are reported on; ``None`` for all."""
    refine: Callable[[Report], Report]
    """The report without what the configuration ignores or a baseline knows."""
    compare: Callable[[Mapping[str, str]], tuple[Comparison, tuple[str, str]]]
    """What the working tree with some texts laid over it does against HEAD. Raises ScopeError."""
    settings: frozenset[Path]
    """Files and folders that decide all this."""


@dataclass(frozen=True)
class Settings:
    """What an editor's user decides."""

    config_file: str | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    pedantic: bool = False


Opener = Callable[[Path, Settings], Scope]
"""Folder → what it takes to judge it. Raises ScopeError."""


class SupersededError(Exception):
    """The analysis is not wanted any more: there has been another edit."""


class Snapshot:
    """A source whose listing and texts are read once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._entries = tuple(source.files())
        self._texts: dict[str, str | None] = {}
        self._names: dict[str, list[str]] = {}
        self.skipped = Counter(source.skipped)

    @property
    def failures(self) -> Sequence[Failure]:
        """What could not be listed or read, so far."""
        return self._source.failures

    def files(self) -> Iterator[Entry]:
        """Every file of a kind that is analysed, as they were."""
        yield from self._entries

    def read(self, path: str) -> str | None:
        """The text of a file when it was first read."""
        if path not in self._texts:
            self._texts[path] = self._source.read(path)
        return self._texts[path]

    def names(self, directory: str) -> list[str]:
        """The names of the files directly in a directory, as they were."""
        if directory not in self._names:
            self._names[directory] = self._source.names(directory)
        return self._names[directory]

    def tracked(self, path: str) -> bool | None:
        """What the source knows."""
        return self._source.tracked(path)


@dataclass(slots=True, eq=False)
class Result:
    """What is known of a folder after one analysis."""

    report: Report
    """What the command line would say."""
    outcome: Outcome[Thing]
    """The same before the configuration leaves anything out."""
    source: Source
    """What was analysed."""
    things: Mapping[str, tuple[Thing, ...]] | None = None
    """Path → what stands there and how far it reaches, once `Project.things` was asked."""

    @property
    def raw(self) -> Report:
        """The report before the configuration leaves anything out."""
        return self.outcome.report

    @property
    def evaluated(self) -> int:
        """Units that were evaluated anew."""
        return self.outcome.evaluated


class Project:
    """One folder with what is open of it. Only `analyse` and what is behind it may take time."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.live: Live[Thing] = Live(scope.rules, scope.options, self._note, scope.selection)
        self._snapshot: Snapshot | None = None
        self._superseded: Callable[[], bool] = _never

    def _note(self, facts: Facts) -> Iterator[Thing]:
        return things(facts, self._breathe)

    def _breathe(self) -> None:
        if self._superseded():
            raise SupersededError

    def refresh(self) -> None:
        """Effect: the disk is read again the next time."""
        self._snapshot = None

    def path_of(self, file: Path) -> str | None:
        """What a file is called here; ``None`` for one that lies outside."""
        root = self.scope.root
        return file.relative_to(root).as_posix() if file.is_relative_to(root) else None

    def source(self, buffers: Mapping[str, str]) -> Source:
        """The files with the open buffers over them; nothing when the folder is gone."""
        if self._snapshot is None:
            try:
                self._snapshot = Snapshot(self.scope.tree())
            except OSError:
                return Overlay(Memory({}), buffers)
        return Overlay(self._snapshot, buffers)

    def first(self, buffers: Mapping[str, str], superseded: Callable[[], bool]) -> Result | None:
        """What is known of the units of what is open, when there is much else; ``None``: no need."""
        source = self.source(buffers)
        if self.live.records or not buffers or sum(1 for _entry in source.files()) < MANY:
            return None

        def wanted(repository: Repository) -> set[str]:
            return repository.affected(buffers)

        return self._analyse(source, superseded, wanted)

    def analyse(self, buffers: Mapping[str, str], superseded: Callable[[], bool]) -> Result:
        """What is known with these buffers. Raises SupersededError when nobody waits any more."""
        return self._analyse(self.source(buffers), superseded)

    def _analyse(
        self,
        source: Source,
        superseded: Callable[[], bool] | None = None,
        wanted: Callable[[Repository], set[str]] | None = None,
    ) -> Result:
        with self._while(superseded):
            outcome = self._checked(source, wanted)
        return Result(self.scope.refine(outcome.report), outcome, source)

    def things(
        self, result: Result, superseded: Callable[[], bool] | None = None
    ) -> Mapping[str, tuple[Thing, ...]]:
        """Path → what stands there and how far it reaches. Raises SupersededError."""
        if result.things is not None:
            return result.things
        with self._while(superseded):
            try:
                notes = result.outcome.notes
            except LetGoError:
                notes = self._checked(result.source).notes
        by_path: dict[str, dict[tuple[int, str], Thing]] = {}
        for thing in notes:
            key = (thing.span.start, thing.name)
            by_path.setdefault(thing.span.path, {}).setdefault(key, thing)
        result.things = {path: tuple(items.values()) for path, items in by_path.items()}
        return result.things

    def _checked(
        self, source: Source, wanted: Callable[[Repository], set[str]] | None = None
    ) -> Outcome[Thing]:
        return self.live.check(
            source,
            progress=lambda _done, _total: self._breathe(),
            wanted=wanted,
            pulse=self._breathe,
        )

    @contextmanager
    def _while(self, superseded: Callable[[], bool] | None) -> Iterator[None]:
        """Whatever takes time ends with SupersededError as soon as nobody waits for it."""
        self._superseded = superseded or _never
        try:
            yield
        finally:
            self._superseded = _never

    # What could be done about a finding

    def fix(self, finding: Finding, before: Result, buffers: Mapping[str, str]) -> Fix | None:
        """The fix of a finding, when the analysis says that it mends it and breaks nothing."""
        rule = self.scope.rules.get(finding.rule)
        found = None if rule is None else fix_of(finding, rule.fix)
        if found is None:
            return None
        self.things(before)  # which a further analysis would let go
        texts = dict(buffers)
        for path in {edit.span.path for edit in found.edits}:
            edits = [edit for edit in found.edits if edit.span.path == path]
            texts[path] = applied(edits[0].span.document.text, edits)
        after = self._analyse(self.source(texts))
        return found if holds(before.raw, after.raw, [finding]) else None

    def silencing(
        self, finding: Finding, before: Result, buffers: Mapping[str, str]
    ) -> tuple[Span, str] | None:
        """Where a comment that suppresses a finding goes, and what stands before and behind the reason.

        On the line before, or before the block where that is within a text; only where the analysis
        says that it suppresses the finding and nothing else changes.
        """
        document = finding.span.document
        if document.path.endswith(".json"):
            return None
        around = [
            thing.span.begin.line
            for thing in self.things(before).get(document.path, ())
            if thing.span.start <= finding.span.start
        ]
        lines = dict.fromkeys([finding.span.begin.line, *sorted(around, reverse=True)[:1]])
        for number in lines:
            start, end = document.line_range(number)
            line = document.text[start:end]
            indent = line[: len(line) - len(line.lstrip())]
            head = f"{indent}# blastdoor: ignore[{finding.rule}] reason="
            text = f'{document.text[:start]}{head}"{_LEFT}"\n{document.text[start:]}'
            after = self._analyse(self.source({**buffers, document.path: text}))
            silenced = any(f.fingerprint == finding.fingerprint for f in after.raw.suppressed)
            if silenced and holds(before.raw, after.raw, [finding]):
                return Span(document, start, start), head
        return None

    def widens(self, buffers: Mapping[str, str]) -> tuple[Comparison, tuple[str, str]]:
        """What saving the buffers would widen against HEAD. Raises ScopeError."""
        return self.scope.compare(buffers)


def _never() -> bool:
    return False


class Roots:
    """The folders of a workspace and how a file on disk is called within them."""

    def __init__(self) -> None:
        self.projects: dict[Path, Project] = {}
        """Folder of the workspace → its project; the root of that may lie above."""

    def of(self, file: Path) -> tuple[Project, str] | None:
        """The project that a file belongs to, the innermost, and its path within it."""
        real = resolved(file)
        holding = [folder for folder in self.projects if real.is_relative_to(folder)]
        if not holding:
            return None
        project = self.projects[max(holding, key=lambda folder: len(folder.parts))]
        path = project.path_of(real)
        return None if path is None else (project, path)


def resolved(file: Path) -> Path:
    """A file with the links of its directory resolved, not its own: it is reported where it stands."""
    return Path(os.path.realpath(file.parent)) / file.name
