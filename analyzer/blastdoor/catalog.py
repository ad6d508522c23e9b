"""The rule set: pages read, checked and named.

A rule is one Markdown page, ``rules/<family>/<slug>.md``: front matter, why it hurts, examples that
run as tests, how to fix it. This module reads pages strictly; whatever it does not know is a
`PageError` that names page and line.

The front matter is the subset of YAML that pages use, read here so that no YAML library is
imported at start-up: ``key: value`` lines, whose value is a scalar, a list in brackets or a map in
braces, and maps of one level written as indented lines. Words are strings (``on`` too); ``true``,
``false`` and numbers are not; quotes make anything a string.

Two keys say when a rule speaks. ``default: opt-in`` makes it silent until someone names it, except for
findings under the conditions of ``on-when`` (words that the detector reports, as in ``levels``): those
always count. ``per: file`` makes one finding of all those of the rule in one file, at the place of the
strongest, the others beside it; a pedantic run shows each.

Reading the front matter of the whole rule set takes a few milliseconds, so there is no compiled
bundle that could be stale or foreign. Bodies are read when something asks for them.
"""

from __future__ import annotations

import re
from dataclasses import field
from functools import cached_property
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from blastdoor import tables
from blastdoor.finding import Level
from blastdoor.match import Match, MatchError
from blastdoor.reach import AXES
from blastdoor.record import dataclass
from blastdoor.source import read_below

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Iterator, Mapping
    from pathlib import Path

FAMILIES: Final = (
    "override",
    "region",
    "account",
    "grant",
    "network",
    "guard",
    "rollout",
    "widening",
    "review",
)
"""The families of rules, in the order in which they are listed."""
REVIEW: Final = "review"
"""The family of the gate's own rules: they judge who said yes, not code."""
RESERVED: Final = frozenset({"ACC", "ACK", "GRD", "GRT", "NET", "OVR", "RGN", "ROL", "WID"})
"""What the codes of shipped rules, of this version or a later one, begin with."""
LANGUAGES: Final = ("terraform", "cloudformation", "python", "document")
"""The languages that a page may claim."""
CONFIDENCES: Final = frozenset({"very-high", "high", "medium", "low"})
"""The values of SARIF's ``precision``."""
SECTIONS: Final = ("Bad", "Good", "How to fix", "Not found")
"""The headings of a page's body."""
EXAMPLES: Final = frozenset({"Bad", "Good", "Not found"})
"""The sections whose code blocks run as tests."""

_FENCES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "hcl": ("terraform", "main.tf"),
        "json": ("cloudformation", "template.json"),
        "yaml": ("cloudformation", "template.yaml"),
        "python": ("python", "main.py"),
        "sh": ("document", "deploy.sh"),
        "toml": ("document", "overrides.toml"),
    }
)
"""Fence word → the language of the example and the name of its file."""
_DIALECTS: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = MappingProxyType(
    {
        "json": {
            "document": ("document", "overrides.json"),
            "terraform": ("terraform", "main.tf.json"),
        },
        "hcl": {"tfvars": ("terraform", "terraform.tfvars")},
        "yaml": {
            "document": ("document", "overrides.yaml"),
            "sam": ("cloudformation", "template.yaml"),
            "workflow": ("document", ".github/workflows/deploy.yml"),
        },
        "python": dict.fromkeys(("boto3", "cdk", "pulumi", "troposphere"), ("python", "main.py")),
    }
)
"""Fence word → dialect → the language of the example and the name of its file."""

MAX_PAGE: Final = 1_000_000
"""Largest page that is read, in bytes."""
MAX_PAGES: Final = 2_000
"""Most pages of one folder."""

