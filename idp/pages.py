"""The provider's pages: what each outcome looks like to the person at the browser."""

import base64
from collections.abc import Mapping
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from idp.authorize.answer import Answer
from idp.authorize.flow import Consent, Login, StepUp
from idp.authorize.service import Show
from idp.claims import SCOPES
from idp.logout import Ask, Out
from kernel.errors import Refusal
from kernel.page import LANGUAGES, Pages

# The one script of the whole service: response_mode=form_post asks for it. The policy admits these octets alone.
_SUBMIT = "document.forms[0].submit()"
_SUBMIT_SOURCE = f"'sha256-{base64.b64encode(sha256(_SUBMIT.encode()).digest()).decode()}'"


class IdpPages:
    """Renders outcomes. Holds nothing but the kernel's pages."""

    def __init__(self, pages: Pages, *, proves_names: bool) -> None:
        self._pages = pages
        self._proves_names = proves_names

    def check(self, request: Request, fields: Mapping[str, str]) -> None:
        """Refuse a form that was not sent from our own page."""
        self._pages.check_csrf(request, fields.get("csrf"))

    def show(self, request: Request, show: Show, fields: Mapping[str, str]) -> Response:
        """Show the page of a step; ``fields`` are what the person entered last, without the password."""
        template, status = _template(show), 200
        if show.problem is not None:
            status = 429 if show.problem == "wait" else 400
        return self._pages.render(
            request,
            template,
            status,
            lang=_language(request, show),
            # Browsers hold the redirect that follows the form against the policy, too.
            form_action=(show.flow.request.redirect_uri,),
            client=show.client,
            who=show.who,
            step=show.step,
            problem=show.problem,
            wait_until=show.wait_until,
            entered=fields.get("username") or show.flow.request.login_hint or "",
            real_name=fields.get("real_name", ""),
            scopes=SCOPES,
            proves_names=self._proves_names,
        )

    def answer(self, request: Request, answer: Answer) -> Response:
        """Send the answer to the client through the browser."""
        if answer.response_mode == "query":
            # RFC 9700 4.12: 303, so that a password just posted is not posted on.
            return _redirect(answer.location)
        page = self._pages.render(
            request,
            "idp/form_post.html",
            form_action=(answer.redirect_uri,),
            action=answer.redirect_uri,
            parameters=answer.parameters,
            script=_SUBMIT,
        )
        policy = page.headers["Content-Security-Policy"]
        page.headers["Content-Security-Policy"] = f"{policy}; script-src {_SUBMIT_SOURCE}"
        return page

    def refused(self, request: Request, refusal: Refusal) -> Response:
        """Say why it does not go on here."""
        return self._pages.render(request, "idp/refused.html", 400, code=refusal.code, detail=refusal.detail)

    def ask_logout(self, request: Request, ask: Ask, fields: Mapping[str, str]) -> Response:
        """Ask whether the person wishes to sign out."""
        target = fields.get("post_logout_redirect_uri")
        names = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")
        return self._pages.render(
            request,
            "idp/logout.html",
            form_action=(target,) if target else (),
            who=ask.who,
            client=ask.client,
            kept={name: fields[name] for name in names if name in fields},
        )

    def logged_out(self, request: Request, out: Out) -> Response:
        """Go back to the client, or say that it is done."""
        if out.return_to is not None:
            return _redirect(out.return_to)
        return self._pages.render(request, "idp/logged_out.html", client=out.client)


def _redirect(location: str) -> Response:
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return RedirectResponse(location, status_code=303, headers=headers)


def _template(show: Show) -> str:
    match show.step:
        case Login():
            return "idp/login.html"
        case StepUp():
            return "idp/step_up.html"
        case Consent():
            return "idp/consent.html"


def _language(request: Request, show: Show) -> str | None:
    """Give the language the client asked for, unless the person chose one."""
    if "lang" in request.query_params or "xinyin_lang" in request.cookies:
        return None
    wanted = (locale.lower().partition("-")[0] for locale in show.flow.request.ui_locales)
    return next((lang for lang in wanted if lang in LANGUAGES), None)
