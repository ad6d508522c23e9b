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
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field, replace
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from blastdoor import facts as extractors
from blastdoor import tables
from blastdoor.context import environment_words, is_demo
from blastdoor.detect import DETECTORS, Detector
from blastdoor.evaluate.survey import surveys
from blastdoor.evaluate.terraform import evaluate_root
from blastdoor.finding import (
    Failure,
    FailureKind,
    Finding,
    Level,
    Related,
    Report,
    fingerprinted,
    raised_at,
)
from blastdoor.record import dataclass
from blastdoor.source.kinds import Kind
from blastdoor.span import written
from blastdoor.units import Repository, Root, Subject, Variables, is_variables
from blastdoor.value import HIDDEN, known_text

if TYPE_CHECKING:
    import datetime as dt

    from blastdoor.catalog import Rule
    from blastdoor.detect.hit import Hit
    from blastdoor.evaluate.plan import Plan
    from blastdoor.evaluate.terragrunt import Estate, Unit
    from blastdoor.fact import Evaluated, Facts, ModuleCall
    from blastdoor.finding import Remedy
    from blastdoor.source import Entry, Source
    from blastdoor.span import Span

MAX_VARIANTS: Final = 16
"""Variables files of one root that are looked at one by one."""
MAX_BESIDE: Final = 50
"""Places that a finding which stands for a whole file keeps."""
_RECURSION: Final = 12_000
"""Python frames that evaluation may need; its own depth budget keeps it below."""
_WORD: Final = re.compile(r"[A-Za-z0-9]+")
_ENVIRONMENT_NAMES: Final = frozenset(
    {"environment", "env", "stage", "environment_name", "environmentname"}
)

Progress = Callable[[int, int], None]
Observer = Callable[["Facts"], None]
Wanted = Callable[[Repository], "Container[str]"]
Selection = Callable[[str], bool]


@dataclass(frozen=True)
class Options:
    """What the caller decides about a run."""

    select: frozenset[str] = frozenset()
    """Slugs of the only rules to run; empty for those that are on."""
    usual: frozenset[str] = frozenset()
    """Slugs within ``select`` that a family brought in: opt-in rules, under their conditions only."""
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
    detectors: Mapping[str, Detector] = field(default_factory=dict)
    """Detectors of installed distributions, by the names that pages use."""
    also: frozenset[str] = frozenset()
    """Slugs of opt-in rules that run beside the usual ones: for a look at what is new."""
    each: bool = False
    """Whether rules that speak once for a file speak of each place."""


def check(  # noqa: PLR0913  one door, everything after the options by keyword
    source: Source,
    rules: Iterable[Rule],
    options: Options | None = None,
    *,
    entries: Iterable[Entry] | None = None,
    progress: Progress | None = None,
    selection: Selection | None = None,
    observe: Observer | None = None,
    wanted: Wanted | None = None,
) -> Report:
    """Everything the rules say about a source; ``selection`` limits which paths are reported.

    ``observe`` gets the facts of every variant of every unit while they can be read; ``wanted``
    says, once the callers are known, which directories are looked at.
    """
    options = options or Options()
    with room():
        run = Run(source, tuple(rules), options, entries, selection)
        run.observe = observe
        run.chosen = wanted
        try:
            return run.all(progress)
        finally:
            run.repository.close()


def analyze_files(
    files: Mapping[str, str], rules: Sequence[Rule], options: Options | None = None
) -> Report:
    """The report on files held in memory: path → text."""
    from blastdoor.source import Memory

    return check(Memory(files), rules, options or Options(select=frozenset(r.id for r in rules)))


@contextmanager
def room() -> Iterator[None]:
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


def survey(repository: Repository) -> list[Failure]:
    """Effect: finds the units of the languages whose files only their content tells."""
    failures = []
    for find in surveys(repository):
        try:
            repository.subjects.extend(find(repository))
        except Exception as error:  # noqa: BLE001  as in `Run`
            failures.append(_internal(".", None, error))
    return failures


