"""Commands that resources run: how a script is taken apart, and which lines destroy."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from blastdoor import catalog
from blastdoor.engine import Options, check
from blastdoor.source import Memory

if TYPE_CHECKING:
    from blastdoor.finding import Finding

RULES = tuple(catalog.load())
ASKED = Options(select=frozenset({"destroy-command"}))


def findings(command: str) -> list[Finding]:
    document = {
        "resource": {
            "null_resource": {"r": {"provisioner": [{"local-exec": {"command": command}}]}}
        }
    }
    report = check(Memory({"main.tf.json": json.dumps(document)}), RULES, ASKED)
    assert report.failures == []
    return report.findings


@pytest.mark.parametrize(
    ("command", "level"),
    [
        ("terraform destroy", "warning"),
        ("terraform destroy -auto-approve", "error"),
        ("/usr/local/bin/terraform destroy", "warning"),
        ("cd x && terraform destroy", "warning"),
        ("cd x; terraform destroy", "warning"),
        ("cd x\nterraform destroy", "warning"),
        ("terraform \\\n  destroy", "warning"),
        ("(terraform destroy)", "warning"),
        ("TF_VAR_a=1 terraform destroy", "warning"),
        ("if true; then sudo terraform destroy; fi", "warning"),
        ("x=$(terraform destroy)", "warning"),
        ('bash -c "terraform destroy -auto-approve"', "error"),
        ("terraform apply -replace=aws_instance.a", "warning"),
        ("terraform state rm aws_instance.a", "warning"),
        ("terragrunt run-all destroy --non-interactive", "error"),
        ("terragrunt run --all destroy", "warning"),
        ("aws --profile p s3 rb --force s3://b", "warning"),
        ("gcloud -q projects delete p", "error"),
        ("az group delete -n g --yes", "error"),
        ("pulumi destroy -y", "error"),
    ],
)
def test_a_command_that_destroys(command: str, level: str) -> None:
    assert [finding.level.word for finding in findings(command)] == [level]


@pytest.mark.parametrize(
    "command",
    [
        "",
        "   ",
        "terraform",
        "terraform plan -destroy",
        "terraform apply",
        "terraform output destroy",
        "terraform state list",
        "echo 'terraform destroy'",
        "echo terraform destroy",
        "# terraform destroy",
        "true # terraform destroy",
        "grep 'terraform destroy' x | wc -l",
        "my-terraform destroy",
        "terraform-docs destroy",
        "aws s3 rm s3://b/key",
        "aws s3 sync a s3://b --delete",
        "kubectl delete pod a",
        "kubectl get pods --all-namespaces",
        "bash -c",
        "bash rebuild.sh -c",
        "'",
        "a=",
        "\\",
    ],
)
def test_a_command_that_does_not(command: str) -> None:
    assert findings(command) == []


@pytest.mark.parametrize("piece", ["'", '"', "\"'", "\\", "a=1 ", "(", "if ", "# ", '\\"', "`"])
def test_a_long_script_costs_little(piece: str) -> None:
    start = time.perf_counter()
    findings(piece * (200_000 // len(piece)))

    assert time.perf_counter() - start < 10


def removed(target: str, *, destroy: object) -> list[str]:
    document = {"removed": {"from": target, "lifecycle": {"destroy": destroy}}}
    report = check(Memory({"main.tf.json": json.dumps(document)}), RULES, ASKED)
    assert report.failures == []
    return [f"{finding.unit} {finding.level.word}" for finding in report.findings]


def test_a_removed_block_in_the_json_syntax() -> None:
    assert removed("aws_db_instance.orders", destroy=True) == ["aws_db_instance.orders warning"]
    assert removed("module.orders", destroy="true") == ["module.orders warning"]
    assert removed("aws_db_instance.orders", destroy=False) == []
    assert removed("module.a.random_password.p", destroy=True) == []
