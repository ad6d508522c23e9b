"""Which files make one unit: Terraform directories with their overrides, callers and roots.

A unit is a root (or uncalled) module directory together with the local modules it calls. A directory
is read once, merged with its override files by Terraform's own rules (Terraform documentation,
"Override Files"), and kept while something near it may need it again. What Terragrunt runs is found by
`blastdoor.evaluate.terragrunt`; here are the files it reads and the modules it lays others into.
"""

from __future__ import annotations

import copy
import json
import posixpath
import re
from collections import Counter, OrderedDict
from contextlib import contextmanager
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final, Protocol

from blastdoor.context import Gatherer, commented, is_demo
from blastdoor.fact import NO_CONTEXT, OverrideChange
from blastdoor.finding import Failure, FailureKind
from blastdoor.parse import tree
from blastdoor.record import dataclass
from blastdoor.source.kinds import TOLD_BY_CONTENT, Kind
from blastdoor.span import Document, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from blastdoor.fact import Evaluated
    from blastdoor.source import Entry, Files

_CACHED_BYTES: Final = 6_000_000
"""Source text whose trees are kept at the same time."""
_CACHED_DOCUMENTS: Final = 256
_MERGED_BLOCKS: Final = frozenset({"lifecycle"})
"""Nested blocks that an override file merges argument by argument instead of replacing."""
_META: Final = frozenset({"terraform", "locals"})


class Section:
    """A block as Terraform sees it: its own arguments with those of override files on top."""

    __slots__ = ("_blocks", "_replaced", "block", "document")

    def __init__(self, document: Document, block: tree.Block) -> None:
        self.document = document
        self.block = block
        self._replaced: dict[str, tuple[Document, tree.Attribute]] | None = None
        self._blocks: dict[str, list[Section]] | None = None

    @property
    def type(self) -> str:
        """The block's type."""
        return self.block.type

    @property
    def overridden(self) -> bool:
        """Whether an override file has written into it."""
        return self._replaced is not None or self._blocks is not None

    @property
    def labels(self) -> tuple[str, ...]:
        """The texts of the labels."""
        return tuple([label.text for label in self.block.labels])

    @property
    def span(self) -> Span:
        """The header."""
        return Span(self.document, self.block.start, self.block.header_end)

    def argument(self, name: str) -> tuple[Document, tree.Attribute] | None:
        """An argument with the document that writes it."""
        if self._replaced is not None:
            replaced = self._replaced.get(name)
            if replaced is not None:
                return replaced
        found = self.block.body.attributes.get(name)
        return None if found is None else (self.document, found)

    def may_say(self, name: str) -> bool:
        """Whether it may have an argument, or blocks, of a name: a quick look."""
        if self._replaced is not None or self._blocks is not None:
            return True
        body = self.block.body
        if name in body.attributes:
            return True
        for block in body.blocks:  # noqa: SIM110  a generator costs more than the look
            if block.type == name or block.type == "dynamic":  # noqa: PLR1714  as above
                return True
        return False

    def argument_names(self) -> list[str]:
        """The names of all arguments in source order, those of override files last."""
        names = list(self.block.body.attributes)
        if self._replaced is not None:
            names.extend(name for name in self._replaced if name not in self.block.body.attributes)
        return names

    def sections(self, type_: str) -> list[Section]:
        """The nested blocks of one type."""
        if self._blocks is not None and type_ in self._blocks:
            return self._blocks[type_]
        return [
            Section(self.document, block) for block in self.block.body.blocks if block.type == type_
        ]

    def section_types(self) -> list[str]:
        """The types of nested blocks, each once; a ``dynamic`` block counts as what it makes."""
        names: dict[str, None] = {}
        for block in self.block.body.blocks:
            if block.type == "dynamic" and block.labels:
                names[block.labels[0].text] = None
            else:
                names[block.type] = None
        for type_, sections in (self._blocks or {}).items():
            if type_ == "dynamic":
                names.update(dict.fromkeys(s.labels[0] for s in sections if s.labels))
            else:
                names[type_] = None
        return list(names)

    def without(self, *types: str) -> None:
        """Effect: drops the nested blocks of some types."""
        self._blocks = {**(self._blocks or {}), **{type_: [] for type_ in types}}

    def override(self, other: Section) -> Iterator[tuple[str, str, str, Span, Span | None]]:
        """Effect: lays ``other`` on top. Yields (path, before, after, span, span before)."""
        for name, attribute in other.block.body.attributes.items():
            old = self.argument(name)
            if self._replaced is None:
                self._replaced = {}
            self._replaced[name] = (other.document, attribute)
            after = Span(other.document, attribute.expression.start, attribute.expression.end)
            before = (
                None
                if old is None
                else Span(old[0], old[1].expression.start, old[1].expression.end)
            )
            yield name, before.text if before else "", after.text, after, before
        replaced = other.section_types()
        if not replaced:
            return
        # What a dynamic block makes counts as blocks of that type, on both sides.
        kept = [s for s in self.sections("dynamic") if s.labels and s.labels[0] not in replaced]
        if self._blocks is None:
            self._blocks = {}
        self._blocks["dynamic"] = [*kept, *other.sections("dynamic")]
        for type_ in replaced:
            mine, theirs = self.sections(type_), other.sections(type_)
            if type_ in _MERGED_BLOCKS and mine and theirs:
                for change in mine[0].override(theirs[0]):
                    yield (f"{type_}.{change[0]}", *change[1:])
                self._blocks[type_] = mine
                continue
            self._blocks[type_] = theirs
            for name in theirs[0].argument_names() if theirs else ():
                found = theirs[0].argument(name)
                if found is not None:
                    after = Span(found[0], found[1].expression.start, found[1].expression.end)
                    old = mine[0].argument(name) if mine else None
                    before = (
                        None
                        if old is None
                        else Span(old[0], old[1].expression.start, old[1].expression.end)
                    )
                    yield (
                        f"{type_}.{name}",
                        before.text if before else "",
                        after.text,
                        after,
                        before,
                    )


