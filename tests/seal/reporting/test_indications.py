"""Indications: every finding has one, in keeping with its verdict."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from seal.formats.ofd.gbt35275 import _FINDINGS as PLAIN_FINDINGS
from seal.formats.pdf.findings import Code
from seal.model import Finding, Verdict
from seal.reporting.indications import PASSED, ROWS, Indication, Main, Remedy, Sub, gravest, indication, remedy
from seal.stamps import TOKEN_FINDINGS
from seal.wording import WORDING

PAGE = Path(__file__).resolve().parents[3] / "docs/verification.md"
MAINS = {
    Verdict.VALID: Main.PASSED,
    Verdict.UNSIGNED: Main.INDETERMINATE,
    Verdict.INDETERMINATE: Main.INDETERMINATE,
    Verdict.INVALID: Main.FAILED,
}
GRAVE = {"FORMAT_FAILURE", "HASH_FAILURE", "SIG_CRYPTO_FAILURE", "REVOKED"}


def given() -> Iterator[tuple[str, Verdict]]:
    """Every code with every verdict that it is known to come with: by the tables of the engines, and the page."""
    yield from ((code.name, code.value[0]) for code in Code)
    yield from TOKEN_FINDINGS.values()
    yield from PLAIN_FINDINGS.values()
    for code, verdict in re.findall(r"^\| `([A-Z_0-9]+)` \| (\w+) \|.*\|$", PAGE.read_text("utf-8"), re.MULTILINE):
        if code in WORDING:
            yield code, Verdict.VALID if verdict == "note" else Verdict(verdict)


def test_every_finding_has_one_indication_and_no_other_has() -> None:
    assert set(ROWS) == set(WORDING)


def test_a_row_is_as_grave_as_its_finding_ever_is() -> None:
    worst: dict[str, Verdict] = {}
    for code, verdict in given():
        worst[code] = max(worst.get(code, verdict), verdict, key=list(Verdict).index)
    assert set(worst) == set(WORDING)
    assert {code: ROWS[code].indication.main for code in worst} == {code: MAINS[worst[code]] for code in worst}


def test_only_what_passed_has_no_sub_indication() -> None:
    for row in ROWS.values():
        assert (row.indication.sub is None) == (row.indication.main is Main.PASSED)
        # ETSI EN 319 102-1 table 5: these never leave anything open.
        assert row.indication.sub not in GRAVE or row.indication.main is Main.FAILED


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_verdict_of_a_finding_decides_its_main_indication(verdict: Verdict) -> None:
    for code in (*WORDING, "NEVER_HEARD_OF"):
        found = indication(Finding(code=code, verdict=verdict))
        assert found.main is MAINS[verdict]
        assert (found.sub is None) == (verdict is Verdict.VALID)


def test_of_several_findings_the_gravest_is_told_in_any_order() -> None:
    found = [
        Finding(code="REVOCATION_UNKNOWN", verdict=Verdict.INDETERMINATE),
        Finding(code="SEAL_UNKNOWN", verdict=Verdict.VALID),
        Finding(code="SIGNATURE_INVALID", verdict=Verdict.INVALID),
        Finding(code="DATA_HASH_MISMATCH", verdict=Verdict.INVALID),
    ]
    for some in itertools.permutations(found):
        assert gravest(some) == Indication(main=Main.FAILED, sub=Sub.HASH_FAILURE)
    assert gravest(found[:2]) == Indication(main=Main.INDETERMINATE, sub=Sub.TRY_LATER)
    assert gravest(found[1:2]) == gravest(()) == PASSED


def test_every_finding_worse_than_a_note_has_a_remedy() -> None:
    for code, verdict in given():
        asked = remedy(Finding(code=code, verdict=verdict))
        assert verdict is Verdict.VALID or asked is not Remedy.NOTHING
        assert all(asked.value)
