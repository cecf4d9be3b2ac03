"""`busgate capture` as its user sees it: what is heard and kept, and what is said of a user's mistakes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from busgate.bridge.capture import read
from busgate.bridge.port import BridgeError
from busgate.bridge.records import PACKET, Notes
from busgate.cli.capture import command
from busgate.model import BusgateError, Event, Held, Packet, Side
from busgate.service import listen
from busgate.service.places import scenario


def capture(*words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words], catch_exceptions=False)


class Wire:
    """An interface that has heard some packets, and nothing more after them."""

    packets: Sequence[Packet] = ()

    def __init__(self) -> None:
        self._left = list(self.packets)

    @classmethod
    def open(cls, _side: Side, name: str) -> Wire:
        if name == "nope":
            raise BridgeError("nope: this interface cannot be listened to (there is no such interface)")
        return cls()

    def wait(self, _seconds: float) -> bool:
        return bool(self._left)

    def read(self, _offset: int) -> list[Packet]:
        now, self._left = self._left[:64], self._left[64:]
        return now

    def again(self) -> bool:
        return False

    def losses(self) -> dict[str, int]:
        return {"receive_queue_full": 3}

    def close(self) -> None:
        return


RECORDING = scenario("recordings/stop-by-32960-2016.pcapng")


@pytest.fixture(autouse=True)
def _wire(monkeypatch: pytest.MonkeyPatch) -> None:
    with RECORDING.open("rb") as stream:
        records = list(read(stream, Notes()))
    later = time.time_ns() - records[-1][0]  # just now: what is older than a week is not kept
    packets = [
        Packet(at + later, Side.TBOX, link_type, data) for at, _, link_type, data, flags in records if flags == PACKET
    ]
    monkeypatch.setattr(Wire, "packets", packets)
    monkeypatch.setattr(listen, "Sniffer", Wire)


HEARD = ["wwan0", "--seconds", "0.3", "--address", "100.64.0.0/10"]


def test_a_command_is_told_in_a_line_and_service_is_not() -> None:
    said = capture(*HEARD)
    assert said.exit_code == 0
    assert [line for line in said.stdout.splitlines() if "critical" in line and "lock vehicle" in line]
    assert "login answer" not in said.stdout
    first, last = said.stderr.splitlines()
    assert first == "busgate: listening to wwan0; Ctrl-C ends"
    assert last.startswith("busgate: 11 packets, ")
    assert "receive_queue_full 3; " in last
    assert "gb32960 down 4" in last


def test_each_event_is_an_object_of_its_own() -> None:
    rows = [json.loads(line) for line in capture(*HEARD, "--report", "json", "--all").stdout.splitlines()]
    assert {row["type"] for row in rows} >= {"alert", "function"}
    (command_row,) = [row for row in rows if row["type"] == "alert" and row["rule"] == "cloud.command"]
    assert command_row["cloud"]["protocol"] == "gb32960"
    assert all(row["time"].startswith("20") for row in rows)


def test_what_is_heard_is_kept_so_that_it_can_be_read_again(tmp_path: Path) -> None:
    assert capture(*HEARD, "--evidence", tmp_path / "kept").exit_code == 0
    (file,) = (tmp_path / "kept").glob("*.pcapng")
    with file.open("rb") as stream:
        again = [data for _, _, _, data, flags in read(stream, Notes()) if flags == PACKET]
    assert again == [packet.data for packet in Wire.packets]


def test_wrong_addresses_are_said_even_if_nothing_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Wire, "packets", ())
    with pytest.raises(BusgateError, match="'foo' is neither an IP address nor a network"):
        capture("lo", "--address", "10.0.0.0/8", "--address", "foo", "--seconds", "0.1")


def test_nothing_foreign_reaches_the_terminal_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def hear(_wish: object, _going: object, tell: Callable[[Event], None], _begins: object) -> listen.Heard:
        tell(Held(5, "held", "5-0", HOSTILE, HOSTILE, 1, "", "", HOSTILE))
        return listen.Heard(0, 0, {}, {})

    monkeypatch.setattr(listen, "listen", hear)
    for style in ("text", "json"):
        said = capture("lo", "--report", style, "--all").stdout
        assert "u202e" in said
        assert all(line.isprintable() for line in said.split("\n"))


HOSTILE = "http://\x1b]0;pwn\x07\x1b[2J\u202eh\u2066.example/\x9b31m"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nope"], "nope: this interface cannot be listened to"),
        (["lo", "--address", "here"], "'here' is neither an IP address nor a network. Next: write"),
        (["lo", "--countries", "/nowhere.mmdb"], "/nowhere.mmdb: cannot be read"),
        (["lo", "--profile", "nowhere"], "nowhere"),
        (["lo", "--policy", "/nowhere.yaml"], "there is no file /nowhere.yaml"),
        (["lo", "--evidence", "/dev/null/x"], "evidence cannot be kept here"),
        (["lo", "--evidence", "kept", "--megabytes", "0"], "the evidence ring has room for less than two files"),
    ],
)
def test_a_mistake_is_said_in_one_line_before_anything_is_said_to_be_heard(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BusgateError, match=said) as fault:
        capture(*words, "--seconds", "0.1")
    assert "\n" not in str(fault.value)
