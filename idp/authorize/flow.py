"""The flow's next step: a pure function of what is known, so that every road to a code is this one."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from idp.assurance import satisfied
from idp.model import Client, ClientKind, ConsentPolicy, Flow
from idp.session import SignedIn


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """The person must authenticate; ``again`` although somebody is signed in."""

    again: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUp:
    """The client wishes to know more surely who this is."""

    wanted: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """The person must agree to what the client will learn."""

    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """All is done: the client gets its code."""

    signed_in: SignedIn


@dataclass(frozen=True, slots=True, kw_only=True)
class Deny:
    """The client gets an error."""

    error: str
    description: str


Step: TypeAlias = Login | StepUp | Consent | Issue | Deny


def next_step(flow: Flow, client: Client, who: SignedIn | None, consented: frozenset[str], now: datetime) -> Step:
    """Say what comes next for ``who`` is signed in at the browser, having agreed to ``consented`` before."""
    silent = "none" in flow.request.prompt
    # 1. Somebody, freshly enough, and whom the client expects.
    if who is None or _must_authenticate(flow, who, now):
        return (
            Deny(error="login_required", description="The person must sign in.")
            if silent
            else Login(again=who is not None)
        )
    if flow.request.hinted_person not in (None, who.person.id):
        # The hint asked for one person and another one just signed in.
        return Deny(error="login_required", description="Another person is signed in.")
    # 2. Known surely enough, or willing to go on without: acr_values is a wish (OpenID Connect Core 3.1.2.1).
    reached = satisfied(flow.request.acr_values, who.person.level, who.session.amr)
    if not (reached or silent or flow.level_accepted):
        return StepUp(wanted=flow.request.acr_values)
    # 3. Agreed.
    missing = _to_agree(flow, client, consented)
    if missing:
        return (
            Deny(error="consent_required", description="The person must agree.") if silent else Consent(scopes=missing)
        )
    return Issue(signed_in=who)


def _must_authenticate(flow: Flow, who: SignedIn, now: datetime) -> bool:
    if flow.session_id == who.session.id:
        return False  # in this very flow
    request = flow.request
    if {"login", "select_account"}.intersection(request.prompt):
        return True
    if request.hinted_person not in (None, who.person.id):
        return True
    if request.max_age is None:
        return False
    age = (now - who.session.authenticated_at).total_seconds()
    return request.max_age == 0 or age > request.max_age


def _to_agree(flow: Flow, client: Client, consented: frozenset[str]) -> tuple[str, ...]:
    if flow.consented:
        return ()
    if "consent" in flow.request.prompt or _could_be_another_app(flow, client):
        return flow.request.scope
    if client.consent is ConsentPolicy.IMPLIED or consented.issuperset(flow.request.scope):
        return ()
    return flow.request.scope


def _could_be_another_app(flow: Flow, client: Client) -> bool:
    """RFC 8252 8.6: any app of the device may take a scheme of its own or a loopback port, so the person decides."""
    return client.kind is ClientKind.PUBLIC and not flow.request.redirect_uri.lower().startswith("https://")
