"""The whole gate per frame, against cantools decoding the same frames, and a python-can read loop with cantools."""

from __future__ import annotations

from typing import Any

import can
from cantools.database import DecodeError
from cantools.database.can import Database, Message
from turns import medians

from busgate.bridge.channels import SideMap
from busgate.bridge.trace import Trace
from busgate.gateway import Gateway
from busgate.model import EXTENDED, IDENTIFIER, Frame, Mode, Side, Unit
from busgate.service import load
from busgate.service.places import scenario

FULL_PAIR = 8000  # frames a second on both wires of a 500 kbit/s pair, as the issue sizes it
TRACE = scenario("demo-day.log")
SIDES = SideMap(["can1"], ["can0"])


class Peer:
    """python-can and cantools on the same file with the same DBC."""

    def __init__(self, vehicle: load.Vehicle, units: list[Frame]) -> None:
        database = Database()
        for name in vehicle.profile.dbc:
            database.add_dbc_string((vehicle.folder / name).read_text(encoding="utf-8"))
        self.by_id = {each.frame_id | (EXTENDED if each.is_extended_frame else 0): each for each in database.messages}
        self.known = [(self.by_id[unit.can_id], unit.data) for unit in units if unit.can_id in self.by_id]

    def decode_all(self) -> None:
        for message, data in self.known:
            decoded(message, data)

    def read_and_decode(self) -> None:
        for message in can.LogReader(str(TRACE)):
            can_id = message.arbitration_id & IDENTIFIER | (EXTENDED if message.is_extended_id else 0)
            layout = self.by_id.get(can_id)
            if layout is not None:
                decoded(layout, bytes(message.data))


def decoded(layout: Message, data: bytes) -> object:
    """The peer's decode; where it refuses the scenario's malformed frames, that is its answer."""
    try:
        return layout.decode(data)
    except (DecodeError, ValueError):
        return None


class Ours:
    """The gate in enforce mode, made anew for each turn since its time runs one way only."""

    def __init__(self, vehicle: load.Vehicle, units: list[Frame]) -> None:
        self.vehicle = vehicle
        self.units = units
        self.policy = load.policy(vehicle.folder / "policy.yaml", operator=None, unsigned=True).policy

    def receive(self, units: list[Frame] | Trace) -> None:
        gate = Gateway(self.vehicle.profile, self.vehicle.database, mode=Mode.ENFORCE, wall_offset=0)
        gate.adopt(self.policy, self.units[0].at, signed=False)
        unit: Unit
        for unit in units:
            gate.receive(unit)


def rows() -> list[dict[str, Any]]:
    vehicle = load.vehicle("demo-ebus")
    units = [unit for unit in Trace(TRACE, SIDES) if isinstance(unit, Frame)]
    ours, peer = Ours(vehicle, units), Peer(vehicle, units)
    telemetry = [unit for unit in units if unit.side is Side.VEHICLE]
    told = Peer(vehicle, telemetry)
    took = medians(
        {
            "gate": lambda: ours.receive(units),
            "cantools": peer.decode_all,
            "telemetry": lambda: ours.receive(telemetry),
            "cantools telemetry": told.decode_all,
            "trace": lambda: ours.receive(Trace(TRACE, SIDES)),
            "loop": peer.read_and_decode,
        }
    )
    live, decoding = len(units) / took["gate"], len(peer.known) / took["cantools"]
    whole, loop = len(units) / took["trace"], len(units) / took["loop"]
    core = FULL_PAIR / live * 100
    names = "cantools decode_message", "python-can LogReader + cantools"
    return [
        row("live frames through Gateway.receive", live, "frames/s", names[0], live / decoding),
        row(
            "of these the vehicle's, which need no verdict",
            len(telemetry) / took["telemetry"],
            "frames/s",
            names[0],
            len(telemetry) / took["telemetry"] / (len(told.known) / took["cantools telemetry"]),
        ),
        row("trace file through reader and Gateway.receive", whole, "frames/s", names[1], whole / loop),
        row("one core at a full 500 kbit/s pair (8,000 frames/s)", core, "% core", names[0], live / decoding),
    ]


def row(name: str, value: float, unit: str, peer: str, ratio: float) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "peer": peer, "ratio": ratio}
