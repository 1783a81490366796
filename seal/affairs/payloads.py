"""Payloads: what each action's proposal says, parsed once and written down in one form."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from kernel.audit import canonical
from seal.affairs.actions import Action
from seal.affairs.model import AffairRefused
from seal.model import UsePolicy

LONGEST = 64 * 1024
"""Octets of a payload at most, most of them certificates."""
_Words = Annotated[str, Field(min_length=1, max_length=200)]
_Pem = Annotated[str, Field(min_length=1, max_length=LONGEST)]


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
    valid_from: AwareDatetime
    valid_to: AwareDatetime
    keys: tuple[KeyPart, ...] = Field(min_length=1, max_length=8)
    maker: MakerPart


class Remaking(Payload):
    """What differs in the new version of a seal; what is left out stays."""

    name: _Words | None = None
    owner_name: _Words | None = None
    picture: PicturePart | None = None
    valid_from: AwareDatetime | None = None
    valid_to: AwareDatetime | None = None
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


SHAPES: Mapping[Action, type[Payload]] = {
    **dict.fromkeys(Action, Payload),
    Action.MAKE: Making,
    Action.CHANGE: Remaking,
    Action.RENEW: Remaking,
    Action.FILE: FilingPart,
    Action.POLICY: PolicyPart,
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
