from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from busgate.trust.note import (
    MAX_NOTE,
    MAX_SIGNATURES,
    BadSignatureError,
    Cosigner,
    KeyType,
    MalformedNoteError,
    NotSignedError,
    Signature,
    Signer,
    TrustError,
    Verifier,
    is_note,
    open_note,
    parse_note,
    sign,
)
from support.logs import VECTORS

ANNA = Signer("anna.example", Ed25519PrivateKey.from_private_bytes(b"a" * 32))
BO = Signer("bo.example", Ed25519PrivateKey.from_private_bytes(b"b" * 32))
WITNESS = Cosigner("w.example", Ed25519PrivateKey.from_private_bytes(b"w" * 32))
TEXT = "allow: nothing\n\nthat is all — for now\n"
NOTE = sign(TEXT, [ANNA])


@pytest.mark.parametrize("vector", VECTORS["notes"], ids=lambda v: v["name"])
def test_notes_of_public_logs_and_witnesses_open(vector: dict[str, Any]) -> None:
    key = Verifier.from_text(vector["vkey"])
    verified = open_note(vector["note"], [key])
    assert vector["note"].startswith(verified.text + "\n— ")
    assert [(s.by, s.time) for s in verified.signatures] == [(key, vector["time"])]
    assert 1 + len(verified.unverified) == vector["note"].count("\n— ")


@pytest.mark.parametrize("vector", VECTORS["notes"], ids=lambda v: v["name"])
def test_notes_of_public_logs_and_witnesses_do_not_open_once_a_letter_is_changed(vector: dict[str, Any]) -> None:
    altered = chr(ord(vector["note"][0]) ^ 1) + vector["note"][1:]
    with pytest.raises(BadSignatureError):
        open_note(altered, [Verifier.from_text(vector["vkey"])])


def test_our_signature_is_the_one_in_the_go_documentation() -> None:
    vector = VECTORS["notes"][0]
    text = parse_note(vector["note"]).text
    assert sign(text, [Signer.from_text(vector["skey"])]) == vector["note"]


def test_a_note_opens_as_text_or_bytes_with_the_text_that_was_signed() -> None:
    assert open_note(NOTE, [ANNA.verifier]).text == TEXT
    assert open_note(NOTE.encode(), [ANNA.verifier]) == open_note(NOTE, [ANNA.verifier])


def test_what_is_verified_and_what_is_not_are_kept_apart() -> None:
    verified = open_note(sign(TEXT, [ANNA, BO]), [BO.verifier])
    assert [s.by for s in verified.signatures] == [BO.verifier]
    assert [s.name for s in verified.unverified] == ["anna.example"]
    assert verified.signatures[0].time is None


def test_a_cosignature_beside_a_signature_says_when() -> None:
    verified = open_note(NOTE + WITNESS.line(TEXT, 99), [ANNA.verifier, WITNESS.verifier])
    assert [(s.by.kind, s.time) for s in verified.signatures] == [(KeyType.ED25519, None), (KeyType.COSIGNATURE, 99)]


def test_a_note_by_strangers_only_is_refused_and_says_whose_it_is() -> None:
    with pytest.raises(NotSignedError, match=r"anna\.example.*trusts bo\.example"):
        open_note(NOTE, [BO.verifier])
    with pytest.raises(NotSignedError, match="no key at all"):
        open_note(NOTE, [])


def test_the_same_name_with_another_key_is_a_stranger() -> None:
    impostor = Signer("anna.example", Ed25519PrivateKey.from_private_bytes(b"x" * 32))
    with pytest.raises(NotSignedError):
        open_note(sign(TEXT, [impostor]), [ANNA.verifier])


def test_a_false_line_by_a_known_key_refuses_the_note_even_beside_good_ones() -> None:
    false = Signature("bo.example", BO.verifier.key_id, bytes(64)).line
    with pytest.raises(BadSignatureError, match=r"bo\.example"):
        open_note(NOTE + false, [ANNA.verifier, BO.verifier])
    assert open_note(NOTE + false, [ANNA.verifier]).unverified[0].name == "bo.example"


