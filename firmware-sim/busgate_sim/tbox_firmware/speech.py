"""How the link speaks a protocol, whichever it is, and what it has heard.

Law: a speech knows messages and answers, the link knows time and connection; neither knows a socket.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from busgate_sim.tbox_firmware.cloud_command import CloudCommand
from busgate_sim.tbox_firmware.telemetry import Telemetry


class Standing(StrEnum):
    """How the login stands."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


@dataclass(slots=True)
class Heard:
    """What some bytes from the platform led to: bytes back, commands, what was refused and why."""

    back: bytes = b""
    commands: list[CloudCommand] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    answered: bool = False
    """Whether anything readable came at all, so that the platform is alive."""


class Speech(Protocol):
    """One protocol, as a terminal speaks it; times are ns since 1970."""

    standing: Standing

    def begin(self, at: int) -> bytes:
        """The first words on a new connection."""

    def heard(self, data: bytes, at: int, values: Telemetry) -> Heard:
        """What came; `values` are for answers that say how the vehicle is."""

    def report(self, values: Telemetry, at: int, *, late: bool = False) -> bytes:
        """A report of how the vehicle was at a time; `late` if it could not be sent then."""

    def heartbeat(self) -> bytes:
        """A sign of life."""

    def through(self, kind: int, data: bytes) -> bytes:
        """Octets passed through to the platform; nothing where the protocol has no message for it."""

    def upgraded(self, *, done: bool) -> bytes:
        """What became of an update; nothing where the protocol has no message for it."""

    def sign_off(self, at: int) -> bytes:
        """The last words."""
