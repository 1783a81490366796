"""Revocation at a time: what lists and OCSP answers, given as data, say of a certificate as of an instant.

A revocation is final from its date on (and from the date its key was compromised, where that is stated): a later
one leaves what was signed before standing. Only a hold may end.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TypeVar

from crypto.certificate import Certificate
from crypto.crl import RevocationList
from crypto.errors import CertificateError, CryptoError
from crypto.ocsp import CertStatus, ResponseStatus
from crypto.ocsp_answer import DAY, SKEW, OcspAnswer, needs_no_check, parse_answer, signing_responder
from crypto.revoked import RevocationReason, Revoked

_Fact = TypeVar("_Fact", RevocationList, OcspAnswer)
MAX_FACTS = 64
"""Lists and answers that may be looked into for one certificate: a heap of them must not cost more."""


class Standing(Enum):
    """Where a certificate stands."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"
    """No fact at hand says it was good then."""


@dataclass(frozen=True, kw_only=True)
class Revocation:
    """Facts about revocation, as received; whatever does not verify says nothing."""

    crls: tuple[RevocationList, ...] = ()
    answers: tuple[OcspAnswer, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    """Where certificates of OCSP responders may be found, beside those enclosed."""

    @classmethod
    def read(
        cls, *, crls: Iterable[bytes] = (), answers: Iterable[bytes] = (), certificates: Iterable[Certificate] = ()
    ) -> "Revocation":
        """Read what comes with a document; what cannot be read is left out, as if it had not come."""
        return cls(
            crls=tuple(_readable(crls, RevocationList.from_der)),
            answers=tuple(_readable(answers, parse_answer)),
            certificates=tuple(certificates),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationFinding:
    """Where ``certificate`` stood, and by which fact."""

    certificate: Certificate
    standing: Standing
    revoked: Revoked | None = None
    """Time and reason; set too where it was revoked only after the time asked for, which leaves it GOOD."""
    fact: RevocationList | OcspAnswer | None = field(default=None, repr=False)
    why: str = ""
    """For UNKNOWN: what was the matter with the facts, in a few words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    """What one verified fact says of one certificate."""

    fact: RevocationList | OcspAnswer
    since: datetime
    until: datetime | None
    revoked: Revoked | None

    def proves_good(self, certificate: Certificate, at: datetime) -> bool:
        """Whether this says of a certificate not revoked by ``at`` that it was good then."""
        if self.revoked is not None:
            return True  # Revoked, but only later: a revocation that is on record was none before its date.
        if self.since >= at:
            # Authorities forget certificates that have expired: silence after that proves nothing.
            return self.since <= certificate.not_after
        return at <= self.until if self.until is not None else at - self.since <= DAY


class RevocationJudge:
    """Judges certificates by one set of facts as of one instant; remembers what it has verified."""

    def __init__(self, facts: Revocation, *, at: datetime, now: datetime) -> None:
        self._facts = facts
        self._at = at
        self._now = now
        self._found: dict[tuple[bytes, bytes], RevocationFinding] = {}
        self._verified: dict[tuple[int, bytes], bool] = {}

    def finding(self, certificate: Certificate, issuer: Certificate) -> RevocationFinding:
        """Say where ``certificate``, issued by ``issuer``, stood."""
        asked = (certificate.raw, issuer.raw)
        if asked not in self._found:
            self._found[asked] = self._judge(certificate, issuer)
        return self._found[asked]

    def _judge(self, certificate: Certificate, issuer: Certificate) -> RevocationFinding:
        troubles: list[str] = []
        lists = self._lists(certificate, issuer, troubles)
        words = sorted((*lists, *self._answers(certificate, issuer, troubles)), key=lambda word: word.since)
        for word in words:
            if word.revoked is not None and word.revoked.effective_at(self._at) and not self._released(word, words):
                return _finding(certificate, Standing.REVOKED, word)
        good = [word for word in words if word.proves_good(certificate, self._at)]
        # The one that tells of a later revocation first: people want to know.
        good.sort(key=lambda word: word.revoked is None)
        if good:
            return _finding(certificate, Standing.GOOD, good[0])
        if words:
            troubles.append(f"the newest word is of {words[-1].since.isoformat()}")
        return RevocationFinding(
            certificate=certificate, standing=Standing.UNKNOWN, why="; ".join(troubles) or "no list or answer about it"
        )

    def _released(self, word: _Word, words: list[_Word]) -> bool:
        """Whether a hold was over at the time asked for."""
        if word.revoked is None or word.revoked.reason is not RevocationReason.CERTIFICATE_HOLD:
            return False
        return any(later.revoked is None and word.since < later.since <= self._at for later in words)

    def _lists(self, certificate: Certificate, issuer: Certificate, troubles: list[str]) -> Iterator[_Word]:
        about = [each for each in self._facts.crls if each.covers(certificate)]
        for each in about[:MAX_FACTS]:
            if each.this_update > self._now + SKEW:
                troubles.append("a list is from the future")
            elif not self._list_verified(each, issuer):
                troubles.append("a list is not signed by the issuer")
            else:
                try:
                    revoked = each.entry(certificate.serial)
                except CertificateError as error:
                    troubles.append(str(error))
                    continue
                yield _Word(fact=each, since=each.this_update, until=each.next_update, revoked=revoked)

    def _list_verified(self, each: RevocationList, issuer: Certificate) -> bool:
        key = (id(each), issuer.raw)
        if key not in self._verified:
            self._verified[key] = each.issued_by(issuer)
        return self._verified[key]

    def _answers(self, certificate: Certificate, issuer: Certificate, troubles: list[str]) -> Iterator[_Word]:
        looked = 0
        for each in self._facts.answers:
            said = each.about(certificate, issuer) if each.status is ResponseStatus.SUCCESSFUL else None
            if said is None or looked == MAX_FACTS:
                continue
            looked += 1
            if max(said.this_update, each.produced_at or said.this_update) > self._now + SKEW:
                troubles.append("an OCSP answer is from the future")
            elif not self._answer_counts(each, issuer):
                troubles.append("an OCSP answer is not signed by whom the issuer appointed")
            elif said.status is CertStatus.UNKNOWN:
                troubles.append("the OCSP responder does not know it")
            else:
                yield _Word(fact=each, since=said.this_update, until=said.next_update, revoked=said.revoked)

    def _answer_counts(self, each: OcspAnswer, issuer: Certificate) -> bool:
        key = (id(each), issuer.raw)
        if key not in self._verified:
            self._verified[key] = self._answer_verified(each, issuer)
        return self._verified[key]

    def _answer_verified(self, each: OcspAnswer, issuer: Certificate) -> bool:
        if each.critical:
            return False
        responder = signing_responder(each, issuer, others=self._facts.certificates)
        if responder is None or each.produced_at is None:
            return False
        if responder.spki == issuer.spki or needs_no_check(responder):
            return True
        # RFC 6960 4.2.2.2.1: without nocheck somebody must answer for the responder, and it is not itself.
        lists = RevocationJudge(Revocation(crls=self._facts.crls), at=each.produced_at, now=self._now)
        return lists.finding(responder, issuer).standing is Standing.GOOD


def _finding(certificate: Certificate, standing: Standing, word: _Word) -> RevocationFinding:
    return RevocationFinding(certificate=certificate, standing=standing, revoked=word.revoked, fact=word.fact)


def _readable(octets: Iterable[bytes], read: Callable[[bytes], _Fact]) -> Iterator[_Fact]:
    for each in octets:
        try:
            yield read(each)
        except CryptoError:
            continue
