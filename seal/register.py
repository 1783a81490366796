"""The register of seals: made once, suspended, resumed or revoked, and their status at any past time.

国办发〔2025〕33号: each change is filed with its reason; whether a seal was good is asked for the moment of sealing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import sqlalchemy as sa

from crypto.der import parse_prefix
from crypto.keys import KeyId, Signer
from crypto.suites import SM2_SM3, SUITES, Suite
from crypto.x509 import Certificate
from kernel.audit import AuditLog
from kernel.clock import Clock
from kernel.db import Database
from kernel.principal import Principal
from seal import store
from seal.errors import SealExists, SealExpired, SealNotUsable, SealRefused, UnknownSeal
from seal.model import Credential, Picture, Seal, SealId, SealStatus
from seal.ses import make_seseal
from seal.store import SealRow, StatusChange

_NUMBER = re.compile(r"[0-9]{14}")
_OWNER = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")  # GB 32100: no I, O, S, V, Z
_REASON_MAX = 500

_CHANGES = {
    "suspend": (frozenset({SealStatus.ACTIVE}), SealStatus.SUSPENDED, "seal.suspended"),
    "resume": (frozenset({SealStatus.SUSPENDED}), SealStatus.ACTIVE, "seal.resumed"),
    # A revoked seal stays revoked: whoever needs one again has a new one made.
    "revoke": (frozenset({SealStatus.ACTIVE, SealStatus.SUSPENDED}), SealStatus.REVOKED, "seal.revoked"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SealApplication:
    """What is asked for when a seal is to be made. ``id``: 14 digits, a GB/T 2260 region and a serial."""

    id: SealId
    kind: int
    name: str
    owner: str
    """Unified social credit code of the owning body."""
    owner_name: str
    picture: Picture
    valid_from: datetime
    valid_to: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A key in the vault that a seal signs with, and the certificate that says so."""

    suite: Suite
    key: KeyId
    certificate: Certificate
    chain: tuple[Certificate, ...]
    """Issuers above ``certificate``, nearest first, root left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealMaker:
    """The body that signs e-seals as their maker; ``vendor`` is the Vid of the seal's header."""

    signer: Signer
    certificate: Certificate
    vendor: str = "XINYIN"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealCredential:
    """What a sealing signs with: the public half, and the key's name in the vault."""

    credential: Credential
    key: KeyId


