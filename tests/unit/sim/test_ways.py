"""The ways in which a T-box is told something: short message, download, shell, encrypted link, other protocols."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import yaml

from busgate.bridge.channels import ALL, SideMap
from busgate.bridge.trace import Trace
from busgate.model import Packet
from busgate_sim.air import Flow
from busgate_sim.body import BusBody
from busgate_sim.cloud import sms
from busgate_sim.cloud.tunnel import Tunnel
from busgate_sim.cloud.updates import HOST, Fetching, ask, package_of, serve
from busgate_sim.ecu.uds.flash import version_of
from busgate_sim.packets import PLATFORM_HOST
from busgate_sim.scenario import find
from busgate_sim.splice import Open
from busgate_sim.stage import Stage
from busgate_trial.tape import record


def test_seven_bit_text_is_packed_as_the_standard_says() -> None:
    # The text and its octets are a widely published example of the packing of 3GPP TS 23.038, 6.1.2.1.
    assert sms.septets("hellohello").hex().upper() == "E8329BFD4697D9EC37"
    with pytest.raises(ValueError, match="substring"):
        sms.septets("\u6c7d")


def test_a_short_message_has_its_fields_where_the_standard_puts_them() -> None:
    pdu = sms.deliver("27838890001", "hellohello", 922_990_085, "27381000015").hex().upper()
    assert (
        pdu == "07917283010010F5" + "04" + "0B917238880900F1" + "0000" + "99401081805000" + "0A" + "E8329BFD4697D9EC37"
    )


def test_other_alphabets_and_octets_and_what_is_too_long() -> None:
    assert sms.deliver("1234", "\u6c7d\u8f66", 0).endswith(b"\x04\x6c\x7d\x8f\x66")
    assert sms.deliver("1234", b"\x7e\x00\x7e", 0).endswith(b"\x03\x7e\x00\x7e")
    for said in ("a" * 161, "\u6c7d" * 71, bytes(141)):
        with pytest.raises(ValueError, match="do not fit"):
            sms.deliver("1234", said, 0)


def test_an_update_is_fetched_in_any_pieces() -> None:
    package = package_of(f"http://{HOST}/HVAC/1.5.0.bin")
    assert package is not None
    answer = serve(ask(package))
    for size in (1, 7, 1360, len(answer)):
        fetching = Fetching()
        came = [fetching.take(answer[at : at + size]) for at in range(0, len(answer), size)]
        whole = [body for body in came if body is not None]
        assert [version_of(body) for body in whole] == ["1.5.0"]


@pytest.mark.parametrize("url", ["", "ftp://x/HVAC/1.bin", "http://x/ENGINE/1.bin", "http://x/HVAC/1.exe", "http://x/"])
def test_what_is_no_package(url: str) -> None:
    assert package_of(url) is None


@pytest.mark.parametrize(
    "answer", [serve(b"GET /nothing HTTP/1.1\r\n\r\n"), b"HTTP/1.1 200 OK\r\n\r\nx", bytes(1 << 21)]
)
def test_an_answer_that_brings_nothing_is_refused(answer: bytes) -> None:
    with pytest.raises(ValueError, match=r"404|how long|no end"):
        Fetching().take(answer)


def test_a_tunnel_carries_what_goes_in_and_says_the_name_it_asks_for() -> None:
    tunnel = Tunnel(PLATFORM_HOST)
    flights = list(tunnel.handshake())
    assert [up for up, _ in flights][:3] == [True, False, True]
    assert flights[0][1].startswith(b"\x16\x03")
    assert PLATFORM_HOST.encode() in flights[0][1]
    for up, data in ((True, b"\x7e\x01\x00\x7e"), (False, bytes(500)), (True, b"speed 41 km/h")):
        record = tunnel.carried(up, data)
        assert record.startswith(b"\x17\x03\x03")
        assert data not in record
    tunnel._ends[False].write(b"y")  # nobody carries this one
    tunnel._seen[False].read()
    with pytest.raises(ssl.SSLError):
        tunnel.carried(False, b"z")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("stop-by-808-2011", "jt808:8105"),
        ("stop-by-808-2019", "jt808:8500"),
        ("stop-by-32960-2016", "gb32960:82"),
        ("stop-by-32960-2025", "gb32960:82"),
        ("stop-by-mqtt", "mqtt:command"),
        ("sms-kill", "sms"),
    ],
)
def test_the_same_order_in_every_protocol_stops_the_drive(name: str, message: str) -> None:
    scenario = find(name)
    stage = Stage(scenario, BusBody(scenario.start), Open())
    stage.run(20)
    assert stage.understood == {"act 0": message}
    assert stage.obedience.demands.stop


def test_an_update_goes_from_the_cloud_over_a_download_into_the_ecu_and_back_as_done() -> None:
    scenario = find("update-approved")
    stage = Stage(scenario, BusBody(scenario.start), Open())
    stage.run()
    flash = stage.diagnosed.servers["HVAC"].offers.flash
    assert flash is not None
    assert flash.version == "1.5.0"
    down = [segment for segment in stage.air.segments if segment.flow is Flow.UPDATES and not segment.up]
    assert {segment.cause for segment in down} == {"act 0"}
    assert b"".join(segment.data for segment in down).startswith(b"HTTP/1.1 200 OK\r\n")
    (vehicle,) = stage.online.platform.book.vehicles.values()
    assert vehicle.told[0].order.name == "update"
    assert any(b"\x01\x08" in segment.data[:3] for segment in stage.air.segments if segment.up)


def test_a_tunnelled_diagnosis_sends_the_answers_up() -> None:
    scenario = find("depot-diagnostics-granted")
    stage = Stage(scenario, BusBody(scenario.start), Open())
    stage.run(20)
    up = b"".join(segment.data for segment in stage.air.segments if segment.up)
    assert b"5003003201f4" in up
    assert b"62f189" in up


def test_each_recording_leads_from_its_packets_to_its_frames(tmp_path: Path) -> None:
    for name in ("update-approved", "stop-from-a-shell", "sms-kill"):
        written = record(find(name).model_copy(update={"lasts": 18.0}), tmp_path)
        (act,) = yaml.safe_load(written.labels.read_text(encoding="utf-8"))["acts"]
        packets = [unit for unit in Trace(written.packets, SideMap([ALL])) if isinstance(unit, Packet)]
        assert act["lines"]
        if name == "sms-kill":
            assert bytes.fromhex(act["short_message"]["pdu"]).endswith(sms.septets("STOP#"))
        else:
            assert all(packets[number - 1].data[40:] for number in act["packets"])
        if name == "update-approved":
            assert any(b"GET /HVAC/1.5.0.bin" in packets[number - 1].data for number in act["packets"])
