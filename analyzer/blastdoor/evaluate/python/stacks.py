"""The stacks of a Pulumi project: what their configuration says of the default provider's region.

Each ``Pulumi.<stack>.yaml`` beside ``Pulumi.yaml`` is the configuration of one stack; a resource without
a provider is created in what it says under ``aws:region``. Where one stack does not say it, whoever
runs it decides.

Source: Pulumi documentation, "Configuration" (stack settings file) and "AWS Classic: Installation and
Configuration" (``aws:region``).
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from blastdoor.parse.data import Mapping, Scalar
from blastdoor.parse.yaml import parse_yaml
from blastdoor.span import Document, Span
from blastdoor.value import Alternative, Evidence, Known, Step, Value, one_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.units import Repository

_PROJECT: Final = ("Pulumi.yaml", "Pulumi.yml")
_STACK: Final = re.compile(r"Pulumi\.(?P<stack>.+)\.ya?ml")
_UP: Final = 3
"""Folders above a program in which its project may stand."""
_MAX_STACKS: Final = 16
REGION: Final = "aws:region"


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


def region(repository: Repository, path: str) -> Value | None:
    """The region of the default AWS provider of a program; ``None`` where its stacks do not all say."""
    paths = files(repository, path)
    if not paths or len(paths) > _MAX_STACKS:
        return None
    found = []
    for one in paths:
        value = _region_of(repository, one)
        if value is None:
            return None
        match = _STACK.fullmatch(posixpath.basename(one))
        assert match is not None
        found.append(Alternative(value, f"stack {match['stack']}"))
    return one_of(found, found[0].value.span)


def _region_of(repository: Repository, path: str) -> Known | None:
    text = repository.files.read(path)
    if text is None:
        return None
    document = Document(path, text)
    for key, node in _entries(document):
        if key == REGION and isinstance(node, Scalar) and isinstance(node.value, str):
            span = Span(document, node.start, node.end)
            evidence = Evidence(Step.PROVIDER, f"{REGION} of {posixpath.basename(path)}", span)
            return Known(node.value, span, (evidence,))
    return None


def _entries(document: Document) -> Iterator[tuple[object, object]]:
    """The entries of ``config``."""
    parsed = parse_yaml(document)
    for root in parsed.roots[:1]:
        for key, node in root.entries if isinstance(root, Mapping) else ():
            if key.value == "config" and isinstance(node, Mapping):
                yield from ((inner.value, value) for inner, value in node.entries)
