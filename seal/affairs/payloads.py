"""Payloads: what each action's proposal says, parsed once and written down in one form."""

from collections.abc import Mapping
from datetime import time
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from kernel.audit import canonical
from seal.affairs.actions import Action
from seal.affairs.model import AffairRefused
from seal.model import UsePolicy
from seal.upload import Instant

LONGEST = 64 * 1024
"""Octets of a payload at most, most of them certificates."""
_Words = Annotated[str, Field(min_length=1, max_length=200)]
_Pem = Annotated[str, Field(min_length=1, max_length=LONGEST)]
_MOST_USES, _MOST_FEN = 10**9, 2**53 - 1


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (LookupError, OSError) as error:
        raise ValueError("no time zone of this name is known here") from error
    return name


def _whole_minutes(moment: time) -> time:
    if moment.tzinfo is not None or moment.second or moment.microsecond:
        raise ValueError("a time such as 08:30")
    return moment


_Zone = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_known_zone)]
_Clock = Annotated[time, AfterValidator(_whole_minutes), PlainSerializer(lambda moment: f"{moment:%H:%M}")]
_Weekday = Annotated[int, Field(ge=1, le=7)]
_Uses = Annotated[int, Field(ge=1, le=_MOST_USES)]


class Payload(BaseModel):
    """Nothing more than the action itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PicturePart(Payload):
    """A picture in the object store, and its printed size."""

    object_key: str = Field(pattern="^[0-9a-f]{64}$", description="SM3 of the PNG, under which it is kept")
    width_mm: int = Field(gt=0, le=100)
    height_mm: int = Field(gt=0, le=100)


class KeyPart(Payload):
    """A key of the vault and its certificate, with those above it, PEM."""

    key: _Words
    certificates: _Pem


class MakerPart(KeyPart):
    """Who signs the seal as its maker."""

    vendor: str = Field(default="XINYIN", pattern="^[A-Za-z0-9._-]{1,32}$")


class Making(Payload):
    """A seal to be made."""

    kind: int = Field(examples=[6])
    name: _Words
    owner: str = Field(pattern="^[0-9A-HJ-NPQRTUWXY]{18}$", description="unified social credit code")
    owner_name: _Words
    picture: PicturePart
    valid_from: Instant
    valid_to: Instant
    keys: tuple[KeyPart, ...] = Field(min_length=1, max_length=8)
    maker: MakerPart


class Remaking(Payload):
    """What differs in the new version of a seal; what is left out stays."""

    name: _Words | None = None
    owner_name: _Words | None = None
    picture: PicturePart | None = None
    valid_from: Instant | None = None
    valid_to: Instant | None = None
    keys: tuple[KeyPart, ...] | None = Field(default=None, min_length=1, max_length=8)
    maker: MakerPart


class FilingPart(Payload):
    """How the seal was filed."""

    filing_number: str = Field(min_length=1, max_length=100)
    body: _Words
    code: str | None = Field(default=None, pattern="^[0-9]{13}$", description="the public-security code")


class PolicyPart(Payload):
    """What it is to take to use the seal."""

    use: UsePolicy


class WindowPart(Payload):
    """Hours of some weekdays, on the clock on the wall; ending before they begin, they end the next day."""

    weekdays: tuple[_Weekday, ...] = Field(min_length=1, max_length=7, description="on which they begin; 1 is Monday")
    begins: _Clock = Field(examples=["08:30"])
    ends: _Clock = Field(examples=["18:00"], description="00:00 is the end of the day")


class GrantPart(Payload):
    """Leave to use the seal; what is left out does not narrow."""

    subject: _Words | None = Field(default=None, description="one caller: a client's id, or a person's")
    organisation: str | None = Field(
        default=None, pattern="^[0-9A-HJ-NPQRTUWXY]{18}$", description="all who act for this body"
    )
    formats: tuple[_Words, ...] = Field(default=(), max_length=20)
    document_kinds: tuple[_Words, ...] = Field(default=(), max_length=50)
    windows: tuple[WindowPart, ...] = Field(default=(), max_length=20)
    zone: _Zone = "Asia/Shanghai"
    valid_from: Instant
    valid_to: Instant
    per_day: _Uses | None = None
    per_month: _Uses | None = None
    in_total: _Uses | None = None
    amount_limit: int | None = Field(default=None, ge=0, le=_MOST_FEN, description="of one use, in fen")

    @model_validator(mode="after")
    def _for_somebody(self) -> "GrantPart":
        if (self.subject is None) == (self.organisation is None):
            raise ValueError("either a subject or an organisation")
        if not self.valid_from < self.valid_to:
            raise ValueError("a grant ends after it begins")
        return self


class GrantEnd(Payload):
    """A grant that is to end."""

    grant: str = Field(min_length=26, max_length=26)


SHAPES: Mapping[Action, type[Payload]] = {
    **dict.fromkeys(Action, Payload),
    Action.MAKE: Making,
    Action.CHANGE: Remaking,
    Action.RENEW: Remaking,
    Action.FILE: FilingPart,
    Action.POLICY: PolicyPart,
    Action.GRANT: GrantPart,
    Action.END_GRANT: GrantEnd,
}


def written(action: Action, payload: Mapping[str, Any]) -> str:
    """Check a proposal's payload and write it as canonical JSON; AffairRefused names the parts that do not fit."""
    try:
        text = canonical(SHAPES[action].model_validate(payload).model_dump(mode="json"))
    except ValidationError as error:
        places = sorted({".".join(str(step) for step in each["loc"]) or "payload" for each in error.errors()})
        raise AffairRefused(f"The payload of {action} does not fit: {', '.join(places)}.") from error
    if len(text.encode("utf-8", "surrogatepass")) > LONGEST:
        raise AffairRefused(f"A payload has at most {LONGEST} octets.")
    return text
