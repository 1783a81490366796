"""What was kept for a while is let go, and nothing that anybody needs ever is."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from crypto.digests import sm3
from kernel.audit import entries
from kernel.db import METADATA
from kernel.objects import ObjectNotFound
from license_store.store import objects_in_use
from seal.affairs.model import Verdict
from seal.batches import BatchService
from seal.batches.model import BatchWish, ItemWish
from seal.batches.service import KEPT
from seal.batches.store import UPLOADS
from seal.errors import SealingRejected
from seal.model import UsePolicy
from seal.tidying import ASIDE, KEPT_ASIDE, Tidying, in_use
from seal.usage.approvals import LONGEST_LIFE
from tests.reliability.sealing import document
from tests.seal.conftest import CLERK, SEAL, House, request
from tests.seal.usage.conftest import OFFICER, set_policy, uses_of

KEEP = timedelta(days=90)


def tidying(house: House, **changes: Any) -> Tidying:
    given = {"keep": KEEP, **changes}
    return Tidying(db=house.db, audit=house.audit, clock=house.clock, objects=house.objects, **given)


def batches(house: House) -> BatchService:
    return BatchService(
        db=house.db, audit=house.audit, clock=house.clock, objects=house.objects, register=house.register
    )


def run_for(house: House, tidy: Tidying, time: timedelta) -> None:
    """Tidy now and again while ``time`` passes."""
    for _ in range(2):
        tidy.tidy()
        house.clock.advance(time / 2)
    tidy.tidy()


def held(house: House, content: bytes) -> bool:
    """Tell whether the object stands in its place, or would come back."""
    return house.objects.has(sm3(content).hex())


def test_a_source_goes_when_its_time_is_over_and_its_result_stays(house: House) -> None:
    first = document("first")
    made = house.service().seal(request(first, idempotency_key="K"), CLERK)
    tidy = tidying(house)
    run_for(house, tidy, KEEP - timedelta(days=1))
    assert tidy.tidy() == 0
    assert held(house, first)
    house.clock.advance(timedelta(days=2))
    assert tidy.tidy() == 1
    assert held(house, first), "it comes back for whoever asks"
    run_for(house, tidy, KEPT_ASIDE * 4)
    assert not held(house, first)
    assert house.service().seal(request(first, idempotency_key="K"), CLERK).document == made.document


def test_a_source_is_kept_for_ever_where_that_is_asked(house: House) -> None:
    house.service().seal(request(document("x")), CLERK)
    house.clock.advance(timedelta(days=4000))
    assert tidying(house, keep=timedelta(0)).tidy() == 0


def test_what_an_unfinished_sealing_needs_is_kept_and_another_need_brings_it_back(house: House) -> None:
    same, stuck = document("same"), document("stuck")

    def refuse(_: bytes) -> Any:
        raise SealingRejected("for the test")

    with pytest.raises(SealingRejected):
        house.service(judge=refuse).seal(request(stuck), CLERK)
    house.service().seal(request(same), CLERK)
    house.clock.advance(KEEP + timedelta(days=1))
    tidy = tidying(house)
    assert tidy.tidy() == 1
    # Set aside, and asked for again before it is destroyed: the new sealing's own source.
    house.service().seal(request(same, reason="again"), CLERK)
    run_for(house, tidy, KEPT_ASIDE)
    assert held(house, same)
    assert held(house, stuck)


def test_a_result_that_was_sealed_again_stays_as_a_result(house: House) -> None:
    service = house.service()
    once = service.seal(request(document("once")), CLERK)
    service.seal(request(once.document), CLERK)
    house.clock.advance(KEEP + timedelta(days=1))
    run_for(house, tidying(house), KEPT_ASIDE * 2)
    assert held(house, once.document)


def test_expired_uploads_go_but_not_those_that_a_batch_waits_for(house: House) -> None:
    desk = batches(house)
    free, waiting = document("free"), document("waiting")
    desk.upload(free, CLERK)
    item = ItemWish(content=desk.upload(waiting, CLERK).sm3, request=replace(request(b""), document=b""))
    batch = desk.create(BatchWish(seal=SEAL, items=[item]), CLERK)
    house.clock.advance(timedelta(days=8))
    tidy = tidying(house)
    run_for(house, tidy, KEPT_ASIDE * 2)
    assert (held(house, free), held(house, waiting)) == (False, True)
    with house.db.read() as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(UPLOADS)).scalar_one() == 0
        query = sa.select(entries.c.facts).where(entries.c.action == "seal.objects.tidied").order_by(entries.c.seq)
        told = conn.execute(query).scalars().all()
    assert '"uploads":2' in told[0]
    assert '"destroyed":1' in told[-1]
    assert desk.cancel(batch.id, CLERK).id == batch.id


def test_a_use_that_was_asked_for_keeps_its_document(house: House) -> None:
    uses, desk = uses_of(house), batches(house)
    set_policy(house, UsePolicy.APPROVED)
    wanted = document("wanted")
    desk.upload(wanted, CLERK)
    house.clock.advance(timedelta(days=8))
    asked = uses.ask(request(wanted), CLERK, lifetime=LONGEST_LIFE)
    run_for(house, tidying(house), KEPT_ASIDE * 2)
    assert uses.document(asked.id, CLERK) == wanted
    # Sealed, it is let go with the source of its sealing; who asks again is answered as before.
    uses.decide(asked.id, Verdict.APPROVE, OFFICER, request_hash=asked.request_hash)
    sealed = uses.seal(asked.id, CLERK)
    run_for(house, tidying(house, keep=timedelta(days=1)), KEPT_ASIDE * 4)
    assert not held(house, wanted)
    assert uses.seal(asked.id, CLERK).document == sealed.document


def test_an_object_that_is_let_go_again_has_its_whole_time_again(house: House) -> None:
    desk, tidy, same = batches(house), tidying(house), document("same")
    desk.upload(same, CLERK)
    house.clock.advance(KEPT)
    tidy.tidy()
    with house.db.begin() as conn:
        conn.execute(sa.update(ASIDE).values(at=house.clock.now() - KEPT_ASIDE + timedelta(hours=1)))
    # As somebody did who put it again a week ago, and whose time is over, too.
    desk.upload(same, CLERK)
    with house.db.begin() as conn:
        conn.execute(sa.update(UPLOADS).values(expires_at=house.clock.now()))
    tidy.tidy()
    house.clock.advance(timedelta(hours=2))
    tidy.tidy()
    assert held(house, same)


def test_every_column_that_names_an_object_is_asked(house: House) -> None:
    asked: list[str] = []

    def hear(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    named = {
        str(column)
        for table in METADATA.tables.values()
        for column in table.columns
        if column.name in {"object_key", "document_sm3", "document_before", "sm3", "content"}
    }
    with house.db.read() as conn:
        sa.event.listen(conn, "before_cursor_execute", hear)
        in_use(conn, {"0" * 64})
        objects_in_use(conn, {"0" * 64})
    # What is set aside is not needed for that; a template is known by the SM3 of its own row's text.
    no_need = {"seal_objects_aside.object_key", "license_letters.sm3"}
    assert {each for each in named if not any(f"{each} IN" in one for one in asked)} - no_need == set()


def test_an_object_set_aside_is_there_for_whoever_asks(house: House) -> None:
    key = house.objects.put(b"content")
    assert house.objects.set_aside(key)
    assert not house.objects.set_aside(key)
    assert house.objects.get(key) == b"content"
    assert not house.objects.destroy_aside(key)
    house.objects.set_aside(key)
    assert house.objects.put(b"content") == key
    assert house.objects.destroy_aside(key)
    assert house.objects.get(key) == b"content"
    house.objects.set_aside(key)
    assert house.objects.restore(key)
    house.objects.set_aside(key)
    assert house.objects.destroy_aside(key)
    assert not house.objects.restore(key)
    with pytest.raises(ObjectNotFound):
        house.objects.get(key)
