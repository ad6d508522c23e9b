"""An analysis that is kept up to date: after an edit only what read the changed text is done again.

For each unit is kept what it added to the report, with every text and every listing that it read, and
whatever else of the repository it looked at. As long as all of that is the same, what was added is
added again; otherwise the unit is evaluated anew. Nothing is guessed from names or from what an edit
looks like, so that the report is the one that `blastdoor.engine.check` would give.

What Terragrunt runs and what plans say is evaluated each time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from blastdoor.engine import Call, Options, Progress, Run, room, survey
from blastdoor.finding import FailureKind, Report
from blastdoor.record import dataclass
from blastdoor.source import Memory
from blastdoor.units import Readings, Repository, Told, take

if TYPE_CHECKING:
    from collections.abc import Iterable

    from blastdoor.catalog import Rule
    from blastdoor.engine import Selection, Wanted
    from blastdoor.fact import Context, Facts, ModuleCall
    from blastdoor.finding import Failure, Finding
    from blastdoor.source import Entry, Files, Source
    from blastdoor.source.kinds import Kind
    from blastdoor.span import Document
    from blastdoor.units import Subject

T = TypeVar("T")

Key = tuple[str, str, int, int, str]


class _Recorder:
    """Files that note what was asked of them and what the answer was."""

    def __init__(self, files: Files) -> None:
        self._files: Files = files
        self.texts: dict[str, str | None] = {}
        self.listings: dict[str, list[str]] = {}

    def read(self, path: str) -> str | None:
        text = self.texts[path] = self._files.read(path)
        return text

    def names(self, directory: str) -> list[str]:
        found = self.listings[directory] = self._files.names(directory)
        return found

    def release(self) -> None:
        """Effect: lets go of the files; nothing more can be asked."""
        self._files = Memory({})

    def holds(self, files: Files) -> bool:
        """Whether other files give the same answers."""
        return all(files.read(path) == text for path, text in self.texts.items()) and all(
            files.names(directory) == names for directory, names in self.listings.items()
        )


class _Watched:
    """What the repository speaks of, noting which part of it somebody looks at."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.seen: dict[str, object] = {}

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._context, name)
        self.seen[name] = _told(value)
        return value

    def holds(self, context: Context) -> bool:
        """Whether another says the same to whoever looked."""
        return all(_told(getattr(context, name)) == told for name, told in self.seen.items())


def _told(value: object) -> object:
    """A part of a context as something to compare: places with the text they stand in."""
    if not isinstance(value, Mapping):
        return value
    return [
        (key, at)
        if isinstance(at, str)
        else (key, at.document.path, at.start, at.end, at.document.text)
        for key, at in value.items()
    ]


@dataclass(slots=True)
class _Record(Generic[T]):
    """What one unit added to a report, and what it looked at."""

    files: _Recorder
    context: _Watched
    called: bool
    external: bool
    report: Report
    told: Told = field(default_factory=Told)
    """What it read: comments, faults, paths."""
    entered: list[tuple[Key, Finding, Sequence[Call]]] = field(default_factory=list)
    visited: set[str] = field(default_factory=set)
    notes: list[T] = field(default_factory=list)
    secrets: dict[Document, set[tuple[int, int]]] = field(default_factory=dict)
    """Ranges that the unit said are sensitive."""


@dataclass(slots=True)
class _Survey:
    """The units of the languages that only content tells."""

    files: _Recorder
    repository: Repository
    told: Told
    failures: list[Failure]


@dataclass(slots=True)
class Outcome(Generic[T]):
    """One analysis: the report, and what was noted of the units, in their order."""

    report: Report
    notes: list[T]
    evaluated: int
    """Units that were evaluated anew."""


class Live(Generic[T]):
    """What is known of one source from one analysis to the next.

    ``note`` says what is to be kept of the facts of each variant of each unit, for the caller.
    """

    def __init__(
        self,
        rules: Iterable[Rule],
        options: Options,
        note: Callable[[Facts], Iterable[T]],
        selection: Selection | None = None,
    ) -> None:
        self.rules = tuple(rules)
        self.options = options
        self.note = note
        self.selection = selection
        self.readings = Readings()
        self.records: dict[tuple[str, str], _Record[T]] = {}
        self.survey: _Survey | None = None
        self._listing: list[tuple[str, Kind, bool]] = []

    def check(
        self, source: Source, *, progress: Progress | None = None, wanted: Wanted | None = None
    ) -> Outcome[T]:
        """The outcome of analysing a source as it is now.

        What ``progress`` raises ends the analysis; the units that are done stay done.
        """
        entries = list(source.files())
        listing = [(entry.path, entry.kind, entry.reported) for entry in entries]
        if listing != self._listing:
            self.records.clear()
            self.survey = None
            self._listing = listing
            self.readings.keep([entry.path for entry in entries])
        self.readings.unmark()
        with room():
            run = _Run(self, source, entries)
            run.chosen = wanted
            report = run.all(progress)
        run.mark()
        if wanted is None:
            for key in self.records.keys() - run.used:
                del self.records[key]
        return Outcome(report, run.notes, run.evaluated)


