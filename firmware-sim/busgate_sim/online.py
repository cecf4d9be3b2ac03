"""The T-box's link to its maker's platform within a scenario: what the cloud orders arrives, is understood and done.

Law: bytes take their time both ways and stay in order; what the T-box does because of an order bears the order's cause.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from busgate_sim.air import Air
from busgate_sim.cloud.gb32960 import Edition as Edition32960
from busgate_sim.cloud.jt808 import Edition as Edition808
from busgate_sim.cloud.octets import Refused
from busgate_sim.cloud.orders import Order, order
from busgate_sim.cloud.platform import Line, Platform
from busgate_sim.cloud.vendor import TUNNEL
from busgate_sim.ecu.sensed import Sensed
from busgate_sim.tbox_firmware.cloud_command import CloudCommand
from busgate_sim.tbox_firmware.link import Link, State, Wish
from busgate_sim.tbox_firmware.speech import Speech
from busgate_sim.tbox_firmware.speech808 import Identity808, Speech808
from busgate_sim.tbox_firmware.speech32960 import Identity32960, Speech32960
from busgate_sim.tbox_firmware.speech_mqtt import IdentityMqtt, SpeechMqtt
from busgate_sim.tbox_firmware.telemetry import Telemetry
from busgate_sim.world import MILLISECOND, SECOND, World

PHONE = "018000032600"
VIN = "SYNTHETICBUS00421"
TURN_NS = 100 * MILLISECOND
"""How often the link is asked whether something is due."""

Obey = Callable[[CloudCommand, str], None]


_EDITIONS_808 = {f"jt808-{edition.value}": edition for edition in Edition808}
_EDITIONS_32960 = {f"gb32960-{edition.value}": edition for edition in Edition32960}
MQTT = "mqtt"
SPOKEN = (*_EDITIONS_808, *_EDITIONS_32960, MQTT)
"""The protocols that T-box and platform can speak."""


class Online:
    """One T-box and its platform, joined over the air."""

    def __init__(  # noqa: PLR0913 - who is joined, and by what
        self,
        air: Air,
        world: World,
        started: int,
        senses: Callable[[], Sensed],
        obey: Obey,
        *,
        spoken: str = "jt808-2013",
    ) -> None:
        """The T-box dials at once. `started` is when the world began, Unix seconds; `spoken` is one of `SPOKEN`."""
        self.platform = Platform(None, _EDITIONS_808.get(spoken, Edition808.Y2013))
        self.refused: list[str] = []
        self._air = air
        self._world = world
        self._started = started * SECOND
        self._senses = senses
        self._obey = obey
        self._line: Line | None = None
        self._carried_elsewhere = False
        phone = PHONE.zfill(20) if spoken == "jt808-2019" else PHONE  # 2019 made the field longer
        self._name = phone if spoken in _EDITIONS_808 else VIN
        self._speech = _speech(spoken)
        self.link = Link(self._speech, self._telemetry, at=self._now)
        self._turns = world.every(TURN_NS, self._turn, phase=TURN_NS)

    def hand_over(self) -> Link:
        """Leave the link to whoever dials a platform elsewhere; nothing goes through the air here any more."""
        self._turns.cancel()
        self._carried_elsewhere = True
        return self.link

    @property
    def online(self) -> bool:
        """Whether the T-box is logged in."""
        return self.link.state is State.ONLINE

    def order(self, what: Order, cause: str) -> None:
        """Order the T-box to do something; one that is not logged in misses it, and that is noted."""
        sent = self.platform.order(self._name, what, self._now)
        if isinstance(sent, Refused):
            self.refused.append(sent.reason)
        else:
            self._air.down(sent.data, partial(self._arrives, sent.data, cause), cause=cause)

    def tell(self, answers: list[bytes]) -> None:
        """Pass an ECU's answers through to the platform."""
        self.link.say(self._speech.through(TUNNEL, b" ".join(answer.hex().encode() for answer in answers)), self._now)
        self._carry()

    def upgraded(self, *, done: bool) -> None:
        """Say what became of an update."""
        self.link.say(self._speech.upgraded(done=done), self._now)
        self._carry()

    @property
    def _now(self) -> int:
        return self._started + self._world.now

    def _turn(self) -> None:
        match self.link.tick(self._now):
            case Wish.DIAL:
                self._line = self.platform.line()
                self.link.connected(self._now)
            case Wish.CLOSE:
                self._hang_up()
            case Wish.NOTHING:
                pass
        self._carry()

    def _hang_up(self) -> None:
        if self._line is not None:
            self.platform.closed(self._line)
            self._line = None
        self.link.lost(self._now)

    def _carry(self) -> None:
        if not self._carried_elsewhere and (data := self.link.take()):
            self._air.up(data, partial(self._lands, data))

    def _lands(self, data: bytes) -> None:
        """At the platform."""
        if self._line is not None and (back := self._line.receive(data, self._now)):
            self._air.down(back, partial(self._arrives, back, ""))

    def _arrives(self, data: bytes, cause: str) -> None:
        """At the T-box."""
        if self.link.received(data, self._now) is Wish.CLOSE:
            self._hang_up()
        for command in self.link.fetch():
            self._obey(command, cause)
        self._carry()

    def _telemetry(self) -> Telemetry:
        now = self._senses()
        return {
            "speed_kmh": now.speed,
            "odometer_km": now.odometer / 1000,
            "soc_percent": now.soc,
            "pack_v": now.pack_voltage,
            "pack_a": now.pack_current,
            "latitude": 52.09 + now.metres / 111_000,
            "longitude": 5.12,
            "key_on": now.key_on,
            "charging": now.charge_state == "Charging",
            "doors_open": any(door != "Closed" for door in now.doors),
            "cells_v": now.cells,
            "temperatures_degc": now.module_temperatures,
        }


