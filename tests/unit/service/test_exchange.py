"""What two gates tell each other: it arrives whole or not at all, nobody waits, and nonsense is nothing."""

from __future__ import annotations

import json
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from busgate.detect.causality import Trigger
from busgate.detect.updates import Origin, Updates
from busgate.judge.situation import Situation
from busgate.model import Act, BusgateError, Endpoint, Flow, Subsystem, Value
from busgate.service import exchange
from busgate.service.exchange import AIR, FRAMES, Exchange, Telling

FLOW = Flow("tcp", Endpoint("192.168.8.2", 40000), Endpoint("203.0.113.10", 6808))
TOLD: dict[str, Value] = {"protocol": "jt808", "code": "0x8105", "name": "terminal control: cut drive"}
TRIGGER = Trigger(5_000_000_000, "message", FLOW, Subsystem.DRIVE, Act.STOP, TOLD, carries=False)


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[tuple[Exchange, Exchange]]:
    air, frames = Exchange(tmp_path, AIR, FRAMES), Exchange(tmp_path, FRAMES, AIR)
    yield air, frames
    air.close()
    frames.close()


def test_a_trigger_arrives_as_it_was(ends: tuple[Exchange, Exchange]) -> None:
    air, frames = ends
    air.say(**exchange.said_of(TRIGGER))
    assert [exchange.trigger_of(said) for said in frames.hear()] == [TRIGGER]
    assert list(frames.hear()) == []


def test_the_bytes_of_a_message_are_not_told() -> None:
    said = exchange.said_of(TRIGGER._replace(told=TOLD | {"bytes": "7e81"}))
    assert exchange.trigger_of(said) == TRIGGER


def test_nobody_there_is_counted_and_nothing_else(tmp_path: Path) -> None:
    alone = Exchange(tmp_path, AIR, FRAMES)
    alone.say(update="approved", at=1, by="g")
    assert alone.unsaid == 1
    assert list(alone.hear()) == []
    alone.close()
    assert list(tmp_path.iterdir()) == []


def test_one_who_does_not_listen_keeps_nobody_waiting(ends: tuple[Exchange, Exchange]) -> None:
    air, frames = ends
    for number in range(2000):
        air.say(at=number)
    assert 0 < air.unsaid < 2000
    heard = [said["at"] for _ in range(100) for said in frames.hear()]
    assert heard == list(range(len(heard)))
    assert len(heard) + air.unsaid == 2000


def test_a_turn_hears_a_bounded_number(ends: tuple[Exchange, Exchange]) -> None:
    air, frames = ends
    for number in range(100):
        air.say(at=number)
    assert len(list(frames.hear())) <= 64


def test_its_socket_is_for_owner_and_group_alone(ends: tuple[Exchange, Exchange], tmp_path: Path) -> None:
    assert ends
    assert stat.S_IMODE((tmp_path / AIR).stat().st_mode) == 0o660


def test_one_that_was_killed_does_not_hinder_the_next(tmp_path: Path) -> None:
    killed = Exchange(tmp_path, AIR, FRAMES)
    again = Exchange(tmp_path, AIR, FRAMES)
    frames = Exchange(tmp_path, FRAMES, AIR)
    frames.say(at=1)
    assert [said["at"] for said in again.hear()] == [1]
    for each in (again, frames, killed):
        each.close()


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BusgateError, match=r"no socket can be made there: No such file or directory. Next: check"):
        Exchange(tmp_path / "none", AIR, FRAMES)


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"7", b"\xff\xfe", b"[" * 8000, b'"text"', b'{"at": 1' + b" " * 9000 + b"}"]
)
def test_nonsense_is_heard_as_nothing(ends: tuple[Exchange, Exchange], tmp_path: Path, raw: bytes) -> None:
    air, frames = ends
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(raw, str(tmp_path / FRAMES))
    air.say(at=2)
    assert [said["at"] for said in frames.hear()] == [2]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["trigger", "at", "flow", "subsystem", "act", "told", "update", "origin", "what", "size", "facts"]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(NAMES, JSON, max_size=8))
def test_whatever_is_said_nothing_raises(said: dict[str, Any]) -> None:
    exchange.trigger_of(said)
    assert isinstance(exchange.updated(Updates(lambda _: {}), said), tuple)
    exchange.learn(Situation(), said, 10)


@pytest.mark.parametrize("name", ["trigger", "at", "flow", "subsystem", "act", "told"])
def test_a_trigger_without_one_of_its_parts_is_none(name: str) -> None:
    said = json.loads(json.dumps(exchange.said_of(TRIGGER)))
    assert exchange.trigger_of(said) == TRIGGER
    del said[name]
    assert exchange.trigger_of(said) is None


def test_what_the_air_side_knows_of_an_update_becomes_one_record(ends: tuple[Exchange, Exchange]) -> None:
    air, frames = ends
    telling, updates = Telling(air), Updates(lambda _: {})
    assert telling.ordered(1_000, "jt808 wireless upgrade", Origin("203.0.113.10:6808")) == ()
    assert telling.loaded(2_000, "http://x/bms.bin", Origin("203.0.113.10:8080", "g-1"), 4096, "ab" * 32) == ()
    for said in frames.hear():
        exchange.updated(updates, said)
    (ended,) = updates.finish(4_000)
    assert (ended.stage, ended.ordered_by, ended.url) == ("end", "jt808 wireless upgrade", "http://x/bms.bin")
    assert (ended.bytes, ended.sha256, ended.approval) == (4096, "ab" * 32, "g-1")


def test_facts_of_the_vehicle_are_learned_and_what_is_unknown_there_is_unknown_here() -> None:
    there, here = Situation(), Situation()
    there.update("speed", 12.5, 1_000)
    exchange.learn(here, json.loads(json.dumps(exchange.facts(there, 2_000))), 3_000)
    assert here.get("speed", 3_000, 10_000) == 12.5
    there.update("speed", None, 4_000)
    exchange.learn(here, exchange.facts(there, 5_000), 6_000)
    assert here.get("speed", 6_000, 10_000) is None


def test_a_fact_from_the_future_is_as_old_as_its_coming() -> None:
    here = Situation()
    exchange.learn(here, {"at": 10**18, "facts": {"speed": 0.0}}, 5_000)
    assert here.get("speed", 5_000, 1_000) == 0.0
    assert here.get("speed", 7_000, 1_000) is None
