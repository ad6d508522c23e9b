"""SAM's configuration file: the environments that it deploys a template to.

Source: AWS SAM Developer Guide, "AWS SAM CLI configuration file".
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any, Final

from blastdoor.evaluate.cloudformation.deployments import Around, Deployment, said
from blastdoor.evaluate.cloudformation.template import fields, plain
from blastdoor.finding import Failure, FailureKind
from blastdoor.parse.data import Scalar
from blastdoor.parse.data import Sequence as SequenceNode
from blastdoor.span import Document, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.parse.data import Node
    from blastdoor.units import Repository
    from blastdoor.value import Value

SAM_CONFIGURATIONS: Final = ("samconfig.toml", "samconfig.yaml", "samconfig.yml")
"""Names of SAM's configuration file, in the order in which one is taken."""
_TEMPLATES: Final = ("template.yaml", "template.yml", "template.json")
"""What SAM deploys when nothing names a template, in order."""
_assignment = re.compile(r"[ \t]*([A-Za-z0-9_\"'-]+)[ \t]*=[ \t]*").match

Configuration = tuple[Document, dict[str, Any], dict[tuple[str, ...], tuple[int, int]]]
"""A text, what it says, and (table, key) → where a value stands."""


def of_sam(around: Around, path: str) -> list[Deployment]:
    """The deployments of a template that SAM's configuration file beside it names."""
    directory = posixpath.dirname(path)
    names = around.names(directory)
    own = next((given for given in SAM_CONFIGURATIONS if given in names), None)
    if own is None:
        return []
    where = posixpath.join(directory, own)
    if where not in around.kept:
        read = _read_toml if own.endswith(".toml") else _read_yaml
        found = read(around.repository, where)
        first = next((given for given in _TEMPLATES if given in names), None)
        targets: dict[str, list[Deployment]] = {}
        for target, deployment in _deployments(found, where, first):
            targets.setdefault(target, []).append(deployment)
        around.kept[where] = targets
    kept: dict[str, list[Deployment]] = around.kept[where]
    return kept.get(path, [])


def _deployments(
    found: Configuration | None, where: str, first: str | None
) -> Iterator[tuple[str, Deployment]]:
    """(path of a template, deployment) for each environment of a configuration."""
    if found is None:
        return
    directory, own = posixpath.split(where)
    document, data, places = found
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
        # What is built keeps the name of the template that it is built from.
        if not isinstance(target, str) or target.startswith((".aws-sam/", "packaged", "out")):
            target = first
        if target is None:
            continue
        path = posixpath.normpath(posixpath.join(directory, target))
        label = f"{own} [{environment}]"

        def value(
            key: str, text: str, about: str = "", label: str = label, where_of: Any = where_of
        ) -> Value:
            start, end = where_of.get(key, (0, 0))
            span = Span(document, start, end)
            return said(text, span, f"{about or key} in {label}", about)

        region, stack = settings.get("region"), settings.get("stack_name")
        overrides = settings.get("parameter_overrides")
        parameters = None
        if overrides is not None:
            parameters = {
                key: value("parameter_overrides", text, key) for key, text in _overrides(overrides)
            }
        elif isinstance(commands.get("deploy"), dict):
            parameters = {}
        yield (
            path,
            Deployment(
                label,
                where,
                value("region", region) if isinstance(region, str) and region else None,
                None,
                value("stack_name", stack) if isinstance(stack, str) and stack else None,
                parameters,
            ),
        )


def _read_toml(repository: Repository, path: str) -> Configuration | None:
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


def _read_yaml(repository: Repository, path: str) -> Configuration | None:
    text = repository.files.read(path)
    if text is None:
        return None
    from blastdoor.parse.yaml import parse_yaml

    document = Document(path, text)
    parsed = parse_yaml(document)
    for fault in parsed.faults:
        message = f"SAM's configuration: {fault.message}"
        repository.fault(Failure(FailureKind.SYNTAX, path, message, fault.span))
    data: dict[str, Any] = {}
    places: dict[tuple[str, ...], tuple[int, int]] = {}
    for environment, (_key, commands) in fields(parsed.roots[0] if parsed.roots else None).items():
        for command, (_key, body) in fields(commands).items():
            parameters = fields(body).get("parameters", (None, None))[1]
            for key, (_key, node) in fields(parameters).items():
                table = data.setdefault(environment, {}).setdefault(command, {})
                table.setdefault("parameters", {})[key] = _data(node)
                places[environment, command, "parameters", key] = node.start, node.end
    return document, data, places


def _data(node: Node) -> object:
    """A scalar, or a list or mapping of them."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, SequenceNode):
        return [item.value for item in node.items if isinstance(item, Scalar)]
    return {
        key: inner.value for key, (_key, inner) in fields(node).items() if isinstance(inner, Scalar)
    }


def _toml_places(document: Document) -> dict[tuple[str, ...], tuple[int, int]]:
    """(table, key) → where its value stands, for keys at the start of a line."""
    places: dict[tuple[str, ...], tuple[int, int]] = {}
    table: tuple[str, ...] = ()
    for number in range(1, len(document.line_starts) + 1):
        start, end = document.line_range(number)
        line = document.text[start:end]
        head, closed, _rest = line.strip().partition("]")
        if closed and head.startswith("[") and not head.startswith("[["):
            table = tuple(part.strip(" \t\"'") for part in head[1:].split("."))
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
                yield str(key), plain(value)
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


def _words(text: str) -> list[str]:
    """The words of a command line, quotes taken away."""
    import shlex

    try:
        return shlex.split(text)
    except ValueError:
        return []
