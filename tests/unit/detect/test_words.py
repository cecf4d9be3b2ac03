from __future__ import annotations

from time import process_time

import pytest

from busgate.detect.wanted import MOST_TEXT
from busgate.detect.words import MOST_READ, commanded, topic_words
from busgate.model import Act, Subsystem


@pytest.mark.parametrize(
    "text",
    ["DYD#", "dyd", "STOP#", "stop123456", "RELAY,1#", "RELAY1#", "$RELAY*1", "cutoff", "cut off oil", "kill switch",
     "Engine Off", "immobilizer on", "remote_stop", "remoteStop", "LOCK VEHICLE#", "setdigout 1", "断油断电", "锁车",
     "远程停车", "STATUS,RELAY1#", "SZCS#DYD=1", '{"cmd":"engineStop"}', '{"action": "cut_off", "id": 7}',
     "please stop engine"],
)  # fmt: skip
def test_words_that_cut_the_drive(text: str) -> None:
    found = commanded(text)
    assert found is not None
    assert (found.subsystem, found.act, found.name) == (Subsystem.DRIVE, Act.STOP, "text command: cut drive")


@pytest.mark.parametrize("text", ["HFYD#", "resume123456", "RELAY,0#", "fuel on", "恢复油路", "engine_start", "RUN#"])
def test_words_that_give_the_drive_back(text: str) -> None:
    found = commanded(text)
    assert found is not None
    assert (found.subsystem, found.act) == (Subsystem.DRIVE, Act.ENABLE)


@pytest.mark.parametrize(
    ("text", "subsystem", "act", "rule"),
    [
        ("SPEED,30#", Subsystem.DRIVE, Act.LIMIT, "cloud.command"),
        ("TORQUE,50#", Subsystem.DRIVE, Act.LIMIT, "cloud.command"),
        ("限速", Subsystem.DRIVE, Act.LIMIT, "cloud.command"),
        ("CONTACTOR,0#", Subsystem.BMS, Act.SET, "cloud.command"),
        ("断高压", Subsystem.BMS, Act.SET, "cloud.command"),
        ("CHARGE,16#", Subsystem.CHARGING, Act.SET, "cloud.command"),
        ("UNLOCK#", Subsystem.DOORS, Act.SET, "cloud.command"),
        ("open doors", Subsystem.DOORS, Act.SET, "cloud.command"),
        ("HEAT,21,30#", Subsystem.HVAC, Act.SET, "cloud.command"),
        ("UPGRADE,http://x.example/a#", Subsystem.TELEMATICS, Act.FLASH, "cloud.update"),
        ("DIAG,BMS,22F190#", Subsystem.UNKNOWN, Act.SET, "cloud.carried"),
        ("FACTORY#", Subsystem.TELEMATICS, Act.RESET, "cloud.reset"),
        ("SERVER,1,host.example,80,0#", Subsystem.TELEMATICS, Act.SET, "cloud.settings"),
        ("APN,internet#", Subsystem.TELEMATICS, Act.SET, "cloud.settings"),
        ("监听", Subsystem.TELEMATICS, Act.ENABLE, "cloud.watching"),
        ("WHERE#", Subsystem.TELEMATICS, Act.READ, "cloud.read"),
        ("STATUS,123456#", Subsystem.TELEMATICS, Act.READ, "cloud.read"),
    ],
)
def test_other_words(text: str, subsystem: Subsystem, act: Act, rule: str) -> None:
    found = commanded(text)
    assert found is not None
    assert (found.subsystem, found.act, found.rule) == (subsystem, act, rule)


@pytest.mark.parametrize(
    "text",
    ["SZCS,1,2#", "ABC123456", "CXZT", "#ABC#", "<SPBSJ*P:BSJGPS*C:1>", '{"k":1}', "[1,2]", '{"cmd":"xyz"}',
     "*HQ,1234567890,S20,130305,1,1#", "STATUS,now#", "x" * (MOST_READ + 1)],
)  # fmt: skip
def test_what_looks_like_a_command_and_is_not_listed_is_unknown(text: str) -> None:
    found = commanded(text)
    assert found is not None
    assert (found.rule, found.subsystem) == ("cloud.unknown", Subsystem.UNKNOWN)
    assert found.arguments["text"].value == text[:MOST_TEXT]


@pytest.mark.parametrize(
    "text",
    ["", "  ", "hello", "Stop at Damrak", "Doors will close", "Welcome at the stop Damrak, doors open on the left",
     "Line #5 goes via Dam today please", "请注意前方道路施工请绕行谢谢配合", "测试123@456#abc!...结束",
     "Your battery is low, drive to the depot"],
)  # fmt: skip
def test_prose_is_no_command(text: str) -> None:
    assert commanded(text) is None


def test_the_drive_counts_before_what_stands_in_front_of_it() -> None:
    found = commanded("APN,relay,1#")
    assert found is not None
    assert found.subsystem is Subsystem.DRIVE


@pytest.mark.parametrize(
    "hostile",
    ["A" + "," * 4000, " " * 4000 + "x", "*" + "A" * 4000, "{" * 4000, "{" + "]" * 4000, "A#" * 2000, "断" * 4000,
     "relay " + " " * 4000 + "1", "stop" * 1000, "A=1;" * 1000],
)  # fmt: skip
def test_a_hostile_text_costs_no_more_than_its_length(hostile: str) -> None:
    began = process_time()
    commanded(hostile)
    assert process_time() - began < 1.0


@pytest.mark.parametrize(
    ("topic", "orders"),
    [
        ("bus/7/cmd", True),
        ("v1/devices/me/rpc/request/1", True),
        ("$aws/things/bus/shadow/update/delta", True),
        ("bus/7/downlink", True),
        ("ota/bus/7", True),
        ("bus/7/telemetry", False),
        ("bus/7/command-centre-news", True),
        ("bus/7/recommended", False),
    ],
)
def test_a_topic_says_whether_it_is_for_orders(topic: str, orders: bool) -> None:
    assert topic_words(topic) is orders