# Possessive, so that no line of blanks keeps them busy; tried on lines without blanks at their end.
_MARK: Final = r"#\s*+finding(?:\s*+\((?P<level>\w+)\))?(?::\s*+(?P<words>.+))?$"
_FILE: Final = r"\s*#\s*file:\s*(?P<path>\S+)\s*$"
_FINDINGS: Final = r"findings=(\d+(?:,\d+)*)$"
_SLUG: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*$")
_CODE: Final = re.compile(r"[A-Z]{3}\d{3}$")
_KEY: Final = re.compile(r"(?P<key>[A-Za-z][\w-]*):(?:[ \t]+|$)")
_MAX_NESTING: Final = 8
"""Most brackets within one another in the front matter."""
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?$")

Data = str | bool | int | float | None | list["Data"] | dict[str, "Data"]


class PageError(ValueError):
    """A page that does not keep the rules of pages: which page, which line, and why."""

    def __init__(self, page: str, line: int, message: str) -> None:
        super().__init__(f"{page}:{line}: {message}")
        self.page = page
        self.line = line
        self.message = message


class Mark(NamedTuple):
    """One expected finding of an example."""

    path: str
    """The file of the example."""
    line: int
    """The line in that file."""
    page_line: int
    """The line in the page."""
    words: str = ""
    """What the message must hold, or ``""``."""
    level: Level | None = None
    """The level it must have, where the example says so."""


class Block(NamedTuple):
    """One code block of the sections Bad, Good and Not found."""

    section: str
    language: str
    dialect: str
    line: int
    """The line of the opening fence in the page."""
    files: Mapping[str, str]
    """The files it holds, by path."""
    marks: tuple[Mark, ...]
    starts: Mapping[str, int]
    """The line in the page that stands before the first line of each file."""
    source: str
    """The text between the fences."""
    fence: str
    """The first word of the fence."""
    base: Mapping[str, str] | None = None
    """The files before the change, for a rule that judges two revisions."""


