"""An ECU's program memory and how it is written (ISO 14229-1:2013, 14 and annex G).

Law: a program runs only if its checksum is right; whether it ought to run nobody asks, and that is the weakness. An
erased memory stays erased until a whole program has been written.
"""

from __future__ import annotations

from zlib import crc32

from busgate_sim.ecu.uds.codes import Code, demand

ADDRESS = 0x0008_0000
SIZE = 0x1_0000
BLOCK = 0x0102
"""The longest TransferData request, with its service identifier and counter."""

_MAGIC = b"SYNTHFW1"
_VERSION = 12
_BYTES_OF_SIZE = _BYTES_OF_ADDRESS = 4


def image(version: str, length: int = 4096) -> bytes:
    """A synthetic program of a version; `length` bytes with its checksum."""
    said = version.encode("ascii")
    if len(said) > _VERSION or length < len(_MAGIC) + _VERSION + 4:
        raise ValueError(f"no image of {length} bytes can carry the version {version!r}")
    body = (_MAGIC + said.ljust(_VERSION)).ljust(length - 4, b"\x5a")
    return body + crc32(body).to_bytes(4)


def version_of(program: bytes) -> str | None:
    """The version of a program that would run; None for anything else."""
    if len(program) < len(_MAGIC) + _VERSION + 4 or not program.startswith(_MAGIC):
        return None
    if crc32(program[:-4]).to_bytes(4) != program[-4:]:
        return None
    said = program[len(_MAGIC) : len(_MAGIC) + _VERSION]
    return said.decode("ascii").rstrip() if said.isascii() else None


class Flash:
    """The memory of one ECU."""

    def __init__(self, version: str) -> None:
        """A program of this version is in it."""
        self.program = image(version)
        self._blank = False
        self._expected = 0
        self._incoming: bytearray | None = None
        self._block = 0
        self._last = b""

    @property
    def version(self) -> str | None:
        """What runs after a reset; None if nothing would."""
        return version_of(self.program)

    def erase(self) -> None:
        """Nothing is in it any more."""
        self.program, self._blank = b"", True
        self.forget()

    def forget(self) -> None:
        """End a download that has begun."""
        self._incoming, self._expected, self._last = None, 0, b""

    def begin(self, request: bytes) -> bytes:
        """Take the rest of a RequestDownload (14.2); answers the longest block."""
        demand(len(request) >= 2, Code.INCORRECT_LENGTH)
        demand(request[0] == 0, Code.OUT_OF_RANGE)
        demand(request[1] == _BYTES_OF_SIZE << 4 | _BYTES_OF_ADDRESS, Code.OUT_OF_RANGE)
        demand(len(request) == 10, Code.INCORRECT_LENGTH)
        address, size = int.from_bytes(request[2:6]), int.from_bytes(request[6:10])
        demand(address == ADDRESS and 0 < size <= SIZE, Code.OUT_OF_RANGE)
        demand(self._blank, Code.NOT_ACCEPTED)
        self._incoming, self._expected, self._block, self._last = bytearray(), size, 0, b""
        return b"\x20" + BLOCK.to_bytes(2)

    def block(self, request: bytes) -> bytes:
        """Take the rest of a TransferData (14.5): a counter from 1 on, and data; answers the counter."""
        demand(self._incoming is not None, Code.SEQUENCE_ERROR)
        demand(1 < len(request) < BLOCK, Code.INCORRECT_LENGTH)
        incoming = self._incoming if self._incoming is not None else bytearray()
        number, data = request[0], request[1:]
        if self._last and number == self._block and data == self._last:
            return request[:1]  # said again because the answer was lost (14.5.5): not written twice
        demand(number == (self._block + 1) % 256, Code.WRONG_BLOCK)
        demand(len(incoming) + len(data) <= self._expected, Code.TRANSFER_SUSPENDED)
        incoming += data
        self._block, self._last = number, data
        return request[:1]

    def end(self, request: bytes) -> bytes:
        """Take the rest of a RequestTransferExit (14.6)."""
        demand(self._incoming is not None, Code.SEQUENCE_ERROR)
        demand(not request, Code.INCORRECT_LENGTH)
        incoming = bytes(self._incoming or b"")
        demand(len(incoming) == self._expected, Code.SEQUENCE_ERROR)
        self.program, self._blank = incoming, False
        self.forget()
        return b""
