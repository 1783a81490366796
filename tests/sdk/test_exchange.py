"""How one call is carried through, step by step, without a network."""

import ssl
from typing import Any

import httpx2
import pytest

from crypto.digests import sm3
from xinyin_sdk import DocumentDamaged, Xinyin
from xinyin_sdk.calls import JSON, Answer, Call, Row
from xinyin_sdk.errors import (
    Busy,
    Conflict,
    ConnectionFailed,
    InProgress,
    NotAuthenticated,
    ServiceFault,
    TimedOut,
    TimestampUnavailable,
    Unavailable,
)
from xinyin_sdk.exchange import Outgoing, Pause, Retries, Token, exchange

SAFE = Row("POST", "/api/things/{thing}", JSON)
ONCE = Row("POST", "/api/things", JSON, repeatable=False)
DELETE = Row("DELETE", "/api/things/{thing}", JSON)
YES = Answer(status=200, headers={}, content=b"{}")
RETRIES = Retries(attempts=4, first=1, longest=3, patience=60)


def no(status: int, code: str, *, problem: bool = True, retry_after: str | None = None) -> Answer:
    headers = {} if retry_after is None else {"retry-after": retry_after}
    kind = "application/problem+json" if problem else "text/html"
    content = f'{{"code": "{code}", "detail": "d"}}'.encode()
    return Answer(status=status, headers={"content-type": kind, **headers}, content=content)


def carried(call: Call[Any], *outcomes: Answer | Exception, retries: Retries = RETRIES) -> tuple[Answer, list[float]]:
    """Give what comes of a call whose requests have these outcomes, and the pauses on the way."""
    now, pauses, left = 0.0, [], list(outcomes)
    steps = exchange(call, retries, lambda: now)
    step = next(steps)
    try:
        while True:
            if isinstance(step, Pause):
                now += step.seconds
                pauses.append(step.seconds)
                step = steps.send(None)
            elif isinstance(step, Token):
                step = steps.send("second" if step.refused else "first")
            else:
                assert isinstance(step, Outgoing)
                outcome = left.pop(0)
                step = steps.throw(outcome) if isinstance(outcome, Exception) else steps.send(outcome)
    except StopIteration as end:
        assert left == []
        answer: Answer = end.value
        return answer, pauses


def test_pauses_double_up_to_a_bound_and_are_never_all_alike() -> None:
    drawn = [[RETRIES.pause(number) for _ in range(50)] for number in (1, 2, 3, 9)]
    for pauses, whole in zip(drawn, (1, 2, 3, 3), strict=True):
        assert all(whole / 2 <= pause <= whole for pause in pauses)
        assert len(set(pauses)) > 1


