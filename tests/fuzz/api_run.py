"""Cases against the whole API: ``.venv/bin/python tests/fuzz/api_run.py [--examples N] [--seed N] [--only NAME]``."""

import argparse
import json
import logging
import sys
import tempfile
from pathlib import Path

import structlog

sys.path[0] = str(Path(__file__).resolve().parents[2])

from tests.fuzz.api_cases import Outcome, run  # noqa: E402 - the path comes first
from tests.fuzz.api_world import served  # noqa: E402

EXAMPLES = 100
"""Made-up cases an operation, beside those that follow from the description; over 5,000 with them."""


def main() -> int:
    """Run the cases; 0 only if every answer is what the description promises."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=EXAMPLES, metavar="N", help="made-up cases an operation")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another seed gives other cases")
    parser.add_argument("--only", metavar="OPERATION", help="this operationId alone")
    parser.add_argument("--json", action="store_true", help="figures as one JSON object")
    options = parser.parse_args()
    # Refusals are what is wanted; what the service has to say of a fault of its own stays.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as world:
        outcome = run(world, examples=options.examples, seed=options.seed, only=options.only)
    for what, told in sorted(outcome.failures.items()):
        sys.stderr.write(f"\n--- {what}\n{told}\n")
    figures = _figures(outcome)
    sys.stdout.write(json.dumps(figures) + "\n" if options.json else "".join(f"{k}: {v}\n" for k, v in figures.items()))
    return int(bool(outcome.failures) or outcome.statuses[500] > 0)


def _figures(outcome: Outcome) -> dict[str, object]:
    return {
        "cases": outcome.cases,
        "checks": outcome.checks,
        "operations": len(outcome.reached),
        "operations that did what they are for": sum(1 for times in outcome.reached.values() if times),
        "never reached": sorted(label for label, times in outcome.reached.items() if not times),
        "statuses": {str(status): times for status, times in sorted(outcome.statuses.items())},
        "failures": len(outcome.failures),
        "seconds": round(outcome.seconds, 1),
        "slowest answer, s": round(outcome.slowest, 2),
    }


if __name__ == "__main__":
    sys.exit(main())
