"""The bus between simulated peers: arbitration, timing, full queues, a cut wire."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from busgate.model import BIT_RATE_SWITCH, EXTENDED, FD_FORMAT
from busgate_sim.encoder import Sent
from busgate_sim.wire import Wire, duration
from busgate_sim.world import SECOND, World


def test_everybody_hears_a_frame_but_its_sender() -> None:
    world, heard = World(), list[tuple[str, int]]()
    wire = Wire(world, "can0")

    def hears(name: str) -> Callable[[Sent], None]:
        return lambda sent: heard.append((name, sent.can_id))

    outlets = {name: wire.attach(name, hears(name)) for name in "abc"}
    outlets["b"].send(Sent(0x123, b"\x01"))
    world.run(SECOND)
    assert heard == [("a", 0x123), ("c", 0x123)]
    assert wire.frames == 1


def test_the_lowest_identifier_of_those_that_wait_goes_first() -> None:
    world, order = World(), list[int]()
    wire = Wire(world, "can0")
    wire.watch(lambda _at, sent, _name: order.append(sent.can_id))
    low, high = wire.attach("low", lambda _: None), wire.attach("high", lambda _: None)
    high.send(Sent(0x700, b""))
    high.send(Sent(EXTENDED | 0x100 << 18, b""))
    low.send(Sent(0x100, b""))
    low.send(Sent(0x0FF, b""))
    world.run(SECOND)
    assert order == [0x0FF, 0x100, EXTENDED | 0x100 << 18, 0x700]


def test_one_senders_frames_of_one_identifier_stay_in_order() -> None:
    world, order = World(), list[bytes]()
    wire = Wire(world, "can0")
    wire.watch(lambda _at, sent, _name: order.append(sent.data))
    outlet = wire.attach("a", lambda _: None)
    for number in range(20):
        outlet.send(Sent(0x321, bytes([number])))
    world.run(SECOND)
    assert order == [bytes([number]) for number in range(20)]


# Bits of ISO 11898-1 with a tenth for stuffing; at 500 kbit/s a bit lasts 2 us.
@pytest.mark.parametrize(
    ("sent", "microseconds"),
    [
        (Sent(0x1, bytes(8)), 244),
        (Sent(0x1, b""), 102),
        (Sent(EXTENDED | 1, bytes(8)), 288),
    ],
)
def test_a_frame_holds_the_wire_for_as_long_as_its_bits_last(sent: Sent, microseconds: int) -> None:
    assert duration(sent) == microseconds * 1000


def test_the_data_of_an_fd_frame_is_faster() -> None:
    long = Sent(0x1, bytes(64), FD_FORMAT | BIT_RATE_SWITCH)
    assert duration(Sent(0x1, bytes(8))) < duration(long) < 2 * duration(Sent(0x1, bytes(8)))


def test_a_full_queue_and_a_cut_wire_lose_frames_and_count_them() -> None:
    world, heard = World(), list[Sent]()
    wire = Wire(world, "can0")
    wire.attach("listener", heard.append)
    outlet = wire.attach("babbler", lambda _: None)
    taken = sum(outlet.send(Sent(0x1, b"")) for _ in range(300))
    assert (taken, outlet.lost) == (256, 44)
    world.run(SECOND)
    assert len(heard) == 256
    wire.cut = True
    assert not outlet.send(Sent(0x1, b""))
    world.run(2 * SECOND)
    assert len(heard) == 256
