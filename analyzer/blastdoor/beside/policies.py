"""Attribute rules as custom policies of Checkov.

Source: Checkov's documentation, "Custom Policies in YAML: Examples and Syntax". A policy says what
passes where a match says what is found, so that each condition is turned round. Where the two tools
read an attribute differently the policy passes: what is a list for Checkov has its elements under
numbers, and one that blastdoor looks at element by element is left alone here. A rule that would find
more in Checkov than in blastdoor is no policy; `PolicyError` says why.
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any, Final

from blastdoor.match import PROVIDER_DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from blastdoor.catalog import Rule
    from blastdoor.match import Condition

HEADER: Final = "# Written by `blastdoor export checkov`; change the page, not this file.\n"

_DEFAULTED: Final = frozenset(argument for _provider, argument in PROVIDER_DEFAULTS)


class PolicyError(ValueError):
    """Why a rule is no policy."""


def policy(rule: Rule) -> dict[str, Any]:
    """The policy that says what a rule's match says, as data of YAML. Raises PolicyError."""
    if rule.match is None:
        message = "a detector judges it, not one attribute"
        raise PolicyError(message)
    types = list(rule.match.resources)
    if any(name.startswith("data.") for name in types):
        message = "it judges data sources, which custom policies take for resources"
        raise PolicyError(message)
    parts = [_passing(condition, types) for condition in rule.match.conditions]
    return {
        "metadata": {
            "id": f"CKV2_{rule.code[:3]}_{rule.code[3:]}",
            "name": f"{rule.title} ({rule.id})",
            "category": "GENERAL_SECURITY",
        },
        "definition": _all(parts),
    }


def _passing(condition: Condition, types: list[str]) -> dict[str, Any]:
    """What passes where a condition finds nothing."""
    path = condition.attribute
    if any("." in key or "*" in key for key in path):
        message = "its attribute has a key with a dot or a star"
        raise PolicyError(message)
    name = ".".join(path)

    def one(operator: str, value: object = None, attribute: str = name) -> dict[str, Any]:
        made = {"cond_type": "attribute", "resource_types": types, "attribute": attribute}
        return {**made, "operator": operator, **({} if value is None else {"value": value})}

    lists = [
        one("exists", attribute=".".join([*path[:depth], "0"]))
        for depth in range(1, len(path) + (not condition.missing))
    ]
    if condition.missing:
        if path[0] in _DEFAULTED:
            message = (
                f"the provider may set {path[0]} for all resources, which a policy does not see"
            )
            raise PolicyError(message)
        return _any([one("exists"), *lists])
    if condition.pattern is not None:
        pattern = _pattern(condition.pattern.pattern)
        operator = "regex_match" if condition.negated else "not_regex_match"
        return _any([one("not_exists"), *lists, one(operator, pattern)])
    texts = [_text(value) for value in condition.values]
    if condition.negated:
        return _any([one("not_exists"), *lists, *(one("equals", text) for text in texts)])
    return _any([one("not_exists"), *lists, _all([one("not_equals", text) for text in texts])])


def _pattern(text: str | bytes) -> str:
    """A pattern of RE2 as one of Python that means the same, from end to end. Raises PolicyError."""
    given = text.decode("utf-8") if isinstance(text, bytes) else text
    whole = rf"(?a)(?:{given})\Z"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(whole)
    except (re.error, RecursionError, Warning) as error:
        message = "its pattern means something else for Python's regular expressions"
        raise PolicyError(message) from error
    return whole


def _text(value: object) -> str:
    """A scalar as Checkov compares it: as text, without case for truth values."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _all(parts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return _joined("and", list(parts))


def _any(parts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return _joined("or", list(parts))


def _joined(word: str, parts: list[dict[str, Any]]) -> dict[str, Any]:
    return parts[0] if len(parts) == 1 else {word: parts}


def written(rule: Rule) -> str:
    """The file of a rule's policy. Raises PolicyError."""
    import yaml

    class Plain(yaml.SafeDumper):
        """Writes what stands at several places out at each of them."""

        def ignore_aliases(self, data: object) -> bool:
            del data
            return True

    text = yaml.dump(policy(rule), Dumper=Plain, sort_keys=False, allow_unicode=True, width=100)
    return f"{HEADER}{text}"
