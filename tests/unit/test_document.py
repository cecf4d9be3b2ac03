"""YAML documents: words stay words, errors name line and field."""

from __future__ import annotations

import pytest

from busgate.document import DocumentError, Strict, read


class Mark(Strict):
    true: tuple[int, ...] = ()
    false: tuple[int, ...] = ()
    word: str = ""


@pytest.mark.parametrize("text", ["true: [1]\nfalse: [0]", '"true": [1]\n"false": [0]', "True: [1]\nFALSE: [0]"])
def test_a_key_is_a_word_also_where_it_reads_like_a_truth(text: str) -> None:
    assert read(text, Mark, "x.yaml") == Mark(true=(1,), false=(0,))


def test_a_key_given_in_both_notations_is_given_twice() -> None:
    with pytest.raises(DocumentError, match=r"x.yaml:2: 'true' is given twice"):
        read('true: [1]\n"true": [2]', Mark, "x.yaml")


def test_a_value_with_an_anchor_may_be_used_again() -> None:
    assert read("true: &a [1]\nfalse: *a", Mark, "x.yaml") == Mark(true=(1,), false=(1,))


@pytest.mark.parametrize("word", ["on", "off", "yes", "no", "2026-11-23"])
def test_a_word_is_not_taken_for_a_truth_or_a_date(word: str) -> None:
    assert read(f"word: {word}", Mark, "x.yaml").word == word


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("word: x\nwrod: y", "x.yaml:2: wrod: there is no such field"),
        ("true: 1", "x.yaml:1: true: Input should be a valid tuple"),
        ("- a\n- b", "x.yaml: expected fields such as 'name: value', found list"),
        ("", "x.yaml: expected fields such as 'name: value', found NoneType"),
        ("word: [", "x.yaml:1: expected the node content"),
        ("word: &a [*a]", "x.yaml:1: an anchor or alias within what has an anchor"),
        ("word: &a [x]\ntrue: &b [*a]", "x.yaml:2: an anchor or alias within what has an anchor"),
        ("word: !!bool x", "x.yaml:1: a tag; write the value without it"),
        ("word: !!int ''", "x.yaml:1: a tag"),
        ("word: !!timestamp x", "x.yaml:1: a tag"),
        ("word: \0", "x.yaml: unacceptable character #x0000: special characters are not allowed"),
        ("? [a, b]\n: 1", "x.yaml:1: a key must be a plain word"),
        ("a: 1\n--- \nb: 2", "x.yaml:2: but found another document"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, told: str) -> None:
    with pytest.raises(DocumentError) as fault:
        read(text, Mark, "x.yaml")
    assert str(fault.value).startswith(told)
