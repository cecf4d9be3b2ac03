from __future__ import annotations

from dataclasses import fields
from typing import Any, get_args

import pytest

from busgate.model import (
    Act,
    Alert,
    AlertCount,
    Argument,
    Causation,
    CellularChange,
    DiagnosticSession,
    Event,
    GrantChange,
    Held,
    Loss,
    Mode,
    ModeChange,
    Party,
    PolicyApplied,
    PolicyRefused,
    Provenance,
    Reason,
    RemoteFunction,
    Severity,
    Side,
    Subsystem,
    Traffic,
    UpdateSession,
)
from busgate.record.entry import MAX_ENTRY, RESERVED, Boot, EntryError, LogOpen, Record, decode, type_of
from support.logs import BOOT, alert, entry


def _session(stage: str) -> DiagnosticSession:
    return DiagnosticSession(
        at=9,
        stage=stage,
        side=Side.TBOX,
        source=Party("T-box", 0x4A),
        target=Party("BMS", 0xF3),
        subsystem=Subsystem.BMS,
        provenance=Provenance.CLAIMED,
        began=2**60,
        session=2,
        unlocked=True,
        programming=True,
        services={0x10: 1, 0x36: 400},
        transferred=65536,
    )


def _function() -> RemoteFunction:
    nobody = Party("", None)
    at = 2**60
    return RemoteFunction(
        9, "ip", "jt808", "down", "reset", 0x8105, Subsystem.TELEMATICS, Act.RESET, "cloud.reset", nobody,
        "192.0.2.1:6808", "", "NL", "", Provenance.PHYSICAL, 3, 2, 1, at, at,
    )  # fmt: skip


def _update(stage: str) -> UpdateSession:
    target = Party("BMS", 0xF3)
    return UpdateSession(9, stage, 8, "upgrade", "192.0.2.1", "http://u/b", 7, "ab", target, 6, "", "", {}, "none")


EXAMPLES: list[tuple[Record, str]] = [
    (alert(), "alert"),
    (AlertCount(9, "cause", "BG-1", 12, 1, 8, final=True), "alert.count"),
    (_session("start"), "session.start"),
    (_session("end"), "session.end"),
    (PolicyApplied(9, "city", 4, "cd" * 32, signed=True), "policy.apply"),
    (PolicyRefused(9, "not signed"), "policy.refuse"),
    (GrantChange(9, "start", "g-1", "maker", ("r1", "r2"), 10**18, ""), "grant.start"),
    (GrantChange(9, "end", "g-1", "maker", (), 10**18, "expired"), "grant.end"),
    (ModeChange(9, Mode.LOCAL, Mode.ENFORCE, "key switch", ""), "override.on"),
    (ModeChange(9, Mode.LOCAL, None, "key switch", ""), "override.on"),
    (ModeChange(9, Mode.MONITOR, Mode.LOCAL, "key switch", ""), "override.off"),
    (ModeChange(9, Mode.ENFORCE, Mode.MONITOR, "policy", ""), "mode"),
    (ModeChange(9, Mode.ENFORCE, None, "start", ""), "mode"),
    (ModeChange(9, Mode.LOCAL, Mode.LOCAL, "start", ""), "mode"),
    (_function(), "function"),
    (
        Causation(9, "message", 210_000_000, 0.9, {"name": "n"}, "18EF274A#00FF", "n", Subsystem.DRIVE, Act.STOP),
        "cause",
    ),
    (_update("start"), "update.start"),
    (_update("end"), "update.end"),
    (Held(9, "held", "1", "upgrade", "platform", 12, "ab"), "held.held"),
    (Held(9, "released", "1", "upgrade", "platform", 12, "ab", "root", "approved"), "held.released"),
    (
        CellularChange(9, "0", "ab", "cd", "20408", "KPN", "home", False, "connected", "lte", 61, ("iccid",)),
        "modem",
    ),
    (Loss(9, {"kernel": 3}), "drop"),
    (Traffic(9, {"tbox": 1}, {"j1939": 1}, {"allowed": 1}), "heartbeat"),
    (LogOpen(9, "a/log/b/1-0", "vkey", "there was none"), "log.open"),
    (Boot(9, "bus-1", "0.1.0"), "boot"),
]


@pytest.mark.parametrize(("event", "kind"), EXAMPLES)
def test_every_event_has_its_type_its_place_and_all_of_its_fields(event: Record, kind: str) -> None:
    read = decode(entry(event))
    assert read["type"] == type_of(event) == kind
    assert read.keys() == {field.name for field in fields(event)} | RESERVED - {"truncated"}


def test_every_event_of_the_model_is_among_the_examples() -> None:
    assert {type(event) for event, _ in EXAMPLES} == {*get_args(Event), LogOpen, Boot}


def test_no_field_of_an_event_takes_a_reserved_name() -> None:
    for event, _ in EXAMPLES:
        assert not {field.name for field in fields(event)} & RESERVED


