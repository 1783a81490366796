"""Reporting: what happened to seals here is told to the national platform, each deed once and in its order.

An attempt is on record before anything is sent. Where it is not known whether an earlier one came through, the
platform is asked how it has the seal before anything is sent again.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from crypto.certificate import Certificate
from crypto.errors import CryptoError
from crypto.suites import SM2_SM3
from kernel.audit import AuditLog
from kernel.clock import Clock
from kernel.db import Database
from kernel.errors import Refusal
from kernel.principal import Principal, PrincipalKind
from seal import store as seals
from seal.docking import store
from seal.docking.errors import (
    DockingDataRefused,
    DockingDeclined,
    DockingLoginRefused,
    DockingOutcomeUnknown,
    DockingRefused,
    DockingSignatureRefused,
)
from seal.docking.national.model import Event, Receipt, Standing
from seal.docking.national.papers import deactivation, release, renewal
from seal.docking.national.platform import NationalPlatform
from seal.docking.store import Docking, Progress, State
from seal.errors import UnknownSeal
from seal.model import Seal
from seal.register import SealRegister

LEASE: Final = timedelta(minutes=5)
"""Longer than all calls of one report may take together."""
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
_PAGE: Final = 200
_HOUSEKEEPER: Final = Principal(subject="sweeper", kind=PrincipalKind.OPERATOR, rights=frozenset({"seal.docking:*"}))
_MOST_SILENT: Final = 3
"""Reports in a row without an answer, after which the others wait for the next time."""
_AIMS: Final[Mapping[Event, Standing]] = {
    Event.RELEASE: Standing.VALID,
    Event.REVOKED: Standing.INVALID,
    Event.CANCELLED: Standing.INVALID,
    Event.LOST: Standing.INVALID,
}
"""How the platform has the seal once it was told. A renewal cannot be seen there: it is sent again, to one effect."""


def due(
    conn: sa.Connection, seal: str, event: Event, *, cause: str | None = None, at: datetime | None = None
) -> Docking:
    """Record within the caller's transaction that the platform is to be told; the same again changes nothing.

    Call it after the change is on record. ``cause`` names the deed where no status change does (a renewal): "affair:"
    and its id. Left out, it is the seal's latest status change, whose reason and instant are taken.
    """
    if not seals.lock_seal(conn, seal):
        raise UnknownSeal("There is no seal with this number.")
    change = seals.status_history(conn, seal)[-1]
    return _due(conn, change, event, cause or f"{store.STATUS_CAUSE}{change.number}", at or change.at)


def _due(conn: sa.Connection, change: seals.StatusChange, event: Event, cause: str, at: datetime) -> Docking:
    found = store.find(conn, change.seal, event, cause)
    if found is not None:
        return found
    number = store.next_number(conn, change.seal)
    made = Docking(seal=change.seal, number=number, event=event, cause=cause, reason=change.reason, due_at=at)
    store.add(conn, made)
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What came of one report."""

    docking: Docking
    state: State
    code: str
    login: bool = False
    """Whether the platform does not accept our account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    docking: Docking
    attempt: int
    look: bool
    """Whether to ask first how the platform has the seal."""


class DockingService:
    """Tells the platform what is due; several may run at once, each report is one's at a time.

    ``platform`` is asked when something is to be sent, so that whoever sends nothing needs neither account nor key.
    """

    def __init__(  # noqa: PLR0913 - its dependencies
        self,
        *,
        db: Database,
        audit: AuditLog,
        clock: Clock,
        register: SealRegister,
        platform: Callable[[], NationalPlatform | None],
        lease: timedelta = LEASE,
    ) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._register = register
        self._source = platform
        self._lease = lease

    def platform(self) -> NationalPlatform:
        """Give the platform's client; refuses where none is set up."""
        found = self._source()
        if found is None:
            raise DockingDataRefused("No national platform is set up: name its account file in XINYIN_DOCKING_FILE.")
        return found

    def derive(self) -> int:
        """Record what is due by the register's status changes and makings, and tell how much of it is new."""
        made = 0
        while True:
            with self._db.begin() as conn:
                changes = store.unreported_changes(conn, limit=_PAGE)
                for change in changes:
                    seals.lock_seal(conn, change.seal)
                    _due(conn, change, store.event_of(change), f"{store.STATUS_CAUSE}{change.number}", change.at)
            made += len(changes)
            if len(changes) < _PAGE:
                return made + self._derive_renewals()

    def _derive_renewals(self) -> int:
        made = 0
        while True:
            with self._db.begin() as conn:
                remade = store.unreported_versions(conn, limit=_PAGE)
                for one in remade:
                    due(conn, one.seal, Event.RENEWAL, cause=f"{store.AFFAIR_CAUSE}{one.affair}", at=one.made_at)
            made += len(remade)
            if len(remade) < _PAGE:
                return made

    def report_due(self) -> int:
        """Send what is due by itself, where a platform is set up; tell how many reports came through."""
        if self._source() is None:
            return 0
        sent = self.report_pending(_HOUSEKEEPER)
        return sum(each.state is State.REPORTED for each in sent)

    def status(self, actor: Principal, *, seal: str | None = None) -> tuple[Progress, ...]:
        """List every report, of one seal or all, with how far it came; needs the right ``seal.docking:*``."""
        actor.require("seal.docking", "*")
        found: list[Progress] = []
        after = ("", 0)
        with self._db.read() as conn:
            while page := store.list_dockings(conn, seal=seal, after=after, limit=_PAGE):
                found.extend(store.progress(conn, each) for each in page)
                after = page[-1].seal, page[-1].number
        return tuple(found)

    def report_pending(self, actor: Principal, *, refused_too: bool = False) -> tuple[Sent, ...]:
        """Send what is due now, oldest first for each seal; with ``refused_too`` also what the platform refused.

        Needs the right ``seal.docking:*``. A seal's later report waits for its earlier ones. Ends early where the
        platform does not answer several times running, or does not accept our account.
        """
        actor.require("seal.docking", "*")
        platform = self.platform()
        self.derive()
        sent: list[Sent] = []
        for seal in self._open_seals():
            sent.extend(self._report_seal(platform, seal, actor, refused_too=refused_too))
            if _hopeless(sent):
                break
        return tuple(sent)

    def _open_seals(self) -> Iterator[str]:
        after = ""
        while True:
            with self._db.read() as conn:
                page = store.open_seals(conn, after=after, limit=_PAGE)
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1]

    def _report_seal(self, platform: NationalPlatform, seal: str, actor: Principal, *, refused_too: bool) -> list[Sent]:
        sent: list[Sent] = []
        while (claim := self._claim(seal, actor, refused_too=refused_too)) is not None:
            sent.append(self._report(platform, claim, actor))
            if sent[-1].state is not State.REPORTED:
                break
        return sent

    def _claim(self, seal: str, actor: Principal, *, refused_too: bool) -> _Claim | None:
        """Take the seal's earliest open report, if it may be tried now."""
        with self._db.begin() as conn:
            seals.lock_seal(conn, seal)
            now = self._clock.now()
            earliest = store.earliest_open(conn, seal)
            if earliest is None or not _ready(earliest, now, refused_too=refused_too):
                return None
            attempt = earliest.attempts + 1
            store.begin(conn, earliest.docking, attempt, now, self._lease)
            # Out of force already, the seal's standing does not show whether a further deactivation came through.
            telling = not store.deactivated_before(conn, earliest.docking)
            claim = _Claim(docking=earliest.docking, attempt=attempt, look=earliest.doubtful and telling)
            self._log(conn, claim, actor, "seal.docking.intended", {})
            return claim

    def _report(self, platform: NationalPlatform, claim: _Claim, actor: Principal) -> Sent:
        try:
            receipt = self._tell(platform, claim)
        except DockingRefused as refused:
            no = isinstance(refused, DockingDeclined | DockingSignatureRefused | DockingDataRefused)
            unsure = isinstance(refused, DockingOutcomeUnknown)
            state = State.REFUSED if no else State.UNKNOWN if unsure else State.WAITING
            made = self._answered(claim, actor, state, refused.answer or refused.code, refused.request_id)
            return replace(made, login=isinstance(refused, DockingLoginRefused))
        except (Refusal, CryptoError) as refused:
            # The register's record is no fit one, such as a seal without an SM2 key: not the platform's matter.
            return self._answered(claim, actor, State.REFUSED, refused.code, None)
        return self._answered(claim, actor, State.REPORTED, receipt.code, receipt.request_id)

    def _tell(self, platform: NationalPlatform, claim: _Claim) -> Receipt:
        docking, event = claim.docking, Event(claim.docking.event)
        seal = self._register.find(docking.seal)
        certificate = self._register.credential(seal, SM2_SM3).credential.certificate
        if claim.look and event in _AIMS and platform.seal_status(seal.id, seal.name) is _AIMS[event]:
            return Receipt(request_id="", code="found")
        return _send(platform, docking, event, seal, certificate)

    def _answered(self, claim: _Claim, actor: Principal, state: State, code: str, request_id: str | None) -> Sent:
        now = self._clock.now()
        wait = min(_FIRST_WAIT * 2 ** min(claim.attempt - 1, 16), _LONGEST_WAIT)
        action = {State.REPORTED: "seal.docking.reported", State.REFUSED: "seal.docking.refused"}
        with self._db.begin() as conn:
            # In turn with claims: one that reads before and after an answer would take the report up again.
            seals.lock_seal(conn, claim.docking.seal)
            seals.insert(
                conn,
                store.ANSWERS,
                seal=claim.docking.seal,
                number=claim.docking.number,
                attempt=claim.attempt,
                state=state.value,
                code=code,
                request_id=request_id or None,
                at=now,
                next_at=now + wait if state in (State.WAITING, State.UNKNOWN) else None,
            )
            facts = {"answer": code, "state": state.value}
            self._log(conn, claim, actor, action.get(state, "seal.docking.interrupted"), facts)
        return Sent(docking=claim.docking, state=state, code=code)

    def _log(self, conn: sa.Connection, claim: _Claim, actor: Principal, action: str, facts: Mapping[str, str]) -> None:
        self._audit.append(
            conn,
            at=self._clock.now(),
            actor=actor.subject,
            action=action,
            target=claim.docking.seal,
            facts={"event": claim.docking.event, "number": claim.docking.number, "attempt": claim.attempt, **facts},
        )


def _hopeless(sent: list[Sent]) -> bool:
    """Tell whether to leave the platform alone for this time: it does not answer, or not to us.

    Each try at a silent platform costs minutes, and one with a wrong password may lock the account.
    """
    last = sent[-_MOST_SILENT:]
    silent = len(last) == _MOST_SILENT and all(each.state in (State.WAITING, State.UNKNOWN) for each in last)
    return silent or any(each.login for each in last)


def _ready(progress: Progress, now: datetime, *, refused_too: bool) -> bool:
    if progress.state in (State.SENDING, State.REPORTED):
        return False
    if progress.state is State.REFUSED:
        return refused_too
    next_at = None if progress.answer is None else progress.answer.next_at
    return next_at is None or next_at <= now


def _send(platform: NationalPlatform, docking: Docking, event: Event, seal: Seal, certificate: Certificate) -> Receipt:
    if event is Event.RELEASE:
        return platform.release(release(seal, certificate))
    if event is Event.RENEWAL:
        return platform.renew(renewal(seal, certificate))
    return platform.deactivate(deactivation(seal, docking.reason, event, docking.due_at))