class Section(NamedTuple):
    """A part of a page's body: heading, its line, and the lines below it."""

    title: str
    line: int
    lines: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Rule:
    """One rule: its page's metadata, and on demand the page's body."""

    id: str
    """The slug: the SARIF ``ruleId``."""
    code: str
    """The short alias: ``RGN010``."""
    title: str
    family: str
    level: Level
    confidence: str
    """SARIF ``precision``."""
    axes: tuple[str, ...]
    modes: tuple[str, ...]
    languages: tuple[str, ...]
    """The languages in which the rule works now."""
    default: str
    """``on``, ``opt-in`` or ``pedantic``."""
    on_when: frozenset[str]
    """Conditions, as the detector names them, under which an opt-in rule speaks unasked."""
    per: str
    """``place``, or ``file`` for one finding per file."""
    levels: Mapping[str, Level]
    """Condition, as the detector names it, → level."""
    detector: str | None
    match: Match | None
    scenario: str
    """The test that shows a rule of the family ``review``, whose examples are histories."""
    supersedes: tuple[str, ...]
    """Slugs of the rules whose finding at the same place is not reported beside this one."""
    fix: str
    """``safe``, ``unsafe`` or ``none``."""
    sources: tuple[str, ...]
    tags: tuple[str, ...]
    peers: Mapping[str, tuple[str, ...]]
    """Tool → its ids for the same mistake."""
    path: str
    """The page relative to the folder above its rule set: ``rules/region/unknown-region.md``."""
    text: str = field(repr=False)
    """The whole page."""
    body_line: int = field(repr=False)
    """The number of the last line of the front matter."""

    @cached_property
    def markdown(self) -> str:
        """The page without its front matter."""
        return "\n".join([*_lines(self.text)][self.body_line :]).strip() + "\n"

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """The parts of the body; the first has the title ``""`` and says why."""
        return tuple(_sections(self))

    @cached_property
    def why(self) -> str:
        """What is wrong and why it hurts: the text before the first heading."""
        return "\n".join(self.sections[0].lines).strip()

    @cached_property
    def fix_text(self) -> str:
        """How to fix it, in Markdown."""
        return "\n".join(
            line for part in self.sections if part.title == "How to fix" for line in part.lines
        ).strip()

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The examples of the page, in its order."""
        return tuple(
            block
            for part in self.sections
            if part.title in EXAMPLES
            for block in _blocks(self, part)
        )

    def help(self, language: str | None = None) -> str:
        """Why, how to fix, and one example of each kind in ``language``, as Markdown."""
        wanted = language or (self.languages[0] if self.languages else "")
        parts = [self.why, "## How to fix", self.fix_text]
        for title in ("Bad", "Good"):
            block = next(
                (b for b in self.blocks if b.section == title and b.language == wanted), None
            )
            if block is not None:
                parts += [f"## {title}", f"```{block.fence}\n{block.source}\n```"]
        return "\n\n".join(parts) + "\n"

    def error(self, key: str, message: str) -> PageError:
        """An error of the page at the line of a key of its front matter."""
        return PageError(self.path, _line_of(self.text, key), message)

    def check_own(self) -> None:
        """Raises PageError for a name that belongs to the shipped rules, for a page that is not."""
        if self.code[:3] in RESERVED:
            message = (
                f"codes that begin with {self.code[:3]} belong to the shipped rules: "
                "take another prefix, such as ORG"
            )
            raise self.error("code", message)
        if self.id in FAMILIES:
            raise self.error("id", f"{self.id} is the name of a family of rules")

    def check_superseded(self, named: Container[str]) -> None:
        """Raises PageError when it supersedes a rule that is not among the lower-case names."""
        for slug in self.supersedes:
            if slug.lower() not in named:
                raise self.error("supersedes", f"supersedes {slug}, which no page describes")

    def check(self) -> None:
        """Reads the whole page. Raises PageError for whatever the body does wrong."""
        if not self.why:
            raise PageError(self.path, self.body_line + 1, "the page does not say why")
        if not self.fix_text:
            raise PageError(self.path, self.body_line, "no section 'How to fix'")
        for block in self.blocks:
            if block.language not in self.languages:
                message = f"an example in {block.language}, which the rule does not claim"
                raise PageError(self.path, block.line, message)
            if ("state" not in self.modes and block.base is None) or (
                "diff" not in self.modes and block.base is not None
            ):
                message = (
                    f"the modes of the rule are {', '.join(self.modes)}, the example's are not"
                )
                raise PageError(self.path, block.line, message)
            if block.section == "Bad" and not block.marks:
                message = "a Bad block without a '# finding' mark"
                raise PageError(self.path, block.line, message)
            if block.section != "Bad" and block.marks:
                message = f"a mark in a {block.section} block"
                raise PageError(self.path, block.marks[0].page_line, message)
        for language in self.languages:
            for title in ("Bad", "Good"):
                if not any(b.section == title and b.language == language for b in self.blocks):
                    message = f"no {title} block for {language}"
                    raise PageError(self.path, self.body_line, message)


def claim(rule: Rule, named: dict[str, Rule]) -> None:
    """Effect: enters a rule's names, in lower case. Raises PageError for one that is taken."""
    for key, name in (("id", rule.id), ("code", rule.code)):
        other = named.setdefault(name.lower(), rule)
        if other is not rule:
            raise rule.error(key, f"{name} is the name of {other.path} too")


