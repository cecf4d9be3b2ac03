"""What the simulated vendor has made up on top of the standards: its own numbers and its text commands.

Law: everything here is synthetic except the two that are met in the field, the terminal-control words 0x64 and 0x65
(cut and restore) and the public platform's lock (0x90 with 0x91 and 0x90). The standards leave the rest to vendors.
"""

from __future__ import annotations

from typing import Final

from busgate_sim.cloud.orders import Order

CUT: Final = 0x64
RESTORE: Final = 0x65
"""JT/T 808 terminal control: words that vendors use to cut and restore the drive."""

DRIVE: Final = 0xF001
"""JT/T 808-2019 vehicle control: 1 stops the drive, 0 releases it."""

TORQUE: Final = 0xF010
CHARGE: Final = 0xF011
"""JT/T 808 parameters: torque limit in per cent (one octet), charge limit in A (two octets)."""

CLIMATE: Final = 0xF1
"""JT/T 808 transparent data: target in degC + 40, minutes; one octet each."""

TUNNEL: Final = 0xF2
"""JT/T 808 transparent data: a diagnostic tunnel; the ECU's name, a colon, requests in hexadecimal."""

LOCKED: Final = 0x91
RELEASED: Final = 0x90
"""GB/T 32960 control 0x90: its argument."""

TORQUE_32960: Final = 0xA0
SPEED_32960: Final = 0xA1
CHARGE_32960: Final = 0xA2
DOORS_32960: Final = 0xA3
CLIMATE_32960: Final = 0xA4
TEXT_32960: Final = 0xA5
"""GB/T 32960 controls: per cent, km/h (one octet), A (two octets), 1 unlock 0 lock, as `CLIMATE`, GBK text."""

_WORDS: Final = {
    "remote-stop": "STOP",
    "release": "RUN",
    "torque-limit": "TORQUE",
    "speed-limit": "SPEED",
    "charge-limit": "CHARGE",
    "door-unlock": "UNLOCK",
    "door-lock": "LOCK",
    "preheat": "HEAT",
    "update": "UPDATE",
    "diagnose": "DIAG",
    "reset": "RESET",
}
"""Text commands, for short messages and 0x8300: WORD,argument,...# as many vendors have them."""

ORDER_OF_WORD: Final = {word: name for name, word in _WORDS.items()}


def text_of(order: Order) -> str:
    """The order as a text command; the text itself of "text".

    Raises:
        ValueError: there is no text command for it, or an argument has a comma or `#`.
    """
    if order.name == "text":
        return order.words("text")
    if order.name not in _WORDS:
        raise ValueError(f"{order.name} cannot be sent as a text; {', '.join(_WORDS)} can")
    said = [f"{value:g}" if isinstance(value, float) else str(value) for value in order.arguments.values()]
    if any(mark in value for value in said for mark in ",#"):
        raise ValueError(f"{order.name}: neither , nor # can be sent in a text command")
    return ",".join([_WORDS[order.name], *said]) + "#"
