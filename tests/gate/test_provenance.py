"""Who wrote what a change brings: marks of AI agents in ``diff`` and ``check --diff-base``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from blastdoor.cli import run

from .conftest import AGENT, AUTHOR, BASE, OTHER, REVIEWER, UNPROTECTED, WIDER, Story

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MARK = {
    "agent": "Cursor",
    "where": "author",
    "text": "Cursor Agent <cursoragent@cursor.com>",
    "scope": "line",
}


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """What a command ends with, prints, and says beside it."""

    def say(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run([*arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return say


def widenings(said: Callable[..., tuple[int, str, str]], *arguments: str) -> dict[str, Any]:
    """Rule → the widening in JSON."""
    _code, out, _err = said("diff", *arguments, "--format", "json")
    return {one["rule"]: one for one in json.loads(out)["widenings"]}


def test_a_widening_names_the_agent_that_wrote_its_line(
    story: Callable[..., Story], said: Callable[..., tuple[int, str, str]]
) -> None:
    one = story()
    commit = one.commit({"live/main.tf": WIDER}, who=AGENT)

    found = widenings(said, "main", "HEAD")["regions-widened"]

    assert found["provenance"] == {
        "agents": ["Cursor"],
        "commits": [commit],
        "scope": "line",
        "marks": [{**MARK, "commit": commit}],
    }
    assert found["finding"]["provenance"] == found["provenance"]


def test_sarif_text_and_markdown_say_it(
    story: Callable[..., Story], said: Callable[..., tuple[int, str, str]]
) -> None:
    one = story()
    commit = one.commit({"live/main.tf": WIDER}, who=AGENT)

    log = json.loads(said("diff", "main", "HEAD", "--format", "sarif")[1])
    text = said("diff", "main", "HEAD")[1]
    comment = said("diff", "main", "HEAD", "--format", "markdown")[1]

    (result,) = log["runs"][0]["results"]
    assert result["properties"]["provenance"]["marks"] == [{**MARK, "commit": commit}]
    words = "Cursor: author Cursor Agent <cursoragent@cursor.com>, commit"
    assert f"= written by: {words} {commit[:12]}" in text
    assert "1 widening in what an AI agent wrote:" in comment
    assert f"commit {commit[:12]} (1 widening)" in comment


@pytest.mark.parametrize(
    ("who", "committer", "message", "agent", "where"),
    [
        (AUTHOR, AGENT, "m", "Cursor", "committer"),
        (AUTHOR, AUTHOR, "m\n\nCo-authored-by: Claude <noreply@anthropic.com>", None, "co-author"),
        (AUTHOR, AUTHOR, "m\n\nMade-with: Cursor", "Cursor", "trailer"),
    ],
)
def test_committers_co_authors_and_trailers_count(  # noqa: PLR0917  a row of the table
    story: Callable[..., Story],
    said: Callable[..., tuple[int, str, str]],
    who: tuple[str, str],
    committer: tuple[str, str],
    message: str,
    agent: str | None,
    where: str,
) -> None:
    one = story()
    one.commit({"live/main.tf": WIDER}, who=who, committer=committer, message=message)

    (mark,) = widenings(said, "main", "HEAD")["regions-widened"]["provenance"]["marks"]

    assert mark["where"] == where
    assert mark["agent"] == (agent or "Claude Code")


def test_a_line_of_a_person_beside_an_agents_is_the_persons(
    story: Callable[..., Story], said: Callable[..., tuple[int, str, str]]
) -> None:
    one = story()
    one.commit({"live/main.tf": WIDER}, who=AUTHOR)
    one.commit({"live/main.tf": "# Orders\n" + WIDER}, who=AGENT)

    assert widenings(said, "main", "HEAD")["regions-widened"]["provenance"] is None
    assert said("diff", "main", "HEAD", "--only-agent-changes")[0] == 0


def test_a_line_that_a_person_wrote_again_is_the_persons(
    story: Callable[..., Story], said: Callable[..., tuple[int, str, str]]
) -> None:
    one = story()
    one.commit({"live/main.tf": WIDER}, who=AGENT)
    one.commit({"live/main.tf": BASE}, who=AUTHOR)
    one.commit({"live/main.tf": WIDER}, who=AUTHOR)

    assert widenings(said, "main", "HEAD")["regions-widened"]["provenance"] is None


def test_a_line_is_followed_through_a_renamed_file_and_a_merge(
    story: Callable[..., Story], said: Callable[..., tuple[int, str, str]]
) -> None:
    one = story()
    commit = one.commit({"live/main.tf": WIDER}, who=AGENT)
    one.git("mv", "live/main.tf", "live/orders.tf")
    one.commit({}, who=AUTHOR)
    one.git("checkout", "-q", "main")
    one.commit({"notes.md": "text"}, who=OTHER)
    one.git("checkout", "-q", "change")
    one.git("merge", "-q", "--no-edit", "main", who=OTHER)

    found = widenings(said, "main", "HEAD")["regions-widened"]

    assert found["file"] == "live/orders.tf"
    assert found["provenance"]["commits"] == [commit]
    assert found["provenance"]["scope"] == "line"


def test_a_line_that_an_agent_took_away_is_its(
    story: Callable[..., Story], said: Callable[..., tuple[int, str, str]]
) -> None:
    kept = BASE[: BASE.index('resource "aws_db_instance"')]
    one = story()
    one.commit({"live/main.tf": "# Orders\n" + BASE}, who=AUTHOR)
    commit = one.commit({"live/main.tf": "# Orders\n" + kept}, who=AGENT)

    found = widenings(said, "main", "HEAD")["stateful-replacement"]

    assert found["provenance"]["commits"] == [commit]
    assert found["provenance"]["scope"] == "line"


def test_only_agent_changes_leaves_out_what_people_wrote(
    story: Callable[..., Story], said: Callable[..., tuple[int, str, str]]
) -> None:
    both = WIDER.replace("deletion_protection = true", "deletion_protection = false")
    one = story()
    one.commit({"live/main.tf": WIDER}, who=AUTHOR)
    one.commit({"live/main.tf": both}, who=AGENT)

    every = widenings(said, "main", "HEAD")
    agents = widenings(said, "main", "HEAD", "--only-agent-changes")

    assert set(every) == {"regions-widened", "deletion-protection-off"}
    assert set(agents) == {"deletion-protection-off"}


def test_check_reports_what_an_agent_brought(
    story: Callable[..., Story], said: Callable[..., tuple[int, str, str]]
) -> None:
    by_person = UNPROTECTED + 'resource "aws_db_instance" "other" {\n  identifier = "o"\n}\n'
    one = story()
    one.commit({"live/main.tf": UNPROTECTED}, who=AGENT)
    one.commit({"live/main.tf": by_person}, who=AUTHOR)

    def found(*arguments: str) -> list[dict[str, Any]]:
        out = said("check", "--diff-base", "main", "--format", "json", *arguments)[1]
        listed: list[dict[str, Any]] = json.loads(out)["findings"]
        return listed

    agents = found("--only-agent-changes")
    assert len(found()) >= len(agents)
    assert {one["rule"] for one in agents} == {"deletion-protection-off"}
    assert all(one["provenance"]["agents"] == ["Cursor"] for one in agents)


def test_what_is_not_committed_has_no_writer(
    story: Callable[..., Story], said: Callable[..., tuple[int, str, str]]
) -> None:
    one = story()
    one.commit({"live/main.tf": BASE + "# Orders\n"}, who=AGENT)
    (one.root / "live/main.tf").write_text(WIDER + "# Orders\n", encoding="utf-8")

    assert widenings(said, "main")["regions-widened"]["provenance"] is None
    one.git("add", "-A")
    assert widenings(said, "main", "--staged")["regions-widened"]["provenance"] is None


def test_paths_below_a_folder_with_a_configuration_of_its_own(
    story: Callable[..., Story],
    said: Callable[..., tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = story({"live/blastdoor.toml": ""})
    commit = one.commit({"live/main.tf": WIDER}, who=AGENT)
    monkeypatch.chdir(one.root / "live")

    found = widenings(said, "main", "HEAD")["regions-widened"]

    assert found["file"] == "live/main.tf"
    assert found["provenance"]["commits"] == [commit]


def test_a_squash_with_the_agent_as_co_author_is_marked(
    story: Callable[..., Story], said: Callable[..., tuple[int, str, str]]
) -> None:
    one = story()
    message = "Squashed\n\n* a\n\nCo-authored-by: Cursor Agent <cursoragent@cursor.com>\n\n* b"
    one.commit({"live/main.tf": WIDER}, who=REVIEWER, message=message)

    assert widenings(said, "main", "HEAD")["regions-widened"]["provenance"]["agents"] == ["Cursor"]


def test_directories_and_plans_have_no_commits(
    tmp_path: Path, said: Callable[..., tuple[int, str, str]]
) -> None:
    for name, text in (("before", BASE), ("after", WIDER)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.tf").write_text(text, encoding="utf-8")

    code, out, err = said(
        "diff", str(tmp_path / "before"), str(tmp_path / "after"), "--only-agent-changes"
    )

    assert (code, out) == (2, "")
    assert "--only-agent-changes needs a git revision to compare with" in err


def test_check_needs_a_base_for_it(
    story: Callable[..., Story], said: Callable[..., tuple[int, str, str]]
) -> None:
    story()

    code, _out, err = said("check", "--only-agent-changes")

    assert code == 2
    assert "--only-agent-changes needs --diff-base REV" in err


def test_a_shallow_clone_does_not_say_who_wrote_what(
    story: Callable[..., Story],
    said: Callable[..., tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = story()
    one.commit({"live/main.tf": BASE + "# Orders\n"}, who=AUTHOR)
    one.commit({"live/main.tf": WIDER}, who=AGENT)
    clone = one.root.parent / "clone"
    one.git("clone", "-q", "--depth=2", f"file://{one.root}", str(clone))
    monkeypatch.chdir(clone)

    code, _out, err = said("diff", "HEAD^", "HEAD")
    only, _nothing, why = said("diff", "HEAD^", "HEAD", "--only-agent-changes")

    assert code == 1
    assert "who wrote the change is not known: the clone is shallow" in err
    assert only == 2
    assert "git fetch --unshallow" in why
