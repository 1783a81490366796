"""What the identity provider refuses."""

from kernel.errors import Reason, Refusal


class AuthorizeRefused(Refusal):
    """An authorisation request that may not even be answered by redirect: the address to answer to is unproved."""

    reason, code = Reason.BAD_INPUT, "authorize_refused"


class FlowRefused(Refusal):
    """An authorisation that is unknown, over, or another browser's."""

    reason, code = Reason.CONFLICT, "flow_refused"


class LogoutRefused(Refusal):
    """A logout request that cannot be followed as it stands."""

    reason, code = Reason.BAD_INPUT, "logout_refused"


class LoginTaken(Refusal):
    """Another person has this login name."""

    reason, code = Reason.CONFLICT, "login_taken"


class RegistrationRefused(Refusal):
    """A person or client cannot be registered like this."""

    reason, code = Reason.BAD_INPUT, "registration_refused"


class UnknownClient(Refusal):
    """There is no such client."""

    reason, code = Reason.NOT_FOUND, "client_unknown"


class UnknownPerson(Refusal):
    """There is no such person."""

    reason, code = Reason.NOT_FOUND, "person_unknown"


class TokenKeyMissing(Refusal):
    """The issuer has no key to sign tokens with, or the vault has another one under its name."""

    reason, code = Reason.UNAVAILABLE, "token_key_missing"


class TokenKeyRefused(Refusal):
    """The keys that sign tokens cannot be changed like this, or not yet."""

    reason, code = Reason.CONFLICT, "token_key_refused"


class AppKeyRefused(Refusal):
    """An app key cannot be made like this."""

    reason, code = Reason.CONFLICT, "app_key_refused"


class UnknownAppKey(Refusal):
    """There is no such app key."""

    reason, code = Reason.NOT_FOUND, "app_key_unknown"
