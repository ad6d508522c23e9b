"""The whole story of the incident, as it could have gone: each way past the gate is tried."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from blastdoor.cli import run

from .conftest import (
    AGENT,
    AUTHOR,
    BASE,
    BOT,
    OTHER,
    POLICY,
    REVIEWER,
    UNPROTECTED,
    WIDER,
    WIDEST,
    Story,
)

if TYPE_CHECKING:
    from collections.abc import Callable

Begin = "Callable[..., Story]"
TODAY = dt.datetime.now(tz=dt.UTC).date()


def in_days(days: int) -> str:
    return (TODAY + dt.timedelta(days=days)).isoformat()


def test_the_incident_is_stopped(story: Callable[..., Story]) -> None:
    one = story()
    one.commit({"live/main.tf": WIDER}, who=AGENT, message="Update the regions")

    said = one.gate()

    assert said.code == 1
    (gated,) = said.data["gated"]
    assert (gated["rule"], gated["axis"]) == ("regions-widened", "regions")
    assert gated["before"] == "cn-north-1"
    assert gated["after"] == "cn-north-1 and cn-northwest-1"
    assert said.problems == ["ack-required"]
    assert gated["provenance"] == ["Cursor: author Cursor Agent <cursoragent@cursor.com>"]
    assert "blastdoor ack main HEAD --finding" in gated["problems"][0]["contain"]


def test_a_second_person_opens_it(story: Callable[..., Story]) -> None:
    one = story()
    one.commit({"live/main.tf": WIDER}, who=AGENT)
    one.acknowledged()

    said = one.gate()

    assert said.code == 0
    assert said.data["open"] is True
    (gated,) = said.data["gated"]
    assert gated["by"] == "A Reviewer <reviewer@example.com>"
    assert gated["until"] == in_days(30)


def test_a_change_that_reaches_no_further_needs_nobody(story: Callable[..., Story]) -> None:
    one = story()
    one.commit({"live/main.tf": BASE + "# a comment\n", "notes.md": "text"})

    said = one.gate()

    assert (said.code, said.data["gated"]) == (0, [])


def test_a_guard_that_goes_needs_a_word(story: Callable[..., Story]) -> None:
    one = story()
    one.commit(
        {
            "live/main.tf": BASE.replace("prod", "prod").replace(
                'identifier          = "orders"',
                'identifier          = "orders"\n  lifecycle {\n    prevent_destroy = true\n  }',
            )
        }
    )
    one.git("checkout", "-q", "main")
    one.git("merge", "-q", "change")
    one.branch("second")
    one.commit({"live/main.tf": UNPROTECTED})

    said = one.gate()

    assert said.code == 1
    assert "lifecycle-guard-removed" in said.needed


# Whose word does not hold


def test_an_author_cannot_acknowledge(story: Callable[..., Story]) -> None:
    one = story({"blastdoor.toml": '[gate]\nreviewers = ["author@example.com"]\n'})
    one.commit({"live/main.tf": WIDER})
    refused = one.ack(who=AUTHOR)
    assert refused.code == 2
    assert "wrote a part of the change" in refused.err
    assert one.records() == {}

    # Written by hand, it does not hold either.
    forged(one, AUTHOR)
    one.commit({}, who=AUTHOR)

    assert one.gate().problems == ["ack-self-approved"]


def forged(one: Story, who: tuple[str, str], **changes: str) -> str:
    """The path of a record for the first thing that needs a word, written without asking."""
    gated = one.gate().data["gated"][0]
    fields = {
        "fingerprint": gated["fingerprint"],
        "rule": gated["rule"],
        "unit": gated["unit"],
        "axis": gated["axis"],
        "before": gated["before"],
        "after": gated["after"],
        "reviewer": f"{who[0]} <{who[1]}>",
        "reason": "trust me",
        "rollback": "none",
        "expires": in_days(10),
        **changes,
    }
    quoted = ("unit", "before", "after", "reason", "rollback")
    text = "".join(
        f"{key}: {json.dumps(value) if key in quoted else value}\n" for key, value in fields.items()
    )
    path = f".blastdoor/acks/{gated['fingerprint'][:12]}.yaml"
    target = one.root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    return path


def test_an_author_cannot_acknowledge_in_the_name_of_another(story: Callable[..., Story]) -> None:
    one = story()
    one.commit({"live/main.tf": WIDER})
    forged(one, REVIEWER)
    one.commit({}, who=AUTHOR)

    problems = one.gate().problems

    assert "ack-unverifiable" in problems
    assert "ack-self-approved" in problems


def test_another_address_of_the_author_is_the_author(story: Callable[..., Story]) -> None:
    mine = ("An Author", "author@elsewhere.example.com")
    one = story(
        {
            "blastdoor.toml": f'[gate]\nreviewers = ["{mine[1]}"]\n',
            ".mailmap": f"An Author <{AUTHOR[1]}> <{mine[1]}>\n",
        }
    )
    one.commit({"live/main.tf": WIDER})
    forged(one, mine)
    one.commit({}, who=mine)

    assert "ack-self-approved" in one.gate().problems


def test_an_account_that_was_renamed_is_the_same_account(story: Callable[..., Story]) -> None:
    before = ("Somebody", "1234+old-name@users.noreply.github.com")
    after = ("Somebody Else", "1234+new-name@users.noreply.github.com")
    one = story({"blastdoor.toml": '[gate]\nreviewers = ["@new-name"]\n'})
    one.commit({"live/main.tf": WIDER}, who=before)
    forged(one, after)
    one.commit({}, who=after)

    assert one.gate().problems == ["ack-self-approved"]


def test_a_co_author_cannot_acknowledge(story: Callable[..., Story]) -> None:
    one = story()
    message = f"Update\n\nCo-authored-by: {REVIEWER[0]} <{REVIEWER[1]}>\n"
    one.commit({"live/main.tf": WIDER}, message=message)
    forged(one, REVIEWER)
    one.commit({}, who=REVIEWER)

    assert one.gate().problems == ["ack-self-approved"]


def test_an_agent_cannot_acknowledge(story: Callable[..., Story]) -> None:
    one = story({"blastdoor.toml": '[gate]\nreviewers = ["cursoragent@cursor.com"]\n'})
    one.commit({"live/main.tf": WIDER})
    refused = one.ack(who=AGENT)
    assert refused.code == 2
    forged(one, AGENT)
    one.commit({}, who=AGENT)

    assert one.gate().problems == ["ack-by-agent"]


@pytest.mark.parametrize(
    "trailer",
    [
        "Co-Authored-By: Claude Opus <noreply@anthropic.com>",
        "Co-authored-by: Copilot <223556219+Copilot@users.noreply.github.com>",
        "Agent-Logs-Url: https://example.com/logs",
        "Assisted-by: an assistant",
        f"Co-authored-by: {BOT[0]} <{BOT[1]}>",
    ],
)
def test_an_agent_in_a_trailer_cannot_acknowledge(
    story: Callable[..., Story], trailer: str
) -> None:
    one = story()
    one.commit({"live/main.tf": WIDER})
    one.acknowledged(message=f"acknowledge\n\n{trailer}\n")

    assert one.gate().problems == ["ack-by-agent"]


def test_an_agent_that_is_only_talked_about_is_none(story: Callable[..., Story]) -> None:
    one = story()
    one.commit({"live/main.tf": WIDER})
    one.acknowledged(message="acknowledge\n\nI asked cursoragent@cursor.com what it had done.\n")

    assert one.gate().code == 0


def test_an_agent_that_committed_cannot_acknowledge(story: Callable[..., Story]) -> None:
    one = story()
    one.commit({"live/main.tf": WIDER})
    assert one.ack().code == 0
    one.commit({}, who=REVIEWER, committer=AGENT)

    assert one.gate().problems == ["ack-by-agent"]


def test_only_named_people_may_acknowledge(story: Callable[..., Story]) -> None:
    one = story()
    one.commit({"live/main.tf": WIDER})
    stranger = ("A Stranger", "stranger@example.com")
    refused = one.ack(who=stranger)
    assert refused.code == 2
    assert "[gate] reviewers names reviewer@example.com" in refused.err
    forged(one, stranger)
    one.commit({}, who=stranger)

    assert one.gate().problems == ["ack-reviewer-not-entitled"]


def test_an_axis_may_have_reviewers_of_its_own(story: Callable[..., Story]) -> None:
    one = story({"blastdoor.toml": POLICY + '[gate.axes]\nregions = ["other@example.com"]\n'})
    one.commit({"live/main.tf": WIDER})
    forged(one, REVIEWER)
    one.commit({}, who=REVIEWER)
    assert one.gate().problems == ["ack-reviewer-not-entitled"]

    forged(one, OTHER)
    one.commit({}, who=OTHER)

    assert one.gate().code == 0


# Reviewers


def test_without_a_policy_the_owners_of_the_code_may(story: Callable[..., Story]) -> None:
    one = story(
        {
            "blastdoor.toml": "",
            ".github/CODEOWNERS": "* other@example.com\n/live/ reviewer@example.com @org/team\n",
        }
    )
    one.commit({"live/main.tf": WIDER})
    forged(one, ("Another", "someone@example.com"))
    one.commit({}, who=("Another", "someone@example.com"))
    (problem,) = one.gate().data["gated"][0]["problems"]
    assert problem["rule"] == "ack-reviewer-not-entitled"
    assert "only the forge knows who is in a team" in problem["message"]

    forged(one, REVIEWER)
    one.commit({}, who=REVIEWER)

    assert one.gate().code == 0


def test_without_anybody_named_it_is_closed_and_says_what_to_do(
    story: Callable[..., Story],
) -> None:
    one = story({"blastdoor.toml": ""})
    one.commit({"live/main.tf": WIDER})
    forged(one, REVIEWER)
    one.commit({}, who=REVIEWER)

    (problem,) = one.gate().data["gated"][0]["problems"]

    assert problem["rule"] == "ack-required"
    assert "neither [gate] reviewers nor CODEOWNERS" in problem["message"]
    assert "[gate]\\nreviewers" in problem["contain"]
    assert problem["contain"].startswith("on main: printf ")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("blastdoor.toml", '[gate]\nreviewers = ["author@example.com"]\n'),
        ("CODEOWNERS", "* author@example.com\n"),
        (".mailmap", "A Reviewer <reviewer@example.com> <author@example.com>\n"),
        (".github/workflows/gate.yml", "run: blastdoor gate main || true\n"),
        ("pyproject.toml", '[tool.blastdoor.gate]\nreviewers = ["author@example.com"]\n'),
        (".blastdoor/allowed_signers", "author@example.com ssh-ed25519 AAAA\n"),
    ],
)
def test_a_change_cannot_loosen_its_own_review(
    story: Callable[..., Story], path: str, text: str
) -> None:
    one = story()
    one.commit({"live/main.tf": WIDER, path: text})
    forged(one, AUTHOR)
    one.commit({}, who=AUTHOR)

    said = one.gate()

    assert said.code == 1
    assert sorted(said.needed) == ["ack-required", "regions-widened"]
    assert path in {entry["file"] for entry in said.data["gated"]}


def test_other_workflows_and_projects_are_nobodys_business(story: Callable[..., Story]) -> None:
    one = story()
    one.commit({".github/workflows/test.yml": "run: pytest\n", "pyproject.toml": "[project]\n"})

    assert one.gate().code == 0


def test_a_change_of_the_reviewing_can_be_acknowledged(story: Callable[..., Story]) -> None:
    one = story()
    one.commit({"blastdoor.toml": POLICY + "max-days = 30\n"})
    one.acknowledged()

    assert one.gate().code == 0


# What is said, and for how long


def test_widening_again_needs_another_word(story: Callable[..., Story]) -> None:
    one = story()
    one.commit({"live/main.tf": WIDER}, who=AGENT)
    one.acknowledged()
    one.commit({"live/main.tf": WIDEST}, who=AGENT)

    said = one.gate()

    assert said.code == 1
    assert "ack-stale" in said.problems
    words = " ".join(p["message"] for entry in said.data["gated"] for p in entry["problems"])
    assert "acknowledged cn-north-1 and cn-northwest-1" in words


def test_words_that_are_not_the_changes_do_not_hold(story: Callable[..., Story]) -> None:
    one = story()
    one.commit({"live/main.tf": WIDER})
    forged(one, REVIEWER, after="cn-north-1")
    one.commit({}, who=REVIEWER)

    assert one.gate().problems == ["ack-stale"]


def test_what_is_laundered_through_a_variable_needs_a_word(story: Callable[..., Story]) -> None:
    one = story()
    unknown = BASE.replace(
        'variable "regions" {\n  default = ["cn-north-1"]\n}', 'variable "regions" {}'
    )
    one.commit({"live/main.tf": unknown})

    said = one.gate()

    assert said.code == 1
    assert said.needed == ["unknown-reach"]


def test_a_rename_with_an_edit_needs_a_word_of_its_own(story: Callable[..., Story]) -> None:
    one = story()
    one.commit({"live/main.tf": WIDER})
    one.acknowledged()
    one.commit({"live/main.tf": WIDEST.replace('"aws_sqs_queue" "orders"', '"aws_sqs_queue" "o2"')})

    said = one.gate()

    assert said.code == 1
    assert "regions-widened" in said.needed


def test_an_acknowledgement_expires(story: Callable[..., Story]) -> None:
    one = story()
    one.commit({"live/main.tf": WIDER})
    forged(one, REVIEWER, expires=in_days(-1))
    one.commit({}, who=REVIEWER)
    assert one.gate().problems == ["ack-expired"]

    forged(one, REVIEWER, expires=in_days(0))
    one.commit({}, who=REVIEWER)

    assert one.gate().code == 0


@pytest.mark.parametrize(("most", "days"), [("", 91), ("max-days = 10\n", 11)])
def test_an_acknowledgement_cannot_hold_too_long(
    story: Callable[..., Story], most: str, days: int
) -> None:
    one = story({"blastdoor.toml": POLICY + most})
    one.commit({"live/main.tf": WIDER})
    assert one.ack("--expires", in_days(days)).code == 2
    forged(one, REVIEWER, expires=in_days(days))
    one.commit({}, who=REVIEWER)

    assert one.gate().problems == ["ack-expired"]


def test_an_acknowledgement_for_nothing_is_remarked(story: Callable[..., Story]) -> None:
    one = story()
    one.commit({"live/main.tf": WIDER})
    one.acknowledged()
    one.commit({"live/main.tf": BASE})

    said = one.gate()

    assert said.code == 0
    assert [remark["rule"] for remark in said.data["remarks"]] == ["ack-unused"]


# Histories


def test_a_record_edited_by_another_is_the_others(story: Callable[..., Story]) -> None:
    one = story()
    one.commit({"live/main.tf": WIDER})
    one.acknowledged()
    ((path, text),) = one.records().items()
    one.commit({path: text.replace(in_days(30), in_days(80))}, who=AUTHOR)

    assert "ack-self-approved" in one.gate().problems


def test_a_rebase_keeps_the_word(story: Callable[..., Story]) -> None:
    one = story()
    one.commit({"live/main.tf": WIDER}, who=AGENT)
    one.acknowledged()
    one.git("checkout", "-q", "main")
    one.commit({"live/other.tf": 'resource "aws_sqs_queue" "x" {}\n'}, who=OTHER)
    one.git("checkout", "-q", "change")
    one.git("rebase", "-q", "main", who=AUTHOR)

    assert one.gate().code == 0


def test_a_squash_makes_the_word_the_authors(story: Callable[..., Story]) -> None:
    one = story()
    one.commit({"live/main.tf": WIDER}, who=AUTHOR)
    one.acknowledged()
    one.git("reset", "-q", "--soft", "main")
    one.commit({}, who=AUTHOR, message="squashed")

    problems = one.gate().problems

    assert {"ack-self-approved", "ack-unverifiable"} <= set(problems)


def test_a_forced_push_with_more_in_it_needs_another_word(story: Callable[..., Story]) -> None:
    one = story()
    one.commit({"live/main.tf": WIDER}, who=AGENT)
    one.acknowledged()
    records = one.records()
    one.git("reset", "-q", "--hard", "main")
    one.commit({"live/main.tf": WIDEST}, who=AGENT)
    one.commit(records, who=REVIEWER)

    assert "ack-stale" in one.gate().problems


def test_a_merge_of_the_base_makes_nobody_an_author(story: Callable[..., Story]) -> None:
    one = story()
    one.commit({"live/main.tf": WIDER}, who=AUTHOR)
    one.git("checkout", "-q", "main")
    one.commit({"notes.md": "text"}, who=OTHER)
    one.git("checkout", "-q", "change")
    one.git("merge", "-q", "-m", "merge main", "main", who=REVIEWER)
    one.acknowledged()

    assert one.gate().code == 0


def test_a_shallow_clone_closes_the_gate(
    story: Callable[..., Story], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = story()
    one.commit({"live/main.tf": WIDER})
    one.acknowledged()
    clone = one.root.parent / "clone"
    one.git("clone", "-q", "--depth", "1", f"file://{one.root}", str(clone), "-b", "change")
    monkeypatch.chdir(clone)

    said = one.gate(base="HEAD")

    assert said.code == 1
    assert said.problems == ["ack-unverifiable"]
    assert "git fetch --unshallow" in said.data["gated"][0]["problems"][0]["contain"]


# Broken and hostile


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fingerprint: x\n", "without"),
        ("hello\n", "line 1 is not `key: value`"),
        ("rule: a\nrule: b\n", "line 2: rule stands twice"),
        ("colour: red\n", "unknown key 'colour'"),
        ("rule: [a, b]\n", "write the value in double quotes"),
        ('rule: "a" "b"\n', "not one JSON string"),
        ("rule: &a b\n", "write the value in double quotes"),
        ("a: &a [*a,*a]\n", "unknown key 'a'"),
        ("x" * 30_000, "no file of a record's size"),
    ],
)
def test_a_broken_record_closes_the_gate(
    story: Callable[..., Story], text: str, words: str
) -> None:
    one = story()
    one.commit({".blastdoor/acks/1.yaml": text})

    said = one.gate()

    assert said.code == 2
    assert words in said.data["failures"][0]["message"]


def test_a_record_that_is_a_link_closes_the_gate(story: Callable[..., Story]) -> None:
    one = story()
    folder = one.root / ".blastdoor" / "acks"
    folder.mkdir(parents=True)
    (folder / "1.yaml").symlink_to("/etc/hostname")
    one.commit({})

    assert one.gate().code == 2


def test_nothing_of_the_repository_runs(story: Callable[..., Story]) -> None:
    one = story()
    trap = one.root.parent / "trap"
    script = one.root.parent / "run.sh"
    script.write_text(f"#!/bin/sh\ntouch {trap}\ncat\n")
    script.chmod(0o755)
    for key in (
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "diff.external",
        "gpg.program",
        "gpg.ssh.program",
        "filter.x.clean",
        "filter.x.smudge",
        "diff.x.textconv",
        "diff.x.command",
    ):
        one.git("config", key, str(script))
    one.git("config", "log.showSignature", "true")
    one.commit({"live/main.tf": WIDER})
    (one.root / ".gitattributes").write_text("* filter=x diff=x\n")
    for name in ("post-checkout", "pre-commit", "reference-transaction"):
        hook = one.root / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {trap}\n")
        hook.chmod(0o755)
    trap.unlink(missing_ok=True)

    said = one.gate()

    assert said.code == 1
    assert not trap.exists()


def test_a_commit_that_lies_about_its_author_is_not_read_as_another(
    story: Callable[..., Story],
) -> None:
    """Line ends in a name cannot make a header: git refuses them, and so does the reader."""
    one = story()
    one.commit({"live/main.tf": WIDER})
    tree = one.git("rev-parse", "HEAD^{tree}")
    parent = one.git("rev-parse", "HEAD")
    raw = (
        f"tree {tree}\nparent {parent}\nauthor X <author@example.com>\n author Y"
        f" <reviewer@example.com> 1 +0000\ncommitter X <author@example.com> 1 +0000\n\nhi\n"
    )
    done = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--literally", "--stdin"],
        cwd=one.root,
        input=raw.encode(),
        capture_output=True,
        check=True,
    )
    one.git("update-ref", "refs/heads/change", done.stdout.decode().strip())

    assert one.gate().code == 1


# What else it says


def test_text_says_what_opens_it(
    story: Callable[..., Story], capsys: pytest.CaptureFixture[str]
) -> None:
    one = story()
    one.commit({"live/main.tf": WIDER}, who=AGENT)
    capsys.readouterr()

    code = run(["gate", "main"])

    out = capsys.readouterr().out
    assert code == 1
    assert "regions: cn-north-1 and cn-northwest-1, was cn-north-1" in out
    assert "written by: Cursor: author Cursor Agent <cursoragent@cursor.com>" in out
    assert "open it: a second person" in out
    assert "gate closed: 1 of 1 gated change needs the word of a second person" in out


def test_sarif_holds_what_is_accepted_and_what_is_not(
    story: Callable[..., Story], capsys: pytest.CaptureFixture[str]
) -> None:
    one = story()
    one.commit({"live/main.tf": WIDER})

    def suppressions() -> list[tuple[str, str]]:
        capsys.readouterr()
        run(["gate", "main", "--format", "sarif"])
        (log,) = json.loads(capsys.readouterr().out)["runs"]
        return [
            (result["ruleId"], why["status"])
            for result in log["results"]
            for why in result.get("suppressions", [{"status": ""}])
        ]

    assert suppressions() == [("ack-required", ""), ("regions-widened", "underReview")]
    one.acknowledged()
    assert suppressions() == [("regions-widened", "accepted")]


def test_markdown_is_a_table_without_markup_of_the_repositorys(
    story: Callable[..., Story], capsys: pytest.CaptureFixture[str]
) -> None:
    one = story()
    one.commit({"live/main.tf": WIDER})
    capsys.readouterr()

    run(["gate", "main", "--format", "markdown"])

    out = capsys.readouterr().out
    assert out.startswith("**blastdoor gate closed: 1 of 1")
    assert "| **no** | regions | cn-north-1 | cn-north-1 and cn-northwest-1 |" in out


def test_an_agents_change_may_need_a_word_at_a_lower_level(story: Callable[..., Story]) -> None:
    text = POLICY + 'agent-level = "warning"\n'
    unprotected = {"live/main.tf": UNPROTECTED}
    one = story({"blastdoor.toml": text})
    one.commit(unprotected, who=OTHER)
    by_person = one.gate()
    one.git("reset", "-q", "--hard", "main")
    one.commit(unprotected, who=AGENT)
    by_agent = one.gate()

    assert set(by_agent.needed) >= set(by_person.needed)
    assert "deletion-protection-off" in by_agent.needed
