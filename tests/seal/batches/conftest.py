"""A house with a batch service and a worker over it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from kernel.jobs import Jobs, Worker
from kernel.objects import ObjectStore
from kernel.principal import Principal
from seal.batches import BatchService, ItemSource
from seal.batches.model import Batch, BatchWish, ItemWish
from seal.batches.running import BatchRunner
from seal.request import SealRequest
from seal.sealing import SealService
from tests.reliability.sealing import document
from tests.seal.conftest import CLERK, SEAL, House


@dataclass
class Desk:
    """Batches of one house."""

    house: House
    sources: Mapping[str, ItemSource]

    @property
    def batches(self) -> BatchService:
        house = self.house
        return BatchService(
            db=house.db,
            audit=house.audit,
            clock=house.clock,
            objects=house.objects,
            register=house.register,
            sources=self.sources,
        )

    def worker(
        self,
        *,
        sealing: SealService | None = None,
        examine: Callable[[bytes], None] = lambda _: None,
        standing: Callable[[Principal], bool] = lambda _: True,
        lease: timedelta = timedelta(minutes=2),
        together: int = 1,
    ) -> Worker:
        house = self.house
        runner = BatchRunner(
            db=house.db,
            audit=house.audit,
            clock=house.clock,
            batches=self.batches,
            sealing=sealing or house.service(),
            outbox=house.outbox,
            examine=examine,
            standing=standing,
            jobs=Jobs(house.db, lease=lease),
            together=together,
        )
        return Worker(Jobs(house.db, lease=lease), runner.handlers)

    def wish(self, count: int, *, upload: bool = True, **changes: Any) -> BatchWish:
        documents = [document(f"{number}") for number in range(count)]
        contents = [
            self.batches.upload(each, CLERK).sm3 if upload else ObjectStore.put(self.house.objects, each)
            for each in documents
        ]
        items = [
            ItemWish(content=content, request=SealRequest(document=b"", seal=SEAL, case_number=f"YJ-{place}"))
            for place, content in enumerate(contents)
        ]
        return replace(BatchWish(seal=SEAL, items=items), **changes)

    def create(self, count: int, principal: Principal = CLERK, **changes: Any) -> Batch:
        return self.batches.create(self.wish(count, **changes), principal)

    def states(self, batch: Batch) -> list[str]:
        return [item.state.value for item in self.batches.items(batch.id, CLERK)]

    def state(self, batch: Batch) -> str:
        return self.batches.find(batch.id, CLERK).state.value


@pytest.fixture
def desk(house: House) -> Desk:
    return Desk(house, {})