@dataclass(slots=True)
class Variables:
    """One file of variable values."""

    path: str
    body: tree.Body
    automatic: bool


@dataclass(slots=True)
class Module:
    """One Terraform directory, parsed and merged, before anything is evaluated."""

    path: str
    """Directory relative to the root, ``.`` for the root itself."""
    variables: dict[str, Section] = field(default_factory=dict)
    locals: dict[str, tuple[Document, tree.Attribute]] = field(default_factory=dict)
    managed: dict[tuple[str, str], Section] = field(default_factory=dict)
    data: dict[tuple[str, str], Section] = field(default_factory=dict)
    providers: list[Section] = field(default_factory=list)
    calls: dict[str, Section] = field(default_factory=dict)
    outputs: dict[str, Section] = field(default_factory=dict)
    changes: list[Section] = field(default_factory=list)
    """The ``moved``, ``removed`` and ``import`` blocks."""
    settings: list[Section] = field(default_factory=list)
    """The ``terraform`` blocks."""
    assignments: list[Variables] = field(default_factory=list)
    """Files of variable values in the directory."""
    overrides: list[OverrideChange] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    documents: dict[str, Document] = field(default_factory=dict)
    size: int = 0
    has_lock: bool = False
    shapes: list[Any] | None = None
    """What `blastdoor.evaluate.shapes` found; kept here so that it goes with the trees."""

    @property
    def has_backend(self) -> bool:
        """Whether it says where its state is kept."""
        return any(
            section.sections("backend") or section.sections("cloud") for section in self.settings
        )

    @property
    def has_default_provider(self) -> bool:
        """Whether it configures a provider without an alias, which a child module should not."""
        return any(section.argument("alias") is None for section in self.providers)

    @property
    def wants_aliases(self) -> bool:
        """Whether it declares ``configuration_aliases``: only a child module does."""
        for section in self.settings:
            for required in section.sections("required_providers"):
                for name in required.argument_names():
                    found = required.argument(name)
                    if (
                        found
                        and "configuration_aliases"
                        in Span(found[0], found[1].start, found[1].end).text
                    ):
                        return True
        return False


_OVERRIDE_NAME: Final = re.compile(r"(?:^|_)override\.(?:tf|tofu)(?:\.json)?$")


def is_override(name: str) -> bool:
    """Whether Terraform reads the file as an override: ``override.tf``, ``*_override.tf`` (+ JSON)."""
    return _OVERRIDE_NAME.search(name) is not None


def is_configuration(name: str) -> bool:
    """Whether the file is Terraform or OpenTofu configuration."""
    return name.endswith((".tf", ".tf.json", ".tofu", ".tofu.json"))


def is_variables(name: str) -> bool:
    """Whether the file holds variable values."""
    return name.endswith((".tfvars", ".tfvars.json"))


def is_automatic(name: str) -> bool:
    """Whether Terraform reads the variables file by itself."""
    return name in ("terraform.tfvars", "terraform.tfvars.json") or name.endswith(
        (".auto.tfvars", ".auto.tfvars.json")
    )


def parse(document: Document) -> tree.Parsed:
    """The tree of a file, by the ending of its name."""
    name = document.path
    if name.endswith(".tfvars.json"):
        from blastdoor.parse.terraform_json import parse_tfvars_json

        return parse_tfvars_json(document)
    if name.endswith(".json"):
        from blastdoor.parse.terraform_json import parse_terraform_json

        return parse_terraform_json(document)
    from blastdoor.parse.hcl import parse_hcl

    return parse_hcl(document)


_LOCAL_SOURCE: Final = re.compile(r'"?source"?\s*[=:]\s*"(\.\.?(?:/[^"\n]*)?)"')


