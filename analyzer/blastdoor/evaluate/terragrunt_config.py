"""Terragrunt configuration to values: locals, includes, inputs and what is generated.

Source: Terragrunt documentation, "HCL Reference": "Overview" (parsing order), "Blocks" (``include``,
``locals``, ``terraform``, ``remote_state``, ``generate``, ``dependency``, ``feature``), "Attributes"
(``inputs``). A `Config` is one file read in one context: an included file is read in the context of the
unit that includes it, a file read with ``read_terragrunt_config`` in its own.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from blastdoor.evaluate import functions
from blastdoor.evaluate.expression import (
    Bindings,
    Budget,
    Frame,
    evaluate,
    render_into,
    to_bool,
)
from blastdoor.evaluate.terragrunt_functions import FUNCTIONS, deep, guarded, locate
from blastdoor.fact import Lookup
from blastdoor.finding import Failure, FailureKind
from blastdoor.parse import tree
from blastdoor.span import Document, Span
from blastdoor.value import (
    Evidence,
    Known,
    Mapping,
    Piece,
    Reason,
    Step,
    Text,
    Unknown,
    Value,
    known_text,
    within_budget,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence
    from collections.abc import Mapping as AbstractMapping

    from blastdoor.units import Repository

MAX_CONFIGS: Final = 200
"""Files of configuration that one unit reads."""
MAX_INCLUDES: Final = 50
"""Blocks of one file that include another."""
_MAX_CHAIN: Final = 10
"""Evidence steps that one local keeps."""
_SIMPLE: Final = (
    "download_dir",
    "iam_assume_role_duration",
    "iam_assume_role_session_name",
    "iam_role",
    "iam_web_identity_token",
    "prevent_destroy",
    "retryable_errors",
    "skip",
    "terraform_binary",
    "terraform_version_constraint",
    "terragrunt_version_constraint",
)
"""Attributes that others may read, beside those that are merged."""


@dataclass(frozen=True, slots=True)
class Include:
    """One ``include`` block: the file it names, or ``None`` with the reason."""

    name: str
    path: str | None
    config: Config | None
    expose: bool
    strategy: str
    span: Span
    gap: Unknown | None = None


@dataclass(frozen=True, slots=True)
class Generate:
    """One file to generate: what a ``generate`` block or entry says."""

    name: str
    path: Value
    if_exists: Value
    disable: Value
    pieces: tuple[Piece | Value, ...]
    span: Span


@dataclass(slots=True)
class Result:
    """A configuration with what it includes merged in."""

    inputs: Value
    inputs_span: Span | None = None
    inputs_gap: Unknown | None = None
    """Why there may be further inputs."""
    source: Value | None = None
    source_span: Span | None = None
    generates: dict[str, Generate] = field(default_factory=dict)
    remote_state: Value | None = None
    arguments: dict[str, Value] = field(default_factory=dict)
    """Blocks of ``extra_arguments`` by name."""
    iam_role: Value | None = None
    gaps: list[Unknown] = field(default_factory=list)
    """Why something of it may be missing."""


class Reader:
    """What the configurations of one unit share: the files, the budget, what went wrong."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.budget = Budget()
        self.failures: dict[tuple[str, int, str], Failure] = {}
        self.inputs: set[str] = set()
        self.lookups: dict[Hashable, Lookup] = {}
        self.configs: list[Config] = []
        self._read: dict[str, Value] = {}
        self._open: set[str] = set()

    def close(self) -> None:
        """Effect: breaks the circles between configurations, so that a unit goes when it is done.

        Garbage collection is off while trees grow: what refers to itself would stay to the end.
        """
        for config in self.configs:
            config.forget()
        self.configs.clear()
        self.lookups.clear()
        self._read.clear()

    def fail(self, span: Span, message: str, kind: FailureKind = FailureKind.UNREADABLE) -> None:
        """Effect: notes something that Terragrunt could not go on with."""
        place = (span.path, span.start, message)
        self.failures.setdefault(place, Failure(kind, span.path, message, span))

    def unit(self, path: str) -> Config | None:
        """The configuration of a unit."""
        parsed = self.repository.config_file(path)
        if parsed is None:
            return None
        self.inputs.add(path)
        return Config(self, parsed, path, path)

    def included(self, path: str, child: Config) -> Config | None:
        """A file that ``child`` includes."""
        parsed = self._file(path)
        if parsed is None:
            return None
        config = Config(self, parsed, path, child.original, child)
        config.includes()
        return config

    def value(self, path: str, reader: Config, span: Span) -> Value | None:
        """What ``read_terragrunt_config`` gives for a file; ``None`` when it is not there."""
        found = self._read.get(path)
        if found is not None:
            return found
        if path in self._open or path == reader.path:
            self.fail(span, f"{path} is read while it is being read")
            return Unknown(Reason.CYCLE, path, span)
        parsed = self._file(path)
        if parsed is None:
            if len(self.configs) >= MAX_CONFIGS:
                return Unknown(Reason.BUDGET, path, span)
            return None
        self._open.add(path)
        try:
            config = Config(self, parsed, path, reader.original)
            value = config.as_value()
        finally:
            self._open.discard(path)
        self._read[path] = value
        return value

    def _file(self, path: str) -> tree.Parsed | None:
        if len(self.configs) >= MAX_CONFIGS:
            message = f"more than {MAX_CONFIGS} files of configuration; the rest is not read"
            self.fail(self.configs[0].start, message, FailureKind.LIMIT)
            return None
        parsed = self.repository.config_file(path)
        if parsed is not None:
            self.inputs.add(path)
        return parsed


