"""Deferred work: batches, webhooks, late stamps and the sweeper put together, and the worker that does it."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from admin.housekeeping import PERIOD_SECONDS, kept_clean
from idp.errors import UnknownClient
from idp.registry import Registry
from kernel.audit import AuditLog
from kernel.clock import Clock
from kernel.db import Database
from kernel.jobs import Handler, Jobs, Worker
from kernel.objects import ObjectStore
from kernel.outbox import Outbox
from kernel.principal import Principal, PrincipalKind
from license_store.store import objects_in_use
from seal.batches import BatchService, ItemSource
from seal.batches.running import BatchRunner
from seal.docking.reporting import DockingService
from seal.later.service import LateStamps
from seal.model import Report
from seal.register import SealRegister
from seal.sealing import SealService
from seal.stamping import Stamper
from seal.telling import StatusNews
from seal.tidying import Tidying
from seal.unsealed import Unsealed
from seal.verifying import Verifier
from seal.webhooks import Webhooks
from seal.webhooks.store import listening

SWEEP_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """What is asked for now and done later."""

    batches: BatchService
    webhooks: Webhooks
    unsealed: Unsealed
    late: LateStamps
    news: StatusNews
    tidying: Tidying
    jobs: Jobs
    handlers: Mapping[str, Handler]

    def worker(self) -> Worker:
        """Give a worker for every kind of job."""
        return Worker(self.jobs, self.handlers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What all deferred work stands on."""

    database: Database
    audit: AuditLog
    clock: Clock
    objects: ObjectStore
    register: SealRegister
    sealing: SealService
    verifier: Verifier
    registry: Registry
    outbox: Outbox
    sources: Mapping[str, ItemSource]
    judge: Callable[[bytes], Report]
    stamper: Stamper | None
    keep_sources: timedelta = timedelta(days=90)


class _Served(Protocol):
    @property
    def deferred(self) -> Deferred: ...

    @property
    def docking(self) -> DockingService: ...


def outbox() -> Outbox:
    """Give the outbox: whoever registered an endpoint listens."""
    return Outbox(listening)


def deferred(ground: Ground, *, webhook_key: Callable[[], bytes], webhook_hosts: str) -> Deferred:
    """Put everything together that is done later."""
    database, audit, clock = ground.database, ground.audit, ground.clock
    jobs = Jobs(database)
    batches = BatchService(
        db=database,
        audit=audit,
        clock=clock,
        objects=ground.objects,
        register=ground.register,
        sources=ground.sources,
        examine=ground.verifier.examine,
    )
    runner = BatchRunner(
        db=database,
        audit=audit,
        clock=clock,
        batches=batches,
        sealing=ground.sealing,
        outbox=ground.outbox,
        examine=ground.verifier.examine,
        standing=lambda principal: _admitted(ground.registry, principal),
        jobs=jobs,
    )
    hosts = filter(None, (host.strip() for host in webhook_hosts.split(",")))
    webhooks = Webhooks(db=database, audit=audit, clock=clock, key=webhook_key, hosts=hosts)
    late = LateStamps(
        db=database,
        audit=audit,
        clock=clock,
        objects=ground.objects,
        register=ground.register,
        judge=ground.judge,
        stamper=ground.stamper,
        outbox=ground.outbox,
    )
    return Deferred(
        batches=batches,
        webhooks=webhooks,
        unsealed=Unsealed(db=database, audit=audit, clock=clock, sealing=ground.sealing, outbox=ground.outbox),
        late=late,
        news=StatusNews(database, ground.outbox, clock),
        tidying=Tidying(
            db=database,
            audit=audit,
            clock=clock,
            objects=ground.objects,
            keep=ground.keep_sources,
            others=(objects_in_use,),
        ),
        jobs=jobs,
        handlers={**runner.handlers, **webhooks.handlers, **late.handlers},
    )


def _admitted(registry: Registry, principal: Principal) -> bool:
    """Tell whether a caller may still do what they might when they asked."""
    if principal.kind is PrincipalKind.OPERATOR:
        return True
    try:
        client = registry.client(principal.subject)
    except UnknownClient:
        return False
    now = replace(principal, rights=client.rights)
    return client.active and all(now.may(*right.split(":", 1)) for right in principal.rights)


@contextmanager
def at_work(service: _Served, *, threads: int = 1) -> Iterator[threading.Event]:
    """Do deferred work while the block runs; setting the event, or its end, lets each finish what it has in hand."""
    stop = threading.Event()
    working = [
        threading.Thread(target=service.deferred.worker().run, args=(stop,), name=f"worker-{number}")
        for number in range(threads)
    ]
    with ExitStack() as stack:
        deferred = service.deferred
        quick = (deferred.unsealed.sweep, deferred.late.remember, deferred.news.tell)
        stack.enter_context(kept_clean(*quick, period_seconds=SWEEP_SECONDS))
        slow = (deferred.tidying.tidy, service.docking.report_due)
        stack.enter_context(kept_clean(*slow, period_seconds=PERIOD_SECONDS))
        for each in working:
            each.start()
        try:
            yield stop
        finally:
            stop.set()
            for each in working:
                each.join()
