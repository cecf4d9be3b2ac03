"""The evidence ring: the last hours of every wire in pcapng files that anyone can read, in a bounded place.

Law: keeping never raises into the caller. What could not be kept is counted, and the next file says so in its first
block. A file is only ever added to, block by block, and never again once this process has ended: killed at any moment
it is whole up to the last block on disk. Files are closed by size and age, the oldest removed; the place they take
never exceeds the limit. What is written is handed to the kernel after `flush_ns` at the latest, and to the disk as
`sync_ns` says; a power cut costs what came since. Making the disk have it can take a while, so this belongs into no
loop that forwards. Not for several threads.

libpcap, and so tcpdump, reads only captures of one link type; Wireshark reads these files as they are. `slice` can pick
one link type.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from busgate.bridge import pcapng
from busgate.bridge.port import BridgeError
from busgate.bridge.ring_files import Kept, completed, found, joined, opened, selected
from busgate.model import Packet, Side, Unit

_RETRY_NS = 1_000_000_000
_STEP_BACK_NS = 1_000_000_000
"""A clock that was set back further begins a new file: within one, times run forwards but for what wires differ."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept, how long, and how surely."""

    file_bytes: int = 8 << 20
    file_ns: int = 600 * 1_000_000_000
    total_bytes: int = 256 << 20
    age_ns: int = 7 * 86_400 * 1_000_000_000
    """Files whose last unit is older are removed; 0 keeps them until room is needed.

    A clock that is set forward by more than this makes every file old at once.
    """
    flush_bytes: int = 1 << 16
    flush_ns: int = 200_000_000
    sync_ns: int = 10 * 1_000_000_000
    """Between two times that the disk is made to have everything; 0 leaves it to the kernel."""


_Of = tuple[type[Unit], Side, int, str]
"""What has an interface of its own: a kind of unit, a side, a link type, a wire's name."""


class _Current:
    """The file that is being written. Times are those of units, `began` that of the first."""

    __slots__ = ("began", "file", "flushed", "last", "numbers", "path", "size", "synced", "told", "units", "waiting")

    def __init__(self, path: Path, began: int, untold: int) -> None:
        self.path = path
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o640)
        self.began = self.last = self.flushed = self.synced = began
        self.numbers: dict[_Of, int] = {}
        self.told = untold  # losses that its first block tells, once that is written
        self.waiting = bytearray(pcapng.section(f"before this, {untold} units could not be kept" if untold else ""))
        self.units = 0
        self.size = 0


