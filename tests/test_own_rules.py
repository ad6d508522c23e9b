"""Rules of one's own: what a match says on Terraform, pages as an enemy writes them, the commands."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from blastdoor import catalog, tables
from blastdoor.catalog import PageError
from blastdoor.cli import main
from blastdoor.engine import analyze_files

if TYPE_CHECKING:
    from collections.abc import Mapping

Run = Callable[..., tuple[object, str, str]]

PAGE = """\
---
id: {slug}
code: {code}
family: guard
title: Not ours
level: warning
confidence: high
axes: [guards]
modes: [state]
languages: [terraform]
default: on
{judgement}
fix: none
sources: ["our handbook"]
---

We have decided otherwise.

## Bad

```hcl
{bad}
```

## Good

```hcl
{good}
```

## How to fix

Read the handbook.
"""
BAD = 'resource "aws_db_instance" "a" {\n  backup_retention_period = 0 # finding\n}'
GOOD = BAD.replace("0 # finding", "14")
BACKUPS = "match: {resource: aws_db_instance, attribute: backup_retention_period, is: 0}"


def page(
    judgement: str = BACKUPS,
    slug: str = "no-backups",
    code: str = "ORG001",
    bad: str = BAD,
    good: str = GOOD,
) -> str:
    return PAGE.format(slug=slug, code=code, judgement=judgement, bad=bad, good=good)


def found(match: str, *, lines: bool = True, **files: str) -> list[str]:
    """``path:line message`` of each finding of a match."""
    rule = catalog.parse(page(f"match: {{{match}}}"), "ours/no-backups.md")
    report = analyze_files({f"{name}.tf": text for name, text in files.items()}, [rule])
    assert report.failures == []
    return [
        f"{finding.span} {finding.message.removeprefix('Not ours: ')}" if lines else finding.unit
        for finding in report.findings
    ]


# Matches on Terraform

RETENTION = "resource: aws_db_instance, attribute: backup_retention_period, "


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", ["main.tf:1 backup_retention_period is not set"]),
        ("backup_retention_period = null", ["main.tf:1 backup_retention_period is not set"]),
        ("backup_retention_period = 7", []),
        ("backup_retention_period = var.unknown", []),
        ("backup_retention_period = var.unknown ? null : 7", []),
        (
            "backup_retention_period = var.none",
            ["main.tf:1 backup_retention_period is not set"],
        ),
    ],
)
def test_an_argument_that_has_to_be_set(body: str, expected: list[str]) -> None:
    text = f'resource "aws_db_instance" "a" {{\n  {body}\n}}\n'
    variables = 'variable "unknown" {}\nvariable "none" {\n  default = null\n}\n'

    assert found(RETENTION + "missing: true", main=text, variables=variables) == expected


TAG = "resource: aws_s3_bucket, attribute: tags.Owner, missing: true"
BUCKET = 'resource "aws_s3_bucket" "a" {\n  %s\n}\n'


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("", ["main.tf:1 tags.Owner is not set"]),
        ("tags = null", ["main.tf:1 tags.Owner is not set"]),
        ('tags = { Name = "a" }', ["main.tf:2 tags.Owner is not set"]),
        ('tags = { Name = "a", Owner = null }', ["main.tf:2 tags.Owner is not set"]),
        ('tags = merge({ Name = "a" }, local.more)', ["main.tf:2 tags.Owner is not set"]),
        ('tags = var.own ? { Name = "a" } : {}', ["main.tf:2 tags.Owner is not set"]),
        ('tags = { "Owner" = "me" }', []),
        ("tags = { Owner = var.owner }", []),
        ("tags = var.tags", []),
        ("tags = merge(var.tags, local.more)", []),
        ('tags = { (var.owner) = "a" }', []),
        ('tags = var.own ? { Owner = "a" } : {}', []),
    ],
)
def test_a_tag_that_has_to_be_set(tags: str, expected: list[str]) -> None:
    more = 'variable "tags" {}\nvariable "owner" {}\nvariable "own" {}\nlocals {\n  more = {}\n}\n'

    assert found(TAG, main=BUCKET % tags, more=more) == expected


DYNAMIC = """\
dynamic "default_tags" {
    for_each = var.tags
    content {
      tags = var.tags
    }
  }"""


@pytest.mark.parametrize(
    ("provider", "number"),
    [
        ("", 1),
        ('default_tags {\n    tags = { Owner = "us" }\n  }', 0),
        ('default_tags {\n    tags = { Team = "us" }\n  }', 1),
        ("default_tags {\n    tags = var.tags\n  }", 0),
        (DYNAMIC, 0),
    ],
)
def test_a_tag_that_the_provider_sets_is_not_missing(provider: str, number: int) -> None:
    text = f'variable "tags" {{}}\nprovider "aws" {{\n  {provider}\n}}\n'
    label = "resource: google_storage_bucket, attribute: labels.owner, missing: true"

    assert len(found(TAG, main=BUCKET % "", providers=text)) == number
    assert found(label, main='resource "google_storage_bucket" "b" {}\n', p=GOOGLE) == []


GOOGLE = 'provider "google" {\n  default_labels = { owner = "us" }\n}\n'


def test_a_tag_that_a_caller_s_provider_may_set_is_not_known_to_be_missing() -> None:
    module = 'variable "name" {}\n' + BUCKET % "bucket = var.name"
    rule = catalog.parse(page(f"match: {{{TAG}}}"), "ours/no-backups.md")

    def places(files: Mapping[str, str]) -> list[str]:
        return [str(finding.span) for finding in analyze_files(files, [rule]).findings]

    call = 'provider "aws" {\n%s}\nmodule "a" {\n  source = "./m"\n  name = "a"\n}\n'
    tags = '  default_tags {\n    tags = { Owner = "us" }\n  }\n'
    assert places({"main.tf": call % "", "m/main.tf": module}) == ["m/main.tf:2"]
    assert places({"main.tf": call % tags, "m/main.tf": module}) == []
    uncalled = "terraform {\n  required_providers {\n    aws = {}\n  }\n}\n"
    assert places({"modules/m/main.tf": uncalled + module}) == []
    assert places({"live/main.tf": module, "live/terragrunt.hcl": ""}) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"m7i.metal-24xl"', True),
        ('"metal"', True),
        ('"m7i.large"', False),
        ('"${var.family}.metal"', False),
        ('var.big ? "m7i.metal" : "c7i.metal"', True),
        ('var.big ? "m7i.metal" : "c7i.large"', False),
    ],
)
def test_a_pattern(value: str, *, expected: bool) -> None:
    text = f'resource "aws_instance" "a" {{\n  instance_type = {value}\n}}\n'
    variables = 'variable "family" {}\nvariable "big" {}\n'
    match = "resource: aws_instance, attribute: instance_type, matches: '.*metal.*'"

    assert bool(found(match, main=text, v=variables)) is expected


def test_lists_of_what_is_allowed() -> None:
    text = "".join(
        f'resource "aws_instance" "{name}" {{\n  instance_type = {value}\n}}\n'
        for name, value in {
            "small": '"t3.small"',
            "large": '"t3.large"',
            "open": "var.type",
            "either": 'var.type == "x" ? "t3.large" : "t3.small"',
        }.items()
    )
    text += 'resource "aws_instance" "unset" {}\nvariable "type" {}\n'
    allowed = "resource: aws_instance, attribute: instance_type, not-in: [t3.micro, t3.small]"
    named = "resource: aws_instance, attribute: instance_type, not-matches: 't3\\.(micro|small)'"

    assert found(allowed, main=text) == ["main.tf:5 instance_type is t3.large"]
    assert found(named, main=text) == found(allowed, main=text)


def test_nested_blocks_keys_and_lists() -> None:
    text = """\
