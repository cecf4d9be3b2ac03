"""What is held back until the operator says so: payloads on disk, and the marks that release or refuse them.

Law: what was finished survives a power cut, and what was not is told to be cut. The spool never grows beyond its limit:
what waits for a decision stays, and of the rest (decided, or lost since its conversation has ended) the oldest payload
goes first; its record with the SHA-256 remains. A damaged record is told to be one, and hides no other.

Who may decide (`hold_marks.py`) needs no right on the evidence.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import weakref
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from busgate.bridge.durable import write
from busgate.bridge.hold_marks import Mark, Marks
from busgate.bridge.port import BridgeError

MOST_BYTES = 2 << 30
SPARE_BYTES = 64 << 20
"""What is left to everybody else on the same file system."""
MOST_RECORDS = 1000
_MOST_WHY = 500
_STEP = 1 << 20
"""Room is made for so much at once."""
_PIECE = 1 << 16
_NAME = re.compile(r"[0-9]{1,20}-[0-9]{1,6}")
_SHA256 = re.compile(r"(?:[0-9a-f]{64})?")
_LAST = 253_402_300_800_000_000_000
"""The year 10000 in Unix time in ns: no time of ours lies there."""


class Unheld(NamedTuple):
    """That something could not be held, in one line: an answer, not an exception, since the bytes are foreign."""

    reason: str


@dataclass(frozen=True, slots=True)
class Held:
    """One payload. `about` are JSON values of whoever holds it: flow, URL, kind; `at` is Unix time in ns."""

    name: str
    at: int
    about: Mapping[str, Any]
    size: int
    sha256: str = ""
    """Lower-case hexadecimal; empty while the payload is still coming."""
    whole: bool = False
    """False also where its sender, the disk or the power broke off."""
    kept: bool = True
    """Whether the payload is still there, beside its record."""
    mark: Mark | None = None
    lost: str = ""
    """Why it has nowhere to go any more, though nobody has decided; empty as long as it has."""
    damaged: bool = False
    """Whether its record says nothing that can be understood: then the rest is what its name and its file tell."""


class Spool:
    """The payloads in a folder and the marks in another. One process writes payloads; any may list and mark."""

    def __init__(
        self, folder: Path, control: Path, most_bytes: int = MOST_BYTES, spare_bytes: int = SPARE_BYTES
    ) -> None:
        """Nothing is touched yet; the folders must be there before something is held or marked."""
        self.folder = folder
        self._marks = Marks(control)
        self._most, self._spare = most_bytes, spare_bytes
        self._coming: dict[str, int] = {}
        """Payloads that are being written, with the bytes that they may still write."""
        self._waiting: set[str] = set()
        """What this process has begun to hold, as long as its conversation stands."""
        self._here: int | None = None
        """The folder, open and locked for the others to see."""
        self._unwritten: set[str] = set()
        """What is lost, though its record cannot say so."""

    def begin(self, about: Mapping[str, Any], at: int) -> Holding | Unheld:
        """Hold something whose bytes are about to come."""
        if len(self._names()) >= MOST_RECORDS and not self._drop_oldest(record=True):
            return Unheld(f"{MOST_RECORDS} payloads are held, and each of them waits for a decision")
        try:
            name = self._free_name(at)
            write(self.folder / f"{name}.json", json.dumps({"at": at, "about": dict(about)}, ensure_ascii=False))
            file = os.open(self.folder / f"{name}.bin", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        except OSError as fault:
            return Unheld(f"nothing can be held in {self.folder}: {fault.strerror}")
        except (TypeError, ValueError) as fault:
            return Unheld(f"what is said about it is no JSON: {fault}")
        self._coming[name] = 0
        self._waiting.add(name)
        return Holding(self, Held(name, at, dict(about), 0), file)

    def everything(self) -> tuple[Held, ...]:
        """All that is or was held, the oldest first."""
        told = (self._read(name) for name in self._names())
        return tuple(each for each in told if each is not None)

    def show(self, name: str) -> Held:
        """One of them.

        Raises:
            BridgeError: there is none of this name.
        """
        held = self._read(name) if _NAME.fullmatch(name) else None
        if held is None:
            raise BridgeError(f"nothing is held under the name {name[:40]!r}. Next: busgate held list")
        return held

    def payload(self, name: str) -> Iterator[bytes]:
        """The bytes that were held, in pieces: as `Release.more` takes them.

        The last piece comes only once all together are what was written; otherwise BridgeError comes in its place.

        Raises:
            BridgeError: they are there no more, or not yet.
        """
        held = self.show(name)
        if not held.kept or not held.sha256:
            why = "gone" if not held.kept else "not known: its record is damaged" if held.damaged else "still coming"
            raise BridgeError(f"the payload of {name} is {why}")
        try:
            file = (self.folder / f"{name}.bin").open("rb")
        except OSError as fault:
            raise BridgeError(f"the payload of {name} cannot be read: {fault.strerror}") from None
        return _pieces(file, held)

    def mark(self, name: str, mark: Mark) -> None:
        """Release or refuse it, durably; what has been decided stays decided.

        Raises:
            BridgeError: there is nothing of this name, it is decided already, or this hand may not.
        """
        lost = self.show(name).lost
        if lost:
            raise BridgeError(
                f"{name} has nowhere to go any more: {lost}. Nothing can be decided; its payload stays as evidence. "
                f"Next: busgate held show {name}"
            )
        self._marks.set(name, mark)

    def lost(self, name: str, why: str) -> Unheld | None:
        """Record, durably, that it has nowhere to go any more: from now on nobody can decide, and it may go."""
        self._waiting.discard(name)
        held = self._read(name)
        if held is None or held.damaged:
            return None
        why = why.encode(errors="backslashreplace").decode()[:_MOST_WHY] or "its conversation is over"
        written = self.finished(replace(held, lost=why))
        if not isinstance(written, Unheld):
            return None
        self._unwritten.add(name)
        return written

    def decision(self, name: str) -> Mark | None:
        """What the operator has said, or None as long as nothing was said."""
        mark = self._marks.read(name)
        if mark is not None:
            self._waiting.discard(name)
        return mark

    def recover(self) -> tuple[Held, ...]:
        """Finish what an earlier process left, as cut or lost; for the one that writes, when it begins.

        Its conversations ended with that process, so what was not decided by then has nowhere to go. While another
        process works in this folder nothing is touched: what it holds may wait still.
        """
        if not self._alone():
            return ()
        return tuple(each for each in map(self._left, self.everything()) if isinstance(each, Held))

    def _alone(self) -> bool:
        """Whether no other process works here; from now on the others see that this one does."""
        try:
            if self._here is None:
                self._here = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                weakref.finalize(self, os.close, self._here)
            fcntl.flock(self._here, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # no folder, or a file system that knows no locks
            return True
        finally:
            if self._here is not None:
                with suppress(OSError):
                    fcntl.flock(self._here, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return True

    def _left(self, held: Held) -> Held | Unheld | None:
        if held.damaged or held.name in self._waiting:
            return None
        if held.mark is None and not held.lost:
            held = replace(held, lost="busgate ended before anything was decided")
        elif held.sha256:
            return None
        return self.finished(held) if held.sha256 else self._cut(held)

    def grant(self, name: str, size: int) -> Unheld | None:
        """See that a payload may write so many bytes more; of decided and lost ones the oldest go for it."""
        if self._coming.get(name, 0) < size:
            why = self._room_for(size + min(_STEP, self._most // 16))
            if why is not None:
                return why
            self._coming[name] = size + min(_STEP, self._most // 16)
        self._coming[name] -= size
        return None

    def _room_for(self, size: int) -> Unheld | None:
        while True:
            try:
                used = sum(each.stat().st_size for each in self.folder.glob("*.bin")) + sum(self._coming.values())
                disk = os.statvfs(self.folder)
            except OSError as fault:
                return Unheld(f"{self.folder} cannot be looked at: {fault.strerror}")
            if used + size > self._most:
                why = f"the spool is full: {used} of {self._most} bytes"
            elif disk.f_bavail * disk.f_frsize < size + self._spare:
                why = "the disk is full"
            else:
                return None
            if not self._drop_oldest(record=False):
                return Unheld(f"{why}, and all that is held waits for a decision")

    def finished(self, held: Held) -> Held | Unheld:
        """Write a payload's record; its bytes are durable already."""
        plain = {name: getattr(held, name) for name in ("at", "about", "size", "sha256", "whole")}
        plain |= {"lost": held.lost} if held.lost else {}
        try:
            write(self.folder / f"{held.name}.json", json.dumps(plain, ensure_ascii=False))
        except OSError as fault:
            return Unheld(f"the record of {held.name} cannot be written: {fault.strerror}")
        finally:
            self._coming.pop(held.name, None)
        return held

    def _cut(self, held: Held) -> Held | Unheld:
        try:
            with (self.folder / f"{held.name}.bin").open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            digest = hashlib.sha256().hexdigest()
        return self.finished(replace(held, sha256=digest, whole=False))

    def _names(self) -> list[str]:
        try:
            names = [each.stem for each in self.folder.glob("*.json") if _NAME.fullmatch(each.stem)]
        except OSError:
            return []
        return sorted(names, key=lambda name: tuple(map(int, name.split("-"))))

    def _read(self, name: str) -> Held | None:
        """What is known of it; None if there is nothing of this name."""
        try:
            size, kept = (self.folder / f"{name}.bin").stat().st_size, True
        except OSError:
            size, kept = 0, False
        mark = self._marks.read(name)
        try:
            told = json.loads((self.folder / f"{name}.json").read_bytes())
            held = _understood(name, told, size)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            held = Held(name, int(name.partition("-")[0]), {}, size, damaged=True)
        return replace(held, kept=kept, mark=mark)

    def _free_name(self, at: int) -> str:
        number = 0
        while (self.folder / f"{at}-{number}.json").exists():
            number += 1
        return f"{at}-{number}"

    def _drop_oldest(self, *, record: bool) -> bool:
        """Let go of the oldest payload that nobody waits for, or of its record, too; whether there was one."""
        for each in self.everything():
            if self._may_go(each) and (each.kept or record):
                try:
                    (self.folder / f"{each.name}.bin").unlink(missing_ok=True)
                    if record:
                        (self.folder / f"{each.name}.json").unlink()
                        self._unwritten.discard(each.name)
                except OSError:
                    continue
                return True
        return False

    def _may_go(self, held: Held) -> bool:
        """Whether it is decided or lost; a damaged record says neither, so it counts as lost unless it waits here."""
        if held.name in self._coming:
            return False
        lost = bool(held.lost) or held.name in self._unwritten or (held.damaged and held.name not in self._waiting)
        return held.mark is not None or lost


