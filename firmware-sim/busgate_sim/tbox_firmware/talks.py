"""What the T-box can talk about with a control unit: a list of requests, an unlock, a whole reprogramming.

Law: a talk stops at the first refusal, as a tool in a workshop does.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping

from busgate_sim.ecu.diagnosed import IDENTIFIERS
from busgate_sim.ecu.says import ADDRESSES
from busgate_sim.ecu.uds import flash
from busgate_sim.ecu.uds.unlock import key_for
from busgate_sim.tbox_firmware.tester import Talk

Arguments = Mapping[str, float | str]

_UNLOCK = "unlock"
_TAIL = 2
"""Bytes of a TransferData request that are not data."""


def target_of(told: Arguments) -> int:
    """The `target` of a talk: an ECU's name, its address, or its 11-bit request identifier."""
    target = told.get("target", "BMS")
    if isinstance(target, str):
        return IDENTIFIERS[target][0] if target in IDENTIFIERS else ADDRESSES[target]
    return int(target)


def is_talk(target: str, requests: str) -> bool:
    """Whether these are an ECU's name and words that `diagnose` can say."""
    words = requests.split()
    known = target in ADDRESSES and bool(words)
    return known and all(word == _UNLOCK or _is_octets(word) for word in words)


def _is_octets(word: str) -> bool:
    try:
        return bool(bytes.fromhex(word))
    except ValueError:
        return False


def diagnose(told: Arguments) -> Talk:
    """Asks what `requests` lists in hexadecimal, one after the other; the word `unlock` is security access."""
    for word in str(told["requests"]).split():
        if word == _UNLOCK:
            if not (yield from _unlock(_name(target_of(told)))):
                return
        elif (yield bytes.fromhex(word))[0] == 0x7F:
            return


def reprogram(told: Arguments) -> Talk:
    """Writes a program of `version` into the target and starts it.

    `length` is the program's, in bytes; `damaged` as 1 writes one that will not run.
    """
    program = flash.image(str(told.get("version", "9.9.9")), int(_number(told, "length", 4096)))
    program = program[:-1] + bytes([program[-1] ^ 0xFF]) if told.get("damaged") else program
    return write_program(_name(target_of(told)), program)


def write_program(name: str, program: bytes) -> Talk:
    """Writes a program into an ECU and starts it (ISO 14229-1:2013, annex G)."""
    for prepare in (b"\x10\x03", b"\x85\x02", b"\x28\x01\x01", b"\x10\x02"):
        if (yield prepare)[0] == 0x7F:
            return
    if not (yield from _unlock(name)):
        return
    size = flash.ADDRESS.to_bytes(4) + len(program).to_bytes(4)
    for request in (b"\x31\x01\xff\x00", b"\x34\x00\x44" + size, *_blocks(program), b"\x37", b"\x31\x01\xff\x01"):
        if (yield request)[0] == 0x7F:
            return
    yield b"\x11\x01"


def _unlock(name: str) -> Generator[bytes, bytes, bool]:
    seed = yield b"\x27\x01"
    if seed[0] == 0x7F:
        return False
    answer = yield b"\x27\x02" + key_for(name, seed[2:])
    return answer[0] != 0x7F


def _blocks(program: bytes) -> Iterator[bytes]:
    size = flash.BLOCK - _TAIL
    for number, start in enumerate(range(0, len(program), size), 1):
        yield bytes([0x36, number % 256]) + program[start : start + size]


def _name(target: int) -> str:
    by_identifier = {request: name for name, (request, _) in IDENTIFIERS.items()}
    return by_identifier.get(target) or {address: name for name, address in ADDRESSES.items()}.get(target, "")


def _number(told: Arguments, name: str, otherwise: float) -> float:
    value = told.get(name, otherwise)
    return otherwise if isinstance(value, str) else value


TALKS: Mapping[str, Callable[[Arguments], Talk]] = {"diagnose": diagnose, "reprogram": reprogram}
"""By the name that a scenario uses."""
