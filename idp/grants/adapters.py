"""Adapters: our clients and codes in the shape that Authlib asks for."""

from dataclasses import dataclass

from authlib.oauth2.rfc6749 import ClientMixin

from idp.digests import same
from idp.model import Client, Code, Grant


class ClientAdapter(ClientMixin):  # type: ignore[misc]  # Authlib is untyped
    """One client, for the length of one token request."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def get_client_id(self) -> str:
        """Give the identifier."""
        return self.client.id

    def check_client_secret(self, client_secret: str) -> bool:
        """Tell, in constant time, whether this is the secret."""
        return same(self.client.secret_hash, client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Tell whether the client proves itself like this: one registered way, at every endpoint."""
        del endpoint
        return method == self.client.auth_method.value

    def check_grant_type(self, grant_type: str) -> bool:
        """Tell whether the client was registered for this grant."""
        return grant_type in self.client.grant_types


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeAdapter:
    """One code with its grant."""

    code: Code
    grant: Grant

    def get_redirect_uri(self) -> str:
        """Give the redirect URI the code travelled to."""
        return self.code.redirect_uri

    @property
    def code_challenge(self) -> str | None:
        """The PKCE challenge, S256."""
        return self.code.code_challenge

    @property
    def code_challenge_method(self) -> str:
        """The only method there is."""
        return "S256"
