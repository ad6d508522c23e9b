"""Two revisions of a source: what head reaches that base did not.

Both sides are evaluated, but only the units that something changed in: those whose files differ, those
that name a changed file, and all that call one of them.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from blastdoor import engine
from blastdoor.delta.compare import Delta, Event, Side, deltas, earlier, last_known
from blastdoor.delta.footprint import Footprint, footprints, joined
from blastdoor.delta.planned import planned_deltas, prior_state
from blastdoor.delta.settled import content
from blastdoor.detect import DELTA_DETECTORS, delta_detector
from blastdoor.finding import Failure, FailureKind, Finding, Related, Report, fingerprinted
from blastdoor.reach import Regions
from blastdoor.source.inputs import Narrowed
from blastdoor.span import written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from blastdoor.catalog import Rule
    from blastdoor.detect.hit import Hit
    from blastdoor.engine import Options, Progress
    from blastdoor.fact import Facts, PlannedChange
    from blastdoor.source import Source
    from blastdoor.units import Repository


_KEYS: Final = re.compile(r"\[[^\]]*\]")
"""The keys of instances within an address; footprints are of all instances."""


@dataclass(frozen=True, slots=True)
class Changed:
    """One file that differs: its path in base and in head, ``None`` where it is not."""

    base: str | None
    head: str | None


@dataclass(slots=True)
class Comparison:
    """What a change does."""

    deltas: list[Delta] = field(default_factory=list)
    report: Report = field(default_factory=Report)
    """What the analysis of head says of the units that changed."""
    base_failures: list[Failure] = field(default_factory=list)
    """What could not be analysed in base: what it reached is not fully known."""
    units: tuple[str, ...] = ()
    """The units of head that the change speaks to."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Unit in head → the unit it was in base."""
    widenings: list[Finding] = field(default_factory=list)
    """What the rules say of the deltas, heaviest first."""
    introduced: list[Finding] = field(default_factory=list)
    """The findings of head on the units that changed that base did not have."""
    unchanged: list[Finding] = field(default_factory=list)
    """Those that base had already."""

    def whole(self) -> Report:
        """Everything new as one report: what widens first, then what else head brings."""
        failures = list(self.report.failures)
        seen = {(f.path, f.message) for f in failures}
        failures += [
            replace(failure, message=f"in base: {failure.message}")
            for failure in self.base_failures
            if (failure.path, failure.message) not in seen
        ]
        return replace(self.report, findings=[*self.widenings, *self.introduced], failures=failures)


History = Callable[[Collection[str]], "Iterator[Source]"]
"""Paths of files → the revisions before base in which one of them changed, the latest first."""

INTRODUCED: Final = "introduced"
"""Key of a page's levels: what its finding weighs when the change brings it."""
CHANGED: Final = "changed"
"""The same, when the thing was there before and had no such finding."""


