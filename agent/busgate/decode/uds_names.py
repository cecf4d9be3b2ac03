"""What the numbers in UDS payloads are called: identifiers, sub-functions and negative response codes.

Law: facts of ISO 14229-1:2020 and nothing else; a number that is not here has no standard name and is shown as itself.
Words are spelled out where the standard strings them together.
"""

from __future__ import annotations

from collections.abc import Mapping

SESSIONS: Mapping[int, str] = {1: "default", 2: "programming", 3: "extended diagnostic", 4: "safety system diagnostic"}
"""10.2, diagnosticSessionType."""

RESETS: Mapping[int, str] = {
    1: "hard reset",
    2: "key off on reset",
    3: "soft reset",
    4: "enable rapid power shutdown",
    5: "disable rapid power shutdown",
}
"""10.3, resetType."""

COMMUNICATIONS: Mapping[int, str] = {
    0: "enable receive and transmit",
    1: "enable receive, disable transmit",
    2: "disable receive, enable transmit",
    3: "disable receive and transmit",
    4: "enable receive, disable transmit, with address",
    5: "enable receive and transmit, with address",
}
"""10.5, controlType."""

COMMUNICATION_TYPES: Mapping[int, str] = {1: "normal", 2: "network management", 3: "normal and network management"}
"""Annex B.1, bits 0-1 of communicationType."""

NETWORKS: Mapping[int, str] = {0: "every network of the ECU", 15: "the network of the request"}
"""Annex B.1, bits 4-7 of communicationType."""

AUTHENTICATIONS: Mapping[int, str] = {
    0: "de-authenticate",
    1: "verify certificate unidirectional",
    2: "verify certificate bidirectional",
    3: "proof of ownership",
    4: "transmit certificate",
    5: "request challenge",
    6: "verify proof of ownership unidirectional",
    7: "verify proof of ownership bidirectional",
    8: "authentication configuration",
}
"""10.6, authenticationTask."""

AUTHENTICATED = 0x12
AUTHENTICATION_RESULTS: Mapping[int, str] = {
    0x00: "request accepted",
    0x01: "general reject",
    0x02: "configuration APCE",
    0x03: "configuration ACR asymmetric",
    0x04: "configuration ACR symmetric",
    0x10: "de-authenticated",
    0x11: "certificate verified, ownership verification necessary",
    AUTHENTICATED: "ownership verified, authentication complete",
    0x13: "certificate verified",
}
"""Annex B.5, authenticationReturnParameter."""

TESTER_PRESENT: Mapping[int, str] = {0: "keep the session"}
"""10.7, zeroSubFunction."""

DTC_SETTINGS: Mapping[int, str] = {1: "on", 2: "off"}
"""10.8, DTCSettingType."""

EVENTS: Mapping[int, str] = {
    0x00: "stop",
    0x01: "on DTC status change",
    0x03: "on change of data identifier",
    0x04: "report activated events",
    0x05: "start",
    0x06: "clear",
    0x07: "on comparison of values",
    0x08: "report most recent DTC on status change",
    0x09: "report DTC record on status change",
}
"""10.9, eventType without its storage bit."""

LINK_CONTROLS: Mapping[int, str] = {
    1: "verify transition to a fixed mode",
    2: "verify transition to a given bit rate",
    3: "transition",
}
"""10.10, linkControlType."""

ACCESS_TIMINGS: Mapping[int, str] = {
    1: "read extended timing",
    2: "set timing to default",
    3: "read active timing",
    4: "set timing to given values",
}
"""ISO 14229-1:2013, 9.7, timingParameterAccessType."""

PERIODIC_RATES: Mapping[int, str] = {1: "slow", 2: "medium", 3: "fast", 4: "stop"}
"""Annex C.4, transmissionMode."""

DEFINITIONS: Mapping[int, str] = {1: "by identifier", 2: "by memory address", 3: "clear"}
"""11.6, definitionMode."""

DTC_GROUPS: Mapping[int, str] = {0xFFFF33: "emissions system", 0xFFFFFF: "all"}
"""Annex D.1, groupOfDTC."""

DTC_REPORTS: Mapping[int, str] = {
    0x01: "number of DTC by status mask",
    0x02: "DTC by status mask",
    0x03: "snapshot identification",
    0x04: "snapshot record by DTC number",
    0x05: "stored data by record number",
    0x06: "extended data record by DTC number",
    0x07: "number of DTC by severity mask",
    0x08: "DTC by severity mask",
    0x09: "severity information of DTC",
    0x0A: "supported DTC",
    0x0B: "first test failed DTC",
    0x0C: "first confirmed DTC",
    0x0D: "most recent test failed DTC",
    0x0E: "most recent confirmed DTC",
    0x0F: "mirror memory DTC by status mask",
    0x10: "mirror memory extended data record by DTC number",
    0x11: "number of mirror memory DTC by status mask",
    0x12: "number of emissions-related DTC by status mask",
    0x13: "emissions-related DTC by status mask",
    0x14: "fault detection counter",
    0x15: "DTC with permanent status",
    0x16: "extended data record by record number",
    0x17: "user defined memory DTC by status mask",
    0x18: "user defined memory snapshot record by DTC number",
    0x19: "user defined memory extended data record by DTC number",
    0x1A: "supported extended data record",
    0x42: "WWH-OBD DTC by mask",
    0x55: "WWH-OBD DTC with permanent status",
    0x56: "DTC by readiness group",
}
"""12.3, reportType; 0F-13 are of the 2013 edition."""

