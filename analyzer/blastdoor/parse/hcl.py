"""The parser of the HCL native syntax: Terraform's ``.tf``, ``.tofu``, ``.tfvars`` and ``.hcl``.

The grammar is that of the HCL Native Syntax Specification (hashicorp/hcl, hclsyntax/spec.md), with
the choices of Terraform's own scanner where the specification leaves one. A text that has no fault
takes one pass; after the first fault the text is parsed again by ``_RecoveringParser``, which
keeps every statement that still parses.

Three properties hold for every input. No function recurses deeper than ``MAX_DEPTH`` levels of
nesting, each of which costs at most four Python frames. Every regular expression is linear: its
repetitions are possessive and what they repeat is told apart by its first character. And what is
read again after a fault is bounded by a constant times the length of the text.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING, Final

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

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    _Match = Callable[[str, int], re.Match[str] | None]

MAX_DEPTH: Final = 128
"""How deep blocks, brackets, templates, conditionals and prefix operators nest in one another."""

MAX_FAULTS: Final = 200
"""How many faults of one text are reported and recovered from."""

MARKER: Final = "blastdoor:"
"""What a comment must contain to be given back."""

# Identifiers begin with a letter or "_" and go on with letters, digits, "_" and "-". Everything
# beyond ASCII is let through here and looked at by `_Parser.check_name`.
_ID_GOES_ON: Final = r"[^\x00-\x2c\x2e\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]"
_ID: Final = rf"[^\x00-\x40\x5b-\x5e\x60\x7b-\x7f]{_ID_GOES_ON}*+"
_BLOCK_COMMENT: Final = r"/\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/"
_LINE_COMMENT: Final = r"(?:\#|//)[^\n]*+"
# What may stand between two tokens: where a newline ends the item (tight), where it does not.
_TIGHT: Final = rf"[ \t]*+(?:{_BLOCK_COMMENT}[ \t]*+)*+"
_LOOSE: Final = rf"(?:[ \t\n]++|\r\n|{_LINE_COMMENT}|{_BLOCK_COMMENT})*+"
_NUMBER: Final = r"[0-9]++(?:\.*+(?:[0-9]++|[eE][+-]?+[0-9]++))*+"
_PLAIN: Final = r'"([^"\\$%\r\n]*+)"'
_ASSIGN: Final = r"=(?![=>])"
_FOR: Final = rf"for(?!{_ID_GOES_ON})"

_TERM: Final = (
    rf"(?:({_ID}(?:\.{_ID})*+)"  # 1 a name or an attribute path
    rf"|{_PLAIN}"  # 2 a quoted string without escapes and sequences
    rf"|({_NUMBER})"  # 3
    r'|([\[{("])'  # 4
    r"|(<<)"  # 5
    r"|([-!]))"  # 6
)
_PATH, _STRING, _DIGITS, _OPEN, _HEREDOC, _PREFIX = 1, 2, 3, 4, 5, 6
_OPERATOR: Final = (
    r"(?:(\.(?!\.\.)|\[)"  # 1 an attribute, index or splat
    r"|(\|\||&&|==|!=|<=|>=|[<>+*%-]|/(?![/*]))"  # 2
    r"|(\?)"  # 3
    r"|(\()"  # 4
    r"|(::))"  # 5
)
_STEP, _BINARY, _QUESTION, _CALL, _SCOPE = 1, 2, 3, 4, 5
_STEPS: Final = (
    r"(?:(\.)(?!\.\.){blank}"  # 1
    rf"(?:({_ID})"  # 2
    rf"|({_NUMBER})"  # 3
    r"|(\*))"  # 4
    r"|(\[){blank}(?:(\*){blank}\])?+)"  # 5, 6
)
_ATTR, _LEGACY, _STAR, _INDEX, _FULL = 2, 3, 4, 5, 6

_term_tight = re.compile(_TIGHT + _TERM).match
_term_loose = re.compile(_LOOSE + _TERM).match
_operator_tight = re.compile(_TIGHT + _OPERATOR).match
_operator_loose = re.compile(_LOOSE + _OPERATOR).match
_step_tight = re.compile(_TIGHT + _STEPS.replace("{blank}", _TIGHT)).match
_step_loose = re.compile(_LOOSE + _STEPS.replace("{blank}", _LOOSE)).match
_brace_outside_text = re.compile(
    r'[{}]|"(?:[^"\\\n]|\\.)*"?|(?:#|//)[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/)?'
).finditer
_skip_tight = re.compile(_TIGHT).match
_skip_loose = re.compile(_LOOSE).match
_colon_tight = re.compile(rf"{_TIGHT}:(?!:)").match
_colon_loose = re.compile(rf"{_LOOSE}:(?!:)").match
_name_tight = re.compile(rf"{_TIGHT}({_ID})").match
_name_loose = re.compile(rf"{_LOOSE}({_ID})").match
_name = re.compile(_ID).match
_end_of_line = re.compile(rf"{_TIGHT}(?:{_LINE_COMMENT})?+\r?\n").match

_statement = re.compile(
    rf"{_LOOSE}(?:({_ID}){_TIGHT}"
    rf"(?:{_ASSIGN}(?:[ \t]*+{_PLAIN}[ \t]*+\n|())"
    rf'|((?:"[^"\\$%\r\n]*+"[ \t]*+)*+)\{{(?:[ \t]*+(\n))?+)'
    r"|(\})|(\x00))"
).match
_NAME, _TEXT, _EQUALS, _LABELS, _LINES, _CLOSE, _END = 1, 2, 3, 4, 5, 6, 7
_plain_label = re.compile(_PLAIN).finditer
_header = re.compile(rf'{_TIGHT}(?:(\{{)|(")|({_ID}))').match
_BRACE, _QUOTE, _BARE = 1, 2, 3
_after_brace = re.compile(
    rf"{_TIGHT}(?:(\}})|((?:{_LINE_COMMENT})?+\r?\n)|({_ID}){_TIGHT}{_ASSIGN})"
).match
_AT_ONCE, _BODY, _ONE = 1, 2, 3
_curly_tight = re.compile(rf"{_TIGHT}\}}").match
_curly_loose = re.compile(rf"{_LOOSE}\}}").match
_round_loose = re.compile(rf"{_LOOSE}\)").match
_square_loose = re.compile(rf"{_LOOSE}\]").match
_argument_end = re.compile(rf"{_LOOSE}(?:(\))|(,)|(\.\.\.))").match
_element_end = re.compile(rf"{_LOOSE}(?:(\])|(,))").match
_for_key_word = re.compile(_LOOSE + _FOR).match
_item = re.compile(rf"{_LOOSE}(?:(?:({_ID})|{_PLAIN}){_TIGHT}(?:=(?![=>])|:(?!:))|(\}}))").match
_KEY, _QUOTED_KEY, _LAST = 1, 2, 3
_item_end = re.compile(rf"{_TIGHT}(?:(\}})|(,)|((?:{_LINE_COMMENT})?+\r?\n))").match
_assign_or_colon = re.compile(rf"{_TIGHT}(?:=(?![=>])|:(?!:))").match
_arrow = re.compile(rf"{_LOOSE}=>").match
_ellipsis = re.compile(rf"{_LOOSE}\.\.\.").match
_comma_loose = re.compile(rf"{_LOOSE},").match
_name_end = re.compile(rf"{_LOOSE}(::|\()").match

_quoted_part = re.compile(
    r'(?:((?:[^"\\$%\r\n]++|\$(?!\$?+\{)|%(?!%?+\{))++)'  # 1 as it stands
    r'|(")'  # 2 the end
    r"|\\(?:([nrt\"\\])|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))"  # 3, 4, 5 an escape
    r"|(\$\$\{|%%\{)"  # 6 an escaped sequence
    r"|([$%]\{))"  # 7 a sequence
).match
_AS_IS, _QUOTE_END, _ESCAPE, _SHORT, _LONG, _DOUBLED, _SEQUENCE = 1, 2, 3, 4, 5, 6, 7
_sequence_in = re.compile(r"(?:\$(\$)?+|%(%)?+)\{").search
_sequence_end = re.compile(rf"{_LOOSE}(~)?+\}}").match
_heredoc_open = re.compile(rf"<<(-)?+({_ID})\r?\n").match
_heredoc_in = re.compile(rf"<<-?+({_ID})\r?\n").search
_trimmed = re.compile(r"[^\S\n]*+\n?+").match
_indent = re.compile(r"[ \t]*+").match
_statement_start = re.compile(rf'{_ID}[ \t]*+(?:=(?![=>])|\{{|"|{_ID}[ \t]*+["{{])').match

_label_word = re.compile(r'[^\s"]++').finditer
_in_code = re.compile(rf'/\*|{_LINE_COMMENT}|"|<<-?+({_ID})\r?\n|[{{}}]').search
_in_quotes = re.compile(r'\\.|\$(?:\$)?+\{|%(?:%)?+\{|"|\n').search

_PRECEDENCE: Final = {
    "||": 1,
    "&&": 2,
    "==": 3,
    "!=": 3,
    "<": 4,
    ">": 4,
    "<=": 4,
    ">=": 4,
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
    "%": 6,
}
_KEY_WORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
# After an expression these characters end it for certain.
_STOP_TIGHT: Final = "\n\r,)]}"
_STOP_LOOSE: Final = ",)]}"
_MAX_DIGITS: Final = 4000
_WHOLE: Final = 2**53
_SURROGATES: Final = range(0xD800, 0xE000)
_MAX_CODE_POINT: Final = 0x10FFFF

# How many labels the blocks of Terraform's language have, to read a header with a lost quote.
_LABEL_COUNTS: Final = {
    "backend": 1,
    "check": 1,
    "connection": 0,
    "data": 2,
    "dynamic": 1,
    "ephemeral": 2,
    "import": 0,
    "lifecycle": 0,
    "locals": 0,
    "module": 1,
    "moved": 0,
    "output": 1,
    "provider": 1,
    "provisioner": 1,
    "removed": 0,
    "resource": 2,
    "terraform": 0,
    "variable": 1,
}


class _FaultError(Exception):
    """The first thing in a statement that is not as the grammar wants it."""

    def __init__(self, at: int, message: str) -> None:
        super().__init__(message)
        self.at = at
        self.message = message


class _Directive:
    """A template directive before ``if``/``else``/``endif`` and ``for``/``endfor`` are paired."""

    __slots__ = ("end", "expression", "key", "start", "value", "word")

    def __init__(self, start: int, word: str) -> None:
        self.start = start
        self.end = start
        self.word = word
        self.expression: Expression | None = None
        self.key: str | None = None
        self.value = ""


_Item = TextPart | Interpolation | _Directive


class _Parser:
    """One text on its way to a tree; every method takes an offset and gives back a node.

    The position after a node is its ``end``. ``loose`` says that newlines are blanks here (within
    parentheses, square brackets and template sequences); ``depth`` counts the nesting.
    ``text`` is the document's with a newline and a NUL behind, so that looking one character
    ahead never needs a bound.
    """

    def __init__(self, document: Document, text: str) -> None:
        self.document = document
        self.size = len(text)
        self.text = text + "\n\0"
        self.wide = not text.isascii()
        self.faults: list[SyntaxFault] = []

    # Faults

    def found(self, at: int) -> tuple[str, int]:
        """What stands at ``at``, in words, and where it ends."""
        text = self.text
        if at >= self.size:
            return "the end of the file", self.size
        character = text[at]
        if character in "\r\n#" or text.startswith("//", at):
            return "the end of the line", at + 1
        match = _name(text, at)
        if match is not None:
            word = match[0]
            shown = word if len(word) <= 40 else word[:37] + "..."  # noqa: PLR2004  for the eye
            return f'"{shown}"', match.end()
        if text.startswith("/*", at):
            return "a comment that does not end", at + 2
        if character == '"':
            return "a string", at + 1
        if character.isdigit():
            return "a number", at + 1
        for operator in ("...", "=>", "==", "!=", "<=", ">=", "&&", "||", "::", "<<", "${", "%{"):
            if text.startswith(operator, at):
                return f'"{operator}"', at + len(operator)
        shown = character if character.isprintable() else f"U+{ord(character):04X}"
        return f'"{shown}"', at + 1

    def expected(self, what: str, pos: int, *, loose: bool = False) -> _FaultError:
        """The fault that ``what`` does not stand behind ``pos``."""
        match = (_skip_loose if loose else _skip_tight)(self.text, pos)
        at = min(match.end() if match else pos, self.size)
        return _FaultError(at, f"expected {what}, found {self.found(at)[0]}")

    def too_deep(self, at: int) -> _FaultError:
        """The fault that the nesting goes beyond ``MAX_DEPTH``."""
        return _FaultError(min(at, self.size), f"nested more than {MAX_DEPTH} levels deep")

    def report(self, at: int, message: str, end: int = -1) -> None:
        """Keep a fault."""
        at = min(at, self.size)
        end = min(self.found(at)[1] if end < 0 else end, self.size)
        self.faults.append(SyntaxFault(Span(self.document, at, max(at, end)), message))

    def check_name(self, path: str, at: int) -> None:
        """Refuse what is let through as an identifier but has characters that none may have."""
        if not path.isascii():
            for name in path.split("."):
                if not name.replace("-", "_").isidentifier():
                    raise _FaultError(at, f'expected a name, found "{name[:40]}"')

    # Bodies

    def body(self, start: int, depth: int) -> Body:
        """The statements from ``start`` to the closing brace, or to the end at depth 0."""
        text = self.text
        if depth > MAX_DEPTH:
            raise self.too_deep(start)
        body = Body(self.document, start, start)
        attributes = body.attributes
        pos = start
        value: Expression
        while True:
            match = _statement(text, pos)
            kind = match.lastindex if match is not None else 0
            if match is None or kind is None or kind == 0:
                block = self.other_block(pos, depth)
                body.blocks.append(block)
                pos = block.end
            elif kind <= _EQUALS:
                name_start, name_end = match.span(_NAME)
                name = match[_NAME]
                if self.wide:
                    self.check_name(name, name_start)
                if kind == _TEXT:
                    left, right = match.span(_TEXT)
                    value = Template(
                        left - 1,
                        right + 1,
                        (TextPart(left, right, match[_TEXT]),) if right > left else (),
                    )
                    pos = match.end()
                else:
                    value = self.expression(match.end(), loose=False, depth=depth + 1)
                    pos = value.end
                    if text[pos] == "\n":
                        pos += 1
                    else:
                        pos = self.line_end(pos, "the attribute")
                if name in attributes:
                    self.duplicate(attributes[name], name_start)
                else:
                    attributes[name] = Attribute(name, name_start, name_end, value)
                continue
            elif kind <= _LINES:
                labels = [
                    Label(label.start(), label.end(), label[1])
                    for label in _plain_label(text, *match.span(_LABELS))
                ]
                header_end = labels[-1].end if labels else match.end(_NAME)
                if self.wide:
                    self.check_name(match[_NAME], match.start(_NAME))
                if kind == _LINES:
                    inner = self.body(match.end(_LINES), depth + 1)
                    inner.start = match.end(_LABELS) + 1
                else:
                    inner = self.body_on_line(match.end(), depth + 1)
                pos = inner.end + 1
                body.blocks.append(
                    Block(
                        match.start(_NAME),
                        pos,
                        type=match[_NAME],
                        labels=tuple(labels),
                        header_end=header_end,
                        body=inner,
                    )
                )
            elif kind == _CLOSE:
                if depth == 0:
                    raise self.expected("an attribute or a block", match.start(_CLOSE))
                body.end = match.start(_CLOSE)
                return body
            else:
                if match.start(_END) < self.size:
                    raise self.expected("an attribute or a block", match.start(_END))
                if depth:
                    raise self.expected('"}" at the end of the block', self.size)
                body.end = self.size
                return body
            # Behind a block.
            if text[pos] == "\n":
                pos += 1
            else:
                pos = self.line_end(pos, "the block")

    def line_end(self, pos: int, what: str) -> int:
        """The start of the line behind ``pos``, where nothing more may stand on this one."""
        match = _end_of_line(self.text, pos)
        if match is None:
            raise self.expected(f"the end of the line after {what}", pos)
        return match.end()

    def duplicate(self, first: Attribute, at: int) -> None:
        """Report an attribute that stands twice in one body; the first is kept."""
        line = self.document.position(first.start).line
        self.report(at, f'the attribute "{first.name}" stands already on line {line}')

    def other_block(self, pos: int, depth: int) -> Block:
        """A block whose header is not of the common form: bare labels, comments, escapes."""
        text = self.text
        match = _name_loose(text, pos)
        if match is None:
            raise self.expected("an attribute or a block", pos, loose=True)
        if self.wide:
            self.check_name(match[1], match.start(1))
        labels, brace = self.labels(match.end())
        inner = self.body_on_line(brace + 1, depth + 1)
        return Block(
            match.start(1),
            inner.end + 1,
            type=match[1],
            labels=tuple(labels),
            header_end=labels[-1].end if labels else match.end(1),
            body=inner,
        )

    def labels(self, pos: int) -> tuple[list[Label], int]:
        """The labels behind the type of a block and the offset of the brace behind them."""
        text = self.text
        labels: list[Label] = []
        while True:
            match = _header(text, pos)
            kind = match.lastindex if match is not None else None
            if match is None or kind is None:
                wanted = '"{" or a label' if labels else '"=" or "{" after the name'
                raise self.expected(wanted, pos)
            at = match.start(kind)
            if kind == _BRACE:
                return labels, at
            if kind == _QUOTE:
                label = self.label(at)
                pos = label.end
                labels.append(label)
            else:
                if self.wide:
                    self.check_name(match[_BARE], at)
                pos = match.end()
                labels.append(Label(at, pos, match[_BARE]))

    def label(self, at: int) -> Label:
        """A quoted label; template sequences have no place in it."""
        template = self.quoted(at, 0)
        content = ""
        for part in template.parts:
            if not isinstance(part, TextPart):
                raise _FaultError(part.start, "a label must not contain a template sequence")
            content += part.text
        return Label(template.start, template.end, content)

    def body_on_line(self, pos: int, depth: int) -> Body:
        """The body behind a brace that something else than the line's end may follow."""
        text = self.text
        match = _after_brace(text, pos)
        if match is None or match.lastindex is None:
            raise self.expected('an attribute, "}" or the end of the line after "{"', pos)
        kind = match.lastindex
        if kind == _BODY:
            body = self.body(match.end(), depth)
            body.start = pos
            return body
        body = Body(self.document, pos, match.end() - 1)
        if kind == _ONE:
            if self.wide:
                self.check_name(match[_ONE], match.start(_ONE))
            value = self.expression(match.end(), loose=False, depth=depth + 1)
            close = _curly_tight(text, value.end)
            if close is None:
                raise self.expected('"}" after the only attribute of the line', value.end)
            body.attributes[match[_ONE]] = Attribute(
                match[_ONE], match.start(_ONE), match.end(_ONE), value
            )
            body.end = close.end() - 1
        return body

    # Expressions

    def expression(self, pos: int, *, loose: bool, depth: int) -> Expression:
        """The longest expression at ``pos``.

        One function for all operators: what waits for its right side is kept in a list, so that a
        chain of any length costs no recursion.
        """
        if depth > MAX_DEPTH:
            raise self.too_deep(pos)
        text = self.text
        if loose:
            term, operator, stop = _term_loose, _operator_loose, _STOP_LOOSE
        else:
            term, operator, stop = _term_tight, _operator_tight, _STOP_TIGHT
        waiting: list[tuple[Expression, str, int]] | None = None
        node: Expression
        while True:
            match = term(text, pos)
            if match is None:
                raise self.expected("an expression", pos, loose=loose)
            kind = match.lastindex
            prefixes: list[tuple[int, str]] | None = None
            if kind == _PREFIX:
                prefixes = []
                while kind == _PREFIX:
                    prefixes.append((match.start(_PREFIX), match[_PREFIX]))
                    if depth + len(prefixes) > MAX_DEPTH:
                        raise self.too_deep(match.start(_PREFIX))
                    match = term(text, match.end())
                    if match is None:
                        raise self.expected("an expression", prefixes[-1][0] + 1, loose=loose)
                    kind = match.lastindex
            path = ""
            if kind == _PATH:
                start, end = match.span(_PATH)
                path = match[_PATH]
                if self.wide:
                    self.check_name(path, start)
                if text[end] == "(" and "." not in path:
                    node = self.call(path, start, end + 1, depth)
                    path = ""
                else:
                    names = path.split(".")
                    name = names[0]
                    at = start + len(name)
                    if name in _KEY_WORDS:
                        node = Literal(start, at, _KEY_WORDS[name])
                    else:
                        node = Variable(start, at, name)
                    if at < end:
                        steps: list[Operation] = []
                        for name in names[1:]:
                            begin = at
                            at += len(name) + 1
                            steps.append(Attr(begin, at, name))
                        node = Traversal(start, end, node, tuple(steps))
                        path = ""
            elif kind == _STRING:
                start, end = match.span(_STRING)
                node = Template(
                    start - 1,
                    end + 1,
                    (TextPart(start, end, match[_STRING]),) if end > start else (),
                )
            elif kind == _OPEN:
                start = match.start(_OPEN)
                opener = text[start]
                if opener == "{":
                    node = self.object_expression(start, depth)
                elif opener == "[":
                    node = self.tuple_expression(start, depth)
                elif opener == '"':
                    node = self.quoted(start, depth)
                else:
                    node = self.expression(start + 1, loose=True, depth=depth + 1)
                    match = _round_loose(text, node.end)
                    if match is None:
                        raise self.expected('")"', node.end, loose=True)
                    node = Parenthesized(start, match.end(), node)
            elif kind == _DIGITS:
                node = self.number(match.start(_DIGITS), match[_DIGITS])
            else:
                node = self.heredoc(match.start(_HEREDOC), depth)

            kind = 0
            while text[node.end] not in stop:
                match = operator(text, node.end)
                if match is None:
                    kind = 0
                    break
                kind = match.lastindex
                if kind == _STEP:
                    node = self.steps(node, loose=loose, depth=depth)
                    path = ""
                    kind = 0
                    continue
                if kind == _CALL and path:
                    node = self.call(path, node.start, match.end(), depth)
                elif kind == _SCOPE and path:
                    node = self.scoped_call(path, node.start, match.start(_SCOPE), depth)
                else:
                    break
                path = ""
                kind = 0
            if prefixes:
                for at, sign in reversed(prefixes):
                    node = Unary(at, node.end, sign, node)
            if kind == _BINARY and match is not None:
                sign = match[_BINARY]
                rank = _PRECEDENCE[sign]
                if waiting is None:
                    waiting = []
                while waiting and waiting[-1][2] >= rank:
                    left, before, _ = waiting.pop()
                    node = Binary(left.start, node.end, before, left, node)
                waiting.append((node, sign, rank))
                pos = match.end()
                continue
            while waiting:
                left, before, _ = waiting.pop()
                node = Binary(left.start, node.end, before, left, node)
            if kind == _QUESTION and match is not None:
                yes = self.expression(match.end(), loose=loose, depth=depth + 1)
                match = (_colon_loose if loose else _colon_tight)(text, yes.end)
                if match is None:
                    raise self.expected('":" of the conditional', yes.end, loose=loose)
                no = self.expression(match.end(), loose=loose, depth=depth + 1)
                return Conditional(node.start, no.end, node, yes, no)
            return node

    def number(self, start: int, digits: str) -> Expression:
        """A number; one too large to be held is a value that is not known."""
        end = start + len(digits)
        if digits.isdigit():
            if len(digits) > _MAX_DIGITS:
                return Broken(start, end)
            return Literal(start, end, int(digits))
        try:
            value = float(digits)
        except ValueError:
            raise _FaultError(start, f'expected a number, found "{digits[:40]}"') from None
        if value in (float("inf"), float("-inf")):
            return Broken(start, end)
        if value.is_integer() and abs(value) < _WHOLE:
            return Literal(start, end, int(value))
        return Literal(start, end, value)

    def scoped_call(self, name: str, start: int, pos: int, depth: int) -> Call:
        """A call of a function in a namespace; ``pos`` is that of the first ``::``."""
        text = self.text
        while True:
            match = _name_end(text, pos)
            if match is None:
                raise self.expected('"("', pos)
            if match[1] == "(":
                return self.call(name, start, match.end(), depth)
            word = _name_tight(text, match.end())
            if word is None:
                raise self.expected('a name after "::"', match.end())
            if self.wide:
                self.check_name(word[1], word.start(1))
            name += "::" + word[1]
            pos = word.end()
            following = _operator_tight(text, pos)
            if following is None or following.lastindex not in (_CALL, _SCOPE):
                raise self.expected('"("', pos)

    def call(self, name: str, start: int, pos: int, depth: int) -> Call:
        """The arguments of a function behind its opening parenthesis."""
        text = self.text
        arguments: list[Expression] = []
        while True:
            if text[pos] == ")":
                return Call(start, pos + 1, name, tuple(arguments), expand=False)
            match = _round_loose(text, pos)
            if match is not None:
                return Call(start, match.end(), name, tuple(arguments), expand=False)
            node = self.expression(pos, loose=True, depth=depth + 1)
            arguments.append(node)
            pos = node.end
            character = text[pos]
            if character == ")":
                continue
            if character == ",":
                pos += 1
                continue
            match = _argument_end(text, pos)
            if match is None:
                raise self.expected('"," or ")" after the argument', pos, loose=True)
            if match.lastindex == 1:
                return Call(start, match.end(), name, tuple(arguments), expand=False)
            pos = match.end()
            if match.lastindex == 3:  # noqa: PLR2004  the group of "..."
                match = _round_loose(text, pos)
                if match is None:
                    raise self.expected('")" after "..."', pos, loose=True)
                return Call(start, match.end(), name, tuple(arguments), expand=True)

    def tuple_expression(self, start: int, depth: int) -> Expression:
        """``[…]``: a tuple or a ``for`` expression."""
        text = self.text
        pos = start + 1
        match = _for_key_word(text, pos)
        if match is not None:
            return self.for_expression(start, match.end(), depth)
        items: list[Expression] = []
        while True:
            match = _square_loose(text, pos)
            if match is not None:
                return TupleExpression(start, match.end(), tuple(items))
            node = self.expression(pos, loose=True, depth=depth + 1)
            items.append(node)
            pos = node.end
            if text[pos] == ",":
                pos += 1
                continue
            match = _element_end(text, pos)
            if match is None:
                raise self.expected('"," or "]" after the element', pos, loose=True)
            if match.lastindex == 1:
                return TupleExpression(start, match.end(), tuple(items))
            pos = match.end()

    def object_expression(self, start: int, depth: int) -> Expression:
        """``{…}``: an object or a ``for`` expression."""
        text = self.text
        pos = start + 1
        match = _for_key_word(text, pos)
        if match is not None:
            return self.for_expression(start, match.end(), depth)
        items: list[ObjectItem] = []
        key: Expression
        while True:
            match = _item(text, pos)
            if match is None:
                key, pos = self.key(pos, depth)
            else:
                kind = match.lastindex
                if kind == _KEY:
                    left, right = match.span(_KEY)
                    if self.wide:
                        self.check_name(match[_KEY], left)
                    key = Template(left, right, (TextPart(left, right, match[_KEY]),))
                elif kind == _QUOTED_KEY:
                    left, right = match.span(_QUOTED_KEY)
                    key = Template(
                        left - 1,
                        right + 1,
                        (TextPart(left, right, match[_QUOTED_KEY]),) if right > left else (),
                    )
                else:
                    return ObjectExpression(start, match.end(), tuple(items))
                pos = match.end()
            value = self.expression(pos, loose=False, depth=depth + 1)
            pos = value.end
            items.append(ObjectItem(key.start, pos, key, value))
            if text[pos] in "\n,":
                pos += 1
                continue
            match = _item_end(text, pos)
            if match is None:
                raise self.expected('",", "}" or the end of the line after the value', pos)
            if match.lastindex == 1:
                return ObjectExpression(start, match.end(), tuple(items))
            pos = match.end()

    def key(self, pos: int, depth: int) -> tuple[Expression, int]:
        """A key of an object that is neither a name nor a plain string; and what follows it."""
        text = self.text
        match = _skip_loose(text, pos)
        pos = match.end() if match else pos
        key = self.expression(pos, loose=False, depth=depth + 1)
        match = _assign_or_colon(text, key.end)
        if match is None:
            raise self.expected('"=" or ":" after the key', key.end)
        return key, match.end()

    def for_names(self, pos: int) -> tuple[str | None, str, int]:
        """``key, value in`` behind ``for``, and where the collection starts."""
        text = self.text
        names: list[str] = []
        while True:
            match = _name_loose(text, pos)
            if match is None:
                raise self.expected('a name after "for"', pos, loose=True)
            if self.wide:
                self.check_name(match[1], match.start(1))
            names.append(match[1])
            pos = match.end()
            match = _comma_loose(text, pos) if len(names) == 1 else None
            if match is None:
                break
            pos = match.end()
        match = _name_loose(text, pos)
        if match is None or match[1] != "in":
            raise self.expected('"in"', pos, loose=True)
        return (names[0] if len(names) > 1 else None), names[-1], match.end()

    def for_expression(self, start: int, pos: int, depth: int) -> ForExpression:
        """``[for …]`` or ``{for …}``; ``pos`` is behind the word ``for``."""
        text = self.text
        to_object = text[start] == "{"
        key_name, value_name, pos = self.for_names(pos)
        collection = self.expression(pos, loose=True, depth=depth + 1)
        match = _colon_loose(text, collection.end)
        if match is None:
            raise self.expected('":" after the collection', collection.end, loose=True)
        value = self.expression(match.end(), loose=True, depth=depth + 1)
        pos = value.end
        key: Expression | None = None
        match = _arrow(text, pos)
        if (match is not None) is not to_object:
            wanted = '"=>" after the key' if to_object else '"]" or "if" after the value'
            raise self.expected(wanted, pos, loose=True)
        if match is not None:
            key = value
            value = self.expression(match.end(), loose=True, depth=depth + 1)
            pos = value.end
        match = _ellipsis(text, pos) if to_object else None
        grouping = match is not None
        if match is not None:
            pos = match.end()
        condition: Expression | None = None
        match = _name_loose(text, pos)
        if match is not None and match[1] == "if":
            condition = self.expression(match.end(), loose=True, depth=depth + 1)
            pos = condition.end
        match = (_curly_loose if to_object else _square_loose)(text, pos)
        if match is None:
            raise self.expected('"}"' if to_object else '"]"', pos, loose=True)
        return ForExpression(
            start,
            match.end(),
            key_name=key_name,
            value_name=value_name,
            collection=collection,
            result_key=key,
            result_value=value,
            condition=condition,
            grouping=grouping,
        )

    def steps(self, base: Expression, *, loose: bool, depth: int) -> Expression:
        """The attributes, indexes and splats behind ``base``."""
        text = self.text
        step = _step_loose if loose else _step_tight
        operations: list[Operation] = []
        if type(base) is Traversal:
            operations.extend(base.operations)
            first = base.base
        else:
            first = base
        pos = base.end
        # A full splat maps everything behind it: what came before waits here.
        outer: list[tuple[int, list[Operation]]] = []
        stop = _STOP_LOOSE if loose else _STOP_TIGHT
        by_attribute = -1
        while True:
            match = step(text, pos) if text[pos] not in stop else None
            kind = match.lastindex if match is not None else None
            if by_attribute >= 0 and kind not in (_ATTR, _LEGACY, _STAR):
                # An attribute-only splat goes on as long as there are dots.
                mapped = operations
                at, operations = outer.pop()
                operations.append(Splat(at, pos, tuple(mapped), full=False))
                by_attribute = -1
            if match is None or kind is None:
                break
            if kind == _ATTR:
                if self.wide:
                    self.check_name(match[_ATTR], match.start(_ATTR))
                pos = match.end()
                operations.append(Attr(match.start(1), pos, match[_ATTR]))
            elif kind == _LEGACY:
                if "." in match[_LEGACY]:
                    raise _FaultError(
                        match.start(_LEGACY), 'expected one number after ".", found two'
                    )
                pos = match.end()
                number = self.number(match.start(_LEGACY), match[_LEGACY])
                operations.append(Index(match.start(1), pos, number))
            elif kind == _STAR:
                if by_attribute >= 0:
                    raise _FaultError(match.start(_STAR), 'expected a name after ".", found "*"')
                pos = by_attribute = match.end()
                outer.append((match.start(1), operations))
                operations = []
            elif kind == _FULL:
                pos = match.end()
                outer.append((match.start(_INDEX), operations))
                operations = []
                if depth + len(outer) > MAX_DEPTH:
                    raise self.too_deep(match.start(_INDEX))
            else:
                key = self.expression(match.end(_INDEX), loose=True, depth=depth + 1)
                close = _square_loose(text, key.end)
                if close is None:
                    raise self.expected('"]" after the index', key.end, loose=True)
                pos = close.end()
                operations.append(Index(match.start(_INDEX), pos, key))
        if pos == base.end:
            match = (_operator_loose if loose else _operator_tight)(text, pos)
            raise self.expected('a name after "."', match.end() if match else pos, loose=loose)
        while outer:
            mapped = operations
            at, operations = outer.pop()
            operations.append(Splat(at, pos, tuple(mapped), full=True))
        return Traversal(base.start, pos, first, tuple(operations))

    # Templates

    def quoted(self, start: int, depth: int) -> Template:
        """The quoted template whose opening quote is at ``start``."""
        text = self.text
        items: list[_Item] = []
        pos = start + 1
        trim = False
        while True:
            match = _quoted_part(text, pos)
            kind = match.lastindex if match is not None else None
            if match is None or kind is None:
                raise self.bad_string(pos)
            if kind == _AS_IS:
                content = match[_AS_IS]
                end = match.end()
                if trim:
                    content = content.lstrip()
                    pos = end - len(content)
                if content:
                    items.append(TextPart(pos, end, content))
                    trim = False
                pos = end
                continue
            if kind == _QUOTE_END:
                return Template(start, match.end(), self.pair(items, depth))
            if kind == _SEQUENCE:
                pos, trim = self.sequence(pos, items, depth, quoted=True)
                continue
            if kind == _ESCAPE:
                content = _ESCAPES[match[_ESCAPE]]
            elif kind == _DOUBLED:
                content = match[_DOUBLED][1:]
            else:
                number = int(match[kind], 16)
                if number in _SURROGATES or number > _MAX_CODE_POINT:
                    raise _FaultError(pos, f'"{match[0]}" is no character')
                content = chr(number)
            if not (trim and content.isspace()):
                items.append(TextPart(pos, match.end(), content))
                trim = False
            pos = match.end()

    def bad_string(self, pos: int) -> _FaultError:
        """What is wrong at ``pos`` within a quoted string."""
        if pos < self.size and self.text[pos] == "\\":
            following = self.text[pos + 1]
            if pos + 1 < self.size and following not in "\r\n":
                return _FaultError(pos, f'"\\{following}" is no escape sequence')
        where = "the end of the file" if pos >= self.size else "the end of the line"
        return _FaultError(
            min(pos, self.size), f"expected '\"' at the end of the string, found {where}"
        )

    def sequence(
        self, start: int, items: list[_Item], depth: int, *, quoted: bool
    ) -> tuple[int, bool]:
        """``${…}`` or ``%{…}`` at ``start``; gives back what follows and whether to trim that."""
        text = self.text
        pos = start + 2
        if text[pos] == "~":
            pos += 1
            _trim_right(items, quoted=quoted)
        if text[start] == "$":
            node = self.expression(pos, loose=True, depth=depth + 1)
            match = _sequence_end(text, node.end)
            if match is None:
                raise self.expected('"}" after the interpolation', node.end, loose=True)
            items.append(Interpolation(start, match.end(), node))
            return match.end(), match[1] is not None
        match = _name_loose(text, pos)
        word = match[1] if match is not None else ""
        if match is None or word not in ("if", "else", "endif", "for", "endfor"):
            raise self.expected('"if", "else", "endif", "for" or "endfor"', pos, loose=True)
        pos = match.end()
        directive = _Directive(start, word)
        if word == "for":
            directive.key, directive.value, pos = self.for_names(pos)
        if word in ("if", "for"):
            node = self.expression(pos, loose=True, depth=depth + 1)
            directive.expression = node
            pos = node.end
        match = _sequence_end(text, pos)
        if match is None:
            raise self.expected('"}" after the directive', pos, loose=True)
        directive.end = match.end()
        items.append(directive)
        return match.end(), match[1] is not None

    def joined(self, items: list[_Item]) -> list[_Item]:
        """The items without empty stretches, neighbours that are one stretch of source as one."""
        joined: list[_Item] = []
        start = end = -1
        for item in items:
            if type(item) is not TextPart or len(item.text) != item.end - item.start:
                if end > start:
                    joined.append(TextPart(start, end, self.text[start:end]))
                start = end = -1
                joined.append(item)
            elif item.start == end:
                end = item.end
            else:
                if end > start:
                    joined.append(TextPart(start, end, self.text[start:end]))
                start, end = item.start, item.end
        if end > start:
            joined.append(TextPart(start, end, self.text[start:end]))
        return joined

    def pair(self, items: list[_Item], depth: int) -> tuple[TemplatePart, ...]:
        """The parts of a template with each directive paired with its end."""
        parts: list[TemplatePart] = []
        # Per open directive: itself, what came before it, what stood before its "else".
        stack: list[tuple[_Directive, list[TemplatePart], list[TemplatePart] | None]] = []
        for item in self.joined(items):
            if not isinstance(item, _Directive):
                parts.append(item)
                continue
            word = item.word
            if word in ("if", "for"):
                if depth + len(stack) >= MAX_DEPTH:
                    raise self.too_deep(item.start)
                stack.append((item, parts, None))
                parts = []
                continue
            opener, before, yes = stack.pop() if stack else (None, parts, None)
            if opener is None or opener.expression is None:
                raise _FaultError(item.start, f'"{word}" without its beginning')
            if word == "else":
                if opener.word != "if" or yes is not None:
                    raise _FaultError(item.start, '"else" without its "if"')
                stack.append((opener, before, parts))
                parts = []
                continue
            if word != "end" + opener.word:
                raise _FaultError(item.start, f'expected "end{opener.word}", found "{word}"')
            if word == "endif":
                if yes is None:
                    yes, parts = parts, []
                before.append(
                    IfDirective(opener.start, item.end, opener.expression, tuple(yes), tuple(parts))
                )
            else:
                before.append(
                    ForDirective(
                        opener.start,
                        item.end,
                        opener.key,
                        opener.value,
                        opener.expression,
                        tuple(parts),
                    )
                )
            parts = before
        if stack:
            opener = stack[-1][0]
            raise _FaultError(
                opener.start, f'expected "end{opener.word}" before the end of the template'
            )
        return tuple(parts)

    def heredoc(self, start: int, depth: int) -> Template:
        """The heredoc whose ``<<`` is at ``start``; it ends with its closing marker."""
        text = self.text
        match = _heredoc_open(text, start)
        if match is None or match.end() > self.size:
            raise _FaultError(start, 'expected a marker and the end of the line after "<<"')
        marker = match[2]
        flush = match[1] is not None
        if self.wide:
            self.check_name(marker, match.start(2))
        pos = match.end()
        items, pos = self.lines(pos, depth, marker=marker, split=flush)
        if pos < 0:
            raise _FaultError(start, f'expected "{marker}" at the end of the heredoc')
        if flush:
            _unindent(items)
        line_end = text.find("\n", pos)
        end = pos + len(text[pos:line_end].rstrip())
        return Template(start, end, self.pair(items, depth), heredoc=True)

    def lines(
        self, pos: int, depth: int, *, marker: str | None, split: bool
    ) -> tuple[list[_Item], int]:
        """What stands in a heredoc up to the line of its marker, or in a bare template.

        Gives back the offset of the marker's line, -1 where there is none. With ``split`` every
        line has parts of its own.
        """
        text = self.text
        size = self.size
        items: list[_Item] = []
        run = pos
        line_start = True
        while True:
            line_end = text.find("\n", pos)
            if line_end < 0 or line_end >= size:
                if marker is not None:
                    return items, -1
                line_end = size
            elif line_start and marker is not None and text[pos:line_end].strip() == marker:
                if pos > run:
                    items.append(TextPart(run, pos, text[run:pos]))
                return items, pos
            match = _sequence_in(text, pos, line_end)
            if match is None:
                pos = min(line_end + 1, size)
                if split or line_end >= size:
                    if pos > run:
                        items.append(TextPart(run, pos, text[run:pos]))
                    run = pos
                if line_end >= size:
                    return items, pos
                line_start = True
                continue
            at = match.start()
            if at > run:
                items.append(TextPart(run, at, text[run:at]))
            line_start = False
            if match.lastindex is not None:
                run = pos = match.end()
                items.append(TextPart(at, pos, match[0][1:]))
                continue
            pos, trim = self.sequence(at, items, depth, quoted=False)
            if trim:
                match = _trimmed(text, pos)
                if match is not None:
                    pos = min(match.end(), size)
                    line_start = text[pos - 1] == "\n"
            run = pos


