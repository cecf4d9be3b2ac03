"""`busgate net`: a user's mistakes stop it before an interface is touched, in one line and with exit code 2."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from busgate.bridge import firewall
from busgate.cli.net import command
from busgate.model import BusgateError, Mode
from busgate.service import net
from busgate.settings import Settings
from busgate.trust.keys import load_signer, new_key, test_signer
from busgate.trust.note import sign

POLICY = """\
policy: p
version: 1
allow: []
network:
  endpoints: [{id: platform, addresses: 203.0.113.10, ports: 6808, speaks: jt808}]
"""


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    for name in ("operator", "bus-1"):
        new_key(name, tmp_path / f"{name}.key")
    signed = sign(POLICY, [load_signer(tmp_path / "operator.key")])
    (tmp_path / "policy.signed").write_text(signed, encoding="utf-8")
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "test.key").write_text(test_signer("x").private_text + "\n", encoding="utf-8")
    (tmp_path / "test.key").chmod(0o600)
    (tmp_path / "bad.mmdb").write_bytes(b"no table" * 40)
    (tmp_path / "held").mkdir()
    return tmp_path


GOOD = {
    "--interface": "nope0",
    "--uplink": "nope1",
    "--address": "192.168.8.0/24",
    "--profile": "generic-j1939",
    "--policy": "{desk}/policy.signed",
    "--operator": "{desk}/operator.key.vkey",
    "--key": "{desk}/bus-1.key",
    "--log": "{desk}/log",
    "--hold": "{desk}/held",
}


def words(desk: Path, changed: dict[str, str | None]) -> list[str]:
    return [
        word.format(desk=desk)
        for option, value in (GOOD | changed).items()
        if value is not None
        for word in (option, value)
    ]


MISTAKES: dict[str, tuple[dict[str, str | None], str]] = {
    "no such interface": ({}, "nope0: this interface cannot be listened to"),
    "no interface": ({"--interface": None, "--uplink": None}, "network interface is. Next: give --interface"),
    "an unsigned policy": ({"--policy": "{desk}/policy.yaml"}, "is not signed. Next: busgate policy sign"),
    "another operator": ({"--operator": "{desk}/bus-1.key.vkey"}, "the reader trusts bus-1"),
    "no policy": ({"--policy": None}, "nobody said what --policy is. Next: give the option"),
    "no log": ({"--log": None}, "nobody said what --log is"),
    "no key": ({"--key": None}, "nobody said what --key is"),
    "the test key": ({"--key": "{desk}/test.key"}, "is the published test key. Next: busgate keys new"),
    "no profile": ({"--profile": "nowhere"}, "nowhere"),
    "a damaged table": ({"--countries": "{desk}/bad.mmdb"}, "this is no table of countries, or a damaged one"),
    "no table": ({"--countries": "{desk}/none.mmdb"}, "cannot be read"),
    "a witness without a broker": ({"--witness": "x"}, "--witness needs --mqtt"),
    "no address": ({"--address": "foo"}, "'foo' is neither an IP address nor a network"),
    "no settings": ({"--config": "{desk}/none.yaml"}, "there is no file"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_said_in_one_line(desk: Path, mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(net, "Companion", _NoKeeper)
    changed, said = MISTAKES[mistake]
    with pytest.raises(BusgateError) as fault:
        CliRunner().invoke(command, words(desk, changed), catch_exceptions=False)
    assert said in str(fault.value)
    assert "\n" not in str(fault.value)


class _NoKeeper:
    """A keeper that is never reached, so that no process is started."""

    def __init__(self, _words: object) -> None:
        self.connect = lambda: None

    def start(self) -> None:
        return None

    def wait(self, _seconds: float) -> None:
        return None


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    seen: list[Settings] = []
    monkeypatch.setattr(net, "run", lambda settings, *_: seen.append(settings))
    return seen


def test_options_stand_above_the_file_and_the_rest_of_the_file_stays(desk: Path, asked: list[Settings]) -> None:
    (desk / "busgate.yaml").write_text(
        "network:\n  tbox: eth1\n  uplink: wwan0\n  addresses: [10.0.0.0/8]\n  port: 9000\n  masquerade: true\n",
        encoding="utf-8",
    )
    changed: dict[str, str | None] = {"--config": "{desk}/busgate.yaml", "--interface": None, "--mode": "monitor"}
    said = CliRunner().invoke(command, words(desk, changed))
    assert said.exit_code == 0, said.output
    (settings,) = asked
    air = settings.network
    assert air is not None
    assert (air.tbox, air.uplink, air.addresses, air.port) == ("eth1", "nope1", ("192.168.8.0/24",), 9000)
    assert air.masquerade
    assert air.hold is not None
    assert (air.hold.folder, air.hold.marks) == (str(desk / "held"), str(desk / "held"))
    assert settings.mode is Mode.MONITOR


def test_with_a_keeper_and_a_name_no_key_is_needed(desk: Path, asked: list[Settings]) -> None:
    changed: dict[str, str | None] = {"--key": None, "--keeper": "{desk}/keeper.sock", "--device": "bus-1"}
    said = CliRunner().invoke(command, words(desk, changed))
    assert said.exit_code == 0, said.output
    assert asked[0].keeper == f"{desk}/keeper.sock"


def test_the_fence_is_taken_away_without_any_other_word(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    monkeypatch.setattr(firewall, "remove", lambda: taken.append("away"))
    said = CliRunner().invoke(command, ["--clear"])
    assert (said.exit_code, taken) == (0, ["away"])
    assert said.output.startswith("the fence is gone")


@pytest.mark.parametrize("written", [None, "network: [", "nobody: knows\n"])
def test_settings_that_cannot_be_read_stop_the_clearing_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str | None
) -> None:
    taken: list[str] = []
    monkeypatch.setattr(firewall, "remove", lambda: taken.append("away"))
    path = tmp_path / "busgate.yaml"
    if written is not None:
        path.write_text(written, encoding="utf-8")
    with pytest.raises(BusgateError, match=r"busgate\.yaml"):
        CliRunner().invoke(command, ["--clear", "--config", str(path)], catch_exceptions=False)
    assert taken == []


def test_what_the_gate_says_is_printable(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def speaks(_settings: object, _again: object, _stop: object, say: Callable[[str], None]) -> None:
        say("modem \x1b[2J\u202e\x9b")

    monkeypatch.setattr(net, "run", speaks)
    said = CliRunner().invoke(command, words(desk, {}))
    assert said.stderr == "busgate: modem \\x1b[2J\\u202e\\x9b\n"
