"""Signatures of requests: judged by the app key's secret, once each, and failures counted."""

import hmac
from datetime import datetime, timedelta
from typing import Final

from crypto.digests import sm3
from crypto.kdf import hmac_sm3
from idp import attempts
from idp.appkeys import AppKeys, may_sign
from idp.attempts import Limit, network_of
from idp.model import AppKey, Client
from idp.store import app_keys, clients
from kernel.clock import Clock
from kernel.db import Database
from kernel.errors import Reason, Refusal, Unauthenticated
from kernel.principal import Principal, PrincipalKind
from kernel.signed import SCHEME, SignedRequest

WINDOW: Final = timedelta(minutes=5)
"""How far a request's time may be from ours, either way."""
# The clocks of our own processes agree to within this.
_SKEW: Final = timedelta(minutes=1)
# Failures that are free, for each hour; only those who sign wrongly ever wait.
PAIR, ADDRESS = Limit(kind="app_key", free=20), Limit(kind="app_key_address", free=50)


class SignatureRefused(Unauthenticated):
    """The signature must not be believed: unknown, ended or stopped, or another text or secret. Which is not said."""

    code = "signature_refused"
    challenge = f'{SCHEME} error="signature_refused"'


class SignatureStale(Unauthenticated):
    """The request's time is too far from ours. Depends on nothing but what was sent."""

    code = "signature_stale"
    challenge = f'{SCHEME} error="signature_stale"'


class SignatureReplayed(Unauthenticated):
    """The nonce was used before: whoever signed this has been served already."""

    code = "signature_replayed"
    challenge = f'{SCHEME} error="signature_replayed"'


class TooManySignatures(Refusal):
    """Too many requests that were signed wrongly, from here or with this app key."""

    reason, code = Reason.TOO_MANY, "signature_attempts"

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class RequestSignatures:
    """Believes a request signed with an app key while key and client stand (``kernel.signed_door``)."""

    def __init__(self, *, keys: AppKeys, database: Database, clock: Clock) -> None:
        self._keys = keys
        self._database = database
        self._clock = clock

    def principal(self, signed: SignedRequest) -> Principal:
        """Give the client that signed, with all its rights: who a token of its own would stand for."""
        # 1. The time is near ours.
        # 2. The signature is that of the key's secret; made and compared for a key that does not exist, too.
        # 3. The key and its client stand. Failing 2 and failing 3 look the same, and are counted alike.
        # 4. The nonce is used up: of all that bring it, one passes.
        now = self._clock.now()
        if abs(now - signed.signed_at) > WINDOW:
            raise SignatureStale(
                f"X-Timestamp is more than {WINDOW.seconds} seconds off: here it is {int(now.timestamp())}."
            )
        made = hmac_sm3(self._keys.secret(signed.app_key).encode(), signed.text)
        genuine = hmac.compare_digest(made, signed.signature)
        key, client = self._standing(signed.app_key)
        if not genuine or key is None or client is None or not key.alive(now) or not may_sign(client):
            raise self._refusal(signed, now)
        with self._database.begin() as conn:
            kept = signed.signed_at + WINDOW + _SKEW
            if not app_keys.use_nonce(conn, key.id, signed.nonce, kept):
                raise SignatureReplayed("X-Nonce was used before: sign every request anew, repeated ones too.")
        return Principal(
            subject=client.id, kind=PrincipalKind.CLIENT, rights=client.rights, organisation=client.organisation
        )

    def _standing(self, app_key: str) -> tuple[AppKey | None, Client | None]:
        with self._database.read() as conn:
            key = app_keys.find(conn, app_key)
            return key, clients.find(conn, key.client_id) if key else None

    def _refusal(self, signed: SignedRequest, now: datetime) -> Refusal:
        """Count a failure; whoever signs rightly is never kept out by it, not even from the same address."""
        address = network_of(signed.address)
        with self._database.begin() as conn:
            wait = attempts.begin(conn, ADDRESS, address, now)
            if wait is None:
                wait = attempts.begin(conn, PAIR, f"{signed.app_key}\0{address}", now)
        if wait is not None:
            seconds = max(int((wait - now).total_seconds()), 1)
            return TooManySignatures("Too many requests were signed wrongly. Look at the signing first.", seconds)
        # The text is made of what the caller sent and of our public address: its digest tells nobody anything new.
        return SignatureRefused(
            f"Not signed with a secret that is in force. The text to sign has {len(signed.text)} octets here, "
            f"and the SM3 {sm3(signed.text).hex()}."
        )
