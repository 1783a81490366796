"""The server: Authlib's dispatch of grants and client authentication, behind our own strict reading."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidClientError, InvalidRequestError
from starlette.datastructures import Headers

from idp.grants.adapters import ClientAdapter
from idp.grants.client_credentials import DepartmentGrant
from idp.grants.code import S256, CodeGrant
from idp.grants.ground import Ground
from idp.grants.request import TokenRequest, read_token_request
from idp.store import clients

# One row a grant: the class and what it is extended by.
_GRANTS: tuple[tuple[type[Any], tuple[Any, ...]], ...] = ((CodeGrant, (S256(required=True),)), (DepartmentGrant, ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenAnswer:
    """An answer of the token endpoint: status, JSON members, headers beyond the content type."""

    status: int
    body: Mapping[str, object] = field(repr=False)
    headers: Mapping[str, str]


class TokenServer(AuthorizationServer):  # type: ignore[misc]  # Authlib is untyped
    """Answers token requests. Keeps nothing between requests: instances are shared by all threads."""

    def __init__(self, ground: Ground, token_uri: str) -> None:
        super().__init__()
        self.ground = ground
        self._token_uri = token_uri
        for grant, extensions in _GRANTS:
            self.register_grant(grant, extensions)

    def answer(self, headers: Headers, body: bytes) -> TokenAnswer:
        """Answer one POST to the token endpoint."""
        try:
            request = read_token_request(self._token_uri, headers, body)
            if request.payload.grant_type is None:
                raise InvalidRequestError("grant_type is missing in the body.")
        except OAuth2Error as error:
            refused: TokenAnswer = self.handle_error_response(None, error)
            return refused
        given: TokenAnswer = self.create_token_response(request)
        return given

    # --- what Authlib asks for -------------------------------------------------------------------------------

    def query_client(self, client_id: str) -> ClientAdapter | None:
        """Give an allowed client."""
        with self.ground.database.read() as conn:
            found = clients.find(conn, client_id)
        return ClientAdapter(found) if found is not None and found.active else None

    def create_oauth2_request(self, request: TokenRequest) -> TokenRequest:
        """Take the request as we read it."""
        return request

    def handle_error_response(self, request: TokenRequest | None, error: OAuth2Error) -> TokenAnswer:
        """Answer an error. Why a client was not believed is not said: unknown and mistaken look alike."""
        del request
        if isinstance(error, InvalidClientError):
            error = InvalidClientError(description="The client is unknown or not proved.", status_code=401)
        return self.handle_response(*error())

    def handle_response(self, status: int, body: Any, headers: Sequence[tuple[str, str]]) -> TokenAnswer:
        """Keep the answer for whoever writes HTTP."""
        kept = {name: value for name, value in headers if name.lower() != "content-type"}
        return TokenAnswer(status=status, body=dict(body), headers=kept)

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Tell nobody: what matters is in the audit log."""
