"""What a DBC decoder gives, message by message, and how a message is found."""

import ast
import math
import re
import struct
from pathlib import Path

import pytest

from busgate.decode.dbc import Database, DbcError, MessageDecoder, Undecodable
from busgate.model import ERROR, EXTENDED, REMOTE

VECTORS = Path(__file__).parents[2] / "vectors" / "dbc"


def load(*names: str, j1939: bool = True) -> Database:
    return Database.load({name: (VECTORS / name).read_text(encoding="utf-8") for name in names}, j1939=j1939)


def one(signals: str, *, length: int = 8, more: str = "") -> MessageDecoder:
    """A message of these signals: `name : place (scale,offset)`, one a line."""
    lines = [f' SG_ {line.strip()} [0|0] "" ECU' for line in signals.strip().splitlines()]
    text = "\n".join(['VERSION ""', "BU_: ECU", f"BO_ 1 One: {length} ECU", *lines, more])
    return Database.load({"one.dbc": text + "\n"}).decoders["One"]


# ---------------------------------------------------------------- whole messages


def test_intel_and_motorola_signals_are_cut_out_and_signed() -> None:
    database = load("orders.dbc")
    data = bytes.fromhex("ff80341234f2f502")
    assert database.decoders["Intel"].decode(data) == {
        "Byte": 255,
        "SignedByte": -128,
        "Word": 0x1234,
        "SignedWord": -0xDCC,
        "LowNibble": 5,
        "SignedNibble": -1,
        "Bit": 0,
        "SignedBit": -1,
        "Six": 0,
    }
    motorola = database.decoders["Motorola"].decode(data)
    assert isinstance(motorola, dict)
    assert (motorola["Word"], motorola["SignedWord"], motorola["HighNibble"]) == (0x3412, 0x34F2, 15)


def test_a_64_bit_unsigned_signal_keeps_its_highest_values() -> None:
    assert load("wide.dbc").decoders["Unsigned64"].decode(b"\xff" * 8) == {"All": 2**64 - 1}
    assert load("wide.dbc").decoders["Signed64"].decode(b"\xff" * 8) == {"All": -1}


def test_whole_scales_give_integers_and_others_floats() -> None:
    whole = load("scales.dbc").decoders["Whole"].decode(bytes(8))
    tenths = load("scales.dbc").decoders["Fractional"].decode(bytes(8))
    assert isinstance(whole, dict)
    assert isinstance(tenths, dict)
    assert {type(value) for value in whole.values()} == {int}
    assert {type(value) for value in tenths.values()} == {float}
    assert whole["WrittenAsFloat"] == 1


def test_zero_times_a_negative_scale_plus_zero_is_positive_zero() -> None:
    values = load("scales.dbc").decoders["Negative"].decode(bytes(8))
    assert isinstance(values, dict)
    assert math.copysign(1, float(values["Down"])) == 1
    assert math.copysign(1, float(values["MinusZero"])) == -1


def test_a_value_table_gives_plain_text_and_numbers_outside_it_stay_numbers() -> None:
    decoder = load("labels.dbc").decoders["Tables"]
    data = bytes([0b0001_0001, 0, 0xFF, 0xFF, 1, 0, 50, 0])
    assert decoder.decode(data) == {
        "Gear": "Drive",
        "Door": "open",
        "SignedMode": 0,
        "Current": "not available",
        "Whole": 3,
        "Level": 20.0,
    }
    values = decoder.decode(data)
    assert isinstance(values, dict)
    assert type(values["Gear"]) is str


def test_floats_of_all_widths_are_read_in_both_orders() -> None:
    data = struct.pack("<e", 1.5) + struct.pack(">e", -0.25) + bytes(4)
    assert load("floats.dbc").decoders["Halves"].decode(data) == {"Intel": 3.0, "Motorola": -0.25, "Unaligned": -1.0}
    assert load("floats.dbc").decoders["MotorolaDouble"].decode(struct.pack(">d", math.pi)) == {"Only": math.pi}


