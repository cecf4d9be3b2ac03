"""What the cloud wants from the T-box: messages and short messages to commands that have a name.

Law: every message that asks for something becomes one `CloudCommand`, known or not, with its octets: what the T-box
then says on the bus can be traced back to them. Kinds are named as `acts` where they concern the vehicle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite

from busgate_sim.cloud import gb32960_commands, jt808, vendor
from busgate_sim.cloud.gb32960 import Packet
from busgate_sim.cloud.gb32960_bodies import Body as PacketBody
from busgate_sim.cloud.jt808 import Message
from busgate_sim.cloud.jt808_bodies import Body as MessageBody
from busgate_sim.cloud.jt808_bodies import read_body
from busgate_sim.cloud.jt808_commands import (
    DOOR,
    MAXIMUM_SPEED,
    AskSomeParameters,
    Parameter,
    SetParameters,
    TerminalControl,
    Text,
    ThroughDown,
    Upgrade,
    VehicleControl,
)
from busgate_sim.cloud.jt808_session import AskParameters
from busgate_sim.cloud.octets import Refused, free_text
from busgate_sim.tbox_firmware.talks import is_talk

Arguments = Mapping[str, float | str]
Meaning = tuple[str, Arguments]

UNKNOWN = "tbox.unknown"


@dataclass(frozen=True, slots=True)
class CloudCommand:
    """One command: `kind` and `arguments` as `acts` take them, or a kind of the T-box itself, `tbox.`.

    `raw` is the body of the message that carried it, unescaped and put together, `message_id` which message that was:
    `jt808:8500`, `gb32960:82`, `sms`.
    """

    kind: str
    arguments: Arguments = field(default_factory=dict)
    raw: bytes = b""
    message_id: str = ""


def _stop(stop: bool) -> Meaning:
    return ("drive.stop" if stop else "drive.release"), {}


def _doors(unlock: bool) -> Meaning:
    return "doors", {"request": "Unlock" if unlock else "Lock"}


def _charge(amperes: float) -> Meaning:
    return "charge", {"request": "Limit", "current": float(amperes)}


def _limit(which: str, most: float) -> Meaning:
    return "drive.limit", {which: float(most)}


def _climate(degc: float, minutes: float) -> Meaning:
    return "climate", {"mode": "Preheat", "target": float(degc), "minutes": float(minutes)}


def _update(url: str, version: str) -> Meaning:
    return "tbox.update", {"url": url, "version": version}


def _diagnose(text: str) -> Meaning:
    target, colon, requests = text.partition(":")
    known = colon and is_talk(target, requests)
    return ("diagnose", {"target": target, "requests": requests}) if known else (UNKNOWN, {})


def understand_808(message: Message, body: MessageBody | Refused) -> CloudCommand | None:
    """What a message of JT/T 808 asks for; None for answers."""
    if message.number in {0x8001, 0x8100}:
        return None
    kind, arguments = _of_808(body)
    return CloudCommand(kind, arguments, message.body, f"jt808:{message.number:04X}")


def _of_808(body: MessageBody | Refused) -> Meaning:
    match body:
        case VehicleControl():
            meaning = _of_control(body)
        case TerminalControl():
            meaning = _of_word(body)
        case SetParameters(parameters):
            meaning = _of_parameters(parameters)
        case ThroughDown(kind, data) if kind == vendor.CLIMATE and len(data) == 2:
            meaning = _climate(data[0] - 40, data[1])
        case ThroughDown(kind, data) if kind == vendor.TUNNEL:
            meaning = _diagnose(free_text(data))
        case Upgrade():
            meaning = _update(free_text(body.package), body.version)
        case Text():
            meaning = understand_text(body.text)
        case AskParameters() | AskSomeParameters():
            meaning = "tbox.ask", {}
        case _:
            meaning = UNKNOWN, {}
    return meaning


def _of_parameters(parameters: tuple[Parameter, ...]) -> Meaning:
    if len(parameters) == 1 and (meaning := _PARAMETERS.get(parameters[0][0])) is not None:
        return meaning(int.from_bytes(parameters[0][1]))
    return "tbox.settings", {f"{number:04X}": value.hex() for number, value in parameters}


_PARAMETERS: Mapping[int, Callable[[int], Meaning]] = {
    MAXIMUM_SPEED: lambda value: _limit("speed", value),
    vendor.TORQUE: lambda value: _limit("torque", value),
    vendor.CHARGE: _charge,
}


def _of_control(body: VehicleControl) -> Meaning:
    if not body.controls:
        return _doors(not body.flags & 1)
    number, value = body.controls[0]
    if number == DOOR:
        return _doors(value == 1)
    return _stop(value == 1) if number == vendor.DRIVE else (UNKNOWN, {})


def _of_word(body: TerminalControl) -> Meaning:
    if body.word in {vendor.CUT, vendor.RESTORE}:
        return _stop(body.word == vendor.CUT)
    if body.word == 1 and len(body.parameters) == 11:
        return _update(body.parameters[0], body.parameters[9])
    kinds = {2: "tbox.server", 3: "tbox.off", 4: "tbox.reset", 5: "tbox.factory", 6: "tbox.off", 7: "tbox.off"}
    return kinds.get(body.word, UNKNOWN), {str(place): text for place, text in enumerate(body.parameters)}


def understand_32960(packet: Packet, body: PacketBody | Refused) -> CloudCommand:
    """What a packet of GB/T 32960 that is no answer asks for."""
    kind, arguments = _of_32960(body)
    return CloudCommand(kind, arguments, packet.data, f"gb32960:{packet.command:02X}")


def _of_32960(body: PacketBody | Refused) -> Meaning:
    match body:
        case gb32960_commands.Query():
            return "tbox.ask", {}
        case gb32960_commands.Settings():
            return "tbox.settings", {f"{number:02X}": value.hex() for number, value in body.values}
        case gb32960_commands.Control(_, control, argument) if control in _CONTROLS:
            width, meaning = _CONTROLS[control]
            return meaning(argument) if width in {None, len(argument)} else (UNKNOWN, {})
    return UNKNOWN, {}


def _of_upgrade(argument: bytes) -> Meaning:
    fields = gb32960_commands.upgrade_fields(argument)
    if isinstance(fields, Refused):
        return UNKNOWN, {}
    return _update(free_text(fields["url"]), free_text(fields["firmware"].rstrip(b"\0")))


_CONTROLS: Mapping[int, tuple[int | None, Callable[[bytes], Meaning]]] = {
    gb32960_commands.UPGRADE: (None, _of_upgrade),
    gb32960_commands.POWER_OFF: (0, lambda _: ("tbox.off", {})),
    gb32960_commands.RESET: (0, lambda _: ("tbox.reset", {})),
    gb32960_commands.FACTORY_SETTINGS: (0, lambda _: ("tbox.factory", {})),
    gb32960_commands.CUT_LINK: (0, lambda _: ("tbox.off", {})),
    gb32960_commands.VENDOR_LOCK: (1, lambda argument: _stop(argument[0] == vendor.LOCKED)),
    vendor.TORQUE_32960: (1, lambda argument: _limit("torque", argument[0])),
    vendor.SPEED_32960: (1, lambda argument: _limit("speed", argument[0])),
    vendor.CHARGE_32960: (2, lambda argument: _charge(int.from_bytes(argument))),
    vendor.DOORS_32960: (1, lambda argument: _doors(argument[0] == 1)),
    vendor.CLIMATE_32960: (2, lambda argument: _climate(argument[0] - 40, argument[1])),
    vendor.TEXT_32960: (None, lambda argument: understand_text(free_text(argument))),
}


def understand_sms(data: bytes) -> CloudCommand:
    """What a short message asks for: a frame of JT/T 808, or a text command."""
    if data[:1] == bytes([jt808.DELIMITER]):
        message = jt808.decode(data)
        meaning = _of_808(read_body(message)) if isinstance(message, Message) else (UNKNOWN, {})
    else:
        meaning = understand_text(free_text(data))
    return CloudCommand(*meaning, raw=data, message_id="sms")


def understand_text(text: str) -> Meaning:
    """What a text asks for: a text command of this vendor, or to be shown."""
    word, *said = text.rstrip("#").split(",")
    name = vendor.ORDER_OF_WORD.get(word) if text.endswith("#") else None
    if name in {"update", "diagnose"} and len(said) == 2:
        return _update(*said) if name == "update" else _diagnose(":".join(said))
    count, meaning = _TEXTS.get(name or "", (-1, _shown))
    try:
        numbers = [float(each) for each in said]
    except ValueError:
        return _shown(text)
    return meaning(*numbers) if count == len(numbers) and all(map(isfinite, numbers)) else _shown(text)


def _shown(text: str) -> Meaning:
    return "tbox.text", {"text": text}


_TEXTS: Mapping[str, tuple[int, Callable[..., Meaning]]] = {
    "remote-stop": (0, lambda: _stop(stop=True)),
    "release": (0, lambda: _stop(stop=False)),
    "door-unlock": (0, lambda: _doors(unlock=True)),
    "door-lock": (0, lambda: _doors(unlock=False)),
    "reset": (0, lambda: ("tbox.reset", {})),
    "torque-limit": (1, lambda percent: _limit("torque", percent)),
    "speed-limit": (1, lambda kmh: _limit("speed", kmh)),
    "charge-limit": (1, _charge),
    "preheat": (2, _climate),
}
"""By order: how many numbers, and what they mean."""
