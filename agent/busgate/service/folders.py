"""The folders in which the air side keeps what was heard and what waits, out of the installer's settings.

Law: a folder that cannot be used is said at the start. A hold that turned out to have no room would refuse everything.
"""

from __future__ import annotations

import os
from pathlib import Path

from busgate.bridge.hold import Spool
from busgate.bridge.ring import Limits, Ring
from busgate.model import BusgateError
from busgate.settings import Evidence, Hold

_DAY_NS = 86_400_000_000_000


def spool_of(hold: Hold) -> Spool:
    """Where what waits for the operator is kept; what an earlier run left unfinished there is closed as cut.

    Raises:
        BusgateError: it could not be kept there, or the operator's marks could not be read.
    """
    for name, folder, right, what in (
        ("folder", hold.folder, os.W_OK, "written"),
        ("marks", hold.marks, os.R_OK, "read"),
    ):
        if not Path(folder).is_dir():
            raise BusgateError(f"network.hold.{name}: there is no folder {folder}. Next: make it, or name another")
        if not os.access(folder, right | os.X_OK):
            raise BusgateError(f"network.hold.{name}: {folder} cannot be {what}. Next: check whose it is (ls -ld)")
    spool = Spool(Path(hold.folder), Path(hold.marks), hold.megabytes << 20)
    spool.recover()
    return spool


def ring_of(evidence: Evidence) -> Ring:
    """Where the last traffic is kept.

    Raises:
        BridgeError: nothing can be kept there.
    """
    return Ring(Path(evidence.folder), Limits(total_bytes=evidence.megabytes << 20, age_ns=evidence.days * _DAY_NS))
