"""Every finding about a PDF, as one table: its code, what it makes of the verdict, and what it means.

Codes shared with certificates and OFD (SIGNER_CERT_*, SIGN_TIME_OUTSIDE_CERT, REVOCATION_*, TSA_*) are made by
``seal.trust``.
"""

from enum import Enum

from seal.model import Finding, Verdict


class Code(Enum):
    """A finding's code: what it alone makes of the verdict (VALID is a note), and when it is found."""

    # about the file
    PACKAGE_MALFORMED = Verdict.INVALID, "the file cannot be read, and bears a signature"
    PACKAGE_UNREADABLE = Verdict.INDETERMINATE, "the file cannot be read; no signature is to be seen in it"
    DOCUMENT_ENCRYPTED = Verdict.INDETERMINATE, "the file is encrypted"
    NO_SIGNATURE = Verdict.UNSIGNED, "the file bears no signature"
    SIGNATURE_UNREACHABLE = Verdict.INDETERMINATE, "octets look like a signature that no field leads to"
    SIGNATURE_REMOVED = Verdict.INVALID, "a signature of an earlier revision is gone"
    UNKNOWN_TAIL = Verdict.INVALID, "octets after a signature belong to no well-formed revision"
    # about what a signature covers
    BYTE_RANGE_INVALID = Verdict.INVALID, "not two ranges, from 0 to a revision's end, around exactly /Contents"
    SIGNATURE_SHARED = Verdict.INVALID, "two fields show one signature"
    CERTIFICATION_NOT_FIRST = Verdict.INVALID, "a signature certifies that is not the first of the document"
    CERTIFICATION_UNCLEAR = Verdict.INDETERMINATE, "the catalog and the signatures disagree on which one certifies"
    CHANGED_AFTER_SIGNING = Verdict.INVALID, "more was added than signatures, timestamps, validation data and metadata"
    CANNOT_VERIFY = Verdict.INDETERMINATE, "something was added, and what it changes cannot be told"
    DATA_HASH_MISMATCH = Verdict.INVALID, "the covered octets are not those that were signed"
    # about the signature itself
    SUBFILTER_UNSUPPORTED = Verdict.INDETERMINATE, "a kind of signature that is not judged here"
    CMS_MALFORMED = Verdict.INVALID, "/Contents is not the signed message it should be"
    SIGNER_COUNT = Verdict.INVALID, "the signed message has not exactly one signer"
    CONTENT_ENCAPSULATED = Verdict.INVALID, "a detached signature brings a content of its own"
    SIGNATURE_INVALID = Verdict.INVALID, "the value does not verify under the certificate"
    ALGORITHM_UNSUPPORTED = Verdict.INDETERMINATE, "an algorithm or key that is not judged here"
    ALGORITHM_WEAK = Verdict.INDETERMINATE, "an algorithm or key that no new signature should use"
    SIGNING_CERT_MISMATCH = Verdict.INVALID, "the signed reference names another certificate"
    SIGNING_CERT_NOT_BOUND = Verdict.VALID, "nothing signed names the certificate (PKCS#7, not PAdES)"
    SIGNER_CERT_MISSING = Verdict.INDETERMINATE, "the signer's certificate is not at hand"
    SIGN_TIME_UNKNOWN = Verdict.INDETERMINATE, "nothing says when it was signed"
    # about timestamps
    TIMESTAMP_INVALID = Verdict.INVALID, "the timestamp is broken or stamps something else"
    TIMESTAMP_UNTRUSTED = Verdict.VALID, "the timestamp's maker is not known: the claimed time is used"
    TSA_CERT_MISSING = Verdict.INDETERMINATE, "the certificate of a document timestamp's maker is not at hand"

    def found(self, detail: str = "") -> Finding:
        """Make the finding."""
        return Finding(code=self.name, verdict=self.value[0], detail=detail)
