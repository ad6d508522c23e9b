"""One audit, and questions to the store of audits: arguments in, exit code out."""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from blastdoor.audit.query import QueryError, ask
from blastdoor.audit.setup import Setup
from blastdoor.audit.store import Store, StoreError
from blastdoor.cli.streams import CallerError, drop_stdout, emit, replacing
from blastdoor.record import dataclass
from blastdoor.report.escape import sanitise, width

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TextIO

    from blastdoor.audit.query import Answer
    from blastdoor.audit.run import Engine
    from blastdoor.audit.setup import Target
    from blastdoor.audit.sources import Sources

CLEAN: Final = 0
FAILED: Final = 2
NOTHING: Final = 3
INTERRUPTED: Final = 130

_PACE: Final = 0.2
"""Seconds between two changes of the progress line."""
_LINES: Final = 60.0
"""Seconds between two lines of progress where there is no terminal."""
_COLUMNS: Final = 160
"""Most columns of a table of text."""
_CELL: Final = 60
"""Most columns of one cell, the last column aside."""


@dataclass(frozen=True)
class Request:
    """What the command line says of an audit."""

    sources: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    store: str = "audit.sqlite"
    report: str | None = None
    """The file of the HTML report."""
    sarif_dir: str | None = None
    export: str | None = None
    resume: bool = False
    jobs: int | None = None
    revision: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    memory: int = 1500
    seconds: int = 300
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    config_file: str | None = None
    trust_config: bool = False
    no_inline_suppressions: bool = False
    no_provenance: bool = False
    forge_url: str = ""
    ssh: bool = False
    archived: bool = False
    forks: bool = False
    engine: str = "local"
    scheduler: str | None = None
    log: str | None = None
    allow_failures: bool = False
    quiet: bool = False
    no_progress: bool = False


def audit(request: Request) -> int:
    """The exit code. Effect: analyses, writes what is asked for. Raises CallerError."""
    parquet = _parquet(request)
    if request.report is not None and not Path(request.report).absolute().parent.is_dir():
        raise CallerError(f"{sanitise(request.report)}: its directory does not exist")
    if request.sarif_dir is not None:
        _folder(request.sarif_dir)
    if not request.sources and not request.lists and not request.resume:
        if parquet is None and request.report is None:
            raise CallerError("name what to audit: folders, URLs, --list FILE, github:NAME")
        with _opened(request.store) as store:
            _written(request, store, parquet)
        return CLEAN
    with _opened(request.store, write=True) as store:
        code = _audited(request, store)
        _written(request, store, parquet)
    return code


def _opened(path: str, *, write: bool = False) -> Store:
    try:
        return Store(path, write=write)
    except StoreError as error:
        raise CallerError(sanitise(str(error))) from error


def _audited(request: Request, store: Store) -> int:
    """The exit code of an audit. Effect: runs it."""
    from blastdoor.audit.run import EngineError, Run

    setup = _setup(request)
    number, setup, day = _begun(request, store, setup)
    tally = store.tally(number)
    watch = Watch(request, tally.total, tally.done + tally.failed)
    logs = None if request.sarif_dir is None else Path(request.sarif_dir)
    run = Run(store, number, setup, day=day, watchers=(watch,), logs=logs)
    again = f"blastdoor audit --resume --store {sanitise(request.store)}"
    try:
        engine = _engine(request)
        try:
            run.all(engine)
        finally:
            engine.close()
    except KeyboardInterrupt:
        watch.close()
        _say(f"stopped; {watch.counted()}. Go on with: {again}")
        raise SystemExit(INTERRUPTED) from None
    except EngineError as error:
        watch.close()
        raise CallerError(
            f"{sanitise(str(error))}; {watch.counted()}. Go on with: {again}"
        ) from error
    watch.close()
    store.finish(number, _now())
    tally = store.tally(number)
    if not request.quiet:
        _say(_summed(store, number))
    if not tally.total:
        return NOTHING
    failed = tally.failed > 0
    return FAILED if failed and not request.allow_failures else CLEAN


