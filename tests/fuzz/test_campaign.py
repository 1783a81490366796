"""The campaign itself: it finds what it is there to find, and makes it small."""

from pathlib import Path

import pytest

from crypto.errors import CryptoError
from tests.fuzz.campaign import judge, keep, run_inputs, smaller
from tests.fuzz.mutators import PLAIN
from tests.fuzz.shapes import replaced, tlv
from tests.fuzz.target import Target

HOARD: list[bytes] = []


def reader(data: bytes) -> bytes:
    """Break in as many ways as readers do."""
    if b"refuse" in data:
        raise CryptoError("no")
    if b"break" in data:
        raise IndexError(len(data))
    if b"deep" in data:
        return reader(data)
    while b"hang" in data:
        pass
    if b"hoard" in data:
        HOARD.append(bytes(range(256)) * 4096 * 80)
        HOARD.clear()
    return data


def target(**changed: object) -> Target:
    fields: dict[str, object] = {"name": "reader", "seeds": [b"harmless"], "ways": PLAIN, "read": reader}
    return Target(**{**fields, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "outcome", "what"),
    [
        (b"harmless", "accepted", ""),
        (b"refuse", "refused", "CryptoError"),
        (b"break", "fault", "IndexError at tests/fuzz/test_campaign.py:"),
        (b"deep", "fault", "RecursionError at tests/fuzz/test_campaign.py:"),
        (b"hang", "fault", "TooSlow"),
    ],
)
def test_whatever_is_no_coded_refusal_is_a_fault(data: bytes, outcome: str, what: str) -> None:
    told = judge(target(seconds=0.2), data)
    assert told[0] == outcome
    assert told[1].startswith(what)


def test_what_takes_too_much_memory_is_a_fault() -> None:
    # The peak of this process only ever rises, and other tests may have raised it: so any peak is too much here.
    assert judge(target(megabytes=-1), b"hoard")[:2] == ("fault", "TooMuchMemory")


def test_what_was_accepted_and_should_not_have_been_is_a_fault() -> None:
    def check(_: object, data: bytes) -> None:
        assert data != b"forged"

    assert judge(target(check=check), b"forged")[0] == "fault"
    assert judge(target(check=check), b"genuine")[0] == "accepted"


def test_a_fault_is_kept_small_with_the_command_that_shows_it(tmp_path: Path) -> None:
    broken = target(seeds=[b"so much that does not matter, break, and yet more"], ways=PLAIN[:1])
    tally = run_inputs(broken, 5, range(20))
    (fault,) = tally.faults.values()
    path = keep(broken, fault, 5, tmp_path)
    assert path.read_bytes() == b"break"
    assert "--only reader --file" in path.with_suffix(".txt").read_text("utf-8")
    assert tally.inputs == 20 == tally.accepted + tally.refused + tally.faulty


def test_an_input_is_made_smaller_only_as_far_as_it_still_shows_the_fault() -> None:
    assert smaller(bytes(500) + b"ab" + bytes(300), lambda data: b"ab" in data) == b"ab"


def test_every_length_around_a_changed_value_fits() -> None:
    inner = tlv(0x02, b"\x01")
    whole = tlv(0x30, tlv(0x04, tlv(0x30, inner)) + inner)
    assert replaced(whole, 3, tlv(0x0C, b"x" * 200)) == tlv(0x30, tlv(0x04, tlv(0x30, tlv(0x0C, b"x" * 200))) + inner)