class Readings:
    """What single texts say, kept from one analysis to the next: trees, evidence, calls.

    Everything here follows from a path and a text alone. The last text of a path is kept, and of trees
    no more than ``limit`` code points of source.
    """

    def __init__(self, limit: int = _CACHED_BYTES) -> None:
        self._limit = limit
        self._size = 0
        self._trees: OrderedDict[str, tree.Parsed] = OrderedDict()
        self._documents: dict[str, Document] = {}
        self._glances: dict[str, tuple[str, Gatherer, tuple[str, ...]]] = {}
        self.touched: set[Document] = set()
        """Documents that were handed out since somebody emptied it."""

    def document(self, path: str, text: str) -> Document:
        """A text as a document, the same one as long as the text is."""
        found = self._documents.get(path)
        if found is None or found.text != text:
            found = self._documents[path] = Document(path, text)
        self._touch(found)
        return found

    def parsed(self, path: str, text: str) -> tree.Parsed:
        """The tree of a text."""
        document = self.document(path, text)
        found = self._trees.get(path)
        if found is not None and found.document is document:
            self._trees.move_to_end(path)
            return found
        if found is not None:
            self._size -= len(found.document.text)
            del self._trees[path]
        found = self._trees[path] = parse(document)
        self._size += len(text)
        while self._size > self._limit and len(self._trees) > 1:
            _path, dropped = self._trees.popitem(last=False)
            self._size -= len(dropped.document.text)
        return found

    def glance(self, path: str, text: str) -> tuple[Gatherer, tuple[str, ...]]:
        """What a text speaks of, and the local sources of modules that it names."""
        found = self._glances.get(path)
        if found is None or found[0] != text:
            found = self._glances[path] = (text, _glance(path, text), tuple(_sources(path, text)))
        return found[1], found[2]

    def keep(self, paths: Collection[str]) -> None:
        """Effect: forgets the texts of all other paths."""
        for kept in (self._documents, self._glances):
            for path in kept.keys() - set(paths):
                del kept[path]
        for path in self._trees.keys() - set(paths):
            self._size -= len(self._trees.pop(path).document.text)

    def unmark(self) -> None:
        """Effect: forgets what is secret in the texts: a new analysis says it again."""
        for document in self._documents.values():
            document.secrets = set()

    @contextmanager
    def steady(self) -> Iterator[None]:
        """What is secret in the texts stays as it is, whatever is read or evaluated meanwhile."""
        before = [(document, set(document.secrets)) for document in self._documents.values()]
        self.touched.update(self._documents.values())
        try:
            yield
        finally:
            self.touched.clear()
            for document, secrets in before:
                document.secrets = secrets

    def _touch(self, document: Document) -> None:
        if document not in self.touched:
            self.touched.add(document)
            document.secrets = set()


def _glance(path: str, text: str) -> Gatherer:
    """What one text speaks of."""
    found = Gatherer()
    found.path(path)
    found.text(path, text)
    return found


def _sources(path: str, text: str) -> Iterator[str]:
    """The local module sources that a text of configuration names, without parsing it."""
    if "source" not in text or not is_configuration(path):
        return
    for found in _LOCAL_SOURCE.finditer(text):
        if path.endswith(".json") or not commented(text, found.start()):
            yield found.group(1)


class Read(Protocol):
    """What reading files has told, beside their content."""

    failures: dict[tuple[str, str, int], Failure]
    read_paths: set[str]
    configurations: set[str]
    comments: dict[str, list[tree.Comment]]
    commented: dict[str, Document]
    ranges: dict[str, list[tuple[int, int]]]


@dataclass(slots=True)
class Told:
    """What reading some files has told, without the files."""

    failures: dict[tuple[str, str, int], Failure] = field(default_factory=dict)
    read_paths: set[str] = field(default_factory=set)
    configurations: set[str] = field(default_factory=set)
    comments: dict[str, list[tree.Comment]] = field(default_factory=dict)
    commented: dict[str, Document] = field(default_factory=dict)
    ranges: dict[str, list[tuple[int, int]]] = field(default_factory=dict)


def take(read: Read, other: Read, paths: Collection[str] | None = None) -> None:
    """Effect: adds what another reading has told, of ``paths`` only where they are given."""

    def wanted(path: str) -> bool:
        return paths is None or path in paths

    read.read_paths.update(filter(wanted, other.read_paths))
    read.configurations.update(filter(wanted, other.configurations))
    for path in filter(wanted, other.comments):
        read.comments[path] = other.comments[path]
        read.commented[path] = other.commented[path]
        read.ranges[path] = other.ranges[path]
    for key, failure in other.failures.items():
        if wanted(failure.path):
            read.failures.setdefault(key, failure)


