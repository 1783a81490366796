"""Our own authorities' ledgers as a source of facts: what is revoked there counts at once, published or not."""

from collections.abc import Iterator
from pathlib import Path

from crypto.errors import CertificateError
from crypto.revoked import Revoked
from seal.pki.errors import LedgerDamaged
from seal.pki.ledger import Ledger
from seal.trust.facts import OwnWord

_LEDGER, _REVOKED, _ABOVE = "authority.json", "revoked", "above"


class OwnLedgers:
    """The ledgers in the folders of ``folder``, those that will be founded there included."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def watched(self) -> tuple[Path, ...]:
        """Give the folders in which something changes when the word does."""
        inner = (each / name for each in self._ledgers() for name in ("", _REVOKED, _ABOVE))
        return (self._folder, *inner)

    def words(self) -> Iterator[OwnWord]:
        """Give the word of each authority that has its certificate; CertificateError for one that is damaged."""
        for folder in self._ledgers():
            ledger = Ledger(folder)
            path = ledger.path()
            if path:
                yield OwnWord(issuer=path[0], revoked={each.serial: each for each in _revoked(ledger, folder)})

    def lists(self) -> Iterator[Path]:
        """Give the folders of lists that speak of our authorities' own certificates."""
        yield from (each / _ABOVE for each in self._ledgers())

    def _ledgers(self) -> list[Path]:
        return sorted(path.parent for path in self._folder.glob(f"*/{_LEDGER}"))


def _revoked(ledger: Ledger, folder: Path) -> tuple[Revoked, ...]:
    try:
        return ledger.all_revoked()
    except (LedgerDamaged, ValueError, LookupError, TypeError) as error:
        # Half of a word must not pass for the whole: what one file hides may be the revocation that counts.
        raise CertificateError(f"a revocation in {folder / _REVOKED} cannot be read: {error}") from error
