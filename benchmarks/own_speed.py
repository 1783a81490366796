"""How much of an SM2 library's own speed is left through its door, on one thread and on two."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Thread

from benchmarks.row import Row, Spread
from benchmarks.sm2 import engines_here
from crypto.engines import Sm2Engine, known_answer

ROUNDS = 9
SECONDS = 0.15
REACH = 0.8
_SOURCE = Path(__file__).parent / "c/sm2_speed.c"


def rows() -> list[dict[str, object]]:
    """Measure, about ten seconds an engine; no rows where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return []
    return [row.as_dict() for engine in engines_here() for row in _rows(engine, compiler)]


def _rows(engine: Sm2Engine, compiler: str) -> list[Row]:
    """Compare with a C program that makes the door's calls."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "sm2_speed"
        command = [compiler, "-O2", "-o", str(program), str(_SOURCE), "-ldl", "-lpthread"]
        subprocess.run(command, check=True, timeout=60)
        return [_row(engine, program, verb, threads) for threads in (1, 2) for verb in ("sign", "verify")]


def _row(engine: Sm2Engine, program: Path, verb: str, threads: int) -> Row:
    # One thread is judged by CPU time. Two must also really run at once, which only the wall clock tells.
    clock = 0 if threads > 1 else 1
    work = _work(engine, verb)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(1e6 / _rates(work, threads)[clock])
        theirs.append(1e6 / _own(engine, program, verb, threads)[clock])
    # Percentiles of rounds, not of single operations: the clock would cost too much of so short ones.
    return Row(
        work=f"SM2 {verb} a digest, {engine.name}, {threads} thread{'s' * (threads > 1)}",
        unit="µs wall" if threads > 1 else "µs CPU",
        ours=Spread.of(ours),
        peer=f"C over {engine.version}",
        theirs=Spread.of(theirs),
        reach=REACH,
    )


def _work(engine: Sm2Engine, verb: str) -> Callable[[], object]:
    scalar, e = known_answer.SCALAR, known_answer.DIGEST
    point, signature = known_answer.POINT, known_answer.SIGNATURE
    return (lambda: engine.sign(scalar, e)) if verb == "sign" else (lambda: engine.verify(point, e, signature))


def _rates(work: Callable[[], object], threads: int) -> tuple[float, float]:
    """Give operations a second by the wall clock and by CPU time, of all threads together."""
    counts = [0] * threads
    start = Barrier(threads + 1)

    def run(number: int) -> None:
        work()
        start.wait()
        end = time.perf_counter() + SECONDS
        count = 0
        while time.perf_counter() < end:
            work()
            count += 1
        counts[number] = count

    running = [Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    start.wait()
    began, spent = time.perf_counter(), time.process_time()
    for thread in running:
        thread.join()
    return sum(counts) / (time.perf_counter() - began), sum(counts) / (time.process_time() - spent)


def _own(engine: Sm2Engine, program: Path, verb: str, threads: int) -> tuple[float, float]:
    command = [str(program), engine.name, engine.library, verb, str(threads), str(SECONDS)]
    wall, cpu = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split()
    return float(wall), float(cpu)
