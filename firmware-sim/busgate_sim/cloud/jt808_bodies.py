"""Which body a message has by its number, and messages made of bodies.

Law: a body that does not follow the standard is `Refused`, never an exception; messages this simulator has no use
for, such as areas and routes (0x8600-0x8608), stay octets in a `Raw`.
"""

from __future__ import annotations

from dataclasses import dataclass

from busgate_sim.cloud.jt808 import Edition, Message
from busgate_sim.cloud.jt808_commands import (
    AskSomeParameters,
    Parameters,
    SetParameters,
    TaxiControl,
    TerminalControl,
    Text,
    ThroughDown,
    ThroughUp,
    Upgrade,
    UpgradeResult,
    VehicleControl,
)
from busgate_sim.cloud.jt808_location import ControlAnswer, Location
from busgate_sim.cloud.jt808_session import (
    AskParameters,
    Authentication,
    Heartbeat,
    PlatformAnswer,
    Registration,
    RegistrationAnswer,
    SignOff,
    TerminalAnswer,
)
from busgate_sim.cloud.octets import Refused, reading


@dataclass(frozen=True, slots=True)
class Raw:
    """A body left as its octets, because of its number or because it is encrypted."""

    number: int
    data: bytes

    def write(self, _edition: Edition) -> bytes:
        """The body's octets."""
        return self.data


Understood = (
    TerminalAnswer
    | PlatformAnswer
    | Heartbeat
    | SignOff
    | Registration
    | RegistrationAnswer
    | Authentication
    | Location
    | ControlAnswer
    | AskParameters
    | AskSomeParameters
    | Parameters
    | SetParameters
    | TerminalControl
    | VehicleControl
    | Text
    | ThroughDown
    | ThroughUp
    | Upgrade
    | UpgradeResult
)
Body = Understood | TaxiControl | Raw

BODIES: dict[int, type[Understood]] = {kind.number: kind for kind in Understood.__args__}
"""The bodies of JT/T 808 by message number."""


def read_body(message: Message, *, taxi: bool = False) -> Body | Refused:
    """The body of a whole message; `taxi` reads 0x8500 by JT/T 905."""
    kind: type[Understood | TaxiControl] | None = BODIES.get(message.number)
    if taxi and message.number == TaxiControl.number:
        kind = TaxiControl
    if kind is None or message.encryption or message.parts:
        return Raw(message.number, message.body)
    read = kind.read
    return reading(lambda octets: read(octets, message.edition), message.body, f"body of 0x{message.number:04X}")


def message_of(body: Body, phone: str, serial: int, edition: Edition = Edition.Y2019) -> Message:
    """A message with this body; it may be too long for one frame.

    Raises:
        ValueError: a field of the body does not fit.
    """
    try:
        return Message(body.number, phone, serial & 0xFFFF, body.write(edition), edition)
    except (OverflowError, ValueError) as unfit:
        raise ValueError(f"0x{body.number:04X}: {unfit}") from unfit
