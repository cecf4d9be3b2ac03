"""NTP packets of scapy and dpkt, and what they say of the time."""

import dpkt
import pytest
from scapy.layers.ntp import NTPHeader

from busgate.decode.ntp import Packet, offset_ns, read
from busgate.model import Direction

NS = 1_000_000_000
UNIX_2026 = 1_795_000_000
TO_1900 = 2_208_988_800


def stamp(seconds: float) -> bytes:
    return int((seconds + TO_1900) * (1 << 32)).to_bytes(9)[1:]


def answer(origin: float, received: float, sent: float, *, stratum: int = 1, reference: bytes = b"GPS\0") -> bytes:
    head = bytes([0x24, stratum, 6, 0xE9]) + (0x8000).to_bytes(4) + (0x4000).to_bytes(4) + reference
    return head + stamp(origin - 5) + stamp(origin) + stamp(received) + stamp(sent)


def packet(raw: bytes) -> Packet:
    found = read(raw)
    assert found is not None
    assert isinstance(found.body, Packet)
    return found.body


def test_a_request_of_scapy_is_read() -> None:
    found = read(bytes(NTPHeader(version=4, mode=3, sent=UNIX_2026 + TO_1900)))
    assert found is not None
    assert (found.name, found.direction, found.fields["version"]) == ("client", Direction.UP, 4)
    assert found.fields["transmit_time"] == UNIX_2026 * NS


def test_what_dpkt_packs_is_what_is_read() -> None:
    made = dpkt.ntp.NTP(v=3, mode=4, li=0, stratum=2, interval=6, precision=0xE9, id=bytes([192, 0, 2, 1]))
    made.update_time, made.originate_time = stamp(UNIX_2026), stamp(UNIX_2026 + 1)
    made.receive_time, made.transmit_time = stamp(UNIX_2026 + 2), stamp(UNIX_2026 + 3)
    found = packet(bytes(made))
    assert (found.version, found.mode, found.stratum, found.reference_id) == (3, "server", 2, "192.0.2.1")
    assert (found.poll, found.precision) == (6, -23)
    assert found.transmit_time == (UNIX_2026 + 3) * NS


def test_an_answer_says_by_how_much_a_clock_would_be_moved() -> None:
    found = packet(answer(UNIX_2026, UNIX_2026 + 10.5, UNIX_2026 + 10.75))
    assert (found.reference_id, found.root_delay, found.root_dispersion) == ("GPS", 0.5, 0.25)
    assert offset_ns(found, UNIX_2026 * NS + NS // 4) == 10_500_000_000
    told = read(answer(UNIX_2026, UNIX_2026 + 10.5, UNIX_2026 + 10.75))
    assert told is not None
    assert told.fields["receive_minus_origin_s"] == 10.5


def test_an_answer_without_times_moves_nothing() -> None:
    assert offset_ns(packet(bytes([0x24]) + bytes(47)), 0) is None
    assert offset_ns(packet(bytes([0x23]) + bytes(47)), 0) is None


def test_times_after_2036_belong_to_the_next_era() -> None:
    raw = bytes([0x24]) + bytes(39) + (1).to_bytes(4) + bytes(4)
    assert packet(raw).transmit_time == ((1 << 32) + 1 - TO_1900) * NS


def test_a_kiss_of_death_is_told_as_text() -> None:
    assert packet(bytes([0xE4, 0, 0, 0]) + bytes(8) + b"RATE" + bytes(32)).reference_id == "RATE"


@pytest.mark.parametrize(
    ("first", "stratum", "flaw"),
    [(0x04, 1, "version 0 is not in use"), (0x24, 17, "stratum 17 is reserved"), (0x20, 1, "mode 0 is reserved")],
)
def test_what_breaks_a_rule_is_named(first: int, stratum: int, flaw: str) -> None:
    found = read(bytes([first, stratum]) + bytes(46))
    assert found is not None
    assert flaw in found.flaws


def test_control_packets_are_named_and_shorter_ones_are_none() -> None:
    found = read(bytes([0x16, 0x02]) + bytes(10))
    assert found is not None
    assert (found.name, found.fields["opcode"], found.fields["response"]) == ("control", 2, False)
    private = read(bytes([0x17, 0, 3, 42]) + bytes(44))
    assert private is not None
    assert private.fields["request_code"] == 42
    assert read(bytes(47)) is None
