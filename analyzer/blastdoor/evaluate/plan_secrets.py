"""What a plan holds that nobody may read: the ranges of sensitive values, and their texts.

A plan has sensitive values in plain text, marked beside them (HashiCorp, "JSON Output Format":
``before_sensitive``, ``after_sensitive``, ``sensitive_values``). They are judged like all others, but
the text that reports quote from has them blotted out, and no message repeats them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from blastdoor.parse.outline import Outline, Part

MASK: Final = "***"
_SHORTEST: Final = 3
"""Fewest code points of a sensitive text that is looked for in messages."""
_SHORTEST_COPY: Final = 6
"""Fewest code points of a sensitive text that is looked for elsewhere in the plan."""
_MAX_EFFORT: Final = 2_000_000_000
"""Code points that the search for copies goes through."""
_MAX_TEXTS: Final = 5_000
_STRING: Final = re.compile(r'"((?:[^"\\]++|\\.)*+)"')
_NAMES: Final = re.compile(
    r"passw|passphrase|secret|token|credential|private_?key|api_?key|access_?key", re.IGNORECASE
)


class Secrets:
    """The sensitive ranges of one plan."""

    def __init__(self, outline: Outline, top: dict[str, Part]) -> None:
        self.outline = outline
        self._ranges: list[tuple[int, int]] = []
        self._names: dict[str, set[str]] = {}
        """Address without keys → arguments that hold something sensitive."""
        self._after: dict[str, Part] = {}
        """Address → the marks of its planned values."""
        self._find(top)
        self._ranges = _merged(self._ranges)
        self._starts = [start for start, _end in self._ranges]
        written = self._written()
        self._raw = [raw for raw in written if len(raw) >= _SHORTEST_COPY]
        plain = {
            one
            for raw in written[:_MAX_TEXTS]
            for one in (raw, raw.replace('\\"', '"').replace("\\\\", "\\"))
            if len(one) >= _SHORTEST
        }
        self.texts = sorted(plain, key=lambda one: (-len(one), one))
        """The sensitive texts, longest first: what holds another goes before it."""

    def shown(self) -> str:
        """The text with every sensitive value blotted out, each code point in its place."""
        text = self.outline.text
        ranges = _merged([*self._ranges, *self._copies()])
        if not ranges:
            return text
        pieces: list[str] = []
        at = 0
        for start, end in ranges:
            pieces += (text[at:start], re.sub(r"[^\r\n]", "*", text[start:end]))
            at = end
        pieces.append(text[at:])
        return "".join(pieces)

    def _copies(self) -> Iterator[tuple[int, int]]:
        """Where sensitive texts stand once more: Terraform does not mark what a provider copies."""
        text = self.outline.text
        effort = _MAX_EFFORT
        for raw in self._raw:
            effort -= len(text)
            if effort < 0:
                yield from self._whole_copies()
                return
            at = text.find(raw)
            while at >= 0:
                yield at, at + len(raw)
                at = text.find(raw, at + len(raw))

    def _whole_copies(self) -> Iterator[tuple[int, int]]:
        """The strings that are a sensitive text, for plans with too many of them to look within."""
        raw = frozenset(self._raw)
        for found in _STRING.finditer(self.outline.text):
            if found.group(1) in raw:
                yield found.span(1)

    def touches(self, start: int, end: int) -> bool:
        """Whether a range holds or lies in something sensitive."""
        index = bisect_right(self._starts, max(end - 1, start)) - 1
        return index >= 0 and self._ranges[index][1] > start

    def hidden(self, words: str, address: str = "") -> str:
        """The words without the sensitive texts; an address stays: it names, it holds nothing."""
        if address and address in words:
            return address.join(self.hidden(part) for part in words.split(address))
        for text in self.texts:
            if text in words:
                words = words.replace(text, MASK)
        return words

    # Finding them

    def _find(self, top: dict[str, Part]) -> None:
        outline = self.outline
        for name in ("resource_changes", "resource_drift", "deferred_changes"):
            for item in outline.items(top.get(name)):
                members = outline.members(item)
                if name == "deferred_changes":
                    members = outline.members(members.get("resource_change"))
                address = outline.string(members.get("address"))
                self._change(outline.members(members.get("change")), address)
        for change in outline.members(top.get("output_changes")).values():
            self._change(outline.members(change), "")
        planned = top.get("planned_values")
        for values in (planned, outline.at(top.get("prior_state"), "values")):
            for output in outline.members(outline.at(values, "outputs")).values():
                members = outline.members(output)
                if "sensitive" in members and outline.data(members["sensitive"]) is True:
                    self._add(members.get("value"))
            for resource in resources_of(outline, outline.at(values, "root_module")):
                members = outline.members(resource)
                address = outline.string(members.get("address"))
                self._marked(members.get("values"), members.get("sensitive_values"), address)
                if values is planned:
                    # Terraform before 1.0 marks nothing there.
                    self._marked(members.get("values"), self._after.get(address), "")
        self._configuration(top)

    def _change(self, change: dict[str, Part], address: str) -> None:
        self._marked(change.get("before"), change.get("before_sensitive"), "")
        marks = change.get("after_sensitive")
        self._marked(change.get("after"), marks, address)
        if marks is not None and address:
            self._after[address] = marks

    def _marked(self, value: Part | None, marks: Part | None, address: str) -> None:
        """Effect: notes what of a value its marks call sensitive."""
        if marks is None or self.outline.text.find("true", marks.start, marks.end) < 0:
            return
        known = self.outline.data(marks)
        if address and isinstance(known, dict):
            names = {name for name, mark in known.items() if _says_true(mark)}
            self._names.setdefault(strip_keys(address), set()).update(names)
        if value is not None:
            self._walk(value, known)

    def _walk(self, value: Part, marks: Any) -> None:
        outline = self.outline
        stack = [(value, marks)]
        while stack:
            part, mark = stack.pop()
            if mark is True:
                self._add(part)
            elif isinstance(mark, dict):
                stack.extend(
                    (child, mark[name])
                    for name, child in outline.members(part).items()
                    if name in mark
                )
            elif isinstance(mark, list):
                stack.extend(zip(outline.items(part), mark, strict=False))

    def _configuration(self, top: dict[str, Part]) -> None:
        outline = self.outline
        configuration = outline.members(top.get("configuration"))
        given = outline.members(top.get("variables"))
        for provider in outline.members(configuration.get("provider_config")).values():
            expressions = outline.members(outline.at(provider, "expressions"))
            for name, expression in expressions.items():
                if _NAMES.search(name):
                    self._add(outline.at(expression, "constant_value"))
        for name, variable in outline.members(
            outline.at(configuration.get("root_module"), "variables")
        ).items():
            if self._is_sensitive(variable):
                self._add(outline.at(given.get(name), "value"))
        for path, module, call in modules_of(outline, configuration.get("root_module")):
            passed = outline.members(outline.at(call, "expressions"))
            for name, variable in outline.members(outline.at(module, "variables")).items():
                if self._is_sensitive(variable):
                    self._add(outline.at(variable, "default"))
                    self._add(outline.at(passed.get(name), "constant_value"))
            for resource in outline.items(outline.at(module, "resources")):
                address = outline.string(outline.at(resource, "address"))
                names = self._names.get(f"{path}.{address}" if path else address)
                if names:
                    expressions = outline.members(outline.at(resource, "expressions"))
                    for name in names & expressions.keys():
                        self._constants(expressions[name])

    def _constants(self, expression: Part) -> None:
        """Effect: notes the constants of an expression or block; names of other things are none."""
        outline = self.outline
        stack = [expression]
        while stack:
            part = stack.pop()
            members = outline.members(part)
            if "constant_value" in members:
                self._add(members["constant_value"])
            elif "references" not in members:
                stack.extend(members.values())
                stack.extend(outline.items(part))

    def _is_sensitive(self, variable: Part) -> bool:
        return self.outline.data(self.outline.at(variable, "sensitive")) is True

    def _add(self, part: Part | None) -> None:
        """Effect: notes a value; of a string, what stands between the quotes."""
        if part is None:
            return
        quoted = self.outline.text[part.start] == '"'
        start, end = (part.start + 1, part.end - 1) if quoted else part
        if end > start:
            self._ranges.append((start, end))

    def _written(self) -> list[str]:
        """The sensitive strings as they are written, without quotes, longest first."""
        found: set[str] = set()
        text = self.outline.text
        for start, end in self._ranges:
            if text[start - 1 : start] == '"' and text[end : end + 1] == '"':
                found.add(text[start:end])
            else:
                found.update(_STRING.findall(text[start:end]))
        return sorted(found, key=lambda raw: (-len(raw), raw))


def resources_of(outline: Outline, module: Part | None) -> Iterator[Part]:
    """The resources of a module of planned or prior values, and of the modules below it."""
    for _address, resource in instances_of(outline, module):
        yield resource


def instances_of(outline: Outline, module: Part | None) -> Iterator[tuple[str, Part]]:
    """(address of the module instance, resource) of a module and those below it, in plan order."""
    pending = [] if module is None else [module]
    while pending:
        members = outline.members(pending.pop())
        address = outline.string(members.get("address"))
        for resource in outline.items(members.get("resources")):
            yield address, resource
        pending.extend(reversed(list(outline.items(members.get("child_modules")))))


def modules_of(outline: Outline, module: Part | None) -> Iterator[tuple[str, Part, Part | None]]:
    """(path without keys, module, its call) of the configuration's modules, the root's path ``""``."""
    pending: list[tuple[str, Part, Part | None]] = [] if module is None else [("", module, None)]
    while pending:
        path, part, call = pending.pop()
        yield path, part, call
        for name, child in reversed(outline.members(outline.at(part, "module_calls")).items()):
            inner = outline.at(child, "module")
            if inner is not None:
                pending.append(
                    (f"{path}.module.{name}" if path else f"module.{name}", inner, child)
                )


_KEY: Final = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|[^\]"]*)\]')


def strip_keys(address: str) -> str:
    """An address without the keys of instances: ``module.a.aws_s3_bucket.b``."""
    return _KEY.sub("", address) if "[" in address else address


def _says_true(mark: Any) -> bool:
    stack = [mark]
    while stack:
        current = stack.pop()
        if current is True:
            return True
        if isinstance(current, dict):
            stack.extend(current.values())
        elif isinstance(current, list):
            stack.extend(current)
    return False


def _merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges in order, those that overlap as one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
