"""What the API of affairs takes, answers and refuses, in the words of its description (OpenAPI)."""

import json
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from seal.affairs.actions import Action
from seal.affairs.model import LIFETIME, LONGEST_LIFE, Affair, Paper, Proposal, Standing, Verdict
from seal.model import SealId, SealStatus, UsePolicy

_SM3 = "^[0-9a-f]{64}$"
_NUMBER = "^[0-9]{14}$"
_BEARER = "token_missing, token_refused"
PROPOSING_PROBLEMS = {
    400: "affair_refused, seal_refused: the parts do not fit the action",
    401: _BEARER,
    403: "forbidden: the right to propose this for this seal is missing",
    404: "seal_unknown, object_not_found",
    409: "seal_exists, seal_not_usable: the action is not for the seal's status",
    422: "request_invalid; errors names the fields. idempotency_mismatch",
    503: "objects_unavailable, object_corrupt",
}
DECIDING_PROBLEMS = {
    400: "affair_refused, seal_refused, certificate_malformed: it cannot be carried out as proposed",
    401: _BEARER,
    403: "forbidden; second_person_needed: the caller has a part in it already, or is no natural person",
    404: "affair_unknown",
    409: "affair_closed, affair_not_ready, affair_hash_mismatch, seal_not_usable, seal_exists",
    422: "request_invalid; errors names the fields",
    503: "affair_damaged, key_refused",
}
ASKING_PROBLEMS = {401: _BEARER, 404: "affair_unknown, seal_unknown, object_not_found", 422: "request_invalid"}
KEEPING_PROBLEMS = {
    400: "affair_refused: nothing was sent",
    401: _BEARER,
    403: "forbidden",
    413: "body_too_large, object_too_large",
    503: "objects_unavailable",
}


class PaperShape(BaseModel):
    """A paper that was kept before."""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(min_length=1, max_length=40, examples=["application"])
    object_key: str = Field(pattern=_SM3, description="as answered when it was sent")


class KeptAnswer(BaseModel):
    """Where a paper or a picture is kept now."""

    object_key: str = Field(description="SM3 of its octets, hexadecimal")
    size: int


class ProposalShape(BaseModel):
    """What is to be done with a seal."""

    model_config = ConfigDict(extra="forbid")

    action: Action
    seal: str = Field(pattern=_NUMBER, examples=["44030000000001"])
    payload: dict[str, Any] = Field(default_factory=dict, description="the action's own part")
    reason: str = Field(min_length=1, max_length=500, examples=["机构改革，名称变更"])
    legal_basis: str = Field(default="", max_length=500, examples=["国办发〔2025〕33号第十条"])
    papers: tuple[PaperShape, ...] = Field(default=(), max_length=20)
    days: int = Field(default=LIFETIME.days, ge=1, le=LONGEST_LIFE.days, description="how long it may be decided")

    def proposal(self) -> Proposal:
        """Give what is proposed."""
        return Proposal(
            action=self.action,
            seal=SealId(self.seal),
            payload=self.payload,
            reason=self.reason,
            legal_basis=self.legal_basis,
            papers=tuple(Paper(kind=each.kind, object_key=each.object_key) for each in self.papers),
            lifetime=timedelta(days=self.days),
        )


class DecisionShape(BaseModel):
    """A word about an affair."""

    model_config = ConfigDict(extra="forbid")

    verdict: Verdict
    payload_sm3: str = Field(pattern=_SM3, description="the payload_sm3 of the affair as it was shown")
    note: str = Field(default="", max_length=500)


class DecisionAnswer(BaseModel):
    """A word that was said about an affair."""

    by: str
    verdict: Verdict
    at: datetime
    note: str


class AffairAnswer(BaseModel):
    """An affair, and where it stands."""

    id: str = Field(examples=["k3vq5rj2c4m7ydpt6xwznbhgea"])
    action: Action
    seal: str
    standing: Standing
    payload: dict[str, Any]
    payload_sm3: str = Field(description="SM3 over the whole statement; a decision names it")
    papers: tuple[PaperShape, ...]
    reason: str
    legal_basis: str
    proposed_by: str
    proposed_at: datetime
    expires_at: datetime
    decisions: tuple[DecisionAnswer, ...]
    outcome: dict[str, Any] | None = Field(description="what came of it; null as long as it was not carried out")

    @classmethod
    def of(cls, affair: Affair, now: datetime) -> "AffairAnswer":
        """Tell of an affair."""
        return cls(
            id=affair.id,
            action=affair.action,
            seal=affair.seal,
            standing=affair.standing(now),
            payload=json.loads(affair.payload),
            payload_sm3=affair.payload_sm3,
            papers=tuple(PaperShape(kind=each.kind, object_key=each.object_key) for each in affair.papers),
            reason=affair.reason,
            legal_basis=affair.legal_basis,
            proposed_by=affair.proposed_by,
            proposed_at=affair.proposed_at,
            expires_at=affair.expires_at,
            decisions=tuple(
                DecisionAnswer(by=each.by, verdict=each.verdict, at=each.at, note=each.note)
                for each in affair.decisions
            ),
            outcome=json.loads(affair.outcome) if affair.outcome else None,
        )


class AffairsAnswer(BaseModel):
    """A page of affairs, the newest first."""

    affairs: tuple[AffairAnswer, ...]
    next: str | None = Field(description="give this as `after` for the next page; null: there is none")


class FilingAnswer(BaseModel):
    """How a seal was filed (备案)."""

    filing_number: str
    body: str
    code: str | None = Field(description="the public-security code of 13 digits")
    at: datetime


class CertificateAnswer(BaseModel):
    """A certificate a seal signs with."""

    suite: str
    subject: str
    serial: str
    not_before: datetime
    not_after: datetime


class SealAnswer(BaseModel):
    """All that is kept of a seal, as of now."""

    seal: str
    kind: int
    name: str
    owner: str
    owner_name: str
    status: SealStatus
    version: int
    valid_from: datetime
    valid_to: datetime
    use_policy: UsePolicy
    filing: FilingAnswer | None
    certificates: tuple[CertificateAnswer, ...] = Field(description="those of every version")
    keys_to_destroy: tuple[str, ...] = Field(description="of a destroyed seal, what the vault could not destroy itself")


class ChangeAnswer(BaseModel):
    """One change of a seal's status."""

    status: SealStatus
    at: datetime
    reason: str
    actor: str
    affair: str | None


class VersionAnswer(BaseModel):
    """One making of a seal after the first."""

    number: int
    name: str
    valid_from: datetime
    valid_to: datetime
    made_at: datetime
    made_by: str
    affair: str


class HistoryAnswer(BaseModel):
    """A seal's life, oldest first."""

    seal: str
    changes: tuple[ChangeAnswer, ...]
    versions: tuple[VersionAnswer, ...] = Field(description="those after the first")
