"""What an operator says of something held: marks, as files in a folder of their own.

Law: who may write that folder decides, and nobody else. The first mark counts. One that cannot be read is a refusal.
"""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from busgate.bridge.durable import write
from busgate.bridge.port import BridgeError

_MOST = 4096


class Decision(StrEnum):
    """What an operator can say of something held."""

    RELEASE = "release"
    REFUSE = "refuse"


class Mark(NamedTuple):
    """A decision: whose, why, and when (Unix time in ns)."""

    decision: Decision
    by: str
    reason: str
    at: int


class Marks:
    """The marks in a folder, each by the name of what it is about."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read yet."""
        self.folder = folder

    def read(self, name: str) -> Mark | None:
        """What has been said, or None as long as nothing was."""
        try:
            text = (self.folder / f"{name}.mark").read_bytes()[:_MOST]
        except FileNotFoundError:
            return None
        except OSError as fault:
            return Mark(Decision.REFUSE, "", f"the mark cannot be read: {fault.strerror}", 0)
        try:
            told = json.loads(text)
            by, reason = str(told["by"])[:200], str(told["reason"])[:500]
            f"{by}{reason}".encode()  # half a surrogate pair is no text
            return Mark(Decision(told["decision"]), by, reason, int(told["at"]))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return Mark(Decision.REFUSE, "", "the mark says nothing that can be understood", 0)

    def set(self, name: str, mark: Mark) -> None:
        """Say it, durably.

        Raises:
            BridgeError: it was said before, or this hand may not.
        """
        try:
            write(self.folder / f"{name}.mark", json.dumps(mark._asdict(), ensure_ascii=False), new=True)
        except FileExistsError:
            said = self.read(name) or mark
            raise BridgeError(f"{name} has been decided upon: {said.decision} by {said.by or 'nobody known'}") from None
        except UnicodeEncodeError:
            raise BridgeError("who decides and why has to be text. Next: write the reason in letters") from None
        except OSError as fault:
            raise BridgeError(
                f"the decision cannot be written to {self.folder}: {fault.strerror}. Next: as root, or as a member of "
                "the group that owns this folder"
            ) from None
