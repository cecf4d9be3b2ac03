"""The files of an evidence ring: how they are named, which are there, and a span of time cut out of them.

Law: a name tells the times of a file's first and last unit, so that nothing need be read to find a moment; a file whose
name says `open` was not completed, and is read up to where it was cut.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from busgate.bridge import pcapng

_NAME = re.compile(r"evidence-(\d{20})-(\d{20}|open)\.pcapng")


@dataclass(frozen=True, slots=True)
class Kept:
    """One file of the ring that is complete; times are Unix time in ns of its first and last unit."""

    path: Path
    first: int
    last: int
    size: int


def opened(folder: Path, first: int) -> Path:
    """The file that is written from a moment on."""
    return folder / f"evidence-{max(0, first):020d}-open.pcapng"


def completed(path: Path, last: int) -> Path:
    """What a file is called once its last unit is known."""
    return path.with_name(path.name.replace("open", f"{max(0, last):020d}"))


def found(folder: Path) -> list[Kept]:
    """The files that are there, oldest first. One that was left open gets its last unit's time, and is not touched."""
    files = []
    for path in sorted(folder.iterdir()):
        match = _NAME.fullmatch(path.name)
        if match is None:
            continue
        first = int(match[1])
        if match[2] == "open":
            data = path.read_bytes()
            times = [
                pcapng.packet_time(data, block.start)[1] for block in pcapng.blocks(data) if block.kind == pcapng.PACKET
            ]
            last = max(times, default=first)
            complete = path.rename(completed(path, last))
            files.append(Kept(complete, first, last, len(data)))
        else:
            files.append(Kept(path, first, int(match[2]), path.stat().st_size))
    return files


def selected(data: bytes, start: int, end: int, link_type: int | None, numbers: dict[bytes, int]) -> list[bytes]:
    """The packet blocks of one file that lie in the span, with the interfaces they need added to `numbers`."""
    interfaces: list[bytes] = []
    parts = []
    for kind, begin, stop in pcapng.blocks(data):
        if kind == pcapng.INTERFACE:
            interfaces.append(data[begin:stop])
        elif kind == pcapng.PACKET:
            number, at = pcapng.packet_time(data, begin)
            if not start <= at <= end or number >= len(interfaces):
                continue
            told = interfaces[number]
            if link_type is None or pcapng.link_type(told) == link_type:
                parts.append(pcapng.renumbered(data[begin:stop], numbers.setdefault(told, len(numbers))))
    return parts


def joined(remarks: list[str], numbers: dict[bytes, int], parts: list[bytes]) -> bytes:
    """One file of the interfaces and packets that `selected` found, with remarks in its first block."""
    return b"".join((pcapng.section("; ".join(remarks)), *numbers, *parts))
