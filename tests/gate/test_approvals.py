"""Approvals that a forge exports: whose they are, and for which commit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from blastdoor.gate.approvals import ApprovalError, read

from .conftest import AGENT, POLICY, WIDER, Story

if TYPE_CHECKING:
    from collections.abc import Callable

ACCOUNTS = '[gate]\nreviewers = ["@second", "@writer"]\n'
WRITER = ("A Writer", "77+writer@users.noreply.github.com")


def review(login: str, number: int, commit: str, state: str = "APPROVED") -> dict[str, Any]:
    user = {"login": login, "id": number, "type": "User"}
    return {"user": user, "state": state, "commit_id": commit}


def gated(one: Story, export: object) -> tuple[int, list[str]]:
    file = one.root.parent / "approvals.json"
    file.write_text(json.dumps(export))
    said = one.gate("--approvals", str(file))
    return said.code, said.problems


def test_an_approval_of_the_head_opens_the_gate(story: Callable[..., Story]) -> None:
    one = story({"blastdoor.toml": ACCOUNTS})
    head = one.commit({"live/main.tf": WIDER}, who=AGENT)

    assert gated(one, [review("second", 5, head)]) == (0, [])


@pytest.mark.parametrize(
    ("login", "number", "rule"),
    [
        ("writer", 77, "ack-self-approved"),
        ("renamed", 77, "ack-self-approved"),
        ("stranger", 6, "ack-reviewer-not-entitled"),
        ("dependabot[bot]", 49699333, "ack-by-agent"),
        ("kiro-agent", 244629292, "ack-by-agent"),
    ],
)
def test_an_approval_of_these_does_not(
    story: Callable[..., Story], login: str, number: int, rule: str
) -> None:
    one = story({"blastdoor.toml": ACCOUNTS})
    head = one.commit({"live/main.tf": WIDER}, who=WRITER)

    assert gated(one, [review(login, number, head)]) == (1, ["ack-required", rule])


def test_an_approval_of_an_earlier_commit_does_not(story: Callable[..., Story]) -> None:
    one = story({"blastdoor.toml": ACCOUNTS})
    first = one.commit({"live/main.tf": WIDER}, who=AGENT)
    one.commit({"notes.md": "more"}, who=AGENT)

    assert gated(one, [review("second", 5, first)]) == (1, ["ack-required", "ack-stale"])


def test_the_last_word_of_a_person_holds(story: Callable[..., Story]) -> None:
    one = story({"blastdoor.toml": ACCOUNTS})
    head = one.commit({"live/main.tf": WIDER}, who=AGENT)
    taken_back = [review("second", 5, head), review("second", 5, head, "CHANGES_REQUESTED")]
    commented = [review("second", 5, head), review("second", 5, head, "COMMENTED")]

    assert gated(one, taken_back) == (1, ["ack-required"])
    assert gated(one, commented) == (0, [])


def test_approvals_of_gitlab(story: Callable[..., Story]) -> None:
    one = story({"blastdoor.toml": ACCOUNTS})
    head = one.commit({"live/main.tf": WIDER}, who=AGENT)
    approvals = {"approved_by": [{"user": {"id": 1, "username": "second"}}]}

    assert gated(one, {"merge_request": {"sha": head}, "approvals": approvals}) == (0, [])
    assert gated(one, {"merge_request": {}, "approvals": approvals})[0] == 1


@pytest.mark.parametrize("text", ["", "{}", "null", '{"approvals": 3}', "[" * 5000])
def test_what_is_no_export_is_an_error(text: str) -> None:
    with pytest.raises(ApprovalError):
        read(text)


def test_odd_entries_are_left_out() -> None:
    assert read(json.dumps([None, 3, {"user": None}, {"user": {"login": 5}}])) == []


def test_a_file_that_is_not_there_is_the_callers_fault(story: Callable[..., Story]) -> None:
    one = story({"blastdoor.toml": POLICY})
    one.commit({"live/main.tf": WIDER})

    said = one.gate("--approvals", "nothing.json")

    assert said.code == 2
    assert "nothing.json: no such file" in said.err
