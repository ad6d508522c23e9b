"""What a person reads in the terminal."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from blastdoor.finding import Failure, FailureKind, Level, Related, Report, Suppression
from blastdoor.reach import Partitions, Reach, Regions
from blastdoor.report.text import (
    Style,
    render_failure,
    render_finding,
    render_summary,
    wants_colour,
    write_text,
)
from blastdoor.span import Document, Span

if TYPE_CHECKING:
    from tests.report.conftest import Build

    from blastdoor.report.text import Choice


def test_a_finding_shows_its_place_and_what_contains_it(build: Build) -> None:
    finding = replace(
        build.finding(message="regions: every enabled region (data.aws_regions.all)"),
        contain="name the regions",
        evidence=("an error although the rule says warning: it destroys",),
    )

    assert (
        render_finding(finding, build.rule())
        == """\
error[every-region-target]: regions: every enabled region (data.aws_regions.all)
 --> live/main.tf:2:20
  |
2 |   for_each = toset(data.aws_regions.all.names)
  |                    ^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = note: an error although the rule says warning: it destroys
  = help: name the regions
  = rule: RGN010 A deployment targets every region
"""
    )


def test_the_chain_of_evidence_follows(build: Build) -> None:
    assert (
        render_finding(build.chained())
        == """\
error[every-region-target]: actions: every action
 --> live/main.tf:3:14
  |
3 |   actions  = var.actions
  |              ^^^^^^^^^^^
  |
 ::: live/variables.tf:2:13
  |
2 |   default = "*"
  |             --- the default of var.actions
  |
 ::: live/main.tf:1:11
  |
