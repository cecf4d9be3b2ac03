from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from busgate.trust.signature import (
    Cosigner,
    KeyType,
    Signature,
    Signer,
    TrustError,
    Verifier,
    check_text,
    cosignature_time,
    unbase64,
)
from support.logs import VECTORS

SEED = bytes(range(32))
KEY = Ed25519PrivateKey.from_private_bytes(SEED)
TEXT = "example.org/log/bus-1/1\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"


@pytest.mark.parametrize("vector", VECTORS["notes"], ids=lambda v: v["name"])
def test_a_public_key_reads_and_writes_as_others_write_it(vector: dict[str, Any]) -> None:
    verifier = Verifier.from_text(vector["vkey"])
    assert verifier.text == vector["vkey"]
    assert verifier.kind == vector["type"]


def test_the_private_key_of_the_go_documentation_reads_and_writes_as_it_stands_there() -> None:
    vector = VECTORS["notes"][0]
    signer = Signer.from_text(vector["skey"])
    assert signer.private_text == vector["skey"]
    assert signer.verifier == Verifier.from_text(vector["vkey"])


def test_a_signer_signs_what_its_verifier_accepts_and_nothing_else() -> None:
    signer = Signer("example.org/a", KEY)
    line = Signature.from_line(signer.line(TEXT).rstrip("\n"))
    assert line is not None
    assert (line.name, line.key_id) == ("example.org/a", signer.verifier.key_id)
    assert signer.verifier.accepts(TEXT, line.data)
    assert not signer.verifier.accepts(TEXT + "x\n", line.data)
    assert not signer.verifier.accepts(TEXT, line.data[:-1])
    assert not signer.verifier.accepts(TEXT, b"")


def test_the_same_key_has_another_id_under_another_name_or_type() -> None:
    signer, cosigner = Signer("a.example", KEY), Cosigner("a.example", KEY)
    ids = {signer.verifier.key_id, signer.named("b.example").verifier.key_id, cosigner.verifier.key_id}
    assert len(ids) == 3
    assert signer.named("b.example").verifier == signer.verifier.named("b.example")


def test_a_cosignature_says_when_and_holds_for_no_other_time() -> None:
    cosigner = Cosigner("witness.example/w", KEY)
    line = Signature.from_line(cosigner.line(TEXT, 1_679_315_147).rstrip("\n"))
    assert line is not None
    assert len(line.data) == 72
    assert cosignature_time(line.data) == 1_679_315_147
    assert cosigner.verifier.accepts(TEXT, line.data)
    later = (1_679_315_148).to_bytes(8, "big") + line.data[8:]
    assert not cosigner.verifier.accepts(TEXT, later)
    assert not cosigner.verifier.accepts(TEXT, line.data[8:])


def test_a_cosignature_signs_the_header_the_time_and_the_text() -> None:
    line = Signature.from_line(Cosigner("w.example", KEY).line(TEXT, 12).rstrip("\n"))
    assert line is not None
    KEY.public_key().verify(line.data[8:], b"cosignature/v1\ntime 12\n" + TEXT.encode())


@pytest.mark.parametrize("time", [-1, 2**63])
def test_a_cosigner_takes_no_time_that_the_format_does_not_hold(time: int) -> None:
    with pytest.raises(TrustError, match="POSIX seconds"):
        Cosigner("w.example", KEY).line(TEXT, time)


def test_the_ends_of_cosignature_times_are_times() -> None:
    cosigner = Cosigner("w.example", KEY)
    for time in (0, 2**63 - 1):
        line = Signature.from_line(cosigner.line(TEXT, time).rstrip("\n"))
        assert line is not None
        assert cosignature_time(line.data) == time
        assert cosigner.verifier.accepts(TEXT, line.data)


def test_a_time_beyond_the_format_is_no_cosignature() -> None:
    assert cosignature_time((2**63).to_bytes(8, "big") + bytes(64)) is None
    assert cosignature_time(bytes(71)) is None
    assert cosignature_time(bytes(73)) is None


def test_a_signer_of_notes_never_makes_what_would_pass_for_a_cosignature() -> None:
    with pytest.raises(TrustError, match="cosignature"):
        Signer("a.example", KEY).line("cosignature/v1\ntime 1\n" + TEXT)


@pytest.mark.parametrize("kind", [Signer, Cosigner])
def test_private_keys_survive_being_written_and_read(kind: type[Signer | Cosigner]) -> None:
    key = kind("example.org/a+b".replace("+", "-"), KEY)
    again = kind.from_text(key.private_text)
    assert again.verifier == key.verifier
    assert again.private_text == key.private_text


def test_a_private_key_of_one_kind_is_refused_as_the_other() -> None:
    with pytest.raises(TrustError, match="type 0x04"):
        Cosigner.from_text(Signer("a.example", KEY).private_text)
    with pytest.raises(TrustError, match="type 0x01"):
        Signer.from_text(Cosigner("a.example", KEY).private_text)


