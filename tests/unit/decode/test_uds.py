"""UDS payloads against the published vectors, and what is read from each service's parameters (ISO 14229-1:2020)."""

import json
from pathlib import Path

import pytest

from busgate.decode.uds import Bad, Reading, read, split_dids
from busgate.model import DiagnosticKind, Value

ROWS = json.loads((Path(__file__).parents[2] / "vectors" / "uds.json").read_text(encoding="utf-8"))["vectors"]

DISAGREED: dict[str, str] = {}
"""Rows of the vectors that we read otherwise, by payload, with the reason: none."""


def reading(text: str) -> Reading:
    found = read(bytes.fromhex(text))
    assert isinstance(found, Reading), found
    return found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['hex'][:20]} {row['source'].rpartition(':')[2]}")
def test_every_published_payload_reads_as_published(row: dict[str, str]) -> None:
    if row["hex"] in DISAGREED:
        pytest.skip(DISAGREED[row["hex"]])
    if row["kind"] == "other":
        assert isinstance(read(bytes.fromhex(row["hex"])), Bad)
        return
    found = reading(row["hex"])
    assert {
        "kind": found.kind,
        "sid": f"0x{found.sid:02X}",
        "service": found.service,
        "alters_state": found.alters_state,
    } == {name: row[name] for name in ("kind", "sid", "service", "alters_state")}


@pytest.mark.parametrize(
    ("payload", "details"),
    [
        ("1003", {"session": "extended diagnostic"}),
        ("10c0", {"session": "0x40"}),
        ("5003003201f4", {"session": "extended diagnostic", "p2_ms": 50, "p2_star_10ms": 500}),
        ("1101", {"reset": "hard reset"}),
        ("14ffffff", {"dtc_group": "all"}),
        ("1412345601", {"dtc_group": "0x123456", "memory_selection": 1}),
        ("1902ff", {"report": "DTC by status mask", "status_mask": 255}),
        (
            "194233081e",
            {"report": "WWH-OBD DTC by mask", "functional_group": 51, "status_mask": 8, "severity_mask": 30},
        ),
        ("22f190f195", {"data_identifier": "0xF190 VIN, 0xF195 system supplier ECU software version number"}),
        ("2344000010000000ff00", {"memory_address": 0x1000, "memory_size": 0xFF00}),
        ("2319ffffffffffffffffff01", {"memory_address": "0xFFFFFFFFFFFFFFFFFF", "memory_size": 1}),
        ("23171fffffffffffff01", {"memory_address": (1 << 53) - 1, "memory_size": 1}),
        ("231720000000000000ff", {"memory_address": "0x20000000000000", "memory_size": 255}),
        ("2711", {"step": "request seed", "security_level": 0x11, "secret_bytes": 0}),
        ("2712d4b26682", {"step": "send key", "security_level": 0x11, "secret_bytes": 4}),
        (
            "28030f",
            {
                "control": "disable receive and transmit",
                "messages": "normal and network management",
                "network": "every network of the ECU",
            },
        ),
        (
            "2804f10123",
            {
                "control": "enable receive, disable transmit, with address",
                "messages": "normal",
                "network": "the network of the request",
                "node": 0x123,
            },
        ),
        ("2a01e3", {"rate": "slow", "data_identifier": "0xF2E3"}),
        ("2a04", {"rate": "stop"}),
        (
            "2c01f2001234010256780304",
            {"definition": "by identifier", "data_identifier": "0xF200"} | {"made_of": "0x1234[1:3], 0x5678[3:7]"},
        ),
        ("2ef15a1810", {"data_identifier": "0xF15A", "data": "1810"}),
        ("2f013203ff", {"data_identifier": "0x0132", "control": "short term adjustment", "state": "ff"}),
        ("3101ff000105", {"control": "start", "routine": "0xFF00 erase memory", "options": "0105"}),
        ("3400410a00000100", {"data_format": 0, "memory_address": 0x0A, "memory_size": 0x100}),
        ("74200ff9", {"most_block_bytes": 0x0FF9}),
        ("3601aabbcc", {"block": 1, "data_bytes": 3}),
        (
            "380300042f612e621102010000ff",
            {"mode": "replace file", "file_path": "/a.b", "data_format": 0x11, "size_bytes": 2}
            | {"uncompressed_size": 0x100, "compressed_size": 0xFF},
        ),
        ("3804000161ff", {"mode": "read file", "file_path": "a", "data_format": 255}),
        ("38020002ff61", {"mode": "delete file", "file_path": "\\xffa"}),
        ("3e00", {"purpose": "keep the session"}),
        ("8582ffffff", {"setting": "off", "record": "ffffff"}),
        ("8645020103", {"event": "start", "window": 2, "parameters": "0103"}),
        ("8703", {"control": "transition"}),
        ("08010203", {"test": 1, "data": "0203"}),
        ("ba0102", {"data": "0102"}),
        ("3e0011", {"purpose": "keep the session", "extra": "11"}),
    ],
)
def test_parameters_are_named(payload: str, details: dict[str, Value]) -> None:
    assert reading(payload).details == details


