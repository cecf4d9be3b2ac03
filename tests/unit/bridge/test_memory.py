from __future__ import annotations

from busgate.bridge.memory import MemoryPort
from busgate.bridge.port import Port
from busgate.model import Frame, Side

FROM_TBOX = Frame(5, Side.TBOX, 0x123, b"\x01")
FROM_VEHICLE = Frame(7, Side.VEHICLE, 0x124, b"\x02")


def test_units_come_in_the_order_pushed_and_the_clock_follows() -> None:
    port: Port = (memory := MemoryPort([FROM_TBOX], clock=3))
    memory.push(FROM_VEHICLE)
    assert [port.receive(1.0), port.now(), port.receive(1.0), port.now()] == [FROM_TBOX, 5, FROM_VEHICLE, 7]


def test_silence_takes_the_time_it_was_given() -> None:
    port = MemoryPort(clock=1)
    assert port.receive(0.5) is None
    assert port.now() == port.wall() == 500_000_001


def test_a_frame_goes_out_unchanged_on_the_other_wire() -> None:
    port = MemoryPort()
    assert port.forward(FROM_TBOX)
    assert port.forward(FROM_VEHICLE)
    assert port.sent == {Side.VEHICLE: [FROM_TBOX], Side.TBOX: [FROM_VEHICLE]}


def test_a_full_queue_is_a_counted_drop() -> None:
    port = MemoryPort(room=1)
    assert [port.forward(FROM_TBOX), port.forward(FROM_TBOX), port.forward(FROM_VEHICLE)] == [True, False, True]
    assert port.losses() == {"vehicle_transmit_queue_full": 1}


def test_a_tapped_wire_has_no_other_one() -> None:
    port = MemoryPort()
    assert not port.forward(FROM_TBOX._replace(side=Side.TAP))
    assert port.losses() == {"no_other_wire": 1}


def test_closing_forgets_what_waits() -> None:
    port = MemoryPort([FROM_TBOX])
    port.close()
    assert port.receive(0) is None
