"""Settings, pipelines and shell scripts: what a change is often made in, and the narrowest of readers.

Nothing here says what a tool does with a setting. A file of overrides, flags or settings by region is
read as the mapping that it is; a pipeline or script as the commands that it runs, with what is known of
when. Rules ask of them only who is meant, and what is destroyed or applied without a question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blastdoor.evaluate.documents import settings, steps
from blastdoor.fact import Evaluated
from blastdoor.source.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from blastdoor.units import Repository, Subject


class Unit:
    """One document."""

    def __init__(self, repository: Repository, path: str) -> None:
        self.repository = repository
        self.path = path

    @property
    def reads(self) -> Collection[str]:
        """Its own path: a document reads no other."""
        return (self.path,)

    def evaluate(self) -> Evaluated:
        """The unit with its values. Effect: keeps what cannot be read as failures."""
        unit = Evaluated(self.path, "document", inputs={self.path}, context=self.repository.context)
        document = self.repository.text(self.path)
        if document is None:
            return unit
        if steps.is_steps(self.path):
            steps.fill(unit, document, self.repository)
        else:
            settings.fill(unit, document, self.repository)
        return unit


def survey(repository: Repository) -> Sequence[Subject]:
    """The documents of a repository."""
    return [Unit(repository, path) for path in repository.others.get(Kind.DOCUMENT, ())]
