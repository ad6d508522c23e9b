"""What a whole repository speaks of: regions, partitions, environments, providers.

One look at every text of the configuration root, without parsing: a search for the tail of a region id
(``-east-1``) or for a word, and a closer look only where it stands. The time grows with the size of
the texts and with nothing else. What is found is evidence for levels and for rules that wait for it;
a place in a comment, in prose, in a table of every region there is or in a folder of tests and
examples is none.
"""

from __future__ import annotations

import posixpath
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.fact import Context
from blastdoor.span import Document, Span

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_PROVIDERS: Final = 256
"""Names of providers that are kept; a repository has a few dozen."""
DEMO_WORDS: Final = frozenset(
    {
        "test",
        "tests",
        "fixture",
        "fixtures",
        "example",
        "examples",
        "testdata",
        "demo",
        "demos",
        "samples",
    }
)
"""Directory names that hold nothing anyone deploys for real."""

_TAIL: Final = re.compile(r"-(?:north|south|east|west|central)(?:east|west)?-\d")
"""How every region id ends."""
_HEAD: Final = 12
"""Most code points that stand before the tail of a region id."""
_BEFORE: Final = re.compile(r"[a-z]{2,5}(?:-[a-z]{2,5})?\Z", re.ASCII)
_KEY: Final = re.compile(r"[ \t]*[=:]")
_PARTITION: Final = re.compile(r"(?<=[\":])aws-[a-z]{2,3}(?:-[a-z]{1,4})?(?=[\":])")
_PROVIDER: Final = re.compile(r'provider[ \t]+"([A-Za-z][\w-]{0,63})"[ \t]*\{')
_REGION: Final = re.compile(r'[{\n][ \t]*region[ \t]*=[ \t]*(?:"([a-z0-9-]{5,20})")?')
_ALIAS: Final = re.compile(r"\balias[ \t]*=")
_GLOBAL_HOME: Final = "us-east-1"
"""Where parts of CloudFront live: an alias there says nothing of where the rest goes."""
_TABLE: Final = 8
"""Regions of one text beyond which it is a table of what there is, not of what is used."""
_BLOCK: Final = 2000
"""Code points of a provider configuration that are looked at."""
_LINE: Final = 1000
"""Code points before a place in which a comment may begin."""
_WORD: Final = re.compile(r"[A-Za-z0-9]+")
_WHOLE_SEGMENTS: Final = frozenset(
    {"ci", "local", "live", "test", "tst", "example", "demo", "preview", "ephemeral", "stage"}
)
"""Environment words that mean one only as a whole path segment."""


