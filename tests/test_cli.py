"""The command line, from arguments to what is written and the exit code."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from blastdoor import __version__, engine
from blastdoor.catalog import load
from blastdoor.cli import main
from blastdoor.cli.streams import Progress, progress_for, replacing
from blastdoor.report.linehash import line_hashes

EVERY = """\
data "aws_regions" "all" {}

resource "aws_cloudformation_stack_instances" "orders" {
  stack_set_name = "orders"
  accounts       = ["111122223333"]
  regions        = data.aws_regions.all.names
}
"""
CLEAN = 'resource "aws_s3_bucket" "logs" {\n  bucket = "logs"\n}\n'
PROVIDER = 'provider "aws" {\n  region = "eu-west-1"\n}\n'
BROKEN = 'resource "aws_s3_bucket" "b" {\n  bucket = = "b"\n}\n'
SLUG = "every-region-target"
SIX = ("us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2", "sa-east-1")


class Outcome:
    """What one run did."""

    def __init__(self, code: object, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    def data(self) -> dict[str, list[dict[str, object]]]:
        found: dict[str, list[dict[str, object]]] = json.loads(self.out)
        return found

    def places(self) -> list[tuple[object, object]]:
        return [(finding["rule"], finding["path"]) for finding in self.data()["findings"]]


Run = Callable[..., Outcome]
Write = Callable[[Mapping[str, str]], Path]


@pytest.fixture(autouse=True)
def quiet_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("NO_COLOR", "FORCE_COLOR", "CI", "BLASTDOOR_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    limit = sys.getrecursionlimit()
    yield
    sys.setrecursionlimit(limit)


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Files of a repository, which becomes the working directory."""

    def create(files: Mapping[str, str]) -> Path:
        root = tmp_path / "repo"
        (root / ".git").mkdir(parents=True)
        (root / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
        for path, text in files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        monkeypatch.chdir(root)
        return root

    return create


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str | Path) -> Outcome:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Outcome(stopped.value.code, out, err)

    return call


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Gives the process another standard input."""

    def replace(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return replace


# Exit codes


def test_nothing_found_is_0(write: Write, run: Run) -> None:
    write({"main.tf": CLEAN, "providers.tf": PROVIDER})

    done = run("check", "--select", "region")

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("no findings in 1 unit")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 1),
        (("--fail-on", "error"), 1),
        (("--fail-on", "note"), 1),
        (("--fail-on", "never"), 0),
        (("--exit-zero",), 0),
        (("--format", "sarif"), 1),
        (("--format", "json"), 1),
        (("--ignore", SLUG), 0),
        (("--select", "all-at-once"), 0),
    ],
)
def test_findings_are_1_when_they_weigh_enough(
    write: Write, run: Run, arguments: tuple[str, ...], code: int
) -> None:
    write({"main.tf": EVERY, "providers.tf": PROVIDER})

    assert run("check", *arguments).code == code


def test_a_level_below_the_bar_does_not_fail(write: Write, run: Run) -> None:
    config = f'fail-on = "error"\n[levels]\n{SLUG} = "warning"\n'
    write({"main.tf": EVERY, "providers.tf": PROVIDER, "blastdoor.toml": config})

    done = run("check")

    assert f"warning[{SLUG}]" in done.out
    assert done.code == 0
    assert run("check", "--fail-on", "warning").code == 1


def test_a_broken_file_is_2_whatever_was_found(write: Write, run: Run) -> None:
    write({"a/main.tf": EVERY, "a/providers.tf": PROVIDER, "b/main.tf": BROKEN})

    done = run("check", "--exit-zero")

    assert done.code == 2
    assert "failure[syntax]" in done.out
    assert "--> b/main.tf:2:" in done.out
    assert f"error[{SLUG}]" in done.out


def test_allowed_failures_leave_the_findings_to_decide(write: Write, run: Run) -> None:
    write({"a/main.tf": EVERY, "a/providers.tf": PROVIDER, "b/main.tf": BROKEN})

    assert run("check", "--allow-failures").code == 1
    assert run("check", "--allow-failures", "--exit-zero").code == 0
    assert run("check", "a").code == 1


def test_nothing_to_analyse_is_3(write: Write, run: Run) -> None:
    write({"README.md": "# Nothing\n"})

    done = run("check", "--format", "sarif")

    assert done.code == 3
    assert "nothing to analyse" in done.err
    assert json.loads(done.out)["runs"][0]["results"] == []


def test_what_only_looks_like_a_template_is_nothing_to_analyse(write: Write, run: Run) -> None:
    write({"serverless.yml": "resources:\n  Resources: {A: {Type: AWS::S3::Bucket}}\n"})

    done = run("check")

    assert done.code == 3
    assert "file with resources of AWS that is no template" in done.err


def test_hcl_files_of_other_tools_are_nothing_to_analyse(write: Write, run: Run) -> None:
    write({"web.hcl": "job {", "image.pkr.hcl": "source {", "large.hcl": "#" * 1_000_001})

    assert run("check").code == 3


def test_a_file_that_terragrunt_includes_may_be_named(write: Write, run: Run) -> None:
    unit = (
        'include "all" {\n  path = "../all.hcl"\n}\nterraform {\n  source = "git::https://x/y"\n}\n'
    )
    write(
        {
            "all.hcl": 'inputs = {\n  overrides = { "cn-north-1" = 1, "*" = 2 }\n}\n',
            "a/terragrunt.hcl": unit,
        }
    )

    done = run("check", "all.hcl")

    assert done.code == 1
    assert "--> all.hcl:2:" in done.out
    assert run("check", "a").code == 0


def test_a_file_that_is_too_large_is_not_called_absent(write: Write, run: Run) -> None:
    write({"main.tf": "#" * 1_000_001})

    done = run("check")

    assert done.code == 2
    assert done.err == "blastdoor: nothing to analyse: what is there could not be read\n"


def test_ignored_files_are_nothing_to_analyse_unless_named(write: Write, run: Run) -> None:
    write({"main.tf": EVERY, ".gitignore": "*.tf\n"})

    done = run("check")

    assert done.code == 3
    assert "ignored by git" in done.err
    assert run("check", "main.tf").code == 1


def test_an_error_of_the_program_is_one_line_and_2(
    write: Write, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"main.tf": CLEAN})

    def fail(*_arguments: object, **_more: object) -> None:
        raise RuntimeError("a\x1b[31mb")

    monkeypatch.setattr(engine, "check", fail)

    done = run("check")

    assert done.code == 2
    assert done.err.startswith("blastdoor: internal error: RuntimeError: a\\x1b[31mb (test_cli.py:")
    assert done.err.count("\n") == 1

    monkeypatch.setenv("BLASTDOOR_DEBUG", "1")
    with pytest.raises(RuntimeError):
        main(["check"])


def test_an_interrupt_is_130(write: Write, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write({"main.tf": CLEAN})

    def interrupt(*_arguments: object, **_more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "check", interrupt)

    assert run("check").code == 130


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("check", "missing"), "missing does not exist"),
        (("check", "--output", "sarif"), "expected one of text=FILE, json=FILE, sarif=FILE"),
        (("check", "--output", "xml=a"), "expected one of"),
        (("check", "--output", "json=no/such.json"), "its directory does not exist"),
        (("check", "--output", "json=live"), "is a directory"),
        (("check", "--output", "json=a", "--output", "sarif=a"), "target of two outputs"),
        (("check", "--output", "json=-", "--output", "text=-"), "target of two outputs"),
        (("check", "--output", "json=-", "--format", "text"), "target of two outputs"),
        (("check", "-", "live"), "is checked alone"),
        (("check", "--stdin-filename", "a.tf"), "goes with the path -"),
        (("check", "--config", "no.toml"), "no.toml: does not exist"),
        (("check", "--baseline", "no.json"), "no.json: no such baseline; --write-baseline"),
        (("check", "--var-file", "no.tfvars"), "no.tfvars: no such file"),
        (("check", "--var-file", "../outside.tfvars"), "lies outside of"),
        (("check", "--fail-on", "all"), "'all' is not one of"),
        (("check", "--slect", "a"), "--slect"),
        (("completion",), "Choose from: bash, zsh, fish\n"),
        (("chek",), "No such command 'chek'"),
        (("rules", "--family", "nothing"), "no family is called nothing; there are override,"),
        (("explain", "RGN01"), "no rule is called RGN01; did you mean RGN010"),
    ],
)
def test_what_the_caller_has_to_mend_is_2(
    write: Write, run: Run, arguments: tuple[str, ...], words: str
) -> None:
    root = write({"live/main.tf": CLEAN})
    (root.parent / "outside.tfvars").write_text("")

    done = run(*arguments)

    assert (done.code, done.out) == (2, "")
    assert words in done.err


# Rules by name


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("every-region-targets", "did you mean every-region-target"),
        ("rgn01", "did you mean RGN010"),
        ("regoin", "did you mean region"),
        ("qqqqqq", "`blastdoor rules` lists them"),
        ("\x1b[31m", "no rule is called \\x1b[31m"),
    ],
)
@pytest.mark.parametrize("option", ["--select", "--ignore"])
def test_an_unknown_rule_is_an_error_with_a_suggestion(
    write: Write, run: Run, option: str, name: str, hint: str
) -> None:
    write({"main.tf": CLEAN})

    done = run("check", option, name)

    assert done.code == 2
    assert hint in done.err


@pytest.mark.parametrize("names", [SLUG, "RGN010", "rgn010", "region", "grant, RGN010"])
def test_rules_are_selected_by_slug_code_or_family(write: Write, run: Run, names: str) -> None:
    write({"main.tf": EVERY, "providers.tf": PROVIDER})

    assert run("check", "--select", names, "--format", "json").places() == [(SLUG, "main.tf")]


def test_what_the_caller_selects_outweighs_what_the_file_ignores(write: Write, run: Run) -> None:
    write({"main.tf": EVERY, "providers.tf": PROVIDER, "blastdoor.toml": f'ignore = ["{SLUG}"]\n'})

    assert run("check").code == 0
    assert run("check", "--select", "RGN010").code == 1
    assert run("check", "--isolated").code == 1


def test_no_rule_left_is_an_error(write: Write, run: Run) -> None:
    write({"main.tf": CLEAN})

    done = run("check", "--select", SLUG, "--ignore", "region")

    assert (done.code, done.err) == (2, "blastdoor: no rule is left to run\n")


# Places


def test_paths_are_relative_to_the_repository_wherever_one_stands(
    write: Write, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write({"a/live/main.tf": EVERY, "a/live/providers.tf": PROVIDER, "b/main.tf": CLEAN})
    expected = [(SLUG, "a/live/main.tf")]

    assert run("check", "--format", "json").places() == expected
    monkeypatch.chdir(root / "a" / "live")
    assert run("check", "--format", "json").places() == expected
    monkeypatch.chdir(root.parent)
    assert run("check", root, "--format", "json").places() == expected


VARIED = {
    "live/blastdoor.toml": "",
    "live/app/main.tf": 'module "m" {\n  source = "../net"\n  regions = local.to\n}\n'
    'data "aws_regions" "all" {}\nlocals {\n  to = data.aws_regions.all.names\n}\n',
    "live/net/main.tf": EVERY.split("\n\n")[1].replace("data.aws_regions.all.names", "var.regions")
    + 'variable "regions" {}\n',
}


def test_the_terminal_names_files_as_one_would_open_them(
    write: Write, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write(VARIED)
    inside = "live/app/main.tf:3:13"

    for here, place, local in (
        (root, inside, "live/app/main.tf:7"),
        (root / "live", "app/main.tf:3:13", "app/main.tf:7"),
        (root / "live" / "net", "../app/main.tf:3:13", "../app/main.tf:7"),
        (root.parent, f"repo/{inside}", "repo/live/app/main.tf:7"),
    ):
        monkeypatch.chdir(here)
        target = os.path.relpath(root / "live", here)
        done = run("check", target, "--select", SLUG)

        assert f"--> {place}\n" in done.out
        assert f"), local.to at {local}" in done.out
        assert run("check", target, "--select", SLUG, "--no-snippets").out.startswith(f"{place}: ")
        log = run("check", target, "--select", SLUG, "--format", "json").data()["findings"][0]
        assert log["path"] == "live/app/main.tf"
        assert ", local.to at live/app/main.tf:7" in str(log["message"])


def test_paths_below_a_configuration_are_relative_to_the_repository_too(
    write: Write, run: Run
) -> None:
    write(
        {
            "a/blastdoor.toml": 'exclude = ["/old"]\n',
            "a/main.tf": EVERY,
            "a/providers.tf": PROVIDER,
            "a/old/main.tf": EVERY,
            "a/broken/main.tf": BROKEN,
        }
    )

    done = run("check", "a", "--format", "json")

    assert done.places() == [(SLUG, "a/main.tf")]
    assert [failure["path"] for failure in done.data()["failures"]] == ["a/broken/main.tf"]

    sarif = json.loads(run("check", "a", "--format", "sarif").out)["runs"][0]
    place = sarif["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]

    assert place["uri"] == "a/main.tf"


def test_a_named_file_selects_its_findings_and_its_directory_is_read(
    write: Write, run: Run
) -> None:
    fan = 'locals {\n  to = data.aws_regions.all.names\n}\n\ndata "aws_regions" "all" {}\n'
    use = EVERY.split("\n\n")[1].replace("data.aws_regions.all.names", "local.to")
    write(
        {
            "fan.tf": fan,
            "use.tf": use,
            "more.tf": EVERY.split("\n\n")[1].replace('orders" {', 'b" {'),
        }
    )

    assert run("check", "use.tf", "--format", "json").places() == [(SLUG, "use.tf")]
    assert run("check", "fan.tf", "--format", "json").places() == []


def test_several_paths_without_a_repository_have_to_lie_below_one(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("here/a", "here/b", "there"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "main.tf").write_text(CLEAN)
    monkeypatch.chdir(tmp_path / "here")

    assert run("check", "a", "b").code == 0

    done = run("check", "a", "../there")

    assert done.code == 2
    assert "lies outside of the working directory" in done.err


def test_excluded_files_are_not_reported_even_when_named(write: Write, run: Run) -> None:
    write({"old/main.tf": EVERY, "main.tf": CLEAN})

    assert run("check", "--exclude", "old/", "--select", "region").code == 0
    assert run("check", "old/main.tf", "--exclude", "old/").code == 3


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFO on this platform")
def test_a_fifo_is_not_opened(write: Write, run: Run) -> None:
    os.mkfifo(write({"main.tf": CLEAN}) / "pipe.tf")

    assert "neither a regular file nor a directory" in run("check", "pipe.tf").err


def test_values_from_a_file_of_the_caller(write: Write, run: Run) -> None:
    write(
        {
            "main.tf": EVERY.replace("data.aws_regions.all.names", "var.regions")
            + 'variable "regions" {\n  type = list(string)\n}\n',
            "providers.tf": PROVIDER,
            "envs/narrow.tfvars": 'regions = ["eu-west-1"]\n',
            "envs/wide.tfvars": "regions = [" + ", ".join(f'"{r}"' for r in SIX) + "]\n",
        }
    )

    narrow = run("check", "--var-file", "envs/narrow.tfvars", "--select", "region")
    wide = run("check", "--var-file", "envs/wide.tfvars", "--select", "region")

    assert narrow.code == 0
    assert wide.code == 1
    assert "envs/wide.tfvars" in wide.out


# Standard input


def test_standard_input_stands_alone(write: Write, run: Run, feed: Callable[[bytes], None]) -> None:
    write({})
    feed(EVERY.encode())

    assert run("check", "-", "--format", "json").places() == [(SLUG, "stdin.tf")]


def test_standard_input_takes_the_place_of_a_file(
    write: Write, run: Run, feed: Callable[[bytes], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write({"a/main.tf": CLEAN, "a/providers.tf": PROVIDER, "b/main.tf": EVERY})
    monkeypatch.chdir(root / "a")
    feed(EVERY.encode())

    done = run("check", "-", "--stdin-filename", "main.tf", "--format", "json")

    assert done.places() == [(SLUG, "a/main.tf")]


def test_standard_input_may_be_a_file_that_does_not_exist(
    write: Write, run: Run, feed: Callable[[bytes], None]
) -> None:
    write({"main.tf": CLEAN})
    feed(EVERY.encode())

    done = run("check", "-", "--stdin-filename", "new.tf", "--format", "json")

    assert done.places() == [(SLUG, "new.tf")]


def test_standard_input_has_to_be_text(
    write: Write, run: Run, feed: Callable[[bytes], None]
) -> None:
    write({})
    feed(b"a = 1\nb = \xff\n")

    done = run("check", "-")

    assert (done.code, done.err) == (2, "blastdoor: standard input is not UTF-8 in line 2\n")


def test_a_byte_order_mark_counts_for_fingerprints_but_not_for_columns(
    write: Write, run: Run
) -> None:
    line = 'resource "aws_s3_bucket" "b" { force_destroy = true }\n'
    rule = "data-kept-by-force-lost"
    root = write({"plain.tf": line})
    (root / "marked.tf").write_bytes(b"\xef\xbb\xbf" + line.replace('"b"', '"c"').encode())

    done = run("check", "--select", rule, "--format", "sarif")
    results = json.loads(done.out)["runs"][0]["results"]
    regions = [result["locations"][0]["physicalLocation"]["region"] for result in results]
    hashes = [result["partialFingerprints"]["primaryLocationLineHash"] for result in results]

    assert [(region["startLine"], region["startColumn"]) for region in regions] == [(1, 48)] * 2
    assert hashes == [
        line_hashes("\ufeff" + line.replace('"b"', '"c"'), {1})[1],
        line_hashes(line, {1})[1],
    ]
    assert "\ufeff" not in done.out
    text = run("check", "--select", rule).out
    assert "--> marked.tf:1:48\n  |\n1 | resource" in text
    assert "feff" not in text


# Outputs


def test_several_files_beside_the_text(write: Write, run: Run) -> None:
    root = write({"main.tf": EVERY, "providers.tf": PROVIDER})

    done = run(
        *("check", "--output", "sarif=out.sarif", "--output", "json=out.json"),
        *("--output", "text=out.txt"),
    )

    assert done.code == 1
    assert (root / "out.txt").read_text() == done.out
    assert json.loads((root / "out.json").read_text())["findings"][0]["rule"] == SLUG
    sarif = json.loads((root / "out.sarif").read_text())
    assert sarif["runs"][0]["results"][0]["ruleId"] == SLUG
    assert sorted(path.name for path in root.iterdir()) == [
        *(".git", "main.tf", "out.json", "out.sarif", "out.txt", "providers.tf"),
    ]


def test_an_output_may_be_standard_output(write: Write, run: Run) -> None:
    root = write({"main.tf": EVERY})

    assert run("check", "--output", "text=-").out == run("check").out
    done = run("check", "--output", "json=-", "--output", "text=out.txt")
    assert done.data()["findings"]
    assert (root / "out.txt").read_text() == run("check").out


def test_two_runs_are_equal(write: Write, run: Run) -> None:
    write({"main.tf": EVERY, "b/main.tf": BROKEN, "c/main.tf": EVERY})

    for form in ("text", "json", "sarif"):
        assert run("check", "--format", form).out == run("check", "--format", form).out


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    target.write_text("old")

    def fail() -> None:
        with replacing(str(target)) as stream:
            stream.write("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    with replacing(str(tmp_path / "link")) as stream:
        stream.write("new")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_nothing_from_a_file_reaches_the_terminal_as_it_is(write: Write, run: Run) -> None:
    evil = EVERY.replace('"111122223333"', '"\x1b]0;owned\x07\u202e"')
    write({"main.tf": evil, "b\u202e/main.tf": BROKEN.replace("= =", "= \x1b[2J")})

    for arguments in ((), ("--no-snippets",), ("--format", "json")):
        done = run("check", "--color", "never", *arguments)

        assert done.code == 2
        assert not {"\x1b", "\x07", "\u202e"} & set(done.out + done.err)


def test_colour_is_what_the_caller_and_the_environment_want(
    write: Write, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"main.tf": EVERY})

    assert "\x1b[" not in run("check").out
    assert "\x1b[" in run("check", "--color", "always").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in run("check").out
    assert "\x1b[" not in run("check", "--color", "never").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run("check").out
    assert "\x1b[" in run("check", "--color", "always").out
    assert "\x1b[" not in run("explain", SLUG).out


def test_quiet_leaves_the_findings(write: Write, run: Run) -> None:
    write({"main.tf": EVERY, "providers.tf": PROVIDER})

    done = run("check", "--quiet")

    assert f"error[{SLUG}]" in done.out
    assert "known of what" not in done.out


def test_no_snippets_quote_no_source(write: Write, run: Run) -> None:
    write({"main.tf": EVERY, "providers.tf": PROVIDER})

    done = run("check", "--no-snippets")

    assert done.out.startswith(f"main.tf:6:20: error[{SLUG}]: ")
    assert "regions        =" not in done.out
    assert '"snippet"' not in run("check", "--no-snippets", "--format", "sarif").out


def test_a_category_stands_in_the_log(write: Write, run: Run) -> None:
    write({"main.tf": EVERY})

    plain = json.loads(run("check", "--format", "sarif").out)["runs"][0]
    named = json.loads(run("check", "--format", "sarif", "--category", "live/").out)["runs"][0]

    assert "automationDetails" not in plain
    assert named["automationDetails"]["id"] == "live/"


# Suppressions and baseline

SILENT = EVERY.replace(
    "  regions        = d",
    f'  # blastdoor: ignore[{SLUG}] reason="a baseline"\n  regions        = d',
)


def test_suppressed_findings_are_left_out_unless_asked_for(write: Write, run: Run) -> None:
    write({"main.tf": SILENT, "providers.tf": PROVIDER})

    done = run("check")

    assert done.code == 0
    assert "1 suppressed" in done.out
    assert run("check", "--no-inline-suppressions").code == 1
    shown = run("check", "--include-suppressed", "--format", "json")
    assert (shown.code, len(shown.data()["suppressed"])) == (0, 1)


@pytest.mark.parametrize(
    ("comment", "words", "code"),
    [
        (f'ignore[{SLUG}] reason="a baseline" until=2020-01-01', "expired on 2020-01-01", 1),
        (f"ignore[{SLUG}]", "without a reason", 1),
        (
            f'ignore[{SLUG},all-at-once] reason="a baseline"',
            "all-at-once that suppresses nothing",
            0,
        ),
    ],
)
def test_a_comment_that_needs_mending_is_a_remark_and_the_findings_decide(
    write: Write, run: Run, comment: str, words: str, code: int
) -> None:
    text = SILENT.replace(f'ignore[{SLUG}] reason="a baseline"', comment)
    write({"main.tf": text, "providers.tf": PROVIDER})

    done = run("check")

    assert done.code == code
    assert "remark[suppression]: suppression" in done.out
    assert words in done.out
    assert "\n1 remark: 1 suppression\n" in done.out
    assert "failure" not in done.out
    assert "main.tf:6:3: remark[suppression]: " in run("check", "--no-snippets").out
    assert [f["fatal"] for f in run("check", "--format", "json").data()["failures"]] == [False]


def test_what_a_configuration_ignores_by_path_counts_as_suppressed(write: Write, run: Run) -> None:
    config = '[paths."old/**"]\nignore = ["RGN010"]\n'
    write({"old/main.tf": EVERY, "blastdoor.toml": config})

    done = run("check", "--include-suppressed", "--format", "json")

    assert done.code == 0
    assert done.places() == []
    assert done.data()["suppressed"][0]["suppression"] == {
        "reason": 'paths."old/**" of blastdoor.toml ignores the rule',
        "until": None,
    }


def test_a_baseline_silences_what_it_knows(write: Write, run: Run) -> None:
    root = write({"main.tf": EVERY, "providers.tf": PROVIDER})

    made = run("check", "--write-baseline", "known.json")

    assert made.code == 0
    assert "1 in the baseline" in made.out
    assert made.err == "blastdoor: wrote known.json with 1 finding\n"
    assert run("check", "--baseline", "known.json").code == 0

    more = EVERY.replace('"aws_regions" "all"', '"aws_regions" "b"').replace('" "orders"', '" "b"')
    (root / "more.tf").write_text(more.replace("aws_regions.all", "aws_regions.b"))
    grown = run("check", "--baseline", "known.json", "--format", "json")
    assert (grown.code, grown.places()) == (1, [(SLUG, "more.tf")])

    (root / "main.tf").write_text(CLEAN)
    (root / "more.tf").unlink()
    gone = run("check", "--baseline", "known.json")
    assert gone.err == "blastdoor: 1 entry of the baseline matches nothing any more\n"


def test_a_baseline_of_the_configuration(write: Write, run: Run) -> None:
    write({"main.tf": EVERY, "blastdoor.toml": 'baseline = "known.json"\n'})

    assert "no such baseline" in run("check").err
    assert run("check", "--write-baseline", "known.json").code == 0
    assert run("check").code == 0


def test_a_baseline_that_is_none(write: Write, run: Run) -> None:
    write({"main.tf": EVERY, "known.json": "{"})

    done = run("check", "--baseline", "known.json")

    assert done.code == 2
    assert "known.json: not a baseline" in done.err


# Configuration


def test_an_error_of_the_configuration_names_file_and_key(write: Write, run: Run) -> None:
    root = write({"main.tf": CLEAN, "blastdoor.toml": "fail_on = 3\n"})

    done = run("check")

    assert done.code == 2
    assert f"{root / 'blastdoor.toml'}: fail_on: unknown key" in done.err
    assert run("check", "--isolated", "--select", "region").code == 0


def test_rules_of_an_organisation(write: Write, run: Run) -> None:
    page = """\
