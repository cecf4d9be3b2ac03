"""One conversation in the relay: which pieces go on, which are cut, and what is answered in their place."""

from __future__ import annotations

import pytest

from busgate.decode import gb32960 as decode_gb
from busgate.decode import jt808 as decode_808
from busgate.gateway import Gateway
from busgate.gateway.answers import refusal
from busgate.gateway.inline import Inline, Piece, Turn
from busgate.judge.policy import load_policy
from busgate.model import Action, Alert, Direction, Endpoint, Flow, Mode, Pdu, Reason
from support.antenna import control, gb32960, jt808, variant_e7
from support.gate import demo_ebus

FLOW = Flow("tcp", Endpoint("100.64.0.2", 40_001), Endpoint("203.0.113.10", 6808))
AUTHENTICATED = jt808(0x0102, b"token")
ACK, CUT, RESET = jt808(0x8001, bytes(5)), jt808(0x8105, b"\x64"), jt808(0x8105, b"\x04")
POLICY = """
policy: p
version: 1
allow:
  - {id: resets, cloud: {protocol: jt808, asks: 'terminal control: reset', endpoints: platform}}
  - {id: texts, cloud: {protocol: jt808, codes: 0x8300}}
  - {id: settings, hold: true, cloud: {protocol: jt808, codes: 0x8103}}
network:
  endpoints: [{id: platform, addresses: 203.0.113.10, ports: 6808, speaks: jt808}]
"""
DOWN, UP = Direction.DOWN, Direction.UP


class Relayed:
    """One conversation in the relay, spoken to in turns."""

    def __init__(
        self, policy: str = POLICY, mode: Mode = Mode.ENFORCE, flow: Flow = FLOW, *, answers: bool = False
    ) -> None:
        vehicle = demo_ebus()
        gateway = Gateway(vehicle.profile, vehicle.database, mode=mode)
        gateway.adopt(load_policy(policy), 0, signed=False)
        gateway.set_mode(mode, 0, by="test", reason="test")
        gateway.air.in_line = True
        self.inline = Inline(gateway.air, flow, answers=answers)
        self.inline.opened(0, None)
        self.pieces: list[Piece] = []
        self.alerts: list[Alert] = []
        self.end = False

    def says(self, direction: Direction, *chunks: bytes) -> Relayed:
        for chunk in chunks:
            self._take(self.inline.chunk(direction, chunk, 1_000_000_000, None))
        return self

    def waits(self) -> Relayed:
        self._take(self.inline.undecided(1_500_000_000, None))
        return self

    def ends(self) -> Relayed:
        for direction in (UP, DOWN):
            self._take(self.inline.ended(direction, 2_000_000_000, None))
        return self

    def _take(self, turn: Turn) -> None:
        self.pieces += turn.pieces
        self.alerts += [event for event in turn.events if isinstance(event, Alert)]
        self.end |= turn.end

    def passed(self, direction: Direction) -> bytes:
        ways = [each for each in self.pieces if each.direction is direction]
        return b"".join(each.raw for each in ways if each.verdict.action is Action.PASS)


def started(**how: object) -> Relayed:
    return Relayed(**how).says(UP, AUTHENTICATED)  # type: ignore[arg-type]


def test_a_refused_message_is_cut_out_and_its_neighbours_pass() -> None:
    relayed = started().says(DOWN, ACK + CUT + RESET)
    assert relayed.passed(DOWN) == ACK + RESET
    assert [alert.action for alert in relayed.alerts] == ["block", "pass"]
    assert not relayed.end


def test_a_message_that_nobody_may_send_is_cut_however_it_is_chunked() -> None:
    stream = ACK + CUT + RESET
    for size in (1, 2, 7):
        chunks = [stream[at : at + size] for at in range(0, len(stream), size)]
        assert started().says(DOWN, *chunks).passed(DOWN) == ACK + RESET


@pytest.mark.parametrize("mode", [Mode.MONITOR, Mode.OBSERVE])
def test_a_gate_that_only_watches_cuts_and_holds_nothing_and_says_so(mode: Mode) -> None:
    held = jt808(0x8103, bytes.fromhex("010000000104000000ff"))
    relayed = started(mode=mode).says(DOWN, ACK + CUT + held)
    assert relayed.passed(DOWN) == ACK + CUT + held
    assert [(alert.reason, alert.action) for alert in relayed.alerts] == [
        (Reason.NOT_ALLOWLISTED, "would_block"),
        (Reason.HELD, "would_block"),
    ]


def test_what_waits_for_the_operator_is_neither_passed_nor_answered() -> None:
    relayed = started(answers=True).says(DOWN, jt808(0x8103, bytes.fromhex("010000000104000000ff")))
    (piece,) = [each for each in relayed.pieces if each.direction is DOWN]
    assert (piece.verdict.reason, piece.verdict.rule, piece.answer) == (Reason.HELD, "settings", b"")


