"""JT/T 808 as a terminal speaks it: registers, authenticates, reports, answers what it is told.

Law: every message of the platform is answered once, with the answer that the standard has for it.
"""

from __future__ import annotations

from typing import NamedTuple

from busgate_sim.cloud.jt808 import Edition, Message, encode
from busgate_sim.cloud.jt808_bodies import Body, message_of, read_body
from busgate_sim.cloud.jt808_commands import (
    MAXIMUM_SPEED,
    AskSomeParameters,
    Parameters,
    SetParameters,
    ThroughUp,
    UpgradeResult,
    VehicleControl,
)
from busgate_sim.cloud.jt808_location import ControlAnswer
from busgate_sim.cloud.jt808_session import (
    DONE,
    FAILED,
    UNSUPPORTED,
    WRONG,
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
from busgate_sim.tbox_firmware.cloud_command import UNKNOWN, understand_808
from busgate_sim.tbox_firmware.speech import Heard, Standing
from busgate_sim.tbox_firmware.telemetry import Telemetry, location

_HEARTBEAT_PERIOD = 0x0001
_REPORT_PERIOD = 0x0029


class Identity808(NamedTuple):
    """Who the terminal is; `phone` in digits. The plate's colour 0 says that the plate is a VIN."""

    phone: str
    vin: str
    edition: Edition = Edition.Y2019
    maker: str = "SYNTH"
    model: str = "TBX-7"
    terminal: str = "0000042"
    imei: str = "350000000000042"
    software: str = "4.17"


class Speech808:
    """One terminal's speech; its authentication code and its settings outlive connections."""

    def __init__(self, identity: Identity808, *, obeys_flawed: bool = False) -> None:
        """`obeys_flawed` makes it obey messages whose checksum is wrong, as some devices do."""
        self.standing = Standing.PENDING
        self.settings = {_HEARTBEAT_PERIOD: (30).to_bytes(4), _REPORT_PERIOD: (10).to_bytes(4)}
        self.settings[MAXIMUM_SPEED] = (80).to_bytes(4)
        self._identity = identity
        self._phone = identity.phone.zfill(20 if identity.edition is Edition.Y2019 else 12)
        self._obeys_flawed = obeys_flawed
        self._code = ""
        self._serial = 0
        self._frames, self._parts = Frames(identity.edition), Parts()

    def begin(self, at: int) -> bytes:
        """Register, or authenticate with the code of an earlier registration."""
        del at  # this protocol's login has no time
        self.standing = Standing.PENDING
        self._frames, self._parts = Frames(self._identity.edition), Parts()
        who = self._identity
        if self._code:
            return self._authenticate()
        return self._say(Registration(44, 300, who.maker, who.model, who.terminal, 0, who.vin))

    def heard(self, data: bytes, at: int, values: Telemetry) -> Heard:
        """What came, and the answers to it."""
        heard = Heard()
        for found in self._frames.feed(data):
            if isinstance(found, Refused):
                heard.refused.append(found.reason)
            elif found.flaws and not self._obeys_flawed:
                heard.refused.append(f"0x{found.number:04X}: wrong {', '.join(found.flaws)}")
            elif (message := self._parts.take(found)) is not None:
                heard.answered = True
                heard.back += self._take(message, at, values, heard)
        return heard

    def report(self, values: Telemetry, at: int, *, late: bool = False) -> bytes:
        """A location report; a late one is told by its time."""
        del late
        return self._say(location(values, at))

    def heartbeat(self) -> bytes:
        """0x0002."""
        return self._say(Heartbeat())

    def sign_off(self, at: int) -> bytes:
        """0x0003; the next connection registers anew."""
        del at
        self._code = ""
        return self._say(SignOff())

    def upgraded(self, *, done: bool) -> bytes:
        """0x0108: what became of an upgrade."""
        return self._say(UpgradeResult(0, DONE if done else FAILED))

    def through(self, kind: int, data: bytes) -> bytes:
        """0x0900."""
        return self._say(ThroughUp(kind, data))

    def _take(self, message: Message, at: int, values: Telemetry, heard: Heard) -> bytes:
        body = read_body(message)
        if isinstance(body, RegistrationAnswer):
            self._code = body.code if body.result == DONE else ""
            if self._code:
                return self._authenticate()
            self.standing = Standing.FAILED
            return b""
        if isinstance(body, PlatformAnswer):
            self._answered(body)
            return b""
        if self.standing is not Standing.DONE:
            heard.refused.append(f"0x{message.number:04X} before the login")
            return self._say(TerminalAnswer(message.serial, message.number, FAILED))
        command = understand_808(message, body)
        if command is not None:
            heard.commands.append(command)
        known = command is not None and command.kind != UNKNOWN
        return self._say(self._answer(message, body, at, values, known=known))

    def _answered(self, body: PlatformAnswer) -> None:
        if body.to == Authentication.number:
            self.standing = Standing.DONE if body.result == DONE else Standing.FAILED
            if self.standing is Standing.FAILED:
                self._code = ""

    def _answer(self, message: Message, body: Body | Refused, at: int, values: Telemetry, *, known: bool) -> Body:
        if isinstance(body, VehicleControl) and known:
            return ControlAnswer(message.serial, location(values, at))
        if isinstance(body, AskParameters):
            return Parameters(message.serial, tuple(self.settings.items()))
        if isinstance(body, AskSomeParameters):
            asked = tuple((number, value) for number, value in self.settings.items() if number in body.numbers)
            return Parameters(message.serial, asked)
        if isinstance(body, SetParameters):
            self.settings.update(dict(body.parameters))
        result = WRONG if isinstance(body, Refused) else DONE if known else UNSUPPORTED
        return TerminalAnswer(message.serial, message.number, result)

    def _authenticate(self) -> bytes:
        return self._say(Authentication(self._code, self._identity.imei, self._identity.software))

    def _say(self, body: Body) -> bytes:
        parts = split(message_of(body, self._phone, self._serial, self._identity.edition))
        self._serial = (self._serial + len(parts)) & 0xFFFF
        return b"".join(encode(part) for part in parts)
