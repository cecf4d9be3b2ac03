"""The vehicle's own traffic: every ECU's cyclic messages, and what they say.

Law: each message is a function of the journey; how often it comes is read from its DBC.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from math import sin

from busgate_sim import journey
from busgate_sim.encoder import Sent, Spoken, Values, group
from busgate_sim.journey import Moment
from busgate_sim.script import Script
from busgate_sim.segments import broadcast

INVERTERS = (0x8A, 0x8B)
BMS, EBS, CLU = 0xF3, 0x0B, 0x17
_JITTER_S = 0.0004
_DM1 = 0xFECA
_BETWEEN_PACKETS_S = 0.055
_SENDERS: Mapping[str, tuple[int, ...]] = {"DM1": (EBS, CLU)}


def _ccvs1(now: Moment) -> Values:
    return {
        "ParkingBrakeSwitch": "Set" if now.park_brake else "NotSet",
        "WheelBasedVehicleSpeed": now.speed,
        "BrakeSwitch": "Depressed" if now.braking else "Released",
        "CruiseCtrlActive": "Off",
        "CruiseCtrlEnableSwitch": "Off",
    }


def _inverter(now: Moment) -> Values:
    return {
        "MotorSpeed": now.motor_speed,
        "MotorTorque": now.torque * 9.0,
        "DcLinkVoltage": _volts(now),
        "InverterState": "Standby" if now.park_brake else "TorqueControl",
        "InverterTemperature": 46 + now.time * 0.3,
    }


def _doors(now: Moment) -> Values:
    open_ = now.doors != "Closed"
    locked = "Off" if open_ else "On"
    return {
        **{f"Door{number}State": now.doors for number in (1, 2, 3)},
        **{f"Door{number}Locked": locked for number in (1, 2, 3)},
        "RampState": "In",
        "KneelingState": "Kneeling" if open_ else "Level",
        "StopRequested": "On" if now.braking else "Off",
    }


def _vdc2(now: Moment) -> Values:
    wheel = 0.12 * sin(now.time) * min(1.0, now.speed / 10)
    pull = 1.11 if now.torque > 20 else -2.22 if now.torque < 0 else 0.0
    return {
        "SteerWheelAngle": wheel,
        "SteerWheelTurnCounter": 0,
        "YawRate": wheel / 16,
        "LateralAcceleration": wheel / 2,
        "LongitudinalAcceleration": pull if now.speed else 0.0,
    }


def _volts(now: Moment) -> float:
    return 652.0 - now.pack_current * 0.06


def _cells(now: Moment) -> Values:
    cell_group = int(now.time / 0.02) % 8
    cells = range(cell_group * 3 + 1, cell_group * 3 + 4)
    volts = _volts(now) / 176
    return {"CellGroup": cell_group, **{f"Cell{cell:02}Voltage": volts + 0.0007 * (cell % 5) for cell in cells}}


def _details(now: Moment) -> Values:
    step = int(now.time / 0.1) % 7
    if step < 4:
        warm = {f"ModuleTemperature{sensor}": 27 + step + sensor for sensor in (1, 2, 3)}
        return {"Page": "Temperatures", "Module": step, **warm}
    if step == 4:
        return {"Page": "Temperatures", "Module": 4, "CoolantInlet": 24.5, "CoolantOutlet": 26.1}
    if step == 5:
        return {"Page": "Balancing", "BalancingCell": 17, "BalancingTime": 340}
    return {"Page": "Isolation", "IsolationPositive": 4100, "IsolationNegative": 3950}


def _energy(now: Moment) -> Values:
    kilometres = now.distance / 1000
    return {
        "FrameNumber": int(now.time / 0.5),
        "TractionEnergy": 41_207.3 + kilometres * 1.1,
        "RecuperatedEnergy": 9_871.4 + kilometres * 0.2,
        "AuxiliaryEnergy": 12_004.9 + now.time * 0.002,
        "OdometerFine": 31_940_150.0 + now.distance,
        **{f"WheelSpeed{wheel}": now.speed for wheel in (1, 2, 3, 4)},
        "AxleLoad1": 5_240,
        "AxleLoad2": 9_130,
        "Passengers": 31,
    }


SAYS: Mapping[str, Callable[[Moment], Values]] = {
    "CCVS1": _ccvs1,
    "EEC1": lambda now: {
        "DriversDemandEngPercentTorque": now.torque, "ActualEngPercentTorque": now.torque, "EngSpeed": now.motor_speed
    },
    "EEC2": lambda now: {
        "AccelPedal1LowIdleSwitch": "NotInLowIdle" if now.pedal else "LowIdle", "AccelPedalPos1": now.pedal,
        "AccelPedalKickdownSwitch": "Passive", "EngPercentLoadAtCurrentSpeed": abs(now.torque),
    },
    "ETC2": lambda now: {
        "TransSelectedGear": 0 if now.park_brake else 1, "TransActualGearRatio": 1.0,
        "TransCurrentGear": 0 if now.park_brake else 1,
    },
    "EBC1": lambda now: {
        "AntiLockBrakingActive": "NotActive", "EBSBrakeSwitch": "Pressed" if now.braking else "NotPressed",
        "BrakePedalPos": now.braking, "ABSFullyOperational": "Yes", "EBSRedWarningSignal": "Off",
        "ABSEBSAmberWarningSignal": "Off",
    },
    "EBC2": lambda now: {
        "FrontAxleSpeed": now.speed, "RelativeSpeedFrontAxleLeft": 0.0, "RelativeSpeedFrontAxleRight": 0.0,
        "RelativeSpeedRearAxle1Left": 0.0, "RelativeSpeedRearAxle1Right": 0.0,
    },
    "VDC2": _vdc2,
    "HVESSC1": lambda _: {
        "HvBusConnect": "Connect", "PowerDown": "Normal", "ActiveIsolationTest": "Off", "PassiveIsolationTest": "On",
        "CellBalancing": "Off", "InternalChargerEnable": "Off", "OperationalConsent": "On",
    },
    "AMB": lambda _: {"BarometricPress": 101.5, "CabInteriorTemp": 19.5, "AmbientAirTemp": 4.0},
    "DC1": lambda now: {
        "PositionOfDoors": {"Open": "AtLeastOneOpen", "Closing": "ClosingLastDoor", "Closed": "AllClosed"}[now.doors],
        "RampWheelChairLiftPos": "InsideBus",
    },
    "VDHR": lambda now: {
        "HighRsltionTotalVehicleDistance": 31_940_150 + now.distance, "HighRsltionTripDistance": 84_200 + now.distance
    },
    "DM1": lambda _: {
        "ProtectLampStatus": "Off", "AmberWarningLampStatus": "Off", "RedStopLampStatus": "Off",
        "MalfunctionIndicatorLampStatus": "Off", "DTC1SPNLow": 0, "DTC1FMI": 0, "DTC1SPNHigh": 0,
        "DTC1OccurrenceCount": 0,
    },
    "BmsPackStatus": lambda now: {
        "PackVoltage": _volts(now), "PackCurrent": now.pack_current, "StateOfCharge": 78.0, "StateOfHealth": 96.0,
        "ContactorState": "Closed", "MaxTemperature": 31,
    },
    "BmsLimits": lambda now: {
        "ChargeCurrentLimit": 260.0, "DischargeCurrentLimit": 540.0, "MinCellVoltage": _volts(now) / 176,
        "MaxCellVoltage": _volts(now) / 176 + 0.004, "IsolationResistance": 4000,
    },
    "InverterStatus1": _inverter,
    "InverterStatus2": _inverter,
    "VcuStatus": lambda now: {
        "KeyPosition": "On", "DriveReady": "On", "SelectedDirection": "Neutral" if now.park_brake else "Drive",
        "AvailableTorque": 100.0, "SpeedLimitInForce": 80, "TorqueLimitInForce": 100.0, "ChargeInterlock": "Off",
    },
    "DcdcStatus": lambda now: {
        "InputVoltage": _volts(now), "OutputVoltage": 27.6, "OutputCurrent": 84.0, "DcdcState": "On"
    },
    "ChargerStatus": lambda _: {
        "ChargeState": "Unplugged", "PlugLocked": "Off", "ChargeVoltage": 0, "ChargeCurrent": 0, "SessionEnergy": 0
    },
    "HvacStatus": lambda _: {
        "HvacMode": "Automatic", "SetTemperature": 20.0, "SupplyAirTemperature": 34.5, "HvacPower": 6.4
    },
    "BodyDoors": _doors,
    "BodyLights": lambda now: {
        "DippedBeam": "On", "MainBeam": "Off", "TurnLeft": "On" if 5.5 < now.time < 7.5 else "Off", "TurnRight": "Off",
        "SaloonLight": 80.0, "Wiper": "Off",
    },
    "HvacZones": lambda _: {
        "DriverTemperature": 20.3, "FrontTemperature": 19.6, "RearTemperature": 18.9, "BlowerSpeed": 45.0,
        "WindowHeating": "On",
    },
    "BmsCellVoltages": _cells,
    "BmsModuleDetails": _details,
    "VcuEnergyReport": _energy,
}  # fmt: skip


def plays(script: Script, periods: Mapping[str, float], chance: random.Random) -> None:
    """Write everything that the vehicle says by itself during the journey."""
    for place, (name, says) in enumerate(SAYS.items()):
        # Messages start at different moments, so that the bus is not idle and crowded by turns.
        for due in _dues(periods[name], place * 0.37 % 1, chance):
            for sender in _SENDERS.get(name, (None,)):
                script.answers(due, Spoken(name, says(journey.at(due)), sender))
    _torque_requests(script, periods["TSC1"], chance)
    _battery_faults(script, chance)


def _dues(period: float, phase: float, chance: random.Random) -> Iterator[float]:
    for cycle in range(int(journey.LASTS / period - phase) + 1):
        due = (cycle + phase) * period + chance.random() * _JITTER_S
        if due < journey.LASTS:
            yield due


def _torque_requests(script: Script, period: float, chance: random.Random) -> None:
    """The VCU's TSC1 to both inverters: the one message that goes to two addresses."""
    for cycle, due in enumerate(_dues(period, 0.0, chance)):
        values: Values = {
            "OverrideCtrlMode": "TorqueControl",
            "RequestedSpeedCtrlConditions": 0,
            "OverrideCtrlModePriority": "High",
            "RequestedTorqueOrTorqueLimit": journey.at(due).torque,
            "MessageCounter": cycle % 8,
        }
        for inverter in INVERTERS:
            script.answers(due, Spoken("TSC1", values, da=inverter))


def _battery_faults(script: Script, chance: random.Random) -> None:
    """The BMS's DM1 with two stored codes: longer than a frame, so it comes by broadcast transport."""
    codes = bytes([0x00, 0xFF]) + bytes([0x9C, 0x1F, 0x50, 0x03]) + bytes([0x9D, 0x1F, 0x50, 0x01])
    for due in _dues(5.0, 0.26, chance):
        for place, (pgn, data) in enumerate(broadcast(_DM1, codes)):
            script.answers(due + place * _BETWEEN_PACKETS_S, Sent(group(7, pgn, BMS), data))
