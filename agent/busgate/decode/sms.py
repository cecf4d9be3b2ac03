"""A short message's transfer unit (3GPP TS 23.040), with or without its centre's address before it, to what it says.

Law: any bytes give a `Pdu` or `Unreadable`, never an exception: pycrate takes the unit apart, and whatever it raises
is a reason. A unit does not say by itself which way it went; the caller may, else the reading with fewer flaws counts,
and of two as good the one that a modem would hand out: with a centre, towards the mobile. Clauses of TS 23.040.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from busgate.decode.sms_alphabets import GSM7, UCS2, coding, text7
from busgate.model import Direction, Pdu, Sms

LONGEST = 256
"""Octets: more than any transfer unit with its centre's address has (TS 24.011)."""

_SILENT, _SIM_DOWNLOAD = 0x40, 0x7F
_CONCATENATED_8, _PORTS_8, _PORTS_16, _CONCATENATED_16 = 0x00, 0x04, 0x05, 0x08
_HAS_HEADER = 0x40
_INTERNATIONAL, _ALPHANUMERIC = 1, 5


class Unreadable(NamedTuple):
    """Bytes that are no transfer unit, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class ShortMessage:
    """SMS-DELIVER (9.2.2.1), SMS-SUBMIT (9.2.2.2) or SMS-STATUS-REPORT (9.2.2.3)."""

    kind: str
    """"deliver", "submit" or "status report"."""
    address: str = ""
    """The other end: originating, destination or recipient address. International numbers begin with +."""
    smsc: str = ""
    protocol_identifier: int | None = None
    data_coding_scheme: int | None = None
    alphabet: str = ""
    """"gsm7", "8bit" or "ucs2" (TS 23.038, 4)."""
    message_class: int | None = None
    flash: bool = False
    """Class 0: shown at once, not stored."""
    silent: bool = False
    """Short Message Type 0: acknowledged and thrown away (9.2.3.9)."""
    sim_data_download: bool = False
    """For the SIM, which may then reprogram itself (9.2.3.9, protocol identifier 7F)."""
    timestamp: str = ""
    """Service centre time stamp (9.2.3.11) as ISO 8601 with its offset."""
    discharge_time: str = ""
    message_reference: int | None = None
    status: int | None = None
    """TP-Status (9.2.3.15): below 32 the message arrived."""
    reference: int | None = None
    """Concatenation (9.2.3.24.1, .8): which message this is a part of, of how many, the how manieth from 1."""
    total: int | None = None
    index: int | None = None
    destination_port: int | None = None
    source_port: int | None = None
    header: str = ""
    """The user data header's elements in hexadecimal, without their length."""
    text: str | None = None
    """None where the user data is no text."""
    data: bytes = b""
    """The user data's octets without its header, 7 bit text still packed."""


def read(raw: bytes, direction: Direction = Direction.UNKNOWN) -> Pdu | Unreadable:
    """Read a unit; DOWN is towards the mobile (deliver, status report), UP from it (submit)."""
    if len(raw) > LONGEST:
        return Unreadable(f"{len(raw)} bytes are more than a transfer unit has")
    readings = [found for smsc, start in _centres(raw) for found in _readings(raw[start:], smsc, direction)]
    whole = [found for found in readings if isinstance(found, Pdu)]
    if whole:
        return min(whole, key=lambda found: len(found.flaws))
    return readings[0] if readings else Unreadable("there are no bytes of a transfer unit")


def heard(unit: Sms) -> Pdu | Unreadable:
    """Read what a modem handed over: its transfer unit where it gives one, else what it has read of it itself."""
    direction = Direction.UP if unit.outgoing else Direction.DOWN
    if unit.pdu:
        return read(unit.pdu, direction)
    kind = "submit" if unit.outgoing else "deliver"
    text = unit.text or (None if unit.data else "")
    row = {"kind": kind, "address": unit.number, "data": unit.data.hex()} | ({} if text is None else {"text": text})
    return Pdu("sms", kind, None, direction, row, ShortMessage(kind, unit.number, text=text, data=unit.data))