def _begun(request: Request, store: Store, setup: Setup) -> tuple[int, Setup, str]:
    """The number, setup and day of the audit to run: a new one, or the one that was broken off."""
    from dataclasses import replace

    broken = store.unfinished()
    if request.resume and broken is not None:
        number, was, day = broken
        if was.engine != setup.engine:
            raise CallerError(
                "the audit was begun with another version of the program or its rules: "
                "begin a new one, it takes over what holds"
            )
        store.reopen(number)
        # Limits may be other ones now; what decides about findings stays as it was.
        now = replace(was, memory=setup.memory, seconds=setup.seconds, folders=setup.folders)
        return number, now, day
    if not request.sources and not request.lists:
        raise CallerError(f"no audit in {sanitise(request.store)} was broken off")
    sources = _sources(request)
    for reason, count in sorted(sources.left_out.items()):
        _say(f"left out: {reason} ({count})")
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    number = store.begin(
        sources.targets, setup, started=_now(), day=today, left_out=sources.left_out
    )
    return number, setup, today


def _sources(request: Request) -> Sources:
    from blastdoor.audit.sources import SourceError, Wishes, resolve

    wishes = Wishes(
        request.revision, request.forge_url, request.archived, request.forks, request.ssh
    )
    try:
        return resolve(request.sources, request.lists, wishes)
    except SourceError as error:
        raise CallerError(sanitise(str(error))) from error


def _engine(request: Request) -> Engine:
    """Where the work is done. Raises EngineError."""
    from blastdoor.audit.run import Local, cores

    jobs = request.jobs or cores()
    if request.engine == "local":
        if request.scheduler is not None:
            raise CallerError("--scheduler goes with --engine dask")
        return Local(jobs)
    from blastdoor.audit.cluster import Dask

    return Dask(request.scheduler, jobs)


def _setup(request: Request) -> Setup:
    """How every repository is judged, as the caller decides. Raises CallerError."""
    from blastdoor.audit.identity import engine_digest
    from blastdoor.cli import names

    config = names.configuration(Path.cwd(), request.config_file, isolated=True)
    if config.detectors:
        raise CallerError("an audit takes no detectors: its workers run only what is shipped")
    if config.baseline or config.var_files:
        raise CallerError("a baseline or var-files belong to one repository, not to an audit")
    rules = names.rule_set(config, trusted=True)
    asked = names.words(request.select) or config.select
    ignore = names.every([*config.ignore, *names.words(request.ignore)], rules)
    levels: dict[str, str] = {}
    for name, level in config.levels.items():
        levels.update(dict.fromkeys(names.every([name], rules), level.word))
    folders = tuple(str(one) for one in names.rule_folders(config, trusted=True))
    return Setup(
        engine=engine_digest(folders),
        folders=folders,
        select=tuple(sorted(names.resolve(asked, rules, pedantic=config.pedantic))),
        usual=tuple(sorted(names.usual(asked, rules))),
        ignore=tuple(sorted(ignore)),
        pedantic=config.pedantic,
        inline_suppressions=not request.no_inline_suppressions,
        levels=levels,
        environments=dict(config.environments),
        paths=tuple(
            (one.pattern, tuple(sorted(names.every(one.ignore, rules)))) for one in config.paths
        ),
        include=(*config.include, *request.include),
        exclude=(*config.exclude, *request.exclude),
        max_file_size=config.max_file_size,
        trust_config=request.trust_config,
        provenance=not request.no_provenance,
        sarif=request.sarif_dir is not None,
        memory=request.memory,
        seconds=request.seconds,
    )