resource "aws_instance" "a" {
  metadata_options {
    http_endpoint = "enabled"
  }
  ebs_block_device {
    encrypted = true
  }
  ebs_block_device {
    device_name = "b"
  }
  ebs_block_device {
    encrypted = false
  }
}
resource "aws_security_group" "b" {
  ingress {
    cidr_blocks = ["10.0.0.0/8", "0.0.0.0/0"]
  }
}
resource "kubernetes_namespace" "c" {
  metadata {
    labels = {
      "app.kubernetes.io/name" = "c"
    }
  }
}
"""

    def on(match: str) -> list[str]:
        return found(match, main=text)

    disk = "resource: aws_instance, attribute: ebs_block_device.encrypted, "
    assert on("resource: aws_instance, attribute: metadata_options.http_tokens, missing: true") == [
        "main.tf:2 metadata_options.http_tokens is not set"
    ]
    assert on("resource: aws_instance, attribute: root_block_device.encrypted, missing: true") == [
        "main.tf:1 root_block_device.encrypted is not set"
    ]
    assert on(disk + "any-of: [{missing: true}, {is: false}]") == [
        "main.tf:8 ebs_block_device.encrypted is not set"
    ]
    assert on(disk + "is: false") == ["main.tf:12 ebs_block_device.encrypted is false"]
    assert on(
        "resource: aws_security_group, attribute: ingress.cidr_blocks, in: [0.0.0.0/0, '::/0']"
    ) == ["main.tf:17 ingress.cidr_blocks is 0.0.0.0/0"]
    label = "resource: kubernetes_namespace, attribute: [metadata, labels, %s], "
    name = label % "app.kubernetes.io/name"
    assert on(name + "is: c") == ['main.tf:23 metadata.labels["app.kubernetes.io/name"] is c']
    part = label % "app.kubernetes.io/part-of"
    assert on(part + "missing: true") == [
        'main.tf:22 metadata.labels["app.kubernetes.io/part-of"] is not set'
    ]


def test_data_sources_are_named_as_such() -> None:
    text = 'data "aws_ami" "a" {\n  owners = ["self", "amazon"]\n}\nresource "aws_ami" "b" {}\n'

    assert found("resource: data.aws_ami, attribute: owners, not-in: [self]", main=text) == [
        "main.tf:2 owners is amazon"
    ]
    assert found("resource: aws_ami, attribute: owners, missing: true", main=text) == [
        "main.tf:4 owners is not set"
    ]


def test_the_finding_stands_where_the_value_comes_in_and_says_from_where() -> None:
    module = 'variable "days" {}\nresource "aws_db_instance" "a" {\n'
    module += "  backup_retention_period = var.days\n}\n"
    files = {
        "main.tf": 'locals {\n  days = 0\n}\nmodule "m" {\n  source = "./m"\n  days = local.days\n}\n',
        "m/main.tf": module,
    }
    rule = catalog.parse(page(), "ours/no-backups.md")

    [finding] = analyze_files(files, [rule]).findings

    assert str(finding.span) == "main.tf:6"
    assert finding.message == ("Not ours: backup_retention_period is 0, local.days at main.tf:2")
    assert finding.unit == "module.m.aws_db_instance.a"
    assert [str(related.span) for related in finding.related] == ["main.tf:2"]


# Pages as an enemy writes them


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "ours"
    made.mkdir()
    return made


def refused(folder: Path) -> str:
    with pytest.raises(PageError) as caught:
        catalog.load(folder)
    return str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFO on this platform")
def test_a_fifo_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "no-backups.md")

    assert refused(folder) == "ours/no-backups.md:1: is no regular file"


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
@pytest.mark.parametrize("target", ["/dev/zero", "../page.md", "../../etc/passwd", "/etc/passwd"])
def test_a_link_out_of_the_folder_is_not_followed(folder: Path, target: str) -> None:
    (folder.parent / "page.md").write_text(page())
    (folder / "no-backups.md").symlink_to(target)

    assert refused(folder) == "ours/no-backups.md:1: leads out of the folder"


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_links_within_the_folder_are_followed_and_those_of_folders_out_of_it_not(
    folder: Path,
) -> None:
    (folder / "guard").mkdir()
    (folder / "real.txt").write_text(page())
    (folder / "guard" / "no-backups.md").symlink_to("../real.txt")
    assert [rule.id for rule in catalog.load(folder)] == ["no-backups"]

    (folder.parent / "theirs").mkdir()
    (folder.parent / "theirs" / "other.md").write_text(page(slug="other", code="ORG002"))
    (folder / "region").symlink_to(folder.parent / "theirs")
    assert refused(folder) == "ours/region/other.md:1: leads out of the folder"


def test_a_huge_page_is_not_read(folder: Path) -> None:
    with (folder / "no-backups.md").open("wb") as stream:
        stream.truncate(1 << 40)

    assert "bytes, more than the limit of 1,000,000" in refused(folder)


def test_a_folder_that_looks_like_a_page(folder: Path) -> None:
    (folder / "no-backups.md").mkdir()

    assert refused(folder).startswith("ours/no-backups.md:1: ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (page(code="GRD777"), "3: codes that begin with GRD belong to the shipped rules"),
        (page(slug="guard"), "2: guard is the name of a family"),
        (page("match: " + "[" * 5000), "12: more than 8 brackets"),
        (page("match: {resource: 'aws db', attribute: a, is: 1}"), "12: match names the resource"),
        (page("match: {resource: a, attribute: a..b, is: 1}"), "a path with an empty part"),
        (
            page("match: {resource: a, attribute: b, matches: '(?=a)'}"),
            "12: 'matches' is no regular",
        ),
        (page("match: {resource: a, attribute: b, not-in: 1}"), "'not-in' takes a list of scalars"),
        (page("detector: acme-rules.odd"), "12: no detector is called acme-rules.odd; --detectors"),
    ],
)
def test_errors_name_page_and_line(folder: Path, text: str, words: str) -> None:
    slug = "guard" if "id: guard" in text else "no-backups"
    (folder / f"{slug}.md").write_text(text)

    with pytest.raises(PageError) as caught:
        catalog.load(folder, detectors=())

    assert str(caught.value).startswith(f"ours/{slug}.md:")
    assert words in str(caught.value)


def test_lines_of_blanks_keep_nobody_busy(folder: Path) -> None:
    blanks = " " * 200_000
    text = page(bad=f"# finding:{blanks}x\n#{blanks}finding{blanks}(note\n" + BAD)
    (folder / "no-backups.md").write_text(text)

    [rule] = catalog.load(folder)

    assert [mark.words for mark in rule.blocks[0].marks] == ["x", ""]


def test_a_pattern_runs_in_linear_time() -> None:
    text = f'resource "aws_instance" "a" {{\n  instance_type = "{"a" * 4000}!"\n}}\n'

    assert found("resource: aws_instance, attribute: instance_type, matches: '(a+)+'", m=text) == []


def test_a_taken_name_is_the_fault_of_the_page_that_takes_it(folder: Path) -> None:
    shipped = next(iter(catalog.load()))
    (folder / f"{shipped.id}.md").write_text(page(slug=shipped.id))

    with pytest.raises(PageError) as caught:
        catalog.load(tables.home(), folder)

    assert str(caught.value) == (
        f"ours/{shipped.id}.md:2: {shipped.id} is the name of {shipped.path} too"
    )


def test_the_codes_of_shipped_rules_are_reserved() -> None:
    assert {rule.code[:3] for rule in catalog.load()} <= catalog.RESERVED


# The commands


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    root = tmp_path / "repo"
    (root / ".git").mkdir(parents=True)
    (root / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    monkeypatch.chdir(root)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def call(*arguments: str) -> tuple[object, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        return stopped.value.code, *capsys.readouterr()

    return call


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--family", "grant", "--level", "error", "--folder", "a/b"),
        ("--match", "aws_db_instance.backup_retention_period"),
        ("--match", "aws_s3_bucket.tags.Owner"),
        ("--match", "data.aws_ami.owners"),
        ("--match", "aws_instance.metadata_options.http_tokens"),
        ("--match", "kubernetes_namespace.metadata.labels.some/key"),
    ],
)
def test_a_new_page_passes_as_it_is_written(run: Run, options: tuple[str, ...]) -> None:
    code, out, err = run("rules", "new", "odd-thing", *options)
    path = out.split(" ", 1)[0]

    assert (code, err) == (0, "")
    assert run("rules", "test", path)[:2] == (
        0,
        f"{path}: 2 examples as the page says\n1 page, 2 examples: all as the pages say\n",
    )
    [rule] = catalog.load(Path(path).parent)
    assert (rule.id, rule.code, rule.level.word) == (
        "odd-thing",
        "ORG001",
        "error" if "error" in options else "warning",
    )


def test_new_pages_go_where_the_configuration_says_and_get_the_next_code(run: Run) -> None:
    Path("blastdoor.toml").write_text('rules = ["ours"]\n')
    assert run("rules", "new", "first")[0] == 0
    text = Path("ours/first.md").read_text()
    Path("ours/first.md").write_text(text.replace("ORG001", "ACM041"))

    code, out, _err = run("rules", "new", "second")

    assert code == 0
    assert out.startswith("ours/second.md is written: ACM042")
    assert "rules =" not in out
    passed = "2 examples as the page says\n"
    last = "2 pages, 4 examples: all as the pages say\n"
    said = f"ours/first.md: {passed}ours/second.md: {passed}{last}"
    assert run("rules", "test")[:2] == (0, said)
    assert "ACM042  second" in run("rules")[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("every-region-target",), "is the name of rules/region/every-region-target.md"),
        (("Odd",), "a slug of lower-case words"),
        (("guard",), "the name of a family"),
        (("taken",), "our-rules/taken.md: File exists"),
        (("odd", "--match", "aws_x"), "expected TYPE.ATTRIBUTE"),
        (("odd", "--match", "aws_x."), "expected TYPE.ATTRIBUTE"),
        (("odd", "--match", "a.b", "--detector", "c.d"), "either a match or a detector"),
        (("odd", "--detector", "Odd"), "a name such as"),
        (("odd", "--family", "review"), "'review' is not one of"),
        (("odd", "--folder", "taken.txt"), "is a file"),
    ],
)
def test_a_page_that_is_not_written(run: Run, arguments: tuple[str, ...], words: str) -> None:
    assert run("rules", "new", "taken")[0] == 0
    Path("taken.txt").write_text("")
    before = sorted(Path().rglob("*"))

    code, out, err = run("rules", "new", *arguments)

    assert (code, out) == (2, "")
    assert words in err
    assert sorted(Path().rglob("*")) == before


def test_what_differs_is_said_with_page_and_line(run: Run) -> None:
    Path("ours/guard").mkdir(parents=True)
    bad = BAD.replace("0 # finding", "1 # finding") + '\nresource "aws_db_instance" "b" {\n'
    bad += "  backup_retention_period = 0 # finding (note): is 1\n}"
    good = GOOD.replace("14", "0") + "\nlocals {\n  a = = 1\n}"
    Path("ours/guard/no-backups.md").write_text(page(bad=bad, good=good))

    code, out, _err = run("rules", "test", "ours")

    name = "ours/guard/no-backups.md"
    assert code == 1
    assert out.splitlines() == [
        f"{name}:23: expected a finding, found none",
        f"{name}:26: expected the level note, found warning: Not ours: backup_retention_period is 0",
        f"{name}:26: expected the words 'is 1', found: Not ours: backup_retention_period is 0",
        f"{name}:34: expected no finding, found: Not ours: backup_retention_period is 0",
        *[line for line in out.splitlines() if line.startswith(f"{name}:37: not analysed: ")],
        "1 page, 2 examples, 2 not as the page says",
    ]
    assert out.count("not analysed") == 1


def test_every_page_is_read_before_the_verdict(run: Run) -> None:
    Path("ours").mkdir()
    slug = next(iter(catalog.load())).id
    pages = {
        "no-backups": page(),
        "fine": page(slug="fine", code="ORG002"),
        "same": page(slug="same", code="ORG002"),
        "odd": page(slug="odd", code="ORG003").replace("fix: none", "fix: none\ncolour: red"),
        "empty": page(slug="empty", code="ORG004", bad="a = 1"),
        slug: page(slug=slug, code="ORG005"),
        "above": page(slug="above", code="ORG006").replace("fix:", "supersedes: [no-rule]\nfix:"),
        "over": page(slug="over", code="ORG007").replace("fix:", "supersedes: [fine]\nfix:"),
    }
    for name, text in pages.items():
        Path(f"ours/{name}.md").write_text(text)

    code, out, _err = run("rules", "test", "ours", "--quiet")
    lines = out.splitlines()

    assert code == 2
    assert [line.split(": cannot be used: ")[0] for line in lines[:-1]] == sorted(
        [
            "ours/above.md:13",
            f"ours/{slug}.md:2",
            "ours/empty.md:21",
            "ours/odd.md:14",
            "ours/same.md:3",
        ]
    )
    assert lines[-1] == "8 pages, 6 examples, 5 pages that cannot be used"
    assert run("rules", "test", "ours/same.md")[0] == 2
    assert run("rules", "test", "ours/fine.md", "ours/no-backups.md", "ours/fine.md")[0] == 2


def test_a_page_beside_the_named_one_counts_for_names_only(run: Run) -> None:
    Path("ours").mkdir()
    Path("ours/no-backups.md").write_text(page(good=BAD.replace(" # finding", "")))
    Path("ours/fine.md").write_text(page(slug="fine", code="ORG002"))
    Path("ours/broken.md").write_text("---\n")

    assert run("rules", "test", "ours/fine.md")[0] == 0
    assert run("rules", "test", "ours/no-backups.md")[0] == 1
    assert run("rules", "test", "ours")[0] == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "no rules to test"),
        (("nothing",), "nothing is neither a folder nor a page"),
        (("empty",), "empty holds no page: blastdoor rules new writes one"),
    ],
)
def test_nothing_to_test_is_2(run: Run, arguments: tuple[str, ...], words: str) -> None:
    Path("empty").mkdir()

    code, _out, err = run("rules", "test", *arguments)

    assert code == 2
    assert words in err


def test_the_shipped_pages_can_be_tested_in_place(run: Run) -> None:
    one = tables.home() / "guard" / "all-drift-ignored.md"

    code, out, _err = run("rules", "test", str(one))

    assert code == 0, out


def test_colour_obeys_no_color(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("ours").mkdir()
    Path("ours/no-backups.md").write_text(page(bad=BAD.replace("0", "1")))

    assert "\x1b[" not in run("rules", "test", "ours")[1]
    assert "\x1b[" in run("rules", "test", "ours", "--color", "always")[1]
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in run("rules", "test", "ours")[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run("rules", "test", "ours")[1]


def test_nothing_of_a_page_reaches_the_terminal_as_it_is(run: Run) -> None:
    Path("ours").mkdir()
    evil = BAD.replace('"a"', '"\x1b[2J"').replace("0", '"\x1b]0;owned\x07"')
    Path("ours/no-backups.md").write_text(page(bad=evil, good=evil.replace("#", "//")))
    Path("ours/b\u202e.md").write_text("\x1b[2J")

    out = "".join(map(str, run("rules", "test", "ours")))

    assert not {"\x1b", "\x07", "\u202e"} & set(out)


def test_options_of_the_list_are_not_taken_for_those_of_a_command(run: Run) -> None:
    for option in (("--format", "json"), ("--family", "region"), ("--isolated",)):
        code, _out, err = run("rules", *option, "test")

        assert code == 2
        assert f"{option[0]} stands before test" in err


@pytest.mark.parametrize("command", [(), ("new",), ("test",)])
def test_help_teaches(run: Run, command: tuple[str, ...]) -> None:
    code, out, _err = run("rules", *command, "--help")

    assert code == 0
    assert "Examples:" in out


# Detectors of installed distributions

DETECTOR = """\
from blastdoor.detect.hit import Hit

