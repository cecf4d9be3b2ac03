"""The commands on docs/signed-log.md, run as they stand there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from busgate.record.evidence import export
from support.logs import write_log

PAGE = Path(__file__).parents[2] / "docs" / "signed-log.md"

pytestmark = pytest.mark.skipif(
    any(shutil.which(word) is None for word in ("openssl", "awk", "sed", "base64")),
    reason="openssl, awk, sed and base64 are not all installed here",
)


def commands() -> str:
    (block,) = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return str(block).replace("python3", sys.executable)


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-ec", commands()], cwd=folder, capture_output=True, text=True, check=False)


def test_they_verify_a_log(tmp_path: Path) -> None:
    write_log(tmp_path / "log", flushes=4, each=90)
    export(tmp_path / "log", tmp_path / "incident.zip")
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Signature Verified Successfully" in done.stdout
    assert "the records are the ones that were signed" in done.stdout


def test_they_refuse_a_record_that_was_changed(tmp_path: Path) -> None:
    write_log(tmp_path / "log")
    export(tmp_path / "log", tmp_path / "incident.zip")
    changed = (tmp_path / "incident.zip").read_bytes()
    subprocess.run(
        [sys.executable, "-c", FORGE, str(tmp_path / "incident.zip")], check=True, capture_output=True, text=True
    )
    assert (tmp_path / "incident.zip").read_bytes() != changed
    done = run(tmp_path)
    assert done.returncode != 0
    assert "the records are the ones that were signed" not in done.stdout


FORGE = """
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as old:
    members = {name: old.read(name) for name in old.namelist()}
with zipfile.ZipFile(sys.argv[1], "w") as new:
    for name, data in members.items():
        new.writestr(name, data.replace(b'"critical"', b'"harmless"') if name.startswith("tile/entries") else data)
"""
