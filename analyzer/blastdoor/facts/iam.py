"""IAM policy documents to statements.

Sources: AWS IAM User Guide, "IAM JSON policy element reference"; which Terraform argument holds a
policy document of which kind is in the table of policy attributes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.evaluate.jsontext import decode
from blastdoor.fact import Resource, Statement, Term
from blastdoor.facts.reading import at_path, items_of, term
from blastdoor.record import dataclass
from blastdoor.value import (
    Encoded,
    Known,
    Many,
    Mapping,
    Meaning,
    OneOf,
    Step,
    Unknown,
    Value,
    alternatives,
    known_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from blastdoor.fact import Evaluated
    from blastdoor.span import Span


_MANAGED: Final = re.compile(r"aws_iam_policy\.[\w-]+|[A-Za-z][A-Za-z0-9]*\Z")
"""A reference to a managed policy, as Terraform and as CloudFormation write it."""
_BOUNDARIES: Final = ("permissions_boundary", "PermissionsBoundary")
"""What types of identities call their boundary."""
_TRUST_ACTIONS: Final = ("sts:assumerole", "sts:tagsession", "sts:setsourceidentity")
"""What only the trust policy of a role allows, in lower case; the first is a prefix."""


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """One policy document: where it is attached, its kind, and its content when it is known."""

    resource: Resource
    attribute: str
    kind: str
    value: Value
    document: Value | None


def policies(unit: Evaluated) -> Iterator[Policy]:
    """Every policy document that a resource of the unit carries.

    A ``aws_iam_policy_document`` whose document reaches no resource here comes last, as what it
    most likely is: a resource policy when it names principals, an identity policy otherwise.
    """
    used: set[tuple[str, int]] = set()
    documents: list[Resource] = []
    table = tables.policy_attributes()
    boundaries = _boundaries(unit)
    for resource in unit.resources:
        if resource.is_data:
            if resource.type == "aws_iam_policy_document":
                documents.append(resource)
            continue
        for row in table.get(resource.type, ()):
            kind = _kind(resource, row)
            if kind is None:
                continue
            if resource.address in boundaries:
                kind = "boundary"
            attribute = row.attribute
            for value in at_path(resource.get, attribute):
                for alternative in alternatives(value):
                    inner = alternative.value
                    if isinstance(inner, Known) and inner.data in (None, ""):
                        continue
                    if value.via and inner is not value:
                        inner = inner.through(*value.via)
                    for evidence in inner.via:
                        if evidence.step is Step.DATA:
                            used.add((evidence.span.path, evidence.span.start))
                    document = None if isinstance(value, OneOf) else _document(inner)
                    yield Policy(resource, attribute, kind, inner, document)
    for resource in documents:
        if (resource.span.path, resource.span.start) in used:
            continue
        if resource.address in unit.idle_documents:
            continue
        blocks = resource.get("statement")
        if blocks is None:
            continue
        document = _own_document(resource)
        if document is not None:
            yield Policy(resource, "statement", "document", document, document.inner)


def _document(value: Value) -> Value | None:
    """What a policy says: a text of JSON, or the structure itself where the language takes one."""
    return value if isinstance(value, Mapping) else decode(value)


def _boundaries(unit: Evaluated) -> set[str]:
    """Addresses of managed policies that only limit: permissions boundaries, attached to nothing.

    A boundary grants nothing (IAM User Guide, "Permissions boundaries for IAM entities"). It is one
    when an identity of the unit names it so, or when its own name says so.
    """
    limiting: set[str] = set()
    attached: set[str] = set()
    attachments = tables.policy_attachments()
    for resource in unit.resources:
        if resource.is_data:
            continue
        managed = tables.things("managed-policy").get(resource.type)
        if managed is not None:
            name = known_text(resource.get(managed.names["name"])) or ""
            if "boundary" in f"{resource.address} {name}".lower():
                limiting.add(resource.address)
        for boundary in _BOUNDARIES:
            named = resource.get(boundary)
            if named is not None:
                limiting.update(_referred(resource, named))
        attribute = attachments.get(resource.type)
        if attribute is not None:
            given = resource.get(attribute)
            for item in (given, *items_of(given)[0]):
                attached.update(_referred(resource, item))
    return limiting - attached


def _referred(resource: Resource, value: Value | None) -> Iterator[str]:
    """The address of the managed policy that an argument of a resource refers to."""
    for alternative in alternatives(value) if value is not None else ():
        inner = alternative.value
        match = _MANAGED.match(inner.subject) if isinstance(inner, Unknown) else None
        if match is not None:
            yield module_of(resource) + match.group()


def module_of(resource: Resource) -> str:
    """The module path of a resource with its last dot: ``module.a.``, or ``""`` for the root."""
    if "::" in resource.type:
        return resource.address.removesuffix(resource.name)
    prefix = "data." if resource.is_data else ""
    return resource.address.removesuffix(f"{prefix}{resource.type}.{resource.name}")


def _own_document(resource: Resource) -> Encoded | None:
    from blastdoor.evaluate.data_sources import data_attribute

    value = data_attribute(
        "aws_iam_policy_document",
        "json",
        resource.get,
        resource.provider,
        resource.address,
        resource.span,
    )
    return value if isinstance(value, Encoded) else None


def _kind(resource: Resource, row: tables.PolicyAttribute) -> str | None:
    """The kind of a policy argument; ``None`` where it holds none, or which is not known."""
    if not row.decided_by:
        return row.kind
    given = resource.get(row.decided_by)
    if given is None:
        return row.kind_for(None)
    name = known_text(given)
    return None if name is None else row.kind_for(name)


def statements(found: Iterable[Policy]) -> Iterator[Statement]:
    """The statements of policy documents.

    A document that goes into another one, and with it to a resource, is told there and not again,
    also where the resource is in a module below or around.
    """
    told: dict[tuple[str, int], set[str]] = {}
    """Place of a statement → the modules that told it."""
    for policy in found:
        module = module_of(policy.resource)
        document = policy.document
        if not isinstance(document, Mapping):
            continue
        body = document.get("Statement")
        items: tuple[Value, ...] = ()
        if isinstance(body, Mapping):
            items = (body,)
        elif isinstance(body, Many):
            items = body.items
        for item in items:
            if isinstance(item, Mapping):
                span = item.span or policy.value.span or policy.resource.span
                tellers = told.setdefault((span.path, span.start), set())
                if policy.kind == "document" and any(
                    one.startswith(module) or module.startswith(one) for one in tellers
                ):
                    continue
                tellers.add(module)
                statement = _statement(policy, item)
                if statement is not None:
                    yield statement


def _statement(policy: Policy, body: Mapping) -> Statement | None:
    effect = known_text(body.get("Effect"))
    if effect is None:
        return None
    span = body.span or policy.value.span or policy.resource.span
    unresolved: list[tuple[str, Value]] = []
    lists: dict[str, tuple[Term, ...]] = {}
    for name in ("Action", "NotAction", "Resource", "NotResource"):
        lists[name], unknown = _terms(body.get(name), span, policy)
        unresolved.extend((name, value) for value in unknown)
    negated = "NotPrincipal" in body.entries
    name = "NotPrincipal" if negated else "Principal"
    principals, unknown = _principals(body.get(name), span, policy)
    unresolved.extend((name, value) for value in unknown)
    complete = body.complete and not unresolved
    conditions, untold, conditions_known = _conditions(body.get("Condition"), span)
    kind = policy.kind
    if kind == "document":
        kind = "resource" if principals or unknown else "identity"
        if kind == "resource" and _trusts(lists["Action"]):
            kind = "trust"
    return Statement(
        policy.resource,
        policy.attribute,
        kind,
        effect,
        known_text(body.get("Sid")) or "",
        span,
        principals,
        negated,
        lists["NotAction"] or lists["Action"],
        bool(lists["NotAction"]),
        lists["NotResource"] or lists["Resource"],
        bool(lists["NotResource"]),
        conditions,
        complete,
        conditions_known,
        key_spans=body.key_spans,
        unresolved=tuple(unresolved),
        untold=untold,
        principal_references=tuple(
            _references(body.get("NotPrincipal" if negated else "Principal"))
        ),
    )


def _trusts(actions: tuple[Term, ...]) -> bool:
    """Whether a statement with principals is one of a role's trust policy."""
    return bool(actions) and all(term.text.lower().startswith(_TRUST_ACTIONS) for term in actions)


