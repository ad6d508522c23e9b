"""The one door to the analysis: sources in, a report out.

The command line, the editor, the gate and the audit all come through here, so that they cannot
disagree. No clock, no network, no print: what day it is, what to analyse and which rules hold are
given. Two runs on the same input give the same report.
"""

from __future__ import annotations

import gc
import posixpath
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from blastdoor import facts as extractors
from blastdoor import tables
from blastdoor.detect import DETECTORS
from blastdoor.evaluate.terraform import evaluate_root
from blastdoor.finding import Failure, FailureKind, Finding, Level, Related, Report, fingerprinted
from blastdoor.units import Repository, Root, Variables, is_demo, is_variables
from blastdoor.value import HIDDEN, known_text

if TYPE_CHECKING:
    import datetime as dt

    from blastdoor.catalog import Rule
    from blastdoor.detect.hit import Hit
    from blastdoor.fact import Evaluated, Facts
    from blastdoor.source import Entry, Source

MAX_VARIANTS: Final = 16
"""Variables files of one root that are looked at one by one."""
_RECURSION: Final = 12_000
"""Python frames that evaluation may need; its own depth budget keeps it below."""
_WORD: Final = re.compile(r"[A-Za-z0-9]+")
_ENVIRONMENT_NAMES: Final = frozenset({"environment", "env", "stage", "environment_name"})

_WHOLE_SEGMENTS: Final = frozenset(
    {"ci", "local", "live", "test", "tst", "example", "demo", "preview", "ephemeral", "stage"}
)
"""Environment words that mean one only as a whole path segment."""

Progress = Callable[[int, int], None]
Selection = Callable[[str], bool]


@dataclass(frozen=True)
class Options:
    """What the caller decides about a run."""

    select: frozenset[str] = frozenset()
    """Slugs of the only rules to run; empty for those that are on."""
    ignore: frozenset[str] = frozenset()
    pedantic: bool = False
    inline_suppressions: bool = True
    var_files: tuple[str, ...] = ()
    """Files of variable values, relative to the source; they replace the variants found beside."""
    today: dt.date | None = None
    """The day that suppressions are held against; ``None`` never lets one expire."""
    levels: Mapping[str, Level] = field(default_factory=dict)
    """Slug → the level its findings get."""
    environments: Mapping[str, str] = field(default_factory=dict)
    """Glob of unit paths → environment name."""


def check(
    source: Source,
    rules: Iterable[Rule],
    options: Options | None = None,
    *,
    entries: Iterable[Entry] | None = None,
    progress: Progress | None = None,
    selection: Selection | None = None,
) -> Report:
    """Everything the rules say about a source; ``selection`` limits which paths are reported."""
    options = options or Options()
    with _room():
        run = _Run(source, tuple(rules), options, entries, selection)
        return run.all(progress)


def analyze_files(
    files: Mapping[str, str], rules: Sequence[Rule], options: Options | None = None
) -> Report:
    """The report on files held in memory: path → text."""
    from blastdoor.source import Memory

    return check(Memory(files), rules, options or Options(select=frozenset(r.id for r in rules)))


@contextmanager
def _room() -> Iterator[None]:
    """Room for deep evaluation, and no garbage collection while trees are only growing."""
    limit = sys.getrecursionlimit()
    collecting = gc.isenabled()
    sys.setrecursionlimit(max(limit, _RECURSION))
    gc.disable()
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
        if collecting:
            gc.enable()


def active(rules: Iterable[Rule], options: Options) -> list[Rule]:
    """The rules that run under ``options``."""
    chosen = []
    for rule in rules:
        if rule.id in options.ignore:
            continue
        if options.select:
            wanted = rule.id in options.select
        else:
            wanted = rule.default == "on" or (rule.default == "pedantic" and options.pedantic)
        if wanted and "state" in rule.modes:
            chosen.append(rule)
    return chosen


