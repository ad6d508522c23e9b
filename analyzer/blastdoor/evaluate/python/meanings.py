"""What calls and names of known libraries stand for, as values.

Boto3's lists of regions, the nested shapes of CDK, troposphere and Pulumi, policy statements, and the
references of CloudFormation. What is not listed here stands for nothing that is known.

Sources: AWS CDK API reference (aws_iam.PolicyStatement, principals, Duration, Peer, Aws); troposphere
4.11 (helper functions); awacs 2.5 (aws.py); Pulumi documentation, "Inputs and outputs"; the Pulumi AWS
provider, ``aws.iam.get_policy_document``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.evaluate.cloudformation import values
from blastdoor.evaluate.python import boto3, names, operations
from blastdoor.evaluate.python.addresses import address_of, title_of
from blastdoor.evaluate.python.environments import attribute_of_stack
from blastdoor.evaluate.python.things import Bound, Call, Symbol, Thing
from blastdoor.value import (
    Encoded,
    Known,
    Many,
    Mapping,
    Meaning,
    Reason,
    Unknown,
    Value,
    known_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from blastdoor.span import Span

    ToValue = Callable[[Thing, Span | None], Value]

_PSEUDO: Final = {
    "troposphere.Region": values.REGION,
    "troposphere.AccountId": values.ACCOUNT,
    "troposphere.Partition": values.PARTITION,
    "troposphere.URLSuffix": values.URL_SUFFIX,
    "troposphere.NoValue": values.NO_VALUE,
    "aws_cdk.Aws.REGION": values.REGION,
    "aws_cdk.Aws.ACCOUNT_ID": values.ACCOUNT,
    "aws_cdk.Aws.PARTITION": values.PARTITION,
    "aws_cdk.Aws.URL_SUFFIX": values.URL_SUFFIX,
    "aws_cdk.Aws.NO_VALUE": values.NO_VALUE,
}
_POLICIES: Final = {"Delete": "Delete", "Retain": "Retain", "Snapshot": "Snapshot"}
"""troposphere's names of deletion policies."""
_SHAPES: Final = frozenset({"ReplicaRegion", "ReplicaTableProps"})
"""Classes of CDK that are a nested shape with the names of CloudFormation."""
_HOLE: Final = re.compile(r"\$\{(!?)([^}]*)\}")
_SECONDS: Final = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
_PRINCIPALS: Final = {
    "ArnPrincipal": "AWS",
    "AccountPrincipal": "AWS",
    "ServicePrincipal": "Service",
    "FederatedPrincipal": "Federated",
    "WebIdentityPrincipal": "Federated",
    "CanonicalUserPrincipal": "CanonicalUser",
}
_ELEMENTS: Final = {
    "sid": "Sid",
    "actions": "Action",
    "not_actions": "NotAction",
    "resources": "Resource",
    "not_resources": "NotResource",
    "conditions": "Condition",
}
_STATEMENT: Final = {**_ELEMENTS, "effect": "Effect"}
"""Argument of Pulumi's statements → element of a policy."""


def meaning(thing: Call | Symbol | Bound, value: ToValue) -> Value | None:
    """What a call, a name or an attribute stands for; ``None`` for nothing that is known."""
    if isinstance(thing, Symbol):
        return _symbol(thing.name)
    if isinstance(thing, Bound):
        return attribute_of_stack(thing, value)
    found = boto3.meaning(thing)
    if found is not None:
        return found
    name = thing.name
    library = name.partition(".")[0]
    if library == "troposphere":
        found = _troposphere(thing, name, value)
    elif library == "awacs":
        found = _awacs(thing, name, value)
    elif library == "aws_cdk":
        found = _cdk(thing, name, value)
    elif library.startswith("pulumi"):
        found = _pulumi(thing, name, value)
    return found if found is not None else _reference(thing, name)


def _reference(call: Call, name: str) -> Value | None:
    """What a program has of something that it declares: its id, and by that its attributes."""
    if names.template_type(name) is not None or names.construct(name) is not None:
        return values.reference(address_of(call), None)
    type_ = names.provider_type(name)
    if type_ is not None:
        return values.reference(f"{type_}.{title_of(call)}", None)
    return None


