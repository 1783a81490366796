"""Batches: every item sealed once or told why not; paused, stopped, cancelled; seen by their own house."""

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from crypto.digests import sm3
from kernel.errors import Forbidden
from kernel.jobs import Jobs
from kernel.outbox import EVENTS
from kernel.principal import Principal, PrincipalKind
from seal import store
from seal.batches import BatchRefused, BatchUnknown, UploadUnknown
from seal.batches.model import ITEM, Batch, BatchInvalid, BatchWish, ItemWish
from seal.batches.results import results_zip
from seal.batches.service import KEPT
from seal.errors import DocumentForged, IdempotencyMismatch, SigningUnavailable, UnsupportedDocument
from seal.model import Verdict
from seal.request import SealRequest
from tests.reliability.sealing import document
from tests.seal.conftest import CLERK, SEAL

from .conftest import Desk

OTHERS = replace(CLERK, subject="other-office", organisation="11990100MB0000000P")
COLLEAGUE = replace(CLERK, subject="colleague")


def completions(desk: Desk) -> int:
    with desk.house.db.read() as conn:
        return conn.execute(sa.select(sa.func.count()).select_from(store.COMPLETIONS)).scalar_one()


def test_every_document_of_a_batch_is_sealed_and_the_end_is_told_once(desk: Desk) -> None:
    batch = desk.create(3)
    assert desk.states(batch) == ["waiting"] * 3
    assert desk.worker().drain() == 3
    assert desk.state(batch) == "completed"
    _, tally = desk.batches.progress(batch.id, CLERK)
    assert (tally.total, tally.sealed, tally.failed, tally.open) == (3, 3, 0, 0)
    for item in desk.batches.items(batch.id, CLERK):
        assert desk.house.judge(desk.batches.sealed_file(item)).verdict is Verdict.VALID
    actions = [action for action in desk.house.actions() if action.startswith("seal.batch")]
    assert actions == ["seal.batch.created", "seal.batch.completed"]
    with desk.house.db.read() as conn:
        told = conn.execute(sa.select(EVENTS.c.data).where(EVENTS.c.type == "batch.completed")).scalars().all()
    assert [json.loads(one)["sealed"] for one in told] == [3]


def test_an_item_that_fails_leaves_the_others_to_be_sealed(desk: Desk) -> None:
    forged = document("1")

    def examine(octets: bytes) -> None:
        if octets == forged:
            raise DocumentForged("It bears an invalid signature.")

    batch = desk.create(3)
    desk.worker(examine=examine).drain()
    assert desk.states(batch) == ["sealed", "failed", "sealed"]
    failed = desk.batches.items(batch.id, CLERK)[1]
    assert (failed.failure, failed.detail) == ("document_signature_invalid", "It bears an invalid signature.")
    assert desk.state(batch) == "completed"


def test_a_batch_that_stops_at_an_error_goes_on_when_it_is_resumed(desk: Desk) -> None:
    broken = [True]

    def examine(_: bytes) -> None:
        if broken:
            broken.clear()
            raise DocumentForged("no")

    batch = desk.create(3, stop_on_error=True)
    assert desk.worker(examine=examine).drain() == 1
    assert desk.state(batch) == "stopped"
    assert sorted(desk.states(batch)) == ["failed", "waiting", "waiting"]
    desk.batches.resume(batch.id, CLERK)
    desk.worker().drain()
    assert desk.state(batch) == "completed"
    assert sorted(desk.states(batch)) == ["failed", "sealed", "sealed"]


def test_a_paused_batch_rests_and_goes_on_when_it_is_resumed(desk: Desk) -> None:
    batch = desk.create(3)
    worker = desk.worker()
    worker.step()
    desk.batches.pause(batch.id, CLERK)
    assert worker.drain() == 0
    assert sorted(desk.states(batch)) == ["sealed", "waiting", "waiting"]
    desk.batches.resume(batch.id, CLERK)
    assert worker.drain() == 2
    assert desk.state(batch) == "completed"


