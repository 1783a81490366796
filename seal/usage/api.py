"""The HTTP API of uses: use requests, the ledger, grants; parse, call one verb, render."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from kernel.clock import Clock
from kernel.guard import BearerGuard
from kernel.principal import Principal
from seal.affairs.desk import SealDesk
from seal.api import DONE, file_answer, sealed_answer
from seal.api_models import BINARY, FILES, SealingAnswer, located, responses, upload_body
from seal.formats_table import document_type
from seal.upload import Instant, Upload, client_address, read_upload
from seal.usage.api_models import (
    ASKING_PROBLEMS,
    DECIDING_PROBLEMS,
    EXPORTING_PROBLEMS,
    FETCHING_PROBLEMS,
    FINDING_PROBLEMS,
    GRANT_PROBLEMS,
    LEDGER_PROBLEMS,
    USING_PROBLEMS,
    AskingOptions,
    GrantAnswer,
    GrantsAnswer,
    LedgerAnswer,
    LedgerRowAnswer,
    UseDecisionShape,
    UseRequestAnswer,
    UseRequestsAnswer,
)
from seal.usage.approvals import UseRequest
from seal.usage.ledger import LedgerFilter, UsageLedger, UseState
from seal.usage.requests import UseRequests
from seal.verifying import Verifier

_PRIVATE = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
_Words = Annotated[str | None, Query(min_length=1, max_length=200)]


async def asking_upload(request: Request) -> tuple[Upload, AskingOptions]:
    """Read a file whose sealing is asked for, with its options from form or query."""
    upload = await read_upload(request)
    try:
        return upload, AskingOptions.model_validate(dict(upload.fields))
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error


def ledger_filter(  # noqa: PLR0913, PLR0917 - one parameter a part of the filter
    seal: Annotated[str | None, Query(pattern="^[0-9]{14}$")] = None,
    organisation: _Words = None,
    caller: _Words = None,
    since: Annotated[Instant | None, Query(description="of the intent, from this instant on")] = None,
    until: Annotated[Instant | None, Query(description="of the intent, before this instant")] = None,
    document_kind: _Words = None,
    case_number: _Words = None,
    format: Annotated[str | None, Query(min_length=1, max_length=40)] = None,  # noqa: A002 - as the API calls it
    state: UseState | None = None,
    document_sm3: Annotated[str | None, Query(pattern="^[0-9a-f]{64}$", description="sent, or sealed")] = None,
) -> LedgerFilter:
    """Read the ledger's filter from the query."""
    return LedgerFilter(
        seal=seal,
        organisation=organisation,
        caller=caller,
        since=since,
        until=until,
        document_kind=document_kind,
        case_number=case_number,
        format=format,
        state=state,
        document_sm3=document_sm3,
    )


def usage_router(  # noqa: PLR0913 - what the routes call
    *,
    uses: UseRequests,
    ledger: UsageLedger,
    desk: SealDesk,
    verifier: Verifier,
    guard: BearerGuard,
    clock: Clock,
) -> APIRouter:
    """Make the routes of uses under ``/api/seals/v1``; all need a token."""
    router = APIRouter(prefix="/api/seals/v1", tags=["uses"])
    _add_asking(router, uses, verifier, guard, clock)
    _add_deciding(router, uses, guard, clock)
    _add_ledger(router, ledger, guard)
    _add_grants(router, desk, guard)
    return router


def _add_asking(router: APIRouter, uses: UseRequests, verifier: Verifier, guard: BearerGuard, clock: Clock) -> None:
    caller = Annotated[Principal, Depends(guard)]

    @router.post(
        "/seals/{seal}/use-requests",
        status_code=201,
        operation_id="askForUse",
        summary="Ask for one use of a seal",
        openapi_extra=upload_body(AskingOptions),
        responses=responses(ASKING_PROBLEMS, {201: {"headers": located("the use request")}}),
    )
    def ask(
        request: Request,
        response: Response,
        seal: str,
        principal: caller,
        sent: Annotated[tuple[Upload, AskingOptions], Depends(asking_upload)],
    ) -> UseRequestAnswer:
        """Keep the document until a second person has decided whether it is sealed just so."""
        upload, options = sent
        principal.require("seal.use", seal)
        verifier.examine(upload.document)
        made = uses.ask(
            options.request(upload.document, seal),
            principal,
            client_address=client_address(request),
            lifetime=timedelta(days=options.days),
        )
        response.headers["Location"] = _path(request, "get_use_request", made.id)
        return _answer(request, made, clock)

    @router.post(
        "/use-requests/{use_request}/sealings",
        status_code=201,
        response_model=SealingAnswer,
        operation_id="sealByUseRequest",
        summary="Seal what was approved",
        responses=responses(USING_PROBLEMS, {201: {"description": "Sealed", "content": FILES, "headers": DONE}}),
    )
    def seal_by(
        request: Request,
        use_request: str,
        principal: caller,
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
        accept: Annotated[str, Header()] = "application/json",
    ) -> Response:
        """Seal the document that was kept, once; asked again, the same sealing is given."""
        sealed = uses.seal(
            use_request, principal, idempotency_key=idempotency_key, client_address=client_address(request)
        )
        return sealed_answer(request, sealed, accept)


