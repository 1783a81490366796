"""Use requests, the ledger, grants, digests and renewals with the SDK, against the whole service."""

import asyncio
import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from kernel.principal import Principal, PrincipalKind
from seal.affairs.model import Verdict
from seal.usage.export import ZONE
from tests.reliability.sealing import document
from tests.sdk.conftest import Running, decided
from xinyin_sdk import (
    AnswerUnreadable,
    Conflict,
    DocumentDamaged,
    DocumentRefused,
    Forbidden,
    NotFound,
    Order,
    RequestInvalid,
    TimestampUnavailable,
    Xinyin,
)


def test_a_use_is_asked_for_decided_and_made_once(office: Xinyin, running: Running) -> None:
    content = document("U-1")
    asked = office.use_requests.ask(content, seal=running.seal, case_number="U-1", amount=99, days=2)
    assert (asked.is_waiting, asked.is_approved, asked.caller, asked.asked["amount"]) == (True, False, "office", 99)
    assert asked.expires_at - asked.at == timedelta(days=2)
    assert office.use_requests.document(asked.id) == content
    assert next(office.use_requests.list(waiting=True)) == asked == office.use_requests.get(asked.id)
    with pytest.raises(Conflict, match="use_request_not_approved"):
        office.use_requests.seal(asked.id)
    decided(running, asked.id)
    (approved,) = office.use_requests.watch(asked.id)
    assert approved.is_approved
    assert approved.decision is not None
    assert (approved.decision.by, approved.decision.note) == ("chief", "同意")
    sealed = office.use_requests.seal(asked.id)
    assert office.verify(sealed.document()).is_valid
    again = office.use_requests.seal(asked.id)
    assert (again.id, again.replayed, sealed.replayed) == (sealed.id, True, False)
    assert (office.use_requests.get(asked.id).standing, office.use_requests.get(asked.id).sealing) == (
        "used",
        sealed.id,
    )


def test_an_approval_holds_for_the_document_that_is_sent_again_and_in_a_batch(office: Xinyin, running: Running) -> None:
    asked = [office.use_requests.ask(document(name), seal=running.seal, reason=name) for name in ("U-2", "U-3")]
    for each in asked:
        decided(running, each.id)
    with pytest.raises(Conflict, match="use_request_mismatch"):
        office.seals.seal(document("U-2"), seal=running.seal, reason="another", use_request=asked[0].id)
    sealed = office.seals.seal(document("U-2"), seal=running.seal, reason="U-2", use_request=asked[0].id)
    order = Order(document=document("U-3"), reason="U-3", use_request=asked[1].id)
    batch = office.batches.create(running.seal, [order])
    (*_, last) = office.batches.watch(batch.id, every=0.2)
    assert (last.sealed, next(office.batches.list())) == (1, last)
    (item,) = office.batches.items(batch.id)
    assert [office.use_requests.get(each.id).sealing for each in asked] == [sealed.id, item.sealing]


def test_what_was_asked_for_is_withdrawn_or_rejected(office: Xinyin, running: Running) -> None:
    asked = office.use_requests.ask(document("U-4"), seal=running.seal)
    assert office.use_requests.withdraw(asked, note="办错了").standing == "withdrawn"
    with pytest.raises(Conflict, match="use_request_closed"):
        office.use_requests.withdraw(asked)
    other = office.use_requests.ask(document("U-4"), seal=running.seal)
    decided(running, other.id, Verdict.REJECT)
    (rejected,) = office.use_requests.watch(other.id)
    assert (rejected.standing, rejected.is_approved) == ("rejected", False)
    with pytest.raises(DocumentRefused):
        office.use_requests.ask(b"%PDF- it is none", seal=running.seal)
    with running.client("stranger") as stranger:
        with pytest.raises(NotFound):
            stranger.use_requests.get(asked.id)
        with pytest.raises(Forbidden):
            stranger.use_requests.ask(document("U-4"), seal=running.seal)