def odd(facts):
    for resource in facts.unit.resources:
        if resource.name == "odd":
            yield Hit(resource.span, f"{resource.address} is odd", resource.address)

number = 3
"""
ODD = page(
    "detector: acme-rules.odd",
    slug="odd-name",
    bad='resource "aws_sqs_queue" "odd" { # finding: is odd\n}',
    good='resource "aws_sqs_queue" "even" {}',
)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of installed distributions that has acme-rules."""
    packages = tmp_path / "packages"
    info = packages / "Acme_Rules-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: Acme_Rules\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[blastdoor.detectors]\nodd = acme_rules_odd:odd\nnone = acme_rules_odd:none\n"
        "number = acme_rules_odd:number\ngone = acme_rules_gone:odd\n"
        "[console_scripts]\nacme = acme_rules_odd:odd\n"
    )
    (packages / "acme_rules_odd.py").write_text(DETECTOR)
    monkeypatch.setattr("blastdoor.cli.detectors.folders", lambda: [str(packages)])
    monkeypatch.setattr(sys, "path", [str(packages), *sys.path])
    monkeypatch.delitem(sys.modules, "acme_rules_odd", raising=False)
    return packages


def ours(judgement: str = "detector: acme-rules.odd") -> None:
    Path("ours").mkdir()
    Path("ours/odd-name.md").write_text(ODD.replace("detector: acme-rules.odd", judgement))
    Path("blastdoor.toml").write_text('rules = ["ours"]\n')
    Path("main.tf").write_text('resource "aws_sqs_queue" "odd" {}\n')