---
id: bucket-named-logs
family: region
title: A bucket is called logs
level: warning
confidence: high
axes: [regions]
modes: [state]
code: ORG001
languages: [terraform]
default: on
match: {resource: aws_s3_bucket, attribute: bucket, is: logs}
fix: none
sources: [everybody]
peers: {}
---

Everybody calls it that.

## Bad
```hcl
resource "aws_s3_bucket" "b" {
  bucket = "logs" # finding
}
```
## Good
```hcl
resource "aws_s3_bucket" "b" {
  bucket = "lager"
}
```
## How to fix
Call it something else.
"""
    write(
        {
            "main.tf": CLEAN,
            "ours/region/bucket-named-logs.md": page,
            "blastdoor.toml": 'rules = ["ours"]\n',
        }
    )

    done = run("check", "--select", "ORG001", "--format", "json")

    assert (done.code, done.places()) == (1, [("bucket-named-logs", "main.tf")])
    assert "ORG001" in run("rules").out
    assert "Everybody calls it that." in run("explain", "org001").out
    assert "ORG001" not in run("rules", "--isolated").out


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_configuration_beside_the_code_stays_below_its_folder(write: Write, run: Run) -> None:
    root = write({"main.tf": CLEAN, "blastdoor.toml": 'rules = ["ours"]\n'})
    (root.parent / "theirs").mkdir()
    (root / "ours").symlink_to(root.parent / "theirs")

    assert "leads out of the folder" in run("check").err


# The other commands


def test_rules_are_a_table(run: Run) -> None:
    done = run("rules")
    lines = done.out.splitlines()

    assert done.code == 0
    assert lines[0].split() == ["CODE", "RULE", "LEVEL", "DEFAULT", "TITLE"]
    assert len(lines) == len(load()) + 1
    assert any(line.startswith(f"RGN010  {SLUG} ") for line in lines)


def test_rules_of_a_family_as_data(run: Run) -> None:
    rows = json.loads(run("rules", "--family", "grant", "--format", "json").out)

    assert {row["family"] for row in rows} == {"grant"}
    assert {"id", "code", "level", "default", "title"} <= set(rows[0])


@pytest.mark.parametrize("name", [SLUG, "RGN010", "rgn010"])
def test_explain_shows_the_page(run: Run, name: str) -> None:
    done = run("explain", name)

    assert done.code == 0
    assert done.out.startswith(f"# {SLUG}\n")
    assert "## How to fix" in done.out


def test_on_a_terminal_the_prose_of_a_page_is_wrapped_and_its_code_is_not(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_it_is = run("explain", SLUG).out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")

    wrapped = run("explain", SLUG).out

    assert wrapped.split() == as_it_is.split()
    prose, _, code = wrapped.partition("## Bad")
    assert max(map(len, prose.split("\n"))) <= 60
    assert "  for_each                  = toset(data.aws_regions.all.names) # finding" in code


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(run: Run, shell: str) -> None:
    done = run("completion", shell)

    assert done.code == 0
    assert f"_BLASTDOOR_COMPLETE={shell}_complete" in done.out


def test_completion_knows_the_rules(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_BLASTDOOR_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "blastdoor check --select GRT001,RGN01")
    monkeypatch.setenv("COMP_CWORD", "3")

    assert "plain,GRT001,RGN010\n" in run().out


def test_version_and_help(run: Run) -> None:
    assert run("--version").out == f"blastdoor {__version__}\n"
    for arguments in (("--help",), ("check", "-h")):
        done = run(*arguments)

        assert done.code == 0
        assert "Exit codes:" in done.out
        assert "Examples:" in done.out


def test_the_list_of_commands_cuts_no_sentence_off(run: Run) -> None:
    commands = run("--help").out.partition("Commands:")[2].partition("Examples:")[0]

    assert "..." not in commands
    assert "shares of a fleet." in " ".join(commands.split())


def test_the_audit_is_called_as_its_help_says(run: Run) -> None:
    assert run("audit", "--help").out.startswith("Usage: blastdoor audit [OPTIONS] [SOURCE]...\n")
    assert "`blastdoor audit --help` tells more." in run("audit", "--nothing").err


def test_no_command_is_answered_with_the_help_once(run: Run) -> None:
    done = run()

    assert done.code == 2
    assert done.err.count("Usage:") == 1
    assert done.err.startswith("Usage: blastdoor")


# The terminal


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_waits_then_shows_then_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("blastdoor.cli.streams.time.monotonic", lambda: now[0])
    stream = Terminal()
    progress = Progress(stream)
    progress(1, 4)
    assert stream.getvalue() == ""
    now[0] = 1.5
    progress(2, 4)
    progress(3, 4)
    assert stream.getvalue() == "\r[############------------] 2 of 4 units"
    progress.clear()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_progress_only_where_somebody_watches() -> None:
    assert progress_for(Terminal(), {}) is not None
    assert progress_for(Terminal(), {"CI": "false"}) is not None
    assert progress_for(Terminal(), {"CI": "true"}) is None
    assert progress_for(Terminal(), {"TERM": "dumb"}) is None
    assert progress_for(io.StringIO(), {}) is None


@pytest.mark.skipif(os.name == "nt", reason="pipes end otherwise on Windows")
def test_a_reader_that_leaves_changes_nothing(write: Write) -> None:
    root = write({f"d{number}/main.tf": EVERY for number in range(40)})
    program = subprocess.Popen(
        [sys.executable, "-m", "blastdoor", "check"],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert program.stdout is not None
    assert program.stderr is not None
    program.stdout.close()
    err = program.stderr.read()
    program.stderr.close()

    assert (program.wait(), err) == (1, b"")


@pytest.mark.skipif(os.name == "nt", reason="pipes end otherwise on Windows")
@pytest.mark.parametrize("arguments", [("rules",), ("explain", "RGN010")])
def test_a_reader_of_the_rules_may_leave(arguments: tuple[str, ...]) -> None:
    program = subprocess.Popen(
        [sys.executable, "-m", "blastdoor", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert program.stdout is not None
    assert program.stderr is not None
    program.stdout.close()
    err = program.stderr.read()
    program.stderr.close()

    assert (program.wait(), err) == (0, b"")


def test_starting_imports_neither_reports_nor_parsers() -> None:
    heavy = ["yaml", "sarif_om", "wcwidth", "subprocess", "asyncio", "blastdoor.engine"]
    code = (
        "import sys; from blastdoor.cli import commands;"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )

    assert done.stdout == "[]\n"


@pytest.mark.skipif(sys.flags.safe_path, reason="the interpreter already leaves it out")
def test_no_module_comes_from_the_directory_that_is_analysed(tmp_path: Path) -> None:
    for name in ("click", "json", "wcwidth", "re2"):
        (tmp_path / f"{name}.py").write_text("raise SystemError('ran')\n")
    (tmp_path / "main.tf").write_text(EVERY)
    (tmp_path / "out").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "blastdoor", "check", "--format", "sarif"],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )

    assert (done.returncode, done.stderr) == (1, "")


UNPROTECTED = """\
resource "aws_db_instance" "orders" {\r
  identifier          = "orders"\r
  deletion_protection = false # why\r
  skip_final_snapshot = true\r
}\r
"""


def test_fix_writes_what_is_safe_and_keeps_the_rest(write: Write, run: Run) -> None:
    file = write({"main.tf": ""}) / "main.tf"
    file.write_bytes(UNPROTECTED.encode())
    file.chmod(0o640)

    done = run("check", "--fix", "--select", "GRD001,GRD002")

    expected = UNPROTECTED.replace("= false", "= true").encode()
    assert file.read_bytes() == expected
    assert file.stat().st_mode & 0o777 == 0o640
    assert "1 finding in 1 file fixed; 1 more with --unsafe-fixes" in done.err
    assert "data-kept-by-force-lost" in done.out
    assert "deletion-protection-off" not in done.out


def test_show_fixes_prints_a_diff_and_writes_nothing(write: Write, run: Run) -> None:
    file = write({"main.tf": ""}) / "main.tf"
    file.write_bytes(UNPROTECTED.encode())

    done = run("check", "--show-fixes", "--unsafe-fixes", "--select", "GRD001,GRD002")

    assert file.read_bytes() == UNPROTECTED.encode()
    assert "-  skip_final_snapshot = true" in done.out
    assert "+  skip_final_snapshot = false" in done.out
    assert done.code == 1


def test_standard_input_cannot_be_fixed(
    write: Write, run: Run, feed: Callable[[bytes], None]
) -> None:
    write({"main.tf": ""})
    feed(UNPROTECTED.encode())

    done = run("check", "-", "--fix")

    assert done.code == 2
    assert "standard input cannot be fixed" in done.err


def test_a_known_finding_is_not_fixed(write: Write, run: Run) -> None:
    file = write({"main.tf": UNPROTECTED}) / "main.tf"
    before = file.read_bytes()
    run("check", "--select", "GRD001", "--write-baseline", "known.json")

    done = run("check", "--select", "GRD001", "--baseline", "known.json", "--fix")

    assert file.read_bytes() == before
    assert done.code == 0
