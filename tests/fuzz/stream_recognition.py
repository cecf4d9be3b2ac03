"""Recognition: any bytes of two directions get a known name or none, which more bytes do not change."""

from __future__ import annotations

from busgate.decode.recognise import MOST, recognise
from busgate.decode.recognise_marks import CHECKS
from fuzz import dns_messages, http_messages, mqtt_packets, shell_streams, tls_records

SEEDS: tuple[bytes, ...] = (
    *mqtt_packets.SEEDS,
    *http_messages.SEEDS,
    *tls_records.SEEDS,
    *dns_messages.SEEDS,
    *shell_streams.SEEDS,
    bytes.fromhex("7e0002000001234567890100077e"),
    b"##\x02\x01LSVAU2180N2183294\x01\0\1\0\0",
    bytes.fromhex("02fd000500000007"),
)


def check(data: bytes) -> None:
    """The answer is a documented one, and what is said of a beginning is said of it with more behind."""
    begun = data[:MOST]
    name = recognise(b"", begun)
    assert name in {"", "shell", *CHECKS}
    said = ""
    for end in range(len(begun) + 1):
        now = recognise(b"", begun[:end])
        assert now == said or not said
        said = now
    assert said == name
