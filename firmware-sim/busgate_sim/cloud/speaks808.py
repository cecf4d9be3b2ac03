"""The platform's end of one JT/T 808 connection.

Law: whoever has not authenticated is answered, but neither believed nor commanded; what is flawed is not acted upon.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from busgate_sim.cloud.book import Book, Told, Vehicle
from busgate_sim.cloud.jt808 import Edition, Message, encode
from busgate_sim.cloud.jt808_bodies import Body, message_of, read_body
from busgate_sim.cloud.jt808_commands import (
    DOOR,
    MAXIMUM_SPEED,
    Parameters,
    SetParameters,
    TerminalControl,
    Text,
    ThroughDown,
    ThroughUp,
    Upgrade,
    UpgradeResult,
    VehicleControl,
)
from busgate_sim.cloud.jt808_location import ControlAnswer, Location, Status
from busgate_sim.cloud.jt808_session import (
    DONE,
    FAILED,
    UNSUPPORTED,
    AskParameters,
    Authentication,
    Heartbeat,
    PlatformAnswer,
    Registration,
    RegistrationAnswer,
    SignOff,
    TerminalAnswer,
)
from busgate_sim.cloud.jt808_stream import Frames, Parts, split
from busgate_sim.cloud.octets import Refused
from busgate_sim.cloud.orders import Order
from busgate_sim.cloud.vendor import CHARGE, CLIMATE, CUT, DRIVE, RESTORE, TORQUE, TUNNEL, text_of

_NO_SUCH_TERMINAL = 4
_RESET = 4
_UPGRADE = 1
_OUTCOMES = {DONE: "done", FAILED: "failed", 2: "wrong", UNSUPPORTED: "unsupported"}


class Session808:
    """One connection; `vehicle` is who has authenticated on it."""

    def __init__(self, book: Book, older: Edition = Edition.Y2013) -> None:
        """`older` is what a frame without the version flag is taken for."""
        self.vehicle: Vehicle | None = None
        self._book = book
        self._frames = Frames(older)
        self._parts = Parts()
        self._edition = older
        self._phone = ""
        self._serial = 0

    def receive(self, data: bytes, at: int) -> bytes:
        """What came, and the answers to it."""
        out = b""
        for found in self._frames.feed(data):
            if isinstance(found, Refused):
                self._book.refuse(found.reason)
            elif found.flaws:
                self._book.refuse(f"0x{found.number:04X} of {found.phone}: wrong {', '.join(found.flaws)}")
            elif (whole := self._parts.take(found)) is not None:
                self._edition, self._phone = whole.edition, whole.phone
                out += self._answer(whole, at)
        return out

    def order(self, order: Order, at: int) -> bytes:
        """The order's bytes.

        Raises:
            ValueError: nobody has authenticated, or the order does not fit this edition.
        """
        if self.vehicle is None:
            raise ValueError("nobody has authenticated on this connection")
        body, serial = spelled(order, self._edition), self._serial
        sent = self._say(body)
        self.vehicle.told.append(Told(order, at, body.number, serial))
        return sent

    def _answer(self, message: Message, at: int) -> bytes:
        body = read_body(message)
        if isinstance(body, Refused):
            self._book.refuse(body.reason)
            return self._say(PlatformAnswer(message.serial, message.number, 2))
        if isinstance(body, Registration):
            known = self._book.admits(message.phone)
            code = self._book.code(message.phone) if known else ""
            return self._say(RegistrationAnswer(message.serial, DONE if known else _NO_SUCH_TERMINAL, code))
        if isinstance(body, Authentication):
            return self._say(PlatformAnswer(message.serial, message.number, self._authenticated(body, message.phone)))
        if self.vehicle is None or self.vehicle.name != message.phone:
            return self._say(PlatformAnswer(message.serial, message.number, FAILED))
        self.vehicle.seen = at
        result = self._take(body, self.vehicle)
        return b"" if result is None else self._say(PlatformAnswer(message.serial, message.number, result))

    def _authenticated(self, body: Authentication, phone: str) -> int:
        if not self._book.admits(phone) or body.code != self._book.code(phone):
            return FAILED
        self.vehicle = self._book.vehicle(phone, f"JT/T 808-{self._edition.value}")
        return DONE

    def _take(self, body: Body, vehicle: Vehicle) -> int | None:
        """Take note of a message; the result to answer with, None where it is itself an answer."""
        if isinstance(body, TerminalAnswer):
            vehicle.answered(body.to, body.serial, _OUTCOMES.get(body.result, f"result {body.result}"))
            return None
        if isinstance(body, Location):
            vehicle.reported(body)
        elif isinstance(body, ControlAnswer):
            vehicle.reported(body.location)
            cut = bool(body.location.status & (Status.CIRCUIT_CUT | Status.FUEL_CUT))
            vehicle.answered(VehicleControl.number, body.serial, "done, drive cut" if cut else "done")
        elif isinstance(body, Parameters):
            vehicle.settings = body.parameters
            vehicle.answered(AskParameters.number, body.serial, "done")
        elif isinstance(body, UpgradeResult):
            vehicle.answered(Upgrade.number, None, "done" if body.result == DONE else "failed")
        elif isinstance(body, SignOff):
            self.vehicle, vehicle.online = None, False
        elif not isinstance(body, Heartbeat | ThroughUp):
            return UNSUPPORTED
        return DONE

    def _say(self, body: Body) -> bytes:
        parts = split(message_of(body, self._phone, self._serial, self._edition))
        self._serial = (self._serial + len(parts)) & 0xFFFF
        return b"".join(encode(part) for part in parts)


def spelled(order: Order, edition: Edition) -> Body:
    """The order as this vendor writes it in JT/T 808: by the standard where it has a message, else by `vendor`.

    Raises:
        ValueError: the order does not exist here.
    """
    if order.name not in _SPELLED:
        raise ValueError(f"this vendor cannot send {order.name} by JT/T 808")
    return _SPELLED[order.name](order, edition is Edition.Y2019)


def _drive(stop: bool) -> Callable[[Order, bool], Body]:
    cut, control = TerminalControl(CUT if stop else RESTORE), VehicleControl(controls=((DRIVE, int(stop)),))
    return lambda _, newest: control if newest else cut


def _doors(unlock: bool) -> Callable[[Order, bool], Body]:
    return lambda _, __: VehicleControl(flags=int(not unlock), controls=((DOOR, int(unlock)),))


def _parameter(number: int, argument: str, width: int) -> Callable[[Order, bool], Body]:
    return lambda order, _: SetParameters(((number, order.number(argument).to_bytes(width)),))


def _preheat(order: Order, _newest: bool) -> Body:
    return ThroughDown(CLIMATE, bytes([order.number("degc") + 40, order.number("minutes")]))


def _update(order: Order, newest: bool) -> Body:
    url, version = order.words("url"), order.words("version")
    # 2019 has no upgrade by URL any more; this vendor sends the URL as the package instead.
    by_url = (url, *("",) * 8, version, "")
    return Upgrade(0, "", version, url.encode()) if newest else TerminalControl(_UPGRADE, by_url)


_SPELLED: Mapping[str, Callable[[Order, bool], Body]] = {
    "remote-stop": _drive(stop=True),
    "release": _drive(stop=False),
    "speed-limit": _parameter(MAXIMUM_SPEED, "kmh", 4),
    "torque-limit": _parameter(TORQUE, "percent", 1),
    "charge-limit": _parameter(CHARGE, "amperes", 2),
    "door-unlock": _doors(unlock=True),
    "door-lock": _doors(unlock=False),
    "preheat": _preheat,
    "update": _update,
    "diagnose": lambda order, _: ThroughDown(TUNNEL, f"{order.words('target')}:{order.words('requests')}".encode()),
    "text": lambda order, _: Text(1, text_of(order)),
    "reset": lambda _, __: TerminalControl(_RESET),
    "ask-settings": lambda _, __: AskParameters(),
}
