"""A short message as a modem hands it out: SMS-DELIVER with its centre's address (3GPP TS 23.040, 9.2.2.1).

Law: encoding only, from the standard's text; whoever reads these messages elsewhere has to have a decoder of its own.
"""

from __future__ import annotations

from datetime import UTC, datetime

_ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The GSM 7 bit default alphabet (3GPP TS 23.038, 6.2.1) in its order."""

_MOST_SEPTETS, _MOST_OCTETS = 160, 140
_INTERNATIONAL = 0x91
_DELIVER = 0x04
"""SMS-DELIVER, no more messages to send."""
_SEVEN_BIT, _EIGHT_BIT, _UCS2 = 0x00, 0x04, 0x08


def deliver(sender: str, said: str | bytes, sent: int, centre: str = "316540942000") -> bytes:
    """The PDU of one message; `sent` is Unix seconds, numbers are international, without the +.

    Text takes the 7 bit alphabet where that has all its characters, else UCS-2; bytes go as 8 bit data.

    Raises:
        ValueError: it does not fit into one message.
    """
    coding, length, octets = _said(said)
    address = bytes([len(sender), _INTERNATIONAL]) + _digits(sender)
    centred = bytes([_INTERNATIONAL]) + _digits(centre)
    stamp = _digits(datetime.fromtimestamp(sent, UTC).strftime("%y%m%d%H%M%S") + "00")
    return bytes([len(centred)]) + centred + bytes([_DELIVER]) + address + bytes([0, coding]) + stamp + length + octets


def septets(text: str) -> bytes:
    """Text packed to 7 bits a character (TS 23.038, 6.1.2.1). Raises ValueError for what the alphabet has not."""
    packed = 0
    for place, character in enumerate(text):
        packed |= _ALPHABET.index(character) << 7 * place
    return packed.to_bytes((7 * len(text) + 7) // 8, "little")


def _said(said: str | bytes) -> tuple[int, bytes, bytes]:
    """Data coding, user data length, user data."""
    if isinstance(said, str) and all(character in _ALPHABET for character in said):
        if len(said) > _MOST_SEPTETS:
            raise ValueError(f"{len(said)} characters do not fit into one short message of {_MOST_SEPTETS}")
        return _SEVEN_BIT, bytes([len(said)]), septets(said)
    coding, octets = (_UCS2, said.encode("utf-16-be")) if isinstance(said, str) else (_EIGHT_BIT, said)
    if len(octets) > _MOST_OCTETS:
        raise ValueError(f"{len(octets)} octets do not fit into one short message of {_MOST_OCTETS}")
    return coding, bytes([len(octets)]), octets


def _digits(number: str) -> bytes:
    """Digits in swapped halves of octets, filled with F (9.1.2.3)."""
    padded = number + "F" * (len(number) % 2)
    return bytes(int(padded[at + 1] + padded[at], 16) for at in range(0, len(padded), 2))
