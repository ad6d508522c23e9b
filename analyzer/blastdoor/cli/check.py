"""One run of ``check``: arguments to places, rules and options; a report to outputs and a code."""

from __future__ import annotations

import datetime as dt
import os
import posixpath
import sys
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from blastdoor import __version__
from blastdoor.cli import names
from blastdoor.cli.beside import companion, outcome, show_run
from blastdoor.cli.places import Place, from_here, locate, locate_text
from blastdoor.cli.streams import FORMATS, CallerError, drop_stdout, emit, progress_for, replacing
from blastdoor.finding import Level, Report, Suppression
from blastdoor.record import dataclass
from blastdoor.report.escape import sanitise
from blastdoor.source import (
    MAX_PLAN,
    MAX_SIZE,
    Globs,
    Kind,
    Memory,
    Overlay,
    Tree,
    plans,
    read_regular,
)
from blastdoor.source.kinds import TOLD_BY_CONTENT

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence
    from typing import TextIO

    from blastdoor.beside import PeerRun
    from blastdoor.catalog import RuleSet
    from blastdoor.cli.drawing import Drawing
    from blastdoor.config import Config
    from blastdoor.engine import Options
    from blastdoor.fact import Facts
    from blastdoor.finding import Finding
    from blastdoor.report.baseline import Baseline
    from blastdoor.report.text import Choice
    from blastdoor.source import Entry, Source

CLEAN: Final = 0
FOUND: Final = 1
FAILED: Final = 2
NOTHING: Final = 3

STDIN: Final = "-"
STDOUT: Final = "-"
STDIN_NAME: Final = "stdin.tf"
"""What reports call standard input that has no name."""
STDIN_PLAN: Final = "stdin.json"
"""What reports call a plan that comes from standard input and has no name."""
MAX_BASELINE: Final = 100_000_000
"""Largest baseline that is read, in bytes."""


@dataclass(frozen=True)
class Request:
    """What the command line says."""

    paths: tuple[str, ...] = ()
    stdin_filename: str | None = None
    form: str | None = None
    """The format of standard output, by default text."""
    outputs: tuple[str, ...] = ()
    fail_on: str | None = None
    exit_zero: bool = False
    allow_failures: bool = False
    allow_empty: bool = False
    """Whether nothing to analyse is as good as nothing found."""
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    pedantic: bool = False
    config_file: str | None = None
    isolated: bool = False
    var_files: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    detectors: tuple[str, ...] = ()
    no_inline_suppressions: bool = False
    include_suppressed: bool = False
    baseline: str | None = None
    write_baseline: str | None = None
    category: str | None = None
    no_snippets: bool = False
    colour: Choice = "auto"
    quiet: bool = False
    no_progress: bool = False
    fix: bool = False
    unsafe_fixes: bool = False
    show_fixes: bool = False
    beside: tuple[str, ...] = ()
    """Tools to run beside the analysis: ``checkov`` or ``checkov=COMMAND``."""
    beside_timeout: float = 300.0
    """Seconds that they may take."""
    diff_base: str | None = None
    """The revision whose findings are not reported."""
    only_agent_changes: bool = False
    """Report only what an AI agent wrote since that revision."""

    @property
    def trusted(self) -> bool:
        """Whether the caller, not the analysed code, names the configuration."""
        return self.config_file is not None


