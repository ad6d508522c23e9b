"""The JSON syntax held to Terraform itself: one `.tf.json` module asked through `terraform console`."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.evaluate.test_reference import data, exact

if TYPE_CHECKING:
    from pathlib import Path

    from tests.evaluate.conftest import Unit

LOCALS = {
    "plain": "text",
    "number": 3,
    "fraction": 0.25,
    "truth": True,
    "nothing": None,
    "list": ["a", 2, False],
    "object": {"name": "x", "inner": {"deep": ["${var.region}", "$${literal}"]}},
    "reference": "${var.region}",
    "template": "in-${var.region}-${local.number}",
    "unwrapped": "${local.list}",
    "sum": "${local.number + 2}",
    "condition": '${var.region == "cn-north-1" ? "china" : "elsewhere"}',
    "loop": '${[for item in local.list : "${item}!"]}',
    "escapes": 'tab\t quote " slash \\ and é',
    "directive": "%{ if local.truth }yes%{ else }no%{ endif }",
    "${var.region}": "a key is a template",
    "merged": '${merge(local.object, { name = "y" })}',
    "encoded": "${jsonencode(local.object)}",
    "assigned": "${var.assigned}",
    "heredoc like": "first\nsecond ${local.number}\n",
}
FILES = {
    "main.tf.json": json.dumps(
        {
            "//": "a comment",
            "variable": {
                "region": {"type": "string", "default": "cn-north-1"},
                "assigned": [{"default": "no"}],
            },
            "locals": [
                {name: value for name, value in LOCALS.items() if name.isidentifier()},
                {"keyed": {k: v for k, v in LOCALS.items() if not k.isidentifier()}},
            ],
        },
        indent=2,
    ),
    "terraform.tfvars.json": json.dumps({"assigned": "${not.a.template}"}),
}
NAMES = [*(name for name in LOCALS if name.isidentifier()), "keyed"]


@pytest.mark.terraform
def test_json_configuration_agrees(unit: type[Unit], tmp_path: Path) -> None:
    program = shutil.which("terraform")
    assert program is not None
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    wanted = ", ".join(f"local.{name}" for name in NAMES)
    done = subprocess.run(
        [program, "console"],
        input=f"base64encode(jsonencode([{wanted}]))\n",
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = json.loads(base64.b64decode(json.loads(done.stdout)))

    here = unit(FILES)
    actual = {name: exact(data(here.value(name))) for name in NAMES}
    assert actual == {name: exact(value) for name, value in zip(NAMES, expected, strict=True)}
