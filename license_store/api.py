"""The licence API: /api/licenses/v1 for departments, /api/verify/v1/licenses for anyone."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response

from kernel.description import problems
from kernel.guard import BearerGuard
from kernel.principal import Principal
from license_store.catalogue import Catalogue
from license_store.issuing import LicenseService
from license_store.model import License, UnknownLicense
from license_store.public import PublicDesk
from license_store.wire import IssueShape, LicenseShape, RevokeShape, TypeShape, TypesShape, VerdictShape


def router(service: LicenseService, catalogue: Catalogue, guard: BearerGuard) -> APIRouter:
    """Make the routes for departments; each needs a token that carries the right it names."""
    routes = APIRouter(prefix="/api/licenses/v1", tags=["licenses"])
    caller = Depends(guard)

    def shown(licence: License) -> LicenseShape:
        return LicenseShape.of(licence, status=service.status(licence), address=service.address(licence))

    @routes.get("/types", dependencies=[caller], operation_id="listLicenseTypes", summary="List licence types")
    def types() -> TypesShape:
        """List the licence types, each with the JSON Schema of its face fields."""
        return TypesShape(types=tuple(TypeShape.of(kind) for kind in catalogue.types()))

    @routes.post(
        "/licenses",
        status_code=HTTPStatus.CREATED,
        operation_id="issueLicense",
        summary="Issue a licence",
        responses={**problems(_ISSUING), 201: {"headers": _LOCATION}},
    )
    def issue(
        body: IssueShape,
        principal: Annotated[Principal, caller],
        idempotency_key: Annotated[str, Header(max_length=200, examples=["SL-2026-000123"])],
        response: Response,
    ) -> LicenseShape:
        """Issue a licence: rights ``license.issue:<type>`` and ``seal.use:<seal>``.

        The same request under the same Idempotency-Key gives the same licence, however often it is sent.
        """
        licence = service.issue(body.request(idempotency_key), principal)
        response.headers["Location"] = f"{routes.prefix}/licenses/{licence.public_id}"
        return shown(licence)

    @routes.get(
        "/licenses/{public_id}",
        operation_id="getLicense",
        summary="Look at a licence",
        responses=problems(_LOOKING),
    )
    def find(public_id: str, principal: Annotated[Principal, caller]) -> LicenseShape:
        """Show a licence of the caller's body: right ``license.read:<type>`` or ``license.issue:<type>``."""
        return shown(service.readable(public_id, principal))

    @routes.get(
        "/licenses/{public_id}/document",
        operation_id="getLicenseDocument",
        summary="Fetch the sealed document",
        response_class=Response,
        responses={**problems({**_LOOKING, 503: "object_corrupt, objects_unavailable"}), **_PDF},
    )
    def document(public_id: str, principal: Annotated[Principal, caller]) -> Response:
        """Give the sealed document, by the rights that show the licence."""
        licence = service.readable(public_id, principal)
        name = f'attachment; filename="{licence.number}.pdf"'
        return Response(
            service.document(licence),
            media_type="application/pdf",
            headers={"Content-Disposition": name, "Cache-Control": "no-store"},
        )

    @routes.post(
        "/licenses/{public_id}/revocation",
        operation_id="revokeLicense",
        summary="Revoke a licence",
        responses=problems({**_LOOKING, 409: "license_not_active: it was revoked already, too"}),
    )
    def revoke(public_id: str, body: RevokeShape, principal: Annotated[Principal, caller]) -> LicenseShape:
        """Revoke a licence (吊销) for good: right ``license.revoke:<type>``."""
        licence = service.revoke(public_id, legal_basis=body.legal_basis, reason=body.reason, principal=principal)
        return shown(licence)

    return routes


def public_router(desk: PublicDesk) -> APIRouter:
    """Make the public JSON answer: no token, no cookie; the twin of the page at /v/{public_id}."""
    routes = APIRouter(prefix="/api/verify/v1", tags=["verify"])

    @routes.get(
        "/licenses/{public_id}",
        operation_id="verifyLicense",
        summary="Tell whether a licence is genuine and in force",
        responses=problems({404: "unknown_license", 429: "verifier_busy"}),
    )
    def verdict(public_id: str, response: Response) -> VerdictShape:
        """Tell whether a licence is genuine and in force, as of now; an unknown id is 404 ``unknown_license``."""
        view = desk.view(public_id)
        if view.licence is None or view.kind is None:
            raise UnknownLicense("There is no licence with this id.")
        response.headers["Cache-Control"] = "no-store"
        return VerdictShape.of(view, view.licence, view.kind)

    return routes


_LOOKING = {403: "forbidden", 404: "unknown_license"}
_ISSUING = {
    400: "license_data_invalid, license_does_not_fit, glyph_missing",
    403: "forbidden: the right license.issue:<type> or seal.use:<seal> is missing",
    404: "unknown_license_type, seal_unknown",
    409: "idempotency_key_reused, issuing_in_progress, seal_not_of_issuer, seal_not_usable, seal_expired",
    415: "document_unsupported: no such format of a seal",
    503: "sealing_rejected_by_verifier, signing_unavailable, timestamp_unavailable, evidence_missing",
}
_LOCATION = {"Location": {"description": "where the licence is", "schema": {"type": "string"}}}
_PDF: dict[int | str, dict[str, object]] = {
    200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}
}
