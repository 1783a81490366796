"""The console's front door: who is let in, by which cookies, and how forms are read."""

import base64
import binascii
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from admin.console.forms import Form, body_of, read_form
from admin.console.party import Pending, RelyingParty, SignInDeclined
from admin.console.sessions import ConsoleSessions, Stay
from admin.console.words import explained
from crypto.errors import CryptoError
from kernel import problem
from kernel.clock import Clock
from kernel.errors import Forbidden, Reason, Refusal
from kernel.page import Pages
from kernel.principal import Principal
from seal.affairs.officers import Officers

HOME = "/console"
SIGN_IN = "/console/sign-in"
FRESH = timedelta(minutes=10)
"""How long ago at most whoever approves must have signed in."""
_TARGET = re.compile(r"/console(?:/[A-Za-z0-9_-]+)*(?:\?[A-Za-z0-9_=&%.+-]*)?")
_LONGEST_TARGET = 500
_PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}

Endpoint = Callable[[Request], Awaitable[Response]]


class ConsoleClosed(Refusal):
    """The console is not registered at the address this service has now."""

    reason, code = Reason.UNAVAILABLE, "console_not_registered"


def target_of(wished: str | None) -> str:
    """Give where to go after sign-in: a page of the console, whatever was wished for."""
    fits = wished is not None and len(wished) <= _LONGEST_TARGET and _TARGET.fullmatch(wished) is not None
    return wished if fits and wished is not None else HOME


