"""The services of ISO 14229-1 and of emission-related OBD, as one table: name, effect, and where each parameter lies.

Law: this file holds facts and no decisions. A service alters state if any request of it can change what the ECU is,
holds or does; a read-only use of such a service (83 01, 31 03) still counts, because the service is what is granted.
Clauses are those of ISO 14229-1:2020; 0x83 is of its 2013 edition, 0x01-0x0A are of ISO 15031-5 / SAE J1979.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from busgate.decode.uds_fields import (
    Fields,
    Layout,
    by_subfunction,
    choice,
    count,
    did,
    dids,
    label,
    number,
    optional,
    rest,
    routine,
    run,
    subfunction,
)
from busgate.decode.uds_names import (
    ACCESS_TIMINGS,
    AUTHENTICATION_RESULTS,
    AUTHENTICATIONS,
    COMMUNICATION_TYPES,
    COMMUNICATIONS,
    DEFINITIONS,
    DIDS,
    DTC_GROUPS,
    DTC_REPORTS,
    DTC_SETTINGS,
    EVENTS,
    FILE_MODES,
    IO_CONTROLS,
    LINK_CONTROLS,
    NETWORKS,
    PERIODIC_RATES,
    RESETS,
    ROUTINE_CONTROLS,
    ROUTINES,
    SESSIONS,
    TESTER_PRESENT,
)
from busgate.decode.uds_sized import (
    address_and_size,
    block_length,
    places,
    sized_number,
    sized_text,
    sources,
)

VENDOR_REQUESTS = range(0xBA, 0xBF)
"""SIDs that belong to the system supplier (8.4); nothing is known of them, so they count as state-altering."""

NEGATIVE_RESPONSE = 0x7F
RESPONSE_BIT = 0x40


class Service(NamedTuple):
    """One row: what the service is called, whether it alters state, its clause, and its parameters both ways."""

    name: str
    alters_state: bool
    clause: str
    request: Layout
    response: Layout = ()


_DID = did(DIDS)
_DTC = choice("dtc", {}, 3)
_STATUS_MASK = number("status_mask")
_SEVERITY_MASK = number("severity_mask")
_GROUP = number("functional_group")
_RECORD = number("record")
_MEMORY = number("memory_selection")
_ROUTINE = routine(ROUTINES)
_SESSION = subfunction("session", SESSIONS)
_RESET = subfunction("reset", RESETS)
_REPORT = subfunction("report", DTC_REPORTS)
_COMMUNICATION = subfunction("control", COMMUNICATIONS)
_TASK = subfunction("task", AUTHENTICATIONS)
_DEFINITION = subfunction("definition", DEFINITIONS)
_CONTROL = subfunction("control", ROUTINE_CONTROLS)
_PRESENT = subfunction("purpose", TESTER_PRESENT)
_TIMING = subfunction("access", ACCESS_TIMINGS)
_SETTING = subfunction("setting", DTC_SETTINGS)
_EVENT = subfunction("event", EVENTS, mask=0x3F)
_LINK = subfunction("control", LINK_CONTROLS)
_FORMAT = number("data_format")
_BLOCK = number("block")
_MODE = choice("mode", FILE_MODES)

# 12.3: which report takes which parameters.
_REPORTS: Mapping[int, Layout] = {
    **dict.fromkeys((0x01, 0x02, 0x0F, 0x11, 0x12, 0x13), (_STATUS_MASK,)),
    **dict.fromkeys((0x04, 0x06, 0x10), (_DTC, _RECORD)),
    **dict.fromkeys((0x05, 0x16, 0x1A), (_RECORD,)),
    **dict.fromkeys((0x07, 0x08), (_SEVERITY_MASK, _STATUS_MASK)),
    0x09: (_DTC,),
    0x17: (_STATUS_MASK, _MEMORY),
    **dict.fromkeys((0x18, 0x19), (_DTC, _RECORD, _MEMORY)),
    0x42: (_GROUP, _STATUS_MASK, _SEVERITY_MASK),
    0x55: (_GROUP,),
    0x56: (_GROUP, number("readiness_group")),
}

_FILE_SIZES: Layout = (
    _FORMAT,
    number("size_bytes"),
    sized_number("uncompressed_size", "size_bytes"),
    sized_number("compressed_size", "size_bytes"),
)


def _file(fields: Fields) -> bool:
    """What follows a file's name depends on what shall be done with it (15.6)."""
    match fields.data[1]:
        case 1 | 3 | 6:
            return run(_FILE_SIZES, fields)
        case 4:
            return _FORMAT(fields)
        case _:
            return True


def _security(fields: Fields) -> bool:
    """10.4: an odd sub-function asks for the seed of its level, the next even one sends the key for it."""
    kind = fields.number(1)
    if kind is None:
        return False
    fields.subfunction = kind & 0x7F
    fields.suppressed = bool(kind & 0x80)
    seed = fields.subfunction & 1
    fields.values["step"] = "request seed" if seed else "send key"
    fields.values["security_level"] = fields.subfunction if seed else fields.subfunction - 1
    return True


def _communication_type(fields: Fields) -> bool:
    """Annex B.1: which messages in the low bits, which network in the high ones."""
    kind = fields.number(1)
    if kind is None:
        return False
    fields.values["messages"] = label(kind & 0x03, COMMUNICATION_TYPES)
    fields.values["network"] = NETWORKS.get(kind >> 4, f"network {kind >> 4}")
    return True


