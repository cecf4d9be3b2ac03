"""The signed head of the log, and the two texts that carry it to others, each byte for byte as c2sp.org writes them.

Law: a checkpoint counts only when the key of its own origin signed it; cosignatures come on top of that, never instead.
What is read has one spelling: no leading zeros, canonical base64, every line ended.

    checkpoint (tlog-checkpoint)      origin, size, base64 root: three lines, then the signatures of a note
    proof (tlog-proof)                c2sp.org/tlog-proof@v1, [extra base64], index N, hashes, an empty line, checkpoint
    submission (tlog-witness)         old N, hashes, an empty line, checkpoint
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from busgate.model import BusgateError
from busgate.record.merkle import HASH_SIZE, leaf_hash, verify_inclusion
from busgate.trust.note import NotSignedError, Verified, Verifier, open_note, unbase64

PROOF_HEADER = "c2sp.org/tlog-proof@v1"
MAX_HASHES = 63
"""Lines of a proof: no tree is higher (tlog-witness, add-checkpoint)."""

_MAX_SIZE = 2**63 - 1


class CheckpointError(BusgateError):
    """A text that is not the checkpoint, proof or submission it should be, or does not hold."""


class Checkpoint(NamedTuple):
    """The head of a log: whose it is, how many entries it has, and the root over them (32 bytes)."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"


class SignedCheckpoint(NamedTuple):
    """A checkpoint that its log's key signed, and the note it was opened from."""

    checkpoint: Checkpoint
    note: Verified


@dataclass(frozen=True, slots=True)
class Proof:
    """An entry's inclusion proof with the checkpoint it leads to, as read: nothing is checked. `extra` is opaque."""

    index: int
    hashes: tuple[bytes, ...]
    note: str
    extra: bytes | None = None

    @property
    def text(self) -> str:
        """The `.tlog-proof` file (c2sp.org/tlog-proof)."""
        extra = "" if self.extra is None else f"extra {_base64(self.extra)}\n"
        return f"{PROOF_HEADER}\n{extra}index {self.index}\n{_lines(self.hashes)}\n{self.note}"


class Submission(NamedTuple):
    """A checkpoint on its way to a witness that knows the log at size `old`, as read: nothing is checked."""

    old: int
    hashes: tuple[bytes, ...]
    note: str

    @property
    def text(self) -> str:
        """The body of an add-checkpoint request (c2sp.org/tlog-witness)."""
        return f"old {self.old}\n{_lines(self.hashes)}\n{self.note}"


def read_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint; raises CheckpointError. Lines after the third are let be (tlog-checkpoint, 4)."""
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() or not all(lines):
        raise CheckpointError("this is not a checkpoint: it has no three lines, of origin, size and root")
    root = unbase64(lines[2])
    if root is None or len(root) != HASH_SIZE:
        raise CheckpointError("this is not a checkpoint: its third line is not a base64 hash of 32 bytes")
    return Checkpoint(lines[0], _number(lines[1], "this is not a checkpoint: its second line"), root)


def open_checkpoint(note: str | bytes, log_key: Verifier, witnesses: Iterable[Verifier] = ()) -> SignedCheckpoint:
    """Check a checkpoint: signed by `log_key`, whose name is its origin; cosignatures by `witnesses` come with it.

    Raises TrustError for the note and CheckpointError for its text.
    """
    verified = open_note(note, [log_key, *witnesses])
    if all(signed.by != log_key for signed in verified.signatures):
        raise NotSignedError(f"this checkpoint is cosigned, but not signed by its log's key {log_key.name}")
    checkpoint = read_checkpoint(verified.text)
    if checkpoint.origin != log_key.name:
        raise CheckpointError(f"the key of {log_key.name} signed a checkpoint of {checkpoint.origin}, another log")
    return SignedCheckpoint(checkpoint, verified)


def read_proof(text: str) -> Proof:
    """Take a `.tlog-proof` apart; raises CheckpointError."""
    what = "this is not a tlog-proof: "
    lines, note = _head(text, what)
    if not lines or lines.pop(0) != PROOF_HEADER:
        raise CheckpointError(f"{what}its first line is not {PROOF_HEADER}")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = unbase64(lines.pop(0).removeprefix("extra "))
        if extra is None:
            raise CheckpointError(f"{what}its extra data is not base64")
    index = _labelled(lines, "index ", what)
    return Proof(index, _hashes(lines, what), note, extra)


def verify_proof(text: str, entry: bytes, log_key: Verifier, witnesses: Iterable[Verifier] = ()) -> SignedCheckpoint:
    """Check that `entry` is in the log at the index that the `.tlog-proof` says; the checkpoint that vouches for it.

    Raises CheckpointError or TrustError. How many cosignatures are enough is the caller's policy.
    """
    proof = read_proof(text)
    signed = open_checkpoint(proof.note, log_key, witnesses)
    head = signed.checkpoint
    if not verify_inclusion(leaf_hash(entry), proof.index, head.size, proof.hashes, head.root):
        raise CheckpointError(f"this entry is not record {proof.index} of {head.origin}: the proof does not lead to it")
    return signed


def read_submission(text: str) -> Submission:
    """Take an add-checkpoint body apart; raises CheckpointError."""
    what = "this is not an add-checkpoint request: "
    lines, note = _head(text, what)
    return Submission(_labelled(lines, "old ", what), _hashes(lines, what), note)


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _lines(hashes: Sequence[bytes]) -> str:
    return "".join(f"{_base64(part)}\n" for part in hashes)


def _head(text: str, what: str) -> tuple[list[str], str]:
    """The lines before the first empty one, and the checkpoint after it, verbatim."""
    head, empty, note = text.partition("\n\n")
    if not empty:
        raise CheckpointError(f"{what}no checkpoint follows an empty line")
    return head.split("\n"), note


def _labelled(lines: list[str], label: str, what: str) -> int:
    if not lines or not lines[0].startswith(label):
        raise CheckpointError(f"{what}the line '{label}N' is missing")
    return _number(lines.pop(0).removeprefix(label), f"{what}its {label.strip()}")


def _number(text: str, what: str) -> int:
    """A decimal without leading zeros (tlog-checkpoint, 2)."""
    if not (text.isascii() and text.isdigit()) or (text[0] == "0" and text != "0") or len(text) > 19:
        raise CheckpointError(f"{what} is not a whole number without leading zeros")
    if (number := int(text)) > _MAX_SIZE:
        raise CheckpointError(f"{what} is beyond every log")
    return number


def _hashes(lines: Sequence[str], what: str) -> tuple[bytes, ...]:
    if len(lines) > MAX_HASHES:
        raise CheckpointError(f"{what}it has {len(lines)} hashes; no tree needs more than {MAX_HASHES}")
    hashes = tuple(part for line in lines if (part := unbase64(line)) is not None and len(part) == HASH_SIZE)
    if len(hashes) < len(lines):
        raise CheckpointError(f"{what}a line of its proof is not a base64 hash of 32 bytes")
    return hashes
