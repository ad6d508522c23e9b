"""A plan against the state that it was made from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests import plans

from blastdoor.cli import run

if TYPE_CHECKING:
    from pathlib import Path

READ = plans.policy({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"})
ALL = plans.policy({"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::a/*"})


def document(*resources: dict[str, Any], **more: Any) -> str:
    """A plan whose prior state is what its changes say was there before."""
    text = json.loads(plans.plan(*resources, **more))
    before = [
        {
            **{k: item[k] for k in ("address", "mode", "type", "name")},
            "provider_name": plans.AWS,
            **({} if item["index"] is None else {"index": item["index"]}),
            "values": item["before"],
            "sensitive_values": {},
        }
        for item in resources
        if item["before"] is not None
    ]
    text["prior_state"] = {
        "format_version": "1.0",
        "values": {"root_module": {"resources": before}},
    }
    return json.dumps(text)


def said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, *arguments: str
) -> dict[str, Any]:
    """What `diff plan.json` says as JSON."""
    plan = tmp_path / "plan.json"
    plan.write_text(text, encoding="utf-8")
    run(["diff", str(plan), "--format", "json", *arguments])
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def widened(found: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    return [(w["rule"], w["unit"], w["before"], w["after"]) for w in found["widenings"]]


def test_what_the_plan_widens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = plans.resource(
        "aws_iam_policy.p",
        {"name": "p", "policy": ALL},
        before={"name": "p", "policy": READ},
        actions=("update",),
    )
    same = plans.resource(
        "aws_sqs_queue.q", {"name": "q"}, before={"name": "q"}, actions=("no-op",)
    )
    found = said(tmp_path, capsys, document(policy, same))

    assert widened(found) == [("actions-widened", "aws_iam_policy.p", "`s3:GetObject`", "`s3:*`")]
    assert (found["base"], found["head"]) == ("the state", "plan.json")
    (widening,) = found["widenings"]
    assert (widening["file"], widening["finding"]["level"]) == ("plan.json", "error")


def test_a_plan_that_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = plans.resource(
        "aws_iam_policy.p",
        {"name": "p", "policy": READ},
        before={"name": "p", "policy": READ},
        actions=("no-op",),
    )
    found = said(tmp_path, capsys, document(policy))
    assert (found["widenings"], found["narrowings"], found["introduced"]) == ([], [], [])
    assert found["failures"] == []


def database(**values: Any) -> dict[str, Any]:
    return {"identifier": "orders", "deletion_protection": True, "username": "orders", **values}


def test_what_the_plan_replaces_and_destroys(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replaced = plans.resource(
        "aws_db_instance.orders",
        database(username="sales"),
        before=database(),
        actions=("delete", "create"),
        replace_paths=[["username"]],
        action_reason="replace_because_cannot_update",
    )
    destroyed = plans.resource(
        'aws_s3_bucket.logs["a"]',
        {"bucket": "logs"},
        before={"bucket": "logs"},
        actions=("delete",),
        index="a",
        action_reason="delete_because_no_resource_config",
    )
    queue = plans.resource(
        "aws_sns_topic.t", {"name": "t"}, before={"name": "t"}, actions=("delete",)
    )
    found = said(tmp_path, capsys, document(replaced, destroyed, queue))

    assert [(w["rule"], w["unit"], w["after"]) for w in found["widenings"]] == [
        ("stateful-replacement", "aws_db_instance.orders", "a new, empty one"),
        ("stateful-replacement", "aws_s3_bucket.logs", "nothing"),
    ]
    first, second = (w["finding"]["message"] for w in found["widenings"])
    assert "deleted and made anew" in first
    assert "replace because cannot update: username" in first
    assert "delete because no resource config" in second


def test_what_the_plan_only_forgets_or_updates_in_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forgotten = plans.resource(
        "aws_s3_bucket.logs", {"bucket": "logs"}, before={"bucket": "logs"}, actions=("forget",)
    )
    updated = plans.resource(
        "aws_db_instance.orders", database(username="b"), before=database(), actions=("update",)
    )
    found = said(tmp_path, capsys, document(forgotten, updated))
    assert found["widenings"] == []


def test_a_guard_that_the_plan_takes_away(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loose = plans.resource(
        "aws_db_instance.orders",
        database(deletion_protection=False),
        before=database(),
        actions=("update",),
    )
    found = said(tmp_path, capsys, document(loose))
    assert widened(found) == [
        ("deletion-protection-off", "aws_db_instance.orders", "deletion_protection = true", "none")
    ]


def test_a_first_plan_has_no_state(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = plans.resource("aws_iam_policy.p", {"name": "p", "policy": READ})
    text = json.loads(document(policy))
    del text["prior_state"]
    found = said(tmp_path, capsys, json.dumps(text))
    assert {w["finding"]["level"] for w in found["widenings"]} <= {"note"}
    assert found["failures"] == []


def test_nothing_sensitive_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = plans.resource(
        "aws_secretsmanager_secret.s",
        {"name": "hunter2-new"},
        before={"name": "hunter2-old"},
        actions=("update",),
        sensitive={"name": True},
    )
    text = json.loads(document(secret))
    text["resource_changes"][0]["change"]["before_sensitive"] = {"name": True}
    (tmp_path / "plan.json").write_text(json.dumps(text), encoding="utf-8")
    for form in ("text", "json", "sarif", "markdown"):
        run(["diff", str(tmp_path / "plan.json"), "--format", form])
        assert "hunter2" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "is no Terraform plan"),
        ("[" * 5000, "is no Terraform plan"),
        ('{"format_version": "1.0", "values": {}}', "is a state"),
    ],
)
def test_what_is_no_plan(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    (tmp_path / "plan.json").write_text(text, encoding="utf-8")
    assert run(["diff", str(tmp_path / "plan.json")]) == 2
    shown = capsys.readouterr()
    assert words in shown.out + shown.err
