"""An analysis that is kept up to date: after an edit only what read the changed text is done again.

For each unit is kept what it added to the report, with every text and every listing that it read, and
whatever else of the repository it looked at. As long as all of that is the same, what was added is
added again; otherwise the unit is evaluated anew. Nothing is guessed from names or from what an edit
looks like, so that the report is the one that `blastdoor.engine.check` would give.

What a caller keeps of the facts of a unit is not noted before somebody asks for it: a few units wait
with their values until then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from blastdoor.engine import Call, Options, Planned, Progress, Run, room, survey
from blastdoor.fact import Facts
from blastdoor.finding import FailureKind, Report
from blastdoor.record import dataclass
from blastdoor.source import Memory
from blastdoor.units import Readings, Repository, Told, take

if TYPE_CHECKING:
    from collections.abc import Iterable

    from blastdoor.catalog import Rule
    from blastdoor.engine import Selection, Wanted
    from blastdoor.evaluate.terragrunt import Estate, Unit
    from blastdoor.fact import Context, ModuleCall
    from blastdoor.finding import Failure, Finding
    from blastdoor.source import Entry, Files, Source
    from blastdoor.source.kinds import Kind
    from blastdoor.span import Document
    from blastdoor.units import Subject

T = TypeVar("T")

WAITING: Final = 4
"""Variants of units whose values are kept until somebody asks what is to be noted of them."""

Key = tuple[str, str, int, int, str]


class LetGoError(Exception):
    """What was to be noted cannot be told any more: there has been another analysis."""


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

    def attach(self, files: Files) -> None:
        """Effect: asks other files from here on, which gave the same answers so far."""
        self._files = files

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
        self._silent: _Watched | None = None
        self.seen: dict[str, object] = {}

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._context, name)
        self.seen[name] = _told(value)
        return value

    def without_partitions(self) -> _Watched:
        """The same of a repository that names no partition, watched too."""
        if self._silent is None:
            self._silent = _Watched(self._context.without_partitions())
        return self._silent

    def attach(self, context: Context) -> None:
        """Effect: speaks for another from here on, which said the same so far."""
        self._context = context
        if self._silent is not None:
            self._silent.attach(context.without_partitions())

    def holds(self, context: Context) -> bool:
        """Whether another says the same to whoever looked."""
        if self._silent is not None and not self._silent.holds(context.without_partitions()):
            return False
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


@dataclass(slots=True, eq=False)
class _Record(Generic[T]):
    """What one unit added to a report, and what it looked at."""

    files: _Recorder
    context: _Watched
    called: bool
    external: bool
    unit: Unit | None
    """What Terragrunt runs there."""
    patient: bool
    """Whether its values can wait for somebody to ask what is to be noted of them."""
    report: Report
    told: Told = field(default_factory=Told)
    """What it read: comments, faults, paths."""
    entered: list[tuple[Key, Finding, Sequence[Call]]] = field(default_factory=list)
    planned: list[Planned] = field(default_factory=list)
    visited: set[str] = field(default_factory=set)
    noted: list[list[T] | Facts] = field(default_factory=list)
    """What was noted of each variant, or what waits for that."""
    secrets: dict[Document, set[tuple[int, int]]] = field(default_factory=dict)
    """Ranges that the unit said are sensitive."""
    gone: bool = False
    """Whether another record has taken its place."""

    def waiting(self) -> int:
        """Variants of which nothing has been noted yet."""
        return sum(isinstance(part, Facts) for part in self.noted)

    def notes(self, note: Callable[[Facts], Iterable[T]]) -> list[T]:
        """What is to be kept of the unit. Effect: nothing waits any more. Raises LetGoError."""
        if self.gone:
            raise LetGoError
        found: list[T] = []
        for number, part in enumerate(self.noted):
            taken = part
            if isinstance(taken, Facts):
                facts, taken = taken, list(note(taken))
                self.noted[number] = taken
                facts.unit.close()
            found.extend(taken)
        self.files.release()
        return found

    def let_go(self) -> None:
        """Effect: what still waits can go; nothing more can be told."""
        for part in self.noted:
            if isinstance(part, Facts):
                part.unit.close()
        self.gone = True
        self.noted.clear()
        self.files.release()


@dataclass(slots=True)
class _Survey:
    """The units of the languages that only content tells."""

    files: _Recorder
    repository: Repository
    told: Told
    failures: list[Failure]


@dataclass(slots=True)
class _Terragrunt:
    """What Terragrunt runs."""

    files: _Recorder
    estate: Estate | None
    told: Told
    failures: list[Failure]


class Outcome(Generic[T]):
    """One analysis: the report, and what is to be noted of the units."""

    def __init__(self, live: Live[T], report: Report, run: _Run[T]) -> None:
        self.report = report
        self.evaluated: int = run.evaluated
        """Units that were evaluated anew."""
        self._live = live
        self._records: list[_Record[T]] | None = run.applied
        self._notes: list[T] = []

    @property
    def notes(self) -> list[T]:
        """What was noted of the units, in their order: to be asked before the next analysis.

        Effect: it is noted now, as far as that has not been done. What the caller's ``note`` raises
        ends it; it can be asked again. Raises LetGoError when there has been another analysis.
        """
        if self._records is not None:
            found: list[T] = []
            with room(), self._live.readings.steady():
                for record in self._records:
                    found.extend(record.notes(self._live.note))
            self._notes, self._records = found, None
        return self._notes


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
        self.terragrunt: _Terragrunt | None = None
        self._listing: list[tuple[str, Kind, bool]] = []
        self._waiting: list[_Record[T]] = []

    def check(
        self,
        source: Source,
        *,
        progress: Progress | None = None,
        wanted: Wanted | None = None,
        pulse: Callable[[], None] | None = None,
    ) -> Outcome[T]:
        """The outcome of analysing a source as it is now.

        What ``progress`` raises ends the analysis; the units that are done stay done. So does
        ``pulse``, which is called within units too.
        """
        entries = list(source.files())
        listing = [(entry.path, entry.kind, entry.reported) for entry in entries]
        if listing != self._listing:
            for key in list(self.records):
                self.forget(key)
            self.survey = self.terragrunt = None
            self._listing = listing
            self.readings.keep([entry.path for entry in entries])
        self.readings.unmark()
        with room():
            run = _Run(self, source, entries)
            run.chosen = wanted
            run.pulse = pulse
            report = run.all(progress)
        run.mark()
        if wanted is None:
            for key in self.records.keys() - run.used:
                self.forget(key)
        return Outcome(self, report, run)

    def forget(self, key: tuple[str, str]) -> None:
        """Effect: lets go of what is known of a unit."""
        record = self.records.pop(key, None)
        if record is not None:
            record.let_go()

    def wait(self, record: _Record[T], facts: Facts) -> bool:
        """Whether a variant of a unit can wait. Effect: if so, it does."""
        self._waiting[:] = [one for one in self._waiting if one.waiting()]
        if sum(one.waiting() for one in self._waiting) >= WAITING:
            return False
        if record not in self._waiting:
            self._waiting.append(record)
        record.noted.append(facts)
        return True


class _Run(Run, Generic[T]):
    """One analysis that takes over what still holds."""

    def __init__(self, live: Live[T], source: Source, entries: list[Entry]) -> None:
        super().__init__(source, live.rules, live.options, entries, live.selection)
        self.live = live
        self.repository = Repository(source, entries, live.readings)
        self.applied: list[_Record[T]] = []
        self.used: set[tuple[str, str]] = set()
        self.evaluated = 0
        self._secrets: dict[Document, set[tuple[int, int]]] = {}
        self._recording: _Record[T] | None = None
        self.pulse: Callable[[], None] | None = None

    # What there is

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

    def _estate(self) -> Estate | None:
        kept = self.live.terragrunt
        if kept is None or not kept.files.holds(self.source):
            files = _Recorder(self.source)
            main, report = self.repository, self.report
            self.repository, self.report = main.fork(files), Report()
            told = Told()
            try:
                estate = super()._estate()
                take(told, self.repository)
                kept = _Terragrunt(files, estate, told, self.report.failures)
            finally:
                self.repository, self.report = main, report
            self.live.terragrunt = kept
            files.release()
        self._take(kept.told)
        self.report.failures.extend(kept.failures)
        return kept.estate

    def _take(self, told: Told) -> None:
        take(self.repository, told)
        self.repository.reported.update(told.configurations)

    # Units

    def _directory(self, directory: str, *, alone: bool = False) -> None:
        def evaluate() -> None:
            super(_Run, self)._directory(directory, alone=alone)

        self._kept((directory, "alone" if alone else ""), evaluate)

    def _unit(self, unit: Unit) -> None:
        def evaluate() -> None:
            super(_Run, self)._unit(unit)

        self._kept((unit.path, "Terragrunt"), evaluate, unit)

    def _read_plan(self, path: str) -> list[Planned]:
        def evaluate() -> None:
            planned = super(_Run, self)._read_plan(path)
            assert self._recording is not None
            self._recording.planned.extend(planned)

        return self._kept((path, "plan"), evaluate).planned

    def _kept(
        self, key: tuple[str, str], evaluate: Callable[[], None], unit: Unit | None = None
    ) -> _Record[T]:
        """What a unit says. Effect: evaluates it if need be, and adds that to the report."""
        name = key[0]
        record = self.live.records.get(key)
        if record is None or not self._holds(record, name, unit):
            self.live.forget(key)
            files = _Recorder(self.source)
            fork = self.repository.fork(files)
            record = self._begin(name, files, fork, unit, patient=True)
            main, self.repository = self.repository, fork
            try:
                self._recorded(record, evaluate)
            finally:
                self.repository = main
            take(record.told, fork)
            if not record.waiting():
                files.release()
        elif record.waiting():
            # What it would see of the repository as it is now is what it has seen so far.
            record.files.attach(self.source)
            record.context.attach(self.repository.context)
        self._apply(key, record)
        return record

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

    def _begin(
        self,
        name: str,
        files: _Recorder,
        fork: Repository,
        unit: Unit | None = None,
        *,
        patient: bool = False,
    ) -> _Record[T]:
        context = _Watched(self.repository.context)
        fork.context = cast("Context", context)
        return _Record(
            files,
            context,
            self.repository.called(name),
            self.repository.external,
            unit,
            patient,
            Report(),
        )

    def _holds(self, record: _Record[T], name: str, unit: Unit | None = None) -> bool:
        return (
            record.called == self.repository.called(name)
            and record.external == self.repository.external
            and record.unit == unit
            and record.context.holds(self.repository.context)
            and record.files.holds(self.source)
        )

    def _recorded(self, record: _Record[T], evaluate: Callable[[], None]) -> None:
        """Effect: evaluates a unit into its record instead of into the report."""
        self.evaluated += 1
        report, visited = self.report, self.visited
        self.report, self.visited = record.report, record.visited
        self._recording = record
        touched = self.live.readings.touched
        touched.clear()
        try:
            evaluate()
        except BaseException:
            record.let_go()
            raise
        finally:
            self._recording = None
            self.report, self.visited = report, visited
        record.secrets = {
            document: set(document.secrets) for document in touched if document.secrets
        }
        touched.clear()

    def _judge(self, rule: Rule, facts: Facts) -> None:
        if self.pulse is not None:
            self.pulse()
        super()._judge(rule, facts)

    def _leave(self, facts: Facts) -> None:
        record = self._recording
        assert record is not None
        if not record.patient or not self.live.wait(record, facts):
            record.noted.append(list(self.live.note(facts)))
            facts.unit.close()

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
        self.applied.append(record)
        self.report.units += record.report.units
        self.report.resources += record.report.resources
        self.report.skipped.update(record.report.skipped)
        self.report.planned.update(record.report.planned)
        self.report.coverage.add(record.report.coverage)
        for failure in record.report.failures:
            if failure.kind is FailureKind.INTERNAL or failure not in self.report.failures:
                self.report.failures.append(failure)
        self.visited.update(record.visited)
        self._take(record.told)
        for at, finding, calls in record.entered:
            self._enter(at, finding, calls)
        for document, ranges in record.secrets.items():
            self._secrets.setdefault(document, set()).update(ranges)

    def mark(self) -> None:
        """Effect: tells the texts which of their ranges are sensitive."""
        for document, ranges in self._secrets.items():
            document.secrets = document.secrets | ranges