def test_what_the_tbox_says_is_never_cut() -> None:
    relayed = Relayed().says(UP, AUTHENTICATED, CUT, b"\x7e garbage \x00", b"\xff" * 50).ends()
    assert relayed.passed(UP) == AUTHENTICATED + CUT + b"\x7e garbage \x00" + b"\xff" * 50


def test_bytes_that_are_no_message_are_doubt_on_the_way_down() -> None:
    relayed = started().says(DOWN, b"\x00\x01\x02" + ACK)
    assert relayed.passed(DOWN) == ACK
    assert [alert.reason for alert in relayed.alerts] == [Reason.MALFORMED]


def test_an_unlisted_end_or_another_language_ends_the_conversation() -> None:
    other = Flow("tcp", FLOW.tbox, Endpoint("192.0.2.9", 6808))
    assert Relayed(flow=other).says(UP, AUTHENTICATED).end
    assert Relayed().says(UP, b"SSH-2.0-x\r\n").end
    assert not Relayed(mode=Mode.MONITOR).says(UP, b"SSH-2.0-x\r\n").end


def test_a_split_text_command_never_reaches_its_end() -> None:
    """A rule lets 0x8300 pass; its last part is judged with the whole, which no rule can excuse if it is refused."""
    only_texts = POLICY.replace("codes: 0x8300", "codes: 0x8300, asks: ['part of text message', 'text for the driver']")
    parts = [jt808(0x8300, body, serial=at, part=at, parts=2) for at, body in ((1, b"\x01DY"), (2, b"D#"))]
    relayed = started(policy=only_texts).says(DOWN, *parts)
    assert relayed.passed(DOWN) == parts[0]
    assert [alert.name for alert in relayed.alerts] == ["part of text message", "text command: cut drive"]
    prose = [jt808(0x8300, body, serial=at, part=at, parts=2) for at, body in ((1, b"\x01Hello "), (2, b"driver"))]
    assert started(policy=only_texts).says(DOWN, *prose).passed(DOWN) == b"".join(prose)


def test_too_much_ends_the_conversation() -> None:
    little = POLICY.replace("speaks: jt808}", "speaks: jt808, down: {bytes: 100 B, per: 1 h}}")
    relayed = started(policy=little).says(DOWN, ACK)
    assert not relayed.end
    assert relayed.says(DOWN, *[ACK] * 10).end


# ---------------------------------------------------------------- answers in the T-box's place


def test_a_cut_message_is_answered_with_the_standards_refusal() -> None:
    relayed = started(answers=True).says(DOWN, CUT)
    (piece,) = [each for each in relayed.pieces if each.direction is DOWN]
    said = decode_808.read(piece.answer)
    assert said is not None
    assert (said.code, said.flaws) == (0x0001, ())
    assert said.fields["response_id"] == 0x8105
    assert (said.fields["result"], said.fields["response_serial"]) == (3, 1)
    assert started().says(DOWN, CUT).pieces[-1].answer == b""


@pytest.mark.parametrize("edition", [2013, 2019])
def test_the_refusal_has_the_form_of_what_it_refuses(edition: int) -> None:
    raw = jt808(0x8105, b"\x64", edition=edition, serial=0x7E7D)
    pdu = decode_808.read(raw)
    assert pdu is not None
    said = decode_808.read(refusal(pdu, raw))
    assert said is not None
    assert said.flaws == ()
    assert (said.fields["phone"], said.fields["response_serial"]) == (pdu.fields["phone"], 0x7E7D)
    assert said.fields.get("protocol_version") == pdu.fields.get("protocol_version")


def test_the_refusal_of_32960_is_the_command_sent_back_with_an_error() -> None:
    raw = control(0x90, b"\x91")
    pdu = decode_gb.read(raw)
    assert pdu is not None
    said = decode_gb.read(refusal(pdu, raw))
    assert said is not None
    assert (said.fields["command"], said.fields["response"], said.fields["bcc_ok"]) == ("0x82", "0x02", True)
    assert (said.fields["vin"], said.flaws) == (pdu.fields["vin"], ())
    assert said.fields["time"] == pdu.fields["time"]


@pytest.mark.parametrize(
    ("protocol", "raw"),
    [
        ("jt808", b""),
        ("jt808", b"\x7e\x7e"),
        ("jt808", b"\x7e" + bytes(8) + b"\x7e"),
        ("jt808", CUT[:-1]),
        ("gb32960", b"##"),
        ("gb32960", b"xx" + bytes(40)),
        ("mqtt", b"\x30\x00"),
        ("http", b"GET / HTTP/1.1\r\n\r\n"),
    ],
)
def test_there_is_no_refusal_where_the_standard_has_none_or_nothing_was_read(protocol: str, raw: bytes) -> None:
    assert refusal(Pdu(protocol, "", None, DOWN), raw) == b""


