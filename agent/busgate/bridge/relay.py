"""The transparent TCP relay: what the T-box sends towards the world and hears from it passes here, and is judged.

Law: it listens on the T-box's side only and opens connections on the uplink's only. Nothing reaches the other end
before the inspector has admitted the flow; an inspector that fails ends that flow and no other (fail closed). One
thread, one epoll: a flow that does nothing costs nothing but its two descriptors.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Sequence
from typing import Self

from busgate.bridge import relay_socket
from busgate.bridge.inspector import Admission, End, FlowEvent, Happening, Inspector
from busgate.bridge.port import BridgeError
from busgate.bridge.relay_flow import Passage
from busgate.bridge.relay_limits import Limits, overdue, sweeps_ns
from busgate.bridge.relay_told import Counts, Told, plain
from busgate.bridge.relay_way import InspectorFailed, Leg, Shared
from busgate.model import Direction, Endpoint, Flow

_S = 1_000_000_000
_MOST_EVENTS = 256
_ACCEPTS = 64
_BREATH_NS, _NOTHING_DUE_NS = _S, _S // 100
"""How long nothing is accepted, or asked of an inspector as a whole, after that has failed."""


class Relay:
    """Carries flows between sockets that listen and the uplink. `turn` it, or `run` it; then `close` it."""

    def __init__(  # noqa: PLR0913, PLR0917 - where from, where to, who judges, who hears of it, how much, and the clock
        self,
        listening: Sequence[socket.socket],
        uplink: str,
        inspector: Inspector,
        tell: Callable[[FlowEvent], None] = lambda _: None,
        limits: Limits | None = None,
        now: Callable[[], int] = time.monotonic_ns,
        wanted: Callable[[socket.socket], Endpoint | None] = relay_socket.original_destination,
    ) -> None:
        """`uplink` is the interface towards the world; `wanted` tells where a connection was going."""
        self.limits = limits or Limits()
        self.counts = Counts()
        self._most = relay_socket.room_for(self.limits.flows)
        self._inspector, self._now, self._wanted, self._uplink = inspector, now, wanted, uplink
        self._told = Told(inspector, tell, self.counts)
        self._shared = Shared(inspector)
        self._listening = {sock.fileno(): sock for sock in listening}
        self._legs: dict[int, tuple[Passage, Leg]] = {}
        self._flows: dict[Flow, Passage] = {}
        self._sweep_at = self._accept_at = self._ask_at = 0
        self._deaf = False
        for fd in self._listening:
            self._shared.poll.register(fd, select.EPOLLIN)

    @classmethod
    def open(  # noqa: PLR0913, PLR0917 - as above
        cls,
        interface: str,
        port: int,
        uplink: str,
        inspector: Inspector,
        tell: Callable[[FlowEvent], None] = lambda _: None,
        limits: Limits | None = None,
    ) -> Self:
        """Listen on the T-box's interface.

        Raises:
            BridgeError: the port is taken, or there is no such interface.
        """
        if not interface or not uplink or interface == uplink:
            raise BridgeError("the relay stands between two interfaces: the T-box's and the uplink's")
        return cls(relay_socket.listeners(port, interface), uplink, inspector, tell, limits)

    @property
    def flows(self) -> tuple[Flow, ...]:
        """Those at work, in the order in which they were opened."""
        return tuple(self._flows)

    def cut(self, flow: Flow) -> bool:
        """End a flow at once; whether there was such a one. From the relay's thread, and not out of an inspector."""
        passage = self._flows.get(flow)
        if passage is not None:
            self._end(passage, End.CUT, self._now())
        return passage is not None

    def run(self, alive: Callable[[], bool]) -> None:
        """Turn for as long as `alive` says so; asked at least each second."""
        while alive():
            self.turn()

    def turn(self, timeout: float = 1.0) -> None:
        """Wait for something to do, for `timeout` seconds at most, and do it."""
        ready = self._shared.poll.poll(self._patience(timeout), _MOST_EVENTS)
        now = self._now()
        knocking = []
        for fd, events in ready:
            known = self._legs.get(fd)
            if known is not None:
                passage, leg = known
                self._do(passage, now, passage.on, leg, events, now)
            elif fd in self._listening:
                knocking.append(fd)
        # New sockets come last: their descriptors may be those of flows that have just ended.
        for fd in knocking:
            self._accept(self._listening[fd], now)
        self._ask(now)
        if now >= self._sweep_at:
            self._sweep(now)

    def close(self) -> None:
        """End all flows and listen no more."""
        now = self._now()
        for passage in tuple(self._flows.values()):
            self._end(passage, End.STOPPED, now)
        for sock in self._listening.values():
            sock.close()
        self._listening.clear()
        self._shared.close()

    def _patience(self, timeout: float) -> float:
        """Seconds until something is to be done by the clock."""
        until = [self._sweep_at] if self._flows else []
        if self._deaf:
            until.append(self._accept_at)
        deadline = self._deadline()
        if deadline is not None:
            until.append(deadline)
        if not until:
            return timeout
        return min(timeout, max(0, min(until) - self._now()) / _S)

    def _do(self, passage: Passage, now: int, work: Callable[..., None], *words: object) -> None:
        """Have one flow do something; what goes wrong ends that flow alone."""
        try:
            work(*words)
        except InspectorFailed as failure:
            self._fail(passage, failure.fault, now)
        except OSError:
            self._end(passage, End.RESET, now)
        except Exception as fault:  # noqa: BLE001 - an answer of the inspector's that is none
            self._fail(passage, fault, now)
        else:
            self._after(passage, now)

    def _after(self, passage: Passage, now: int) -> None:
        if passage.over is not None:
            self._end(passage, passage.over, now)
        elif passage.spliced and not passage.told:
            passage.told = True
            self._told.say(FlowEvent(now, passage.flow, Happening.SPLICED, None, passage.up.moved, passage.down.moved))

    def _accept(self, listening: socket.socket, now: int) -> None:
        for _ in range(_ACCEPTS):
            try:
                sock, name = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:
                # Out of descriptors or memory: those that knock wait, and everybody else goes on.
                self._listen(now, deaf=True)
                return
            sock.setblocking(False)
            self._admit(sock, relay_socket.endpoint(name), now)

    def _admit(self, sock: socket.socket, tbox: Endpoint, now: int) -> None:
        remote = self._wanted(sock)
        flow = Flow("tcp", tbox, remote or Endpoint("", 0))
        earlier = self._flows.get(flow)
        if earlier is not None:
            # The T-box has let go of the earlier one, or it could not open another by the same name.
            self._end(earlier, End.RESET, now)
        if remote is None:
            self._refuse(sock, flow, End.LOST, now)
        elif not self._has_room(now):
            self._refuse(sock, flow, End.FULL, now)
        else:
            self._open(sock, flow, now)

    def _has_room(self, now: int) -> bool:
        """Whether one more fits; of too many, one that nobody has used yet makes room."""
        if len(self._flows) < self._most:
            return True
        idle = next((each for each in self._flows.values() if each.silent), None)
        if idle is None:
            return False
        self._end(idle, End.FULL, now)
        return True

    def _open(self, sock: socket.socket, flow: Flow, now: int) -> None:
        try:
            admission = self._inspector.opened(flow, now)
        except Exception as fault:  # noqa: BLE001 - whatever an inspector trips over
            self._told.failed(flow, fault, now)
            self._refuse(sock, flow, End.FAULT, now)
            return
        if admission is not Admission.PASS and admission is not Admission.SPLICE:
            self._refuse(sock, flow, End.REFUSED, now)
            return
        self.counts.opened += 1
        spliced = admission is Admission.SPLICE
        towards: socket.socket | None = None
        try:
            relay_socket.prepare(sock)
            towards = relay_socket.outgoing(flow.remote, self._uplink)
            relay_socket.prepare(towards)
            passage = Passage(flow, sock, towards, self._shared, now, spliced=spliced)
        except OSError:
            for each in (sock, towards):
                if each is not None:
                    relay_socket.reset(each)
            self._told.over(FlowEvent(now, flow, Happening.ENDED, End.UNREACHABLE))
            return
        self._flows[flow] = passage
        for leg in (passage.tbox, passage.remote):
            self._legs[leg.fd] = passage, leg
        self._told.say(FlowEvent(now, flow, Happening.OPENED))
        self._after(passage, now)

    def _refuse(self, sock: socket.socket, flow: Flow, why: End, now: int) -> None:
        relay_socket.reset(sock)
        self.counts.refused += 1
        self._told.say(FlowEvent(now, flow, Happening.ENDED, why))

    def _deadline(self) -> int | None:
        """When the inspector has something to say; one that fails at this is asked again after a breath."""
        if self._now() < self._ask_at:
            return self._ask_at
        try:
            deadline = self._inspector.next_deadline()
            return None if deadline is None else int(deadline)
        except Exception as fault:  # noqa: BLE001 - whatever an inspector trips over
            self._told.failed(None, fault, self._now())
            self._ask_at = self._now() + _BREATH_NS
            return None

    def _ask(self, now: int) -> None:
        """Have the inspector say what may go on by now."""
        deadline = self._deadline()
        if deadline is None or deadline > now:
            return
        try:
            due = [(flow, Direction(direction), release) for flow, direction, release in self._inspector.due(now)]
        except Exception as fault:  # noqa: BLE001 - whatever an inspector trips over
            self._told.failed(None, fault, now)
            self._ask_at = now + _BREATH_NS
            return
        if not due:
            self._ask_at = now + _NOTHING_DUE_NS
        for flow, direction, release in due:
            passage = self._flows.get(flow)
            if passage is not None:
                self._do(passage, now, passage.release, direction, release, now)

    def _sweep(self, now: int) -> None:
        """End what has taken too long; listen again after a breath."""
        self._sweep_at = now + sweeps_ns(self.limits)
        if self._deaf and now >= self._accept_at:
            self._listen(now, deaf=False)
        for passage in tuple(self._flows.values()):
            why = overdue(passage, self.limits, now)
            if why is not None:
                self._end(passage, why, now)
            elif passage.spliced and not passage.connecting:
                self._do(passage, now, self._look_at, passage, now)

    def _look_at(self, passage: Passage, now: int) -> None:
        """Ask about a flow that the kernel carries."""
        up, down = passage.up.moved, passage.down.moved
        try:
            goes_on = self._inspector.goes_on(passage.flow, up, down, now)
        except Exception as fault:
            raise InspectorFailed(fault) from fault
        if goes_on is not True:
            passage.over = End.CUT

    def _listen(self, now: int, *, deaf: bool) -> None:
        self._deaf = deaf
        self._accept_at = now + _BREATH_NS
        for fd in self._listening:
            self._shared.poll.modify(fd, 0 if deaf else select.EPOLLIN)

    def _fail(self, passage: Passage, fault: Exception, now: int) -> None:
        self.counts.faults += 1
        self._end(passage, End.FAULT, now, plain(fault))

    def _end(self, passage: Passage, why: End, now: int, detail: str = "") -> None:
        if self._flows.get(passage.flow) is not passage:
            return
        passage.over = why
        del self._flows[passage.flow]
        for leg in (passage.tbox, passage.remote):
            del self._legs[leg.fd]
        passage.close()
        up, down = passage.up.moved, passage.down.moved
        self._told.over(FlowEvent(now, passage.flow, Happening.ENDED, why, up, down, detail))
