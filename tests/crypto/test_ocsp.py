"""OCSP: asked, answered, believed and not believed."""

from datetime import timedelta

import pytest

from crypto import der, extensions
from crypto.digests import SHA1, SHA256, SM3, DigestAlgorithm
from crypto.errors import OcspError
from crypto.ocsp import CertId, CertStatus, ResponseStatus, SingleAnswer, make_request, parse_request
from crypto.ocsp_answer import OcspProblem, OcspTemplate, parse_answer, refusal, verify_answer
from crypto.revoked import RevocationReason, Revoked
from crypto.x509 import OCSP_RESPONDER, SIGNER, CertificateProfile
from tests.crypto.authority import NOT_BEFORE, NOW, Authority, Holder
from tests.judges import bouncycastle, openssl

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
NONCE = bytes(range(32))
REASON = RevocationReason.SUPERSEDED


def responder(authority: Authority) -> Holder:
    return authority._once("OCSP 应答器", OCSP_RESPONDER, authority.sub_ca)


def said(
    authority: Authority, *, revoked: bool = False, digest: DigestAlgorithm = SHA1, next_update: bool = True
) -> SingleAnswer:
    serial = authority.signer.certificate.serial
    return SingleAnswer(
        cert_id=CertId.of(serial, authority.sub_ca.certificate, digest=digest),
        status=CertStatus.REVOKED if revoked else CertStatus.GOOD,
        revoked=Revoked(serial=serial, at=NOW - DAY, reason=REASON) if revoked else None,
        this_update=NOW - 5 * MINUTE,
        next_update=NOW + DAY if next_update else None,
    )


def template(authority: Authority, *, delegated: bool = True, by: str = "key") -> OcspTemplate:
    holder = responder(authority) if delegated else authority.sub_ca
    issuer = authority.sub_ca.certificate
    return OcspTemplate(holder.certificate, holder.signer, issuer=issuer, by="key" if by == "key" else "name")


