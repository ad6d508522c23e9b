"""Repositories on a forge, by git's own transports: a shallow clone without blobs, then what is needed.

First the trees of one commit come (``--depth 1 --filter=blob:none``), then, in one request, the blobs of
files that an analysis may read, told by their names; what an analysis missed after all comes in a
further round. No work tree is made and nothing of the repository runs. Credentials are asked for by git
from its own helpers and agents, never from a terminal, and never stand in a URL.
"""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from blastdoor.owners import CODEOWNERS
from blastdoor.source.content import told_by_content
from blastdoor.source.kinds import kind_of
from blastdoor.source.revision import Git, GitError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_OPTIONS: Final = (
    *("--no-pager", "-c", "protocol.allow=never"),
    *("-c", "protocol.https.allow=always", "-c", "protocol.http.allow=always"),
    *("-c", "protocol.ssh.allow=always", "-c", "protocol.git.allow=always"),
    *("-c", "protocol.file.allow=always"),
    *("-c", f"core.hooksPath={os.devnull}", "-c", "core.fsmonitor=false"),
    *("-c", "fetch.recurseSubmodules=false", "-c", "gc.auto=0", "-c", "maintenance.auto=false"),
    *("-c", "fetch.fsckObjects=true", "-c", "fetch.negotiationAlgorithm=noop"),
    *("-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=60"),
)
_ENVIRONMENT: Final = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "SSH_ASKPASS": "true",
    "SSH_ASKPASS_REQUIRE": "never",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "LC_ALL": "C",
}
_TIMEOUT: Final = 600
"""Seconds after which a transport is given up."""
_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SSH: Final = re.compile(r"(?:[\w.-]+@)?[\w.-]+:(?!//)\S+")
_READ_TOO: Final = (
    *(".tpl", ".tftpl", ".tmpl", ".template", ".cfn", ".j2", ".policy", ".hcl"),
    *(".gitattributes", "Pipfile"),
)
"""Endings of further files that infrastructure code reads."""
_NAMED: Final = frozenset({*CODEOWNERS, "blastdoor.toml", "pyproject.toml"})
_MAX_BLOBS: Final = 200_000
"""Most blobs that are asked for."""


def is_url(text: str) -> bool:
    """Whether a source is a repository somewhere else: a URL, or ``host:path`` of ssh."""
    if "://" in text:
        return text.partition("://")[0] in ("https", "http", "ssh", "git", "file")
    return not os.path.lexists(text) and _SSH.fullmatch(text) is not None


def has_password(url: str) -> bool:
    """Whether a URL carries a password or token of its own."""
    if "://" not in url:
        return False
    parts = urlsplit(url)
    return parts.password is not None or (
        parts.username is not None and parts.scheme in ("https", "http")
    )


def head_of(url: str, revision: str) -> str:
    """The commit that a revision of a remote names. Raises GitError. Effect: asks the remote."""
    if _COMMIT.fullmatch(revision):
        return revision
    if revision.startswith("-"):
        message = f"{revision!r} names no revision"
        raise GitError(message)
    names = [revision or "HEAD"]
    if revision:
        names = [f"refs/tags/{revision}^{{}}", f"refs/heads/{revision}", f"refs/tags/{revision}"]
    out = _run("ls-remote", "--", url, *names).decode("utf-8", "replace")
    found = {ref: oid for oid, _tab, ref in (row.partition("\t") for row in out.splitlines())}
    for name in names:
        if name in found:
            return found[name]
    message = "the repository is empty" if not revision else f"{revision} names nothing there"
    raise GitError(message)


class Clone:
    """A bare, shallow, partial clone of one commit. Effect: asks the remote, writes to ``folder``."""

    def __init__(self, url: str, commit: str, folder: Path) -> None:
        self._url = url
        self._folder = folder
        self._commit = commit
        _run("init", "--quiet", "--bare", "--template=", str(folder))
        self._fetch("--depth=1", "--filter=blob:none", "--no-tags", wanted=commit)
        # Only what is there counts from here on: `Git` never fetches.
        self.git = Git(folder)
        self._fetched: set[str] = set()
        self.fetch_paths(path for path in self.git.tree(commit) if is_wanted(path))

    def fetch_paths(self, paths: Iterable[str]) -> bool:
        """Whether there was something to get. Effect: gets the blobs of files of the commit."""
        tree = self.git.tree(self._commit)
        missing = {tree[path].oid for path in paths if path in tree} - self._fetched
        if not missing:
            return False
        if len(missing) > _MAX_BLOBS:
            message = f"holds more than {_MAX_BLOBS:,} files of infrastructure code"
            raise GitError(message)
        self._fetched |= missing
        self._fetch(
            *("--filter=blob:none", "--no-tags", "--stdin"),
            feed="".join(f"{oid}\n" for oid in sorted(missing)),
        )
        self.git.close()
        return True

    def _fetch(self, *options: str, wanted: str = "", feed: str = "") -> None:
        _run(
            *(f"--git-dir={self._folder}", "fetch", "--quiet", "--no-write-fetch-head"),
            *("--no-auto-gc", "--recurse-submodules=no", *options, "--", self._url),
            *([wanted] if wanted else []),
            feed=feed,
        )


def is_wanted(path: str) -> bool:
    """Whether an analysis may read a file with this name."""
    return (
        kind_of(path) is not None
        or told_by_content(path)
        or path in _NAMED
        or path.endswith(_READ_TOO)
    )


def _run(*arguments: str, feed: str = "") -> bytes:
    """What a git command prints. Raises GitError. Effect: runs it with the user's configuration."""
    own = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith("GIT_") or name in ("GIT_SSH", "GIT_SSH_COMMAND")
    }
    try:
        done = subprocess.run(
            ["git", *_OPTIONS, *arguments],
            input=feed.encode(),
            capture_output=True,
            env={**_ENVIRONMENT, **own, "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true"},
            timeout=_TIMEOUT,
            check=False,
        )
    except FileNotFoundError as error:
        raise GitError("git is needed to clone, and it is not installed") from error
    except subprocess.TimeoutExpired as error:
        message = f"git took longer than {_TIMEOUT} s"
        raise GitError(message) from error
    if done.returncode:
        raise GitError(_said(done.stderr))
    return done.stdout


def _said(error: bytes) -> str:
    """The line of git's complaint that says most."""
    lines = error.decode("utf-8", "replace").strip().splitlines()
    fatal = [line for line in lines if line.startswith(("fatal:", "ERROR:", "remote: "))]
    found = (fatal or lines or ["git failed"])[0]
    return found.removeprefix("fatal: ").removeprefix("ERROR: ")[:500]
