"""What clients read about us before they come."""

from tests.idp.conftest import ISSUER
from tests.idp.portal import Portal


def test_the_configuration_names_every_door(portal: Portal) -> None:
    told = portal.http.get("/.well-known/openid-configuration").json()
    assert told["issuer"] == ISSUER
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert told["id_token_signing_alg_values_supported"] == ["ES256"]
    for name in ("authorization", "token", "userinfo", "end_session"):
        assert told[f"{name}_endpoint"].startswith(ISSUER + "/oauth2/")
    assert told["authorization_response_iss_parameter_supported"] is True


def test_what_never_changes_is_cached(portal: Portal) -> None:
    for path in ("/.well-known/openid-configuration", "/oauth2/jwks"):
        first = portal.http.get(path)
        assert first.headers["cache-control"] == "public, max-age=3600"
        again = portal.http.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert again.status_code == 304
        assert again.content == b""


def test_the_key_set_holds_public_halves_only(portal: Portal) -> None:
    keys = portal.http.get("/oauth2/jwks").json()["keys"]
    assert [key["kty"] for key in keys] == ["EC"]
    assert all(not {"d", "k", "p", "q"} & key.keys() for key in keys)
    assert keys[0]["kid"]
