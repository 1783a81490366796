"""Certification over HTTP, for everybody: certificates, revocation lists, OCSP (RFC 6960), time-stamps (RFC 3161).

Certificates and lists are answered without touching the vault; nobody signs in, for all of it is public.
"""

import base64
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crypto import cms_names, der
from crypto.crl import RevocationList
from crypto.digests import sm3
from crypto.timestamp_exchange import REQUEST_TYPE as TSA_QUERY
from crypto.timestamp_exchange import RESPONSE_TYPE as TSA_REPLY
from crypto.x509 import Certificate
from kernel.clock import Clock
from seal.pki.authorities import PATH, Authorities
from seal.pki.errors import ContentTypeRefused
from seal.pki.responder import REQUEST_TYPE as OCSP_REQUEST
from seal.pki.responder import RESPONSE_TYPE as OCSP_RESPONSE
from seal.pki.responder import Responded

LIMITS: Mapping[re.Pattern[str], int] = {
    re.compile(rf"{PATH}/ocsp/[^/]+"): 10 * 1024,
    re.compile(rf"{PATH}/tsa/[^/]+"): 64 * 1024,
}
"""Octets of a request's body at most, by path: for ``kernel.problem.install``."""
_LONGEST_GET = 4096
# A list that was published out of turn shall be had within the hour, however long the last one lasts.
_LONGEST_KEPT = 3600
_CERTIFICATE_KEPT = {"Cache-Control": f"public, max-age={24 * _LONGEST_KEPT}"}
_NOT_KEPT = {"Cache-Control": "no-store"}
_DIGEST = 16

Endpoint = Callable[[Request], Awaitable[Response]]


def routes(authorities: Authorities, clock: Clock) -> list[Route]:
    """Give the routes, to be mounted at the root of the installation's address."""
    http = _Http(authorities, clock)
    return [
        *_certificates(authorities),
        Route(PATH + "/crl/{authority}.crl", http.revocation_list, methods=["GET"]),
        Route(PATH + "/ocsp/{authority}", http.ocsp, methods=["POST"]),
        Route(PATH + "/ocsp/{authority}/{request:path}", http.ocsp_get, methods=["GET"]),
        Route(PATH + "/tsa/{authority}", http.timestamp, methods=["POST"]),
    ]


def _certificates(authorities: Authorities) -> list[Route]:
    made = []
    for name, path in authorities.paths():
        chain = "".join(each.pem() for each in path).encode()
        for suffix, body, media_type in (
            ("cer", path[0].raw, "application/pkix-cert"),
            ("p7c", _certificates_only(path), "application/pkcs7-mime; smime-type=certs-only"),
            ("pem", chain, "application/x-pem-file"),
        ):
            made.append(Route(f"{PATH}/ca/{name}.{suffix}", _fixed(body, media_type), methods=["GET"]))
    return made


def _fixed(body: bytes, media_type: str) -> Endpoint:
    headers = {**_CERTIFICATE_KEPT, "ETag": _etag(body)}

    async def endpoint(request: Request) -> Response:
        if _known(request, headers["ETag"]):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(body, media_type=media_type, headers=headers)

    return endpoint


def _certificates_only(path: tuple[Certificate, ...]) -> bytes:
    """Write certificates as SignedData that nobody signed (RFC 8551 3.8)."""
    signed = der.sequence(
        der.integer(1),
        der.set_of(()),
        der.sequence(der.oid(cms_names.DATA)),
        der.explicit(0, *(each.raw for each in path)),
        der.set_of(()),
    )
    return der.sequence(der.oid(cms_names.SIGNED_DATA), der.explicit(0, signed))


class _Http:
    """The endpoints that work; what touches disk or vault runs in the thread pool."""

    def __init__(self, authorities: Authorities, clock: Clock) -> None:
        self._authorities = authorities
        self._clock = clock

    async def revocation_list(self, request: Request) -> Response:
        """Give the newest list (RFC 5280 4.2.1.13, RFC 2585)."""
        found = await run_in_threadpool(self._authorities.list_of, request.path_params["authority"])
        headers = self._kept(found.raw, found.this_update, found.next_update)
        if _known(request, headers["ETag"]) or _not_newer(request, found):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(found.raw, media_type="application/pkix-crl", headers=headers)

    async def ocsp(self, request: Request) -> Response:
        """Answer a POST (RFC 6960 A.1)."""
        _require(request, OCSP_REQUEST)
        answer = await run_in_threadpool(self._respond, request.path_params["authority"], await request.body())
        return Response(answer.body, media_type=OCSP_RESPONSE, headers=_NOT_KEPT)

    async def ocsp_get(self, request: Request) -> Response:
        """Answer a GET, in a way that proxies may keep (RFC 6960 A.1, RFC 5019 5 and 6)."""
        asked = _decoded(request.path_params["request"])
        answer = await run_in_threadpool(self._respond, request.path_params["authority"], asked)
        if answer.this_update is None:
            return Response(answer.body, media_type=OCSP_RESPONSE, headers=_NOT_KEPT)
        headers = self._kept(answer.body, answer.this_update, answer.next_update)
        return Response(answer.body, media_type=OCSP_RESPONSE, headers=headers)

    async def timestamp(self, request: Request) -> Response:
        """Stamp (RFC 3161 3.4)."""
        _require(request, TSA_QUERY)
        answer = await run_in_threadpool(self._stamp, request.path_params["authority"], await request.body())
        return Response(answer, media_type=TSA_REPLY, headers=_NOT_KEPT)

    def _respond(self, authority: str, asked: bytes) -> Responded:
        return self._authorities.responder(authority).respond(asked)

    def _stamp(self, authority: str, asked: bytes) -> bytes:
        return self._authorities.stamper(authority).answer(asked)

    def _kept(self, body: bytes, since: datetime, until: datetime | None) -> dict[str, str]:
        """Say how long something may be kept: to its next update, and no longer than an hour without asking."""
        end = until or since
        left = max(0, int((end - self._clock.now()).total_seconds()))
        return {
            "ETag": _etag(body),
            "Last-Modified": format_datetime(since, usegmt=True),
            "Expires": format_datetime(end, usegmt=True),
            "Cache-Control": f"public, max-age={min(left, _LONGEST_KEPT)}, no-transform, must-revalidate",
        }


def _require(request: Request, media_type: str) -> None:
    said = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if said != media_type:
        raise ContentTypeRefused(f"The body must be of the type {media_type}.")


def _decoded(text: str) -> bytes:
    """Read the request in a GET's path; what cannot be read is an empty one, which is answered as malformed."""
    if len(text) > _LONGEST_GET:
        return b""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # No base64, or not even ASCII.
        return b""


def _etag(body: bytes) -> str:
    return f'"{sm3(body).hex()[:_DIGEST]}"'


def _known(request: Request, etag: str) -> bool:
    offered = request.headers.get("if-none-match", "")[:1000]
    return etag in (each.strip().removeprefix("W/") for each in offered.split(","))


def _not_newer(request: Request, found: RevocationList) -> bool:
    # RFC 9110 13.1.3: looked at only where no ETag was sent.
    said = request.headers.get("if-modified-since")
    if said is None or "if-none-match" in request.headers:
        return False
    try:
        return found.this_update.replace(microsecond=0) <= parsedate_to_datetime(said)
    except (ValueError, TypeError, OverflowError):
        return False
