"""The HTTP API of sealing digests: parse, call one verb, render."""

import base64
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from kernel.guard import BearerGuard
from kernel.principal import Principal
from seal.api_models import REPLAYED, located, responses
from seal.digests.formats import RIGHT
from seal.digests.order import DigestOrder
from seal.model import SealId
from seal.request import SealRequest
from seal.sealing import SealService
from seal.upload import client_address
from seal.verifying import report_json

_PROBLEMS = {
    400: "digest_refused, seal_refused",
    401: "token_missing, token_refused",
    403: "forbidden: the right seal.use_digest:<seal> is missing; seal.use does not imply it",
    404: "seal_unknown",
    409: "seal_not_usable, seal_expired, sealing_in_progress",
    422: "request_invalid; errors names the fields. idempotency_mismatch",
    503: "sealing_rejected_by_verifier, signing_unavailable, timestamp_unavailable, objects_unavailable",
}
NOT_SEEN = "The service did not see the document: it answers for the digest alone."


class DigestBody(BaseModel):
    """A digest to be sealed."""

    model_config = ConfigDict(extra="forbid", str_max_length=500)

    format: Literal["digest-pades-sm2", "digest-pades-p256", "digest-ses-v4", "digest-gbt35275"] = Field(
        description="what is given back: the CMS of a PAdES signature (SM2 or P-256), an e-seal signature "
        "(GB/T 38540), or a GB/T 35275 message"
    )
    algorithm: Literal["SM3", "SHA-256"] = Field(
        description="SM3 for all formats but digest-pades-p256, which takes SHA-256"
    )
    digest: str = Field(pattern="^[0-9a-f]{64}$", description="32 octets, hexadecimal")
    protects: str | None = Field(
        None,
        max_length=200,
        pattern="^/[!-~]{1,199}$",
        description="digest-ses-v4 alone, and there needed: /ByteRange in a PDF, the path of Signature.xml in an OFD",
    )
    room: int | None = Field(
        None, ge=1, le=1_000_000, description="octets laid aside for the signature: refused beforehand if too few"
    )
    reason: str = Field("", max_length=500)
    case_number: str | None = Field(None, max_length=200)
    document_kind: str = Field("", max_length=200)

    def order(self) -> DigestOrder:
        """Give the order."""
        return DigestOrder(algorithm=self.algorithm, digest=self.digest, protects=self.protects, room=self.room)


class DigestAnswer(BaseModel):
    """A sealed digest."""

    id: str = Field(examples=["k3vq5rj2c4m7ydpt6xwznbhgea"])
    serial: int = Field(description="among all sealings of this seal", examples=[18])
    seal: str = Field(examples=["44030000000001"])
    format: str = Field(examples=["digest-pades-sm2"])
    sealed_at: datetime
    algorithm: str = Field(examples=["SM3"])
    digest: str
    signature: str = Field(description="DER in Base64: what goes into the document")
    size: int = Field(description="octets of the signature")
    file_sm3: str = Field(description="SM3 of the signature, hexadecimal")
    document_seen: Literal[False] = False
    notice: str = Field(default=NOT_SEEN)
    document_url: str = Field(description="where the signature is fetched again, DER")
    report: dict[str, Any] = Field(description="what our own verifier says of the signature over this digest")


def digest_router(*, service: SealService, guard: BearerGuard) -> APIRouter:
    """Make the route under ``/api/seals/v1/seals/{seal}/digests``."""
    router = APIRouter(prefix="/api/seals/v1", tags=["digests"])
    caller = Annotated[Principal, Depends(guard)]

    @router.post(
        "/seals/{seal}/digests",
        status_code=201,
        operation_id="sealDigest",
        summary="Seal a digest",
        responses=responses(_PROBLEMS, {201: {"description": "Sealed", "headers": located("the sealing") | REPLAYED}}),
    )
    def seal_digest(  # noqa: PLR0913, PLR0917 - one parameter a part of the request
        request: Request,
        seal: str,
        body: DigestBody,
        principal: caller,
        response: Response,
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
    ) -> DigestAnswer:
        """Sign the digest of a document that was prepared elsewhere and may not be sent.

        The service answers for the digest alone: what the document says, and that it shows the seal, nobody here saw.
        """
        principal.require(RIGHT, seal)
        order = body.order()
        sealed = service.seal(
            SealRequest(
                document=order.octets,
                seal=SealId(seal),
                format=body.format,
                reason=body.reason,
                case_number=body.case_number,
                document_kind=body.document_kind,
                idempotency_key=idempotency_key,
            ),
            principal,
            client_address=client_address(request),
        )
        response.headers["Location"] = f"{router.prefix}/sealings/{sealed.id}"
        if sealed.replayed:
            response.headers["Idempotency-Replayed"] = "true"
        return DigestAnswer(
            id=sealed.id,
            serial=sealed.serial,
            seal=sealed.seal,
            format=sealed.format,
            sealed_at=sealed.sealed_at,
            algorithm=order.algorithm,
            digest=order.digest,
            signature=base64.b64encode(sealed.document).decode("ascii"),
            size=len(sealed.document),
            file_sm3=sealed.object_key,
            document_url=f"{router.prefix}/sealings/{sealed.id}/document",
            report=report_json(sealed.report),
        )

    return router
