"""The vendor's platform: many vehicles on many connections, in whichever protocol each of them begins to speak.

Law: sans-IO. Bytes and times (ns since 1970) go in, bytes come out; a vehicle that connects anew takes its orders on
the new connection.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from busgate_sim.cloud.book import Book, Vehicle
from busgate_sim.cloud.jt808 import DELIMITER, Edition
from busgate_sim.cloud.octets import Refused
from busgate_sim.cloud.orders import Order
from busgate_sim.cloud.speaks808 import Session808
from busgate_sim.cloud.speaks32960 import Session32960
from busgate_sim.cloud.speaks_mqtt import SessionMqtt

_STARTS_32960 = b"#$"
_CONNECT = 0x10
"""The first octet of MQTT's CONNECT."""

Session = Session808 | Session32960 | SessionMqtt


class Line:
    """One connection to the platform."""

    def __init__(self, platform: Platform) -> None:
        """Made by `Platform.line`."""
        self.session: Session | None = None
        self._platform = platform

    @property
    def vehicle(self) -> Vehicle | None:
        """Who is logged in on this connection."""
        return self.session.vehicle if self.session else None

    def receive(self, data: bytes, at: int) -> bytes:
        """What came, and what goes back."""
        if self.session is None:
            data = data.lstrip(b"\r\n")
            if not data:
                return b""
            if data[0] not in {DELIMITER, _CONNECT, *_STARTS_32960}:
                self._platform.book.refuse(
                    f"a connection begins with {data[0]:02x}: neither JT/T 808 nor GB/T 32960 nor MQTT"
                )
                return b""
            self.session = self._platform.session(data[0])
        back = self.session.receive(data, at)
        if self.vehicle is not None:
            self._platform.logged_in(self, self.vehicle)
        return back


class Sent(NamedTuple):
    """An order's bytes and the connection they belong on."""

    line: Line
    data: bytes


class Platform:
    """All connections and the book of all vehicles."""

    def __init__(self, admits: Collection[str] | None = None, older: Edition = Edition.Y2013) -> None:
        """`admits` are the phone numbers and VINs that may log in, None for any; `older` as in `Session808`."""
        self.book = Book(admits)
        self._older = older
        self._lines: dict[str, Line] = {}

    def line(self) -> Line:
        """A new connection."""
        return Line(self)

    def session(self, start: int) -> Session:
        """The platform's end of a connection that begins with this octet."""
        if start == _CONNECT:
            return SessionMqtt(self.book)
        return Session808(self.book, self._older) if start == DELIMITER else Session32960(self.book)

    def logged_in(self, line: Line, vehicle: Vehicle) -> None:
        """A vehicle is on this connection, and from now on nowhere else; nor is another one here any more."""
        if self._lines.get(vehicle.name) is not line:
            self.closed(line)
        vehicle.online = True
        self._lines[vehicle.name] = line

    def closed(self, line: Line) -> None:
        """The connection is gone."""
        for name, known in list(self._lines.items()):
            if known is line:
                del self._lines[name]
                self.book.vehicles[name].online = False

    def order(self, vehicle: str, order: Order, at: int) -> Sent | Refused:
        """Order a vehicle to do something: the bytes to send, or why that cannot be."""
        line = self._lines.get(vehicle)
        if line is None or line.session is None or line.vehicle is None:
            online = ", ".join(name for name, known in self.book.vehicles.items() if known.online)
            return Refused(f"{vehicle} is not connected; connected are: {online or 'none'}")
        try:
            return Sent(line, line.session.order(order, at))
        except ValueError as unfit:
            return Refused(str(unfit))
