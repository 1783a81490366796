"""Evidence: the certificates and facts by which somebody later can judge a certificate as of now."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from threading import Lock
from typing import Protocol

from crypto.certificate import Certificate
from crypto.chain import build_chain
from crypto.crl import RevocationList
from crypto.ocsp_answer import OcspAnswer
from crypto.revocation import Revocation, RevocationFinding, RevocationJudge, Standing
from kernel.clock import Clock
from seal.errors import EvidenceMissing
from seal.trust.model import Trust, TrustSource

_MOST_KEPT = 1024
_KEPT_AT_MOST = timedelta(hours=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Octets to be embedded, DER: certificates, revocation lists and OCSP answers."""

    certificates: tuple[bytes, ...] = field(default=(), repr=False)
    crls: tuple[bytes, ...] = field(default=(), repr=False)
    answers: tuple[bytes, ...] = field(default=(), repr=False)

    def __add__(self, other: "Evidence") -> "Evidence":
        return Evidence(
            certificates=_once(self.certificates, other.certificates),
            crls=_once(self.crls, other.crls),
            answers=_once(self.answers, other.answers),
        )


class EvidenceSource(Protocol):
    """Gives evidence. Safe to share between threads; what it gave stays good for whoever asks again soon."""

    def about(self, certificate: Certificate, others: Iterable[Certificate] = ()) -> Evidence:
        """Give the path of ``certificate`` and facts that every certificate below its anchor is good now.

        ``others`` may be issuers on the way. EvidenceMissing names the certificate that no fact at hand speaks of.
        """


class OwnFacts(Protocol):
    """What authorities of our own say of certificates they issued."""

    def said(self, certificate: Certificate, issuer: Certificate) -> Revocation:
        """Give the newest word on ``certificate``; nothing where ``issuer`` is none of ours or does not answer."""


class TrustEvidence:
    """The ``EvidenceSource`` over the facts of a trust folder and over our own authorities.

    Kept for each certificate until a fact in it ends or the trust changes: a batch shares one OCSP answer.
    """

    def __init__(self, trust: TrustSource, clock: Clock, *, own: OwnFacts | None = None) -> None:
        self._trust = trust
        self._clock = clock
        self._own = own
        self._lock = Lock()
        self._of: Trust | None = None
        self._kept: dict[bytes, tuple[datetime, Evidence]] = {}

    def about(self, certificate: Certificate, others: Iterable[Certificate] = ()) -> Evidence:
        """Give what is at hand; EvidenceMissing where a certificate of the path has nothing."""
        trust, now = self._trust(), self._clock.now()
        with self._lock:
            if self._of is not trust or len(self._kept) >= _MOST_KEPT:
                self._of, self._kept = trust, {}
            until, kept = self._kept.get(certificate.raw, (now, None))
        if kept is not None and now < until:
            return kept
        until, found = self._gather(certificate, tuple(others), trust, now)
        with self._lock:
            if self._of is trust:
                self._kept[certificate.raw] = (until, found)
        return found

    def _gather(
        self, certificate: Certificate, others: tuple[Certificate, ...], trust: Trust, now: datetime
    ) -> tuple[datetime, Evidence]:
        issuers = (*others, *trust.intermediates)
        chain = build_chain(certificate, intermediates=issuers, anchors=trust.anchors, at=now)
        if not chain.trusted or not certificate.valid_at(now):
            problems = ", ".join(chain.problems) or "it is not valid now"
            raise EvidenceMissing(
                f"{certificate.subject_text} leads to no trusted root ({problems}): put the certificates on the way"
                " to it into trust/intermediates, or ask for a lower level."
            )
        until, found = now + _KEPT_AT_MOST, Evidence(certificates=tuple(each.raw for each in chain.path))
        for each, issuer in pairwise(chain.path):
            fact = self._fact(each, issuer, trust, now)
            until = min(until, _ends(fact, each) or until)
            if isinstance(fact, OcspAnswer):
                enclosed = tuple(one.raw for one in fact.certificates)
                found += Evidence(answers=(fact.raw,), certificates=enclosed)
            else:
                found += Evidence(crls=(fact.raw,))
        return until, found

    def _fact(
        self, certificate: Certificate, issuer: Certificate, trust: Trust, now: datetime
    ) -> RevocationList | OcspAnswer:
        """Find a fact by which ``certificate`` is good now: an answer before a list, which may be large."""
        known = trust.facts.about((certificate,), now)
        told = RevocationJudge(known, at=now, now=now).finding(certificate, issuer)
        if told.standing is not Standing.REVOKED:
            for each in (Revocation(answers=known.answers), known):
                fact = _good(RevocationJudge(each, at=now, now=now).finding(certificate, issuer))
                if fact is not None:
                    return fact
            own = Revocation() if self._own is None else self._own.said(certificate, issuer)
            told = RevocationJudge(own, at=now, now=now).finding(certificate, issuer)
            fact = _good(told)
            if fact is not None:
                return fact
        why = "it is revoked" if told.standing is Standing.REVOKED else told.why or "no list or answer about it"
        raise EvidenceMissing(
            f"Nothing at hand shows that {certificate.subject_text} is good now ({why}): run `xinyin trust refresh`,"
            " or ask for a lower level."
        )


def _good(found: RevocationFinding) -> RevocationList | OcspAnswer | None:
    return found.fact if found.standing is Standing.GOOD and found.revoked is None else None


def _ends(fact: RevocationList | OcspAnswer, certificate: Certificate) -> datetime | None:
    if isinstance(fact, RevocationList):
        return fact.next_update
    said = (each for each in fact.answers if each.cert_id.serial == certificate.serial)
    return next((each.next_update for each in said if each.next_update is not None), None)


def _once(first: tuple[bytes, ...], second: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys((*first, *second)))