def test_a_float_with_a_value_table_is_refused_when_it_is_no_number() -> None:
    decoder = load("floats.dbc").decoders["LabelledFloat"]
    assert decoder.decode(struct.pack("<ff", 1.7, 0.0)) == {"Level": "one", "Scaled": "nothing"}
    for odd in (math.nan, math.inf):
        assert decoder.decode(struct.pack("<ff", odd, 0.0)) == Undecodable("signal Level is not a finite number")
        assert decoder.reader(["Scaled"])(struct.pack("<ff", odd, 2.0)) == (2.0 * 0.1,)


def test_a_float_keeps_the_sign_of_its_zero_as_its_offset_says() -> None:
    values = load("floats.dbc").decoders["SignOfZero"].decode(struct.pack("<ff", -0.0, -0.0))
    assert isinstance(values, dict)
    assert math.copysign(1, float(values["Kept"])) == -1
    assert math.copysign(1, float(values["Lost"])) == 1


def test_short_data_is_refused_and_long_data_is_cut() -> None:
    decoder = load("orders.dbc").decoders["Motorola"]
    assert decoder.decode(bytes(7)) == Undecodable("7 bytes where Motorola has 8")
    assert decoder.decode(bytes(range(8)) + b"more") == decoder.decode(bytes(range(8)))


def test_messages_without_signals_or_bytes_decode_to_nothing() -> None:
    database = load("wide.dbc")
    assert database.decoders["NoSignals"].decode(bytes(8)) == {}
    assert isinstance(database.decoders["NoSignals"].decode(b""), Undecodable)
    assert database.decoders["NoBytes"].decode(b"") == {}
    assert database.decoders["NoBytes"].reader([])(b"anything") == ()


def test_a_can_fd_message_is_read_to_its_last_bit() -> None:
    data = bytes(62) + b"\x00\x80"
    values = load("fd.dbc").decoders["CellVoltages"].decode(data)
    assert isinstance(values, dict)
    assert values["Last"] == 1


# ---------------------------------------------------------------- multiplexed messages


def test_a_multiplexer_shows_only_the_signals_it_selects() -> None:
    decoder = load("mux.dbc").decoders["Simple"]
    assert decoder.decode(bytes.fromhex("00e803ff00000000")) == {"Mode": 0, "Speed": 100.0}
    assert decoder.decode(bytes.fromhex("01ffff3200000000")) == {"Mode": 1, "Torque": -1, "Limit": 50}


def test_a_multiplexer_that_selects_nothing_makes_the_message_undecodable() -> None:
    decoder = load("mux.dbc").decoders["Simple"]
    assert decoder.decode(bytes.fromhex("02e803ff00000000")) == Undecodable(
        "multiplexer Mode is 2, which selects nothing"
    )


def test_a_labelled_page_without_signals_is_still_a_page() -> None:
    decoder = load("mux.dbc").decoders["Labelled"]
    assert decoder.decode(bytes([0x35, *bytes(7)])) == {"Counter": 5, "Page": "empty page"}
    assert isinstance(decoder.decode(bytes([0x45, *bytes(7)])), Undecodable)


def test_nested_multiplexers_are_followed_to_the_end() -> None:
    decoder = load("mux_extended.dbc").decoders["Nested"]
    assert decoder.decode(bytes([0x31, 9, 5, 0xFE, 0xFF, 0, 0, 0])) == {
        "Outer": 1,
        "Always": 3,
        "Inner": 9,
        "Deep": 5,
        "Deeper": -2,
    }
    refused = decoder.decode(bytes([0x31, 9, 6, 0xFE, 0xFF, 0, 0, 0]))
    assert refused == Undecodable("multiplexer Deep is 6, which selects nothing")


def test_a_multiplexer_selects_by_its_scaled_value() -> None:
    halved = load("mux.dbc").decoders["HalvedSelector"]
    assert halved.decode(bytes([11, 0, 200, *bytes(5)])) == {"Page": 5.5, "Five": -56}
    assert halved.decode(bytes([0xFF, 3, 200, *bytes(5)])) == {"Page": -0.5, "Zero": 200}
    assert halved.reader(["Zero", "Five"])(bytes([5, 0, 200, *bytes(5)])) == (None, None)
    scaled = load("mux.dbc").decoders["ScaledSelector"]
    assert scaled.decode(bytes([0, 7, *bytes(6)])) == {"Page": 1, "One": 7}


