"""Key events: making and closing keys, each with its audit entry; no entry holds a secret."""

from typing import Protocol

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
    _require_database(kept)
    key = kept.vault.generate(suite)
    fingerprint = kept.vault.public_key(key).fingerprint
    _record(kept, "key.made", key, suite=suite.name, fingerprint=fingerprint)
    return key


def request_certificate(kept: Kept, key: KeyId, subject: bytes) -> str:
    """Have a key ask for a certificate: a PKCS #10 request as PEM, read and verified before it is given out."""
    request = parse_csr(make_csr(subject, VaultSigner(kept.vault, key)))
    _record(kept, "key.csr_made", key, subject=request.subject_text)
    return request.pem()


def change_secret(kept: Kept, secret: Secret) -> None:
    """Close the vault's files with another secret."""
    files = files_of(kept.vault)
    _require_database(kept)
    files.change_secret(secret)
    _record(kept, "key.passphrase_changed", _VAULT, kind="typed" if isinstance(secret, str) else "key file")


def rotate_vault(kept: Kept) -> int:
    """Seal every key file under a new vault key; give how many were."""
    files = files_of(kept.vault)
    _require_database(kept)
    changed = files.rotate()
    _record(kept, "key.vault_rotated", _VAULT, keys=changed)
    return changed


def _require_database(kept: Kept) -> None:
    # A database that does not answer is known before anything is done. The transaction ends here: a vault may have its
    # caller wait for long, as while it is rotated, and with it would wait whoever else writes.
    with kept.database.begin():
        pass


def _record(kept: Kept, action: str, target: str, **facts: Fact) -> None:
    with kept.database.begin() as conn:
        kept.audit.append(conn, at=kept.clock.now(), actor=ACTOR, action=action, target=target, facts=facts)
