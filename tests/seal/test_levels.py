"""Levels through the service: what is asked for is given or refused, and the ledger knows of every signature."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from starlette.testclient import TestClient

from crypto.crl import make_crl
from crypto.digests import DigestAlgorithm
from crypto.keys import VaultSigner
from crypto.suites import ES256, SM2_SM3, Suite
from crypto.timestamp_build import Imprint, TokenTemplate
from crypto.x509 import TSA, make_certificate, name
from kernel.guard import BearerGuard
from kernel.principal import Principal, PrincipalKind
from kernel.problem import install
from seal import store
from seal.api_renewals import renewal_router
from seal.errors import DocumentForged, EvidenceMissing, IdempotencyMismatch, LevelRefused, RoomTooSmall
from seal.levels import Level
from seal.model import Report, Verdict
from seal.pki.errors import TimestampUnavailable
from seal.pki.tsa_client import Stamped
from seal.renewing import RenewalService
from seal.sealing import SealService
from seal.trust import Facts
from seal.trust.evidence import TrustEvidence
from seal.verifying import Verifier, verify_in_process

from .conftest import CLERK, SEAL, START, Authority, House, request

OPERATOR = Principal(subject="operator", kind=PrincipalKind.OPERATOR, rights=frozenset({"document.renew:*"}))
DAY = timedelta(days=1)


class Roots:
    """What the roots of our seals do beside certifying them: stamp, and publish lists."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._serials = count(1)
        self.templates = {suite: self._template(suite) for suite in (SM2_SM3, ES256)}

    def _signer(self, suite: Suite) -> VaultSigner:
        return VaultSigner(self._authority.vault, self._authority.ca._holders[suite.name].key)

    def _template(self, suite: Suite) -> TokenTemplate:
        key = VaultSigner(self._authority.vault, self._authority.vault.generate(suite))
        certificate = make_certificate(
            subject=name("时间戳", "某某市"),
            public_key=key.public_key,
            issuer=self._authority.ca.root(suite),
            issuer_key=self._signer(suite),
            serial=next(self._serials) + 10,
            not_before=START - DAY,
            not_after=START + 700 * DAY,
            profile=TSA,
        )
        return TokenTemplate(certificate, (), key, policy="1.2.156.10197.99.1")

    def facts(self) -> Facts:
        """Give lists that nobody is on."""
        lists = (
            make_crl(
                issuer=self._authority.ca.root(suite),
                issuer_key=self._signer(suite),
                number=1,
                this_update=START - DAY / 2,
                next_update=START + DAY,
                revoked=(),
            )
            for suite in self.templates
        )
        return Facts(crls=lists)


class Desk:
    """A ``Stamper`` in this process: of each digest's own suite, with as many idle octets as it is told."""

    def __init__(self, house: House, roots: Roots) -> None:
        self._house = house
        self._by_digest = {suite.digest: template for suite, template in roots.templates.items()}
        self._serials = count(1)
        self.idle = 0
        self.asked = 0

    def stamp(self, digest: DigestAlgorithm, value: bytes) -> Stamped:
        self.asked += 1
        at = self._house.clock.now() + timedelta(seconds=2)
        template = self._by_digest[digest]
        idle = (template.certificate,) * self.idle
        wide = TokenTemplate(template.certificate, idle, template._signer, policy=template.policy)
        return Stamped(
            token=wide.token(Imprint.of(digest.oid, value), serial=next(self._serials), at=at), time=at, by="desk"
        )


@pytest.fixture(scope="session")
def roots(authority: Authority) -> Roots:
    return Roots(authority)


@pytest.fixture
def desk(house: House, roots: Roots) -> Desk:
    house.trust = replace(house.trust, facts=roots.facts())
    return Desk(house, roots)


@pytest.fixture
def evidence(house: House) -> TrustEvidence:
    return TrustEvidence(lambda: house.trust, house.clock)


def judge(house: House, document: bytes) -> Report:
    return verify_in_process(document, house.trust, now=house.clock.now() + timedelta(minutes=1))


def service(house: House, desk: Desk | None, evidence: TrustEvidence | None) -> SealService:
    return house.service(judge=lambda document: judge(house, document), stamper=desk, evidence=evidence)


def renewal(house: House, desk: Desk | None, evidence: TrustEvidence) -> RenewalService:
    return RenewalService(
        db=house.db,
        audit=house.audit,
        clock=house.clock,
        judge=lambda document: judge(house, document),
        stamper=desk,
        evidence=evidence,
        objects=house.objects,
    )


