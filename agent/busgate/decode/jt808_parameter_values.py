"""Terminal parameters that have a structure: JT/T 808 and JT/T 1078-2016."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from busgate.decode.jt808_layout import Seen, byte, digits, dword, many, of, raw, word
from busgate.decode.jt808_octets import Octets


@dataclass(frozen=True, slots=True)
class ForbiddenDrivingTime:
    """0x0032 (2019): start and end of the time of day in which driving is against the rules."""

    start_hour: int = byte()
    start_minute: int = byte()
    end_hour: int = byte()
    end_minute: int = byte()


@dataclass(frozen=True, slots=True)
class CollisionParameters:
    """0x005D: collision acceleration in 0.1 g, and time in 4 ms (2019: ms)."""

    acceleration: int = byte()
    duration: int = byte()


def _bits(first: int, count: int) -> Any:
    """Bits of the DWORD that these parameters are, from the lowest; every field looks at the same four octets."""

    def cut(octets: Octets, _seen: Seen) -> tuple[int, int]:
        value = int.from_bytes(octets.data[:4]) >> first & ((1 << count) - 1)
        return value, value

    return of(cut)


@dataclass(frozen=True, slots=True)
class PhotoControl:
    """0x0064 and 0x0065: channels on, channels that store instead of upload, unit and interval of taking photos.

    `unit` is 0 for seconds (metres in 0x0065), 1 for minutes (kilometres).
    """

    flags: int = dword()
    channels_on: int = _bits(0, 5)
    channels_stored: int = _bits(8, 5)
    unit: int = _bits(16, 1)
    interval: int = _bits(17, 15)


@dataclass(frozen=True, slots=True)
class AudioVideoParameters:
    """0x0075: encoding of the live and of the stored stream; frame intervals in frames, bit rates in kbit/s."""

    realtime_encode_mode: int = byte()
    realtime_resolution: int = byte()
    realtime_key_frame_interval: int = word()
    realtime_frame_rate: int = byte()
    realtime_bit_rate: int = dword()
    storage_encode_mode: int = byte()
    storage_resolution: int = byte()
    storage_key_frame_interval: int = word()
    storage_frame_rate: int = byte()
    storage_bit_rate: int = dword()
    osd: int = word()
    audio_output_enabled: int = byte()


@dataclass(frozen=True, slots=True)
class Channel:
    """One row of the channel list: physical and logical number, type (0 both, 1 audio, 2 video), pan-tilt connected."""

    physical_channel_no: int = byte()
    logical_channel_no: int = byte()
    channel_type: int = byte()
    is_connect_ptz: int = byte()


@dataclass(frozen=True, slots=True)
class ChannelList:
    """0x0076: how many channels carry both, audio, video, and which they are."""

    audio_video_channels: int = byte()
    audio_channels: int = byte()
    video_channels: int = byte()
    channels: tuple[Channel, ...] = many(Channel)


@dataclass(frozen=True, slots=True)
class ChannelVideo:
    """Encoding of one logical channel."""

    logical_channel_no: int = byte()
    realtime_encode_mode: int = byte()
    realtime_resolution: int = byte()
    realtime_key_frame_interval: int = word()
    realtime_frame_rate: int = byte()
    realtime_bit_rate: int = dword()
    storage_encode_mode: int = byte()
    storage_resolution: int = byte()
    storage_key_frame_interval: int = word()
    storage_frame_rate: int = byte()
    storage_bit_rate: int = dword()
    osd: int = word()


@dataclass(frozen=True, slots=True)
class SingleChannelVideo:
    """0x0077: encodings that differ from 0x0075, channel by channel."""

    total: int = byte()
    channels: tuple[ChannelVideo, ...] = many(ChannelVideo, "total")


@dataclass(frozen=True, slots=True)
class SpecialAlarmRecording:
    """0x0079: share of storage for alarm recordings (percent), longest recording and its head start (minutes)."""

    storage_threshold: int = byte()
    duration: int = byte()
    start_time: int = byte()


@dataclass(frozen=True, slots=True)
class ImageAnalysis:
    """0x007B: number of passengers above which it is overloaded, and fatigue above which there is an alarm."""

    overload_threshold: int = byte()
    fatigue_threshold: int = byte()


@dataclass(frozen=True, slots=True)
class SleepWake:
    """0x007C: wake-up mode and condition bits, days, which periods are on, and their times in BCD hhmm.

    `periods` is four pairs of wake-up and switch-off time, eight BCD[2] in a row.
    """

    wake_mode: int = byte()
    wake_condition: int = byte()
    days: int = byte()
    time_flag: int = byte()
    wake_time_1: str = digits(2)
    sleep_time_1: str = digits(2)
    wake_time_2: str = digits(2)
    sleep_time_2: str = digits(2)
    wake_time_3: str = digits(2)
    sleep_time_3: str = digits(2)
    wake_time_4: str = digits(2)
    sleep_time_4: str = digits(2)


def _can_bits(first: int, count: int) -> Any:
    """Bits of the 64 that this parameter is, from the highest, which the table numbers 63."""

    def cut(octets: Octets, _seen: Seen) -> tuple[int, int]:
        value = int.from_bytes(octets.data[:8]) >> first & ((1 << count) - 1)
        return value, value

    return of(cut)


@dataclass(frozen=True, slots=True)
class CanCollection:
    """0x0110-0x01FF: how one CAN id is collected.

    Interval in ms (0: not), channel 0 or 1, frame type 0 standard or 1 extended, way 0 raw data or 1 value computed
    over the interval, and the bus id.
    """

    setting: bytes = raw(8)
    collection_interval: int = _can_bits(32, 32)
    channel_no: int = _can_bits(31, 1)
    frame_type: int = _can_bits(30, 1)
    collection_way: int = _can_bits(29, 1)
    can_id: int = _can_bits(0, 29)
