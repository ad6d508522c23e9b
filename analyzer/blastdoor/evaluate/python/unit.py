"""One Python file to an evaluated unit."""

from __future__ import annotations

import posixpath
import re
import sys
from functools import cache, partial
from typing import TYPE_CHECKING, Final

from blastdoor.evaluate.python import boto3, stacks
from blastdoor.evaluate.python.constructs import Lowering
from blastdoor.evaluate.python.interpreter import Interpreter, in_order
from blastdoor.evaluate.python.meanings import meaning
from blastdoor.evaluate.python.things import (
    Bound,
    Call,
    Deferred,
    Instance,
    Item,
    Symbol,
    Thing,
    name_of,
)
from blastdoor.fact import BulkWrite, Command, Evaluated, ProcessSetting, Script, Setting, Term
from blastdoor.finding import Failure, FailureKind
from blastdoor.parse.python import Parsed, Places, parse_python
from blastdoor.value import Known, Many, Mapping, Value, known_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from blastdoor.fact import ApiClient
    from blastdoor.span import Document, Span
    from blastdoor.units import Repository

MAX_DEEP: Final = 2
"""Imports of imports that are followed: one import away, and what that one needs."""
MAX_KEPT: Final = 2_000_000
"""Code points of the texts whose trees are kept for files that import them."""
_STARTERS: Final = ("app.py", "handler.py", "index.py", "lambda_function.py", "main.py")
"""Files that hold the handler of a function of Lambda."""
_APPLIES: Final = frozenset(
    {"apply", "config", "configure", "delete", "deploy", "disable", "enable", "flag", "flags"}
    | {"override", "overrides", "publish", "release", "rollout", "set", "setting", "settings"}
)
"""Words of functions that change what others run with."""
_WORD: Final = re.compile(r"[a-z0-9]+")
_NAME: Final = re.compile(r"\w+")
_PROCESS: Final = re.compile(
    r"AWS_(?:DEFAULT_REGION|REGION|PROFILE|DEFAULT_PROFILE|CONFIG_FILE|ENDPOINT_URL\w*"
    r"|STS_REGIONAL_ENDPOINTS)|TF_WORKSPACE|TF_CLI_ARGS\w*|CDK_DEFAULT_\w+|GOOGLE_CLOUD_PROJECT"
    r"|ARM_SUBSCRIPTION_ID"
)
_IMPORT: Final = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<dots>\.*)(?P<module>[\w.]*)[ \t]+import[ \t]*"
    r"(?P<names>\([^)]{0,2000}\)|[^\n(]{0,300})|import[ \t]+(?P<name>[\w.]+))",
    re.MULTILINE,
)
_STARTS: Final = frozenset(
    {"os.system", "os.execvp", "os.popen", "subprocess.Popen", "subprocess.call"}
    | {"subprocess.check_call", "subprocess.check_output", "subprocess.run"}
)
"""Functions that start another program, which inherits the environment."""
_SHELLS: Final = frozenset({"os.system", "os.popen"})
"""Those whose text is a script of a shell."""
HOLE: Final = "\ufffc"
"""What stands for a word that is not known."""
_ELSEWHERE: Final = sys.stdlib_module_names | {
    "aws_cdk",
    "awacs",
    "boto3",
    "botocore",
    "constructs",
    "pulumi",
    "pulumi_aws",
    "pulumi_azure",
    "pulumi_gcp",
    "troposphere",
    "yaml",
}
"""Modules that no repository holds under these names."""
_LIBRARY: Final = re.compile(r"aws_cdk|troposphere|pulumi")
"""Libraries with which a program declares what there is."""
_MOCKS: Final = re.compile(r"moto\b|pytest\b|unittest\b|botocore\.stub|localstack")
"""Modules of tests: what imports them talks to no cloud."""
_SETTINGS: Final = frozenset({"settings", "config", "conf", "configuration", "constants"})
"""Names of modules that hold settings."""
_HANDLER: Final = re.compile(
    r"^(?:async[ \t]+)?def[ \t]+(?:(?:lambda_)?handler\("
    r"|\w+\(\s*\w*event\w*\s*(?::[^,)]*)?,\s*\w*(?:context|ctx)\w*\s*(?::[^,)]*)?,?\s*\))",
    re.MULTILINE,
)
"""A function that something else calls with an event: of whatever name, for the function says which."""
_ENVIRON: Final = re.compile(r"os\.environ\['(?P<name>\w+)'\]")


