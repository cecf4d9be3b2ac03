"""What the installer sets: read, placed, refused by name, and under what the command line says."""

from __future__ import annotations

from pathlib import Path

import pytest

from busgate.model import BusgateError, Mode
from busgate.service import load
from busgate.settings import Settings

WRITTEN = """\
tbox: socketcan:can1
vehicle: socketcan:can0
profile: demo-ebus
policy: policy.yaml.signed
operator: operator.vkey
key: device.key
log: /var/lib/busgate/log
mode: enforce
broker:
  url: mqtts://soc.example:8883
  witnesses: [soc.vkey, "soc.example+1234abcd+AAAA"]
"""


def written(folder: Path, text: str = WRITTEN) -> Path:
    path = folder / "busgate.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_paths_are_taken_from_the_files_own_folder_and_names_stay_names(tmp_path: Path) -> None:
    (tmp_path / "soc.vkey").write_text("x")
    read = load.settings(written(tmp_path))
    assert (read.tbox, read.mode, read.profile) == ("socketcan:can1", Mode.ENFORCE, "demo-ebus")
    assert read.policy == str(tmp_path / "policy.yaml.signed")
    assert read.log == "/var/lib/busgate/log"
    assert read.operator == "operator.vkey", "a key may be text: only a file that is there is placed"
    assert read.broker is not None
    assert read.broker.witnesses == (str(tmp_path / "soc.vkey"), "soc.example+1234abcd+AAAA")


def test_an_option_stands_above_the_file_and_no_option_says_nothing(tmp_path: Path) -> None:
    read = load.settings(written(tmp_path)).over(tbox="virtual:a", vehicle=None, grants=(), kernel=False)
    assert (read.tbox, read.vehicle, read.grants, read.kernel) == ("virtual:a", "socketcan:can0", (), False)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "tbox: a\nspeed: 3\n",
            r"busgate.yaml:2: speed: there is no such field; see docs/install.md for the ones there are",
        ),
        ("mode: off\n", r"busgate.yaml:1: mode: "),
        ("broker: {url: x, key: y}\n", "certificate and key are given together"),
        ("- tbox\n", "expected fields"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(BusgateError, match=told):
        load.settings(written(tmp_path, text))


def test_a_file_that_is_not_there_or_not_text_says_so(tmp_path: Path) -> None:
    with pytest.raises(BusgateError, match=r"there is no file .*none\.yaml\. Next: "):
        load.settings(tmp_path / "none.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BusgateError, match="UTF-8"):
        load.settings(tmp_path / "bytes.yaml")


def test_what_nobody_set_is_asked_for() -> None:
    with pytest.raises(BusgateError, match="nobody said what --vehicle is"):
        Settings(tbox="a").needed("tbox", "vehicle")
