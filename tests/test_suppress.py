"""Comments that suppress findings, and everything that can be wrong with them."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import date

import pytest

from blastdoor import suppress
from blastdoor.finding import FailureKind, Finding, Level
from blastdoor.parse.tree import Comment
from blastdoor.span import Document, Span

TODAY = date(2026, 6, 1)


@dataclass(frozen=True)
class Rule:
    id: str
    code: str
    family: str


RULES = (
    Rule("open-door", "NET001", "network"),
    Rule("every-region-target", "RGN010", "region"),
    Rule("reach-widened", "WID001", "widening"),
    Rule("unreviewed", "REV001", "review"),
)


def comments(text: str) -> list[Comment]:
    """The comments of a text without strings, as the parser gives them."""
    return [
        Comment(m.start(), m.end(), re.sub(r"^(?:#|//|/\*)|\*/$", "", m[0]).strip())
        for m in re.finditer(r"(?:#|//).*|/\*[\s\S]*?\*/", text)
        if "blastdoor:" in m[0]
    ]


def blocks(text: str) -> list[tuple[int, int]]:
    """The blocks of a text in which each header stands alone on its line before the brace."""
    found: list[tuple[int, int]] = []
    open_: list[int] = []
    for match in re.finditer(r"(?m)^[ ]*(\w[^{}\n#]*)\{|\}", text):
        if match[0] == "}":
            found.append((open_.pop(), match.end()))
        else:
            open_.append(match.start(1))
    return found


def run(
    text: str, *, rule: str = "open-door", today: date | None = TODAY, path: str = "main.tf"
) -> tuple[list[int], list[int], list[str]]:
    """(lines kept, lines suppressed, messages); each ``BAD`` of the text is a finding."""
    document = Document(path, text)
    findings = [
        Finding(rule, Level.WARNING, "m", Span(document, m.start(), m.end()), "u")
        for m in re.finditer(r"BAD|\[ *\n(?:.*\n)*?.*\]", text)
    ]
    found = suppress.apply(
        findings,
        {path: comments(text)},
        {path: blocks(text)},
        RULES,
        today,
        documents={path: document},
    )
    assert all(f.kind is FailureKind.SUPPRESSION and f.path == path for f in found.failures)
    assert not any(f.fatal for f in found.failures)
    return (
        [f.span.begin.line for f in found.kept],
        [f.span.begin.line for f in found.suppressed],
        [f"{f.span and f.span.begin.line}: {f.message}" for f in found.failures],
    )


IGNORE = 'blastdoor: ignore[open-door] reason="known"'
UNUSED = "suppression of open-door that suppresses nothing: remove it"


# Where a comment works


def test_on_the_line() -> None:
    assert run(f"a = BAD # {IGNORE}\nb = BAD\n") == ([2], [1], [])


def test_on_the_line_before() -> None:
    assert run(f"# {IGNORE}\na = BAD\nb = BAD\n") == ([3], [2], [])


def test_above_other_comments() -> None:
    assert run(f"# {IGNORE}\n// why\n/* and */\na = BAD\nb = BAD\n") == ([5], [4], [])


def test_not_over_a_blank_line() -> None:
    assert run(f"# {IGNORE}\n\na = BAD\n") == ([3], [], [f"1: {UNUSED}"])


def test_a_comment_behind_code_is_for_its_line_alone() -> None:
    text = f"x {{\n  a = 1 # {IGNORE}\n  b = BAD\n}}\n"

    assert run(text) == ([3], [], [f"2: {UNUSED}"])


def test_in_the_block() -> None:
    text = f"x {{\n  b = BAD\n  y {{\n    c = BAD\n  }}\n\n  # {IGNORE}\n}}\nd = BAD\n"

    assert run(text) == ([9], [2, 4], [])


def test_an_inner_block_is_not_the_outer() -> None:
    text = f"x {{\n  b = BAD\n  y {{\n    # {IGNORE}\n    c = BAD\n  }}\n  d = BAD\n}}\n"

    assert run(text) == ([2, 7], [5], [])


def test_above_the_block() -> None:
    text = f"# {IGNORE}\nx {{\n  b = BAD\n  y {{\n    c = BAD\n  }}\n}}\nd = BAD\n"

    assert run(text) == ([8], [3, 5], [])


def test_behind_the_header_of_a_block() -> None:
    text = f"x {{ # {IGNORE}\n  b = BAD\n}}\ny {{\n  c = BAD\n}}\n"

    assert run(text) == ([5], [2], [])


def test_behind_the_end_of_a_block() -> None:
    text = f"x {{\n  b = BAD\n}} # {IGNORE}\n"

    assert run(text) == ([2], [], [f"3: {UNUSED}"])


def test_within_the_finding() -> None:
    text = f"a = [\n  1, # {IGNORE}\n  2,\n]\nb = [\n 1 ]\n"

    assert run(text) == ([5], [1], [])


def test_a_comment_of_several_lines() -> None:
    assert run(f"/* {IGNORE}\n   until=2026-06-01 */\na = BAD\n") == ([], [3], [])


def test_carriage_returns_and_a_byte_order_mark() -> None:
    assert run(f"\ufeff# {IGNORE}\r\na = BAD\r\nb = BAD\r\n") == ([3], [2], [])


def test_other_files_are_not_concerned() -> None:
    one, two = Document("one.tf", f"# {IGNORE}\nBAD"), Document("two.tf", "\nBAD")
    found = suppress.apply(
        [
            Finding("open-door", Level.NOTE, "m", Span(document, len(document.text) - 3, 99), "u")
            for document in (one, two)
        ],
        {"one.tf": comments(one.text)},
        {},
        RULES,
        TODAY,
    )

    assert [f.span.path for f in found.kept] == ["two.tf"]
    assert [f.span.path for f in found.suppressed] == ["one.tf"]


# What a comment says


def test_a_suppressed_finding_says_why() -> None:
    document = Document(
        "main.tf", r'BAD # blastdoor: ignore[NET001] until=2026-06-01 reason="a \"b\""'
    )
    finding = Finding("open-door", Level.NOTE, "m", Span(document, 0, 3), "u")
    found = suppress.apply(
        [finding], {"main.tf": comments(document.text)}, {"main.tf": []}, RULES, TODAY
    )
    said = found.suppressed[0].suppression

    assert said is not None
    assert (said.reason, said.until) == ('a "b"', "2026-06-01")
    assert said.span is not None
    assert said.span.text.startswith("# blastdoor")
    assert found.kept == []
    assert found.failures == []


def test_several_rules_and_other_words() -> None:
    text = 'BAD # see 12; blastdoor: ignore[ every-region-target , net001 ]  reason="known"\n'

    assert run(text) == (
        [],
        [1],
        ["1: suppression of every-region-target that suppresses nothing: remove it"],
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ignore[open-door]", 'without a reason: add reason="…"'),
        ('ignore[open-door] reason=""', "without a reason"),
        ('ignore[open-door] reason="  "', "without a reason"),
        ("ignore[open-door] reason=known", "does not stand in quotes"),
        ('ignore[open-door] reason="a" reason="b"', "says reason, twice"),
        ('ignore[open-door] reason="a" ticket=7', "says ticket, which is not known"),
        ('ignore[open-door] reason="a" until=soon', "until 'soon', which is no date"),
        ('ignore[open-door] reason="a" until=2026-02-30', "which is no date"),
        ('ignore[open-door] reason="a" until=20270101', "which is no date"),
        ('ignore[open-door] reason="a', "does not stand in quotes"),
        ('ignore[open-door] reason="a" because', "where more than"),
        ('ignore reason="a"', "does not name the rules"),
        ('ignore[] reason="a"', "does not name the rules"),
        ('ignore[*] reason="a"', "does not name the rules"),
        ('ignore[all] reason="a"', "does not name the rules"),
        ('ignore[open-door,] reason="a"', "does not name the rules"),
        (f'ignore[{",".join(["x"] * 21)}] reason="a"', "of more than 20 rules"),
        ('ignore[opendoor] reason="a"', "of a rule that does not exist: 'opendoor'"),
        ('ignore[reach-widened] reason="a"', "of reach-widened, which can only be acknowledged"),
        ('ignore[REV001] reason="a"', "of unreviewed, which can only be acknowledged"),
        ('ignore[open-door] reason="a" until=2026-05-31', "that expired on 2026-05-31"),
        ("disable=open-door", "'disable' is nothing a comment can say"),
        ("", "'' is nothing a comment can say"),
    ],
)
def test_what_is_wrong_suppresses_nothing(text: str, message: str) -> None:
    kept, suppressed, messages = run(f"a = BAD # blastdoor: {text}\n")

    assert (kept, suppressed) == ([1], [])
    assert len(messages) == 1
    assert message in messages[0]
    assert messages[0].startswith("1: ")


def test_no_rule_of_these_families_is_ever_suppressed() -> None:
    for rule in ("reach-widened", "unreviewed"):
        kept, suppressed, _messages = run(
            f'a = BAD # blastdoor: ignore[open-door, {rule}] reason="a"\n', rule=rule
        )

        assert (kept, suppressed) == ([1], [])


def test_the_last_day_still_holds() -> None:
    text = 'a = BAD # blastdoor: ignore[open-door] reason="a" until=2026-06-01\n'

    assert run(text, today=date(2026, 6, 1)) == ([], [1], [])
    assert run(text, today=date(2026, 6, 2))[0] == [1]
    assert run(text, today=None) == ([], [1], [])


def test_a_mention_is_no_comment_for_us() -> None:
    assert run("a = BAD # the docs of blastdoor: see there\n") == ([1], [], [])


def test_unused_only_for_rules_that_ran() -> None:
    document = Document("main.tf", f"a = 1 # {IGNORE}")
    written = {"main.tf": comments(document.text)}

    assert suppress.apply([], written, {}, RULES, TODAY, active={"x"}).failures == []
    assert [
        f.rule for f in suppress.apply([], written, {}, RULES, TODAY, active={"open-door"}).failures
    ] == ["open-door"]


def test_two_comments_for_one_finding_are_both_used() -> None:
    assert run(f"# {IGNORE}\na = BAD # {IGNORE}\n") == ([], [2], [])


def test_many_comments_are_cut_off() -> None:
    text = f"a = BAD # {IGNORE}\n" * 3_000
    document = Document("main.tf", text)
    found = [
        Finding("open-door", Level.NOTE, "m", Span(document, m.start(), m.end()), "u")
        for m in re.finditer("BAD", text)
    ]
    begin = time.monotonic()
    outcome = suppress.apply(found, {"main.tf": comments(text)}, {}, RULES, TODAY)

    assert len(outcome.suppressed) == suppress.MAX_COMMENTS
    assert [f.kind for f in outcome.failures] == [FailureKind.LIMIT]
    assert time.monotonic() - begin < 20


@pytest.mark.parametrize("text", ['reason="' * 50_000, "\\" * 100_000, " " * 100_000 + "x"])
def test_long_comments_cost_little(text: str) -> None:
    begin = time.monotonic()
    run(f'a = BAD # blastdoor: ignore[open-door] reason="{text}\n')
    run(f"a = BAD # blastdoor: ignore[open-door] {text}\n")
    run(f"a = BAD # blastdoor: ignore[{text}\n")

    assert time.monotonic() - begin < 5
