"""What a suite may be used for: asked at every place where something begins to be signed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from crypto import key_sets
from crypto.checkpoint import NoteSigner
from crypto.cms_build import CmsTemplate
from crypto.cose import CoseSigner, kid_of, verify_sign1
from crypto.crl import make_crl
from crypto.errors import CertificateError, CoseError, SuiteRefused, TokenError
from crypto.issuing import OCSP_RESPONDER, ROOT, TSA, make_certificate, make_csr, parse_csr, random_serial
from crypto.jose import JwtSigner, verify_signature
from crypto.keys import PublicKey, Signer, require_fit
from crypto.names import name
from crypto.ocsp_answer import OcspTemplate
from crypto.suites import ES256, PS256, RS256, SUITES, Suite, Usage
from crypto.timestamp_build import TokenTemplate
from tests.crypto.authority import NOT_AFTER, NOT_BEFORE, NOW, Authority, Holder


@dataclass(frozen=True)
class Narrowed:
    """A signer whose suite may not be used for one thing."""

    signer: Signer
    without: Usage

    @cached_property
    def suite(self) -> Suite:
        return replace(self.signer.suite, usages=self.signer.suite.usages & ~self.without)

    @property
    def public_key(self) -> PublicKey:
        return self.signer.public_key

    def sign(self, message: bytes) -> bytes:
        raise AssertionError(f"{len(message)} octets were signed")


@dataclass(frozen=True)
class ShortKey:
    """An RSA key of 2048 bits, as one that was made years ago."""

    key: rsa.RSAPrivateKey
    suite: Suite = RS256

    @cached_property
    def public_key(self) -> PublicKey:
        return PublicKey.from_spki(self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())


@pytest.fixture(scope="module")
def short() -> ShortKey:
    return ShortKey(rsa.generate_private_key(65537, 2048))


def _root(holder: Holder, signer: Signer) -> object:
    return make_certificate(
        subject=name("Root"),
        public_key=holder.certificate.public_key,
        issuer=None,
        issuer_key=signer,
        serial=random_serial(),
        not_before=NOT_BEFORE,
        not_after=NOT_AFTER,
        profile=ROOT,
    )


def _crl(holder: Holder, signer: Signer) -> object:
    times = {"this_update": NOW, "next_update": NOW + timedelta(days=1)}
    return make_crl(issuer=holder.certificate, issuer_key=signer, number=1, revoked=(), **times)


PLACES: Mapping[str, tuple[Usage, Callable[[Holder, Signer], object]]] = {
    "certificate": (Usage.CERTIFICATE, _root),
    "request": (Usage.CERTIFICATE, lambda _, signer: make_csr(name("Someone"), signer)),
    "revocation list": (Usage.CERTIFICATE, _crl),
    "OCSP answer": (
        Usage.CERTIFICATE,
        lambda holder, signer: OcspTemplate(holder.certificate, signer, issuer=holder.certificate),
    ),
    "message": (Usage.MESSAGE, lambda holder, signer: CmsTemplate(holder.certificate, (), signer.suite)),
    "token": (Usage.TOKEN, lambda _, signer: JwtSigner(signer, "kid")),
    "key set": (Usage.TOKEN, lambda _, signer: key_sets.first(signer.public_key, signer.suite, at=NOW)),
    "code": (Usage.CODE, lambda _, signer: CoseSigner(signer, kid_of(signer.public_key))),
    "checkpoint": (Usage.NOTE, lambda _, signer: NoteSigner("log.example/1", signer)),
}


@pytest.mark.parametrize("place", PLACES)
def test_no_place_signs_by_a_suite_that_is_not_for_it(authority: Authority, place: str) -> None:
    usage, begin = PLACES[place]
    with pytest.raises(SuiteRefused, match=f"{authority.suite.name} signs no {(usage.name or '').lower()}s") as refused:
        begin(authority.root, Narrowed(authority.root.signer, usage))
    assert refused.value.code == "suite_refused"


def test_time_stamps_are_not_signed_by_a_suite_that_is_not_for_messages(p256: Authority) -> None:
    tsa = p256.issue("TSA", TSA, p256.sub_ca)
    with pytest.raises(SuiteRefused, match="no messages"):
        TokenTemplate(tsa.certificate, (), Narrowed(tsa.signer, Usage.MESSAGE), policy="1.2.3")
    assert TokenTemplate(tsa.certificate, (), tsa.signer, policy="1.2.3").policy == "1.2.3"


def test_an_appointed_responder_is_held_to_its_suite_too(p256: Authority) -> None:
    responder = p256.issue("OCSP", OCSP_RESPONDER, p256.sub_ca)
    with pytest.raises(SuiteRefused, match="no certificates"):
        OcspTemplate(
            responder.certificate,
            Narrowed(responder.signer, Usage.CERTIFICATE),
            issuer=p256.sub_ca.certificate,
        )


@pytest.mark.parametrize("place", PLACES)
def test_every_place_signs_by_the_suites_that_are_for_it(authority: Authority, place: str) -> None:
    usage, begin = PLACES[place]
    if usage in authority.suite.usages:
        assert begin(authority.root, authority.root.signer) is not None
    else:
        with pytest.raises(SuiteRefused):
            begin(authority.root, authority.root.signer)


def test_a_suite_that_is_not_for_tokens_judges_none(p256: Authority) -> None:
    signer = p256.key("tokens")
    token = JwtSigner(signer, "kid").sign({"sub": "1"})
    keys = {"kid": signer.public_key}
    assert verify_signature(token, keys=keys, typ="JWT", suites=(ES256,))
    with pytest.raises(TokenError, match="may use"):
        verify_signature(token, keys=keys, typ="JWT", suites=(Narrowed(signer, Usage.TOKEN).suite,))


def test_a_suite_that_is_not_for_codes_judges_none(p256: Authority) -> None:
    signer = p256.key("codes")
    kid = kid_of(signer.public_key)
    message = CoseSigner(signer, kid).sign(b"payload")
    assert verify_sign1(message, keys={kid: signer.public_key}, suites=(ES256,)).payload == b"payload"
    with pytest.raises(CoseError, match="may use"):
        verify_sign1(message, keys={kid: signer.public_key}, suites=(Narrowed(signer, Usage.CODE).suite,))


@pytest.mark.parametrize("usage", Usage)
def test_every_usage_has_a_suite_and_is_refused_to_keys_of_other_kinds(
    authorities: Mapping[str, Authority], usage: Usage
) -> None:
    fitting = [suite for suite in SUITES.values() if usage in suite.usages]
    assert fitting
    for suite in fitting:
        for other in authorities.values():
            key = other.key("any").public_key
            if other.suite.key is suite.key:
                require_fit(suite, key, usage)
            else:
                with pytest.raises(SuiteRefused, match="does not sign with"):
                    require_fit(suite, key, usage)


@pytest.mark.parametrize("suite", [RS256, PS256], ids=lambda suite: suite.name)
def test_an_rsa_key_of_2048_bits_verifies_and_signs_nothing_new(short: ShortKey, suite: Suite) -> None:
    assert short.public_key.verify(RS256, b"m", short.sign(b"m"))
    for usage in suite.usages:
        with pytest.raises(SuiteRefused, match="2048 bits signs nothing new: 3072"):
            require_fit(suite, short.public_key, usage)
    with pytest.raises(SuiteRefused):
        JwtSigner(replace(short, suite=suite), "kid")


def test_no_new_certificate_is_issued_for_an_rsa_key_of_2048_bits(short: ShortKey, p256: Authority) -> None:
    issuer = p256.sub_ca
    with pytest.raises(CertificateError, match="2048 bits"):
        make_certificate(
            subject=name("Someone"),
            public_key=short.public_key,
            issuer=issuer.certificate,
            issuer_key=issuer.signer,
            serial=random_serial(),
            not_before=NOT_BEFORE,
            not_after=NOT_AFTER,
            profile=TSA,
        )
    with pytest.raises(SuiteRefused):
        make_csr(name("Someone"), short)


def test_a_request_still_reads_whatever_the_issuer_then_says(p256: Authority) -> None:
    assert parse_csr(make_csr(name("Someone"), p256.key("request"))).public_key == p256.key("request").public_key
