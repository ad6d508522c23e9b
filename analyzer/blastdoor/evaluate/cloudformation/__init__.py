"""CloudFormation and SAM: templates to evaluated units.

`survey` finds the templates of a repository. What other languages share with it stands in
`blastdoor.evaluate.cloudformation.values` (what references look like) and
`blastdoor.evaluate.cloudformation.resource` (a type with properties as a resource).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blastdoor.evaluate.cloudformation.estate import Estate
from blastdoor.evaluate.cloudformation.unit import evaluate_template

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from blastdoor.fact import Evaluated
    from blastdoor.units import Repository, Subject


class Unit:
    """One template of a repository with those that it nests."""

    def __init__(self, estate: Estate, path: str) -> None:
        self.estate = estate
        self.path = path

    @property
    def reads(self) -> Collection[str]:
        """Paths of the files that it may read: templates, and what says where they are deployed."""
        found: dict[str, None] = {self.path: None}
        pending = [self.path]
        while pending:
            current = pending.pop()
            found.update(dict.fromkeys(self.estate.reads(current)))
            for path in self.estate.nests(current):
                if path not in found:
                    found[path] = None
                    pending.append(path)
        return tuple(found)

    def evaluate(self) -> Evaluated:
        """The unit with its values."""
        return evaluate_template(self.estate, self.path)


def survey(repository: Repository) -> Sequence[Subject]:
    """The templates of a repository. Effect: keeps what cannot be read as failures."""
    estate = Estate(repository)
    return [Unit(estate, path) for path in estate.survey()]
