"""What every test may rely on."""

from __future__ import annotations

import os
import shutil

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Effect: skips what asks Terraform where there is none, unless it is required."""
    if shutil.which("terraform") or os.environ.get("BLASTDOOR_REQUIRE_TERRAFORM"):
        return
    skip = pytest.mark.skip(reason="terraform is not on the path")
    for item in items:
        if item.get_closest_marker("terraform"):
            item.add_marker(skip)