def _add_deciding(router: APIRouter, uses: UseRequests, guard: BearerGuard, clock: Clock) -> None:
    caller = Annotated[Principal, Depends(guard)]

    @router.get(
        "/use-requests",
        operation_id="listUseRequests",
        summary="List use requests, the newest first",
        responses=responses(FINDING_PROBLEMS),
    )
    def list_use_requests(
        request: Request,
        principal: caller,
        *,
        waiting: Annotated[bool, Query(description="only those that wait for a decision")] = False,
        after: Annotated[str | None, Query(max_length=26)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> UseRequestsAnswer:
        """List the caller's own, and those they may decide."""
        page = uses.list(principal, waiting=waiting, after=after, limit=limit)
        told = tuple(_answer(request, each, clock) for each in page)
        return UseRequestsAnswer(use_requests=told, next=page[-1].id if len(page) == limit else None)

    @router.get(
        "/use-requests/{use_request}",
        operation_id="getUseRequest",
        summary="Look at a use request",
        responses=responses(FINDING_PROBLEMS),
    )
    def get_use_request(request: Request, use_request: str, principal: caller) -> UseRequestAnswer:
        """Show a use request to its caller, and to whoever may decide it."""
        return _answer(request, uses.find(use_request, principal), clock)

    @router.get(
        "/use-requests/{use_request}/document",
        operation_id="getUseRequestDocument",
        summary="Fetch the document that is to be sealed",
        response_class=Response,
        responses=responses(FETCHING_PROBLEMS, {200: {"description": "The document, as sent", "content": FILES}}),
    )
    def get_document(use_request: str, principal: caller) -> Response:
        """Give the document to those whom the use request concerns."""
        content = uses.document(use_request, principal)
        return file_answer(content, document_type(content).media_type, use_request)

    @router.post(
        "/use-requests/{use_request}/decision",
        operation_id="decideUseRequest",
        summary="Approve, reject or withdraw a use request",
        responses=responses(DECIDING_PROBLEMS),
    )
    def decide(request: Request, use_request: str, body: UseDecisionShape, principal: caller) -> UseRequestAnswer:
        """Say the one word about a use request; needs `seal.use.approve:<seal>`, and not to have asked oneself."""
        decided = uses.decide(use_request, body.verdict, principal, request_hash=body.request_hash, note=body.note)
        return _answer(request, decided, clock)


def _add_ledger(router: APIRouter, ledger: UsageLedger, guard: BearerGuard) -> None:
    caller = Annotated[Principal, Depends(guard)]

    @router.get(
        "/ledger", operation_id="getLedger", summary="Look at uses of seals", responses=responses(LEDGER_PROBLEMS)
    )
    def get_ledger(
        principal: caller,
        wanted: Annotated[LedgerFilter, Depends(ledger_filter)],
        after: Annotated[str | None, Query(max_length=100, description="`next` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> LedgerAnswer:
        """List uses, the newest first: of the caller's own seals, and of those they have `seal.ledger:<seal>` for."""
        page = ledger.page(wanted, principal, after=after, limit=limit)
        return LedgerAnswer(uses=tuple(map(LedgerRowAnswer.of, page.rows)), next=page.next)

    @router.get(
        "/ledger/exports/{month}",
        operation_id="exportLedger",
        summary="Fetch a month of the ledger",
        response_class=StreamingResponse,
        responses=responses(EXPORTING_PROBLEMS, {200: {"description": "ZIP", "content": {"application/zip": BINARY}}}),
    )
    def export(month: str, principal: caller, wanted: Annotated[LedgerFilter, Depends(ledger_filter)]) -> Response:
        """Give every use of a month, such as 2026-11, as CSV and as JSON lines, with a signed manifest."""
        pieces = ledger.export(wanted, principal, month=month)
        headers = {**_PRIVATE, "Content-Disposition": f'attachment; filename="ledger-{month}.zip"'}
        return StreamingResponse(pieces, media_type="application/zip", headers=headers)


def _add_grants(router: APIRouter, desk: SealDesk, guard: BearerGuard) -> None:
    caller = Annotated[Principal, Depends(guard)]

    @router.get(
        "/seals/{seal}/grants",
        operation_id="listGrants",
        summary="List the grants of a seal",
        responses=responses(GRANT_PROBLEMS),
    )
    def list_grants(seal: str, principal: caller) -> GrantsAnswer:
        """Show who may use a seal that takes a grant; given and ended by affairs."""
        return GrantsAnswer(grants=tuple(map(GrantAnswer.of, desk.grants(seal, principal))))


def _path(request: Request, name: str, use_request: str) -> str:
    return str(request.scope.get("root_path", "")) + str(request.app.url_path_for(name, use_request=use_request))


def _answer(request: Request, found: UseRequest, clock: Clock) -> UseRequestAnswer:
    return UseRequestAnswer.of(found, clock.now(), f"{_path(request, 'get_use_request', found.id)}/document")
