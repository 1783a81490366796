"""The register of seals: how each was made and changed, on whose warrant, and its status at any past time.

国办发〔2025〕33号: each change is filed with its reason; whether a seal was good is asked for the moment of sealing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import sqlalchemy as sa

from crypto.der import parse_prefix
from crypto.keys import KeyId
from crypto.suites import SM2_SM3, SUITES, Suite
from crypto.x509 import Certificate
from kernel.audit import AuditLog, Fact
from kernel.clock import Clock
from kernel.db import Database
from seal import store, versions
from seal.affairs.actions import Action
from seal.affairs.warrant import Warrant
from seal.errors import SealExists, SealExpired, SealNotUsable, SealRefused, UnknownSeal
from seal.making import SealApplication, SealMaker, SigningKey, checked_number, require_sound, sign_seal
from seal.model import Credential, Picture, Seal, SealId, SealStatus, UsePolicy
from seal.store import CredentialRow, SealRow, StatusChange
from seal.versions import VersionRow

__all__ = ["SealApplication", "SealCredential", "SealMaker", "SealRegister", "SigningKey"]

_CODE = re.compile(r"[0-9]{13}")
_WORD_MAX = 200
_ON_THE_WAY = frozenset({SealStatus.MADE, SealStatus.FILED, SealStatus.ACTIVE})
_FIRST_POLICY = (UsePolicy.OPEN,)
_PLAIN = (
    Action.ACTIVATE,
    Action.SUSPEND,
    Action.RESUME,
    Action.LOSE,
    Action.REVOKE,
    Action.DESTROY,
    Action.EXPORT,
    Action.GRANT,
    Action.END_GRANT,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealCredential:
    """What a sealing signs with: the public half, and the key's name in the vault."""

    credential: Credential
    key: KeyId


