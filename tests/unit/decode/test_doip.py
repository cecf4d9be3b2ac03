"""DoIP messages against a public capture, and with two libraries that do not know us as peers (ISO 13400-2)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from doipclient import messages
from scapy.contrib.automotive.doip import DoIP

from busgate.decode.doip import HEADER, MOST_PAYLOAD, STRETCH, Framer, read, read_datagram
from busgate.decode.doip_codes import ACTIVATION_RESPONSES, DIAGNOSTIC_NACKS, GENERIC_NACKS, POWER_MODES
from busgate.decode.doip_messages import MESSAGES, DiagnosticMessage, Reserved, VehicleAnnouncement
from busgate.model import Direction, Pdu, Span

peer: Any = messages
"""It has no types."""

ROWS = json.loads((Path(__file__).parents[2] / "vectors" / "doip.json").read_text(encoding="utf-8"))["messages"]

SENT_THE_WRONG_WAY = {
    "packet35": "a tester asks the vehicle whether it is alive, which is for the vehicle to ask",
    "packet41": "a diagnostic message that carries nothing says nothing of its direction",
}
"""Messages of the capture whose direction is not what the standard has; broadcasts are left out as well, below."""


def message(kind: int, payload: str = "", version: int = 2, inverse: int | None = None) -> bytes:
    data = bytes.fromhex(payload)
    head = bytes([version, version ^ 0xFF if inverse is None else inverse])
    return head + kind.to_bytes(2) + len(data).to_bytes(4) + data


def pdu(raw: bytes) -> Pdu:
    found = read(raw)
    assert found is not None
    json.dumps(found.fields)
    return found


def place(row: dict[str, Any]) -> str:
    return str(row["source"]).rpartition(":")[2]


@pytest.mark.parametrize("row", ROWS, ids=place)
def test_every_captured_message_reads_as_captured(row: dict[str, Any]) -> None:
    found = pdu(bytes.fromhex(row["hex"]))
    names = ("version", "inverse_ok", "payload_type", "payload_len", "len_ok", "user_data")
    assert {name: found.fields[name] for name in names} == {name: row[name] for name in names}
    assert found.flaws == (() if place(row) != "packet41" else ("the diagnostic message carries nothing",))
    broadcast = row["payload_type"] == "0x0004" and row["sport"] == row["dport"]
    if not broadcast and place(row) not in SENT_THE_WRONG_WAY:
        assert found.direction == row["direction"]


PEERS = [
    peer.GenericDoIPNegativeAcknowledge(2),
    peer.AliveCheckRequest(),
    peer.AliveCheckResponse(0x0E80),
    peer.DoipEntityStatusRequest(),
    peer.DiagnosticPowerModeRequest(),
    peer.DiagnosticPowerModeResponse(1),
    peer.RoutingActivationRequest(0x0E80, 0),
    peer.RoutingActivationRequest(0x0E80, 1, 0, 0xDEADBEEF),
    peer.VehicleIdentificationRequest(),
    peer.VehicleIdentificationRequestWithEID(b"\x01\x02\x03\x04\x05\x06"),
    peer.VehicleIdentificationRequestWithVIN("SYNTHETICBUS00421"),
    peer.RoutingActivationResponse(0x0E80, 0x4010, 0x10, 0),
    peer.RoutingActivationResponse(0x0E80, 0x4010, 6, 0, 0xDEADBEEF),
    peer.DiagnosticMessage(0x0E80, 0x4010, b"\x22\xf1\x90"),
    peer.DiagnosticMessageNegativeAcknowledgement(0x4010, 0x0E80, 3, b"\x22"),
    peer.DiagnosticMessagePositiveAcknowledgement(0x4010, 0x0E80, 0),
    peer.DiagnosticMessagePositiveAcknowledgement(0x4010, 0x0E80, 0, b"\x22\xf1"),
    peer.EntityStatusResponse(0, 16, 1),
    peer.EntityStatusResponse(1, 16, 1, 0x10000),
    peer.VehicleIdentificationResponse("SYNTHETICBUS00421", 0x4010, b"\1\2\3\4\5\6", b"\6\5\4\3\2\1", 0x10),
    peer.VehicleIdentificationResponse("SYNTHETICBUS00421", 0x4010, b"\1\2\3\4\5\6", b"\6\5\4\3\2\1", 0, 0x10),
]


def shown(value: Any) -> set[object]:
    """The ways in which a value of the peer's may stand in our fields."""
    if isinstance(value, bytes | bytearray):
        return {bytes(value).hex()}
    if isinstance(value, int):
        return {int(value), *(f"0x{value:0{digits}X}" for digits in (2, 4)), f"{value:08x}"}
    return {str(value)}


