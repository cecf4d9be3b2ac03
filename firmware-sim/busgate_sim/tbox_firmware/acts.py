"""What the T-box can be made to do on the bus: each act as the frames that it takes, with their times.

Law: an act only says frames; whether it ought to pass stands in the scenario, never here.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping

from busgate.model import EXTENDED, REMOTE
from busgate_sim.encoder import Sent, Spoken, Values, group
from busgate_sim.segments import broadcast, consecutive, first, single
from busgate_sim.tbox_firmware.unit import SA, Step
from busgate_sim.world import MILLISECOND, SECOND

Arguments = Mapping[str, float | str]

VCU, BMS, INVERTER = 0x27, 0xF3, 0x8A
_NONE = "NotAvailable"


def drive_stop(_: Arguments) -> Iterator[Step]:
    """Stops the drive."""
    yield _drive(0, "Stop", 0.0, 0)


def drive_release(_: Arguments) -> Iterator[Step]:
    """Takes back what was asked of the drive."""
    yield _drive(0, "Limit", 100.0, _NONE)


def drive_limit(told: Arguments) -> Iterator[Step]:
    """Limits torque (`torque`, per cent) or speed (`speed`, km/h), in `steps` steps `every` seconds apart."""
    steps, every = int(_number(told, "steps", 1)), _number(told, "every", 0.5)
    torque, speed = told.get("torque", _NONE), told.get("speed", _NONE)
    for step in range(steps):
        now = torque if isinstance(torque, str) else 100.0 - (100.0 - torque) * (step + 1) / steps
        yield _drive(round(step * every * SECOND), "Limit", now, speed)


def battery(told: Arguments) -> Iterator[Step]:
    """Opens or closes the contactors (`contactors`), or limits `charge` or `discharge` in A."""
    yield Step(0, Spoken("TboxBmsCommand", {
        "ContactorRequest": told.get("contactors", "None"),
        "ChargeCurrentLimit": told.get("charge", _NONE),
        "DischargeCurrentLimit": told.get("discharge", _NONE),
    }))  # fmt: skip


def charge(told: Arguments) -> Iterator[Step]:
    """Starts, stops or limits charging (`request`), with `current` in A and `soc` in per cent."""
    yield Step(0, Spoken("TboxChargeCommand", {
        "ChargeRequest": told.get("request", "Limit"),
        "CurrentLimit": told.get("current", _NONE),
        "TargetSoc": told.get("soc", _NONE),
    }))  # fmt: skip


def climate(told: Arguments) -> Iterator[Step]:
    """Preheats, precools or ventilates the saloon (`mode`) to `target` degC for `minutes`."""
    yield Step(0, Spoken("TboxHvacCommand", {
        "Mode": told.get("mode", "Preheat"),
        "TargetTemperature": told.get("target", 21.0),
        "Duration": told.get("minutes", 20),
    }))  # fmt: skip


def doors(told: Arguments) -> Iterator[Step]:
    """Unlocks, opens, closes or locks (`request`) one door or `All`."""
    values: Values = {"DoorRequest": told.get("request", "Unlock"), "Door": told.get("door", "All")}
    yield Step(0, Spoken("TboxDoorCommand", values))


def tsc1(told: Arguments) -> Iterator[Step]:
    """Limits an inverter's torque with J1939's TSC1, each 10 ms for `seconds`; `sa` is whom it claims to be."""
    for cycle in range(int(_number(told, "seconds", 1.0) * 100)):
        values: Values = {
            "OverrideCtrlMode": "SpeedTorqueLimit",
            "RequestedSpeedCtrlConditions": 0,
            "OverrideCtrlModePriority": "Highest",
            "RequestedSpeedOrSpeedLimit": 0.0,
            "RequestedTorqueOrTorqueLimit": told.get("torque", 0.0),
            "MessageCounter": cycle % 8,
        }
        yield Step(cycle * 10 * MILLISECOND, Spoken("TSC1", values, int(_number(told, "sa", SA)), INVERTER))


def power_down(told: Arguments) -> Iterator[Step]:
    """Disconnects the high-voltage bus with J1939's HVESSC1."""
    values: Values = {"HvBusConnect": "Disconnect", "PowerDown": "PowerDown", "OperationalConsent": "Off"}
    for cycle in range(int(_number(told, "times", 5))):
        yield Step(cycle * 100 * MILLISECOND, Spoken("HVESSC1", values, int(_number(told, "sa", SA))))


