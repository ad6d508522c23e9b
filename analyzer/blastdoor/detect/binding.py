"""Judgements over IAM bindings of Google Cloud and role assignments of Azure.

Sources: Google Cloud IAM documentation, "Roles and permissions" and "Resource hierarchy"; Azure
role-based access control, "Understand scope" and "Azure built-in roles"; the documentation of the
provider's resources that the table of bindings names.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.detect.hit import Hit
from blastdoor.facts.binding import policy_effect
from blastdoor.facts.reading import (
    HOLE,
    at_path,
    chain,
    items_of,
    origin,
    place,
    text_of,
    truth,
    words_of,
)
from blastdoor.finding import Related
from blastdoor.reach import (
    Accounts,
    Actions,
    Organization,
    OrganizationalUnit,
    Principals,
    Reach,
    account,
)
from blastdoor.value import Reason, Unknown, known_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.fact import Binding, Facts, Resource, Term
    from blastdoor.value import Key, Value

_CUSTOM_ROLE: Final = re.compile(r"google_[a-z]+_iam_custom_role\.")
"""A role that is made here: nobody else gives it to anyone."""
_BREAK_GLASS: Final = re.compile(r"break[-_]?glass|emergency", re.IGNORECASE)
_SHOWN: Final = 3
"""Members that a message names."""
_LETTERS: Final = 4
"""Known letters that make a text with holes worth showing."""
_SCOPES: Final = {
    "organization": "the whole organization",
    "folder": "every project below the folder",
    "tenant": "the whole tenant",
    "management-group": "every subscription below the management group",
    "subscription": "every resource of the subscription",
}


def _because(value: Value | None) -> str:
    where = origin(value) if value is not None else ""
    return f", {where}" if where else ""


def _who(binding: Binding) -> str:
    """The members in words, as far as they are known."""
    names = [m.text.replace(HOLE, "…") for m in binding.members if m.text.strip(HOLE)]
    if not names:
        return "a principal"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


def _scope_name(binding: Binding) -> str:
    """What a binding holds for, as far as a reader would know it; ``""`` where that is nothing."""
    value = binding.scope
    if isinstance(value, Unknown):
        subject = value.subject
        return subject if subject[:1].isalpha() and not subject.startswith("each.") else ""
    text = text_of(value) if value is not None else None
    if text is None:
        return ""
    letters = sum(letter.isalnum() for letter in text)
    return text.replace(HOLE, "…") if letters >= _LETTERS else ""


def _grants_nobody(binding: Binding) -> bool:
    """Whether a binding lists its members and there are none."""
    return binding.members_known and not binding.members and not binding.unnamed


def _role_hit(
    binding: Binding,
    message: str,
    *,
    axis: str,
    condition: str,
    contain: str,
    reach: Reach | None = None,
) -> Hit:
    """A finding that sits on the role."""
    value = binding.role_value
    fallback = binding.resource.span
    at = (place(value, fallback) if value is not None else None) or fallback
    related = list(chain(value, at)) if value is not None else []
    header = binding.resource.span
    if header.path != at.path or header.start != at.start:
        related.append(Related(header, f"bound by {binding.resource.address}"))
    return Hit(
        at,
        message,
        binding.resource.address,
        f"{binding.role_attribute}[{binding.role}]",
        axis,
        binding.role,
        condition,
        contain=contain,
        related=tuple(related),
        reach=reach,
    )


# Google Cloud


class Owned:
    """The projects and folders that a unit makes, to tell one's own from those of others."""

    def __init__(self, facts: Facts) -> None:
        self._addresses: set[str] = set()
        self._ids: set[tuple[str, Key]] = set()
        for resource in facts.unit.resources:
            if resource.type not in ("google_project", "google_folder") or resource.is_data:
                continue
            self._addresses.add(resource.address)
            own = resource.get("project_id")
            if own is not None:
                self._ids.add((_module_of(resource), own.key()))

    def has_project_of(self, resource: Resource) -> bool:
        """Whether the project that a resource is in is made in the same module."""
        return self.has(resource, resource.account, "google_project")

    def has(self, user: Resource, scope: Value | None, type_: str) -> bool:
        """Whether the scope that a resource names is made in the same module."""
        if not self._addresses or scope is None:
            return False
        prefix = _module_of(user)
        if isinstance(scope, Unknown):
            owner = ".".join(scope.subject.split(".")[:2])
            return owner.startswith(f"{type_}.") and f"{prefix}{owner}" in self._addresses
        return (prefix, scope.key()) in self._ids