def test_values_that_share_a_label_select_what_the_last_of_them_selects() -> None:
    decoder = load("mux.dbc").decoders["LabelledWideSelector"]
    for page in (2, 3):
        data = bytes([page, 0, 7, 1, *bytes(4)])
        assert decoder.decode(data) == {"Did": "same", "Three": 263}
        assert decoder.reader(["One", "Three"])(data) == (None, 263)


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_a_multiplexer_that_is_no_finite_number_selects_nothing(odd: float) -> None:
    decoder = load("mux_extended.dbc").decoders["FloatSelector"]
    data = struct.pack("<fHH", odd, 1, 0)
    assert decoder.decode(data) == Undecodable(f"multiplexer Page is {odd}, which selects nothing")
    assert decoder.reader(["Zero", "One"])(data) == (None, None)


def test_a_reader_asks_every_multiplexer_above_a_signal() -> None:
    read = load("mux_extended.dbc").decoders["Nested"].reader(["Deeper", "Deep", "Plain"])
    assert read(bytes([1, 9, 5, 0xFE, 0xFF, 0, 0, 0])) == (-2, 5, None)
    assert read(bytes([2, 9, 5, 0xFE, 0xFF, 0, 0, 0])) == (None, None, 644.5)
    assert read(bytes([1, 8, 5, 0xFE, 0xFF, 0, 0, 0])) == (None, None, None)


def test_multiplexer_ranges_overlap() -> None:
    decoder = load("mux_extended.dbc").decoders["Ranges"]
    assert decoder.reader(["Low", "LowAndHigh", "Middle", "Wide"])(bytes([4, 1, 2, 0, 3, 0, 4, 0])) == (1, 2, None, 1.0)
    assert decoder.reader(["Low", "LowAndHigh", "Middle", "Wide"])(bytes([9, 1, 2, 0, 3, 0, 4, 0])) == (1, None, 3, 1.0)
    assert decoder.reader(["Low", "LowAndHigh", "Middle", "Wide"])(bytes([251, 1, 2, 0, 3, 0, 4, 0])) == (
        None,
        2,
        None,
        None,
    )


# ---------------------------------------------------------------- readers


def test_a_reader_gives_numbers_in_the_order_asked_and_never_labels() -> None:
    decoder = load("labels.dbc").decoders["Tables"]
    data = bytes([0b0001_0001, 0, 0xFF, 0xFF, 1, 0, 50, 0])
    assert decoder.reader(["Current", "Gear", "Current"])(data) == (5553.5, 1, 5553.5)
    assert decoder.raw_reader(["Current", "Level", "SignedMode"])(data) == (65535, 50, 0)


def test_a_reader_gives_none_for_what_is_not_there() -> None:
    decoder = load("mux.dbc").decoders["Simple"]
    read = decoder.reader(["Mode", "Speed", "Torque"])
    assert read(bytes.fromhex("00e803ff00000000")) == (0, 100.0, None)
    assert read(bytes.fromhex("01e803ff00000000")) == (1, None, 1000)
    assert read(bytes.fromhex("02e803ff00000000")) == (2, None, None)
    assert read(bytes(7)) == (None, None, None)


def test_a_reader_of_branches_that_share_bytes_reads_each_its_own_way() -> None:
    read = load("mux_extended.dbc").decoders["SideBySide"].reader(["Left", "LeftToo", "Right", "RightToo"])
    assert read(bytes([0, 0xFF, 0xFF, 0, 2, 7, 0, 0])) == (65535, None, None, 7)
    assert read(bytes([1, 0xFF, 0xFF, 0, 1, 10, 0, 0])) == (None, -1, 1.0, None)


def test_a_reader_of_an_unknown_signal_names_those_there_are() -> None:
    with pytest.raises(DbcError, match=r"mux\.dbc:5: message Simple has no signal 'Sped'; it has: Mode, .*Speed"):
        load("mux.dbc").decoders["Simple"].reader(["Sped"])


# ---------------------------------------------------------------- what a decoder says of itself