def ledger(house: House, table: sa.Table) -> int:
    with house.db.read() as conn:
        return conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def test_every_level_can_be_asked_for_in_every_suite(
    house: House, pdf: bytes, desk: Desk, evidence: TrustEvidence
) -> None:
    for format_ in ("pdf-pades-sm2", "pdf-pades-p256"):
        for level in Level:
            sealed = service(house, desk, evidence).seal(request(pdf, format=format_, level=level), CLERK)
            assert (sealed.report.verdict, sealed.report.signatures[0].level) == (Verdict.VALID, level)
        # Where nobody asks, it is the level that the service can give by itself.
        sealed = service(house, desk, evidence).seal(request(pdf, format=format_), CLERK)
        assert sealed.report.signatures[0].level == Level.T
    assert house.service().seal(request(pdf), CLERK).report.signatures[0].level == Level.B


def test_two_signatures_of_one_sealing_last_alike_and_a_closed_document_takes_the_stamp(
    house: House, pdf: bytes, desk: Desk, evidence: TrustEvidence
) -> None:
    asked = request(pdf, level="b-lta", also="pdf-pades-p256", closes=True)
    report = service(house, desk, evidence).seal(asked, CLERK).report
    assert report.verdict is Verdict.VALID
    assert [each.level for each in report.signatures] == [Level.LTA, Level.LTA, None]


def test_a_level_that_cannot_be_had_is_refused_and_nothing_is_written(
    house: House, pdf: bytes, ofd: bytes, desk: Desk, evidence: TrustEvidence
) -> None:
    with pytest.raises(TimestampUnavailable, match="XINYIN_TSA"):
        service(house, None, evidence).seal(request(pdf, level="b-t"), CLERK)
    with pytest.raises(EvidenceMissing):
        service(house, desk, None).seal(request(pdf, level="b-lt"), CLERK)
    house.trust = replace(house.trust, facts=Facts())
    with pytest.raises(EvidenceMissing, match=SEAL):
        service(house, desk, evidence).seal(request(pdf, level="b-lta"), CLERK)
    for asked in (request(ofd, level="b-t"), request(pdf, level="b-ltx")):
        with pytest.raises(LevelRefused):
            service(house, desk, evidence).seal(asked, CLERK)
    assert (desk.asked, ledger(house, store.SEALINGS)) == (0, 0)


def test_a_token_larger_than_its_room_is_a_second_attempt_with_its_own_digest_on_record(
    house: House, pdf: bytes, desk: Desk, evidence: TrustEvidence
) -> None:
    sealing, desk.idle = service(house, desk, evidence), 20
    sealed = sealing.seal(request(pdf), CLERK)
    assert sealed.report.verdict is Verdict.VALID
    assert house.actions()[1:] == [
        "seal.sealing.intended",
        "seal.sealing.failed",
        "seal.sealing.retried",
        "seal.sealing.completed",
    ]
    with house.db.read() as conn:
        rows = conn.execute(sa.select(store.ATTEMPTS.c.number, store.ATTEMPTS.c.document_digest)).all()
        failed = conn.execute(sa.select(store.FAILURES.c.code)).scalars().all()
    assert sorted(number for number, _ in rows) == [1, 2]
    assert len({digest for _, digest in rows}) == 2
    assert failed == ["room_too_small"]
    assert (ledger(house, store.SEALINGS), ledger(house, store.COMPLETIONS)) == (1, 1)
    # It has learned: the next one is laid out with room enough.
    asked = desk.asked
    assert sealing.seal(request(pdf), CLERK).serial == 2
    assert desk.asked == asked + 1


def test_tokens_that_grow_without_end_are_given_up(
    house: House, roots: Roots, pdf: bytes, evidence: TrustEvidence
) -> None:
    class Growing(Desk):
        def stamp(self, digest: DigestAlgorithm, value: bytes) -> Stamped:
            self.idle = 3 * self.idle + 20
            return super().stamp(digest, value)

    growing = Growing(house, roots)
    with pytest.raises(RoomTooSmall):
        service(house, growing, evidence).seal(request(pdf), CLERK)
    assert (growing.asked, ledger(house, store.ATTEMPTS), ledger(house, store.COMPLETIONS)) == (2, 2, 0)


