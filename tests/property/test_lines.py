"""Whatever is typed or piped in: one object of plain JSON for every line that says something, and no exception."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from busgate.decode.dbc import Database
from busgate.decode.lines import LineDecoder, Protocol

DBC = """VERSION ""
BU_: A
BO_ 16 Floats: 8 A
 SG_ Single : 0|32@1- (1,0) [0|0] "V" A
 SG_ Half : 32|16@1+ (0.5,-40) [0|0] "" A
SIG_VALTYPE_ 16 Single : 1;
BO_ 2364540158 EEC1: 8 A
 SG_ Speed : 24|16@1+ (0.125,0) [0|0] "rpm" A
"""
DATABASE = Database.load({"test.dbc": DBC})

hexadecimal = st.text("0123456789abcdefABCDEF", max_size=20)
identifier = st.sampled_from(
    ["010", "123", "7E0", "18DA10F1", "18CE10F1", "1CEC0201", "1CEB0201", "1CC80201", "0CF00400"]
)
frames = st.builds(
    lambda who, mark, data: f"{who}#{mark}{data}",
    identifier,
    st.sampled_from(["", "#0", "R"]),
    st.one_of(hexadecimal, st.binary(max_size=8).map(bytes.hex)),
)
lines = st.one_of(st.text(max_size=40), frames, hexadecimal, st.text("0123456789ABCDEF#[]()R TX.x \t", max_size=40))


@settings(max_examples=300)
@given(st.sampled_from(Protocol), st.lists(lines, max_size=12))
def test_any_line_gives_one_object_of_plain_json_or_nothing(protocol: Protocol, typed: list[str]) -> None:
    decoder = LineDecoder(protocol, database=DATABASE)
    for number, line in enumerate(typed, 1):
        row = decoder.decode(line)
        if row is None:
            assert not line.strip() or line.strip().startswith("#")
            continue
        assert json.loads(json.dumps(row, allow_nan=False)) == row
        assert row.get("line", number) == number
        assert ("line" in row) == ("malformed" in row)


@given(st.integers(0, 0x1FFFFFFF), st.binary(max_size=8), st.sampled_from(["{0}#{1}", "can0  {0}   [{2}]  {1}"]))
def test_both_shapes_of_a_frame_read_back_what_was_written(can_id: int, data: bytes, shape: str) -> None:
    written = data.hex(" ") if "[" in shape else data.hex()
    line = shape.format(f"{can_id:08X}", written, len(data))
    row = LineDecoder(Protocol.J1939).decode(line)
    assert row is not None
    assert (row["can_id"], row["data"]) == (f"{can_id:08X}", data.hex())
