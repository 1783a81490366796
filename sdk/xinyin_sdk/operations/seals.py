"""Seals and sealings."""

from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from xinyin_sdk.calls import OCTETS, Answer, Call, Reader, Row, many, one, texts
from xinyin_sdk.courses import Course, Tell
from xinyin_sdk.documents import Source, confirm, read
from xinyin_sdk.errors import DocumentDamaged
from xinyin_sdk.reading import parsed, record
from xinyin_sdk.shapes import Grants, History, Seal, Sealing, SealingState, SealStatus

_V1 = "/api/seals/v1"
_PAGE = 200


def _sealing(answer: Answer) -> Sealing:
    made = record(Sealing, parsed(answer.content))
    return replace(made, replayed=answer.headers.get("idempotency-replayed") == "true")


SEALED = Reader(_sealing, Sealing)
SEAL_DOCUMENT = Row("POST", f"{_V1}/seals/{{seal}}/sealings", SEALED)
RETRY = Row("POST", f"{_V1}/sealings/{{sealing}}/retry", SEALED)
STATE = Row("GET", f"{_V1}/sealings/{{sealing}}", one(SealingState))
DOCUMENT = Row("GET", f"{_V1}/sealings/{{sealing}}/document", OCTETS)
UNSEALED = Row("GET", f"{_V1}/sealings", many(SealingState))
SEAL = Row("GET", f"{_V1}/seals/{{seal}}", one(Seal))
HISTORY = Row("GET", f"{_V1}/seals/{{seal}}/history", one(History))
GRANTS = Row("GET", f"{_V1}/seals/{{seal}}/grants", one(Grants))
STATUS = Row("GET", f"{_V1}/seals/{{seal}}/status", one(SealStatus), public=True)


def seal(  # noqa: PLR0913 - the options of a sealing
    document: Source,
    *,
    seal: str,
    reason: str | None = None,
    case_number: str | None = None,
    document_kind: str | None = None,
    amount: int | None = None,
    placement: str | None = None,
    format: str | None = None,  # noqa: A002 - the service's word
    level: str | None = None,
    also: str | None = None,
    closes: bool | None = None,
    use_request: str | None = None,
    idempotency_key: str | None = None,
) -> Call[Sealing]:
    """Seal a document; the file given is not changed.

    Under one ``idempotency_key`` a document is sealed once, however often it is asked for: give your case number, so
    that a program that was cut off may simply run again. Without one every call is given its own, which protects its
    repetitions alone. ``placement`` is one line, best made by ``xinyin_sdk.placing``; ``amount`` is in fen;
    ``use_request`` names the approval of just this, where the seal asks for one.
    """
    fields = texts(
        reason=reason,
        case_number=case_number,
        document_kind=document_kind,
        amount=amount,
        placement=placement,
        format=format,
        level=level,
        also=also,
        closes=closes,
        use_request=use_request,
    )
    # In a form, not in the address: addresses are written down by every gateway on the way.
    content = replace(read(document), name=None)
    return SEAL_DOCUMENT.call(seal, fields=fields, document=content, key=idempotency_key or str(uuid4()))


def retry(sealing: str) -> Call[Sealing]:
    """Finish a sealing that failed, with the document that was kept, under its old serial."""
    return RETRY.call(sealing)


def state(sealing: str) -> Call[SealingState]:
    """Ask how far a sealing came."""
    return STATE.call(sealing)


def document(sealing: str, *, version: str | None = None) -> Call[bytes]:
    """Fetch a sealed file: the ``newest`` if nothing is said, the ``first``, or the one with this SM3."""
    return DOCUMENT.call(sealing, query=texts(version=version), headers={"Accept": "*/*"})


def whole(found: Sealing) -> Course[bytes]:
    """Fetch a sealing's file: just the one on record, or the one with the time stamp that came since."""
    octets: bytes = yield document(found.id)
    try:
        confirm(octets, found.file_sm3, found.stamped_sm3)
    except DocumentDamaged:
        now: SealingState = yield state(found.id)
        confirm(octets, now.file_sm3, now.stamped_sm3)
    yield Tell(octets)


def unsealed(*, after: str | None = None) -> Course[SealingState]:
    """List what failed or was interrupted, oldest first; asks for more as you go on."""
    return _listed("unsealed", after)


def unstamped(*, after: str | None = None) -> Course[SealingState]:
    """List what is sealed and waits for its time stamp, longest first; asks for more as you go on."""
    return _listed("unstamped", after)


def _listed(state: str, after: str | None) -> Course[SealingState]:
    while True:
        query = texts(state=state, after=after, limit=_PAGE)
        page: tuple[SealingState, ...] = yield UNSEALED.call(query=query)
        for each in page:
            yield Tell(each)
        if len(page) < _PAGE:
            return
        after = page[-1].id


def get(seal: str) -> Call[Seal]:
    """Look at a seal."""
    return SEAL.call(seal)


def history(seal: str) -> Call[History]:
    """Look at a seal's life."""
    return HISTORY.call(seal)


def grants(seal: str) -> Call[Grants]:
    """Look at who may use a seal that takes a grant: all if it is ours, else what was granted to us."""
    return GRANTS.call(seal)


def status(seal: str, *, at: datetime | None = None) -> Call[SealStatus]:
    """Ask for a seal's status at an instant (with its zone), now if none is given; anyone may."""
    if at is not None and at.tzinfo is None:
        raise ValueError("at is an instant: give it a zone")
    return STATUS.call(seal, query=texts(at=at.isoformat() if at else None))
