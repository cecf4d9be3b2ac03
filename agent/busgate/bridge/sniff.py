"""What a recording is: told by its first bytes, and only where they say nothing by its name.

Law: a file that is no recording is refused before anything is read from it, in one line with the next step.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from busgate.bridge import asc, candump
from busgate.bridge.port import BridgeError

HEAD = 1 << 16
READS = "busgate reads candump .log, .asc, .blf, .trc, .csv, .mf4, .db, .pcap and .pcapng, each also as .gz"


class Format(StrEnum):
    """The kinds of recordings, as people call them."""

    CANDUMP = "candump log"
    ASC = "ASC log"
    BLF = "BLF file"
    TRC = "TRC log"
    CSV = "python-can CSV"
    MF4 = "MDF 4 file"
    SQLITE = "SQLite database"
    PCAP = "pcap file"
    PCAPNG = "pcapng file"


_MAGIC: tuple[tuple[bytes, Format], ...] = (
    (b"LOGG", Format.BLF),
    (b"MDF     ", Format.MF4),
    (b"UnFinMF ", Format.MF4),
    (b"SQLite format 3\0", Format.SQLITE),
    (b"\xd4\xc3\xb2\xa1", Format.PCAP),
    (b"\xa1\xb2\xc3\xd4", Format.PCAP),
    (b"\x4d\x3c\xb2\xa1", Format.PCAP),
    (b"\xa1\xb2\x3c\x4d", Format.PCAP),
    (b"\x0a\x0d\x0d\x0a", Format.PCAPNG),
)
_SUFFIXES: dict[str, Format] = {
    ".log": Format.CANDUMP,
    ".candump": Format.CANDUMP,
    ".txt": Format.CANDUMP,
    ".asc": Format.ASC,
    ".blf": Format.BLF,
    ".trc": Format.TRC,
    ".csv": Format.CSV,
    ".mf4": Format.MF4,
    ".db": Format.SQLITE,
    ".pcap": Format.PCAP,
    ".cap": Format.PCAP,
    ".pcapng": Format.PCAPNG,
}
_TEXT_ONLY_BY_NAME = frozenset({Format.CANDUMP, Format.ASC, Format.TRC})
_TRC_HEAD = re.compile(r"^;(\$FILEVERSION|.*PCAN|.*Start time:)", re.MULTILINE)
_CSV_HEAD = "timestamp,arbitration_id,"


class Source:
    """An opened recording: its bytes unpacked, what it is, and whether it ended too early.

    `certain` is False where only the file's name says what it is.
    """

    def __init__(self, path: Path) -> None:
        """Raises BridgeError when there is nothing to read at `path`, or nothing that busgate knows."""
        self.path = path
        self._packed: _Unpacked | None = None
        file = _open(path)
        if file.peek(2)[:2] == b"\x1f\x8b":
            self._packed = _Unpacked(file)
            self.stream: BinaryIO = io.BufferedReader(self._packed, HEAD)
        else:
            self.stream = file
        try:
            self.head = _peek(self.stream)
            self.format, self.certain = _format(path, self.head)
        except BridgeError:
            self.close()
            raise

    @property
    def packed(self) -> bool:
        """Whether the file is compressed, so that the recording is not itself a file."""
        return self._packed is not None

    @property
    def damage(self) -> str:
        """Why the packed file could not be unpacked to its end, or ""."""
        return self._packed.damage if self._packed else ""

    @property
    def size(self) -> int:
        """Bytes of the recording, unpacked: all of a plain file's, those read so far of a packed one's."""
        return self._packed.given if self._packed else self.path.stat().st_size

    @property
    def first_line(self) -> str:
        """The first line of a text, short enough to show."""
        return shown(self.head)

    def close(self) -> None:
        """Close the file."""
        self.stream.close()


class _Unpacked(io.RawIOBase):
    """A gzip stream that ends where the damage begins instead of raising."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._gzip = gzip.GzipFile(fileobj=file)
        self.damage = ""
        self.given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object, /) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # the io protocol's own buffer type has no name
        try:
            data = self._gzip.read1(len(view))
        except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
            self.damage = self.damage or str(fault)
            return 0
        view[: len(data)] = data
        self.given += len(data)
        return len(data)

    def close(self) -> None:
        self._gzip.close()
        self._file.close()
        super().close()


def a(known: Format | None) -> str:
    """A format with its article."""
    if known is None:
        return "a recording"
    return f"an {known}" if known[0] in "AM" else f"a {known}"


def shown(head: bytes, most: int = 60) -> str:
    """The first line of `head` as it can be shown in an error."""
    line = head.lstrip().split(b"\n", 1)[0].decode("utf-8", "replace").strip()
    safe = "".join(letter if letter.isprintable() else "." for letter in line)
    return safe if len(safe) <= most else safe[:most] + "..."


def _open(path: Path) -> io.BufferedReader:
    if path.is_dir():
        raise BridgeError(f"{path}: this is a folder; name one recording in it")
    try:
        return io.BufferedReader(path.open("rb", buffering=0), HEAD)
    except FileNotFoundError:
        raise BridgeError(f"{path}: there is no such file; check the path") from None
    except OSError as fault:
        raise BridgeError(f"{path}: cannot be opened ({fault.strerror}); check its permissions") from None


def _peek(stream: BinaryIO) -> bytes:
    return stream.peek(HEAD)[:HEAD] if isinstance(stream, io.BufferedReader) else b""


def _format(path: Path, head: bytes) -> tuple[Format, bool]:
    if not head:
        raise BridgeError(f"{path}: this file is empty; {READS}")
    for magic, known in _MAGIC:
        if head.startswith(magic):
            return known, True
    found = _text_format(head)
    if found is not None:
        return found, True
    by_name = _by_name(path)
    if by_name in _TEXT_ONLY_BY_NAME and b"\0" not in head:
        return by_name, False
    raise BridgeError(f"{path}: this is not {a(by_name)}; it begins with {shown(head)!r}. {READS}")


def _by_name(path: Path) -> Format | None:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] == [".gz"]:
        suffixes.pop()
    return _SUFFIXES.get(suffixes[-1]) if suffixes else None


def _text_format(head: bytes) -> Format | None:
    text = head.decode("utf-8", "replace").lstrip("\ufeff")
    if text.startswith(_CSV_HEAD):
        return Format.CSV
    if text.startswith(";") and _TRC_HEAD.search(text):
        return Format.TRC
    # The last line may be cut where the head ends.
    lines = text.splitlines()[:-1] if len(head) >= HEAD else text.splitlines()
    if any(candump.parse(line) for line in lines):
        return Format.CANDUMP
    return Format.ASC if asc.looks_so(lines) else None
