"""What the numbers of GB/T 32960.3 packets are called, and which way a packet travels by what it says of itself.

Law: facts of GB/T 32960.3-2016 and -2025 and nothing else; a number that is not here has no standard name and is shown
as itself. Where a packet cannot tell its direction, the answer is UNKNOWN, never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping

from busgate.model import Direction

Y2016 = "2016"
Y2025 = "2025"

STARTS: Mapping[bytes, str] = {b"##": Y2016, b"$$": Y2025}
"""Table 2 of each edition: the two bytes that a packet starts with."""

COMMANDS: Mapping[int, str] = {
    0x01: "vehicle login",
    0x02: "real-time report",
    0x03: "reissued report",
    0x04: "vehicle logout",
    0x05: "platform login",
    0x06: "platform logout",
    0x07: "heartbeat",
    0x08: "time synchronisation",
    0x80: "parameter query",
    0x81: "parameter setting",
    0x82: "terminal control",
}
"""Tables 3 and B.2 of 2016, and what of them is met on packets of 2025 as well."""

COMMANDS_2025: Mapping[int, str] = {0x09: "activation", 0x0A: "activation response", 0x0B: "key exchange"}
"""Table 3 of 2025; in 2016 these are reserved."""

COMMAND = 0xFE
"""The response flag of a packet that asks or tells, and answers nothing (table 4)."""

RESPONSES: Mapping[int, str] = {
    0x01: "success",
    0x02: "error",
    0x03: "VIN duplicate",
    0x04: "VIN unknown",
    0x05: "signature invalid",
    0x06: "structure invalid",
    0x07: "decryption failed",
    COMMAND: "command",
}
"""Table 4; 04 to 07 came with 2025."""

PLAIN = 0x01
ENCRYPTIONS: Mapping[int, str] = {
    PLAIN: "none",
    0x02: "RSA",
    0x03: "AES128",
    0x04: "SM2",
    0x05: "SM4",
    0xFE: "abnormal",
    0xFF: "invalid",
}
"""Table 2; 04 and 05 came with 2025."""

ENCRYPTED = frozenset({0x02, 0x03, 0x04, 0x05})

_EITHER_WAY = 0x0B
"""2025: terminal and platform may each give the other a key."""

_PLATFORM_ASKS = 0x0A
"""2025: the platform tells whether the activation succeeded, and marks it as a command."""


def command_name(command: int, version: str) -> str:
    """What table 3 calls a command, or the range it is reserved in."""
    name = COMMANDS.get(command) or (COMMANDS_2025.get(command) if version == Y2025 else None)
    if name is not None:
        return name
    if 0x01 <= command <= 0x7F:
        return "reserved uplink"
    if 0x83 <= command <= 0xBF:
        return "reserved downlink"
    return "platform custom" if 0xC0 <= command <= 0xFE else f"0x{command:02X}"


def direction(command: int, response: int) -> Direction:
    """Which way a packet travels (6.3): who may give this command, turned round where it is an answer.

    Between two platforms UP is the way to the one that was logged in to.
    """
    if command == _EITHER_WAY or not 0x01 <= command <= 0xBF:
        return Direction.UNKNOWN
    downlink = command >= 0x80 or command == _PLATFORM_ASKS
    return Direction.DOWN if downlink == (response == COMMAND) else Direction.UP
