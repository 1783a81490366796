"""`xinyin bench`: which benchmarks there are; what they measure is not judged by tests."""

import json
from pathlib import Path

from tests.admin.conftest import Xinyin

FOLDER = Path(__file__).parents[2] / "benchmarks"


def test_every_benchmark_is_listed_with_what_it_measures(xinyin: Xinyin) -> None:
    listed = xinyin("bench", "--list", "--json")

    rows = [json.loads(line) for line in listed.out.splitlines()]
    measuring = {file.stem for file in FOLDER.glob("*.py") if "\ndef rows()" in file.read_text(encoding="utf-8")}
    assert listed.code == 0
    assert {row["name"] for row in rows} == measuring
    assert all(row["about"].endswith(".") for row in rows)


def test_a_benchmark_that_there_is_not_is_refused_by_name(xinyin: Xinyin) -> None:
    refused = xinyin("bench", "--list", "sm9")

    assert refused.code != 0
    assert "no benchmark sm9" in refused.err
