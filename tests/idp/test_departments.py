"""Departments: tokens for systems, and the rights they carry."""

from datetime import timedelta

import pytest

from crypto.errors import TokenError
from kernel.errors import Unauthenticated
from kernel.principal import PrincipalKind
from tests.idp.conftest import ISSUER, Department, World
from tests.idp.portal import Portal, payload

RIGHTS = ("seal.use:44030000000001", "license.issue:*")


def test_a_department_gets_a_token_with_the_rights_it_was_granted(world: World, department: Department) -> None:
    system = department(*RIGHTS)
    given = system.token(grant_type="client_credentials").json()
    assert set(given["scope"].split()) == set(RIGHTS)
    assert "refresh_token" not in given
    claims = payload(given["access_token"])
    now = int(world.clock.now().timestamp())
    assert claims["iss"] == claims["aud"] == ISSUER
    assert claims["sub"] == claims["client_id"] == system.client_id
    assert (claims["iat"], claims["exp"]) == (now, now + 600)
    principal = world.idp.verifier.principal(given["access_token"])
    assert principal.subject == system.client_id
    assert principal.kind is PrincipalKind.CLIENT
    assert principal.organisation == "11440300MB2C927392"
    assert principal.may("seal.use", "44030000000001")
    assert not principal.may("seal.use", "44030000000002")
    assert principal.may("license.issue", "任何")


def test_a_department_may_ask_for_less(world: World, department: Department) -> None:
    given = department(*RIGHTS).token(grant_type="client_credentials", scope="license.issue:110").json()
    principal = world.idp.verifier.principal(given["access_token"])
    assert principal.rights == {"license.issue:110"}


@pytest.mark.parametrize(
    "scope",
    [
        "seal.use:*",
        "seal.use:44030000000002",
        "license.revoke:110",
        "openid",
        "license.issue",
        "license.issue:",
        "license.issue:密",
        'license.issue:"',
        "license.issue:" + "1" * 8000,
        "license.issue:1 seal.use:2",
        "license.issue:1\u3000seal.use:2",
    ],
)
def test_a_department_may_not_ask_for_more(department: Department, scope: str) -> None:
    refused = department(*RIGHTS).token(grant_type="client_credentials", scope=scope)
    assert refused.status_code == 400
    assert refused.json()["error"] == "invalid_scope"


def test_a_stopped_department_is_refused_although_its_token_lives(world: World, department: Department) -> None:
    system = department(*RIGHTS)
    token = system.token(grant_type="client_credentials").json()["access_token"]
    world.idp.registry.set_client_active(world.idp.registry.client(system.client_id).id, active=False)
    with pytest.raises(Unauthenticated):
        world.idp.verifier.principal(token)
    assert system.token(grant_type="client_credentials").json()["error"] == "invalid_client"


def test_a_token_that_has_expired_is_not_believed(world: World, department: Department) -> None:
    token = department(*RIGHTS).token(grant_type="client_credentials").json()["access_token"]
    world.clock.advance(timedelta(minutes=11))
    with pytest.raises(TokenError):
        world.idp.verifier.principal(token)


def test_a_persons_token_carries_no_rights(world: World, portal: Portal) -> None:
    principal = world.idp.verifier.principal(portal.tokens()["access_token"])
    assert principal.kind is PrincipalKind.PERSON
    assert principal.subject == world.zhangsan.id
    assert principal.rights == frozenset()
