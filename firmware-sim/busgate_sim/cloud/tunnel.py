"""A TLS connection without a socket: the real handshake and real records of both ends, byte for byte.

Law: what goes in at one end comes out at the other, or this raises; keys are made anew each time, so no two tunnels
have the same bytes.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator

from busgate_sim.cloud.certificate import self_made, serves, trusts


class Tunnel:
    """Both ends of one connection; `up` is from the T-box to the cloud."""

    def __init__(self, host: str) -> None:
        """The handshake has not begun; `host` is the name that the client asks for (SNI)."""
        own = self_made(host)
        self._from_client, self._from_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = trusts(own.certificate).wrap_bio(self._from_server, self._from_client, server_hostname=host)
        server = serves(own).wrap_bio(self._from_client, self._from_server, server_side=True)
        self._ends = {True: client, False: server}
        self._seen = {True: self._from_client, False: self._from_server}

    def handshake(self) -> Iterator[tuple[bool, bytes]]:
        """The flights of the handshake in turn: up or down, and bytes."""
        done = {True: False, False: False}
        up = True
        while not all(done.values()) or self._seen[up].pending:
            if not done[up]:
                done[up] = _goes_on(self._ends[up])
            if self._seen[up].pending:
                yield from self._passed(up)
            up = not up
        self._drain()

    def carried(self, up: bool, data: bytes) -> bytes:
        """The records that carry some bytes.

        Raises:
            ssl.SSLError: they did not arrive as they were.
        """
        self._ends[up].write(data)
        (record,) = [sent for _, sent in self._passed(up)]
        if self._ends[not up].read(len(data)) != data:
            raise ssl.SSLError("the other end read something else")
        return record

    def _passed(self, up: bool) -> Iterator[tuple[bool, bytes]]:
        """What one end has written, seen on its way to the other."""
        bio = self._seen[up]
        data = bio.read()
        bio.write(data)
        yield up, data

    def _drain(self) -> None:
        """Let the client take the session tickets that the server sent behind its handshake."""
        try:
            self._ends[True].read(1)
        except ssl.SSLWantReadError:
            return


def _goes_on(end: ssl.SSLObject) -> bool:
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True
