"""How a signature's report is read where both renditions must read it alike."""

from seal.model import CertificateFacts, SignatureReport, TimeSource, Verdict

DOCUMENT_STAMP = "doc-timestamp"


def is_proved(signature: SignatureReport) -> bool:
    """Tell whether a time stamp that is believed shows the signature's time; a bad document time stamp shows none."""
    stamped = signature.time_source is TimeSource.TIMESTAMP
    return stamped and (signature.format != DOCUMENT_STAMP or signature.verdict is Verdict.VALID)


def signer_of(signature: SignatureReport) -> CertificateFacts | None:
    """Give the signer's certificate, if there is evidence of it."""
    told = signature.evidence.certificates if signature.evidence else ()
    return next((each.certificate for each in told if each.certificate.subject == signature.signer), None)
