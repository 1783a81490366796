"""Levels: what a signature carries beside itself, and what it is worth years later."""

import shutil
import subprocess
from pathlib import Path

import pytest

from crypto.digests import DigestAlgorithm
from crypto.revoked import RevocationReason
from seal.errors import EvidenceMissing, LevelRefused
from seal.formats.pdf import verify_pdf
from seal.formats.pdf.append import Appender
from seal.formats.pdf.augmenting import with_document_stamp
from seal.formats.pdf.dss import MAX_STREAMS, with_evidence
from seal.formats.pdf.objects import PdfDict, Ref, write
from seal.formats.pdf.reader import Document
from seal.levels import Level
from seal.model import Mark, Report, TimeSource, Verdict
from seal.pki.tsa_client import Stamped
from seal.trust.evidence import Evidence
from tests.judges import pdfsig
from tests.seal.pdf.lasting import Desk, DeskStamper, LongWorld, Sm2World
from tests.seal.trust.making import AT, DAY, HOUR, gone


@pytest.fixture(scope="module")
def p256_world() -> LongWorld:
    return LongWorld()


@pytest.fixture(scope="module")
def sm2_world() -> Sm2World:
    return Sm2World()


@pytest.fixture(params=["SM2-SM3", "ES256"])
def desk(request: pytest.FixtureRequest, p256_world: LongWorld, sm2_world: Sm2World, mark: Mark) -> Desk:
    return Desk(p256_world if request.param == "ES256" else sm2_world, mark)


@pytest.fixture
def p256_desk(p256_world: LongWorld, mark: Mark) -> Desk:
    return Desk(p256_world, mark)


def codes(report: Report) -> list[list[str]]:
    return [[each.code for each in one.findings] for one in report.signatures]


@pytest.mark.parametrize("level", list(Level))
def test_a_seal_reaches_the_level_it_was_made_at(desk: Desk, licence: bytes, level: Level) -> None:
    report = desk.judge(desk.seal(licence, level))
    assert report.verdict is Verdict.VALID
    assert report.signatures[0].level == level
    assert (report.signatures[0].time_source is TimeSource.TIMESTAMP) is level.stamped
    assert [each.format for each in report.signatures[1:]] == ["doc-timestamp"] * (level is Level.LTA)


def test_what_lasts_is_judged_years_later_by_what_is_in_it(desk: Desk, licence: bytes) -> None:
    sealed = desk.seal(licence, Level.LTA)
    # The signer's certificate has ended, and what is known of today says nothing of then.
    report = desk.ask_later(sealed, 2)
    assert report.verdict is Verdict.VALID, codes(report)
    assert report.signatures[0].level == Level.LTA
    for level in (Level.B, Level.T):
        desk.be_at(0)
        assert desk.ask_later(desk.seal(licence, level), 2).verdict is not Verdict.VALID


def test_renewed_in_time_it_outlives_those_who_stamped_it(desk: Desk, licence: bytes) -> None:
    sealed = desk.seal(licence, Level.LTA)
    desk.be_at(2.5)
    desk.tsa = desk.world.next_tsa
    renewed = desk.renew(sealed)
    report = desk.ask_later(renewed, 5)
    assert report.verdict is Verdict.VALID, codes(report)
    assert [each.level for each in report.signatures] == [Level.LTA, None, None]
    assert desk.ask_later(sealed, 5).verdict is Verdict.INVALID


def test_a_file_without_a_stamp_is_raised_to_every_level_whoever_signed_it(desk: Desk, licence: bytes) -> None:
    sealed = desk.seal(licence, Level.B)
    desk.clock.advance(DAY)
    assert desk.judge(desk.renew(sealed, Level.T)).signatures[0].level == Level.T
    raised = desk.renew(sealed)
    report = desk.judge(raised)
    assert (report.verdict, report.signatures[0].level) == (Verdict.VALID, Level.LTA)
    # Not when it claims to have been made: when it is known to have been there.
    assert report.signatures[0].time == AT + DAY
    assert raised.startswith(sealed)
    assert desk.ask_later(raised, 2).verdict is Verdict.VALID


# --- what becomes known later ----------------------------------------------------------------------------------