class SealRegister:
    """Keeps seals; every change and its audit entry are one transaction."""

    def __init__(self, db: Database, audit: AuditLog, clock: Clock) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock

    def next_id(self, region: str) -> SealId:
        """Give the next free seal number of a region (6 digits); another maker may take it first."""
        with self._db.read() as conn:
            last = store.highest_seal(conn, region)
        number = int(last[len(region) :]) + 1 if last else 1
        return _checked_number(f"{region}{number:08}")

    def make(
        self, application: SealApplication, *, keys: Sequence[SigningKey], maker: SealMaker, actor: Principal
    ) -> Seal:
        """Make the signed e-seal and register it as active; needs the right ``seal.make:<id>``."""
        actor.require("seal.make", application.id)
        _check(application, keys)
        now = self._clock.now()
        seseal = make_seseal(
            header_vid=maker.vendor,
            esid=application.id,
            kind=application.kind,
            name=application.name,
            certificates=tuple(key.certificate for key in keys if key.suite is SM2_SM3),
            created=now,
            valid_from=application.valid_from,
            valid_to=application.valid_to,
            picture=application.picture,
            maker=maker.signer,
            maker_certificate=maker.certificate,
        )
        try:
            with self._db.begin() as conn:
                self._insert(conn, application, seseal, keys, actor, now)
        except sa.exc.IntegrityError as error:
            if not self._exists(application.id):
                raise
            raise SealExists(f"A seal with the number {application.id} is registered already.") from error
        return self.find(application.id)

    def _insert(  # noqa: PLR0913, PLR0917 - one row's parts
        self,
        conn: sa.Connection,
        application: SealApplication,
        seseal: bytes,
        keys: Sequence[SigningKey],
        actor: Principal,
        now: datetime,
    ) -> None:
        store.insert(
            conn,
            store.SEALS,
            id=application.id,
            kind=application.kind,
            name=application.name,
            owner=application.owner,
            owner_name=application.owner_name,
            valid_from=application.valid_from,
            valid_to=application.valid_to,
            png=application.picture.png,
            width_mm=application.picture.width_mm,
            height_mm=application.picture.height_mm,
            seseal=seseal,
            made_at=now,
            made_by=actor.subject,
        )
        for key in keys:
            store.insert(
                conn,
                store.CREDENTIALS,
                seal=application.id,
                suite=key.suite.name,
                key=key.key,
                certificate=key.certificate.raw,
                chain=b"".join(issuer.raw for issuer in key.chain),
            )
        self._change(conn, application.id, 1, SealStatus.ACTIVE, now, reason="made", actor=actor.subject)
        self._audit.append(
            conn,
            at=now,
            actor=actor.subject,
            action="seal.made",
            target=application.id,
            facts={"owner": application.owner, "name": application.name},
        )

    def _exists(self, seal: str) -> bool:
        with self._db.read() as conn:
            return store.find_seal(conn, seal) is not None

    # --- asking ---

    def find(self, seal: str) -> Seal:
        """Find a seal with its status of now; UnknownSeal if there is none."""
        with self._db.read() as conn:
            return self.read(conn, seal)

    def read(self, conn: sa.Connection, seal: str) -> Seal:
        """Find a seal within the caller's transaction."""
        row = store.find_seal(conn, seal)
        if row is None:
            raise UnknownSeal("There is no seal with this number.")
        return _as_seal(row, store.status_history(conn, seal))

    def list(self, *, owner: str | None = None, after: str = "", limit: int = 50) -> tuple[Seal, ...]:
        """List seals by number, of one owner or of all, from the one after ``after`` on."""
        with self._db.read() as conn:
            rows = store.list_seals(conn, owner=owner, after=after, limit=limit)
            return tuple(_as_seal(row, store.status_history(conn, row.id)) for row in rows)

    def history(self, seal: str) -> tuple[StatusChange, ...]:
        """List a seal's status changes, oldest first."""
        with self._db.read() as conn:
            return store.status_history(conn, seal)

    def status_at(self, seal: str, at: datetime) -> SealStatus | None:
        """Give the registered status at an instant: None if the seal is unknown or was not made yet."""
        return store.status_at(self.history(seal), at)

    def credential(self, seal: Seal, suite: Suite) -> SealCredential:
        """Give what ``seal`` signs with under ``suite``; SealNotUsable if it has no such key."""
        with self._db.read() as conn:
            row = store.find_credential(conn, seal.id, suite.name)
        if row is None:
            raise SealNotUsable(f"Seal {seal.id} has no {suite.name} key.")
        credential = Credential(
            certificate=_certificate(row.certificate),
            chain=_chain(row.chain),
            suite=SUITES[row.suite],
            seseal=seal.seseal if suite is SM2_SM3 else None,
        )
        return SealCredential(credential=credential, key=KeyId(row.key))

    def usable(self, seal: Seal, at: datetime, certificate: Certificate | None = None) -> None:
        """Refuse unless ``seal`` may sign at ``at``: active, within its validity and that of ``certificate``."""
        if seal.status is not SealStatus.ACTIVE:
            raise SealNotUsable(f"Seal {seal.id} is {seal.status.value}.")
        if not seal.valid_from <= at <= seal.valid_to:
            raise SealExpired(
                f"Seal {seal.id} is valid from {seal.valid_from.isoformat()} to {seal.valid_to.isoformat()}."
            )
        if certificate is not None and not certificate.not_before <= at <= certificate.not_after:
            raise SealExpired(f"The certificate of seal {seal.id} is outside its validity: have the seal made anew.")

    # --- changing ---

    def suspend(self, seal: str, reason: str, actor: Principal) -> Seal:
        """Stop an active seal for a while; needs the right ``seal.manage:<id>``."""
        return self._pass("suspend", seal, reason, actor)

    def resume(self, seal: str, reason: str, actor: Principal) -> Seal:
        """Let a suspended seal sign again; needs the right ``seal.manage:<id>``."""
        return self._pass("resume", seal, reason, actor)

    def revoke(self, seal: str, reason: str, actor: Principal) -> Seal:
        """End a seal for good; what it sealed before stays valid. Needs the right ``seal.manage:<id>``."""
        return self._pass("revoke", seal, reason, actor)

    def _pass(self, verb: str, seal: str, reason: str, actor: Principal) -> Seal:
        actor.require("seal.manage", seal)
        if not reason.strip() or len(reason) > _REASON_MAX:
            raise SealRefused(f"A reason of 1 to {_REASON_MAX} characters is needed to {verb} a seal.")
        allowed, status, action = _CHANGES[verb]
        with self._db.begin() as conn:
            if not store.lock_seal(conn, seal):
                raise UnknownSeal("There is no seal with this number.")
            last = store.status_history(conn, seal)[-1]
            if last.status not in allowed:
                raise SealNotUsable(f"Seal {seal} is {last.status}: it cannot be changed by {verb}.")
            # Another worker's clock may be ahead; history never runs backwards.
            at = max(self._clock.now(), last.at)
            self._change(conn, seal, last.number + 1, status, at, reason=reason, actor=actor.subject)
            self._audit.append(conn, at=at, actor=actor.subject, action=action, target=seal, facts={"reason": reason})
            return self.read(conn, seal)

    @staticmethod
    def _change(  # noqa: PLR0913 - one row's parts
        conn: sa.Connection, seal: str, number: int, status: SealStatus, at: datetime, *, reason: str, actor: str
    ) -> None:
        store.insert(
            conn, store.STATUS_CHANGES, seal=seal, number=number, status=status.value, at=at, reason=reason, actor=actor
        )


