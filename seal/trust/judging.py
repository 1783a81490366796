"""Judging a certificate in its role, and a seal's registered status, at a given time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Literal

from crypto.certificate import Certificate
from crypto.chain import ChainResult, build_chain
from crypto.crl import RevocationList
from crypto.extensions import OCSP_SIGNING, TIME_STAMPING
from crypto.revocation import Revocation, RevocationFinding, RevocationJudge, Standing
from crypto.revoked import RevocationReason, Revoked
from seal.model import Finding, SealStatus, Verdict
from seal.trust.embedded import NONE
from seal.trust.facts import Facts
from seal.trust.model import Trust

Role = Literal["SIGNER", "SEAL_MAKER", "TSA"]

_OUTSIDE_VALIDITY: dict[Role, str] = {
    "SIGNER": "SIGN_TIME_OUTSIDE_CERT",
    "SEAL_MAKER": "SEAL_MAKER_CERT_NOT_VALID",
    "TSA": "TSA_CERT_NOT_VALID",
}
_REVOKED: dict[Role, str] = {
    "SIGNER": "SIGNER_CERT_REVOKED",
    "SEAL_MAKER": "SEAL_MAKER_CERT_REVOKED",
    "TSA": "TSA_CERT_REVOKED",
}
_COMPROMISED: dict[Role, str] = {
    "SIGNER": "SIGNER_KEY_COMPROMISED",
    "SEAL_MAKER": "SEAL_MAKER_KEY_COMPROMISED",
    "TSA": "TSA_KEY_COMPROMISED",
}
TOLD_OF_STAMPERS = frozenset({"TSA_CERT_REVOKED", "CA_CERT_REVOKED", "REVOKED_SINCE"})
"""What is told of a time stamp's maker beside the stamp's own finding."""
_SEAL_STATUS = {
    SealStatus.MADE: "SEAL_NOT_ACTIVATED",
    SealStatus.FILED: "SEAL_NOT_ACTIVATED",
    SealStatus.LOST: "SEAL_LOST",
    SealStatus.REVOKED: "SEAL_REVOKED",
    SealStatus.SUSPENDED: "SEAL_SUSPENDED",
    SealStatus.DESTROYED: "SEAL_DESTROYED",
}
_COMPROMISES = frozenset(
    {RevocationReason.KEY_COMPROMISE, RevocationReason.CA_COMPROMISE, RevocationReason.AA_COMPROMISE}
)
_MACHINES = frozenset({TIME_STAMPING, OCSP_SIGNING})
_CAUSE_SHOWN = 300


def judge_certificate(  # noqa: PLR0913 - a certificate is judged against as many things
    cert: Certificate,
    *,
    others: Iterable[Certificate],
    trust: Trust,
    at: datetime,
    role: Role,
    used_at: datetime | None = None,
    proved: datetime | None = None,
    facts: Facts = NONE,
) -> tuple[Finding, ...]:
    """Judge ``cert`` in its ``role`` as of ``at``, with ``others`` found beside it as possible issuers.

    Revocation is asked for ``used_at`` if that is another time. ``proved`` is when a trusted time stamp shows that
    what was signed was there. ``facts`` are those that came with the document. Gives every finding, none if all is
    well. A certificate that is itself an anchor was chosen by hand: its revocation is not asked for.
    """
    # 1. The certificate's own dates: outside them nothing it signed counts.
    # 2. Its key usage.
    # 3. A path to an anchor; a path that breaks higher up is "not known to be trusted", never "forged".
    # 4. Revocation of every certificate of the path, as of the time of use.
    pinned = any(anchor.raw == cert.raw for anchor in trust.anchors)
    issuers = (*others, *trust.intermediates)
    path = _chain(cert, issuers, trust, at)
    question = _Question(
        trust=trust, facts=facts, role=role, at=_within(cert, used_at or at), proved=proved, issuers=issuers
    )
    return (
        *_dates(cert, at, role),
        *_usage(cert, role),
        *_path(cert, path, role),
        *(() if pinned else question.findings(cert, path)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a certificate was judged by: the path to an anchor (empty if none), and where each one below it stood."""

    path: tuple[Certificate, ...]
    standings: tuple[RevocationFinding, ...]


