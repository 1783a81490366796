"""Judging sealed OFD documents against ofdrw in a warm JVM, though ofdrw checks less."""

import os
import time
from pathlib import Path

from benchmarks.row import Row, Spread
from seal.formats.ofd import verify_ofd
from seal.model import Verdict
from seal.trust import Trust
from tests.judges.ofd_picture import sealed_sample
from tests.judges.ofdrw import Ofdrw, absence, start

WARM_UP = 400
ROUNDS, RUNS = 15, 20
REACH = 3.0


def rows() -> list[dict[str, object]]:
    """Measure, about a minute a document; no rows where ofdrw is absent.

    The first document is ours; 999.ofd, five pages of another maker, is measured too where XINYIN_CORPUS has it.
    """
    if absence():
        return []
    peer = start()
    documents = {"our decision": sealed_sample()}
    foreign = Path(os.environ.get("XINYIN_CORPUS", "")) / "ofd/ofd/999.ofd"
    if foreign.is_file():
        documents["999.ofd"] = foreign.read_bytes()
    return [row.as_dict() for name, document in documents.items() for row in _measured(name, document, peer)]


def _measured(name: str, document: bytes, peer: Ofdrw) -> list[Row]:
    """Measure both in turn, ours on its one thread, ofdrw by its thread, by its whole process and by the clock.

    ofdrw unpacks the document into files for every reading: that time is its own.
    """
    peer.times(document, WARM_UP)
    _verify(document)
    cpu, wall = [], []
    their_cpu, their_wall, their_process = [], [], []
    for _ in range(ROUNDS):
        for _ in range(RUNS):
            clock, thread = time.perf_counter_ns(), time.thread_time_ns()
            _verify(document)
            cpu.append((time.thread_time_ns() - thread) / 1000)
            wall.append((time.perf_counter_ns() - clock) / 1000)
        walls, threads, process = peer.times(document, RUNS)
        their_wall += [each / 1000 for each in walls]
        their_cpu += [each / 1000 for each in threads]
        their_process.append(process / RUNS / 1000)
    what = f"read and judge {name}, {len(document) // 1000} kB"
    mine_cpu, mine_wall = Spread.of(cpu), Spread.of(wall)
    compared = [
        ("µs CPU", mine_cpu, "ofdrw 2.3.3, its thread", their_cpu, REACH),
        ("µs CPU", mine_cpu, "ofdrw 2.3.3, its process", their_process, None),
        ("µs wall", mine_wall, "ofdrw 2.3.3", their_wall, REACH),
    ]
    return [
        Row(work=what, unit=unit, ours=ours, peer=who, theirs=Spread.of(theirs), reach=reach)
        for unit, ours, who, theirs, reach in compared
    ]


def _verify(document: bytes) -> None:
    # Nobody is trusted here, so that every signature is checked and no chain is built; ofdrw builds none either.
    assert verify_ofd(document, Trust(anchors=())).verdict is Verdict.INDETERMINATE
