"""Where templates are deployed, and with which parameters: what stands around them says so.

Read are SAM's configuration file, files of parameters, actions of a pipeline, stack sets and the
manifest of a CDK app. Sources: AWS SAM Developer Guide, "AWS SAM CLI configuration file"; AWS
CloudFormation User Guide, "Template configuration file" and "StackSets concepts"; AWS CodePipeline
User Guide, "AWS CloudFormation action reference"; aws-cdk, Cloud Assembly manifest.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final

from blastdoor.evaluate.cloudformation.template import fields, text_of
from blastdoor.finding import Failure, FailureKind
from blastdoor.parse.data import Mapping as MappingNode
from blastdoor.parse.data import Scalar
from blastdoor.parse.data import Sequence as SequenceNode
from blastdoor.record import dataclass
from blastdoor.span import Document, Span
from blastdoor.value import Evidence, Known, Piece, Step, Value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from collections.abc import Mapping as AbstractMapping

    from blastdoor.parse.data import Node
    from blastdoor.units import Repository

MAX_DEPLOYMENTS: Final = 16
"""Deployments of one template that are looked at."""
SAM_CONFIGURATION: Final = "samconfig.toml"
_TEMPLATES: Final = ("template.yaml", "template.yml", "template.json")
"""What SAM deploys when nothing names a template, in order."""
_FOLDERS: Final = ("", "parameters", "params", "parameter", "config", "configs", "configuration")
"""Folders beside a template in which its parameters are looked for."""
_MAX_FILES: Final = 200
"""Files of parameters that are looked at beside one template."""
_NAMED: Final = re.compile(r"param|config", re.IGNORECASE)
_ENDINGS: Final = (".json", ".yaml", ".yml")
_ENVIRONMENT: Final = re.compile(r"aws://([^/]+)/([^/]+)")
_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_header = re.compile(r"[ \t]*\[[ \t]*([^\[\]#]+?)[ \t]*\][ \t]*(?:#.*)?").fullmatch
_assignment = re.compile(r"[ \t]*([A-Za-z0-9_\"'-]+)[ \t]*=[ \t]*").match


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


@dataclass(slots=True)
class Found:
    """What is known of the deployments of one template."""

    deployments: list[Deployment] = field(default_factory=list)
    read: set[str] = field(default_factory=set)
    """Paths of every file that was looked at."""


# SAM


def of_sam(repository: Repository, path: str, kept: dict[str, Any]) -> Iterator[Deployment]:
    """The deployments of a template that SAM's configuration file beside it names."""
    directory, name = posixpath.split(path)
    where = posixpath.join(directory, SAM_CONFIGURATION)
    if where not in kept:
        kept[where] = _read_toml(repository, where)
    found = kept[where]
    if found is None:
        return
    document, data, places = found
    names = set(repository.files.names(directory or "."))
    first = next((given for given in _TEMPLATES if given in names), None)
    for environment, commands in data.items():
        if not isinstance(commands, dict):
            continue
        settings: dict[str, Any] = {}
        where_of: dict[str, tuple[int, int]] = {}
        for command in ("global", "deploy"):
            body = commands.get(command)
            parameters = body.get("parameters") if isinstance(body, dict) else None
            if isinstance(parameters, dict):
                settings.update(parameters)
                for key in parameters:
                    place = places.get((environment, command, "parameters", key))
                    if place is not None:
                        where_of[key] = place
        if not isinstance(commands.get("deploy"), dict) and "region" not in settings:
            continue
        target = settings.get("template_file", settings.get("template"))
        target = target if isinstance(target, str) else first
        if target is None or posixpath.normpath(posixpath.join(directory, target)) != path:
            # What is built keeps the name of the template that it is built from.
            built = isinstance(target, str) and target.startswith((".aws-sam/", "packaged", "out"))
            if not (built and name == first):
                continue
        label = f"{SAM_CONFIGURATION} [{environment}]"

        def value(
            key: str, text: str, about: str = "", label: str = label, where_of: Any = where_of
        ) -> Value:
            start, end = where_of.get(key, (0, 0))
            span = Span(document, start, end)
            return _said(text, span, f"{about or key} in {label}", about)

        region, stack = settings.get("region"), settings.get("stack_name")
        overrides = settings.get("parameter_overrides")
        parameters = None
        if overrides is not None:
            parameters = {
                key: value("parameter_overrides", text, key) for key, text in _overrides(overrides)
            }
        elif isinstance(commands.get("deploy"), dict):
            parameters = {}
        yield Deployment(
            label,
            where,
            value("region", region) if isinstance(region, str) and region else None,
            None,
            value("stack_name", stack) if isinstance(stack, str) and stack else None,
            parameters,
        )


