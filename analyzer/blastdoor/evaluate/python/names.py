"""Which resource type a class of CDK, troposphere or Pulumi stands for, and what its properties are.

CDK's L1 classes and troposphere's classes are generated from CloudFormation's schemas: the module is the
service's namespace in small letters, the class the type's last part. A Pulumi class is made from a
Terraform resource; its token gives the name, with the exceptions of ``tables/constructs.json``. Only
types that some table of ours knows are told: about others no rule has a question.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.value import Many, Mapping, Value

if TYPE_CHECKING:
    from blastdoor.span import Span

_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PLAIN_KEY: Final = re.compile(r"[a-z][A-Za-z0-9_]*\Z")
_OTHER_MODULES: Final = {"awslambda": "lambda", "serverless": "serverless", "sam": "serverless"}
"""Module of troposphere or CDK → namespace, where they differ."""
_OTHER_CLASSES: Final = {"iam.Policy": "", "iam.PolicyType": "Policy"}
"""Class of troposphere → type, where they differ; ``""`` for a shape that is named like a type."""
_BINDINGS: Final = frozenset({"binding", "member", "policy"})
_GOOGLE: Final = "pulumi_gcp."
_AWS: Final = "pulumi_aws."
_AZURE: Final = "pulumi_azure."
"""The classic names; those of azure-native are of another provider."""


@cache
def _types() -> dict[tuple[str, str], str]:
    """(namespace in small letters, last part of the type) → type of CloudFormation."""
    found = {}
    for type_ in tables.known_types():
        parts = type_.split("::")
        if len(parts) == 3:  # noqa: PLR2004  AWS::Service::Type
            found[parts[1].lower(), parts[2]] = type_
    return found


@cache
def template_type(name: str) -> str | None:
    """The type that a class of CDK's L1 or of troposphere stands for, by its dotted name."""
    parts = name.split(".")
    if len(parts) < 3:  # noqa: PLR2004  library.module.Class
        return None
    library, module, kind = parts[0], parts[-2], parts[-1]
    if library == "aws_cdk":
        if not kind.startswith("Cfn") or not module.startswith("aws_"):
            return None
        module, kind = module.removeprefix("aws_"), kind.removeprefix("Cfn")
    elif library != "troposphere":
        return None
    if library == "troposphere":
        kind = _OTHER_CLASSES.get(f"{module}.{kind}", kind)
    module = _OTHER_MODULES.get(module, module)
    return _types().get((module, kind))


def construct(name: str) -> tables.ConstructRow | None:
    """What is known of a construct of CDK's L2, by its dotted name."""
    library, _dot, rest = name.partition(".")
    if library != "aws_cdk":
        return None
    return tables.constructs().classes.get(".".join(rest.split(".")[-2:]))


@cache
def provider_type(name: str) -> str | None:
    """The Terraform type that a class of Pulumi stands for, by its dotted name."""
    constructs = tables.constructs()
    known = tables.known_types()
    if name in constructs.pulumi:
        return constructs.pulumi[name]
    for library, prefix in ((_AWS, "aws"), (_GOOGLE, "google"), (_AZURE, "azurerm")):
        if name.startswith(library):
            parts = name.removeprefix(library).split(".")
            kind = _CAMEL.sub("_", parts[-1]).lower()
            module = parts[-2].strip("_") if len(parts) > 1 else ""
            for candidate in (f"{prefix}_{module}_{kind}", f"{prefix}_{kind}"):
                if candidate in known or _is_binding(candidate):
                    return candidate
    return None


def _is_binding(type_: str) -> bool:
    """Whether a type is one of those that bind roles on a resource of Google Cloud."""
    family, iam, kind = type_.rpartition("_iam_")
    return bool(iam) and kind in _BINDINGS and family in tables.bindings().google


@cache
def property_name(name: str) -> str:
    """What CloudFormation calls ``block_public_acls`` or ``blockPublicAcls``."""
    if not _PLAIN_KEY.match(name):
        return name
    words = name.split("_")
    joined = "".join(word[:1].upper() + word[1:] for word in words)
    return tables.property_names().get(joined.lower(), joined)


_FREE: Final = frozenset({"Tags", "Variables", "Environment", "Statement", "Parameters"})
"""Properties whose keys are the author's own, or IAM's."""


def renamed(value: Value, depth: int = 0) -> Value:
    """A value of CDK's L1, or of an API that begins names small, with CloudFormation's names."""
    if depth > 12:  # noqa: PLR2004  no schema is as deep
        return value
    if isinstance(value, Many):
        items = tuple([renamed(item, depth + 1) for item in value.items])
        return Many(items, value.span, value.via, complete=value.complete)
    if isinstance(value, Mapping) and "Statement" not in value.entries:
        entries: dict[str, Value] = {}
        spans: dict[str, Span] = {}
        for key, inner in value.entries.items():
            name = property_name(key)
            entries[name] = inner if name in _FREE else renamed(inner, depth + 1)
            if key in value.key_spans:
                spans[name] = value.key_spans[key]
        return Mapping(entries, value.span, value.via, complete=value.complete, key_spans=spans)
    return value


Tree = dict[str, "Value | Tree"]
"""Properties that are put together by their paths."""


def put(tree: Tree, path: str, value: Value) -> None:
    """Effect: a value stands at a path of properties."""
    first, dot, rest = path.partition(".")
    if not dot:
        tree[first] = value
        return
    inner = tree.setdefault(first, {})
    if isinstance(inner, dict):
        put(inner, rest, value)


def whole(tree: Tree, span: Span, *, complete: bool) -> Mapping:
    """The properties that were put together."""
    entries = {
        name: whole(part, span, complete=True) if isinstance(part, dict) else part
        for name, part in tree.items()
    }
    return Mapping(entries, span, complete=complete)
