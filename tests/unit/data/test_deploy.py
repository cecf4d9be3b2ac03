"""What is installed: the example settings, the units and the pages say what the program does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from busgate.cli import COMMANDS
from busgate.model import Mode
from busgate.service import load
from busgate.service.boundary import fence_of
from busgate.settings import Settings, read_settings

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def test_the_example_settings_are_read_and_say_all_that_a_gate_needs() -> None:
    settings = load.settings(DEPLOY / "busgate.yaml")
    needed = ("tbox", "vehicle", "profile", "policy", "operator", "key", "log", "device", "keeper", "switch")
    assert [name for name in needed if getattr(settings, name) is None] == []


def test_the_page_tells_every_field_there_is_and_no_other() -> None:
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    table = page.split("## Settings")[1].split("## Start")[0]
    told = {name for row in re.findall(r"^\| (.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert told == set(Settings.model_fields)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_starts_what_there_is_under_a_user_that_is_made(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    start = re.search(r"^ExecStart=/usr/bin/busgate (\w+) --config /etc/busgate/busgate.yaml$", text, re.MULTILINE)
    assert start
    assert start[1] in COMMANDS
    user = re.search(r"^User=(\S+)$", text, re.MULTILINE)
    assert user
    assert f"u {user[1]} " in (DEPLOY / "systemd" / "busgate.sysusers").read_text(encoding="utf-8")
    for needed in ("WatchdogSec=", "Restart=always", "NoNewPrivileges=yes", "ProtectSystem=strict"):
        assert needed in text


def test_the_gate_cannot_speak_ip_and_the_keeper_cannot_speak_can() -> None:
    families = {}
    for unit in UNITS:
        line = re.search(r"^RestrictAddressFamilies=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)
        assert line
        families[unit.stem] = set(line[1].split())
    assert not families["busgate-gate"] & {"AF_INET", "AF_INET6"}
    assert "AF_CAN" not in families["busgate-keeper"] | families["busgate-net"]
    assert families["busgate-net"] >= {"AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET", "AF_UNIX"}


def test_the_air_side_in_the_example_is_complete_once_its_comment_signs_are_gone() -> None:
    text = (DEPLOY / "busgate.yaml").read_text(encoding="utf-8")
    block = re.search(r"^# network:.*?(?=^\n|\Z)", text, re.MULTILINE | re.DOTALL)
    assert block
    settings = read_settings(re.sub(r"^# ", "", block[0], flags=re.MULTILINE), Path("/etc/busgate/busgate.yaml"))
    air = settings.network
    assert air is not None
    assert None not in {air.uplink, air.memory, air.evidence, air.hold, air.exchange}
    assert fence_of(air, str(air.uplink), None, Mode.MONITOR).masquerade


def test_no_service_can_release_what_is_held() -> None:
    users = (DEPLOY / "systemd" / "busgate.sysusers").read_text(encoding="utf-8")
    assert "g busgate-release -" in users
    assert not re.findall(r"^m \S+ busgate-release", users, re.MULTILINE)
    folders = (DEPLOY / "systemd" / "busgate.tmpfiles").read_text(encoding="utf-8")
    assert "d /var/lib/busgate/marks 2775 root busgate-release -" in folders
    for unit in UNITS:
        written = re.findall(r"^(?:ReadWritePaths|StateDirectory)=(.*)$", unit.read_text("utf-8"), re.MULTILINE)
        assert "marks" not in " ".join(written)


def test_forwarding_is_set_once_the_fence_stands_and_not_at_boot() -> None:
    script = (DEPLOY / "setup" / "into_system.sh").read_text(encoding="utf-8")
    place = re.search(r"^put 644 deploy/sysctl/forwarding.conf (\S+)$", script, re.MULTILINE)
    assert place
    assert "sysctl.d" not in place[1]
    unit = (DEPLOY / "systemd" / "busgate-net.service").read_text(encoding="utf-8")
    assert f"ExecStartPost=+/usr/lib/systemd/systemd-sysctl {place[1]}\n" in unit
    assert "After=" in unit
    assert "nftables.service" in unit.split("After=")[1].splitlines()[0]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_every_unit_is_installed(unit: Path) -> None:
    script = (DEPLOY / "setup" / "into_system.sh").read_text(encoding="utf-8")
    assert f"put 644 deploy/systemd/{unit.name} /usr/lib/systemd/system/{unit.name}\n" in script


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_understands_every_line_of_a_unit(unit: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    wrong = [line for line in done.stderr.splitlines() if unit.name in line and "is not executable" not in line]
    assert wrong == []


@pytest.mark.skipif(
    shutil.which("systemd-sysusers") is None or os.geteuid() != 0, reason="takes systemd-sysusers, and root"
)
def test_users_groups_and_folders_are_made(tmp_path: Path) -> None:
    for folder in ("etc", "run"):
        (tmp_path / folder).mkdir()
    for words in (["systemd-sysusers"], ["systemd-tmpfiles", "--create"]):
        kind = words[0].removeprefix("systemd-")
        subprocess.run([*words, f"--root={tmp_path}", DEPLOY / "systemd" / f"busgate.{kind}"], check=True)
    groups = (tmp_path / "etc" / "group").read_text(encoding="utf-8")
    assert re.search(r"^busgate:x:\d+:busgate-gate,busgate-keeper,busgate-net,busgate-panel$", groups, re.MULTILINE)
    assert re.search(r"^busgate-release:x:\d+:$", groups, re.MULTILINE)
    modes = {path.name: f"{path.stat().st_mode & 0o7777:o}" for path in (tmp_path / "var/lib/busgate").iterdir()}
    assert modes == {"switch": "2770", "log": "750", "held": "2750", "marks": "2775"}
