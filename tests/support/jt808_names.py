"""What other libraries' tests call the fields of JT/T 808 and 905, and whether our fields say the same.

The sources assert values on objects of their own (`item.WifiInfos[0].WifiMac`). A value counts as the same if one of
our fields of the mapped name has it, at the same place of the list if the source names a place, and inside the same
location item, parameter or control if the source names one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Leaf = tuple[tuple[str | int, ...], Any]

# C# property names of SmallChi/JT808 and SmallChi/JT905 to ours; of several the first that has the value counts.
CSHARP: dict[str, tuple[str, ...]] = {
    "MsgId": ("message_id",),
    "TerminalPhoneNo": ("phone",),
    "ISU": ("isu",),
    "ProtocolVersion": ("protocol_version",),
    "PackageIndex": ("part",),
    "PackgeCount": ("parts",),
    "DataLength": ("body_length",),
    "AlarmFlag": ("alarm_flag",),
    "StatusFlag": ("status_flag",),
    "Altitude": ("altitude",),
    "Lat": ("latitude",),
    "Lng": ("longitude",),
    "Speed": ("speed",),
    "Direction": ("direction", "value"),
    "GPSTime": ("time",),
    "AttachInfoId": ("id",),
    "AttachInfoLength": ("length",),
    "ParamId": ("id",),
    "ParamLength": ("length",),
    "ParamValue": ("value",),
    "AnswerParamsCount": ("total",),
    "ReplyMsgNum": ("response_serial",),
    "ReplySNo": ("response_serial",),
    "AckMsgNum": ("response_serial",),
    "ReplyMsgId": ("response_id",),
    "AckMsgId": ("response_id",),
    "TerminalResult": ("result",),
    "JT808PlatformResult": ("result",),
    "PlatformResult": ("result",),
    "JT808TerminalRegisterResult": ("result",),
    "UpgradeResult": ("result",),
    "Result": ("result",),
    "IC_Card_Status": ("status",),
    "IC_Card_ReadResult": ("result",),
    "IC_Card_PlugDateTime": ("time",),
    "DriverUserName": ("driver_name",),
    "QualificationCode": ("qualification_code",),
    "LicenseIssuing": ("licence_issuing",),
    "CertificateExpiresDate": ("certificate_expiry",),
    "DriverIdentityCard": ("driver_id_card",),
    "FaceMatchValue": ("face_match",),
    "UID": ("uid",),
    "AreaID": ("province_id",),
    "CityOrCountyId": ("city_id",),
    "MakerId": ("maker_id",),
    "TerminalModel": ("terminal_model",),
    "TerminalId": ("terminal_id",),
    "PlateColor": ("plate_color",),
    "PlateNo": ("plate_no",),
    "Code": ("authentication_code",),
    "IMEI": ("imei",),
    "SoftwareVersion": ("software_version",),
    "TerminalType": ("terminal_type",),
    "Terminal_SIM_ICCID": ("iccid",),
    "Terminal_Hardware_Version_Num": ("hardware_version",),
    "Terminal_Firmware_Version_Num": ("firmware_version",),
    "GNSSModule": ("gnss_attribute",),
    "CommunicationModule": ("communication_attribute",),
    "Time": ("time",),
    "OriginalMsgNum": ("original_serial",),
    "AgainPackageCount": ("total",),
    "AgainPackageData": ("packet_ids",),
    "RetransmitPackageCount": ("total",),
    "RetransmitPackageIds": ("packet_ids",),
    "MultimediaId": ("multimedia_id",),
    "MultimediaType": ("multimedia_type",),
    "MultimediaCodingFormat": ("format",),
    "EventItemCoding": ("event",),
    "ChannelId": ("channel_id",),
    "MultimediaDataPackage": ("data",),
    "MultimediaItemCount": ("total",),
    "MultimediaIdCount": ("total",),
    "MultimediaDeleted": ("delete_flag",),
    "RecordCmd": ("command",),
    "RecordTime": ("recording_time",),
    "RecordSave": ("save_flag",),
    "AudioSampleRate": ("sampling_rate",),
    "ShootingCommand": ("shooting_command",),
    "VideoTime": ("interval",),
    "SaveFlag": ("save_flag",),
    "Resolution": ("resolution",),
    "VideoQuality": ("quality",),
    "Lighting": ("brightness",),
    "Contrast": ("contrast",),
    "Saturability": ("saturation",),
    "Chroma": ("chroma",),
    "AreaIds": ("ids",),
    "Ids": ("ids",),
    "AreaCount": ("total",),
    "Count": ("total", "count"),
    "QueryType": ("query_type",),
    "AreaId": ("area_id",),
    "AreaProperty": ("area_attribute",),
    "SettingAreaProperty": ("setting_type",),
    "CenterPointLat": ("center_latitude",),
    "CenterPointLng": ("center_longitude",),
    "Radius": ("radius",),
    "UpLeftPointLat": ("upper_left_latitude",),
    "UpLeftPointLng": ("upper_left_longitude",),
    "LowRightPointLat": ("lower_right_latitude",),
    "LowRightPointLng": ("lower_right_longitude",),
    "StartTime": ("start_time",),
    "EndTime": ("end_time",),
    "HighestSpeed": ("max_speed",),
    "OverspeedDuration": ("overspeed_duration",),
    "NightMaximumSpeed": ("night_max_speed",),
    "AreaName": ("name",),
    "RouteId": ("route_id",),
    "RouteProperty": ("route_attribute",),
    "RouteName": ("name",),
    "InflectionPointId": ("inflection_id",),
    "InflectionPointLat": ("latitude",),
    "InflectionPointLng": ("longitude",),
    "SectionId": ("segment_id",),
    "SectionProperty": ("segment_attribute",),
    "SectionWidth": ("segment_width",),
    "SectionLongDrivingThreshold": ("driving_too_long_threshold",),
    "SectionDrivingUnderThreshold": ("driving_too_short_threshold",),
    "SectionHighestSpeed": ("max_speed",),
    "SectionOverspeedDuration": ("overspeed_duration",),
    "EventId": ("event_id",),
    "EventContent": ("content",),
    "SettingCount": ("total",),
    "AnswerId": ("answer_id",),
    "Content": ("content",),
    "Issue": ("question",),
    "Flag": ("flag", "question_flag"),
    "InformationType": ("information_type",),
    "InformationName": ("name",),
    "InformationContent": ("content",),
    "MessageType": ("information_type",),
    "Message": ("content",),
    "SettingType": ("setting_type",),
    "SettingTelephoneBook": ("setting_type",),
    "ContactCount": ("total",),
    "TelephoneBookContactType": ("flag",),
    "Contact": ("name",),
    "PhoneNumber": ("phone_number",),
    "CallBack": ("flag",),
    "TextFlag": ("text_flag",),
    "TextType": ("text_type",),
    "TextInfo": ("text",),
    "PassthroughType": ("transparent_type",),
    "CommandWord": ("command_word",),
    "ControlFlag": ("control_flag",),
    "ControlTypeCount": ("control_total",),
    "ControlTypeId": ("control_id",),
    "ControlTypeParameter": ("parameter",),
    "UpgradeType": ("upgrade_type",),
    "VersionNum": ("version",),
    "UpgradePackage": ("data",),
    "ParameterCount": ("total",),
    "Parameters": ("parameter_ids",),
    "ParamIds": ("parameter_ids",),
    "Interval": ("interval",),
    "LocationTrackingValidity": ("validity",),
    "AlarmMsgNum": ("alarm_serial",),
    "ManualConfirmAlarmType": ("alarm_type",),
    "CanItemCount": ("total",),
    "FirstCanReceiveTime": ("receive_time",),
    "CanId": ("can_id",),
    "CanData": ("data",),
    "E": ("e",),
    "N": ("n",),
    "Mileage": ("value",),
    "Oil": ("value",),
    "VideoRelateAlarm": ("value",),
    "VideoSignalLoseAlarmStatus": ("value",),
    "VideoSignalOcclusionAlarmStatus": ("value",),
    "StorageFaultAlarmStatus": ("value",),
    "AbnormalDrivingBehaviorAlarmType": ("alarm_type",),
    "FatigueLevel": ("fatigue_level",),
    "Temperatures": ("temperatures",),
    "Humiditys": ("humidities",),
    "SingnalStrength": ("signal_strength",),
    "WifiMac": ("wifi_mac",),
    "Volage": ("value",),
    "Alarm": ("value",),
    "ICCID": ("value",),
    "Version": ("value",),
    "PowerPercent": ("power_percent",),
    "Power": ("power",),
    "Status": ("status",),
    "AudioOutputEnabled": ("audio_output_enabled",),
    "OSD": ("osd",),
    "RTS_EncodeMode": ("realtime_encode_mode",),
    "RTS_KF_Interval": ("realtime_key_frame_interval",),
    "RTS_Resolution": ("realtime_resolution",),
    "RTS_Target_CodeRate": ("realtime_bit_rate",),
    "RTS_Target_FPS": ("realtime_frame_rate",),
    "StreamStore_EncodeMode": ("storage_encode_mode",),
    "StreamStore_KF_Interval": ("storage_key_frame_interval",),
    "StreamStore_Resolution": ("storage_resolution",),
    "StreamStore_Target_CodeRate": ("storage_bit_rate",),
    "StreamStore_Target_FPS": ("storage_frame_rate",),
    "AudioChannelTotal": ("audio_channels",),
    "AVChannelTotal": ("audio_video_channels",),
    "VudioChannelTotal": ("video_channels",),
    "ChannelType": ("channel_type",),
    "IsConnectCloudPlat": ("is_connect_ptz",),
    "LogicChannelNo": ("logical_channel_no",),
    "PhysicalChannelNo": ("physical_channel_no",),
    "CollectTimeInterval": ("collection_interval",),
    "ChannelNo": ("channel_no",),
    "FrameType": ("frame_type",),
    "CollectWay": ("collection_way",),
    "BusId": ("can_id",),
    "CommandId": ("command_word",),
    "StandardYear": ("standard_year",),
    "ModifyNumber": ("modify_number",),
    "DriverLicenseNo": ("driver_license_no",),
    "RealTime": ("real_time",),
    "FirstInstallTime": ("first_install_time",),
    "FirstMileage": ("first_mileage",),
    "TotalMilage": ("total_mileage",),
    "PulseCoefficient": ("pulse_coefficient",),
    "Vin": ("vin",),
    "VehicleNo": ("vehicle_no",),
    "VehicleType": ("vehicle_type",),
    "SignalOperate": ("signal_operate",),
    "D0": ("d0",),
    "D1": ("d1",),
    "D2": ("d2",),
    "NearLight": ("near_light",),
    "FarLight": ("far_light",),
    "LeftTurn": ("left_turn",),
    "RightTurn": ("right_turn",),
    "Brake": ("brake",),
    "CertifiedProductModels": ("product_model",),
    "ProductionPlantCCCCertificationCode": ("ccc_code",),
    "ProductionDate": ("production_date",),
    "ProductProductionFlowNumber": ("flow_number",),
    "Reversed": ("reserved",),
    "AvgSpeedAfterStartTime": ("speed",),
    "StatusSignalAfterStartTime": ("signals",),
    "StatusSignal": ("signals",),
    "GpsLat": ("latitude",),
    "GpsLng": ("longitude",),
    "Height": ("altitude",),
    "GpsStartLat": ("latitude",),
    "GpsStartLng": ("longitude",),
    "StartHeight": ("altitude",),
    "GpsEndLat": ("latitude",),
    "GpsEndLng": ("longitude",),
    "EndHeight": ("altitude",),
    "ContinueDrivingStartTime": ("start_time",),
    "ContinueDrivingEndTime": ("end_time",),
    "LoginTime": ("time",),
    "LoginType": ("login_type",),
    "EventTime": ("event_time",),
    "EventType": ("event_type",),
    "SpeedStatus": ("speed_status",),
    "SpeedStatusStartTime": ("start_time",),
    "SpeedStatusEndTime": ("end_time",),
    "RecordSpeed": ("record_speed",),
    "ReferenceSpeed": ("reference_speed",),
    "ElectronicWaybillLength": ("length",),
    "BusinessLicenseNumber": ("business_license_no",),
    "Uptime": ("start_time",),
    "License": ("license",),
    "LicensePlate": ("license_plate",),
    "QualificationCertificate": ("qualification_certificate",),
    "Section": ("section",),
    "TradeType": ("trade_type",),
}

# Where a name means something else in one message than in the others: (message id, C# name).
CSHARP_IN: dict[tuple[int, str], tuple[str, ...]] = {
    (0x8105, "Value"): ("named_parameters",),
    (0x8A00, "Count"): ("total",),
}

# yezhihao/jt808-server's JSON names to ours.
YEZHIHAO: dict[str, tuple[str, ...]] = {
    "warnBit": ("alarm_flag", "alarm_flag"),
    "statusBit": ("status_flag", "vehicle_status"),
    "deviceTime": ("time",),
    "alarmTime": ("time",),
    "dateTime": ("time", "receive_time"),
    "responseSerialNo": ("response_serial", "original_serial", "alarm_serial"),
    "responseMessageId": ("response_id",),
    "resultCode": ("result",),
    "provinceId": ("province_id",),
    "cityId": ("city_id",),
    "makerId": ("maker_id",),
    "deviceModel": ("terminal_model",),
    "deviceId": ("terminal_id", "device_id"),
    "deviceId_": ("terminal_id",),
    "deviceType": ("terminal_type",),
    "plateColor": ("plate_color",),
    "plateNo": ("plate_no",),
    "token": ("authentication_code",),
    "softwareVersion": ("software_version",),
    "hardwareVersion": ("hardware_version",),
    "firmwareVersion": ("firmware_version",),
    "gnssAttribute": ("gnss_attribute",),
    "networkAttribute": ("communication_attribute",),
    "type": (
        "upgrade_type", "information_type", "batch_type", "multimedia_type", "setting_type", "query_type", "alarm_type",
        "text_type", "flag", "control_flag", "control_id", "information_type", "file_type",
    ),
    "action": ("flag", "setting_type"),
    "eventId": ("event_id",),
    "answerId": ("answer_id",),
    "status": ("status",),
    "cardStatus": ("result",),
    "name": ("driver_name", "name"),
    "licenseNo": ("qualification_code",),
    "institution": ("licence_issuing",),
    "licenseValidPeriod": ("certificate_expiry",),
    "idCard": ("driver_id_card",),
    "id": (
        "multimedia_id", "can_id", "area_id", "route_id", "inflection_id", "event_id", "answer_id", "parameter_ids",
        "packet_ids", "multimedia_ids", "ids", "alarm_id", "peripheral_id",
    ),
    "data": ("data",),
    "format": ("format",),
    "event": ("event",),
    "channelId": ("channel_id",),
    "packet": ("data",),
    "body": ("data",),
    "audioFormat": ("input_audio_encoding",),
    "audioChannels": ("input_audio_channels",),
    "audioSamplingRate": ("input_audio_sampling_rate", "sampling_rate"),
    "audioBitDepth": ("input_audio_sampling_bits",),
    "audioFrameLength": ("audio_frame_length",),
    "audioSupport": ("audio_output_supported",),
    "videoFormat": ("video_encoding",),
    "maxAudioChannels": ("max_audio_channels",),
    "maxVideoChannels": ("max_video_channels",),
    "startTime": ("start_time",),
    "endTime": ("end_time",),
    "getOnCount": ("getting_on",),
    "getOffCount": ("getting_off",),
    "channelNo": ("logical_channel_no",),
    "mediaType": ("media_type", "data_type"),
    "streamType": ("stream_type",),
    "storageType": ("storage_type",),
    "size": ("file_size", "size"),
    "sequenceNo": ("sequence_no",),
    "fileTotal": ("attachment_total",),
    "reserved": ("reserved",),
    "reserves": ("reserved",),
    "platformAlarmId": ("platform_alarm_id",),
    "command": ("command_word", "control_command", "upload_control", "command", "shooting_command"),
    "parameter": ("command_parameter",),
    "version": ("version",),
    "interval": ("interval",),
    "validityPeriod": ("validity",),
    "sign": ("text_flag", "question_flag", "flag"),
    "content": ("text", "content", "question"),
    "phoneNumber": ("phone_number",),
    "phone": ("phone_number",),
    "param": ("parameter", "adjustment", "switch"),
    "param1": ("direction",),
    "param2": ("speed",),
    "attribute": ("area_attribute", "route_attribute", "segment_attribute"),
    "latitudeUL": ("upper_left_latitude",),
    "longitudeUL": ("upper_left_longitude",),
    "latitudeLR": ("lower_right_latitude",),
    "longitudeLR": ("lower_right_longitude",),
    "latitude": ("latitude", "center_latitude"),
    "longitude": ("longitude", "center_longitude"),
    "maxSpeed": ("max_speed",),
    "duration": ("overspeed_duration", "duration"),
    "nightMaxSpeed": ("night_max_speed",),
    "routeId": ("segment_id",),
    "width": ("segment_width",),
    "upperLimit": ("driving_too_long_threshold",),
    "lowerLimit": ("driving_too_short_threshold",),
    "mediaId": ("multimedia_id",),
    "time": ("interval", "recording_time"),
    "save": ("save_flag",),
    "delete": ("delete_flag",),
    "ip": ("server_ip", "server_address"),
    "port": ("port",),
    "tcpPort": ("tcp_port",),
    "udpPort": ("udp_port",),
    "username": ("user_name",),
    "path": ("upload_path",),
    "condition": ("task_condition",),
    "closeType": ("close_type",),
    "packetLossRate": ("packet_loss_rate",),
    "playbackMode": ("playback_mode", "playback_control"),
    "playbackSpeed": ("playback_speed",),
    "playbackTime": ("drag_time",),
    "areaType": ("location_type",),
    "areaId": ("area_id", "segment_id"),
    "driveTime": ("driving_time",),
    "state": ("state",),
    "level": ("level",),
    "frontSpeed": ("front_speed",),
    "frontDistance": ("front_distance",),
    "deviateType": ("deviation_type",),
    "roadSign": ("road_sign_type",),
    "roadSignValue": ("road_sign_value",),
    "fatigueDegree": ("fatigue_degree",),
    "realtimeEncode": ("realtime_encode_mode",),
    "realtimeResolution": ("realtime_resolution",),
    "realtimeFrameInterval": ("realtime_key_frame_interval",),
    "realtimeFrameRate": ("realtime_frame_rate",),
    "realtimeBitRate": ("realtime_bit_rate",),
    "storageEncode": ("storage_encode_mode",),
    "storageResolution": ("storage_resolution",),
    "storageFrameInterval": ("storage_key_frame_interval",),
    "storageFrameRate": ("storage_frame_rate",),
    "storageBitRate": ("storage_bit_rate",),
    "odsConfig": ("osd",),
    "audioEnabled": ("audio_output_enabled",),
    "storageThreshold": ("storage_threshold",),
    "overloadThreshold": ("overload_threshold",),
    "fatigueThreshold": ("fatigue_threshold",),
    "mode": ("wake_mode",),
    "conditionType": ("wake_condition",),
    "dayOfWeek": ("days",),
    "timeFlag": ("time_flag",),
    "companyName": ("company_name",),
    "productModel": ("product_model",),
    "userCode": ("user_code",),
    "key": ("transparent_type",),
    **{f"wakeTime{at}": (f"wake_time_{at}",) for at in range(1, 5)},
    **{f"sleepTime{at}": (f"sleep_time_{at}",) for at in range(1, 5)},
}  # fmt: skip

# Values that the sources give as names of an enumeration, where the standard says which number that is.
ENUMS: dict[str, int] = {
    "JT808TerminalResult.Success": 0,
    "JT808PlatformResult.succeed": 0,
    "JT905PlatformResult.Success": 0,
    "JT808TerminalRegisterResult.success": 0,
    "JT808UpgradeType.beidou_module": 52,
    "JT808UpgradeResult.success": 0,
    "JT808ICCardStatus.ic_card_into": 1,
    "JT808ICCardStatus.ic_card_pull_out": 2,
    "JT808ICCardReadResult.read_card_failure_auth": 1,
    "JT808ICCardReadResult.ic_card_reading_succeeded": 0,
    "JT808SettingProperty.append_region": 1,
    "JT808InformationSettingType.delete_all_items": 0,
    "JT808EventSettingType.delete_terminal_all_existing_events": 0,
    "JT808EventItemCoding.platform_delivery_order": 0,
    "JT808EventItemCoding.regular_action": 1,
    "JT808EventItemCoding.collision_rollover_alarm_triggered": 3,
    "JT808MultimediaType.image": 0,
    "JT808MultimediaType.video": 2,
    "JT808MultimediaCodingFormat.JPEG": 0,
    "JT808MultimediaDeleted.delete": 1,
    "JT808MultimediaDeleted.reserve": 0,
    "JT808RecordCmd.stop": 0,
    "JT808RecordSave.realtime_upload": 0,
    "JT808CallBackType.normal_call": 0,
    "JT808SettingTelephoneBook.append_phone_book": 2,
    "JT808TelephoneBookContactType.callin": 1,
    "JT808TelephoneBookContactType.call_in_out": 3,
}
_MESSAGE_ENUM = re.compile(r"JT808MsgId\._0x([0-9A-Fa-f]{4})$")
_PLACE = re.compile(r"(?:\[(\d+)\]|\b(?:item|dt)(\d+)\b)")
_SCOPE = re.compile(r"_0[xX](?:0200|8103|8500)_0[xX]([0-9A-Fa-f]{2,4})")
_NAME = re.compile(r"\.(\w+)(?:\[\d+\])?(?:\.(?:Value|Count)|\.To\w+\([^)]*\)|\.TrimStart\([^)]*\))*\)?$")


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[Leaf]:
    """Every field with its path; a list is a leaf as well."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
        return
    yield path, value
    if isinstance(value, list):
        for at, inner in enumerate(value):
            yield from leaves(inner, (*path, at))