def _trim_right(items: list[_Item], *, quoted: bool) -> None:
    """Take the blanks before a ``~`` away.

    In a quoted template that is all of them. Elsewhere each line is a token of its own, and only
    the token next to the marker is trimmed; it stays, even empty, for the sake of indentation.
    """
    while items:
        part = items[-1]
        if type(part) is not TextPart:
            return
        content = part.text
        keep = 0 if quoted else content.rfind("\n") + 1
        content = content[:keep] + content[keep:].rstrip()
        if content == part.text:
            return
        items[-1] = TextPart(part.start, part.end - len(part.text) + len(content), content)
        if content or not quoted:
            return
        items.pop()


def _unindent(items: list[_Item]) -> None:
    """Remove from each line of a ``<<-`` heredoc the blanks that all its lines begin with.

    Lines of blanks alone neither count nor change (spec.md, "Template Expressions").
    """
    least = -1
    firsts: list[int] = []
    at_line_start = True
    for number, item in enumerate(items):
        text = item.text if type(item) is TextPart else None
        if at_line_start:
            at_line_start = False
            blanks = 0
            counts = True
            if text is not None:
                blanks = len(text) - len(text.lstrip())
                counts = blanks < len(text) or not text.endswith("\n")
                if counts:
                    firsts.append(number)
            if counts and (least < 0 or blanks < least):
                least = blanks
        if text is not None and text.endswith("\n"):
            at_line_start = True
    if least > 0:
        for number in firsts:
            item = items[number]
            if type(item) is TextPart:
                items[number] = TextPart(item.start + least, item.end, item.text[least:])


