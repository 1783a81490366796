"""Sealing with time stamps: every signature gets one; where a level is asked for, nothing is handed out without."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from crypto.digests import DigestAlgorithm
from crypto.suites import SM2_SM3
from kernel.clock import ManualClock
from seal import store
from seal.errors import SealingRejected
from seal.formats_table import SEALING_FORMATS
from seal.model import Credential, Mark, PreparedDocument, TimeSource, Verdict
from seal.pki.errors import TimestampUnavailable
from seal.pki.tsa_client import Stamped, Tsa
from seal.stamping import AuthorityStamper
from seal.verifying import verify_in_process
from tests.crypto.authority import Authority as Issuer
from tests.sims.tsa import Mood, TsaSimulator

from .conftest import CLERK, Authority, House, request

LATER = timedelta(seconds=3)
STAMPED = sorted(name for name, row in SEALING_FORMATS.items() if row.stamped)
NO_TOKEN = [
    Mood.CLOSES,
    Mood.ERROR_500,
    Mood.GARBAGE,
    Mood.REJECTS,
    Mood.UNTRUSTED,
    Mood.WRONG_IMPRINT,
    Mood.WRONG_TIME,
    Mood.BAD_SIGNATURE,
]


@pytest.fixture(scope="session")
def issuer(authority: Authority) -> Issuer:
    """Whoever certifies the time-stamp authorities: not the root of our seals."""
    return Issuer(authority.vault, SM2_SM3)


@pytest.fixture
def sims(issuer: Issuer, clock: ManualClock) -> Iterator[tuple[TsaSimulator, TsaSimulator]]:
    with TsaSimulator(issuer, ahead(clock)) as first, TsaSimulator(issuer, ahead(clock)) as second:
        yield first, second


def ahead(clock: ManualClock) -> Callable[[], datetime]:
    """Give the time of an authority whose clock is a little before ours: its times are never ours by chance."""
    return lambda: clock.now() + LATER


@pytest.fixture
def client(house: House, issuer: Issuer, sims: tuple[TsaSimulator, TsaSimulator]) -> AuthorityStamper:
    house.trust = replace(house.trust, anchors=(*house.trust.anchors, issuer.root.certificate))
    return AuthorityStamper(
        [Tsa(name=f"tsa-{number}", url=each.url) for number, each in enumerate(sims, 1)],
        trust=lambda: house.trust,
        clock=house.clock,
        timeout=timedelta(seconds=30),  # nobody here is silent: a busy machine may be slow
    )


def completions(house: House) -> int:
    with house.db.read() as conn:
        return conn.execute(sa.select(sa.func.count()).select_from(store.COMPLETIONS)).scalar_one()


@pytest.mark.parametrize("name", STAMPED)
def test_a_signature_carries_the_time_that_an_authority_confirms(
    house: House, ofd: bytes, pdf: bytes, client: AuthorityStamper, name: str
) -> None:
    document = pdf if name.startswith("pdf") else ofd
    sealed = house.service(stamper=client).seal(request(document, format=name), CLERK)
    (signature,) = house.judge(sealed.document).signatures
    assert (signature.format, signature.verdict) == (name, Verdict.VALID)
    assert (signature.time, signature.time_source) == (house.clock.now() + LATER, TimeSource.TIMESTAMP)


def test_seal_signature_and_list_follow_one_another_each_with_its_stamp(
    house: House, ofd: bytes, client: AuthorityStamper
) -> None:
    service, document = house.service(stamper=client), ofd
    for name in ("ofd-ses-v4", "ofd-gbt35275", "ofd-gmt0099"):
        document = service.seal(request(document, format=name), CLERK).document
        house.clock.advance(timedelta(minutes=1))
    report = house.judge(document)
    assert report.verdict is Verdict.VALID
    assert [each.format for each in report.signatures] == ["ofd-ses-v4", "ofd-gbt35275", "ofd-gmt0099"]
    assert {each.time_source for each in report.signatures} == {TimeSource.TIMESTAMP}


@pytest.mark.parametrize("mood", NO_TOKEN)
def test_where_one_authority_fails_the_next_stamps(
    house: House, ofd: bytes, client: AuthorityStamper, sims: tuple[TsaSimulator, TsaSimulator], mood: Mood
) -> None:
    sims[0].mood = mood
    sealed = house.service(stamper=client).seal(request(ofd), CLERK)
    assert sealed.report.signatures[0].time_source is TimeSource.TIMESTAMP
    assert [each.asked for each in sims] == [1, 1]


@pytest.mark.parametrize("mood", [Mood.CLOSES, Mood.GARBAGE, Mood.UNTRUSTED])
def test_where_nobody_stamps_a_level_is_refused_and_a_retry_is_the_same_sealing(
    house: House, pdf: bytes, client: AuthorityStamper, sims: tuple[TsaSimulator, TsaSimulator], mood: Mood
) -> None:
    for each in sims:
        each.mood = mood
    service, asked = house.service(stamper=client), request(pdf, idempotency_key="k1", level="b-t")
    with pytest.raises(TimestampUnavailable) as refused:
        service.seal(asked, CLERK)
    assert "tsa-2" in str(refused.value)
    assert "http" not in str(refused.value).replace("http (", "")
    assert completions(house) == 0
    (left,) = service.pending()
    assert left.failure == "timestamp_unavailable"
    assert house.actions()[1:] == ["seal.sealing.intended", "seal.sealing.failed"]
    for each in sims:
        each.mood = Mood.GOOD
    sealed = service.seal(asked, CLERK)
    assert (sealed.serial, sealed.replayed) == (1, False)
    assert sealed.report.signatures[0].time_source is TimeSource.TIMESTAMP
    # What is complete is given again without asking anybody.
    asked_before = [each.asked for each in sims]
    again = service.seal(asked, CLERK)
    assert (again.replayed, again.document) == (True, sealed.document)
    assert [each.asked for each in sims] == asked_before
    assert service.pending() == ()


def test_without_authorities_the_time_is_claimed(house: House, ofd: bytes) -> None:
    (signature,) = house.service().seal(request(ofd), CLERK).report.signatures
    assert (signature.time, signature.time_source) == (house.clock.now(), TimeSource.CLAIMED)


def test_for_the_lowest_level_nobody_is_asked(
    house: House, pdf: bytes, client: AuthorityStamper, sims: tuple[TsaSimulator, TsaSimulator]
) -> None:
    for each in sims:
        each.mood = Mood.CLOSES
    sealed = house.service(stamper=client).seal(request(pdf, level="b-b"), CLERK)
    assert sealed.report.signatures[0].time_source is TimeSource.CLAIMED
    assert [each.asked for each in sims] == [0, 0]


def test_a_layout_that_leaves_the_stamp_out_is_found_out(house: House, ofd: bytes, client: AuthorityStamper) -> None:
    honest = SEALING_FORMATS["ofd-ses-v4"]

    class Forgetful:
        name, media_type = honest.name, honest.document.media_type

        def prepare(self, document: bytes, mark: Mark, credential: Credential, at: datetime) -> PreparedDocument:
            return honest.layout.prepare(document, mark, replace(credential, stamper=None), at)

    service = house.service(stamper=client, formats={honest.name: replace(honest, layout=Forgetful())})
    with pytest.raises(SealingRejected):
        service.seal(request(ofd), CLERK)
    assert completions(house) == 0


def test_an_authority_is_believed_under_the_trust_of_the_moment(
    house: House, pdf: bytes, issuer: Issuer, client: AuthorityStamper
) -> None:
    known, asked = house.trust, request(pdf, level="b-t")
    house.trust = replace(known, anchors=tuple(each for each in known.anchors if each != issuer.root.certificate))
    with pytest.raises(TimestampUnavailable, match="untrusted"):
        house.service(stamper=client).seal(asked, CLERK)
    house.trust = known
    assert house.service(stamper=client).seal(asked, CLERK).report.verdict is Verdict.VALID


def test_a_token_that_our_verifier_does_not_believe_is_not_handed_out(
    house: House, ofd: bytes, issuer: Issuer, client: AuthorityStamper
) -> None:
    known = house.trust
    less = replace(known, anchors=tuple(each for each in known.anchors if each != issuer.root.certificate))
    service = house.service(stamper=client, judge=lambda document: verify_in_process(document, less))
    with pytest.raises(SealingRejected, match="TIMESTAMP_UNTRUSTED"):
        service.seal(request(ofd), CLERK)
    assert completions(house) == 0


def test_a_stamp_over_another_signature_is_not_handed_out(house: House, ofd: bytes, client: AuthorityStamper) -> None:
    class Confused:
        def stamp(self, digest: DigestAlgorithm, value: bytes) -> Stamped:
            return client.stamp(digest, digest.digest(value))

    with pytest.raises(SealingRejected, match="TIMESTAMP_INVALID"):
        house.service(stamper=Confused()).seal(request(ofd), CLERK)
    assert completions(house) == 0
