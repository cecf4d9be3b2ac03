"""python-can without asammdf, which it imports where it is installed: pandas and all, seconds on a Raspberry Pi.

Law: only who reads an MDF file pays for that. A gate that was killed is back so much sooner.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_HEAVY = "asammdf"


@contextmanager
def without_mdf() -> Iterator[None]:
    """Import python-can, or what imports it (cantools), within; `can.io.mf4` finds no asammdf then."""
    if _HEAVY in sys.modules:
        yield
        return
    sys.modules[_HEAVY] = None  # type: ignore[assignment]  # as the import system has it: this one is not to be had
    try:
        yield
    finally:
        del sys.modules[_HEAVY]