def test_a_batch_paused_while_an_item_is_in_hand_finishes_that_item_alone(desk: Desk) -> None:
    batch = desk.create(2)
    desk.worker(examine=lambda _: pause(desk, batch)).drain()
    assert sorted(desk.states(batch)) == ["sealed", "waiting"]
    desk.batches.resume(batch.id, CLERK)
    desk.worker().drain()
    assert desk.state(batch) == "completed"
    assert completions(desk) == 2


def pause(desk: Desk, batch: Batch) -> None:
    desk.batches.pause(batch.id, CLERK)


def test_a_cancelled_batch_keeps_what_is_sealed_and_never_begins_again(desk: Desk) -> None:
    batch = desk.create(2)
    desk.worker().step()
    desk.batches.cancel(batch.id, CLERK)
    assert desk.worker().drain() == 0
    assert sorted(desk.states(batch)) == ["cancelled", "sealed"]
    for verb in (desk.batches.resume, desk.batches.pause, desk.batches.cancel):
        with pytest.raises(BatchRefused):
            verb(batch.id, CLERK)


def test_a_vault_that_is_away_for_a_moment_costs_no_item(desk: Desk) -> None:
    class Away:
        def seal_all(self, requests: Sequence[SealRequest], *_: object, **__: object) -> list[Exception]:
            return [SigningUnavailable("The key of this seal cannot sign now.") for _ in requests]

    batch = desk.create(1)
    desk.worker(sealing=Away()).drain()  # type: ignore[arg-type]
    assert desk.states(batch) == ["waiting"]
    assert desk.state(batch) == "running"


def test_an_item_whose_worker_died_is_sealed_by_another_once(desk: Desk) -> None:
    batch = desk.create(1)
    over = timedelta(seconds=-1)

    class Dies(BaseException):
        pass

    def examine(_: bytes) -> None:
        raise Dies

    with pytest.raises(Dies):
        desk.worker(examine=examine, lease=over).step()
    assert desk.worker().drain() == 1
    assert desk.state(batch) == "completed"
    assert completions(desk) == 1


def test_an_item_that_was_sealed_before_its_worker_could_say_so_is_not_sealed_again(desk: Desk) -> None:
    batch = desk.create(3)

    class Dies(BaseException):
        pass

    class SealsAndDies:
        def seal_all(self, requests: Sequence[SealRequest], principal: Principal, **named: object) -> None:
            desk.house.service().seal_all(requests, principal, **named)  # type: ignore[arg-type]
            raise Dies

    with pytest.raises(Dies):
        desk.worker(sealing=SealsAndDies(), lease=timedelta(seconds=-1), together=8).step()  # type: ignore[arg-type]
    desk.worker(together=8).drain()
    assert desk.states(batch) == ["sealed"] * 3
    assert completions(desk) == 3


def test_a_caller_who_is_not_admitted_any_more_has_nothing_sealed(desk: Desk) -> None:
    batch = desk.create(1)
    desk.worker(standing=lambda _: False).drain()
    assert [item.failure for item in desk.batches.items(batch.id, CLERK)] == ["forbidden"]


def test_an_item_that_failed_is_sealed_when_its_sealing_is_tried_again(desk: Desk) -> None:
    broken = desk.house.service(judge=lambda octets: replace(desk.house.judge(octets), signatures=()))
    batch = desk.create(1)
    desk.worker(sealing=broken).drain()
    item = desk.batches.items(batch.id, CLERK)[0]
    assert (item.state.value, item.failure) == ("failed", "sealing_rejected_by_verifier")
    assert item.sealing is not None
    desk.house.service().retry(item.sealing, CLERK)
    assert desk.states(batch) == ["sealed"]


# --- making one ---


def test_the_same_key_gives_the_same_batch_and_another_batch_is_refused(desk: Desk) -> None:
    wish = desk.wish(2, idempotency_key="k")
    assert desk.batches.create(wish, CLERK).id == desk.batches.create(wish, CLERK).id
    with pytest.raises(IdempotencyMismatch):
        desk.batches.create(replace(wish, stop_on_error=True), CLERK)


