"""The relay's own conduct, on loopback and a clock of the test's: what an inspector may say, and may get wrong."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from busgate.bridge import relay_way
from busgate.bridge.inspector import Admission, End, FlowEvent, Happening, Release
from busgate.bridge.port import BridgeError
from busgate.bridge.relay import Relay
from busgate.bridge.relay_limits import Limits
from busgate.model import Direction, Endpoint, Flow

S = 1_000_000_000
Due = Iterable[tuple[Flow, Direction, Release]]


class Judge:
    """Says what the test has it say; lets everything pass otherwise."""

    def __init__(self) -> None:
        self.admission: Admission = Admission.PASS
        self.answers: Callable[[Direction, bytes], Release] = lambda _, data: Release(data)
        self.deadline: Callable[[], int | None] = lambda: None
        self.says: Callable[[], Due] = lambda: ()
        self.may_go_on: Callable[[int, int], bool] = lambda *_: True
        self.over: list[End] = []
        self.flows: list[Flow] = []

    def opened(self, flow: Flow, now: int) -> Admission:
        del now
        self.flows.append(flow)
        return self.admission

    def chunk(self, flow: Flow, direction: Direction, data: bytes, now: int) -> Release:
        del flow, now
        return self.answers(direction, data)

    def goes_on(self, flow: Flow, up: int, down: int, now: int) -> bool:
        del flow, now
        return self.may_go_on(up, down)

    def due(self, now: int) -> Due:
        del now
        return self.says()

    def next_deadline(self) -> int | None:
        return self.deadline()

    def ended(self, flow: Flow, now: int, why: End) -> None:
        del flow, now
        self.over.append(why)


class Desk:
    """A relay between two ends of the test's, turned by hand."""

    def __init__(self, open_: ExitStack, limits: Limits | None = None) -> None:
        self.open_ = open_
        self.judge, self.now = Judge(), S
        self.events: list[FlowEvent] = []
        self.door = open_.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.gate = socket.create_server(("127.0.0.1", 0))
        self.gate.setblocking(False)
        self.wanted: Endpoint | None = Endpoint(*self.door.getsockname())
        self.relay = Relay(
            [self.gate], "", self.judge, self.events.append, limits, lambda: self.now, lambda _: self.wanted
        )
        open_.callback(self.relay.close)

    def knock(self) -> socket.socket:
        tbox = self.open_.enter_context(socket.create_connection(self.gate.getsockname()))
        self.turn()
        tbox.settimeout(2)
        return tbox

    def pair(self) -> tuple[socket.socket, socket.socket]:
        tbox = self.knock()
        cloud, _ = self.door.accept()
        self.open_.enter_context(cloud)
        cloud.settimeout(2)
        self.turn()
        return tbox, cloud

    def turn(self, times: int = 4) -> None:
        for _ in range(times):
            self.relay.turn(0.005)

    def passed(self, seconds: float) -> None:
        self.now += int(seconds * S)
        self.turn()

    def ends(self) -> list[End | None]:
        return [each.why for each in self.events if each.what is Happening.ENDED]


@pytest.fixture
def desk() -> Iterator[Desk]:
    with ExitStack() as open_:
        yield Desk(open_)


def nothing_comes(sock: socket.socket) -> bool:
    sock.settimeout(0.02)
    try:
        sock.recv(1)
    except TimeoutError:
        return True
    finally:
        sock.settimeout(2)
    return False


def everything(desk: Desk, sock: socket.socket, size: int) -> bytes:
    told = b""
    sock.setblocking(False)
    for _ in range(20_000):
        if len(told) >= size:
            break
        desk.relay.turn(0.001)
        try:
            told += sock.recv(1 << 20)
        except BlockingIOError:
            continue
    return told


def broken(*_: object) -> Release:
    raise OSError(errno.EIO, "the inspector's own disk")


@pytest.mark.parametrize(
    "answer",
    [broken, lambda *_: None, lambda *_: (1, 2), lambda *_: Release("text"), lambda *_: 5],  # type: ignore[arg-type]  # what must not be said
)
def test_an_answer_that_is_none_ends_that_flow_alone(desk: Desk, answer: Callable[..., Release]) -> None:
    tbox, cloud = desk.pair()
    other, others = desk.pair()
    desk.judge.answers = lambda _, data: answer() if data == b"bad" else Release(data)
    cloud.sendall(b"bad")
    desk.turn()
    for each in (tbox, cloud):
        with pytest.raises(ConnectionResetError):
            each.recv(1)
    others.sendall(b"good")
    desk.turn()
    assert other.recv(10) == b"good"
    assert desk.ends() == [End.FAULT] == desk.judge.over
    assert desk.relay.counts.faults == 1


