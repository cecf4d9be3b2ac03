"""The cellular side as a modem tells it: which SIM, which operator, which network, which cell, and what changed.

Identities are raw here (`iccid`, `imsi`, `modem`); whoever writes or sends them hashes or drops them first.
"""

from __future__ import annotations

from typing import NamedTuple


class ModemState(NamedTuple):
    """One modem as it stands, told whenever something of it changed. A text is "" and a number None while unknown.

    `changed` names the fields that differ from what was told last of the same modem; "added" and "removed" stand there
    when the modem came or went. A modem that comes back with another SIM is `("added", "iccid", "imsi", ...)`.
    """

    at: int
    """When it was heard, ns on the bridge's timeline."""
    modem: str
    """The IMEI; where a modem tells none, its device identifier, else its D-Bus path."""
    iccid: str = ""
    """The SIM card's number (ITU-T E.118), 19 or 20 digits."""
    imsi: str = ""
    """The subscriber's number (ITU-T E.212), at most 15 digits."""
    operator_code: str = ""
    """The network that it is registered with: MCC and MNC, 5 or 6 digits."""
    operator_name: str = ""
    """That network's name, as the modem says it."""
    registration: str = ""
    """TS 27.007 +CREG in words: "idle", "home", "searching", "denied", "unknown", "roaming", ..."""
    roaming: bool | None = None
    """Whether the network is another than the SIM's own; None where it is registered with none."""
    state: str = ""
    """The modem's own state: "failed", "locked", "disabled", "enabled", "registered", "connected", ... or "removed"."""
    technology: str = ""
    """Radio access in use: "gsm", "umts", "lte", "5gnr", ...; several at once are joined with a plus."""
    signal: int | None = None
    """Signal quality, 0 to 100 percent."""
    lac: int | None = None
    """Location area code; on LTE and 5G the tracking area code (TS 23.003, 4.1 and 19.4.2.3)."""
    cell: int | None = None
    """Cell identity (TS 23.003, 4.3.1)."""
    changed: tuple[str, ...] = ()


class ModemService(NamedTuple):
    """Whether modems can be watched at all; told when that changes, and first of all things.

    `reason` says in one line why not and what to do next; "" while it is `available`.
    """

    at: int
    available: bool
    reason: str = ""
