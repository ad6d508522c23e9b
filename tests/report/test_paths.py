"""Paths named anew: in places, in sentences, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from blastdoor.finding import Failure, FailureKind, Related, Report, Suppression
from blastdoor.report.paths import Relocation

if TYPE_CHECKING:
    from tests.report.conftest import Build

FILES = {"main.tf", "net/main.tf", "my net/main.tf", "terraform.tfvars"}


def below(path: str) -> str:
    return f"live/{path}"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("the default of var.a at main.tf:8", "the default of var.a at live/main.tf:8"),
        ("var.a in terraform.tfvars", "var.a in live/terraform.tfvars"),
        ("x (net/main.tf:8:2), main.tf.", "x (live/net/main.tf:8:2), live/main.tf."),
        ("at my net/main.tf:8 and main.tf", "at live/my net/main.tf:8 and live/main.tf"),
        ("other/main.tf:8 main.tf2 domain.tf", "other/main.tf:8 main.tf2 domain.tf"),
        ("every region (a = true)", "every region (a = true)"),
        ("", ""),
    ],
)
def test_sentences(words: str, expected: str) -> None:
    assert Relocation(below, FILES).words(words) == expected


def test_everything_of_a_report(build: Build) -> None:
    finding = replace(
        build.finding(message="so says live/variables.tf:2"),
        contain="mend live/main.tf",
        related=(Related(build.at(build.variables, "*"), "set in live/variables.tf"),),
    )
    hidden = replace(finding, suppression=Suppression("as live/main.tf", finding.span))
    failure = Failure(FailureKind.SYNTAX, "live/main.tf", "live/main.tf", finding.span)
    old = Report([finding], [failure], suppressed=[hidden])

    new = Relocation(lambda path: f"../{path}", {"live/main.tf", "live/variables.tf"}).report(old)

    [found] = new.findings
    assert (found.message, found.contain) == (
        "so says ../live/variables.tf:2",
        "mend ../live/main.tf",
    )
    assert str(found.span) == f"../{finding.span}"
    assert (found.span.begin, found.fingerprint) == (finding.span.begin, finding.fingerprint)
    assert [(str(r.span), r.message) for r in found.related] == [
        ("../live/variables.tf:2", "set in ../live/variables.tf")
    ]
    [silent] = new.suppressed
    assert silent.suppression is not None
    assert str(silent.suppression.span) == f"../{finding.span}"
    assert silent.suppression.reason == "as live/main.tf"
    assert [(f.path, f.message) for f in new.failures] == [("../live/main.tf", "../live/main.tf")]
    assert (old.findings, str(finding.span)) == ([finding], "live/main.tf:2")


def test_what_shares_a_document_still_does(build: Build) -> None:
    new = Relocation(below, ()).report(Report([build.chained(), build.chained()]))

    assert len({id(finding.span.document) for finding in new.findings}) == 1
