"""Frames out of streams: shared and stray delimiters, noise, mid-stream pick-up; and out of short messages."""

import pytest

from busgate.decode.jt808_frame import checksum, parse_content
from busgate.decode.jt808_stream import MOST_FRAME, MOST_HELD, Framer, Terminal
from busgate.decode.jt808_text import in_bytes, in_text
from busgate.model import Span
from busgate_sim.cloud import jt808 as sim

PHONE = "013800138000"
CUT = sim.encode(sim.Message(0x8105, PHONE, 1, b"\x64", sim.Edition.Y2013))
BEAT = sim.encode(sim.Message(0x0002, PHONE, 2, b"", sim.Edition.Y2013))
_E7 = bytes.fromhex("81050001012345678901230007" + "64")
E7 = b"\xe7" + _E7 + bytes([checksum(_E7)]) + b"\xe7"
"""Terminal control 0x64 in the form with e7 and seven octets of number."""


def names(spans: list[Span]) -> list[str]:
    return [span.pdu.name if span.pdu else span.reason for span in spans]


def feed(data: bytes) -> list[Span]:
    framer = Framer()
    spans = framer.feed(data)
    spans += framer.close()
    assert b"".join(span.raw for span in spans) == data
    return spans


def test_each_frame_is_one_span() -> None:
    spans = feed(CUT + BEAT + CUT)
    assert [span.raw for span in spans] == [CUT, BEAT, CUT]
    assert names(spans) == ["terminal control", "terminal heartbeat", "terminal control"]


def test_noise_before_a_frame_is_a_span_of_its_own() -> None:
    assert names(feed(b"\x00\x01\x02" + CUT)) == ["outside a frame", "terminal control"]


def test_a_stream_picked_up_within_a_frame_finds_the_next() -> None:
    assert names(feed(CUT[5:] + BEAT)) == ["outside a frame", "a delimiter alone", "terminal heartbeat"]


def test_one_delimiter_may_end_a_frame_and_begin_the_next() -> None:
    spans = feed(CUT + BEAT[1:] + CUT[1:])
    assert names(spans) == ["terminal control", "terminal heartbeat", "terminal control"]
    assert [len(span.pdu.flaws) for span in spans if span.pdu] == [0, 1, 1]


def test_a_shared_delimiter_does_not_hide_a_command_with_a_wrong_checksum() -> None:
    wrong = CUT[:-2] + bytes([CUT[-2] ^ 1]) + CUT[-1:]
    spans = feed(BEAT + wrong[1:])
    assert names(spans) == ["terminal heartbeat", "terminal control"]


def test_a_frame_that_lost_its_end_gives_the_next_one_free() -> None:
    spans = feed(BEAT + CUT[:6] + BEAT + CUT)
    assert names(spans)[-1] == "terminal control"
    assert "terminal heartbeat" in names(spans)[1:]


def test_noise_without_end_is_let_go_in_pieces() -> None:
    framer = Framer()
    spans = framer.feed(b"\x00" * (2 * MOST_FRAME + 5))
    assert [len(span.raw) for span in spans] == [MOST_FRAME, MOST_FRAME]
    assert framer.held == 5


def test_a_frame_without_end_is_let_go() -> None:
    framer = Framer()
    spans = framer.feed(b"\x7e" + b"\x00" * (2 * MOST_FRAME))
    assert spans[0] == Span(b"\x7e", None, "no delimiter ends this frame")
    assert framer.held <= MOST_HELD


def test_an_e7_stream_is_read_as_one() -> None:
    spans = feed(E7 + E7)
    assert names(spans) == ["terminal control"] * 2
    assert all(span.pdu is not None and not span.pdu.flaws for span in spans)


def test_an_e7_in_noise_does_not_swallow_frames() -> None:
    assert names(feed(b"\xe7\x01\x02" + CUT + b"\xe7" + CUT))[-1] == "terminal control"
    assert names(feed(b"\xe7\x01\xe7" + CUT)).count("terminal control") == 1


def test_an_e7_in_noise_delays_no_frame() -> None:
    framer = Framer()
    assert names(framer.feed(b"\xe7\x81\x05\x00\x01" + CUT))[-1] == "terminal control"


def test_an_e7_without_end_is_given_up_when_its_length_is_past() -> None:
    framer = Framer()
    assert framer.feed(b"\xe7\x81\x05\x00\x01" + bytes(40)) == []
    assert names(framer.feed(bytes(20)))[0] == "outside a frame"


def test_frames_of_either_kind_do_not_blind_to_the_other() -> None:
    assert names(feed(CUT + E7 + CUT)) == ["terminal control"] * 3
    assert names(feed(E7 + CUT + E7)) == ["terminal control"] * 3


def test_a_shared_delimiter_with_an_e7_in_the_frame() -> None:
    opaque = sim.encode(sim.Message(0x8900, PHONE, 3, b"\xf0\xe7\xe7", sim.Edition.Y2013))
    spans = feed(CUT + opaque[1:] + CUT)
    assert [span.pdu.code for span in spans if span.pdu] == [0x8105, 0x8900, 0x8105]


def test_a_stream_that_ends_within_a_frame_says_so() -> None:
    framer = Framer()
    assert framer.feed(CUT[:-1]) == []
    assert framer.close() == [Span(CUT[:-1], None, "the stream ended within a frame")]
    assert framer.held == 0


