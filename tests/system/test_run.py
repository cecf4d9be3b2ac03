"""`busgate run` as a process of its own, with nodes of other processes on both its wires."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import can
import pytest

from busgate_sim.encoder import Encoder, Spoken, Values
from support.mosquitto import MISSING, PROGRAM, mosquitto
from support.said import Said
from support.verified import records

pytest.importorskip("msgpack", reason="python-can's udp_multicast needs msgpack, a bus between two processes")

GROUP = "239.74.163.2"
POLICY = Path(__file__).parents[2] / "dbc" / "demo-ebus" / "policy.yaml"
BUSGATE = [sys.executable, "-c", "from busgate.cli import main; main()"]
SOC = [sys.executable, "-c", "from busgate_soc.cli import main; main()"]


def multicast_works() -> bool:
    """Whether this machine carries multicast to itself at all; some containers do not."""
    port = free_port()
    try:
        with (
            bus_on(port) as one,
            bus_on(port) as other,
        ):
            one.send(can.Message(arbitration_id=1))
            heard = other.recv(2)
    except (OSError, can.CanError):
        return False
    return heard is not None


def bus_on(port: int) -> can.BusABC:
    return can.Bus(GROUP, interface="udp_multicast", port=port)


def free_port() -> int:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
        sock.bind(("", 0))
        port: int = sock.getsockname()[1]
        return port


def busgate(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*BUSGATE, *map(str, words)], capture_output=True, text=True, check=False)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Keys and a signed policy, as a technician makes them."""
    for name in ("operator", "bus-0421", "soc"):
        assert busgate("keys", "new", name, "--out", tmp_path / f"{name}.key").returncode == 0
    (tmp_path / "policy.yaml").write_text(POLICY.read_text(encoding="utf-8"), encoding="utf-8")
    done = busgate("policy", "sign", tmp_path / "policy.yaml", "--key", tmp_path / "operator.key")
    assert done.returncode == 0, done.stderr
    return tmp_path


class Running:
    """A gate that runs, and a node on each of its wires."""

    def __init__(self, desk: Path, *more: object) -> None:
        ports = free_port(), free_port()
        self.tbox, self.vehicle = (bus_on(port) for port in ports)
        self.desk = desk
        words = [
            "run", "--tbox", f"udp_multicast:{GROUP}:{ports[0]}", "--vehicle", f"udp_multicast:{GROUP}:{ports[1]}",
            "--profile", "demo-ebus", "--policy", desk / "policy.yaml.signed", "--operator", desk / "operator.key.vkey",
            "--key", desk / "bus-0421.key", "--log", desk / "log", *more,
        ]  # fmt: skip
        self._said = Said()
        self.process = subprocess.Popen([*BUSGATE, *map(str, words)], stderr=self._said.file)
        first = self._said.first(self.process)
        assert first.startswith("busgate: enforce between "), first

    def stop(self, number: int = signal.SIGTERM) -> str:
        self.process.send_signal(number)
        self.process.wait(30)
        return self._said.all()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)
        self.tbox.shutdown()
        self.vehicle.shutdown()


@pytest.fixture
def running(desk: Path) -> Iterator[Running]:
    if not multicast_works():
        pytest.skip("this machine carries no multicast to itself")
    gate = Running(desk)
    yield gate
    gate.close()


ENCODER = Encoder("demo-ebus", ("ebus-j1939.dbc", "ebus-body11.dbc"))


def message(name: str, values: Values) -> can.Message:
    sent = ENCODER.encode(Spoken(name, values))
    extended = sent.can_id > 0x7FF
    return can.Message(arbitration_id=sent.can_id & 0x1FFF_FFFF, is_extended_id=extended, data=sent.data)


def heard(bus: can.BusABC, seconds: float = 1.0) -> list[tuple[int, bytes]]:
    """Everything that comes within some time of the last frame."""
    frames = []
    while (frame := bus.recv(seconds)) is not None:
        frames.append((frame.arbitration_id, bytes(frame.data)))
    return frames


