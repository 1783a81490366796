"""Problems: the one place where a refusal becomes an HTTP answer (RFC 9457), or a page for a person.

Only this module knows status codes. A refusal may carry two optional attributes that become headers:
``challenge`` (WWW-Authenticate; an UNAUTHENTICATED one has ``Bearer`` if nothing else) and ``retry_after`` (whole
seconds).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import structlog
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from crypto.errors import CryptoError, EngineUnavailable, KeyRefused, TokenError
from kernel.doorway import BodyLimit, Doorway, request_id
from kernel.errors import Reason, Refusal
from kernel.methods import HeadAsGet, allowed

_log = structlog.get_logger("xinyin.problem")

STATUS: Mapping[Reason, HTTPStatus] = {
    Reason.BAD_INPUT: HTTPStatus.BAD_REQUEST,
    Reason.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    Reason.FORBIDDEN: HTTPStatus.FORBIDDEN,
    Reason.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Reason.CONFLICT: HTTPStatus.CONFLICT,
    Reason.MISMATCH: HTTPStatus.UNPROCESSABLE_ENTITY,
    Reason.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Reason.UNSUPPORTED: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Reason.TOO_MANY: HTTPStatus.TOO_MANY_REQUESTS,
    Reason.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}
# What a floor lets through unconverted; the first row that fits is taken.
_CRYPTO: tuple[tuple[type[CryptoError], Reason], ...] = (
    (EngineUnavailable, Reason.UNAVAILABLE),
    (KeyRefused, Reason.UNAVAILABLE),
    (TokenError, Reason.UNAUTHENTICATED),
    (CryptoError, Reason.BAD_INPUT),
)
# Written out, for Python renames these between its versions.
_TITLES: Mapping[int, str] = {413: "Content Too Large", 422: "Unprocessable Content"}
_CODES: Mapping[int, str] = {
    400: "request_unreadable",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
}
_KEYS_UNAVAILABLE = "The keys this needs cannot be used now. Nothing was signed; try again later."
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}")
_MOST_FIELDS = 20
MAX_BODY = 256 * 1024
"""Largest form or JSON. It is parsed before anyone asks who sends it, into twenty times its size in memory."""
_MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """One field of a request that does not fit: where it stands and what kind of misfit, never what was sent."""

    field: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An answer that says no: all that may be told, in the terms of RFC 9457."""

    status: int
    code: str
    detail: str
    request_id: str
    errors: tuple[FieldProblem, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The kind of problem in two or three words."""
        return _TITLES.get(self.status) or HTTPStatus(self.status).phrase

    def json(self) -> dict[str, object]:
        """Give the members of the answer."""
        answer: dict[str, object] = {
            "type": f"urn:xinyin:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "request_id": self.request_id,
        }
        if self.errors:
            answer["errors"] = [{"field": row.field, "problem": row.problem} for row in self.errors]
        return answer


PageRenderer = Callable[[Request, Problem], Response]


def install(
    app: Starlette,
    *,
    page: PageRenderer | None = None,
    max_body: int = MAX_BODY,
    max_body_at: Mapping[re.Pattern[str], int] | None = None,
) -> None:
    """Make ``app`` answer every no as a problem, give each request a number, and bound request bodies.

    ``app`` is a FastAPI or Starlette application that has not started. ``max_body`` is in octets; ``max_body_at``
    gives another bound to paths, those that take files. With ``page``
    (``Pages.error``) a client that prefers HTML to JSON gets that page instead.
    """
    answers = _Answers(page)
    # A redirect to the path with or without its last slash would go to whatever host the caller names.
    app.router.redirect_slashes = False
    for kind in (Refusal, CryptoError, RequestValidationError, HTTPException, OperationalError, PoolExhausted):
        app.add_exception_handler(kind, answers.handle)
    app.add_middleware(HeadAsGet)
    app.add_middleware(BodyLimit, limit=max_body, refuse=answers.too_large, special=max_body_at or {})
    app.add_middleware(Doorway, failed=answers.failed)


def problem_of(error: Exception, request: Request) -> Problem:
    """Say what may be told about ``error``; what is no expected no becomes a bare 500."""
    number = request_id(request)
    if isinstance(error, Refusal):
        return _refusal(error, number)
    if isinstance(error, CryptoError):
        reason = next(reason for kind, reason in _CRYPTO if isinstance(error, kind))
        headers = {"WWW-Authenticate": "Bearer"} if reason is Reason.UNAUTHENTICATED else {}
        # What keys and engines say is for the operator: it names folders, libraries and their versions.
        detail = _KEYS_UNAVAILABLE if reason is Reason.UNAVAILABLE else str(error)
        return Problem(status=STATUS[reason], code=error.code, detail=detail, request_id=number, headers=headers)
    if isinstance(error, RequestValidationError):
        return _validation(error, number)
    if isinstance(error, HTTPException):
        return _http(error, number)
    if isinstance(error, (OperationalError, PoolExhausted)):
        detail = "The database cannot answer now. Nothing was changed; try again later."
        status = HTTPStatus.SERVICE_UNAVAILABLE
        return Problem(
            status=status, code="database_unavailable", detail=detail, request_id=number, headers={"Retry-After": "5"}
        )
    return Problem(
        status=HTTPStatus.INTERNAL_SERVER_ERROR,
        code="internal_error",
        detail="Something went wrong on our side. Quote the request_id when you report it.",
        request_id=number,
    )


def answer(problem: Problem, request: Request, page: PageRenderer | None = None) -> Response:
    """Write ``problem`` as JSON, or as a page where there is one and the client prefers HTML."""
    if page is not None and _prefers_html(request):
        response = page(request, problem)
    else:
        response = JSONResponse(
            problem.json(), status_code=problem.status, media_type=_MEDIA_TYPE, headers={"Cache-Control": "no-store"}
        )
    response.headers.update(problem.headers)
    return response


class _Answers:
    """The handlers of one application."""

    def __init__(self, page: PageRenderer | None) -> None:
        self._page = page

    async def handle(self, request: Request, error: Exception) -> Response:
        """Answer an expected no; coroutine so that it needs no thread of the pool."""
        if isinstance(error, HTTPException) and error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            # The framework names the methods of the first route alone.
            error.headers = {**(error.headers or {}), "Allow": allowed(request)}
            if request.method == "OPTIONS":
                return Response(status_code=HTTPStatus.NO_CONTENT, headers=error.headers)
        problem = problem_of(error, request)
        if isinstance(error, (OperationalError, PoolExhausted)):
            _log.error("database_unavailable", exc_info=error)
        elif problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.warning("unavailable", problem=problem.code, detail=str(error))
        return answer(problem, request, self._page)

    def failed(self, request: Request, error: Exception) -> Response:
        """Answer a bug: logged whole, told as nothing."""
        _log.error("unexpected_error", exc_info=error)
        problem = problem_of(error, request)
        try:
            return answer(problem, request, self._page)
        except Exception as second:  # noqa: BLE001 - the edge: a broken error page must not hide the answer
            _log.error("error_page_failed", exc_info=second)
            return answer(problem, request)

    def too_large(self, request: Request, limit: int) -> Response:
        """Answer a body that is longer than ``limit`` octets."""
        problem = problem_of(HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _too_large(limit)), request)
        return answer(problem, request, self._page)


def _too_large(limit: int) -> str:
    return f"The request body is larger than the {limit} octets allowed here."


def _refusal(error: Refusal, number: str) -> Problem:
    headers = {}
    challenge = getattr(error, "challenge", "Bearer" if error.reason is Reason.UNAUTHENTICATED else None)
    if challenge is not None:
        headers["WWW-Authenticate"] = str(challenge)
    if (seconds := getattr(error, "retry_after", None)) is not None:
        headers["Retry-After"] = str(int(seconds))
    return Problem(
        status=STATUS[error.reason], code=error.code, detail=error.detail, request_id=number, headers=headers
    )


def _validation(error: RequestValidationError, number: str) -> Problem:
    rows = [_field_problem(row) for row in error.errors()[:_MOST_FIELDS]]
    unreadable = any(row.problem == "json_invalid" for row in rows)
    return Problem(
        status=HTTPStatus.BAD_REQUEST if unreadable else HTTPStatus.UNPROCESSABLE_ENTITY,
        code="request_unreadable" if unreadable else "request_invalid",
        detail="The request body is not JSON." if unreadable else "The request does not fit; errors names the fields.",
        request_id=number,
        errors=tuple(rows),
    )


def _field_problem(row: Mapping[str, Any]) -> FieldProblem:
    """Keep place and kind; the message and the input are left out, for both may repeat what was sent.

    A step of the place that does not look like a field's name may be a caller's key, so it is left out too.
    """
    steps = [str(step) if _is_field(step) else "?" for step in row["loc"]]
    return FieldProblem(field=".".join(steps), problem=str(row["type"]))


def _is_field(step: object) -> bool:
    return isinstance(step, int) or (isinstance(step, str) and _FIELD.fullmatch(step) is not None)


def _http(error: HTTPException, number: str) -> Problem:
    code = _CODES.get(error.status_code, f"http_{error.status_code}")
    headers = dict(error.headers or {})
    return Problem(status=error.status_code, code=code, detail=str(error.detail), request_id=number, headers=headers)


def _prefers_html(request: Request) -> bool:
    weights = {"text/html": 0.0, "application/json": 0.0, "application/problem+json": 0.0}
    for item in request.headers.get("accept", "")[:1000].split(","):
        kind, *parameters = (part.strip() for part in item.lower().split(";"))
        if kind in weights:
            quality = next((part[2:] for part in parameters if part.startswith("q=")), "1")
            weights[kind] = float(quality) if re.fullmatch(r"[01](\.[0-9]{0,3})?", quality) else 0.0
    html = weights.pop("text/html")
    return html > 0 and html >= max(weights.values())