def test_nobody_names_a_file_that_another_house_uploaded(desk: Desk) -> None:
    wish = desk.wish(1)
    with pytest.raises(UploadUnknown):
        desk.batches.create(wish, OTHERS)
    assert desk.batches.create(wish, COLLEAGUE).total == 1


def test_a_file_that_was_never_uploaded_or_has_expired_cannot_be_named(desk: Desk) -> None:
    kept_only = desk.wish(1, upload=False)
    with pytest.raises(UploadUnknown):
        desk.batches.create(kept_only, CLERK)
    wish = desk.wish(1)
    desk.house.clock.advance(KEPT)
    with pytest.raises(UploadUnknown):
        desk.batches.create(wish, CLERK)


def test_a_caller_without_the_right_makes_no_batch_and_uploads_nothing(desk: Desk) -> None:
    stranger = replace(CLERK, rights=frozenset())
    with pytest.raises(Forbidden):
        desk.batches.create(desk.wish(1), stranger)
    with pytest.raises(Forbidden):
        desk.batches.upload(document("x"), stranger)


def test_what_is_no_document_is_not_kept(desk: Desk) -> None:
    with pytest.raises(UnsupportedDocument):
        desk.batches.upload(b"plain text", CLERK)


def test_an_empty_batch_and_an_unknown_source_are_refused(desk: Desk) -> None:
    with pytest.raises(BatchInvalid):
        desk.batches.create(BatchWish(seal=SEAL, items=()), CLERK)
    with pytest.raises(BatchInvalid):
        desk.batches.create(desk.wish(1, source="nowhere"), CLERK)


@pytest.mark.parametrize("who", [OTHERS, replace(CLERK, rights=frozenset())], ids=["another house", "no right"])
def test_a_batch_is_seen_by_its_own_house_and_by_those_who_may_use_the_seal(desk: Desk, who: Principal) -> None:
    batch = desk.create(1)
    assert desk.batches.find(batch.id, COLLEAGUE).id == batch.id
    for verb in (desk.batches.find, desk.batches.pause, desk.batches.cancel, desk.batches.items):
        with pytest.raises(BatchUnknown):
            verb(batch.id, who)


class Rows:
    """Documents made from rows of data, as a floor above gives them."""

    def check(self, contents: Sequence[str], principal: Principal) -> None:
        del principal
        for content in contents:
            json.loads(content)

    def document(self, content: str) -> bytes:
        return document(json.loads(content)["name"])


def test_documents_may_be_made_from_rows_by_a_source_of_a_floor_above(desk: Desk) -> None:
    desk.sources = {"rows": Rows()}
    items = [
        ItemWish(content=json.dumps({"name": name}), request=SealRequest(document=b"", seal=SEAL))
        for name in ("甲", "乙")
    ]
    batch = desk.batches.create(BatchWish(seal=SEAL, source="rows", items=items), CLERK)
    desk.worker().drain()
    assert desk.states(batch) == ["sealed", "sealed"]


# --- results ---


