"""What this floor refuses, as one small tree.

CryptoError
├── DerError            octets that are not the DER they should be
├── CertificateError    a certificate, CSR or CRL that cannot be used
├── OcspError           an OCSP request or answer that cannot be read
├── CmsError            SignedData or a time-stamp message that cannot be used
├── TokenError          a JWT that must not be believed
├── KeyRefused          a key that does not exist, does not open or does not fit
└── EngineUnavailable   no SM2 engine on this machine passes its known-answer test
"""

from typing import ClassVar


class CryptoError(Exception):
    """Base of every refusal of this floor; ``code`` is stable, the text is for people and holds no secret."""

    code: ClassVar[str] = "crypto_error"


class DerError(CryptoError):
    """The octets are not the DER (or tolerated BER) structure they should be."""

    code = "der_malformed"


class CertificateError(CryptoError):
    """A certificate, request or revocation list cannot be read or does not hold together."""

    code = "certificate_malformed"


class OcspError(CryptoError):
    """An OCSP request or answer cannot be read."""

    code = "ocsp_malformed"


class CmsError(CryptoError):
    """A SignedData cannot be read or does not hold together."""

    code = "cms_malformed"


class TokenError(CryptoError):
    """A JWT must not be believed."""

    code = "token_invalid"


class KeyRefused(CryptoError):
    """A key does not exist, does not open under this passphrase, or does not fit its use."""

    code = "key_refused"


class EngineUnavailable(CryptoError):
    """No SM2 engine on this machine passes its known-answer test; the text names the remedy."""

    code = "sm2_engine_unavailable"