def _symbol(name: str) -> Value | None:
    if name in _PSEUDO:
        return values.pseudo(_PSEUDO[name])
    library, _dot, rest = name.partition(".")
    short = ".".join(rest.split(".")[-2:])
    if library == "aws_cdk":
        known = tables.constructs().enumerations.get(short)
        return None if known is None else Known(known)
    if library == "troposphere":
        return Known(_POLICIES[rest]) if rest in _POLICIES else None
    if library == "awacs":
        if rest in ("aws.Allow", "aws.Deny"):
            return Known(rest.partition(".")[2])
        service, _dot, action = rest.partition(".")
        if action and "." not in action and service != "aws":
            return Known(f"{service.replace('_', '-').removeprefix('aws')}:{action}")
    return None


# troposphere


def _troposphere(call: Call, name: str, value: ToValue) -> Value | None:
    short = name.rpartition(".")[2]
    given = [value(thing, call.span) for thing in call.arguments]
    if short == "Ref" and given:
        text = _title(call.arguments[0]) or known_text(given[0])
        if text in values.PSEUDO:
            return values.pseudo(text, span=call.span)
        return values.reference(text or "a resource", call.span)
    if short in ("GetAtt", "GetStackOutput"):
        return values.attribute(_title(call.argument(0)) or "a resource", "…", call.span)
    if short == "Sub" and given:
        return _substituted(given[0], call.span)
    if short == "Join" and len(given) > 1 and isinstance(given[1], Many) and given[1].complete:
        return _join(given[0], given[1], call.span)
    if short == "If" and len(given) > 2:  # noqa: PLR2004  condition, yes, no
        condition = known_text(given[0]) or "a condition"
        return values.choice(condition, given[1], given[2], call.span)
    if short in ("FindInMap", "Select", "Split", "ImportValue", "Base64", "Cidr", "GetAZs"):
        return Unknown(Reason.NO_VALUE, f"{short}()", call.span)
    if not call.arguments or names.template_type(name) is None:
        return _properties(call, value, exact=True)
    return None


def _title(thing: Thing | None) -> str | None:
    """The title of a resource that a reference is given."""
    if isinstance(thing, Call) and thing.arguments and isinstance(thing.arguments[0], Value):
        return known_text(thing.arguments[0])
    return None


def _substituted(template: Value, span: Span) -> Value:
    """``Fn::Sub``: a text with references."""
    text = known_text(template)
    if text is None:
        return Unknown(Reason.COMPUTED, "Sub()", span)
    parts: list[Value] = []
    at = 0
    for match in _HOLE.finditer(text):
        parts.append(Known(text[at : match.start()], template.span))
        inner = match[2].strip()
        if match[1]:
            parts.append(Known(f"${{{inner}}}", template.span))
        elif inner in values.PSEUDO:
            parts.append(values.pseudo(inner, span=span))
        else:
            parts.append(values.reference(inner, span))
        at = match.end()
    parts.append(Known(text[at:], template.span))
    return operations.text([p for p in parts if not (isinstance(p, Known) and p.data == "")], span)


def _join(separator: Value, parts: Many, span: Span) -> Value:
    pieces: list[Value] = []
    for number, part in enumerate(parts.items):
        if number:
            pieces.append(separator)
        pieces.append(part)
    return operations.text(pieces, span)


# awacs


def _awacs(call: Call, name: str, value: ToValue) -> Value | None:
    short = name.rpartition(".")[2]
    given = [value(thing, call.span) for thing in call.arguments]
    if short == "Action" and given:
        service, action = known_text(given[0]), known_text(given[1]) if len(given) > 1 else ""
        if service is not None and action is not None:
            return Known(f"{service}:{action}" if action else service, call.span)
        return Unknown(Reason.COMPUTED, "Action()", call.span)
    if short == "Principal" and given:
        kind = known_text(given[0])
        if kind is None or (kind == "*" and len(given) == 1):
            return given[0]
        return Mapping({kind: given[1] if len(given) > 1 else Known("*")}, call.span)
    if short in ("AWSPrincipal", "ServicePrincipal") and given:
        return Mapping({short.removesuffix("Principal"): given[0]}, call.span)
    if short in ("Policy", "PolicyDocument", "Statement"):
        return _properties(call, value, exact=True)
    if short == "Condition" and given and isinstance(given[0], Mapping):
        return given[0]
    if call.arguments and short[:1].isupper() and isinstance(given[0], Mapping):
        return Mapping({short: given[0]}, call.span)  # an operator of conditions
    return None


