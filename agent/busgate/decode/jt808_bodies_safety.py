"""Attachments of alarms, fetched from the terminal: 0x9208, 0x9212, 0x1210-0x1212 (T/JSATL 12-2017)."""

# ruff: noqa: RUF009 - what stands as a field's default says how it is cut
from __future__ import annotations

from dataclasses import dataclass

from busgate.decode.jt808_layout import byte, counted_text, dword, many, one, raw, text, word
from busgate.decode.jt808_location_vendor import AlarmIdentification
from busgate.decode.jt808_message import Table, plain

FILE_TYPES = {0: "image", 1: "audio", 2: "video", 3: "text", 4: "other"}


@dataclass(frozen=True, slots=True)
class AttachmentUpload:
    """0x9208: to which server the terminal shall upload the attachments of an alarm."""

    server_ip: str = counted_text()
    tcp_port: int = word()
    udp_port: int = word()
    identification: AlarmIdentification = one(AlarmIdentification)
    platform_alarm_id: str = text(32)
    reserved: bytes = raw(16)


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file; size in octets."""

    name: str = counted_text()
    size: int = dword()


@dataclass(frozen=True, slots=True)
class AttachmentInformation:
    """0x1210: which files will follow."""

    terminal_id: str = text({2011: 7, 2013: 7, 2019: 30})
    identification: AlarmIdentification = one(AlarmIdentification)
    platform_alarm_id: str = text(32)
    information_type: int = byte(names={0: "normal", 1: "supplement"})
    total: int = byte()
    attachments: tuple[Attachment, ...] = many(Attachment, "total")


@dataclass(frozen=True, slots=True)
class FileInformation:
    """0x1211 and 0x1212: a file begins, a file is complete."""

    name: str = counted_text()
    file_type: int = byte(names=FILE_TYPES)
    size: int = dword()


@dataclass(frozen=True, slots=True)
class Missing:
    """A piece of the file to send again."""

    offset: int = dword()
    length: int = dword()


@dataclass(frozen=True, slots=True)
class FileCompleteResponse:
    """0x9212: file upload complete response."""

    name: str = counted_text()
    file_type: int = byte(names=FILE_TYPES)
    result: int = byte(names={0: "complete", 1: "supplement needed"})
    total: int = byte()
    pieces: tuple[Missing, ...] = many(Missing, "total")


SAFETY: Table = {
    0x1210: plain("alarm attachment information", AttachmentInformation),
    0x1211: plain("file information upload", FileInformation),
    0x1212: plain("file upload complete", FileInformation),
    0x9208: plain("alarm attachment upload command", AttachmentUpload),
    0x9212: plain("file upload complete response", FileCompleteResponse),
}
