"""Files of settings: overrides, flags, what holds by region; YAML, JSON and TOML.

Sources: YAML 1.1; RFC 8259; TOML 1.0; AWS AppConfig User Guide, "Type reference for
AWS.AppConfig.FeatureFlags"; AWS CDK Developer Guide, "cdk.json"; AWS SAM Developer Guide, "AWS SAM CLI
configuration file".
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any, Final

from blastdoor.evaluate.scalars import MAX_DEPTH, value_of
from blastdoor.fact import Command, Evaluated, Resource, Script, Setting, Term
from blastdoor.finding import Failure, FailureKind
from blastdoor.parse.json import parse_json
from blastdoor.span import BYTE_ORDER_MARK, Document, Span
from blastdoor.value import Encoded, Known, Many, Mapping, Reason, Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.units import Repository

DOCUMENT: Final = "document of settings"
"""The type of resource that a file of settings counts as, for what compares shares."""
_TEMPLATED: Final = re.compile(r"\{\{|\{%|<%")
_OTHER: Final = "settings in the form of another tool's templates"
_LINE: Final = re.compile(
    r"[ \t]*(?P<key>[A-Za-z0-9_.\"'*-]+)[ \t]*=[ \t]*(?P<value>.*?)[ \t\r]*\Z"
)
_TABLE: Final = re.compile(r"[ \t]*\[{1,2}(?P<name>[^\]\n]+)\]")


def fill(unit: Evaluated, document: Document, repository: Repository) -> None:
    """Effect: puts what a file of settings says into a unit."""
    name = posixpath.basename(document.path)
    value = _read(document, repository)
    if value is None:
        return
    if name == "cdk.json" or name.startswith("samconfig."):
        unit.commands.extend(_unattended(value, name))
        return
    stem = name.partition(".")[0] or name
    span = value.span or Span(document, 0, 0)
    unit.settings.append(Setting(stem, value, span, span, "local", stem))
    encoded = Encoded(value, span)
    unit.resources.append(
        Resource(
            DOCUMENT,
            stem,
            document.path,
            span=span,
            get=lambda argument: encoded if argument == "content" else None,
            names=lambda: ("content",),
        )
    )


def _read(document: Document, repository: Repository) -> Value | None:
    """The value of a file. Effect: keeps what cannot be read, or counts what another tool fills in."""
    path, text = document.path, document.text
    if path.endswith(".toml"):
        return _toml(document, repository)
    if path.endswith(".json"):
        node, faults = parse_json(document)
        comments = []
    else:
        from blastdoor.parse.yaml import parse_yaml

        parsed = parse_yaml(document)
        node, faults, comments = None, parsed.faults, parsed.comments
        if len(parsed.roots) == 1:
            node = parsed.roots[0]
        elif parsed.roots and not faults:
            repository.remark(document, comments)
            items = tuple([value_of(document, root) for root in parsed.roots])
            return Many(items, Span(document, 0, len(text)))
    if faults and _TEMPLATED.search(text) is not None:
        repository.skipped[_OTHER] += 1
        return None
    for fault in faults:
        repository.fault(Failure(FailureKind.SYNTAX, path, fault.message, fault.span))
    repository.remark(document, comments)
    return None if node is None or faults else value_of(document, node)


def _toml(document: Document, repository: Repository) -> Value | None:
    import tomllib

    text = document.text.removeprefix(BYTE_ORDER_MARK)
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        words = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "nested too deep"
        repository.fault(Failure(FailureKind.SYNTAX, document.path, words))
        return None
    return _value(data, (), _places(document), Span(document, 0, len(document.text)), 0)


Place = tuple[Span, Span]
"""Where a key stands, and where its value."""


def _value(
    data: Any, path: tuple[str, ...], places: dict[tuple[str, ...], Place], span: Span, depth: int
) -> Value:
    if depth > MAX_DEPTH:
        return Unknown(Reason.BUDGET, "nesting", span)
    if isinstance(data, dict):
        entries: dict[str, Value] = {}
        spans: dict[str, Span] = {}
        for key, inner in data.items():
            key_span, at = places.get((*path, key), (span, span))
            entries[key] = _value(inner, (*path, key), places, at, depth + 1)
            spans[key] = key_span
        return Mapping(entries, span, key_spans=spans)
    if isinstance(data, list):
        return Many(tuple([_value(item, path, places, span, depth + 1) for item in data]), span)
    if isinstance(data, (str, int, float, bool)):
        return Known(data, span)
    return Known(str(data), span)


def _places(document: Document) -> dict[tuple[str, ...], Place]:
    """(table, key) → where a key and its value stand, for keys at the start of a line."""
    places: dict[tuple[str, ...], Place] = {}
    table: tuple[str, ...] = ()
    for number in range(1, len(document.line_starts) + 1):
        start, end = document.line_range(number)
        line = document.text[start:end]
        header = _TABLE.match(line)
        if header is not None:
            table = _parts(header["name"])
            at = Span(document, start + header.start("name"), start + header.end("name"))
            for size in range(1, len(table) + 1):
                places.setdefault(table[:size], (at, at))
            continue
        match = _LINE.match(line)
        if match is not None:
            key = Span(document, start + match.start("key"), start + match.end("key"))
            value = Span(document, start + match.start("value"), start + match.end("value"))
            places.setdefault((*table, *_parts(match["key"])), (key, value))
    return places


def _parts(name: str) -> tuple[str, ...]:
    """The parts of a dotted key; quoted parts are taken as they are."""
    found = re.findall(r"\"([^\"]*)\"|'([^']*)'|([^.\"'\s]+)", name)
    return tuple(one or two or three for one, two, three in found)


def _unattended(value: Value, name: str) -> Iterator[Command]:
    """What the configuration of a tool switches off that would ask somebody."""
    if name == "cdk.json":
        found = value.entries.get("requireApproval") if isinstance(value, Mapping) else None
        if isinstance(found, Known) and found.data == "never":
            words = ("cdk", "deploy", "--require-approval", "never")
            yield _command(name, "requireApproval", words, found)
        return
    for environment, table in _tables(value):
        deploy = table.entries.get("deploy")
        parameters = deploy.entries.get("parameters") if isinstance(deploy, Mapping) else None
        if not isinstance(parameters, Mapping):
            continue
        found = parameters.entries.get("confirm_changeset")
        if isinstance(found, Known) and found.data is False:
            owner = f"{name} [{environment}]"
            line = ("sam", "deploy", "--no-confirm-changeset")
            yield _command(owner, "confirm_changeset", line, found)


def _tables(value: Value) -> Iterator[tuple[str, Mapping]]:
    if isinstance(value, Mapping):
        for key, inner in value.entries.items():
            if isinstance(inner, Mapping):
                yield key, inner


def _command(owner: str, attribute: str, line: tuple[str, ...], value: Known) -> Command:
    span = value.span
    assert span is not None
    script = Script(owner, attribute, Term(" ".join(line), span, value), f"as {owner} has it")
    return Command(script, line, span, value)