def test_a_decoder_knows_units_signals_and_senders() -> None:
    decoder = load("orders.dbc").decoders["Intel"]
    assert (decoder.name, decoder.can_id, decoder.length) == ("Intel", 0x100, 8)
    assert decoder.units["Word"] == "rpm"
    assert decoder.units["Byte"] == ""
    assert decoder.signals[:2] == ("Byte", "SignedByte")
    assert decoder.senders == ("ECU", "Tbox")
    assert (decoder.pgn, decoder.sa) == (None, None)
    assert load("orders.dbc").decoders["SevenBytes"].senders == ()


def test_long_names_replace_the_short_ones() -> None:
    decoder = load("labels.dbc").decoders["Message_with_a_name_cut_at_32_characters"]
    assert decoder.signals == ("Signal_with_a_name_cut_at_32_characters",)
    assert decoder.senders == ("Node_with_a_name_that_was_cut_at_32_characters",)


def test_value_tables_can_be_asked_for() -> None:
    database = load("labels.dbc")
    assert database.choices("Tables", "Door") == {0: "", 1: "open", 2: "error", 3: "not available"}
    assert database.choices("class", "data") == {}
    with pytest.raises(DbcError, match="no DBC file of this vehicle has a message 'Nothing'"):
        database.choices("Nothing", "Door")
    with pytest.raises(DbcError, match="message Tables has no signal 'Window'"):
        database.choices("Tables", "Window")


@pytest.mark.parametrize("path", sorted(VECTORS.glob("*.dbc")), ids=lambda path: path.name)
def test_nothing_from_a_file_becomes_a_name_in_the_source(path: Path) -> None:
    ours = re.compile(r"(little|big|table|unpack|labels|float|number|pick|refuse|refused|short|branch)_\d+")
    words = {"decode", "data", "values", "raw", "fault", "len", "int", "isfinite", "from_bytes"}
    for decoder in load(path.name).decoders.values():
        for node in ast.walk(ast.parse(decoder.source)):
            assert not isinstance(node, ast.Import | ast.ImportFrom)
            if isinstance(node, ast.Attribute):
                assert node.attr == "get"
            if isinstance(node, ast.Name):
                assert node.id in words or ours.fullmatch(node.id), node.id


# ---------------------------------------------------------------- finding a message


def test_an_11_bit_identifier_is_found_exactly() -> None:
    database = load("j1939.dbc")
    assert database.find(0x123) is database.decoders["Standard"]
    assert database.find(0x124) is None
    assert database.find(0x123 | EXTENDED) is database.decoders["TSC1"]


def test_j1939_identifiers_are_split_into_pgn_and_source() -> None:
    decoders = load("j1939.dbc").decoders
    assert (decoders["EEC1"].pgn, decoders["EEC1"].sa) == (0xF004, 0xFE)
    assert (decoders["TSC1"].pgn, decoders["TSC1"].sa) == (0x0000, 0x0B)
    assert decoders["DataPageOne"].pgn == 0x1FE00
    assert decoders["BothPages"].pgn == 0x3FE00


def found(can_id: int, *names: str, j1939: bool = True) -> str | None:
    decoder = load(*(names or ("j1939.dbc",)), j1939=j1939).find(can_id | EXTENDED)
    return decoder.name if decoder else None


def test_a_parameter_group_is_found_whatever_its_priority() -> None:
    assert found(0x0CF004FE) == "EEC1"
    assert found(0x18F004FE) == "EEC1"


def test_the_senders_own_message_comes_before_that_of_any_sender() -> None:
    assert found(0x18F00427) == "EEC1_Vcu"
    assert found(0x18F00455) == "EEC1"


def test_a_destination_is_no_part_of_the_group() -> None:
    assert found(0x0C00000B) == "TSC1"
    assert found(0x0C00030B) == "TSC1"
    assert found(0x0C000F4A) == "TSC1"


def test_the_data_pages_are_part_of_the_group() -> None:
    assert found(0x19FE00FE) == "DataPageOne"
    assert found(0x1BFE00FE) == "BothPages"
    assert found(0x18FE00FE) is None
    assert found(0x1AFE00FE) is None


def test_a_group_with_several_senders_is_not_guessed_for_another_one() -> None:
    assert found(0x18FF1027) == "VcuStatus"
    assert found(0x18FF1000) == "EngineStatus"
    assert found(0x18FF104A) is None


