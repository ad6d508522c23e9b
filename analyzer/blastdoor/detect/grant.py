"""Judgements over IAM statements: who may do what to which resources.

Sources: AWS IAM User Guide, "IAM JSON policy element reference"; AWS Service Authorization Reference
(through `blastdoor.tables`).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.detect.hit import Hit
from blastdoor.facts.reading import HOLE, chain, items_of, origin, place, text_of, truth
from blastdoor.finding import Related
from blastdoor.reach import Actions, Conditions, Principals, Reach, Resources
from blastdoor.value import Known, Value, known_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from blastdoor.fact import Facts, Resource, Statement, Term

_GRANTING: Final = frozenset({"identity"})
_RESOURCE_KINDS: Final = frozenset({"resource", "key"})
ROUTINE_WRITES: Final = frozenset(
    {
        "logs:createloggroup",
        "logs:createlogstream",
        "logs:putlogevents",
        "logs:describeloggroups",
        "logs:describelogstreams",
        "cloudwatch:putmetricdata",
        "xray:puttracesegments",
        "xray:puttelemetryrecords",
    }
)
"""Writes that AWS's own basic execution roles allow on every resource."""
_ANY_ACCOUNT: Final = re.compile(r"arn:[^:]*:(?:iam|sts)::\*:")
_OPEN_CALLS: Final = frozenset({"lambda:InvokeFunctionUrl"})
"""Actions that callers of a public address need."""
_SEARCH_DOMAINS: Final = ("AWS::Elasticsearch::Domain", "AWS::OpenSearchService::Domain")
_BREAK_GLASS: Final = re.compile(
    r"break[-_]?glass|organizationaccountaccess|emergency", re.IGNORECASE
)
_BOOTSTRAP: Final = re.compile(
    r"cdk[-_a-z0-9]*(?:exec|bootstrap|deploy)|cfn[-_]exec", re.IGNORECASE
)


def admin_grant(facts: Facts) -> Iterator[Hit]:
    """A statement allows every action on every resource, or an administrator policy is attached."""
    for statement in facts.statements:
        if statement.kind not in _GRANTING or not _allows(statement):
            continue
        if statement.not_actions or statement.not_resources:
            continue
        action = next((t for t in statement.actions if tables.is_every_action(t.text)), None)
        resource = next((t for t in statement.resources if t.text == "*"), None)
        if action is None or resource is None or not statement.conditions_known:
            continue
        hit = _hit(
            statement,
            action,
            "actions: every action of every service on every resource "
            f"({_said(action)} on `*`), in {statement.resource.address}",
            axis="actions",
            condition=_admin_condition(statement),
            contain="list the actions that are needed and the ARNs they are needed on",
        )
        yield covering(hit, (*statement.actions, *statement.resources))
    yield from _attached(facts)


def _admin_condition(statement: Statement) -> str:
    if _restricted(statement):
        return "conditional"
    return _exceptional(statement.resource)


def _exceptional(resource: Resource) -> str:
    words = f"{resource.address} {known_text(resource.get('name')) or ''}"
    if _BREAK_GLASS.search(words):
        return "break-glass"
    if _BOOTSTRAP.search(words):
        return "bootstrap"
    return ""


def _attached(facts: Facts) -> Iterator[Hit]:
    scopes = tables.scopes()
    attachments = tables.policy_attachments()
    for resource in facts.unit.resources:
        attribute = attachments.get(resource.type)
        if attribute is None or resource.is_data:
            continue
        for item in items_of(resource.get(attribute))[0]:
            text = text_of(item)
            if text is None or ":policy/" not in text:
                continue
            name = text.rsplit("/", 1)[-1]
            near = name in scopes.near_administrator_policies
            if name not in scopes.administrator_policies and not near:
                continue
            at = place(item, resource.span)
            if at is None:
                continue
            what = f"{'nearly ' if near else ''}every action of every service"
            if name in scopes.self_granting_policies:
                what = "every action of iam, with which one grants oneself all others"
            yield Hit(
                at,
                f"actions: {what}, by the AWS managed policy {name} attached in "
                f"{resource.address}{_because(item)}",
                resource.address,
                attribute,
                "actions",
                name,
                "near-administrator" if near else _exceptional(resource),
                contain="attach a policy that lists the actions and ARNs that are needed",
                related=chain(item, at),
                reach=Reach(actions=Actions("*"), resources=Resources("*")),
            )


def write_on_all_resources(facts: Facts) -> Iterator[Hit]:
    """Write actions that could be limited to a resource are allowed on all of them."""
    for statement in facts.statements:
        if statement.kind not in _GRANTING or not _allows(statement):
            continue
        if statement.not_actions or statement.not_resources or not statement.conditions_known:
            continue
        if _restricted(statement) or _narrowed(statement):
            continue
        if any(tables.is_every_action(term.text) for term in statement.actions):
            continue
        for resource in statement.resources:
            service = _whole_service(resource.text)
            if service is None:
                continue
            found = _scopable(statement, service)
            if found is None:
                continue
            term, action = found
            routine = all(
                t.text.lower() in ROUTINE_WRITES
                for t in statement.actions
                if tables.scopable_write(t.text) is not None
            )
            yield _hit(
                statement,
                resource,
                f"resources: every resource ({_said(resource)}), though {action.text} "
                f"{_by_pattern(term, action)}can be limited to an ARN, in "
                f"{statement.resource.address}",
                axis="resources",
                condition="routine-logging" if routine else "",
                contain=f"name the ARNs that {action.text} is needed on",
            )
            break


