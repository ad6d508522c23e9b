"""Expressions made by a generator with a fixed seed: what Terraform and blastdoor both evaluate.

Most are well typed; some mix types at random, so that refusals are compared, too. They name only
the variables and locals of `MODULE`, which needs no provider.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

SEED: Final = 20_110
COUNT: Final = 2_400
DEPTH: Final = 4

MODULE: Final = {
    "variables.tf": """\
variable "settings" {
  type = object({
    name    = string
    port    = optional(number, 443)
    tags    = optional(map(string), { team = "core" })
    rules   = optional(list(object({ cidr = string, from = optional(number, 0) })), [])
    nested  = optional(object({ deep = optional(object({ on = optional(bool, true) }), {}) }), {})
    ids     = optional(set(string), ["z", "a"])
    missing = optional(string)
    pair    = optional(tuple([string, number]), ["left", "1"])
  })
  default = {
    name  = 7
    rules = [{ cidr = "10.0.0.0/8" }, { cidr = "10.1.0.0/16", from = "22", dropped = true }]
    extra = "dropped"
  }
}
variable "objects" {
  type    = map(object({ size = optional(number, 1), kinds = optional(list(string), ["std"]) }))
  default = { b = { size = "3" }, a = {}, c = { kinds = [1, true], other = [] } }
}
variable "strings" {
  type    = list(string)
  default = ["b", 2, true]
}
variable "numbers" {
  type    = list(number)
  default = ["10", 2.5, 3]
}
variable "unique" {
  type    = set(number)
  default = ["3", 1, 3, 2]
}
variable "labels" {
  type    = map(string)
  default = { env = "prod", tier = 1, on = true }
}
variable "none" {
  type    = list(string)
  default = null
}
variable "empty" {
  type    = list(string)
  default = []
}
variable "loose" {
  type    = any
  default = { rows = [{ id = 1 }, { id = "x", more = null }], flag = "true" }
}
variable "loose_list" {
  type    = list(any)
  default = [{ a = 1 }, { a = "b" }]
}
variable "loose_map" {
  type    = map(any)
  default = { a = [1], b = ["x"] }
}
""",
    "locals.tf": """\
