"""Python source to its syntax tree, with places in code points. The only importer of ``ast``'s parser.

The standard library's parser is asked only about texts that it can take: what it needs grows with the
number of elements, and a list of five million would take gigabytes. What it refuses (a newer syntax,
Python 2, nesting without end) is a fault with its place. Nothing is compiled, imported or run.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from typing import TYPE_CHECKING, Final

from blastdoor.parse.tree import Comment, SyntaxFault
from blastdoor.record import dataclass
from blastdoor.span import BYTE_ORDER_MARK, Span

if TYPE_CHECKING:
    from blastdoor.span import Document

MAX_ELEMENTS: Final = 60_000
"""Most commas of one file: a tree needs some kilobytes for each."""
MAX_NESTING: Final = 90
"""Most brackets within one another."""

_MARK: Final = re.compile(r"#[ \t]*(?P<text>blastdoor:.*)")
_NO_BRACKET: Final = re.compile(r"[^()\[\]{}]+")
_ROUND: Final = str.maketrans("[{]}", "(())")
_PYTHON_2: Final = re.compile(
    r"^[ \t]*(?:print[ \t]+[^(=\s]|except[ \t]+\w+[ \t]*,|exec[ \t]+['\"])", re.MULTILINE
)


@dataclass(slots=True)
class Parsed:
    """What a file says, as far as it could be read."""

    document: Document
    module: ast.Module | None
    comments: list[Comment]
    fault: SyntaxFault | None = None
    limit: str = ""
    """The limit that was met, when that is why there is no tree."""


def parse_python(document: Document) -> Parsed:
    """The tree of a Python file, or why there is none."""
    text = document.text.removeprefix(BYTE_ORDER_MARK)
    limit = _limit(text)
    if limit:
        return Parsed(document, None, [], limit=limit)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the analysed code's escapes, which are not ours
            module = ast.parse(text)
    except SyntaxError as error:
        return Parsed(document, None, [], fault=_fault(document, text, error))
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        words = f"the parser gives up: {str(error)[:100] or type(error).__name__}"
        start = document.line_starts[0]
        return Parsed(document, None, [], fault=SyntaxFault(Span(document, start, start), words))
    return Parsed(document, module, _comments(document, text))


def _limit(text: str) -> str:
    if text.count(",") > MAX_ELEMENTS:
        return f"has more than {MAX_ELEMENTS:,} elements; not read"
    depth = 0
    if _nesting(text) <= MAX_NESTING:
        return ""
    for character in re.findall(r"[()\[\]{}]", text):
        if character in "([{":
            depth += 1
            if depth > MAX_NESTING:
                return f"has more than {MAX_NESTING} brackets within one another; not read"
        elif depth:
            depth -= 1
    return ""


def _nesting(text: str) -> int:
    """At least as many brackets as are open at once, found without a look at each character."""
    left = _NO_BRACKET.sub("", text).translate(_ROUND)
    rounds = 0
    while rounds <= MAX_NESTING:
        shorter = left.replace("()", "")
        if len(shorter) == len(left):
            break
        left, rounds = shorter, rounds + 1
    return rounds + left.count("(")


def _fault(document: Document, text: str, error: SyntaxError) -> SyntaxFault:
    line = min(max(error.lineno or 1, 1), len(document.line_starts))
    start, end = document.line_range(line)
    at = min(start + max((error.offset or 1) - 1, 0), end)
    words = (error.msg or "invalid syntax").split("\n", maxsplit=1)[0]
    if _PYTHON_2.search(text):
        words = f"{words} (is this Python 2?)"
    elif "match" in words or "type " in words:
        words = f"{words} (is this a newer Python?)"
    return SyntaxFault(Span(document, at, max(end, at)), words)


def _comments(document: Document, text: str) -> list[Comment]:
    """The comments that speak to blastdoor; the tokens are read only where the word stands."""
    if "blastdoor:" not in text:
        return []
    shift = len(document.text) - len(text)
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text, newline="").readline):
            if token.type != tokenize.COMMENT:
                continue
            match = _MARK.match(token.string)
            if match is not None:
                start = document.line_starts[token.start[0] - 1] + token.start[1]
                start += shift if token.start[0] == 1 and not document.line_starts[0] else 0
                found.append(Comment(start, start + len(token.string), match["text"]))
    except (tokenize.TokenError, SyntaxError, IndexError):
        return found
    return found


class Places:
    """The places of nodes in a document: `ast` counts columns in bytes of UTF-8."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._starts = document.line_starts
        self._ascii = document.text.isascii()
        self._spans: dict[ast.AST, Span] = {}

    def offset(self, line: int, column: int) -> int:
        """The offset of a line (one-based) and a column in bytes (zero-based)."""
        starts = self._starts
        start = starts[line - 1] if line <= len(starts) else starts[-1]
        if self._ascii or not column:
            return start + column
        end = starts[line] if line < len(starts) else len(self.document.text)
        text = self.document.text[start:end]
        if text.isascii():
            return start + column
        return start + len(text.encode("utf-8", "surrogatepass")[:column].decode("utf-8", "ignore"))

    def span(self, node: ast.AST) -> Span:
        """The range of a node; of one without a place the beginning of the document."""
        found = self._spans.get(node)
        if found is not None:
            return found
        if self._ascii and isinstance(node, ast.expr) and node.end_lineno is not None:
            starts = self._starts
            start = starts[node.lineno - 1] + node.col_offset
            end = starts[node.end_lineno - 1] + (node.end_col_offset or 0)
            found = Span(self.document, start, end)
        else:
            line: int = getattr(node, "lineno", 1)
            start = self.offset(line, getattr(node, "col_offset", 0))
            last: int = getattr(node, "end_lineno", None) or line
            end = self.offset(last, getattr(node, "end_col_offset", None) or 0)
            found = Span(self.document, start, max(start, end))
        self._spans[node] = found
        return found
