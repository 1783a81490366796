"""Real documents: the verdict of every one, and the facts an independent verifier found in them."""

import json
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from seal.formats.ofd import verify_ofd
from seal.formats.ofd.archive import write_archive
from seal.formats.ofd.package import OfdPackage
from seal.formats.ofd.structure import read_bodies, read_signature, read_signature_list
from seal.model import Report, SignatureReport, Verdict
from seal.trust import Trust

UNTRUSTED = Trust(anchors=())
_VERDICTS = "ofd/verdicts.json"


def _names(corpus_file: str) -> list[str]:
    return [f"ofd/{name}.ofd" for name in corpus_file.split()]


SEALED = _names(
    "v4signed tampered_document_xml 999 draw_param_ref allprotected V4RideRight gen_13_riding_seal SESV4SignDoc h n "
    "testImageNotFound DigitalSign"
)
UNSIGNED = _names(
    "hello hello-integrity helloworld VPage7 multiKeywordInTextCode chineseDir path_unstd namespace_no_std"
)
DETACHED = ["detached/jiangsu_tax_v4", "detached/zhejiang_tax_v4", "detached/shandong_gov_v4_plus_gbt35275"]


@pytest.mark.parametrize("name", SEALED + UNSIGNED)
def test_every_document_gets_the_verdict_it_deserves(corpus: Path, name: str) -> None:
    rows = json.loads((corpus / _VERDICTS).read_text("utf-8"))["files"]
    assert set(rows) == {*SEALED, *UNSIGNED}
    row = rows[name]
    trust = Trust.load(corpus / "ofd" / row["anchors"]) if row["anchors"] else UNTRUSTED
    report = verify_ofd((corpus / "ofd" / name).read_bytes(), trust)
    assert report.verdict == row["verdict"]
    if "signatures" in row:
        assert [signature.verdict for signature in report.signatures] == row["signatures"]
    for code in ("REFERENCE_MISMATCH", "DATA_HASH_MISMATCH", "SIGNATURE_INVALID", "SIGN_TIME_OUTSIDE_CERT"):
        if code in row.get("why", ""):
            assert code in codes(report)


@pytest.mark.parametrize("name", SEALED + DETACHED)
def test_every_signature_shows_the_facts_an_independent_verifier_found(corpus: Path, name: str) -> None:
    expected = json.loads((corpus / "ofd/expected.json").read_text("utf-8"))[name]
    document = packed(corpus / "ofd" / name)
    report = verify_ofd(document, Trust.load(corpus / "ofd/certs"))
    assert len(report.signatures) == len(expected)
    for place, (row, found) in enumerate(zip(expected, report.signatures, strict=True)):
        assert differences(row, found, facts_outside(document, place)) == []


@pytest.mark.parametrize("name", DETACHED)
def test_real_signatures_hold_in_themselves_when_only_the_document_is_missing(corpus: Path, name: str) -> None:
    report = verify_ofd(packed(corpus / "ofd" / name), Trust.load(corpus / "ofd/certs"))
    wrong = {
        finding.code
        for signature in report.signatures
        for finding in signature.findings
        if finding.verdict is Verdict.INVALID
    }
    # The document's root is not there, and the OFD.xml around the signatures is ours.
    assert wrong - {"REFERENCE_MISMATCH"} == {"REFERENCE_MISSING", "PACKAGE_MALFORMED"}
    mismatches = [row.detail for each in report.signatures for row in each.findings if row.code == "REFERENCE_MISMATCH"]
    assert set(mismatches) <= {"OFD.xml"}


def codes(report: Report) -> set[str]:
    found = [*report.findings, *(finding for signature in report.signatures for finding in signature.findings)]
    return {finding.code for finding in found}


def packed(path: Path) -> bytes:
    """Give the package; of signatures alone, one around them without the document they are about."""
    if path.is_file():
        return path.read_bytes()
    entry = (
        b'<OFD xmlns="http://www.ofdspec.org/2016"><DocBody><DocRoot>Doc_0/Absent.xml</DocRoot>'
        b"<Signatures>Doc_0/Signs/Signatures.xml</Signatures></DocBody></OFD>"
    )
    files = {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}
    return write_archive({"OFD.xml": entry, **files})


