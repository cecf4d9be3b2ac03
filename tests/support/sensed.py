"""The simulated bus' sensors in two plain situations, for tests that need no physics."""

from __future__ import annotations

from busgate_sim.ecu.sensed import Sensed

DRIVING = Sensed(
    seconds=0.0, speed=36.0, metres=500.0, odometer=31_940_650.0, acceleration=0.4, torque=30.0, motor_rpm=200.0,
    motor_torque=270.0, pedal=28.0, brake_pedal=0.0, park_brake=False, key_on=True, ready=True,
    doors=("Closed", "Closed", "Closed"), pack_voltage=640.0, pack_current=140.0, soc=78.0, cells=(3.63,) * 24,
    module_temperatures=(27.0, 28.0, 29.0, 28.0), contactors="Closed", link_voltage=640.0, air_bar=9.6,
    charge_limit=260.0, discharge_limit=540.0,
    low_voltage=27.6, low_voltage_current=84.0, charge_state="Unplugged", charge_current=0.0, charged_kwh=0.0,
    traction_kwh=1.2, recuperated_kwh=0.3, auxiliary_kwh=0.2, hvac_mode="Automatic", hvac_target=20.0, hvac_kw=6.4,
    saloon_temperature=19.5, outside_temperature=4.0, passengers=31,
)  # fmt: skip

STANDING = DRIVING._replace(
    speed=0.0, acceleration=0.0, torque=0.0, motor_rpm=0.0, motor_torque=0.0, pedal=0.0, brake_pedal=30.0,
    park_brake=True, pack_current=12.0,
)  # fmt: skip
