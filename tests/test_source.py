"""Discovery and reading, with hostile trees above all."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from blastdoor.finding import FailureKind
from blastdoor.source import (
    Entry,
    Globs,
    Kind,
    Memory,
    Overlay,
    Tree,
    configuration_file,
    configuration_root,
    disk,
    kind_of,
    repository_root,
)
from blastdoor.source.index import GitIndexError, tracked_paths

posix = pytest.mark.skipif(os.name == "nt", reason="FIFOs, devices and plain symbolic links")
with_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not on the path")


@pytest.fixture(params=["handles", "names"])
def access(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to open files: the platform's own and the one for Windows."""
    if request.param == "names":
        monkeypatch.setattr(disk, "_HANDLES", False)
    elif not disk._HANDLES:
        pytest.skip("no directory handles here")
    return str(request.param)


def write(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())
    return root


def paths(tree: Tree) -> list[str]:
    return [entry.path for entry in tree.files()]


def reported(tree: Tree) -> list[str]:
    return [entry.path for entry in tree.files() if entry.reported]


def git(root: Path, *arguments: str) -> str:
    environment = {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "HOME": str(root),
        "PATH": os.environ["PATH"],
    }
    identity = ["-c", "user.name=maintainer", "-c", "user.email=maintainer@example.com"]
    command = ["git", *identity, *arguments]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.decode()


# What is found


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("main.tf", Kind.TERRAFORM),
        ("a/main.tofu", Kind.TERRAFORM),
        ("main.tf.json", Kind.TERRAFORM_JSON),
        ("main.tofu.json", Kind.TERRAFORM_JSON),
        ("prod.tfvars", Kind.VARIABLES),
        ("prod.auto.tfvars.json", Kind.VARIABLES_JSON),
        ("x/terragrunt.hcl", Kind.TERRAGRUNT),
        ("live/root.hcl", Kind.TERRAGRUNT),
        ("live/region.hcl", Kind.HCL),
        ("image.pkr.hcl", None),
        ("web.nomad.hcl", None),
        (".tflint.hcl", None),
        (".terraform.lock.hcl", Kind.LOCK),
        (".main.tf", None),
        ("main.tf~", None),
        ("#main.tf#", None),
        ("main.tf.bak", None),
        ("template.yaml", None),
        ("tf", None),
    ],
)
def test_kinds(path: str, kind: Kind | None) -> None:
    assert kind == kind_of(path)


def test_files_come_in_an_order_of_names(access: str, tmp_path: Path) -> None:
    write(
        tmp_path, {"b/x.tf": "", "a/z.tf": "", "b.tf": "", "a.tf": "", "a/b/c.tf": "", "n.md": ""}
    )

    assert paths(Tree(tmp_path)) == ["a.tf", "b.tf", "a/z.tf", "a/b/c.tf", "b/x.tf"]
    assert paths(Tree(tmp_path)) == [
        entry.path for entry in Memory(dict.fromkeys(paths(Tree(tmp_path)), "")).files()
    ]


def test_caches_are_skipped_and_counted(access: str, tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            ".terraform/modules/modules.json": "{}",
            ".terraform/modules/vpc/main.tf": "x",
            "env/pyvenv.cfg": "",
            "env/lib/a.tf": "",
            "node_modules/a.tf": "",
            "main.tf": "",
        },
    )
    tree = Tree(tmp_path)

    assert paths(tree) == ["main.tf"]
    assert dict(tree.skipped) == {
        "directory .terraform": 1,
        "directory node_modules": 1,
        "directory of a Python environment": 1,
    }
    assert tree.failures == []
    assert tree.read(".terraform/modules/modules.json") == "{}"
    assert tree.read(".terraform/modules/vpc/main.tf") == "x"
    assert tree.names(".terraform/modules/vpc") == ["main.tf"]


