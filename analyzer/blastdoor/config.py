"""``blastdoor.toml``: what a project wants judged, read strictly.

An unknown key or a value of the wrong type is an error that names file and key; a misspelt key that
silently did nothing would be a hole in a gate. The same keys stand in ``[tool.blastdoor]`` of a
``pyproject.toml``. Which file holds is decided by `blastdoor.source.configuration_file`.
"""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from blastdoor.finding import Level
from blastdoor.record import dataclass
from blastdoor.source import MAX_SIZE, Globs, configuration_file, read_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

MAX_BYTES: Final = 1_000_000
"""Largest configuration file, in bytes."""

MAX_DAYS: Final = 90
"""Longest that an acknowledgement may hold, in days."""
_LEVELS: Final = ("error", "note", "warning")
_PLACE: Final = re.compile(r"^(?P<message>.*?) \(at line (?P<line>\d+), column \d+\)$", re.DOTALL)


class ConfigError(ValueError):
    """A configuration that cannot be used: which file, which key, which line, and why."""

    def __init__(self, file: str, message: str, *, key: str = "", line: int | None = None) -> None:
        place = file if line is None else f"{file}:{line}"
        super().__init__(f"{place}: {key}: {message}" if key else f"{place}: {message}")
        self.file = file
        self.key = key
        self.line = line
        self.message = message


@dataclass(frozen=True)
class PathRules:
    """What holds for the files that match one pattern: a table ``[paths."examples/**"]``."""

    pattern: str
    """As in ``.gitignore``, relative to the configuration's folder."""
    ignore: tuple[str, ...] = ()
    """Rules that are not reported there."""

    @cached_property
    def globs(self) -> Globs:
        """The pattern, ready to match."""
        return Globs((self.pattern,))


