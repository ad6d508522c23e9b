"""The functions agree with ``terraform console``, one table for both."""

# ruff: noqa: E501
from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from blastdoor.evaluate import functions
from blastdoor.evaluate.functions.base import Call
from blastdoor.span import Document, Span
from blastdoor.value import Encoded, Known, Many, Mapping, Reason, Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = pytest.mark.terraform

SPAN = Span(Document("main.tf", "x"), 0, 1)


class Set(tuple[Any, ...]):
    """A set in the table: ``toset([…])`` for Terraform."""

    __slots__ = ()


class Map(dict[str, Any]):
    """A map in the table: ``tomap({…})`` for Terraform."""


class Json:
    """An encoded value in the table: ``jsonencode(…)`` for Terraform."""

    def __init__(self, data: Any) -> None:
        self.data = data


class NoFiles:
    """Files that a module does not have."""

    def read(self, path: str) -> str | None:
        return None

    def document(self, path: str) -> Document | None:
        return None

    def template(self, path: str, variables: Any, span: Span) -> Value:
        return Unknown(Reason.OUTSIDE_FILE, path, span)

    def names(self, directory: str, pattern: str) -> list[str] | None:
        return None


# fmt: off
TABLE: list[tuple[str, list[Any]]] = [
    # Numbers
    ("abs", [-5]), ("abs", ["-2.5"]), ("abs", [0]), ("abs", ["x"]), ("abs", [None]),
    ("ceil", [5.1]), ("ceil", [-5.1]), ("ceil", [5]), ("ceil", ["4.0001"]),
    ("floor", [5.9]), ("floor", [-5.1]), ("floor", ["7"]), ("floor", [True]),
    ("log", [50, 10]), ("log", [16, 2]), ("log", [1, 10]), ("log", [0, 10]), ("log", [10, 1]),
    ("log", [-1, 2]), ("log", [8, -2]),
    ("max", [12, 54, 3]), ("max", ["7", 5.5]), ("max", []), ("max", [1, "a"]),
    ("min", [12, 54, 3]), ("min", [-0.5, 0]), ("min", [True]),
    ("parseint", ["100", 10]), ("parseint", ["FF", 16]), ("parseint", ["-10", 2]),
    ("parseint", ["1011111011101111", 2]), ("parseint", ["aA", 62]), ("parseint", ["12", 2]),
    ("parseint", ["", 10]), ("parseint", ["+7", 10]), ("parseint", ["zz", 63]),
    ("parseint", [11, 10]), ("parseint", ["Zz", 36]), ("parseint", ["1_0", 10]),
    ("parseint", ["123456789012345678901234567890", 10]), ("parseint", [" 1", 10]),
    ("pow", [3, 2]), ("pow", [4, 0]), ("pow", [2, -1]), ("pow", [2, 53]), ("pow", [2, 100]),
    ("pow", [10, 30]), ("pow", [2, 0.5]), ("pow", [2, 5000]), ("pow", [-1, 0.5]), ("pow", [0, -1]),
    ("signum", [-13]), ("signum", [0]), ("signum", [344]), ("signum", [0.5]), ("signum", ["-3"]),
    ("sum", [[10, 13, 6, 4.5]]), ("sum", [[]]), ("sum", [["1", "2"]]), ("sum", [[1, "x"]]),
    ("sum", [Set([1, 2])]), ("sum", [[0.1, 0.2]]), ("sum", [[None, 1]]), ("sum", [1]),
    # Types
    ("tostring", [1]), ("tostring", [1.5]), ("tostring", [True]), ("tostring", [[1]]),
    ("tostring", [10**25]), ("tostring", [1e-9]), ("tostring", [1e100]), ("tostring", ["x"]),
    ("tonumber", ["1"]), ("tonumber", ["1.50"]), ("tonumber", ["1e3"]), ("tonumber", ["x"]),
    ("tonumber", [True]), ("tonumber", [""]), ("tonumber", ["+1"]), ("tonumber", [".5"]),
    ("tonumber", ["5."]), ("tonumber", [" 1"]), ("tonumber", ["0x10"]), ("tonumber", ["1_0"]),
    ("tonumber", ["1e-3"]), ("tonumber", ["100e-2"]),
    ("tobool", ["true"]), ("tobool", [False]), ("tobool", ["1"]), ("tobool", [1]),
    ("tobool", ["yes"]), ("tobool", [None]), ("tobool", ["0"]),
    ("tolist", [[1, "a", True]]), ("tolist", [Set(["b", "a"])]), ("tolist", [{"a": 1}]),
    ("tolist", [[]]), ("tolist", ["x"]), ("tolist", [[1, None]]), ("tolist", [[[1], ["a"]]]),
    ("tolist", [[{"a": 1}, {"b": "x"}]]), ("tolist", [[{"a": 1}, {"a": "x"}]]),
    ("tolist", [[[1], "a"]]), ("tolist", [[{"a": 1}, [1]]]), ("tolist", [[{"a": [1]}, {"b": 1}]]),
    ("tolist", [[1, 1.5]]), ("tolist", [[True, "x", 1.5]]),
    ("toset", [["b", "a", "b"]]), ("toset", [[2, 10, 1]]), ("toset", [[2, 10, "1"]]),
    ("toset", [[True, False, True]]), ("toset", [[]]), ("toset", [{"a": 1}]),
    ("toset", [["é", "z", "Z", "a"]]), ("toset", [["a", None, "A"]]), ("toset", [[1, 1.0, "1"]]),
    ("toset", [[{"a": 2}, {"a": 1}, {"a": 10}]]), ("toset", [[[2], [1], [10, 1]]]),
    ("toset", [[{"n": "b", "p": 80}, {"n": "a", "p": 443}]]), ("toset", [[-5, 3, 0.5, -0.5]]),
    ("tomap", [{"a": 1, "b": "x"}]), ("tomap", [{"a": 1, "b": [1]}]), ("tomap", [{}]),
    ("tomap", [[1]]), ("tomap", [{"b": True, "a": None}]), ("tomap", [{"a": [1], "b": ["x"]}]),
    ("can", [1]), ("can", [None]), ("try", [[1], 2]),
    # Collections
    ("alltrue", [[True, "true"]]), ("alltrue", [[]]), ("alltrue", [[True, False]]),
    ("alltrue", [[True, None]]), ("alltrue", [["x"]]), ("anytrue", [["true"]]),
    ("anytrue", [[]]), ("anytrue", [[False, None, True]]), ("anytrue", [[False]]),
    ("chunklist", [["a", "b", "c", "d", "e"], 2]), ("chunklist", [[1, 2], 0]),
    ("chunklist", [[], 2]), ("chunklist", [[1], -1]), ("chunklist", [[1, "a"], 5]),
    ("chunklist", [Set(["b", "a", "c"]), 2]), ("chunklist", [[1, 2], 1.5]), ("chunklist", [[], 0]),
    ("coalesce", ["a", "b"]), ("coalesce", ["", "b"]), ("coalesce", [1, 2]), ("coalesce", [None]),
    ("coalesce", [None, "", 1, "a"]), ("coalesce", [None, [], ["a"]]), ("coalesce", [True, "x"]),
    ("coalesce", [{"a": 1}]), ("coalesce", ["a", ["b"]]), ("coalesce", [""]),
    ("coalescelist", [["a"], ["b"]]), ("coalescelist", [[], ["c"]]), ("coalescelist", [[], []]),
    ("coalescelist", ["x"]), ("coalescelist", [[1], ["c"]]),
    ("coalescelist", [Set(), Set(["a"])]),
    ("compact", [["a", "", "b", None, "c"]]), ("compact", [[]]), ("compact", [[1, "", True]]),
    ("compact", [Set(["b", "", "a"])]), ("compact", ["a"]), ("compact", [[["a"]]]),
    ("concat", [["a"], ["b", 1]]), ("concat", [[]]), ("concat", [["a"], Set(["c", "b"])]),
    ("concat", [["a"], "b"]), ("concat", [[1], None]), ("concat", []), ("concat", [[[1]], [{}]]),
    ("contains", [["a", "b"], "a"]), ("contains", [["a", "b"], "d"]), ("contains", [["1"], 1]),
    ("contains", [[1, 2], "1"]), ("contains", [Set(["a"]), "a"]), ("contains", [[], "a"]),
    ("contains", [{"a": 1}, "a"]), ("contains", [[None], None]), ("contains", [[[1]], [1]]),
    ("contains", [[True], "true"]), ("contains", [[{"a": 1}], {"a": 1}]), ("contains", [[1], 1.0]),
    ("distinct", [["a", "b", "a", "c", "b"]]), ("distinct", [[1, "1"]]), ("distinct", [[]]),
    ("distinct", [[{"a": 1}, {"a": 1}]]), ("distinct", [Set(["b", "a"])]), ("distinct", ["a"]),
    ("distinct", [[None, "a", None]]), ("distinct", [[[1], [1]]]),
    ("element", [["a", "b", "c"], 1]), ("element", [["a", "b", "c"], 3]), ("element", [[], 0]),
    ("element", [["a"], -1]), ("element", [["a", "b", "c"], -1]), ("element", [["a", "b"], -4]),
    ("element", [["a", "b"], "1"]), ("element", [Set(["a"]), 0]),
    ("element", [["a", [1]], 1]), ("element", [["a"], 0.5]), ("element", [{"a": 1}, 0]),
    ("flatten", [[["a", "b"], [], ["c"]]]), ("flatten", [[[["a"], []], ["c", 1]]]),
    ("flatten", [[]]), ("flatten", [["a", [{"b": [1]}]]]), ("flatten", [Set(["b", "a"])]),
    ("flatten", [[Set(["b", "a"]), [None]]]), ("flatten", ["a"]), ("flatten", [{"a": [1]}]),
    ("index", [["a", "b"], "b"]), ("index", [["a"], "c"]), ("index", [[], "c"]),
    ("index", [[1, "1"], "1"]), ("index", [Set(["a"]), "a"]), ("index", [[[1], [2]], [2]]),
    ("keys", [{"b": 1, "a": 2}]), ("keys", [{}]), ("keys", [["a"]]), ("keys", [Map({"z": 1})]),
    ("length", [["a"]]), ("length", [{"a": 1, "b": 2}]), ("length", ["hello"]), ("length", [""]),
    ("length", [5]), ("length", [Set(["a", "a"])]), ("length", ["é👩‍👩‍👧🇩🇪🇫🇷각"]), ("length", ["a\r\nb"]),
    ("length", ["e\u0301x\u200d"]), ("length", [True]), ("length", ["👍🏽"]), ("length", ["नि"]),
    ("lookup", [{"a": "ay", "b": "bee"}, "a", "what?"]), ("lookup", [{"a": "ay"}, "c", "what?"]),
    ("lookup", [{"a": 1}, "c"]), ("lookup", [{"a": 1}, "a"]), ("lookup", [{"a": 1}, "c", None]),
    ("lookup", [["a"], 0, "x"]), ("lookup", [{"1": "x"}, 1, "y"]), ("lookup", [{}, "a", [1]]),
    ("matchkeys", [["i-1", "i-2", "i-3"], ["w", "e", "w"], ["w"]]),
    ("matchkeys", [["a"], ["b", "c"], ["b"]]), ("matchkeys", [[1, 2], ["1", "2"], [2]]),
    ("matchkeys", [[], [], ["a"]]), ("matchkeys", [["a", "b"], ["x", "y"], []]),
    ("matchkeys", [["a", "b", "c"], ["x", "y", "z"], Set(["z", "x"])]),
    ("merge", [{"a": "b", "c": "d"}, {"e": "f", "c": "z"}]), ("merge", []), ("merge", [{}]),
    ("merge", [{"a": 1}, None, {"b": [2]}]), ("merge", [{"a": {"b": 1}}, {"a": {"c": 2}}]),
    ("merge", [{"a": 1}, [2]]), ("merge", ["a"]), ("merge", [Map({"b": 1}), Map({"a": 2})]),
    ("one", [[]]), ("one", [["a"]]), ("one", [["a", "b"]]), ("one", [Set(["a"])]), ("one", ["a"]),
    ("one", [[None]]), ("one", [Set()]),
    ("range", [3]), ("range", [1, 4]), ("range", [1, 8, 2]), ("range", [4, 1]), ("range", [0]),
    ("range", [4, 1, -2]), ("range", [1, 4, -1]), ("range", [1, 4, 0]), ("range", [1025]),
    ("range", [1024, 0]), ("range", [-3]), ("range", [0, 1, 0.25]), ("range", ["2"]),
    ("range", [4, 1, 1]), ("range", [1, 1]), ("range", [0.5, 3]),
    ("reverse", [[1, "a", 3]]), ("reverse", [[]]), ("reverse", [Set(["a", "b"])]),
    ("reverse", ["abc"]), ("reverse", [{"a": 1}]),
    ("setintersection", [["a", "b"], ["b", "c"], ["b", "d"]]), ("setintersection", [["a"], [1]]),
    ("setintersection", [["1"], [1]]), ("setintersection", [["a"]]), ("setintersection", [[], []]),
    ("setintersection", [[{"a": 1}], [{"a": 1}]]), ("setintersection", ["a", ["a"]]),
    ("setproduct", [["dev", "prod"], ["a1", "a2"]]), ("setproduct", [Set(["b", "a"]), Set([1])]),
    ("setproduct", [["a"], []]), ("setproduct", [["a", 1], [True]]), ("setproduct", [["a"]]),
    ("setproduct", [Set(["x"]), ["b", "a"]]), ("setproduct", [["a", "b"], [1, 2], [True, False]]),
    ("setproduct", [["a"], {"b": 1}]), ("setproduct", [[], Set()]), ("setproduct", [Set(), Set()]),
    ("setsubtract", [["a", "b", "c"], ["a", "c"]]), ("setsubtract", [[1, 2], ["1"]]),
    ("setsubtract", [[], ["a"]]), ("setsubtract", [["a"], []]), ("setsubtract", ["a", ["a"]]),
    ("setunion", [["a", "b"], ["b", "c"], ["d"]]), ("setunion", [[2, 1], ["1"]]),
    ("setunion", [[3, 1]]), ("setunion", [[], []]), ("setunion", [[{"a": 2}], [{"a": 1}]]),
    ("setunion", [["a"], [["b"]]]), ("setunion", [["a"], None]),
    ("slice", [["a", "b", "c", "d"], 1, 3]), ("slice", [["a"], 0, 2]), ("slice", [["a"], 1, 1]),
    ("slice", [["a", "b"], 2, 1]), ("slice", [Set(["a"]), 0, 1]), ("slice", [["a", 1], 0, 2]),
    ("slice", [["a"], -1, 1]), ("slice", ["abc", 0, 1]),
    ("sort", [["e", "d", "a", "x"]]), ("sort", [[10, 9, 1]]), ("sort", [[]]), ("sort", [["a", None]]),
    ("sort", [["B", "a", "é", "Z", "_"]]), ("sort", [Set(["b", "a"])]), ("sort", [[["a"]]]),
    ("sort", [["a", "a"]]), ("sort", ["b"]),
    ("transpose", [{"a": ["1", "2"], "b": ["2", "3"]}]), ("transpose", [{}]),
    ("transpose", [{"a": [1]}]), ("transpose", [{"a": ["x", "x"]}]), ("transpose", [{"a": "x"}]),
    ("transpose", [{"b": ["x"], "a": ["x"], "c": []}]),
    ("values", [{"b": 1, "a": 2}]), ("values", [{}]), ("values", [{"b": [1], "a": "x"}]),
    ("values", [["a"]]),
    ("zipmap", [["a", "b"], [1, 2]]), ("zipmap", [["a"], [1, 2]]), ("zipmap", [[], []]),
    ("zipmap", [["a", "a"], [1, 2]]), ("zipmap", [[1, True], ["x", "y"]]),
    ("zipmap", [Set(["b", "a"]), ["x", "y"]]), ("zipmap", [["a", None], [1, 2]]),
    ("zipmap", [["b", "a"], [[1], "x"]]), ("zipmap", [["a"], Set([1])]),
    # Strings
    ("chomp", ["hello\n"]), ("chomp", ["hello\r\n\n"]), ("chomp", ["a\nb"]), ("chomp", ["a \r"]),
    ("endswith", ["hello", "lo"]), ("endswith", ["hello", ""]), ("endswith", ["lo", "hello"]),
    ("startswith", ["hello", "he"]), ("startswith", [123, 1]), ("startswith", ["", "a"]),
    ("strcontains", ["hello", "ell"]), ("strcontains", ["hello", ""]), ("strcontains", ["", "x"]),
    ("indent", [2, "a\nb\n\nc"]), ("indent", [0, "a\nb"]), ("indent", [-1, "a\nb"]),
    ("indent", ["3", "x\ny\n"]), ("indent", [1.5, "a\nb"]),
    ("join", [", ", ["a", "b"]]), ("join", ["-", ["a"], ["b", 1, True]]), ("join", [",", []]),
    ("join", [",", ["a", None]]), ("join", [",", Set(["b", "a"])]), ("join", ["", [1.5, 2]]),
    ("join", [",", "a"]), ("join", [",", [["a"]]]), ("join", [","]), ("join", [1, ["a", "b"]]),
    ("lower", ["HELLO É"]), ("lower", ["İΣ"]), ("upper", ["hello ßéǆŉ"]), ("upper", [True]),
    ("upper", ["ﬁ"]), ("lower", [None]), ("lower", [["a"]]),
    ("split", [",", "foo,bar,baz"]), ("split", [",", "foo"]), ("split", [",", ""]),
    ("split", ["", "aé"]), ("split", ["", ""]), ("split", ["ab", "xabab"]), ("split", [",", 1.5]),
    ("strrev", ["hello"]), ("strrev", ["a☃é👩‍👧"]), ("strrev", [""]), ("strrev", ["a\r\nb"]),
    ("substr", ["hello world", 1, 4]), ("substr", ["hello", -3, 2]), ("substr", ["hello", 2, -1]),
    ("substr", ["hello", 0, 0]), ("substr", ["hello", -3, 0]), ("substr", ["hello", -30, 2]),
    ("substr", ["hello", 10, 2]), ("substr", ["hello", 3, 100]), ("substr", ["é👩‍👧x", 1, 1]),
    ("substr", ["hello", 5, 1]), ("substr", ["hello", 5, -1]), ("substr", ["hello", -1, -1]),
    ("substr", ["", 0, 1]), ("substr", ["", -1, 1]), ("substr", ["hello", 1.5, 1]),
    ("title", ["hello world"]), ("title", ["it's foo-bar foo_bar 1a é.b"]), ("title", ["ABC ǆ"]),
    ("trim", ["?!hello?!", "!?"]), ("trim", ["hello", "lh"]), ("trim", ["aaa", "a"]),
    ("trim", ["abc", ""]), ("trimprefix", ["helloworld", "hello"]), ("trimprefix", ["aab", "a"]),
    ("trimprefix", ["a", "abc"]), ("trimsuffix", ["helloworld", "world"]), ("trimsuffix", ["a", ""]),
    ("trimspace", ["  hello\n\n"]), ("trimspace", ["\u00a0\u2003x\u200b"]), ("trimspace", [" "]),
    ("trimspace", [1]),
    ("replace", ["1 + 2 + 3", "+", "-"]), ("replace", ["hello", "/[aeiou]/", "*"]),
    ("replace", ["hello", "l", ""]), ("replace", ["ab", "", "-"]), ("replace", ["a/b", "/", "_"]),
    ("replace", ["hello world", "/(w.*)d/", "$1!"]), ("replace", ["abc", "/x*/", "-"]),
    ("replace", ["hello", "/(?P<x>l+)/", "<${x}>"]), ("replace", ["a.b", "/./", "$$"]),
    ("replace", ["ab", "/(a)(x)?/", "[$1$2$3]"]), ("replace", ["ab", "/(/", "x"]),
    ("replace", ["ab", "/a/", "$1x"]), ("replace", ["ab", "/(a)/", "${1}x"]),
    ("replace", ["aXbX", "/X$/", "é"]), ("replace", ["é1é2", "/[0-9]/", "<$0>"]),
    ("replace", ["a//b", "//", "x"]), ("replace", ["ab", "/b*/", "-"]), ("replace", ["x", "x", "$0"]),
    ("replace", ["ab", "/a/", "$"]), ("replace", ["ab", "/a/", "$ {"]), ("replace", ["é", "/x*/", "-"]),
    ("regex", ["[a-z]+", "53453453.345345aaabbbccc23454"]),
    ("regex", [r"(\d\d\d\d)-(\d\d)-(\d\d)", "2019-02-01"]),
    ("regex", ["^(?:(?P<scheme>[^:/?#]+):)?(?://(?P<authority>[^/?#]*))?", "https://terraform.io/docs/"]),
    ("regex", ["[a-z]+", "53"]), ("regex", ["(a)(b)?", "a"]), ("regex", ["(?P<a>x)(y)", "xy"]),
    ("regex", ["(", "a"]), ("regex", [r"(a)\1", "aa"]), ("regex", ["(?=a)", "a"]), ("regex", ["", "a"]),
    ("regex", ["(?i)ABC", "xabcx"]), ("regex", ["(?s)a.b", "a\nb"]), ("regex", ["a.b", "a\nb"]),
    ("regex", [r"\pL+", "1éa"]), ("regex", ["(?m)^b$", "a\nb"]), ("regex", [r"\bfoo\b", "a foo b"]),
    ("regexall", ["[a-z]+", "1234abcd5678efgh9"]), ("regexall", ["[a-z]+", "123"]),
    ("regexall", ["(a)(b)?", "abaab"]), ("regexall", ["x*", "axb"]), ("regexall", ["b*", "ab"]),
    ("regexall", ["(?P<k>[a-z])=(?P<v>[0-9])", "a=1,b=2"]), ("regexall", ["^a", "aa"]),
    # Formats
    ("format", ["Hello, %s!", "Ander"]), ("format", ["There are %d lights", 4]), ("format", ["x"]),
    ("format", ["%s", 1.5]), ("format", ["%s", True]), ("format", ["%s", [1]]), ("format", ["%%"]),
    ("format", ["%d", "15"]), ("format", ["%d", 1.5]), ("format", ["%d", -7]), ("format", ["%d", "x"]),
    ("format", ["%05d|%-5d|%+d|% d|%5d", 7, 7, 7, 7, 7]), ("format", ["%05d|%5d", -7, -7]),
    ("format", ["%5s|%-5s|%.2s|%5.1s|%05s", "ab", "ab", "abc", "abc", "ab"]),
    ("format", ["%v %v %v %v", "a", 1, True, 1.5]), ("format", ["%v", {"a": [1, "x"]}]),
    ("format", ["%v", Set(["b", "a"])]), ("format", ["%#v %#v %#v", "a<b", 1, [True]]),
    ("format", ["%v|%v|%v|%v", 1000000, 123456789.5, 1e20, 1e21]), ("format", ["%v|%v", 1e-4, 1e-5]),
    ("format", ["%g|%g|%G", 1e22, 0.00001, 1e-7]), ("format", ["%s|%s", 1e22, 1e-7]),
    ("format", ["%f|%.2f|%8.2f|%-8.1f|%08.3f|%+.1f", 1.5, 1.005, 2.5, 2.25, -3.14159, 2.35]),
    ("format", ["%.0f|%.0f|%.0f|%.1f", 0.5, 1.5, 2.5, 0.25]), ("format", ["%f", 10]),
    ("format", ["%e|%E|%.2e|%e", 1234.5, 0.00012, 99999, 0]), ("format", ["%.3g|%.10g", 1234.5678, 0.1]),
    ("format", ["%b|%o|%x|%X", 5, 8, 255, 255]), ("format", ["%#x|%#o|%#b", 255, 8, 5]),
    ("format", ["%x", "hi"]), ("format", ["%x", -255]), ("format", ["%q", 'a"b\n<é\t\\']),
    ("format", ["%q", 1]), ("format", ["%t|%t", True, "false"]), ("format", ["%t", 1]),
    ("format", ["%5t|%-7t|", True, False]), ("format", ["%[2]s %[1]s", "a", "b"]),
    ("format", ["%[1]s %[1]s %s", "a", "b"]), ("format", ["%[3]s", "a", "b"]), ("format", ["%[0]s", "a"]),
    ("format", ["%s %s", "a"]), ("format", ["%s", "a", "b"]), ("format", ["%z", "a"]),
    ("format", ["%", "a"]), ("format", ["%5%", "a"]), ("format", ["%*d", 5, 1]), ("format", ["100%"]),
    ("format", ["%s"]), ("format", ["x", "a"]), ("format", [5]), ("format", ["%.3d|%6.3d", 7, 7]),
    ("format", ["%5s|%-4s|", "é", "👩‍👧"]), ("format", ["%s", "a%sb"]), ("format", ["%d", 10**20]),
    ("format", ["%8.3s|%q", "abcdef", "x"]), ("format", ["%-05d|", 7]),
    ("format", ["%+v %v", 5, -5.25]), ("format", ["%6v|%-6v|%06v", 1.5, "a", 7]),
    ("formatlist", ["Hello, %s!", ["V", "A"]]), ("formatlist", ["%s-%s", "a", ["x", "y"]]),
    ("formatlist", ["%s=%d", ["a", "b"], [1, 2]]), ("formatlist", ["%s-%s", ["a"], ["x", "y"]]),
    ("formatlist", ["%s", []]), ("formatlist", ["%s", Set(["b", "a"])]), ("formatlist", ["x"]),
    ("formatlist", ["%s", "a"]), ("formatlist", ["%s-%s", [], "a"]), ("formatlist", ["%s", [1, True]]),
    ("formatlist", ["%v", [[1], {"a": 2}]]), ("formatlist", ["%d", ["x"]]), ("formatlist", ["%s", {"a": 1}]),
    # Encodings
    ("base64encode", ["Hello World é"]), ("base64decode", ["SGVsbG8gV29ybGQ="]), ("base64decode", [""]),
    ("base64decode", ["SGVsbG8"]), ("base64decode", ["/w=="]), ("base64decode", ["SGVs\nbG8="]),
    ("base64decode", ["SGVsbG9="]), ("base64decode", ["SGV sbG8="]), ("base64decode", ["SGVsbG8=="]),
    ("md5", ["hello world"]), ("sha1", ["hello"]), ("sha256", ["é"]), ("sha512", [""]),
    ("base64sha256", ["hello"]), ("base64sha512", ["hello"]), ("md5", [12]),
    ("uuidv5", ["dns", "www.terraform.io"]), ("uuidv5", ["url", "https://www.terraform.io/"]),
    ("uuidv5", ["6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.terraform.io"]), ("uuidv5", ["x", "y"]),
    ("urlencode", ["Hello World!"]), ("urlencode", ["☃ -_.~*'()/+"]), ("urlencode", ["a=b&c"]),
    ("textencodebase64", ["Hello World", "UTF-16LE"]), ("textdecodebase64", ["SABlAGwAbABvAA==", "UTF-16LE"]),
    ("textencodebase64", ["é", "ISO-8859-1"]), ("textencodebase64", ["é", "UTF-8"]),
    ("csvdecode", ["a,b,c\n1,2,3\n4,5,6"]), ("csvdecode", ["a,b\n1\n"]), ("csvdecode", [""]),
    ("csvdecode", ['a,"b,""c"\n"x\ny",2\r\n\n3,\n']), ("csvdecode", ["a,a\n1,2"]),
    ("csvdecode", ['a\n"x"y']), ("csvdecode", ['a\nx"y']), ("csvdecode", ["a,b"]), ("csvdecode", ["a\n x \n"]),
    ("csvdecode", ["a,b\n,\n"]), ("csvdecode", ['a\n"x']),
    ("jsonencode", [{"a": [1, 1.5, '<&>\u2028é"\\\n\t\x7f\x01', None, True], "A": {}}]),
    ("jsonencode", [Set(["b", "a"])]), ("jsonencode", [None]), ("jsonencode", ["x"]),
    ("jsondecode", ['{"a": [1, 2.50, -3e2], "b": null}']), ("jsondecode", ['"x\\u00e9"']),
    ("jsondecode", ["[1,"]), ("jsondecode", [""]), ("jsondecode", ["NaN"]), ("jsondecode", ["1 2"]),
    ("jsondecode", ['{"a": 1, "a": 2}']), ("jsondecode", ["[true, false]"]), ("jsondecode", ["{a: 1}"]),
    ("jsondecode", [" 5 "]), ("jsondecode", [Json({"b": [Set(["z", "y"])]})]),
    ("length", [Json({"a": "<"})]), ("base64encode", [Json({"a": 1, "A": [None]})]),
    ("format", ["%s", Json([1])]), ("upper", [Json({"a": "b"})]), ("join", [",", [Json([1]), "a"]]),
    ("yamldecode", ["a: yes\nb: on\nc: 0x10\nd: 010\ne: 1_000\nf: 2020-01-01\ng: ~\nh: .5\ni: 1e3"]),
    ("yamldecode", ["j: 0o17\nk: \nl: y\nm: 1.\nn: 0b11\no: +1\np: Null\nq: 1e\nr: 08\ns: -0x1"]),
    ("yamldecode", ["- a\n- [b, \"c\", 'd']\n- {e: 1, f: \"1\"}\n- |\n  x\n  y\n- >-\n  z\n  w"]),
    ("yamldecode", ["a: &x {b: 1}\nc: *x\nd:\n  <<: *x\n  e: 2"]), ("yamldecode", [""]),
    ("yamldecode", ['a: !!str 1\nb: !!int "2"\nc: !!int 3']), ("yamldecode", ["c: ! 3"]),
    ("yamldecode", ["a: 2020-01-02T03:04:05Z\nb: 2020-01-02 03:04:05\nc: 2020-1-2\nf: 2020-13-01"]),
    ("yamldecode", ["a: &a [*a]"]), ("yamldecode", ["a: *b"]), ("yamldecode", ["a: &x 1\nb: &x 2\nc: *x"]),
    ("yamldecode", ["a: 0777\nb: +0x10\nc: -5\nd: 1e+3\nf: +.5\ng: 0.\nh: 00\ni: 0x"]), ("yamldecode", ["~: a"]),
    ("yamldecode", ["a:\n  <<: [{b: 1}]\n  c: 4"]), ("yamldecode", ['"<<": {b: 1}']), ("yamldecode", ["---\n"]), ("yamldecode", ["a: !Sub x"]),
    ("yamldecode", ["{"]), ("yamldecode", ["a: b: c"]), ("yamldecode", ["1: a\ntrue: b"]),
    ("yamldecode", ["a: .inf"]), ("yamldecode", ["x"]), ("yamldecode", ["--- 1\n--- 2"]),
    ("yamldecode", ["a: 1\na: 2"]), ("yamldecode", ['Version: 2012-10-17\nA: "2012-10-17"']),
    ("yamldecode", ["a: 12:30\nb: 1:2\nc: =\nd: 1.5.2\ne: -\nf: .\ng: -.5"]), ("yamldecode", ["# x"]),
    ("yamldecode", ["[a, [b, [c]]]"]), ("yamldecode", ["? a\n: b"]), ("yamldecode", ["null"]),
    ("yamldecode", ["'yes'"]), ("yamldecode", ["a: 0.10\nb: 1e-3\nc: 123456789012345678901234567890"]),
    # Networks
    ("cidrsubnet", ["172.16.0.0/12", 4, 2]), ("cidrsubnet", ["10.1.2.0/24", 4, 15]),
    ("cidrsubnet", ["fd00:fd12:3456:7890::/56", 16, 162]), ("cidrsubnet", ["10.0.0.0/16", 8, 256]),
    ("cidrsubnet", ["10.0.0.0/30", 4, 0]), ("cidrsubnet", ["10.0.0.5/16", 8, 1]),
    ("cidrsubnet", ["10.0.0.0", 8, 1]), ("cidrsubnet", ["10.0.0.0/33", 8, 1]),
    ("cidrsubnet", ["10.0.0.0/16", 0, 0]),
    ("cidrsubnet", ["10.0.0.0/16", "8", "3"]), ("cidrsubnet", ["010.0.0.0/8", 8, 1]),
    ("cidrsubnet", ["10.0.0/16", 8, 1]),
    ("cidrsubnet", ["2001:db8::/32", 32, 4294967295]), ("cidrsubnet", ["0.0.0.0/0", 32, 5]),
    ("cidrsubnet", ["2001:db8::/32", 33, 1]), ("cidrsubnet", ["10.0.0.0/ 8", 8, 1]),
    ("cidrhost", ["10.12.127.0/20", 16]), ("cidrhost", ["10.12.127.0/20", -1]),
    ("cidrhost", ["10.0.0.0/30", 4]), ("cidrhost", ["fd00:fd12:3456:7890::/72", 34]),
    ("cidrhost", ["10.0.0.0/30", -4]), ("cidrhost", ["10.0.0.0/30", -5]), ("cidrhost", ["10.0.0.1/32", 0]),
    ("cidrhost", ["::1/128", 0]), ("cidrhost", ["2001:db8::/64", -1]), ("cidrhost", ["::/0", 65536]),
    ("cidrnetmask", ["172.16.0.0/12"]), ("cidrnetmask", ["fd00::/8"]), ("cidrnetmask", ["1.2.3.4/0"]),
    ("cidrnetmask", ["x"]), ("cidrsubnets", ["10.1.0.0/16", 4, 4, 8, 4]), ("cidrsubnets", ["10.1.0.0/16"]),
    ("cidrsubnets", ["fd00:fd12:3456:7890::/56", 16, 16, 16, 32]), ("cidrsubnets", ["10.0.0.0/8", 1, 1, 1]),
    ("cidrsubnets", ["10.0.0.0/8", 0]), ("cidrsubnets", ["10.0.0.0/8", 8, 4, 8]), ("cidrsubnets", ["10.0.0.0/8", 25]),
    # Dates
    ("formatdate", ["DD MMM YYYY hh:mm ZZZ", "2018-01-02T23:12:01Z"]),
    ("formatdate", ["EEEE, DD-MMM-YY hh:mm:ss ZZZ", "2018-01-02T23:12:01Z"]),
    ("formatdate", ["EEE, DD MMM YYYY hh:mm:ss ZZZ", "2018-01-02T23:12:01-08:00"]),
    ("formatdate", ["MMM DD, YYYY H AA aa h:m:s", "2018-01-02T03:02:01Z"]),
    ("formatdate", ["HH H hh h MMMM M D", "2018-12-02T00:12:01+05:30"]),
    ("formatdate", ["Z ZZZ ZZZZ ZZZZZ", "2018-12-02T00:12:01+05:30"]), ("formatdate", ["ZZ", "2018-12-02T00:12:01Z"]),
    ("formatdate", ["Z ZZZ ZZZZ ZZZZZ", "2018-12-02T00:12:01Z"]), ("formatdate", ["", "2018-12-02T00:12:01Z"]),
    ("formatdate", ["h'h'mm'''x'", "2018-01-02T23:12:01Z"]), ("formatdate", ["h'h", "2018-01-02T23:12:01Z"]),
    ("formatdate", ["JJJ", "2018-01-02T23:12:01Z"]), ("formatdate", ["YYYY", "2018-01-02"]),
    ("formatdate", ["YYYYMMDD'T'hhmmss", "2018-01-02T23:12:01.5Z"]), ("formatdate", ["YYYYY", "2018-01-02T23:12:01Z"]),
    ("formatdate", ["YYYY", "2018-13-02T23:12:01Z"]), ("formatdate", ["YYYY", "2018-02-30T23:12:01Z"]),
    ("formatdate", ["hh", "2018-01-02t23:12:01z"]), ("formatdate", ["hh", "2018-01-02T24:12:01Z"]),
    ("timeadd", ["2017-11-22T00:00:00Z", "10m"]), ("timeadd", ["2017-11-22T00:00:00Z", "-1h30m"]),
    ("timeadd", ["2017-11-22T00:00:00+02:00", "1.5h"]), ("timeadd", ["2017-11-22T00:00:00Z", "1d"]),
    ("timeadd", ["2017-11-22T00:00:00Z", "8760h"]), ("timeadd", ["2017-11-22T00:00:00Z", ""]),
    ("timeadd", ["2017-11-22T00:00:00Z", "0"]), ("timeadd", ["2017-11-22T00:00:00.9Z", "100ms"]),
    ("timeadd", ["x", "1h"]), ("timeadd", ["2017-11-22T00:00:00Z", "1us1ns"]), ("timeadd", ["2017-11-22T00:00:00Z", ".5s"]),
    ("timecmp", ["2017-11-22T00:00:00Z", "2017-11-22T00:00:00Z"]),
    ("timecmp", ["2017-11-22T00:00:00Z", "2017-11-22T01:00:00Z"]),
    ("timecmp", ["2017-11-22T01:00:00Z", "2017-11-22T01:00:00+01:00"]), ("timecmp", ["x", "y"]),
    # Files
    ("basename", ["foo/bar/baz.txt"]), ("basename", ["foo/"]), ("basename", ["/"]), ("basename", [""]),
    ("dirname", ["foo/bar/baz.txt"]), ("dirname", ["foo"]), ("dirname", ["/a"]), ("dirname", ["a/../b//c"]),
    ("dirname", [""]), ("dirname", ["a/b/"]), ("dirname", ["../x"]), ("pathexpand", ["/a/b"]), ("basename", ["."]),
    # More of what real modules do
    ("core::length", [["a"]]), ("merge", [{"b": 1}, {"a": None}]), ("tolist", [[None]]),
    ("lookup", [Map({"a": "x"}), "b", "y"]), ("contains", [[], None]),
    ("setsubtract", [Set(["a", "b"]), Set(["b"])]), ("length", [[None, None]]),
    ("nonsensitive", ["a"]), ("format", ["arn:aws:s3:::%s/*", "bucket"]), ("strrev", [12]),
    ("regex", ["^arn:[^:]+:iam::([0-9]{12}):role/(.+)$", "arn:aws:iam::123456789012:role/x/y"]),
]
# fmt: on


