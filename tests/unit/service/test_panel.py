"""The operator's panel: a key and a relay made of values, a real switch in a folder, real beats of a gate."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from busgate.bridge import gpio
from busgate.bridge.gpio import PinContact, PinDrive
from busgate.bridge.port import BridgeError
from busgate.cli import panel as command_module
from busgate.service import override
from busgate.service import panel as panel_module
from busgate.service.override import Position, Switch
from busgate.service.panel import ALIVE_NS, BEATS_EVERY_NS, BY, CUT_AGAIN_NS, SETTLED_NS, Panel, Pulse, work

MS = 1_000_000


class Key:
    """A contact in somebody's hand."""

    def __init__(self, *, closed: bool | None) -> None:
        self.now = closed

    def closed(self) -> bool | None:
        return self.now

    def close(self) -> None:
        self.now = None


class Relay:
    """What its monostable sees."""

    def __init__(self) -> None:
        self.levels: list[bool] = []

    def put(self, *, high: bool) -> None:
        self.levels.append(high)

    def close(self) -> None:
        self.levels.append(False)

    def edges(self) -> int:
        """Rising ones since the last question."""
        count = sum(not before and after for before, after in zip(self.levels, self.levels[1:], strict=False))
        self.levels = self.levels[-1:]
        return count


class Desk:
    def __init__(self, folder: Path, *, closed: bool | None = True, cut_when_closed: bool = False) -> None:
        self.switch, self.key, self.relay = Switch(folder), Key(closed=closed), Relay()
        self.panel = Panel(self.switch, self.key, self.relay, cut_when_closed=cut_when_closed)
        self.now = 0

    def pass_by(self, ns: int, *, beating: bool = False) -> Position:
        for _ in range(max(1, ns // (10 * MS))):
            self.now += 10 * MS
            if beating:
                self.panel.beat(self.now)
            self.panel.look(self.now)
        return self.switch.read()._replace(at=0, turn=0)


def test_the_key_cuts_at_its_first_look_and_lifts_when_it_has_settled(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert not desk.pass_by(SETTLED_NS * 2).on
    desk.key.now = False
    assert desk.pass_by(10 * MS) == Position(on=True, by=BY, reason="turned to cut")
    desk.key.now = True
    assert desk.pass_by(10 * MS).on
    assert desk.pass_by(SETTLED_NS) == Position(on=False, by=BY, reason="turned to normal")


def test_a_contact_that_bounces_stays_cut(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for _ in range(20):
        desk.key.now = not desk.key.now
        assert desk.pass_by(SETTLED_NS - 20 * MS).on


@pytest.mark.parametrize(("closed", "cuts"), [(False, False), (True, True), (None, True)])
def test_a_contact_that_cuts_when_it_is_closed(tmp_path: Path, *, closed: bool | None, cuts: bool) -> None:
    assert Desk(tmp_path, closed=closed, cut_when_closed=True).pass_by(SETTLED_NS * 2).on is cuts


def test_a_key_that_cannot_be_read_cuts(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.key.now = None
    assert desk.pass_by(10 * MS).reason == "the key switch cannot be read"


def test_the_key_lifts_only_what_it_put_and_nobody_lifts_it_while_it_says_cut(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    by_hand = Position(on=True, by="A. de Vries", reason="limited from afar")
    desk.switch.turn(by_hand)
    desk.key.now = False
    assert desk.pass_by(10 * MS) == by_hand
    desk.key.now = True
    assert desk.pass_by(SETTLED_NS * 3) == by_hand
    desk.key.now = False
    desk.switch.turn(Position(on=False, by="A. de Vries", reason="mended"))
    assert desk.pass_by(10 * MS).by == BY


def test_after_a_restart_the_key_stands_where_it_stands(tmp_path: Path) -> None:
    Desk(tmp_path, closed=False).pass_by(10 * MS)
    assert Desk(tmp_path, closed=False).pass_by(SETTLED_NS * 2).on
    assert not Desk(tmp_path, closed=True).pass_by(SETTLED_NS * 2).on


def test_a_switch_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "nowhere", closed=False)
    desk.pass_by(10 * MS)
    assert "the override is not turned" in desk.panel.trouble


def test_on_a_full_disk_the_key_cuts_and_lifts_what_it_put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    desk = Desk(tmp_path)
    desk.pass_by(SETTLED_NS * 2)
    with monkeypatch.context() as disk:
        disk.setattr(override, "written", full)
        desk.key.now = False
        assert desk.pass_by(100 * MS).on
        assert "who turned it and why is not kept" in desk.panel.trouble
    desk.key.now = True
    assert desk.pass_by(SETTLED_NS * 2) == Position(on=False, by=BY, reason="turned to normal")
    assert desk.panel.trouble == ""


def test_whoever_turns_the_switch_the_panel_cuts_the_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [3]
    cuts: list[int] = []

    def cut(_: Switch) -> bool:
        cuts.append(rules[0])
        rules[0] = 0
        return True

    monkeypatch.setattr(panel_module, "crossing", lambda _: rules[0])
    monkeypatch.setattr(panel_module, "cut", cut)
    desk = Desk(tmp_path)
    desk.pass_by(SETTLED_NS)
    assert cuts == []
    desk.switch.turn(Position(on=True, by="a member of the group", reason="limited"))
    desk.pass_by(10 * MS)
    assert cuts == [3]
    desk.pass_by(500 * MS)
    assert cuts == [3]
    rules[0] = 2  # somebody set one again
    desk.pass_by(2 * CUT_AGAIN_NS)
    assert cuts == [3, 2]


def test_the_relay_is_held_while_the_gate_beats_and_falls_when_it_stops(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.pass_by(100 * MS)
    assert desk.relay.edges() == 0
    desk.pass_by(1000 * MS, beating=True)
    assert desk.relay.edges() == 50
    desk.pass_by(ALIVE_NS)
    assert 0 < desk.relay.edges() <= 16
    desk.pass_by(1000 * MS)
    assert desk.relay.edges() == 0
    assert desk.relay.levels[-1] is False


def test_a_dead_gate_never_joins_the_wires_against_the_local_hand(tmp_path: Path) -> None:
    desk = Desk(tmp_path, closed=False)
    desk.pass_by(1000 * MS)
    assert desk.relay.edges() >= 49


def test_beats_of_a_gate_hold_a_real_panel_and_one_that_is_missing_is_not_missed(tmp_path: Path) -> None:
    relay = Relay()
    panel = Panel(Switch(tmp_path), None, relay, cut_when_closed=False)
    path = str(tmp_path / "panel.sock")
    lost, pulse = Pulse(str(tmp_path / "nobody.sock")), Pulse(path)
    none = Pulse(None)
    turns = iter(range(40))
    looked: list[int] = []

    def look(now: int) -> None:
        looked.append(now)
        for each in (lost, pulse, none):
            each.works(now)

    work(panel, path, lambda: next(turns, None) is not None, look, pytest.fail)
    assert looked == sorted(looked)
    assert relay.edges() >= 10
    for each in (lost, pulse, none):
        each.close()


def test_a_beat_is_sent_now_and_then_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pulse = Pulse(str(tmp_path / "panel.sock"))
    sent: list[bytes] = []
    monkeypatch.setattr(pulse, "_wire", SimpleNamespace(sendto=lambda data, _: sent.append(data), close=lambda: None))
    for now in range(0, 4 * BEATS_EVERY_NS, BEATS_EVERY_NS // 10):
        pulse.works(now + 1)
    assert len(sent) == 4
    pulse.close()


# ---------------------------------------------------------------- pins, with a library made of values


class Library:
    """gpiod's words, without a chip: what is requested, and the level of each line."""

    def __init__(self) -> None:
        value = SimpleNamespace(ACTIVE=1, INACTIVE=0)
        self.line = SimpleNamespace(
            Value=value, Direction=SimpleNamespace(INPUT="in", OUTPUT="out"), Bias=SimpleNamespace(PULL_UP="up")
        )
        self.levels: dict[int, int] = {}
        self.fault: OSError | None = None
        self.asked: list[tuple[str, int, Any]] = []

    def LineSettings(self, **given: Any) -> dict[str, Any]:  # noqa: N802 - gpiod's name
        return given

    def request_lines(self, chip: str, *, consumer: str, config: dict[int, dict[str, Any]]) -> Any:
        assert consumer == "busgate"
        ((line, settings),) = config.items()
        self.asked.append((chip, line, settings))
        if chip != "/dev/gpiochip0":
            raise FileNotFoundError(2, "No such file or directory")
        return SimpleNamespace(get_value=self._get, set_value=self.levels.__setitem__, release=lambda: None)

    def _get(self, line: int) -> int:
        if self.fault is not None:
            raise self.fault
        return self.levels.get(line, 1)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    made = Library()
    monkeypatch.setattr(gpio, "_library", lambda: made)
    return made


def test_a_pin_is_pulled_up_so_that_a_broken_wire_is_open(library: Library) -> None:
    contact = PinContact("/dev/gpiochip0", 17)
    assert library.asked == [("/dev/gpiochip0", 17, {"direction": "in", "bias": "up"})]
    assert contact.closed() is False
    library.levels[17] = 0
    assert contact.closed() is True
    library.fault = OSError(5, "Input/output error")
    assert contact.closed() is None


def test_a_relay_is_low_until_it_is_pulsed(library: Library) -> None:
    drive = PinDrive("/dev/gpiochip0", 27)
    assert library.asked[0][2] == {"direction": "out", "output_value": 0}
    drive.put(high=True)
    assert library.levels == {27: 1}


def test_a_chip_that_is_not_there_is_one_line(library: Library) -> None:
    with pytest.raises(BridgeError, match=r"GPIO line 17 of /dev/gpiochip9 cannot be used \(No such file") as raised:
        PinContact("/dev/gpiochip9", 17)
    assert "\n" not in str(raised.value)
    assert library.asked


def test_the_library_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpiod", None)
    with pytest.raises(BridgeError, match="pip install gpiod"):
        PinContact("/dev/gpiochip0", 17)


def test_the_real_library_has_the_words_that_are_used_here() -> None:
    gpiod = pytest.importorskip("gpiod")
    assert gpiod.LineSettings(direction=gpiod.line.Direction.INPUT, bias=gpiod.line.Bias.PULL_UP)
    assert (
        gpiod.LineSettings(direction=gpiod.line.Direction.OUTPUT, output_value=gpiod.line.Value.INACTIVE).output_value
        is gpiod.line.Value.INACTIVE
    )
    with pytest.raises(BridgeError, match="cannot be used"):
        PinDrive("/dev/no-such-chip", 3)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("log: .\n", "names neither key_switch nor bypass"),
        ("key_switch: {line: 17}\n", "--log"),
        ("log: nowhere\nbypass: {line: 17}\n", "there is no folder"),
        ("log: .\nkey_switch: {chip: /dev/no-such-chip, line: 17}\n", "cannot be used"),
        ("log: .\nkey_switch: {line: 17, cut: never}\n", "busgate.yaml:2"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, text: str, fault: str) -> None:
    pytest.importorskip("gpiod")
    (tmp_path / "busgate.yaml").write_text(text, encoding="ascii")
    done = CliRunner().invoke(command_module.command, ["--config", str(tmp_path / "busgate.yaml")])
    assert fault in str(done.exception)
    assert "\n" not in str(done.exception)


def test_the_command_follows_the_key_until_it_is_stopped(
    tmp_path: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = time.monotonic() + 0.3

    def stopped() -> Callable[[], bool]:
        return lambda: time.monotonic() < ended

    monkeypatch.setattr(command_module, "UntilStopped", stopped)
    (tmp_path / "busgate.yaml").write_text("log: .\nkey_switch: {line: 17}\nbypass: {line: 27}\n", encoding="ascii")
    library.levels[17] = 1
    done = CliRunner().invoke(command_module.command, ["--config", str(tmp_path / "busgate.yaml")])
    assert done.exit_code == 0, done.exception
    assert "panel with key switch and bypass relay" in done.stderr
    assert Switch(tmp_path).read()[:3] == (True, BY, "turned to cut")