def see(location: str) -> Response:
    """Send the browser on to a page of ours by GET."""
    return Response(status_code=303, headers={"Location": location, **_PRIVATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request of an officer: who it is, what was sent, and how to answer."""

    request: Request
    stay: Stay
    principal: Principal
    now: datetime
    pages: Pages = field(repr=False)
    fields: Form
    """Of a form, or of the query."""

    def get(self, name: str) -> str:
        """Give a field, empty where it was not sent."""
        return self.fields.get(name)

    @property
    def fresh(self) -> bool:
        """Whether the person proved who they are lately enough for a dangerous act."""
        return self.now <= self.stay.session.authenticated_at + FRESH

    @property
    def path(self) -> Mapping[str, str]:
        """The variable parts of the address."""
        return self.request.path_params

    def page(self, template: str, status: int = 200, **context: Any) -> Response:
        """Render a room."""
        frame: dict[str, Any] = {
            "me": self.stay.person,
            "now": self.now,
            "done": self.request.query_params.get("done", ""),
        }
        return self.pages.render(self.request, f"console/{template}", status, **frame, **context)

    def sign_in_again(self, target: str) -> Response:
        """Have the person prove who they are, and come back to ``target``."""
        return see(f"{SIGN_IN}?fresh=1&next={quote(target, safe='')}")


Room = Callable[[Visit], Response]


class Front:
    """Lets officers in. Every visit is judged anew: session, person and office as they stand now."""

    def __init__(  # noqa: PLR0913 - its collaborators
        self,
        *,
        pages: Pages,
        sessions: ConsoleSessions,
        party: RelyingParty | None,
        officers: Officers,
        clock: Clock,
        secure: bool,
    ) -> None:
        self._pages = pages
        self._sessions = sessions
        self._party = party
        self._officers = officers
        self._clock = clock
        self._secure = secure
        # The prefix keeps a neighbouring host from planting a cookie of its own (RFC 6265bis 4.1.3.2).
        prefix = "__Host-" if secure else ""
        self._held, self._pending = f"{prefix}xinyin_console", f"{prefix}xinyin_console_sign_in"

    # --- rooms ---

    def room(self, room: Room) -> Endpoint:
        """Make the endpoint of a page."""

        async def endpoint(request: Request) -> Response:
            return await run_in_threadpool(self._answer, request, room, request.scope["query_string"])

        return _named(endpoint, room)

    def deed(self, room: Room) -> Endpoint:
        """Make the endpoint of a form: sent from our own page, or refused."""

        async def endpoint(request: Request) -> Response:
            return await run_in_threadpool(self._answer, request, room, await body_of(request))

        return _named(endpoint, room)

    def _answer(self, request: Request, room: Room, encoded: bytes) -> Response:
        # 1. Somebody is signed in here.
        # 2. A form is one of ours.
        # 3. They hold an office now.
        # 4. The room answers, or says why not.
        if self._party is None:
            return self._closed(request)
        # A page that reloads itself shows nobody at the desk.
        active = "watch" not in request.query_params
        stay = self._sessions.find(request.cookies.get(self._held), active=active)
        if stay is None:
            return self._signed_out(request)
        try:
            fields = read_form(encoded)
            if request.method == "POST":
                self._pages.check_csrf(request, fields.get("csrf"))
            principal = self._principal(stay)
            if principal is None:
                return self._pages.render(request, "console/no_office.html", 403, me=stay.person)
            return room(
                Visit(
                    request=request,
                    stay=stay,
                    principal=principal,
                    now=self._clock.now(),
                    pages=self._pages,
                    fields=fields,
                )
            )
        except (Refusal, CryptoError) as refusal:
            return self._refused(request, refusal, stay)

    def _principal(self, stay: Stay) -> Principal | None:
        try:
            return self._officers.principal(stay.person.id)
        except Forbidden:
            return None

    def _signed_out(self, request: Request) -> Response:
        if request.method == "POST":
            # What was typed is not taken along: nobody knows whether the same person signs in next.
            return self._pages.render(request, "console/signed_out.html", 401, left=False)
        query = request.url.query
        here = request.url.path + (f"?{query}" if query else "")
        return see(f"{SIGN_IN}?next={quote(target_of(here), safe='')}")

    def _refused(self, request: Request, refusal: Refusal | CryptoError, stay: Stay | None = None) -> Response:
        told = problem.problem_of(refusal, request)
        return self._pages.render(
            request,
            "console/refused.html",
            told.status,
            me=stay.person if stay else None,
            words=explained(told.code),
            problem=told,
        )

    def _closed(self, request: Request) -> Response:
        detail = "The console is not registered at this address: run `xinyin migrate`. It needs https."
        return self._refused(request, ConsoleClosed(detail))

    # --- signing in and out ---

    async def sign_in(self, request: Request) -> Response:
        """Send the browser to the provider."""
        return await run_in_threadpool(self._sign_in, request)

    async def callback(self, request: Request) -> Response:
        """Take the browser back."""
        return await run_in_threadpool(self._callback, request)

    async def sign_out(self, request: Request) -> Response:
        """End the stay here and at the provider."""
        return await run_in_threadpool(self._sign_out, request, await body_of(request))

    async def goodbye(self, request: Request) -> Response:
        """Say that nobody is signed in."""
        return self._pages.render(request, "console/signed_out.html", left=True)

    def _sign_in(self, request: Request) -> Response:
        if self._party is None:
            return self._closed(request)
        fresh = request.query_params.get("fresh") == "1"
        pending, target = Pending(), target_of(request.query_params.get("next"))
        response = see(self._party.leave(pending, max_age=FRESH if fresh else None))
        kept = f"{pending.secret}.{int(fresh)}.{base64.urlsafe_b64encode(target.encode()).decode().rstrip('=')}"
        self._set(response, self._pending, kept)
        return response

    def _callback(self, request: Request) -> Response:
        if self._party is None:
            return self._closed(request)
        pending, fresh, target = _read_pending(request.cookies.get(self._pending, ""))
        try:
            answer = read_form(request.scope["query_string"])
            proved = self._party.come_back(answer.values, pending, max_age=FRESH if fresh else None)
        except SignInDeclined:
            response: Response = self._pages.render(request, "console/signed_out.html", left=True)
        except (Refusal, CryptoError) as refusal:
            response = self._refused(request, refusal)
        else:
            response = see(target)
            self._set(response, self._held, self._sessions.begin(proved, before=request.cookies.get(self._held)))
        # A pending sign-in is for one answer.
        self._drop(response, self._pending)
        return response

    def _sign_out(self, request: Request, encoded: bytes) -> Response:
        if self._party is None:
            return self._closed(request)
        stay = self._sessions.find(request.cookies.get(self._held))
        if stay is None:
            response = see("/console/bye")
        else:
            try:
                self._pages.check_csrf(request, read_form(encoded).get("csrf"))
            except Refusal as refusal:
                return self._refused(request, refusal, stay)
            self._sessions.end(stay.session)
            response = see(self._party.logout(stay.session.id_token))
        self._drop(response, self._held)
        return response

    def _set(self, response: Response, name: str, value: str) -> None:
        response.set_cookie(name, value, path="/", secure=self._secure, httponly=True, samesite="lax")

    def _drop(self, response: Response, name: str) -> None:
        response.delete_cookie(name, path="/", secure=self._secure, httponly=True, samesite="lax")


def _named(endpoint: Endpoint, room: Room) -> Endpoint:
    """Let the request log say which room answered."""
    endpoint.__name__ = f"console.{room.__name__}"
    return endpoint


def _read_pending(kept: str) -> tuple[Pending | None, bool, str]:
    """Read what a browser kept of a sign-in under way: its secret, whether it is to be a fresh one, and where to."""
    secret, _, rest = kept.partition(".")
    fresh, _, target = rest.partition(".")
    try:
        wished = base64.urlsafe_b64decode(target + "=" * (-len(target) % 4)).decode()
    except (binascii.Error, ValueError):
        wished = ""
    return Pending(secret=secret) if secret else None, fresh == "1", target_of(wished)


def with_query(path: str, values: Mapping[str, str]) -> str:
    """Add the values that are not empty to a path."""
    kept = {name: value for name, value in values.items() if value}
    return f"{path}?{urlencode(kept)}" if kept else path