def test_an_inspector_that_cannot_say_what_is_due_is_asked_again_later(desk: Desk) -> None:
    tbox, cloud = desk.pair()
    (flow,) = desk.relay.flows
    asked = []

    def fails() -> Due:
        asked.append(desk.now)
        raise RuntimeError("no idea")

    desk.judge.deadline, desk.judge.says = lambda: desk.now, fails
    desk.turn(10)
    assert len(asked) == 1
    late = [(flow, Direction.DOWN, Release(b"late"))]
    desk.judge.says = lambda: [late.pop()] if late else []
    desk.passed(1.1)
    assert tbox.recv(4) == b"late"
    cloud.sendall(b"alive")
    desk.turn()
    assert tbox.recv(100) == b"alive"
    assert [each.detail for each in desk.events if each.what is Happening.FAULT] == ["RuntimeError: no idea"]


def test_a_deadline_that_cannot_be_told_is_asked_for_once_a_second(desk: Desk) -> None:
    desk.pair()
    asked = []

    def fails() -> int:
        asked.append(desk.now)
        raise RuntimeError

    desk.judge.deadline = fails
    desk.turn(10)
    desk.passed(1.1)
    assert len(asked) == 2
    assert desk.relay.counts.faults == 2


def test_a_deadline_in_the_past_with_nothing_to_say_is_no_reason_to_spin(desk: Desk) -> None:
    asked = []
    desk.pair()
    desk.judge.deadline, desk.judge.says = lambda: 0, lambda: asked.append(1) or ()  # type: ignore[func-returns-value]
    desk.turn(50)
    assert len(asked) == 1


def test_who_only_listens_may_fail(desk: Desk) -> None:
    def deaf(_: FlowEvent) -> None:
        raise RuntimeError

    desk.relay._told._tell = deaf
    tbox, cloud = desk.pair()
    cloud.sendall(b"x")
    desk.turn()
    assert tbox.recv(1) == b"x"
    assert desk.relay.counts.untold == 1


def test_an_inspector_that_fails_at_the_end_is_told_of(desk: Desk) -> None:
    tbox, cloud = desk.pair()
    desk.judge.ended = broken  # type: ignore[method-assign, assignment]
    tbox.close()
    cloud.close()
    desk.turn()
    assert desk.ends() == [End.FINISHED]
    assert desk.relay.flows == ()
    assert desk.relay.counts.faults == 1


def test_what_is_answered_goes_between_what_passes_never_into_it(desk: Desk) -> None:
    tbox, cloud = desk.pair()
    pieces = [bytes([65 + n]) * 500_000 for n in range(20)]
    promised = iter(pieces)

    def answers(direction: Direction, _: bytes) -> Release:
        if direction is Direction.DOWN:
            return Release(b"<", more=promised)
        return Release(b"", back=b"|no|")

    desk.judge.answers = answers
    cloud.sendall(b"start")
    desk.turn()
    tbox.sendall(b"blocked")
    desk.turn()
    wanted = b"<" + b"".join(pieces) + b"|no|"
    assert everything(desk, tbox, len(wanted)) == wanted
    assert nothing_comes(cloud)


def test_a_promise_that_breaks_ends_the_flow(desk: Desk) -> None:
    tbox, cloud = desk.pair()

    def breaks() -> Iterator[bytes]:
        yield b"first"
        raise BridgeError("its SHA-256 differs")

    desk.judge.answers = lambda *_: Release(more=breaks())
    cloud.sendall(b"x")
    desk.turn()
    assert tbox.recv(5) == b"first"
    with pytest.raises(ConnectionResetError):
        tbox.recv(1)
    assert desk.ends() == [End.FAULT]
    assert desk.events[-1].detail == "BridgeError: its SHA-256 differs"


def test_a_paused_direction_is_not_read_before_its_release(desk: Desk) -> None:
    tbox, cloud = desk.pair()
    (flow,) = desk.relay.flows
    seen = []

    def answers(_: Direction, data: bytes) -> Release:
        seen.append(data)
        return Release(pause=True, hold_until=desk.now + S) if data == b"one" else Release(data)

    desk.judge.answers = answers
    cloud.sendall(b"one")
    desk.turn()
    cloud.sendall(b"two")
    cloud.shutdown(socket.SHUT_WR)
    desk.passed(7201)
    assert seen == [b"one"]
    assert nothing_comes(tbox)
    tbox.sendall(b"up")
    desk.turn()
    assert cloud.recv(10) == b"up"
    desk.judge.deadline = lambda: desk.now
    desk.judge.says = lambda: [(flow, Direction.DOWN, Release(b"one"))] if len(seen) < 3 else []
    desk.turn()
    assert tbox.recv(10, socket.MSG_WAITALL)[:6] == b"onetwo"
    assert desk.ends() == []


