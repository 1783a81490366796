"""Key sets: the keys of one issuer through their stages next, active, retired, and as others publish theirs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from crypto.errors import KeyRefused
from crypto.jwk import gm_key_from_jwk, gm_public_jwk, key_from_jwk, public_jwk, shape_of, thumbprint_kid
from crypto.keys import PublicKey, require_fit
from crypto.suites import SHAPES, Suite, Usage

MAX_KEYS: Final = 32
"""Keys in a set at most; a foreign one that holds more is refused."""


class Stage(Enum):
    """Where a key stands. All three are published and trusted; only the active one signs."""

    NEXT = "next"
    """Published so that everybody has it before it signs."""
    ACTIVE = "active"
    RETIRED = "retired"
    """Signs no more; what it signed is good until it expires."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenKey:
    """One key of an issuer, and since when it stands where it stands."""

    kid: str
    public_key: PublicKey
    suite: Suite
    stage: Stage
    since: datetime

    def jwk(self) -> dict[str, str]:
        """Write the key as the JWKS of its own kind holds it."""
        if SHAPES[self.suite.key].gm:
            return gm_public_jwk(self.public_key, self.kid)
        return public_jwk(self.public_key, self.kid, self.suite)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenKeys:
    """An issuer's keys: one active, at most one next, any retired ones; never SM2 keys among others."""

    keys: tuple[TokenKey, ...]

    def __post_init__(self) -> None:
        stages = [key.stage for key in self.keys]
        if stages.count(Stage.ACTIVE) != 1 or stages.count(Stage.NEXT) > 1:
            raise KeyRefused("an issuer has one active key, and one next key at most")
        if len({key.kid for key in self.keys}) != len(self.keys) or len(self.keys) > MAX_KEYS:
            raise KeyRefused(f"an issuer has {MAX_KEYS} keys at most, each under a kid of its own")
        # One SM2 key in the standard set makes ordinary clients reject all of it.
        if len({SHAPES[key.suite.key].gm for key in self.keys}) > 1:
            raise KeyRefused("SM2 keys are an issuer's own set, apart from all others")
        for key in self.keys:
            require_fit(key.suite, key.public_key, Usage.TOKEN)

    @property
    def active(self) -> TokenKey:
        """The key that signs."""
        return next(key for key in self.keys if key.stage is Stage.ACTIVE)

    @property
    def next(self) -> TokenKey | None:
        """The key that will sign."""
        return next((key for key in self.keys if key.stage is Stage.NEXT), None)

    @property
    def trusted(self) -> Mapping[str, PublicKey]:
        """Every key by its kid, as ``verify_jwt`` takes them; other processes may have gone on to the next one."""
        return {key.kid: key.public_key for key in self.keys}

    @property
    def suites(self) -> tuple[Suite, ...]:
        """The suites of these keys, as ``verify_jwt`` takes them."""
        return tuple({key.suite.name: key.suite for key in self.keys}.values())

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Write the set for publishing, the active key first (RFC 7517 5)."""
        order = (Stage.ACTIVE, Stage.NEXT, Stage.RETIRED)
        return {"keys": [key.jwk() for key in sorted(self.keys, key=lambda key: order.index(key.stage))]}


def first(public_key: PublicKey, suite: Suite, *, at: datetime) -> TokenKeys:
    """Begin with one active key, named by its thumbprint."""
    return TokenKeys(keys=(_made(public_key, suite, Stage.ACTIVE, at),))


def announce(keys: TokenKeys, public_key: PublicKey, suite: Suite, *, at: datetime) -> TokenKeys:
    """Publish the key that is to sign next."""
    return TokenKeys(keys=(*keys.keys, _made(public_key, suite, Stage.NEXT, at)))


def rotate(keys: TokenKeys, *, at: datetime, known_for: timedelta) -> TokenKeys:
    """Let the next key sign and retire the active one.

    KeyRefused while the next key has been published for less than ``known_for``, the longest anybody keeps a key set.
    """
    if keys.next is None:
        raise KeyRefused("no next key has been announced")
    if at < keys.next.since + known_for:
        raise KeyRefused(f"the next key signs from {(keys.next.since + known_for).isoformat()} on, when all have it")
    following = {Stage.NEXT: Stage.ACTIVE, Stage.ACTIVE: Stage.RETIRED}
    return TokenKeys(
        keys=tuple(
            replace(key, stage=following[key.stage], since=at) if key.stage in following else key for key in keys.keys
        )
    )


def forget(keys: TokenKeys, *, at: datetime, outlived: timedelta) -> TokenKeys:
    """Drop the keys retired for longer than ``outlived``, the life of the longest-lived token and clocks' leeway."""
    return TokenKeys(
        keys=tuple(key for key in keys.keys if key.stage is not Stage.RETIRED or at < key.since + outlived)
    )


def withdraw(keys: TokenKeys, kid: str) -> TokenKeys:
    """Drop a key at once because it is no longer safe: all it signed dies. The active one only after ``rotate``."""
    if kid not in keys.trusted:
        raise KeyRefused("there is no key of this name")
    return TokenKeys(keys=tuple(key for key in keys.keys if key.kid != kid))


def read_key_set(jwks: object) -> Mapping[str, PublicKey]:
    """Read the standard key set a client registered, by ``kid`` (its thumbprint where it has none).

    Keys for encryption and of kinds unknown here are passed over (RFC 7517 5); KeyRefused for private or broken keys,
    repeated names, and a set without a usable key.
    """
    return _read(jwks, gm=False)


def read_gm_key_set(jwks: object) -> Mapping[str, PublicKey]:
    """Read the key set of a national-cipher issuer, as ``read_key_set`` does the standard one."""
    return _read(jwks, gm=True)


def _read(jwks: object, *, gm: bool) -> Mapping[str, PublicKey]:
    found: dict[str, PublicKey] = {}
    for jwk in _entries(jwks):
        if jwk.get("use", "sig") != "sig" or not _of_profile(jwk, gm=gm):
            continue
        key = gm_key_from_jwk(jwk) if gm else key_from_jwk(jwk)
        kid = jwk.get("kid", thumbprint_kid(key))
        if not isinstance(kid, str) or not kid or kid in found:
            raise KeyRefused("two keys of the set have one kid, or a kid is no text")
        found[kid] = key
    if not found:
        raise KeyRefused("the key set holds no key that is used here")
    return found


def _entries(jwks: object) -> Sequence[Mapping[str, Any]]:
    entries = jwks.get("keys") if isinstance(jwks, Mapping) else None
    if not isinstance(entries, list) or not 1 <= len(entries) <= MAX_KEYS:
        raise KeyRefused(f"a key set is an object with 1 to {MAX_KEYS} keys")
    if not all(isinstance(entry, Mapping) for entry in entries):
        raise KeyRefused("a key of the set is no object")
    return entries


def _of_profile(jwk: Mapping[str, Any], *, gm: bool) -> bool:
    if jwk.get("kty") == "oct":
        raise KeyRefused("the key set holds a symmetric key")
    shape = shape_of(jwk)
    return shape is not None and shape.gm is gm


def _made(public_key: PublicKey, suite: Suite, stage: Stage, at: datetime) -> TokenKey:
    return TokenKey(kid=thumbprint_kid(public_key), public_key=public_key, suite=suite, stage=stage, since=at)
