"""Key health: which keys are in use for what, and whether each of them really signs."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from crypto.errors import CryptoError
from crypto.jwk import thumbprint_kid
from crypto.key_sets import Stage
from crypto.keys import KeyId, KeyVault, PublicKey, sign
from crypto.suites import SUITE_OF_KEY, SUITES
from idp.token_keys import TokenKeyRegister
from kernel.clock import Clock
from seal.errors import SealNotUsable
from seal.model import Seal, SealStatus
from seal.pki.authorities import Authorities
from seal.register import SealCredential, SealRegister

_PAGE = 200
FRESH = timedelta(seconds=5)
"""How long an answer about the keys is given again without asking them."""
AT_ONCE = 32
"""Keys asked for one answer at most; with more, the answers after it ask the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUse:
    """What a key of the vault is used for; ``expected`` or ``kid`` is what others know its public half by."""

    key: KeyId
    suite: str
    purpose: str
    expected: PublicKey | None = None
    kid: str | None = None


def keys_in_use(register: SealRegister, tokens: TokenKeyRegister, authorities: Authorities) -> tuple[KeyUse, ...]:
    """List what signs today: for tokens the active key and the next, authorities and their officers, active seals."""
    signing = frozenset((Stage.ACTIVE, Stage.NEXT))
    return (
        *_of_tokens(tokens, signing),
        *_of_authorities(authorities),
        *_of_seals(register),
    )


def keys_spoken_for(register: SealRegister, tokens: TokenKeyRegister, authorities: Authorities) -> tuple[KeyUse, ...]:
    """List those, and keys with a purpose that does not sign today: retired, suspended, waiting for a certificate."""
    asked = (
        KeyUse(key=each.key, suite=each.suite.name, purpose=f"request {each.id} for {each.purpose.value}")
        for each in authorities.outside.all()
    )
    return (
        *_of_tokens(tokens, frozenset(Stage)),
        *_of_authorities(authorities),
        *_ever_of_seals(register),
        *asked,
    )


def _of_tokens(tokens: TokenKeyRegister, stages: frozenset[Stage]) -> Iterator[KeyUse]:
    for row in tokens.rows():
        if row.stage in stages:
            yield KeyUse(key=row.key, suite=row.suite, purpose=f"tokens {row.stage.value} {row.kid}", kid=row.kid)


def _of_authorities(authorities: Authorities) -> Iterator[KeyUse]:
    for purpose, key, certificate in authorities.signing():
        expected = certificate.public_key
        yield KeyUse(key=key, suite=SUITE_OF_KEY[expected.kind].name, purpose=purpose, expected=expected)


def _of_seals(register: SealRegister) -> Iterator[KeyUse]:
    for seal in _every(register):
        if seal.status is not SealStatus.ACTIVE:
            continue
        for suite in SUITES.values():
            with suppress(SealNotUsable):
                yield _use(seal, register.credential(seal, suite))


def _ever_of_seals(register: SealRegister) -> Iterator[KeyUse]:
    for seal in _every(register):
        for held in register.credentials(seal):
            yield _use(seal, held)


def _use(seal: Seal, held: SealCredential) -> KeyUse:
    told = "" if seal.status is SealStatus.ACTIVE else f" {seal.status.value}"
    credential = held.credential
    expected = credential.certificate.public_key
    return KeyUse(key=held.key, suite=credential.suite.name, purpose=f"seal {seal.id}{told}", expected=expected)


def _every(register: SealRegister) -> Iterator[Seal]:
    after = ""
    while page := register.list(after=after, limit=_PAGE):
        yield from page
        after = page[-1].id


def failure(vault: KeyVault, use: KeyUse) -> str | None:
    """Have a key sign and verify what it signed; give one sentence about what is wrong, None if nothing is."""
    try:
        suite, public_key = vault.suite(use.key), vault.public_key(use.key)
        if use.expected is not None and use.expected.spki != public_key.spki:
            return "the vault has another key under this name than the certificate says"
        if use.kid is not None and use.kid != thumbprint_kid(public_key):
            return "the vault has another key under this name than the one that was announced"
        if suite.name != use.suite:
            return f"the key is one for {suite.name}"
        message = secrets.token_bytes(32)
        if not public_key.verify(suite, message, sign(vault, use.key, message)):
            return "what the key signs does not verify"
    except CryptoError as error:
        return str(error)
    return None


class KeyHealth:
    """Says which keys in use do not sign, at a bounded cost however often it is asked; shared by all threads."""

    def __init__(self, vault: KeyVault, uses: Callable[[], Sequence[KeyUse]], clock: Clock) -> None:
        self._vault = vault
        self._uses = uses
        self._clock = clock
        self._lock = Lock()
        self._asked_at: datetime | None = None
        self._from = 0
        self._failing: dict[KeyUse, str] = {}

    def failing(self) -> tuple[KeyUse, ...]:
        """Give the keys that did not sign when they were last asked, ``FRESH`` ago at most for the first of them."""
        with self._lock:
            now = self._clock.now()
            if self._asked_at is None or not self._asked_at <= now < self._asked_at + FRESH:
                self._ask(self._uses())
                self._asked_at = now
            return tuple(self._failing)

    def _ask(self, uses: Sequence[KeyUse]) -> None:
        if self._from >= len(uses):
            self._from = 0
        turn = uses[self._from : self._from + AT_ONCE]
        self._from += len(turn)
        # Keys that are no longer in use, and those asked now, are forgotten; the others stay as they were found.
        kept = {use: why for use, why in self._failing.items() if use in set(uses) - set(turn)}
        found = {use: why for use in turn if (why := failure(self._vault, use)) is not None}
        self._failing = kept | found
