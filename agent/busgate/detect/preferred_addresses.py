"""SAE J1939's preferred addresses: what an address usually is when the profile does not say.

Law: a name from here is a guess for people to read and for a first severity; it never makes a frame the vehicle's
own (only the profile says whose an address is). Source: J1939 Digital Annex, "Source Addresses (B2)", the global
part 0-127 and 248-253 that holds in every industry group, and 0xEE of group 1 (on-highway).
"""

from __future__ import annotations

from collections.abc import Mapping

from busgate.model import Subsystem

PREFERRED: Mapping[int, tuple[str, Subsystem]] = {
    0x00: ("engine 1", Subsystem.DRIVE),
    0x01: ("engine 2", Subsystem.DRIVE),
    0x03: ("transmission 1", Subsystem.DRIVE),
    0x04: ("transmission 2", Subsystem.DRIVE),
    0x05: ("shift console", Subsystem.DRIVE),
    0x06: ("shift console 2", Subsystem.DRIVE),
    0x08: ("steering axle", Subsystem.STEERING),
    0x09: ("drive axle 1", Subsystem.DRIVE),
    0x0A: ("drive axle 2", Subsystem.DRIVE),
    0x0B: ("brake system controller", Subsystem.BRAKES),
    0x0C: ("brakes, steering axle", Subsystem.BRAKES),
    0x0D: ("brakes, drive axle 1", Subsystem.BRAKES),
    0x0E: ("brakes, drive axle 2", Subsystem.BRAKES),
    0x0F: ("engine retarder", Subsystem.BRAKES),
    0x10: ("driveline retarder", Subsystem.BRAKES),
    0x11: ("cruise control", Subsystem.DRIVE),
    0x12: ("fuel system", Subsystem.DRIVE),
    0x13: ("steering controller", Subsystem.STEERING),
    0x14: ("suspension, steering axle", Subsystem.BODY),
    0x15: ("suspension, drive axle 1", Subsystem.BODY),
    0x16: ("suspension, drive axle 2", Subsystem.BODY),
    0x17: ("instrument cluster", Subsystem.BODY),
    0x18: ("trip recorder", Subsystem.TELEMATICS),
    0x19: ("climate control 1", Subsystem.HVAC),
    0x1A: ("charging system", Subsystem.UNKNOWN),
    0x1C: ("vehicle navigation", Subsystem.TELEMATICS),
    0x1D: ("vehicle security", Subsystem.BODY),
    0x1E: ("electrical system", Subsystem.BODY),
    0x1F: ("starter system", Subsystem.DRIVE),
    0x21: ("body controller", Subsystem.BODY),
    0x25: ("off-vehicle gateway", Subsystem.TELEMATICS),
    0x26: ("virtual terminal", Subsystem.BODY),
    # A management computer is as often the vehicle's master as its fleet computer: the profile has to say.
    0x27: ("management computer", Subsystem.UNKNOWN),
    0x28: ("cab display", Subsystem.BODY),
    0x29: ("engine exhaust retarder", Subsystem.BRAKES),
    0x2A: ("headway controller", Subsystem.DRIVE),
    0x2B: ("on-board diagnostic unit", Subsystem.TELEMATICS),
    0x2F: ("suspension controller", Subsystem.BODY),
    0x30: ("pneumatic system controller", Subsystem.BRAKES),
    0x31: ("cab controller", Subsystem.BODY),
    0x32: ("cab controller 2", Subsystem.BODY),
    0x33: ("tyre pressure controller", Subsystem.BODY),
    0x37: ("lighting controls", Subsystem.BODY),
    0x38: ("rear axle steering controller", Subsystem.STEERING),
    0x3A: ("climate control 2", Subsystem.HVAC),
    0x3E: ("stability controller", Subsystem.BRAKES),
    0x41: ("information system controller", Subsystem.TELEMATICS),
    0x42: ("ramp control", Subsystem.DOORS),
    0x44: ("auxiliary heater 1", Subsystem.HVAC),
    0x45: ("auxiliary heater 2", Subsystem.HVAC),
    0x47: ("chassis controller 1", Subsystem.UNKNOWN),
    0x48: ("chassis controller 2", Subsystem.UNKNOWN),
    0x49: ("traction battery charger", Subsystem.CHARGING),
    0x4A: ("cellular communications unit", Subsystem.TELEMATICS),
    0x4B: ("satellite communications unit", Subsystem.TELEMATICS),
    0x4C: ("radio communications unit", Subsystem.TELEMATICS),
    0x4D: ("steering column unit", Subsystem.STEERING),
    0x50: ("parking brake controller", Subsystem.BRAKES),
    0x53: ("restraint system", Subsystem.BODY),
    0xEE: ("tachograph", Subsystem.BODY),
    0xF8: ("file server or printer", Subsystem.UNKNOWN),
    0xF9: ("off-board diagnostic tool 1", Subsystem.UNKNOWN),
    0xFA: ("off-board diagnostic tool 2", Subsystem.UNKNOWN),
    0xFB: ("on-board data logger", Subsystem.TELEMATICS),
}
