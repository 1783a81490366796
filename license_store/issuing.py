"""Issuing: a licence from data to sealed document, all of it visible at once or nothing; and revoking it."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from urllib.parse import urlsplit

import sqlalchemy as sa

from crypto.digests import sm3
from kernel.audit import AuditLog
from kernel.clock import Clock
from kernel.db import Database
from kernel.errors import Forbidden
from kernel.ids import new_id
from kernel.objects import ObjectStore
from kernel.principal import Principal
from license_store import identifier, organisation, qr, store
from license_store.binding import ACTIONS, sealing_reason
from license_store.catalogue import Catalogue, check_texts, validate
from license_store.model import (
    CHINA,
    DOCUMENT,
    PICTURE,
    FieldProblem,
    Holder,
    IdempotencyKeyReused,
    IssuingInProgress,
    License,
    LicenseDataInvalid,
    LicenseFile,
    LicenseNotActive,
    LicenseStatus,
    LicenseType,
    PublicId,
    SealNotOfIssuer,
    StatusChange,
    UnknownLicense,
    Validity,
    parse_public_id,
)
from license_store.render import Renderer
from seal.later.store import newest_file
from seal.model import Seal, SealId
from seal.request import SealedDocument, SealRequest

_SERIAL_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""No 0, 1, I, O: numbers on paper are typed by people."""
_SERIAL_RANDOM = 16
_LONGEST_KEY = 200
_LONGEST_BASIS, _LONGEST_REASON = 200, 500


class Sealer(Protocol):
    """Seals documents. The same request under the same idempotency key gives the same sealing, never a second."""

    def seal(self, request: SealRequest, principal: Principal) -> SealedDocument:
        """Seal, or refuse; what is given has been accepted by our own verifier."""


