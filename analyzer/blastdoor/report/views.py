"""What the reports need to know of rules and reach: the reading side of their classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from blastdoor.fact import Language
    from blastdoor.finding import Failure, Finding, Level


class RuleView(Protocol):
    """A rule as its page says it (`blastdoor.catalog.Rule`)."""

    @property
    def id(self) -> str:
        """The slug: the SARIF ``ruleId``."""
        ...

    @property
    def code(self) -> str:
        """The catalogue's code, ``RGN010``."""
        ...

    @property
    def title(self) -> str:
        """What the rule finds, in one line."""
        ...

    @property
    def level(self) -> Level:
        """The level unless a finding says otherwise."""
        ...

    @property
    def confidence(self) -> str:
        """SARIF precision: ``very-high``, ``high``, ``medium`` or ``low``."""
        ...

    @property
    def family(self) -> str:
        """The folder it stands in."""
        ...

    @property
    def axes(self) -> tuple[str, ...]:
        """The reach axes it concerns."""
        ...

    @property
    def tags(self) -> tuple[str, ...]:
        """Further tags, such as ``external/cwe/cwe-1188``."""
        ...

    @property
    def why(self) -> str:
        """What is wrong and why it hurts (Markdown)."""
        ...

    @property
    def fix(self) -> str:
        """What its fixes are: ``safe``, ``unsafe`` or ``none``."""
        ...

    @property
    def fix_text(self) -> str:
        """How to fix it (Markdown)."""
        ...

    @property
    def path(self) -> str:
        """The page, relative to the repository: ``rules/region/every-region-target.md``."""
        ...

    def help(self, language: Language, /) -> str:
        """Why, how to fix and one example in a language (Markdown)."""
        ...


def by_id(rules: Iterable[RuleView]) -> Mapping[str, RuleView]:
    """The rules by their slugs."""
    return {rule.id: rule for rule in rules}


class ProblemView(Protocol):
    """Why nobody's word for a finding holds (`blastdoor.gate.judge.Problem`)."""

    @property
    def rule(self) -> str:
        """The slug of the review rule."""
        ...

    @property
    def words(self) -> str:
        """What is wrong."""
        ...

    @property
    def contain(self) -> str:
        """What would open the gate."""
        ...


class GatedView(Protocol):
    """A finding that needs a second person (`blastdoor.gate.judge.Gated`)."""

    @property
    def finding(self) -> Finding:
        """The finding."""
        ...

    @property
    def why(self) -> str:
        """Why it is gated."""
        ...

    @property
    def problems(self) -> Sequence[ProblemView]:
        """Why it is not acknowledged."""
        ...

    @property
    def by(self) -> str:
        """Whose word holds."""
        ...

    @property
    def until(self) -> str | None:
        """The last day on which it holds."""
        ...

    @property
    def accepted(self) -> bool:
        """Whether somebody's word holds."""
        ...


class DecisionView(Protocol):
    """Whether the gate is open (`blastdoor.gate.judge.Decision`)."""

    @property
    def gated(self) -> Sequence[GatedView]:
        """What needs a word."""
        ...

    @property
    def remarks(self) -> Sequence[Finding]:
        """What is said beside."""
        ...

    @property
    def failures(self) -> Sequence[Failure]:
        """What could not be judged."""
        ...

    @property
    def open(self) -> bool:
        """Whether it is open."""
        ...
