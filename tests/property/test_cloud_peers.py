"""The simulated platform and T-box take any bytes from each other, and understand each other in any chunks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from busgate_sim.cloud.gb32960 import Edition as Edition32960
from busgate_sim.cloud.gb32960 import Packet
from busgate_sim.cloud.gb32960 import encode as encode_packet
from busgate_sim.cloud.jt808 import Edition as Edition808
from busgate_sim.cloud.jt808 import Message, encode
from busgate_sim.cloud.jt808_bodies import BODIES
from busgate_sim.cloud.platform import Platform
from busgate_sim.tbox_firmware.cloud_command import CloudCommand, understand_sms
from busgate_sim.tbox_firmware.speech import Heard, Standing
from support.cloud_bench import START, Bench, speaker

EDITIONS = st.sampled_from([*Edition808, *Edition32960])
FRAMES = st.builds(
    Message,
    number=st.sampled_from(sorted(BODIES)) | st.integers(0, 0xFFFF),
    phone=st.just("018000032600"),
    serial=st.integers(0, 0xFFFF),
    body=st.binary(max_size=40),
    edition=st.sampled_from(Edition808),
).map(encode)
PACKETS = st.builds(
    Packet,
    command=st.sampled_from([1, 2, 3, 4, 7, 8, 0x80, 0x81, 0x82]) | st.integers(0, 255),
    vin=st.just("SYNTHETICBUS00421"),
    data=st.binary(max_size=40),
    response=st.sampled_from([1, 2, 0xFE]) | st.integers(0, 255),
    edition=st.sampled_from(Edition32960),
).map(encode_packet)
STREAMS = st.lists(FRAMES | PACKETS | st.binary(max_size=20), max_size=6)


@given(STREAMS)
def test_the_platform_takes_anything(stream: list[bytes]) -> None:
    platform = Platform()
    line = platform.line()
    for chunk in stream:
        assert isinstance(line.receive(chunk, START), bytes)


@given(EDITIONS, STREAMS)
def test_the_tbox_takes_anything(edition: Edition808 | Edition32960, stream: list[bytes]) -> None:
    speech = speaker(edition)
    speech.begin(START)
    speech.standing = Standing.DONE
    for chunk in stream:
        heard = speech.heard(chunk, START, {})
        assert isinstance(heard, Heard)
        assert all(command.message_id for command in heard.commands)


@given(st.binary(max_size=60) | FRAMES)
def test_a_short_message_is_some_command(data: bytes) -> None:
    assert isinstance(understand_sms(data), CloudCommand)


@given(EDITIONS, st.integers(1, 300), st.integers(0, 250))
def test_an_order_is_the_same_in_any_chunks(edition: Edition808 | Edition32960, chunk: int, kmh: int) -> None:
    bench = Bench(edition, chunk)
    bench.run(1)
    (command,) = bench.order("speed-limit", kmh=kmh)
    assert (command.kind, command.arguments) == ("drive.limit", {"speed": float(kmh)})