def test_a_false_second_line_by_the_same_key_refuses_the_note() -> None:
    with pytest.raises(BadSignatureError):
        open_note(NOTE + Signature("anna.example", ANNA.verifier.key_id, bytes(64)).line, [ANNA.verifier])


def test_repeated_lines_count_once() -> None:
    line = NOTE.rpartition("\n\n")[2]
    verified = open_note(NOTE + line + BO.line(TEXT) * 2, [ANNA.verifier, ANNA.verifier])
    assert len(verified.signatures) == len(verified.unverified) == 1


def test_two_cosignatures_by_one_witness_count_once() -> None:
    verified = open_note(NOTE + WITNESS.line(TEXT, 1) + WITNESS.line(TEXT, 2), [WITNESS.verifier])
    assert [s.time for s in verified.signatures] == [1]


def test_two_keys_that_cannot_be_told_apart_are_refused() -> None:
    twin = Verifier("anna.example", KeyType.ED25519, BO.verifier.public)
    # One key in 2^32 collides by itself; this one is made to.
    object.__setattr__(twin, "key_id", ANNA.verifier.key_id)
    with pytest.raises(TrustError, match="share the name and key id"):
        open_note(NOTE, [ANNA.verifier, twin])


SIGNATURE = NOTE.rpartition("\n\n")[2]


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "\n\n",
        "text\n\n",
        TEXT,
        SIGNATURE,
        "\n" + SIGNATURE,
        NOTE.rstrip("\n"),
        NOTE + "\n",
        NOTE + "x\n",
        NOTE + "— \n",
        NOTE.replace("— anna", "- anna"),
        NOTE.replace("— anna", "—  anna"),
        NOTE.replace("\n— anna", "\n\t— anna"),
        NOTE.replace("\n", "\r\n"),
        "a\x00" + NOTE,
        "a\ud800" + NOTE,
    ],
)
def test_what_is_not_a_note_is_malformed(note: str) -> None:
    with pytest.raises(MalformedNoteError):
        open_note(note, [ANNA.verifier])


def test_bytes_that_are_not_utf8_are_malformed() -> None:
    with pytest.raises(MalformedNoteError, match="UTF-8"):
        open_note(b"\xff" + NOTE.encode(), [ANNA.verifier])


def test_an_empty_text_is_one_newline() -> None:
    assert open_note(sign("\n", [ANNA]), [ANNA.verifier]).text == "\n"


def test_the_text_may_hold_what_looks_like_a_signature_before_its_last_empty_line() -> None:
    text = NOTE + "\nmore\n"
    assert open_note(sign(text, [BO]), [BO.verifier]).text == text


def test_signatures_are_limited_in_number() -> None:
    full = TEXT + "\n" + "— x AAAAAAA=\n" * (MAX_SIGNATURES - 1) + SIGNATURE
    assert len(parse_note(full).signatures) == MAX_SIGNATURES
    assert len(open_note(full, [ANNA.verifier]).signatures) == 1
    with pytest.raises(MalformedNoteError, match="101 signatures"):
        parse_note(full + SIGNATURE)


def test_notes_are_limited_in_size() -> None:
    room = MAX_NOTE - len(sign("\n", [ANNA]).encode())
    largest = sign("x" * room + "\n", [ANNA])
    assert len(largest.encode()) == MAX_NOTE
    assert open_note(largest, [ANNA.verifier])
    with pytest.raises(MalformedNoteError, match="limit"):
        sign("x" * (room + 1) + "\n", [ANNA])


def test_a_text_that_cannot_be_signed_says_where() -> None:
    with pytest.raises(TrustError, match="line 2 holds a tab"):
        sign("a: 1\nb:\t2\n", [ANNA])
    with pytest.raises(TrustError, match="newline"):
        sign("a: 1", [ANNA])


def test_signing_with_no_key_is_refused() -> None:
    with pytest.raises(MalformedNoteError):
        sign(TEXT, [])


def test_a_damaged_note_still_means_to_be_one() -> None:
    assert is_note(NOTE)
    assert is_note(NOTE[:-30])
    assert not is_note(TEXT)
    assert not is_note("a: — b\n")
