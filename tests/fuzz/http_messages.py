"""HTTP/1: any bytes of both directions are given back in order, and the units are the same however they were cut."""

from __future__ import annotations

from busgate.decode.http import Conversation, Messages
from busgate.decode.http_heads import LONGEST_HEAD
from busgate.model import Span
from support.streams import check_law

SEEDS: tuple[bytes, ...] = (
    b"GET /fw/7.bin HTTP/1.1\r\nHost: ota.example\r\nRange: bytes=0-\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhelloHTTP/1.1 204 No\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: v\r\n\r\n",
    b"POST / HTTP/1.0\nContent-Length: 3\n\nabcPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0",
    b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
    b"x GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n",
)


class _Asked:
    """The server's side of a conversation whose request was seen."""

    def __init__(self) -> None:
        conversation = Conversation()
        conversation.client.feed(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
        self._server = conversation.server

    @property
    def held(self) -> int:
        return self._server.held

    def feed(self, data: bytes) -> list[Span]:
        return self._server.feed(data)

    def close(self) -> list[Span]:
        return self._server.close()


def _client() -> Messages:
    return Conversation().client


def _server() -> Messages:
    return Conversation().server


def check(data: bytes) -> None:
    """The spans joined are the bytes, cutting does not matter (bodies joined), holding is bounded, nothing raises."""
    for make in (_client, _server, _Asked):
        check_law(make, data, range(0, len(data), 3), LONGEST_HEAD)
