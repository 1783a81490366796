"""Makers for the rules about a SES_Signature and the seal in it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from crypto.der import bit_string, boolean, octet_string, oid, sequence
from crypto.digests import sm3
from crypto.suites import ES256
from crypto.x509 import SEAL_MAKER, SIGNER, TSA
from seal.model import SealStatus
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
from tests.sims.ofd_workshop import AT, FIRST, Workshop, with_digest
from tests.sims.ofd_writing import (
    AS_V5,
    Change,
    FirstGeneration,
    flipped,
    remade,
    replaced,
    seal_info,
    stamped,
    token,
    v5_seal,
    with_extensions,
)

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def value(change: Change, says: str = "") -> Maker:
    return lambda workshop: by_trust(workshop, workshop.resealed(value=change), says=says)


def sealed_with(workshop: Workshop, seal: bytes, says: str = "") -> Made:
    return by_trust(workshop, workshop.resealed(seal=seal), says=says)


def _extension(workshop: Workshop) -> Made:
    row = sequence(oid("1.2.3"), boolean(value=True), octet_string(b"2.1"))
    return sealed_with(workshop, remade(workshop.bureau, with_extensions(seal_info(workshop.bureau), sequence(row))))


def _certificate_unreadable(workshop: Workshop) -> Made:
    info = replaced((2, 3), sequence(octet_string(b"none")))(seal_info(workshop.bureau))
    document = workshop.resealed(seal=remade(workshop.bureau, info), value=replaced((1,), octet_string(b"none")))
    return by_trust(workshop, document, says="certificate")


def _time_unknown(workshop: Workshop) -> Made:
    first = FirstGeneration(workshop.bureau, claimed=bit_string("昨天".encode()))
    return by_trust(workshop, workshop.resealed(seal=first.seal, tbs=first.tbs, value=first.value))


def _signer(hire: Hire) -> Maker:
    def make(workshop: Workshop) -> Made:
        person = hire(workshop, SIGNER)
        seal = workshop.bureau.seal(certificates=[person.holder.certificate])
        document = workshop.resealed(seal=seal, by=person.holder)
        return Made(document=document, trust=person.trust, says=person.says)

    return make


def _maker(hire: Hire) -> Maker:
    def make(workshop: Workshop) -> Made:
        person = hire(workshop, SEAL_MAKER)
        document = workshop.resealed(seal=workshop.bureau.seal(made_by=person.holder))
        return Made(document=document, trust=person.trust, says=person.says)

    return make


def _made_before(workshop: Workshop) -> Made:
    maker = workshop.bureau.authority.certify("New", not_before=AT - 10 * DAY)
    return sealed_with(workshop, workshop.bureau.seal(made_by=maker))


def _unlisted(workshop: Workshop) -> Made:
    return by_trust(workshop, workshop.resealed(by=workshop.bureau.authority.certify("44030000000002")))


def _other_file(workshop: Workshop) -> Made:
    other = workshop.bureau.seal(name="另一枚印章")
    document = workshop.resealed(
        signature_xml=lambda xml: with_digest(xml, f"/{FIRST}/Seal.esl", sm3(other)),
        files={f"{FIRST}/Seal.esl": other},
    )
    return by_trust(workshop, document, says="beside")


def _status(status: SealStatus | None) -> Maker:
    def register(_esid: str, _at: datetime) -> SealStatus | None:
        return status

    def make(workshop: Workshop) -> Made:
        return Made(document=workshop.resealed(), trust=replace(workshop.bureau.trust, seal_status=register))

    return make


def _seal_method(method: str) -> Maker:
    return lambda workshop: sealed_with(workshop, remade(workshop.bureau, seal_info(workshop.bureau), method=method))


# --- time stamps: over the signature's value, and in V5 over the seal's ----------------------------------------


def _stamped(hire: Hire | None = None, *, beside: str = "", over: bytes | None = None) -> Maker:
    def make(workshop: Workshop) -> Made:
        person = (hire or PEOPLE["REVOCATION_NOT_OFFERED"])(workshop, TSA)
        document = workshop.resealed(value=stamped(person.holder, at=AT + MINUTE, over=over))
        return Made(document=document, trust=person.trust, beside=frozenset(filter(None, [beside])))

    return make


def _seal_stamped(hire: Hire | None = None, *, beside: str = "", over: bytes | None = None) -> Maker:
    def make(workshop: Workshop) -> Made:
        person = (hire or PEOPLE["REVOCATION_NOT_OFFERED"])(workshop, TSA)
        seal = v5_seal(workshop.bureau, lambda signature: token(person.holder, over or signature, AT - MINUTE))
        document = workshop.resealed(seal=seal, tbs=AS_V5)
        return Made(document=document, trust=person.trust, beside=frozenset(filter(None, [beside])))

    return make


MAKERS: Mapping[Names, Maker] = {
    ("format", "SES_FORMAT_ERROR"): value(lambda _: sequence(sequence()), "elements"),
    ("version", "SES_VERSION_MISMATCH"): lambda workshop: by_trust(workshop, workshop.resealed(tbs=AS_V5)),
    ("extensions", "UNKNOWN_CRITICAL_EXTENSION"): _extension,
    ("value", "SIGNATURE_INVALID"): value(flipped),
    ("value", "SES_FORMAT_ERROR"): _certificate_unreadable,
    ("value", "ALGORITHM_UNSUPPORTED"): value(replaced((2,), oid("1.2.3.4")), "1.2.3.4"),
    ("value", "ALGORITHM_CERT_MISMATCH"): value(replaced((2,), oid(ES256.signature_oid))),
    ("time", "SIGN_TIME_UNKNOWN"): _time_unknown,
    ("original", "DATA_HASH_MISMATCH"): lambda workshop: by_trust(
        workshop, workshop.resealed(data_hash=sm3(b"another"))
    ),
    ("seal value", "SEAL_SIGNATURE_INVALID"): lambda workshop: sealed_with(workshop, flipped(workshop.bureau.seal())),
    ("seal value", "ALGORITHM_UNSUPPORTED"): _seal_method("1.2.3.4"),
    ("seal value", "ALGORITHM_CERT_MISMATCH"): _seal_method(ES256.signature_oid),
    ("seal maker", "SEAL_MAKER_NOT_VALID_AT_MAKE"): _made_before,
    ("seal validity", "SEAL_NOT_VALID_AT_SIGN_TIME"): lambda workshop: sealed_with(
        workshop, workshop.bureau.seal(valid_to=AT - DAY)
    ),
    ("signer list", "SIGNER_NOT_IN_SEAL"): _unlisted,
    ("seal file", "SEAL_FILE_MISMATCH"): _other_file,
    ("register", "SEAL_REVOKED"): _status(SealStatus.REVOKED),
    ("register", "SEAL_SUSPENDED"): _status(SealStatus.SUSPENDED),
    ("register", "SEAL_DESTROYED"): _status(SealStatus.DESTROYED),
    ("register", "SEAL_LOST"): _status(SealStatus.LOST),
    ("register", "SEAL_NOT_ACTIVATED"): _status(SealStatus.MADE),
    ("register", "SEAL_UNKNOWN"): _status(None),
    **{("signer", code_of("SIGNER", wrong)): _signer(hire) for wrong, hire in PEOPLE.items()},
    **{("seal maker", code_of("SEAL_MAKER", wrong)): _maker(hire) for wrong, hire in PEOPLE.items()},
    **{
        (rule, code): maker
        for rule, stamp in (("time stamp", _stamped), ("seal time stamp", _seal_stamped))
        for code, maker in (
            ("TIMESTAMP_INVALID", stamp(over=b"something else")),
            ("TIMESTAMP_UNTRUSTED", stamp(STRANGER)),
            ("TSA_CERT_REVOKED", stamp(REVOKED, beside="TIMESTAMP_INVALID")),
            ("CA_CERT_REVOKED", stamp(AUTHORITY_REVOKED, beside="TIMESTAMP_INVALID")),
            ("REVOKED_SINCE", stamp(REVOKED_SINCE)),
        )
    },
}
