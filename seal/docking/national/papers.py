"""Papers: what the platform is told of a seal, made from the register's record and the e-seal itself."""

import base64
from datetime import datetime
from typing import TypeVar

from pydantic import ValidationError

from crypto.certificate import Certificate
from crypto.errors import CryptoError
from seal.docking.errors import DockingDataRefused
from seal.docking.national.framing import FIELDS
from seal.docking.national.model import INVALID_TYPES, Deactivation, Dialect, Event, Release, Renewal, Task, stamp
from seal.model import Seal
from seal.ses.model import SesSeal
from seal.ses.read import parse_seseal

_Kind = TypeVar("_Kind", bound=Task)
_REGION = 6
_WIDE = "｜"


def release(seal: Seal, certificate: Certificate) -> Release:
    """Say what a seal is that is to be filed; ``certificate`` is the one it signs SM2 with."""
    read = parse_seseal(seal.seseal)
    return _made(
        Release,
        sealCode=seal.id,
        sealName=_plain(seal.name),
        useUnitCode=seal.owner,
        sealZone=seal.id[:_REGION],
        validStart=stamp(seal.valid_from),
        validEnd=stamp(seal.valid_to),
        parentSealCode="",
        createTime=stamp(read.created),
        creater=_plain(_maker(read)),
        legalType=Dialect().legal_type,
        signature=_text(read.signature),
        certStart=stamp(certificate.not_before),
        certEnd=stamp(certificate.not_after),
        signCert=_text(certificate.raw),
        requestParam="",
    )


def renewal(seal: Seal, certificate: Certificate) -> Renewal:
    """Say until when a seal is valid now."""
    return _made(
        Renewal,
        sealCode=seal.id,
        sealName=_plain(seal.name),
        validEndTime=stamp(seal.valid_to),
        signature=_text(parse_seseal(seal.seseal).signature),
        signCert=_text(certificate.raw),
    )


def deactivation(seal: Seal, reason: str, event: Event, at: datetime) -> Deactivation:
    """Say that a seal is out of force, why and since when."""
    return _made(
        Deactivation,
        sealName=_plain(seal.name),
        cancelReason=_plain(reason),
        cancelDescribe="",
        applyDate=stamp(at),
        signature=_text(parse_seseal(seal.seseal).signature),
        invalidType=INVALID_TYPES[event].value,
        invalidEffectTime=stamp(at),
    )


def _made(kind: type[_Kind], **fields: str) -> _Kind:
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        names = ", ".join(sorted({str(each["loc"][0]) for each in error.errors(include_input=False)}))
        raise DockingDataRefused(
            f"The register's record of the seal does not fit the platform's form: {names}."
        ) from None


def _maker(read: SesSeal) -> str:
    try:
        found = Certificate.from_der(read.maker_certificate)
    except CryptoError:
        return read.vendor
    return found.common_name or read.vendor


def _plain(text: str) -> str:
    """Write the sign that parts the signed fields as its wide form, which people read the same."""
    return text.replace(FIELDS, _WIDE)


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
