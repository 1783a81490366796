"""A certification authority for small installations: an offline root, online intermediates, SM2 and P-256 twins."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from crypto.crl import RevocationList, make_crl
from crypto.errors import CertificateError, DerError
from crypto.keys import KeyId, KeyVault, VaultSigner
from crypto.names import NameParts, same_name
from crypto.ocsp import CertStatus
from crypto.revoked import RevocationReason, Revoked
from crypto.suites import ES256, SM2_SM3, SUITES, KeyKind, Suite
from crypto.x509 import ROOT, Certificate, make_certificate, make_csr, name, parse_csr, random_serial
from kernel.clock import Clock
from seal.pki.errors import (
    AlreadyRevoked,
    AuthorityNotReady,
    CertificateRequestRefused,
    RevocationRefused,
    UnknownCertificate,
)
from seal.pki.ledger import Ledger
from seal.pki.policy import INTERMEDIATE, RESPONDER, IssuingPolicy

TWINS: tuple[Suite, ...] = (SM2_SM3, ES256)
"""The suites that every installation has an authority of."""
ROOT_LIFE = timedelta(days=20 * 365)
LIST_LIFE = timedelta(days=7)
_BACKDATED = timedelta(hours=1)  # A verifier whose clock is a little behind still finds the certificate valid.
_SHORTEST = timedelta(days=1)
_TRIES = 8
_FINAL = frozenset(RevocationReason) - {RevocationReason.CERTIFICATE_HOLD, RevocationReason.REMOVE_FROM_CRL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the certificates of one authority are asked for, as they will say themselves."""

    crl_urls: tuple[str, ...] = ()
    ocsp_urls: tuple[str, ...] = ()