class Program:
    """The Python files of a repository, parsed when they are asked for."""

    def __init__(self, repository: Repository, paths: list[str]) -> None:
        self.repository = repository
        self.paths = frozenset(paths)
        self._parsed: dict[str, Parsed | None] = {}
        self._kept = 0
        self._resolved: dict[tuple[str, str, int], str | None] = {}
        self._imported: dict[str, list[str]] = {}
        self._names: dict[tuple[str, int], dict[str, Thing | Deferred] | None] = {}
        """(path, imports on the way to it) → its names."""
        self._followed: list[Interpreter] = []
        repository.at_end.append(self.forget)

    def forget(self) -> None:
        """Effect: lets go of everything that was read."""
        for one in self._followed:
            one.forget()
        self._followed.clear()
        self._names.clear()
        self._parsed.clear()

    def parsed(self, path: str) -> Parsed | None:
        """A file's tree; ``None`` when it is not there. Effect: keeps what cannot be read."""
        if path in self._parsed:
            return self._parsed[path]
        found = self._parsed[path] = self._parse(path)
        if found is not None:
            self._kept += len(found.document.text)
            while self._kept > MAX_KEPT:
                oldest = next(iter(self._parsed))
                gone = self._parsed.pop(oldest)
                self._kept -= 0 if gone is None else len(gone.document.text)
        return found

    def _parse(self, path: str) -> Parsed | None:
        document = self.repository.text(path)
        if document is None:
            return None
        found = parse_python(document)
        if found.limit:
            self.repository.fault(Failure(FailureKind.LIMIT, path, found.limit))
        if found.fault is not None:
            self.repository.fault(
                Failure(FailureKind.SYNTAX, path, found.fault.message, found.fault.span)
            )
        self.repository.remark(document, found.comments)
        return found

    def resolve(self, importer: str, name: str, level: int) -> str | None:
        """The file of a module that a file imports; ``None`` for what is not in the repository."""
        key = posixpath.dirname(importer), name, level
        if key not in self._resolved:
            self._resolved[key] = self._resolve(*key)
        found = self._resolved[key]
        return None if found == importer else found

    def _resolve(self, folder: str, name: str, level: int) -> str | None:
        relative = name.replace(".", "/")
        if not level and name.partition(".")[0] in _ELSEWHERE:
            return None
        if level:
            for _up in range(level - 1):
                folder = posixpath.dirname(folder)
            bases = [folder]
        else:
            bases = [folder]
            while folder:
                folder = posixpath.dirname(folder)
                bases.append(folder)
        for base in bases:
            stem = posixpath.normpath(posixpath.join(base, relative)) if relative else base
            for path in (f"{stem}.py", posixpath.join(stem, "__init__.py")):
                if not path.startswith("..") and self._holds(path):
                    return path
        return None

    def _holds(self, path: str) -> bool:
        return path in self.paths or self.repository.holds_file(path)

    def imports(self, path: str) -> list[str]:
        """A file and those of the repository that it may read, as far as their texts tell."""
        found = dict.fromkeys([path])
        latest = [path]
        for _deep in range(MAX_DEEP + 1):
            latest = [one for p in latest for one in self._direct(p) if one not in found]
            found.update(dict.fromkeys(latest))
        found.update(dict.fromkeys(self._beside(path)))
        if "pulumi_aws" in (self.repository.files.read(path) or ""):
            found.update(dict.fromkeys(stacks.files(self.repository, path)))
        return list(found)

    def _direct(self, path: str) -> list[str]:
        """The files of the repository that a file imports."""
        if path not in self._imported:
            text = self.repository.files.read(path) or ""
            found: dict[str, None] = {}
            for match in _IMPORT.finditer(text):
                dots = match["dots"] or ""
                name = match["name"] or match["module"] or ""
                parts = _NAME.findall(match["names"] or "")
                names = [name, *(f"{name}.{part}" if name else part for part in parts)]
                inner = [self.resolve(path, one, len(dots)) for one in names]
                found.update(dict.fromkeys([p for p in inner if p is not None]))
            self._imported[path] = list(found)
        return self._imported[path]

    def _beside(self, path: str) -> list[str]:
        """The files beside one that may hold what starts it."""
        folder = posixpath.dirname(path)
        names = [posixpath.join(folder, name) for name in _STARTERS]
        return [name for name in names if name != path and self._holds(name)]

    def names(self, path: str, deep: int) -> dict[str, Thing | Deferred] | None:
        """What the names of a module stand for that is imported ``deep`` imports away from a unit."""
        key = path, deep
        if key not in self._names:
            self._names[key] = self._follow(path, deep)
        return self._names[key]

    def _follow(self, path: str, deep: int) -> dict[str, Thing | Deferred] | None:
        parsed = self.parsed(path)
        if parsed is None or parsed.module is None:
            return None

        def load(name: str, level: int) -> Imported | None:
            found = self.resolve(path, name, level) if deep < MAX_DEEP else None
            return None if found is None else Imported(self, found, deep + 1)

        inner = Interpreter(Places(parsed.document), load, meaning, quiet=True)
        inner.run(parsed.module)
        self._followed.append(inner)
        inner.module.frozen = True
        for thing in inner.module.names.values():
            if isinstance(thing, Instance):
                thing.frozen = True
        return inner.module.names

    def _invoked(self, path: str) -> bool:
        """Whether a file or one beside it is started by something that runs in a region."""
        return any(
            _HANDLER.search(self.repository.files.read(p) or "") is not None
            for p in (path, *self._beside(path))
        )

    def evaluate(self, path: str) -> Evaluated:
        """The unit of a file."""
        unit = Evaluated(path, "python", inputs={path}, context=self.repository.context)
        parsed = self.parsed(path)
        if parsed is None or parsed.module is None:
            return unit

        def load(name: str, level: int) -> Imported | None:
            found = self.resolve(path, name, level)
            if found is None:
                return None
            unit.inputs.add(found)
            return Imported(self, found, 0)

        interpreter = Interpreter(Places(parsed.document), load, meaning)
        interpreter.run(parsed.module)
        if interpreter.spent:
            message = "takes more steps than one file may; the rest is not followed"
            unit.failures.append(Failure(FailureKind.LIMIT, path, message))
        settings: dict[str, Value] = {}
        if any(name.partition(".")[0] == "pulumi_aws" for name in interpreter.libraries):
            unit.inputs.update(stacks.files(self.repository, path))
            settings = stacks.settings(self.repository, path)
        invoked = cache(partial(self._invoked, path))
        _fill(unit, interpreter, parsed.document, settings, invoked)
        unit.close = interpreter.forget
        return unit


