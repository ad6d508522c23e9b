"""Where clients go, as we read it and as botocore itself decides when the same program runs.

The programs are made here, so they may be run: each prints the region of the client that it makes.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from blastdoor.engine import survey
from blastdoor.source import Memory
from blastdoor.units import Repository
from blastdoor.value import Inherited, known_text

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(
        importlib.util.find_spec("boto3") is None and not os.environ.get("BLASTDOOR_REQUIRE_BOTO3"),
        reason="no boto3",
    ),
]

ENVIRONMENT = (
    "",
    "os.environ['AWS_DEFAULT_REGION'] = 'eu-west-1'\n",
    "os.environ['AWS_REGION'] = 'eu-west-2'\n",
    "os.environ.update({'AWS_DEFAULT_REGION': 'eu-west-3'})\n",
)
DEFAULT = (
    "",
    "boto3.setup_default_session(region_name='ap-south-1')\n",
)
CLIENTS = (
    "made = boto3.client('sqs')",
    "made = boto3.client('sqs', region_name='cn-north-1')",
    "made = boto3.client('sqs', 'cn-northwest-1')",
    "made = boto3.client('sqs', region_name=None)",
    "made = boto3.session.Session().client('sqs')",
    "made = boto3.Session(region_name='us-west-2').client('sqs')",
    "made = boto3.Session(region_name='us-west-2').client('sqs', region_name='us-east-2')",
    "made = boto3.resource('sqs', region_name='sa-east-1').meta.client",
    (
        "session = boto3.Session(region_name='ca-central-1'); "
        "made = session.resource('sqs').meta.client"
    ),
    (
        "made = boto3.client('sqs', region_name='us-east-1'); "
        "made = boto3.client('sqs', region_name='us-west-1')"
    ),
    "make = lambda region='eu-south-1': boto3.client('sqs', region_name=region); made = make()",
    "make = lambda **given: boto3.client('sqs', **given); made = make(region_name='me-south-1')",
    "names = {'a': 'af-south-1'}; made = boto3.client('sqs', region_name=names.get('a'))",
    "made = boto3.client('sqs', config=Config(region_name='eu-central-2'))",
    "made = boto3.client('sqs', region_name='us-east-1', config=Config(region_name='eu-west-1'))",
    (
        "made = boto3.Session(region_name='us-east-2').client("
        "'sqs', config=Config(region_name='eu-west-1'))"
    ),
    "made = boto3.client('sqs', config=Config(read_timeout=9))",
    "made = botocore.session.get_session().create_client('sqs', 'il-central-1')",
)
CASES = [
    "import os\nimport boto3\nimport botocore.session\nfrom botocore.config import Config\n"
    f"{environment}{default}{client}\n"
    for environment, default, client in itertools.product(ENVIRONMENT, DEFAULT, CLIENTS)
]
CALL = "made.purge_queue(QueueUrl='orders')\n"


def real(programs: list[str], folder: Path) -> list[str]:
    """What botocore says: the region of each client, or ``none`` where it finds none."""
    script = """
import json, os, sys
import boto3
from botocore.exceptions import NoRegionError

clean = dict(os.environ)
found = []
for text in json.load(sys.stdin):
    os.environ.clear()
    os.environ.update(clean)
    boto3.DEFAULT_SESSION = None
    names = {}
    try:
        exec(text, names)
        found.append(names["made"].meta.region_name or "none")
    except NoRegionError:
        found.append("none")
print(json.dumps(found))
"""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") and name != "PYTHONPATH"
    }
    clean |= {
        "AWS_CONFIG_FILE": str(folder / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
    }
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps(programs),
        env=clean,
        capture_output=True,
        text=True,
        check=True,
    )
    regions: list[str] = json.loads(done.stdout)
    return regions


def read(text: str) -> str | None:
    """What we say: the region, ``none`` when whatever runs it decides, ``None`` for unknown."""
    source = Memory({"m.py": text + CALL})
    repository = Repository(source, list(source.files()))
    survey(repository)
    (unit,) = [subject.evaluate() for subject in repository.subjects]
    (call,) = unit.calls
    region = call.client.region
    if isinstance(region, Inherited):
        return "none"
    return known_text(region)


def test_regions_are_those_of_botocore(tmp_path: Path) -> None:
    wrong = []
    unknown = 0
    for text, expected in zip(CASES, real(CASES, tmp_path), strict=True):
        ours = read(text)
        if ours is None:
            unknown += 1
        elif ours != expected:
            wrong.append((text, ours, expected))
    assert wrong == []
    assert unknown <= len(CASES) // 10
