"""Merkle trees: the published vectors, and a definition that cannot be wrong because it is the RFC's own words."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import merkle
from crypto.errors import ProofUnavailable
from crypto.merkle import (
    SHA256_TREE,
    SM3_TREE,
    Frontier,
    Node,
    TreeHash,
    in_memory,
    prove_consistency,
    prove_inclusion,
    verify_consistency,
    verify_inclusion,
)

ENTRIES = [
    bytes.fromhex(entry)
    for entry in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
"""The entries of the certificate-transparency reference tests (RFC 6962)."""
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}


def leaves_of(tree: TreeHash, count: int) -> list[bytes]:
    return [tree.leaf(str(number).encode()) for number in range(count)]


def split(size: int) -> int:
    k = 1
    while k * 2 < size:
        k *= 2
    return k


def naive_root(tree: TreeHash, leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 9162 2.1.1."""
    if not leaves:
        return tree.digest.digest(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return tree.digest.digest(b"\x01", naive_root(tree, leaves[:k]), naive_root(tree, leaves[k:]))


def naive_path(tree: TreeHash, m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 9162 2.1.3.1."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*naive_path(tree, m, leaves[:k]), naive_root(tree, leaves[k:])]
    return [*naive_path(tree, m - k, leaves[k:]), naive_root(tree, leaves[:k])]


def naive_subproof(tree: TreeHash, m: int, leaves: Sequence[bytes], *, whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 9162 2.1.4.1."""
    if m == len(leaves):
        return [] if whole else [naive_root(tree, leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*naive_subproof(tree, m, leaves[:k], whole=whole), naive_root(tree, leaves[k:])]
    return [*naive_subproof(tree, m - k, leaves[k:], whole=False), naive_root(tree, leaves[:k])]


def test_the_roots_are_those_of_the_reference_tests() -> None:
    leaves = [SHA256_TREE.leaf(entry) for entry in ENTRIES]

    assert [merkle.root(SHA256_TREE, leaves[:size]).hex() for size in range(9)] == ROOTS


def test_the_proofs_are_those_of_the_reference_tests() -> None:
    leaves = [SHA256_TREE.leaf(entry) for entry in ENTRIES]
    nodes = in_memory(SHA256_TREE, leaves)

    for (index, size), path in INCLUSION.items():
        assert [step.hex() for step in prove_inclusion(SHA256_TREE, nodes, index, size)] == path
    for (old, new), path in CONSISTENCY.items():
        assert [step.hex() for step in prove_consistency(SHA256_TREE, nodes, old, new)] == path


@pytest.mark.skipif("sm3" not in hashlib.algorithms_available, reason="this Python's hashlib knows no SM3")
def test_the_sm3_tree_is_the_same_tree_over_sm3() -> None:
    def h(octets: bytes) -> bytes:
        return hashlib.new("sm3", octets).digest()

    left = h(b"\x01" + h(b"\x00a") + h(b"\x00b"))
    assert merkle.root(SM3_TREE, [SM3_TREE.leaf(entry) for entry in (b"a", b"b", b"c")]) == h(
        b"\x01" + left + h(b"\x00c")
    )


@pytest.mark.parametrize("tree", [SM3_TREE, SHA256_TREE], ids=lambda tree: tree.digest.name)
def test_every_proof_of_small_trees_is_the_definitions_and_holds(tree: TreeHash) -> None:
    leaves = leaves_of(tree, 20)
    nodes = in_memory(tree, leaves)
    roots = [naive_root(tree, leaves[:size]) for size in range(21)]

    for size in range(1, 21):
        for index in range(size):
            path = prove_inclusion(tree, nodes, index, size)
            assert list(path) == naive_path(tree, index, leaves[:size])
            assert verify_inclusion(tree, leaf=leaves[index], index=index, size=size, root=roots[size], proof=path)
    for new in range(21):
        for old in range(new + 1):
            path = prove_consistency(tree, nodes, old, new)
            if old:
                assert list(path) == naive_subproof(tree, old, leaves[:new], whole=True)
            assert verify_consistency(tree, old=old, old_root=roots[old], new=new, new_root=roots[new], proof=path)


@given(st.integers(0, 300), st.integers(0, 300))
def test_a_frontier_grown_in_two_steps_has_the_root_of_the_definition(first: int, more: int) -> None:
    leaves = leaves_of(SM3_TREE, first + more)
    frontier = Frontier(SM3_TREE).extend(leaves[:first])
    kept = Frontier(SM3_TREE, frontier.size, frontier.peaks).extend(leaves[first:])

    assert kept.root() == naive_root(SM3_TREE, leaves)
    assert len(kept.peaks) == (first + more).bit_count()


def test_an_append_tells_which_subtrees_are_now_full() -> None:
    leaves = leaves_of(SM3_TREE, 4)
    frontier = Frontier(SM3_TREE).extend(leaves[:3])
    grown, nodes = frontier.append(leaves[3])

    assert [(node.level, node.position) for node in nodes] == [(0, 3), (1, 1), (2, 0)]
    assert nodes[-1] == Node(2, 0, grown.root())
    assert frontier.size == 3


@given(st.data())
def test_a_proof_holds_for_nothing_else(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 70))
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(SM3_TREE, size)
    whole = naive_root(SM3_TREE, leaves)
    proof = list(prove_inclusion(SM3_TREE, in_memory(SM3_TREE, leaves), index, size))

    def holds(proof: Sequence[bytes], leaf: bytes = leaves[index], at: int = index, root: bytes = whole) -> bool:
        return verify_inclusion(SM3_TREE, leaf=leaf, index=at, size=size, root=root, proof=proof)

    assert holds(proof)
    at = data.draw(st.integers(0, len(proof) - 1))
    bit = data.draw(st.integers(0, 255))
    flipped = bytearray(proof[at])
    flipped[bit // 8] ^= 1 << bit % 8
    other = data.draw(st.integers(-1, size).filter(lambda number: number != index))
    assert not holds([*proof[:at], bytes(flipped), *proof[at + 1 :]])
    assert not holds(proof[:at] + proof[at + 1 :])
    assert not holds([*proof, proof[at]])
    assert not holds([*proof[:at], proof[at][:-1], *proof[at + 1 :]])
    assert not holds(proof, at=other)
    assert not holds(proof, leaf=leaves[index - 1])
    assert not holds(proof, root=SM3_TREE.empty())


@given(st.data())
def test_a_log_that_lost_or_changed_a_leaf_cannot_prove_consistency(data: st.DataObject) -> None:
    new = data.draw(st.integers(2, 70))
    old = data.draw(st.integers(1, new - 1))
    changed = data.draw(st.integers(0, old - 1))
    honest = leaves_of(SM3_TREE, new)
    forged = [*honest[:changed], SM3_TREE.leaf(b"forged"), *honest[changed + 1 :]]
    proof = prove_consistency(SM3_TREE, in_memory(SM3_TREE, forged), old, new)

    assert not verify_consistency(
        SM3_TREE,
        old=old,
        old_root=merkle.root(SM3_TREE, honest[:old]),
        new=new,
        new_root=merkle.root(SM3_TREE, forged),
        proof=proof,
    )


@given(
    st.integers(-2, 1 << 70),
    st.integers(-2, 1 << 70),
    st.lists(st.binary(max_size=33) | st.just(bytes(32)), max_size=70),
)
def test_rubbish_proves_nothing(first: int, second: int, proof: list[bytes]) -> None:
    rubbish = bytes(32)
    assert not verify_inclusion(SM3_TREE, leaf=rubbish, index=first, size=second, root=b"\x01" * 32, proof=proof)
    assert not verify_consistency(SM3_TREE, old=first, old_root=rubbish, new=second, new_root=b"\x01" * 32, proof=proof)


def test_an_empty_log_is_the_beginning_of_every_log_and_of_no_other_root() -> None:
    some = merkle.root(SM3_TREE, leaves_of(SM3_TREE, 3))

    assert verify_consistency(SM3_TREE, old=0, old_root=SM3_TREE.empty(), new=3, new_root=some, proof=())
    assert not verify_consistency(SM3_TREE, old=0, old_root=some, new=3, new_root=some, proof=())
    assert not verify_consistency(SM3_TREE, old=3, old_root=some, new=3, new_root=SM3_TREE.empty(), proof=())
    assert not verify_consistency(SM3_TREE, old=1, old_root=some, new=3, new_root=some, proof=())


def test_what_the_tree_does_not_have_cannot_be_proved() -> None:
    nodes = in_memory(SM3_TREE, leaves_of(SM3_TREE, 3))
    for index, size in ((3, 3), (-1, 3), (0, 0), (0, 4)):
        with pytest.raises(ProofUnavailable):
            prove_inclusion(SM3_TREE, nodes, index, size)
    for old, new in ((4, 3), (-1, 3), (3, 9)):
        with pytest.raises(ProofUnavailable):
            prove_consistency(SM3_TREE, nodes, old, new)
    with pytest.raises(ProofUnavailable):
        Frontier(SM3_TREE, 3, (bytes(32),))


def test_a_proof_in_a_tree_of_a_thousand_million_leaves_asks_for_few_nodes() -> None:
    asked: list[tuple[int, int]] = []

    def subtree(level: int, index: int) -> bytes:
        asked.append((level, index))
        return SM3_TREE.digest.digest(f"{level}/{index}".encode())

    assert len(prove_inclusion(SM3_TREE, subtree, 123_456_789, 999_999_999)) == 30
    assert len(asked) < 60
