"""Live wires through python-can: SocketCAN on the vehicle, virtual and multicast buses in the workshop.

Law: a wire never stops the other one and never raises after it was opened: what it loses is counted, and it is tried
again. Clocks are read here. How old a frame may be when it is forwarded is for the loop above to say.
"""

from __future__ import annotations

import queue
from collections.abc import Sequence
from typing import TYPE_CHECKING

from busgate.bridge.pair import Pair
from busgate.bridge.port import MULTICAST, BridgeError
from busgate.model import Frame, Side

if TYPE_CHECKING:
    from busgate.bridge.wire import Wire

_QUEUE = 16_384


class LivePort(Pair["Wire"]):
    """One gate's wires, each with a thread that receives. Use `open`, as a context manager or with `close`."""

    def __init__(self, wires: Sequence[Wire], *, transmit: bool = True) -> None:
        """With `transmit` off nothing is ever sent: the port only listens."""
        super().__init__(wires, transmit=transmit)
        self._received: queue.Queue[Frame] = queue.Queue(_QUEUE)
        self._last = 0
        for wire in wires:
            wire.start(self._received)

    @classmethod
    def open(
        cls,
        tbox: str | None = None,
        vehicle: str | None = None,
        *,
        tap: str | None = None,
        transmit: bool = True,
        echoed: bool = True,
    ) -> LivePort:
        """A port on wires given as `interface:channel`, such as `socketcan:can0` or `udp_multicast:239.74.163.2:43113`.

        What is sent can be heard by other programs on the same interface, unless not `echoed`.
        Both of `tbox` and `vehicle`, or one of them or `tap` alone to listen only. Raises BridgeError when a wire
        cannot be opened.
        """
        from busgate.bridge.wire import Wire  # python-can loads slowly; SocketCAN does without

        given = [(side, name) for side, name in ((Side.TBOX, tbox), (Side.VEHICLE, vehicle), (Side.TAP, tap)) if name]
        if not given:
            raise BridgeError("no wire was given; name them as in: --tbox socketcan:can1 --vehicle socketcan:can0")
        if tap and len(given) > 1:
            raise BridgeError("a tap is one wire alone; give --tap, or --tbox and --vehicle")
        if len({_medium(name) for _, name in given}) < len(given):
            raise BridgeError(f"{given[0][1]} is given twice; the T-box and the vehicle have a wire each")
        wires: list[Wire] = []
        try:
            for side, name in given:
                wires.append(Wire.open(side, name, echoed=echoed))
        except BridgeError:
            for wire in wires:
                wire.close()
            raise
        return cls(wires, transmit=transmit)

    def receive(self, timeout: float) -> Frame | None:
        """The next frame of any wire, or None after `timeout` seconds."""
        try:
            frame = self._received.get(timeout=timeout) if timeout > 0 else self._received.get_nowait()
        except queue.Empty:
            return None
        if frame.at < self._last:  # two threads may queue in the other order than they took their times
            frame = frame._replace(at=self._last)
        self._last = frame.at
        return frame


def _medium(name: str) -> str:
    """What two wires must not share: their name, and for multicast the port, on which every group is heard."""
    return f"{MULTICAST}:{name.rpartition(':')[2]}" if name.startswith(f"{MULTICAST}:") else name
