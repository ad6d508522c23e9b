"""Revisions read from git's objects, and the command that compares them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from blastdoor.cli import run
from blastdoor.source.revision import Change, Git, GitError, Revision, blob_id

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not on the path")

ENVIRONMENT = {
    **{name: text for name, text in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "author",
    "GIT_AUTHOR_EMAIL": "author@example.com",
    "GIT_COMMITTER_NAME": "author",
    "GIT_COMMITTER_EMAIL": "author@example.com",
}
BASE = 'provider "aws" {\n  region = "cn-north-1"\n}\nresource "aws_sqs_queue" "a" {}\n'
HEAD = BASE.replace("cn-north-1", "us-east-1")


def git(where: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=where, env=ENVIRONMENT, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def commit(where: Path, files: dict[str, str | bytes | None]) -> str:
    """The id of a commit with these files; ``None`` takes one away."""
    for name, text in files.items():
        path = where / name
        if text is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    git(where, "add", "-A")
    git(where, "commit", "-q", "-m", "a change")
    return git(where, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    where = tmp_path / "repository"
    where.mkdir()
    git(where, "init", "-q", "-b", "main")
    commit(where, {"live/main.tf": BASE, "notes.md": "x" * 100})
    return where


def test_a_revision_is_a_source(repository: Path) -> None:
    first = git(repository, "rev-parse", "HEAD")
    commit(repository, {"live/main.tf": HEAD, "live/b.tf": "\ufeff# b\n"})
    with Git(repository) as opened:
        old, new = Revision(opened, first), Revision(opened, opened.commit("main"), "live")

        assert [entry.path for entry in old.files()] == ["live/main.tf"]
        assert old.read("live/main.tf") == BASE
        assert old.read("live/b.tf") is None
        assert old.names("live") == ["main.tf"]
        assert [entry.path for entry in new.files()] == ["b.tf", "main.tf"]
        assert new.read("main.tf") == HEAD
        assert new.read("b.tf") == "\ufeff# b\n"
        assert new.read("../notes.md") is None
        assert new.tracked("b.tf")
        assert old.failures == new.failures == []


def test_what_differs_between_two_commits(repository: Path) -> None:
    first = git(repository, "rev-parse", "HEAD")
    last = commit(
        repository, {"live/main.tf": HEAD, "notes.md": None, "docs/notes.md": "x" * 100, "c": "c"}
    )
    with Git(repository) as opened:
        assert sorted(opened.changes(first, last), key=str) == sorted(
            [
                Change("M", "live/main.tf", "live/main.tf"),
                Change("R", "notes.md", "docs/notes.md"),
                Change("A", None, "c"),
            ],
            key=str,
        )
        assert opened.changes(first, first) == []


@pytest.mark.parametrize("name", ["nowhere", "-v", "", "HEAD:live", "main^{tree}"])
def test_what_is_no_commit(repository: Path, name: str) -> None:
    with Git(repository) as opened, pytest.raises(GitError):
        opened.commit(name)


def test_files_that_cannot_be_read_are_failures(repository: Path) -> None:
    link = repository / "live" / "link.tf"
    link.symlink_to("../../outside.tf")
    last = commit(
        repository,
        {"live/latin.tf": b"# \xe9\n", "live/large.tf": b"#" * 1_000_001, "live/ok.tf": "# ok\n"},
    )
    with Git(repository) as opened:
        source = Revision(opened, last)
        paths = [entry.path for entry in source.files()]
        texts = {path: source.read(path) for path in paths}

        assert texts["live/ok.tf"] == "# ok\n"
        assert texts["live/latin.tf"] is texts["live/large.tf"] is None
        assert {(f.path, f.kind.value) for f in source.failures} == {
            ("live/link.tf", "unreadable"),
            ("live/latin.tf", "unreadable"),
            ("live/large.tf", "limit"),
        }


def test_symbolic_links_are_followed_within_the_root(repository: Path) -> None:
    (repository / "live" / "link.tf").symlink_to("main.tf")
    (repository / "stage").symlink_to("live")
    (repository / "loop.tf").symlink_to("loop.tf")
    last = commit(repository, {"live/ok.tf": "# ok\n"})
    with Git(repository) as opened:
        source = Revision(opened, last)
        entries = {entry.path: entry.reported for entry in source.files()}

        assert entries == {"live/link.tf": False, "live/main.tf": True, "live/ok.tf": True}
        assert source.read("live/link.tf") == source.read("stage/main.tf") == BASE
        assert source.read("stage/none.tf") is source.read("loop.tf") is None
        assert [(f.path, f.kind.value) for f in source.failures] == [("loop.tf", "unreadable")]


def test_a_bare_repository_and_one_that_is_none(repository: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    git(tmp_path, "clone", "-q", "--bare", str(repository), str(bare))
    with Git(bare) as opened:
        assert Revision(opened, opened.commit("main")).read("live/main.tf") == BASE
    with pytest.raises(GitError, match="no git repository"):
        Git(tmp_path)


def test_a_shallow_clone_says_what_to_do(repository: Path, tmp_path: Path) -> None:
    commit(repository, {"live/main.tf": HEAD})
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth", "1", repository.as_uri(), str(shallow))
    with Git(shallow) as opened, pytest.raises(GitError, match="git fetch --unshallow"):
        opened.commit("HEAD~1")


def test_nothing_that_the_repository_names_is_run(repository: Path, tmp_path: Path) -> None:
    """Configuration and attributes of a repository can name programs; none of them starts."""
    first = git(repository, "rev-parse", "HEAD")
    ran = tmp_path / "ran"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {ran}\ncat\n", encoding="utf-8")
    script.chmod(0o755)
    last = commit(repository, {"live/main.tf": HEAD, ".gitattributes": "* filter=x diff=x\n"})
    for key in (
        "core.fsmonitor",
        "filter.x.clean",
        "filter.x.smudge",
        "diff.x.textconv",
        "diff.external",
        "core.pager",
        "core.sshCommand",
        "core.askPass",
    ):
        git(repository, "config", key, str(script))
    with Git(repository) as opened:
        assert Revision(opened, last).read("live/main.tf") == HEAD
        assert len(opened.changes(first, last)) == 2
    assert not ran.exists()


def test_the_id_of_a_content_is_gits(repository: Path) -> None:
    assert git(repository, "rev-parse", "HEAD:notes.md") == blob_id(b"x" * 100)


def test_what_is_staged_is_a_source(repository: Path) -> None:
    (repository / "live" / "main.tf").write_text(HEAD, encoding="utf-8")
    (repository / "live" / "new.tf").write_text("# new\n", encoding="utf-8")
    git(repository, "add", "-A")
    (repository / "live" / "main.tf").write_text("# not staged\n", encoding="utf-8")
    for version in ("2", "3", "4"):
        git(repository, "update-index", "--index-version", version)
        with Git(repository) as opened:
            source = Revision(opened, "")
            assert source.read("live/main.tf") == HEAD
            assert source.read("live/new.tf") == "# new\n"
            assert [entry.path for entry in source.files()] == ["live/main.tf", "live/new.tf"]


def test_an_index_that_cannot_be_read(repository: Path) -> None:
    index = repository / ".git" / "index"
    data = index.read_bytes()
    for broken in (b"DIRC", data[:-1], b"\0" * 64):
        index.write_bytes(broken)
        with (
            Git(repository) as opened,
            pytest.raises(GitError, match="the index of this repository"),
        ):
            Revision(opened, "")
    index.unlink()
    with Git(repository) as opened:
        assert list(Revision(opened, "").files()) == []


def test_the_history_of_some_files(repository: Path) -> None:
    first = git(repository, "rev-parse", "HEAD")
    second = commit(repository, {"live/main.tf": HEAD})
    commit(repository, {"notes.md": "y"})
    last = commit(repository, {"live/main.tf": BASE})
    with Git(repository) as opened:
        assert opened.changed_in(last, []) == []
        assert opened.changed_in(last, [":(glob)*"]) == []
        texts = [
            Revision(opened, one).read("live/main.tf")
            for one in opened.changed_in(last, ["live/main.tf"])
        ]
        assert texts == [HEAD, BASE]
        assert opened.changed_in(last, ["live/main.tf"])[-1] == first
        assert second


# The command


@pytest.fixture
def here(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(repository)
    return repository


def test_the_working_tree_against_a_revision(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["diff", "HEAD"]) == 0
    assert "nothing reaches further than before" in capsys.readouterr().out

    (here / "live" / "main.tf").write_text(HEAD, encoding="utf-8")
    assert run(["diff", "HEAD", "--color", "never"]) == 1
    out = capsys.readouterr().out
    assert "error[regions-widened]: regions: us-east-1, was cn-north-1" in out
    assert "--> live/main.tf:2:12" in out
    assert "reach of the working tree, was HEAD" in out


def test_json_says_every_axis(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commit(here, {"live/main.tf": HEAD})
    assert run(["diff", "HEAD~1", "HEAD", "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)

    assert document["schema"] == "blastdoor/change/v1"
    assert document["units"] == ["live"]
    assert [(w["axis"], w["before"], w["after"]) for w in document["widenings"]] == [
        ("partitions", "aws-cn", "aws"),
        ("regions", "cn-north-1", "us-east-1"),
    ]
    assert {w["file"] for w in document["widenings"]} == {"live/main.tf"}
    assert document["widenings"][0]["finding"]["fingerprint"]


def test_sarif_and_markdown(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commit(here, {"live/main.tf": HEAD})
    assert run(["diff", "HEAD~1", "--output", "sarif=out.sarif", "--format", "markdown"]) == 1
    results = json.loads((here / "out.sarif").read_text(encoding="utf-8"))["runs"][0]["results"]

    assert {result["baselineState"] for result in results} == {"new"}
    assert "| error | regions | cn-north-1 | us-east-1 |" in capsys.readouterr().out


def test_three_dots_leave_out_what_base_has_done_since(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    git(here, "checkout", "-q", "-b", "feature")
    commit(here, {"other/main.tf": 'resource "aws_sqs_queue" "b" {}\n'})
    git(here, "checkout", "-q", "main")
    commit(here, {"live/main.tf": HEAD})
    git(here, "checkout", "-q", "feature")

    assert run(["diff", "main..."]) == 0
    assert run(["diff", "main", "HEAD"]) == 1
    capsys.readouterr()


def test_two_directories(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in (("old", BASE), ("new", HEAD)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.tf").write_text(text, encoding="utf-8")
    assert run(["diff", str(tmp_path / "old"), str(tmp_path / "new")]) == 1
    assert "us-east-1, was cn-north-1" in capsys.readouterr().out
    assert run(["diff", str(tmp_path / "old"), str(tmp_path / "old")]) == 0


def test_a_part_of_a_repository_has_its_own_root(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(here, {"live/blastdoor.toml": "", "live/main.tf": BASE, "other/main.tf": BASE})
    (here / "live" / "main.tf").write_text(HEAD, encoding="utf-8")
    (here / "other" / "main.tf").write_text(HEAD, encoding="utf-8")
    monkeypatch.chdir(here / "live")
    assert run(["diff", "HEAD", "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert {w["file"] for w in document["widenings"]} == {"live/main.tf"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "names no commit"),
        (["HEAD", "nowhere"], "names no commit"),
        (["live"], "is a directory"),
        (["HEAD", "--output", "html=x"], "--output html=x"),
    ],
)
def test_what_cannot_be_compared(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert here.is_dir()
    assert run(["diff", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_broken_side_is_a_failure(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commit(here, {"live/main.tf": BASE + 'resource "x" {{\n'})
    assert run(["diff", "HEAD~1", "HEAD"]) == 2
    assert "failure[syntax]" in capsys.readouterr().out
    commit(here, {"live/main.tf": BASE})
    assert run(["diff", "HEAD~1", "HEAD"]) == 2
    assert "in base: " in capsys.readouterr().out
