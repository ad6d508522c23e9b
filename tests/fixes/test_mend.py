"""Fixes judged by the analysis: what stays, what is refused, and that twice changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fixes.made import run

from blastdoor import engine
from blastdoor.catalog import load
from blastdoor.finding import Act, Finding, Level, Remedy, Report
from blastdoor.fixes.mend import mend
from blastdoor.span import Document, Span

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXT = """\
resource "aws_db_instance" "orders" {
  deletion_protection = false # says who
  skip_final_snapshot = true
}

resource "aws_db_instance" "stock" {
  deletion_protection = var.protect
}

resource "aws_db_instance" "prices" {
  deletion_protection = false
}
"""


def test_safe_fixes_change_their_values_and_nothing_else() -> None:
    done = run({"main.tf": TEXT}, unsafe=False)

    expected = TEXT.replace("deletion_protection = false", "deletion_protection = true")
    assert done.texts == {"main.tf": expected}
    assert done.before == {"main.tf": TEXT}
    assert [finding.rule for finding, _fix in done.done] == ["deletion-protection-off"] * 2
    assert "deletion-protection-off" not in {f.rule for f in done.report.findings}


def test_unsafe_fixes_are_made_when_they_are_asked_for() -> None:
    done = run({"main.tf": TEXT}, unsafe=True)

    assert "skip_final_snapshot = false" in done.texts["main.tf"]


def test_fixing_twice_changes_nothing() -> None:
    once = run({"main.tf": TEXT}, unsafe=True)
    twice = run(once.texts, unsafe=True)

    assert twice.texts == {}
    assert twice.done == []


def test_a_value_that_comes_from_elsewhere_is_left_alone() -> None:
    text = 'variable "p" { default = false }\n' + TEXT.replace("var.protect", "var.p")

    done = run({"main.tf": text}, unsafe=True)

    assert 'variable "p" { default = false }' in done.texts["main.tf"]


def _report(document: Document, *words: str) -> Report:
    """A report with one finding, and its remedy, for each word of a text."""
    findings = []
    for word in words:
        start = document.text.index(word)
        span = Span(document, start, start + len(word))
        remedy = Remedy(Act.SET, span, f"set {word}", data=1)
        findings.append(Finding("r", Level.ERROR, word, span, word, remedies=(remedy,)))
    return Report(findings=findings)


def test_a_fix_that_does_not_mend_is_refused_and_the_others_are_made() -> None:
    text = "a = 10\nb = 20\nc = 30\n"

    def analyse(texts: Mapping[str, str]) -> Report:
        now = texts.get("main.tf", text)
        # What `b` says stays wrong, whatever is written there.
        left = [word for word in ("10", "20", "30") if word in now]
        if "20" not in left:
            left.append("b")
        return _report(Document("main.tf", now), *left)

    done = mend(analyse({}), analyse, {"r": "safe"}, unsafe=False)

    assert done.texts == {"main.tf": "a = 1\nb = 20\nc = 1\n"}
    assert [finding.unit for finding, _fix in done.refused] == ["20"]


def test_what_is_accepted_stays() -> None:
    rules = list(load())

    def analyse(texts: Mapping[str, str]) -> Report:
        return engine.analyze_files({"main.tf": TEXT, **texts}, rules)

    first = analyse({})
    accepted = {f.fingerprint for f in first.findings if f.unit == "aws_db_instance.orders"}
    kinds = {rule.id: rule.fix for rule in rules}
    done = mend(first, analyse, kinds, unsafe=False, accepted=accepted)

    assert [finding.unit for finding, _fix in done.done] == ["aws_db_instance.prices"]
