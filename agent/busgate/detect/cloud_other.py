"""What MQTT, HTTP, DoIP and short messages ask the T-box for.

Law: a downlink message whose meaning nobody can read asks for something unknown; acknowledgements and answers ask for
nothing. MQTT 5.0 (OASIS), RFC 9110, ISO 13400-2:2019, 3GPP TS 23.040.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import Any

from busgate.detect import uds_commands
from busgate.detect.wanted import (
    CARRIED,
    MOST_TEXT,
    UPDATE,
    Wanted,
    arguments,
    number,
    reading,
    service,
    setting,
    unknown,
)
from busgate.detect.words import commanded, in_answer, topic_words
from busgate.model import Act, Argument, Pdu, Subsystem

_TBOX, _UNKNOWN = Subsystem.TELEMATICS, Subsystem.UNKNOWN

DOWNLOAD = "download of software"

MOST_UNPACKED = 1 << 15
"""Characters of packed content that are read."""

LARGE_DOWNLOAD = 256 * 1024
"""A download of this many bytes counts as software, whatever it is called."""

_SOFTWARE = re.compile(
    r"\.(?:bin|hex|s19|srec|mot|vbf|odx|pdx|img|zip|gz|tgz|xz|swu|upd|fw|pkg|ipk|deb|apk|ota|frf|sgo|bef)(?:$|[\s?#\";])"
    r"|firmware|/ota|/fota|upgrade|update",
    re.IGNORECASE,
)
_PROGRAM_TYPES = re.compile(r"application/(?:octet-stream|zip|x-|gzip|java-archive|vnd\.)|^binary/")
_NOT_A_PROGRAM = re.compile(r"application/(?:json|xml|x-www-form|x-javascript|pdf)|^text/|^image/|^audio/|^video/")

_EVENT_LINE = re.compile(r"(?:^|[\r\n])(data|event): ?([^\r\n]*)")
"""What an event of a stream is made of."""

_PUBLISH = 3


def of_mqtt(pdu: Pdu) -> tuple[Wanted, ...]:
    """A control packet towards the T-box."""
    if pdu.code != _PUBLISH:
        return (service(f"MQTT {pdu.name}"),)
    topic = str(pdu.fields.get("topic") or "")
    data = getattr(pdu.body, "data", b"")
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else ""
    said = arguments(pdu.fields, "topic", "payload_size", "payload_sha256")
    said |= {
        "payload": Argument(text[:MOST_TEXT] if text.isprintable() and text else str(pdu.fields.get("payload", "")))
    }
    found = _in_text(text, topic)
    if found is not None:
        return (found._replace(arguments=said),)
    if pdu.fields.get("payload_size") == 0:
        return (service("MQTT message without content"),)
    return (unknown("MQTT message that nobody explains", said),)


def _in_text(text: str, topic: str) -> Wanted | None:
    """What payload or topic say in words; the topic alone only says that it is an order."""
    found = commanded(text) if text else None
    if found is not None and found.rule != "cloud.unknown":
        return found
    words = commanded('{"cmd":"' + " ".join(part for part in re.split(r"[/_.:-]", topic) if part) + '"}')
    by_topic = words if topic_words(topic) and words is not None and words.rule != "cloud.unknown" else None
    return by_topic or found


def of_http(pdu: Pdu) -> tuple[Wanted, ...]:
    """A head or a finished body towards the T-box."""
    fields = pdu.fields
    if "status" not in fields:
        said = arguments(fields, "method", "url", "target", "host", "received", "sha256")
        return (Wanted("HTTP request to the T-box", _UNKNOWN, Act.SET, CARRIED, said),)
    size = max(number(fields.get("received")) or 0, number(fields.get("content_length")) or 0)
    kind = str(fields.get("content_type") or "")
    if pdu.name == "event":
        return (_in_content(pdu) or service("HTTP event"),)
    names = f"{fields.get('url') or ''} {fields.get('content_disposition') or ''}"
    if fields.get("method") == "HEAD" or not _is_software(names, kind, size) or not _succeeded(fields):
        return (_in_content(pdu) or service("HTTP response"),)
    said = arguments(fields, "url", "content_type", "content_length", "received", "sha256", "content_range")
    return (Wanted(DOWNLOAD, _TBOX, Act.FLASH, UPDATE, said),)


def _in_content(pdu: Pdu) -> Wanted | None:
    """The order that stands in a response's content or in an event of one, where it is short enough to be read."""
    data = getattr(pdu.body, "data", b"")
    if not isinstance(data, bytes) or not data:
        return None
    text = _unpacked(data, str(pdu.fields.get("content_encoding") or ""))
    asked = str(pdu.fields.get("url") or "")
    if pdu.name == "event" and (lines := _EVENT_LINE.findall(text)):
        asked += "/" + " ".join(said for field, said in lines if field == "event")
        text = "\n".join(said for field, said in lines if field == "data")
    found = in_answer(text, topic_words(asked)) if text else None
    if found is None:
        return None
    return found._replace(arguments=arguments(pdu.fields, "url", "received") | dict(found.arguments))