def test_a_key_stolen_later_spoils_only_what_nothing_proves(p256_desk: Desk, licence: bytes) -> None:
    desk = p256_desk
    bare, lasting = desk.seal(licence, Level.B), desk.seal(licence, Level.LTA)
    desk.clock.advance(30 * DAY)
    desk.revoked.append(gone(desk.world.signer, AT + 10 * DAY, RevocationReason.KEY_COMPROMISE))
    assert desk.judge(bare).verdict is Verdict.INVALID
    report = desk.judge(lasting)
    assert (report.verdict, codes(report)[0]) == (Verdict.VALID, ["REVOKED_SINCE"])


def test_a_stamper_robbed_later_still_proves_what_another_stamped_before(p256_desk: Desk, licence: bytes) -> None:
    desk = p256_desk
    lasting = desk.seal(licence, Level.LTA)
    desk.tsa = desk.world.next_tsa
    desk.clock.advance(DAY)
    renewed = desk.renew(lasting)
    desk.revoked.append(gone(desk.world.tsa, AT + 20 * DAY, RevocationReason.KEY_COMPROMISE))
    desk.clock.advance(30 * DAY)
    assert desk.judge(renewed).verdict is Verdict.VALID
    assert desk.judge(lasting).verdict is Verdict.INDETERMINATE
    assert "TSA_KEY_COMPROMISED" in codes(desk.judge(lasting))[1]


def test_a_key_stolen_before_the_stamp_is_not_washed_clean_by_it(p256_desk: Desk, licence: bytes) -> None:
    desk = p256_desk
    backdated = desk.seal(licence, Level.B)
    desk.clock.advance(30 * DAY)
    stamped = desk.renew(backdated, Level.T)
    desk.revoked.append(gone(desk.world.signer, AT + 10 * DAY, RevocationReason.KEY_COMPROMISE))
    report = desk.judge(stamped)
    assert report.signatures[0].verdict is Verdict.INVALID
    assert "SIGNER_KEY_COMPROMISED" in codes(report)[0]


def test_a_stamp_that_comes_after_the_certificates_end_helps_nothing_and_spoils_nothing(
    p256_desk: Desk, licence: bytes
) -> None:
    desk = p256_desk
    sealed = desk.seal(licence, Level.B)
    desk.be_at(2)
    late = desk.renew(sealed, Level.T)
    assert codes(desk.judge(late))[0] == codes(desk.judge(sealed))[0]
    assert desk.judge(late, desk.clock.now()).signatures[0].verdict is Verdict.INVALID


# --- attacks ---------------------------------------------------------------------------------------------------


def test_a_strangers_document_stamp_proves_nothing(p256_desk: Desk, licence: bytes) -> None:
    desk = p256_desk
    sealed = desk.seal(licence, Level.B)
    theirs = DeskStamper(desk.world.stranger, (), desk.clock)
    stamped = with_document_stamp(sealed, desk.stamping(theirs))
    report = desk.judge(stamped)
    assert report.signatures[0].level == Level.B
    assert report.signatures[0].time_source is TimeSource.CLAIMED
    assert report.signatures[1].verdict is Verdict.INDETERMINATE
    assert desk.ask_later(stamped, 2).signatures[0].verdict is Verdict.INVALID


def test_forged_facts_and_rubbish_in_the_store_say_nothing(p256_desk: Desk, licence: bytes) -> None:
    desk, world = p256_desk, p256_desk.world
    sealed = desk.seal(licence, Level.T)
    desk.clock.advance(2 * DAY)
    forged = Evidence(
        certificates=(world.impostor.certificate.raw, b"\x30\x00"),
        crls=(world.listed(issuer=world.impostor, since=AT - HOUR).raw, b"rubbish"),
        answers=(b"\x30\x03\x0a\x01\x06", world.answered(world.signer, since=AT - HOUR)[:-1]),
    )
    stuffed = with_evidence(sealed, [(b"", forged)])
    assert desk.judge(stuffed).signatures[0].level == Level.T
    nobody = desk.judge(stuffed, facts=())
    assert nobody.verdict is Verdict.INDETERMINATE
    assert codes(nobody) == codes(desk.judge(sealed, facts=()))


