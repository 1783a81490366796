"""stub."""

from datetime import datetime
from seal.model import Finding, SignatureReport, Verdict
from seal.trust import Trust


def judge_signed_value(octets: bytes, *, signed: bytes, trust: Trust, at: datetime | None) -> SignatureReport:
    return SignatureReport(
        format="ofd-gbt35275",
        signer=None,
        seal=None,
        time=None,
        time_source=None,
        findings=(Finding(code="STUB", verdict=Verdict.INDETERMINATE),),
    )
