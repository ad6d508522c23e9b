"""``blastdoor init``: what a repository gets, and what it keeps."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from blastdoor import __version__, config
from blastdoor.cli import init as beginning
from blastdoor.cli import run
from blastdoor.cli.init import forge_of, with_hook

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
OPEN = """\
resource "aws_db_instance" "orders" {
  deletion_protection = false
}
"""
HOOKS = """\
# ours
repos:
  - repo: https://example.com/hooks  # pinned
    rev: v1
    hooks:
      - id: tidy

ci: {}
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "main.tf").write_text(OPEN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def remote(repository: Path) -> Callable[[str], None]:
    def add(url: str) -> None:
        subprocess.run(["git", "-C", str(repository), "remote", "add", "origin", url], check=True)

    return add


def data(file: Path) -> Any:
    return yaml.safe_load(file.read_text())


def files(folder: Path) -> set[str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix() for path in found if ".git/" not in str(path)}


def test_a_repository_on_github_gets_configuration_and_workflow(
    repository: Path, remote: Callable[[str], None]
) -> None:
    remote("git@github.com:example/infrastructure.git")

    assert run(["init"]) == 0

    assert files(repository) == {"main.tf", "blastdoor.toml", ".github/workflows/blastdoor.yml"}
    settings = config.read(repository / "blastdoor.toml", trusted=False)
    assert settings.baseline is None
    workflow = data(repository / ".github/workflows/blastdoor.yml")
    checkout, ours = workflow["jobs"]["reach"]["steps"]
    assert checkout["with"] == {"fetch-depth": 0}
    assert ours == {"uses": f"blastdoor/blastdoor@v{__version__}", "with": {"path": "."}}
    action = data(ROOT / "action.yml")
    assert set(ours["with"]) <= set(action["inputs"])


@pytest.mark.parametrize(
    ("url", "forge"),
    [
        ("https://github.com/example/x.git", "github"),
        ("git@github.com:example/x.git", "github"),
        ("https://gitlab.example.com/github.com/x.git", "gitlab"),
        ("ssh://git@gitlab.com/example/x.git", "gitlab"),
        ("https://example.com/github/x.git", "none"),
        ("https://notgithub.com/example/x.git", "none"),
    ],
)
def test_the_remote_shows_the_forge(
    repository: Path, remote: Callable[[str], None], url: str, forge: str
) -> None:
    remote(url)

    assert forge_of(repository) == forge


def test_no_forge_no_workflow(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init"]) == 0

    assert "--forge github or --forge gitlab writes one" in capsys.readouterr().out
    assert files(repository) == {"main.tf", "blastdoor.toml"}


def test_gitlab_gets_a_pipeline_that_includes_the_template(repository: Path) -> None:
    assert run(["init", "--forge", "gitlab"]) == 0

    (include,) = data(repository / ".gitlab-ci.yml")["include"]
    assert include["remote"].endswith(f"/v{__version__}/templates/blastdoor.yml")
    assert include["inputs"] == {"path": "."}


def test_a_pipeline_of_ones_own_is_only_shown_what_to_add(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline = repository / ".gitlab-ci.yml"
    pipeline.write_text("build:\n  script: [make]\n")

    assert run(["init", "--force"]) == 0

    assert pipeline.read_text() == "build:\n  script: [make]\n"
    assert ".gitlab-ci.yml is there already; add to it:\n\ninclude:\n" in capsys.readouterr().out


def test_what_is_there_stays_unless_forced(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / ".github").mkdir()
    mine = repository / "blastdoor.toml"
    mine.write_text('fail-on = "error"\n')

    assert run(["init"]) == 0
    assert mine.read_text() == 'fail-on = "error"\n'
    assert "blastdoor.toml is there already and stays as it is" in capsys.readouterr().out

    assert run(["init", "--force"]) == 0
    assert mine.read_text() == beginning.configuration(baseline=False)


def test_a_dry_run_writes_nothing(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / ".pre-commit-config.yaml").write_text(HOOKS)

    assert run(["init", "--dry-run", "--baseline", "--forge", "github"]) == 0

    assert files(repository) == {"main.tf", ".pre-commit-config.yaml"}
    assert (repository / ".pre-commit-config.yaml").read_text() == HOOKS
    out = capsys.readouterr().out
    assert beginning.workflow(".") in out
    assert "blastdoor-baseline.json would be written by: blastdoor check ." in out


def test_a_baseline_accepts_what_is_there(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", "-q"]) == 1

    assert run(["init", "--baseline"]) == 0

    known = json.loads((repository / "blastdoor-baseline.json").read_text())
    assert known["findings"]
    assert "is accepted, in blastdoor-baseline.json" in capsys.readouterr().out
    assert run(["check", "-q"]) == 0
    (repository / "more.tf").write_text(OPEN.replace("orders", "stock"))
    assert run(["check", "-q"]) == 1
    assert "aws_db_instance.stock" in capsys.readouterr().out


def test_a_baseline_for_a_configuration_that_is_there(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "blastdoor.toml").write_text("")

    assert run(["init", "--baseline"]) == 0

    assert 'add: baseline = "blastdoor-baseline.json"' in capsys.readouterr().out


def test_a_baseline_of_what_cannot_be_analysed_is_said(repository: Path) -> None:
    (repository / "broken.tf").write_text('resource "a" {\n')

    assert run(["init", "--baseline"]) == 2


def test_a_folder_gets_its_own_configuration_and_the_root_the_workflow(repository: Path) -> None:
    (repository / "live").mkdir()
    (repository / "live/main.tf").write_text(OPEN)
    (repository / ".pre-commit-config.yaml").write_text("repos: []\n")

    assert run(["init", "live", "--forge", "github", "--baseline"]) == 0

    assert (repository / "live/blastdoor.toml").exists()
    assert (repository / "live/blastdoor-baseline.json").exists()
    workflow = data(repository / ".github/workflows/blastdoor.yml")
    assert workflow["jobs"]["reach"]["steps"][1]["with"] == {"path": "live"}


def test_the_hook_goes_to_the_end_of_the_list(repository: Path) -> None:
    file = repository / ".pre-commit-config.yaml"
    file.write_text(HOOKS)

    assert run(["init"]) == 0

    added = f"""\
      - id: tidy
  - repo: https://github.com/blastdoor/blastdoor
    rev: v{__version__}
    hooks:
      - id: blastdoor

ci: {{}}
"""
    assert file.read_text() == HOOKS.replace("      - id: tidy\n\nci: {}\n", added)
    assert run(["init"]) == 0
    assert file.read_text().count("blastdoor/blastdoor") == 1


@pytest.mark.parametrize(
    "text",
    [
        "repos: [{repo: local, hooks: []}]\n",
        "- repo: local\n",
        "repos:\n  - repo: local\n   broken\n",
        "",
        "x: &a [*a]\n",
    ],
)
def test_a_list_of_hooks_that_is_written_otherwise_is_left_alone(text: str) -> None:
    assert with_hook(text, beginning.hook(".")) is None


def test_the_hook_goes_into_an_empty_list() -> None:
    longer = with_hook("ci: {}\nrepos: []  # none yet\n", beginning.hook("."))

    assert longer is not None
    assert "# none yet" in longer
    assert yaml.safe_load(longer)["repos"][0]["hooks"] == [{"id": "blastdoor"}]


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\n# the end\n"])
@pytest.mark.parametrize("indent", ["", "  ", "    "])
def test_the_rest_of_the_hooks_stays(indent: str, end: str) -> None:
    text = f"default_stages: [commit]\nrepos:\n{indent}- repo: local\n{indent}  hooks: []{end}"

    longer = with_hook(text, beginning.hook("live"))

    assert longer is not None
    old, new = yaml.safe_load(text), yaml.safe_load(longer)
    assert new["repos"][:-1] == old["repos"]
    assert new["repos"][-1]["hooks"] == [{"id": "blastdoor", "args": ["live"]}]


def test_a_link_is_not_followed(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "blastdoor.toml"
    elsewhere.write_text("precious\n")
    (repository / "blastdoor.toml").symlink_to(elsewhere)

    assert run(["init", "--force"]) == 2

    assert elsewhere.read_text() == "precious\n"
    assert "is a link" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a b", "$(id)", "ä", "x\ny"])
def test_a_folder_that_a_workflow_could_misread_is_refused(repository: Path, name: str) -> None:
    (repository / name).mkdir()

    assert run(["init", name, "--forge", "github"]) == 2

    assert files(repository) == {"main.tf"}


def test_nothing_to_analyse_may_be_fine(repository: Path) -> None:
    (repository / "package.json").write_text("{}")

    assert run(["check", "package.json", "-q"]) == 3
    assert run(["check", "package.json", "-q", "--allow-empty"]) == 0
