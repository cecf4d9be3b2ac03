"""The formats that python-can reads (BLF, TRC, CSV, MDF 4, SQLite) to records.

Law: those readers raise what they like on damaged files; here it becomes a note, and the records read before it
stand. Channels are counted from 0 as everywhere in this room; a format that names none has only channel `0`.
"""

from __future__ import annotations

import gc
import importlib
import io
import logging
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

from busgate.bridge.port import BridgeError
from busgate.bridge.records import CLASSICAL_MOST, Notes, Record, canid, fits, nanoseconds
from busgate.bridge.sniff import Format, Source
from busgate.decode.slim import without_mdf
from busgate.model import BIT_RATE_SWITCH, ERROR, ERROR_STATE, FD_FORMAT, IDENTIFIER, REMOTE

with without_mdf():
    import can

# What python-can would print about single lines is counted in the notes instead.
_LOG = logging.getLogger("can.io")
_LOG.addHandler(logging.NullHandler())
_LOG.propagate = False

_DAMAGED = "the recording is cut or damaged"
_LONGEST_HEAD = 256

Reader = TypeVar("Reader")


def read(source: Source, notes: Notes) -> Iterator[Record]:
    """Every frame of a recording; raises BridgeError when nothing of it can be read."""
    match source.format:
        case Format.BLF:
            return _blf(source, notes)
        case Format.TRC:
            return _text(can.TRCReader, _Lines(source, notes, titles=0), first_channel=1)
        case Format.CSV:
            return _text(can.CSVReader, _Lines(source, notes, titles=1), first_channel=0)
        case Format.MF4:
            return _mdf(source, notes)
        case Format.SQLITE:
            return _database(source, notes)
        case _:
            raise BridgeError(f"{source.path}: a {source.format} is none of the formats that python-can reads here")


def _blf(source: Source, notes: Notes) -> Iterator[Record]:
    reader = _opened(lambda: can.BLFReader(source.stream), source)
    yield from _records(_whole(reader, source, notes), notes)
    if source.size < reader.file_size:
        notes.warn(f"{_DAMAGED}: its header tells of {reader.file_size} bytes, it has {source.size}")


def _mdf(source: Source, notes: Notes) -> Iterator[Record]:
    with _silent_finalizers():
        reader = _opened(lambda: _mf4_reader(source), source)
    yield from _records(_whole(reader, source, notes), notes)


def _mf4_reader(source: Source) -> Iterable[can.Message]:
    mf4 = importlib.import_module("can.io.mf4")
    if mf4.asammdf is None:  # as python-can was imported; now it takes it, if it is installed
        importlib.reload(mf4)
    return cast("Iterable[can.Message]", mf4.MF4Reader(source.stream))


def _database(source: Source, notes: Notes) -> Iterator[Record]:
    with _as_file(source) as path:
        reader = _opened(lambda: can.SqliteReader(path), source)
        try:
            yield from _records(_whole(reader, source, notes), notes)
        finally:
            reader.stop()


def _text(reader: Callable[[Any], Iterable[can.Message]], lines: _Lines, *, first_channel: int) -> Iterator[Record]:
    """A text format, line by line: after a line that its reader refuses, the reader begins anew."""
    while not lines.ended:
        try:
            for message in reader(lines):
                if record := _record(message, first_channel):
                    lines.understood()
                    yield record
        except Exception:  # noqa: BLE001, S112  a foreign reader of foreign bytes may raise anything: the line counts as skipped
            continue
        finally:
            lines.again()