class Authority:
    """One authority of one suite: its key in ``vault``, what it did in its folder's ledger.

    Offline and online ones are alike: a root's vault and folder are simply elsewhere, and come out to certify an
    intermediate and to publish a list.
    """

    def __init__(self, folder: Path, vault: KeyVault, clock: Clock, addresses: Addresses | None = None) -> None:
        self._ledger = Ledger(folder)
        suite, key = self._ledger.holder()
        self.suite = SUITES[suite]
        self._signer = VaultSigner(vault, KeyId(key))
        self._clock = clock
        self._addresses = addresses or Addresses()

    @classmethod
    def create_root(  # noqa: PLR0913 - where, with what key, and what it is called
        cls,
        folder: Path,
        vault: KeyVault,
        clock: Clock,
        *,
        suite: Suite,
        subject: bytes,
        addresses: Addresses | None = None,
    ) -> "Authority":
        """Make a self-signed root; refuses (FileExistsError) a folder that has an authority already."""
        now = clock.now()
        ledger, signer = _begin(folder, vault, suite)
        certificate = make_certificate(
            subject=subject,
            public_key=signer.public_key,
            issuer=None,
            issuer_key=signer,
            serial=random_serial(),
            not_before=now - _BACKDATED,
            not_after=now + ROOT_LIFE,
            profile=ROOT,
        )
        ledger.install((certificate,))
        return cls(folder, vault, clock, addresses)

    @classmethod
    def request(  # noqa: PLR0913 - where, with what key, and what it is called
        cls,
        folder: Path,
        vault: KeyVault,
        clock: Clock,
        *,
        suite: Suite,
        subject: bytes,
        addresses: Addresses | None = None,
    ) -> "Authority":
        """Make an authority that waits for its certificate, from our root or from an authority outside."""
        ledger, signer = _begin(folder, vault, suite)
        ledger.write_request(make_csr(subject, signer))
        return cls(folder, vault, clock, addresses)

    # --- the authority itself ---

    @property
    def csr(self) -> bytes:
        """The request for its own certificate, DER."""
        raw = self._ledger.request()
        if raw is None:
            raise AuthorityNotReady("a root signs its own certificate: it has no request")
        return raw

    @property
    def certificate(self) -> Certificate:
        """Its certificate."""
        return self._path()[0]

    @property
    def chain(self) -> tuple[Certificate, ...]:
        """Its certificate and those above it, the root left out: what goes with whatever it issues."""
        return tuple(each for each in self._path() if not each.self_issued)

    @property
    def signer(self) -> VaultSigner:
        """Its key, for an OCSP responder that answers in its own name."""
        return self._signer

    def install(self, certificate: Certificate, issuers: Iterable[Certificate]) -> None:
        """Take the certificate that was asked for, and its issuers up to the root, in order."""
        path = (certificate, *issuers)
        if certificate.spki != self._signer.public_key.spki:
            raise CertificateRequestRefused("the certificate is for another key than this authority's")
        for each, issuer in pairwise(path):
            if not each.issued_by(issuer):
                raise CertificateRequestRefused(f"{each.subject_text} was not issued by {issuer.subject_text}")
        usage = certificate.key_usage
        if not certificate.is_ca or (usage is not None and not usage >= {"key_cert_sign", "crl_sign"}):
            raise CertificateRequestRefused("the certificate is not one of an authority that signs lists too")
        self._ledger.install(path)

    def _path(self) -> tuple[Certificate, ...]:
        path = self._ledger.path()
        if not path:
            raise AuthorityNotReady("the authority waits for its own certificate: have its request certified first")
        return path

    # --- issuing ---

    def issue(self, request: bytes, policy: IssuingPolicy, *, subject: bytes | None = None) -> Certificate:
        """Issue a certificate for a DER request under ``policy``; it is on record before it is given out.

        ``subject`` is what the registrar found out, where that is not what the request wishes for. Refuses keys of
        another suite, keys that are ours or were another subject's or are compromised, and subjects that say too
        little.
        """
        # 1. We may issue this kind, now.
        # 2. The request proves possession of a key that fits.
        # 3. The subject says who it is, and is nobody else with this key.
        # 4. The certificate ends no later than we do.
        now = self._clock.now()
        own = self._ready(now, policy)
        try:
            asked = parse_csr(request)
            wanted = subject or asked.subject
            parts = NameParts.from_der(wanted)
        except (CertificateError, DerError) as error:
            raise CertificateRequestRefused(str(error)) from error
        if asked.public_key.kind is not self.suite.key:
            raise CertificateRequestRefused(f"this authority certifies {self.suite.key.value} keys")
        self._check_subject(wanted, parts, policy)
        self._check_key(asked.public_key.spki, asked.public_key.fingerprint, wanted)
        not_after = min(now + policy.validity, own.not_after)
        if not_after - now < _SHORTEST:
            raise AuthorityNotReady("the authority itself ends within a day")
        made = make_certificate(
            subject=wanted,
            public_key=asked.public_key,
            issuer=own,
            issuer_key=self._signer,
            serial=random_serial(),
            not_before=max(now - _BACKDATED, own.not_before),
            not_after=not_after,
            profile=policy.profile,
            crl_urls=self._addresses.crl_urls if policy.addresses else (),
            ocsp_urls=self._addresses.ocsp_urls if policy.addresses else (),
        )
        self._ledger.issue(made)
        return made

    def _ready(self, now: datetime, policy: IssuingPolicy) -> Certificate:
        own = self.certificate
        if not own.valid_at(now):
            raise AuthorityNotReady("the authority's own certificate is not valid now")
        # A root certifies authorities and the responder for them, nothing else: its key comes out rarely.
        allowed = policy in (INTERMEDIATE, RESPONDER) if own.self_issued else not policy.profile.ca
        if not allowed:
            raise CertificateRequestRefused(f"this authority does not issue certificates of the kind {policy.name}")
        return own

    def _check_subject(self, wanted: bytes, parts: NameParts, policy: IssuingPolicy) -> None:
        missing = sorted(oid for oid in policy.demanded if not parts.value(oid))
        if missing:
            raise CertificateRequestRefused(f"the subject lacks {', '.join(missing)}, which {policy.name} demands")
        if any(same_name(wanted, each.subject) for each in self._path()):
            raise CertificateRequestRefused("the subject is an authority's name")

    def _check_key(self, spki: bytes, fingerprint: str, wanted: bytes) -> None:
        if any(each.spki == spki for each in self._path()):
            raise CertificateRequestRefused("the key is an authority's")
        for earlier in self._ledger.of_key(fingerprint):
            if not same_name(earlier.subject, wanted):
                raise CertificateRequestRefused("the key was certified for another subject")
            revoked = self._ledger.revoked(earlier.serial)
            if revoked is not None and revoked.reason is RevocationReason.KEY_COMPROMISE:
                raise CertificateRequestRefused("the key was revoked as compromised")

    # --- revoking ---

    def revoke(
        self,
        serial: int,
        reason: RevocationReason,
        *,
        by: str,
        why: str,
        invalid_since: datetime | None = None,
    ) -> Revoked:
        """Revoke for good, as of now; publish a list to tell others. There is no hold: suspend the seal instead."""
        now = self._clock.now().replace(microsecond=0)
        if not self._ledger.issued(serial):
            raise UnknownCertificate(f"no certificate of serial {serial:x} was issued here")
        if reason not in _FINAL:
            raise RevocationRefused(f"a certificate is not revoked for {reason.name}")
        if invalid_since is not None and invalid_since > now:
            raise RevocationRefused("a key is not compromised as of a time to come")
        revoked = Revoked(serial=serial, at=now, reason=reason, invalid_since=invalid_since)
        try:
            self._ledger.revoke(revoked, by=by, why=why)
        except FileExistsError as error:
            raise AlreadyRevoked(f"the certificate of serial {serial:x} is revoked already") from error
        return revoked

    def status(self, serial: int) -> tuple[CertStatus, Revoked | None]:
        """Say where a certificate stands now; UNKNOWN if it was never issued here."""
        if not self._ledger.issued(serial):
            return CertStatus.UNKNOWN, None
        revoked = self._ledger.revoked(serial)
        return (CertStatus.GOOD if revoked is None else CertStatus.REVOKED), revoked

    def publish(self, *, life: timedelta = LIST_LIFE) -> RevocationList:
        """Sign a list of all that is revoked, under the next number; certificates that have expired stay on it."""
        for _ in range(_TRIES):
            now = self._clock.now()
            made = make_crl(
                issuer=self.certificate,
                issuer_key=self._signer,
                number=self._ledger.last_number() + 1,
                this_update=now,
                next_update=now + life,
                revoked=self._ledger.all_revoked(),
            )
            try:
                self._ledger.publish(made)
            except FileExistsError:
                continue  # Another process published just now; ours, which may say more, comes after it.
            return made
        raise AuthorityNotReady("lists are being published faster than this one could be")

    def latest_list(self) -> RevocationList | None:
        """Give the list published last."""
        return self._ledger.last_list()


