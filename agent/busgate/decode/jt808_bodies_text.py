"""Texts, events, questions, information, telephones: 0x83xx, 0x84xx and answers (JT/T 808, clause 8).

2019 keeps 0x8300, 0x8400 and 0x8401; the others are met all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from busgate.decode.jt808_layout import Seen, byte, counted_text, many, of, rest_text, word
from busgate.decode.jt808_message import Message, Table, before_2019, plain
from busgate.decode.jt808_octets import Octets

TEXT_FLAGS = {
    0: "emergency",
    2: "show on display",
    3: "read aloud",
    4: "show on advertising screen",
    5: "CAN fault codes instead of navigation",
}
TEXT_FLAGS_2019 = {bit: name for bit, name in TEXT_FLAGS.items() if bit in {2, 3, 5}}
TEXT_CLASSES = {0: "reserved", 1: "service", 2: "emergency", 3: "notice"}
TEXT_TYPES = {1: "notice", 2: "service"}
EVENT_SETTINGS = {0: "delete all", 1: "update", 2: "append", 3: "modify", 4: "delete some"}
MENU_SETTINGS = {0: "delete all", 1: "update", 2: "append", 3: "modify"}
CALL_FLAGS = {0: "ordinary call", 1: "listening in"}
CONTACT_FLAGS = {1: "incoming", 2: "outgoing", 3: "both"}


@dataclass(frozen=True, slots=True)
class Text:
    """0x8300 until 2013: flag bits and the text."""

    text_flag: int = byte(bits=("text_flags", TEXT_FLAGS))
    text: str = rest_text()


def _text_class() -> Any:
    def cut(_octets: Octets, seen: Seen) -> tuple[str, str]:
        value = TEXT_CLASSES[seen["text_flag"] & 3]
        return value, value

    return of(cut)


@dataclass(frozen=True, slots=True)
class Text2019:
    """0x8300 in 2019: flag bits, of which the lowest two are the text's class; its kind, and the text."""

    text_flag: int = byte(bits=("text_flags", TEXT_FLAGS_2019))
    text_class: str = _text_class()
    text_type: int = byte(names=TEXT_TYPES)
    text: str = rest_text()


@dataclass(frozen=True, slots=True)
class Event:
    """One event that a driver can report."""

    event_id: int = byte()
    content: str = counted_text()


@dataclass(frozen=True, slots=True)
class EventSetting:
    """0x8301: event setting."""

    setting_type: int = byte(names=EVENT_SETTINGS)
    total: int | None = byte(optional=True)
    events: tuple[Event, ...] | None = many(Event, "total", when=lambda seen: seen["total"] is not None)


@dataclass(frozen=True, slots=True)
class EventReport:
    """0x0301: event report."""

    event_id: int = byte()


@dataclass(frozen=True, slots=True)
class CandidateAnswer:
    """One answer that a driver can choose."""

    answer_id: int = byte()
    content: str = counted_text(2)


@dataclass(frozen=True, slots=True)
class Question:
    """0x8302: flag bits as of a text, the question, the answers to choose from."""

    question_flag: int = byte(bits=("question_flags", TEXT_FLAGS))
    question: str = counted_text()
    answers: tuple[CandidateAnswer, ...] = many(CandidateAnswer)


@dataclass(frozen=True, slots=True)
class Answer:
    """0x0302: question answer."""

    response_serial: int = word()
    answer_id: int = byte()


@dataclass(frozen=True, slots=True)
class Information:
    """One kind of information that a driver can order."""

    information_type: int = byte()
    name: str = counted_text(2)


@dataclass(frozen=True, slots=True)
class InformationMenu:
    """0x8303: information menu setting."""

    setting_type: int = byte(names=MENU_SETTINGS)
    total: int | None = byte(optional=True)
    items: tuple[Information, ...] | None = many(Information, "total", when=lambda seen: seen["total"] is not None)


@dataclass(frozen=True, slots=True)
class InformationDemand:
    """0x0303: information demand or cancel."""

    information_type: int = byte()
    flag: int = byte(names={0: "cancel", 1: "order"})


@dataclass(frozen=True, slots=True)
class InformationService:
    """0x8304: information service."""

    information_type: int = byte()
    content: str = counted_text(2)


@dataclass(frozen=True, slots=True)
class InformationReply:
    """0x0304, seen in one public library: serial, kind and content of an information."""

    response_serial: int = word()
    information_type: int = byte()
    content: str = counted_text(2)


@dataclass(frozen=True, slots=True)
class CallBack:
    """0x8400: whom the terminal shall call, openly or listening in."""

    flag: int = byte(names=CALL_FLAGS)
    phone_number: str = rest_text()


@dataclass(frozen=True, slots=True)
class Contact:
    """One entry of the telephone book."""

    flag: int = byte(names=CONTACT_FLAGS)
    phone_number: str = counted_text()
    name: str = counted_text()


@dataclass(frozen=True, slots=True)
class PhoneBook:
    """0x8401: set phone book."""

    setting_type: int = byte(names=MENU_SETTINGS)
    total: int | None = byte(optional=True)
    contacts: tuple[Contact, ...] | None = many(Contact, "total", when=lambda seen: seen["total"] is not None)


@dataclass(frozen=True, slots=True)
class ReportText:
    """0x6006 of one vendor family: a text in answer to a text."""

    content: str = rest_text()


TEXTS: Table = {
    0x0301: plain("event report", EventReport),
    0x0302: plain("question answer", Answer),
    0x0303: plain("information demand or cancel", InformationDemand),
    0x0304: plain("information service reply", InformationReply),
    0x6006: plain("text message report", ReportText),
    0x8300: Message("text message", before_2019(Text, Text2019)),
    0x8301: plain("event setting", EventSetting),
    0x8302: plain("question", Question),
    0x8303: plain("information menu setting", InformationMenu),
    0x8304: plain("information service", InformationService),
    0x8400: plain("call back", CallBack),
    0x8401: plain("set phone book", PhoneBook),
}
