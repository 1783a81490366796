"""Late stamps: where nobody stamps, the document is sealed all the same, and the stamp follows, once."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from crypto import der
from crypto.digests import SHA256, SM3, DigestAlgorithm, sm3
from kernel.audit import entries
from kernel.ids import new_id
from kernel.jobs import Job
from kernel.outbox import EVENTS
from seal import store as seal_store
from seal.errors import UnknownSealing
from seal.formats_table import SEALING_FORMATS
from seal.later.model import FIRST, TrustedTime
from seal.later.service import LateStamps
from seal.model import Report, TimeSource, Verdict
from seal.pki.errors import TimestampUnavailable
from seal.pki.tsa_client import Stamped
from seal.request import SealedDocument
from tests.seal.conftest import CLERK, SEAL, START, House, request
from tests.sims.tsa import Mood

from .conftest import AHEAD, REST, Post

FAILING = [
    Mood.CLOSES,
    Mood.RATE_LIMITED,
    Mood.REJECTS,
    Mood.GARBAGE,
    Mood.WRONG_NONCE,
    Mood.WRONG_IMPRINT,
    Mood.WRONG_TIME,
    Mood.BAD_SIGNATURE,
    Mood.EXPIRED,
    Mood.UNTRUSTED,
]
SHAPES: list[dict[str, Any]] = [
    *[{"format": name} for name in SEALING_FORMATS],
    {"format": "pdf-pades-sm2", "closes": True},
    {"format": "ofd-ses-v4", "closes": True},
    *[{"format": name, "also": "pdf-pades-p256"} for name in ("pdf-pades-sm2", "pdf-ses-v4", "pdf-gm-cms")],
    {"format": "pdf-pades-sm2", "also": "pdf-pades-p256", "closes": True},
]


def codes(report: Report) -> set[str]:
    return {each.code for one in report.signatures for each in one.findings}


def stamped(post: Post, sealed: SealedDocument) -> bytes:
    """Give the stamped file, which is the newest, and see that the first is still there."""
    document, _ = post.service.document(sealed.id, CLERK)
    key = sm3(document).hex()
    assert post.service.document(sealed.id, CLERK, FIRST)[0] == sealed.document
    assert post.service.document(sealed.id, CLERK, sealed.object_key)[0] == sealed.document
    assert post.service.document(sealed.id, CLERK, key)[0] == document
    with pytest.raises(UnknownSealing):
        post.service.document(sealed.id, CLERK, "0" * 64)
    assert key != sealed.object_key
    return document


def test_what_was_sealed_while_nobody_stamped_gets_its_stamp_afterwards(post: Post, pdf: bytes, ofd: bytes) -> None:
    asked = [{**shape, "idempotency_key": str(place)} for place, shape in enumerate(SHAPES)]
    originals = [pdf if str(shape["format"]).startswith("pdf") else ofd for shape in SHAPES]
    sealed = [post.seal(original, **each) for original, each in zip(originals, asked, strict=True)]
    for shape, one in zip(SHAPES, sealed, strict=True):
        # A list of files alone seals nothing: the document stays unsigned.
        holds = Verdict.UNSIGNED if shape["format"] == "ofd-gmt0099" else Verdict.VALID
        assert (one.report.verdict, one.trusted_time) == (holds, TrustedTime.PENDING), shape
        assert {each.time_source for each in one.report.signatures} == {TimeSource.CLAIMED}, shape
        assert codes(one.report) >= {"TIME_NOT_PROVED"}, shape
        assert one.level in {None, "b-b"}, shape

    post.sim.mood = Mood.GOOD
    assert post.work() == len(SHAPES)
    assert post.jobs() == 0
    proved = (post.house.clock.now() + AHEAD, TimeSource.TIMESTAMP)
    for shape, one in zip(SHAPES, sealed, strict=True):
        document = stamped(post, one)
        report = post.house.judge(document)
        assert report.verdict is (Verdict.UNSIGNED if shape["format"] == "ofd-gmt0099" else Verdict.VALID), shape
        assert {(each.time, each.time_source) for each in report.signatures} == {proved}, shape
        assert "TIME_NOT_PROVED" not in codes(report), shape
        assert {each.level for each in report.signatures} <= {None, "b-t"}, shape
        standing = post.service.standing(post.service.progress(one.id, CLERK))
        assert (standing.trusted_time, standing.stamped_key) == (TrustedTime.PROVED, sm3(document).hex()), shape
        # One signature by itself: the stamp has gone where one goes that comes at once.
        if document.startswith(b"%PDF") and "also" not in shape:
            assert (len(document), len(report.signatures)) == (len(one.document), 1), shape
    # The same call again is answered as it was, and told where the stamped file is.
    again = post.seal(originals[0], **asked[0])
    assert (again.replayed, again.document, again.object_key) == (True, sealed[0].document, sealed[0].object_key)
    assert again.stamped_key == sm3(stamped(post, sealed[0])).hex()


def test_half_a_pair_that_got_its_stamp_leaves_the_other_half_owed(post: Post, pdf: bytes) -> None:
    class Half:
        """Stamps by one digest alone."""

        def __init__(self, good: DigestAlgorithm) -> None:
            self.good = good

        def stamp(self, digest: DigestAlgorithm, value: bytes) -> Stamped:
            if digest is not self.good:
                raise TimestampUnavailable("down")
            return post.stamper.stamp(digest, value)

    post.sim.mood = Mood.GOOD
    for digest, signatures in ((SM3, 2), (SHA256, 3)):
        sealed = post.house.service(stamper=Half(digest)).seal(request(pdf, also="pdf-pades-p256"), CLERK)
        assert (sealed.trusted_time, sealed.level) == (TrustedTime.PENDING, "b-b")
        assert {one.time_source for one in sealed.report.signatures} == {TimeSource.CLAIMED, TimeSource.TIMESTAMP}
        post.work()
        report = post.house.judge(stamped(post, sealed))
        # Only where the signature after it covers the one without, a stamp over both had to come.
        assert (report.verdict, len(report.signatures)) == (Verdict.VALID, signatures)
        assert {one.time_source for one in report.signatures} == {TimeSource.TIMESTAMP}


def test_a_token_for_which_no_room_was_left_goes_over_the_document(post: Post, pdf: bytes) -> None:
    sealed = [post.seal(pdf, format=name) for name in ("pdf-pades-sm2", "pdf-ses-v4")]
    post.sim.mood = Mood.GOOD
    chain = post.sim._good._certificates
    post.sim._good._certificates = der.explicit(0, der.parse(chain).content * 20)
    try:
        post.work()
    finally:
        post.sim._good._certificates = chain
    for one in sealed:
        report = post.house.judge(stamped(post, one))
        assert report.verdict is Verdict.VALID
        assert [each.format for each in report.signatures] == [one.format, "doc-timestamp"]
        assert {each.time_source for each in report.signatures} == {TimeSource.TIMESTAMP}


def test_two_workers_with_the_same_job_leave_one_stamp(post: Post, ofd: bytes) -> None:
    sealed = post.seal(ofd)
    post.sim.mood = Mood.GOOD
    post.house.clock.advance(REST)
    job = Job(id=new_id(), kind="", key=sealed.id, series=None, due=START, attempt=1, owner=new_id())
    together = threading.Barrier(2)

    def work(late: LateStamps) -> timedelta | None:
        together.wait()
        return late.work(job)

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, (post.late(), post.late()))) == [None, None]
    assert post.house.actions().count("seal.sealing.stamped") == 1
    assert post.house.judge(stamped(post, sealed)).verdict is Verdict.VALID
    # The job that is still noted finds nothing to do.
    asked = post.sim.asked
    assert (post.work(), post.jobs(), post.sim.asked) == (1, 0, asked)


def test_whatever_is_wrong_with_the_authority_no_false_time_is_believed(post: Post, ofd: bytes) -> None:
    for mood in FAILING:
        post.house.clock.advance(REST)
        post.sim.mood = mood
        sealed = post.seal(ofd)
        assert sealed.trusted_time is TrustedTime.PENDING, mood
        post.work()
        assert post.settled(sealed.id) is None, mood
        assert post.service.document(sealed.id, CLERK)[0] == sealed.document, mood
        post.sim.mood = Mood.GOOD
        post.work()
        report = post.house.judge(stamped(post, sealed))
        assert report.verdict is Verdict.VALID, mood
        assert report.signatures[0].time == post.house.clock.now() + AHEAD, mood


class TestSilence:
    """Authorities that say nothing within the time."""

    @pytest.fixture
    def patience(self) -> timedelta:
        return timedelta(milliseconds=150)

    @pytest.mark.parametrize("mood", [Mood.SILENT, Mood.DRIPS])
    def test_two_wait_for_a_silent_authority_and_the_others_do_not(self, post: Post, pdf: bytes, mood: Mood) -> None:
        post.sim.mood = mood
        assert [post.seal(pdf).trusted_time for _ in range(6)] == [TrustedTime.PENDING] * 6
        assert post.sim.asked == 2
        # Whoever asks for a level wants to know at once.
        with pytest.raises(TimestampUnavailable):
            post.seal(pdf, level="b-t")
        assert post.sim.asked == 3


def test_a_dead_authority_is_asked_by_one_for_all(post: Post, ofd: bytes) -> None:
    sealings = [post.seal(ofd).id for _ in range(6)]
    worker, asked = post.worker(), post.sim.asked
    for _ in range(5):
        post.work(worker)
    assert post.sim.asked - asked <= 5 + 1  # a question each time, and one more until it was left alone
    assert post.jobs() == len(sealings)
    post.sim.mood = Mood.GOOD
    asked = post.sim.asked
    post.work(worker)
    assert post.jobs() == 0
    assert post.sim.asked - asked == len(sealings)
    assert all(post.settled(each) for each in sealings)


def test_fact_log_and_event_tell_the_same_and_the_ledger_knows_the_level(post: Post, pdf: bytes) -> None:
    sealed = post.seal(pdf)
    post.sim.mood = Mood.GOOD
    post.work()
    settled = post.settled(sealed.id)
    assert settled is not None
    proved = post.house.clock.now() + AHEAD
    assert (settled.authority, settled.proved_at, settled.level) == ("tsa-1", proved, "b-t")
    with post.house.db.read() as conn:
        assert post.house.audit.verify(conn).holds
        facts = conn.execute(sa.select(entries.c.facts).where(entries.c.action == "seal.sealing.stamped")).scalar_one()
        event = conn.execute(sa.select(EVENTS.c.data).where(EVENTS.c.type == "sealing.stamped")).scalar_one()
        completions = conn.execute(sa.select(seal_store.COMPLETIONS.c.level, seal_store.COMPLETIONS.c.time_source))
        assert completions.all() == [("b-b", "claimed")]
    assert settled.object_key
    assert settled.object_key in str(facts)
    told = json.loads(event)
    assert (told["sealing"], told["stamped_sm3"], told["trusted_time"]) == (sealed.id, settled.object_key, "proved")


def test_a_level_that_is_given_at_once_stands_in_the_ledger(post: Post, pdf: bytes, ofd: bytes) -> None:
    post.sim.mood = Mood.GOOD
    answers = [post.seal(pdf), post.seal(ofd), post.seal(pdf, level="b-b")]
    assert [each.trusted_time for each in answers] == [TrustedTime.PROVED, TrustedTime.PROVED, TrustedTime.NONE]
    with post.house.db.read() as conn:
        query = sa.select(seal_store.COMPLETIONS.c.level).order_by(seal_store.COMPLETIONS.c.completed_at)
        assert sorted(map(str, conn.execute(query).scalars())) == ["None", "b-b", "b-t"]
    assert post.jobs() == 0


def test_no_stamp_is_put_on_a_seal_that_was_revoked_before_it(post: Post, ofd: bytes) -> None:
    sealed = post.seal(ofd)
    post.house.clock.advance(timedelta(minutes=1))
    post.house.registrar.revoke(SEAL, "withdrawn")
    post.sim.mood = Mood.GOOD
    post.work()
    settled = post.settled(sealed.id)
    assert settled is not None
    assert (settled.object_key, settled.refusal) == (None, "SEAL_REVOKED")
    standing = post.service.standing(post.service.progress(sealed.id, CLERK))
    assert (standing.trusted_time, standing.refusal) == (TrustedTime.NONE, "SEAL_REVOKED")
    # The document stays what it is: valid at the time it claims, which nothing proves.
    document, _ = post.service.document(sealed.id, CLERK)
    report = post.house.judge(document)
    assert (document, report.verdict) == (sealed.document, Verdict.VALID)
    assert "TIME_NOT_PROVED" in codes(report)
    assert post.house.actions()[-1] == "seal.sealing.stamp.refused"
    assert post.jobs() == 0


@pytest.mark.parametrize("kind", ["pdf", "ofd"])
def test_no_stamp_is_put_on_a_certificate_that_ended_before_it(post: Post, pdf: bytes, ofd: bytes, kind: str) -> None:
    sealed = post.seal({"pdf": pdf, "ofd": ofd}[kind])
    end = post.house.authority.keys[0].certificate.not_after
    post.house.clock.advance(end - post.house.clock.now())
    post.sim.mood = Mood.GOOD
    post.work()
    settled = post.settled(sealed.id)
    assert settled is not None
    assert settled.object_key is None
    assert "SIGN_TIME_OUTSIDE_CERT" in (settled.refusal or "")
    assert post.house.judge(sealed.document).verdict is Verdict.VALID


def test_a_seal_that_is_put_aside_waits_and_is_stamped_when_it_is_back(post: Post, ofd: bytes) -> None:
    sealed = post.seal(ofd)
    post.house.clock.advance(timedelta(minutes=1))
    post.house.registrar.suspend(SEAL, "audit")
    post.sim.mood = Mood.GOOD
    asked = post.sim.asked
    post.work()
    assert (post.settled(sealed.id), post.sim.asked) == (None, asked)
    post.house.registrar.resume(SEAL, "done")
    post.work()
    assert post.house.judge(stamped(post, sealed)).verdict is Verdict.VALID


def test_an_authority_that_our_verifier_does_not_believe_is_asked_again_later(post: Post, ofd: bytes) -> None:
    sealed = post.seal(ofd)
    post.sim.mood = Mood.GOOD
    believing = post.house.trust
    less = replace(believing, anchors=believing.anchors[:-1])

    def doubting(document: bytes) -> Report:
        post.house.trust = less
        try:
            return post.house.judge(document)
        finally:
            post.house.trust = believing

    post.work(post.worker(judge=doubting))
    assert (post.settled(sealed.id), post.jobs()) == (None, 1)
    post.work()
    assert post.settled(sealed.id) is not None


def test_a_stamp_that_no_job_is_about_is_remembered(post: Post, ofd: bytes) -> None:
    sealed = post.seal(ofd)
    with post.house.db.begin() as conn:
        conn.exec_driver_sql("DELETE FROM jobs")
    assert post.late().remember() == 1
    assert post.late().remember() == 0
    post.sim.mood = Mood.GOOD
    post.work()
    assert post.settled(sealed.id) is not None
    assert post.late().remember() == 0


def test_without_an_authority_what_is_owed_stays_owed(post: Post, ofd: bytes) -> None:
    sealed = post.seal(ofd)
    post.work(post.worker(stamper=None))
    assert (post.settled(sealed.id), post.jobs()) == (None, 1)


def test_what_waits_is_listed_for_those_of_the_house_longest_first(post: Post, ofd: bytes) -> None:
    house: House = post.house
    first = post.seal(ofd, case_number="A-1")
    house.clock.advance(timedelta(minutes=1))
    second = post.seal(ofd)
    unsealed = house.unsealed()
    assert [(each.sealing, each.file) for each in unsealed.unstamped(CLERK)] == [
        (first.id, first.object_key),
        (second.id, second.object_key),
    ]
    (page,) = unsealed.unstamped(CLERK, limit=1)
    assert (page.case_number, page.owed_at) == ("A-1", house.clock.now() - timedelta(minutes=1))
    assert [each.sealing for each in unsealed.unstamped(CLERK, after=page.sealing)] == [second.id]
    stranger = replace(CLERK, subject="stranger", rights=frozenset())
    others = replace(CLERK, organisation="11990100MB0000000P")
    assert unsealed.unstamped(stranger) == unsealed.unstamped(others) == ()
    post.sim.mood = Mood.GOOD
    post.work()
    assert unsealed.unstamped(CLERK) == ()


def test_a_level_by_name_is_given_or_refused_as_ever(post: Post, pdf: bytes) -> None:
    for level in ("b-t", "b-b"):
        if level == "b-t":
            with pytest.raises(TimestampUnavailable):
                post.service.seal(request(pdf, level=level), CLERK)
        else:
            assert post.seal(pdf, level=level).trusted_time is TrustedTime.NONE
    assert post.jobs() == 0
