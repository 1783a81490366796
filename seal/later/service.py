"""Late stamps: the handler of the job that has a sealing stamped, once, as soon as somebody stamps again.

A stamp proves its own time and no earlier one: our verifier judges the document as of it. Where seal or certificate
do not stand any more by then, the stamp would only show that; then none is put in, what spoke against it is on
record, and the document stays what it is: sealed at a time that is claimed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from crypto.digests import SHA256, SM3, DigestAlgorithm
from crypto.errors import CryptoError
from kernel.audit import AuditLog, Fact
from kernel.clock import Clock
from kernel.db import Database
from kernel.errors import Refusal
from kernel.jobs import Handler, Job, Jobs, delay
from kernel.objects import ObjectStore
from kernel.outbox import Outbox
from seal import store as seal_store
from seal.errors import RoomTooSmall, SealingRejected, UnsupportedDocument
from seal.formats_table import document_type
from seal.later import store
from seal.later.model import STAMP, Manner, Owed, TrustedTime
from seal.model import Judge, Report, SealStatus, SignatureReport, TimeSource, Verdict
from seal.pki.errors import TimestampUnavailable
from seal.pki.tsa_client import Stamped
from seal.register import SealRegister
from seal.stamping import NobodyAsked, PatientStamper, Stamper, Stamping, TokenRooms
from seal.store import Completion, Progress
from seal.telling import tell_stamped

_log = structlog.get_logger("xinyin.later")
LONGEST_DELAY = timedelta(minutes=2)
"""Between two tries: so that all is stamped within five minutes of somebody's stamping again."""
_LONGEST_AFTER_REJECTION = timedelta(hours=2)
"""Where our own verifier rejects what came of it: each try takes another token, which somebody may have to pay for."""
_REST = timedelta(seconds=30)
_AT_ONCE = 500
_WORKER = "worker"
_DIGESTS = {digest.name: digest for digest in (SM3, SHA256)}
_PASSING = frozenset({SealStatus.SUSPENDED, SealStatus.LOST})
"""A seal in such a state may come back, and its stamp with it."""
_OF_STAMPERS = ("TIMESTAMP_", "TSA_")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A stamped document that our own verifier accepts."""

    document: bytes
    level: str | None
    by: Stamped


class _Hopeless(Exception):
    """No later stamp will do either; ``codes`` say why."""

    def __init__(self, *codes: str) -> None:
        super().__init__(", ".join(codes))
        self.codes = codes


class LateStamps:
    """Looks after sealings whose stamp is owed; safe to share between threads.

    ``judge`` is our own verifier, with the register's word on seals. Without a ``stamper`` what is owed stays so.
    """

    def __init__(  # noqa: PLR0913 - its dependencies
        self,
        *,
        db: Database,
        audit: AuditLog,
        clock: Clock,
        objects: ObjectStore,
        register: SealRegister,
        judge: Judge,
        stamper: Stamper | None,
        outbox: Outbox | None = None,
    ) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._objects = objects
        self._register = register
        self._judge = judge
        self._stamper = None if stamper is None else PatientStamper(stamper, clock)
        self._outbox = outbox
        self._rooms = TokenRooms()
        # A worker that has nobody to ask leaves the jobs to those who do: it would only put them off.
        self.handlers: dict[str, Handler] = {} if stamper is None else {STAMP: self.work}

    def remember(self) -> int:
        """Note a job for every stamp that is owed and that none is about; tell how many."""
        with self._db.read() as conn:
            forgotten = store.list_forgotten(conn, limit=_AT_ONCE)
        if not forgotten:
            return 0
        with self._db.begin() as conn:
            return sum(Jobs.put(conn, STAMP, [each.sealing], series=store.series(each.digest)) for each in forgotten)

    # --- the job ---

    def work(self, job: Job) -> timedelta | None:
        """Have one sealing stamped, or say after how long to try again."""
        # 1. The stamp is still owed.
        # 2. The seal is not put aside for now: a stamp of today would say that it was used today.
        # 3. Somebody stamps, and the token goes in.
        # 4. Our own verifier accepts the document, with the time that the token proves.
        # 5. The file is stored under its digest; then fact, audit entry and event together.
        with self._db.read() as conn:
            owed = store.find_owed(conn, job.key)
            settled = store.find_settled(conn, job.key)
            progress = seal_store.find_progress(conn, job.key)
        if owed is None or settled is not None or progress is None or progress.completion is None:
            return None
        if self._register.status_at(progress.intent.seal, self._clock.now()) in _PASSING:
            return LONGEST_DELAY
        try:
            made = self._made(owed, progress.completion)
        except TimestampUnavailable as refused:
            return self._put_off(job, owed, refused)
        except _Hopeless as hopeless:
            self._give_up(job, progress, hopeless)
        except UnsupportedDocument as never:
            # A signature over a digest, by an older version: it was put into a document elsewhere.
            self._give_up(job, progress, _Hopeless(never.code))
        except (Refusal, CryptoError) as refused:
            _log.warning("not_stamped", sealing=job.key, problem=refused.code)
            rejected = isinstance(refused, SealingRejected)
            return delay(job.attempt, longest=_LONGEST_AFTER_REJECTION if rejected else LONGEST_DELAY)
        else:
            self._settle(job, progress, made)
        return None

    def _put_off(self, job: Job, owed: Owed, refused: TimestampUnavailable) -> timedelta:
        """Wait, and let everybody wait who would ask the same authorities: the next of them finds out for all."""
        after = _REST if isinstance(refused, NobodyAsked) else delay(job.attempt, longest=LONGEST_DELAY)
        _log.info("no_stamp_yet", sealing=job.key, digest=owed.digest, again_in_seconds=round(after.total_seconds()))
        with self._db.begin() as conn:
            store.put_off(conn, owed.digest, after)
        return after

    # --- 3, 4 ---

    def _made(self, owed: Owed, completion: Completion) -> _Made:
        if self._stamper is None:
            raise TimestampUnavailable("No time-stamp authority is set up: set XINYIN_TSA.")
        sealed = self._objects.get(completion.object_key)
        before = self._judge(sealed)
        if before.verdict is Verdict.INVALID:
            # Nothing is stamped that does not hold.
            raise _Hopeless(*_codes(before, Verdict.INVALID))
        if not any(_is_owed(one, completion.sealed_at) for one in before.signatures):
            raise SealingRejected("Our own verifier finds no signature that lacks a stamp: nobody is asked for one.")
        asking = _Asking(self._stamper)
        stamping = Stamping(asking, _digest(owed), self._rooms)
        document = _stamped(sealed, Manner(owed.manner), stamping)
        if asking.answer is None:
            raise SealingRejected("Nobody was asked for a stamp: nothing is handed out.")
        after = self._judge(document)
        level = _accepted(before, after, completion.sealed_at, asking.answer.time)
        return _Made(document=document, level=level, by=asking.answer)

    # --- 5 ---

    def _settle(self, job: Job, progress: Progress, made: _Made) -> None:
        key = self._objects.put(made.document)
        columns: dict[str, object] = {
            "object_key": key,
            "size": len(made.document),
            "level": made.level,
            "proved_at": made.by.time,
            "authority": made.by.by,
        }
        facts: dict[str, Fact] = {"file": key, "proved_at": made.by.time.isoformat(), "authority": made.by.by}
        self._end(job, progress, "seal.sealing.stamped", columns, facts)

    def _give_up(self, job: Job, progress: Progress, hopeless: _Hopeless) -> None:
        said = str(hopeless)[:500]
        self._end(job, progress, "seal.sealing.stamp.refused", {"refusal": said}, {"refusal": said})

    def _end(
        self, job: Job, progress: Progress, action: str, columns: dict[str, object], facts: dict[str, Fact]
    ) -> None:
        intent, now = progress.intent, self._clock.now()
        with self._db.begin() as conn:
            seal_store.lock_sealing(conn, intent.id)
            Jobs.done(conn, job)
            if store.find_settled(conn, intent.id) is not None:
                return  # Another worker was given the job when our lease was over.
            seal_store.insert(conn, store.SETTLED, sealing=intent.id, settled_at=now, **columns)
            if self._outbox and progress.completion:
                sealed = progress.completion.object_key
                time = TrustedTime.PROVED if "object_key" in columns else TrustedTime.NONE
                tell_stamped(self._outbox, conn, intent, time=time.value, sealed=sealed, facts=facts, at=now)
            self._audit.append(
                conn, at=now, actor=_WORKER, action=action, target=intent.id, facts={"seal": intent.seal, **facts}
            )


class _Asking:
    """The ``Stamper`` of one document: keeps the last answer."""

    def __init__(self, stamper: Stamper) -> None:
        self._stamper = stamper
        self.answer: Stamped | None = None

    def stamp(self, digest: DigestAlgorithm, value: bytes) -> Stamped:
        """Pass the question on."""
        self.answer = self._stamper.stamp(digest, value)
        return self.answer


def _digest(owed: Owed) -> DigestAlgorithm:
    return _DIGESTS[owed.digest]


def _stamped(document: bytes, manner: Manner, stamping: Stamping) -> bytes:
    """Put a stamp into ``document``, or over it where it finds no room beside the signature."""
    kind = document_type(document)
    if manner is Manner.SIGNATURE and kind.unstamped is not None:
        unstamped = kind.unstamped(document)
        token = stamping.stamp(stamping.digest.digest(unstamped.signature))
        try:
            return unstamped.stamped(token)
        except RoomTooSmall:
            if kind.stamp_over is None:
                raise
    if kind.stamp_over is None:
        raise SealingRejected(f"A document of type {kind.name} has no time stamp over the whole of it.")
    return kind.stamp_over(document, stamping)


def _accepted(before: Report, after: Report, sealed_at: datetime, proved: datetime) -> str | None:
    """Give the level that our signatures reach, if the stamped document is as good as it was and its time proved."""
    signer = next(one.signer for one in reversed(before.signatures) if _is_owed(one, sealed_at))
    pairs = list(zip(before.signatures, after.signatures, strict=False))
    ours = [new for old, new in pairs if _is_owed(old, sealed_at) and old.signer == signer]
    added = after.signatures[len(before.signatures) :]
    if not added:
        # Beside one signature: another of the same seal, made within the same second, was no part of this sealing.
        ours = [new for new in ours if new.time_source is TimeSource.TIMESTAMP]
    against = [new for old, new in pairs if old.verdict is Verdict.VALID and new.verdict is not Verdict.VALID]
    invalid = set(_codes(after, Verdict.INVALID))
    if against and any(not code.startswith(_OF_STAMPERS) for code in invalid):
        # The document was good; it is the time of the stamp by which seal or certificate were not any more.
        raise _Hopeless(*sorted(invalid))
    held = bool(ours) and all(one.verdict is Verdict.VALID and one.time_source is TimeSource.TIMESTAMP for one in ours)
    named = all(one.time == proved for one in (*ours, *added))
    if not (held and named) or against or after.verdict is Verdict.INVALID or len(pairs) < len(before.signatures):
        codes = {each.code for one in after.signatures for each in one.findings}
        raise SealingRejected(
            f"Our own verifier does not take the stamp for the time of sealing. Findings: {', '.join(sorted(codes))}."
        )
    levels = [one.level for one in ours if one.level is not None]
    return min(levels, default=None)


def _is_owed(one: SignatureReport, sealed_at: datetime) -> bool:
    return (one.time_source, one.time) == (TimeSource.CLAIMED, sealed_at)


def _codes(report: Report, verdict: Verdict) -> list[str]:
    found = [*report.findings, *(each for one in report.signatures for each in one.findings)]
    return sorted({each.code for each in found if each.verdict is verdict})
