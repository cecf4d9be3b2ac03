"""Which body a packet has by its command, and packets made of bodies.

Law: data that does not follow the standard is `Refused`, never an exception; encrypted data, activation and keys
(09-0B of 2025) and a platform's own commands stay octets in a `Raw`.
"""

from __future__ import annotations

from dataclasses import dataclass

from busgate_sim.cloud.gb32960 import Command, Edition, Encryption, Packet, Response
from busgate_sim.cloud.gb32960_commands import Control, Query, Settings
from busgate_sim.cloud.gb32960_report import Report
from busgate_sim.cloud.gb32960_session import Answer, Login, Logout, Nothing, PlatformLogin
from busgate_sim.cloud.octets import Refused, reading


@dataclass(frozen=True, slots=True)
class Raw:
    """Data left as its octets."""

    data: bytes

    def write(self, _edition: Edition) -> bytes:
        """The data's octets."""
        return self.data


Understood = Login | Logout | PlatformLogin | Nothing | Answer | Report | Query | Settings | Control
Body = Understood | Raw

ASKED: dict[int, type[Understood]] = {
    Command.LOGIN: Login,
    Command.REPORT: Report,
    Command.REISSUE: Report,
    Command.LOGOUT: Logout,
    Command.PLATFORM_LOGIN: PlatformLogin,
    Command.PLATFORM_LOGOUT: Logout,
    Command.HEARTBEAT: Nothing,
    Command.CLOCK: Nothing,
    Command.QUERY: Query,
    Command.SET: Settings,
    Command.CONTROL: Control,
}
"""Bodies of packets that are no answers."""


def read_body(packet: Packet) -> Body | Refused:
    """The body of a packet."""
    kind = ASKED.get(packet.command)
    if kind is None or packet.encryption != Encryption.NONE:
        return Raw(packet.data)
    if packet.response != Response.ASKED:
        queried = packet.command == Command.QUERY and packet.response == Response.DONE
        kind = Settings if queried and len(packet.data) > 6 else Answer
    read = kind.read
    return reading(lambda octets: read(octets, packet.edition), packet.data, f"data of 0x{packet.command:02X}")


def packet_of(
    command: int, body: Body, vin: str, edition: Edition = Edition.Y2016, response: int = Response.ASKED
) -> Packet:
    """A packet with this body.

    Raises:
        ValueError: a field of the body does not fit.
    """
    try:
        return Packet(command, vin, body.write(edition), response, edition)
    except (OverflowError, ValueError) as unfit:
        raise ValueError(f"0x{command:02X}: {unfit}") from unfit
