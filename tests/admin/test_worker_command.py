"""`xinyin worker` and what an operator does about documents that were not sealed."""

import os
import signal
import threading

import pytest
import sqlalchemy as sa

from admin import build
from admin.build import Service, operator
from kernel.principal import Principal, PrincipalKind
from seal.batches.model import BatchWish, ItemWish
from seal.request import SealRequest
from tests.admin.conftest import Town, Xinyin
from tests.reliability.sealing import document
from tests.seal.conftest import failing_inserts


def department(town: Town, seal: str) -> Principal:
    return Principal(
        subject=town.world.department_id,
        kind=PrincipalKind.CLIENT,
        rights=frozenset({f"seal.use:{seal}"}),
        organisation="11990100MB0000000P",
    )


def batch_of(service: Service, town: Town, count: int) -> str:
    seal = service.register.list()[0].id
    caller = department(town, seal)
    files = [service.deferred.batches.upload(document(str(number)), caller).sm3 for number in range(count)]
    items = [ItemWish(content=sm3, request=SealRequest(document=b"", seal=seal)) for sm3 in files]
    return service.deferred.batches.create(BatchWish(seal=seal, items=items), caller).id


def states(service: Service, town: Town, batch: str) -> list[tuple[str, str | None]]:
    caller = department(town, service.register.list()[0].id)
    return [(item.state.value, item.failure) for item in service.deferred.batches.items(batch, caller)]


def test_a_worker_does_what_is_due_as_long_as_the_caller_is_admitted(xinyin: Xinyin, town: Town) -> None:
    with build.services(town.settings) as service:
        first = batch_of(service, town, 2)
    assert xinyin("worker", "--until-idle", **town.given).code == 0
    with build.services(town.settings) as service:
        assert states(service, town, first) == [("sealed", None)] * 2
        second = batch_of(service, town, 1)
        service.registry.set_client_active(town.world.department_id, active=False)  # type: ignore[arg-type]
        third = batch_of(service, town, 1)
    assert xinyin("worker", "--until-idle", **town.given).code == 0
    with build.services(town.settings) as service:
        assert states(service, town, second) == states(service, town, third) == [("failed", "forbidden")]


def test_a_worker_that_is_asked_to_stop_ends_in_order(xinyin: Xinyin, town: Town) -> None:
    over = threading.Event()

    def working() -> bool:
        return any(thread.name.startswith("worker-") for thread in threading.enumerate())

    def end_it() -> None:
        while not working() and not over.wait(0.01):
            pass
        if not over.is_set():
            os.kill(os.getpid(), signal.SIGTERM)

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    ending = threading.Thread(target=end_it)
    ending.start()
    try:
        assert xinyin("worker", **town.given).code == 0
    finally:
        over.set()
        ending.join()
        for number, handler in before.items():
            signal.signal(number, handler)
    assert not working()


def test_an_operator_lists_what_was_not_sealed_and_seals_it_after_all(xinyin: Xinyin, town: Town) -> None:
    with build.services(town.settings) as service:
        seal = service.register.list()[0].id
        with failing_inserts(service.database, "seal_completions"), pytest.raises(sa.exc.DBAPIError):
            service.sealing.seal(SealRequest(document=document("x"), seal=seal), operator("seal.use:*"))
        sealing = service.sealing.pending()[0].intent.id
    listed = xinyin("seal", "unsealed", **town.given)
    assert sealing in listed.out
    assert "IntegrityError" in listed.out
    done = xinyin("seal", "retry", sealing, "--out", town.home / "sealed.ofd", **town.given)
    assert done.code == 0, done.err
    assert xinyin("verify", town.home / "sealed.ofd", **town.given).code == 0
    assert sealing not in xinyin("seal", "unsealed", **town.given).out
