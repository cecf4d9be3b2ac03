"""Short messages of a simulated centre, of pycrate's own encoder, and of public examples."""

from typing import Any

import pytest
from pycrate_mobile import TS23038
from pycrate_mobile.TS23040_SMS import SMS_SUBMIT

from busgate.decode import sms
from busgate.decode.sms import ShortMessage, Unreadable, heard, read
from busgate.decode.sms_alphabets import ALPHABET, Coding, coding
from busgate.decode.sms_parts import Reassembler
from busgate.model import Direction, Pdu, Side, Sms
from busgate_sim.cloud.sms import deliver, septets

SENT = 1_700_000_000
SENDER = "31600000001"


def pdu(raw: bytes, direction: Direction = Direction.UNKNOWN) -> Pdu:
    found = read(raw, direction)
    assert isinstance(found, Pdu), found
    return found


def body(raw: bytes, direction: Direction = Direction.UNKNOWN) -> ShortMessage:
    found = pdu(raw, direction).body
    assert isinstance(found, ShortMessage)
    return found


def made(data: bytes, *, scheme: int = 4, identifier: int = 0, header: bytes = b"", length: int | None = None) -> bytes:
    """A deliver without a centre, octet by octet."""
    address = bytes.fromhex("0b911306000000f1")
    user = (bytes([len(header)]) + header if header else b"") + data
    first = 0x44 if header else 0x04
    stamp = bytes.fromhex("32114122310200")
    return (
        bytes([first])
        + address
        + bytes([identifier, scheme])
        + stamp
        + bytes([len(user) if length is None else length])
        + user
    )


@pytest.mark.parametrize("said", ["hello w", "abcdefg", "abcdefgh", "héé@", "", "x" * 160, "中文短信"])
def test_texts_of_the_simulated_centre_are_read(said: str) -> None:
    found = body(deliver(SENDER, said, SENT))
    assert (found.kind, found.text, found.address, found.smsc) == ("deliver", said, "+31600000001", "+316540942000")
    assert found.timestamp == "2023-11-14T22:13:20+00:00"
    assert pdu(deliver(SENDER, said, SENT)).flaws == ()


def test_bytes_are_bytes() -> None:
    found = pdu(deliver(SENDER, b"\x7e\x81\x05\x7e", SENT))
    assert (found.fields["data"], found.fields["alphabet"]) == ("7e81057e", "8bit")
    assert "text" not in found.fields
    assert isinstance(found.body, ShortMessage)
    assert found.body.data == b"\x7e\x81\x05\x7e"


@pytest.mark.parametrize("said", ["hello", "中文", b"\1\2\3"])
def test_the_centre_before_a_unit_may_be_missing(said: str | bytes) -> None:
    whole = deliver(SENDER, said, SENT)
    without = body(whole[1 + whole[0] :])
    assert (without.smsc, without.address) == ("", "+31600000001")
    assert body(b"\0" + whole[1 + whole[0] :]) == without


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        # Examples that PDU tutorials on the web use.
        (
            "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07",
            {
                "kind": "deliver",
                "address": "+31641600986",
                "text": "How are you?",
                "smsc": "+31624000000",
                "timestamp": "2002-08-26T19:37:41+00:00",
            },
        ),
        (
            "07917283010010F5040BC87238880900F10000993092516195800AE8329BFD4697D9EC37",
            {"text": "hellohello", "address": "27838890001", "timestamp": "2099-03-29T15:16:59+02:00"},
        ),
        (
            "0011000B916407281553F80000AA0AE8329BFD4697D9EC37",
            {"kind": "submit", "address": "+46708251358", "text": "hellohello", "message_reference": 0},
        ),
        (
            "0791448720003023240DD0E474D81C0EBB010000111011315214000BE474D81C0EBB5DE3771B",
            {"address": "diafaan", "text": "diafaan.com"},
        ),
        (
            "0006D60B911326880736F4111011719551401110117195714000",
            {
                "kind": "status report",
                "address": "+31628870634",
                "status": 0,
                "message_reference": 214,
                "discharge_time": "2011-01-11T17:59:17+01:00",
            },
        ),
    ],
)
def test_public_examples(raw: str, expected: dict[str, Any]) -> None:
    found = pdu(bytes.fromhex(raw))
    assert {name: found.fields[name] for name in expected} == expected
    assert found.flaws == ()


