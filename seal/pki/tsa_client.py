"""Time-stamps from several authorities (RFC 3161 3.4, HTTP): the first whose token holds, or why none does.

An authority that is silent and one that answers wrongly are the same to us: the next is asked. What is accepted has
been verified to the anchor, so that no signature is ever finished with a token that a verifier would refuse.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from threading import Lock

from crypto.chain import build_chain
from crypto.cms import CmsProblem
from crypto.digests import DigestAlgorithm
from crypto.errors import CryptoError
from crypto.timestamp import TimestampProblem, TimestampToken, verify_token
from crypto.timestamp_build import Imprint
from crypto.timestamp_exchange import MAX_RESPONSE, REQUEST_TYPE, RESPONSE_TYPE, make_request, parse_response
from crypto.x509 import Certificate
from kernel.clock import Clock
from seal.pki.errors import TimestampUnavailable
from seal.pki.http_post import Fault, HttpPost, PostFailed

_NONCE_BITS = 64
_REST = timedelta(seconds=30)


class TsaFault(StrEnum):
    """Why an authority's answer was not taken."""

    UNREACHABLE = Fault.UNREACHABLE.value
    """No connection: refused, no such host, TLS failed."""
    SILENT = Fault.SILENT.value
    """No whole answer within the time."""
    HTTP = Fault.HTTP.value
    """Not a 200, or not a time-stamp reply."""
    TOO_LARGE = Fault.TOO_LARGE.value
    GARBAGE = "garbage"
    """The answer is no TimeStampResp."""
    NOT_GRANTED = "not_granted"
    WRONG_NONCE = "wrong_nonce"
    """The answer is to another question, perhaps an old one."""
    WRONG_IMPRINT = "wrong_imprint"
    """It stamps something else."""
    WRONG_POLICY = "wrong_policy"
    NOT_A_TSA = "not_a_tsa"
    """Its certificate is not critically for time-stamping alone."""
    CERTIFICATE_MISSING = "certificate_missing"
    """Its certificate was asked for and is not enclosed, or not named by ESSCertIDv2."""
    SIGNATURE = "signature"
    """The token does not verify, or rests on a weak digest or key."""
    UNTRUSTED = "untrusted"
    """Its certificate leads to no anchor, or was expired or revoked."""
    WRONG_TIME = "wrong_time"
    """Its time is too far from ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tsa:
    """An authority to be asked."""

    name: str
    url: str
    policy: str | None = None
    """The policy to be stamped under; None for whichever is theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TsaCause:
    """Why one authority gave nothing that holds."""

    name: str
    fault: TsaFault
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """A token that holds, and who gave it; ``passed_over`` says why those asked before did not."""

    token: bytes
    time: datetime
    by: str
    passed_over: tuple[TsaCause, ...] = ()


class NoTimestamp(TimestampUnavailable):
    """No authority gave a token that holds: ``causes`` says why, one for each."""

    def __init__(self, causes: Sequence[TsaCause]) -> None:
        said = "; ".join(f"{each.name}: {each.fault} ({each.detail})" for each in causes)
        super().__init__(f"no time-stamp authority gave a token that holds: {said or 'none is set up'}")
        self.causes = tuple(causes)


class _Refused(Exception):
    def __init__(self, fault: TsaFault, detail: str) -> None:
        super().__init__(detail)
        self.fault = fault
        self.detail = detail


_FAULTS = {
    TimestampProblem.IMPRINT_MISMATCH: TsaFault.WRONG_IMPRINT,
    TimestampProblem.IMPRINT_UNSUPPORTED: TsaFault.WRONG_IMPRINT,
    TimestampProblem.NOT_A_TSA: TsaFault.NOT_A_TSA,
    CmsProblem.CERTIFICATE_MISSING: TsaFault.CERTIFICATE_MISSING,
}


