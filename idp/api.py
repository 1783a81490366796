"""The provider over HTTP: parse, call one verb, render."""

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from idp.authorize.answer import Answer
from idp.authorize.parameters import LONGEST, Parameters, Unreadable, read
from idp.authorize.service import Browser, Turn
from idp.cookies import Cookies
from idp.discovery import AUTHORIZE, CONFIGURATION, JWKS, LOGOUT, TOKEN, USERINFO, Prebuilt
from idp.errors import AuthorizeRefused
from idp.logout import Ask
from idp.pages import IdpPages
from idp.service import Idp
from idp.token_keys import KEY_SET_KEPT
from idp.userinfo import bearer_token, read_form, userinfo
from kernel.errors import Refusal
from kernel.page import Pages

FLOW = "/oauth2/flows"
_FORM = "application/x-www-form-urlencoded"
_PUBLIC = {"Cache-Control": f"public, max-age={int(KEY_SET_KEPT.total_seconds())}", "Access-Control-Allow-Origin": "*"}
_PRIVATE = {"Cache-Control": "no-store", "Pragma": "no-cache"}

Endpoint = Callable[[Request], Awaitable[Response]]


def routes(idp: Idp, pages: Pages) -> list[Route]:
    """Give the provider's routes, to be mounted at the root of the issuer's address.

    ``pages`` must know the templates of ``idp``: ``Pages(("idp", …), …)``.
    """
    http = _Http(idp, pages)
    return [
        Route(CONFIGURATION, _public(idp.published.configuration), methods=["GET"]),
        Route(JWKS, _public(idp.published.key_set), methods=["GET"]),
        Route(AUTHORIZE, http.authorize, methods=["GET", "POST"]),
        Route(FLOW + "/{flow}", http.flow, methods=["GET", "POST"]),
        Route(TOKEN, http.token, methods=["POST"]),
        Route(USERINFO, http.userinfo, methods=["GET", "POST"]),
        Route(LOGOUT, http.logout, methods=["GET", "POST"]),
    ]


