"""Every finding about a PDF, as one table: its code, what it makes of the verdict, and what it means.

Codes shared with certificates and OFD (SIGNER_CERT_*, SIGN_TIME_OUTSIDE_CERT, REVOCATION_*, TSA_*) are made by
``seal.trust``.
"""

from enum import Enum

from seal.model import Finding, Verdict


class Code(Enum):
    """A finding's code and verdict; the text beside each says when it is found."""

    # about the file
    PACKAGE_MALFORMED = Verdict.INVALID  # cannot be read, and bears a signature
    PACKAGE_UNREADABLE = Verdict.INDETERMINATE  # cannot be read; no signature seen
    DOCUMENT_ENCRYPTED = Verdict.INDETERMINATE
    NO_SIGNATURE = Verdict.UNSIGNED
    SIGNATURE_UNREACHABLE = Verdict.INDETERMINATE  # octets like a signature that no field leads to
    SIGNATURE_REMOVED = Verdict.INVALID  # an earlier revision had a signature that is gone
    UNKNOWN_TAIL = Verdict.INVALID  # octets after a signature that belong to no well-formed revision
    # about what a signature covers
    BYTE_RANGE_INVALID = Verdict.INVALID  # not two ranges from 0 around exactly /Contents to a revision's end
    SIGNATURE_SHARED = Verdict.INVALID  # two fields show one signature
    CHANGED_AFTER_SIGNING = Verdict.INVALID  # more than signatures, timestamps and validation data were added
    DATA_HASH_MISMATCH = Verdict.INVALID  # the covered octets are not those that were signed
    # about the signature itself
    SUBFILTER_UNSUPPORTED = Verdict.INDETERMINATE
    CMS_MALFORMED = Verdict.INVALID
    SIGNER_COUNT = Verdict.INVALID  # not exactly one signer
    CONTENT_ENCAPSULATED = Verdict.INVALID  # a detached signature brings a content of its own
    SIGNATURE_INVALID = Verdict.INVALID  # the value does not verify under the certificate
    ALGORITHM_UNSUPPORTED = Verdict.INDETERMINATE
    ALGORITHM_CERT_MISMATCH = Verdict.INVALID
    ALGORITHM_WEAK = Verdict.VALID  # a note: an algorithm no new signature should use
    SIGNING_CERT_MISMATCH = Verdict.INVALID  # the signed reference names another certificate
    SIGNING_CERT_NOT_BOUND = Verdict.VALID  # a note: there is no such reference (PKCS#7, not PAdES)
    SIGNER_CERT_MISSING = Verdict.INDETERMINATE
    SIGN_TIME_UNKNOWN = Verdict.INDETERMINATE
    # about timestamps
    TIMESTAMP_INVALID = Verdict.INVALID
    TIMESTAMP_UNTRUSTED = Verdict.VALID  # a note: the claimed time is used instead

    def __new__(cls, verdict: Verdict) -> "Code":
        """Make members with equal verdicts distinct: the name is the identity."""
        member = object.__new__(cls)
        member._value_ = len(cls.__members__)
        member.verdict = verdict
        return member

    verdict: Verdict

    def found(self, detail: str = "") -> Finding:
        """Make the finding."""
        return Finding(code=self.name, verdict=self.verdict, detail=detail)
