"""Certificates from authorities elsewhere, for our seals and our time-stamp authority: asked for, then installed.

    <id>/request.json       purpose, suite and the name of the key in the vault
    <id>/request.der        what is sent to the authority
    <id>/certificate.pem    the certificate it gave, then its issuers

The key is made in the vault and stays there. Written once, like a ledger.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import pairwise
from pathlib import Path

from crypto.certificate import pem_bodies
from crypto.extensions import TIME_STAMPING
from crypto.keys import KeyId, KeyVault, VaultSigner
from crypto.suites import SUITES, Suite
from crypto.vaults.files import make_folder, write_once
from crypto.x509 import Certificate, make_csr
from seal.pki.errors import CertificateRequestRefused, UnknownCertificateRequest
from seal.pki.journal import Act, Journal
from seal.pki.usage import require_signing
from seal.register import SigningKey

_ID_DIGITS = 16


class Purpose(Enum):
    """What a certificate from outside is for."""

    SEAL = "seal"
    TSA = "tsa"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, and what came of it."""

    id: str
    purpose: Purpose
    suite: Suite
    key: KeyId
    csr: bytes
    path: tuple[Certificate, ...]
    """The certificate and its issuers; empty as long as it is waited for."""


class Outside:
    """The requests of one installation."""

    def __init__(self, folder: Path, vault: KeyVault, journal: Journal) -> None:
        self._folder = folder
        self._vault = vault
        self._journal = journal
        self._installed: dict[str, Asked] = {}  # Written once: what has its certificate never changes.

    def ask(self, purpose: Purpose, suite: Suite, subject: bytes, *, by: str) -> Asked:
        """Make a key and a request for it."""
        signer = VaultSigner(self._vault, self._vault.generate(suite))
        asked = signer.public_key.fingerprint[:_ID_DIGITS]
        facts = {"purpose": purpose.value, "key": signer.public_key.fingerprint}
        self._journal.intend(Act.REQUEST, asked, by=by, facts=facts)
        place = self._folder / asked
        make_folder(place)
        write_once(place / "request.der", make_csr(subject, signer))
        record = {"purpose": purpose.value, "suite": suite.name, "key": signer.key}
        write_once(place / "request.json", json.dumps(record, indent=2).encode())
        self._journal.complete(Act.REQUEST, asked, by=by)
        return self.get(asked)

    def get(self, asked: str) -> Asked:
        """Give a request by its id."""
        if asked in self._installed:
            return self._installed[asked]
        place = self._folder / asked
        if not (asked.isalnum() and (place / "request.json").is_file()):
            raise UnknownCertificateRequest(f"there is no request {asked[:_ID_DIGITS]}")
        record = json.loads((place / "request.json").read_bytes())
        given = place / "certificate.pem"
        found = Asked(
            id=asked,
            purpose=Purpose(record["purpose"]),
            suite=SUITES[record["suite"]],
            key=KeyId(record["key"]),
            csr=(place / "request.der").read_bytes(),
            path=_path(given.read_bytes()) if given.exists() else (),
        )
        if found.path:
            self._installed[asked] = found
        return found

    def all(self) -> Iterator[Asked]:
        """Give every request."""
        for place in sorted(self._folder.glob("*/request.json")):
            yield self.get(place.parent.name)

    def for_key(self, certificate: Certificate) -> Asked | None:
        """Find the request that a certificate answers."""
        wanted = certificate.public_key.fingerprint[:_ID_DIGITS]
        return self.get(wanted) if (self._folder / wanted / "request.json").is_file() else None

    def install(self, asked: Asked, certificate: Certificate, issuers: Iterable[Certificate], *, by: str) -> Asked:
        """Keep the certificate that was asked for; refuses one for another key, or not for this purpose."""
        path = (certificate, *issuers)
        if certificate.spki != self.signer(asked).public_key.spki:
            raise CertificateRequestRefused("the certificate is for another key than the request's")
        require_issued(path)
        require_signing(certificate)
        if asked.purpose is Purpose.TSA and certificate.extended_key_usage != {TIME_STAMPING}:
            raise CertificateRequestRefused("the certificate is not for time-stamping alone (extended key usage)")
        if asked.path:
            raise CertificateRequestRefused("a certificate is installed already: make another request")
        facts = {"purpose": asked.purpose.value, "serial": f"{certificate.serial:x}"}
        self._journal.intend(Act.INSTALL, asked.id, by=by, facts=facts)
        write_once(self._folder / asked.id / "certificate.pem", "".join(each.pem() for each in path).encode())
        self._journal.complete(Act.INSTALL, asked.id, by=by)
        return self.get(asked.id)

    def settle(self) -> int:
        """Complete the record of what a crash cut off after it was done; give how much."""
        files = {Act.REQUEST: "request.json", Act.INSTALL: "certificate.pem"}
        late = [
            (act, asked)
            for act, file in files.items()
            for asked in self._journal.unfinished(act)
            if (self._folder / asked / file).exists()
        ]
        for act, asked in late:
            self._journal.complete(act, asked, by="service", late=True)
        return len(late)

    def newest(self, purpose: Purpose, suite: Suite, at: datetime) -> Asked | None:
        """Give the installed request whose certificate is valid and begins last."""
        held = (each for each in self.all() if each.purpose is purpose and each.suite is suite and each.path)
        good = (each for each in held if each.path[0].valid_at(at))
        return max(good, key=lambda each: each.path[0].not_before, default=None)

    def signer(self, asked: Asked) -> VaultSigner:
        """Give the key of a request."""
        return VaultSigner(self._vault, asked.key)

    def signing_key(self, asked: Asked) -> SigningKey:
        """Give what ``SealRegister.make`` takes, once the certificate is installed."""
        if not asked.path or asked.purpose is not Purpose.SEAL:
            raise CertificateRequestRefused("the request is not for a seal, or still waits for its certificate")
        chain = without_root(asked.path[1:])
        return SigningKey(suite=asked.suite, key=asked.key, certificate=asked.path[0], chain=chain)


def require_issued(path: Sequence[Certificate]) -> None:
    """Refuse a path in which one certificate was not issued by the next."""
    for each, issuer in pairwise(path):
        if not each.issued_by(issuer):
            raise CertificateRequestRefused(f"{each.subject_text} was not issued by {issuer.subject_text}")


def without_root(path: Iterable[Certificate]) -> tuple[Certificate, ...]:
    """Leave out what is self-issued."""
    return tuple(each for each in path if not each.self_issued)


def _path(pem: bytes) -> tuple[Certificate, ...]:
    return tuple(map(Certificate.from_der, pem_bodies(pem, "CERTIFICATE")))
