"""Which files only their content tells apart, and what it tells.

YAML, JSON and Python hold anything. A file is in scope when a search of its bytes finds what no file
without infrastructure has; everything else is out of scope, which is no failure. The search comes
before decoding and parsing and must stay cheap: `bytes.find` for a few words, and more only where
these are there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from blastdoor.source.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Callable


_has_resources: Final = re.compile(rb"""(?:^|[\s{,"'])Resources["']?[ \t]*:""").search
_has_types: Final = re.compile(
    rb"""\bType["']?[ \t]*:[ \t]*["']?[A-Za-z0-9]++::[A-Za-z0-9]"""
).search


def _is_template(_path: str, data: bytes) -> bool:
    """Whether a file says that it is a template of CloudFormation, or has resources with types.

    Lists of types, as documentation and schemas have them, are none.
    """
    if b"AWSTemplateFormatVersion" in data or b"AWS::Serverless-2016-10-31" in data:
        return True
    if b"Resources" not in data or b"::" not in data:
        return False
    return _has_resources(data) is not None and _has_types(data) is not None


_PYTHON: Final = re.compile(
    rb"boto(?:3|core)|aws_cdk|pulumi|troposphere|awacs|AWS_(?:DEFAULT_)?(?:REGION|PROFILE)"
    rb"|override|OVERRIDE|all_(?:regions|accounts|env)|apply_to_all|everywhere|GLOBAL_|COMMON_"
    rb"|-(?:north|south|east|west|central)(?:east|west)?-\d"
)
"""Words without which a Python file says nothing of a cloud or of settings for many places."""


def _is_python(path: str, data: bytes) -> bool:
    """Whether a Python file may build, configure or call infrastructure."""
    name = path.rpartition("/")[2]
    if name in ("setup.py", "conftest.py") or name.startswith("test_") or name.endswith("_test.py"):
        return False
    return _PYTHON.search(data) is not None


_LOOKS: Final[tuple[tuple[tuple[str, ...], Callable[[str, bytes], bool], Kind], ...]] = (
    ((".yaml", ".yml", ".json", ".template", ".cfn"), _is_template, Kind.TEMPLATE),
    ((".py",), _is_python, Kind.PYTHON),
)
"""(endings of names, look at path and bytes, kind when the look finds what it looks for), in order."""
_ENDINGS: Final = tuple({ending for endings, _look, _kind in _LOOKS for ending in endings})


def told_by_content(path: str) -> bool:
    """Whether the content of a file with this name is worth a look."""
    return path.endswith(_ENDINGS)


def kind_of_content(path: str, data: bytes) -> Kind | None:
    """The kind of a file that its name does not tell; ``None`` for what is out of scope."""
    for endings, look, kind in _LOOKS:
        if path.endswith(endings) and look(path, data):
            return kind
    return None
