"""`busgate run`: a user's mistakes stop it before a wire is touched, in one line and with exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from busgate.cli.run import command
from busgate.model import BusgateError
from busgate.service.places import profile_folder
from busgate.trust.keys import load_signer, new_key, test_signer
from busgate.trust.note import sign

POLICY = (profile_folder("demo-ebus") / "policy.yaml").read_text(encoding="utf-8")


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    for name in ("operator", "bus-1"):
        new_key(name, tmp_path / f"{name}.key")
    signed = sign(POLICY, [load_signer(tmp_path / "operator.key")])
    (tmp_path / "policy.signed").write_text(signed, encoding="utf-8")
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "test.key").write_text(test_signer("x").private_text + "\n", encoding="utf-8")
    (tmp_path / "test.key").chmod(0o600)
    (tmp_path / "file").write_text("x", encoding="utf-8")
    return tmp_path


GOOD = {
    "--tbox": "virtual:a",
    "--vehicle": "virtual:b",
    "--profile": "demo-ebus",
    "--policy": "{desk}/policy.signed",
    "--operator": "{desk}/operator.key.vkey",
    "--key": "{desk}/bus-1.key",
    "--log": "{desk}/log",
}

MISTAKES: dict[str, tuple[dict[str, str], str]] = {
    "unsigned policy": ({"--policy": "{desk}/policy.yaml"}, "is not signed. Next: busgate policy sign"),
    "another operator": ({"--operator": "{desk}/bus-1.key.vkey"}, "the reader trusts bus-1"),
    "no policy": ({"--policy": "{desk}/none"}, "there is no file"),
    "no key": ({"--key": "{desk}/none"}, "there is no private key file"),
    "the test key": ({"--key": "{desk}/test.key"}, "is the published test key. Next: busgate keys new"),
    "no profile": ({"--profile": "nowhere"}, "nowhere"),
    "one wire for both": ({"--vehicle": "virtual:a"}, "is given twice"),
    "no such interface": ({"--tbox": "nonsense:a"}, "this wire cannot be opened"),
    "no interface": ({"--tbox": "can0"}, "write interface:channel"),
    "a multicast wire without a port": ({"--tbox": "udp_multicast:239.74.163.2"}, "names no port"),
    "two multicast wires of one port": (
        {"--tbox": "udp_multicast:239.74.163.2:4000", "--vehicle": "udp_multicast:239.74.163.3:4000"},
        "is given twice",
    ),
    "a file for the log": ({"--log": "{desk}/file"}, "is a file. Next: name a folder"),
    "no broker's address": ({"--mqtt": "http://x"}, "mqtt"),
    "a witness without a broker": ({"--witness": "x"}, "--witness needs --mqtt"),
    "an unsigned grant": ({"--grant": "{desk}/policy.yaml"}, "is not signed"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_one_line_and_nothing_runs(what: str, desk: Path) -> None:
    changes, told = MISTAKES[what]
    words = [word.format(desk=desk) for pair in (GOOD | changes).items() for word in pair]
    done = CliRunner().invoke(command, words)
    assert isinstance(done.exception, BusgateError), done
    assert told in str(done.exception)
    assert "\n" not in str(done.exception)
    assert "enforce between" not in done.output
