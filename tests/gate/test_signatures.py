"""Signatures of SSH and OpenPGP: real keys, real programs, and what does not count."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .conftest import AGENT, OTHER, POLICY, REVIEWER, WIDER, Story

if TYPE_CHECKING:
    from collections.abc import Callable

SIGNED = POLICY + "signatures = true\n"
needs_ssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is missing")
needs_gpg = pytest.mark.skipif(shutil.which("gpg") is None, reason="gpg is missing")


def ssh_key(folder: Path, name: str) -> tuple[Path, str]:
    """The file of a new private key, and its public key."""
    file = folder / name
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(file)], check=True
    )
    return file, (folder / f"{name}.pub").read_text().strip()


def signed(one: Story, key: Path) -> None:
    """Effect: the reviewer commits what is there, signed with an SSH key."""
    one.git("add", "-A", who=REVIEWER)
    one.git(
        *("-c", "gpg.format=ssh", "-c", f"user.signingkey={key}"),
        *("commit", "-q", "-S", "-m", "acknowledge"),
        who=REVIEWER,
    )


@needs_ssh
def test_a_signature_of_the_reviewer_is_good(story: Callable[..., Story], tmp_path: Path) -> None:
    key, public = ssh_key(tmp_path, "reviewer")
    signers = f'reviewer@example.com namespaces="git" {public}\n'
    one = story(
        {
            "blastdoor.toml": SIGNED + 'allowed-signers = ".blastdoor/signers"\n',
            ".blastdoor/signers": signers,
        }
    )
    one.commit({"live/main.tf": WIDER}, who=AGENT)
    assert one.ack().code == 0
    signed(one, key)

    assert one.gate().code == 0


@needs_ssh
@pytest.mark.parametrize("whose", ["another's", "nobody's"])
def test_another_signature_is_not(story: Callable[..., Story], tmp_path: Path, whose: str) -> None:
    key, public = ssh_key(tmp_path, "key")
    owner = "other@example.com" if whose == "another's" else "reviewer@example.com"
    listed = public if whose == "another's" else ssh_key(tmp_path, "second")[1]
    one = story({"blastdoor.toml": SIGNED})
    signers = tmp_path / "signers"
    signers.write_text(f"{owner} {listed}\n")
    one.commit({"live/main.tf": WIDER}, who=AGENT)
    assert one.ack().code == 0
    signed(one, key)

    said = one.gate("--allowed-signers", str(signers))

    assert said.problems == ["ack-unverifiable"]
    assert (
        "not a good one of reviewer@example.com" in said.data["gated"][0]["problems"][0]["message"]
    )


def test_no_signature_is_none(story: Callable[..., Story]) -> None:
    one = story()
    one.commit({"live/main.tf": WIDER}, who=AGENT)
    one.acknowledged()
    assert one.gate().code == 0

    said = one.gate("--require-signatures")

    assert said.problems == ["ack-unverifiable"]
    assert "it is not signed" in said.data["gated"][0]["problems"][0]["message"]


@needs_ssh
def test_keys_that_the_change_brings_do_not_count(
    story: Callable[..., Story], tmp_path: Path
) -> None:
    key, public = ssh_key(tmp_path, "reviewer")
    one = story(
        {
            "blastdoor.toml": SIGNED + 'allowed-signers = ".blastdoor/signers"\n',
            ".blastdoor/signers": "other@example.com ssh-ed25519 AAAA\n",
        }
    )
    one.commit(
        {"live/main.tf": WIDER, ".blastdoor/signers": f"reviewer@example.com {public}\n"}, who=AGENT
    )
    assert one.ack().code == 0
    signed(one, key)

    assert "ack-unverifiable" in one.gate().problems


@needs_ssh
def test_a_record_that_was_changed_after_signing_is_not_signed(
    story: Callable[..., Story], tmp_path: Path
) -> None:
    key, public = ssh_key(tmp_path, "reviewer")
    signers = tmp_path / "signers"
    signers.write_text(f"reviewer@example.com {public}\n")
    one = story({"blastdoor.toml": SIGNED})
    one.commit({"live/main.tf": WIDER}, who=AGENT)
    assert one.ack().code == 0
    signed(one, key)
    assert one.gate("--allowed-signers", str(signers)).code == 0
    raw = one.git("cat-file", "commit", "HEAD")
    other = raw.replace("acknowledge", "acknowledged") + "\n"
    done = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin"],
        cwd=one.root,
        input=other.encode(),
        capture_output=True,
        check=True,
    )
    one.git("update-ref", "refs/heads/change", done.stdout.decode().strip())

    assert one.gate("--allowed-signers", str(signers)).problems == ["ack-unverifiable"]


def gpg(home: Path, *arguments: str) -> bytes:
    done = subprocess.run(
        ["gpg", "--batch", "--no-tty", *arguments],
        env={**os.environ, "GNUPGHOME": str(home)},
        check=True,
        capture_output=True,
    )
    return done.stdout


@needs_gpg
@pytest.mark.parametrize(("owner", "code"), [(REVIEWER, 0), (OTHER, 1)])
def test_openpgp(
    story: Callable[..., Story],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    owner: tuple[str, str],
    code: int,
) -> None:
    home = Path("/tmp") / f"bd-{os.getpid()}-{owner[1][:5]}"  # a socket's path has to be short
    home.mkdir(mode=0o700)
    try:
        name = f"{owner[0]} <{owner[1]}>"
        gpg(home, "--passphrase", "", "--quick-gen-key", name, "ed25519", "sign", "0")
        keys = gpg(home, "--armor", "--export").decode()
        one = story(
            {
                "blastdoor.toml": SIGNED + 'allowed-keys = ".blastdoor/keys.asc"\n',
                ".blastdoor/keys.asc": keys,
            }
        )
        one.commit({"live/main.tf": WIDER}, who=AGENT)
        assert one.ack().code == 0
        one.git("add", "-A", who=REVIEWER)
        monkeypatch.setenv("GNUPGHOME", str(home))
        one.git("commit", "-q", f"-S{owner[1]}", "-m", "acknowledge", who=REVIEWER)
        monkeypatch.delenv("GNUPGHOME")

        said = one.gate()

        assert said.code == code
        if code:
            words = said.data["gated"][0]["problems"][0]["message"]
            assert "the key is not one of reviewer@example.com" in words
    finally:
        subprocess.run(
            ["gpgconf", "--homedir", str(home), "--kill", "all"], check=False, capture_output=True
        )
        shutil.rmtree(home, ignore_errors=True)
