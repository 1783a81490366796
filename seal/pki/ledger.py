"""What one authority did, as files that are written once: certificates, revocations, lists.

    authority.json          format, suite and the name of the key in the vault
    request.der             the request for the authority's own certificate
    certificate.pem         that certificate, then its issuers
    issued/<serial>.der     each certificate
    keys/<key>.<serial>     which key each certificate is for
    revoked/<serial>.json   each revocation: time, reason
    pairs/<serial>.json     of a signing certificate: the encryption certificate issued with it
    lists/<number>.crl      each revocation list
    above/<number>.crl      revocation lists of whoever certified this authority
    offices/<role>-<n>.json who answers or stamps in its name: a key in the vault and a serial; the last one counts

Nothing is ever changed or removed, so that several processes may read and write: of two that would do the same thing
one finds it done. An offline authority's folder is carried about whole. What is not as it was written is LedgerDamaged;
a revocation whose file is gone counts as long as the newest list has it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from crypto.certificate import Certificate, pem_bodies
from crypto.crl import RevocationList
from crypto.errors import CertificateError
from crypto.revoked import RevocationReason, Revoked
from crypto.vaults.files import make_folder, write_once
from seal.pki.errors import LedgerDamaged

_FORMAT = 1
_SERIAL_BITS = 160
_HEX = 16
_DECIMAL = 10
_FOLDERS = ("issued", "keys", "revoked", "pairs", "lists", "above", "offices")


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Who holds an office: the key's name in the vault, and the certificate's serial."""

    number: int
    key: str
    serial: int


