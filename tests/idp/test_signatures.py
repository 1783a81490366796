"""Signed requests: a gateway with an app key is its client, and nobody else is."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from idp.appkeys import AppKeys, NewAppKey
from idp.errors import AppKeyRefused, UnknownAppKey, UnknownClient
from idp.model import ClientId
from idp.signatures import ADDRESS, PAIR, RequestSignatures
from idp.store.tables import app_key_nonces
from kernel.db import METADATA
from tests.idp.conftest import Department, World
from tests.idp.portal import Portal
from tests.idp.signing import HOST, application, gateway
from tests.inprocess import browser

ME = "/api/seals/v1/me"
FILES = "/api/seals/v1/files"
RIGHTS = ("seal.use:44030000000001", "license.issue:*")


@dataclass(frozen=True, kw_only=True)
class Hall:
    """A department with an app key, and the application its gateway calls."""

    world: World
    keys: AppKeys
    app: FastAPI
    system: Portal
    made: NewAppKey

    @property
    def client(self) -> ClientId:
        return self.made.key.client_id

    def headers(self, method: str = "GET", target: str = ME, **given: Any) -> dict[str, str]:
        now = str(int(self.world.clock.now().timestamp()))
        signed: dict[str, str] = gateway(given.pop("made", self.made), secret=given.pop("secret", "")).headers(
            method, target, **{"timestamp": now, **given}
        )
        return signed

    def get(self, headers: dict[str, str], target: str = ME, caller: str = "192.0.2.1") -> httpx2.Response:
        with browser(self.app, f"https://{HOST}", caller=(caller, 1)) as http:
            return http.get(target, headers=headers)

    def post(self, target: str, body: bytes, headers: dict[str, str]) -> httpx2.Response:
        with browser(self.app, f"https://{HOST}") as http:
            return http.post(target, content=body, headers=headers)

    def nonces(self) -> int:
        with self.world.database.read() as conn:
            return conn.execute(sa.select(sa.func.count()).select_from(app_key_nonces)).scalar_one()


@pytest.fixture
def hall(world: World, department: Department) -> Hall:
    system = department(*RIGHTS)
    keys = AppKeys(database=world.database, audit=world.audit, clock=world.clock, key=lambda: b"k" * 32)
    signatures = RequestSignatures(keys=keys, database=world.database, clock=world.clock)
    return Hall(
        world=world,
        keys=keys,
        app=application(signatures, world.idp.verifier),
        system=system,
        made=keys.add(ClientId(system.client_id)),
    )


def told(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_signed_request_is_its_clients_as_one_with_a_token_is(hall: Hall) -> None:
    token = hall.system.token(grant_type="client_credentials").json()["access_token"]
    by_token = hall.get({"Authorization": f"Bearer {token}"})
    signed = hall.get(hall.headers())
    assert (signed.status_code, signed.json()) == (200, by_token.json())
    assert signed.json() == {"subject": hall.client, "rights": sorted(RIGHTS), "for": "11440300MB2C927392"}
    assert hall.get(hall.headers(timestamp=f"{int(hall.world.clock.now().timestamp())}999")).status_code == 200


def test_of_twenty_that_bring_one_signature_one_passes(hall: Hall) -> None:
    headers = hall.headers()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: hall.get(headers), range(20)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: 19}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 401} == {"signature_replayed"}
    assert hall.nonces() == 1


def test_whoever_must_not_be_believed_is_told_the_same(hall: Hall) -> None:
    other = hall.keys.add(hall.client, lifetime=timedelta(days=1))
    now = {"timestamp": str(int(hall.world.clock.now().timestamp())), "nonce": "one-nonce-for-all-of-them"}
    answers = [hall.get(hall.headers(secret="aks_guessed", **now))]
    hall.keys.end(hall.made.key.id)
    answers += [hall.get(hall.headers(**now))]
    again = hall.keys.add(hall.client)
    hall.world.idp.registry.set_client_active(hall.client, active=False)
    answers += [hall.get(hall.headers(made=again))]
    hall.world.idp.registry.set_client_active(hall.client, active=True)
    assert hall.get(hall.headers(made=again)).status_code == 200
    hall.world.clock.advance(timedelta(days=1))
    answers += [hall.get(hall.headers(made=other))]
    unknown = hall.headers() | {"X-App-Key": "ak_" + "a" * 26}
    answers += [hall.get(unknown)]
    assert {told(answer) for answer in answers} == {(401, "signature_refused")}
    assert {answer.headers["www-authenticate"] for answer in answers} == {'XINYIN-HMAC-SM3 error="signature_refused"'}
    # A wrong secret and an ended key, over one text: not a word differs but the request's number.
    first, second = (answer.json() | {"request_id": ""} for answer in answers[:2])
    assert first == second
    assert hall.nonces() == 1


def test_nothing_of_a_signed_request_can_be_changed(hall: Hall) -> None:
    target = f"{ME}?page=1&case=2"
    assert hall.get(hall.headers(target=target), f"{ME}?case=2&page=1").status_code == 200
    changed = (
        hall.get(hall.headers(target=target), f"{ME}?page=2&case=2"),
        hall.get(hall.headers(target=target), ME),
        hall.post(ME, b"", hall.headers(target=target)),
        hall.get(hall.headers("POST")),
        hall.get(hall.headers() | {"Idempotency-Key": "other"}),
        hall.get(hall.headers() | {"Content-Type": "text/plain"}),
        hall.get(hall.headers() | {"X-Nonce": "another-nonce-0001"}),
        hall.get(hall.headers() | {"X-Timestamp": str(int(hall.world.clock.now().timestamp()) + 1)}),
        hall.get(gateway(hall.made, host="other.example").headers("GET", ME, timestamp=_now(hall))),
        hall.get(hall.headers() | {"X-Signature": "0" * 64}),
    )
    assert {told(answer) for answer in changed} == {(401, "signature_refused")}


def test_the_digest_of_the_text_tells_an_integrator_where_to_look(hall: Hall) -> None:
    refused = hall.get(hall.headers(secret="aks_guessed")).json()["detail"]
    assert "SM3" in refused
    assert hall.made.secret not in refused


def test_a_time_that_is_too_far_off_is_told_with_ours(hall: Hall) -> None:
    for off in (-301, 301, -10_000_000):
        answer = hall.get(hall.headers(timestamp=str(int(_now(hall)) + off)))
        assert told(answer) == (401, "signature_stale")
        assert _now(hall) in answer.json()["detail"]
    for off in (-299, 299):
        assert hall.get(hall.headers(timestamp=str(int(_now(hall)) + off))).status_code == 200


def test_a_body_is_taken_only_if_it_is_the_signed_one(hall: Hall) -> None:
    body = b"%PDF-1.7 " * 5000
    signed = hall.headers("POST", FILES, body=body, content_type="application/pdf")
    assert hall.post(FILES, body, signed).json()["size"] == len(body)
    for sent in (body[:-1], body + b"x", b"", b"another"):
        headers = hall.headers("POST", FILES, body=body, content_type="application/pdf")
        assert told(hall.post(FILES, sent, headers)) == (401, "body_altered")
    order = json.dumps({"name": "云江"}).encode()
    target = "/api/seals/v1/orders"
    headers = hall.headers("POST", target, body=order, content_type="application/json")
    assert hall.post(target, order, headers).json()["name"] == "云江"
    headers = hall.headers("POST", target, body=order, content_type="application/json")
    assert told(hall.post(target, b'{"name": "x"}', headers)) == (401, "body_altered")
    headers = hall.headers("POST", target, content_type="application/json")
    del headers["X-Content-SM3"]
    assert told(hall.post(target, order, headers)) == (401, "body_altered")


def test_the_body_of_a_request_that_is_refused_is_never_read(hall: Hall) -> None:
    hall.app.state.read.clear()
    headers = hall.headers("POST", FILES, body=b"x", secret="aks_guessed")
    assert told(hall.post(FILES, b"x", headers)) == (401, "signature_refused")
    assert hall.app.state.read == []


def test_whoever_signs_wrongly_waits_and_whoever_signs_rightly_does_not(hall: Hall) -> None:
    def wrong(caller: str) -> httpx2.Response:
        return hall.get(hall.headers(secret="aks_guessed"), caller=caller)

    codes = Counter(told(wrong("192.0.2.1")) for _ in range(PAIR.free + 5))
    assert codes == {(401, "signature_refused"): PAIR.free, (429, "signature_attempts"): 5}
    assert int(wrong("192.0.2.1").headers["retry-after"]) > 0
    assert told(wrong("192.0.2.2")) == (401, "signature_refused")
    assert hall.get(hall.headers(), caller="192.0.2.1").status_code == 200


def test_an_address_that_tries_many_app_keys_waits_too_and_leaves_few_rows(hall: Hall) -> None:
    counters = METADATA.tables["idp_attempts"]
    letters = "abcdefghijklmnopqrstuvwxyz"
    answers = [
        hall.get(hall.headers() | {"X-App-Key": f"ak_{letters[number % 26] * 25}{letters[number // 26]}"})
        for number in range(ADDRESS.free + 20)
    ]
    assert Counter(answer.status_code for answer in answers) == {401: ADDRESS.free, 429: 20}
    with hall.world.database.read() as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(counters)).scalar_one() <= ADDRESS.free + 1
    assert hall.nonces() == 0


def test_nonces_are_forgotten_when_their_time_is_over_and_no_sooner(hall: Hall) -> None:
    headers = hall.headers(timestamp=str(int(_now(hall)) + 299))
    assert hall.get(headers).status_code == 200
    hall.world.clock.advance(timedelta(seconds=598))
    hall.world.idp.sweep()
    assert told(hall.get(headers)) == (401, "signature_replayed")
    hall.world.clock.advance(timedelta(minutes=2))
    hall.world.idp.sweep()
    assert hall.nonces() == 0
    assert told(hall.get(headers)) == (401, "signature_stale")


def test_token_and_signature_do_not_go_together_and_a_signature_is_good_behind_its_door_alone(hall: Hall) -> None:
    token = hall.system.token(grant_type="client_credentials").json()["access_token"]
    assert told(hall.get(hall.headers() | {"Authorization": f"Bearer {token}"})) == (401, "signature_malformed")
    assert told(hall.get(hall.headers(target="/elsewhere"), "/elsewhere")) == (401, "token_missing")
    missing = hall.get({})
    assert told(missing) == (401, "token_missing")
    assert missing.headers["www-authenticate"] == "Bearer, XINYIN-HMAC-SM3"


def test_the_description_shows_both_ways(hall: Hall) -> None:
    described = hall.app.openapi()
    schemes = described["components"]["securitySchemes"]
    assert schemes["bearer"]["scheme"] == "bearer"
    assert (schemes["appKey"]["type"], schemes["appKey"]["name"]) == ("apiKey", "X-App-Key")
    assert sorted(map(str, described["paths"][ME]["get"]["security"])) == ["{'appKey': []}", "{'bearer': []}"]


def test_a_client_has_two_app_keys_at_most_and_each_its_own_secret(hall: Hall) -> None:
    hall.world.clock.advance(timedelta(seconds=1))
    second = hall.keys.add(hall.client, label="第二把")
    assert second.secret != hall.made.secret
    for made in (hall.made, second):
        assert hall.get(hall.headers(made=made)).status_code == 200
    with pytest.raises(AppKeyRefused):
        hall.keys.add(hall.client)
    hall.keys.end(hall.made.key.id)
    with pytest.raises(UnknownAppKey):
        hall.keys.end(hall.made.key.id)
    hall.world.clock.advance(timedelta(seconds=1))
    hall.keys.add(hall.client)
    assert [(each.alive, each.in_use) for each in hall.keys.list(hall.client)] == [
        (False, True),
        (True, True),
        (True, False),
    ]


def test_of_many_who_make_one_at_once_as_many_get_one_as_there_is_room_for(hall: Hall) -> None:
    def add(_: int) -> bool:
        try:
            hall.keys.add(hall.client)
        except AppKeyRefused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(add, range(8))) == 1
    assert sum(each.alive for each in hall.keys.list(hall.client)) == 2


def test_who_cannot_have_an_app_key_gets_none(hall: Hall) -> None:
    with pytest.raises(UnknownClient):
        hall.keys.add(ClientId("nobody"))
    with pytest.raises(AppKeyRefused):
        hall.keys.add(hall.world.portal.client.id)  # It has no rights of its own.
    for wrong in ({"lifetime": timedelta(0)}, {"lifetime": timedelta(days=2000)}, {"label": "a\nb"}):
        with pytest.raises(AppKeyRefused):
            hall.keys.add(hall.client, **wrong)
    assert len(hall.keys.list(hall.client)) == 1


def test_the_secret_stands_in_no_table_and_the_deeds_in_the_log(hall: Hall) -> None:
    hall.get(hall.headers())
    hall.keys.end(hall.made.key.id)
    with hall.world.database.read() as conn:
        held = "\n".join(str(row) for table in METADATA.sorted_tables for row in conn.execute(sa.select(table)))
        entries = [entry.action for entry in hall.world.audit.about(conn, hall.made.key.id)]
    assert hall.made.secret not in held
    assert hall.made.secret not in repr(hall.made)
    assert sorted(entries) == ["idp.app_key_ended", "idp.app_key_made"]


def _now(hall: Hall) -> str:
    return str(int(hall.world.clock.now().timestamp()))