def _module_of(resource: Resource) -> str:
    """The address of the module instance that a resource is in, with a dot behind it."""
    return resource.address[: len(resource.address) - len(f"{resource.type}.{resource.name}")]


def gcp_org_or_folder_binding(facts: Facts) -> Iterator[Hit]:
    """A broad role is granted at organization or folder level."""
    table = tables.bindings()
    owned = Owned(facts)
    for binding in facts.bindings:
        if binding.cloud != "google" or binding.kind not in ("organization", "folder"):
            continue
        row = table.administrators.get(binding.role)
        read = binding.role in table.read_roles
        if row is None and not read and binding.role not in table.basic_roles:
            continue
        if _grants_nobody(binding) or binding.conditional is None:
            continue
        if binding.conditional and _is_break_glass(binding):
            continue
        what = "may read everything" if read else "may change everything"
        hit = _role_hit(
            binding,
            f"accounts: {_over(binding)}: {_who(binding)} {what if row is None else row.may} "
            f"({binding.role}{_because(binding.role_value)}), by {binding.resource.address}",
            axis="accounts",
            condition=_google_condition(binding, owned),
            contain="grant a predefined role on the project or the resource that needs it",
            reach=_reach(binding),
        )
        yield hit if row is None else replace(hit, level=row.level)


def _google_condition(binding: Binding, owned: Owned) -> str:
    if binding.role in tables.bindings().read_roles:
        return "read-only"
    if binding.conditional:
        return "conditional"
    return "own-folder" if owned.has(binding.resource, binding.scope, "google_folder") else ""


def _reach(binding: Binding) -> Reach | None:
    """The accounts that a binding reaches, where the code names them."""
    if binding.kind in ("organization", "tenant"):
        return Reach(accounts=Accounts(Organization()))
    name = _scope_name(binding)
    if binding.kind in ("folder", "management-group") and name:
        return Reach(accounts=Accounts(OrganizationalUnit(name)))
    text = known_text(binding.scope)
    if binding.kind == "subscription" and text is not None:
        return Reach(accounts=Accounts(account(text)))
    return None


def _is_break_glass(binding: Binding) -> bool:
    words = [binding.resource.address, *(m.text for m in binding.members)]
    return any(_BREAK_GLASS.search(word) for word in words)


def gcp_basic_role_project(facts: Facts) -> Iterator[Hit]:
    """A basic role that changes everything is granted on a project."""
    table = tables.bindings()
    owned = Owned(facts)
    for binding in facts.bindings:
        if binding.cloud != "google" or binding.kind != "project":
            continue
        if binding.role not in table.basic_roles or binding.conditional is None:
            continue
        if _grants_nobody(binding) or _only_agents(binding, table):
            continue
        condition = "conditional" if binding.conditional else ""
        if owned.has_project_of(binding.resource):
            condition = "project-factory"
        yield _role_hit(
            binding,
            f"actions: {_who(binding)} may change everything in {_project(binding)} "
            f"({binding.role}{_because(binding.role_value)}), by "
            f"{binding.resource.address}",
            axis="actions",
            condition=condition,
            contain="grant the predefined roles of the services that are used",
            reach=Reach(actions=Actions("*")),
        )


def _only_agents(binding: Binding, table: tables.Bindings) -> bool:
    """Whether all members are agents of Google itself, which have the role anyway."""
    return (
        binding.members_known
        and not binding.unnamed
        and all(m.text.endswith(table.service_agents) for m in binding.members)
    )


def gcp_public_member(facts: Facts) -> Iterator[Hit]:
    """Everyone, or everyone with a Google account, receives a role."""
    table = tables.bindings()
    for binding in facts.bindings:
        if binding.cloud != "google":
            continue
        for member in binding.members:
            if member.text not in table.public_members:
                continue
            yield _public(binding, member, table)