class Holding:
    """A payload that is coming."""

    def __init__(self, spool: Spool, begun: Held, file: int) -> None:
        """`file` is the descriptor that its bytes go to."""
        self.name = begun.name
        self._begun = begun
        self._spool = spool
        self._file: int | None = file
        self._digest = hashlib.sha256()
        self._size = 0

    def write(self, data: bytes) -> Unheld | None:
        """Keep some more bytes. After an answer the payload is cut where it was; nothing more is kept of it."""
        if self._file is None:
            return Unheld(f"{self.name} is not held any more")
        why = self._spool.grant(self.name, len(data))
        rest = memoryview(data)
        while why is None and rest:
            try:
                written = os.write(self._file, rest)
            except OSError as fault:
                why = Unheld(f"{self.name} cannot be written: {fault.strerror}")
                break
            self._digest.update(rest[:written])
            self._size += written
            rest = rest[written:]
        if why is not None:
            self.finish(whole=False)
        return why

    def finish(self, *, whole: bool = True) -> Held | Unheld:
        """It has come; when this returns it survives a power cut."""
        if self._file is None:
            return Unheld(f"{self.name} is not held any more")
        file, self._file = self._file, None
        try:
            os.fsync(file)
        except OSError:
            whole = False
        finally:
            os.close(file)
        digest = self._digest.hexdigest()
        return self._spool.finished(replace(self._begun, size=self._size, sha256=digest, whole=whole))


def _pieces(file: BinaryIO, held: Held) -> Iterator[bytes]:
    digest = hashlib.sha256()
    kept = b""
    with file:
        while data := file.read(_PIECE):
            digest.update(data)
            if kept:
                yield kept
            kept = data
    if digest.hexdigest() != held.sha256:
        raise BridgeError(f"the payload of {held.name} is not what was held: its SHA-256 differs")
    yield kept


def _understood(name: str, told: Any, size: int) -> Held:
    """A record as it was written.

    Raises:
        ValueError, KeyError, TypeError: it was not written so.
    """
    at, about, size = told["at"], told["about"], told.get("size", size)
    sha256, whole, lost = told.get("sha256", ""), told.get("whole", False), told.get("lost", "")
    numbers = type(at) is int and 0 <= at < _LAST and type(size) is int and size >= 0
    texts = isinstance(about, dict) and isinstance(sha256, str) and isinstance(lost, str)
    if not numbers or not texts or not isinstance(whole, bool) or not _SHA256.fullmatch(sha256):
        raise ValueError("this is no record")
    json.dumps(told, ensure_ascii=False).encode()  # half a surrogate pair is no text
    return Held(name, at, about, size, sha256, whole, lost=lost)
