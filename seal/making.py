"""Making a seal: what is asked for, what it signs with, and the e-seal that its maker signs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from crypto.keys import KeyId, Signer
from crypto.suites import SM2_SM3, Suite
from crypto.x509 import Certificate
from seal.errors import SealRefused
from seal.model import Picture, SealId
from seal.ses import make_seseal

_NUMBER = re.compile(r"[0-9]{14}")
_OWNER = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")  # GB 32100: no I, O, S, V, Z
_KINDS = range(-(2**31), 2**31)
_NAME_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SealApplication:
    """What is asked for when a seal is to be made. ``id``: 14 digits, a GB/T 2260 region and a serial."""

    id: SealId
    kind: int
    name: str
    owner: str
    """Unified social credit code of the owning body."""
    owner_name: str
    picture: Picture
    valid_from: datetime
    valid_to: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A key in the vault that a seal signs with, and the certificate that says so."""

    suite: Suite
    key: KeyId
    certificate: Certificate
    chain: tuple[Certificate, ...]
    """Issuers above ``certificate``, nearest first, root left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealMaker:
    """The body that signs e-seals as their maker; ``vendor`` is the Vid of the seal's header."""

    signer: Signer
    certificate: Certificate
    vendor: str = "XINYIN"


def sign_seal(application: SealApplication, keys: Sequence[SigningKey], maker: SealMaker, at: datetime) -> bytes:
    """Make the e-seal that the maker signs."""
    return make_seseal(
        header_vid=maker.vendor,
        esid=application.id,
        kind=application.kind,
        name=application.name,
        certificates=tuple(key.certificate for key in keys if key.suite is SM2_SM3),
        created=at,
        valid_from=application.valid_from,
        valid_to=application.valid_to,
        picture=application.picture,
        maker=maker.signer,
        maker_certificate=maker.certificate,
    )


def checked_number(number: str) -> SealId:
    """Give a seal's number, if it is one."""
    if not _NUMBER.fullmatch(number):
        raise SealRefused("A seal's number is 14 digits: 6 of the region, 8 of the seal.")
    return SealId(number)


def require_sound(application: SealApplication, keys: Sequence[SigningKey]) -> None:
    """Refuse an application that does not hold together, and keys that a seal cannot sign with."""
    checked_number(application.id)
    if not _OWNER.fullmatch(application.owner):
        raise SealRefused("The owner is named by its unified social credit code of 18 characters.")
    if application.kind not in _KINDS or not 0 < len(application.name) <= _NAME_MAX:
        raise SealRefused("A seal has a kind, a whole number, and a name of 1 to 200 characters.")
    if application.valid_to <= application.valid_from:
        raise SealRefused("A seal's validity ends after it begins.")
    if SM2_SM3 not in {key.suite for key in keys}:
        raise SealRefused("An e-seal needs an SM2 certificate: GB/T 38540 seals name it.")
    for key in keys:
        if key.certificate.public_key.kind is not key.suite.key:
            raise SealRefused(f"The certificate given for {key.suite.name} holds a key of another kind.")
        # GM/T 0015: the holder's encryption certificate must never stand under a document.
        usages = key.certificate.key_usage
        if usages is not None and not usages & {"digital_signature", "content_commitment"}:
            raise SealRefused(f"The certificate given for {key.suite.name} is not for signing (key usage).")
