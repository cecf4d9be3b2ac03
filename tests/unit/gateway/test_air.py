"""Conversations of the T-box and what is said in them, judged and told: captures through the whole gate."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest

from busgate.detect.network import MOST_NEW, NEW_NS
from busgate.gateway.air import MOST_NAMES, MOST_TALKS
from busgate.model import (
    Act,
    Causation,
    Direction,
    Endpoint,
    Flow,
    Mode,
    Packet,
    Reason,
    Severity,
    Side,
    Subsystem,
    UpdateSession,
)
from support.antenna import CLOUD, Antenna, control, jt808, jt905
from support.gate import frame as can_frame

AUTHENTICATED = jt808(0x0102, b"token")
POSITION = jt808(0x0200, bytes.fromhex("00000000000000030204f5b8004af0e0000000000000261125120000"))
NETWORK = """
network:
  endpoints:
    - {id: platform, addresses: 203.0.113.10, ports: 6808, speaks: jt808}
    - {id: named, hosts: p.example, ports: 6808, speaks: jt808}
    - {id: taxis, addresses: 203.0.113.30, ports: 6808, speaks: jt905}
    - {id: beacon, addresses: 203.0.113.10, ports: 7000, transport: udp, speaks: jt808}
  resolvers: [9.9.9.9]
