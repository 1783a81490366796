"""The authorisation: every turn of a flow, from the client's request to the one answer."""

from dataclasses import dataclass, field, replace
from datetime import datetime

import sqlalchemy as sa

from idp import attempts
from idp.assurance import PASSWORD_AMR, acr_of
from idp.authorize.answer import Answer, code_answer, error_answer
from idp.authorize.checks import BEFORE_ANSWERING, BEFORE_ASKING, Asked, checked, first_wrong
from idp.authorize.flow import Consent, Deny, Issue, Login, Step, StepUp, next_step
from idp.authorize.parameters import Parameters
from idp.digests import digest_of, same
from idp.errors import AuthorizeRefused, FlowRefused
from idp.model import (
    CODE_LIFETIME,
    FLOW_LIFETIME,
    Client,
    Code,
    Evidence,
    Flow,
    FlowId,
    Grant,
    GrantId,
    IdentityLevel,
    PersonId,
)
from idp.passwords import Passwords
from idp.realname import RealNames, well_formed
from idp.registry import is_name, normal_login
from idp.session import SignedIn, sign_in, signed_in
from idp.store import clients, flows, grants, people
from idp.tokens import TokenMaker
from kernel.audit import AuditLog
from kernel.clock import Clock
from kernel.db import Database
from kernel.ids import new_id, new_secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """What came with the person's request: the cookies, as they are, and the network it came from."""

    key: str | None = field(default=None, repr=False)
    session: str | None = field(default=None, repr=False)
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """A page to show: the step, and why the last try failed (``wrong``, ``wait``, ``number``, ``mismatch``)."""

    flow: Flow
    step: Login | StepUp | Consent
    client: Client
    who: SignedIn | None
    problem: str | None = None
    wait_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What to do now, with the cookies that have to be set."""

    outcome: Show | Answer
    browser_key: str | None = field(default=None, repr=False)
    session_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """A flow that is this browser's and still open, with everything next_step wants to know."""

    flow: Flow
    client: Client
    who: SignedIn | None
    step: Step


