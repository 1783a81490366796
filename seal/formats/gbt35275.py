"""GB/T 35275 messages as every format writes them: content left out, attributes signed, a time stamp beside them."""

from datetime import datetime

from crypto.cms import CmsTemplate, with_timestamp
from crypto.errors import CryptoError
from crypto.suites import SM2_SM3
from seal.errors import SealExpired, SealNotUsable
from seal.model import Credential, SignMessage


def signing_template(credential: Credential, at: datetime) -> CmsTemplate:
    """Give the message that waits for digest and signature; refuses what cannot sign one at ``at``."""
    if credential.suite is not SM2_SM3:
        raise SealNotUsable("A GB/T 35275 message is signed with an SM2 certificate.")
    if not credential.certificate.not_before <= at <= credential.certificate.not_after:
        raise SealExpired("The signing certificate is outside its validity.")
    try:
        return CmsTemplate(credential.certificate, credential.chain, credential.suite, "gbt35275")
    except CryptoError as error:
        raise SealNotUsable(f"The certificate cannot sign: {error}.") from error


def signed_message(
    template: CmsTemplate, digest: bytes, *, credential: Credential, at: datetime, sign: SignMessage
) -> bytes:
    """Sign the message over ``digest`` and have the value time-stamped if ``credential`` says by whom."""
    attributes = template.attributes(digest, signing_time=at)
    signature = sign(attributes)
    message = template.assemble(attributes, signature)
    token = credential.stamper(signature) if credential.stamper else None
    return message if token is None else with_timestamp(message, token)
