"""What an independent decoder says of a GB/T 32960 packet, put beside what ours says: pairs of values to compare.

Law: every value that the peer names comes out, as a pair or as one that has no counterpart; none is left out silently.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from busgate.decode.gb32960_signals import ALARMS


class Pair(NamedTuple):
    """One value of the peer's, and ours in its words; `name` is the peer's path."""

    name: str
    theirs: object
    ours: object


NAMES = {
    "vehicle_speed": "speed_kmh", "mileage_total": "mileage_km", "voltage_total": "total_voltage_v",
    "current_total": "total_current_a", "soc": "soc_percent", "insulation_resistance": "insulation_resistance_kohm",
    "accelerator_padel": "accelerator_pedal_percent", "brake_padel": "brake_pedal_percent",
    "charge_state": "charging_state", "operate_state": "operation_mode", "emotor.index": "motor_number",
    "state": "motor_state", "ctrl_temp": "controller_temperature_c", "speed": "speed_rpm", "torque": "torque_nm",
    "temp": "motor_temperature_c", "ctrl_volt": "controller_input_voltage_v",
    "ctrl_curr": "controller_dc_bus_current_a", "engine_torque": "crankshaft_speed_rpm",
    "fuel_consumption": "fuel_consumption_l_100km", "gnss_lng": "longitude_deg", "gnss_lat": "latitude_deg",
    "gnss_gcs": "coordinate_system", "gnss_e_w": "longitude_hemisphere", "gnss_n_s": "latitude_hemisphere",
    "gnss_valid": "position_valid", "gear_postion_validity": "gear_valid",
    "max_volt_pack_index": "max_voltage_subsystem_number", "max_volt_cell_index": "max_voltage_cell_code",
    "max_cell_volt": "max_cell_voltage_v", "min_volt_pack_index": "min_voltage_subsystem_number",
    "min_volt_cell_index": "min_voltage_cell_code", "min_cell_volt": "min_cell_voltage_v",
    "max_temp_pack_index": "max_temperature_subsystem_number", "max_temp_cell_index": "max_temperature_probe_code",
    "max_cell_temp": "max_temperature_c", "min_temp_pack_index": "min_temperature_subsystem_number",
    "min_temp_cell_index": "min_temperature_probe_code", "min_cell_temp": "min_temperature_c",
    "volt": "voltage_v", "curr": "current_a", "cell_total": "cell_count", "cell_start_index": "frame_first_cell",
    "cell_volts": "cell_voltages_v", "probe_temps": "temperatures_c", "max_warning_level": "max_alarm_level",
    "pack_failures": "battery_faults", "emotor_failures": "motor_faults", "engine_failures": "engine_faults",
    "other_failures": "other_faults", "session_id": "serial", "bms_total": "subsystem_count",
    "pack_sn_len": "code_length", "pack_sn": "codes", "pack_per_bms": "packs_per_bms", "pack_sn_list": "pack_codes",
    "enc": "encryption_rule", "sec_chip_id": "security_chip_id", "pubkey": "public_key", "vin": "activated_vin",
    "activation_info": "activation_information",
}  # fmt: skip
"""Names that differ, the peer's first; of the same name in several kinds of data, the kind is put before it."""

WORDS: Mapping[str, Mapping[object, object]] = {
    "vehicle_state": {"on": "started"},
    "dcdc_state": {"on": "working", "off": "disconnected"},
    "charge_state": {"uncharged": "not charging", "parking_charging": "parked charging"},
    "operate_state": {"pure_electric": "electric"},
    "state": {"consuming_power": "consuming", "generating_power": "generating"},
    "gnss_gcs": {"gcj02": "GCJ02", 255: "invalid"},
    "gnss_e_w": {"e": "E", "w": "W"},
    "gnss_n_s": {"n": "N", "s": "S"},
    # Bit 0 is 1 where there is no position; the peer shows the bit, ours says what it means.
    "gnss_valid": {0: True, 1: False},
    "gear_postion_validity": {"valid": True, "invalid": False},
    "driving_force": {0: False, 1: True},
    "braking_force": {0: False, 1: True},
    "emotor.index": {255: "invalid", 254: "abnormal"},
    "cell_start_index": {65535: "invalid"},
    "enc": {"uncrypted": "none"},
    "activation_result": {"ok": "success", "nok": "failure"},
}