def _references(value: Value | None) -> Iterator[tuple[str, Unknown]]:
    """The principals that refer to resources, each said to stand at the key that holds it.

    What is not known may say where it was first used instead.
    """
    if isinstance(value, Mapping):
        for kind, inner in value.entries.items():
            items = [inner] if isinstance(inner, Unknown) else items_of(inner)[0]
            key = value.key_spans.get(kind)
            for item in items:
                if isinstance(item, Unknown) and item.meaning is Meaning.RESOURCE:
                    placed = item if key is None else item.at(key)
                    assert isinstance(placed, Unknown)
                    yield kind, placed


def _carried(value: Value, policy: Policy) -> Value:
    """The value with the evidence that brought the whole document to the resource.

    Where the document is used says nothing about where the element stands.
    """
    extra = tuple(
        e for e in policy.value.via if e.step is not Step.ATTRIBUTE and e not in value.via
    )
    return value.through(*extra) if extra else value


def _terms(value: Value | None, span: Span, policy: Policy) -> tuple[tuple[Term, ...], list[Value]]:
    """The elements of a list that are texts, and what is not known of it."""
    items, complete = items_of(value)
    terms: list[Term] = []
    unknown: list[Value] = [] if complete or value is None else [value]
    for item in items:
        found = term(_carried(item, policy), span)
        if found is None:
            unknown.append(item)
        else:
            terms.append(found)
    return tuple(terms), unknown


def _principals(
    value: Value | None, span: Span, policy: Policy
) -> tuple[tuple[tuple[str, Term], ...], list[Value]]:
    if isinstance(value, Mapping):
        found: list[tuple[str, Term]] = []
        unknown: list[Value] = [] if value.complete else [value]
        for kind, inner in value.entries.items():
            terms, missing = _terms(inner, span, policy)
            unknown.extend(missing)
            found.extend((kind, item) for item in terms)
        return tuple(found), unknown
    terms, unknown = _terms(value, span, policy)
    return tuple(("*", item) for item in terms), unknown


def _conditions(
    value: Value | None, span: Span
) -> tuple[tuple[tuple[str, str, tuple[Term, ...]], ...], tuple[tuple[Value, ...], ...], bool]:
    if value is None:
        return (), (), True
    if not isinstance(value, Mapping):
        return (), (), False
    found: list[tuple[str, str, tuple[Term, ...]]] = []
    untold: list[tuple[Value, ...]] = []
    known = value.complete
    for operator, keys in value.entries.items():
        if not isinstance(keys, Mapping):
            known = False
            continue
        known = known and keys.complete
        for name, values in keys.entries.items():
            items, complete = items_of(values)
            terms = [term(item, span) for item in items]
            open_ = [item for item, one in zip(items, terms, strict=True) if one is None]
            untold.append((*open_, values) if not complete else tuple(open_))
            found.append((operator, name.lower(), tuple(t for t in terms if t is not None)))
    return tuple(found), tuple(untold), known
