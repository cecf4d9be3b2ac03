"""The operator's switch: what it does to a gate at work, over restarts, and when it cannot be read or logged."""

from __future__ import annotations

import errno
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from busgate.bridge.port import BridgeError
from busgate.cli import override as command_module
from busgate.cli.override import command
from busgate.gateway import Gateway
from busgate.model import BusgateError, Event, Frame, Mode, ModeChange, Reason, Side
from busgate.record.store import StoreError
from busgate.service import override, standing
from busgate.service.hand import LOOKS_EVERY_NS, Hand
from busgate.service.override import Position, Switch, UnsaidError, cut
from busgate.service.standing import Standing
from busgate.service.station import Station
from support.gate import demo_ebus
from support.logs import open_log

HEARTBEAT = Frame(0, Side.TBOX, 0x500, bytes(8))
ON, OFF = Position(True, "A. de Vries", "limited from afar"), Position(False, "A. de Vries", "mended")


class Kernel:
    """The kernel's part as a list of the modes that it was told to enter."""

    def __init__(self) -> None:
        self.entered: list[Mode] = []
        self.refuses = ""

    def enter(self, mode: Mode) -> None:
        self.entered.append(mode)
        if self.refuses:
            raise BridgeError(self.refuses)


class Desk:
    """A gate that allows one thing, and a hand that follows the switch in a folder."""

    def __init__(self, folder: Path, ordinary: Mode = Mode.ENFORCE, before: Standing | None = None) -> None:
        vehicle = demo_ebus()
        self.gateway = Gateway(vehicle.profile, vehicle.database, mode=ordinary, wall_offset=0)
        self.station = Station(self.gateway, open_log(None))
        self.events: list[Event] = []
        self.station.listeners.append(lambda _, event: self.events.append(event))
        self.switch = Switch(folder)
        self.kernel = Kernel()
        self.hand = Hand(self.switch, self.station, self.kernel, ordinary, before)  # type: ignore[arg-type]
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
    ((mode, by, reason),) = again.changes()
    assert (mode, by) == (Mode.LOCAL, ON.by)
    assert reason.startswith(f"{ON.reason} (turned 20")


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff\xfe", b'{"on": "perhaps", "by": 1, "reason": 2}'])
def test_a_switch_that_cannot_be_understood_counts_as_on(content: bytes, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.switch.path.write_bytes(content)
    assert desk.looks() is Mode.LOCAL
    assert desk.gateway.receive(HEARTBEAT).verdict.reason is Reason.LOCAL_OVERRIDE


def test_a_switch_that_is_taken_away_while_on_stays_on_over_restarts_until_it_is_turned(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.switch.turn(ON)
    desk.looks()
    desk.switch.path.unlink()
    assert desk.looks() is Mode.LOCAL
    assert desk.changes()[1][1:] == ("nobody", "the switch's file was taken away; it stays on until it is turned off")
    standing.keep(tmp_path, desk.hand.standing)
    again = Desk(tmp_path, before=standing.read(tmp_path))
    assert again.looks() is Mode.LOCAL
    again.switch.turn(OFF)
    assert again.looks() is Mode.ENFORCE
    assert again.hand.standing == Standing(Mode.ENFORCE, again.switch.read().turn, cut=False)


def test_a_switch_that_is_taken_away_while_off_stays_off(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.switch.turn(OFF)
    desk.looks()
    desk.switch.path.unlink()
    assert desk.looks() is Mode.ENFORCE


@pytest.mark.parametrize("fault", [PermissionError(13, "Permission denied"), OSError(5, "Input/output error")])
def test_a_switch_that_cannot_be_looked_at_counts_as_on(
    fault: OSError, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise fault

    desk = Desk(tmp_path)
    desk.switch.turn(OFF)
    assert desk.looks() is Mode.ENFORCE
    with monkeypatch.context() as broken:
        broken.setattr(Path, "stat", refuses)
        broken.setattr(Path, "read_bytes", refuses)
        assert desk.looks() is Mode.LOCAL
        assert Desk(tmp_path).looks() is Mode.LOCAL, "and after a restart"
    assert desk.looks() is Mode.ENFORCE


def test_a_gate_that_only_listens_goes_on_only_listening_under_the_hand(tmp_path: Path) -> None:
    desk = Desk(tmp_path, Mode.OBSERVE)
    desk.switch.turn(ON)
    assert desk.looks() is Mode.LOCAL
    assert (desk.hand.part, desk.kernel.entered) == (Mode.OBSERVE, [Mode.OBSERVE])
    desk.hand.ordinary = Mode.ENFORCE
    assert desk.hand.part is Mode.LOCAL


def test_a_kernel_that_does_not_follow_is_in_the_log(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.looks()
    desk.kernel.refuses = "no right"
    desk.switch.turn(ON)
    assert desk.looks() is Mode.LOCAL
    assert desk.changes()[0][2] == f"{ON.reason} (the kernel did not follow: no right)"


def test_each_turn_is_told_also_those_that_change_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.looks()
    for reason in ("limited", "limited again"):
        desk.switch.turn(Position(on=True, by="A. de Vries", reason=reason))
        assert desk.looks() is Mode.LOCAL
    assert [each[2] for each in desk.changes()] == ["limited", "limited again"]


def test_turns_that_were_made_while_no_gate_ran_are_told_with_their_time(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.switch.turn(OFF)
    desk.looks()
    before = desk.hand.standing
    for on, reason in ((True, "one"), (False, "two"), (True, "three"), (False, "four")):
        desk.switch.turn(Position(on=on, by="A. de Vries", reason=reason))
    again = Desk(tmp_path, before=before)
    assert again.looks() is Mode.ENFORCE
    told = again.changes()
    assert [(mode, reason.split()[0]) for mode, _, reason in told] == [
        (Mode.LOCAL, "one"), (Mode.ENFORCE, "two"), (Mode.LOCAL, "three"), (Mode.ENFORCE, "four"),
    ]  # fmt: skip
    assert all(re.fullmatch(r"\w+ \(turned \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ\)", reason) for _, _, reason in told)
    once_more = Desk(tmp_path, before=again.hand.standing)
    once_more.looks()
    assert once_more.changes() == [], "and once"


def test_the_file_keeps_the_last_turns_and_no_more(tmp_path: Path) -> None:
    switch = Switch(tmp_path)
    for number in range(40):
        switch.turn(Position(on=bool(number % 2), by="x" * 900, reason=f"{number} " + "\U0001f68c" * 900))
    assert [each.reason.split()[0] for each in switch.turns()] == [str(number) for number in range(23, 40)]
    assert switch.path.stat().st_size < override._MOST
    numbers = [each.turn for each in switch.turns()]
    assert numbers == sorted(set(numbers))


def test_on_a_full_disk_on_is_on_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    desk = Desk(tmp_path)
    desk.switch.turn(OFF)
    desk.looks()
    with monkeypatch.context() as disk:
        disk.setattr(override, "written", full)
        with pytest.raises(UnsaidError, match=r"the override is on, but who .* No space left .* Next: make room"):
            desk.switch.turn(ON)
        with pytest.raises(BusgateError, match=r"is not turned: .* Next: make room"):
            desk.switch.turn(OFF)
    assert desk.looks() is Mode.LOCAL
    desk.switch.turn(OFF)
    assert desk.looks() is Mode.ENFORCE
    assert desk.changes()[-1][2] == OFF.reason


@pytest.mark.parametrize(
    ("before", "wanted", "first"),
    [
        (None, Mode.ENFORCE, Mode.ENFORCE),
        (Mode.ENFORCE, Mode.MONITOR, Mode.ENFORCE),
        (Mode.MONITOR, Mode.ENFORCE, Mode.MONITOR),
        (Mode.ENFORCE, Mode.LOCAL, Mode.LOCAL),
        (Mode.LOCAL, Mode.ENFORCE, Mode.ENFORCE),
    ],
)
def test_another_mode_waits_also_over_a_restart(before: Mode | None, wanted: Mode, first: Mode, tmp_path: Path) -> None:
    standing.keep(tmp_path, Standing(before))
    assert standing.first_mode(standing.read(tmp_path), wanted) is first


@pytest.mark.parametrize("text", ["", "{", "[]", '{"mode": "sideways", "turn": 1, "cut": false}'])
def test_a_standing_that_says_nothing_is_none(text: str, tmp_path: Path) -> None:
    assert standing.read(tmp_path) == Standing()
    (tmp_path / standing.STANDING).write_text(text, encoding="ascii")
    assert standing.read(tmp_path) == Standing()


def test_a_standing_that_cannot_be_kept_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BusgateError, match=r"standing.json cannot be written: No such file"):
        standing.keep(tmp_path / "nowhere", Standing(Mode.ENFORCE))


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

    desk.looks()
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


def test_wires_that_cannot_be_noted_are_one_line_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(BusgateError, match=r"wires.json cannot be written: No such file .* Next: make its folder"):
        Switch(tmp_path / "nowhere").note_wires("tb0", "ve0")


class Rules:
    """The kernel's rules of the T-box's, for a command that may not touch them: gone after some looks, or never."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, looks: int) -> None:
        self.left = looks
        monkeypatch.setattr(command_module, "cut", self.cut)
        monkeypatch.setattr(command_module, "crossing", self.crossing)
        monkeypatch.setattr(command_module, "_FOLLOWS_S", 0.25)

    def cut(self, _: Switch) -> bool:
        raise BridgeError("busgate needs the right CAP_NET_ADMIN for it")

    def crossing(self, _: Switch) -> int:
        self.left -= 1
        return int(self.left > 0)


def test_who_may_not_touch_the_kernel_waits_for_who_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Rules(monkeypatch, 3)
    done = CliRunner().invoke(command, ["on", "--log", str(tmp_path), "--reason", "limited"])
    assert (done.exit_code, "the kernel lets nothing" in done.output) == (0, True)


def test_a_kernel_that_nobody_cuts_is_a_failure_with_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Rules(monkeypatch, 1000)
    done = CliRunner().invoke(command, ["on", "--log", str(tmp_path), "--reason", "limited"])
    assert "STILL LETS SOME" in str(done.exception)
    assert "Next: sudo busgate override on" in str(done.exception)
    assert Switch(tmp_path).read().on, "for the gate that comes next"


def test_a_switch_that_cannot_be_turned_has_the_kernel_cut_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    cuts: list[Switch] = []

    def cuts_it(switch: Switch) -> bool:
        cuts.append(switch)
        return True

    monkeypatch.setattr(override, "written", refuses)
    monkeypatch.setattr(Switch, "_blank", lambda _: False)
    monkeypatch.setattr(command_module, "cut", cuts_it)
    done = CliRunner().invoke(command, ["on", "--log", str(tmp_path), "--reason", "limited"])
    assert len(cuts) == 1
    assert "is not turned" in str(done.exception)
    assert "systemctl stop busgate-gate" in str(done.exception)


def test_a_reason_that_is_no_text_cuts_all_the_same(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["on", "--log", str(tmp_path), "--reason", "\udcff\x1b[2J"])
    assert (done.exit_code, done.exception) == (0, None)
    now = Switch(tmp_path).read()
    assert (now.on, now.reason) == (True, r"\udcff\x1b[2J")
    assert CliRunner().invoke(command, ["--log", str(tmp_path)]).output.endswith(": \\udcff\\x1b[2J\n")
