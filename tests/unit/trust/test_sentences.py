"""What keys and notes say when they are refused, word for word: people act on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from busgate.trust.keys import public_half, test_signer
from busgate.trust.note import MAX_SIGNATURES, open_note, parse_note, sign
from busgate.trust.signature import KeyType, Signature, Signer, TrustError, Verifier, check_text

TEXT = "example\n1\n"
NOTE = sign(TEXT, [test_signer("key")])


def p256(curve: ec.EllipticCurve) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return ec.generate_private_key(curve).public_key().public_bytes(serialization.Encoding.DER, form)


SENTENCES: dict[str, tuple[Callable[[], object], str]] = {
    "a cosignature's message": (
        lambda: test_signer("key").line("cosignature/v1\ntime 1\n"),
        "this text is a cosignature's message, which a signer of notes never signs",
    ),
    "no newline": (lambda: check_text("x"), "a text to be signed ends in a newline. Next: add one at its end"),
    "half a character": (
        lambda: check_text("\ud800\n"),
        "this text cannot be signed: it holds half a character. Next: save it as UTF-8",
    ),
    "a tab": (lambda: check_text("\na\tb\n"), "this text cannot be signed: line 2 holds a tab. Next: use spaces"),
    "no public key": (
        lambda: Verifier("n", KeyType.ED25519, b"short"),
        "these bytes are not a public key. Next: fetch the key again",
    ),
    "another curve": (
        lambda: Verifier("n", KeyType.ECDSA, p256(ec.SECP384R1())),
        "a key of type 0x02 must lie on the curve P-256",
    ),
    "no private key": (
        lambda: Signer.from_text("x"),
        "this is not a private key: one reads 'PRIVATE+KEY+name+01234567+base64' in a single line",
    ),
    "a control character": (
        lambda: parse_note("a\0b"),
        "this is not a signed note: line 1 holds the control character U+0000. Next: take it out",
    ),
    "no empty line": (
        lambda: parse_note("a\nb\n"),
        "this is not a signed note: it has no empty line before its signatures",
    ),
    "a cut signature": (
        lambda: parse_note(NOTE[:-1]),
        "this is not a signed note: its last signature line is missing or cut short",
    ),
    "no signature line": (
        lambda: parse_note("a\n\nb\n"),
        "this is not a signed note: each signature line must read '— name base64'",
    ),
    "too many signatures": (
        lambda: parse_note(NOTE + NOTE.split("\n\n")[1] * MAX_SIGNATURES),
        f"this note has {MAX_SIGNATURES + 1} signatures; {MAX_SIGNATURES} is the limit",
    ),
    "bytes that are no text": (lambda: parse_note(b"\xff\n\n"), "this is not a signed note: it is not UTF-8 text"),
}


@pytest.mark.parametrize("what", SENTENCES)
def test_a_refusal_says_exactly_what_is_wrong(what: str) -> None:
    refused, sentence = SENTENCES[what]
    with pytest.raises(TrustError) as fault:
        refused()
    assert str(fault.value) == sentence


def test_who_signed_and_whom_the_reader_trusts_are_both_named() -> None:
    one, two = (Signer(name, Ed25519PrivateKey.generate()) for name in ("one", "two"))
    note = sign(TEXT, [one, two])
    with pytest.raises(TrustError) as fault:
        open_note(note, [])
    by = " ".join(f"{each.name} ({each.verifier.key_id.hex()})," for each in (one, two)).removesuffix(",")
    assert str(fault.value) == f"this is signed by {by}; the reader trusts no key at all"
    with pytest.raises(TrustError) as fault:
        open_note(NOTE, [one.verifier, two.verifier])
    assert str(fault.value).endswith(f"; the reader trusts {by}")


def test_an_opened_note_gives_each_keys_own_signature_line() -> None:
    (signed,) = open_note(NOTE, [test_signer("key").verifier]).signatures
    assert signed.signature.line == NOTE.split("\n\n")[1]
    assert signed.time is None


def test_only_a_cosignature_has_a_time_however_long_another_signature_is() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    key = Verifier("hw", KeyType.ECDSA, private.public_key().public_bytes(serialization.Encoding.DER, form))
    data = b""
    while len(data) != 72:  # as long as a cosignature; about every second one is
        data = private.sign(TEXT.encode(), ec.ECDSA(hashes.SHA256()))
    (signed,) = open_note(f"{TEXT}\n{Signature('hw', key.key_id, data).line}", [key]).signatures
    assert signed.time is None


def test_a_key_that_is_not_there_is_called_a_key(tmp_path: Path) -> None:
    with pytest.raises(TrustError) as fault:
        public_half(tmp_path / "no.key")
    assert str(fault.value).startswith(f"there is no key file {tmp_path / 'no.key'}. Next: ")


def test_the_text_of_a_key_without_a_plus_in_its_base64_is_a_key() -> None:
    keys = (Signer("n", Ed25519PrivateKey.from_private_bytes(bytes([seed] * 32))).verifier for seed in range(256))
    key = next(each for each in keys if each.text.count("+") == 2)
    assert public_half(key.text) == key