class _RecoveringParser(_Parser):
    """The parser of a text that has a fault: statement by statement, with a way on after each.

    Where a statement does not parse, its value becomes ``Broken`` and reading goes on at the next
    line that looks like a statement and is indented no deeper than the broken one. With
    ``by_indent`` (a second attempt, when braces do not balance) the indentation also decides which
    block a brace closes and where one is missing.
    """

    def __init__(self, document: Document, text: str, *, by_indent: bool) -> None:
        super().__init__(document, text)
        self.by_indent = by_indent
        self.unbalanced = False
        self.unclosed = False
        """Whether the end of the text inside a block has been reported: once is enough."""
        self.too_nested = False
        self.stopped = False
        self.pos = 0
        self.budget = 2 * self.size + 65536
        self.indents: list[int] = []
        self._ends: dict[str, list[int]] | None = None
        self._crowded = -1
        """The start of the last line reported for blocks within one another."""

    def report(self, at: int, message: str, end: int = -1) -> None:
        """Keep a fault; after too many of them the rest of the text is given up."""
        if self.stopped:
            return
        super().report(at, message, end)
        if len(self.faults) >= MAX_FAULTS:
            self.give_up(at, "too many faults")

    def give_up(self, at: int, why: str) -> None:
        """Read nothing more."""
        super().report(at, f"{why}: the rest of the file is not read", self.size)
        self.stopped = True

    def heredoc(self, start: int, depth: int) -> Template:
        """A heredoc, not read at all when no line ends it: that would be read again and again."""
        match = _heredoc_open(self.text, start)
        if match is not None and self.heredoc_end(match[2], match.end()) < 0:
            raise _FaultError(start, f'expected "{match[2]}" at the end of the heredoc')
        return super().heredoc(start, depth)

    def heredoc_end(self, marker: str, pos: int) -> int:
        """The start of the first line at or after ``pos`` that is ``marker`` alone, or -1."""
        if self._ends is None:
            self._ends = {}
            start = 0
            for line in self.text[: self.size].split("\n"):
                self._ends.setdefault(line.strip(), []).append(start)
                start += len(line) + 1
        lines = self._ends.get(marker, [])
        number = bisect_left(lines, pos)
        return lines[number] if number < len(lines) else -1

    def recover(self, start: int) -> Body:
        """The whole text."""
        return self.statements(start, 0, -1)

    def statements(self, start: int, depth: int, opened_at: int) -> Body:
        """The statements of a body; ``pos`` is behind its brace, or where it had to end.

        ``opened_at`` is where the block begins that the body belongs to.
        """
        text = self.text
        body = Body(self.document, start, start)
        own = self.indents[-1] if self.indents else -1
        inner = -1
        self.pos = start
        while True:
            match = _skip_loose(text, self.pos)
            at = match.end() if match else self.pos
            if at >= self.size or self.stopped:
                body.end = self.pos = self.size
                if depth and not self.stopped and not self.unclosed:
                    self.unbalanced = self.unclosed = True
                    line = self.document.position(opened_at).line
                    self.report(
                        self.size,
                        f'expected "}}" to close the block of line {line}, '
                        "found the end of the file",
                    )
                return body
            line_start = text.rfind("\n", 0, at) + 1
            indent = at - line_start if not text[line_start:at].strip() else -1
            if text[at] == "}":
                if depth == 0 or self.is_stray(at, indent, own, inner, opened_at):
                    self.unbalanced = True
                    self.report(at, 'expected an attribute or a block, found "}"')
                    self.pos = at + 1
                    continue
                if self.by_indent and 0 <= indent < own < inner and indent in self.indents[:-1]:
                    return self.close_early(body, line_start, at, opened_at)
                body.end = at
                self.pos = at + 1
                return body
            if (
                self.by_indent
                and depth
                and 0 <= indent <= own
                and _statement_start(text, at)
                and (inner > own or (inner < 0 and indent == 0))
            ):
                return self.close_early(body, line_start, at, opened_at)
            if indent >= 0 and inner < 0:
                inner = indent if depth else 0
            # Deeper than its neighbours: a statement of a block whose header is lost.
            orphan = self.by_indent and 0 <= inner < indent
            owner = Body(self.document, body.start, body.start) if orphan else body
            self.statement(owner, at, line_start, depth)

    def is_stray(self, at: int, indent: int, own: int, inner: int, opened_at: int) -> bool:
        """Whether a brace, going by indentation, is one too many rather than the block's own."""
        if not self.by_indent or inner <= own:
            return False
        if indent < 0:
            line_start = self.text.rfind("\n", 0, at) + 1
            return opened_at < line_start
        if indent <= own:
            return False
        following = self.next_indent(at + 1)
        return following > own

    def close_early(self, body: Body, end: int, at: int, opened_at: int) -> Body:
        """End a body whose closing brace is missing before ``at``."""
        line = self.document.position(opened_at).line
        self.report(
            at, f'expected "}}" to close the block of line {line}, found {self.found(at)[0]}'
        )
        body.end = max(end, body.start)
        self.pos = at
        return body

    def next_indent(self, pos: int) -> int:
        """How deep the next line with code behind the line of ``pos`` is indented; -1 if none."""
        text = self.text
        at = text.find("\n", pos) + 1
        match = _skip_loose(text, at)
        first = match.end() if match else at
        if at == 0 or first >= self.size:
            return -1
        return first - (text.rfind("\n", 0, first) + 1)

    def statement(self, body: Body, at: int, line_start: int, depth: int) -> None:
        """One attribute or block at ``at``, or what is left of it."""
        text = self.text
        match = _indent(text, line_start)
        column = (match.end() if match else at) - line_start
        fault: _FaultError
        try:
            match = _name(text, at)
            if match is None:
                raise self.expected("an attribute or a block", at)
            if self.wide:
                self.check_name(match[0], at)
            if depth >= MAX_DEPTH:
                self.too_nested = True
                self.report(at, self.too_deep(at).message)
                self.pos = self.block_end(at)
                return
            skipped = _skip_tight(text, match.end())
            pos = skipped.end() if skipped else match.end()
            if text[pos] == "=" and text[pos + 1] not in "=>":
                self.attribute(body, match[0], at, pos + 1, column, depth)
                return
            self.block(body, match[0], at, match.end(), column, depth)
        except _FaultError as error:
            # Its frames would hold this one, and this one would hold it.
            fault = error.with_traceback(None)
        else:
            return
        if self.indents and column <= self.indents[-1] and match is None:
            # A stray character before a statement of this block.
            column = max(column, self.next_indent(at))
        self.report(fault.at, fault.message)
        self.pos = self.resume(at, column, fault.at)

    def block_end(self, pos: int) -> int:
        """The brace that ends the block around ``pos``, told by counting; the end where none does."""
        open_braces = 0
        for match in _brace_outside_text(self.text, pos, self.size):
            if match[0] == "{":
                open_braces += 1
            elif match[0] == "}":
                if not open_braces:
                    return match.start()
                open_braces -= 1
        return self.size

    def attribute(self, body: Body, name: str, at: int, pos: int, column: int, depth: int) -> None:
        """An attribute; where its value does not parse, the name with a value not known."""
        value: Expression
        try:
            value = self.expression(pos, loose=False, depth=depth + 1)
            self.check_layout(value, column)
            self.pos = self.after_attribute(body, at, value.end, depth)
        except _FaultError as fault:
            self.report(fault.at, fault.message)
            value = Broken(pos, max(pos, min(fault.at, self.size)))
            self.pos = self.resume(at, column, fault.at)
        if name in body.attributes:
            self.duplicate(body.attributes[name], at)
        else:
            body.attributes[name] = Attribute(name, at, at + len(name), value)

    def after_attribute(self, body: Body, at: int, pos: int, depth: int) -> int:
        """Where to read on behind an attribute that was read, with a fault for what is wrong."""
        text = self.text
        one_line = depth > 0 and text.find("\n", body.start, at) < 0
        match = _end_of_line(text, pos)
        if match is not None:
            if one_line:
                self.report(pos, 'expected "}" after the only attribute of the line')
            return match.end()
        skipped = _skip_tight(text, pos)
        after = skipped.end() if skipped else pos
        character = text[after]
        if character not in ",;}" or (character == "}" and not depth):
            raise self.expected("the end of the line after the attribute", pos)
        if character != "}" or not one_line:
            found = self.found(after)[0]
            self.report(after, f"expected the end of the line after the attribute, found {found}")
        return after if character == "}" else after + 1

    def check_layout(self, value: Expression, column: int) -> None:
        """Refuse a value that, going by indentation, swallowed a brace which is not its own."""
        if not self.by_indent or self.text[value.end - 1] not in "}])":
            return
        line_start = self.text.rfind("\n", 0, value.end) + 1
        if line_start <= value.start:
            return
        match = _indent(self.text, line_start)
        first = match.end() if match else line_start
        if self.text[first] in "}])" and first - line_start < column:
            raise _FaultError(first, f'expected more of the value, found "{self.text[first]}"')

    def block(self, body: Body, kind: str, at: int, pos: int, column: int, depth: int) -> None:
        """A block; a header that can only be meant one way is read so, and reported."""
        text = self.text
        keep = True
        if depth and text.find("\n", body.start, at) < 0:
            line_start = text.rfind("\n", 0, at) + 1
            if line_start != self._crowded:
                self.report(at, "a block within a block must stand on a line of its own")
            self._crowded = line_start
        try:
            labels, brace = self.labels(pos)
            start = brace + 1
            header_end = labels[-1].end if labels else pos
        except _FaultError as fault:
            guess = self.guess(kind, pos, column)
            if guess is None:
                raise
            self.report(fault.at, fault.message)
            labels, start, header_end, keep = guess
        self.indents.append(column)
        inner = self.statements(start, depth + 1, at)
        self.indents.pop()
        if keep:
            body.blocks.append(
                Block(
                    at,
                    self.pos,
                    type=kind,
                    labels=tuple(labels),
                    header_end=header_end,
                    body=inner,
                )
            )
        match = _end_of_line(text, self.pos)
        if match is not None:
            self.pos = match.end()
        elif self.pos == inner.end + 1 and not self.stopped:
            skipped = _skip_tight(text, self.pos)
            after = skipped.end() if skipped else self.pos
            found = self.found(after)[0]
            self.report(after, f"expected the end of the line after the block, found {found}")
            self.pos = after + 1 if text[after] in ",;" else after
            if text[after] not in ",;}" and not _statement_start(text, after):
                self.pos = self.resume(after, column, after)

    def guess(self, kind: str, pos: int, column: int) -> tuple[list[Label], int, int, bool] | None:
        """The labels and the body of a block whose header has a fault, if it can be told.

        A header that ends with a brace lost or gained a quote, and Terraform's labels have no
        blanks in them. One without a brace that deeper lines follow lost the brace. Where the
        number of labels does not fit the type, the block's body is read but not kept.
        """
        text = self.text
        line_end = text.find("\n", pos)
        header = text[pos:line_end].rstrip()
        start = pos + len(header)
        brace = header.endswith("{")
        if brace:
            header = header[:-1]
        else:
            match = _skip_loose(text, line_end)
            following = match.end() if match else line_end
            if text[following] == "{":
                start = following + 1
            elif self.next_indent(pos) <= column or kind not in _LABEL_COUNTS:
                return None
        if any(character in header for character in "={}[]()"):
            return None
        labels = [
            Label(pos + word.start(), pos + word.end(), word[0]) for word in _label_word(header)
        ]
        keep = len(labels) == _LABEL_COUNTS.get(kind, 0)
        return labels, start, labels[-1].end if labels else pos, keep

    def resume(self, at: int, column: int, reached: int) -> int:
        """Where to read on after a fault in the statement at ``at``, indented by ``column``."""
        text = self.text
        size = self.size
        line = text.rfind("\n", 0, at) + 1
        first = at
        line_end = text.find("\n", at)
        opened = 0
        deeper = False
        while True:
            content = text[first:line_end]
            opened += sum(map(content.count, "{[(")) - sum(map(content.count, "}])"))
            heredoc = _heredoc_in(text, first, line_end + 1)
            if heredoc is not None:
                end = self.heredoc_end(heredoc[1], heredoc.end())
                if end >= 0:
                    line_end = text.find("\n", end)
            # The next line.
            line = line_end + 1
            if line >= size:
                break
            match = _indent(text, line)
            first = match.end() if match else line
            line_end = text.find("\n", first)
            character = text[first]
            if character in "\r\n#" or text.startswith("//", first):
                continue
            if first - line > column:
                deeper = True
                continue
            if character in "}])":
                if first - line == column and (deeper or opened > 0):
                    deeper = False
                    if text[first:line_end].rstrip()[-1] in "{[(":
                        continue
                    line = line_end + 1
                    break
                if character == "}":
                    break
            elif _statement_start(text, first):
                break
        self.budget -= max(reached - line, 0)
        if self.budget < 0 and not self.stopped:
            self.give_up(at, "too much to read twice")
        return min(line, size)