def _folder(path: str) -> None:
    """Effect: makes the directory. Raises CallerError."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CallerError(f"{sanitise(path)}: {error.strerror}") from error


def _parquet(request: Request) -> str | None:
    """The folder of ``--export parquet=DIR``. Raises CallerError."""
    if request.export is None:
        return None
    form, _equals, folder = request.export.partition("=")
    if form != "parquet" or not folder:
        raise CallerError(f"--export {sanitise(request.export)}: expected parquet=DIR")
    try:
        import pyarrow as pa  # noqa: F401  to fail before the work, not behind it
    except ImportError as error:
        raise CallerError("Parquet needs pyarrow: pip install 'blastdoor[audit]'") from error
    return folder


def _written(request: Request, store: Store, parquet: str | None) -> None:
    """Effect: writes the report and the export that were asked for."""
    if request.report is not None:
        _drawn(request.report, request, store)
    if parquet is not None:
        from blastdoor.audit.parquet import export

        try:
            files = export(store.connection, Path(parquet))
        except OSError as error:
            raise CallerError(f"{sanitise(parquet)}: {error.strerror}") from error
        if not request.quiet:
            words = ", ".join(f"{name} ({count:,} rows)" for name, count in files)
            _say(f"wrote {words}")


def _drawn(file: str, request: Request, store: Store) -> None:
    """Effect: writes the HTML report on the newest audit."""
    from blastdoor.audit.report import document, logs_from

    try:
        text = document(store.connection, logs=logs_from(request.sarif_dir, file))
        with replacing(file) as stream:
            stream.write(text)
    except QueryError as error:
        raise CallerError(sanitise(str(error))) from error
    except OSError as error:
        raise CallerError(f"{sanitise(file)}: {error.strerror}") from error
    if not request.quiet:
        _say(f"wrote {sanitise(file)}")


def _now() -> str:
    return dt.datetime.now(tz=dt.UTC).isoformat(timespec="seconds")


def _say(words: str) -> None:
    emit(sys.stderr, f"blastdoor: {words}\n")


def _summed(store: Store, number: int) -> str:
    row = store.connection.execute(
        "SELECT count(*) AS total, sum(l.state = 'failed') AS failed, sum(l.reused) AS reused,"
        " coalesce(sum(s.errors), 0) AS errors, coalesce(sum(s.warnings), 0) AS warnings,"
        " coalesce(sum(s.notes), 0) AS notes, coalesce(sum(s.resources), 0) AS resources,"
        " sum(l.cpu) AS cpu, max(l.memory) AS memory"
        " FROM ledger l LEFT JOIN result s ON s.id = l.result WHERE l.audit = ?",
        (number,),
    ).fetchone()
    return (
        f"audit {number}: {row['total']} repositories, {row['resources'] or 0:,} resources, "
        f"{row['errors']:,} errors, {row['warnings']:,} warnings, {row['notes']:,} notes; "
        f"{row['reused'] or 0} unchanged, {row['failed'] or 0} failed; "
        f"{row['cpu'] or 0:.1f} s of CPU, at most {(row['memory'] or 0) / 1e6:.0f} MB a worker"
    )


# Progress


class Watch:
    """Tells what happens: a line on a terminal, a line a minute elsewhere, the log."""

    def __init__(self, request: Request, total: int, before: int) -> None:
        self._total = total
        self._before = before
        self._done = self._failed = self._unchanged = 0
        self._began = time.monotonic()
        self._next = self._began + 1.0
        self._stream: TextIO = sys.stderr
        self._quiet = request.quiet
        terminal = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._line = terminal and not request.no_progress and not request.quiet
        self._width = 0
        file = request.log or f"{request.store}.log"
        try:
            self._log = Path(file).open("a", encoding="utf-8")  # noqa: SIM115  closed by `close`
        except OSError as error:
            raise CallerError(f"{sanitise(file)}: {error.strerror}") from error

    def began(self, target: Target) -> None:
        """Effect: notes that a repository is being worked on."""
        self._note({"event": "began", "repository": target.name})

    def ended(self, target: Target, outcome: dict[str, Any], attempts: int) -> None:
        """Effect: notes an outcome; says what failed."""
        self._done += 1
        reason = outcome["reason"]
        result = outcome["result"]
        self._unchanged += outcome["state"] == "same"
        row: dict[str, Any] = {
            "event": "ended",
            "repository": target.name,
            "state": outcome["state"],
            "commit": outcome["commit"],
            "attempts": attempts,
            **outcome["cost"],
        }
        if result is not None:
            row.update(result["summary"]["findings"], units=result["summary"]["units"])
            row["failures"] = sum(one["fatal"] for one in result["failures"])
        if reason is not None:
            self._failed += 1
            row.update(kind=reason["kind"], reason=reason["message"])
            self._clear()
            _say(f"{sanitise(target.name)}: {sanitise(reason['message'])}")
        self._note(row)
        self._show()

    def counted(self) -> str:
        """How far it has come, in words."""
        return f"{self._before + self._done} of {self._total} repositories are done"

    def close(self) -> None:
        """Effect: takes the line away, closes the log."""
        self._clear()
        self._log.close()

    def _note(self, row: dict[str, Any]) -> None:
        self._log.write(json.dumps({"time": _now(), **row}) + "\n")
        self._log.flush()

    def _show(self) -> None:
        now = time.monotonic()
        if now < self._next or (not self._line and self._quiet):
            return
        self._next = now + (_PACE if self._line else _LINES)
        rate = self._done / max(now - self._began, 1e-9)
        left = (self._total - self._before - self._done) / rate
        words = (
            f"{self._before + self._done} of {self._total} repositories, {rate * 60:.0f} a minute, "
            f"{_duration(left)} left"
        )
        words += f", {self._unchanged} unchanged" if self._unchanged else ""
        words += f", {self._failed} failed" if self._failed else ""
        if not self._line:
            _say(words)
            return
        self._clear()
        self._width = len(words)
        with suppress(OSError):
            self._stream.write(words)
            self._stream.flush()

    def _clear(self) -> None:
        if self._width:
            with suppress(OSError):
                self._stream.write("\r\x1b[K")
                self._stream.flush()
            self._width = 0


def _duration(seconds: float) -> str:
    """A time in the units that one reads: ``45 s``, ``3 min``, ``2.5 h``."""
    if seconds < 90:  # noqa: PLR2004  from here on minutes say more
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"  # noqa: PLR2004


# Questions


@dataclass(frozen=True)
class Question:
    """What the command line says of a question."""

    name: str
    store: str = "audit.sqlite"
    number: int | None = None
    base: int | None = None
    agent: str | None = None
    repository: str | None = None
    form: str = "text"
    limit: int = 0


def query(question: Question) -> int:
    """The exit code. Effect: writes the answer to standard output. Raises CallerError."""
    with _opened(question.store) as store:
        try:
            answer = ask(
                store.connection,
                question.name,
                audit=question.number,
                base=question.base,
                agent=question.agent,
                repository=question.repository,
            )
        except QueryError as error:
            raise CallerError(sanitise(str(error))) from error
        try:
            _write_answer(question, answer)
            sys.stdout.flush()
        except BrokenPipeError:
            drop_stdout()
    return CLEAN


def _write_answer(question: Question, answer: Answer) -> None:
    rows = _limited(answer.rows, question.limit)
    if question.form == "json":
        sys.stdout.write("[")
        separator = "\n"
        for row in rows:
            sys.stdout.write(separator + json.dumps(dict(zip(answer.columns, row, strict=True))))
            separator = ",\n"
        sys.stdout.write("\n]\n" if separator == ",\n" else "]\n")
    elif question.form == "csv":
        import csv

        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(answer.columns)
        writer.writerows([_harmless(cell) for cell in row] for row in rows)
    else:
        _write_table(answer.columns, list(rows))
        if question.limit and next(answer.rows, None) is not None:
            _say(f"only the first {question.limit} rows; --limit 0 shows all")


def _limited(rows: Iterator[tuple[Any, ...]], limit: int) -> Iterator[tuple[Any, ...]]:
    from itertools import islice

    return islice(rows, limit) if limit else rows


def _harmless(cell: Any) -> Any:
    """A cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{cell}"
    return cell


def _write_table(columns: Iterable[str], rows: list[tuple[Any, ...]]) -> None:
    """Effect: writes rows as a table; the last column may be as wide as it likes."""
    names = list(columns)
    cells = [["" if cell is None else sanitise(str(cell)) for cell in row] for row in rows]
    numeric = [
        bool(rows) and all(isinstance(row[at], int | float) or row[at] is None for row in rows)
        for at in range(len(names))
    ]
    widths = [
        min(_CELL, max([width(name), *(width(row[at]) for row in cells)]))
        for at, name in enumerate(names)
    ]
    for row in [names, *cells]:
        parts = []
        for at, cell in enumerate(row):
            text = cell if at == len(names) - 1 else _clipped(cell, widths[at])
            room = " " * (widths[at] - width(text))
            parts.append(room + text if numeric[at] else text + room)
        emit(sys.stdout, "  ".join(parts).rstrip() + "\n")


def _clipped(text: str, limit: int) -> str:
    if width(text) <= limit:
        return text
    text = text[:limit]
    while text and width(text) > limit - 1:
        text = text[:-1]
    return text + "…"
