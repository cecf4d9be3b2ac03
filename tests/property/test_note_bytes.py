"""Notes: any bytes are answered in words, and no altered byte of a signed note survives."""

from __future__ import annotations

import string

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from busgate.trust.note import Cosigner, Signer, TrustError, Verifier, open_note, parse_note, sign
from busgate.trust.signature import Signature

ANNA = Signer("anna.example", Ed25519PrivateKey.from_private_bytes(b"a" * 32))
WITNESS = Cosigner("w.example", Ed25519PrivateKey.from_private_bytes(b"w" * 32))
TEXT = "anna.example\n12\nf+7CoKgXKE/tNys9TTXcr/ad6U/K3xvznmzew9y6SP0=\n"
NOTE = (sign(TEXT, [ANNA]) + WITNESS.line(TEXT, 1_700_000_000)).encode()
KEYS = [ANNA.verifier, WITNESS.verifier]

texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=[chr(c) for c in range(32)]) | st.just("\n"),
    max_size=200,
)
names = st.text(string.ascii_letters + "./-é🚌", min_size=1, max_size=20)


@given(texts, names, names)
def test_every_text_that_can_be_signed_opens_as_itself(text: str, one: str, other: str) -> None:
    text += "\n"
    first, second = ANNA.named(one), Signer(other, WITNESS.key)
    verified = open_note(sign(text, [first, second]).encode(), [first.verifier, second.verifier])
    assert verified.text == text
    assert [s.by for s in verified.signatures] == [first.verifier, second.verifier]


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_any_input_is_a_note_or_refused_in_words(note: bytes | str) -> None:
    refused: list[str] = []
    try:
        parse_note(note)
    except TrustError as fault:
        refused.append(str(fault))
    assert all(refused)
    with pytest.raises(TrustError):
        open_note(note, KEYS)


@settings(max_examples=200)
@given(st.text(max_size=100) | st.builds("{}+{}+{}".format, names, st.text("0123456789abcdef", max_size=9), st.text()))
def test_any_text_is_a_key_or_refused_in_words(text: str) -> None:
    for read in (Verifier.from_text, Signer.from_text, Cosigner.from_text):
        with pytest.raises(TrustError):
            read(text)
    Signature.from_line(text)


@pytest.mark.parametrize("at", range(len(NOTE)))
def test_no_flipped_byte_of_a_note_goes_unnoticed(at: int) -> None:
    for bit in (1, 0x20, 0x80):
        flipped = NOTE[:at] + bytes([NOTE[at] ^ bit]) + NOTE[at + 1 :]
        # A line whose name or key id was altered is a stranger's: then one of the two signatures is gone.
        try:
            assert len(open_note(flipped, KEYS).signatures) < len(KEYS)
        except TrustError:
            continue


@pytest.mark.parametrize("length", range(len(NOTE)))
def test_no_note_that_is_cut_short_has_both_signatures(length: int) -> None:
    try:
        assert len(open_note(NOTE[:length], KEYS).signatures) == 1
    except TrustError:
        return
