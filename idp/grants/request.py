"""Token requests: read strictly from the form body before Authlib sees them."""

import base64
import binascii
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError, OAuth2Payload, OAuth2Request
from starlette.datastructures import Headers

from idp.authorize.parameters import Parameters, Unreadable, read

_FORM = "application/x-www-form-urlencoded"


class TokenRequest(OAuth2Request):  # type: ignore[misc]  # Authlib is untyped
    """A POST whose parameters stand in its form body, and nowhere else: a query string is never looked at.

    ``uri`` is made from the configured issuer, for behind a proxy the request's own scheme means nothing.
    """

    def __init__(self, *, uri: str, headers: Headers, form: Parameters) -> None:
        super().__init__("POST", uri, headers=headers)
        self.payload = _FormPayload(form)

    @property
    def form(self) -> dict[str, str]:
        """The body's parameters."""
        return dict(self.payload.data)

    @property
    def args(self) -> dict[str, str]:
        """The query's parameters: none, ever."""
        return {}


class _FormPayload(OAuth2Payload):  # type: ignore[misc]  # Authlib is untyped
    def __init__(self, form: Parameters) -> None:
        self._form = form

    @property
    def data(self) -> dict[str, str]:
        return dict(self._form.values)

    @property
    def datalist(self) -> dict[str, list[str]]:
        return {name: [value] for name, value in self._form.values.items()}


def read_token_request(uri: str, headers: Headers, body: bytes) -> TokenRequest:
    """Read a request to an endpoint that authenticates clients; Authlib's own errors for one that is not in order."""
    # 1. A form, in UTF-8.
    if headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise InvalidRequestError(f"The body must be {_FORM}.")
    try:
        form = read(body)
    except Unreadable as error:
        raise InvalidRequestError(f"The body cannot be read: {error}.") from error
    # 2. In order.
    for check in _CHECKS:
        check(form, headers)
    return TokenRequest(uri=uri, headers=headers, form=form)


def _nothing_is_repeated(form: Parameters, headers: Headers) -> None:
    """RFC 6749 3.2."""
    if form.repeated or len(headers.getlist("authorization")) > 1:
        raise InvalidRequestError("A parameter was sent more than once.")


def _one_client_one_proof(form: Parameters, headers: Headers) -> None:
    """RFC 6749 2.3: one authentication method a request, and one client."""
    authorization = headers.get("authorization")
    if authorization is None:
        return
    client_id = _basic_client(authorization)
    if form.get("client_secret") is not None or form.get("client_assertion") is not None:
        raise InvalidRequestError("The client proves itself in more than one way.")
    if form.get("client_id") not in (None, client_id):
        raise InvalidRequestError("client_id is not the client that proves itself.")


_CHECKS: tuple[Callable[[Parameters, Headers], None], ...] = (_nothing_is_repeated, _one_client_one_proof)


def _basic_client(authorization: str) -> str:
    """Give the client that HTTP Basic names (RFC 6749 2.3.1); what Authlib would choke on is refused here."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise InvalidClientError(status_code=401)
    try:
        name, colon, secret = base64.b64decode(credentials.strip(), validate=True).decode("utf-8").partition(":")
        unquote_to_bytes(secret).decode("utf-8")
        client_id = unquote_to_bytes(name).decode("utf-8")
    except (ValueError, binascii.Error) as error:
        raise InvalidClientError(status_code=401) from error
    if not (colon and client_id and secret and client_id.isprintable()):
        raise InvalidClientError(status_code=401)
    return client_id
