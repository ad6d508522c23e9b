"""A second opinion on changed Terraform files: python-hcl2 reads them, too.

A text that two parsers read differently may say one thing to whoever approves it and another to what
runs it. Blocks, labels, names of arguments and plain literals are compared. python-hcl2 is slow, and a
text can make it very slow: it works in a process of its own, limited in time and memory. It is an extra
(``blastdoor[crosscheck]``), because it installs a package ``hcl2`` that others install, too.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from blastdoor.parse import tree
from blastdoor.parse.hcl import parse_hcl

if TYPE_CHECKING:
    from blastdoor.span import Document

TIMEOUT: Final = 60
"""Seconds for one file."""
MAX_MEMORY: Final = 2_000_000_000
"""Bytes of address space for one file, where the platform can limit it."""
_MARK: Final = "__is_block__"
_ANY: Final = "…"
"""Stands for what is not plain enough to compare."""


def is_there() -> bool:
    """Whether the second parser is installed."""
    return find_spec("hcl2") is not None


def disagreement(document: Document) -> str | None:
    """Where the two parsers part, in words; ``None`` where they agree."""
    parsed = parse_hcl(document)
    try:
        done = subprocess.run(  # noqa: S603  ourselves
            [sys.executable, "-I", "-c", _CHILD],
            input=document.text.removeprefix("\ufeff").encode("utf-8", "surrogatepass"),
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"python-hcl2 takes longer than {TIMEOUT} s"
    if done.returncode:
        # Both refuse it: then nobody runs it either.
        return None if parsed.faults else "python-hcl2 cannot read it"
    if parsed.faults:
        return "only python-hcl2 can read it"
    return _difference(_shape(parsed.body), _theirs(json.loads(done.stdout)), "")


_CHILD: Final = f"""
import json, sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, ({MAX_MEMORY}, {MAX_MEMORY}))
except (ImportError, ValueError, OSError):
    pass
import hcl2
from hcl2.utils import SerializationOptions
sys.setrecursionlimit(5000)
text = sys.stdin.buffer.read().decode("utf-8")
# Else comments are told as if they were arguments.
options = SerializationOptions(with_comments=False)
json.dump(hcl2.loads(text, serialization_options=options), sys.stdout)
"""


def _shape(body: tree.Body) -> dict[str, Any]:
    """A body: name → literal, or type and labels → list of bodies."""
    found: dict[str, Any] = {
        name: _literal(attribute.expression) for name, attribute in body.attributes.items()
    }
    for block in body.blocks:
        key = "\0".join([block.type, *(label.text for label in block.labels)])
        _append(found, key, _shape(block.body))
    return found


def _append(found: dict[str, Any], key: str, body: dict[str, Any]) -> None:
    """Effect: adds a block. What is an argument as well is not plain."""
    if isinstance(found.setdefault(key, []), list):
        found[key].append(body)
    else:
        found[key] = _ANY


def _literal(node: tree.Expression) -> Any:
    if isinstance(node, tree.Literal):
        return node.value
    if isinstance(node, tree.Template) and not node.heredoc:
        parts = node.parts
        if all(isinstance(p, tree.TextPart) and len(p.text) == p.end - p.start for p in parts):
            return "".join(p.text for p in parts if isinstance(p, tree.TextPart))
    return _ANY


def _theirs(value: dict[str, Any]) -> dict[str, Any]:
    """python-hcl2's dictionaries in the same form."""
    found: dict[str, Any] = {}
    for name, inner in value.items():
        if name == _MARK:
            continue
        if not (isinstance(inner, list) and inner and all(map(_is_block, inner))):
            found[name] = _plain(inner)
            continue
        for block in inner:
            labels, content = [name], block
            while _MARK not in content:
                ((label, content),) = content.items()
                labels.append(label)
            key = "\0".join(map(_unquoted, labels))
            _append(found, key, _theirs(content))
    return found


def _is_block(value: Any) -> bool:
    while isinstance(value, dict) and _MARK not in value and len(value) == 1:
        (value,) = value.values()
    return isinstance(value, dict) and _MARK in value


def _unquoted(word: str) -> str:
    return word[1:-1] if word.startswith('"') else word


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        quoted = len(value) > 1 and value[0] == value[-1] == '"'
        text = value[1:-1]
        return text if quoted and not set(text) & set('\\$%"') else _ANY
    return value if value is None or isinstance(value, (bool, int, float)) else _ANY


def _difference(ours: dict[str, Any], theirs: dict[str, Any], path: str) -> str | None:
    """The first place where two shapes part."""
    for key in sorted({*ours, *theirs}):
        place = f"{path}{key.replace(chr(0), ' ')}"
        if key not in ours or key not in theirs:
            return f"only one of them sees {place}"
        mine, other = ours[key], theirs[key]
        if isinstance(mine, list) and isinstance(other, list):
            if len(mine) != len(other):
                return f"they count {place} differently"
            for one, two in zip(mine, other, strict=True):
                found = _difference(one, two, f"{place} > ")
                if found is not None:
                    return found
        elif isinstance(mine, list) or isinstance(other, list) or not _agree(mine, other):
            return f"they read {place} differently"
    return None


def _agree(mine: object, other: object) -> bool:
    """Whether two literals are one, as far as both are plain."""
    if _ANY in (mine, other):
        return True
    return mine == other and isinstance(mine, bool) == isinstance(other, bool)