@pytest.mark.parametrize("sent", PEERS, ids=lambda sent: type(sent).__name__)
def test_a_client_that_does_not_know_us_says_the_same(sent: Any) -> None:
    packed = sent.pack()
    raw = message(sent.payload_type, packed.hex())
    found = pdu(raw)
    assert (found.flaws, found.fields["payload_type"]) == ((), f"0x{sent.payload_type:04X}")
    said = {name: getattr(sent, f"_{name}") for name in sent._fields}
    for name, value in said.items():
        if value not in (None, b""):
            assert found.fields[name] in shown(value), name


def test_the_peers_cover_every_payload_type() -> None:
    assert {sent.payload_type for sent in PEERS} == set(MESSAGES)


@pytest.mark.parametrize("row", sorted({row["hex"] for row in ROWS}))
def test_scapy_reads_the_same_values(row: str) -> None:
    raw = bytes.fromhex(row)
    theirs, ours = DoIP(raw), pdu(raw).fields
    names = {"nack": "nack_code", "further_action": "further_action_required", "vin_gid_status": "vin_sync_status",
             "logical_address_tester": "client_logical_address", "logical_address_doip_entity": "logical_address",
             "routing_activation_response": "response_code", "reserved_iso": "reserved",
             "reserved_oem": "vm_specific", "max_open_sockets": "max_concurrent_sockets",
             "cur_open_sockets": "currently_open_sockets", "payload_length": "payload_len",
             "previous_msg": "previous_message_data", "protocol_version": "version"}  # fmt: skip
    for name, value in theirs.fields.items():
        if name == "inverse_version" or value in (None, b""):
            continue
        text = value if name != "vin" else value.decode()
        assert ours[names.get(name, name)] in shown(text), name


def test_an_announcement_is_its_class() -> None:
    body = pdu(bytes.fromhex(ROWS[0]["hex"])).body
    assert body == VehicleAnnouncement(
        "BAUNEE4MZ17042403", "0x4010", "001a37bfee74", "001a37bfee74", "0x00", "none", None, None
    )


@pytest.mark.parametrize(
    ("payload", "service", "way"),
    [
        ("1003", "0x10 DiagnosticSessionControl", Direction.DOWN),
        ("5003003201f4", "0x50 DiagnosticSessionControl", Direction.UP),
        ("7f1078", "0x7F DiagnosticSessionControl", Direction.UP),
        ("7f99", "0x7F UnknownService", Direction.UP),
        ("99", "0x99 UnknownService", Direction.UNKNOWN),
        ("2ef190", "0x2E WriteDID", Direction.DOWN),
    ],
)
def test_a_diagnostic_message_names_its_service(payload: str, service: str, way: Direction) -> None:
    found = pdu(message(0x8001, "0e804010" + payload))
    assert (found.fields["uds"], found.fields["service"], found.direction) == (payload, service, way)
    assert found.body == DiagnosticMessage("0x0E80", "0x4010", payload)


def test_uds_that_no_ecu_would_take_is_a_flaw() -> None:
    assert pdu(message(0x8001, "0e80401010")).flaws == (
        "UDS: DiagnosticSessionControl has 1 bytes and needs at least 2",
    )


def test_what_was_cut_off_is_not_held_against_the_service() -> None:
    found = pdu(message(0x8001, "0e8040102ef19001")[:-2])
    assert found.fields["service"] == "0x2E WriteDID"
    assert found.flaws == ("the header says 8 bytes of payload, 6 are here",)


@pytest.mark.parametrize(
    ("raw", "flaw"),
    [
        (message(0x0007, inverse=0xFC), "inverse version is fc, should be fd"),
        (message(0x0007, version=0x09), "version 0x09 is reserved"),
        (message(0x0009), "payload type 0x0009 is reserved"),
        (message(0x0008, "0e"), "a payload of 1 bytes does not fit: alive check response"),
        (message(0x0008, "0e8000")[:-1], "the header says 3 bytes of payload, 2 are here"),
        (message(0x4004, "01") + b"\0", "the header says 1 bytes of payload, 2 are here"),
    ],
)
def test_one_thing_that_is_wrong_is_a_flaw(raw: bytes, flaw: str) -> None:
    assert flaw in pdu(raw).flaws


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        message(0x0007)[:7],
        message(0x0007, version=0x09, inverse=0xFC),
        message(0x0009, inverse=0),
        b"\x02\xfd\x80\x01\xff\xff\xff\xff\x0e\x80",
        b"GET / HTTP/1.1\r\n",
    ],
)
def test_two_things_that_are_wrong_are_no_message(raw: bytes) -> None:
    assert read(raw) is None
    assert [span.pdu for span in read_datagram(raw)] == [None] * bool(raw)


def test_codes_without_a_meaning_are_reserved_and_makers_messages_keep_their_payload() -> None:
    assert pdu(message(0x0000, "77")).fields["nack_code_name"] == "reserved"
    own = pdu(message(0xF123, "0102"))
    assert (own.body, own.fields["payload"], own.flaws) == (Reserved("0102"), "0102", ())
    assert own.direction is Direction.UNKNOWN
    names = (GENERIC_NACKS[4], ACTIVATION_RESPONSES[0x10], DIAGNOSTIC_NACKS[8], POWER_MODES[1])
    assert names == ("invalid payload length", "activated", "transport protocol error", "ready")


