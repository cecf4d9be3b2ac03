"""The diagnostic server's answers, byte for byte, against the order of checks in ISO 14229-1:2013."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from busgate_sim.ecu.uds.flash import ADDRESS, Flash, image, version_of
from busgate_sim.ecu.uds.offers import Control, Data, Offers, Routine
from busgate_sim.ecu.uds.server import S3_NS, Server
from busgate_sim.ecu.uds.unlock import key_for
from busgate_sim.world import MILLISECOND, SECOND, World


class Unit:
    """One ECU that offers a little of everything, asked in hexadecimal."""

    def __init__(self, *, may_stop: bool = True) -> None:
        self.world = World()
        self.limit = b"\x00\x50"
        self.took: list[str] = []
        self.heard: list[tuple[str, bool]] = []
        self.offers = Offers(
            "ECU",
            data={0x0100: Data(lambda: self.limit, self._write), 0x0101: Data(lambda: b"\x07")},
            routines={0x0200: Routine(lambda: self._note("start"), lambda: self._note("stop"), 2 * SECOND)},
            controls={0x0300: Control(lambda state: self._note(f"take {state.hex()}"), self._release)},
            faults={0x010203: 0x09, 0x0A0B0C: 0x28},
            flash=Flash("1.0"),
            may_stop=lambda: may_stop,
            works=lambda works: self.heard.append(("works", works)),
            speaks=lambda speaks: self.heard.append(("speaks", speaks)),
        )
        self.server = Server(self.world, self.offers)

    def ask(self, request: str, *, to_all: bool = False, seconds: float = 0.03) -> list[str]:
        answers: list[str] = []
        self.server.ask(bytes.fromhex(request), lambda answer: answers.append(answer.hex()), to_all=to_all)
        self.world.run(self.world.now + round(seconds * SECOND))
        return answers

    def opened(self, session: str = "03") -> Unit:
        self.ask(f"10{session}")
        seed = bytes.fromhex(self.ask("2701")[0])[2:]
        assert self.ask("2702" + key_for("ECU", seed).hex()) == ["6702"]
        return self

    def _write(self, data: bytes) -> bool:
        if data > b"\x00\xff":
            return False
        self.limit = data
        return True

    def _note(self, what: str) -> bool:
        self.took.append(what)
        return True

    def _release(self) -> None:
        self.took.append("release")


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("1001", "5001003201f4"),
        ("10", "7f1013"),
        ("1000", "7f1012"),
        ("100300", "7f1013"),
        ("3e00", "7e00"),
        ("3e01", "7f3e12"),
        ("22", "7f2213"),
        ("2201", "7f2213"),
        ("220101", "62010107"),
        ("22010101000999", "620101070100" + "0050"),
        ("220999", "7f2231"),
        ("22f186", "62f18601"),
        ("2e01000001", "7f2e7f"),
        ("2701", "7f277f"),
        ("31010200", "7f317f"),
        ("1902ff", "59022f010203090a0b0c28"),
        ("190108", "59012f000002"),
        ("190120", "59012f000001"),
        ("190a", "590a2f010203090a0b0c28"),
        ("1999", "7f1912"),
        ("1902", "7f1913"),
        ("14ffffff", "54"),
        ("14ffff", "7f1413"),
        ("14777777", "7f1431"),
        ("ba00", "7fba11"),
        ("3400440008000000000010", "7f347f"),
    ],
)
def test_answers_in_the_default_session(request_: str, answer: str) -> None:
    assert Unit().ask(request_) == [answer]


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("2e01000001", "7f2e33"),
        ("2e0100", "7f2e13"),
        ("2e01010001", "7f2e31"),
        ("2f0300", "7f2f13"),
        ("2f03000301", "7f2f33"),
        ("2f0999033a", "7f2f31"),
        ("31010200", "7f3133"),
        ("31010999", "7f3131"),
        ("3101ff00", "7f3131"),
        ("2703", "7f2712"),
        ("270200000000", "7f2724"),
        ("2801", "7f2813"),
        ("280101", "6801"),
        ("280901", "7f2812"),
        ("280100", "7f2831"),
        ("8502", "c502"),
        ("8503", "7f8512"),
        ("3601", "7f367f"),
    ],
)
def test_answers_in_the_extended_session_while_locked(request_: str, answer: str) -> None:
    unit = Unit()
    unit.ask("1003")
    assert unit.ask(request_) == [answer]


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("2e01000001", "6e0100"),
        ("2e010001", "7f2e13"),
        ("2e0100ffff", "7f2e31"),
        ("2f03000301", "6f03000301"),
        ("2f030000", "6f030000"),
        ("2f03000001", "7f2f13"),
        ("2f030002", "7f2f31"),
        ("31020200", "7f3124"),
        ("31040200", "7f3112"),
        ("2701", "670100000000"),
    ],
)
def test_answers_once_unlocked(request_: str, answer: str) -> None:
    assert Unit().opened().ask(request_) == [answer]


def test_what_asks_for_no_answer_gets_none_but_a_refusal() -> None:
    unit = Unit()
    assert unit.ask("3e80") == []
    assert unit.ask("1083") == []
    assert unit.ask("22f186") == ["62f18603"]
    assert unit.ask("3e81") == ["7f3e12"]


def test_who_was_asked_among_all_keeps_to_itself_what_it_does_not_know() -> None:
    unit = Unit()
    for request in ("ba00", "3e05", "220999", "2701"):
        assert unit.ask(request, to_all=True) == []
    assert unit.ask("3e00", to_all=True) == ["7e00"]
    assert unit.ask("14ffff", to_all=True) == ["7f1413"]


def test_what_takes_long_is_announced_as_pending_also_where_no_answer_was_asked_for() -> None:
    unit = Unit().opened()
    assert unit.ask("31010200", seconds=1) == ["7f3178"]
    assert unit.ask("31030200", seconds=2) == ["7103020000"]
    assert unit.ask("31810200", seconds=3) == ["7f3178", "7101020000"]
    assert unit.took == ["start", "start"]


def test_the_session_ends_by_itself_and_lets_go_of_all_that_was_taken() -> None:
    unit = Unit().opened()
    unit.ask("2f03000301")
    unit.ask("280101")
    assert unit.heard[-1] == ("speaks", False)
    unit.world.run(unit.world.now + S3_NS)
    assert unit.took == ["take 01", "release"]
    assert unit.heard[-1] == ("speaks", True)
    assert unit.ask("22f186") == ["62f18601"]
    assert unit.ask("1003") != []
    assert unit.ask("2e01000001") == ["7f2e33"]


def test_programming_stops_the_program_and_a_reset_starts_it_again() -> None:
    unit = Unit()
    unit.ask("1002")
    assert unit.heard[-2:] == [("works", False), ("speaks", False)]
    assert unit.ask("1003") == ["7f107e"]
    assert unit.ask("1101") == ["5101"]
    assert unit.ask("3e00") == []
    unit.world.run(unit.world.now + SECOND)
    assert unit.heard[-2:] == [("works", True), ("speaks", True)]
    assert unit.ask("22f186") == ["62f18601"]


def test_an_ecu_that_may_not_stop_says_so() -> None:
    unit = Unit(may_stop=False)
    assert unit.ask("1101") == ["7f1122"]
    assert unit.ask("1002") == ["7f1022"]


def test_a_download_keeps_its_order() -> None:
    unit, program = Unit().opened("02"), image("2.0", 300)
    begin = "340044" + ADDRESS.to_bytes(4).hex() + (300).to_bytes(4).hex()
    assert unit.ask(begin) == ["7f3470"]
    assert unit.ask("3601aa") == ["7f3624"]
    assert unit.ask("37") == ["7f3724"]
    assert unit.ask("3101ff00", seconds=2) == ["7f3178", "7101ff0000"]
    assert unit.ask("340044") == ["7f3413"]
    assert unit.ask("340033" + "00" * 8) == ["7f3431"]
    assert unit.ask("340044" + "00" * 8) == ["7f3431"]
    assert unit.ask(begin) == ["74200102"]
    assert unit.ask("3602" + program[:200].hex()) == ["7f3673"]
    assert unit.ask("3601" + program[:200].hex()) == ["7601"]
    assert unit.ask("3601" + program[:200].hex()) == ["7601"]
    assert unit.ask("37") == ["7f3724"]
    assert unit.ask("3602" + program[:200].hex()) == ["7f3671"]
    assert unit.ask("3602" + program[200:].hex()) == ["7602"]
    assert unit.ask("3101ff01") == ["7101ff0101"]
    assert unit.ask("37") == ["77"]
    assert unit.ask("3101ff01") == ["7101ff0100"]
    assert unit.offers.flash is not None
    assert unit.offers.flash.version == "2.0"


def test_an_erased_ecu_stays_away_until_it_has_a_program() -> None:
    unit = Unit().opened("02")
    unit.ask("3101ff00", seconds=2)
    unit.ask("1101", seconds=1)
    assert ("works", True) not in unit.heard
    assert unit.ask("22f186") == ["62f18601"]


@pytest.mark.parametrize("spoil", [lambda p: p[:-1], lambda p: p[:30] + b"\x00" + p[31:], lambda _: b"", bytes.lower])
def test_a_spoilt_program_has_no_version(spoil: object) -> None:
    assert version_of(image("1.2.3")) == "1.2.3"
    assert version_of(spoil(image("1.2.3"))) is None  # type: ignore[operator]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=12), st.booleans()), max_size=30), st.booleans())
def test_no_requests_raise_and_every_answer_fits_its_request(asked: list[tuple[bytes, bool]], unlocked: bool) -> None:
    unit = Unit().opened() if unlocked else Unit()
    for request, to_all in asked:
        for answer in unit.ask(request.hex(), to_all=to_all, seconds=3 * MILLISECOND / 1e6):
            said = bytes.fromhex(answer)
            assert said[0] == request[0] | 0x40 or said[:2] == bytes([0x7F, request[0]])