def _blastdoor_comments(text: str) -> list[Comment]:
    """The comments of a text that contain the marker.

    A small scanner of its own, run only on texts that contain the marker: it knows what is code,
    what is quoted and what is a heredoc, and nothing more.
    """
    comments: list[Comment] = []
    # Per open construct: the marker of a heredoc, '"' of a quoted string, or None for code; and
    # for code the number of open braces.
    stack: list[tuple[str | None, int]] = [(None, 0)]
    pos = 0
    while True:
        mode, braces = stack[-1]
        if mode is None:
            match = _in_code(text, pos)
            if match is None:
                return comments
            pos = match.end()
            piece = match[0]
            if piece[0] in "#/":
                if piece == "/*":
                    pos = text.find("*/", pos) + 2
                    if pos == 1:
                        return comments
                    piece = text[match.start() : pos]
                if MARKER in piece:
                    content = piece[2:-2] if piece.startswith("/*") else piece.lstrip("#/")
                    end = match.start() + len(piece.rstrip())
                    comments.append(Comment(match.start(), end, content.strip()))
            elif piece == '"':
                stack.append(('"', 0))
            elif match[1] is not None:
                stack.append((match[1], 1))
            elif piece == "{":
                stack[-1] = (None, braces + 1)
            elif braces > 0:
                stack[-1] = (None, braces - 1)
            elif len(stack) > 1:
                stack.pop()
        elif mode == '"':
            match = _in_quotes(text, pos)
            if match is None:
                return comments
            pos = match.end()
            piece = match[0]
            if piece in ("${", "%{"):
                stack.append((None, 0))
            elif piece == '"':
                stack.pop()
            elif piece == "\n":
                # A string that does not end: its sequences end with it.
                while stack[-1][0] is None or stack[-1][0] == '"':
                    stack.pop()
                    if not stack:
                        stack = [(None, 0)]
                        break
        else:
            line_end = text.find("\n", pos)
            if line_end < 0:
                line_end = len(text)
            if braces and text[pos:line_end].strip() == mode:
                stack.pop()
                pos = line_end
                continue
            match = _sequence_in(text, pos, line_end)
            if match is not None:
                pos = match.end()
                stack[-1] = (mode, 0)
                if match.lastindex is None:
                    stack.append((None, 0))
            elif line_end >= len(text):
                return comments
            else:
                pos = line_end + 1
                stack[-1] = (mode, 1)