def test_reading(access: str, tmp_path: Path) -> None:
    write(tmp_path, {"a/b.tf": "é\r\n", "policy.json": "\ufeff{}"})
    tree = Tree(tmp_path)

    assert "é\r\n" == tree.read("a/b.tf") == tree.read("./a/../a/b.tf")
    assert tree.read("policy.json") == "{}"
    assert tree.data("policy.json") == b"\xef\xbb\xbf{}"
    assert tree.names("a") == ["b.tf"]
    assert tree.names(".") == ["policy.json"]
    for path in (
        "",
        "a",
        "none.tf",
        "../a/b.tf",
        "/etc/passwd",
        "a/b.tf/c",
        "a\0.tf",
        str(tmp_path),
    ):
        assert tree.read(path) is None
    assert [] == tree.names("none") == tree.names("..") == tree.names("a/b.tf")
    assert [f for f in tree.failures if f.path != "a/b.tf/c"] == []


def test_excluded_files_are_inputs(access: str, tmp_path: Path) -> None:
    write(tmp_path, {"a/x.tf": "", "b/y.tf": "", "b/keep/z.tf": ""})
    tree = Tree(tmp_path, exclude=["b/*"], named=["b/keep/z.tf"])

    assert paths(tree) == ["a/x.tf", "b/y.tf", "b/keep/z.tf"]
    assert reported(tree) == ["a/x.tf", "b/keep/z.tf"]
    assert dict(tree.skipped) == {"excluded by configuration (input only)": 1}
    assert reported(Tree(tmp_path, include=["a/"])) == ["a/x.tf"]


def test_a_root_that_is_no_directory(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError):
        Tree(tmp_path / "none")


# Hostile trees