def _checked_number(number: str) -> SealId:
    if not _NUMBER.fullmatch(number):
        raise SealRefused("A seal's number is 14 digits: 6 of the region, 8 of the seal.")
    return SealId(number)


def _check(application: SealApplication, keys: Sequence[SigningKey]) -> None:
    _checked_number(application.id)
    if not _OWNER.fullmatch(application.owner):
        raise SealRefused("The owner is named by its unified social credit code of 18 characters.")
    if application.valid_to <= application.valid_from:
        raise SealRefused("A seal's validity ends after it begins.")
    if SM2_SM3 not in {key.suite for key in keys}:
        raise SealRefused("An e-seal needs an SM2 certificate: GB/T 38540 seals name it.")
    for key in keys:
        if key.certificate.public_key.kind is not key.suite.key:
            raise SealRefused(f"The certificate given for {key.suite.name} holds a key of another kind.")
        # GM/T 0015: the holder's encryption certificate must never stand under a document.
        usages = key.certificate.key_usage
        if usages is not None and not usages & {"digital_signature", "content_commitment"}:
            raise SealRefused(f"The certificate given for {key.suite.name} is not for signing (key usage).")


def _as_seal(row: SealRow, history: Sequence[StatusChange]) -> Seal:
    return Seal(
        id=SealId(row.id),
        kind=row.kind,
        name=row.name,
        owner=row.owner,
        owner_name=row.owner_name,
        status=SealStatus(history[-1].status),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        picture=Picture(png=row.png, width_mm=row.width_mm, height_mm=row.height_mm),
        seseal=row.seseal,
    )


@lru_cache(maxsize=1024)
def _certificate(raw: bytes) -> Certificate:
    return Certificate.from_der(raw)


@lru_cache(maxsize=1024)
def _chain(octets: bytes) -> tuple[Certificate, ...]:
    found = []
    while octets:
        raw = parse_prefix(octets).raw
        found.append(_certificate(raw))
        octets = octets[len(raw) :]
    return tuple(found)
