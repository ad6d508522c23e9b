"""IAM bindings of Google Cloud and role assignments of Azure: who gets which role over what.

Sources: terraform-provider-google, IAM resources of each service (``…_iam_member`` adds one member,
``…_iam_binding`` replaces the members of a role, ``…_iam_policy`` replaces the policy), data source
``google_iam_policy``; terraform-provider-azurerm, ``azurerm_role_assignment``; Azure role-based access
control, "Understand scope". Which argument says the scope is in the table of bindings.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.evaluate.jsontext import decode
from blastdoor.fact import Authority, Binding, ScopeKind, Term
from blastdoor.facts.reading import HOLE, bodies_of, items_of, term, text_of
from blastdoor.value import (
    Known,
    Many,
    Mapping,
    OneOf,
    Reason,
    Text,
    Unknown,
    Value,
    known_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Mapping as Table

    from blastdoor.fact import Evaluated, Resource
    from blastdoor.span import Span

_SUBJECT: Final = re.compile(r"(?:data\.)?(azurerm_[a-z0-9_]+)\.[A-Za-z0-9_-]+\.id")
_GROUP: Final = "/providers/microsoft.management/managementgroups/"
_SUBSCRIPTION: Final = "/subscriptions/"
_RESOURCE_GROUP: Final = "/resourcegroups/"
_ROLE_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_AUTHORITIES: Final[dict[str, Authority]] = {
    "member": "additive",
    "binding": "role",
    "policy": "policy",
}
_KIND_OF_TYPE: Final[dict[str, ScopeKind]] = {
    "azurerm_subscription": "subscription",
    "azurerm_management_group": "management-group",
    "azurerm_resource_group": "resource-group",
}


def bindings(unit: Evaluated) -> Iterator[Binding]:
    """Every binding that a resource of the unit makes."""
    table = tables.bindings()
    definitions = {
        r.address: r
        for r in unit.resources
        if r.is_data and r.type == "azurerm_role_definition" and r.get("name") is not None
    }
    for resource in unit.resources:
        if resource.is_data:
            continue
        family, mark, form = resource.type.rpartition("_iam_")
        if mark and form in _AUTHORITIES and family.startswith("google_"):
            yield from _google(resource, family, form)
        elif resource.type in table.azure:
            yield from _azure(resource, table.azure[resource.type], definitions)
        for row in table.access.get(resource.type, ()):
            yield from _access(resource, row)


# Google Cloud


def _google(resource: Resource, family: str, form: str) -> Iterator[Binding]:
    row = tables.bindings().google.get(family)
    kind: ScopeKind = row.scope if row is not None else "resource"
    scope = resource.get(row.argument) if row is not None else None
    if scope is None and kind == "project":
        scope = resource.account
    authority = _AUTHORITIES[form]
    if form != "policy":
        members, unnamed, known = _members(
            resource.get("member" if form == "member" else "members"), resource.span
        )
        role = resource.get("role")
        yield Binding(
            resource,
            "google",
            kind,
            scope,
            known_text(role) or "",
            role,
            "role",
            members,
            unnamed,
            known,
            authority,
            _conditional(resource.get("condition")),
        )
        return
    given = resource.get("policy_data")
    document = decode(given) if given is not None and not isinstance(given, OneOf) else None
    entries = document.get("bindings") if isinstance(document, Mapping) else None
    for body in bodies_of(entries):
        members, unnamed, known = _members(body.get("members"), resource.span)
        role = body.get("role")
        yield Binding(
            resource,
            "google",
            kind,
            scope,
            known_text(role) or "",
            role,
            "policy_data.role",
            members,
            unnamed,
            known,
            authority,
            _conditional(body.get("condition")),
        )
    if isinstance(entries, Many) and entries.complete and entries.items:
        return
    yield Binding(
        resource,
        "google",
        kind,
        scope,
        "",
        given,
        "policy_data",
        (),
        0,
        members_known=False,
        authority=authority,
        conditional=None,
    )


def _members(value: Value | None, span: Span) -> tuple[tuple[Term, ...], int, bool]:
    """The members whose texts are known, how many are made or read here, and whether that is all."""
    items, complete = items_of(value)
    if isinstance(value, Unknown) and _is_named(value):
        items, complete = [value], True
    found: list[Term] = []
    unnamed = 0
    for item in items:
        one = term(item, span)
        if one is not None:
            found.append(one)
        elif _is_named(item):
            unnamed += 1
        else:
            complete = False
    return tuple(found), unnamed, complete


def _is_named(value: Value | None) -> bool:
    """Whether a value is an attribute of something that the configuration makes or reads."""
    return isinstance(value, Unknown) and value.reason in (Reason.COMPUTED, Reason.DATA_SOURCE)


def _conditional(value: Value | None) -> bool | None:
    """Whether a binding has a condition; ``None`` where that is not known."""
    if value is None or (isinstance(value, Known) and value.data is None):
        return False
    if isinstance(value, Many):
        if value.items:
            return True if value.complete else None
        return False if value.complete else None
    return True if isinstance(value, (Known, Mapping, Text)) else None


def _access(resource: Resource, row: tables.AccessRow) -> Iterator[Binding]:
    """An access entry of a bucket or dataset, which names a role and who has it side by side."""
    block, _dot, name = row.attribute.rpartition(".")
    for get in [body.get for body in bodies_of(resource.get(block))] if block else [resource.get]:
        for item in items_of(get(name))[0]:
            text = text_of(item)
            if text is None:
                continue
            role = known_text(get("role")) or ""
            if row.splits and ":" in text:
                role, _colon, text = text.partition(":")
            member = Term(text, item.span or resource.span, item)
            yield Binding(
                resource,
                "google",
                "resource",
                resource.get(row.scope),
                role,
                None,
                row.attribute,
                (member,),
                0,
                members_known=True,
                authority="additive",
                conditional=False,
            )


# Azure


def _azure(
    resource: Resource, row: tables.AssignmentRow, definitions: Table[str, Resource]
) -> Iterator[Binding]:
    scope = resource.get(row.argument) if row.argument else None
    kind: ScopeKind = row.scope if not row.argument else azure_scope(scope)
    name, attribute = resource.get("role_definition_name"), "role_definition_name"
    role = known_text(name) or ""
    if name is None or (isinstance(name, Known) and name.data is None):
        name, attribute = resource.get("role_definition_id"), "role_definition_id"
        role = _role_name(name) or _name_read(resource, name, definitions)
    principal, unnamed, known = _members(resource.get("principal_id"), resource.span)
    yield Binding(
        resource,
        "azure",
        kind,
        scope,
        role,
        name,
        attribute,
        principal,
        unnamed,
        known,
        "additive",
        _conditional(resource.get("condition")),
    )


def _role_name(value: Value | None) -> str:
    """The name of a built-in role by its id; other ids as they are, ``""`` for unknown ones."""
    text = text_of(value) if value is not None else None
    if text is None:
        return ""
    last = text.rsplit("/", 1)[-1].lower()
    if not _ROLE_ID.fullmatch(last):
        return ""
    return tables.bindings().azure_roles_by_id.get(last, last)


def _name_read(resource: Resource, value: Value | None, definitions: Table[str, Resource]) -> str:
    """The name of a role whose id a data source of the same module reads by its name."""
    if not isinstance(value, Unknown):
        return ""
    prefix = resource.address[: len(resource.address) - len(f"{resource.type}.{resource.name}")]
    found = definitions.get(f"{prefix}{value.subject.rpartition('.')[0]}")
    return (known_text(found.get("name")) or "") if found is not None else ""


def azure_scope(value: Value | None) -> ScopeKind:
    """What kind of scope an Azure id names; ``""`` where that is not known."""
    if value is None:
        return ""
    if isinstance(value, OneOf):
        kinds = {azure_scope(a.value) for a in value.alternatives}
        return kinds.pop() if len(kinds) == 1 else ""
    if isinstance(value, Unknown):
        found = _SUBJECT.fullmatch(value.subject)
        return _KIND_OF_TYPE.get(found.group(1), "resource") if found is not None else ""
    text = text_of(value)
    return "" if text is None else _kind_of_id(text.lower().rstrip("/") or "/", value)


def _kind_of_id(text: str, value: Value) -> ScopeKind:
    if text == "/":
        return "tenant"
    if text.startswith(_GROUP):
        return "resource" if "/" in text[len(_GROUP) :] else "management-group"
    if text.startswith(_SUBSCRIPTION):
        _id, slash, below = text[len(_SUBSCRIPTION) :].partition("/")
        return _below(f"/{below}") if slash else "subscription"
    if not text.startswith(HOLE):
        return "resource" if text.startswith("/providers/") else ""
    if text == HOLE:
        holes = [p for p in getattr(value, "parts", ()) if isinstance(p, Value)]
        return azure_scope(holes[0]) if len(holes) == 1 else ""
    below = text[len(HOLE) :]
    return _below(below) if below.startswith("/") and HOLE not in below.split("/")[1] else ""


def _below(text: str) -> ScopeKind:
    """What a path below a subscription names."""
    if text.startswith(_RESOURCE_GROUP) and "/" not in text[len(_RESOURCE_GROUP) :]:
        return "resource-group"
    return "resource"


def policy_effect(definition: Resource) -> str | None:
    """The effect of an Azure policy when its rule names one that refuses or changes what others do."""
    given = definition.get("policy_rule")
    rule = decode(given) if given is not None else None
    then = rule.get("then") if isinstance(rule, Mapping) else None
    effect = known_text(then.get("effect")) if isinstance(then, Mapping) else None
    if effect is None or effect.lower() not in tables.bindings().blocking_effects:
        return None
    return effect


def obstacles(found: Iterable[Binding]) -> Iterator[Value | None]:
    """For each binding the value that keeps it from being known, or ``None``.

    A role that this configuration makes is no obstacle, nor is a member that it makes or reads: its
    address says which it is.
    """
    for binding in found:
        yield _obstacle(binding)


def _obstacle(binding: Binding) -> Value | None:
    if not binding.kind and binding.scope is not None:
        return binding.scope
    if not binding.role and _is_outside(binding.role_value):
        return binding.role_value
    if binding.members_known:
        return None
    for name in ("member", "members", "principal_id"):
        value = binding.resource.get(name)
        items, complete = items_of(value)
        if value is not None and not complete and not items:
            return value
        for item in items:
            if text_of(item) is None and not _is_named(item):
                return item
    return None


def _is_outside(value: Value | None) -> bool:
    return not (value is None or (isinstance(value, Unknown) and value.reason is Reason.COMPUTED))