@posix
def test_no_link_leads_out_of_the_root(access: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(tmp_path, {"secret.tf": "secret", "out/s.tf": "secret", "root/a/main.tf": "inside"})
    (root / "leak.tf").symlink_to("../secret.tf")
    (root / "absolute.tf").symlink_to(tmp_path / "secret.tf")
    (root / "folder").symlink_to("../out")
    (root / "a/up.tf").symlink_to("../../secret.tf")
    (root / "a/hop").symlink_to("../folder")
    (root / "prefix.tf").symlink_to(f"{root}-twin.tf")
    write(tmp_path, {"root-twin.tf": "secret"})
    tree = Tree(root)

    assert paths(tree) == ["a/main.tf"]
    assert dict(tree.skipped) == {
        "symbolic link out of the root": 4,
        "symbolic link to a directory": 2,
    }
    for path in ("leak.tf", "absolute.tf", "folder/s.tf", "a/up.tf", "a/hop/s.tf", "prefix.tf"):
        assert tree.read(path) is None
    assert [] == tree.names("folder") == tree.names("a/hop")
    assert [(failure.kind, failure.path) for failure in tree.failures] == [
        (FailureKind.UNREADABLE, path)
        for path in ("absolute.tf", "leak.tf", "prefix.tf", "a/up.tf")
    ]
    assert "Terraform would read it" in tree.failures[0].message
    # What the configuration excludes may be what it likes.
    excluded = Tree(root, exclude=["*.tf"])
    assert list(excluded.files())
    assert excluded.failures == []


@posix
def test_links_inside_the_root_are_inputs(access: str, tmp_path: Path) -> None:
    write(tmp_path, {"shared/provider.tf": "shared", "live/main.tf": ""})
    (tmp_path / "live/provider.tf").symlink_to("../shared/provider.tf")
    (tmp_path / "live/again.tf").symlink_to(tmp_path / "live/provider.tf")
    (tmp_path / "live/modules").symlink_to("../shared")
    tree = Tree(tmp_path)

    assert paths(tree) == [
        "live/again.tf",
        "live/main.tf",
        "live/provider.tf",
        "shared/provider.tf",
    ]
    assert reported(tree) == ["live/main.tf", "shared/provider.tf"]
    assert "shared" == tree.read("live/again.tf") == tree.read("live/modules/provider.tf")
    assert tree.names("live") == ["again.tf", "main.tf", "provider.tf"]
    assert tree.names("live/modules") == ["provider.tf"]


@posix
def test_link_loops_end(access: str, tmp_path: Path) -> None:
    write(tmp_path, {"a/main.tf": ""})
    (tmp_path / "a/loop").symlink_to("..")
    (tmp_path / "self.tf").symlink_to("self.tf")
    (tmp_path / "one.tf").symlink_to("two.tf")
    (tmp_path / "two.tf").symlink_to("one.tf")
    tree = Tree(tmp_path)

    assert paths(tree) == ["a/main.tf"]
    assert tree.skipped["symbolic link to no file"] == 3
    assert tree.read("self.tf") is None
    assert tree.read("/".join(["a/loop"] * 60) + "/a/main.tf") in (None, "")


@posix
def test_special_files_are_never_opened(access: str, tmp_path: Path) -> None:
    write(tmp_path, {"main.tf": ""})
    os.mkfifo(tmp_path / "pipe.tf")
    (tmp_path / "zero.tf").symlink_to("/dev/zero")
    (tmp_path / "stdin.tf").symlink_to("/dev/stdin")
    (tmp_path / "through.tf").symlink_to("pipe.tf")
    (tmp_path / "folder.tf").mkdir()
    there = Path.cwd()
    os.chdir(tmp_path)
    server = socket.socket(socket.AF_UNIX)
    try:
        server.bind("socket.tf")
    finally:
        os.chdir(there)
        server.close()
    tree = Tree(tmp_path)
    begin = time.monotonic()

    assert paths(tree) == ["main.tf"]
    for path in ("pipe.tf", "zero.tf", "stdin.tf", "through.tf", "folder.tf", "socket.tf"):
        assert tree.read(path) is None
    assert time.monotonic() - begin < 5
    assert tree.skipped["no regular file"] == 2
    assert tree.names(".") == ["main.tf"]
    assert {failure.path for failure in tree.failures} == {
        "pipe.tf", "zero.tf", "stdin.tf", "through.tf", "socket.tf", "folder.tf"
    }  # fmt: skip


def test_a_file_beyond_the_limit_is_a_failure(access: str, tmp_path: Path) -> None:
    write(tmp_path, {"exact.tf": "x" * 100, "main.tf": "x" * 101, "data.bin": "x" * 101})
    tree = Tree(tmp_path, max_size=100)

    assert paths(tree) == ["exact.tf"]
    assert tree.read("exact.tf") == "x" * 100
    assert tree.read("main.tf") is None
    assert tree.read("data.bin") is None
    assert [(f.path, f.kind) for f in tree.failures] == [("main.tf", FailureKind.LIMIT)]


@posix
def test_a_sparse_file_costs_nothing(access: str, tmp_path: Path) -> None:
    with (tmp_path / "huge.tf").open("wb") as file:
        try:
            file.truncate(50_000_000_000)
        except OSError:
            pytest.skip("no sparse files here")
    tree = Tree(tmp_path)

    assert paths(tree) == []
    assert tree.read("huge.tf") is None
    assert [f.message for f in tree.failures] == [
        "has 50,000,000,000 bytes, more than the limit of 1,000,000; not read"
    ]


@posix
def test_deep_directories_are_a_failure(tmp_path: Path) -> None:
    write(tmp_path, {"main.tf": ""})
    handle = os.open(tmp_path, os.O_RDONLY)
    for _level in range(3_000):
        os.mkdir("d", dir_fd=handle)
        below = os.open("d", os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = below
    os.close(handle)
    tree = Tree(tmp_path)

    assert paths(tree) == ["main.tf"]
    assert ["/".join(["d"] * 61)] == [f.path for f in tree.failures]
    assert FailureKind.LIMIT is tree.failures[0].kind
    assert tree.read("/".join(["d"] * 2_999) + "/x.tf") is None
    _remove_deep(tmp_path / "d")


def _remove_deep(top: Path) -> None:
    """Effect: removes a tree that is too deep for shutil."""
    subprocess.run(["rm", "-rf", str(top)], check=True)


def test_the_deepest_directory_that_is_read(access: str, tmp_path: Path) -> None:
    write(tmp_path, {"a/b/c/in.tf": "", "a/b/c/d/out.tf": ""})
    tree = Tree(tmp_path, max_depth=3)

    assert paths(tree) == ["a/b/c/in.tf"]
    assert [f.path for f in tree.failures] == ["a/b/c/d"]


def test_too_many_files_are_one_failure(access: str, tmp_path: Path) -> None:
    write(tmp_path, {f"{folder}/{number}.tf": "" for folder in "ab" for number in range(5)})
    tree = Tree(tmp_path, max_files=7)

    assert len(paths(tree)) == 7
    assert [f.kind for f in tree.failures] == [FailureKind.LIMIT]
    assert Tree(tmp_path, max_files=10).failures == []
    assert len(paths(Tree(tmp_path, max_files=10))) == 10


def test_too_many_names_are_one_failure(
    access: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "MAX_VISITED", 20)
    write(tmp_path, {f"{folder}/{number}.md": "" for folder in "abc" for number in range(10)})
    tree = Tree(tmp_path)

    assert paths(tree) == []
    assert [f.kind for f in tree.failures] == [FailureKind.LIMIT]


def test_failures_are_kept_up_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "MAX_FAILURES", 5)
    write(tmp_path, {f"{number}.tf": "xx" for number in range(9)})
    tree = Tree(tmp_path, max_size=1)
    list(tree.files())
    list(tree.files())

    assert len(tree.failures) == 6
    assert tree.failures[-1].message == "more than 5 files and directories could not be read"


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root reads everything")
def test_what_may_not_be_read_is_a_failure(access: str, tmp_path: Path) -> None:
    write(tmp_path, {"closed/main.tf": "", "closed.tf": ""})
    (tmp_path / "closed").chmod(0)
    (tmp_path / "closed.tf").chmod(0)
    tree = Tree(tmp_path)
    list(tree.files())
    tree.read("closed.tf")
    (tmp_path / "closed").chmod(0o700)

    assert {"closed", "closed.tf"} == {f.path for f in tree.failures}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a\nb\n\xff\n", "is not UTF-8: byte 0xff in line 3"),
        ("a = 1".encode("utf-16"), "is UTF-16, not UTF-8"),
        (b"\xed\xa0\x80", "is not UTF-8: byte 0xed in line 1"),
    ],
)
def test_bad_encodings_are_failures(data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_bytes(data)
    (tmp_path / "data.txt").write_bytes(data)
    tree = Tree(tmp_path)

    assert tree.read("main.tf") is None
    assert tree.read("data.txt") is None
    assert tree.read("main.tf") is None
    assert [(FailureKind.UNREADABLE, "main.tf", message)] == [
        (f.kind, f.path, f.message) for f in tree.failures
    ]


@pytest.mark.skipif(os.name != "posix" or os.uname().sysname == "Darwin", reason="names are bytes")
def test_names_that_are_no_utf_8(access: str, tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/\xff.tf", "wb") as file:  # noqa: PTH123  a name in bytes
        file.write(b"x")
    tree = Tree(tmp_path)

    assert paths(tree) == ["\udcff.tf"]
    assert tree.read("\udcff.tf") == "x"
    assert tree.read("\ud800.tf") is None


def test_git_s_own_files_are_not_read(access: str, tmp_path: Path) -> None:
    write(tmp_path, {".git/config": "token", "sub/.git/config": "token"})
    tree = Tree(tmp_path)

    for path in (".git/config", "sub/.git/config", ".GIT/config"):
        assert tree.read(path) is None
    assert tree.names(".git") == []


@posix
def test_git_s_own_files_are_not_read_through_links(access: str, tmp_path: Path) -> None:
    write(tmp_path, {".git/config": "token"})
    (tmp_path / "link.txt").symlink_to(".git/config")
    (tmp_path / "folder").symlink_to(".git")
    tree = Tree(tmp_path)

    assert tree.read("link.txt") is None
    assert tree.read("folder/config") is None
    assert tree.names("folder") == []


@posix
def test_handles_do_not_leak(access: str, tmp_path: Path) -> None:
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("no /proc")
    write(tmp_path, {"a/b/c/main.tf": "x", "a/z.tf": "", "bad.tf": ""})
    (tmp_path / "a/link.tf").symlink_to("../../out.tf")
    before = len(list(Path("/proc/self/fd").iterdir()))
    tree = Tree(tmp_path)
    for _run in range(3):
        list(tree.files())
        partly = tree.files()
        next(partly)
        partly.close()  # type: ignore[attr-defined]
        for path in ("a/b/c/main.tf", "a/link.tf", "none", "a", "a/z.tf/x", "\ud800"):
            tree.read(path)
        tree.names("a")
        tree.names("a/z.tf")

    assert before == len(list(Path("/proc/self/fd").iterdir()))


def test_windows_names() -> None:
    assert all(disk._plain(name) for name in ("main.tf", "..", "a b.tf", "console.tf", ".x"))
    assert not any(
        disk._plain(name)
        for name in ("nul", "NUL.tf", "con .tf", "com1.tf", "a:stream", "c:", "a\\b", "a.", "a ")
    )


# In memory


def test_memory() -> None:
    memory = Memory({"main.tf": "é", "./m/x.tf": "", "notes.md": ""})

    assert [
        Entry("main.tf", Kind.TERRAFORM, 2),
        Entry("m/x.tf", Kind.TERRAFORM, 0),
    ] == list(memory.files())
    assert memory.read("m/../main.tf") == "é"
    assert memory.read("../main.tf") is None
    assert memory.names(".") == ["main.tf", "notes.md"]
    assert memory.names("m") == ["x.tf"]
    assert memory.tracked("main.tf") is None
    with pytest.raises(ValueError, match="no path below a root"):
        Memory({"../x.tf": ""})


def test_an_overlay_replaces_and_adds(tmp_path: Path) -> None:
    write(tmp_path, {"a.tf": "old", "b.tf": "b"})
    (tmp_path / "bad.tf").write_bytes(b"\xff")
    overlay = Overlay(Tree(tmp_path), {"a.tf": "newer", "c.tf": "c", "bad.tf": "good"})

    assert [(entry.path, entry.size) for entry in overlay.files()] == [
        ("a.tf", 5),
        ("b.tf", 1),
        ("bad.tf", 4),
        ("c.tf", 1),
    ]
    assert [overlay.read(path) for path in ("a.tf", "b.tf", "bad.tf", "c.tf", "d.tf")] == [
        "newer",
        "b",
        "good",
        "c",
        None,
    ]
    assert overlay.names(".") == ["a.tf", "b.tf", "bad.tf", "c.tf"]
    overlay.base.read("bad.tf")

    assert list(overlay.failures) == []


# Patterns


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*.tf", "a/b.tf", True),
        ("/*.tf", "a/b.tf", False),
        ("a/*.tf", "a/b.tf", True),
        ("a/*.tf", "x/a/b.tf", False),
        ("**/a/*.tf", "x/a/b.tf", True),
        ("**/a/*.tf", "a/b.tf", True),
        ("a/**", "a/b/c.tf", True),
        ("a/**/c.tf", "a/c.tf", True),
        ("a/**/c.tf", "a/x/y/c.tf", True),
        ("a/**/c.tf", "b/a/c.tf", False),
        ("build/", "x/build/a.tf", True),
        ("build/", "x/build", False),
        ("build", "x/build", True),
        ("[a-c]?.tf", "bx.tf", True),
        ("[!a-c]?.tf", "bx.tf", False),
        ("[[:digit:]].tf", "7.tf", True),
        ("[]x].tf", "].tf", True),
        ("[a", "[a", False),
        (r"\*.tf", "*.tf", True),
        (r"\*.tf", "a.tf", False),
        (r"\#a.tf", "#a.tf", True),
        ("a.tf  ", "a.tf", True),
        (r"a\ ", "a ", True),
        ("a**b.tf", "axxb.tf", True),
        ("a**b.tf", "a/b.tf", False),
    ],
)
def test_patterns(pattern: str, path: str, *, matches: bool) -> None:
    assert matches is Globs([pattern]).match(path)


