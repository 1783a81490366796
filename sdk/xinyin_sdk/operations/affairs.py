"""Affairs: what is to be done with seals, and how it stands. People decide; systems look."""

from xinyin_sdk.calls import OCTETS, Call, Row, one, texts
from xinyin_sdk.courses import Course, Tell
from xinyin_sdk.shapes import Affair, AffairsPage

_V1 = "/api/seals/v1/affairs"
_PAGE = 200
LIST = Row("GET", _V1, one(AffairsPage))
GET = Row("GET", f"{_V1}/{{affair}}", one(Affair))
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
