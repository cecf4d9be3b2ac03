"""The bundle: one file that carries a log to another machine, to be checked there without a network.

Law: a bundle holds these members and no others, and the same log gives the same bytes. What is read is bounded by what
a member may be; nothing is checked here, record.verify does that.

    README.txt                    what this is, for people
    log.vkey                      the key that came with the log
    checkpoint                    the newest signed checkpoint
    checkpoints                   all of them, the oldest first, an empty line between two
    tile/entries/<N>[.p/<W>]      256 entries (W in the last), each as u16 length and its bytes (c2sp.org/tlog-tiles)
    tile/0/<N>[.p/<W>]            their leaf hashes, 32 bytes each
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from busgate.record.found import Evidence, EvidenceError, Row, open_folder
from busgate.record.merkle import HASH_SIZE

TILE = 256

_README = """This is a signed log of busgate, whole, in one file.

  busgate verify THIS.zip --vkey DEVICE.vkey

checks it. Without busgate: checkpoint is a signed note (c2sp.org/signed-note), its text an origin, a size and a root
(c2sp.org/tlog-checkpoint); tile/entries and tile/0 hold the records and their hashes (c2sp.org/tlog-tiles). The root is
the RFC 6962 Merkle tree hash over the records. log.vkey came with the log: compare it with the key that the device's
owner gives you.
"""
_SINGLE = ("README.txt", "log.vkey", "checkpoint", "checkpoints")
_MAX_MEMBER = 1 << 30
_ENTRIES = re.compile(r"tile/entries/((?:x[0-9]{3}/)*[0-9]{3})(?:[.]p/[0-9]{1,3})?")
_LENGTH = struct.Struct(">H")
_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that zip knows


@contextmanager
def open_evidence(path: Path) -> Iterator[tuple[Evidence, ...]]:
    """The logs at `path`, a log's folder or a bundle, the oldest incarnation first. Raises EvidenceError."""
    if path.is_dir():
        with open_folder(path) as logs:
            yield logs
    else:
        yield (_read_bundle(path),)


def write_bundle(evidence: Evidence, file: Path) -> None:
    """Write a log into one new file. Raises EvidenceError when the file exists or cannot be written."""
    try:
        with file.open("xb") as raw, zipfile.ZipFile(raw, "w") as bundle:
            for name, data in _members(evidence):
                bundle.writestr(zipfile.ZipInfo(name, _DATE), data, zipfile.ZIP_DEFLATED)
    except FileExistsError:
        raise EvidenceError(f"{file} exists and is never overwritten. Next: choose another name") from None
    except OSError as fault:
        raise EvidenceError(f"{file} cannot be written: {fault.strerror}. Next: choose another place") from None


def export(folder: Path, file: Path) -> None:
    """Write the newest log in `folder` into the bundle `file`, unchecked. Raises EvidenceError."""
    with open_evidence(folder) as logs:
        write_bundle(logs[-1], file)


def _members(evidence: Evidence) -> Iterator[tuple[str, bytes]]:
    notes = [note for filed, note in evidence.checkpoints if filed is not None]
    yield "README.txt", _README.encode()
    yield "log.vkey", f"{(evidence.vkey or '').strip()}\n".encode()
    yield "checkpoint", "".join(notes[-1:]).encode()
    yield "checkpoints", "\n".join(notes).encode()
    tile: list[Row] = []
    for row in evidence.rows():
        tile.append(row)
        if len(tile) == TILE:
            yield from _tiles(tile)
            tile.clear()
    if tile:
        yield from _tiles(tile)


