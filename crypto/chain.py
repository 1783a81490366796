"""Certificate paths: from a leaf to one of the pinned anchors, judged at a given time (RFC 5280 6.1)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import TypeAlias

from crypto.certificate import Certificate
from crypto.names import Folded, fold_name
from crypto.revocation import Revocation, RevocationFinding, RevocationJudge, Standing
from crypto.signatures import is_weak, judging_key

MAX_PATH = 8
"""Certificates in a path, leaf and anchor included."""
MAX_CHECKS = 64
"""Signatures verified in one search: a heap of look-alike intermediates must not cost more."""
MAX_STEPS = 256
"""Certificates extended in one search, for the same reason."""


class ChainProblem(StrEnum):
    """What is wrong with the best path, or why there is none."""

    UNTRUSTED = "untrusted"
    """No path leads to an anchor."""
    BAD_SIGNATURE = "bad_signature"
    """Beside UNTRUSTED: an issuer of the right name was there, but its key did not make the signature."""
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    KEY_USAGE = "key_usage"
    """An intermediate is no CA, or may not sign certificates."""
    PATH_LENGTH = "path_length"
    CRITICAL_EXTENSION = "critical_extension"
    """A certificate restricts itself in a way that is not understood here (RFC 5280 4.2)."""
    WEAK_SIGNATURE = "weak_signature"
    """A signature in the path rests on MD5, SHA-1, SHA-224 or an RSA key below 2048 bits."""
    REVOKED = "revoked"
    """A certificate below the anchor was revoked by then; ``ChainResult.revocation`` has when and why."""
    REVOCATION_UNKNOWN = "revocation_unknown"
    """Revocation was asked for, and the facts at hand do not answer for every certificate below the anchor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainResult:
    """The best path found, leaf first and anchor last (empty if none), and all that is wrong with it.

    ``problems`` counts the leaf's own validity and extensions, never its key usage: that depends on its role.
    A pinned anchor's own validity, usage and signature are not examined (RFC 5280 6.1.1 d).
    """

    path: tuple[Certificate, ...]
    problems: tuple[ChainProblem, ...]
    revocation: tuple[RevocationFinding, ...] = ()
    """Where revocation was asked for: one finding for each certificate below the anchor, in the path's order."""

    @property
    def trusted(self) -> bool:
        """Whether a path was found and nothing is wrong with it."""
        return bool(self.path) and not self.problems


def build_chain(  # noqa: PLR0913 - a path is judged against as many things
    leaf: Certificate,
    *,
    intermediates: Iterable[Certificate],
    anchors: Iterable[Certificate],
    at: datetime,
    revocation: Revocation | None = None,
    now: datetime | None = None,
) -> ChainResult:
    """Find the path from ``leaf`` to an anchor that has the fewest problems as of ``at``.

    The leaf may itself be an anchor. Without ``revocation`` nobody asks whether a certificate was revoked; with it
    every certificate below the anchor must be known not to have been, as of ``at``, by facts that were there
    ``now`` (``at`` if left out).
    """
    pinned = tuple(dict.fromkeys(anchors))
    if leaf in pinned:
        return ChainResult(path=(leaf,), problems=())
    search = _Search(anchors=_by_subject(pinned), others=_by_subject(intermediates))
    judge = None if revocation is None else RevocationJudge(revocation, at=at, now=now or at)
    best: ChainResult | None = None
    for path in search.paths((leaf,)):
        result = _judged(path, at, judge)
        if best is None or len(result.problems) < len(best.problems):
            best = result
        if not best.problems:
            break
    return best if best is not None else ChainResult(path=(), problems=search.failure())


_BySubject: TypeAlias = Mapping[Folded, tuple[Certificate, ...]]


def _by_subject(certificates: Iterable[Certificate]) -> _BySubject:
    found: defaultdict[Folded, list[Certificate]] = defaultdict(list)
    for certificate in dict.fromkeys(certificates):
        found[fold_name(certificate.subject)].append(certificate)
    return {subject: tuple(named) for subject, named in found.items()}


