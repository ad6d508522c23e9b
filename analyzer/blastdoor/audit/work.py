"""The work on one repository: its content identified, analysed unless known, and told as JSON data.

The same function runs in a child process here and on another machine. It raises nothing: what goes
wrong is part of the outcome::

    {
      "state": "done" | "same" | "failed",
      "key": …,                  digest of content, rules and setup; "" when not known
      "commit": …,               "" without git
      "reason": {"kind", "message"} or null,
      "result": {…} or null      what `_told` says, when done
    }
"""

from __future__ import annotations

import datetime as dt
import gc
import hashlib
import io
import resource
import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from blastdoor import __version__
from blastdoor.audit.identity import (
    ContentError,
    engine_digest,
    folder_digest,
    folder_state,
    objects_digest,
)
from blastdoor.audit.setup import GIT, REMOTE, TREE, Setup, Target
from blastdoor.finding import Failure, FailureKind
from blastdoor.record import dataclass
from blastdoor.report.redact import legible
from blastdoor.source.revision import Git, GitError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from blastdoor.catalog import RuleSet
    from blastdoor.config import Config
    from blastdoor.delta.atlas import Atlas
    from blastdoor.engine import Options
    from blastdoor.fact import Facts
    from blastdoor.finding import Report
    from blastdoor.source import Entry, Source

DONE: Final = "done"
SAME: Final = "same"
FAILED: Final = "failed"

LIMIT: Final = "limit"
CRASH: Final = "crash"
UNREADABLE: Final = "unreadable"
INTERNAL: Final = "internal"

Json = dict[str, Any]
_PAGE: Final = resource.getpagesize()
_ROUNDS: Final = 3
"""How often what an analysis of a remote repository misses is fetched, and the analysis repeated."""


