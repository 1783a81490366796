"""Use requests: a system asks for one use of a seal, a person decides, and the system seals by it, once."""

from dataclasses import replace

from xinyin_sdk.calls import OCTETS, Call, Row, one, texts
from xinyin_sdk.courses import Course, Tell, watched
from xinyin_sdk.documents import Source, read
from xinyin_sdk.operations.seals import SEALED
from xinyin_sdk.shapes import Sealing, UseRequest, UseRequestsPage

_V1 = "/api/seals/v1/use-requests"
_ONE = f"{_V1}/{{use_request}}"
_PAGE = 200
ASK = Row("POST", "/api/seals/v1/seals/{seal}/use-requests", one(UseRequest), repeatable=False)
LIST = Row("GET", _V1, one(UseRequestsPage))
GET = Row("GET", _ONE, one(UseRequest))
DOCUMENT = Row("GET", f"{_ONE}/document", OCTETS)
DECIDE = Row("POST", f"{_ONE}/decision", one(UseRequest), repeatable=False)
SEAL = Row("POST", f"{_ONE}/sealings", SEALED)


def ask(  # noqa: PLR0913 - the options of a sealing
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
    days: int | None = None,
) -> Call[UseRequest]:
    """Ask that a document may be sealed just so; it is decided and used within ``days``, three if none are given.

    Refused at once is what could not be sealed now. Not repeated after a broken connection: look at ``list`` first.
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
        days=days,
    )
    return ASK.call(seal, fields=fields, document=replace(read(document), name=None))


def use_requests(*, waiting: bool | None = None, after: str | None = None) -> Course[UseRequest]:
    """List the caller's use requests, the newest first; asks for more as you go on."""
    while True:
        page: UseRequestsPage = yield LIST.call(query=texts(waiting=waiting, after=after, limit=_PAGE))
        for each in page.use_requests:
            yield Tell(each)
        if page.next is None:
            return
        after = page.next


def get(use_request: str) -> Call[UseRequest]:
    """Look at a use request."""
    return GET.call(use_request)


def document(use_request: str) -> Call[bytes]:
    """Fetch the document that is to be sealed."""
    return DOCUMENT.call(use_request, headers={"Accept": "*/*"})


def watch(use_request: str, *, every: float = 30.0) -> Course[UseRequest]:
    """Tell of a use request now, and again when it is decided or its time is over.

    Asks soon at first, and every ``every`` seconds at most; people may take days.
    """
    return watched(GET.call(use_request), lambda found: not found.is_waiting, every=every)


def withdraw(use_request: UseRequest, *, note: str = "") -> Call[UseRequest]:
    """Take back what the caller asked for and nobody decided."""
    body = {"verdict": "withdraw", "request_hash": use_request.request_hash, "note": note}
    return DECIDE.call(use_request.id, json=body)


def seal(use_request: str, *, idempotency_key: str | None = None) -> Call[Sealing]:
    """Seal the document that was kept, as it was approved; asked again it gives the same sealing.

    It needs no ``idempotency_key``: an approval is good for one sealing.
    """
    return SEAL.call(use_request, key=idempotency_key)
