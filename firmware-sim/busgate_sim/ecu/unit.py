"""One control unit on the vehicle's bus: says its cyclic messages at their rates, hears commands for all of them.

Law: rates, counters and checksums are those of the DBC; what is said is what is sensed at that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from zlib import crc32

from busgate_sim.ecu.obeys import Obedience
from busgate_sim.ecu.says import ADDRESSES, SAYS, Says
from busgate_sim.ecu.sensed import Sensed
from busgate_sim.encoder import Encoder, Sent, Spoken, Values, group
from busgate_sim.segments import broadcast
from busgate_sim.wire import Outlet, Wire
from busgate_sim.world import MILLISECOND, SECOND, World

JITTER_NS = 400_000
"""How late a cyclic message is at most, on its way from a task to its controller."""

INVERTERS = (0x8A, 0x8B)
_BETWEEN_PACKETS_NS = 55 * MILLISECOND
_STORED = bytes([0x00, 0xFF, 0x9C, 0x1F, 0x50, 0x03, 0x9D, 0x1F, 0x50, 0x01])
"""The BMS's DM1 with two stored codes: too long for a frame, so it comes by broadcast transport."""

Senses = Callable[[], Sensed]


class Units:
    """All cyclic senders of the vehicle on one wire."""

    def __init__(  # noqa: PLR0913 - where, how, of what, as whose
        self, world: World, wire: Wire, encoder: Encoder, senses: Senses, obedience: Obedience, *, apart: int = 0
    ) -> None:
        """They begin to speak at once, each at its own phase; no message comes more often than each `apart` ns."""
        self._apart = apart
        self._world = world
        self._encoder = encoder
        self._senses = senses
        self._obedience = obedience
        self._cycle = 0
        self._quiet: set[str] = set()
        self.outlets: Mapping[str, Outlet] = {name: wire.attach(name, _nothing) for name in SAYS}
        wire.attach("commands", obedience.hear)
        periods = encoder.periods()
        for name, messages in SAYS.items():
            for message, says in messages.items():
                self._speaks(name, message, says, round(periods[message] * SECOND))
        self._every("VCU", "TSC1", round(periods["TSC1"] * SECOND), self._asks_for_torque)
        self._every("BMS", "DM1", 5 * SECOND, self._tells_stored_faults)

    def speaks(self, name: str, speaks: bool) -> None:
        """Let a unit say its cyclic messages, or not: its program is stopped, or a tester has silenced it."""
        (self._quiet.discard if speaks else self._quiet.add)(name)

    def _speaks(self, name: str, message: str, says: Says, period: int) -> None:
        sa = ADDRESSES[name] if message == "DM1" else None

        def speak() -> None:
            values = says(self._senses(), self._obedience.demands)
            self.outlets[name].send(self._encoder.encode(Spoken(message, values, sa)))

        self._every(name, message, period, speak)

    def _every(self, name: str, message: str, period: int, deed: Callable[[], None]) -> None:
        period = max(period, self._apart)
        # Messages start at different moments, so that the bus is not idle and crowded by turns.
        phase = crc32(f"{name} {message}".encode()) % period

        def unless_quiet() -> None:
            if name not in self._quiet:
                deed()

        self._world.every(period, unless_quiet, phase=phase, jitter=JITTER_NS)

    def _asks_for_torque(self) -> None:
        """The VCU's TSC1 to both inverters: the one message that goes to two addresses."""
        asked: Values = {
            "OverrideCtrlMode": "TorqueControl",
            "RequestedSpeedCtrlConditions": 0,
            "OverrideCtrlModePriority": "High",
            "RequestedTorqueOrTorqueLimit": self._senses().torque,
            "MessageCounter": self._cycle % 8,
        }
        self._cycle += 1
        for inverter in INVERTERS:
            self.outlets["VCU"].send(self._encoder.encode(Spoken("TSC1", asked, da=inverter)))

    def _tells_stored_faults(self) -> None:
        for place, (pgn, data) in enumerate(broadcast(0xFECA, _STORED)):
            sent = Sent(group(7, pgn, ADDRESSES["BMS"]), data)
            self._world.after(place * _BETWEEN_PACKETS_NS, partial(self._send, "BMS", sent))

    def _send(self, name: str, sent: Sent) -> None:
        self.outlets[name].send(sent)


def _nothing(_: Sent) -> None:
    """What the cyclic senders hear: commands are heard by `Obedience`, diagnostics by their own endpoints."""