def lie(told: Arguments) -> Iterator[Step]:
    """Says under the VCU's address that the bus does `speed` km/h with its park brake set."""
    values: Values = {"ParkingBrakeSwitch": "Set", "WheelBasedVehicleSpeed": told.get("speed", 0.0)}
    for cycle in range(int(_number(told, "times", 10))):
        yield Step(cycle * 20 * MILLISECOND, Spoken("CCVS1", values, int(_number(told, "sa", VCU))))


def reset(told: Arguments) -> Iterator[Step]:
    """Asks one node or all to reset with J1939's RESET (SAE J1939-71, PGN 56832)."""
    yield Step(0, Sent(group(6, 0xDE00, SA, int(_number(told, "da", BMS))), bytes([1]) + b"\xff" * 7))


def clear_faults(_: Arguments) -> Iterator[Step]:
    """Asks all nodes to clear their active faults (SAE J1939-73, DM11)."""
    yield Step(0, Sent(group(6, 0xEA00, SA), (0xFED3).to_bytes(3, "little")))


def commanded_address(told: Arguments) -> Iterator[Step]:
    """Commands a node to another address, by broadcast transport (SAE J1939-81, 4.2.3)."""
    name = bytes.fromhex("1032547600f30280") + bytes([int(_number(told, "address", 0x55))])
    yield from _broadcast(0xFED8, name)


def proprietary(told: Arguments) -> Iterator[Step]:
    """Sends a proprietary group (`pgn`) with `data` in hexadecimal to `da`."""
    data = bytes.fromhex(str(told.get("data", "0101")))
    da = int(_number(told, "da", BMS))
    if len(data) <= 8:
        yield Step(0, Sent(group(6, int(_number(told, "pgn", 0xEF00)), SA, da), data))
    else:
        yield from _broadcast(int(_number(told, "pgn", 0xEF00)), data)


def raw(told: Arguments) -> Iterator[Step]:
    """Sends any frame: `id`, `data` in hexadecimal, `times`, `every` in ms, `extended` or `remote` as 1."""
    can_id = int(_number(told, "id", 0x600)) | (EXTENDED if told.get("extended") else 0)
    can_id |= REMOTE if told.get("remote") else 0
    data = bytes.fromhex(str(told.get("data", "")))
    for number in range(int(_number(told, "times", 1))):
        yield Step(round(number * _number(told, "every", 10) * MILLISECOND), Sent(can_id, data))


def flood(told: Arguments) -> Iterator[Step]:
    """Sends `frames` of one identifier as fast as the wire takes them."""
    can_id, frames = int(_number(told, "id", 0x501)), int(_number(told, "frames", 1000))
    for number in range(frames):
        yield Step(number * MILLISECOND, Sent(can_id, number.to_bytes(4, "little")))


def sweep(told: Arguments) -> Iterator[Step]:
    """Sends each 11-bit identifier from `low` to `high` once, as a scan for what answers does."""
    for place, can_id in enumerate(range(int(_number(told, "low", 0x600)), int(_number(told, "high", 0x6FF)) + 1)):
        yield Step(place * 5 * MILLISECOND, Sent(can_id, bytes(8)))


