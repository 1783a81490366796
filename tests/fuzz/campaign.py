"""A campaign: inputs by number, each under limits, in processes of their own; what fails is kept, made small."""

import hashlib
import multiprocessing
import os
import resource
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from random import Random
from time import monotonic, process_time
from types import FrameType
from typing import Any

from tests.fuzz.mutators import mutated
from tests.fuzz.target import Target

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".cache" / "fuzz"
MIB = 1024 * 1024
ADDRESS_SPACE = 2 * 1024 * MIB
"""What a worker's address space may grow by."""
DIED = "the process died"
_SILENT_SECONDS = 300
"""How long a worker may say nothing before it is ended."""
_REPORT_EVERY = 0.5
_MOST_FAULTS = 20
"""Faults of one kind that a worker tells of; the rest are counted."""
_TRIALS = 3000


class TooSlow(BaseException):
    """The input took longer than it may. Not an Exception: no reader may take it for one of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An input that was answered by something other than a coded refusal."""

    target: str
    number: int
    what: str
    """Exception and place; faults with the same are one."""
    told: str


@dataclass(slots=True, kw_only=True)
class Tally:
    """What became of a target's inputs; seconds are CPU time."""

    accepted: int = 0
    refused: int = 0
    seconds: float = 0.0
    worst: float = 0.0
    worst_number: int = -1
    peak_mib: float = 0.0
    refusals: Counter[str] = field(default_factory=Counter)
    faults: dict[str, Fault] = field(default_factory=dict)
    faulty: int = 0

    @property
    def inputs(self) -> int:
        return self.accepted + self.refused + self.faulty

    def add(self, other: "Tally") -> None:
        self.accepted += other.accepted
        self.refused += other.refused
        self.seconds += other.seconds
        self.faulty += other.faulty
        self.refusals += other.refusals
        self.peak_mib = max(self.peak_mib, other.peak_mib)
        if other.worst > self.worst:
            self.worst, self.worst_number = other.worst, other.worst_number
        for what, fault in other.faults.items():
            self.faults.setdefault(what, fault)


def input_of(target: Target, seed: int, number: int) -> bytes:
    """Give input ``number``: the same for the same seed, seeds and code."""
    rng = Random(f"{seed}/{target.name}/{number}")  # noqa: S311 - the same in every run is what is wanted
    return mutated(rng, target.seeds, target.ways)


def judge(target: Target, data: bytes, *, seconds: float | None = None) -> tuple[str, str, str]:
    """Give ``accepted``, ``refused`` or ``fault``; then the refusal or what was at fault; then the whole story."""
    before = _peak_mib()
    try:
        with _alarm(seconds or target.seconds):
            read = target.read(data)
            target.check(read, data)
        outcome = ("accepted", "", "")
    except target.refusals as refusal:
        outcome = ("refused", type(refusal).__name__, "")
    except TooSlow:
        outcome = ("fault", "TooSlow", traceback.format_exc())
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        outcome = ("fault", f"{type(error).__name__} at {_place(error)}", traceback.format_exc())
    if outcome[0] != "fault" and _peak_mib() - before > target.megabytes:
        outcome = ("fault", "TooMuchMemory", f"the peak rose by {_peak_mib() - before:.0f} MiB")
    return outcome


def _place(error: BaseException) -> str:
    """Name the innermost line within the project that the error passed."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if str(ROOT) in frame.filename]
    last = frames[-1]
    return f"{Path(last.filename).relative_to(ROOT)}:{last.lineno}"


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise TooSlow after ``seconds`` of CPU time, not of wall time: other work on the machine is no fault."""

    def ring(_: int, __: FrameType | None) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run_inputs(
    target: Target,
    seed: int,
    numbers: range,
    *,
    report: Callable[[Tally, int], None] = lambda _, __: None,
    seconds: float | None = None,
) -> Tally:
    """Give every input of ``numbers`` to the target, here in this process."""
    tally = Tally()
    start, began = _peak_mib(), process_time()
    for number in numbers:
        data = input_of(target, seed, number)
        before = process_time()
        outcome, what, told = judge(target, data, seconds=seconds)
        spent = process_time() - before
        if spent > tally.worst:
            tally.worst, tally.worst_number = spent, number
        if outcome == "accepted":
            tally.accepted += 1
        elif outcome == "refused":
            tally.refused += 1
            tally.refusals[what] += 1
        else:
            tally.faulty += 1
            if len(tally.faults) < _MOST_FAULTS:
                tally.faults.setdefault(what, Fault(target=target.name, number=number, what=what, told=told))
        tally.seconds = process_time() - began
        report(tally, number)
    tally.peak_mib = _peak_mib() - start
    return tally


