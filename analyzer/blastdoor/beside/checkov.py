"""Checkov, run as a program beside the analysis.

It gets copies of exactly the files that are analysed, in a folder of their own: no configuration of
the repository reaches it (``.checkov.yaml`` may name a folder of checks, which is code), its paths
are ours, and a file that it dies on can be left out of the next try. Its report is JSON (Checkov
documentation, "Checkov Runner", ``--output json``): one object for each framework, with
``results.failed_checks``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from blastdoor.beside import PeerFinding, PeerRun
from blastdoor.finding import Failure, FailureKind, Level
from blastdoor.span import Document, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from blastdoor.finding import Finding

TOOL: Final = "Checkov"
TIMEOUT: Final = 300.0
"""Seconds that all runs together may take, unless the caller says otherwise."""
MAX_OUTPUT: Final = 200_000_000
"""Largest report that is read, in bytes."""
_LEAST: Final = 1.0
"""Seconds below which no further run is begun."""
_FOUND: Final = (0, 1)
"""Exit codes of a run that came to its end."""
_SEVERITIES: Final = {
    "LOW": Level.NOTE,
    "MEDIUM": Level.WARNING,
    "HIGH": Level.ERROR,
    "CRITICAL": Level.ERROR,
}
_ENVIRONMENT: Final = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LANG", "LC_ALL", "APPDATA")
"""What of the caller's environment it gets: keys of an account and switches of its own are not."""


def command_for(named: str | None) -> list[str] | None:
    """The command that runs Checkov: the one that is named, or what is installed; else ``None``."""
    if named is not None:
        found = shutil.which(named)
        return None if found is None else [found]
    for words in (["checkov"], ["uvx", "checkov"], ["pipx", "run", "checkov"]):
        found = shutil.which(words[0])
        if found is not None:
            return [found, *words[1:]]
    return None


class Checkov:
    """One run over a set of files; it works while the analysis does."""

    def __init__(self, command: Sequence[str], timeout: float = TIMEOUT) -> None:
        self._command = list(command)
        self._until = time.monotonic() + timeout
        self._timeout = timeout
        self._home = tempfile.TemporaryDirectory(prefix="blastdoor-")
        self._count = 0
        self._files: dict[str, str] = {}
        self._first: subprocess.Popen[bytes] | None = None
        self._records: list[dict[str, Any]] = []
        self._failures: list[Failure] = []
        self._version = ""

    def start(self, files: Mapping[str, str]) -> None:
        """Effect: begins the run on some texts by path."""
        self._files = dict(files)
        if self._files:
            self._first = self._begin(sorted(self._files))

    def close(self) -> None:
        """Effect: ends what still runs and removes the copies."""
        if self._first is not None and self._first.poll() is None:
            self._first.kill()
            self._first.wait()
        self._home.cleanup()

    def finish(self, findings: Iterable[Finding], ids: Mapping[str, Level], same: Same) -> PeerRun:
        """What it found.

        ``ids`` is id of Checkov's → level of the page that names it; ``same`` tells which of its
        findings ours say already. Effect: waits for it, tries again without files that end it.
        """
        paths = sorted(self._files)
        if self._first is not None:
            self._settle(self._first, paths)
        found: list[PeerFinding] = []
        dropped = 0
        documents = {path: Document(path, text) for path, text in self._files.items()}
        known = list(findings)
        seen: set[tuple[str, str, int]] = set()
        for record in self._records:
            one = _finding(record, documents, ids)
            if one is None:
                continue
            # A module is reported once for every call of it.
            place = (one.rule, one.span.path, one.span.start)
            if place in seen:
                continue
            seen.add(place)
            if same(one, known):
                dropped += 1
            else:
                found.append(one)
        found.sort(key=lambda f: (f.span.path, f.span.start, f.rule, f.unit))
        return PeerRun(TOOL, self._version, found, self._failures, dropped)

    # Runs

    def _begin(self, paths: Sequence[str]) -> subprocess.Popen[bytes] | None:
        """A run on some of the files; ``None`` when it cannot be started (then that is a failure)."""
        self._count += 1
        folder = Path(self._home.name) / str(self._count)
        for path in paths:
            target = folder / "files" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(self._files[path], encoding="utf-8", newline="")
        with (folder / "report.json").open("wb") as out, (folder / "log").open("wb") as log:
            try:
                return subprocess.Popen(  # noqa: S603  the program that the caller asked for
                    [
                        *self._command,
                        *("--directory", "files", "--output", "json"),
                        *("--quiet", "--compact", "--skip-download"),
                        *("--framework", "terraform", "cloudformation"),
                    ],
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=log,
                    env=self._environment(),
                )
            except OSError as error:
                message = f"{TOOL} cannot be started: {error.strerror or type(error).__name__}"
                self._failures.append(Failure(FailureKind.PEER, ".", message))
                return None

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        launched = len(self._command) > 1
        # A launcher keeps its environments in the home folder; Checkov itself would read its own
        # configuration there.
        home = os.path.expanduser("~") if launched else self._home.name  # noqa: PTH111
        return {**kept, "HOME": home, "LOG_LEVEL": "ERROR", "PYTHONUTF8": "1"}

    def _settle(self, running: subprocess.Popen[bytes] | None, paths: Sequence[str]) -> None:
        """Effect: waits for a run on some files; where it dies, for runs on halves of them."""
        pending: list[tuple[subprocess.Popen[bytes] | None, Sequence[str], int]] = [
            (running, paths, self._count)
        ]
        while pending:
            process, some, number = pending.pop()
            if process is None:
                continue
            why = self._outcome(process, number)
            if why is None:
                continue
            if len(some) == 1:
                self._fail(some[0], why)
                continue
            middle = len(some) // 2
            for part in (some[middle:], some[:middle]):
                if self._until - time.monotonic() < _LEAST:
                    for path in part:
                        self._fail(path, f"no time was left after {self._timeout:g} s")
                    continue
                pending.append((self._begin(part), part, self._count))

    def _outcome(self, process: subprocess.Popen[bytes], number: int) -> str | None:
        """Why a run gave no report, or ``None``. Effect: keeps what it reports."""
        try:
            code = process.wait(timeout=max(self._until - time.monotonic(), 0.0))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return f"it took longer than {self._timeout:g} s"
        folder = Path(self._home.name) / str(number)
        report = folder / "report.json"
        if report.stat().st_size > MAX_OUTPUT:
            return f"its report has more than {MAX_OUTPUT:,} bytes"
        try:
            data = json.loads(report.read_bytes() or b"null")
        except (ValueError, RecursionError):
            data = None
        if code not in _FOUND or not isinstance(data, (dict, list)):
            return _last_line(folder / "log") or f"it ended with {code} and no report"
        for part in data if isinstance(data, list) else [data]:
            self._take(part)
        return None

    def _take(self, part: object) -> None:
        """Effect: keeps the records of the report on one framework."""
        if not isinstance(part, dict):
            return
        summary = part.get("summary", part)
        if isinstance(summary, dict) and isinstance(summary.get("checkov_version"), str):
            self._version = summary["checkov_version"]
        results = part.get("results")
        if not isinstance(results, dict):
            return
        for record in results.get("failed_checks") or ():
            if isinstance(record, dict):
                self._records.append(record)
        for path in results.get("parsing_errors") or ():
            if isinstance(path, str):
                self._fail(
                    path.removeprefix("/").removeprefix("files/"), "it cannot parse the file"
                )

    def _fail(self, path: str, why: str) -> None:
        if path not in self._files:
            path = "."
        self._failures.append(Failure(FailureKind.PEER, path, f"{TOOL}: {why}"))