class _Lines:
    """The lines of a text, given to one reader after another: each gets the head of the file first.

    The head is the first `titles` lines and the comments that follow. A line that made no frame is noted as skipped
    when the next one is asked for.
    """

    def __init__(self, source: Source, notes: Notes, *, titles: int) -> None:
        self._source = source
        self._notes = notes
        self._titles = titles
        self._text = io.TextIOWrapper(source.stream, "utf-8", errors="replace")
        self._head: list[str] = []
        self._replay: Iterator[str] = iter(())
        self._pending: int | None = None
        self._number = 0
        self._given = 0
        self.ended = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        head = next(self._replay, None)
        if head is not None:
            return head
        self._settle()
        line = self._text.readline()
        if not line or (not line.endswith("\n") and self._source.damage):
            self.ended = True
            raise StopIteration
        self._number += 1
        heads = self._number <= self._titles or line.startswith(";")
        if heads and len(self._head) == self._number - 1 < _LONGEST_HEAD:
            self._head.append(line)
        elif line.strip() and not line.startswith(";"):
            self._pending = self._number
        return line

    def understood(self) -> None:
        """The line given last was a frame."""
        self._pending = None

    def again(self) -> None:
        """Give the head once more, to a new reader; not a head that the last reader did not get past."""
        if self._number == self._given:
            self._head.clear()
        self._given = self._number
        self._replay = iter(self._head)

    def close(self) -> None:
        """Stay open: the reader ends, the text does not."""

    def _settle(self) -> None:
        if self._pending is not None:
            self._notes.skip(self._pending)
            self._pending = None


def _opened(make: Callable[[], Reader], source: Source) -> Reader:
    try:
        return make()
    except NotImplementedError:
        reason = "reading it needs an extra; install it with: pip install 'busgate[mf4]'"
    except Exception as fault:  # noqa: BLE001  a foreign reader of foreign bytes may raise anything
        reason = f"it is cut or damaged ({_short(fault)}); copy it from the logger again"
    # Raised here, so that the half-made reader does not live on in the error's context.
    raise BridgeError(f"{source.path}: this {source.format} cannot be read: {reason}")


def _whole(messages: Iterable[can.Message], source: Source, notes: Notes) -> Iterator[can.Message]:
    """The messages up to where the reader gives up."""
    frames = 0
    try:
        for message in messages:
            frames += 1
            yield message
    except Exception as fault:  # noqa: BLE001  a foreign reader of foreign bytes may raise anything
        if not frames:
            raise BridgeError(
                f"{source.path}: nothing in this {source.format} can be read ({_short(fault)}); "
                "copy it from the logger again"
            ) from None
        notes.warn(f"{_DAMAGED}: reading stopped after {frames} frames ({_short(fault)})")


def _records(messages: Iterable[can.Message], notes: Notes) -> Iterator[Record]:
    for number, message in enumerate(messages, 1):
        record = _record(message, first_channel=0)
        if record is None:
            notes.skip(number)
        else:
            yield record


def _record(message: can.Message, first_channel: int) -> Record | None:
    at = nanoseconds(message.timestamp)
    if at is None:
        return None
    channel = _channel(message.channel, first_channel)
    data = bytes(message.data)
    flags = 0
    # CSV and SQLite keep no word of CAN FD; there the length tells.
    if message.is_fd or len(data) > CLASSICAL_MOST:
        flags = FD_FORMAT | message.bitrate_switch * BIT_RATE_SWITCH | message.error_state_indicator * ERROR_STATE
    if message.is_error_frame:
        return at, channel, ERROR | (message.arbitration_id & IDENTIFIER), data, 0
    can_id = canid(message.arbitration_id, extended=message.is_extended_id)
    if can_id is None or not fits(len(data), flags):
        return None
    if message.is_remote_frame:
        return at, channel, can_id | REMOTE, bytes(min(message.dlc, CLASSICAL_MOST)), 0
    if len(data) < min(message.dlc, 64 if flags else CLASSICAL_MOST):
        return None  # a line that was cut off within its data is no shorter frame
    return at, channel, can_id, data, flags


def _channel(channel: object, first: int) -> str:
    if isinstance(channel, int):
        return str(max(0, channel - first))
    return str(channel) if channel else "0"


def _short(fault: Exception) -> str:
    text = " ".join(str(fault).split()) or type(fault).__name__
    return text[:120]


@contextmanager
def _as_file(source: Source) -> Iterator[Path]:
    """The recording as a file of its own: SQLite opens paths only."""
    if not source.packed:
        yield source.path
        return
    with tempfile.NamedTemporaryFile(suffix=".db") as file:
        shutil.copyfileobj(source.stream, file)
        file.flush()
        yield Path(file.name)


@contextmanager
def _silent_finalizers() -> Iterator[None]:
    """Without the tracebacks that asammdf's finalizer prints for a file that it could not open."""
    hook = sys.unraisablehook
    sys.unraisablehook = lambda _: None
    try:
        yield
    finally:
        gc.collect()
        sys.unraisablehook = hook