def _tiles(rows: list[Row]) -> Iterator[tuple[str, bytes]]:
    name = _tile_name(rows[0].index // TILE, len(rows))
    yield f"tile/entries/{name}", b"".join(_LENGTH.pack(len(row.raw)) + row.raw for row in rows)
    yield f"tile/0/{name}", b"".join(row.leaf for row in rows)


def _tile_name(number: int, width: int) -> str:
    """The end of a tile's path: groups of three digits, all but the last with an x (tlog-tiles, Merkle Tree)."""
    name = f"{number % 1000:03d}"
    while number >= 1000:
        number //= 1000
        name = f"x{number % 1000:03d}/{name}"
    return name if width == TILE else f"{name}.p/{width}"


# ---------------------------------------------------------------- reading


def _read_bundle(path: Path) -> Evidence:
    try:
        with path.open("rb") as file:
            if file.read(2) != b"PK":
                raise EvidenceError(f"{path} is neither a log's folder nor a bundle. Next: check its name")
    except FileNotFoundError:
        raise EvidenceError(f"there is no {path}. Next: check its name") from None
    except OSError as fault:
        raise EvidenceError(f"{path} cannot be read: {fault.strerror}. Next: check its permissions") from None

    def rows() -> Iterator[Row]:
        with _faults(), zipfile.ZipFile(path) as bundle:
            yield from _rows(bundle)

    try:
        with _faults(), zipfile.ZipFile(path) as bundle:
            _check_names(bundle)
            vkey, newest, notes = (_text(bundle, name) for name in _SINGLE[1:])
    except EvidenceError as fault:
        return _unreadable(path, fault)
    return Evidence(str(path), vkey, (*_split_notes(notes), (None, newest)), rows)


def _unreadable(path: Path, fault: EvidenceError) -> Evidence:
    def rows() -> Iterator[Row]:
        raise fault

    return Evidence(str(path), None, (), rows)


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, KeyError, OSError, ValueError) as fault:
        raise EvidenceError(f"the bundle is damaged or cut short ({fault})") from None


def _check_names(bundle: zipfile.ZipFile) -> None:
    names = bundle.namelist()
    for name in names:
        if name not in _SINGLE and not name.startswith(("tile/entries/", "tile/0/")):
            raise EvidenceError(f"the bundle holds {name}, which is no part of one")
    if len(set(names)) < len(names):
        raise EvidenceError("the bundle holds a member twice")


def _text(bundle: zipfile.ZipFile, name: str) -> str:
    return _member(bundle, name).decode(errors="replace")


def _member(bundle: zipfile.ZipFile, name: str) -> bytes:
    with bundle.open(name) as file:
        data = file.read(_MAX_MEMBER + 1)
    if len(data) > _MAX_MEMBER:
        raise EvidenceError(f"the bundle's member {name} is larger than any can be")
    return data


def _split_notes(text: str) -> tuple[tuple[int | None, str], ...]:
    """The notes of `checkpoints`: texts and signatures take turns, each ended by an empty line."""
    blocks = text.removesuffix("\n").split("\n\n")
    if len(blocks) % 2:
        return ((None, text),)
    return tuple((None, f"{head}\n\n{lines}\n") for head, lines in zip(blocks[::2], blocks[1::2], strict=True))


def _rows(bundle: zipfile.ZipFile) -> Iterator[Row]:
    """The records of all tiles, by index; a tile that is not there leaves a gap."""
    tiles = sorted(
        (int(found[1].replace("x", "").replace("/", "")), found[0])
        for name in bundle.namelist()
        if (found := _ENTRIES.fullmatch(name)) is not None
    )
    for number, name in tiles:
        raws = _split_entries(_member(bundle, name), name)
        leaves = _member(bundle, name.replace("tile/entries/", "tile/0/", 1))
        for offset, raw in enumerate(raws):
            yield Row(number * TILE + offset, raw, leaves[offset * HASH_SIZE : (offset + 1) * HASH_SIZE])


def _split_entries(data: bytes, name: str) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        start = at + _LENGTH.size
        at = start + (_LENGTH.unpack_from(data, at)[0] if start <= len(data) else 1)
        if at > len(data):
            raise EvidenceError(f"{name} ends within a record")
        yield data[start:at]
