"""Video: the messages that JT/T 1078-2016 adds, 0x9003-0x9306 and 0x1003-0x1206.

Times of queries and files are of GMT+8; zeros mean no limit. Alarms of 64 bits are the location's alarm flag (low word)
and video alarms (high word).
"""

from __future__ import annotations

from dataclasses import dataclass

from busgate.decode.jt808_layout import byte, counted_text, dword, many, number, time, word
from busgate.decode.jt808_message import Table, empty, plain

MEDIA = {0: "audio and video", 1: "audio", 2: "video", 3: "audio or video"}
STREAMS = {0: "all streams", 1: "main stream", 2: "sub stream"}
STORES = {0: "all stores", 1: "main store", 2: "backup store"}
LIVE = {0: "audio and video", 1: "video", 2: "two-way talk", 3: "listening in", 4: "broadcast", 5: "transparent"}
LIVE_COMMANDS = {
    0: "close audio and video",
    1: "switch stream",
    2: "pause",
    3: "resume",
    4: "close two-way talk",
}
PLAYBACK = {
    0: "start",
    1: "pause",
    2: "end",
    3: "fast forward",
    4: "key frames backwards",
    5: "drag",
    6: "key frames",
}
RESULTS = {0: "success", 1: "failure"}
DIRECTIONS = {0: "stop", 1: "up", 2: "down", 3: "left", 4: "right"}


@dataclass(frozen=True, slots=True)
class AudioVideoAttributes:
    """0x1003: encodings and the most channels there can be."""

    input_audio_encoding: int = byte()
    input_audio_channels: int = byte()
    input_audio_sampling_rate: int = byte(names={0: "8 kHz", 1: "22.05 kHz", 2: "44.1 kHz", 3: "48 kHz"})
    input_audio_sampling_bits: int = byte(names={0: "8", 1: "16", 2: "32"})
    audio_frame_length: int = word()
    audio_output_supported: int = byte()
    video_encoding: int = byte()
    max_audio_channels: int = byte()
    max_video_channels: int = byte()


@dataclass(frozen=True, slots=True)
class PassengerFlow:
    """0x1005: passenger flow upload."""

    start_time: str = time()
    end_time: str = time()
    getting_on: int = word()
    getting_off: int = word()


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """0x9101: to which server the terminal shall send a channel live."""

    server_ip: str = counted_text()
    tcp_port: int = word()
    udp_port: int = word()
    logical_channel_no: int = byte()
    data_type: int = byte(names=LIVE)
    stream_type: int = byte(names={0: "main stream", 1: "sub stream"})


@dataclass(frozen=True, slots=True)
class LiveControl:
    """0x9102: real-time audio and video control."""

    logical_channel_no: int = byte()
    control_command: int = byte(names=LIVE_COMMANDS)
    close_type: int = byte(names={0: "close audio and video", 1: "close audio", 2: "close video"})
    stream_type: int = byte(names={0: "main stream", 1: "sub stream"})


@dataclass(frozen=True, slots=True)
class LiveStatus:
    """0x9105: packet loss in per cent as transmitted."""

    logical_channel_no: int = byte()
    packet_loss_rate: int = byte()


@dataclass(frozen=True, slots=True)
class PlaybackRequest:
    """0x9201: to which server the terminal shall send a recording."""

    server_ip: str = counted_text()
    tcp_port: int = word()
    udp_port: int = word()
    logical_channel_no: int = byte()
    media_type: int = byte(names=MEDIA)
    stream_type: int = byte(names=STREAMS)
    storage_type: int = byte(names=STORES)
    playback_mode: int = byte(
        names={0: "normal", 1: "fast forward", 2: "key frames backwards", 3: "key frames", 4: "one frame"}
    )
    playback_speed: int = byte()
    start_time: str = time()
    end_time: str = time()


@dataclass(frozen=True, slots=True)
class PlaybackControl:
    """0x9202: video playback control."""

    logical_channel_no: int = byte()
    playback_control: int = byte(names=PLAYBACK)
    playback_speed: int = byte()
    drag_time: str = time()


