"""The HTTP API of sealing and verifying: parse, call one verb, render."""

import re
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.requests import Request
from starlette.responses import Response

from kernel.clock import Clock
from kernel.guard import BearerGuard
from kernel.principal import Principal
from seal.api_models import (
    FETCHING_PROBLEMS,
    FILE_TYPES,
    FILES,
    LINK,
    LISTING_PROBLEMS,
    LOOKING_PROBLEMS,
    REPLAYED,
    REPORTS,
    RETRYING_PROBLEMS,
    SEALED,
    SEALING_PROBLEMS,
    STATUS_PROBLEMS,
    VERIFYING_PROBLEMS,
    SealingAnswer,
    SealingState,
    SealStatusAnswer,
    located,
    next_page,
    responses,
    upload_body,
)
from seal.later.model import NEWEST
from seal.model import SealStatus
from seal.register import SealRegister
from seal.reporting import ETSI_MEDIA_TYPE, etsi_report, human_report, page_policy
from seal.request import SealedDocument
from seal.sealing import SealService
from seal.store import Progress
from seal.unsealed import Unsealed
from seal.upload import (
    Instant,
    SealingOptions,
    Upload,
    VerifyingOptions,
    client_address,
    sealing_upload,
    verifying_upload,
)
from seal.verifying import Verifier, report_json

UPLOADS = re.compile(r"/api/(?:seals/v1/(?:seals/[^/]*/(?:sealings|use-requests)|renewals)|verify/v1/files)")
"""The paths that take a file, whose bodies may be larger than others."""
DONE = located("the sealing") | REPLAYED
"""The headers of an answer to whoever had something sealed."""


