"""The repositories of an organisation, as the APIs of GitHub and GitLab list them.

GitHub REST API, "List organization repositories" and "List repositories for a user"; GitLab REST API,
"List group projects" (subgroups included). Pages are followed through the ``Link`` header and never to
another host. A token comes from git's credential helpers (``git credential fill``) and goes to the API's
own host only; without one the forge shows what is public.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from blastdoor.audit.setup import REMOTE, Target
from blastdoor.record import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from email.message import Message

GITHUB: Final = "github"
GITLAB: Final = "gitlab"
_HOSTS: Final = {GITHUB: "https://api.github.com", GITLAB: "https://gitlab.com/api/v4"}
_MAX_PAGES: Final = 2_000
"""Most pages of one list: 200,000 repositories."""
_MAX_PAGE: Final = 50_000_000
"""Largest page, in bytes."""
_TIMEOUT: Final = 60
_MAX_WAIT: Final = 90
"""Longest that a rate limit is waited for, in seconds."""
_TRIES: Final = 4
_NEXT: Final = re.compile(r'<([^<>]*)>\s*;[^<>,]*\brel="?next"?')
_TOO_MANY: Final = frozenset({403, 429})
_BUSY: Final = frozenset({500, 502, 503, 504})


class ForgeError(Exception):
    """A forge that does not list its repositories; the message says why."""


@dataclass(frozen=True)
class Listing:
    """What a forge lists."""

    targets: tuple[Target, ...]
    left_out: Mapping[str, int]
    """Reason → repositories that are not audited."""


def is_forge(text: str) -> bool:
    """Whether a source names an organisation: ``github:NAME`` or ``gitlab:GROUP/SUBGROUP``."""
    kind, colon, name = text.partition(":")
    return bool(colon) and kind in _HOSTS and not name.startswith("//")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only where the host stays the same: the token is for that one."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if _origin(newurl) != _origin(req.full_url):
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class Forge:
    """One API. Effect: its methods ask it."""

    def __init__(
        self,
        kind: str,
        api: str = "",
        *,
        token: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.kind = kind
        self.api = (api or _HOSTS[kind]).rstrip("/")
        scheme = urlsplit(self.api).scheme
        if scheme not in ("https", "http"):
            message = f"{self.api} is no address of an API"
            raise ForgeError(message)
        self._token = credential(self.api) if token is None else token
        self._sleep = sleep
        self._opener = urllib.request.build_opener(_NoRedirect)

    def repositories(
        self, name: str, *, archived: bool = False, forks: bool = False, ssh: bool = False
    ) -> Listing:
        """What an organisation, user or group has. Raises ForgeError."""
        left_out: dict[str, int] = {}
        targets = []
        for row in self._rows(name):
            why = _why_not(row, archived=archived, forks=forks)
            if why:
                left_out[why] = left_out.get(why, 0) + 1
                continue
            targets.append(self._target(row, ssh=ssh))
        return Listing(tuple(sorted(targets, key=lambda target: target.name)), left_out)

    def _target(self, row: Mapping[str, Any], *, ssh: bool) -> Target:
        if self.kind == GITHUB:
            name, keys = row.get("full_name"), ("ssh_url", "clone_url")
        else:
            name, keys = row.get("path_with_namespace"), ("ssh_url_to_repo", "http_url_to_repo")
        url = row.get(keys[0] if ssh else keys[1])
        if not isinstance(name, str) or not isinstance(url, str):
            message = f"{self.api} lists a repository without a name or an address"
            raise ForgeError(message)
        owner = row.get("owner") or row.get("namespace") or {}
        login = (
            owner.get("login") or owner.get("full_path") or "" if isinstance(owner, dict) else ""
        )
        return Target(name, REMOTE, url, "", str(login))

    def _rows(self, name: str) -> Iterator[Mapping[str, Any]]:
        if self.kind == GITHUB:
            path = f"/orgs/{quote(name, safe='')}/repos?per_page=100&type=all&sort=full_name"
            other = f"/users/{quote(name, safe='')}/repos?per_page=100&sort=full_name"
        else:
            more = "include_subgroups=true&with_shared=false&per_page=100&order_by=id&sort=asc"
            path = f"/groups/{quote(name, safe='')}/projects?{more}"
            other = f"/users/{quote(name, safe='')}/projects?per_page=100&order_by=id&sort=asc"
        url: str | None = self.api + path
        try:
            rows, url = self._page(str(url))
        except _NotFoundError:
            try:
                rows, url = self._page(self.api + other)
            except _NotFoundError as error:
                message = f"{self.api} knows no organisation, group or user {name}"
                raise ForgeError(message) from error
        yield from rows
        for _count in range(_MAX_PAGES):
            if url is None:
                return
            if _origin(url) != _origin(self.api):
                message = f"{self.api} continues its list on another host"
                raise ForgeError(message)
            rows, url = self._page(url)
            yield from rows
        message = f"{self.api} lists more than {_MAX_PAGES} pages"
        raise ForgeError(message)

    def _page(self, url: str) -> tuple[list[Mapping[str, Any]], str | None]:
        """The rows of one page and the address of the next."""
        for attempt in range(_TRIES):
            last = attempt == _TRIES - 1
            try:
                data, headers = self._get(url)
            except urllib.error.HTTPError as error:
                with error:
                    wait = self._wait(error, attempt)
                if wait is None or last:
                    raise self._refused(error) from error
                self._sleep(wait)
                continue
            except (OSError, ValueError) as error:
                if last:
                    message = f"{self.api} does not answer: {error}"
                    raise ForgeError(message) from error
                self._sleep(2.0**attempt)
                continue
            found = _NEXT.search(headers.get("Link", ""))
            return self._read(data), None if found is None else found[1]
        raise AssertionError

    def _get(self, url: str) -> tuple[bytes, Message]:
        headers = {"User-Agent": "blastdoor", "Accept": "application/json"}
        if self._token:
            name = "Authorization" if self.kind == GITHUB else "PRIVATE-TOKEN"
            headers[name] = f"Bearer {self._token}" if self.kind == GITHUB else self._token
        request = urllib.request.Request(url, headers=headers)  # noqa: S310  http(s), see __init__
        with self._opener.open(request, timeout=_TIMEOUT) as answer:
            return answer.read(_MAX_PAGE + 1), answer.headers

    def _read(self, data: bytes) -> list[Mapping[str, Any]]:
        try:
            rows = json.loads(data) if len(data) <= _MAX_PAGE else None
        except ValueError:
            rows = None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            message = f"{self.api} answers with something that is no list of repositories"
            raise ForgeError(message)
        return rows

    def _wait(self, error: urllib.error.HTTPError, attempt: int) -> float | None:
        """Seconds after which another try may succeed; ``None`` where none would."""
        if error.code in _BUSY:
            return 2.0**attempt
        if error.code not in _TOO_MANY:
            return None
        after = error.headers.get("Retry-After", "")
        if after.isdigit():
            wait = float(after)
        elif error.headers.get("X-RateLimit-Remaining") == "0":
            reset = error.headers.get("X-RateLimit-Reset", "")
            wait = max(float(reset) - time.time(), 1.0) if reset.isdigit() else _MAX_WAIT + 1.0
        else:
            return None
        return wait if wait <= _MAX_WAIT else None

    def _refused(self, error: urllib.error.HTTPError) -> Exception:
        if error.code == 404:  # noqa: PLR2004  Not Found
            return _NotFoundError()
        words = f"{self.api} answers {error.code}"
        if error.code == 401:  # noqa: PLR2004  Unauthorized
            words += ": the token of git's credential helper is not accepted"
        elif error.code in _TOO_MANY:
            words += ": not allowed, or its rate limit is used up; a token raises it"
        return ForgeError(words)


class _NotFoundError(Exception):
    """What was asked for is not there, or not for us."""


def _why_not(row: Mapping[str, Any], *, archived: bool, forks: bool) -> str:
    """Why a repository is not audited; ``""`` for one that is."""
    if row.get("disabled") is True:
        return "disabled"
    if row.get("archived") is True and not archived:
        return "archived"
    if (row.get("fork") is True or row.get("forked_from_project")) and not forks:
        return "fork"
    if row.get("empty_repo") is True or ("pushed_at" in row and row["pushed_at"] is None):
        return "empty"
    return ""


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def credential(api: str) -> str:
    """The password that git's helpers know for the host of an API; ``""`` for none.

    ``api.github.com`` is asked for as ``github.com``, where git keeps it. Effect: runs git.
    """
    parts = urlsplit(api)
    host = parts.netloc.removeprefix("api.")
    own = {name: text for name, text in os.environ.items() if not name.startswith("GIT_TRACE")}
    try:
        done = subprocess.run(
            ["git", "credential", "fill"],
            input=f"protocol={parts.scheme}\nhost={host}\n\n".encode(),
            capture_output=True,
            env={**own, "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true", "SSH_ASKPASS": "true"},
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    if done.returncode:
        return ""
    for row in done.stdout.decode("utf-8", "replace").splitlines():
        key, _equals, value = row.partition("=")
        if key == "password":
            return value
    return ""