def facts_outside(document: bytes, place: int) -> dict[str, Any]:
    """Read what a report does not repeat: stamps, references, the files outside them."""
    package = OfdPackage(document)
    body = read_bodies(package)[0]
    assert body.signatures is not None
    row = read_signature_list(package, body.signatures)[place]
    path = package.locate(row.location, body.signatures)
    assert path is not None
    file = read_signature(package, path)
    covered = {package.locate(reference.location, path) for reference in file.references}
    return {
        "stamps": len(file.stamps),
        "references": len(file.references),
        "enclosed": body.root is None,
        "uncovered": sorted(set(package.paths) - covered - ({"OFD.xml"} if body.root is None else set())),
    }


def differences(row: Mapping[str, Any], found: SignatureReport, outside: Mapping[str, Any]) -> list[str]:
    """Compare one row of the expected facts with what was found, fact by fact."""
    # The OFD.xml put around signatures without their document is not the one they are about.
    codes = [
        "REFERENCE_MISSING" if outside["enclosed"] and row.detail == "OFD.xml" else row.code for row in found.findings
    ]

    def clean(*names: str) -> bool:
        return not any(name in codes for name in names)

    actual: dict[str, Any] = {
        "refs_bad": codes.count("REFERENCE_MISMATCH"),
        "refs_missing": codes.count("REFERENCE_MISSING"),
        "refs_ok": outside["references"] - codes.count("REFERENCE_MISMATCH") - codes.count("REFERENCE_MISSING"),
        "stamps": outside["stamps"],
        "uncovered": outside["uncovered"],
        "seal_signature_valid": clean("SEAL_SIGNATURE_INVALID"),
        "data_hash_match": clean("DATA_HASH_MISMATCH"),
        "content_match": clean("DATA_HASH_MISMATCH"),
        "signature_valid": clean("SIGNATURE_INVALID"),
        "signer_in_seal_list": clean("SIGNER_NOT_IN_SEAL"),
        "seal_file_match": clean("SEAL_FILE_MISMATCH"),
        "in_seal_validity": clean("SEAL_NOT_VALID_AT_SIGN_TIME"),
        "in_signer_cert_validity": clean("SIGN_TIME_OUTSIDE_CERT"),
        "maker_cert_valid_at_make": clean("SEAL_MAKER_NOT_VALID_AT_MAKE", "SEAL_MAKER_CERT_NOT_VALID"),
        **dict(seal_facts(row, found)),
    }
    expected = {key: value for key, value in row.items() if key in actual}
    return [f"{key}: {actual[key]} instead of {value}" for key, value in expected.items() if actual[key] != value]


def seal_facts(row: Mapping[str, Any], found: SignatureReport) -> Iterator[tuple[str, Any]]:
    if found.seal is not None:
        yield "esid", found.seal.id
        yield "seal_type", found.seal.kind
        yield "picture", row["picture"] if row["picture"][0].lower() == found.seal.picture_type else None
        yield "kind", f"SES_Signature {found.format.removeprefix('ofd-ses-')}"
    if "sign_time" in row and found.time is not None:
        seconds = found.time.replace(microsecond=0, tzinfo=UTC)
        yield "sign_time", datetime.strftime(seconds, "%Y-%m-%d %H:%M:%S")
    if "signer_chain" in row:
        codes = {finding.code for finding in found.findings}
        trusted = "SIGNER_CERT_UNTRUSTED" not in codes
        yield "signer_chain", row["signer_chain"] if trusted == (row["signer_chain"] == "ofdrw-test-root") else None
        trusted = "SEAL_MAKER_CERT_UNTRUSTED" not in codes
        yield "maker_chain", row["maker_chain"] if trusted == (row["maker_chain"] == "ofdrw-test-root") else None


def test_an_entry_list_that_differs_from_the_records_is_refused(corpus: Path) -> None:
    document = (corpus / "ofd/ofd/v4signed.ofd").read_bytes()
    with zipfile.ZipFile(BytesIO(document)) as archive:
        place = archive.getinfo("OFD.xml").header_offset + 30
    changed = document[:place] + b"OFX.xml" + document[place + 7 :]
    assert codes(verify_ofd(changed, UNTRUSTED)) == {"PACKAGE_MALFORMED"}
