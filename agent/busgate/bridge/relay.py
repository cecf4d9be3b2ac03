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
from dataclasses import dataclass
from typing import Self

from busgate.bridge import relay_socket
from busgate.bridge.inspector import Admission, End, FlowEvent, Happening, Inspector, Release
from busgate.bridge.port import BridgeError
from busgate.bridge.relay_flow import InspectorFailed, Leg, Passage
from busgate.bridge.relay_splice import Pipes
from busgate.model import Direction, Endpoint, Flow

_S = 1_000_000_000
_MOST_EVENTS = 256
_ACCEPTS = 64
_SHORTEST_SWEEP_NS, _LONGEST_SWEEP_NS = _S // 20, _S
_BREATH_NS = _S
"""How long nothing is accepted, or asked of an inspector as a whole, after that has failed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a flow may take of this machine; times in seconds."""

    flows: int = 4096
    connect_s: float = 15
    first_byte_s: float = 120
    """From the connection until either end says anything."""
    idle_s: float = 7200
    """Without a byte either way. What is held for the operator is not idle."""
    stalled_s: float = 120
    """Without a byte taken, while some wait."""
    linger_s: float = 3
    """For what an inspector ended, until its last bytes are taken."""


@dataclass(slots=True)
class Counts:
    """What the relay has met since it was opened."""

    opened: int = 0
    refused: int = 0
    ended: int = 0
    faults: int = 0
    """Exceptions of the inspector, each of which has ended a flow or a look at what is due."""
    untold: int = 0
    """Events whose listener failed."""
    up: int = 0
    down: int = 0
    """Bytes delivered by flows that are over."""


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
        self._inspector, self._tell, self._now, self._wanted, self._uplink = inspector, tell, now, wanted, uplink
        self._poll = select.epoll()
        self._pipes = Pipes()
        self._listening = {sock.fileno(): sock for sock in listening}
        self._legs: dict[int, Leg] = {}
        self._flows: dict[Flow, Passage] = {}
        self._sweep_at = self._accept_at = self._ask_at = 0
        self._deaf = False
        for fd in self._listening:
            self._poll.register(fd, select.EPOLLIN)

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

    def run(self, alive: Callable[[], bool]) -> None:
        """Turn for as long as `alive` says so; asked at least each second."""
        while alive():
            self.turn()

    def turn(self, timeout: float = 1.0) -> None:
        """Wait for something to do, for `timeout` seconds at most, and do it."""
        ready = self._poll.poll(self._patience(timeout), _MOST_EVENTS)
        now = self._now()
        knocking = []
        for fd, events in ready:
            leg = self._legs.get(fd)
            if leg is not None:
                self._serve(leg, events, now)
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
        self._pipes.close()
        self._poll.close()

    def _patience(self, timeout: float) -> float:
        """Seconds until something is to be done by the clock."""
        until = [self._sweep_at] if self._flows else []
        if self._deaf:
            until.append(self._accept_at)
        try:
            deadline = self._inspector.next_deadline()
        except Exception as fault:  # noqa: BLE001 - whatever an inspector trips over
            self._failed(None, fault, self._now())
            deadline = None
        if deadline is not None:
            until.append(max(deadline, self._ask_at))
        if not until:
            return timeout
        return min(timeout, max(0, min(until) - self._now()) / _S)

    def _serve(self, leg: Leg, events: int, now: int) -> None:
        passage = leg.passage
        try:
            passage.on(leg, events, now)
        except InspectorFailed as failure:
            self._fail(passage, failure, now)
        except OSError:
            self._end(passage, End.RESET, now)
        else:
            self._after(passage, now)

    def _after(self, passage: Passage, now: int) -> None:
        if passage.over is not None:
            self._end(passage, passage.over, now)
        elif passage.spliced and not passage.told:
            passage.told = True
            self._say(FlowEvent(now, passage.flow, Happening.SPLICED, None, passage.up.moved, passage.down.moved))

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
            self._failed(flow, fault, now)
            self._refuse(sock, flow, End.FAULT, now)
            return
        if admission not in {Admission.PASS, Admission.SPLICE}:
            self._refuse(sock, flow, End.REFUSED, now)
            return
        self.counts.opened += 1
        try:
            relay_socket.prepare(sock)
            towards = relay_socket.outgoing(flow.remote, self._uplink)
        except OSError:
            relay_socket.reset(sock)
            self._over(FlowEvent(now, flow, Happening.ENDED, End.UNREACHABLE))
            return
        relay_socket.prepare(towards)
        spliced = admission is Admission.SPLICE
        passage = Passage(flow, sock, towards, self._inspector, self._poll, self._pipes, now, spliced=spliced)
        self._flows[flow] = passage
        for leg in (passage.tbox, passage.remote):
            self._legs[leg.fd] = leg
        self._say(FlowEvent(now, flow, Happening.OPENED))
        self._after(passage, now)

    def _refuse(self, sock: socket.socket, flow: Flow, why: End, now: int) -> None:
        relay_socket.reset(sock)
        self.counts.refused += 1
        self._say(FlowEvent(now, flow, Happening.ENDED, why))

    def _ask(self, now: int) -> None:
        """Have the inspector say what may go on by now."""
        if now < self._ask_at:
            return
        try:
            deadline = self._inspector.next_deadline()
            due = tuple(self._inspector.due(now)) if deadline is not None and deadline <= now else ()
        except Exception as fault:  # noqa: BLE001 - whatever an inspector trips over
            self._failed(None, fault, now)
            self._ask_at = now + _BREATH_NS
            return
        for flow, direction, release in due:
            self._release(flow, direction, release, now)

    def _release(self, flow: Flow, direction: Direction, release: Release, now: int) -> None:
        passage = self._flows.get(flow)
        if passage is None:
            return
        try:
            passage.release(direction, release, now)
        except InspectorFailed as failure:
            self._fail(passage, failure, now)
        except OSError:
            self._end(passage, End.RESET, now)
        else:
            self._after(passage, now)

    def _sweep(self, now: int) -> None:
        """End what has taken too long; listen again after a breath."""
        limits = self.limits
        shortest = min(limits.connect_s, limits.first_byte_s, limits.idle_s, limits.stalled_s, limits.linger_s)
        self._sweep_at = now + int(min(max(shortest * _S / 4, _SHORTEST_SWEEP_NS), _LONGEST_SWEEP_NS))
        if self._deaf and now >= self._accept_at:
            self._listen(now, deaf=False)
        for passage in tuple(self._flows.values()):
            why = self._overdue(passage, now)
            if why is not None:
                self._end(passage, why, now)

    def _overdue(self, passage: Passage, now: int) -> End | None:
        limits, since = self.limits, (now - passage.touched) / _S
        if passage.connecting:
            return End.UNREACHABLE if since > limits.connect_s else None
        if passage.closing is not None:
            return End.CUT if now - passage.closing > limits.linger_s * _S else None
        if passage.up.stuck or passage.down.stuck:
            return End.STALLED if since > limits.stalled_s else None
        if passage.held:
            return None
        if passage.silent:
            return End.SILENT if since > limits.first_byte_s else None
        return End.IDLE if since > limits.idle_s else None

    def _listen(self, now: int, *, deaf: bool) -> None:
        self._deaf = deaf
        self._accept_at = now + _BREATH_NS
        for fd in self._listening:
            self._poll.modify(fd, 0 if deaf else select.EPOLLIN)

    def _fail(self, passage: Passage, failure: InspectorFailed, now: int) -> None:
        self._failed(passage.flow, failure.fault, now, told=True)
        self._end(passage, End.FAULT, now, f"{type(failure.fault).__name__}: {failure.fault}")

    def _end(self, passage: Passage, why: End, now: int, detail: str = "") -> None:
        if self._flows.get(passage.flow) is not passage:
            return
        passage.over = why
        del self._flows[passage.flow]
        for leg in (passage.tbox, passage.remote):
            del self._legs[leg.fd]
        passage.close()
        up, down = passage.up.moved, passage.down.moved
        self._over(FlowEvent(now, passage.flow, Happening.ENDED, why, up, down, detail))

    def _over(self, event: FlowEvent) -> None:
        """The inspector and whoever listens hear that an admitted flow is over."""
        self.counts.ended += 1
        self.counts.up += event.up
        self.counts.down += event.down
        if event.flow is not None and event.why is not None:
            try:
                self._inspector.ended(event.flow, event.at, event.why)
            except Exception as fault:  # noqa: BLE001 - whatever an inspector trips over
                self._failed(event.flow, fault, event.at)
        self._say(event)

    def _failed(self, flow: Flow | None, fault: Exception, now: int, *, told: bool = False) -> None:
        self.counts.faults += 1
        if not told:
            self._say(FlowEvent(now, flow, Happening.FAULT, End.FAULT, detail=f"{type(fault).__name__}: {fault}"))

    def _say(self, event: FlowEvent) -> None:
        try:
            self._tell(event)
        except Exception:  # noqa: BLE001 - who only listens ends no flow
            self.counts.untold += 1
