"""``blastdoor.toml``: what it may say, and how it says what is wrong."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from blastdoor import config
from blastdoor.config import Config, ConfigError
from blastdoor.finding import Level

FULL = """
select = ["every-region-target", "RGN010"]
ignore = ["unknown-region"]
fail-on = "error"
pedantic = true
exclude = ["legacy/", "*.generated.tf"]
include = ["live/**"]
var-files = ["common.tfvars"]
rules = ["our-rules/"]
baseline = ".blastdoor/baseline.json"
max-file-size = 5_000_000

[levels]
every-region-target = "warning"

[paths."examples/**"]
ignore = ["unknown-region"]

[environments]
"live/prd-*" = "prod"
"live/**" = "staging"
"""


def load(folder: Path, text: str, name: str = "blastdoor.toml") -> Config:
    (folder / ".git").mkdir(exist_ok=True)
    (folder / ".git/HEAD").write_text("")
    (folder / name).write_bytes(text.encode())
    return config.load(folder)


def test_every_key(tmp_path: Path) -> None:
    found = load(tmp_path, FULL)

    assert found == Config(
        select=("every-region-target", "RGN010"),
        ignore=("unknown-region",),
        fail_on=Level.ERROR,
        pedantic=True,
        exclude=("legacy/", "*.generated.tf"),
        include=("live/**",),
        levels={"every-region-target": Level.WARNING},
        paths=(config.PathRules("examples/**", ("unknown-region",)),),
        environments={"live/prd-*": "prod", "live/**": "staging"},
        var_files=("common.tfvars",),
        rules=("our-rules/",),
        baseline=".blastdoor/baseline.json",
        max_file_size=5_000_000,
    )
    assert found.folder == Path(os.path.realpath(tmp_path))
    assert found.ignored_at("examples/a/main.tf") == {"unknown-region"}
    assert found.ignored_at("live/main.tf") == frozenset()
    assert found.environment_of("live/prd-eu/main.tf") == "prod"
    assert found.environment_of("live/x/main.tf") == "staging"
    assert found.environment_of("main.tf") is None


def test_every_field_is_a_key() -> None:
    names = {field.name for field in dataclasses.fields(Config)} - {"file"}

    assert {key.replace("-", "_") for key in config._KEYS} == names


def test_the_same_keys_stand_in_pyproject(tmp_path: Path) -> None:
    text = FULL.replace("[levels]", "[tool.blastdoor.levels]").replace(
        "[environments]", "[tool.blastdoor.environments]"
    )
    text = text.replace("[paths.", "[tool.blastdoor.paths.")

    found = load(tmp_path, f'[project]\nname = "x"\n[tool.blastdoor]\n{text}', "pyproject.toml")

    assert found == load(tmp_path, FULL)


def test_the_nearest_file_up_to_the_repository_root_holds(tmp_path: Path) -> None:
    (tmp_path / "blastdoor.toml").write_text("nonsense = 1")
    repository = tmp_path / "repository"
    inner = repository / "a/b"
    inner.mkdir(parents=True)

    assert load(repository, "pedantic = true").pedantic
    assert config.load(inner).pedantic
    assert config.load(inner).folder == Path(os.path.realpath(repository))
    (repository / "a/blastdoor.toml").write_text("")
    assert not config.load(inner).pedantic
    (repository / "a/blastdoor.toml").unlink()
    (repository / "blastdoor.toml").unlink()
    assert config.load(inner) == Config()


def test_isolated_and_named_files(tmp_path: Path) -> None:
    load(tmp_path, "pedantic = true")
    other = tmp_path / "other.toml"
    other.write_text('rules = ["../../elsewhere", "/opt/rules"]')

    assert config.load(tmp_path, isolated=True) == Config()
    assert config.load(tmp_path, file=other).rules == ("../../elsewhere", "/opt/rules")
    assert config.load(tmp_path, file=other, isolated=True).file == other
    with pytest.raises(ConfigError, match=r"none\.toml: does not exist"):
        config.load(tmp_path, file=tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        (
            "colour = 1",
            "colour",
            "unknown key; known are baseline, detectors, environments, exclude, fail-on",
        ),
        ("fail_on = 'error'", "fail_on", "unknown key"),
        ("select = 'x'", "select", "must be a list of strings, not a string"),
        ("select = ['x', 1]", "select[1]", "must be a string that is not empty, not a number"),
        ("select = ['']", "select[0]", "must be a string that is not empty, not an empty string"),
        ("fail-on = 'never'", "fail-on", "must be one of error, note, warning, not 'never'"),
        ("fail-on = []", "fail-on", "must be one of error, note, warning, not a list"),
        ("pedantic = 1", "pedantic", "must be true or false, not a number"),
        ("max-file-size = true", "max-file-size", "must be a whole number of bytes above 0"),
        ("max-file-size = 0", "max-file-size", "must be a whole number of bytes above 0"),
        ("baseline = 2027-01-01", "baseline", "must be a string that is not empty, not a date"),
        ("levels = []", "levels", "must be a table, not a list"),
        ("[levels]\nx = 'high'", "levels.x", "must be one of error, note, warning, not 'high'"),
        ("[paths]\n'a' = 1", 'paths."a"', "must be a table, not a number"),
        ("[paths.'a']\nselect = []", 'paths."a".select', "unknown key; known is ignore"),
        ("[paths.'a']\nignore = 'x'", 'paths."a".ignore', "must be a list of strings"),
        ("[environments]\n'a' = false", 'environments."a"', "not a boolean"),
        ("rules = ['../x']", "rules[0]", "'../x' leaves the folder of the configuration"),
        ("rules = ['a/../../x']", "rules[0]", "leaves the folder"),
        ("rules = ['..\\x']", "rules[0]", "leaves the folder"),
        ("var-files = ['/etc/passwd']", "var-files[0]", "leaves the folder"),
        ("baseline = 'C:/x'", "baseline", "leaves the folder"),
        ('baseline = "a\\u0000"', "baseline", "is no path"),
    ],
)
def test_errors_name_file_and_key(text: str, key: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)

    file = Path(os.path.realpath(tmp_path)) / "blastdoor.toml"
    assert str(caught.value).startswith(f"{file}: {key}: ")
    assert message in caught.value.message
    assert (caught.value.file, caught.value.key) == (str(file), key)


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        (b"a = 1\nb = \n", 2, "Invalid value"),
        (b"pedantic = true\npedantic = true\n", 2, "Cannot overwrite a value"),
        (b"# \xff", 1, "is not UTF-8"),
        (b"#\n\xff", 2, "is not UTF-8"),
        (b"a = " + b"[" * 50_000, None, ""),
        (b"#" * 1_000_001, None, "is no readable file of at most 1,000,000 bytes"),
    ],
    ids=["syntax", "duplicate", "encoding", "encoding on line 2", "depth", "size"],
)
def test_files_that_are_no_toml(
    data: bytes, line: int | None, message: str, tmp_path: Path
) -> None:
    (tmp_path / "blastdoor.toml").write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        config.load(tmp_path)

    assert caught.value.line == line
    assert message in caught.value.message


@pytest.mark.skipif(os.name == "nt", reason="symbolic links and FIFOs")
def test_a_found_file_is_never_a_link_or_fifo(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "real.toml").write_text("pedantic = true")
    (tmp_path / "a/blastdoor.toml").symlink_to("../real.toml")
    os.mkfifo(tmp_path / "b/blastdoor.toml")

    with pytest.raises(ConfigError, match="is a symbolic link; name it with --config"):
        config.load(tmp_path / "a")
    with pytest.raises(ConfigError, match="is no readable file"):
        config.load(tmp_path / "b")
    assert config.load(tmp_path, file=tmp_path / "a/blastdoor.toml").pedantic


def test_rules_that_do_not_exist(tmp_path: Path) -> None:
    found = load(tmp_path, FULL)
    known = ["every-region-target", "unknown-region", "rgn010"]
    found.check_rules(known)

    with pytest.raises(ConfigError, match=r"select: no rule is called 'RGN010'"):
        found.check_rules(known[:2])
    with pytest.raises(ConfigError, match=r'paths\."a"\.ignore: no rule is called'):
        load(tmp_path, "[paths.a]\nignore = ['x']").check_rules(known)
    with pytest.raises(ConfigError, match=r"levels\.x: no rule is called"):
        load(tmp_path, "[levels]\nx = 'note'").check_rules(known)
