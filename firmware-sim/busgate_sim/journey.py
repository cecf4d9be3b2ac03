"""What the bus does in the demo: doors close, it pulls away to 40 km/h, rolls, brakes, stands. Time in seconds.

Law: plain functions of time, so that every message tells the same story. Physics comes later; this is a sketch of it.
"""

from __future__ import annotations

from typing import NamedTuple

LASTS = 30.0
_DOORS_CLOSE, _DOORS_CLOSED = 2.5, 4.0
_BRAKE_OFF, _PULLS_AWAY, _ROLLS, _BRAKES, _STANDS, _BRAKE_ON = 5.0, 6.0, 16.0, 22.0, 27.0, 28.0
_CRUISE_KMH = 40.0
_WHEEL_RPM_PER_KMH = 1000 / 60 / 3.0  # a wheel that is three metres around


class Moment(NamedTuple):
    """The bus at one time: km/h, metres since the start, per cent of the drive's torque, and what is open or set."""

    time: float
    speed: float
    distance: float
    torque: float
    pedal: float
    braking: float
    park_brake: bool
    doors: str

    @property
    def motor_speed(self) -> float:
        """Speed of either wheel-hub motor, rpm."""
        return self.speed * _WHEEL_RPM_PER_KMH

    @property
    def pack_current(self) -> float:
        """Battery current in A; negative while the bus recuperates."""
        return 12.0 + self.torque * self.speed * 0.12


def at(time: float) -> Moment:
    """The bus `time` seconds after the recording began."""
    if time < _PULLS_AWAY:
        speed, torque, pedal, braking = 0.0, 0.0, 0.0, 30.0
    elif time < _ROLLS:
        speed = _CRUISE_KMH * (time - _PULLS_AWAY) / (_ROLLS - _PULLS_AWAY)
        torque, pedal, braking = 55.0, 48.0, 0.0
    elif time < _BRAKES:
        speed, torque, pedal, braking = _CRUISE_KMH, 12.0, 14.0, 0.0
    elif time < _STANDS:
        speed = _CRUISE_KMH * (_STANDS - time) / (_STANDS - _BRAKES)
        torque, pedal, braking = -35.0, 0.0, 42.0
    else:
        speed, torque, pedal, braking = 0.0, 0.0, 0.0, 30.0
    park_brake = time < _BRAKE_OFF or time >= _BRAKE_ON
    return Moment(time, speed, _metres(time), torque, pedal, braking, park_brake, _doors(time))


def _metres(time: float) -> float:
    metres_per_second = _CRUISE_KMH / 3.6
    rising = min(max(time - _PULLS_AWAY, 0.0), _ROLLS - _PULLS_AWAY)
    rolling = min(max(time - _ROLLS, 0.0), _BRAKES - _ROLLS)
    falling = min(max(time - _BRAKES, 0.0), _STANDS - _BRAKES)
    risen = rising**2 / (_ROLLS - _PULLS_AWAY) / 2
    fallen = falling - falling**2 / (_STANDS - _BRAKES) / 2
    return metres_per_second * (risen + rolling + fallen)


def _doors(time: float) -> str:
    if time < _DOORS_CLOSE:
        return "Open"
    return "Closing" if time < _DOORS_CLOSED else "Closed"
