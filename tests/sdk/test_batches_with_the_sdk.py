"""Batches, what was not sealed, and licences with the SDK, against the whole service."""

import asyncio
import io
import json
import zipfile
from datetime import date
from pathlib import Path

import pytest

from tests.reliability.sealing import document
from tests.sdk.conftest import Running, unsealed
from xinyin_sdk import Conflict, Holder, NotFound, Order, RequestInvalid, Upload, Xinyin

LICENCE = json.loads(
    (Path(__file__).resolve().parents[2] / "examples/licence/business-licence.json").read_text("utf-8")
)


def orders(*names: str) -> list[Order]:
    return [Order(document=document(name), case_number=name) for name in names]


def test_a_batch_is_watched_to_its_end_and_its_results_saved(office: Xinyin, running: Running, tmp_path: Path) -> None:
    kept = office.batches.upload(document("A-4"))
    wanted = [*orders("A-1", "A-2", "A-3"), Order(document=kept, case_number="A-4", placement="keyword:nowhere")]
    batch = office.batches.create(running.seal, wanted, idempotency_key="batch-1")
    again = office.batches.create(running.seal, wanted, idempotency_key="batch-1")
    assert again.id == batch.id
    seen = list(office.batches.watch(batch.id, every=0.2))
    assert [one.sealed for one in seen] == sorted(one.sealed for one in seen)
    assert len(seen) == len(set(seen))
    last = seen[-1]
    assert (last.state, last.total, last.sealed, last.failed, last.open) == ("completed", 4, 3, 1, 0)
    items = list(office.batches.items(batch.id))
    assert [(item.case_number, item.state, item.failure) for item in items] == [
        ("A-1", "sealed", None),
        ("A-2", "sealed", None),
        ("A-3", "sealed", None),
        ("A-4", "failed", "placement_refused"),
    ]
    saved = office.batches.save_results(batch.id, tmp_path / "results.zip")
    with zipfile.ZipFile(saved) as archive:
        assert archive.namelist() == ["00001.ofd", "00002.ofd", "00003.ofd", "results.json"]
        assert office.verify(archive.read("00001.ofd")).is_valid
    with pytest.raises(FileExistsError):
        office.batches.save_results(batch.id, saved)
    assert [path.name for path in tmp_path.iterdir()] == ["results.zip"]


def test_a_batch_is_steered_as_far_as_its_state_allows(office: Xinyin, running: Running) -> None:
    batch = office.batches.create(running.seal, orders("B-1"))
    list(office.batches.watch(batch.id, every=0.2))
    for steer in (office.batches.pause, office.batches.resume, office.batches.cancel):
        with pytest.raises(Conflict, match="batch_refused"):
            steer(batch.id)
    with pytest.raises(NotFound):
        office.batches.get("no-such-batch")
    with pytest.raises(NotFound):
        office.batches.create(running.seal, [Order(document=Upload(sm3="0" * 64, size=1, expires_at=batch.created_at))])
    with pytest.raises(RequestInvalid):
        office.batches.create(running.seal, [])
    with pytest.raises(ValueError, match="empty"):
        office.batches.create(running.seal, [*orders("B-1"), Order(document=b"")])


def test_the_same_in_an_event_loop(running: Running, tmp_path: Path) -> None:
    async def story() -> None:
        async with running.async_client() as office:
            sealed = await office.seals.seal(io.BytesIO(document("C-0")), seal=running.seal)
            out = await sealed.save_to(tmp_path / "sealed.ofd")
            assert out.read_bytes() == await sealed.document()
            assert (await office.verify(out)).is_valid
            batch = await office.batches.create(running.seal, orders("C-1", "C-2"), at_once=2)
            seen = [one async for one in office.batches.watch(batch.id, every=0.2)]
            assert (seen[-1].state, seen[-1].sealed) == ("completed", 2)
            assert [item.case_number async for item in office.batches.items(batch.id)] == ["C-1", "C-2"]
            saved = await office.batches.save_results(batch.id, tmp_path / "results.zip")
            assert zipfile.is_zipfile(saved)
            assert [each.action async for each in office.affairs.list(seal=running.seal)]
            assert "office" in repr(office)

    asyncio.run(story())


def test_what_was_not_sealed_is_listed_and_finished(office: Xinyin, running: Running) -> None:
    unsealed(running, document("D-1"), case_number="D-1")
    (stuck,) = (each for each in office.sealings.unsealed() if each.case_number == "D-1")
    assert (stuck.state, stuck.failure) == ("failed", "sealing_rejected_by_verifier")
    sealed = office.sealings.retry(stuck.id)
    assert (sealed.serial, sealed.report.verdict) == (stuck.serial, "valid")
    assert stuck.id not in {each.id for each in office.sealings.unsealed()}


def test_a_licence_is_issued_fetched_and_revoked(office: Xinyin, running: Running) -> None:
    told = {**LICENCE, "holder": Holder(**LICENCE["holder"]), "valid_from": date.fromisoformat(LICENCE["valid_from"])}
    licence = office.licenses.issue(**told, seal=running.seal, idempotency_key="licence-1")
    assert office.licenses.issue(**told, seal=running.seal, idempotency_key="licence-1").id == licence.id
    assert office.licenses.document(licence.id).startswith(b"%PDF-")
    revoked = office.licenses.revoke(licence.id, legal_basis="《示例条例》第十二条", reason="提交虚假材料取得登记")
    assert [change.status for change in revoked.changes][-1] == revoked.status == "revoked"
    assert office.licenses.get(licence.id) == revoked
    assert office.licenses.verdict(licence.id).verdict == "GENUINE_REVOKED"
    assert licence.type in {each.code for each in office.licenses.types().types}
