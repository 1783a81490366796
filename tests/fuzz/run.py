"""The fuzzing campaign: ``.venv/bin/python tests/fuzz/run.py [--only NAME] [--inputs N] [--seed N] [--json]``."""

import argparse
import json
import sys
import warnings
from collections import defaultdict
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])
warnings.simplefilter("ignore")

from rich.console import Console  # noqa: E402 - the path comes first
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: E402
from rich.table import Table  # noqa: E402

from tests.fuzz.campaign import Tally, judge, keep, run_campaign  # noqa: E402
from tests.fuzz.table import find_corpus, targets  # noqa: E402
from tests.fuzz.target import Target  # noqa: E402

CHUNK = 10_000
"""Inputs a worker process lives for."""


def main() -> int:
    """Run the campaign, or one kept input again; 0 only if nothing failed."""
    options = _options()
    table = {target.name: target for target in targets(find_corpus())}
    chosen = [table[name] for name in options.only or table]
    if options.file is not None:
        return _again(chosen, options.file)
    numbers = {target.name: options.inputs or target.inputs for target in chosen}
    tallies: dict[str, Tally] = defaultdict(Tally)
    jobs = [
        (target, range(start, min(start + CHUNK, numbers[target.name])))
        for target in chosen
        for start in range(0, numbers[target.name], CHUNK)
    ]
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:24}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, auto_refresh=False) as bars:
        rows = {target.name: bars.add_task(target.name, total=numbers[target.name]) for target in chosen}

        def progress(target: Target, done: int) -> None:
            bars.update(rows[target.name], advance=done)
            bars.refresh()

        def finished(target: Target, tally: Tally) -> None:
            fresh = [fault for what, fault in tally.faults.items() if what not in tallies[target.name].faults]
            tallies[target.name].add(tally)
            if not console.is_terminal and tallies[target.name].inputs >= numbers[target.name]:
                console.print(json.dumps(_row(target.name, tallies[target.name])), soft_wrap=True)
            for fault in fresh:
                path = keep(target, fault, options.seed)
                console.print(f"[red]{target.name}: {fault.what}[/red], kept as {path}")

        run_campaign(jobs, seed=options.seed, processes=options.jobs, progress=progress, finished=finished)
    if options.json:
        sys.stdout.write(
            json.dumps({"seed": options.seed, "targets": [_row(*item) for item in tallies.items()]}) + "\n"
        )
    else:
        Console().print(_summary(tallies))
    return int(any(tally.faulty for tally in tallies.values()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="this target alone; may be repeated")
    parser.add_argument("--inputs", type=int, metavar="N", help="so many inputs a target instead of the table's")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another seed gives other inputs")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes at a time")
    parser.add_argument(
        "--file", type=Path, metavar="PATH", help="give this one file to the target and tell the answer"
    )
    parser.add_argument("--json", action="store_true", help="figures as one JSON object")
    return parser.parse_args()


def _again(chosen: list[Target], file: Path) -> int:
    outcome, what, told = "", "", ""
    for target in chosen:
        outcome, what, told = judge(target, file.read_bytes())
        sys.stdout.write(f"{target.name}: {outcome} {what}\n{told}")
    return int(outcome == "fault")


def _row(name: str, tally: Tally) -> dict[str, object]:
    return {
        "name": name,
        "inputs": tally.inputs,
        "refused": tally.refused,
        "accepted": tally.accepted,
        "faults": sorted(tally.faults),
        "cpu_seconds": round(tally.seconds, 1),
        "worst_ms": round(tally.worst * 1000, 1),
        "worst_input": tally.worst_number,
        "peak_mib": round(tally.peak_mib, 1),
    }


def _summary(tallies: dict[str, Tally]) -> Table:
    heads = ("target", "inputs", "refused", "accepted", "CPU s", "worst ms", "peak MiB", "faults")
    table = Table(*heads, title="inputs given to every reader")
    for name, tally in tallies.items():
        figures = (tally.inputs, tally.refused, tally.accepted, f"{tally.seconds:.0f}", f"{tally.worst * 1000:.0f}")
        table.add_row(name, *map(str, figures), f"{tally.peak_mib:.0f}", str(len(tally.faults)))
    return table


if __name__ == "__main__":
    sys.exit(main())