ROWS = {"emotor": "motors", "cell_volts": ("subsystems", "packs"), "probe_temps": ("subsystems", "packs")}
GROUPS = {"gear_state", "gnss_state"}


def pairs(peer: Mapping[str, Any], fields: Mapping[str, Any]) -> Iterator[Pair]:
    """All values of the peer's payload beside ours."""
    for name, said in peer.items():
        if name == "timestamp":
            yield Pair(name, said, fields["time"].removesuffix("+08:00"))
        elif name == "bms_total" and "packs_per_bms" in fields:
            yield Pair(name, said, len(fields["packs_per_bms"]))
        elif name == "sig_starter":
            yield Pair(name, said, "ff" if "signature" in fields else None)
        elif name == "sig":
            ours = fields["signature"]
            theirs = (said.get("algo", "rsa"), said.get("r_value", ours["r"]), said.get("s_value", ours["s"]))
            yield Pair(name, theirs, (ours["algorithm"].lower(), ours["r"], ours["s"]))
        elif name == "data_list":
            yield from _infos(said, fields)
        else:
            yield Pair(name, _said(name, said), fields.get(NAMES.get(name, name)))


def _infos(said: list[dict[str, Any]], fields: Mapping[str, Any]) -> Iterator[Pair]:
    infos = iter(fields["infos"])
    for one in said:
        kind, content = one["data_type"], one["data_content"]
        if isinstance(content, list) and content and "data_byte" in content[0]:
            unknown = bytes([kind, *(byte["data_byte"] for byte in content)]).hex()
            yield Pair("unknown data", unknown, fields.get("unparsed"))
            continue
        info = next(infos)
        if isinstance(kind, int):
            yield Pair(f"{kind}", (f"0x{kind:02X}", content), (info["type"], info["data"]))
        elif kind in ROWS:
            rows = next(info[name] for name in (*ROWS[kind],) if name in info) if kind != "emotor" else info["motors"]
            yield Pair(f"{kind} rows", len(content), len(rows))
            for theirs, ours in zip(content, rows, strict=True):
                yield from _row(kind, theirs, ours)
        else:
            yield from _row(kind, content, info)


def _row(kind: str, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[Pair]:
    for name, said in theirs.items():
        path = f"{kind}.{name}"
        if name in GROUPS:
            yield from _row(kind, said, ours)
        elif name == "general_warnings":
            # The peer's names follow the order of the bits.
            on = [ALARMS[bit] for bit, flag in enumerate(said.values()) if flag]
            yield Pair(path, on, ours["general_alarms"])
            yield Pair(path, sum(f << b for b, f in enumerate(said.values())), int(ours["general_alarm_flags"], 16))
        elif name == "general_warning_list":
            order = list(theirs["general_warnings"])
            levels = [{"alarm": ALARMS[order.index(one["warning"])], "level": one["level"]} for one in said]
            yield Pair(path, levels, ours["general_alarm_levels"])
        elif name == "index" and kind != "emotor":
            yield Pair(path, _said(path, said), ours.get("subsystem_number", ours.get("pack_number")))
        else:
            key = path if path in NAMES else name
            yield Pair(path, _said(key, said), ours.get(NAMES.get(key, name)))


def _said(name: str, said: Any) -> object:
    """The peer's "12.2 km/h", "65535 invalid", "254 abnormal", a word, or a list of such, in our words."""
    if name.endswith("failures") or name in {"pack_sn", "pack_sn_list", "iccid", "username", "password", "sec_chip_id"}:
        return said
    if isinstance(said, list):
        return [_said(name, one) for one in said]
    words = WORDS.get(name, {})
    if said in words or not isinstance(said, str):
        return words.get(said, said)
    number, _, unit = said.partition(" ")
    if unit in {"invalid", "abnormal"}:
        return unit
    try:
        # The peer multiplies floats; ours are exact to the last decimal, of which there are at most six.
        return round(float(number), 6)
    except ValueError:
        return said
