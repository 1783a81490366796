"""What the API of uses takes, answers and refuses, in the words of its description (OpenAPI)."""

import json
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from seal.affairs.model import Verdict
from seal.api_models import KEPT_PROBLEM, SEALING_PROBLEMS
from seal.upload import SealingOptions
from seal.usage.approvals import LIFETIME, LONGEST_LIFE, UseRequest, UseStanding
from seal.usage.grants import Grant
from seal.usage.model import LedgerRow, UseState

_SM3 = "^[0-9a-f]{64}$"
_BEARER = "token_missing, token_refused"
ASKING_PROBLEMS = {
    **SEALING_PROBLEMS,
    400: f"{SEALING_PROBLEMS[400]}, use_request_refused",
    422: "request_invalid; errors names the fields",
    503: f"{SEALING_PROBLEMS[503]}, objects_unavailable",
}
FINDING_PROBLEMS = {401: _BEARER, 404: "use_request_unknown", 422: "request_invalid"}
FETCHING_PROBLEMS = {**FINDING_PROBLEMS, 404: "use_request_unknown, object_not_found", 503: KEPT_PROBLEM}
DECIDING_PROBLEMS = {
    400: "use_request_refused",
    401: _BEARER,
    403: "forbidden; second_person_needed: the caller asked for it, or is no natural person",
    404: "use_request_unknown",
    409: "use_request_closed, use_request_mismatch",
    422: "request_invalid; errors names the fields",
}
USING_PROBLEMS = {
    400: SEALING_PROBLEMS[400],
    401: _BEARER,
    403: f"{SEALING_PROBLEMS[403]} may ask for a grant, too",
    404: "use_request_unknown, seal_unknown, object_not_found",
    409: SEALING_PROBLEMS[409],
    413: "document_too_large",
    415: "document_unsupported: the format it is asked in is no longer made here",
    422: SEALING_PROBLEMS[422],
    429: SEALING_PROBLEMS[429],
    503: f"{SEALING_PROBLEMS[503]}, {KEPT_PROBLEM}",
}
LEDGER_PROBLEMS = {400: "ledger_filter_refused", 401: _BEARER, 403: "forbidden", 422: "request_invalid"}
EXPORTING_PROBLEMS = {**LEDGER_PROBLEMS, 503: "ledger_signer_missing"}
GRANT_PROBLEMS = {401: _BEARER, 403: "forbidden", 404: "seal_unknown", 422: "request_invalid"}


class AskingOptions(SealingOptions):
    """How a document is to be sealed once it is approved."""

    days: int = Field(LIFETIME.days, description="how long it may be decided and used", ge=1, le=LONGEST_LIFE.days)


class UseDecisionShape(BaseModel):
    """A word about a use request."""

    model_config = ConfigDict(extra="forbid")

    verdict: Verdict = Field(description="approve or reject; withdraw, by who asked")
    request_hash: str = Field(pattern=_SM3, description="the request_hash of the use request as it was shown")
    note: str = Field(default="", max_length=500)


class UseDecisionAnswer(BaseModel):
    """What was decided about a use request."""

    verdict: Verdict
    by: str
    at: datetime
    note: str


class UseRequestAnswer(BaseModel):
    """A use request, and where it stands."""

    id: str = Field(examples=["k3vq5rj2c4m7ydpt6xwznbhgea"])
    seal: str = Field(examples=["44030000000001"])
    standing: UseStanding
    caller: str
    organisation: str | None
    document_sm3: str
    pages: int | None
    asked: dict[str, Any] = Field(description="all that was asked for: format, placement, reason, case number, …")
    request_hash: str = Field(description="SM3 over document, seal and words; a decision names it")
    at: datetime
    expires_at: datetime
    decision: UseDecisionAnswer | None
    sealing: str | None = Field(description="the sealing that used it")
    document_url: str

    @classmethod
    def of(cls, found: UseRequest, now: datetime, document_url: str) -> "UseRequestAnswer":
        """Tell of a use request."""
        decision = UseDecisionAnswer.model_validate(found.decision, from_attributes=True) if found.decision else None
        return cls(
            id=found.id,
            seal=found.seal,
            standing=found.standing(now),
            caller=found.caller,
            organisation=found.organisation,
            document_sm3=found.document_sm3,
            pages=found.pages,
            asked={name: said for name, said in json.loads(found.asked).items() if name != "idempotency_key"},
            request_hash=found.request_hash,
            at=found.at,
            expires_at=found.expires_at,
            decision=decision,
            sealing=found.sealing,
            document_url=document_url,
        )


class UseRequestsAnswer(BaseModel):
    """A page of use requests, the newest first."""

    use_requests: tuple[UseRequestAnswer, ...]
    next: str | None = Field(description="give this as `after` for the next page; null: there is none")


class LedgerRowAnswer(BaseModel):
    """One use of a seal; what was not kept when it happened is null."""

    model_config = ConfigDict(from_attributes=True)

    sealing: str
    seal: str
    seal_name: str = Field(description="as it was called then")
    serial: int
    caller: str = Field(description="the authenticated system, or the account of a person")
    caller_kind: str | None = Field(examples=["client"])
    person: str | None = Field(description="who acted through it, where that is known")
    organisation: str | None
    client_address: str | None
    document_sm3: str
    file_sm3: str | None
    pages: int | None
    purpose: str
    case_number: str | None
    document_kind: str
    amount: int | None = Field(description="in fen")
    format: str
    level: str | None
    intended_at: datetime
    sealed_at: datetime | None
    state: UseState
    failure: str | None
    grant: str | None = Field(description="the grant it was allowed by")
    approval: str | None = Field(description="the use request it was approved by")

    @classmethod
    def of(cls, row: LedgerRow) -> "LedgerRowAnswer":
        """Tell of a use."""
        return cls.model_validate(row)


class LedgerAnswer(BaseModel):
    """Some uses, the newest first. There may be fewer than asked for although there are more."""

    uses: tuple[LedgerRowAnswer, ...]
    next: str | None = Field(description="give this as `after` for what follows; null: there is no more")


class GrantAnswer(BaseModel):
    """Leave to use a seal."""

    id: str = Field(description="also that of the affair that gave it")
    seal: str
    subject: str | None
    organisation: str | None
    valid_from: datetime
    valid_to: datetime
    formats: tuple[str, ...]
    document_kinds: tuple[str, ...]
    windows: tuple[dict[str, Any], ...]
    zone: str
    per_day: int | None
    per_month: int | None
    in_total: int | None
    amount_limit: int | None
    ended_at: datetime | None

    @classmethod
    def of(cls, grant: Grant) -> "GrantAnswer":
        """Tell of a grant."""
        terms = grant.terms
        windows = tuple(
            {"weekdays": sorted(each.weekdays), "begins": f"{each.begins:%H:%M}", "ends": f"{each.ends:%H:%M}"}
            for each in terms.windows
        )
        return cls(
            id=grant.id,
            seal=grant.seal,
            subject=grant.subject,
            organisation=grant.organisation,
            valid_from=grant.valid_from,
            valid_to=grant.valid_to,
            formats=terms.formats,
            document_kinds=terms.document_kinds,
            windows=windows,
            zone=terms.zone,
            per_day=terms.quota.per_day,
            per_month=terms.quota.per_month,
            in_total=terms.quota.in_total,
            amount_limit=terms.amount_limit,
            ended_at=grant.ended_at,
        )


class GrantsAnswer(BaseModel):
    """The grants of a seal, the newest first, those that have ended too."""

    grants: tuple[GrantAnswer, ...]
