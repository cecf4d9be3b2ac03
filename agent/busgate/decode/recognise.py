"""Which decoder reads a TCP stream, from the first bytes of each direction.

Law: content decides, never a port; a port only says what to ask first. What cannot be told yet is "", and what `MOST`
bytes did not tell stays "". What was said of some bytes is said of them with more behind, so that the answer does not
depend on how they were cut.

The answers: "jt808" (JT/T 905 has the same frames), "gb32960", "mqtt", "http", "tls", "doip", "ssh", "telnet", "adb",
"dns-tcp", and "shell" for a login or a prompt on a stream that is nothing else.
"""

from __future__ import annotations

import re

from busgate.decode.banners import Shell
from busgate.decode.recognise_marks import CHECKS, MIDDLES

MOST = 2048
"""Bytes of each direction that are looked at."""

_NO_TEXT = re.compile(rb"[^\x07-\x0d\x1b\x20-\x7e\x80-\xff]")
_PORTS = {
    23: "telnet",
    53: "dns-tcp",
    80: "http",
    443: "tls",
    1883: "mqtt",
    5555: "adb",
    8080: "http",
    8883: "tls",
    13400: "doip",
    22: "ssh",
}


def recognise(client: bytes, server: bytes, ports: tuple[int, ...] = ()) -> str:
    """What the first bytes of the two directions are; "" while (or if) they do not tell."""
    ends = [data[:MOST] for data in (client, server) if data]
    hinted = {_PORTS.get(port) for port in ports}
    for name in sorted(CHECKS, key=lambda name: name not in hinted):
        said = [_said(CHECKS[name](data), data) for data in ends]
        if True in said:
            return name
        if None in said:
            return ""
    # What was whole first counts: so the answer is the same if it is asked for after each byte.
    places = [(end, name) for name, within in MIDDLES.items() for data in ends if (end := within(data))]
    places += [(end, "shell") for data in ends if (end := _prompted(data))]
    return min(places)[1] if places else ""


def _prompted(data: bytes) -> int:
    """Where the first prompt ends in a stream that is text up to there, 0 without one."""
    odd = _NO_TEXT.search(data)
    end = 0
    for span in Shell().feed(data[: odd.start()] if odd else data):
        end += len(span.raw)
        if span.pdu is not None:
            return end
    return 0


def _said(answer: bool | None, data: bytes) -> bool | None:
    """An answer, which nothing more can come to after `MOST` bytes."""
    return False if answer is None and len(data) >= MOST else answer