1 | resource "aws_s3_bucket" "b" {
  |           ------------- used by this bucket
  |
  = help: name the actions
"""
    )


def test_a_related_place_on_the_same_line_is_named_only(build: Build) -> None:
    related = Related(build.at(build.main, "for_each"), "repeats the bucket")
    text = render_finding(replace(build.finding(), related=(related,)))

    assert text.endswith("  |\n  = note: live/main.tf:2:3: repeats the bucket\n")


def test_how_far_it_reaches_stands_below(build: Build) -> None:
    reach = Reach(
        regions=Regions("cn-north-1", "us-east-1"), partitions=Partitions("aws", "aws-cn")
    )
    lines = render_finding(replace(build.finding(), reach=reach)).splitlines()

    assert lines[6:] == [f"  = reach: {line}" for line in reach.describe()]
    assert len(lines[6:]) == 2


def test_many_related_places_are_named_beyond_the_first_five(build: Build) -> None:
    document = Document("b.tf", "x\n" * 9)
    related = tuple(Related(Span(document, 2 * n, 2 * n + 1), f"use {n}") for n in range(9))
    text = render_finding(replace(build.finding(), related=related))

    assert text.count("::: b.tf") == 1
    assert text.count("- use ") == 5
    assert text.count("= note: b.tf:") == 4


@pytest.mark.parametrize(
    ("source", "marked", "shown"),
    [
        (
            'name = "北京" + x\n',
            "x",
            ['1 | name = "北京" + x', "  |                 ^"],
        ),
        ("\t\tx = 1\n", "x", ["1 |         x = 1", "  |         ^"]),
        ('a\t= "é😀"\tb\n', "b", ['1 | a   = "é😀" b', "  |             ^"]),
        ("a = [\n  1,\n]\nb\n", "[\n  1,\n]", ["1 | a = [", "  |     ^ … to line 3"]),
        ("a = {\nb\n", "{\n", ["1 | a = {", "  |     ^"]),
        ("a = 1\r\nb = 2\r\n", "2", ["2 | b = 2", "  |     ^"]),
        ("x \x1b[31m = \u202e1\n", "1\n", ["1 | x \\x1b[31m = \\u{202e}1", "  |" + " " * 22 + "^"]),
        ('password = "hunter2"\n', '"hunter2"', ['1 | password = "***"', "  |            ^^^^^"]),
    ],
)
def test_the_value_is_underlined_where_it_shows(
    build: Build, source: str, marked: str, shown: list[str]
) -> None:
    lines = render_finding(build.finding(build.within(source, marked))).splitlines()

    assert lines[3:] == shown


@pytest.mark.parametrize("where", [0, 1, 4000, 9_000, 9_998, 9_999])
def test_long_lines_are_clipped_around_the_value(build: Build, where: int) -> None:
    text = "a" * where + "X" + "b" * (9_999 - where)
    lines = render_finding(build.finding(build.within(text, "X"))).splitlines()
    code, under = lines[3], lines[4]

    assert len(code) <= 126
    assert code[under.index("^")] == "X"
    assert ("…a" in code) == (where > 120)
    assert code.endswith("…") == (where < 9_900)


def test_a_long_value_is_clipped_too(build: Build) -> None:
    span = build.within("a = " + "x" * 10_000 + " + y", "x" * 10_000)
    lines = render_finding(build.finding(span)).splitlines()

    assert all(len(line) < 140 for line in lines)
    assert "^^^^" in lines[4]


def test_a_clipped_secret_stays_secret(build: Build) -> None:
    text = "a" * 300 + ' password = "' + "s3cret" * 12 + '" X'
    rendered = render_finding(build.finding(build.within(text, "X")))

    assert "s3cret" not in rendered
    assert "***" in rendered


def test_nothing_of_a_scanned_file_reaches_the_terminal_raw(build: Build) -> None:
    evil = "\x1b]0;x\x07\x9b1m\u202e\u200b\u2028\U000e0041\ud800\r"
    document = Document(f"{evil}.tf", f"a{evil}b = {evil}1{evil}\n")
    place = Span(document, 2, 9)
    finding = replace(
        build.finding(place, message=f"m{evil}"),
        rule=f"r{evil}",
        contain=f"c{evil}",
        evidence=(f"e{evil}",),
        related=(
            Related(place, f"w{evil}"),
            Related(build.within(f"x{evil}\ny{evil}", "y"), f"w{evil}"),
        ),
        suppression=Suppression(f"s{evil}"),
    )
    report = Report(
        findings=[finding],
        failures=[Failure(FailureKind.SYNTAX, f"p{evil}", f"f{evil}", place, rule=f"r{evil}")],
        skipped=Counter({f"k{evil}": 1}),
    )
    report.coverage.resolved[f"k{evil}"] = 1
    report.coverage.reasons[f"k{evil}"] = 1
    stream = io.StringIO()
    write_text(stream, report, [build.rule(title=f"t{evil}", id=f"r{evil}", code=f"c{evil}")])

    text = stream.getvalue()
    assert all(character.isprintable() or character == "\n" for character in text)
    text.encode()


@pytest.mark.parametrize("on", [False, True])
def test_colour_is_all_that_a_style_adds(build: Build, *, on: bool) -> None:
    style = Style(on=on)
    text = render_finding(build.chained(), build.rule(), style)

    assert ("\x1b[" in text) is on
    plain = text
    for code in ("1;31", "1;34", "1", "36", "0"):
        plain = plain.replace(f"\x1b[{code}m", "")
    assert plain == render_finding(build.chained(), build.rule())


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("terminal", "choice", "environ", "wanted"),
    [
        (True, "auto", {}, True),
        (False, "auto", {}, False),
        (True, "never", {"FORCE_COLOR": "1"}, False),
        (False, "always", {"NO_COLOR": "1"}, True),
        (True, "auto", {"NO_COLOR": "1"}, False),
        (True, "auto", {"NO_COLOR": ""}, True),
        (True, "auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        (False, "auto", {"FORCE_COLOR": "1"}, True),
        (False, "auto", {"FORCE_COLOR": "0"}, False),
        (True, "auto", {"TERM": "dumb"}, False),
    ],
)
def test_who_wants_colour(
    *,
    terminal: bool,
    choice: Choice,
    environ: dict[str, str],
    wanted: bool,
) -> None:
    stream = _Terminal() if terminal else io.StringIO()

    assert wants_colour(stream, choice, environ) is wanted


def test_a_failure_shows_where_it_stopped(build: Build) -> None:
    failure = Failure(
        FailureKind.SYNTAX, "a.tf", "expected '}'", build.within("a = {\nb = ]\n", "]")
    )

    assert (
        render_failure(failure)
        == """\
failure[syntax]: expected '}'
 --> a.tf:2:5
  |
2 | b = ]
  |     ^