# CDK


def _cdk(call: Call, name: str, value: ToValue) -> Value | None:
    parts = name.split(".")
    short, kind = parts[-1], parts[-2]
    first = call.argument(0, "value", "arn", "account_id", "service", "federated", "amount")
    if kind == "Duration" and short in _SECONDS and first is not None:
        number = value(first, call.span)
        if isinstance(number, Known) and isinstance(number.data, int):
            days = number.data * _SECONDS[short] / _SECONDS["days"]
            return Known(int(days) if days == int(days) else days, call.span)
        return None
    if short == "PolicyStatement":
        return _statement(call, value)
    if kind in ("PolicyStatement", "PolicyDocument") and short == "from_json" and first is not None:
        return value(first, call.span)
    if short == "PolicyDocument":
        statements = call.argument(-1, "statements")
        inner = Many((), call.span) if statements is None else value(statements, call.span)
        return Mapping({"Statement": inner}, call.span, complete=call.complete)
    if kind == "ManagedPolicy" and short == "from_aws_managed_policy_name":
        return _managed(call, value)
    if kind == "Peer":
        if short in ("any_ipv4", "any_ipv6"):
            return Known("0.0.0.0/0" if short == "any_ipv4" else "::/0", call.span)
        return None if first is None else value(call.arguments[0], call.span)
    if (short.endswith("Property") and kind.startswith("Cfn")) or short in _SHAPES:
        return _properties(call, value, exact=False)
    if kind == "MachineImage" and short in ("generic_linux", "generic_windows"):
        table = call.argument(0, "ami_map")
        return None if table is None else _image(value(table, call.span))
    return principal_of(call, value)


def _image(table: Value) -> Value | None:
    """The image of a table by region, where it has one only: CDK finds none in any other region."""
    if not isinstance(table, Mapping) or not table.complete or len(table.entries) != 1:
        return None
    return next(iter(table.entries.values()))


def _managed(call: Call, value: ToValue) -> Value | None:
    """The ARN of a policy that AWS manages, by its name."""
    given = call.argument(0, "managed_policy_name")
    if given is None:
        return None
    found = value(given, call.span)
    text = known_text(found)
    if text is None:
        return Unknown(Reason.COMPUTED, "a managed policy", call.span)
    parts = [
        Known("arn:", call.span),
        values.pseudo(values.PARTITION, span=call.span),
        Known(f":iam::aws:policy/{text}", found.span or call.span),
    ]
    return operations.text(parts, call.span)


def principal_of(call: Call, value: ToValue) -> Value | None:
    """A principal of CDK's, as the element of a policy has it; ``None`` for what is none."""
    short = call.name.rpartition(".")[2]
    if short in ("AnyPrincipal", "StarPrincipal", "Anyone"):
        return Mapping({"AWS": Known("*", call.span)}, call.span)
    if short == "AccountRootPrincipal":
        return Mapping({"AWS": values.pseudo(values.ACCOUNT, span=call.span)}, call.span)
    if short == "OrganizationPrincipal":
        # Who it is stands in a condition on the organization.
        return Mapping({"AWS": Unknown(Reason.COMPUTED, "the organization", call.span)}, call.span)
    if short in _PRINCIPALS and call.arguments:
        return Mapping({_PRINCIPALS[short]: value(call.arguments[0], call.span)}, call.span)
    return None


