"""Which files only their content tells apart, and what it tells.

YAML, JSON and Python hold anything. A file is in scope when a search of its bytes finds what no file
without infrastructure has; everything else is out of scope, which is no failure. The search comes
before decoding and parsing and must stay cheap: `bytes.find` for a few words, nothing more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor.source.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Callable


def _is_template(_path: str, data: bytes) -> bool:
    """Whether a file says that it is a template of CloudFormation, or has resources of AWS."""
    if b"AWSTemplateFormatVersion" in data or b"AWS::Serverless-2016-10-31" in data:
        return True
    return b"Resources" in data and (b"AWS::" in data or b"Custom::" in data)


_LOOKS: Final[tuple[tuple[tuple[str, ...], Callable[[str, bytes], bool], Kind], ...]] = (
    ((".yaml", ".yml", ".json", ".template", ".cfn"), _is_template, Kind.TEMPLATE),
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