def test_later_patterns_take_back() -> None:
    globs = Globs(["*.tf", "!keep.tf", "# comment", ""])

    assert globs.match("a.tf")
    assert not globs.match("a/keep.tf")
    assert not Globs([])


def test_patterns_cannot_explode() -> None:
    begin = time.monotonic()

    assert not Globs(["*a" * 400 + "b"]).match("a" * 4_000)
    assert not Globs(["**/a/" * 200 + "b"]).match("a/" * 1_000 + "c")
    assert time.monotonic() - begin < 5


@with_git
@settings(max_examples=40, deadline=None)
@given(
    lines=st.lists(
        st.lists(
            st.sampled_from(["a", "b", "*", "**", "/", "!", "?", "[ab]", ".tf", "\\", " ", "[!a]"]),
            min_size=1,
            max_size=6,
        ).map("".join),
        min_size=1,
        max_size=5,
    ),
    inner=st.sampled_from(["", "*.tf", "!a.tf", "/b", "!*", "b/", "**/a.tf"]),
)
@example(lines=["a**/b"], inner="")
@example(lines=["aa", "***/a"], inner="")
@example(lines=["a\\/b"], inner="")
def test_ignoring_agrees_with_git(lines: list[str], inner: str) -> None:
    import tempfile

    names = ["a.tf", "b.tf", "a/a.tf", "a/b.tf", "a/b/a.tf", "b/a.tf", "a/b/b/ab.tf", "ab/b.tf"]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        git(root, "init", "-q")
        write(root, dict.fromkeys(names, ""))
        write(root, {".gitignore": "\n".join(lines) + "\n", "a/.gitignore": inner + "\n"})
        ignored = git(root, "ls-files", "-z", "--others", "--ignored", "--exclude-standard")
        expected = set(names) - set(ignored.split("\0"))

        assert expected == set(reported(Tree(root)))


