"""The seal a signer is about to use: readable, made for its certificate, within its validity (GB/T 38540 7.2)."""

from datetime import datetime

from crypto.errors import DerError
from crypto.suites import SM2_SM3
from seal.errors import SealExpired, SealNotUsable
from seal.model import Credential
from seal.ses.model import SesSeal
from seal.ses.read import parse_seseal


def usable_seal(credential: Credential, at: datetime) -> SesSeal:
    """Give the seal of ``credential``; refuses one that cannot sign a SES_Signature at ``at``."""
    if credential.suite is not SM2_SM3 or credential.seseal is None:
        raise SealNotUsable("This format takes an SM2 certificate and an electronic seal made for it.")
    try:
        seal = parse_seseal(credential.seseal)
    except DerError as error:
        raise SealNotUsable(f"The electronic seal cannot be read: {error}.") from error
    if not seal.lists(credential.certificate.raw):
        raise SealNotUsable("The seal does not list this certificate: have the seal made again for it.")
    if not seal.valid_at(at):
        raise SealExpired("The seal is outside its validity.")
    if not credential.certificate.not_before <= at <= credential.certificate.not_after:
        raise SealExpired("The seal's certificate is outside its validity.")
    return seal