def _by_pattern(term: Term, action: tables.Action) -> str:
    return "" if term.text.lower() == action.text.lower() else f"(allowed by {term.text}) "


def _whole_service(text: str) -> str | None:
    """``*`` for every resource, the service for ``arn:*:service:*:*:*``, ``None`` for less.

    ``arn:aws:s3:::*`` is every bucket and object; ``arn:aws:iam::*:*`` is all of IAM.
    """
    if text == "*":
        return "*"
    fields = text.split(":", 5)
    if len(fields) != 6 or fields[0] != "arn" or fields[5] != "*":  # noqa: PLR2004
        return None
    _arn, _partition, service, region, account, _resource = fields
    without_region = region == "" and tables.arn_slots().of(service) == "never"
    if (region == "*" or without_region) and account == "*":
        return service
    return service if service == "s3" and not region and not account else None


def _scopable(statement: Statement, service: str) -> tuple[Term, tables.Action] | None:
    by_breadth = sorted(statement.actions, key=lambda term: term.text.endswith(":*"))
    for term in by_breadth:
        if service not in ("*", term.text.partition(":")[0].lower()):
            continue
        action = tables.scopable_write(term.text)
        if action is not None:
            return term, action
    return None


def public_principal(facts: Facts) -> Iterator[Hit]:
    """A resource policy admits anyone without a restricting condition."""
    fenced = _fenced(facts)
    for statement in facts.statements:
        if statement.kind not in _RESOURCE_KINDS or not _allows(statement):
            continue
        if (statement.resource.address, statement.attribute) in fenced:
            continue
        if statement.not_principals or not statement.conditions_known or _restricted(statement):
            continue
        anyone = next((t for kind, t in statement.principals if _is_anyone(kind, t.text)), None)
        if anyone is None:
            continue
        yield _hit(
            statement,
            anyone,
            f"principals: anyone ({_said(anyone)}), in the policy of {statement.resource.address}",
            axis="principals",
            condition=_public_condition(statement, facts),
            contain="name the principals, or add a condition such as aws:PrincipalOrgID or "
            "aws:SourceArn",
        )
    table = tables.principal_attributes()
    for resource in facts.unit.resources:
        row = table.get(resource.type)
        if row is None or resource.is_data:
            continue
        value = resource.get(row.attribute)
        if not isinstance(value, Known) or value.data != "*":
            continue
        if any(_is_set(resource.get(name)) for name in row.narrowed_by):
            continue
        at = place(value, resource.span)
        if at is None:
            continue
        yield Hit(
            at,
            f"principals: anyone (`*`), by {resource.address}{_because(value)}",
            resource.address,
            row.attribute,
            "principals",
            "*",
            "public-read" if _calls_address(resource) else "",
            contain=f"name the principal, or set {' or '.join(row.narrowed_by)}",
            related=chain(value, at),
            reach=Reach(principals=Principals("*")),
        )


def _calls_address(resource: Resource) -> bool:
    """Whether a permission is what callers of a function's public address need.

    AWS Lambda Developer Guide, "Control access to Lambda function URLs": both the call of the address
    and, since October 2025, that of the function through it.
    """
    action = known_text(resource.get("action") or resource.get("Action"))
    if action in _OPEN_CALLS:
        return True
    through = resource.get("invoked_via_function_url") or resource.get("InvokedViaFunctionUrl")
    return action == "lambda:InvokeFunction" and truth(through) is True


def _fenced(facts: Facts) -> set[tuple[str, str]]:
    """Policies that deny whoever does not come from one place: Allow to all, Deny to the rest.

    Amazon API Gateway Developer Guide, "Resource policy examples": the way to admit one VPC only.
    """
    scopes = tables.scopes()
    return {
        (s.resource.address, s.attribute)
        for s in facts.statements
        if s.effect == "Deny"
        and (s.not_principals or any(_is_anyone(kind, t.text) for kind, t in s.principals))
        and (
            not s.conditions_known
            or any(
                "not" in operator.lower() and scopes.restricts(key)
                for operator, key, _values in s.conditions
            )
            or s.not_principals
        )
    }


def _is_set(value: Value | None) -> bool:
    return value is not None and not (isinstance(value, Known) and value.data in (None, ""))


def _is_anyone(kind: str, text: str) -> bool:
    if kind == "*":
        return text == "*"
    return kind == "AWS" and (
        text == "*" or re.fullmatch(r"arn:[^:]*:iam::\*:.*", text) is not None
    )


