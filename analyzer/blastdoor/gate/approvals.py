"""Approvals that a forge exports, as another way to say yes.

GitHub: the array of ``GET /repos/{owner}/{repo}/pulls/{number}/reviews``. GitLab: an object with
``merge_request`` (``GET /projects/{id}/merge_requests/{iid}``) and ``approvals`` (``…/approvals``). An
approval counts for the head commit only, and each person's last word holds.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from blastdoor.source.history import Person

if TYPE_CHECKING:
    from collections.abc import Iterator


class ApprovalError(ValueError):
    """An export that cannot be read, with what is wrong."""


class Approval(NamedTuple):
    """One person's yes to a commit."""

    login: str
    id: str
    """The account's number on its forge."""
    bot: bool
    commit: str

    @property
    def person(self) -> Person:
        """The person under the address that GitHub makes for the account."""
        local = f"{self.id}+{self.login}" if self.id else self.login
        return Person(self.login, f"{local}@users.noreply.github.com")


def read(text: str) -> list[Approval]:
    """The approvals of an export. Raises ApprovalError."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        message = "is no JSON"
        raise ApprovalError(message) from error
    if isinstance(data, list):
        return list(_github(data))
    if isinstance(data, dict) and isinstance(data.get("approvals"), dict):
        return list(_gitlab(data))
    message = "is neither GitHub's list of reviews nor GitLab's merge request with approvals"
    raise ApprovalError(message)


def _github(reviews: list[Any]) -> Iterator[Approval]:
    last: dict[str, tuple[str, Approval]] = {}
    for review in reviews:
        user = review.get("user") if isinstance(review, dict) else None
        if not isinstance(user, dict) or not isinstance(user.get("login"), str):
            continue
        state = str(review.get("state")).upper()
        if state not in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED"):
            continue  # a comment takes nothing back
        one = Approval(
            user["login"],
            str(user.get("id") or ""),
            str(user.get("type")) == "Bot",
            str(review.get("commit_id") or ""),
        )
        last[one.id or one.login.lower()] = (state, one)
    for state, one in last.values():
        if state == "APPROVED":
            yield one


def _gitlab(data: dict[str, Any]) -> Iterator[Approval]:
    request = data.get("merge_request")
    commit = str(request.get("sha") or "") if isinstance(request, dict) else ""
    for row in data["approvals"].get("approved_by") or ():
        user = row.get("user") if isinstance(row, dict) else None
        if isinstance(user, dict) and isinstance(user.get("username"), str):
            # GitLab's numbers are not GitHub's: the login alone tells.
            yield Approval(user["username"], "", bool(user.get("bot")), commit)
