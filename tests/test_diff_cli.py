"""What `diff`, `reach` and `check --diff-base` are given, and what they say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from blastdoor.cli import run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not on the path")

ENVIRONMENT = {
    **{name: text for name, text in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "author",
    "GIT_AUTHOR_EMAIL": "author@example.com",
    "GIT_COMMITTER_NAME": "author",
    "GIT_COMMITTER_EMAIL": "author@example.com",
}
BASE = 'provider "aws" {\n  region = "cn-north-1"\n}\nresource "aws_sqs_queue" "a" {}\n'
HEAD = BASE.replace("cn-north-1", "us-east-1")


def git(where: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=where, env=ENVIRONMENT, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def write(where: Path, files: dict[str, str | None]) -> None:
    for name, text in files.items():
        path = where / name
        if text is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def commit(where: Path, files: dict[str, str | None]) -> str:
    write(where, files)
    git(where, "add", "-A")
    git(where, "commit", "-q", "-m", "a change")
    return git(where, "rev-parse", "HEAD")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    where = tmp_path / "repository"
    where.mkdir()
    git(where, "init", "-q", "-b", "main")
    commit(where, {"live/main.tf": BASE})
    monkeypatch.chdir(where)
    return where


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def axes(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(w["axis"], w["before"], w["after"]) for w in found["widenings"]]


MOVED = [("partitions", "aws-cn", "aws"), ("regions", "cn-north-1", "us-east-1")]


@pytest.mark.parametrize(
    ("names", "base", "head"),
    [
        (["main..topic"], "main", "topic"),
        (["main..."], "main", "HEAD"),
        (["main...topic"], "main", "topic"),
        (["..topic"], "HEAD", "topic"),
    ],
)
def test_dots_name_two_revisions(
    here: Path, capsys: pytest.CaptureFixture[str], names: list[str], base: str, head: str
) -> None:
    git(here, "switch", "-q", "-c", "topic")
    commit(here, {"live/main.tf": HEAD})
    git(here, "switch", "-q", "main")
    if names == ["main..."]:
        git(here, "switch", "-q", "topic")

    assert run(["diff", *names, "--format", "json"]) == 1
    found = document(capsys)
    assert (found["base"], found["head"]) == (base, head)
    assert axes(found) == MOVED


def test_three_dots_begin_where_head_left_and_two_where_base_is(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    git(here, "switch", "-q", "-c", "topic")
    commit(here, {"README.md": "a branch\n"})
    git(here, "switch", "-q", "main")
    commit(here, {"live/main.tf": HEAD})

    assert run(["diff", "main...topic"]) == 0
    capsys.readouterr()
    assert run(["diff", "main..topic"]) == 1
    assert "cn-north-1, was us-east-1" in capsys.readouterr().out


def test_without_snippets_the_table_stands(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = 'resource "aws_sqs_queue" "b" {}\n'
    commit(here, {"live/main.tf": BASE + more})
    write(here, {"live/main.tf": HEAD + more})

    assert run(["diff", "HEAD", "--no-snippets"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("live/main.tf:2:12: error[")
    assert "reach of the working tree, was HEAD" in out
    assert "regions     cn-north-1  us-east-1  aws_sqs_queue.a and 1 more" in out
    assert "   | " not in out


@pytest.mark.parametrize("option", ["--staged", "--cached"])
def test_what_is_staged(here: Path, capsys: pytest.CaptureFixture[str], option: str) -> None:
    write(here, {"live/main.tf": HEAD})
    assert run(["diff", option]) == 0
    assert "nothing reaches further than before" in capsys.readouterr().out

    git(here, "add", "-A")
    write(here, {"live/main.tf": BASE})
    assert run(["diff", option, "--format", "json"]) == 1
    found = document(capsys)
    assert found["head"] == "what is staged"
    assert [axis for axis in axes(found) if axis[1]] == MOVED

    assert run(["diff", "HEAD", option]) == 1
    assert run(["diff", "HEAD", "HEAD", option]) == 2
    assert "takes the place of HEAD" in capsys.readouterr().err


def test_what_is_only_meant_to_be_added_is_not_staged(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(here, {"live/more.tf": 'resource "aws_sqs_queue" "b" {\n  region = "us-east-1"\n}\n'})
    git(here, "add", "--intent-to-add", "live/more.tf")
    assert run(["diff", "--staged"]) == 0
    git(here, "add", "-A")
    assert run(["diff", "--staged", "--format", "json"]) == 0
    assert "us-east-1" in capsys.readouterr().out


def test_a_merge_that_is_not_resolved(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git(here, "checkout", "-q", "-b", "other")
    commit(here, {"live/main.tf": HEAD})
    git(here, "checkout", "-q", "main")
    commit(here, {"live/main.tf": BASE.replace("cn-north-1", "eu-west-1")})
    with pytest.raises(subprocess.CalledProcessError):
        git(here, "merge", "-q", "other")
    assert run(["diff", "--staged"]) == 2
    assert "not resolved" in capsys.readouterr().err


@pytest.mark.parametrize("how", ["working tree", "staged", "commits"])
def test_a_renamed_directory_is_followed(
    here: Path, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    database = 'resource "aws_db_instance" "orders" {\n  identifier = "orders"\n}\n'
    commit(here, {"live/main.tf": BASE + database})
    write(here, {"live/main.tf": None, "deploy/main.tf": BASE + database + "# moved\n"})
    arguments = ["diff", "HEAD"]
    if how != "working tree":
        git(here, "add", "-A")
        arguments = ["diff", "--staged"]
    if how == "commits":
        git(here, "commit", "-q", "-m", "moved")
        arguments = ["diff", "HEAD~1", "HEAD"]
    assert run([*arguments, "--format", "json"]) == 0
    found = document(capsys)
    assert (found["units"], found["widenings"], found["narrowings"]) == (["deploy"], [], [])


def test_what_git_ignores_is_an_input_of_both_sides(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = 'variable "region" {\n  default = "cn-north-1"\n}\n' + BASE.replace(
        '"cn-north-1"', "var.region"
    )
    commit(here, {"live/main.tf": text, ".gitignore": "*.tfvars\n"})
    write(here, {"live/terraform.tfvars": 'region = "us-east-1"\n', "live/main.tf": text + "# a\n"})
    assert run(["diff", "HEAD"]) == 0
    assert "nothing reaches further" in capsys.readouterr().out


def test_what_the_configuration_excludes_is_an_input(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(here, {"blastdoor.toml": 'exclude = ["live/**"]\n'})
    write(here, {"live/main.tf": HEAD})
    assert run(["diff", "HEAD"]) == 0
    assert "nothing reaches further" in capsys.readouterr().out


QUEUE = (
    '{"Resources": {"Q": {"Type": "AWS::SQS::QueuePolicy", "Properties": {"Queues": ["q"], %s}}}}'
)
STATEMENT = (
    '"PolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "%s"}, '
    '"Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:eu-west-1:111122223333:q"}]}'
)


def test_two_directories_of_synthesised_templates(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, who in (("old", "111122223333"), ("new", "*")):
        write(
            tmp_path,
            {
                f"{name}/cdk.out/Orders.template.json": QUEUE % (STATEMENT % who),
                f"{name}/cdk.out/manifest.json": '{"version": "1"}',
            },
        )
    old, new = str(tmp_path / "old" / "cdk.out"), str(tmp_path / "new" / "cdk.out")
    assert run(["diff", old, old]) == 0
    capsys.readouterr()
    assert run(["diff", old, new, "--format", "json"]) == 1
    found = document(capsys)
    assert (found["units"], found["failures"]) == (["Orders.template.json"], [])
    (widening,) = [w for w in found["widenings"] if w["finding"]["level"] == "error"]
    assert (widening["axis"], widening["rule"]) == ("principals", "principals-widened")
    assert (widening["file"], widening["line"]) == ("Orders.template.json", 1)


def test_the_document_has_what_scripts_read(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(here, {"live/main.tf": HEAD + 'resource "aws_sqs_queue" "b" {}\n'})
    out = here / "out.json"
    assert run(["diff", "HEAD", "--output", f"json={out}", "--select", "widening"]) == 1
    capsys.readouterr()
    found = json.loads(out.read_text(encoding="utf-8"))
    needed = {"axis", "before", "after", "rule", "unit", "file", "line", "evidence"}
    assert len(found["widenings"]) >= 2
    assert all(needed <= set(widening) for widening in found["widenings"])
    assert all(
        {"path", "line", "message"} == set(e) for w in found["widenings"] for e in w["evidence"]
    )


def test_one_line_of_a_provider_is_said_once_with_all_that_it_moves(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = "".join(f'resource "aws_sqs_queue" "q{n}" {{}}\n' for n in range(9))
    commit(here, {"live/main.tf": BASE + many})
    write(here, {"live/main.tf": HEAD + many})
    assert run(["diff", "HEAD", "--format", "json", "--select", "regions-widened"]) == 1
    (widening,) = document(capsys)["widenings"]
    assert "aws_sqs_queue.a and 9 more (provider.aws)" in widening["finding"]["message"]
    assert [e["message"] for e in widening["evidence"]] == [
        f"aws_sqs_queue.q{n} too" for n in range(9)
    ]


def test_the_chain_stands_in_the_sentence(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    each = 'data "aws_regions" "all" {}\nlocals {\n  all = data.aws_regions.all.names\n}\n'
    queue = 'resource "aws_sqs_queue" "e" {\n  for_each = toset(%s)\n  region = each.value\n}\n'
    commit(here, {"live/main.tf": BASE + each + queue % '["cn-north-1"]'})
    write(here, {"live/main.tf": BASE + each + queue % '["cn-north-1", "cn-northwest-1"]'})
    assert run(["diff", "HEAD", "--color", "never"]) == 1
    out = capsys.readouterr().out
    assert "regions: cn-north-1 and cn-northwest-1, was cn-north-1, via for_each = toset(" in out
    write(here, {"live/main.tf": BASE + each + queue % "local.all"})
    assert run(["diff", "HEAD", "--color", "never"]) == 1
    out = capsys.readouterr().out
    assert "every region of aws-cn, was cn-north-1, via for_each = toset(local.all)" in out


# Laundering


VARIABLE = 'variable "region" {\n%s}\n' + BASE.replace('"cn-north-1"', "var.region")


def test_nothing_is_laundered_through_a_variable(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(here, {"live/main.tf": VARIABLE % ""})
    assert run(["diff", "HEAD~1", "HEAD", "--format", "json"]) == 1
    found = document(capsys)
    assert {w["rule"] for w in found["widenings"]} == {"unknown-reach"}

    commit(here, {"live/other.tf": "# nothing\n"})
    commit(here, {"live/main.tf": VARIABLE % '  default = "us-east-1"\n'})
    assert run(["diff", "HEAD~1", "HEAD", "--format", "json"]) == 1
    found = document(capsys)
    assert [axis for axis in axes(found) if axis[1]] == MOVED
    evidence = found["widenings"][0]["evidence"]
    assert any("what the code said last" in e["message"] for e in evidence)

    commit(here, {"live/main.tf": VARIABLE % ""})
    commit(here, {"live/main.tf": VARIABLE % '  default = "us-east-1"\n'})
    assert run(["diff", "HEAD~1", "HEAD", "--format", "json"]) == 0
    assert document(capsys)["widenings"] == []


def test_nothing_is_laundered_through_a_new_directory(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(here, {"live/main.tf": None, "zzz/all.tf": HEAD.replace("{}", "{\n  name = 1\n}")})
    assert run(["diff", "HEAD", "--format", "json"]) == 1
    found = document(capsys)
    assert {("regions", "us-east-1")} <= {(w["axis"], w["after"]) for w in found["widenings"]}
    assert {w["finding"]["level"] for w in found["widenings"] if w["axis"] == "regions"} == {
        "error"
    }


# check --diff-base


PUBLIC = (
    'resource "aws_security_group" "g" {\n  ingress {\n    protocol = "tcp"\n    from_port = 22\n'
    '    to_port = 22\n    cidr_blocks = ["0.0.0.0/0"]\n  }\n}\n'
)


def test_check_says_only_what_the_change_brings(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    protected = (
        'resource "aws_db_instance" "d" {\n  deletion_protection = true\n'
        "  skip_final_snapshot = true\n}\n"
    )
    commit(here, {"live/main.tf": BASE + PUBLIC + protected})
    assert run(["check", "--fail-on", "error"]) == 1
    assert run(["check", "--diff-base", "HEAD"]) == 0
    capsys.readouterr()

    loose = protected.replace("protection = true", "protection = false")
    write(here, {"live/main.tf": BASE + loose + PUBLIC + PUBLIC.replace('"g"', '"h"')})
    assert run(["check", "--diff-base", "HEAD", "--format", "json"]) == 1
    found = document(capsys)
    said = {(f["rule"], f["level"], f["unit"]) for f in found["findings"]}
    assert said == {
        ("deletion-protection-off", "error", "aws_db_instance.d"),
        ("open-ingress-admin-port", "error", "aws_security_group.h"),
    }
    assert run(["check", "--diff-base", "HEAD", "--output", "sarif=o.sarif", "-q"]) == 1
    results = json.loads((here / "o.sarif").read_text(encoding="utf-8"))["runs"][0]["results"]
    assert {result["baselineState"] for result in results} == {"new"}
    capsys.readouterr()
    assert run(["check", "--diff-base", "nowhere"]) == 2
    assert "names no commit" in capsys.readouterr().err


def test_an_opening_that_only_a_change_makes_a_warning(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = PUBLIC.replace("22", "8443")
    commit(here, {"live/main.tf": BASE + other})
    assert run(["check"]) == 0
    assert run(["check", "--diff-base", "HEAD~1"]) == 1
    assert "warning[open-ingress-other]" in capsys.readouterr().out


def test_a_name_moved_is_no_new_finding(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commit(here, {"live/main.tf": BASE + PUBLIC})
    moved = "moved {\n  from = aws_security_group.g\n  to = aws_security_group.h\n}\n"
    write(here, {"live/main.tf": BASE + PUBLIC.replace('"g"', '"h"') + moved})
    assert run(["check", "--diff-base", "HEAD"]) == 0
    capsys.readouterr()


def test_a_template_elsewhere_that_does_not_parse(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = '{"AWSTemplateFormatVersion": "2010-09-09", "Resources": ${resources}}\n'
    commit(here, {"stack/it.json.template": broken, "live/b.tf": 'resource "x" {\n'})
    write(here, {"README.md": "nothing else\n"})
    assert run(["diff", "HEAD"]) == 0
    assert "failure" not in capsys.readouterr().out

    write(here, {"live/main.tf": HEAD})
    assert run(["diff", "HEAD"]) == 2
    out = capsys.readouterr().out
    assert "live/b.tf" in out
    assert "it.json.template" not in out

    git(here, "checkout", "-q", "live")
    write(here, {"stack/it.json.template": broken + "\n"})
    assert run(["diff", "HEAD"]) == 2
    assert "it.json.template" in capsys.readouterr().out


def test_a_new_name_is_no_new_finding(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def opened(*names: str) -> str:
        return "".join(
            f'resource "aws_security_group" "{name}" {{\n  ingress {{\n    protocol = "tcp"\n'
            '    from_port = 22\n    to_port = 22\n    cidr_blocks = ["0.0.0.0/0"]\n  }\n}\n'
            for name in names
        )

    commit(here, {"live/main.tf": BASE + opened("a")})
    write(here, {"live/main.tf": BASE + opened("b")})
    assert run(["diff", "HEAD", "--format", "json"]) == 0
    assert document(capsys)["introduced"] == []

    write(here, {"live/main.tf": BASE + opened("b", "c")})
    assert run(["diff", "HEAD", "--format", "json"]) == 1
    (finding,) = document(capsys)["introduced"]
    assert finding["rule"] == "open-ingress-admin-port"


def test_a_new_sid_is_no_new_finding(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def bucket(*sids: str) -> str:
        statements = ", ".join(
            f'{{ Sid = "{sid}", Effect = "Allow", Principal = "*", Action = "s3:GetObject", '
            f'Resource = "arn:aws-cn:s3:::{sid[-1]}/*" }}'
            for sid in sids
        )
        return (
            'resource "aws_s3_bucket_policy" "p" {\n  bucket = "a"\n'
            f"  policy = jsonencode({{ Statement = [{statements}] }})\n}}\n"
        )

    commit(here, {"live/main.tf": BASE + bucket("ReadA")})
    write(here, {"live/main.tf": BASE + bucket("PublicReadA", "PublicReadB")})
    assert run(["check", "--diff-base", "HEAD", "--format", "json"]) == 1
    (finding,) = document(capsys)["findings"]
    assert (finding["rule"], finding["attribute"]) == ("public-principal", "policy[PublicReadB]")


# reach


def test_the_map(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = HEAD.replace('provider "aws"', 'provider "aws"') + (
        'data "aws_regions" "all" {}\n'
        'resource "aws_sqs_queue" "e" {\n  for_each = toset(data.aws_regions.all.names)\n'
        "  region = each.value\n}\n"
    )
    write(here, {"other/prod/main.tf": text})
    assert run(["reach", "--color", "never"]) == 0
    out = capsys.readouterr().out
    assert "live  production  1 resource\n  regions     cn-north-1" in out
    assert "other/prod  production  2 resources\n  regions     every region of aws" in out
    assert "2 units, 3 resources" in out
    assert max(map(len, out.splitlines())) <= 120

    assert run(["reach", "live", "--format", "json"]) == 0
    found = document(capsys)
    (unit,) = found["units"]
    assert (unit["unit"], unit["resources"]) == ("live", 1)
    (region,) = unit["regions"]
    assert (region["reach"], region["known"]) == ("cn-north-1", True)
    assert (region["resources"], region["file"], region["line"]) == (
        ["aws_sqs_queue.a"],
        "live/main.tf",
        2,
    )


def test_a_map_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert run(["reach", str(tmp_path / "empty")]) == 3
    assert run(["reach", str(tmp_path / "none")]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_a_table_of_what_only_narrowed_has_its_heading_above(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = 'resource "aws_db_instance" "a" {\n  deletion_protection = false\n}\n'
    commit(here, {"live/main.tf": bare})
    write(here, {"live/main.tf": bare.replace("false", "true")})

    assert run(["diff", "HEAD"]) == 0

    table = capsys.readouterr().out.split("\n\n")[1].split("\n")
    assert table[0] == "narrower than before"
    assert table[1].split() == ["axis", "before", "after", "what"]
    assert table[2].startswith("guards  none    deletion_protection = true  aws_db_instance.a")
