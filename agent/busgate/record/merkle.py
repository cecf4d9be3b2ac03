"""The Merkle tree over the log's entries, and the proofs that an outsider checks (RFC 6962, 2.1; RFC 9162, 2.1).

Law: hashes in, hashes out. A leaf is SHA-256(0x00 || entry), a node SHA-256(0x01 || left || right); nothing here knows
what an entry says. Verifying answers True or False for any input; only asking for a proof that cannot be is an error.

A subtree whose size is a power of two never changes once it is full: it is named (level, number), and every root and
proof is made of such nodes. `Tree` keeps those that span 256 leaves or more, and asks for the leaf hashes below them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

from busgate.model import BusgateError

Leaves = Callable[[int, int], Sequence[bytes]]
"""Gives `count` leaf hashes from the index `first` on: `leaves(first, count)`."""

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

_TILE = 8
"""Levels of a tile: 256 leaves (c2sp.org/tlog-tiles)."""


class ProofError(BusgateError):
    """A proof was asked for that the tree cannot give."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node above two others."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that grows by leaf hashes: appending costs O(1) on average, a root or a proof O(log n).

    `leaves` gives back the leaf hashes that were appended; a tree that is only appended to and asked for its root
    needs none.
    """

    def __init__(self, leaves: Leaves | None = None) -> None:
        self.size = 0
        self._leaves = leaves
        self._frontier: list[bytes] = []
        self._levels: list[list[bytes]] = []  # the full nodes of level 8, 9, ...

    def append(self, leaf: bytes) -> int:
        """Add a leaf hash; its index."""
        index = self.size
        node, level = leaf, 0
        while index >> level & 1:
            node = node_hash(self._frontier.pop(), node)
            level += 1
            if level >= _TILE:
                self._keep(level, node)
        self._frontier.append(node)
        self.size += 1
        return index

    def root(self, size: int | None = None) -> bytes:
        """The root now, or when the tree had `size` leaves."""
        if size is None or size == self.size:
            return _folded(self._frontier)
        self._check(0 <= size <= self.size, f"the tree has {self.size} leaves, not {size}")
        return _folded([self.node(level, number) for level, number in _cover(0, size)])

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """The proof that leaf `index` is in the tree of `size` leaves (RFC 9162, 2.1.3.1)."""
        self._check(0 <= index < size <= self.size, f"no tree of {size} leaves here has a leaf {index}")
        return tuple(self._range(low, high) for low, high in _path(index, size))

    def consistency(self, old: int, size: int) -> tuple[bytes, ...]:
        """The proof that the tree of `size` leaves begins with the one of `old` (RFC 9162, 2.1.4.1)."""
        self._check(0 <= old <= size <= self.size, f"the tree has {self.size} leaves: no proof from {old} to {size}")
        return tuple(self._range(low, high) for low, high in _subproof(old, size))

    def node(self, level: int, number: int) -> bytes:
        """The full node that spans the leaves from `number << level` to `number + 1 << level`."""
        if level >= _TILE:
            return self._levels[level - _TILE][number]
        if self._leaves is None:
            raise ProofError("this tree keeps no leaves. Next: make it with a reader of leaf hashes")
        row = list(self._leaves(number << level, 1 << level))
        self._check(len(row) == 1 << level, f"leaf hashes from {number << level} on are missing")
        while len(row) > 1:
            row = [node_hash(row[i], row[i + 1]) for i in range(0, len(row), 2)]
        return row[0]

    def _keep(self, level: int, node: bytes) -> None:
        if len(self._levels) <= level - _TILE:
            self._levels.append([])
        self._levels[level - _TILE].append(node)

    def _range(self, low: int, high: int) -> bytes:
        return _folded([self.node(level, number) for level, number in _cover(low, high)])

    @staticmethod
    def _check(possible: bool, otherwise: str) -> None:
        if not possible:
            raise ProofError(otherwise)


def tree_of(leaf_hashes: Iterable[bytes]) -> Tree:
    """A tree over leaf hashes held in memory."""
    hashes = list(leaf_hashes)
    tree = Tree(lambda first, count: hashes[first : first + count])
    for leaf in hashes:
        tree.append(leaf)
    return tree


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows that `leaf` is at `index` in the tree of `size` leaves (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or any(len(part) != HASH_SIZE for part in (leaf, root, *proof)):
        return False
    number, last, computed = index, size - 1, leaf
    for part in proof:
        if last == 0:
            return False
        if number & 1 or number == last:
            computed = node_hash(part, computed)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            computed = node_hash(computed, part)
        number, last = number >> 1, last >> 1
    return last == 0 and computed == root


def verify_consistency(old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree of `size` begins with the one of `old` leaves (RFC 9162, 2.1.4.2).

    Nothing is the beginning of everything: from size 0 the proof is empty (tlog-witness, add-checkpoint).
    """
    if not 0 <= old <= size or any(len(part) != HASH_SIZE for part in (old_root, root, *proof)):
        return False
    if old == size:
        return not proof and old_root == root and (size > 0 or root == EMPTY_ROOT)
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    # An old tree that is full is itself a node, and left out of the proof.
    parts = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    return bool(parts) and _climbed(old - 1, size - 1, parts) == (old_root, root)


def _climbed(number: int, last: int, parts: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """The old and the new root that a consistency proof leads to (RFC 9162, 2.1.4.2, steps 3-6)."""
    while number & 1:
        number, last = number >> 1, last >> 1
    first = second = parts[0]
    for part in parts[1:]:
        if last == 0:
            return None
        if number & 1 or number == last:
            first, second = node_hash(part, first), node_hash(part, second)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            second = node_hash(second, part)
        number, last = number >> 1, last >> 1
    return (first, second) if last == 0 else None


def _folded(nodes: Sequence[bytes]) -> bytes:
    """The root above full nodes that stand side by side, the largest first."""
    if not nodes:
        return EMPTY_ROOT
    *rest, root = nodes
    for node in reversed(rest):
        root = node_hash(node, root)
    return root


def _cover(low: int, high: int) -> list[tuple[int, int]]:
    """The full nodes (level, number) that span the leaves low..high of a range that RFC 6962's recursion meets."""
    nodes = []
    while low < high:
        level = (high - low).bit_length() - 1
        nodes.append((level, low >> level))
        low += 1 << level
    return nodes


def _split(low: int, high: int) -> int:
    """Where the left subtree of a range ends: after the largest power of two below its size (RFC 6962, 2.1)."""
    return low + (1 << (high - low - 1).bit_length() - 1)


def _path(index: int, size: int) -> list[tuple[int, int]]:
    """The ranges whose hashes make an inclusion proof, from the leaf's sibling up (RFC 9162, 2.1.3.1: PATH)."""
    low, high = 0, size
    ranges = []
    while high - low > 1:
        middle = _split(low, high)
        if index < middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    return ranges[::-1]


def _subproof(old: int, size: int) -> list[tuple[int, int]]:
    """The ranges whose hashes make a consistency proof (RFC 9162, 2.1.4.1: SUBPROOF)."""
    if old in (0, size):
        return []
    low, high = 0, size
    ranges = []
    while old < high:
        middle = _split(low, high)
        if old <= middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    # Here the range ends where the old tree ends; the verifier knows its hash already if it is the whole old tree.
    if low > 0:
        ranges.append((low, high))
    return ranges[::-1]