def scoped(fields: dict[str, Any], number: int) -> dict[str, Any]:
    """Only the items, parameters or controls with this number."""
    found: dict[str, Any] = {}
    for key, value in fields.items():
        if key in {"items", "parameters", "controls"} and value and isinstance(value[0], dict):
            found[key] = [one for one in value if number in {one.get("id"), one.get("control_id")}]
        elif key == "location":
            found |= scoped(value, number)
        elif key == "locations":
            found[key] = [scoped(one, number) for one in value]
    return found


def same(theirs: Any, ours: Any) -> bool:
    """Whether two libraries' values are the same: texts of times, digits and octets are written in several ways."""
    if isinstance(theirs, bool) or theirs is None:
        return False
    if isinstance(ours, list):
        if not isinstance(theirs, list) or not all(isinstance(one, int) for one in ours):
            return False
        return theirs == ours or theirs == [octet for one in ours for octet in one.to_bytes(8)[-2:]]
    if isinstance(theirs, list):
        return isinstance(ours, str) and bytes(theirs).hex() == ours if all(at < 256 for at in theirs) else False
    if isinstance(theirs, str):
        return isinstance(ours, str) and bool(_spellings(theirs) & _spellings(ours))
    return bool(theirs == ours)


def _spellings(text: str) -> set[str]:
    plain = re.sub(r"[-:/ .]|(?<=\d)t(?=\d)", "", text.lower())
    spellings = {text, plain, plain.lstrip("0") or "0", text.strip()}
    if plain.startswith("20"):
        spellings.add(plain[2:])
    if plain.endswith("000000"):
        spellings.add(plain[:-6])
    if len(plain) == 6 and plain.endswith("00"):
        spellings.add(plain[:-2])
    return spellings