class ConfigFiles:
    """The files that functions in a configuration may read: relative paths begin beside it."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def close(self) -> None:
        """Effect: lets go of the configuration."""
        del self._config

    def _target(self, path: str) -> str | None:
        target = locate(path, posixpath.dirname(self._config.path))
        if target is not None:
            self._config.reader.inputs.add(target)
        return target

    def read(self, path: str) -> str | None:
        """The text of a file in the analysed root."""
        target = self._target(path)
        return None if target is None else self._config.reader.repository.files.read(target)

    def document(self, path: str) -> Document | None:
        """The same file as a document."""
        target = self._target(path)
        return None if target is None else self._config.reader.repository.document(target)

    def names(self, directory: str, pattern: str) -> list[str] | None:
        """Sets of files are not followed in configuration."""
        del directory, pattern
        return None

    def template(self, path: str, variables: AbstractMapping[str, Value], span: Span) -> Value:
        """The rendered template file."""
        document = self.document(path)
        if document is None:
            return Unknown(Reason.OUTSIDE_FILE, path, span)
        expression = self._config.reader.repository.template(document)
        if expression is None:
            return Unknown(Reason.SYNTAX, path, span)
        return evaluate(expression, Frame(_TemplateScope(self._config), document, dict(variables)))


class Config:
    """One file of configuration in one context. What names mean in it: `resolve`."""

    def __init__(
        self,
        reader: Reader,
        parsed: tree.Parsed,
        path: str,
        original: str,
        child: Config | None = None,
    ) -> None:
        self.reader = reader
        self.budget = reader.budget
        self.files = ConfigFiles(self)
        self.body = parsed.body
        self.document = parsed.document
        self.path = path
        self.original = original
        """The file that Terragrunt was started with."""
        self.context: str = path if child is None else child.context
        """The file that path functions start from: the unit's, also within what it includes."""
        self.child = child
        self.start = Span(self.document, 0, 0)
        self._values: dict[Hashable, Value] = {}
        self._open: set[Hashable] = set()
        self._includes: dict[str, Include] | None = None
        reader.configs.append(self)
        self.locals: dict[str, tree.Attribute] = {}
        for block in self.blocks("locals"):
            for name, attribute in block.body.attributes.items():
                self.locals.setdefault(name, attribute)

    def forget(self) -> None:
        """Effect: lets go of every value and of what is included."""
        self._values.clear()
        self._includes = None
        self.child = None
        self.files.close()

    # The scope of expressions

    def blocks(self, kind: str) -> Iterator[tree.Block]:
        """The top-level blocks of one type."""
        return (block for block in self.body.blocks if block.type == kind)

    def frame(self, owner: str = "", bindings: Bindings | None = None) -> Frame:
        """Where an expression of this file stands."""
        return Frame(self, self.document, bindings or {}, owner)

    def span(self, node: tree.Node) -> Span:
        """The place of a node of this file."""
        return Span(self.document, node.start, node.end)

    def resolve(
        self, name: str, operations: Sequence[tree.Operation], frame: Frame, span: Span
    ) -> tuple[Value, int]:
        """The value of a root name with the first operations, and how many of them it used."""
        del frame
        first = operations[0] if operations else None
        if name == "local" and isinstance(first, tree.Attr):
            return self.local(first.name, span), 1
        if name == "include":
            return self._exposed(operations, span)
        if name == "dependency" and isinstance(first, tree.Attr):
            # Mock outputs stand in for what is not applied yet; they are not the value.
            return Unknown(Reason.REMOTE_STATE, f"dependency.{first.name}", span), 1
        if name == "feature":
            return Unknown(Reason.ENVIRONMENT, "feature", span), 0
        if name == "values":
            return self._stack_values(span), 0
        return Unknown(Reason.UNRESOLVED, name, span), 0

    def apply(self, name: str, arguments: Sequence[Value], frame: Frame, span: Span) -> Value:
        """What a function gives: one of Terragrunt's own or of Terraform's."""
        del frame
        own = FUNCTIONS.get(name)
        if own is not None:
            return own(self, name, arguments, span)
        return guarded(name, arguments, span) or functions.call(name, arguments, span, self.files)

    def missed(self, base: Span, mapping: Mapping, key: Value, frame: Frame, span: Span) -> None:
        """Effect: records a lookup by a known key that a completely known mapping lacks."""
        text = known_text(key)
        if text is not None:
            owner = f"{self.path}:{frame.owner}"
            found = Lookup(base.text, tuple(mapping.entries), key, span, owner, mapping.span)
            self.reader.lookups.setdefault((span.path, span.start, span.end, text), found)

    def _once(self, key: Hashable, make: Callable[[], Value], subject: str, span: Span) -> Value:
        found = self._values.get(key)
        if found is not None:
            return found
        if key in self._open:
            return Unknown(Reason.CYCLE, subject, span)
        self._open.add(key)
        try:
            value = make()
        finally:
            self._open.discard(key)
        if len(value.via) > _MAX_CHAIN:
            value = value.through()
            value.via = value.via[:2] + value.via[-(_MAX_CHAIN - 2) :]
        if not (isinstance(value, Unknown) and value.reason is Reason.CYCLE):
            self._values[key] = value
        return value

    def local(self, name: str, span: Span | None = None) -> Value:
        """The value of ``local.name``."""
        attribute = self.locals.get(name)
        subject = f"local.{name}"
        if attribute is None:
            return Unknown(Reason.UNRESOLVED, subject, span)
        where = self.span(attribute.expression)

        def make() -> Value:
            value = evaluate(attribute.expression, self.frame(subject))
            return value.through(Evidence(Step.LOCAL, subject, where))

        return self._once(("local", name), make, subject, where)

    def _stack_values(self, span: Span) -> Value:
        path = posixpath.join(posixpath.dirname(self.context), "terragrunt.values.hcl")
        parsed = self.reader.repository.config_file(posixpath.normpath(path))
        if parsed is None:
            return Unknown(Reason.CALLER, "values", span)
        self.reader.inputs.add(path)
        return self.values_of(parsed)

    def values_of(self, parsed: tree.Parsed) -> Value:
        """The attributes of a file of values as a mapping."""
        document = parsed.document
        entries: dict[str, Value] = {}
        spans: dict[str, Span] = {}
        for name, attribute in parsed.body.attributes.items():
            entries[name] = evaluate(attribute.expression, Frame(self, document, {}))
            spans[name] = Span(document, attribute.name_start, attribute.name_end)
        return within_budget(Mapping(entries, Span(document, 0, 0), key_spans=spans))

    def _exposed(self, operations: Sequence[tree.Operation], span: Span) -> tuple[Value, int]:
        """``include.name.…``, or ``include.…`` of a block without a label."""
        includes = self.includes()
        used = 0
        include = includes.get("")
        first = operations[0] if operations else None
        if include is None or len(includes) > 1:
            name = _name_of(first, self.frame())
            if name is None:
                return Unknown(Reason.UNRESOLVED, "include", span), 0
            include = includes.get(name)
            used = 1
        if include is None or not include.expose:
            return Unknown(Reason.UNRESOLVED, "include", span), used
        if include.config is None:
            return include.gap or Unknown(Reason.OUTSIDE_FILE, "include", span), used
        rest = operations[used:]
        if len(rest) > 1 and _name_of(rest[0], self.frame()) == "locals":
            name = _name_of(rest[1], self.frame())
            if name is not None:
                return include.config.local(name, span), used + 2
        return include.config.as_value(), used

    # Includes

    def includes(self) -> dict[str, Include]:
        """The ``include`` blocks by label, in source order. A file that is included has none."""
        if self._includes is None:
            self._includes = {}
            # Includes come first, whoever asks for them: no `try()` catches what is wrong with them.
            speculative, self.budget.speculative = self.budget.speculative, 0
            for block in self.blocks("include"):
                name = block.labels[0].text if block.labels else ""
                if self.child is not None:
                    message = "an included file includes another, which Terragrunt refuses"
                    self.reader.fail(self._header(block), message)
                    break
                if len(self._includes) >= MAX_INCLUDES:
                    message = f"more than {MAX_INCLUDES} includes; the rest is not read"
                    self.reader.fail(self._header(block), message, FailureKind.LIMIT)
                    break
                self._includes[name] = self._include(name, block)
            self.budget.speculative = speculative
        return self._includes

    def _header(self, block: tree.Block) -> Span:
        return Span(self.document, block.start, block.header_end)

    def _include(self, name: str, block: tree.Block) -> Include:
        arguments = block.body.attributes
        span = self._header(block)

        def get(argument: str) -> Value | None:
            found = arguments.get(argument)
            return None if found is None else evaluate(found.expression, self.frame("include"))

        exposed, strategy = get("expose"), known_text(get("merge_strategy")) or "shallow"
        expose = exposed is not None and to_bool(exposed) is True
        value = get("path")
        at = self.span(arguments["path"].expression) if "path" in arguments else span
        text = known_text(value)
        what = f'include "{name}"' if name else "include"
        if text is None:
            gap = value if isinstance(value, Unknown) else Unknown(Reason.INVALID, what, at)
            if gap.reason.decidable or gap.reason is Reason.OUTSIDE_FILE:
                self.reader.fail(at, f"{what} leads nowhere: {gap.subject or gap.reason.text}")
            return Include(name, None, None, expose, strategy, at, gap)
        target = locate(text, posixpath.dirname(self.context))
        if target is None:
            self.reader.fail(at, f"{what} leads out of the analysed root")
            gap = Unknown(Reason.OUTSIDE_FILE, what, at)
            return Include(name, None, None, expose, strategy, at, gap)
        if target == self.path:
            self.reader.fail(at, f"{what} is the file itself")
            gap = Unknown(Reason.CYCLE, what, at)
            return Include(name, target, None, expose, strategy, at, gap)
        config = self.reader.included(target, self)
        if config is None:
            self.reader.fail(at, f"{what} is not there: {target}")
            gap = Unknown(Reason.OUTSIDE_FILE, target, at)
            return Include(name, target, None, expose, strategy, at, gap)
        return Include(name, target, config, expose, strategy, at)

    def known_includes(self) -> dict[str, str | None]:
        """The files that are included, by label, as far as they are known by now."""
        return {name: include.path for name, include in self.includes().items()}

    # What the file says

    def attribute(self, name: str) -> Value | None:
        """The value of a top-level attribute."""
        found = self.body.attributes.get(name)
        if found is None:
            return None
        where = self.span(found.expression)
        return self._once(
            ("attribute", name),
            lambda: evaluate(found.expression, self.frame(name)),
            name,
            where,
        )

    def block_value(self, block: tree.Block, without: str = "") -> Mapping:
        """The arguments of a block as a mapping."""
        entries: dict[str, Value] = {}
        spans: dict[str, Span] = {}
        for name, attribute in block.body.attributes.items():
            if name == without:
                continue
            entries[name] = evaluate(attribute.expression, self.frame(block.type))
            spans[name] = Span(self.document, attribute.name_start, attribute.name_end)
        return Mapping(entries, self._header(block), key_spans=spans)

    def _own_source(self) -> tuple[Value | None, Span | None]:
        for block in self.blocks("terraform"):
            source = block.body.attributes.get("source")
            if source is not None:
                where = self.span(source.expression)
                return evaluate(source.expression, self.frame("terraform.source")), where
        return None, None

    def source(self) -> Value | None:
        """The source of the module, of the file or of what it includes."""
        found, _span = self._own_source()
        for include in reversed(list(self.includes().values())):
            if found is None and include.config is not None and include.strategy != "no_merge":
                found, _span = include.config._own_source()  # noqa: SLF001  the same class
        return found

    def own(self) -> Result:
        """What the file itself says, before anything is merged."""
        result = Result(Mapping({}, self.start))
        inputs = self.attribute("inputs")
        if inputs is not None:
            found = self.body.attributes["inputs"]
            result.inputs, result.inputs_span = inputs, self.span(found.expression)
            result.inputs_gap = self._inputs_gap(found.expression, inputs)
        result.iam_role = self.attribute("iam_role")
        result.source, result.source_span = self._own_source()
        for block in self.blocks("terraform"):
            for inner in block.body.blocks:
                if inner.type == "extra_arguments" and inner.labels:
                    result.arguments[inner.labels[0].text] = self.block_value(inner)
        result.remote_state = self.attribute("remote_state")
        for block in self.blocks("remote_state"):
            result.remote_state = self.block_value(block)
        result.generates = self._generates(result)
        return result

    def _inputs_gap(self, expression: tree.Expression, inputs: Value) -> Unknown | None:
        """Why a merge of inputs is not complete: the first map of it that is not known."""
        if isinstance(inputs, Unknown):
            return inputs
        if isinstance(inputs, Mapping) and inputs.complete:
            return None
        for argument in expression.arguments if isinstance(expression, tree.Call) else ():
            value = evaluate(argument, self.frame("inputs"))
            if isinstance(value, Unknown):
                return value
        return None

    def _generates(self, result: Result) -> dict[str, Generate]:
        found: dict[str, Generate] = {}
        given = self.attribute("generate")
        if given is not None and not (isinstance(given, Known) and given.data is None):
            span = self.span(self.body.attributes["generate"].expression)
            if isinstance(given, Mapping):
                for name, entry in given.entries.items():
                    if isinstance(entry, Mapping):
                        found[name] = _generate(name, entry, span)
            if not isinstance(given, Mapping) or not given.complete:
                result.gaps.append(_gap(given, span, "generate"))
        for block in self.blocks("generate"):
            name = block.labels[0].text if block.labels else ""
            pieces = self._pieces(block)
            without = "" if pieces is None else "contents"
            entry = self.block_value(block, without)
            found[name] = _generate(name, entry, self._header(block), pieces)
        return found

    def _pieces(self, block: tree.Block) -> tuple[Piece | Value, ...] | None:
        """The parts of ``contents`` as they are written, so that each keeps its evidence."""
        contents = block.body.attributes.get("contents")
        if contents is None:
            return ()
        expression = contents.expression
        if not isinstance(expression, tree.Template):
            return None
        if len(expression.parts) == 1 and not expression.heredoc:
            return None
        pieces: list[Piece | Value] = []
        render_into(expression.parts, self.frame("generate"), pieces)
        return tuple(pieces)

    def merged(self) -> Result:
        """What the file says with what it includes: later includes before earlier ones.

        Terragrunt documentation, "Blocks", ``include``: ``merge_strategy``, "What is deep merge?".
        """
        result = self.own()
        for include in reversed(list(self.includes().values())):
            if include.strategy == "no_merge":
                continue
            if include.config is None:
                gap = include.gap or Unknown(Reason.OUTSIDE_FILE, "include", include.span)
                result.gaps.append(gap)
                result.inputs_gap = result.inputs_gap or gap
                result.inputs = self._merge_inputs(gap, result.inputs, include)
                continue
            parent = include.config.own()
            result = Result(
                self._merge_inputs(parent.inputs, result.inputs, include),
                result.inputs_span or parent.inputs_span,
                result.inputs_gap or parent.inputs_gap,
                result.source or parent.source,
                result.source_span or parent.source_span,
                {**parent.generates, **result.generates},
                result.remote_state or parent.remote_state,
                {**parent.arguments, **result.arguments},
                result.iam_role or parent.iam_role,
                parent.gaps + result.gaps,
            )
        return result

    def _merge_inputs(self, parent: Value, child: Value, include: Include) -> Value:
        if include.strategy == "deep":
            return deep(parent, child)
        return functions.call("merge", [parent, child], child.span or include.span, self.files)

    def as_value(self) -> Value:
        """The whole configuration as ``read_terragrunt_config`` and exposed includes give it."""
        return self._once(("value",), self._as_value, self.path, self.start)

    def _as_value(self) -> Value:
        result = self.merged()
        entries: dict[str, Value] = {
            "locals": Mapping(
                {name: self.local(name) for name in self.locals},
                self.start,
                key_spans={
                    name: Span(self.document, a.name_start, a.name_end)
                    for name, a in self.locals.items()
                },
            ),
            "inputs": result.inputs,
            "generate": Mapping(
                {n: _as_mapping(g) for n, g in result.generates.items()}, self.start
            ),
            "dependency": Unknown(Reason.REMOTE_STATE, "dependency", self.start),
            "feature": Unknown(Reason.ENVIRONMENT, "feature", self.start),
        }
        if result.remote_state is not None:
            entries["remote_state"] = result.remote_state
        terraform: dict[str, Value] = {}
        if result.source is not None:
            terraform["source"] = result.source
        if result.arguments:
            terraform["extra_arguments"] = Mapping(dict(result.arguments), self.start)
        if terraform or any(self.blocks("terraform")):
            entries["terraform"] = Mapping(terraform, self.start, complete=False)
        for block in self.blocks("dependencies"):
            entries["dependencies"] = self.block_value(block)
        for name in _SIMPLE:
            value = self.attribute(name)
            if value is not None:
                entries[name] = value
        return within_budget(Mapping(entries, self.start))


