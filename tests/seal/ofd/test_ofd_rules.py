"""For every rule and every code it may give, a document that fails by that code alone."""

import pytest

from seal.formats.ofd import verify_ofd
from seal.formats.ofd.rules.table import EVERY_RULE
from seal.model import Verdict
from seal.wording import WORDING
from tests.sims.ofd_makers.maker import Names
from tests.sims.ofd_makers.table import MAKERS, WITHOUT
from tests.sims.ofd_workshop import Workshop, findings_of, worse_than_notes

ALWAYS = {"REVOCATION_NOT_OFFERED"}
"""What is noted of the workshop's documents even when nothing is wrong."""


def test_what_the_workshop_makes_is_valid_before_anything_is_broken(workshop: Workshop) -> None:
    for document in (workshop.document, workshop.resealed()):
        report = verify_ofd(document, workshop.bureau.trust)
        assert report.verdict is Verdict.VALID
        assert {finding.code for finding in findings_of(report)} == ALWAYS


@pytest.mark.parametrize("names", MAKERS, ids=" ".join)
def test_a_document_that_fails_one_rule_fails_no_other(workshop: Workshop, names: Names) -> None:
    _, code = names
    made = MAKERS[names](workshop)
    report = verify_ofd(made.document, made.trust, made.at)
    found = findings_of(report)
    (finding, *more) = [each for each in found if each.code == code and made.says in each.detail]
    assert not more or code in ALWAYS
    worse = made.beside if finding.verdict is Verdict.VALID else made.beside | {code}
    assert set(worse_than_notes(report)) == worse
    assert len(worse_than_notes(report)) == len(worse)
    assert made.beside or report.verdict is finding.verdict


def test_every_code_of_every_rule_has_a_document_that_fails_by_it() -> None:
    told = {(rule.name, code) for rule in EVERY_RULE for code in rule.codes}
    assert told == {*MAKERS, *WITHOUT}
    assert not {*MAKERS} & {*WITHOUT}


def test_rules_are_named_once_and_their_codes_have_words() -> None:
    assert len({rule.name for rule in EVERY_RULE}) == len(EVERY_RULE)
    assert {code for rule in EVERY_RULE for code in rule.codes} <= WORDING.keys()