def key(frame: can.Message) -> tuple[int, bytes]:
    return frame.arbitration_id, bytes(frame.data)


BEAT: Values = {"TboxState": "Online", "SignalStrength": -87, "Uptime": 1}
STOP: Values = {"RequestType": "Stop", "TorqueLimit": 0.0, "SpeedLimit": 0}
SPEED: Values = {"WheelBasedVehicleSpeed": 30.0, "ParkingBrakeSwitch": "NotSet"}


def test_frames_cross_by_policy_and_the_log_verifies(running: Running) -> None:
    beat, stop, speed = message("TboxHeartbeat", BEAT), message("TboxDriveCommand", STOP), message("CCVS1", SPEED)
    running.vehicle.send(speed)
    assert key(speed) in heard(running.tbox)
    running.tbox.send(beat)
    running.tbox.send(stop)
    running.tbox.send(can.Message(arbitration_id=0x6A5, is_extended_id=False, data=b"\xde\xad"))
    crossed = heard(running.vehicle)
    assert crossed.count(key(beat)) == 1
    assert {can_id for can_id, _ in crossed} <= {beat.arbitration_id, speed.arbitration_id}
    errors = running.stop()
    assert running.process.returncode == 0, errors
    assert "busgate: stopped; log of" in errors
    told = [
        (row["rule"], row["action"])
        for row in records(running.desk / "log", running.desk / "bus-0421.key.vkey")
        if row["type"] == "alert"
    ]
    assert ("command.drive", "block") in told
    assert ("command.unknown", "block") in told


def test_killed_in_the_middle_it_starts_again_with_its_log_and_replays_nothing(running: Running) -> None:
    running.tbox.send(message("TboxDriveCommand", STOP))
    heard(running.vehicle)
    running.stop(signal.SIGKILL)
    again = Running(running.desk)
    try:
        assert heard(again.vehicle, 1.5) == []
        again.tbox.send(message("TboxHeartbeat", BEAT))
        assert len(heard(again.vehicle)) == 1
        again.stop()
    finally:
        again.close()
    rows = records(running.desk / "log", running.desk / "bus-0421.key.vkey")
    assert [row["type"] for row in rows].count("boot") == 2
    assert [row["seq"] for row in rows] == list(range(len(rows)))
    assert any(row["type"] == "alert" and row["rule"] == "command.drive" for row in rows)


def test_an_unsigned_policy_stops_the_start_and_the_log_says_so(desk: Path) -> None:
    done = busgate(
        "run", "--tbox", "virtual:a", "--vehicle", "virtual:b", "--profile", "demo-ebus",
        "--policy", desk / "policy.yaml", "--operator", desk / "operator.key.vkey",
        "--key", desk / "bus-0421.key", "--log", desk / "log",
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "is not signed. Next: busgate policy sign" in done.stderr
    (refused,) = [row for row in records(desk / "log", desk / "bus-0421.key.vkey") if row["type"] == "policy.refuse"]
    assert "is not signed" in str(refused["reason"])


@pytest.mark.skipif(PROGRAM is None, reason=MISSING)
def test_with_a_witness_it_ends_knowing_that_every_record_was_checked(desk: Path) -> None:
    if not multicast_works():
        pytest.skip("this machine carries no multicast to itself")
    with mosquitto(desk / "broker") as broker:
        words = [
            "watch",
            "--mqtt",
            broker.url,
            "--vkey",
            str(desk / "bus-0421.key.vkey"),
            "--key",
            str(desk / "soc.key"),
        ]
        soc = subprocess.Popen([*SOC, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        gate = Running(desk, "--mqtt", broker.url, "--witness", desk / "soc.key.vkey")
        try:
            gate.tbox.send(message("TboxDriveCommand", STOP))
            heard(gate.vehicle)
            errors = gate.stop()
        finally:
            gate.close()
            soc.send_signal(signal.SIGTERM)
            output, _ = soc.communicate(timeout=30)
    assert "busgate: every record is cosigned by a witness" in errors
    assert "1 alert" in output