def active(rules: Iterable[Rule], options: Options) -> list[Rule]:
    """The rules that run under ``options``."""
    chosen = []
    for rule in rules:
        if rule.id in options.ignore:
            continue
        if options.select:
            wanted = rule.id in options.select
        else:
            wanted = (
                rule.default == "on"
                or bool(rule.on_when)
                or (rule.default == "pedantic" and options.pedantic)
                or rule.id in options.also
            )
        if wanted and "state" in rule.modes:
            chosen.append(rule)
    return chosen


def asked(rule: Rule, options: Options) -> bool:
    """Whether every finding of an active rule counts, not only those under its conditions."""
    return rule.default != "opt-in" or rule.id in options.select - options.usual


class Call(NamedTuple):
    """What is kept of a module call when its unit is let go."""

    address: str
    span: Span


class Planned(NamedTuple):
    """What a rule says of a plan, before it is known whether the sources say it too."""

    finding: Finding
    key: tuple[str, str, int, int, str]
    path: str
    """The plan's."""
    directories: frozenset[str]
    """Those of the sources that it was made from."""
    shown: Related | None
    """Its place in the plan, when that is the finding's own."""


class Run:
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
        self.waiting = frozenset(
            rule.id
            for rule in self.rules
            if not asked(rule, options) and rule.id not in options.also
        )
        self.thorough = any(
            rule.default == "opt-in" and rule.id not in self.waiting | options.also
            for rule in self.rules
        )
        self.options = options
        self.selection = selection
        self.entries = list(source.files() if entries is None else entries)
        self.listed = frozenset(entry.path for entry in self.entries)
        self.sources_wanted = selection is None or any(
            selection(entry.path) for entry in self.entries if entry.kind is not Kind.PLAN
        )
        """Whether more than plans is reported on."""
        self.whole = all(entry.reported for entry in self.entries)
        """Whether no file is read as an input only."""
        self.repository = Repository(source, self.entries)
        self.report = Report()
        self.found: dict[tuple[str, str, int, int, str], Finding] = {}
        self.same: dict[tuple[str, str, str, str], list[tuple[str, str, int, int, str]]] = {}
        """What a finding says → keys of `found`: plans repeat what their sources say."""
        self.planned_from: set[str] = set()
        """Paths of sources that findings of a plan were put at."""
        self.visited: set[str] = set()
        self.no_region = tables.locations().aws_without_region
        self.observe: Observer | None = None
        self.chosen: Wanted | None = None

    def all(self, progress: Progress | None) -> Report:
        """The report."""
        units = self._survey()
        self._find_subjects()
        roots = [path for path in self.repository.roots() if self._wanted(path)]
        chosen = None if self.chosen is None else self.chosen(self.repository)
        if chosen is not None:
            roots = [path for path in roots if path in chosen]
            units = [unit for unit in units if unit.directory in chosen]
        subjects = [
            subject
            for subject in self.repository.subjects
            if (chosen is None or subject.path in chosen) and self._concerned(subject)
        ]
        total = len(roots) + len(units) + len(subjects)
        for number, directory in enumerate(roots):
            if progress is not None:
                progress(number, total)
            self._directory(directory)
        for number, unit in enumerate(units):
            if progress is not None:
                progress(len(roots) + number, total)
            self._unit(unit)
        # Modules that only call one another have no root: each is looked at for itself.
        for directory in self.repository.directories():
            if chosen is not None and directory not in chosen:
                continue
            if directory not in self.visited and self._wanted(directory):
                self._directory(directory, alone=True)
        for number, subject in enumerate(subjects):
            if progress is not None:
                progress(len(roots) + len(units) + number, total)
            self._subject(subject)
        self._plans(chosen)
        if chosen is None:
            self._unread_variables()
        if progress is not None:
            progress(total, total)
        return self._finish()

    def _find_subjects(self) -> None:
        self.report.failures.extend(survey(self.repository))

    def _directory(self, directory: str, *, alone: bool = False) -> None:
        """Effect: analyses a Terraform directory; ``alone``: a module that only an unknown one calls."""
        self._root(Root(directory, is_root=False) if alone else self.repository.root(directory))

    def _subject(self, subject: Subject) -> None:
        self.report.units += 1
        self._evaluate(Root(subject.path, is_root=True), subject.evaluate, (), first=True)

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
        if self.selection is None and self.whole:
            return True
        if not self.sources_wanted:
            return False
        pending, seen = [root], {root}
        while pending:
            directory = pending.pop()
            for name in self.repository.by_directory.get(directory, ()):
                if self._reports(posixpath.normpath(posixpath.join(directory, name))):
                    return True
            for _call, target in self.repository.local_calls(directory):
                if target not in seen:
                    seen.add(target)
                    pending.append(target)
        return False

    # Units

    def _survey(self) -> Sequence[Unit]:
        """The Terragrunt units and stacks. Effect: from here on the modules they run are no roots."""
        if not self.repository.terragrunt and not self.repository.stacks:
            return ()
        estate = self._estate()
        if estate is None:
            return ()
        self.repository.adopt(estate.callers(), external=estate.external)
        self.report.skipped.update(estate.skipped)
        return [*estate.units, *estate.stacks]

    def _estate(self) -> Estate | None:
        from blastdoor.evaluate import terragrunt

        try:
            return terragrunt.survey(self.repository)
        except Exception as error:  # noqa: BLE001  as below
            self.report.failures.append(_internal(".", None, error))
            return None

    def _concerned(self, subject: Subject) -> bool:
        """Whether a file that is to be reported plays a part in a unit."""
        if self.selection is None and self.whole:
            return True
        return any(self._reports(path) for path in subject.reads)

    def _reports(self, path: str) -> bool:
        """Whether what is found in a file is reported."""
        if self.selection is None:
            return path in self.repository.reported
        return self.selection(path)

    def _unit(self, unit: Unit) -> None:
        from blastdoor.evaluate import terragrunt

        root = Root(unit.directory, is_root=True)
        files = [self.repository.variables_file(path) for path in unit.variants[:MAX_VARIANTS]]
        variants = [(), *((file,) for file in files if file is not None)]
        for number, variables in enumerate(variants):
            make = partial(
                terragrunt.evaluate_unit,
                self.repository,
                unit,
                variables,
                no_region=self.no_region,
            )
            self._evaluate(root, make, variables, first=number == 0)

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
        self._evaluate(
            root,
            lambda: evaluate_root(self.repository, root, variables, no_region=self.no_region),
            variables,
            first=first,
        )

    def _evaluate(
        self,
        root: Root,
        make: Callable[[], Evaluated],
        variables: tuple[Variables, ...],
        *,
        first: bool,
    ) -> None:
        try:
            unit = make()
            unit.environment = self._environment(root, unit, variables)
            facts, coverage = extractors.extract(unit, thorough=self.thorough)
        except Exception as error:  # noqa: BLE001  the one place: a bug is a reported failure
            self.report.failures.append(_internal(root.directory, None, error))
            return
        if unit.runner is not None and not self._touches(unit):
            unit.close()
            return
        if first and unit.runner is not None and unit.is_root:
            self.report.units += 1
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
        self._leave(facts)

    def _leave(self, facts: Facts) -> None:
        """Effect: shows a judged unit to who observes, and lets go of it."""
        if self.observe is not None:
            self.observe(facts)
        facts.unit.close()

    def _touches(self, unit: Evaluated) -> bool:
        """Whether a file that is to be reported plays a part in a unit."""
        return self.selection is None or any(self.selection(path) for path in unit.inputs)

    def _judge(self, rule: Rule, facts: Facts) -> None:
        for hit in self._hits(rule, facts):
            self._keep(rule, hit, facts.unit)

    def _hits(self, rule: Rule, facts: Facts) -> list[Hit]:
        try:
            if rule.match is not None:
                hits = list(rule.match.hits(facts, rule.title))
            elif rule.detector is not None:
                detector = DETECTORS.get(rule.detector) or self.options.detectors[rule.detector]
                hits = list(detector(facts))
            else:
                hits = []
        except Exception as error:  # noqa: BLE001  see above
            self.report.failures.append(_internal(facts.unit.address, rule.id, error))
            return []
        if rule.id in self.waiting:
            return [hit for hit in hits if hit.condition in rule.on_when]
        return hits

    # Plans

    def _plans(self, chosen: Container[str] | None) -> None:
        """Effect: analyses the plans, after the sources that they were made from."""
        for entry in self.entries:
            if entry.kind is Kind.PLAN and entry.reported:
                if chosen is not None and entry.path not in chosen:
                    continue
                if self.selection is not None and not self.selection(entry.path):
                    continue
                self._plan(entry.path)

    def _plan(self, path: str) -> None:
        """Effect: adds what a plan says to what the sources say."""
        for key, finding in self.found.items():
            self.same.setdefault(_statement(finding), []).append(key)
        self.repository.reported.add(path)
        for planned in self._read_plan(path):
            self._enter_planned(planned)
        self.same.clear()

    def _read_plan(self, path: str) -> list[Planned]:
        """What the rules say of a plan. Effect: counts it, and what is in it, in the report."""
        from blastdoor.evaluate.plan import PlanError, evaluate_plan

        found: list[Planned] = []
        text = self.repository.files.read(path)
        if text is None:
            return found
        self.report.units += 1
        self.repository.read_paths.add(path)
        try:
            plan = evaluate_plan(self.repository, path, text, no_region=self.no_region)
            unit = plan.unit
            folder = plan.places.root or posixpath.dirname(path)
            home = posixpath.join(folder, posixpath.basename(path))
            unit.environment = self._environment(Root(home, is_root=True), unit, ())
            facts, coverage = extractors.extract(unit)
        except PlanError as error:
            self.report.failures.append(Failure(error.kind, path, error.message))
            return found
        except Exception as error:  # noqa: BLE001  see above
            self.report.failures.append(_internal(path, None, error))
            return found
        self.report.coverage.add(coverage)
        self.report.resources += sum(not r.is_data for r in unit.resources)
        self.report.planned.update(plan.planned)
        for rule in self.rules:
            try:
                found.extend(self._planned(rule, hit, plan) for hit in self._hits(rule, facts))
            except Exception as error:  # noqa: BLE001  see above
                self.report.failures.append(_internal(path, rule.id, error))
        self.report.failures.extend(
            failure for failure in unit.failures if failure not in self.report.failures
        )
        self._leave(facts)
        return found

    def _planned(self, rule: Rule, hit: Hit, plan: Plan) -> Planned:
        """What a rule says of a plan, where the sources say it if they are here."""
        path = plan.document.path
        settled = self._settled(rule, hit, plan)
        finding = finding_of(rule, settled, plan.unit.environment, self.options)
        directories = () if plan.places.root is None else plan.places.directories
        words = f"planned so for {self._instance(hit, plan)}"
        shown = Related(hit.span, words) if settled.span is hit.span else None
        key = (rule.id, settled.span.path, settled.span.start, settled.span.end, hit.attribute)
        return Planned(finding, key, path, frozenset(directories), shown)

    def _enter_planned(self, planned: Planned) -> None:
        """Effect: keeps what a rule says of a plan, once where the sources say the same."""
        finding = planned.finding
        for key in self.same.get(_statement(finding), ()):
            known = self.found[key]
            place = known.span.path
            home = posixpath.dirname(place) or "."
            if place == planned.path or home in planned.directories:
                also: tuple[Related, ...] = ()
                if planned.shown is not None and planned.shown.span != known.span:
                    also = (planned.shown,)
                self._merge(key, finding, known, also)
                return
        key = planned.key
        if key[1] != planned.path:
            self.planned_from.add(key[1])
        self.same.setdefault(_statement(finding), []).append(key)
        if key in self.found:
            self._merge(key, finding, self.found[key], ())
        else:
            self.found[key] = finding

    @staticmethod
    def _instance(hit: Hit, plan: Plan) -> str:
        """The address of the instance that a hit is about, keys included."""
        return plan.places.source_of(hit.span).instance or hit.unit

    def _settled(self, rule: Rule, hit: Hit, plan: Plan) -> Hit:
        """A hit with its place in the sources and without anything sensitive."""
        secrets = plan.secrets
        here = plan.document

        def hidden(words: str) -> str:
            return secrets.hidden(words, hit.unit)

        def placed(span: Span) -> Span:
            if span.document is not here:
                return span
            found = plan.places.source_of(span).span
            if found is None or found.path not in self.repository.reported:
                return span
            # A line that holds something sensitive is not quoted; the plan has it blotted out.
            line = found.document.line(found.begin.line)
            return found if hidden(line + found.text) == line + found.text else span

        sensitive = [
            span.document is here and secrets.touches(span.start, span.end)
            for span in (hit.span, *(r.span for r in hit.related))
        ]
        related = [
            Related(placed(r.span), "a sensitive value" if hides else hidden(r.message))
            for r, hides in zip(hit.related, sensitive[1:], strict=True)
        ]
        span = placed(hit.span)
        if span is not hit.span:
            words = f"planned so for {self._instance(hit, plan)}"
            related.append(Related(hit.span, words))
        if any(sensitive):
            return replace(
                hit,
                span=span,
                message=f"{hit.axis or rule.family}: {rule.title} (by a value that is sensitive), "
                f"in {hit.unit}",
                attribute=hit.attribute.partition("[")[0],
                value="sensitive",
                contain="",
                related=tuple(related),
                reach=None,
                covers=tuple(placed(place) for place in hit.covers),
                remedies=(),
            )
        reach = hit.reach
        if reach is not None:
            words = " ".join(reach.describe())
            if hidden(words) != words:
                reach = None
        return replace(
            hit,
            span=span,
            message=hidden(hit.message),
            attribute=hidden(hit.attribute),
            value=hidden(hit.value),
            contain=hidden(hit.contain),
            related=tuple(related),
            reach=reach,
            covers=tuple(placed(place) for place in hit.covers),
            remedies=(),
        )

    def _environment(
        self, root: Root, unit: Evaluated, variables: tuple[Variables, ...]
    ) -> str | None:
        for pattern, name in self.options.environments.items():
            from blastdoor.source import Globs

            if Globs([pattern]).match(root.directory):
                return tables.scopes().environment_of([name])
        words = environment_words(root.directory)
        for file in variables:
            words.extend(_WORD.findall(posixpath.basename(file.path).rsplit(".tfvars", 1)[0]))
        given = {file.path for file in variables}
        said: list[str] = []
        for setting in unit.settings:
            if setting.kind == "tfvars" and variables and setting.span.path not in given:
                continue  # of another variant
            if setting.name.lower() in _ENVIRONMENT_NAMES and setting.kind in ("tfvars", "local"):
                text = known_text(setting.value)
                if text is not None:
                    said.append(text)
        # Deployments of one template are looked at together: what they differ in says nothing.
        if unit.language == "terraform" or len(set(said)) == 1:
            words.extend(word for text in said for word in _WORD.findall(text))
        return tables.scopes().environment_of(words)

    # Findings

    def _keep(self, rule: Rule, hit: Hit, unit: Evaluated) -> None:
        hit = _placed(hit, unit)
        if hit.span.path not in self.listed:
            hit = self._moved(hit)
        path = hit.span.path
        if self.selection is not None and not self.selection(path):
            return
        if path not in self.repository.reported:
            return
        if any(r.span.path not in self.repository.reported for r in hit.remedies):
            hit = replace(hit, remedies=())
        if unit.secrets:
            hit = without_secrets(hit, unit.secrets)
        finding = finding_of(rule, hit, unit.environment, self.options)
        key = (rule.id, path, hit.span.start, hit.span.end, hit.attribute)
        self._enter(key, finding, unit.modules)

    def _enter(
        self,
        key: tuple[str, str, int, int, str],
        finding: Finding,
        modules: Sequence[Call | ModuleCall],
    ) -> None:
        """Effect: keeps a finding of a unit with some module calls."""
        known = self.found.get(key)
        if known is None:
            self.found[key] = finding
            return
        self._merge(key, finding, known, _caller(finding, known, modules))

    def _merge(
        self,
        key: tuple[str, str, int, int, str],
        finding: Finding,
        known: Finding,
        also: tuple[Related, ...],
    ) -> None:
        """Effect: makes one of two findings that say the same."""
        stronger, other = known, finding
        if finding.level > known.level:
            stronger, other = finding, known
        places = {(r.span.path, r.span.start) for r in stronger.related}
        found = (*other.related, *also)
        more = tuple(r for r in found if (r.span.path, r.span.start) not in places)
        self.found[key] = replace(
            stronger,
            related=stronger.related + more[:20],
            covers=tuple(dict.fromkeys((*stronger.covers, *other.covers))),
        )

    def _moved(self, hit: Hit) -> Hit:
        """A hit in a file that configuration reads (a policy in JSON, a template), said at its use.

        What such a file is to git is not known, so that nothing is reported in it.
        """
        for use in reversed(hit.related):
            if use.span.path in self.repository.reported:
                others = tuple(other for other in hit.related if other is not use)
                return replace(
                    hit,
                    span=use.span,
                    related=(Related(hit.span, "written here"), *others),
                    covers=(use.span,) if hit.covers else (),
                )
        return hit

    def _finish(self) -> Report:
        report = self.report
        report.failures.extend(self._syntax_failures())
        report.failures.extend(
            failure
            for failure in self.source.failures
            if self.selection is None or self.selection(failure.path)
        )
        report.skipped.update(self.source.skipped)
        report.skipped.update(self.repository.skipped)
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
                    if path in reported
                    and (
                        self.selection is None or self.selection(path) or path in self.planned_from
                    )
                },
                self.repository.ranges,
                self.every,
                self.options.today,
                documents=self.repository.commented,
                active={rule.id for rule in self.rules} - self.waiting,
            )
            findings = list(outcome.kept)
            report.suppressed.extend(outcome.suppressed)
            report.failures.extend(
                failure
                for failure in outcome.failures
                if self.selection is None or self.selection(failure.path)
            )
        if not self.options.pedantic and not self.options.each:
            findings = one_per_file(findings, self.every)
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


