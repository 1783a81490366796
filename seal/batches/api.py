"""The HTTP API of batches: parse, call one verb, render."""

import json
import re
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from kernel.guard import BearerGuard
from kernel.principal import Principal
from seal.api_models import BINARY, located, responses
from seal.batches.model import FILES as FROM_FILES
from seal.batches.model import Batch, BatchState, BatchWish, Item, ItemState, ItemWish, Tally
from seal.batches.orders import BatchOrder, Files, Table, batch_order, described, described_table, table_order
from seal.batches.results import results_zip
from seal.batches.rows import read_rows, row_items
from seal.batches.service import MOST_ITEMS, BatchService
from seal.upload import Upload, client_address, read_upload

FILES = re.compile(r"/api/seals/v1/uploads")
"""The path that takes a file."""
LISTS = re.compile(r"/api/seals/v1/batches")
"""The path that takes a long list, or several files."""
TABLES = re.compile(r"/api/seals/v1/batches/rows")
"""The path that takes a table."""
_BEARER = "token_missing, token_refused"
_LOOKING = {401: _BEARER, 403: "forbidden", 404: "batch_unknown"}
_STEERING = {**_LOOKING, 409: "batch_refused: not from the state it is in"}
_MAKING = {
    400: "batch_invalid, placement_refused, document_refused; of rows letter_rows_invalid",
    401: _BEARER,
    403: "forbidden: the right seal.use:<seal> is missing",
    404: "seal_unknown, upload_unknown, letter_template_unknown",
    413: "body_too_large, document_too_large",
    415: "document_unsupported",
    422: "request_invalid; errors names the fields. idempotency_mismatch",
}
_TABLES = {
    **_MAKING,
    400: "batch_table_unreadable, letter_rows_invalid, batch_invalid, placement_refused",
    404: "seal_unknown, letter_template_unknown",
    413: "body_too_large",
}
_LISTING = {401: _BEARER, 422: "request_invalid"}
_UPLOADING = {
    400: "document_refused",
    401: _BEARER,
    403: "forbidden",
    413: "document_too_large",
    415: "document_unsupported",
}


class UploadAnswer(BaseModel):
    """A file that can be named in batches."""

    sm3: str = Field(description="its name in batches: SM3 of the file, hexadecimal")
    size: int
    expires_at: datetime = Field(description="until when it can be named")


class BatchAnswer(BaseModel):
    """A batch and how far it came."""

    id: str
    seal: str
    source: str = Field(description="what its documents come from: files, or a kind of template", examples=["letters"])
    state: BatchState
    state_since: datetime
    created_at: datetime
    stop_on_error: bool
    total: int
    sealed: int
    failed: int
    open: int
    items_url: str
    results_url: str


class BatchesAnswer(BaseModel):
    """A page of batches, the newest first."""

    batches: list[BatchAnswer]
    next: str | None = Field(description="give this as `after` for the next page; null: there is none")


class ItemAnswer(BaseModel):
    """An item and what became of it."""

    position: int
    row: int | None = Field(description="the row of data that the document is made from, from 1; null for files")
    state: ItemState
    document_sm3: str | None = Field(description="of the file that was uploaded; null where a source made the document")
    case_number: str | None
    sealing: str | None
    format: str | None
    file_sm3: str | None
    failure: str | None = Field(description="code of what went wrong")
    detail: str | None
    document_url: str | None


class ItemsAnswer(BaseModel):
    """Some items in order; ``next`` is the position to ask after, null at the end."""

    items: list[ItemAnswer]
    next: int | None


