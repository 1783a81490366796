"""The HTTP API of sealing and verifying: parse, call one verb, render."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from kernel.clock import Clock
from kernel.guard import BearerGuard
from kernel.principal import Principal
from seal.errors import DocumentForged, DocumentUnreadable
from seal.model import SealId, SealStatus, Verdict
from seal.register import SealRegister
from seal.request import SealedDocument, SealRequest
from seal.sealing import SealService
from seal.store import Progress
from seal.upload import FILE_FIELD, SealingOptions, Upload, VerifyingOptions, sealing_upload, verifying_upload
from seal.verifying import Verifier, report_json

_FILE_TYPES = ("application/pdf", "application/ofd", "application/octet-stream")
_BINARY = {"schema": {"type": "string", "format": "binary"}}


class SealingAnswer(BaseModel):
    """A finished sealing."""

    id: str = Field(examples=["k3vq5rj2c4m7ydpt6xwznbhgea"])
    serial: int = Field(description="counts the sealings of this seal, without gaps in intent", examples=[17])
    seal: str = Field(examples=["44030000000001"])
    format: str = Field(examples=["pdf-pades-sm2"])
    sealed_at: datetime
    file_sm3: str = Field(description="SM3 of the sealed file, hexadecimal")
    size: int = Field(description="octets of the sealed file")
    media_type: str = Field(examples=["application/pdf"])
    document_url: str = Field(
        description="where the sealed file is fetched", examples=["/api/seals/v1/sealings/…/document"]
    )
    report: dict[str, Any] = Field(description="what our own verifier says of it; see /api/verify/v1/files")


class SealingState(BaseModel):
    """How far a sealing came."""

    id: str
    serial: int
    seal: str
    format: str
    state: str = Field(description="completed, running, failed or interrupted", examples=["completed"])
    intended_at: datetime
    case_number: str | None
    reason: str
    document_kind: str
    document_sm3: str = Field(description="SM3 of the document that was sent")
    file_sm3: str | None
    sealed_at: datetime | None
    failure: str | None = Field(description="code of the last attempt's failure")
    document_url: str | None


class SealStatusAnswer(BaseModel):
    """A seal's registered status at an instant (国办发〔2025〕33号: asked for the moment of sealing)."""

    seal: str = Field(examples=["44030000000001"])
    name: str = Field(examples=["某某市政务服务数据管理局审批专用章"])
    owner: str = Field(examples=["11440300MB2C92173P"])
    owner_name: str = Field(examples=["某某市政务服务数据管理局"])
    at: datetime
    status: SealStatus | None = Field(description="null: not made yet at that instant")
    usable: bool = Field(description="active, and within its validity, at that instant")
    valid_from: datetime
    valid_to: datetime


class ProblemAnswer(BaseModel):
    """A refusal (RFC 9457). ``code`` is stable: programs act on it, people read ``detail``."""

    type: str = Field(examples=["urn:xinyin:problem:seal_not_usable"])
    title: str = Field(examples=["Conflict"])
    status: int = Field(examples=[409])
    code: str = Field(examples=["seal_not_usable"])
    detail: str = Field(examples=["Seal 44030000000001 is suspended."])
    request_id: str