@dataclass(frozen=True, slots=True)
class ResourceQuery:
    """0x9205: which recordings are there."""

    logical_channel_no: int = byte()
    start_time: str = time()
    end_time: str = time()
    alarm_flag: int = number(8)
    media_type: int = byte(names=MEDIA)
    stream_type: int = byte(names=STREAMS)
    storage_type: int = byte(names=STORES)


@dataclass(frozen=True, slots=True)
class Resource:
    """One recording; size in octets."""

    logical_channel_no: int = byte()
    start_time: str = time()
    end_time: str = time()
    alarm_flag: int = number(8)
    media_type: int = byte(names=MEDIA)
    stream_type: int = byte(names=STREAMS)
    storage_type: int = byte(names=STORES)
    file_size: int = dword()


@dataclass(frozen=True, slots=True)
class ResourceList:
    """0x1205: audio and video resource list upload."""

    response_serial: int = word()
    total: int = dword()
    resources: tuple[Resource, ...] = many(Resource, "total")


@dataclass(frozen=True, slots=True)
class FileUpload:
    """0x9206: to which FTP server the terminal shall upload recordings, and over which network."""

    server_address: str = counted_text()
    port: int = word()
    user_name: str = counted_text()
    password: str = counted_text()
    upload_path: str = counted_text()
    logical_channel_no: int = byte()
    start_time: str = time()
    end_time: str = time()
    alarm_flag: int = number(8)
    media_type: int = byte(names=MEDIA)
    stream_type: int = byte(names=STREAMS)
    storage_type: int = byte(names=STORES)
    task_condition: int = byte(bits=("task_conditions", {0: "Wi-Fi", 1: "LAN", 2: "3G/4G"}))


@dataclass(frozen=True, slots=True)
class FileUploaded:
    """0x1206: file upload complete."""

    response_serial: int = word()
    result: int = byte(names=RESULTS)


@dataclass(frozen=True, slots=True)
class FileUploadControl:
    """0x9207: file upload control."""

    response_serial: int = word()
    upload_control: int = byte(names={0: "pause", 1: "continue", 2: "cancel"})


@dataclass(frozen=True, slots=True)
class Rotation:
    """0x9301: pan-tilt rotation."""

    logical_channel_no: int = byte()
    direction: int = byte(names=DIRECTIONS)
    speed: int = byte()


@dataclass(frozen=True, slots=True)
class Adjustment:
    """0x9302, 0x9303 and 0x9306."""

    logical_channel_no: int = byte()
    adjustment: int = byte(names={0: "larger", 1: "smaller"})


@dataclass(frozen=True, slots=True)
class Switch:
    """0x9304 and 0x9305."""

    logical_channel_no: int = byte()
    switch: int = byte(names={0: "off", 1: "on"})


VIDEO: Table = {
    0x1003: plain("audio and video attributes upload", AudioVideoAttributes),
    0x1005: plain("passenger flow upload", PassengerFlow),
    0x1205: plain("audio and video resource list upload", ResourceList),
    0x1206: plain("file upload complete", FileUploaded),
    0x9003: empty("query audio and video attributes"),
    0x9101: plain("real-time audio and video request", LiveRequest),
    0x9102: plain("real-time audio and video control", LiveControl),
    0x9105: plain("real-time audio and video status", LiveStatus),
    0x9201: plain("video playback request", PlaybackRequest),
    0x9202: plain("video playback control", PlaybackControl),
    0x9205: plain("query resource list", ResourceQuery),
    0x9206: plain("file upload command", FileUpload),
    0x9207: plain("file upload control", FileUploadControl),
    0x9301: plain("pan-tilt rotation", Rotation),
    0x9302: plain("pan-tilt focus", Adjustment),
    0x9303: plain("pan-tilt aperture", Adjustment),
    0x9304: plain("pan-tilt wiper", Switch),
    0x9305: plain("infrared light", Switch),
    0x9306: plain("pan-tilt zoom", Adjustment),
}
