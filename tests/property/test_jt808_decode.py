"""Whatever the bytes: the decoders of JT/T 808 keep their laws, and read what the simulated platform writes."""

from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from busgate.decode import jt808
from busgate.decode.jt808_frame import checksum
from busgate.decode.jt808_parts import Reassembler
from busgate.decode.jt808_stream import Framer
from busgate_sim.cloud import jt808 as sim
from busgate_sim.cloud.jt808_stream import split
from fuzz.jt808 import SEEDS, check

DIGITS = st.text("0123456789", min_size=12, max_size=12)
_HEARTBEAT = jt808.read(sim.encode(sim.Message(0x0002, "1", 1)))
HEADER = set(_HEARTBEAT.fields if _HEARTBEAT else ())
NUMBERS = st.one_of(st.sampled_from(sorted(jt808.MESSAGES)), st.integers(0, 0xFFFF))
NOISE = st.binary(max_size=60).map(lambda data: data.replace(b"\x7e", b"").replace(b"\xe7", b""))


@st.composite
def messages(draw: st.DrawFn, most: int = 200) -> sim.Message:
    return sim.Message(
        draw(NUMBERS),
        draw(DIGITS),
        draw(st.integers(0, 0xFFFF)),
        draw(st.binary(max_size=most)),
        draw(st.sampled_from(sim.Edition)),
        draw(st.integers(0, 7)),
    )


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Frames, frames cut short, delimiters, escapes and noise, in any order."""
    pieces = st.one_of(
        messages().map(sim.encode),
        messages().map(lambda message: sim.encode(message)[draw(st.integers(0, 1)) : -1]),
        st.sampled_from([b"\x7e", b"\x7e\x7e", b"\xe7", b"\x7d", b"\x7d\x05", b"\xe6", *SEEDS]),
        st.binary(max_size=60),
    )
    return b"".join(draw(st.lists(pieces, max_size=6)))


@given(streams())
@settings(max_examples=150, deadline=None)
def test_the_laws_of_every_stream(data: bytes) -> None:
    check(data)


@given(st.sampled_from(sorted(jt808.MESSAGES)), st.binary(max_size=120), st.sampled_from([None, 2011, 2013, 2019]))
@settings(max_examples=600, deadline=None)
def test_any_octets_as_the_body_of_any_message(number: int, body: bytes, edition: int | None) -> None:
    pdu = jt808.read(sim.encode(sim.Message(number, "1", 1, body, sim.Edition.Y2013)), edition)
    assert pdu is not None
    assert pdu.name == jt808.MESSAGES[number].name
    assert pdu.fields["body_hex"] == body.hex()
    assert (pdu.body is not None) or pdu.flaws
    assert not HEADER & set(jt808.MESSAGES[number].read(body, edition or 2019, edition is not None).fields)


@given(messages(1023))
@settings(deadline=None)
def test_what_the_platform_writes_is_what_is_read(message: sim.Message) -> None:
    pdu = jt808.read(sim.encode(message), message.edition)
    assert pdu is not None
    newest = message.edition is sim.Edition.Y2019
    assert pdu.code == message.number
    assert pdu.fields["phone"] == message.phone.zfill(20 if newest else 12)
    assert (pdu.fields["serial"], pdu.fields["encryption"]) == (message.serial, message.encryption)
    assert pdu.fields["body_hex"] == message.body.hex()
    assert not any("header" in flaw or "checksum" in flaw for flaw in pdu.flaws)


@given(st.lists(st.tuples(messages(), NOISE), max_size=5), st.integers(1, 50))
@settings(deadline=None)
def test_every_frame_between_noise_is_found(parts: list[tuple[sim.Message, bytes]], size: int) -> None:
    raws = [sim.encode(message) for message, _ in parts]
    data = b"".join(raw + noise for raw, (_, noise) in zip(raws, parts, strict=True))
    framer = Framer()
    spans = [span for at in range(0, len(data), size) for span in framer.feed(data[at : at + size])] + framer.close()
    found = [span.raw for span in spans if span.pdu is not None]
    assert [raw for raw in found if raw in raws] == raws


@given(messages(1023), st.integers(1, 400), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_parts_in_any_order_give_the_body(message: sim.Message, most: int, chance: Random) -> None:
    body = message.body.ljust(2, b"\0")
    cut = split(replace(message, body=body), min(most, len(body) // 2))
    pdus = [pdu for part in cut if (pdu := jt808.read(sim.encode(part))) is not None]
    chance.shuffle(pdus)
    reassembler = Reassembler()
    wholes = [whole for pdu in pdus if (whole := reassembler.take(pdu)) is not None]
    assert [whole.fields["body_hex"] for whole in wholes] == [body.hex()]


@given(st.binary(max_size=40), st.integers(0, 255))
def test_the_checksum_is_told_right_or_wrong(body: bytes, change: int) -> None:
    plain = bytes.fromhex("8900") + len(body).to_bytes(2) + bytes.fromhex("0123456789010001") + body
    content = plain + bytes([checksum(plain) ^ change])
    content = content.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02")
    pdu = jt808.read(b"\x7e" + content + b"\x7e")
    assert pdu is not None
    assert any(flaw.startswith("checksum") for flaw in pdu.flaws) is bool(change)


@given(st.lists(st.sampled_from(SEEDS), max_size=4).map(b"".join))
@settings(deadline=None)
def test_the_seeds_keep_the_laws(data: bytes) -> None:
    check(data)
