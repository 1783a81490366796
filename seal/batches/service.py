"""The batch service: uploads, making a batch, and pausing, resuming or cancelling it."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import sqlalchemy as sa

from crypto.digests import sm3
from kernel.audit import AuditLog, Fact
from kernel.clock import Clock
from kernel.db import Database
from kernel.ids import new_id
from kernel.jobs import Jobs
from kernel.objects import ObjectStore
from kernel.principal import Principal, PrincipalKind
from seal.batches import store
from seal.batches.model import (
    FILES,
    FROM,
    ITEM,
    Batch,
    BatchInvalid,
    BatchRefused,
    BatchUnknown,
    BatchWish,
    Item,
    ItemSource,
    RowSource,
    Step,
    Tally,
    Upload,
    UploadUnknown,
    item_key,
)
from seal.errors import IdempotencyMismatch
from seal.formats_table import document_type
from seal.register import SealRegister
from seal.request import asked_text, check_texts
from seal.verifying import MAX_DOCUMENT, check_size

KEPT = timedelta(days=7)
"""How long an upload may be named in batches."""
MOST_ITEMS = 10_000
_MOST_LISTED = 200


class BatchService:
    """Makes batches and steers them; the worker seals their items (``running``).

    Only the organisation that made a batch sees it, and of it only those who may use the seal; beside it officers with
    a right to use the seal. ``sources`` are given by floors above, by name; files that were uploaded are the one that
    is always there. ``examine`` refuses files that must not be sealed, when they come; without it they are examined
    when they are sealed.
    """

    def __init__(  # noqa: PLR0913 - its dependencies
        self,
        *,
        db: Database,
        audit: AuditLog,
        clock: Clock,
        objects: ObjectStore,
        register: SealRegister,
        sources: Mapping[str, ItemSource] | None = None,
        max_document: int = MAX_DOCUMENT,
        examine: Callable[[bytes], None] | None = None,
    ) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._objects = objects
        self._register = register
        self._max_document = max_document
        self._examine = examine
        self.sources: dict[str, ItemSource] = {**(sources or {}), FILES: self}

    # --- uploads ---

    def upload(self, document: bytes, principal: Principal) -> Upload:
        """Keep a file for batches of the caller's organisation; needs a right ``seal.use`` of any seal."""
        if not any(right.startswith("seal.use:") for right in principal.rights):
            principal.require("seal.use", "*")
        check_size(document, self._max_document)
        document_type(document)
        if self._examine is not None:
            self._examine(document)
        at = self._clock.now()
        kept = Upload(sm3=self._objects.put(document), size=len(document), expires_at=at + KEPT)
        row = {
            "id": new_id(),
            "owner": _owner(principal),
            "sm3": kept.sm3,
            "size": kept.size,
            "caller": principal.subject,
            "at": at,
            "expires_at": kept.expires_at,
            "examined": self._examine is not None,
        }
        with self._db.begin() as conn:
            store.insert(conn, store.UPLOADS, row)
        return kept

    def check(self, contents: Sequence[str], principal: Principal) -> None:
        """Refuse digests of files that the caller's organisation did not upload (ItemSource)."""
        with self._db.read() as conn:
            found = store.uploads_at_hand(conn, _owner(principal), contents, self._clock.now())
        missing = next((place for place, content in enumerate(contents, 1) if content not in found), None)
        if missing is not None:
            raise UploadUnknown(f"File {missing} was not uploaded, or its time is over: upload it first.")

    def document(self, content: str) -> bytes:
        """Give an uploaded file (ItemSource)."""
        return self._objects.get(content)

    # --- making ---

    def create(self, wish: BatchWish, principal: Principal, *, client_address: str | None = None) -> Batch:
        """Make a batch and let it begin; needs ``seal.use:<seal>``. The same Idempotency-Key gives the same batch."""
        principal.require("seal.use", wish.seal)
        hashed = _hash(wish)
        if earlier := self._earlier(wish, hashed, principal):
            return earlier
        self._check(wish, principal)
        batch = new_id()
        try:
            with self._db.begin() as conn:
                self._insert(conn, batch, wish, hashed, principal, client_address)
        except sa.exc.IntegrityError:
            # Another call with the same key was faster.
            if earlier := self._earlier(wish, hashed, principal):
                return earlier
            raise
        return self.find(batch, principal)

    def _earlier(self, wish: BatchWish, hashed: str, principal: Principal) -> Batch | None:
        if wish.idempotency_key is None:
            return None
        with self._db.read() as conn:
            earlier = store.find_by_key(conn, principal.subject, wish.idempotency_key)
        if earlier is not None and earlier.request_hash != hashed:
            raise IdempotencyMismatch("This Idempotency-Key was used for a different batch.")
        return earlier

    def _check(self, wish: BatchWish, principal: Principal) -> None:
        if not 0 < len(wish.items) <= MOST_ITEMS:
            raise BatchInvalid(f"A batch has 1 to {MOST_ITEMS} items.")
        source = self.sources.get(wish.source)
        if source is None:
            raise BatchInvalid("There is no source of this name.")
        for item in wish.items:
            check_texts(item.request)
        self._register.find(wish.seal)
        source.check([item.content for item in wish.items], principal)

    def _insert(  # noqa: PLR0913, PLR0917 - a batch's parts
        self,
        conn: sa.Connection,
        batch: str,
        wish: BatchWish,
        hashed: str,
        principal: Principal,
        client_address: str | None,
    ) -> None:
        at = self._clock.now()
        row = {
            "id": batch,
            "seal": wish.seal,
            "caller": principal.subject,
            "caller_kind": principal.kind.value,
            "organisation": principal.organisation,
            "source": wish.source,
            "stop_on_error": wish.stop_on_error,
            "total": len(wish.items),
            "idempotency_key": wish.idempotency_key,
            "request_hash": hashed,
            "created_at": at,
            "client_address": client_address,
            "person": principal.person,
        }
        items = [
            {"batch": batch, "position": position, "content": item.content, "asked": asked_text(item.request)}
            for position, item in enumerate(wish.items, 1)
        ]
        store.insert(conn, store.BATCHES, row)
        store.insert(conn, store.ITEMS, *items)
        store.add_step(conn, batch, Step.CREATED, at, principal.subject)
        Jobs.put(conn, ITEM, [item_key(batch, place) for place in range(1, len(items) + 1)], series=batch)
        facts: dict[str, Fact] = {"seal": wish.seal, "items": len(items), "source": wish.source}
        self._log(conn, principal, "seal.batch.created", batch, facts)

    # --- steering ---

    def pause(self, batch: str, principal: Principal) -> Batch:
        """Begin no further item; what is in hand is finished."""
        return self._steer(batch, Step.PAUSED, "seal.batch.paused", principal)

    def resume(self, batch: str, principal: Principal) -> Batch:
        """Go on with the items that came to no end, after a pause or a stop."""
        return self._steer(batch, Step.RESUMED, "seal.batch.resumed", principal)

    def cancel(self, batch: str, principal: Principal) -> Batch:
        """Begin no further item, for good; what is sealed stays sealed."""
        return self._steer(batch, Step.CANCELLED, "seal.batch.cancelled", principal)

    def _steer(self, batch: str, step: Step, action: str, principal: Principal) -> Batch:
        self.find(batch, principal)
        with self._db.begin() as conn:
            store.lock(conn, batch)
            found = store.find(conn, batch)
            if found is None or found.state not in FROM[step]:
                state = found.state.value if found else "gone"
                raise BatchRefused(f"The batch is {state}: it cannot be {step.value} now.")
            store.add_step(conn, batch, step, self._clock.now(), principal.subject)
            if step is Step.RESUMED:
                keys = [item_key(batch, position) for position in store.open_positions(conn, batch)]
                Jobs.put(conn, ITEM, keys, series=batch)
            else:
                Jobs.drop(conn, batch)
            self._log(conn, principal, action, batch, {"seal": found.seal})
        return self.find(batch, principal)

    # --- asking ---

    def find(self, batch: str, principal: Principal) -> Batch:
        """Give a batch of the caller's organisation; BatchUnknown for any other."""
        with self._db.read() as conn:
            found = store.find(conn, batch)
        if found is None or not _sees(found, principal):
            raise BatchUnknown("There is no such batch.")
        return found

    def list(
        self, principal: Principal, *, after: str | None = None, limit: int = 50
    ) -> tuple[tuple[Batch, Tally], ...]:
        """List the batches a caller may see, newest first, each with how many of its items stand how."""
        with self._db.read() as conn:
            found = store.list_batches(conn, _visible(principal), after=after, limit=min(limit, _MOST_LISTED))
            return tuple((each, store.tally(conn, each)) for each in found)

    def progress(self, batch: str, principal: Principal) -> tuple[Batch, Tally]:
        """Give a batch and how many of its items stand how."""
        found = self.find(batch, principal)
        with self._db.read() as conn:
            return found, store.tally(conn, found)

    def items(self, batch: str, principal: Principal, *, after: int = 0, limit: int = 100) -> tuple[Item, ...]:
        """List items by position, from the one after ``after`` on."""
        found = self.find(batch, principal)
        with self._db.read() as conn:
            return store.items(conn, found, after=after, limit=limit)

    def file_name(self, batch: Batch, item: Item) -> str | None:
        """Give the text that an item's file is to be named by, if the caller chose one; it may hold anything."""
        source = self.sources.get(batch.source)
        return source.file_name(item.content) if isinstance(source, RowSource) else None

    def sealed_file(self, item: Item) -> bytes:
        """Give the sealed file of an item that has one."""
        if item.file is None:
            raise BatchRefused(f"Item {item.position} is {item.state.value}.")
        return self._objects.get(item.file)

    def _log(self, conn: sa.Connection, principal: Principal, action: str, target: str, facts: dict[str, Fact]) -> None:
        self._audit.append(
            conn, at=self._clock.now(), actor=principal.subject, action=action, target=target, facts=facts
        )