def parse_hcl(document: Document) -> Parsed:
    """The tree of a text in native syntax, with a fault for every place that did not parse.

    Never raises. Of the comments only those that contain ``blastdoor:`` are given back.
    """
    text = document.text
    start = 1 if text.startswith("\ufeff") else 0
    parser = _Parser(document, text)
    try:
        body = parser.body(start, 0)
        faults = parser.faults
    except _FaultError as fault:
        recovering = _RecoveringParser(document, text, by_indent=False)
        body = recovering.recover(start)
        if recovering.unbalanced and not recovering.too_nested:
            recovering = _RecoveringParser(document, text, by_indent=True)
            body = recovering.recover(start)
        if not recovering.faults:
            recovering.report(fault.at, fault.message)
        faults = recovering.faults
    comments = _blastdoor_comments(text) if MARKER in text else []
    return Parsed(document, body, comments, faults)


def parse_template(
    document: Document,
    start: int = 0,
    end: int | None = None,
    *,
    text: str | None = None,
    offsets: Sequence[int] | None = None,
) -> tuple[Expression, list[SyntaxFault]]:
    """The bare template (no quotes around it) that stands in ``document`` at ``[start, end)``.

    That is the content of a template file or of a string in the JSON syntax. Where the template
    is not verbatim in the document, ``text`` is its content and ``offsets`` tells for each of its
    code points, and for its end, where they stand in the document. A template with a fault is
    ``Broken``.
    """
    return _parse_part(document, start, end, text, offsets, template=True)


