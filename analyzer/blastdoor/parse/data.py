"""The tree of data files: scalars, sequences and mappings with their positions.

JSON gives this tree now; YAML gives the same one. Offsets count code points into the text of the
document, half-open; those of a string cover its literal with the quotes.
"""

from __future__ import annotations

from blastdoor.parse import tree


class Scalar(tree.Node):
    """A string, a number, ``true``, ``false`` or ``null``."""

    __slots__ = ("value",)

    def __init__(self, start: int, end: int, value: str | float | bool | None) -> None:  # noqa: FBT001  a value, not a switch
        self.start = start
        self.end = end
        self.value = value

    def __repr__(self) -> str:
        return f"Scalar({self.start}, {self.end}, {self.value!r})"


class Sequence(tree.Node):
    """``[a, b, …]``."""

    __slots__ = ("items",)

    def __init__(self, start: int, end: int, items: list[Node]) -> None:
        self.start = start
        self.end = end
        self.items = items

    def __repr__(self) -> str:
        return f"Sequence({self.start}, {self.end}, {len(self.items)} items)"


class Mapping(tree.Node):
    """``{key: value, …}``: the entries in source order, those with the same key all kept."""

    __slots__ = ("entries",)

    def __init__(self, start: int, end: int, entries: list[tuple[Scalar, Node]]) -> None:
        self.start = start
        self.end = end
        self.entries = entries

    def __repr__(self) -> str:
        return f"Mapping({self.start}, {self.end}, {len(self.entries)} entries)"


Node = Scalar | Sequence | Mapping
