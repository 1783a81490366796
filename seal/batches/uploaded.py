"""The HTTP API of sealing one file that was uploaded before: no octet of it is sent again."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Header
from starlette.requests import Request
from starlette.responses import Response

from kernel.guard import BearerGuard
from kernel.principal import Principal
from seal.api import DONE, sealed_answer
from seal.api_models import FILES, SEALING_PROBLEMS, SealingAnswer, responses
from seal.batches.service import BatchService
from seal.sealing import SealService
from seal.upload import SealingOptions, client_address

_PROBLEMS = {**SEALING_PROBLEMS, 404: f"{SEALING_PROBLEMS[404]}, upload_unknown"}


def uploaded_router(
    *, batches: BatchService, sealing: SealService, examine: Callable[[bytes], None], guard: BearerGuard
) -> APIRouter:
    """Make the route under ``/api/seals/v1``."""
    router = APIRouter(prefix="/api/seals/v1", tags=["seals"])
    caller = Annotated[Principal, Depends(guard)]

    @router.post(
        "/seals/{seal}/uploads/{sm3}/sealings",
        status_code=201,
        response_model=SealingAnswer,
        operation_id="sealUpload",
        summary="Seal a file that was uploaded",
        responses=responses(
            _PROBLEMS, {201: {"description": "Sealed: JSON, or the file", "content": FILES, "headers": DONE}}
        ),
    )
    def seal_upload(  # noqa: PLR0913, PLR0917 - one parameter a part of the request
        request: Request,
        seal: str,
        sm3: str,
        options: SealingOptions,
        principal: caller,
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
        accept: Annotated[str, Header()] = "application/json",
    ) -> Response:
        """Seal a file by the name that its upload gave it, as if it were sent now."""
        principal.require("seal.use", seal)
        batches.check([sm3], principal)
        document = batches.document(sm3)
        examine(document)
        wanted = options.request(document, seal, idempotency_key=idempotency_key)
        return sealed_answer(request, sealing.seal(wanted, principal, client_address=client_address(request)), accept)

    return router