def _unpacked(data: bytes, coding: str) -> str:
    """Content as text; "" where it is none."""
    if coding.strip().lower() in {"gzip", "x-gzip", "deflate"}:
        for window in (47, -15):
            try:
                data = zlib.decompressobj(window).decompress(data, MOST_UNPACKED)
                break
            except zlib.error:
                continue
    coded = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        return data.decode(coded)
    except UnicodeDecodeError:
        return ""


def _succeeded(fields: Mapping[str, Any]) -> bool:
    status = number(fields.get("status"))
    return status is not None and 200 <= status < 300


def _is_software(names: str, kind: str, size: int) -> bool:
    if _NOT_A_PROGRAM.search(kind):
        return size >= LARGE_DOWNLOAD
    return size >= LARGE_DOWNLOAD or bool(_SOFTWARE.search(names)) or bool(_PROGRAM_TYPES.search(kind))


_DIAGNOSTIC_MESSAGE = 0x8001
_ANNOUNCEMENTS = frozenset({0x0000, 0x0004, 0x0006, 0x0007, 0x0008, 0x4002, 0x4004, 0x8002, 0x8003})


def of_doip(pdu: Pdu) -> tuple[Wanted, ...]:
    """A message of diagnostics over IP towards the vehicle."""
    code = -1 if pdu.code is None else pdu.code
    if code in _ANNOUNCEMENTS:
        return (service(f"DoIP {pdu.name}"),)
    if code == 0x0005:
        said = arguments(pdu.fields, "source_address", "activation_type")
        return (Wanted("DoIP routing activation", _UNKNOWN, Act.UNLOCK, CARRIED, said),)
    if code == _DIAGNOSTIC_MESSAGE:
        return (_diagnostic(pdu.fields),)
    if code in {0x0001, 0x0002, 0x0003, 0x4001, 0x4003}:
        return (reading(f"DoIP {pdu.name}"),)
    return (unknown(f"DoIP message 0x{code:04X}", arguments(pdu.fields, "payload")),)


def _diagnostic(fields: Mapping[str, Any]) -> Wanted:
    text = str(fields.get("user_data") or "")
    sid = number(f"0x{text[:2]}") if len(text) >= 2 else None
    said = arguments(fields, "source_address", "target_address", "user_data")
    if sid is None:
        return unknown("DoIP diagnostic message without content", said)
    if sid & 0x40 and sid not in uds_commands.SERVICES:
        return service("DoIP diagnostic answer")
    act = Act.ENABLE if sid == uds_commands.SESSION_CONTROL else uds_commands.SERVICES.get(sid, (Act.SET, ""))[0]
    name = f"DoIP diagnostic request 0x{sid:02X}"
    return reading(name, said) if act is Act.READ else Wanted(name, _UNKNOWN, act, CARRIED, said)


def of_sms(pdu: Pdu) -> tuple[Wanted, ...]:
    """A short message to the T-box, as far as it is none of a platform's protocol."""
    fields = pdu.fields
    if fields.get("kind", pdu.name) == "status report":
        return (service("delivery report"),)
    said = arguments(fields, "text", "data", "address", "protocol_identifier", "destination_port")
    if fields.get("sim_data_download") is True:
        return (Wanted("short message that programs the SIM", _UNKNOWN, Act.WRITE, "sms.command", said),)
    text = fields.get("text") or _written(fields.get("data"))
    found = commanded(text) if isinstance(text, str) and text else None
    if found is not None:
        return (found._replace(rule="sms.command", arguments={**said, **found.arguments}),)
    if not text:
        silent = "silent" if fields.get("silent") else "binary"
        return (Wanted(f"{silent} short message", _UNKNOWN, Act.SET, "sms.command", said),)
    return (setting("short message", said)._replace(rule="sms.received"),)


def _written(data: object) -> str:
    """The text that octets are, where every one of them is a character: many write commands as 8 bit data."""
    digits = re.fullmatch(r"(?:[0-9a-f]{2})+", data) if isinstance(data, str) else None
    octets = bytes.fromhex(digits[0]) if digits is not None else b""
    return octets.decode("ascii") if re.fullmatch(rb"[\t\r\n\x20-\x7e]+\0?", octets) else ""
