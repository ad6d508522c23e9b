"""Two revisions of a source: what head reaches that base did not.

Both sides are evaluated in full, but only the units that something changed in: those whose files
differ, those that name a changed file, and all that call one of them.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from blastdoor import engine
from blastdoor.delta.compare import Delta, Side, deltas
from blastdoor.delta.footprint import Footprint, footprints, joined
from blastdoor.detect import DELTA_DETECTORS, delta_detector
from blastdoor.finding import Failure, Finding, Report, fingerprinted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from blastdoor.catalog import Rule
    from blastdoor.engine import Options, Progress
    from blastdoor.fact import Facts
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


def compare(
    base: Source,
    head: Source,
    changed: Sequence[Changed],
    rules: Iterable[Rule],
    options: Options | None = None,
    *,
    progress: Progress | None = None,
) -> Comparison:
    """The change between two sources whose differing files are ``changed``."""
    rules = tuple(rules)
    renamed = {**_renamed_files(changed), **_renamed_directories(changed)}
    old = _Look([c.base for c in changed if c.base is not None], renamed, base=True)
    new = _Look([c.head for c in changed if c.head is not None], renamed, base=False)
    # What changed on one side says what has to be looked at on both.
    base_roots = old.scout(base)
    head_roots = new.scout(head)
    old.more, new.more = head_roots, base_roots
    report_base = engine.check(
        base, rules, options, observe=old.observe, wanted=old.wanted, progress=progress
    )
    report = engine.check(
        head, rules, options, observe=new.observe, wanted=new.wanted, progress=progress
    )
    found = deltas(old.side, new.side, renamed)
    widenings = judged(
        found, rules, options or engine.Options(), new.side, old.secrets | new.secrets
    )
    places = {(f.rule, f.span.path, f.span.start) for f in widenings}
    known = {finding.fingerprint for finding in report_base.findings}
    introduced: list[Finding] = []
    unchanged: list[Finding] = []
    for finding in report.findings:
        if (finding.rule, finding.span.path, finding.span.start) in places:
            continue  # the delta says it with what was before
        if finding.fingerprint in known:
            unchanged.append(replace(finding, baseline="unchanged"))
        else:
            introduced.append(replace(finding, baseline="new"))
    return Comparison(
        found,
        report,
        report_base.failures,
        tuple(sorted(new.side.footprints)),
        renamed,
        widenings,
        introduced,
        unchanged,
    )


def judged(
    found: Sequence[Delta],
    rules: Iterable[Rule],
    options: Options,
    head: Side,
    secrets: Collection[str] = (),
) -> list[Finding]:
    """What the rules that judge changes say of deltas, each with its fingerprint."""
    findings = []
    for rule in rules:
        if "diff" not in rule.modes or rule.detector not in DELTA_DETECTORS:
            continue
        if rule.id in options.ignore or (options.select and rule.id not in options.select):
            continue
        for hit in delta_detector(rule.detector)(found):
            unit = next((d.unit for d in found if d.span is hit.span), "")
            environments = head.environments.get(unit, set())
            environment = next(iter(environments)) if len(environments) == 1 else None
            shown = engine.without_secrets(hit, secrets) if secrets else hit
            findings.append(engine.finding_of(rule, shown, environment, options))
    marked = [replace(finding, baseline="new") for finding in fingerprinted(findings)]
    return sorted(marked, key=lambda f: (-f.level, f.span.path, f.span.start, f.rule, f.message))


class _Look:
    """One side of a change while it is evaluated."""

    def __init__(self, paths: Sequence[str], renamed: Mapping[str, str], *, base: bool) -> None:
        self.paths = paths
        self.side = Side()
        self.secrets: set[str] = set()
        """Texts that the code says are sensitive."""
        self.more: frozenset[str] = frozenset()
        self._names = renamed if base else {old: new for new, old in renamed.items()}

    def scout(self, source: Source) -> frozenset[str]:
        """The directories of this side that the change speaks to."""
        from blastdoor.units import Repository

        repository = Repository(source, source.files())
        engine.survey(repository)
        repository.roots()
        return frozenset(repository.affected(self.paths))

    def wanted(self, repository: Repository) -> set[str]:
        """Those, and the counterparts of those of the other side."""
        found = repository.affected(self.paths)
        found.update(self._names.get(directory, directory) for directory in self.more)
        return found

    def observe(self, facts: Facts) -> None:
        """Effect: keeps the footprints of one variant of a unit."""
        unit = facts.unit
        items = footprints(facts)
        known = self.side.footprints.get(unit.address)
        self.side.footprints[unit.address] = items if known is None else _merged(known, items)
        moves = self.side.moves.setdefault(unit.address, {})
        for move in unit.moves:
            moves[_KEYS.sub("", move.to)] = _KEYS.sub("", move.from_)
        kept = self.side.kept.setdefault(unit.address, set())
        kept.update(_KEYS.sub("", r.from_) for r in unit.removals if not r.destroys)
        self.secrets.update(unit.secrets)
        if unit.environment is not None:
            self.side.environments.setdefault(unit.address, set()).add(unit.environment)


def _merged(known: list[Footprint], items: list[Footprint]) -> list[Footprint]:
    found = {item.key: item for item in known}
    for item in items:
        other = found.get(item.key)
        found[item.key] = item if other is None else joined(other, item)
    return list(found.values())


def _renamed_directories(changed: Iterable[Changed]) -> dict[str, str]:
    """Directory in head → the directory most of its files come from, where it was renamed."""
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for change in changed:
        if change.base is not None and change.head is not None and change.base != change.head:
            before = posixpath.dirname(change.base) or "."
            after = posixpath.dirname(change.head) or "."
            if before != after:
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