class Seals(Protocol):
    """Knows the seals."""

    def find(self, seal: SealId) -> Seal:
        """Find a seal, or refuse with UnknownSeal."""

    def usable(self, seal: Seal, at: datetime) -> None:
        """Refuse unless the seal may sign at ``at``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueRequest:
    """What a department asks for. The body that owns ``seal`` is the issuer."""

    type_code: str
    holder: Holder
    face: Mapping[str, str]
    validity: Validity
    seal: SealId
    idempotency_key: str
    case_number: str = ""
    seal_format: str | None = None


class LicenseService:
    """Issues and revokes licences. ``base_url`` is where the public pages are: scheme, host and port."""

    def __init__(  # noqa: PLR0913 - each is a door to one other part
        self,
        *,
        db: Database,
        audit: AuditLog,
        clock: Clock,
        objects: ObjectStore,
        catalogue: Catalogue,
        renderer: Renderer,
        seals: Seals,
        sealer: Sealer,
        base_url: str,
    ) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._objects = objects
        self._catalogue = catalogue
        self._renderer = renderer
        self._seals = seals
        self._sealer = sealer
        self._base_url = base_url

    def issue(self, request: IssueRequest, principal: Principal) -> License:
        """Issue a licence, or give the one that the same request made before.

        Needs the rights ``license.issue:<type>`` and ``seal.use:<seal>``, and whoever acts for a body issues for
        that body alone. A call that was cut off left at most a
        draft that nobody sees: the same call again finishes it, with the same identifier and one sealing.
        """
        # 1. The caller may; the data fit; the seal may sign now.
        # 2. The page is drawn: what cannot be shown is refused while nothing has been written.
        # 3. The draft is stored, under the caller's key.
        # 4. The document is sealed, under the licence's key and for its facts; the files are stored under their hash.
        # 5. Files, first status and audit entry become visible in one transaction.
        kind = self._catalogue.current(request.type_code)
        principal.require("license.issue", kind.code)
        principal.require("seal.use", request.seal)
        asked = _asked(request, principal)
        draft = self._asked_before(asked)
        if draft is not None and draft.changes:
            return draft
        seal = self._seals.find(request.seal)
        _require_body(seal.owner, principal)
        self._seals.usable(seal, self._clock.now())
        resumed = draft is not None
        draft = draft or self._draft(kind, request, seal)

        kind = self._catalogue.version(draft.type_code, draft.type_version)
        qr_svg, host = self._qr(draft.public_id)
        page = self._renderer.pdf(kind, draft, qr_svg=qr_svg, host=host)
        picture = self._renderer.picture(kind, draft, qr_svg=qr_svg, host=host, seal=seal.picture)

        if not resumed:
            self._keep(draft, asked)

        picture_key = self._objects.put(picture)
        reason = sealing_reason(kind, draft, picture_key)
        sealed = self._sealer.seal(_seal_request(kind, draft, seal, page, reason, request), principal)
        document_key = self._objects.put(sealed.document)

        files = (
            LicenseFile(kind=DOCUMENT, media_type="application/pdf", object_key=document_key, sealing=sealed.id),
            LicenseFile(kind=PICTURE, media_type="image/png", object_key=picture_key, sealing=None),
        )
        return self._complete(draft, files, principal)

    def revoke(self, public_id: str, *, legal_basis: str, reason: str, principal: Principal) -> License:
        """Revoke a licence (吊销) for good; needs the right ``license.revoke:<type>`` and acts for its issuer.

        ``legal_basis`` is the clause of law and is shown to the public; ``reason`` is kept for the file.
        """
        licence = self.find(public_id)
        principal.require("license.revoke", licence.type_code)
        _require_body(licence.issuer_code, principal)
        check_texts(("legal_basis", legal_basis, _LONGEST_BASIS), ("reason", reason, _LONGEST_REASON))
        last = licence.changes[-1]
        if last.status is not LicenseStatus.ACTIVE:
            raise LicenseNotActive(f"This licence is {last.status}: it cannot be revoked.")
        change = StatusChange(
            number=last.number + 1,
            status=LicenseStatus.REVOKED,
            # Another worker's clock may be ahead; a licence's history never runs backwards.
            at=max(self._clock.now(), last.at),
            actor=principal.subject,
            legal_basis=legal_basis,
            reason=reason,
        )
        facts = {"identifier": licence.identifier, "legal_basis": legal_basis}
        try:
            with self._db.begin() as conn:
                store.insert_change(conn, licence.public_id, change)
                self._record(conn, licence, change, facts)
        except sa.exc.IntegrityError as error:
            raise LicenseNotActive("This licence was changed by another call just now: look at it again.") from error
        return self.find(public_id)

    def find(self, public_id: str) -> License:
        """Find a finished licence; refuse with UnknownLicense if there is none, or only a draft."""
        wanted = parse_public_id(public_id)
        if wanted is not None:
            with self._db.read() as conn:
                licence = store.find(conn, wanted)
            if licence is not None and licence.changes:
                return licence
        raise UnknownLicense("There is no licence with this id.")

    def readable(self, public_id: str, principal: Principal) -> License:
        """Find a licence for a caller who may issue or read its type (``license.read:<type>``), for its issuer."""
        licence = self.find(public_id)
        if not principal.may("license.issue", licence.type_code):
            principal.require("license.read", licence.type_code)
        _require_body(licence.issuer_code, principal)
        return licence

    def document(self, licence: License) -> bytes:
        """Give the sealed document, with the time stamp that came later, if one did."""
        file = licence.file(DOCUMENT)
        with self._db.read() as conn:
            key = newest_file(conn, file.sealing, file.object_key) if file.sealing else file.object_key
        return self._objects.get(key)

    def address(self, licence: License) -> str:
        """Give the address in the licence's QR code."""
        return qr.scan_address(self._base_url, licence.public_id)

    def status(self, licence: License) -> LicenseStatus:
        """Give the licence's status as of now."""
        return licence.status(self._clock.now())

    # --- steps ---

    def _asked_before(self, asked: store.Request) -> License | None:
        with self._db.read() as conn:
            found = store.find_request(conn, asked)
        if found is None:
            return None
        licence, digest = found
        if digest != asked.digest:
            raise IdempotencyKeyReused("This Idempotency-Key was used for a different licence: use a new one.")
        return licence

    def _draft(self, kind: LicenseType, request: IssueRequest, seal: Seal) -> License:
        """Make the licence's facts, refusing what does not fit its type."""
        now = self._clock.now()
        face = validate(kind, request.holder, request.face)
        _check_validity(request.validity, now)
        try:
            issuer = organisation.parse(seal.owner)
        except organisation.NotAnOrganisationCode as error:
            raise SealNotOfIssuer(f"The owner of seal {seal.id} has no valid organisation code: {error}.") from error
        year = now.astimezone(CHINA).year
        serial = f"{year}{''.join(secrets.choice(_SERIAL_ALPHABET) for _ in range(_SERIAL_RANDOM))}"
        return License(
            public_id=PublicId(new_id()),
            identifier=str(identifier.make(type_code=kind.code, issuer=issuer, serial=serial, version=1)),
            number=serial,
            type_code=kind.code,
            type_version=kind.version,
            issuer_code=issuer,
            issuer_name=seal.owner_name,
            seal=seal.id,
            holder=request.holder,
            face=face,
            validity=request.validity,
            issued_at=now,
            changes=(),
            files=(),
        )

    def _qr(self, public_id: PublicId) -> tuple[str, str]:
        """Give the QR code, and the host that is printed beside it for people to compare."""
        address = qr.scan_address(self._base_url, public_id)
        return qr.svg(qr.matrix(address)), urlsplit(self._base_url).netloc

    def _keep(self, draft: License, asked: store.Request) -> None:
        try:
            with self._db.begin() as conn:
                store.insert_draft(conn, draft, asked)
        except sa.exc.IntegrityError as error:
            raise IssuingInProgress("The same request is being worked on: ask again shortly.") from error

    def _complete(self, draft: License, files: tuple[LicenseFile, ...], principal: Principal) -> License:
        at = max(self._clock.now(), draft.issued_at)
        change = StatusChange(number=1, status=LicenseStatus.ACTIVE, at=at, actor=principal.subject)
        facts = {"identifier": draft.identifier, "type": draft.type_code, "document": files[0].object_key}
        try:
            with self._db.begin() as conn:
                store.insert_change(conn, draft.public_id, change)
                for file in files:
                    store.insert_file(conn, draft.public_id, file)
                self._record(conn, draft, change, facts)
        except sa.exc.IntegrityError:
            # The same request, sent twice at once: the other one finished first, with the same document.
            return self.find(draft.public_id)
        return replace(draft, changes=(change,), files=files)

    def _record(self, conn: sa.Connection, licence: License, change: StatusChange, facts: Mapping[str, str]) -> None:
        action, target = ACTIONS[change.status], licence.public_id
        self._audit.append(conn, at=change.at, actor=change.actor, action=action, target=target, facts=facts)


