from __future__ import annotations

import pytest

from busgate.decode.air_lines import AirDecoder, AirProtocol, Options
from busgate.model import BusgateError, Direction
from support.antenna import control, jt808, jt905

CUT = jt808(0x8105, b"\x64")


def rows(protocol: AirProtocol, *lines: str, **options: object) -> list[dict[str, object]]:
    decoder = AirDecoder(protocol, Options(**options))  # type: ignore[arg-type]
    return [row for line in lines for row in decoder.decode(line)] + decoder.finish()


@pytest.mark.parametrize("written", ["{0}", "0x{0}", "  {0}  ", "{1}", "{2}"])
def test_a_line_is_bytes_in_any_usual_writing(written: str) -> None:
    line = written.format(CUT.hex(), CUT.hex(" "), CUT.hex(":").upper())
    (row,) = rows(AirProtocol.JT808, line)
    assert (row["protocol"], row["code"], row["command_word"], row["raw"]) == ("jt808", "0x8105", 0x64, CUT.hex())


def test_several_units_of_a_line_give_an_object_each_in_order() -> None:
    line = (CUT + jt808(0x8001, bytes(5)) + b"\x00\x01").hex()
    found = rows(AirProtocol.JT808, line)
    assert [row.get("code") for row in found] == ["0x8105", "0x8001", None]
    assert (found[-1]["data"], found[-1]["line"]) == ("0001", 1)


def test_blank_lines_and_comments_give_none_and_are_counted() -> None:
    (row,) = rows(AirProtocol.JT808, "", "# a comment", "hello")
    assert row == {"malformed": "a line has to be bytes in hexadecimal", "line": 3}


@pytest.mark.parametrize("line", ["7", "7e0", "0x", "zz", "7e;00"])
def test_what_is_no_hexadecimal_says_so(line: str) -> None:
    (row,) = rows(AirProtocol.GB32960, line)
    assert row["malformed"] == "a line has to be bytes in hexadecimal"


def test_parts_give_the_whole_as_well() -> None:
    parts = [jt808(0x8300, body, serial=at, part=at, parts=2).hex() for at, body in ((1, b"\x01DY"), (2, b"D#"))]
    first, second, whole = rows(AirProtocol.JT808, *parts)
    assert (first["part"], second["part"], whole["text"], whole["reassembled"]) == (1, 2, "DYD#", True)
    assert "raw" not in whole


def test_other_protocols() -> None:
    (taxi,) = rows(AirProtocol.JT905, jt905(0x8500, b"\x00\x01").hex())
    assert taxi["meaning"] == "cut oil"
    (packet,) = rows(AirProtocol.GB32960, control(0x90, b"\x91").hex())
    assert (packet["control_id"], packet["parameter"]) == ("0x90", "91")
    (head,) = rows(AirProtocol.HTTP, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".hex())
    assert head["url"] == "http://a/"
    (answer,) = rows(AirProtocol.HTTP, b"HTTP/1.1 204 No\r\n\r\n".hex())
    assert answer["status"] == 204


def test_lines_of_a_stream_may_be_cut_anywhere() -> None:
    pieces = [CUT[at : at + 1].hex() for at in range(len(CUT))]
    (row,) = rows(AirProtocol.JT808, *pieces, joined=True)
    assert row["code"] == "0x8105"
    (rest,) = rows(AirProtocol.JT808, CUT[:5].hex(), joined=True)
    assert rest["malformed"] == "the stream ended within a frame"


def test_a_direction_may_be_given() -> None:
    (row,) = rows(AirProtocol.MQTT, "c000", direction=Direction.UP)
    assert row["direction"] == "up"


def test_datagrams_are_no_stream() -> None:
    with pytest.raises(BusgateError, match="Next: leave --stream out"):
        AirDecoder(AirProtocol.NTP, Options(joined=True))


@pytest.mark.parametrize("protocol", AirProtocol)
@pytest.mark.parametrize("line", ["00", "7e7e", "2323", "ffffffffffffffffffff", "16030100", "30ff", "7e" * 40])
def test_every_line_gives_at_least_one_object(protocol: AirProtocol, line: str) -> None:
    assert rows(protocol, line)
