"""Data sources that are known, or partly known, without asking the cloud.

Sources: Terraform AWS provider documentation of ``aws_region``, ``aws_regions``, ``aws_partition``,
``aws_caller_identity``, ``aws_iam_policy_document`` and ``aws_organizations_organization``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from blastdoor.evaluate import cloud_data
from blastdoor.evaluate.jsontext import decode
from blastdoor.reach import partition_of
from blastdoor.value import (
    Alternative,
    Encoded,
    Known,
    Many,
    Mapping,
    Meaning,
    OneOf,
    Piece,
    Reason,
    Text,
    Unknown,
    Value,
    known_text,
    one_of,
    within_budget,
)

if TYPE_CHECKING:
    from blastdoor.fact import Provider
    from blastdoor.span import Span

Get = Callable[[str], Value | None]

DNS_SUFFIX: Final = {
    "aws": "amazonaws.com",
    "aws-us-gov": "amazonaws.com",
    "aws-cn": "amazonaws.com.cn",
    "aws-eusc": "amazonaws.eu",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
}
"""botocore ``partitions.json``, ``outputs.dnsSuffix``."""


def partition_of_region(region: Value | None) -> Value:
    """The partition of a region value."""
    if isinstance(region, OneOf):
        return one_of(
            [Alternative(partition_of_region(a.value), a.condition) for a in region.alternatives]
        )
    name = known_text(region)
    if name:
        assert region is not None
        return Known(partition_of(name), region.span, region.via)
    return Unknown(Reason.ENVIRONMENT, "the current partition", meaning=Meaning.CURRENT_PARTITION)


def data_attribute(
    type_: str, attribute: str, get: Get, provider: Provider | None, subject: str, span: Span
) -> Value | None:
    """The value of a data source's attribute; ``None`` when only AWS can answer."""
    handler = _HANDLERS.get(type_)
    return None if handler is None else handler(attribute, get, provider, subject, span)


def _region(
    attribute: str, get: Get, provider: Provider | None, subject: str, span: Span
) -> Value | None:
    if attribute not in ("name", "id", "region"):
        return None
    for argument in ("region", "name"):
        given = get(argument)
        if given is not None and not (isinstance(given, Known) and given.data is None):
            return given
    if provider is None:
        return Unknown(Reason.ENVIRONMENT, subject, span, meaning=Meaning.CURRENT_REGION)
    region = provider.region
    if isinstance(region, Unknown) and region.meaning is None:
        return Unknown(region.reason, subject, span, region.via, meaning=Meaning.CURRENT_REGION)
    return region


def _regions(
    attribute: str, get: Get, provider: Provider | None, subject: str, span: Span
) -> Value | None:
    if attribute not in ("names", "id"):
        return None
    blocks = get("filter")
    if isinstance(blocks, Many):
        for block in blocks.items:
            if isinstance(block, Mapping) and known_text(block.get("name")) not in (
                "opt-in-status",
                None,
            ):
                return None
    partition = partition_of_region(provider.region) if provider is not None else None
    return Unknown(
        Reason.DATA_SOURCE,
        subject,
        span,
        meaning=Meaning.EVERY_REGION,
        partition=known_text(partition),
    )


def _partition(
    attribute: str, _get: Get, provider: Provider | None, subject: str, span: Span
) -> Value | None:
    if attribute not in ("partition", "id", "dns_suffix", "reverse_dns_prefix"):
        return None
    partition: Value = (
        provider.partition
        if provider is not None
        else Unknown(Reason.ENVIRONMENT, subject, span, meaning=Meaning.CURRENT_PARTITION)
    )
    if attribute in ("partition", "id"):
        if isinstance(partition, Unknown):
            return Unknown(partition.reason, subject, span, (), meaning=Meaning.CURRENT_PARTITION)
        return partition
    name = known_text(partition)
    suffix = DNS_SUFFIX.get(name) if name else None
    if suffix is None:
        return Unknown(Reason.ENVIRONMENT, subject, span)
    if attribute == "reverse_dns_prefix":
        suffix = ".".join(reversed(suffix.split(".")))
    return Known(suffix, span)


def _caller_identity(
    attribute: str, _get: Get, provider: Provider | None, subject: str, span: Span
) -> Value | None:
    if attribute not in ("account_id", "id"):
        return None
    if provider is not None and isinstance(provider.account, (Known, OneOf)):
        return provider.account
    return Unknown(Reason.ENVIRONMENT, subject, span, meaning=Meaning.CURRENT_ACCOUNT)


