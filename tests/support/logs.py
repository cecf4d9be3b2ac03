"""Events, logs and forgers' hands for tests of the signed log."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from busgate.model import Act, Alert, Argument, Party, Provenance, Reason, Severity, Subsystem
from busgate.record.entry import Quality, Record, encode, told
from busgate.record.incarnation import STORE_FILE
from busgate.record.log import Log
from busgate.record.merkle import leaf_hash
from busgate.trust.keys import test_signer
from busgate.trust.note import Signer

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors/transparency.json").read_text("utf-8"))
BOOT = "0123456789abcdef0123456789abcdef"
MS = 1_000_000


def alert(at: int = 0, **changes: Any) -> Alert:
    """A blocked drive command."""
    fields: dict[str, Any] = {
        "at": at,
        "cause": "VCU_Limit from 0x4A",
        "rule": "BG-DRIVE-1",
        "version": 1,
        "severity": Severity.CRITICAL,
        "subsystem": Subsystem.DRIVE,
        "act": Act.LIMIT,
        "name": "VCU_Limit",
        "source": Party("T-box", 0x4A),
        "target": Party("VCU", 0x27),
        "provenance": Provenance.PHYSICAL,
        "action": "block",
        "reason": Reason.NOT_ALLOWLISTED,
        "arguments": {"Torque": Argument(12.5, "%"), "Mode": Argument("off")},
        "state": {"speed": 31.25, "park_brake": "off"},
        "frame": "18EF274A#00FF",
    }
    return Alert(**(fields | changes))


def entry(event: Record, **changes: Any) -> bytes:
    """The entry of an event at a fixed place and time."""
    place: dict[str, Any] = {
        "seq": 7,
        "boot": BOOT,
        "bn": 2,
        "mono": 5,
        "wall_ns": 1_767_323_045_006_007_008,
        "wq": "ntp",
        "policy": (3, "ab" * 32),
    }
    return encode(told(event), **(place | changes))


def open_log(
    folder: Path | None,
    signer: Signer | None = None,
    *,
    device: str = "bus-1",
    boot: str = BOOT,
    now: int = 0,
    wall_offset: int | None = None,
    wq: Quality = "none",
) -> Log:
    """A log by the test key, unless another is given."""
    key = signer or test_signer("key")
    return Log.open(folder, key, device=device, boot=boot, now=now, wall_offset=wall_offset, wq=wq, software="1")


def write_log(folder: Path, flushes: int = 4, each: int = 3, signer: Signer | None = None) -> int:
    """A closed log of 2 + flushes * each records, signed after each flush; its size."""
    with open_log(folder, signer) as log:
        for flush in range(flushes):
            for number in range(each):
                log.record(alert(flush * 100 + number), flush * 1000 * MS)
            log.flush(flush * 1000 * MS)
        return log.size


def forge(folder: Path, *statements: tuple[str, tuple[object, ...]]) -> None:
    """What a hand with a copy of SQLite does to a log."""
    connection = sqlite3.connect(folder / STORE_FILE)
    for statement, values in statements:
        connection.execute(statement, values)
    connection.commit()
    connection.close()


def rows(folder: Path) -> list[tuple[int, bytes, bytes]]:
    """The stored records: index, bytes, leaf hash."""
    connection = sqlite3.connect(folder / STORE_FILE)
    found = connection.execute("SELECT idx, raw, leaf FROM entry ORDER BY idx").fetchall()
    connection.close()
    return found


def rewrite(folder: Path, change: Callable[[list[bytes]], list[bytes]], *, renumber: bool = True) -> None:
    """Replace all records as a careful forger does: with the hashes to fit and, if wanted, each `seq` to fit."""
    raws = change([raw for _, raw, _ in rows(folder)])
    if renumber:
        raws = [_renumbered(raw, index) for index, raw in enumerate(raws)]
    forge(
        folder,
        ("DELETE FROM entry", ()),
        *(("INSERT INTO entry VALUES (?, ?, ?)", (i, raw, leaf_hash(raw))) for i, raw in enumerate(raws)),
    )


def _renumbered(raw: bytes, index: int) -> bytes:
    fields = json.loads(raw)
    return raw if fields["seq"] == index else json.dumps(fields | {"seq": index}).encode()