class Subject(Protocol):
    """One unit of a language whose units are files: a template, a Python module, a document."""

    @property
    def path(self) -> str:
        """The file that the unit is named after: its address."""

    @property
    def reads(self) -> Collection[str]:
        """Paths of the files that it may read, its own among them; they need not be there."""

    def evaluate(self) -> Evaluated:
        """The unit with its values."""


class Repository:
    """The units of one source tree: Terraform directories, read on demand, and files of other kinds.

    ``files`` gives the texts, ``entries`` what discovery found.
    """

    def __init__(
        self, files: Files, entries: Iterable[Entry], readings: Readings | None = None
    ) -> None:
        self.files = files
        self._readings = readings
        self.by_directory: dict[str, list[str]] = {}
        self.reported: set[str] = set()
        self.plans: set[str] = set()
        """Paths of Terraform plans."""
        self.terragrunt: set[str] = set()
        """Directories with Terragrunt configuration."""
        self._evidence: list[str] = []
        """Files that no directory reads for itself and that still say where things go."""
        self.others: dict[Kind, list[str]] = {}
        """Files of the kinds that only their content tells, in the order of the listing."""
        self.subjects: list[Subject] = []
        """The units among them, once they are surveyed."""
        self.stacks: list[str] = []
        """Terragrunt's stack files."""
        self.hcl: dict[str, bool] = {}
        """Files that Terragrunt may read as configuration, and whether they are reported."""
        for entry in entries:
            directory, name = posixpath.split(entry.path)
            directory = directory or "."
            if entry.kind is Kind.PLAN:
                self.plans.add(entry.path)
            if entry.kind in TOLD_BY_CONTENT:
                self.others.setdefault(entry.kind, []).append(entry.path)
                self._evidence.append(entry.path)
                if entry.reported:
                    self.reported.add(entry.path)
                continue
            if entry.kind is Kind.TERRAGRUNT or is_variables(name):
                self._evidence.append(entry.path)
            if name in ("terragrunt.hcl", "terragrunt.hcl.json"):
                self.terragrunt.add(directory)
            if name == "terragrunt.stack.hcl":
                self.stacks.append(entry.path)
            if name.endswith((".hcl", ".hcl.json")) and name != ".terraform.lock.hcl":
                self.hcl[entry.path] = entry.reported
                continue
            if is_configuration(name) or is_variables(name) or name == ".terraform.lock.hcl":
                self.by_directory.setdefault(directory, []).append(name)
            else:
                continue
            if entry.reported:
                self.reported.add(entry.path)
        self.at_end: list[Callable[[], None]] = []
        """What lets go of what the languages keep from one unit to the next."""
        self.external = bool(self.terragrunt)
        """Whether Terragrunt may give providers and inputs to any directory."""
        self._adopted: dict[str, set[str]] = {}
        self._folders: set[str] | None = None
        self.context = NO_CONTEXT
        """What the whole repository speaks of; `roots` reads it."""
        self._called: dict[str, set[str]] = {}
        self._empty()

    def _empty(self) -> None:
        """Effect: nothing has been read."""
        self._configs: OrderedDict[str, tree.Parsed | None] = OrderedDict()
        self._listed: dict[str, frozenset[str]] = {}
        self._cache: OrderedDict[str, Module] = OrderedDict()
        self._cached = 0
        self._calls: dict[str, list[tuple[str, str]]] = {}
        self._manifests: dict[str, dict[str, str]] = {}
        self.failures: dict[tuple[str, str, int], Failure] = {}
        self._documents: OrderedDict[str, Document] = OrderedDict()
        self._templates: dict[str, tree.Expression | None] = {}
        self.read_paths: set[str] = set()
        self.configurations: set[str] = set()
        """Terragrunt's files that were read as configuration: findings may stand in them."""
        self.skipped: Counter[str] = Counter()
        """What was looked at and left out, by reason."""
        self.comments: dict[str, list[tree.Comment]] = {}
        """Comments that speak to blastdoor, by path."""
        self.commented: dict[str, Document] = {}
        self.ranges: dict[str, list[tuple[int, int]]] = {}
        """Offsets of the blocks of the files that have such comments."""

    def close(self) -> None:
        """Effect: lets go of the units, which refer to the repository as it refers to them."""
        for forget in self.at_end:
            forget()
        self.at_end.clear()
        self.subjects.clear()

    def directories(self) -> list[str]:
        """Every directory that holds configuration, sorted."""
        return sorted(
            directory
            for directory, names in self.by_directory.items()
            if any(is_configuration(name) for name in names)
        )

    def module(self, directory: str) -> Module | None:
        """The merged configuration of a directory; ``None`` when it holds none."""
        found = self._cache.get(directory)
        if found is not None:
            self._cache.move_to_end(directory)
            return found
        names = self.by_directory.get(directory)
        if names is None or not any(is_configuration(name) for name in names):
            names = self._unlisted(directory)
            if not names:
                return None
        module = self._load(directory, names)
        self._cache[directory] = module
        self._cached += module.size
        while self._cached > _CACHED_BYTES and len(self._cache) > 1:
            _name, dropped = self._cache.popitem(last=False)
            self._cached -= dropped.size
        return module

    def _unlisted(self, directory: str) -> list[str]:
        """Configuration in a directory that discovery skips (``.terraform/modules``)."""
        if "/.terraform/modules/" not in f"/{directory}/":
            return []
        return [name for name in self.files.names(directory) if is_configuration(name)]

    def _load(self, directory: str, names: list[str]) -> Module:
        module = Module(directory)
        module.has_lock = ".terraform.lock.hcl" in names
        self._fill(module, directory, names)
        return module

    def _fill(self, module: Module, directory: str, names: list[str]) -> None:
        """Effect: adds the files of a directory to a module."""
        primary = sorted(n for n in names if is_configuration(n) and not is_override(n))
        overriding = sorted(n for n in names if is_configuration(n) and is_override(n))
        shadowed = {
            name.replace(".tofu", ".tf") for name in names if name.endswith((".tofu", ".tofu.json"))
        }
        for name in primary:
            if name not in shadowed:
                parsed = self._read(module, posixpath.join(directory, name))
                if parsed is not None:
                    gather(module, parsed.body)
        for name in overriding:
            if name not in shadowed:
                parsed = self._read(module, posixpath.join(directory, name))
                if parsed is not None:
                    _override(module, parsed.body)
        for name in sorted(n for n in names if is_variables(n)):
            parsed = self._read(module, posixpath.join(directory, name))
            if parsed is not None:
                automatic = is_automatic(name)
                module.assignments.append(Variables(parsed.document.path, parsed.body, automatic))

    def variables_file(self, path: str) -> Variables | None:
        """A file of variable values anywhere in the root."""
        holder = Module(posixpath.dirname(path) or ".")
        parsed = self._read(holder, path)
        return None if parsed is None else Variables(path, parsed.body, automatic=False)

    def _read(self, module: Module, path: str) -> tree.Parsed | None:
        path = posixpath.normpath(path)
        text = self.files.read(path)
        if text is None:
            return None
        parsed = self._tree(path, text)
        document = parsed.document
        module.size += len(text)
        self.read_paths.add(path)
        module.files.append(path)
        module.documents[path] = document
        if parsed.comments:
            self.comments[path] = parsed.comments
            self.commented[path] = document
            self.ranges[path] = list(_block_ranges(parsed.body))
        for fault in parsed.faults:
            failure = Failure(FailureKind.SYNTAX, path, fault.message, fault.span)
            module.failures.append(failure)
            self.failures.setdefault((path, fault.message, fault.span.start), failure)
        return parsed

    def _tree(self, path: str, text: str) -> tree.Parsed:
        if self._readings is None:
            return parse(Document(path, text))
        return self._readings.parsed(path, text)

    def fork(self, files: Files) -> Repository:
        """The same listing and callers, nothing read yet: everything will come from ``files``."""
        twin = copy.copy(self)
        twin.files = files
        twin.subjects = []
        twin._empty()  # noqa: SLF001  a copy of this one
        return twin

    # Files of other kinds

    def text(self, path: str) -> Document | None:
        """A file that a unit is read from; ``None`` when it is not there. Effect: it counts as read."""
        text = self.files.read(path)
        if text is None:
            return None
        self.read_paths.add(path)
        return Document(path, text)

    def remark(
        self,
        document: Document,
        comments: Sequence[tree.Comment],
        blocks: Iterable[tuple[int, int]] = (),
    ) -> None:
        """Effect: notes a file's comments that speak to blastdoor, and the offsets of its blocks."""
        if comments:
            self.comments[document.path] = list(comments)
            self.commented[document.path] = document
            self.ranges[document.path] = list(blocks)

    def fault(self, failure: Failure) -> None:
        """Effect: keeps what could not be read of a file, once."""
        start = failure.span.start if failure.span is not None else 0
        self.failures.setdefault((failure.path, failure.message, start), failure)

    # Terragrunt

    def config_file(self, path: str) -> tree.Parsed | None:
        """A file of Terragrunt configuration; ``None`` when it is not there. Findings may stand in it.

        The tree of a file is kept: every unit below it reads it again.
        """
        if path in self._configs:
            self._configs.move_to_end(path)
            return self._configs[path]
        parsed = self._read(Module(posixpath.dirname(path) or "."), path)
        self._configs[path] = parsed
        if parsed is not None and self.hcl.get(path):
            self.configurations.add(path)
            self.reported.add(path)
        if len(self._configs) > _CACHED_DOCUMENTS:
            self._configs.popitem(last=False)
        return parsed

    def holds_file(self, path: str) -> bool:
        """Whether there is such a file."""
        directory, name = posixpath.split(path)
        directory = directory or "."
        found = self._listed.get(directory)
        if found is None:
            found = self._listed[directory] = frozenset(self.files.names(directory))
        return name in found

    def holds(self, path: str) -> bool:
        """Whether there is such a file, or a directory with configuration in or below it."""
        if self._folders is None:
            folders = {*self.by_directory, *(posixpath.dirname(path) for path in self.hcl)}
            self._folders = set()
            for folder in folders:
                while folder and folder not in self._folders:
                    self._folders.add(folder)
                    folder = posixpath.dirname(folder)  # noqa: PLW2901  up to the root
        return path in self._folders or self.holds_file(path)

    def adopt(self, callers: Mapping[str, set[str]], *, external: bool) -> None:
        """Effect: takes Terragrunt's units (directory → units that run it) for callers of modules.

        ``external`` says whether some unit may run a directory that is not among them.
        """
        self._adopted = {target: set(units) for target, units in callers.items()}
        self.external = external

    def laid_out(self, directory: str, beside: str, hidden: frozenset[str]) -> Module:
        """A module with the configuration of a second directory in it, for a caller to add to.

        Terragrunt copies the directory of a unit over the module that the unit runs (Terragrunt
        documentation, "Units"). Files named in ``hidden`` are left out; what is beside the module
        hides a file of the same name in it.
        """
        own = self.by_directory.get(beside, []) if beside != directory else []
        own = [name for name in own if name not in hidden]
        changed = hidden | set(own)
        names = self.by_directory.get(directory, [])
        base = self.module(directory) if changed.isdisjoint(names) else None
        if base is None:
            base = self._load(directory, [name for name in names if name not in changed])
        module = Module(
            directory,
            dict(base.variables),
            dict(base.locals),
            dict(base.managed),
            dict(base.data),
            list(base.providers),
            dict(base.calls),
            dict(base.outputs),
            list(base.changes),
            list(base.settings),
            list(base.assignments),
            list(base.overrides),
            list(base.failures),
            list(base.files),
            dict(base.documents),
            base.size,
            base.has_lock,
            base.shapes,
        )
        if own:
            module.shapes = None
            self._fill(module, beside, own)
        return module

    def document(self, path: str) -> Document | None:
        """A file that expressions read; the most recent ones are kept with what they say."""
        found = self._documents.get(path)
        if found is not None:
            self._documents.move_to_end(path)
            return found
        text = self.files.read(path)
        if text is None:
            return None
        found = Document(path, text)
        if self._readings is not None:
            found = self._readings.document(path, text)
        self._documents[path] = found
        if len(self._documents) > _CACHED_DOCUMENTS:
            old, _document = self._documents.popitem(last=False)
            self._templates.pop(old, None)
        return found

    def template(self, document: Document) -> tree.Expression | None:
        """A document of this repository read as a template; ``None`` when it does not parse."""
        if document.path not in self._templates:
            from blastdoor.parse.hcl import parse_template

            expression, faults = parse_template(document)
            self._templates[document.path] = None if faults else expression
        return self._templates[document.path]

    # Calls and roots

    def local_calls(self, directory: str) -> list[tuple[str, str]]:
        """(call name, directory) of the calls in ``directory`` whose source is in the repository."""
        found = self._calls.get(directory)
        if found is None:
            found = []
            module = self.module(directory)
            if module is not None:
                for name, section in module.calls.items():
                    target = self.resolve_source(directory, section)
                    if target is not None:
                        found.append((name, target))
            self._calls[directory] = found
        return found

    def resolve_source(self, directory: str, call: Section) -> str | None:
        """The directory of a called module, when its files are here."""
        source = literal_argument(call, "source")
        if source is None:
            return None
        if source.startswith(("./", "../")) or source in (".", ".."):
            target = posixpath.normpath(posixpath.join(directory, source))
            if target.startswith(".."):
                return None
            if target in self.by_directory or self._unlisted(target):
                return target
            return None
        return self._installed(directory, call.labels[0] if call.labels else "")

    def _installed(self, directory: str, name: str) -> str | None:
        """The directory that ``terraform init`` put a module in (``.terraform/modules``)."""
        manifest = self._manifests.get(directory)
        if manifest is None:
            manifest = {}
            path = posixpath.join(directory, ".terraform", "modules", "modules.json")
            text = self.files.read(posixpath.normpath(path))
            if text is not None:
                try:
                    for row in json.loads(text)["Modules"]:
                        manifest[str(row["Key"])] = str(row["Dir"])
                except (ValueError, KeyError, TypeError, RecursionError):
                    message = "the module manifest cannot be read"
                    failure = Failure(FailureKind.UNREADABLE, path, message)
                    self.failures.setdefault((path, message, 0), failure)
            self._manifests[directory] = manifest
        found = manifest.get(name)
        if found is None:
            return None
        target = posixpath.normpath(posixpath.join(directory, found))
        return None if target.startswith("..") or posixpath.isabs(target) else target

    def roots(self) -> list[str]:
        """The directories to analyse: all but those that only other, real directories call."""
        directories = self.directories()
        gatherer = Gatherer()
        self._called = self._callers(directories, gatherer)
        for path in self._evidence:
            text = self.files.read(path)
            if text is not None:
                gatherer.join(self._look(path, text)[0])
        self.context = gatherer.context()
        for target, units in self._adopted.items():
            self._called.setdefault(target, set()).update(units)
        return [
            directory
            for directory in directories
            if all(
                is_demo(caller) and caller != directory
                for caller in self._called.get(directory, ())
            )
        ]

    def root(self, directory: str) -> Root:
        """How a directory of `roots` is to be read."""
        module = self.module(directory)
        if module is None:
            return Root(directory, is_root=False)
        return Root(directory, is_root=self._is_root(module, called=self.called(directory)))

    def _callers(self, directories: Iterable[str], gatherer: Gatherer) -> dict[str, set[str]]:
        """Directory → the directories that call it, read from the texts without parsing them.

        Effect: gathers what the texts speak of, while they are at hand.
        """
        callers: dict[str, set[str]] = {}
        for directory in directories:
            for name in self.by_directory[directory]:
                if not is_configuration(name):
                    continue
                path = posixpath.normpath(posixpath.join(directory, name))
                text = self.files.read(path)
                if text is None:
                    continue
                evidence, sources = self._look(path, text)
                gatherer.join(evidence)
                for source in sources:
                    target = posixpath.normpath(posixpath.join(directory, source))
                    if target != directory and target in self.by_directory:
                        callers.setdefault(target, set()).add(directory)
        return callers

    def _look(self, path: str, text: str) -> tuple[Gatherer, Iterable[str]]:
        if self._readings is not None:
            return self._readings.glance(path, text)
        return _glance(path, text), _sources(path, text)

    def called(self, directory: str) -> bool:
        """Whether something calls a directory; `roots` has to come first."""
        return bool(self._called.get(directory))

    def affected(self, paths: Iterable[str]) -> set[str]:
        """The units whose meaning may change with some files; `roots` has to come first.

        Directories that hold the files, those whose text names a file that is no configuration (a
        policy, a template), and all that call one of them; surveyed units by the files that they may
        read. The text is searched, nothing is evaluated.
        """
        paths = frozenset(paths)
        found = {unit.path for unit in self.subjects if not paths.isdisjoint(unit.reads)}
        found.update(path for path in paths if path in self.plans)
        others: set[str] = set()
        for path in paths:
            folder, name = posixpath.split(path)
            if not (is_configuration(name) or is_variables(name)):
                others.add(name)
            if is_configuration(name):
                found.add(folder or ".")
                continue
            # Values and templates speak to the directories above them, up to the first real one.
            while True:
                folder = folder or "."
                if any(is_configuration(n) for n in self.by_directory.get(folder, ())):
                    found.add(folder)
                    break
                if folder == ".":
                    break
                folder = posixpath.dirname(folder)
        if others:
            found.update(self._naming(others))
        return self.calling(found)

    def calling(self, directories: Iterable[str]) -> set[str]:
        """Some directories with all that call one of them, or one that calls it; after `roots`."""
        found = set(directories)
        pending = list(found)
        while pending:
            for caller in self._called.get(pending.pop(), ()):
                if caller not in found:
                    found.add(caller)
                    pending.append(caller)
        return found

    def _naming(self, names: set[str]) -> Iterator[str]:
        """The directories in whose configuration one of some file names stands."""
        pattern = re.compile("|".join(map(re.escape, sorted(names))))
        for directory in self.directories():
            for name in self.by_directory[directory]:
                if is_configuration(name):
                    text = self.files.read(posixpath.normpath(posixpath.join(directory, name)))
                    if text is not None and pattern.search(text):
                        yield directory
                        break

    def variants(self, directory: str) -> list[str]:
        """The files of variable values for a root that Terraform does not read by itself."""
        found: list[str] = []
        for folder, names in self.by_directory.items():
            if not any(is_variables(name) for name in names):
                continue
            owner = folder
            while owner != directory and owner not in (".", ""):
                if any(is_configuration(n) for n in self.by_directory.get(owner, ())):
                    break
                owner = posixpath.dirname(owner) or "."
            if owner != directory:
                continue
            found.extend(
                posixpath.normpath(posixpath.join(folder, name))
                for name in names
                if is_variables(name) and not (folder == directory and is_automatic(name))
            )
        return sorted(found)

    def _is_root(self, module: Module, *, called: bool) -> bool:
        if self.external and not module.has_backend:
            # Terragrunt writes the providers and gives the inputs: what is here is a module of its.
            return any(a.automatic for a in module.assignments)
        if not called and (module.has_backend or module.has_default_provider):
            return True
        if not called and module.providers and not (module.variables and module.outputs):
            return True
        if called or module.wants_aliases:
            return False
        if module.has_lock or any(a.automatic for a in module.assignments):
            return True
        if {"modules", "module"} & set(module.path.split("/")):
            return False
        return not (module.variables and module.outputs)