@pytest.mark.parametrize(
    ("payload", "dids", "routine"),
    [
        ("22f190f195", (0xF190, 0xF195), None),
        ("24f190", (0xF190,), None),
        ("2a03e3e4", (0xF2E3, 0xF2E4), None),
        ("2c02f3011112", None, None),
        ("2c02f30112123401", (0xF301,), None),
        ("2ef15a00", (0xF15A,), None),
        ("2f015500", (0x0155,), None),
        ("3101ff00", (), 0xFF00),
        ("7101ff0000", (), 0xFF00),
        ("62f190313233", (0xF190,), None),
    ],
)
def test_identifiers_are_found(payload: str, dids: tuple[int, ...] | None, routine: int | None) -> None:
    found = read(bytes.fromhex(payload))
    if dids is None:
        assert isinstance(found, Bad)
    else:
        assert isinstance(found, Reading)
        assert (found.dids, found.routine) == (dids, routine)


def test_the_suppress_bit_is_not_part_of_the_sub_function() -> None:
    assert (reading("1082").subfunction, reading("1082").suppressed) == (2, True)
    assert (reading("1002").subfunction, reading("1002").suppressed) == (2, False)
    assert not reading("5082").suppressed
    assert not reading("1001").suppressed


def test_services_without_sub_function_have_none() -> None:
    assert reading("22f190").subfunction is None
    assert reading("2f013203").subfunction is None


def test_a_negative_response_names_what_was_refused_and_why() -> None:
    found = reading("7f3133")
    assert found.kind is DiagnosticKind.NEGATIVE
    assert (found.sid, found.request_sid, found.service) == (0x7F, 0x31, "RoutineControl")
    assert (found.nrc, found.nrc_name) == (0x33, "security access denied")
    assert not found.alters_state


def test_an_ecu_may_refuse_a_service_that_does_not_exist() -> None:
    assert reading("7f1211").service == "UnknownService"
    assert reading("7f10e0").nrc_name == "0xE0"


@pytest.mark.parametrize("sid", range(0xBA, 0xBF))
def test_vendor_services_count_as_altering(sid: int) -> None:
    request, answer = reading(f"{sid:02x}01"), reading(f"{sid + 0x40:02x}01")
    assert (request.service, request.alters_state) == ("VendorService", True)
    assert (answer.service, answer.kind, answer.alters_state) == ("VendorService", DiagnosticKind.POSITIVE, False)


def test_obd_alters_state_only_by_clearing_and_controlling() -> None:
    requests = ["010c", "020c00", "03", "04", "050100", "0601", "07", "0801", "0902", "0a"]
    assert [text[:2] for text in requests if reading(text).alters_state] == ["04", "08"]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("", "the payload is empty"),
        ("12", "no service has the identifier 0x12"),
        ("b9", "no service has the identifier 0xB9"),
        ("bf", "no service has the identifier 0xBF"),
        ("7f", "a negative response has 3 bytes, this one 1"),
        ("7f10", "a negative response has 3 bytes, this one 2"),
        ("10", "DiagnosticSessionControl has 1 bytes and needs at least 2"),
        ("14ffff", "ClearDTC has 3 bytes and needs at least 4"),
        ("22", "ReadDID has 1 bytes and needs at least 3"),
        ("22f190f1", "ReadDID has 4 bytes and needs at least 5"),
        ("190c00", None),
        ("1904123456", "ReadDTC has 5 bytes and needs at least 6"),
        ("2804", "CommunicationControl has 2 bytes and needs at least 3"),
        ("280401", "CommunicationControl has 3 bytes and needs at least 5"),
        ("2c02f30111101120", "DynamicallyDefineDID has 8 bytes and needs at least 9"),
        ("2c02f301", "DynamicallyDefineDID has 4 bytes and needs at least 5"),
        ("2ef190", "WriteDID has 3 bytes and needs at least 4"),
        ("2f0132", "IOControl has 3 bytes and needs at least 4"),
        ("3101ff", "RoutineControl has 3 bytes and needs at least 4"),
        ("340044000010000000", "RequestDownload has 9 bytes and needs at least 11"),
        ("340004", "RequestDownload says by 0x04 that its memory address or size has no bytes"),
        ("340040", "RequestDownload says by 0x40 that its memory address or size has no bytes"),
        ("36", "TransferData has 1 bytes and needs at least 2"),
        ("3801000461", "RequestFileTransfer has 5 bytes and needs at least 8"),
        ("3d11100110", None),
        ("3d111001", "WriteMemory has 4 bytes and needs at least 5"),
        ("3e", "TesterPresent has 1 bytes and needs at least 2"),
        ("870212", "LinkControl has 3 bytes and needs at least 5"),
        ("01", "OBDCurrentData has 1 bytes and needs at least 2"),
    ],
)
def test_requests_that_no_ecu_would_take_are_bad(payload: str, reason: str | None) -> None:
    found = read(bytes.fromhex(payload))
    assert (found.reason if isinstance(found, Bad) else None) == reason