class SealRegister:
    """Keeps seals. A change is made on a warrant alone, in its transaction and with its audit entry."""

    def __init__(self, db: Database, audit: AuditLog, clock: Clock) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock

    def next_id(self, region: str) -> SealId:
        """Give the next free seal number of a region (6 digits); another maker may take it first."""
        with self._db.read() as conn:
            last = store.highest_seal(conn, region)
        number = int(last[len(region) :]) + 1 if last else 1
        return checked_number(f"{region}{number:08}")

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
        return _as_seal(row, store.status_history(conn, seal), versions.newest_version(conn, seal))

    def list(self, *, owner: str | None = None, after: str = "", limit: int = 50) -> tuple[Seal, ...]:
        """List seals by number, of one owner or of all, from the one after ``after`` on."""
        with self._db.read() as conn:
            rows = store.list_seals(conn, owner=owner, after=after, limit=limit)
            return tuple(
                _as_seal(row, store.status_history(conn, row.id), versions.newest_version(conn, row.id)) for row in rows
            )

    def history(self, seal: str) -> tuple[StatusChange, ...]:
        """List a seal's status changes, oldest first."""
        with self._db.read() as conn:
            return store.status_history(conn, seal)

    def status_at(self, seal: str, at: datetime) -> SealStatus | None:
        """Give the registered status at an instant: None if the seal is unknown or was not made yet."""
        return store.status_at(self.history(seal), at)

    def credential(self, seal: Seal, suite: Suite) -> SealCredential:
        """Give what ``seal`` signs with under ``suite``, of several the newest; SealNotUsable if it has no such key."""
        with self._db.read() as conn:
            rows = [row for row in versions.credentials(conn, seal.id, seal.version) if row.suite == suite.name]
        if not rows:
            raise SealNotUsable(f"Seal {seal.id} has no {suite.name} key.")
        now = self._clock.now()
        held = [_as_credential(row, seal) for row in rows]

        def fitness(one: SealCredential) -> tuple[bool, datetime]:
            certificate = one.credential.certificate
            return certificate.valid_at(now), certificate.not_before

        return max(held, key=fitness)

    def credentials(self, seal: Seal) -> tuple[SealCredential, ...]:
        """List all that ``seal`` ever signed with, in any version."""
        with self._db.read() as conn:
            return tuple(_as_credential(row, seal) for row in versions.credentials(conn, seal.id))

    def seseals(self, seal: Seal) -> tuple[bytes, ...]:
        """List the e-seals of every version of ``seal``, DER, oldest first."""
        with self._db.read() as conn:
            first = store.find_seal(conn, seal.id)
            later = versions.later_versions(conn, seal.id)
        return (*((first.seseal,) if first else ()), *(each.seseal for each in later))

    def signing_keys(self, conn: sa.Connection, seal: Seal) -> tuple[SigningKey, ...]:
        """List what the newest version of ``seal`` signs with, within the caller's transaction."""
        held = (_as_credential(row, seal) for row in versions.credentials(conn, seal.id, seal.version))
        return tuple(
            SigningKey(
                suite=each.credential.suite,
                key=each.key,
                certificate=each.credential.certificate,
                chain=each.credential.chain,
            )
            for each in held
        )

    def policy(self, conn: sa.Connection, seal: str) -> UsePolicy:
        """Give what it takes to use a seal, beside the right to."""
        return UsePolicy((*_FIRST_POLICY, *versions.use_policies(conn, seal))[-1])

    def still(self, conn: sa.Connection, seal: Seal, at: datetime) -> None:
        """Refuse, within the caller's transaction, unless ``seal`` as it was read before may sign at ``at`` still."""
        now = self.read(conn, seal.id)
        self.usable(now, at)
        if now.version != seal.version:
            raise SealNotUsable(f"Seal {seal.id} was made anew just now: ask again.")

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

    # --- changing: each within its warrant's transaction ---

    def make(
        self, warrant: Warrant, application: SealApplication, *, keys: Sequence[SigningKey], maker: SealMaker
    ) -> Seal:
        """Make the signed e-seal and register it as made; it seals once it is filed and active."""
        _expect(warrant, Action.MAKE)
        if warrant.seal != application.id:
            raise ValueError("the warrant is for another seal")
        require_sound(application, keys)
        if len({key.suite for key in keys}) != len(keys):
            raise SealRefused("A new seal has one certificate of each suite; a renewal can add others.")
        conn = warrant.conn
        seseal = sign_seal(application, keys, maker, warrant.at)
        try:
            with conn.begin_nested():
                _insert_seal(conn, application, seseal, warrant)
        except sa.exc.IntegrityError as error:
            if store.find_seal(conn, application.id) is None:
                raise
            raise SealExists(f"A seal with the number {application.id} is registered already.") from error
        for key in keys:
            store.insert(conn, store.CREDENTIALS, seal=application.id, **_credential_columns(key))
        self._record(warrant, None, owner=application.owner, name=application.name)
        return self.read(conn, application.id)

    def remake(
        self, warrant: Warrant, remaking: SealApplication, *, keys: Sequence[SigningKey], maker: SealMaker
    ) -> Seal:
        """Make a registered seal anew under its number: the new version seals, older ones still verify.

        For a new name, picture, validity or certificate. Kind and owner stay; a lost seal gets other keys.
        """
        _expect(warrant, Action.CHANGE, Action.RENEW)
        conn, last = warrant.conn, self._hold(warrant)
        seal = self.read(conn, warrant.seal)
        if (remaking.id, remaking.owner, remaking.kind) != (seal.id, seal.owner, seal.kind):
            raise SealRefused("Number, kind and owner of a seal stay: for another owner another seal is made.")
        require_sound(remaking, keys)
        used = {row.key for row in versions.credentials(conn, seal.id)}
        if last.status == SealStatus.LOST and used & {key.key for key in keys}:
            raise SealRefused("The keys of a lost seal may be in other hands: it is made anew with other keys.")
        number = seal.version + 1
        store.insert(
            conn,
            versions.VERSIONS,
            seal=seal.id,
            number=number,
            seseal=sign_seal(remaking, keys, maker, warrant.at),
            affair=warrant.affair,
            **_shown_columns(remaking, warrant),
        )
        for place, key in enumerate(keys, 1):
            columns = _credential_columns(key)
            store.insert(conn, versions.VERSION_CREDENTIALS, seal=seal.id, version=number, number=place, **columns)
        self._record(warrant, last, version=number, name=remaking.name)
        return self.read(conn, seal.id)

    def file(self, warrant: Warrant, *, filing_number: str, body: str, code: str | None = None) -> Seal:
        """Put on record how a made seal was filed (备案): number, body, and the 13-digit code if it was given one."""
        _expect(warrant, Action.FILE)
        if not 0 < len(filing_number) <= _WORD_MAX // 2 or not 0 < len(body) <= _WORD_MAX:
            raise SealRefused("A filing has a number of 1 to 100 characters, and a body of 1 to 200.")
        if code is not None and not _CODE.fullmatch(code):
            raise SealRefused("A public-security code is 13 digits.")
        conn, last = warrant.conn, self._hold(warrant)
        columns = {"filing_number": filing_number, "body": body, "code": code, "at": warrant.at}
        store.insert(conn, versions.FILINGS, seal=warrant.seal, affair=warrant.affair, **columns)
        self._record(warrant, last, filing=filing_number)
        return self.read(conn, warrant.seal)

    def set_policy(self, warrant: Warrant, use: UsePolicy) -> Seal:
        """Say what it takes from now on to use a seal."""
        _expect(warrant, Action.POLICY)
        conn, last = warrant.conn, self._hold(warrant)
        number = len(versions.use_policies(conn, warrant.seal)) + 1
        columns = {"use": use.value, "at": warrant.at, "affair": warrant.affair}
        store.insert(conn, versions.POLICIES, seal=warrant.seal, number=number, **columns)
        self._record(warrant, last, use=use.value)
        return self.read(conn, warrant.seal)

    def move(self, warrant: Warrant) -> Seal:
        """Change a seal's status, or record an act that leaves it, by an action with nothing more to it."""
        _expect(warrant, *_PLAIN)
        last = self._hold(warrant)
        self._record(warrant, last)
        return self.read(warrant.conn, warrant.seal)

    @staticmethod
    def _hold(warrant: Warrant) -> StatusChange:
        """Hold the seal, and give its last change; SealNotUsable if the action is not for its status."""
        if not store.lock_seal(warrant.conn, warrant.seal):
            raise UnknownSeal("There is no seal with this number.")
        last = store.status_history(warrant.conn, warrant.seal)[-1]
        if SealStatus(last.status) not in warrant.rule.moves:
            raise SealNotUsable(f"Seal {warrant.seal} is {last.status}: it cannot be changed by {warrant.action}.")
        return last

    def _record(self, warrant: Warrant, last: StatusChange | None, **facts: Fact) -> None:
        status = warrant.rule.moves[SealStatus(last.status) if last else None]
        # Documents carry whole seconds: a seal that may sign from now on may do so for the whole of this one.
        at = warrant.at.replace(microsecond=0) if status in _ON_THE_WAY else warrant.at
        # Another worker's clock may be ahead; history never runs backwards.
        at = max(at, last.at) if last else at
        if last is None or last.status != status:
            store.insert(
                warrant.conn,
                store.STATUS_CHANGES,
                seal=warrant.seal,
                number=last.number + 1 if last else 1,
                status=status.value,
                at=at,
                reason=warrant.reason,
                actor=warrant.actor,
                affair=warrant.affair,
            )
        told: dict[str, Fact] = {"affair": warrant.affair, "reason": warrant.reason, **facts}
        if warrant.legal_basis:
            told["legal_basis"] = warrant.legal_basis
        self._audit.append(
            warrant.conn, at=at, actor=warrant.actor, action=warrant.rule.audit, target=warrant.seal, facts=told
        )


