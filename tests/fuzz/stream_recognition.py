"""Recognition: any bytes of two directions get a known name or none, the same however they were cut."""

from __future__ import annotations

from busgate.decode.recognise import MOST, Recogniser
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
    """The answer is a documented one, stays once given and does not depend on cuts; memory is bounded."""
    whole, pieces = Recogniser(), Recogniser()
    name = whole.feed(data, client=False)
    for octet in data:
        said = pieces.name
        assert pieces.feed(bytes([octet]), client=False) == said or not said
    assert pieces.name == name
    assert name in {"", "shell", *CHECKS}
    assert len(whole._server) <= MOST
