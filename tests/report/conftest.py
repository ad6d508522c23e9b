"""Builders for reports: rules, places and findings with as few words as a test needs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from blastdoor.finding import Finding, Level, Related, Report, fingerprinted
from blastdoor.span import Document, Span


@dataclass(frozen=True)
class FakeRule:
    """A rule as reports see it."""

    id: str = "every-region-target"
    code: str = "RGN010"
    title: str = "A deployment targets every region"
    level: Level = Level.ERROR
    confidence: str = "high"
    family: str = "region"
    axes: tuple[str, ...] = ("regions",)
    tags: tuple[str, ...] = ("external/cwe/cwe-1188",)
    why: str = "One mistake takes **every** region down.\n\nThe rest of the page."
    fix: str = "none"
    fix_text: str = "Name the regions:\n\n```hcl\nfor_each = {}\n```"
    path: str = "rules/region/every-region-target.md"

    def help(self, language: str) -> str:
        """The page's help, which here only says for which language it is."""
        return f"{self.why}\n\n## How to fix\n\n{self.fix_text}\n\nIn {language}."


MAIN = """\
resource "aws_s3_bucket" "b" {
  for_each = toset(data.aws_regions.all.names)
  actions  = var.actions
}
"""
VARIABLES = 'variable "actions" {\n  default = "*"\n}\n'


class Build:
    """What a test says about findings."""

    rule = staticmethod(FakeRule)

    def __init__(self) -> None:
        self.main = Document("live/main.tf", MAIN)
        self.variables = Document("live/variables.tf", VARIABLES)

    @staticmethod
    def at(document: Document, text: str) -> Span:
        """The first place of a text in a document."""
        start = document.text.index(text)
        return Span(document, start, start + len(text))

    def within(self, text: str, marked: str, path: str = "a.tf") -> Span:
        """The first place of a text in a document made for it."""
        return self.at(Document(path, text), marked)

    def finding(
        self, span: Span | None = None, level: Level = Level.ERROR, message: str = "too far"
    ) -> Finding:
        """A finding, on the value that reaches every region unless a place is given."""
        place = span or self.at(self.main, "data.aws_regions.all.names")
        return Finding("every-region-target", level, message, place, "aws_s3_bucket.b")

    def chained(self) -> Finding:
        """A finding with two steps of evidence."""
        return replace(
            self.finding(self.at(self.main, "var.actions"), message="actions: every action"),
            contain="name the actions",
            related=(
                Related(self.at(self.variables, '"*"'), "the default of var.actions"),
                Related(self.at(self.main, "aws_s3_bucket"), "used by this bucket"),
            ),
        )

    @staticmethod
    def report(*findings: Finding) -> Report:
        """A report with some findings in report order."""
        return Report(findings=fingerprinted(findings), units=1, files=2, resources=3)


@pytest.fixture
def build() -> Build:
    """Builders for one test."""
    return Build()
