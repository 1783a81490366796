"""Batches: many documents under one seal, done by the service's workers."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from xinyin_sdk.calls import OCTETS, Call, Row, given, one, texts
from xinyin_sdk.courses import Course, Tell, watched
from xinyin_sdk.documents import Source, read
from xinyin_sdk.shapes import Batch, BatchesPage, Item, ItemsPage, Upload

_V1 = "/api/seals/v1"
_BATCH = f"{_V1}/batches/{{batch}}"
_PAGE = 1000
_PAGE_OF_BATCHES = 100
UPLOAD = Row("POST", f"{_V1}/uploads", one(Upload))
CREATE = Row("POST", f"{_V1}/batches", one(Batch))
LIST = Row("GET", f"{_V1}/batches", one(BatchesPage))
GET = Row("GET", _BATCH, one(Batch))
ITEMS = Row("GET", f"{_BATCH}/items", one(ItemsPage))
PAUSE = Row("POST", f"{_BATCH}/pause", one(Batch))
RESUME = Row("POST", f"{_BATCH}/resume", one(Batch))
CANCEL = Row("POST", f"{_BATCH}/cancel", one(Batch))
RESULTS = Row("GET", f"{_BATCH}/results.zip", OCTETS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One document of a batch and how it is to be sealed; ``document`` may have been uploaded before."""

    document: Source | Upload
    reason: str | None = None
    case_number: str | None = None
    document_kind: str | None = None
    amount: int | None = None
    placement: str | None = None
    format: str | None = None
    level: str | None = None
    also: str | None = None
    closes: bool | None = None
    use_request: str | None = None

    def written(self, upload: Upload) -> dict[str, object]:
        """Write the order as the service reads it."""
        return given(
            sm3=upload.sm3,
            reason=self.reason,
            case_number=self.case_number,
            document_kind=self.document_kind,
            amount=self.amount,
            placement=self.placement,
            format=self.format,
            level=self.level,
            also=self.also,
            closes=self.closes,
            use_request=self.use_request,
        )


def upload(document: Source) -> Call[Upload]:
    """Keep a PDF or OFD for a week, to be named in batches; the same octets are kept once."""
    return UPLOAD.call(document=read(document))


def create(
    seal: str,
    orders: Sequence[Order],
    uploads: Sequence[Upload],
    *,
    stop_on_error: bool = False,
    idempotency_key: str | None = None,
) -> Call[Batch]:
    """Have documents that were uploaded sealed."""
    items = [order.written(upload) for order, upload in zip(orders, uploads, strict=True)]
    body = {"seal": seal, "items": items, "stop_on_error": stop_on_error}
    return CREATE.call(json=body, key=idempotency_key or str(uuid4()))


def batches(*, after: str | None = None) -> Course[Batch]:
    """List the batches that the caller may see, the newest first; asks for more as you go on."""
    while True:
        page: BatchesPage = yield LIST.call(query=texts(after=after, limit=_PAGE_OF_BATCHES))
        for each in page.batches:
            yield Tell(each)
        if page.next is None:
            return
        after = page.next


def get(batch: str) -> Call[Batch]:
    """Ask how far a batch came."""
    return GET.call(batch)


def items(batch: str, *, after: int = 0) -> Course[Item]:
    """List the items in order, each with what became of it; asks for more as you go on."""
    place: int | None = after
    while place is not None:
        page: ItemsPage = yield ITEMS.call(batch, query={"after": place, "limit": _PAGE})
        for each in page.items:
            yield Tell(each)
        place = page.next


def watch(batch: str, *, every: float = 2.0) -> Course[Batch]:
    """Tell of the batch now, and whenever it came further, until it is over.

    Asks soon at first, and every ``every`` seconds at most. A batch that is paused is waited for.
    """
    return watched(GET.call(batch), lambda found: found.is_over, every=every)


def pause(batch: str) -> Call[Batch]:
    """Begin no further item for now."""
    return PAUSE.call(batch)


def resume(batch: str) -> Call[Batch]:
    """Go on after a pause, or after a stop at an error."""
    return RESUME.call(batch)


def cancel(batch: str) -> Call[Batch]:
    """Begin no further item, for good. What is sealed stays sealed."""
    return CANCEL.call(batch)


def results(batch: str) -> Call[bytes]:
    """Fetch the ZIP of what is sealed by now."""
    return RESULTS.call(batch, headers={"Accept": "application/zip"})