def hcl(data: Any) -> str:
    """An argument of the table as Terraform writes it."""
    if data is None:
        return "null"
    if isinstance(data, bool):
        return "true" if data else "false"
    if isinstance(data, (int, float)):
        return repr(data)
    if isinstance(data, str):
        text = json.dumps(data, ensure_ascii=False).replace("\x7f", "\\u007f")
        return text.replace("${", "$${").replace("%{", "%%{")
    if isinstance(data, Set):
        return f"toset([{', '.join(map(hcl, data))}])"
    if isinstance(data, Json):
        return f"jsonencode({hcl(data.data)})"
    if isinstance(data, list):
        return f"[{', '.join(map(hcl, data))}]"
    inner = ", ".join(f"{hcl(name)} = {hcl(item)}" for name, item in data.items())
    return f"tomap({{{inner}}})" if isinstance(data, Map) else f"{{{inner}}}"


def value(data: Any) -> Value:
    """An argument of the table as a value."""
    if data is None or isinstance(data, (bool, int, float, str)):
        return Known(data, SPAN)
    if isinstance(data, Set):
        items = Many(tuple([value(item) for item in data]), SPAN)
        return functions.call("toset", [items], SPAN, NoFiles())
    if isinstance(data, Json):
        return Encoded(value(data.data), SPAN)
    if isinstance(data, list):
        return Many(tuple([value(item) for item in data]), SPAN)
    return Mapping({name: value(item) for name, item in data.items()}, SPAN)