@dataclass(frozen=True, slots=True)
class Root:
    """A directory to analyse for itself."""

    directory: str
    is_root: bool
    """False for a module whose variables only an unknown caller can give."""


def literal_argument(section: Section, name: str) -> str | None:
    """The text of an argument that is a plain quoted string."""
    found = section.argument(name)
    if found is None:
        return None
    expression = found[1].expression
    if isinstance(expression, tree.Template) and all(
        isinstance(part, tree.TextPart) for part in expression.parts
    ):
        return "".join(part.text for part in expression.parts if isinstance(part, tree.TextPart))
    return None


def _block_ranges(body: tree.Body) -> Iterator[tuple[int, int]]:
    stack = [body]
    while stack:
        current = stack.pop()
        for block in current.blocks:
            yield block.start, block.end
            stack.append(block.body)


def gather(module: Module, body: tree.Body) -> None:
    """Effect: adds the blocks of a file to a module; what is there already stays."""
    document = body.document
    for block in body.blocks:
        section = Section(document, block)
        labels = section.labels
        kind = block.type
        if kind == "variable" and len(labels) == 1:
            module.variables.setdefault(labels[0], section)
        elif kind == "locals":
            for name, attribute in block.body.attributes.items():
                module.locals.setdefault(name, (document, attribute))
        elif kind == "resource" and len(labels) == 2:  # noqa: PLR2004  type and name
            module.managed.setdefault((labels[0], labels[1]), section)
        elif kind == "data" and len(labels) == 2:  # noqa: PLR2004
            module.data.setdefault((labels[0], labels[1]), section)
        elif kind == "provider" and len(labels) == 1:
            module.providers.append(section)
        elif kind == "module" and len(labels) == 1:
            module.calls.setdefault(labels[0], section)
        elif kind == "output" and len(labels) == 1:
            module.outputs.setdefault(labels[0], section)
        elif kind == "terraform":
            module.settings.append(section)
        elif kind in ("moved", "removed", "import"):
            module.changes.append(section)
        elif kind == "check":
            # A data source within a check is read like any other.
            for inner in section.sections("data"):
                if len(inner.labels) == 2:  # noqa: PLR2004
                    module.data.setdefault((inner.labels[0], inner.labels[1]), inner)


