"""Setting, querying, controlling, upgrading a terminal: 0x8103-0x8108 and answers (JT/T 808, clause 8)."""

# ruff: noqa: RUF009 - what stands as a field's default says how it is cut
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from busgate.decode import jt808_octets
from busgate.decode.jt808_layout import (
    Seen,
    byte,
    counted_text,
    digits,
    dword,
    many,
    of,
    raw,
    text,
    word,
)
from busgate.decode.jt808_message import Message, Table, empty, first_fit, plain
from busgate.decode.jt808_octets import Octets
from busgate.decode.jt808_parameters import Parameter, parameters

COMMAND_WORDS = {
    1: "wireless upgrade",
    2: "connect to specified server",
    3: "power off",
    4: "reset",
    5: "restore factory settings",
    6: "close data communication",
    7: "close all wireless communication",
    0x64: "vendor: cut oil and circuit",
    0x65: "vendor: restore oil and circuit",
}
"""2011 and 2013 have 1-7, 2019 keeps 2, 4 and 5; 0x64 and 0x65 are seen in public code of vendors' platforms."""

UPGRADE_TYPES = {0: "terminal", 12: "road transport certificate IC card reader", 52: "satellite positioning module"}
UPGRADE_RESULTS = {0: "success", 1: "failure", 2: "cancelled"}

_APN = ("dial_point", "dial_user", "dial_password", "address", "tcp_port", "udp_port")
_ORDERS = {
    # The parameters of command words 1 and 2, in the order of their format strings.
    (1, 11): ("url", *_APN, "maker_id", "hardware_version", "firmware_version", "connection_time_limit"),
    (2, 9): ("connection_control", "authentication_code", *_APN, "connection_time_limit"),
}
# The same in the order of the table of parameters, as one public library sends them for every command word.
_TABLE = (
    "connection_control",
    *_APN,
    "maker_id",
    "authentication_code",
    "hardware_version",
    "firmware_version",
    "url",
    "connection_time_limit",
)
_BINARY = {"connection_control": 1, "tcp_port": 2, "udp_port": 2, "connection_time_limit": 2}


def _named(word: int, pieces: list[bytes]) -> dict[str, Any]:
    while pieces and not pieces[-1]:
        pieces = pieces[:-1]
    names = next((names for (known, most), names in _ORDERS.items() if word == known and len(pieces) <= most), None)
    if names is None:
        names = _TABLE if word in {1, 2} and len(pieces) == len(_TABLE) else ()
    return {name: _parameter(name, piece) for name, piece in zip(names, pieces, strict=False) if piece}


def _parameter(name: str, piece: bytes) -> int | str:
    """Numbers are sent as text, or as the BYTE or WORD that the table says."""
    if name in _BINARY:
        if piece.isdigit():
            return int(piece)
        if len(piece) <= _BINARY[name]:
            return int.from_bytes(piece)
    return jt808_octets.text(piece)


def _command_parameters() -> Any:
    def cut(octets: Octets, _seen: Seen) -> tuple[tuple[str, ...], list[str]]:
        data = octets.rest()
        pieces = data.split(b";") if data else []
        values = tuple(jt808_octets.text(piece) for piece in pieces)
        return values, list(values)

    return of(cut)


def _as_text() -> Any:
    def cut(octets: Octets, _seen: Seen) -> tuple[str, str]:
        value = jt808_octets.text(octets.data[1:])
        return value, value

    return of(cut)


def _named_parameters() -> Any:
    def cut(octets: Octets, seen: Seen) -> tuple[dict[str, Any], dict[str, Any]]:
        named = _named(seen["command_word"], octets.data[1:].split(b";"))
        return named, named

    return of(cut)


@dataclass(frozen=True, slots=True)
class TerminalControl:
    """0x8105: a command word, its parameters as sent, and as they stand between semicolons.

    `named_parameters` has those of words 1 and 2 by name: `url`, `address`, `tcp_port` and so on.
    """

    command_word: int = byte(names=COMMAND_WORDS)
    command_parameters: tuple[str, ...] = _command_parameters()
    command_parameter: str = _as_text()
    named_parameters: dict[str, Any] = _named_parameters()


@dataclass(frozen=True, slots=True)
class SetParameters:
    """0x8103: how many parameters, and each as number, length and value."""

    total: int = byte()
    parameters: tuple[Parameter, ...] = parameters("total")


@dataclass(frozen=True, slots=True)
class QuerySpecifiedParameters:
    """0x8106: numbers of the parameters asked for."""

    total: int = byte()
    parameter_ids: tuple[int, ...] = many(4, "total")


@dataclass(frozen=True, slots=True)
class ParametersResponse:
    """0x0104: serial of the query, and the parameters."""

    response_serial: int = word()
    total: int = byte()
    parameters: tuple[Parameter, ...] = parameters("total")


@dataclass(frozen=True, slots=True)
class TerminalAttributes:
    """0x0107: type bits (passenger, dangerous goods, freight, taxi, disk, split type), identity and versions."""

    terminal_type: int = word()
    maker_id: str = text(5)
    terminal_model: str = text({2011: 20, 2013: 20, 2019: 30})
    terminal_id: str = text({2011: 7, 2013: 7, 2019: 30})
    iccid: str = digits(10)
    hardware_version: str = counted_text()
    firmware_version: str = counted_text()
    gnss_attribute: int = byte()
    communication_attribute: int = byte()


@dataclass(frozen=True, slots=True)
class TerminalAttributesWide:
    """0x0107 in 2019 as some read it: the maker id has 11 octets as in the registration."""

    terminal_type: int = word()
    maker_id: str = text(11)
    terminal_model: str = text({2011: 20, 2013: 20, 2019: 30})
    terminal_id: str = text({2011: 7, 2013: 7, 2019: 30})
    iccid: str = digits(10)
    hardware_version: str = counted_text()
    firmware_version: str = counted_text()
    gnss_attribute: int = byte()
    communication_attribute: int = byte()


@dataclass(frozen=True, slots=True)
class UpgradePackage:
    """0x8108: what is upgraded, whose, which version, and the package itself."""

    upgrade_type: int = byte(names=UPGRADE_TYPES)
    maker_id: str = text(5)
    version: str = counted_text()
    data_length: int = dword()
    data: bytes = raw("data_length")


@dataclass(frozen=True, slots=True)
class UpgradePackageWide:
    """0x8108 in 2019 as some read it: the maker id has 11 octets."""

    upgrade_type: int = byte(names=UPGRADE_TYPES)
    maker_id: str = text(11)
    version: str = counted_text()
    data_length: int = dword()
    data: bytes = raw("data_length")


@dataclass(frozen=True, slots=True)
class UpgradeResult:
    """0x0108: terminal upgrade result."""

    upgrade_type: int = byte(names=UPGRADE_TYPES)
    result: int = byte(names=UPGRADE_RESULTS)


TERMINAL: Table = {
    0x0104: plain("query terminal parameters response", ParametersResponse),
    0x0107: Message("query terminal attributes response", first_fit(TerminalAttributes, TerminalAttributesWide)),
    0x0108: plain("terminal upgrade result", UpgradeResult),
    0x8103: plain("set terminal parameters", SetParameters),
    0x8104: empty("query terminal parameters"),
    0x8105: plain("terminal control", TerminalControl),
    0x8106: plain("query specified terminal parameters", QuerySpecifiedParameters),
    0x8107: empty("query terminal attributes"),
    0x8108: Message("send terminal upgrade package", first_fit(UpgradePackage, UpgradePackageWide)),
}
