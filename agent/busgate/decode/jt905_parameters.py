"""Parameters of a taxi's unit (ISU): 0x8103 sets, 0x0104 reports them (JT/T 905-2014; names as in public code).

Law: as in `jt808_parameters`, but a parameter is a WORD number, a length and a value, and no count precedes them. Some
send the 808 form instead, a count and DWORD numbers; it is read where only it fits.
"""

from __future__ import annotations

from typing import Any

from busgate.decode.jt808_layout import Seen, of
from busgate.decode.jt808_octets import Octets, ShortError
from busgate.decode.jt808_parameters import Kind, Parameter, read_parameter

_NUMBERS: dict[int, tuple[str, str]] = {
    0x0001: ("heartbeat_interval", "s"),
    0x0002: ("tcp_response_timeout", "s"),
    0x0003: ("tcp_retransmissions", ""),
    0x0004: ("sms_response_timeout", "s"),
    0x0005: ("sms_retransmissions", ""),
    0x0018: ("main_server_tcp_port", ""),
    0x0019: ("backup_server_tcp_port", ""),
    0x001B: ("payment_main_server_tcp_port", ""),
    0x001D: ("payment_backup_server_tcp_port", ""),
    0x0020: ("position_report_strategy", ""),
    0x0021: ("position_report_scheme", ""),
    0x0022: ("report_interval_not_logged_in", "s"),
    0x0023: ("report_interval_acc_off", "s"),
    0x0024: ("report_interval_acc_on", "s"),
    0x0025: ("report_interval_vacant", "s"),
    0x0026: ("report_interval_occupied", "s"),
    0x0027: ("report_interval_sleep", "s"),
    0x0028: ("report_interval_emergency", "s"),
    0x0029: ("report_distance_not_logged_in", "m"),
    0x002A: ("report_distance_acc_off", "m"),
    0x002B: ("report_distance_acc_on", "m"),
    0x002C: ("report_distance_vacant", "m"),
    0x002D: ("report_distance_occupied", "m"),
    0x002E: ("report_distance_sleep", "m"),
    0x002F: ("report_distance_emergency", "m"),
    0x0030: ("inflection_angle", "deg"),
    0x0045: ("call_answering_strategy", ""),
    0x0046: ("longest_call", "s"),
    0x0047: ("longest_calls_per_month", "s"),
    0x0048: ("short_number_length", ""),
    0x004B: ("volume", ""),
    0x0050: ("alarm_mask", ""),
    0x0051: ("alarm_sms_switch", ""),
    0x0052: ("alarm_photo_switch", ""),
    0x0053: ("alarm_photo_storage", ""),
    0x0055: ("maximum_speed", "km/h"),
    0x0056: ("overspeed_duration", "s"),
    0x0057: ("continuous_driving_limit", "s"),
    0x0058: ("minimum_rest", "s"),
    0x0059: ("maximum_parking", "s"),
    0x005A: ("daily_driving_limit", "s"),
    0x0070: ("image_quality", ""),
    0x0071: ("brightness", ""),
    0x0072: ("contrast", ""),
    0x0073: ("saturation", ""),
    0x0074: ("chroma", ""),
    0x0080: ("odometer", "0.1 km"),
    0x0081: ("province_id", ""),
    0x0082: ("city_id", ""),
    0x00A0: ("recording_mode", ""),
    0x00A1: ("longest_recording", "min"),
    0x00A2: ("lcd_heartbeat_interval", "s"),
    0x00A3: ("led_heartbeat_interval", "s"),
    0x00AF: ("sleep_after_acc_off", "s"),
    0x00B0: ("video_server_protocol", ""),
    0x00B5: ("video_server_port", ""),
}
_TEXTS: dict[int, str] = {
    0x0010: "main_server_apn",
    0x0011: "main_server_dial_user",
    0x0012: "main_server_dial_password",
    0x0013: "main_server_address",
    0x0014: "backup_server_apn",
    0x0015: "backup_server_dial_user",
    0x0016: "backup_server_dial_password",
    0x0017: "backup_server_address",
    0x001A: "payment_main_server_address",
    0x001C: "payment_backup_server_address",
    0x0040: "platform_phone_number",
    0x0041: "reset_phone_number",
    0x0042: "factory_reset_phone_number",
    0x0043: "platform_sms_number",
    0x0044: "alarm_sms_number",
    0x0049: "monitoring_phone_number",
    0x004A: "maintenance_password",
    0x0092: "company_licence_no",
    0x0093: "company_short_name",
    0x0094: "plate_no",
    0x00B1: "video_server_apn",
    0x00B2: "video_server_dial_user",
    0x00B3: "video_server_dial_password",
    0x00B4: "video_server_address",
}

PARAMETERS: dict[int, Kind] = {
    **{number: Kind(name, unit=unit) for number, (name, unit) in _NUMBERS.items()},
    **{number: Kind(name, "text") for number, name in _TEXTS.items()},
    # In BCD: hexadecimal shows the digits.
    0x0090: Kind("taximeter_trip_limit", "bytes"),
    0x0091: Kind("taximeter_time_limit", "bytes"),
}

_UNKNOWN = Kind("reserved", "bytes")


def parameters() -> Any:
    """Parameters up to the end of the body."""

    def cut(octets: Octets, _seen: Seen) -> tuple[tuple[Parameter, ...], list[dict[str, Any]]]:
        values: list[Parameter] = []
        shown: list[dict[str, Any]] = []
        while octets.left:
            before = octets.at
            try:
                number = octets.number(2)
                data = octets.take(octets.number(1))
            except ShortError as short:
                octets.at = before
                raise ShortError(shown) from short
            value, showing = read_parameter(number, PARAMETERS.get(number) or _UNKNOWN, data, octets.edition)
            values.append(value)
            shown.append(showing)
        return tuple(values), shown

    return of(cut)
