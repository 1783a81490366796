"""The authorisation code grant (RFC 6749 4.1.3): a code, once, for tokens."""

from typing import Any

from authlib.oauth2.rfc6749 import InvalidGrantError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7636.challenge import compare_s256_code_challenge

from idp.digests import digest_of
from idp.grants.adapters import ClientAdapter, CodeAdapter
from idp.grants.ground import Ground
from idp.model import ACCESS_TOKEN_LIFETIME
from idp.store import grants, people

_WRONG_CODE = "The code is unknown, expired, used, or meant for another client or address."


class S256(CodeChallenge):  # type: ignore[misc]  # Authlib is untyped
    """PKCE as it protects: ``plain`` does not exist here (RFC 9700 2.1.1)."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)
    CODE_CHALLENGE_METHODS = {"S256": compare_s256_code_challenge}  # noqa: RUF012 - Authlib reads a class attribute


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]  # Authlib is untyped
    """Redeems a code: checks first, then one transaction that takes the code's one use."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post", "none")

    @property
    def _ground(self) -> Ground:
        ground: Ground = self.server.ground
        return ground

    def query_authorization_code(self, code: str, client: ClientAdapter) -> CodeAdapter | None:
        """Give the code if this client may redeem it now; a replayed one ends what it gave."""
        now = self._ground.clock.now()
        with self._ground.database.read() as conn:
            found = grants.code(conn, digest_of(code))
            grant = grants.find(conn, found.grant_id) if found else None
        if found is None or grant is None or found.client_id != client.client.id:
            return None
        if found.used_at is not None:
            self._revoke(CodeAdapter(code=found, grant=grant))
            return None
        return CodeAdapter(code=found, grant=grant) if now < found.expires_at else None

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Take the code and make the tokens; Authlib's own way is not atomic and logs the tokens."""
        held: CodeAdapter = self.request.authorization_code
        ground, now = self._ground, self._ground.clock.now()
        # 1. The one use. Of many at once exactly one gets past this line.
        with ground.database.begin() as conn:
            taken = grants.use_code(conn, held.code.digest, now)
            person = people.find(conn, held.grant.person_id)
        if not taken:
            self._revoke(held)
            raise InvalidGrantError(_WRONG_CODE)
        if person is None or not person.active or held.grant.revoked_at is not None:
            raise InvalidGrantError(_WRONG_CODE)
        # 2. The tokens.
        access = ground.tokens.access_for_person(held.grant, now)
        answer = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": int(ACCESS_TOKEN_LIFETIME.total_seconds()),
            "scope": " ".join(held.grant.scope),
            "id_token": ground.tokens.id_token(held.grant, {"sub": person.id}, access, now),
        }
        return 200, answer, self.TOKEN_RESPONSE_HEADER

    def _revoke(self, held: CodeAdapter) -> None:
        """RFC 9700 2.1.1, RFC 6749 4.1.2: a code used twice was stolen from somebody; its tokens are dead."""
        ground, now = self._ground, self._ground.clock.now()
        with ground.database.begin() as conn:
            if grants.revoke(conn, held.grant.id, now):
                ground.audit.append(
                    conn, at=now, actor=held.code.client_id, action="idp.replay_seen", target=held.grant.id
                )
