"""Python: files that build, configure or call infrastructure, each a unit of its own.

How to ask, for whoever lowers a library on top of it: `interpreter.Interpreter` gives the calls of a
module in order (`things.Call`: dotted name of what is called, arguments as things, loops, owner), and
`Interpreter.value` makes a value of a thing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blastdoor.evaluate.python.unit import Program
from blastdoor.source.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from blastdoor.fact import Evaluated
    from blastdoor.units import Repository, Subject


class Unit:
    """One Python file, with what it imports from the same repository."""

    def __init__(self, program: Program, path: str) -> None:
        self.program = program
        self.path = path

    @property
    def reads(self) -> Collection[str]:
        """Paths of the files that it may read."""
        return self.program.imports(self.path)

    def evaluate(self) -> Evaluated:
        """The unit with its values."""
        return self.program.evaluate(self.path)


def survey(repository: Repository) -> Sequence[Subject]:
    """The Python files of a repository that may concern infrastructure."""
    paths = repository.others.get(Kind.PYTHON, [])
    program = Program(repository, paths)
    return [Unit(program, path) for path in paths]