@dataclass(slots=True)
class _Search:
    anchors: _BySubject
    others: _BySubject
    checks: int = 0
    steps: int = 0
    mismatched: bool = False
    known: dict[tuple[bytes, bytes], bool] = field(default_factory=dict)

    def paths(self, path: tuple[Certificate, ...]) -> Iterator[tuple[Certificate, ...]]:
        """Give every path that continues ``path`` up to an anchor, those that end soonest first."""
        child = path[-1]
        self.steps += 1
        if len(path) >= MAX_PATH or self.steps > MAX_STEPS:
            return
        for anchor in self._issuers(child, self.anchors):
            yield (*path, anchor)
        for issuer in self._issuers(child, self.others):
            # The same key twice in a path is a loop, under whatever certificate it comes.
            if all(issuer.spki != passed.spki for passed in path):
                yield from self.paths((*path, issuer))

    def failure(self) -> tuple[ChainProblem, ...]:
        """Say why no path was found."""
        return (ChainProblem.UNTRUSTED, ChainProblem.BAD_SIGNATURE) if self.mismatched else (ChainProblem.UNTRUSTED,)

    def _issuers(self, child: Certificate, among: _BySubject) -> Iterator[Certificate]:
        named = among.get(fold_name(child.issuer), ())
        # Key identifiers are a hint, never a proof (RFC 5280 4.2.1.1): those that fit are tried first.
        for issuer in sorted(named, key=lambda each: not _ids_fit(child, each)):
            if self._signed(child, issuer):
                yield issuer

    def _signed(self, child: Certificate, issuer: Certificate) -> bool:
        pair = (child.raw, issuer.spki)
        if pair not in self.known:
            if self.checks >= MAX_CHECKS:
                return False
            self.checks += 1
            self.known[pair] = child.signed_by(issuer.spki)
        self.mismatched |= not self.known[pair] and _ids_fit(child, issuer)
        return self.known[pair]


def _ids_fit(child: Certificate, issuer: Certificate) -> bool:
    wanted, offered = child.authority_key_id, issuer.subject_key_id
    return wanted is None or offered is None or wanted == offered


def _judged(path: tuple[Certificate, ...], at: datetime, judge: RevocationJudge | None) -> ChainResult:
    """Judge a path whose signatures all verify; the anchor itself is left out."""
    found = _problems(path, at)
    findings = () if judge is None else tuple(judge.finding(*pair) for pair in pairwise(path))
    standings = {finding.standing for finding in findings}
    if Standing.REVOKED in standings:
        found.add(ChainProblem.REVOKED)
    if Standing.UNKNOWN in standings:
        found.add(ChainProblem.REVOCATION_UNKNOWN)
    return ChainResult(
        path=path, problems=tuple(problem for problem in ChainProblem if problem in found), revocation=findings
    )


def _problems(path: tuple[Certificate, ...], at: datetime) -> set[ChainProblem]:
    found: set[ChainProblem] = set()
    cas_below = 0
    for place, (certificate, issuer) in enumerate(pairwise(path)):
        found |= _own_problems(certificate, at)
        if (certificate.scheme is not None and certificate.scheme.weak) or is_weak(judging_key(issuer.spki)):
            found.add(ChainProblem.WEAK_SIGNATURE)
        if place == 0:
            continue
        found |= _ca_problems(certificate, cas_below)
        # RFC 5280 6.1.4 l: self-issued certificates (a key change) do not count.
        cas_below += not certificate.self_issued
    return found


def _own_problems(certificate: Certificate, at: datetime) -> set[ChainProblem]:
    found: set[ChainProblem] = set()
    if at < certificate.not_before:
        found.add(ChainProblem.NOT_YET_VALID)
    if at > certificate.not_after:
        found.add(ChainProblem.EXPIRED)
    if certificate.extensions.not_understood:
        found.add(ChainProblem.CRITICAL_EXTENSION)
    return found


def _ca_problems(certificate: Certificate, cas_below: int) -> set[ChainProblem]:
    found: set[ChainProblem] = set()
    usage = certificate.key_usage
    if not certificate.is_ca or (usage is not None and "key_cert_sign" not in usage):
        found.add(ChainProblem.KEY_USAGE)
    if certificate.path_length is not None and cas_below > certificate.path_length:
        found.add(ChainProblem.PATH_LENGTH)
    return found
