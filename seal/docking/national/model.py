"""What is told to the national platform and what it tells: shapes of a provincial client of 2019, not confirmed.

What is sent is checked before anything is signed; what is answered is read strictly, and members that we do not know
are passed over.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from crypto.secrecy import Secret
from seal.ses.model import CHINA_TIME

STAMP: Final = "%Y%m%d%H%M%S"
"""yyyyMMddHHmmss, in China's time."""

Text = Annotated[str, Field(max_length=500)]
Code = Annotated[str, Field(min_length=1, max_length=64)]
Moment = Annotated[str, Field(pattern=r"^[0-9]{14}$")]
Octets = Annotated[str, Field(min_length=1, max_length=64_000, pattern=r"^[A-Za-z0-9+/]+=*$")]


class Event(StrEnum):
    """What the platform is told of a seal."""

    RELEASE = "release"
    RENEWAL = "renewal"
    REVOKED = "revoked"
    CANCELLED = "cancelled"
    LOST = "lost"


class InvalidType(Enum):
    """Why a seal is out of force, in the platform's numbers."""

    REVOKED = "0"  # 吊销
    CANCELLED = "1"  # 撤销
    LOST = "2"  # 挂失


INVALID_TYPES: Final[Mapping[Event, InvalidType]] = {
    Event.REVOKED: InvalidType.REVOKED,
    Event.CANCELLED: InvalidType.CANCELLED,
    Event.LOST: InvalidType.LOST,
}


class Standing(Enum):
    """How the platform has a seal (sealStatus)."""

    VALID = "1"
    INVALID = "2"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Account(Secret):
    """How the platform knows us; all of it comes from the platform's operator."""

    url: str
    client: str
    """client_id and appKey."""
    secret: str
    user: str
    password: str
    salt: str
    identity: str
    """idA, by which our signing certificate is registered there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What no text at hand confirms, in one place: names of calls and numbers of answers."""

    token_path: str = "/token"  # noqa: S105 - an address
    call_path: str = "/gateway"
    legal_type: str = "1"
    ok: frozenset[str] = frozenset({"0"})
    unknown_seal: frozenset[str] = frozenset({"2001"})
    known_seal: frozenset[str] = frozenset({"2002"})
    """What is to be released is there already."""
    token_over: frozenset[str] = frozenset({"1001"})
    login: frozenset[str] = frozenset({"1002", "1003"})
    signature: frozenset[str] = frozenset({"1004"})
    random_used: frozenset[str] = frozenset({"1005"})
    methods: Mapping[str, str] = field(
        default_factory=lambda: {
            "status": "seal.status.query",
            "revoked": "seal.revoked.list",
            "release": "seal.release",
            "renewal": "seal.renewal",
            "deactivate": "seal.deactivate",
            "random": "security.getRandom",
            "secret": "security.refreshSecret",
        }
    )


# --- what is sent ---


class Task(BaseModel):
    """Base of what is signed and sent; the order of members is the order in which they are signed."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Release(Task):
    """A seal that is filed there."""

    sealCode: Code  # noqa: N815 - the platform's names
    sealName: Annotated[str, Field(min_length=1, max_length=200)]  # noqa: N815
    useUnitCode: Annotated[str, Field(pattern=r"^[0-9A-Z]{18}$")]  # noqa: N815
    sealZone: Annotated[str, Field(pattern=r"^[0-9]{6}$")]  # noqa: N815
    validStart: Moment  # noqa: N815
    validEnd: Moment  # noqa: N815
    parentSealCode: Text  # noqa: N815
    createTime: Moment  # noqa: N815
    creater: Text
    legalType: Text  # noqa: N815
    signature: Octets
    certStart: Moment  # noqa: N815
    certEnd: Moment  # noqa: N815
    signCert: Octets  # noqa: N815
    requestParam: Text  # noqa: N815


class Renewal(Task):
    """A seal whose validity was lengthened."""

    sealCode: Code  # noqa: N815
    sealName: Annotated[str, Field(min_length=1, max_length=200)]  # noqa: N815
    validEndTime: Moment  # noqa: N815
    signature: Octets
    signCert: Octets  # noqa: N815


class Deactivation(Task):
    """A seal that is out of force; the platform finds it by the seal's ``signature``."""

    sealName: Annotated[str, Field(min_length=1, max_length=200)]  # noqa: N815
    cancelReason: Text  # noqa: N815
    cancelDescribe: Text  # noqa: N815
    applyDate: Moment  # noqa: N815
    signature: Octets
    invalidType: Annotated[str, Field(pattern=r"^[012]$")]  # noqa: N815
    invalidEffectTime: Moment  # noqa: N815


# --- what is answered ---


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Envelope(_Answer):
    """Every answer; what ``data`` holds depends on the method."""

    requestId: Annotated[str, Field(max_length=100)] = ""  # noqa: N815
    method: Annotated[str, Field(max_length=100)] = ""
    code: Annotated[str, Field(min_length=1, max_length=20, pattern=r"^[A-Za-z0-9_.-]+$")]
    data: Annotated[list[dict[str, Any]], Field(max_length=1000)] = []
    message: Annotated[str, Field(max_length=2000)] = ""


class TokenAnswer(_Answer):
    """A token and for how long it is good, in seconds."""

    access_token: Annotated[str, Field(min_length=8, max_length=4000, pattern=r"^[\x21-\x7e]+$")]
    expires_in: Annotated[int, Field(ge=1, le=30 * 86_400)]


class StatusAnswer(_Answer):
    """One seal, as the platform has it."""

    sealCode: Code  # noqa: N815
    sealStatus: Annotated[str, Field(pattern=r"^[12]$")]  # noqa: N815


class RevokedAnswer(_Answer):
    """One seal that is out of force."""

    sealCode: Code  # noqa: N815
    sealName: Text = ""  # noqa: N815
    invalidType: Annotated[str, Field(pattern=r"^[012]$")]  # noqa: N815
    invalidEffectTime: Moment  # noqa: N815


class RandomAnswer(_Answer):
    """A challenge, of use once."""

    random: Annotated[str, Field(min_length=8, max_length=128, pattern=r"^[A-Za-z0-9+/=_-]+$")]


class SecretAnswer(_Answer):
    """The secret from now on."""

    clientSecret: Annotated[str, Field(min_length=8, max_length=200, pattern=r"^[\x21-\x7e]+$")]  # noqa: N815


# --- results ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The platform did as asked; ``request_id`` is its own name for the call, ``code`` its answer."""

    request_id: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokedSeal:
    """A seal out of force, of whatever region."""

    code: str
    name: str
    why: InvalidType
    since: datetime


def stamp(at: datetime) -> str:
    """Write an instant as the platform does."""
    return at.astimezone(CHINA_TIME).strftime(STAMP)
