"""Renames told by what files hold."""

from __future__ import annotations

import time

from blastdoor.source.renames import renamed

TEXT = "".join(f"line {n} of the file\n" for n in range(20))


def test_equal_contents_pair_by_name_first() -> None:
    gone = {"a/main.tf": TEXT, "a/other.tf": TEXT, "b/x.tf": "b\n"}
    new = {"c/other.tf": TEXT, "c/main.tf": TEXT, "d/y.tf": "b\n"}
    assert renamed(gone, new) == {
        "c/main.tf": "a/main.tf",
        "c/other.tf": "a/other.tf",
        "d/y.tf": "b/x.tf",
    }


def test_half_of_the_lines_is_enough_and_less_is_not() -> None:
    lines = TEXT.splitlines(keepends=True)
    most = "".join([*lines[:12], *(f"new {n}\n" for n in range(8))])
    few = "".join([*lines[:5], *(f"something quite different {n}\n" for n in range(15))])
    assert renamed({"a.tf": TEXT}, {"b.tf": most}) == {"b.tf": "a.tf"}
    assert renamed({"a.tf": TEXT}, {"b.tf": few}) == {}


def test_the_nearest_wins_and_each_is_taken_once() -> None:
    near, far = TEXT + "one more\n", TEXT + "one more\n" * 10
    assert renamed({"a.tf": TEXT}, {"far.tf": far, "near.tf": near}) == {"near.tf": "a.tf"}


def test_empty_files_are_nobodys_successors() -> None:
    assert renamed({"a.tf": "", "b.tf": "\n"}, {"c.tf": "", "d.tf": "\n"}) == {}


def test_many_files_that_are_alike_cost_no_more_than_they_are() -> None:
    gone = {f"a/{n}.tf": TEXT + f"{n}\n" for n in range(2_000)}
    new = {f"b/{n}.tf": TEXT + f"{n}\n" for n in range(2_000)}
    begin = time.process_time()
    assert renamed(gone, new) == {f"b/{n}.tf": f"a/{n}.tf" for n in range(2_000)}
    changed = {path: text + "x\n" for path, text in new.items()}
    renamed(gone, changed)
    assert time.process_time() - begin < 5