class Ring:
    """A ring of files in one folder. Use as a context manager or with `close`."""

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        """Raises BridgeError when the folder cannot be used."""
        self._folder = folder
        self._limits = limits or Limits()
        if self._limits.total_bytes < 2 * self._limits.file_bytes:
            raise BridgeError(
                f"{folder}: the evidence ring has room for less than two files; give it more, or make them smaller"
            )
        self._lost: Counter[str] = Counter()
        self._untold = 0
        self._retry = 0
        self._current: _Current | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.files = found(folder)
        except OSError as fault:
            raise BridgeError(f"{folder}: evidence cannot be kept here ({fault.strerror}); check the folder") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def keep(self, unit: Unit, offset: int = 0, name: str = "") -> bool:
        """Keep a unit; False, and counted, when that cannot be done.

        `offset` is Unix time less the timeline of the unit's `at`; `name` is the wire's.
        """
        at = unit.at + offset
        try:
            placed = self._place(at, unit, name)
        except OSError as fault:
            self._failed(at, fault)
            self._lose(1, fault.strerror)
            return False
        current = self._current
        if current is None or not placed:
            return False
        if len(current.waiting) >= self._limits.flush_bytes or at - current.flushed >= self._limits.flush_ns:
            try:
                self._flush(at)
            except OSError as fault:
                self._failed(at, fault)
                return False
        return True

    def tick(self, now: int) -> None:
        """What time alone brings about; `now` is Unix time in ns. Call it some times a second."""
        try:
            if (current := self._current) is not None:
                if now - current.began >= self._limits.file_ns:
                    self._finish()
                elif now - current.flushed >= self._limits.flush_ns:
                    self._flush(now)
            self._prune(now, 0)
        except OSError as fault:
            self._failed(now, fault)

    def slice(self, start: int, end: int, link_type: int | None = None, most: int = 64 << 20) -> bytes:
        """Everything kept from `start` to `end` (Unix ns, both included) as one pcapng file of at most `most` bytes.

        What had no room is the latest; the first block says so. Never raises: a file that cannot be read is told there.
        """
        remarks: list[str] = []
        self._flushed(remarks)
        numbers: dict[bytes, int] = {}
        parts: list[bytes] = []
        size = 0
        for path, first, last in self._spans():
            if first > end or last < start:
                continue
            try:
                data = path.read_bytes()
            except OSError as fault:
                remarks.append(f"{path.name} cannot be read ({fault.strerror})")
                continue
            for part in selected(data, start, end, link_type, numbers):
                size += len(part)
                if size > most:
                    remarks.append(f"there is more than {most} bytes; what is later was left out")
                    return joined(remarks, numbers, parts)
                parts.append(part)
        return joined(remarks, numbers, parts)

    def losses(self) -> Counter[str]:
        """Units that could not be kept, by reason."""
        return Counter(self._lost)

    def close(self) -> None:
        """Complete the file that is being written."""
        try:
            self._finish()
        except OSError as fault:
            self._failed(0, fault)

    def _place(self, at: int, unit: Unit, name: str) -> bool:
        """Put a unit among what waits to be written, in the file it belongs to; False while the disk has a rest."""
        current = self._current
        if current is not None and self._over(current, at):
            self._finish()
            current = None
        if current is None:
            if at < self._retry <= at + _RETRY_NS:
                self._lose(1, "waiting for the disk")
                return False
            current = self._begin(at)
        of = (unit.__class__, unit.side, unit.link_type if isinstance(unit, Packet) else 0, name)
        number = current.numbers.get(of)
        if number is None:
            told = pcapng.interface(pcapng.source(unit, name))
            block = told + pcapng.packet(len(current.numbers), at, unit)
        else:
            block = pcapng.packet(number, at, unit)
        if current.numbers and current.size + len(current.waiting) + len(block) > self._limits.file_bytes:
            self._finish()
            return self._place(at, unit, name)
        current.numbers.setdefault(of, len(current.numbers))
        current.waiting += block
        current.units += 1
        current.last = max(current.last, at)
        return True

    def _over(self, current: _Current, at: int) -> bool:
        return at - current.began >= self._limits.file_ns or at < current.last - _STEP_BACK_NS

    def _begin(self, at: int) -> _Current:
        self._prune(at, self._limits.file_bytes)
        while True:
            path = opened(self._folder, at)
            taken = any(kept.first == at for kept in self.files)
            if not taken:
                with contextlib.suppress(FileExistsError):
                    self._current = _Current(path, at, self._untold)
                    return self._current
            at += 1

    def _flush(self, now: int) -> None:
        """Hand what waits to the kernel; a write that fails leaves the file as it was before."""
        current = self._current
        if current is None:
            return
        current.flushed = now
        data = memoryview(bytes(current.waiting))
        while data:
            data = data[os.write(current.file, data) :]
        current.size += len(current.waiting)
        current.waiting.clear()
        current.units = 0
        self._untold, current.told = self._untold - current.told, 0
        if self._limits.sync_ns and now - current.synced >= self._limits.sync_ns:
            current.synced = now
            os.fdatasync(current.file)

    def _finish(self) -> None:
        """Complete the current file, under a name that tells its last unit's time."""
        current = self._current
        if current is None:
            return
        self._flush(current.last)
        if self._limits.sync_ns:
            os.fdatasync(current.file)
        self._current = None
        os.close(current.file)
        self._file_away(current)

    def _file_away(self, current: _Current) -> None:
        path = current.path.rename(completed(current.path, current.last))
        self.files.append(Kept(path, current.began, current.last, current.size))

    def _failed(self, at: int, fault: OSError) -> None:
        """A file that could not be written to is given up as far as it is whole; a new one is tried after a second."""
        self._retry = at + _RETRY_NS
        current, self._current = self._current, None
        if current is None:
            return
        if current.units:
            self._lose(current.units, fault.strerror)
        with contextlib.suppress(OSError):
            os.ftruncate(current.file, current.size)
        with contextlib.suppress(OSError):
            os.close(current.file)
        with contextlib.suppress(OSError):
            if current.size:
                self._file_away(current)
            else:
                current.path.unlink()

    def _lose(self, units: int, reason: str | None) -> None:
        self._untold += units
        self._lost[reason or "unknown"] += units

    def _prune(self, now: int, wanted: int) -> None:
        """Remove what is too old, and the oldest until there is room for a file of `wanted` bytes."""
        room = self._limits.total_bytes - wanted - (self._limits.file_bytes if self._current else 0)
        while self.files and (
            sum(kept.size for kept in self.files) > room
            or (self._limits.age_ns and self.files[0].last < now - self._limits.age_ns)
        ):
            self.files[0].path.unlink(missing_ok=True)
            del self.files[0]

    def _flushed(self, remarks: list[str]) -> None:
        if self._current is None:
            return
        last = self._current.last
        try:
            self._flush(last)
        except OSError as fault:
            self._failed(last, fault)
            remarks.append(f"the latest units could not be kept ({fault.strerror})")

    def _spans(self) -> list[tuple[Path, int, int]]:
        spans = [(kept.path, kept.first, kept.last) for kept in self.files]
        if self._current is not None:
            spans.append((self._current.path, self._current.began, self._current.last))
        # Units of several wires come a little out of order.
        return [(path, first - _STEP_BACK_NS, last) for path, first, last in spans]
