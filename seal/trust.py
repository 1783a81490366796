"""Trust: whom we believe, and what that makes of a certificate or a seal at a given time."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from crypto.chain import build_chain
from crypto.errors import CertificateError
from crypto.extensions import TIME_STAMPING
from crypto.x509 import Certificate, pem_bodies
from seal.model import Finding, SealStatus, Verdict

Role = Literal["SIGNER", "SEAL_MAKER", "TSA"]
SealStatusAt = Callable[[str, datetime], SealStatus | None]
"""Gives the registered status of a seal (by esID) at an instant; None if the register does not know the seal."""

_SUFFIXES = frozenset({".pem", ".crt", ".cer", ".der"})
_PEM = b"-----BEGIN CERTIFICATE-----"
_OUTSIDE_VALIDITY: dict[Role, str] = {
    "SIGNER": "SIGN_TIME_OUTSIDE_CERT",
    "SEAL_MAKER": "SEAL_MAKER_CERT_NOT_VALID",
    "TSA": "TSA_CERT_NOT_VALID",
}
_SEAL_STATUS = {SealStatus.REVOKED: "SEAL_REVOKED", SealStatus.SUSPENDED: "SEAL_SUSPENDED"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The certificates a verifier starts from, and the register it may ask for a seal's status."""

    anchors: tuple[Certificate, ...]
    intermediates: tuple[Certificate, ...] = ()
    seal_status: SealStatusAt | None = None

    @classmethod
    def load(cls, folder: Path) -> "Trust":
        """Read the certificate files (PEM or DER) of ``folder`` as anchors, those of its ``intermediates/`` as such."""
        return cls(
            anchors=tuple(_certificates(folder)),
            intermediates=tuple(_certificates(folder / "intermediates")),
        )


def _certificates(folder: Path) -> Iterator[Certificate]:
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in _SUFFIXES and path.is_file():
            octets = path.read_bytes()
            try:
                bodies = pem_bodies(octets, "CERTIFICATE") if _PEM in octets else [octets]
                certificates = [Certificate.from_der(body) for body in bodies]
            except CertificateError as error:
                raise CertificateError(f"{path} is no certificate file: {error}") from error
            yield from certificates


def judge_certificate(
    cert: Certificate, *, others: Iterable[Certificate], trust: Trust, at: datetime, role: Role
) -> tuple[Finding, ...]:
    """Judge ``cert`` in its ``role`` as of ``at``, with ``others`` found beside it as possible issuers.

    Gives every finding, none if all is well. A certificate that is itself an anchor was chosen by hand: its
    revocation is not asked for.
    """
    # 1. The certificate's own dates: outside them nothing it signed counts.
    # 2. Its key usage.
    # 3. A path to an anchor; a path that breaks higher up is "not known to be trusted", never "forged".
    # 4. Revocation.
    pinned = any(anchor.raw == cert.raw for anchor in trust.anchors)
    return (
        *_dates(cert, at, role),
        *_usage(cert, role),
        *_path(cert, (*others, *trust.intermediates), trust, at, role),
        *(() if pinned else _revocation(cert)),
    )


def _dates(cert: Certificate, at: datetime, role: Role) -> Iterator[Finding]:
    if not cert.not_before <= at <= cert.not_after:
        span = f"{cert.not_before.isoformat()} to {cert.not_after.isoformat()}"
        yield Finding(
            code=_OUTSIDE_VALIDITY[role],
            verdict=Verdict.INVALID,
            detail=f"{at.isoformat()} is outside {span}",
        )


def _usage(cert: Certificate, role: Role) -> Iterator[Finding]:
    # A certificate without the extension is not restricted (RFC 5280 4.2.1.3).
    wrong = cert.key_usage is not None and not cert.key_usage & {"digital_signature", "content_commitment"}
    # RFC 3161 2.3: a time-stamping certificate says so.
    wrong |= role == "TSA" and TIME_STAMPING not in cert.extended_key_usage
    if wrong:
        usages = ", ".join(sorted((cert.key_usage or frozenset()) | cert.extended_key_usage)) or "none"
        yield Finding(code=f"{role}_CERT_KEY_USAGE", verdict=Verdict.INVALID, detail=f"usages: {usages}")


def _path(
    cert: Certificate, issuers: Iterable[Certificate], trust: Trust, at: datetime, role: Role
) -> Iterator[Finding]:
    # The leaf's own dates are judged above; asking at an instant inside them keeps one fault one finding.
    asked = min(max(at, cert.not_before), cert.not_after)
    chain = build_chain(cert, intermediates=issuers, anchors=trust.anchors, at=asked)
    if chain.problems or not chain.path:
        problems = ", ".join(sorted({str(problem) for problem in chain.problems})) or "no path"
        yield Finding(
            code=f"{role}_CERT_UNTRUSTED",
            verdict=Verdict.INDETERMINATE,
            detail=f"{cert.subject_text}, issued by {cert.issuer_text}: {problems}",
        )


def _revocation(cert: Certificate) -> Iterator[Finding]:
    if cert.crl_urls or cert.ocsp_urls:
        yield Finding(
            code="REVOCATION_UNKNOWN",
            verdict=Verdict.INDETERMINATE,
            detail=f"not asked at {(*cert.ocsp_urls, *cert.crl_urls)[0]}",
        )
    else:
        yield Finding(code="REVOCATION_NOT_OFFERED", verdict=Verdict.VALID, detail=cert.subject_text)


def judge_seal_status(esid: str, *, trust: Trust, at: datetime) -> tuple[Finding, ...]:
    """Judge the registered status of the seal ``esid`` at the time of sealing; no register, no finding."""
    if trust.seal_status is None:
        return ()
    status = trust.seal_status(esid, at)
    if status is None:
        # Another region's seal: its maker's signature still counts, its status must be asked for there.
        return (Finding(code="SEAL_UNKNOWN", verdict=Verdict.VALID, detail=esid),)
    if status in _SEAL_STATUS:
        detail = f"{esid} was {status.value} at {at.isoformat()}"
        return (Finding(code=_SEAL_STATUS[status], verdict=Verdict.INVALID, detail=detail),)
    return ()