def finding_of(rule: Rule, hit: Hit, environment: str | None, options: Options) -> Finding:
    """The finding that a hit of a rule is, at the level that its place gives it."""
    level, evidence = _level(rule, hit, environment, options)
    return Finding(
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
        hit.covers,
        evidence,
        before=hit.before,
        after=hit.after,
        remedies=hit.remedies,
        also=hit.also,
    )


def _level(
    rule: Rule, hit: Hit, environment: str | None, options: Options
) -> tuple[Level, tuple[str, ...]]:
    level = rule.level if hit.level is None else hit.level
    if hit.condition:
        level = rule.levels.get(hit.condition, level)
    evidence: list[str] = []
    level = options.levels.get(rule.id, level)
    if is_demo(posixpath.dirname(hit.span.path)):
        if level > Level.NOTE:
            evidence.append("in a folder of tests or examples")
        return Level.NOTE, tuple(evidence)
    environment = hit.environment or environment
    if environment == "non-production" and level > Level.NOTE:
        evidence.append("not a production environment")
        level = level.lowered()
    deciding = [related.message for related in hit.related if related.decides]
    if deciding and level > Level.NOTE:
        evidence.append(f"only under {deciding[0]}")
        level = level.lowered()
    return level, tuple(evidence)


_SHORT: Final = 8
"""Length below which a secret text is masked as a whole word only."""
_SHORTEST: Final = 3
"""Length below which a text in a message is not told from the words around it."""