def test_an_alert_is_exactly_these_bytes() -> None:
    event = Alert(
        at=1_767_323_045_006_007_008,
        cause="VCU_Limit from 0x4A",
        rule="BG-DRIVE-1",
        version=1,
        severity=Severity.CRITICAL,
        subsystem=Subsystem.DRIVE,
        act=Act.LIMIT,
        name="VCU_Limit",
        source=Party("T-box", 0x4A),
        target=Party("", None),
        provenance=Provenance.PHYSICAL,
        action="block",
        reason=Reason.NOT_ALLOWLISTED,
        arguments={"Torque": Argument(12.5, "°C")},
        state={"speed": 31.0},
        frame="18EF274A#00FF",
    )
    assert entry(event).decode() == (
        '{"act":"limit","action":"block","allow_rule":"","arguments":{"Torque":{"unit":"°C","value":12.5}},'
        f'"at":"1767323045006007008","because":{{}},"bn":2,"boot":"{BOOT}","cause":"VCU_Limit from 0x4A",'
        '"cloud":{},"detail":"",'
        '"frame":"18EF274A#00FF","mono":"5","name":"VCU_Limit","pol":{"sha256":"' + "ab" * 32 + '","ver":3},'
        '"provenance":"physical","reason":"not_allowlisted","rule":"BG-DRIVE-1","seq":7,"severity":"critical",'
        '"source":{"address":74,"name":"T-box"},"state":{"speed":31},"subsystem":"drive",'
        '"target":{"address":null,"name":""},"type":"alert","v":1,"version":1,'
        '"wall":"2026-01-02T03:04:05.006007Z","wq":"ntp"}'
    )


def test_times_in_nanoseconds_are_text_and_services_are_hexadecimal() -> None:
    read = decode(entry(_session("start")))
    assert (read["at"], read["began"], read["mono"]) == ("9", str(2**60), "5")
    assert read["services"] == {"10": 1, "36": 400}
    count = decode(entry(AlertCount(9, "c", "r", 12, 1, 8, final=True)))
    assert (count["first"], count["last"], count["final"]) == ("1", "8", True)
    assert decode(entry(GrantChange(9, "start", "g", "h", ("r",), -1, "")))["until"] == "-1"


def test_what_is_unknown_is_null() -> None:
    read = decode(entry(alert(), wall_ns=None, wq="none", policy=None))
    assert (read["wall"], read["wq"], read["pol"]) == (None, "none", None)


@pytest.mark.parametrize(
    ("wall_ns", "says"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (999, "1970-01-01T00:00:00.000000Z"),
        (1_000, "1970-01-01T00:00:00.000001Z"),
        (253_402_300_799_999_999_999, "9999-12-31T23:59:59.999999Z"),
        (253_402_300_800_000_000_000, None),
        (-1, None),
    ],
)
def test_the_wall_clock_is_of_fixed_width_and_ends_with_the_calendar(wall_ns: int, says: str | None) -> None:
    assert decode(entry(alert(), wall_ns=wall_ns))["wall"] == says


def test_what_is_too_long_first_loses_arguments_and_state() -> None:
    read = decode(entry(alert(arguments={str(n): Argument("x" * 50) for n in range(2000)})))
    assert read["truncated"] is True
    assert read["arguments"] == read["state"] == {}
    assert read["detail"] == ""
    assert read["name"] == "VCU_Limit"


def test_what_is_still_too_long_loses_its_lists_and_the_ends_of_its_texts() -> None:
    raw = entry(GrantChange(9, "start", "g" * 70_000, "h", tuple("r" * 100 for _ in range(900)), 5, "\x01" * 70_000))
    read = decode(raw)
    assert len(raw) <= MAX_ENTRY
    assert read["truncated"] is True
    assert (read["grant"], read["holder"], read["rules"]) == ("g" * 200, "h", [])
    read = decode(entry(alert(source=Party("s" * 70_000, 3))))
    assert read["source"] == {"name": "s" * 200, "address": 3}


def test_the_longest_entry_that_fits_is_whole() -> None:
    room = MAX_ENTRY - len(entry(alert(detail="")))
    assert "truncated" not in decode(entry(alert(detail="x" * room)))
    assert "truncated" in decode(entry(alert(detail="x" * (room + 1))))


@pytest.mark.parametrize(
    "raw", [b"", b"\xff", b"[]", b"1", b'"a"', b'{"a":NaN}', b'{"a":1', b"{}{}", b"[" * 100_000, b"1" * 5000]
)
def test_bytes_that_are_no_entry_are_refused_in_words(raw: bytes) -> None:
    with pytest.raises(EntryError, match="not a log entry"):
        decode(raw)


def test_an_entry_that_a_stranger_wrote_is_read_if_it_is_an_object() -> None:
    found: dict[str, Any] = decode(b' {"seq": 1}\n')
    assert found == {"seq": 1}