def test_no_error_and_no_repr_shows_a_private_key() -> None:
    text = Signer("a.example", KEY).private_text
    secret = text.rpartition("+")[2]
    shown = [repr(Signer("a.example", KEY)), repr(Cosigner("a.example", KEY))]
    for broken in (text.replace("a.example", "b.example"), text[:-4], text + "AA", text.replace("PRIVATE", "private")):
        with pytest.raises(TrustError) as caught:
            Signer.from_text(broken)
        shown.append(str(caught.value))
    assert not any(secret[:12] in line or SEED.hex() in line for line in shown)


def _vkey(name: str = "a.example", key_id: str | None = None, body: bytes | None = None) -> str:
    real = Signer("a.example", KEY).verifier
    encoded = base64.b64encode(body if body is not None else b"\x01" + real.public).decode()
    return f"{name}+{key_id or real.key_id.hex()}+{encoded}"


@pytest.mark.parametrize(
    ("vkey", "says"),
    [
        ("", "not a public key"),
        ("a.example", "not a public key"),
        ("a.example+01234567", "not a public key"),
        (_vkey(key_id="0123456"), "not a public key"),
        (_vkey(key_id="0123456G"), "not a public key"),
        (_vkey(key_id="01234567"), "does not match its own key id"),
        (_vkey(key_id=Signer("a.example", KEY).verifier.key_id.hex().upper()), "not a public key"),
        (_vkey(name="b.example"), "does not match its own key id"),
        (_vkey(name="a example"), "not a public key"),
        (_vkey(name=""), "not a public key"),
        (_vkey() + "\n", "not a public key"),
        (_vkey()[:-1], "not a public key"),
        (_vkey(body=b"\x06" + bytes(32)), "type 0x06"),
        (_vkey(body=b"\x00" + bytes(32)), "type 0x00"),
        (_vkey(body=b"\x01" + bytes(31)), "not a public key"),
        (_vkey(body=b"\x01" + bytes(33)), "not a public key"),
        (_vkey(body=b"\x02" + bytes(32)), "not a public key"),
    ],
)
def test_a_public_key_that_is_not_one_is_refused_in_words(vkey: str, says: str) -> None:
    with pytest.raises(TrustError, match=says):
        Verifier.from_text(vkey)


def test_an_elliptic_key_off_the_curve_p256_is_refused() -> None:
    der = generate_private_key(SECP384R1()).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(TrustError, match="P-256"):
        Verifier("a.example", KeyType.ECDSA, der)
    with pytest.raises(TrustError, match="P-256"):
        Verifier(
            "a.example",
            KeyType.ECDSA,
            KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        )


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\tb", "a\u00a0b", "a\u2003b", "a\nb", "a\x01b", "a\ud800b"])
def test_a_name_that_a_note_cannot_hold_names_no_key(name: str) -> None:
    with pytest.raises(TrustError, match="cannot name a key"):
        Signer(name, KEY)


@pytest.mark.parametrize("name", ["a", "example.org/log/bus-1/1-0123", "gvb.nl/ë", "transparency.dev/DEV:x"])
def test_names_of_the_usual_kinds_are_names(name: str) -> None:
    assert Signer(name, KEY).verifier.name == name


@pytest.mark.parametrize(
    "line",
    [
        "",
        "— a.example",
        "— a.example ",
        "- a.example AAAAAAA=",
        "—a.example AAAAAAA=",
        " — a.example AAAAAAA=",
        "— a.example AAAAAA==",
        "— a.example AAAAAAB=",
        "— a.example AAAAAAA",
        "— a.example AAAAAAA= ",
        "— a.example  AAAAAAA=",
        "—  AAAAAAA=",
        "— a+b AAAAAAA=",
        "— a.example AAAAAAA=é",
    ],
)
def test_a_line_that_is_no_signature_reads_as_none(line: str) -> None:
    assert Signature.from_line(line) is None


def test_the_shortest_signature_is_a_key_id_and_one_byte() -> None:
    assert Signature.from_line("— a AAAAAAA=") == Signature("a", bytes(4), bytes(1))


def test_base64_has_one_spelling() -> None:
    assert unbase64("AA==") == b"\x00"
    for other in ("AB==", "AA=", "AA", "A A==", "AA==\n", "_w==", "AA===="):
        assert unbase64(other) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("no newline", "ends in a newline"),
        ("", "ends in a newline"),
        ("a\nb\tc\n", "line 2 holds a tab. Next: use spaces"),
        ("a\r\n", "line 1 holds a carriage return. Next: save it with Unix line ends"),
        ("a\n\n\x00\n", "line 3 holds the control character U\\+0000"),
        ("a\x1f\n", "U\\+001F"),
        ("a\ud800\n", "half a character"),
    ],
)
def test_a_text_that_no_note_can_hold_is_refused_with_its_line(text: str, says: str) -> None:
    with pytest.raises(TrustError, match=says):
        check_text(text)


def test_ordinary_text_can_be_signed() -> None:
    check_text("\n")
    check_text("rule: é — 🚌\n\n  - x \x7f\n")
