"""Makers for the rules about plain signatures (Type Sign, GB/T 35275)."""

from collections.abc import Mapping

from crypto.cms_build import signing_certificate_v2
from crypto.digests import sm3
from crypto.suites import SM2_SM3
from crypto.x509 import SIGNER, TSA
from tests.sims.ofd_makers.maker import Made, Maker, Names, by_trust
from tests.sims.ofd_makers.people import (
    AUTHORITY_REVOKED,
    PEOPLE,
    REVOKED,
    REVOKED_SINCE,
    STRANGER,
    Hire,
    code_of,
)
from tests.sims.ofd_workshop import AT, Holder, Workshop
from tests.sims.ofd_writing import Value, attributed, enclosed_hash, message, stamped_message, token


def _value(value: Value) -> Maker:
    return lambda workshop: by_trust(workshop, workshop.signed(value))


def _by(workshop: Workshop) -> Holder:
    return workshop.bureau.signer


def _about_another(workshop: Workshop) -> Made:
    value = enclosed_hash(_by(workshop))
    return by_trust(workshop, workshop.signed(lambda xml: value(xml + b" ")))


def _wrong_value(workshop: Workshop) -> Made:
    other = workshop.bureau.maker.signer
    return by_trust(workshop, workshop.signed(lambda xml: message(_by(workshop), sm3(xml), other.sign(sm3(xml)))))


def _other_certificate(workshop: Workshop) -> Made:
    named = signing_certificate_v2(workshop.bureau.maker.certificate, SM2_SM3)
    return by_trust(workshop, workshop.signed(attributed(_by(workshop), named)))


def _digest(name: str) -> Maker:
    def make(workshop: Workshop) -> Made:
        by = _by(workshop)
        return by_trust(
            workshop, workshop.signed(lambda xml: message(by, sm3(xml), by.signer.sign(sm3(xml)), digest=name))
        )

    return make


def _without_certificate(workshop: Workshop) -> Made:
    by = _by(workshop)
    return by_trust(
        workshop, workshop.signed(lambda xml: message(by, sm3(xml), by.signer.sign(sm3(xml)), enclose=False))
    )


def _signer(hire: Hire) -> Maker:
    def make(workshop: Workshop) -> Made:
        person = hire(workshop, SIGNER)
        return Made(document=workshop.signed(enclosed_hash(person.holder)), trust=person.trust, says=person.says)

    return make


def _stamped(hire: Hire | None = None, *, beside: str = "", over: bytes | None = None) -> Maker:
    def make(workshop: Workshop) -> Made:
        person = (hire or PEOPLE["REVOCATION_NOT_OFFERED"])(workshop, TSA)
        value = stamped_message(_by(workshop), lambda signature: token(person.holder, over or signature, AT))
        return Made(document=workshop.signed(value), trust=person.trust, beside=frozenset(filter(None, [beside])))

    return make


MAKERS: Mapping[Names, Maker] = {
    ("plain format", "CMS_MALFORMED"): _value(lambda _: b"rubbish"),
    ("plain certificate", "SIGNER_CERT_MISSING"): lambda workshop: by_trust(
        workshop, workshop.signed(_by(workshop).signer.sign), says="bare"
    ),
    ("plain value", "DATA_HASH_MISMATCH"): _about_another,
    ("plain value", "SIGNATURE_INVALID"): _wrong_value,
    ("plain value", "SIGNING_CERTIFICATE_MISMATCH"): _other_certificate,
    ("plain value", "CMS_MALFORMED"): lambda workshop: by_trust(
        workshop, workshop.signed(attributed(_by(workshop), bound=False)), says="attributes"
    ),
    ("plain value", "SIGNER_CERT_MISSING"): _without_certificate,
    ("plain value", "ALGORITHM_UNSUPPORTED"): _digest("1.2.3.4"),
    ("plain time", "SIGN_TIME_UNKNOWN"): lambda workshop: by_trust(
        workshop, workshop.signed(enclosed_hash(_by(workshop)), timed=False)
    ),
    ("plain time stamp", "TIMESTAMP_INVALID"): _stamped(over=b"something else"),
    ("plain time stamp", "TIMESTAMP_UNTRUSTED"): _stamped(STRANGER),
    ("plain time stamp", "TSA_CERT_REVOKED"): _stamped(REVOKED, beside="TIMESTAMP_INVALID"),
    ("plain time stamp", "CA_CERT_REVOKED"): _stamped(AUTHORITY_REVOKED, beside="TIMESTAMP_INVALID"),
    ("plain time stamp", "REVOKED_SINCE"): _stamped(REVOKED_SINCE),
    **{("plain signer", code_of("SIGNER", wrong)): _signer(hire) for wrong, hire in PEOPLE.items()},
}