class _Run:
    """One analysis of one source."""

    def __init__(
        self,
        source: Source,
        rules: tuple[Rule, ...],
        options: Options,
        entries: Iterable[Entry] | None,
        selection: Selection | None,
    ) -> None:
        self.source = source
        self.every = rules
        self.rules = active(rules, options)
        self.options = options
        self.selection = selection
        self.entries = list(source.files() if entries is None else entries)
        self.repository = Repository(source, self.entries)
        self.report = Report()
        self.found: dict[tuple[str, str, int, int, str], Finding] = {}
        self.visited: set[str] = set()
        self.no_region = tables.locations().aws_without_region

    def all(self, progress: Progress | None) -> Report:
        roots = [path for path in self.repository.roots() if self._wanted(path)]
        total = len(roots)
        for number, directory in enumerate(roots):
            if progress is not None:
                progress(number, total)
            self._root(self.repository.root(directory))
        # Modules that only call one another have no root: each is looked at for itself.
        for directory in self.repository.directories():
            if directory not in self.visited and self._wanted(directory):
                self._root(Root(directory, is_root=False))
        self._unread_variables()
        if progress is not None:
            progress(total, total)
        return self._finish()

    def _unread_variables(self) -> None:
        """Effect: parses the variables files that no unit read, so that a broken one is no pass."""
        for directory, names in self.repository.by_directory.items():
            for name in names:
                path = posixpath.normpath(posixpath.join(directory, name))
                if (
                    is_variables(name)
                    and path not in self.repository.read_paths
                    and (self.selection is None or self.selection(path))
                ):
                    self.repository.variables_file(path)

    def _wanted(self, root: str) -> bool:
        if self.selection is None:
            return True
        pending, seen = [root], {root}
        while pending:
            directory = pending.pop()
            for name in self.repository.by_directory.get(directory, ()):
                if self.selection(posixpath.normpath(posixpath.join(directory, name))):
                    return True
            for _call, target in self.repository.local_calls(directory):
                if target not in seen:
                    seen.add(target)
                    pending.append(target)
        return False

    # Units

    def _root(self, root: Root) -> None:
        self.report.units += 1
        variants: Sequence[tuple[Variables, ...]] = [()]
        if root.is_root:
            variants = self._variants(root) or [()]
        for number, variables in enumerate(variants):
            self._variant(root, variables, first=number == 0)

    def _variants(self, root: Root) -> list[tuple[Variables, ...]]:
        if self.options.var_files:
            given = [self.repository.variables_file(path) for path in self.options.var_files]
            return [tuple(file for file in given if file is not None)]
        paths = self.repository.variants(root.directory)
        if len(paths) > MAX_VARIANTS:
            more = len(paths) - MAX_VARIANTS
            self.report.skipped[f"variables file beyond {MAX_VARIANTS} of one root"] += more
        found = [self.repository.variables_file(path) for path in paths[:MAX_VARIANTS]]
        return [(file,) for file in found if file is not None]

    def _variant(self, root: Root, variables: tuple[Variables, ...], *, first: bool) -> None:
        try:
            unit = evaluate_root(self.repository, root, variables, no_region=self.no_region)
            unit.environment = self._environment(root, unit, variables)
            facts, coverage = extractors.extract(unit)
        except Exception as error:  # noqa: BLE001  the one place: a bug is a reported failure
            self.report.failures.append(_internal(root.directory, None, error))
            return
        if first:
            self.report.coverage.add(coverage)
            self.report.resources += sum(not r.is_data for r in unit.resources)
        self.visited.add(root.directory)
        self.visited.update(posixpath.dirname(path) or "." for path in unit.inputs)
        self.report.failures.extend(
            failure for failure in unit.failures if failure not in self.report.failures
        )
        for rule in self.rules:
            self._judge(rule, facts)
        unit.close()

    def _judge(self, rule: Rule, facts: Facts) -> None:
        try:
            if rule.match is not None:
                hits = list(rule.match.hits(facts, rule.title))
            elif rule.detector is not None:
                hits = list(DETECTORS[rule.detector](facts))
            else:
                return
        except Exception as error:  # noqa: BLE001  see above
            self.report.failures.append(_internal(facts.unit.address, rule.id, error))
            return
        for hit in hits:
            self._keep(rule, hit, facts.unit)

    def _environment(
        self, root: Root, unit: Evaluated, variables: tuple[Variables, ...]
    ) -> str | None:
        for pattern, name in self.options.environments.items():
            from blastdoor.source import Globs

            if Globs([pattern]).match(root.directory):
                return tables.scopes().environment_of([name])
        words = _environment_words(root.directory)
        for file in variables:
            words.extend(_WORD.findall(posixpath.basename(file.path).rsplit(".tfvars", 1)[0]))
        for setting in unit.settings:
            if setting.name in _ENVIRONMENT_NAMES and setting.kind in ("tfvars", "local"):
                text = known_text(setting.value)
                if text is not None:
                    words.extend(_WORD.findall(text))
        return tables.scopes().environment_of(words)

    # Findings

    def _keep(self, rule: Rule, hit: Hit, unit: Evaluated) -> None:
        path = hit.span.path
        if self.selection is not None and not self.selection(path):
            return
        if path not in self.repository.reported:
            return
        level, evidence = self._level(rule, hit, unit)
        if unit.secrets:
            hit = _without_secrets(hit, unit.secrets)
        finding = Finding(
            rule.id,
            level,
            hit.message,
            hit.span,
            hit.unit,
            hit.axis or (rule.axes[0] if rule.axes else ""),
            hit.attribute,
            hit.value,
            hit.contain,
            hit.related,
            hit.reach,
            evidence,
        )
        key = (rule.id, path, hit.span.start, hit.span.end, hit.attribute)
        known = self.found.get(key)
        if known is None:
            self.found[key] = finding
            return
        stronger, other = (finding, known) if level > known.level else (known, finding)
        places = {(r.span.path, r.span.start) for r in stronger.related}
        found = (*other.related, *_caller(finding, known, unit))
        more = tuple(r for r in found if (r.span.path, r.span.start) not in places)
        self.found[key] = replace(stronger, related=stronger.related + more[:20])

    def _level(self, rule: Rule, hit: Hit, unit: Evaluated) -> tuple[Level, tuple[str, ...]]:
        level = rule.level if hit.level is None else hit.level
        if hit.condition:
            level = rule.levels.get(hit.condition, level)
        evidence: list[str] = []
        level = self.options.levels.get(rule.id, level)
        if is_demo(posixpath.dirname(hit.span.path)):
            if level > Level.NOTE:
                evidence.append("in a folder of tests or examples")
            return Level.NOTE, tuple(evidence)
        environment = hit.environment or unit.environment
        if environment == "non-production" and level > Level.NOTE:
            evidence.append("not a production environment")
            level = level.lowered()
        return level, tuple(evidence)

    def _finish(self) -> Report:
        report = self.report
        report.failures.extend(self._syntax_failures())
        report.failures.extend(
            failure
            for failure in self.source.failures
            if self.selection is None or self.selection(failure.path)
        )
        report.skipped.update(self.source.skipped)
        report.files = len(self.repository.read_paths)
        findings = fingerprinted(_without_superseded(self.found.values(), self.every))
        if self.options.inline_suppressions and self.repository.comments:
            from blastdoor import suppress

            reported = self.repository.reported
            outcome = suppress.apply(
                findings,
                {
                    path: comments
                    for path, comments in self.repository.comments.items()
                    if path in reported and (self.selection is None or self.selection(path))
                },
                self.repository.ranges,
                self.every,
                self.options.today,
                documents=self.repository.commented,
                active={rule.id for rule in self.rules},
            )
            findings = list(outcome.kept)
            report.suppressed.extend(outcome.suppressed)
            report.failures.extend(outcome.failures)
        report.findings.extend(findings)
        report.failures.sort(
            key=lambda f: (f.path, f.span.start if f.span else -1, f.kind, f.message)
        )
        return report

    def _syntax_failures(self) -> list[Failure]:
        """What does not parse. A file that is ignored or excluded is counted as skipped instead."""
        failures = []
        for failure in self.repository.failures.values():
            if self.selection is not None and not self.selection(failure.path):
                continue
            if failure.path in self.repository.reported or failure.path.startswith(".terraform/"):
                failures.append(failure)
            else:
                self.report.skipped["place that does not parse in an excluded file"] += 1
        return failures