def batch_router(*, batches: BatchService, guard: BearerGuard) -> APIRouter:
    """Make the routes of uploads and batches under ``/api/seals/v1``."""
    router = APIRouter(prefix="/api/seals/v1", tags=["batches"])
    caller = Annotated[Principal, Depends(guard)]

    @router.post(
        "/uploads",
        status_code=201,
        operation_id="uploadFile",
        summary="Upload a file for batches",
        openapi_extra={
            "requestBody": {"required": True, "content": {"application/pdf": BINARY, "application/ofd": BINARY}}
        },
        responses=responses(_UPLOADING),
    )
    def upload(principal: caller, sent: Annotated[Upload, Depends(read_upload)]) -> UploadAnswer:
        """Keep a PDF or OFD for a week, to be named by its digest."""
        kept = batches.upload(sent.document, principal)
        return UploadAnswer(sm3=kept.sm3, size=kept.size, expires_at=kept.expires_at)

    @router.post(
        "/batches",
        status_code=202,
        response_model=BatchAnswer,
        operation_id="createBatch",
        summary="Seal many documents",
        openapi_extra=dict(described()),
        responses=responses(_MAKING, {202: {"description": "Taken", "headers": located("the batch")}}),
    )
    def create(
        request: Request,
        principal: caller,
        order: Annotated[BatchOrder | Files, Depends(batch_order)],
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
    ) -> Response:
        """Take up to 10,000 documents that were uploaded, or up to 100 files of a form.

        Or `template` names a template, and each of up to 10,000 `rows` becomes a document: all of them are checked
        before the batch is made. A worker seals in order. Ask at `Location` how far it came.
        """
        wish = _wish(batches, order, principal) if isinstance(order, BatchOrder) else _kept(batches, order, principal)
        return _made(request, batches, replace(wish, idempotency_key=idempotency_key), principal)

    _take_tables(router, batches, guard)

    @router.get("/batches", operation_id="listBatches", summary="List batches", responses=responses(_LISTING))
    def get_batches(
        request: Request,
        principal: caller,
        after: Annotated[str | None, Query(max_length=26, description="the last one of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
    ) -> BatchesAnswer:
        """List the batches that the caller may see, the newest first."""
        found = batches.list(principal, after=after, limit=limit)
        told = [_batch(request, *each) for each in found]
        return BatchesAnswer(batches=told, next=told[-1].id if len(told) == limit else None)

    @router.get(
        "/batches/{batch}", operation_id="getBatch", summary="Ask how far a batch came", responses=responses(_LOOKING)
    )
    def get_batch(request: Request, batch: str, principal: caller) -> BatchAnswer:
        """Tell a batch's state and how many of its items stand how."""
        return _batch(request, *batches.progress(batch, principal))

    @router.get(
        "/batches/{batch}/items", operation_id="listBatchItems", summary="List items", responses=responses(_LOOKING)
    )
    def get_items(
        request: Request,
        batch: str,
        principal: caller,
        after: Annotated[int, Query(ge=0, le=MOST_ITEMS)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> ItemsAnswer:
        """Tell what became of each item."""
        source = batches.find(batch, principal).source
        found = batches.items(batch, principal, after=after, limit=limit)
        more = found[-1].position if len(found) == limit else None
        return ItemsAnswer(items=[_item(request, each, source) for each in found], next=more)

    @router.post("/batches/{batch}/pause", operation_id="pauseBatch", summary="Pause", responses=responses(_STEERING))
    def pause(request: Request, batch: str, principal: caller) -> BatchAnswer:
        """Begin no further item for now."""
        batches.pause(batch, principal)
        return _batch(request, *batches.progress(batch, principal))

    @router.post("/batches/{batch}/resume", operation_id="resumeBatch", summary="Go on", responses=responses(_STEERING))
    def resume(request: Request, batch: str, principal: caller) -> BatchAnswer:
        """Go on after a pause, or after a stop at an error."""
        batches.resume(batch, principal)
        return _batch(request, *batches.progress(batch, principal))

    @router.post(
        "/batches/{batch}/cancel", operation_id="cancelBatch", summary="Cancel", responses=responses(_STEERING)
    )
    def cancel(request: Request, batch: str, principal: caller) -> BatchAnswer:
        """Begin no further item, for good. What is sealed stays sealed."""
        batches.cancel(batch, principal)
        return _batch(request, *batches.progress(batch, principal))

    @router.get(
        "/batches/{batch}/results.zip",
        operation_id="getBatchResults",
        summary="Fetch all sealed files",
        response_class=StreamingResponse,
        responses=responses(_LOOKING, {200: {"description": "ZIP", "content": {"application/zip": BINARY}}}),
    )
    def results(batch: str, principal: caller) -> Response:
        """Give the files that are sealed by now, named by position or by the field that was chosen.

        `results.json` tells every item's outcome.
        """
        batches.find(batch, principal)
        headers = {
            "Content-Disposition": f'attachment; filename="{batch}.zip"',
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        }
        return StreamingResponse(results_zip(batches, batch, principal), media_type="application/zip", headers=headers)

    return router


def _kept(batches: BatchService, files: Files, principal: Principal) -> BatchWish:
    """Keep the files as uploads, so that the batch is one of files uploaded before."""
    order = files.order
    principal.require("seal.use", order.seal)
    request = order.request(b"", order.seal)
    # One that is refused is told of by its place; what was kept before it is gone in a week.
    items = [ItemWish(content=batches.upload(document, principal).sm3, request=request) for document in files.documents]
    return BatchWish(seal=order.seal, items=items, stop_on_error=order.stop_on_error)


def _wish(batches: BatchService, order: BatchOrder, principal: Principal) -> BatchWish:
    if order.template is not None and order.rows is not None:
        principal.require("seal.use", order.seal)
        items = row_items(batches, order.template, order.rows, order.seal, principal)
        return BatchWish(seal=order.seal, items=items, source=order.template.source, stop_on_error=order.stop_on_error)
    items = [ItemWish(content=each.sm3, request=each.request(b"", order.seal)) for each in order.items or ()]
    return BatchWish(seal=order.seal, items=items, stop_on_error=order.stop_on_error)


def _take_tables(router: APIRouter, batches: BatchService, guard: BearerGuard) -> None:
    caller = Annotated[Principal, Depends(guard)]

    @router.post(
        "/batches/rows",
        status_code=202,
        response_model=BatchAnswer,
        operation_id="createBatchOfRows",
        summary="Seal a document for each row of a table",
        openapi_extra=dict(described_table()),
        responses=responses(_TABLES, {202: {"headers": located("the batch")}}),
    )
    def create_of_rows(
        request: Request,
        principal: caller,
        table: Annotated[Table, Depends(table_order)],
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
    ) -> Response:
        """Take a table as CSV in UTF-8, the fields' names in its first line; else as `POST /batches` with `rows`."""
        order = table.order
        principal.require("seal.use", order.seal)
        rows = read_rows(table.octets, MOST_ITEMS)
        wish = BatchWish(
            seal=order.seal,
            source=order.source,
            items=row_items(batches, order, rows, order.seal, principal),
            stop_on_error=order.stop_on_error,
            idempotency_key=idempotency_key,
        )
        return _made(request, batches, wish, principal)


def _made(request: Request, batches: BatchService, wish: BatchWish, principal: Principal) -> Response:
    made = batches.create(wish, principal, client_address=client_address(request))
    answer = _batch(request, *batches.progress(made.id, principal))
    headers = {"Location": _path(request, "get_batch", made.id)}
    return JSONResponse(answer.model_dump(mode="json"), status_code=202, headers=headers)


def _path(request: Request, name: str, batch: str) -> str:
    return str(request.scope.get("root_path", "")) + str(request.app.url_path_for(name, batch=batch))


def _batch(request: Request, batch: Batch, tally: Tally) -> BatchAnswer:
    return BatchAnswer(
        id=batch.id,
        seal=batch.seal,
        source=batch.source,
        state=batch.state,
        state_since=batch.state_since,
        created_at=batch.created_at,
        stop_on_error=batch.stop_on_error,
        total=tally.total,
        sealed=tally.sealed,
        failed=tally.failed,
        open=tally.open,
        items_url=_path(request, "get_items", batch.id),
        results_url=_path(request, "results", batch.id),
    )


def _item(request: Request, item: Item, source: str) -> ItemAnswer:
    root = str(request.scope.get("root_path", ""))
    sealed = item.state is ItemState.SEALED
    return ItemAnswer(
        position=item.position,
        row=None if source == FROM_FILES else item.position,
        state=item.state,
        document_sm3=item.content if source == FROM_FILES else None,
        case_number=json.loads(item.asked)["case_number"],
        sealing=item.sealing,
        format=item.format,
        file_sm3=item.file,
        failure=item.failure,
        detail=item.detail,
        document_url=f"{root}/api/seals/v1/sealings/{item.sealing}/document" if sealed else None,
    )
