"""What the decoders found, as plain values with the names that the public vectors use.

Law: whatever goes in, only what JSON has comes out: text, whole numbers, finite fractions, true, false, null, lists and
objects. Group numbers come twice, as a number and in hexadecimal; bytes are lower-case hexadecimal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, assert_never

from busgate.decode import isotp, uds
from busgate.decode.j1939 import PGN_ETP_CM, PGN_ETP_DT, PGN_TP_CM, PGN_TP_DT, Identifier, pgn_kind
from busgate.decode.j1939_control import Control, ControlKind, Fault, read_control
from busgate.decode.j1939_transport import Announced, Broken, Complete, Data, Handshake, Step
from busgate.decode.pgns import command_of, label_of, name_of
from busgate.model import ERROR, EXTENDED, IDENTIFIER, Value

Row = dict[str, Any]

_CONTROL = (PGN_TP_CM, PGN_ETP_CM)
TRANSPORT = frozenset({PGN_TP_CM, PGN_TP_DT, PGN_ETP_CM, PGN_ETP_DT})

_FLOW = {isotp.CONTINUE: "continue", isotp.WAIT: "wait", isotp.OVERFLOW: "overflow"}


def identifier_text(can_id: int) -> str:
    """An identifier as candump writes it: three digits, or eight for 29 bits and for error frames."""
    return f"{can_id & (IDENTIFIER | ERROR):0{8 if can_id & (EXTENDED | ERROR) else 3}X}"


def values(found: Mapping[str, Value]) -> dict[str, Value | None]:
    """Decoded values; what is not a number (a float signal can be) becomes null."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in found.items()
    }


def group(identifier: Identifier) -> Row:
    """A split J1939 identifier and what its group is."""
    return {"prio": identifier.priority, **pgn(identifier.pgn), "sa": identifier.sa, "da": identifier.da}


def pgn(number: int, prefix: str = "") -> Row:
    """A group number and what is known of it."""
    command = command_of(number)
    return {
        f"{prefix}pgn": number,
        f"{prefix}pgn_hex": f"0x{number:04X}",
        f"{prefix}name": name_of(number),
        f"{prefix}label": label_of(number),
        f"{prefix}kind": pgn_kind(number).value,
        f"{prefix}class": command.value if command else None,
    }


def transport(identifier: Identifier, data: bytes, step: Step) -> Row:
    """A frame of the transport protocols: its own fields, and what they mean for its session."""
    row: Row = {"transport": _fields(identifier.pgn, data) | _meaning(step)}
    if isinstance(step, Complete):
        row |= {"payload": step.payload.hex(), **pgn(step.pgn, "payload_"), "payload_length": step.length}
        row |= {"payload_truncated": step.truncated}
    if isinstance(step, Broken):
        row["malformed"] = step.reason.value
    return row


def _fields(carrier: int, data: bytes) -> Row:
    """What the frame itself says, session or not."""
    if carrier not in _CONTROL:
        return {"step": "DT", "sequence": data[0] if data else None}
    control = read_control(data, extended=carrier == PGN_ETP_CM)
    return {} if isinstance(control, Fault) else _control(control)


def _control(control: Control) -> Row:
    row: Row = {"step": control.kind.value, **pgn(control.pgn, "target_")}
    match control.kind:
        case ControlKind.RTS | ControlKind.BAM | ControlKind.ACK:
            return row | {"length": control.length, "packets": control.packets}
        case ControlKind.CTS | ControlKind.DPO:
            return row | {"packets": control.packets, "first": control.first}
        case ControlKind.ABORT:
            return row | {"reason": control.reason}
        case _:
            assert_never(control.kind)


def _meaning(step: Step) -> Row:
    match step:
        case Announced():
            interrupted = None if step.interrupted is None else f"0x{step.interrupted:04X}"
            odd = [what.value for what in step.irregular]
            return {
                "broadcast": step.broadcast,
                "extended": step.extended,
                "interrupted": interrupted,
                "irregular": odd,
            }
        case Data() | Complete():
            return {"packet": step.sequence, **pgn(step.pgn, "target_")}
        case Handshake():
            return {"open": step.open}
        case Broken():
            return {"ended": step.ended}
        case _:
            assert_never(step)


def isotp_step(step: isotp.Step) -> Row:
    """An ISO-TP frame; `payload` and its other name `hex` come with the frame that completes them."""
    match step:
        case isotp.Single():
            return {
                "frame": "single",
                "length": len(step.payload),
                **_interrupted(step.interrupted),
                **_hex(step.payload),
            }
        case isotp.First():
            return {"frame": "first", "length": step.length, "head": step.head.hex(), **_interrupted(step.interrupted)}
        case isotp.Consecutive():
            return {"frame": "consecutive", "number": step.number}
        case isotp.Complete():
            return {"frame": "consecutive", "length": len(step.payload), **_hex(step.payload)}
        case isotp.FlowControl():
            flow = {"status": _FLOW[step.status], "block_size": step.block_size, "separation_ns": step.separation_ns}
            return {"frame": "flow_control", **flow}
        case isotp.Broken():
            return {"malformed": step.reason, "partial": step.partial.hex()}
        case _:
            assert_never(step)


def _hex(payload: bytes) -> Row:
    return {"payload": payload.hex(), "hex": payload.hex()}


def _interrupted(partial: bytes | None) -> Row:
    return {} if partial is None else {"interrupted": partial.hex()}


def diagnostic(payload: bytes, reading: uds.Reading | uds.Bad) -> Row:
    """A UDS payload; `sid` is its first byte as it is on the wire."""
    if isinstance(reading, uds.Bad):
        return {"hex": payload.hex(), "malformed": reading.reason}
    return {
        "hex": payload.hex(),
        "sid": f"0x{reading.sid:02X}",
        "kind": reading.kind.value,
        "service": reading.service,
        "alters_state": reading.alters_state,
        "subfunction": _number(reading.subfunction, 2),
        "suppressed": reading.suppressed,
        "dids": [f"0x{did:04X}" for did in reading.dids],
        "routine": _number(reading.routine, 4),
        "nrc": _number(reading.nrc, 2),
        "nrc_name": reading.nrc_name or None,
        "details": values(reading.details),
    }


def _number(number: int | None, digits: int) -> str | None:
    return None if number is None else f"0x{number:0{digits}X}"
