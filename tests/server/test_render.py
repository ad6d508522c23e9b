"""What leaves for an editor does no harm there."""

from __future__ import annotations

from lsprotocol import types as lsp

from blastdoor.server.positions import offset, position
from blastdoor.server.render import plain, tame
from blastdoor.span import Document


def test_a_page_makes_no_editor_fetch_anything() -> None:
    page = (
        "why ![x](https://example.com/x.png)\n<img src=a> and `a < b`\n[see](https://example.com)"
    )
    assert tame(page) == (
        "why \\![x](https://example.com/x.png)\n\\<img src=a> and `a < b`\n[see](https://example.com)"
    )


def test_words_of_the_code_are_no_markup() -> None:
    assert plain("*a* [b](c) <d>\x1b[1m") == "\\*a\\* \\[b\\](c) \\<d\\>\\\\x1b\\[1m"


def test_offsets_and_positions_are_inverse_in_every_encoding() -> None:
    document = Document("a.tf", "a\U0001f388b\u00e9\r\nc\u2028d\rlast")
    for encoding in ("utf-8", "utf-16", "utf-32"):
        for at in range(len(document.text) + 1):
            if document.text[at - 1 : at + 1] == "\r\n":
                continue  # within a line end
            assert offset(document, position(document, at, encoding), encoding) == at
        assert offset(document, lsp.Position(9, 9), encoding) == len(document.text)
        assert offset(document, lsp.Position(0, 99), encoding) == 4
