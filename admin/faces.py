"""Faces: the HTTP applications made from a service. One process serves all of them, or some."""

import logging
import re
from urllib.parse import urlsplit

import structlog
from fastapi import Depends, FastAPI, Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse, PlainTextResponse, Response

import admin.console.routes
import idp.api
import license_store.api
import license_store.letters.api
import license_store.pages
import seal.affairs.api
import seal.api
import seal.api_renewals
import seal.batches.api
import seal.batches.uploaded
import seal.digests.api
import seal.pki.api
import seal.usage.api
import seal.webhooks.api
from admin.build import Service
from crypto.errors import CryptoError
from kernel import problem
from kernel.assets import static_app
from kernel.description import describe
from kernel.errors import Refusal
from kernel.guard import EitherGuard
from kernel.known_query import only_known_query
from kernel.signed_door import SignedDoor
from seal.affairs.api import MAX_PAPER, PAPERS
from seal.affairs.desk import SealDesk
from seal.batches.orders import MAX_LIST

MAX_UPLOAD = 65 * 1024 * 1024
"""Largest upload: a document of 64 MiB and the form round it."""
_SIGNED = re.compile(r"/api/(?:seals|licenses)/v1/.*", re.DOTALL)
"""The paths where a request may be signed in place of bearing a token."""
_TITLE = "信印 Xinyin"
_log = structlog.get_logger("xinyin.health")


def application(service: Service) -> FastAPI:
    """Make the one application with every face."""
    # The generated documentation pages load scripts from elsewhere; the description alone does not.
    app = FastAPI(
        title=_TITLE,
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        dependencies=[Depends(only_known_query)],
    )
    describe(app)
    guard = EitherGuard(service.idp.verifier)
    desk = SealDesk(db=service.database, register=service.register)
    app.include_router(
        seal.api.seal_router(
            service=service.sealing,
            unsealed=service.deferred.unsealed,
            register=service.register,
            verifier=service.verifier,
            guard=guard,
            clock=service.clock,
        )
    )
    app.include_router(
        seal.affairs.api.affairs_router(
            affairs=service.affairs,
            desk=desk,
            guard=guard,
            clock=service.clock,
        )
    )
    app.include_router(
        seal.usage.api.usage_router(
            uses=service.uses,
            ledger=service.ledger,
            desk=desk,
            verifier=service.verifier,
            guard=guard,
            clock=service.clock,
        )
    )
    batches = service.deferred.batches
    app.include_router(seal.batches.api.batch_router(batches=batches, guard=guard))
    app.include_router(
        seal.batches.uploaded.uploaded_router(
            batches=batches, sealing=service.sealing, examine=service.verifier.examine, guard=guard
        )
    )
    app.include_router(seal.webhooks.api.webhook_router(webhooks=service.deferred.webhooks, guard=guard))
    app.include_router(seal.digests.api.digest_router(service=service.sealing, guard=guard))
    app.include_router(
        seal.api_renewals.renewal_router(service=service.renewal, verifier=service.verifier, guard=guard)
    )
    app.include_router(seal.api.verify_router(verifier=service.verifier))
    app.include_router(license_store.api.router(service.licenses, service.catalogue, guard))
    app.include_router(license_store.letters.api.letter_router(letters=service.letters, guard=guard))
    app.include_router(license_store.api.public_router(service.desk))
    app.include_router(license_store.pages.router(service.pages, service.desk, base_url=service.settings.public_url))
    app.router.routes.extend(idp.api.routes(service.idp, service.pages))
    app.router.routes.extend(admin.console.routes.routes(service))
    if service.authorities.names:
        app.router.routes.extend(seal.pki.api.routes(service.authorities, service.clock))
    app.mount("/static", static_app())
    _welcome(app, service)
    _health(app, service)
    # Added first, so that it is innermost: what is refused has its number, its line in the log and its bound.
    app.add_middleware(
        SignedDoor,
        verifier=service.signatures,
        authority=urlsplit(service.settings.public_url).netloc,
        paths=_SIGNED,
    )
    limits = {
        seal.api.UPLOADS: MAX_UPLOAD,
        seal.batches.api.FILES: MAX_UPLOAD,
        seal.batches.api.LISTS: MAX_UPLOAD,
        seal.batches.api.TABLES: MAX_LIST,
        PAPERS: MAX_PAPER,
    }
    problem.install(app, page=service.pages.error, max_body_at={**limits, **seal.pki.api.LIMITS})
    return app


def _welcome(app: FastAPI, service: Service) -> None:
    @app.get("/", include_in_schema=False)
    def welcome(request: Request) -> Response:
        return service.pages.render(request, "admin/welcome.html", issuer=service.settings.public_url)

    @app.get("/robots.txt", include_in_schema=False)
    def robots() -> Response:
        # Licences are looked up one at a time by whoever holds the paper; no machine shall collect them.
        return PlainTextResponse("User-agent: *\nDisallow: /\n")


def _health(app: FastAPI, service: Service) -> None:
    @app.get("/livez", include_in_schema=False)
    def alive() -> Response:
        return PlainTextResponse("ok\n")

    @app.get("/readyz", include_in_schema=False)
    def ready() -> Response:
        """Ready means: the database answers and the keys in use sign."""
        checks = {"database": _database_answers(service), "keys": _keys_sign(service)}
        return JSONResponse(checks, status_code=200 if all(checks.values()) else 503)


def _database_answers(service: Service) -> bool:
    try:
        with service.database.read() as conn:
            service.audit.head(conn)
    except SQLAlchemyError:
        _log.exception("database_does_not_answer")
        return False
    return True


def _keys_sign(service: Service) -> bool:
    try:
        service.idp.keys.ring()
        failed = service.health.failing()
    except (CryptoError, Refusal, SQLAlchemyError):
        _log.exception("keys_do_not_answer")
        return False
    for use in failed:
        _log.error("key_does_not_sign", key_id=use.key, purpose=use.purpose)
    return not failed


def quiet_library_logs() -> None:
    """Keep libraries from writing request lines: our own log has them without queries."""
    for name in ("uvicorn.access", "fontTools"):
        logging.getLogger(name).disabled = True
