"""Validation reports of whole documents: the page and the JSON say what the verdict says, and no more."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files
from typing import Any

import pytest
from lxml import html

from seal.levels import Level
from seal.model import Finding, Judgement, SignatureReport, Verdict
from seal.reporting import etsi_report, human_report, page_policy
from seal.reporting.indications import gravest
from seal.reporting.words import LEVELS, format_name
from seal.wire import decode_report, encode_report
from seal.wording import WORDING, wording
from tests.seal.trust.making import NOW

from .conftest import Town
from .schema import Misfit, judge

NAMES = ["sound pdf", "sound ofd", "forged pdf", "unknown pdf", "unknown ofd", "bare pdf", "broken pdf"]
SCHEMA = json.loads((files("seal") / "reporting/validation-report.schema.json").read_text("utf-8"))
MAIN = "urn:etsi:019102:mainindication:"
SUB = "urn:etsi:019102:subindication:"


def only(told: dict[str, Any]) -> Any:
    (signature,) = told["ValidationReport"]["SignatureValidationReport"]
    return signature


def tree(page: str) -> Any:
    return html.fromstring(page)


def text(page: str) -> str:
    return " ".join(tree(page).text_content().split())


# --- for programs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_json_fits_its_schema(judgements: dict[str, Judgement], name: str) -> None:
    judge(etsi_report(judgements[name]), SCHEMA)


SPOILT: dict[str, Callable[[Any], object]] = {
    "another indication": lambda told: only(told)["SignatureValidationStatus"].update(MainIndication=MAIN + "splendid"),
    "no time": lambda told: only(told).pop("ValidationTimeInfo"),
    "a wrong type": lambda told: told["Document"].update(Size="large"),
    "a member more": lambda told: told["Document"].update(More=1),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_the_schema_refuses_what_is_not_a_report(
    judgements: dict[str, Judgement], spoil: Callable[[Any], object]
) -> None:
    told = etsi_report(judgements["sound pdf"])
    spoil(told)
    with pytest.raises(Misfit):
        judge(told, SCHEMA)


@pytest.mark.parametrize(
    ("name", "main", "sub"),
    [
        ("sound pdf", "total-passed", None),
        ("sound ofd", "total-passed", None),
        ("forged pdf", "total-failed", "HASH_FAILURE"),
        ("unknown pdf", "indeterminate", "TRY_LATER"),
        ("unknown ofd", "indeterminate", "NO_CERTIFICATE_CHAIN_FOUND"),
    ],
)
def test_a_signature_has_the_indication_of_its_gravest_finding(
    judgements: dict[str, Judgement], name: str, main: str, sub: str | None
) -> None:
    status = only(etsi_report(judgements[name]))["SignatureValidationStatus"]
    assert status["MainIndication"] == MAIN + main
    assert status.get("SubIndication") == ([SUB + sub] if sub else None)


@pytest.mark.parametrize("code", sorted(WORDING))
def test_what_stands_against_the_file_stands_against_each_signature(
    judgements: dict[str, Judgement], code: str
) -> None:
    sound = judgements["sound pdf"]
    for verdict in (Verdict.UNSIGNED, Verdict.INDETERMINATE, Verdict.INVALID):
        found = Finding(code=code, verdict=verdict)
        told = etsi_report(replace(sound, report=replace(sound.report, findings=(found,))))
        status = only(told)["SignatureValidationStatus"]
        assert status["MainIndication"] == MAIN + gravest([found]).main != MAIN + "total-passed"


def test_a_document_without_signatures_has_no_report_of_any_and_says_why(judgements: dict[str, Judgement]) -> None:
    told: Any = etsi_report(judgements["bare pdf"])
    assert told["ValidationReport"]["SignatureValidationReport"] == []
    assert [each["Code"] for each in told["Document"]["Finding"]] == ["NO_SIGNATURE"]


def test_digests_and_values_are_those_of_the_document(town: Town, judgements: dict[str, Judgement]) -> None:
    told: Any = etsi_report(judgements["sound pdf"])
    file = told["ValidationReport"]["SignatureValidationObjects"]["ValidationObject"][0]
    sha256, _ = file["ValidationObjectRepresentation"]["DigestAlgAndValue"]
    assert base64.b64decode(sha256["DigestValue"]) == hashlib.sha256(town.pdf).digest()
    (ranges,) = re.findall(rb"/ByteRange ?\[([0-9 ]+)\]", town.pdf)
    _, before, after, _ = map(int, ranges.split())
    gap = (before, after)
    covered = hashlib.sha256(town.pdf[: gap[0]] + town.pdf[gap[1] :]).digest()
    signed = only(told)["SignersDocument"]["DigestAlgAndValue"]
    assert base64.b64decode(signed["DigestValue"]) == covered
    value = base64.b64decode(only(told)["SignatureIdentifier"]["SignatureValue"])
    assert value.hex() in town.pdf[gap[0] : gap[1]].decode().lower()


def test_a_claimed_time_is_no_proof_of_existence(judgements: dict[str, Judgement]) -> None:
    told = only(etsi_report(judgements["sound pdf"]))
    assert told["ValidationTimeInfo"]["BestSignatureTime"]["POETime"] == told["ValidationTimeInfo"]["ValidationTime"]
    assert told["SignatureAttributes"]["SigningTime"] == [{"Time": "2026-11-22T08:00:00Z"}]


def test_chain_and_revocation_facts_are_those_that_decided(judgements: dict[str, Judgement]) -> None:
    (signature,) = judgements["sound pdf"].report.signatures
    assert signature.evidence is not None
    (signer,) = signature.evidence.certificates
    assert [each.subject for each in signer.chain] == ["CN=签发者,O=某某市,C=CN", "CN=根,O=某某市,C=CN"]
    assert [(each.standing, each.source, each.issued) for each in signer.revocation] == [
        ("good", "crl", NOW - timedelta(hours=1))
    ] * 2
    assert signature.evidence.coverage is not None
    assert signature.evidence.coverage.whole
    (unknown,) = judgements["unknown pdf"].report.signatures
    assert unknown.evidence is not None
    assert [each.standing for each in unknown.evidence.certificates[0].revocation] == ["unknown", "good"]


@pytest.mark.parametrize("name", NAMES)
def test_evidence_comes_through_between_processes(judgements: dict[str, Judgement], name: str) -> None:
    report = judgements[name].report
    read = decode_report(encode_report(report))
    assert read == report
    assert [each.evidence for each in read.signatures] == [each.evidence for each in report.signatures]


# --- for people ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", NAMES)
def test_the_page_tells_every_finding_in_words_with_its_code(
    judgements: dict[str, Judgement], name: str, language: str
) -> None:
    judgement = judgements[name]
    shown = text(human_report(judgement, language))
    told = [*judgement.report.findings, *(each for one in judgement.report.signatures for each in one.findings)]
    for each in told:
        assert wording(each.code)[language == "en"] in shown
        assert each.code in shown
    assert judgement.file.sm3.hex() in shown
    assert judgement.file.sha256.hex() in shown


def test_the_page_is_honest_about_time_and_about_what_was_not_asked(judgements: dict[str, Judgement]) -> None:
    shown = text(human_report(judgements["unknown pdf"], "en"))
    assert "only claimed by the signer" in shown
    assert "Whether the certificate was revoked could not be found out." in shown
    assert "No register was asked" in shown
    assert "proved by a trusted time stamp" not in shown
    assert "What held" not in shown


def test_a_forged_document_shows_no_seal_and_says_so_first(judgements: dict[str, Judgement]) -> None:
    sound, forged = (human_report(judgements[name]) for name in ("sound ofd", "forged pdf"))
    assert "data:image/png" in sound
    assert "data:image/png" not in forged
    (heading,) = tree(forged).xpath("//h1")
    assert heading.text_content() == "签章无效"


@pytest.mark.parametrize("name", NAMES)
def test_the_page_runs_and_fetches_nothing(judgements: dict[str, Judgement], name: str) -> None:
    page = human_report(judgements[name])
    root = tree(page)
    assert not root.xpath("//script | //link | //iframe | //form | //object | //@style | //@onclick")
    assert all(source.startswith("data:image/png;base64,") for source in root.xpath("//@src"))
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in page_policy()
    assert root.xpath("//meta[@http-equiv='Content-Security-Policy']/@content") == [page_policy()]


def test_what_a_file_says_is_shown_as_text_and_masked(judgements: dict[str, Judgement]) -> None:
    nasty = "<script>alert(1)</script>\udcff\u202e 11010519491231002X 13800138000"
    sound = judgements["sound ofd"]
    (signature,) = sound.report.signatures
    spoilt = replace(
        signature,
        signer=f"CN={nasty}",
        reason=nasty,
        findings=(Finding(code="SEAL_UNKNOWN", verdict=Verdict.VALID, detail=nasty),),
    )
    judgement = replace(sound, file=replace(sound.file, name=nasty), report=replace(sound.report, signatures=(spoilt,)))
    told = etsi_report(judgement)
    judge(told, SCHEMA)
    for written in (human_report(judgement), json.dumps(told, ensure_ascii=False)):
        written.encode()
        assert "11010519491231002X" not in written
        assert "13800138000" not in written
        assert "\u202e" not in written
    assert "<script" not in human_report(judgement)


def test_a_page_of_very_many_findings_stays_a_page(judgements: dict[str, Judgement]) -> None:
    sound = judgements["sound pdf"]
    (signature,) = sound.report.signatures
    many = tuple(Finding(code="REFERENCE_MISMATCH", verdict=Verdict.INVALID, detail="x" * 5000) for _ in range(3000))
    heap: SignatureReport = replace(signature, findings=many)
    page = human_report(replace(sound, report=replace(sound.report, signatures=(heap,))), "en")
    assert "And 2900 more." in page
    assert len(page) < 300_000


@pytest.mark.parametrize(
    ("format_", "said"),
    [
        ("pdf-pades-sm2", "PAdES"),
        ("pdf-ses-v4", "GB/T 38540"),
        ("pdf-ses", "GB/T 38540"),
        ("pdf-gm-cms", "GB/T 35275"),
        ("ofd-ses-v5", "GB/T 38540"),
        ("pdf", "of no supported kind"),
        ("pdf-some-day", "pdf-some-day"),
    ],
)
def test_a_format_is_named_by_what_it_is(format_: str, said: str) -> None:
    assert said in format_name(format_)[1]


def test_both_renditions_tell_the_level_of_a_signature(judgements: dict[str, Judgement]) -> None:
    told = judgements["sound pdf"]
    (signature,) = told.report.signatures
    kept = replace(signature, level="b-lta")
    long = replace(told, report=replace(told.report, signatures=(kept,)))
    assert "B-LTA" in text(human_report(long))
    assert {"Type": "urn:xinyin:validation-report:level", "Value": "b-lta"} in _additional(only(etsi_report(long)))
    assert set(LEVELS) == {level.value for level in Level}


def test_a_page_about_a_file_without_signatures_speaks_of_none(judgements: dict[str, Judgement]) -> None:
    assert "Each signature as of" not in text(human_report(judgements["bare pdf"], "en"))
    assert "Each signature as of" in text(human_report(judgements["sound pdf"], "en"))


def test_a_document_time_stamp_is_counted_as_one(judgements: dict[str, Judgement]) -> None:
    told = judgements["sound pdf"]
    stamp = replace(told.report.signatures[0], format="doc-timestamp")
    stamped = replace(told, report=replace(told.report, signatures=(*told.report.signatures, stamp)))
    page = text(human_report(stamped, "en"))
    assert "2, of which document time stamps: 1" in page
    assert page.count("Signer's certificate") == page.count("Time-stamper's certificate") == 1


def _additional(signature: Any) -> Any:
    data = signature["SignatureValidationStatus"]["AssociatedValidationReportData"]
    return data[-1]["AdditionalValidationReportData"]["ReportData"]
