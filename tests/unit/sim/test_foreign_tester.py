"""The simulated control units, diagnosed by udsoncan over can-isotp: tools that know nothing of this simulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import isotp
import pytest
from udsoncan import AsciiCodec, DidCodec, MemoryLocation
from udsoncan.client import Client
from udsoncan.exceptions import NegativeResponseException, TimeoutException

from busgate_sim.body import BusBody
from busgate_sim.ecu.uds.flash import ADDRESS, image
from busgate_sim.ecu.uds.unlock import key_for
from busgate_sim.scenario import find
from busgate_sim.splice import Open
from busgate_sim.stage import Stage
from busgate_sim.world import SECOND
from support.foreign_isotp import Connection, Foreign

TESTER = 0xF9
IDENTIFIERS: dict[int, Any] = {
    0xF187: AsciiCodec(12),
    0xF189: AsciiCodec(12),
    0xF18C: AsciiCodec(10),
    0xF190: AsciiCodec(17),
    0xF186: ">B",
    0x0200: ">H",
    0x0203: DidCodec(">24H"),
    0x0300: ">H",
}


def address(ecu: int) -> isotp.Address:
    """29-bit for a J1939 address, else 11-bit identifiers."""
    if ecu > 0xFF:
        return isotp.Address(isotp.AddressingMode.Normal_11bits, txid=ecu, rxid=ecu + 8)
    return isotp.Address(isotp.AddressingMode.NormalFixed_29bits, source_address=TESTER, target_address=ecu)


class Workshop:
    """A bus that stands, and a foreign tool on its vehicle side."""

    def __init__(self, start: str = "service-standing") -> None:
        scenario = find(start)
        self.stage = Stage(scenario, BusBody(scenario.start), Open())
        self.stage.run(3)

    @contextmanager
    def asks(self, ecu: int, name: str = "") -> Iterator[Any]:
        connection = Connection(Foreign(self.stage.vehicle, address(ecu)), self.stage.world)
        config: Any = {
            "data_identifiers": IDENTIFIERS,
            "input_output": {0x0103: ">B"},
            "security_algo": lambda level, seed, params: key_for(name, bytes(seed)),  # noqa: ARG005 - its signature
            "p2_timeout": 1.0,
        }
        with Client(connection, request_timeout=10, config=config) as client:
            yield client

    @property
    def version(self) -> str | None:
        flash = self.stage.diagnosed.servers["BMS"].offers.flash
        return flash.version if flash else None


@pytest.mark.parametrize(
    "ecu", [0x27, 0x8A, 0x8B, 0xF3, 0x0B, 0x13, 0x8C, 0x49, 0x17, 0x710, 0x711], ids=lambda ecu: f"{ecu:x}"
)
def test_every_ecu_identifies_itself_and_holds_a_session(ecu: int) -> None:
    with Workshop().asks(ecu) as client:
        said = client.read_data_by_identifier([0xF187, 0xF189, 0xF18C, 0xF190]).service_data.values
        client.change_session(3)
        client.tester_present()
        session = client.read_data_by_identifier([0xF186]).service_data.values[0xF186]
    assert said[0xF190] == "SYNTHETICBUS00421"
    assert said[0xF187].startswith("SYN-")
    assert said[0xF189].strip() == "1.4.2"
    assert session == (3,)


def test_long_answers_live_values_and_limits() -> None:
    workshop = Workshop()
    with workshop.asks(0xF3, "BMS") as client:
        soc, cells = (client.read_data_by_identifier([did]).service_data.values[did] for did in (0x0200, 0x0203))
        client.change_session(3)
        client.unlock_security_access(1)
        client.write_data_by_identifier(0x0300, (40,))
        limit = client.read_data_by_identifier([0x0300]).service_data.values[0x0300]
    assert soc == (round(workshop.stage.sensed.soc * 10),)
    assert len(cells) == 24
    assert all(3000 < cell < 4300 for cell in cells)
    assert limit == (40,)
    assert workshop.stage.obedience.demands.charge_limit == 40.0


def test_fault_codes_are_read_counted_and_cleared() -> None:
    with Workshop().asks(0xF3) as client:
        stored = client.get_dtc_by_status_mask(0xFF).service_data.dtcs
        confirmed = client.get_number_of_dtc_by_status_mask(0x01).service_data.dtc_count
        client.clear_dtc()
        left = client.get_dtc_by_status_mask(0xFF).service_data.dtcs
    assert [dtc.id for dtc in stored] == [0x0A1F00, 0x0A9C12]
    assert confirmed == 1
    assert left == []


def test_a_routine_and_a_control_act_on_the_bus_and_end_with_the_session() -> None:
    workshop = Workshop()
    with workshop.asks(0xF3, "BMS") as client:
        client.change_session(3)
        client.unlock_security_access(1)
        client.start_routine(0x0310)
        workshop.stage.run(1)
        opened = workshop.stage.sensed.contactors
        client.stop_routine(0x0310)
    with workshop.asks(0x710, "BODY") as client:
        client.change_session(3)
        client.unlock_security_access(1)
        client.io_control(0x0103, control_param=3, values=[1])
        workshop.stage.run(3)
        doors = workshop.stage.sensed.doors[0]
        workshop.stage.run(8)
    assert opened == "Open"
    assert doors == "Open"
    assert workshop.stage.sensed.doors[0] == "Closed"


def test_a_program_is_written_and_runs_after_the_reset() -> None:
    workshop, program = Workshop(), image("3.0.1", 3000)
    with workshop.asks(0xF3, "BMS") as client:
        client.change_session(2)
        client.unlock_security_access(1)
        client.start_routine(0xFF00)
        answer = client.request_download(MemoryLocation(ADDRESS, len(program), address_format=32, memorysize_format=32))
        most = answer.service_data.max_length - 2
        for number, at in enumerate(range(0, len(program), most), 1):
            client.transfer_data(number, program[at : at + most])
        client.request_transfer_exit()
        checked = client.start_routine(0xFF01).service_data.routine_status_record
        meanwhile = workshop.stage.sensed.contactors
        client.ecu_reset(1)
        workshop.stage.run(2)
        said = client.read_data_by_identifier([0xF189]).service_data.values[0xF189]
    assert checked == b"\x00"
    assert meanwhile == "Open"
    assert said.strip() == workshop.version == "3.0.1"
    assert workshop.stage.sensed.contactors == "Closed"


Deed = Callable[[Any], object]
REFUSED: dict[str, tuple[int, Deed]] = {
    "an unknown identifier": (0x31, lambda client: client.read_data_by_identifier([0x0200, 0xF18C][:1])),
    "a write in the default session": (0x7F, lambda client: client.write_data_by_identifier(0x0300, (1,))),
    "an unknown session": (0x12, lambda client: client.change_session(0x40)),
    "a download in the default session": (
        0x7F,
        lambda client: client.request_download(MemoryLocation(ADDRESS, 10, address_format=32, memorysize_format=32)),
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refusals_carry_the_standards_codes(what: str) -> None:
    code, deed = REFUSED[what]
    with Workshop().asks(0x17) as client, pytest.raises(NegativeResponseException) as refused:
        deed(client)
    assert refused.value.response.code == code


def test_wrong_keys_are_counted_and_then_the_lock_waits() -> None:
    workshop, codes = Workshop(), []
    with workshop.asks(0xF3, "somebody else") as client:
        client.change_session(3)
        for _ in range(4):
            with pytest.raises(NegativeResponseException) as refused:
                client.unlock_security_access(1)
            codes.append(refused.value.response.code)
    assert codes == [0x35, 0x35, 0x36, 0x37]


def test_the_drive_refuses_to_be_programmed_in_motion_and_nobody_answers_while_booting() -> None:
    workshop = Workshop("service-driving")
    workshop.stage.run(2)
    with workshop.asks(0x27) as client, pytest.raises(NegativeResponseException) as refused:
        client.change_session(2)
    assert refused.value.response.code == 0x22
    with workshop.asks(0xF3) as client:
        client.ecu_reset(1)
        with pytest.raises(TimeoutException):
            client.tester_present()
        workshop.stage.run(1)
        client.tester_present()


def test_a_session_that_nobody_keeps_ends_and_one_that_is_kept_does_not() -> None:
    workshop = Workshop()
    with workshop.asks(0xF3) as client:
        client.change_session(3)
        for _ in range(4):
            workshop.stage.run(3)
            client.tester_present()
        kept = client.read_data_by_identifier([0xF186]).service_data.values[0xF186]
        workshop.stage.run(6)
        left = client.read_data_by_identifier([0xF186]).service_data.values[0xF186]
    assert (kept, left) == ((3,), (1,))
    assert workshop.stage.world.now > 20 * SECOND