class WorkError(Exception):
    """A repository that cannot be analysed: the kind and the words of its reason."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(slots=True)
class Job:
    """One order to a worker."""

    target: Target
    setup: Setup
    known: list[tuple[str, str, str]] = field(default_factory=list)
    """(key, day or "", objects or "") of results that are there already: see `_is_known`."""
    today: str = ""
    """The day that suppressions are held against, ``YYYY-MM-DD``."""

    def to_json(self) -> Json:
        """The order as JSON data."""
        return {
            "target": self.target.to_json(),
            "setup": self.setup.to_json(),
            "known": self.known,
            "today": self.today,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Job:
        """The order of `to_json`."""
        return cls(
            Target.from_json(data["target"]),
            Setup.from_json(data["setup"]),
            [(key, day, objects) for key, day, objects in data["known"]],
            data["today"],
        )


class Desk:
    """What a worker keeps from one job to the next: the rules, read once."""

    def __init__(self) -> None:
        self._rules: RuleSet | None = None
        self._engine = ""
        self._folders: tuple[str, ...] = ()

    def rules(self, setup: Setup) -> RuleSet:
        """The rules of a setup. Raises WorkError when they are not those that it was made with."""
        if self._rules is None or setup.engine != self._engine or setup.folders != self._folders:
            from blastdoor import catalog, tables
            from blastdoor.detect import KNOWN

            try:
                found = catalog.load(
                    tables.home(), *(Path(one) for one in setup.folders), detectors=KNOWN
                )
                digest = engine_digest(setup.folders)
            except (catalog.PageError, OSError) as error:
                raise WorkError(INTERNAL, f"the rules cannot be read: {error}") from error
            if digest != setup.engine:
                message = "this worker has another program or other rules than the audit began with"
                raise WorkError(INTERNAL, message)
            self._rules, self._engine, self._folders = found, digest, setup.folders
        return self._rules


def work(job: Job, desk: Desk) -> Json:
    """The outcome of one job. Effect: reads the repository; clones a remote one, for a while."""
    try:
        with ExitStack() as stack:
            place = _open(job, stack)
            key = _key(job.setup, place)
            outcome: Json = {"key": key, "commit": place.commit, "reason": None, "result": None}
            if _is_known(job, key, place):
                return {"state": SAME, **outcome}
            place.ready()
            result = _analysed(job, desk, place)
            return {"state": DONE, **outcome, "result": result}
    except WorkError as error:
        return failed(error.kind, str(error))
    except GitError as error:
        return failed(UNREADABLE, str(error))
    except ContentError as error:
        return failed(UNREADABLE, str(error))
    except MemoryError:
        return failed(LIMIT, f"needs more than {job.setup.memory:,} MB of memory")
    except OSError as error:
        return failed(UNREADABLE, error.strerror or "cannot be read")


def failed(kind: str, message: str) -> Json:
    """The outcome of a repository that gave no result."""
    return {
        "state": FAILED,
        "key": "",
        "commit": "",
        "reason": {"kind": kind, "message": legible(message)},
        "result": None,
    }


# Places


class Place:
    """A repository that has been opened."""

    def __init__(self, content: str, commit: str = "", git: Git | None = None) -> None:
        self.content = content
        """What stands for its content."""
        self.commit = commit
        self.git = git
        self.uri = ""

    def ready(self) -> None:
        """Effect: makes what is analysed available."""

    def objects(self) -> str:
        """Which objects are there; ``""`` where nothing can be missing."""
        return "" if self.git is None else objects_digest(self.git.directory)

    def source(self, setup: Setup, config: Config | None) -> Source:
        """The files to analyse, as the setup and a trusted configuration narrow them."""
        raise NotImplementedError

    def again(self, report: Report) -> bool:
        """Whether more can be had than this report saw. Effect: gets it."""
        del report
        return False

    def unchanged(self) -> bool:
        """Whether the content is still what it was when it was opened."""
        return True


class _Folder(Place):
    def __init__(self, target: Target) -> None:
        self._top = target.place
        if not Path(self._top).is_dir():
            raise WorkError(UNREADABLE, "the folder is not there")
        self._state = folder_state(self._top)
        super().__init__(f"folder {folder_digest(self._top)}")

    def source(self, setup: Setup, config: Config | None) -> Source:
        from blastdoor.source import Tree

        include, exclude = _narrowing(setup, config)
        return Tree(
            self._top, include=include, exclude=exclude, max_size=setup.max_file_size, git=False
        )

    def unchanged(self) -> bool:
        return self._state == folder_state(self._top)


class _Repository(Place):
    def __init__(self, git: Git, commit: str) -> None:
        state = " shallow" if git.shallow() else ""
        super().__init__(f"git {commit}{state}", commit, git)

    def source(self, setup: Setup, config: Config | None) -> Source:
        from blastdoor.source.inputs import Narrowed
        from blastdoor.source.revision import Revision

        assert self.git is not None
        include, exclude = _narrowing(setup, config)
        revision = Revision(self.git, self.commit, max_size=setup.max_file_size)
        return Narrowed(revision, exclude, include) if include or exclude else revision


class _Remote(_Repository):
    def __init__(self, target: Target, scratch: Path) -> None:
        from blastdoor.audit import remote

        self._url = target.place
        self._scratch = scratch
        self._clone: remote.Clone | None = None
        commit = remote.head_of(target.place, target.revision)
        # What a shallow clone is: no object is needed to tell that nothing has changed.
        Place.__init__(self, f"git {commit} shallow", commit)
        self.uri = target.place if target.place.startswith("https://") else ""

    def ready(self) -> None:
        from blastdoor.audit import remote

        self._clone = remote.Clone(self._url, self.commit, self._scratch)
        self.git = self._clone.git

    def objects(self) -> str:
        """What was there is gone by the time that somebody asks; missing means missing."""
        return ""

    def again(self, report: Report) -> bool:
        assert self._clone is not None
        wanted = [failure.path for failure in report.failures if _is_missing(failure)]
        return self._clone.fetch_paths(wanted) if wanted else False


def _open(job: Job, stack: ExitStack) -> Place:
    target = job.target
    if target.kind == TREE:
        return _Folder(target)
    if target.kind == GIT:
        git = stack.enter_context(Git(Path(target.place)))
        return _Repository(git, git.commit(target.revision or "HEAD"))
    if target.kind == REMOTE:
        scratch = stack.enter_context(_scratch())
        place = _Remote(target, scratch)
        stack.callback(lambda: place.git.close() if place.git is not None else None)
        return place
    raise WorkError(INTERNAL, f"nothing is known of the kind {target.kind}")


@contextmanager
def _scratch() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="blastdoor-audit-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _key(setup: Setup, place: Place) -> str:
    return hashlib.sha256(f"{setup.digest}\0{place.content}".encode()).hexdigest()


def _is_known(job: Job, key: str, place: Place) -> bool:
    """Whether a result for the same content is there, and holds today.

    One that looked at suppressions with a last day holds on its own day only; one that missed
    objects of a partial clone holds as long as they are missing.
    """
    for known, day, objects in job.known:
        if known == key and day in ("", job.today):
            return not objects or objects == place.objects()
    return False


def _narrowing(setup: Setup, config: Config | None) -> tuple[Sequence[str], Sequence[str]]:
    if config is None:
        return setup.include, setup.exclude
    return (*setup.include, *config.include), (*setup.exclude, *config.exclude)


# Analysis


class _Watched:
    """A source that notices whether a text speaks of a last day of a suppression."""

    def __init__(self, base: Source) -> None:
        self.base = base
        self.skipped = base.skipped
        self.dated = False

    @property
    def failures(self) -> Sequence[Failure]:
        """Those of the source."""
        return self.base.failures

    def files(self) -> Iterator[Entry]:
        """The files of the source."""
        return self.base.files()

    def read(self, path: str) -> str | None:
        """The text of a file."""
        text = self.base.read(path)
        if text is not None and not self.dated and "until" in text and "blastdoor" in text:
            self.dated = True
        return text

    def names(self, directory: str) -> list[str]:
        """The names of the files directly in a directory."""
        return self.base.names(directory)

    def tracked(self, path: str) -> bool | None:
        """What the source knows."""
        return self.base.tracked(path)


class Surroundings:
    """For which environment each file is read."""

    def __init__(self) -> None:
        self._by_path: dict[str, set[str]] = {}

    def observe(self, facts: Facts) -> None:
        """Effect: notes the environment of a unit for the files that it read."""
        environment = facts.unit.environment
        if environment is not None:
            for path in facts.unit.inputs:
                self._by_path.setdefault(path, set()).add(environment)

    def of(self, path: str) -> str:
        """The environments of a file, ``""`` when none is known."""
        return " and ".join(sorted(self._by_path.get(path, ())))


class _Tidy:
    """Collects garbage once memory has grown much: the engine collects none.

    A unit that is done goes without it, so that there is hardly anything to find, and looking takes
    a second for half a gigabyte.
    """

    STEP: Final = 500_000_000
    """Bytes of growth between two collections."""

    def __init__(self) -> None:
        self._last = _resident()

    def __call__(self, _done: int, _total: int) -> None:
        """Effect: collects garbage when it is time to."""
        if _resident() - self._last > self.STEP:
            gc.collect()
            self._last = _resident()


def _resident() -> int:
    """Bytes of memory in use, where the system says so (proc(5), statm); else 0."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  asked for each unit
            return int(file.read().split()[1]) * _PAGE
    except OSError:
        return 0


