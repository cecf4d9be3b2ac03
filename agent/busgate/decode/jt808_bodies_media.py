"""Pictures, sound and video files: 0x88xx and 0x08xx (JT/T 808, clause 8)."""

# ruff: noqa: RUF009 - what stands as a field's default says how it is cut
from __future__ import annotations

from dataclasses import dataclass

from busgate.decode.jt808_layout import Reading, byte, dword, fits, many, one, read_body, rest, time, word
from busgate.decode.jt808_location import LocationBasic
from busgate.decode.jt808_message import Message, Table, before_2013, first_fit, plain
from busgate.decode.jt808_octets import is_time

MEDIA_TYPES = {0: "image", 1: "audio", 2: "video"}
MEDIA_FORMATS = {0: "JPEG", 1: "TIF", 2: "MP3", 3: "WAV", 4: "WMV"}
EVENTS = {
    0: "platform command",
    1: "timed action",
    2: "robbery alarm",
    3: "collision or rollover alarm",
    4: "door opened",
    5: "door closed",
    6: "door opened at low speed, speed passed 20 km/h",
    7: "fixed distance",
}
DELETE_FLAGS = {0: "keep", 1: "delete"}
SAVE_FLAGS = {0: "upload at once", 1: "save"}


@dataclass(frozen=True, slots=True)
class MediaEvent:
    """0x0800: multimedia event upload."""

    multimedia_id: int = dword()
    multimedia_type: int = byte(names=MEDIA_TYPES)
    format: int = byte(names=MEDIA_FORMATS)
    event: int = byte(names=EVENTS)
    channel_id: int = byte()


@dataclass(frozen=True, slots=True)
class MediaData:
    """0x0801: description, where it was taken, and the file or its first part."""

    multimedia_id: int = dword()
    multimedia_type: int = byte(names=MEDIA_TYPES)
    format: int = byte(names=MEDIA_FORMATS)
    event: int = byte(names=EVENTS)
    channel_id: int = byte()
    location: LocationBasic = one(LocationBasic)
    data: bytes = rest()


@dataclass(frozen=True, slots=True)
class MediaData2011:
    """0x0801 in 2011: without the location."""

    multimedia_id: int = dword()
    multimedia_type: int = byte(names=MEDIA_TYPES)
    format: int = byte(names=MEDIA_FORMATS)
    event: int = byte(names=EVENTS)
    channel_id: int = byte()
    data: bytes = rest()


@dataclass(frozen=True, slots=True)
class MediaDataResponse:
    """0x8800: parts that are missing; without them all is there."""

    multimedia_id: int = dword()
    total: int | None = byte(optional=True)
    packet_ids: tuple[int, ...] | None = many(2, "total", when=lambda seen: seen["total"] is not None)


@dataclass(frozen=True, slots=True)
class MediaItem:
    """One file that was found."""

    multimedia_id: int = dword()
    multimedia_type: int = byte(names=MEDIA_TYPES)
    channel_id: int = byte()
    event: int = byte(names=EVENTS)
    location: LocationBasic = one(LocationBasic)


@dataclass(frozen=True, slots=True)
class MediaItem2011:
    """One file that was found, in 2011: without its id."""

    multimedia_type: int = byte(names=MEDIA_TYPES)
    channel_id: int = byte()
    event: int = byte(names=EVENTS)
    location: LocationBasic = one(LocationBasic)


@dataclass(frozen=True, slots=True)
class MediaSearchResponse:
    """0x0802: stored multimedia search response."""

    response_serial: int = word()
    total: int = word()
    items: tuple[MediaItem, ...] = many(MediaItem, "total")


@dataclass(frozen=True, slots=True)
class MediaSearchResponse2011:
    """0x0802 in 2011."""

    response_serial: int = word()
    total: int = word()
    items: tuple[MediaItem2011, ...] = many(MediaItem2011, "total")


@dataclass(frozen=True, slots=True)
class Shooting:
    """0x8801: 0 stops, 0xFFFF records, other commands are the number of photos; interval or length in s."""

    channel_id: int = byte()
    shooting_command: int = word()
    interval: int = word()
    save_flag: int = byte(names=SAVE_FLAGS)
    resolution: int = byte()
    quality: int = byte()
    brightness: int = byte()
    contrast: int = byte()
    saturation: int = byte()
    chroma: int = byte()


@dataclass(frozen=True, slots=True)
class ShootingResponse:
    """0x0805: result 1 is failure, 2 an unsupported channel; ids of the files after a success."""

    response_serial: int = word()
    result: int = byte(names={0: "success", 1: "failure", 2: "channel not supported"})
    total: int | None = word(optional=True)
    multimedia_ids: tuple[int, ...] | None = many(4, "total", when=lambda seen: seen["total"] is not None)


@dataclass(frozen=True, slots=True)
class MediaSearch:
    """0x8802: stored multimedia search."""

    multimedia_type: int = byte(names=MEDIA_TYPES)
    channel_id: int = byte()
    event: int = byte(names=EVENTS)
    start_time: str = time()
    end_time: str = time()


@dataclass(frozen=True, slots=True)
class MediaUpload:
    """0x8803: stored multimedia upload."""

    multimedia_type: int = byte(names=MEDIA_TYPES)
    channel_id: int = byte()
    event: int = byte(names=EVENTS)
    start_time: str = time()
    end_time: str = time()
    delete_flag: int = byte(names=DELETE_FLAGS)


@dataclass(frozen=True, slots=True)
class Recording:
    """0x8804: listen to the cabin for so many seconds (0: until stopped)."""

    command: int = byte(names={0: "stop", 1: "start"})
    recording_time: int = word()
    save_flag: int = byte(names=SAVE_FLAGS)
    sampling_rate: int = byte(names={0: "8 kHz", 1: "11 kHz", 2: "23 kHz", 3: "32 kHz"})


@dataclass(frozen=True, slots=True)
class SingleMediaUpload:
    """0x8805: single stored multimedia upload."""

    multimedia_id: int = dword()
    delete_flag: int = byte(names=DELETE_FLAGS)


def _without_location(body: bytes) -> bool:
    return not is_time(body[30:36])


def _search_response(body: bytes, edition: int, certain: bool) -> Reading:
    if edition == 2011 and certain:
        return read_body(MediaSearchResponse2011, body, edition)
    newer = first_fit(MediaSearchResponse)(body, edition, certain)
    if newer.flaws and edition < 2019 and fits(MediaSearchResponse2011, body, 2011):
        return read_body(MediaSearchResponse2011, body, 2011)
    return newer


MEDIA: Table = {
    0x0800: plain("multimedia event upload", MediaEvent),
    0x0801: Message("multimedia data upload", before_2013(MediaData2011, MediaData, _without_location)),
    0x0802: Message("stored multimedia search response", _search_response),
    0x0805: plain("camera shooting response", ShootingResponse),
    0x8800: plain("multimedia data upload response", MediaDataResponse),
    0x8801: plain("camera shooting command", Shooting),
    0x8802: plain("stored multimedia search", MediaSearch),
    0x8803: plain("stored multimedia upload", MediaUpload),
    0x8804: plain("recording start command", Recording),
    0x8805: plain("single stored multimedia upload", SingleMediaUpload),
}
