"""The operator's switch: what it does to a gate at work, over restarts, and when it cannot be read or logged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from busgate.cli.override import command
from busgate.gateway import Gateway
from busgate.model import BusgateError, Event, Frame, Mode, ModeChange, Reason, Side
from busgate.record.store import StoreError
from busgate.service.override import LOOKS_EVERY_NS, Hand, Position, Switch, cut
from busgate.service.station import Station
from support.gate import demo_ebus
from support.logs import open_log

HEARTBEAT = Frame(0, Side.TBOX, 0x500, bytes(8))
ON, OFF = Position(True, "A. de Vries", "limited from afar"), Position(False, "A. de Vries", "mended")


class Desk:
    """A gate that allows one thing, and a hand that follows the switch in a folder."""

    def __init__(self, folder: Path, ordinary: Mode = Mode.ENFORCE) -> None:
        vehicle = demo_ebus()
        self.gateway = Gateway(vehicle.profile, vehicle.database, mode=ordinary, wall_offset=0)
        self.station = Station(self.gateway, open_log(None))
        self.events: list[Event] = []
        self.station.listeners.append(lambda _, event: self.events.append(event))
        self.switch = Switch(folder)
        self.hand = Hand(self.switch, self.station, None, ordinary)
        self.now = 1_000_000_000

    def looks(self, after: int = LOOKS_EVERY_NS) -> Mode:
        self.now += after
        self.hand.look(self.now)
        return self.gateway.mode

    def changes(self) -> list[tuple[Mode, str, str]]:
        return [(each.mode, each.by, each.reason) for each in self.events if isinstance(each, ModeChange)]


def test_the_switch_cuts_and_lifts_and_the_log_says_who_and_why(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.looks() is Mode.ENFORCE
    desk.switch.turn(ON)
    assert desk.looks() is Mode.LOCAL
    assert desk.gateway.receive(HEARTBEAT).verdict.reason is Reason.LOCAL_OVERRIDE
    desk.switch.turn(OFF)
    assert desk.looks() is Mode.ENFORCE
    assert desk.changes() == [(Mode.LOCAL, ON.by, ON.reason), (Mode.ENFORCE, OFF.by, OFF.reason)]


@pytest.mark.parametrize("ordinary", [Mode.OBSERVE, Mode.MONITOR, Mode.ENFORCE])
def test_off_goes_back_to_the_ordinary_mode(ordinary: Mode, tmp_path: Path) -> None:
    desk = Desk(tmp_path, ordinary)
    desk.switch.turn(ON)
    assert desk.looks() is Mode.LOCAL
    desk.switch.turn(OFF)
    assert desk.looks() is ordinary


def test_it_outlives_a_restart(tmp_path: Path) -> None:
    Desk(tmp_path).switch.turn(ON)
    again = Desk(tmp_path)
    assert again.looks() is Mode.LOCAL
    assert again.changes() == [(Mode.LOCAL, ON.by, ON.reason)]


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff\xfe", b'{"on": "perhaps", "by": 1, "reason": 2}'])
def test_a_switch_that_cannot_be_understood_counts_as_on(content: bytes, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.switch.path.write_bytes(content)
    assert desk.looks() is Mode.LOCAL
    assert desk.gateway.receive(HEARTBEAT).verdict.reason is Reason.LOCAL_OVERRIDE


def test_a_switch_that_is_taken_away_is_off_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.switch.turn(ON)
    desk.looks()
    desk.switch.path.unlink()
    assert desk.looks() is Mode.ENFORCE


def test_it_is_looked_at_a_hundred_times_a_second_at_most(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.looks()
    desk.switch.turn(ON)
    assert desk.looks(after=LOOKS_EVERY_NS - 1) is Mode.ENFORCE
    assert desk.looks(after=1) is Mode.LOCAL


def test_what_cannot_be_logged_is_done_all_the_same_and_logged_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path)

    def full(*_: object) -> None:
        raise StoreError("the disk is full")

    desk.switch.turn(ON)
    with monkeypatch.context() as broken:
        broken.setattr(desk.station, "record", full)
        with pytest.raises(StoreError):
            desk.looks()
    assert desk.gateway.mode is Mode.LOCAL
    assert desk.changes() == []
    desk.looks()
    assert desk.changes() == [(Mode.LOCAL, ON.by, ON.reason)]


def test_the_command_turns_it_and_shows_it(tmp_path: Path) -> None:
    run = CliRunner()
    assert run.invoke(command, ["--log", str(tmp_path)]).output == "override off\n"
    assert "no frame of the T-box" in run.invoke(command, ["on", "--log", str(tmp_path), "--reason", "limited"]).output
    shown = run.invoke(command, ["--log", str(tmp_path)]).output
    assert shown.startswith("override on, turned by ")
    assert shown.endswith(": limited\n")
    run.invoke(command, ["off", "--log", str(tmp_path), "--reason", "mended"])
    told = json.loads((tmp_path / "override.json").read_text(encoding="utf-8"))
    assert (told["on"], told["reason"]) == (False, "mended")


@pytest.mark.parametrize(("words", "says"), [(["on"], "say why"), (["on", "--reason", " "], "say why")])
def test_without_a_reason_nothing_is_turned(words: list[str], says: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(command, [*words, "--log", str(tmp_path)])
    assert isinstance(done.exception, BusgateError)
    assert says in str(done.exception)
    assert not (tmp_path / "override.json").exists()


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["on", "--log", str(tmp_path / "nope"), "--reason", "x"])
    assert "there is no log folder" in str(done.exception)


def test_without_wires_there_is_nothing_to_cut_in_the_kernel(tmp_path: Path) -> None:
    assert cut(Switch(tmp_path)) is False
    Switch(tmp_path).note_wires("tb0", "ve0")
    assert Switch(tmp_path).wires() == ("tb0", "ve0")