_SHORT: Final = 8
"""Length below which a secret text is masked as a whole word only."""
_SHORTEST: Final = 3
"""Length below which a text in a message is not told from the words around it."""


def _without_secrets(hit: Hit, secrets: Collection[str]) -> Hit:
    """A hit in whose words `HIDDEN` stands for every text that must not be printed."""
    words = [hit.message, hit.value, hit.contain, *[related.message for related in hit.related]]
    reach = "" if hit.reach is None else repr(hit.reach)
    whole = "\0".join([*words, reach])
    held = [text for text in secrets if len(text.strip()) >= _SHORTEST and text in whole]
    if not held:
        return hit
    held.sort(key=lambda text: (-len(text), text))
    pattern = re.compile(
        "|".join(
            [
                re.escape(text) if len(text) >= _SHORT else rf"(?<!\w){re.escape(text)}(?!\w)"
                for text in held
            ]
        )
    )

    def masked(text: str) -> str:
        return pattern.sub(HIDDEN, text)

    return replace(
        hit,
        message=masked(hit.message),
        value=masked(hit.value),
        contain=masked(hit.contain),
        related=tuple([Related(r.span, masked(r.message)) for r in hit.related]),
        # What it reaches may name the value, too.
        reach=None if pattern.search(reach) else hit.reach,
    )


def _without_superseded(found: Iterable[Finding], rules: Iterable[Rule]) -> list[Finding]:
    """The findings without those that another rule says better at the same place."""
    findings = list(found)
    supersedes = {rule.id: rule.supersedes for rule in rules if rule.supersedes}
    gone = {
        (slug, finding.span.path, finding.span.start)
        for finding in findings
        for slug in supersedes.get(finding.rule, ())
    }
    return [f for f in findings if (f.rule, f.span.path, f.span.start) not in gone]


def _caller(finding: Finding, known: Finding, unit: Evaluated) -> tuple[Related, ...]:
    """The call that brings the same finding about once more, when it is another."""
    if finding.unit == known.unit:
        return ()
    calls = [c for c in unit.modules if finding.unit.startswith(f"{c.address}.")]
    if not calls:
        return ()
    nearest = max(calls, key=lambda call: len(call.address))
    return (Related(nearest.span, f"also {finding.unit}"),)


def _environment_words(directory: str) -> list[str]:
    """The words of a path that may name an environment: whole segments, and plain parts of them.

    ``ci-runners`` runs what ``ci`` runs but is no environment; ``network-prod`` is one's network.
    """
    words: list[str] = []
    for segment in directory.split("/"):
        words.append(segment)
        words.extend(w for w in _WORD.findall(segment) if w.lower() not in _WHOLE_SEGMENTS)
    return words


def _internal(path: str, rule: str | None, error: Exception) -> Failure:
    place = ""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is not None:
        place = f" ({posixpath.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno})"
    what = f"the detector of {rule}" if rule else "the evaluation"
    return Failure(
        FailureKind.INTERNAL,
        path,
        f"{what} failed: {type(error).__name__}: {str(error)[:200]}{place}",
        rule=rule,
    )
