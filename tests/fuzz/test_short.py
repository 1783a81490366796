"""Every reader of foreign octets refuses by a code what it does not accept, soon and at bounded cost."""

import pytest

from tests.fuzz.campaign import input_of, judge, run_inputs
from tests.fuzz.table import find_corpus, targets
from tests.fuzz.target import CRYPTO_INPUTS, Target

ROWS = [row for row in targets(find_corpus()) if not row.in_child]
SECONDS = 20.0
"""A hang, and nothing less, fails here: how fast the machine is, is the campaign's business."""


@pytest.fixture(params=ROWS, ids=lambda row: row.name)
def target(request: pytest.FixtureRequest) -> Target:
    row: Target = request.param
    return row


def test_a_reader_accepts_what_is_valid(target: Target) -> None:
    told = [judge(target, seed, seconds=SECONDS) for seed in target.seeds]
    assert {row[0] for row in told} == {"accepted"}, told


def test_a_reader_survives_what_is_not(target: Target) -> None:
    many = 400 if target.inputs == CRYPTO_INPUTS else 60
    tally = run_inputs(target, 0, range(many), seconds=SECONDS)
    assert {what: fault.told for what, fault in tally.faults.items()} == {}
    assert tally.inputs == many


def test_an_input_is_named_by_its_number(target: Target) -> None:
    assert [input_of(target, 7, number) for number in range(3)] == [input_of(target, 7, number) for number in range(3)]


def test_names_are_unlike() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
