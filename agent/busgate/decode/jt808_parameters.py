"""Terminal parameters by number: 0x8103 sets them, 0x0104 reports them (JT/T 808, JT/T 1078-2016).

Law: every parameter keeps its bytes. One that the table knows and whose bytes fit its type has a value as well: a
number, a text, or a structure; any other is a value in hexadecimal, under the name "vendor" (F000-FFFF) or "reserved".
Numbers are taken at any length up to eight octets, because terminals differ from the table there.

Shown: `id`, `name`, `length`, `value`, `raw` (hexadecimal), and `unit` where the number has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from busgate.decode import jt808_octets
from busgate.decode.jt808_layout import Seen, of, read_body
from busgate.decode.jt808_octets import Octets, ShortError
from busgate.decode.jt808_parameter_values import (
    AudioVideoParameters,
    CanCollection,
    ChannelList,
    CollisionParameters,
    ForbiddenDrivingTime,
    ImageAnalysis,
    PhotoControl,
    SingleChannelVideo,
    SleepWake,
    SpecialAlarmRecording,
)

MAXIMUM_SPEED = 0x0055

_MOST_NUMBER = 8


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: number, name of the table, value (int, str, a structure of this package, or bytes), its bytes."""

    id: int
    name: str
    value: object
    raw: bytes


class Kind(NamedTuple):
    """How a parameter is read. `kind` is "number", "text", "bytes" or the class of its structure."""

    name: str
    kind: str | type = "number"
    unit: str = ""


def _text(name: str) -> Kind:
    return Kind(name, "text")


PARAMETERS: dict[int, Kind] = {
    0x0001: Kind("heartbeat_interval", unit="s"),
    0x0002: Kind("tcp_response_timeout", unit="s"),
    0x0003: Kind("tcp_retransmissions"),
    0x0004: Kind("udp_response_timeout", unit="s"),
    0x0005: Kind("udp_retransmissions"),
    0x0006: Kind("sms_response_timeout", unit="s"),
    0x0007: Kind("sms_retransmissions"),
    0x0010: _text("main_server_apn"),
    0x0011: _text("main_server_dial_user"),
    0x0012: _text("main_server_dial_password"),
    0x0013: _text("main_server_address"),
    0x0014: _text("backup_server_apn"),
    0x0015: _text("backup_server_dial_user"),
    0x0016: _text("backup_server_dial_password"),
    0x0017: _text("backup_server_address"),
    0x0018: Kind("server_tcp_port"),
    0x0019: Kind("server_udp_port"),
    0x001A: _text("ic_card_main_server_address"),
    0x001B: Kind("ic_card_server_tcp_port"),
    0x001C: Kind("ic_card_server_udp_port"),
    0x001D: _text("ic_card_backup_server_address"),
    0x0020: Kind("position_report_strategy"),
    0x0021: Kind("position_report_scheme"),
    0x0022: Kind("report_interval_driver_not_logged_in", unit="s"),
    0x0023: _text("slave_server_apn"),
    0x0024: _text("slave_server_dial_user"),
    0x0025: _text("slave_server_dial_password"),
    0x0026: _text("slave_server_address"),
    0x0027: Kind("report_interval_sleep", unit="s"),
    0x0028: Kind("report_interval_emergency", unit="s"),
    0x0029: Kind("report_interval_default", unit="s"),
    0x002C: Kind("report_distance_default", unit="m"),
    0x002D: Kind("report_distance_driver_not_logged_in", unit="m"),
    0x002E: Kind("report_distance_sleep", unit="m"),
    0x002F: Kind("report_distance_emergency", unit="m"),
    0x0030: Kind("inflection_angle", unit="deg"),
    0x0031: Kind("geofence_radius", unit="m"),
    0x0032: Kind("forbidden_driving_time", ForbiddenDrivingTime),
    0x0040: _text("platform_phone_number"),
    0x0041: _text("reset_phone_number"),
    0x0042: _text("factory_reset_phone_number"),
    0x0043: _text("platform_sms_number"),
    0x0044: _text("alarm_sms_number"),
    0x0045: Kind("call_answering_strategy"),
    0x0046: Kind("longest_call", unit="s"),
    0x0047: Kind("longest_calls_per_month", unit="s"),
    0x0048: _text("monitoring_phone_number"),
    0x0049: _text("platform_privileged_sms_number"),
    0x0050: Kind("alarm_mask"),
    0x0051: Kind("alarm_sms_switch"),
    0x0052: Kind("alarm_photo_switch"),
    0x0053: Kind("alarm_photo_storage"),
    0x0054: Kind("key_alarm_flag"),
    MAXIMUM_SPEED: Kind("maximum_speed", unit="km/h"),
    0x0056: Kind("overspeed_duration", unit="s"),
    0x0057: Kind("continuous_driving_limit", unit="s"),
    0x0058: Kind("daily_driving_limit", unit="s"),
    0x0059: Kind("minimum_rest", unit="s"),
    0x005A: Kind("maximum_parking", unit="s"),
    0x005B: Kind("overspeed_warning_difference", unit="0.1 km/h"),
    0x005C: Kind("fatigue_warning_difference", unit="s"),
    0x005D: Kind("collision_alarm", CollisionParameters),
    0x005E: Kind("rollover_angle", unit="deg"),
    0x0064: Kind("timed_photo_control", PhotoControl),
    0x0065: Kind("distance_photo_control", PhotoControl),
    0x0070: Kind("image_quality"),
    0x0071: Kind("brightness"),
    0x0072: Kind("contrast"),
    0x0073: Kind("saturation"),
    0x0074: Kind("chroma"),
    0x0075: Kind("audio_video_parameters", AudioVideoParameters),
    0x0076: Kind("audio_video_channels", ChannelList),
    0x0077: Kind("single_channel_video_parameters", SingleChannelVideo),
    0x0079: Kind("special_alarm_recording", SpecialAlarmRecording),
    0x007A: Kind("video_alarm_mask"),
    0x007B: Kind("image_analysis_alarm", ImageAnalysis),
    0x007C: Kind("sleep_wake_mode", SleepWake),
    0x0080: Kind("odometer", unit="0.1 km"),
    0x0081: Kind("province_id"),
    0x0082: Kind("city_id"),
    0x0083: _text("plate_no"),
    0x0084: Kind("plate_color"),
    0x0090: Kind("gnss_positioning_mode"),
    0x0091: Kind("gnss_baud_rate"),
    0x0092: Kind("gnss_output_frequency"),
    0x0093: Kind("gnss_collection_interval", unit="s"),
    0x0094: Kind("gnss_upload_mode"),
    0x0095: Kind("gnss_upload_setting"),
    0x0100: Kind("can_channel_1_collection_interval", unit="ms"),
    0x0101: Kind("can_channel_1_upload_interval", unit="s"),
    0x0102: Kind("can_channel_2_collection_interval", unit="ms"),
    0x0103: Kind("can_channel_2_upload_interval", unit="s"),
    **{number: Kind("can_id_collection", CanCollection) for number in range(0x0110, 0x0200)},
    # T/JSATL 12-2017: settings of driver assistance, unlike from maker to maker.
    0xF364: Kind("adas_parameters", "bytes"),
    0xF365: Kind("dsm_parameters", "bytes"),
    0xF366: Kind("tpms_parameters", "bytes"),
    0xF367: Kind("bsd_parameters", "bytes"),
}