@dataclass(frozen=True)
class Gate:
    """The table ``[gate]``: who must say yes to what. It is read from the base of a change."""

    reviewers: tuple[str, ...] = ()
    """Who may acknowledge: e-mail addresses, or ``@login`` of GitHub accounts."""
    axes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Axis → who may acknowledge what widens on it, in place of ``reviewers``."""
    level: Level = Level.ERROR
    """The least level of widenings and lost guards that need a second person."""
    agent_level: Level = Level.ERROR
    """The same for what an AI agent wrote."""
    max_days: int = 90
    """How long an acknowledgement may hold, in days."""
    signatures: bool = False
    """Whether an acknowledgement has to be in a signed commit."""
    allowed_signers: str | None = None
    """File of SSH signers (``ssh-keygen(1)``, ALLOWED SIGNERS), relative to the folder."""
    allowed_keys: str | None = None
    """File of OpenPGP public keys, relative to the folder."""
    agents: tuple[str, ...] = ()
    """Further addresses under which agents commit."""


@dataclass(frozen=True)
class Config:
    """Everything a configuration says. Rules are slugs or codes, as written."""

    select: tuple[str, ...] = ()
    """Rules to run; none means those that are on by default."""
    ignore: tuple[str, ...] = ()
    """Rules not to run."""
    fail_on: Level = Level.WARNING
    """The level from which a finding fails the run."""
    pedantic: bool = False
    """Whether rules that are on only for the thorough run too."""
    exclude: tuple[str, ...] = ()
    """Patterns of files that are read as inputs but not reported, as in ``.gitignore``."""
    include: tuple[str, ...] = ()
    """Patterns of the only files to report; none means all."""
    levels: Mapping[str, Level] = field(default_factory=dict)
    """Rule → the level it has here."""
    paths: tuple[PathRules, ...] = ()
    environments: Mapping[str, str] = field(default_factory=dict)
    """Pattern of paths → the environment that they are for."""
    var_files: tuple[str, ...] = ()
    """Files of variable values that every root gets, relative to the folder."""
    rules: tuple[str, ...] = ()
    """Folders of further rule pages, relative to the folder."""
    detectors: tuple[str, ...] = ()
    """Installed distributions whose detectors pages may name; only a trusted file says any."""
    baseline: str | None = None
    """File of accepted findings, relative to the folder."""
    max_file_size: int = MAX_SIZE
    """Largest file that is read, in bytes."""
    gate: Gate = Gate()
    file: Path | None = field(default=None, compare=False)
    """Where it was read from; ``None`` for the defaults."""

    @property
    def folder(self) -> Path | None:
        """The folder that its paths and patterns are relative to."""
        return None if self.file is None else self.file.parent

    def ignored_at(self, path: str) -> frozenset[str]:
        """The rules, as written, that are not reported in the file at ``path``."""
        return frozenset(
            rule for table in self.paths if table.globs.match(path) for rule in table.ignore
        )

    def environment_of(self, path: str) -> str | None:
        """The environment that the first matching pattern names."""
        return next((word for globs, word in self._environments if globs.match(path)), None)

    @cached_property
    def _environments(self) -> tuple[tuple[Globs, str], ...]:
        return tuple((Globs((pattern,)), word) for pattern, word in self.environments.items())

    def check_rules(self, known: Collection[str]) -> None:
        """Raises ConfigError when it names a rule that is not among ``known`` (slugs and codes)."""
        lowered = {name.lower() for name in known}
        for key, name in self._named_rules():
            if name.lower() not in lowered:
                raise ConfigError(str(self.file), f"no rule is called {name!r}", key=key)

    def _named_rules(self) -> Iterator[tuple[str, str]]:
        yield from (("select", name) for name in self.select)
        yield from (("ignore", name) for name in self.ignore)
        yield from ((f"levels.{name}", name) for name in self.levels)
        for table in self.paths:
            yield from ((f'paths."{table.pattern}".ignore', name) for name in table.ignore)


def load(
    start: str | os.PathLike[str],
    *,
    file: str | os.PathLike[str] | None = None,
    isolated: bool = False,
) -> Config:
    """The configuration for the analysis of ``start``.

    ``file`` is one that the caller names (``--config``); ``isolated`` reads none. A file found
    beside the code is not the caller's: it may name paths below its own folder only. Raises
    ConfigError.
    """
    if file is not None:
        return read(Path(file), trusted=True)
    found = None if isolated else configuration_file(start)
    return Config() if found is None else read(found, trusted=False)


def read(file: Path, *, trusted: bool) -> Config:
    """The configuration in one file, ``trusted`` when the caller named it. Raises ConfigError."""
    name = str(file)
    data = read_regular(os.path.realpath(file) if trusted else file, MAX_BYTES)
    if data is None:
        if not os.path.lexists(file):
            raise ConfigError(name, "does not exist")
        if not trusted and file.is_symlink():
            raise ConfigError(name, "is a symbolic link; name it with --config to trust it")
        raise ConfigError(name, f"is no readable file of at most {MAX_BYTES:,} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(name, "is not UTF-8", line=line) from error
    return read_text(text, name, file=file, trusted=trusted)


def read_text(text: str, name: str, *, file: Path | None = None, trusted: bool) -> Config:
    """The configuration in the text of a file called ``name``. Raises ConfigError."""
    table = _toml(name, text)
    if posixpath.basename(name.replace("\\", "/")) == "pyproject.toml":
        tool = table.get("tool", {})
        table = tool.get("blastdoor", {}) if isinstance(tool, dict) else {}
        if not isinstance(table, dict):
            raise ConfigError(name, "must be a table", key="tool.blastdoor")
    return parse(table, name, file=file, trusted=trusted)


def parse(
    table: Mapping[str, object], name: str, *, file: Path | None = None, trusted: bool = True
) -> Config:
    """The configuration that a table says. Raises ConfigError naming ``name``."""
    reader = _Reader(name, trusted=trusted)
    values: dict[str, Any] = {}
    for key, value in table.items():
        read_value = _KEYS.get(key)
        if read_value is None:
            raise ConfigError(name, f"unknown key; known are {', '.join(sorted(_KEYS))}", key=key)
        values[key.replace("-", "_")] = read_value(reader, key, value)
    return Config(file=file, **values)


def _toml(name: str, text: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = _PLACE.match(str(error))
        if match is None:
            raise ConfigError(name, str(error)) from error
        raise ConfigError(name, match["message"], line=int(match["line"])) from error
    except RecursionError as error:
        raise ConfigError(name, "is nested too deeply") from error


class _Reader:
    """Checks values of one file and turns them into what `Config` holds."""

    def __init__(self, name: str, *, trusted: bool) -> None:
        self.name = name
        self.trusted = trusted

    def wrong(self, key: str, message: str) -> ConfigError:
        return ConfigError(self.name, message, key=key)

    def text(self, key: str, value: object) -> str:
        if not isinstance(value, str) or not value:
            raise self.wrong(key, f"must be a string that is not empty, not {_kind(value)}")
        return value

    def texts(self, key: str, value: object) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise self.wrong(key, f"must be a list of strings, not {_kind(value)}")
        return tuple([self.text(f"{key}[{number}]", item) for number, item in enumerate(value)])

    def flag(self, key: str, value: object) -> bool:
        if not isinstance(value, bool):
            raise self.wrong(key, f"must be true or false, not {_kind(value)}")
        return value

    def size(self, key: str, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise self.wrong(key, "must be a whole number of bytes above 0")
        return value

    def level(self, key: str, value: object) -> Level:
        if value not in _LEVELS:
            raise self.wrong(key, f"must be one of {', '.join(_LEVELS)}, not {_shown(value)}")
        return Level.named(str(value))

    def table(self, key: str, value: object) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.wrong(key, f"must be a table, not {_kind(value)}")
        return value

    def path(self, key: str, value: object) -> str:
        text = self.text(key, value)
        if "\0" in text:
            raise self.wrong(key, "is no path")
        if not self.trusted:
            plain = text.replace("\\", "/")
            short = posixpath.normpath(plain)
            if plain.startswith("/") or ":" in plain or short == ".." or short.startswith("../"):
                raise self.wrong(key, f"{text!r} leaves the folder of the configuration")
        return text

    def distributions(self, key: str, value: object) -> tuple[str, ...]:
        if not self.trusted:
            raise self.wrong(
                key,
                "is read only from a configuration that the caller names with --config, because "
                "detectors are programs; or name them with --detectors",
            )
        return self.texts(key, value)

    def file_list(self, key: str, value: object) -> tuple[str, ...]:
        return tuple(
            [
                self.path(f"{key}[{number}]", item)
                for number, item in enumerate(self.texts(key, value))
            ]
        )

    def levels(self, key: str, value: object) -> Mapping[str, Level]:
        rows = self.table(key, value).items()
        return MappingProxyType({rule: self.level(f"{key}.{rule}", level) for rule, level in rows})

    def environments(self, key: str, value: object) -> Mapping[str, str]:
        rows = self.table(key, value).items()
        return MappingProxyType(
            {pattern: self.text(f'{key}."{pattern}"', word) for pattern, word in rows}
        )

    def days(self, key: str, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_DAYS:
            raise self.wrong(key, f"must be a whole number of days from 1 to {MAX_DAYS}")
        return value

    def axes(self, key: str, value: object) -> Mapping[str, tuple[str, ...]]:
        from blastdoor.reach import AXES

        found = {}
        for axis, people in self.table(key, value).items():
            if axis not in AXES:
                raise self.wrong(f"{key}.{axis}", f"no axis; axes are {', '.join(AXES)}")
            found[axis] = self.texts(f"{key}.{axis}", people)
        return MappingProxyType(found)

    def gate(self, key: str, value: object) -> Gate:
        values: dict[str, Any] = {}
        for name, inner in self.table(key, value).items():
            read_value = _GATE_KEYS.get(name)
            if read_value is None:
                known = ", ".join(sorted(_GATE_KEYS))
                raise self.wrong(f"{key}.{name}", f"unknown key; known are {known}")
            values[name.replace("-", "_")] = read_value(self, f"{key}.{name}", inner)
        return Gate(**values)

    def paths(self, key: str, value: object) -> tuple[PathRules, ...]:
        result = []
        for pattern, row in self.table(key, value).items():
            place = f'{key}."{pattern}"'
            inner = self.table(place, row)
            for name in inner:
                if name != "ignore":
                    raise self.wrong(f"{place}.{name}", "unknown key; known is ignore")
            rules = self.texts(f"{place}.ignore", inner.get("ignore", []))
            result.append(PathRules(pattern, rules))
        return tuple(result)


_GATE_KEYS: Final[Mapping[str, Callable[[_Reader, str, object], object]]] = MappingProxyType(
    {
        "agent-level": _Reader.level,
        "agents": _Reader.texts,
        "allowed-keys": _Reader.path,
        "allowed-signers": _Reader.path,
        "axes": _Reader.axes,
        "level": _Reader.level,
        "max-days": _Reader.days,
        "reviewers": _Reader.texts,
        "signatures": _Reader.flag,
    }
)
"""Key of ``[gate]`` → how its value is read."""
_KEYS: Final[Mapping[str, Callable[[_Reader, str, object], object]]] = MappingProxyType(
    {
        "baseline": _Reader.path,
        "detectors": _Reader.distributions,
        "environments": _Reader.environments,
        "exclude": _Reader.texts,
        "fail-on": _Reader.level,
        "gate": _Reader.gate,
        "ignore": _Reader.texts,
        "include": _Reader.texts,
        "levels": _Reader.levels,
        "max-file-size": _Reader.size,
        "paths": _Reader.paths,
        "pedantic": _Reader.flag,
        "rules": _Reader.file_list,
        "select": _Reader.texts,
        "var-files": _Reader.file_list,
    }
)
"""Key → how its value is read."""


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str) else _kind(value)


def _kind(value: object) -> str:
    """What TOML calls a value of this type."""
    if isinstance(value, bool):
        return "a boolean"
    names = {str: "a string", int: "a number", float: "a number", list: "a list", dict: "a table"}
    if value == "":
        return "an empty string"
    return names.get(type(value), "a date or time")
