"""What is held back until the operator says so: payloads on disk, and the marks that release or refuse them.

Law: what was finished survives a power cut, and what was not is told to be cut. The spool never grows beyond its limit:
what nobody has decided upon stays, and of the rest the oldest payload goes first; its record with the SHA-256 remains.

Who may decide (`hold_marks.py`) needs no right on the evidence.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
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
_STEP = 1 << 20
"""Room is made for so much at once."""
_PIECE = 1 << 16
_NAME = re.compile(r"[0-9]{1,20}-[0-9]{1,6}")


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

    def begin(self, about: Mapping[str, Any], at: int) -> Holding | Unheld:
        """Hold something whose bytes are about to come."""
        if len(self._names()) >= MOST_RECORDS and not self._drop_oldest(record=True):
            return Unheld(f"{MOST_RECORDS} payloads are held and none is decided upon")
        try:
            name = self._free_name(at)
            write(self.folder / f"{name}.json", json.dumps({"at": at, "about": dict(about)}, ensure_ascii=False))
            file = os.open(self.folder / f"{name}.bin", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        except OSError as fault:
            return Unheld(f"nothing can be held in {self.folder}: {fault.strerror}")
        except (TypeError, ValueError) as fault:
            return Unheld(f"what is said about it is no JSON: {fault}")
        self._coming[name] = 0
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
            raise BridgeError(f"the payload of {name} is {'gone' if not held.kept else 'still coming'}")
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
        self.show(name)
        self._marks.set(name, mark)

    def decision(self, name: str) -> Mark | None:
        """What the operator has said, or None as long as nothing was said."""
        return self._marks.read(name)

    def recover(self) -> tuple[Held, ...]:
        """Finish what an earlier process left unfinished, as cut; for the one that writes, when it begins."""
        cut = [each for each in self.everything() if not each.sha256 and each.name not in self._coming]
        return tuple(each for each in (self._cut(held) for held in cut) if isinstance(each, Held))

    def grant(self, name: str, size: int) -> Unheld | None:
        """See that a payload may write so many bytes more; of decided ones the oldest go for it."""
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
                return Unheld(f"{why}, and nothing that is held has been decided upon")

    def finished(self, held: Held) -> Held | Unheld:
        """Write a payload's record; its bytes are durable already."""
        plain = {name: getattr(held, name) for name in ("at", "about", "size", "sha256", "whole")}
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
        try:
            told = json.loads((self.folder / f"{name}.json").read_bytes())
            held = Held(name, int(told["at"]), dict(told["about"]), 0, str(told.get("sha256", "")))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        try:
            size, kept = (self.folder / f"{name}.bin").stat().st_size, True
        except OSError:
            size, kept = 0, False
        whole = told.get("whole") is True
        return replace(held, size=int(told.get("size", size)), whole=whole, kept=kept, mark=self._marks.read(name))

    def _free_name(self, at: int) -> str:
        number = 0
        while (self.folder / f"{at}-{number}.json").exists():
            number += 1
        return f"{at}-{number}"

    def _drop_oldest(self, *, record: bool) -> bool:
        """Let go of the oldest payload that is decided upon, or of its record, too; whether there was one."""
        done = (each for each in self.everything() if each.mark and each.name not in self._coming)
        oldest = next((each for each in done if each.kept or record), None)
        if oldest is None:
            return False
        try:
            (self.folder / f"{oldest.name}.bin").unlink(missing_ok=True)
            if record:
                (self.folder / f"{oldest.name}.json").unlink()
        except OSError:
            return False
        return True


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