def test_an_end_behind_what_is_held_waits_for_it(desk: Desk) -> None:
    tbox, cloud = desk.pair()
    (flow,) = desk.relay.flows
    desk.judge.answers = lambda *_: Release(hold_until=desk.now + S)
    cloud.sendall(b"one")
    cloud.shutdown(socket.SHUT_WR)
    desk.turn()
    assert nothing_comes(tbox)
    desk.relay._flows[flow].release(Direction.DOWN, Release(b"one"), desk.now)
    assert tbox.recv(10) == b"one"
    assert tbox.recv(10) == b""


@pytest.mark.parametrize("admission", list(Admission))
def test_time_runs_out_for_who_does_not_use_it(desk: Desk, admission: Admission) -> None:
    desk.judge.admission = admission
    if admission is Admission.REFUSE:
        desk.knock()
        assert desk.ends() == [End.REFUSED]
        assert desk.judge.over == []
        return
    desk.pair()
    used, _ = desk.pair()
    desk.passed(119)
    used.sendall(b"x")
    desk.turn()
    assert desk.ends() == []
    desk.passed(2)
    assert desk.ends() == [End.SILENT]
    desk.passed(7198)
    assert desk.ends() == [End.SILENT]
    desk.passed(2)
    assert desk.ends() == [End.SILENT, End.IDLE] == desk.judge.over


@pytest.mark.parametrize("admission", [Admission.PASS, Admission.SPLICE])
def test_who_takes_nothing_holds_a_bounded_amount_and_not_for_ever(desk: Desk, admission: Admission) -> None:
    desk.judge.admission = admission
    _, cloud = desk.pair()
    cloud.setblocking(False)
    for _ in range(60):
        try:
            cloud.send(bytes(1 << 20))
        except BlockingIOError:
            desk.turn(1)
    assert desk.relay._shared.waiting <= relay_way.HIGH + relay_way.CHUNK
    assert desk.relay._flows[desk.relay.flows[0]].down.stuck
    desk.passed(119)
    assert desk.ends() == []
    desk.passed(3)
    assert desk.ends() == [End.STALLED]
    assert desk.relay._shared.waiting == 0


