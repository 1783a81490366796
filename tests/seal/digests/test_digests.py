"""A digest is sealed for a document that is never sent, and the document that takes the answer is genuine."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from starlette.testclient import TestClient

from crypto.digests import SHA256, SM3, DigestAlgorithm
from crypto.suites import SM2_SM3
from kernel.audit import entries
from kernel.guard import BearerGuard
from kernel.principal import Principal
from kernel.problem import install
from seal.digests import DIGEST_FORMATS, judge_any
from seal.digests.api import digest_router
from seal.digests.formats import DIGEST
from seal.digests.order import DigestOrder, DigestRefused, is_order, read_order
from seal.errors import SealingRejected
from seal.formats.ofd import OFD_SES
from seal.formats.ofd.sealing import _PreparedSeal
from seal.formats.pdf.contents import Contents
from seal.formats.pdf.sealing import PdfSealing
from seal.formats_table import SEALING_FORMATS
from seal.model import Credential, Mark, SignMessage, Verdict
from seal.placing import InCorner
from seal.request import SealRequest
from seal.sealing import SealService
from tests.judges import openssl, pyhanko
from tests.seal.conftest import CLERK, SEAL, House

PATH = f"/api/seals/v1/seals/{SEAL}/digests"
RIGHTS = frozenset({f"seal.use_digest:{SEAL}"})
CALLERS = {"blind": replace(CLERK, subject="blind", rights=RIGHTS), "clerk": CLERK}
DIGEST_HEX = SM3.digest(b"unseen").hex()
Ask = Callable[..., dict[str, Any]]


class Tokens:
    """Knows two callers by name."""

    def principal(self, token: str) -> Principal:
        return CALLERS[token]


@pytest.fixture
def service(house: House) -> SealService:
    def judge(made: bytes) -> Any:
        return judge_any(made, house.trust, now=house.clock.now())

    return house.service(judge=judge, formats={**SEALING_FORMATS, **DIGEST_FORMATS})


@pytest.fixture
def http(service: SealService) -> Iterator[TestClient]:
    app = FastAPI()
    install(app)
    app.include_router(digest_router(service=service, guard=BearerGuard(Tokens())))
    with TestClient(app, headers={"Authorization": "Bearer blind"}) as client:
        yield client


@pytest.fixture
def ask(http: TestClient) -> Ask:
    """Have a digest sealed; give the answer."""

    def post(**body: Any) -> dict[str, Any]:
        answer = http.post(PATH, json=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    return post


@dataclass
class Elsewhere:
    """Contents of a PDF's signature that are made elsewhere, from the digest alone."""

    ask: Ask
    format: str
    digest: DigestAlgorithm
    filter: str
    subfilter: str
    protects: str | None = None
    room: int = 64_000

    def contents(self, credential: Credential, at: datetime) -> Contents:
        del credential, at
        return self

    def make(self, digest: bytes, sign: SignMessage) -> bytes:
        del sign
        body: dict[str, Any] = {"format": self.format, "algorithm": self.digest.name, "digest": digest.hex()}
        if self.protects:
            body["protects"] = self.protects
        return base64.b64decode(self.ask(**body, room=self.room)["signature"])


KINDS: Mapping[str, tuple[Any, ...]] = {
    "digest-pades-sm2": (SM3, "Adobe.PPKLite", "ETSI.CAdES.detached"),
    "digest-pades-p256": (SHA256, "Adobe.PPKLite", "ETSI.CAdES.detached"),
    "digest-ses-v4": (SM3, "GM.PKILite", "GM.sm2seal", "/ByteRange"),
    "digest-gbt35275": (SM3, "GM.PKILite", "GM.sm2cms.detached"),
}


def no_key(_: bytes) -> bytes:
    raise AssertionError("nothing is signed where the document is")


def mark(house: House) -> Mark:
    placement = InCorner()
    return Mark(seal_name="章", picture=house.authority.picture, placement=placement, reason="r", shown=True)


def credential(house: House) -> Credential:
    return house.register.credential(house.seal, SM2_SM3).credential


@pytest.mark.parametrize("format_name", KINDS)
def test_a_pdf_laid_out_elsewhere_takes_the_answer_and_is_genuine(
    format_name: str, house: House, ask: Ask, pdf: bytes
) -> None:
    kind = Elsewhere(ask, format_name, *KINDS[format_name])
    layout = PdfSealing("elsewhere", kind)
    made = layout.prepare(pdf, mark(house), credential(house), house.clock.now()).apply(no_key)
    report = house.judge(made)
    assert (report.verdict, len(report.signatures)) == (Verdict.VALID, 1)
    if format_name.startswith("digest-pades"):
        told = pyhanko.judge(made, [house.authority.ca.trust().anchors[0]], house.clock.now())
        assert told.signatures[0].intact, told
    if format_name == "digest-pades-p256":
        start = made.index(b"/Contents <") + len(b"/Contents ")
        end = made.index(b">", start) + 1
        value = bytes.fromhex(made[start + 1 : end - 1].decode())
        anchors = house.authority.ca.trust().anchors
        assert any(openssl.accepts_cms(value, made[:start] + made[end:], one) for one in anchors)