def _speech(spoken: str) -> Speech:
    if spoken == MQTT:
        return SpeechMqtt(IdentityMqtt(VIN))
    if spoken in _EDITIONS_32960:
        return Speech32960(Identity32960(VIN, edition=_EDITIONS_32960[spoken]))
    return Speech808(Identity808(PHONE, VIN, _EDITIONS_808[spoken]))


class _Orderable(NamedTuple):
    """An act that a clerk can order: what of it is fixed, and which of its arguments becomes which of the order's."""

    does: str
    fixed: Mapping[str, str]
    order: str
    arguments: Mapping[str, str]


_ORDERABLE = (
    _Orderable("drive.stop", {}, "remote-stop", {}),
    _Orderable("drive.limit", {}, "torque-limit", {"torque": "percent"}),
    _Orderable("drive.limit", {}, "speed-limit", {"speed": "kmh"}),
    _Orderable("charge", {"request": "Limit"}, "charge-limit", {"current": "amperes"}),
    _Orderable("doors", {"request": "Unlock"}, "door-unlock", {}),
    _Orderable("doors", {"request": "Lock"}, "door-lock", {}),
    _Orderable("climate", {}, "preheat", {"target": "degc"}),
    _Orderable("diagnose", {}, "diagnose", {"target": "target", "requests": "requests"}),
    _Orderable("update", {}, "update", {"url": "url"}),
    _Orderable("climate", {"mode": "Preheat"}, "preheat", {"target": "degc", "minutes": "minutes"}),
)


def ordered(does: str, told: Mapping[str, float | str]) -> Order | None:
    """The platform's order that makes a T-box do an act, or None where no clerk can order that."""
    for each in _ORDERABLE:
        fits = told.keys() == each.fixed.keys() | each.arguments.keys()
        if does == each.does and fits and all(told[name] == value for name, value in each.fixed.items()):
            return order(each.order, {name: told[argument] for argument, name in each.arguments.items()})
    return None
