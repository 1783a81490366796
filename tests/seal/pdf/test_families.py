"""Every attack of every family, on files of ours sealed by either suite, once and twice: none is called valid."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from crypto.digests import SHA256
from crypto.timestamp_build import Imprint
from seal.formats.pdf import verify_pdf
from seal.formats.pdf.objects import Name, PdfDict, Ref
from seal.model import Mark, Report, Verdict
from seal.placing import AtPoint
from seal.trust import Trust
from tests.seal.pdf.forging import Update, changed, signed_update, stream
from tests.seal.pdf.making import NOW, Sealer, make_picture
from tests.sims.pdf_attacks import victim
from tests.sims.pdf_attacks.family import Attack, seal_of
from tests.sims.pdf_attacks.table import ATTACKS
from tests.sims.pdf_attacks.validation import strange_stamper


@pytest.fixture(scope="module")
def trust(p256_sealer: Sealer, sm2_sealer: Sealer) -> Trust:
    return Trust(anchors=(p256_sealer.root, sm2_sealer.root))


@pytest.fixture(scope="module")
def victims(p256_sealer: Sealer, sm2_sealer: Sealer, mark: Mark) -> Mapping[str, bytes]:
    """Sealed files: with a table and with streams, by either suite, once and twice."""
    small = replace(mark, picture=make_picture(40), reason="批准" * 20)
    first = replace(small, placement=AtPoint.on(1, x_mm=10, y_mm=10))
    second = replace(small, placement=AtPoint.on(2, x_mm=60, y_mm=10))
    classic, packed = p256_sealer.seal(victim.classic(), first), sm2_sealer.seal(victim.packed(), first)
    return {
        "P-256, table": classic,
        "SM2, streams": packed,
        "P-256 then SM2": sm2_sealer.seal(classic, second),
        "SM2 then P-256": p256_sealer.seal(packed, second),
    }


def codes(report: Report) -> set[str]:
    findings = [*report.findings, *(each for one in report.signatures for each in one.findings)]
    return {each.code for each in findings if each.verdict is not Verdict.VALID}


def test_what_is_attacked_is_valid(victims: Mapping[str, bytes], trust: Trust) -> None:
    assert {verify_pdf(sealed, trust).verdict for sealed in victims.values()} == {Verdict.VALID}


def test_attacks_have_names_of_their_own() -> None:
    assert len({str(attack) for attack in ATTACKS}) == len(ATTACKS)


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_an_attack_is_refused_on_every_sealed_file(attack: Attack, victims: Mapping[str, bytes], trust: Trust) -> None:
    for name, sealed in victims.items():
        forged = attack.forge(sealed)
        assert forged != sealed, name
        report = verify_pdf(forged, trust)
        unreadable = codes(report) == {"PACKAGE_UNREADABLE"}
        assert unreadable or report.verdict is attack.expected, (name, codes(report))


# --- what may follow a seal ------------------------------------------------------------------------------------


def test_a_metadata_update_stays_valid(victims: Mapping[str, bytes], trust: Trust) -> None:
    metadata = stream(b"<title>another</title>", b"/Type/Metadata/Subtype/XML")
    for name, sealed in victims.items():
        updated = Update({victim.METADATA: metadata, victim.INFO: b"<</Title(another)>>"}).after(sealed)
        assert verify_pdf(updated, trust).verdict is Verdict.VALID, name


def test_validation_data_stay_valid(victims: Mapping[str, bytes], trust: Trust, p256_sealer: Sealer) -> None:
    certificate, at = stream(p256_sealer.root.raw), victim.NEW
    for name, sealed in victims.items():
        held = Ref(at, 0)
        record: PdfDict = {"Cert": [held], "TU": b"D:20261122080000Z"}
        dss: PdfDict = {
            "Type": Name("DSS"),
            "Certs": [held],
            "CRLs": [],
            "VRI": {"AB" * 20: record},
            "OCSPs": Ref(at + 1, 0),
        }
        update = {victim.CATALOG: changed(sealed, 1, DSS=dss), at: certificate, at + 1: b"[%d 0 R]" % at}
        assert verify_pdf(Update(update).after(sealed), trust).verdict is Verdict.VALID, name


def test_a_document_time_stamp_stays_valid(victims: Mapping[str, bytes], trust: Trust) -> None:
    stamper = strange_stamper()
    known = Trust(anchors=(*trust.anchors, stamper.certificate))

    def token(octets: bytes) -> bytes:
        return stamper.token(Imprint.of(SHA256.oid, SHA256.digest(octets)), serial=7, at=NOW, nonce=None)

    for name, sealed in victims.items():
        stamped = signed_update(sealed, token, page=victim.PAGE, number=victim.NEW, sub_filter=b"ETSI.RFC3161")
        report = verify_pdf(stamped, known)
        assert report.signatures[-1].format == "doc-timestamp"
        assert report.verdict is Verdict.VALID, (name, codes(report))


def test_a_further_seal_stays_valid(victims: Mapping[str, bytes], trust: Trust, sealer: Sealer, mark: Mark) -> None:
    third = replace(mark, picture=make_picture(40), placement=AtPoint.on(2, x_mm=120, y_mm=200))
    for name, sealed in victims.items():
        again = sealer.seal(sealed, third)
        assert seal_of(again).covered.end > len(sealed)
        assert verify_pdf(again, trust).verdict is Verdict.VALID, name
