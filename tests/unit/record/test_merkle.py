from __future__ import annotations

from typing import Any

import pytest

from busgate.record.merkle import (
    EMPTY_ROOT,
    ProofError,
    Tree,
    leaf_hash,
    node_hash,
    tree_of,
    verify_consistency,
    verify_inclusion,
)
from support.logs import VECTORS

MERKLE = VECTORS["merkle"]
LEAVES = [leaf_hash(bytes.fromhex(leaf)) for leaf in MERKLE["leaves"]]
ROOTS = [EMPTY_ROOT, *(bytes.fromhex(root) for root in MERKLE["roots"])]
MANY = [leaf_hash(b"%d" % number) for number in range(1100)]


def _proof(vector: dict[str, Any]) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(part) for part in vector["proof"])


def _root(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY_ROOT
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(_root(leaves[:k]), _root(leaves[k:]))


def test_the_empty_root_is_the_hash_of_nothing() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert Tree().root() == EMPTY_ROOT


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_public_vectors(size: int) -> None:
    assert tree_of(LEAVES[:size]).root() == ROOTS[size]
    assert tree_of(LEAVES).root(size) == ROOTS[size]


@pytest.mark.parametrize("vector", MERKLE["inclusion"])
def test_inclusion_proofs_are_those_of_the_public_vectors(vector: dict[str, Any]) -> None:
    index, size = vector["leaf"], vector["size"]
    assert tree_of(LEAVES).inclusion(index, size) == _proof(vector)
    assert verify_inclusion(LEAVES[index], index, size, _proof(vector), ROOTS[size])


@pytest.mark.parametrize("vector", MERKLE["consistency"])
def test_consistency_proofs_are_those_of_the_public_vectors(vector: dict[str, Any]) -> None:
    old, size = vector["old"], vector["size"]
    assert tree_of(LEAVES).consistency(old, size) == _proof(vector)
    assert verify_consistency(old, ROOTS[old], size, ROOTS[size], _proof(vector))


@pytest.mark.parametrize("size", [255, 256, 257, 511, 512, 513, 1000, 1024, 1100])
def test_a_tree_of_several_tiles_has_the_root_and_proofs_of_the_definition(size: int) -> None:
    tree = tree_of(MANY)
    root = _root(MANY[:size])
    assert tree.root(size) == root
    for index in (0, 1, 254, size - 1, size // 2):
        assert verify_inclusion(MANY[index], index, size, tree.inclusion(index, size), root)
    for old in (0, 1, 3, 200, 255, size - 1, size):
        assert verify_consistency(old, _root(MANY[:old]), size, root, tree.consistency(old, size))


def test_a_large_tree_asks_only_for_the_leaves_of_a_tile() -> None:
    asked = []

    def leaves(first: int, count: int) -> list[bytes]:
        asked.append(count)
        return MANY[first : first + count]

    tree = Tree(leaves)
    for leaf in MANY:
        tree.append(leaf)
    tree.consistency(1000, 1100)
    tree.inclusion(5, 1100)
    assert max(asked) <= 128


def test_appending_says_the_index() -> None:
    tree = Tree()
    assert [tree.append(leaf) for leaf in LEAVES] == list(range(8))
    assert tree.root() == ROOTS[8]


@pytest.mark.parametrize(("old", "size"), [(-1, 4), (5, 4), (0, 9), (9, 9)])
def test_a_consistency_proof_that_cannot_be_is_an_error(old: int, size: int) -> None:
    with pytest.raises(ProofError):
        tree_of(LEAVES).consistency(old, size)


@pytest.mark.parametrize(("index", "size"), [(-1, 4), (4, 4), (0, 0), (8, 9)])
def test_an_inclusion_proof_that_cannot_be_is_an_error(index: int, size: int) -> None:
    with pytest.raises(ProofError):
        tree_of(LEAVES).inclusion(index, size)


@pytest.mark.parametrize("size", [-1, 9])
def test_a_root_of_a_size_that_never_was_is_an_error(size: int) -> None:
    with pytest.raises(ProofError):
        tree_of(LEAVES).root(size)


def test_a_tree_without_its_leaves_proves_nothing_and_says_so() -> None:
    tree = Tree()
    for leaf in LEAVES:
        tree.append(leaf)
    with pytest.raises(ProofError, match="keeps no leaves"):
        tree.inclusion(0, 8)
    short = Tree(lambda _first, _count: [])
    for leaf in LEAVES:
        short.append(leaf)
    with pytest.raises(ProofError, match="missing"):
        short.inclusion(0, 8)


def test_nothing_is_the_beginning_of_everything_by_an_empty_proof_only() -> None:
    assert verify_consistency(0, EMPTY_ROOT, 0, EMPTY_ROOT, ())
    assert verify_consistency(0, EMPTY_ROOT, 8, ROOTS[8], ())
    assert not verify_consistency(0, EMPTY_ROOT, 8, ROOTS[8], (ROOTS[1],))
    assert not verify_consistency(0, ROOTS[1], 8, ROOTS[8], ())
    assert not verify_consistency(0, EMPTY_ROOT, 0, ROOTS[1], ())
    assert not verify_consistency(0, ROOTS[1], 0, ROOTS[1], ())


def test_equal_sizes_need_equal_roots_and_an_empty_proof() -> None:
    assert verify_consistency(8, ROOTS[8], 8, ROOTS[8], ())
    assert not verify_consistency(8, ROOTS[7], 8, ROOTS[8], ())
    assert not verify_consistency(8, ROOTS[8], 8, ROOTS[8], (ROOTS[8],))


@pytest.mark.parametrize(("old", "size"), [(1, 8), (2, 8), (3, 7), (4, 7), (6, 7), (6, 8), (7, 8)])
def test_a_consistency_proof_holds_for_nothing_else(old: int, size: int) -> None:
    proof = list(tree_of(LEAVES).consistency(old, size))
    good = (old, ROOTS[old], size, ROOTS[size])
    assert verify_consistency(*good, proof)
    assert not verify_consistency(old - 1, ROOTS[old], size, ROOTS[size], proof)
    assert not verify_consistency(old + 1, ROOTS[old], size, ROOTS[size], proof)
    assert not verify_consistency(old, ROOTS[old], size * 2, ROOTS[size], proof)
    assert not verify_consistency(size, ROOTS[size], old, ROOTS[old], proof)
    assert not verify_consistency(old, ROOTS[size], size, ROOTS[old], proof)
    assert not verify_consistency(old, b"short", size, ROOTS[size], proof)
    assert not verify_consistency(old, ROOTS[old], size, b"short", proof)
    for wrong in ([], proof[:-1], [*proof, ROOTS[old]], [*proof, b""], [ROOTS[old], *proof], [ROOTS[size], *proof]):
        assert not verify_consistency(*good, wrong)
    for at in range(len(proof)):
        wrong = proof.copy()
        wrong[at] = bytes([wrong[at][0] ^ 16]) + wrong[at][1:]
        assert not verify_consistency(*good, wrong)


@pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 8), (5, 8), (2, 3), (6, 7), (1, 5), (4, 5)])
def test_an_inclusion_proof_holds_for_nothing_else(index: int, size: int) -> None:
    proof = list(tree_of(LEAVES).inclusion(index, size))
    leaf, root = LEAVES[index], ROOTS[size]
    assert verify_inclusion(leaf, index, size, proof, root)
    for other in (index - 1, index + 1, index ^ 2, size):
        assert not verify_inclusion(leaf, other, size, proof, root)
    assert not verify_inclusion(leaf, index, size * 2, proof, root)
    assert not verify_inclusion(leaf, index, size // 2, proof, root)
    assert not verify_inclusion(b"WrongLeaf", index, size, proof, root)
    assert not verify_inclusion(leaf, index, size, proof, EMPTY_ROOT)
    assert not verify_inclusion(leaf, index, size, proof, b"")
    for wrong in ([*proof, root], [*proof, b""], [root, *proof], [b"", *proof]):
        assert not verify_inclusion(leaf, index, size, wrong, root)
    for at in range(len(proof)):
        wrong = proof.copy()
        wrong[at] = bytes([wrong[at][0] ^ 8]) + wrong[at][1:]
        assert not verify_inclusion(leaf, index, size, wrong, root)
        assert not verify_inclusion(leaf, index, size, proof[:at] + proof[at + 1 :], root)
