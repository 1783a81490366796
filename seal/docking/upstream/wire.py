"""The signing interface a department's system offers us: one question, one answer, JSON.

    POST …/sign
    {"key": "seal-01", "algorithm": "SM2-SM3", "digest": "<base64 of 32 octets>"}
    {"signature": "<base64>", "certificate": "<base64 of DER>"}

``digest`` is what is signed as it stands: for SM2 e = SM3(Z||M), for ES256 SHA-256 of the message. ``signature`` is
DER SEQUENCE{r, s}; for SM2 r||s too. A refusal is a status other than 200; its body is not read.
"""

import base64
import binascii
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crypto.certificate import Certificate
from crypto.errors import CryptoError, DerError
from crypto.keys import PublicKey
from crypto.sm2 import RAW_SIGNATURE_SIZE, signature_to_der
from crypto.suites import SM2_SM3, Suite
from seal.docking.errors import UpstreamAnswerUnreadable, UpstreamWrongSignature

JSON: Final = "application/json"
MAX_ANSWER: Final = 64 * 1024
_LONGEST_SIGNATURE, _LONGEST_CERTIFICATE = 1024, 32 * 1024


class SignRequest(BaseModel):
    """What is asked."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    key: str = Field(min_length=1, max_length=100)
    algorithm: str = Field(max_length=20)
    digest: str = Field(max_length=100)


class SignAnswer(BaseModel):
    """What is answered; members that we do not know are passed over."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    signature: str = Field(max_length=_LONGEST_SIGNATURE)
    certificate: str = Field(max_length=_LONGEST_CERTIFICATE)


def question(key: str, suite: Suite, digest: bytes) -> bytes:
    """Write the request."""
    text = base64.b64encode(digest).decode()
    return SignRequest(key=key, algorithm=suite.name, digest=text).model_dump_json().encode()


def proved_signature(body: bytes, suite: Suite, public_key: PublicKey, digest: bytes) -> bytes:
    """Read the signature out of an answer, in the form vaults give, after proving that it is one.

    UpstreamWrongSignature if the certificate holds another key than the one we know, or the value does not verify.
    """
    try:
        answer = SignAnswer.model_validate_json(body)
        value = base64.b64decode(answer.signature, validate=True)
        certificate = Certificate.from_der(base64.b64decode(answer.certificate, validate=True))
        sent_key = certificate.public_key
    except ValidationError:
        # Not chained: what pydantic says of an answer repeats the answer.
        raise UpstreamAnswerUnreadable("the department's system answered with no signature and certificate") from None
    except (binascii.Error, ValueError, CryptoError):
        raise UpstreamAnswerUnreadable("signature or certificate in the answer cannot be read") from None
    if sent_key.canonical != public_key.canonical:
        raise UpstreamWrongSignature(
            "the department's system signed under another certificate than the one known here: "
            "if its key was changed, have the seal made anew with the new certificate"
        )
    if suite is SM2_SM3 and len(value) == RAW_SIGNATURE_SIZE:
        value = _der(value)
    if not public_key.verify_digest(suite, digest, value):
        raise UpstreamWrongSignature("what the department's system gave is no signature of this digest by this key")
    return value


def _der(raw: bytes) -> bytes:
    try:
        return signature_to_der(raw)
    except DerError:
        raise UpstreamWrongSignature("r or s of the signature is outside its range") from None
