"""Attribute rules as policies of Checkov: what they say, and what Checkov itself makes of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml

from blastdoor import catalog
from blastdoor.beside.policies import PolicyError, policy
from blastdoor.cli import run

if TYPE_CHECKING:
    from pathlib import Path


class Case(NamedTuple):
    """One attribute rule with what it finds (each resource ``bad…``) and what it leaves alone."""

    match: str
    bad: str
    good: str


CASES = {
    "missing": Case(
        "{resource: aws_db_instance, attribute: backup_retention_period, missing: true}",
        'resource "aws_db_instance" "bad" {}\n'
        'resource "aws_db_instance" "bad_null" {\n  backup_retention_period = null\n}\n',
        'resource "aws_db_instance" "good" {\n  backup_retention_period = var.days\n}\n'
        'variable "days" {}\n',
    ),
    "is": Case(
        "{resource: aws_db_instance, attribute: backup_retention_period, is: 0}",
        'resource "aws_db_instance" "bad" {\n  backup_retention_period = 0\n}\n',
        'resource "aws_db_instance" "good" {\n  backup_retention_period = 14\n}\n'
        'resource "aws_db_instance" "unset" {}\n',
    ),
    "is-true": Case(
        "{resource: aws_db_instance, attribute: publicly_accessible, is: true}",
        'resource "aws_db_instance" "bad" {\n  publicly_accessible = true\n}\n'
        'resource "aws_db_instance" "bad_text" {\n  publicly_accessible = "true"\n}\n',
        'resource "aws_db_instance" "good" {\n  publicly_accessible = false\n}\n',
    ),
    "any-of": Case(
        "{resource: aws_db_instance, attribute: backup_retention_period,"
        " any-of: [{missing: true}, {is: 0}]}",
        'resource "aws_db_instance" "bad" {}\n'
        'resource "aws_db_instance" "bad_zero" {\n  backup_retention_period = 0\n}\n',
        'resource "aws_db_instance" "good" {\n  backup_retention_period = 14\n}\n',
    ),
    "in": Case(
        "{resource: aws_instance, attribute: instance_type, in: [t2.micro, t2.small]}",
        'resource "aws_instance" "bad" {\n  instance_type = "t2.small"\n}\n',
        'resource "aws_instance" "good" {\n  instance_type = "t3.small"\n}\n'
        'resource "aws_instance" "open" {\n  instance_type = var.size\n}\n'
        'variable "size" {}\n',
    ),
    "not-in": Case(
        "{resource: aws_instance, attribute: instance_type, not-in: [t3.micro, t3.small]}",
        'resource "aws_instance" "bad" {\n  instance_type = "m5.large"\n}\n',
        'resource "aws_instance" "good" {\n  instance_type = "t3.small"\n}\n'
        'resource "aws_instance" "unset" {}\n'
        'resource "aws_instance" "open" {\n  instance_type = var.size\n}\n'
        'variable "size" {}\n',
    ),
    "matches": Case(
        "{resource: aws_instance, attribute: instance_type, matches: '.*[.]metal'}",
        'resource "aws_instance" "bad" {\n  instance_type = "m5.metal"\n}\n',
        'resource "aws_instance" "good" {\n  instance_type = "m5.metal-24xl"\n}\n'
        'resource "aws_instance" "unset" {}\n',
    ),
    "not-matches": Case(
        "{resource: aws_instance, attribute: instance_type, not-matches: 't3[.].*'}",
        'resource "aws_instance" "bad" {\n  instance_type = "m5.large"\n}\n',
        'resource "aws_instance" "good" {\n  instance_type = "t3.large"\n}\n'
        'resource "aws_instance" "unset" {}\n'
        'resource "aws_instance" "open" {\n  instance_type = var.size\n}\n'
        'variable "size" {}\n',
    ),
    "nested": Case(
        "{resource: aws_instance, attribute: metadata_options.http_tokens,"
        " any-of: [{missing: true}, {is: optional}]}",
        'resource "aws_instance" "bad" {}\n'
        'resource "aws_instance" "bad_optional" {\n'
        '  metadata_options {\n    http_tokens = "optional"\n  }\n}\n',
        'resource "aws_instance" "good" {\n'
        '  metadata_options {\n    http_tokens = "required"\n  }\n}\n',
    ),
    "list": Case(
        "{resource: aws_lb, attribute: subnets, not-in: [subnet-1, subnet-2]}",
        "",
        'resource "aws_lb" "good" {\n  subnets = ["subnet-1", "subnet-2"]\n}\n',
    ),
}


def page(slug: str, number: int, match: str) -> str:
    return f"""\
---
id: {slug}
code: ORG{number:03}
family: guard
title: Something is not as we want it
level: warning
confidence: high
axes: [guards]
modes: [state]
languages: [terraform]
default: on
match: {match}
fix: none
sources: ["Our handbook"]
---

It hurts.

## Bad

```hcl
resource "aws_instance" "bad" {{}} # finding
```

## Good

```hcl
resource "aws_instance" "good" {{}}
```

## How to fix

