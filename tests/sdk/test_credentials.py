"""How a client proves itself, and what of it is never to be seen: against a token endpoint that is strict."""

import asyncio
import base64
import json
import logging
import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from xinyin_sdk import AsyncXinyin, Forbidden, NotAuthenticated, Retries, Xinyin, XinyinError
from xinyin_sdk.line import Settings
from xinyin_sdk.shapes import NewEndpoint

ADDRESS = "https://id.example.gov.cn"
SECRET = "a secret: of + the office"
STATE = {
    "id": "s", "serial": 1, "seal": "1", "format": "pdf-ses-v4", "state": "completed", "case_number": None,
    "intended_at": "2026-11-22T08:00:00Z", "reason": "", "document_kind": "", "document_sm3": "0", "file_sm3": None,
    "sealed_at": None, "failure": None, "document_url": None,
}  # fmt: skip


class Endpoint:
    """A service whose token endpoint believes only what the standards have it believe."""

    def __init__(self, key: ECKey | None = None, *, seconds: int = 600) -> None:
        self.key = key
        self.seconds = seconds
        self.asked: list[dict[str, list[str]]] = []
        self.seen: set[str] = set()
        self.ended: set[str] = set()
        self._lock = threading.Lock()

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        with self._lock:
            if request.url.path == "/oauth2/token":
                return self._token(request)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not token.startswith("token-") or token in self.ended:
            return httpx2.Response(401, json={"code": "token_refused", "detail": "no"})
        return httpx2.Response(200, json=STATE)

    def _token(self, request: httpx2.Request) -> httpx2.Response:
        form = parse_qs(request.content.decode(), strict_parsing=True)
        self.asked.append(form)
        proved = self._by_key(form) if self.key else self._by_secret(request, form)
        if not proved or form["grant_type"] != ["client_credentials"]:
            return httpx2.Response(401, json={"error": "invalid_client", "error_description": "unknown"})
        return httpx2.Response(200, json={"access_token": f"token-{len(self.asked)}", "expires_in": self.seconds})

    def _by_secret(self, request: httpx2.Request, form: dict[str, list[str]]) -> bool:
        encoded = request.headers.get("authorization", "").removeprefix("Basic ")
        # RFC 6749 2.3.1: form-encoded before they are joined.
        wanted = b"office%2F1:a%20secret%3A%20of%20%2B%20the%20office"
        return base64.b64decode(encoded) == wanted and "client_id" not in form

    def _by_key(self, form: dict[str, list[str]]) -> bool:
        assert self.key is not None
        assert form["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
        token = jwt.decode(form["client_assertion"][0], KeySet([self.key]), algorithms=["ES256"])
        claims, jti = token.claims, str(token.claims["jti"])
        fresh = claims["exp"] - claims["iat"] <= 60 and abs(claims["iat"] - time.time()) < 60 and jti not in self.seen
        self.seen.add(jti)
        named = (claims["iss"], claims["sub"], claims["aud"]) == ("office/1", "office/1", ADDRESS)
        return named and fresh and token.header["alg"] == "ES256"


def client(endpoint: Endpoint, **given: Any) -> Xinyin:
    given.setdefault("client_secret", None if "key" in given else SECRET)
    return Xinyin(ADDRESS, "office/1", transport=httpx2.MockTransport(endpoint), retries=Retries(attempts=1), **given)


@pytest.fixture
def key() -> ECKey:
    return ECKey.generate_key("P-256", parameters={"kid": "office-2026"})


def test_a_secret_proves_a_client() -> None:
    with client(endpoint := Endpoint(), scope=["seal.use:1", "seal.use:2"]) as office:
        office.sealings.get("s")
    assert endpoint.asked[0]["scope"] == ["seal.use:1 seal.use:2"]
    with (
        client(Endpoint(), client_secret="another") as impostor,
        pytest.raises(NotAuthenticated, match="invalid_client"),
    ):
        impostor.sealings.get("s")


@pytest.mark.parametrize("form", ["pem", "octets", "jwk", "json", "pem file", "jwk file", "path as text"])
def test_a_key_of_its_own_proves_a_client_however_it_is_given(key: ECKey, form: str, tmp_path: Path) -> None:
    pem, jwk = key.as_pem(private=True), key.as_dict(private=True)
    named, other = tmp_path / "key.pem", tmp_path / "key.jwk"
    named.write_bytes(pem)
    other.write_text(json.dumps(jwk))
    given: dict[str, Any] = {
        "pem": pem.decode(), "octets": pem, "jwk": jwk, "json": json.dumps(jwk), "pem file": named, "jwk file": other,
        "path as text": str(named),
    }  # fmt: skip
    public = ECKey.import_key(key.as_dict(private=False))
    with client(endpoint := Endpoint(public), key=given[form], key_id="office-2026") as office:
        assert office.sealings.get("s").state == "completed"
    assert len(endpoint.asked) == 1


def test_each_assertion_is_used_once(key: ECKey) -> None:
    endpoint = Endpoint(ECKey.import_key(key.as_dict(private=False)), seconds=0)
    with client(endpoint, key=key.as_dict(private=True)) as office:
        for _ in range(3):
            office.sealings.get("s")
    assert len(endpoint.seen) == 3


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"key": "-----BEGIN RUBBISH", "client_secret": SECRET},
        {"key": "-----BEGIN RUBBISH"},
        {"key": b"\x00"},
        {"key": "{}"},
        {"key": ECKey.generate_key("P-384").as_dict(private=True)},
        {"key": ECKey.generate_key("P-256").as_dict(private=False)},
        {"key": RSAKey.generate_key(2048).as_pem(private=True)},
    ],
    ids=["nothing", "both", "rubbish", "octets", "empty", "other curve", "public", "rsa"],
)
def test_what_proves_nobody_is_refused_without_being_quoted(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="key") as told:
        Xinyin(ADDRESS, "office", **given)
    assert "RUBBISH" not in str(told.value)
    assert told.value.__cause__ is None