def without_secrets(hit: Hit, secrets: Collection[str]) -> Hit:
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
        before=masked(hit.before),
        after=masked(hit.after),
        related=tuple([Related(r.span, masked(r.message)) for r in hit.related]),
        # What it reaches may name the value, too.
        reach=None if pattern.search(reach) else hit.reach,
    )


def _without_superseded(found: Iterable[Finding], rules: Iterable[Rule]) -> list[Finding]:
    """The findings without those that another rule says better at the same place.

    A finding that names the places it covers speaks for its own attribute only: a whole document can
    stand at one place.
    """
    findings = list(found)
    supersedes = {rule.id: rule.supersedes for rule in rules if rule.supersedes}
    gone: set[tuple[str, str, int, str | None]] = set()
    for finding in findings:
        for slug in supersedes.get(finding.rule, ()):
            if not finding.covers:
                gone.add((slug, finding.span.path, finding.span.start, None))
            for place in finding.covers:
                gone.add((slug, place.path, place.start, finding.attribute))
    return [
        f
        for f in findings
        if gone.isdisjoint(
            (f.rule, f.span.path, f.span.start, attribute) for attribute in (None, f.attribute)
        )
    ]


def one_per_file(findings: Iterable[Finding], rules: Iterable[Rule]) -> list[Finding]:
    """The findings with those of each rule ``per: file`` made one for each file.

    Of a rule ``per: value`` they are one for each file and value.

    The strongest stands for all, the first among equals; the others are places beside it. What would
    mend it has to mend all of them. It is done after suppressions, so that a comment at one place never
    silences another.
    """
    grouped = {rule.id: rule.per for rule in rules if rule.per != "place"}

    def group_of(finding: Finding) -> tuple[str, str, str]:
        value = finding.value if grouped[finding.rule] == "value" else ""
        return finding.rule, finding.span.path, value

    members: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        if finding.rule in grouped:
            members.setdefault(group_of(finding), []).append(finding)
    stand: dict[tuple[str, str, str], Finding] = {}
    for key, group in members.items():
        first = min(group, key=lambda f: (-f.level, f.span.start))
        others = tuple(
            Related(other.span, f"{other.unit} too")
            for other in sorted(group, key=lambda f: f.span.start)
            if other is not first
        )
        remedies: tuple[Remedy, ...] = ()
        if all(one.remedies for one in group):
            remedies = tuple(dict.fromkeys(step for one in group for step in one.remedies))
        stand[key] = replace(first, related=first.related + others[:MAX_BESIDE], remedies=remedies)
    result = []
    for finding in findings:
        if finding.rule not in grouped:
            result.append(finding)
        elif (one := stand.pop(group_of(finding), None)) is not None:
            result.append(one)
    return result


