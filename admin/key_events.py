"""Key events: making and closing keys, each with its audit entry; no entry holds a secret."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import sqlalchemy as sa

from admin.vaulting import files_of
from crypto.issuing import make_csr, parse_csr
from crypto.keys import KeyId, KeyVault, VaultSigner
from crypto.suites import Suite
from crypto.vaults.soft import Secret
from kernel.audit import AuditLog, Fact
from kernel.clock import Clock
from kernel.db import Database

ACTOR = "operator"
_VAULT = "vault"


class Kept(Protocol):
    """What a key event needs: where keys are, and where it is told of them."""

    @property
    def vault(self) -> KeyVault:
        """The vault."""

    @property
    def database(self) -> Database:
        """The database of the audit log."""

    @property
    def audit(self) -> AuditLog:
        """The audit log."""

    @property
    def clock(self) -> Clock:
        """The clock."""


def make_key(kept: Kept, suite: Suite) -> KeyId:
    """Make a key in the vault."""
    with _deed(kept) as conn:
        key = kept.vault.generate(suite)
        fingerprint = kept.vault.public_key(key).fingerprint
        _record(kept, conn, "key.made", key, suite=suite.name, fingerprint=fingerprint)
    return key


def request_certificate(kept: Kept, key: KeyId, subject: bytes) -> str:
    """Have a key ask for a certificate: a PKCS #10 request as PEM, read and verified before it is given out."""
    with _deed(kept) as conn:
        request = parse_csr(make_csr(subject, VaultSigner(kept.vault, key)))
        _record(kept, conn, "key.csr_made", key, subject=request.subject_text)
    return request.pem()


def change_secret(kept: Kept, secret: Secret) -> None:
    """Close the vault's files with another secret."""
    files = files_of(kept.vault)
    with _deed(kept) as conn:
        files.change_secret(secret)
        kind = "typed" if isinstance(secret, str) else "key file"
        _record(kept, conn, "key.passphrase_changed", _VAULT, kind=kind)


def rotate_vault(kept: Kept) -> int:
    """Seal every key file under a new vault key; give how many were."""
    changed = files_of(kept.vault).rotate()  # Not in a transaction: with many keys it takes a while.
    with _deed(kept) as conn:
        _record(kept, conn, "key.vault_rotated", _VAULT, keys=changed)
    return changed


@contextmanager
def _deed(kept: Kept) -> Iterator[sa.Connection]:
    # The transaction first: a database that does not answer is known before anything is done.
    with kept.database.begin() as conn:
        yield conn


def _record(kept: Kept, conn: sa.Connection, action: str, target: str, **facts: Fact) -> None:
    kept.audit.append(conn, at=kept.clock.now(), actor=ACTOR, action=action, target=target, facts=facts)
