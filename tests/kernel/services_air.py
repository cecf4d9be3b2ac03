"""The two ends of a conversation over the air side in the guest: the T-box's, and its platform's.

Law: runs on the guest's own Python, with nothing of busgate.

    python3 services_air.py platform ADDRESS PORT    answer each heartbeat; one line a conversation: who called
    python3 services_air.py ask ADDRESS PORT         say a heartbeat; 0 if it was answered
"""

from __future__ import annotations

import socket
import sys

# JT/T 808-2013, phone 013800138000: a terminal's heartbeat, and the platform's general response to it.
HEARTBEAT = bytes.fromhex("7e000200000138001380000009a17e")
ANSWER = bytes.fromhex("7e8001000501380013800000010009000200247e")
SECONDS = 2.0


def heard(sock: socket.socket, size: int) -> bytes:
    """So many bytes, or what came of them before the end."""
    data = b""
    while len(data) < size and (piece := sock.recv(size - len(data))):
        data += piece
    return data


def platform(address: str, port: int) -> None:
    """Answer for ever, one conversation at a time."""
    with socket.create_server((address, port)) as listener:
        while True:
            sock, (caller, _) = listener.accept()
            with sock:
                sock.settimeout(SECONDS)
                try:
                    if heard(sock, len(HEARTBEAT)) == HEARTBEAT:
                        print(caller, flush=True)
                        sock.sendall(ANSWER)
                        heard(sock, 1)
                except OSError as fault:
                    print(caller, fault, flush=True)


def ask(address: str, port: int) -> int:
    """Say a heartbeat and wait for its answer."""
    try:
        with socket.create_connection((address, port), timeout=SECONDS) as sock:
            sock.sendall(HEARTBEAT)
            return int(heard(sock, len(ANSWER)) != ANSWER)
    except OSError as fault:
        print(fault, file=sys.stderr)
        return 1


if __name__ == "__main__":
    _, what, address, port = sys.argv
    if what == "ask":
        sys.exit(ask(address, int(port)))
    platform(address, int(port))
