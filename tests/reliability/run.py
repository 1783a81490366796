"""The reliability loops: ``.venv/bin/python tests/reliability/run.py [NAME…] [--seconds N] [--seed N] [--json]``."""

import argparse
import json
import logging
import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from time import monotonic

sys.path[0] = str(Path(__file__).resolve().parents[2])
warnings.simplefilter("ignore")

import structlog  # noqa: E402 - the path comes first
from rich.console import Console  # noqa: E402

from tests.reliability import (  # noqa: E402
    audit,
    authority,
    batches,
    failover,
    full,
    idempotency,
    licences,
    objects,
    sealing,
    stamps,
    triggers,
    vault,
)
from tests.reliability.databases import ENGINES  # noqa: E402
from tests.reliability.defects import DEFECTS  # noqa: E402

Loop = Callable[[Path, float, Random], Mapping[str, object]]
_WRONG = (timedelta(0), batches.HOUR, -batches.HOUR)


def _on(engine: str, loop: Callable[[str, Path, float, Random], Mapping[str, object]]) -> Loop:
    return partial(loop, engine)


EVERY = 2
"""Steps of a worker for each kill, in the large loops; one takes up to 32 documents in hand."""
LARGE = 10_000
"""Documents of the large loops: what a department sends on a busy day."""
_LARGE_BATCH = 250


def loops(documents: int = LARGE, every: int = EVERY) -> Mapping[str, Loop]:
    """Name every loop; ``documents`` is where the large ones end, if their time is not over before."""
    large = partial(batches.loop, documents=documents, batch=_LARGE_BATCH, every=every)
    return {
        "vault": vault.loop,
        "objects": objects.loop,
        "authority": authority.loop,
        **{f"audit-{engine}": _on(engine, audit.loop) for engine in ENGINES},
        **{f"sealing-{engine}": _on(engine, sealing.loop) for engine in ENGINES},
        **{f"batches-{engine}": _on(engine, batches.loop) for engine in ENGINES},
        **{f"large-batches-{engine}": _on(engine, large) for engine in ENGINES},
        **{f"clocks-{engine}": _on(engine, partial(batches.loop, shifts=_WRONG)) for engine in ENGINES},
        **{f"triggers-{engine}": _on(engine, triggers.loop) for engine in ENGINES},
        **{f"full-{engine}": _on(engine, full.loop) for engine in ENGINES},
        "failover": failover.loop,
        **{f"idempotency-{engine}": _on(engine, idempotency.loop) for engine in ENGINES},
        **{f"stamps-{engine}": _on(engine, stamps.loop) for engine in ENGINES},
        **{f"licences-{engine}": _on(engine, licences.loop) for engine in ENGINES},
    }


def main() -> int:
    """Run the loops one after another; 0 only if everything held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"of {', '.join(loops(LARGE))}; all but the large ones if none is given",
    )
    parser.add_argument("--seconds", type=float, default=60.0, metavar="N", help="how long each loop goes on")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="chooses the moments of the kills")
    parser.add_argument("--documents", type=int, default=LARGE, metavar="N", help="end of the large loops")
    parser.add_argument("--every", type=int, default=EVERY, metavar="N", help="their steps for each kill")
    parser.add_argument("--json", action="store_true", help="figures as one JSON object")
    parser.add_argument("--defect", choices=DEFECTS, help="put a defect in, to see that the loops find it")
    options = parser.parse_args()
    if options.defect:
        DEFECTS[options.defect]()
    known = loops(options.documents, options.every)
    unknown = set(options.names) - set(known)
    if unknown:
        parser.error(f"there is no loop {', '.join(sorted(unknown))}")
    # Here failing is what is asked for; each failure's traceback would take longer than the failure.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    console = Console(stderr=True)
    figures: dict[str, dict[str, object]] = {}
    for name in options.names or (each for each in known if not each.startswith("large")):
        began = monotonic()
        figures[name] = _run(known[name], options)
        told = ", ".join(f"{what} {value}" for what, value in figures[name].items())
        colour = "green" if figures[name]["held"] else "red"
        console.print(f"{name}: {told} ({monotonic() - began:.0f} s)", style=colour, markup=False)
    if options.json:
        sys.stdout.write(json.dumps(figures) + "\n")
    return int(not all(row["held"] for row in figures.values()))


def _run(loop: Loop, options: argparse.Namespace) -> dict[str, object]:
    """Run one loop in a folder of its own."""
    rng = Random(options.seed)  # noqa: S311 - the same in every run is what is wanted
    with tempfile.TemporaryDirectory(prefix="xinyin-reliability-", ignore_cleanup_errors=True) as folder:
        try:
            return {"held": True, **loop(Path(folder), options.seconds, rng)}
        except AssertionError as error:
            return {"held": False, "why": str(error)}


if __name__ == "__main__":
    sys.exit(main())
