"""Python followed without running it: names, flow, loops, helper functions, one import away.

The statements of a module are gone through in order, with what each name stands for. Where a condition
is not known both ways are taken and joined; a loop's body is taken once, with its variable standing for
each element; a function of the module is followed where it is called, with what it is called with, and
by itself when nothing calls it. What only a run knows is `Unknown` with its reason. Objects are not
followed through two names for one of them.

Nothing of the analysed code is run, and work is limited in steps and depth.
"""

from __future__ import annotations

import ast
import re
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from blastdoor.evaluate.python import operations
from blastdoor.evaluate.python.things import (
    Bound,
    Call,
    Class,
    Deferred,
    Function,
    Instance,
    Item,
    Later,
    Loop,
    Scope,
    Symbol,
    Thing,
    attribute_of,
    name_of,
    settled,
)
from blastdoor.fact import (
    ENVIRONMENT_DEFAULT,
    EnvironmentDefault,
    Fallback,
    FanOut,
    Layer,
    Layering,
    Lookup,
    Setting,
)
from blastdoor.record import dataclass
from blastdoor.value import (
    Alternative,
    Encoded,
    Evidence,
    Known,
    Many,
    Mapping,
    OneOf,
    Piece,
    Reason,
    Step,
    Unknown,
    Value,
    known_text,
    one_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from blastdoor.parse.python import Places
    from blastdoor.span import Span

    ToValue = Callable[[Thing, Span | None], Value]
    Meaningful = Callable[[Call | Symbol | Bound, ToValue], Value | None]
    """What a call, a name or an attribute stands for; ``None`` for nothing in particular."""
    Loader = Callable[[str, int], "Module | None"]
    """A module of the repository, by dotted name and level of a relative import."""

MAX_STEPS: Final = 60_000
"""Nodes that one module may take."""
AGAIN: Final = 0.5
"""How many times the steps of what is followed first may go into what was followed before."""
FREE: Final = 500
"""Steps that go into what was followed before in any case."""
MAX_DEPTH: Final = 40
"""Expressions within one another."""
MAX_CALLS: Final = 12
"""Functions that call one another."""
_OBJECT: Final = "an object"
_MERGES: Final = {"merge": True, "mergedeep.merge": True, "omegaconf.OmegaConf.merge": True}
_ENVIRONMENT: Final = re.compile(
    r"(?:\b|_)(?:env|environment|env_?name|environment_name|stage)[\"')\]]*\Z", re.IGNORECASE
)
"""How the source text ends that says which environment is meant."""
_NAMED: Final = re.compile(r"""(?:[\w.]+[(\[])?["']([^"']*)["'][)\]]?""")
_SETTINGS: Final = re.compile(
    r"config|conf\b|setting|option|default|override|param|flag|environment|rollout|deploy|dataclass",
    re.IGNORECASE,
)
"""Names of classes, and of what they derive from, whose attributes set something."""
_NAME: Final = re.compile(r"\w+")
_EACH_CALLS: Final = ("map", "imap", "imap_unordered", "map_async", "starmap")
"""Functions that call what they are handed once for each element."""
_BUILT_IN: Final = frozenset(
    {"dumps", "getenv", "get", "deepcopy", "copy", "list", "sorted", "set", "tuple", "frozenset"}
    | {"dict", "fromkeys", "str", "ChainMap", "merge"}
)
"""How the names of the functions end whose results are known."""
_FIRST_WINS: Final = ("collections.ChainMap", "ChainMap")


class _BudgetError(Exception):
    """A module that takes more than its steps."""


class _Return(Exception):  # noqa: N818  control flow, no error
    """The end of a function's body."""


class Module(Protocol):
    """A module of the repository, which is followed when its names are asked for."""

    @property
    def names(self) -> dict[str, Thing | Deferred] | None:
        """What its names stand for; ``None`` for a file that cannot be read."""


class Interpreter:
    """One module, followed."""

    def __init__(
        self, places: Places, load: Loader, meaning: Meaningful, *, quiet: bool = False
    ) -> None:
        self.places = places
        self.load = load
        self.meaning = meaning
        self.quiet = quiet
        """Whether only the names matter: a module that another one imports."""
        self._imported = quiet
        self._scopes: list[Scope] = []
        self.module = self._scope({})
        self.calls: list[Call] = []
        self.settings: list[Setting] = []
        self._sets = False
        self.layerings: list[Layering] = []
        self.fan_outs: list[FanOut] = []
        self.lookups: list[Lookup] = []
        self.fallbacks: list[Fallback] = []
        self.environment_defaults: list[EnvironmentDefault] = []
        self.assigned: list[tuple[str, Thing, Span, str]] = []
        """(what, value, place, owner) of assignments to attributes and elements: ``os.environ[…]``."""
        self.libraries: set[str] = set()
        """Modules that it imports, by their dotted names."""
        self.is_script = False
        """Whether it says what to do when it is started as a program."""
        self.spent = False
        """Whether the steps ran out."""
        self._steps = MAX_STEPS
        self._again = 0
        """Steps of functions that had been followed before."""
        self._constants: dict[ast.AST, Value] = {}
        self._followed: set[ast.AST] = set()
        self._results: dict[Hashable, tuple[Any, ...]] = {}
        """What calls of functions gave, and what they were called with."""
        self._depth = 0
        self._stack: list[Function] = []
        self._loops: list[Loop] = []
        self._guards: list[str] = []
        self._owner: list[str] = []
        self._target: ast.expr | None = None
        """What is being given a value."""
        self._entries: dict[str, tuple[str, str]] = {}
        """Variable of a loop over what a mapping holds → (the mapping, the variable of its key)."""
        self._returned: list[list[Thing]] = []
        self._functions: list[Function] = []
        self._called_nodes: set[ast.AST] = set()
        """Functions that something calls."""
        self._classes: list[tuple[Class, Scope]] = []
        self._instances: list[Instance] = []

    # Module

    def run(self, module: ast.Module) -> None:
        """Effect: follows a module, then the functions and classes that nothing in it calls."""
        try:
            with suppress(_Return):  # outside of a function, which only running it refuses
                self._body(module.body, self.module)
            if self.quiet:
                return
            number = 0
            while number < len(self._functions):
                function = self._functions[number]
                number += 1
                if function.node not in self._called_nodes:
                    self._invoke(function, (), {}, None)
            for kind, scope in self._classes:
                self._instance_methods(kind, scope)
        except _BudgetError:
            self.spent = True

    def _instance_methods(self, kind: Class, scope: Scope) -> None:
        """Effect: follows the methods of a class, the constructor first, on an object of it."""
        del scope
        instance = Instance(kind)
        self._instances.append(instance)
        methods = [m for m in map(settled, kind.names.values()) if isinstance(m, Function)]
        methods.sort(key=lambda m: getattr(m.node, "name", "") != "__init__")
        for method in methods:
            if method.node not in self._called_nodes:
                self._invoke(method, (), {}, None, bound=instance)

    def _scope(
        self,
        names: dict[str, Thing | Deferred],
        parent: Scope | None = None,
        *,
        is_class: bool = False,
    ) -> Scope:
        scope = Scope(names, parent, is_class)
        self._scopes.append(scope)
        return scope

    def forget(self) -> None:
        """Effect: lets go of what was followed; names and functions refer to one another."""
        for scope in self._scopes:
            scope.names.clear()
        for instance in self._instances:
            instance.names.clear()
        self._results.clear()
        self.calls.clear()
        self.load = _nothing

    # Places

    def span(self, node: ast.AST) -> Span:
        """The place of a node."""
        return self.places.span(node)

    def source(self, node: ast.AST) -> str:
        """The source text of a node."""
        span = self.span(node)
        return span.text

    @property
    def owner(self) -> str:
        """What is being followed, dotted."""
        return ".".join(self._owner)

    # Statements

    def _step(self) -> None:
        self._steps -= 1
        if self._steps < 0:
            raise _BudgetError

    def _body(self, body: Iterable[ast.stmt], scope: Scope) -> None:
        for statement in body:
            self._steps -= 1
            if self._steps < 0:
                raise _BudgetError
            handler = _STATEMENTS.get(type(statement))
            if handler is not None:
                handler(self, statement, scope)
            else:
                for child in ast.iter_child_nodes(statement):
                    if isinstance(child, ast.expr):
                        self.evaluate(child, scope)

    def _do_Expr(self, node: ast.Expr, scope: Scope) -> None:
        value = node.value
        if isinstance(value, ast.Constant):
            return
        if isinstance(value, ast.Call) and self._mutates(value, scope):
            return
        self.evaluate(value, scope)

    def _do_Assign(self, node: ast.Assign, scope: Scope) -> None:
        thing = self._assigned_value(node.value, node.targets[0], scope)
        for target in node.targets:
            self._bind(target, thing, scope, node.value)

    def _do_AnnAssign(self, node: ast.AnnAssign, scope: Scope) -> None:
        if node.value is not None:
            thing = self._assigned_value(node.value, node.target, scope)
            self._bind(node.target, thing, scope, node.value)

    def _assigned_value(self, value: ast.expr, target: ast.expr, scope: Scope) -> Thing:
        """The value of an assignment. Effect: a call knows the name that it is given to."""
        count = len(self.calls)
        before, self._target = self._target, target
        thing = self.evaluate(value, scope)
        self._target = before
        if isinstance(thing, Call) and any(thing is call for call in self.calls[count:]):
            thing.assigned = self.source(target)
        return thing

    def _do_AugAssign(self, node: ast.AugAssign, scope: Scope) -> None:
        target = node.target
        old = self.evaluate(target, scope)
        new = self.evaluate(node.value, scope)
        span = self.span(node.value)
        result: Thing = operations.unknown("a changed value", span)
        if isinstance(old, Value) and isinstance(new, Value):
            if isinstance(node.op, ast.BitOr) and isinstance(old, Mapping):
                self._layered([target, node.value], span, "|=")
                result = operations.merged([old, new], span)
            elif isinstance(node.op, ast.Add):
                result = operations.add(old, new, span)
        self._bind(target, result, scope, node.value)

    def _do_Import(self, node: ast.Import, scope: Scope) -> None:
        for alias in node.names:
            self.libraries.add(alias.name)
            name = alias.asname or alias.name.partition(".")[0]
            whole = alias.asname is not None or name == alias.name
            module = self.load(alias.name, 0) if whole else None
            symbol = Symbol(alias.name if alias.asname else name)
            if module is None:
                scope.names[name] = symbol
            else:
                scope.names[name] = Deferred(partial(self._module, alias.name, module, symbol))

    def _module(self, name: str, module: Module, otherwise: Symbol) -> Thing:
        """A module of the repository as an object."""
        names = module.names
        if names is None:
            return otherwise
        return Instance(_module_class(name, names), dict(names), frozen=self._imported)

    def _do_ImportFrom(self, node: ast.ImportFrom, scope: Scope) -> None:
        name = node.module or ""
        if not node.level:
            self.libraries.add(name)
        module = self.load(name, node.level)
        for alias in node.names:
            if alias.name == "*":
                found = None if module is None else module.names
                scope.names.update(
                    {k: v for k, v in (found or {}).items() if not k.startswith("_")}
                )
                continue
            dots = "." * node.level
            symbol = Symbol(f"{dots}{name}.{alias.name}".removeprefix("."))
            within = f"{name}.{alias.name}" if name else alias.name
            known = alias.asname or alias.name
            if module is not None:
                load = partial(self._member, module, alias.name, within, node.level, symbol)
                scope.names[known] = Deferred(load)
                continue
            inner = self.load(within, node.level)
            if inner is None:
                scope.names[known] = symbol
            else:
                scope.names[known] = Deferred(partial(self._module, alias.name, inner, symbol))

    def _member(
        self, module: Module, name: str, within: str, level: int, otherwise: Symbol
    ) -> Thing:
        """A name of a module of the repository, or a module within it."""
        names = module.names
        if names is not None and name in names:
            return settled(names[name])
        inner = self.load(within, level)
        return otherwise if inner is None else self._module(name, inner, otherwise)

    def _do_FunctionDef(self, node: ast.FunctionDef, scope: Scope) -> None:
        function = Function(node, scope, self.owner, self.places)
        for decorator in node.decorator_list:
            self.evaluate(decorator, scope)
        scope.names[node.name] = function
        if not scope.is_class:
            self._functions.append(function)

    _do_AsyncFunctionDef = _do_FunctionDef

    def _do_ClassDef(self, node: ast.ClassDef, scope: Scope) -> None:
        bases = tuple(self.evaluate(base, scope) for base in node.bases)
        kind = Class(node.name, node, bases)
        inner = self._scope(kind.names, scope, is_class=True)
        self._owner.append(node.name)
        said = " ".join([node.name, *map(self.source, (*node.bases, *node.decorator_list))])
        outer, self._sets = self._sets, _SETTINGS.search(said) is not None
        try:
            self._body(node.body, inner)
        finally:
            self._owner.pop()
            self._sets = outer
        scope.names[node.name] = kind
        self._classes.append((kind, inner))

    def _do_Return(self, node: ast.Return, scope: Scope) -> None:
        if node.value is None:
            thing: Thing = Known(None, self.span(node))
        else:
            thing = self.evaluate(node.value, scope)
        if self._returned:
            self._returned[-1].append(thing)
        raise _Return

    def _do_If(self, node: ast.If, scope: Scope) -> None:
        decided = self._truth(node.test, scope)
        if decided is True:
            self._body(node.body, scope)
        elif decided is False:
            self._body(node.orelse, scope)
        else:
            text = self.source(node.test)
            self._either([(node.body, text), (node.orelse, f"not ({text})")], scope)

    def _either(self, ways: list[tuple[list[ast.stmt], str]], scope: Scope) -> None:
        """Effect: takes several ways, and joins what names stand for behind them."""
        before = dict(scope.names)
        ends: list[tuple[dict[str, Thing | Deferred], str]] = []
        for body, condition in ways:
            scope.names.clear()
            scope.names.update(before)
            self._guards.append(condition)
            try:
                self._body(body, scope)
                ends.append((dict(scope.names), condition))
            except _Return:
                pass
            finally:
                self._guards.pop()
        scope.names.clear()
        if not ends:
            scope.names.update(before)
            raise _Return
        scope.names.update(_joined(ends))

    def _do_For(self, node: ast.For, scope: Scope) -> None:
        collection = self.evaluate(node.iter, scope)
        span = self.span(node.iter)
        text = self.source(node.iter)
        value = self.value(collection, span)
        self._fan_out(node, value, text, scope)
        if isinstance(value, Many) and value.complete and not value.items:
            return
        self._loops.append(Loop(collection, text, span))
        before = dict(scope.names)
        entries = self._entries
        try:
            self._bind_element(node.target, value, scope, node.iter)
            self._entries = {**entries, **self._entry(node)}
            self._body(node.body, scope)
        except _Return:
            pass
        finally:
            self._loops.pop()
            self._entries = entries
        after = dict(scope.names)
        scope.names.clear()
        scope.names.update(
            _joined([(before, "before the loop"), (after, "after a turn")], loop=True)
        )
        self._body(node.orelse, scope)

    _do_AsyncFor = _do_For

    def _entry(
        self, node: ast.For | ast.AsyncFor | ast.comprehension
    ) -> dict[str, tuple[str, str]]:
        each = None if self.quiet else _Each.of(node)
        if each is None or each.mapping is None or not each.entry:
            return {}
        return {each.entry: (self.source(each.mapping), each.key)}

    def _bind_element(
        self, target: ast.expr, collection: Value, scope: Scope, node: ast.expr
    ) -> None:
        element = operations.element(collection, self.span(target))
        if isinstance(target, (ast.Tuple, ast.List)):
            for number, part in enumerate(target.elts):
                inner = operations.item(element, Known(number), self.span(part))
                self._bind(part, inner, scope, node)
        else:
            self._bind(target, element, scope, node)

    def _do_While(self, node: ast.While, scope: Scope) -> None:
        self.evaluate(node.test, scope)
        self._either([(node.body, self.source(node.test)), ([], "")], scope)
        self._body(node.orelse, scope)

    def _do_With(self, node: ast.With, scope: Scope) -> None:
        for item in node.items:
            thing = self.evaluate(item.context_expr, scope)
            if item.optional_vars is not None:
                self._bind(item.optional_vars, thing, scope, item.context_expr)
        self._body(node.body, scope)

    _do_AsyncWith = _do_With

    def _do_Try(self, node: ast.Try, scope: Scope) -> None:
        returned = False
        try:
            self._body(node.body, scope)
        except _Return:
            returned = True
        if node.handlers:
            ways = [(handler.body, "an exception") for handler in node.handlers]
            with suppress(_Return):
                self._either([([], ""), *ways], scope)
        if not returned:
            self._body(node.orelse, scope)
        self._body(node.finalbody, scope)
        if returned:
            raise _Return

    _do_TryStar = _do_Try

    def _do_Match(self, node: ast.Match, scope: Scope) -> None:
        self.evaluate(node.subject, scope)
        ways = [(case.body, self.source(case.pattern)) for case in node.cases]
        self._either([*ways, ([], "no case")], scope)

    def _do_Delete(self, node: ast.Delete, scope: Scope) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                scope.names.pop(target.id, None)

    def _do_Global(self, node: ast.Global, scope: Scope) -> None:
        for name in node.names:
            found = self.module.names.get(name)
            if found is not None:
                scope.names[name] = found

    # Binding

    def _bind(self, target: ast.expr, thing: Thing, scope: Scope, node: ast.expr) -> None:
        if isinstance(target, ast.Name):
            scope.names[target.id] = thing
            self._setting(target, thing, scope, node)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for number, part in enumerate(target.elts):
                inner: Thing = operations.unknown("an element", self.span(part))
                if isinstance(thing, Value):
                    inner = operations.item(thing, Known(number), self.span(part))
                self._bind(part, inner, scope, node)
        elif isinstance(target, ast.Attribute):
            base = self.evaluate(target.value, scope)
            if isinstance(base, Instance) and not base.frozen:
                base.names[target.attr] = thing
            elif not self.quiet:
                self._later(base, target.attr, thing, node)
            self._kept(f"{name_of(base) or self.source(target.value)}.{target.attr}", thing, node)
        elif isinstance(target, ast.Subscript):
            self._bind_item(target, thing, scope, node)
        elif isinstance(target, ast.Starred):
            self._bind(target.value, operations.unknown("a list"), scope, node)

    def _bind_item(self, target: ast.Subscript, thing: Thing, scope: Scope, node: ast.expr) -> None:
        base = self.evaluate(target.value, scope)
        key = self.evaluate(target.slice, scope)
        self._kept(f"{name_of(base) or self.source(target.value)}[{_key(key)}]", thing, node)
        text = operations.key_text(key) if isinstance(key, Value) else None
        if not isinstance(base, Mapping):
            if text is not None and isinstance(base, Bound) and not self.quiet:
                self._later(base, text, thing, node)
            return
        span = self.span(target)
        if text is not None and isinstance(thing, Value):
            entries = {**base.entries, text: thing}
            spans = {**base.key_spans, text: self.span(target.slice)}
            changed = Mapping(entries, base.span, base.via, complete=base.complete, key_spans=spans)
        else:
            changed = Mapping(
                base.entries, base.span, base.via, complete=False, key_spans=base.key_spans
            )
        del span
        self._rebind(target.value, changed, scope)

    def _rebind(self, target: ast.expr, value: Value, scope: Scope) -> None:
        """Effect: a name stands for something changed."""
        if isinstance(target, ast.Name):
            where: Scope | None = scope
            while where is not None and target.id not in where.names:
                where = where.parent
            if where is None or not where.frozen:
                (where or scope).names[target.id] = value
        elif isinstance(target, ast.Attribute):
            base = self.evaluate(target.value, scope)
            if isinstance(base, Instance) and not base.frozen:
                base.names[target.attr] = value

    def _later(self, base: Thing, name: str, thing: Thing, node: ast.expr) -> None:
        """Effect: what a library made is told that one of its attributes is set."""
        found = attribute_of(base)
        if found is None:
            return
        call, names = found
        if call.later is None:
            call.later = []
        guarded = " and ".join(self._guards)
        call.later.append(Later((*names, name), thing, self.span(node), guarded))

    def _kept(self, what: str, thing: Thing, node: ast.expr) -> None:
        if not self.quiet:
            self.assigned.append((what, thing, self.span(node), self.owner))

    def _setting(self, target: ast.Name, thing: Thing, scope: Scope, node: ast.expr) -> None:
        """Effect: notes a named value of a module or class."""
        if self.quiet or not isinstance(thing, Value) or self._stack or self._loops:
            return
        if scope.is_class and not isinstance(thing, Mapping) and not self._sets:
            return  # what a class says about itself: `scope = "global"` of a kind of resource
        if scope is self.module or scope.is_class:
            owner = ".".join([*self._owner, target.id])
            span = self.span(node)
            self.settings.append(Setting(target.id, thing, span, self.span(target), "local", owner))

    def _mutates(self, node: ast.Call, scope: Scope) -> bool:
        """Whether a call changes a value in place. Effect: then it is changed."""
        function = node.func
        if not isinstance(function, ast.Attribute) or not node.args:
            return False
        if function.attr not in ("update", "append", "extend", "add", "setdefault", "insert"):
            return False
        base = self.evaluate(function.value, scope)
        if not isinstance(base, (Mapping, Many)):
            return False
        argument = self.evaluate(node.args[-1], scope)
        span = self.span(node)
        value = self.value(argument, span)
        if isinstance(base, Mapping) and function.attr == "update":
            self._layered([function.value, node.args[0]], span, "update()")
            self._rebind(function.value, operations.merged([base, value], span), scope)
            return True
        if isinstance(base, Many) and function.attr in ("append", "add", "insert"):
            kept = base.complete and not self._loops
            items = (*base.items, value)
            self._rebind(function.value, Many(items, base.span, base.via, complete=kept), scope)
            return True
        if isinstance(base, Many) and function.attr == "extend":
            self._rebind(function.value, operations.add(base, value, span), scope)
            return True
        return False

    # Expressions

    def value(self, thing: Thing, span: Span | None = None) -> Value:
        """A thing as a value: what is none is not known, or what its call stands for."""
        if isinstance(thing, Value):
            return thing
        if isinstance(thing, Call):
            found = self.meaning(thing, self.value)
            if found is not None:
                return found
            return operations.unknown(f"{thing.name or 'a call'}()", span or thing.span)
        if isinstance(thing, (Item, Bound)):
            meant = self.meaning(thing, self.value) if isinstance(thing, Bound) else None
            if meant is not None:
                return meant.at(span) if span is not None and meant.span is None else meant
            base = self.value(thing.base, span)
            if (
                isinstance(thing, Bound)
                and isinstance(base, Mapping)
                and thing.name in base.entries
            ):
                return base.entries[thing.name]
            if isinstance(thing, Item) and isinstance(thing.key, Value) and span is not None:
                return operations.item(base, thing.key, span)
            if isinstance(base, Unknown):
                return Unknown(base.reason, base.subject, span, meaning=base.meaning)
            return operations.unknown(name_of(thing) or _OBJECT, span)
        if isinstance(thing, Symbol):
            if thing.name == "os.environ":
                return Unknown(Reason.ENVIRONMENT, "os.environ", span)
            meant = self.meaning(thing, self.value)
            if meant is not None:
                return meant.at(span) if span is not None and meant.span is None else meant
            return operations.unknown(thing.name, span, Reason.OUTSIDE_FILE)
        return operations.unknown(_OBJECT, span)

    def valued(self, node: ast.expr, scope: Scope) -> Value:
        """What an expression stands for, as a value."""
        thing = self.evaluate(node, scope)
        return thing if isinstance(thing, Value) else self.value(thing, self.span(node))

    def evaluate(self, node: ast.expr, scope: Scope) -> Thing:
        """What an expression stands for."""
        self._steps -= 1
        if self._steps < 0:
            raise _BudgetError
        handler = _EXPRESSIONS.get(type(node))
        if handler is None or self._depth >= MAX_DEPTH:
            return operations.unknown("an expression", self.span(node), Reason.UNSUPPORTED)
        self._depth += 1
        try:
            found: Thing = handler(self, node, scope)
        finally:
            self._depth -= 1
        return found

    def _on_Constant(self, node: ast.Constant, scope: Scope) -> Thing:
        del scope
        known = self._constants.get(node)
        if known is None:
            known = self._constants[node] = self._constant(node)
        return known

    def _constant(self, node: ast.Constant) -> Value:
        data = node.value
        span = self.span(node)
        if isinstance(data, str):
            return Known(data, span, (), (self._piece(data, span),))
        if data is None or isinstance(data, (bool, int, float)):
            if isinstance(data, int) and abs(data) > 1 << 512:
                return operations.unknown("a large number", span)
            return Known(data, span)
        return operations.unknown("a constant", span, Reason.UNSUPPORTED)

    def _piece(self, data: str, span: Span) -> Piece:
        """Where the text of a literal stands, character by character when it is written so."""
        source = span.text
        if source[1:-1] == data and source[0] in "\"'":
            return Piece(data, span.document, span.start + 1, span.end - 1)
        for quote in ('"""', "'''", '"', "'"):
            begin = source.find(quote)
            if 0 <= begin <= 2:  # noqa: PLR2004  at most two letters stand before a quote
                inner = source[begin + len(quote) : len(source) - len(quote)]
                if inner == data:
                    start = span.start + begin + len(quote)
                    return Piece(data, span.document, start, start + len(data))
                break
        return Piece(data, span.document, span.start, span.end)

    def _on_JoinedStr(self, node: ast.JoinedStr, scope: Scope) -> Thing:
        span = self.span(node)
        parts: list[Value] = []
        for part in node.values:
            if isinstance(part, ast.Constant):
                text = str(part.value)
                parts.append(
                    Known(text, span, (), (Piece(text, span.document, span.start, span.end),))
                )
            elif isinstance(part, ast.FormattedValue):
                if part.format_spec is not None or part.conversion not in (-1, 115):
                    parts.append(operations.unknown("a formatted value", span))
                    continue
                found = self.value(self.evaluate(part.value, scope), span)
                parts.append(found)
        return operations.text(parts, span)

    def _on_Name(self, node: ast.Name, scope: Scope) -> Thing:
        found = scope.find(node.id)
        if found is None:
            return Symbol(node.id)
        if isinstance(found, Value):
            span = found.span
            if span is not None and not (found.via and found.via[-1].text == node.id):
                return found.through(Evidence(Step.LOCAL, node.id, span))
        return found

    def _on_Attribute(self, node: ast.Attribute, scope: Scope) -> Thing:
        base = self.evaluate(node.value, scope)
        return self._attribute(base, node.attr, node)

    def _attribute(self, base: Thing, name: str, node: ast.expr) -> Thing:
        if isinstance(base, Symbol):
            return Symbol(f"{base.name}.{name}")
        if isinstance(base, Instance):
            if name in base.names:
                return settled(base.names[name])
            found = base.kind.find(name)
            if isinstance(found, Function):
                return replace(found, bound=base)
            return found if found is not None else Bound(base, name)
        if isinstance(base, Class):
            found = base.find(name)
            return found if found is not None else Bound(base, name)
        if isinstance(base, Unknown):
            return Unknown(base.reason, base.subject, self.span(node), meaning=base.meaning)
        if isinstance(base, Mapping) and name in base.entries:
            return base.entries[name]
        return Bound(base, name)

    def _on_Subscript(self, node: ast.Subscript, scope: Scope) -> Thing:
        base = self.evaluate(node.value, scope)
        if isinstance(node.slice, ast.Slice):
            value = self.value(base, self.span(node))
            if isinstance(value, Many):
                return Many(value.items, self.span(node), complete=False)
            return value if isinstance(value, Unknown) else operations.unknown("a part")
        key = self.evaluate(node.slice, scope)
        span = self.span(node)
        if not isinstance(base, Value):
            if name_of(base) == "os.environ":
                return operations.item(self.value(base, span), self.value(key, span), span)
            return Item(base, key)
        wanted = self.value(key, span)
        name = operations.key_text(wanted)
        if (
            isinstance(base, Mapping)
            and base.complete
            and not self.quiet
            and name is not None
            and name not in base.entries
        ):
            self.lookups.append(
                Lookup(
                    self.source(node.value),
                    tuple(base.entries),
                    wanted,
                    span,
                    self.owner,
                    base.span,
                )
            )
        return operations.item(base, wanted, span)

    def _on_Dict(self, node: ast.Dict, scope: Scope) -> Thing:
        span = self.span(node)
        entries: dict[str, Value] = {}
        spans: dict[str, Span] = {}
        complete = True
        spread = [value for key, value in zip(node.keys, node.values, strict=True) if key is None]
        if len(spread) > 1:
            self._layered(spread, span, "{**…}")
        for key, inner in zip(node.keys, node.values, strict=True):
            value = self.valued(inner, scope)
            if key is None:
                if isinstance(value, Mapping):
                    entries.update(value.entries)
                    spans.update(value.key_spans)
                    complete = complete and value.complete
                else:
                    complete = False
                continue
            text = operations.key_text(self.valued(key, scope))
            if text is None:
                complete = False
                continue
            entries[text] = value
            spans[text] = self.span(key)
        return self._bounded(Mapping(entries, span, complete=complete, key_spans=spans))

    def _bounded(self, value: Value) -> Value:
        if value.size > operations.MAX_ITEMS or value.depth > MAX_DEPTH * 2:
            return operations.unknown("a large value", value.span, Reason.BUDGET)
        return value

    def _on_List(self, node: ast.List | ast.Tuple | ast.Set, scope: Scope) -> Thing:
        items: list[Value] = []
        complete = True
        for part in node.elts:
            if isinstance(part, ast.Starred):
                inner = self.value(self.evaluate(part.value, scope), self.span(part))
                if isinstance(inner, Many):
                    items.extend(inner.items)
                    complete = complete and inner.complete
                else:
                    complete = False
                continue
            items.append(self.valued(part, scope))
        return self._bounded(Many(tuple(items), self.span(node), complete=complete))

    _on_Tuple = _on_List
    _on_Set = _on_List

    def _on_ListComp(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, scope: Scope
    ) -> Thing:
        span = self.span(node)
        inner = self._scope({}, scope)
        entries = self._entries
        first = self._generators(node.generators, inner)
        element = self.value(self.evaluate(node.elt, inner), span)
        self._entries = entries
        if isinstance(element, Unknown) and isinstance(first, Unknown):
            return Unknown(first.reason, first.subject, span, meaning=first.meaning)
        filtered = any(part.ifs for part in node.generators)
        if isinstance(first, Many) and len(node.generators) == 1:
            plain = isinstance(node.elt, ast.Name)
            if plain and isinstance(element, (Known, OneOf)):
                return Many(first.items, span, first.via, complete=first.complete and not filtered)
        return Many((), span, complete=False)

    _on_SetComp = _on_ListComp
    _on_GeneratorExp = _on_ListComp

    def _on_DictComp(self, node: ast.DictComp, scope: Scope) -> Thing:
        span = self.span(node)
        inner = self._scope({}, scope)
        outer = self._entries
        first = self._generators(node.generators, inner)
        written = self.valued(node.value, inner)
        key = self.valued(node.key, inner)
        self._entries = outer
        generator = node.generators[0]
        if isinstance(node.key, ast.Name) and isinstance(generator.target, ast.Name):
            text = self.source(generator.iter)
            if not _uses(node.value, generator.target.id):
                self._written_to_all(first, text, written, span, self.span(node.value))
        if isinstance(key, OneOf) and isinstance(first, Many) and first.complete:
            names = [operations.key_text(one) for one in first.items]
            if None not in names and isinstance(node.key, ast.Name):
                entries = {name: written for name in names if name is not None}
                return self._bounded(Mapping(entries, span))
        return Mapping({}, span, complete=False)

    def _generators(self, generators: list[ast.comprehension], scope: Scope) -> Value:
        """What a comprehension goes through first. Effect: binds its names."""
        first: Value | None = None
        for generator in generators:
            value = self.valued(generator.iter, scope)
            first = value if first is None else first
            self._bind_element(generator.target, value, scope, generator.iter)
            self._entries = {**self._entries, **self._entry(generator)}
            for test in generator.ifs:
                self.evaluate(test, scope)
        return first if first is not None else operations.unknown("nothing")

    def _on_BinOp(self, node: ast.BinOp, scope: Scope) -> Thing:
        # A chain leans to the left and may be as long as its author likes.
        chain: list[ast.BinOp] = []
        current: ast.expr = node
        while isinstance(current, ast.BinOp):
            chain.append(current)
            current = current.left
        thing = self.evaluate(current, scope)
        left_node = current
        for part in reversed(chain):
            self._step()
            span = self.span(part)
            right = self.evaluate(part.right, scope)
            one, other = self.value(thing, span), self.value(right, span)
            if isinstance(part.op, ast.BitOr) and not (
                isinstance(one, Known) or isinstance(other, Known)
            ):
                self._layered([left_node, part.right], span, "|")
                thing = operations.merged([one, other], span)
            elif isinstance(part.op, ast.Add):
                thing = operations.add(one, other, span)
            elif isinstance(part.op, ast.Mod) and isinstance(one, Known):
                thing = self._percent(one, other, span)
            elif isinstance(part.op, ast.Div):
                thing = Bound(thing, "/")
            else:
                thing = operations.unknown("an operation", span)
            left_node = part.right
        return thing

    @staticmethod
    def _percent(template: Known, given: Value, span: Span) -> Value:
        """``"…%s…" % value``."""
        if not isinstance(template.data, str):
            return operations.unknown("a remainder", span)
        parts = template.data.split("%s")
        values = list(given.items) if isinstance(given, Many) else [given]
        if "%" in "".join(parts) or len(parts) != len(values) + 1:
            return operations.unknown("a formatted text", span)
        pieces: list[Value] = []
        for number, part in enumerate(parts):
            pieces.append(Known(part, template.span))
            if number < len(values):
                pieces.append(values[number])
        return operations.text(pieces, span)

    def _on_BoolOp(self, node: ast.BoolOp, scope: Scope) -> Thing:
        things = [self.evaluate(part, scope) for part in node.values]
        span = self.span(node)
        if isinstance(node.op, ast.Or):
            values = [
                t if isinstance(t, Value) else self.value(t, self.span(n))
                for t, n in zip(things, node.values, strict=True)
            ]
            self._fell_back(node.values, values, span, "an `or`")
            known = operations.truth(values[0])
            if known is True:
                return things[0]
            if known is False:
                rest = [Alternative(v, "") for v in values[1:]]
                return things[1] if len(rest) == 1 else one_of(rest, span)
            texts = [self.source(part) for part in node.values]
            return one_of(
                [Alternative(v, "" if not n else f"not {texts[0]}") for n, v in enumerate(values)],
                span,
            )
        return operations.unknown("a condition", span)

    def _on_IfExp(self, node: ast.IfExp, scope: Scope) -> Thing:
        decided = self._truth(node.test, scope)
        if decided is not None:
            return self.evaluate(node.body if decided else node.orelse, scope)
        yes, no = self.evaluate(node.body, scope), self.evaluate(node.orelse, scope)
        text = self.source(node.test)
        one, other = self.value(yes, self.span(node.body)), self.value(no, self.span(node.orelse))
        if not isinstance(yes, Value) and not isinstance(no, Value):
            return yes
        return one_of(
            [Alternative(one, text), Alternative(other, f"not ({text})")], self.span(node)
        )

    def _on_UnaryOp(self, node: ast.UnaryOp, scope: Scope) -> Thing:
        value = self.value(self.evaluate(node.operand, scope), self.span(node))
        if isinstance(value, Known):
            data = value.data
            if isinstance(node.op, ast.USub) and isinstance(data, (int, float)):
                return Known(-data, self.span(node))
            if isinstance(node.op, ast.Not):
                return Known(not data, self.span(node))
        return operations.unknown("an operation", self.span(node))

    def _on_Compare(self, node: ast.Compare, scope: Scope) -> Thing:
        left = self.valued(node.left, scope)
        rights = [self.valued(r, scope) for r in node.comparators]
        if len(rights) == 1:
            found = operations.compared(left, rights[0], type(node.ops[0]).__name__)
            if found is not None:
                return Known(found, self.span(node))
        return operations.unknown("a comparison", self.span(node))

    def _on_NamedExpr(self, node: ast.NamedExpr, scope: Scope) -> Thing:
        thing = self.evaluate(node.value, scope)
        self._bind(node.target, thing, scope, node.value)
        return thing

    def _on_Await(self, node: ast.Await, scope: Scope) -> Thing:
        return self.evaluate(node.value, scope)

    def _on_Starred(self, node: ast.Starred, scope: Scope) -> Thing:
        return self.evaluate(node.value, scope)

    def _on_Lambda(self, node: ast.Lambda, scope: Scope) -> Thing:
        return Function(node, scope, self.owner, self.places)

    def _truth(self, node: ast.expr, scope: Scope) -> bool | None:
        if isinstance(node, ast.Compare):
            name = self.source(node)
            if "__name__" in name:
                self.is_script = True
                return True
        return operations.truth(self.valued(node, scope))

    # Calls

    def _on_Call(self, node: ast.Call, scope: Scope) -> Thing:
        function = self.evaluate(node.func, scope)
        arguments: list[Thing] = []
        keywords: dict[str, Thing] = {}
        spread: dict[str, Span] = {}
        complete = True
        for part in node.args:
            if isinstance(part, ast.Starred):
                inner = self.value(self.evaluate(part.value, scope), self.span(part))
                if isinstance(inner, Many) and inner.complete:
                    arguments.extend(inner.items)
                else:
                    complete = False
                continue
            arguments.append(self._passed(part, scope))
        for keyword in node.keywords:
            if keyword.arg is None:
                inner = self.valued(keyword.value, scope)
                if isinstance(inner, Mapping):
                    keywords.update(inner.entries)
                    spread.update(
                        {k: v.span for k, v in inner.entries.items() if v.span is not None}
                    )
                    complete = complete and inner.complete
                else:
                    complete = False
                continue
            keywords[keyword.arg] = self._passed(keyword.value, scope)
        call = Call(
            function,
            tuple(arguments),
            keywords,
            complete,
            node,
            self.places,
            name_of(function),
            spread or None,
            tuple(self._loops),
            self.owner,
            guarded=" and ".join(self._guards),
        )
        return self._called(call, node, scope)

    def _passed(self, node: ast.expr, scope: Scope) -> Thing:
        """An argument, with the place where it is passed when it comes from elsewhere."""
        thing = self.evaluate(node, scope)
        if type(node) is ast.Constant:
            return thing
        if isinstance(thing, Value) and thing.span is not None:
            span = self.span(node)
            own = thing.span
            within = (
                own.document is span.document and span.start <= own.start <= own.end <= span.end
            )
            if not within:
                return thing.through(Evidence(Step.ATTRIBUTE, self.source(node)[:60], span))
        return thing

    def _called(self, call: Call, node: ast.Call, scope: Scope) -> Thing:
        function = call.function
        if isinstance(function, Function):
            self._called_nodes.add(function.node)
            return self._invoke(function, call.arguments, call.keywords, call, bound=function.bound)
        if isinstance(function, Class):
            return self._construct(function, call)
        if call.arguments and isinstance(call.arguments[0], Function):
            handed = self._handed(call, node)
            if handed is not None:
                return handed
        if isinstance(function, Bound) and isinstance(function.base, Value):
            arguments = [self.value(a, call.span) for a in call.arguments]
            found = operations.method(function.base, function.name, arguments, call.span)
            if found is not None:
                self._looked_up(call, function, node)
                return found
            return operations.unknown("a call", call.span)
        if isinstance(function, Symbol):
            built = self._built_in(function.name, call, node)
            if built is not None:
                return built
        self.calls.append(call)
        del scope
        return call

    def _handed(self, call: Call, node: ast.Call) -> Thing | None:
        """Effect: follows a function that is handed to something that calls it for each element."""
        handed = call.arguments[0]
        name = name_of(call.function) or getattr(call.function, "name", "")
        how = name.rpartition(".")[2]
        if not isinstance(handed, Function):
            return None
        if how == "apply" and len(call.arguments) == 1:
            # Pulumi: what becomes of an output once it is known.
            self._called_nodes.add(handed.node)
            output: Thing = operations.unknown("an output", call.span)
            return self._invoke(handed, (output,), {}, call, bound=handed.bound)
        if len(call.arguments) < 2:  # noqa: PLR2004  nothing to call it with
            return None
        if how == "submit":
            self._called_nodes.add(handed.node)
            self._invoke(handed, call.arguments[1:], call.keywords, call, bound=handed.bound)
        elif how in _EACH_CALLS:
            self._called_nodes.add(handed.node)
            collection = call.arguments[1]
            span = self.span(node.args[1]) if len(node.args) > 1 else call.span
            self._loops.append(Loop(collection, span.text, span))
            try:
                each = operations.element(self.value(collection, span), span)
                self._invoke(handed, (each,), {}, call, bound=handed.bound)
            finally:
                self._loops.pop()
        return None

    def _looked_up(self, call: Call, function: Bound, node: ast.Call) -> None:
        base = function.base
        if function.name == "get" and isinstance(base, Mapping) and len(call.arguments) > 1:
            self._default(node, self.value(call.arguments[1], call.span))

    def _construct(self, kind: Class, call: Call) -> Thing:
        """An object of a class of the module. Effect: follows its constructor."""
        instance = Instance(kind, {}, call)
        self._instances.append(instance)
        self.calls.append(call)
        start = kind.find("__init__")
        if isinstance(start, Function):
            self._called_nodes.add(start.node)
            self._invoke(start, call.arguments, call.keywords, call, bound=instance)
        else:
            instance.names.update(call.keywords)
        return instance

    def _invoke(
        self,
        function: Function,
        arguments: tuple[Thing, ...],
        keywords: dict[str, Thing],
        call: Call | None,
        *,
        bound: Thing | None = None,
    ) -> Thing:
        """What a function gives. Effect: follows its body with what it is called with."""
        self._step()
        span = call.span if call is not None else self.span(function.node)
        if any(f.node is function.node for f in self._stack) or len(self._stack) >= MAX_CALLS:
            return operations.unknown("a function that calls itself", span, Reason.CYCLE)
        known = self._seen_as(function, arguments, keywords, bound)
        if known in self._results:
            result: Thing = self._results[known][0]
            return result
        before = self._steps
        first = function.node not in self._followed
        if not first and self._again > FREE + AGAIN * (MAX_STEPS - before - self._again):
            return operations.unknown("a function that is called too often", span, Reason.BUDGET)
        self._followed.add(function.node)
        here = self.places, self.quiet
        if function.places is not self.places:
            # Another module's own unit tells what is written there.
            self.places, self.quiet = function.places, True
        try:
            found = self._follow(function, arguments, keywords, call, span, bound=bound)
            # What is kept keeps its identity, by which it is known.
            self._results[known] = found, arguments, keywords, bound, tuple(self._loops)
            return found
        finally:
            self.places, self.quiet = here
            if not first:
                self._again += before - self._steps

    def _seen_as(
        self,
        function: Function,
        arguments: tuple[Thing, ...],
        keywords: dict[str, Thing],
        bound: Thing | None,
    ) -> Hashable:
        """What tells one call of a function from another that would be followed alike."""

        def mark(thing: Thing) -> Hashable:
            return thing.key if isinstance(thing, Value) else id(thing)

        return (
            function.node,
            None if bound is None else id(bound),
            tuple([mark(thing) for thing in arguments]),
            tuple([(name, mark(thing)) for name, thing in keywords.items()]),
            tuple([id(loop) for loop in self._loops]),
            tuple(self._guards),
        )

    def _follow(
        self,
        function: Function,
        arguments: tuple[Thing, ...],
        keywords: dict[str, Thing],
        call: Call | None,
        span: Span,
        *,
        bound: Thing | None,
    ) -> Thing:
        """What a function gives with its parameters bound. Effect: follows its body."""
        scope = self._scope({}, function.scope)
        self._parameters(function, scope, arguments, keywords, bound=bound, called=call is not None)
        if isinstance(function.node, ast.Lambda):
            return self.evaluate(function.node.body, scope)
        self._stack.append(function)
        self._owner.append(function.node.name)
        self._returned.append([])
        loops, guards, entries = self._loops, self._guards, self._entries
        self._entries = {}
        if call is None:
            self._loops, self._guards = [], []
        depth, self._depth = self._depth, 0
        try:
            self._body(function.node.body, scope)
            self._returned[-1].append(Known(None, span))
        except _Return:
            pass
        finally:
            self._depth = depth
            self._loops, self._guards, self._entries = loops, guards, entries
            self._stack.pop()
            self._owner.pop()
            found = self._returned.pop()
        return self._result(found, span)

    def _result(self, found: list[Thing], span: Span) -> Thing:
        things = [
            t for t in found if not (isinstance(t, Known) and t.data is None and len(found) > 1)
        ]
        if not things:
            return Known(None, span)
        if len(things) == 1:
            return things[0]
        others = [t for t in things if not isinstance(t, Value)]
        if others:
            return others[-1]
        return one_of([Alternative(self.value(t, span), "") for t in things], span)

    def _parameters(
        self,
        function: Function,
        scope: Scope,
        arguments: tuple[Thing, ...],
        keywords: dict[str, Thing],
        *,
        bound: Thing | None,
        called: bool,
    ) -> None:
        """Effect: binds the parameters of a function."""
        spec = function.node.args
        names = [*spec.posonlyargs, *spec.args]
        given = list(arguments)
        if bound is not None and names:
            decorators = [
                name_of(self.evaluate(d, function.scope))
                for d in getattr(function.node, "decorator_list", ())
            ]
            if "staticmethod" not in decorators:
                given.insert(0, bound)
        defaults = dict(
            zip(
                [a.arg for a in names][len(names) - len(spec.defaults) :],
                spec.defaults,
                strict=True,
            )
        )
        defaults.update(
            {
                a.arg: d
                for a, d in zip(spec.kwonlyargs, spec.kw_defaults, strict=True)
                if d is not None
            }
        )
        for number, argument in enumerate([*names, *spec.kwonlyargs]):
            name = argument.arg
            if number < len(given) and number < len(names):
                scope.names[name] = given[number]
            elif name in keywords:
                scope.names[name] = keywords[name]
            elif name in defaults and called:
                scope.names[name] = self.evaluate(defaults[name], function.scope)
            else:
                span = self.span(argument)
                scope.names[name] = Unknown(Reason.CALLER, name, span)
                if name in defaults and not called:
                    value = self.value(self.evaluate(defaults[name], function.scope), span)
                    self._parameter_default(name, value, span)
        if spec.vararg is not None:
            scope.names[spec.vararg.arg] = operations.unknown(f"*{spec.vararg.arg}", None)
        if spec.kwarg is not None:
            rest = {k: v for k, v in keywords.items() if k not in scope.names}
            values = {k: self.value(v) for k, v in rest.items()}
            scope.names[spec.kwarg.arg] = Mapping(values, None, complete=called)

    def _parameter_default(self, name: str, value: Value, span: Span) -> None:
        if not self.quiet and value.span is not None and known_text(value) is not None:
            self.fallbacks.append(
                Fallback(
                    name,
                    known=False,
                    value=value,
                    span=value.span,
                    owner=self.owner or name,
                    how="a default parameter",
                )
            )
        del span

    def _built_in(self, name: str, call: Call, node: ast.Call) -> Thing | None:
        """What a function of the language or its library gives; ``None`` for others."""
        if name.rpartition(".")[2] not in _BUILT_IN:
            return None
        arguments = [self.value(a, call.span) for a in call.arguments]
        if name in ("json.dumps", "simplejson.dumps", "ujson.dumps") and arguments:
            return Encoded(arguments[0], call.span)
        if name in ("os.getenv", "os.environ.get"):
            return self._environment(call, node, arguments)
        if name in ("copy.deepcopy", "copy.copy", "list", "sorted", "set", "tuple", "frozenset"):
            if not arguments:
                return Many((), call.span) if name != "copy.copy" else None
            first = arguments[0]
            return first if isinstance(first, (Many, Mapping, Unknown)) else None
        if name == "dict":
            return self._dict(call, node, arguments)
        if name == "dict.fromkeys" and arguments:
            written = arguments[1] if len(arguments) > 1 else Known(None, call.span)
            at = self.span(node.args[1]) if len(node.args) > 1 else call.span
            self._written_to_all(arguments[0], self.source(node.args[0]), written, call.span, at)
            return Mapping({}, call.span, complete=False)
        if name == "str" and len(arguments) == 1:
            return arguments[0] if known_text(arguments[0]) is not None else None
        if name in _FIRST_WINS and len(node.args) > 1:
            self._layered(node.args, call.span, "ChainMap()", last_wins=False)
            return operations.merged(list(reversed(arguments)), call.span)
        short = name.rpartition(".")[2]
        if (name in _MERGES or name.endswith("OmegaConf.merge")) and len(node.args) > 1:
            self._layered(node.args, call.span, f"{short}()")
            return operations.merged(arguments, call.span)
        return None

    def _dict(self, call: Call, node: ast.Call, arguments: list[Value]) -> Value:
        spread = [k.value for k in node.keywords if k.arg is None]
        if node.args and spread:
            self._layered([*node.args, *spread], call.span, "dict(…)")
        layers = [a for a in arguments if isinstance(a, Mapping)]
        own = {k: self.value(v, call.span) for k, v in call.keywords.items()}
        complete = call.complete and len(layers) == len(arguments)
        last = Mapping(own, call.span, complete=complete, key_spans=dict(call.spans))
        return operations.merged([*layers, last], call.span)

    def _environment(self, call: Call, node: ast.Call, arguments: list[Value]) -> Value:
        name = known_text(arguments[0]) if arguments else None
        outside = Unknown(Reason.ENVIRONMENT, f"os.environ[{name!r}]", call.span)
        if len(arguments) < 2:  # noqa: PLR2004  without a default
            return outside
        self._fell_back(node.args, [outside, arguments[1]], call.span, ENVIRONMENT_DEFAULT)
        return one_of(
            [Alternative(outside, ""), Alternative(arguments[1], f"{name} is not set")], call.span
        )

    # Shapes

    def _default(self, node: ast.Call, value: Value) -> None:
        """Effect: notes what an entry for an environment is when the mapping has none."""
        if not self.quiet and len(node.args) > 1 and _ENVIRONMENT.search(self.source(node.args[0])):
            at = self.span(node.args[1])
            self.environment_defaults.append(
                EnvironmentDefault(
                    self.source(node.args[0]), value, self.source(node.args[1]), at, self.owner
                )
            )

    def _fell_back(self, nodes: list[ast.expr], values: list[Value], span: Span, how: str) -> None:
        """Effect: notes what is taken when something is not there."""
        if self.quiet or len(nodes) < 2:  # noqa: PLR2004
            return
        tried, last = self.source(nodes[0]), nodes[-1]
        value, at = values[-1], self.span(last)
        owner = self.owner or "the module"
        if known_text(value) is None or any(isinstance(v, Known) for v in values[:1]):
            return
        self.fallbacks.append(
            Fallback(_plain(tried), known=False, value=value, span=at, owner=owner, how=how)
        )
        if _ENVIRONMENT.search(tried):
            default = EnvironmentDefault(_plain(tried), value, self.source(last), at, owner)
            self.environment_defaults.append(default)
        del span

    def _layered(
        self, nodes: list[ast.expr], span: Span, mechanism: str, *, last_wins: bool = True
    ) -> None:
        """Effect: notes a merge of layers in which some win over others."""
        if self.quiet:
            return
        layers = tuple(self._layer(node) for node in nodes)
        owner = self._named() or self.owner or "the module"
        self.layerings.append(Layering(layers, span, mechanism, owner, last_wins))

    def _named(self) -> str:
        """Source text of what is being given a value; ``""`` when nothing is."""
        return "" if self._target is None else self.source(self._target)

    def _layer(self, node: ast.expr) -> Layer:
        words: list[str] = []
        keys: list[str] = []
        current: ast.expr = node
        while True:
            if isinstance(current, ast.Attribute):
                words.append(current.attr)
                current = current.value
            elif isinstance(current, ast.Subscript):
                keys.append(self.source(current.slice))
                current = current.value
            elif isinstance(current, ast.Call):
                if current.args and isinstance(current.func, ast.Attribute):
                    keys.append(self.source(current.args[0]))
                    current = current.func.value
                else:
                    current = current.func
            else:
                break
        if isinstance(current, ast.Name):
            words.append(current.id)
            mapping, key = self._entries.get(current.id, ("", ""))
            words.extend(_NAME.findall(mapping))
            keys.extend([key] if key else [])
        words.append("local")
        return Layer(tuple(reversed(words)), tuple(keys), self.span(node), self.source(node))

    def _fan_out(self, node: ast.For | ast.AsyncFor, value: Value, text: str, scope: Scope) -> None:
        """Effect: notes what a loop writes to every element alike."""
        if self.quiet:
            return
        each = _Each.of(node)
        if each is None:
            return
        if each.mapping is not None:
            value, text = self.valued(each.mapping, scope), self.source(each.mapping)
        for statement in node.body:
            found = _writing(statement)
            if found is None:
                continue
            target, written, within = found
            slot = each.slot(target)
            if slot is None or any(_uses(written, name) for name in each.names):
                continue
            held, deeper = slot
            within = within or deeper
            if held is None and not within:
                continue  # the variable gets another value, and no element does
            place = each.mapping if held is None else held
            assert place is not None
            thing = self.valued(written, scope)
            key = thing if not deeper else None
            if deeper and isinstance(target, ast.Subscript):
                key = self.valued(target.slice, scope)
            self.fan_outs.append(
                FanOut(
                    value,
                    text,
                    thing,
                    self.span(statement),
                    self.span(written),
                    self.source(place),
                    within,
                    within and _says(self.valued(place, scope), key),
                )
            )

    def _written_to_all(
        self, collection: Value, text: str, written: Value, span: Span, at: Span, owner: str = ""
    ) -> None:
        if not self.quiet:
            name = owner or self._named() or self.owner or "the module"
            self.fan_outs.append(FanOut(collection, text, written, span, at, name))


def _handlers(prefix: str) -> dict[type[ast.AST], Callable[[Interpreter, Any, Scope], Any]]:
    """Class of node → the method that is named after it."""
    return {
        getattr(ast, name.removeprefix(prefix)): method
        for name, method in vars(Interpreter).items()
        if name.startswith(prefix)
    }


_STATEMENTS: Final = _handlers("_do_")
_EXPRESSIONS: Final = _handlers("_on_")


def _nothing(name: str, level: int) -> None:
    """A repository without modules."""
    del name, level


def _module_class(name: str, names: dict[str, Thing | Deferred]) -> Class:
    """A module of the repository as something with attributes."""
    node = ast.ClassDef(name=name, bases=[], keywords=[], body=[], decorator_list=[])
    return Class(name, node, (), names)


def _joined(
    ends: list[tuple[dict[str, Thing | Deferred], str]], *, loop: bool = False
) -> dict[str, Thing | Deferred]:
    """What names stand for behind several ways."""
    # Most names are what they were: they are the same in every end that has them.
    result: dict[str, Thing | Deferred] = {}
    changed: dict[str, None] = {}
    for end, _condition in ends:
        for name, thing in end.items():
            if result.setdefault(name, thing) is not thing:
                changed[name] = None
    for name in changed:
        held = [(end[name], condition) for end, condition in ends if name in end]
        found = [(settled(thing), condition) for thing, condition in held]
        if all(isinstance(thing, Value) for thing, _condition in found):
            alternatives = [Alternative(t, c) for t, c in found if isinstance(t, Value)]
            result[name] = alternatives[-1].value if loop else one_of(alternatives)
        else:
            result[name] = found[-1][0]
    return result


@dataclass(frozen=True, slots=True)
class _Each:
    """The variables of a loop over a collection or what a mapping holds."""

    key: str
    entry: str
    """What each key stands for: of ``values()`` and ``items()``."""
    mapping: ast.expr | None
    """What is gone through by ``items()``, ``keys()`` or ``values()``."""

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that there are."""
        return tuple(name for name in (self.key, self.entry) if name)

    @classmethod
    def of(cls, node: ast.For | ast.AsyncFor | ast.comprehension) -> _Each | None:
        """Those of a loop; ``None`` where its variables are others."""
        target, iterated = node.target, node.iter
        mapping, how = None, ""
        if (
            isinstance(iterated, ast.Call)
            and isinstance(iterated.func, ast.Attribute)
            and iterated.func.attr in ("items", "keys", "values")
            and not iterated.args
        ):
            mapping, how = iterated.func.value, iterated.func.attr
        if isinstance(target, ast.Name):
            if how == "items":
                return None
            return cls("", target.id, mapping) if how == "values" else cls(target.id, "", mapping)
        if how == "items" and isinstance(target, ast.Tuple):
            match target.elts:
                case [ast.Name(id=key), ast.Name(id=entry)]:
                    return cls(key, entry, mapping)
        return None

    def slot(self, target: ast.expr) -> tuple[ast.expr | None, bool] | None:
        """(what holds the elements, whether a part of one is written) of ``held[key]…``.

        For ``entry…`` what holds it is ``None``: the mapping that is gone through.
        """
        deeper = False
        while True:
            if isinstance(target, ast.Subscript):
                if self.key and isinstance(target.slice, ast.Name) and target.slice.id == self.key:
                    return target.value, deeper
                target, deeper = target.value, True
            elif isinstance(target, ast.Name) and self.entry and target.id == self.entry:
                return None, deeper
            else:
                return None


def _writing(statement: ast.stmt) -> tuple[ast.expr, ast.expr, bool] | None:
    """(target, what is written, whether it is laid over what is there) of a statement."""
    match statement:
        case ast.Assign(targets=[target], value=value):
            return target, value, False
        case ast.Expr(
            value=ast.Call(
                func=ast.Attribute(value=target, attr="update"), args=[value], keywords=[]
            )
        ):
            return target, value, True
    return None


def _says(held: Value, written: Value | None) -> bool:
    """Whether an element of a mapping has a key already, or one of a mapping's keys."""
    if not isinstance(held, Mapping):
        return False
    keys: set[str] = set()
    if isinstance(written, Mapping):
        keys.update(written.entries)
    elif isinstance(written, Known) and isinstance(written.data, str):
        keys.add(written.data)
    return any(
        isinstance(entry, Mapping) and not keys.isdisjoint(entry.entries)
        for entry in held.entries.values()
    )


def _uses(node: ast.AST, name: str) -> bool:
    """Whether an expression speaks of a name."""
    return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node))


def _plain(text: str) -> str:
    """The name within ``"ENV"`` and ``os.environ.get("ENV")``; other expressions as they are."""
    found = _NAMED.fullmatch(text)
    return found[1] if found else text


def _key(thing: Thing) -> str:
    text = operations.key_text(thing) if isinstance(thing, Value) else None
    return repr(text) if text is not None else "…"


def in_order(calls: Iterable[Call]) -> list[Call]:
    """The calls in the order of their places."""

    def place(call: Call) -> tuple[int, int]:
        span = call.span
        return span.start, span.end

    return sorted(calls, key=place)