def test_an_ofd_laid_out_elsewhere_takes_the_answer_and_is_genuine(house: House, ask: Ask, ofd: bytes) -> None:
    prepared = OFD_SES.prepare(ofd, mark(house), credential(house), house.clock.now())
    assert isinstance(prepared, _PreparedSeal)
    digest = prepared.document_digest.hex()
    told = ask(format="digest-ses-v4", algorithm="SM3", digest=digest, protects=f"/{prepared.covers}")
    value = base64.b64decode(told["signature"])
    made = prepared.package.archive.rewritten({**prepared.changes, prepared.value: value})
    assert house.judge(made).verdict is Verdict.VALID


def test_answer_and_records_say_that_the_document_was_not_seen(house: House, ask: Ask) -> None:
    told = ask(format="digest-gbt35275", algorithm="SM3", digest=DIGEST_HEX, case_number="A-1")
    assert (told["document_seen"], told["digest"], told["report"]["verdict"]) == (False, DIGEST_HEX, "valid")
    with house.db.read() as conn:
        query = sa.select(entries.c.facts).where(entries.c.action == "seal.sealing.intended")
        logged = json.loads(conn.execute(query).scalar_one())
        row = conn.execute(sa.text("SELECT sealing, algorithm, digest FROM seal_sealing_digests")).one()
        address = conn.execute(sa.text("SELECT client_address FROM seal_usages")).scalar_one()
    assert address == "testclient"
    assert (logged["document_seen"], logged["digest"]) == (False, DIGEST_HEX)
    assert tuple(row) == (told["id"], "SM3", DIGEST_HEX)


def test_the_right_to_use_a_seal_is_none_to_seal_the_unseen(http: TestClient, house: House) -> None:
    body = {"format": "digest-pades-sm2", "algorithm": "SM3", "digest": DIGEST_HEX}
    answer = http.post(PATH, json=body, headers={"Authorization": "Bearer clerk"})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert "seal.sealing.intended" not in house.actions()


def test_no_other_door_seals_the_unseen_by_the_right_to_use_a_seal(service: SealService) -> None:
    order = DigestOrder(algorithm="SM3", digest=DIGEST_HEX).octets
    wish = SealRequest(document=order, seal=SEAL, format="digest-pades-sm2")
    with pytest.raises(Exception, match=r"seal\.use_digest"):
        service.seal(wish, CLERK)
    (answer,) = service.seal_all([wish], CLERK)
    assert "seal.use_digest" in str(answer)
    held = service.seal(wish, CALLERS["blind"])
    with pytest.raises(Exception, match="no such sealing"):
        service.document(held.id, CLERK)


def test_one_key_seals_one_digest_once(http: TestClient) -> None:
    body = {"format": "digest-pades-sm2", "algorithm": "SM3", "digest": DIGEST_HEX}
    key = {"Idempotency-Key": "K-1"}
    first, again = (http.post(PATH, json=body, headers=key) for _ in range(2))
    assert first.json()["signature"] == again.json()["signature"]
    assert again.headers["idempotency-replayed"] == "true"
    other = http.post(PATH, json={**body, "digest": "0" * 64}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


WRONG: Mapping[str, dict[str, Any]] = {
    "another algorithm": {"format": "digest-pades-p256"},
    "nothing protected": {"format": "digest-ses-v4"},
    "protected where nothing says so": {"protects": "/ByteRange"},
    "too little room": {"room": 100},
}


@pytest.mark.parametrize("case", WRONG)
def test_a_digest_that_cannot_be_sealed_leaves_no_trace(case: str, http: TestClient, house: House) -> None:
    body = {"format": "digest-pades-sm2", "algorithm": "SM3", "digest": DIGEST_HEX, **WRONG[case]}
    answer = http.post(PATH, json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "digest_refused")
    assert "seal.sealing.intended" not in house.actions()


def test_a_cut_off_sealing_is_finished_from_what_was_kept(house: House, service: SealService) -> None:
    wish = SealRequest(
        document=DigestOrder(algorithm="SM3", digest=DIGEST_HEX).octets,
        seal=SEAL,
        format="digest-gbt35275",
        idempotency_key="K-2",
    )
    formats = {**SEALING_FORMATS, **DIGEST_FORMATS}

    def dead(_: bytes) -> Any:
        raise SealingRejected("for the test")

    with pytest.raises(SealingRejected):
        house.service(judge=dead, formats=formats).seal(wish, CALLERS["blind"])
    (stuck,) = service.pending()
    assert service.retry(stuck.intent.id, CALLERS["blind"]).serial == stuck.intent.serial


def test_an_order_is_told_from_a_document_to_the_letter(pdf: bytes, ofd: bytes) -> None:
    order = DigestOrder(algorithm="SM3", digest=DIGEST_HEX, protects="/ByteRange", room=9000)
    assert read_order(order.octets) == order
    assert is_order(order.octets)
    assert not any(map(is_order, (pdf, ofd, order.octets + b" ", order.octets[:-1], b'{"order":"digest",}', b"")))
    for wrong in ({"digest": "0" * 62}, {"digest": DIGEST_HEX.upper()}, {"algorithm": "SHA-1"}, {"protects": "x"}):
        with pytest.raises(DigestRefused):
            replace(order, **wrong)  # type: ignore[arg-type]
    assert DIGEST.right == "seal.use_digest"