IO_CONTROLS: Mapping[int, str] = {
    0: "return control to ECU",
    1: "reset to default",
    2: "freeze current state",
    3: "short term adjustment",
}
"""Annex E.1, inputOutputControlParameter."""

ROUTINE_CONTROLS: Mapping[int, str] = {1: "start", 2: "stop", 3: "request results"}
"""14.2, routineControlType."""

ROUTINES: Mapping[int, str] = {0xE200: "deploy loop", 0xFF00: "erase memory", 0xFF01: "check programming dependencies"}
"""Annex F.1, routineIdentifier."""

FILE_MODES: Mapping[int, str] = {
    1: "add file",
    2: "delete file",
    3: "replace file",
    4: "read file",
    5: "read directory",
    6: "resume file",
}
"""Annex G.1, modeOfOperation."""

DIDS: Mapping[int, str] = {
    0xF180: "boot software identification",
    0xF181: "application software identification",
    0xF182: "application data identification",
    0xF183: "boot software fingerprint",
    0xF184: "application software fingerprint",
    0xF185: "application data fingerprint",
    0xF186: "active diagnostic session",
    0xF187: "vehicle manufacturer spare part number",
    0xF188: "vehicle manufacturer ECU software number",
    0xF189: "vehicle manufacturer ECU software version number",
    0xF18A: "system supplier identifier",
    0xF18B: "ECU manufacturing date",
    0xF18C: "ECU serial number",
    0xF18D: "supported functional units",
    0xF18E: "vehicle manufacturer kit assembly part number",
    0xF190: "VIN",
    0xF191: "vehicle manufacturer ECU hardware number",
    0xF192: "system supplier ECU hardware number",
    0xF193: "system supplier ECU hardware version number",
    0xF194: "system supplier ECU software number",
    0xF195: "system supplier ECU software version number",
    0xF196: "exhaust regulation or type approval number",
    0xF197: "system name or engine type",
    0xF198: "repair shop code or tester serial number",
    0xF199: "programming date",
    0xF19A: "calibration repair shop code or equipment serial number",
    0xF19B: "calibration date",
    0xF19C: "calibration equipment software number",
    0xF19D: "ECU installation date",
    0xF19E: "ODX file",
    0xF19F: "entity",
    0xFF00: "UDS version",
}
"""Annex C.1, dataIdentifier."""

RESPONSE_PENDING = 0x78

NEGATIVE_RESPONSES: Mapping[int, str] = {
    0x10: "general reject",
    0x11: "service not supported",
    0x12: "sub-function not supported",
    0x13: "incorrect message length or invalid format",
    0x14: "response too long",
    0x21: "busy, repeat request",
    0x22: "conditions not correct",
    0x24: "request sequence error",
    0x25: "no response from subnet component",
    0x26: "failure prevents execution of requested action",
    0x31: "request out of range",
    0x33: "security access denied",
    0x34: "authentication required",
    0x35: "invalid key",
    0x36: "exceeded number of attempts",
    0x37: "required time delay not expired",
    0x38: "secure data transmission required",
    0x39: "secure data transmission not allowed",
    0x3A: "secure data verification failed",
    0x50: "certificate verification failed: invalid time period",
    0x51: "certificate verification failed: invalid signature",
    0x52: "certificate verification failed: invalid chain of trust",
    0x53: "certificate verification failed: invalid type",
    0x54: "certificate verification failed: invalid format",
    0x55: "certificate verification failed: invalid content",
    0x56: "certificate verification failed: invalid scope",
    0x57: "certificate verification failed: revoked",
    0x58: "ownership verification failed",
    0x59: "challenge calculation failed",
    0x5A: "setting access rights failed",
    0x5B: "session key creation or derivation failed",
    0x5C: "configuration data usage failed",
    0x5D: "de-authentication failed",
    0x70: "upload or download not accepted",
    0x71: "transfer data suspended",
    0x72: "general programming failure",
    0x73: "wrong block sequence counter",
    RESPONSE_PENDING: "request correctly received, response pending",
    0x7E: "sub-function not supported in active session",
    0x7F: "service not supported in active session",
    0x81: "RPM too high",
    0x82: "RPM too low",
    0x83: "engine is running",
    0x84: "engine is not running",
    0x85: "engine run time too low",
    0x86: "temperature too high",
    0x87: "temperature too low",
    0x88: "vehicle speed too high",
    0x89: "vehicle speed too low",
    0x8A: "throttle pedal too high",
    0x8B: "throttle pedal too low",
    0x8C: "transmission not in neutral",
    0x8D: "transmission not in gear",
    0x8F: "brake switch not closed",
    0x90: "shifter lever not in park",
    0x91: "torque converter clutch locked",
    0x92: "voltage too high",
    0x93: "voltage too low",
    0x94: "resource temporarily not available",
}
"""Annex A.1, negative response codes."""
