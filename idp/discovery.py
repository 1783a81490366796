"""Discovery: what a client can learn about us before it asks, as octets made once for each set of keys."""

import json
from dataclasses import dataclass

from crypto.digests import sm3
from crypto.key_sets import TokenKeys
from idp.assurance import ACRS
from idp.authorize.checks import PROMPTS, RESPONSE_MODES
from idp.claims import SCOPES
from idp.model import AuthMethod, GrantType
from idp.token_keys import Ring
from idp.tokens import TokenMaker

CONFIGURATION = "/.well-known/openid-configuration"
AUTHORIZE, TOKEN, USERINFO, JWKS, LOGOUT = (
    f"/oauth2/{name}" for name in ("authorize", "token", "userinfo", "jwks", "logout")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prebuilt:
    """A JSON answer that is the same for everybody until the keys change."""

    body: bytes
    etag: str


def _prebuilt(value: object) -> Prebuilt:
    body = json.dumps(value, separators=(",", ":")).encode()
    return Prebuilt(body=body, etag=f'"{sm3(body).hex()[:32]}"')


class Published:
    """The two answers, written anew when the keys have changed."""

    def __init__(self, tokens: TokenMaker) -> None:
        self._tokens = tokens
        self._made: tuple[Ring, Prebuilt, Prebuilt] | None = None

    def configuration(self) -> Prebuilt:
        """Give the provider's metadata."""
        return self._current()[1]

    def key_set(self) -> Prebuilt:
        """Give the key set, of every stage."""
        return self._current()[2]

    def _current(self) -> tuple[Ring, Prebuilt, Prebuilt]:
        ring, made = self._tokens.ring(), self._made
        if made is None or made[0] is not ring:
            # Two threads may both write it: they write the same.
            made = self._made = (ring, configuration(self._tokens.issuer, ring.keys), key_set(ring.keys))
        return made


def configuration(issuer: str, keys: TokenKeys) -> Prebuilt:
    """Write the provider's metadata (OpenID Connect Discovery 3, RFC 8414 2, RFC 9207 3)."""
    claims = dict.fromkeys(claim for scope in SCOPES.values() for claim in scope.claims)
    return _prebuilt(
        {
            "issuer": issuer,
            "authorization_endpoint": issuer + AUTHORIZE,
            "token_endpoint": issuer + TOKEN,
            "userinfo_endpoint": issuer + USERINFO,
            "jwks_uri": issuer + JWKS,
            "end_session_endpoint": issuer + LOGOUT,
            "scopes_supported": list(SCOPES),
            "claims_supported": [*claims, "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid"],
            "response_types_supported": ["code"],
            "response_modes_supported": list(RESPONSE_MODES),
            "grant_types_supported": [grant.value for grant in GrantType],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": list(
                dict.fromkeys((keys.active.suite.jose, *(suite.jose for suite in keys.suites)))
            ),
            "token_endpoint_auth_methods_supported": [method.value for method in AuthMethod],
            "code_challenge_methods_supported": ["S256"],
            "prompt_values_supported": sorted(PROMPTS),
            "acr_values_supported": list(ACRS),
            "ui_locales_supported": ["zh-CN", "en"],
            "claims_parameter_supported": False,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
            "authorization_response_iss_parameter_supported": True,
        }
    )


def key_set(keys: TokenKeys) -> Prebuilt:
    """Write the key set: the standard issuer's keys only, for national-cipher keys break ordinary clients."""
    return _prebuilt(keys.jwks())
