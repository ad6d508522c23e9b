"""The HTML report of ``check``: what is seen on the way, and the document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blastdoor.audit.single import html
from blastdoor.audit.work import Surroundings
from blastdoor.delta.atlas import Atlas
from blastdoor.report.escape import sanitise

if TYPE_CHECKING:
    from blastdoor.catalog import RuleSet
    from blastdoor.cli.places import Place
    from blastdoor.fact import Facts
    from blastdoor.finding import Report
    from blastdoor.source import Source


class Drawing:
    """The map of a run."""

    def __init__(self) -> None:
        self._atlas = Atlas()
        self._surroundings = Surroundings()

    def observe(self, facts: Facts) -> None:
        """Effect: notes what a unit reaches, and for which environment its files are read."""
        self._atlas.observe(facts)
        self._surroundings.observe(facts)

    def html(self, report: Report, rules: RuleSet, source: Source, place: Place | None) -> str:
        """The document. The paths of the report are relative to the repository."""
        prefix = f"{place.prefix}/" if place is not None and place.prefix else ""
        name = "standard input" if place is None else place.base.resolve().name or "/"

        def environment_of(path: str) -> str:
            return self._surroundings.of(path.removeprefix(prefix))

        return html(sanitise(name), report, rules, self._atlas.units(), source, environment_of)