# --- many processes --------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Worker:
    target: Target
    process: multiprocessing.process.BaseProcess
    channel: Connection
    at: Any
    """The number it is at, in memory it shares with us: it outlives the process."""
    heard: float
    done: int = 0


def run_campaign(
    jobs: Sequence[tuple[Target, range]],
    *,
    seed: int,
    processes: int,
    progress: Callable[[Target, int], None],
    finished: Callable[[Target, Tally], None],
) -> None:
    """Give every job a process of its own, ``processes`` at a time; a worker that dies or hangs is a fault too."""
    waiting, working = list(jobs), dict[Connection, _Worker]()
    while waiting or working:
        while waiting and len(working) < processes:
            worker = _start(*waiting.pop(0), seed)
            working[worker.channel] = worker
        for channel in wait(list(working), timeout=1.0):
            worker = working[channel]  # type: ignore[index]
            tally = _hear(worker, progress)
            if tally is not None:
                worker.process.join()
                finished(worker.target, tally)
                del working[worker.channel]
        for worker in [each for each in working.values() if monotonic() - each.heard > _SILENT_SECONDS]:
            worker.process.kill()


def _start(target: Target, numbers: range, seed: int) -> _Worker:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    at = context.RawValue("q", numbers.start)
    process = context.Process(target=_work, args=(theirs, at, target, seed, numbers), daemon=False)
    process.start()
    theirs.close()
    return _Worker(target, process, ours, at, monotonic())


def _work(channel: Connection, at: Any, target: Target, seed: int, numbers: range) -> None:
    grown = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize() + ADDRESS_SPACE
    resource.setrlimit(resource.RLIMIT_AS, (grown, grown))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    told = monotonic()

    def report(tally: Tally, number: int) -> None:
        nonlocal told
        at.value = number + 1
        if monotonic() - told > _REPORT_EVERY:
            told = monotonic()
            channel.send(tally.inputs)

    channel.send(run_inputs(target, seed, numbers, report=report))


def _hear(worker: _Worker, progress: Callable[[Target, int], None]) -> Tally | None:
    """Take one message; the tally if it was the last, or if the worker died without one."""
    try:
        message = worker.channel.recv()
    except EOFError:
        worker.process.join()
        what = f"{DIED} ({worker.process.exitcode})"
        fault = Fault(target=worker.target.name, number=worker.at.value, what=what, told=what)
        return Tally(faulty=1, faults={what: fault})
    worker.heard = monotonic()
    done = message.inputs if isinstance(message, Tally) else int(message)
    progress(worker.target, done - worker.done)
    worker.done = done
    return message if isinstance(message, Tally) else None


# --- keeping what fails ----------------------------------------------------------------------------------------


def keep(target: Target, fault: Fault, seed: int, kept: Path = KEPT) -> Path:
    """Write the input of ``fault``, as small as it can be made, with the command that shows the fault again."""
    folder = kept / target.name
    folder.mkdir(parents=True, exist_ok=True)
    data = input_of(target, seed, fault.number)
    # What killed a process is not tried again in this one.
    if not fault.what.startswith(DIED) and judge(target, data)[1] == fault.what:
        data = smaller(data, lambda shorter: judge(target, shorter)[1] == fault.what)
    path = folder / f"{hashlib.sha256(fault.what.encode()).hexdigest()[:12]}.bin"
    path.write_bytes(data)
    command = f".venv/bin/python tests/fuzz/run.py --only {target.name} --file {os.path.relpath(path, ROOT)}"
    path.with_suffix(".txt").write_text(f"{command}\nseed {seed}, input {fault.number}\n\n{fault.told}", "utf-8")
    return path


def smaller(data: bytes, still: Callable[[bytes], bool]) -> bytes:
    """Take away what is not needed for ``still`` to hold, the largest parts first."""
    trials, size = 0, max(1, len(data) // 2)
    while size >= 1 and trials < _TRIALS:
        at = 0
        while at < len(data) and trials < _TRIALS:
            shorter = data[:at] + data[at + size :]
            trials += 1
            if still(shorter):
                data = shorter
            else:
                at += size
        size //= 2
    return data
