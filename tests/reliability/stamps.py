"""Time-stamp authorities fail in every way they can while a batch is worked on: none is believed, all is stamped."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from threading import Event, Thread
from time import monotonic, sleep

import sqlalchemy as sa

from crypto.suites import SM2_SM3
from crypto.vaults.soft import SoftVault
from kernel.clock import ManualClock, SystemClock
from seal import store
from seal.batches.model import BatchState, BatchWish, ItemWish
from seal.later import store as later
from seal.model import TimeSource, Verdict
from seal.pki.dev_ca import DevCa
from seal.pki.tsa_client import Tsa
from seal.request import SealRequest
from seal.stamping import AuthorityStamper
from tests.crypto.authority import Authority as Issuer
from tests.reliability.bench import Bench, Walking, settled
from tests.reliability.databases import fresh
from tests.reliability.killing import Tell, whole
from tests.reliability.sealing import document, found
from tests.seal.conftest import CLERK, PASSPHRASE, SEAL, START
from tests.sims.tsa import Mood, TsaSimulator

_ITEMS = 30
_WORKERS = 2
_TIMEOUT = timedelta(seconds=1)
_BAD = [mood for mood in Mood if mood is not Mood.GOOD]
_REST = timedelta(seconds=31)
"""After which those who failed are asked again."""
_PATIENCE = 600.0


def loop(engine: str, folder: Path, _: float, __: Random) -> dict[str, object]:
    """Go through every failure; AssertionError if a seal without its stamp is handed out, or a batch never ends."""
    (folder / "objects").mkdir()
    with fresh(engine) as url:
        whole(lambda _: found(folder, url))
        (told,) = whole(partial(_all, url, folder))
    return dict(told)


def _all(url: str, folder: Path, tell: Tell) -> None:
    clock = Walking(SystemClock().now())
    vault = SoftVault.open(folder / "vault", PASSPHRASE)
    issuer = Issuer(vault, SM2_SM3)
    own = DevCa.open(folder / "ca", vault, ManualClock(START)).trust()
    trust = replace(own, anchors=(*own.anchors, issuer.root.certificate))
    with TsaSimulator(issuer, clock.now) as first, TsaSimulator(issuer, clock.now) as second:
        authorities = [Tsa(name=name, url=each.url) for name, each in (("first", first), ("second", second))]
        stamper = AuthorityStamper(authorities, trust=lambda: trust, clock=clock, timeout=_TIMEOUT)
        bench = Bench(url, folder, clock, stamper=stamper, trust=trust)
        # 1. One of two fails: the other stamps.
        for mood in Mood:
            clock.advance(_REST)
            first.mood, before = mood, first.asked
            _seal(bench, f"one {mood.value}")
            assert first.asked > before, "the one that fails was not asked"
        # 2. Both fail, in every way, while a batch is worked on: what is sealed goes without, and says so.
        with _working(bench):
            began = monotonic()
            first.mood = second.mood = _BAD[0]
            batch = _batch(bench)
            for mood in _BAD:
                clock.advance(_REST)
                first.mood = second.mood = mood
                before = first.asked + second.asked
                _seal(bench, f"both {mood.value}")
                assert first.asked + second.asked > before, "nobody was asked"
            while bench.batches.find(batch, CLERK).state is not BatchState.COMPLETED:
                assert monotonic() - began < _PATIENCE, "the batch did not come to its end"
                sleep(0.2)
            outage = monotonic() - began
            without = len(_owed(bench))
            assert without == len(_BAD) + _ITEMS, "somebody was stamped by an authority that failed"
            # 3. They recover: everything is stamped.
            first.mood = second.mood = Mood.GOOD
            began = monotonic()
            while _owed(bench):
                assert monotonic() - began < _PATIENCE, "a stamp never came"
                sleep(0.2)
            recovery = monotonic() - began
    sealings = len(Mood) + len(_BAD) + _ITEMS
    settled(bench, sealings)
    _check(bench, sealings, without)
    tell(
        {
            "ways to fail": len(_BAD),
            "sealings": sealings,
            "outage s": round(outage, 1),
            "sealed without a stamp": without,
            "all stamped after recovery s": round(recovery, 1),
        }
    )


def _owed(bench: Bench) -> list[str]:
    """List the sealings whose stamp is still owed."""
    query = (
        sa.select(later.OWED.c.sealing)
        .outerjoin(later.SETTLED, later.SETTLED.c.sealing == later.OWED.c.sealing)
        .where(later.SETTLED.c.sealing.is_(None))
    )
    with bench.db.read() as conn:
        return list(conn.execute(query).scalars())


def _check(bench: Bench, sealings: int, without: int) -> None:
    """Judge every file: what was sealed without a stamp claims its time, all others prove it."""
    with bench.db.read() as conn:
        firsts = dict(
            conn.execute(sa.select(store.COMPLETIONS.c.sealing, store.COMPLETIONS.c.object_key)).tuples().all()
        )
        stamped = dict(conn.execute(sa.select(later.SETTLED.c.sealing, later.SETTLED.c.object_key)).tuples().all())
    assert (len(firsts), len(stamped)) == (sealings, without)
    for sealing, key in firsts.items():
        claimed = sealing in stamped
        assert _source(bench, key) is (TimeSource.CLAIMED if claimed else TimeSource.TIMESTAMP)
        assert not claimed or _source(bench, stamped[sealing]) is TimeSource.TIMESTAMP


def _source(bench: Bench, key: str | None) -> TimeSource | None:
    assert key is not None, "a stamp was refused"
    (signature,) = bench.judge(bench.objects.get(key)).signatures
    assert signature.verdict is Verdict.VALID
    return signature.time_source


def _seal(bench: Bench, key: str) -> None:
    bench.sealing.seal(SealRequest(document=document(key), seal=SEAL, idempotency_key=key), CLERK)


@contextmanager
def _working(bench: Bench) -> Iterator[None]:
    """Let two threads work on jobs while the block runs."""
    stop = Event()
    workers = [Thread(target=bench.worker.run, args=(stop,)) for _ in range(_WORKERS)]
    for each in workers:
        each.start()
    try:
        yield
    finally:
        stop.set()
        for each in workers:
            each.join()


def _batch(bench: Bench) -> str:
    contents = [bench.batches.upload(document(f"batch {each}"), CLERK).sm3 for each in range(_ITEMS)]
    items = [ItemWish(content=each, request=SealRequest(document=b"", seal=SEAL)) for each in contents]
    return bench.batches.create(BatchWish(seal=SEAL, items=items), CLERK).id
