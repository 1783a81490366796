"""Certification over HTTP: what is public is had, kept no longer than it holds, and rubbish is a coded no."""

import base64
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from crypto import der
from crypto.certificate import pem_bodies
from crypto.crl import RevocationList
from crypto.digests import SHA256, SM3
from crypto.keys import VaultSigner
from crypto.ocsp import CertId, CertStatus, ResponseStatus, make_request
from crypto.ocsp_answer import parse_answer, verify_answer
from crypto.revoked import RevocationReason
from crypto.timestamp import verify_token
from crypto.timestamp_build import Imprint
from crypto.timestamp_exchange import Failure, parse_response
from crypto.timestamp_exchange import make_request as make_query
from crypto.vaults.soft import SoftVault
from crypto.x509 import Certificate
from kernel.clock import ManualClock
from kernel.problem import install
from seal.pki.api import LIMITS, routes
from seal.pki.authorities import Authorities
from seal.pki.policy import SEAL_SIGNER
from tests.seal.pki.conftest import new_key, wish

OCSP, QUERY = {"Content-Type": "application/ocsp-request"}, {"Content-Type": "application/timestamp-query"}
KINDS = ("sm2", "p256")


@pytest.fixture
def http(founded: Authorities, clock: ManualClock) -> Iterator[TestClient]:
    app = Starlette(routes=routes(founded, clock))
    install(app, max_body_at=LIMITS)
    with TestClient(app, base_url="https://pki.example.test") as client:
        yield client


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def issued(founded: Authorities, vault: SoftVault, kind: str) -> Certificate:
    ca = founded.get(kind)
    return ca.issue(wish(new_key(vault, ca.suite)), SEAL_SIGNER)


def question(founded: Authorities, kind: str, serial: int, nonce: bytes | None = None) -> bytes:
    return make_request([CertId.of(serial, founded.get(kind).certificate)], nonce=nonce)


def get_url(kind: str, request: bytes) -> str:
    return f"/pki/ocsp/{kind}/{quote(base64.b64encode(request).decode(), safe='')}"


def test_the_authorities_certificates_are_had_in_three_forms(http: TestClient, founded: Authorities, kind: str) -> None:
    own = founded.get(kind)

    for name, path in ((kind, own.path), (f"root-{kind}", own.path[-1:])):
        alone = http.get(f"/pki/ca/{name}.cer")
        assert alone.headers["content-type"] == "application/pkix-cert"
        assert Certificate.from_der(alone.content) == path[0]
        chain = http.get(f"/pki/ca/{name}.pem")
        assert [Certificate.from_der(each) for each in pem_bodies(chain.content, "CERTIFICATE")] == list(path)
        bundle = http.get(f"/pki/ca/{name}.p7c")
        assert bundle.headers["content-type"].startswith("application/pkcs7-mime")
        signed = der.parse(bundle.content)[1].inner()
        assert [each.raw for each in signed[3]] == [each.raw for each in path]
    again = http.get(f"/pki/ca/{kind}.cer", headers={"If-None-Match": f'"other", W/{alone_etag(http, kind)}'})
    assert (again.status_code, again.content) == (304, b"")


def alone_etag(http: TestClient, kind: str) -> str:
    return http.get(f"/pki/ca/{kind}.cer").headers["etag"]


def test_the_newest_list_is_had_and_kept_no_longer_than_it_lasts(
    http: TestClient, founded: Authorities, kind: str, issued: Certificate, clock: ManualClock
) -> None:
    first = http.get(f"/pki/crl/{kind}.crl")
    assert first.headers["content-type"] == "application/pkix-crl"
    assert "max-age=3600" in first.headers["cache-control"]
    for known in (
        {"If-None-Match": first.headers["etag"]},
        {"If-Modified-Since": first.headers["last-modified"]},
    ):
        assert http.get(f"/pki/crl/{kind}.crl", headers=known).status_code == 304

    founded.get(kind).revoke(issued.serial, RevocationReason.SUPERSEDED, by="ra", why="换发")
    clock.advance(timedelta(minutes=5))
    founded.get(kind).publish()
    second = http.get(f"/pki/crl/{kind}.crl", headers={"If-None-Match": first.headers["etag"]})
    assert RevocationList.from_der(second.content).entry(issued.serial) is not None
    newer = http.get(f"/pki/crl/{kind}.crl", headers={"If-Modified-Since": first.headers["last-modified"]})
    assert newer.status_code == 200
    clock.advance(timedelta(days=7, minutes=-1))
    assert "max-age=60," in http.get(f"/pki/crl/{kind}.crl").headers["cache-control"]
    clock.advance(timedelta(days=1))
    assert "max-age=0," in http.get(f"/pki/crl/{kind}.crl").headers["cache-control"]


def test_the_roots_list_is_had_while_the_root_is_away(http: TestClient, founded: Authorities, kind: str) -> None:
    found = RevocationList.from_der(http.get(f"/pki/crl/root-{kind}.crl").content)

    assert found.issued_by(founded.get(kind).path[-1])
    assert founded.get(kind).certificate.crl_urls == (f"https://pki.example.test/pki/crl/root-{kind}.crl",)