class RuleSet:
    """Rules in the order of families and codes, found by slug or by code.

    Raises PageError for a page that takes the name of one given before it.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        given = list(rules)
        self._rules = tuple(
            sorted(given, key=lambda rule: (FAMILIES.index(rule.family), rule.code, rule.id))
        )
        self._named: dict[str, Rule] = {}
        for rule in given:
            claim(rule, self._named)
        for rule in self._rules:
            rule.check_superseded(self._named)

    def __iter__(self) -> Iterator[Rule]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def get(self, name: str) -> Rule | None:
        """The rule of a slug or code in any case, or ``None``."""
        return self._named.get(name.lower())

    def named(self, name: str) -> Rule:
        """The rule of a slug or code in any case. Raises KeyError where there is none."""
        return self._named[name.lower()]


def load(
    *folders: Path, detectors: Container[str] | None = None, thorough: bool | None = None
) -> RuleSet:
    """The rules of ``folders``, or of the shipped folder when none is given.

    ``detectors`` are the names a page may use; ``None`` leaves them unchecked. ``thorough`` reads
    the bodies too; by default only those of folders that are not the shipped one, whose pages the
    tests have read. Raises PageError.
    """
    shipped = tables.home()
    rules: list[Rule] = []
    for folder in folders or (shipped,):
        known = folder.resolve() == shipped
        before = len(rules)
        for page in pages(folder):
            rule = read(page, folder, trusted=known)
            if not known:
                rule.check_own()
            if detectors is not None and rule.detector and rule.detector not in detectors:
                raise rule.error("detector", unknown_detector(rule))
            if thorough or (thorough is None and not known):
                rule.check()
            rules.append(rule)
        if len(rules) == before:
            raise PageError(folder.resolve().name, 1, "a rule folder without a page")
    return RuleSet(rules)


def unknown_detector(rule: Rule) -> str:
    """What to say of a rule whose detector is not known."""
    distribution = (rule.detector or "").partition(".")[0]
    hint = f"; --detectors {distribution} takes those of an installed distribution"
    return f"no detector is called {rule.detector}{'' if distribution in FAMILIES else hint}"


def pages(folder: Path) -> list[Path]:
    """The pages in a folder and in the folders directly below it, sorted. Raises PageError."""
    found = [*folder.glob("*.md"), *islice(folder.glob("*/*.md"), MAX_PAGES + 1)]
    if len(found) > MAX_PAGES:
        message = f"a rule folder with more than {MAX_PAGES} pages"
        raise PageError(folder.resolve().name, 1, message)
    return sorted(page for page in found if page.name != "README.md")


def read(page: Path, folder: Path, *, trusted: bool = False) -> Rule:
    """The rule of one page below ``folder``, which is ``trusted`` when it shipped with the program.

    Raises PageError; also for what is no regular file, is too large, or leads out of the folder.
    """
    inside = page.relative_to(folder)
    path = "/".join((folder.resolve().name, *inside.parts))
    try:
        data = page.read_bytes() if trusted else read_below(folder, inside.as_posix(), MAX_PAGE)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise PageError(path, 1, error.strerror or "cannot be read") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise PageError(path, line, "is not UTF-8") from error
    return parse(text, path, family=inside.parts[0] if len(inside.parts) > 1 else None)


def parse(text: str, path: str, *, family: str | None = None) -> Rule:
    """The rule of a page's text; ``family`` is the folder it stands in. Raises PageError."""
    front = _Front(text, path)
    slug = front.word("id", _SLUG, "a slug of lower-case words joined by '-'")
    if slug != path.rpartition("/")[2].removesuffix(".md"):
        raise PageError(path, front.line("id"), f"id {slug} differs from the file's name")
    kind = front.choice("family", FAMILIES)
    if family is not None and kind != family:
        message = f"family {kind} differs from the folder {family}"
        raise PageError(path, front.line("family"), message)
    review = kind == REVIEW
    detector, match = (None, None) if review else front.judgement()
    rule = Rule(
        id=slug,
        code=front.word("code", _CODE, "three capital letters and three digits"),
        title=front.text("title"),
        family=kind,
        level=front.level("level"),
        confidence=front.choice("confidence", CONFIDENCES),
        axes=front.words("axes", AXES, optional=review),
        modes=front.words("modes", ("state", "diff")),
        languages=front.words("languages", LANGUAGES, optional=review),
        default=front.choice("default", ("on", "opt-in", "pedantic")),
        on_when=front.conditions(),
        per=front.choice("per", ("place", "file", "value"), absent="place"),
        levels=front.levels("levels"),
        detector=detector,
        match=match,
        scenario=front.text("scenario") if review else "",
        supersedes=front.words("supersedes", optional=True),
        fix=front.choice("fix", ("safe", "unsafe", "none")),
        sources=front.words("sources"),
        tags=front.words("tags", optional=True),
        peers=front.lists("peers"),
        path=path,
        text=text,
        body_line=front.end,
    )
    front.done()
    return rule