def parse_expression(
    document: Document,
    start: int = 0,
    end: int | None = None,
    *,
    text: str | None = None,
    offsets: Sequence[int] | None = None,
) -> tuple[Expression, list[SyntaxFault]]:
    """The expression that stands in ``document`` at ``[start, end)``, as in a quoted reference.

    Newlines are blanks in it. The parameters are those of ``parse_template``.
    """
    return _parse_part(document, start, end, text, offsets, template=False)


def _parse_part(
    document: Document,
    start: int,
    end: int | None,
    text: str | None,
    offsets: Sequence[int] | None,
    *,
    template: bool,
) -> tuple[Expression, list[SyntaxFault]]:
    if end is None:
        end = len(document.text)
    if text is None:
        text = document.text[start:end]
    if offsets is None:
        offsets = range(start, start + len(text) + 1)
    parser = _Parser(document, text)
    try:
        node: Expression
        if template:
            items, _ = parser.lines(0, 0, marker=None, split=False)
            node = Template(0, parser.size, parser.pair(items, 0))
        else:
            node = parser.expression(0, loose=True, depth=0)
            match = _skip_loose(parser.text, node.end)
            if match is None or match.end() < parser.size:
                raise parser.expected("the end of the expression", node.end, loose=True)
    except _FaultError as fault:
        found_end = min(max(parser.found(fault.at)[1], fault.at), len(text))
        span = Span(document, offsets[fault.at], offsets[found_end])
        return Broken(start, end), [SyntaxFault(span, fault.message)]
    if offsets[0] != 0 or offsets[len(text)] != len(text):
        _relocate(node, offsets)
    return node, []