def checked(fields: dict[str, Any], expression: str, theirs: Any) -> bool | None:
    """Whether what a C# test asserts is so in our fields; None if its name or value says nothing to us."""
    if isinstance(theirs, dict):
        number = ENUMS.get(theirs["enum"])
        if number is None and (found := _MESSAGE_ENUM.match(theirs["enum"])):
            number = int(found[1], 16)
        if number is None:
            return None
        theirs = number
    found = _NAME.search(expression)
    if found is None:
        return None
    name = found[1]
    names = CSHARP_IN.get((fields["message_id"], name)) or CSHARP.get(name)
    if name == "MsgNum":
        names = ("serial",) if "Header" in expression else ("response_serial",)
    if names is None:
        return None
    scope = _SCOPE.findall(expression)
    inside = scoped(fields, int(scope[-1], 16)) if scope else fields
    if (scope and not any(inside.values())) or not _known(inside, names):
        return None
    if name in {"Lat", "Lng"} and isinstance(theirs, int) and theirs < 0:
        names, theirs = (f"{names[0]}_deg",), theirs / 1e6
    place = [int(one or other) for one, other in _PLACE.findall(expression)]
    return any(
        same(theirs, ours)
        for path, ours in leaves(inside)
        if set(names) & set(path) and _at(path, place, dt="dt" in expression)
    )


