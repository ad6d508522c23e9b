"""Signatures of commits, held against keys that the base of the change names.

``git verify-commit`` would run the programs that the repository's configuration names. Here the
signature and exactly the bytes it signs go to ``ssh-keygen -Y verify`` (with the allowed signers file)
or to ``gpg --verify`` (with a keyring made of the allowed keys), in a folder of their own and with no
configuration. A signature is good when the key is allowed for the address of the reviewer.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from blastdoor.record import dataclass

if TYPE_CHECKING:
    from blastdoor.source.history import Commit

_TIMEOUT: Final = 30
"""Seconds for one program."""
_SSH: Final = "-----BEGIN SSH SIGNATURE-----"
_PGP: Final = "-----BEGIN PGP SIGNATURE-----"


@dataclass(frozen=True, slots=True)
class Keys:
    """Whose signatures count."""

    signers: str | None = None
    """Text of an allowed signers file (``ssh-keygen(1)``)."""
    keys: str | None = None
    """Text of armoured OpenPGP public keys."""


def fault(commit: Commit, address: str, keys: Keys) -> str | None:
    """Why a commit does not bear a good signature of the owner of an address; ``None`` if it does."""
    if not commit.signature:
        return "it is not signed"
    if commit.signature.startswith(_SSH):
        if keys.signers is None:
            return "it is signed with SSH, and the base names no allowed-signers file"
        return _ssh(commit, address, keys.signers)
    if commit.signature.startswith(_PGP):
        if keys.keys is None:
            return "it is signed with OpenPGP, and the base names no allowed-keys file"
        return _openpgp(commit, address, keys.keys)
    return "its signature is neither SSH nor OpenPGP"


def _environment(home: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return {**kept, "HOME": home, "GNUPGHOME": home, "LC_ALL": "C"}


def _run(words: list[str], data: bytes, home: str) -> subprocess.CompletedProcess[bytes] | None:
    try:
        return subprocess.run(  # noqa: S603  fixed programs, arguments of ours
            words,
            input=data,
            capture_output=True,
            env=_environment(home),
            cwd=home,
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def _ssh(commit: Commit, address: str, signers: str) -> str | None:
    program = shutil.which("ssh-keygen")
    if program is None:
        return "ssh-keygen, which checks its signature, is not installed"
    if not address or address.startswith("-") or any(c in address for c in " \t\n\0*?!,"):
        return "the reviewer's address is none that a signer can have"
    with tempfile.TemporaryDirectory(prefix="blastdoor-") as home:
        allowed, signature = Path(home) / "signers", Path(home) / "signature"
        allowed.write_text(signers, encoding="utf-8")
        signature.write_text(commit.signature + "\n", encoding="ascii")
        words = [program, "-Y", "verify", "-f", str(allowed), "-I", address]
        done = _run([*words, "-n", "git", "-s", str(signature)], commit.payload, home)
    if done is not None and done.returncode == 0:
        return None
    return f"its signature is not a good one of {address} by the allowed signers"


def _openpgp(commit: Commit, address: str, keys: str) -> str | None:
    program = shutil.which("gpg")
    if program is None:
        return "gpg, which checks its signature, is not installed"
    with tempfile.TemporaryDirectory(prefix="bd-") as home:
        Path(home).chmod(0o700)
        signature = Path(home) / "signature"
        signature.write_text(commit.signature + "\n", encoding="ascii")
        words = [program, "--batch", "--no-tty", "--no-options", "--no-auto-key-retrieve"]
        imported = _run([*words, "--import"], keys.encode("utf-8"), home)
        if imported is None or imported.returncode:
            return "the allowed keys cannot be read"
        done = _run(
            [
                *words,
                "--trust-model",
                "always",
                "--status-fd",
                "1",
                "--verify",
                str(signature),
                "-",
            ],
            commit.payload,
            home,
        )
        if done is None or done.returncode:
            return "its signature is not a good one by the allowed keys"
        listed = _run([*words, "--with-colons", "--list-keys", *_signers(done.stdout)], b"", home)
    if listed is None or listed.returncode or not _names(listed.stdout, address):
        return f"its signature is good, but the key is not one of {address}"
    return None


def _signers(status: bytes) -> list[str]:
    """The fingerprints of the keys whose good signatures a status says (GnuPG, doc/DETAILS)."""
    words = [line.split() for line in status.decode("utf-8", "replace").splitlines()]
    return [line[2] for line in words if line[:2] == ["[GNUPG:]", "VALIDSIG"] and len(line) > 2]  # noqa: PLR2004


def _names(listing: bytes, address: str) -> bool:
    """Whether a key that is neither revoked nor expired has a user id with the address."""
    for line in listing.decode("utf-8", "replace").splitlines():
        fields = line.split(":")
        if fields[0] == "uid" and len(fields) > 9 and fields[1] not in ("r", "e"):  # noqa: PLR2004
            found = fields[9].rpartition("<")[2].rstrip(">").lower()
            if found == address.lower():
                return True
    return False
