"""The bus itself: it rolls, it is driven over a line of stops, it draws on its battery and it is charged.

Law: plain physics of one dimension in fixed steps, the same every time. Its figures are engineering estimates for a
12 m electric city bus; nothing here describes a real vehicle.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import Literal

from busgate_sim.driver import COMFORT_BRAKE, DOOR_SECONDS, MOST_BRAKE, MOST_WISH, Driver
from busgate_sim.ecu.sensed import Demands, Sensed
from busgate_sim.line import Line
from busgate_sim.supplies import LOAD_24, SPRING_BRAKE, Air, Contactors, LowVoltage

G = 9.81
CURB_KG = 12_800.0
PASSENGER_KG = 75.0
ROTATING = 1.06
"""How much heavier it is to accelerate than to hold, for what turns in it."""
ROLLING = 0.0085
AIR_KG_PER_M = 0.5 * 1.2 * 0.65 * 8.3
"""Half of air's density, drag coefficient and frontal area (m2)."""
WHEEL_METRES = 3.0

MOST_FORCE_N = 19_000.0
MOST_POWER_W = 250_000.0
EFFICIENCY = 0.88
"""Between battery and wheels, each way."""
MOST_RECUPERATION_W = 150_000.0
TOP_KMH = 80.0

CELLS_IN_SERIES = 176
OHMS = 0.055
AMPERE_HOURS = 620.0
"""About 400 kWh."""
CHARGE_AMPERES = 160.0

Start = Literal["driving", "standing", "charging"]


@dataclass(slots=True)
class _State:
    """What changes from step to step; SI units, battery in A, V and Ah."""

    seconds: float = 0.0
    speed: float = 0.0
    metres: float = 0.0
    acceleration: float = 0.0
    force: float = 0.0
    pedal: float = 0.0
    brake: float = 0.0
    soc: float = 0.78
    volts: float = 640.0
    amperes: float = 0.0
    door: float = 0.0
    """0 closed, 1 open."""
    door_moves: float = 0.0
    saloon: float = 18.0
    hvac_watts: float = 0.0
    charged: float = 0.0
    finished: bool = False
    traction: float = 0.0
    recuperated: float = 0.0
    auxiliary: float = 0.0
    """Energies in J."""
    battery_out: float = 0.0
    lost: float = 0.0
    friction: float = 0.0
    friction_part: float = 0.0
    """How hard the friction brakes work, as a part of their most."""


