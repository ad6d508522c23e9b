"""Which files are the output of ``terraform show -json``, told by a look at their beginning.

Terraform writes the members of a plan in one order: ``format_version``, ``terraform_version``, then
``variables`` or ``planned_values``; a state has ``values`` there (HashiCorp, "JSON Output Format").
A tool that sorts the members hides that, so a file that the caller names is looked at as a whole.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

HEAD: Final = 4_096
"""Bytes that the look takes in."""
MAX_PLAN: Final = 100_000_000
"""Largest plan that is read, in bytes."""

BINARY_PLAN: Final = "is a plan in Terraform's own form; `terraform show -json` writes it as JSON"

_VERSIONS: Final = re.compile(
    r'\s*+\{\s*+"format_version"\s*+:\s*+"[0-9.]{1,20}"\s*+,\s*+'
    r'(?:"terraform_version"\s*+:\s*+"[^"\n]{0,60}"\s*+,\s*+)?+"([a-z_]{1,40})"'
)
_STATE_MEMBERS: Final = frozenset({"checks", "values"})
_OTHER_MEMBERS: Final = frozenset(
    {"diagnostics", "error_count", "function_signatures", "provider_schemas", "valid"}
)
"""What stands there in the output of ``terraform validate``, ``providers schema``, ``metadata``."""
_ZIP: Final = b"PK\x03\x04"
_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")


class Look(Enum):
    """What the beginning of a file says of it."""

    PLAN = "plan"
    STATE = "state"
    BINARY = "binary plan"
    ZIP = "zip archive"


def may_be_plan(name: str) -> bool:
    """Whether a file with this name is worth a look."""
    return name.endswith(".json")


def text_of(data: bytes) -> str:
    """The text of the first bytes of a file; PowerShell's ``>`` writes UTF-16."""
    if data.startswith(_BOMS):
        return data[: len(data) // 2 * 2].decode("utf-16", "replace")
    return data.decode("utf-8-sig", "replace")


def is_utf16(data: bytes) -> bool:
    """Whether a file says of itself that it is UTF-16."""
    return data.startswith(_BOMS)


def look(head: bytes | str) -> Look | None:
    """What the beginning of a file says; ``None`` when it is neither plan nor state."""
    if isinstance(head, bytes):
        if head.startswith(_ZIP):
            # A saved plan is a ZIP archive whose first entry is called "tfplan".
            return Look.BINARY if b"tfplan" in head[:60] else Look.ZIP
        head = text_of(head)
    found = _VERSIONS.match(head)
    if found is None or found.group(1) in _OTHER_MEMBERS:
        return None
    return Look.STATE if found.group(1) in _STATE_MEMBERS else Look.PLAN


def look_whole(text: str) -> Look | None:
    """What a whole file says in which the members may stand in any order, or behind other output."""
    if '"format_version"' not in text:
        return None
    first = _VERSIONS.match(text)
    if first is not None and first.group(1) in _OTHER_MEMBERS:
        return None
    if '"planned_values"' in text or '"resource_changes"' in text:
        return Look.PLAN
    return Look.STATE if '"values"' in text and '"root_module"' in text else None
