"""Sealing one PDF of 63 kB through the HTTP API of a served process, at half of what that process can do."""

import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, perf_counter, sleep

import httpx2

from admin import devworld
from benchmarks.batch import licences
from benchmarks.pdf import padded
from benchmarks.row import Row, Spread
from kernel.clock import SystemClock

BOUND_MS = 60.0
"""What the slowest of a hundred may take."""
_SIZE = 63 * 1024
_ALONE, _SENT = 60, 400
_PATIENCE = 30.0
_PORT = 8471
_FORMATS = ("pdf-pades-p256", "pdf-pades-sm2")


def rows() -> list[dict[str, object]]:
    """Measure; each row's unit is the time a caller waits."""
    warnings.simplefilter("ignore")
    (small,) = licences(1)
    document = padded(small, _SIZE - len(small))
    with tempfile.TemporaryDirectory(prefix="xinyin-bench-") as folder, _served(Path(folder)) as (url, world):
        return [row.as_dict() for each in _FORMATS for row in _measured(url, world, document, each)]


@contextmanager
def _served(folder: Path) -> Iterator[tuple[str, devworld.DevWorld]]:
    settings = devworld.settings_of(devworld.load(home=folder / "home", port=_PORT))
    world = devworld.make(settings, portal_url="http://127.0.0.1:8100", clock=SystemClock())
    command = [sys.executable, "-m", "admin", "dev", "--home", str(settings.home), "--port", str(_PORT)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet) as service:
        try:
            until = monotonic() + _PATIENCE
            while not _ready(settings.public_url):
                assert monotonic() < until, "the service did not start"
                sleep(0.2)
            yield settings.public_url, world
        finally:
            service.terminate()


def _ready(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/readyz", trust_env=False).is_success
    except httpx2.TransportError:
        return False


def _measured(url: str, world: devworld.DevWorld, document: bytes, format_name: str) -> list[Row]:
    with httpx2.Client(base_url=url, trust_env=False, timeout=_PATIENCE) as client:
        asked = {"grant_type": "client_credentials"}
        told = client.post("/oauth2/token", data=asked, auth=(world.department_id, world.department_secret))
        headers = {"Authorization": f"Bearer {told.json()['access_token']}", "Content-Type": "application/pdf"}
        target = f"/api/seals/v1/seals/{world.seal}/sealings?format={format_name}"

        def seal(due: float) -> float:
            """Seal one; give the milliseconds from when it was due, so that waiting for others counts."""
            sleep(max(0.0, due - perf_counter()))
            answer = client.post(target, content=document, headers=headers)
            assert answer.status_code == 201, answer.text
            return (perf_counter() - due) * 1000

        for _ in range(5):
            seal(perf_counter())
        alone = Spread.of([seal(perf_counter()) for _ in range(_ALONE)])
        pause = 2 * alone.p50 / 1000
        with ThreadPoolExecutor(32) as callers:
            began = perf_counter() + 0.1
            waited = Spread.of(list(callers.map(seal, (began + number * pause for number in range(_SENT)))))
    work = f"{format_name}: one PDF of 63 kB, a call every {pause * 1000:.0f} ms"
    bound = Spread(p50=BOUND_MS, p99=None)
    slowest = Spread(p50=waited.p99 or waited.p50, p99=None)
    return [
        Row(work=f"{work}, the slowest of a hundred", unit="ms", ours=slowest, peer="bound", theirs=bound, reach=1.0),
        Row(work=work, unit="ms", ours=waited, peer="one call after another", theirs=alone),
    ]
