"""Bad input through the front door: a coded refusal, nothing written, nothing logged that should not be."""

import io
import logging
import re
import resource
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog
from fastapi import FastAPI
from httpx2 import Client, Response

from admin import devworld, faces
from admin.build import Service, operator, services
from kernel import logs
from kernel.clock import SystemClock
from kernel.db import METADATA
from seal.artwork import Design, draw
from seal.model import SealId
from seal.register import SealApplication
from tests.admin.conftest import Town, emptied, make_town
from tests.idp.portal import CALLBACK, PASSWORD, Portal, answer_of, form_of
from tests.inprocess import browser

SAMPLES = Path(__file__).resolve().parents[2] / "examples" / "samples"
PDF, OFD = (SAMPLES / "approval.pdf").read_bytes(), (SAMPLES / "approval.ofd").read_bytes()
MARK = "机密正文-7e1f"
"""Stands in documents; must stand nowhere else."""
GIB = 1024**3
COUNTED = frozenset({"idp_attempts", "audit_entries"})
"""Where a refusal may leave a row: failed tries, and the log of what was refused."""


@dataclass(frozen=True, kw_only=True)
class Front:
    """A whole service behind its front door, and what must never be seen outside it."""

    town: Town
    service: Service
    app: FastAPI
    expired: str
    secrets: list[str] = field(repr=False)

    def http(self) -> Client:
        """A new visitor."""
        return browser(self.app, self.town.settings.public_url)

    def portal(self) -> Portal:
        """A new browser at a portal; the portal's secret and the login are its own."""
        made = self.service.registry.create_client(name="办事大厅", redirect_uris=[CALLBACK])
        self.secrets.append(made.secret or "")
        return Portal(self.http(), made.client.id, made.secret)

    def token(self, *rights: str) -> str:
        """An access token of a department's system with ``rights``."""
        made = self.service.registry.create_client(name="审批系统", rights=rights)
        self.secrets.append(made.secret or "")
        given = Portal(self.http(), made.client.id, made.secret).token(grant_type="client_credentials").json()
        self.secrets.append(given["access_token"])
        return str(given["access_token"])

    def seal(self, document: bytes, *, token: str | None, seal: str | None = None, **options: str) -> Response:
        """Ask for a seal under ``document``."""
        headers = {"Content-Type": "application/octet-stream", "Idempotency-Key": "bad-input"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        path = f"/api/seals/v1/seals/{seal or self.town.world.seal}/sealings"
        return self.http().post(path, params=options, content=document, headers=headers)

    def written(self) -> dict[str, int]:
        """How much there is: rows by table, and files in the object store."""
        with self.service.database.read() as conn:
            counted = {
                name: conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
                for name, table in METADATA.tables.items()
            }
        objects = sum(1 for path in (self.town.home / "objects").rglob("*") if path.is_file())
        return counted | {"objects": objects}

    @contextmanager
    def nothing_written(self, *, but: frozenset[str] = frozenset()) -> Iterator[None]:
        """Hold that the block writes nothing (``but`` these tables) and logs nothing it should not."""
        before = self.written()
        with _logged() as log:
            yield
        after = self.written()
        assert {name for name in after if after[name] != before[name]} <= but
        with self.service.database.read() as conn:
            assert self.service.audit.verify(conn).holds
        text = log.getvalue()
        assert '"event": "request"' in text
        assert "unexpected_error" not in text, text
        for secret in (*self.secrets, PASSWORD, MARK, "张三"):
            assert secret not in text, text


@contextmanager
def _logged() -> Iterator[io.StringIO]:
    """Log as the service does, into a text."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers, root.level
    configuration, configured = structlog.get_config(), structlog.is_configured()
    logs.configure(stream, level=logging.DEBUG)
    try:
        yield stream
    finally:
        root.handlers, root.level = handlers, level
        if configured:
            structlog.configure(**configuration)
        else:
            structlog.reset_defaults()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def front(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """The invented world on each database, with a seal in it that has expired."""
    address = emptied(request.getfixturevalue("fresh_postgresql")()) if request.param == "postgresql" else ""
    town = make_town(tmp_path_factory.mktemp("front") / "home", address)
    with services(town.settings, real_names=devworld.population()) as service:
        service.registry.create_person(login="zhangwei", password=PASSWORD, name="张伟")
        world = town.world
        yield Front(
            town=town,
            service=service,
            app=faces.application(service),
            expired=_expired_seal(service),
            secrets=[world.passphrase, world.portal_secret, world.department_secret, world.citizen_password],
        )


def _expired_seal(service: Service) -> str:
    now = SystemClock().now().replace(microsecond=0)
    number = SealId(service.register.next_id(devworld.REGION))
    application = SealApplication(
        id=number,
        kind=6,
        name="过期印章",
        owner=devworld.DEPARTMENT_CODE,
        owner_name=devworld.DEPARTMENT,
        picture=draw(Design(kind="department", name=devworld.DEPARTMENT, line="过期印章", code=number)),
        valid_from=now - timedelta(days=2),
        valid_to=now - timedelta(days=1),
    )
    keys, maker = devworld.seal_keys(service, number), devworld.seal_maker(service)
    made = service.register.make(application, keys=keys, maker=maker, actor=operator(f"seal.make:{number}"))
    return str(made.id)


def refused(response: Response, status: int, code: str) -> None:
    """Hold that the answer is the problem ``code``, and that it repeats nothing of what was sent."""
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"]
    assert MARK not in response.text
    assert "Traceback" not in response.text


# --- documents ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "document", [MARK.encode() * 10, b"PK\x03\x04" + bytes(100), b"%PD", bytes(4096), b"<html>" + MARK.encode()]
)
def test_a_file_that_is_neither_pdf_nor_ofd_is_not_taken(front: Front, document: bytes) -> None:
    token = front.token(f"seal.use:{front.town.world.seal}")
    with front.nothing_written():
        refused(front.seal(document, token=token), 415, "document_unsupported")
        refused(front.http().post("/api/verify/v1/files", content=document), 415, "document_unsupported")


def test_an_empty_file_is_not_taken(front: Front) -> None:
    token = front.token(f"seal.use:{front.town.world.seal}")
    with front.nothing_written():
        refused(front.seal(b"", token=token), 400, "document_refused")
        refused(front.http().post("/api/verify/v1/files", content=b""), 400, "document_refused")


@pytest.mark.parametrize("document", [PDF, OFD], ids=["pdf", "ofd"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.98])
def test_a_truncated_file_is_not_sealed_and_never_called_valid(front: Front, document: bytes, part: float) -> None:
    cut = document[: int(len(document) * part)]
    token = front.token(f"seal.use:{front.town.world.seal}")
    with front.nothing_written():
        response = front.seal(cut, token=token)
        assert response.status_code in {400, 415}, response.text
        assert response.json()["code"].startswith("document_")
        judged = front.http().post("/api/verify/v1/files", content=cut)
        if judged.status_code == 200:
            assert judged.json()["verdict"] in {"invalid", "indeterminate", "unsigned"}
        else:
            refused(judged, 415, "document_unsupported")


@pytest.fixture(scope="session")
def bombs() -> Mapping[str, bytes]:
    """OFD packages of 1 MB with a part of 1 GB: one that says so, and one that claims to be small."""
    with zipfile.ZipFile(io.BytesIO(OFD)) as package:
        files = {name: package.read(name) for name in package.namelist() if not name.endswith("/")}
    page = next(name for name in files if name.endswith("Content.xml"))
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = squeezer.compress(bytes(1024 * 1024)) + squeezer.flush(zlib.Z_FULL_FLUSH)
    check = 0
    for _ in range(1024):
        check = zlib.crc32(bytes(1024 * 1024), check)
    deflated = block * 1024 + b"\x03\x00"
    return {
        "honest": _zip(files, page, deflated, check, GIB),
        "lying": _zip(files, page, deflated, check, 1000),
    }


def _zip(files: Mapping[str, bytes], bomb: str, deflated: bytes, check: int, claimed: int) -> bytes:
    """Write a ZIP by hand: ``zipfile`` would not lie."""
    body, directory = b"", b""
    for name, content in files.items():
        stored = (deflated, check, claimed, 8) if name == bomb else (content, zlib.crc32(content), len(content), 0)
        data, crc, size, method = stored
        fields = struct.pack("<HHHHIIIHH", 0, method, 0, 33, crc, len(data), size, len(name.encode()), 0)
        directory += b"PK\x01\x02" + struct.pack("<HH", 20, 20) + fields + struct.pack("<HHHII", 0, 0, 0, 0, len(body))
        directory += name.encode()
        body += b"PK\x03\x04" + struct.pack("<H", 20) + fields + name.encode() + data
    count = len(files)
    return body + directory + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(body), 0)


@pytest.mark.parametrize("kind", ["honest", "lying"])
def test_a_megabyte_that_inflates_to_a_gigabyte_is_not_inflated(
    front: Front, bombs: Mapping[str, bytes], kind: str
) -> None:
    bomb = bombs[kind]
    assert len(bomb) < 1.3 * 1024**2
    token = front.token(f"seal.use:{front.town.world.seal}")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with front.nothing_written():
        response = front.seal(bomb, token=token)
        assert response.status_code in {400, 413, 415}, response.text
        assert response.json()["code"].startswith("document_")
        judged = front.http().post("/api/verify/v1/files", content=bomb)
        assert judged.status_code == 200 or judged.json()["code"].startswith("document_")
        assert judged.json().get("verdict") != "valid"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 256 * 1024  # KiB


def test_a_body_beyond_the_limit_is_not_read(front: Front) -> None:
    token = front.token(f"seal.use:{front.town.world.seal}")
    headers = {"Authorization": f"Bearer {token}", "Content-Length": str(faces.MAX_UPLOAD + 1)}
    path = f"/api/seals/v1/seals/{front.town.world.seal}/sealings"
    with front.nothing_written():
        refused(front.http().post(path, content=b"%PDF-1.7", headers=headers), 413, "body_too_large")


# --- seals and rights --------------------------------------------------------------------------------------------


def test_an_unknown_seal_is_not_found(front: Front) -> None:
    token = front.token("seal.use:*")
    with front.nothing_written():
        refused(front.seal(PDF, token=token, seal="99010099999999"), 404, "seal_unknown")
        refused(front.seal(PDF, token=token, seal="x"), 404, "seal_unknown")


def test_who_may_not_use_a_seal_does_not_learn_whether_it_exists(front: Front) -> None:
    token = front.token("seal.use:99010088888888")
    with front.nothing_written():
        existing = front.seal(PDF, token=token)
        unknown = front.seal(PDF, token=token, seal="99010099999999")
    for response in (existing, unknown):
        assert response.status_code == 403
        assert response.json()["code"] == existing.json()["code"] == "forbidden"


def test_an_expired_seal_does_not_seal(front: Front) -> None:
    token = front.token(f"seal.use:{front.expired}")
    with front.nothing_written():
        for document in (PDF, OFD):
            refused(front.seal(document, token=token, seal=front.expired), 409, "seal_expired")


@pytest.mark.parametrize("right", ["license.issue:*", "seal.make:*", "seal.use:99010000000002"])
def test_another_right_is_no_right(front: Front, right: str) -> None:
    token = front.token(right)
    with front.nothing_written():
        refused(front.seal(PDF, token=token), 403, "forbidden")


@pytest.mark.parametrize("token", [None, "", "nonsense", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."])
def test_without_a_good_token_nothing_is_sealed_or_issued(front: Front, token: str | None) -> None:
    with front.nothing_written():
        response = front.seal(PDF, token=token)
        assert response.status_code == 401, response.text
        assert response.headers["www-authenticate"].startswith("Bearer")
        assert response.json()["code"]
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k"} if token is not None else {}
        issued = front.http().post("/api/licenses/v1/licenses", json={"type": MARK}, headers=headers)
        assert issued.status_code == 401


def test_a_licence_that_does_not_fit_is_refused_without_repeating_it(front: Front) -> None:
    token = front.token("license.issue:*", f"seal.use:{front.town.world.seal}")
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k"}
    good = {
        "type": "11440300999999999D001",
        "holder": {"name": MARK, "code": "91440300MA9999999F"},
        "face": {"kind": MARK, "misspelt": MARK},
        "valid_from": "2019-03-01",
        "seal": front.town.world.seal,
    }
    with front.nothing_written():
        changes: tuple[dict[str, object], ...] = (
            {},
            {"seal": MARK},
            {"type": MARK},
            {"misspelt": MARK},
            {"holder": None},
            {"valid_from": MARK},
        )
        for change in changes:
            response = front.http().post("/api/licenses/v1/licenses", json=good | change, headers=headers)
            assert 400 <= response.status_code < 500, response.text
            assert response.json()["code"]
            assert MARK not in response.text


# --- people ------------------------------------------------------------------------------------------------------


def test_a_wrong_password_signs_nobody_in_and_is_logged_nowhere(front: Front) -> None:
    portal = front.portal()
    page = portal.authorize()
    guess = "Tr0ub4dor and 3"
    front.secrets.append(guess)
    with front.nothing_written(but=COUNTED):
        answer = portal.login(page, "zhangwei", guess)
        assert answer.status_code in {200, 400, 401}
        assert "用户名或密码不正确" in answer.text
        assert guess not in answer.text
        assert "password" in form_of(answer).fields
    with front.nothing_written(but=COUNTED):
        nobody = portal.login(page, "nobody-at-all", guess)
    # Whether there is such a person is not told.
    assert _plain(nobody, "nobody-at-all") == _plain(answer, "zhangwei")


def _plain(page: Response, login: str) -> str:
    text = re.sub(r'value="[^"]*"', "", page.text.replace(login, ""))
    return f"{page.status_code} {text}"


def test_a_wrong_client_secret_gets_no_token(front: Front) -> None:
    portal = front.portal()
    with front.nothing_written(but=COUNTED):
        response = portal.token(secret="not the secret", grant_type="client_credentials")
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


def test_a_replayed_code_gives_no_tokens_and_takes_back_those_it_gave(front: Front) -> None:
    portal = front.portal()
    code = portal.code("zhangwei")
    front.secrets.extend([code, portal.verifier])
    first = portal.redeem(code).json()
    front.secrets.extend([first["access_token"], first["id_token"]])
    with front.nothing_written(but=COUNTED):
        assert portal.userinfo(first["access_token"]).status_code == 200
        again = portal.redeem(code)
        assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
        assert portal.userinfo(first["access_token"]).status_code == 401


def test_a_code_is_nobody_elses(front: Front) -> None:
    portal, thief = front.portal(), front.portal()
    code = portal.code("zhangwei")
    front.secrets.append(code)
    with front.nothing_written(but=COUNTED):
        stolen = redeem_with(thief, code, portal.verifier)
        assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")


def redeem_with(thief: Portal, code: str, verifier: str) -> Response:
    thief.verifier = verifier
    return thief.redeem(code)


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example.test/callback",
        CALLBACK + "/../evil",
        CALLBACK + "?next=evil",
        CALLBACK + "#evil",
        CALLBACK.replace("https", "http"),
        "javascript:alert(1)",
        "",
    ],
)
def test_nobody_is_sent_to_a_foreign_redirect_uri(front: Front, address: str) -> None:
    portal = front.portal()
    with front.nothing_written():
        page = portal.authorize(redirect_uri=address)
        assert page.status_code == 400
        assert "location" not in page.headers
        assert "authorize_refused" in page.text
        # Its links are to itself, in another language or another size.
        assert all(link[0] in "/?#" for link in re.findall(r'(?:href|src|action)="([^"]*)"', page.text))


def test_a_known_client_is_told_by_redirect_what_is_wrong(front: Front) -> None:
    portal = front.portal()
    with front.nothing_written():
        answer = answer_of(portal.authorize(response_type="token"))
    assert answer["error"] == "unsupported_response_type"
    assert answer["state"] == "af0ifjsldkj"


# --- strangers' pages --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v/aaaaaaaaaaaaaaaaaaaaaaaaaa", "/v/x", "/V/%00", "/v/" + "a" * 500])
def test_an_unknown_licence_is_called_unknown(front: Front, path: str) -> None:
    with front.nothing_written():
        page = front.http().get(path)
        assert page.status_code == 404
        assert "Traceback" not in page.text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/nowhere", ""),
        ("DELETE", "/oauth2/token", ""),
        ("GET", "/static/../../etc/passwd", ""),
        ("GET", "/static/%2e%2e/%2e%2e/pyproject.toml", ""),
        ("POST", "/api/licenses/v1/licenses", "{"),
        ("GET", "/api/seals/v1/sealings/x", ""),
        ("GET", "/api/seals/v1/seals/x/status?at=yesterday", ""),
    ],
)
def test_every_other_no_is_a_problem_too(front: Front, method: str, path: str, body: str) -> None:
    with front.nothing_written():
        response = front.http().request(method, path, content=body, headers={"Content-Type": "application/json"})
    assert 400 <= response.status_code < 500
    assert response.json()["code"]
    assert response.json()["request_id"] == response.headers["x-request-id"]