def test_octet_by_octet_is_the_same_as_at_once() -> None:
    data = b"\x01\x7e" + CUT + b"\x7e\x7e\x33" + BEAT[1:] + E7 + b"\xe7"
    framer = Framer()
    spans = [span for octet in data for span in framer.feed(bytes([octet]))] + framer.close()
    assert spans == feed(data)


@pytest.mark.parametrize(
    "text",
    [
        CUT.hex(),
        CUT.hex().upper(),
        "cmd: " + CUT.hex(" ") + " ok",
        "5" + CUT.hex() + "5",
        BEAT.hex() + "\r\n" + CUT.hex(":"),
        CUT.decode("latin-1"),
    ],
)
def test_frames_are_found_in_a_text(text: str) -> None:
    assert in_text(text)[-1] == CUT


@pytest.mark.parametrize("text", ["", "hello", "7e7e7e", "7e00", "12345678", "€ 7e", "7e 81 05 00 7f 7f 7f"])
def test_other_texts_hold_none(text: str) -> None:
    assert in_text(text) == []


def test_a_whole_payload_between_delimiters_is_a_frame_with_flaws_or_not() -> None:
    wrong = CUT[:-2] + bytes([CUT[-2] ^ 1]) + CUT[-1:]
    assert in_bytes(wrong) == [wrong]
    assert in_bytes(b"\x00" + wrong) == [wrong]
    assert in_bytes(b"\x00\x7e\x12\x34" + wrong[3:]) == []
    assert in_bytes(b"\x00" + CUT + b"\x7e" + E7) == [CUT, E7]


def doubts(spans: list[Span]) -> list[object]:
    return [span.pdu.fields.get("doubt") for span in spans if span.pdu is not None]


def text(body: bytes, serial: int = 3) -> bytes:
    return sim.encode(sim.Message(0x8300, PHONE, serial, b"\x01" + body, sim.Edition.Y2013))


def e7(code: int, body: bytes) -> bytes:
    plain = code.to_bytes(2) + len(body).to_bytes(2) + bytes.fromhex("01380013800000") + b"\0\1" + body
    return b"\xe7" + plain + bytes([checksum(plain)]) + b"\xe7"


_SIX = bytes.fromhex("81050001" + PHONE + "0007" + "64")


@pytest.mark.parametrize("inner", [E7, b"\xe7" + _SIX + bytes([checksum(_SIX)]) + b"\xe7"])
def test_a_frame_that_holds_a_right_one_of_the_other_kind_is_doubtful(inner: bytes) -> None:
    assert doubts(feed(text(b"hello" + inner) + CUT)) == ["another frame ends within this one", None]


def test_the_frame_within_may_begin_in_an_earlier_one() -> None:
    second = text(b"<\xe7", 4)
    size = 15 + 2 + second.index(b"<")
    head = b"\x81\x05" + size.to_bytes(2) + bytes.fromhex("012345678901230001") + b"\x64" + bytes(14)
    first = text(b"\xe7" + head)
    within = first[first.index(0xE7) + 1 :] + second[: second.index(b"<")]
    spans = feed(first + text(bytes([checksum(within)]) + b"\xe7", 4))
    beyond = parse_content(within + bytes([checksum(within)]), 0xE7)
    assert beyond is not None
    assert beyond.flaws == ()
    assert doubts(spans) == [None, "another frame ends within this one"]


def test_octets_e7_of_a_text_are_no_frame_within() -> None:
    assert doubts(
        feed(
            text(
                "\u7eff\u8f66\u7ee7\u7eed\u524d\u884c".encode("gbk")
                + b"\xe7"
                + bytes(20)
                + b"\xe7"
                + E7[1:-2]
                + b"\0\xe7"
            )
        )
    ) == [None]


def test_an_e7_frame_that_holds_a_broken_7e_one_is_doubtful() -> None:
    wrong = CUT[:-2] + bytes([CUT[-2] ^ 1]) + CUT[-1:]
    assert doubts(feed(e7(0x8300, b"\x01" + wrong))) == ["another frame ends within this one"]
    assert doubts(feed(e7(0x8300, b"\x01~ about ~"))) == [None]


def spoken(up: bytes, down: bytes) -> list[object]:
    terminal = Terminal()
    Framer(terminal=terminal, up=True).feed(up)
    return doubts(Framer(terminal=terminal).feed(down))


def test_what_the_tbox_may_read_otherwise_is_doubtful() -> None:
    newest = sim.encode(sim.Message(0x8105, PHONE, 1, b"\x04", sim.Edition.Y2019))
    beat = sim.encode(sim.Message(0x0002, PHONE, 1, b"", sim.Edition.Y2019))
    assert spoken(BEAT, CUT) == spoken(beat, newest) == spoken(b"", CUT) == [None]
    other = "the header has another form than the T-box's own"
    assert spoken(BEAT, newest) == spoken(beat, CUT) == spoken(BEAT, E7) == [other]
    assert spoken(b"", newest) == spoken(CUT, newest) == ["the T-box has not said yet that it reads headers of 2019"]
    stranger = sim.encode(sim.Message(0x8105, "013800138001", 1, b"\x04", sim.Edition.Y2013))
    assert spoken(BEAT, stranger) == ["the T-box's number is 013800138000"]
    assert spoken(BEAT[:-2] + b"\0\x7e", stranger) == [None]
