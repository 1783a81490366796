"""The client credentials grant (RFC 6749 4.4): a department's system, for itself."""

from typing import Any

from authlib.oauth2.rfc6749 import InvalidScopeError
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant

from idp.grants.ground import Ground
from idp.model import ACCESS_TOKEN_LIFETIME
from idp.registry import is_right
from idp.tokens import granted


class DepartmentGrant(ClientCredentialsGrant):  # type: ignore[misc]  # Authlib is untyped
    """Gives a confidential client a token with its granted rights, or with those of them it asks for."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")

    @property
    def _ground(self) -> Ground:
        ground: Ground = self.server.ground
        return ground

    def validate_requested_scope(self) -> None:
        """Refuse a right that was not granted: a token with less than asked for fails later and elsewhere."""
        asked = (self.request.payload.scope or "").split()
        if not all(is_right(right) and granted(self.request.client.client, right) for right in asked):
            raise InvalidScopeError

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Make the token."""
        ground = self._ground
        client = self.request.client.client
        rights = dict.fromkeys((self.request.payload.scope or "").split()) or sorted(client.rights)
        answer = {
            "access_token": ground.tokens.access_for_client(client, rights, ground.clock.now()),
            "token_type": "Bearer",
            "expires_in": int(ACCESS_TOKEN_LIFETIME.total_seconds()),
            "scope": " ".join(rights),
        }
        return 200, answer, self.TOKEN_RESPONSE_HEADER
