"""What each control unit says by itself: its cyclic messages as functions of what it senses.

Law: one table, by ECU and message name of the DBC; how often a message comes stands in the DBC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from busgate_sim.ecu.sensed import Demands, Sensed
from busgate_sim.encoder import Values

Says = Callable[[Sensed, Demands], Values]

_GEARS = {True: 0, False: 1}
_TOP_SPEED = 80


def _ccvs1(now: Sensed, _: Demands) -> Values:
    return {
        "ParkingBrakeSwitch": "Set" if now.park_brake else "NotSet",
        "WheelBasedVehicleSpeed": now.speed,
        "BrakeSwitch": "Depressed" if now.brake_pedal else "Released",
        "CruiseCtrlActive": "Off",
        "CruiseCtrlEnableSwitch": "Off",
    }


def _eec1(now: Sensed, _: Demands) -> Values:
    return {
        "DriversDemandEngPercentTorque": now.pedal,
        "ActualEngPercentTorque": now.torque,
        "EngSpeed": now.motor_rpm,
    }


def _eec2(now: Sensed, _: Demands) -> Values:
    return {
        "AccelPedal1LowIdleSwitch": "NotInLowIdle" if now.pedal else "LowIdle",
        "AccelPedalPos1": now.pedal,
        "AccelPedalKickdownSwitch": "Passive",
        "EngPercentLoadAtCurrentSpeed": abs(now.torque),
    }


def _vcu_status(now: Sensed, demands: Demands) -> Values:
    speed, torque = demands.speed_limit, demands.torque_limit
    stopped = demands.stop or demands.immobilised
    return {
        "KeyPosition": "On" if now.key_on else "Off",
        "DriveReady": "On" if now.ready else "Off",
        "SelectedDirection": "Neutral" if now.park_brake else "Drive",
        "AvailableTorque": 0.0 if stopped else 100.0 if torque is None else torque,
        "SpeedLimitInForce": _TOP_SPEED if speed is None else speed,
        "TorqueLimitInForce": 0.0 if stopped else 100.0 if torque is None else torque,
        "ChargeInterlock": "Off" if now.charge_state == "Unplugged" else "On",
    }


def _hvessc1(now: Sensed, demands: Demands) -> Values:
    return {
        "HvBusConnect": "Disconnect" if demands.contactors_open else "Connect",
        "PowerDown": "Normal",
        "ActiveIsolationTest": "Off",
        "PassiveIsolationTest": "On",
        "CellBalancing": "Off",
        "InternalChargerEnable": "On" if now.charge_state == "Charging" else "Off",
        "OperationalConsent": "On" if now.key_on else "Off",
    }


def _energy(now: Sensed, _: Demands) -> Values:
    return {
        "FrameNumber": int(now.seconds / 0.5) % 256,
        "TractionEnergy": 41_207.3 + now.traction_kwh,
        "RecuperatedEnergy": 9_871.4 + now.recuperated_kwh,
        "AuxiliaryEnergy": 12_004.9 + now.auxiliary_kwh,
        "OdometerFine": now.odometer,
        **{f"WheelSpeed{wheel}": now.speed for wheel in (1, 2, 3, 4)},
        "AxleLoad1": 4_700 + 22 * now.passengers,
        "AxleLoad2": 7_900 + 46 * now.passengers,
        "Passengers": now.passengers,
    }


def _inverter(now: Sensed, demands: Demands) -> Values:
    limited = demands.torque_limit is not None and demands.torque_limit < 100
    driving = "Derating" if limited else "TorqueControl"
    return {
        "MotorSpeed": now.motor_rpm,
        "MotorTorque": now.motor_torque,
        "DcLinkVoltage": now.link_voltage,
        "InverterState": driving if now.ready and now.contactors == "Closed" else "Standby",
        "InverterTemperature": 44 + abs(now.torque) * 0.2,
    }


def _pack(now: Sensed, _: Demands) -> Values:
    return {
        "PackVoltage": now.pack_voltage,
        "PackCurrent": now.pack_current,
        "StateOfCharge": now.soc,
        "StateOfHealth": 96.0,
        "ContactorState": now.contactors,
        "MaxTemperature": max(now.module_temperatures),
    }


def _limits(now: Sensed, _: Demands) -> Values:
    return {
        "ChargeCurrentLimit": now.charge_limit,
        "DischargeCurrentLimit": now.discharge_limit,
        "MinCellVoltage": min(now.cells),
        "MaxCellVoltage": max(now.cells),
        "IsolationResistance": 4000,
    }


def _cells(now: Sensed, _: Demands) -> Values:
    told = int(now.seconds / 0.02) % 8
    numbers = range(told * 3 + 1, told * 3 + 4)
    return {"CellGroup": told, **{f"Cell{number:02}Voltage": now.cells[number - 1] for number in numbers}}


def _modules(now: Sensed, _: Demands) -> Values:
    page = int(now.seconds / 0.1) % 7
    warm = now.module_temperatures
    if page < 4:
        near = {f"ModuleTemperature{place}": warm[page % len(warm)] + place * 0.5 for place in (1, 2, 3)}
        return {"Page": "Temperatures", "Module": page, **near}
    if page == 4:
        return {"Page": "Temperatures", "Module": 4, "CoolantInlet": min(warm) - 3, "CoolantOutlet": max(warm) - 2}
    if page == 5:
        return {"Page": "Balancing", "BalancingCell": 17, "BalancingTime": 340}
    return {"Page": "Isolation", "IsolationPositive": 4100, "IsolationNegative": 3950}


def _ebc1(now: Sensed, _: Demands) -> Values:
    return {
        "AntiLockBrakingActive": "NotActive",
        "EBSBrakeSwitch": "Pressed" if now.brake_pedal else "NotPressed",
        "BrakePedalPos": now.brake_pedal,
        "ABSFullyOperational": "Yes",
        "EBSRedWarningSignal": "Off",
        "ABSEBSAmberWarningSignal": "Off",
    }


def _ebc2(now: Sensed, _: Demands) -> Values:
    places = ("FrontAxleLeft", "FrontAxleRight", "RearAxle1Left", "RearAxle1Right")
    return {"FrontAxleSpeed": now.speed, **{f"RelativeSpeed{place}": 0.0 for place in places}}


def _air(now: Sensed, _: Demands) -> Values:
    kilopascals = min(2000.0, now.air_bar * 100)
    return {
        "PneumaticSupplyPressure": kilopascals,
        "ServiceBrakeCircuit1AirPressure": kilopascals,
        "ServiceBrakeCircuit2AirPressure": kilopascals,
    }


def _steering(now: Sensed, _: Demands) -> Values:
    return {
        "SteerWheelAngle": 0.0,
        "SteerWheelTurnCounter": 0,
        "YawRate": 0.0,
        "LateralAcceleration": 0.0,
        "LongitudinalAcceleration": now.acceleration,
    }


def _charger(now: Sensed, _: Demands) -> Values:
    return {
        "ChargeState": now.charge_state,
        "PlugLocked": "On" if now.charge_state == "Charging" else "Off",
        "ChargeVoltage": now.pack_voltage if now.charge_current else 0.0,
        "ChargeCurrent": now.charge_current,
        "SessionEnergy": now.charged_kwh,
    }


def _dc1(now: Sensed, _: Demands) -> Values:
    if all(door == "Closed" for door in now.doors):
        told = "AllClosed"
    else:
        told = "ClosingLastDoor" if "Closing" in now.doors and "Open" not in now.doors else "AtLeastOneOpen"
    return {"PositionOfDoors": told, "RampWheelChairLiftPos": "InsideBus"}


def _doors(now: Sensed, demands: Demands) -> Values:
    locked = "Off" if demands.doors_unlocked or any(door != "Closed" for door in now.doors) else "On"
    return {
        **{f"Door{number}State": door for number, door in enumerate(now.doors, 1)},
        **{f"Door{number}Locked": locked for number in (1, 2, 3)},
        "RampState": "In",
        "KneelingState": "Kneeling" if "Open" in now.doors else "Level",
        "StopRequested": "On" if now.brake_pedal else "Off",
    }


def _lights(_: Sensed, __: Demands) -> Values:
    lamps = {"DippedBeam": "On", "MainBeam": "Off", "TurnLeft": "Off", "TurnRight": "Off"}
    return {**lamps, "SaloonLight": 80.0, "Wiper": "Off"}


def _hvac(now: Sensed, _: Demands) -> Values:
    return {
        "HvacMode": now.hvac_mode,
        "SetTemperature": now.hvac_target,
        "SupplyAirTemperature": now.saloon_temperature + (14 if now.hvac_kw else 0),
        "HvacPower": now.hvac_kw,
    }


def _zones(now: Sensed, _: Demands) -> Values:
    warm = now.saloon_temperature
    return {
        "DriverTemperature": warm + 0.7,
        "FrontTemperature": warm,
        "RearTemperature": warm - 0.7,
        "BlowerSpeed": 45.0 if now.hvac_kw else 0.0,
        "WindowHeating": "Off",
    }


def _ambient(now: Sensed, _: Demands) -> Values:
    return {
        "BarometricPress": 101.5,
        "CabInteriorTemp": now.saloon_temperature,
        "AmbientAirTemp": now.outside_temperature,
    }


def _dcdc(now: Sensed, _: Demands) -> Values:
    on = now.contactors == "Closed"
    return {
        "InputVoltage": now.pack_voltage if on else 0.0,
        "OutputVoltage": now.low_voltage,
        "OutputCurrent": now.low_voltage_current if on else 0.0,
        "DcdcState": "On" if on else "Off",
    }


def _distance(now: Sensed, _: Demands) -> Values:
    return {"HighRsltionTotalVehicleDistance": now.odometer, "HighRsltionTripDistance": now.metres}


def _no_faults(_: Sensed, __: Demands) -> Values:
    lamps = ("ProtectLampStatus", "AmberWarningLampStatus", "RedStopLampStatus", "MalfunctionIndicatorLampStatus")
    code = {"DTC1SPNLow": 0, "DTC1FMI": 0, "DTC1SPNHigh": 0, "DTC1OccurrenceCount": 0}
    return {**dict.fromkeys(lamps, "Off"), **code}


def _gear(now: Sensed, _: Demands) -> Values:
    gear = _GEARS[now.park_brake]
    return {"TransSelectedGear": gear, "TransActualGearRatio": 1.0, "TransCurrentGear": gear}


SAYS: Mapping[str, Mapping[str, Says]] = {
    "VCU": {
        "CCVS1": _ccvs1,
        "EEC1": _eec1,
        "EEC2": _eec2,
        "ETC2": _gear,
        "VcuStatus": _vcu_status,
        "HVESSC1": _hvessc1,
        "VcuEnergyReport": _energy,
    },
    "INV1": {"InverterStatus1": _inverter},
    "INV2": {"InverterStatus2": _inverter},
    "BMS": {"BmsPackStatus": _pack, "BmsLimits": _limits, "BmsCellVoltages": _cells, "BmsModuleDetails": _modules},
    "EBS": {"EBC1": _ebc1, "EBC2": _ebc2, "AIR1": _air, "DM1": _no_faults},
    "EPS": {"VDC2": _steering},
    "DCDC": {"DcdcStatus": _dcdc},
    "CHG": {"ChargerStatus": _charger},
    "BODY": {"DC1": _dc1, "BodyDoors": _doors, "BodyLights": _lights},
    "HVAC": {"AMB": _ambient, "HvacStatus": _hvac, "HvacZones": _zones},
    "CLU": {"VDHR": _distance, "DM1": _no_faults},
}
"""By the ECU's name in profile.yaml."""

ADDRESSES: Mapping[str, int] = {
    "VCU": 0x27, "INV1": 0x8A, "INV2": 0x8B, "BMS": 0xF3, "EBS": 0x0B, "EPS": 0x13, "DCDC": 0x8C, "CHG": 0x49,
    "BODY": 0x21, "HVAC": 0x19, "CLU": 0x17,
}  # fmt: skip
"""J1939 source addresses; a fact about the synthetic vehicle that profile.yaml states for the agent."""