def _known(fields: dict[str, Any], names: tuple[str, ...]) -> bool:
    return any(set(names) & set(path) for path, _ in leaves(fields))


def _at(path: tuple[str | int, ...], place: list[int], *, dt: bool) -> bool:
    indices = [part for part in path if isinstance(part, int)]
    return dt or not place or place[-1] in indices or not indices


def agrees(fields: dict[str, Any], path: tuple[str | int, ...], theirs: Any) -> bool | None:
    """Whether a field of yezhihao's JSON is so in ours; None if its name says nothing to us."""
    inside: Any = fields
    names: tuple[str, ...] | None = None
    for part in path:
        if isinstance(part, str) and part.isdigit():
            inside = scoped(fields, int(part))
            names = ("value",)
        elif isinstance(part, str):
            names = YEZHIHAO.get(part) or (re.sub("([A-Z])", r"_\1", part).lower(),)
    if names is None or not any(set(names) & set(leaf) for leaf, _ in leaves(inside)):
        return None
    places = [part for part in path if isinstance(part, int)]
    if isinstance(path[-1], int) and isinstance(theirs, int):
        places = places[:-1] or places
    return any(
        same(theirs, ours)
        for leaf, ours in leaves(inside)
        if set(names) & set(leaf) and (not places or places[0] in [part for part in leaf if isinstance(part, int)])
    )