Write it otherwise.
"""


def rule(match: str) -> catalog.Rule:
    return catalog.parse(page("our-rule", 1, match), "rules/our-rule.md")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "our-rules").mkdir()
    for number, (name, case) in enumerate(CASES.items(), 1):
        slug = f"our-{name}"
        (tmp_path / f"our-rules/{slug}.md").write_text(page(slug, number, case.match))
    (tmp_path / "blastdoor.toml").write_text('rules = ["our-rules"]\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_is_found_is_what_does_not_pass() -> None:
    made = policy(
        rule("{resource: aws_db_instance, attribute: a, any-of: [{missing: true}, {is: 0}]}")
    )

    common = {"cond_type": "attribute", "resource_types": ["aws_db_instance"]}
    own, element = {**common, "attribute": "a"}, {**common, "attribute": "a.0"}
    assert made == {
        "metadata": {
            "id": "CKV2_ORG_001",
            "name": "Something is not as we want it (our-rule)",
            "category": "GENERAL_SECURITY",
        },
        "definition": {
            "and": [
                {**own, "operator": "exists"},
                {
                    "or": [
                        {**own, "operator": "not_exists"},
                        {**element, "operator": "exists"},
                        {**own, "operator": "not_equals", "value": "0"},
                    ]
                },
            ]
        },
    }


@pytest.mark.parametrize(
    ("match", "reason"),
    [
        ("{resource: data.aws_ami, attribute: owners, is: x}", "data sources"),
        ("{resource: aws_s3_bucket, attribute: tags.Owner, missing: true}", "the provider may set"),
        ('{resource: x_y, attribute: [labels, "app.io/name"], is: x}', "a dot"),
        (r"{resource: aws_instance, attribute: ami, matches: '\pL+'}", "pattern"),
        ("{resource: aws_instance, attribute: ami, matches: '(?i)x'}", "pattern"),
        ("{resource: aws_instance, attribute: ami, matches: '[[:alpha:]]+'}", "pattern"),
    ],
)
def test_what_checkov_would_read_otherwise_is_left_out(match: str, reason: str) -> None:
    with pytest.raises(PolicyError, match=reason):
        policy(rule(match))


def test_every_rule_is_written_or_listed(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["export", "checkov", "policies"]) == 0

    files = {path.stem for path in (repository / "policies").iterdir()}
    assert files == {f"our-{name}" for name in CASES}
    out = capsys.readouterr().out
    assert f"{len(CASES)} policies written\n" in out
    listed = {line.strip() for line in out.splitlines() if line.startswith("  ")}
    assert listed == {one.id for one in catalog.load()}


def test_a_file_of_somebody_else_stays(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["export", "checkov", "policies"]) == 0
    assert run(["export", "checkov", "policies"]) == 0
    (repository / "policies/our-is.yaml").write_text("mine: true\n")

    assert run(["export", "checkov", "policies"]) == 2

    assert (repository / "policies/our-is.yaml").read_text() == "mine: true\n"
    assert "our-is.yaml is there already" in capsys.readouterr().err


def test_without_rules_of_ones_own_there_is_nothing_to_write(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["export", "checkov", "policies", "--isolated"]) == 3

    assert not (repository / "policies").exists()
    assert "0 policies written" in capsys.readouterr().out


def checkov(folder: Path, policies: Path) -> dict[str, set[str]]:
    """Policy → the resources that Checkov finds with it."""
    found = shutil.which(os.environ.get("BLASTDOOR_CHECKOV") or "checkov")
    if found is None:
        if os.environ.get("BLASTDOOR_REQUIRE_CONSUMERS"):
            pytest.fail("checkov is not there")
        pytest.skip("checkov is not there; BLASTDOOR_CHECKOV may name it")
    ids = [yaml.safe_load(path.read_text())["metadata"]["id"] for path in policies.iterdir()]
    done = subprocess.run(
        [
            *(found, "--directory", str(folder), "--external-checks-dir", str(policies)),
            *("--check", ",".join(ids), "--framework", "terraform", "--output", "json", "--quiet"),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={name: text for name, text in os.environ.items() if name != "PYTHONPATH"},
    )
    data: Any = json.loads(done.stdout)
    result: dict[str, set[str]] = {}
    for part in data if isinstance(data, list) else [data]:
        for record in part.get("results", {}).get("failed_checks", []):
            place = f"{record['file_path'].strip('/')} {record['resource']}"
            result.setdefault(record["check_id"], set()).add(place)
    return result


@pytest.mark.full
def test_checkov_finds_what_is_bad_and_leaves_what_is_good(repository: Path) -> None:
    assert run(["export", "checkov", "policies"]) == 0
    for name, case in CASES.items():
        for kind, text in (("bad", case.bad), ("good", case.good)):
            (repository / f"code/{name}-{kind}").mkdir(parents=True)
            (repository / f"code/{name}-{kind}/main.tf").write_text(text)

    found = checkov(repository / "code", repository / "policies")

    for number, (name, case) in enumerate(CASES.items(), 1):
        mine = {
            place
            for place in found.get(f"CKV2_ORG_{number:03}", set())
            if place.startswith((f"{name}-bad/", f"{name}-good/"))
        }
        wanted = {
            f"{name}-bad/main.tf {line.split(chr(34))[1]}.{line.split(chr(34))[3]}"
            for line in case.bad.splitlines()
            if line.startswith("resource")
        }
        assert (name, mine) == (name, wanted)


@pytest.mark.full
def test_checkov_agrees_with_blastdoor(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a policy finds in all the examples together is what the page finds, for each rule."""
    assert run(["export", "checkov", "policies"]) == 0
    for name, case in CASES.items():
        (repository / f"code/{name}").mkdir(parents=True)
        text = case.bad + case.good
        (repository / f"code/{name}/main.tf").write_text(text)
    capsys.readouterr()
    run(["check", "code", "--format", "json", "--config", "blastdoor.toml", "--exit-zero"])
    report = json.loads(capsys.readouterr().out)
    numbers = {f"our-{name}": f"CKV2_ORG_{number:03}" for number, name in enumerate(CASES, 1)}

    theirs = checkov(repository / "code", repository / "policies")

    assert report["findings"]
    for slug, policy_id in numbers.items():
        ours = {
            one["path"].removeprefix("code/") + " " + one["unit"]
            for one in report["findings"]
            if one["rule"] == slug
        }
        assert theirs.get(policy_id, set()) <= ours, slug
