"""The relay's judge: what of a conversation goes on, what is cut out of it, what waits and for whom."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from busgate.bridge.hold import Held as OnDisk
from busgate.bridge.hold import Spool
from busgate.bridge.hold_marks import Decision, Mark
from busgate.bridge.inspector import Admission, End, Release
from busgate.bridge.port import BridgeError
from busgate.detect.causality import Trigger
from busgate.gateway import Gateway
from busgate.judge.policy import load_policy
from busgate.model import Act, Alert, Direction, Endpoint, Event, Flow, Held, Mode, UpdateSession
from busgate.service.inspection import LOOKS_EVERY_NS, PARTS_NS, PATIENCE_NS, Inspection
from busgate_sim.cloud.jt808 import Edition, Message, decode, encode
from support.gate import demo_ebus

UP, DOWN = Direction.UP, Direction.DOWN
S = 1_000_000_000
PLATFORM, UPDATES, TUNNEL = 6808, 8080, 9000
MOST = 20_000
POLICY = """\
policy: p
version: {version}
mode: enforce
allow:
  - {{id: reset, cloud: {{protocol: jt808, codes: 0x8105, fields: {{command_word: {{is: 4}}}}}}}}
  - {{id: upgrade, cloud: {{protocol: jt808, codes: 0x8108}}, hold: true}}
  - {{id: software, cloud: {{protocol: http, asks: download of software}}}}
network:
  endpoints:
    - {{id: platform, addresses: 203.0.113.10, ports: {port}, speaks: jt808}}
    - {{id: updates, addresses: 203.0.113.10, ports: 8080, speaks: http}}
    - {{id: tunnel, addresses: 203.0.113.10, ports: 9000, speaks: any, down: {{bytes: 1 kB, per: 1 h}}}}
  hold: {{downloads: 2 kB}}
  answer: {answer}
