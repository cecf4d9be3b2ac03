"""A log's records, from a bundle that was verified first: what an outsider would read."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

_BUSGATE = [sys.executable, "-c", "from busgate.cli import main; main()"]


def records(log: Path, vkey: Path) -> list[dict[str, Any]]:
    """All records in order."""
    bundle = log.parent / f"bundle-{time.time_ns()}.zip"
    words = ["verify", str(log), "--vkey", str(vkey), "--bundle", str(bundle)]
    done = subprocess.run([*_BUSGATE, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = []
    with zipfile.ZipFile(bundle) as archive:
        for name in sorted(name for name in archive.namelist() if name.startswith("tile/entries/")):
            data = archive.read(name)
            while data:
                end = 2 + int.from_bytes(data[:2], "big")
                rows.append(json.loads(data[2:end]))
                data = data[end:]
    return rows
