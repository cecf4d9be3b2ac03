"""Where units enter and leave, as the live loop needs it: one protocol, whatever the wires are.

Law: a port never originates. It can only be told to forward a frame that it received itself, and what it could not
take or send is counted, never raised.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from busgate.model import BusgateError, Frame, Unit

MULTICAST = "udp_multicast"
"""python-can's interface that is a bus between processes of one machine or one network."""


class BridgeError(BusgateError):
    """A wire or a recording that cannot be used; one line that says what to do next."""


class Port(Protocol):
    """Both wires of one gate (or the one that is tapped)."""

    def receive(self, timeout: float) -> Unit | None:
        """The next unit from any wire, or None after `timeout` seconds of silence. `at` never decreases."""
        ...

    def forward(self, frame: Frame) -> bool:
        """Send a received frame out on the other wire; False when it was dropped (and counted) instead."""
        ...

    def now(self) -> int:
        """The present moment in ns, on the timeline of every unit's `at`."""
        ...

    def wall(self) -> int:
        """Unix time in ns: for time windows and the log, never for ordering."""
        ...

    def losses(self) -> Mapping[str, int]:
        """What could not be received or sent since the port was opened, by kind."""
        ...

    def close(self) -> None:
        """Let go of the wires."""
        ...
