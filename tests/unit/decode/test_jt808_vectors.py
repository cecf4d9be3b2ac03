"""Frames of other people's test suites, read here as their authors and an independent library read them.

How much of what they assert is checked is counted exactly, so that none of it gets lost unseen.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from busgate.decode import jt808, jt905
from busgate.decode.jt808_parts import Reassembler
from busgate.decode.jt808_stream import Framer
from support.jt808_names import agrees, checked, leaves

VECTORS = Path(__file__).parents[2] / "vectors"
JT808 = json.loads((VECTORS / "jt808.json").read_text(encoding="utf-8"))
JT905 = json.loads((VECTORS / "jt905.json").read_text(encoding="utf-8"))

HEADER = {
    "msg_id": "message_id",
    "attr": "attributes",
    "version_flag": "version_flag",
    "subpackage": "subpackage",
    "encrypt": "encryption",
    "body_len": "body_length",
    "protocol_version": "protocol_version",
    "phone": "phone",
    "serial": "serial",
    "checksum": "checksum",
    "pkt_total": "parts",
    "pkt_no": "part",
}

# The header decode of the vectors follows bit 14 alone; in these three only the other form fits the length, and their
# sources read them so (they test for devices that set the bit wrongly).
WRONG_VERSION_BIT = {"JT808_0x0200Test.cs:323", "JT808_0x0200Test.cs:332", "JT808_0x8104Test.cs:41"}

# What the sources assert of another frame of the same test, or of items whose id or length have two or four octets:
# forms that their demonstrations invent.
NOT_OF_THIS_FRAME = {
    ("JT808_0x8104Test.cs:41", "TerminalPhoneNo"): 2,
    ("Demo6.cs:120", "TerminalPhoneNo"): 1,
    ("Demo6.cs:123", "TerminalPhoneNo"): 1,
    ("Demo10.cs:157", "AttachInfoId"): 1,
    ("Demo10.cs:157", "AttachInfoLength"): 1,
    ("Demo10.cs:221", "AttachInfoId"): 1,
    ("Demo10.cs:221", "AttachInfoLength"): 1,
    ("Demo10.cs:285", "AttachInfoLength"): 1,
    ("Demo10.cs:370", "AttachInfoId"): 3,
    ("Demo10.cs:370", "AttachInfoLength"): 1,
}


def tail(place: str) -> str:
    return place.rsplit("/", 1)[-1]


def read(row: dict[str, Any]) -> dict[str, Any]:
    pdu = jt808.read(bytes.fromhex(row["hex"]))
    assert pdu is not None
    return dict(pdu.fields)


def tally(rows: list[tuple[dict[str, Any], dict[str, Any]]]) -> tuple[Counter[bool | None], Counter[tuple[str, str]]]:
    """How many assertions hold, do not, or say nothing to us; and which do not."""
    counts: Counter[bool | None] = Counter()
    against: Counter[tuple[str, str]] = Counter()
    for row, fields in rows:
        for expression, value in row.get("asserted", []):
            found = checked(fields, expression, value)
            counts[found] += 1
            if found is False:
                against[tail(row.get("asserted_at", row["source"])), expression.rsplit(".", 1)[-1]] += 1
    return counts, against


def test_all_374_headers_are_as_the_bytes_say() -> None:
    others = set()
    for row in JT808["frames"]:
        fields = read(row)
        expected = {HEADER[name]: value for name, value in row["expected"].items() if name in HEADER}
        if {name: fields.get(name) for name in expected} != expected:
            others.add(tail(row["source"]))
    assert len(JT808["frames"]) == 374
    assert others == WRONG_VERSION_BIT


def test_flaws_name_a_wrong_length_and_nothing_else_of_the_frame() -> None:
    for row in JT808["frames"]:
        pdu = jt808.read(bytes.fromhex(row["hex"]))
        assert pdu is not None
        assert not any("checksum" in flaw for flaw in pdu.flaws), row["source"]
        if tail(row["source"]) not in WRONG_VERSION_BIT:
            wrong_length = any(flaw.startswith("the header says") for flaw in pdu.flaws)
            assert wrong_length is not row["expected"]["length_ok"], row["source"]


def test_what_the_sources_assert_of_their_frames_is_so() -> None:
    counts, against = tally([(row, read(row)) for row in JT808["frames"]])
    assert against == NOT_OF_THIS_FRAME
    assert counts == {True: 413, False: 13, None: 34}


def test_what_the_sources_assert_of_their_bodies_is_so() -> None:
    rows = []
    for row in JT808["bodies"]:
        message = jt808.MESSAGES[row["message_id"]]
        reading = message.read(bytes.fromhex(row["body"]), row["edition"], False)
        rows.append((row, {"message_id": row["message_id"], **reading.fields}))
    counts, against = tally(rows)
    assert not against
    assert len(rows) == 104
    assert counts == {True: 636, None: 31}


def test_an_independent_library_reads_the_same() -> None:
    counts: Counter[bool | None] = Counter()
    for row in JT808["frames"]:
        fields = read(row)
        for path, value in leaves(row.get("peer", {})):
            numbers = isinstance(value, list) and bool(value) and isinstance(value[0], int)
            inside_a_list = len(path) > 1 and isinstance(path[-1], int) and isinstance(value, int)
            if (isinstance(value, list) and not numbers) or inside_a_list:
                continue
            found = agrees(fields, path, value)
            assert found is not False, (row["source"], path, value)
            counts[found] += 1
    assert counts == {True: 1436, None: 20}


def test_taxi_frames_are_read_as_their_source_asserts() -> None:
    rows = []
    for row in JT905["frames"]:
        pdu = jt905.read905(bytes.fromhex(row["hex"]))
        assert pdu is not None
        expected = {
            HEADER[name]: row["expected"][name] for name in ("msg_id", "body_len", "phone", "serial", "checksum")
        }
        assert {name: pdu.fields[name] for name in expected} == expected
        rows.append((row, dict(pdu.fields)))
    counts, against = tally(rows)
    assert not against
    assert len(rows) == 61
    assert counts == {True: 105, None: 48}


def test_nearly_every_body_is_read_to_its_last_byte() -> None:
    flawed = sum(bool(jt808.read(bytes.fromhex(row["hex"])).flaws) for row in JT808["frames"])  # type: ignore[union-attr]
    assert flawed == 13
    taxis = sum(bool(jt905.read905(bytes.fromhex(row["hex"])).flaws) for row in JT905["frames"])  # type: ignore[union-attr]
    assert taxis == 3


@pytest.mark.parametrize("taxi", [False, True])
def test_a_stream_of_all_frames_gives_each_as_one_span(taxi: bool) -> None:
    rows = (JT905 if taxi else JT808)["frames"]
    framer = Framer(taxi=taxi)
    spans = framer.feed(b"".join(bytes.fromhex(row["hex"]) for row in rows))
    assert [span.raw.hex() for span in spans] == [row["hex"] for row in rows]
    assert all(span.pdu is not None for span in spans)
    assert framer.held == 0


def test_the_split_messages_of_real_terminals_are_joined() -> None:
    reassembler = Reassembler()
    wholes = []
    for row in JT808["frames"]:
        pdu = jt808.read(bytes.fromhex(row["hex"]))
        if pdu is not None and (whole := reassembler.take(pdu)) is not None:
            wholes.append(whole)
    totals = [(whole.code, whole.fields["parts"], whole.fields["total"], whole.flaws) for whole in wholes]
    assert totals == [
        (0x1205, 2, 35, ()),
        (0x0104, 2, 107, ("the serial numbers of the parts are not consecutive",)),
        (0x1205, 18, 180, ()),
        (0x0104, 2, 88, ("the count says 88 parameters, there are 120",)),
    ]
    assert [len(whole.fields.get("resources", whole.fields.get("parameters"))) for whole in wholes] == [
        35,
        107,
        180,
        120,
    ]
