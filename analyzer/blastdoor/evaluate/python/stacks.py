"""The stacks of a Pulumi project: what their configuration says of the default provider.

Each ``Pulumi.<stack>.yaml`` beside ``Pulumi.yaml`` is the configuration of one stack; a resource without
a provider is created in what it says under ``aws:region``. Where one stack does not say it, whoever
runs it decides. Other settings of the provider stand beside it (``aws:skipRegionValidation``).

Source: Pulumi documentation, "Configuration" (stack settings file) and "AWS Classic: Installation and
Configuration" (``aws:region``).
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from blastdoor.parse.data import Mapping, Scalar, Sequence
from blastdoor.parse.yaml import parse_yaml
from blastdoor.span import Document, Span
from blastdoor.value import Alternative, Evidence, Known, Many, Step, Value, one_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.parse.data import Node
    from blastdoor.units import Repository

_PROJECT: Final = ("Pulumi.yaml", "Pulumi.yml")
_STACK: Final = re.compile(r"Pulumi\.(?P<stack>.+)\.ya?ml")
_UP: Final = 3
"""Folders above a program in which its project may stand."""
_MAX_STACKS: Final = 16
_PREFIX: Final = "aws:"
_CAPITAL: Final = re.compile(r"[A-Z]")


def files(repository: Repository, path: str) -> list[str]:
    """The paths of the stack files of the project that a program belongs to."""
    folder = posixpath.dirname(path)
    for _up in range(_UP + 1):
        names = repository.files.names(folder or ".")
        if any(name in _PROJECT for name in names):
            found = [name for name in names if _STACK.fullmatch(name)]
            return [posixpath.join(folder, name) for name in sorted(found)]
        if not folder:
            break
        folder = posixpath.dirname(folder)
    return []


def settings(repository: Repository, path: str) -> dict[str, Value]:
    """What all stacks of a program say of the default AWS provider, by Terraform's names.

    One value for each stack, which differ where the stacks do.
    """
    paths = files(repository, path)
    if not paths or len(paths) > _MAX_STACKS:
        return {}
    said = [(one, _settings_of(repository, one)) for one in paths]
    found: dict[str, Value] = {}
    for name in said[0][1]:
        values = [(one, given[name]) for one, given in said if name in given]
        if len(values) == len(said):
            alternatives = [Alternative(value, f"stack {_stack(one)}") for one, value in values]
            found[name] = one_of(alternatives, values[0][1].span)
    return found


def _stack(path: str) -> str:
    match = _STACK.fullmatch(posixpath.basename(path))
    assert match is not None
    return match["stack"]


def _settings_of(repository: Repository, path: str) -> dict[str, Value]:
    text = repository.files.read(path)
    if text is None:
        return {}
    document = Document(path, text)
    found: dict[str, Value] = {}
    for key, node in _entries(document):
        if isinstance(key, str) and key.startswith(_PREFIX):
            value = _value(node, document)
            if value is not None:
                span = Span(document, node.start, node.end)
                evidence = Evidence(Step.PROVIDER, f"{key} of {posixpath.basename(path)}", span)
                found[_CAPITAL.sub(r"_\g<0>", key.removeprefix(_PREFIX)).lower()] = value.through(
                    evidence
                )
    return found


def _value(node: Node, document: Document) -> Value | None:
    """What a configuration says: texts, truth as it is or in quotes, lists of these."""
    span = Span(document, node.start, node.end)
    if isinstance(node, Sequence):
        items = [_value(item, document) for item in node.items]
        known = tuple(item for item in items if item is not None)
        return Many(known, span, complete=len(known) == len(items))
    if not isinstance(node, Scalar) or not isinstance(node.value, (str, bool, int)):
        return None
    text = str(node.value).lower()
    return Known(text == "true" if text in ("true", "false") else node.value, span)


def _entries(document: Document) -> Iterator[tuple[object, Node]]:
    """The entries of ``config``."""
    parsed = parse_yaml(document)
    for root in parsed.roots[:1]:
        for key, node in root.entries if isinstance(root, Mapping) else ():
            if key.value == "config" and isinstance(node, Mapping):
                yield from ((inner.value, value) for inner, value in node.entries)
