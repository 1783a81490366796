r"""A demonstration portal: a relying party of 信印 in a process of its own.

    python examples/portal/portal.py --port 8001 \
        --issuer http://127.0.0.1:8000 --client-id portal --secret-file secret.txt

Register it with redirect URI http://127.0.0.1:8001/callback and post-logout URI http://127.0.0.1:8001/bye.
"""

import argparse
import secrets
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from relying_party import Pending, RelyingParty, SignedIn, SignInFailed
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

HERE = Path(__file__).resolve().parent
COOKIE = "portal_session"
STRONGER = "urn:xinyin:acr:ial2"
MOST_SESSIONS = 10_000
SERVICES = (
    ("食品经营许可", "市场监督管理局", "5 个工作日"),
    ("个体工商户设立登记", "市场监督管理局", "1 个工作日"),
    ("建筑工程施工许可", "住房和建设局", "7 个工作日"),
)
LEVELS = {1: "一级 · 自行填报", 2: "二级 · 实名已核验"}


@dataclass(slots=True)
class Visit:
    """What this portal remembers of one browser; it forgets when the process ends."""

    pending: Pending | None = None
    person: SignedIn | None = None


class Portal:
    """The portal's pages. Sessions live in memory: this is a demonstration."""

    def __init__(self, party: RelyingParty, *, secure: bool) -> None:
        self._party = party
        self._secure = secure
        self._visits: dict[str, Visit] = {}
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined
        )

    def app(self) -> Starlette:
        """Make the ASGI application."""
        return Starlette(
            routes=[
                Route("/", self.home),
                Route("/login", self.login),
                Route("/callback", self.callback),
                Route("/me", self.me),
                Route("/logout", self.logout, methods=["POST"]),
                Route("/bye", self.bye),
                Route("/portal.css", self.style),
            ]
        )

    def home(self, request: Request) -> Response:
        """Show what can be done here."""
        return self._page("home.html", person=self._visit(request).person, services=SERVICES)

    def login(self, request: Request) -> Response:
        """Send the browser to the provider."""
        pending = Pending()
        wish = STRONGER if request.query_params.get("level") == "2" else None
        try:
            target = self._party.leave(pending, acr_values=wish)
        except SignInFailed as failed:
            return self._failed(failed)
        # Whoever is signed in stays so until somebody comes back, under one cookie only: the one before is forgotten.
        before = self._visits.pop(request.cookies.get(COOKIE, ""), Visit())
        return self._begin(Visit(pending=pending, person=before.person), RedirectResponse(target, status_code=303))

    def callback(self, request: Request) -> Response:
        """Take the browser back."""
        visit = self._visit(request)
        # A pending request is for one answer.
        pending, visit.pending = visit.pending, None
        try:
            person = self._party.come_back(request.query_params, pending)
        except SignInFailed as failed:
            return self._failed(failed)
        self._visits.pop(request.cookies.get(COOKIE, ""), None)
        return self._begin(Visit(person=person), RedirectResponse("/me", status_code=303))

    def me(self, request: Request) -> Response:
        """Show who is signed in."""
        person = self._visit(request).person
        if person is None:
            return RedirectResponse("/", status_code=303)
        level = int(person.claims.get("identity_level", 1))
        return self._page("me.html", person=person, level=level, level_text=LEVELS.get(level, str(level)))

    def logout(self, request: Request) -> Response:
        """Forget the person and have the provider forget, too."""
        visit = self._visits.pop(request.cookies.get(COOKIE, ""), Visit())
        if visit.person is None:
            return RedirectResponse("/bye", status_code=303)
        try:
            return RedirectResponse(self._party.logout(visit.person), status_code=303)
        except SignInFailed as failed:
            return self._failed(failed)

    def bye(self, request: Request) -> Response:
        """Say goodbye."""
        del request
        return self._page("bye.html", person=None)

    def style(self, request: Request) -> Response:
        """Give the style sheet."""
        del request
        return FileResponse(HERE / "templates" / "portal.css", media_type="text/css")

    def _visit(self, request: Request) -> Visit:
        return self._visits.get(request.cookies.get(COOKIE, ""), Visit())

    def _begin(self, visit: Visit, response: Response) -> Response:
        """Remember a visit under a new cookie: its name changes when somebody signs in (session fixation)."""
        if len(self._visits) >= MOST_SESSIONS:
            del self._visits[next(iter(self._visits))]
        key = secrets.token_urlsafe(32)
        self._visits[key] = visit
        response.set_cookie(COOKIE, key, httponly=True, secure=self._secure, samesite="lax", path="/")
        return response

    def _failed(self, failed: SignInFailed) -> Response:
        return self._page("failed.html", status=400, person=None, reason=str(failed))

    def _page(self, template: str, *, status: int = 200, **context: object) -> HTMLResponse:
        page = HTMLResponse(self._templates.get_template(template).render(context), status_code=status)
        page.headers["Cache-Control"] = "no-store"
        # The callback's address holds a code.
        page.headers["Referrer-Policy"] = "no-referrer"
        page.headers["Content-Security-Policy"] = (
            f"default-src 'none'; style-src 'self'; form-action 'self' {self._party.issuer}; "
            "base-uri 'none'; frame-ancestors 'none'"
        )
        return page


def main() -> None:
    parser = argparse.ArgumentParser(description="A demonstration portal that signs people in through 信印.")
    parser.add_argument("--issuer", required=True, help="address of the identity provider, without a trailing slash")
    parser.add_argument("--client-id", required=True)
    # A file, for the command line of a process is there for everybody to read.
    parser.add_argument("--secret-file", required=True, type=Path, help="file that holds the client's secret")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--public-url", help="address people reach the portal by; default http://HOST:PORT")
    given = parser.parse_args()
    address = given.public_url or f"http://{given.host}:{given.port}"
    party = RelyingParty(
        issuer=given.issuer,
        client_id=given.client_id,
        secret=given.secret_file.read_text().strip(),
        redirect_uri=f"{address}/callback",
        after_logout=f"{address}/bye",
    )
    # No access log: the callback's query holds a code.
    portal = Portal(party, secure=address.startswith("https://"))
    uvicorn.run(portal.app(), host=given.host, port=given.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
