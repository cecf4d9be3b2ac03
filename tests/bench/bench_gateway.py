"""The whole gate per frame, against cantools decoding the same frames, and a python-can read loop with cantools."""

from __future__ import annotations

from typing import Any

import can
import cantools
import cantools.database
from turns import medians

from busgate.bridge.channels import SideMap
from busgate.bridge.trace import Trace
from busgate.gateway import Gateway
from busgate.model import EXTENDED, IDENTIFIER, Frame, Mode
from busgate.service import load
from busgate.service.places import scenario

FULL_PAIR = 8000  # frames a second on both wires of a 500 kbit/s pair, as the issue sizes it


def rows() -> list[dict[str, Any]]:
    vehicle = load.vehicle("demo-ebus")
    trace = scenario("demo-day.log")
    policy = load.policy(vehicle.folder / "policy.yaml", operator=None, unsigned=True)
    sides = SideMap(["can1"], ["can0"])
    units = [unit for unit in Trace(trace, sides) if isinstance(unit, Frame)]
    database = cantools.database.Database()
    for name in vehicle.profile.dbc:
        database.add_dbc_string((vehicle.folder / name).read_text(encoding="utf-8"))
    by_id = {
        message.frame_id | (EXTENDED if message.is_extended_frame else 0): message for message in database.messages
    }
    known = [(by_id[unit.can_id], unit.data) for unit in units if unit.can_id in by_id]

    def gate() -> Gateway:
        made = Gateway(vehicle.profile, vehicle.database, mode=Mode.ENFORCE, wall_offset=0)
        made.adopt(policy.policy, units[0].at, signed=False)
        return made

    def through_gate() -> None:
        receive = gate().receive
        for unit in units:
            receive(unit)

    def cantools_decodes() -> None:
        for message, data in known:
            try:
                message.decode(data)
            except Exception:  # noqa: BLE001, S112 - the peer refuses the scenario's malformed frames, and is not charged for it
                continue

    def trace_through_gate() -> None:
        receive = gate().receive
        for unit in Trace(trace, sides):
            receive(unit)

    def python_can_and_cantools() -> None:
        for message in can.LogReader(str(trace)):
            layout = by_id.get(message.arbitration_id & IDENTIFIER | (EXTENDED if message.is_extended_id else 0))
            if layout is None:
                continue
            try:
                layout.decode(bytes(message.data))
            except Exception:  # noqa: BLE001, S112 - as above
                continue

    took = medians(
        {
            "gate": through_gate,
            "cantools": cantools_decodes,
            "trace": trace_through_gate,
            "loop": python_can_and_cantools,
        }
    )
    ours, theirs = len(units) / took["gate"], len(known) / took["cantools"]
    whole, loop = len(units) / took["trace"], len(units) / took["loop"]
    share = FULL_PAIR / ours * 100
    return [
        {
            "name": "live frames through Gateway.receive",
            "value": ours,
            "unit": "frames/s",
            "peer": "cantools decode_message",
            "ratio": ours / theirs,
        },
        {
            "name": "trace file through reader and Gateway.receive",
            "value": whole,
            "unit": "frames/s",
            "peer": "python-can LogReader + cantools",
            "ratio": whole / loop,
        },
        {
            "name": "one core at a full 500 kbit/s pair (8,000 frames/s)",
            "value": share,
            "unit": "% core",
            "peer": "cantools decode_message",
            "ratio": FULL_PAIR / theirs * 100 / share,
        },
    ]