def test_a_datagram_may_hold_more_than_one_message_or_else_what_is_none() -> None:
    both = message(0x0001) + message(0x4001)
    assert [span.pdu.code for span in read_datagram(both) if span.pdu] == [0x0001, 0x4001]
    first, rest = read_datagram(message(0x0001) + b"junk")
    assert first.pdu is not None
    assert rest == Span(b"junk", None, "no DoIP message")


DIAGNOSTIC = message(0x8001, "0e8040103e00")
BEAT = message(0x0007)


def spans(stream: bytes) -> list[Span]:
    """All spans of a stream; cut anywhere they are the same, and joined they are the stream."""
    whole = Framer()
    found = whole.feed(stream) + whole.close()
    for size in (1, 3, 4099):
        cut = Framer()
        pieces = [cut.feed(stream[at : at + size]) for at in range(0, len(stream), size)]
        assert [span for piece in pieces for span in piece] + cut.close() == found
        assert cut.held == 0
    assert b"".join(span.raw for span in found) == stream
    return found


def raws(stream: bytes) -> list[tuple[bytes, bool]]:
    return [(span.raw, span.pdu is not None) for span in spans(stream)]


def test_messages_of_a_stream_follow_each_other() -> None:
    assert raws(DIAGNOSTIC + BEAT + DIAGNOSTIC) == [(DIAGNOSTIC, True), (BEAT, True), (DIAGNOSTIC, True)]
    framer = Framer()
    assert framer.feed(DIAGNOSTIC[:-1]) == []
    assert framer.held == len(DIAGNOSTIC) - 1
    assert [span.raw for span in framer.feed(DIAGNOSTIC[-1:])] == [DIAGNOSTIC]


def test_where_a_message_is_due_one_doubt_is_a_flaw_of_it() -> None:
    odd = message(0x8001, "0e8040103e00", inverse=0xFC)
    assert raws(BEAT + odd + BEAT) == [(BEAT, True), (odd, True), (BEAT, True)]


def test_elsewhere_a_header_must_be_right_in_all() -> None:
    odd = message(0x8001, "0e8040103e00", inverse=0xFC)
    assert raws(BEAT + b"junk" + odd + BEAT) == [(BEAT, True), (b"junk" + odd, False), (BEAT, True)]


@pytest.mark.parametrize(
    "junk", [b"\x02", b"\x02\xfd", b"\x02\x02", b"\xff\x00" * 9, b"\x02\xfd\x80\x01\xff\xff\xff\xff"]
)
def test_false_starts_do_not_hide_a_message(junk: bytes) -> None:
    assert raws(junk + DIAGNOSTIC + BEAT) == [(junk, False), (DIAGNOSTIC, True), (BEAT, True)]


def test_a_stream_that_is_picked_up_in_the_middle_of_a_message() -> None:
    for lost in range(1, len(DIAGNOSTIC)):
        assert raws(DIAGNOSTIC[lost:] + BEAT)[-1] == (BEAT, True)


def test_a_length_that_lies_hides_nothing_once_the_stream_ends() -> None:
    lying = b"\x02\xfd\x80\x01\x00\x01\x00\x00\x0e\x80\x40\x10\x11\x01"
    found = spans(lying + DIAGNOSTIC + BEAT)
    assert [span.raw for span in found] == [lying, DIAGNOSTIC, BEAT]
    assert found[0].pdu is not None
    assert found[0].pdu.fields["service"] == "0x11 ECUReset"
    assert found[0].pdu.flaws[0] == "the header says 65536 bytes of payload, 6 are here"


def test_what_is_held_has_a_bound() -> None:
    framer = Framer()
    found = framer.feed(b"x" * (3 * STRETCH + 5))
    assert [len(span.raw) for span in found] == [STRETCH] * 3
    assert framer.held == 5
    framer.feed(b"\x02\xfd\x80\x01" + MOST_PAYLOAD.to_bytes(4) + bytes(MOST_PAYLOAD - 1))
    assert framer.held == HEADER + MOST_PAYLOAD - 1
    (span,) = framer.feed(b"\0")
    assert (len(span.raw), framer.held) == (HEADER + MOST_PAYLOAD, 0)
    too_long = b"\x02\xfd\x80\x01" + (MOST_PAYLOAD + 1).to_bytes(4)
    assert raws(too_long + BEAT) == [(too_long, False), (BEAT, True)]


def test_a_cut_message_at_the_end_is_read_as_far_as_it_goes() -> None:
    (span,) = spans(DIAGNOSTIC[:-1])
    assert span.pdu is not None
    assert span.pdu.fields["uds"] == "3e"
    assert raws(BEAT[:-1]) == [(BEAT[:-1], False)]
