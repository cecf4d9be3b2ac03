"""A gate and the keeper of its log as two processes would be: what is kept, what is dropped, what waits for it."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from busgate.bridge.memory import MemoryPort
from busgate.gateway import Gateway
from busgate.model import Action, Event, Frame, Loss, Mode, ModeChange, Outcome, Severity, Side, Unit, Verdict
from busgate.record.store import StoreError
from busgate.service import keeper, load, outbox
from busgate.service.keeper import Keeper
from busgate.service.live import STALE_NS, Line
from busgate.service.outbox import Outbox, connect_to
from busgate.service.outpost import Outpost
from support.logs import alert, open_log


def note(number: int) -> Event:
    return ModeChange(number, Mode.ENFORCE, None, "test", f"number {number}")


def pair() -> tuple[socket.socket, socket.socket]:
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


class Desk:
    """A keeper at work in a thread of its own, where its log is opened too; `rows` when it has ended."""

    def __init__(self, wire: socket.socket) -> None:
        self.rows: list[dict[str, Any]] = []
        self.keeper: Keeper | None = None
        self.full = threading.Event()
        self._wire = wire
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _work(self) -> None:
        log = open_log(None)
        append = log._store.append

        def refuse(batch: Any) -> int:
            if self.full.is_set():
                raise StoreError("the disk is full")
            return append(batch)

        log._store.append = refuse  # type: ignore[method-assign]
        self.keeper = Keeper(log)
        before = len(log.entries(0, 100))
        self.keeper.serve(self._wire, lambda: not self._ended.is_set())
        self.rows = [json.loads(raw) for raw in log.entries(0, 10_000)[before:]]


def test_what_the_gate_tells_is_in_the_log_in_order_and_said_to_be_durable() -> None:
    ours, theirs = pair()
    with ours, theirs, Desk(theirs) as desk:
        box = Outbox(lambda: None, ours)
        numbers = [box.put(note(number)) for number in range(2000)]
        assert box.finish(0, 10.0)
        assert box.durable == numbers[-1] == 2000
        assert box.dropped == 0
        assert desk.keeper
        deadline = time.monotonic() + 30
        while not desk.keeper.ended and time.monotonic() < deadline:
            time.sleep(0.01)
    assert desk.keeper.ended
    told = [row["reason"] for row in desk.rows]
    assert told == [f"number {number}" for number in range(2000)]


def test_without_a_keeper_ordinary_events_are_dropped_and_counted_urgent_ones_never(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outbox, "ORDINARY_MOST", 10)
    monkeypatch.setattr(outbox, "URGENT_MOST", 5)
    box = Outbox(lambda: None)
    for number in range(30):
        box.put(note(number))
    for _ in range(5):
        assert not box.full
        box.put(alert(action="block"))
    box.pump(0)
    assert (box.dropped, box.full, box.durable) == (20, True, 0)
    ours, theirs = pair()
    box = _with_keeper(box, ours)
    with ours, theirs, Desk(theirs) as desk:
        assert box.finish(10**10, 10.0)
        assert not box.full
    kinds = [row["type"] for row in desk.rows]
    assert (kinds.count("mode"), kinds.count("alert")) == (10, 5)


def _with_keeper(box: Outbox, wire: socket.socket) -> Outbox:
    box._connect = lambda: wire
    box._retry = 0
    return box


def test_what_a_keeper_that_died_had_not_acknowledged_goes_to_the_next_one() -> None:
    first, dying = pair()
    second, theirs = pair()
    box = Outbox(lambda: second, first)
    for number in range(20):
        box.put(note(number))
    box.pump(0)
    dying.close()
    box.pump(1)
    with second, theirs, Desk(theirs) as desk:
        assert box.finish(10**10, 10.0)
    assert [row["reason"] for row in desk.rows] == [f"number {n}" for n in range(20)]
    first.close()


def test_a_log_that_cannot_be_written_acknowledges_nothing_until_it_can() -> None:
    ours, theirs = pair()
    with ours, theirs, Desk(theirs) as desk:
        while desk.keeper is None:
            time.sleep(0.01)
        desk.full.set()
        box = Outbox(lambda: None, ours)
        box.put(alert(action="block"))
        assert not box.finish(0, 0.5)
        assert desk.keeper.trouble == "the disk is full"
        desk.full.clear()
        assert box.finish(0, 10.0)
    assert [row["type"] for row in desk.rows] == ["alert"]


@pytest.mark.parametrize(
    "text",
    [b"\xff", b"[]", b"{}x", b'{"type":"boot","at":"1","urgent":false,"fields":{}}',
     b'{"type":"mode","at":"1","urgent":false,"fields":{"seq":9}}', b'{"type":"mode","at":"x","urgent":1,"fields":{}}',
     b'{"type":"policy.apply","at":"1","urgent":false,"fields":{}}'],
)  # fmt: skip
def test_a_message_that_is_no_event_of_a_gates_is_counted_and_never_an_entry(text: bytes) -> None:
    ours, theirs = pair()
    with ours, theirs, Desk(theirs) as desk:
        ours.send(text)
        ours.settimeout(10)
        assert int.from_bytes(ours.recv(8), "big") == 1
    (told,) = desk.rows
    assert (told["type"], told["counts"]) == ("drop", {"journal_not_understood": 1})


def test_a_keeper_that_is_away_is_no_fault(tmp_path: Path) -> None:
    assert connect_to(tmp_path / "nobody.sock")() is None


# ---------------------------------------------------------------- what waits for the log

CRITICAL = Frame(0, Side.TBOX, 0x500, bytes(8))
SPEED = Frame(0, Side.VEHICLE, 0x98FEF127, bytes.fromhex("FFFFFFFFFFFFFFFF"))


class Waiting(Outpost):
    """An outpost of which every T-box frame needs a ticket that the test makes durable."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway, Outbox(lambda: None))
        self.safe = 0
        self.tickets = 0

    @property
    def durable(self) -> int:
        return self.safe

    def take(self, unit: Unit) -> Outcome:
        outcome = super().take(unit)
        if unit.side is Side.TBOX:
            self.tickets += 1
            self.ticket = self.tickets
        return outcome