class _TemplateScope:
    """What names mean in a template file: only its variables."""

    def __init__(self, config: Config) -> None:
        self.files = config.files
        self.budget = config.budget

    def resolve(
        self,
        name: str,
        operations: Sequence[tree.Operation],  # noqa: ARG002  the protocol's
        frame: Frame,  # noqa: ARG002
        span: Span,
    ) -> tuple[Value, int]:
        """No name is known beyond the variables."""
        return Unknown(Reason.UNRESOLVED, name, span), 0

    def apply(self, name: str, arguments: Sequence[Value], frame: Frame, span: Span) -> Value:  # noqa: ARG002
        """What one of Terraform's functions gives."""
        return functions.call(name, arguments, span, self.files)

    def missed(self, base: Span, mapping: Mapping, key: Value, frame: Frame, span: Span) -> None:
        """A template's lookups are not recorded."""


def _name_of(operation: tree.Operation | None, frame: Frame) -> str | None:
    """The name that ``.name`` or ``["name"]`` selects."""
    if isinstance(operation, tree.Attr):
        return operation.name
    return known_text(evaluate(operation.key, frame)) if isinstance(operation, tree.Index) else None


def _gap(value: Value, span: Span, subject: str) -> Unknown:
    return value if isinstance(value, Unknown) else Unknown(Reason.RANGE, subject, span)


def _generate(
    name: str, entry: Mapping, span: Span, pieces: tuple[Piece | Value, ...] | None = None
) -> Generate:
    contents = entry.get("contents")
    if pieces is None:
        pieces = () if contents is None else _pieces_of(contents)
    missing = Unknown(Reason.INVALID, f"generate {name}", span)
    return Generate(
        name,
        entry.get("path") or missing,
        entry.get("if_exists") or missing,
        entry.get("disable") or Known(data=False, span=span),
        pieces,
        span,
    )


def _pieces_of(value: Value) -> tuple[Piece | Value, ...]:
    if isinstance(value, Known) and value.pieces:
        return value.pieces
    if isinstance(value, Text):
        return value.parts
    return (value,)


def _as_mapping(generate: Generate) -> Mapping:
    parts = generate.pieces
    only = parts[0] if len(parts) == 1 else None
    contents: Value = only if isinstance(only, Value) else Text(parts, generate.span)
    entries = {
        "path": generate.path,
        "if_exists": generate.if_exists,
        "disable": generate.disable,
        "contents": contents,
    }
    return Mapping(entries, generate.span, complete=False)
