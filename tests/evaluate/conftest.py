"""Units in memory, and values as plain data that a test can compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from blastdoor import engine, tables
from blastdoor.evaluate import cloudformation
from blastdoor.evaluate.terraform import Instance, Program, evaluate_root
from blastdoor.source import Memory
from blastdoor.units import Repository, Root
from blastdoor.value import Encoded, Known, Many, Mapping, OneOf, Piece, Text, Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping as AbstractMapping

    from blastdoor.fact import Evaluated, ModuleCall, Provider, Resource


def plain(value: Value | None) -> Any:
    """A value as Python data.

    Holes of a text are ``{}``; alternatives a tuple; what is not known ``<REASON subject>``; an open
    end ``...``; ``Encoded`` is ``{"json": inner}``.
    """
    match value:
        case None:
            return ...
        case Known():
            return value.data
        case Text():
            return "".join(
                part.text if isinstance(part, Piece) else f"{{{plain(part)}}}"
                for part in value.parts
            )
        case Many():
            return [*map(plain, value.items), *([] if value.complete else [...])]
        case Mapping():
            entries = {name: plain(item) for name, item in value.entries.items()}
            return entries if value.complete else {**entries, ...: ...}
        case OneOf():
            return tuple(plain(a.value) for a in value.alternatives)
        case Encoded():
            return {"json": plain(value.inner)}
        case Unknown():
            return f"<{value.reason.name} {value.subject}>".replace(" >", ">")
    raise AssertionError(type(value))


class Unit:
    """One unit of files in memory and what it evaluates to."""

    plain = staticmethod(plain)

    def __init__(
        self,
        files: str | AbstractMapping[str, str],
        *,
        directory: str = ".",
        is_root: bool = True,
        var_files: tuple[str, ...] = (),
        workspaces: tuple[str, ...] = (),
    ) -> None:
        source = Memory({"main.tf": files} if isinstance(files, str) else files)
        self.repository = Repository(source, list(source.files()))
        self.root = Root(directory, is_root=is_root)
        found = [self.repository.variables_file(path) for path in var_files]
        self.variables = [file for file in found if file is not None]
        self.workspaces = workspaces
        module = self.repository.module(directory)
        assert module is not None
        self.program = Program(
            self.repository, self.root, self.variables, workspaces=self.workspaces
        )
        self.instance = Instance(self.program, module)
        self._evaluated: Evaluated | None = None

    @property
    def evaluated(self) -> Evaluated:
        """The whole unit."""
        if self._evaluated is None:
            self._evaluated = evaluate_root(
                self.repository,
                self.root,
                self.variables,
                no_region=tables.locations().aws_without_region,
                workspaces=self.workspaces,
            )
        return self._evaluated

    def value(self, name: str) -> Value:
        """The value of ``local.name``."""
        return self.instance.local(name)

    def local(self, name: str) -> Any:
        """``local.name`` as plain data."""
        return plain(self.instance.local(name))

    def variable(self, name: str) -> Any:
        """``var.name`` as plain data."""
        return plain(self.instance.variable(name))

    def resources(self, address: str) -> list[Resource]:
        """The resources of an address."""
        return [found for found in self.evaluated.resources if found.address == address]

    def resource(self, address: str) -> Resource:
        """The only resource of an address."""
        (found,) = self.resources(address)
        return found

    def argument(self, address: str, name: str) -> Any:
        """An argument of the only resource of an address as plain data."""
        return plain(self.resource(address).get(name))

    def arguments(self, address: str, name: str) -> list[Any]:
        """An argument of every resource of an address as plain data."""
        return [plain(found.get(name)) for found in self.resources(address)]

    def region(self, address: str) -> Any:
        """The region of the only resource of an address as plain data."""
        return plain(self.resource(address).region)

    def module(self, address: str) -> ModuleCall:
        """The module call of an address."""
        (found,) = [call for call in self.evaluated.modules if call.address == address]
        return found

    def provider(self, address: str) -> Provider:
        """The provider configuration of an address."""
        (found,) = [one for one in self.evaluated.providers if one.address == address]
        return found


class Stack:
    """The units of templates in memory; a text alone is ``t.yaml``."""

    plain = staticmethod(plain)

    def __init__(self, files: str | AbstractMapping[str, str]) -> None:
        source = Memory({"t.yaml": files} if isinstance(files, str) else files)
        self.repository = Repository(source, list(source.files()))
        self.subjects = {s.path: s for s in cloudformation.survey(self.repository)}
        self._units: dict[str, Evaluated] = {}

    def unit(self, path: str = "") -> Evaluated:
        """A unit with its values; the only one where no path is given."""
        if not path:
            (path,) = self.subjects
        if path not in self._units:
            self._units[path] = self.subjects[path].evaluate()
        return self._units[path]

    @property
    def failures(self) -> list[str]:
        """What could not be read."""
        return [failure.message for failure in self.repository.failures.values()]

    def resources(self, path: str = "") -> dict[str, str]:
        """Address → type of the resources of a unit."""
        return {found.address: found.type for found in self.unit(path).resources}

    def resource(self, address: str, path: str = "") -> Resource:
        """The only resource of an address."""
        (found,) = [r for r in self.unit(path).resources if r.address == address]
        return found

    def get(self, address: str, name: str, path: str = "") -> Any:
        """A property or attribute as plain data."""
        return plain(self.resource(address, path).get(name))

    @classmethod
    def value(cls, text: str, around: str = "") -> Any:
        """What an expression stands for, in a template with what is ``around`` it, as plain data."""
        return plain(cls.raw(text, around))

    @classmethod
    def raw(cls, text: str, around: str = "") -> Value | None:
        """What an expression stands for, as a value."""
        template = (
            f"{around}\nResources:\n  R:\n    Type: AWS::A::B\n    Properties:\n      P: {text}\n"
        )
        return cls(template).resource("R").get("P")


@pytest.fixture
def stack() -> type[Stack]:
    """Builds the units of templates."""
    return Stack


@pytest.fixture(autouse=True)
def room() -> Iterator[None]:
    """The room for deep evaluation that the engine gives."""
    with engine.room():
        yield


@pytest.fixture
def unit() -> type[Unit]:
    """Builds a unit from files."""
    return Unit