"""
    )


def test_a_failure_may_have_no_place() -> None:
    failure = Failure(FailureKind.INTERNAL, "a.tf", "KeyError: 'x'", rule="star-grant")

    assert (
        render_failure(failure)
        == """\
failure[internal]: KeyError: 'x'
 --> a.tf
  = rule: star-grant
"""
    )


def test_a_failure_at_the_end_of_a_file() -> None:
    document = Document("a.tf", "a = {\n")
    failure = Failure(FailureKind.SYNTAX, "a.tf", "expected '}'", Span(document, 6, 6))

    assert " --> a.tf:2:1\n  |\n2 |\n  | ^\n" in render_failure(failure)


def test_the_summary_says_what_is_known_and_what_is_not(build: Build) -> None:
    report = build.report(
        build.finding(), build.finding(level=Level.WARNING), build.finding(level=Level.WARNING)
    )
    report.failures.append(Failure(FailureKind.SYNTAX, "a.tf", "broken"))
    report.suppressed.append(build.finding())
    report.baselined = 2
    report.skipped.update({"larger than 1 MB": 2})
    report.coverage.resolved.update(region=9)
    report.coverage.unresolved.update(region=1)
    report.coverage.undecidable.update(region=2, policy=1)
    report.coverage.reasons.update({"refers to itself": 1, "no value": 3})

    assert (
        render_summary(report)
        == """\
1 error, 2 warnings in 1 unit, 2 files, 3 resources
not shown: 1 suppressed, 2 in the baseline
1 failure: 1 syntax
skipped: 2 larger than 1 MB
known of what is decided here: policy none (+1 elsewhere); region 90% of 10 (+2 elsewhere)
the rest: 3 no value, 1 refers to itself
"""
    )


def test_the_summary_of_a_clean_run() -> None:
    assert render_summary(Report(units=1)) == "no findings in 1 unit, 0 files, 0 resources\n"


def test_the_whole_report_in_order(build: Build) -> None:
    report = build.report(build.finding(), build.chained())
    report.failures.append(Failure(FailureKind.UNREADABLE, "b.tf", "permission denied"))
    report.suppressed.append(
        replace(build.finding(message="hidden"), suppression=Suppression("until we move"))
    )
    stream = io.StringIO()
    write_text(stream, report, [build.rule()], include_suppressed=True)
    text = stream.getvalue()

    marks = ["failure[unreadable]", "too far", "every action", "hidden", "until we move", "2 err"]
    places = [text.index(mark) for mark in marks]
    assert places == sorted(places)


def test_a_stream_that_cannot_hold_a_character_gets_an_escape(build: Build) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", newline="\n")
    write_text(stream, build.report(build.finding(build.within('x = "北京"', '"北京"'))), [])
    stream.flush()

    assert b'1 | x = "\\u5317\\u4eac"' in raw.getvalue()


def test_a_finding_takes_less_than_a_tenth_of_a_millisecond(build: Build) -> None:
    finding, rule = build.chained(), build.rule()
    render_finding(finding, rule)
    times = []
    for _ in range(5):
        start = time.process_time()
        for _ in range(200):
            render_finding(finding, rule)
        times.append((time.process_time() - start) / 200)

    assert min(times) < 100e-6


def test_text_output_imports_nothing_heavy() -> None:
    code = (
        "import sys, blastdoor.report.text\n"
        "heavy = {'sarif_om', 'attr', 'wcwidth', 'json', 'rich', 'yaml'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    path = {"PYTHONPATH": ":".join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", code], env=path, check=False)

    assert done.returncode == 0