@pytest.mark.parametrize(
    "address", ["http://id.example.gov.cn", "id.example.gov.cn", "ftp://127.0.0.1", "https://a:b@host", "https://h?x=1"]
)
def test_an_address_without_tls_or_with_a_name_in_it_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        Settings(base_url=address, credentials=None)


def test_one_token_serves_threads_and_tasks_until_it_ends() -> None:
    with client(endpoint := Endpoint()) as office, ThreadPoolExecutor(16) as pool:
        list(pool.map(office.sealings.get, ["s"] * 64))
    assert len(endpoint.asked) == 1

    async def ask() -> None:
        shared = httpx2.MockTransport(endpoint)
        async with AsyncXinyin(ADDRESS, "office/1", client_secret=SECRET, transport=shared) as office:
            await asyncio.gather(*(office.sealings.get("s") for _ in range(64)))

    asyncio.run(ask())
    assert len(endpoint.asked) == 2


def test_a_token_that_ended_early_is_renewed_by_itself() -> None:
    with client(endpoint := Endpoint()) as office:
        office.sealings.get("s")
        endpoint.ended.add("token-1")
        assert office.sealings.get("s").state == "completed"
        endpoint.ended.add("token-2")
        endpoint.ended.add("token-3")
        with pytest.raises(NotAuthenticated):
            office.sealings.get("s")


def test_a_right_that_was_not_granted_is_forbidden() -> None:
    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(400, json={"error": "invalid_scope"})

    with (
        Xinyin(ADDRESS, "o", client_secret=SECRET, transport=httpx2.MockTransport(answer)) as office,
        pytest.raises(Forbidden, match="invalid_scope"),
    ):
        office.sealings.get("s")


def test_nothing_secret_is_shown_logged_or_pickled(caplog: pytest.LogCaptureFixture, key: ECKey) -> None:
    caplog.set_level(logging.DEBUG)
    busy = [0]

    def answer(request: httpx2.Request) -> httpx2.Response:
        if "/retry" in request.url.path:
            return httpx2.Response(409, json={"code": "sealing_not_retryable", "detail": "gone", "request_id": "r"})
        busy[0] += 1
        if busy[0] == 2:
            return httpx2.Response(429, json={"code": "verifier_busy", "detail": "later"})
        return endpoint(request)

    endpoint, private = Endpoint(), key.as_dict(private=True)
    retries = Retries(first=0.001)
    with Xinyin(
        ADDRESS, "office/1", client_secret=SECRET, transport=httpx2.MockTransport(answer), retries=retries
    ) as office:
        office.sealings.get("s")
        with pytest.raises(XinyinError) as told:
            office.sealings.retry("s")
        shown = [repr(office), repr(vars(office)), repr(vars(office._line)), repr(told.value), str(told.value)]
        shown += [repr(Xinyin(ADDRESS, "o", key=private)), repr(office._line.settings)]
    secret = NewEndpoint(id="i", url="u", events=(), created_at=told.value.__class__, secret="whsec_x")  # type: ignore[arg-type]
    shown += [repr(secret), caplog.text]
    encoded = base64.b64encode(b"office%2F1:a%20secret").decode()[:20]
    for kept in ("whsec_x", SECRET, encoded, "token-1", str(private["d"])):
        assert not any(kept in each for each in shown), kept
    assert "again in" in caplog.text
    again = pickle.loads(pickle.dumps(told.value))  # noqa: S301 - our own, as pools of processes do
    assert (type(again), str(again), again.request_id) == (type(told.value), str(told.value), "r")
