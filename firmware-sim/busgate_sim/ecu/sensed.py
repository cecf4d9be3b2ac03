"""What the vehicle's control units sense and what they demand: the only things they share with its physics.

Law: plain values in SI or the unit that is named; the control units never look into the physics, nor it into them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Sensed(NamedTuple):
    """The bus at one moment, as its sensors tell. km/h, degC; torques and pedals in per cent."""

    seconds: float
    """Since the simulation began."""
    speed: float
    metres: float
    """Since the simulation began."""
    odometer: float
    """Metres in all the bus' life."""
    acceleration: float
    """m/s2, negative while it brakes."""
    torque: float
    """Of the drive's most, negative while it recuperates."""
    motor_rpm: float
    motor_torque: float
    """Nm of one motor."""
    pedal: float
    brake_pedal: float
    park_brake: bool
    key_on: bool
    ready: bool
    """Whether the drive would answer the pedal."""
    doors: tuple[str, str, str]
    """Each `Closed`, `Opening`, `Open` or `Closing`, as the DBC writes it."""
    pack_voltage: float
    pack_current: float
    """A, negative while the battery is charged."""
    soc: float
    """Per cent."""
    cells: tuple[float, ...]
    """Volts of the 24 cells that are told one by one."""
    module_temperatures: tuple[float, ...]
    contactors: str
    """`Open`, `Precharge`, `Closed` or `Welded`."""
    link_voltage: float
    """Volts behind the contactors."""
    air_bar: float
    """Pressure of the brakes' circuits, above the air's."""
    charge_limit: float
    """A that the battery takes at most."""
    discharge_limit: float
    low_voltage: float
    """Volts of the 24 V system."""
    low_voltage_current: float
    charge_state: str
    """`Unplugged`, `Plugged`, `Charging`, `Finished` or `Fault`."""
    charge_current: float
    charged_kwh: float
    """Since the plug went in."""
    traction_kwh: float
    recuperated_kwh: float
    auxiliary_kwh: float
    hvac_mode: str
    hvac_target: float
    hvac_kw: float
    saloon_temperature: float
    outside_temperature: float
    passengers: int


@dataclass(slots=True)
class Demands:
    """What the control units impose on the drive, the battery and the rest; None leaves it to the driver."""

    torque_limit: float | None = None
    """Per cent of the drive's most."""
    speed_limit: float | None = None
    """km/h."""
    stop: bool = False
    """No traction at all, until the demand is taken back."""
    immobilised: bool = False
    """As `stop`, until somebody with a key to the ECU takes it back."""
    contactors_open: bool = False
    charge_limit: float | None = None
    """A."""
    discharge_limit: float | None = None
    charge_stop: bool = False
    target_soc: float | None = None
    """Per cent at which charging ends."""
    doors_unlocked: bool = False
    doors_open: bool = False
    hvac_mode: str | None = None
    """`Off`, `Preheat`, `Precool` or `Ventilate`."""
    hvac_target: float | None = None
