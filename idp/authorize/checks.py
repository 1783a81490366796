"""Checks: what an authorisation request must meet, as two ordered tables of named functions.

Until every check of ``BEFORE_ANSWERING`` has passed there is no address that may be answered to: the person sees an
error page. After it the client is told by redirect. To add a check, write the function and add its row.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from idp.authorize.parameters import Parameters
from idp.model import AuthorizeRequest, Client, GrantType, PersonId, PkcePolicy

RESPONSE_MODES = ("query", "form_post")
PROMPTS = frozenset({"none", "login", "consent", "select_account"})
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_SECONDS = re.compile(r"[0-9]{1,9}")
_LONGEST_ECHO = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request under examination.

    ``client`` is the allowed client it names, if there is one; ``hint_refused`` says that it carries an id_token_hint
    which is no ID token of ours for that client.
    """

    parameters: Parameters
    client: Client | None
    hinted_person: PersonId | None
    hint_refused: bool

    def get(self, name: str) -> str | None:
        """Give a parameter."""
        return self.parameters.get(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """What a request fails by: an error code (RFC 6749 4.1.2.1, OpenID Connect Core 3.1.2.6) and a sentence."""

    error: str
    description: str


Check = Callable[[Asked], Wrong | None]


def _invalid(description: str) -> Wrong:
    return Wrong(error="invalid_request", description=description)


# --- before there is an address to answer to -------------------------------------------------------------------


def nothing_is_repeated(asked: Asked) -> Wrong | None:
    """RFC 6749 3.1: two readings of one parameter are one too many."""
    return _invalid("A parameter was sent more than once.") if asked.parameters.repeated else None


def the_client_is_known(asked: Asked) -> Wrong | None:
    """Demand a client that is registered and allowed."""
    if asked.client is None:
        return Wrong(error="invalid_client", description="The application that sent you here is not registered.")
    return None


def the_redirect_uri_is_registered(asked: Asked) -> Wrong | None:
    """RFC 9700 2.1: the address to answer to is one of the registered ones, letter for letter."""
    if asked.client is None or asked.get("redirect_uri") not in asked.client.redirect_uris:
        return _invalid("The address to return to is not registered for this application.")
    return None


# --- once there is ---------------------------------------------------------------------------------------------


def the_response_mode_is_known(asked: Asked) -> Wrong | None:
    """Demand a way of answering that we have."""
    if asked.get("response_mode") not in (None, *RESPONSE_MODES):
        return _invalid("response_mode is query or form_post.")
    return None


def the_response_type_is_code(asked: Asked) -> Wrong | None:
    """RFC 9700 2.1.2: tokens do not travel through the browser."""
    wanted = asked.get("response_type")
    if wanted is None:
        return _invalid("response_type is missing.")
    if wanted != "code":
        return Wrong(error="unsupported_response_type", description="response_type is code.")
    return None


def there_is_no_request_object(asked: Asked) -> Wrong | None:
    """Refuse a request object: one that is not read must never be passed over (OpenID Connect Core 6)."""
    for name in ("request", "request_uri", "registration"):
        if asked.get(name) is not None:
            return Wrong(error=f"{name}_not_supported", description=f"{name} is not supported.")
    return None


def the_client_may_sign_people_in(asked: Asked) -> Wrong | None:
    """Demand that the client was registered for this grant."""
    if asked.client is None or GrantType.CODE not in asked.client.grant_types:
        return Wrong(error="unauthorized_client", description="This client may not use the code flow.")
    return None


def the_scope_has_openid(asked: Asked) -> Wrong | None:
    """Demand openid: scopes unknown or not granted are passed over (OpenID Connect Core 3.1.2.1)."""
    if asked.client is None or "openid" not in asked.client.scopes.intersection(asked.parameters.words("scope")):
        return Wrong(error="invalid_scope", description="scope must hold openid.")
    return None


def pkce_is_used(asked: Asked) -> Wrong | None:
    """RFC 9700 2.1.1: S256 only, and left out by nobody but a registered exception."""
    challenge, method = asked.get("code_challenge"), asked.get("code_challenge_method")
    if challenge is None:
        if method is not None or asked.client is None or asked.client.pkce is PkcePolicy.REQUIRED:
            return _invalid("code_challenge is required.")
        return None
    # No method means plain (RFC 7636 4.3), which protects nothing.
    if method != "S256":
        return _invalid("code_challenge_method must be S256.")
    return None if _CHALLENGE.fullmatch(challenge) else _invalid("code_challenge is not the S256 of a verifier.")


def the_prompt_makes_sense(asked: Asked) -> Wrong | None:
    """OpenID Connect Core 3.1.2.1: none stands alone."""
    prompts = asked.parameters.words("prompt")
    if not PROMPTS.issuperset(prompts) or ("none" in prompts and len(prompts) > 1):
        return _invalid("prompt is none, or some of login, consent, select_account.")
    return None


def max_age_is_a_number(asked: Asked) -> Wrong | None:
    """Seconds, nought or more."""
    given = asked.get("max_age")
    return None if given is None or _SECONDS.fullmatch(given) else _invalid("max_age is a number of seconds.")


def what_is_echoed_is_short(asked: Asked) -> Wrong | None:
    """We store and return these unread."""
    if any(len(asked.get(name) or "") > _LONGEST_ECHO for name in ("state", "nonce", "login_hint", "acr_values")):
        return _invalid(f"state, nonce, login_hint and acr_values have {_LONGEST_ECHO} characters at most.")
    return None


def the_hint_is_ours(asked: Asked) -> Wrong | None:
    """Demand that an id_token_hint is an ID token that we gave to this client."""
    return _invalid("id_token_hint is not an ID token of this issuer for this client.") if asked.hint_refused else None


BEFORE_ANSWERING: tuple[Check, ...] = (
    nothing_is_repeated,
    the_client_is_known,
    the_redirect_uri_is_registered,
)
BEFORE_ASKING: tuple[Check, ...] = (
    the_response_mode_is_known,
    the_response_type_is_code,
    there_is_no_request_object,
    the_client_may_sign_people_in,
    the_scope_has_openid,
    pkce_is_used,
    the_prompt_makes_sense,
    max_age_is_a_number,
    what_is_echoed_is_short,
    the_hint_is_ours,
)


def first_wrong(checks: tuple[Check, ...], asked: Asked) -> Wrong | None:
    """Give what the first failing check says."""
    return next((wrong for check in checks if (wrong := check(asked)) is not None), None)


def checked(asked: Asked, client: Client) -> AuthorizeRequest:
    """Make the request that every check has passed."""
    parameters = asked.parameters
    max_age = parameters.get("max_age")
    return AuthorizeRequest(
        client_id=client.id,
        redirect_uri=parameters.values["redirect_uri"],
        response_mode=parameters.get("response_mode") or "query",
        scope=tuple(scope for scope in parameters.words("scope") if scope in client.scopes),
        state=parameters.get("state"),
        nonce=parameters.get("nonce"),
        code_challenge=parameters.get("code_challenge"),
        prompt=parameters.words("prompt"),
        max_age=None if max_age is None else int(max_age),
        acr_values=parameters.words("acr_values"),
        login_hint=parameters.get("login_hint"),
        ui_locales=parameters.words("ui_locales"),
        hinted_person=asked.hinted_person,
    )
