"""GB/T 32960 of the simulated cloud: nothing is lost on the way, however the stream is cut and whatever comes."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from busgate_sim.cloud.gb32960 import Command, Edition, Packet, Packets, decode, encode, moment
from busgate_sim.cloud.gb32960_bodies import read_body
from busgate_sim.cloud.gb32960_commands import upgrade_fields
from busgate_sim.cloud.gb32960_fields import ABNORMAL, Number
from busgate_sim.cloud.gb32960_report import LAYOUTS
from busgate_sim.cloud.octets import Octets, Refused

EDITIONS = st.sampled_from(Edition)
COMMANDS = st.sampled_from(Command) | st.integers(0, 255)
DATA = st.binary(max_size=120) | st.lists(
    st.sampled_from([*range(1, 10), 0x23, 0x24, 0x80, 0xFE, 0xFF]), max_size=60
).map(bytes)
PACKETS = st.builds(
    Packet,
    command=COMMANDS,
    vin=st.text("ABC#$019", max_size=17),
    data=DATA,
    response=st.sampled_from([1, 2, 0xFE]) | st.integers(0, 255),
    edition=EDITIONS,
    encryption=st.sampled_from([1, 1, 1, 3]),
)


@given(PACKETS)
def test_a_packet_is_what_it_was_sent_as(packet: Packet) -> None:
    assert decode(encode(packet)) == packet


@given(
    st.lists(PACKETS.map(encode) | st.binary(max_size=40), max_size=5).map(b"".join),
    st.lists(st.integers(0, 2000), max_size=8),
)
def test_how_the_stream_is_cut_does_not_matter(stream: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    whole, cut = Packets(), Packets()
    chunks = [stream[start:end] for start, end in pairwise(places)]
    assert [found for chunk in chunks for found in cut.feed(chunk)] == whole.feed(stream)


@given(PACKETS)
def test_any_data_is_a_body_that_is_written_back_or_refused(packet: Packet) -> None:
    body = read_body(packet)
    if isinstance(body, Refused):
        assert body.reason
        return
    assert body.write(packet.edition) == packet.data


@given(st.binary(max_size=100))
def test_any_octets_are_a_packet_an_upgrade_and_a_time_or_not(data: bytes) -> None:
    assert isinstance(decode(data), Packet | Refused)
    assert isinstance(upgrade_fields(data), dict | Refused)
    assert moment(data) is None or len(data) == 6


@given(EDITIONS, st.data())
def test_a_number_that_fits_comes_back_and_any_other_is_abnormal(edition: Edition, data: st.DataObject) -> None:
    layout = data.draw(st.sampled_from([layout for layout in LAYOUTS[edition].values() if layout.name != "custom"]))
    numbers = [field for field in layout.fields if isinstance(field, Number)]
    number = data.draw(st.sampled_from(numbers))
    value = data.draw(st.integers(-(10**7), 10**10))
    wire = value * number.divisor + number.bias
    back = number.read(Octets(number.write(value)))
    assert back == (value if 0 <= wire < (1 << 8 * number.width) - 2 else ABNORMAL)