def _analysed(job: Job, desk: Desk, place: Place) -> Json:
    """What the analysis of an opened repository found. Raises WorkError."""
    from blastdoor.delta.atlas import Atlas
    from blastdoor.engine import check

    setup = job.setup
    rules = desk.rules(setup)
    for _round in range(_ROUNDS):
        further: list[Failure] = []
        plain = place.source(setup, None)
        config = _trusted(plain, further) if setup.trust_config else None
        source = _Watched(plain if config is None else place.source(setup, config))
        options, ignored = _options(job, config, rules, further)
        atlas, surroundings = Atlas(), Surroundings()

        def observe(
            facts: Facts, atlas: Atlas = atlas, surroundings: Surroundings = surroundings
        ) -> None:
            atlas.observe(facts)
            surroundings.observe(facts)

        report = check(source, rules, options, observe=observe, progress=_Tidy())
        if not place.again(report):
            break
    if any("MemoryError" in failure.message for failure in report.failures):
        raise WorkError(LIMIT, f"needs more than {setup.memory:,} MB of memory")
    if not place.unchanged():
        raise WorkError(UNREADABLE, "the folder changed while it was read")
    report.failures.extend(further)
    report = _without(report, ignored)
    return _told(job, place, source, report, rules, (atlas, surroundings))