def _asked(request: IssueRequest, principal: Principal) -> store.Request:
    """Name the request by caller and key, and digest what is asked."""
    check_texts(("Idempotency-Key", request.idempotency_key, _LONGEST_KEY))
    check_texts(("case_number", request.case_number, _LONGEST_KEY), required=False)
    what = {
        "type": request.type_code,
        "holder": [request.holder.name, request.holder.code, request.holder.code_type],
        "face": dict(request.face),
        "validity": [request.validity.first.isoformat(), str(request.validity.last)],
        "seal": [request.seal, request.seal_format],
        "case": request.case_number,
    }
    text = json.dumps(what, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return store.Request(
        asked_by=principal.subject,
        idempotency_key=request.idempotency_key,
        # A lone surrogate is refused by the schema; until then it must not break the digest.
        digest=sm3(text.encode("utf-8", "surrogatepass")).hex(),
    )


def _seal_request(  # noqa: PLR0913, PLR0917 - what is sealed, with what, for what
    kind: LicenseType, draft: License, seal: Seal, page: bytes, reason: str, request: IssueRequest
) -> SealRequest:
    return SealRequest(
        document=page,
        seal=seal.id,
        format=request.seal_format,
        placement=kind.placement(seal.picture),
        # Nothing is added to a licence: what changes is issued anew.
        closes=True,
        reason=reason,
        case_number=request.case_number,
        document_kind=kind.code,
        # What is sealed is part of the key: a draft resumed under a newer template is sealed anew, not refused.
        idempotency_key=f"license-{draft.public_id}-{sm3(page, reason.encode()).hex()[:16]}",
    )


def _require_body(issuer_code: str, principal: Principal) -> None:
    """Refuse a caller who acts for another body: a type is issued by many, and a right names only the type."""
    if principal.organisation not in {None, issuer_code}:
        raise Forbidden("This belongs to another body than the one the caller acts for.")


def _check_validity(validity: Validity, now: datetime) -> None:
    today = now.astimezone(CHINA).date()
    if validity.last is not None and validity.last < validity.first:
        problem = FieldProblem(field="valid_to", problem="must not lie before valid_from")
    elif validity.over(now):
        problem = FieldProblem(field="valid_to", problem="has passed already")
    elif validity.first > today:
        problem = FieldProblem(field="valid_from", problem="must not lie in the future")
    else:
        return
    raise LicenseDataInvalid((problem,))
