"""The keeper of the log: takes events from a gate, which is another process, writes and signs them, sends them on.

Law: what is acknowledged to the gate is durable. A log that cannot be written is tried again, and nothing more is
taken meanwhile. A message that is not understood is counted, written down as a loss, and never written as an entry.
"""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Callable
from typing import Any

from busgate.model import Loss
from busgate.record.entry import RESERVED, Told
from busgate.record.log import Log
from busgate.record.store import StoreError
from busgate.report.uplink import Uplink
from busgate.service.outbox import ACK_BYTES, END

_MOST_BYTES = 1 << 18
_A_TURN = 256
_TURN_S = 0.05
_PATIENCE_TURNS = 100
"""How long a log that cannot be written is tried for a gate that has gone: 5 s."""
_TYPES = frozenset(
    {
        "alert",
        "alert.count",
        "session.start",
        "session.end",
        "function",
        "cause",
        "update.start",
        "update.end",
        "modem",
        "held.held",
        "held.released",
        "held.refused",
        "held.lost",
        "policy.apply",
        "policy.refuse",
        "grant.start",
        "grant.end",
        "mode",
        "override.on",
        "override.off",
        "drop",
        "heartbeat",
    }
)


class _Gate:
    """One gate that is served: its connection, and how much of what it said is not acknowledged yet."""

    __slots__ = ("taken", "wire")

    def __init__(self, wire: socket.socket) -> None:
        wire.setblocking(False)
        self.wire = wire
        self.taken = 0

    def acknowledge(self) -> None:
        """All that was taken is durable: say how many that are since the last time."""
        if not self.taken:
            return
        try:
            self.wire.send(self.taken.to_bytes(ACK_BYTES, "big"))
            self.taken = 0
        except BlockingIOError:
            return  # said with the next ones
        except OSError:
            self.taken = 0


class Keeper:
    """One log at the service of the gates of one vehicle: that of its frames, and that of its air side."""

    def __init__(self, log: Log, uplink: Uplink | None = None) -> None:
        """The log is open, the uplink started."""
        self.trouble = ""
        """What keeps the log from being written right now."""
        self.ended = False
        """A gate has said that all is said."""
        self._log = log
        self._uplink = uplink
        self._foreign = 0
        self._gates: list[_Gate] = []
        self._patience = _PATIENCE_TURNS

    def serve(self, wire: socket.socket, going: Callable[[], bool]) -> None:
        """Take a gate's events until it hangs up, or as long as `going()`. What was taken is durable at the return.

        Raises:
            StoreError: it still cannot be written.
        """
        self._gates.append(_Gate(wire))
        while going() and self._gates:
            self.turn()
        self.close()

    def welcome(self, wire: socket.socket) -> None:
        """Another gate has come; `turn` serves it until it hangs up, and closes its connection then."""
        self._gates.append(_Gate(wire))

    @property
    def gates(self) -> int:
        """How many are served."""
        return len(self._gates)

    def turn(self, also: socket.socket | None = None) -> bool:
        """Wait a moment for what the gates say, and take it; whether `also` (a listener) has somebody waiting.

        Raises:
            StoreError: the log could not be written for as long as a gate that has gone is worth; it was let go.
        """
        wires = [] if self.trouble else [gate.wire for gate in self._gates]
        ready, _, _ = select.select([*wires, *([] if also is None else [also])], [], [], _TURN_S)
        try:
            if not self.trouble:
                for gate in [gate for gate in self._gates if gate.wire in ready]:
                    if self._heard_out(gate):
                        self._let_go(gate)
            self._flush_if_due()
            self.trouble = ""
            self._patience = _PATIENCE_TURNS
        except StoreError as fault:
            self.trouble = str(fault)
            self._lose_patience()
        self._pump()
        return also is not None and also in ready

    def close(self) -> None:
        """Make all durable that was taken, and let every gate go. Raises StoreError."""
        gone, self._gates = self._gates, []
        self._log.flush(time.monotonic_ns())
        for gate in gone:
            gate.acknowledge()
        self._pump()

    def _let_go(self, gate: _Gate) -> None:
        """A gate hung up: what it said is made durable first."""
        self._log.flush(time.monotonic_ns())
        gate.acknowledge()
        self._gates.remove(gate)
        gate.wire.close()

    def _lose_patience(self) -> None:
        """A log that cannot be written is tried for a gate that has gone, but not for ever."""
        if not any(_gone(gate.wire) for gate in self._gates):
            return
        self._patience -= 1
        if not self._patience:
            for gate in [gate for gate in self._gates if _gone(gate.wire)]:
                self._gates.remove(gate)
                gate.wire.close()
            self._patience = _PATIENCE_TURNS
            self._log.flush(time.monotonic_ns())

    def _heard_out(self, gate: _Gate) -> bool:
        """A bounded number of messages; True when the gate has hung up."""
        for _ in range(_A_TURN):
            try:
                data = gate.wire.recv(_MOST_BYTES)
            except BlockingIOError:
                return False
            except OSError:
                return True
            if not data:
                return True
            if data == END:
                self.ended = True
                continue
            self._take(gate, data)
        return False

    def _take(self, gate: _Gate, data: bytes) -> None:
        now = time.monotonic_ns()
        gate.taken += 1
        try:
            message = json.loads(data)
            told, must = _understood(message)
            at = min(now, int(message["at"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            self._foreign += 1
            self._log.record(Loss(now, {"journal_not_understood": self._foreign}), now)
            return
        index = self._log.write(told, at, urgent=must)
        if must:
            self._acknowledge()
            if self._uplink is not None:
                self._uplink.notify(index)

    def _flush_if_due(self) -> None:
        now = time.monotonic_ns()
        if self._log.due(now) or self.trouble:
            self._log.flush(now)
        if self._log.next_deadline() is None:
            self._acknowledge()

    def _acknowledge(self) -> None:
        """All that any gate said is durable."""
        for gate in self._gates:
            gate.acknowledge()

    def _pump(self) -> None:
        if self._uplink is not None:
            self._uplink.pump()


def _gone(wire: socket.socket) -> bool:
    """Whether the other end has hung up, with whatever it said before still unread."""
    poll = select.poll()
    poll.register(wire, 0)
    return any(happened & select.POLLHUP for _, happened in poll.poll(0))


def _understood(message: Any) -> tuple[Told, bool]:
    fields = message["fields"]
    if message["type"] not in _TYPES or not isinstance(fields, dict) or RESERVED & fields.keys():
        raise ValueError("no event of a gate's")
    if message["type"] == "policy.apply":
        fields["version"], fields["sha256"] = int(fields["version"]), str(fields["sha256"])
    return Told(str(message["type"]), fields), message["urgent"] is True
