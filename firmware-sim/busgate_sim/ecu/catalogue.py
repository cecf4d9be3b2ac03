"""What each control unit of the simulated bus offers to diagnostics, and what it does to the bus.

Law: the numbers are this synthetic vehicle's own; an ECU does what an unlocked tester asks, at any speed where it does
not look at the speed itself. Which ones look stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from busgate_sim.ecu.sensed import Demands, Sensed
from busgate_sim.ecu.uds.flash import Flash
from busgate_sim.ecu.uds.offers import Control, Data, Offers, Routine
from busgate_sim.world import MILLISECOND

PART_NUMBER, SOFTWARE, SERIAL, VEHICLE_NUMBER = 0xF187, 0xF189, 0xF18C, 0xF190
VIN = b"SYNTHETICBUS00421"

CHARGE_LIMIT, DISCHARGE_LIMIT = 0x0300, 0x0301
SPEED_LIMIT, TORQUE_LIMIT = 0x0300, 0x0301
CONTACTOR_TEST, IMMOBILISE = 0x0310, 0x0311
DOORS = 0x0103

VERSION = "1.4.2"
_NONE_16, _NONE_8 = 0xFFFF, 0xFF
_STANDS_KMH = 3.0

Senses = Callable[[], Sensed]

UNITS = ("VCU", "INV1", "INV2", "BMS", "EBS", "EPS", "DCDC", "CHG", "BODY", "HVAC", "CLU")


class Catalogue:
    """The offers of one bus' ECUs."""

    def __init__(self, senses: Senses, demands: Callable[[], Demands]) -> None:
        """`senses` tells what the bus does, `demands` is where commands end."""
        self._senses = senses
        self._demands = demands
        own: Mapping[str, Callable[[Offers], None]] = {
            "VCU": self._drive,
            "BMS": self._battery,
            "BODY": self._body,
            "HVAC": self._climate,
        }
        self.offers: dict[str, Offers] = {}
        for number, name in enumerate(UNITS):
            offers = Offers(name, flash=Flash(VERSION), may_stop=self._stands)
            offers.data = self._identity(number, offers)
            if name in own:
                own[name](offers)
            self.offers[name] = offers

    def _identity(self, number: int, offers: Offers) -> dict[int, Data]:
        part = f"SYN-{offers.name:4}-{number:03}".encode()
        serial = f"2026{number:06}".encode()
        return {
            PART_NUMBER: Data(lambda: part),
            SOFTWARE: Data(lambda: ((offers.flash and offers.flash.version) or "").encode().ljust(12)),
            SERIAL: Data(lambda: serial),
            VEHICLE_NUMBER: Data(lambda: VIN),
        }

    def _stands(self) -> bool:
        return self._senses().speed < _STANDS_KMH

    def _drive(self, offers: Offers) -> None:
        offers.data = {
            **offers.data,
            0x0200: Data(lambda: round(self._senses().speed * 10).to_bytes(2)),
            SPEED_LIMIT: self._limit("speed_limit", 1, 100),
            TORQUE_LIMIT: self._limit("torque_limit", 1, 100),
        }
        offers.routines = {IMMOBILISE: Routine(lambda: self._immobilise(True), lambda: self._immobilise(False))}
        offers.faults = {0xD0_0100: 0x08}
        offers.works = lambda works: setattr(self._demands(), "stop", not works)

    def _battery(self, offers: Offers) -> None:
        offers.data = {
            **offers.data,
            0x0200: Data(lambda: round(self._senses().soc * 10).to_bytes(2)),
            0x0201: Data(lambda: round(self._senses().pack_voltage * 10).to_bytes(2)),
            0x0202: Data(lambda: round(self._senses().pack_current * 10 + 32_000).to_bytes(2)),
            0x0203: Data(lambda: b"".join(round(cell * 1000).to_bytes(2) for cell in self._senses().cells)),
            CHARGE_LIMIT: self._limit("charge_limit", 2, 1000),
            DISCHARGE_LIMIT: self._limit("discharge_limit", 2, 1000),
        }
        test = Routine(lambda: self._contactors(opened=True), lambda: self._contactors(opened=False), 200 * MILLISECOND)
        offers.routines = {CONTACTOR_TEST: test}
        offers.faults = {0x0A_1F_00: 0x08, 0x0A_9C_12: 0x2F}
        # The battery's controller does not know the speed: it lets go of its contactors whenever its program stops.
        offers.may_stop = lambda: True
        offers.works = lambda works: setattr(self._demands(), "contactors_open", not works)

    def _body(self, offers: Offers) -> None:
        offers.controls = {DOORS: Control(self._doors, lambda: self._let_doors(opened=False))}
        offers.faults = {0x93_2A_11: 0x09}

    def _climate(self, offers: Offers) -> None:
        offers.data = {**offers.data, 0x0200: Data(lambda: round(self._senses().saloon_temperature + 40).to_bytes(1))}
        offers.may_stop = lambda: True

    def _limit(self, name: str, width: int, most: int) -> Data:
        """A limit that can be written; all bits set for none."""
        none = _NONE_16 if width == 2 else _NONE_8

        def read() -> bytes:
            limit = getattr(self._demands(), name)
            return (none if limit is None else round(limit)).to_bytes(width)

        def write(data: bytes) -> bool:
            value = int.from_bytes(data)
            if value <= most or value == none:
                setattr(self._demands(), name, None if value == none else float(value))
                return True
            return False

        return Data(read, write)

    def _immobilise(self, wanted: bool) -> bool:
        self._demands().immobilised = wanted
        return True

    def _contactors(self, *, opened: bool) -> bool:
        self._demands().contactors_open = opened
        return True

    def _doors(self, state: bytes) -> bool:
        self._let_doors(opened=bool(state[0]))
        return True

    def _let_doors(self, *, opened: bool) -> None:
        demands = self._demands()
        demands.doors_open = demands.doors_unlocked = opened