class Authorization:
    """Takes each turn of a flow in one transaction. A flow belongs to one browser and gives one answer."""

    def __init__(  # noqa: PLR0913 - collaborators
        self,
        *,
        database: Database,
        audit: AuditLog,
        clock: Clock,
        tokens: TokenMaker,
        passwords: Passwords,
        real_names: RealNames | None,
    ) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock
        self._tokens = tokens
        self._passwords = passwords
        self._real_names = real_names

    @property
    def proves_names(self) -> bool:
        """Whether a person can raise the identity level here and now."""
        return self._real_names is not None

    # --- turns -----------------------------------------------------------------------------------------------

    def start(self, parameters: Parameters, browser: Browser, *, claim: bool) -> Turn | FlowId:
        """Examine a client's request and begin its flow.

        With ``claim`` the flow is this browser's at once; else, when the request came by a POST from another site and
        cookies stayed behind, its id is given, to be visited. AuthorizeRefused if nobody may be answered.
        """
        # 1. Is there an address to answer to?
        asked = self._asked(parameters)
        refused = first_wrong(BEFORE_ANSWERING, asked)
        if refused is not None or asked.client is None:
            raise AuthorizeRefused(refused.description if refused else "")
        # 2. Is the request in order?
        wrong = first_wrong(BEFORE_ASKING, asked)
        if wrong is not None:
            answer = error_answer(
                redirect_uri=parameters.values["redirect_uri"],
                response_mode=parameters.get("response_mode"),
                state=parameters.get("state"),
                issuer=self._tokens.issuer,
                error=wrong.error,
                description=wrong.description,
            )
            return Turn(outcome=answer)
        # 3. Begin.
        now = self._clock.now()
        key = browser.key or new_secret()
        flow = Flow(
            id=FlowId(new_id()),
            request=checked(asked, asked.client),
            browser_hash=digest_of(key) if claim else None,
            created_at=now,
            expires_at=now + FLOW_LIFETIME,
            session_id=None,
            level_accepted=False,
            consented=False,
            finished_at=None,
        )
        with self._database.begin() as conn:
            flows.insert(conn, flow)
            if not claim:
                return flow.id
            turn = self._proceed(conn, self._scene(conn, flow, browser, now), now)
        return replace(turn, browser_key=None if browser.key else key)

    def resume(self, flow_id: str, browser: Browser) -> Turn:
        """Show where a flow stands, or answer if nothing is left to ask."""
        now = self._clock.now()
        key = browser.key or new_secret()
        with self._database.begin() as conn:
            scene = self._open(conn, flow_id, replace(browser, key=key), now)
            turn = self._proceed(conn, scene, now)
        return replace(turn, browser_key=None if browser.key else key)

    def login(self, flow_id: str, browser: Browser, login: str, password: str) -> Turn:
        """Judge a login name and password. Who does not exist is answered like who mistyped, and as slowly."""
        now = self._clock.now()
        login = normal_login(login)
        # 1. Count first: many at once must not all be tried.
        with self._database.begin() as conn:
            scene = self._open(conn, flow_id, browser, now)
            wait = attempts.begin_login(conn, login, browser.address, now)
            found = people.by_login(conn, login) if login.isprintable() else None
        if wait is not None:
            return Turn(outcome=_again(scene, "wait", wait))
        # 2. Judge, outside any transaction: this is slow on purpose.
        right = self._passwords.check(found.password_hash if found else None, password)
        renewed = self._passwords.renewed(found.password_hash, password) if found and right else None
        # 3. Record.
        with self._database.begin() as conn:
            scene = self._open(conn, flow_id, browser, now)
            if found is None or not right or not found.person.active:
                target = found.person.id if found else "unknown"
                self._note(conn, now, actor="browser", action="idp.login_failed", target=target)
                return Turn(outcome=_again(scene, "wrong"))
            if renewed is not None:
                people.set_password(conn, found.person.id, renewed)
            attempts.forget(conn, attempts.ACCOUNT, login)
            attempts.take_back(conn, attempts.ADDRESS, browser.address)
            self._note_replaced(conn, now, scene.who, found.person.id)
            session, secret = sign_in(conn, found.person.id, before=scene.who, amr=PASSWORD_AMR, now=now)
            flow = replace(scene.flow, session_id=session.id)
            flows.advance(conn, flow)
            self._note(conn, now, actor=found.person.id, action="idp.signed_in", target=session.id, method="pwd")
            turn = self._proceed(conn, self._scene(conn, flow, replace(browser, session=secret), now), now)
        return replace(turn, session_secret=secret)

    def allow(self, flow_id: str, browser: Browser) -> Turn:
        """Take the person's yes to what the client will learn."""
        now = self._clock.now()
        with self._database.begin() as conn:
            scene = self._open(conn, flow_id, browser, now)
            if not isinstance(scene.step, Consent) or scene.who is None:
                return self._proceed(conn, scene, now)
            person, scopes = scene.who.person.id, scene.step.scopes
            grants.keep_consent(conn, person, scene.client.id, scopes, now)
            self._note(conn, now, actor=person, action="idp.consented", target=scene.client.id, scope=" ".join(scopes))
            flow = replace(scene.flow, consented=True)
            flows.advance(conn, flow)
            return self._proceed(conn, self._scene(conn, flow, browser, now), now)

    def accept_level(self, flow_id: str, browser: Browser) -> Turn:
        """Go on with the identity level the person has; the client is told which."""
        now = self._clock.now()
        with self._database.begin() as conn:
            scene = self._open(conn, flow_id, browser, now)
            if isinstance(scene.step, StepUp):
                flow = replace(scene.flow, level_accepted=True)
                flows.advance(conn, flow)
                scene = self._scene(conn, flow, browser, now)
            return self._proceed(conn, scene, now)

    def prove_name(self, flow_id: str, browser: Browser, name: str, number: str) -> Turn:
        """Match name and number against the population register; a match raises the identity level.

        The number is not kept. Failures are counted like wrong passwords.
        """
        now = self._clock.now()
        name, number = name.strip(), number.strip().upper()
        # 1. Count first.
        with self._database.begin() as conn:
            scene = self._open(conn, flow_id, browser, now)
            who = scene.who
            if not isinstance(scene.step, StepUp) or who is None or self._real_names is None:
                return self._proceed(conn, scene, now)
            problem = _unaskable(name, number)
            if problem is not None:
                return Turn(outcome=_again(scene, problem))
            wait = attempts.begin(conn, attempts.PROOF, who.person.id, now)
        if wait is not None:
            return Turn(outcome=_again(scene, "wait", wait))
        # 2. Ask, outside any transaction: the register may take its time.
        matches = self._real_names.matches(name, number)
        # 3. Record.
        with self._database.begin() as conn:
            scene = self._open(conn, flow_id, browser, now)
            if not isinstance(scene.step, StepUp) or scene.who is None or scene.who.person.id != who.person.id:
                # Signed out, another's turn, or proved otherwise meanwhile: the answer is about a past that is gone.
                return self._proceed(conn, scene, now)
            if not matches:
                self._note(conn, now, actor=who.person.id, action="idp.identity_not_proved", target=who.person.id)
                return Turn(outcome=_again(scene, "mismatch"))
            level, evidence = IdentityLevel.MATCHED, Evidence.NAME_AND_NUMBER
            people.set_level(conn, who.person.id, name=name, level=level, evidence=evidence, at=now)
            attempts.forget(conn, attempts.PROOF, who.person.id)
            self._note(
                conn, now, actor=who.person.id, action="idp.identity_proved", target=who.person.id, level=int(level)
            )
            return self._proceed(conn, self._scene(conn, scene.flow, browser, now), now)

    def cancel(self, flow_id: str, browser: Browser) -> Turn:
        """End the flow as the person wishes; the client is told so."""
        now = self._clock.now()
        with self._database.begin() as conn:
            scene = self._open(conn, flow_id, browser, now)
            actor = scene.who.person.id if scene.who else "browser"
            self._note(conn, now, actor=actor, action="idp.declined", target=scene.client.id)
            return self._deny(conn, scene, now, "access_denied", "The person declined.")

    # --- parts -----------------------------------------------------------------------------------------------

    def _asked(self, parameters: Parameters) -> Asked:
        name, hint = parameters.get("client_id"), parameters.get("id_token_hint")
        with self._database.read() as conn:
            client = clients.find(conn, name) if name else None
        client = client if client is not None and client.active else None
        claims = self._tokens.hint(hint) if hint else None
        ours = claims is not None and client is not None and claims.get("aud") == client.id
        return Asked(
            parameters=parameters,
            client=client,
            hinted_person=PersonId(str(claims.get("sub"))) if claims is not None and ours else None,
            hint_refused=hint is not None and not ours,
        )

    def _open(self, conn: sa.Connection, flow_id: str, browser: Browser, now: datetime) -> _Scene:
        """Give the scene of an open flow of this browser's, or refuse."""
        flow = flows.find(conn, flow_id) if flow_id.isalnum() and flow_id.isascii() else None
        if flow is None or now >= flow.expires_at:
            raise FlowRefused("This sign-in has expired. Go back to the application and start again.")
        if flow.finished_at is not None:
            raise FlowRefused("This sign-in has been completed already. Go back to the application.")
        if flow.browser_hash is None and browser.key and flows.claim(conn, flow.id, digest_of(browser.key)):
            flow = replace(flow, browser_hash=digest_of(browser.key))
        if not same(flow.browser_hash, browser.key):
            raise FlowRefused("This sign-in was started in another browser, or cookies are blocked. Start again.")
        return self._scene(conn, flow, browser, now)

    def _scene(self, conn: sa.Connection, flow: Flow, browser: Browser, now: datetime) -> _Scene:
        client = clients.find(conn, flow.request.client_id)
        if client is None or not client.active:
            raise FlowRefused("The application that sent you here is no longer registered.")
        who = signed_in(conn, browser.session, now)
        agreed = grants.consented(conn, who.person.id, client.id) if who else frozenset()
        return _Scene(flow=flow, client=client, who=who, step=next_step(flow, client, who, agreed, now))

    def _proceed(self, conn: sa.Connection, scene: _Scene, now: datetime) -> Turn:
        match scene.step:
            case Issue(signed_in=who):
                return self._issue(conn, scene, who, now)
            case Deny(error=error, description=description):
                return self._deny(conn, scene, now, error, description)
            case Login() | StepUp() | Consent() as step:
                return Turn(outcome=Show(flow=scene.flow, step=step, client=scene.client, who=scene.who))

    def _issue(self, conn: sa.Connection, scene: _Scene, who: SignedIn, now: datetime) -> Turn:
        self._finish(conn, scene, now)
        request, secret = scene.flow.request, new_secret()
        grant = Grant(
            id=GrantId(new_id()),
            client_id=scene.client.id,
            person_id=who.person.id,
            session_id=who.session.id,
            scope=request.scope,
            nonce=request.nonce,
            acr=acr_of(who.person.level, who.session.amr),
            amr=who.session.amr,
            authenticated_at=who.session.authenticated_at,
            created_at=now,
            revoked_at=None,
        )
        code = Code(
            digest=digest_of(secret),
            grant_id=grant.id,
            client_id=scene.client.id,
            redirect_uri=request.redirect_uri,
            code_challenge=request.code_challenge,
            expires_at=now + CODE_LIFETIME,
            used_at=None,
        )
        grants.insert(conn, grant, code)
        self._note(
            conn,
            now,
            actor=who.person.id,
            action="idp.client_admitted",
            target=grant.id,
            client=scene.client.id,
            scope=" ".join(grant.scope),
            acr=grant.acr,
        )
        return Turn(outcome=code_answer(request, secret, self._tokens.issuer))

    def _deny(self, conn: sa.Connection, scene: _Scene, now: datetime, error: str, description: str) -> Turn:
        self._finish(conn, scene, now)
        request = scene.flow.request
        answer = error_answer(
            redirect_uri=request.redirect_uri,
            response_mode=request.response_mode,
            state=request.state,
            issuer=self._tokens.issuer,
            error=error,
            description=description,
        )
        return Turn(outcome=answer)

    def _finish(self, conn: sa.Connection, scene: _Scene, now: datetime) -> None:
        if not flows.finish(conn, scene.flow.id, now):
            raise FlowRefused("This sign-in has been completed already. Go back to the application.")

    def _note_replaced(self, conn: sa.Connection, now: datetime, before: SignedIn | None, person: PersonId) -> None:
        if before is not None and before.person.id != person:
            self._note(conn, now, actor=before.person.id, action="idp.signed_out", target=before.session.id, by="login")

    def _note(
        self, conn: sa.Connection, now: datetime, *, actor: str, action: str, target: str, **facts: str | int
    ) -> None:
        self._audit.append(conn, at=now, actor=actor, action=action, target=target, facts=facts)


def _unaskable(name: str, number: str) -> str | None:
    """Say why the register need not be asked: no number, or a name that nobody can have."""
    if not well_formed(number):
        return "number"
    return None if is_name(name) else "mismatch"


def _again(scene: _Scene, problem: str, wait_until: datetime | None = None) -> Show:
    """Show the step that was just tried once more."""
    step = scene.step if isinstance(scene.step, Login | StepUp | Consent) else Login(again=True)
    return Show(flow=scene.flow, step=step, client=scene.client, who=scene.who, problem=problem, wait_until=wait_until)
