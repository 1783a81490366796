"""A soft vault whose users are killed while they make keys, change its secret and its vault key."""

from functools import partial
from pathlib import Path
from random import Random

from crypto.errors import KeyRefused
from crypto.keys import KeyId, sign
from crypto.suites import ES256, SM2_SM3
from crypto.vaults.soft import KdfCost, KeyEncryptionKey, SoftVault
from tests.reliability.killing import Tell, killed_at_random, rounds, whole

_CHEAP = KdfCost(passes=1, memory_kib=64, lanes=1)
_FIRST = 0


def secret(number: int) -> str | KeyEncryptionKey:
    """Give the vault's nth secret; passphrases and key-encryption keys take turns."""
    return f"云山苍苍 江水泱泱 {number}" if number % 2 else KeyEncryptionKey(number.to_bytes(32, "big"))


def loop(folder: Path, seconds: float, rng: Random) -> dict[str, int]:
    """Kill until the time is over; give what was seen. AssertionError if a key is lost or nothing opens the vault."""
    place = folder / "vault"
    whole(lambda _: _create(place))
    known: set[str] = set()
    current, kills, changes, rotations = _FIRST, 0, 0, 0
    for number in rounds(seconds):
        change, make = partial(_change, place, current, rng.random()), partial(_make, place, current)
        children = killed_at_random(rng, (change, make, make), longest=0.15)
        kills += sum(child.killed for child in children)
        told = [fact for child in children for fact in child.lines]
        known |= {fact["key"] for fact in told if "key" in fact}
        tried = [current, *(fact["try"] for fact in told if "try" in fact)]
        changes += sum("changed" in fact for fact in told)
        rotations += sum("rotated" in fact for fact in told)
        # The last two secrets that were tried: the change to the last one may have been cut off.
        ((current, keys),) = whole(partial(_look, place, tried[-2:], every=number % 8 == 0))
        assert known <= set(keys), f"keys were lost: {known - set(keys)}"
        if len(keys) > 60:  # What is looked at each time is kept small.
            for path in (place / "keys").glob("*.json"):
                path.unlink()
            known = set()
    return {"kills": kills, "secrets changed": changes, "vault keys changed": rotations}


def _create(place: Path) -> None:
    SoftVault.create(place, secret(_FIRST), cost=_CHEAP)


def _change(place: Path, current: int, seed: float, tell: Tell) -> None:
    rng = Random(seed)  # noqa: S311 - the same in every run
    vault = SoftVault.open(place, secret(current))
    while True:
        if rng.random() < 0.5:
            current += 1
            tell({"try": current})
            vault.change_secret(secret(current), cost=_CHEAP)
            tell({"changed": current})
        else:
            tell({})
            tell({"rotated": vault.rotate()})


def _make(place: Path, current: int, tell: Tell) -> None:
    """Make keys until somebody changes the secret."""
    tell({})
    try:
        vault = SoftVault.open(place, secret(current))
        while True:
            tell({"key": vault.generate(ES256 if current % 2 else SM2_SM3)})
    except KeyRefused:
        return


def _look(place: Path, tried: list[int], tell: Tell, *, every: bool) -> None:
    opened = []
    for number in tried:
        try:
            opened.append((number, SoftVault.open(place, secret(number))))
        except KeyRefused:
            continue
    assert len(opened) == 1, f"{len(opened)} of the secrets {tried} open the vault"
    ((number, vault),) = opened
    keys = vault.keys()
    for key in keys if every else keys[:5]:
        assert vault.public_key(KeyId(key)).verify(vault.suite(key), b"m", sign(vault, key, b"m"))
    if every:
        vault.rotate()
        assert not vault.rotating
    tell((number, keys))
