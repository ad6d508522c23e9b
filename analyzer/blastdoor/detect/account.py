"""Judgements over accounts and organizations."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.detect import grant
from blastdoor.detect.hit import Hit
from blastdoor.facts.reading import at_path, chain, items_of, origin, place, text_of, truth
from blastdoor.facts.target import named_baseline
from blastdoor.finding import Related
from blastdoor.reach import Accounts, Organization, Reach
from blastdoor.value import Known, Many, Meaning, Reason, Unknown, Value, known_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.fact import Facts, Provider, Resource, Statement, Target
    from blastdoor.span import Span

_PRINCIPALS: Final = ("principal", "Principals", "principals")
"""Arguments that take an organization for a target, too."""
_FILTERS: Final = (
    "deployment_targets.account_filter_type",
    "StackInstancesGroup.DeploymentTargets.AccountFilterType",
)
_ORGANIZATION_ARN: Final = re.compile(r"arn:[^:]*:organizations::[^:]*:organization/")


def organization_root_target(facts: Facts) -> Iterator[Hit]:
    """A deployment, policy or share targets the root of the organization."""
    denying = _denying_policies(facts)
    for target in facts.targets:
        if target.axis != "accounts" or target.attribute == "for_each":
            continue
        for item in items_of(target.value)[0] or [target.value]:
            words = _root(item, target)
            if words is None or _excluded(target):
                continue
            at = place(item, target.span) or target.span
            where = origin(item)
            yield Hit(
                at,
                f"accounts: every account of the organization ({words}"
                f"{', ' + where if where else ''}) gets {target.what}, by {target.owner}",
                target.owner,
                target.attribute,
                "accounts",
                words,
                _condition(target, denying, facts.unit.resources),
                contain="target one organizational unit first, a canary of few accounts",
                related=chain(item, at),
                reach=Reach(accounts=Accounts(Organization())),
            )


def _root(value: Value, target: Target) -> str | None:
    if isinstance(value, Unknown):
        if value.meaning is Meaning.ORGANIZATION_ROOT:
            return value.subject or "the organization's root"
        if value.meaning is Meaning.ORGANIZATION and target.attribute in _PRINCIPALS:
            return value.subject or "the organization"
        return None
    text = text_of(value)
    if text is None:
        return None
    if tables.scopes().root_id.match(text):
        return text
    if target.attribute in _PRINCIPALS and _ORGANIZATION_ARN.match(text):
        return text.replace("\ufffc", "…")
    return None


def _excluded(target: Target) -> bool:
    """An account filter that only intersects, or the policy that every organization has."""
    resource = target.resource
    if resource is None:
        return False
    for path in _FILTERS:
        for value in at_path(resource.get, path):
            if known_text(value) in ("INTERSECTION", "DIFFERENCE"):
                return True
    given = _attached(resource)
    policy = text_of(given) if given is not None else None
    return policy is not None and policy.endswith("FullAWSAccess")


def _attached(resource: Resource) -> Value | None:
    """The policy that something attaches."""
    row = tables.things("account-target").get(resource.type)
    name = row.names.get("policy") if row is not None else None
    return None if name is None else resource.get(name)


def _denying_policies(facts: Facts) -> set[str]:
    """Addresses of organization policies with a Deny."""
    return {
        s.resource.address
        for s in facts.statements
        if s.effect == "Deny" and s.kind in ("scp", "rcp")
    }


def _condition(target: Target, denying: set[str], resources: list[Resource]) -> str:
    resource = target.resource
    if resource is None or target.attribute not in ("target_id", "TargetIds"):
        return ""
    if target.attribute == "TargetIds":
        if resource.address in denying:
            return "deny-policy"
        named = known_text(resource.get("Type"))
        controls = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY", None)
        return "" if named in controls else "advisory-policy"
    given = _attached(resource)
    subject = given.subject if isinstance(given, Unknown) else ""
    module, _dot, _rest = resource.address.rpartition("aws_organizations_policy_attachment")
    address = module + subject.removesuffix(".id")
    if address in denying:
        return "deny-policy"
    kinds = {known_text(r.get("type")) for r in resources if r.address == address}
    if kinds and not kinds & {"SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY", None}:
        return "advisory-policy"
    return ""


def unconditional_deny_all(facts: Facts) -> Iterator[Hit]:
    """An organization policy or permission boundary denies everything with no condition."""
    for statement in facts.statements:
        if statement.kind not in ("scp", "rcp", "boundary") or statement.effect != "Deny":
            continue
        if statement.not_actions or statement.not_resources or statement.not_principals:
            continue
        if statement.conditions or not statement.conditions_known:
            continue
        action = next((t for t in statement.actions if tables.is_every_action(t.text)), None)
        if action is None or not any(t.text == "*" for t in statement.resources):
            continue
        yield grant.hit_of(
            statement,
            action,
            "accounts: every account this is attached to loses every action "
            f"({grant.said(action)} denied without a condition), by {statement.resource.address}",
            axis="accounts",
            condition="quarantine" if _quarantine(statement) else "",
            contain="add a condition, or leave out with NotAction what must go on working",
        )


def _quarantine(statement: Statement) -> bool:
    resource = statement.resource
    text = f"{resource.address} {known_text(resource.get('name')) or ''} {statement.sid}".lower()
    squeezed = text.replace("-", "").replace("_", "")
    words = tables.scopes().quarantine_words
    return any(word in squeezed for word in words)


def stackset_autodeploy_unbounded(facts: Facts) -> Iterator[Hit]:
    """A stack set deploys by itself to every account that comes under its organizational units."""
    for resource in facts.unit.resources:
        row = None if resource.is_data else tables.things("stack-set").get(resource.type)
        if row is None:
            continue
        if known_text(resource.get(row.names["model"])) == "SELF_MANAGED":
            continue
        name = resource.get(row.names["name"])
        if named_baseline((*resource.path, (text_of(name) or "") if name is not None else "")):
            continue
        attribute = row.names["automatic"]
        for value in at_path(resource.get, attribute):
            if truth(value) is not True:
                continue
            at = place(value, resource.span) or resource.span
            where = origin(value)
            yield Hit(
                at,
                "accounts: every account that is added to an organizational unit gets the stack at "
                f"once, and loses it when it leaves, by {resource.address} ({attribute} "
                f"= true{', ' + where if where else ''})",
                resource.address,
                attribute,
                "accounts",
                "true",
                contain="try changes in a stack set of its own with few accounts first: "
                f"{row.names['preferences']} do not hold for automatic deployments",
                related=chain(value, at),
            )


def account_guard_missing(facts: Facts) -> Iterator[Hit]:
    """What is for production changes whatever account its credentials are for."""
    unit = facts.unit
    if not unit.is_root or unit.environment != "production":
        return
    open_ones = [*_open_providers(facts), *_open_stacks(facts)]
    if open_ones:
        (span, address, words), *rest = open_ones
        more = f" (and {len(rest)} more)" if rest else ""
        stack = bool(unit.stacks) and not any(p.span is span for p in unit.providers)
        yield Hit(
            span,
            f"accounts: whatever account the credentials are for: {address}{more} {words}",
            address,
            "env.account" if stack else "allowed_account_ids",
            "accounts",
            "missing",
            contain="give env the one account that it is for"
            if stack
            else "set allowed_account_ids to the one account that this root is for",
            related=tuple(Related(at, f"{name} {said}") for at, name, said in rest[:20]),
        )
    yield from _unasked(facts)


_Open = tuple["Span", str, str]
"""Place and address of what may act in any account, and why, in words."""


def _open_providers(facts: Facts) -> list[_Open]:
    if not any(r.type.startswith("aws_") and not r.is_data for r in facts.unit.resources):
        return []
    return [
        (provider.span, provider.address, words)
        for provider in facts.unit.providers
        if provider.name == "aws" and provider.declared
        for words in [_unguarded(provider)]
        if words is not None
    ]


def _open_stacks(facts: Facts) -> list[_Open]:
    return [
        (stack.span, f"stack {stack.name}", "pins none")
        for stack in facts.unit.stacks
        if stack.account is None
        or (isinstance(stack.account, Unknown) and stack.account.reason is Reason.ENVIRONMENT)
    ]


def _unasked(facts: Facts) -> Iterator[Hit]:
    """A program for production that takes something away and never asks which account it is in."""
    calls = facts.unit.calls
    if any(call.name == "sts.get_caller_identity" for call in calls):
        return
    for call in calls:
        if call.effect != "destroy" or call.dry or call.client.credentials or not call.complete:
            continue
        yield Hit(
            call.name_span,
            f"accounts: whatever account the credentials are for: {call.name} runs, and nothing "
            "asks which account it is",
            call.owner or call.client.service,
            call.operation,
            "accounts",
            "missing",
            contain="compare sts.get_caller_identity with the account that is meant, and stop",
        )
        return


def _unguarded(provider: Provider) -> str | None:
    """Why a provider may act in any account; ``None`` when it cannot, or when that is not known.

    A role names its account: the wrong credentials cannot assume it.
    """
    if provider.get("endpoints") is not None or truth(provider.get("skip_requesting_account_id")):
        return None  # an emulator on the own machine
    allowed = provider.get("allowed_account_ids")
    if allowed is not None and not (isinstance(allowed, Known) and allowed.data is None):
        empty = isinstance(allowed, Many) and allowed.complete and not allowed.items
        return "allows every account (allowed_account_ids is empty)" if empty else None
    bounded = ("forbidden_account_ids", "assume_role", "assume_role_with_web_identity")
    return None if any(provider.get(name) is not None for name in bounded) else "pins none"
