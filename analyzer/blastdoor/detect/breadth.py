"""Judgements over grants that name no actions, resources or roles one by one.

Sources: AWS IAM User Guide, "IAM JSON policy element reference" (NotAction, NotResource,
NotPrincipal) and "Grant a user permissions to pass a role to an AWS service"; AWS Service
Authorization Reference (through `blastdoor.tables`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.detect import grant
from blastdoor.facts.reading import HOLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.detect.hit import Hit
    from blastdoor.fact import Facts, Statement, Term

_OBSERVABILITY: Final = frozenset({"cloudwatch", "logs", "xray"})
"""Services that roles for operating things are usually given as a whole."""
_ANY_NAME: Final = "~~"
"""A name that no pattern matches but one that matches every name."""
_ACCOUNT: Final = "000000000000"


def service_wide_grant(facts: Facts) -> Iterator[Hit]:
    """A whole service is allowed on every resource."""
    for statement in facts.statements:
        if not _grants(statement) or grant.restricted(statement) or grant.narrowed(statement):
            continue
        for resource in statement.resources:
            scope = grant.whole_service(resource.text)
            terms = [t for t in statement.actions if _whole(t.text) and _within(t.text, scope)]
            if scope is None or not terms:
                continue
            services = sorted({_service(term.text) for term in terms})
            main = next((t for t in terms if _service(t.text) == "iam"), terms[0])
            covers = [*terms, resource] if _all_said(statement, terms) else terms
            hit = grant.hit_of(
                statement,
                main,
                f"actions: every action of {_listed(services)} on every resource "
                f"({grant.said(main)} on `{resource.text}`), in {statement.resource.address}",
                axis="actions",
                condition=_condition(statement, services),
                contain=f"list the {services[0] if len(services) == 1 else 'service'} actions that "
                "are needed and the ARNs they are needed on",
            )
            yield grant.covering(hit, covers)
            break


def _grants(statement: Statement) -> bool:
    """Whether a statement allows identities what it lists, under conditions that are known."""
    return (
        statement.kind == "identity"
        and grant.allows(statement)
        and statement.conditions_known
        and not statement.not_actions
        and not statement.not_resources
    )


def _whole(text: str) -> bool:
    """``service:*`` of a service that has something to write."""
    service, colon, name = text.partition(":")
    if not colon or not name or name.strip("*") or not service.strip("*"):
        return False
    return any(action.writes for action in tables.expand(text))


def _within(text: str, scope: str | None) -> bool:
    return scope in ("*", _service(text))


def _service(text: str) -> str:
    return text.partition(":")[0].lower()


def _listed(services: list[str]) -> str:
    if len(services) == 1:
        return services[0]
    shown = services if len(services) <= 6 else [*services[:5], f"{len(services) - 5} more"]  # noqa: PLR2004
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def _all_said(statement: Statement, terms: list[Term]) -> bool:
    """Whether no other action of the statement is a write that could be limited."""
    return all(t in terms or tables.scopable_write(t.text) is None for t in statement.actions)


def _condition(statement: Statement, services: list[str]) -> str:
    exceptional = grant.exceptional(statement.resource)
    if exceptional:
        return exceptional
    if "iam" in services:
        return "grants-itself-everything"
    if _OBSERVABILITY.issuperset(services):
        return "observability"
    scopable = any(tables.scopable_write(f"{service}:*") is not None for service in services)
    return "" if scopable else "unscopable"


def inverse_allow(facts: Facts) -> Iterator[Hit]:
    """An Allow names what it leaves out instead of what it gives."""
    for statement in facts.statements:
        if statement.kind not in ("identity", "resource", "key", "trust"):
            continue
        if not grant.allows(statement) or not statement.conditions_known:
            continue
        if statement.not_principals and statement.principals:
            yield _everyone_but(statement)
        elif statement.not_actions and statement.actions:
            yield _everything_but(statement)
        elif statement.not_resources and statement.resources:
            yield _everywhere_but(statement)


def _everyone_but(statement: Statement) -> Hit:
    term = statement.principals[0][1]
    return grant.hit_of(
        statement,
        term,
        f"principals: everyone but {_all_of([t for _kind, t in statement.principals])}, anonymous "
        f"callers included, in the policy of {statement.resource.address}",
        axis="principals",
        condition="conditional" if grant.restricted(statement) else "not-principal",
        contain="name who is allowed in Principal; keep NotPrincipal for Deny",
    )


def _everything_but(statement: Statement) -> Hit:
    bounded = (
        statement.kind != "identity"
        or grant.narrowed(statement)
        or not any(t.text == "*" for t in statement.resources)
    )
    conditional = grant.restricted(statement)
    where = "the resources of the statement" if bounded else "every resource"
    return grant.hit_of(
        statement,
        statement.actions[0],
        f"actions: every action there is and will be but {_all_of(statement.actions)}, on {where}, "
        f"in {statement.resource.address}",
        axis="actions",
        condition=("bounded" if bounded or conditional else grant.exceptional(statement.resource)),
        contain="list the actions that are needed in Action",
    )


def _everywhere_but(statement: Statement) -> Hit:
    writes = any(tables.write_actions(term.text) for term in statement.actions)
    mild = not writes or grant.restricted(statement) or grant.narrowed(statement)
    return grant.hit_of(
        statement,
        statement.resources[0],
        f"resources: every resource but {_all_of(statement.resources)}, in "
        f"{statement.resource.address}",
        axis="resources",
        condition="bounded" if mild else "",
        contain="name the resources that are needed in Resource",
    )


def _all_of(terms: tuple[Term, ...] | list[Term]) -> str:
    shown = [f"`{term.text.replace(HOLE, '…')}`" for term in terms[:3]]
    more = len(terms) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def passrole_any(facts: Facts) -> Iterator[Hit]:
    """Any role may be handed to a service, and with it whatever that role may do."""
    for statement in facts.statements:
        if not _grants(statement):
            continue
        action = next((t for t in statement.actions if _passes(t.text)), None)
        resource = next((t for t in statement.resources if any_role(t.text)), None)
        if action is None or resource is None:
            continue
        by = "" if action.text.lower() == "iam:passrole" else f" (allowed by {action.text})"
        hit = grant.hit_of(
            statement,
            action if _whole(action.text) or tables.is_every_action(action.text) else resource,
            f"resources: every role ({grant.said(resource)}) can be passed to a service: "
            f"iam:PassRole{by}, in {statement.resource.address}",
            axis="resources",
            condition=_pass_condition(statement),
            contain="name the ARN of the role that is passed, and the service in a condition on "
            "iam:PassedToService",
        )
        yield grant.covering(hit, (resource,))


def _passes(text: str) -> bool:
    service, _colon, name = text.partition(":")
    if tables.is_every_action(text):
        return True
    return service.lower() == "iam" and tables.glob_matches(name.lower(), "passrole")


def any_role(text: str) -> bool:
    """Whether a resource matches every role of an account; a hole may only hold the account."""
    if text == "*":
        return True
    fields = text.split(":", 5)
    if len(fields) < 3 or fields[0] != "arn" or HOLE in "".join(fields[5:]):  # noqa: PLR2004
        return False
    fields[1] = "aws" if HOLE in fields[1] else fields[1]
    account = _ACCOUNT
    if len(fields) == 6:  # noqa: PLR2004
        fields[4] = "*" if HOLE in fields[4] else fields[4]
        account = fields[4] if fields[4].strip("*?") else _ACCOUNT
    partition = fields[1] if fields[1].strip("*?") else "aws"
    return tables.glob_matches(":".join(fields), f"arn:{partition}:iam::{account}:role/{_ANY_NAME}")


def _pass_condition(statement: Statement) -> str:
    if any(
        key == "iam:passedtoservice" and not grant.open_ended(operator, key, values)
        for operator, key, values in statement.conditions
    ):
        return "to-service"
    if grant.restricted(statement) or grant.narrowed(statement):
        return "conditional"
    return grant.exceptional(statement.resource)