def test_a_real_stamp_over_old_facts_does_not_clear_a_stolen_key(p256_desk: Desk, licence: bytes) -> None:
    desk = p256_desk
    # Made when nobody knows, said to be of long ago, with the facts of long ago.
    claimed, old = desk.seal(licence, Level.B), desk.evidence.about(desk.world.signer.certificate)
    desk.clock.advance(60 * DAY)
    stamped = with_document_stamp(with_evidence(claimed, [(b"", old)]), desk.stamping())
    report = verify_pdf(stamped, desk.knowing_only(desk.world.tsa))
    assert [each.verdict for each in report.signatures] == [Verdict.INDETERMINATE, Verdict.VALID]
    assert codes(report)[0] == ["REVOCATION_UNKNOWN"]


def test_a_real_stamp_over_a_stolen_stampers_does_not_clear_that_one(p256_desk: Desk, licence: bytes) -> None:
    desk = p256_desk
    backdated = desk.seal(licence, Level.LTA)
    desk.clock.advance(60 * DAY)
    desk.tsa = desk.world.next_tsa
    stamped = with_document_stamp(backdated, desk.stamping())
    report = verify_pdf(stamped, desk.knowing_only(desk.world.next_tsa))
    assert [each.verdict for each in report.signatures[1:]] == [Verdict.INDETERMINATE, Verdict.VALID]
    assert report.signatures[0].verdict is not Verdict.VALID
    assert report.signatures[0].time_source is TimeSource.CLAIMED
    # Who renews brings word of the stamper as of then: that clears it.
    renewed = verify_pdf(desk.renew(backdated), desk.knowing_only(desk.world.next_tsa))
    assert renewed.verdict is Verdict.VALID


def test_a_store_of_any_size_is_read_within_bounds(p256_desk: Desk, licence: bytes) -> None:
    desk = p256_desk
    lasting = desk.seal(licence, Level.LTA)
    rubbish = Evidence(crls=tuple(b"%d" % number for number in range(2 * MAX_STREAMS)))
    report = desk.judge(with_evidence(lasting, [(b"", rubbish)]))
    # What was there first is not crowded out.
    assert (report.verdict, report.signatures[0].level) == (Verdict.VALID, Level.LTA)


def test_a_store_taken_away_later_still_counts(p256_desk: Desk, licence: bytes) -> None:
    desk = p256_desk
    lasting = desk.seal(licence, Level.LTA)
    view = Document(lasting).current
    appender = Appender(view)
    appender.put(view.root, {key: value for key, value in view.catalog.items() if key != "DSS"})
    emptied = lasting + appender.finish(b"").tail
    assert "DSS" not in Document(emptied).current.catalog
    desk.be_at(2)
    assert desk.judge(emptied, desk.clock.now()).signatures[0].level == Level.LTA


def test_a_store_from_before_the_signature_makes_no_level_that_its_stamp_does_not(
    p256_desk: Desk, licence: bytes
) -> None:
    desk = p256_desk
    first = desk.seal(licence, Level.LT)
    evidence = desk.evidence.about(desk.world.signer.certificate)
    prepared = with_evidence(licence, [(b"", evidence)])
    sealed = desk.seal(prepared, Level.B)
    report = desk.judge(sealed)
    assert (report.verdict, report.signatures[0].level) == (Verdict.VALID, Level.B)
    assert desk.judge(first).signatures[0].level == Level.LT


def test_times_named_in_the_store_are_nobodys_word(p256_desk: Desk, licence: bytes) -> None:
    desk = p256_desk
    sealed = desk.seal(licence, Level.LT)
    view = Document(sealed).current
    store = view.dictionary(view.catalog["DSS"])
    told: PdfDict = {
        key: {**view.dictionary(each), "TU": b"D:20200101000000Z", "TS": view.root}
        for key, each in view.dictionary(store["VRI"]).items()
    }
    appender = Appender(view)
    place = view.catalog["DSS"]
    assert isinstance(place, Ref)
    appender.put(place, {**store, "VRI": told})
    backdated = sealed + appender.finish(b"").tail
    assert desk.judge(backdated).signatures == desk.judge(sealed).signatures


