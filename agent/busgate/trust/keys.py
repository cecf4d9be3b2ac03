"""Key files: made once, readable by their owner only, never overwritten; and the published test key of replays.

Law: a private key is one line in a file of mode 0600; its public half lies beside it in `<file>.vkey`, mode 0644.
A key file that others can read is refused, since nobody can say who else signs with it. What the test key signs
proves nothing: everybody has it.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from busgate.trust.note import Signer, TrustError, Verifier

MAX_KEY_FILE = 4096

TEST = "test"
"""How every name under which the test key signs begins."""

_TEST_SEED = hashlib.sha256(b"busgate published test key: everybody has it, so what it signs proves nothing").digest()


def new_key(name: str, path: Path) -> Verifier:
    """Make an Ed25519 key that signs under `name`: `path` (private) and `<path>.vkey` (public).

    Raises TrustError when either file exists, or the folder cannot be written.
    """
    signer = Signer(name, Ed25519PrivateKey.generate())
    public = public_path(path)
    if public.exists():
        raise TrustError(f"{public} exists and is never overwritten. Next: choose another file for the new key")
    _create(path, signer.private_text, 0o600)
    _create(public, signer.verifier.text, 0o644)
    return signer.verifier


def public_path(path: Path) -> Path:
    """Where the public half of the key file `path` lies."""
    return path.with_name(path.name + ".vkey")


def load_signer(path: Path) -> Signer:
    """Read a private key file; raises TrustError when it is missing, open to others, or no private key."""
    text, mode = _read(path, "private key")
    if mode & 0o077:
        raise TrustError(f"{path} can be read by others (mode {mode & 0o777:04o}). Next: chmod 600 {path}")
    if _is_public(text):
        raise TrustError(f"{path} is a public key. Next: give the private one, the file without .vkey")
    try:
        return Signer.from_text(text)
    except TrustError as fault:
        raise TrustError(f"{path}: {fault}") from None


def load_verifier(path_or_vkey: str | Path) -> Verifier:
    """Read a public key from its file, or take it as the text of one; raises TrustError."""
    path = Path(path_or_vkey)
    if _is_text_of_key(path_or_vkey):
        return Verifier.from_text(str(path_or_vkey).strip())
    text, _ = _read(path, "public key")
    if text.startswith("PRIVATE+"):
        raise TrustError(f"{path} is a private key: do not hand it out. Next: give {public_path(path)}")
    try:
        return Verifier.from_text(text)
    except TrustError as fault:
        raise TrustError(f"{path}: {fault}") from None


def public_half(path_or_vkey: str | Path) -> Verifier:
    """The public key of any key file, private or public, or of a public key's text; raises TrustError."""
    if _is_text_of_key(path_or_vkey):
        return load_verifier(path_or_vkey)
    path = Path(path_or_vkey)
    text, _ = _read(path, "key")
    return load_signer(path).verifier if text.startswith("PRIVATE+") else load_verifier(path)


def test_signer(name: str) -> Signer:
    """The published key, for replays and tests: the same one everywhere, under a name that begins with `test`."""
    return Signer(f"{TEST}/{name}", Ed25519PrivateKey.from_private_bytes(_TEST_SEED))


def is_test_key(key: Verifier) -> bool:
    """Whether this is the published test key, under whatever name it comes."""
    return key.public == _TEST_PUBLIC


test_signer.__test__ = False  # type: ignore[attr-defined] # a test runner would take it for a test of its own

_TEST_PUBLIC = test_signer("key").verifier.public


def _is_public(text: str) -> bool:
    return text.count("+") >= 2 and not text.startswith("PRIVATE+")


def _is_text_of_key(given: str | Path) -> bool:
    return isinstance(given, str) and _is_public(given) and not os.path.lexists(given)


def _create(path: Path, text: str, mode: int) -> None:
    """Write a new file with exactly `mode`, durably; never replace one, never follow a link."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    except FileExistsError:
        raise TrustError(f"{path} exists and is never overwritten. Next: choose another file for the new key") from None
    except OSError as fault:
        raise TrustError(f"{path} cannot be made: {fault.strerror}. Next: choose a folder you can write") from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        os.fchmod(handle, mode)
        file.write(text + "\n")
        file.flush()
        os.fsync(handle)


def _read(path: Path, what: str) -> tuple[str, int]:
    """The single line of a key file, and the file's mode."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            raw = file.read(MAX_KEY_FILE + 1)
    except FileNotFoundError:
        raise TrustError(
            f"there is no {what} file {path}. Next: check its name, or make one: busgate keys new"
        ) from None
    except OSError as fault:
        raise TrustError(f"{path} cannot be read: {fault.strerror}. Next: check its owner and permissions") from None
    lines = raw.decode(errors="replace").splitlines()
    if len(raw) > MAX_KEY_FILE or len(lines) != 1:
        raise TrustError(f"{path} is not a {what}: a key is a single line")
    return lines[0].strip(), mode
