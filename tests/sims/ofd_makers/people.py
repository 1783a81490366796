"""Certificates with one thing wrong, for whoever holds them: signer, seal maker, time stamper."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from crypto.revoked import RevocationReason, Revoked
from crypto.x509 import CertificateProfile
from seal.trust import Facts, OwnWord, Trust
from tests.sims.ofd_workshop import AT, Authority, Holder, Workshop

DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody with a certificate, and the trust it is judged by."""

    holder: Holder
    trust: Trust
    says: str


Hire = Callable[[Workshop, CertificateProfile], Person]
NAME = "Somebody of Interest"


def _revoked(trust: Trust, issuer: Authority, holder: Holder, *, days: int, reason: RevocationReason) -> Trust:
    entry = Revoked(serial=holder.certificate.serial, at=AT + days * DAY, reason=reason)
    word = OwnWord(issuer=issuer.root.certificate, revoked={entry.serial: entry})
    return replace(trust, facts=Facts(own=[word]))


def _stranger(workshop: Workshop, profile: CertificateProfile) -> Person:
    holder = Authority.make("Unknown Root").certify(NAME, profile=profile)
    return Person(holder=holder, trust=workshop.bureau.trust, says=NAME)


def _unfit(workshop: Workshop, profile: CertificateProfile) -> Person:
    profile = replace(profile, key_usage=("key_agreement",))
    holder = workshop.bureau.authority.certify(NAME, profile=profile)
    return Person(holder=holder, trust=workshop.bureau.trust, says="key_agreement")


def _over(workshop: Workshop, profile: CertificateProfile) -> Person:
    holder = workshop.bureau.authority.certify(NAME, profile=profile, not_after=AT - 300 * DAY)
    return Person(holder=holder, trust=workshop.bureau.trust, says="outside")


def _gone(days: int, reason: RevocationReason) -> Hire:
    def hire(workshop: Workshop, profile: CertificateProfile) -> Person:
        authority = workshop.bureau.authority
        holder = authority.certify(NAME, profile=profile)
        trust = _revoked(workshop.bureau.trust, authority, holder, days=days, reason=reason)
        return Person(holder=holder, trust=trust, says=NAME)

    return hire


def _gone_above(days: int, reason: RevocationReason) -> Hire:
    def hire(workshop: Workshop, profile: CertificateProfile) -> Person:
        root = workshop.bureau.authority
        below = root.below("Authority of Interest")
        holder = below.certify(NAME, profile=profile)
        trust = _revoked(workshop.bureau.trust, root, below.root, days=days, reason=reason)
        return Person(
            holder=holder,
            trust=replace(trust, intermediates=(below.root.certificate,)),
            says="Authority of Interest",
        )

    return hire


def _unasked(workshop: Workshop, profile: CertificateProfile) -> Person:
    holder = workshop.bureau.authority.certify(NAME, profile=profile, crl_urls=("http://pki.example/ca.crl",))
    return Person(holder=holder, trust=workshop.bureau.trust, says=NAME)


def _plain(workshop: Workshop, profile: CertificateProfile) -> Person:
    holder = workshop.bureau.authority.certify(NAME, profile=profile)
    return Person(holder=holder, trust=workshop.bureau.trust, says=NAME)


STRANGER = _stranger
REVOKED = _gone(-1, RevocationReason.SUPERSEDED)
REVOKED_SINCE = _gone(1, RevocationReason.SUPERSEDED)
AUTHORITY_REVOKED = _gone_above(-1, RevocationReason.SUPERSEDED)
PEOPLE: Mapping[str, Hire] = {
    "CERT_UNTRUSTED": STRANGER,
    "CERT_KEY_USAGE": _unfit,
    "CERT_NOT_VALID": _over,
    "CERT_REVOKED": REVOKED,
    "KEY_COMPROMISED": _gone(1, RevocationReason.KEY_COMPROMISE),
    "CA_CERT_REVOKED": AUTHORITY_REVOKED,
    "CA_KEY_COMPROMISED": _gone_above(1, RevocationReason.CA_COMPROMISE),
    "REVOKED_SINCE": REVOKED_SINCE,
    "REVOCATION_UNKNOWN": _unasked,
    "REVOCATION_NOT_OFFERED": _plain,
}
"""By what is wrong; the codes of each role are named after these."""


def code_of(role: str, wrong: str) -> str:
    """Give the code a role has for what is wrong with its certificate."""
    if (role, wrong) == ("SIGNER", "CERT_NOT_VALID"):
        return "SIGN_TIME_OUTSIDE_CERT"
    return wrong if wrong.startswith(("CA_", "REVO")) else f"{role}_{wrong}"