# Git


@with_git
def test_ignored_files_are_inputs_and_tracked_files_are_not(access: str, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    write(
        tmp_path,
        {
            ".gitignore": "*.tfvars\n/build/\n",
            "main.tf": "",
            "new.tf": "",
            "tracked.tfvars": "",
            "local.tfvars": "",
            "build/out.tf": "",
            "sub/.gitignore": "!local.tfvars\n",
            "sub/local.tfvars": "",
            ".git/info/exclude": "excluded.tf\n",
            "excluded.tf": "",
        },
    )
    git(tmp_path, "add", "-f", "main.tf", "tracked.tfvars")
    tree = Tree(tmp_path)

    assert reported(tree) == ["main.tf", "new.tf", "tracked.tfvars", "sub/local.tfvars"]
    assert {"build/out.tf", "excluded.tf", "local.tfvars"} == set(paths(tree)) - set(reported(tree))
    assert tree.skipped["ignored by git (input only)"] == 3
    assert tree.tracked("main.tf") is True
    assert tree.tracked("new.tf") is False
    assert Tree(tmp_path, git=False).tracked("main.tf") is None
    assert paths(tree) == reported(Tree(tmp_path, git=False))

    below = Tree(tmp_path / "sub")

    assert reported(below) == ["local.tfvars"]
    assert below.tracked("local.tfvars") is False
    assert reported(Tree(tmp_path / "build")) == ["out.tf"]


@with_git
@pytest.mark.parametrize("version", ["2", "4"])
def test_index_versions(version: str, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    names = [f"{folder}{number}/main.tf" for folder in "abc" for number in range(20)]
    names += ["x/" + "y" * 200 + "/" + "z" * 200 + ".tf"]
    write(tmp_path, dict.fromkeys(names, ""))
    write(tmp_path, {"later.tf": "", "other.md": ""})
    git(tmp_path, "add", "--", *names, "other.md")
    git(tmp_path, "add", "-N", "later.tf")
    git(tmp_path, "update-index", "--index-version", version)
    data = (tmp_path / ".git/index").read_bytes()

    assert {*names, "later.tf"} == tracked_paths(data, lambda path: path.endswith(".tf"))


@with_git
def test_a_linked_work_tree_and_a_nested_repository(tmp_path: Path) -> None:
    main = tmp_path / "main"
    main.mkdir()
    git(main, "init", "-q")
    write(main, {"main.tf": "", "secret.tfvars": "", ".gitignore": "*.tfvars\n"})
    git(main, "add", "-f", ".")
    git(main, "commit", "-q", "-m", "one")
    git(main, "worktree", "add", "-q", "../linked")
    nested = main / "vendor/other"
    nested.mkdir(parents=True)
    git(nested, "init", "-q")
    write(nested, {"n.tf": ""})

    linked = Tree(tmp_path / "linked")

    assert reported(linked) == ["main.tf", "secret.tfvars"]
    assert linked.tracked("secret.tfvars") is True
    assert tmp_path / "linked" == repository_root(tmp_path / "linked")

    outer = Tree(main)

    assert reported(outer) == ["main.tf", "secret.tfvars"]
    assert paths(outer) == ["main.tf", "secret.tfvars", "vendor/other/n.tf"]
    assert reported(Tree(nested)) == ["n.tf"]

    around = Tree(tmp_path)

    assert reported(around) == [
        "linked/main.tf",
        "linked/secret.tfvars",
        "main/main.tf",
        "main/secret.tfvars",
    ]


@with_git
def test_nothing_of_the_repository_is_run(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    write(tmp_path, {"main.tf": "", "x.tfvars": "", ".gitignore": "*.tfvars"})
    git(tmp_path, "add", "-f", ".")
    mark = tmp_path / "ran"
    git(tmp_path, "config", "core.fsmonitor", f"touch '{mark}'; false")
    tree = Tree(tmp_path)

    assert reported(tree) == ["main.tf", "x.tfvars"]
    assert not mark.exists()


@pytest.mark.parametrize(
    "pointer", ["", "gitdir: ", "gitdir: \0", "gitdir: //host/share", "gitdir: none", "x" * 9_999]
)
def test_a_git_file_that_points_nowhere(pointer: str, tmp_path: Path) -> None:
    write(tmp_path, {".git": pointer, "main.tf": "", ".gitignore": "*"})

    assert reported(Tree(tmp_path)) == ["main.tf"]
    assert repository_root(tmp_path) is None


def test_an_index_that_cannot_be_read_hides_nothing(tmp_path: Path) -> None:
    write(tmp_path, {".git/HEAD": "", ".git/index": "DIRC", "main.tf": "", ".gitignore": "*"})
    tree = Tree(tmp_path)

    assert reported(tree) == ["main.tf"]
    assert tree.tracked("main.tf") is None
    assert dict(tree.skipped) == {"git index that is no index": 1}


def entry(name: bytes, size: int, *, extended: bool = False) -> bytes:
    flags = min(len(name), 0xFFF) | (0x4000 if extended else 0)
    data = bytes(40 + size) + flags.to_bytes(2, "big") + (b"\x20\0" if extended else b"") + name
    return data + bytes(8 - len(data) % 8)


def seal(body: bytes, algorithm: str = "sha1") -> bytes:
    return body + hashlib.new(algorithm, body).digest()


def index(*names: bytes, version: int = 2, algorithm: str = "sha1", tail: bytes = b"") -> bytes:
    size = hashlib.new(algorithm).digest_size
    body = b"DIRC" + version.to_bytes(4, "big") + len(names).to_bytes(4, "big")
    body += b"".join(entry(name, size, extended=version == 3) for name in names)
    return seal(body + tail, algorithm)


NAMES = (b"a.tf", b"b/c.tf", b"d/" + b"e" * 5 + b".tf")


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_index_forms(version: int, algorithm: str) -> None:
    expected = {name.decode() for name in NAMES}
    data = index(*NAMES, version=version, algorithm=algorithm, tail=b"TREE\0\0\0\x02xx")
    size = hashlib.new(algorithm).digest_size

    assert expected == tracked_paths(data, lambda _path: True)
    assert expected == tracked_paths(data[:-size] + bytes(size), lambda _path: True)
    assert {"a.tf"} == tracked_paths(data, lambda path: path == "a.tf")
    assert frozenset() == tracked_paths(index(algorithm=algorithm), lambda _path: True)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no index"),
        (b"DIRC" + bytes(40), "version 0"),
        (index(b"a.tf")[:-1] + b"?", "checksum"),
        (index(b"a.tf", tail=b"link\0\0\0\0"), "elsewhere"),
        (index(b"a.tf", tail=b"TREE\0\0\xff\xff"), "belong to nothing"),
        (index(b"a.tf", tail=b"TR"), "belong to nothing"),
        (seal(b"DIRC\0\0\0\x02\xff\xff\xff\xff" + bytes(80)), "shorter"),
        (seal(b"DIRC\0\0\0\x02\0\0\0\x01" + bytes(80)), "cannot be"),
        (seal(b"DIRC\0\0\0\x02\0\0\0\x01" + bytes(60) + b"\0\x09abcdefghijklmn"), "without an end"),
        (seal(b"DIRC\0\0\0\x04\0\0\0\x01" + bytes(62) + b"\x05a\0"), "strips"),
        (seal(b"DIRC\0\0\0\x04\0\0\0\x01" + bytes(62) + b"\xff" * 20), "does not end"),
    ],
)
def test_index_faults(data: bytes, message: str) -> None:
    with pytest.raises(GitIndexError, match=message):
        tracked_paths(data, lambda _path: True)


def test_a_compressed_index_cannot_explode() -> None:
    long = bytes(62) + b"\0" + b"a" * 4_000 + b"\0"
    more = (bytes(62) + b"\0" + b"b\0") * 900_000
    count = 900_001
    body = b"DIRC\0\0\0\x04" + count.to_bytes(4, "big") + long + more

    with pytest.raises(GitIndexError):
        tracked_paths(seal(body), lambda _path: False)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_corrupt_indexes_raise_one_error(data: st.DataObject) -> None:
    version = data.draw(st.sampled_from([2, 3, 4]))
    body = bytearray(index(*NAMES, version=2 if version == 4 else version)[:-20])
    body[7] = version
    for _change in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(body)))
    found = seal(bytes(body[:cut] if data.draw(st.booleans()) else body))
    try:
        names = tracked_paths(found, lambda _path: True)
    except GitIndexError:
        return

    assert len(names) <= len(found) // 62


