"""Passwords: argon2id hashes, and the same cost for a name nobody has."""

import secrets
import threading
import unicodedata
from base64 import b64encode

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from idp.errors import RegistrationRefused

SHORTEST = 8
LONGEST = 128
_KIB_PER_MIB = 1024


class Passwords:
    """Hashes and checks passwords with argon2id (RFC 9106).

    ``memory_mib`` and ``rounds`` are the cost of one hash; the default is the first of OWASP's equal choices.
    At most ``parallel`` hashes run at once, so that a rush of logins cannot take all memory.
    """

    def __init__(self, *, memory_mib: int = 46, rounds: int = 1, parallel: int = 4) -> None:
        self._hasher = PasswordHasher(time_cost=rounds, memory_cost=memory_mib * _KIB_PER_MIB, parallelism=1)
        self._slots = threading.BoundedSemaphore(parallel)
        # As costly to check as any other, and made without being hashed: nothing starts slower for it.
        self._nobody = f"$argon2id$v=19$m={memory_mib * _KIB_PER_MIB},t={rounds},p=1${_random(16)}${_random(32)}"

    def hash(self, password: str) -> str:
        """Hash a password for keeping."""
        with self._slots:
            return self._hasher.hash(_normal(password))

    def check(self, kept: str | None, password: str) -> bool:
        """Tell whether ``password`` meets the kept hash; with None it takes as long and says no."""
        if len(password) > LONGEST:
            # Nobody can have registered it: it is replaced, so that its length costs nothing.
            password = ""
        with self._slots:
            try:
                self._hasher.verify(kept or self._nobody, _normal(password))
            except VerifyMismatchError:
                return False
            except (InvalidHashError, VerificationError) as error:
                raise RuntimeError("a stored password hash cannot be read") from error
        return kept is not None

    def renewed(self, kept: str, password: str) -> str | None:
        """Hash the right password anew if the kept hash was made at another cost; None if it is as it should be."""
        return self.hash(password) if self._hasher.check_needs_rehash(kept) else None


def _random(octets: int) -> str:
    return b64encode(secrets.token_bytes(octets)).decode().rstrip("=")


def require_strength(password: str, login: str) -> None:
    """Refuse a password that is too short, too long, or that repeats the login name or one character."""
    plain = _normal(password)
    if not SHORTEST <= len(plain) <= LONGEST or len(password) > LONGEST:
        raise RegistrationRefused(f"A password has {SHORTEST} to {LONGEST} characters.")
    if plain.casefold() == login.casefold():
        raise RegistrationRefused("A password must not be the login name.")
    if len(set(plain)) == 1:
        raise RegistrationRefused("A password must not repeat one character.")


def _normal(password: str) -> str:
    """Write the password in one form, whichever keyboard typed it (NIST SP 800-63B 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)
