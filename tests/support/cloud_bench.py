"""A T-box's link and the vendor's platform joined by a pipe in memory that cuts what it carries into chunks."""

from __future__ import annotations

from busgate_sim.cloud.gb32960 import Edition as Edition32960
from busgate_sim.cloud.jt808 import Edition as Edition808
from busgate_sim.cloud.octets import Refused
from busgate_sim.cloud.orders import order
from busgate_sim.cloud.platform import Line, Platform
from busgate_sim.tbox_firmware.cloud_command import CloudCommand
from busgate_sim.tbox_firmware.link import Habits, Link, State, Wish
from busgate_sim.tbox_firmware.speech808 import Identity808, Speech808
from busgate_sim.tbox_firmware.speech32960 import Identity32960, Speech32960
from busgate_sim.tbox_firmware.telemetry import Telemetry
from busgate_sim.world import SECOND

VIN = "SYNTHETICBUS00421"
PHONE = "018000032600"
START = 1_772_404_800 * SECOND
VALUES: Telemetry = {
    "speed_kmh": 41.5, "odometer_km": 120_034.2, "soc_percent": 71.0, "pack_v": 612.3, "pack_a": -84.5,
    "insulation_kohm": 2300, "latitude": 52.09, "longitude": 5.12, "altitude_m": 4.0, "direction_deg": 270.0,
    "pedal_percent": 0.0, "brake_percent": 22.0, "motor_rpm": 1800, "motor_nm": -310.5, "motor_degc": 61,
    "controller_degc": 48, "radio": 24, "key_on": True, "charging": False, "stopped": False, "doors_locked": True,
    "doors_open": False, "cells_v": (3.41, 3.40, 3.43), "temperatures_degc": (24, 25),
}  # fmt: skip

Speaker = Speech808 | Speech32960


def speaker(edition: Edition808 | Edition32960) -> Speaker:
    if isinstance(edition, Edition808):
        return Speech808(Identity808(PHONE, VIN, edition))
    return Speech32960(Identity32960(VIN, edition=edition))


def name(edition: Edition808 | Edition32960) -> str:
    """How the platform calls a vehicle of this edition."""
    if isinstance(edition, Edition32960):
        return VIN
    return PHONE.zfill(20) if edition is Edition808.Y2019 else PHONE


class Bench:
    """Both ends and the pipe between them."""

    def __init__(
        self, edition: Edition808 | Edition32960, chunk: int = 7, habits: Habits | None = None, **platform: object
    ) -> None:
        self.now = START
        self.edition = edition
        older = edition if isinstance(edition, Edition808) and edition is not Edition808.Y2019 else Edition808.Y2013
        admits = platform.get("admits")
        assert admits is None or isinstance(admits, tuple)
        self.platform = Platform(admits, older)
        self.values = dict(VALUES)
        self.speech = speaker(edition)
        self.link = Link(self.speech, lambda: self.values, at=START, habits=habits)
        self.reachable = True
        self.mute = False
        self.dials = list[int]()
        self.line: Line | None = None
        self._chunk = chunk

    def run(self, seconds: float) -> None:
        """Let the link live; time jumps from one thing to do to the next."""
        until = self.now + round(seconds * SECOND)
        while self.link.due <= until:
            self.now = max(self.now, self.link.due)
            self._wish(self.link.tick(self.now))
            self._carry()
        self.now = until

    def _wish(self, wish: Wish) -> None:
        if wish is Wish.CLOSE:
            self.cut()
        elif wish is Wish.DIAL:
            self.dials.append(self.now)
            if self.reachable:
                self.line = self.platform.line()
                self.link.connected(self.now)
            else:
                self.link.lost(self.now)

    def cut(self) -> None:
        """The connection breaks."""
        if self.line is not None:
            self.platform.closed(self.line)
            self.line = None
        self.link.lost(self.now)

    def _carry(self) -> None:
        while self.line is not None and (up := self.link.take()):
            for place in range(0, len(up), self._chunk):
                back = self.line.receive(up[place : place + self._chunk], self.now)
                if not self.mute:
                    self.down(back)

    def down(self, data: bytes) -> None:
        """What the platform sends reaches the T-box."""
        for place in range(0, len(data), self._chunk):
            self._wish(self.link.received(data[place : place + self._chunk], self.now))

    def order(self, what: str, **arguments: float | str) -> list[CloudCommand]:
        """Order the vehicle; what its T-box takes it for."""
        sent = self.platform.order(name(self.edition), order(what, arguments), self.now)
        assert not isinstance(sent, Refused), sent
        assert sent.line is self.line
        self.down(sent.data)
        self._carry()
        return self.link.fetch()

    @property
    def online(self) -> bool:
        return self.link.state is State.ONLINE