def gateway(mode: Mode = Mode.MONITOR) -> Gateway:
    vehicle = load.vehicle("demo-ebus")
    made = Gateway(vehicle.profile, vehicle.database, mode=mode, wall_offset=None)
    policy = load.policy(vehicle.folder / "policy.yaml", operator=None, unsigned=True).policy
    made.adopt(policy, 0, signed=False)
    return made


def turns(count: int) -> Iterator[bool]:
    yield from [True] * count + [False]


def run(line: Line, count: int) -> None:
    left = turns(count)
    line.run(lambda: next(left))


def test_a_frame_waits_for_its_event_and_what_follows_on_its_id_waits_behind_it() -> None:
    wires = MemoryPort([CRITICAL, CRITICAL._replace(data=b"\x01" * 8), SPEED])
    post = Waiting(gateway())
    line = Line(wires, post)
    run(line, 3)
    assert wires.sent == {Side.TBOX: [SPEED], Side.VEHICLE: []}, "telemetry waits for nothing"
    post.safe = 1
    run(line, 1)
    assert [frame.data for frame in wires.sent[Side.VEHICLE]] == [bytes(8)]
    post.safe = 2
    run(line, 1)
    assert [frame.data for frame in wires.sent[Side.VEHICLE]] == [bytes(8), b"\x01" * 8]


def test_a_frame_whose_event_does_not_become_durable_in_time_is_dropped_and_counted() -> None:
    wires = MemoryPort([CRITICAL])
    post = Waiting(gateway())
    line = Line(wires, post)
    run(line, 1 + STALE_NS // 1_000_000 + 2)
    post.safe = 1
    run(line, 1)
    assert wires.sent[Side.VEHICLE] == []
    assert line._unwritten == 1


@pytest.mark.parametrize(("mode", "crosses"), [(Mode.ENFORCE, []), (Mode.MONITOR, [CRITICAL]), (Mode.OBSERVE, [])])
def test_with_no_room_for_urgent_events_nothing_of_the_t_box_is_judged_or_crosses_but_in_monitor_mode(
    mode: Mode, crosses: list[Frame], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "URGENT_MOST", 0)
    post = Outpost(gateway(mode), Outbox(lambda: None))
    wires = MemoryPort([CRITICAL, SPEED])
    run(Line(wires, post), 2)
    assert wires.sent == {Side.TBOX: [SPEED] if mode is not Mode.OBSERVE else [], Side.VEHICLE: crosses}
    assert post.lost() == {"unjudged": 1}


@pytest.mark.parametrize(("mode", "waits"), [(Mode.ENFORCE, True), (Mode.MONITOR, False)])
def test_only_what_is_enforced_waits_for_the_log(mode: Mode, waits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    made = gateway(mode)
    told = Outcome(Verdict(Action.PASS), forward=True, events=(alert(action="pass", severity=Severity.CRITICAL),))
    monkeypatch.setattr(made, "receive", lambda _: told)
    post = Outpost(made, Outbox(lambda: None))
    post.take(CRITICAL)
    assert bool(post.ticket) is waits
    post.take(SPEED)
    assert post.ticket == 0


def test_a_keeper_whose_gate_has_gone_does_not_wait_for_a_disk_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "_PATIENCE_TURNS", 3)
    ours, theirs = pair()
    log = open_log(None)
    log._store.append = _full  # type: ignore[method-assign,assignment]
    box = Outbox(lambda: None, ours)
    box.put(alert(action="block"))
    box.pump(0)
    ours.close()
    with theirs, pytest.raises(StoreError, match="the disk is full"):
        Keeper(log).serve(theirs, lambda: True)


def _full(_: object) -> int:
    raise StoreError("the disk is full")


def test_losses_of_the_way_to_the_keeper_are_told() -> None:
    post = Outpost(gateway(), Outbox(lambda: None))
    for number in range(outbox.ORDINARY_MOST + 7):
        post.record((Loss(number, {"x": number}),), number)
    assert post.lost() == {"journal": 7}
    began = time.monotonic()
    post.finish(0)
    post.close()
    assert time.monotonic() - began < 2, "nobody is waited for who is not there"
