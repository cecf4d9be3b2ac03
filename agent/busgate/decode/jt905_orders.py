"""Orders, shifts, rides and devices behind a taxi's unit: 0x0Bxx, 0x8Bxx (JT/T 905-2014; layouts as in public code)."""

# ruff: noqa: RUF009 - what stands as a field's default says how it is cut
from __future__ import annotations

from dataclasses import dataclass

from busgate.decode.jt808_layout import byte, digits, dword, ended_text, many, minute, one, raw, rest, text, time, word
from busgate.decode.jt808_message import Message, Table, empty, first_fit, plain
from busgate.decode.jt905_location import TaxiLocationBasic

DEVICES = {
    0x00: "ISU",
    0x01: "communication module",
    0x02: "taximeter",
    0x03: "taxi security module",
    0x04: "LED display",
    0x05: "top light",
    0x06: "rear evaluator",
    0x07: "camera",
    0x08: "positioning device",
    0x09: "LCD screen",
    0x10: "ISU human interface",
    0x11: "front evaluator",
}
ORDER_TYPES = {0: "immediate", 1: "booked", 2: "assigned"}


@dataclass(frozen=True, slots=True)
class Order:
    """0x8B00: an order offered to drivers."""

    business_id: int = dword()
    business_type: int = byte(names=ORDER_TYPES)
    calling_time: str = time()
    description: str = ended_text()


@dataclass(frozen=True, slots=True)
class OrderResult:
    """0x8B01: who got it; places in 1e-4 minute, the fee in BCD (0.1 yuan)."""

    business_id: int = dword()
    business_type: int = byte(names=ORDER_TYPES)
    calling_time: str = time()
    passenger_longitude: int = dword()
    passenger_latitude: int = dword()
    destination_longitude: int = dword()
    destination_latitude: int = dword()
    service_charge: str = digits(2)
    passenger_phone: str = ended_text()
    description: str = ended_text()


@dataclass(frozen=True, slots=True)
class OrderId:
    """0x0B01, 0x0B07 and 0x8B09: which order is taken, done or called off."""

    business_id: int = dword()


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """0x0B08: which order the driver cancels, and why."""

    business_id: int = dword()
    reason: int = byte()


@dataclass(frozen=True, slots=True)
class SignIn:
    """0x0B03: who begins to work; and when."""

    location: TaxiLocationBasic = one(TaxiLocationBasic)
    business_license_no: str = text(16)
    qualification_code: str = text(19)
    plate_no: str = text(6)
    start_time: str = minute()


@dataclass(frozen=True, slots=True)
class SignOut:
    """0x0B04: what a shift brought; numbers in BCD: mileages 0.1 km, sums 0.1 yuan, waiting time hhmmss."""

    location: TaxiLocationBasic = one(TaxiLocationBasic)
    business_license_no: str = text(16)
    qualification_code: str = text(19)
    plate_no: str = text(6)
    taximeter_k_value: str = digits(2)
    power_on_time: str = minute()
    power_off_time: str = minute()
    mileage: str = digits(3)
    operation_mileage: str = digits(3)
    trips: str = digits(2)
    timing_time: str = digits(3)
    total_amount: str = digits(3)
    card_amount: str = digits(3)
    card_count: str = digits(2)
    mileage_between: str = digits(2)
    total_mileage: str = digits(4)
    total_operation_mileage: str = digits(4)
    unit_price: str = digits(2)
    total_operations: int = dword()
    sign_out_type: int = byte()
    extra_attributes: bytes = rest()


@dataclass(frozen=True, slots=True)
class Operation:
    """0x0B05: a ride, with what the taximeter recorded of it."""

    start_location: TaxiLocationBasic = one(TaxiLocationBasic)
    end_location: TaxiLocationBasic = one(TaxiLocationBasic)
    operation_id: int = dword()
    evaluate_id: int = dword()
    evaluate_option: int = byte()
    evaluate_option_extension: int = word()
    order_id: int = dword()
    taximeter_data: bytes = rest()


@dataclass(frozen=True, slots=True)
class Ride:
    """What a taximeter records of a ride, in BCD: times YYMMDDhhmm and hhmm, mileages 0.1 km, sums 0.1 yuan."""

    license_plate: str = text(6)
    license: str = text(16)
    qualification_certificate: str = text(19)
    begin_time: str = digits(5)
    end_time: str = digits(2)
    mileage: str = digits(3)
    empty_drive: str = digits(2)
    additional_fee: str = digits(3)
    wait_time: str = digits(2)
    amount: str = digits(3)
    section: int = dword()
    trade_type: int = byte()


@dataclass(frozen=True, slots=True)
class OperationRide:
    """0x0B05 with a taximeter's record of the form that public code reads."""

    start_location: TaxiLocationBasic = one(TaxiLocationBasic)
    end_location: TaxiLocationBasic = one(TaxiLocationBasic)
    operation_id: int = dword()
    evaluate_id: int = dword()
    evaluate_option: int = byte()
    evaluate_option_extension: int = word()
    order_id: int = dword()
    ride: Ride = one(Ride)


@dataclass(frozen=True, slots=True)
class Peripheral:
    """0x8B10 and 0x0B10: a command to or from a device behind the unit, as it is."""

    device_type: int = byte(names=DEVICES)
    vendor_id: int = byte()
    command: int = word()
    data: bytes = rest()


@dataclass(frozen=True, slots=True)
class Inspection:
    """0x8B11: which devices to inspect; none named means all."""

    device_types: tuple[int, ...] = many(1)


@dataclass(frozen=True, slots=True)
class Inspected:
    """What one device answers."""

    device_type: int = byte(names=DEVICES)
    length: int = byte()
    content: bytes = raw("length")


@dataclass(frozen=True, slots=True)
class InspectionResponse:
    """0x0B11: what each device answers."""

    devices: tuple[Inspected, ...] = many(Inspected)


ORDERS: Table = {
    0x0B01: plain("driver takes order", OrderId),
    0x0B03: plain("sign-in upload", SignIn),
    0x0B04: plain("sign-out upload", SignOut),
    0x0B05: Message("operation data upload", first_fit(OperationRide, Operation)),
    0x0B07: plain("driver completes order", OrderId),
    0x0B08: plain("driver cancels order", OrderCancelled),
    0x0B10: plain("peripheral uplink transparent transmission", Peripheral),
    0x0B11: plain("device inspection response", InspectionResponse),
    0x8B00: plain("order task", Order),
    0x8B01: plain("order result", OrderResult),
    0x8B09: plain("centre cancels order", OrderId),
    0x8B0A: empty("centre confirms alarm"),
    0x8B0B: empty("centre lifts alarm"),
    0x8B10: plain("peripheral downlink transparent transmission", Peripheral),
    0x8B11: plain("centre inspects devices", Inspection),
}
