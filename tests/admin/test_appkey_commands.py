"""`xinyin client appkey` and `xinyin webhook`, and a gateway that calls the whole service with what they gave."""

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from admin import faces
from admin.build import services
from admin.deferring import outbox
from kernel.audit import AuditLog
from kernel.db import Database, database_now
from kernel.jobs import JOBS
from tests.admin.conftest import Town, Xinyin
from tests.inprocess import browser
from tests.sims.receiver import Receiver

GATEWAY: Any = runpy.run_path(str(Path(__file__).resolve().parents[2] / "examples/gateway/gateway.py"))["Gateway"]
HOOK = "https://approval.example.test/hooks"


def shown(out: str) -> dict[str, str]:
    return dict(line.split(maxsplit=1) for line in out.splitlines())


def test_a_gateway_gets_an_app_key_calls_and_is_stopped(
    xinyin: Xinyin, town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    client, seal = town.world.department_id, town.world.seal
    made = xinyin("client", "appkey", "add", client, "--label", "网关", "--days", "30", **town.given)
    assert made.code == 0, made.err
    given = shown(made.out)
    public = town.settings.public_url
    gateway = GATEWAY(service=public, app_key=given["app_key"], secret=given["app_secret"])
    pdf = (Path(__file__).resolve().parents[2] / "examples/samples/approval.pdf").read_bytes()
    with services(town.settings) as service, browser(faces.application(service), public) as http:

        def call(method: str, target: str, body: bytes = b"", **more: str) -> Any:
            headers = gateway.headers(method, target, body=body, **more)
            return http.request(method, target, content=body, headers={**headers, "Accept": "application/json"})

        assert call("GET", "/api/licenses/v1/types").status_code == 200
        sealings = f"/api/seals/v1/seals/{seal}/sealings?page=1&x_mm=20&y_mm=30&case_number=%E4%BA%91-1"
        sealed = call("POST", sealings, pdf, content_type="application/pdf", idempotency_key="YJ-1")
        assert (sealed.status_code, sealed.json()["seal"]) == (201, seal), sealed.text
        again = call("POST", sealings, pdf, content_type="application/pdf", idempotency_key="YJ-1")
        assert again.headers["idempotency-replayed"] == "true"
        with service.database.read() as conn:
            callers = {e.actor for e in service.audit.about(conn, sealed.json()["id"])}
        assert callers == {client}
        assert call("GET", f"/api/seals/v1/seals/{seal}/status").status_code == 200
        listed = json.loads(xinyin("client", "appkey", "list", client, "--json", **town.given).out)["app_keys"]
        assert [(row["app_key"], row["label"], row["alive"], row["in_use"]) for row in listed] == [
            (given["app_key"], "网关", True, True)
        ]
        ended = xinyin("client", "appkey", "end", given["app_key"], **town.given)
        assert ended.code == 0, ended.err
        assert call("GET", "/api/licenses/v1/types").json()["code"] == "signature_refused"
        described = http.get("/api/openapi.json").json()
    ways: list[dict[str, list[str]]] = [{"bearer": []}, {"appKey": []}]
    for path, methods in described["paths"].items():
        for one in methods.values():
            if one.get("security"):
                assert re.match(r"/api/(seals|licenses)/v1/", path)
                assert sorted(one["security"], key=str) == sorted(ways, key=str)
    assert "ended" in xinyin("client", "appkey", "list", client, **town.given).out
    assert given["app_secret"] not in capsys.readouterr().out


def test_an_app_key_that_cannot_be_is_refused_in_a_sentence(xinyin: Xinyin, town: Town) -> None:
    for arguments in (
        ["add", "nobody"],
        ["add", town.world.portal_id],
        ["add", town.world.department_id, "--days", "0"],
        ["list", "nobody"],
        ["end", "ak_" + "a" * 26],
    ):
        done = xinyin("client", "appkey", *arguments, **town.given)
        assert (done.code, done.err.count("\n")) == (64, 1), arguments
    assert "never" in xinyin("client", "appkey", "list", town.world.department_id, **town.given).out


def test_webhooks_are_managed_in_a_clients_place(xinyin: Xinyin, town: Town) -> None:
    client = town.world.department_id
    made = xinyin("webhook", "add", client, HOOK, "--event", "batch.completed", **town.given)
    assert made.code == 0, made.err
    given = shown(made.out)
    assert given["secret"].startswith("whsec_")
    listed = json.loads(xinyin("webhook", "list", client, "--json", **town.given).out)["webhooks"]
    assert [(row["id"], row["url"], row["events"]) for row in listed] == [(given["webhook"], HOOK, ["batch.completed"])]
    assert listed[0]["client"] == client
    assert HOOK in xinyin("webhook", "list", client, **town.given).out
    nothing = xinyin("webhook", "deliveries", client, given["webhook"], **town.given)
    assert (nothing.code, nothing.out) == (0, "nothing was told yet\n")
    assert "0 are due" in xinyin("webhook", "replay", client, given["webhook"], **town.given).out
    assert xinyin("webhook", "end", client, given["webhook"], **town.given).code == 0
    assert "no webhooks" in xinyin("webhook", "list", client, **town.given).out
    database = Database(town.settings.database)
    with database.read() as conn:
        entries = list(AuditLog().about(conn, given["webhook"]))
    database.dispose()
    assert {(e.actor, e.action) for e in entries} == {
        ("operator", "seal.webhook.registered"),
        ("operator", "seal.webhook.replay_requested"),
        ("operator", "seal.webhook.ended"),
    }


def test_what_a_webhook_was_told_is_listed_and_told_again(xinyin: Xinyin, town: Town) -> None:
    client = town.world.department_id
    with Receiver() as receiver:
        given = {**town.given, "webhook_hosts": "127.0.0.1"}
        webhook = shown(xinyin("webhook", "add", client, receiver.url, **given).out)["webhook"]
        settings = town.settings.model_copy(update={"webhook_hosts": "127.0.0.1"})
        with services(settings) as service:
            with service.database.begin() as conn:
                data = {"batch": "b" * 26, "state": "completed"}
                now = service.clock.now()
                outbox().add(conn, key="batch/1", kind="batch.completed", at=now, data=data, client=client)
            receiver.status = 500
            service.deferred.worker().drain()
            unheard = xinyin("webhook", "deliveries", client, webhook, **given)
            assert (unheard.code, "HTTP 500, 1 tries" in unheard.out) == (1, True), unheard.out
            told = json.loads(xinyin("webhook", "deliveries", client, webhook, "--json", **given).out)["deliveries"]
            assert [(row["type"], [each["status"] for each in row["tries"]]) for row in told] == [
                ("batch.completed", [500])
            ]
            receiver.status = 204
            again = xinyin("webhook", "replay", client, webhook, "--event", told[0]["id"], **given)
            assert again.code == 0, again.err
            with service.database.begin() as conn:
                conn.execute(sa.update(JOBS).values(due=database_now(conn)))
            service.deferred.worker().drain()
        heard = xinyin("webhook", "deliveries", client, webhook, **given)
        assert (heard.code, "HTTP 204, 2 tries" in heard.out) == (0, True), heard.out
        assert len({one.headers["webhook-id"] for one in receiver.received}) == 1


def test_a_webhook_that_cannot_be_is_refused_in_a_sentence(xinyin: Xinyin, town: Town) -> None:
    client = town.world.department_id
    for arguments in (
        ["add", "nobody", HOOK],
        ["add", client, "http://10.0.0.1/hook"],
        ["add", client, HOOK, "--event", "seal.stolen"],
        ["end", client, "a" * 26],
        ["deliveries", client, "a" * 26],
        ["replay", client, "a" * 26, "--since", "yesterday"],
        ["replay", client, "a" * 26, "--since", "2026-11-20T08:00:00Z", "--event", "b" * 26],
    ):
        done = xinyin("webhook", *arguments, **town.given)
        assert (done.code, done.err.count("\n")) == (64, 1), (arguments, done.err)