class Gatherer:
    """Collects a `Context` text by text; the first place that says something is kept."""

    def __init__(self) -> None:
        self._regions: dict[str, Span] = {}
        self._pinned: dict[str, Span] = {}
        self._partitions: dict[str, Span] = {}
        self._environments: dict[str, str] = {}
        self._providers: dict[str, Span] = {}
        self._said = 0
        self._unsaid = 0

    def path(self, path: str) -> None:
        """Effect: notes the environment that a path speaks of."""
        if is_demo(posixpath.dirname(path)):
            return
        words = environment_words(posixpath.dirname(path))
        name, dot, _ending = posixpath.basename(path).partition(".tfvars")
        if dot:
            words += _WORD.findall(name)
        environment = tables.scopes().environment_of(words)
        if environment is not None:
            self._environments.setdefault(environment, path)

    def text(self, path: str, text: str) -> None:
        """Effect: notes what a text speaks of."""
        if is_demo(posixpath.dirname(path)):
            return
        document: Document | None = None

        def span(start: int, end: int) -> Span:
            nonlocal document
            document = document or Document(path, text)
            return Span(document, start, end)

        if "provider" in text:
            every = list(_PROVIDER.finditer(text))
            for number, found in enumerate(every):
                last = every[number + 1].start() if number + 1 < len(every) else len(text)
                self._provider(found, text, last, span)
        named: dict[str, tuple[int, int]] = {}
        for found in _TAIL.finditer(text):
            place = _region(text, found.start(), found.end())
            if place is None or text[slice(*place)] in named or commented(text, place[0]):
                continue
            named[text[slice(*place)]] = place
        if len(named) <= _TABLE:
            for region, place in named.items():
                if region not in self._regions:
                    self._regions[region] = where = span(*place)
                    partition = tables.partitions().regions[region]
                    self._partitions.setdefault(partition.id, where)
        if "aws-" in text:
            for found in _PARTITION.finditer(text):
                name = found.group()
                if name in self._partitions or tables.partitions().named(name) is None:
                    continue
                if not commented(text, found.start()):
                    self._partitions[name] = span(found.start(), found.end())

    def join(self, other: Gatherer) -> None:
        """Effect: adds what another has collected of texts that come after those here."""
        for mine, theirs in (
            (self._regions, other._regions),
            (self._pinned, other._pinned),
            (self._partitions, other._partitions),
        ):
            for name, place in theirs.items():
                mine.setdefault(name, place)
        for name, path in other._environments.items():
            self._environments.setdefault(name, path)
        for name, place in other._providers.items():
            if name not in self._providers and len(self._providers) < MAX_PROVIDERS:
                self._providers[name] = place
        self._said += other._said
        self._unsaid += other._unsaid

    def _provider(
        self, found: re.Match[str], text: str, last: int, span: Callable[[int, int], Span]
    ) -> None:
        """Effect: notes a provider configuration, which ends before ``last``."""
        name = found.group(1)
        if commented(text, found.start()):
            return
        if name not in self._providers and len(self._providers) < MAX_PROVIDERS:
            self._providers[name] = span(found.start(), found.end() - 1)
        if name != "aws":
            return
        start, last = found.end(), min(last, found.end() + _BLOCK)
        line = text.find("\n", start, last)
        one_line = text.find("}", start, max(line, start)) >= 0
        end = line if one_line else text.find("\n}", start, last)
        end = end if end >= 0 else last
        pinned = _REGION.search(text, start - 1, end)
        if pinned is None:
            self._unsaid += 1
            return
        self._said += 1
        region = pinned.group(1)
        if region == _GLOBAL_HOME and _ALIAS.search(text, start, end) is not None:
            return
        if region in tables.partitions().regions:
            self._pinned.setdefault(region, span(*pinned.span(1)))

    def context(self) -> Context:
        """What was collected, in the order of the names."""

        def frozen(places: dict[str, Span]) -> MappingProxyType[str, Span]:
            return MappingProxyType(dict(sorted(places.items())))

        return Context(
            frozen(self._regions),
            frozen(self._pinned),
            frozen(self._partitions),
            MappingProxyType(dict(sorted(self._environments.items()))),
            frozen(self._providers),
            regions_said=self._said,
            regions_unsaid=self._unsaid,
        )


def _region(text: str, dash: int, end: int) -> tuple[int, int] | None:
    """Where the region id ends whose tail was found; ``None`` when it is prose or no region.

    It counts as a quoted string of its own (an availability zone too), a key, a field of an ARN or a
    part of an address.
    """
    before = _BEFORE.search(text, max(0, dash - _HEAD), dash)
    if before is None:
        return None
    start = before.start()
    if text[start:end] not in tables.partitions().regions:
        return None
    left = text[start - 1 : start]
    right = text[end : end + 1]
    if left in ('"', "'") and right.isalpha():
        right = text[end + 1 : end + 2]
    if (left, right) in (('"', '"'), ("'", "'"), (":", ":"), (".", ".")):
        return start, end
    if (not left or left in " \t\n\r{,") and _KEY.match(text, end) is not None:
        return start, end
    return None


def commented(text: str, offset: int) -> bool:
    """Whether a comment begins before ``offset`` on its line, as far as one look tells."""
    least = max(0, offset - _LINE)
    line = text[max(least, text.rfind("\n", least, offset) + 1) : offset]
    return "#" in line or "//" in line


def is_demo(path: str) -> bool:
    """Whether a path lies in a folder of tests, fixtures or examples."""
    return any(word.lower() in DEMO_WORDS for word in path.split("/"))


def environment_words(directory: str) -> list[str]:
    """The words of a path that may name an environment: whole segments, and plain parts of them.

    ``ci-runners`` runs what ``ci`` runs but is no environment; ``network-prod`` is one's network.
    """
    words: list[str] = []
    for segment in directory.split("/"):
        words.append(segment)
        words.extend(w for w in _WORD.findall(segment) if w.lower() not in _WHOLE_SEGMENTS)
    return words