def _expect(warrant: Warrant, *actions: Action) -> None:
    if warrant.action not in actions:
        raise ValueError(f"a warrant to {warrant.action} is none to {' or '.join(actions)}")


def _shown_columns(application: SealApplication, warrant: Warrant) -> dict[str, object]:
    return {
        "name": application.name,
        "owner_name": application.owner_name,
        "valid_from": application.valid_from,
        "valid_to": application.valid_to,
        "png": application.picture.png,
        "width_mm": application.picture.width_mm,
        "height_mm": application.picture.height_mm,
        "made_at": warrant.at,
        "made_by": warrant.actor,
    }


def _insert_seal(conn: sa.Connection, application: SealApplication, seseal: bytes, warrant: Warrant) -> None:
    store.insert(
        conn,
        store.SEALS,
        id=application.id,
        kind=application.kind,
        owner=application.owner,
        seseal=seseal,
        **_shown_columns(application, warrant),
    )


def _credential_columns(key: SigningKey) -> dict[str, object]:
    return {
        "suite": key.suite.name,
        "key": key.key,
        "certificate": key.certificate.raw,
        "chain": b"".join(issuer.raw for issuer in key.chain),
    }


def _as_seal(row: SealRow, history: Sequence[StatusChange], later: VersionRow | None) -> Seal:
    made = later or row
    return Seal(
        id=SealId(row.id),
        kind=row.kind,
        name=made.name,
        owner=row.owner,
        owner_name=made.owner_name,
        status=SealStatus(history[-1].status),
        valid_from=made.valid_from,
        valid_to=made.valid_to,
        picture=Picture(png=made.png, width_mm=made.width_mm, height_mm=made.height_mm),
        seseal=made.seseal,
        version=later.number if later else 1,
    )


def _as_credential(row: CredentialRow, seal: Seal) -> SealCredential:
    suite = SUITES[row.suite]
    credential = Credential(
        certificate=_certificate(row.certificate),
        chain=_chain(row.chain),
        suite=suite,
        seseal=seal.seseal if suite is SM2_SM3 else None,
    )
    return SealCredential(credential=credential, key=KeyId(row.key))


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