def test_reads_are_small_where_many_wait(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    def answers(_: Direction, data: bytes) -> Release:
        sizes.append(len(data))
        return Release(data)

    desk.judge.answers = answers
    monkeypatch.setattr(relay_way, "MOST_WAITING", 0)
    tbox, cloud = desk.pair()
    cloud.sendall(bytes(20_000))
    assert everything(desk, tbox, 20_000) == bytes(20_000)
    assert max(sizes) == relay_way.SMALL_CHUNK


def test_an_answered_sender_that_does_not_listen_is_not_read_for_ever(desk: Desk) -> None:
    desk.judge.answers = lambda *_: Release(back=bytes(1 << 18))
    _, cloud = desk.pair()
    cloud.setblocking(False)
    for _ in range(100):
        cloud.send(b"order")
        desk.turn(1)
    assert relay_way.MOST_BACK <= desk.relay._shared.waiting <= relay_way.MOST_BACK + (1 << 18)


@pytest.mark.parametrize(("limit", "why"), [(lambda _, down: down <= 5, End.CUT), (broken, End.FAULT)])
def test_what_the_kernel_carries_is_asked_about_each_second(
    desk: Desk, limit: Callable[[int, int], bool], why: End
) -> None:
    desk.judge.admission = Admission.SPLICE
    tbox, cloud = desk.pair()
    desk.passed(1.1)
    desk.judge.may_go_on = limit
    cloud.sendall(b"12345")
    desk.turn()
    assert tbox.recv(10) == b"12345"
    if why is End.CUT:
        desk.passed(1.1)
    assert desk.ends() == []
    cloud.sendall(b"6")
    desk.turn()
    desk.passed(1.1)
    assert desk.ends() == [why]
    assert tbox.recv(10) == b"6"
    with pytest.raises(ConnectionResetError):
        tbox.recv(1)


def test_what_the_kernel_carries_can_be_ended_and_nothing_else_said_of_it(desk: Desk) -> None:
    desk.judge.admission = Admission.SPLICE
    tbox, _ = desk.pair()
    (flow,) = desk.relay.flows
    said = [Release(b"not this"), Release(close=True)]
    desk.judge.deadline = lambda: desk.now
    desk.judge.says = lambda: [(flow, Direction.DOWN, said.pop(0))] if said else []
    desk.turn()
    assert desk.ends() == [End.CUT]
    with pytest.raises(ConnectionResetError):
        tbox.recv(1)


def test_a_flow_can_be_cut_by_hand(desk: Desk) -> None:
    tbox, cloud = desk.pair()
    (flow,) = desk.relay.flows
    assert desk.relay.cut(flow)
    assert not desk.relay.cut(flow)
    for each in (tbox, cloud):
        with pytest.raises(ConnectionResetError):
            each.recv(1)
    assert desk.judge.over == [End.CUT]


def test_out_of_descriptors_those_that_knock_wait(desk: Desk) -> None:
    class Out:
        def accept(self) -> None:
            raise OSError(errno.EMFILE, "Too many open files")

    fd = desk.gate.fileno()
    tbox, cloud = desk.pair()
    desk.relay._listening[fd] = Out()  # type: ignore[assignment]
    waiting = desk.knock()
    cloud.sendall(b"x")
    desk.turn()
    assert tbox.recv(1) == b"x"
    assert len(desk.relay.flows) == 1
    desk.relay._listening[fd] = desk.gate
    desk.turn()
    assert len(desk.relay.flows) == 1
    desk.passed(1.1)
    desk.turn()
    assert len(desk.relay.flows) == 2
    assert waiting.fileno() >= 0


def test_a_second_connection_by_the_same_name_ends_the_first(desk: Desk) -> None:
    tbox, _ = desk.pair()
    name = Endpoint(*tbox.getsockname())
    again = socket.create_connection(desk.gate.getsockname())
    desk.open_.enter_context(again)
    taken, _ = desk.gate.accept()
    taken.setblocking(False)
    desk.relay._admit(taken, name, desk.now)
    assert desk.ends() == [End.RESET]
    assert len(desk.relay.flows) == 1


def test_who_was_not_redirected_is_lost(desk: Desk) -> None:
    desk.wanted = None
    tbox = desk.knock()
    with pytest.raises(ConnectionResetError):
        tbox.recv(1)
    assert desk.ends() == [End.LOST]
    assert desk.judge.flows == []


def test_a_closed_relay_ends_its_flows_and_tells_so(desk: Desk) -> None:
    tbox, cloud = desk.pair()
    desk.relay.close()
    for each in (tbox, cloud):
        with pytest.raises(ConnectionResetError):
            each.recv(1)
    assert desk.ends() == [End.STOPPED] == desk.judge.over
    desk.relay = Relay([], "", desk.judge)


def test_a_relay_stands_between_two_interfaces() -> None:
    for tbox, uplink in (("eth1", "eth1"), ("", "wwan0"), ("eth1", "")):
        with pytest.raises(BridgeError, match="between two interfaces"):
            Relay.open(tbox, 9040, uplink, Judge())
    with pytest.raises(BridgeError, match="the relay cannot listen on nowhere0 port 9040"):
        Relay.open("nowhere0", 9040, "lo", Judge())


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 300_000), st.integers(0, 3)), max_size=12),
    st.sampled_from([Admission.PASS, Admission.SPLICE]),
    st.integers(0, 12),
)
def test_however_it_is_cut_what_passes_is_what_was_sent(
    sent: list[tuple[bool, int, int]], admission: Admission, spliced_after: int
) -> None:
    with ExitStack() as open_:
        desk = Desk(open_)
        desk.judge.admission = admission
        chunks = []

        def answers(_: Direction, data: bytes) -> Release:
            chunks.append(len(data))
            return Release(data, splice=len(chunks) == spliced_after)

        desk.judge.answers = answers
        ends = desk.pair()
        told, got, left = [b"", b""], [b"", b""], [b"", b""]
        for end in ends:
            end.setblocking(False)
        for number, (by_cloud, size, turns) in enumerate(sent):
            left[by_cloud] += bytes([number + 1]) * size
            told[by_cloud] += bytes([number + 1]) * size
            _push(ends, left)
            desk.turn(turns)
        for _ in range(20_000):
            _push(ends, left)
            desk.relay.turn(0)
            for index, end in enumerate(ends):
                try:
                    got[1 - index] += end.recv(1 << 16)
                except BlockingIOError:
                    continue
            if got == told:
                break
        assert got == told
        for end in ends:
            end.shutdown(socket.SHUT_WR)
        desk.turn()
        assert desk.ends() == [End.FINISHED]
        assert (desk.relay.counts.up, desk.relay.counts.down) == (len(told[0]), len(told[1]))
        assert desk.relay._shared.waiting == 0


def _push(ends: tuple[socket.socket, socket.socket], left: list[bytes]) -> None:
    for index, end in enumerate(ends):
        if left[index]:
            try:
                left[index] = left[index][end.send(left[index]) :]
            except BlockingIOError:
                continue
