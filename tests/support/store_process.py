"""What the store's tests do in a process of its own: `python store_process.py try|fill FILE` prints what was said."""

from __future__ import annotations

import os
import resource
import sys

from busgate.record.store import Store, StoreError

BATCH = [(b"one", b"1" * 32), (b"two", b"2" * 32), (b"three", b"3" * 32)]


def attempt(path: str) -> str:
    """Open the store: "opened", or why not."""
    try:
        Store.open(path).close()
    except StoreError as fault:
        return str(fault)
    return "opened"


def fill(path: str) -> str:
    """Write past a limit on file sizes, then within it: what was said, the next index, the number of entries."""
    said = "nothing was refused"
    with Store.open(path) as store:
        store.append(BATCH)
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, resource.RLIM_INFINITY))
        try:
            store.append([(os.urandom(60_000), bytes(32))])
        except StoreError as fault:
            said = str(fault)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        return f"{said} {store.append([(b'four', bytes(32))])} {len(store.entries())}"


if __name__ == "__main__":
    print({"try": attempt, "fill": fill}[sys.argv[1]](sys.argv[2]))
