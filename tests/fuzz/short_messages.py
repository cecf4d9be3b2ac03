"""SMS: any bytes are a message or unreadable with a reason, in each direction; parts are bounded."""

from __future__ import annotations

import json

from busgate.decode.sms import Unreadable, read
from busgate.decode.sms_parts import Reassembler
from busgate.model import Direction
from busgate_sim.cloud.sms import deliver

SEEDS: tuple[bytes, ...] = (
    deliver("31600000001", "RESET#", 1_700_000_000),
    deliver("31600000001", "中文", 1_700_000_000),
    deliver("31600000001", b"\x7e\x81\x05\x7e", 1_700_000_000),
    bytes.fromhex("0011000B916407281553F80000AA0AE8329BFD4697D9EC37"),
    bytes.fromhex("0006D60B911326880736F4111011719551401110117195714000"),
    bytes.fromhex("440b911306000000f1000432114122310200080500030702016162"),
    bytes.fromhex("0791448720003023440DD0E474D81C0EBB010000111011315214000BE474D81C0EBB5DE3771B"),
)


def check(data: bytes) -> None:
    """Reading never raises; what is read has a kind, what is not has a reason; a reassembler takes all of it."""
    parts = Reassembler(most=2)
    for direction in Direction:
        found = read(data, direction)
        if isinstance(found, Unreadable):
            assert found.reason
            continue
        assert found.fields["kind"] == found.name
        assert json.loads(json.dumps(found.fields)) == found.fields
        parts.add(0, found)
        assert parts.waiting <= 2
