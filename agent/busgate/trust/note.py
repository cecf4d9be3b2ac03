"""Signed notes: a text that is worth reading only once a key that we trust has signed it (c2sp.org/signed-note).

Law: what was verified and what was not never share a type. `parse_note` gives an `Unverified`, good for picking a key
and for nothing else; only `open_note` gives a `Verified`. Strict and bounded: 1 MiB, 100 signatures. A line by a key
that the reader does not know is ignored; one by a key that it knows must verify, or the whole note is refused.

    the text: UTF-8, no control character but the newline, its last one a newline
                                                            (an empty line: the last one in the note)
    — <key name> base64(key id, 4 bytes || signature)       (one line or more; see trust.signature)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from busgate.trust.signature import (
    CONTROL,
    Cosigner,
    KeyType,
    Signature,
    Signer,
    TrustError,
    Verifier,
    check_text,
    control_fault,
    cosignature_time,
    unbase64,
)

__all__ = [
    "MAX_NOTE",
    "MAX_SIGNATURES",
    "BadSignatureError",
    "Cosigner",
    "KeyType",
    "MalformedNoteError",
    "NotSignedError",
    "Signature",
    "Signed",
    "Signer",
    "TrustError",
    "Unverified",
    "Verified",
    "Verifier",
    "is_note",
    "open_note",
    "parse_note",
    "sign",
    "unbase64",
]

MAX_NOTE = 1 << 20
MAX_SIGNATURES = 100


class MalformedNoteError(TrustError):
    """Bytes that are not a signed note."""


class NotSignedError(TrustError):
    """A note without a signature by any key that its reader trusts."""


class BadSignatureError(TrustError):
    """A note with a line by a trusted key that does not verify: it was altered, or it is a forgery."""


class Signed(NamedTuple):
    """A signature that verified: by which key, its line, and when, in POSIX seconds, where it says so (type 0x04)."""

    by: Verifier
    signature: Signature
    time: int | None


class Verified(NamedTuple):
    """A note signed by at least one trusted key. `unverified` are lines by keys that the reader does not know."""

    text: str
    signatures: tuple[Signed, ...]
    unverified: tuple[Signature, ...]


class Unverified(NamedTuple):
    """A note that nobody has checked: read in it only which key to look for."""

    text: str
    signatures: tuple[Signature, ...]


def is_note(text: str) -> bool:
    """Whether `text` means to be a signed note, be it a good one or not: an empty line, then a signature line."""
    return "\n\n— " in text


def sign(text: str, signers: Iterable[Signer]) -> str:
    """The signed note of `text`; raises TrustError when a note cannot hold it, naming the line."""
    check_text(text)
    note = f"{text}\n{''.join(signer.line(text) for signer in signers)}"
    parse_note(note)
    return note


def parse_note(note: str | bytes) -> Unverified:
    """Take a note apart without checking any signature; raises MalformedNoteError."""
    whole = _decoded(note)
    if found := CONTROL.search(whole):
        raise MalformedNoteError(f"this is not a signed note: {control_fault(whole, found.start())}")
    split = whole.rfind("\n\n")
    if split < 0:
        raise MalformedNoteError("this is not a signed note: it has no empty line before its signatures")
    lines = whole[split + 2 :].split("\n")
    if lines.pop() or not lines:
        raise MalformedNoteError("this is not a signed note: its last signature line is missing or cut short")
    if len(lines) > MAX_SIGNATURES:
        raise MalformedNoteError(f"this note has {len(lines)} signatures; {MAX_SIGNATURES} is the limit")
    signatures = tuple(s for line in lines if (s := Signature.from_line(line)) is not None)
    if len(signatures) < len(lines):
        raise MalformedNoteError("this is not a signed note: each signature line must read '— name base64'")
    return Unverified(whole[: split + 1], signatures)


def open_note(note: str | bytes, verifiers: Iterable[Verifier]) -> Verified:
    """Check a note against the keys that its reader trusts.

    Raises MalformedNoteError; BadSignatureError when a line by one of the keys does not verify; NotSignedError when
    none of the keys signed. Repeated lines by one key count once.
    """
    unverified = parse_note(note)
    known = _by_identity(verifiers)
    signed: dict[Verifier, Signed] = {}
    unknown: dict[Signature, None] = {}
    for signature in unverified.signatures:
        verifier = known.get((signature.name, signature.key_id))
        if verifier is None:
            unknown[signature] = None
            continue
        if not verifier.accepts(unverified.text, signature.data):
            raise BadSignatureError(f"the signature by {signature.name} is false: text or signature were altered")
        time = cosignature_time(signature.data) if verifier.kind is KeyType.COSIGNATURE else None
        signed.setdefault(verifier, Signed(verifier, signature, time))
    if not signed:
        by = ", ".join(f"{s.name} ({s.key_id.hex()})" for s in unknown)
        wanted = ", ".join(f"{v.name} ({v.key_id.hex()})" for v in known.values()) or "no key at all"
        raise NotSignedError(f"this is signed by {by}; the reader trusts {wanted}")
    return Verified(unverified.text, tuple(signed.values()), tuple(unknown))


def _decoded(note: str | bytes) -> str:
    try:
        raw = note.encode() if isinstance(note, str) else note
        if len(raw) > MAX_NOTE:
            raise MalformedNoteError(f"this note has {len(raw)} bytes; {MAX_NOTE} is the limit")
        return raw.decode()
    except UnicodeError:
        raise MalformedNoteError("this is not a signed note: it is not UTF-8 text") from None


def _by_identity(verifiers: Iterable[Verifier]) -> dict[tuple[str, bytes], Verifier]:
    known: dict[tuple[str, bytes], Verifier] = {}
    for verifier in verifiers:
        if known.setdefault((verifier.name, verifier.key_id), verifier) != verifier:
            raise TrustError(f"two trusted keys share the name and key id {verifier.name}+{verifier.key_id.hex()}")
    return known