def _centres(raw: bytes) -> list[tuple[str | None, int]]:
    """Where the unit may start, and the centre's address before it: with one first (TS 27.005, 3.1)."""
    found: list[tuple[str | None, int]] = []
    if raw and not raw[0]:
        found.append(("", 1))
    elif raw and 2 <= raw[0] <= 12 and len(raw) > raw[0] + 1 and raw[1] & 0x80:
        digits = raw[2 : 1 + raw[0]].hex()
        number = "".join(digits[at + 1] + digits[at] for at in range(0, len(digits), 2)).rstrip("f")
        if number.isdigit():
            found.append(("+" * (raw[1] >> 4 & 7 == _INTERNATIONAL) + number, 1 + raw[0]))
    if raw:
        found.append((None, 0))
    return found


def _readings(unit: bytes, smsc: str | None, direction: Direction) -> list[Pdu | Unreadable]:
    if not unit:
        return [Unreadable("the bytes end before the transfer unit")]
    kind = unit[0] & 3
    found: list[Pdu | Unreadable] = []
    if direction is not Direction.UP and kind in {0, 2}:
        found.append(_unit("deliver" if kind == 0 else "status report", unit, smsc, Direction.DOWN))
    if direction is not Direction.DOWN and kind == 1:
        found.append(_unit("submit", unit, smsc, Direction.UP))
    return found or [Unreadable(f"message type {kind} carries no short message in this direction")]


def _unit(kind: str, unit: bytes, smsc: str | None, direction: Direction) -> Pdu | Unreadable:
    """Take one unit apart as one kind; if it does not fit, once more without the header that it claims."""
    flaws: list[str] = []
    try:
        row = _apart(kind, unit, flaws)
    except Exception as error:  # noqa: BLE001 - foreign bytes in a foreign library: whatever it raises is a reason
        if not unit[0] & _HAS_HEADER:
            return Unreadable(f"not read as {kind}: {str(error)[:120] or type(error).__name__}")
        found = _unit(kind, bytes([unit[0] & ~_HAS_HEADER]) + unit[1:], smsc, direction)
        if isinstance(found, Pdu):
            return replace(found, flaws=("the user data header does not fit", *found.flaws))
        return found
    if smsc is not None:
        row["smsc"] = smsc
    body = ShortMessage(kind, **row)
    row["kind"] = kind
    row["data"] = row.get("data", b"").hex()
    told = {name: value for name, value in row.items() if value is not None and (value != "" or name == "text")}
    return Pdu("sms", kind, unit[0] & 3, direction, told, body, tuple(flaws))


def _apart(kind: str, unit: bytes, flaws: list[str]) -> dict[str, Any]:
    """Let pycrate take a unit apart. Raises whatever pycrate raises."""
    from pycrate_mobile.TS23040_SMS import SMS_DELIVER, SMS_STATUS_REPORT, SMS_SUBMIT

    parts = {"deliver": SMS_DELIVER, "submit": SMS_SUBMIT, "status report": SMS_STATUS_REPORT}[kind]()
    parts.from_bytes(unit)
    row = _row(kind, parts, flaws)
    if (size := len(parts.to_bytes())) < len(unit):
        flaws.append(f"{len(unit) - size} bytes follow the message")
    return row


def _row(kind: str, parts: Any, flaws: list[str]) -> dict[str, Any]:
    """The fields of a unit that pycrate has taken apart."""
    address = {"deliver": "TP_OA", "submit": "TP_DA", "status report": "TP_RA"}[kind]
    row: dict[str, Any] = {"address": _address(parts[address], flaws)}
    if kind != "deliver":
        row["message_reference"] = parts["TP_MR"].get_val()
    if kind != "submit":
        row["timestamp"] = _time(parts["TP_SCTS"].to_bytes(), "time stamp", flaws)
    if kind == "status report":
        row["discharge_time"] = _time(parts["TP_DT"].to_bytes(), "discharge time", flaws)
        row["status"] = parts["TP_ST"].get_val()
    identifier, scheme = parts["TP_PID"], parts["TP_DCS"]
    if not identifier.get_trans():
        row["protocol_identifier"] = number = identifier.to_bytes()[0]
        row |= {"silent": number == _SILENT, "sim_data_download": number == _SIM_DOWNLOAD}
    octet = 0
    if not scheme.get_trans():
        row["data_coding_scheme"] = octet = scheme.to_bytes()[0]
    if not parts["TP_UD"].get_trans():
        _user_data(row, parts["TP_UD"], octet, flaws)
    return row