def test_random_bytes_are_no_index() -> None:
    chance = random.Random(7)
    for _try in range(500):
        with pytest.raises(GitIndexError):
            tracked_paths(
                seal(b"DIRC" + chance.randbytes(chance.randrange(200))), lambda _path: True
            )


# Roots


def test_the_configuration_root(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "blastdoor.toml": "",
            "repo/.git/HEAD": "",
            "repo/a/main.tf": "",
            "repo/b/blastdoor.toml": "",
            "repo/b/c/main.tf": "",
            "repo/p/pyproject.toml": "[project]\n[ tool . blastdoor ]\n",
            "repo/p/q/pyproject.toml": "[tool.other]\n",
            "repo/p/q/main.tf": "",
            "plain/x/main.tf": "",
            "plain/blastdoor.toml": "",
        },
    )
    root = Path(os.path.realpath(tmp_path))

    assert root / "repo" == configuration_root(tmp_path / "repo/a/main.tf")
    assert configuration_file(tmp_path / "repo/a") is None
    assert root / "repo/b" == configuration_root(tmp_path / "repo/b/c")
    assert root / "repo/p" == configuration_root(tmp_path / "repo/p/q/main.tf")
    assert root / "repo/p/pyproject.toml" == configuration_file(tmp_path / "repo/p/q")
    assert root / "plain/x" == configuration_root(tmp_path / "plain/x/main.tf")
    assert root / "plain" == configuration_root(tmp_path / "plain")
