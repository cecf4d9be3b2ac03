"""JA4, JA3 and JA3S as others publish them for the same hellos."""

import json
from pathlib import Path
from typing import Any

import pytest

from busgate.decode.tls import Records
from busgate.decode.tls_fingerprints import Offer, grease, ja4

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors/tls_fingerprints.json").read_text())
EXAMPLES = VECTORS["ja4_texts"]


def hello(record: str) -> dict[str, Any]:
    (span,) = Records().feed(bytes.fromhex(record))
    assert span.pdu is not None
    assert not span.pdu.flaws
    return dict(span.pdu.fields)


def numbers(text: str) -> list[int]:
    return [int(number, 16) for number in text.split(",") if number]


def offer(**changes: Any) -> Offer:
    plain = Offer(0x0303, [0x1301], [0x000D], None, None, [0x0403], [0x001D], [0])
    return plain._replace(**changes)


@pytest.mark.parametrize("vector", VECTORS["ja4"], ids=lambda vector: vector["ja4"])
def test_ja4_is_what_its_publishers_say(vector: dict[str, Any]) -> None:
    fields = hello(vector["record"])
    assert {name: fields[name] for name in ("ja4", "server_name", "alpn")} == {
        name: vector[name] for name in ("ja4", "server_name", "alpn")
    }


@pytest.mark.parametrize("vector", VECTORS["ja3"], ids=lambda vector: vector["ja3"])
def test_ja3_is_what_its_publishers_say(vector: dict[str, str]) -> None:
    assert hello(vector["record"])["ja3"] == vector["ja3"]


@pytest.mark.parametrize("vector", VECTORS["ja3s"], ids=lambda vector: vector["ja3s"])
def test_ja3s_is_what_its_publishers_say(vector: dict[str, str]) -> None:
    assert hello(vector["record"])["ja3s"] == vector["ja3s"]


def test_the_cipher_list_of_the_specification_has_its_hash() -> None:
    example = EXAMPLES[0]
    assert ja4(offer(ciphers=[0x0A0A, *numbers(example["ciphers"])]))[0].split("_")[1] == example["hash"]


@pytest.mark.parametrize("example", EXAMPLES[1:3], ids=["with algorithms", "without"])
def test_the_extension_lists_of_the_specification_have_their_hashes(example: dict[str, str]) -> None:
    extensions, algorithms = numbers(example["extensions"]), numbers(example["signature_algorithms"])
    assert ja4(offer(extensions=extensions, signature_algorithms=algorithms))[0].split("_")[2] == example["hash"]


def test_a_grease_signature_algorithm_is_left_out() -> None:
    example = EXAMPLES[3]
    _, ciphers, extensions, algorithms = example["ja4_r"].split("_")
    made = offer(
        ciphers=numbers(ciphers),
        extensions=[0x0000, 0x0010, 0x1A1A, *numbers(extensions)],
        versions=[0x2A2A, 0x0303, 0x0304],
        alpn=b"h2",
        signature_algorithms=[0x8A8A, *numbers(algorithms)],
    )
    assert ja4(made) == (example["ja4"], example["ja4_r"])


@pytest.mark.parametrize(
    ("changes", "head"),
    [
        ({}, "t12i010100"),
        ({"legacy_version": 0x0300}, "ts3i010100"),
        ({"legacy_version": 0x0305}, "t00i010100"),
        ({"versions": [0x0304, 0x7F12]}, "t00i010100"),
        ({"versions": [0x0302, 0x0301]}, "t11i010100"),
        ({"versions": [0x2A2A]}, "t12i010100"),
        ({"extensions": [0, 0x10]}, "t12d010200"),
        ({"ciphers": range(0x2000, 0x2064)}, "t12i990100"),
        ({"alpn": b"x"}, "t12i0101xx"),
        ({"alpn": b"http/1.1"}, "t12i0101h1"),
        ({"alpn": b"\xab"}, "t12i0101ab"),
        ({"alpn": b"0\xab"}, "t12i01013b"),
        ({"alpn": b"0\xab\xcd1"}, "t12i010101"),
        ({"alpn": b""}, "t12i010100"),
    ],
)
def test_the_first_part_follows_the_rules(changes: dict[str, Any], head: str) -> None:
    assert ja4(offer(**changes))[0].split("_")[0] == head


def test_empty_lists_are_zeros() -> None:
    assert ja4(offer(ciphers=[0x0A0A], extensions=[], signature_algorithms=[]))[0] == (
        "t12i000000_000000000000_000000000000"
    )


def test_grease_has_two_octets_alike() -> None:
    assert [value for value in range(0x10000) if grease(value)] == [
        octet << 8 | octet for octet in range(0x0A, 0x100, 16)
    ]
