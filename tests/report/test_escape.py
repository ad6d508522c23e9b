"""Nothing of a scanned file reaches a terminal unescaped, and columns are counted as shown."""

from __future__ import annotations

import pytest

from blastdoor.report.escape import encodable, expand, sanitise, sanitise_lines, width


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]8;;https://example.com\x07link", "\\x1b]8;;https://example.com\\x07link"),
        ("\x9b31m", "\\x9b31m"),
        ("a\x00b\x7f", "a\\x00b\\x7f"),
        ("one\ntwo\r\n", "one\\ntwo\\r\\n"),
        ("tab\tstays", "tab\tstays"),
        ("us\u202etsae", "us\\u{202e}tsae"),
        ("\u2066\u2069\u200f\u061c", "\\u{2066}\\u{2069}\\u{200f}\\u{61c}"),
        ("a\u200bb\ufeff\u00ad", "a\\u{200b}b\\u{feff}\\xad"),
        ("a\u2028b\u2029", "a\\u{2028}b\\u{2029}"),
        ("\U000e0041\U000e007f", "\\u{e0041}\\u{e007f}"),
        ("\ud800", "\\u{d800}"),
        ("北京 é 😀", "北京 é 😀"),
    ],
)
def test_what_does_not_show_becomes_a_visible_escape(text: str, shown: str) -> None:
    assert sanitise(text) == shown


@pytest.mark.parametrize("code", [*range(9), *range(10, 32), *range(127, 160)])
def test_no_control_character_survives(code: int) -> None:
    assert chr(code) not in sanitise(f"a{chr(code)}b")


def test_sanitised_text_can_be_written_as_utf_8() -> None:
    everything = "".join(map(chr, range(0x11000)))

    sanitise(everything).encode()
    encodable(everything).encode()


def test_lines_are_kept_where_lines_are_wanted() -> None:
    assert sanitise_lines("a\r\nb\rc\n\x1bd") == "a\nb\nc\n\\x1bd"


@pytest.mark.parametrize(
    ("text", "columns"),
    [("", 0), ("abc", 3), ("北京", 4), ("e\u0301", 1), ("😀", 2), ("é", 1)],
)
def test_width_counts_terminal_columns(text: str, columns: int) -> None:
    assert width(text) == columns


@pytest.mark.parametrize(
    ("text", "column", "shown"),
    [
        ("\ta", 0, "    a"),
        ("ab\tc", 0, "ab  c"),
        ("\t", 3, " "),
        ("北\tc", 0, "北  c"),
        ("none", 7, "none"),
    ],
)
def test_tabs_reach_the_next_stop(text: str, column: int, shown: str) -> None:
    assert expand(text, column) == shown