def test_what_pycrate_encodes_is_what_is_read() -> None:
    unit = SMS_SUBMIT(
        val={
            "TP_MR": 9,
            "TP_VPF": 2,
            "TP_DA": {"Type": 1, "Num": "8613800138000"},
            "TP_DCS": {"Group": 15, "Charset": 0, "Class": 0},
            "TP_UD": {"UD": "RESET#"},
        }
    )
    found = pdu(unit.to_bytes(), Direction.UP)
    assert (found.fields["address"], found.fields["text"], found.fields["flash"]) == ("+8613800138000", "RESET#", True)
    assert (found.direction, found.fields["message_reference"]) == (Direction.UP, 9)


def test_the_alphabet_is_the_one_of_pycrate() -> None:
    assert [TS23038._GSM7bLUT[place] for place in range(128)] == list(ALPHABET)


@pytest.mark.parametrize(("escaped", "text"), [("e", "€"), ("(", "{"), ("<", "["), ("/", "\\"), ("=", "~"), ("¡", "|")])
def test_escapes_of_the_default_alphabet(escaped: str, text: str) -> None:
    raw = made(septets("a\x1b" + escaped + "b"), scheme=0, length=4)
    assert body(raw).text == f"a{text}b"


@pytest.mark.parametrize(
    ("octet", "expected"),
    [
        (0x00, Coding("gsm7", None)),
        (0x04, Coding("8bit", None)),
        (0x08, Coding("ucs2", None)),
        (0x10, Coding("gsm7", 0)),
        (0x18, Coding("ucs2", 0)),
        (0x13, Coding("gsm7", 3)),
        (0x24, Coding("8bit", None, compressed=True)),
        (0xF0, Coding("gsm7", 0)),
        (0xF6, Coding("8bit", 2)),
        (0xC8, Coding("gsm7", None)),
        (0xE0, Coding("ucs2", None)),
        (0x0C, Coding("gsm7", None)),
        (0x80, Coding("gsm7", None)),
    ],
)
def test_coding_schemes(octet: int, expected: Coding) -> None:
    assert coding(octet) == expected


def test_flash_silent_and_sim_messages_are_told() -> None:
    assert body(made(b"\0", scheme=0x10, length=1)).flash
    assert body(made(b"\0", identifier=0x40)).silent
    toolkit = body(made(b"\2\x70\0\0", scheme=0xF6, identifier=0x7F))
    assert (toolkit.sim_data_download, toolkit.message_class, toolkit.silent) == (True, 2, False)


def test_headers_say_parts_and_ports() -> None:
    found = body(made(b"\1\2", header=bytes.fromhex("0804abcd0302" + "05040b8423f0")))
    assert (found.reference, found.total, found.index) == (0xABCD, 3, 2)
    assert (found.destination_port, found.source_port, found.data) == (0x0B84, 0x23F0, b"\1\2")


