"""Every decoder's fuzz target for some minutes each: `python tests/fuzz/run.py --minutes 10 [TARGET ...]`.

Law: a target is a module here with `check(data)`, whose docstring begins with the invariant, and `SEEDS`. Inputs are
mutations of the seeds and of what they grew into (chance is seeded, so that a finding comes again), and pure noise. The
first input that breaks the invariant is printed in hexadecimal, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import importlib
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

_HERE = Path(__file__).parent
_MOST_BYTES = 8192
_POOL = 512
_TOKENS = (b"\x7e", b"\x7d\x01", b"\xe7", b"##", b"$$", b"\r\n", b"\x00" * 8, b"\xff" * 8, b"\x16\x03\x01", b"\xc0\x0c")


def targets() -> list[str]:
    """All targets by name."""
    return sorted(path.stem for path in _HERE.glob("*.py") if path.stem not in {"run", "__init__"})


def mutated(chance: random.Random, pool: list[bytes]) -> bytes:
    """One input: noise, or a pool member changed in a few places."""
    if chance.random() < 0.05:
        return chance.randbytes(chance.randrange(1, 512))
    data = bytearray(chance.choice(pool))
    for _ in range(chance.choice((1, 1, 2, 4, 8, 32))):
        _change(chance, data, pool)
    return bytes(data[:_MOST_BYTES])


def _change(chance: random.Random, data: bytearray, pool: list[bytes]) -> None:
    at = chance.randrange(len(data) + 1)
    match chance.randrange(8):
        case 0 if data:
            data[at % len(data)] ^= 1 << chance.randrange(8)
        case 1 if data:
            data[at % len(data)] = chance.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF, chance.randrange(256)))
        case 2:
            del data[at : at + chance.choice((1, 2, 4, 16, 64))]
        case 3:
            data[at:at] = chance.randbytes(chance.choice((1, 2, 4, 16)))
        case 4:
            data[at:at] = chance.choice(_TOKENS)
        case 5:
            other = chance.choice(pool)
            start = chance.randrange(len(other) + 1)
            data[at:at] = other[start : start + chance.randrange(1, 128)]
        case 6:
            data[at:] = chance.choice(pool)[:_MOST_BYTES]
        case _:
            piece = data[at : at + chance.randrange(1, 32)]
            data[at:at] = piece * chance.choice((1, 2, 8))


def hunt(name: str, check: Callable[[bytes], None], seeds: tuple[bytes, ...], seconds: float, seed: int) -> int:
    """Run one target; how many inputs it took. Raises whatever the target raises, with the input as a note."""
    chance = random.Random(f"{name} {seed}")
    pool = [*seeds, b"\x00"]
    for data in seeds:
        _try(check, data)
    ends, count = time.monotonic() + seconds, len(seeds)
    while time.monotonic() < ends:
        data = mutated(chance, pool)
        _try(check, data)
        count += 1
        if chance.random() < 0.02:
            if len(pool) >= _POOL:
                pool[chance.randrange(len(seeds), _POOL)] = data
            else:
                pool.append(data)
    return count


def _try(check: Callable[[bytes], None], data: bytes) -> None:
    try:
        check(data)
    except BaseException as fault:
        fault.add_note(f"input: {data.hex()}")
        raise


def main() -> int:
    """Run the targets that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(targets()))
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    sys.path[:0] = [str(_HERE.parent)]
    for name in given.targets or targets():
        module = importlib.import_module(f"fuzz.{name}")
        promise = (module.check.__doc__ or "").splitlines()[0]
        print(f"{name}: {promise}", flush=True)
        try:
            count = hunt(name, module.check, module.SEEDS, given.minutes * 60, given.seed)
        except Exception as fault:  # noqa: BLE001 - whatever a decoder raises is the finding
            print(f"{name}: FOUND {type(fault).__name__}: {fault}\n" + "\n".join(getattr(fault, "__notes__", ())))
            return 1
        print(f"{name}: {count} inputs in {given.minutes:g} min, nothing found", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
