"""The simulated ISO-TP end: against itself, against a wire that loses frames, and against a stack that others wrote."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import isotp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from busgate_sim.ecu.isotp import Endpoint, joined
from busgate_sim.ecu.isotp_frames import Address, normal_fixed
from busgate_sim.ecu.isotp_transfers import Fault, Settings
from busgate_sim.encoder import Sent
from busgate_sim.wire import Wire
from busgate_sim.world import MILLISECOND, SECOND, World
from support.foreign_isotp import Foreign

TESTER = Address(0x710, 0x718)
FIXED = normal_fixed(0xF9, 0xF3)
EXTENDED_ADDRESS = Address(0x6F1, 0x612, says_byte=0x12, hears_byte=0xF1)


class Desk:
    """Two ends on a wire, and what each received."""

    def __init__(self, address: Address = TESTER, one: Settings | None = None, other: Settings | None = None) -> None:
        self.world = World()
        self.wire = Wire(self.world, "can0")
        self.at_one, self.at_other = list[bytes](), list[bytes]()
        self.one = joined(self.wire, "tester", address, self.at_one.append, settings=one)
        self.other = joined(self.wire, "ecu", address.reversed, self.at_other.append, settings=other)

    def run(self, seconds: float = 60.0) -> None:
        self.world.run(self.world.now + round(seconds * SECOND))


@settings(max_examples=60, deadline=None)
@given(
    payloads=st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=4),
    address=st.sampled_from([TESTER, FIXED, EXTENDED_ADDRESS]),
    block=st.integers(0, 5),
    separation=st.sampled_from([0, 1, 0xF1]),
    width=st.sampled_from([8, 64]),
)
def test_payloads_arrive_whole_once_and_in_order_both_ways_at_once(
    payloads: list[bytes], address: Address, block: int, separation: int, width: int
) -> None:
    habits = Settings(block=block, separation=separation, fd=width > 8, width=width)
    desk = Desk(address, habits, habits)
    for payload in payloads:
        desk.one.send(payload)
        desk.other.send(payload[::-1])
    desk.run()
    assert desk.at_other == payloads
    assert desk.at_one == [payload[::-1] for payload in payloads]
    assert desk.one.idle
    assert not desk.one.faults
    assert not desk.other.faults


@pytest.mark.parametrize("length", [4095, 4096, 5000])
def test_the_longest_payloads(length: int) -> None:
    desk = Desk(other=Settings(most=10_000))
    payload = bytes(number % 251 for number in range(length))
    desk.one.send(payload)
    desk.run()
    assert desk.at_other == [payload]


def test_a_payload_for_which_there_is_no_room_is_refused_with_overflow() -> None:
    desk = Desk(other=Settings(most=100))
    desk.one.send(bytes(101))
    desk.run()
    assert desk.at_other == []
    assert desk.one.faults == {Fault.OVERFLOW: 1}
    assert desk.other.faults == {Fault.OVERFLOW: 1}


def test_silence_ends_a_transfer_at_either_end() -> None:
    desk = Desk()
    lost = Desk()
    desk.one.send(bytes(20))
    desk.other.hear = lambda _: None  # type: ignore[method-assign,assignment]
    desk.run()
    assert desk.one.faults == {Fault.TIMEOUT_BS: 1}
    assert desk.one.idle
    first = Sent(TESTER.says, b"\x10\x14" + bytes(6))
    lost.one.outlet.send(first)
    lost.run()
    assert lost.other.faults == {Fault.TIMEOUT_CR: 1}


def test_a_wrong_number_ends_a_transfer_and_nothing_of_it_is_delivered() -> None:
    desk = Desk()
    for data in (b"\x10\x14" + bytes(6), b"\x21" + bytes(7), b"\x23" + bytes(7)):
        desk.one.outlet.send(Sent(TESTER.says, data))
        desk.run(0.01)
    assert desk.at_other == []
    assert desk.other.faults == {Fault.WRONG_SN: 1}


def test_the_separation_that_the_receiver_asks_for_is_kept() -> None:
    desk = Desk(other=Settings(separation=20))
    times: list[int] = []
    desk.wire.watch(lambda at, sent, _: times.append(at) if sent.data[0] >> 4 == 2 else None)
    desk.one.send(bytes(40))
    desk.run()
    assert len(times) >= 4
    assert all(later - earlier >= 20 * MILLISECOND for earlier, later in pairwise(times))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=8), max_size=40))
def test_no_bytes_raise(frames: list[bytes]) -> None:
    desk = Desk()
    for data in frames:
        desk.other.hear(Sent(TESTER.says, data))
    desk.run(10)


ADDRESSES = {
    "11 bit": (TESTER, lambda: isotp.Address(isotp.AddressingMode.Normal_11bits, txid=0x710, rxid=0x718)),
    "29 bit fixed": (
        FIXED,
        lambda: isotp.Address(isotp.AddressingMode.NormalFixed_29bits, source_address=0xF9, target_address=0xF3),
    ),
    "extended": (
        EXTENDED_ADDRESS,
        lambda: isotp.Address(
            isotp.AddressingMode.Extended_11bits, txid=0x6F1, rxid=0x612, source_address=0xF1, target_address=0x12
        ),
    ),
}


@pytest.mark.parametrize("how", ADDRESSES)
@pytest.mark.parametrize("block", [0, 3])
def test_a_stack_that_others_wrote_exchanges_payloads_with_it(how: str, block: int) -> None:
    ours, theirs = ADDRESSES[how]
    world = World()
    wire = Wire(world, "can0")
    received = list[bytes]()
    end: Endpoint = joined(wire, "ecu", ours.reversed, received.append, settings=Settings(block=block))
    foreign = Foreign(wire, theirs(), blocksize=block)  # type: ignore[no-untyped-call]
    for payload in (b"\x22\xf1\x90", bytes(range(200)), bytes(range(6))):
        foreign.stack.send(payload)
        foreign.until(world, partial(_came, received, payload))
        assert received[-1] == payload
        end.send(payload[::-1])
        foreign.until(world, foreign.stack.available)
        assert bytes(foreign.stack.recv() or b"") == payload[::-1]
    assert not end.faults


def _came(received: list[bytes], payload: bytes) -> bool:
    return bool(received) and received[-1] == payload
