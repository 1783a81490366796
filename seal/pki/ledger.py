"""What one authority did, as files that are written once: certificates, revocations, lists.

    authority.json          format, suite and the name of the key in the vault
    request.der             the request for the authority's own certificate
    certificate.pem         that certificate, then its issuers
    issued/<serial>.der     each certificate
    keys/<key>.<serial>     which key each certificate is for
    revoked/<serial>.json   each revocation: time, reason
    lists/<number>.crl      each revocation list

Nothing is ever changed or removed, so that several processes may read and write: of two that would do the same thing
one finds it done. An offline authority's folder is carried about whole.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from crypto.certificate import Certificate, pem_bodies
from crypto.crl import RevocationList
from crypto.revoked import RevocationReason, Revoked
from crypto.vaults.files import make_folder, write_once

_FORMAT = 1
_SERIAL_BITS = 160
_FOLDERS = ("issued", "keys", "revoked", "lists")


class Ledger:
    """The folder of one authority. FileExistsError where something is to be written a second time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._revoked: dict[str, Revoked] = {}  # Revocations read; they never change.

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
        return Certificate.from_der(self._issued(serial).read_bytes()) if self.issued(serial) else None

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
        return self._read_revoked(f"{serial:x}")

    def all_revoked(self) -> tuple[Revoked, ...]:
        """Give every revocation, by time."""
        names = [path.stem for path in (self._folder / "revoked").glob("*.json") if not path.name.startswith(".")]
        found = (self._read_revoked(name) for name in names)
        return tuple(sorted((each for each in found if each is not None), key=lambda each: (each.at, each.serial)))

    def _read_revoked(self, name: str) -> Revoked | None:
        if name not in self._revoked:
            try:
                record = json.loads((self._folder / "revoked" / f"{name}.json").read_bytes())
            except FileNotFoundError:
                return None
            since = record["invalid_since"]
            self._revoked[name] = Revoked(
                serial=int(name, 16),
                at=datetime.fromisoformat(record["at"]),
                reason=RevocationReason[record["reason"]],
                invalid_since=None if since is None else datetime.fromisoformat(since),
            )
        return self._revoked[name]

    # --- lists ---

    def publish(self, revocation_list: RevocationList) -> None:
        """Keep a revocation list under its number."""
        write_once(self._list(revocation_list.number or 0), revocation_list.raw)

    def last_number(self) -> int:
        """Give the number of the newest list; 0 as long as there is none."""
        lists = (self._folder / "lists").glob("*.crl")
        return max((int(path.stem) for path in lists if not path.name.startswith(".")), default=0)

    def last_list(self) -> RevocationList | None:
        """Give the newest list."""
        number = self.last_number()
        return RevocationList.from_der(self._list(number).read_bytes()) if number else None

    def _list(self, number: int) -> Path:
        return self._folder / "lists" / f"{number}.crl"


def _json(record: Mapping[str, object]) -> bytes:
    return (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode()