def check(request: Request) -> int:
    """The exit code. Effect: analyses, writes the reports. Raises CallerError."""
    if request.only_agent_changes and request.diff_base is None:
        raise CallerError(
            "--only-agent-changes needs --diff-base REV: the commits since REV say who wrote what"
        )
    outputs = outputs_of(request.outputs, request.form, FORMATS, request.write_baseline)
    shown = next((form for form, file in outputs if file == STDOUT), request.form or "text")
    drawing = _drawing({shown, *(form for form, _file in outputs)})
    text = _standard_input(request)
    place = _place(request)
    start = Path.cwd() if place is None else place.root
    config = names.configuration(start, request.config_file, isolated=request.isolated)
    installed = names.entry_points(config, request.detectors, isolated=request.isolated)
    rules = names.rule_set(config, installed, trusted=request.trusted)
    options = options_of(request, config, rules, place)
    options = _with_detectors(options, rules, installed)
    known = None if request.write_baseline else known_of(request, config)

    source = source_of(request, config, place, text)
    entries = list(source.files())
    terragrunt = any(entry.kind is Kind.TERRAGRUNT for entry in entries)
    chosen = [
        entry
        for entry in entries
        if entry.reported
        and (entry.kind.configuration or (terragrunt and entry.kind is Kind.HCL))
        and (place is None or place.selects(entry.path))
    ]

    def judged(source: Source, entries: list[Entry] | None = None) -> Report:
        if request.diff_base is None:
            listed = list(source.files()) if entries is None else entries
            observe = None if drawing is None else drawing.observe
            found = _analyse(request, source, listed, rules, options, place, observe=observe)
        else:
            found = _introduced(request, source, place, config, rules, options)
        return without_ignored(found, config, rules)

    with companion(request.beside, request.beside_timeout, source, chosen) as peer:
        if chosen:
            report = judged(source, entries)
            if request.fix or request.show_fixes:
                report = _fixed(request, source, report, rules, place, known=known, judged=judged)
        else:
            report = Report(failures=list(source.failures), skipped=Counter(source.skipped))
        runs = outcome(peer, report, rules, "" if place is None else place.prefix)
    report = _logged(report, entries, place)
    report = compared(request, report, known, whole=place is None or place.whole)

    forms = {shown, *(form for form, _file in outputs)}
    reports = dict.fromkeys(forms, report)
    if "text" in forms:
        reports["text"] = _shown(report, entries, place)

    def put(form: str, stream: TextIO) -> None:
        if form == "html" and drawing is not None:
            stream.write(drawing.html(report, rules, source, place))
        else:
            write(request, form, reports[form], rules, stream, beside=runs)

    for form, file in outputs:
        if file == STDOUT:
            continue
        to_file(file, partial(put, form))
    try:
        put(shown, sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough; what was found stays found
        drop_stdout()
    # What only looked like something to analyse is nothing to analyse.
    told = all(entry.kind in TOLD_BY_CONTENT for entry in chosen)
    analysed = bool(chosen) and (not told or report.units > 0 or bool(report.failures))
    if not analysed:
        _remark(request, f"nothing to analyse{_reasons(report)}")
    return _code(request, config, report, analysed=analysed)


# Arguments


def outputs_of(
    given_outputs: Sequence[str],
    shown: str | None,
    forms: Sequence[str],
    written: str | None = None,
) -> list[tuple[str, str]]:
    """(format, file) of each ``--output``; ``shown`` is the format of standard output, if named.

    Raises CallerError for a file that cannot be written, or twice.
    """
    result: list[tuple[str, str]] = []
    seen: set[Path] = set()
    for given in given_outputs:
        form, equals, file = given.partition("=")
        if not equals or form not in forms or not file:
            known = ", ".join(f"{form}=FILE" for form in forms)
            raise CallerError(f"--output {sanitise(given)}: expected one of {known}")
        result.append((form, file))
    streams = [form for form, file in result if file == STDOUT]
    if len(streams) + (shown is not None) > 1:
        raise CallerError("standard output is the target of two outputs")
    for file in [file for _form, file in result] + [written or ""]:
        if file in ("", STDOUT):
            continue
        target = Path(os.path.realpath(file))
        if target in seen:
            raise CallerError(f"{sanitise(file)} is the target of two outputs")
        seen.add(target)
        if target.is_dir():
            raise CallerError(f"{sanitise(file)} is a directory")
        if not target.parent.is_dir():
            raise CallerError(f"{sanitise(file)}: its directory does not exist")
    return result


def _standard_input(request: Request) -> str | None:
    """The text of standard input, when that is what is to be analysed."""
    if STDIN not in request.paths:
        if request.stdin_filename is not None:
            raise CallerError("--stdin-filename goes with the path -")
        return None
    if len(request.paths) > 1:
        raise CallerError("standard input (-) is checked alone")
    stream: IO[bytes] = sys.stdin.buffer
    limit = MAX_SIZE
    data = stream.read(limit + 1)
    found = plans.look(data[: plans.HEAD])
    if found is plans.Look.BINARY:
        raise CallerError(f"standard input {plans.BINARY_PLAN}")
    if found is not None and len(data) > limit:
        limit = MAX_PLAN
        data += stream.read(limit + 1 - len(data))
    if len(data) > limit:
        raise CallerError(f"standard input has more than {limit:,} bytes")
    try:
        return data.decode("utf-16" if found and plans.is_utf16(data) else "utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CallerError(f"standard input is not UTF-8 in line {line}") from error


def _place(request: Request) -> Place | None:
    """What is looked at; ``None`` for standard input that belongs nowhere."""
    if STDIN not in request.paths:
        paths = request.paths or (os.curdir,)
        return locate(paths, request.config_file, isolated=request.isolated)
    if request.stdin_filename is None:
        return None
    return locate_text(request.stdin_filename, request.config_file, isolated=request.isolated)


def source_of(request: Request, config: Config, place: Place | None, text: str | None) -> Source:
    """What a run reads."""
    if place is None:
        text = text or ""
        return Memory({STDIN_PLAN if plans.look(text[: plans.HEAD]) else STDIN_NAME: text})
    tree = tree_of(request, config, place)
    return tree if text is None else Overlay(tree, {place.files[0]: text})


def tree_of(request: Request, config: Config, place: Place) -> Tree:
    """The directory that a run reads."""
    exclude = (*config.exclude, *request.exclude)
    excluded = Globs(exclude)
    return Tree(
        place.root,
        exclude=exclude,
        include=config.include,
        # A file that is named is reported even when git ignores it, but not when the project
        # excludes it: a hook names every file that changed.
        named=[file for file in place.files if not excluded.match(file)],
        max_size=config.max_file_size,
    )


def with_ignored(request: Request, rules: Sequence[str]) -> Request:
    """The request without some further rules."""
    return replace(request, ignore=(*request.ignore, *rules))


def options_of(
    request: Request, config: Config, rules: RuleSet, place: Place | None, *, change: bool = False
) -> Options:
    """What the command line and the configuration decide about a run. Raises CallerError.

    ``change`` says that two revisions are judged.
    """
    from blastdoor.engine import Options, active

    pedantic = request.pedantic or config.pedantic
    asked = names.words(request.select)
    select = names.resolve(asked or config.select, rules, pedantic=pedantic)
    if (asked or config.select) and not select:
        words = sanitise(", ".join(asked or config.select))
        raise CallerError(f"{words} holds only rules that have to be selected one by one")
    ignore = names.every(config.ignore, rules)
    if asked:
        ignore -= select
    levels: dict[str, Level] = {}
    for name, level in config.levels.items():
        levels.update(dict.fromkeys(names.every([name], rules), level))
    options = Options(
        select=select,
        usual=names.usual(asked or config.select, rules),
        ignore=ignore | names.every(names.words(request.ignore), rules),
        pedantic=pedantic,
        inline_suppressions=not request.no_inline_suppressions,
        var_files=_var_files(request, config, place),
        today=dt.datetime.now(tz=dt.UTC).date(),
        levels=levels,
        environments=config.environments,
    )
    if not active(rules, options) and not (change and _on_changes(rules, options)):
        raise CallerError("no rule is left to run")
    return options


def _on_changes(rules: RuleSet, options: Options) -> bool:
    """Whether a rule is left that judges two revisions."""
    return any(
        "diff" in rule.modes
        and rule.id not in options.ignore
        and (not options.select or rule.id in options.select)
        for rule in rules
    )


def _with_detectors(options: Options, rules: RuleSet, installed: names.EntryPoints) -> Options:
    """The options with the detectors that rules to run name. Effect: imports these detectors."""
    if not installed:
        return options
    from blastdoor.cli import detectors
    from blastdoor.engine import active

    return replace(options, detectors=detectors.load(active(rules, options), installed))


def _var_files(request: Request, config: Config, place: Place | None) -> tuple[str, ...]:
    """Files of variable values, relative to the root: the configuration's, then the caller's."""
    files = [names.beside(config, file, trusted=request.trusted) for file in config.var_files]
    files += [Path(file) for file in request.var_files]
    if place is None:
        if request.var_files:
            raise CallerError("--var-file needs --stdin-filename: standard input belongs nowhere")
        return ()
    for file in files:
        if not file.is_file():
            raise CallerError(f"{sanitise(str(file))}: no such file of variable values")
    return tuple([place.relative(file) for file in files])


# Analysis


def _analyse(  # noqa: PLR0913  what an analysis takes
    request: Request,
    source: Source,
    entries: list[Entry],
    rules: RuleSet,
    options: Options,
    place: Place | None,
    *,
    observe: Callable[[Facts], None] | None = None,
) -> Report:
    from blastdoor import engine

    quiet = request.quiet or request.no_progress
    progress = None if quiet else progress_for(sys.stderr, os.environ)
    try:
        return engine.check(
            source,
            rules,
            options,
            entries=entries,
            observe=observe,
            progress=progress,
            selection=None if place is None or place.whole else place.selects,
        )
    finally:
        if progress is not None:
            progress.clear()


def _fixed(  # noqa: PLR0913  what it takes to analyse again
    request: Request,
    source: Source,
    report: Report,
    rules: RuleSet,
    place: Place | None,
    *,
    known: str | None,
    judged: Callable[[Source], Report],
) -> Report:
    """The report on what the files say with their fixes. Effect: shows them, writes the files."""
    if place is None or isinstance(source, Overlay):
        raise CallerError("standard input cannot be fixed: name the file")
    from blastdoor.cli import fixing
    from blastdoor.fixes import fix_of
    from blastdoor.fixes.mend import mend

    kinds = {rule.id: rule.fix for rule in rules}
    accepted = frozenset[str]() if known is None else _accepted(request, known).fingerprints
    mended = mend(
        report,
        lambda texts: judged(Overlay(source, texts)),
        kinds,
        unsafe=request.unsafe_fixes,
        accepted=accepted,
    )
    if request.show_fixes:
        emit(sys.stdout, "".join(f"{line}\n" for line in fixing.diff(mended, place.root)))
    if request.fix:
        fixing.write(mended, place.root)
    left = [
        fix_of(finding, kinds[finding.rule])
        for finding in mended.report.findings
        if finding.fingerprint not in accepted
    ]
    more = sum(fix is not None and not fix.safe for fix in left)
    words = fixing.said(mended, written=request.fix, unsafe=request.unsafe_fixes, more=more)
    _remark(request, words)
    if any(f.remedies and f.span.path.endswith(".py") for f in mended.report.findings):
        from blastdoor.fixes.python import available

        if not available():
            _remark(request, "Python is fixed with the extra: pip install 'blastdoor[fix]'")
    return mended.report if request.fix else report


def _introduced(
    request: Request,
    source: Source,
    place: Place | None,
    config: Config,
    rules: RuleSet,
    options: Options,
) -> Report:
    if place is None or STDIN in request.paths or request.diff_base is None:
        raise CallerError("--diff-base needs files: standard input has no past")
    from blastdoor.cli.introduced import introduced

    quiet = request.quiet or request.no_progress
    progress = None if quiet else progress_for(sys.stderr, os.environ)
    config = replace(config, exclude=(*config.exclude, *request.exclude))
    try:
        return introduced(
            request.diff_base,
            source,
            place,
            config,
            rules,
            options,
            progress=progress,
            only_agents=request.only_agent_changes,
            quiet=request.quiet,
        )
    finally:
        if progress is not None:
            progress.clear()


def without_ignored(report: Report, config: Config, rules: RuleSet) -> Report:
    """The report without what the configuration ignores by path: that counts as suppressed."""
    tables = [(table, names.every(table.ignore, rules)) for table in config.paths]
    if not tables:
        return report
    kept: list[Finding] = []
    gone: list[Finding] = []
    for finding in report.findings:
        found = next(
            (
                table
                for table, slugs in tables
                if finding.rule in slugs and table.globs.match(finding.span.path)
            ),
            None,
        )
        if found is None:
            kept.append(finding)
        else:
            name = "the configuration" if config.file is None else config.file.name
            why = Suppression(f'paths."{found.pattern}" of {name} ignores the rule')
            gone.append(replace(finding, suppression=why))
    return replace(report, findings=kept, suppressed=[*report.suppressed, *gone])


def _logged(report: Report, entries: list[Entry], place: Place | None) -> Report:
    """The report with paths relative to the repository, as logs name them."""
    if place is None or not place.prefix:
        return report

    def rename(path: str) -> str:
        return posixpath.normpath(posixpath.join(place.prefix, path))

    return _relocated(report, rename, {entry.path for entry in entries})


def _shown(report: Report, entries: list[Entry], place: Place | None) -> Report:
    """The report with paths relative to the working directory, from which people open them."""
    if place is None or place.base == Path(os.path.realpath(os.curdir)):
        return report

    def rename(path: str) -> str:
        return from_here(place.base / path)

    return _relocated(report, rename, {place.prefix + entry.path for entry in entries})


def _relocated(report: Report, rename: Callable[[str], str], files: set[str]) -> Report:
    from blastdoor.report.paths import Relocation

    return Relocation(rename, files).report(report)


# Baseline


def known_of(request: Request, config: Config) -> str | None:
    """The text of the baseline that holds."""
    if request.baseline is not None:
        try:
            return Path(request.baseline).read_text("utf-8")
        except FileNotFoundError as error:
            raise CallerError(_no_baseline(request.baseline)) from error
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "is not UTF-8"
            raise CallerError(f"{sanitise(request.baseline)}: {why}") from error
    if config.baseline is None:
        return None
    file = names.beside(config, config.baseline, trusted=request.trusted)
    data = read_regular(file, MAX_BASELINE)
    if data is None:
        raise CallerError(_no_baseline(str(file)))
    return data.decode("utf-8", "replace")


def _no_baseline(path: str) -> str:
    return f"{sanitise(path)}: no such baseline; --write-baseline makes one"


def compared(request: Request, report: Report, known: str | None, *, whole: bool) -> Report:
    """The report without known findings. Effect: writes the baseline that is asked for."""
    if known is None and request.write_baseline is None:
        return report
    from blastdoor.report import baseline

    if request.write_baseline is not None:
        to_file(request.write_baseline, lambda out: baseline.write_baseline(out, report.findings))
        fingerprints = frozenset(finding.fingerprint for finding in report.findings)
        if request.write_baseline != "-":
            from blastdoor.report.text import counted

            number = counted(len(report.findings), "finding")
            _remark(request, f"wrote {sanitise(request.write_baseline)} with {number}")
        return baseline.apply_baseline(report, baseline.Baseline(fingerprints))
    assert known is not None
    accepted = _accepted(request, known)
    stale = accepted.stale(report.findings)
    if stale and whole:
        entries = (
            "1 entry of the baseline matches"
            if stale == 1
            else f"{stale} entries of the baseline match"
        )
        _remark(request, f"{entries} nothing any more")
    return baseline.apply_baseline(report, accepted)


def _accepted(request: Request, text: str) -> Baseline:
    """The findings of a baseline. Raises CallerError."""
    from blastdoor.report import baseline

    try:
        return baseline.read_baseline(text, request.baseline or "baseline")
    except baseline.BaselineError as error:
        raise CallerError(str(error)) from error


# Outcome


def _drawing(forms: Container[str]) -> Drawing | None:
    """What the HTML report needs beside the findings, when it is asked for."""
    if "html" not in forms:
        return None
    if sys.platform == "win32":
        raise CallerError("the HTML report needs Linux or macOS")
    from blastdoor.cli.drawing import Drawing

    return Drawing()


def write(
    request: Request,
    form: str,
    report: Report,
    rules: RuleSet,
    stream: TextIO,
    *,
    beside: Sequence[PeerRun] = (),
) -> None:
    """Effect: writes the report in one format."""
    if form == "json":
        from blastdoor.report.json import write_json

        write_json(
            stream,
            report,
            rules,
            version=__version__,
            include_suppressed=request.include_suppressed,
        )
    elif form == "sarif":
        from blastdoor.report.sarif import write_sarif

        write_sarif(
            stream,
            report,
            rules,
            version=__version__,
            category=request.category,
            include_suppressed=request.include_suppressed,
            snippets=not request.no_snippets,
            allow_failures=request.allow_failures,
            beside=beside,
        )
    elif form == "github":
        from blastdoor.report.github import write_github

        write_github(stream, report)
    elif form == "gitlab":
        from blastdoor.report.gitlab import write_gitlab

        write_gitlab(stream, report)
    elif form == "junit":
        from blastdoor.report.junit import write_junit

        write_junit(stream, report)
    elif form == "rdjsonl":
        from blastdoor.report.rdjsonl import write_rdjsonl

        write_rdjsonl(stream, report, rules)
    else:
        _write_text(request, report, rules, stream)
        for run in beside:
            show_run(run, stream, summary=not request.quiet)


def _write_text(request: Request, report: Report, rules: RuleSet, stream: TextIO) -> None:
    from blastdoor.report.text import (
        render_failure_line,
        render_line,
        render_summary,
        style_for,
        write_text,
    )

    style = style_for(stream, request.colour, os.environ)
    if not request.no_snippets:
        write_text(
            stream,
            report,
            rules,
            style=style,
            include_suppressed=request.include_suppressed,
            summary=not request.quiet,
        )
        return
    for failure in report.failures:
        emit(stream, render_failure_line(failure) + "\n")
    for finding in report.findings:
        emit(stream, render_line(finding) + "\n")
    if request.include_suppressed:
        for finding in report.suppressed:
            emit(stream, f"{render_line(finding)} (suppressed)\n")
    if not request.quiet:
        emit(stream, render_summary(report, style))


def to_file(file: str, write: Callable[[TextIO], None]) -> None:
    """Effect: writes a file whole or not at all. Raises CallerError."""
    try:
        with replacing(file) as stream:
            write(stream)
    except OSError as error:
        why = error.strerror or "cannot be written"
        raise CallerError(f"{sanitise(file)}: {why}") from error


def _remark(request: Request, words: str) -> None:
    if not request.quiet:
        emit(sys.stderr, f"blastdoor: {words}\n")


def _reasons(report: Report) -> str:
    """Why files were left out, for a run that found none to analyse."""
    if report.failures:
        return ": what is there could not be read"
    if not report.skipped:
        return ": no infrastructure code that blastdoor reads"
    counts = ", ".join(f"{sanitise(name)} ({number})" for name, number in report.skipped.items())
    return f"; skipped: {counts}"


def _code(request: Request, config: Config, report: Report, *, analysed: bool) -> int:
    if not request.allow_failures and any(failure.fatal for failure in report.failures):
        return FAILED
    if not analysed:
        return CLEAN if request.allow_empty else NOTHING
    if request.exit_zero or request.fail_on == "never":
        return CLEAN
    least = config.fail_on if request.fail_on is None else Level.named(request.fail_on)
    return FOUND if any(finding.level >= least for finding in report.findings) else CLEAN