def compare(  # noqa: PLR0913  everything after the options by keyword
    base: Source,
    head: Source,
    changed: Sequence[Changed],
    rules: Iterable[Rule],
    options: Options | None = None,
    *,
    history: History | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """The change between two sources whose differing files are ``changed``.

    ``history`` is asked only where head says what base did not: whether that is wider than what the
    code said last.
    """
    rules = tuple(rules)
    options = options or engine.Options()
    telling = [c for c in changed if c.base is None or c.head is None or not _silent(c.head)]
    old = _Look([c.base for c in telling if c.base is not None])
    new = _Look([c.head for c in telling if c.head is not None])
    # What changed on one side says what has to be looked at on both.
    base_roots = old.scout(base)
    head_roots = new.scout(head)
    renamed = {
        **_renamed_files(changed),
        **_renamed_directories(changed, old.directories, new.directories),
    }
    old.counterparts(head_roots, renamed)
    new.counterparts(base_roots, {was: now for now, was in renamed.items()})
    every = _thorough(rules, options)
    report_base = engine.check(
        base, rules, every, observe=old.observe, wanted=old.wanted, progress=progress
    )
    report = engine.check(
        head, rules, every, observe=new.observe, wanted=new.wanted, progress=progress
    )
    edited = {path for c in changed for path in (c.base, c.head) if path is not None}
    found = deltas(old.side, new.side, renamed, edited)
    found = [d for d in found if d.event is not Event.REVEALED] + _learned(
        found, new.side, renamed, history
    )
    sensitive = old.secrets | new.secrets
    widenings = judged(found, rules, options, sensitive, new)
    touched = {c.head for c in changed}
    report.failures = [
        failure
        for failure in _concerning(report.failures, new.side, edited)
        if failure.kind is not FailureKind.SUPPRESSION or failure.path in touched
    ]
    introduced, unchanged = _compared(
        report.findings, report_base.findings, _Names(old.side, new.side, renamed), widenings
    )
    return Comparison(
        found,
        report,
        list(_concerning(report_base.failures, old.side, edited)),
        tuple(sorted(new.side.footprints)),
        renamed,
        widenings,
        _grouped(_levelled(introduced, old.side, rules, options), rules, options),
        _asked(unchanged, rules, options),
    )


def compare_plan(
    source: Source, path: str, text: str, rules: Iterable[Rule], options: Options | None = None
) -> Comparison:
    """What a plan changes: its prior state against the values that it plans.

    ``source`` is what stands beside it, for the places in the code.
    """
    from blastdoor.source import Overlay

    rules = tuple(rules)
    options = options or engine.Options()
    renamed: dict[str, str] = {}
    old, new = _Look([path]), _Look([path])
    before = prior_state(text)
    every = _thorough(rules, options)
    reports = [
        engine.check(
            Overlay(source, {path: document}),
            rules,
            every,
            observe=look.observe,
            wanted=look.wanted,
        )
        for look, document in ((old, before), (new, text))
    ]
    found = [d for d in deltas(old.side, new.side, renamed) if d.event is not Event.REVEALED]
    found = planned_deltas(found, new.side, new.planned)
    widenings = judged(found, rules, options, old.secrets | new.secrets, new)
    introduced, unchanged = _compared(
        reports[1].findings, reports[0].findings, _Names(old.side, new.side, renamed), widenings
    )
    return Comparison(
        found,
        reports[1],
        [],
        tuple(sorted(new.side.footprints)),
        renamed,
        widenings,
        _grouped(_levelled(introduced, old.side, rules, options), rules, options),
        _asked(unchanged, rules, options),
    )


_BLOCKS: Final = (".tf", ".tofu", ".tf.json", ".hcl", ".tfvars")
"""Endings of files of which a directory is one unit."""


def _concerning(
    failures: Iterable[Failure], side: Side, edited: Collection[str]
) -> Iterator[Failure]:
    """What could not be analysed of what the change speaks to.

    A template elsewhere that does not parse is the same before and after.
    """
    inputs = {path for paths in side.inputs.values() for path in paths}
    folders = {posixpath.dirname(path) for path in inputs | set(edited)}
    for failure in failures:
        path = failure.path
        beside = path.endswith(_BLOCKS) and posixpath.dirname(path) in folders
        if failure.kind is not FailureKind.SYNTAX or beside or path in inputs or path in edited:
            yield failure


_SILENT: Final = frozenset({".terraform.lock.hcl"})
"""Files of which only that they are there says something about a unit."""


def _silent(path: str) -> bool:
    return posixpath.basename(path) in _SILENT


def _thorough(rules: Iterable[Rule], options: Options) -> Options:
    """The options with every place of a file, and with what is only asked for when it is new."""
    wanted = frozenset(
        rule.id
        for rule in rules
        if rule.default == "opt-in"
        and "state" in rule.modes
        and not rule.levels.keys().isdisjoint((INTRODUCED, CHANGED))
    )
    return replace(options, each=True, also=wanted)


def _compared(
    head: Sequence[Finding],
    base: Sequence[Finding],
    names: _Names,
    widenings: Sequence[Finding],
) -> tuple[list[Finding], list[Finding]]:
    """The findings of head that base did not have, and those that it had."""
    places = {(f.rule, f.span.path, f.span.start) for f in widenings}
    open_ = [f for f in head if (f.rule, f.span.path, f.span.start) not in places]
    # Where there is a delta, it says what was before.
    known: set[int] = set()
    for was, now in names.ways:
        had: dict[Said, list[Finding]] = defaultdict(list)
        for finding in base:
            for key in was(finding) if id(finding) not in known else ():
                had[key].append(finding)
        for finding in open_:
            if id(finding) not in known:
                former = next((had[key] for key in now(finding) if had[key]), None)
                if former is not None:
                    known.update((id(former.pop()), id(finding)))
    unchanged = [replace(f, baseline="unchanged") for f in open_ if id(f) in known]
    return [replace(f, baseline="new") for f in open_ if id(f) not in known], unchanged


Said = tuple[str, str, str, str, str, str]
Way = Callable[["Finding"], "Iterable[Said]"]


class _Names:
    """What a finding says, wherever it stands, on both sides of a change alike."""

    def __init__(self, base: Side, head: Side, renamed: Mapping[str, str]) -> None:
        self._renamed = renamed
        self._moves: dict[str, list[str]] = {}
        for moves in head.moves.values():
            self._moves.update(moves)
        moved = tuple(f"{old}." for former in self._moves.values() for old in former)
        before, after = _types(base), _types(head)
        self._gone = {
            address: kind
            for address, kind in before.items()
            if address not in after and not f"{address}.".startswith(moved)
        }
        self._come = {address: kind for address, kind in after.items() if address not in before}

    @property
    def ways(self) -> tuple[tuple[Way, Way], ...]:
        """How a finding of base may be one of head, the surest way first."""
        return (
            (self.before, self.after),
            (self.gone, self.come),
            # A statement that has another Sid.
            (
                lambda f: map(_nameless, self.before(f)),
                lambda f: map(_nameless, self.after(f)),
            ),
        )

    def before(self, finding: Finding) -> list[Said]:
        """What a finding of base says."""
        return [self._said(finding, posixpath.dirname(finding.span.path) or ".", finding.unit)]

    def after(self, finding: Finding) -> list[Said]:
        """What a finding of head says, under the names that its place and thing may have had."""
        folder = posixpath.dirname(finding.span.path) or "."
        folders = dict.fromkeys((folder, self._renamed.get(folder, folder)))
        units = dict.fromkeys((finding.unit, *earlier(finding.unit, self._moves)))
        return [self._said(finding, f, unit) for f in folders for unit in units]

    def gone(self, finding: Finding) -> list[Said]:
        """What a finding of base says of something that is gone, by its type."""
        kind = self._gone.get(finding.unit)
        folder = posixpath.dirname(finding.span.path) or "."
        return [] if kind is None else [self._said(finding, folder, kind)]

    def come(self, finding: Finding) -> list[Said]:
        """What a finding of head says of something that is new, which may have had another name."""
        kind = self._come.get(finding.unit)
        folder = posixpath.dirname(finding.span.path) or "."
        folders = dict.fromkeys((folder, self._renamed.get(folder, folder)))
        return [] if kind is None else [self._said(finding, f, kind) for f in folders]

    @staticmethod
    def _said(finding: Finding, folder: str, unit: str) -> Said:
        return finding.rule, folder, unit, finding.attribute, finding.axis, finding.value


_IN_BRACKETS: Final = re.compile(r"\[[^\]]*\]")


def _nameless(said: Said) -> Said:
    """What a finding says without the name of the statement that it is about."""
    rule, folder, unit, attribute, axis, value = said
    return rule, folder, unit, _IN_BRACKETS.sub("", attribute), axis, value


def _types(side: Side) -> dict[str, str]:
    """Address → type of all that is there."""
    return {item.address: item.type for items in side.footprints.values() for item in items}


def _levelled(
    introduced: Sequence[Finding],
    base: Side,
    rules: Iterable[Rule],
    options: Options,
) -> list[Finding]:
    """What is new, at the level that it has when it is new."""
    known = {rule.id: rule for rule in rules}
    there = {item.address for items in base.footprints.values() for item in items}
    found = []
    for finding in introduced:
        rule = known[finding.rule]
        level = rule.levels.get(CHANGED) if finding.unit in there else None
        level = level or rule.levels.get(INTRODUCED)
        if level is None:
            if not engine.asked(rule, options):
                continue
            found.append(finding)
            continue
        lowered = level
        for _why in finding.evidence:
            lowered = lowered.lowered()
        found.append(
            replace(finding, level=options.levels.get(rule.id, max(finding.level, lowered)))
        )
    return found


def _asked(findings: Iterable[Finding], rules: Iterable[Rule], options: Options) -> list[Finding]:
    known = {rule.id: rule for rule in rules}
    return [finding for finding in findings if engine.asked(known[finding.rule], options)]


def _grouped(findings: Sequence[Finding], rules: Iterable[Rule], options: Options) -> list[Finding]:
    return list(findings) if options.pedantic else engine.one_per_file(findings, rules)


# What base did not say

_MOST_REVISIONS: Final = 6
"""Earlier revisions that are looked at for what the code said last."""


def _learned(
    found: Sequence[Delta], head: Side, renamed: Mapping[str, str], history: History | None
) -> list[Delta]:
    """What head says and base did not, where that is wider than what was last said."""
    open_ = [d for d in found if d.event is Event.REVEALED and d.key is not None]
    result: list[Delta] = []
    if history is None or not open_:
        return result
    paths = {path for d in open_ for path in head.inputs.get(d.unit, ())}
    for number, source in enumerate(history(paths)):
        if number >= _MOST_REVISIONS or not open_:
            break
        look = _Look(sorted(paths), frozenset(renamed.get(d.unit, d.unit) for d in open_))
        engine.check(source, (), engine.Options(), observe=look.observe, wanted=look.wanted)
        left: list[Delta] = []
        for delta in open_:
            verdict = last_known(delta, head, look.side, renamed.get(delta.unit, delta.unit))
            if verdict is None:
                left.append(delta)
            else:
                result.extend(verdict)
        open_ = left
    return result


def judged(
    found: Sequence[Delta],
    rules: Iterable[Rule],
    options: Options,
    secrets: Collection[str] = (),
    look: _Look | None = None,
) -> list[Finding]:
    """What the rules that judge changes say of deltas, each with its fingerprint."""
    findings = []
    for rule in rules:
        if "diff" not in rule.modes or rule.detector not in DELTA_DETECTORS:
            continue
        if rule.id in options.ignore or (options.select and rule.id not in options.select):
            continue
        for hit in delta_detector(rule.detector)(found):
            shown = engine.without_secrets(hit, secrets) if secrets else hit
            if look is not None:
                placed = look.placed(shown)
                if placed is None:
                    continue
                shown = placed
            findings.append(engine.finding_of(rule, shown, None, options))
    marked = [replace(finding, baseline="new") for finding in fingerprinted(findings)]
    return sorted(marked, key=lambda f: (-f.level, f.span.path, f.span.start, f.rule, f.message))


class _Look:
    """One side of a change while it is evaluated."""

    def __init__(self, paths: Sequence[str], only: frozenset[str] | None = None) -> None:
        self.paths = paths
        self._only = only
        """The units to look at, where not all that the files speak to are asked for."""
        self.side = Side()
        self.secrets: set[str] = set()
        """Texts that the code says are sensitive."""
        self.planned: list[PlannedChange] = []
        """What a plan destroys or replaces."""
        self.directories: frozenset[str] = frozenset()
        """Those that hold a file that is analysed."""
        self._more: frozenset[str] = frozenset()
        self._repository: Repository | None = None

    def scout(self, source: Source) -> frozenset[str]:
        """The directories of this side that the change speaks to."""
        from blastdoor.units import Repository

        entries = list(source.files())
        self.directories = frozenset(posixpath.dirname(entry.path) or "." for entry in entries)
        repository = Repository(source, entries)
        engine.survey(repository)
        repository.roots()
        return frozenset(repository.affected(self.paths))

    def counterparts(self, units: Iterable[str], names: Mapping[str, str]) -> None:
        """Effect: what the other side looks at is looked at here, under its name here."""
        self._more = frozenset(names.get(unit, unit) for unit in units)

    def wanted(self, repository: Repository) -> set[str]:
        """Those, and the counterparts of those of the other side."""
        self._repository = repository
        spoken = repository.context.regions
        if spoken:
            self.side.regions = Regions(*spoken)
        found = repository.affected(self.paths) | repository.calling(self._more)
        if self._only is None:
            return found
        return found & {name for unit in self._only for name in (unit, posixpath.dirname(unit))}

    def placed(self, hit: Hit) -> Hit | None:
        """A hit where somebody can see it; ``None`` in a file that the configuration leaves out.

        A file that only others read (a policy in JSON, a template) is said at its use.
        """
        hit = replace(
            hit,
            span=written(hit.span),
            related=tuple(replace(r, span=written(r.span)) for r in hit.related),
        )
        repository = self._repository
        if repository is None or hit.span.path in repository.reported:
            return hit
        if isinstance(repository.files, Narrowed) and repository.files.excluded(hit.span.path):
            return None
        for use in reversed(hit.related):
            if use.span.path in repository.reported:
                others = tuple(other for other in hit.related if other is not use)
                return replace(
                    hit, span=use.span, related=(Related(hit.span, "written here"), *others)
                )
        return hit

    def observe(self, facts: Facts) -> None:
        """Effect: keeps the footprints of one variant of a unit."""
        unit = facts.unit
        items = footprints(facts)
        known = self.side.footprints.get(unit.address)
        self.side.footprints[unit.address] = items if known is None else _merged(known, items)
        moves = self.side.moves.setdefault(unit.address, {})
        self.side.sources.setdefault(unit.address, set()).update(m.from_ for m in unit.moves)
        for move in unit.moves:
            before = moves.setdefault(_KEYS.sub("", move.to), [])
            former = _KEYS.sub("", move.from_)
            if former not in before:
                before.append(former)
        kept = self.side.kept.setdefault(unit.address, set())
        kept.update(_KEYS.sub("", r.from_) for r in unit.removals if not r.destroys)
        self.side.idle.setdefault(unit.address, set()).update(unit.idle)
        if not unit.is_root:
            self.side.modules.add(unit.address)
        self.secrets.update(unit.secrets)
        self.planned.extend(unit.changes)
        self.side.inputs.setdefault(unit.address, set()).update(unit.inputs)
        contents = self.side.contents.setdefault(unit.address, {})
        for resource in unit.resources:
            if not resource.is_data:
                contents[resource.address, unit.environment] = content(resource)
        if unit.environment is not None:
            files = self.side.files.setdefault(unit.environment, set())
            files.update(unit.inputs - unit.passed_over)
            self.side.environments.setdefault(unit.address, set()).add(unit.environment)


def _merged(known: list[Footprint], items: list[Footprint]) -> list[Footprint]:
    found = {item.key: item for item in known}
    for item in items:
        other = found.get(item.key)
        found[item.key] = item if other is None else joined(other, item)
    return list(found.values())


def _renamed_directories(
    changed: Iterable[Changed], base: frozenset[str], head: frozenset[str]
) -> dict[str, str]:
    """Directory in head → the directory most of its files come from, where it was renamed.

    One that was there before, or whose origin still is, got some files and is not another's successor.
    """
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for change in changed:
        if change.base is not None and change.head is not None and change.base != change.head:
            before = posixpath.dirname(change.base) or "."
            after = posixpath.dirname(change.head) or "."
            if before != after and after not in base and before not in head:
                votes[after][before] += 1
    return {after: counts.most_common(1)[0][0] for after, counts in votes.items()}


def _renamed_files(changed: Iterable[Changed]) -> dict[str, str]:
    """File in head → file in base, where it was renamed: a file may be a unit of its own."""
    return {
        change.head: change.base
        for change in changed
        if change.base is not None and change.head is not None and change.base != change.head
    }


def differing(base: Source, head: Source, paths: Iterable[str]) -> list[Changed]:
    """Which of some paths differ between two sources, by their texts."""
    found = []
    for path in sorted(set(paths)):
        before, after = base.read(path), head.read(path)
        if before != after:
            found.append(
                Changed(path if before is not None else None, path if after is not None else None)
            )
    return found


def compare_files(
    base: Mapping[str, str],
    head: Mapping[str, str],
    rules: Iterable[Rule],
    options: Options | None = None,
) -> Comparison:
    """The change between files held in memory: path → text, on each side."""
    from blastdoor.source import Memory

    old, new = Memory(base), Memory(head)
    return compare(old, new, differing(old, new, [*base, *head]), rules, options)


def analyze_files(
    files: Mapping[str, str],
    rules: Sequence[Rule],
    options: Options | None = None,
    *,
    base: Mapping[str, str] | None = None,
) -> Report:
    """The report on files held in memory, or on what has changed in them since ``base``."""
    if base is None:
        return engine.analyze_files(files, rules, options)
    options = options or engine.Options(select=frozenset(rule.id for rule in rules))
    return compare_files(base, files, rules, options).whole()