def test_the_level_belongs_to_the_request(house: House, pdf: bytes, desk: Desk, evidence: TrustEvidence) -> None:
    sealing = service(house, desk, evidence)
    first = sealing.seal(request(pdf, level="b-lta", idempotency_key="k"), CLERK)
    assert sealing.seal(request(pdf, level="b-lta", idempotency_key="k"), CLERK).document == first.document
    with pytest.raises(IdempotencyMismatch):
        sealing.seal(request(pdf, idempotency_key="k"), CLERK)


def test_a_seal_is_renewed_and_the_log_says_so(house: House, pdf: bytes, desk: Desk, evidence: TrustEvidence) -> None:
    sealed = service(house, desk, evidence).seal(request(pdf, level="b-b"), CLERK).document
    house.clock.advance(timedelta(hours=1))
    renewed = renewal(house, desk, evidence).renew(sealed, OPERATOR)
    assert renewed.document.startswith(sealed)
    assert renewed.report.signatures[0].level == Level.LTA
    again = renewal(house, desk, evidence).renew(renewed.document, OPERATOR)
    assert [each.format for each in again.report.signatures] == ["pdf-pades-sm2", "doc-timestamp", "doc-timestamp"]
    assert house.actions()[-2:] == ["seal.document.renewed"] * 2


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_one_key_renews_once_and_the_right_is_asked_for(
    house: House, pdf: bytes, desk: Desk, evidence: TrustEvidence
) -> None:
    sealed = service(house, desk, evidence).seal(request(pdf, level="b-b"), CLERK).document
    renewing = renewal(house, desk, evidence)
    app = FastAPI()
    install(app)
    verifier = Verifier(lambda: house.trust, clock=house.clock)
    app.include_router(renewal_router(service=renewing, verifier=verifier, guard=BearerGuard(Tokens())))
    pdf_type = {"Content-Type": "application/pdf", "Idempotency-Key": "R-1"}
    with TestClient(app) as http, closing(verifier):

        def post(token: str, content: bytes) -> Any:
            return http.post("/api/seals/v1/renewals", content=content, headers={**pdf_type, **bearer(token)})

        assert post("clerk", sealed).json()["code"] == "forbidden"
        first, again = post("operator", sealed), post("operator", sealed)
        assert (first.status_code, first.headers["content-type"]) == (200, "application/pdf")
        assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
        assert first.content.startswith(sealed)
        assert post("operator", first.content).json()["code"] == "idempotency_mismatch"
    assert house.actions().count("seal.document.renewed") == 1


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class Tokens:
    """Knows two callers by name."""

    def principal(self, token: str) -> Principal:
        return {"clerk": CLERK, "operator": OPERATOR}[token]


def test_a_seal_that_has_no_levels_stands_in_no_other_signatures_way(
    house: House, pdf: bytes, desk: Desk, evidence: TrustEvidence
) -> None:
    both = request(pdf, format="pdf-ses-v4", also="pdf-pades-p256")
    sealed = service(house, desk, evidence).seal(both, CLERK).document
    renewing = renewal(house, desk, evidence)
    renewed = renewing.renew(renewing.renew(sealed, OPERATOR).document, OPERATOR)
    assert renewed.report.verdict is Verdict.VALID
    assert [each.level for each in renewed.report.signatures] == [None, Level.LTA, None, None]
    alone = service(house, desk, evidence).seal(request(pdf, format="pdf-ses-v4"), CLERK).document
    with pytest.raises(LevelRefused, match="none that has levels"):
        renewing.renew(alone, OPERATOR)


def test_what_cannot_be_renewed_is_refused(
    house: House, pdf: bytes, ofd: bytes, desk: Desk, evidence: TrustEvidence
) -> None:
    sealed = bytearray(service(house, desk, evidence).seal(request(pdf), CLERK).document)
    renewing = renewal(house, desk, evidence)
    sealed[pdf.index(b"/MediaBox") + 1] ^= 1
    with pytest.raises(DocumentForged):
        renewing.renew(bytes(sealed), OPERATOR)
    for document in (pdf, ofd):
        with pytest.raises(LevelRefused):
            renewing.renew(document, OPERATOR)
    with pytest.raises(LevelRefused):
        renewing.renew(pdf, OPERATOR, Level.B)
    with pytest.raises(TimestampUnavailable, match="XINYIN_TSA"):
        renewal(house, None, evidence).renew(pdf, OPERATOR)
