"""What a DBC file with errors is told: one line, with file and line."""

import logging
import warnings
from pathlib import Path

import pytest

from busgate.decode.dbc import Database, DbcError

VECTORS = Path(__file__).parents[2] / "vectors" / "dbc"
HEAD = 'VERSION ""\n\nBU_: ECU\n\nBO_ 1 A: 8 ECU\n'  # five lines
MUX = ' SG_ M M : 0|8@1+ (1,0) [0|0] "" ECU\n'


def signal(name: str, place: str, factor: str = "1") -> str:
    return f' SG_ {name} : {place} ({factor},0) [0|0] "" ECU\n'


def refused(text: str) -> str:
    with pytest.raises(DbcError) as caught:
        Database.load({"bus.dbc": text})
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("path", sorted(VECTORS.glob("*.dbc")), ids=lambda path: path.name)
def test_a_good_file_loads_without_a_warning(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Database.load({"bus.dbc": HEAD})  # imports the parser, whose own imports may warn
    with warnings.catch_warnings(), caplog.at_level(logging.DEBUG):
        warnings.simplefilter("error")
        assert Database.load({path.name: path.read_text(encoding="utf-8")}).decoders
    assert not caplog.records


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "bus.dbc:1: DBC text ends too soon"),
        ("<html>\n", "bus.dbc:1: this is not DBC: '<html>'"),
        (HEAD + "§\n", "bus.dbc:6: this is not DBC: '§'"),
        (HEAD + signal("a", "0|8@1"), "bus.dbc:6: this is not DBC: 'SG_ a : 0|8@1 (1,0) [0|0] \"\" ECU'"),
        (HEAD + 'CM_ "never closed;\n', "bus.dbc:6: this is not DBC: 'CM_ \"never closed;'"),
    ],
    ids=["empty", "another format", "a stray sign", "a sign left out", "a quote left open"],
)
def test_text_that_is_not_dbc_is_shown_where_it_stops_being_so(text: str, expected: str) -> None:
    assert refused(text) == expected


def test_overlapping_signals_are_refused_by_name() -> None:
    text = HEAD + signal("a", "0|8@1+") + signal("b", "4|8@1+")
    assert refused(text) == "bus.dbc:6: The signals b and a are overlapping in message A."


@pytest.mark.parametrize("place", ["60|8@1+", "63|9@0+", "64|1@1+"])
def test_a_signal_past_the_end_is_refused(place: str) -> None:
    text = HEAD + signal("a", "0|8@1+") + signal("late", place)
    assert refused(text) == "bus.dbc:7: The signal late does not fit in message A."


@pytest.mark.parametrize("place", ["-4|8@1+", "-1|8@0+"])
def test_a_signal_before_the_start_is_refused(place: str) -> None:
    assert refused(HEAD + signal("a", place)) == "bus.dbc:5: message A: signal a starts before the first bit"


def test_a_signal_of_no_bits_is_refused() -> None:
    assert refused(HEAD + signal("a", "0|0@1+")).startswith("bus.dbc:6: The signal a length 0")


def test_a_float_of_an_odd_width_is_refused() -> None:
    text = HEAD + signal("a", "0|24@1-") + "SIG_VALTYPE_ 1 a : 1;\n"
    assert refused(text) == "bus.dbc:5: message A: signal a is a float of 24 bits; a float has 16, 32 or 64"


def test_values_that_no_number_can_hold_are_refused() -> None:
    text = HEAD.replace(": 8", ": 200") + signal("a", "0|1500@1+", "0.5")
    assert refused(text) == "bus.dbc:5: message A: signal a has values beyond what a number can hold"


@pytest.mark.parametrize(("number", "bits"), [(4096, 11), (0xFFFF_FFFF, 29)])
def test_an_identifier_beyond_its_width_is_refused(number: int, bits: int) -> None:
    fault = refused(HEAD.replace("BO_ 1", f"BO_ {number}"))
    assert fault.startswith("bus.dbc:5: ")
    assert f"is more than {bits} bits in message A" in fault


def test_a_negative_length_is_refused() -> None:
    assert refused(HEAD.replace(": 8", ": -8")) == "bus.dbc:5: message A: its length is -8 bytes"


def test_a_signal_defined_twice_is_refused() -> None:
    child = ' SG_ x m{} : 8|8@1+ (1,0) [0|0] "" ECU\n'
    text = HEAD + MUX + child.format(0) + child.format(1)
    assert refused(text) == "bus.dbc:5: message A: signal x is defined twice"


def test_a_signal_multiplexed_by_no_multiplexer_is_refused() -> None:
    text = HEAD + signal("M", "0|8@1+") + ' SG_ x m0 : 8|8@1+ (1,0) [0|0] "" ECU\n' + "SG_MUL_VAL_ 1 x M 0-0;\n"
    expected = "bus.dbc:5: message A: signal x is multiplexed by M, which is no multiplexer of this message"
    assert refused(text) == expected


def test_multiplexers_that_select_each_other_are_refused() -> None:
    muxes = MUX.replace("M M", "M m0M") + MUX.replace("M M : 0", "N m0M : 8")
    text = HEAD + muxes + "SG_MUL_VAL_ 1 M N 0-0;\nSG_MUL_VAL_ 1 N M 0-0;\n"
    assert refused(text).startswith("bus.dbc:5: message A: signal M lies under itself")


def test_a_multiplexer_mark_that_is_none_is_refused() -> None:
    text = HEAD + MUX + ' SG_ x q0 : 8|8@1+ (1,0) [0|0] "" ECU\n'
    assert refused(text) == "bus.dbc: multiplexed signals must specify a m<ID> as their multiplexer marker"


@pytest.mark.parametrize("entry", ['VAL_ 1 gone 0 "zero" ;', "SIG_VALTYPE_ 1 gone : 1;"])
def test_an_entry_for_a_signal_that_is_not_there_is_refused(entry: str) -> None:
    kind = entry.split(maxsplit=1)[0]
    assert refused(HEAD + "\n" + entry + "\n") == f"bus.dbc:7: {kind} 1 gone names a signal that no message has"


def test_an_attribute_without_a_definition_is_refused() -> None:
    assert refused(HEAD + 'BA_ "Nowhere" BO_ 1 3;\n') == "bus.dbc:6: 'Nowhere' is used but not defined"


def test_a_number_that_is_none_is_refused() -> None:
    fault = refused(HEAD.replace(": 8", ": 08"))
    assert fault.startswith("bus.dbc: a number or name in this file is not what DBC has there: ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD.replace(": 8", ": 99999999999"), "bus.dbc:5: a message has at most 4095 bytes"),
        (HEAD + signal("a", "0|99999999999@1+"), "bus.dbc:6: the signal lies beyond any message"),
        (HEAD + signal("a", "9" * 30 + "|8@1+"), "bus.dbc:6: the signal lies beyond any message"),
        (
            HEAD + MUX + "SG_MUL_VAL_ 1 x M 0-4294967295;\n",
            "bus.dbc:7: the range 0-4294967295 has more than 65536 multiplexer numbers",
        ),
    ],
    ids=["length", "width", "start", "range"],
)
def test_numbers_that_would_fill_the_memory_are_refused_before_they_do(text: str, expected: str) -> None:
    assert refused(text) == expected


def test_the_file_at_fault_is_named() -> None:
    with pytest.raises(DbcError, match=r"^second\.dbc:1: this is not DBC"):
        Database.load({"first.dbc": HEAD, "second.dbc": "nonsense"})