def _statement(call: Call, value: ToValue) -> Mapping:
    """A statement of CDK's as IAM writes it; its effect is Allow unless it says another."""
    entries: dict[str, Value] = {"Effect": Known("Allow", call.span)}
    spans: dict[str, Span] = {}
    for name, thing in call.keywords.items():
        span = call.spans.get(name, call.span)
        found = value(thing, span)
        if name == "effect":
            entries["Effect"] = found
        elif name in _ELEMENTS:
            entries[_ELEMENTS[name]] = found
            spans[_ELEMENTS[name]] = span
        elif name in ("principals", "not_principals"):
            key = "Principal" if name == "principals" else "NotPrincipal"
            entries[key] = _principals(found, span)
            spans[key] = span
    return Mapping(entries, call.span, complete=call.complete, key_spans=spans)


def _principals(found: Value, span: Span) -> Value:
    """A list of principals as one element: each kind with all of its names."""
    if not isinstance(found, Many):
        return Unknown(Reason.COMPUTED, "principals", span)
    kinds: dict[str, list[Value]] = {}
    complete = found.complete
    for item in found.items:
        if isinstance(item, Mapping):
            for kind, who in item.entries.items():
                kinds.setdefault(kind, []).append(who)
        else:
            complete = False
    entries: dict[str, Value] = {
        kind: who[0] if len(who) == 1 else Many(tuple(who), span) for kind, who in kinds.items()
    }
    return Mapping(entries, span, complete=complete)


# Pulumi


def _pulumi(call: Call, name: str, value: ToValue) -> Value | None:
    short = name.rpartition(".")[2]
    if short == "json_dumps" and call.arguments:
        return Encoded(value(call.arguments[0], call.span), call.span)
    if name.endswith("Output.concat"):
        return operations.text([value(a, call.span) for a in call.arguments], call.span)
    if short in ("get_policy_document", "get_policy_document_output"):
        document = _properties(call, value, exact=True)
        found = document.entries.get("statements")
        policy = Mapping({"Statement": _pulumi_statements(found)}, call.span)
        return Mapping({"json": Encoded(policy, call.span)}, call.span)
    if short in ("get_regions", "get_regions_output") and "pulumi_aws" in name:
        every = Unknown(
            Reason.DATA_SOURCE, "get_regions()", call.span, meaning=Meaning.EVERY_REGION
        )
        return Mapping({"names": every}, call.span)
    if short in ("get_region", "get_region_output") and "pulumi_aws" in name:
        here = Unknown(
            Reason.ENVIRONMENT, "get_region()", call.span, meaning=Meaning.CURRENT_REGION
        )
        return Mapping({"name": here, "region": here, "id": here}, call.span)
    if short.endswith(("Args", "ArgsDict")):
        return _properties(call, value, exact=True)
    return None


def _pulumi_statements(found: Value | None) -> Value:
    if not isinstance(found, Many):
        return Unknown(Reason.COMPUTED, "statements")
    items: list[Value] = []
    for item in found.items:
        if not isinstance(item, Mapping):
            items.append(item)
            continue
        entries: dict[str, Value] = {"Effect": Known("Allow", item.span)}
        for name, inner in item.entries.items():
            if name in _STATEMENT:
                entries[_STATEMENT[name]] = inner
            elif name == "principals" and isinstance(inner, Many):
                parts = [p.entries for p in inner.items if isinstance(p, Mapping)]
                entries["Principal"] = Mapping(
                    {
                        known_text(p.get("type")) or "AWS": p["identifiers"]
                        for p in parts
                        if "identifiers" in p
                    },
                    inner.span,
                    complete=inner.complete and len(parts) == len(inner.items),
                )
        if "conditions" in item.entries:
            entries["Condition"] = Unknown(Reason.COMPUTED, "conditions", item.span)
        items.append(Mapping(entries, item.span, complete=item.complete))
    return Many(tuple(items), found.span, complete=found.complete)


def _properties(call: Call, value: ToValue, *, exact: bool) -> Mapping:
    """The named arguments of a nested shape; CDK's by the names that CloudFormation has."""
    entries: dict[str, Value] = {}
    spans: dict[str, Span] = {}
    for name, thing in call.keywords.items():
        span = call.spans.get(name, call.span)
        found = value(thing, span)
        key = name if exact else names.property_name(name)
        entries[key] = found if exact else names.renamed(found)
        spans[key] = span
    return Mapping(entries, call.span, complete=call.complete, key_spans=spans)