def test_a_stamp_taken_from_another_signature_is_found_out(p256_desk: Desk, licence: bytes) -> None:
    desk = p256_desk
    genuine = desk.stamper.stamp(desk.world.suite.digest, desk.world.suite.digest.digest(b"another signature"))

    class Moved(DeskStamper):
        def stamp(self, digest: DigestAlgorithm, value: bytes) -> Stamped:  # noqa: ARG002
            return genuine

    desk.given = Moved(desk.world.tsa, (desk.world.ca,), desk.clock)
    report = desk.judge(desk.seal(licence, Level.T))
    assert (report.verdict, codes(report)) == (Verdict.INVALID, [["TIMESTAMP_INVALID"]])
    assert report.signatures[0].level is None


def test_a_changed_octet_under_a_document_stamp_spoils_signature_and_stamp(desk: Desk, licence: bytes) -> None:
    lasting = bytearray(desk.seal(licence, Level.LTA))
    lasting[licence.index(b"/MediaBox") + 1] ^= 1
    report = desk.judge(bytes(lasting))
    assert [each.verdict for each in report.signatures] == [Verdict.INVALID] * 2
    assert [each.level for each in report.signatures] == [None, None]


# --- making ----------------------------------------------------------------------------------------------------


def test_evidence_that_is_missing_is_refused_by_name(p256_desk: Desk, licence: bytes) -> None:
    desk = p256_desk
    desk.silent = True
    with pytest.raises(EvidenceMissing, match=r"44030000000001.*xinyin trust refresh"):
        desk.seal(licence, Level.LT)


def test_a_revoked_stamper_is_no_evidence(p256_desk: Desk, licence: bytes) -> None:
    desk = p256_desk
    desk.revoked.append(gone(desk.world.tsa, AT - DAY))
    with pytest.raises(EvidenceMissing, match="revoked"):
        desk.seal(licence, Level.LT)


def test_a_token_larger_than_its_room_is_asked_for_once_more(p256_desk: Desk, licence: bytes) -> None:
    desk = p256_desk
    sealed = desk.seal(licence, Level.B)
    large = DeskStamper(desk.world.tsa, (desk.world.ca,), desk.clock, padding=30)
    stamping = desk.stamping(large)
    assert desk.judge(with_document_stamp(sealed, stamping)).verdict is Verdict.VALID
    assert large.asked == 2
    with_document_stamp(sealed, stamping)
    assert large.asked == 3


def test_what_was_in_the_store_already_is_not_written_again(p256_desk: Desk, licence: bytes) -> None:
    desk = p256_desk
    lasting = desk.seal(licence, Level.LTA)
    renewed = desk.renew(lasting)
    view = Document(renewed).current
    store = view.dictionary(view.catalog["DSS"])
    octets = [write(view.resolve(each)) for kind in ("Certs", "CRLs") for each in view.array(store[kind])]
    assert len(octets) == len(set(octets))
    assert len(view.dictionary(store["VRI"])) == 2


def test_an_unsigned_document_has_no_level_to_raise(p256_desk: Desk, licence: bytes) -> None:
    with pytest.raises(LevelRefused):
        p256_desk.renew(licence)


def test_nothing_in_a_lasting_document_breaks_the_archive_format(desk: Desk, licence: bytes, tmp_path: Path) -> None:
    file = tmp_path / "lasting.pdf"
    file.write_bytes(desk.renew(desk.seal(licence, Level.LTA)))
    if shutil.which("qpdf") is None:
        pytest.skip("no qpdf")
    answer = subprocess.run(["qpdf", "--check", str(file)], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize(
    "file",
    [
        "dss__pdf-signed-original.pdf",
        "dss__hello_signed_INCSAVE_signed.pdf",
        "pyhanko__minimal-two-fields-signed-twice.pdf",
        "dss__dss-2554_certified-changes-permitted.pdf",
    ],
)
def test_a_document_stamp_over_other_peoples_signatures_leaves_them_as_they_were(
    p256_desk: Desk, pdf_corpus: Path, file: str
) -> None:
    desk, document = p256_desk, (pdf_corpus / file).read_bytes()
    stamped = with_document_stamp(document, desk.stamping())
    before, after = desk.judge(document), desk.judge(stamped)
    assert [codes(after)[place] for place in range(len(before.signatures))] == codes(before)
    assert after.findings == before.findings
    assert after.signatures[-1].verdict is Verdict.VALID
    if file.startswith("pyhanko"):
        assert len(pdfsig.opinions(stamped)) == len(pdfsig.opinions(document)) + 1
