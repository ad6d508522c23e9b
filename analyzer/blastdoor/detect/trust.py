"""Judgements over the trust policies of roles: who may become them.

Sources: AWS IAM User Guide, "The confused deputy problem" (external ids), "AWS JSON policy elements:
Principal", "Create a role for OpenID Connect federation" and "Identity-provider controls for shared
OIDC providers"; what the subjects of each issuer look like is in the table of issuers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.detect import grant
from blastdoor.fact import Term
from blastdoor.facts.iam import module_of
from blastdoor.facts.reading import HOLE
from blastdoor.record import dataclass
from blastdoor.value import known_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.detect.hit import Hit
    from blastdoor.fact import Facts, Provider, Statement

_WHOLE_ACCOUNT: Final = re.compile(r"(?:arn:[^:]*:iam::)?([0-9]{12})(?::root)?", re.ASCII)
_PROVIDER: Final = re.compile(r"(?:data\.)?aws_iam_openid_connect_provider\.[\w-]+")
_EXTERNAL_ID: Final = "sts:externalid"
_CLAIMS_OF_ALL: Final = frozenset({"aud", "azp", "amr", "iss", "ref", "environment", "workflow"})
"""Claims that tenants of every owner can have alike: an audience, the name of a branch."""
_GLOB: Final = re.compile(r"[*?]")


def broad_trust(facts: Facts) -> Iterator[Hit]:
    """A role can be assumed by more than those it is for."""
    own = _own_accounts(facts)
    urls = _urls(facts)
    for statement in facts.statements:
        if statement.kind != "trust" or not grant.allows(statement):
            continue
        if statement.not_principals or not statement.conditions_known:
            continue
        anyone = next((t for k, t in statement.principals if grant.is_anyone(k, t.text)), None)
        if anyone is not None:
            if not _limited(statement):
                yield _anyone(statement, anyone)
            continue
        yield from _accounts(statement, own)
        yield from _federated(statement, urls)


def _limited(statement: Statement) -> bool:
    """Whether a condition says who may come, other than what the token of an issuer claims."""
    scopes = tables.scopes()
    return any(
        key.partition("/")[0] in scopes.restricting_keys
        and not grant.open_ended(operator, key, values)
        for operator, key, values in statement.conditions
    )


def _keys(statement: Statement) -> set[str]:
    return {key for _operator, key, _values in statement.conditions}


def _anyone(statement: Statement, term: Term) -> Hit:
    return grant.hit_of(
        statement,
        term,
        f"principals: anyone ({grant.said(term)}) may assume {statement.resource.address}",
        axis="principals",
        condition="external-id" if _EXTERNAL_ID in _keys(statement) else "",
        contain="name the roles or the service that assume it",
    )


def _accounts(statement: Statement, own: set[str]) -> Iterator[Hit]:
    """Whole accounts of others: every identity to which they give leave, and a deputy of theirs."""
    keys = _keys(statement)
    if _EXTERNAL_ID in keys or "aws:multifactorauthpresent" in keys or _limited(statement):
        return
    for kind, term in statement.principals:
        match = _WHOLE_ACCOUNT.fullmatch(term.text) if kind == "AWS" else None
        if match is None or match.group(1) in own:
            continue
        yield grant.hit_of(
            statement,
            term,
            f"principals: whoever account {match.group(1)} lets ({grant.said(term)}) may assume "
            f"{statement.resource.address}, with no external id",
            axis="principals",
            condition="foreign-account",
            contain="name the role of that account, or ask for an external id in a condition on "
            "sts:ExternalId",
        )


def _own_accounts(facts: Facts) -> set[str]:
    """The account ids that the providers of the unit act in, as far as they are known."""
    return {account for provider in facts.unit.providers for account in _accounts_of(provider)}


def _urls(facts: Facts) -> dict[str, str]:
    """Address of an identity provider that is created or read in the unit → its issuer."""
    return {
        resource.address: url.removeprefix("https://").rstrip("/")
        for resource in facts.unit.resources
        for row in [tables.things("identity-provider").get(resource.type)]
        if row is not None
        for url in [known_text(resource.get(row.names["url"]))]
        if url is not None
    }


def _accounts_of(provider: Provider) -> Iterator[str]:
    items = [provider.account]
    allowed = provider.get("allowed_account_ids")
    items.extend(getattr(allowed, "items", ()))
    for item in items:
        text = known_text(item)
        if text is not None:
            yield text


@dataclass(frozen=True, slots=True)
class _Federation:
    """A shared issuer that a statement trusts, and the term that names it."""

    issuer: tables.Issuer
    term: Term


def _federated(statement: Statement, urls: dict[str, str]) -> Iterator[Hit]:
    if _limited(statement):
        return
    for federation in _issuers(statement, urls):
        issuer = federation.issuer
        subject = f"{issuer.issuer}:sub"
        own = f"{issuer.issuer}:"
        asked = {
            key
            for key in _keys(statement)
            if key.startswith(own) and key.removeprefix(own) not in _CLAIMS_OF_ALL
        }
        if not asked:
            yield grant.hit_of(
                statement,
                federation.term,
                f"principals: every {issuer.tenants} may assume {statement.resource.address}: no "
                f"condition on {subject}",
                axis="principals",
                condition="",
                contain=f"add a condition on {subject} that names the {issuer.tenant}",
            )
        elif asked == {subject}:
            yield from _subjects(statement, issuer)


def _issuers(statement: Statement, urls: dict[str, str]) -> Iterator[_Federation]:
    table = tables.issuers()
    module = module_of(statement.resource)
    seen: set[str] = set()
    for kind, term in statement.principals:
        name = term.text.rpartition(":oidc-provider/")[2] if kind == "Federated" else ""
        if name in table and name not in seen:
            seen.add(name)
            yield _Federation(table[name], term)
    for kind, value in statement.principal_references:
        match = _PROVIDER.match(value.subject) if kind == "Federated" else None
        if match is None:
            continue
        address = match.group()
        name = urls.get(module + address) or urls.get(address, "")
        if name in table and name not in seen:
            seen.add(name)
            yield _Federation(table[name], Term(value.subject, value.span or statement.span, value))


def _subjects(statement: Statement, issuer: tables.Issuer) -> Iterator[Hit]:
    """Subjects that match more than one tenant; each value of a condition is one alternative."""
    key = f"{issuer.issuer}:sub"
    for operator, name, values in statement.conditions:
        if name != key or "like" not in operator.lower() or "not" in operator.lower():
            continue
        for term in values:
            width = _width(term.text, issuer)
            if width is None:
                continue
            owner, condition = width
            yield grant.hit_of(
                statement,
                term,
                f"principals: every {issuer.tenants if owner == '' else issuer.tenant + owner} may "
                f"assume {statement.resource.address} ({grant.said(term)})",
                axis="principals",
                condition=condition,
                contain=f"name the {issuer.tenant}, and the branch or environment, in {key}",
            )


def _width(subject: str, issuer: tables.Issuer) -> tuple[str, str] | None:
    """Whose subjects a pattern matches, in words, with the level's condition; ``None`` for one tenant.

    ``("", "")`` is everyone; ``(" of acme", "organization-wide")`` is one owner with all it has.
    """
    found = _GLOB.search(subject)
    if found is None or HOLE in subject[: found.start()]:
        return _after_hole(subject, issuer)
    head = f"{issuer.head}:"
    if found.start() < len(head) or not subject.startswith(head):
        return ("", "") if found.start() < len(head) else None
    rest = subject[len(head) :]
    owner, separator, tail = rest.partition(":" if issuer.parts else "/")
    if _GLOB.search(owner):
        return "", ""
    if not separator:
        return None
    return (f" of {owner}", "organization-wide") if _all_of_owner(tail, issuer) else None


def _after_hole(subject: str, issuer: tables.Issuer) -> tuple[str, str] | None:
    """One owner that is not known, followed by everything it has: ``repo:…/*``."""
    head = f"{issuer.head}:{HOLE}"
    separator = ":" if issuer.parts else "/"
    if not subject.startswith(head + separator):
        return None
    tail = subject[len(head) + 1 :]
    if HOLE in tail:
        return None
    return (" of one owner", "organization-wide") if _all_of_owner(tail, issuer) else None


def _all_of_owner(tail: str, issuer: tables.Issuer) -> bool:
    """Whether what follows the owner leaves its tenant open: ``*``, ``*:ref:refs/heads/main``."""
    if not issuer.parts:
        return tail.split(":", 1)[0].strip("*") == ""
    words = tail.split(":")
    pairs = dict(zip(words[::2], words[1::2], strict=False))
    if not words[0].strip("*"):
        return True
    return all(not pairs.get(part, "*").strip("*") for part in issuer.parts)