def test_the_ledger_is_gone_through_and_a_month_of_it_saved(office: Xinyin, running: Running, tmp_path: Path) -> None:
    begun = datetime.now(UTC)
    sealed = office.seals.seal(document("L-1"), seal=running.seal, case_number="L-1", reason="准予许可", amount=5)
    (use,) = office.ledger.list(case_number="L-1", since=begun, state="completed", document_sm3=sealed.file_sm3)
    assert (use.sealing, use.caller, use.purpose, use.amount) == (sealed.id, "office", "准予许可", 5)
    assert list(office.ledger.list(case_number="L-1", until=begun)) == []
    month = f"{use.intended_at.astimezone(ZONE):%Y-%m}"
    saved = office.ledger.save_export(month, tmp_path / "ledger.zip", case_number="L-1")
    with zipfile.ZipFile(saved) as archive:
        lines = [json.loads(line) for line in archive.read("ledger.jsonl").splitlines()]
        assert [line["sealing"] for line in lines] == [sealed.id]
        assert "manifest.json.p7s" in archive.namelist()
    with pytest.raises(FileExistsError):
        office.ledger.save_export(month, saved)
    with pytest.raises(RequestInvalid, match="ledger_filter_refused"):
        office.ledger.save_export("November", tmp_path / "other.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.zip"]


def test_a_filter_that_cannot_be_meant_is_not_sent(office: Xinyin) -> None:
    moment = datetime.now(UTC).replace(tzinfo=None)
    with pytest.raises(ValueError, match="zone"):
        list(office.ledger.list(since=moment))
    with pytest.raises(TypeError, match="colour"):
        list(office.ledger.list(colour="red"))  # type: ignore[call-arg]


def test_the_grants_of_a_seal_are_told(office: Xinyin, running: Running) -> None:
    now = datetime.now(UTC)
    terms = {
        "subject": "office", "per_day": 3, "zone": "Asia/Shanghai", "formats": ["ofd-ses-v4"],
        "windows": [{"weekdays": [1, 5], "begins": "08:30", "ends": "18:00"}],
        "valid_from": now.isoformat(), "valid_to": (now + timedelta(days=9)).isoformat(),
    }  # fmt: skip
    affair = office.affairs.propose("grant", seal=running.seal, reason="审批系统用印", payload=terms)
    chief = Principal(subject="chief", kind=PrincipalKind.PERSON, rights=frozenset({f"seal.approve:{running.seal}"}))
    running.service.affairs.decide(affair.id, Verdict.APPROVE, chief, payload_sm3=affair.payload_sm3)
    (grant,) = (each for each in office.seals.grants(running.seal).grants if each.id == affair.id)
    assert (grant.subject, grant.per_day, grant.per_month, grant.formats) == ("office", 3, None, ("ofd-ses-v4",))
    assert [(one.weekdays, one.begins, one.ends) for one in grant.windows] == [((1, 5), "08:30", "18:00")]


def test_a_digest_is_sealed_once_and_its_document_never_seen(office: Xinyin, running: Running, pdf: bytes) -> None:
    digest = hashlib.sha256(pdf).digest()
    wish: dict[str, Any] = {"seal": running.seal, "format": "digest-pades-p256", "algorithm": "SHA-256"}
    signed = office.seals.seal_digest(digest, **wish, case_number="D-9", idempotency_key="digest-1")
    assert (signed.digest, signed.document_seen, len(signed.der)) == (digest.hex(), False, signed.size)
    assert office.sealings.document(signed.id) == signed.der
    again = office.seals.seal_digest(digest.hex(), **wish, case_number="D-9", idempotency_key="digest-1")
    assert (again.id, again.der, again.replayed, signed.replayed) == (signed.id, signed.der, True, False)
    with pytest.raises(RequestInvalid, match="digest_refused"):
        office.seals.seal_digest(digest, seal=running.seal, format="digest-pades-p256")


def test_a_signature_that_came_damaged_is_not_given_on() -> None:
    told: dict[str, Any] = {
        "id": "s", "serial": 1, "seal": "1", "format": "digest-pades-sm2", "sealed_at": "2026-11-22T08:00:00Z",
        "algorithm": "SM3", "digest": "0" * 64, "size": 4, "document_seen": False, "notice": "", "document_url": "/",
        "report": {"verdict": "valid", "signatures": [], "findings": []}, "file_sm3": "0" * 64, "signature": "AAAA",
    }  # fmt: skip

    def signed(answer: dict[str, Any]) -> None:
        def transport(request: httpx2.Request) -> httpx2.Response:
            token = {"access_token": "t", "expires_in": 600}
            return httpx2.Response(200, json=token if request.url.path == "/oauth2/token" else answer)

        with Xinyin("https://h", "c", client_secret="s", transport=httpx2.MockTransport(transport)) as client:
            client.seals.seal_digest("0" * 64, seal="1", format="digest-pades-sm2")

    with pytest.raises(DocumentDamaged):
        signed(told)
    with pytest.raises(AnswerUnreadable):
        signed({**told, "signature": "not Base64"})