def seal_router(  # noqa: PLR0913 - what the routes call
    *,
    service: SealService,
    unsealed: Unsealed,
    register: SealRegister,
    verifier: Verifier,
    guard: BearerGuard,
    clock: Clock,
) -> APIRouter:
    """Make the routes under ``/api/seals/v1``; all but the status need a token."""
    router = APIRouter(prefix="/api/seals/v1", tags=["seals"])
    caller = Annotated[Principal, Depends(guard)]

    @router.post(
        "/seals/{seal}/sealings",
        status_code=201,
        response_model=SealingAnswer,
        operation_id="sealDocument",
        summary="Seal a document",
        openapi_extra=upload_body(SealingOptions),
        responses=responses(
            SEALING_PROBLEMS,
            {
                201: {
                    "description": "Sealed: JSON, or the file if Accept asks for it",
                    "content": FILES,
                    "headers": DONE,
                }
            },
        ),
    )
    def seal_document(  # noqa: PLR0913, PLR0917 - one parameter a part of the request
        request: Request,
        seal: str,
        principal: caller,
        sent: Annotated[tuple[Upload, SealingOptions], Depends(sealing_upload)],
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
        accept: Annotated[str, Header()] = "application/json",
    ) -> Response:
        """Seal the PDF or OFD document sent as the body, with the options in the query, or as the form's file.

        Ask with an `Idempotency-Key` and a request that is repeated, for whatever reason, seals once.
        """
        upload, options = sent
        principal.require("seal.use", seal)
        verifier.examine(upload.document)
        wanted = options.request(upload.document, seal, idempotency_key=idempotency_key)
        sealed = service.seal(wanted, principal, client_address=client_address(request))
        return sealed_answer(request, sealed, accept)

    @router.get(
        "/sealings",
        operation_id="listUnsealed",
        summary="List documents that were not sealed, or not stamped",
        responses=responses(LISTING_PROBLEMS, {200: {"headers": LINK}}),
    )
    def list_unsealed(  # noqa: PLR0913, PLR0917 - one parameter a part of the request
        request: Request,
        response: Response,
        principal: caller,
        state: Annotated[
            Literal["unsealed", "unstamped"],
            Query(description="unsealed: failed or interrupted; unstamped: sealed, and waiting for a time stamp"),
        ],
        after: Annotated[str | None, Query(max_length=26, description="the last one of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> list[SealingState]:
        """List sealings that failed, were interrupted or wait for a stamp: the caller's, and of seals they may use.

        What waits for its stamp is listed with `owed_at`, longest first.
        """
        if state == "unstamped":
            waiting = unsealed.unstamped(principal, after=after, limit=limit)
            found = tuple(service.progress(each.sealing, principal) for each in waiting)
        else:
            found = unsealed.list(principal, after=after, limit=limit)
        if len(found) == limit:
            next_page(request, response, after=found[-1].intent.id)
        return [_state(request, service, each) for each in found]

    @router.post(
        "/sealings/{sealing}/retry",
        response_model=SealingAnswer,
        operation_id="retrySealing",
        summary="Finish a sealing that failed",
        responses=responses(RETRYING_PROBLEMS, {200: {"description": "Sealed", "content": SEALED, "headers": DONE}}),
    )
    def retry(
        request: Request,
        sealing: str,
        principal: caller,
        accept: Annotated[str, Header()] = "application/json",
    ) -> Response:
        """Seal the kept document under its old serial; what is sealed already is given again."""
        return sealed_answer(request, service.retry(sealing, principal), accept, status=200)

    @router.get(
        "/sealings/{sealing}",
        operation_id="getSealing",
        summary="Ask how far a sealing came",
        responses=responses(LOOKING_PROBLEMS),
    )
    def get_sealing(request: Request, sealing: str, principal: caller) -> SealingState:
        """Tell a sealing's state: to its caller, and to those who may use its seal."""
        return _state(request, service, service.progress(sealing, principal))

    @router.get(
        "/sealings/{sealing}/document",
        operation_id="getSealedDocument",
        summary="Fetch the sealed file",
        response_class=Response,
        responses=responses(FETCHING_PROBLEMS, {200: {"description": "The sealed file", "content": SEALED}}),
    )
    def get_document(
        sealing: str,
        principal: caller,
        version: Annotated[
            str,
            Query(
                pattern="^(newest|first|[0-9a-f]{64})$",
                description="newest: with the time stamp that came later, if one did; first: as it was sealed; "
                "or a file's SM3",
            ),
        ] = NEWEST,
    ) -> Response:
        """Give the sealed file, the newest there is unless another is asked for. What was given once stays."""
        document, media_type = service.document(sealing, principal, version)
        return file_answer(document, media_type, sealing)

    @router.get(
        "/seals/{seal}/status",
        operation_id="getSealStatus",
        summary="Ask for a seal's status at a time",
        responses=responses(STATUS_PROBLEMS),
    )
    def get_status(
        seal: str,
        at: Annotated[Instant | None, Query(description="with its zone; now if left out")] = None,
    ) -> SealStatusAnswer:
        """Tell, to anyone, what status the register holds for the seal at an instant."""
        when = at or clock.now()
        found = register.find(seal)
        status = register.status_at(seal, when)
        return SealStatusAnswer(
            seal=found.id,
            name=found.name,
            owner=found.owner,
            owner_name=found.owner_name,
            at=when,
            status=status,
            usable=status is SealStatus.ACTIVE and found.valid_from <= when <= found.valid_to,
            valid_from=found.valid_from,
            valid_to=found.valid_to,
        )

    return router


def verify_router(*, verifier: Verifier) -> APIRouter:
    """Make the public route under ``/api/verify/v1``."""
    router = APIRouter(prefix="/api/verify/v1", tags=["verifying"])

    @router.post(
        "/files",
        operation_id="verifyFile",
        summary="Judge a sealed document",
        openapi_extra=upload_body(VerifyingOptions),
        responses=responses(
            VERIFYING_PROBLEMS,
            {200: {"description": "The verdict, in the form that Accept asks for", "content": REPORTS}},
        ),
    )
    def verify_file(
        sent: Annotated[tuple[Upload, VerifyingOptions], Depends(verifying_upload)],
        accept: Annotated[str, Header()] = "application/json",
    ) -> Response:
        """Judge every signature of a PDF or OFD document, whoever sealed it. The file is not kept.

        `Accept: text/html` asks for the validation report as a page, `application/vnd.etsi.validation-report+json` for
        the one after ETSI TS 119 102-2; anything else for the short answer.
        """
        upload, options = sent
        return _report(verifier, upload, options, accept)

    return router


def _report(verifier: Verifier, upload: Upload, options: VerifyingOptions, accept: str) -> Response:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Vary": "Accept"}
    if ETSI_MEDIA_TYPE in accept:
        told = etsi_report(verifier.explain(upload.document, options.at, name=upload.name))
        return JSONResponse(told, media_type=ETSI_MEDIA_TYPE, headers=headers)
    if "text/html" in accept:
        page = human_report(verifier.explain(upload.document, options.at, name=upload.name), options.language)
        headers["Content-Security-Policy"] = f"{page_policy()}; frame-ancestors 'none'"
        headers |= {"Content-Language": "zh-CN" if options.language == "zh" else "en", "Referrer-Policy": "no-referrer"}
        return HTMLResponse(page, headers=headers)
    return JSONResponse(report_json(verifier.verify(upload.document, options.at), file=upload.name), headers=headers)


def _path(request: Request, name: str, sealing: str) -> str:
    return str(request.scope.get("root_path", "")) + str(request.app.url_path_for(name, sealing=sealing))


def sealed_answer(request: Request, sealed: SealedDocument, accept: str, status: int = 201) -> Response:
    """Answer with a sealing: told of, or, where Accept asks for it, the file."""
    headers = {"Location": _path(request, "get_sealing", sealed.id)}
    if sealed.replayed:
        headers["Idempotency-Replayed"] = "true"
    if any(kind in accept for kind in FILE_TYPES):
        response = file_answer(sealed.document, sealed.media_type, sealed.id, status=status)
        response.headers.update(headers)
        return response
    answer = SealingAnswer(
        id=sealed.id,
        serial=sealed.serial,
        seal=sealed.seal,
        format=sealed.format,
        sealed_at=sealed.sealed_at,
        file_sm3=sealed.object_key,
        size=len(sealed.document),
        media_type=sealed.media_type,
        document_url=_path(request, "get_document", sealed.id),
        level=sealed.level,
        trusted_time=sealed.trusted_time,
        stamped_sm3=sealed.stamped_key,
        report=report_json(sealed.report),
    )
    return JSONResponse(answer.model_dump(mode="json"), status_code=status, headers=headers)


def file_answer(document: bytes, media_type: str, name: str, status: int = 200) -> Response:
    """Answer with a file, under a name without its ending, that nobody between keeps."""
    suffix = media_type.rpartition("/")[2]
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.{suffix}"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(document, status_code=status, media_type=media_type, headers=headers)


def _state(request: Request, service: SealService, progress: Progress) -> SealingState:
    intent, completion, standing = progress.intent, progress.completion, service.standing(progress)
    if completion:
        state = "completed"
    elif progress.running:
        state = "running"
    else:
        state = "failed" if progress.failure else "interrupted"
    return SealingState(
        id=intent.id,
        serial=intent.serial,
        seal=intent.seal,
        format=intent.format,
        state=state,
        intended_at=intent.intended_at,
        case_number=intent.case_number,
        reason=intent.reason,
        document_kind=intent.document_kind,
        document_sm3=intent.document_before,
        file_sm3=completion.object_key if completion else None,
        sealed_at=completion.sealed_at if completion else None,
        failure=progress.failure,
        document_url=_path(request, "get_document", intent.id) if completion else None,
        level=standing.level,
        trusted_time=standing.trusted_time,
        owed_at=standing.owed_at,
        proved_at=standing.proved_at,
        stamped_sm3=standing.stamped_key,
        stamp_refusal=standing.refusal,
    )
