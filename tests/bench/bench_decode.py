"""DBC decoding against cantools `decode_message`: the same payloads, in the same run, taking turns."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import cantools
from turns import medians

from busgate.decode.dbc import Database
from busgate.model import IDENTIFIER

DBC = Path(__file__).parent.parent / "vectors" / "dbc" / "bus.dbc"
TURNS = 11
PAYLOADS = 200
"""Per message; each is one that cantools decodes."""
PASSES = 20
"""Over all payloads in one turn, so that a turn is long against what the clock can tell apart."""


def rows() -> list[dict[str, Any]]:
    """Two comparisons over every message of `bus.dbc`: all signals as a dictionary, and the first and last only."""
    text = DBC.read_text(encoding="utf-8")
    peer: Any = cantools.database.load_string(text, "dbc")
    database = Database.load({DBC.name: text})
    frames = _frames(peer, database) * PASSES
    readers = {
        decoder.can_id: decoder.reader([decoder.signals[0], decoder.signals[-1]])
        for decoder in database.decoders.values()
    }

    def cantools_whole() -> None:
        for can_id, data in frames:
            peer.decode_message(can_id & IDENTIFIER, data)

    def whole() -> None:
        for can_id, data in frames:
            decoder = database.find(can_id)
            if decoder is not None:
                decoder.decode(data)

    def two() -> None:
        for can_id, data in frames:
            readers[can_id](data)

    seconds = medians({"cantools": cantools_whole, "whole": whole, "two": two}, TURNS)
    theirs, ours, reading = (taken / len(frames) * 1e9 for taken in seconds.values())
    against = f"cantools decode_message, {theirs:.0f} ns"
    return [
        {
            "name": "decode to a dictionary",
            "value": ours,
            "unit": "ns/message",
            "peer": against,
            "ratio": theirs / ours,
        },
        {"name": "read 2 signals", "value": reading, "unit": "ns/message", "peer": against, "ratio": theirs / reading},
    ]


def _frames(peer: Any, database: Database) -> list[tuple[int, bytes]]:
    """Random payloads for every message, in random order, the same each time."""
    chance = random.Random(20)
    frames = []
    for decoder in database.decoders.values():
        found = 0
        while found < PAYLOADS:
            data = bytes(chance.choice((chance.randrange(256), chance.randrange(4))) for _ in range(decoder.length))
            if isinstance(decoder.decode(data), dict):
                peer.decode_message(decoder.can_id & IDENTIFIER, data)
                frames.append((decoder.can_id, data))
                found += 1
    chance.shuffle(frames)
    return frames


if __name__ == "__main__":
    for row in rows():
        print(row)
