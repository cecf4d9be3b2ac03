"""What TCP streams put back in order say: opened, bytes, a gap, a conflict, closed.

Law: a stream's events come in the order of its bytes; nothing comes before `Opened` or after `Closed`.
"""

from __future__ import annotations

from typing import NamedTuple

from busgate.model import Endpoint


class Stream(NamedTuple):
    """One connection. `number` counts from 1 and tells two connections between the same ports apart."""

    number: int
    initiator: Endpoint
    responder: Endpoint


class Opened(NamedTuple):
    """A connection was seen for the first time. `how` is "syn", or "mid-stream" where its beginning was not seen."""

    at: int
    stream: Stream
    how: str


class Data(NamedTuple):
    """Bytes in order, `forward` when the initiator sent them; `at` is when the last missing one of them came."""

    at: int
    stream: Stream
    forward: bool
    data: bytes


class Gap(NamedTuple):
    """`size` bytes of this direction never came here; the stream goes on behind them."""

    at: int
    stream: Stream
    forward: bool
    size: int


class Conflict(NamedTuple):
    """The same position was sent twice with different bytes. `kept` came first and was, or will be, delivered.

    `offset` counts the bytes of this direction from the stream's beginning, gaps included.
    """

    at: int
    stream: Stream
    forward: bool
    offset: int
    kept: bytes
    refused: bytes


class Closed(NamedTuple):
    """A connection ended. `how`: "fin", "rst", "refused", "no answer", "reopened", "lost track", "idle", "evicted"."""

    at: int
    stream: Stream
    how: str


StreamEvent = Opened | Data | Gap | Conflict | Closed
