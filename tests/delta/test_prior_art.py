"""Pairs of policies of our own, with what the documentation of CheckNoNewAccess says of each.

``docs/prior-art.md`` explains the pairs; the expected answers are read from AWS's documentation (IAM
Access Analyzer API Reference, CheckNoNewAccess; IAM User Guide, "Custom policy checks"), not run.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from blastdoor import catalog
from blastdoor.change import compare_files

RULES = list(catalog.load())
PAGE = (Path(__file__).parents[2] / "docs" / "prior-art.md").read_text(encoding="utf-8")
ORDERS = "arn:aws:s3:::orders/*"
READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": ORDERS}
TLS = {"Bool": {"aws:SecureTransport": "true"}}
IRELAND = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
TWO = {"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-west-2"]}}


def with_(**changes: Any) -> dict[str, Any]:
    return {**READ, **changes}


PAIRS: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]], str]] = {
    "equal": ([READ], [READ], "PASS"),
    "another spelling": ([READ], [with_(Action="S3:getobject")], "PASS"),
    "two statements into one": (
        [READ, with_(Action="s3:PutObject")],
        [with_(Action=["s3:GetObject", "s3:PutObject"])],
        "PASS",
    ),
    "a narrower resource": ([READ], [with_(Resource="arn:aws:s3:::orders/open/*")], "PASS"),
    "a condition more": ([READ], [with_(Condition=TLS)], "PASS"),
    "a deny more": (
        [READ],
        [READ, {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::orders/secret/*"}],
        "PASS",
    ),
    "one action more": ([READ], [with_(Action=["s3:GetObject", "s3:PutObject"])], "FAIL"),
    "a wildcard of actions": ([READ], [with_(Action="s3:Get*")], "FAIL"),
    "another bucket": ([READ], [with_(Resource="arn:aws:s3:::refunds/*")], "FAIL"),
    "every resource": ([READ], [with_(Resource="*")], "FAIL"),
    "a condition less": ([with_(Condition=TLS)], [READ], "FAIL"),
    "one region more": ([with_(Condition=IRELAND)], [with_(Condition=TWO)], "FAIL"),
    "swapped pairs": (
        [READ, {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}],
        [
            {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": ORDERS},
            with_(Resource="*"),
        ],
        "FAIL",
    ),
    "a deny less": (
        [READ, {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::orders/secret/*"}],
        [READ],
        "FAIL",
    ),
    "everything but": (
        [READ],
        [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}],
        "FAIL",
    ),
}


def source(statements: list[dict[str, Any]]) -> str:
    document = json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)
    return (
        'resource "aws_iam_role_policy" "orders" {\n  name = "orders"\n  role = "orders"\n'
        f"  policy = <<POLICY\n{document}\nPOLICY\n}}\n"
    )


@pytest.mark.parametrize("name", PAIRS)
def test_a_pair(name: str) -> None:
    before, after, expected = PAIRS[name]

    found = compare_files({"main.tf": source(before)}, {"main.tf": source(after)}, RULES)

    assert ("FAIL" if found.widenings else "PASS") == expected
    assert f"| {name} | {expected} | {expected} |" in PAGE


def test_the_page_lists_these_pairs_and_no_others() -> None:
    rows = re.findall(r"^\| ([^|]+) \| (?:PASS|FAIL) \|", PAGE, re.MULTILINE)

    assert rows == list(PAIRS)
