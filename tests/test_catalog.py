"""The reader of rule pages: what it gives, and everything that it refuses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from blastdoor import catalog, pagetest, tables
from blastdoor.catalog import PageError
from blastdoor.detect import KNOWN
from blastdoor.finding import Level

if TYPE_CHECKING:
    from pathlib import Path

PAGE = """\
---
id: every-thing
code: TST001
family: region
title: A thing is everywhere
level: error
confidence: high
axes: [regions, accounts]
modes: [state]
languages: [terraform]
default: on
levels: {some-list: warning}
detector: region.every-thing
fix: none
sources: ["A book, page 3: the words"]
peers: {checkov: [CKV_1, CKV_2], trivy: []}
---

It hurts.

## Bad

```hcl
a = 1 # finding (note): words, and more
b = 2 # finding
```

## Good

```hcl findings=
```

## How to fix

Do not.
""".replace("```hcl findings=\n```", "```hcl\na = 2\n```")


def front(**changed: str | None) -> str:
    """The page with lines of its front matter replaced, added or (None) taken out."""
    text = PAGE
    for key, value in changed.items():
        line = "" if value is None else f"{key}: {value}\n"
        found = re.search(rf"(?m)^{key}:.*\n", text)
        text = text.replace(found[0], line) if found else text.replace("\n---\n", f"\n{line}---\n")
    return text


def parse(text: str) -> catalog.Rule:
    return catalog.parse(text, "rules/region/every-thing.md", family="region")


def test_metadata() -> None:
    rule = parse(PAGE)

    assert rule.id == "every-thing"
    assert rule.level is Level.ERROR
    assert rule.axes == ("regions", "accounts")
    assert rule.default == "on"
    assert dict(rule.levels) == {"some-list": Level.WARNING}
    assert rule.sources == ("A book, page 3: the words",)
    assert dict(rule.peers) == {"checkov": ("CKV_1", "CKV_2"), "trivy": ()}
    assert rule.detector == "region.every-thing"
    assert rule.match is None
    assert rule.supersedes == ()


def test_body() -> None:
    rule = parse(PAGE)

    assert rule.why == "It hurts."
    assert rule.fix_text == "Do not."
    assert rule.markdown.startswith("It hurts.\n\n## Bad")
    bad, good = rule.blocks
    assert (bad.section, bad.language, bad.line) == ("Bad", "terraform", 23)
    assert dict(good.files) == {"main.tf": "a = 2\n"}
    assert [(m.line, m.page_line, m.words, m.level) for m in bad.marks] == [
        (1, 24, "words, and more", Level.NOTE),
        (2, 25, "", None),
    ]


def test_help_holds_one_example_of_each_kind() -> None:
    text = parse(PAGE).help("terraform")

    assert text.startswith("It hurts.")
    assert text.count("```hcl") == 2
    assert "Do not." in text
    assert "```" not in parse(PAGE).help("python")


def test_nested_map_and_match() -> None:
    page = front(
        detector=None,
        levels="\n  some-list: warning\n  other: note",
        match='{resource: "AWS::A::B", attribute: c.d, any-of: [{is: false}, {in: [1, "off"]}]}',
    )

    rule = parse(page)

    assert dict(rule.levels) == {"some-list": Level.WARNING, "other": Level.NOTE}
    assert rule.match is not None
    assert rule.match.resources == ("AWS::A::B",)
    assert [c.values for c in rule.match.conditions] == [(False,), (1, "off")]


def test_files_of_a_block() -> None:
    block = parse(
        PAGE.replace(
            "a = 1 # finding (note): words, and more\n",
            "# file: main.tf\na = 1\n# file: modules/x/main.tf\n\n",
        )
    ).blocks[0]

    assert dict(block.files) == {"main.tf": "a = 1\n", "modules/x/main.tf": "\nb = 2 # finding\n"}
    assert [(m.path, m.line, m.page_line) for m in block.marks] == [("modules/x/main.tf", 2, 28)]


def test_findings_of_the_fence() -> None:
    page = PAGE.replace("```hcl\na = 2\n```", '```json terraform findings=1,1\n{"a": 2}\n```')
    block = parse(page.replace("## Good", "## Not found")).blocks[1]

    assert dict(block.files) == {"main.tf.json": '{"a": 2}\n'}
    assert [m.page_line for m in block.marks] == [31, 31]


@pytest.mark.parametrize(
    ("page", "line", "words"),
    [
        ("", 1, "begins with '---'"),
        ("---\nid: x\n", 1, "has no end"),
        (front(id="other-thing"), 2, "differs from the file's name"),
        (front(id="Every_Thing"), 2, "slug"),
        (front(code="T1"), 3, "three capital letters"),
        (front(family="account"), 4, "differs from the folder"),
        (front(family="nonsense"), 4, "not one of"),
        (front(title=None), 16, "no key title"),
        (front(title="[a]"), 5, "not a text"),
        (front(title="a: b"), 5, "quote the value"),
        (front(title="'a"), 5, "quote without its end"),
        (front(title="'a' b"), 5, "something follows"),
        (front(title=""), 5, "has no value"),
        (front(title="null"), 5, "null is no value"),
        (front(level="fatal"), 6, "not one of error, note, warning"),
        (front(confidence="sure"), 7, "not one of"),
        (front(axes="[regions, moons]"), 8, "holds moons"),
        (front(axes="[regions, regions]"), 8, "twice"),
        (front(axes="[]"), 8, "empty"),
        (front(axes="regions"), 8, "not a list of words"),
        (front(axes="[regions"), 8, "no ]"),
        (front(axes="[true]"), 8, "not a list of words"),
        (front(languages="[cobol]"), 10, "holds cobol"),
        (front(default="off"), 11, "not one of"),
        (front(levels="[a]"), 12, "not a map"),
        (front(levels="{a: loud}"), 12, "a level that is not one"),
        (front(levels="{A b: note}"), 12, "a map without"),
        (front(levels="{a: note, a: error}"), 12, "twice"),
        (front(detector=None), 16, "either 'match' or 'detector'"),
        (front(match="{resource: a, attribute: b, is: 1}"), 17, "either 'match' or 'detector'"),
        (front(detector="Everything"), 13, "a name such as"),
        (front(detector=None, match="{resource: a}"), 16, "exactly one of"),
        (front(detector=None, match="{resource: a, attribute: b, is: []}"), 16, "a scalar"),
        (front(detector=None, match="{resource: a, attribute: b, near: 1}"), 16, "near"),
        (front(detector=None, match="{resource: a, attribute: b, matches: '('}"), 16, "regular"),
        (front(fix="maybe"), 14, "not one of"),
        (front(sources="[]"), 15, "empty"),
        (front(peers="{checkov: CKV_1}"), 16, "no list of words"),
        (front(colour="red"), 17, "unknown key colour"),
        (PAGE.replace("fix: none", "fix: none\nfix: none"), 15, "written twice"),
        (PAGE.replace("fix: none", "fix: none\n  x: 1"), 15, "indented line"),
        (PAGE.replace("fix: none", "fix none"), 14, "not 'key: value'"),
    ],
)
def test_front_matter_is_read_strictly(page: str, line: int, words: str) -> None:
    with pytest.raises(PageError) as raised:
        parse(page)

    assert words in raised.value.message
    assert (raised.value.page, raised.value.line) == ("rules/region/every-thing.md", line)
    assert str(raised.value).startswith(f"rules/region/every-thing.md:{line}: ")


@pytest.mark.parametrize(
    ("page", "line", "words"),
    [
        (PAGE.replace("```hcl\na = 2", "```cobol\na = 2"), 30, "unknown language 'cobol'"),
        (PAGE.replace("```hcl\na = 2", "```python\na = 2"), 30, "does not claim"),
        (PAGE.replace("```hcl\na = 2", "```hcl loud\na = 2"), 30, "means nothing"),
        (PAGE.replace("```hcl\na = 2", "```hcl findings=7\na = 2"), 30, "no line of the block"),
        (PAGE.replace("a = 2", "a = 2 # finding"), 31, "a mark in a Good block"),
        (PAGE.replace("a = 2", "a = 2\n# file: b.tf"), 32, "before the first"),
        (PAGE.replace("a = 2", "# file: ../b.tf\na = 2"), 31, "misplaced file"),
        (PAGE.replace(" # finding", " # found"), 23, "without a '# finding' mark"),
        (PAGE.replace("(note)", "(loud)"), 24, "the level loud"),
        (PAGE.replace("## Good", "## Fine"), 28, "no section is called Fine"),
        (PAGE.replace("## Good", "## Bad"), 28, "a second section"),
        (PAGE.replace("## Good", "# Good"), 28, "begin with '## '"),
        (PAGE.replace("It hurts.\n", ""), 18, "does not say why"),
        (PAGE.replace("Do not.\n", ""), 17, "no section 'How to fix'"),
        (PAGE.replace("a = 2\n```", "a = 2"), 28, "without its end"),
        (front(languages="[terraform, python]"), 17, "no Bad block for python"),
        (PAGE.replace("## Good", "## Not found"), 17, "no Good block for terraform"),
    ],
)
def test_bodies_are_read_strictly(page: str, line: int, words: str) -> None:
    rule = parse(page)

    with pytest.raises(PageError) as raised:
        rule.check()

    assert words in raised.value.message
    assert raised.value.line == line


def _write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_a_folder_of_ones_own(tmp_path: Path) -> None:
    _write(tmp_path, "region/every-thing.md", PAGE)
    _write(tmp_path, "README.md", "# Not a page\n")

    rules = catalog.load(tmp_path, detectors={"region.every-thing"})

    assert [rule.id for rule in rules] == ["every-thing"]
    assert rules.named("tst001") is rules.named("Every-Thing")
    assert rules.get("nothing") is None
    assert "TST001" in rules
    with pytest.raises(KeyError):
        rules.named("nothing")


def test_unknown_detector(tmp_path: Path) -> None:
    _write(tmp_path, "region/every-thing.md", PAGE)

    with pytest.raises(PageError, match=r"every-thing\.md:13: no detector is called"):
        catalog.load(tmp_path, detectors=set())


def test_bodies_of_ones_own_pages_are_checked(tmp_path: Path) -> None:
    _write(tmp_path, "region/every-thing.md", PAGE.replace("## Good", "## Fine"))

    with pytest.raises(PageError, match="no section is called Fine"):
        catalog.load(tmp_path)


def test_names_are_unique(tmp_path: Path) -> None:
    _write(tmp_path, "region/every-thing.md", PAGE)
    _write(tmp_path, "region/second-thing.md", PAGE.replace("every-thing", "second-thing"))

    with pytest.raises(PageError, match="TST001 is the name of"):
        catalog.load(tmp_path)


def test_superseded_rules_exist(tmp_path: Path) -> None:
    _write(tmp_path, "region/every-thing.md", front(supersedes="[no-such-rule]"))

    with pytest.raises(PageError, match="supersedes no-such-rule"):
        catalog.load(tmp_path)


def test_a_folder_without_pages_is_no_rule_set(tmp_path: Path) -> None:
    with pytest.raises(PageError, match="a rule folder without a page"):
        catalog.load(tmp_path / "rules")


def test_a_page_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "every-thing.md").write_bytes(b"---\n\xff\n")

    with pytest.raises(PageError, match="not UTF-8"):
        catalog.load(tmp_path)


def test_the_checkout_has_the_pages() -> None:
    assert tables.home().name == "rules"
    assert (tables.home().parent / "analyzer").is_dir()


def test_every_page_names_a_detector_and_the_reverse() -> None:
    rules = catalog.load(detectors=KNOWN, thorough=True)

    assert {rule.detector for rule in rules if rule.detector} == set(KNOWN)


@pytest.mark.parametrize("section", ["Bad", "Good"])
def test_pages_that_give_templates_give_them_in_both_notations(section: str) -> None:
    given = {
        (rule.id, block.fence)
        for rule in catalog.load()
        for block in rule.blocks
        if block.language == "cloudformation" and block.section == section
    }
    in_yaml = {name for name, fence in given if fence == "yaml"}
    in_json = {name for name, fence in given if fence == "json"}

    assert in_yaml - in_json == set()
    assert in_json - in_yaml == set()


def test_the_index_is_fresh() -> None:
    text = (tables.home() / "README.md").read_text(encoding="utf-8")

    assert pagetest.index(catalog.load()) == text
