"""`busgate play` as its user sees it, on multicast wires of this machine, and what it says of a user's mistakes."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import closing
from pathlib import Path

import can
import pytest
from click.testing import CliRunner, Result

from busgate.cli import play as module
from busgate.cli.play import command

LINES = [
    "(1.000000) can0 18FEF127#C300000000000000",
    "(1.050000) can1 18EAFF4A#CAFE00",
    "(1.100000) can0 123##1AABBCCDD",
    "(1.150000) can1 18EAFF4A#D3FE00",
    "(1.200000) can0 123#R",
]


class Stopped:
    """Never stopped: signals belong to the test runner's own thread."""

    def __call__(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def no_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "UntilStopped", Stopped)


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    path = tmp_path / "day.log"
    path.write_text("\n".join(LINES) + "\n", encoding="ascii")
    return path


def port() -> int:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
        return number


@pytest.fixture
def wires() -> tuple[str, str]:
    return f"udp_multicast:239.74.163.2:{port()}", f"udp_multicast:239.74.163.2:{port()}"


def play(*words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])


def heard_on(wire: str, words: tuple[object, ...], count: int) -> tuple[Result, list[can.Message]]:
    """What a foreign listener hears of a play."""
    _, group, number = wire.split(":")
    with can.Bus(group, interface="udp_multicast", port=int(number), fd=True, ignore_config=True) as bus:
        messages: list[can.Message] = []

        def listen() -> None:
            while len(messages) < count and (message := bus.recv(5)) is not None:
                messages.append(message)

        thread = threading.Thread(target=listen)
        thread.start()
        said = play(*words)
        thread.join()
    return said, messages


def test_channels_go_to_wires_by_name_at_their_time(trace: Path, wires: tuple[str, str]) -> None:
    said, heard = heard_on(wires[0], (trace, "--to", f"{wires[0]},{wires[1]}", "--json"), 3)
    assert said.exit_code == 0, said.output
    told = json.loads(said.stdout)
    assert told["sent"] == {wires[0]: 3, wires[1]: 2}
    assert told["timing_us"]["frames"] == 5
    assert 0 < told["timing_us"]["p50"] <= told["timing_us"]["most"]
    assert told["seconds"] >= 0.2
    assert [message.arbitration_id for message in heard] == [0x18FEF127, 0x123, 0x123]
    assert (heard[1].is_fd, heard[1].bitrate_switch, bytes(heard[1].data)) == (True, True, b"\xaa\xbb\xcc\xdd")
    assert heard[2].is_remote_frame


def test_all_of_it_on_one_wire_with_what_is_added_and_renamed(trace: Path, wires: tuple[str, str]) -> None:
    said, heard = heard_on(
        wires[0],
        (trace, "--to", wires[0], "--inject", "0.01:can1:7DF#0201", "--sa", "0x4A=0x4B", "--id", "123=456",
         "--flood", f"0:{wires[0]}:000#:1000:0.004", "--speed", 0, "--loop", 2),
        20,
    )  # fmt: skip
    assert said.exit_code == 0, said.output
    assert "injected 2, flooded 8" in said.stdout
    assert "not measured: played as fast as it went" in said.stdout
    once = [0x18FEF127, 0, 0, 0, 0, 0x7DF, 0x18EAFF4B, 0x456, 0x18EAFF4B, 0x456]
    assert [message.arbitration_id for message in heard] == once * 2


def test_what_no_gate_lets_across_is_blocked_and_what_should_cross_has_failed(
    trace: Path, wires: tuple[str, str], tmp_path: Path
) -> None:
    (tmp_path / "expected.yaml").write_text(
        "blocked: [{frame: '18EAFF4A#D3*'}]\npassed: [{frame: '18FEF127#*', channel: can0}]\n", encoding="ascii"
    )
    said = play(trace, "--to", f"{wires[0]}=can0,{wires[1]}=can1", "--expect", tmp_path / "expected.yaml",
                "--settle", 0.1, "--junit", tmp_path / "play.xml")  # fmt: skip
    assert said.exit_code == 1, said.output
    assert "ok      blocked frame=18EAFF4A#D3*" in said.stdout
    assert "FAILED  passed frame=18FEF127#* channel=can0: 1 of 1 did not cross" in said.stdout
    assert 'tests="2" failures="1"' in (tmp_path / "play.xml").read_text(encoding="utf-8")