def test_the_first_bytes_of_a_longer_payload_tell_what_they_can() -> None:
    found = read(bytes.fromhex("3400440000a0"), complete=False, length=11)
    assert isinstance(found, Reading)
    assert (found.service, found.length, found.complete) == ("RequestDownload", 11, False)
    assert found.details == {"data_format": 0}


def test_what_is_announced_counts_even_where_it_is_not_visible() -> None:
    found = read(bytes.fromhex("360119b142e2"), complete=False, length=258)
    assert isinstance(found, Reading)
    assert found.details == {"block": 1, "data_bytes": 256}
    record = read(bytes.fromhex("2ef15a181008"), complete=False, length=12)
    assert isinstance(record, Reading)
    assert record.details == {"data_identifier": "0xF15A", "data": "181008…"}


def test_a_record_that_is_not_visible_yet_is_shown_as_more_to_come() -> None:
    found = read(bytes.fromhex("2ef15a"), complete=False, length=12)
    assert isinstance(found, Reading)
    assert found.details == {"data_identifier": "0xF15A", "data": "…"}


def test_an_announced_length_too_short_for_the_service_is_bad_at_once() -> None:
    found = read(bytes.fromhex("34004400000a"), complete=False, length=9)
    assert found == Bad("RequestDownload has 9 bytes and needs at least 11")


def test_without_an_announced_length_nothing_is_too_short() -> None:
    found = read(b"\x36", complete=False)
    assert isinstance(found, Reading)
    assert found.length == 1
    assert found.details == {}
    assert isinstance(read(b"\x3e\x00", complete=False), Reading)


def test_long_records_are_shown_in_part_and_kept_in_whole() -> None:
    payload = bytes.fromhex("2ef190") + bytes(100)
    found = read(payload)
    assert isinstance(found, Reading)
    assert found.details["data"] == "00" * 64 + "…"
    assert found.payload == payload


def test_seeds_and_keys_are_never_shown() -> None:
    for text in ("27021122334455667788", "67011122334455667788"):
        assert "1122" not in repr(dict(reading(text).details))


@pytest.mark.parametrize(
    ("payload", "asked", "data"),
    [
        ("62f190313233", (0xF190,), {0xF190: "313233"}),
        ("62f1880102f1950304", (0xF188, 0xF195), {0xF188: "0102", 0xF195: "0304"}),
        ("62f188f1950102f1950304", (0xF188, 0xF195), {}),  # which F195 is the identifier?
        ("62f1950304", (0xF188, 0xF195), {}),
        ("62f1880102", (0xF188, 0xF195), {}),
        ("62f190", (0xF190,), {0xF190: ""}),
        ("62f18801f1f1f1", (0xF188, 0xF1F1), {}),  # the second byte of which F1F1 is data?
        ("62", (0xF190,), {}),
        ("62f190", (), {}),
    ],
)
def test_answers_to_several_identifiers_are_split_only_without_doubt(
    payload: str, asked: tuple[int, ...], data: dict[int, str]
) -> None:
    assert {did: value.hex() for did, value in split_dids(bytes.fromhex(payload), asked).items()} == data
