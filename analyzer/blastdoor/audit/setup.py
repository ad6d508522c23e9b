"""What holds for every repository of an audit, and the targets it is about.

Both travel to worker processes and other machines as JSON, so that nothing but data crosses.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, field
from typing import TYPE_CHECKING, Any, Final, Self

from blastdoor.record import dataclass
from blastdoor.source import MAX_SIZE

if TYPE_CHECKING:
    from collections.abc import Mapping

TREE: Final = "tree"
GIT: Final = "git"
REMOTE: Final = "remote"

_HARMLESS: Final = frozenset({"memory", "seconds", "sarif"})
"""What changes no finding: limits decide whether there is a result, not what it says."""


@dataclass(frozen=True, slots=True)
class Target:
    """One repository to audit."""

    name: str
    """What reports and trends call it; the same from one audit to the next."""
    kind: str
    """`TREE` a folder without git, `GIT` a repository on this machine, `REMOTE` a URL."""
    place: str
    """The folder, or the URL without credentials."""
    revision: str = ""
    """What to read of it; ``""`` is ``HEAD``."""
    owner: str = ""
    """Who owns it, as the list or the forge says."""

    def to_json(self) -> dict[str, str]:
        """The fields by name."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, str]) -> Self:
        """The target of `to_json`."""
        return cls(**data)


@dataclass(frozen=True)
class Setup:
    """How each repository is judged."""

    engine: str = ""
    """Digest of the program, the rules and the tables: see `blastdoor.audit.identity`."""
    folders: tuple[str, ...] = ()
    """Folders of further rule pages, absolute."""
    select: tuple[str, ...] = ()
    """Slugs of the only rules to run."""
    usual: tuple[str, ...] = ()
    """See `blastdoor.engine.Options`."""
    ignore: tuple[str, ...] = ()
    pedantic: bool = False
    inline_suppressions: bool = True
    levels: Mapping[str, str] = field(default_factory=dict)
    """Slug → SARIF level."""
    environments: Mapping[str, str] = field(default_factory=dict)
    """Glob of unit paths → environment."""
    paths: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(glob, slugs that are not reported there)."""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    max_file_size: int = MAX_SIZE
    trust_config: bool = False
    """Whether a repository's own ``blastdoor.toml`` holds."""
    provenance: bool = True
    """Whether commits are asked for marks of agents."""
    sarif: bool = False
    """Whether a SARIF log is made."""
    memory: int = 1500
    """Address space of one worker, in MB (10⁶ bytes)."""
    seconds: int = 300
    """CPU time for one repository."""

    def to_json(self) -> dict[str, Any]:
        """The fields by name."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The setup of `to_json`."""
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in data.items()
        }
        values["paths"] = tuple((glob, tuple(slugs)) for glob, slugs in values["paths"])
        return cls(**values)

    @property
    def digest(self) -> str:
        """What decides the findings on given content, hexadecimal."""
        data = {k: v for k, v in self.to_json().items() if k not in _HARMLESS and k != "folders"}
        return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()

    def wall(self) -> float:
        """Seconds after which a worker is ended whatever it waits for: a busy machine may be slow."""
        return 3.0 * self.seconds + 60
