"""Webhooks: addresses of ours that the service tells what happened."""

from collections.abc import Sequence
from datetime import datetime

from xinyin_sdk.calls import NOTHING, Call, Row, given, many, one, texts
from xinyin_sdk.courses import Course, Tell
from xinyin_sdk.shapes import Delivery, Endpoint, NewEndpoint, NewSecret, Replay

_V1 = "/api/seals/v1/webhooks"
_ONE = f"{_V1}/{{webhook}}"
_PAGE = 200
REGISTER = Row("POST", _V1, one(NewEndpoint), repeatable=False)
LIST = Row("GET", _V1, many(Endpoint))
END = Row("DELETE", _ONE, NOTHING)
RENEW_SECRET = Row("POST", f"{_ONE}/secret", one(NewSecret), repeatable=False)
DELIVERIES = Row("GET", f"{_ONE}/deliveries", many(Delivery))
REPLAY = Row("POST", f"{_ONE}/replay", one(Replay))


def register(url: str, *, events: Sequence[str] | None = None) -> Call[NewEndpoint]:
    """Have an address told of events, all if none are named. The answer's secret is shown this once: keep it.

    Not repeated after a broken connection: look at ``list`` first.
    """
    return REGISTER.call(json=given(url=url, events=None if events is None else list(events)))


def endpoints() -> Call[tuple[Endpoint, ...]]:
    """List the caller's addresses."""
    return LIST.call()


def end(webhook: str) -> Call[None]:
    """Tell it nothing any more."""
    return END.call(webhook)


def renew_secret(webhook: str) -> Call[NewSecret]:
    """Give it a new secret, shown this once; for a day messages bear a signature under each of the two."""
    return RENEW_SECRET.call(webhook)


def deliveries(webhook: str, *, before: str | None = None) -> Course[Delivery]:
    """List what it was told, the newest first, with every try; asks for more as you go on."""
    while True:
        page: tuple[Delivery, ...] = yield DELIVERIES.call(webhook, query=texts(before=before, limit=_PAGE))
        for each in page:
            yield Tell(each)
        if len(page) < _PAGE:
            return
        before = page[-1].event


def replay(webhook: str, *, event: str | None = None, since: datetime | None = None) -> Call[Replay]:
    """Have it told again: one event, all since an instant, or all there were."""
    if since is not None and since.tzinfo is None:
        raise ValueError("since is an instant: give it a zone")
    return REPLAY.call(webhook, json=given(event=event, since=since.isoformat() if since else None))
