"""SSH, telnet, adb and prompts: any bytes are given back in order, and the units are the same however they were cut."""

from __future__ import annotations

from busgate.decode import adb
from busgate.decode.banners import LONGEST_LINE, Shell, Ssh
from busgate.decode.telnet import LONGEST, Telnet
from support.streams import check_law

_CNXN = 0x4E584E43
SEEDS: tuple[bytes, ...] = (
    b"hello\r\nSSH-2.0-OpenSSH_8.2p1 Ubuntu-4\r\n\0\0\1",
    b"\xff\xfd\x18\xff\xfa\x18\0VT100\xff\xff\xff\xf0tbox login: root\r\nPassword: \r\n# ",
    b"\x1b[1;32mroot@tbox\x1b[0m:/tmp# ls\r\n",
    b"".join(word.to_bytes(4, "little") for word in (_CNXN, 0x01000000, 4096, 3, 0, _CNXN ^ 0xFFFFFFFF)) + b"abc",
)


def check(data: bytes) -> None:
    """The spans joined are the bytes, cutting does not matter, at most a line, command or packet is held."""
    places = range(0, len(data), 3)
    check_law(Ssh, data, places, LONGEST_LINE)
    check_law(Shell, data, places, 0)
    check_law(Telnet, data, places, LONGEST)
    check_law(adb.Packets, data, places, adb.MOST_DATA + adb.HEADER + 1024)