def _user_data(row: dict[str, Any], part: Any, octet: int, flaws: list[str]) -> None:
    """9.2.3.24."""
    scheme = coding(octet)
    row |= {"alphabet": scheme.alphabet, "message_class": scheme.message_class, "flash": scheme.message_class == 0}
    length = part["UDL"].get_val()
    data = part["UD"].get_val()
    header = b""
    if not part["UDH"].get_trans():
        # Cut where the header says that it ends: pycrate lets its last element reach into what follows.
        octets = part["UDH"].to_bytes() + data
        header, data = octets[: 1 + octets[0]], octets[1 + octets[0] :]
        row["header"] = header[1:].hex()
        _elements(row, header[1:], flaws)
    row["data"] = data
    packed = scheme.alphabet == GSM7 and not scheme.compressed
    due = ((length * 7 + 7) // 8 if packed else length) - len(header)
    if len(data) < due:
        flaws.append(f"the user data says {due} octets, {len(data)} are there")
    if scheme.compressed:
        flaws.append("the user data is compressed; its text is not read")
    elif scheme.alphabet == GSM7:
        septets = length - (len(header) * 8 + 6) // 7
        row["text"] = text7(data, -len(header) * 8 % 7, septets)
    elif scheme.alphabet == UCS2:
        row["text"] = data.decode("utf-16-be", "backslashreplace")
    if scheme.alphabet != GSM7 and length > 140:
        flaws.append(f"the user data says {length} octets, 140 are the most")


def _elements(row: dict[str, Any], header: bytes, flaws: list[str]) -> None:
    """9.2.3.24: identifier, length, data; the last of a kind counts."""
    at = 0
    while at + 2 <= len(header):
        kind, size = header[at], header[at + 1]
        value = header[at + 2 : at + 2 + size]
        at += 2 + size
        if len(value) < size:
            break
        if kind in {_CONCATENATED_8, _CONCATENATED_16} and size == (3 if kind == _CONCATENATED_8 else 4):
            total, index = value[-2:]
            if not 1 <= index <= total:
                flaws.append(f"part {index} of {total} is impossible")
                continue
            row |= {"reference": int.from_bytes(value[:-2]), "total": total, "index": index}
        elif kind in {_PORTS_8, _PORTS_16} and size == (2 if kind == _PORTS_8 else 4):
            half = size // 2
            row |= {"destination_port": int.from_bytes(value[:half]), "source_port": int.from_bytes(value[half:])}
    if at != len(header):
        flaws.append("the user data header does not end where it says")


def _address(part: Any, flaws: list[str]) -> str:
    """9.1.2.5."""
    kind: int = part["Type"].get_val()
    octets: bytes = part["Num"].to_bytes()
    if kind == _ALPHANUMERIC:
        return text7(octets, 0, int(part["Len"].get_val()) * 4 // 7)
    digits = octets.hex()
    number: str = "".join(digits[at + 1] + digits[at] for at in range(0, len(digits), 2))[: part["Len"].get_val()]
    if "f" in number or not part["Ext"].get_val():
        flaws.append("the address is not written as the standard does")
    return "+" * (kind == _INTERNATIONAL) + number.rstrip("f").translate(str.maketrans("abcde", "*#abc"))


def _time(octets: bytes, what: str, flaws: list[str]) -> str:
    """9.2.3.11: digits in swapped halves of octets; the zone in quarters of an hour, bit 3 of its octet the sign."""
    year, month, day, hour, minute, second = ((octet & 15) * 10 + (octet >> 4) for octet in octets[:6])
    quarters = (octets[6] & 7) * 10 + (octets[6] >> 4)
    digits = all(octet & 15 <= 9 and octet >> 4 <= 9 for octet in octets[:6])
    if not (digits and 1 <= month <= 12 and 1 <= day <= 31 and hour <= 23 and minute <= 59 and second <= 59):
        flaws.append(f"the {what} is no time: {octets.hex()}")
        return ""
    sign = "-" if octets[6] & 8 and quarters else "+"
    zone = f"{sign}{quarters // 4:02}:{quarters % 4 * 15:02}"
    return f"20{year:02}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone}"
