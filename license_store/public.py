"""The public answer about a licence: is it genuine and in force, as far as can be told right now."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog

from kernel.audit import AuditLog, Entry
from kernel.clock import Clock
from kernel.db import Database
from kernel.errors import Refusal
from kernel.objects import ObjectStore
from license_store import binding, store
from license_store.catalogue import Catalogue
from license_store.model import (
    DOCUMENT,
    PICTURE,
    License,
    LicenseNotConfirmed,
    LicenseStatus,
    LicenseType,
    UnknownLicense,
    parse_public_id,
)
from seal.later.store import newest_file
from seal.model import Judge, Report, Verdict

_log = structlog.get_logger("xinyin.license.public")

_JUDGEMENT_LASTS = timedelta(seconds=60)
"""A seal found bad later must show within a minute."""
_MOST_JUDGEMENTS = 10_000


"""Judges every signature of a sealed document at its time of sealing; may refuse, and then nothing is known."""


class PublicAnswer(StrEnum):
    """What the public is told. CANNOT_CHECK is neither genuine nor forged."""

    GENUINE_IN_FORCE = "GENUINE_IN_FORCE"
    GENUINE_EXPIRED = "GENUINE_EXPIRED"
    GENUINE_REVOKED = "GENUINE_REVOKED"
    CANNOT_CHECK = "CANNOT_CHECK"
    UNKNOWN = "UNKNOWN"


class Difference(StrEnum):
    """In what the register departs from that which it cannot change by itself."""

    FACTS = "FACTS_NOT_SEALED"
    STATUS = "STATUS_NOT_RECORDED"


_ANSWERS = {
    LicenseStatus.ACTIVE: PublicAnswer.GENUINE_IN_FORCE,
    LicenseStatus.EXPIRED: PublicAnswer.GENUINE_EXPIRED,
    LicenseStatus.REVOKED: PublicAnswer.GENUINE_REVOKED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicVerdict:
    """The answer, and what it rests on. Of an unknown id nothing but the answer is known.

    ``report`` is our verifier's on the stored document; None if the document could not be read. Where the register
    departs from the sealed document or the audit log, nothing is genuine.
    """

    answer: PublicAnswer
    checked_at: datetime
    licence: License | None = None
    kind: LicenseType | None = None
    status: LicenseStatus | None = None
    report: Report | None = None
    differences: tuple[Difference, ...] = ()


class PublicDesk:
    """Answers anyone who holds a licence's public id. Reads only: it needs no key and no right to write."""

    def __init__(  # noqa: PLR0913 - each is a door to one other part
        self,
        *,
        db: Database,
        audit: AuditLog,
        objects: ObjectStore,
        catalogue: Catalogue,
        judge: Judge,
        clock: Clock,
    ) -> None:
        self._db = db
        self._audit = audit
        self._objects = objects
        self._catalogue = catalogue
        self._judge = judge
        self._clock = clock
        self._judgements: OrderedDict[str, tuple[datetime, Report]] = OrderedDict()
        self._lock = threading.Lock()

    def view(self, public_id: str) -> PublicVerdict:
        """Answer about one licence as of now; never raises for an unknown id or a damaged document."""
        # 1. The id leads to a finished licence.
        # 2. The stored document is the one that was stored, and its seal is valid.
        # 3. The register's facts are those it was sealed for; its status changes are those on record.
        # 4. The status, as of now, says which genuine licence it is.
        now = self._clock.now()
        licence, entries, newest = self._find(public_id)
        if licence is None:
            return PublicVerdict(answer=PublicAnswer.UNKNOWN, checked_at=now)

        report = self._report(newest, now)
        kind = self._catalogue.version(licence.type_code, licence.type_version)
        differences = tuple(_differences(kind, licence, report, entries))

        status = licence.status(now)
        sound = report is not None and report.verdict is Verdict.VALID and not differences
        return PublicVerdict(
            answer=_ANSWERS[status] if sound else PublicAnswer.CANNOT_CHECK,
            checked_at=now,
            licence=licence,
            kind=kind,
            status=status,
            report=report,
            differences=differences,
        )

    def picture(self, public_id: str) -> bytes:
        """Give the picture of a genuine licence, PNG; else refuse with UnknownLicense or LicenseNotConfirmed."""
        view = self.view(public_id)
        if view.licence is None:
            raise UnknownLicense("There is no licence with this id.")
        if view.answer is PublicAnswer.CANNOT_CHECK:
            raise LicenseNotConfirmed("This licence cannot be confirmed right now, so its picture is not shown.")
        return self._objects.get(view.licence.file(PICTURE).object_key)

    def _find(self, public_id: str) -> tuple[License | None, tuple[Entry, ...], str]:
        """Find a finished licence, what the audit log tells of it, and its newest document."""
        wanted = parse_public_id(public_id)
        if wanted is None:
            return None, (), ""
        with self._db.read() as conn:
            licence = store.find(conn, wanted)
            if licence is None or not licence.changes:
                return None, (), ""
            file = licence.file(DOCUMENT)
            newest = newest_file(conn, file.sealing, file.object_key) if file.sealing else file.object_key
            return licence, self._audit.about(conn, licence.public_id), newest

    def _report(self, key: str, now: datetime) -> Report | None:
        """Judge the stored document. It is read and hashed each time; the judgement of one content is kept a while."""
        try:
            document = self._objects.get(key)
        except Refusal as error:
            _log.error("stored_document_unreadable", object_key=key, code=error.code)
            return None
        with self._lock:
            kept = self._judgements.get(key)
        if kept is not None and abs(now - kept[0]) < _JUDGEMENT_LASTS:
            return kept[1]
        try:
            report = self._judge(document)
        except Refusal as error:
            _log.warning("stored_document_not_judged", object_key=key, code=error.code)
            return None
        with self._lock:
            self._judgements[key] = (now, report)
            self._judgements.move_to_end(key)
            while len(self._judgements) > _MOST_JUDGEMENTS:
                self._judgements.popitem(last=False)
        return report


def _differences(
    kind: LicenseType, licence: License, report: Report | None, entries: tuple[Entry, ...]
) -> Iterator[Difference]:
    if report is not None and not binding.is_sealed(kind, licence, report):
        yield Difference.FACTS
    if not binding.is_recorded(licence, entries):
        yield Difference.STATUS