SERVICES: Mapping[int, Service] = {
    0x10: Service(
        "DiagnosticSessionControl", True, "10.2", (_SESSION,), (_SESSION, number("p2_ms", 2), number("p2_star_10ms", 2))
    ),
    0x11: Service("ECUReset", True, "10.3", (_RESET,), (_RESET, optional(number("power_down_s")))),
    0x14: Service("ClearDTC", True, "12.2", (choice("dtc_group", DTC_GROUPS, 3), optional(_MEMORY))),
    0x19: Service("ReadDTC", False, "12.3", (_REPORT, by_subfunction(_REPORTS)), (_REPORT, rest("data"))),
    0x22: Service("ReadDID", False, "11.2", (dids(DIDS),), (_DID, rest("data"))),
    0x23: Service("ReadMemory", False, "11.3", (address_and_size,), (rest("data"),)),
    0x24: Service("ReadScalingDID", False, "11.4", (_DID,), (_DID, rest("data"))),
    # Seeds and keys are counted, never shown: a log must not teach anyone to unlock.
    0x27: Service(
        "SecurityAccess", True, "10.4", (_security, count("secret_bytes")), (_security, count("secret_bytes"))
    ),
    0x28: Service(
        "CommunicationControl",
        True,
        "10.5",
        (_COMMUNICATION, _communication_type, by_subfunction(dict.fromkeys((4, 5), (number("node", 2),)))),
        (_COMMUNICATION,),
    ),
    0x29: Service(
        "Authentication",
        True,
        "10.6",
        (_TASK, count("parameter_bytes")),
        (_TASK, choice("result", AUTHENTICATION_RESULTS), count("parameter_bytes")),
    ),
    0x2A: Service(
        "ReadDIDPeriodic", False, "11.5", (choice("rate", PERIODIC_RATES), optional(dids(DIDS, size=1, base=0xF200)))
    ),
    0x2C: Service(
        "DynamicallyDefineDID",
        True,
        "11.6",
        (_DEFINITION, by_subfunction({1: (_DID, sources), 2: (_DID, places)}, otherwise=(optional(_DID),))),
        (_DEFINITION, optional(_DID)),
    ),
    0x2E: Service("WriteDID", True, "11.7", (_DID, rest("data", least=1)), (_DID,)),
    0x2F: Service(
        "IOControl", True, "13.2", (_DID, choice("control", IO_CONTROLS), rest("state")), (_DID, rest("status"))
    ),
    0x31: Service(
        "RoutineControl", True, "14.2", (_CONTROL, _ROUTINE, rest("options")), (_CONTROL, _ROUTINE, rest("status"))
    ),
    0x34: Service("RequestDownload", True, "15.2", (_FORMAT, address_and_size), (block_length,)),
    0x35: Service("RequestUpload", True, "15.3", (_FORMAT, address_and_size), (block_length,)),
    0x36: Service("TransferData", True, "15.4", (_BLOCK, count("data_bytes")), (_BLOCK, count("data_bytes"))),
    0x37: Service("TransferExit", True, "15.5", (rest("parameters"),), (rest("parameters"),)),
    0x38: Service(
        "RequestFileTransfer", True, "15.6", (_MODE, sized_text("file_path", 2), _file), (_MODE, rest("parameters"))
    ),
    0x3D: Service("WriteMemory", True, "11.8", (address_and_size, rest("data", least=1)), (address_and_size,)),
    0x3E: Service("TesterPresent", False, "10.7", (_PRESENT,), (_PRESENT,)),
    0x83: Service(
        "AccessTimingParameter", True, "9.7 of 2013", (_TIMING, rest("parameters")), (_TIMING, rest("parameters"))
    ),
    0x84: Service("SecuredDataTransmission", True, "16.2", (rest("record", least=1),), (rest("record"),)),
    0x85: Service("ControlDTCSetting", True, "10.8", (_SETTING, rest("record")), (_SETTING,)),
    0x86: Service(
        "ResponseOnEvent", True, "10.9", (_EVENT, number("window"), rest("parameters")), (_EVENT, rest("parameters"))
    ),
    0x87: Service(
        "LinkControl",
        True,
        "10.10",
        (_LINK, by_subfunction({1: (number("link_mode"),), 2: (number("bit_rate", 3),)})),
        (_LINK,),
    ),
    # SAE J1979: the emission-related services, which answer without a session.
    0x01: Service("OBDCurrentData", False, "J1979 $01", (rest("pids", least=1),), (rest("data"),)),
    0x02: Service("OBDFreezeFrame", False, "J1979 $02", (rest("pids", least=2),), (rest("data"),)),
    0x03: Service("OBDStoredDTC", False, "J1979 $03", (), (rest("data"),)),
    0x04: Service("OBDClearDTC", True, "J1979 $04", (), ()),
    0x05: Service("OBDOxygenSensorTest", False, "J1979 $05", (rest("tests", least=2),), (rest("data"),)),
    0x06: Service("OBDMonitoringTest", False, "J1979 $06", (rest("monitors", least=1),), (rest("data"),)),
    0x07: Service("OBDPendingDTC", False, "J1979 $07", (), (rest("data"),)),
    0x08: Service("OBDControl", True, "J1979 $08", (number("test"), rest("data")), (number("test"), rest("data"))),
    0x09: Service("OBDVehicleInformation", False, "J1979 $09", (rest("types", least=1),), (rest("data"),)),
    0x0A: Service("OBDPermanentDTC", False, "J1979 $0A", (), (rest("data"),)),
    **dict.fromkeys(VENDOR_REQUESTS, Service("VendorService", True, "8.4", (rest("data"),), (rest("data"),))),
}
"""By request SID; a positive answer carries it plus `RESPONSE_BIT` (8.4)."""
