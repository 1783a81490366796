"""A time-stamp authority (RFC 3161, GM/T 0033): request octets in, response octets out, never an exception."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import Lock

from crypto.certificate import Certificate
from crypto.digests import SHA256, SHA384, SHA512, SM3
from crypto.errors import CmsError, CryptoError
from crypto.issuing import random_serial
from crypto.keys import Signer
from crypto.timestamp_build import TokenTemplate
from crypto.timestamp_exchange import Failure, TimestampRequest, granted, parse_request, rejection
from kernel.clock import Clock

DIGESTS = frozenset((SM3, SHA256, SHA384, SHA512))
"""Digest algorithms that are stamped."""
_STEP_BACK = timedelta(seconds=1)


class TimestampAuthority:
    """Stamps with one certificate and key, under one policy; an installation has one for SM2 and one for P-256.

    A clock that goes back by more than a second, or out of the certificate's validity, stops the stamping until
    it has caught up: a wrong time is worse than none.
    """

    def __init__(  # noqa: PLR0913 - a stamp says as much
        self,
        certificate: Certificate,
        chain: Sequence[Certificate],
        signer: Signer,
        clock: Clock,
        *,
        policy: str,
        accuracy: timedelta = timedelta(seconds=1),
    ) -> None:
        self._template = TokenTemplate(certificate, chain, signer, policy=policy, accuracy=accuracy)
        self._clock = clock
        self._lock = Lock()
        self._latest: datetime | None = None

    def answer(self, request: bytes) -> bytes:
        """Answer a DER TimeStampReq with a DER TimeStampResp."""
        try:
            asked = parse_request(request)
        except CmsError as error:
            return rejection(Failure.BAD_DATA_FORMAT, str(error))
        refused = self._refused(asked)
        if refused is not None:
            return rejection(*refused)
        at = self._time()
        if at is None:
            return rejection(Failure.TIME_NOT_AVAILABLE, "the clock cannot be relied upon now")
        try:
            token = self._template.token(
                asked.imprint,
                serial=random_serial(),  # Never repeats, without a counter that a crash could set back.
                at=at,
                nonce=asked.nonce,
                with_certificates=asked.wants_certificates,
            )
        except CryptoError:
            return rejection(Failure.SYSTEM_FAILURE, "the signing key does not answer now")
        return granted(token)

    def _refused(self, asked: TimestampRequest) -> tuple[Failure, str] | None:
        if asked.digest is None or asked.digest not in DIGESTS:
            return Failure.BAD_ALGORITHM, f"digests by {asked.digest_oid} are not stamped"
        if len(asked.imprint.digest) != asked.digest.size:
            return Failure.BAD_DATA_FORMAT, f"a {asked.digest.name} digest has {asked.digest.size} octets"
        if asked.policy not in (None, self._template.policy):
            return Failure.UNACCEPTED_POLICY, f"the policy is {self._template.policy}"
        if asked.extensions:
            return Failure.UNACCEPTED_EXTENSION, "no extension is known"
        return None

    def _time(self) -> datetime | None:
        """Give the time to stamp; None while the clock is not to be believed."""
        with self._lock:
            now = self._clock.now()
            if not self._template.certificate.valid_at(now):
                return None
            if self._latest is not None and now < self._latest - _STEP_BACK:
                return None
            self._latest = max(now, self._latest or now)
            return now