@pytest.mark.parametrize(
    "outcome",
    [
        httpx2.ConnectError("refused"),
        httpx2.ReadTimeout("slow"),
        httpx2.RemoteProtocolError("cut"),
        no(503, "database_unavailable"),
        no(502, "bad_gateway", problem=False),
        no(504, "timeout", problem=False),
        no(429, "verifier_busy"),
        no(409, "sealing_in_progress"),
        no(409, "issuing_in_progress"),
    ],
)
def test_what_may_pass_is_asked_again(outcome: Answer | Exception) -> None:
    answer, pauses = carried(SAFE.call("a", key="k"), outcome, outcome, YES)
    assert answer is YES
    assert len(pauses) == 2


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (no(409, "seal_not_usable"), Conflict),
        (no(503, "sealing_rejected_by_verifier"), Unavailable),
        (no(503, "vault_damaged"), Unavailable),
        (no(500, "internal_error"), ServiceFault),
    ],
)
def test_what_will_not_pass_is_told_at_once(outcome: Answer, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        carried(SAFE.call("a"), outcome)


def test_retry_after_is_honoured() -> None:
    _, pauses = carried(SAFE.call("a"), no(503, "signing_unavailable", retry_after="7"), YES)
    assert 7 <= pauses[0] <= 7 + RETRIES.first


def test_a_pause_longer_than_our_patience_is_not_begun() -> None:
    with pytest.raises(TimestampUnavailable) as told:
        carried(SAFE.call("a"), no(503, "timestamp_unavailable", retry_after="3600"))
    assert told.value.retry_after == 3600


def test_failures_are_counted_and_the_last_is_told_with_its_cause_and_the_key() -> None:
    broken = httpx2.ReadTimeout("slow")
    with pytest.raises(TimedOut, match="not known") as told:
        carried(SAFE.call("a", key="k"), *[broken] * RETRIES.attempts)
    assert (told.value.idempotency_key, told.value.__cause__) == ("k", broken)


@pytest.mark.parametrize(
    ("outcome", "kind"), [(no(429, "verifier_busy"), Busy), (no(409, "sealing_in_progress"), InProgress)]
)
def test_a_busy_service_is_asked_for_as_long_as_patience_lasts(outcome: Answer, kind: type[Exception]) -> None:
    answer, pauses = carried(SAFE.call("a"), *[outcome] * 15, YES)
    assert answer is YES
    assert len(pauses) == 15
    with pytest.raises(kind):
        carried(SAFE.call("a"), *[outcome] * 100)


@pytest.mark.parametrize(
    ("outcome", "again"),
    [
        (httpx2.ConnectError("refused"), True),
        (httpx2.ConnectTimeout("slow"), True),
        (httpx2.PoolTimeout("full"), True),
        (no(503, "database_unavailable"), True),
        (no(429, "verifier_busy"), True),
        (httpx2.ReadError("cut"), False),
        (httpx2.ReadTimeout("slow"), False),
        (no(503, "overloaded", problem=False), False),
        (no(502, "bad_gateway", problem=False), False),
    ],
)
def test_what_must_not_be_done_twice_is_asked_again_only_if_it_was_not_done(
    outcome: Answer | Exception, *, again: bool
) -> None:
    if again:
        assert carried(ONCE.call(), outcome, YES)[0] is YES
    else:
        with pytest.raises((ConnectionFailed, Unavailable)):
            carried(ONCE.call(), outcome)


def test_a_certificate_that_is_not_trusted_is_not_asked_again() -> None:
    mistrust = httpx2.ConnectError("handshake")
    mistrust.__cause__ = ssl.SSLCertVerificationError("self-signed certificate")
    with pytest.raises(ConnectionFailed, match="ca="):
        carried(SAFE.call("a"), mistrust)


def test_what_is_gone_after_an_unknown_outcome_was_ended_by_us() -> None:
    gone = no(404, "webhook_unknown")
    assert carried(DELETE.call("a"), httpx2.ReadError("cut"), gone)[0] is gone
    with pytest.raises(Exception, match="webhook_unknown"):
        carried(DELETE.call("a"), gone)
    with pytest.raises(Exception, match="webhook_unknown"):
        carried(DELETE.call("a"), httpx2.ConnectError("refused"), gone)


def test_a_token_that_is_not_believed_is_changed_for_a_new_one_once() -> None:
    refused = no(401, "token_refused")
    assert carried(SAFE.call("a"), refused, YES)[0] is YES
    with pytest.raises(NotAuthenticated):
        carried(SAFE.call("a"), refused, refused)


def test_a_mistake_of_our_own_is_no_broken_connection() -> None:
    with pytest.raises(httpx2.UnsupportedProtocol):
        carried(SAFE.call("a"), httpx2.UnsupportedProtocol("gopher"))


@pytest.mark.parametrize("thing", ["", ".", ".."])
def test_an_id_that_would_lead_elsewhere_is_refused(thing: str) -> None:
    with pytest.raises(ValueError, match="id"):
        SAFE.call(thing)


@pytest.mark.parametrize(("thing", "target"), [("a/b", "a%2Fb"), ("a?b#c", "a%3Fb%23c"), ("证", "%E8%AF%81")])
def test_an_id_stays_one_part_of_the_path(thing: str, target: str) -> None:
    assert SAFE.call(thing).target == f"/api/things/{target}"


def test_a_file_is_the_one_on_record_or_the_one_that_was_stamped_since() -> None:
    told: dict[str, Any] = {
        "id": "s", "serial": 1, "seal": "1", "format": "ofd-ses-v4", "sealed_at": "2026-11-22T08:00:00Z", "size": 1,
        "media_type": "application/ofd", "document_url": "/",
        "report": {"verdict": "valid", "signatures": [], "findings": []},
        "file_sm3": sm3(b"sealed").hex(), "state": "completed", "intended_at": "2026-11-22T08:00:00Z", "reason": "",
        "document_kind": "", "document_sm3": "0", "stamped_sm3": None,
    }  # fmt: skip
    stamped = {**told, "stamped_sm3": sm3(b"stamped").hex()}

    def fetched(file: bytes, state: dict[str, Any]) -> bytes:
        def answer(request: httpx2.Request) -> httpx2.Response:
            if request.url.path == "/oauth2/token":
                return httpx2.Response(200, json={"access_token": "t", "expires_in": 600})
            if request.method == "POST":
                return httpx2.Response(201, json=told)
            return (
                httpx2.Response(200, content=file)
                if "document" in request.url.path
                else httpx2.Response(200, json=state)
            )

        with Xinyin("https://h", "c", client_secret="s", transport=httpx2.MockTransport(answer)) as client:
            return client.seals.seal(b"%PDF-", seal="1").document()

    assert fetched(b"sealed", told) == b"sealed"
    assert fetched(b"stamped", stamped) == b"stamped"
    for state in (told, stamped):
        with pytest.raises(DocumentDamaged):
            fetched(b"forged", state)