class Imported:
    """A module that a file of the repository imports."""

    def __init__(self, program: Program, path: str, deep: int) -> None:
        self._program = program
        self._path = path
        self._deep = deep

    @property
    def names(self) -> dict[str, Thing | Deferred] | None:
        """What its names stand for; ``None`` for a file that cannot be read."""
        return self._program.names(self._path, self._deep)


def _fill(
    unit: Evaluated,
    found: Interpreter,
    document: Document,
    settings: dict[str, Value],
    invoked: Callable[[], bool],
) -> None:
    """Effect: puts what an interpreter found into a unit."""
    calls = in_order(found.calls)
    unit.settings = [*found.settings, *_passed(found.calls)]
    unit.layerings = found.layerings
    unit.fan_outs = found.fan_outs
    unit.lookups = found.lookups
    unit.fallbacks = [
        f
        for f in found.fallbacks
        if not (f.tried in ("AWS_REGION", "AWS_DEFAULT_REGION") and invoked())
    ]  # a function of Lambda always finds them
    unit.environment_defaults = found.environment_defaults
    mocked = any(
        isinstance(name, Symbol) and _MOCKS.match(name.name)
        for thing in found.module.names.values()
        for name in (thing.used if isinstance(thing, Deferred) else thing,)
    )
    unit.is_script = found.is_script
    unit.process_settings = [] if mocked else list(_process(found))
    if not mocked:
        _started(unit, found, calls)
    if any(_LIBRARY.match(name) for name in found.libraries):
        Lowering(unit, document, found.value, settings).lower(calls)
    clients = boto3.Clients(
        found.value,
        _set_to(unit.process_settings, "setup_default_session(region_name)"),
        invoked=invoked,
        environment=_set_to(unit.process_settings, "AWS_DEFAULT_REGION"),
    )
    seen: set[int] = set()
    for call in calls:
        _bulk(unit, call)
        made = clients.of(call)
        if made is None or mocked:
            continue
        if id(made) not in seen and made.span.document is document:
            seen.add(id(made))
            unit.clients.append(made)
        operation = boto3.operation_of(call)
        if operation is None or made.span == call.name_span:
            continue
        if call.span.document is not document and not _said_here(call, made, document):
            continue
        fact = boto3.api_call(call, made, operation, found.value)
        unit.calls.append(fact)
        for resource in boto3.as_resources(fact, unit.address):
            resource.request = True
            unit.resources.append(resource)


def _passed(calls: Iterable[Call]) -> Iterator[Setting]:
    """The named arguments of calls that apply, deploy, delete or configure something."""
    for call in calls:
        if not call.keywords:
            continue
        name = call.name_span.text.rpartition(".")[2]
        if not _APPLIES.isdisjoint(_WORD.findall(name.lower())):
            spans = call.spans
            for key, thing in call.keywords.items():
                span = spans.get(key)
                if span is not None and isinstance(thing, Value):
                    yield Setting(key, thing, span, span, "input", name)


def _said_here(call: Call, made: ApiClient, document: Document) -> bool:
    """Whether a call within another module does what it does because of what is written here."""
    if any(span.document is document for _value, _text, span in (*made.loops,)):
        return True
    if any(loop.span.document is document for loop in call.loops):
        return True
    given = [*call.arguments, *call.keywords.values()]
    return any(
        isinstance(thing, Value) and thing.span is not None and thing.span.document is document
        for thing in given
    )