def _statement(finding: Finding) -> tuple[str, str, str, str]:
    """What a finding says, wherever it stands: rule, address, attribute and value.

    The attribute of a policy names the actions of a statement, whose order a provider changes.
    """
    attribute, bracket, identity = finding.attribute.partition("[")
    if bracket:
        attribute += f"[{','.join(sorted(identity.removesuffix(']').split(',')))}]"
    return finding.rule, finding.unit, attribute, finding.value


def _placed(hit: Hit, unit: Evaluated) -> Hit:
    """A hit whose places are where somebody wrote something, with what runs the module."""
    related = [replace(r, span=written(r.span)) for r in hit.related]
    if unit.runner is not None:
        related.append(unit.runner)
    remedies = tuple([replace(r, span=written(r.span)) for r in hit.remedies])
    return replace(hit, span=written(hit.span), related=tuple(related), remedies=remedies)


def _caller(
    finding: Finding, known: Finding, modules: Sequence[Call | ModuleCall]
) -> tuple[Related, ...]:
    """The call that brings the same finding about once more, when it is another."""
    if finding.unit == known.unit:
        return ()
    calls = [c for c in modules if finding.unit.startswith(f"{c.address}.")]
    if not calls:
        return ()
    nearest = max(calls, key=lambda call: len(call.address))
    return (Related(nearest.span, f"also {finding.unit}"),)


def _internal(path: str, rule: str | None, error: Exception) -> Failure:
    what = f"the detector of {rule}" if rule else "the evaluation"
    return Failure(
        FailureKind.INTERNAL,
        path,
        f"{what} failed: {type(error).__name__}: {str(error)[:200]} ({raised_at(error)})",
        rule=rule,
    )
