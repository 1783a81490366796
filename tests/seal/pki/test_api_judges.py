"""Others' tools against our endpoints over the wire: openssl for P-256, BouncyCastle for SM2."""

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette

from crypto import der
from crypto.digests import SM3
from crypto.ocsp import CertId, make_request
from crypto.ocsp_answer import parse_answer
from crypto.revoked import RevocationReason
from crypto.timestamp import parse_token
from crypto.timestamp_build import Imprint
from crypto.timestamp_exchange import make_request as make_query
from crypto.timestamp_exchange import parse_response
from crypto.vaults.soft import SoftVault
from crypto.x509 import Certificate
from kernel.audit import AuditLog
from kernel.clock import SystemClock
from kernel.db import Database
from kernel.problem import install
from seal.pki.api import LIMITS, routes
from seal.pki.authorities import Authorities
from seal.pki.http_post import HttpPost
from seal.pki.policy import SEAL_SIGNER
from tests.judges import bouncycastle, openssl
from tests.seal.pki.conftest import new_key, wish

OCSP, QUERY = (
    ("application/ocsp-request", "application/ocsp-response"),
    (
        "application/timestamp-query",
        "application/timestamp-reply",
    ),
)


class Served:
    """Authorities of the present time behind a port of this machine."""

    def __init__(self, url: str, made: Authorities, vault: SoftVault) -> None:
        self.url = url
        self.made = made
        self._vault = vault

    def issue(self, kind: str) -> Certificate:
        authority = self.made.get(kind)
        return authority.issue(wish(new_key(self._vault, authority.suite)), SEAL_SIGNER)

    def revoke(self, kind: str, certificate: Certificate) -> None:
        authority = self.made.get(kind)
        authority.revoke(certificate.serial, RevocationReason.KEY_COMPROMISE, by="ra", why="")
        authority.publish()

    def post(self, path: str, body: bytes, types: tuple[str, str]) -> bytes:
        sends, wants = types
        return HttpPost().post(
            self.url + path, body, sends=sends, wants=wants, timeout=timedelta(seconds=20), max_size=100_000
        )


@pytest.fixture
def served(tmp_path: Path, vault: SoftVault, records: Database) -> Iterator[Served]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # Who connects before the server runs waits in the queue.
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        made = Authorities(
            tmp_path / "ca", vault=vault, clock=SystemClock(), db=records, audit=AuditLog(), public_url=url
        )
        made.found(tmp_path / "roots", vault, "某某市")
        app = Starlette(routes=routes(made, SystemClock()))
        install(app, max_body_at=LIMITS)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield Served(url, made, vault)
        finally:
            server.should_exit = True
            thread.join(20)


@pytest.fixture
def command() -> str:
    found = shutil.which("openssl")
    if found is None:
        pytest.skip("no openssl judge: the command is missing")
    return found


def run(command: str, *arguments: object) -> str:
    done = subprocess.run([command, *map(str, arguments)], capture_output=True, check=False, timeout=60)
    return (done.stdout + done.stderr).decode(errors="replace")


def test_openssl_asks_our_responder_itself(served: Served, tmp_path: Path, command: str) -> None:
    leaf = served.issue("p256")
    ca, root = served.made.get("p256").path
    files = {"leaf": leaf, "ca": ca, "root": root}
    for name, certificate in files.items():
        (tmp_path / f"{name}.pem").write_text(certificate.pem())
    ask = (
        *("ocsp", "-issuer", tmp_path / "ca.pem", "-cert", tmp_path / "leaf.pem"),
        *("-CAfile", tmp_path / "root.pem", "-verify_other", tmp_path / "ca.pem", "-url", leaf.ocsp_urls[0]),
    )

    good = run(command, *ask)
    assert "Response verify OK" in good
    assert "leaf.pem: good" in good
    served.revoke("p256", leaf)
    gone = run(command, *ask)
    assert "leaf.pem: revoked" in gone
    assert "keyCompromise" in gone


def test_openssl_fetches_and_believes_our_lists(served: Served, tmp_path: Path, command: str) -> None:
    leaf = served.issue("p256")
    served.revoke("p256", leaf)
    ca, root = served.made.get("p256").path
    for name, certificate in (("ca", ca), ("root", root)):
        (tmp_path / f"{name}.pem").write_text(certificate.pem())

    # The addresses are those that the certificates name.
    for of, issuer in ((leaf, "ca"), (ca, "root")):
        told = run(command, "crl", "-in", of.crl_urls[0], "-CAfile", tmp_path / f"{issuer}.pem", "-noout", "-text")
        assert "verify OK" in told
    assert f"{leaf.serial:X}" in run(command, "crl", "-in", leaf.crl_urls[0], "-noout", "-text")
    fetched = run(command, "x509", "-in", f"{served.url}/pki/ca/p256.cer", "-noout", "-serial")
    assert f"{ca.serial:X}" in fetched


def test_openssl_believes_our_time_stamps(served: Served, tmp_path: Path, command: str) -> None:
    (tmp_path / "data").write_bytes(b"data")
    run(command, "ts", "-query", "-data", tmp_path / "data", "-sha256", "-cert", "-out", tmp_path / "query")
    query = (tmp_path / "query").read_bytes()

    answer = served.post("/pki/tsa/p256", query, QUERY)

    authority = served.made.get("p256")
    assert openssl.accepts_timestamp(answer, query, authority.path[-1], authority.chain)


def test_bouncycastle_believes_what_is_signed_with_sm2(served: Served) -> None:
    leaf, other = served.issue("sm2"), served.issue("sm2")
    served.revoke("sm2", leaf)
    ca = served.made.get("sm2").certificate
    listed = served.made.list_of("sm2").raw
    answers = [served.post("/pki/ocsp/sm2", make_request([CertId.of(each.serial, ca)]), OCSP) for each in (leaf, other)]
    responder = parse_answer(answers[0]).certificates[0].raw
    query = make_query(Imprint.of(SM3.oid, SM3.digest(b"data")), nonce=7)
    stamp = served.post("/pki/tsa/sm2", query, QUERY)
    stamper = _stamper(stamp)

    told = bouncycastle.judge_pki(
        [
            ("crl", listed, ca.raw, der.integer(leaf.serial)),
            ("crl", listed, ca.raw, der.integer(other.serial)),
            ("ocsp", answers[0], responder, der.integer(leaf.serial)),
            ("ocsp", answers[1], responder, der.integer(other.serial)),
            ("tst", stamp, stamper, query),
        ]
    )

    assert told[0].startswith("valid revoked")
    assert told[1].startswith("valid good")
    assert told[2].startswith("valid revoked")
    assert told[3] == "valid good"
    assert told[4].startswith("valid ")


def _stamper(answer: bytes) -> bytes:
    raw = parse_response(answer).token_raw
    assert raw is not None
    token = parse_token(raw)
    stamper = token.certificate
    assert stamper is not None
    return stamper.raw
