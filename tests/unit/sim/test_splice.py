"""What crosses between the T-box's wire and the vehicle's."""

from __future__ import annotations

from busgate.model import EXTENDED, Frame, Side
from busgate_sim.encoder import Sent
from busgate_sim.splice import LATENCY_NS, Open, Splice
from busgate_sim.wire import Wire, duration
from busgate_sim.world import SECOND, World


class OnlyTelemetry:
    """A crossing that lets nothing of the T-box pass."""

    def __init__(self) -> None:
        self.asked: list[Frame] = []

    def crosses(self, frame: Frame) -> bool:
        self.asked.append(frame)
        return frame.side is Side.VEHICLE


def test_a_plain_joint_carries_both_ways_unchanged_and_once() -> None:
    world = World()
    tbox, vehicle = Wire(world, "can1"), Wire(world, "can0")
    Splice(world, tbox, vehicle, Open())
    at_tbox, at_vehicle = list[Sent](), list[Sent]()
    unit, ecu = tbox.attach("T-box", at_tbox.append), vehicle.attach("VCU", at_vehicle.append)
    command, status = Sent(EXTENDED | 0x18EF274A, b"\x01\x02"), Sent(0x123, bytes(8))
    unit.send(command)
    world.run(SECOND)
    ecu.send(status)
    world.run(2 * SECOND)
    assert (at_vehicle, at_tbox) == ([command], [status])


def test_what_does_not_cross_is_counted_by_side() -> None:
    world, crossing = World(), OnlyTelemetry()
    tbox, vehicle = Wire(world, "can1"), Wire(world, "can0")
    splice = Splice(world, tbox, vehicle, crossing)
    heard = list[Sent]()
    unit, ecu = tbox.attach("T-box", heard.append), vehicle.attach("VCU", heard.append)
    unit.send(Sent(0x500, b""))
    ecu.send(Sent(0x100, b""))
    world.run(SECOND)
    assert heard == [Sent(0x100, b"")]
    assert splice.crossed == {Side.TBOX: 0, Side.VEHICLE: 1}
    assert splice.stopped == {Side.TBOX: 1, Side.VEHICLE: 0}
    assert {(frame.side, frame.can_id) for frame in crossing.asked} == {(Side.TBOX, 0x500), (Side.VEHICLE, 0x100)}


def test_crossing_takes_the_time_of_both_wires_and_the_gate() -> None:
    world, seen = World(), list[int]()
    tbox, vehicle = Wire(world, "can1"), Wire(world, "can0")
    Splice(world, tbox, vehicle, Open())
    vehicle.attach("VCU", lambda _: seen.append(world.now))
    sent = Sent(0x500, bytes(8))
    tbox.attach("T-box", lambda _: None).send(sent)
    world.run(SECOND)
    assert seen == [2 * duration(sent) + LATENCY_NS]
