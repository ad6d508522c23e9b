"""The parser of the HCL native syntax: Terraform's ``.tf``, ``.tofu``, ``.tfvars`` and ``.hcl``.

The grammar is that of the HCL Native Syntax Specification (hashicorp/hcl, hclsyntax/spec.md), with
the choices of Terraform's own scanner where the specification leaves one. A text that has no fault
takes one pass; after the first fault the text is parsed again by :class:`_RecoveringParser`, which
keeps every statement that still parses.

Three properties hold for every input. No function recurses deeper than ``MAX_DEPTH`` levels of
nesting, each of which costs at most three Python frames. Every regular expression is linear: its
repetitions are possessive and never nested ambiguously. And what is parsed again after a fault is
bounded by a constant times the length of the text.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from blastdoor.parse.tree import (
    Attr,
    Attribute,
    Binary,
    Block,
    Body,
    Broken,
    Call,
    Comment,
    Conditional,
    Expression,
    ForDirective,
    ForExpression,
    IfDirective,
    Index,
    Interpolation,
    Label,
    Literal,
    Node,
    ObjectExpression,
    ObjectItem,
    Operation,
    Parenthesized,
    Parsed,
    Splat,
    SyntaxFault,
    Template,
    TemplatePart,
    TextPart,
    Traversal,
    TupleExpression,
    Unary,
    Variable,
)
from blastdoor.span import Document, Span

MAX_DEPTH: Final = 128
"""How deep blocks, brackets, templates, conditionals and prefix operators nest in one another."""

MAX_FAULTS: Final = 200
"""How many faults of one text are reported and recovered from."""

# Identifiers begin with a letter or "_" and go on with letters, digits, "_" and "-". Everything
# beyond ASCII is let through here and looked at in `_Parser.check_name`.
_ID: Final = (
    r"[^\x00-\x40\x5b-\x5e\x60\x7b-\x7f]"
    r"[^\x00-\x2c\x2e\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]*+"
)
_BLOCK_COMMENT: Final = r"/\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/"
_LINE_COMMENT: Final = r"(?:\#|//)[^\n]*+"
# What may stand between two tokens: where a newline ends the item (tight), where it does not.
_TIGHT: Final = rf"[ \t]*+(?:{_BLOCK_COMMENT}[ \t]*+)*+"
_LOOSE: Final = rf"(?:[ \t\n]++|\r\n|{_LINE_COMMENT}|{_BLOCK_COMMENT})*+"
_END_OF_LINE: Final = rf"{_TIGHT}(?:{_LINE_COMMENT})?+\r?\n"
_NUMBER: Final = r"[0-9]++(?:\.*+(?:[0-9]++|[eE][+-]?+[0-9]++))*+"
_PLAIN: Final = r'"([^"\\$%\r\n]*+)"'
_ASSIGN: Final = r"=(?![=>])"

_TERM: Final = (
    rf"(?:({_ID}(?:\.{_ID})*+)"  # 1 a name or an attribute path
    rf"|{_PLAIN}"  # 2 a quoted string without escapes and sequences
    rf"|({_NUMBER})"  # 3
    r'|([\[{("])'  # 4
    r"|(<<)"  # 5
    r"|([-!]))"  # 6
)
_OPERATOR: Final = (
    r"(?:(\.(?!\.\.)|\[)"  # 1 an attribute, index or splat
    r"|(\|\||&&|==|!=|<=|>=|[<>+*/%-])"  # 2
    r"|(\?)"  # 3
    r"|(\()"  # 4
    r"|(::))"  # 5
)
_PATH, _STRING, _NUM, _OPEN, _HEREDOC = 1, 2, 3, 4, 5
_STEP, _BINARY, _QUESTION, _CALL, _SCOPE = 1, 2, 3, 4, 5

_term_tight = re.compile(_TIGHT + _TERM).match
_term_loose = re.compile(_LOOSE + _TERM).match
_operator_tight = re.compile(_TIGHT + _OPERATOR).match
_operator_loose = re.compile(_LOOSE + _OPERATOR).match
_skip_tight = re.compile(_TIGHT).match
_skip_loose = re.compile(_LOOSE).match
_colon_tight = re.compile(rf"{_TIGHT}:(?!:)").match
_colon_loose = re.compile(rf"{_LOOSE}:(?!:)").match
_name_tight = re.compile(rf"{_TIGHT}({_ID})").match
_name_loose = re.compile(rf"{_LOOSE}({_ID})").match
_name = re.compile(_ID).match
_end_of_line = re.compile(_END_OF_LINE).match

_statement = re.compile(
    rf"{_LOOSE}(?:({_ID}){_TIGHT}(?:{_ASSIGN}(?:[ \t]*+{_PLAIN}[ \t]*+\n|())"
    rf'|((?:"[^"\\$%\r\n]*+"[ \t]*+)*+)\{{[ \t]*+(\n)?+)'
    r"|(\})|(\x00))"
).match
_NAME, _TEXT, _ASSIGNMENT, _LABELS, _BRACE_LINE, _CLOSE, _END = 1, 2, 3, 4, 5, 6, 7
_after_brace = re.compile(
    rf"{_TIGHT}(?:(\}})|(?:{_LINE_COMMENT})?+\r?\n()|({_ID}){_TIGHT}{_ASSIGN})"
).match
_close_brace_tight = re.compile(rf"{_TIGHT}\}}").match
_header_tight = re.compile(rf'{_TIGHT}(?:(\{{)|(")|({_ID}))').match

_argument_end = re.compile(rf"{_LOOSE}(?:(\))|(,)|(\.\.\.))").match
_item_end = re.compile(rf"{_LOOSE}(?:(\])|(,))").match
_close_round = re.compile(rf"{_LOOSE}\)").match
_close_square = re.compile(rf"{_LOOSE}\]").match
_close_curly = re.compile(rf"{_LOOSE}\}}").match
_tuple_open = re.compile(rf"{_LOOSE}(?:(\])|(for)(?![^\x00-\x2c\x2e\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]))").match
