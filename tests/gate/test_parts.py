"""Records, owners, commits, mailmaps and marks by themselves."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from blastdoor import catalog
from blastdoor.cli import ack
from blastdoor.gate import crosscheck
from blastdoor.gate.record import Record, RecordError, read, write
from blastdoor.owners import Owners
from blastdoor.provenance import Reader
from blastdoor.source.history import Mailmap, Person, parse_commit
from blastdoor.source.revision import GitError
from blastdoor.span import Document

RECORD = Record(
    "a" * 64,
    "regions-widened",
    "aws_sqs_queue.orders",
    "regions",
    "cn-north-1",
    "cn-north-1 and cn-northwest-1",
    "A Reviewer <reviewer@example.com>",
    "needed: two regions",
    "revert",
    dt.date(2027, 1, 31),
)
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip)


@given(unit=WORDS, before=st.text(), after=WORDS, reason=WORDS)
def test_a_record_is_read_as_it_was_written(
    unit: str, before: str, after: str, reason: str
) -> None:
    before = before.encode("utf-8", "replace").decode()
    record = replace(RECORD, unit=unit, before=before, after=after, reason=reason)

    assert read(write(record)) == record


def test_a_record_is_yaml_that_says_the_same() -> None:
    found = yaml.safe_load(write(RECORD))

    assert {key: str(value) for key, value in found.items()} == {
        key: str(getattr(RECORD, key)) for key in found
    }


@given(st.text())
def test_any_text_is_a_record_or_an_error(text: str) -> None:
    with suppress(RecordError):
        assert read(text).path.startswith(".blastdoor/acks/")


def test_the_last_line_that_matches_names_the_owners() -> None:
    owners = Owners("* a@example.com\n/live/ @b @org/c # both\n/live/free/\n*.md d@example.com\n")

    assert owners.of("x.tf") == {"a@example.com"}
    assert owners.of("live/x.tf") == {"@b", "@org/c"}
    assert owners.of("live/free/x.tf") == set()
    assert owners.of("live/x.md") == {"d@example.com"}


def test_sections_each_add_an_owner() -> None:
    owners = Owners("* a@example.com\n[Infra] @infra\n/live/\n^[Docs][2] @docs\n*.md\n")

    assert owners.of("live/x.tf") == {"a@example.com", "@infra"}
    assert owners.of("live/x.md") == {"a@example.com", "@infra", "@docs"}


def commit(message: str, author: str = "A <a@example.com>", committer: str = "") -> bytes:
    return (
        f"tree {'1' * 40}\nparent {'2' * 40}\nauthor {author} 1 +0000\n"
        f"committer {committer or author} 1 +0000\n\n{message}"
    ).encode()


def test_a_signature_is_taken_out_of_what_it_signs() -> None:
    plain = commit("hello\n")
    head, _blank, body = plain.partition(b"\n\n")
    signed = head + b"\ngpgsig -----BEGIN\n abc\n -----END\nencoding UTF-8\n\n" + body

    found = parse_commit("x", signed)

    assert found.signature == "-----BEGIN\nabc\n-----END"
    assert found.payload == head + b"\nencoding UTF-8\n\n" + body


@pytest.mark.parametrize("data", [b"", b"tree 1\n\nx", b"author A <a> 1 +0\n\nx", b"\n\n"])
def test_what_is_no_commit_is_an_error(data: bytes) -> None:
    with pytest.raises(GitError):
        parse_commit("x", data)


@given(st.binary())
def test_any_bytes_are_a_commit_or_an_error(data: bytes) -> None:
    with suppress(GitError):
        assert parse_commit("x", data).payload


def test_trailers_stand_at_the_end_and_co_authors_anywhere() -> None:
    message = (
        "Squash (#3)\n\n* One\n\nCo-authored-by: B <b@example.com>\n\n* Two\n\n"
        "Note: this is prose\n\nReviewed-by: C <c@example.com>\nCo-Authored-By: D <d@example.com>\n"
    )
    found = parse_commit("x", commit(message))

    assert [one.name for one in found.co_authors] == ["B", "D"]
    assert ("reviewed-by", "C <c@example.com>") in found.trailers
    assert "note" not in {key for key, _value in found.trailers}


def test_a_mailmap_knows_people_by_address_and_by_name() -> None:
    found = Mailmap(
        "Proper <proper@example.com> <old@example.com>\n# a comment\n"
        "P <p@example.com> Nick <shared@example.com>\nRenamed <same@example.com>\n"
    )

    assert found(Person("x", "OLD@example.com")) == Person("Proper", "proper@example.com")
    assert found(Person("Nick", "shared@example.com")) == Person("P", "p@example.com")
    assert found(Person("Other", "shared@example.com")).name == "Other"
    assert found(Person("x", "same@example.com")).name == "Renamed"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a@example.com", "A@Example.com", True),
        ("1+a@users.noreply.github.com", "1+b@users.noreply.github.com", True),
        ("1+a@users.noreply.github.com", "2+a@users.noreply.github.com", False),
        ("1+a@users.noreply.github.com", "a@users.noreply.github.com", True),
        ("a@example.com", "b@example.com", False),
    ],
)
def test_people_are_told_apart(one: str, other: str, same: bool) -> None:  # noqa: FBT001
    assert Person("x", one).same(Person("y", other)) is same


@pytest.mark.parametrize(
    ("author", "agent"),
    [
        ("Claude <noreply@anthropic.com>", "Claude Code"),
        ("Copilot <198982749+Copilot@users.noreply.github.com>", "GitHub Copilot"),
        ("Kiro Agent <244629292+renamed@users.noreply.github.com>", "Kiro"),
        ("Somebody (aider) <somebody@example.com>", "aider"),
        ("Codex <noreply@openai.com>", "OpenAI Codex"),
        ("Somebody <noreply@openai.com>", None),
        ("Claude Monet <monet@example.com>", None),
        ("Devin <devin@example.com>", None),
        ("renovate[bot] <29139614+renovate[bot]@users.noreply.github.com>", ""),
        ("dependabot <support@example.com>", ""),
        ("A Robot <robot@example.com>", "an agent that the configuration names"),
    ],
)
def test_marks_of_authors(author: str, agent: str | None) -> None:
    reader = Reader(["Robot@example.com"])

    marks = reader.marks(parse_commit("x", commit("m\n", author)))

    assert [mark.agent for mark in marks] == ([] if agent is None else [agent])


def test_a_forge_that_commits_for_somebody_is_no_mark() -> None:
    data = commit("m\n", committer="GitHub <noreply@github.com>")

    assert Reader().marks(parse_commit("x", data)) == ()


def test_every_review_rule_names_a_test_that_exists() -> None:
    import importlib.util
    from pathlib import Path

    root = Path(__file__).parents[2]
    for rule in catalog.load():
        if rule.family == "review":
            file, _colons, name = rule.scenario.partition("::")
            assert f"def {name}(" in (root / file).read_text(encoding="utf-8"), rule.id
    assert importlib.util.find_spec("hcl2") is not None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('resource "a" "b" {\n  x = 1\n  y = [true]\n  z {\n    w = "v"\n  }\n}\n', None),
        ("x = = 1\n", None),
        ("x = <<A\nabc\nA\n", None),
        ("# one\nx = 1.0 # two\nb {\n  /* three */ y = {\n    # four\n    z = 1\n  }\n}\n", None),
        ("\ufeffx = 1\n", None),
        ("x = [{ __is_block__ = true }, { y = 1, z = 2 }, 3]\n", None),
        ("x {\n}\nx = 1\n", None),
        ("__comments__ = 1\n", None),
        ("__is_block__ = 1\n", "only one of them sees __is_block__"),
    ],
)
def test_two_parsers_agree(text: str, words: str | None) -> None:
    assert crosscheck.disagreement(Document("main.tf", text)) == words


def test_what_two_parsers_read_differently_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    other = 'import json, sys; json.dump({"x": 2}, sys.stdout)'
    monkeypatch.setattr(crosscheck, "_CHILD", other)

    assert crosscheck.disagreement(Document("a.tf", "x = 1\n")) == "they read x differently"
    assert crosscheck.disagreement(Document("a.tf", "y = 2\n")) == "only one of them sees x"


def test_what_cannot_be_read_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["nobody", "A Reviewer <reviewer@example.com>", "never", ""])
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _question: next(answers))
    request = ack.Request("main")

    reviewer = ack._reviewer(request, asks=True)
    day = ack._day(request, 90, asks=True)

    assert str(reviewer) == "A Reviewer <reviewer@example.com>"
    assert (day - dt.datetime.now(tz=dt.UTC).date()).days in (29, 30)
    assert next(answers, None) is None


def test_a_parser_that_hangs_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crosscheck, "_CHILD", "import time; time.sleep(60)")
    monkeypatch.setattr(crosscheck, "TIMEOUT", 1)

    assert crosscheck.disagreement(Document("a.tf", "x = 1\n")) == (
        "python-hcl2 takes longer than 1 s"
    )
