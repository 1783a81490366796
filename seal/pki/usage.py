"""What a certificate's key is for (GM/T 0015): signing or being encrypted to, never taken for the other."""

from collections.abc import Iterable

from crypto import sm2_encryption
from crypto.suites import KeyKind
from crypto.x509 import Certificate
from seal.pki.errors import CertificateUnfit

_SIGNS = frozenset(("digital_signature", "content_commitment"))
_ENCRYPTS = frozenset(("key_encipherment", "data_encipherment", "key_agreement"))


def encrypts(usages: Iterable[str] | None) -> bool:
    """Whether these usages are those of an encryption certificate; one that names none is not."""
    return bool(_ENCRYPTS & frozenset(usages or ()))


def require_signing(certificate: Certificate) -> None:
    """Refuse a certificate whose key does not sign documents; one without the extension is not restricted."""
    if certificate.key_usage is not None and not certificate.key_usage & _SIGNS:
        raise CertificateUnfit("the certificate is not for signing: of the two a holder has, it is the other one")


def require_encryption(certificate: Certificate) -> None:
    """Refuse a certificate that does not say its key is there to be encrypted to."""
    if not encrypts(certificate.key_usage):
        raise CertificateUnfit("the certificate is not for encryption: of the two a holder has, it is the other one")


def encrypt_to(certificate: Certificate, message: bytes) -> bytes:
    """Encrypt to the holder of an SM2 encryption certificate: SM2Cipher (GB/T 35276), DER.

    Whether the certificate is trusted and not revoked is for the caller to ask.
    """
    require_encryption(certificate)
    if certificate.public_key.kind is not KeyKind.SM2:
        raise CertificateUnfit("only SM2 certificates are encrypted to here")
    return sm2_encryption.encrypt(certificate.public_key.point, message).der()
