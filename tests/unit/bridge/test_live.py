from __future__ import annotations

import queue
import time
from collections.abc import Iterator

import can
import pytest

from busgate.bridge.live import LivePort
from busgate.bridge.port import BridgeError, Port
from busgate.bridge.wire import Wire
from busgate.model import BIT_RATE_SWITCH, ERROR, EXTENDED, FD_FORMAT, REMOTE, Frame, Side, Unit

Bench = tuple[LivePort, can.BusABC, can.BusABC]


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A port between two virtual wires, and a node on each: the T-box, and the vehicle."""
    name = request.node.name
    with (
        can.Bus(f"{name}-t", interface="virtual") as tbox,
        can.Bus(f"{name}-v", interface="virtual") as vehicle,
        LivePort.open(f"virtual:{name}-t", f"virtual:{name}-v") as port,
    ):
        yield port, tbox, vehicle


def test_frames_of_both_wires_are_received_with_their_side(bench: Bench) -> None:
    port, tbox, vehicle = bench
    before = port.now()
    tbox.send(can.Message(arbitration_id=0x123, is_extended_id=False, data=b"\x01"))
    first = port.receive(5)
    vehicle.send(can.Message(arbitration_id=0x18FEF100, data=b"\x02"))
    second = port.receive(5)
    assert first is not None
    assert second is not None
    assert first[1:] == (Side.TBOX, 0x123, b"\x01", 0)
    assert second[1:] == (Side.VEHICLE, 0x18FEF100 | EXTENDED, b"\x02", 0)
    assert before <= first.at <= second.at <= port.now()


@pytest.mark.parametrize(
    "frame",
    [
        Frame(0, Side.TBOX, 0x123, b"\x01\x02"),
        Frame(0, Side.TBOX, 0x18FEF100 | EXTENDED, bytes(8)),
        Frame(0, Side.TBOX, 0x123 | REMOTE, bytes(4)),
        Frame(0, Side.TBOX, 0x123, bytes(64), FD_FORMAT | BIT_RATE_SWITCH),
        Frame(0, Side.VEHICLE, 0x7FF, b""),
    ],
)
def test_a_frame_leaves_as_it_came(bench: Bench, frame: Frame) -> None:
    port, tbox, vehicle = bench
    out = vehicle if frame.side is Side.TBOX else tbox
    assert port.forward(frame)
    sent = out.recv(5)
    assert sent is not None
    out.send(sent)
    echo = port.receive(5)
    assert echo is not None
    assert (echo.can_id, echo.data, echo.flags) == (frame.can_id, frame.data, frame.flags)
    assert port.losses() == {}


def test_what_the_port_sends_it_does_not_receive(bench: Bench) -> None:
    port, _, vehicle = bench
    port.forward(Frame(0, Side.TBOX, 0x123, b""))
    assert vehicle.recv(5) is not None
    assert port.receive(0.3) is None


def test_echoes_of_a_wire_that_returns_them_are_passed_over_once() -> None:
    received: queue.Queue[Frame] = queue.Queue()
    echoing = can.Bus("echo", interface="virtual", receive_own_messages=True)
    with can.Bus("echo", interface="virtual") as other:
        wire = Wire(Side.VEHICLE, echoing, echoes=True)
        wire.start(received)
        wire.send(Frame(0, Side.TBOX, 0x123, b"\x07"))
        other.send(can.Message(arbitration_id=0x123, is_extended_id=False, data=b"\x07"))
        assert received.get(timeout=5).data == b"\x07"
        assert received.empty()
        wire.close()


def test_error_frames_and_frames_without_another_wire_are_not_sent(bench: Bench) -> None:
    port, _, _ = bench
    assert not port.forward(Frame(0, Side.TBOX, ERROR | 1, bytes(8)))
    assert not port.forward(Frame(0, Side.TAP, 0x123, b""))
    assert port.losses() == {"error_frames_not_sent": 1, "no_other_wire": 1}


def test_a_port_that_may_not_transmit_sends_nothing() -> None:
    with can.Bus("quiet-v", interface="virtual") as vehicle:
        with LivePort.open("virtual:quiet-t", "virtual:quiet-v", transmit=False) as port:
            assert not port.forward(Frame(0, Side.TBOX, 0x123, b""))
        assert vehicle.recv(0) is None


def test_a_tap_listens_to_one_wire() -> None:
    with can.Bus("tapped", interface="virtual") as node, LivePort.open(tap="virtual:tapped") as port:
        node.send(can.Message(arbitration_id=1, is_extended_id=False))
        unit = port.receive(5)
        assert unit is not None
        assert unit.side is Side.TAP


def test_silence_is_none_after_the_timeout(bench: Bench) -> None:
    port: Port = bench[0]
    units: list[Unit | None] = [port.receive(0.01), port.receive(0)]
    assert units == [None, None]


def test_wall_is_unix_time(bench: Bench) -> None:
    assert abs(bench[0].wall() - time.time_ns()) < 10 * 10**9


class Broken(can.BusABC):
    """A bus whose wire is off."""

    def __init__(self) -> None:
        super().__init__("broken")
        self.tried = 0

    def send(self, msg: can.Message, timeout: float | None = None) -> None:  # noqa: ARG002
        raise can.CanOperationError("Transmit buffer full")

    def _recv_internal(self, timeout: float | None) -> tuple[can.Message | None, bool]:  # noqa: ARG002
        self.tried += 1
        raise can.CanOperationError("Network is down")


def test_a_wire_that_fails_is_counted_and_raises_nothing() -> None:
    wires = [Wire(Side.TBOX, can.Bus("fine", interface="virtual")), Wire(Side.VEHICLE, broken := Broken())]
    with LivePort(wires) as port:
        assert not port.forward(Frame(0, Side.TBOX, 0x123, b""))
        while not broken.tried:
            port.receive(0.01)
        assert port.losses() == {"vehicle_not_sent": 1, "vehicle_receive_errors": 1}


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({}, "no wire was given"),
        ({"tbox": "can0"}, "names no wire; write interface:channel"),
        ({"tbox": "virtual:"}, "names no wire"),
        ({"tbox": "nonsense:can0"}, "cannot be opened"),
        ({"tbox": "virtual:same", "vehicle": "virtual:same"}, "given twice"),
        ({"tbox": "virtual:a", "tap": "virtual:b"}, "a tap is one wire alone"),
        ({"tbox": "virtual:a", "vehicle": "socketcan:nocan99"}, "socketcan:nocan99: this wire cannot be opened"),
    ],
)
def test_wires_that_cannot_be_opened_say_why_in_one_line(
    options: dict[str, str], wrong: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BridgeError, match=wrong) as fault:
        LivePort.open(options.get("tbox"), options.get("vehicle"), tap=options.get("tap"))
    assert "\n" not in str(fault.value)
    assert capfd.readouterr().err == ""