def _read_toml(
    repository: Repository, path: str
) -> tuple[Document, dict[str, Any], dict[tuple[str, ...], tuple[int, int]]] | None:
    directory, name = posixpath.split(path)
    if name not in repository.files.names(directory or "."):
        return None
    text = repository.files.read(path)
    if text is None:
        return None
    import tomllib

    document = Document(path, text)
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        words = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "nested too deep"
        repository.fault(Failure(FailureKind.SYNTAX, path, f"SAM's configuration: {words}"))
        return None
    return document, data, _toml_places(document)


def _toml_places(document: Document) -> dict[tuple[str, ...], tuple[int, int]]:
    """(table, key) → where its value stands, for keys at the start of a line."""
    places: dict[tuple[str, ...], tuple[int, int]] = {}
    table: tuple[str, ...] = ()
    for number in range(1, len(document.line_starts) + 1):
        start, end = document.line_range(number)
        line = document.text[start:end]
        header = _header(line)
        if header is not None:
            table = tuple(part.strip(" \t\"'") for part in header[1].split("."))
            continue
        match = _assignment(line)
        if match is not None:
            key = match[1].strip("\"'")
            places.setdefault((*table, key), (start + match.end(), start + len(line.rstrip())))
    return places


def _overrides(given: object) -> Iterator[tuple[str, str]]:
    """The pairs of ``parameter_overrides``: a text of words, a list of them, or a table."""
    if isinstance(given, dict):
        for key, value in given.items():
            if isinstance(value, (str, int, float)):
                yield str(key), _plain(value)
            elif isinstance(value, list):
                yield str(key), ",".join(str(item) for item in value)
        return
    words: list[str] = []
    if isinstance(given, list):
        words = [word for word in given if isinstance(word, str)]
        words = [part for word in words for part in (_words(word) if "=" in word else [])]
    elif isinstance(given, str):
        words = _words(given)
    for word in words:
        if word.startswith("ParameterKey="):
            key, _comma, rest = word.removeprefix("ParameterKey=").partition(",")
            yield key, rest.removeprefix("ParameterValue=")
        elif "=" in word:
            key, _equals, value = word.partition("=")
            yield key, value


def _plain(value: str | float) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _words(text: str) -> list[str]:
    """The words of a command line, quotes taken away."""
    import shlex

    try:
        return shlex.split(text)
    except ValueError:
        return []


# Files of parameters


def of_files(
    repository: Repository,
    path: str,
    names: Collection[str],
    others: AbstractMapping[str, Collection[str]],
    read: set[str],
) -> Iterator[Deployment]:
    """The deployments of a template that files of parameters beside it are for.

    A file is taken when its name begins with the template's, or when it is called after parameters
    and no other template in the directory declares all that it gives. ``names`` are the parameters
    that the template declares, ``others`` those of the templates beside it.
    """
    directory, name = posixpath.split(path)
    stem = name.split(".")[0]
    looked = 0
    for folder in _FOLDERS:
        below = posixpath.join(directory, folder) if folder else directory
        for found in repository.files.names(below or "."):
            if not found.endswith(_ENDINGS) or found == name:
                continue
            own = _belongs(found, stem)
            if not own and not folder and _NAMED.search(found) is None:
                continue
            looked += 1
            if looked > _MAX_FILES:
                return
            where = posixpath.join(below, found)
            parameters = read_parameters(repository, where)
            if parameters is None:
                continue
            read.add(where)
            if not parameters or not set(parameters) <= set(names):
                continue
            rivals = [
                p for p, theirs in others.items() if p != path and set(parameters) <= set(theirs)
            ]
            if not own and rivals:
                continue
            yield Deployment(where, where, parameters=parameters)


