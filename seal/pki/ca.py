"""A certification authority for small installations: what it issues, revokes and publishes is on record first."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from crypto.crl import RevocationList, make_crl
from crypto.encryption_keys import DecryptingVault
from crypto.errors import CertificateError, DerError
from crypto.keys import KeyId, KeyVault, PublicKey, VaultSigner
from crypto.names import NameParts, same_name
from crypto.ocsp import CertStatus
from crypto.revoked import RevocationReason, Revoked
from crypto.suites import SM2_SM3, SUITES, Suite
from crypto.x509 import ROOT, Certificate, make_certificate, make_csr, parse_csr, random_serial
from kernel.clock import Clock
from seal.pki.errors import (
    AlreadyRevoked,
    AuthorityNotReady,
    CertificateRequestRefused,
    LedgerDamaged,
    RevocationRefused,
    UnknownCertificate,
)
from seal.pki.journal import Act, Journal, NoJournal
from seal.pki.ledger import Ledger
from seal.pki.policy import ENCIPHERMENT, INTERMEDIATE, RESPONDER, SEAL_SIGNER, IssuingPolicy, require_plain
from seal.pki.usage import encrypts

ROOT_LIFE = timedelta(days=20 * 365)
LIST_LIFE = timedelta(days=7)
_BACKDATED = timedelta(hours=1)  # A verifier whose clock is a little behind still finds the certificate valid.
_SHORTEST = timedelta(days=1)
_TRIES = 8
_WHY = 500
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_FINAL = frozenset(RevocationReason) - {RevocationReason.CERTIFICATE_HOLD, RevocationReason.REMOVE_FROM_CRL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the certificates of one authority are asked for, as they will say themselves."""

    crl_urls: tuple[str, ...] = ()
    ocsp_urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatePair:
    """A holder's two certificates (GM/T 0015)."""

    signing: Certificate
    encryption: Certificate
    encryption_key: KeyId | None
    """The encryption key in our vault; None if the holder made it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """A request that may be granted."""

    policy: IssuingPolicy
    subject: bytes
    public_key: PublicKey


class Authority:
    """One authority of one suite: its key in ``vault``, what it did in its folder's ledger and in ``journal``.

    Offline and online ones are alike: a root's vault and folder are simply elsewhere, and come out to certify an
    intermediate and to publish a list.
    """

    def __init__(
        self,
        folder: Path,
        vault: KeyVault,
        clock: Clock,
        addresses: Addresses | None = None,
        journal: Journal | None = None,
    ) -> None:
        self._ledger = Ledger(folder)
        suite, key = self._ledger.holder()
        self.suite = SUITES[suite]
        self._signer = VaultSigner(vault, KeyId(key))
        self._clock = clock
        self._addresses = addresses or Addresses()
        self._journal = journal or NoJournal()
        self._proved: set[int] = set()  # Serials whose certificates are ours indeed.

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
        journal: Journal | None = None,
    ) -> "Authority":
        """Make a self-signed root, or end one that was begun; FileExistsError where there is one already."""
        _begin(folder, vault, suite)
        root = cls(folder, vault, clock, addresses, journal)
        now = clock.now()
        certificate = make_certificate(
            subject=subject,
            public_key=root.signer.public_key,
            issuer=None,
            issuer_key=root.signer,
            serial=random_serial(),
            not_before=now - _BACKDATED,
            not_after=now + ROOT_LIFE,
            profile=ROOT,
        )
        root._install((certificate,), "authority")
        return root

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
        journal: Journal | None = None,
    ) -> "Authority":
        """Make an authority that waits for its certificate, from our root or from an authority outside.

        One that was begun is ended, and one that waits already is given; FileExistsError for one that has its
        certificate.
        """
        ledger, signer = _begin(folder, vault, suite)
        if ledger.request() is None:
            with suppress(FileExistsError):
                ledger.write_request(make_csr(subject, signer))
        return cls(folder, vault, clock, addresses, journal)

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

    @property
    def path(self) -> tuple[Certificate, ...]:
        """Its certificate and all above it, the root last."""
        return self._path()

    @property
    def ledger(self) -> Ledger:
        """What it did, for whoever looks things up."""
        return self._ledger

    def install(self, certificate: Certificate, issuers: Iterable[Certificate], *, by: str = "authority") -> None:
        """Take the certificate that was asked for, and its issuers up to the root, in order."""
        path = (certificate, *issuers)
        if self._ledger.path():
            raise CertificateRequestRefused("the authority has its certificate already")
        if certificate.spki != self._signer.public_key.spki:
            raise CertificateRequestRefused("the certificate is for another key than this authority's")
        for each, issuer in pairwise(path):
            if not each.issued_by(issuer):
                raise CertificateRequestRefused(f"{each.subject_text} was not issued by {issuer.subject_text}")
        usage = certificate.key_usage
        if not certificate.is_ca or (usage is not None and not usage >= {"key_cert_sign", "crl_sign"}):
            raise CertificateRequestRefused("the certificate is not one of an authority that signs lists too")
        self._install(path, by)

    def _install(self, path: tuple[Certificate, ...], by: str) -> None:
        what = f"certificate-{path[0].serial:x}"
        self._journal.intend(Act.INSTALL, what, by=by, facts={"key": path[0].public_key.fingerprint})
        self._ledger.install(path)
        self._journal.complete(Act.INSTALL, what, by=by)

    def _path(self) -> tuple[Certificate, ...]:
        path = self._ledger.path()
        if not path:
            raise AuthorityNotReady("the authority waits for its own certificate: have its request certified first")
        return path

    # --- issuing ---

    def issue(
        self, request: bytes, policy: IssuingPolicy, *, subject: bytes | None = None, by: str = "authority"
    ) -> Certificate:
        """Issue a certificate for a DER request under ``policy``; it is on record before it is given out.

        ``subject`` is what the registrar found out, where that is not what the request wishes for. Refuses keys of
        another suite, keys that are ours or were another subject's or are compromised, and subjects that say too
        little.
        """
        return self._certify(self._wish(request, policy, subject), by)

    def issue_pair(
        self, request: bytes, *, encryption: bytes | KeyVault, subject: bytes | None = None, by: str = "authority"
    ) -> CertificatePair:
        """Issue a signing certificate and, for the same subject, an encryption certificate (GM/T 0015).

        ``encryption`` is a second request by the holder, or the vault that makes the key, keeps it and decrypts with
        it; refused where that vault or this suite does not decrypt.
        """
        signing = self._wish(request, SEAL_SIGNER, subject)
        key = None
        if isinstance(encryption, bytes):
            other = self._wish(encryption, ENCIPHERMENT, signing.subject)
        else:
            key = self._made_to_decrypt(encryption)
            other = _Wish(policy=ENCIPHERMENT, subject=signing.subject, public_key=encryption.public_key(key))
        if other.public_key.spki == signing.public_key.spki:
            raise CertificateRequestRefused("one key does not both sign and decrypt: send two")
        pair = CertificatePair(
            signing=self._certify(signing, by), encryption=self._certify(other, by), encryption_key=key
        )
        self._ledger.pair(pair.signing.serial, pair.encryption.serial, key)
        return pair

    def _made_to_decrypt(self, vault: KeyVault) -> KeyId:
        # A signing key would do for the certificate, and never open what is encrypted to it.
        if self.suite is not SM2_SM3 or not isinstance(vault, DecryptingVault):
            raise CertificateRequestRefused(
                f"no {self.suite.key.value} key that decrypts is made in this vault: send a request for one"
            )
        return vault.generate_encryption_key()

    def _wish(self, request: bytes, policy: IssuingPolicy, subject: bytes | None) -> _Wish:
        # 1. We may issue this kind, now.
        # 2. The request proves possession of a key that fits.
        # 3. The subject says who it is, and is nobody else with this key.
        self._ready(self._clock.now(), policy)
        try:
            asked = parse_csr(request)
            wanted = subject or asked.subject
            parts = NameParts.from_der(wanted)
        except (CertificateError, DerError) as error:
            raise CertificateRequestRefused(str(error)) from error
        if asked.public_key.kind is not self.suite.key:
            raise CertificateRequestRefused(f"this authority certifies {self.suite.key.value} keys")
        self._check_subject(wanted, parts, policy)
        # Written in the one way: the same key in other octets would pass for one that nobody knows.
        public_key = asked.public_key.canonical
        self._check_key(public_key, wanted, policy)
        return _Wish(policy=policy, subject=wanted, public_key=public_key)

    def _certify(self, wish: _Wish, by: str) -> Certificate:
        # 1. The certificate ends no later than we do.   2. The intent, with the serial, is on record.
        # 3. It is signed, and kept.   4. That it was done is on record.
        now, policy = self._clock.now(), wish.policy
        own = self._ready(now, policy)
        not_after = min(now + policy.validity, own.not_after)
        if not_after - now < _SHORTEST:
            raise AuthorityNotReady("the authority itself ends within a day")
        serial = random_serial()
        facts = {"policy": policy.name, "key": wish.public_key.fingerprint}
        self._journal.intend(Act.ISSUE, f"{serial:x}", by=by, facts=facts)
        made = make_certificate(
            subject=wish.subject,
            public_key=wish.public_key,
            issuer=own,
            issuer_key=self._signer,
            serial=serial,
            not_before=max(now - _BACKDATED, own.not_before),
            not_after=not_after,
            profile=policy.profile,
            crl_urls=self._addresses.crl_urls if policy.addresses else (),
            ocsp_urls=self._addresses.ocsp_urls if policy.addresses else (),
        )
        self._ledger.issue(made)
        self._journal.complete(Act.ISSUE, f"{serial:x}", by=by)
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
        require_plain(parts)
        if any(same_name(wanted, each.subject) for each in self._path()):
            raise CertificateRequestRefused("the subject is an authority's name")

    def _check_key(self, key: PublicKey, wanted: bytes, policy: IssuingPolicy) -> None:
        if any(each.public_key.canonical.spki == key.spki for each in self._path()):
            raise CertificateRequestRefused("the key is an authority's")
        for earlier in self._ledger.of_key(key.fingerprint):
            if not same_name(earlier.subject, wanted):
                raise CertificateRequestRefused("the key was certified for another subject")
            if encrypts(earlier.key_usage) is not encrypts(policy.profile.key_usage):
                raise CertificateRequestRefused("one key does not both sign and decrypt: send another")
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
        """Revoke for good, as of now; publish a list to tell others. There is no hold: suspend the seal instead.

        ``why`` is one line of at most 500 characters.
        """
        # All is looked at first: what stands in the ledger is never changed, and must be fit to stand in every list.
        now = self._clock.now().replace(microsecond=0)
        if not self._ledger.issued(serial):
            raise UnknownCertificate(f"no certificate of serial {serial:x} was issued here")
        if reason not in _FINAL:
            raise RevocationRefused(f"a certificate is not revoked for {reason.name}")
        if invalid_since is not None and invalid_since > now:
            raise RevocationRefused("a key is not compromised as of a time to come")
        if invalid_since is not None and invalid_since < _EARLIEST:
            raise RevocationRefused(f"a key is not compromised as of a time before {_EARLIEST:%Y}")
        if len(why) > _WHY or not why.isprintable():
            raise RevocationRefused(f"why is one line of {_WHY} printable characters at most")
        revoked = Revoked(serial=serial, at=now, reason=reason, invalid_since=invalid_since)
        if self._ledger.revoked(serial) is not None:
            raise AlreadyRevoked(f"the certificate of serial {serial:x} is revoked already")
        self._journal.intend(Act.REVOKE, f"{serial:x}", by=by, facts={"reason": reason.name, "why": why})
        try:
            self._ledger.revoke(revoked, by=by, why=why)
        except FileExistsError as error:
            raise AlreadyRevoked(f"the certificate of serial {serial:x} is revoked already") from error
        self._journal.complete(Act.REVOKE, f"{serial:x}", by=by)
        return revoked

    def status(self, serial: int) -> tuple[CertStatus, Revoked | None]:
        """Say where a certificate stands now; UNKNOWN if it was never issued here."""
        if serial not in self._proved and not self._prove(serial):
            return CertStatus.UNKNOWN, None
        revoked = self._ledger.revoked(serial)
        return (CertStatus.GOOD if revoked is None else CertStatus.REVOKED), revoked

    def _prove(self, serial: int) -> bool:
        """Find the certificate of ``serial``; LedgerDamaged for a file that somebody else put there."""
        found = self._ledger.certificate(serial)
        if found is None:
            return False
        if not found.issued_by(self.certificate):
            raise LedgerDamaged(f"the certificate of serial {serial:x} in the ledger was not issued by this authority")
        self._proved.add(serial)
        return True

    def publish(self, *, life: timedelta = LIST_LIFE, by: str = "authority") -> RevocationList:
        """Sign a list of all that is revoked, under the next number; certificates that have expired stay on it."""
        for _ in range(_TRIES):
            now, number = self._clock.now(), self._ledger.last_number() + 1
            self._journal.intend(Act.PUBLISH, f"list-{number}", by=by, facts={})
            made = make_crl(
                issuer=self.certificate,
                issuer_key=self._signer,
                number=number,
                this_update=now,
                next_update=now + life,
                revoked=self._ledger.all_revoked(),
            )
            try:
                self._ledger.publish(made)
            except FileExistsError:
                continue  # Another process published just now; ours, which may say more, comes after it.
            self._journal.complete(Act.PUBLISH, f"list-{number}", by=by)
            return made
        raise AuthorityNotReady("lists are being published faster than this one could be")

    def latest_list(self) -> RevocationList | None:
        """Give the list published last."""
        return self._ledger.last_list()

    def take_list_above(self, revocation_list: RevocationList) -> None:
        """Keep a list of whoever certified this authority, to offer it; refuses one that is not theirs."""
        if not any(revocation_list.issued_by(each) for each in self._path()[1:]):
            raise CertificateRequestRefused("the list is not of an authority above this one")
        self._ledger.keep_above(revocation_list)

    def settle(self) -> int:
        """Complete the record of acts that a crash cut off after they were done; give how many."""
        done: dict[Act, Callable[[str], bool]] = {
            Act.ISSUE: lambda what: self._ledger.issued(int(what, 16)),
            Act.REVOKE: lambda what: self._ledger.revoked(int(what, 16)) is not None,
            Act.PUBLISH: lambda what: self._ledger.published(int(what.removeprefix("list-"))),
            Act.INSTALL: lambda what: any(what == f"certificate-{each.serial:x}" for each in self._ledger.path()),
        }
        late = [(act, what) for act, held in done.items() for what in self._journal.unfinished(act) if held(what)]
        for act, what in late:
            self._journal.complete(act, what, by="authority", late=True)
        return len(late)


def _begin(folder: Path, vault: KeyVault, suite: Suite) -> tuple[Ledger, VaultSigner]:
    if (folder / "authority.json").exists():
        ledger = Ledger(folder)
        held, name = ledger.holder()
        if held != suite.name or ledger.path():
            raise FileExistsError(f"{folder} has an authority: open it, or choose another folder")
        return ledger, VaultSigner(vault, KeyId(name))
    key = vault.generate(suite)
    return Ledger.create(folder, suite=suite.name, key=key), VaultSigner(vault, key)
