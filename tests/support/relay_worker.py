"""A relay with a toy inspector: `-m support.relay_worker '{"first_byte_s": 1}'`; events as JSON.

What the toy does is said by the port: 7000-7009 lines with marks, 7010 everything passes, 7020 spliced at once,
7030 spliced after the first bytes of the T-box, 7040 refused.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any

from busgate.bridge.inspector import Admission, End, FlowEvent, Release
from busgate.bridge.relay import Relay
from busgate.bridge.relay_limits import Limits
from busgate.model import Direction, Flow
from support.net import RELAY_PORT, TO_CLOUD, TO_TBOX

HELD_NS = 300_000_000


class Toy:
    """Lines; of what comes down, STOP is cut out and answered, HOLD is held, BYE ends the flow, CRASH breaks it."""

    def __init__(self) -> None:
        self._rest: dict[tuple[Flow, Direction], bytes] = {}
        self._held: dict[Flow, tuple[int, bytes]] = {}
        self._broken = False

    def opened(self, flow: Flow, now: int) -> Admission:
        del now
        port = flow.remote.port
        if port == 7041:
            raise RuntimeError("the toy cannot open this")
        return {7020: Admission.SPLICE, 7040: Admission.REFUSE}.get(port, Admission.PASS)

    def chunk(self, flow: Flow, direction: Direction, data: bytes, now: int) -> Release:
        if flow.remote.port == 7010:
            return Release(data)
        if flow.remote.port == 7030:
            return Release(data, splice=direction is Direction.UP)
        if direction is Direction.UP:
            return Release(data)
        return self._lines(flow, direction, data, now)

    def _lines(self, flow: Flow, direction: Direction, data: bytes, now: int) -> Release:
        *lines, rest = (self._rest.pop((flow, direction), b"") + data).split(b"\n")
        self._rest[flow, direction] = rest
        forward = back = b""
        for line in lines:
            if b"CRASH" in line:
                raise RuntimeError("the toy is broken")
            if b"STOP" in line:
                back += b"REFUSED\n"
            elif b"BYE" in line:
                return Release(forward + b"LAST\n", back + b"CUT\n", close=True)
            elif b"MUCH" in line:
                return Release(forward, back, more=much())
            elif b"HOLD" in line or flow in self._held:
                until, held = self._held.get(flow, (now + HELD_NS, b""))
                self._held[flow] = until, held + line + b"\n"
            else:
                forward += line + b"\n"
        if not data:
            forward += self._rest.pop((flow, direction), b"")
        held_until = self._held[flow][0] if flow in self._held else None
        return Release(forward, back, hold_until=held_until)

    def goes_on(self, flow: Flow, up: int, down: int, now: int) -> bool:
        del flow, up, down, now
        return True

    def due(self, now: int) -> Iterable[tuple[Flow, Direction, Release]]:
        for flow, (until, held) in tuple(self._held.items()):
            if until <= now:
                del self._held[flow]
                yield flow, Direction.DOWN, Release(held)

    def next_deadline(self) -> int | None:
        return min((until for until, _ in self._held.values()), default=None)

    def ended(self, flow: Flow, now: int, why: End) -> None:
        del now, why
        self._held.pop(flow, None)
        for direction in Direction:
            self._rest.pop((flow, direction), None)


def much() -> Iterator[bytes]:
    for number in range(1000):
        yield bytes([number % 251]) * 20_000


def told(event: FlowEvent) -> None:
    flow = event.flow
    plain: dict[str, Any] = {"what": event.what, "why": event.why, "up": event.up, "down": event.down}
    plain |= {"port": flow.tbox.port, "to": str(flow.remote)} if flow else {}
    print(json.dumps(plain | {"detail": event.detail}), flush=True)


def main() -> None:
    limits = Limits(**json.loads(sys.argv[1])) if len(sys.argv) > 1 else Limits()
    relay = Relay.open(TO_TBOX, RELAY_PORT, TO_CLOUD, Toy(), told, limits)
    print(json.dumps({"what": "ready", "at": time.time()}), flush=True)
    relay.run(lambda: True)


if __name__ == "__main__":
    main()