def _begin(folder: Path, vault: KeyVault, suite: Suite) -> tuple[Ledger, VaultSigner]:
    if (folder / "authority.json").exists():
        raise FileExistsError(f"{folder} has an authority: open it, or choose another folder")
    key = vault.generate(suite)
    return Ledger.create(folder, suite=suite.name, key=key), VaultSigner(vault, key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hierarchy:
    """A root and the intermediate below it, of one suite."""

    root: Authority
    intermediate: Authority


def found(  # noqa: PLR0913 - two places, two vaults, and what they are called
    root_folder: Path,
    folder: Path,
    *,
    root_vault: KeyVault,
    vault: KeyVault,
    clock: Clock,
    organisation: str,
    addresses: Addresses | None = None,
) -> dict[KeyKind, Hierarchy]:
    """Found the twins: for SM2 and for P-256 a root, an intermediate it certified, and the first lists of both.

    ``root_folder`` and ``root_vault`` may be taken offline afterwards, until the root's list ends.
    """
    made = {}
    for suite in TWINS:
        root = Authority.create_root(
            root_folder / suite.key.value,
            root_vault,
            clock,
            suite=suite,
            subject=name(f"{organisation} {suite.name} Root CA", organisation),
        )
        below = Authority.request(
            folder / suite.key.value,
            vault,
            clock,
            suite=suite,
            subject=name(f"{organisation} {suite.name} CA", organisation),
            addresses=addresses,
        )
        below.install(root.issue(below.csr, INTERMEDIATE), (root.certificate,))
        root.publish(life=timedelta(days=365))
        below.publish()
        made[suite.key] = Hierarchy(root=root, intermediate=below)
    return made
