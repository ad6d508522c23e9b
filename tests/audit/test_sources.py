"""What a caller may name: folders, clones, mirrors, lists, organisations."""

from __future__ import annotations

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.audit.conftest import EVERY, QUEUE, commit, git, write

from blastdoor.audit import forge, remote
from blastdoor.audit.forge import Forge, ForgeError
from blastdoor.audit.setup import GIT, REMOTE, TREE
from blastdoor.audit.sources import SourceError, Wishes, resolve
from blastdoor.source.revision import GitError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.audit.conftest import Audits, Make

NONE = Wishes()


def _names(sources: object) -> list[tuple[str, str]]:
    return [(t.name, t.kind) for t in sources.targets]  # type: ignore[attr-defined]  # for brevity


def test_folders_clones_and_directories_of_clones(make: Make, clones: Path, tmp_path: Path) -> None:
    make("acme/net", {"main.tf": QUEUE})
    make("acme/shop", {"main.tf": QUEUE})
    git(clones, "init", "-q", "--bare", "mirror.git")
    write(clones, {"notes/readme.md": "x"})
    write(tmp_path / "plain", {"main.tf": QUEUE})
    found = resolve([str(clones), str(tmp_path / "plain"), str(clones / "acme/net")], [], NONE)

    assert _names(found) == [
        ("acme/net", GIT),
        ("acme/shop", GIT),
        ("mirror", GIT),
        ("plain", TREE),
    ]
    assert found.left_out == {"folder without a repository": 1}


def test_the_same_name_twice_becomes_two(make: Make, clones: Path) -> None:
    make("a/net", {"main.tf": QUEUE})
    make("b/net", {"main.tf": EVERY})
    found = resolve([str(clones / "a/net"), str(clones / "b/net")], [], NONE)
    names = [target.name for target in found.targets]

    assert len(set(names)) == 2
    assert all(name.endswith("/net") for name in names)


def test_lists_are_lines_or_csv(make: Make, clones: Path, tmp_path: Path) -> None:
    make("net", {"main.tf": QUEUE})
    write(
        tmp_path,
        {
            "lines.txt": "# ours\nclones/net\n\nhttps://forge.example/acme/shop.git\n",
            "table.csv": (
                "repository,revision,name,owner\n"
                "clones/net,v1,network,@acme/net\n"
                "git@forge.example:acme/shop.git,,,\n"
            ),
        },
    )
    lines = resolve([], [str(tmp_path / "lines.txt")], NONE)
    table = resolve([], [str(tmp_path / "table.csv")], NONE)

    assert _names(lines) == [("acme/shop", REMOTE), ("net", GIT)]
    assert [(t.name, t.revision, t.owner) for t in table.targets] == [
        ("acme/shop", "", ""),
        ("network", "v1", "@acme/net"),
    ]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("absent", "does not exist"),
        ("https://user:secret@forge.example/a/b", "credential helper"),
        ("https://token@forge.example/a/b", "credential helper"),
    ],
)
def test_what_cannot_be_audited_is_said(given: str, words: str) -> None:
    with pytest.raises(SourceError, match=words) as error:
        resolve([given], [], NONE)
    assert "secret" not in str(error.value)


