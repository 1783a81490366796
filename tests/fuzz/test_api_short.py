"""Whatever follows from the API's own description is answered as that description promises."""

from pathlib import Path

import pytest

pytest.importorskip("schemathesis", reason="cases from the description need schemathesis")

from tests.fuzz.api_cases import run
from tests.fuzz.api_world import served


@pytest.mark.filterwarnings("ignore")
def test_the_whole_api_answers_as_it_says(tmp_path: Path) -> None:
    with served(tmp_path) as world:
        outcome = run(world, examples=1, seed=1, phases=("fuzzing",), real=1.0)
    assert outcome.failures == {}
    assert outcome.statuses.keys() & {500} == set()
    assert len(outcome.reached) == sum(map(len, world.description["paths"].values()))
    assert outcome.cases > len(outcome.reached)
    assert sum(times > 0 for times in outcome.reached.values()) > len(outcome.reached) / 3