"""
HEAD = "policy: p\nversion: 1\n"
NOTHING = HEAD + "allow: []\n" + NETWORK
RESETS = HEAD + "allow:\n  - {id: resets, cloud: {protocol: jt808, asks: 'terminal control: reset'}}\n" + NETWORK


def rules(antenna: Antenna) -> list[str]:
    return [alert.rule for alert in antenna.alerts]


# ---------------------------------------------------------------- who


def test_a_party_that_is_not_listed_is_told_once_and_its_service_is_no_second_story() -> None:
    antenna = Antenna(NOTHING, remote="192.0.2.9").connect().up(AUTHENTICATED).down(jt808(0x8001, bytes(5)))
    assert rules(antenna) == ["net.endpoint"]
    assert antenna.alerts[0].cloud["address"] == "192.0.2.9"


def test_somebody_never_seen_before_is_told_low_where_no_policy_lists_anybody() -> None:
    antenna = Antenna(HEAD + "allow: []\n", remote="192.0.2.9").connect().connect()
    antenna.elsewhere("192.0.2.10", 443).connect().elsewhere("192.0.2.10", 8443).connect()
    antenna.gateway.air.network_of = {"198.51.100.7": "AS64500 Example"}.get  # type: ignore[assignment]
    antenna.elsewhere("198.51.100.7", 443).connect()
    assert [(alert.rule, alert.severity, alert.detail) for alert in antenna.first] == [
        ("net.new-network", Severity.LOW, "tcp/6808 in 192.0.2.0/24"),
        ("net.new-endpoint", Severity.LOW, "tcp/443"),
        ("net.new-endpoint", Severity.LOW, "tcp/8443"),
        ("net.new-network", Severity.LOW, "tcp/443 in AS64500 Example"),
    ]


def test_an_endpoint_that_the_policy_lists_is_information_once_and_one_that_it_refuses_no_second_story() -> None:
    antenna = Antenna(NOTHING).connect().connect()
    assert [alert.severity for alert in antenna.first] == [Severity.INFO]
    assert Antenna(NOTHING, remote="192.0.2.9").connect().first == []


def test_a_scan_gives_some_alerts_an_hour_whatever_its_size() -> None:
    antenna = Antenna(HEAD + "allow: []\n")
    for each in range(600):
        antenna.elsewhere(f"198.51.{each >> 8}.{each & 255}", 443).connect()
    assert len(antenna.first) == MOST_NEW
    antenna.at += NEW_NS
    antenna.elsewhere("192.0.2.1", 443).connect()
    assert antenna.first[-1].detail == f"tcp/443 in 192.0.2.0/24; {600 - MOST_NEW} further ones were not told"


def test_a_command_of_a_party_that_is_not_listed_passes_by_no_rule() -> None:
    listed = Antenna(RESETS).connect().up(AUTHENTICATED).down(jt808(0x8105, b"\x04"))
    (alert,) = listed.of("cloud.")
    assert (alert.reason, alert.allow_rule, alert.severity) == (Reason.ALLOWED, "resets", Severity.INFO)
    other = Antenna(RESETS, remote="192.0.2.9").connect().up(AUTHENTICATED).down(jt808(0x8105, b"\x04"))
    (alert,) = other.of("cloud.")
    assert (alert.reason, alert.action) == (Reason.ENDPOINT_NOT_LISTED, "would_block")


def test_a_listed_endpoints_service_needs_no_rule_and_its_commands_do() -> None:
    antenna = Antenna(NOTHING).connect().up(AUTHENTICATED).down(jt808(0x8001, bytes(5)), jt808(0x8201))
    assert antenna.alerts == []
    antenna.down(jt808(0x8105, b"\x04"))
    (alert,) = antenna.alerts
    assert (alert.reason, alert.action) == (Reason.NOT_ALLOWLISTED, "would_block")


def test_a_short_message_passes_by_no_rule_about_conversations() -> None:
    by_text = Antenna(RESETS).sms(data=jt808(0x8105, b"\x04"))
    (alert,) = by_text.alerts
    assert (alert.rule, alert.reason) == ("sms.command", Reason.NOT_ALLOWLISTED)
    may = RESETS.replace("protocol: jt808", "protocol: sms")
    (alert,) = Antenna(may).sms(data=jt808(0x8105, b"\x04")).alerts
    assert (alert.reason, alert.allow_rule) == (Reason.ALLOWED, "resets")
    assert alert.severity >= Severity.MEDIUM  # a short message is never excused


def test_a_question_by_short_message_is_told_since_anybody_can_send_one() -> None:
    (alert,) = Antenna(NOTHING).sms("WHERE#").alerts
    assert (alert.rule, alert.act, alert.reason) == ("sms.command", Act.READ, Reason.NOT_ALLOWLISTED)


def test_a_name_learned_of_a_listed_name_server_lets_its_address_in() -> None:
    antenna = Antenna(NOTHING, remote="192.0.2.77")
    antenna.udp(query("p.example"), up=True, remote="9.9.9.9", port=53)
    antenna.udp(answer("p.example", "192.0.2.77"), remote="9.9.9.9", port=53)
    antenna.connect().up(AUTHENTICATED)
    assert rules(antenna) == []
    assert antenna.functions[-1].host == "p.example"


def test_a_name_server_that_is_not_listed_gives_nobody_a_name() -> None:
    antenna = Antenna(NOTHING, remote="192.0.2.77")
    antenna.udp(query("p.example"), up=True, remote="192.0.2.53", port=53)
    antenna.udp(answer("p.example", "192.0.2.77"), remote="192.0.2.53", port=53)
    antenna.connect()
    assert rules(antenna) == ["net.endpoint", "net.endpoint"]  # the name server, and whom it named


def test_an_endpoint_that_may_speak_anything_is_no_name_server() -> None:
    anything = "    - {id: any, addresses: 198.51.100.9, ports: any, transport: udp, speaks: any}\n  resolvers"
    antenna = Antenna(NOTHING.replace("  resolvers", anything), remote="192.0.2.77")
    antenna.udp(query("p.example"), up=True, remote="198.51.100.9", port=53)
    antenna.udp(answer("p.example", "192.0.2.77"), remote="198.51.100.9", port=53).connect()
    assert rules(antenna) == ["net.endpoint"]


def test_an_answer_names_only_what_was_asked_for() -> None:
    antenna = Antenna(NOTHING, remote="192.0.2.77")
    antenna.udp(query("other.example"), up=True, remote="9.9.9.9", port=53)
    stray = answer("p.example", "192.0.2.77", asked="other.example")
    antenna.udp(stray, remote="9.9.9.9", port=53).connect()
    assert rules(antenna) == ["net.endpoint"]


def test_an_answer_that_the_tbox_made_itself_gives_no_name_and_is_told() -> None:
    antenna = Antenna(NOTHING, mode=Mode.ENFORCE, remote="192.0.2.77").in_line()
    named: list[tuple[str, str]] = []
    antenna.gateway.air.on_name = lambda host, address: named.append((host, address))
    antenna.udp(query("p.example"), up=True, remote="9.9.9.9", port=53)
    antenna.lies = True
    antenna.udp(answer("p.example", "192.0.2.66"), remote="9.9.9.9", port=53)
    (alert,) = antenna.alerts
    assert (alert.rule, alert.action, alert.cloud["address"]) == ("net.evasion", "block", "9.9.9.9")
    assert named == []
    antenna.lies = False
    antenna.udp(answer("p.example", "192.0.2.77"), remote="9.9.9.9", port=53)
    assert named == [("p.example", "192.0.2.77")]


@pytest.mark.parametrize(
    ("asked", "how"),
    [
        (None, {}),
        ("q.example", {}),
        ("p.example", {"own": 41_000}),
        ("p.example", {"remote": "149.112.112.112"}),
        ("p.example", {"number": 8}),
        ("p.example", {"late": 11}),
    ],
)
def test_an_answer_that_nobody_asked_for_gives_no_name(asked: str | None, how: dict[str, Any]) -> None:
    antenna = Antenna(NOTHING.replace("[9.9.9.9]", "[9.9.9.9, 149.112.112.112]"), remote="192.0.2.77")
    if asked is not None:
        antenna.udp(query(asked), up=True, remote="9.9.9.9", port=53)
    antenna.wait(how.pop("late", 0))
    stray = how.pop("number", 7).to_bytes(2) + answer("p.example", "192.0.2.77")[2:]
    antenna.udp(stray, **{"remote": "9.9.9.9", "port": 53, **how}).connect()
    assert rules(antenna)[-1:] == ["net.endpoint"]
    assert antenna.gateway.traffic(antenna.at).network["answers that nobody asked for"] == 1


def test_an_answer_is_believed_once() -> None:
    antenna = Antenna(NOTHING, remote="192.0.2.66")
    antenna.udp(query("p.example"), up=True, remote="9.9.9.9", port=53)
    for address in ("192.0.2.77", "192.0.2.66"):
        antenna.udp(answer("p.example", address), remote="9.9.9.9", port=53)
    assert rules(antenna.connect()) == ["net.endpoint"]


def test_what_the_gate_itself_says_to_everybody_is_no_word_of_the_tbox() -> None:
    antenna = Antenna(NOTHING).in_line()
    antenna.gateway.tbox_addresses = ("100.64.0.0/24",)
    unit = struct.pack(">HHHH", 5353, 5353, 8, 0)
    head = struct.pack(">BBHHHBBH", 0x45, 0, 28, 0, 0, 64, 17, 0) + bytes([100, 64, 0, 1, 224, 0, 0, 251])
    antenna.gateway.receive(Packet(antenna.at, Side.TBOX, 101, head + unit, outgoing=True))
    assert antenna.gateway.traffic(antenna.at).network.get("conversations", 0) == 0


def test_aliases_count_as_the_name_that_was_asked_for() -> None:
    antenna = Antenna(NOTHING, remote="192.0.2.77")
    aliased = answer("cdn.example", "192.0.2.77", asked="p.example", alias=True)
    antenna.udp(query("p.example"), up=True, remote="9.9.9.9", port=53).udp(aliased, remote="9.9.9.9", port=53)
    assert rules(antenna.connect()) == []


def test_a_name_that_moves_to_another_network_is_told() -> None:
    antenna = Antenna(NOTHING)
    for address in ("192.0.2.77", "198.51.100.1"):
        antenna.udp(query("p.example"), up=True, remote="9.9.9.9", port=53)
        antenna.udp(answer("p.example", address), remote="9.9.9.9", port=53)
    (alert,) = antenna.alerts
    assert (alert.rule, alert.cloud) == ("net.name-change", {"host": "p.example", "address": "198.51.100.1"})


def test_what_is_spoken_is_judged_as_soon_as_it_is_known() -> None:
    antenna = Antenna(NOTHING).connect().up(b"SSH-2.0-OpenSSH_9.6\r\n").down(b"SSH-2.0-dropbear\r\n")
    assert set(rules(antenna)) == {"net.shell", "net.protocol"}


def test_a_datagram_in_a_language_that_nobody_recognises_is_not_the_agreed_one() -> None:
    antenna = Antenna(NOTHING, port=7000).udp(b"\x09", up=True).udp(b"\x00\x01\x02\x03")
    assert rules(antenna) == ["net.protocol"]


def test_a_datagram_that_is_no_unit_of_what_is_spoken_is_malformed() -> None:
    antenna = Antenna(NOTHING, port=7000).udp(POSITION, up=True).udp(b"\x00\x01\x02\x03")
    (alert,) = antenna.alerts
    assert (alert.rule, alert.reason) == ("transport.malformed", Reason.MALFORMED)


def test_a_connection_from_outside_is_told_and_no_rule_lets_anything_of_it_pass() -> None:
    antenna = Antenna(RESETS)
    antenna.connect_from_outside(port=6808)
    antenna.down(jt808(0x8105, b"\x04"))
    assert "net.inbound" in rules(antenna)
    (alert,) = antenna.of("cloud.")
    assert alert.reason is Reason.INBOUND
    assert {each.endpoint for each in antenna.functions} == {CLOUD}


def test_taxis_are_read_as_such_where_the_policy_says_so() -> None:
    antenna = Antenna(NOTHING, remote="203.0.113.30").connect().up(jt905(0x0002))
    antenna.down(jt905(0x8500, b"\x00\x01"), jt905(0x8105, b"\x02"))
    assert [(alert.name, alert.subsystem) for alert in antenna.of("cloud.")] == [
        ("vehicle control: oil", Subsystem.DRIVE),
        ("terminal control: power off", Subsystem.TELEMATICS),
    ]
    assert not antenna.of("net.")


# ---------------------------------------------------------------- what is told


def test_what_the_tbox_says_is_counted_and_its_bytes_are_nowhere() -> None:
    antenna = Antenna(NOTHING).connect().up(AUTHENTICATED, POSITION).down(jt808(0x8001, bytes(5))).finish()
    told = json.dumps([str(event) for event in antenna.events])
    assert POSITION[13:30].hex() not in told
    assert "bytes" not in told.replace("'bytes': 0", "").replace('"bytes"', "").split("network")[0]
    assert {(each.direction, each.name) for each in antenna.functions} >= {
        ("up", "location report")
    } or antenna.functions


@pytest.mark.parametrize(
    "frame",
    [
        jt808(0x8300, b"\x01Driver Jansen, please call Mrs de Vries back"),
        jt808(0x8401, bytes.fromhex("0101030b") + b"31201234567" + b"\x03Ann"),
    ],
)
def test_names_and_numbers_of_people_are_not_kept(frame: bytes) -> None:
    antenna = Antenna().connect().up(AUTHENTICATED).down(frame).finish()
    for alert in antenna.alerts:
        assert "bytes" not in alert.cloud
    assert "Jansen" not in str(antenna.events)
    assert "31201234567" not in str(antenna.events)


def test_the_bytes_of_a_command_are_its_evidence() -> None:
    sent = jt808(0x8105, b"\x64")
    (alert,) = Antenna().connect().up(AUTHENTICATED).down(sent).of("cloud.")
    assert alert.cloud["bytes"] == sent.hex()
    assert (alert.cloud["code"], alert.cloud["transport"], alert.cloud["port"]) == ("0x8105", "tcp", 6808)


def test_what_is_wrong_with_a_message_is_told_beside_it() -> None:
    (alert,) = Antenna().connect().up(AUTHENTICATED).down(jt808(0x8105, b"\x64", spoiled=0x11)).of("cloud.")
    assert "checksum is" in alert.detail


def test_bytes_of_the_tbox_that_were_sent_twice_are_not_told() -> None:
    antenna = Antenna().connect().up(POSITION)
    antenna._up -= len(POSITION)
    antenna.up(POSITION[:10] + b"\xff" * (len(POSITION) - 10))
    (alert,) = antenna.of("net.evasion")
    assert POSITION[10:16].hex() not in str(alert)
    downwards = Antenna().connect().up(AUTHENTICATED).down(jt808(0x8105, b"\x04"))
    downwards._down -= 4
    (alert,) = downwards.down(b"abcd").of("net.evasion")
    assert b"abcd".hex() in alert.detail


def test_no_hold_covers_for_what_is_refused_in_the_same_message() -> None:
    held = (
        HEAD + "allow:\n  - {id: h, hold: true, cloud: {protocol: jt808, asks: 'set parameter: server or network'}}\n"
    )
    both = bytes.fromhex("02000000130431302e300000f0110200a0")
    antenna = Antenna(held + NETWORK).connect().up(AUTHENTICATED).down(jt808(0x8103, both))
    reasons = {alert.name: alert.reason for alert in antenna.of("cloud.")}
    assert reasons["set parameter: server or network"] is Reason.HELD
    assert reasons["set parameter 0xF011 of the vendor"] is Reason.NOT_ALLOWLISTED
    flow = Flow("tcp", Endpoint("100.64.0.2", 40_001), Endpoint(CLOUD, 6808))
    assert antenna.gateway.air.talk(flow) is not None


def test_in_local_mode_every_command_is_overridden() -> None:
    antenna = Antenna(RESETS, mode=Mode.LOCAL).connect().up(AUTHENTICATED).down(jt808(0x8105, b"\x04"))
    (alert,) = antenna.of("cloud.")
    assert alert.reason is Reason.LOCAL_OVERRIDE


# ---------------------------------------------------------------- what follows


def test_a_frame_that_follows_an_order_is_linked_to_it_once() -> None:
    antenna = Antenna().connect().up(AUTHENTICATED).down(jt808(0x8105, b"\x64"))
    links: list[Causation] = []
    for _ in range(3):
        antenna.at += 200_000_000
        events = antenna.gateway.receive(can_frame("18EF274A#FFFFFF", side=antenna.side, at=antenna.at)).events
        links += [event for event in events if isinstance(event, Causation)]
    (link,) = links
    assert (link.way, link.lag, link.cloud["name"]) == ("message", 200_000_000, "terminal control: cut drive")
    assert 0.2 <= link.confidence <= 0.99


def test_an_order_a_download_and_an_approval_are_one_update() -> None:
    antenna = Antenna().connect().up(AUTHENTICATED).down(jt808(0x8105, b"\x01http://u.example/a.bin"))
    web = antenna.elsewhere("203.0.113.20", 80).connect().up(b"GET /a.bin HTTP/1.1\r\nHost: u.example\r\n\r\n")
    web.down(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd").finish()
    begun, ended = (event for event in antenna.events if isinstance(event, UpdateSession))
    assert begun.ordered_by == "jt808 terminal control: wireless upgrade"
    assert (ended.url, ended.bytes, ended.approval) == ("http://u.example/a.bin", 4, "none")
    assert len(ended.sha256) == 64


def test_an_answer_in_chunks_that_is_overheard_is_no_malformed_one() -> None:
    web = Antenna().elsewhere("203.0.113.20", 80).connect().up(b"GET /state HTTP/1.1\r\nHost: u.example\r\n\r\n")
    web.down(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n\r\n").finish()
    assert "transport.malformed" not in rules(web)


def test_a_package_in_many_messages_is_one_update() -> None:
    head = bytes.fromhex("00 3132333435 01 31 00000004")
    parts = [jt808(0x8108, head + b"ab", serial=7, part=1, parts=2), jt808(0x8108, b"cd", serial=8, part=2, parts=2)]
    antenna = Antenna().connect().up(AUTHENTICATED).down(*parts).finish()
    begun, ended = (event for event in antenna.events if isinstance(event, UpdateSession))
    assert (begun.stage, ended.stage, ended.bytes) == ("start", "end", len(parts[0]) + len(parts[1]))


def test_memory_is_bounded_whatever_is_opened_and_named() -> None:
    air = Antenna().gateway.air
    for each in range(MOST_TALKS + 50):
        far = Endpoint(f"198.51.{each // 250}.{each % 250}", 1)
        air.opened(Flow("tcp", Endpoint("10.0.0.2", each), far), each, None)
    for each in range(MOST_NAMES + 50):
        air.named("p.example", f"2001:db8::{each:x}", each)
    assert len(air._talks) == MOST_TALKS
    assert len(air._names) == MOST_NAMES


def test_a_connection_in_the_relay_outlives_whatever_is_asked_beside_it() -> None:
    antenna = Antenna().in_line()
    flow = Flow("tcp", Endpoint("100.64.0.2", 40_001), Endpoint(CLOUD, 6808))
    antenna.gateway.air.opened(flow, antenna.at, None)
    for each in range(MOST_TALKS + 50):
        antenna.udp(query("p.example"), up=True, remote="9.9.9.9", port=53, own=10_000 + each)
        asked = Flow("udp", Endpoint("100.64.0.2", 10_000 + each), Endpoint("9.9.9.8", 53))
        antenna.gateway.air.opened(asked, antenna.at, None)
    assert antenna.gateway.air.talk(flow) is not None
    assert len(antenna.gateway.air._talks) == MOST_TALKS


def test_a_conversation_over_udp_ends_when_nothing_is_said_any_more() -> None:
    antenna = Antenna()
    for own in (1001, 1002):
        antenna.udp(POSITION, up=True, own=own)
    flows = [Flow("udp", Endpoint("100.64.0.2", own), Endpoint(CLOUD, 6808)) for own in (1001, 1002)]
    antenna.wait(200).udp(POSITION, up=True, own=1001).wait(200)
    assert [antenna.gateway.air.talk(flow) is not None for flow in flows] == [True, False]
    antenna.wait(200)
    assert antenna.gateway.air._talks == {}


def test_what_happens_is_the_same_each_time() -> None:
    def once() -> str:
        antenna = Antenna(NOTHING).connect().up(AUTHENTICATED).down(jt808(0x8105, b"\x64"), control(0x90, b"\x91"))
        return str(antenna.sms("DYD#").udp(POSITION, up=True).finish().events)

    assert once() == once()


def test_directions_of_a_function_are_told_apart() -> None:
    antenna = Antenna().connect().up(AUTHENTICATED).down(jt808(0x8001, bytes(5)))
    assert [each.direction for each in antenna.functions] == [Direction.UP.value, Direction.DOWN.value]


# ---------------------------------------------------------------- DNS, by hand (RFC 1035, 4.1)


def _name(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def query(name: str) -> bytes:
    return struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + _name(name) + struct.pack(">HH", 1, 1)


def answer(name: str, address: str, *, asked: str = "", alias: bool = False) -> bytes:
    asked = asked or name
    records = [_name(name) + struct.pack(">HHIH", 1, 1, 60, 4) + bytes(map(int, address.split(".")))]
    if alias:
        records.insert(0, _name(asked) + struct.pack(">HHIH", 5, 1, 60, len(_name(name))) + _name(name))
    head = struct.pack(">6H", 7, 0x8180, 1, len(records), 0, 0)
    return head + _name(asked) + struct.pack(">HH", 1, 1) + b"".join(records)