def _problems(**codes: str) -> dict[int | str, dict[str, Any]]:
    """Describe refusals by status (``on_409="a, b"``)."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemAnswer"}}}
    return {
        int(status.removeprefix("on_")): {"description": words, "model": ProblemAnswer, "content": content}
        for status, words in codes.items()
    }


_UPLOAD_PROBLEMS = {
    "on_400": "document_refused, document_unreadable",
    "on_413": "body_too_large, document_too_large",
    "on_415": "document_unsupported: neither PDF nor OFD",
    "on_422": "request_invalid; errors names the fields",
}


def _upload_body(fields: dict[str, Any]) -> dict[str, Any]:
    form = {
        "type": "object",
        "required": [FILE_FIELD],
        "properties": {FILE_FIELD: {"type": "string", "format": "binary"}, **fields},
    }
    content = {"multipart/form-data": {"schema": form}, "application/pdf": _BINARY, "application/ofd": _BINARY}
    return {"requestBody": {"required": True, "content": content}}


def seal_router(
    *, service: SealService, register: SealRegister, verifier: Verifier, guard: BearerGuard, clock: Clock
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
        openapi_extra=_upload_body(SealingOptions.model_json_schema()["properties"]),
        responses={
            201: {
                "content": dict.fromkeys(_FILE_TYPES[:2], _BINARY),
                "description": "Sealed: JSON, or by Accept the file",
            },
            **_problems(
                **(
                    _UPLOAD_PROBLEMS
                    | {"on_400": _UPLOAD_PROBLEMS["on_400"] + ", document_signature_invalid, placement_refused"}
                ),
                on_401="token_missing, token_refused",
                on_403="forbidden: the right seal.use:<seal> is missing",
                on_404="seal_unknown",
                on_409="seal_not_usable, seal_expired, idempotency_mismatch, sealing_in_progress, further_sealing_forbidden",
                on_429="verifier_busy",
                on_503="sealing_rejected_by_verifier, signing_unavailable",
            ),
        },
    )
    def seal_document(  # noqa: PLR0913, PLR0917 - one parameter a part of the request
        request: Request,
        seal: str,
        principal: caller,
        sent: Annotated[tuple[Upload, SealingOptions], Depends(sealing_upload)],
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
        accept: Annotated[str, Header()] = "application/json",
    ) -> Response:
        """Seal the PDF or OFD document sent as the body or as the form's file.

        Ask with an `Idempotency-Key` and a request that is repeated, for whatever reason, seals once.
        """
        upload, options = sent
        principal.require("seal.use", seal)
        _examine(verifier, upload.document)
        wanted = SealRequest(
            document=upload.document,
            seal=SealId(seal),
            format=options.format,
            placement=options.placement,
            reason=options.reason,
            case_number=options.case_number,
            document_kind=options.document_kind,
            idempotency_key=idempotency_key,
        )
        return _sealed_answer(request, service.seal(wanted, principal), accept)

    @router.get(
        "/sealings/{sealing}",
        operation_id="getSealing",
        summary="Ask how far a sealing came",
        responses=_problems(on_401="token_missing, token_refused", on_404="sealing_unknown"),
    )
    def get_sealing(request: Request, sealing: str, principal: caller) -> SealingState:
        """Tell a sealing's state: to its caller, and to those who may use its seal."""
        return _state(request, service.progress(sealing, principal))

    @router.get(
        "/sealings/{sealing}/document",
        operation_id="getSealedDocument",
        summary="Fetch the sealed file",
        response_class=Response,
        responses={
            200: {"content": dict.fromkeys(_FILE_TYPES[:2], _BINARY), "description": "The sealed file"},
            **_problems(on_401="token_missing, token_refused", on_404="sealing_unknown", on_409="sealing_in_progress"),
        },
    )
    def get_document(sealing: str, principal: caller) -> Response:
        """Give the file exactly as it was sealed."""
        document, media_type = service.document(sealing, principal)
        return _file(document, media_type, sealing)

    @router.get(
        "/seals/{seal}/status",
        operation_id="getSealStatus",
        summary="Ask for a seal's status at a time",
        responses=_problems(on_404="seal_unknown", on_422="request_invalid"),
    )
    def get_status(
        seal: str,
        at: Annotated[AwareDatetime | None, Query(description="an instant with its zone; now if left out")] = None,
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
        openapi_extra=_upload_body(VerifyingOptions.model_json_schema()["properties"]),
        responses={200: {"content": {"application/json": {"example": _EXAMPLE}}}}
        | _problems(**_UPLOAD_PROBLEMS, on_429="verifier_busy"),
    )
    def verify_file(sent: Annotated[tuple[Upload, VerifyingOptions], Depends(verifying_upload)]) -> dict[str, Any]:
        """Judge every signature of a PDF or OFD document, whoever sealed it. The file is not kept."""
        upload, options = sent
        return report_json(verifier.verify(upload.document, options.at), file=upload.name)

    return router


def _examine(verifier: Verifier, document: bytes) -> None:
    """Let no file near our own process that breaks its reader, and put no seal under a forged signature."""
    report = verifier.verify(document)
    if any(finding.code == "CANNOT_VERIFY" for finding in report.findings):
        raise DocumentUnreadable("The document could not be read to the end; it was not sealed.")
    if report.verdict is Verdict.INVALID:
        raise DocumentForged("The document bears an invalid signature already, or is damaged; it was not sealed.")


def _path(request: Request, name: str, sealing: str) -> str:
    return str(request.scope.get("root_path", "")) + str(request.app.url_path_for(name, sealing=sealing))


def _sealed_answer(request: Request, sealed: SealedDocument, accept: str) -> Response:
    headers = {"Location": _path(request, "get_sealing", sealed.id)}
    if sealed.replayed:
        headers["Idempotency-Replayed"] = "true"
    if any(kind in accept for kind in _FILE_TYPES):
        response = _file(sealed.document, sealed.media_type, sealed.id, status=201)
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
        report=report_json(sealed.report),
    )
    return JSONResponse(answer.model_dump(mode="json"), status_code=201, headers=headers)


def _file(document: bytes, media_type: str, name: str, status: int = 200) -> Response:
    suffix = media_type.rpartition("/")[2]
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.{suffix}"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(document, status_code=status, media_type=media_type, headers=headers)


def _state(request: Request, progress: Progress) -> SealingState:
    intent, completion = progress.intent, progress.completion
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
    )


_EXAMPLE = {
    "file": "decision.ofd",
    "verdict": "valid",
    "signatures": [
        {
            "format": "ofd-ses-v4",
            "verdict": "valid",
            "signer": "CN=44030000000001,O=某某市政务服务数据管理局,C=CN",
            "seal": {
                "id": "44030000000001",
                "name": "某某市政务服务数据管理局审批专用章",
                "kind": 1,
                "valid_from": "2026-11-22T08:00:00+00:00",
                "valid_to": "2029-11-21T08:00:00+00:00",
            },
            "time": "2026-11-22T08:00:00+00:00",
            "time_source": "claimed",
            "findings": [
                {
                    "code": "REVOCATION_NOT_OFFERED",
                    "verdict": "valid",
                    "detail": "CN=44030000000001,O=某某市政务服务数据管理局,C=CN",
                    "zh": "证书没有提供吊销查询",
                    "en": "The certificate offers no way to ask for its revocation",
                }
            ],
        }
    ],
    "findings": [],
}
