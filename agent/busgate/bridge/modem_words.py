"""What ModemManager's values mean: its enumerations in words, its texts taken apart, its tables read with care.

Law: any value is read; a number that this version does not know reads as `unknown (N)`, never as something else.
Source: ModemManager-enums.h (MMModemState, MMModem3gppRegistrationState, MMModemAccessTechnology, MMSmsState,
MMSmsPduType, MMModemLocationSource) and the D-Bus reference of ModemManager 1.22.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

Key = TypeVar("Key")

_STATES: Final[Mapping[int, str]] = {
    -1: "failed",
    0: "unknown",
    1: "initializing",
    2: "locked",
    3: "disabled",
    4: "disabling",
    5: "enabling",
    6: "enabled",
    7: "searching",
    8: "registered",
    9: "disconnecting",
    10: "connecting",
    11: "connected",
}
_REGISTRATIONS: Final[Mapping[int, tuple[str, bool | None]]] = {
    0: ("idle", None),
    1: ("home", False),
    2: ("searching", None),
    3: ("denied", None),
    4: ("unknown", None),
    5: ("roaming", True),
    6: ("home, sms only", False),
    7: ("roaming, sms only", True),
    8: ("emergency only", None),
    9: ("home, csfb not preferred", False),
    10: ("roaming, csfb not preferred", True),
    11: ("attached, restricted local services", None),
}
"""The word, and whether the modem roams; None where it is registered with no network."""

_TECHNOLOGIES: Final = (
    "pots", "gsm", "gsm-compact", "gprs", "edge", "umts", "hsdpa", "hsupa", "hspa", "hspa+", "1xrtt", "evdo-0",
    "evdo-a", "evdo-b", "lte", "5gnr", "lte-m", "nb-iot",
)  # fmt: skip
"""By bit, the lowest first."""

LAC_CI: Final = 1
"""MM_MODEM_LOCATION_SOURCE_3GPP_LAC_CI."""

RECEIVING: Final = 2
SENDING: Final = 4
SENT: Final = 5
SUBMITS: Final = frozenset({2, 33})
"""Messages of our side: TS 23.040 SMS-SUBMIT, and its like in CDMA."""

_NO_AREA: Final = frozenset({0, 0xFFFE, 0xFFFF})
"""TS 23.003, 4.1: reserved for when there is no location area, as on LTE."""


def state_word(value: Any) -> str:
    """A modem's state; "" for what is no number."""
    return _STATES.get(value, f"unknown ({value})") if isinstance(value, int) else ""


def registration_of(value: Any) -> tuple[str, bool | None]:
    """A registration state in words, and whether it means roaming."""
    if not isinstance(value, int):
        return "", None
    return _REGISTRATIONS.get(value, (f"unknown ({value})", None))


def technology_words(value: Any) -> str:
    """Access technologies, the oldest first: `lte+5gnr`; "" for none."""
    if not isinstance(value, int) or value <= 0:
        return ""
    known = [name for bit, name in enumerate(_TECHNOLOGIES) if value >> bit & 1]
    rest = value >> len(_TECHNOLOGIES) << len(_TECHNOLOGIES)
    return "+".join([*known, f"unknown ({rest:#x})"] if rest else known)


def cell_of(written: Any) -> tuple[int | None, int | None]:
    """Area and cell of a location text: `MCC,MNC,LAC,CI,TAC`, the last three in hexadecimal; older ones lack TAC."""
    parts = text(written).split(",")
    if len(parts) < 4:
        return None, None
    area, cell, tracking = (_hexadecimal(part) for part in (*parts[2:4], parts[4] if len(parts) > 4 else ""))
    if area is None or area in _NO_AREA:
        area = tracking
    return (None if area is None or area in _NO_AREA else area), cell or None


def moment(written: Any) -> int | None:
    """A service centre's time stamp (ISO 8601) as Unix time in ns; None where it says no time with its zone."""
    try:
        read = datetime.fromisoformat(text(written))
    except ValueError:
        return None
    return int(read.timestamp()) * 1_000_000_000 if read.tzinfo is not None else None


def _hexadecimal(written: str) -> int | None:
    return int(written, 16) if re.fullmatch(r"[0-9A-Fa-f]{1,9}", written) else None


def mapping(value: Any) -> Mapping[Any, Any]:
    """A table; empty for anything else."""
    return value if isinstance(value, Mapping) else {}


def text(value: Any) -> str:
    """A text; "" for anything else."""
    return value if isinstance(value, str) else ""


def texts(value: Any) -> list[str]:
    """The texts in a list; none for anything else."""
    return [each for each in value if isinstance(each, str)] if isinstance(value, (list, tuple)) else []


def whole(value: Any) -> int:
    """A whole number; 0 for anything else."""
    return value if isinstance(value, int) else 0


def remember(kept: OrderedDict[Key, Any], key: Key, value: Any, most: int) -> None:
    """Keep one more, and forget the oldest beyond `most`."""
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)