def test_a_detector_runs_when_the_caller_names_its_distribution(run: Run, installed: Path) -> None:
    ours()

    assert installed.is_dir()
    assert run("rules", "test", "--detectors", "acme.rules")[0] == 0
    code, out, _err = run("check", "--detectors", "acme-rules", "--select", "ORG001")
    assert code == 1
    assert "aws_sqs_queue.odd is odd" in out
    assert "odd-name" in run("rules", "--detectors", "acme_rules")[1]
    assert run("explain", "odd-name", "--detectors", "acme-rules")[0] == 0
    Path("trusted.toml").write_text('rules = ["ours"]\ndetectors = ["acme-rules"]\n')
    assert run("check", "--config", "trusted.toml", "--select", "ORG001")[0] == 1


def test_a_detector_is_imported_only_for_a_rule_that_runs(run: Run, installed: Path) -> None:
    ours()
    (installed / "acme_rules_odd.py").write_text("raise SystemError('imported')\n")

    assert run("rules", "--detectors", "acme-rules")[0] == 0
    assert run("check", "--detectors", "acme-rules", "--select", "region")[0] == 0
    code, _out, err = run("check", "--detectors", "acme-rules", "--select", "ORG001")
    assert code == 2
    assert err == (
        "blastdoor: acme-rules.odd: the detector cannot be imported: SystemError: imported\n"
    )


