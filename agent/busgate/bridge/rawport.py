"""A gate's two SocketCAN interfaces in one thread: the hot path of a gate on a vehicle.

Law: as for every port. Both wires are read by turns, a batch each, so that a flood on one never keeps the other
waiting for longer than its batch takes.
"""

from __future__ import annotations

import select
import time
from collections import deque
from collections.abc import Iterable
from operator import attrgetter

from busgate.bridge.pair import Pair
from busgate.bridge.port import BridgeError
from busgate.bridge.rawcan import RawWire
from busgate.model import Frame, Side

_SOCKETCAN = "socketcan:"
_RETRY_S = 0.5


class RawPort(Pair[RawWire]):
    """Two raw wires. Use `open`, as a context manager or with `close`."""

    def __init__(self, wires: Iterable[RawWire], *, transmit: bool = True) -> None:
        """With `transmit` off nothing is ever sent."""
        super().__init__(wires, transmit=transmit)
        self._waiting: deque[Frame] = deque()
        self._last = 0
        self._poll = select.poll()
        self._watched: dict[Side, int] = {}
        self._by_descriptor: dict[int, RawWire] = {}
        for wire in self._wires.values():
            self._watch(wire)

    @staticmethod
    def serves(tbox: str, vehicle: str) -> bool:
        """Whether both wires, as `interface:channel`, are SocketCAN ones."""
        return tbox.startswith(_SOCKETCAN) and vehicle.startswith(_SOCKETCAN)

    @classmethod
    def open(cls, tbox: str, vehicle: str, *, transmit: bool = True, echoed: bool = True) -> RawPort:
        """A port on `socketcan:can1` and `socketcan:can0`; raises BridgeError when one cannot be opened.

        What it sends is heard by other programs of this machine, unless not `echoed`.
        """
        if tbox == vehicle:
            raise BridgeError(f"{tbox} is given twice; the T-box and the vehicle have a wire each")
        wires: list[RawWire] = []
        try:
            for side, name in ((Side.TBOX, tbox), (Side.VEHICLE, vehicle)):
                wires.append(RawWire.open(side, name.removeprefix(_SOCKETCAN), echoed=echoed))
        except BridgeError:
            for wire in wires:
                wire.close()
            raise
        return cls(wires, transmit=transmit)

    @property
    def returns(self) -> int:  # type: ignore[override]
        """How often an interface came back."""
        return sum(wire.returns for wire in self._wires.values())

    def receive(self, timeout: float) -> Frame | None:
        """The next frame of either wire, or None after `timeout` seconds."""
        if not self._waiting:
            self._read(timeout)
        return self._waiting.popleft() if self._waiting else None

    def forget(self) -> None:
        """What the T-box sent before now is not sent to the vehicle: the kernel may have forwarded it."""
        if Side.VEHICLE in self._wires:
            self._wires[Side.VEHICLE].failed_at = self.now()

    def _read(self, timeout: float) -> None:
        """Wait for frames, and take a batch of each wire in the order in which they came."""
        # From before the wait: a clock that is set meanwhile makes a frame old, never young.
        offset = time.time_ns() - time.monotonic_ns()
        if any(wire.socket is None for wire in self._wires.values()):
            self._mend()
            timeout = min(timeout, _RETRY_S)
        ready = self._poll.poll(timeout * 1000)
        if len(ready) == 1:
            frames = self._by_descriptor[ready[0][0]].read(offset)
        else:
            frames = [frame for number, _ in ready for frame in self._by_descriptor[number].read(offset)]
            frames.sort(key=attrgetter("at"))  # stable: the order within a wire stays where times are equal
        for frame in frames:
            self._last = max(self._last, frame.at)
            self._waiting.append(frame if frame.at == self._last else frame._replace(at=self._last))

    def _mend(self) -> None:
        """Look no more at wires that have gone, and for those that came back."""
        for wire in self._wires.values():
            if wire.socket is None and wire.side in self._watched:
                number = self._watched.pop(wire.side)
                self._poll.unregister(number)
                del self._by_descriptor[number]
        for wire in self._wires.values():  # only now: a new socket may get the number of one that has gone
            if wire.again():
                self._watch(wire)

    def _watch(self, wire: RawWire) -> None:
        if wire.socket is not None:
            self._watched[wire.side] = wire.socket.fileno()
            self._by_descriptor[wire.socket.fileno()] = wire
            self._poll.register(wire.socket, select.POLLIN)
