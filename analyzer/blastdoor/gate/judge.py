"""What a change needs somebody's word for, and whether that word holds.

Everything that decides comes from the base of the change: configuration, rule pages, reviewers, mailmap,
keys. A change to any of these needs an acknowledgement itself. The clock is the caller's.
"""

from __future__ import annotations

import posixpath
import tomllib
from dataclasses import field, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from blastdoor.finding import Failure, FailureKind, Finding, Level, Related, fingerprinted
from blastdoor.gate import record as records
from blastdoor.gate.signature import Keys, fault
from blastdoor.owners import CODEOWNERS
from blastdoor.record import dataclass
from blastdoor.source.history import Person, person
from blastdoor.span import Document, Span

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from blastdoor.catalog import Rule
    from blastdoor.change import Changed, Comparison
    from blastdoor.gate.approvals import Approval
    from blastdoor.gate.policy import Policy
    from blastdoor.gate.record import Record
    from blastdoor.provenance import Reader
    from blastdoor.source.history import Commit, History, Mailmap
    from blastdoor.source.revision import Revision

REQUIRED: Final = "ack-required"
EXPIRED: Final = "ack-expired"
SELF: Final = "ack-self-approved"
AGENT: Final = "ack-by-agent"
STALE: Final = "ack-stale"
NOT_ENTITLED: Final = "ack-reviewer-not-entitled"
UNUSED: Final = "ack-unused"
UNVERIFIABLE: Final = "ack-unverifiable"
UNKNOWN_REACH: Final = "unknown-reach"

REVIEW_AXIS: Final = "review"
"""What a change to the reviewing itself is said to be about."""
MAX_RECORDS: Final = 5_000
_NAME_REVIEWERS: Final = (
    "printf '[gate]\\nreviewers = [\"reviewer@example.com\"]\\n' >> blastdoor.toml && "
    "git add blastdoor.toml && git commit -m 'Name reviewers'"
)
_GATED: Final = frozenset({"widening", "guard"})
"""Families whose findings need a second person from ``[gate] level`` on."""
_WORKFLOWS: Final = (
    ".github/workflows/",
    ".github/actions/",
    ".gitlab-ci.yml",
    ".pre-commit-config.yaml",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    "Jenkinsfile",
)
"""Where the command that runs the gate may stand."""


class Problem(NamedTuple):
    """Why a word does not hold."""

    rule: str
    words: str
    contain: str


@dataclass(slots=True)
class Gated:
    """One finding that needs somebody's word."""

    finding: Finding
    why: str
    """Why it needs one, in words."""
    problems: tuple[Problem, ...] = ()
    """Why it has none that holds; empty when it has."""
    by: str = ""
    """Whose word holds."""
    until: str | None = None
    """The last day on which it holds."""

    @property
    def accepted(self) -> bool:
        """Whether somebody's word for it holds."""
        return not self.problems


@dataclass(slots=True)
class Decision:
    """Whether the gate is open."""

    gated: list[Gated] = field(default_factory=list)
    remarks: list[Finding] = field(default_factory=list)
    """What is said without closing the gate: acknowledgements for nothing."""
    failures: list[Failure] = field(default_factory=list)
    """What could not be judged: each closes the gate."""

    @property
    def open(self) -> bool:
        """Whether everything that needs a word has one that holds."""
        return not self.failures and all(one.accepted for one in self.gated)


@dataclass(frozen=True, slots=True)
class Case:
    """One change, and everything that its judgement rests on."""

    history: History
    base: Revision
    """The base: its policy holds."""
    start: str
    """The commit from which the change parts from the base."""
    head: Revision
    comparison: Comparison
    changed: Sequence[Changed]
    policy: Policy
    mailmap: Mailmap
    reader: Reader
    keys: Keys
    today: dt.date
    names: tuple[str, str] = ("BASE", "HEAD")
    """What the caller calls the two sides."""
    rule_folders: tuple[str, ...] = ()
    """Folders of the organisation's own pages, in the base."""
    approvals: tuple[Approval, ...] = ()
    further: tuple[Finding, ...] = ()
    """Findings of checks beside the comparison, each of which needs a word."""


def judge(case: Case, rules: Mapping[str, Rule]) -> Decision:
    """The decision on a change. Raises GitError."""
    return Judge(case, rules).decision()


