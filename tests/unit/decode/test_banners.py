"""What says that somebody works on the T-box by hand: SSH, telnet, adb, prompts."""

import pytest

from busgate.decode import adb
from busgate.decode.banners import Identification, Shell, Ssh
from busgate.decode.telnet import Telnet
from busgate.model import Direction, Span
from support.streams import fed, joined, units


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"SSH-2.0-OpenSSH_8.2p1 Ubuntu-4ubuntu0.5\r\n", ("2.0", "OpenSSH_8.2p1", "Ubuntu-4ubuntu0.5")),
        (b"SSH-2.0-dropbear_2019.78\r\n", ("2.0", "dropbear_2019.78", "")),
        (b"SSH-1.99-Cisco-1.25\n", ("1.99", "Cisco-1.25", "")),
    ],
)
def test_an_ssh_identification_is_read_and_what_follows_is_not(line: bytes, expected: tuple[str, ...]) -> None:
    spans = Ssh(Direction.DOWN).feed(line + b"\0\0\1\2")
    assert [span.raw for span in spans] == [line, b"\0\0\1\2"]
    assert spans[0].pdu is not None
    assert spans[0].pdu.body == Identification(*expected)
    assert spans[1].reason == "SSH packets"


def test_a_server_may_say_other_lines_first() -> None:
    spans = fed(Ssh(), b"Authorized use only\r\nSSH-2.0-x\r\n")
    assert [span.pdu is None for span in spans] == [True, False]


def test_a_line_too_long_is_no_identification() -> None:
    assert joined(fed(Ssh(), b"SSH-" + bytes(400))) == [
        Span(b"SSH-" + bytes(251), None, "no SSH identification"),
        Span(bytes(149), None, "SSH packets"),
    ]


@pytest.mark.parametrize(
    ("text", "kind", "shown"),
    [
        (b"\r\nBusyBox v1.30\r\ntbox login: ", "login", "tbox login:"),
        (b"Username:", "login", "Username:"),
        (b"\r\nPassword: ", "password", "Password:"),
        (b"root@tbox's password:", "password", "root@tbox's password:"),
        (b"[sudo] password for bus: ", "password", "[sudo] password for bus:"),
        (b"\r\n# ", "shell", "# "),
        (b"\r\n$ ", "shell", "$ "),
        (b"\n/ # ", "shell", "/ # "),
        (b"root@tbox:~# ", "shell", "root@tbox:~# "),
        (b"[root@tbox ~]# ", "shell", "[root@tbox ~]# "),
        (b"\x1b[1;32mu@h\x1b[0m:\x1b[1;34m/tmp\x1b[0m$ ", "shell", "u@h:/tmp$ "),
        (b"generic_arm64:/ $ ", "shell", "generic_arm64:/ $ "),
    ],
)
def test_prompts_are_named_at_their_last_byte(text: bytes, kind: str, shown: str) -> None:
    spans = fed(Shell(), text)
    (pdu,) = units(spans)
    assert (pdu.protocol, pdu.fields) == ("shell", {"kind": kind, "text": shown})
    assert b"".join(span.raw for span in spans) == text


@pytest.mark.parametrize(
    "text",
    [
        b"# a comment\n# another\n",
        b"http://a.example: fine",
        b'{"login": "x"}',
        b"the cost is 5$ a month",
        b"blogging:",
    ],
)
def test_other_text_has_no_prompt(text: bytes) -> None:
    assert units(fed(Shell(), text)) == []


def test_what_is_typed_is_never_held_back() -> None:
    shell = Shell()
    assert [span.raw for letter in (b"l", b"s", b"\r") for span in shell.feed(letter)] == [b"l", b"s", b"\r"]
    assert shell.held == 0


def test_telnet_negotiations_and_prompts() -> None:
    stream = b"\xff\xfd\x18\xff\xfb\x01\xff\xfa\x18\x00VT100\xff\xff\xff\xf0\xff\xf1tbox login: \xff\xff!"
    spans = joined(fed(Telnet(), stream))
    told = [(pdu.name, *pdu.fields.values()) for pdu in units(spans)]
    assert told == [
        ("negotiation", "DO", "terminal type"),
        ("negotiation", "WILL", "echo"),
        ("negotiation", "SB", "terminal type", b"\0VT100\xff\xff".hex()),
        ("command", "NOP"),
        ("login prompt", "login", "tbox login:"),
    ]
    assert [span.raw for span in spans if span.reason == "escaped data"] == [b"\xff\xff"]


def test_a_subnegotiation_without_an_end_is_given_up() -> None:
    stream = b"\xff\xfa\x18" + b"a" * 2000
    spans = fed(Telnet(), stream)
    assert spans[0].pdu is not None
    assert (len(spans[0].raw), spans[0].pdu.flaws) == (1024, ("the subnegotiation has no end",))
    assert fed(Telnet(), b"\xff\xfa\x18\xff\xfd\x01")[0].raw == b"\xff\xfa\x18"


def adb_packet(command: bytes, arg0: int, arg1: int, data: bytes = b"", check: int | None = None) -> bytes:
    number = int.from_bytes(command, "little")
    words = (number, arg0, arg1, len(data), sum(data) if check is None else check, number ^ 0xFFFFFFFF)
    return b"".join(word.to_bytes(4, "little") for word in words) + data


def test_adb_packets_say_who_connects_and_what_is_opened() -> None:
    sent = [
        adb_packet(b"CNXN", 0x01000001, 1 << 20, b"host::features=shell_v2\0", 0),
        adb_packet(b"AUTH", 1, 0, b"t" * 20),
        adb_packet(b"OPEN", 5, 0, b"shell:reboot\0"),
        adb_packet(b"WRTE", 5, 9, b"ls\n"),
        adb_packet(b"OKAY", 5, 9),
        adb_packet(b"CLSE", 5, 9),
    ]
    spans = fed(adb.Packets(), b"".join(sent))
    assert [span.raw for span in spans] == sent
    connect, auth, opened, written, okay, _ = units(spans)
    assert connect.fields["system_identity"] == "host::features=shell_v2"
    assert (connect.fields["version"], connect.fields["max_data"]) == ("01000001", 1 << 20)
    assert auth.fields == {"command": "AUTH", "data_length": 20, "type": "token"}
    assert opened.fields["destination"] == "shell:reboot"
    assert written.fields["data"] == b"ls\n".hex()
    assert (okay.fields["local_id"], okay.fields["remote_id"]) == (5, 9)
    assert not any(pdu.flaws for pdu in units(spans))


def test_adb_checks_magic_and_sum() -> None:
    raw = adb_packet(b"OPEN", 1, 0, b"tcp:1\0", 7)
    (pdu,) = units(fed(adb.Packets(), raw))
    assert pdu.flaws == ("the data check is 0x7, should be 0x1b2",)
    assert adb.read(raw[:20] + bytes(4) + raw[24:]) is None
    assert adb.packet_size(raw[:10]) == 0
    assert adb.packet_size(b"OPEX") == -1


def test_adb_over_tls_is_opaque_at_once() -> None:
    framer = adb.Packets()
    framer.feed(adb_packet(b"STLS", 0x01000000, 0))
    assert framer.feed(b"\x16\x03\x01") == [Span(b"\x16\x03\x01", None, "encrypted")]