class _Run(Run, Generic[T]):
    """One analysis that takes over what still holds."""

    def __init__(self, live: Live[T], source: Source, entries: list[Entry]) -> None:
        super().__init__(source, live.rules, live.options, entries, live.selection)
        self.live = live
        self.repository = Repository(source, entries, live.readings)
        self.notes: list[T] = []
        self.used: set[tuple[str, str]] = set()
        self.evaluated = 0
        self.observe = self._note
        self._secrets: dict[Document, set[tuple[int, int]]] = {}
        self._recording: _Record[T] | None = None

    def _note(self, facts: Facts) -> None:
        self.notes.extend(self.live.note(facts))

    def _find_subjects(self) -> None:
        if not self.repository.others:
            return
        kept = self.live.survey
        if kept is None or not kept.files.holds(self.source):
            files = _Recorder(self.source)
            fork = self.repository.fork(files)
            failures = survey(fork)
            told = Told()
            take(told, fork)
            kept = self.live.survey = _Survey(files, fork, told, failures)
            files.release()
        self.repository.subjects.extend(kept.repository.subjects)
        take(self.repository, kept.told)
        self.report.failures.extend(kept.failures)

    def _directory(self, directory: str, *, alone: bool = False) -> None:
        key = (directory, "alone" if alone else "")
        record = self.live.records.get(key)
        if record is None or not self._holds(record, directory):
            files = _Recorder(self.source)
            fork = self.repository.fork(files)
            record = self._begin(directory, files, fork)
            main, self.repository = self.repository, fork
            try:
                with_findings = super()._directory
                self._recorded(record, lambda: with_findings(directory, alone=alone))
            finally:
                self.repository = main
            take(record.told, fork)
            files.release()
        self._apply(key, record)

    def _subject(self, subject: Subject) -> None:
        kept = self.live.survey
        assert kept is not None
        key = (subject.path, "subject")
        record = self.live.records.get(key)
        if record is None or not self._holds(record, subject.path):
            files = _Recorder(self.source)
            record = self._begin(subject.path, files, kept.repository)
            kept.repository.files = files
            evaluate = super()._subject
            self._recorded(record, lambda: evaluate(subject))
            # What the languages keep of other files must go when one of them changes.
            kept.files.texts.update(files.texts)
            kept.files.listings.update(files.listings)
            for path in subject.reads:
                files.read(path)
            take(record.told, kept.repository, files.texts)
            files.release()
        self._apply(key, record)

    def _begin(self, name: str, files: _Recorder, fork: Repository) -> _Record[T]:
        context = _Watched(self.repository.context)
        fork.context = cast("Context", context)
        return _Record(
            files,
            context,
            self.repository.called(name),
            self.repository.external,
            Report(),
        )

    def _holds(self, record: _Record[T], name: str) -> bool:
        return (
            record.called == self.repository.called(name)
            and record.external == self.repository.external
            and record.context.holds(self.repository.context)
            and record.files.holds(self.source)
        )

    def _recorded(self, record: _Record[T], evaluate: Callable[[], None]) -> None:
        """Effect: evaluates a unit into its record instead of into the report."""
        self.evaluated += 1
        report, visited, notes = self.report, self.visited, self.notes
        self.report, self.visited, self.notes = record.report, record.visited, record.notes
        self._recording = record
        touched = self.live.readings.touched
        touched.clear()
        try:
            evaluate()
        finally:
            self._recording = None
            self.report, self.visited, self.notes = report, visited, notes
        record.secrets = {document: document.secrets for document in touched if document.secrets}
        touched.clear()

    def _enter(self, key: Key, finding: Finding, modules: Sequence[Call | ModuleCall]) -> None:
        if self._recording is None:
            super()._enter(key, finding, modules)
            return
        calls = [Call(call.address, call.span) for call in modules]
        self._recording.entered.append((key, finding, calls))

    def _apply(self, key: tuple[str, str], record: _Record[T]) -> None:
        """Effect: adds to the report what a unit says."""
        self.live.records[key] = record
        self.used.add(key)
        self.report.units += record.report.units
        self.report.resources += record.report.resources
        self.report.skipped.update(record.report.skipped)
        self.report.coverage.add(record.report.coverage)
        for failure in record.report.failures:
            if failure.kind is FailureKind.INTERNAL or failure not in self.report.failures:
                self.report.failures.append(failure)
        self.visited.update(record.visited)
        take(self.repository, record.told)
        for at, finding, calls in record.entered:
            self._enter(at, finding, calls)
        self.notes.extend(record.notes)
        for document, ranges in record.secrets.items():
            self._secrets.setdefault(document, set()).update(ranges)

    def mark(self) -> None:
        """Effect: tells the texts which of their ranges are sensitive."""
        for document, ranges in self._secrets.items():
            document.secrets = document.secrets | ranges
