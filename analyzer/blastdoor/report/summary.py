"""What one analysis amounts to: counts and coverage, in the form that every report shows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from blastdoor.finding import Level
from blastdoor.record import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from blastdoor.finding import Report


@dataclass(frozen=True, slots=True)
class KindCoverage:
    """How much of one kind of value is known."""

    kind: str
    resolved: int
    unresolved: int
    """Not known although the repository alone could decide it."""
    undecidable: int
    """Not known, and the repository alone cannot decide it."""

    @property
    def decidable(self) -> int:
        """How many the repository alone decides."""
        return self.resolved + self.unresolved

    @property
    def share(self) -> float | None:
        """Resolved share of the decidable, 0 to 1; ``None`` where nothing was."""
        return self.resolved / self.decidable if self.decidable else None


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of one report."""

    units: int
    files: int
    resources: int
    levels: Mapping[Level, int]
    """Findings per level, every level present, heaviest first."""
    suppressed: int
    baselined: int
    failures: Mapping[str, int]
    """Failures that keep the run from passing, per kind, commonest first."""
    remarks: Mapping[str, int]
    """Failures that do not: what is wrong with ignore comments."""
    skipped: Mapping[str, int]
    """Files not analysed per reason, commonest first."""
    coverage: tuple[KindCoverage, ...]
    """Per kind, in alphabetical order."""
    reasons: Mapping[str, int]
    """Why values are not known, commonest first."""
    planned: Mapping[str, int]
    """What plans do to managed resources, commonest first; empty without a plan."""

    @property
    def findings(self) -> int:
        """Findings of all levels."""
        return sum(self.levels.values())


def _ranked(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted((+counts).items(), key=lambda item: (-item[1], item[0])))


def summarise(report: Report) -> Summary:
    """The figures of a report."""
    levels = Counter(finding.level for finding in report.findings)
    coverage = report.coverage
    kinds = sorted({*coverage.resolved, *coverage.unresolved, *coverage.undecidable})
    return Summary(
        units=report.units,
        files=report.files,
        resources=report.resources,
        levels={level: levels[level] for level in sorted(Level, reverse=True)},
        suppressed=len(report.suppressed),
        baselined=report.baselined,
        failures=_ranked(Counter(f.kind.value for f in report.failures if f.fatal)),
        remarks=_ranked(Counter(f.kind.value for f in report.failures if not f.fatal)),
        skipped=_ranked(report.skipped),
        coverage=tuple(
            KindCoverage(
                kind,
                coverage.resolved[kind],
                coverage.unresolved[kind],
                coverage.undecidable[kind],
            )
            for kind in kinds
        ),
        reasons=_ranked(coverage.reasons),
        planned=_ranked(report.planned),
    )