def explain_certificate(  # noqa: PLR0913 - as judge_certificate
    cert: Certificate,
    *,
    others: Iterable[Certificate],
    trust: Trust,
    at: datetime,
    role: Role,
    used_at: datetime | None = None,
    proved: datetime | None = None,
    facts: Facts = NONE,
) -> Explanation:
    """Tell by what ``judge_certificate`` judges when it is asked the same."""
    issuers = (*others, *trust.intermediates)
    chain = _chain(cert, issuers, trust, at)
    question = _Question(
        trust=trust, facts=facts, role=role, at=_within(cert, used_at or at), proved=proved, issuers=issuers
    )
    pinned = any(anchor.raw == cert.raw for anchor in trust.anchors)
    return Explanation(path=chain.path, standings=() if pinned or not chain.path else question.standings(cert, chain))


def revoked_at(cert: Certificate, *, others: Iterable[Certificate], trust: Trust, at: datetime) -> Finding | None:
    """Say what forbids ``cert`` to sign at ``at``: that it, or one above it, is revoked; None if nothing does."""
    found = judge_certificate(cert, others=others, trust=trust, at=at, role="SIGNER")
    forbidding = {*_REVOKED.values(), *_COMPROMISED.values(), "CA_CERT_REVOKED", "CA_KEY_COMPROMISED"}
    return next((each for each in found if each.code in forbidding), None)


def _within(cert: Certificate, at: datetime) -> datetime:
    # A certificate's own dates are judged apart: asking at an instant inside them keeps one fault one finding.
    return min(max(at, cert.not_before), cert.not_after)


def _dates(cert: Certificate, at: datetime, role: Role) -> Iterator[Finding]:
    if not cert.not_before <= at <= cert.not_after:
        span = f"{cert.not_before.isoformat()} to {cert.not_after.isoformat()}"
        yield Finding(
            code=_OUTSIDE_VALIDITY[role],
            verdict=Verdict.INVALID,
            detail=f"{at.isoformat()} is outside {span}",
        )


def _usage(cert: Certificate, role: Role) -> Iterator[Finding]:
    # A certificate without the extension is not restricted (RFC 5280 4.2.1.3).
    wrong = cert.key_usage is not None and not cert.key_usage & {"digital_signature", "content_commitment"}
    # RFC 3161 2.3: a time-stamping certificate says so.
    wrong |= role == "TSA" and TIME_STAMPING not in cert.extended_key_usage
    # 4.2.1.12: one that is for a machine's work alone is for nothing else.
    wrong |= role != "TSA" and bool(cert.extended_key_usage) and cert.extended_key_usage <= _MACHINES
    if wrong:
        usages = ", ".join(sorted((cert.key_usage or frozenset()) | cert.extended_key_usage)) or "none"
        yield Finding(code=f"{role}_CERT_KEY_USAGE", verdict=Verdict.INVALID, detail=f"usages: {usages}")


def _chain(cert: Certificate, issuers: Iterable[Certificate], trust: Trust, at: datetime) -> ChainResult:
    return build_chain(cert, intermediates=issuers, anchors=trust.anchors, at=_within(cert, at))


def _path(cert: Certificate, chain: ChainResult, role: Role) -> Iterator[Finding]:
    if chain.problems or not chain.path:
        problems = ", ".join(sorted({str(problem) for problem in chain.problems})) or "no path"
        yield Finding(
            code=f"{role}_CERT_UNTRUSTED",
            verdict=Verdict.INDETERMINATE,
            detail=f"{cert.subject_text}, issued by {cert.issuer_text}: {problems}",
        )


