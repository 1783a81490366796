"""What a verifier believes: anchors, intermediates, facts about revocation, and the register it may ask."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from crypto.errors import CertificateError
from crypto.x509 import Certificate, pem_bodies
from seal.model import SealStatus
from seal.trust.facts import Facts
from seal.trust.files import read_facts

SealStatusAt = Callable[[str, datetime], SealStatus | None]
"""Gives the registered status of a seal (by esID) at an instant; None if the register does not know the seal."""

INTERMEDIATES, CERTIFICATE_FILES = "intermediates", frozenset({".pem", ".crt", ".cer", ".der"})
MAX_CERTIFICATES = 4 * 1024 * 1024
"""Octets of one certificate file at most."""
_PEM = b"-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The certificates a verifier starts from, what it knows of revocations, and the register it may ask."""

    anchors: tuple[Certificate, ...]
    intermediates: tuple[Certificate, ...] = ()
    seal_status: SealStatusAt | None = None
    facts: Facts = field(default_factory=Facts)
    now: datetime | None = None
    """When it is judged: facts that claim to be younger are not believed. None: they may not be younger than the
    time that is asked for."""

    @classmethod
    def load(cls, folder: Path) -> "Trust":
        """Read ``folder``: certificates (PEM or DER) as anchors, those of ``intermediates/`` as such, and the facts.

        Facts are the revocation lists and OCSP answers in it, in ``crls/`` and in ``ocsp/``.
        """
        return load_trust(folder)


TrustSource = Callable[[], Trust]
"""Gives the trust of this moment; the very same object as long as nothing changed."""


def load_trust(folder: Path, facts: Facts | None = None) -> Trust:
    """Read the trust in ``folder``, or but its certificates; a CertificateError names a file that holds none."""
    return Trust(
        anchors=tuple(certificates_in(folder)),
        intermediates=tuple(certificates_in(folder / INTERMEDIATES)),
        facts=read_facts(folder) if facts is None else facts,
    )


def certificates_in(folder: Path) -> Iterator[Certificate]:
    """Read the certificate files of a folder, by name; a CertificateError names one that is none."""
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() in CERTIFICATE_FILES and not path.name.startswith(".") and path.is_file():
                yield from read_certificates(path)


def read_certificates(path: Path) -> list[Certificate]:
    """Read one certificate file; a CertificateError names it if it is none."""
    with path.open("rb") as file:
        octets = file.read(MAX_CERTIFICATES + 1)
    if len(octets) > MAX_CERTIFICATES:
        raise CertificateError(f"{path} is no certificate file: it has more than {MAX_CERTIFICATES} octets")
    try:
        bodies = pem_bodies(octets, "CERTIFICATE") if _PEM in octets else [octets]
        return [Certificate.from_der(body) for body in bodies]
    except CertificateError as error:
        raise CertificateError(f"{path} is no certificate file: {error}") from error
