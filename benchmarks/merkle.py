"""The audit log's Merkle tree: append, prove and verify at 100,000 leaves, against the bare hashes each needs."""

from collections.abc import Callable

from cryptography.hazmat.primitives.hashes import SM3 as PRIMITIVE
from cryptography.hazmat.primitives.hashes import Hash

from benchmarks.row import Contender, Row, cpu_microseconds
from crypto.digests import SM3
from crypto.merkle import Frontier, TreeHash, in_memory, prove_consistency, prove_inclusion, verify_inclusion

ROUNDS, TIMES = 40, 20
REACH = 0.5
SIZE, OLD, INDEX = 100_000, 65_537, 77_777
BATCH = 64
ENTRY = bytes(200)
_NODE = bytes(65)


def rows() -> list[dict[str, object]]:
    """Measure; about five seconds, half of them to grow the tree."""
    tree = TreeHash(SM3)
    leaves = [tree.leaf(number.to_bytes(4, "big")) for number in range(SIZE)]
    frontier = Frontier(tree).extend(leaves)
    root, subtrees = frontier.root(), in_memory(tree, leaves)
    proof = prove_inclusion(tree, subtrees, INDEX, SIZE)
    steps = prove_consistency(tree, subtrees, OLD, SIZE)

    def append() -> Frontier:
        grown = frontier
        for _ in range(BATCH):
            grown, _ = grown.append(tree.leaf(ENTRY))
        return grown

    def verify() -> bool:
        return verify_inclusion(tree, leaf=leaves[INDEX], index=INDEX, size=SIZE, root=root, proof=proof)

    assert verify()
    # In the long run each leaf completes one subtree; a proof has one hash for each level.
    works: tuple[tuple[str, Callable[[], object], int, int], ...] = (
        (f"append {BATCH} entries of 200 octets, one by one", append, BATCH, BATCH),
        ("prove inclusion", lambda: prove_inclusion(tree, subtrees, INDEX, SIZE), 0, len(proof)),
        ("prove consistency", lambda: prove_consistency(tree, subtrees, OLD, SIZE), 0, len(steps)),
        ("verify inclusion", verify, 0, len(proof)),
    )
    return [_row(*work).as_dict() for work in works]


def _row(work: str, run: Callable[[], object], entries: int, nodes: int) -> Row:
    def bare() -> None:
        for octets, times in ((ENTRY, entries), (_NODE, nodes)):
            for _ in range(times):
                running = Hash(PRIMITIVE())
                running.update(octets)
                running.finalize()

    ours, theirs = cpu_microseconds((Contender(run=run, times=TIMES), Contender(run=bare, times=TIMES)), rounds=ROUNDS)
    peer = f"{entries + nodes} bare SM3"
    return Row(work=work, unit="µs CPU", ours=ours, peer=peer, theirs=theirs, reach=REACH)