def _public(binding: Binding, member: Term, table: tables.Bindings) -> Hit:
    at = place(member.value, member.span) or member.span
    who = "everyone" if member.text == "allUsers" else "everyone who has a Google account"
    role = binding.role or "a role"
    related = list(chain(member.value, at))
    header = binding.resource.span
    if header.path != at.path or header.start != at.start:
        related.append(Related(header, f"bound by {binding.resource.address}"))
    return Hit(
        at,
        f"principals: {who} ({member.text}{_because(member.value)}) gets {role}"
        f"{_on(binding)}, by {binding.resource.address}",
        binding.resource.address,
        f"members[{binding.role}]",
        "principals",
        member.text,
        "public-read" if _is_public_read(binding, table) else "",
        contain="name the identities that need it",
        related=tuple(related),
        reach=Reach(principals=Principals(member.text)),
    )


def _is_public_read(binding: Binding, table: tables.Bindings) -> bool:
    """Whether a role is one that public websites and services give to everyone."""
    if binding.role not in table.public_read_roles:
        return False
    return binding.role.startswith("roles/") or binding.resource.type.startswith("google_storage_")


def _on(binding: Binding) -> str:
    if binding.kind in ("organization", "folder"):
        return f" on {_SCOPES[binding.kind]}"
    return f" on {_project(binding)}" if binding.kind == "project" else ""


def _over(binding: Binding) -> str:
    name = _scope_name(binding)
    return f"{_SCOPES[binding.kind]} ({name})" if name else _SCOPES[binding.kind]


def _project(binding: Binding) -> str:
    name = _scope_name(binding)
    return f"the project {name}" if name else "its project"


# Azure


def azure_broad_scope_assignment(facts: Facts) -> Iterator[Hit]:
    """A broad role or a blocking policy holds for a subscription or more."""
    roles = tables.bindings().azure_roles
    own = _broad_definitions(facts)
    for binding in facts.bindings:
        if binding.cloud != "azure" or binding.kind not in _SCOPES:
            continue
        custom = _definition_of(binding, own)
        if binding.role.lower() not in roles and custom is None:
            continue
        if binding.conditional is None:
            continue
        yield _azure_hit(binding, custom)
    yield from _blocking_policies(facts)


def _azure_hit(binding: Binding, custom: Resource | None) -> Hit:
    name = binding.role if custom is None else f"{custom.address}, which allows `*`"
    condition = "subscription" if binding.kind == "subscription" else ""
    if binding.conditional:
        condition = "conditional-subscription" if condition else "conditional"
    return _role_hit(
        binding,
        f"accounts: {_over(binding)}: a principal gets {name}"
        f"{_because(binding.role_value)}, by {binding.resource.address}",
        axis="accounts",
        condition=condition,
        contain="assign a narrower role on the resource group that needs it",
        reach=_reach(binding),
    )


def _broad_definitions(facts: Facts) -> dict[str, Resource]:
    """Address → role definition of this unit that allows every action."""
    found: dict[str, Resource] = {}
    for resource in facts.unit.resources:
        if resource.type != "azurerm_role_definition" or resource.is_data:
            continue
        for value in at_path(resource.get, "permissions.actions"):
            if any(known_text(item) == "*" for item in items_of(value)[0]):
                found[resource.address] = resource
    return found


def _definition_of(binding: Binding, own: dict[str, Resource]) -> Resource | None:
    value = binding.role_value
    if not own or not isinstance(value, Unknown):
        return None
    prefix = _module_of(binding.resource)
    name, _dot, _attribute = value.subject.rpartition(".")
    return own.get(f"{prefix}{name}")


_POLICY_SCOPES: Final = {
    "azurerm_management_group_policy_assignment": ("management_group_id", "management-group"),
    "azurerm_subscription_policy_assignment": ("subscription_id", "subscription"),
}


