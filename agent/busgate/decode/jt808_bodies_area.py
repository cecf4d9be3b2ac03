"""Areas and routes: 0x8600-0x8608 and 0x0608 (JT/T 808, clause 8).

Attribute bit 0 says that a time applies, bit 1 that a speed limit does; only then are their fields there. In routes the
segment's bits 0 and 1 do the same for driving times and speed.
"""

from __future__ import annotations

from dataclasses import dataclass

from busgate.decode.jt808_layout import Reading, Seen, byte, counted_text, dword, many, read_body, time, word
from busgate.decode.jt808_message import Message, Table, plain

SETTINGS = {0: "update", 1: "append", 2: "modify"}
QUERY_TYPES = {1: "circular area", 2: "rectangular area", 3: "polygonal area", 4: "route"}
AREA_BITS = {
    0: "by time",
    1: "speed limit",
    2: "alarm to driver on entering",
    3: "alarm to platform on entering",
    4: "alarm to driver on leaving",
    5: "alarm to platform on leaving",
    6: "south",
    7: "west",
    8: "doors must not open",
    14: "communication off inside",
    15: "GNSS collected inside",
}
SEGMENT_BITS = {0: "driving time", 1: "speed limit", 2: "south", 3: "west"}


def _by_time(seen: Seen) -> bool:
    return bool(seen["area_attribute"] & 1)


def _by_speed(seen: Seen) -> bool:
    return bool(seen["area_attribute"] & 2)


