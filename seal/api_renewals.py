"""The HTTP API of renewing: evidence and time stamps added to signatures that a PDF bears already."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response

from kernel.guard import BearerGuard
from kernel.principal import Principal
from seal.api_models import BINARY, REPLAYED, responses
from seal.levels import Level
from seal.renewing import RenewalService
from seal.upload import Upload, read_upload
from seal.verifying import Verifier

_PROBLEMS = {
    400: "document_refused, document_unreadable, document_signature_invalid, level_refused",
    401: "token_missing, token_refused",
    403: "forbidden: the right document.renew:<level> is missing",
    413: "body_too_large, document_too_large",
    415: "document_unsupported",
    422: "request_invalid; errors names the fields. idempotency_mismatch",
    429: "verifier_busy",
    503: "timestamp_unavailable, evidence_missing, sealing_rejected_by_verifier, objects_unavailable",
}
_RENEWED = {
    "description": "the PDF with what was added behind it",
    "content": {"application/pdf": BINARY},
    "headers": REPLAYED,
}
_FORM = {
    "schema": {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {"type": "string", "format": "binary"}},
    }
}


def renewal_router(*, service: RenewalService, verifier: Verifier, guard: BearerGuard) -> APIRouter:
    """Make the route ``/api/seals/v1/renewals``."""
    router = APIRouter(prefix="/api/seals/v1", tags=["renewals"])

    @router.post(
        "/renewals",
        operation_id="renewDocument",
        summary="Renew the evidence in a PDF",
        response_class=Response,
        openapi_extra={
            "requestBody": {"required": True, "content": {"application/pdf": BINARY, "multipart/form-data": _FORM}}
        },
        responses=responses(_PROBLEMS, {200: _RENEWED}),
    )
    def renew(
        principal: Annotated[Principal, Depends(guard)],
        sent: Annotated[Upload, Depends(_file_alone)],
        level: Annotated[Level, Query(description="what every signature is brought to, or kept at")] = Level.LTA,
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
    ) -> Response:
        """Bring every signature of a PDF to a level, whoever made it, or lengthen the life of those that have it.

        No seal signs. With an `Idempotency-Key` the same answer is given again; without one each call adds a stamp.
        """
        principal.require("document.renew", level)
        verifier.examine(sent.document)
        renewed = service.renew(sent.document, principal, level, idempotency_key=idempotency_key)
        headers = {
            "Content-Disposition": 'attachment; filename="renewed.pdf"',
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        }
        if renewed.replayed:
            headers["Idempotency-Replayed"] = "true"
        return Response(renewed.document, media_type="application/pdf", headers=headers)

    return router


async def _file_alone(request: Request) -> Upload:
    """Read the file; in a form nothing stands beside it."""
    upload = await read_upload(request)
    others = sorted(upload.fields.keys() - request.query_params.keys())
    if others:
        raise RequestValidationError([{"loc": ("body", name), "type": "extra_forbidden"} for name in others])
    return upload
