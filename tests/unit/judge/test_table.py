"""The accept and drop table: what one rule lets pass, and why it does not let pass what looks alike.

Each row reads: this is so, under this rule, for this message: this verdict.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from busgate.model import CanMessage, Command, DiagnosticKind, Party, Reason, Side, Verdict
from support.judging import blocked, command_of, given, group, message, passed, read_did, uds

HEARTBEAT = "id: heartbeat\nwhy: alive signal\nmessage: TboxHeartbeat"
ODOMETER = "id: odometer\npgn: 0xEA00\nsa: 0x4A\nda: 0x17\nrequested: [0xFEE0, '0xFEF0-0xFEF2']"
ANY_REQUEST = "id: requests\npgn: 0xEA00\nda: any\nrequested: any"
CLOCK = "id: clock\npgn: [0xFEE6, 0xFEE7]"
TO_HVAC = "id: hvac\npgn: 0xEF00\nda: [0x19, '0x30-0x31']"
TO_ANYONE = "id: anyone\npgn: 0xEF00\nda: any"
FROM_ANYONE = "id: spoof\npgn: 0xFEE6\nsa: any"
NAMED_GROUP = "id: named\nmessage: TboxHvac"
NAMED_GROUP_TO = "id: named\nmessage: TboxHvac\nda: 0x19"
NAMED_FROM = "id: named\nmessage: TboxHvac\nsa: 0x4B\nda: any"
NAMED_FROM_ANY = "id: named\nmessage: TboxHvac\nsa: any\nda: any"
PREHEAT = "id: preheat\nmessage: Hvac\nsignals: {Temperature: {min: 15, max: 26}, Mode: {is: [Preheat, Off]}}"
AT_LEAST = "id: least\nmessage: Hvac\nsignals: {Temperature: {min: 15}}"
AT_MOST = "id: most\nmessage: Hvac\nsignals: {Temperature: {max: 26}}"
EXACTLY = "id: exact\nmessage: Hvac\nsignals: {Level: {is: 2}}"
ONLY = "id: only\nmessage: Hvac\nonly_signals: true\nsignals: {Temperature: {max: 26}}"
GROUP_LIMIT = "id: limit\npgn: 0xFF10\nsignals: {Limit: {max: 100}}"
REQUEST_LIMIT = "id: limit\npgn: 0xEA00\nda: any\nrequested: 0xFEE0\nsignals: {Limit: {max: 100}}"
BMS_READ = "id: bms\nuds: {target: BMS, services: [0x22, 0x2E], dids: [0xF190, '0x0100-0x01FF']}"
BMS_ANY = "id: bms\nuds: {target: BMS, services: [0x22, 0x24, 0x2A, 0x2C, 0x2E, 0x2F], dids: any}"
PERIODIC = "id: bms\nuds: {target: 0xF3, services: 0x2A, dids: 0xF201}"
TWO_ECUS = "id: two\nuds: {target: [0x27, BMS], services: 0x14}"
SESSIONS = "id: session\nuds: {target: BMS, services: [0x10, 0x14], subfunctions: [1, 3]}"
ANY_SESSION = "id: session\nuds: {target: BMS, services: 0x10}"
ROUTINES = "id: routine\nuds: {target: BMS, services: 0x31, subfunctions: 1, routines: ['0x0200-0x0203']}"
ANY_ROUTINE = "id: routine\nuds: {target: BMS, services: [0x31, 0x14], routines: any}"
PRESENT = "id: present\nuds: {functional: true, services: 0x3E}"
PRESENT_ALL = "id: present\nuds: {functional: true, target: all ECUs, services: 0x3E}"

BMS = Party("BMS", 0xF3)
VCU = Party("VCU", 0x27)
EVERYONE = Party("all ECUs", 0xFF)


class Row(NamedTuple):
    says: str
    rule: str
    command: Command
    verdict: Verdict


def no(detail: str, rule: str = "", reason: Reason = Reason.NOT_ALLOWLISTED) -> Verdict:
    return blocked(reason, rule, detail)


def unseen(rule: str, detail: str) -> Verdict:
    return blocked(Reason.SIGNAL_UNKNOWN, rule, detail)


def outside(rule: str, detail: str) -> Verdict:
    return blocked(Reason.SIGNAL_OUT_OF_RANGE, rule, detail)


BY_NAME = [
    Row("a message passes by its name", HEARTBEAT, message("TboxHeartbeat"), passed("heartbeat", "alive signal")),
    Row("another name does not", HEARTBEAT, message("TboxDrive"), no("no rule allows message TboxDrive")),
    Row(
        "names are told apart by case", HEARTBEAT, message("tboxheartbeat"), no("no rule allows message tboxheartbeat")
    ),
    Row("no name is no name", HEARTBEAT, message(None), no("no rule allows CAN id 0x1A5")),
    Row("an empty name is none", HEARTBEAT, message(""), no("no rule allows CAN id 0x1A5")),
    Row(
        "an unnamed 29-bit identifier is told without its flag",
        HEARTBEAT,
        command_of(CanMessage(0, Side.TBOX, 0x98FF0001, b"")),
        no("no rule allows CAN id 0x18FF0001"),
    ),
    Row("a broadcast group passes by its name", NAMED_GROUP, group(0xFF20, name="TboxHvac"), passed("named")),
    Row(
        "a group of another name does not",
        NAMED_GROUP,
        group(0xFF20, name="TboxDrive"),
        no("no rule allows PGN 0xFF20 (TboxDrive) from 0x4A to 0xFF"),
    ),
    Row(
        "a name alone does not say who may be reached",
        NAMED_GROUP,
        group(0xEF00, da=0x19, name="TboxHvac"),
        no("it is sent to 0x19, and the rule names no da", "named"),
    ),
    Row("a name and a destination do", NAMED_GROUP_TO, group(0xEF00, da=0x19, name="TboxHvac"), passed("named")),
    Row(
        "and nobody else is reached",
        NAMED_GROUP_TO,
        group(0xEF00, da=0x27, name="TboxHvac"),
        no("no rule allows PGN 0xEF00 (TboxHvac) from 0x4A to 0x27"),
    ),
    Row("a named sender may", NAMED_FROM, group(0xEF00, sa=0x4B, da=0x27, name="TboxHvac"), passed("named")),
    Row(
        "another one may not",
        NAMED_FROM,
        group(0xEF00, sa=0x4A, da=0x27, name="TboxHvac"),
        no("no rule allows PGN 0xEF00 (TboxHvac) from 0x4A to 0x27"),
    ),
    Row("an 11-bit message has no address", NAMED_FROM, message("TboxHvac"), no("no rule allows message TboxHvac")),
    Row("nor a destination", NAMED_GROUP_TO, message("TboxHvac"), no("no rule allows message TboxHvac")),
    Row("which `any` does not ask for", NAMED_FROM_ANY, message("TboxHvac"), passed("named")),
]

BY_GROUP = [
    Row("a group passes by its number", CLOCK, group(0xFEE6), passed("clock")),
    Row("also the second of a list", CLOCK, group(0xFEE7), passed("clock")),
    Row("another group does not", CLOCK, group(0xFEE8), no("no rule allows PGN 0xFEE8 from 0x4A to 0xFF")),
    Row("a low number is written in full", CLOCK, group(0, da=0), no("no rule allows PGN 0x0000 from 0x4A to 0x00")),
    Row("any of the T-box's addresses may send", CLOCK, group(0xFEE6, sa=0x4B), passed("clock")),
    Row(
        "an address that is not the T-box's may not",
        CLOCK,
        group(0xFEE6, sa=0x27),
        no("no rule allows PGN 0xFEE6 from 0x27 to 0xFF"),
    ),
    Row("unless the rule says any", FROM_ANYONE, group(0xFEE6, sa=0x27), passed("spoof")),
    Row("a broadcast group may be sent to one", CLOCK, group(0xFEE6, da=0x17), passed("clock")),
    Row("a listed destination may be reached", TO_HVAC, group(0xEF00, da=0x19), passed("hvac")),
    Row("so may the first of a range", TO_HVAC, group(0xEF00, da=0x30), passed("hvac")),
    Row("and its last", TO_HVAC, group(0xEF00, da=0x31), passed("hvac")),
    Row("not the one after", TO_HVAC, group(0xEF00, da=0x32), no("no rule allows PGN 0xEF00 from 0x4A to 0x32")),
    Row("not the one before", TO_HVAC, group(0xEF00, da=0x2F), no("no rule allows PGN 0xEF00 from 0x4A to 0x2F")),
    Row("not everyone at once", TO_HVAC, group(0xEF00, da=0xFF), no("no rule allows PGN 0xEF00 from 0x4A to 0xFF")),
    Row("unless the rule says any", TO_ANYONE, group(0xEF00, da=0xFF), passed("anyone")),
    Row("an announced group passes if nothing in it matters", CLOCK, group(0xFEE6, announced=True), passed("clock")),
]

REQUESTS = [
    Row("a listed group may be asked for", ODOMETER, group(0xEA00, da=0x17, data="E0FE00"), passed("odometer")),
    Row("padding changes nothing", ODOMETER, group(0xEA00, da=0x17, data="E0FE00FFFFFFFFFF"), passed("odometer")),
    Row("the first of a range", ODOMETER, group(0xEA00, da=0x17, data="F0FE00"), passed("odometer")),
    Row("the last of a range", ODOMETER, group(0xEA00, da=0x17, data="F2FE00"), passed("odometer")),
    Row(
        "another group may not (DM11 clears trouble codes)",
        ODOMETER,
        group(0xEA00, da=0x17, data="D3FE00"),
        no("asking for PGN 0xFED3 is not listed", "odometer"),
    ),
    Row(
        "all three bytes count",
        ODOMETER,
        group(0xEA00, da=0x17, data="E0FE01"),
        no("asking for PGN 0x1FEE0 is not listed", "odometer"),
    ),
    Row(
        "a request too short to say does not pass",
        ODOMETER,
        group(0xEA00, da=0x17, data="E0FE"),
        unseen("odometer", "the group it asks for is not visible"),
    ),
    Row(
        "an announced one does not either",
        ODOMETER,
        group(0xEA00, da=0x17, data="E0FE00", announced=True),
        unseen("odometer", "the group it asks for is not visible"),
    ),
    Row(
        "nor to someone else",
        ODOMETER,
        group(0xEA00, da=0x27, data="E0FE00"),
        no("no rule allows PGN 0xEA00 from 0x4A to 0x27"),
    ),
    Row("any is any", ANY_REQUEST, group(0xEA00, da=0x27, data="D3FE00"), passed("requests")),
    Row("even unseen", ANY_REQUEST, group(0xEA00, da=0x27, announced=True), passed("requests")),
    Row(
        "a name does not say what may be asked for",
        "id: named\nmessage: Request\nda: any",
        group(0xEA00, da=0x27, data="E0FE00", name="Request"),
        no("asking for PGN 0xFEE0 is not listed", "named"),
    ),
    Row(
        "a request must also fit its signals",
        REQUEST_LIMIT,
        group(0xEA00, da=0x27, data="E0FE00", Limit=101),
        outside("limit", "Limit 101 is above 100"),
    ),
    Row("and may", REQUEST_LIMIT, group(0xEA00, da=0x27, data="E0FE00", Limit=100), passed("limit")),
]

SIGNALS = [
    Row("all signals fit", PREHEAT, message("Hvac", Temperature=20, Mode="Preheat"), passed("preheat")),
    Row("another label fits too", PREHEAT, message("Hvac", Temperature=20, Mode="Off"), passed("preheat")),
    Row(
        "signals that are not named are free",
        PREHEAT,
        message("Hvac", Temperature=20, Mode="Off", X=1),
        passed("preheat"),
    ),
    Row("min is included", PREHEAT, message("Hvac", Temperature=15, Mode="Off"), passed("preheat")),
    Row("max is included", PREHEAT, message("Hvac", Temperature=26.0, Mode="Off"), passed("preheat")),
    Row(
        "below min",
        PREHEAT,
        message("Hvac", Temperature=14.9, Mode="Off"),
        outside("preheat", "Temperature 14.9 is below 15"),
    ),
    Row(
        "above max",
        PREHEAT,
        message("Hvac", Temperature=26.1, Mode="Off"),
        outside("preheat", "Temperature 26.1 is above 26"),
    ),
    Row(
        "a label that is not listed",
        PREHEAT,
        message("Hvac", Temperature=20, Mode="Cool"),
        outside("preheat", "Mode Cool is not listed"),
    ),
    Row(
        "a number where labels are listed",
        PREHEAT,
        message("Hvac", Temperature=20, Mode=7),
        outside("preheat", "Mode 7 is not listed"),
    ),
    Row(
        "a signal that is not there",
        PREHEAT,
        message("Hvac", Temperature=20),
        unseen("preheat", "signal Mode is missing or says nothing"),
    ),
    Row(
        "the first fault is told",
        PREHEAT,
        message("Hvac", Temperature=30, Mode="Cool"),
        outside("preheat", "Temperature 30 is above 26"),
    ),
    Row(
        "a label where a number is asked for",
        AT_LEAST,
        message("Hvac", Temperature="Error"),
        unseen("least", "Temperature Error is not a number"),
    ),
    Row(
        "what is not a number",
        AT_LEAST,
        message("Hvac", Temperature=float("nan")),
        unseen("least", "Temperature nan is not a number"),
    ),
    Row(
        "what is beyond all numbers",
        AT_LEAST,
        message("Hvac", Temperature=float("inf")),
        unseen("least", "Temperature inf is not a number"),
    ),
    Row(
        "or below them",
        AT_MOST,
        message("Hvac", Temperature=float("-inf")),
        unseen("most", "Temperature -inf is not a number"),
    ),
    Row("only a min", AT_LEAST, message("Hvac", Temperature=10**400), passed("least")),
    Row("only a max", AT_MOST, message("Hvac", Temperature=-40.5), passed("most")),
    Row("a number by itself", EXACTLY, message("Hvac", Level=2.0), passed("exact")),
    Row("and no other", EXACTLY, message("Hvac", Level=2.5), outside("exact", "Level 2.5 is not listed")),
    Row("its own word is not it", EXACTLY, message("Hvac", Level="2"), outside("exact", "Level 2 is not listed")),
    Row("only these signals", ONLY, message("Hvac", Temperature=20), passed("only")),
    Row("and no others", ONLY, message("Hvac", Temperature=20, Fan=1), outside("only", "signal Fan is not listed")),
    Row("a group within its limits", GROUP_LIMIT, group(0xFF10, Limit=100), passed("limit")),
    Row("and beyond", GROUP_LIMIT, group(0xFF10, Limit=101), outside("limit", "Limit 101 is above 100")),
    Row(
        "an announced group shows no signals",
        GROUP_LIMIT,
        group(0xFF10, announced=True, Limit=1),
        unseen("limit", "its signals are not visible while it is only announced"),
    ),
    Row(
        "only these, also in a group",
        "id: only\npgn: 0xFF10\nonly_signals: true\nsignals: {Limit: {max: 100}}",
        group(0xFF10, Limit=1, Fan=1),
        outside("only", "signal Fan is not listed"),
    ),
]

DIAGNOSTICS = [
    Row("a listed DID may be read", BMS_READ, read_did(0xF190), passed("bms")),
    Row("the first of a range", BMS_READ, read_did(0x0100), passed("bms")),
    Row("the last of a range", BMS_READ, read_did(0x01FF), passed("bms")),
    Row("the one after may not", BMS_READ, read_did(0x0200), no("DID 0x0200 is not listed", "bms")),
    Row("the one before may not", BMS_READ, read_did(0x00FF), no("DID 0x00FF is not listed", "bms")),
    Row("several listed ones may", BMS_READ, read_did(0xF190, 0x0100), passed("bms")),
    Row("one of them unlisted: none may", BMS_READ, read_did(0xF190, 0x2001), no("DID 0x2001 is not listed", "bms")),
    Row("whichever comes first", BMS_READ, read_did(0x2001, 0xF190), no("DID 0x2001 is not listed", "bms")),
    Row("no DID visible", BMS_READ, uds("22"), unseen("bms", "the DID is not visible")),
    Row(
        "more bytes announced than visible may hold more DIDs",
        BMS_READ,
        read_did(0xF190, length=5, complete=True),
        unseen("bms", "not all of its DIDs are visible"),
    ),
    Row(
        "an announcement is not the whole request, whatever its length says",
        BMS_READ,
        read_did(0xF190, complete=False),
        unseen("bms", "not all of its DIDs are visible"),
    ),
    Row(
        "an unlisted one among the visible is told first",
        BMS_READ,
        read_did(0x2001, length=9, complete=False),
        no("DID 0x2001 is not listed", "bms"),
    ),
    Row(
        "a write names its one DID at once",
        BMS_READ,
        uds("2EF190000000", dids=(0xF190,), length=20, complete=False),
        passed("bms"),
    ),
    Row(
        "an actuator is named by its one DID",
        BMS_READ.replace("0x2E", "0x2F"),
        uds("2FF1900300", dids=(0xF190,), length=20, complete=False),
        passed("bms"),
    ),
    Row(
        "so is a scaling",
        BMS_READ.replace("0x2E", "0x24"),
        uds("24F190", dids=(0xF190,), length=20, complete=False),
        passed("bms"),
    ),
    Row("periodic reads name several", PERIODIC, uds("2A0101", dids=(0xF201,)), passed("bms")),
    Row(
        "which may follow",
        PERIODIC,
        uds("2A0101", dids=(0xF201,), length=9, complete=False),
        unseen("bms", "not all of its DIDs are visible"),
    ),
    Row("any DID is any", BMS_ANY, read_did(0x2001), passed("bms")),
    Row("also unseen", BMS_ANY, uds("22", length=30, complete=False), passed("bms")),
    *(
        Row(
            f"service {sid:02X} needs its DID",
            BMS_READ.replace("0x2E", f"0x{sid:02X}"),
            uds(f"{sid:02X}"),
            unseen("bms", "the DID is not visible"),
        )
        for sid in (0x24, 0x2A, 0x2E, 0x2F)
    ),
    Row("another service may not", BMS_READ, uds("14FFFFFF"), no("no rule allows service 0x14 to BMS (0xF3)")),
    Row("another ECU may not", BMS_READ, read_did(0xF190, to=VCU), no("no rule allows service 0x22 to VCU (0x27)")),
    Row(
        "nobody is nobody",
        BMS_READ,
        read_did(0xF190, to=Party("", None)),
        no("no rule allows service 0x22 to unknown"),
    ),
    Row("an ECU by its name", TWO_ECUS, uds("14FFFFFF"), passed("two")),
    Row("an ECU by its address", TWO_ECUS, uds("14FFFFFF", to=VCU), passed("two")),
    Row("an ECU by neither", TWO_ECUS, uds("14FFFFFF", to=Party("", 0x28)), no("no rule allows service 0x14 to 0x28")),
    Row("an ECU whose name is unknown", TWO_ECUS, uds("14FFFFFF", to=Party("", 0x27)), passed("two")),
    Row(
        "a request to all ECUs at once needs its own rule",
        BMS_READ,
        read_did(0xF190, functional=True),
        no("no rule allows service 0x22 to all ECUs"),
    ),
    Row("which says functional", PRESENT, uds("3E80", subfunction=0, functional=True, to=EVERYONE), passed("present")),
    Row(
        "whatever it calls them",
        PRESENT_ALL,
        uds("3E80", subfunction=0, functional=True, to=EVERYONE),
        passed("present"),
    ),
    Row(
        "and is for those requests only",
        PRESENT,
        uds("3E80", subfunction=0),
        no("no rule allows service 0x3E to BMS (0xF3)"),
    ),
    Row("a listed session", SESSIONS, uds("1003", subfunction=3), passed("session")),
    Row("with its answer suppressed", SESSIONS, uds("1083", subfunction=0x83), passed("session")),
    Row(
        "the programming session",
        SESSIONS,
        uds("1002", subfunction=2),
        no("sub-function 0x02 is not listed", "session"),
    ),
    Row(
        "the programming session with its answer suppressed",
        SESSIONS,
        uds("1082", subfunction=0x82),
        no("sub-function 0x02 is not listed", "session"),
    ),
    Row("a session that is not visible", SESSIONS, uds("10"), unseen("session", "the sub-function is not visible")),
    Row("a service that has no sub-function", SESSIONS, uds("14FFFFFF"), passed("session")),
    Row("no session listed: any", ANY_SESSION, uds("1002", subfunction=2), passed("session")),
    Row("also one that is not visible", ANY_SESSION, uds("10"), passed("session")),
    Row("the first routine of a range", ROUTINES, uds("31010200", subfunction=1, routine=0x200), passed("routine")),
    Row("the last one", ROUTINES, uds("31010203", subfunction=1, routine=0x203), passed("routine")),
    Row(
        "the one after",
        ROUTINES,
        uds("31010204", subfunction=1, routine=0x204),
        no("routine 0x0204 is not listed", "routine"),
    ),
    Row(
        "a listed routine, otherwise controlled",
        ROUTINES,
        uds("31020203", subfunction=2, routine=0x203),
        no("sub-function 0x02 is not listed", "routine"),
    ),
    Row("a routine not visible", ROUTINES, uds("3101", subfunction=1), unseen("routine", "the routine is not visible")),
    Row("any routine", ANY_ROUTINE, uds("3101FF00", subfunction=1, routine=0xFF00), passed("routine")),
    Row("even unseen", ANY_ROUTINE, uds("31"), passed("routine")),
    Row("a service that has none", ANY_ROUTINE, uds("14FFFFFF"), passed("routine")),
    *(
        Row(
            f"a {kind} answer is no request",
            BMS_ANY,
            read_did(0xF190, kind=kind),
            no("no rule allows an answer to service 0x22, which nothing of the vehicle asked for"),
        )
        for kind in (DiagnosticKind.POSITIVE, DiagnosticKind.NEGATIVE)
    ),
    Row(
        "no rule by message selects diagnostics",
        HEARTBEAT,
        uds("3E00", subfunction=0, to=BMS),
        no("no rule allows service 0x3E to BMS (0xF3)"),
    ),
]

ROWS = [*BY_NAME, *BY_GROUP, *REQUESTS, *SIGNALS, *DIAGNOSTICS]


@pytest.mark.parametrize("row", ROWS, ids=[f"{number}: {row.says}" for number, row in enumerate(ROWS)])
def test_the_table_holds(row: Row) -> None:
    given(row.rule) >> row.command << row.verdict


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_nothing_passes_when_the_policy_allows_nothing(row: Row) -> None:
    said = (given() >> row.command).said
    assert said is not None
    assert (said.action, said.reason, said.rule) == (*blocked(Reason.NOT_ALLOWLISTED)[:2], "")
