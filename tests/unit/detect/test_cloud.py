from __future__ import annotations

from busgate.decode import jt808 as decode_808
from busgate.decode import jt905 as decode_905
from busgate.detect.cloud import CloudDetector
from busgate.model import Act, CloudMessage, Direction, Endpoint, Flow, Pdu, Subsystem
from busgate.profile import CloudMark
from support.antenna import jt808, jt905
from support.detected import PROFILE

FLOW = Flow("tcp", Endpoint("10.0.0.2", 40_000), Endpoint("203.0.113.10", 6808))
BY_TEXT = Flow("sms", Endpoint("sim"), Endpoint("+31600000001"))
MARKS = (
    CloudMark(protocol="jt808", code=0x8500, asks="vehicle control 0xF001 of the vendor", where={"parameter": (1,)},
              name="drive interlock on", subsystem=Subsystem.DRIVE, act=Act.STOP),
    CloudMark(protocol="jt808", code=0x8900, where={"transparent_type": (0xF1,)},
              name="climate", subsystem=Subsystem.HVAC, act=Act.SET),
)  # fmt: skip
DETECTOR = CloudDetector(PROFILE.model_copy(update={"cloud": MARKS}))


def message(frame: bytes, flow: Flow = FLOW, direction: Direction = Direction.DOWN) -> CloudMessage:
    pdu = decode_808.read(frame)
    assert pdu is not None
    return CloudMessage(7, direction, flow, pdu, frame)


def test_a_profile_says_what_its_vendors_form_does() -> None:
    (stop,) = DETECTOR.commands(message(jt808(0x8500, bytes.fromhex("0001f00101"), edition=2019)))
    assert (stop.name, stop.subsystem, stop.act, stop.rule) == (
        "drive interlock on", Subsystem.DRIVE, Act.STOP, "cloud.command",
    )  # fmt: skip
    (other,) = DETECTOR.commands(message(jt808(0x8500, bytes.fromhex("0001f00100"), edition=2019)))
    assert (other.subsystem, other.rule) == (Subsystem.UNKNOWN, "cloud.unknown")


def test_what_is_carried_through_stays_carried_when_it_has_a_name() -> None:
    (command,) = DETECTOR.commands(message(jt808(0x8900, b"\xf1\x3d\x14")))
    assert (command.name, command.subsystem, command.rule) == ("climate", Subsystem.HVAC, "cloud.carried")


def test_what_the_tbox_says_itself_asks_for_nothing() -> None:
    assert DETECTOR.commands(message(jt808(0x8105, b"\x64"), direction=Direction.UP)) == ()


def test_source_and_target_are_named() -> None:
    (command,) = DETECTOR.commands(message(jt808(0x8105, b"\x04")))
    assert (str(command.source), command.target.name) == ("203.0.113.10:6808", PROFILE.tbox.name)
    (command,) = DETECTOR.commands(message(jt808(0x8105, b"\x64")))
    assert command.target.name == ""


def test_an_order_by_short_message_is_one_whatever_protocol_it_is_in() -> None:
    (command,) = DETECTOR.commands(message(jt808(0x8105, b"\x64"), BY_TEXT))
    assert (command.rule, command.subsystem) == ("sms.command", Subsystem.DRIVE)
    (service,) = DETECTOR.commands(message(jt808(0x8001, bytes(5)), BY_TEXT))
    assert service.rule == "cloud.service"


def test_a_protocol_that_nobody_judges_by_message_is_service_and_any_other_is_unknown() -> None:
    def asked(protocol: str) -> str:
        (found,) = DETECTOR.wanted(Pdu(protocol, "something", None, Direction.DOWN))
        return found.rule

    assert {asked(each) for each in ("tls", "dns", "ntp", "ssh", "telnet", "adb", "shell")} == {"cloud.service"}
    assert asked("quic") == "cloud.unknown"


def taxi(code: int, body: bytes) -> tuple[str, Subsystem, Act, str]:
    pdu = decode_905.read905(jt905(code, body))
    assert pdu is not None
    (found,) = DETECTOR.wanted(pdu)
    return found.name, found.subsystem, found.act, found.rule


def test_a_taxis_words_are_its_own() -> None:
    assert taxi(0x8105, b"\x02")[0] == "terminal control: power off"
    assert taxi(0x8105, b"\x64")[1:3] == (Subsystem.DRIVE, Act.STOP)
    assert taxi(0x8105, b"\x07")[3] == "cloud.unknown"


def test_a_taxis_items_are_cut_by_1_and_restored_by_0() -> None:
    for item, name in ((0, "oil"), (1, "circuit"), (3, "vehicle lock")):
        assert taxi(0x8500, bytes([item, 1])) == (
            f"vehicle control: {name}",
            Subsystem.DRIVE,
            Act.STOP,
            "cloud.command",
        )
        assert taxi(0x8500, bytes([item, 0]))[2] is Act.ENABLE
        assert taxi(0x8500, bytes([item, 2]))[1:3] == (Subsystem.DRIVE, Act.SET)
    assert taxi(0x8500, b"\x02\x00")[1:3] == (Subsystem.DOORS, Act.UNLOCK)
    assert taxi(0x8500, b"")[3] == "cloud.unknown"


def test_a_number_that_taxis_do_not_have_means_what_808_says() -> None:
    assert taxi(0xA006, b"\x01")[1:3] == (Subsystem.DRIVE, Act.STOP)
    assert taxi(0x8900, b"\xf0\x01")[3] == "cloud.carried"
    assert taxi(0x8B10, b"\x02\x01\x00\x01\xff")[3] == "cloud.carried"
    assert taxi(0x8A00, bytes(132))[3] == "cloud.settings"


def test_a_recorders_collection_command_that_writes_is_a_write() -> None:
    def asked(body: bytes) -> str:
        (command,) = DETECTOR.commands(message(jt808(0x8700, body)))
        return command.rule

    assert asked(b"\x08") == "cloud.read"
    assert asked(b"\xc2") == "cloud.settings"


def test_the_telephone_that_listens_in_is_told() -> None:
    (command,) = DETECTOR.commands(message(jt808(0x8400, b"\x01+31201234567")))
    assert (command.rule, command.arguments["phone_number"].value) == ("cloud.watching", "+31201234567")
