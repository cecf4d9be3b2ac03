"""Entries, declarations and logs for tests of the disclosure report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from busgate.record.entry import Told
from busgate.record.log import Log
from busgate.service.declaration import Declaration, load_text
from busgate.service.inventory import Inventory, Source
from busgate.service.remote_function import RemoteFunction
from busgate.trust.keys import test_signer

START = 1_772_433_600_000_000_000
SECOND = 1_000_000_000


def drive(seconds: int = 0, **changes: Any) -> dict[str, Any]:
    """An alert about a command to the drive on CAN."""
    return {
        "type": "alert",
        "at": str(START + seconds * SECOND),
        "cause": "drive",
        "rule": "command.drive",
        "version": 1,
        "severity": "critical",
        "subsystem": "drive",
        "act": "stop",
        "name": "TboxDriveCommand",
        "source": {"name": "TBOX", "address": None},
        "target": {"name": "VCU", "address": 0x27},
        "provenance": "physical",
        "action": "would_block",
        "reason": "not_allowlisted",
        "allow_rule": "",
        "detail": "",
        "arguments": {"TorqueLimit": {"value": 0.0, "unit": "%"}},
        "state": {},
        "frame": "510#0200FFFFFFFFFFFF",
        **changes,
    }


def cloud(seconds: int = 0, **changes: Any) -> dict[str, Any]:
    """A command of the platform's to the T-box."""
    return {
        "type": "function",
        "interface": "ip",
        "at": str(START + seconds * SECOND),
        "protocol": "jt808",
        "direction": "down",
        "name": "terminal control",
        "code": 0x8105,
        "subsystem": "drive",
        "act": "stop",
        "rule": "cloud.command",
        "endpoint": "198.51.100.9:6000",
        "host": "",
        "country": "CN",
        "grant": "",
        "provenance": "physical",
        "count": 1,
        "passed": 0,
        "blocked": 1,
        "first": str(START + seconds * SECOND),
        "last": str(START + seconds * SECOND),
        "watched": False,
        "final": True,
        **changes,
    }


def text_message(seconds: int = 0, **changes: Any) -> dict[str, Any]:
    """The same by short message."""
    sms = {"interface": "sms", "protocol": "sms", "name": "vendor text command", "code": None, "country": ""}
    return cloud(seconds, **(sms | {"endpoint": "+31600000001"} | changes))


def placed(entries: Iterable[Mapping[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    """Entries as a log holds them: each with its place and a wall clock."""
    rows = []
    for index, entry in enumerate(entries):
        seconds = (int(entry.get("at", START)) - START) // SECOND
        wall = f"2026-03-02T06:{40 + seconds // 60:02d}:{seconds % 60:02d}.000000Z"
        rows.append((index, {"wall": wall, "mono": entry.get("at", str(START)), "boot": "b", **entry}))
    return rows


def read(*entries: Mapping[str, Any]) -> Inventory:
    """What an inventory makes of some entries."""
    inventory = Inventory()
    inventory.add_log(Source("log"), placed(entries))
    return inventory


def only(inventory: Inventory) -> RemoteFunction:
    """The one function that there is."""
    (row,) = inventory.functions.values()
    return row


def declared(*functions: str) -> Declaration:
    """A declaration of functions, each as the inside of a YAML flow mapping."""
    why = "purpose: for a test, "
    rows = "".join(f"  - {{{'' if 'purpose:' in function else why}{function}}}\n" for function in functions)
    head = "declaration: test\nversion: 1\nvendor: Example\ndate: 2026-11-01\n"
    return load_text(f"{head}functions:\n{rows}" if rows else f"{head}functions: []\n", "vendor.yaml")


def write_log(folder: Path, *entries: Mapping[str, Any], device: str = "bus-1") -> Path:
    """A signed log of entries, whatever their type."""
    signer = test_signer("key")
    with Log.open(folder, signer, device=device, boot="ab" * 16, now=START, wall_offset=0, wq="ntp") as log:
        for entry in entries:
            fields = {name: value for name, value in entry.items() if name != "type"}
            log.write(Told(entry["type"], fields), int(entry["at"]))
    return folder
