"""The line hash is GitHub's: expected values come from running its own code on the same bytes."""

from __future__ import annotations

import pytest

from blastdoor.report.linehash import line_hashes

END = "c129715d7a2bc9a3:1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(b"", ["c129715d7a2bc9a3:1"], id="empty"),
        pytest.param(b" \t ", ["c129715d7a2bc9a3:1"], id="blank"),
        pytest.param(b'region = "*"', ["120c34bbe3ac5fe6:1"], id="one"),
        pytest.param(b'region = "*"\n', ["22b31d078e84113c:1", "c129715d7a2bc9a3:1"], id="final"),
        pytest.param(
            b"a = 1\r\n\r\nb = 2\r c = 3\n\n\td = 4\r \ne\r\r\n",
            [
                "37acfebe0eea5942:1",
                "efab1aa0845dbea1:1",
                "ab9ab32d226bfadb:1",
                "dd292837ce229ac8:1",
                "d25d9074a9fcc403:1",
                "6f65bad69267c205:1",
                "693e6f48111bcf8e:1",
                "3de5ef6479e46d1c:1",
                "3c5bef55b72b93c9:1",
                "c129715d7a2bc9a3:1",
            ],
            id="crlf",
        ),
        pytest.param(
            b"\xef\xbb\xbfa = 1\nb = 2\n",
            ["a2ae33e0b2d63a6e:1", "4cd2d5cdff705f66:1", "c129715d7a2bc9a3:1"],
            id="bom",
        ),
        pytest.param(
            b'name = "\xf0\x9f\x98\x80 \xe5\x8c\x97\xe4\xba\xac"\nx\xc2\xa0= 1\n\xf0\x9f\x98\x80\n',
            [
                "d113f02646561c2a:1",
                "42bd2c81ecaba9ae:1",
                "49e42825ed591e1a:1",
                "c129715d7a2bc9a3:1",
            ],
            id="emoji",
        ),
        pytest.param(
            b'a = "\xff\xfe"\nb\xc3\n\xf0\x9f\x98\n',
            [
                "8e957b2962579449:1",
                "ae3e4672193dc357:1",
                "a88b3c201b7e6ebe:1",
                "c129715d7a2bc9a3:1",
            ],
            id="invalid",
        ),
    ],
)
def test_hashes_are_those_of_the_upload_action(text: bytes, expected: list[str]) -> None:
    decoded = text.decode("utf-8", "replace")

    assert line_hashes(decoded, range(1, 1000)) == dict(enumerate(expected, 1))


def test_only_the_wanted_lines_are_answered() -> None:
    assert line_hashes("a\nb\n", {3}) == {3: END}
    assert line_hashes("a\n", {1, 9}).keys() == {1}
    assert line_hashes("a\n", ()) == {}


def test_equal_lines_are_counted() -> None:
    hashes = line_hashes("x = 1\n" * 40, {1, 2, 15})

    assert hashes[1].partition(":")[0] == hashes[2].partition(":")[0]
    assert [hashes[n].partition(":")[2] for n in (1, 2, 15)] == ["1", "2", "15"]


def test_different_text_with_the_same_sum_is_counted_together() -> None:
    filler = "-" * 120
    hashes = line_hashes(f"B!\nend\n{filler}\nAF\nend\n{filler}\n", {1, 4})

    assert hashes == {1: "438a807501a07ce7:1", 4: "438a807501a07ce7:2"}
