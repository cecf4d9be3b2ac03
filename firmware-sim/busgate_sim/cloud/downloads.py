"""The vendor's update server on TCP: HTTP/1.1, one package a request.

Law: what is served is what `updates.serve` says, as in a simulated scenario.
"""

from __future__ import annotations

import contextlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Self

from busgate_sim.cloud.updates import serve


class Downloads:
    """A listening server; a context that closes it."""

    def __init__(self, host: str, port: int) -> None:
        """Listens; raises OSError if it cannot."""
        self._server = ThreadingHTTPServer((host, port), _Handler)
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> Self:
        """Serve, in a thread."""
        Thread(target=self._server.serve_forever, name="downloads", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        with contextlib.suppress(ConnectionError):
            self.wfile.write(serve(f"{self.command} {self.path} HTTP/1.1\r\n\r\n".encode()))
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""