def _blocking_policies(facts: Facts) -> Iterator[Hit]:
    """Policies of this unit that refuse or change what others deploy, for a subscription or more."""
    definitions = {
        r.address: r
        for r in facts.unit.resources
        if r.type == "azurerm_policy_definition" and not r.is_data
    }
    for resource in facts.unit.resources:
        row = _POLICY_SCOPES.get(resource.type)
        if row is None or resource.is_data or truth(resource.get("enforce")) is False:
            continue
        given = resource.get("policy_definition_id")
        if not isinstance(given, Unknown):
            continue
        prefix = _module_of(resource)
        definition = definitions.get(f"{prefix}{given.subject.rpartition('.')[0]}")
        effect = policy_effect(definition) if definition is not None else None
        if definition is None or effect is None:
            continue
        attribute, kind = row
        scope = resource.get(attribute)
        at = place(given, resource.span) or resource.span
        yield Hit(
            at,
            f"accounts: {_SCOPES[kind]} ({words_of(scope)}): the policy {definition.address} "
            f"answers every deployment with {effect}, by {resource.address}",
            resource.address,
            "policy_definition_id",
            "accounts",
            effect,
            "policy",
            contain="assign it to one resource group first, or with enforce = false",
            related=(Related(definition.span, f"the policy, with the effect {effect}"),),
        )


# What replaces


def authoritative_replacement(facts: Facts) -> Iterator[Hit]:
    """A resource replaces a whole policy or record set instead of adding to it.

    What replaces on a single bucket or topic is common: one finding for each kind and file.
    """
    seen: set[str] = set()
    owned = Owned(facts)
    leaves: dict[tuple[str, str], list[Binding]] = defaultdict(list)
    for binding in facts.bindings:
        resource = binding.resource
        if binding.authority == "additive" or resource.address in seen:
            continue
        seen.add(resource.address)
        if binding.kind == "resource":
            leaves[resource.span.path, resource.type].append(binding)
        else:
            yield _replaces(binding, owned)
    for bindings in leaves.values():
        hit = _replaces(bindings[0], owned)
        others = {(b.resource.span.path, b.resource.span.start): b for b in bindings[1:]}
        others.pop((hit.span.path, hit.span.start), None)
        verb = "does" if len(others) == 1 else "do"
        more = f", as {verb} {len(others)} more of its kind in this file" if others else ""
        related = tuple(
            Related(b.resource.span, f"{b.resource.address} replaces too")
            for b in list(others.values())[:20]
        )
        yield replace(hit, message=f"{hit.message}{more}", related=related)
    yield from _exclusive(facts)


def _exclusive(facts: Facts) -> Iterator[Hit]:
    table = tables.bindings().replacements
    for resource in facts.unit.resources:
        row = table.get(resource.type)
        if row is None or resource.is_data:
            continue
        yield Hit(
            resource.span,
            f"principals: removes {row.removes}, whoever put it there, at every apply of "
            f"{resource.address}",
            resource.address,
            "",
            "principals",
            resource.type,
            _policy_condition(resource.get("policy_arn")),
            level=row.level,
            contain=f"use {row.instead}",
        )


def _policy_condition(arn: Value | None) -> str:
    if not isinstance(arn, Unknown):
        return ""
    return "own-policy" if arn.reason is Reason.COMPUTED else "unknown-policy"


def _replaces(binding: Binding, owned: Owned) -> Hit:
    resource = binding.resource
    family = resource.type.rpartition("_iam_")[0]
    whole = binding.authority == "policy"
    what = "every other member and role" if whole else "every other member of its role"
    where = _SCOPES.get(binding.kind)
    if where is None:
        noun = family.removeprefix("google_").replace("_", " ")
        name = _scope_name(binding)
        where = f"the {noun} {name}" if name else f"its {noun}"
    return Hit(
        resource.span,
        f"principals: removes {what} on {where}, whoever put it there, at every apply of "
        f"{resource.address}",
        resource.address,
        "",
        "principals",
        resource.type,
        _replacement_condition(binding, owned),
        contain=f"use {family}_iam_member",
    )


def _replacement_condition(binding: Binding, owned: Owned) -> str:
    if binding.kind == "resource":
        return "leaf"
    whole = binding.authority == "policy"
    role = binding.role_value
    if not whole and isinstance(role, Unknown) and _CUSTOM_ROLE.match(role.subject):
        return "own-role"
    owner = {"project": "google_project", "folder": "google_folder"}.get(binding.kind, "")
    if owner and owned.has(binding.resource, binding.scope, owner):
        return "own-project-policy" if whole else "own-project"
    return "" if whole else "binding"