def organization_attribute(attribute: str, subject: str, span: Span) -> Value | None:
    """What is known of an organization's attributes (the resource and the data source)."""
    if attribute == "roots":
        root = Mapping(
            {
                "id": Unknown(
                    Reason.DATA_SOURCE,
                    f"{subject}[0].id",
                    span,
                    meaning=Meaning.ORGANIZATION_ROOT,
                )
            },
            span,
            complete=False,
        )
        return Many((root,), span)
    if attribute in ("id", "arn"):
        return Unknown(Reason.DATA_SOURCE, subject, span, meaning=Meaning.ORGANIZATION)
    if attribute in ("accounts", "non_master_accounts"):
        return Unknown(Reason.DATA_SOURCE, subject, span, meaning=Meaning.EVERY_ACCOUNT)
    return None


def _organization(
    attribute: str, _get: Get, _provider: Provider | None, subject: str, span: Span
) -> Value | None:
    return organization_attribute(attribute, subject, span)


# aws_iam_policy_document


def _policy_document(
    attribute: str, get: Get, _provider: Provider | None, _subject: str, span: Span
) -> Value | None:
    if attribute not in ("json", "minified_json"):
        return None
    sources, sources_known = _documents(get("source_policy_documents"), get("source_json"))
    overrides, overrides_known = _documents(get("override_policy_documents"), get("override_json"))
    own, own_known = _blocks(get("statement"))
    statements: list[Value] = []
    for statement in (*sources, *(_statement(block) for block in own), *overrides):
        sid = known_text(statement.get("Sid")) if isinstance(statement, Mapping) else None
        replaced = False
        if sid:
            for number, old in enumerate(statements):
                if isinstance(old, Mapping) and known_text(old.get("Sid")) == sid:
                    statements[number] = statement
                    replaced = True
        if not replaced:
            statements.append(statement)
    entries: dict[str, Value] = {
        "Version": get("version") or Known("2012-10-17", span),
        "Statement": Many(
            tuple(statements), span, complete=sources_known and overrides_known and own_known
        ),
    }
    return within_budget(Encoded(Mapping(entries, span), span))


def _blocks(value: Value | None) -> tuple[list[Mapping], bool]:
    """The bodies of nested blocks, and whether these are all."""
    if value is None:
        return [], True
    if isinstance(value, Mapping):
        return [value], True
    if isinstance(value, Many):
        bodies = [item for item in value.items if isinstance(item, Mapping)]
        return bodies, value.complete and len(bodies) == len(value.items)
    return [], False


def _documents(many: Value | None, one: Value | None) -> tuple[list[Value], bool]:
    """The statements of source or override documents, and whether these are all."""
    items: list[Value] = []
    known = True
    if isinstance(many, Many):
        items.extend(many.items)
        known = many.complete
    elif many is not None and not (isinstance(many, Known) and many.data is None):
        known = False
    if one is not None and not (isinstance(one, Known) and one.data in (None, "")):
        items.append(one)
    statements: list[Value] = []
    for item in items:
        if isinstance(item, Known) and item.data in ("", None):
            continue
        document = decode(item)
        body = document.get("Statement") if isinstance(document, Mapping) else None
        if isinstance(body, Mapping):
            statements.append(body)
        elif isinstance(body, Many):
            statements.extend(body.items)
            known = known and body.complete
        else:
            known = False
    return statements, known


_LISTS: Final = (
    ("actions", "Action"),
    ("not_actions", "NotAction"),
    ("resources", "Resource"),
    ("not_resources", "NotResource"),
)


def _statement(block: Mapping) -> Value:
    """A ``statement`` block as the JSON statement that the provider makes of it."""
    entries: dict[str, Value] = {}
    spans = {}
    sid = block.get("sid")
    if sid is not None:
        entries["Sid"] = sid
    entries["Effect"] = block.get("effect") or Known("Allow", block.span)
    for name, element in _LISTS:
        given = block.get(name)
        if given is None or (isinstance(given, Known) and given.data is None):
            continue
        if isinstance(given, Many) and given.complete and not given.items:
            continue
        entries[element] = _variables(given)
        if name in block.key_spans:
            spans[element] = block.key_spans[name]
    complete = block.complete
    for name, element in (("principals", "Principal"), ("not_principals", "NotPrincipal")):
        bodies, known = _blocks(block.get(name))
        complete = complete and known
        if bodies:
            entries[element] = _principals(bodies, block.span)
    conditions, known = _blocks(block.get("condition"))
    if conditions or not known:
        entries["Condition"] = _conditions(conditions, block.span, known=known)
    return within_budget(Mapping(entries, block.span, complete=complete, key_spans=spans))