class TimestampClient:
    """Asks authorities in the order given; one that failed is asked last for half a minute. Safe between threads."""

    def __init__(  # noqa: PLR0913 - whom to ask, whom to believe, and how long to wait
        self,
        authorities: Sequence[Tsa],
        *,
        anchors: Sequence[Certificate],
        clock: Clock,
        intermediates: Sequence[Certificate] = (),
        timeout: timedelta = timedelta(seconds=5),
        tolerance: timedelta = timedelta(minutes=5),
        nonce: Callable[[], int] = lambda: secrets.randbits(_NONCE_BITS) | 1 << _NONCE_BITS - 1,
        post: HttpPost | None = None,
    ) -> None:
        self._authorities = tuple(authorities)
        self._anchors = tuple(anchors)
        self._intermediates = tuple(intermediates)
        self._clock = clock
        self._timeout = timeout
        self._tolerance = tolerance
        self._nonce = nonce
        self._post = post or HttpPost()
        self._resting: dict[str, datetime] = {}
        self._lock = Lock()

    def stamp(self, digest: DigestAlgorithm, value: bytes) -> Stamped:
        """Have a digest stamped; NoTimestamp where nobody gives a token that holds.

        Takes at most the timeout for each authority.
        """
        causes: list[TsaCause] = []
        for authority in self._order():
            try:
                raw, token = self._ask(authority, digest, value)
            except _Refused as refused:
                causes.append(TsaCause(name=authority.name, fault=refused.fault, detail=refused.detail))
                self._rest(authority.name)
            else:
                return Stamped(token=raw, time=token.gen_time, by=authority.name, passed_over=tuple(causes))
        raise NoTimestamp(causes)

    def _order(self) -> list[Tsa]:
        now = self._clock.now()
        with self._lock:
            resting = {name for name, until in self._resting.items() if until > now}
        return sorted(self._authorities, key=lambda each: each.name in resting)

    def _rest(self, name: str) -> None:
        with self._lock:
            self._resting[name] = self._clock.now() + _REST

    def _ask(self, authority: Tsa, digest: DigestAlgorithm, value: bytes) -> tuple[bytes, TimestampToken]:
        # 1. An answer comes, of the right kind and size, and grants.
        # 2. It is to this question: nonce, imprint, policy.
        # 3. The token verifies, and its certificate is one for time-stamping that leads to an anchor.
        # 4. Its time is about ours.
        nonce = self._nonce()
        imprint = Imprint.of(digest.oid, value)
        raw, token = self._granted(authority, make_request(imprint, nonce=nonce, policy=authority.policy))
        if token.nonce != nonce:
            raise _Refused(TsaFault.WRONG_NONCE, "no nonce" if token.nonce is None else "another nonce")
        if (token.imprint_digest, token.imprint) != (digest, value):
            raise _Refused(TsaFault.WRONG_IMPRINT, f"a {token.imprint_oid} digest that is not ours")
        if authority.policy not in (None, token.policy):
            raise _Refused(TsaFault.WRONG_POLICY, token.policy)
        self._check_token(token, value)
        self._check_trust(token)
        now = self._clock.now()
        if abs(now - token.gen_time) > self._tolerance:
            raise _Refused(TsaFault.WRONG_TIME, f"{token.gen_time.isoformat()} at {now.isoformat()}")
        return raw, token

    def _granted(self, authority: Tsa, request: bytes) -> tuple[bytes, TimestampToken]:
        try:
            body = self._post.post(
                authority.url,
                request,
                sends=REQUEST_TYPE,
                wants=RESPONSE_TYPE,
                timeout=self._timeout,
                max_size=MAX_RESPONSE,
            )
        except PostFailed as failed:
            raise _Refused(TsaFault(failed.fault.value), failed.detail) from failed
        try:
            answer = parse_response(body)
        except CryptoError as error:
            raise _Refused(TsaFault.GARBAGE, str(error)) from error
        if answer.token is None or answer.token_raw is None:
            failures = sorted(each.name.lower() for each in answer.failures)
            words = ", ".join((answer.status.name.lower(), *failures, *((answer.text,) if answer.text else ())))
            raise _Refused(TsaFault.NOT_GRANTED, words)
        return answer.token_raw, answer.token

    def _check_token(self, token: TimestampToken, value: bytes) -> None:
        # The imprint is known to be ours by now.
        problems = verify_token(token, lambda _: value, others=self._intermediates)
        if problems:
            fault = next((_FAULTS[each] for each in problems if each in _FAULTS), TsaFault.SIGNATURE)
            raise _Refused(fault, ", ".join(problems))
        if not token.names_certificate_well:
            raise _Refused(TsaFault.CERTIFICATE_MISSING, "the certificate is named by SHA-1 only")

    def _check_trust(self, token: TimestampToken) -> None:
        certificate = token.certificate
        if certificate is None:
            raise _Refused(TsaFault.CERTIFICATE_MISSING, "the certificate is not enclosed")
        if not certificate.valid_at(token.gen_time):
            # Asked apart, because the path of a pinned certificate is not examined for its dates.
            raise _Refused(TsaFault.UNTRUSTED, f"{certificate.subject_text}: not valid at the time stamped")
        chain = build_chain(
            certificate,
            intermediates=(*token.signed.certificates, *self._intermediates),
            anchors=self._anchors,
            at=token.gen_time,
        )
        if not chain.trusted:
            raise _Refused(TsaFault.UNTRUSTED, f"{certificate.subject_text}: {', '.join(chain.problems)}")
