"""Which response identifier answers which request identifier, learned from the traffic."""

from busgate.decode.uds_pairs import MOST_EVIDENCE, Pairs
from support.uds_dialogue import SECOND, reading

ALL = 0x7DF


def test_an_answer_is_paired_with_the_only_request_it_can_answer() -> None:
    pairs = Pairs[int]()
    pairs.request(0, 0x710, reading("1003"))
    pairs.request(0, 0x711, reading("22f190"))
    assert pairs.answer(1, 0x77A, reading("5003003201f4")) == 0x710
    assert pairs.answer(1, 0x77B, reading("62f190")) == 0x711


def test_a_learned_pair_answers_for_what_repeats_nothing_and_for_what_was_not_asked() -> None:
    pairs = Pairs[int]()
    pairs.request(0, 0x710, reading("1003"))
    pairs.answer(0, 0x77A, reading("5003003201f4"))
    pairs.request(1, 0x710, reading("3e00"))
    pairs.request(1, 0x711, reading("3e00"))
    assert pairs.answer(1, 0x77A, reading("7e00")) == 0x710
    assert pairs.answer(99 * SECOND, 0x77A, reading("54")) == 0x710


def test_an_answer_that_several_requests_could_have_caused_belongs_to_none() -> None:
    pairs = Pairs[int]()
    pairs.request(0, 0x710, reading("3e00"))
    pairs.request(0, 0x711, reading("3e00"))
    assert pairs.answer(1, 0x77A, reading("7e00")) is None
    pairs.request(2, 0x711, reading("22f190"))
    assert pairs.answer(3, 0x77B, reading("62f190")) == 0x711
    pairs.request(4, 0x711, reading("3e00"))
    assert pairs.answer(5, 0x77A, reading("7e00")) == 0x710


def test_echoes_of_sub_function_identifier_routine_and_block_tell_requests_apart() -> None:
    for one, other, answer in [
        ("1003", "1002", "5002003201f4"),
        ("22f190", "22f195", "62f19501"),
        ("2ef15a00", "2ef15b00", "6ef15b"),
        ("3101ff00", "3101ff01", "7101ff0100"),
        ("3101ff00", "3103ff00", "7103ff00"),
        ("3601aa", "3602aa", "7602"),
        ("1003", "22f190", "7f2231"),
    ]:
        pairs = Pairs[int]()
        pairs.request(0, 0x710, reading(one))
        pairs.request(0, 0x711, reading(other))
        assert pairs.answer(1, 0x77B, reading(answer)) == 0x711, answer


def test_an_unknown_ecu_that_answers_a_functional_request_is_named_by_it_and_not_learned() -> None:
    pairs = Pairs[int](functional=[ALL])
    pairs.request(0, ALL, reading("8582ffffff"))
    assert pairs.answer(1, 0x77D, reading("7f8578")) == ALL
    assert pairs.answer(2, 0x77D, reading("c502")) == ALL
    assert pairs.answer(2, 0x77E, reading("c502")) == ALL
    assert pairs.answer(60 * SECOND, 0x77D, reading("c502")) is None


def test_an_unknown_answer_to_a_functional_or_to_one_request_belongs_to_neither() -> None:
    pairs = Pairs[int](functional=[ALL])
    pairs.request(0, ALL, reading("3e00"))
    pairs.request(0, 0x710, reading("3e00"))
    assert pairs.answer(0, 0x77A, reading("7e00")) is None


def test_an_answer_to_a_functional_request_contradicts_no_pair() -> None:
    pairs = Pairs[int](functional=[ALL])
    pairs.request(0, 0x710, reading("22f190"))
    pairs.answer(0, 0x77A, reading("62f190"))
    pairs.request(1, ALL, reading("3e00"))
    for _ in range(3):
        pairs.request(1, 0x711, reading("3e00"))
        assert pairs.answer(1, 0x77A, reading("7e00")) == 0x710


def test_a_pair_seen_once_gives_way_to_the_first_contradiction() -> None:
    pairs = Pairs[int]()
    pairs.request(0, 0x710, reading("22f190"))
    pairs.answer(0, 0x77A, reading("62f190"))
    pairs.request(1, 0x711, reading("22f195"))
    assert pairs.answer(1, 0x77A, reading("62f195")) == 0x711


def test_a_known_ecu_is_named_by_its_own_identifier_even_in_a_functional_exchange() -> None:
    pairs = Pairs[int](functional=[ALL])
    pairs.request(0, 0x710, reading("1003"))
    pairs.answer(0, 0x77A, reading("5003003201f4"))
    pairs.request(1, ALL, reading("8502"))
    assert pairs.answer(1, 0x77A, reading("c502")) == 0x710


def test_a_declared_pair_wins_and_is_never_given_to_another() -> None:
    pairs = Pairs[int]({0x77A: 0x710})
    pairs.request(0, 0x711, reading("1003"))
    assert pairs.answer(0, 0x77A, reading("5003003201f4")) == 0x710
    pairs.request(0, 0x710, reading("22f190"))
    assert pairs.answer(0, 0x77B, reading("62f190")) is None


def test_an_answer_is_given_once_but_a_pending_one_is_waited_for() -> None:
    pairs = Pairs[int]()
    pairs.request(0, 0x710, reading("3101ff00"))
    assert pairs.answer(4 * SECOND, 0x77A, reading("7f3178")) == 0x710
    fresh = Pairs[int]()
    fresh.request(0, 0x710, reading("3101ff00"))
    assert fresh.answer(6 * SECOND, 0x77A, reading("7101ff00")) is None
    pairs.request(8 * SECOND, 0x711, reading("3101ff00"))
    assert pairs.answer(8 * SECOND, 0x77B, reading("7101ff00")) == 0x711
    assert pairs.answer(8 * SECOND, 0x77A, reading("7101ff00")) == 0x710


def test_an_answer_before_its_request_is_nobodys() -> None:
    pairs = Pairs[int]()
    pairs.request(5, 0x710, reading("1003"))
    assert pairs.answer(4, 0x77A, reading("5003003201f4")) is None
    assert pairs.answer(5, 0x710, reading("5003003201f4")) is None


def test_a_wrong_pair_is_unlearned_when_the_traffic_contradicts_it() -> None:
    pairs = Pairs[int]()
    pairs.request(0, 0x710, reading("22f190"))
    assert pairs.answer(0, 0x77A, reading("62f190")) == 0x710
    for round_ in range(MOST_EVIDENCE + 1):
        pairs.request(round_, 0x710, reading("1003"))
        pairs.answer(round_, 0x77A, reading("5003003201f4"))
    for _ in range(MOST_EVIDENCE - 1):
        pairs.request(100, 0x711, reading("22f190"))
        assert pairs.answer(100, 0x77A, reading("62f190")) == 0x710
    pairs.request(100, 0x711, reading("22f190"))
    assert pairs.answer(100, 0x77A, reading("62f190")) == 0x711


def test_memory_is_bounded_both_ways() -> None:
    pairs = Pairs[int](max_ids=3)
    for number in range(50):
        pairs.request(number, number, reading("22f190"))
        assert len(pairs._waiting) <= 3
    for number in range(50):
        pairs.request(100, number, reading("1003"))
        pairs.answer(100, 1000 + number, reading("5003003201f4"))
        assert len(pairs._learned) <= 3
