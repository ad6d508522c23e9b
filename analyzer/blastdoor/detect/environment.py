"""Judgements over environments: which one is meant when nobody says.

Sources: Terraform Language, "lookup", "try", "coalesce" and "Input Variables"; Terraform CLI,
"Workspaces" (a workspace may have any name).
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.detect.hit import Hit
from blastdoor.facts.reading import chain
from blastdoor.finding import Act, Remedy
from blastdoor.reach import Environments, Reach
from blastdoor.record import dataclass
from blastdoor.value import Mapping, known_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.fact import Facts
    from blastdoor.span import Span
    from blastdoor.value import Value

_VARIABLES: Final = frozenset({"environment", "env", "stage", "environment_name", "app_env"})
_WORD: Final = re.compile(r"[A-Za-z0-9]+")
_LAST_WORD: Final = re.compile(r"([A-Za-z0-9_-]+)[\"\]]*\Z")
_PLAIN: Final = re.compile(r"[\w.\-\"\[\]]+")
"""A literal or a reference: no call, no operator."""


@dataclass(frozen=True, slots=True)
class _Default:
    """Production standing in for an environment: where, for what, and when."""

    span: Span
    value: Value
    owner: str
    attribute: str
    when: str


def unknown_environment_becomes_prod(facts: Facts) -> Iterator[Hit]:
    """Production is what comes out when the environment is not given or not known."""
    found = [*_defaults(facts), *_fallbacks(facts)]
    if not found or not _changes_something(facts) or not _has_other_environments(facts):
        return
    for default in found:
        shown = default.span.text.strip('"')
        yield Hit(
            default.span,
            f"environment: production (`{shown}`) when {default.when}",
            default.owner,
            default.attribute,
            "environment",
            shown,
            contain="leave it out, so that a run that does not say its environment fails",
            related=chain(default.value, default.span),
            remedies=(Remedy(Act.REMOVE, default.span, "leave the default out"),),
            reach=Reach(environment=Environments("prod")),
            environment="production",
        )


def _defaults(facts: Facts) -> Iterator[_Default]:
    """Variables of the unit itself that name its environment and are production by default."""
    for setting in facts.unit.settings:
        if setting.kind != "default" or setting.name not in _VARIABLES:
            continue
        text = known_text(setting.value)
        if text is None or not _is_production(text) or "module." in setting.owner:
            continue
        yield _Default(
            setting.span,
            setting.value,
            f"var.{setting.name}",
            "default",
            f"var.{setting.name} is not given",
        )


def _fallbacks(facts: Facts) -> Iterator[_Default]:
    """Lookups by the environment whose last word is production."""
    for fallback in facts.unit.environment_defaults:
        text = known_text(fallback.value)
        last = _LAST_WORD.search(fallback.text) if _PLAIN.fullmatch(fallback.text) else None
        named = last is not None and _is_production(last.group(1))
        if not named and (text is None or not _is_production(text)):
            continue
        yield _Default(
            fallback.span,
            fallback.value,
            fallback.owner,
            f"fallback of {fallback.key}",
            f"{fallback.key} is not given or not listed",
        )


def _is_production(text: str) -> bool:
    return text.lower() in tables.scopes().production


def _changes_something(facts: Facts) -> bool:
    unit = facts.unit
    return (
        bool(unit.modules)
        or any(not r.is_data for r in unit.resources)
        or any(call.effect in ("write", "destroy") for call in unit.calls)
    )


def _has_other_environments(facts: Facts) -> bool:
    """Whether the unit speaks of an environment that is not production, in a map or a file's name."""
    names: set[str] = set()
    for setting in facts.unit.settings:
        names.update(_keys(setting.value))
    for fallback in facts.unit.environment_defaults:
        names.update(fallback.others)
    if _speaks_of_another(names):
        return True
    files = facts.unit.variables_files()
    return _speaks_of_another(
        {word for path in files for word in _WORD.findall(posixpath.basename(path))}
    )


def _keys(value: Value) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from value.entries
        for inner in value.entries.values():
            if isinstance(inner, Mapping):
                yield from inner.entries


def _speaks_of_another(names: set[str]) -> bool:
    return not {name.lower() for name in names}.isdisjoint(tables.scopes().non_production)
