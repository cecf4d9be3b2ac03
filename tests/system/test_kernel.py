"""The tests of tests/kernel/inside, on a kernel of their own that has CAN."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BOOT = Path(__file__).parents[1] / "kernel" / "boot.py"
SKIPPED = 77


def test_the_kernel_tests_pass_in_their_guest() -> None:
    done = subprocess.run([sys.executable, BOOT, "pytest", "-rA"], capture_output=True, text=True, check=False)
    if done.returncode == SKIPPED:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
