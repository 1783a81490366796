"""Merkle trees of logs: roots, and proofs that a leaf is in and that nothing was taken out (RFC 9162 2.1).

Over SHA-256 as the RFC has it, or over SM3. A leaf stands in the tree by its hash; ``TreeHash.leaf`` makes it.
Verifying never raises: a proof that does not hold is an answer.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from crypto.digests import SHA256, SM3, DigestAlgorithm
from crypto.errors import ProofUnavailable

Subtrees: TypeAlias = Callable[[int, int], bytes]
"""Gives the hash of the full subtree ``position`` of 2^``level`` leaves: where they are kept is its own affair.

It refuses what the log does not have yet; the sizes that proofs are asked for are those of the log's checkpoints.
"""

MAX_SIZE: Final = 1 << 63
"""Leaves of a tree at most."""
_MAX_PROOF: Final = 64


@dataclass(frozen=True, slots=True)
class TreeHash:
    """The hash function of a tree, with leaves and nodes kept apart (RFC 9162 2.1.1)."""

    digest: DigestAlgorithm

    def empty(self) -> bytes:
        """Give the root of the tree without leaves."""
        return self.digest.digest()

    def leaf(self, entry: bytes) -> bytes:
        """Hash an entry of the log."""
        return self.digest.digest(b"\x00" + entry)

    def node(self, left: bytes, right: bytes) -> bytes:
        """Hash two subtrees."""
        return self.digest.digest(b"\x01" + left + right)


SM3_TREE: Final = TreeHash(SM3)
SHA256_TREE: Final = TreeHash(SHA256)


class Node(NamedTuple):
    """A full subtree that has come into being; it never changes again."""

    level: int
    position: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Frontier:
    """All a log must keep to grow: the full subtrees at its right edge, largest first; one for each bit of ``size``."""

    tree: TreeHash
    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if len(self.peaks) != self.size.bit_count() or any(len(peak) != self.tree.digest.size for peak in self.peaks):
            raise ProofUnavailable(f"a tree of {self.size} leaves has {self.size.bit_count()} peaks")

    def append(self, leaf: bytes) -> "tuple[Frontier, tuple[Node, ...]]":
        """Give the frontier with one more leaf, and every full subtree that this leaf completes."""
        nodes: list[Node] = []
        grown = self.extend((leaf,), nodes.append)
        return grown, tuple(nodes)

    def extend(self, leaves: Iterable[bytes], keep: Callable[[Node], object] | None = None) -> "Frontier":
        """Give the frontier with more leaves; ``keep`` receives every full subtree, in the order they come to be."""
        peaks, size, join = list(self.peaks), self.size, self.tree.node
        for leaf in leaves:
            node, level = leaf, 0
            if keep is not None:
                keep(Node(0, size, leaf))
            while size >> level & 1:
                node = join(peaks.pop(), node)
                level += 1
                if keep is not None:
                    keep(Node(level, size >> level, node))
            peaks.append(node)
            size += 1
        return Frontier(self.tree, size, tuple(peaks))

    def root(self) -> bytes:
        """Give the Merkle tree hash of all leaves so far."""
        if not self.peaks:
            return self.tree.empty()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = self.tree.node(peak, root)
        return root


def root(tree: TreeHash, leaves: Iterable[bytes]) -> bytes:
    """Give the Merkle tree hash over the hashes of all leaves."""
    return Frontier(tree).extend(leaves).root()


# --- proving ---------------------------------------------------------------------------------------------------


def prove_inclusion(tree: TreeHash, subtrees: Subtrees, index: int, size: int) -> tuple[bytes, ...]:
    """Prove that leaf ``index`` is in the tree of ``size`` leaves (RFC 9162 2.1.3.1)."""
    if not 0 <= index < size:
        raise ProofUnavailable(f"a tree of {size} leaves has no leaf {index}")
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_hash(tree, subtrees, middle, high))
            high = middle
        else:
            path.append(_hash(tree, subtrees, low, middle))
            low = middle
    return tuple(reversed(path))


def prove_consistency(tree: TreeHash, subtrees: Subtrees, old: int, new: int) -> tuple[bytes, ...]:
    """Prove that the tree of ``new`` leaves begins with the tree of ``old`` leaves (RFC 9162 2.1.4.1).

    Nothing needs proving where the trees are the same or the old one is empty; the proof is then empty.
    """
    if not 0 <= old <= new:
        raise ProofUnavailable(f"a tree of {new} leaves does not begin with {old}")
    if old in (0, new):
        return ()
    path: list[bytes] = []
    low, high = 0, new
    # Down to the subtree at whose end the old tree ends; ``low`` stays 0 while the old tree is that subtree's begin.
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            path.append(_hash(tree, subtrees, middle, high))
            high = middle
        else:
            path.append(_hash(tree, subtrees, low, middle))
            low = middle
    if low:  # else it is the old root itself, which the verifier has
        path.append(_hash(tree, subtrees, low, high))
    return tuple(reversed(path))


def in_memory(tree: TreeHash, leaves: Sequence[bytes]) -> Subtrees:
    """Keep the subtrees of ``leaves`` in memory: for small logs and tests."""
    kept: dict[tuple[int, int], bytes] = {}
    Frontier(tree).extend(leaves, lambda node: kept.__setitem__((node.level, node.position), node.hash))

    def subtree(level: int, index: int) -> bytes:
        try:
            return kept[level, index]
        except KeyError:
            raise ProofUnavailable(f"the log has no full subtree {index} of level {level}") from None

    return subtree


# --- verifying -------------------------------------------------------------------------------------------------


def verify_inclusion(  # noqa: PLR0913 - the proof, and the five things it ties together
    tree: TreeHash, *, leaf: bytes, index: int, size: int, root: bytes, proof: Sequence[bytes]
) -> bool:
    """Say whether ``proof`` shows ``leaf`` at ``index`` of the tree of ``size`` leaves with ``root`` (2.1.3.2)."""
    if not 0 <= index < size <= MAX_SIZE or not _sound(tree, (leaf, root, *proof)):
        return False
    fn, sn, found = index, size - 1, leaf
    for step in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            found = tree.node(step, found)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            found = tree.node(found, step)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and found == root


def verify_consistency(  # noqa: PLR0913 - the proof, and the two trees it ties together
    tree: TreeHash, *, old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Say whether ``proof`` shows that the new tree begins with the old one (RFC 9162 2.1.4.2)."""
    if not 0 <= old <= new <= MAX_SIZE or not _sound(tree, (old_root, new_root, *proof)):
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == tree.empty()
    steps = list(proof)
    if old & (old - 1) == 0:  # The old tree is one full subtree, which the proof leaves out.
        steps.insert(0, old_root)
    return bool(steps) and _fold(tree, old, new, steps) == (old_root, new_root)


def _fold(tree: TreeHash, old: int, new: int, steps: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Give the two roots that ``steps`` lead to; None if there are too many or too few of them."""
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            first, second = tree.node(step, first), tree.node(step, second)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = tree.node(second, step)
        fn, sn = fn >> 1, sn >> 1
    return (first, second) if sn == 0 else None


def _sound(tree: TreeHash, hashes: Sequence[bytes]) -> bool:
    return len(hashes) <= _MAX_PROOF + 2 and all(len(value) == tree.digest.size for value in hashes)


def _split(size: int) -> int:
    """Give the largest power of two below ``size``."""
    return 1 << (size - 1).bit_length() - 1


def _hash(tree: TreeHash, subtrees: Subtrees, low: int, high: int) -> bytes:
    """Hash the leaves from ``low`` to before ``high``; ``low`` is a multiple of the power of two that reaches them."""
    peaks: list[bytes] = []
    while low < high:
        level = (high - low).bit_length() - 1
        peaks.append(subtrees(level, low >> level))
        low += 1 << level
    found = peaks.pop()
    while peaks:
        found = tree.node(peaks.pop(), found)
    return found
