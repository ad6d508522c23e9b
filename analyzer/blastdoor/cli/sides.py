"""The two sides of a change, from what the command line names, and which files differ."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from blastdoor.change import Changed
from blastdoor.cli.streams import CallerError
from blastdoor.report.escape import sanitise
from blastdoor.source import MAX_SIZE, Overlay, Tree, read_regular, repository_root
from blastdoor.source.content import told_by_content
from blastdoor.source.disk import walked
from blastdoor.source.inputs import Beside, Narrowed
from blastdoor.source.kinds import kind_of
from blastdoor.source.renames import renamed
from blastdoor.source.revision import Git, GitError, Revision, blob_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from blastdoor.change import History
    from blastdoor.config import Config
    from blastdoor.source import Source

RANGE: Final = "..."
_STRAIGHT: Final = ".."
WORKING_TREE: Final = "the working tree"
STAGED: Final = "what is staged"


@dataclass(frozen=True)
class Sides:
    """The two sources, what differs between them, and how they are called in reports."""

    base: Source
    head: Source
    changed: Sequence[Changed]
    names: tuple[str, str]
    history: History | None = None
    """The revisions before base, where there are any."""
    commits: tuple[str, str] | None = None
    """The ids between which the commits of the change lie, where there are any."""


def is_revision(name: str) -> bool:
    """Whether a name that is a directory too is a revision of the repository here."""
    top = repository_root(Path.cwd())
    if top is None:
        return False
    try:
        with Git(top) as git:
            git.commit(name)
    except GitError:
        return False
    return True


def directories(base: Path, head: Path, config: Config) -> Sides:
    """Two directories. Raises CallerError when one cannot be read."""
    try:
        old, new = (Tree(side, max_size=config.max_file_size) for side in (base, head))
    except OSError as error:
        raise CallerError(f"{sanitise(str(error.filename))}: {error.strerror}") from error
    changed = []
    before, after = dict(walked(base)), dict(walked(head))
    for path in sorted({*before, *after}):
        here, there = before.get(path), after.get(path)
        if here is None or there is None:
            changed.append(Changed(here and path, there and path))
        elif here[0] != there[0] or read_regular(here[1], MAX_SIZE) != read_regular(
            there[1], MAX_SIZE
        ):
            changed.append(Changed(path, path))
    sides = Sides(old, new, _with_renames(changed, old, new), (str(base), str(head)))
    return _narrowed(sides, config)


def revisions(
    git: Git, base: str, head: str | None, root: Path, prefix: str, config: Config
) -> Sides:
    """Two revisions, of which ``main...``, ``main...HEAD`` and ``main..HEAD`` name both.

    Raises GitError.
    """
    base, head, dots = ends(base, head)
    if head is None:
        return working_tree(git, base, root, prefix, config)
    start, commit = git.commit(base), git.commit(head)
    if dots == RANGE:
        start = git.merge_base(start, commit)
    within = f"{prefix}/" if prefix else ""

    def inside(path: str | None) -> str | None:
        return path[len(within) :] if path is not None and path.startswith(within) else None

    old = Revision(git, start, prefix, max_size=config.max_file_size)
    new = Revision(git, commit, prefix, max_size=config.max_file_size)
    moved = [Changed(inside(c.base), inside(c.head)) for c in git.changes(start, commit)]
    changed = [c for c in moved if c.base is not None or c.head is not None]
    changed += _through_links(old, new, changed)
    history = past(git, start, prefix, config.max_file_size)
    both = Sides(old, new, changed, (base, head or ""), history, (start, commit))
    return _narrowed(both, config)


def ends(base: str, head: str | None) -> tuple[str, str | None, str]:
    """Base and head, and the dots that stood between them (gitrevisions(7), "Dotted range")."""
    for dots in (RANGE, _STRAIGHT):
        if dots in base and head is None:
            first, _dots, second = base.partition(dots)
            return first or "HEAD", second or "HEAD", dots
    return base, head, ""


def staged(git: Git, base: str, prefix: str, config: Config) -> Sides:
    """What is staged against a revision. Raises GitError."""
    old = Revision(git, git.commit(base), prefix, max_size=config.max_file_size)
    new = Revision(git, "", prefix, max_size=config.max_file_size)
    before, after = old.oids(), new.oids()
    changed = [
        Changed(path if path in before else None, path if path in after else None)
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
    ]
    changed = _with_renames(changed, old, new)
    changed += _through_links(old, new, changed)
    history = past(git, old.commit, prefix, config.max_file_size)
    commits = (old.commit, _tip(git, old.commit))
    return _narrowed(Sides(old, new, changed, (base, STAGED), history, commits), config)


def working_tree(git: Git, base: str, root: Path, prefix: str, config: Config) -> Sides:
    """The working tree against a revision, or with ``main...`` against where it left it.

    Git itself is not asked to look: that would run what the repository's configuration names.
    Raises GitError.
    """
    name, dots, _rest = base.partition(RANGE)
    start = git.commit(name or "HEAD")
    if dots:
        start = git.merge_base(start, git.commit("HEAD"))
    revision = Revision(git, start, prefix, max_size=config.max_file_size)
    tree = Tree(root, max_size=config.max_file_size)
    entries = list(tree.files())
    ignored = [e for e in entries if not e.reported and not revision.tracked(e.path)]
    old = Beside(revision, tree, ignored)
    changed: list[Changed] = []
    known = revision.oids()
    for path, oid in known.items():
        data = read_regular(root / path, MAX_SIZE)
        if data is None:
            if not os.path.lexists(root / path):
                changed.append(Changed(path, None))
        elif blob_id(data, len(oid)) != oid:
            changed.append(Changed(path, path))
    beside = {entry.path for entry in ignored}
    links = revision.links()
    changed += [
        Changed(None, entry.path)
        for entry in entries
        if entry.path not in known and entry.path not in beside and entry.path not in links
    ]
    changed += [
        Changed(path, path if there else None)
        for path in links
        if (there := os.path.lexists(root / path)) and revision.read(path) != tree.read(path)
    ]
    changed = _with_renames(changed, old, tree)
    history = past(git, start, prefix, config.max_file_size)
    commits = (start, _tip(git, start))
    return _narrowed(Sides(old, tree, changed, (base, WORKING_TREE), history, commits), config)


def _tip(git: Git, start: str) -> str:
    """What the next commit stands on; ``start`` where there is no commit yet."""
    try:
        return git.commit("HEAD")
    except GitError:
        return start


def with_texts(sides: Sides, texts: Mapping[str, str]) -> Sides:
    """The sides with texts laid over head: the open buffers of an editor."""
    known = {path for c in sides.changed for path in (c.base, c.head)}
    new = [
        Changed(path if before is not None else None, path)
        for path, text in texts.items()
        if path not in known and (before := sides.base.read(path)) != text
    ]
    return replace(sides, head=Overlay(sides.head, texts), changed=[*sides.changed, *new])


def past(git: Git, commit: str, prefix: str = "", max_size: int = MAX_SIZE) -> History:
    """The history of base: what reads it opens one revision after the other."""

    def history(paths: Collection[str]) -> Iterator[Source]:
        below = [f"{prefix}/{path}" if prefix else path for path in sorted(paths)]
        for earlier in git.changed_in(commit, below):
            yield Revision(git, earlier, prefix, max_size=max_size)

    return history


def _narrowed(sides: Sides, config: Config) -> Sides:
    """The sides with what the configuration leaves out as input only."""
    if not config.exclude and not config.include:
        return sides
    base, head = (
        Narrowed(side, config.exclude, config.include) for side in (sides.base, sides.head)
    )
    return replace(sides, base=base, head=head)


def _with_renames(changed: Sequence[Changed], base: Source, head: Source) -> list[Changed]:
    """The changes with files that went and came under another name as one."""

    def texts(source: Source, paths: Iterable[str | None]) -> Mapping[str, str]:
        found = {}
        for path in paths:
            if path is not None and (kind_of(path) is not None or told_by_content(path)):
                text = source.read(path)
                if text is not None:
                    found[path] = text
        return found

    gone = texts(base, (c.base for c in changed if c.head is None))
    new = texts(head, (c.head for c in changed if c.base is None)) if gone else {}
    names = renamed(gone, new) if gone and new else {}
    taken = set(names.values())
    return [
        Changed(names[c.head], c.head) if c.base is None and c.head in names else c
        for c in changed
        if not (c.head is None and c.base in taken)
    ]


def _through_links(old: Revision, new: Revision, changed: Sequence[Changed]) -> list[Changed]:
    """Symbolic links that are the same on both sides and lead to a file that differs."""
    paths = {path for c in changed for path in (c.base, c.head)}
    before = old.links()
    return [
        Changed(link, link)
        for link, end in new.links().items()
        if link in before and link not in paths and (end in paths or before[link] != end)
    ]
