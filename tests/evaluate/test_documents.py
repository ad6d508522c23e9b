"""Documents: which files are read, exact places in every form, and what is left alone."""

from __future__ import annotations

import pytest

from blastdoor import catalog
from blastdoor.change import analyze_files as compare
from blastdoor.engine import Options, check
from blastdoor.finding import FailureKind
from blastdoor.source import Memory

_RULES = tuple(catalog.load())
DESTROY = "terraform destroy -auto-approve"


def places(path: str, text: str, rule: str = "destroy-command") -> list[tuple[int, str]]:
    report = check(Memory({path: text}), _RULES, Options(select=frozenset({rule})))
    assert report.failures == []
    return [(f.span.begin.line, f.span.text) for f in report.findings]


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        (".github/workflows/a.yml", f"jobs:\n  a:\n    steps:\n      - run: {DESTROY}\n", 4),
        (".github/workflows/a.yml", f"jobs:\n  a:\n    steps:\n      - run: '{DESTROY}'\n", 4),
        (".github/workflows/a.yml", f"a:\n  - run: |\n      x\n      {DESTROY}\n", 4),
        (".github/actions/x/action.yml", f"runs:\n  steps:\n    - run: {DESTROY}\n", 3),
        (".gitlab-ci.yml", f"a:\n  script:\n    - x\n    - {DESTROY}\n", 4),
        ("ci/x.gitlab-ci.yml", f"a:\n  before_script: [x, {DESTROY}]\n", 2),
        (".circleci/config.yml", f"jobs:\n  a:\n    - run:\n        command: {DESTROY}\n", 4),
        ("buildspec.yml", f"phases:\n  build:\n    commands:\n      - {DESTROY}\n", 4),
        ("bitbucket-pipelines.yml", f"pipelines:\n  - step:\n      script:\n        - {DESTROY}\n", 4),
        ("azure-pipelines.yml", f"steps:\n  - script: {DESTROY}\n", 2),
        (".buildkite/pipeline.yml", f"steps:\n  - command: {DESTROY}\n", 2),
        ("run.sh", f"cd x\n  {DESTROY} || true\n", 2),
        ("Makefile", f"X := $(shell date)\nrepair: x\n\t@cd x\n\t-@{DESTROY}\n", 4),
        ("more.mk", f"repair:\n\tcd $(DIR) && {DESTROY}\n", 2),
    ],
)  # fmt: skip
def test_a_command_stands_where_it_is_written(path: str, text: str, line: int) -> None:
    assert places(path, text) == [(line, DESTROY)]


@pytest.mark.parametrize(
    "path",
    ["docs/a.yml", "main.yml", "notes.txt", "a.github/workflows.yml", ".github/workflows/x.json"],
)
def test_other_files_are_no_pipelines(path: str) -> None:
    assert places(path, f"jobs:\n  a:\n    steps:\n      - run: {DESTROY}\n") == []


def test_a_folded_script_is_found_at_its_value() -> None:
    text = "jobs:\n  a:\n    steps:\n      - run: >\n          terraform\n          destroy\n"
    ((line, _text),) = places(".github/workflows/a.yml", text)
    assert line == 4


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("region-overrides.yaml", 'cn-north-1: {a: 1}\n"*": {a: 2}\n', (2, '"*"')),
        ("x/overrides.yml", "o:\n  cn-north-1: {a: 1}\n  all: {a: 2}\n", (3, "all")),
        ("overrides.json", '{"cn-north-1": {"a": 1},\n "*": {"a": 2}}', (2, '"*"')),
        ("overrides.toml", "[cn-north-1]\na = 1\n\n[all]\na = 2\n", (4, "all")),
        ("overrides.toml", 'cn-north-1 = { a = 1 }\n"*" = { a = 2 }\n', (2, '"*"')),
    ],
)
def test_a_key_stands_where_it_is_written(path: str, text: str, expected: tuple[int, str]) -> None:
    assert places(path, text, "wildcard-override-key") == [expected]


def test_what_cannot_be_read_is_said_or_counted() -> None:
    report = check(
        Memory(
            {
                "overrides.yaml": '"*": {a: [}\n',
                "flags.yaml": "{{ if .Values.all }}\nall: {{ .Values.x }}\n{{ end }}\n",
                "overrides.toml": "all = = 1\n",
                "Makefile": "x:\n\tterraform plan\n",
            }
        ),
        _RULES,
        Options(),
    )
    assert sorted((f.kind, f.path) for f in report.failures) == [
        (FailureKind.SYNTAX, "overrides.toml"),
        (FailureKind.SYNTAX, "overrides.yaml"),
    ]
    assert dict(report.skipped) == {"settings in the form of another tool's templates": 1}


def test_a_comment_suppresses_in_a_script() -> None:
    text = f'cd x\n# blastdoor: ignore[destroy-command] reason="a sandbox"\n{DESTROY}\n'
    report = check(Memory({"run.sh": text}), _RULES, Options())
    assert report.findings == []
    assert [f.rule for f in report.suppressed] == ["destroy-command"]


def test_a_share_that_grows_in_a_file_of_flags() -> None:
    flags = '{"checkout": {"rollout": %s}}'
    rules = [rule for rule in _RULES if rule.id == "flag-widened"]
    report = compare({"flags.json": flags % 100}, rules, base={"flags.json": flags % 10})
    assert [(f.span.text, f.before, f.after) for f in report.findings] == [("100", "10 %", "100 %")]
    report = compare({"flags.json": flags % 20}, rules, base={"flags.json": flags % 10})
    assert report.findings == []
