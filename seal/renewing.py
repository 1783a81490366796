"""Renewing: signatures that are in a PDF already, whoever made them, brought to a level or kept at it."""

from dataclasses import dataclass

import sqlalchemy as sa

from crypto.digests import SHA256, SM3, DigestAlgorithm, sm3
from kernel.audit import AuditLog
from kernel.clock import Clock
from kernel.db import METADATA, Database, Instant
from kernel.objects import ObjectStore
from kernel.principal import Principal
from seal.errors import DocumentForged, IdempotencyMismatch, LevelRefused, SealingRejected
from seal.formats.pdf import looks_like_pdf, raise_all
from seal.levels import Level
from seal.model import Judge, Report, SignatureReport, Verdict
from seal.pki.errors import TimestampUnavailable
from seal.stamping import Stamper, Stamping, TokenRooms
from seal.trust.evidence import EvidenceSource
from seal.verifying import MAX_DOCUMENT, check_size

RENEWALS = sa.Table(
    "seal_renewals",
    METADATA,
    sa.Column("caller", sa.String(200), primary_key=True),
    sa.Column("idempotency_key", sa.String(200), primary_key=True),
    sa.Column("request_hash", sa.String(64), nullable=False),
    sa.Column("object_key", sa.String(64), nullable=False),
    sa.Column("at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewedDocument:
    """A document with what was added behind it, and what our own verifier says of it."""

    document: bytes
    report: Report
    replayed: bool = False
    """This is the answer of an earlier call with the same Idempotency-Key."""


class RenewalService:
    """Adds evidence and document time stamps; no key of ours signs. Safe to share between threads.

    ``judge`` is our own verifier, in this process: whoever takes files from outside has them examined before.
    """

    def __init__(  # noqa: PLR0913 - its dependencies
        self,
        *,
        db: Database,
        audit: AuditLog,
        clock: Clock,
        judge: Judge,
        stamper: Stamper | None,
        evidence: EvidenceSource | None,
        objects: ObjectStore | None = None,
        max_document: int = MAX_DOCUMENT,
    ) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._judge = judge
        self._stamper = stamper
        self._evidence = evidence
        self._objects = objects
        self._rooms = TokenRooms()
        self._max_document = max_document

    def renew(
        self,
        document: bytes,
        principal: Principal,
        level: Level = Level.LTA,
        *,
        idempotency_key: str | None = None,
    ) -> RenewedDocument:
        """Bring every signature to ``level``, or lengthen the life of those that have it; needs ``document.renew``.

        At b-lta a document time stamp is always added, over evidence about whoever made the last one. What was
        renewed under an ``idempotency_key`` is kept, and given again.
        """
        principal.require("document.renew", level)
        asked = _Asked(
            caller=principal.subject, key=idempotency_key, hash=sm3(f"{level.value}\n".encode() + document).hex()
        )
        earlier = self._earlier(asked)
        if earlier is not None:
            return earlier
        made, report = self._renewed(document, level)
        try:
            self._keep(asked, document, made, level)
        except sa.exc.IntegrityError:
            # Another call with the same key was faster; no key of ours signed in vain.
            earlier = self._earlier(asked)
            if earlier is None:
                raise
            return earlier
        return RenewedDocument(document=made, report=report)

    def _earlier(self, asked: "_Asked") -> RenewedDocument | None:
        if asked.key is None or self._objects is None:
            return None
        mine = sa.and_(RENEWALS.c.caller == asked.caller, RENEWALS.c.idempotency_key == asked.key)
        with self._db.read() as conn:
            row = conn.execute(sa.select(RENEWALS).where(mine)).one_or_none()
        if row is None:
            return None
        if row.request_hash != asked.hash:
            raise IdempotencyMismatch("This Idempotency-Key was used for a different request.")
        document = self._objects.get(row.object_key)
        return RenewedDocument(document=document, report=self._judge(document), replayed=True)

    def _keep(self, asked: "_Asked", document: bytes, made: bytes, level: Level) -> None:
        at = self._clock.now()
        key = self._objects.put(made) if asked.key is not None and self._objects is not None else None
        with self._db.begin() as conn:
            if key is not None:
                row = {"caller": asked.caller, "idempotency_key": asked.key, "request_hash": asked.hash}
                conn.execute(sa.insert(RENEWALS).values(**row, object_key=key, at=at))
            self._audit.append(
                conn,
                at=at,
                actor=asked.caller,
                action="seal.document.renewed",
                target=sm3(document).hex(),
                facts={"level": level.value, "file": sm3(made).hex()},
            )

    def _renewed(self, document: bytes, level: Level) -> tuple[bytes, Report]:
        # 1. What is asked for can be done here, and to this document.
        check_size(document, self._max_document)
        if not looks_like_pdf(document):
            raise LevelRefused("Levels are those of PDF signatures; this is no PDF.")
        if level is Level.B:
            raise LevelRefused("A signature has level b-b by itself: name a higher one.")
        if self._stamper is None:
            raise TimestampUnavailable("Renewing needs a time-stamp authority, and none is set up: set XINYIN_TSA.")
        before = self._judge(document)
        if before.verdict is Verdict.INVALID:
            raise DocumentForged("The document bears an invalid signature: no time stamp of ours is put over it.")
        # 2. Evidence and stamp are added.
        made = raise_all(document, level, self._evidence, Stamping(self._stamper, self._digest(before), self._rooms))
        # 3. Our own verifier accepts it, or nobody receives it.
        after = self._judge(made)
        self._check(before, after, level)
        return made, after

    @staticmethod
    def _digest(report: Report) -> DigestAlgorithm:
        """Choose by which digest to be stamped: whoever reads SM2 signatures reads SM3, others may not."""
        national = all(one.format.endswith("sm2") for one in report.signatures if one.level is not None)
        return SM3 if national else SHA256

    @staticmethod
    def _check(before: Report, after: Report, level: Level) -> None:
        worse = [old for old, new in zip(before.signatures, after.signatures, strict=False) if _worse(old, new)]
        added = after.signatures[len(before.signatures) :]
        low = [one for one in after.signatures if one.level is not None and not level.reached_by(one.level)]
        fallen = after.verdict is Verdict.INVALID or any(one.verdict is not Verdict.VALID for one in added)
        if fallen or worse or low:
            reached = ", ".join(sorted({one.level or "none" for one in low}))
            codes = {each.code for one in (*added, *low) for each in one.findings if each.verdict is not Verdict.VALID}
            raise SealingRejected(
                f"Our own verifier does not find level {level} in the result: it is not handed out."
                f" Level: {reached or level}. Findings: {', '.join(sorted(codes)) or 'none'}."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    caller: str
    key: str | None
    hash: str


def _worse(old: SignatureReport, new: SignatureReport) -> bool:
    return old.verdict is Verdict.VALID and new.verdict is not Verdict.VALID
