"""One light bus: simulated frames through a real gateway into a real log, and up by a real uplink.

Law: nothing of the gate is replaced or shared but the vehicle's description, which is the same for all.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path

from busgate.gateway import Gateway
from busgate.model import Alert, Event, Mode, Side
from busgate.record.log import Log
from busgate.report.uplink import Status, Uplink
from busgate.service import load
from busgate.service.station import Station
from busgate.trust.keys import load_signer, new_key, public_path
from busgate.trust.note import Verifier
from busgate_trial.fleet.traffic import Traffic

POLICY = "policy.yaml"


class LightBus:
    """One bus of the fleet."""

    def __init__(  # noqa: PLR0913 - which bus, as what, where, to whom, since when
        self,
        number: int,
        vehicle: load.Vehicle,
        folder: Path,
        url: str,
        *,
        witnesses: Sequence[Verifier],
        clock: tuple[int, int],
    ) -> None:
        """Makes its key and log in `folder`; `clock` is now on the gate's clock, and the wall's time less that (ns)."""
        self.name = f"bus-{number:04}"
        self.alerts: list[Alert] = []
        self.frames = 0
        self.blocked = 0
        self._began, offset = clock
        key = folder / f"{self.name}.key"
        if not key.exists():
            new_key(self.name, key)
        self.vkey = public_path(key)
        self.traffic = Traffic(number * 137_000_000)
        gateway = Gateway(vehicle.profile, vehicle.database, mode=Mode.ENFORCE, wall_offset=offset, device=self.name)
        self.log = Log.open(
            folder / self.name, load_signer(key), device=self.name, boot=uuid.uuid4().hex, now=self._began,
            wall_offset=offset, wq="rtc",
        )  # fmt: skip
        self.uplink = Uplink(url, self.name, self.log, witnesses=witnesses)
        self.station = Station(gateway, self.log, self.uplink)
        self.station.listeners.append(self._told)
        adopted = load.policy(vehicle.folder / POLICY, operator=None, unsigned=True)
        self.station.record((gateway.adopt(adopted.policy, self._began, signed=False),), self._began)
        self.uplink.start()

    @property
    def status(self) -> Status:
        """Where its uplink stands."""
        return self.uplink.status

    def advance(self, now: int) -> None:
        """Let time pass up to `now`, in ns since the fleet began."""
        for frame in self.traffic.until(now, self._began):
            outcome = self.station.take(frame)
            self.frames += 1
            self.blocked += frame.side is Side.TBOX and not outcome.forward
        self.station.idle(self._began + now)

    def finish(self, now: int) -> None:
        """The end of the day: what is open is told and signed."""
        self.station.finish(self._began + now)

    def close(self) -> None:
        """Say goodbye and close the log."""
        self.uplink.close()
        self.log.close()

    def _told(self, _: int, event: Event) -> None:
        if isinstance(event, Alert):
            self.alerts.append(event)
