"""Whom the control units obey: commands on the bus become demands on drive, battery, charger, doors and climate.

Law: an ECU trusts the bus, as real ones do: whoever sends a command with the right checksum is obeyed. That is the
weakness that a gate is for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from busgate.model import IDENTIFIER
from busgate_sim.ecu.sensed import Demands
from busgate_sim.encoder import Encoder, Sent
from busgate_sim.world import MILLISECOND, World

TSC1_TIMEOUT_NS = 100 * MILLISECOND
"""How long a torque limit of another sender holds after its last TSC1, which comes each 10 ms."""

DOORS_BELOW_KMH = 3.0
"""Doors open only below this speed, as the body's ECU hears it on the bus."""

_VCU = 0x27
_MOST = 100.0

Heard = Mapping[str, float | str]


class Obedience:
    """All ECUs' ears for commands; what they then demand is in `demands`."""

    def __init__(self, world: World, encoder: Encoder) -> None:
        """Nobody has commanded anything."""
        self.demands = Demands()
        self.obeyed: dict[str, int] = {}
        """How many commands of each message were obeyed."""
        self._world = world
        self._encoder = encoder
        self._limited_until = 0
        self._speed = 0.0
        self._obeys: Mapping[str, Callable[[Heard, int], bool]] = {
            "TboxDriveCommand": self._drive,
            "TboxBmsCommand": self._battery,
            "TboxChargeCommand": self._charge,
            "TboxHvacCommand": self._climate,
            "TboxDoorCommand": self._doors,
            "TSC1": self._torque,
            "HVESSC1": self._power_down,
            "CCVS1": self._hears_speed,
        }

    def hear(self, sent: Sent) -> None:
        """Take a frame of the bus for what it says."""
        read = self._encoder.decode(sent, self._obeys)
        if read is None:
            return
        name, values = read
        if self._obeys[name](values, sent.can_id & IDENTIFIER & 0xFF):
            self.obeyed[name] = self.obeyed.get(name, 0) + 1

    def tick(self) -> None:
        """Let go of what was demanded for a short time only."""
        if self._limited_until and self._world.now >= self._limited_until:
            self._limited_until = 0
            self.demands.torque_limit = None

    def _drive(self, values: Heard, _: int) -> bool:
        asked = values["RequestType"]
        if asked == "Stop":
            self.demands.stop = True
        elif asked == "Limit":
            self.demands.torque_limit = _number(values["TorqueLimit"])
            self.demands.speed_limit = _number(values["SpeedLimit"])
            self.demands.stop = False
        return asked in {"Stop", "Limit"}

    def _battery(self, values: Heard, _: int) -> bool:
        asked = values["ContactorRequest"]
        if asked in {"Open", "Close"}:
            self.demands.contactors_open = asked == "Open"
        charge, discharge = _number(values["ChargeCurrentLimit"]), _number(values["DischargeCurrentLimit"])
        self.demands.charge_limit = self.demands.charge_limit if charge is None else charge
        self.demands.discharge_limit = self.demands.discharge_limit if discharge is None else discharge
        return asked in {"Open", "Close"} or charge is not None or discharge is not None

    def _charge(self, values: Heard, _: int) -> bool:
        match values["ChargeRequest"]:
            case "Start":
                self.demands.charge_stop = False
            case "Stop":
                self.demands.charge_stop = True
            case "Limit":
                self.demands.charge_limit = _number(values["CurrentLimit"])
                self.demands.target_soc = _number(values["TargetSoc"])
            case _:
                return False
        return True

    def _climate(self, values: Heard, _: int) -> bool:
        mode = values["Mode"]
        if mode not in {"Off", "Preheat", "Precool", "Ventilate"}:
            return False
        self.demands.hvac_mode, self.demands.hvac_target = str(mode), _number(values["TargetTemperature"])
        return True

    def _doors(self, values: Heard, _: int) -> bool:
        asked = values["DoorRequest"]
        if asked in {"Open", "Unlock"} and self._speed >= DOORS_BELOW_KMH:
            return False  # the interlock, as far as the speed on the bus is true
        if asked in {"Lock", "Close"}:
            self.demands.doors_unlocked = self.demands.doors_open = False
        elif asked in {"Open", "Unlock"}:
            self.demands.doors_unlocked = True
            self.demands.doors_open = asked == "Open"
        return asked in {"Lock", "Close", "Open", "Unlock"}

    def _torque(self, values: Heard, sa: int) -> bool:
        if sa == _VCU or values["OverrideCtrlMode"] != "SpeedTorqueLimit":
            return False
        limit = _number(values["RequestedTorqueOrTorqueLimit"])
        self.demands.torque_limit = 0.0 if limit is None else max(0.0, min(_MOST, limit))
        self._limited_until = self._world.now + TSC1_TIMEOUT_NS
        return True

    def _power_down(self, values: Heard, sa: int) -> bool:
        if sa == _VCU:
            return False
        self.demands.contactors_open = values["HvBusConnect"] == "Disconnect" or values["PowerDown"] == "PowerDown"
        return True

    def _hears_speed(self, values: Heard, _: int) -> bool:
        told = _number(values["WheelBasedVehicleSpeed"])
        self._speed = self._speed if told is None else told
        return False


def _number(value: float | str) -> float | None:
    """A signal's number; None where it says "not available" or another word."""
    return None if isinstance(value, str) else float(value)