def test_eec1_is_never_read_as_eec2() -> None:
    assert found(0x0CF003FE) is None


def test_remote_and_error_frames_have_no_message() -> None:
    database = load("j1939.dbc")
    assert database.find(0x18F004FE | EXTENDED | REMOTE) is None
    assert database.find(0x18F004FE | EXTENDED | ERROR) is None
    assert database.find(0x123 | REMOTE) is None


def test_plain_29_bit_identifiers_are_found_exactly_or_not_at_all() -> None:
    assert found(0x0CF004FE, j1939=False) == "EEC1"
    assert found(0x18F004FE, j1939=False) is None
    assert load("j1939.dbc", j1939=False).decoders["EEC1"].pgn is None
    assert load("j1939.dbc", j1939=False).by_pgn(0xF004) is None


def test_a_group_can_be_asked_for_by_number() -> None:
    database = load("j1939.dbc")
    assert database.by_pgn(0xF004, 0x27) is database.decoders["EEC1_Vcu"]
    assert database.by_pgn(0xF004) is database.decoders["EEC1"]
    assert database.by_pgn(0xFEE5) is database.decoders["LongGroup"]
    assert database.by_pgn(0x1234) is None


def test_a_group_longer_than_a_frame_is_decoded_from_its_transfer() -> None:
    decoder = load("j1939.dbc").by_pgn(0xFEE5)
    assert decoder is not None
    assert decoder.decode(bytes(range(39))) == {"Start": 0, "End": 38}


# ---------------------------------------------------------------- several files


def test_several_files_are_one_database() -> None:
    database = load("j1939.dbc", "orders.dbc", "mux.dbc")
    assert {"EEC1", "Intel", "Simple"} <= set(database.decoders)
    assert database.decoders["Simple"].place == "mux.dbc:5"


def clash(first: str, second: str) -> str:
    with pytest.raises(DbcError) as caught:
        Database.load({"a.dbc": f'VERSION ""\n{first}: 8 X\n', "b.dbc": f'VERSION ""\n\n{second}: 8 X\n'})
    return str(caught.value)


def test_one_identifier_in_two_files_is_refused_and_both_are_named() -> None:
    expected = "b.dbc:3: message B takes the identifier 0x1, but message A has it already (a.dbc:2)"
    assert clash("BO_ 1 A", "BO_ 1 B") == expected


def test_one_name_in_two_files_is_refused() -> None:
    assert clash("BO_ 1 A", "BO_ 2 A") == "b.dbc:3: message A takes the name A, but message A has it already (a.dbc:2)"


def test_one_group_from_one_source_in_two_files_is_refused() -> None:
    first, second = (0x18FEE527 | EXTENDED, 0x0CFEE527 | EXTENDED)
    assert clash(f"BO_ {first} A", f"BO_ {second} B") == (
        "b.dbc:3: message B takes PGN 0xFEE5 from source address 0x27, but message A has it already (a.dbc:2)"
    )


def test_the_same_29_bit_identifiers_do_not_clash_where_they_are_no_groups() -> None:
    texts = {"a.dbc": f'VERSION ""\nBO_ {0x18FEE527 | EXTENDED} A: 8 X\nBO_ {0x0CFEE527 | EXTENDED} B: 8 X\n'}
    assert len(Database.load(texts, j1939=False).decoders) == 2


def test_an_11_bit_and_a_29_bit_identifier_of_one_number_do_not_clash() -> None:
    texts = {"a.dbc": f'VERSION ""\nBO_ 1 A: 8 X\nBO_ {1 | EXTENDED} B: 8 X\n'}
    assert Database.load(texts).find(1) is not Database.load(texts).find(1 | EXTENDED)


def test_a_signal_alone_in_a_message_is_read_from_any_bit() -> None:
    for start in range(64):
        decoder = one(f"Bit : {start}|1@1+ (1,0)")
        assert decoder.decode((1 << start).to_bytes(8, "little")) == {"Bit": 1}
        assert decoder.reader(["Bit"])((~(1 << start) & 2**64 - 1).to_bytes(8, "little")) == (0,)