def expression(name: str, arguments: Sequence[Any]) -> str:
    return f"{name}({', '.join(map(hcl, arguments))})"


class Console:
    """``terraform console`` in an empty directory; it gives the last result only."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def evaluate(self, expressions: Sequence[str]) -> list[tuple[Any, bool] | None]:
        """What each expression gives and whether it is a set; ``None`` for errors."""
        answers: list[tuple[Any, bool] | None] = []
        for start in range(0, len(expressions), 50):
            answers += self._batch(expressions[start : start + 50])
        return answers

    def _batch(self, expressions: Sequence[str]) -> list[tuple[Any, bool] | None]:
        parts = [
            f'[try(jsonencode({e}), "!"), try(({e}) == toset({e}) && ({e}) != null, false)]'
            for e in expressions
        ]
        run = subprocess.run(
            ["terraform", "console"],
            input=f"base64encode(jsonencode([{', '.join(parts)}]))\n",
            cwd=self.directory,
            env={**os.environ, "CHECKPOINT_DISABLE": "1", "NO_COLOR": "1"},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        if run.returncode or not run.stdout.lstrip().startswith('"'):
            if len(expressions) == 1:
                return [None]
            # What Terraform rejects before it evaluates spoils the whole line.
            middle = len(expressions) // 2
            return self._batch(expressions[:middle]) + self._batch(expressions[middle:])
        rows = json.loads(base64.b64decode(run.stdout))
        return [None if text == "!" else (text, is_set) for text, is_set in rows]


def plain(result: Value) -> tuple[Any, bool] | str | None:
    """Our result in the form of the console's."""
    if isinstance(result, Unknown):
        return None if result.reason is Reason.INVALID else repr(result)
    call = Call("jsonencode", SPAN, NoFiles())
    return (call.json(Encoded(result)), isinstance(result, Many) and result.is_set)


def test_functions_agree_with_terraform(tmp_path: Path) -> None:
    assert shutil.which("terraform"), "terraform is required and not on the path"
    expressions = [expression(name, arguments) for name, arguments in TABLE]
    expected = Console(tmp_path).evaluate(expressions)
    actual = [
        plain(functions.call(name, [value(argument) for argument in arguments], SPAN, NoFiles()))
        for name, arguments in TABLE
    ]
    wrong = [
        f"{text}\n  terraform: {theirs}\n  here:      {ours}"
        for text, theirs, ours in zip(expressions, expected, actual, strict=True)
        if theirs != ours
    ]
    assert not wrong, "\n".join(wrong)


def test_the_table_is_large() -> None:
    expected = 300
    assert len({expression(*row) for row in TABLE}) >= expected
