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


class Keeper:
    """One log at the service of one gate at a time."""

    def __init__(self, log: Log, uplink: Uplink | None = None) -> None:
        """The log is open, the uplink started."""
        self.trouble = ""
        """What keeps the log from being written right now."""
        self.ended = False
        """The gate has said that all is said."""
        self._log = log
        self._uplink = uplink
        self._taken = 0
        self._foreign = 0
        self._wire: socket.socket | None = None

    def serve(self, wire: socket.socket, going: Callable[[], bool]) -> None:
        """Take events until the gate hangs up, or as long as `going()`. What was taken is durable at the return.

        Raises:
            StoreError: it still cannot be written.
        """
        wire.setblocking(False)
        self._wire, self._taken = wire, 0
        hung_up, patience = False, _PATIENCE_TURNS
        while going() and not hung_up and patience:
            select.select([] if self.trouble else [wire], [], [], _TURN_S)
            try:
                hung_up = self.trouble == "" and self._turn(wire)
                self._flush_if_due()
                self.trouble = ""
            except StoreError as fault:
                self.trouble = str(fault)
            if self.trouble and _gone(wire):
                patience -= 1
            self._pump()
        self._log.flush(time.monotonic_ns())
        self._acknowledge()
        self._pump()

    def idle(self) -> None:
        """No gate is there: let time pass for the broker."""
        self._pump()

    def _turn(self, wire: socket.socket) -> bool:
        """A bounded number of messages; True when the gate has hung up."""
        for _ in range(_A_TURN):
            try:
                data = wire.recv(_MOST_BYTES)
            except BlockingIOError:
                return False
            except OSError:
                return True
            if not data:
                return True
            if data == END:
                self.ended = True
                continue
            self._take(data)
        return False

    def _take(self, data: bytes) -> None:
        now = time.monotonic_ns()
        self._taken += 1
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
        """All that was taken is durable: say how many that are since the last time."""
        if not self._taken or self._wire is None:
            return
        try:
            self._wire.send(self._taken.to_bytes(ACK_BYTES, "big"))
            self._taken = 0
        except BlockingIOError:
            return  # said with the next ones
        except OSError:
            self._taken = 0

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