class BusBody:
    """A bus, its driver and its charger. Implements `stage.Body`."""

    def __init__(self, start: Start, *, passengers: int = 31, line: Line | None = None) -> None:
        """`driving` begins in motion between two stops, `charging` with the plug in and the key off."""
        self.state = _State()
        self._start = start
        self._passengers = passengers if start == "driving" else 0
        self.mass = CURB_KG + self._passengers * PASSENGER_KG
        if start == "driving":
            self.state.speed = 36.0 / 3.6
        self._demands = Demands()
        self.driver = Driver(line)
        self.contactors = Contactors()
        self.air = Air()
        self.low_voltage = LowVoltage()

    # ------------------------------------------------------------ time

    def step(self, seconds: float, demands: Demands) -> None:
        """Let time pass."""
        self._demands = replace(demands)
        now = self.state
        now.seconds += seconds
        self.contactors.step(seconds, now.volts, wanted=not self._demands.contactors_open)
        self._doors(seconds)
        if self._start == "driving":
            self._drive(seconds)
        self._climate(seconds)
        self._charge(seconds)
        self._battery(seconds)
        powered = self.connected
        braking = 0.0 if self._start != "driving" else now.friction_part
        self.air.step(seconds, pedal=braking, doors=3 * abs(now.door_moves), powered=powered)
        self.low_voltage.step(seconds, powered=powered, awake=self._start != "charging")

    @property
    def connected(self) -> bool:
        """Whether the traction battery is on the link."""
        return self.contactors.state == "Closed"

    def _has_traction(self) -> bool:
        demands = self._demands
        return (
            self.connected
            and not self.air.holds
            and not (demands.stop or demands.immobilised)
            and self.state.door == self.state.door_moves == 0.0
        )

    # ------------------------------------------------------------ driving

    def _drive(self, seconds: float) -> None:
        now = self.state
        if self.driver.stands(now.speed, now.metres):
            now.speed = 0.0
        wish = self.driver.wish(seconds, now.seconds, now.speed, now.metres, traction=self._has_traction())
        traction = self._traction(max(0.0, wish))
        braking = max(0.0, -wish)
        electric = self._recuperation(min(braking, COMFORT_BRAKE) * self.mass)
        friction = max(0.0, min(braking, MOST_BRAKE) * self.mass - electric) if now.speed > 0 else 0.0
        now.friction_part = friction / (MOST_BRAKE * self.mass)
        if self.air.holds and now.speed > 0:
            friction = max(friction, SPRING_BRAKE * self.mass)
        resistance = (self.mass * G * ROLLING + AIR_KG_PER_M * now.speed**2) if now.speed > 0 else 0.0
        total = traction - electric - friction - resistance
        before = now.speed
        now.speed = max(0.0, before + total / (self.mass * ROTATING) * seconds)
        now.acceleration = (now.speed - before) / seconds
        mean = (before + now.speed) / 2
        now.metres += mean * seconds
        now.force = traction - electric
        now.traction += traction * mean * seconds
        now.recuperated += electric * mean * seconds * EFFICIENCY
        now.friction += friction * mean * seconds
        now.pedal = min(100.0, max(0.0, wish) / MOST_WISH * 100)
        now.brake = min(100.0, braking / MOST_BRAKE * 100 + (30.0 if before == now.speed == 0.0 else 0.0))

    def _traction(self, wish: float) -> float:
        """The force (N) at the wheels for a wish, as far as motors, battery and limits give it."""
        demands, now = self._demands, self.state
        if not self._has_traction() or wish == 0.0:
            return 0.0
        most = MOST_FORCE_N * (1.0 if demands.torque_limit is None else demands.torque_limit / 100)
        power = MOST_POWER_W
        if demands.discharge_limit is not None:
            power = min(power, demands.discharge_limit * now.volts * EFFICIENCY)
        most = min(most, power / max(now.speed, 1.0))
        if demands.speed_limit is not None and now.speed * 3.6 >= demands.speed_limit:
            return 0.0
        if now.speed * 3.6 >= TOP_KMH:
            return 0.0
        needed = wish * self.mass * ROTATING + self.mass * G * ROLLING + AIR_KG_PER_M * now.speed**2
        return max(0.0, min(most, needed))

    def _recuperation(self, wanted: float) -> float:
        now = self.state
        if not self.connected or now.speed < 1.0 or wanted == 0.0:
            return 0.0
        return min(wanted, MOST_RECUPERATION_W / now.speed)

    # ------------------------------------------------------------ doors, climate, charger, battery

    def _doors(self, seconds: float) -> None:
        now = self.state
        wanted = 1.0 if (self._start == "driving" and self.driver.wants_doors_open) or self._demands.doors_open else 0.0
        change = seconds / DOOR_SECONDS
        before = now.door
        now.door = min(wanted, before + change) if wanted > before else max(wanted, before - change)
        now.door_moves = now.door - before

    def _climate(self, seconds: float) -> None:
        now = self.state
        mode, target = self._hvac()
        heats = mode in {"Automatic", "Preheat"} and now.saloon < target and self.connected
        now.hvac_watts = (18_000.0 if mode == "Preheat" else 9_000.0) if heats else 400.0 if self.connected else 0.0
        outside = 4.0
        now.saloon += ((now.hvac_watts - 400.0) * 1.6 - (now.saloon - outside) * 420) / 900_000 * seconds

    def _hvac(self) -> tuple[str, float]:
        own = "Automatic" if self._start != "charging" else "Off"
        mode = self._demands.hvac_mode or own
        return mode, 20.0 if self._demands.hvac_target is None else self._demands.hvac_target

    def _charge(self, seconds: float) -> None:
        now, demands = self.state, self._demands
        target = 95.0 if demands.target_soc is None else demands.target_soc
        now.finished = self._start == "charging" and (demands.charge_stop or now.soc * 100 >= target)
        now.charged += self._charging_amperes() * now.volts * seconds

    def _charging_amperes(self) -> float:
        now, limit = self.state, self._demands.charge_limit
        if self._start != "charging" or now.finished or not self.connected:
            return 0.0
        return CHARGE_AMPERES if limit is None else min(CHARGE_AMPERES, limit)

    def _battery(self, seconds: float) -> None:
        """Ohm's law and coulombs: what all of it draws, at the voltage that this leaves."""
        now = self.state
        drive = now.force * now.speed
        watts = drive / EFFICIENCY if drive > 0 else drive * EFFICIENCY
        watts += (now.hvac_watts + 2_300.0) if self.connected else 0.0
        resting = CELLS_IN_SERIES * (3.30 + 0.55 * now.soc)
        if not self.connected:
            now.amperes, now.volts = 0.0, resting
            return
        charge = self._charging_amperes()
        now.amperes = (resting - sqrt(resting**2 - 4 * OHMS * watts)) / (2 * OHMS) - charge
        now.volts = resting - now.amperes * OHMS
        now.soc = min(1.0, max(0.0, now.soc - now.amperes * seconds / 3600 / AMPERE_HOURS))
        now.auxiliary += (now.hvac_watts + 2_300.0) * seconds
        now.battery_out += now.amperes * resting * seconds
        now.lost += now.amperes**2 * OHMS * seconds

    # ------------------------------------------------------------ what the sensors tell

    def sensed(self) -> Sensed:
        """All that the control units know of it."""
        now = self.state
        mode, target = self._hvac()
        cell = now.volts / CELLS_IN_SERIES
        torque = now.force / MOST_FORCE_N * 100
        return Sensed(
            seconds=now.seconds,
            speed=now.speed * 3.6,
            metres=now.metres,
            odometer=31_940_150.0 + now.metres,
            acceleration=now.acceleration,
            torque=torque,
            motor_rpm=now.speed / WHEEL_METRES * 60,
            motor_torque=torque * 9.0,
            pedal=now.pedal,
            brake_pedal=now.brake if self._start == "driving" else 30.0,
            park_brake=self._start != "driving" or self.driver.dwelt > 0,
            key_on=self._start != "charging",
            ready=self._start != "charging" and self.connected,
            doors=(self._door(),) * 3,
            pack_voltage=now.volts,
            pack_current=now.amperes,
            soc=now.soc * 100,
            cells=tuple(cell + 0.0007 * (number % 5) for number in range(24)),
            module_temperatures=(27.0, 28.0, 29.0, 28.0),
            contactors=self.contactors.state,
            link_voltage=self.contactors.link,
            air_bar=self.air.bar,
            charge_limit=260.0,
            discharge_limit=540.0,
            low_voltage=self.low_voltage.volts(powered=self.connected),
            low_voltage_current=LOAD_24 if self._start != "charging" else 1.5,
            charge_state=self._charge_state(),
            charge_current=self._charging_amperes(),
            charged_kwh=now.charged / 3.6e6,
            traction_kwh=now.traction / 3.6e6,
            recuperated_kwh=now.recuperated / 3.6e6,
            auxiliary_kwh=now.auxiliary / 3.6e6,
            hvac_mode=mode,
            hvac_target=target,
            hvac_kw=now.hvac_watts / 1000,
            saloon_temperature=now.saloon,
            outside_temperature=4.0,
            passengers=self._passengers,
        )

    def _door(self) -> str:
        now = self.state
        if now.door_moves:
            return "Opening" if now.door_moves > 0 else "Closing"
        return "Open" if now.door == 1.0 else "Closed"

    def _charge_state(self) -> str:
        if self._start != "charging":
            return "Unplugged"
        return "Finished" if self.state.finished else "Charging"
