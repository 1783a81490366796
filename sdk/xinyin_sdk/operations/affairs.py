"""Affairs: what is to be done with seals, and how it stands. Systems propose and look; people decide."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import uuid4

from xinyin_sdk.calls import OCTETS, Call, Row, given, one, texts
from xinyin_sdk.courses import Course, Tell
from xinyin_sdk.documents import Source, read
from xinyin_sdk.shapes import Affair, AffairsPage, KeptPaper, Paper

_V1 = "/api/seals/v1/affairs"
_PAGE = 200
LIST = Row("GET", _V1, one(AffairsPage))
GET = Row("GET", f"{_V1}/{{affair}}", one(Affair))
KEEP = Row("POST", "/api/seals/v1/papers", one(KeptPaper))
PROPOSE = Row("POST", _V1, one(Affair))
PAPER = Row("GET", f"{_V1}/{{affair}}/papers/{{object_key}}", OCTETS)


def affairs(*, waiting: bool | None = None, seal: str | None = None, after: str | None = None) -> Course[Affair]:
    """List the affairs that concern the caller, the newest first; asks for more as you go on."""
    while True:
        page: AffairsPage = yield LIST.call(query=texts(waiting=waiting, seal=seal, after=after, limit=_PAGE))
        for each in page.affairs:
            yield Tell(each)
        if page.next is None:
            return
        after = page.next


def get(affair: str) -> Call[Affair]:
    """Look at an affair."""
    return GET.call(affair)


def paper(affair: str, object_key: str) -> Call[bytes]:
    """Fetch a paper or a picture that an affair names."""
    return PAPER.call(affair, object_key, headers={"Accept": "*/*"})


def keep_paper(content: Source) -> Call[KeptPaper]:
    """Send a paper or a picture that an affair is to name; the same octets are kept once."""
    return KEEP.call(document=read(content))


def propose(  # noqa: PLR0913 - what an affair consists of
    action: str,
    *,
    seal: str,
    reason: str,
    payload: Mapping[str, Any] | None = None,
    legal_basis: str | None = None,
    papers: Sequence[Paper] = (),
    days: int | None = None,
    idempotency_key: str | None = None,
) -> Call[Affair]:
    """Propose what is to be done with a seal; ``file`` and ``lose`` are done at once, the rest others decide.

    Under one ``idempotency_key`` it is proposed once; the answer is the affair as it stands by then.
    """
    body = given(action=action, seal=seal, reason=reason, payload=payload, legal_basis=legal_basis, days=days)
    body["papers"] = [asdict(paper) for paper in papers]
    return PROPOSE.call(json=body, key=idempotency_key or str(uuid4()))
