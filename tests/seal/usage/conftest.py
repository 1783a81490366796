"""Seals whose use is not open: policies and grants given at once, by nobody, where a test is about their use."""

import warnings
from datetime import timedelta
from typing import Any

from kernel.audit import canonical
from kernel.ids import new_id
from kernel.principal import Principal, PrincipalKind
from seal.affairs.actions import Action
from seal.affairs.dev import dev_warrant
from seal.affairs.payloads import GrantPart
from seal.model import UsePolicy
from seal.pki.dev_ca import DevelopmentOnly
from seal.usage import store
from seal.usage.grants import Grant, Terms
from seal.usage.requests import UseRequests
from tests.seal.conftest import CLERK, SEAL, START, House

OFFICER = Principal(subject="officer", kind=PrincipalKind.PERSON, rights=frozenset({f"seal.use.approve:{SEAL}"}))
AUDITOR = Principal(subject="auditor", kind=PrincipalKind.PERSON, rights=frozenset({"seal.ledger:*"}))


def set_policy(house: House, use: UsePolicy) -> None:
    with house.db.begin() as conn, warnings.catch_warnings():
        warnings.simplefilter("ignore", DevelopmentOnly)
        house.register.set_policy(dev_warrant(conn, Action.POLICY, SEAL, house.clock), use)


_APART = {"subject", "organisation", "valid_from", "valid_to"}


def _part(said: dict[str, Any]) -> GrantPart:
    whose = {} if "organisation" in said else {"subject": CLERK.subject}
    return GrantPart.model_validate({**whose, "valid_from": START, "valid_to": START + timedelta(days=90), **said})


def _terms(part: GrantPart) -> str:
    return canonical(part.model_dump(mode="json", exclude=_APART))


def a_grant(**said: Any) -> Grant:
    """Give a grant as an affair would have written it down."""
    part = _part(said)
    apart = {name: getattr(part, name) for name in _APART}
    return Grant(id=new_id(), seal=SEAL, terms=Terms.parse(_terms(part)), **apart)


def give(house: House, **said: Any) -> str:
    """Grant a use, where there must be a grant from now on; give the grant's id."""
    set_policy(house, UsePolicy.GRANTED)
    return give_more(house, **said)


def give_more(house: House, **said: Any) -> str:
    part, grant = _part(said), new_id()
    apart = {name: getattr(part, name) for name in _APART}
    with house.db.begin() as conn:
        store.insert(conn, store.GRANTS, id=grant, seal=SEAL, terms=_terms(part), at=house.clock.now(), **apart)
    return grant


def end(house: House, grant: str) -> None:
    with house.db.begin() as conn:
        store.insert(conn, store.GRANT_ENDS, grant=grant, at=house.clock.now(), affair=new_id())


def uses_of(house: House, **changes: Any) -> UseRequests:
    sealing = house.service(**changes)
    return UseRequests(db=house.db, audit=house.audit, clock=house.clock, objects=house.objects, sealing=sealing)