def _belongs(name: str, stem: str) -> bool:
    rest = name.removeprefix(stem)
    return rest != name and rest[:1] in (".", "-", "_") and _NAMED.search(rest) is not None


def read_parameters(repository: Repository, path: str) -> dict[str, Value] | None:
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
            text = node.value if isinstance(node.value, str) else _plain(node.value)
            parameters[key] = _said(text, span, f"parameter {key} in {path}")
        elif isinstance(node, MappingNode):
            return None
    return parameters


_HEAD: Final = 2_000


def _said(text: str, span: Span, words: str, behind: str = "") -> Known:
    """A value that a file beside the template gives; in ``span`` it stands behind some words."""
    pieces: tuple[Piece, ...] = ()
    source = span.text
    at = source.find(text, max(source.find(behind), 0) + len(behind)) if text else -1
    if at >= 0:
        start = span.start + at
        pieces = (Piece(text, span.document, start, start + len(text)),)
        span = Span(span.document, start, start + len(text))
    return Known(text, span, (Evidence(Step.VARIABLES_FILE, words, span),), pieces)


# CDK


def of_assembly(repository: Repository, path: str, kept: dict[str, Any]) -> Iterator[Deployment]:
    """The environment that a CDK app's manifest gives to a template that the app wrote."""
    directory, name = posixpath.split(path)
    if not name.endswith(".template.json"):
        return
    where = posixpath.join(directory, "manifest.json")
    if where not in kept:
        kept[where] = _read_manifest(repository, where)
    found = kept[where]
    if found is None:
        return
    for artifact in found.values():
        properties = artifact.get("properties")
        if not isinstance(properties, dict) or properties.get("templateFile") != name:
            continue
        account, region = None, None
        match = _ENVIRONMENT.fullmatch(str(artifact.get("environment", "")))
        words = f"the environment of the stack in {where}"
        if match is not None:
            if _ACCOUNT.fullmatch(match[1]):
                account = _at(found.document, match[1], words)
            if not match[2].startswith("unknown-"):
                region = _at(found.document, match[2], words, match[0])
        stack = properties.get("stackName")
        yield Deployment(
            where,
            where,
            region,
            account,
            None if not isinstance(stack, str) else _at(found.document, stack, words),
        )


class _Manifest(dict[str, Any]):
    """The artifacts of a manifest, with its text."""

    def __init__(self, document: Document, artifacts: dict[str, Any]) -> None:
        super().__init__(artifacts)
        self.document = document


def _read_manifest(repository: Repository, path: str) -> _Manifest | None:
    directory, name = posixpath.split(path)
    if name not in repository.files.names(directory or "."):
        return None
    text = repository.files.read(path)
    if text is None or '"artifacts"' not in text:
        return None
    import json

    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        repository.fault(Failure(FailureKind.SYNTAX, path, "the manifest of a CDK app is no JSON"))
        return None
    artifacts = data.get("artifacts") if isinstance(data, dict) else None
    if not isinstance(artifacts, dict):
        return None
    stacks = {
        key: value
        for key, value in artifacts.items()
        if isinstance(value, dict) and value.get("type") == "aws:cloudformation:stack"
    }
    return _Manifest(Document(path, text), stacks)


def _at(document: Document, text: str, words: str, within: str = "") -> Known:
    at = document.text.find(within or text)
    at = document.text.find(text, max(at, 0))
    span = Span(document, max(at, 0), max(at, 0) + len(text))
    return _said(text, span, words)
