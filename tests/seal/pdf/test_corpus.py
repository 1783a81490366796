"""Other people's signed and forged documents: what each must be called, and that none brings the verifier down."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from seal.formats.pdf import looks_like_pdf, verify_pdf
from seal.model import Verdict
from seal.sandbox import Limits
from seal.trust import Trust
from seal.verifying import Verifier

NOBODY = Trust(anchors=())
ALLOWED = {
    "accept": {Verdict.INDETERMINATE},  # intact, but nobody here knows the issuer
    "reject": {Verdict.INVALID},
    "cannot_tell": {Verdict.INDETERMINATE, Verdict.INVALID},
    "unsigned": {Verdict.UNSIGNED, Verdict.INVALID},
    "error_safe": {Verdict.INDETERMINATE, Verdict.INVALID, Verdict.UNSIGNED},
}


def _files() -> list[str]:
    here = Path(__file__).resolve().parents[3]
    folder = Path(os.environ.get("XINYIN_CORPUS") or here.parent / "shared" / "corpus") / "pdf"
    return sorted(json.loads((folder / "expected.json").read_text())) if folder.is_dir() else ["absent"]


@pytest.mark.parametrize("file", _files())
def test_a_document_of_the_corpus_is_called_what_it_is(
    file: str, pdf_corpus: Path, expected: Mapping[str, str]
) -> None:
    report = verify_pdf((pdf_corpus / file).read_bytes(), NOBODY)
    assert report.verdict in ALLOWED[expected[file]], report


def test_no_document_of_the_corpus_exhausts_two_seconds_of_processor_time(
    pdf_corpus: Path, expected: Mapping[str, str]
) -> None:
    verifier = Verifier(NOBODY, limits=Limits(cpu_seconds=2))
    try:
        for file in expected:
            report = verifier.verify((pdf_corpus / file).read_bytes())
            assert "died" not in " ".join(finding.detail for finding in report.findings), file
    finally:
        verifier.close()


def test_an_intact_document_has_no_finding_worse_than_an_unknown_issuer(
    pdf_corpus: Path, expected: Mapping[str, str]
) -> None:
    # Some of them are old enough for SHA-1, which no longer proves what was signed.
    allowed = {"SIGNER_CERT_UNTRUSTED", "TSA_CERT_UNTRUSTED", "REVOCATION_UNKNOWN", "ALGORITHM_WEAK"}
    for file in (file for file, expect in expected.items() if expect == "accept"):
        report = verify_pdf((pdf_corpus / file).read_bytes(), NOBODY)
        found = {item.code for one in report.signatures for item in one.findings if item.verdict is not Verdict.VALID}
        assert report.signatures, file
        assert not report.findings, file
        assert found <= allowed, file


def test_everything_of_the_corpus_is_seen_to_be_a_pdf(pdf_corpus: Path, expected: Mapping[str, str]) -> None:
    assert all(looks_like_pdf((pdf_corpus / file).read_bytes()) for file in expected)


def test_cutting_a_signed_document_short_never_makes_it_valid_and_never_raises(pdf_corpus: Path) -> None:
    whole = (pdf_corpus / "pyhanko__pades-with-old-style-signing-cert-attr.pdf").read_bytes()
    for size in range(0, len(whole) - 1, 97):
        assert verify_pdf(whole[:size], NOBODY).verdict is not Verdict.VALID