def _last_line(log: Path) -> str:
    """What a program says last before it dies, which is what it dies of."""
    with log.open("rb") as file:
        file.seek(max(log.stat().st_size - 4_096, 0))
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:200] if lines else ""


def _finding(
    record: Mapping[str, Any], documents: Mapping[str, Document], ids: Mapping[str, Level]
) -> PeerFinding | None:
    """A record as a finding at its place; ``None`` for one that names no file of ours."""
    rule, path = record.get("check_id"), record.get("file_path")
    if not isinstance(rule, str) or not isinstance(path, str):
        return None
    document = documents.get(path.lstrip("/"))
    lines = record.get("file_line_range")
    if document is None or not isinstance(lines, list) or not lines:
        return None
    first = lines[0] if isinstance(lines[0], int) else 1
    count = len(document.line_starts)
    start, end = document.line_range(min(max(first, 1), count))
    text = document.text[start:end]
    start += len(text) - len(text.lstrip())
    level = ids.get(rule)
    if level is None:
        level = _SEVERITIES.get(str(record.get("severity")).upper(), Level.WARNING)
    title, uri = record.get("check_name"), record.get("guideline")
    return PeerFinding(
        rule,
        title if isinstance(title, str) else rule,
        level,
        Span(document, start, max(end, start)),
        str(record.get("resource") or ""),
        uri if isinstance(uri, str) and uri.startswith("https://") else "",
    )


class Same:
    """Whether a finding of ours says already what one of Checkov's does."""

    def __init__(self, peers: Mapping[str, Iterable[str]]) -> None:
        """``peers`` is slug of a rule → ids of Checkov's that its page names."""
        self._ids = {slug: frozenset(names) for slug, names in peers.items()}

    def __call__(self, theirs: PeerFinding, ours: Iterable[Finding]) -> bool:
        """Whether one of ``ours`` maps to the same id and is about the same thing in the same file."""
        return any(
            theirs.rule in self._ids.get(finding.rule, ())
            and finding.span.path == theirs.span.path
            and _same_thing(finding.unit, theirs.unit)
            for finding in ours
        )


def _same_thing(ours: str, theirs: str) -> bool:
    """Whether two addresses name one thing, instances and module paths aside."""

    def short(address: str) -> Iterator[str]:
        for part in address.replace("[", ".").split("."):
            name = part.rstrip("]").strip('"')
            if name:
                yield name

    one, other = list(short(ours)), list(short(theirs))
    least = min(len(one), len(other), 2)
    return least > 0 and one[-least:] == other[-least:]