def _override(module: Module, body: tree.Body) -> None:
    document = body.document
    for block in body.blocks:
        section = Section(document, block)
        target = _target(module, section)
        if block.type == "locals":
            for name, attribute in block.body.attributes.items():
                old = module.locals.get(name)
                after = Span(document, attribute.expression.start, attribute.expression.end)
                before = (
                    Span(old[0], old[1].expression.start, old[1].expression.end) if old else None
                )
                module.locals[name] = (document, attribute)
                module.overrides.append(
                    OverrideChange(
                        f"local.{name}",
                        "",
                        before.text if before else "",
                        after.text,
                        after,
                        before,
                    )
                )
            continue
        address = ".".join((*(() if block.type == "resource" else (block.type,)), *section.labels))
        if target is None:
            # Terraform refuses an override of a block that does not exist, except in `terraform`.
            if block.type == "terraform":
                if section.sections("backend") or section.sections("cloud"):
                    for earlier in module.settings:
                        earlier.without("backend", "cloud")
                module.settings.append(section)
            else:
                gather(module, _single(document, block))
            continue
        type_ = section.labels[0] if section.labels else ""
        for path, before_text, after_text, span, before_span in target.override(section):
            module.overrides.append(
                OverrideChange(address, path, before_text, after_text, span, before_span, type_)
            )


def _single(document: Document, block: tree.Block) -> tree.Body:
    body = tree.Body(document, block.start, block.end)
    body.blocks.append(block)
    return body


def _target(module: Module, section: Section) -> Section | None:
    labels = section.labels
    kind = section.type
    if kind == "resource" and len(labels) == 2:  # noqa: PLR2004
        return module.managed.get((labels[0], labels[1]))
    if kind == "data" and len(labels) == 2:  # noqa: PLR2004
        return module.data.get((labels[0], labels[1]))
    if not labels:
        return None
    if kind == "variable":
        return module.variables.get(labels[0])
    if kind == "module":
        return module.calls.get(labels[0])
    if kind == "output":
        return module.outputs.get(labels[0])
    if kind == "provider":
        alias = literal_argument(section, "alias") or ""
        for provider in module.providers:
            if provider.labels == labels and (literal_argument(provider, "alias") or "") == alias:
                return provider
    return None
