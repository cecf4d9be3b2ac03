"""Whether a device's new log goes on where its last one ended.

Law: a log's first record names the log before it and that log's last signed head. A head that is smaller than what the
SOC has proven means that the device lost records, or was set back to an older copy.
"""

from __future__ import annotations

from collections.abc import Mapping

from busgate.model import BusgateError
from busgate.record.checkpoint import open_checkpoint
from busgate_soc.keyring import Trusted
from busgate_soc.ledger import Ledger


def unfollowed(last: Ledger, named: object, trusted: Trusted) -> str:
    """Why a device's new log does not go on where its `last` one ended, going by the log it names; "" when it does."""
    known = f"{last.proven} records of {last.incarnation} are here"
    note = named.get("checkpoint") if isinstance(named, Mapping) else None
    origin = named.get("origin") if isinstance(named, Mapping) else None
    if not isinstance(note, str) or not isinstance(origin, str):
        return f"it names no log before it, and {known}"
    if not origin.endswith(f"/log/{last.device}/{last.incarnation}"):
        return f"it names another log before it, and {known}"
    try:
        end = open_checkpoint(note, trusted.key.named(origin)).checkpoint
    except BusgateError:
        return f"the head that it names of the log before it is not signed by the same key, and {known}"
    return f"it says that the log before it ended at {end.size}, and {known}" if end.size < last.proven else ""
