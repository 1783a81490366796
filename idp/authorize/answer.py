"""Answers: what goes back to the client through the browser."""

from dataclasses import dataclass
from urllib.parse import urlencode

from idp.model import AuthorizeRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Parameters on their way to a registered redirect URI."""

    redirect_uri: str
    response_mode: str
    parameters: tuple[tuple[str, str], ...]

    @property
    def location(self) -> str:
        """The address that carries them, for ``query``."""
        return with_query(self.redirect_uri, self.parameters)


def code_answer(request: AuthorizeRequest, code: str, issuer: str) -> Answer:
    """Answer with a code; ``iss`` lets the client notice a mix-up (RFC 9207)."""
    return _answer(request.redirect_uri, request.response_mode, request.state, issuer, ("code", code))


def error_answer(  # noqa: PLR0913 - the parameters of an error answer
    *, redirect_uri: str, response_mode: str | None, state: str | None, issuer: str, error: str, description: str
) -> Answer:
    """Answer with an error to an address that has been proved."""
    mode = response_mode if response_mode == "form_post" else "query"
    told = (("error", error), ("error_description", description))
    return _answer(redirect_uri, mode, state, issuer, *told)


def _answer(redirect_uri: str, mode: str, state: str | None, issuer: str, *told: tuple[str, str]) -> Answer:
    echoed = () if state is None else (("state", state),)
    return Answer(redirect_uri=redirect_uri, response_mode=mode, parameters=(*told, *echoed, ("iss", issuer)))


def with_query(uri: str, parameters: tuple[tuple[str, str], ...]) -> str:
    """Add parameters to a URI that may have a query of its own."""
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode(parameters)}" if parameters else uri
