"""The raw wire over a pair of sequenced sockets, which carry the same bytes as a CAN socket does."""

from __future__ import annotations

import errno
import os
import socket
import struct
import time
from collections.abc import Iterator

import pytest

from busgate.bridge import rawcan
from busgate.bridge.port import BridgeError
from busgate.bridge.rawcan import HardwareClock, RawWire
from busgate.bridge.rawport import RawPort
from busgate.model import BIT_RATE_SWITCH, ERROR, EXTENDED, FD_FORMAT, REMOTE, Frame, Side


def can(can_id: int, data: bytes) -> bytes:
    return struct.pack("=IB3x8s", can_id, len(data), data)


class Bench:
    """A port, and the far end of each of its wires."""

    def __init__(self) -> None:
        self.tbox, tbox = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.vehicle, vehicle = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for near in (tbox, vehicle):
            near.setblocking(False)
        for far in (self.tbox, self.vehicle):
            far.settimeout(2)
        self.wires = {
            Side.TBOX: RawWire(Side.TBOX, "no-such-tbox", tbox),
            Side.VEHICLE: RawWire(Side.VEHICLE, "no-such-vehicle", vehicle),
        }
        self.port = RawPort(self.wires.values())


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.port.close()
    made.tbox.close()
    made.vehicle.close()


@pytest.mark.parametrize(
    "frame",
    [
        Frame(0, Side.TBOX, 0x123, b"\x01\x02"),
        Frame(0, Side.TBOX, 0x18FEF100 | EXTENDED, bytes(range(8))),
        Frame(0, Side.VEHICLE, 0x7FF, b""),
        Frame(0, Side.TBOX, 0x123 | REMOTE, bytes(4)),
        Frame(0, Side.VEHICLE, 0x123, bytes(range(64)), FD_FORMAT | BIT_RATE_SWITCH),
    ],
)
def test_a_frame_leaves_as_it_came(bench: Bench, frame: Frame) -> None:
    inward, outward = (bench.tbox, bench.vehicle) if frame.side is Side.TBOX else (bench.vehicle, bench.tbox)
    raw = rawcan._bytes(frame)
    before = time.monotonic_ns()
    inward.send(raw)
    received = bench.port.receive(2)
    assert received is not None
    assert received[1:] == frame[1:]
    assert before <= received.at <= bench.port.now()
    assert bench.port.forward(received)
    assert outward.recv(100) == raw
    assert bench.port.losses() == {}


def test_a_flood_on_one_wire_leaves_the_other_its_turn(bench: Bench) -> None:
    bench.tbox.setblocking(False)
    for number in range(80):
        bench.tbox.send(can(0x100, number.to_bytes(2, "big")))
    bench.vehicle.send(can(0x200, b"\x01"))
    received = [bench.port.receive(0) for _ in range(81)]
    assert [frame.side for frame in received if frame].index(Side.VEHICLE) <= rawcan.BATCH
    numbers = [int.from_bytes(frame.data, "big") for frame in received if frame and frame.side is Side.TBOX]
    assert numbers == list(range(80))
    assert bench.port.receive(0) is None


def test_after_a_wire_failed_what_came_before_is_not_sent_on_it(bench: Bench) -> None:
    wire = bench.wires[Side.VEHICLE]
    frames = [Frame(time.monotonic_ns(), Side.TBOX, 0x100, bytes(8)) for _ in range(5000)]
    taken = [wire.send(frame) for frame in frames]
    full = taken.index(False)
    assert full > 0
    assert not any(taken[full:]), "the backlog waits for nothing"
    assert wire.lost == {"transmit_queue_full": 1, "backlog_dropped": len(frames) - full - 1}
    while taken.pop():
        bench.vehicle.recv(100)
        if not taken or not taken[-1]:
            break
    for _ in range(full):
        bench.vehicle.settimeout(0.05)
        try:
            bench.vehicle.recv(100)
        except TimeoutError:
            break
    assert not wire.send(frames[-1]), "it came before the failure"
    assert wire.send(Frame(time.monotonic_ns(), Side.TBOX, 0x100, bytes(8)))


def test_bus_off_is_counted_and_drops_the_backlog(bench: Bench) -> None:
    waiting = Frame(time.monotonic_ns(), Side.TBOX, 0x100, bytes(8))
    time.sleep(0.01)
    for code in (0x040, 0x004, 0x100):
        bench.vehicle.send(can(ERROR | code, bytes(8)))
    for _ in range(3):
        assert bench.port.receive(0) is None, "the controller's words are nobody's frames"
    assert bench.port.losses() == {
        "vehicle_error_frames": 3,
        "vehicle_bus_off": 1,
        "vehicle_controller_problems": 1,
        "vehicle_restarted": 1,
    }
    assert not bench.port.forward(waiting)


def test_when_the_forwarder_changes_what_came_before_is_not_sent_a_second_time(bench: Bench) -> None:
    before = Frame(time.monotonic_ns(), Side.TBOX, 0x100, bytes(8))
    bench.port.forget()
    assert not bench.port.forward(before)
    assert bench.port.forward(before._replace(at=time.monotonic_ns()))
    assert bench.port.forward(before._replace(side=Side.VEHICLE)), "telemetry has one forwarder all along"


