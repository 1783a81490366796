"""Trust: whom we believe, and what that makes of a certificate or a seal at a given time."""

from seal.trust.facts import Facts, OwnWord
from seal.trust.folder import TrustFolder
from seal.trust.judging import Role, explain_certificate, judge_certificate, judge_seal_status, revoked_at
from seal.trust.model import SealStatusAt, Trust, TrustSource, load_trust
from seal.trust.own import OwnLedgers

__all__ = [
    "Facts",
    "OwnLedgers",
    "OwnWord",
    "Role",
    "SealStatusAt",
    "Trust",
    "TrustFolder",
    "TrustSource",
    "explain_certificate",
    "judge_certificate",
    "judge_seal_status",
    "load_trust",
    "revoked_at",
]
