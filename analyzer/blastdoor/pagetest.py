"""Rule pages run as tests, and the index of the rule set.

Each example of a page is a small repository: a Bad block must give exactly the findings that its
marks say, a Good block and a block under Not found must give none. What goes wrong is said with
the page and the line.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, Protocol

from blastdoor.catalog import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from blastdoor.catalog import Block, Mark, Rule, RuleSet
    from blastdoor.finding import Finding, Report
    from blastdoor.span import Span


class Analyze(Protocol):
    """What runs an example: the engine over files that are given as texts."""

    def __call__(
        self,
        files: Mapping[str, str],
        rules: Sequence[Rule],
        /,
        *,
        base: Mapping[str, str] | None = None,
    ) -> Report:
        """The report of some rules on some files, or on what has changed since ``base``."""


class Case(NamedTuple):
    """One block of one page."""

    rule: Rule
    block: Block

    @property
    def name(self) -> str:
        """A name that finds the block: ``every-region-target.md:19-bad-terraform``."""
        section = self.block.section.lower().replace(" ", "-")
        return f"{self.rule.id}.md:{self.block.line}-{section}-{self.block.language}"


class Problem(NamedTuple):
    """Something that a page says and the analysis does not, or the reverse."""

    page: str
    line: int
    words: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.words}"


def cases(rules: Iterable[Rule]) -> Iterator[Case]:
    """Every block of every page."""
    for rule in rules:
        for block in rule.blocks:
            yield Case(rule, block)


def run(case: Case, analyze: Analyze) -> list[Problem]:
    """What differs from what the block says, in the order of lines; empty when all is well."""
    rule, block = case
    report = analyze(block.files, [rule], base=block.base)
    found = [
        (_page_line(block, failure.path, failure.span), f"not analysed: {failure.message}")
        for failure in report.failures
    ]
    findings = [finding for finding in report.findings if finding.rule == rule.id]
    found += [
        (block.line, f"a finding of {finding.rule}, which was not asked for")
        for finding in report.findings
        if finding.rule != rule.id
    ]
    if block.section == "Not found":
        found += [
            (
                _page_line(block, finding.span.path, finding.span),
                f"is found now, so it belongs under Bad: {finding.message}",
            )
            for finding in findings
        ]
    else:
        found += _compare(block, findings)
    return [Problem(rule.path, line, words) for line, words in sorted(found)]


def _compare(block: Block, findings: list[Finding]) -> Iterator[tuple[int, str]]:
    """(line of the page, what differs) for each mark and each finding without one."""
    found: dict[tuple[str, int], list[Finding]] = {}
    for finding in findings:
        found.setdefault((finding.span.path, finding.span.begin.line), []).append(finding)
    expected = Counter((mark.path, mark.line) for mark in block.marks)
    marks: dict[tuple[str, int], Mark] = {(mark.path, mark.line): mark for mark in block.marks}
    for place, count in expected.items():
        here = found.pop(place, [])
        mark = marks[place]
        line = mark.page_line
        if len(here) != count:
            said = "; ".join(finding.message for finding in here)
            number = f"found {len(here)}: {said}" if here else "found none"
            yield line, f"expected {'a finding' if count == 1 else f'{count} findings'}, {number}"
        for finding in here:
            if mark.words and mark.words not in finding.message:
                yield line, f"expected the words {mark.words!r}, found: {finding.message}"
            if mark.level is not None and finding.level is not mark.level:
                words = f"expected the level {mark.level.word}, found {finding.level.word}"
                yield line, f"{words}: {finding.message}"
    for rest in found.values():
        for finding in rest:
            line = _page_line(block, finding.span.path, finding.span)
            yield line, f"expected no finding, found: {finding.message}"


def _page_line(block: Block, path: str, span: Span | None) -> int:
    """The line of the page that holds a place of an example; without one, its first line."""
    return block.starts.get(path, block.line) + (0 if span is None else span.begin.line)


def index(rules: RuleSet) -> str:
    """``rules/README.md``: what a page is, and every rule by family."""
    parts = [_HEAD]
    for family in FAMILIES:
        members = [rule for rule in rules if rule.family == family]
        if not members:
            continue
        parts.append(f"\n## {family.capitalize()}\n\n| Code | Rule | What it finds | Level | Fix |")
        parts.append("|---|---|---|---|---|")
        parts += [
            f"| {rule.code} | [{rule.id}]({rule.family}/{rule.id}.md) | {rule.title} "
            f"| {_levels(rule)} | {rule.fix} |"
            for rule in members
        ]
    return "\n".join(parts) + "\n"


def _levels(rule: Rule) -> str:
    waits = f"{rule.default}, on when {', '.join(sorted(rule.on_when))}"
    default = waits if rule.on_when else rule.default
    usual = rule.level.word if rule.default == "on" else f"{rule.level.word} ({default})"
    other = [f"{level.word}: {name}" for name, level in rule.levels.items()]
    return f"{usual}; {', '.join(other)}" if other else usual


_HEAD = """\
# Rules

This file is generated from the pages (`blastdoor.pagetest.index`); a test says when it is stale.

A rule is a page: what is wrong and why it hurts, examples that run as tests, how to fix it. The
page is also the help in SARIF and in editors, and what `blastdoor explain` prints. Facts in bulk
are in [tables](tables), one row per line, each with its source.

- Front matter: `key: value` lines; lists in brackets, maps in braces; words that hold `: ` or ` #`
  in quotes. The levels of a rule name conditions that its detector reports; so does `on-when`, the
  conditions under which a rule that is `opt-in` speaks although nobody named it. `per: file` makes
  one finding of all those in a file, except with `--pedantic`.
- Sections: the reason first, without a heading, then `## Bad`, `## Good`, `## How to fix`, and
  `## Not found` for known misses.
- `# finding` at the end of a line expects one finding there; `# finding: words` also that its
  message holds the words; `# finding (note)` also its level. Where a comment would break the text,
  the fence names the lines of the block: `findings=4,9`.
- `# file: modules/net/main.tf` begins a further file of a block.\
"""
