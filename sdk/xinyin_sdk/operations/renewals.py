"""Renewals: evidence and time stamps added to the signatures that a PDF bears."""

from uuid import uuid4

from xinyin_sdk.calls import OCTETS, Call, Row, texts
from xinyin_sdk.documents import Source, read

RENEW = Row("POST", "/api/seals/v1/renewals", OCTETS)


def renew(document: Source, *, level: str | None = None, idempotency_key: str | None = None) -> Call[bytes]:
    """Bring every signature of a PDF, whoever made it, to ``level`` (b-lta if none is given), or keep it there.

    Gives the PDF with what was added behind it; no seal signs. Each call adds a time stamp, unless it has the
    ``idempotency_key`` of an earlier one: then the answer is that one's.
    """
    headers = {"Accept": "application/pdf"}
    key = idempotency_key or str(uuid4())
    return RENEW.call(query=texts(level=level), document=read(document), headers=headers, key=key)
