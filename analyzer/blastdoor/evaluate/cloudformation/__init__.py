"""CloudFormation and SAM: templates to evaluated units.

`survey` finds the templates of a repository. What other languages share with it stands in
`blastdoor.evaluate.cloudformation.values` (what references look like) and
`blastdoor.evaluate.cloudformation.resource` (a type with properties as a resource).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor.evaluate.cloudformation import template as templates
from blastdoor.evaluate.cloudformation import unit as units
from blastdoor.evaluate.cloudformation.evaluator import Evaluator
from blastdoor.fact import Evaluated
from blastdoor.finding import Failure, FailureKind
from blastdoor.source.kinds import Kind
from blastdoor.span import Span

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from blastdoor.evaluate.cloudformation.template import Template
    from blastdoor.units import Repository, Subject

_SEVERAL: Final = "a template is one document: what follows the first is not read"


class Unit:
    """One template of a repository, read again when it is evaluated."""

    def __init__(self, repository: Repository, path: str) -> None:
        self.repository = repository
        self.path = path

    @property
    def reads(self) -> Collection[str]:
        """Paths of the files that it may read."""
        return (self.path,)

    def evaluate(self) -> Evaluated:
        """The unit with its values."""
        unit = Evaluated(self.path, "cloudformation", context=self.repository.context)
        unit.inputs.add(self.path)
        template = load(self.repository, self.path)
        if template is None:
            return unit
        evaluator = Evaluator(template)
        units.collect(evaluator, unit)
        units.finish(evaluator, unit)
        unit.secrets = evaluator.budget.secrets
        if evaluator.budget.exceeded:
            message = "the evaluation budget of this template is spent; values beyond it are unknown"
            unit.failures.append(Failure(FailureKind.LIMIT, self.path, message))
        return unit


def survey(repository: Repository) -> Sequence[Subject]:
    """The templates of a repository. Effect: keeps what cannot be read as failures."""
    return [
        Unit(repository, path)
        for path in repository.others.get(Kind.TEMPLATE, ())
        if load(repository, path) is not None
    ]


def load(repository: Repository, path: str) -> Template | None:
    """The template in a file; ``None`` for what is none. Effect: keeps what cannot be read."""
    document = repository.text(path)
    if document is None:
        return None
    roots, comments, faults = templates.read(document)
    for failure in templates.failures_of(document, faults):
        repository.fault(failure)
    if not roots or not templates.is_template(roots[0]):
        return None
    root = roots[0]
    assert isinstance(root, templates.Mapping)
    if len(roots) > 1:
        second = Span(document, roots[1].start, roots[1].end)
        repository.fault(Failure(FailureKind.SYNTAX, path, _SEVERAL, second))
    for failure in templates.doubles(document, root):
        repository.fault(failure)
    template = templates.make(document, root)
    repository.remark(document, comments, _blocks(template))
    return template


def _blocks(template: Template) -> Iterator[tuple[int, int]]:
    """The offsets of the entries of the sections: what a comment in or before one speaks of."""
    for entries in template.sections.values():
        for key, node in entries.values():
            yield key.start, max(node.end, key.end)
