"""The client for asyncio: the methods of ``client``, to be awaited; what lists is gone through with ``async for``."""

import asyncio
import os  # noqa: TC003 - annotations that callers may read
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, fields
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Self, TypeVar, Unpack

import httpx2

from xinyin_sdk import operations as ops
from xinyin_sdk.calls import Call
from xinyin_sdk.courses import Course, async_along
from xinyin_sdk.documents import save, whole_file
from xinyin_sdk.exchange import Retries
from xinyin_sdk.line import AsyncLine
from xinyin_sdk.opening import Key, opened
from xinyin_sdk.operations.batches import Order
from xinyin_sdk.operations.ledger import Filter
from xinyin_sdk.shapes import Batch, Sealing, Upload

P = ParamSpec("P")
T = TypeVar("T")


class AsyncPart:
    """A family of operations."""

    def __init__(self, line: AsyncLine) -> None:
        self._line = line


def asked(describe: Callable[P, Call[T]]) -> Callable[Concatenate[AsyncPart, P], Coroutine[Any, Any, T]]:
    """Make a method of a description: what it describes is done. Files are read outside the event loop."""

    @wraps(describe)
    async def method(part: AsyncPart, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await part._line.run(await asyncio.to_thread(describe, *args, **kwargs))  # noqa: SLF001 - its own

    return method


def sealed(
    describe: Callable[P, Call[Sealing]],
) -> "Callable[Concatenate[AsyncPart, P], Coroutine[Any, Any, AsyncSealed]]":
    """Make a method of a description that ends in a sealed document."""

    @wraps(describe)
    async def method(part: AsyncPart, /, *args: P.args, **kwargs: P.kwargs) -> AsyncSealed:
        line = part._line  # noqa: SLF001 - its own
        found = await line.run(await asyncio.to_thread(describe, *args, **kwargs))
        return AsyncSealed(**{each.name: getattr(found, each.name) for each in fields(found)}, line=line)

    return method


def followed(describe: Callable[P, Course[T]]) -> Callable[Concatenate[AsyncPart, P], AsyncIterator[T]]:
    """Make a method of a course: an iterator that asks as it goes."""

    @wraps(describe)
    def method(part: AsyncPart, /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
        return async_along(part._line, describe(*args, **kwargs))  # noqa: SLF001 - its own

    return method


@dataclass(frozen=True, kw_only=True)
class AsyncSealed(Sealing):
    """A finished sealing whose document is fetched when it is wanted, once."""

    line: AsyncLine = field(repr=False, compare=False)

    async def document(self) -> bytes:
        """Give the sealed file: exactly the one that the service has on record."""
        kept: bytes | None = self.__dict__.get("_octets")
        if kept is None:
            (kept,) = [octets async for octets in async_along(self.line, ops.seals.whole(self))]
            self.__dict__["_octets"] = kept
        return kept

    async def save_to(self, path: "str | os.PathLike[str]", *, overwrite: bool = False) -> Path:
        """Write the sealed file, whole or not at all; FileExistsError if there is one already."""
        return await asyncio.to_thread(save, await self.document(), path, overwrite=overwrite)


class AsyncSeals(AsyncPart):
    """Seals, and sealing with them."""

    seal = sealed(ops.seals.seal)
    get = asked(ops.seals.get)
    seal_digest = asked(ops.digests.seal)
    history = asked(ops.seals.history)
    grants = asked(ops.seals.grants)
    status = asked(ops.seals.status)


class AsyncSealings(AsyncPart):
    """What was sealed, and what was to be and is not."""

    get = asked(ops.seals.state)
    document = asked(ops.seals.document)
    unsealed = followed(ops.seals.unsealed)
    unstamped = followed(ops.seals.unstamped)
    retry = sealed(ops.seals.retry)


class AsyncAffairs(AsyncPart):
    """What is to be done with seals."""

    list = followed(ops.affairs.affairs)
    get = asked(ops.affairs.get)
    paper = asked(ops.affairs.paper)
    keep_paper = asked(ops.affairs.keep_paper)
    propose = asked(ops.affairs.propose)


class AsyncUseRequests(AsyncPart):
    """Uses that somebody else has to approve."""

    ask = asked(ops.use_requests.ask)
    list = followed(ops.use_requests.use_requests)
    get = asked(ops.use_requests.get)
    document = asked(ops.use_requests.document)
    watch = followed(ops.use_requests.watch)
    withdraw = asked(ops.use_requests.withdraw)
    seal = sealed(ops.use_requests.seal)


class AsyncLedger(AsyncPart):
    """Uses that were made."""

    list = followed(ops.ledger.uses)

    async def save_export(
        self, month: str, path: "str | os.PathLike[str]", *, overwrite: bool = False, **wanted: Unpack[Filter]
    ) -> Path:
        """Write the signed ZIP of a month, such as 2026-11; a piece at a time, whole or not at all."""
        call = ops.ledger.export(month, **wanted)
        with whole_file(path, overwrite=overwrite) as target:
            await self._line.run(call, target)
        return Path(path)


class AsyncBatches(AsyncPart):
    """Many documents at once."""

    upload = asked(ops.batches.upload)
    list = followed(ops.batches.batches)
    get = asked(ops.batches.get)
    items = followed(ops.batches.items)
    watch = followed(ops.batches.watch)
    pause = asked(ops.batches.pause)
    resume = asked(ops.batches.resume)
    cancel = asked(ops.batches.cancel)

    async def create(
        self,
        seal: str,
        orders: Sequence[Order],
        *,
        stop_on_error: bool = False,
        idempotency_key: str | None = None,
        at_once: int = 4,
    ) -> Batch:
        """Upload what is not uploaded yet, ``at_once`` documents at a time, and have all of it sealed in order.

        Run again under the same ``idempotency_key`` with the same documents it gives the same batch.
        """
        places = asyncio.Semaphore(at_once)
        async with asyncio.TaskGroup() as group:
            waiting = [group.create_task(self._uploaded(order, places)) for order in orders]
        uploads = [each.result() for each in waiting]
        return await self._line.run(
            ops.batches.create(seal, orders, uploads, stop_on_error=stop_on_error, idempotency_key=idempotency_key)
        )

    async def save_results(self, batch: str, path: "str | os.PathLike[str]", *, overwrite: bool = False) -> Path:
        """Write the ZIP of what is sealed by now, with ``results.json``; a piece at a time, whole or not at all."""
        with whole_file(path, overwrite=overwrite) as target:
            await self._line.run(ops.batches.results(batch), target)
        return Path(path)

    async def _uploaded(self, order: Order, places: asyncio.Semaphore) -> Upload:
        document = order.document
        if isinstance(document, Upload):
            return document
        async with places:
            return await self.upload(document)


class AsyncWebhooks(AsyncPart):
    """Addresses that are told of events."""

    register = asked(ops.webhooks.register)
    list = asked(ops.webhooks.endpoints)
    end = asked(ops.webhooks.end)
    renew_secret = asked(ops.webhooks.renew_secret)
    deliveries = followed(ops.webhooks.deliveries)
    replay = asked(ops.webhooks.replay)


class AsyncLicenses(AsyncPart):
    """Licences."""

    issue = asked(ops.licenses.issue)
    get = asked(ops.licenses.get)
    document = asked(ops.licenses.document)
    revoke = asked(ops.licenses.revoke)
    types = asked(ops.licenses.types)
    verdict = asked(ops.licenses.verdict)


class AsyncXinyin(AsyncPart):
    """The service, as one client sees it, for one event loop; made like ``Xinyin``."""

    def __init__(  # noqa: PLR0913 - what a client is made from
        self,
        base_url: str,
        client_id: str | None = None,
        *,
        key: Key | None = None,
        key_id: str | None = None,
        client_secret: str | None = None,
        scope: Sequence[str] = (),
        ca: "str | os.PathLike[str] | None" = None,
        proxy: str | None = None,
        timeout: float = 120.0,
        retries: Retries | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        settings = opened(
            base_url,
            client_id,
            key=key,
            key_id=key_id,
            client_secret=client_secret,
            scope=scope,
            ca=ca,
            proxy=proxy,
            timeout=timeout,
            retries=retries,
        )
        super().__init__(AsyncLine(settings, transport))
        self.seals = AsyncSeals(self._line)
        self.sealings = AsyncSealings(self._line)
        self.affairs = AsyncAffairs(self._line)
        self.use_requests = AsyncUseRequests(self._line)
        self.ledger = AsyncLedger(self._line)
        self.batches = AsyncBatches(self._line)
        self.webhooks = AsyncWebhooks(self._line)
        self.licenses = AsyncLicenses(self._line)

    renew = asked(ops.renewals.renew)
    verify = asked(ops.verifying.verify)
    report = asked(ops.verifying.report)
    etsi_report = asked(ops.verifying.etsi_report)

    def __repr__(self) -> str:
        settings = self._line.settings
        return f"{type(self).__name__}({settings.base_url!r}, credentials={settings.credentials!r})"

    async def close(self) -> None:
        """Close the connections."""
        await self._line.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
