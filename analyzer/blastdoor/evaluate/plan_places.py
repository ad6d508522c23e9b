"""From a place in a plan to the place in the sources that it was planned from.

The sources are those of the directory of the plan, else of the nearest directory above it, else of the
one root of the repository, that has the blocks which the plan's configuration names.
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Final, NamedTuple

from blastdoor.parse import tree
from blastdoor.parse.outline import OutlineError
from blastdoor.span import Span
from blastdoor.units import is_configuration, literal_argument

if TYPE_CHECKING:
    from blastdoor.parse.outline import Outline, Part
    from blastdoor.units import Module, Repository, Section

_MAX_CANDIDATES: Final = 400
"""Directories whose text is searched for the blocks of a plan that does not lie beside them."""
_SHORTEST: Final = 3
"""Fewest code points of a literal, with its quotes."""
_PROBES: Final = 6
"""Blocks of the root module that are looked for."""


class _Anchor(NamedTuple):
    """A range of the plan and what it speaks of."""

    start: int
    end: int
    kind: str
    """``instance``, ``resource``, ``provider``, ``call`` or ``variable``."""
    module: str
    name: str
    part: Part
    """Where its arguments stand."""
    instance: str = ""


class Target(NamedTuple):
    """A place in the sources, and the instance that the plan speaks of."""

    span: Span | None
    instance: str
    """Address with keys, ``""`` for what is no instance."""


class Places:
    """Which source stands behind each part of one plan."""

    def __init__(
        self,
        repository: Repository,
        path: str,
        outline: Outline,
        modules: list[tuple[str, Part, Part | None]],
    ) -> None:
        self.repository = repository
        self.outline = outline
        self._anchors: list[_Anchor] = []
        self._starts: list[int] | None = None
        self._directories: dict[str, str | None] = {}
        root = _root_of(repository, path, outline, modules)
        self._directories[""] = root
        self.root = root
        self._note_configuration(outline, modules)

    @property
    def directories(self) -> frozenset[str]:
        """The directories of the sources, as far as somebody has asked for them."""
        return frozenset(d for d in self._directories.values() if d is not None)

    # What stands where in the sources

    def directory(self, module: str) -> str | None:
        """The directory of a module by its path without keys (``module.a.module.b``)."""
        if module in self._directories:
            return self._directories[module]
        caller, name = call_of(module)
        above = self.directory(caller)
        found = None
        if above is not None:
            section = self._module(caller, "calls", name)
            if section is not None:
                found = self.repository.resolve_source(above, section)
        self._directories[module] = found
        return found

    def _of(self, module: str) -> Module | None:
        directory = self.directory(module)
        return None if directory is None else self.repository.module(directory)

    def _module(self, module: str, kind: str, name: str) -> Section | None:
        found = self._of(module)
        if found is None:
            return None
        sections: dict[str, Section] = getattr(found, kind)
        return sections.get(name)

    def section(self, module: str, address: str) -> Section | None:
        """The block of a resource or data source, by its address without keys."""
        found = self._of(module)
        if found is None:
            return None
        local = address.removeprefix(f"{module}.") if module else address
        words = local.split(".")
        if words[0] == "data":
            return found.data.get((words[1], words[2])) if len(words) > 2 else None  # noqa: PLR2004
        return found.managed.get((words[0], words[1])) if len(words) > 1 else None

    def call(self, path: str) -> Section | None:
        """The block of a module call."""
        caller, name = call_of(path)
        return self._module(caller, "calls", name)

    def provider(self, module: str, name: str, alias: str) -> Section | None:
        """The block of a provider configuration."""
        found = self._of(module)
        for section in found.providers if found is not None else ():
            if section.labels == (name,) and (literal_argument(section, "alias") or "") == alias:
                return section
        return None

    # What stands where in the plan

    def add(  # noqa: PLR0913, PLR0917  what names an instance
        self,
        resource: Part,
        values: Part,
        module: str,
        address: str,
        mode: str,
        type_: str,
        name: str,
    ) -> None:
        """Effect: notes an instance."""
        local = f"{'data.' if mode == 'data' else ''}{type_}.{name}"
        full = f"{module}.{local}" if module else local
        self._anchors.append(
            _Anchor(resource.start, resource.end, "instance", module, full, values, address)
        )
        self._starts = None

    def note_variable(self, part: Part, name: str) -> None:
        """Effect: notes the value of a variable of the root module."""
        self._anchors.append(_Anchor(part.start, part.end, "variable", "", name, part))
        self._starts = None

    def _note_configuration(
        self, outline: Outline, modules: list[tuple[str, Part, Part | None]]
    ) -> None:
        root = outline.root
        providers = outline.at(root, "configuration", "provider_config")
        if providers is not None and outline.is_object(providers):
            for key, where, part in outline.entries(providers):
                expressions = outline.at(part, "expressions") or part
                self._anchors.append(
                    _Anchor(where.start, part.end, "provider", "", key, expressions)
                )
        for module, part, call in modules:
            if call is not None:
                for field in ("source", "expressions", "for_each_expression", "count_expression"):
                    inner = outline.at(call, field)
                    if inner is not None:
                        self._anchors.append(
                            _Anchor(inner.start, inner.end, f"call {field}", "", module, inner)
                        )
            for resource in outline.items(outline.at(part, "resources")):
                address = outline.string(outline.at(resource, "address"))
                full = f"{module}.{address}" if module else address
                self._anchors.append(
                    _Anchor(resource.start, resource.end, "resource", module, full, resource)
                )

    def _anchor(self, span: Span) -> _Anchor | None:
        if self._starts is None:
            self._anchors.sort(key=lambda anchor: anchor.start)
            self._starts = [anchor.start for anchor in self._anchors]
        index = bisect_right(self._starts, span.start) - 1
        if index < 0:
            return None
        anchor = self._anchors[index]
        return anchor if span.end <= anchor.end else None

    # The way between them

    def source_of(self, span: Span) -> Target:
        """The place in the sources that a range of the plan stands for."""
        try:
            return self._source_of(span)
        except OutlineError:
            # Something beside the value is no JSON; its own reader says so.
            return Target(None, "")

    def _source_of(self, span: Span) -> Target:
        anchor = self._anchor(span)
        if anchor is None:
            return Target(None, "")
        if anchor.kind == "instance":
            section = self.section(anchor.module, anchor.name)
            steps = self._steps(anchor.part, span)
            found = None if section is None else self._within(section, steps, anchor.part)
            return Target(self._narrowed(found, span), anchor.instance)
        return Target(self._configured(anchor, span), "")

    def _narrowed(self, found: Span | None, span: Span) -> Span | None:
        """The literal within an expression that is the planned text, when it stands there once."""
        wanted = self.outline.text[span.start : span.end]
        if found is None or len(wanted) < _SHORTEST or wanted[0] != '"' or "\\" in wanted:
            return found
        text = found.text
        at = text.find(wanted)
        if at < 0 or text.find(wanted, at + 1) >= 0:
            return found
        return Span(found.document, found.start + at, found.start + at + len(wanted))

    def _configured(self, anchor: _Anchor, span: Span) -> Span | None:
        kind, name = anchor.kind, anchor.name
        steps = [str(step) for step in self._steps(anchor.part, span)]
        section: Section | None = None
        argument = steps[0] if steps else ""
        if kind == "resource":
            section = self.section(anchor.module, name)
            argument = argument.removesuffix("_expression")
        elif kind == "provider":
            module, _colon, own = name.rpartition(":")
            local, _dot, alias = own.partition(".")
            section = self.provider(module, local, alias)
        elif kind.startswith("call "):
            section = self.call(name)
            field = kind.removeprefix("call ").removesuffix("_expression")
            argument = argument if field == "expressions" else field
        elif kind == "variable":
            return self._default(name, anchor.part)
        if section is None:
            return None
        found = section.argument(argument)
        if found is None:
            return section.span
        if kind == "call source":
            return section.span
        return Span(found[0], found[1].expression.start, found[1].expression.end)

    def _default(self, name: str, value: Part) -> Span | None:
        """The default of a variable that has no other value in the plan."""
        root = self.outline.at(self.outline.root, "configuration", "root_module", "variables", name)
        default = self.outline.at(root, "default")
        section = self._module("", "variables", name)
        if default is None or section is None:
            return None
        if self.outline.data(default) != self.outline.data(value):
            return None
        found = section.argument("default")
        if found is None:
            return None
        return Span(found[0], found[1].expression.start, found[1].expression.end)

    def _steps(self, part: Part, span: Span) -> list[str | int]:
        """The names and indices that lead from a value down to a range within it."""
        outline = self.outline
        steps: list[str | int] = []
        if not (part.start <= span.start and span.end <= part.end):
            return steps
        while True:
            inner: Part | None = None
            if outline.is_object(part):
                for name, where, value in outline.entries(part):
                    if where.start <= span.start and span.end <= value.end:
                        steps.append(name)
                        inner = value
                        break
            elif outline.is_array(part):
                for number, value in enumerate(outline.items(part)):
                    if value.start <= span.start and span.end <= value.end:
                        steps.append(number)
                        inner = value
                        break
            if inner is None:
                return steps
            part = inner

    def _within(self, section: Section, steps: list[str | int], part: Part) -> Span:
        """The expression of an argument, else the innermost block around it that is written."""
        at = 0
        while at < len(steps):
            name = str(steps[at])
            inner = self.outline.members(part).get(name)
            found = section.argument(name)
            if found is not None:
                return Span(found[0], found[1].expression.start, found[1].expression.end)
            blocks = section.sections(name)
            if not blocks:
                for block in section.sections("dynamic"):
                    contents = block.sections("content") if block.labels == (name,) else []
                    if contents:
                        blocks = contents[:1]
                        break
                else:
                    return section.span
            at += 1
            if inner is not None and at < len(steps) and isinstance(steps[at], int):
                inner = list(self.outline.items(inner))[int(steps[at])]
                at += 1
            elif len(blocks) > 1:
                return section.span
            if inner is None:
                return section.span
            fitting = [block for block in blocks if self._fits(block, inner)]
            if len(fitting) != 1:
                return section.span
            section, part = fitting[0], inner
        return section.span

    def _fits(self, block: Section, part: Part) -> bool:
        """Whether a planned block does not contradict the literal arguments of one of the sources."""
        for name, value in self.outline.members(part).items():
            literal = _literal(block, name)
            if literal is None:
                continue
            text = self.outline.text
            quoted = text[value.start] == '"'
            planned = self.outline.string(value) if quoted else text[value.start : value.end]
            if literal != planned:
                return False
        return True


def _literal(block: Section, name: str) -> str | None:
    """The text of an argument that is a plain string, number or boolean, as JSON has it."""
    found = block.argument(name)
    expression = None if found is None else found[1].expression
    if isinstance(expression, tree.Literal):
        value = expression.value
        return str(value).lower() if isinstance(value, bool) else str(value)
    return literal_argument(block, name)


def call_of(module: str) -> tuple[str, str]:
    """(path of the calling module, name of the call) of a module path: ``("module.a", "b")``."""
    caller, _dot, name = f".{module}".rpartition(".module.")
    return caller.removeprefix("."), name


def _root_of(
    repository: Repository,
    path: str,
    outline: Outline,
    modules: list[tuple[str, Part, Part | None]],
) -> str | None:
    """The directory of the root module; ``None`` when the sources are not here."""
    if not modules:
        return None
    root = modules[0][1]
    probes: list[tuple[str, str]] = []
    for resource in outline.items(outline.at(root, "resources")):
        if len(probes) >= _PROBES:
            break
        words = outline.string(outline.at(resource, "address")).split(".")[-2:]
        if len(words) == 2:  # noqa: PLR2004  type and name
            probes.append((words[0], words[1]))
    calls = list(outline.members(outline.at(root, "module_calls")))[:_PROBES]
    probes += [("module", name) for name in calls]
    if not probes:
        return None
    patterns = [_Probe(kind, name) for kind, name in probes]
    folder = posixpath.dirname(path) or "."
    while True:
        if _has(repository, folder, patterns):
            return folder
        if folder in (".", ""):
            break
        folder = posixpath.dirname(folder) or "."
    candidates = repository.directories()
    if len(candidates) > _MAX_CANDIDATES:
        return None
    found = [folder for folder in candidates if _has(repository, folder, patterns)]
    return found[0] if len(found) == 1 else None


class _Probe:
    """A block that the sources of a plan have, looked for without parsing them."""

    def __init__(self, kind: str, name: str) -> None:
        header = rf'"?{re.escape(kind)}"?[ \t]+"?{re.escape(name)}"?[ \t]*\{{'
        self._header = re.compile(header)
        self._words = (f'"{kind}"', f'"{name}"')

    def in_text(self, text: str, is_json: bool) -> bool:  # noqa: FBT001  the syntax of the text
        """Whether a file has the block; of the JSON syntax only that it has both words."""
        if is_json:
            return all(word in text for word in self._words)
        return self._header.search(text) is not None


def _has(repository: Repository, folder: str, probes: list[_Probe]) -> bool:
    """Whether most of the blocks are in the texts of a directory."""
    names = repository.by_directory.get(folder, ())
    texts = []
    for name in names:
        if is_configuration(name):
            text = repository.files.read(posixpath.normpath(posixpath.join(folder, name)))
            if text is not None:
                texts.append((text, name.endswith(".json")))
    hits = sum(any(probe.in_text(*text) for text in texts) for probe in probes)
    return hits * 2 > len(probes)
