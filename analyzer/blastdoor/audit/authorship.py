"""Which AI agent wrote the lines of a repository that findings stand on.

Unlike a change, a repository has all of its history. Commits are read for marks first; only files that
a marked commit has touched are asked, line by line, who wrote them last. A shallow clone does not say
who wrote what.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from blastdoor.provenance import Reader
from blastdoor.source.history import History
from blastdoor.source.revision import GitError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from blastdoor.finding import Finding, Mark
    from blastdoor.source.history import Commit
    from blastdoor.source.revision import Git

MAX_COMMITS: Final = 20_000
"""Most commits that are read for marks, the newest."""
MAX_MARKED: Final = 1_000
"""Most commits with marks whose files are looked at, the newest."""
KNOWN: Final = "lines"
PARTLY: Final = "newest commits"
SHALLOW: Final = "shallow clone"
UNKNOWN: Final = "history not readable"


def written_by(
    git: Git, commit: str, findings: Sequence[Finding], reader: Reader | None = None
) -> tuple[list[Finding], str]:
    """The findings with the marks of agents on what wrote their lines, and how far that goes.

    The second is `KNOWN`, `PARTLY`, `SHALLOW` or `UNKNOWN`.
    """
    if not findings:
        return list(findings), KNOWN
    if git.shallow():
        return list(findings), SHALLOW
    try:
        marked, known = _marked(git, commit, reader or Reader())
        if not marked:
            return list(findings), known
        return _judged(git, commit, findings, marked), known
    except GitError:
        return list(findings), UNKNOWN


def _marked(
    git: Git, commit: str, reader: Reader
) -> tuple[dict[str, tuple[Commit, tuple[Mark, ...]]], str]:
    """Id → commit and marks, of those that bear the marks of agents. Raises GitError."""
    history = History(git)
    out = git.run("rev-list", f"--max-count={MAX_COMMITS + 1}", commit, "--")
    ids = out.decode("ascii", "replace").split()
    found: dict[str, tuple[Commit, tuple[Mark, ...]]] = {}
    for oid in ids[:MAX_COMMITS]:
        one = history.commit(oid)
        marks = reader.by_agent(one)
        if marks:
            found[oid] = (one, marks)
    whole = len(ids) <= MAX_COMMITS and len(found) <= MAX_MARKED
    return found, KNOWN if whole else PARTLY


def _judged(
    git: Git,
    commit: str,
    findings: Sequence[Finding],
    marked: Mapping[str, tuple[Commit, tuple[Mark, ...]]],
) -> list[Finding]:
    history = History(git)
    touched: set[str] = set()
    for one, _marks in [*marked.values()][:MAX_MARKED]:
        touched |= history.touched(one)
    lines: dict[str, set[int]] = {}
    for finding in findings:
        if finding.span.path in touched:
            lines.setdefault(finding.span.path, set()).add(finding.span.begin.line)
    writers = {
        (path, line): oid
        for path, wanted in lines.items()
        for line, oid in history.writers(commit, path, wanted).items()
    }
    result = []
    for finding in findings:
        oid = writers.get((finding.span.path, finding.span.begin.line), "")
        if oid in marked:
            finding = replace(finding, provenance=marked[oid][1])  # noqa: PLW2901  the same with its marks
        result.append(finding)
    return result