def test_bytes_that_are_no_frame_are_counted(bench: Bench) -> None:
    bench.tbox.send(b"\x01\x02\x03")
    assert bench.port.receive(0) is None
    assert bench.port.losses() == {"tbox_not_understood": 1}


class Gone:
    """A socket whose interface was removed."""

    def __init__(self, number: int) -> None:
        self._fault = OSError(number, "gone")

    def recvmsg(self, *_: int) -> None:
        raise self._fault

    def send(self, _: bytes) -> None:
        raise self._fault

    def close(self) -> None:
        pass


def test_an_interface_that_goes_away_is_opened_again_when_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = RawWire(Side.TBOX, "can9", Gone(errno.ENODEV))  # type: ignore[arg-type]
    assert wire.read(0) == []
    assert (wire.socket, wire.lost["interface_gone"]) == (None, 1)
    frame = Frame(time.monotonic_ns(), Side.VEHICLE, 1, b"")
    assert not wire.send(frame)
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def missing(_: str, *, echoed: bool) -> socket.socket:
        raise OSError(errno.ENODEV, f"echoed {echoed}")

    def there(_: str, *, echoed: bool) -> socket.socket:
        assert echoed
        return near

    monkeypatch.setattr(rawcan, "_opened", missing)
    assert not wire.again()
    monkeypatch.setattr(rawcan, "_opened", there)
    assert not wire.again(), "it is tried twice a second"
    wire._retry = 0
    assert wire.again()
    assert wire.returns == 1
    assert wire.send(frame)
    assert far.recv(100)
    near.close()
    far.close()


def test_both_interfaces_come_back_where_one_socket_gets_the_others_number(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    vehicle = bench.wires[Side.VEHICLE].socket
    assert vehicle is not None
    number = vehicle.fileno()
    for wire in bench.wires.values():
        wire.close()
    far: dict[str, socket.socket] = {}

    def opened(name: str, *, echoed: bool) -> socket.socket:
        assert echoed
        far[name], near = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # The T-box's is opened first, and the number of the vehicle's old socket is free.
        if name == "no-such-tbox" and near.fileno() != number:
            assert far[name].fileno() != number
            with near:
                os.dup2(near.fileno(), number)
            near = socket.socket(fileno=number)
        near.setblocking(False)
        return near

    monkeypatch.setattr(rawcan, "_opened", opened)
    assert bench.port.receive(0.01) is None
    assert bench.port.returns == 2
    for side, name in ((Side.TBOX, "no-such-tbox"), (Side.VEHICLE, "no-such-vehicle")):
        far[name].send(can(0x123, b"\x01"))
        received = bench.port.receive(2)
        assert received is not None
        assert received.side is side
        far[name].close()


def test_an_interface_that_is_down_keeps_its_socket() -> None:
    wire = RawWire(Side.TBOX, "can9", Gone(errno.ENETDOWN))  # type: ignore[arg-type]
    wire.read(0)
    assert wire.socket is not None
    assert wire.lost == {"down": 1}


def stamps(software: int, hardware: int = 0) -> list[tuple[int, int, bytes]]:
    times = (*divmod(software, 10**9), 0, 0, *divmod(hardware, 10**9))
    return [(1, 65, struct.pack("=6q", *times)), (1, 40, struct.pack("=I", 7))]


def test_a_frame_is_as_old_as_the_kernel_says_and_its_losses_are_counted(bench: Bench) -> None:
    wire = bench.wires[Side.TBOX]
    assert wire._came(stamps(5_000_000_100), 900, 5_000_000_000) == 100
    assert wire._came(stamps(5_000_001_000), 900, 5_000_000_000) == 900, "never from the future"
    assert wire._came(stamps(5_000_000_300), 900, 5_000_000_000) == 900, "never before the one before it"
    assert wire.lost == {"receive_queue_full": 7}


def test_a_controllers_own_times_take_the_interrupts_waiting_out() -> None:
    clock = HardwareClock()
    assert clock.came(1_000, 0) == 1_000
    assert clock.came(1_000_000, 400_000) == 1_000_000
    late = clock.came(2_300_000, 1_400_000)
    assert 2_000_000 <= late <= 2_002_000, "0.3 ms late in the kernel, on time by the controller"
    assert clock.came(10**9, 0) == 10**9
    assert clock.came(3 * 10**9, 10**9) == 3 * 10**9, "a clock that jumps is believed no more"


def test_a_wire_that_is_missing_is_told_in_one_line() -> None:
    with pytest.raises(BridgeError, match="socketcan:nocan98: this wire cannot be opened") as fault:
        RawPort.open("socketcan:nocan98", "socketcan:nocan99")
    assert "\n" not in str(fault.value)
    with pytest.raises(BridgeError, match="given twice"):
        RawPort.open("socketcan:can0", "socketcan:can0")