_UNKNOWN_VENDOR = Kind("vendor", "bytes")
_UNKNOWN = Kind("reserved", "bytes")


def kind_of(number: int) -> Kind:
    """The table's entry, or one for what it does not have."""
    return PARAMETERS.get(number) or (_UNKNOWN_VENDOR if 0xF000 <= number <= 0xFFFF else _UNKNOWN)


def read_parameter(number: int, kind: Kind, data: bytes, edition: int) -> tuple[Parameter, dict[str, Any]]:
    """One parameter from its bytes, and the JSON value that shows it."""
    value, shown = _value(kind.kind, data, edition)
    showing = {"id": number, "name": kind.name, "length": len(data), "value": shown, "raw": data.hex()}
    if kind.unit and isinstance(value, int):
        showing["unit"] = kind.unit
    return Parameter(number, kind.name, value, data), showing


def _value(kind: str | type, data: bytes, edition: int) -> tuple[object, Any]:
    if isinstance(kind, type):
        reading = read_body(kind, data, edition)
        return (data, data.hex()) if reading.flaws else (reading.body, reading.fields)
    if kind == "text":
        value = jt808_octets.text(data)
        return value, value
    if kind == "number" and 0 < len(data) <= _MOST_NUMBER:
        number = int.from_bytes(data)
        return number, jt808_octets.exact(number)
    return data, data.hex()


def parameters(count: str) -> Any:
    """As many parameters as the field `count` says, each a number of four octets, a length and that many octets.

    If whole parameters fill the rest of the body, they are read as well: devices are met that count wrongly.
    """

    def cut(octets: Octets, seen: Seen) -> tuple[tuple[Parameter, ...], list[dict[str, Any]]]:
        values: list[Parameter] = []
        shown: list[dict[str, Any]] = []
        while len(values) < seen[count]:
            _take(octets, values, shown)
        if _whole_parameters(octets.data, octets.at):
            while octets.left:
                _take(octets, values, shown)
            octets.flaws.append(f"the count says {seen[count]} parameters, there are {len(values)}")
        return tuple(values), shown

    return of(cut)


def _take(octets: Octets, values: list[Parameter], shown: list[dict[str, Any]]) -> None:
    before = octets.at
    try:
        number = octets.number(4)
        data = octets.take(octets.number(1))
    except ShortError as short:
        octets.at = before
        raise ShortError(shown) from short
    value, showing = read_parameter(number, kind_of(number), data, octets.edition)
    values.append(value)
    shown.append(showing)


def _whole_parameters(data: bytes, at: int) -> bool:
    """Whether whole parameters, one at least, fill the data from here on."""
    end = len(data)
    more = at < end
    while at + 5 <= end:
        at += 5 + data[at + 4]
    return more and at == end