@pytest.mark.parametrize(
    ("judgement", "arguments", "words"),
    [
        ("detector: acme-rules.odd", (), "no detector is called acme-rules.odd; --detectors acme-"),
        (
            "detector: acme-rules.odder",
            ("acme-rules",),
            "ours/odd-name.md:12: no detector is called",
        ),
        ("detector: acme-rules.acme", ("acme-rules",), "no detector is called acme-rules.acme"),
        ("detector: acme-rules.odd", ("other",), "no distribution called other is installed"),
        ("detector: acme-rules.none", ("acme-rules",), "cannot be imported: AttributeError"),
        ("detector: acme-rules.number", ("acme-rules",), "is no function"),
        ("detector: acme-rules.gone", ("acme-rules",), "cannot be imported: ModuleNotFound"),
        ("detector: acme-rules.odd", ("acme-rules", "--isolated"), "--isolated loads no detectors"),
    ],
)
def test_a_detector_that_is_not_there(
    run: Run, installed: Path, judgement: str, arguments: tuple[str, ...], words: str
) -> None:
    ours(judgement)
    assert installed.is_dir()
    options = ("--detectors", *arguments) if arguments else ()

    code, _out, err = run("check", *options)

    assert code == 2
    assert words in err


def test_the_code_under_review_names_no_detectors(run: Run, installed: Path) -> None:
    ours()
    assert installed.is_dir()
    Path("blastdoor.toml").write_text('rules = ["ours"]\ndetectors = ["acme-rules"]\n')

    code, _out, err = run("check")

    assert code == 2
    assert "detectors: is read only from a configuration that the caller names" in err


def test_no_module_comes_from_the_analysed_directory(
    run: Run, installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours()
    assert installed.is_dir()
    Path("acme_rules_odd.py").write_text("raise SystemError('ran')\n")
    monkeypatch.setattr(sys, "path", [str(Path.cwd()), *sys.path])

    code, _out, err = run("check", "--detectors", "acme-rules")

    assert code == 2
    assert "would come from" in err
    assert "it is not imported" in err