class Ledger:
    """The folder of one authority. FileExistsError where something is to be written a second time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # What was read and never changes: revocations, and the newest list that was met.
        self._revoked: dict[int, Revoked] = {}
        self._last_number = 0
        self._last_list: RevocationList | None = None

    @classmethod
    def create(cls, folder: Path, *, suite: str, key: str) -> "Ledger":
        """Begin a ledger; the folder may exist, its ledger may not."""
        make_folder(folder)
        for name in _FOLDERS:
            make_folder(folder / name)
        write_once(folder / "authority.json", _json({"format": _FORMAT, "suite": suite, "key": key}))
        return cls(folder)

    def holder(self) -> tuple[str, str]:
        """Give the suite and the key's name in the vault; FileNotFoundError where no ledger is."""
        record = json.loads((self._folder / "authority.json").read_bytes())
        if record["format"] != _FORMAT:
            raise ValueError(f"{self._folder} is a ledger of format {record['format']}, not {_FORMAT}")
        return record["suite"], record["key"]

    # --- the authority itself ---

    def write_request(self, raw: bytes) -> None:
        """Keep the request for the authority's own certificate."""
        write_once(self._folder / "request.der", raw)

    def request(self) -> bytes | None:
        """Give that request; a root has none."""
        path = self._folder / "request.der"
        return path.read_bytes() if path.exists() else None

    def install(self, path: tuple[Certificate, ...]) -> None:
        """Keep the authority's certificate and its issuers."""
        write_once(self._folder / "certificate.pem", "".join(each.pem() for each in path).encode())

    def path(self) -> tuple[Certificate, ...]:
        """Give the authority's certificate and its issuers; empty as long as it has none."""
        file = self._folder / "certificate.pem"
        if not file.exists():
            return ()
        return tuple(map(Certificate.from_der, pem_bodies(file.read_bytes(), "CERTIFICATE")))

    # --- certificates ---

    def issue(self, certificate: Certificate) -> None:
        """Keep a certificate: before anybody has it, it is on record."""
        # The key's mark first: after a crash between the two it names a certificate that nobody ever had.
        key = certificate.public_key.fingerprint
        write_once(self._folder / "keys" / f"{key}.{certificate.serial:x}", b"")
        write_once(self._issued(certificate.serial), certificate.raw)

    def certificate(self, serial: int) -> Certificate | None:
        """Give the certificate of ``serial``."""
        if not self.issued(serial):
            return None
        try:
            found = Certificate.from_der(self._issued(serial).read_bytes())
        except CertificateError as error:
            raise LedgerDamaged(f"{self._issued(serial)} is no certificate: bring it back from a backup.") from error
        if found.serial != serial:
            raise LedgerDamaged(f"{self._issued(serial)} holds another certificate: bring it back from a backup.")
        return found

    def issued(self, serial: int) -> bool:
        """Whether a certificate of ``serial`` was issued."""
        # A serial of any size may be asked for, and not every one makes the name of a file.
        return 0 < serial < 1 << _SERIAL_BITS and self._issued(serial).exists()

    def certificates(self) -> Iterator[Certificate]:
        """Give every certificate, in no order."""
        for path in (self._folder / "issued").glob("*.der"):
            if not path.name.startswith("."):
                yield Certificate.from_der(path.read_bytes())

    def of_key(self, fingerprint: str) -> tuple[Certificate, ...]:
        """Give the certificates for one key."""
        marks = (self._folder / "keys").glob(f"{fingerprint}.*")
        found = (self.certificate(int(mark.suffix[1:], 16)) for mark in marks)
        return tuple(each for each in found if each is not None)

    def _issued(self, serial: int) -> Path:
        return self._folder / "issued" / f"{serial:x}.der"

    # --- revocations ---

    def revoke(self, revoked: Revoked, *, by: str, why: str) -> None:
        """Keep a revocation, with who asked for it and why in words."""
        record = {
            "at": revoked.at.isoformat(),
            "reason": revoked.reason.name,
            "invalid_since": None if revoked.invalid_since is None else revoked.invalid_since.isoformat(),
            "by": by,
            "why": why,
        }
        write_once(self._folder / "revoked" / f"{revoked.serial:x}.json", _json(record))

    def revoked(self, serial: int) -> Revoked | None:
        """Give the revocation of ``serial``."""
        return self._read_revoked(serial) or self._listed(serial)

    def all_revoked(self) -> tuple[Revoked, ...]:
        """Give every revocation, by time."""
        newest = self.last_list()
        serials = {int(stem, 16) for stem in self._stems("revoked", ".json", _HEX)}
        found = map(self.revoked, serials | (set() if newest is None else newest.entries.keys()))
        return tuple(sorted((each for each in found if each is not None), key=lambda each: (each.at, each.serial)))

    def _read_revoked(self, serial: int) -> Revoked | None:
        if serial not in self._revoked:
            path = self._folder / "revoked" / f"{serial:x}.json"
            try:
                record = json.loads(path.read_bytes())
                since = record["invalid_since"]
                self._revoked[serial] = Revoked(
                    serial=serial,
                    at=datetime.fromisoformat(record["at"]),
                    reason=RevocationReason[record["reason"]],
                    invalid_since=None if since is None else datetime.fromisoformat(since),
                )
            except FileNotFoundError:
                return None
            except (KeyError, TypeError, ValueError, RecursionError) as error:
                raise LedgerDamaged(f"{path} is no revocation: bring it back from a backup.") from error
        return self._revoked[serial]

    def _listed(self, serial: int) -> Revoked | None:
        # What was published is never taken back, whatever became of the file.
        newest = self.last_list()
        return None if newest is None else newest.entry(serial)

    # --- lists ---

    def publish(self, revocation_list: RevocationList) -> None:
        """Keep a revocation list under its number."""
        write_once(self._list(revocation_list.number or 0), revocation_list.raw)

    def published(self, number: int) -> bool:
        """Whether a list of this number was published."""
        return self._list(number).exists()

    def last_number(self) -> int:
        """Give the number of the newest list; 0 as long as there is none."""
        number = self._last_number or max((int(stem) for stem in self._stems("lists", ".crl", _DECIMAL)), default=0)
        while number and self._list(number + 1).exists():
            number += 1
        self._last_number = number
        return number

    def last_list(self) -> RevocationList | None:
        """Give the newest list."""
        number = self.last_number()
        if number and (self._last_list is None or self._last_list.number != number):
            self._last_list = self._read_list(self._list(number), number)
        return self._last_list

    def _read_list(self, path: Path, number: int) -> RevocationList:
        try:
            found = RevocationList.from_der(path.read_bytes())
        except CertificateError as error:
            raise LedgerDamaged(f"{path} is no revocation list: bring it back from a backup.") from error
        if found.number != number:
            raise LedgerDamaged(f"{path} holds another list: bring it back from a backup.")
        return found

    def keep_above(self, revocation_list: RevocationList) -> None:
        """Keep a list of whoever certified this authority; one that is kept already stays."""
        make_folder(self._folder / "above")
        with suppress(FileExistsError):
            write_once(self._folder / "above" / f"{revocation_list.number or 0}.crl", revocation_list.raw)

    def list_above(self) -> RevocationList | None:
        """Give the newest of those lists."""
        number = max((int(stem) for stem in self._stems("above", ".crl", _DECIMAL)), default=0)
        return self._read_list(self._folder / "above" / f"{number}.crl", number) if number else None

    def _list(self, number: int) -> Path:
        return self._folder / "lists" / f"{number}.crl"

    def _stems(self, folder: str, suffix: str, base: int) -> Iterator[str]:
        """Give the names in a folder that are numbers, of those that were written whole."""
        written = re.compile(r"[0-9a-f]{1,48}" if base == _HEX else r"[0-9]{1,48}")
        names = (path.stem for path in (self._folder / folder).glob(f"*{suffix}"))
        return (name for name in names if written.fullmatch(name))

    # --- pairs and offices ---

    def pair(self, signing: int, encryption: int, key: str | None) -> None:
        """Keep which two certificates are one holder's, and the encryption key's name if it was made here."""
        record = {"encryption": f"{encryption:x}", "key": key}
        write_once(self._folder / "pairs" / f"{signing:x}.json", _json(record))

    def paired(self, signing: int) -> tuple[int, str | None] | None:
        """Give the serial of the encryption certificate of a pair, and its key's name if it was made here."""
        path = self._folder / "pairs" / f"{signing:x}.json"
        if not 0 < signing < 1 << _SERIAL_BITS or not path.exists():
            return None
        record = json.loads(path.read_bytes())
        return int(record["encryption"], 16), record["key"]

    def appoint(self, role: str, office: Office) -> None:
        """Keep who holds an office from now on; FileExistsError if another process appointed just now."""
        record = {"key": office.key, "serial": f"{office.serial:x}"}
        write_once(self._folder / "offices" / f"{role}-{office.number}.json", _json(record))

    def office(self, role: str) -> Office | None:
        """Give who holds an office."""
        names = (path.stem for path in (self._folder / "offices").glob(f"{role}-*.json"))
        number = max((int(name.rpartition("-")[2]) for name in names), default=0)
        if not number:
            return None
        record = json.loads((self._folder / "offices" / f"{role}-{number}.json").read_bytes())
        return Office(number=number, key=record["key"], serial=int(record["serial"], 16))


def _json(record: Mapping[str, object]) -> bytes:
    return (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode()
