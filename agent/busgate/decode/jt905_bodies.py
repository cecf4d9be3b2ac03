"""Settings, control, texts and images of a taxi's unit (ISU) (JT/T 905-2014; layouts as in public code).

Texts end with a zero octet. In 0x8500 the item is what is controlled and the command 1 cuts or locks it, 0 restores or
unlocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from busgate.decode import jt808_bodies_media
from busgate.decode.jt808_bodies_terminal import ParametersResponse, SetParameters
from busgate.decode.jt808_layout import Seen, byte, digits, dword, ended_text, many, of, rest, time, word
from busgate.decode.jt808_message import Message, Table, first_fit, plain
from busgate.decode.jt808_octets import Octets
from busgate.decode.jt808_parameters import Parameter
from busgate.decode.jt905_orders import DEVICES
from busgate.decode.jt905_parameters import parameters

COMMAND_WORDS = {
    1: "wireless upgrade",
    2: "power off",
    3: "reset",
    4: "restore factory settings",
    5: "close data communication",
    6: "close all wireless communication",
}
CONTROL_ITEMS = {0: "oil", 1: "circuit", 2: "door", 3: "vehicle lock"}
_MEANINGS = {
    (0, 0): "restore oil",
    (0, 1): "cut oil",
    (1, 0): "restore circuit",
    (1, 1): "cut circuit",
    (2, 0): "unlock doors",
    (2, 1): "lock doors",
    (3, 0): "unlock vehicle",
    (3, 1): "lock vehicle",
}


def _is_upgrade(seen: Seen) -> bool:
    return bool(seen["command_word"] == 1)


def _meaning() -> Any:
    def cut(_octets: Octets, seen: Seen) -> tuple[str, str]:
        value = _MEANINGS.get((seen["control_item"], seen["control_command"]), "")
        return value, value

    return of(cut)


@dataclass(frozen=True, slots=True)
class TaxiSetParameters:
    """0x8103: set terminal parameters."""

    parameters: tuple[Parameter, ...] = parameters()


@dataclass(frozen=True, slots=True)
class TaxiQueryParameters:
    """0x8104: numbers of the parameters asked for."""

    parameter_ids: tuple[int, ...] = many(2)


@dataclass(frozen=True, slots=True)
class TaxiParametersResponse:
    """0x0104: query terminal parameters response."""

    response_serial: int = word()
    parameters: tuple[Parameter, ...] = parameters()


@dataclass(frozen=True, slots=True)
class TaxiControl:
    """0x8105: a command word, and for an upgrade which device and where its package is."""

    command_word: int = byte(names=COMMAND_WORDS)
    device_type: int | None = byte(names=DEVICES, when=_is_upgrade)
    vendor_id: int | None = byte(when=_is_upgrade)
    hardware_version: str | None = digits(1, when=_is_upgrade)
    software_version: str | None = digits(2, when=_is_upgrade)
    apn: str | None = ended_text(when=_is_upgrade)
    dial_user: str | None = ended_text(when=_is_upgrade)
    dial_password: str | None = ended_text(when=_is_upgrade)
    server_address: str | None = ended_text(when=_is_upgrade)
    server_port: int | None = word(when=_is_upgrade)


@dataclass(frozen=True, slots=True)
class TaxiUpgradeResult:
    """0x0105: which device was upgraded, to what, and how it went."""

    device_type: int = byte(names=DEVICES)
    vendor_id: int = byte()
    hardware_version: str = digits(1)
    software_version: str = digits(2)
    result: int = byte()


@dataclass(frozen=True, slots=True)
class TaxiText:
    """0x8300: text message."""

    text_flag: int = byte()
    text: str = ended_text()


@dataclass(frozen=True, slots=True)
class TaxiEvent:
    """One event that a driver can report."""

    event_id: int = byte()
    content: str = ended_text()


@dataclass(frozen=True, slots=True)
class TaxiEvents:
    """0x8301: event setting."""

    total: int = byte()
    events: tuple[TaxiEvent, ...] = many(TaxiEvent, "total")


@dataclass(frozen=True, slots=True)
class TaxiEventReport:
    """0x0301: event report."""

    event_id: int = byte()


@dataclass(frozen=True, slots=True)
class TaxiAnswerOption:
    """One answer that a driver can choose."""

    answer_id: int = byte()
    content: str = ended_text()


@dataclass(frozen=True, slots=True)
class TaxiQuestion:
    """0x8302: question."""

    question_flag: int = byte()
    question_id: int = dword()
    question: str = ended_text()
    answers: tuple[TaxiAnswerOption, ...] = many(TaxiAnswerOption)


@dataclass(frozen=True, slots=True)
class TaxiAnswer:
    """0x0302: question answer."""

    question_id: int = dword()
    answer_id: int = byte()


@dataclass(frozen=True, slots=True)
class TaxiCallBack:
    """0x8400: whom the unit shall call, openly or listening in."""

    flag: int = byte(names={0: "ordinary call", 1: "listening in"})
    phone_number: str = ended_text()


@dataclass(frozen=True, slots=True)
class TaxiContact:
    """One entry of the telephone book."""

    flag: int = byte(names={1: "incoming", 2: "outgoing", 3: "both"})
    phone_number: str = ended_text()
    name: str = ended_text()


@dataclass(frozen=True, slots=True)
class TaxiPhoneBook:
    """0x8401: set phone book."""

    total: int = byte()
    contacts: tuple[TaxiContact, ...] = many(TaxiContact, "total")


@dataclass(frozen=True, slots=True)
class TaxiVehicleControl:
    """0x8500: what is controlled, and how; `meaning` in words, "" if the standard has no such pair."""

    control_item: int = byte(names=CONTROL_ITEMS)
    control_command: int = byte()
    meaning: str = _meaning()


@dataclass(frozen=True, slots=True)
class TaxiImage:
    """0x0800: why, which image, which camera, how large it is, where this piece begins, and the piece."""

    upload_reason: int = word()
    image_id: int = dword()
    channel_id: int = byte()
    image_size: int = dword()
    start_address: int = dword()
    data: bytes = rest()


@dataclass(frozen=True, slots=True)
class TaxiImageSearch:
    """0x8802: stored multimedia search."""

    channel_id: int = byte()
    reason: int = byte()
    start_time: str = time()
    end_time: str = time()


@dataclass(frozen=True, slots=True)
class TaxiImageSearchResponse:
    """0x0802 with a serial of one octet, as public code has it."""

    response_serial: int = byte()
    total_size: int = dword()
    offset: int = dword()
    image_ids: tuple[int, ...] = many(4)


@dataclass(frozen=True, slots=True)
class TaxiImageSearchResponseWide:
    """0x0802 with a serial of two octets."""

    response_serial: int = word()
    total_size: int = dword()
    offset: int = dword()
    image_ids: tuple[int, ...] = many(4)


@dataclass(frozen=True, slots=True)
class TaxiMediaUpload:
    """0x8803: kind of file, which one, and from where in it."""

    multimedia_type: int = byte(names={0: "image", 1: "audio", 2: "video"})
    file_id: int = dword()
    start_address: int = dword()


@dataclass(frozen=True, slots=True)
class AsSent:
    """A message whose layout is not known to us, as it is."""

    data: bytes = rest()


BODIES: Table = {
    0x0104: Message("query ISU parameters response", first_fit(TaxiParametersResponse, ParametersResponse)),
    0x0105: plain("ISU upgrade result", TaxiUpgradeResult),
    0x0301: plain("event report", TaxiEventReport),
    0x0302: plain("question answer", TaxiAnswer),
    0x0800: plain("camera image upload", TaxiImage),
    0x0802: Message("stored image search response", first_fit(TaxiImageSearchResponse, TaxiImageSearchResponseWide)),
    0x0805: plain("stored audio search response", AsSent),
    0x0806: plain("audio upload", AsSent),
    0x8103: Message("set parameters", first_fit(TaxiSetParameters, SetParameters)),
    0x8104: plain("query ISU parameters", TaxiQueryParameters),
    0x8105: plain("ISU control", TaxiControl),
    0x8300: plain("text message", TaxiText),
    0x8301: plain("event setting", TaxiEvents),
    0x8302: plain("question", TaxiQuestion),
    0x8400: plain("call back", TaxiCallBack),
    0x8401: plain("set phone book", TaxiPhoneBook),
    0x8500: plain("vehicle control", TaxiVehicleControl),
    0x8801: plain("camera shooting command", jt808_bodies_media.Shooting),
    0x8802: plain("stored image search", TaxiImageSearch),
    0x8803: plain("stored image or audio upload command", TaxiMediaUpload),
    0x8850: plain("audio search", AsSent),
}
