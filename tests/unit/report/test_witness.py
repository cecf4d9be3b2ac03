"""What counts as an acknowledgement, and what does not."""

from __future__ import annotations

import pytest

from busgate.report.witness import Cosigned, Noise, Refetch, Witnesses
from busgate.trust.note import Cosigner
from support.reporting import SOC_KEY, signer

TEXT = "example.org/log/bus-1/1\n5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
OTHER = TEXT.replace("\n5\n", "\n9\n")


def line(text: str, number: int = 2, name: str = "soc.example.org") -> bytes:
    return Cosigner(name, signer(number).key).line(text, 1_767_000_000).encode()


def offered(quorum: int = 1, *names: str) -> Witnesses:
    keys = [SOC_KEY.verifier, *(signer(3, name).verifier for name in names)]
    witnesses = Witnesses(keys, quorum, 0)
    witnesses.offered(5, TEXT)
    witnesses.offered(9, OTHER)
    return witnesses


def test_a_cosignature_over_an_offered_checkpoint_acknowledges_its_size() -> None:
    witnesses = offered()
    (answer,) = witnesses.answers(line(TEXT))
    assert isinstance(answer, Cosigned)
    assert (answer.size, answer.witness, witnesses.cosigned) == (5, "soc.example.org", 5)


def test_it_never_falls_back_to_an_older_one() -> None:
    witnesses = offered()
    witnesses.answers(line(OTHER))
    witnesses.answers(line(TEXT))
    assert witnesses.cosigned == 9


def test_a_quorum_of_two_waits_for_the_second() -> None:
    witnesses = offered(2, "abroad.example.net")
    witnesses.answers(line(OTHER))
    assert witnesses.cosigned == 0
    witnesses.answers(line(TEXT, 3, "abroad.example.net"))
    assert witnesses.cosigned == 5


def test_two_lines_in_one_answer_both_count() -> None:
    witnesses = offered(2, "abroad.example.net")
    answers = witnesses.answers(line(OTHER) + line(OTHER, 3, "abroad.example.net"))
    assert [type(answer) for answer in answers] == [Cosigned, Cosigned]
    assert witnesses.cosigned == 9


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (line(TEXT, 4), "no witness"),
        (line(TEXT, 2, "else.example.org"), "no witness"),
        (line(TEXT.replace("\n5\n", "\n6\n")), "fits no checkpoint"),
        (signer(2, "soc.example.org").line(TEXT).encode(), "no witness"),
        (b"\xff", "not text"),
        (b"", "no signature"),
        (b"409", "no signature"),
        (b"409 -1", "no signature"),
        (b"409 007", "no signature"),
        (b"409 " + b"9" * 30, "no signature"),
        (b"x" * 20_000, "20000 bytes"),
    ],
)
def test_anything_else_counts_for_nothing(payload: bytes, reason: str) -> None:
    witnesses = offered()
    (answer,) = witnesses.answers(payload)
    assert isinstance(answer, Noise)
    assert reason in answer.reason
    assert witnesses.cosigned == 0


@pytest.mark.parametrize(("payload", "size"), [(b"409 0", 0), (b"409 12\n", 12)])
def test_409_calls_for_entries_and_acknowledges_nothing(payload: bytes, size: int) -> None:
    witnesses = offered()
    assert witnesses.answers(payload) == (Refetch(size),)
    assert witnesses.cosigned == 0


def test_a_checkpoint_offered_long_ago_is_forgotten() -> None:
    witnesses = offered()
    for size in range(100, 140):
        witnesses.offered(size, f"{size}")
    (answer,) = witnesses.answers(line(TEXT))
    assert isinstance(answer, Noise)


def test_nobody_to_wait_for() -> None:
    witnesses = Witnesses([], 1, 7)
    assert not witnesses
    assert witnesses.cosigned == 0