@pytest.mark.parametrize("header", ["0003070201", "000307020105040b8423f0"])
def test_text_behind_a_header_is_aligned_to_its_septets(header: str) -> None:
    octets = bytes.fromhex(header)
    bits = (len(octets) + 1) * 8
    fill = -bits % 7
    packed = int.from_bytes(septets("DIANYUAN,OFF"), "little") << fill
    data = packed.to_bytes((12 * 7 + fill + 7) // 8, "little")
    raw = made(data, scheme=0, header=octets, length=(bits + fill) // 7 + 12)
    found = pdu(raw)
    assert (found.fields["text"], found.flaws) == ("DIANYUAN,OFF", ())


@pytest.mark.parametrize(
    ("raw", "flaw"),
    [
        (made(b"abc", header=bytes.fromhex("0003070203")), "part 3 of 2 is impossible"),
        (made(b"abc", header=bytes.fromhex("0003070200")), "part 0 of 2 is impossible"),
        (made(b"abc", header=bytes.fromhex("00030702")), "the user data header does not end where it says"),
        (made(b"abc", length=9), "the user data says 9 octets, 3 are there"),
        (made(b"abc", length=2), "1 bytes follow the message"),
        (
            made(b"abc").replace(bytes.fromhex("32114122310200"), bytes.fromhex("32f14122310200")),
            "the time stamp is no time: 32f14122310200",
        ),
        (made(b"abc", scheme=0x20), "the user data is compressed; its text is not read"),
        (made(b"\xff", length=1).replace(b"\x04\x0b", b"\x44\x0b", 1), "the user data header does not fit"),
    ],
)
def test_what_breaks_a_rule_is_named(raw: bytes, flaw: str) -> None:
    assert flaw in pdu(raw).flaws


@pytest.mark.parametrize(
    "raw", [b"", b"\0", b"\x04", b"\x04\x0b\x91", b"\x07" + bytes(3), bytes(300), b"\x03\x0b\x91" + bytes(30)]
)
def test_what_is_no_transfer_unit_is_unreadable(raw: bytes) -> None:
    found = read(raw)
    assert isinstance(found, Unreadable)
    assert found.reason


def test_what_a_modem_hands_over_is_read_from_its_unit_or_taken_as_it_is() -> None:
    raw = deliver(SENDER, "RESET#", SENT)
    assert heard(Sms(0, Side.TAP, SENDER, raw, "something else")) == read(raw)
    plain = heard(Sms(0, Side.TAP, SENDER, text="hi", outgoing=True))
    assert isinstance(plain, Pdu)
    assert (plain.direction, plain.fields["text"], plain.fields["address"]) == (Direction.UP, "hi", SENDER)
    octets = heard(Sms(0, Side.TAP, SENDER, data=b"\x7e"))
    assert isinstance(octets, Pdu)
    assert (octets.fields["data"], "text" in octets.fields) == ("7e", False)


def part(index: int, total: int, data: bytes, *, reference: int = 7, scheme: int = 4) -> Pdu:
    return pdu(made(data, scheme=scheme, header=bytes([0, 3, reference, total, index])))


def test_parts_are_put_together_in_their_order() -> None:
    parts = Reassembler()
    assert parts.add(0, part(3, 3, b"c")) is None
    assert parts.add(1, part(1, 3, b"a")) is None
    assert parts.add(2, part(1, 3, b"a")) is None
    whole = parts.add(3, part(2, 3, b"b"))
    assert whole is not None
    assert (whole.fields["data"], whole.fields["parts"]) == (b"abc".hex(), 3)
    assert isinstance(whole.body, ShortMessage)
    assert whole.body.data == b"abc"
    assert parts.waiting == 0


def test_a_character_cut_in_two_is_whole_again() -> None:
    octets = "a😀".encode("utf-16-be")
    parts = Reassembler()
    parts.add(0, part(1, 2, octets[:4], scheme=8))
    whole = parts.add(1, part(2, 2, octets[4:], scheme=8))
    assert whole is not None
    assert whole.fields["text"] == "a😀"


def test_messages_without_parts_pass_and_open_ones_are_bounded_in_number_and_time() -> None:
    parts = Reassembler(lifetime_ns=100, most=2)
    plain = pdu(made(b"x"))
    assert parts.add(0, plain) is plain
    for reference in range(3):
        parts.add(reference, part(1, 2, b"a", reference=reference))
    assert parts.waiting == 2
    assert parts.add(3, part(2, 2, b"b", reference=0)) is None
    assert parts.add(200, part(2, 2, b"b", reference=2)) is None
    assert parts.waiting == 1


def test_a_library_that_fails_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("broken inside")

    monkeypatch.setattr(sms, "_apart", fails)
    assert read(made(b"x")) == Unreadable("not read as deliver: broken inside")
