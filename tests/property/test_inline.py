"""The laws of the T-box's other side: nothing raises, nothing is lost or reordered, memory is bounded."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from busgate.decode.conversation import Conversation
from busgate.detect.cloud import CloudDetector
from busgate.detect.rules import RULES
from busgate.detect.words import commanded
from busgate.gateway import Gateway
from busgate.gateway.answers import refusal
from busgate.gateway.inline import Inline
from busgate.judge.policy import load_policy
from busgate.model import (
    Act,
    Action,
    CloudMessage,
    Direction,
    Endpoint,
    Flow,
    Mode,
    Packet,
    Pdu,
    Side,
    Sms,
)
from support.antenna import RAW_IP, control, gb32960, jt808
from support.detected import PROFILE
from support.gate import demo_ebus
from support.streams import cut

FLOW = Flow("tcp", Endpoint("100.64.0.2", 40_001), Endpoint("203.0.113.10", 6808))
POLICY = """
policy: p
version: 1
allow: [{id: resets, cloud: {protocol: jt808, asks: 'terminal control: reset'}}]
network:
  endpoints: [{id: platform, addresses: 203.0.113.10, ports: 6808, speaks: any}]
"""
HTTP = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
MESSAGES = st.sampled_from(
    [jt808(0x8001, bytes(5)), jt808(0x8105, b"\x64"), jt808(0x8105, b"\x04"), jt808(0x0102, b"x"), b"\x7e", b"##",
     control(0x90, b"\x91"), gb32960(0x01, bytes(30)), HTTP, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
     b"\x16\x03\x01\x00\x05",
     b"SSH-2.0-x\r\n", b"\x30\x06\x00\x01ahey", b"root@tbox:~# ", jt808(0x8300, b"\x01DY", part=1, parts=2)]
)  # fmt: skip
STREAM = st.lists(MESSAGES | st.binary(max_size=40), max_size=8).map(b"".join)
TURNS = st.lists(st.tuples(st.sampled_from([Direction.UP, Direction.DOWN]), STREAM), max_size=8)
PLACES = st.lists(st.integers(0, 2000), max_size=6)


def gateway(mode: Mode) -> Gateway:
    vehicle = demo_ebus()
    made = Gateway(vehicle.profile, vehicle.database, mode=mode)
    made.adopt(load_policy(POLICY), 0, signed=False)
    made.set_mode(mode, 0, by="test", reason="test")
    made.air.in_line = True
    return made


@given(TURNS, PLACES, st.sampled_from([Mode.ENFORCE, Mode.MONITOR, Mode.LOCAL]), st.booleans())
@settings(max_examples=150, deadline=None)
def test_the_pieces_of_a_direction_are_its_bytes_in_order(
    turns: list[tuple[Direction, bytes]], places: list[int], mode: Mode, answers: bool
) -> None:
    inline = Inline(gateway(mode).air, FLOW, answers=answers)
    inline.opened(0, None)
    fed = {Direction.UP: b"", Direction.DOWN: b""}
    came = {Direction.UP: b"", Direction.DOWN: b""}
    at = 0
    for direction, stream in turns:
        for chunk in cut(stream, places):
            at += 1_000_000
            fed[direction] += chunk
            for piece in inline.chunk(direction, chunk, at, None).pieces:
                came[piece.direction] += piece.raw
                assert piece.direction is Direction.DOWN or piece.verdict.action is Action.PASS
                assert mode is not Mode.MONITOR or piece.verdict.action is Action.PASS
    for direction in fed:
        for piece in inline.ended(direction, at, None).pieces:
            came[piece.direction] += piece.raw
    assert came == fed


@given(TURNS, PLACES)
@settings(max_examples=150, deadline=None)
def test_a_conversation_gives_back_what_it_was_fed_and_holds_little(
    turns: list[tuple[Direction, bytes]], places: list[int]
) -> None:
    conversation = Conversation()
    fed = {Direction.UP: b"", Direction.DOWN: b""}
    came = {Direction.UP: b"", Direction.DOWN: b""}
    for direction, stream in turns:
        for chunk in cut(stream, places):
            fed[direction] += chunk
            for way, span in conversation.feed(direction, chunk):
                came[way] += span.raw
            for way, bytes_in in fed.items():
                assert conversation.held(way) == len(bytes_in) - len(came[way])
    for direction in fed:
        for way, span in conversation.close(direction):
            came[way] += span.raw
    assert came == fed
    assert conversation.speaks or not any(fed.values())


VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(
    ["command_word", "parameters", "id", "name", "value", "readings", "controls", "control_id", "meaning", "doors",
     "text", "control_flag", "control_item", "control_command", "flag", "command", "body_hex", "extra", "part",
     "parts", "encrypted", "parameter", "data_hex", "remote_upgrade", "unparsed", "topic", "payload", "payload_size",
     "status", "received", "url", "content_length", "content_type", "user_data", "kind", "data", "silent", "writes",
     "transparent_type", "named_parameters"]
)  # fmt: skip
FIELDS = st.dictionaries(NAMES, VALUE | st.lists(st.dictionaries(NAMES, VALUE, max_size=4), max_size=3), max_size=8)
PDUS = st.builds(
    Pdu,
    protocol=st.sampled_from(["jt808", "jt905", "gb32960", "mqtt", "http", "doip", "sms", "tls", "dns", "quic"]),
    name=st.text(max_size=12),
    code=st.none()
    | st.integers(0, 0xFFFF)
    | st.sampled_from([0x8103, 0x8105, 0x8300, 0x8500, 0x8900, 0xA006, 0x82, 3]),
    direction=st.just(Direction.DOWN),
    fields=FIELDS,
)


@given(PDUS, st.sampled_from(["tcp", "udp", "sms"]))
@settings(max_examples=600, deadline=None)
def test_every_downlink_message_gives_a_command_with_a_rule(pdu: Pdu, transport: str) -> None:
    message = CloudMessage(0, Direction.DOWN, FLOW._replace(transport=transport), pdu, b"")
    commands = CloudDetector(PROFILE).commands(message)
    assert commands
    for command in commands:
        assert command.rule in RULES
        assert command.rule not in {"cloud.unknown", "cloud.command"} or command.act not in {Act.SEND, Act.READ}
    assert commands == CloudDetector(PROFILE).commands(message)


@given(st.text(max_size=300) | st.text("DYDSTOPRELAY#,;*<>{}0123 断油电", max_size=60))
@settings(max_examples=600, deadline=None)
def test_any_text_is_read(text: str) -> None:
    found = commanded(text)
    assert found is None or found.rule in RULES


@given(st.sampled_from(["jt808", "jt905", "gb32960"]), st.binary(max_size=60) | MESSAGES)
def test_a_refusal_never_raises(protocol: str, raw: bytes) -> None:
    assert isinstance(refusal(Pdu(protocol, "", None, Direction.DOWN), raw), bytes)


UNITS = st.lists(
    st.binary(max_size=80).map(lambda data: Packet(0, Side.TBOX, RAW_IP, data))
    | st.builds(Sms, st.just(0), st.just(Side.TBOX), st.text(max_size=15), st.binary(max_size=60), st.text(max_size=40),
                st.binary(max_size=40), st.booleans())
    | MESSAGES.map(lambda data: Sms(0, Side.TBOX, "+31", b"", "", data, False)),
    max_size=12,
)  # fmt: skip


@given(UNITS)
@settings(max_examples=200, deadline=None)
def test_whatever_is_captured_the_gate_answers_and_answers_alike(units: list[Packet | Sms]) -> None:
    def once() -> list[object]:
        made = gateway(Mode.MONITOR)
        outcomes: list[object] = [made.receive(unit._replace(at=at * 1000)) for at, unit in enumerate(units)]
        return [*outcomes, made.finish(10**9)]

    assert once() == once()


@given(TURNS)
@settings(max_examples=60, deadline=None)
def test_a_policy_only_allows(turns: list[tuple[Direction, bytes]]) -> None:
    """With fewer rules no message passes that did not pass with more."""
    fewer = POLICY.replace(
        "allow: [{id: resets, cloud: {protocol: jt808, asks: 'terminal control: reset'}}]", "allow: []"
    )
    passed: list[bytes] = []
    for text in (POLICY, fewer):
        vehicle = demo_ebus()
        made = Gateway(vehicle.profile, vehicle.database, mode=Mode.ENFORCE)
        made.adopt(load_policy(text), 0, signed=False)
        made.set_mode(Mode.ENFORCE, 0, by="test", reason="test")
        inline = Inline(made.air, FLOW, answers=False)
        inline.opened(0, None)
        pieces = [piece for way, data in turns for piece in inline.chunk(way, data, 1, None).pieces]
        passed.append(b"".join(p.raw if p.verdict.action is Action.PASS else b"\0" * len(p.raw) for p in pieces))
    assert len(passed[0]) == len(passed[1])
    assert all(few in {more, 0} for more, few in zip(*passed, strict=True))