def test_what_waits_for_its_stamp_is_listed_page_by_page() -> None:
    state: dict[str, Any] = {
        "serial": 1, "seal": "1", "format": "ofd-ses-v4", "state": "completed", "reason": "", "document_kind": "",
        "intended_at": "2026-11-22T08:00:00Z", "document_sm3": "0",
    }  # fmt: skip
    asked = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/oauth2/token":
            return httpx2.Response(200, json={"access_token": "t", "expires_in": 600})
        query = request.url.params
        asked.append((query["state"], query.get("after")))
        first = 0 if "after" not in query else int(query["after"]) + 1
        return httpx2.Response(
            200, json=[{**state, "id": f"{number}"} for number in range(first, min(first + 200, 250))]
        )

    with Xinyin("https://h", "c", client_secret="s", transport=httpx2.MockTransport(answer)) as client:
        assert [each.id for each in client.sealings.unstamped()] == [str(number) for number in range(250)]
    assert asked == [("unstamped", None), ("unstamped", "199")]


def test_each_version_of_a_sealed_file_is_given(office: Xinyin, running: Running, ofd: bytes) -> None:
    sealed = office.seals.seal(ofd, seal=running.seal)
    for version in ("first", "newest", sealed.file_sm3):
        assert office.sealings.document(sealed.id, version=version) == sealed.document()
    with pytest.raises(NotFound):
        office.sealings.document(sealed.id, version="0" * 64)
    with pytest.raises(RequestInvalid):
        office.sealings.document(sealed.id, version="oldest")
    assert sealed.id not in {each.id for each in office.sealings.unstamped()}


def test_a_document_is_sent_to_be_renewed_and_what_comes_given_as_it_is(pdf: bytes) -> None:
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/oauth2/token":
            return httpx2.Response(200, json={"access_token": "t", "expires_in": 600})
        seen.append(request)
        return httpx2.Response(200, content=request.content + b"more")

    with Xinyin("https://h", "c", client_secret="s", transport=httpx2.MockTransport(answer)) as client:
        assert client.renew(io.BytesIO(pdf), level="b-lt", idempotency_key="renewal-1") == pdf + b"more"
        client.renew(pdf)
        client.renew(pdf)
    assert [dict(one.url.params) for one in seen] == [{"level": "b-lt"}, {}, {}]
    assert {one.headers["content-type"] for one in seen} == {"application/pdf"}
    keys = [one.headers["idempotency-key"] for one in seen]
    assert keys[0] == "renewal-1"
    assert len(set(keys)) == 3


def test_nothing_is_renewed_where_nobody_stamps(office: Xinyin, pdf: bytes) -> None:
    with pytest.raises(TimestampUnavailable):
        office.renew(pdf, level="b-lta")
    with pytest.raises(RequestInvalid, match="request_invalid"):
        office.renew(pdf, level="b-xxl")


def test_the_same_in_an_event_loop(running: Running, tmp_path: Path) -> None:
    async def story() -> None:
        async with running.async_client() as office:
            asked = await office.use_requests.ask(document("U-9"), seal=running.seal, case_number="U-9")
            await asyncio.to_thread(decided, running, asked.id)
            assert [one.standing async for one in office.use_requests.watch(asked.id)] == ["approved"]
            sealed = await office.use_requests.seal(asked.id)
            assert await sealed.document()
            (use,) = [one async for one in office.ledger.list(case_number="U-9")]
            assert (use.sealing, use.approval) == (sealed.id, asked.id)
            month = f"{use.intended_at.astimezone(ZONE):%Y-%m}"
            saved = await office.ledger.save_export(month, tmp_path / "ledger.zip", seal=running.seal)
            assert zipfile.is_zipfile(saved)

    asyncio.run(story())
