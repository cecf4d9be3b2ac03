"""The tests of tests/kernel/inside, each file on a kernel of its own that has CAN, so that several run at a time."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

KERNEL = Path(__file__).parents[1] / "kernel"
SKIPPED = 77
FILES = sorted(path.name for path in (KERNEL / "inside").glob("test_*.py"))


def test_there_is_something_to_test_in_the_guest() -> None:
    assert {"test_attack.py", "test_gate.py", "test_layers.py"} <= set(FILES)


@pytest.mark.parametrize("file", FILES)
def test_the_kernel_tests_pass_in_their_guest(file: str) -> None:
    words = [sys.executable, str(KERNEL / "boot.py"), "pytest", "-rA", f"tests/kernel/inside/{file}"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode == SKIPPED:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    why = re.findall(r"^SKIPPED .*: (.*)$", done.stdout, re.MULTILINE)
    if " passed" not in done.stdout and why:
        pytest.skip(why[0])
    assert " passed" in done.stdout
