"""Time-stamps asked for and given: requests, tokens from templates, responses, judged by others."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import der
from crypto.digests import SHA256, SHA512, SM3, DigestAlgorithm
from crypto.errors import CmsError
from crypto.timestamp import parse_token, verify_token
from crypto.timestamp_build import Imprint, TokenTemplate, time_with_fraction
from crypto.timestamp_exchange import (
    Failure,
    PkiStatus,
    granted,
    make_request,
    parse_request,
    parse_response,
    rejection,
)
from crypto.x509 import SIGNER, TSA
from tests.crypto.authority import NOW, Authority, Holder
from tests.judges import bouncycastle, openssl

DATA = b"the signature value"
POLICY = "1.2.156.10197.99.1"
SERIAL, NONCE = 0xABCDEF0123, 1 << 63


def tsa(authority: Authority) -> Holder:
    return authority._once("时间戳", TSA, authority.sub_ca)


def template(authority: Authority) -> TokenTemplate:
    holder = tsa(authority)
    accuracy = timedelta(seconds=1, milliseconds=500, microseconds=20)
    return TokenTemplate(holder.certificate, authority.chain, holder.signer, policy=POLICY, accuracy=accuracy)


def imprint(digest: DigestAlgorithm = SHA256) -> Imprint:
    return Imprint.of(digest.oid, digest.digest(DATA))


@pytest.mark.parametrize("digest", [SM3, SHA256, SHA512], ids=lambda each: each.name)
def test_a_token_holds_and_says_what_was_asked(authority: Authority, digest: DigestAlgorithm) -> None:
    at = datetime(2026, 11, 22, 8, 0, 1, 250_999, tzinfo=UTC)

    read = parse_token(template(authority).token(imprint(digest), serial=SERIAL, at=at, nonce=NONCE))

    assert verify_token(read, lambda algorithm: algorithm.digest(DATA)) == ()
    assert (read.serial, read.policy, read.nonce, read.imprint_digest) == (SERIAL, POLICY, NONCE, digest)
    assert read.gen_time == at.replace(microsecond=250_000)
    assert read.names_certificate_well
    assert read.signed.certificates == (tsa(authority).certificate, *authority.chain)


def test_a_token_comes_without_certificates_if_none_are_wanted(sm2: Authority) -> None:
    raw = template(sm2).token(imprint(), serial=1, at=NOW, with_certificates=False)

    read = parse_token(raw)

    assert read.signed.certificates == ()
    held = verify_token(read, lambda algorithm: algorithm.digest(DATA), others=[tsa(sm2).certificate])
    assert held == ()


def test_only_an_authoritys_certificate_and_key_make_tokens(sm2: Authority) -> None:
    with pytest.raises(CmsError, match="time-stamping alone"):
        TokenTemplate(sm2.signer.certificate, (), sm2.signer.signer, policy=POLICY)
    with pytest.raises(CmsError, match="not the time-stamp"):
        TokenTemplate(tsa(sm2).certificate, (), sm2.signer.signer, policy=POLICY)
    with pytest.raises(CmsError, match="accuracy"):
        TokenTemplate(tsa(sm2).certificate, (), tsa(sm2).signer, policy=POLICY, accuracy=timedelta())
    assert SIGNER.extended_key_usage == ()


@pytest.mark.parametrize(
    ("microsecond", "text"),
    [
        (0, b"20261122080000Z"),
        (999, b"20261122080000Z"),
        (500_000, b"20261122080000.5Z"),
        (1_000, b"20261122080000.001Z"),
    ],
)
def test_a_time_has_no_zeros_at_its_end(microsecond: int, text: bytes) -> None:
    assert time_with_fraction(NOW.replace(microsecond=microsecond)) == der.tlv(der.GENERALIZED_TIME, text)


@given(nonce=st.none() | st.integers(-(1 << 200), 1 << 200), wanted=st.booleans(), policy=st.none() | st.just(POLICY))
def test_a_request_is_read_as_it_was_made(nonce: int | None, wanted: bool, policy: str | None) -> None:
    raw = make_request(imprint(SM3), nonce=nonce, policy=policy, wants_certificates=wanted)

    read = parse_request(raw)

    assert (read.nonce, read.wants_certificates, read.policy, read.extensions) == (nonce, wanted, policy, False)
    assert (read.imprint, read.digest) == (imprint(SM3), SM3)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        der.sequence(der.integer(2), imprint().der()),
        der.sequence(der.integer(1)),
        der.sequence(der.integer(1), der.sequence()),
        der.sequence(der.integer(1), imprint().der(), der.null()),
        der.sequence(der.integer(1), imprint().der(), der.integer(1), der.integer(2)),
        der.sequence(der.integer(1), imprint().der(), der.integer(1 << 600)),
        bytes(20_000),
    ],
)
def test_requests_that_are_none_are_refused(raw: bytes) -> None:
    with pytest.raises(CmsError):
        parse_request(raw)


def test_a_grant_brings_the_token(sm2: Authority) -> None:
    token = template(sm2).token(imprint(), serial=1, at=NOW)

    read = parse_response(granted(token))

    assert (read.status, read.token_raw, read.text) == (PkiStatus.GRANTED, token, "")
    assert read.token is not None
    assert read.token.gen_time == NOW


@pytest.mark.parametrize("failure", Failure)
def test_a_rejection_says_why(failure: Failure) -> None:
    read = parse_response(rejection(failure, "算法\x1b[31m不受支持\n"))

    assert (read.status, read.failures, read.token) == (PkiStatus.REJECTION, frozenset((failure,)), None)
    assert read.text == "算法 [31m不受支持 "


def test_a_grant_without_a_token_and_a_token_without_a_grant_are_refused(sm2: Authority) -> None:
    token = template(sm2).token(imprint(), serial=1, at=NOW)
    for raw in (
        der.sequence(der.sequence(der.integer(0))),
        der.sequence(der.sequence(der.integer(2)), token),
        der.sequence(der.sequence(der.integer(9))),
        der.sequence(der.sequence(der.integer(0)), token, token),
        granted(der.sequence()),
    ):
        with pytest.raises(CmsError):
            parse_response(raw)
    with pytest.raises(CmsError):
        rejection(Failure.BAD_REQUEST, status=PkiStatus.GRANTED)


def test_bouncycastle_believes_our_tokens(authority: Authority) -> None:
    asked = make_request(imprint(), nonce=NONCE)
    answer = granted(template(authority).token(imprint(), serial=SERIAL, at=NOW, nonce=NONCE))
    wrong = granted(template(authority).token(imprint(), serial=SERIAL, at=NOW, nonce=5))
    by = tsa(authority).certificate.raw

    told = bouncycastle.judge_pki([("tst", answer, by, asked), ("tst", wrong, by, asked)])

    assert told[0] == f"valid {SERIAL}"
    assert told[1].startswith("invalid")


def test_openssl_believes_our_tokens(p256: Authority, rsa: Authority) -> None:
    for authority in (p256, rsa):
        asked = make_request(imprint(), nonce=NONCE)
        answer = granted(template(authority).token(imprint(), serial=SERIAL, at=NOW, nonce=NONCE))
        wrong = granted(template(authority).token(imprint(), serial=SERIAL, at=NOW, nonce=5))
        root = authority.root.certificate

        assert openssl.accepts_timestamp(answer, asked, root, authority.chain)
        assert not openssl.accepts_timestamp(wrong, asked, root, authority.chain)