@dataclass(frozen=True, slots=True)
class Circle:
    """A circular area: centre in 1e-6 degree, radius in m, speed in km/h, duration in s."""

    area_id: int = dword()
    area_attribute: int = word(bits=("area_attributes", AREA_BITS))
    center_latitude: int = dword(scaled=("center_latitude_deg", 1e6))
    center_longitude: int = dword(scaled=("center_longitude_deg", 1e6))
    radius: int = dword()
    start_time: str | None = time(when=_by_time)
    end_time: str | None = time(when=_by_time)
    max_speed: int | None = word(when=_by_speed)
    overspeed_duration: int | None = byte(when=_by_speed)
    night_max_speed: int | None = word(since=2019, when=_by_speed)
    name: str | None = counted_text(2, since=2019)


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A rectangular area by its upper left and lower right point."""

    area_id: int = dword()
    area_attribute: int = word(bits=("area_attributes", AREA_BITS))
    upper_left_latitude: int = dword(scaled=("upper_left_latitude_deg", 1e6))
    upper_left_longitude: int = dword(scaled=("upper_left_longitude_deg", 1e6))
    lower_right_latitude: int = dword(scaled=("lower_right_latitude_deg", 1e6))
    lower_right_longitude: int = dword(scaled=("lower_right_longitude_deg", 1e6))
    start_time: str | None = time(when=_by_time)
    end_time: str | None = time(when=_by_time)
    max_speed: int | None = word(when=_by_speed)
    overspeed_duration: int | None = byte(when=_by_speed)
    night_max_speed: int | None = word(since=2019, when=_by_speed)
    name: str | None = counted_text(2, since=2019)


@dataclass(frozen=True, slots=True)
class Point:
    """A corner, in 1e-6 degree."""

    latitude: int = dword(scaled=("latitude_deg", 1e6))
    longitude: int = dword(scaled=("longitude_deg", 1e6))


@dataclass(frozen=True, slots=True)
class Polygon:
    """0x8604: a polygonal area."""

    area_id: int = dword()
    area_attribute: int = word(bits=("area_attributes", AREA_BITS))
    start_time: str | None = time(when=_by_time)
    end_time: str | None = time(when=_by_time)
    max_speed: int | None = word(when=_by_speed)
    overspeed_duration: int | None = byte(when=_by_speed)
    total: int = word()
    points: tuple[Point, ...] = many(Point, "total")
    night_max_speed: int | None = word(since=2019, when=_by_speed)
    name: str | None = counted_text(2, since=2019)


def _timed(seen: Seen) -> bool:
    return bool(seen["segment_attribute"] & 1)


def _limited(seen: Seen) -> bool:
    return bool(seen["segment_attribute"] & 2)


@dataclass(frozen=True, slots=True)
class Inflection:
    """A corner of a route and the segment that starts there: width in m, driving times in s, speed in km/h."""

    inflection_id: int = dword()
    segment_id: int = dword()
    latitude: int = dword(scaled=("latitude_deg", 1e6))
    longitude: int = dword(scaled=("longitude_deg", 1e6))
    segment_width: int = byte()
    segment_attribute: int = byte(bits=("segment_attributes", SEGMENT_BITS))
    driving_too_long_threshold: int | None = word(when=_timed)
    driving_too_short_threshold: int | None = word(when=_timed)
    max_speed: int | None = word(when=_limited)
    overspeed_duration: int | None = byte(when=_limited)
    night_max_speed: int | None = word(since=2019, when=_limited)


@dataclass(frozen=True, slots=True)
class Route:
    """0x8606: a route by its corners."""

    route_id: int = dword()
    route_attribute: int = word()
    start_time: str | None = time(when=lambda seen: bool(seen["route_attribute"] & 1))
    end_time: str | None = time(when=lambda seen: bool(seen["route_attribute"] & 1))
    total: int = word()
    inflections: tuple[Inflection, ...] = many(Inflection, "total")
    name: str | None = counted_text(2, since=2019)


@dataclass(frozen=True, slots=True)
class SetCircles:
    """0x8600: set circular areas."""

    setting_type: int = byte(names=SETTINGS)
    total: int = byte()
    areas: tuple[Circle, ...] = many(Circle, "total")


@dataclass(frozen=True, slots=True)
class SetRectangles:
    """0x8602: set rectangular areas."""

    setting_type: int = byte(names=SETTINGS)
    total: int = byte()
    areas: tuple[Rectangle, ...] = many(Rectangle, "total")


@dataclass(frozen=True, slots=True)
class DeleteAreas:
    """0x8601, 0x8603, 0x8605 and 0x8607: which areas or routes to delete; none named means all."""

    total: int = byte()
    ids: tuple[int, ...] = many(4, "total")


@dataclass(frozen=True, slots=True)
class QueryAreas:
    """0x8608 (2019): which areas or routes to report; none named means all of that type."""

    query_type: int = byte(names=QUERY_TYPES)
    total: int = dword()
    ids: tuple[int, ...] = many(4, "total")


@dataclass(frozen=True, slots=True)
class CirclesReport:
    """0x0608 with circular areas, each as 0x8600 sets them."""

    query_type: int = byte(names=QUERY_TYPES)
    total: int = dword()
    data: tuple[SetCircles, ...] = many(SetCircles, "total")


@dataclass(frozen=True, slots=True)
class RectanglesReport:
    """0x0608 with rectangular areas."""

    query_type: int = byte(names=QUERY_TYPES)
    total: int = dword()
    data: tuple[SetRectangles, ...] = many(SetRectangles, "total")


@dataclass(frozen=True, slots=True)
class PolygonsReport:
    """0x0608 with polygonal areas."""

    query_type: int = byte(names=QUERY_TYPES)
    total: int = dword()
    data: tuple[Polygon, ...] = many(Polygon, "total")


@dataclass(frozen=True, slots=True)
class RoutesReport:
    """0x0608 with routes."""

    query_type: int = byte(names=QUERY_TYPES)
    total: int = dword()
    data: tuple[Route, ...] = many(Route, "total")


_REPORTS: dict[int, type] = {1: CirclesReport, 2: RectanglesReport, 3: PolygonsReport, 4: RoutesReport}


def _report(body: bytes, edition: int, _certain: bool) -> Reading:
    """The areas as 0x8600-0x8606 set them; one of no such type is a list of numbers. The message is of 2019."""
    return read_body(_REPORTS.get(body[0] if body else 0, QueryAreas), body, max(edition, 2019))


AREAS: Table = {
    0x0608: Message("query area or route data response", _report),
    0x8600: plain("set circular areas", SetCircles),
    0x8601: plain("delete circular areas", DeleteAreas),
    0x8602: plain("set rectangular areas", SetRectangles),
    0x8603: plain("delete rectangular areas", DeleteAreas),
    0x8604: plain("set polygonal area", Polygon),
    0x8605: plain("delete polygonal areas", DeleteAreas),
    0x8606: plain("set route", Route),
    0x8607: plain("delete routes", DeleteAreas),
    0x8608: plain("query area or route data", QueryAreas),
}