def _public(current: Callable[[], Prebuilt]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        # Now and then this looks into the database, and at the first time into the vault.
        prebuilt = await run_in_threadpool(current)
        headers = {**_PUBLIC, "ETag": prebuilt.etag}
        if request.headers.get("if-none-match") == prebuilt.etag:
            return Response(status_code=304, headers=headers)
        return Response(prebuilt.body, media_type="application/json", headers=headers)

    return endpoint


class _Http:
    """The endpoints that work: bodies are read here, verbs run in the thread pool."""

    def __init__(self, idp: Idp, pages: Pages) -> None:
        self._idp = idp
        self._pages = IdpPages(pages, proves_names=idp.authorization.proves_names)
        self._cookies = Cookies(secure=idp.issuer.startswith("https://"))

    async def authorize(self, request: Request) -> Response:
        """Begin a flow (OpenID Connect Core 3.1.2.1)."""
        encoded = await _sent(request)
        return await run_in_threadpool(self._page, request, lambda: self._start(request, encoded))

    async def flow(self, request: Request) -> Response:
        """Show a flow's step, or take what the person sent from it."""
        encoded = await _body(request) if request.method == "POST" else b""
        return await run_in_threadpool(self._page, request, lambda: self._step(request, encoded))

    async def token(self, request: Request) -> Response:
        """Give tokens (RFC 6749 3.2)."""
        body = await _body(request)
        answer = await run_in_threadpool(self._idp.token_server.answer, request.headers, body)
        return JSONResponse(answer.body, answer.status, headers={**_PRIVATE, **answer.headers})

    async def userinfo(self, request: Request) -> Response:
        """Tell about a person (OpenID Connect Core 5.3)."""
        form = None
        if request.method == "POST" and request.headers.get("content-type", "").lower().startswith(_FORM):
            form = read_form(await _body(request))
        token = bearer_token(request.headers, form)
        return JSONResponse(await run_in_threadpool(userinfo, self._idp.verifier, token), headers=_PRIVATE)

    async def logout(self, request: Request) -> Response:
        """End a session (OpenID Connect RP-Initiated Logout 2)."""
        encoded = await _sent(request)
        return await run_in_threadpool(self._page, request, lambda: self._end(request, encoded))

    # --- in the thread pool ----------------------------------------------------------------------------------

    def _page(self, request: Request, verb: Callable[[], Response]) -> Response:
        """Run a verb whose refusals a person reads."""
        try:
            return verb()
        except Refusal as refusal:
            return self._pages.refused(request, refusal)

    def _start(self, request: Request, encoded: bytes) -> Response:
        browser = self._cookies.read(request)
        # A POST from another site leaves the cookies behind (SameSite); the visit that follows brings them.
        begun = self._idp.authorization.start(_parameters(encoded), browser, claim=request.method == "GET")
        if not isinstance(begun, Turn):
            return _see(f"{self._idp.issuer}{FLOW}/{begun}")
        if isinstance(begun.outcome, Answer):
            return self._turned(request, begun, {})
        # The page has an address of its own: what the client asked does not stay in the address bar.
        response = _see(f"{self._idp.issuer}{FLOW}/{begun.outcome.flow.id}")
        self._cookies.keep(response, browser_key=begun.browser_key, session_secret=None)
        return response

    def _step(self, request: Request, encoded: bytes) -> Response:
        browser, flow = self._cookies.read(request), request.path_params["flow"]
        if request.method == "GET":
            return self._turned(request, self._idp.authorization.resume(flow, browser), {})
        fields = dict(_parameters(encoded).values)
        self._pages.check(request, fields)
        turn = self._taken(flow, browser, fields)
        if turn.session_secret is not None and not isinstance(turn.outcome, Answer):
            # Signed in, with more to ask: the next page is a visit, so that going back sends no password again.
            response = _see(f"{self._idp.issuer}{FLOW}/{flow}")
            self._cookies.keep(response, browser_key=None, session_secret=turn.session_secret)
            return response
        return self._turned(request, turn, fields)

    def _taken(self, flow: str, browser: Browser, fields: Mapping[str, str]) -> Turn:
        """Do what the pressed button says; none pressed does nothing."""
        verbs, action = self._idp.authorization, fields.get("action")
        if action == "login":
            return verbs.login(flow, browser, fields.get("username", ""), fields.get("password", ""))
        if action == "prove":
            return verbs.prove_name(flow, browser, fields.get("real_name", ""), fields.get("id_number", ""))
        buttons: Mapping[str | None, Callable[[str, Browser], Turn]] = {
            "allow": verbs.allow,
            "deny": verbs.cancel,
            "continue": verbs.accept_level,
            "cancel": verbs.cancel,
        }
        return buttons.get(action, verbs.resume)(flow, browser)

    def _turned(self, request: Request, turn: Turn, fields: Mapping[str, str]) -> Response:
        if isinstance(turn.outcome, Answer):
            response = self._pages.answer(request, turn.outcome)
        else:
            response = self._pages.show(request, turn.outcome, fields)
        self._cookies.keep(response, browser_key=turn.browser_key, session_secret=turn.session_secret)
        return response

    def _end(self, request: Request, encoded: bytes) -> Response:
        parameters, session = _parameters(encoded), self._cookies.read(request).session
        if request.method == "POST" and parameters.get("confirm") == "yes":
            self._pages.check(request, parameters.values)
            out = self._idp.logout.confirm(parameters, session)
        elif request.method == "POST" and session is None:
            # Another site's POST leaves the cookies behind; the visit that follows brings them.
            return _see(f"{self._idp.issuer}{LOGOUT}?{urlencode(parameters.values)}")
        else:
            wished = self._idp.logout.wish(parameters, session)
            if isinstance(wished, Ask):
                return self._pages.ask_logout(request, wished, parameters.values)
            out = wished
        response = self._pages.logged_out(request, out)
        self._cookies.drop_session(response)
        return response


async def _sent(request: Request) -> bytes:
    """Give the encoded parameters of a request: the query of a GET, the body of a POST."""
    return await _body(request) if request.method == "POST" else request.scope["query_string"]


async def _body(request: Request) -> bytes:
    """Read a body: of one that is too long just enough to see it, whatever documents the service takes elsewhere."""
    seen = bytearray()
    async for part in request.stream():
        seen += part
        if len(seen) > LONGEST:
            break
    return bytes(seen)


def _parameters(encoded: bytes) -> Parameters:
    try:
        return read(encoded)
    except Unreadable as error:
        raise AuthorizeRefused(f"The request cannot be read: {error}.") from error


def _see(location: str) -> Response:
    return Response(status_code=303, headers={"Location": location, **_PRIVATE, "Referrer-Policy": "no-referrer"})
