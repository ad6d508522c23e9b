"""``ack``: what is to be accepted, shown in full, and the record of it."""

from __future__ import annotations

import datetime as dt
import os
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeVar

import click

from blastdoor.cli import gate as gating
from blastdoor.cli.streams import CallerError, emit, replacing
from blastdoor.gate import record as records
from blastdoor.record import dataclass
from blastdoor.report.escape import sanitise
from blastdoor.report.redact import legible
from blastdoor.report.text import render_finding, style_for
from blastdoor.report.views import by_id
from blastdoor.source.history import person
from blastdoor.source.revision import GitError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from blastdoor.catalog import RuleSet
    from blastdoor.finding import Finding
    from blastdoor.gate.judge import Gated, Judge
    from blastdoor.report.text import Choice
    from blastdoor.source.history import Person

USUAL_DAYS = 30
"""How long a word holds when nobody says."""
DONE, NOT_DONE = 0, 1
T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """What the command line says."""

    base: str
    head: str = "HEAD"
    findings: tuple[str, ...] = ()
    reviewer: str | None = None
    reason: str | None = None
    rollback: str | None = None
    expires: str | None = None
    yes: bool = False
    cross_check: bool = False
    no_snippets: bool = False
    colour: Choice = "auto"
    no_progress: bool = False


def ack(request: Request) -> int:
    """The exit code. Effect: asks, writes the records. Raises CallerError."""
    with ExitStack() as stack:
        try:
            git = stack.enter_context(gating.repository())
            if git.shallow():
                raise CallerError("the clone is shallow: git fetch --unshallow")
            judge, rules = gating.prepared(_as_gate(request), git, stack)
            decision = judge.decision()
        except GitError as error:
            raise CallerError(sanitise(str(error))) from error
        for failure in decision.failures:
            gating.remark(f"{sanitise(failure.path)}: {legible(failure.message)}")
        missing = _chosen(request, decision.gated)
        if not missing:
            emit(sys.stdout, "nothing needs an acknowledgement\n")
            return DONE
        written = _all(request, missing, judge, rules, git.top)
    if not written:
        return NOT_DONE
    names = " ".join(written)
    emit(
        sys.stdout,
        f"\nIt counts once you have committed it yourself:\n  git add {names}\n"
        '  git commit -m "Acknowledge what the change widens"\n',
    )
    return DONE


def _as_gate(request: Request) -> gating.Request:
    return gating.Request(
        request.base,
        request.head,
        cross_check=request.cross_check,
        no_progress=request.no_progress,
    )


def _chosen(request: Request, gated: list[Gated]) -> list[Gated]:
    """What is to be acknowledged. Raises CallerError for a fingerprint that names nothing."""
    missing = [one for one in gated if not one.accepted]
    if not request.findings:
        return missing
    found = []
    for name in request.findings:
        wanted = name.lower()
        matches = [one for one in gated if one.finding.fingerprint.startswith(wanted)]
        if len(matches) != 1 or len(wanted) < 4:  # noqa: PLR2004  fewer digits name anything
            what = "several findings" if matches else "no finding that needs a word"
            raise CallerError(f"--finding {sanitise(name)} names {what}")
        if not matches[0].accepted:
            found.append(matches[0])
    return found


def _all(
    request: Request, missing: list[Gated], judge: Judge, rules: RuleSet, top: Path
) -> list[str]:
    """The files of the records. Effect: shows and asks for each, writes them. Raises CallerError."""
    known = by_id(rules)
    style = style_for(sys.stdout, request.colour, os.environ)
    asks = sys.stdin.isatty() and not request.yes
    reviewer: Person | None = None
    written = []
    for number, one in enumerate(missing, 1):
        finding = one.finding
        emit(sys.stdout, f"\n[{number} of {len(missing)}] gated: {sanitise(one.why)}\n\n")
        emit(sys.stdout, render_finding(finding, known.get(finding.rule), style))
        emit(sys.stdout, _table(finding))
        if asks and not click.confirm("Do you accept exactly this?", default=False):
            continue
        reviewer = reviewer or _reviewer(request, asks=asks)
        objections = judge.objections(finding, reviewer)
        if objections:
            words = "; ".join(legible(problem.words) for problem in objections)
            raise CallerError(f"this would not hold: {words}")
        record = records.Record(
            finding.fingerprint,
            finding.rule,
            finding.unit,
            finding.axis,
            finding.before,
            finding.after,
            str(reviewer),
            _words("--reason", "Why may it reach so far?", request.reason, asks=asks),
            _words("--rollback", "How is it undone?", request.rollback, asks=asks),
            _day(request, judge.case.policy.gate.max_days, asks=asks),
        )
        path = top / record.path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with replacing(str(path)) as stream:
                stream.write(records.write(record))
        except OSError as error:
            why = error.strerror or "cannot be written"
            raise CallerError(f"{sanitise(record.path)}: {why}") from error
        emit(sys.stdout, f"wrote {record.path}\n")
        written.append(record.path)
    return written


def _table(finding: Finding) -> str:
    rows = [
        ("axis", finding.axis),
        ("before", finding.before or "nothing"),
        ("after", finding.after or "nothing"),
        ("unit", finding.unit),
        ("fingerprint", finding.fingerprint[: records.SHORT]),
        *[("written by", words) for words in finding.written_by],
    ]
    return "".join(f"  {name:<12} {legible(words)}\n" for name, words in rows)


def _reviewer(request: Request, *, asks: bool) -> Person:
    def read(words: str) -> Person:
        found = person(words)
        if found is None or not found.name or "@" not in found.email:
            raise CallerError(f'--reviewer {sanitise(words)}: expected "Name <address>"')
        return found

    if asks and request.reviewer is None:
        return _asked('Who are you? ("Name <address>")', read)
    return read(_words("--reviewer", "", request.reviewer, asks=False))


def _asked(question: str, read: Callable[[str], T], **more: Any) -> T:
    """The answer to a question, asked again until it can be read."""

    def checked(words: str) -> T:
        try:
            return read(" ".join(words.split()))
        except CallerError as error:
            raise click.UsageError(str(error).partition(" ")[2]) from error

    answer: T = click.prompt(question, value_proc=checked, prompt_suffix=" ", **more)
    return answer


def _words(option: str, question: str, given: str | None, *, asks: bool) -> str:
    if given is not None and given.strip():
        return " ".join(given.split())
    if not asks:
        raise CallerError(f"{option} is needed where nobody can be asked")
    return _asked(question, str)


def _day(request: Request, most: int, *, asks: bool) -> dt.date:
    today = dt.datetime.now(tz=dt.UTC).date()
    usual = today + dt.timedelta(days=min(USUAL_DAYS, most))

    def read(words: str) -> dt.date:
        try:
            day = dt.date.fromisoformat(words)
        except ValueError as error:
            raise CallerError(f"--expires {sanitise(words)}: expected YYYY-MM-DD") from error
        if not 0 <= (day - today).days <= most:
            raise CallerError(
                f"--expires {sanitise(words)}: expected a day within {most} days from now"
            )
        return day

    if asks and request.expires is None:
        return _asked("Until when?", read, default=usual.isoformat())
    return read(request.expires or usual.isoformat())
