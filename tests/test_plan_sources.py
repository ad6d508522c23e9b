"""Which files are plans: named, tracked, piped, in Terraform's own form; and real ones."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from tests.plans import ADMIN, plan, resource

from blastdoor.cli import main
from blastdoor.source import Kind, Memory, Tree
from blastdoor.source.plans import Look, look

if TYPE_CHECKING:
    from pathlib import Path

PLAN = plan(resource("aws_iam_policy.all", {"policy": ADMIN}), indent=None)
STATE = '{"format_version":"1.0","terraform_version":"1.5.0","values":{"root_module":{}}}'
SCHEMAS = '{"format_version":"1.0","provider_schemas":{"planned_values":{}}}'

with_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not on the path")


class Outcome:
    """What one run of the command line did."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found

    def places(self) -> list[tuple[str, str]]:
        return [(f["rule"], f["path"]) for f in self.data()["findings"]]

    def failures(self) -> list[tuple[str, str]]:
        return [(f["path"], f["message"]) for f in self.data()["failures"]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    def call(*arguments: str, stdin: bytes = b"") -> Outcome:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        monkeypatch.setattr(sys, "argv", ["blastdoor", *arguments])
        code = 0
        try:
            main()
        except SystemExit as error:
            code = int(error.code or 0)
        out, err = capsys.readouterr()
        return Outcome(code, out, err)

    return call


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (PLAN, Look.PLAN),
        (json.dumps(json.loads(PLAN), indent=4), Look.PLAN),
        ('{"format_version":"1.2","planned_values":{}}', Look.PLAN),
        (STATE, Look.STATE),
        (SCHEMAS, None),
        ('{"format_version":"1.0","valid":true,"error_count":0}', None),
        ('{"name":"left-pad","version":"1.0.0"}', None),
        ("", None),
        ("{", None),
    ],
)
def test_the_beginning_tells_a_plan(text: str, expected: Look | None) -> None:
    assert look(text.encode()) is expected
    assert look(text.encode("utf-16")) is expected


def test_memory_lists_plans() -> None:
    memory = Memory({"plan.json": PLAN, "package.json": "{}", "schemas.json": SCHEMAS})

    assert [(e.path, e.kind) for e in memory.files()] == [("plan.json", Kind.PLAN)]


def git(root: Path, *arguments: str) -> None:
    environment = {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "HOME": str(root),
        "PATH": os.environ["PATH"],
    }
    subprocess.run(["git", *arguments], cwd=root, env=environment, capture_output=True, check=True)


@with_git
def test_a_walk_takes_only_plans_that_git_tracks(tmp_path: Path) -> None:
    for name, text in (
        ("tracked.json", PLAN),
        ("untracked.json", PLAN),
        ("ignored.json", PLAN),
        ("state.json", STATE),
        ("package.json", "{}"),
        (".gitignore", "ignored.json\n"),
    ):
        (tmp_path / name).write_text(text)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "tracked.json", "state.json", "package.json")
    tree = Tree(tmp_path)

    assert [(e.path, e.kind, e.reported) for e in tree.files()] == [
        ("tracked.json", Kind.PLAN, True)
    ]
    assert tree.skipped["Terraform state, no plan"] == 1
    # A file that is named is one whatever git says.
    named = Tree(tmp_path, named=["ignored.json"])
    assert [e.path for e in named.files()] == ["ignored.json", "tracked.json"]