def test_programs_are_no_transport(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    assert not remote.is_url(f"ext::touch {mark}")
    with pytest.raises(GitError):
        remote.head_of(f"ext::touch {mark}", "")
    with pytest.raises(GitError):
        remote.head_of("https://forge.example/a", "--upload-pack=touch")
    assert not mark.exists()


# Remote


@pytest.fixture
def served(make: Make) -> Path:
    """A repository that hands out what a partial clone asks for."""
    where = make(
        "served",
        {"main.tf": 'locals {\n  text = file("notes.txt")\n}\n' + EVERY, "notes.txt": "here"},
    )
    (where / "big.bin").write_bytes(os.urandom(300_000))
    commit(where, {"doc/readme.md": "x" * 1000})
    git(where, "config", "uploadpack.allowFilter", "true")
    git(where, "config", "uploadpack.allowAnySHA1InWant", "true")
    return where


def test_only_infrastructure_comes_over_the_wire(served: Path, tmp_path: Path) -> None:
    url = served.as_uri()
    clone = remote.Clone(url, remote.head_of(url, ""), tmp_path / "c.git")
    tree = clone.git.tree(git(served, "rev-parse", "HEAD"))
    there = {}
    for path, blob in tree.items():
        try:
            there[path] = clone.git.blob(blob.oid, 1_000_000) is not None
        except GitError:
            there[path] = False
        finally:
            clone.git.close()

    assert there == {
        "big.bin": False,
        "doc/readme.md": False,
        "main.tf": True,
        "notes.txt": False,
    }
    assert clone.fetch_paths(["notes.txt"])
    assert clone.git.blob(tree["notes.txt"].oid, 100) == b"here"
    assert not clone.fetch_paths(["notes.txt"])
    clone.git.close()


def test_a_url_is_audited_like_a_clone(audits: Audits, served: Path) -> None:
    assert audits(served) == 0
    assert audits(served.as_uri()) == 0
    both = [
        audits.rows(
            "SELECT fingerprint, path, line, message FROM findings WHERE audit = ? ORDER BY rank",
            number,
        )
        for number in (1, 2)
    ]

    assert both[0] == both[1] != []
    assert audits.ask("failures") == []
    audits(served.as_uri())
    assert audits.rows("SELECT reused FROM ledger WHERE audit = 3") == [(1,)]


def test_a_remote_that_is_not_there_is_a_failure(audits: Audits, tmp_path: Path) -> None:
    assert audits((tmp_path / "gone.git").as_uri()) == 2
    (row,) = audits.ask("failures", "--audit", 1)
    assert (row["part"], row["kind"]) == ("repository", "unreadable")


# Forges


class Fake(ThreadingHTTPServer):
    """A forge: rows by path, pages of two, a limit of its rate when told so."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.rows: dict[str, list[dict[str, object]]] = {}
        self.seen: list[tuple[str, str | None]] = []
        self.refusals: list[tuple[int, dict[str, str]]] = []
        self.elsewhere = False

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answer(BaseHTTPRequestHandler):
    server: Fake

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        token = self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN")
        self.server.seen.append((self.path, token))
        if self.server.refusals:
            code, headers = self.server.refusals.pop(0)
            self._send(code, b"{}", headers)
            return
        rows = self.server.rows.get(parts.path)
        if rows is None:
            self._send(404, b'{"message": "Not Found"}', {})
            return
        page = int(parse_qs(parts.query).get("page", ["1"])[0])
        headers = {}
        if page * 2 < len(rows):
            base = "http://127.0.0.2:1" if self.server.elsewhere else self.server.url
            headers["Link"] = (
                f'<{base}{parts.path}?page=1>; rel="first", '
                f'<{base}{parts.path}?per_page=100&page={page + 1}>; rel="next"'
            )
        self._send(200, json.dumps(rows[page * 2 - 2 : page * 2]).encode(), headers)

    def _send(self, code: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Nothing is written."""


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def _github(name: str, **more: object) -> dict[str, object]:
    return {
        "id": 1,
        "full_name": name,
        "clone_url": f"https://forge.example/{name}.git",
        "ssh_url": f"git@forge.example:{name}.git",
        "owner": {"login": name.partition("/")[0]},
        "archived": False,
        "disabled": False,
        "fork": False,
        "default_branch": "main",
        "pushed_at": "2026-11-01T00:00:00Z",
        **more,
    }


def _gitlab(name: str, **more: object) -> dict[str, object]:
    return {
        "id": 1,
        "path_with_namespace": name,
        "http_url_to_repo": f"https://forge.example/{name}.git",
        "ssh_url_to_repo": f"git@forge.example:{name}.git",
        "namespace": {"full_path": name.rpartition("/")[0]},
        "archived": False,
        "empty_repo": False,
        **more,
    }


def test_github_lists_an_organisation(fake: Fake) -> None:
    fake.rows["/orgs/acme/repos"] = [
        _github("acme/shop"),
        _github("acme/old", archived=True),
        _github("acme/net"),
        _github("acme/copy", fork=True),
        _github("acme/new", pushed_at=None),
    ]
    listing = Forge("github", fake.url, token="word").repositories("acme")

    assert [(t.name, t.place, t.owner) for t in listing.targets] == [
        ("acme/net", "https://forge.example/acme/net.git", "acme"),
        ("acme/shop", "https://forge.example/acme/shop.git", "acme"),
    ]
    assert listing.left_out == {"archived": 1, "fork": 1, "empty": 1}
    assert [token for _path, token in fake.seen] == ["Bearer word"] * 3
    more = Forge("github", fake.url, token="").repositories(
        "acme", archived=True, forks=True, ssh=True
    )
    assert len(more.targets) == 4
    assert more.targets[0].place == "git@forge.example:acme/copy.git"


def test_github_lists_a_user(fake: Fake) -> None:
    fake.rows["/users/someone/repos"] = [_github("someone/lab")]
    listing = Forge("github", fake.url, token="").repositories("someone")

    assert [target.name for target in listing.targets] == ["someone/lab"]


def test_gitlab_lists_a_group_with_its_subgroups(fake: Fake) -> None:
    fake.rows["/api/v4/groups/acme%2Fplatform/projects"] = [
        _gitlab("acme/platform/net"),
        _gitlab("acme/platform/deep/shop"),
        _gitlab("acme/platform/none", empty_repo=True),
    ]
    listing = Forge("gitlab", f"{fake.url}/api/v4", token="word").repositories("acme/platform")

    assert [target.name for target in listing.targets] == [
        "acme/platform/deep/shop",
        "acme/platform/net",
    ]
    assert listing.left_out == {"empty": 1}
    assert "include_subgroups=true" in fake.seen[0][0]
    assert fake.seen[0][1] == "word"


def test_a_rate_limit_is_waited_for_while_that_is_short(fake: Fake) -> None:
    fake.rows["/orgs/acme/repos"] = [_github("acme/net")]
    fake.refusals = [(429, {"Retry-After": "7"}), (502, {})]
    waited: list[float] = []
    listing = Forge("github", fake.url, token="", sleep=waited.append).repositories("acme")

    assert len(listing.targets) == 1
    assert waited == [7.0, 2.0]
    fake.refusals = [(403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"})]
    with pytest.raises(ForgeError, match="rate limit"):
        Forge("github", fake.url, token="", sleep=waited.append).repositories("acme")
    assert len(waited) == 2


def test_the_token_stays_with_its_host(fake: Fake) -> None:
    fake.rows["/orgs/acme/repos"] = [_github(f"acme/r{at}") for at in range(5)]
    fake.elsewhere = True
    with pytest.raises(ForgeError, match="another host"):
        Forge("github", fake.url, token="word").repositories("acme")
    fake.refusals = [(302, {"Location": "http://127.0.0.2:1/orgs/acme/repos"})]
    with pytest.raises(ForgeError, match="302"):
        Forge("github", fake.url, token="word").repositories("acme")


@pytest.mark.parametrize(
    ("rows", "words"),
    [([{"id": 1}], "without a name"), (None, "knows no organisation")],
)
def test_a_forge_that_says_nothing_useful(
    fake: Fake, rows: list[dict[str, object]] | None, words: str
) -> None:
    if rows is not None:
        fake.rows["/orgs/acme/repos"] = rows
    with pytest.raises(ForgeError, match=words):
        Forge("github", fake.url, token="").repositories("acme")


def test_a_token_comes_from_git_s_helpers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "credentials"
    store.write_text("https://user:word@github.example\n")
    config = tmp_path / "config"
    config.write_text(f"[credential]\n\thelper = store --file {store}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")

    assert forge.credential("https://api.github.example") == "word"
    assert forge.credential("https://api.other.example") == ""


def test_an_organisation_is_audited(audits: Audits, fake: Fake, served: Path) -> None:
    fake.rows["/orgs/acme/repos"] = [
        _github("acme/served", clone_url=served.as_uri()),
        _github("acme/gone", clone_url=(served / "gone").as_uri()),
    ]
    assert audits("github:acme", "--forge-url", fake.url) == 2

    states = {row["repository"]: row["state"] for row in audits.ask("repositories")}
    assert states == {"acme/served": "done", "acme/gone": "failed"}
