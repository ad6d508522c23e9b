"""The units of the languages whose files only their content tells: which there are, not yet evaluated.

A language is loaded only where the repository has files of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from blastdoor.source.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.units import Repository, Subject

Survey = Callable[["Repository"], "Sequence[Subject]"]
"""What finds the units of one language. Effect: keeps what cannot be read as failures."""


def _cloudformation() -> Survey:
    from blastdoor.evaluate.cloudformation import survey

    return survey


def _python() -> Survey:
    from blastdoor.evaluate.python import survey

    return survey


def _documents() -> Survey:
    from blastdoor.evaluate.documents import survey

    return survey


_FRONTS: Final[Mapping[Kind, Callable[[], Survey]]] = {
    Kind.TEMPLATE: _cloudformation,
    Kind.PYTHON: _python,
    Kind.DOCUMENT: _documents,
}
"""Kind of file → what loads the survey of its language."""


def surveys(repository: Repository) -> Iterator[Survey]:
    """The surveys of the languages that a repository has files of."""
    for kind, load in _FRONTS.items():
        if kind in repository.others:
            yield load()
