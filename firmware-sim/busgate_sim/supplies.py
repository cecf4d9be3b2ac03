"""What the bus lives on beside its traction battery: the link to it, compressed air, and the 24 V net.

Law: each is a small state with a step; figures are engineering estimates for a 12 m bus, and docs/physics.md has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import Literal

PRECHARGE_SECONDS = 0.25
"""Time constant of the pre-charge resistor and the inverters' capacitors."""
DISCHARGE_SECONDS = 2.0
CLOSES_AT = 0.95
"""Which part of the battery's voltage the link has to have before the main contactor closes."""

AIR_FULL, AIR_STARTS, AIR_SPRING = 10.5, 8.5, 4.5
"""Bar: the compressor stops, it starts, the spring brakes hold the bus."""
_COMPRESSOR = 0.06
"""Bar a second."""
_PER_FULL_BRAKE, _PER_DOOR, _LEAK = 0.25, 0.08, 0.0002
"""Bar for a full pedal, bar for a door's way, bar a second."""
SPRING_BRAKE = 2.5
"""m/s2 of the spring brakes."""

CONVERTER_VOLTS, CONVERTER_AMPERES = 27.6, 150.0
AMPERE_HOURS_24 = 220.0
LOAD_24 = 84.0
"""A that lights, controllers and pumps draw."""
_LOAD_ASLEEP = 1.5
_FULL_24, _EMPTY_24 = 25.4, 21.0


@dataclass(slots=True)
class Contactors:
    """Main contactor and pre-charge of the traction battery."""

    state: Literal["Open", "Precharge", "Closed"] = "Closed"
    link: float = 640.0
    """Volts behind the contactors."""

    def step(self, seconds: float, pack: float, *, wanted: bool) -> None:
        """Follow what is wanted: open at once, close by way of pre-charge."""
        if not wanted:
            self.state = "Open"
            self.link *= exp(-seconds / DISCHARGE_SECONDS)
            return
        if self.state == "Open":
            self.state = "Precharge"
        if self.state == "Precharge":
            self.link += (pack - self.link) * (1 - exp(-seconds / PRECHARGE_SECONDS))
            if self.link >= CLOSES_AT * pack:
                self.state = "Closed"
        if self.state == "Closed":
            self.link = pack


@dataclass(slots=True)
class Air:
    """The brakes' and doors' compressed air."""

    bar: float = 9.6
    compressing: bool = False
    _pedal: float = 0.0

    def step(self, seconds: float, *, pedal: float, doors: float, powered: bool) -> None:
        """Use and make air: `pedal` is the friction brake's part of its most, `doors` how far doors moved (1: all)."""
        used = max(0.0, pedal - self._pedal) * _PER_FULL_BRAKE + doors * _PER_DOOR + _LEAK * seconds
        self._pedal = pedal
        self.compressing = powered and (self.bar < AIR_STARTS or (self.compressing and self.bar < AIR_FULL))
        made = _COMPRESSOR * seconds if self.compressing else 0.0
        self.bar = min(AIR_FULL, max(0.0, self.bar - used + made))

    @property
    def holds(self) -> bool:
        """Whether the spring brakes hold the bus, since there is too little air to release them."""
        return self.bar < AIR_SPRING


@dataclass(slots=True)
class LowVoltage:
    """The 24 V net: its battery, and the converter while there is high voltage."""

    soc: float = 0.92

    def step(self, seconds: float, *, powered: bool, awake: bool) -> None:
        """Charge from the converter, or draw on the battery."""
        load = LOAD_24 if awake else _LOAD_ASLEEP
        amperes = min(20.0, CONVERTER_AMPERES - load) if powered else -load
        self.soc = min(1.0, max(0.0, self.soc + amperes * seconds / 3600 / AMPERE_HOURS_24))

    def volts(self, *, powered: bool) -> float:
        """What a meter shows."""
        return CONVERTER_VOLTS if powered else _EMPTY_24 + (_FULL_24 - _EMPTY_24) * self.soc
