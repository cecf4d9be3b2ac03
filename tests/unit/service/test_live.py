"""The live line: what crosses, what is dropped and counted, and what a log that cannot be written does to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import pytest

from busgate.gateway import Gateway
from busgate.model import ERROR, Event, Frame, Loss, Mode, Side
from busgate.record.log import Log
from busgate.record.store import StoreError
from busgate.service import load
from busgate.service.live import LOSSES_EVERY_NS, STALE_NS, Line
from busgate.service.station import Station
from support.logs import open_log

SPEED = Frame(0, Side.VEHICLE, 0x98FEF127, bytes.fromhex("FFFFFFFFFFFFFFFF"))
HEARTBEAT = Frame(0, Side.TBOX, 0x500, bytes(8))
UNKNOWN = Frame(0, Side.TBOX, 0x3A5, bytes(8))


class Wires:
    """A port whose time and frames are the test's; `taken` is how long a frame waited before it was received."""

    def __init__(self, *frames: Frame | None, taken: int = 0) -> None:
        self.clock = 1_000_000_000
        self.sent: list[Frame] = []
        self.lost: dict[str, int] = {}
        self._frames = list(frames)
        self._taken = taken

    def going(self) -> bool:
        return bool(self._frames)

    def receive(self, timeout: float) -> Frame | None:
        frame = self._frames.pop(0)
        if frame is None:
            self.clock += round(timeout * 1e9)
            return None
        received = frame._replace(at=self.clock)
        self.clock += self._taken
        return received

    def forward(self, frame: Frame) -> bool:
        self.sent.append(frame)
        return True

    def now(self) -> int:
        return self.clock

    def wall(self) -> int:
        return self.clock

    def losses(self) -> Mapping[str, int]:
        return self.lost

    def close(self) -> None:
        pass


@cache
def demo_bus() -> load.Vehicle:
    return load.vehicle("demo-ebus")


class Desk:
    """A line over `wires`, with a gate of the demo bus and a log in memory."""

    def __init__(self, wires: Wires, *, log: Log | None = None, mode: Mode = Mode.ENFORCE) -> None:
        vehicle = demo_bus()
        self.gateway = Gateway(vehicle.profile, vehicle.database, mode=mode, wall_offset=None)
        policy = load.policy(vehicle.folder / "policy.yaml", operator=None, unsigned=True).policy
        self.gateway.adopt(policy, 0, signed=False)
        self.log = log or open_log(None)
        self.station = Station(self.gateway, self.log)
        self.events: list[Event] = []
        self.station.listeners.append(lambda _, event: self.events.append(event))
        self.wires = wires
        self.line = Line(wires, self.station)

    def run(self) -> None:
        self.line.run(self.wires.going)

    @property
    def losses(self) -> list[Mapping[str, int]]:
        return [event.counts for event in self.events if isinstance(event, Loss)]


def sent(frames: list[Frame]) -> list[tuple[Side, int, bytes]]:
    return [(frame.side, frame.can_id, frame.data) for frame in frames]


def test_frames_cross_once_by_their_verdict() -> None:
    desk = Desk(Wires(HEARTBEAT, SPEED, UNKNOWN, None, HEARTBEAT))
    desk.run()
    assert sent(desk.wires.sent) == sent([HEARTBEAT, SPEED, HEARTBEAT])


def test_an_error_frame_is_never_forwarded() -> None:
    desk = Desk(Wires(HEARTBEAT._replace(can_id=ERROR), SPEED._replace(can_id=ERROR | 4)), mode=Mode.MONITOR)
    desk.run()
    assert desk.wires.sent == []


@pytest.mark.parametrize(("age", "crosses"), [(STALE_NS, True), (STALE_NS + 1, False)])
def test_a_frame_older_than_the_limit_is_dropped_and_counted(age: int, crosses: bool) -> None:
    desk = Desk(Wires(SPEED, taken=age))
    desk.run()
    assert bool(desk.wires.sent) is crosses
    assert desk.losses == ([] if crosses else [{"stale": 1}])


def test_what_the_wires_lost_is_written_down_when_it_has_grown() -> None:
    wires = Wires(*[None] * (3 * LOSSES_EVERY_NS // 100_000_000))
    wires.lost = {"tbox_not_sent": 7}
    desk = Desk(wires)
    desk.run()
    assert desk.losses == [{"tbox_not_sent": 7}]


def test_the_end_signs_everything() -> None:
    desk = Desk(Wires(UNKNOWN))
    desk.run()
    assert desk.log.size == len(desk.log.entries(0, 1000)) >= 4


def failing(log: Log, until: Callable[[], bool]) -> None:
    """Make the log's disk full while `until` is not true."""
    append = log._store.append

    def refuse(batch: object) -> int:
        if not until():
            raise StoreError("the disk is full")
        return append(batch)  # type: ignore[arg-type]

    log._store.append = refuse  # type: ignore[method-assign]


def test_while_the_log_cannot_be_written_telemetry_flows_and_what_must_be_logged_first_does_not_cross() -> None:
    wires = Wires(UNKNOWN, HEARTBEAT, SPEED, None, None, None, UNKNOWN, HEARTBEAT, SPEED, None, None, None, None)
    desk = Desk(wires)
    failing(desk.log, lambda: len(wires._frames) < 2)
    troubles: list[str] = []

    def going() -> bool:
        troubles.append(desk.line.trouble)
        return wires.going()

    desk.line.run(going)
    assert UNKNOWN.can_id not in {frame.can_id for frame in wires.sent}
    assert sent(wires.sent).count(sent([SPEED])[0]) == 2
    assert "the disk is full" in troubles
    assert desk.line.trouble == ""
    assert desk.losses[-1]["log"] >= 1


def test_a_log_that_cannot_be_written_at_the_end_is_an_error(tmp_path: Path) -> None:
    wires = Wires(UNKNOWN)
    desk = Desk(wires, log=open_log(tmp_path / "log"))
    failing(desk.log, lambda: False)
    with pytest.raises(StoreError):
        desk.run()
