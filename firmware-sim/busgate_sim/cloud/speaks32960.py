"""The platform's end of one GB/T 32960 connection.

Law: whoever has not logged in is answered, but neither believed nor commanded; what is flawed is not acted upon.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from busgate_sim.cloud.book import Book, Told, Vehicle
from busgate_sim.cloud.gb32960 import Command, Edition, Packet, Packets, Response, clock, encode
from busgate_sim.cloud.gb32960_bodies import Body, packet_of, read_body
from busgate_sim.cloud.gb32960_commands import RESET, UPGRADE, VENDOR_LOCK, Control, Query, Settings, upgrade_argument
from busgate_sim.cloud.gb32960_report import Report
from busgate_sim.cloud.gb32960_session import Answer, Login, Logout, Nothing
from busgate_sim.cloud.octets import Refused, free_bytes
from busgate_sim.cloud.orders import Order
from busgate_sim.cloud.vendor import (
    CHARGE_32960,
    CLIMATE_32960,
    DOORS_32960,
    LOCKED,
    RELEASED,
    SPEED_32960,
    TEXT_32960,
    TORQUE_32960,
    text_of,
)

_OUTCOMES: Mapping[int, str] = {Response.DONE: "done", Response.FAILED: "failed"}
_SETTINGS = (0x01, 0x02, 0x03, 0x09)
"""What is asked for: the three periods and the heartbeat's."""


class Session32960:
    """One connection; `vehicle` is who has logged in on it."""

    def __init__(self, book: Book) -> None:
        """Nobody has logged in."""
        self.vehicle: Vehicle | None = None
        self._book = book
        self._packets = Packets()
        self._edition = Edition.Y2016

    def receive(self, data: bytes, at: int) -> bytes:
        """What came, and the answers to it."""
        out = b""
        for found in self._packets.feed(data):
            if isinstance(found, Refused):
                self._book.refuse(found.reason)
            elif not found.intact:
                self._book.refuse(f"0x{found.command:02X} of {found.vin}: wrong check octet")
            else:
                self._edition = found.edition
                out += self._answer(found, at)
        return out

    def order(self, order: Order, at: int) -> bytes:
        """The order's bytes.

        Raises:
            ValueError: nobody has logged in, or the order does not fit.
        """
        if self.vehicle is None:
            raise ValueError("nobody has logged in on this connection")
        command, body = spelled(order, clock(at))
        sent = encode(packet_of(command, body, self.vehicle.name, self._edition))
        self.vehicle.told.append(Told(order, at, command, 0))
        return sent

    def _answer(self, packet: Packet, at: int) -> bytes:
        body = read_body(packet)
        if isinstance(body, Refused):
            self._book.refuse(body.reason)
            return self._say(packet, Response.FAILED, packet.data[:6])
        if isinstance(body, Login):
            admitted = self._book.admits(packet.vin)
            if admitted:
                self.vehicle = self._book.vehicle(packet.vin, f"GB/T 32960-{self._edition.value}")
                self.vehicle.seen = at
            return self._say(packet, Response.DONE if admitted else Response.FAILED, body.time)
        if self.vehicle is None or self.vehicle.name != packet.vin:
            return self._say(packet, Response.FAILED, packet.data[:6])
        self.vehicle.seen = at
        if packet.response != Response.ASKED:
            self._note(packet, body, self.vehicle)
            return b""
        return self._take(packet, body, at, self.vehicle)

    def _note(self, packet: Packet, body: Body, vehicle: Vehicle) -> None:
        if isinstance(body, Settings):
            vehicle.settings = body.values
        vehicle.answered(packet.command, None, _OUTCOMES.get(packet.response, "failed"))

    def _take(self, packet: Packet, body: Body, at: int, vehicle: Vehicle) -> bytes:
        if isinstance(body, Report):
            vehicle.reported(body, late=packet.command == Command.REISSUE)
            return self._say(packet, Response.DONE, body.time)
        if isinstance(body, Logout):
            answer = self._say(packet, Response.DONE, body.time)
            self.vehicle = None
            vehicle.online = False
            return answer
        if isinstance(body, Nothing):
            return self._say(packet, Response.DONE, clock(at) if packet.command == Command.CLOCK else b"")
        return self._say(packet, Response.FAILED, packet.data[:6])

    def _say(self, packet: Packet, response: Response, time: bytes) -> bytes:
        return encode(packet_of(packet.command, Answer(time), packet.vin, packet.edition, response))


def spelled(order: Order, time: bytes) -> tuple[Command, Body]:
    """The order as this vendor writes it in GB/T 32960: by the standard where it has a control, else by `vendor`.

    Raises:
        ValueError: the order does not exist here.
    """
    if order.name == "ask-settings":
        return Command.QUERY, Query(time, _SETTINGS)
    if order.name not in _CONTROLS:
        raise ValueError(f"this vendor cannot send {order.name} by GB/T 32960")
    control, argument = _CONTROLS[order.name]
    return Command.CONTROL, Control(time, control, argument(order))


def _warm(order: Order) -> bytes:
    return bytes([order.number("degc") + 40, order.number("minutes")])


_CONTROLS: Mapping[str, tuple[int, Callable[[Order], bytes]]] = {
    "remote-stop": (VENDOR_LOCK, lambda _: bytes([LOCKED])),
    "release": (VENDOR_LOCK, lambda _: bytes([RELEASED])),
    "torque-limit": (TORQUE_32960, lambda order: order.number("percent").to_bytes(1)),
    "speed-limit": (SPEED_32960, lambda order: order.number("kmh").to_bytes(1)),
    "charge-limit": (CHARGE_32960, lambda order: order.number("amperes").to_bytes(2)),
    "door-unlock": (DOORS_32960, lambda _: b"\1"),
    "door-lock": (DOORS_32960, lambda _: b"\0"),
    "preheat": (CLIMATE_32960, _warm),
    "update": (UPGRADE, lambda order: upgrade_argument(order.words("url"), firmware=order.words("version"))),
    "text": (TEXT_32960, lambda order: free_bytes(text_of(order))),
    "reset": (RESET, lambda _: b""),
}
