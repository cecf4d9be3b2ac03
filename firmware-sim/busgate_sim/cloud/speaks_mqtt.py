"""The platform's end of a vehicle's MQTT connection: this vendor's topics and JSON, over the standard's packets.

Law: a vehicle is known by its user name, and takes orders on its own topic only.
"""

from __future__ import annotations

import json
from typing import Final

from busgate_sim.cloud import mqtt
from busgate_sim.cloud.book import Book, Told, Vehicle
from busgate_sim.cloud.mqtt import Kind, Packet, Packets
from busgate_sim.cloud.octets import Refused
from busgate_sim.cloud.orders import Order
from busgate_sim.cloud.vendor import text_of

PREFIX: Final = "synth/v1"
_NOT_AUTHORISED: Final = 5
_CONNECT_HEAD: Final = 10
"""Octets of a CONNECT before its first text: the protocol's name, level, flags, keep alive."""


def topic(vin: str, what: str) -> str:
    """A vehicle's topic: `status`, `answer` (up) or `command` (down)."""
    return f"{PREFIX}/{vin}/{what}"


class SessionMqtt:
    """One connection; `vehicle` is who has logged in on it."""

    def __init__(self, book: Book) -> None:
        """Nobody has logged in."""
        self.vehicle: Vehicle | None = None
        self._book = book
        self._packets = Packets()
        self._number = 0

    def receive(self, data: bytes, at: int) -> bytes:
        """What came, and the answers to it."""
        out = b""
        for found in self._packets.feed(data):
            if isinstance(found, Refused):
                self._book.refuse(found.reason)
            else:
                out += self._answer(found, at)
        return out

    def order(self, order: Order, at: int) -> bytes:
        """The order's bytes.

        Raises:
            ValueError: nobody has logged in, or this vendor has no command for it.
        """
        if self.vehicle is None:
            raise ValueError("nobody has logged in on this connection")
        word, *arguments = text_of(order).rstrip("#").split(",")
        self._number = self._number % 0xFFFF + 1
        told = json.dumps({"id": self._number, "cmd": word, "args": arguments}).encode()
        self.vehicle.told.append(Told(order, at, Kind.PUBLISH, self._number))
        return mqtt.publish(topic(self.vehicle.name, "command"), told, self._number)

    def _answer(self, came: Packet, at: int) -> bytes:
        if came.kind == Kind.CONNECT:
            return self._logs_in(came, at)
        if self.vehicle is None:
            return b""
        self.vehicle.seen = at
        match came.kind:
            case Kind.SUBSCRIBE:
                return mqtt.packet(Kind.SUBACK, came.rest[:2] + b"\x01")
            case Kind.PINGREQ:
                return mqtt.packet(Kind.PINGRESP)
            case Kind.PUBLISH:
                return self._takes(came, self.vehicle)
            case Kind.DISCONNECT:
                self.vehicle.online, self.vehicle = False, None
        return b""

    def _logs_in(self, came: Packet, at: int) -> bytes:
        said = mqtt.texts(came.rest[_CONNECT_HEAD:], 3)
        admitted = not isinstance(said, Refused) and self._book.admits(said[0][1])
        if isinstance(said, Refused) or not admitted:
            self._book.refuse(said.reason if isinstance(said, Refused) else f"{said[0][1]} may not log in")
            return mqtt.packet(Kind.CONNACK, bytes([0, _NOT_AUTHORISED]))
        self.vehicle = self._book.vehicle(said[0][1], "MQTT 3.1.1")
        self.vehicle.seen = at
        return mqtt.packet(Kind.CONNACK, bytes(2))

    def _takes(self, came: Packet, vehicle: Vehicle) -> bytes:
        said = mqtt.published(came)
        if isinstance(said, Refused):
            self._book.refuse(said.reason)
            return b""
        name, number, payload = said
        if name == topic(vehicle.name, "status"):
            vehicle.reports += 1
        elif name == topic(vehicle.name, "answer"):
            try:
                answered = json.loads(payload)
                vehicle.answered(Kind.PUBLISH, int(answered["id"]), str(answered["outcome"]))
            except (ValueError, KeyError, TypeError):
                self._book.refuse("an answer that is none")
        return b"" if number is None else mqtt.packet(Kind.PUBACK, number.to_bytes(2))
