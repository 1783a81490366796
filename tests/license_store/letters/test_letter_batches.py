"""Batches of rows: a letter for each, sealed once, whatever happens to the worker."""

import io
import json
import zipfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import sqlalchemy as sa
from httpx2 import Client

from kernel.principal import Principal
from license_store.letters.model import LetterTemplateUnknown
from seal.batches.store import BATCHES as BATCH_ROWS
from seal.model import Verdict
from seal.request import SealRequest
from seal.store import SEALINGS
from seal.verifying import verify_in_process
from tests.license_store.town import SEAL, Authority

from .conftest import ELSEWHERE, WRITER, Office, row, shape

BATCHES = "/api/seals/v1/batches"
EXAMPLES = Path(__file__).resolve().parents[3] / "examples/letters"
TEMPLATE = {"source": "letters", "code": "permit", "version": 1}


def order(*rows: dict[str, str], **options: Any) -> dict[str, Any]:
    return {"seal": SEAL, "template": {**TEMPLATE, **options}, "rows": list(rows)}


@pytest.fixture
def defined(writer: Client) -> Client:
    assert writer.post("/api/licenses/v1/letter-templates/permit/versions", json=shape()).status_code == 201
    return writer


def test_each_row_becomes_one_sealed_letter(office: Office, defined: Client, authority: Authority) -> None:
    # A second file of one name, and a name that is no name on any disk.
    rows = [row(1), row(2), row(3), row(4, 申请人="示例公司2"), row(5, 申请人="../CON:")]
    wanted = order(*rows, case_number_from="号", file_name_from="申请人", reason="准予许可")
    made = defined.post(BATCHES, json=wanted, headers={"Idempotency-Key": "k"})
    assert (made.status_code, made.json()["source"]) == (202, "letters")
    # A newer version of the template is another template.
    defined.post("/api/licenses/v1/letter-templates/permit/versions", json=shape(title="补正通知书"))
    assert defined.post(BATCHES, json=wanted, headers={"Idempotency-Key": "k"}).json()["id"] == made.json()["id"]
    other = {**wanted, "rows": rows[:1]}
    told = defined.post(BATCHES, json=other, headers={"Idempotency-Key": "k"})
    assert (told.status_code, told.json()["code"]) == (422, "idempotency_mismatch")

    office.worker().drain()

    done = defined.get(made.headers["location"]).json()
    assert (done["state"], done["sealed"], done["failed"]) == ("completed", 5, 0)
    items = defined.get(done["items_url"]).json()["items"]
    assert [(item["row"], item["case_number"], item["document_sm3"]) for item in items] == [
        (number, f"{number}", None) for number in range(1, 6)
    ]
    with zipfile.ZipFile(io.BytesIO(defined.get(done["results_url"]).content)) as archive:
        listed = json.loads(archive.read("results.json"))["items"]
        names = [item["file"] for item in listed]
        assert names == ["示例公司1.pdf", "示例公司2.pdf", "示例公司3.pdf", "示例公司2-00004.pdf", "_CON.pdf"]
        for data, name in zip(rows, names, strict=True):
            document = archive.read(name)
            assert verify_in_process(document, authority.ca.trust()).verdict is Verdict.VALID
            with pypdfium2.PdfDocument(document) as pdf:
                text = pdf[0].get_textpage().get_text_range()
            assert f"〔2026〕{data['号']}号" in text
            assert f"{data['申请人']}：" in text
            assert "准予许可决定书" in text


def test_a_worker_that_dies_leaves_one_letter_a_row(office: Office, defined: Client) -> None:
    place = defined.post(BATCHES, json=order(row(1), row(2))).headers["location"]

    class Dies(BaseException):
        pass

    class SealsAndDies:
        def seal_all(self, requests: Sequence[SealRequest], principal: Principal, **named: object) -> None:
            office.town.sealer.service.seal_all(requests, principal, **named)  # type: ignore[arg-type]
            raise Dies

    with pytest.raises(Dies):
        office.worker(SealsAndDies(), lease=timedelta(seconds=-1)).step()
    # Another process: nothing it knows but what is on record.
    office.worker().drain()
    assert defined.get(place).json()["sealed"] == 2
    with office.town.db.read() as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(SEALINGS)).scalar_one() == 2


def test_contents_of_others_and_of_no_sense_are_refused(office: Office, defined: Client) -> None:
    del defined
    (made,) = office.source.contents("permit", 1, [row()], WRITER)
    office.source.check([made.content], WRITER)
    for content, caller in ((made.content, ELSEWHERE), ("{}", WRITER), ("no", WRITER), ('{"row": []}', WRITER)):
        with pytest.raises(LetterTemplateUnknown):
            office.source.check([content], caller)


def test_a_batch_is_made_of_a_table(writer: Client) -> None:
    text, table = ((EXAMPLES / name).read_bytes() for name in ("decision.json", "decisions.csv"))
    place = "/api/licenses/v1/letter-templates/decision/versions"
    assert writer.post(place, content=text, headers={"content-type": "application/json"}).status_code == 201
    options: dict[str, str | int] = {"seal": SEAL, "source": "letters", "code": "decision", "version": 1}
    csv = {"content-type": "text/csv"}

    def sent(octets: bytes, **more: str) -> tuple[int, dict[str, Any]]:
        answer = writer.post(f"{BATCHES}/rows", params={**options, **more}, content=octets, headers=csv)
        return answer.status_code, answer.json()

    status, made = sent(table, case_number_from="号")
    assert (status, made["total"], made["source"]) == (202, 3, "letters")
    status, told = sent(table.decode("utf-8-sig").encode("gb18030"))
    assert (status, told["code"]) == (400, "batch_table_unreadable")
    assert "CSV UTF-8" in told["detail"]
    _, told = sent(table.replace("云江市虚构物流有限公司".encode(), b""))
    assert (told["code"], told["detail"]) == ("letter_rows_invalid", "row 2, 申请人: missing")
    assert [sent(table, x="1")[0], sent(table, version="0")[0], sent(table, case_number_from="x")[0]] == [422, 422, 400]


def test_nothing_is_made_of_what_does_not_fit(office: Office, defined: Client) -> None:
    cases: list[tuple[dict[str, Any], int, str]] = [
        ({"rows": [row(), row(号="")]}, 400, "letter_rows_invalid"),
        ({"rows": []}, 422, "request_invalid"),
        ({"rows": [{"号": 1}]}, 422, "request_invalid"),
        ({"rows": None}, 422, "request_invalid"),
        ({"items": [{"sm3": "0" * 64}]}, 422, "request_invalid"),
        ({"template": {**TEMPLATE, "version": 2}}, 404, "letter_template_unknown"),
        ({"template": {**TEMPLATE, "source": "files"}}, 400, "batch_invalid"),
        ({"template": {**TEMPLATE, "file_name_from": "别的"}}, 400, "batch_invalid"),
        ({"seal": "44030000000099"}, 403, "forbidden"),
    ]
    for changes, status, code in cases:
        told = defined.post(BATCHES, json={**order(row()), **changes})
        assert (told.status_code, told.json()["code"]) == (status, code), changes
        assert "示例公司" not in told.text
    with office.town.db.read() as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(BATCH_ROWS)).scalar_one() == 0
