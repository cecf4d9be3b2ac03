"""GB/T 32960 as a terminal speaks it: logs in, reports, asks the time, answers what it is told.

Law: every command of the platform is answered once, with its time and whether it is known.
"""

from __future__ import annotations

from typing import NamedTuple

from busgate_sim.cloud.gb32960 import Command, Edition, Packet, Packets, Response, clock, encode
from busgate_sim.cloud.gb32960_bodies import Body, packet_of, read_body
from busgate_sim.cloud.gb32960_commands import Query, Settings
from busgate_sim.cloud.gb32960_session import Answer, Login, Logout, Nothing
from busgate_sim.cloud.octets import Refused
from busgate_sim.tbox_firmware.cloud_command import UNKNOWN, understand_32960
from busgate_sim.tbox_firmware.speech import Heard, Standing
from busgate_sim.tbox_firmware.telemetry import Telemetry, report


class Identity32960(NamedTuple):
    """Who the vehicle is."""

    vin: str
    iccid: str = "89860000000000000042"
    edition: Edition = Edition.Y2016
    batteries: tuple[str, ...] = ("SYNTHETICBATTERY00000421",)


class Speech32960:
    """One vehicle's speech; its login counter and its settings outlive connections."""

    def __init__(self, identity: Identity32960, *, obeys_flawed: bool = False) -> None:
        """`obeys_flawed` makes it obey packets whose check octet is wrong, as some devices do."""
        self.standing = Standing.PENDING
        self.settings = {1: (1000).to_bytes(2), 2: (10).to_bytes(2), 3: (1000).to_bytes(2), 9: b"\x1e"}
        self._identity = identity
        self._obeys_flawed = obeys_flawed
        self._logins = 0
        self._packets = Packets()

    def begin(self, at: int) -> bytes:
        """Log in."""
        self.standing = Standing.PENDING
        self._packets = Packets()
        self._logins = self._logins % 65531 + 1
        codes = self._identity.batteries
        login = Login(clock(at), self._logins, self._identity.iccid, codes, packs=(1,) * len(codes))
        return self._say(Command.LOGIN, login)

    def heard(self, data: bytes, at: int, values: Telemetry) -> Heard:
        """What came, and the answers to it."""
        del at, values  # an answer of this protocol does not say how the vehicle is
        heard = Heard()
        for found in self._packets.feed(data):
            if isinstance(found, Refused):
                heard.refused.append(found.reason)
            elif not found.intact and not self._obeys_flawed:
                heard.refused.append(f"0x{found.command:02X}: wrong check octet")
            else:
                heard.answered = True
                heard.back += self._take(found, heard)
        return heard

    def report(self, values: Telemetry, at: int, *, late: bool = False) -> bytes:
        """A report, or one that could not be sent at its time."""
        body = report(values, at, self._identity.edition)
        return self._say(Command.REISSUE if late else Command.REPORT, body)

    def heartbeat(self) -> bytes:
        """Command 07."""
        return self._say(Command.HEARTBEAT, Nothing())

    def ask_time(self) -> bytes:
        """Command 08."""
        return self._say(Command.CLOCK, Nothing())

    def sign_off(self, at: int) -> bytes:
        """Command 04."""
        return self._say(Command.LOGOUT, Logout(clock(at), self._logins))

    def upgraded(self, *, done: bool) -> bytes:
        """This protocol has no message for it."""
        del done
        return b""

    def through(self, kind: int, data: bytes) -> bytes:
        """Nor for this."""
        del kind, data
        return b""

    def _take(self, packet: Packet, heard: Heard) -> bytes:
        if packet.response != Response.ASKED:
            if packet.command == Command.LOGIN:
                self.standing = Standing.DONE if packet.response == Response.DONE else Standing.FAILED
            return b""
        if self.standing is not Standing.DONE or packet.vin != self._identity.vin:
            heard.refused.append(f"0x{packet.command:02X} before the login or for {packet.vin or 'nobody'}")
            return b""
        body = read_body(packet)
        command = understand_32960(packet, body)
        heard.commands.append(command)
        known = command.kind != UNKNOWN and not isinstance(body, Refused)
        answer: Body = Answer(packet.data[:6] if len(packet.data) >= 6 else b"")
        if isinstance(body, Query):
            asked = tuple((number, self.settings[number]) for number in body.numbers if number in self.settings)
            answer = Settings(body.time, len(asked), asked)
        elif isinstance(body, Settings):
            self.settings.update(dict(body.values))
        return self._say(packet.command, answer, Response.DONE if known else Response.FAILED)

    def _say(self, command: int, body: Body, response: Response = Response.ASKED) -> bytes:
        return encode(packet_of(command, body, self._identity.vin, self._identity.edition, response))
