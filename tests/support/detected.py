"""A small vehicle and hand-made messages for the detectors: what a decoder would have given."""

from __future__ import annotations

from collections.abc import Mapping

from busgate.detect.vehicle import VehicleDetector
from busgate.model import (
    EXTENDED,
    GLOBAL_ADDRESS,
    Act,
    CanMessage,
    Diagnostic,
    DiagnosticKind,
    ParameterGroup,
    Side,
    Subsystem,
    Value,
)
from busgate.profile import ActBySignal, CommandMark, CounterMark, Ecu, Flood, Profile, Tbox, UdsIds

VCU, BMS, BRAKES, TBOX, TESTER = 0x27, 0xF3, 0x0B, 0x4A, 0xF1

PROFILE = Profile(
    profile="test",
    version=1,
    title="A bus for tests",
    synthetic=True,
    ecus=(
        Ecu(name="VCU", subsystem=Subsystem.DRIVE, sa=VCU),
        Ecu(name="BMS", subsystem=Subsystem.BMS, sa=BMS, ids=(0x18A,)),
        Ecu(name="EBS", subsystem=Subsystem.BRAKES, sa=BRAKES),
        Ecu(name="RETARDER", subsystem=Subsystem.BRAKES, sa=0x80),
        Ecu(name="HVAC", subsystem=Subsystem.HVAC, sa=0x19, uds=UdsIds(request=0x733, response=0x73B)),
        Ecu(name="DCU", subsystem=Subsystem.DOORS, ids=(0x210,), uds=UdsIds(request=0x740, response=0x748)),
    ),
    tbox=Tbox(name="T-box", sas=(TBOX, TESTER), ids=(0x500,), pgns=(0xFEF1, 0xFF42, 0xEF00)),
    commands=(
        CommandMark(
            message="TB_Drive",
            subsystem=Subsystem.DRIVE,
            act=ActBySignal(signal="Mode", acts={0: Act.SEND, 1: Act.LIMIT, 2: Act.STOP}, otherwise=Act.SET),
        ),
        CommandMark(
            message="TB_Doors",
            subsystem=Subsystem.DOORS,
            act=Act.ENABLE,
            target="DCU",
            idle={"Request": ("No request", 3.0), "Speed": (0.0,)},
        ),
        CommandMark(message="TB_Mystery", subsystem=Subsystem.UNKNOWN, act=Act.SET),
    ),
    counters=(CounterMark(message="TB_Drive", signal="Alive", modulo=16),),
    flood=Flood(per_id=5, total=12),
)

UNITS = {"TB_Drive": {"Limit": "km/h"}}


def raw(message: str, signal: str, data: bytes) -> int | None:
    """Each signal is one byte: Mode and Request the first, Alive the second."""
    place = {"Mode": 0, "Request": 0, "Speed": 1, "Alive": 1}[signal]
    return data[place] if message in {"TB_Drive", "TB_Doors"} and len(data) > place else None


def detector(profile: Profile = PROFILE) -> VehicleDetector:
    """The detector of the small vehicle."""
    return VehicleDetector(profile, UNITS, raw)


def group(
    pgn: int,
    data: bytes = b"",
    *,
    sa: int = TBOX,
    da: int = GLOBAL_ADDRESS,
    name: str | None = None,
    values: Mapping[str, Value] | None = None,
    length: int | None = None,
) -> ParameterGroup:
    """A parameter group of the T-box; with a length beyond its data it is only announced."""
    announced = length is not None and length > len(data)
    return ParameterGroup(
        at=0,
        side=Side.TBOX,
        pgn=pgn,
        sa=sa,
        da=da,
        priority=6,
        data=data,
        length=len(data) if length is None else length,
        complete=not announced,
        name=name,
        values=values or {},
    )


def plain(
    can_id: int, data: bytes = b"", *, name: str | None = None, values: Mapping[str, Value] | None = None
) -> CanMessage:
    """A message that is not J1939."""
    return CanMessage(0, Side.TBOX, can_id, data, name, values or {})


def uds(
    payload: bytes,
    *,
    target: int = VCU,
    functional: bool = False,
    length: int | None = None,
    dids: tuple[int, ...] = (),
    routine: int | None = None,
    service: str = "Service",
    kind: DiagnosticKind = DiagnosticKind.REQUEST,
) -> Diagnostic:
    """A diagnostic payload of the T-box on 29-bit identifiers; a target above 0xFF is an 11-bit request identifier."""
    wide = target <= 0xFF
    return Diagnostic(
        at=0,
        side=Side.TBOX,
        can_id=EXTENDED | 0x18DA0000 | target << 8 | TESTER if wide else target,
        source=TESTER if wide else -1,
        target=target,
        functional=functional,
        kind=kind,
        sid=payload[0] if payload else 0,
        service=service,
        alters_state=True,
        data=payload,
        length=len(payload) if length is None else length,
        complete=length is None or length <= len(payload),
        dids=dids,
        routine=routine,
    )
