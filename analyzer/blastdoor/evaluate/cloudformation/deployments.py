"""Where templates are deployed, and with which parameters: what stands around them says so.

Here are the files of parameters and what all places have in common; SAM's configuration file, the
manifest of a CDK app, pipelines and stack sets are read elsewhere in this package. Source: AWS
CloudFormation User Guide, "Template configuration file".
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final

from blastdoor.evaluate.cloudformation.template import fields, plain, text_of
from blastdoor.parse.data import Mapping as MappingNode
from blastdoor.parse.data import Scalar
from blastdoor.parse.data import Sequence as SequenceNode
from blastdoor.record import dataclass
from blastdoor.span import Document, Span
from blastdoor.value import Evidence, Known, Piece, Step, Value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from collections.abc import Mapping as AbstractMapping

    from blastdoor.fact import Copy
    from blastdoor.parse.data import Node
    from blastdoor.units import Repository

MAX_DEPLOYMENTS: Final = 16
"""Deployments of one template that are looked at."""
_FOLDERS: Final = ("", "parameters", "params", "parameter", "config", "configs", "configuration")
"""Folders beside a template in which its parameters are looked for."""
MAX_FILES: Final = 200
"""Files of parameters that are looked at beside one template."""
_NAMED: Final = re.compile(r"param|config", re.IGNORECASE)
_ENDINGS: Final = (".json", ".yaml", ".yml")


@dataclass(slots=True)
class Deployment:
    """One place that a template goes to, as far as something in the repository says so."""

    name: str
    """Words: ``samconfig.toml [prod]``, ``parameters/prod.json``."""
    path: str
    """The file that says so."""
    region: Value | None = None
    account: Value | None = None
    stack_name: Value | None = None
    parameters: dict[str, Value] | None = None
    """``None`` where it says nothing of parameters."""
    copies: tuple[Copy, ...] = ()
    """Each region that it goes to, where one deployment goes to several."""


@dataclass(slots=True)
class Found:
    """What is known of the deployments of one template."""

    deployments: list[Deployment] = field(default_factory=list)
    read: set[str] = field(default_factory=set)
    """Paths of every file that was looked at."""
    left_out: int = 0
    """Deployments beyond those that are looked at."""
    files_left_out: int = 0
    """Files that may be of parameters, beyond those that are looked at."""


# SAM


class Around:
    """The files around templates, each looked at once however many templates stand there."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self._names: dict[str, tuple[str, ...]] = {}
        self._told: dict[str, tuple[str, ...]] = {}
        self._parameters: dict[str, dict[str, Value] | None] = {}
        self._takers: dict[str, int] = {}
        self.kept: dict[str, Any] = {}
        """Path → what a configuration or manifest says."""

    def names(self, directory: str) -> tuple[str, ...]:
        """The names of the files of a directory."""
        found = self._names.get(directory)
        if found is None:
            found = self._names[directory] = tuple(self.repository.files.names(directory or "."))
        return found

    def candidates(self, directory: str, folder: str) -> tuple[str, ...]:
        """The paths below a directory that may be files of parameters of what stands in it."""
        below = posixpath.join(directory, folder) if folder else directory
        found = self._told.get(below)
        if found is None:
            found = self._told[below] = tuple(
                posixpath.join(below, name)
                for name in self.names(below)
                if name.endswith(_ENDINGS) and (folder or _NAMED.search(name))
            )
        return found

    def parameters(self, path: str) -> dict[str, Value] | None:
        """The parameters that a file gives; ``None`` where it is no file of parameters."""
        if path not in self._parameters:
            self._parameters[path] = _read_parameters(self.repository, path)
        return self._parameters[path]

    def takers(self, path: str, templates: AbstractMapping[str, Collection[str]]) -> int:
        """How many of the templates of one directory declare all that a file of parameters gives."""
        found = self._takers.get(path)
        if found is None:
            given = set(self.parameters(path) or ())
            found = self._takers[path] = sum(given <= set(names) for names in templates.values())
        return found


# Files of parameters


def of_files(
    around: Around,
    path: str,
    names: Collection[str],
    others: AbstractMapping[str, Collection[str]],
    found: Found,
) -> Iterator[Deployment]:
    """The deployments of a template that files of parameters beside it are for.

    A file is taken when its name begins with the template's, or when it is called after parameters
    and no other template in the directory declares all that it gives. ``names`` are the parameters
    that the template declares, ``others`` those of the templates beside it. Effect: notes in ``found``
    what was read, and how many files were not.
    """
    directory, name = posixpath.split(path)
    stem = name.split(".")[0]
    looked = 0
    for folder in _FOLDERS:
        for where in around.candidates(directory, folder):
            if where == path:
                continue
            own = _belongs(posixpath.basename(where), stem)
            looked += 1
            if looked > MAX_FILES:
                found.files_left_out += 1
                continue
            parameters = around.parameters(where)
            if parameters is None:
                continue
            found.read.add(where)
            if not parameters or not set(parameters) <= set(names):
                continue
            if not own and around.takers(where, others) > 1:
                continue
            yield Deployment(where, where, parameters=parameters)


def _belongs(name: str, stem: str) -> bool:
    rest = name.removeprefix(stem)
    return rest != name and rest[:1] in (".", "-", "_") and _NAMED.search(rest) is not None


def _read_parameters(repository: Repository, path: str) -> dict[str, Value] | None:
    """The parameters that a file gives; ``None`` where it is no file of parameters.

    It is a list of ``ParameterKey`` and ``ParameterValue``, as the command line takes it, or a mapping
    with ``Parameters``, as a pipeline takes it.
    """
    text = repository.files.read(path)
    if text is None or "Parameter" not in text or "Resources" in text[:_HEAD]:
        return None
    document = Document(path, text)
    from blastdoor.evaluate.cloudformation.template import read

    roots, _comments, faults = read(document)
    if faults or len(roots) != 1:
        return None
    root = roots[0]
    pairs: list[tuple[str, Node]] = []
    if isinstance(root, SequenceNode):
        for item in root.items:
            body = fields(item)
            key = text_of(body["ParameterKey"][1]) if "ParameterKey" in body else None
            if key is None:
                return None
            if "ParameterValue" in body:
                pairs.append((key, body["ParameterValue"][1]))
    elif isinstance(root, MappingNode):
        body = fields(root)
        if "Parameters" not in body or "Resources" in body or "AWSTemplateFormatVersion" in body:
            return None
        given = fields(body["Parameters"][1])
        pairs = [(key, node) for key, (_key, node) in given.items()]
    else:
        return None
    parameters: dict[str, Value] = {}
    for key, node in pairs:
        if isinstance(node, Scalar) and node.value is not None:
            span = Span(document, node.start, node.end)
            text = node.value if isinstance(node.value, str) else plain(node.value)
            parameters[key] = said(text, span, f"parameter {key} in {path}")
        elif isinstance(node, MappingNode):
            return None
    return parameters


_HEAD: Final = 2_000


def said(text: str, span: Span, words: str, behind: str = "") -> Known:
    """A value that a file beside the template gives; in ``span`` it stands behind some words."""
    pieces: tuple[Piece, ...] = ()
    source = span.text
    at = source.find(text, max(source.find(behind), 0) + len(behind)) if text else -1
    if at >= 0:
        start = span.start + at
        pieces = (Piece(text, span.document, start, start + len(text)),)
        span = Span(span.document, start, start + len(text))
    return Known(text, span, (Evidence(Step.VARIABLES_FILE, words, span),), pieces)
