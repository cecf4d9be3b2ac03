"""The vendor's update server, and what a T-box needs to fetch from it: one GET of HTTP/1.1 (RFC 9112).

Law: sans-IO; a package is for one ECU and one version, and its name says which: /ECU/version.bin.
"""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple
from urllib.parse import urlsplit

from busgate_sim.ecu.catalogue import UNITS
from busgate_sim.ecu.uds.flash import image

HOST = "updates.synthetic-bus.example"
PIECE = 1360
"""How much of an answer a packet carries."""

_MOST = 1 << 20
_END = b"\r\n\r\n"


class Package(NamedTuple):
    """What a URL names."""

    host: str
    ecu: str
    version: str


def package_of(url: str) -> Package | None:
    """What an update's URL names; None for anything else."""
    parts = urlsplit(url)
    _, _, rest = parts.path.partition("/")
    ecu, _, name = rest.partition("/")
    version = name.removesuffix(".bin")
    if parts.scheme != "http" or ecu not in UNITS or not version or not name.endswith(".bin"):
        return None
    return Package(parts.netloc, ecu, version)


def ask(package: Package) -> bytes:
    """The T-box's request."""
    head = f"GET /{package.ecu}/{package.version}.bin HTTP/1.1\r\nHost: {package.host}\r\n"
    return (head + "User-Agent: synth-tbox/4.17\r\nAccept: application/octet-stream\r\n\r\n").encode("ascii")


def serve(request: bytes) -> bytes:
    """The server's answer to one request."""
    line = request.partition(b"\r\n")[0].decode("ascii", "replace").split(" ")
    package = package_of(f"http://{HOST}{line[1]}") if len(line) == 3 and line[0] == "GET" else None
    if package is None:
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    try:
        body = image(package.version)
    except ValueError:
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    head = (
        "HTTP/1.1 200 OK\r\nServer: synthetic-updates\r\nContent-Type: application/octet-stream\r\n"
        f'ETag: "{sha256(body).hexdigest()}"\r\nContent-Length: {len(body)}\r\n\r\n'
    )
    return head.encode("ascii") + body


class Fetching:
    """The T-box's end of one download."""

    def __init__(self) -> None:
        """Nothing has come."""
        self._came = bytearray()

    def take(self, data: bytes) -> bytes | None:
        """Take what came; the body once it is whole. Raises ValueError if there will be none."""
        self._came += data
        head, found, body = bytes(self._came).partition(_END)
        if not found:
            if len(self._came) > _MOST:
                raise ValueError("the answer has no end to its head")
            return None
        status, *fields = head.decode("latin-1").split("\r\n")
        if status.split(" ")[1:2] != ["200"]:
            raise ValueError(status)
        lengths = [field.split(":")[1].strip() for field in fields if field.lower().startswith("content-length:")]
        if not lengths or not lengths[0].isdecimal() or int(lengths[0]) > _MOST:
            raise ValueError("the answer does not say how long it is")
        return body[: int(lengths[0])] if len(body) >= int(lengths[0]) else None