locals {
  names   = ["delta", "alpha", "charlie"]
  mixed   = [1, "two", true, null]
  counts  = { web = 3, db = 1, cache = 2 }
  people  = [{ name = "ana", age = 30, tags = ["x"] }, { name = "bo", age = 4, tags = [] }]
  tree    = { a = { b = { c = [1, { d = "deep" }] } } }
  typed   = tolist(["p", "q"])
  typed_m = tomap({ k = "v", l = "w" })
  typed_s = toset(["m", "n"])
  nil     = null
  word    = "hello"
  ratio   = 2.5
  flag    = true
}
""",
}


class _Maker:
    """Makes expressions of asked kinds."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.names: list[tuple[str, str]] = []
        """Names that a ``for`` binds here, each with its kind."""

    def pick(self, *makers: Callable[[int], str]) -> Callable[[int], str]:
        return self.random.choice(makers)

    def any(self, depth: int) -> str:
        """An expression of some kind."""
        return self.pick(
            self.text, self.number, self.truth, self.texts, self.numbers, self.mapping, self.rows
        )(depth)

    def wild(self, depth: int) -> str:
        """An expression of some kind, its own parts of kinds that may not fit."""
        left, right = self.any(depth - 1), self.any(depth - 1)
        return self.random.choice(
            (
                f"{left} == {right}",
                f"{left} != {right}",
                f"{left} + {right}",
                f"{left} < {right}",
                f"{left} && {right}",
                f"{self.truth(depth - 1)} ? {left} : {right}",
                f"{left} ? 1 : 2",
                f'"x${{{left}}}"',
                f"[{left}, {right}]",
                f"tolist([{left}, {right}])",
                f"toset([{left}, {right}])",
                f"tomap({{ a = {left}, b = {right} }})",
                f"({left})[{right}]",
                f"({left})[*]",
                f"[for v in {left} : v]",
                f"{{ for k, v in {left} : k => v }}",
                f"try({left}[0], {right})",
                f"coalesce({left}, {right})",
                f"concat({left}, {right})",
                f"merge({left}, {right})",
                f"contains({left}, {right})",
                f"length({left})",
                f"tostring({left})",
                f"tonumber({left})",
                f"tobool({left})",
                f"distinct([{left}, {right}])",
                f"flatten([{left}, {right}])",
                f"lookup({left}, {self.text(0)}, {right})",
                f"jsondecode(jsonencode([{left}, {right}]))",
                f'join(",", [{left}, {right}])',
                f'format("%s|%v", {left}, {right})',
                f"tolist({left}) == {right}",
                f"one({left})",
                f"element({left}, {right})",
                f"zipmap(keys({left}), {right})",
                f"setunion({left}, {right})",
            )
        )

    def text(self, depth: int) -> str:
        """A string."""
        chosen = self.random.random()
        bound = [name for name, kind in self.names if kind == "text"]
        if bound and chosen < 0.35:
            return self.random.choice(bound)
        if depth <= 0 or chosen < 0.25:
            return self.random.choice(
                ('"a"', '""', '"Prod"', '"x-1"', '"7"', '"true"', "local.word", "local.names[1]",
                 "var.settings.name", 'var.labels["env"]', "var.strings[1]", '"a,b,c"', '"é"',
                 "local.tree.a.b.c[1].d", "var.settings.tags.team", "var.settings.pair[1]")
            )  # fmt: skip
        below = depth - 1
        return self.random.choice(
            (
                lambda: f'"{self.word()}${{{self.text(below)}}}-${{{self.number(below)}}}"',
                lambda: f'"${{{self.truth(below)}}}"',
                lambda: f"{self.truth(below)} ? {self.text(below)} : {self.text(below)}",
                lambda: f"{self.truth(below)} ? {self.text(below)} : {self.number(below)}",
                lambda: f"upper({self.text(below)})",
                lambda: f"title({self.text(below)})",
                lambda: f"join({self.text(0)}, {self.texts(below)})",
                lambda: f"replace({self.text(below)}, {self.text(0)}, {self.text(0)})",
                lambda: f'replace({self.text(below)}, "/[a-m]/", "<$0>")',
                lambda: f'format("%s/%05d", {self.text(below)}, length({self.texts(below)}))',
                lambda: (
                    f'format("%q %v %t", {self.text(below)}, {self.number(below)}, '
                    f"{self.truth(below)})"
                ),
                lambda: f"substr({self.text(below)}, 0, 2)",
                lambda: f"trimprefix({self.text(below)}, {self.text(0)})",
                lambda: f"jsonencode({self.any(below)})",
                lambda: f"tostring({self.number(below)})",
                lambda: f'coalesce({self.text(below)}, {self.text(0)}, "z")',
                lambda: f"try({self.mapping(below)}[{self.text(0)}], {self.text(0)})",
                lambda: f'lookup({self.mapping(below)}, {self.text(0)}, "none")',
                lambda: f"element({self.texts(below)}, {self.random.randint(0, 5)})",
                lambda: (
                    f'"%{{ if {self.truth(below)} }}{self.word()}%{{ else }}'
                    f'${{{self.text(below)}}}%{{ endif }}"'
                ),
                lambda: f'"%{{ for v in {self.texts(below)} ~}} ${{v}}; %{{ endfor ~}}"',
                lambda: f'regex("[a-z]+", "{self.word()}1")',
                lambda: f"md5({self.text(below)})",
                lambda: f"yamlencode({self.any(below)})",
                lambda: f"strrev({self.text(below)})",
                lambda: f"urlencode({self.text(below)})",
            )
        )()

    def word(self) -> str:
        return self.random.choice(("web", "db ", "a$b", "x%y", 'q\\"q', "tab\\t"))

    def number(self, depth: int) -> str:
        """A number."""
        chosen = self.random.random()
        bound = [name for name, kind in self.names if kind == "number"]
        if bound and chosen < 0.35:
            return self.random.choice(bound)
        if depth <= 0 or chosen < 0.25:
            return self.random.choice(
                ("0", "1", "-1", "2.5", "10", "1e3", "0.1", "local.ratio", "local.counts.web",
                 "var.settings.port", "var.numbers[1]", "length(local.names)", "3",
                 "var.objects.b.size", "var.settings.rules[1].from", "local.people[0].age")
            )  # fmt: skip
        below = depth - 1
        operator = self.random.choice(("+", "-", "*", "/", "%"))
        return self.random.choice(
            (
                lambda: f"{self.number(below)} {operator} {self.number(below)}",
                lambda: f"-({self.number(below)})",
                lambda: f"length({self.texts(below)})",
                lambda: f"length({self.mapping(below)})",
                lambda: f"max({self.number(below)}, {self.number(below)})",
                lambda: f"min({self.numbers(below)}...)",
                lambda: f"sum(concat([1], {self.numbers(below)}))",
                lambda: f"{self.truth(below)} ? {self.number(below)} : {self.number(below)}",
                lambda: f"floor({self.number(below)})",
                lambda: f"abs({self.number(below)})",
                lambda: f"tonumber(tostring({self.number(below)}))",
                lambda: f"try({self.numbers(below)}[1], {self.number(below)})",
                lambda: f"index([1, 2, 3], {self.number(0)})",
                lambda: f'parseint("{self.random.randint(0, 99)}", 16)',
                lambda: f"signum({self.number(below)})",
            )
        )()

    def truth(self, depth: int) -> str:
        """A boolean."""
        if depth <= 0 or self.random.random() < 0.2:
            return self.random.choice(
                ("true", "false", "local.flag", "var.settings.nested.deep.on", '"true"',
                 "local.nil == null", "var.none == null", "var.settings.missing == null")
            )  # fmt: skip
        below = depth - 1
        order = self.random.choice(("<", ">", "<=", ">="))
        same = self.random.choice(("==", "!="))
        return self.random.choice(
            (
                lambda: f"{self.number(below)} {order} {self.number(below)}",
                lambda: f"({self.text(below)}) {same} ({self.text(below)})",
                lambda: f"({self.texts(below)}) {same} ({self.texts(below)})",
                lambda: f"({self.mapping(below)}) {same} ({self.mapping(below)})",
                lambda: f"({self.any(below)}) {same} ({self.any(below)})",
                lambda: f"({self.texts(below)}) {same} []",
                lambda: f"({self.mapping(below)}) {same} {{}}",
                lambda: f"{self.truth(below)} && {self.truth(below)}",
                lambda: f"{self.truth(below)} || {self.truth(below)}",
                lambda: f"!{self.truth(below)}" if below else "!true",
                lambda: f"contains({self.texts(below)}, {self.text(below)})",
                lambda: f"can({self.mapping(below)}.{self.random.choice(('a', 'env', 'k'))})",
                lambda: f"startswith({self.text(below)}, {self.text(0)})",
                lambda: f"alltrue([for v in {self.texts(below)} : length(v) > 0])",
                lambda: f"anytrue([for v in {self.numbers(below)} : v > 2])",
                lambda: f'can(regex("^[a-z]+$", {self.text(below)}))',
            )
        )()

    def _loop(self, name: str, kind: str, make: Callable[[int], str], depth: int) -> str:
        self.names.append((name, kind))
        made = make(depth)
        self.names.pop()
        return made

    def texts(self, depth: int) -> str:
        """A list, tuple or set of strings."""
        if depth <= 0 or self.random.random() < 0.2:
            return self.random.choice(
                ("[]", '["a"]', '["b", "a", "b"]', "local.names", "var.strings", "local.typed",
                 "var.empty", "var.settings.rules[*].cidr", "keys(local.counts)", "local.typed_s",
                 "var.settings.ids", "local.people[*].name", "local.people.*.name",
                 "tolist([])", "var.objects.c.kinds")
            )  # fmt: skip
        below = depth - 1
        name = f"v{depth}"
        return self.random.choice(
            (
                lambda: f"[{self.text(below)}, {self.text(below)}]",
                lambda: (
                    f"[for {name} in {self.texts(below)} : "
                    f"{self._loop(name, 'text', self.text, below)}]"
                ),
                lambda: (
                    f"[for {name} in {self.texts(below)} : {name} if "
                    f"{self._loop(name, 'text', self.truth, below)}]"
                ),
                lambda: (
                    f"[for k{depth}, {name} in {self.mapping(below)} : "
                    f"{self._loop(f'k{depth}', 'text', self.text, below)}]"
                ),
                lambda: f"concat(tolist({self.texts(below)}), {self.listed(below)})",
                lambda: f"concat({self.listed(below)}, {self.listed(below)})",
                lambda: f"distinct({self.texts(below)})",
                lambda: f"sort({self.texts(below)})",
                lambda: f"reverse({self.texts(below)})",
                lambda: f"tolist({self.texts(below)})",
                lambda: f"toset({self.texts(below)})",
                lambda: f"compact({self.texts(below)})",
                lambda: f"keys({self.mapping(below)})",
                lambda: f"values({self.mapping(below)})",
                lambda: f'slice(concat({self.listed(below)}, ["s"]), 0, 1)',
                lambda: f'split(",", {self.text(below)})',
                lambda: f"{self.truth(below)} ? {self.texts(below)} : {self.texts(below)}",
                lambda: f"{self.truth(below)} ? {self.texts(below)} : []",
                lambda: f"{self.truth(below)} ? {self.texts(below)} : null",
                lambda: f"flatten([{self.texts(below)}, [{self.texts(below)}]])",
                lambda: f"setunion({self.texts(below)}, {self.texts(below)})",
                lambda: f"setsubtract({self.texts(below)}, {self.texts(below)})",
                lambda: f"setintersection({self.texts(below)}, {self.texts(below)})",
                lambda: f'formatlist("<%s>", {self.texts(below)})',
                lambda: f"({self.texts(below)})[*]",
                lambda: f"({self.text(below)})[*]",
                lambda: f'coalescelist({self.listed(below)}, ["c"])',
                lambda: f'regexall("[a-z]", {self.text(below)})',
                lambda: f"try(tolist({self.any(below)}), {self.texts(below)})",
                lambda: f"chunklist({self.listed(below)}, 2)[*][0]",
                lambda: f'matchkeys(["a", "b"], ["x", "y"], {self.texts(below)})',
            )
        )()

    def listed(self, depth: int) -> str:
        """A list or tuple of strings, no set."""
        return (
            f"[for e in {self.texts(depth)} : e]"
            if depth
            else self.random.choice(
                ("local.names", "var.strings", "[]", '["l"]', "local.typed", "var.empty")
            )
        )

    def numbers(self, depth: int) -> str:
        """A list, tuple or set of numbers, not empty."""
        if depth <= 0 or self.random.random() < 0.3:
            return self.random.choice(
                ("[1]", "[3, 1, 2]", "var.numbers", "[for v in var.unique : v]",
                 "values(local.counts)", '["4", 5]', "local.people[*].age", "range(1, 4)")
            )  # fmt: skip
        below = depth - 1
        name = f"n{depth}"
        return self.random.choice(
            (
                lambda: f"[{self.number(below)}, {self.number(below)}]",
                lambda: (
                    f"[for {name} in {self.numbers(below)} : "
                    f"{self._loop(name, 'number', self.number, below)}]"
                ),
                lambda: f"[for i{depth}, {name} in {self.texts(below)} : i{depth}]",
                lambda: f"tolist({self.numbers(below)})",
                lambda: f"concat({self.numbers(below)}, [0])",
                lambda: f"{self.truth(below)} ? {self.numbers(below)} : {self.numbers(below)}",
                lambda: f"range({self.random.randint(1, 4)})",
            )
        )()

    def mapping(self, depth: int) -> str:
        """A map or object."""
        if depth <= 0 or self.random.random() < 0.2:
            return self.random.choice(
                ("{}", "{ a = 1 }", '{ a = "x", b = "y" }', "local.counts", "var.labels",
                 "local.typed_m", "var.settings.tags", "var.objects", "tomap({})",
                 "var.settings", "local.tree", "var.settings.nested", '{ a = 1, b = "x" }')
            )  # fmt: skip
        below = depth - 1
        name = f"m{depth}"
        return self.random.choice(
            (
                lambda: f'{{ a = {self.any(below)}, "b c" = {self.text(below)} }}',
                lambda: (
                    f"{{ (local.word) = {self.number(below)}, "
                    f'"${{{self.text(0)}}}-k" = {self.any(below)} }}'
                ),
                lambda: (
                    f"{{ for {name} in toset({self.texts(below)}) : {name} => "
                    f"{self._loop(name, 'text', self.any, below)} }}"
                ),
                lambda: (
                    f"{{ for k{depth}, {name} in {self.mapping(below)} : k{depth} => "
                    f"{self._loop(f'k{depth}', 'text', self.any, below)} }}"
                ),
                lambda: f"{{ for {name} in {self.texts(below)} : length({name}) => {name}... }}",
                lambda: f"{{ for i, {name} in {self.texts(below)} : {name} => i... }}",
                lambda: f"merge({self.mapping(below)}, {self.mapping(below)})",
                lambda: f"merge({self.mapping(below)}, {{ z = {self.any(below)} }})",
                lambda: f"zipmap(sort({self.texts(below)}), sort({self.texts(below)}))",
                lambda: f'zipmap(["p", "q"], [{self.any(below)}, {self.any(below)}])',
                lambda: f"tomap({self.mapping(below)})",
                lambda: f"{self.truth(below)} ? {self.mapping(below)} : {self.mapping(below)}",
                lambda: f"{self.truth(below)} ? {self.mapping(below)} : {{}}",
                lambda: f"jsondecode(jsonencode({self.mapping(below)}))",
                lambda: f"try({self.mapping(below)}.a, {self.mapping(below)})",
                lambda: f"transpose({{ t = {self.texts(below)} }})",
                lambda: f"one([{self.mapping(below)}])",
            )
        )()

    def rows(self, depth: int) -> str:
        """A list of objects or of lists."""
        if depth <= 0 or self.random.random() < 0.3:
            return self.random.choice(
                ("local.people", "var.settings.rules", "var.loose.rows", "var.loose_list",
                 "values(var.objects)", "local.mixed", "[[1], [2, 3]]", "var.loose_map.b")
            )  # fmt: skip
        below = depth - 1
        name = f"r{depth}"
        return self.random.choice(
            (
                lambda: f"[{self.mapping(below)}, {self.mapping(below)}]",
                lambda: f"tolist([{self.mapping(below)}, {self.mapping(below)}])",
                lambda: f"[{self.texts(below)}, {self.numbers(below)}]",
                lambda: f"tolist([{self.texts(below)}, {self.numbers(below)}])",
                lambda: f"setproduct({self.texts(below)}, {self.numbers(below)})",
                lambda: f"[for {name} in {self.rows(below)} : {name}]",
                lambda: f"distinct({self.rows(below)})",
                lambda: f"toset({self.rows(below)})",
                lambda: f"concat({self.rows(below)}, {self.rows(below)})",
                lambda: f"{self.truth(below)} ? {self.rows(below)} : {self.rows(below)}",
                lambda: f"flatten([{self.rows(below)}, {self.rows(below)}])",
                lambda: f"chunklist({self.numbers(below)}, 2)",
                lambda: f"({self.rows(below)})[*]",
                lambda: f"reverse({self.rows(below)})",
            )
        )()


def expressions(count: int = COUNT, seed: int = SEED) -> list[str]:
    """Different expressions, the same for the same seed."""
    maker = _Maker(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        depth = maker.random.randint(1, DEPTH)
        text = maker.wild(depth) if maker.random.random() < 0.3 else maker.any(depth)
        if len(text) < 700:
            found[text] = None
    return list(found)
