"""MQTT as a terminal speaks it: connects, subscribes to its orders, publishes its status as JSON.

Law: every order is answered once on the answer topic, with its number and whether it is known.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from busgate_sim.cloud import mqtt
from busgate_sim.cloud.mqtt import Kind, Packet, Packets
from busgate_sim.cloud.octets import Refused
from busgate_sim.cloud.speaks_mqtt import topic
from busgate_sim.tbox_firmware.cloud_command import UNKNOWN, CloudCommand, understand_text
from busgate_sim.tbox_firmware.speech import Heard, Standing
from busgate_sim.tbox_firmware.telemetry import Telemetry


class IdentityMqtt(NamedTuple):
    """Who the vehicle is: its VIN is client and user name."""

    vin: str
    password: str = "synthetic"  # noqa: S105 - of a simulated vehicle


class SpeechMqtt:
    """One vehicle's speech."""

    def __init__(self, identity: IdentityMqtt) -> None:
        """Nothing is connected."""
        self.standing = Standing.PENDING
        self._identity = identity
        self._packets = Packets()

    def begin(self, at: int) -> bytes:
        """CONNECT."""
        del at
        self.standing = Standing.PENDING
        self._packets = Packets()
        vin = self._identity.vin
        return mqtt.connect(vin, vin, self._identity.password)

    def heard(self, data: bytes, at: int, values: Telemetry) -> Heard:
        """What came, and the answers to it."""
        del at, values
        heard = Heard()
        for found in self._packets.feed(data):
            if isinstance(found, Refused):
                heard.refused.append(found.reason)
            else:
                heard.answered = True
                heard.back += self._take(found, heard)
        return heard

    def report(self, values: Telemetry, at: int, *, late: bool = False) -> bytes:
        """The vehicle's status as JSON."""
        told = {"at": at // 1_000_000, "late": late, **{name: _plain(value) for name, value in values.items()}}
        return self._says("status", told)

    def heartbeat(self) -> bytes:
        """PINGREQ."""
        return mqtt.packet(Kind.PINGREQ)

    def through(self, kind: int, data: bytes) -> bytes:
        """Octets passed through, in hexadecimal."""
        return self._says("answer", {"id": 0, "outcome": f"{kind:02x}:{data.decode('latin-1')}"})

    def upgraded(self, *, done: bool) -> bytes:
        """What became of an update."""
        return self._says("answer", {"id": 0, "outcome": "updated" if done else "update failed"})

    def sign_off(self, at: int) -> bytes:
        """DISCONNECT."""
        del at
        return mqtt.packet(Kind.DISCONNECT)

    def _take(self, came: Packet, heard: Heard) -> bytes:
        if came.kind == Kind.CONNACK:
            self.standing = Standing.DONE if came.rest[1:2] == b"\x00" else Standing.FAILED
            done = self.standing is Standing.DONE
            return mqtt.subscribe(topic(self._identity.vin, "command"), 1) if done else b""
        if came.kind != Kind.PUBLISH:
            return b""
        said = mqtt.published(came)
        if isinstance(said, Refused):
            heard.refused.append(said.reason)
            return b""
        _, number, payload = said
        command, order = _understood(payload)
        heard.commands.append(command)
        outcome = "unknown" if command.kind == UNKNOWN else "done"
        acknowledged = b"" if number is None else mqtt.packet(Kind.PUBACK, number.to_bytes(2))
        return acknowledged + self._says("answer", {"id": order, "outcome": outcome})

    def _says(self, what: str, told: object) -> bytes:
        return mqtt.publish(topic(self._identity.vin, what), json.dumps(told).encode())


def _understood(payload: bytes) -> tuple[CloudCommand, int]:
    """What an order asks for, and its number."""
    try:
        told = json.loads(payload)
        text = ",".join([str(told["cmd"]), *map(str, told["args"])]) + "#"
        number = int(told["id"])
    except (ValueError, KeyError, TypeError):
        return CloudCommand(UNKNOWN, {}, payload, "mqtt:command"), 0
    kind, arguments = understand_text(text)
    return CloudCommand(UNKNOWN if kind == "tbox.text" else kind, arguments, payload, "mqtt:command"), number


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
