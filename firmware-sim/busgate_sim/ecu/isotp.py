"""An end of an ISO-TP conversation (ISO 15765-2:2016) on a simulated wire: payloads in, payloads out.

Law: only the world's clock decides; a transfer is delivered whole and once, or not at all, and then `faults` says why
in the standard's words. Sending and receiving do not wait for each other (full duplex, 9.8.3).
"""

from __future__ import annotations

from collections import Counter

from busgate_sim.ecu import isotp_frames as frames
from busgate_sim.ecu.isotp_frames import Address, Consecutive, First, FlowControl, Single
from busgate_sim.ecu.isotp_transfers import Fault, Received, Receiving, Sending, Settings, Transmitter
from busgate_sim.encoder import Sent
from busgate_sim.wire import Wire
from busgate_sim.world import World


class Endpoint:
    """One end of one conversation; `hear` has to be told the wire's frames."""

    def __init__(  # noqa: PLR0913 - where, whose, and what becomes of what comes
        self,
        world: World,
        outlet: Transmitter,
        address: Address,
        received: Received,
        *,
        settings: Settings | None = None,
        received_by_all: Received | None = None,
    ) -> None:
        """`received` gets each whole payload, `received_by_all` those of functional requests."""
        self.address = address
        self.faults: Counter[Fault] = Counter()
        """How many transfers ended early, by reason."""
        self.settings = settings or Settings()
        self.received = received
        self.received_by_all = received_by_all
        self.world = world
        self.outlet = outlet
        self._sending = Sending(self)
        self._receiving = Receiving(self)

    @property
    def idle(self) -> bool:
        """Whether all that was to be sent has been sent, or has failed."""
        return self._sending.idle

    def send(self, payload: bytes) -> None:
        """Send a payload after those that wait already; ValueError if it is empty or longer than 32 bits can say."""
        if not 0 < len(payload) < 1 << 32:
            raise ValueError(f"a payload of {len(payload)} bytes cannot be sent: ISO-TP carries 1 to 4294967295")
        self._sending.queue(payload)

    def send_to_all(self, payload: bytes) -> None:
        """A functional request; it has to fit into a single frame (10.1), else ValueError."""
        if self.address.to_all is None:
            raise ValueError("this conversation has no functional identifier")
        prefix = self.address.to_all_byte
        data = frames.single(payload, self.settings.width, prefixed=prefix is not None)
        self.outlet.send(self._frame(self.address.to_all, prefix, data))

    def transmit(self, data: bytes) -> Sent | None:
        """Queue one frame of this conversation; None if it is lost."""
        sent = self._frame(self.address.says, self.address.says_byte, data)
        return sent if self.outlet.send(sent) else None

    def hear(self, sent: Sent) -> None:
        """Take a frame of the wire; others' are passed over."""
        address = self.address
        if sent.can_id == address.hears and (data := _own(sent.data, address.hears_byte)):
            self._take(data)
        elif sent.can_id == address.to_all and (data := _own(sent.data, address.to_all_byte)) and self.received_by_all:
            said = frames.read(data)
            if isinstance(said, Single):
                self.received_by_all(said.payload)

    def _take(self, data: bytes) -> None:
        said = frames.read(data)
        match said:
            case FlowControl():
                self._sending.controlled(said)
            case Single() | First():
                self._receiving.begin(said)
            case Consecutive():
                self._receiving.go_on(said)
            case None:
                pass

    def _frame(self, can_id: int, prefix: int | None, data: bytes) -> Sent:
        return frames.framed(can_id, prefix, data, fd=self.settings.fd, padding=self.settings.padding)


def joined(
    wire: Wire, name: str, address: Address, received: Received, *, settings: Settings | None = None
) -> Endpoint:
    """An endpoint with a place of its own on a wire."""

    def hear(sent: Sent) -> None:
        endpoint.hear(sent)

    endpoint = Endpoint(wire.world, wire.attach(name, hear), address, received, settings=settings)
    return endpoint


def _own(data: bytes, byte: int | None) -> bytes:
    """A frame's data without its address byte; empty if that byte names somebody else."""
    if byte is None:
        return data
    return data[1:] if data and data[0] == byte else b""
