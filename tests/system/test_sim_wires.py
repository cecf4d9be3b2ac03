"""`busgate-sim run` as a process of its own, on wires that this process shares with it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import can
import pytest

from busgate_sim.encoder import Encoder, Spoken

pytest.importorskip("msgpack", reason="python-can's udp_multicast needs msgpack, a bus between two processes")

SIM = [sys.executable, "-u", "-c", "from busgate_trial.cli import main; main()"]
GROUP = "239.74.163.2"
SPEED_CAN_ID = 0x18FEF127
LIBRARY = Path(__file__).parents[2] / "firmware-sim" / "scenarios" / "library"
STOP = Encoder("demo-ebus", ("ebus-j1939.dbc", "ebus-body11.dbc")).encode(
    Spoken("TboxDriveCommand", {"RequestType": "Stop", "TorqueLimit": 0.0, "SpeedLimit": 0})
)


def free_ports() -> tuple[int, int]:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        one.bind(("", 0))
        other.bind(("", 0))
        return one.getsockname()[1], other.getsockname()[1]


class Played:
    """A simulated bus that runs, and a node of ours on each of its wires."""

    def __init__(self, *more: str) -> None:
        ports = free_ports()
        self.tbox, self.vehicle = (can.Bus(GROUP, interface="udp_multicast", port=port) for port in ports)
        wire = ",".join(f"udp_multicast:{GROUP}:{port}" for port in ports)
        words = ["run", str(LIBRARY / "service-driving.yaml"), "--wire", wire, *more]
        self.process = subprocess.Popen([*SIM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate(timeout=30)
        self.tbox.shutdown()
        self.vehicle.shutdown()


def first(bus: can.BusABC, can_id: int, seconds: float = 30.0) -> can.Message | None:
    """The next frame of this identifier, if one comes in time."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        message = bus.recv(left)
        if message is not None and message.arbitration_id == can_id:
            return message
    return None


@pytest.fixture
def outside() -> Iterator[Played]:
    played = Played("--gate-outside")
    try:
        if first(played.vehicle, SPEED_CAN_ID) is None:
            if played.process.poll() is not None:
                pytest.fail(played.process.communicate(timeout=30)[1])
            pytest.skip("this machine carries no multicast between processes")
        yield played
    finally:
        played.close()


def kmh(message: can.Message) -> float:
    """CCVS1's wheel-based speed (SAE J1939-71, SPN 84): bytes 2 and 3, 1/256 km/h a bit."""
    return int.from_bytes(message.data[1:3], "little") / 256


def test_a_command_that_comes_from_outside_is_obeyed_and_not_said_again(outside: Played) -> None:
    before = first(outside.vehicle, SPEED_CAN_ID)
    assert before is not None
    assert kmh(before) > 10
    outside.vehicle.send(
        can.Message(arbitration_id=STOP.can_id & 0x1FFF_FFFF, is_extended_id=STOP.can_id > 0x7FF, data=STOP.data)
    )
    again = 0
    standing = time.monotonic() + 30
    while time.monotonic() < standing:
        message = outside.vehicle.recv(1.0)
        if message is None:
            continue
        # Our own node hears itself once on this interface; the simulator must not add a second.
        again += message.arbitration_id == STOP.can_id & 0x1FFF_FFFF and bytes(message.data) == STOP.data
        if message.arbitration_id == SPEED_CAN_ID and kmh(message) < 1:
            break
    else:
        pytest.fail("the bus did not come to rest within 30 s of the stop")
    assert again <= 1


def test_an_interrupt_ends_it_without_a_word(outside: Played) -> None:
    outside.process.send_signal(signal.SIGINT)
    _, errors = outside.process.communicate(timeout=30)
    assert (outside.process.returncode, errors.strip()) == (130, "")