def test_a_taxi_is_read_as_one_where_the_policy_says_so() -> None:
    taxis = POLICY.replace("speaks: jt808}", "speaks: jt905}")
    relayed = started(policy=taxis)
    assert relayed.inline.conversation.speaks == "jt905"
    assert not relayed.end


def test_a_login_is_no_command_of_anybody() -> None:
    plain = POLICY.replace("speaks: jt808}", "speaks: gb32960}")
    relayed = Relayed(plain).says(UP, gb32960(0x01, bytes(30))).says(DOWN, gb32960(0x01, bytes(6), response=1))
    assert relayed.alerts == []


# ---------------------------------------------------------------- HTTP

WEB = POLICY.replace("speaks: jt808}", "speaks: http}")
ASK = b"GET /state HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def asked(policy: str = WEB, **how: object) -> Relayed:
    return Relayed(policy, **how).says(UP, ASK)  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", [Mode.ENFORCE, Mode.MONITOR, Mode.LOCAL])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_body_in_chunks_passes_with_what_frames_it(size: int, mode: Mode) -> None:
    stream = CHUNKED + b"5;a=b\r\nhello\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n\r\n" + CHUNKED + b"0\r\n\r\n"
    relayed = asked(mode=mode).says(UP, ASK).says(DOWN, *[stream[at : at + size] for at in range(0, len(stream), size)])
    assert relayed.passed(DOWN) == stream
    assert (relayed.alerts, relayed.end) == ([], False)


@pytest.mark.parametrize(
    "stream",
    [
        CHUNKED + b"5\r\nhello\r\n0\r\n\r\nno head",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x05hello",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n\0\0\0\4\0\0\0\0\0",
    ],
)
def test_what_is_no_http_any_more_ends_its_conversation_and_is_told(stream: bytes) -> None:
    relayed = asked().says(DOWN, stream)
    assert relayed.end
    assert [(alert.reason, alert.action) for alert in relayed.alerts] == [(Reason.MALFORMED, "block")]
    watched = asked(mode=Mode.MONITOR).says(DOWN, stream)
    assert (watched.passed(DOWN), watched.end) == (stream, False)


ANY = POLICY.replace("speaks: jt808", "speaks: any")
NO_NETWORK = POLICY[: POLICY.index("network:")].replace(", endpoints: platform", "")


@pytest.mark.parametrize("policy", [ANY, NO_NETWORK])
def test_a_conversation_that_nobody_recognised_gives_commands_no_way(policy: str) -> None:
    relayed = Relayed(policy).says(DOWN, b"\5\0\0").waits()
    assert relayed.passed(DOWN) == b"\5\0\0"
    relayed.says(UP, AUTHENTICATED).says(DOWN, CUT + RESET)
    assert relayed.passed(DOWN) == b"\5\0\0" + RESET
    assert not relayed.end


@pytest.mark.parametrize("size", [1, 9])
def test_a_command_whose_beginning_was_given_up_takes_its_conversation_along(size: int) -> None:
    relayed = Relayed(ANY).says(DOWN, CUT[:size]).waits().says(DOWN, CUT[size:-1], CUT[-1:])
    assert relayed.passed(DOWN) == CUT[:-1]
    assert relayed.end
    assert [alert.rule for alert in relayed.alerts] == ["cloud.command"]


def test_a_rule_is_not_about_a_message_that_the_tbox_may_read_otherwise() -> None:
    body = b"\x64".rjust(9, b"\1") + b"\0\0\0\1"
    newest = jt808(0x8105, b"\x04", edition=2019)
    hidden = jt808(0x8300, b"\x01" + variant_e7(0x8105, b"\x64"))
    other = jt808(0x8105, b"\x04", serial=5).replace(bytes.fromhex("0138"), bytes.fromhex("0139"))
    other = other[:-2] + bytes([other[-2] ^ 1]) + other[-1:]
    surplus = jt808(0x8001, bytes(5) + body)
    for frame in (newest, hidden, other, surplus):
        relayed = started().says(DOWN, frame + ACK)
        assert relayed.passed(DOWN) == ACK
        assert {alert.action for alert in relayed.alerts} == {"block"}
        assert "cloud.unknown" in {alert.rule for alert in relayed.alerts}
        watched = started(mode=Mode.MONITOR).says(DOWN, frame)
        assert "cloud.unknown" in {alert.rule for alert in watched.alerts}


def test_a_tbox_of_2019_is_spoken_to_as_one() -> None:
    relayed = Relayed().says(UP, jt808(0x0102, b"token", edition=2019))
    reset = jt808(0x8105, b"\x04", edition=2019)
    assert relayed.says(DOWN, reset).passed(DOWN) == reset
