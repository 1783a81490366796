"""A whole service on a port of this machine, with something at every address of its API."""

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
import uvicorn

from admin import devworld, faces
from admin.build import Service, services
from admin.devworld import DEPARTMENT_CODE, DevWorld
from admin.settings import Settings
from kernel.clock import SystemClock
from kernel.principal import Principal, PrincipalKind
from seal.affairs.model import Verdict
from tests.cheap import cheap

ROOT = Path(__file__).resolve().parents[2]
API = "/api/seals/v1"


@dataclass(frozen=True, kw_only=True)
class World:
    """An address, whoever may do everything there, and what is there to be asked for."""

    address: str
    description: dict[str, Any]
    """Of the API, as the service gives it."""
    client: str
    secret: str
    files: tuple[bytes, ...]
    known: Mapping[str, tuple[str, ...]]
    """What means something here, by the parameter or the member that takes it."""
    doomed: Mapping[str, tuple[str, ...]]
    """The same for calls that put an end to what they name."""
    orders: Mapping[str, tuple[Mapping[str, Any] | bytes, ...]]
    """Bodies that are taken, by the operation."""
    asked: Mapping[str, Mapping[str, Any]]
    """Queries that are taken, by the operation."""

    def token(self) -> str:
        """Get a token for the client, with all its rights."""
        form = {"grant_type": "client_credentials"}
        answer = requests.post(f"{self.address}/oauth2/token", data=form, auth=(self.client, self.secret), timeout=30)
        answer.raise_for_status()
        return str(answer.json()["access_token"])


