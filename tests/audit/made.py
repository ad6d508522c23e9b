"""Stores of any size, made without an analysis: for tests of questions and for benchmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blastdoor.audit.setup import TREE, Setup, Target

if TYPE_CHECKING:
    from blastdoor.audit.store import Store


def result(number: int, findings: int) -> dict[str, object]:
    """The result of one repository with so many findings."""
    return {
        "findings": [
            {
                "fingerprint": f"{number:08x}{at:056x}",
                "rule": f"rule-{at % 90}",
                "code": "ABC001",
                "title": "A title of a rule that is about as long as they are",
                "family": ("region", "grant", "rollout", "guard")[at % 90 % 4],
                "level": ("note", "warning", "error")[at % 3],
                "confidence": "high",
                "message": f"regions: every region, in aws_sqs_queue.q{at} by the default of var.all",
                "contain": "name the regions",
                "path": f"live/m{at % 40}/main.tf",
                "start": {"line": at + 1, "column": 3},
                "end": {"line": at + 1, "column": 30},
                "unit": f"module.m{at % 40}.aws_sqs_queue.q{at}",
                "environment": "production" if at % 2 else "",
                "axis": "regions",
                "attribute": "regions",
                "value": "*",
                "evidence": [],
                "related": [
                    {
                        "path": "live/variables.tf",
                        "start": {"line": 1, "column": 1},
                        "end": {"line": 1, "column": 9},
                        "message": "the default",
                    }
                ],
                "reach": {"regions": ["every"]},
                "quote": ["  ", "regions = var.all", ""],
                "quotes": [["", "default", ""]],
                "suppressed": False,
                "suppression": None,
                "provenance": {
                    "marks": [
                        {
                            "agent": "Cursor",
                            "where": "co-author",
                            "text": "Cursor <cursoragent@cursor.com>",
                        }
                    ]
                }
                if at % 50 == 0
                else None,
            }
            for at in range(findings)
        ],
        "units": [
            {
                "address": f"live/m{at}",
                "environment": "production" if at % 2 else "",
                "resources": 5,
                "reach": [
                    {
                        "about": "regions",
                        "axis": "regions",
                        "reach": "every region" if at % 7 == 0 else "one region",
                        "known": True,
                        "broad": at % 7 == 0,
                        "pinned": None if at % 7 == 0 else False,
                        "breadth": 1000 if at % 7 == 0 else 1,
                        "resources": 5,
                        "addresses": [f"aws_sqs_queue.q{at}"],
                        "path": f"live/m{at}/main.tf",
                        "line": 1,
                        "via": "var.all",
                    }
                ],
            }
            for at in range(40)
        ],
        "failures": [],
        "coverage": {"kinds": {}, "reasons": {}},
        "summary": {
            "units": 40,
            "files": 40,
            "resources": 200,
            "findings": {"error": 1, "warning": 1, "note": 1},
            "suppressed": 0,
            "skipped": {},
        },
        "owners": {f"live/m{at}/main.tf": ["@acme/net"] for at in range(40)},
        "day": "",
        "objects": "",
        "provenance": "lines",
        "sarif": None,
    }


def filled(store: Store, repositories: int, findings: int) -> None:
    """Effect: enters two audits; a tenth of the repositories lack one finding in the second."""
    targets = [Target(f"acme/r{at:05}", TREE, f"/r{at}") for at in range(repositories)]
    cost = {"cpu": 1.0, "wall": 1.0, "memory": 100}
    for audit in range(2):
        number = store.begin(targets, Setup(), started=str(audit), day="", left_out={})
        for at, one in enumerate(store.pending(number)):
            changed = audit == 1 and at % 10 == 0
            key = f"{at}{'changed' if changed else ''}"
            known = audit == 1 and not changed
            told = None if known else result(at, findings - (1 if changed else 0))
            outcome = {
                "state": "same" if known else "done",
                "key": key,
                "commit": "",
                "reason": None,
                "result": told,
                "cost": cost,
            }
            store.enter(number, one.repository, outcome)
        store.finish(number, str(audit))
