"""``AWS::Include`` of a file in the repository: its nodes evaluated where the transform stands.

Source: AWS CloudFormation Template Reference, "AWS::Include transform"; AWS CLI Command Reference,
"cloudformation package", which takes a local file as its ``Location``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blastdoor.evaluate.cloudformation.evaluator import Evaluator

if TYPE_CHECKING:
    from collections.abc import Mapping as AbstractMapping

    from blastdoor.evaluate.cloudformation.evaluator import Entry, Scope
    from blastdoor.parse.data import Node
    from blastdoor.span import Document, Span
    from blastdoor.value import Unknown, Value


class Snippet(Evaluator):
    """The evaluation of a file that a template includes: names are those of the template.

    What it includes itself stays opaque, as for CloudFormation.
    """

    def __init__(self, outer: Evaluator, document: Document) -> None:
        super().__init__(
            outer.template,
            place=outer.place,
            given=outer.given,
            budget=outer.budget,
            outputs=outer.outputs,
            generated=outer.generated,
        )
        self.outer = outer
        self.document = document
        self.exports = outer.exports
        self.opaque = outer.opaque
        self.missed = outer.missed
        self.fallbacks = outer.fallbacks
        self.depth_from(outer)

    def section(self, name: str) -> AbstractMapping[str, Entry]:
        """The entries of a section of the template."""
        return self.outer.section(name)

    def place_of(self, node: Node) -> Span:
        """Where a node of the template's own stands."""
        return self.outer.place_of(node)

    def parameter(self, name: str) -> Value:
        """The value of a parameter of the template."""
        return self.outer.parameter(name)

    def holds(self, name: str, scope: Scope) -> bool | None:
        """Whether a condition of the template holds."""
        return self.outer.holds(name, scope)

    def narrowed(self, name: str, value: Value, scope: Scope) -> Value:
        """A parameter of the template where conditions are decided."""
        return self.outer.narrowed(name, value, scope)

    def look(
        self,
        mapping: Value,
        top: Value,
        second: Value,
        default: Value | None,
        scope: Scope,
        span: Span,
    ) -> Value:
        """What a mapping of the template has for two keys."""
        return self.outer.look(mapping, top, second, default, scope, span)

    def unknown_name(self, name: str, span: Span) -> Unknown:
        """A name that the template does not declare."""
        return self.outer.unknown_name(name, span)
