"""Rule pages and Python: every rule has blocks in Python, or a reason why there are none."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import pytest

from blastdoor import catalog
from blastdoor.catalog import REVIEW

if TYPE_CHECKING:
    from collections.abc import Mapping

RULES: Final = {rule.code: rule for rule in catalog.load() if rule.family != REVIEW}
"""Code → rule. The rules of the gate judge who said yes, not code."""

WITHOUT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "OVR005": "override files are a mechanism of Terraform's",
        "RGN002": "only Terraform assumes an empty configuration where every one has an alias",
        "RGN003": "passing provider configurations to modules is a mechanism of Terraform's",
        "RGN024": "the place of Google Cloud's resources is read in Terraform only",
        "RGN026": "the location of Azure's resources is read in Terraform only",
    }
)
"""Code → why the rule has no form in Python."""

LIBRARIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "OVR002": "boto3 aws_cdk",
        "OVR003": "pulumi",
        "OVR006": "aws_cdk pulumi",
        "OVR007": "aws_cdk pulumi",
        "OVR008": "aws_cdk pulumi troposphere",
        "OVR009": "boto3",
        "OVR010": "boto3",
        "OVR012": "aws_cdk pulumi",
        "OVR013": "pulumi",
        "OVR014": "boto3",
        "RGN001": "pulumi",
        "RGN004": "boto3 aws_cdk",
        "RGN005": "boto3 aws_cdk",
        "RGN006": "boto3 aws_cdk",
        "RGN007": "boto3 aws_cdk",
        "RGN008": "boto3 aws_cdk",
        "RGN009": "aws_cdk",
        "RGN010": "boto3 aws_cdk pulumi",
        "RGN011": "boto3",
        "RGN012": "boto3",
        "RGN013": "aws_cdk",
        "RGN015": "boto3 aws_cdk",
        "RGN020": "aws_cdk",
        "RGN022": "aws_cdk",
        "RGN023": "aws_cdk",
        "RGN027": "boto3",
        "RGN029": "aws_cdk",
        "ACC001": "boto3",
        "ACC003": "boto3",
        "ACC005": "boto3",
        "ACC006": "boto3 aws_cdk pulumi",
        "ACC007": "pulumi",
        "GRT001": "boto3 aws_cdk",
        "GRT005": "boto3 aws_cdk",
        "GRT010": "boto3",
        "NET001": "boto3 aws_cdk",
        "NET004": "aws_cdk",
        "GRD003": "aws_cdk pulumi",
        "GRD004": "aws_cdk troposphere",
        "GRD005": "pulumi",
        "GRD006": "pulumi",
        "GRD008": "boto3",
        "GRD009": "aws_cdk",
        "GRD011": "boto3",
        "GRD013": "boto3",
        "ROL004": "boto3",
    }
)
"""Code → the libraries in which what the rule finds is written."""

UNREAD: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("OVR002", "aws_cdk"): "the value of a context key stands in cdk.json or on a command line",
        ("OVR002", "boto3"): "no operation of botocore changes more when a scope is GLOBAL or ALL",
        ("OVR008", "pulumi"): "what the transform of one resource sets is not followed",
    }
)
"""Code and library → why no block shows it."""


@pytest.mark.parametrize("code", sorted(RULES))
def test_every_page_has_blocks_in_python(code: str) -> None:
    found = {block.section for block in RULES[code].blocks if block.language == "python"}

    if code in WITHOUT:
        assert found == set(), "it has blocks now, and needs no reason any more"
    else:
        assert found >= {"Bad", "Good"}


@pytest.mark.parametrize(
    ("code", "library"),
    [(code, library) for code, names in LIBRARIES.items() for library in names.split()],
)
def test_every_library_is_shown(code: str, library: str) -> None:
    bad = [
        text
        for block in RULES[code].blocks
        if block.language == "python" and block.section == "Bad"
        for text in block.files.values()
    ]
    imported = re.compile(rf"^(?:from|import) {library}(?:_\w+)?\b", re.MULTILINE)
    shown = any(imported.search(text) for text in bad)

    assert shown is ((code, library) not in UNREAD)


def test_the_lists_name_rules() -> None:
    assert {*WITHOUT, *LIBRARIES, *(code for code, _library in UNREAD)} <= RULES.keys()
    assert not WITHOUT.keys() & LIBRARIES.keys()