def test_a_named_plan(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tfplan").write_text(PLAN)
    monkeypatch.chdir(tmp_path)
    done = run("check", "tfplan", "--format", "json")

    assert (done.code, done.places()) == (1, [("admin-grant", "tfplan")])


def test_a_plan_with_sorted_members_or_in_utf_16(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sorted.json").write_text(json.dumps(json.loads(PLAN), sort_keys=True, indent=2))
    (tmp_path / "wide.json").write_bytes(PLAN.encode("utf-16"))
    monkeypatch.chdir(tmp_path)

    for name in ("sorted.json", "wide.json"):
        assert run("check", name, "--format", "json").places() == [("admin-grant", name)]


def test_what_is_named_and_no_plan(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "state.json").write_text(STATE)
    with zipfile.ZipFile(tmp_path / "tfplan", "w") as archive:
        archive.writestr("tfplan", b"x")
    (tmp_path / "cut.json").write_text(PLAN[: len(PLAN) // 2])
    (tmp_path / "other.json").write_text("{}")

    done = run("check", "state.json", "--format", "json")
    assert (done.code, done.failures()[0][1][:24]) == (2, "is a state, not a plan: ")
    done = run("check", "tfplan", "--format", "json")
    assert (done.code, done.failures()) == (
        2,
        [("tfplan", "is a plan in Terraform's own form; `terraform show -json` writes it as JSON")],
    )
    done = run("check", "cut.json", "--format", "json")
    assert (done.code, done.failures()[0][1][-40:]) == (
        2,
        "ends within the JSON text: it is cut off",
    )
    assert run("check", "other.json", "--format", "json").code == 3


def test_a_plan_that_is_too_large(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(PLAN)
    tree = Tree(tmp_path, named=["plan.json"], max_size=100, max_plan=500)

    assert list(tree.files()) == []
    assert "more than the limit of 500" in tree.failures[0].message
    # The limit of other files is none for a plan.
    assert [e.path for e in Tree(tmp_path, named=["plan.json"], max_size=100).files()] == [
        "plan.json"
    ]


def test_a_plan_from_standard_input(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "main.tf").write_text(
        'resource "aws_iam_policy" "all" {\n  policy = local.policy\n}\n'
    )
    monkeypatch.chdir(tmp_path)

    data = PLAN.encode()
    assert run("check", "-", "--format", "json", stdin=data).places() == [
        ("admin-grant", "stdin.json")
    ]
    done = run("check", "-", "--stdin-filename", "plan.json", "--format", "json", stdin=data)
    assert done.places() == [("admin-grant", "main.tf")]
    done = run("check", "-", stdin=b"PK\x03\x04" + bytes(26) + b"tfplan")
    assert done.code == 2
    assert "terraform show -json" in done.err


@with_git
def test_the_sources_and_an_untracked_plan_together(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "main.tf").write_text(
        'resource "aws_iam_policy" "all" {\n  policy = local.policy\n}\n'
        'resource "aws_s3_bucket" "b" {\n  force_destroy = true\n}\n'
    )
    (tmp_path / "plan.json").write_text(PLAN)
    git(tmp_path, "init", "-q")
    monkeypatch.chdir(tmp_path)
    sources = ("data-kept-by-force-lost", "main.tf")

    assert run("check", "--format", "json").places() == [sources]
    done = run("check", ".", "plan.json", "--format", "json")
    assert done.places() == [("admin-grant", "main.tf"), sources]
    assert done.data()["summary"]["planned"] == {"create": 1}


# Real plans

REAL = """\
variable "word" {
  sensitive = true
  default   = "hunter2-hunter2"
}
locals {
  tiers = { a = 1, b = 2 }
}
resource "terraform_data" "one" {
  for_each = local.tiers
  input    = { word = var.word, tier = each.value, list = ["x", "y"] }
}
resource "terraform_data" "two" {
  count            = 2
  input            = terraform_data.one["a"].id
  triggers_replace = [count.index]
}
module "m" {
  source   = "./m"
  for_each = toset(["x"])
  name     = each.key
}
"""
REAL_MODULE = 'variable "name" {}\nresource "terraform_data" "in" {\n  input = var.name\n}\n'


def terraform(folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
    done = subprocess.run(
        ["terraform", *arguments], cwd=folder, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.mark.terraform
def test_real_plans_have_the_shape_that_is_read(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from blastdoor.evaluate.plan import evaluate_plan
    from blastdoor.units import Repository
    from blastdoor.value import Known, Unknown

    monkeypatch.chdir(tmp_path)
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "main.tf").write_text(REAL_MODULE)
    (tmp_path / "main.tf").write_text(REAL)
    terraform(tmp_path, "init", "-input=false")
    terraform(tmp_path, "plan", "-input=false", "-out=p.bin")
    text = terraform(tmp_path, "show", "-json", "p.bin")

    memory = Memory({"plan.json": text, "main.tf": REAL, "m/main.tf": REAL_MODULE})
    found = evaluate_plan(Repository(memory, list(memory.files())), "plan.json", text)
    resources = {(r.address, r.span.text): r for r in found.unit.resources}
    assert [address for address, _text in resources] == [
        "terraform_data.one",
        "terraform_data.one",
        "terraform_data.two",
        "terraform_data.two",
        "module.m.terraform_data.in",
    ]
    one = resources["terraform_data.one", '"terraform_data.one[\\"a\\"]"']
    assert one.names() == ("input",)
    assert "hunter2" not in found.document.text
    two = found.unit.resources[2]
    unknown = two.get("input")
    assert isinstance(unknown, Unknown)
    assert unknown.subject == 'terraform_data.one["a"].id'
    inner = found.unit.resources[4]
    name = inner.get("input")
    assert isinstance(name, Known)
    assert (inner.module, name.data) == ("m", "x")
    assert name.span is not None
    place = found.places.source_of(name.span).span
    assert place is not None
    assert (place.path, place.text) == ("m/main.tf", "var.name")
    assert found.planned == {"create": 5}

    assert run("check", "p.bin").code == 2
    (tmp_path / "plan.json").write_text(text)
    assert run("check", "plan.json").code == 0

    # A second run that destroys and replaces, against a state that is real too.
    terraform(tmp_path, "apply", "-input=false", "p.bin")
    (tmp_path / "main.tf").write_text(
        REAL.replace("[count.index]", '["other"]').replace(", b = 2", "")
    )
    terraform(tmp_path, "plan", "-input=false", "-out=p.bin")
    text = terraform(tmp_path, "show", "-json", "p.bin")
    (tmp_path / "plan.json").write_text(text)
    found = evaluate_plan(Repository(memory, []), "plan.json", text)
    changes = [(c.address, c.actions, c.replace_paths, c.action_reason) for c in found.unit.changes]
    assert changes == [
        ('terraform_data.one["b"]', ("delete",), (), "delete_because_each_key"),
        *(
            (
                f"terraform_data.two[{number}]",
                ("delete", "create"),
                (("triggers_replace",),),
                "replace_because_cannot_update",
            )
            for number in range(2)
        ),
    ]
    assert found.planned == {"destroy": 1, "replace": 2}
    assert "hunter2" not in found.document.text
    state = terraform(tmp_path, "show", "-json")
    (tmp_path / "state.json").write_text(state)
    assert run("check", "state.json").code == 2
