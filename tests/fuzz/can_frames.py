"""Frames on either wire of the demo bus: J1939 and its transports, ISO-TP and UDS, messages of the DBC files.

The input is a byte of circumstances and then frames, parted by `MARK`: a byte for the wire and the identifier's kind,
four of the identifier, then the data. Identifiers of the bus are as likely as others, see `_frames`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from busgate.gateway import Gateway
from busgate.judge.policy import Policy, load_policy
from busgate.model import EXTENDED, FD_FORMAT, REMOTE, Action, Event, Frame, Mode, Side
from busgate.service.load import text_of
from fuzz.radio import check_told
from support.gate import demo_ebus

MARK = b"\xfe\xfd"
_MODES = (Mode.OBSERVE, Mode.MONITOR, Mode.ENFORCE, Mode.LOCAL)
_SIDES = (Side.TBOX, Side.VEHICLE, Side.TAP, Side.TBOX)
_REMOTE, _FD, _STANDARD, _KNOWN = 0x04, 0x08, 0x10, 0x20
_IDENTIFIERS = (
    0x18DAF34A, 0x18DA4AF3, 0x18DBFF4A, 0x18EC274A, 0x18EB274A, 0x18EC4A27, 0x18ECFF4A, 0x18EBFF4A, 0x18EAFF4A,
    0x18EEFF4A, 0x18EF274A, 0x18EFF34A, 0x0CFE6CEE, 0x18FEF127, 0x18D9274A, 0x18FECA4A,
)  # fmt: skip


def _frame(head: int, identifier: int, data: str) -> bytes:
    return bytes([head]) + identifier.to_bytes(4) + bytes.fromhex(data)


def _written(*frames: bytes, first: int = 2) -> bytes:
    return bytes([first]) + MARK.join(frames)


SEEDS: tuple[bytes, ...] = (
    _written(_frame(0, 0x18DAF34A, "0322f190"), _frame(1, 0x18DA4AF3, "101462f190414243"), _frame(0, 0x18DAF34A, "30")),
    _written(_frame(_KNOWN, 0, "1014360102030405"), *(_frame(_KNOWN, 0, f"2{n}06070809101112") for n in (1, 2, 3))),
    _written(
        _frame(_KNOWN, 3, "101400 03ff 00d900"), _frame(_KNOWN + 1, 5, "110301ffff00d900"), _frame(_KNOWN, 4, "01" * 8)
    ),
    _written(
        _frame(_KNOWN, 6, "20090002ff d3fe00"), _frame(_KNOWN, 7, "0122f19000112233"), _frame(_KNOWN, 7, "02" * 8)
    ),
    _written(_frame(_KNOWN, 8, "cafe00"), _frame(_KNOWN, 9, "0102030405060708"), _frame(_KNOWN, 10, "ff" * 8), first=1),
    _written(
        _frame(_STANDARD, 0x1A5, "00" * 8), _frame(_STANDARD | _REMOTE, 0x123, ""), _frame(_FD, 0x18DAF34A, "00" * 64)
    ),
    _written(
        _frame(2, 0x18DAF34A, "021003"), _frame(2, 0x18DA4AF3, "0650030032 01f4"), _frame(2, 0x18DAF34A, "023e80")
    ),
    _written(
        _frame(0, 0x18DAF34A, "022701"), _frame(1, 0x18DA4AF3, "06670111223344"), _frame(0, 0x18DAF34A, "037f2778")
    ),
)


@cache
def _policy() -> Policy:
    return load_policy(text_of(demo_ebus().folder / "policy.yaml"))


def check(data: bytes) -> None:
    """No frame raises; what is refused is not forwarded, telemetry is; events can be told; same frames, same events."""
    first = data[0] if data else 0
    events = _heard(data)
    if first & 0x40:
        assert _heard(data) == events
    check_told(events)


def _heard(data: bytes) -> list[Event]:
    first = data[0] if data else 0
    gateway = Gateway(demo_ebus().profile, demo_ebus().database, mode=_MODES[first & 3], device="bus-1")
    if not first & 4:
        gateway.adopt(_policy(), 0, signed=False)
    events, last = list[Event](), 0
    for frame in _frames(data, 50_000_000 if first & 8 else 1_000_000):
        outcome, last = gateway.receive(frame), frame.at
        events += outcome.events
        if gateway.mode is Mode.OBSERVE:
            assert not outcome.forward
        elif frame.side is Side.VEHICLE or gateway.mode is Mode.MONITOR:
            assert outcome.forward
        elif frame.side is Side.TBOX:
            assert outcome.forward is (outcome.verdict.action is Action.PASS)
    return [*events, *gateway.finish(last)]


def _frames(data: bytes, step: int) -> Iterator[Frame]:
    for place, raw in enumerate(data[1:].split(MARK)):
        head, identifier = int.from_bytes(raw[:1]), int.from_bytes(raw[1:5])
        if head & _KNOWN:
            identifier = _IDENTIFIERS[identifier % len(_IDENTIFIERS)]
        can_id = identifier & 0x7FF if head & _STANDARD else identifier & 0x1FFFFFFF | EXTENDED
        at, side = place * step, _SIDES[head & 3]
        if head & _REMOTE:
            yield Frame(at, side, can_id | REMOTE, b"")
        elif head & _FD:
            size = max(size for size in (*range(9), 12, 16, 20, 24, 32, 48, 64) if size <= max(0, len(raw) - 5))
            yield Frame(at, side, can_id, raw[5 : 5 + size], FD_FORMAT)
        else:
            yield Frame(at, side, can_id, raw[5:13])
