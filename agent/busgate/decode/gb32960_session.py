"""How vehicle and platform log in and out, activate and exchange keys (GB/T 32960.3, 7.1 and 7.3 to 7.6, annex B).

Law: `LAYOUTS` says in which order the values stand on the wire; each class names the same values for one command. A
value is None where the data ended before it. Times are ISO 8601 in GMT+8, keys and signatures hexadecimal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from busgate.decode.gb32960_names import ENCRYPTIONS, Y2016, Y2025
from busgate.decode.gb32960_signals import ALGORITHMS
from busgate.decode.gb32960_values import (
    Fields,
    Layout,
    choice,
    group,
    missing,
    number,
    numbers,
    shown,
    sized_hex,
    text,
    time,
)

PACK_CODE = 24
"""Bytes of a battery pack's code in 2025 (GB/T 34014)."""

RESULTS: Mapping[int, str] = {1: "success", 2: "failure"}
ACTIVATION_INFORMATION: Mapping[int, str] = {1: "ok", 2: "security chip in use", 3: "VIN duplicate"}


@dataclass(frozen=True, slots=True)
class Login:
    """Command 01 of 2016 (table 6): `serial` counts a day's logins, `codes` name the rechargeable subsystems."""

    time: str | None = None
    serial: int | str | None = None
    iccid: str | None = None
    subsystem_count: int | str | None = None
    code_length: int | str | None = None
    codes: list[str] | None = None


@dataclass(frozen=True, slots=True)
class Login2025:
    """Command 01 of 2025 (table 6): `pack_codes` are the codes of the packs, one list for each battery system."""

    time: str | None = None
    serial: int | str | None = None
    iccid: str | None = None
    packs_per_bms: list[int | str] | str | None = None
    pack_codes: list[list[str]] | None = None


@dataclass(frozen=True, slots=True)
class Logout:
    """Commands 04 and 06 (7.3, 7.5): `serial` is that of the login which ends."""

    time: str | None = None
    serial: int | str | None = None


@dataclass(frozen=True, slots=True)
class PlatformLogin:
    """Command 05 (7.4): one platform to another; `encryption_rule` is what its reports will be encrypted with."""

    time: str | None = None
    serial: int | str | None = None
    username: str | None = None
    password: str | None = None
    encryption_rule: str | None = None


@dataclass(frozen=True, slots=True)
class Activation:
    """Command 09 of 2025 (annex B, table B.3): the security chip's public key; `signature` as in a report."""

    time: str | None = None
    security_chip_id: str | None = None
    public_key: str | None = None
    activated_vin: str | None = None
    signature: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ActivationResponse:
    """Command 0A of 2025 (annex B, table B.4)."""

    activation_result: str | None = None
    activation_information: str | None = None


@dataclass(frozen=True, slots=True)
class KeyExchange:
    """Command 0B of 2025 (table 31): the key for what follows, and from when to when it is good."""

    key_type: str | None = None
    key: str | None = None
    start_time: str | None = None
    end_time: str | None = None


Session = Login | Login2025 | Logout | PlatformLogin | Activation | ActivationResponse | KeyExchange


def _codes(fields: Fields) -> bool:
    """2016: how many codes there are, how long each is, and the codes."""
    count, length = fields.number(1, "subsystem_count"), fields.number(1, "code_length")
    if count is None or length is None:
        return False
    counts = {"subsystem_count": count, "code_length": length}
    fields.values |= {name: missing(wire, 1) or wire for name, wire in counts.items()}
    if missing(count, 1) or missing(length, 1):
        return True
    taken = fields.take(count * length, "codes")
    if taken is None:
        return False
    fields.values["codes"] = [shown(taken[at : at + length]) for at in range(0, len(taken), length or 1)]
    return True


def _pack_codes(fields: Fields) -> bool:
    """2025: for each battery system as many codes as it said it has packs."""
    counts, found = fields.values["packs_per_bms"], list[list[str]]()
    for count in counts if isinstance(counts, list) else []:
        taken = fields.take(count * PACK_CODE if isinstance(count, int) else 0, "pack_codes")
        if taken is None:
            return False
        found.append([shown(taken[at : at + PACK_CODE]) for at in range(0, len(taken), PACK_CODE)])
    fields.values["pack_codes"] = found
    return True


_STAMP: Layout = (time("time"), number("serial", 2))
_LOGIN: Layout = (*_STAMP, text("iccid", 20))
_LOGOUT: tuple[type[Session], Layout] = (Logout, _STAMP)
_PLATFORM_LOGIN: tuple[type[Session], Layout] = (
    PlatformLogin,
    (*_STAMP, text("username", 12), text("password", 20), choice("encryption_rule", ENCRYPTIONS)),
)
_SIGNATURE: Layout = (choice("algorithm", ALGORITHMS), sized_hex("r"), sized_hex("s"))

LAYOUTS: Mapping[tuple[str, int], tuple[type[Session], Layout]] = {
    (Y2016, 0x01): (Login, (*_LOGIN, _codes)),
    (Y2025, 0x01): (Login2025, (*_LOGIN, numbers("packs_per_bms", 1), _pack_codes)),
    **{(version, command): _LOGOUT for version in (Y2016, Y2025) for command in (0x04, 0x06)},
    **{(version, 0x05): _PLATFORM_LOGIN for version in (Y2016, Y2025)},
    (Y2025, 0x09): (
        Activation,
        (
            time("time"),
            text("security_chip_id", 16),
            sized_hex("public_key"),
            text("activated_vin", 17),
            group("signature", _SIGNATURE),
        ),
    ),
    (Y2025, 0x0A): (
        ActivationResponse,
        (choice("activation_result", RESULTS), choice("activation_information", ACTIVATION_INFORMATION)),
    ),
    (Y2025, 0x0B): (
        KeyExchange,
        (choice("key_type", ENCRYPTIONS), sized_hex("key"), time("start_time"), time("end_time")),
    ),
}
"""The class and the values of a command in an edition; commands that are not here have bodies of other forms."""