"""


def down(number: int, body: bytes = b"", serial: int = 1) -> bytes:
    return encode(Message(number, "013800138000", serial, body, Edition.Y2013))


HEARTBEAT, ACK = down(0x0002), down(0x8001, b"\x00\x09\x00\x02\x00")
CUT, RESET = down(0x8105, b"\x64", 7), down(0x8105, b"\x04")
PACKAGE = down(0x8108, b"\x00MAKER\x031.2" + (64).to_bytes(4) + bytes(64), 9)


class Desk:
    """One inspection, spoken to in turns; its clock is ours."""

    def __init__(
        self, folder: Path | None, *, mode: Mode = Mode.ENFORCE, answer: str = "refuse", policy: str = POLICY
    ) -> None:
        vehicle = demo_ebus()
        self.gateway = Gateway(vehicle.profile, vehicle.database, mode=mode)
        self.gateway.adopt(load_policy(policy.format(version=1, port=PLATFORM, answer=answer)), 0, signed=False)
        self.gateway.set_mode(mode, 0, by="test", reason="test")
        self.gateway.air.in_line = True
        self.spool = None if folder is None else Spool(folder, folder, most_bytes=MOST, spare_bytes=0)
        self.events: list[Event] = []
        self.now = S
        self.inspection = Inspection(self.gateway, self._tell, spool=self.spool)

    def _tell(self, events: Iterable[Event], _now: int) -> None:
        self.events += events

    def opens(self, port: int = PLATFORM, address: str = "203.0.113.10") -> Talk:
        flow = Flow("tcp", Endpoint("192.168.8.2", 40_000), Endpoint(address, port))
        return Talk(self, flow, self.inspection.opened(flow, self.now))

    def due(self, after: int = LOOKS_EVERY_NS) -> list[tuple[Direction, Release]]:
        self.now += after
        return [(way, release) for _, way, release in self.inspection.due(self.now)]

    def held(self) -> OnDisk:
        assert self.spool is not None
        (one,) = self.spool.everything()
        return one

    def decide(self, decision: Decision) -> None:
        assert self.spool is not None
        self.spool.mark(self.held().name, Mark(decision, "A. Bakker", "a test", 5))

    @property
    def updates(self) -> list[UpdateSession]:
        return [event for event in self.events if isinstance(event, UpdateSession)]

    @property
    def stages(self) -> list[tuple[str, str]]:
        return [(event.stage, event.by) for event in self.events if isinstance(event, Held)]


class Talk:
    """One conversation."""

    def __init__(self, desk: Desk, flow: Flow, admission: Admission) -> None:
        self.desk, self.flow, self.admission = desk, flow, admission

    def says(self, way: Direction, data: bytes) -> Release:
        self.desk.now += 1_000_000
        return self.desk.inspection.chunk(self.flow, way, data, self.desk.now)

    def began(self) -> Talk:
        assert self.says(UP, HEARTBEAT).forward == HEARTBEAT
        return self


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_command_is_cut_out_its_neighbours_pass_and_the_cloud_is_refused(desk: Desk) -> None:
    release = desk.opens().began().says(DOWN, ACK + CUT + RESET)
    assert release.forward == ACK + RESET
    answer = decode(release.back)
    assert isinstance(answer, Message)
    assert (answer.number, answer.body, answer.flaws) == (0x0001, b"\x00\x07\x81\x05\x03", ())
    assert not release.close


def test_where_the_policy_wants_silence_nothing_is_said_to_the_cloud(tmp_path: Path) -> None:
    release = Desk(tmp_path, answer="silence").opens().began().says(DOWN, CUT + ACK)
    assert (release.forward, release.back) == (ACK, b"")


def test_a_command_that_comes_in_pieces_never_goes_on_in_part(desk: Desk) -> None:
    talk = desk.opens().began()
    passed = b"".join(talk.says(DOWN, bytes([byte])).forward for byte in ACK + CUT + ACK)
    assert passed == ACK + ACK


def test_whoever_is_not_listed_is_not_reached_and_is_forgotten(desk: Desk) -> None:
    talk = desk.opens(address="203.0.113.99")
    assert talk.admission is Admission.REFUSE
    assert [event.rule for event in desk.events if isinstance(event, Alert)] == ["net.endpoint"]
    assert desk.inspection.next_deadline() is None


def test_monitoring_lets_everything_pass_and_says_what_it_would_stop(tmp_path: Path) -> None:
    desk = Desk(tmp_path, mode=Mode.MONITOR)
    assert desk.opens(address="203.0.113.99").admission is Admission.PASS
    release = desk.opens().began().says(DOWN, CUT + ACK)
    assert (release.forward, release.back) == (CUT + ACK, b"")
    alerts = [event for event in desk.events if isinstance(event, Alert)]
    assert {alert.action for alert in alerts if not alert.rule.startswith("net.new-")} == {"would_block"}


def test_a_message_waits_while_its_conversation_goes_on_until_it_is_released(desk: Desk) -> None:
    talk = desk.opens().began()
    release = talk.says(DOWN, PACKAGE + ACK)
    assert release.forward == ACK
    assert release.hold_until is not None
    assert (desk.held().size, desk.due()) == (len(PACKAGE), [])
    desk.decide(Decision.RELEASE)
    ((way, released),) = desk.due()
    assert (way, released.forward, released.back, released.hold_until) == (DOWN, PACKAGE, b"", None)
    assert desk.stages == [("held", ""), ("released", "A. Bakker")]
    assert desk.due() == []


def test_what_is_released_may_lead_to_frames_and_is_an_approved_update_and_what_waits_is_neither(desk: Desk) -> None:
    triggers: list[Trigger] = []
    desk.gateway.air.on_trigger = triggers.append
    desk.opens().began().says(DOWN, PACKAGE)
    assert (triggers, desk.updates) == ([], [])
    desk.decide(Decision.RELEASE)
    desk.due()
    assert [(each.at, each.act, each.told["name"]) for each in triggers] == [
        (desk.now, Act.FLASH, "send upgrade package")
    ]
    assert [(each.stage, each.approval) for each in desk.updates] == [("start", "released by A. Bakker")]


def test_a_message_that_is_refused_is_answered_and_never_arrives(desk: Desk) -> None:
    desk.opens().began().says(DOWN, PACKAGE)
    desk.decide(Decision.REFUSE)
    ((_, released),) = desk.due()
    assert released.forward == b""
    answer = decode(released.back)
    assert isinstance(answer, Message)
    assert (answer.number, answer.body) == (0x0001, b"\x00\x09\x81\x08\x03")
    assert desk.stages == [("held", ""), ("refused", "A. Bakker")]
    assert desk.held().kept


@pytest.mark.parametrize("there", [False, True])
def test_what_cannot_be_kept_is_refused_and_not_let_through(tmp_path: Path, *, there: bool) -> None:
    desk = Desk(tmp_path / "gone" if there else None)
    release = desk.opens().began().says(DOWN, PACKAGE + ACK)
    assert (release.forward, release.hold_until) == (ACK, None)
    assert desk.stages == [("refused", "busgate")]


def test_what_waits_in_a_conversation_that_ends_is_lost_and_stays_as_evidence(desk: Desk) -> None:
    talk = desk.opens().began()
    talk.says(DOWN, PACKAGE)
    desk.inspection.ended(talk.flow, desk.now, End.RESET)
    assert desk.stages == [("held", ""), ("lost", "")]
    assert "the conversation is over" in desk.held().lost
    with pytest.raises(BridgeError, match="nowhere to go any more: the conversation is over"):
        desk.decide(Decision.RELEASE)
    assert desk.held().kept
    assert desk.inspection.next_deadline() is None
    assert desk.due() == []


def test_what_could_not_be_kept_whole_does_not_wait(desk: Desk, tmp_path: Path) -> None:
    desk.spool = desk.inspection._spool = Spool(tmp_path, tmp_path, spare_bytes=1 << 60)
    release = desk.opens().began().says(DOWN, PACKAGE + ACK)
    assert release.forward == ACK
    assert desk.stages == [("refused", "busgate")]
    assert "the disk is full" in desk.held().lost


ASK = b"GET /firmware/bms.bin HTTP/1.1\r\nHost: updates.example\r\n\r\n"


def reply(size: int) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {size}\r\n\r\n"
    return head.encode() + bytes(range(256)) * (size // 256)


def test_a_download_has_one_place_within_its_rate_and_the_next_has_none() -> None:
    desk = Desk(
        None,
        policy=POLICY.replace(
            "asks: download of software}}}}", "asks: download of software}}, rate: {{count: 1, per: 1 h}}}}"
        ),
    )
    talk = desk.opens(UPDATES)
    for passed in (reply(1024), b""):
        talk.says(UP, ASK)
        release = talk.says(DOWN, reply(1024))
        assert (release.forward, release.close) == (passed, not passed)


def test_a_small_download_passes_as_it_comes(desk: Desk) -> None:
    talk = desk.opens(UPDATES)
    assert talk.says(UP, ASK).forward == ASK
    assert talk.says(DOWN, reply(1024)).forward == reply(1024)


def test_a_large_download_is_read_to_its_end_and_passes_whole_once_released(desk: Desk) -> None:
    talk, data = desk.opens(UPDATES), reply(8192)
    talk.says(UP, ASK)
    releases = [talk.says(DOWN, data[at : at + 1000]) for at in range(0, len(data), 1000)]
    assert b"".join(release.forward for release in releases) == b""
    assert [release.pause for release in releases][-2:] == [False, True]
    desk.decide(Decision.RELEASE)
    ((way, released),) = desk.due()
    assert way is DOWN
    assert released.more is not None
    assert b"".join(released.more) == data


def test_a_large_download_that_is_refused_ends_its_conversation(desk: Desk) -> None:
    talk = desk.opens(UPDATES)
    talk.says(UP, ASK)
    talk.says(DOWN, reply(8192))
    desk.decide(Decision.REFUSE)
    assert desk.due() == [(DOWN, Release(close=True))]
    assert desk.held().kept


def test_a_payload_that_was_changed_on_disk_does_not_go_on_whole(desk: Desk, tmp_path: Path) -> None:
    talk = desk.opens(UPDATES)
    talk.says(UP, ASK)
    talk.says(DOWN, reply(8192))
    (tmp_path / f"{desk.held().name}.bin").write_bytes(b"x" * len(reply(8192)))
    desk.decide(Decision.RELEASE)
    ((_, released),) = desk.due()
    assert released.more is not None
    with pytest.raises(Exception, match="is not what was held"):
        list(released.more)


def test_bytes_that_wait_for_a_language_go_on_after_a_second(desk: Desk) -> None:
    talk = desk.opens(TUNNEL)
    first = talk.says(UP, b"\x7e").forward
    later = [release for way, release in desk.due(PATIENCE_NS + LOOKS_EVERY_NS) if way is DOWN]
    assert first + b"".join(release.back for release in later) == b"\x7e"


def test_a_new_policy_ends_what_it_does_not_list(desk: Desk) -> None:
    talk = desk.opens().began()
    assert desk.due() == []
    desk.gateway.adopt(load_policy(POLICY.format(version=2, port=1, answer="silence")), desk.now, signed=False)
    assert desk.due() == [(DOWN, Release(close=True))]
    assert not desk.inspection.goes_on(talk.flow, 0, 0, desk.now)


def test_what_the_kernel_carries_ends_once_it_is_too_much(desk: Desk) -> None:
    talk = desk.opens(TUNNEL)
    assert desk.inspection.goes_on(talk.flow, 5000, 600, desk.now)
    assert desk.inspection.goes_on(talk.flow, 90_000, 900, desk.now + S)
    assert not desk.inspection.goes_on(talk.flow, 90_000, 1_200, desk.now + 2 * S)


# ---------------------------------------------------------------- what is not to slip through beside a hold


def of(body: bytes, more: str = "", status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\n{more}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


HOLDS = POLICY.replace("asks: download of software}}}}", "asks: download of software}}, hold: true}}")
CLOSE = Release(close=True)


def test_a_body_in_chunks_passes_whole(desk: Desk) -> None:
    talk = desk.opens(UPDATES)
    talk.says(UP, ASK)
    data = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    assert talk.says(DOWN, data) == Release(data)
    assert [event.rule for event in desk.events if isinstance(event, Alert)] == ["net.new-network"]  # only that


@pytest.mark.parametrize("policy", [POLICY, HOLDS])
def test_a_download_that_cannot_be_kept_ends_its_conversation(policy: str) -> None:
    desk = Desk(None, policy=policy)
    talk = desk.opens(UPDATES)
    talk.says(UP, ASK)
    assert talk.says(DOWN, of(of(b"x" * 3000))[:-1]) == CLOSE
    assert desk.stages == [("refused", "busgate")]
    desk.inspection.ended(talk.flow, desk.now, End.CUT)
    assert desk.stages == [("refused", "busgate")]


def test_a_download_that_grows_beyond_the_disk_ends_and_is_released_by_nobody(desk: Desk) -> None:
    talk = desk.opens(UPDATES)
    talk.says(UP, ASK)
    data = of(b"x" * (MOST + 1))
    assert talk.says(DOWN, data[:2000]).forward == b""
    assert talk.says(DOWN, data[2000:]) == CLOSE
    assert (desk.stages, desk.held().whole) == ([("held", ""), ("refused", "busgate")], False)
    desk.decide(Decision.RELEASE)
    assert desk.due() == []


def test_a_download_that_breaks_off_is_not_released(desk: Desk) -> None:
    talk = desk.opens(UPDATES)
    talk.says(UP, ASK)
    talk.says(DOWN, of(b"x" * 3000)[:-1000])
    assert talk.says(DOWN, b"") == CLOSE
    assert (desk.stages, desk.held().whole) == ([("held", ""), ("refused", "busgate")], False)


def test_a_download_that_ends_with_its_stream_waits_and_is_released_whole(desk: Desk) -> None:
    talk = desk.opens(UPDATES)
    talk.says(UP, ASK)
    data = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + b"x" * 2000
    passed = talk.says(DOWN, data).forward
    assert talk.says(DOWN, b"y" * 1000).forward == b""
    assert talk.says(DOWN, b"").hold_until is not None
    desk.decide(Decision.RELEASE)
    ((_, released),) = desk.due()
    assert passed + b"".join(released.more or ()) == data + b"y" * 1000


def test_what_comes_behind_a_download_that_waits_ends_it(desk: Desk) -> None:
    talk = desk.opens(UPDATES)
    talk.says(UP, ASK)
    talk.says(UP, ASK)
    assert talk.says(DOWN, of(b"x" * 3000) + of(of(b"FIRMWARE"))[:-30]) == CLOSE
    assert desk.stages == [("held", ""), ("refused", "busgate")]


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (ASK, b"HTTP/1.1 204 No Content\r\n\r\n"),
        (ASK, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9000\r\n\r\n"),
        (ASK, of(b"")),
        (ASK.replace(b"GET", b"HEAD"), of(b"")[:-5] + b"9000\r\n\r\n"),
    ],
)
def test_an_answer_without_a_body_holds_nothing_up(tmp_path: Path, ask: bytes, answer: bytes) -> None:
    desk = Desk(tmp_path, policy=HOLDS)
    talk = desk.opens(UPDATES)
    talk.says(UP, ask)
    release = talk.says(DOWN, answer)
    if release.pause:
        desk.decide(Decision.RELEASE)
        ((_, release),) = desk.due()
    assert release.forward + b"".join(release.more or ()) == answer
    talk.says(UP, ASK.replace(b".bin", b".txt"))
    assert talk.says(DOWN, of(b"ok", status="404 Not Found")) == Release(of(b"ok", status="404 Not Found"))


def test_a_rule_that_holds_a_download_lets_it_go_whole_once_released(tmp_path: Path) -> None:
    desk, data = Desk(tmp_path, policy=HOLDS), reply(1024)
    talk = desk.opens(UPDATES)
    talk.says(UP, ASK)
    assert talk.says(DOWN, data).pause
    desk.decide(Decision.RELEASE)
    ((_, released),) = desk.due()
    assert b"".join(released.more or ()) == data


@pytest.mark.parametrize("total", ["7500", "*", "1500"])
def test_a_large_download_in_small_parts_waits_too(desk: Desk, total: str) -> None:
    passed = 0
    for number in range(3):
        talk = desk.opens(UPDATES)
        talk.says(UP, ASK)
        bounds = "0-1499" if total == "1500" else f"{number * 1500}-{number * 1500 + 1499}"
        data = of(b"x" * 1500, f"Content-Range: bytes {bounds}/{total}\r\n", "206 Partial Content")
        passed += talk.says(DOWN, data).forward.count(b"x" * 1500)
        desk.inspection.ended(talk.flow, desk.now, End.FINISHED)
    assert passed == (0 if total == "7500" else 1)
    desk.now += PARTS_NS
    talk = desk.opens(UPDATES)
    talk.says(UP, ASK)
    data = of(b"x" * 1500, "Content-Range: bytes 0-1499/1500\r\n", "206 Partial Content")
    assert talk.says(DOWN, data).forward == data


# ---------------------------------------------------------------- what is released is judged once more


UPGRADE = "codes: 0x8108}}, hold: true"


def test_a_release_does_not_go_past_the_local_override(desk: Desk) -> None:
    desk.opens().began().says(DOWN, PACKAGE)
    desk.gateway.set_mode(Mode.LOCAL, desk.now, by="hand", reason="test")
    desk.decide(Decision.RELEASE)
    ((_, release),) = desk.due()
    assert (release.forward, bool(release.back)) == (b"", True)
    assert desk.stages == [("held", ""), ("refused", "busgate")]
    assert [event.reason for event in desk.events if isinstance(event, Held)][-1] == "the local override is on"


def test_a_release_does_not_go_past_a_new_policy(desk: Desk) -> None:
    desk.opens().began().says(DOWN, PACKAGE)
    policy = POLICY.replace("codes: 0x8108", "codes: 0x8109").format(version=2, port=PLATFORM, answer="refuse")
    desk.gateway.adopt(load_policy(policy), desk.now, signed=False)
    desk.decide(Decision.RELEASE)
    assert [release.forward for _, release in desk.due()] == [b""]
    assert desk.stages == [("held", ""), ("refused", "busgate")]


@pytest.mark.parametrize("speed", [0.0, 60.0])
def test_a_release_waits_for_no_speed_but_does_not_ignore_it(tmp_path: Path, speed: float) -> None:
    when = UPGRADE + ", rate: {{count: 1, per: 1 h}}, when: {{speed: {{max: 0.5, max_age: 2 s}}}}"
    desk = Desk(tmp_path, policy=POLICY.replace(UPGRADE, when))
    desk.gateway.situation.update("speed", 0.0, desk.now)
    desk.opens().began().says(DOWN, PACKAGE)
    assert desk.stages == [("held", "")]
    desk.decide(Decision.RELEASE)
    desk.gateway.situation.update("speed", speed, desk.now + LOOKS_EVERY_NS)
    assert [release.forward for _, release in desk.due()] == [b"" if speed else PACKAGE]
    assert desk.stages[-1] == (("refused", "busgate") if speed else ("released", "A. Bakker"))


def test_a_download_is_judged_once_more_too(desk: Desk) -> None:
    talk = desk.opens(UPDATES)
    talk.says(UP, ASK)
    talk.says(DOWN, reply(8192))
    desk.gateway.set_mode(Mode.LOCAL, desk.now, by="hand", reason="test")
    desk.decide(Decision.RELEASE)
    assert desk.due() == [(DOWN, CLOSE)]
    assert desk.stages == [("held", ""), ("refused", "busgate")]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", ('{"cmd":', '"cut_oil"', "}")),
        ("text/event-stream", ('data: {"cmd":', '"cut_oil"}', "\n\n")),
    ],
)
def test_an_order_in_an_answer_never_arrives_whole(desk: Desk, kind: str, body: tuple[str, ...]) -> None:
    talk = desk.opens(port=8080)
    talk.says(UP, b"GET /state HTTP/1.1\r\nHost: updates.example\r\n\r\n")
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(''.join(body))}\r\n\r\n"
    releases = [talk.says(DOWN, each.encode()) for each in (head, *body)]
    arrived = b"".join(release.forward for release in releases).decode().removeprefix(head)
    assert releases[-1].close
    assert "".join(body).startswith(arrived)
    assert len(arrived) < len("".join(body))
    assert [alert.rule for alert in desk.events if isinstance(alert, Alert) and alert.action == "block"] == [
        "cloud.command"
    ]