def test_with_one_wire_nobody_knows_what_crosses(trace: Path, wires: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "expected.yaml").write_text("blocked: [{frame: '18EAFF4A#D3*'}]", encoding="ascii")
    said = play(trace, "--to", wires[0], "--expect", tmp_path / "expected.yaml", "--settle", 0)
    assert said.exit_code == 1
    assert "play onto both sides of the gate" in said.stdout


def test_a_channel_without_a_wire_is_told(trace: Path, wires: tuple[str, str]) -> None:
    said = play(trace, "--to", f"{wires[0]}=can1", "--start", 0.1, "--gap", 0.01)
    assert said.exit_code == 0
    assert f"sent      {wires[0]} 1" in said.stdout
    assert "channel can0 of the recording was not played; give it a wire: --to WIRE=can0" in said.stdout


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["--to", ","], "names no wire"),
        (["--to", "vcan0="], "names no wire"),
        (["--to", "vcan0,vcan0"], "twice"),
        (["--to", "x", "--id", "123"], "is no pair"),
        (["--to", "x", "--id", "123=999999999"], "is no identifier"),
        (["--to", "x", "--id", "123=800"], "does not fit into 11 bits"),
        (["--to", "x", "--sa", "0x4A=0x1FF"], "an address is 0 to 255"),
        (["--to", "x", "--sa", "a=b"], "an address is 0 to 255"),
        (["--to", "x", "--inject", "can1:1:123#"], "is not time, channel and frame"),
        (["--to", "x", "--inject", "1:can1:123#0"], "is not time, channel and frame"),
        (["--to", "x", "--inject", "1:can1:123#00:5"], "more than time, channel and frame"),
        (["--to", "x", "--flood", "1:can1:123#00:-5"], "numbers above 0"),
        (["--to", "x", "--flood", "1:can1:123#00:1:1:1"], "numbers above 0"),
        (["--to", "x", "--clock-step", "10:5"], "with its sign"),
        (["--to", "x", "--compare", "--loop", "0"], "leave out --speed and --loop 0"),
        (["--to", "x", "--junit", "y"], "add --expect"),
        (["--to", "x", "--inject", "1:can9:123#00"], "neither a channel of the recording nor a wire; there are: can0"),
    ],
)
def test_a_mistake_is_one_line(trace: Path, words: list[str], fault: str) -> None:
    said = play(trace, *words)
    assert said.exit_code != 0
    assert fault in str(said.exception), said.output
    assert "\n" not in str(said.exception)


@pytest.mark.parametrize("words", [["--start", "100"], ["--drop", "1"]])
def test_a_play_of_nothing_is_none(trace: Path, wires: tuple[str, str], words: list[str]) -> None:
    said = play(trace, "--to", wires[0], *words)
    assert f"nothing of {trace} was played" in str(said.exception)
    assert "(can0, can1)" in str(said.exception)
    other = play(trace, "--to", f"{wires[0]}=can9", *words)
    assert f"nothing of {trace} was played" in str(other.exception)


def test_alerts_are_looked_up_in_a_log_that_has_to_be_named(trace: Path, tmp_path: Path) -> None:
    (tmp_path / "expected.yaml").write_text("found: [{rule: command.drive}]", encoding="ascii")
    said = play(trace, "--to", "x", "--expect", tmp_path / "expected.yaml")
    assert "add --log" in str(said.exception)


def test_more_channels_than_wires_have_to_be_told_apart(trace: Path) -> None:
    trace.write_text("".join(f"({n}.000000) can{n} 123#00\n" for n in range(5)), encoding="ascii")
    said = play(trace, "--to", "a,b")
    assert "say which goes where: --to a=can0,b=can1" in str(said.exception)