def _owner(principal: Principal) -> str:
    return principal.organisation or principal.subject


def _sees(batch: Batch, principal: Principal) -> bool:
    if not principal.may("seal.use", batch.seal):
        return False
    if principal.kind is PrincipalKind.PERSON:
        return True  # An officer with the right over this seal: they see to its work, whoever asked for it.
    own = batch.caller == principal.subject if principal.organisation is None else True
    return own and batch.organisation == principal.organisation


def _visible(principal: Principal) -> sa.ColumnElement[bool]:
    """Say as a condition what ``_sees`` says of one batch."""
    columns = store.BATCHES.c
    seals = {right.partition(":")[2] for right in principal.rights if right.startswith("seal.use:")}
    usable = sa.true() if "*" in seals else columns.seal.in_(sorted(seals))
    if principal.kind is PrincipalKind.PERSON:
        return usable
    if principal.organisation is None:
        return sa.and_(usable, columns.organisation.is_(None), columns.caller == principal.subject)
    return sa.and_(usable, columns.organisation == principal.organisation)


def _hash(wish: BatchWish) -> str:
    words = [
        wish.seal,
        wish.source,
        wish.stop_on_error,
        *((each.content, asked_text(each.request)) for each in wish.items),
    ]
    return sm3(json.dumps(words).encode()).hex()
