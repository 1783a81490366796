"""The sandbox: whatever a child does, the parent gets an answer or a plain no."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from seal.sandbox import Limits, Sandbox, SandboxBusy, SandboxFailed

SMALL = Limits(memory_bytes=512 * 1024**2, cpu_seconds=1, wall_seconds=60.0, answer_bytes=1024, children=2)
"""Of the bounds only that on time spent waiting is wide: a busy machine may be slow."""
Open = Callable[..., Sandbox]


@pytest.fixture
def sandbox() -> Iterator[Open]:
    """Open sandboxes whose jobs name the misbehaviour they want (sandbox_work.py)."""
    opened: list[Sandbox] = []

    def opening(limits: Limits = SMALL) -> Sandbox:
        opened.append(Sandbox("tests.seal.sandbox_work:make", b"setup", limits))
        return opened[-1]

    yield opening
    for one in opened:
        one.close()


def test_a_job_is_answered(sandbox: Open) -> None:
    assert sandbox().run(b"upper:hello") == b"HELLO"


def test_the_set_up_is_made_once_in_the_server(sandbox: Open) -> None:
    one = sandbox()
    assert one.run(b"setup:") == one.run(b"setup:") == b"setup"


def test_each_job_has_a_process_of_its_own_that_is_not_ours(sandbox: Open) -> None:
    one = sandbox()
    pids = {one.run(b"pid:") for _ in range(3)}
    assert len(pids) == 3
    assert str(os.getpid()).encode() not in pids


@pytest.mark.parametrize("job", [b"raise:", b"die:", b"memory:", b"spin:", b"long:", b"recurse:", b"write:"])
def test_a_child_that_breaks_or_exceeds_its_limits_costs_only_itself(sandbox: Open, job: bytes) -> None:
    one = sandbox()
    with pytest.raises(SandboxFailed):
        one.run(job)
    assert one.run(b"upper:still here") == b"STILL HERE"


def test_a_child_knows_nothing_of_our_environment(sandbox: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XINYIN_SECRET", "hunter2")
    assert b"hunter2" not in sandbox().run(b"environment:")


def test_a_server_that_died_is_started_again(sandbox: Open) -> None:
    one = sandbox()
    server = int(one.run(b"parent:"))
    os.kill(server, 9)
    assert one.run(b"upper:again") == b"AGAIN"
    assert int(one.run(b"parent:")) != server


def test_a_large_job_comes_through_whole(sandbox: Open) -> None:
    assert sandbox().run(b"count:" + bytes(5_000_000)) == b"5000000"


def test_more_jobs_than_places_wait_their_turn(sandbox: Open) -> None:
    one = sandbox()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: one.run(b"upper:job %d" % n), range(24)))
    assert answers == [b"JOB %d" % n for n in range(24)]


def test_a_child_that_sleeps_is_ended_in_time_and_who_finds_no_place_meanwhile_is_turned_away(sandbox: Open) -> None:
    one = sandbox(replace(SMALL, children=1, wall_seconds=2.0))
    one.run(b"upper:warm")
    refused: list[bool] = []

    def sleeping() -> None:
        try:
            one.run(b"sleep:")
        except SandboxFailed:
            refused.append(False)
        except SandboxBusy:
            refused.append(True)

    threads = [threading.Thread(target=sleeping) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert True in refused
    assert False in refused
    assert one.run(b"upper:still here") == b"STILL HERE"
