"""What this floor refuses, as one small tree.

CryptoError
├── DerError            octets that are not the DER they should be
├── CertificateError    a certificate, CSR or CRL that cannot be used
├── OcspError           an OCSP request or answer that cannot be read
├── CmsError            SignedData or a time-stamp message that cannot be used
├── TokenError          a JWT that must not be believed
├── CborError           octets that are not deterministic CBOR, or a value CBOR does not hold
├── CoseError           a COSE_Sign1 message that must not be believed
├── ProofUnavailable    a Merkle proof for a leaf or a size that the tree does not have
├── CheckpointError     a log's checkpoint that must not be believed
├── FieldError          a sealed field that does not open at this place
├── KeyRefused          a key that does not exist, does not open or does not fit
│   └── SuiteRefused    a suite that may not sign such a thing, or a key too weak to sign anew
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


class CborError(CryptoError):
    """The octets are not deterministic CBOR within bounds, or a value is none that is written here."""

    code = "cbor_malformed"


class CoseError(CryptoError):
    """A COSE_Sign1 message must not be believed."""

    code = "cose_invalid"


class ProofUnavailable(CryptoError):
    """No such Merkle proof can be made: the leaf or the size lies beyond the tree."""

    code = "proof_unavailable"


class CheckpointError(CryptoError):
    """A log's checkpoint must not be believed, or cannot be written."""

    code = "checkpoint_invalid"


class FieldError(CryptoError):
    """A sealed field does not open at this place: it was altered, moved, or its key is gone."""

    code = "field_unreadable"


class KeyRefused(CryptoError):
    """A key does not exist, does not open under this passphrase, or does not fit its use."""

    code = "key_refused"


class SuiteRefused(KeyRefused):
    """A suite may not be used for what is to be signed, or the key is one that only verifies what it signed before."""

    code = "suite_refused"


class EngineUnavailable(CryptoError):
    """No SM2 engine on this machine passes its known-answer test; the text names the remedy."""

    code = "sm2_engine_unavailable"
