"""The client: every operation as a method that waits for its answer."""

import os  # noqa: TC003 - annotations that callers may read
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, Self, TypeVar, Unpack

import httpx2

from xinyin_sdk import operations as ops
from xinyin_sdk.calls import Call
from xinyin_sdk.courses import Course, along
from xinyin_sdk.documents import save, whole_file
from xinyin_sdk.exchange import Retries
from xinyin_sdk.line import Line
from xinyin_sdk.opening import Key, opened
from xinyin_sdk.operations.batches import Order
from xinyin_sdk.operations.ledger import Filter
from xinyin_sdk.shapes import Batch, Sealing, Upload

P = ParamSpec("P")
T = TypeVar("T")


class Part:
    """A family of operations."""

    def __init__(self, line: Line) -> None:
        self._line = line


def asked(describe: Callable[P, Call[T]]) -> Callable[Concatenate[Part, P], T]:
    """Make a method of a description: what it describes is done."""

    @wraps(describe)
    def method(part: Part, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return part._line.run(describe(*args, **kwargs))  # noqa: SLF001 - its own

    return method


def sealed(describe: Callable[P, Call[Sealing]]) -> "Callable[Concatenate[Part, P], Sealed]":
    """Make a method of a description that ends in a sealed document."""

    @wraps(describe)
    def method(part: Part, /, *args: P.args, **kwargs: P.kwargs) -> Sealed:
        line = part._line  # noqa: SLF001 - its own
        found = line.run(describe(*args, **kwargs))
        return Sealed(**{each.name: getattr(found, each.name) for each in fields(found)}, line=line)

    return method


def followed(describe: Callable[P, Course[T]]) -> Callable[Concatenate[Part, P], Iterator[T]]:
    """Make a method of a course: an iterator that asks as it goes."""

    @wraps(describe)
    def method(part: Part, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        return along(part._line, describe(*args, **kwargs))  # noqa: SLF001 - its own

    return method


@dataclass(frozen=True, kw_only=True)
class Sealed(Sealing):
    """A finished sealing whose document is fetched when it is wanted, once."""

    line: Line = field(repr=False, compare=False)

    def document(self) -> bytes:
        """Give the sealed file: exactly the one that the service has on record."""
        kept: bytes | None = self.__dict__.get("_octets")
        if kept is None:
            (kept,) = along(self.line, ops.seals.whole(self))
            self.__dict__["_octets"] = kept
        return kept

    def save_to(self, path: "str | os.PathLike[str]", *, overwrite: bool = False) -> Path:
        """Write the sealed file, whole or not at all; FileExistsError if there is one already."""
        return save(self.document(), path, overwrite=overwrite)


class Seals(Part):
    """Seals, and sealing with them."""

    seal = sealed(ops.seals.seal)
    get = asked(ops.seals.get)
    seal_digest = asked(ops.digests.seal)
    history = asked(ops.seals.history)
    grants = asked(ops.seals.grants)
    status = asked(ops.seals.status)


class Sealings(Part):
    """What was sealed, and what was to be and is not."""

    get = asked(ops.seals.state)
    document = asked(ops.seals.document)
    unsealed = followed(ops.seals.unsealed)
    unstamped = followed(ops.seals.unstamped)
    retry = sealed(ops.seals.retry)


class Affairs(Part):
    """What is to be done with seals."""

    list = followed(ops.affairs.affairs)
    get = asked(ops.affairs.get)
    paper = asked(ops.affairs.paper)
    keep_paper = asked(ops.affairs.keep_paper)
    propose = asked(ops.affairs.propose)


class UseRequests(Part):
    """Uses that somebody else has to approve."""

    ask = asked(ops.use_requests.ask)
    list = followed(ops.use_requests.use_requests)
    get = asked(ops.use_requests.get)
    document = asked(ops.use_requests.document)
    watch = followed(ops.use_requests.watch)
    withdraw = asked(ops.use_requests.withdraw)
    seal = sealed(ops.use_requests.seal)


class Ledger(Part):
    """Uses that were made."""

    list = followed(ops.ledger.uses)

    def save_export(
        self, month: str, path: "str | os.PathLike[str]", *, overwrite: bool = False, **wanted: Unpack[Filter]
    ) -> Path:
        """Write the signed ZIP of a month, such as 2026-11; a piece at a time, whole or not at all."""
        call = ops.ledger.export(month, **wanted)
        with whole_file(path, overwrite=overwrite) as target:
            self._line.run(call, target)
        return Path(path)


class Batches(Part):
    """Many documents at once."""

    upload = asked(ops.batches.upload)
    list = followed(ops.batches.batches)
    get = asked(ops.batches.get)
    items = followed(ops.batches.items)
    watch = followed(ops.batches.watch)
    pause = asked(ops.batches.pause)
    resume = asked(ops.batches.resume)
    cancel = asked(ops.batches.cancel)

    def create(
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
        with ThreadPoolExecutor(max_workers=at_once) as pool:
            waiting = [pool.submit(self._uploaded, order) for order in orders]
            try:
                uploads = [each.result() for each in waiting]
            except BaseException:
                # What has not begun is not begun any more.
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return self._line.run(
            ops.batches.create(seal, orders, uploads, stop_on_error=stop_on_error, idempotency_key=idempotency_key)
        )

    def save_results(self, batch: str, path: "str | os.PathLike[str]", *, overwrite: bool = False) -> Path:
        """Write the ZIP of what is sealed by now, with ``results.json``; a piece at a time, whole or not at all."""
        with whole_file(path, overwrite=overwrite) as target:
            self._line.run(ops.batches.results(batch), target)
        return Path(path)

    def _uploaded(self, order: Order) -> Upload:
        document = order.document
        return document if isinstance(document, Upload) else self.upload(document)


class Webhooks(Part):
    """Addresses that are told of events."""

    register = asked(ops.webhooks.register)
    list = asked(ops.webhooks.endpoints)
    end = asked(ops.webhooks.end)
    renew_secret = asked(ops.webhooks.renew_secret)
    deliveries = followed(ops.webhooks.deliveries)
    replay = asked(ops.webhooks.replay)


class Licenses(Part):
    """Licences."""

    issue = asked(ops.licenses.issue)
    get = asked(ops.licenses.get)
    document = asked(ops.licenses.document)
    revoke = asked(ops.licenses.revoke)
    types = asked(ops.licenses.types)
    verdict = asked(ops.licenses.verdict)


class Xinyin(Part):
    """The service, as one client sees it. Threads may share it; close it, or use it in a ``with`` block.

    ``base_url`` begins with https://. A client proves itself by a private ``key`` on P-256 (private_key_jwt), or by
    ``client_secret``; without ``client_id`` only what anyone may ask is to be had. ``scope`` narrows the token to
    these rights. ``ca`` is a file of certificates to believe instead of the system's. ``timeout`` is in seconds.
    """

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
        transport: httpx2.BaseTransport | None = None,
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
        super().__init__(Line(settings, transport))
        self.seals = Seals(self._line)
        self.sealings = Sealings(self._line)
        self.affairs = Affairs(self._line)
        self.use_requests = UseRequests(self._line)
        self.ledger = Ledger(self._line)
        self.batches = Batches(self._line)
        self.webhooks = Webhooks(self._line)
        self.licenses = Licenses(self._line)

    renew = asked(ops.renewals.renew)
    verify = asked(ops.verifying.verify)
    report = asked(ops.verifying.report)
    etsi_report = asked(ops.verifying.etsi_report)

    def __repr__(self) -> str:
        settings = self._line.settings
        return f"{type(self).__name__}({settings.base_url!r}, credentials={settings.credentials!r})"

    def close(self) -> None:
        """Close the connections."""
        self._line.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
