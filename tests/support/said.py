"""What a process says while it runs, kept in a file: a pipe of which one line is read loses what came along with it."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from typing import IO


class Said:
    """Give its `file` to a process as `stderr`, then ask."""

    def __init__(self) -> None:
        self.file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  it lives as long as this

    def all(self) -> str:
        """Everything so far."""
        return os.pread(self.file.fileno(), 1 << 24, 0).decode()

    def first(self, process: subprocess.Popen[bytes], seconds: float = 60) -> str:
        """Its first line, once that is whole."""
        ended = time.monotonic() + seconds
        while "\n" not in self.all() and process.poll() is None:
            assert time.monotonic() < ended, f"it said nothing within {seconds} s"
            time.sleep(0.02)
        return self.all().partition("\n")[0]