def test_ocsp_is_answered_by_an_appointed_responder(
    http: TestClient, founded: Authorities, kind: str, issued: Certificate, clock: ManualClock
) -> None:
    ca = founded.get(kind).certificate
    asked = question(founded, kind, issued.serial, b"n" * 32)

    posted = http.post(f"/pki/ocsp/{kind}", content=asked, headers=OCSP)

    answer = parse_answer(posted.content)
    assert posted.headers["content-type"] == "application/ocsp-response"
    assert verify_answer(answer, issued, issuer=ca, at=clock.now(), nonce=b"n" * 32) == ()
    assert [each.key_usage for each in answer.certificates] == [frozenset({"digital_signature"})]
    assert answer.certificates[0].spki != ca.spki
    assert posted.headers["cache-control"] == "no-store"


def test_an_ocsp_get_may_be_kept_unless_it_has_a_nonce(
    http: TestClient, founded: Authorities, kind: str, issued: Certificate, clock: ManualClock
) -> None:
    ca = founded.get(kind)

    got = http.get(get_url(kind, question(founded, kind, issued.serial)))
    assert verify_answer(parse_answer(got.content), issued, issuer=ca.certificate, at=clock.now()) == ()
    assert "max-age=3600" in got.headers["cache-control"]
    assert {"etag", "last-modified", "expires"} <= set(got.headers)
    nonce = http.get(get_url(kind, question(founded, kind, issued.serial, b"n" * 16)))
    assert nonce.headers["cache-control"] == "no-store"

    ca.revoke(issued.serial, RevocationReason.KEY_COMPROMISE, by="ra", why="丢失")
    told = parse_answer(http.get(get_url(kind, question(founded, kind, issued.serial))).content).answers[0]
    assert (told.status, told.revoked and told.revoked.reason) == (
        CertStatus.REVOKED,
        RevocationReason.KEY_COMPROMISE,
    )


@pytest.mark.parametrize("path", ["AA", "%21%21%21", "A" * 5000, "%E5%8D%B0", "AAAA%2F..%2F..%2F%2F", "="])
def test_a_get_that_holds_no_request_is_malformed(http: TestClient, path: str) -> None:
    answer = http.get(f"/pki/ocsp/sm2/{path}")

    assert answer.status_code == 200
    assert parse_answer(answer.content).status is ResponseStatus.MALFORMED_REQUEST


def test_a_time_stamp_is_had_under_either_suite(http: TestClient, kind: str) -> None:
    for digest in (SM3, SHA256):
        query = make_query(Imprint.of(digest.oid, digest.digest(b"data")), nonce=5)
        answer = http.post(f"/pki/tsa/{kind}", content=query, headers=QUERY)
        token = parse_response(answer.content).token
        assert answer.headers["content-type"] == "application/timestamp-reply"
        assert token is not None
        assert verify_token(token, lambda algorithm: algorithm.digest(b"data")) == ()
        assert token.policy == "2.25.19718282773481511875392535996368227536"
    rubbish = http.post(f"/pki/tsa/{kind}", content=b"rubbish", headers=QUERY)
    assert parse_response(rubbish.content).failures == {Failure.BAD_DATA_FORMAT}


@pytest.mark.parametrize(
    ("method", "path", "size", "headers", "status", "code"),
    [
        ("POST", "/pki/ocsp/sm2", 10, {}, 415, "content_type_refused"),
        ("POST", "/pki/ocsp/sm2", 10, QUERY, 415, "content_type_refused"),
        ("POST", "/pki/tsa/sm2", 10, {"Content-Type": "text/plain"}, 415, "content_type_refused"),
        ("POST", "/pki/ocsp/sm2", 10_241, OCSP, 413, "too_large"),
        ("POST", "/pki/tsa/p256", 65_537, QUERY, 413, "too_large"),
        ("POST", "/pki/ocsp/rsa", 10, OCSP, 404, "authority_unknown"),
        ("POST", "/pki/ocsp/root-sm2", 10, OCSP, 404, "authority_unknown"),
        ("POST", "/pki/tsa/root-sm2", 10, QUERY, 404, "authority_unknown"),
        ("GET", "/pki/crl/..%2f..%2fetc.crl", 0, {}, 404, None),
        ("GET", "/pki/crl/rsa.crl", 0, {}, 404, "authority_unknown"),
        ("GET", "/pki/crl/root-rsa.crl", 0, {}, 404, "authority_unknown"),
        ("GET", "/pki/ca/rsa.cer", 0, {}, 404, None),
        ("GET", "/pki/tsa/sm2", 0, {}, 405, "method_not_allowed"),
        ("PUT", "/pki/crl/sm2.crl", 0, {}, 405, "method_not_allowed"),
    ],
)
def test_what_does_not_fit_is_a_coded_no(
    http: TestClient, method: str, path: str, size: int, headers: dict[str, str], status: int, code: str | None
) -> None:
    answer = http.request(method, path, content=b"\x30" * size, headers=headers)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    if code not in (None, "too_large"):
        assert answer.json()["code"] == code


def test_odd_request_headers_cost_nothing(http: TestClient) -> None:
    for headers in (
        {"If-Modified-Since": "yesterday"},
        {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 -0000"},
        {"If-None-Match": '"' + "x" * 5000},
    ):
        assert http.get("/pki/crl/sm2.crl", headers=headers).status_code == 200


def test_neither_lists_nor_certificates_need_the_vault(http: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> bytes:
        raise AssertionError("the vault was asked")

    monkeypatch.setattr(VaultSigner, "sign", gone)
    for path in ("ca/sm2.cer", "ca/root-p256.pem", "crl/sm2.crl", "crl/root-p256.crl"):
        assert http.get(f"/pki/{path}").status_code == 200