def _variables(value: Value) -> Value:
    """``&{aws:username}`` is how the provider writes an IAM variable within HCL."""
    if isinstance(value, Many):
        return Many(
            tuple([_variables(item) for item in value.items]),
            value.span,
            value.via,
            complete=value.complete,
            is_set=value.is_set,
        )
    text = known_text(value)
    if text is not None and "&{" in text:
        pieces: tuple[Piece, ...] = ()
        span = value.span
        if isinstance(value, Known) and len(value.pieces) == 1 and span is not None:
            only = value.pieces[0]
            pieces = (Piece(text.replace("&{", "${"), only.document, only.start, only.end),)
        return Known(text.replace("&{", "${"), value.span, value.via, pieces)
    return value


def _principals(bodies: Sequence[Mapping], span: Span | None) -> Value:
    kinds: dict[str, list[Value]] = {}
    places: dict[str, Span] = {}
    complete = True
    for body in bodies:
        kind = known_text(body.get("type"))
        identifiers = body.get("identifiers")
        if kind is None or identifiers is None:
            complete = False
            continue
        if "identifiers" in body.key_spans:
            places.setdefault(kind, body.key_spans["identifiers"])
        if isinstance(identifiers, Many):
            kinds.setdefault(kind, []).extend(
                item.through(*identifiers.via) if identifiers.via else item
                for item in identifiers.items
            )
            if not identifiers.complete:
                kinds[kind].append(Unknown(Reason.RANGE, "principals", identifiers.span))
        else:
            kinds.setdefault(kind, []).append(identifiers)
    if list(kinds) == ["*"]:
        return kinds["*"][0]
    return Mapping(
        {kind: Many(tuple(items), span) for kind, items in kinds.items()},
        span,
        complete=complete,
        key_spans=places,
    )


def _conditions(bodies: Sequence[Mapping], span: Span | None, *, known: bool) -> Value:
    tests: dict[str, dict[str, Value]] = {}
    complete = known
    for body in bodies:
        test, variable = known_text(body.get("test")), known_text(body.get("variable"))
        if test is None or variable is None:
            complete = False
            continue
        values = body.get("values") or Unknown(Reason.RANGE, "values", body.span)
        known_values = tests.setdefault(test, {})
        if variable in known_values:
            values = _appended(known_values[variable], values)
        known_values[variable] = values
    return Mapping(
        {test: Mapping(keys, span) for test, keys in tests.items()}, span, complete=complete
    )


def _appended(first: Value, second: Value) -> Value:
    """The values of two conditions of one test and key: the provider joins them into one list."""
    lists = [one for one in (first, second) if isinstance(one, Many)]
    complete = len(lists) == 2 and all(one.complete for one in lists)  # noqa: PLR2004  both
    return Many(
        tuple([item for one in lists for item in one.items]), second.span, complete=complete
    )


def account_of_arn(value: Value | None) -> Value | None:
    """The account id that an ARN value names; ``None`` when it names none that is known."""
    if isinstance(value, OneOf):
        accounts = [account_of_arn(a.value) for a in value.alternatives]
        if all(account is not None for account in accounts):
            return one_of(
                [
                    Alternative(account, a.condition)
                    for account, a in zip(accounts, value.alternatives, strict=True)
                    if account is not None
                ]
            )
        return None
    if isinstance(value, Text):
        text = value.pattern("\ufffc")
    else:
        found = known_text(value)
        if found is None:
            return None
        text = found
    fields = text.split(":")
    if len(fields) > 5 and len(fields[4]) == 12 and fields[4].isdigit():  # noqa: PLR2004
        assert value is not None
        return Known(fields[4], value.span, value.via)
    return None


_HANDLERS: Final[dict[str, Callable[[str, Get, Provider | None, str, Span], Value | None]]] = {
    "aws_region": _region,
    "aws_regions": _regions,
    "aws_partition": _partition,
    "aws_caller_identity": _caller_identity,
    "aws_iam_policy_document": _policy_document,
    "aws_organizations_organization": _organization,
    **cloud_data.HANDLERS,
}
