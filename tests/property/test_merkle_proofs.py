"""Proofs of every tree up to 70 leaves, and of random larger ones, against the RFC's own recursive definitions."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from busgate.record.merkle import EMPTY_ROOT, leaf_hash, node_hash, tree_of, verify_consistency, verify_inclusion

LEAVES = tuple(leaf_hash(b"%d" % number) for number in range(1300))
TREE = tree_of(LEAVES)


@cache
def _mth(low: int, high: int) -> bytes:
    if high - low < 2:
        return LEAVES[low] if high > low else EMPTY_ROOT
    k = _k(high - low)
    return node_hash(_mth(low, low + k), _mth(low + k, high))


def _k(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def _path(m: int, low: int, high: int) -> list[bytes]:
    """RFC 6962, 2.1.1."""
    n = high - low
    if n == 1:
        return []
    k = _k(n)
    if m < k:
        return [*_path(m, low, low + k), _mth(low + k, high)]
    return [*_path(m - k, low + k, high), _mth(low, low + k)]


def _subproof(m: int, low: int, high: int, *, known: bool) -> list[bytes]:
    """RFC 6962, 2.1.2."""
    n = high - low
    if m == n:
        return [] if known else [_mth(low, high)]
    k = _k(n)
    if m <= k:
        return [*_subproof(m, low, low + k, known=known), _mth(low + k, high)]
    return [*_subproof(m - k, low + k, high, known=False), _mth(low, low + k)]


@pytest.mark.parametrize("size", range(71))
def test_every_proof_of_a_small_tree_is_the_one_of_the_rfc_and_verifies(size: int) -> None:
    root = _mth(0, size)
    assert TREE.root(size) == root
    for index in range(size):
        proof = TREE.inclusion(index, size)
        assert list(proof) == _path(index, 0, size)
        assert verify_inclusion(LEAVES[index], index, size, proof, root)
    for old in range(size + 1):
        proof = TREE.consistency(old, size)
        assert list(proof) == (_subproof(old, 0, size, known=True) if old else [])
        assert verify_consistency(old, _mth(0, old), size, root, proof)


@given(st.data())
def test_random_proofs_of_large_trees_are_those_of_the_rfc(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(LEAVES)))
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    assert list(TREE.inclusion(index, size)) == _path(index, 0, size)
    assert list(TREE.consistency(old, size)) == _subproof(old, 0, size, known=True)


@settings(max_examples=300)
@given(
    st.integers(-2, 80), st.integers(-2, 80), st.lists(st.sampled_from(LEAVES[:4]) | st.binary(max_size=33), max_size=9)
)
def test_verifying_answers_for_any_input_and_never_yes_by_accident(a: int, b: int, proof: list[bytes]) -> None:
    root = TREE.root(b) if b >= 0 else EMPTY_ROOT
    leaf = LEAVES[max(a, 0)]
    genuine = 0 <= a < b and proof == list(TREE.inclusion(a, b))
    assert verify_inclusion(leaf, a, b, proof, root) == genuine
    old_root = TREE.root(a) if a >= 0 else EMPTY_ROOT
    genuine = 0 <= a <= b and proof == list(TREE.consistency(a, b))
    assert verify_consistency(a, old_root, b, root, proof) == genuine


@given(st.integers(2, 200), st.data())
def test_a_tree_with_another_past_is_never_consistent(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size - 1))
    changed = data.draw(st.integers(0, old - 1))
    other = list(LEAVES[:size])
    other[changed] = leaf_hash(b"forged")
    forged = tree_of(other)
    assert not verify_consistency(old, TREE.root(old), size, forged.root(), forged.consistency(old, size))
    assert not verify_consistency(old, TREE.root(old), size, forged.root(), TREE.consistency(old, size))
