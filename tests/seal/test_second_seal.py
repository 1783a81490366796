"""One sealing, two signatures: the SM2 seal, and one for readers that know no SM2."""

import json
from dataclasses import replace

import pytest
import sqlalchemy as sa

from crypto.errors import KeyRefused
from crypto.keys import KeyId, KeyVault
from crypto.suites import ES256
from kernel.audit import entries
from seal import store
from seal.errors import FurtherSealingForbidden, SealingRejected, SealNotUsable, SigningUnavailable, UnsupportedDocument
from seal.formats.pdf.form import signature_fields
from seal.formats.pdf.reader import Document
from seal.formats_table import SEALING_FORMATS
from seal.model import Credential, Mark, PreparedDocument, SealStatus, SignMessage, Verdict
from seal.request import request_hash
from tests.judges import pdfsig

from .conftest import CLERK, SEAL, House, request

SECOND = "pdf-pades-p256"
ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
FIRSTS = ["pdf-ses-v4", "pdf-gm-cms", "pdf-pades-sm2"]


class OneHanded:
    """A vault that signs with SM2 keys only."""

    def __init__(self, house: House) -> None:
        self._inner: KeyVault = house.authority.vault

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def sign_digest(self, key: KeyId, digest: bytes) -> bytes:
        if self._inner.suite(key) is ES256:
            raise KeyRefused("the device is unplugged")
        return self._inner.sign_digest(key, digest)


def facts(house: House, action: str) -> dict[str, object]:
    with house.db.read() as conn:
        found = conn.execute(sa.select(entries.c.facts).where(entries.c.action == action)).scalar_one()
    return dict(json.loads(found)) if isinstance(found, str) else dict(found)


def completions(house: House) -> int:
    with house.db.read() as conn:
        return conn.execute(sa.select(sa.func.count()).select_from(store.COMPLETIONS)).scalar_one()


@ONE_DATABASE
@pytest.mark.parametrize("first", FIRSTS)
def test_both_signatures_are_valid_under_one_serial(house: House, pdf: bytes, first: str) -> None:
    sealed = house.service().seal(request(pdf, format=first, also=SECOND), CLERK)
    assert [(one.format, one.verdict) for one in sealed.report.signatures] == [
        (first, Verdict.VALID),
        (SECOND, Verdict.VALID),
    ]
    assert (sealed.serial, sealed.format) == (1, first)
    assert house.actions()[1:] == ["seal.sealing.intended", "seal.sealing.continued", "seal.sealing.completed"]
    assert facts(house, "seal.sealing.intended")["format"] == f"{first}+{SECOND}"
    assert facts(house, "seal.sealing.continued")["format"] == SECOND


@ONE_DATABASE
def test_only_the_first_is_to_be_seen_and_the_second_covers_the_whole(house: House, pdf: bytes) -> None:
    sealed = house.service().seal(request(pdf, format="pdf-ses-v4", also=SECOND), CLERK).document
    shown, hidden = signature_fields(Document(sealed).current)
    assert "AP" in shown.entries
    assert "AP" not in hidden.entries
    assert hidden.entries["Rect"] == [0, 0, 0, 0]
    first, second = pdfsig.opinions(sealed)
    assert not first.valid
    assert second.valid
    assert second.whole


@ONE_DATABASE
def test_closing_is_done_by_the_last(house: House, pdf: bytes) -> None:
    service = house.service()
    sealed = service.seal(request(pdf, format="pdf-ses-v4", also=SECOND, closes=True), CLERK)
    assert sealed.report.verdict is Verdict.VALID
    with pytest.raises(FurtherSealingForbidden):
        service.seal(request(sealed.document), CLERK)


def test_where_the_second_fails_nothing_is_handed_out_and_a_retry_is_the_same_sealing(house: House, pdf: bytes) -> None:
    asked = request(pdf, format="pdf-ses-v4", also=SECOND, idempotency_key="k1")
    with pytest.raises(SigningUnavailable):
        house.service(vault=OneHanded(house)).seal(asked, CLERK)  # type: ignore[arg-type]
    assert completions(house) == 0
    assert house.actions()[-1] == "seal.sealing.failed"
    sealed = house.service().seal(asked, CLERK)
    assert (sealed.serial, len(sealed.report.signatures)) == (1, 2)
    again = house.service().seal(asked, CLERK)
    assert (again.replayed, again.document) == (True, sealed.document)


@ONE_DATABASE
def test_a_second_signature_that_is_not_there_is_not_accepted(house: House, pdf: bytes) -> None:
    class Forgetful:
        name, media_type = SECOND, "application/pdf"

        def prepare(self, document: bytes, mark: Mark, credential: Credential, at: object) -> PreparedDocument:
            del mark, credential, at

            class Nothing:
                document_digest = b""
                pages = None

                def apply(self, sign: SignMessage) -> bytes:
                    del sign
                    return document

            return Nothing()

    forgetful = {**SEALING_FORMATS, SECOND: replace(SEALING_FORMATS[SECOND], layout=Forgetful())}
    with pytest.raises(SealingRejected, match="our signature is not in it"):
        house.service(formats=forgetful).seal(request(pdf, format="pdf-pades-sm2", also=SECOND), CLERK)
    assert completions(house) == 0


@ONE_DATABASE
def test_what_does_not_go_together_is_refused_without_a_trace(house: House, pdf: bytes, ofd: bytes) -> None:
    service = house.service()
    for document, first, second in (
        (pdf, SECOND, SECOND),
        (pdf, "pdf-ses-v4", "pdf-gm-cms"),
        (pdf, "pdf-ses-v4", "nothing"),
        (ofd, "ofd-ses-v4", SECOND),
    ):
        with pytest.raises(UnsupportedDocument):
            service.seal(request(document, format=first, also=second), CLERK)
    assert len(house.actions()) == 1


@ONE_DATABASE
def test_a_seal_without_a_second_key_makes_no_second_signature(house: House, pdf: bytes) -> None:
    with house.db.begin() as conn:
        conn.execute(sa.delete(store.CREDENTIALS).where(store.CREDENTIALS.c.suite == ES256.name))
    with pytest.raises(SealNotUsable, match="ES256"):
        house.service().seal(request(pdf, format="pdf-ses-v4", also=SECOND), CLERK)
    assert len(house.actions()) == 1


def test_another_second_signature_is_another_request(pdf: bytes) -> None:
    assert request_hash(request(pdf)) != request_hash(request(pdf, also=SECOND))


@ONE_DATABASE
def test_the_register_speaks_for_both_signatures(house: House, pdf: bytes) -> None:
    sealed = house.service().seal(request(pdf, format="pdf-ses-v4", also=SECOND), CLERK)
    house.trust = replace(house.trust, seal_status=lambda _, __: SealStatus.REVOKED)
    for one in house.judge(sealed.document).signatures:
        assert [finding.code for finding in one.findings if finding.verdict is Verdict.INVALID] == ["SEAL_REVOKED"]
    house.trust = replace(house.trust, seal_status=house.register.status_at)
    house.clock.advance(house.seal.valid_to - house.clock.now())
    house.registrar.revoke(SEAL, "merged")
    assert house.judge(sealed.document).verdict is Verdict.VALID