def problems(authority: Authority, answer: bytes, **changed: object) -> tuple[OcspProblem, ...]:
    given: dict[str, object] = {"issuer": authority.sub_ca.certificate, "at": NOW, **changed}
    return verify_answer(parse_answer(answer), authority.signer.certificate, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("digest", [SHA1, SHA256, SM3], ids=lambda each: each.name)
def test_a_request_names_the_certificate_and_carries_a_nonce(sm2: Authority, digest: DigestAlgorithm) -> None:
    asked = CertId.of(sm2.signer.certificate.serial, sm2.sub_ca.certificate, digest=digest)

    read = parse_request(make_request([asked], nonce=NONCE))

    assert read.asked == (asked,)
    assert read.nonce == NONCE
    assert read.asked[0].names(sm2.signer.certificate, sm2.sub_ca.certificate)
    assert not read.asked[0].names(sm2.signer.certificate, sm2.root.certificate)
    assert not read.asked[0].names(sm2.sub_ca.certificate, sm2.root.certificate)


def test_a_request_need_not_have_a_nonce(sm2: Authority) -> None:
    assert parse_request(make_request([CertId.of(5, sm2.sub_ca.certificate)])).nonce is None


def test_a_request_by_openssl_and_ours_read_alike(p256: Authority) -> None:
    asked = CertId.of(0xABCD, p256.sub_ca.certificate)

    text = openssl.reads_ocsp_request(make_request([asked], nonce=NONCE))

    assert "Serial Number: ABCD" in text
    assert asked.key_hash.hex().upper() in text
    assert NONCE.hex().upper()[:16] in text


@pytest.mark.parametrize("count", [0, 33])
def test_a_request_for_none_or_too_many_is_neither_made_nor_read(sm2: Authority, count: int) -> None:
    asked = CertId.of(5, sm2.sub_ca.certificate)
    with pytest.raises(OcspError):
        make_request([asked] * count)
    with pytest.raises(OcspError):
        parse_request(der.sequence(der.sequence(der.sequence(*[der.sequence(asked.raw)] * count))))


def test_a_request_that_must_be_understood_and_is_not_is_refused(sm2: Authority) -> None:
    asked = der.sequence(der.sequence(CertId.of(5, sm2.sub_ca.certificate).raw))
    odd = der.explicit(2, der.sequence(extensions.extension("1.2.3", der.null(), critical=True)))
    with pytest.raises(OcspError, match=r"1\.2\.3"):
        parse_request(der.sequence(der.sequence(asked, odd)))


@pytest.mark.parametrize("by", ["key", "name"])
@pytest.mark.parametrize("delegated", [True, False])
@pytest.mark.parametrize("digest", [SHA1, SM3], ids=lambda each: each.name)
def test_an_answer_holds(authority: Authority, by: str, *, delegated: bool, digest: DigestAlgorithm) -> None:
    raw = template(authority, delegated=delegated, by=by).answer(
        [said(authority, digest=digest)], produced_at=NOW, nonce=NONCE
    )

    assert problems(authority, raw, nonce=NONCE) == ()
    about = parse_answer(raw).about(authority.signer.certificate, authority.sub_ca.certificate)
    assert about == said(authority, digest=digest)


def test_a_revocation_is_told_with_time_and_reason(authority: Authority) -> None:
    raw = template(authority).answer([said(authority, revoked=True)], produced_at=NOW)

    assert problems(authority, raw) == ()
    about = parse_answer(raw).about(authority.signer.certificate, authority.sub_ca.certificate)
    assert about is not None
    assert about.revoked == Revoked(serial=authority.signer.certificate.serial, at=NOW - DAY, reason=REASON)


def test_an_answer_is_for_its_time(sm2: Authority) -> None:
    raw = template(sm2).answer([said(sm2)], produced_at=NOW)
    endless = template(sm2).answer([said(sm2, next_update=False)], produced_at=NOW)

    assert problems(sm2, raw, at=NOW + DAY + MINUTE) == (OcspProblem.STALE,)
    assert problems(sm2, raw, at=NOW - DAY) == (OcspProblem.NOT_YET_VALID,)
    assert problems(sm2, endless, at=NOW + DAY) == (OcspProblem.STALE,)
    assert problems(sm2, endless, at=NOW + DAY, max_age=2 * DAY) == ()


def test_an_answer_to_another_question_does_not_hold(sm2: Authority) -> None:
    old = template(sm2).answer([said(sm2)], produced_at=NOW, nonce=bytes(32))
    bare = template(sm2).answer([said(sm2)], produced_at=NOW)

    assert problems(sm2, old, nonce=NONCE) == (OcspProblem.NONCE_MISMATCH,)
    assert problems(sm2, bare, nonce=NONCE) == (OcspProblem.NONCE_MISMATCH,)
    other = sm2.issue("别人", SIGNER, sm2.sub_ca).certificate
    answer = parse_answer(old)
    assert verify_answer(answer, other, issuer=sm2.sub_ca.certificate, at=NOW) == (OcspProblem.NOT_ANSWERED,)


def test_a_changed_answer_does_not_hold(authority: Authority) -> None:
    raw = template(authority).answer([said(authority)], produced_at=NOW)
    revoked = raw.replace(b"\x80\x00\x18\x0f20261122075500Z", b"\x82\x00\x18\x0f20261122075500Z")

    assert revoked != raw
    assert problems(authority, revoked) == (OcspProblem.SIGNATURE_INVALID,)


def forged(authority: Authority, holder: Holder) -> bytes:
    """What a template would refuse to make: an answer by whoever holds a certificate."""
    made = OcspTemplate.__new__(OcspTemplate)
    honest = template(authority)
    for name, value in vars(honest).items():
        setattr(made, name, value)
    key_hash = SHA1.digest(der.parse(holder.certificate.spki)[1].as_bits())
    made._id = der.explicit(2, der.octet_string(key_hash))
    made._signer = holder.signer
    made._certificates = der.explicit(0, der.sequence(holder.certificate.raw))
    return made.answer([said(authority)], produced_at=NOW)


def test_only_whom_the_issuer_appointed_may_answer(sm2: Authority) -> None:
    not_for_it = sm2.issue("某某", SIGNER, sm2.sub_ca)
    by_the_root = sm2.issue("根的应答器", OCSP_RESPONDER, sm2.root)
    expired = sm2.issue("旧应答器", OCSP_RESPONDER, sm2.sub_ca, not_after=NOT_BEFORE + DAY)
    encipher = CertificateProfile(
        name="odd", key_usage=("key_encipherment",), extended_key_usage=OCSP_RESPONDER.extended_key_usage
    )

    for holder in (not_for_it, by_the_root, expired, sm2.issue("加密", encipher, sm2.sub_ca)):
        assert problems(sm2, forged(sm2, holder)) == (OcspProblem.RESPONDER_UNAUTHORISED,)
    assert problems(sm2, forged(sm2, sm2.issue("好", OCSP_RESPONDER, sm2.sub_ca))) == ()


def test_a_template_is_made_for_an_appointed_responder_only(sm2: Authority) -> None:
    issuer = sm2.sub_ca.certificate
    for holder in (sm2.signer, sm2.issue("根的应答器", OCSP_RESPONDER, sm2.root)):
        with pytest.raises(OcspError, match="appoint"):
            OcspTemplate(holder.certificate, holder.signer, issuer=issuer)
    with pytest.raises(OcspError, match="key"):
        OcspTemplate(responder(sm2).certificate, sm2.signer.signer, issuer=issuer)


def test_a_responder_not_enclosed_may_be_known(sm2: Authority) -> None:
    made = template(sm2)
    made._certificates = b""
    raw = made.answer([said(sm2)], produced_at=NOW)

    assert problems(sm2, raw) == (OcspProblem.RESPONDER_UNKNOWN,)
    assert problems(sm2, raw, others=[responder(sm2).certificate]) == ()


def test_an_answer_that_is_none_says_which_none_it_is(sm2: Authority) -> None:
    for status in ResponseStatus:
        if status is ResponseStatus.SUCCESSFUL:
            with pytest.raises(OcspError):
                refusal(status)
        else:
            assert parse_answer(refusal(status)).status is status
            assert problems(sm2, refusal(status)) == (OcspProblem.NOT_SUCCESSFUL,)


def test_an_answer_about_a_revocation_without_its_time_is_not_made(sm2: Authority) -> None:
    good = said(sm2)
    odd = SingleAnswer(cert_id=good.cert_id, status=CertStatus.REVOKED, this_update=NOW)
    with pytest.raises(OcspError):
        template(sm2).answer([odd], produced_at=NOW)
    with pytest.raises(OcspError):
        template(sm2).answer([], produced_at=NOW)


def test_bouncycastle_believes_our_answers(authority: Authority) -> None:
    serial = authority.signer.certificate.serial
    good = template(authority).answer([said(authority)], produced_at=NOW, nonce=NONCE)
    revoked = template(authority, delegated=False, by="name").answer([said(authority, revoked=True)], produced_at=NOW)
    by, ca = responder(authority).certificate.raw, authority.sub_ca.certificate.raw

    told = bouncycastle.judge_pki(
        [
            ("ocsp", good, by, der.integer(serial)),
            ("ocsp", revoked, ca, der.integer(serial)),
            ("ocsp", good, ca, der.integer(serial)),
        ]
    )

    assert told == ["valid good", f"valid revoked {REASON.value}", "invalid signature"]


@pytest.mark.parametrize("delegated", [True, False])
def test_openssl_believes_our_answers(p256: Authority, rsa: Authority, *, delegated: bool) -> None:
    for authority in (p256, rsa):
        leaf, ca, root = (each.certificate for each in (authority.signer, authority.sub_ca, authority.root))
        made = template(authority, delegated=delegated)
        good = made.answer([said(authority)], produced_at=NOW)
        revoked = made.answer([said(authority, revoked=True)], produced_at=NOW)
        broken = bytearray(good)
        broken[good.index(b"20261122075500Z") + 13] ^= 1

        assert openssl.ocsp_status(good, leaf, ca, root) == "good"
        assert openssl.ocsp_status(revoked, leaf, ca, root) == "revoked"
        assert openssl.ocsp_status(bytes(broken), leaf, ca, root) == "refused"