class Judge:
    """Judges one change."""

    def __init__(self, case: Case, rules: Mapping[str, Rule]) -> None:
        self.case = case
        self.rules = rules
        self.commits = case.history.between(case.base.commit, case.head.commit)
        self.writers = list(self._writers())
        self.records: dict[str, Record] = {}
        self.paths: dict[str, str] = {}
        """Fingerprint → the file of its record."""
        self.decided = Decision()

    def decision(self) -> Decision:
        """The decision."""
        case = self.case
        report = case.comparison.whole()
        self.decided.failures += [f for f in report.failures if f.fatal]
        self._read_records()
        wanted = [*self._findings(), *self._own_rules()]
        for finding, why in wanted:
            problems, by, until = self._judged(finding)
            self.decided.gated.append(Gated(finding, why, problems, by, until))
        self._unused({finding.fingerprint for finding, _why in wanted})
        return self.decided

    def objections(self, finding: Finding, reviewer: Person) -> list[Problem]:
        """Why the word of a person for a finding would not hold, as far as that is known before."""
        problems = []
        if self._wrote(reviewer):
            words = f"{reviewer} wrote a part of the change"
            problems.append(Problem(SELF, words, "somebody else acknowledges it"))
        if self.case.reader.of_person(reviewer):
            words = f"{reviewer} is an agent or a bot"
            problems.append(Problem(AGENT, words, "a person acknowledges it"))
        entitlement = self._entitlement(finding, reviewer)
        return problems if entitlement is None else [*problems, entitlement]

    # What needs a word

    def _findings(self) -> Iterator[tuple[Finding, str]]:
        gate = self.case.policy.gate
        comparison = self.case.comparison
        for finding in (*comparison.widenings, *comparison.introduced):
            rule = self.rules.get(finding.rule)
            family = rule.family if rule is not None else ""
            widens = bool(finding.before or finding.after)
            if family in _GATED and finding.level >= gate.level:
                yield finding, f"{finding.level.word} of the family {family}"
            elif finding.rule == UNKNOWN_REACH:
                yield finding, "nobody can tell how far it reaches"
            elif (
                finding.provenance
                and gate.agent_level < gate.level
                and finding.level >= gate.agent_level
                and (widens or family in _GATED)
            ):
                yield finding, f"{finding.level.word} in what an agent wrote"
        for finding in self.case.further:
            yield finding, "two parsers read the file differently"

    def _own_rules(self) -> Iterator[tuple[Finding, str]]:
        """Changes to what decides about changes."""
        found = []
        for change in self.case.changed:
            for path in dict.fromkeys((change.base, change.head)):
                if path is not None and self._decides(path):
                    found.append(self._about(path))
                    break
        for finding in fingerprinted(found):
            yield finding, "it says how changes are reviewed"

    def _decides(self, path: str) -> bool:
        case, gate = self.case, self.case.policy.gate
        name = posixpath.basename(path)
        if path.startswith(f"{records.FOLDER}/"):
            return False
        if name == "blastdoor.toml" or path == ".mailmap" or path in CODEOWNERS:
            return True
        if path.startswith(".blastdoor/") or path in (gate.allowed_signers, gate.allowed_keys):
            return True
        if any(path == folder or path.startswith(f"{folder}/") for folder in case.rule_folders):
            return True
        if name == "pyproject.toml":
            return self._table(case.base, path) != self._table(case.head, path)
        if path.startswith(_WORKFLOWS):
            texts = (case.base.read(path), case.head.read(path))
            return any(text is not None and "blastdoor" in text for text in texts)
        return False

    @staticmethod
    def _table(side: Revision, path: str) -> object:
        """What ``[tool.blastdoor]`` says; a text that is no TOML is unlike any other."""
        text = side.read(path)
        try:
            tool = tomllib.loads(text or "").get("tool")
        except (tomllib.TOMLDecodeError, RecursionError):
            return ("broken", text)
        return tool.get("blastdoor") if isinstance(tool, dict) else None

    def _about(self, path: str) -> Finding:
        git = self.case.history.git
        sides = []
        for side in (self.case.base.commit, self.case.head.commit):
            blob = git.tree(side).get(path)
            sides.append("nothing" if blob is None else blob.oid)
        before, after = (side[:12] for side in sides)
        text = self.case.head.read(path) or ""
        document = Document(path, text)
        return Finding(
            REQUIRED,
            Level.ERROR,
            f"review: {path} says how changes are reviewed, and this change rewrites it",
            Span(document, 0, len(text.partition("\n")[0])),
            path,
            REVIEW_AXIS,
            value=f"{sides[0]}\0{sides[1]}",
            contain="change it in a pull request of its own",
            before=before,
            after=after,
        )

    # Who wrote the change

    def _writers(self) -> Iterator[Person]:
        """Everyone who wrote a part of the change other than acknowledgements."""
        case = self.case
        for commit in self.commits:
            touched = case.history.touched(commit)
            if not touched or all(path.startswith(f"{records.FOLDER}/") for path in touched):
                continue
            yield from case.mailmap.everyone(iter((commit.author, *commit.co_authors)))

    def _wrote(self, one: Person) -> bool:
        people = list(self.case.mailmap.everyone(iter((one,))))
        return any(mine.same(theirs) for mine in people for theirs in self.writers)

    # Whose word there is

    def _read_records(self) -> None:
        """Effect: reads the records of head; one that cannot be read is a failure."""
        case = self.case
        prefix = f"{records.FOLDER}/"
        paths = sorted(p for p in case.history.git.tree(case.head.commit) if p.startswith(prefix))
        for path in paths[:MAX_RECORDS]:
            if not path.endswith(records.ENDING):
                continue
            text = case.head.read(path)
            if text is None or len(text) > records.MAX_BYTES:
                self._fail(path, "is no file of a record's size")
                continue
            try:
                found = records.read(text)
            except records.RecordError as error:
                self._fail(path, f"is no acknowledgement: {error}")
                continue
            self.records[found.fingerprint] = found
            self.paths[found.fingerprint] = path
        if len(paths) > MAX_RECORDS:
            self._fail(records.FOLDER, f"holds more than {MAX_RECORDS} acknowledgements")

    def _fail(self, path: str, message: str) -> None:
        self.decided.failures.append(Failure(FailureKind.CONFIGURATION, path, message))

    def _judged(self, finding: Finding) -> tuple[tuple[Problem, ...], str, str | None]:
        """(why there is no word that holds, whose word it is, until when)."""
        if not self.case.policy.is_there:
            problem = Problem(
                REQUIRED,
                "nobody is named who may acknowledge it: the base has neither [gate] reviewers nor "
                "CODEOWNERS",
                f"on {self.case.names[0]}: {_NAME_REVIEWERS} (or name owners in CODEOWNERS)",
            )
            return (problem,), "", None
        found = self.records.get(finding.fingerprint)
        if found is not None:
            problems = tuple(self._faults(finding, found))
            if not problems:
                return (), found.reviewer, found.expires.isoformat()
        else:
            problems = (self._without(finding),)
        refused: list[Problem] = []
        for approval in self.case.approvals:
            problem_of = self._approval(finding, approval)
            if problem_of is None:
                return (), f"@{approval.login}, on the forge", None
            refused.append(problem_of)
        return (*problems, *refused), "", None

    def _without(self, finding: Finding) -> Problem:
        """What is wrong when no record has the fingerprint."""
        entitled = self.case.policy.entitled(finding.span.path, finding.axis)
        who = f" (one of {entitled.said})" if entitled.people else ""
        sides = " ".join(self.case.names)
        short = finding.fingerprint[: records.SHORT]
        command = f"a second person{who} runs: blastdoor ack {sides} --finding {short}"
        for other in self.records.values():
            if (other.rule, other.unit, other.axis) == (finding.rule, finding.unit, finding.axis):
                return Problem(
                    STALE,
                    f"{other.reviewer} acknowledged {other.after or 'nothing'} (was "
                    f"{other.before or 'nothing'}), and it is {finding.after or 'nothing'} now (was "
                    f"{finding.before or 'nothing'})",
                    command,
                )
        return Problem(REQUIRED, "nobody has acknowledged it", command)

    def _faults(self, finding: Finding, found: Record) -> Iterator[Problem]:
        """Why the record of a finding does not hold."""
        case, gate = self.case, self.case.policy.gate
        path = self.paths[found.fingerprint]
        if (found.before, found.after) != (finding.before, finding.after):
            yield Problem(
                STALE,
                f"{path} says {found.after or 'nothing'} (was {found.before or 'nothing'}), the change "
                f"says {finding.after or 'nothing'} (was {finding.before or 'nothing'})",
                "acknowledge it anew",
            )
        left = (found.expires - case.today).days
        if left < 0:
            yield Problem(
                EXPIRED,
                f"{path} expired on {found.expires}",
                "acknowledge it anew, or undo the change",
            )
        elif left > gate.max_days:
            yield Problem(
                EXPIRED,
                f"{path} would hold until {found.expires}, for more than {gate.max_days} days",
                f"let it expire within {gate.max_days} days",
            )
        reviewer = person(found.reviewer)
        commit = case.history.last(case.head.commit, path)
        if reviewer is None or commit is None:
            what = "names no reviewer with an address" if commit else "has no commit"
            yield Problem(UNVERIFIABLE, f"{path} {what}", "commit it with the reviewer's own name")
            return
        yield from self._person_faults(finding, path, reviewer, commit)
        if gate.signatures:
            why = fault(commit, commit.author.email, case.keys)
            if why is not None:
                yield Problem(
                    UNVERIFIABLE,
                    f"the commit {commit.id[:12]} that adds {path} does not prove who wrote it: {why}",
                    "sign the commit: git commit -S",
                )

    def _person_faults(
        self, finding: Finding, path: str, reviewer: Person, commit: Commit
    ) -> Iterator[Problem]:
        case = self.case
        own = case.mailmap.everyone(iter((commit.author,)))
        named = list(case.mailmap.everyone(iter((reviewer,))))
        if not any(mine.same(theirs) for mine in own for theirs in named):
            yield Problem(
                UNVERIFIABLE,
                f"{path} names {reviewer} as the reviewer, and {commit.author} committed it",
                "the reviewer commits it",
            )
        wrote = [p for p in (commit.author, reviewer, *commit.co_authors) if self._wrote(p)]
        if wrote:
            yield Problem(
                SELF,
                f"{wrote[0]} acknowledges a change that {wrote[0].name or 'they'} wrote a part of",
                "somebody who wrote no part of the change acknowledges it",
            )
        marks = [*case.reader.marks(commit), *case.reader.of_person(reviewer)]
        if marks:
            yield Problem(
                AGENT,
                f"the acknowledgement bears the mark of {marks[0].agent or 'a bot'} "
                f"({marks[0].where} {marks[0].text})",
                "a person commits it, without an agent",
            )
        problem = self._entitlement(finding, commit.author)
        if problem is not None:
            yield problem

    def _entitlement(self, finding: Finding, one: Person) -> Problem | None:
        entitled = self.case.policy.entitled(finding.span.path, finding.axis)
        if any(map(entitled.entitles, self.case.mailmap.everyone(iter((one,))))):
            return None
        hint = "; only the forge knows who is in a team: name people in [gate] reviewers"
        people = ", ".join(sorted(entitled.people)) or "nobody"
        return Problem(
            NOT_ENTITLED,
            f"{one} may not acknowledge it: {entitled.said or 'the base'} names {people}"
            f"{hint if entitled.teams else ''}",
            "somebody who is named acknowledges it",
        )

    def _approval(self, finding: Finding, approval: Approval) -> Problem | None:
        """Why an approval of the forge does not hold for a finding; ``None`` when it does."""
        one = approval.person
        name = f"the approval of @{approval.login}"
        if approval.commit != self.case.head.commit:
            words = f"{name} is for {approval.commit[:12] or 'no commit'}, not for the head"
            return Problem(STALE, words, "approve the head commit")
        if approval.bot or self.case.reader.of_person(one):
            return Problem(AGENT, f"{name} is a bot's or an agent's", "a person approves")
        if self._wrote(one):
            words = f"@{approval.login} wrote a part of the change"
            return Problem(SELF, words, "somebody who wrote no part of the change approves")
        return self._entitlement(finding, one)

    def _unused(self, wanted: set[str]) -> None:
        """Effect: remarks on the records of this change that nothing needs."""
        case = self.case
        before = case.history.git.tree(case.base.commit)
        for fingerprint, found in self.records.items():
            path = self.paths[fingerprint]
            if fingerprint in wanted or path in before:
                continue
            document = Document(path, case.head.read(path) or "")
            end = len(document.text.partition("\n")[0])
            self.decided.remarks.append(
                Finding(
                    UNUSED,
                    Level.NOTE,
                    f"review: the acknowledgement of {found.rule} for {found.unit} is for nothing that "
                    "this change does",
                    Span(document, 0, end),
                    found.unit,
                    REVIEW_AXIS,
                    value=fingerprint,
                    contain="remove it",
                )
            )
        self.decided.remarks = fingerprinted(self.decided.remarks)


def findings_of(decision: Decision) -> list[Finding]:
    """What closes the gate, as findings at the places that need a word."""
    found = [
        _closing(gated.finding, problem) for gated in decision.gated for problem in gated.problems
    ]
    return [*fingerprinted(found), *decision.remarks]


def _closing(about: Finding, problem: Problem) -> Finding:
    return replace(
        about,
        rule=problem.rule,
        level=Level.ERROR,
        message=f"{about.message}: {problem.words}",
        contain=problem.contain,
        related=(Related(about.span, f"{about.rule}: {about.message}"), *about.related),
        attribute=about.rule,
        value=f"{about.fingerprint}\0{problem.rule}",
        reach=None,
        remedies=(),
    )


def needed(decision: Decision) -> Iterable[Gated]:
    """What still needs a word."""
    return (one for one in decision.gated if not one.accepted)