@contextmanager
def served(folder: Path) -> Iterator[World]:
    """Serve an invented world in ``folder`` until the block ends. Nothing is delivered and nothing runs beside."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        address = f"http://127.0.0.1:{port}"
        given = Settings(home=folder / "home", public_url=address, port=port, webhook_hosts="127.0.0.1")
        settings = devworld.settings_of(given)
        with cheap():
            world = devworld.make(settings, portal_url="http://127.0.0.1:9", clock=SystemClock())
        stamps = {"tsa": f"{address}/pki/tsa/sm2", "tsa_p256": f"{address}/pki/tsa/p256"}
        with services(settings.model_copy(update=stamps)) as service, _running(faces.application(service), listener):
            yield _furnished(service, world, address)


@contextmanager
def _running(app: object, listener: socket.socket) -> Iterator[None]:
    config = uvicorn.Config(app, log_config=None, lifespan="off", access_log=False)  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(20)


_LETTER = {
    "title": "决定书",
    "addressee": "{name}：",
    "paragraphs": ["准予许可。"],
    "issuer": "示例市数据局",
    "date": "2026年11月22日",
    "fields": [{"name": "name"}],
}


def _rights(seal: str) -> tuple[str, ...]:
    # Not seal.lose: it acts at once, and no case after it would meet a seal that seals.
    licences = ("license.issue:*", "license.read:*", "license.revoke:*")
    renewing = ("document.renew:*",)
    return (
        f"seal.use:{seal}",
        f"seal.use_digest:{seal}",
        *renewing,
        "seal.apply:*",
        "seal.file:*",
        "seal.manage:*",
        "webhook.manage:*",
        "license.template:*",
        *licences,
    )


def _furnished(service: Service, world: DevWorld, address: str) -> World:
    made = service.registry.create_client(
        name="审批系统", client_id="contract", organisation=DEPARTMENT_CODE, rights=_rights(world.seal)
    )
    samples = ROOT / "examples" / "samples"
    licence = json.loads((ROOT / "examples" / "licence" / "business-licence.json").read_text("utf-8"))
    bare = World(
        address=address,
        description=requests.get(f"{address}/api/openapi.json", timeout=30).json(),
        client="contract",
        secret=made.secret or "",
        files=((samples / "approval.pdf").read_bytes(), (samples / "approval.ofd").read_bytes()),
        known={},
        doomed={},
        orders={},
        asked={},
    )
    officer = _Officer(service, world.seal)
    with requests.Session() as http:
        http.headers["Authorization"] = f"Bearer {bare.token()}"
        hand = _Hand(http, address, world.seal, bare.files, {**licence, "seal": world.seal})
        known, doomed = hand.things(), hand.things(batches=12)
        for batch in doomed["batch"][::3]:
            hand.pause(batch)
        officer.give(hand.grant())
        for use in known["use_request"][1:]:
            officer.approve(use)
        asked = hand.asked(known)
        sealed = http.get(f"{address}{API}/sealings/{known['sealing'][0]}/document", timeout=60).content
    # One batch comes to its end; those made for steering wait.
    service.deferred.worker().drain(2)
    return replace(bare, files=(*bare.files, sealed), known=known, doomed=doomed, orders=hand.orders, asked=asked)


class _Officer:
    """The second person, who decides what a system has asked for."""

    def __init__(self, service: Service, seal: str) -> None:
        self._service = service
        rights = frozenset({f"seal.use.approve:{seal}", f"seal.approve:{seal}"})
        self._who = Principal(subject="officer", kind=PrincipalKind.PERSON, rights=rights)

    def approve(self, use: str) -> None:
        """Approve a use request."""
        shown = self._service.uses.find(use, self._who).request_hash
        self._service.uses.decide(use, Verdict.APPROVE, self._who, request_hash=shown)

    def give(self, affair: str) -> None:
        """Let an affair be carried out."""
        shown = self._service.affairs.find(affair, self._who).payload_sm3
        self._service.affairs.decide(affair, Verdict.APPROVE, self._who, payload_sm3=shown)


class _Hand:
    """Puts one thing of each kind there, by asking for it."""

    def __init__(
        self, http: requests.Session, address: str, seal: str, files: tuple[bytes, ...], licence: Mapping[str, Any]
    ) -> None:
        self._http = http
        self._address = address
        self._seal = seal
        self._files = files
        self._number = 0
        kept = [self._post(f"{API}/uploads", data=file)["sm3"] for file in files]
        self._digests = tuple(kept)
        self._paper = self._post(f"{API}/papers", data=b"paper")["object_key"]
        papers = [{"kind": "application", "object_key": self._paper}]
        grant = {"subject": "another", "valid_from": "2026-01-01T00:00:00Z", "valid_to": "2099-01-01T00:00:00Z"}
        affair = {"seal": seal, "reason": "r", "papers": papers}
        self.orders: dict[str, tuple[Mapping[str, Any] | bytes, ...]] = {
            "createBatch": ({"seal": seal, "items": [{"sm3": each} for each in kept]},),
            "proposeAffair": (
                {**affair, "action": "policy", "payload": {"use": "open"}},
                {**affair, "action": "grant", "payload": grant},
            ),
            "createBatchOfRows": ("name\n甲\n乙\n".encode(),),
            "createWebhook": ({"url": "http://127.0.0.1:9/hook", "events": ["batch.completed"]},),
            "issueLicense": (licence,),
            "revokeLicense": ({"legal_basis": "《示例条例》第十二条第一款", "reason": "r"},),
            "replayWebhook": ({},),
            "defineLetterTemplate": (_LETTER,),
            "previewLetter": ({"row": {"name": "甲"}},),
            "sealDigest": ({"format": "digest-pades-sm2", "algorithm": "SM3", "digest": "66c7f0f4" * 8},),
        }

    def things(self, *, batches: int = 2) -> dict[str, tuple[str, ...]]:
        """Put one of each kind there, or a few where calls use them up."""
        sealed = [
            self._post(f"{API}/seals/{self._seal}/sealings", data=file, params={"case_number": "A-1"})["id"]
            for file in self._files
        ]
        sealed.append(self._order("sealDigest", f"/seals/{self._seal}/digests")["id"])
        uses = [self._post(f"{API}/seals/{self._seal}/use-requests", data=file) for file in self._files]
        affair = self._order("proposeAffair", "/affairs")
        # The words that end a thing name it, so these stand in the end for the things of the second time: the doomed.
        self.orders["decideUseRequest"] = ({"verdict": "withdraw", "request_hash": uses[0]["request_hash"]},)
        self.orders["decideAffair"] = ({"verdict": "withdraw", "payload_sm3": affair["payload_sm3"]},)
        template = self._post("/api/licenses/v1/letter-templates/letter/versions", json=_LETTER)
        return {
            "code": (template["code"],),
            "version": (str(template["version"]),),
            "seal": (self._seal,),
            "sealing": tuple(sealed),
            "batch": tuple(self._order("createBatch", "/batches")["id"] for _ in range(batches)),
            "webhook": (self._order("createWebhook", "/webhooks")["id"],),
            "affair": (affair["id"],),
            "use_request": tuple(each["id"] for each in uses),
            "month": (f"{datetime.now(UTC):%Y-%m}",),
            "object_key": (self._paper,),
            "sm3": self._digests,
            "public_id": (self._post("/api/licenses/v1/licenses", json=self.orders["issueLicense"][0])["id"],),
        }

    def asked(self, known: Mapping[str, tuple[str, ...]]) -> dict[str, dict[str, Any]]:
        """Give queries that name what is there."""
        (code,), (version,), (affair,) = known["code"], known["version"], known["affair"]
        page = self._http.get(f"{self._address}{API}/ledger", params={"limit": 1}, timeout=60).json()
        return {
            "createBatchOfRows": {"seal": self._seal, "source": "letters", "code": code, "version": version},
            "getLedger": {"after": page["next"], "seal": self._seal, "state": "completed"},
            "listAffairs": {"after": affair, "seal": self._seal},
            "listBatches": {"after": known["batch"][-1]},
            "listUnsealed": {"after": known["sealing"][0]},
            "listUseRequests": {"after": known["use_request"][-1]},
        }

    def pause(self, batch: str) -> None:
        """Let a batch wait, so that it can go on."""
        self._post(f"{API}/batches/{batch}/pause")

    def grant(self) -> str:
        """Propose leave to use the seal; give the affair."""
        return str(self._order("proposeAffair", "/affairs", which=-1)["id"])

    def _order(self, operation: str, path: str, which: int = 0) -> dict[str, Any]:
        return self._post(API + path, json=self.orders[operation][which])

    def _post(self, path: str, **what: Any) -> dict[str, Any]:
        self._number += 1
        headers = {"Idempotency-Key": f"thing-{self._number}"}
        answer = self._http.post(self._address + path, headers=headers, timeout=60, **what)
        assert answer.ok, answer.text
        return dict(answer.json())