def _public_condition(statement: Statement, facts: Facts) -> str:
    if _public_read(statement):
        return "public-read"
    return "inside-vpc" if _inside_vpc(statement.resource, facts) else ""


def _inside_vpc(resource: Resource, facts: Facts) -> bool:
    """Whether a search domain answers only within a VPC, whatever its policy says."""
    if resource.type in _SEARCH_DOMAINS:
        return resource.get("VPCOptions") is not None
    if "search_domain" not in resource.type:
        return False
    if resource.get("vpc_options") is not None:
        return True
    name = resource.get("domain_name")
    for other in facts.unit.resources:
        if not other.type.endswith("search_domain") or other.get("vpc_options") is None:
            continue
        own = other.get("domain_name")
        if name is not None and own is not None and name.key() == own.key():
            return True
    return False


def _public_read(statement: Statement) -> bool:
    """Only reads of objects (a public website), or calls of an API, which are open without a policy."""
    return (
        bool(statement.actions)
        and _actions_known(statement)
        and not statement.not_actions
        and all(
            t.text.lower()
            in ("s3:getobject", "s3:getobjectversion", "s3:listbucket", "execute-api:invoke")
            for t in statement.actions
        )
    )


def _actions_known(statement: Statement) -> bool:
    """Whether the actions are all known, whatever of the rest is."""
    names = {name for name, _value in statement.unresolved}
    return statement.complete or (bool(names) and names.isdisjoint(("Action", "NotAction")))


def _allows(statement: Statement) -> bool:
    return statement.effect == "Allow"


def _restricted(statement: Statement) -> bool:
    scopes = tables.scopes()
    return any(
        scopes.restricts(key) and not open_ended(operator, key, values)
        for operator, key, values in statement.conditions
    )


def open_ended(operator: str, key: str, values: tuple[Term, ...]) -> bool:
    """A condition that lets everyone through: a negation, or a value that anyone has.

    A role of some name in any account is such a value: everyone can create one.
    """
    lowered = operator.lower()
    if "not" in lowered.replace("notipaddress", "not"):
        return "notequals" in lowered or "notlike" in lowered or "notipaddress" in lowered
    return any(
        term.text in ("*", "0.0.0.0/0", "::/0")
        or (key == "aws:principalarn" and _ANY_ACCOUNT.match(term.text))
        for term in values
    )


def _narrowed(statement: Statement) -> bool:
    scopes = tables.scopes()
    return any(
        scopes.narrows_resource(key) or scopes.narrows_region(key)
        for _operator, key, _values in statement.conditions
    )


def region_narrowed(statement: Statement) -> bool:
    """Whether a condition limits the regions of a statement."""
    return any(tables.scopes().narrows_region(key) for _o, key, _v in statement.conditions)


def _said(term: Term) -> str:
    """The element as written, with where it comes from."""
    text = term.text.replace(HOLE, "…")
    return f"`{text}`{_because(term.value)}"


def _because(value: Value) -> str:
    where = origin(value)
    return f", {where}" if where else ""


def reach_of(statement: Statement) -> Reach:
    """The reach of a statement, as far as its elements are known."""
    actions = [t.text for t in statement.actions if HOLE not in t.text]
    resources = [t.text for t in statement.resources if HOLE not in t.text]
    principals = [t.text for kind, t in statement.principals if kind in ("AWS", "*")]
    return Reach(
        actions=(
            (Actions.all_but(*actions) if statement.not_actions else Actions(*actions))
            if actions
            else None
        ),
        resources=(
            (Resources.all_but(*resources) if statement.not_resources else Resources(*resources))
            if resources
            else None
        ),
        principals=(
            Principals(*[p for p in principals if HOLE not in p])
            if principals and not statement.not_principals
            else None
        ),
        conditions=(
            Conditions(*[f"{o} {k}" for o, k, _v in statement.conditions])
            if statement.conditions
            else None
        ),
    )


def _hit(
    statement: Statement,
    term: Term,
    message: str,
    *,
    axis: str,
    condition: str,
    contain: str,
) -> Hit:
    at = place(term.value, term.span) or term.span
    related = list(chain(term.value, at))
    header = statement.resource.span
    if header.path != at.path or header.start != at.start:
        related.append(Related(header, f"the policy of {statement.resource.address}"))
    identity = statement.sid or ",".join(t.text for t in statement.actions)
    return Hit(
        at,
        message,
        statement.resource.address,
        f"{statement.attribute}[{identity}]",
        axis,
        term.text.replace(HOLE, "…"),
        condition,
        contain=contain,
        related=tuple(related),
        reach=reach_of(statement),
    )


def covering(hit: Hit, terms: Iterable[Term]) -> Hit:
    """The hit, with the places of terms of which it says all there is to say."""
    return replace(hit, covers=tuple(place(t.value, t.span) or t.span for t in terms))


hit_of = _hit
said = _said
because = _because
allows = _allows
restricted = _restricted
narrowed = _narrowed
exceptional = _exceptional
whole_service = _whole_service
is_anyone = _is_anyone
