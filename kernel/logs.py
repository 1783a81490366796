"""Logs: one JSON object a line, with the request's number and without anybody's personal data."""

import logging
import re
from collections.abc import Mapping
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

DROPPED = "[dropped]"
MASKED = "[masked]"

# Keys are compared in lower case without "_" and "-". These are wrong in any record, whatever its purpose…
# fmt: off
PERSONAL_KEYS = frozenset({
    "fullname", "realname", "familyname", "givenname", "nickname", "idnumber", "idcard", "idno", "nationalid",
    "passport", "phone", "phonenumber", "mobile", "tel", "telephone", "email", "birthdate", "birthday",
    "bankcard", "password", "passphrase", "secret", "clientsecret", "accesstoken", "refreshtoken", "idtoken",
    "otp", "privatekey",
})
# …and these may be harmless elsewhere, but in a log they tend to be someone's name, credential or whole request.
_NOT_IN_LOGS = PERSONAL_KEYS | {
    "name", "username", "address", "gender", "account", "token", "code", "pin", "assertion", "authorization",
    "cookie", "setcookie", "session", "csrf", "key", "body", "form", "query", "querystring", "headers",
    "document", "content", "data",
}
# fmt: on
_PATTERNS = (
    # Resident identity numbers (GB 11643: 17 digits and a check character) and mobile numbers of the mainland.
    re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{16}[0-9Xx](?![0-9A-Za-z])"),
    re.compile(r"(?<![0-9A-Za-z])(?:\+?86[- ]?)?1[3-9][0-9]{9}(?![0-9A-Za-z])"),
    re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+"),
    # A signed token in compact form (RFC 7515): it opens doors for whoever reads the log.
    re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"),
    # What PostgreSQL adds to an error quotes the key or the whole row; it ends where SQLAlchemy or a traceback goes on.
    re.compile(r"(?<=\nDETAIL:).*?(?=\n\n|\n\[SQL|\Z)", re.DOTALL),
)
_DEEPEST = 6
# Servers that log every request with its query; the doorway's own line takes their place.
_SILENCED = ("uvicorn.access", "hypercorn.access", "gunicorn.access")
# Clients that log every outgoing URL, query and all, as information.
_WARNINGS_ONLY = ("httpx", "httpx2", "httpcore", "httpcore2", "urllib3")


def configure(stream: TextIO, *, level: int = logging.INFO) -> None:
    """Send every log line of this process, other libraries' too, to ``stream`` as redacted JSON.

    Process-wide and repeatable; called by the program's entry points only. Exceptions are written with their
    stack and without local variables.
    """
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        # After the exception became text: a driver's message may quote the row it refused.
        redact,
        structlog.processors.JSONRenderer(ensure_ascii=False, default=_shown),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=last))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _SILENCED:
        logging.getLogger(name).disabled = True
    for name in _WARNINGS_ONLY:
        logging.getLogger(name).setLevel(logging.WARNING)


def redact(logger: object, method: str, event: EventDict) -> EventDict:
    """Drop the values of personal keys, and mask what looks like an identity, a number or a token anywhere else."""
    del logger, method
    return {key: _redacted(key, value, 0) for key, value in event.items()}


def mask(text: str) -> str:
    """Mask identity numbers, mobile numbers, mail addresses and signed tokens inside a text."""
    for pattern in _PATTERNS:
        text = pattern.sub(MASKED, text)
    return text


def is_personal(key: str) -> bool:
    """Tell whether what is called ``key`` is personal or secret by its name, in any record."""
    return _plain(key) in PERSONAL_KEYS


def _plain(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "")


def _redacted(key: object, value: Any, depth: int) -> Any:
    if isinstance(key, str) and _plain(key) in _NOT_IN_LOGS:
        return DROPPED
    if isinstance(value, (Mapping, list, tuple, set, frozenset, bytes, bytearray, memoryview)):
        return _redacted_inside(value, depth + 1)
    return _masked(value)


def _redacted_inside(value: Any, depth: int) -> Any:
    if depth > _DEEPEST or isinstance(value, (bytes, bytearray, memoryview)):
        return DROPPED
    if isinstance(value, Mapping):
        return {mask(str(key)): _redacted(key, inner, depth) for key, inner in value.items()}
    return [_redacted(None, inner, depth) for inner in value]


def _masked(value: Any) -> Any:
    if value is None or isinstance(value, (bool, float)):
        return value
    text = str(value)
    shown = mask(text)
    return value if isinstance(value, int) and shown == text else shown


def _shown(value: object) -> str:
    return mask(repr(value))
