"""An ISO-TP stack that others wrote (the package can-isotp) as a peer on a simulated wire.

Law: it knows nothing of the simulator; only frames pass between them.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import isotp
from udsoncan.connections import BaseConnection
from udsoncan.exceptions import TimeoutException

from busgate.model import EXTENDED, IDENTIFIER
from busgate_sim.encoder import Sent
from busgate_sim.wire import Wire
from busgate_sim.world import MILLISECOND, SECOND, World


class Foreign:
    """The stack of can-isotp at one end of a wire; its own clock only paces its timeouts."""

    def __init__(self, wire: Wire, address: isotp.Address, **params: object) -> None:
        self._waiting: deque[isotp.CanMessage] = deque()
        self._outlet = wire.attach("foreign", self._hear)
        self.stack = isotp.TransportLayerLogic(
            rxfn=lambda _timeout: self._waiting.popleft() if self._waiting else None,
            txfn=self._send,
            address=address,
            params={"stmin": 0, "rx_flowcontrol_timeout": 10_000, "rx_consecutive_frame_timeout": 10_000, **params},
        )

    def _hear(self, sent: Sent) -> None:
        extended = bool(sent.can_id & EXTENDED)
        self._waiting.append(
            isotp.CanMessage(arbitration_id=sent.can_id & IDENTIFIER, data=sent.data, extended_id=extended)
        )

    def _send(self, message: isotp.CanMessage) -> None:
        can_id = message.arbitration_id | (EXTENDED if message.is_extended_id else 0)
        self._outlet.send(Sent(can_id, bytes(message.data)))

    def until(self, world: World, done: Callable[[], object], seconds: float = 10.0) -> None:
        """Let both go on until it is done, for at most this long by the wall's clock."""
        ends = time.monotonic() + seconds
        while not done() and time.monotonic() < ends:
            self.stack.process()
            world.run(world.now + MILLISECOND)


class Connection(BaseConnection):
    """A connection of udsoncan over a foreign stack; its timeouts are counted in the world's time."""

    def __init__(self, foreign: Foreign, world: World) -> None:
        super().__init__("simulated wire")
        self._foreign = foreign
        self._world = world

    def open(self) -> Connection:
        return self

    def close(self) -> None:
        self._foreign.stack.reset()

    def is_open(self) -> bool:
        return True

    def empty_rxqueue(self) -> None:
        while self._foreign.stack.available():
            self._foreign.stack.recv()

    def specific_send(self, payload: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._foreign.stack.send(payload)

    def specific_wait_frame(self, timeout: float | None = None) -> bytes:
        stack = self._foreign.stack
        ends = self._world.now + round((timeout or 2.0) * SECOND)
        while not stack.available():
            if self._world.now >= ends and not stack.transmitting():
                raise TimeoutException("no answer")  # type: ignore[no-untyped-call]
            stack.process()
            self._world.run(self._world.now + MILLISECOND)
        return bytes(stack.recv() or b"")