def _options(
    job: Job, config: Config | None, rules: RuleSet, further: list[Failure]
) -> tuple[Options, list[tuple[str, frozenset[str]]]]:
    """The options of a job and what is not reported where. Effect: adds failures of a configuration."""
    from blastdoor.engine import Options
    from blastdoor.finding import Level

    setup = job.setup
    options = Options(
        select=frozenset(setup.select),
        usual=frozenset(setup.usual),
        ignore=frozenset(setup.ignore),
        pedantic=setup.pedantic,
        inline_suppressions=setup.inline_suppressions,
        today=dt.date.fromisoformat(job.today) if job.today else None,
        levels={slug: Level.named(word) for slug, word in setup.levels.items()},
        environments=dict(setup.environments),
    )
    ignored = [(glob, frozenset(slugs)) for glob, slugs in setup.paths]
    if config is None:
        return options, ignored

    def slugs(names: Sequence[str]) -> frozenset[str]:
        found: set[str] = set()
        for name in names:
            rule = rules.get(name)
            members = [r.id for r in rules if r.family == name.lower()]
            if rule is None and not members:
                message = f"names a rule that is not known here: {name}"
                further.append(
                    Failure(FailureKind.CONFIGURATION, _config_name(config), legible(message))
                )
            found.update(members if rule is None else [rule.id])
        return frozenset(found)

    if config.rules or config.baseline:
        message = "rule folders and baselines of an audited repository are not used"
        further.append(Failure(FailureKind.INCOMPLETE, _config_name(config), message))
    levels = dict(options.levels)
    for name, level in config.levels.items():
        levels.update(dict.fromkeys(slugs([name]), level))
    options = replace(
        options,
        select=options.select or slugs(config.select),
        ignore=options.ignore | slugs(config.ignore),
        pedantic=options.pedantic or config.pedantic,
        levels=levels,
        environments={**options.environments, **config.environments},
        var_files=config.var_files,
    )
    return options, [*ignored, *((one.pattern, slugs(one.ignore)) for one in config.paths)]


def _config_name(config: Config) -> str:
    return "blastdoor.toml" if config.file is None else config.file.name


def _trusted(source: Source, further: list[Failure]) -> Config | None:
    """The configuration that a repository brings. Effect: adds the failure of one that is broken."""
    from blastdoor.config import ConfigError, read_text

    for name in ("blastdoor.toml", "pyproject.toml"):
        text = source.read(name)
        if text is None or (name == "pyproject.toml" and "[tool.blastdoor" not in text):
            continue
        try:
            return read_text(text, name, file=Path(name), trusted=False)
        except ConfigError as error:
            further.append(Failure(FailureKind.CONFIGURATION, name, legible(str(error))))
            return None
    return None


def _without(report: Report, ignored: list[tuple[str, frozenset[str]]]) -> Report:
    """The report without what a configuration ignores by path: that counts as suppressed."""
    from blastdoor.finding import Suppression
    from blastdoor.source import Globs

    for glob, slugs in ignored:
        globs = Globs([glob])
        gone = [f for f in report.findings if f.rule in slugs and globs.match(f.span.path)]
        if gone:
            why = Suppression(f'paths."{glob}" of the configuration ignores the rule')
            kept = [f for f in report.findings if f not in gone]
            report = replace(
                report,
                findings=kept,
                suppressed=[*report.suppressed, *(replace(f, suppression=why) for f in gone)],
            )
    return report


def _told(
    job: Job,
    place: Place,
    source: _Watched,
    report: Report,
    rules: RuleSet,
    seen: tuple[Atlas, Surroundings],
) -> Json:
    """A report as JSON data."""
    from blastdoor.audit import telling

    setup = job.setup
    provenance = ""
    if setup.provenance and place.git is not None:
        from blastdoor.audit.authorship import written_by

        found, provenance = written_by(place.git, place.commit, report.findings)
        report = replace(report, findings=found)
    missing = any(_is_missing(failure) for failure in report.failures)
    return {
        **telling.told(report, rules, seen[0].units(), source, seen[1].of),
        "day": job.today if source.dated else "",
        "objects": place.objects() if missing else "",
        "provenance": provenance,
        "sarif": _sarif(place, report, rules) if setup.sarif else None,
    }


def _sarif(place: Place, report: Report, rules: RuleSet) -> str:
    from blastdoor.report.sarif import Revision, write_sarif

    stream = io.StringIO()
    revision = Revision(place.uri, place.commit) if place.uri else None
    write_sarif(stream, report, rules, version=__version__, revision=revision)
    return stream.getvalue()


def _is_missing(failure: Failure) -> bool:
    """Whether an object of a partial clone is what could not be read."""
    return failure.kind is FailureKind.UNREADABLE and "is missing" in failure.message
