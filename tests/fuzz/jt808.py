"""Bytes against the decoders of JT/T 808 and JT/T 905."""

import json
from dataclasses import dataclass
from pathlib import Path

import rfc8785

from busgate.decode.jt808 import read
from busgate.decode.jt808_parts import Reassembler
from busgate.decode.jt808_stream import MOST_HELD, Framer
from busgate.decode.jt808_text import in_bytes, in_text
from busgate.decode.jt905 import read905
from busgate.model import Span

_VECTORS = Path(__file__).parents[1] / "vectors"


def _vectors(name: str) -> list[bytes]:
    """A frame of each message number."""
    rows = json.loads((_VECTORS / name).read_text(encoding="utf-8"))["frames"]
    return list({row["hex"][2:6]: bytes.fromhex(row["hex"]) for row in rows}.values())


_OWN = tuple(
    bytes.fromhex(seed.replace(" ", ""))
    for seed in (
        "7e8105000101380013800000016 44a7e",
        "7e850040030100000000013800138000000100f0010193 7e",
        "7e8500000101380013800000010132 7e",
        (
            "7e02000026123456789012007d02000000010000000200ba7f0e07e4f11c0028003c0000181015101010010400000064"
            "020200 7d01137e"
        ),
        "7e810300290123456789 0100010200000055040000001e00000013 0d7777772e62616964752e636f6d007e",
        "7e8108203e0123456789010001000300013400000000000000 7e",
        "7e87010010012345678901000182557a820006002003231010108e 7e",
        "7e86000030012345678901000101010000000100030001e0f30001b6b80000007b20072600000020072623235900c81e 007e",
        "e78105000101234567890123000764 4de7",
        "7e85000002108000000316000000011 57e",
        "7e7e7e00e77e7de6023e7e",
    )
)
SEEDS: tuple[bytes, ...] = (*_OWN, *_vectors("jt808.json"), *_vectors("jt905.json"))


@dataclass
class BrokenInvariantError(AssertionError):
    """What the bytes made untrue."""

    what: str


def check(data: bytes) -> None:
    """Spans joined are the bytes fed, however cut; what is held is bounded; fields canonical JSON; nothing raises."""
    for taxi in (False, True):
        whole = _spans([data], taxi=taxi)
        _demand(b"".join(span.raw for span in whole) == data, "the spans are not the bytes")
        at = data[0] if data else 0
        _demand(_spans([data[:at], data[at:]], taxi=taxi) == whole, "the spans depend on the cut")
        if len(data) < 600:
            _demand(_spans([bytes([octet]) for octet in data], taxi=taxi) == whole, "the spans depend on the cuts")
    reassembler = Reassembler(messages=4, octets=10_000)
    for span in _spans([data], taxi=False):
        if span.pdu is not None:
            rfc8785.dumps(dict(span.pdu.fields))
            reassembler.take(span.pdu)
            _demand(reassembler.held <= 10_000, "too much is held of parts")
    for edition in (None, 2011, 2013, 2019):
        pdu = read(data, edition)
        if pdu is not None:
            rfc8785.dumps(dict(pdu.fields))
    taxi_pdu = read905(data)
    if taxi_pdu is not None:
        rfc8785.dumps(dict(taxi_pdu.fields))
    _demand(all(raw in data for raw in in_bytes(data)), "a frame that is not there")
    in_text(data.decode("latin-1"))
    in_text(data.hex())


def _spans(pieces: list[bytes], *, taxi: bool) -> list[Span]:
    framer = Framer(taxi=taxi)
    spans: list[Span] = []
    for piece in pieces:
        spans += framer.feed(piece)
        _demand(framer.held <= MOST_HELD, "too much is held of a stream")
    return spans + framer.close()


def _demand(holds: bool, what: str) -> None:
    if not holds:
        raise BrokenInvariantError(what)