class _Front:
    """The front matter of one page; every key must be asked for by the time of `done`."""

    def __init__(self, text: str, path: str) -> None:
        self.path = path
        self.end = 0
        self._data: dict[str, Data] = {}
        self._lines: dict[str, int] = {}
        self._asked: set[str] = set()
        self._read(text)

    def _read(self, text: str) -> None:
        lines = iter(enumerate(_lines(text), 1))
        if next(lines, (1, ""))[1].rstrip() != "---":
            raise PageError(self.path, 1, "a page begins with '---' and its front matter")
        outer = ""
        for number, line in lines:
            if line.rstrip() == "---":
                self.end = number
                break
            bare = line.lstrip(" ")
            if not bare.strip() or bare.startswith("#"):
                continue
            if "\t" in line[: len(line) - len(line.lstrip())]:
                raise PageError(self.path, number, "a tab as indentation")
            found = _KEY.match(bare)
            if found is None:
                raise PageError(self.path, number, "a line that is not 'key: value'")
            key = found["key"]
            value = _Inline(bare, found.end(), self.path, number).whole()
            nested = len(bare) != len(line)
            if not nested:
                outer = key if value is None else ""
                target = self._data
            elif outer:
                inner = self._data[outer]
                target = inner if isinstance(inner, dict) else {}
                self._data[outer] = target
            else:
                raise PageError(self.path, number, "an indented line below a key with a value")
            if key in target:
                raise PageError(self.path, number, f"{key} is written twice")
            if nested and value is None:
                raise PageError(self.path, number, f"{key} has no value")
            target[key] = value
            if not nested:
                self._lines[key] = number
        else:
            raise PageError(self.path, 1, "the front matter has no end ('---')")
        for key, value in self._data.items():
            if value is None:
                raise PageError(self.path, self._lines[key], f"{key} has no value")

    def line(self, key: str) -> int:
        """The line of a key, or the last line of the front matter."""
        return self._lines.get(key, self.end)

    def _get(self, key: str) -> Data:
        self._asked.add(key)
        return self._data.get(key)

    def _fail(self, key: str, message: str) -> PageError:
        return PageError(self.path, self.line(key), message)

    def text(self, key: str) -> str:
        """A string that must be there."""
        value = self._get(key)
        if value is None:
            raise self._fail(key, f"no key {key}")
        if not isinstance(value, str) or not value:
            raise self._fail(key, f"{key} is not a text")
        return value

    def word(self, key: str, shape: re.Pattern[str], words: str) -> str:
        """A string of a shape, which ``words`` describe."""
        value = self.text(key)
        if shape.match(value) is None:
            raise self._fail(key, f"{key} is not {words}")
        return value

    def choice(self, key: str, allowed: Collection[str], *, absent: str = "") -> str:
        """One of the words allowed; ``absent`` is what a key means that may be left out."""
        if absent and key not in self._data:
            return absent
        value = self.text(key)
        if value not in allowed:
            message = f"{key} is {value}, not one of {', '.join(sorted(allowed))}"
            raise self._fail(key, message)
        return value

    def words(
        self, key: str, allowed: Collection[str] | None = None, *, optional: bool = False
    ) -> tuple[str, ...]:
        """A list of strings; with ``allowed``, of these only."""
        value = self._get(key)
        if value is None and optional:
            return ()
        if value is None:
            raise self._fail(key, f"no key {key}")
        words = [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
        if not isinstance(value, list) or len(words) != len(value):
            raise self._fail(key, f"{key} is not a list of words")
        if not words and not optional:
            raise self._fail(key, f"{key} is empty")
        if len(set(words)) != len(words):
            raise self._fail(key, f"{key} names something twice")
        for word in words:
            if allowed is not None and word not in allowed:
                message = f"{key} holds {word}, not one of {', '.join(sorted(allowed))}"
                raise self._fail(key, message)
        return tuple(words)

    def conditions(self) -> frozenset[str]:
        """The conditions of ``on-when``, which only an opt-in rule has."""
        words = self.words("on-when", optional=True)
        if words and self._data.get("default") != "opt-in":
            raise self._fail("on-when", "on-when goes with 'default: opt-in'")
        if words and "match" in self._data:
            raise self._fail("on-when", "on-when needs a detector, which reports conditions")
        for word in words:
            if _SLUG.match(word) is None:
                raise self._fail("on-when", f"on-when names a condition {word!r}, which is no slug")
        return frozenset(words)

    def level(self, key: str) -> Level:
        """A SARIF level."""
        return Level.named(self.choice(key, ("error", "warning", "note")))

    def _map(self, key: str) -> dict[str, Data]:
        value = self._get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self._fail(key, f"{key} is not a map")
        return value

    def levels(self, key: str) -> Mapping[str, Level]:
        """A map of conditions to levels; empty when it is not there."""
        result = {}
        for name, word in self._map(key).items():
            if _SLUG.match(name) is None:
                raise self._fail(key, f"{key} names a condition {name!r}, which is no slug")
            if word not in ("error", "warning", "note"):
                raise self._fail(key, f"{key} gives {name} a level that is not one")
            result[name] = Level.named(str(word))
        return MappingProxyType(result)

    def lists(self, key: str) -> Mapping[str, tuple[str, ...]]:
        """A map of words to lists of strings; empty when it is not there."""
        result = {}
        for name, value in self._map(key).items():
            words = (
                [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
            )
            if not isinstance(value, list) or len(words) != len(value):
                raise self._fail(key, f"{key} gives {name} something that is no list of words")
            result[name] = tuple(words)
        return MappingProxyType(result)

    def judgement(self) -> tuple[str | None, Match | None]:
        """The detector's name or the match: exactly one of them."""
        table = self._get("match")
        if ("detector" in self._data) == (table is not None):
            self._get("detector")
            raise self._fail("match", "a page has either 'match' or 'detector'")
        if table is None:
            shape = re.compile(r"[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*$")
            return self.word("detector", shape, "a name such as region.unknown-region"), None
        try:
            return None, Match.read(self._map("match"))
        except MatchError as error:
            raise self._fail("match", str(error)) from error

    def done(self) -> None:
        """Raises PageError for a key that nothing has asked for."""
        for key, line in self._lines.items():
            if key not in self._asked:
                raise PageError(self.path, line, f"unknown key {key}")


class _Inline:
    """The value behind a key: a scalar, a list in brackets or a map in braces."""

    def __init__(self, text: str, at: int, path: str, line: int) -> None:
        self.text = text.rstrip()
        self.at = at
        self.path = path
        self.line = line
        self.depth = 0

    def _fail(self, message: str) -> PageError:
        return PageError(self.path, self.line, message)

    def _skip(self) -> str:
        while self.text[self.at : self.at + 1] == " ":
            self.at += 1
        return self.text[self.at : self.at + 1]

    def whole(self) -> Data:
        """The value of the line; ``None`` when there is none."""
        first = self._skip()
        if not first or first == "#":
            return None
        if first in "[{\"'":
            value = self._value("")
            rest = self._skip()
            if rest and not (rest == "#" and self.text[self.at - 1] == " "):
                raise self._fail(f"something follows the value: {self.text[self.at :]}")
            return value
        plain = re.split(r"\s#", self.text[self.at :], maxsplit=1)[0].rstrip()
        return self._scalar(plain)

    def _value(self, ends: str) -> Data:
        first = self._skip()
        if first and first in "[{":
            self.depth += 1
            if self.depth > _MAX_NESTING:
                raise self._fail(f"more than {_MAX_NESTING} brackets within one another")
            value: Data = self._list() if first == "[" else self._map()
            self.depth -= 1
            return value
        if first and first in "\"'":
            return self._quoted()
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in ends:
            if self.text[self.at] in "[]{}\"'":
                raise self._fail(f"{self.text[self.at]} within a word: quote it")
            self.at += 1
        return self._scalar(self.text[start : self.at].strip())

    def _scalar(self, plain: str) -> Data:
        if not plain:
            raise self._fail("an empty value: quote it or leave it out")
        if ": " in plain or plain.endswith(":") or " #" in plain or plain[0] in "&*!|>%@`,":
            raise self._fail(f"quote the value {plain}")
        words: dict[str, Data] = {"true": True, "false": False}
        if plain in words:
            return words[plain]
        if plain in ("null", "~"):
            raise self._fail("null is no value: leave the key out")
        if _NUMBER.match(plain):
            return float(plain) if "." in plain else int(plain)
        return plain

    def _quoted(self) -> str:
        quote = self.text[self.at]
        end = self.at + 1
        parts = []
        while True:
            close = self.text.find(quote, end)
            if close < 0:
                raise self._fail("a quote without its end")
            parts.append(self.text[end:close])
            end = close + 1
            if self.text[end : end + 1] != quote or quote == '"':
                break
            parts.append("'")
            end += 1
        self.at = end
        text = "".join(parts)
        if quote == '"' and "\\" in text:
            raise self._fail("a backslash within double quotes: use single quotes")
        return text

    def _list(self) -> list[Data]:
        self.at += 1
        result: list[Data] = []
        if self._skip() == "]":
            self.at += 1
            return result
        while True:
            result.append(self._value(",]"))
            if self._close("]"):
                return result

    def _map(self) -> dict[str, Data]:
        self.at += 1
        result: dict[str, Data] = {}
        if self._skip() == "}":
            self.at += 1
            return result
        while True:
            first = self._skip()
            if first and first in "\"'":
                key = self._quoted()
                if self.text[self.at : self.at + 2] != ": ":
                    raise self._fail(f"no ': ' after {key}")
                self.at += 2
            else:
                found = _KEY.match(self.text, self.at)
                if found is None:
                    raise self._fail("a map without 'key: value'")
                key = found["key"]
                self.at = found.end()
            if key in result:
                raise self._fail(f"{key} is written twice")
            result[key] = self._value(",}")
            if self._close("}"):
                return result

    def _close(self, end: str) -> bool:
        """Whether the collection ends here; otherwise stands behind the comma."""
        found = self._skip()
        self.at += 1
        if found == end:
            return True
        if found != ",":
            raise self._fail(f"no {end}")
        return False


def _lines(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        if end < 0:
            end = len(text)
        yield text[start:end].removesuffix("\r")
        start = end + 1


def _line_of(text: str, key: str) -> int:
    return next((n for n, line in enumerate(_lines(text), 1) if line.startswith(f"{key}:")), 1)


def _sections(rule: Rule) -> Iterator[Section]:
    title = ""
    line = rule.body_line
    lines: list[str] = []
    seen: set[str] = set()
    fence = ""
    for number, text in enumerate(_lines(rule.text), 1):
        if number <= rule.body_line:
            continue
        if text.startswith("```"):
            fence = "" if fence else "```"
        if not fence and text.startswith("#"):
            if not text.startswith("## "):
                raise PageError(rule.path, number, "headings of a page begin with '## '")
            yield Section(title, line, tuple(lines))
            title, line, lines = text[3:].strip(), number, []
            if title not in SECTIONS:
                message = f"no section is called {title}; {', '.join(SECTIONS)} are"
                raise PageError(rule.path, number, message)
            if title in seen:
                raise PageError(rule.path, number, f"a second section {title}")
            seen.add(title)
        else:
            lines.append(text)
    if fence:
        raise PageError(rule.path, line, "a code block without its end")
    yield Section(title, line, tuple(lines))


def _blocks(rule: Rule, section: Section) -> Iterator[Block]:
    start = 0
    info = ""
    body: list[str] = []
    earlier: Block | None = None
    for number, text in enumerate(section.lines, section.line + 1):
        if not text.startswith("```"):
            if start:
                body.append(text)
        elif start:
            block, turn = _block(rule, section.title, start, info, body)
            start = 0
            if turn == "before":
                if earlier is not None:
                    raise PageError(rule.path, block.line, "a second 'before' without its 'after'")
                if block.marks:
                    message = "a mark before the change: findings stand in what comes after it"
                    raise PageError(rule.path, block.marks[0].page_line, message)
                earlier = block
                continue
            if (turn == "after") != (earlier is not None):
                message = "an 'after' follows a 'before', and nothing else does"
                raise PageError(rule.path, block.line, message)
            if earlier is not None:
                source = f"# before\n{earlier.source}\n\n# after\n{block.source}"
                block = block._replace(base=earlier.files, source=source)
                earlier = None
            yield block
        else:
            start, info, body = number, text[3:].strip(), []
    if earlier is not None:
        raise PageError(rule.path, earlier.line, "a 'before' without its 'after'")


def _block(rule: Rule, title: str, line: int, info: str, body: list[str]) -> tuple[Block, str]:
    """A block, and whether it is the state ``before`` or ``after`` a change, or ``""``."""
    words = info.split()
    fence = words[0] if words else ""
    if fence not in _FENCES:
        message = f"an example in the unknown language {fence!r}; {', '.join(_FENCES)} are known"
        raise PageError(rule.path, line, message)
    language, name = _FENCES[fence]
    dialect = turn = ""
    listed: list[int] = []
    for word in words[1:]:
        if word in ("before", "after") and not turn:
            turn = word
            continue
        numbers = re.match(_FINDINGS, word)
        if numbers is not None and not listed:
            listed = [int(number) for number in numbers[1].split(",")]
        elif word in _DIALECTS.get(fence, {}) and not dialect:
            dialect = word
            language, name = _DIALECTS[fence][word]
        else:
            raise PageError(rule.path, line, f"the fence says {word!r}, which means nothing")
    files: dict[str, list[str]] = {}
    starts: dict[str, int] = {}
    where: list[tuple[str, int]] = []
    marks: list[Mark] = []
    separate = False
    for number, text in enumerate(body, line + 1):
        named = re.match(_FILE, text)
        if named is not None:
            name = named["path"]
            if files and not separate:
                raise PageError(rule.path, number, "lines stand before the first '# file:'")
            separate = True
            if name in starts or name.startswith("/") or ".." in name.split("/"):
                raise PageError(rule.path, number, f"a second or misplaced file {name}")
            starts[name] = number
            files[name] = []
            where.append((name, 0))
            continue
        if name not in starts:
            starts[name] = line
        lines = files.setdefault(name, [])
        lines.append(text)
        where.append((name, len(lines)))
        mark = re.search(_MARK, text.rstrip())
        if mark is not None:
            level = mark["level"]
            if level not in (None, "error", "warning", "note"):
                raise PageError(rule.path, number, f"a mark with the level {level}")
            marks.append(
                Mark(
                    name,
                    len(lines),
                    number,
                    mark["words"] or "",
                    Level.named(level) if level else None,
                )
            )
    for number in listed:
        if not 1 <= number <= len(where) or not where[number - 1][1]:
            raise PageError(rule.path, line, f"findings={number} is no line of the block")
        path, inside = where[number - 1]
        marks.append(Mark(path, inside, line + number))
    block = Block(
        section=title,
        language=language,
        dialect=dialect,
        line=line,
        files=MappingProxyType({path: "\n".join(text) + "\n" for path, text in files.items()}),
        marks=tuple(marks),
        starts=MappingProxyType(starts),
        source="\n".join(body),
        fence=fence,
    )
    return block, turn