def uds(told: Arguments) -> Iterator[Step]:
    """Sends one diagnostic request (`request` in hexadecimal) to `target`, without waiting for flow control."""
    request, can_id = bytes.fromhex(str(told["request"])), _request_id(told)
    if len(request) <= 7:
        yield Step(0, Sent(can_id, single(request)))
        return
    yield Step(0, Sent(can_id, first(request)))
    for number, data in enumerate(consecutive(request), 1):
        yield Step(number * 5 * MILLISECOND, Sent(can_id, data))


def scan(told: Arguments) -> Iterator[Step]:
    """Asks each address from `low` to `high` for a session, as a scan for ECUs does (ISO 14229-1, 0x10)."""
    for place, ta in enumerate(range(int(_number(told, "low", 0x00)), int(_number(told, "high", 0xFF)) + 1)):
        yield Step(place * 10 * MILLISECOND, Sent(group(6, 0xDA00, SA, ta), single(b"\x10\x03")))


def fragments(told: Arguments) -> Iterator[Step]:
    """Drip-feeds one diagnostic request in frames `every` ms apart, with other requests between them."""
    request, can_id = bytes.fromhex(str(told["request"])), _request_id(told)
    gap = round(_number(told, "every", 300) * MILLISECOND)
    yield Step(0, Sent(can_id, first(request)))
    for number, data in enumerate(consecutive(request), 1):
        yield Step(number * gap - gap // 2, Sent(group(6, 0xDA00, SA, VCU), single(b"\x3e\x00")))
        yield Step(number * gap, Sent(can_id, data))


def tricks(told: Arguments) -> Iterator[Step]:
    """ISO-TP that lies: wrong lengths, frames that continue nothing, reserved types, `seed` decides their order."""
    can_id = _request_id(told)
    lies = [
        first(b"\x2e\xf1\x90\x00\x01\x02", length=5),
        first(b"\x34\x00\x44\x00\x00\x00", length=0),
        bytes([0x21]) + bytes(7),
        bytes([0x23]) + bytes(7),
        bytes([0x4F]) + bytes(7),
        bytes([0x5F]) + bytes(7),
        bytes([0x00]) + bytes(7),
        bytes([0x0F]) + bytes(7),
        b"\x10",
        b"",
    ]
    random.Random(int(_number(told, "seed", 1))).shuffle(lies)  # noqa: S311 - an order, not a secret
    for place, data in enumerate(lies):
        yield Step(place * 50 * MILLISECOND, Sent(can_id, data))


ACTS: Mapping[str, Callable[[Arguments], Iterator[Step]]] = {
    "drive.stop": drive_stop,
    "drive.release": drive_release,
    "drive.limit": drive_limit,
    "battery": battery,
    "charge": charge,
    "climate": climate,
    "doors": doors,
    "tsc1": tsc1,
    "power-down": power_down,
    "lie": lie,
    "reset": reset,
    "clear-faults": clear_faults,
    "commanded-address": commanded_address,
    "proprietary": proprietary,
    "raw": raw,
    "flood": flood,
    "sweep": sweep,
    "uds": uds,
    "scan": scan,
    "fragments": fragments,
    "tricks": tricks,
}
"""By the name that a scenario uses."""


def _drive(after: int, request: str, torque: float | str, speed: float | str) -> Step:
    return Step(after, Spoken("TboxDriveCommand", {"RequestType": request, "TorqueLimit": torque, "SpeedLimit": speed}))


def _broadcast(pgn: int, payload: bytes) -> Iterator[Step]:
    for place, (each, data) in enumerate(broadcast(pgn, payload)):
        yield Step(place * 55 * MILLISECOND, Sent(group(6, each, SA), data))


def _request_id(told: Arguments) -> int:
    """The identifier of a request to `target`: an 11-bit one as it stands, else an address of 29-bit diagnostics."""
    target = int(_number(told, "target", BMS))
    return target if target > 0xFF else group(6, 0xDA00, int(_number(told, "sa", SA)), target)


def _number(told: Arguments, name: str, otherwise: float) -> float:
    value = told.get(name, otherwise)
    return otherwise if isinstance(value, str) else value