def _relocate(root: Node, offsets: Sequence[int]) -> None:
    """Move a tree whose offsets count in a part of a document to where it stands in there."""
    todo: list[Node] = [root]
    while todo:
        node = todo.pop()
        for name in _fields(type(node)):
            value = getattr(node, name)
            if isinstance(value, Node):
                todo.append(value)
            elif isinstance(value, tuple):
                children: list[Node] = []
                for child in value:
                    if type(child) is TextPart:
                        children.extend(placed_text(child, offsets))
                    else:
                        todo.append(child)
                        children.append(child)
                setattr(node, name, tuple(children))
        node.start = offsets[node.start]
        node.end = offsets[node.end]


def _fields(kind: type[Node]) -> tuple[str, ...]:
    """The fields of a node that may hold nodes."""
    fields = _FIELDS.get(kind)
    if fields is None:
        names: list[str] = []
        for base in kind.__mro__:
            names.extend(getattr(base, "__slots__", ()))
        fields = _FIELDS[kind] = tuple(name for name in names if name not in ("start", "end"))
    return fields


def placed_text(part: TextPart, offsets: Sequence[int]) -> list[TextPart]:
    """A stretch of text, cut wherever its code points are not neighbours in the document."""
    text = part.text
    start, end = offsets[part.start], offsets[part.end]
    if len(text) != part.end - part.start or len(text) == end - start:
        return [TextPart(start, end, text)]
    parts: list[TextPart] = []
    run = 0
    for number in range(len(text)):
        at, behind = offsets[part.start + number], offsets[part.start + number + 1]
        if behind - at != 1:
            if number > run:
                parts.append(TextPart(offsets[part.start + run], at, text[run:number]))
            parts.append(TextPart(at, behind, text[number]))
            run = number + 1
    if run < len(text):
        parts.append(TextPart(offsets[part.start + run], end, text[run:]))
    return parts


_FIELDS: Final[dict[type[Node], tuple[str, ...]]] = {}