def _started(unit: Evaluated, found: Interpreter, calls: Iterable[Call]) -> None:
    """Effect: notes the command lines that a program starts."""
    for call in calls:
        if call.name not in _STARTS or not call.arguments:
            continue
        value = found.value(call.arguments[0], call.span)
        owner = call.owner or posixpath.basename(unit.address)
        when = f"in {owner}"
        text = known_text(value)
        span = value.span or call.span
        passing = "preview" in owner or "teardown" in owner or "cleanup" in owner
        if text is not None and (call.name in _SHELLS or _is_true(call.keywords.get("shell"))):
            term = Term(text, span, value)
            script = Script(owner, "", term, when, by_hand=True, passing=passing)
            unit.scripts.append(script)
        elif isinstance(value, Many) and value.items:
            words = [known_text(item) for item in value.items]
            if words[0] is not None:
                line = tuple([word if word is not None else HOLE for word in words])
                term = Term(" ".join(line), span, value)
                script = Script(owner, "", term, when, by_hand=True, passing=passing)
                unit.commands.append(Command(script, line, span, value))


def _is_true(thing: Thing | None) -> bool:
    return isinstance(thing, Known) and thing.data is True


def _process(found: Interpreter) -> Iterator[ProcessSetting]:
    """What the program sets for its whole process, in the order of the places."""
    others = any(call.name in _STARTS or call.name.startswith("pulumi") for call in found.calls)
    given: list[tuple[str, Thing, Span, str]] = []
    for what, thing, span, owner in found.assigned:
        match = _ENVIRON.fullmatch(what)
        name = match["name"] if match is not None else what
        if what == "boto3.DEFAULT_SESSION" or (match is not None and _PROCESS.fullmatch(name)):
            given.append((name, thing, span, owner))
    for call in found.calls:
        given.extend([(*one, call.owner) for one in _set_by(call)])
    for name, thing, span, owner in sorted(given, key=lambda one: one[2].start):
        value = found.value(thing, span)
        if name == "AWS_STS_REGIONAL_ENDPOINTS" and known_text(value) == "regional":
            continue  # which keeps every client where it is
        yield ProcessSetting(name, value, span, owner, not isinstance(value, Known), others)


def _set_by(call: Call) -> Iterator[tuple[str, Thing, Span]]:
    """(name, value, place) of what a call sets for the whole process."""
    name = call.name
    if name == "boto3.setup_default_session":
        for key in ("region_name", "profile_name"):
            if key in call.keywords:
                place = call.spans.get(key, call.span)
                yield f"setup_default_session({key})", call.keywords[key], place
    elif name == "os.putenv" and len(call.arguments) == 2:  # noqa: PLR2004  name and value
        text = _known(call.arguments[0])
        if text is not None and _PROCESS.fullmatch(text):
            yield text, call.arguments[1], call.span
    elif name == "os.environ.update":
        first = call.arguments[0] if call.arguments else None
        entries = dict(first.entries) if isinstance(first, Mapping) else {}
        for key, thing in {**entries, **call.keywords}.items():
            if _PROCESS.fullmatch(key):
                span = thing.span if isinstance(thing, Value) else None
                yield key, thing, call.spans.get(key) or span or call.span


def _known(thing: Thing) -> str | None:
    return known_text(thing) if isinstance(thing, Value) else None


def _set_to(settings: list[ProcessSetting], name: str) -> Value | None:
    """What the program sets a name to for its process: clients without a region get that one."""
    return next((setting.value for setting in settings if setting.name == name), None)


def _bulk(unit: Evaluated, call: Call) -> None:
    """Effect: notes settings that are overwritten from a mapping."""
    if call.name == "setattr" and call.loops and len(call.arguments) == 3:  # noqa: PLR2004
        target = call.arguments[0]
        named = name_of(target).rpartition(".")[2]
        module = isinstance(target, Item) and name_of(target.base) == "sys.modules"
        if module or (named in _SETTINGS and _known(call.arguments[1]) is None):
            what = "sys.modules[__name__]" if module else named
            loop = call.loops[-1].text
            unit.bulk_writes.append(BulkWrite(what, loop, call.span, call.owner))
    elif call.arguments and _is_namespace_update(call):
        whole, name = call.span.text, call.name_span.text
        what, written = name.removesuffix(".update"), whole.removeprefix(name).strip("()")
        unit.bulk_writes.append(BulkWrite(what, written[:60], call.span, call.owner))


def _is_namespace_update(call: Call) -> bool:
    """Whether a call is ``globals().update(…)`` or that of another module's names."""
    if call.name.endswith(".__dict__.update"):
        return True
    function = call.function
    if not isinstance(function, Bound) or function.name != "update":
        return False
    base = function.base
    return isinstance(base, Call) and name_of(base.function) in ("globals", "vars", "locals")