# --- revocation ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """Who asks, when and why: all certificates of one path are asked for alike."""

    trust: Trust
    facts: Facts
    role: Role
    at: datetime
    proved: datetime | None
    issuers: tuple[Certificate, ...]

    def findings(self, cert: Certificate, chain: ChainResult) -> Iterator[Finding]:
        """Say of every certificate below the anchor where it stood; without a path only of ``cert``, and not much."""
        if not chain.path:
            yield from self._unknown(cert, "its issuer is not known", leaf=True)
            return
        for place, each in enumerate(self.standings(cert, chain)):
            yield from self._finding(each, leaf=place == 0)

    def standings(self, cert: Certificate, chain: ChainResult) -> tuple[RevocationFinding, ...]:
        """Say where every certificate below the anchor stood."""
        found = self._standings(chain.path, self._relevant(chain.path[:-1]))
        if any(each.standing is Standing.REVOKED for each in found[1:]):
            # The authority above may have another certificate, and with it a path that holds.
            return self._other_way(cert, chain) or found
        return found

    def _standings(self, path: tuple[Certificate, ...], known: Revocation) -> tuple[RevocationFinding, ...]:
        judge = RevocationJudge(known, at=self.at, now=self._now)
        found = tuple(self._standing(cert, issuer, judge, known) for cert, issuer in pairwise(path))
        return found if self.proved is not None or not self.facts else tuple(self._supported(found, path))

    def _supported(
        self, found: tuple[RevocationFinding, ...], path: tuple[Certificate, ...]
    ) -> Iterator[RevocationFinding]:
        """Take what is good by the document's own facts alone for unknown, unless they are of today.

        Whoever has a stolen key may claim any time, and chooses which of the authority's old words to bring along:
        those from before the theft was reported. Of a certificate that has ended nothing is of today: authorities
        forget it, and with it why it was revoked.
        """
        ours = self.trust.facts.about(path[:-1], self.at)
        today = self._relevant(path[:-1])
        then, now = (RevocationJudge(each, at=at, now=self._now) for each, at in ((ours, self.at), (today, self._now)))
        for each, (cert, issuer) in zip(found, pairwise(path), strict=True):
            good = each.standing is Standing.GOOD and each.revoked is None
            own = self.trust.facts.own_word(issuer) is not None
            judges = (then, now) if self._now <= cert.not_after else (then,)
            if good and not own and all(one.finding(cert, issuer).standing is Standing.UNKNOWN for one in judges):
                why = "only old facts that came with the document speak of it, and its time is only claimed"
                yield RevocationFinding(certificate=cert, standing=Standing.UNKNOWN, why=why)
            else:
                yield each

    def _standing(
        self, cert: Certificate, issuer: Certificate, judge: RevocationJudge, known: Revocation
    ) -> RevocationFinding:
        said = judge.finding(cert, issuer)
        if said.standing is not Standing.REVOKED:
            said = self._later(cert, issuer, known) or said
        own = self.trust.facts.own_word(issuer)
        if own is None or said.standing is Standing.REVOKED:
            return said
        revoked = own.revoked.get(cert.serial) or said.revoked
        gone = revoked is not None and revoked.effective_at(self.at)
        return RevocationFinding(
            certificate=cert, standing=Standing.REVOKED if gone else Standing.GOOD, revoked=revoked, fact=said.fact
        )

    def _later(self, cert: Certificate, issuer: Certificate, known: Revocation) -> RevocationFinding | None:
        """Give the gravest of the later revocations: a reason may be amended, and the compromise is what counts."""
        single = [Revocation(crls=(each,)) for each in known.crls if cert.serial in each.entries]
        for each in known.answers:
            said = each.about(cert, issuer)
            if said is not None and said.revoked is not None:
                single.append(Revocation(crls=known.crls, answers=(each,)))
        judges = (RevocationJudge(each, at=self.at, now=self._now) for each in single)
        found = [each for each in (judge.finding(cert, issuer) for judge in judges) if self._is_later(each.revoked)]
        found.sort(key=lambda each: each.revoked is None or each.revoked.reason not in _COMPROMISES)
        return found[0] if found else None

    def _is_later(self, revoked: Revoked | None) -> bool:
        return revoked is not None and not revoked.effective_at(self.at)

    def _other_way(self, cert: Certificate, chain: ChainResult) -> tuple[RevocationFinding, ...] | None:
        known = self._relevant((cert, *self.issuers))
        other = build_chain(
            cert, intermediates=self.issuers, anchors=self.trust.anchors, at=self.at, revocation=known, now=self._now
        )
        if not other.path or other.path == chain.path:
            return None
        found = self._standings(other.path, known)
        return None if any(each.standing is Standing.REVOKED for each in found) else found

    @property
    def _now(self) -> datetime:
        return self.trust.now or self.at

    def _relevant(self, certificates: tuple[Certificate, ...]) -> Revocation:
        ours = self.trust.facts.about(certificates, self.at)
        if not self.facts:
            return ours
        # Ours first: facts brought along have places of their own and crowd none of ours out.
        brought = self.facts.about(certificates, self.at)
        return Revocation(crls=ours.crls + brought.crls, answers=ours.answers + brought.answers)

    def _finding(self, found: RevocationFinding, *, leaf: bool) -> Iterator[Finding]:
        cert, revoked = found.certificate, found.revoked
        if found.standing is Standing.UNKNOWN:
            yield from self._unknown(cert, found.why, leaf=leaf)
        elif revoked is None or (found.standing is Standing.GOOD and revoked.effective_at(self.at)):
            return  # Never revoked, or held and released by then.
        elif found.standing is Standing.REVOKED:
            code = _REVOKED[self.role] if leaf else "CA_CERT_REVOKED"
            yield Finding(code=code, verdict=Verdict.INVALID, detail=_told(found, revoked))
        elif revoked.reason in _COMPROMISES and (self.proved is None or revoked.effective_at(self.proved)):
            # Whoever has the key may claim any time, and may have done so before it was known.
            yield Finding(
                code=_COMPROMISED[self.role] if leaf else "CA_KEY_COMPROMISED",
                verdict=Verdict.INDETERMINATE if self.role == "TSA" else Verdict.INVALID,
                detail=_told(found, revoked),
            )
        else:
            yield Finding(code="REVOKED_SINCE", verdict=Verdict.VALID, detail=_told(found, revoked))

    def _unknown(self, cert: Certificate, why: str, *, leaf: bool) -> Iterator[Finding]:
        if cert.crl_urls or cert.ocsp_urls:
            where = (*cert.ocsp_urls, *cert.crl_urls)[0][:_CAUSE_SHOWN]
            unread = "; ".join(self.trust.facts.unread[:2])
            cause = f"{cert.subject_text}: {why or 'no list or answer about it'}" + (f" ({unread})" if unread else "")
            yield Finding(
                code="REVOCATION_UNKNOWN",
                verdict=Verdict.INDETERMINATE,
                detail=f"{cause[:_CAUSE_SHOWN]}; it could be asked at {where}",
            )
        elif leaf:
            yield Finding(code="REVOCATION_NOT_OFFERED", verdict=Verdict.VALID, detail=cert.subject_text)


