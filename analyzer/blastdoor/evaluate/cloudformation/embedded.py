"""Templates within templates: the text that a stack set carries itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from blastdoor.evaluate.cloudformation import template as templates
from blastdoor.parse.data import Mapping
from blastdoor.span import Rendered, Span, written
from blastdoor.value import Known, Value, known_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.evaluate.cloudformation.template import Template
    from blastdoor.finding import Failure


def embedded(value: Value | None, path: str) -> tuple[Template | None, list[Failure]]:
    """The template that a text is, and what of it cannot be read; its places are those of the text.

    A text with holes is none: what they stand for may change how the rest reads.
    """
    text = known_text(value)
    if not isinstance(value, Known) or not text or "Resources" not in text:
        return None, []
    stretches = list(_stretches(value))
    if not stretches:
        return None, []
    document = Rendered(path, text, stretches)
    roots, _comments, faults = templates.read(document)
    failures = [_where_written(failure) for failure in templates.failures_of(document, faults)]
    if not roots or not isinstance(roots[0], Mapping) or not templates.is_template(roots[0]):
        return None, failures
    failures += [_where_written(failure) for failure in templates.doubles(document, roots[0])]
    template = templates.make(document, roots[0])
    failures += [_where_written(failure) for failure in templates.misshapen(template)]
    return template, failures


def _where_written(failure: Failure) -> Failure:
    """A failure where the text is written."""
    return failure if failure.span is None else replace(failure, span=written(failure.span))


def _stretches(value: Known) -> Iterator[tuple[int, Span]]:
    at = 0
    for piece in value.pieces:
        yield at, Span(piece.document, piece.start, piece.end)
        at += len(piece.text)
    if not value.pieces and value.span is not None:
        yield 0, value.span