def test_the_results_come_as_a_zip_with_every_file_and_a_list(desk: Desk) -> None:
    forged = document("0")

    def examine(octets: bytes) -> None:
        if octets == forged:
            raise DocumentForged("no")

    batch = desk.create(3)
    desk.worker(examine=examine).drain()
    with zipfile.ZipFile(io.BytesIO(b"".join(results_zip(desk.batches, batch.id, CLERK)))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["00002.ofd", "00003.ofd", "results.json"]
        rows = json.loads(archive.read("results.json"))["items"]
        assert [row["state"] for row in rows] == ["failed", "sealed", "sealed"]
        assert rows[1]["file_sm3"] == sm3(archive.read("00002.ofd")).hex()
        assert rows[1]["case_number"] == "YJ-1"


def test_a_seal_that_is_suspended_meanwhile_seals_nothing_more(desk: Desk) -> None:
    batch = desk.create(2)
    desk.worker().step()
    desk.house.registrar.suspend(SEAL, "audit")
    desk.worker().drain()
    assert sorted(desk.states(batch)) == ["failed", "sealed"]


def test_batches_are_listed_newest_first_to_whom_they_concern(desk: Desk) -> None:
    first = desk.create(1)
    desk.house.clock.advance(timedelta(seconds=1))
    second = desk.create(2)
    desk.batches.pause(second.id, CLERK)
    listed = desk.batches.list(CLERK)
    assert [(batch.id, batch.state.value, tally.open) for batch, tally in listed] == [
        (second.id, "paused", 2),
        (first.id, "running", 1),
    ]
    assert [batch.id for batch, _ in desk.batches.list(CLERK, after=second.id)] == [first.id]
    assert [batch.id for batch, _ in desk.batches.list(CLERK, limit=1)] == [second.id]
    officer = Principal(subject="officer", kind=PrincipalKind.PERSON, rights=frozenset({f"seal.use:{SEAL}"}))
    assert len(desk.batches.list(officer)) == 2
    assert desk.batches.resume(second.id, officer).state.value == "running"
    strangers = (
        OTHERS,
        replace(officer, rights=frozenset({"seal.use:1", "seal.manage:*"})),
        replace(CLERK, organisation=None),
    )
    for stranger in strangers:
        assert desk.batches.list(stranger) == ()
        with pytest.raises((BatchUnknown, Forbidden)):
            desk.batches.find(second.id, stranger)


# --- several items in one hand ---


def test_items_taken_in_hand_together_are_sealed_once_each(desk: Desk) -> None:
    batch = desk.create(5)
    assert desk.worker(together=4).drain() == 2
    assert (desk.state(batch), desk.states(batch)) == ("completed", ["sealed"] * 5)
    assert completions(desk) == 5


def test_of_items_in_one_hand_the_one_that_fails_fails_alone(desk: Desk) -> None:
    forged = document("1")

    def examine(octets: bytes) -> None:
        if octets == forged:
            raise DocumentForged("It bears an invalid signature.")

    batch = desk.create(3)
    desk.worker(together=8, examine=examine).drain()
    assert desk.states(batch) == ["sealed", "failed", "sealed"]
    assert desk.batches.items(batch.id, CLERK)[1].failure == "document_signature_invalid"


def test_a_batch_that_stops_at_an_error_has_one_item_in_hand_at_a_time(desk: Desk) -> None:
    def examine(octets: bytes) -> None:
        if octets == document("0"):
            raise DocumentForged("It bears an invalid signature.")

    batch = desk.create(3, stop_on_error=True)
    desk.worker(together=8, examine=examine).step()
    assert (desk.state(batch), desk.states(batch)) == ("stopped", ["failed", "waiting", "waiting"])


def test_documents_beyond_the_room_wait_for_their_turn(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seal.batches.running.ROOM", 1)
    batch = desk.create(4)
    worker = desk.worker(together=8)
    worker.step()
    assert desk.states(batch).count("sealed") == 1
    worker.drain()
    assert desk.states(batch) == ["sealed"] * 4


def test_a_file_that_was_examined_when_it_came_is_not_examined_again(desk: Desk) -> None:
    def never(_: bytes) -> None:
        raise AssertionError

    batches = desk.batches
    seen: list[bytes] = []
    batches._examine = seen.append
    wish = desk.wish(2)
    for number in range(2):
        batches.upload(document(f"{number}"), CLERK)
    batch = batches.create(wish, CLERK)
    desk.worker(together=8, examine=never).drain()
    assert desk.states(batch) == ["sealed"] * 2
    assert len(seen) == 2


def test_a_batch_ends_though_its_last_item_was_taken_over_and_sealed_by_the_one_before(desk: Desk) -> None:
    batch = desk.create(1)
    gone = timedelta(seconds=-1)

    def taken_over(_: Principal) -> bool:
        return Jobs(desk.house.db, lease=gone).claim([ITEM], "another worker") is not None

    desk.worker(standing=taken_over, lease=gone).step()
    assert desk.states(batch) == ["sealed"]
    desk.worker().drain()
    assert desk.state(batch) == "completed"