def _told(found: RevocationFinding, revoked: Revoked) -> str:
    """Say when, why, and by whose word."""
    since = f", not to be relied on since {revoked.invalid_since.isoformat()}" if revoked.invalid_since else ""
    match found.fact:
        case RevocationList(number=number, this_update=issued):
            word = f"revocation list {'' if number is None else f'{number} '}of {issued.isoformat()}"
        case None:
            word = "the authority's own record"
        case answer:
            word = f"OCSP answer of {answer.produced_at.isoformat() if answer.produced_at else 'no time'}"
    reason = revoked.reason.name.lower()
    return f"{found.certificate.subject_text}: revoked {revoked.at.isoformat()}, {reason}{since}; {word}"


# --- the register ----------------------------------------------------------------------------------------------


def judge_seal_status(esid: str, *, trust: Trust, at: datetime) -> tuple[Finding, ...]:
    """Judge the registered status of the seal ``esid`` at the time of sealing; no register, no finding."""
    if trust.seal_status is None:
        return ()
    status = trust.seal_status(esid, at)
    if status is None:
        # Another region's seal: its maker's signature still counts, its status must be asked for there.
        return (Finding(code="SEAL_UNKNOWN", verdict=Verdict.VALID, detail=esid),)
    if status in _SEAL_STATUS:
        detail = f"{esid} was {status.value} at {at.isoformat()}"
        return (Finding(code=_SEAL_STATUS[status], verdict=Verdict.INVALID, detail=detail),)
    return ()
